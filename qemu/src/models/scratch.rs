//! Model of scratch.

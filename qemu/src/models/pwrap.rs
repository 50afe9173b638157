//! Model of pwrap.

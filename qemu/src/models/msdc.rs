//! Model of msdc.

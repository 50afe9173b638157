//! Model of eint.

//! Model of mt6323.

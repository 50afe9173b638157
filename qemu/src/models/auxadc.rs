//! Model of auxadc.

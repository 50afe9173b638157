//! Model of apmixed.

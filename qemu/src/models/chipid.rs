//! Model of chipid.

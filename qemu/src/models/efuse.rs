//! Model of efuse.

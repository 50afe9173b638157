//! Model of mcusys.

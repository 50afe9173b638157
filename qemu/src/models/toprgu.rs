//! Model of toprgu.

//! Model of gpt.

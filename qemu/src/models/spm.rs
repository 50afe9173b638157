//! Model of spm.

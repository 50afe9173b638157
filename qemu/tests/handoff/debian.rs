//! Kernels that nobody here wrote.

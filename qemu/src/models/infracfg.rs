//! Model of infracfg.

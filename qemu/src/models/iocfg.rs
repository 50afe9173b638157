//! Model of iocfg.

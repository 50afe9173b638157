//! Model of emmc.

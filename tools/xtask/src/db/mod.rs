//! What can be said of the driver table without a phone.

pub mod scale;

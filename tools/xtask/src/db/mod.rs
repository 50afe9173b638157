//! What can be said of the driver table without a phone.

pub mod plan;
pub mod report;
pub mod scale;

//! The display path in front of the DSI host as one picture sees it: the
//! registers that are in effect now, and the picture that they make.
//!
//! The models of MMSYS, mutex, OVL, RDMA, COLOR and BLS each write their part
//! of [`Path`] into [`crate::signals::Signals`]; whoever scans the picture out
//! (DSI) asks [`compose`] for it. Source: facts/display.md 1 and 2.

mod compose;
mod frames;
mod path;
mod pixels;

pub use compose::{Composition, Picture, Sink, compose};
pub use frames::{FRAME, Frames, Moment};
pub use path::{Bls, Color, Layer, Module, Mutex, Ovl, Path, Rdma, Routing};
pub use pixels::Format;

#[cfg(test)]
mod tests;

//! How long work tells whoever waits for it how far it is.

/// Told as work goes on.
pub trait Progress {
    /// A part of the work begins: what it is, and its bytes.
    fn begin(&mut self, what: &str, bytes: u64);
    /// So many more bytes of it are done.
    fn advance(&mut self, bytes: u64);
    /// It is done.
    fn finish(&mut self) {}
}

/// Nobody waits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&mut self, _what: &str, _bytes: u64) {}
    fn advance(&mut self, _bytes: u64) {}
}

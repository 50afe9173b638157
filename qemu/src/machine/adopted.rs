//! Gives a block its way of taking the state that the preloader leaves,
//! without the block knowing of the preloader model.

use crate::bus::{Block, Context, Nanos, Reset, Size};

/// A block and what the preloader does to it.
pub struct Adopted<B, F> {
    /// The block.
    pub block: B,
    /// Puts it in the state in which the preloader leaves it.
    pub adopt: F,
}

impl<B: Block, F: FnMut(&mut B, &mut Context<'_>) + Send> Block for Adopted<B, F> {
    fn name(&self) -> &'static str {
        self.block.name()
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        self.block.read(offset, size, cx)
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        self.block.write(offset, size, value, cx);
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        self.block.reset(kind, cx);
    }

    fn deadline(&self) -> Option<Nanos> {
        self.block.deadline()
    }

    fn tick(&mut self, cx: &mut Context<'_>) {
        self.block.tick(cx);
    }

    fn leave_as_preloader(&mut self, cx: &mut Context<'_>) {
        (self.adopt)(&mut self.block, cx);
    }

    fn receive(&mut self, byte: u8, cx: &mut Context<'_>) {
        self.block.receive(byte, cx);
    }

    fn watches_wires(&self) -> bool {
        self.block.watches_wires()
    }

    fn wires_changed(&mut self, cx: &mut Context<'_>) {
        self.block.wires_changed(cx);
    }
}

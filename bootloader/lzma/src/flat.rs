//! The window that keeps all bytes.

use crate::{Damaged, Window};

/// Memory that is filled from its start and repeated from anywhere in it.
pub struct Flat<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl<'a> Flat<'a> {
    /// Fills `bytes`.
    pub const fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, at: 0 }
    }
}

impl Window for Flat<'_> {
    type Error = Damaged;

    #[inline]
    fn position(&self) -> usize {
        self.at
    }

    #[inline]
    fn back(&self, distance: usize) -> u8 {
        let at = self.at.wrapping_sub(distance).wrapping_sub(1);
        self.bytes.get(at).copied().unwrap_or(0)
    }

    #[inline]
    fn put(&mut self, byte: u8) -> Result<(), Damaged> {
        *self.bytes.get_mut(self.at).ok_or(Damaged)? = byte;
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn repeat(&mut self, distance: usize, count: usize) -> Result<(), Damaged> {
        let from = self
            .at
            .checked_sub(distance)
            .and_then(|at| at.checked_sub(1));
        let from = from.ok_or(Damaged)?;
        let mut left = count;
        while left > 0 {
            let (before, after) = self.bytes.split_at_mut_checked(self.at).ok_or(Damaged)?;
            let before = before.get(from..).ok_or(Damaged)?;
            // It may repeat what it has just written.
            let run = left.min(before.len());
            let after = after.get_mut(..run).ok_or(Damaged)?;
            for (to, &byte) in after.iter_mut().zip(before) {
                *to = byte;
            }
            self.at += run;
            left -= run;
        }
        Ok(())
    }
}

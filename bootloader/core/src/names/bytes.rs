//! What the simple packers have in common: packed bytes that are read from the
//! front, unpacked ones that are appended to or repeated.

/// The packed bytes.
pub(super) struct Source<'a>(pub(super) &'a [u8]);

impl Source<'_> {
    pub(super) fn byte(&mut self) -> Option<usize> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(usize::from(first))
    }

    pub(super) fn le16(&mut self) -> Option<usize> {
        Some(self.byte()? | self.byte()? << 8)
    }
}

/// The unpacked bytes so far.
pub(super) struct Target<'a> {
    pub(super) bytes: &'a mut [u8],
    pub(super) at: usize,
}

impl Target<'_> {
    /// Appends the next bytes of `source`.
    pub(super) fn literals(&mut self, source: &mut Source<'_>, count: usize) -> Option<()> {
        let (from, rest) = source.0.split_at_checked(count)?;
        self.bytes
            .get_mut(self.at..)?
            .get_mut(..count)?
            .copy_from_slice(from);
        source.0 = rest;
        self.at += count;
        Some(())
    }

    /// Appends what stands `distance` bytes back.
    pub(super) fn repeat(&mut self, distance: usize, count: usize) -> Option<()> {
        let mut from = self.at.checked_sub(distance).filter(|_| distance != 0)?;
        let end = self.at.checked_add(count)?;
        if end > self.bytes.len() {
            return None;
        }
        // The copy may run into what it has just written.
        while self.at < end {
            self.bytes[self.at] = self.bytes[from];
            self.at += 1;
            from += 1;
        }
        Some(())
    }
}

//! Decodes the bootloader's trace: defmt frames in a RAM buffer, whose strings
//! are in the ELF only.
//!
//! A dump is a row of rzCOBS frames, each ended by a zero byte. The buffer
//! wraps, so the first frame may be half of one; it and any other damage is
//! skipped and counted.

use anyhow::{Context, Result, ensure};
use defmt_decoder::{DecodeError, Encoding, Table};

/// A decoded trace.
#[derive(Debug, Default)]
pub struct Trace {
    /// One line a frame: time, level, message.
    pub lines: Vec<String>,
    /// Frames that could not be decoded.
    pub damaged: usize,
}

/// Decodes `dump` with the strings in `elf`.
pub fn decode(elf: &[u8], dump: &[u8]) -> Result<Trace> {
    let table = Table::parse(elf)
        .context("cannot read the trace strings of the bootloader")?
        .context("the bootloader's ELF file has no trace strings")?;
    ensure!(
        table.encoding() == Encoding::Rzcobs,
        "the bootloader was built with another trace encoding than rzCOBS"
    );
    let mut trace = Trace::default();
    for frame in dump.split_inclusive(|&byte| byte == 0) {
        if frame.len() > 1 {
            trace.frame(&table, frame);
        }
    }
    Ok(trace)
}

impl Trace {
    /// Decodes one frame. Each gets a decoder of its own, so that damage ends
    /// with its frame.
    fn frame(&mut self, table: &Table, bytes: &[u8]) {
        let mut decoder = table.new_stream_decoder();
        decoder.received(bytes);
        match decoder.decode() {
            Ok(frame) => self.lines.push(frame.display(false).to_string()),
            Err(DecodeError::UnexpectedEof | DecodeError::Malformed) => self.damaged += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_strings_is_refused() {
        assert!(decode(b"no ELF file", &[]).is_err());
    }
}

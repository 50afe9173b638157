//! Reads the log that the bootloader keeps in DRAM: plain lines, and a trace
//! of defmt frames whose strings are in the ELF only.
//!
//! Each frame is rzCOBS-encoded and ended by a zero byte, so damage stays in
//! its frame: it is skipped and counted.

use anyhow::{Context, Result, ensure};
use defmt_decoder::{DecodeError, Encoding, Table};
use object::{Object, ObjectSymbol};
use std::ops::Range;
use unilk_core::logmem;

/// What a boot left in the log.
#[derive(Debug, Default)]
pub struct Log {
    /// How the boot ended, in words.
    pub outcome: &'static str,
    /// The trace, one line a frame: time, level, message.
    pub trace: Vec<String>,
    /// Frames that could not be decoded.
    pub damaged: usize,
}

/// Physical addresses of the kept log, from the bootloader's symbols.
pub fn region(elf: &[u8]) -> Result<Range<u32>> {
    let file = object::File::parse(elf).context("cannot read the bootloader's ELF file")?;
    let symbol = |name: &str| -> Result<u32> {
        let symbol = file
            .symbols()
            .find(|symbol| symbol.name() == Ok(name))
            .with_context(|| format!("the bootloader has no symbol {name}"))?;
        u32::try_from(symbol.address()).context("not a 32-bit address")
    };
    Ok(symbol("__log_start")?..symbol("__log_end")?)
}

/// The newest boot in `dump`, a copy of [`region`]; `None` if no boot wrote a
/// log.
pub fn read(elf: &[u8], dump: &[u8]) -> Result<Option<Log>> {
    let [Some(newest), _] = logmem::records(dump) else {
        return Ok(None);
    };
    let mut log = decode(elf, newest.trace)?;
    log.outcome = newest.outcome.name();
    Ok(Some(log))
}

/// Decodes frames with the strings in `elf`.
fn decode(elf: &[u8], frames: &[u8]) -> Result<Log> {
    let table = Table::parse(elf)
        .context("cannot read the trace strings of the bootloader")?
        .context("the bootloader's ELF file has no trace strings")?;
    ensure!(
        table.encoding() == Encoding::Rzcobs,
        "the bootloader was built with another trace encoding than rzCOBS"
    );
    let mut log = Log::default();
    for frame in frames.split_inclusive(|&byte| byte == 0) {
        if frame.len() > 1 {
            log.frame(&table, frame);
        }
    }
    Ok(log)
}

impl Log {
    /// Decodes one frame. Each gets a decoder of its own, so that damage ends
    /// with its frame.
    fn frame(&mut self, table: &Table, bytes: &[u8]) {
        let mut decoder = table.new_stream_decoder();
        decoder.received(bytes);
        match decoder.decode() {
            Ok(frame) => self.trace.push(frame.display(false).to_string()),
            Err(DecodeError::UnexpectedEof | DecodeError::Malformed) => self.damaged += 1,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_strings_is_refused() {
        assert!(decode(b"no ELF file", &[]).is_err());
        assert!(region(b"no ELF file").is_err());
    }

    #[test]
    fn memory_without_a_log_is_none() {
        assert!(read(b"", &[0xA5; 4096]).unwrap().is_none());
        assert!(read(b"", &[]).unwrap().is_none());
    }
}

//! Reads the log that the bootloader keeps in DRAM: plain lines, and a trace
//! of defmt frames whose strings are in the ELF only.
//!
//! Each frame is a record of its own, so damage stays in its frame: it is
//! skipped and counted.

use anyhow::{Context, Result, ensure};
use defmt_decoder::{DecodeError, Encoding, Table};
use object::{Object, ObjectSymbol};
use std::ops::Range;
use unilk_core::logmem::{self, Kind};

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Plain text, as it also went out of the UART.
    Text(String),
    /// A frame of the trace.
    Trace(String),
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(line) => f.write_str(line),
            // Under the lines of text, without their brackets.
            Self::Trace(line) => write!(f, "    {line}"),
        }
    }
}

/// What a boot left in the log.
#[derive(Debug, Default)]
pub struct Log {
    /// Whether the boot came to the end that was meant.
    pub complete: bool,
    /// Lines and decoded frames in the order in which they were written.
    pub lines: Vec<Line>,
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
    let [Some(newest), _] = logmem::boots(dump) else {
        return Ok(None);
    };
    let table = Table::parse(elf)
        .context("cannot read the trace strings of the bootloader")?
        .context("the bootloader's ELF file has no trace strings")?;
    ensure!(
        table.encoding() == Encoding::Rzcobs,
        "the bootloader was built with another trace encoding than rzCOBS"
    );
    let mut log = Log {
        complete: newest.complete,
        ..Log::default()
    };
    for record in newest.records() {
        match record.kind {
            Kind::Text => log.lines.push(Line::Text(
                String::from_utf8_lossy(record.data).into_owned(),
            )),
            Kind::Defmt => log.frame(&table, record.data),
        }
    }
    Ok(Some(log))
}

impl Log {
    /// The lines of text.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(|line| match line {
            Line::Text(line) => Some(line.as_str()),
            Line::Trace(_) => None,
        })
    }

    /// The lines of text, without their time stamps.
    pub fn said(&self) -> impl Iterator<Item = &str> {
        self.texts()
            .map(|line| line.split_once("] ").map_or(line, |(_, text)| text))
    }

    /// The frames of the trace, without their time stamps and levels.
    pub fn traced(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(|line| match line {
            Line::Trace(line) => line.splitn(3, ' ').nth(2),
            Line::Text(_) => None,
        })
    }

    /// Decodes one frame. Each gets a decoder of its own, so that damage ends
    /// with its frame.
    fn frame(&mut self, table: &Table, bytes: &[u8]) {
        let mut decoder = table.new_stream_decoder();
        decoder.received(bytes);
        if bytes.last() != Some(&0) {
            decoder.received(&[0]);
        }
        match decoder.decode() {
            Ok(frame) => self
                .lines
                .push(Line::Trace(frame.display(false).to_string())),
            Err(DecodeError::UnexpectedEof | DecodeError::Malformed) => self.damaged += 1,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use unilk_core::logmem::Log as Memory;

    #[test]
    fn a_file_without_symbols_is_refused() {
        assert!(region(b"no ELF file").is_err());
    }

    #[test]
    fn memory_without_a_log_is_none() {
        assert!(read(b"", &[0xA5; 4096]).unwrap().is_none());
        assert!(read(b"", &[]).unwrap().is_none());
    }

    #[test]
    fn stamps_are_left_out() {
        let log = Log {
            lines: vec![
                Line::Text("[   0.005635] unilk 0.1.0".to_owned()),
                Line::Trace("0.117075 INFO tree: 2171 bytes in 11006 us".to_owned()),
            ],
            ..Log::default()
        };
        assert_eq!(log.said().collect::<Vec<_>>(), ["unilk 0.1.0"]);
        let traced: Vec<_> = log.traced().collect();
        assert_eq!(traced, ["tree: 2171 bytes in 11006 us"]);
    }

    #[test]
    fn the_newest_boot_is_the_one_that_is_read() {
        let mut memory = vec![0; 8192];
        for text in ["first", "second", "third"] {
            let mut log = Memory::begin(&mut memory).unwrap();
            log.append(Kind::Text, text.as_bytes()).unwrap();
            log.complete();
        }
        let [newest, older] = logmem::boots(&memory);
        let text =
            |boot: Option<logmem::Boot<'_>>| boot.unwrap().records().next().unwrap().data.to_vec();
        assert_eq!(text(newest), b"third");
        assert_eq!(text(older), b"second");
    }
}

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Whether it is a frame of the trace. The other lines also went out of
    /// the UART.
    pub trace: bool,
    /// Microseconds since the bootloader's first instruction, if it is stamped.
    pub at_us: Option<u64>,
    /// What it says, without stamp and level.
    pub text: String,
}

impl Line {
    /// A line of text: `[   0.005635] unilk 0.1.0`.
    pub fn said(line: &str) -> Self {
        let stamped = line.strip_prefix('[').and_then(|rest| {
            let (stamp, text) = rest.split_once("] ")?;
            Some((micros(stamp.trim())?, text))
        });
        Self {
            trace: false,
            at_us: stamped.map(|(at, _)| at),
            text: stamped.map_or(line, |(_, text)| text).to_owned(),
        }
    }

    /// A decoded frame: `0.117075 INFO tree: 2171 bytes in 11006 us`.
    pub fn traced(line: &str) -> Self {
        let mut words = line.splitn(3, ' ');
        let at_us = words.next().and_then(micros);
        let text = words.nth(1).filter(|_| at_us.is_some());
        Self {
            trace: true,
            at_us,
            text: text.unwrap_or(line).to_owned(),
        }
    }
}

/// Seconds with six decimals as microseconds.
fn micros(stamp: &str) -> Option<u64> {
    let (seconds, micros) = stamp.split_once('.')?;
    let micros = micros.parse::<u64>().ok().filter(|_| micros.len() == 6)?;
    seconds
        .parse::<u64>()
        .ok()?
        .checked_mul(1_000_000)?
        .checked_add(micros)
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.at_us {
            Some(at) => write!(f, "[{:4}.{:06}] ", at / 1_000_000, at % 1_000_000)?,
            None => f.write_str("[           ] ")?,
        }
        // Told from the lines of text at a glance.
        f.write_str(if self.trace { "  - " } else { "" })?;
        f.write_str(&self.text)
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
            Kind::Text => log
                .lines
                .push(Line::said(&String::from_utf8_lossy(record.data))),
            Kind::Defmt => log.frame(&table, record.data),
        }
    }
    Ok(Some(log))
}

impl Log {
    /// What the lines of text say.
    pub fn said(&self) -> impl Iterator<Item = &str> {
        let lines = self.lines.iter().filter(|line| !line.trace);
        lines.map(|line| line.text.as_str())
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
                .push(Line::traced(&frame.display(false).to_string())),
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
    fn lines_are_taken_apart_and_shown_alike() {
        let said = Line::said("[   1.005635] unilk 0.1.0");
        assert_eq!(
            (said.at_us, said.text.as_str()),
            (Some(1_005_635), "unilk 0.1.0")
        );
        assert_eq!(said.to_string(), "[   1.005635] unilk 0.1.0");
        let traced = Line::traced("0.117075 INFO tree: 2171 bytes in 11006 us");
        assert_eq!(
            (traced.at_us, traced.text.as_str()),
            (Some(117_075), "tree: 2171 bytes in 11006 us")
        );
        for odd in ["", "[", "no stamp at all", "[x] y", "1.5 INFO z"] {
            assert_eq!(Line::said(odd).text, odd);
            assert_eq!(Line::traced(odd).text, odd);
        }
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

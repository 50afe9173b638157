//! Where an emulated phone keeps the bootloader's log, and what the newest
//! boot left in it (`unilk::log`).

use anyhow::{Context, Result};
use object::{Object, ObjectSymbol};
use std::ops::Range;
use unilk::log::{Boot, Reading, Strings};
use unilk::progress::Silent;

pub use unilk::log::Line;

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
    let scan = unilk::log::scan(dump, &mut Silent)?;
    let Some(newest) = scan.slots.first() else {
        return Ok(None);
    };
    let strings = Strings::parse(elf).context("the bootloader's ELF file")?;
    let boot = Boot::of(newest, Reading::With(&strings));
    Ok(Some(Log {
        complete: boot.complete,
        lines: boot.lines,
        damaged: boot.undecoded,
    }))
}

impl Log {
    /// What the lines of text say.
    pub fn said(&self) -> impl Iterator<Item = &str> {
        let lines = self.lines.iter().filter(|line| !line.trace);
        lines.map(|line| line.text.as_str())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_symbols_is_refused() {
        assert!(region(b"no ELF file").is_err());
    }

    #[test]
    fn memory_without_a_log_is_none() {
        assert!(read(b"", &[0xA5; 4096]).unwrap().is_none());
        assert!(read(b"", &[]).unwrap().is_none());
    }
}

//! A register file described by a table: offset, name, reset value and which
//! bits software can change. Blocks that mostly remember what was written
//! (SPM, APMIXED, IOCFG, ...) keep their registers here and add behaviour to
//! the few that have some. The checks on width, existence and read-only
//! registers are made here, once, so that every block is equally strict.

use crate::bus::{Context, GuestError, Size};

/// One 32-bit register.
#[derive(Clone, Copy, Debug)]
pub struct Register {
    /// Offset from the block's base in bytes.
    pub offset: u32,
    /// The name in `facts/`.
    pub name: &'static str,
    /// Value after a reset.
    pub reset: u32,
    /// Bits that a write changes; 0 makes the register read-only.
    pub writable: u32,
}

/// A register that keeps all 32 bits.
pub const fn rw(offset: u32, name: &'static str, reset: u32) -> Register {
    Register {
        offset,
        name,
        reset,
        writable: u32::MAX,
    }
}

/// A register of which only `writable` bits exist.
pub const fn masked(offset: u32, name: &'static str, reset: u32, writable: u32) -> Register {
    Register {
        offset,
        name,
        reset,
        writable,
    }
}

/// A register that software can only read.
pub const fn ro(offset: u32, name: &'static str, reset: u32) -> Register {
    Register {
        offset,
        name,
        reset,
        writable: 0,
    }
}

/// What a write does through a value register and its two aliases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The register takes the value.
    Value,
    /// SET alias: ones set bits.
    Set,
    /// CLR alias: ones clear bits.
    Clear,
}

impl Access {
    /// The register's value after `value` was written.
    pub fn apply(self, old: u32, value: u32) -> u32 {
        match self {
            Access::Value => value,
            Access::Set => old | value,
            Access::Clear => old & !value,
        }
    }
}

/// Checks the width and alignment of an access; reports it when the block
/// does not take it. An access that is refused reads 0 and writes nothing.
pub fn check_width(
    block: &'static str,
    offset: u32,
    size: Size,
    allowed: &[Size],
    cx: &mut Context<'_>,
) -> bool {
    let ok = allowed.contains(&size) && offset.is_multiple_of(4);
    if !ok {
        let wanted: Vec<String> = allowed
            .iter()
            .map(|bytes| (bytes * 8).to_string())
            .collect();
        cx.report(
            GuestError::AccessSize,
            block,
            offset,
            format!(
                "{}-bit access; the register takes {} bits, aligned to 4 bytes",
                size * 8,
                wanted.join(" or ")
            ),
        );
    }
    ok
}

/// Reports a write to a register that only answers reads.
pub fn read_only(block: &'static str, offset: u32, name: &str, cx: &mut Context<'_>) {
    cx.report(
        GuestError::BadValue,
        block,
        offset,
        format!("write to {name}, which is read-only"),
    );
}

/// Reports a read of a SET, CLR or command register, whose content is
/// undefined (facts/soc.md, conventions).
pub fn write_only(block: &'static str, offset: u32, name: &str, cx: &mut Context<'_>) -> u32 {
    cx.report(
        GuestError::BadValue,
        block,
        offset,
        format!("read of {name}, which is write-only"),
    );
    0
}

/// The registers of one block and their values.
#[derive(Clone, Debug)]
pub struct RegisterFile {
    block: &'static str,
    table: &'static [Register],
    values: Vec<u32>,
}

impl RegisterFile {
    /// Registers at their reset values; `block` is the name in reports.
    pub fn new(block: &'static str, table: &'static [Register]) -> Self {
        RegisterFile {
            block,
            table,
            values: table.iter().map(|register| register.reset).collect(),
        }
    }

    /// All registers back to their reset values.
    pub fn reset(&mut self) {
        for (value, register) in self.values.iter_mut().zip(self.table) {
            *value = register.reset;
        }
    }

    fn index(&self, offset: u32) -> Option<usize> {
        self.table
            .iter()
            .position(|register| register.offset == offset)
    }

    /// Whether there is a register at `offset`.
    pub fn has(&self, offset: u32) -> bool {
        self.index(offset).is_some()
    }

    /// The value as the model sees it; 0 where there is no register.
    pub fn get(&self, offset: u32) -> u32 {
        self.index(offset).map_or(0, |at| self.values[at])
    }

    /// Changes a value from inside the model, read-only bits too.
    pub fn set(&mut self, offset: u32, value: u32) {
        if let Some(at) = self.index(offset) {
            self.values[at] = value;
        }
    }

    /// A 32-bit read by software.
    pub fn read(&self, offset: u32, cx: &mut Context<'_>) -> u32 {
        match self.index(offset) {
            Some(at) => self.values[at],
            None => cx.unknown_register(self.block, offset, false),
        }
    }

    /// A 32-bit write by software. Returns whether a register took it.
    pub fn write(&mut self, offset: u32, value: u32, cx: &mut Context<'_>) -> bool {
        let Some(at) = self.index(offset) else {
            cx.unknown_register(self.block, offset, true);
            return false;
        };
        let register = self.table[at];
        if register.writable == 0 {
            read_only(self.block, offset, register.name, cx);
            return false;
        }
        self.values[at] = (self.values[at] & !register.writable) | (value & register.writable);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;

    static TABLE: [Register; 3] = [
        rw(0x00, "A", 7),
        masked(0x04, "B", 0x100, 0xff),
        ro(0x08, "C", 9),
    ];

    #[test]
    fn table_decides_what_a_write_changes() {
        let mut world = TestWorld::default();
        let mut file = RegisterFile::new("T", &TABLE);
        assert!(file.write(0x00, 0xdead_beef, &mut world.cx()));
        assert!(file.write(0x04, 0xffff, &mut world.cx()));
        assert!(!file.write(0x08, 1, &mut world.cx()));
        assert!(!file.write(0x0c, 1, &mut world.cx()));
        assert_eq!(
            [file.get(0), file.get(4), file.get(8)],
            [0xdead_beef, 0x1ff, 9]
        );
        assert_eq!(file.read(0x10, &mut world.cx()), 0);
        let kinds: Vec<_> = world.reports.iter().map(|report| report.kind).collect();
        assert_eq!(
            kinds,
            [
                GuestError::BadValue,
                GuestError::UnknownRegister,
                GuestError::UnknownRegister
            ]
        );
        file.reset();
        assert_eq!([file.get(0), file.get(4), file.get(8)], [7, 0x100, 9]);
    }

    #[test]
    fn width_and_alignment_are_checked() {
        let mut world = TestWorld::default();
        assert!(check_width("T", 8, 4, &[4], &mut world.cx()));
        assert!(world.reports.is_empty());
        assert!(!check_width("T", 8, 1, &[2, 4], &mut world.cx()));
        assert!(!check_width("T", 10, 2, &[2, 4], &mut world.cx()));
        assert_eq!(world.reports.len(), 2);
        assert!(world.reports[0].message.contains("16 or 32"));
    }
}

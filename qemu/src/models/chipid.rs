//! The chip ID page: four read-only words that say which silicon this is.
//!
//! The order is not that of the sibling MT6582; software that assumes it reads
//! the hardware version where it wants the chip code, so the model keeps to
//! the documented order. Source: facts/soc.md 2.1.

use serde::Deserialize;

use super::registers::{check_width, read_only};
use crate::bus::{Block, Context, Reset, Size};

const NAME: &str = "CHIPID";

/// What the four words say. The default is a second-revision ("E2") part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// APHW_VER: 0xCA00 = E1, 0xCB00 = E2, 0xCC00 = E3.
    pub hw_version: u16,
    /// APSW_VER: 0 goes with E1, 1 with E2.
    pub sw_version: u16,
    /// APHW_SUBCODE. Not known for this chip; the siblings have 0x8A00.
    pub hw_subcode: u16,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            hw_version: 0xcb00,
            sw_version: 1,
            hw_subcode: 0x8a00,
        }
    }
}

/// The page at 0x08000000.
pub struct ChipId {
    words: [(&'static str, u32); 4],
}

impl ChipId {
    /// A chip that identifies itself as `config` says.
    pub fn new(config: Config) -> Self {
        ChipId {
            words: [
                ("APHW_VER", config.hw_version.into()),
                ("APSW_VER", config.sw_version.into()),
                ("APHW_CODE", 0x6572),
                ("APHW_SUBCODE", config.hw_subcode.into()),
            ],
        }
    }
}

impl Block for ChipId {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        if !check_width(NAME, offset, size, &[4], cx) {
            return 0;
        }
        match self.words.get(offset as usize / 4) {
            Some(&(_, value)) => value,
            None => cx.unknown_register(NAME, offset, false),
        }
    }

    fn write(&mut self, offset: u32, _size: Size, _value: u32, cx: &mut Context<'_>) {
        match self.words.get(offset as usize / 4) {
            Some(&(name, _)) => read_only(NAME, offset, name, cx),
            None => {
                cx.unknown_register(NAME, offset, true);
            }
        }
    }

    fn reset(&mut self, _kind: Reset, _cx: &mut Context<'_>) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::{GuestError, TestWorld};

    #[test]
    fn words_stand_in_the_order_of_this_chip() {
        let mut world = TestWorld::default();
        let mut block = ChipId::new(Config {
            hw_version: 0xca01,
            sw_version: 0,
            ..Config::default()
        });
        assert_eq!(world.read(&mut block, 0x0), 0xca01);
        assert_eq!(world.read(&mut block, 0x4), 0);
        assert_eq!(world.read(&mut block, 0x8), 0x6572);
        assert_eq!(world.read(&mut block, 0xc), 0x8a00);
        assert!(world.reports.is_empty());
    }

    #[test]
    fn refuses_what_is_not_there() {
        let mut world = TestWorld::default();
        let mut block = ChipId::new(Config::default());
        world.read(&mut block, 0x10);
        world.write(&mut block, 0x8, 0);
        block.read(0x8, 1, &mut world.cx());
        let kinds: Vec<_> = world.reports.iter().map(|report| report.kind).collect();
        assert_eq!(
            kinds,
            [
                GuestError::UnknownRegister,
                GuestError::BadValue,
                GuestError::AccessSize
            ]
        );
        assert_eq!(world.read(&mut block, 0x8), 0x6572);
    }
}

//! The e-fuse block: words burned in the factory that give the speed bin
//! (which of MT6572, A, W and M this is), trims and the chip's unique number.
//!
//! Words without a documented field read as unburned (0); a board file can
//! give any of them the value read from a real phone.
//! Source: facts/soc.md 2.2.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::registers::{check_width, read_only};
use crate::bus::{Block, Context, Reset, Size};

const NAME: &str = "EFUSE";

/// Offsets of the words in the block, by devinfo index. Index 20 is the chip
/// code in the chip ID page and has no word here.
#[rustfmt::skip]
pub const DEVINFO_OFFSETS: [Option<u32>; 26] = [
    Some(0x020), Some(0x030), Some(0x038), Some(0x040), Some(0x044), Some(0x048), Some(0x060),
    Some(0x100), Some(0x104), Some(0x108), Some(0x120), Some(0x130), Some(0x140), Some(0x144),
    Some(0x170), Some(0x174), Some(0x178), Some(0x17c), Some(0x180), Some(0x184), None,
    Some(0x10c), Some(0x110), Some(0x114), Some(0x118), Some(0x11c),
];

const UNIQUE_ID_LOW: u32 = 0x140;
const UNIQUE_ID_HIGH: u32 = 0x144;
/// [`GPU_416_MHZ`].
const GPU_BIN: u32 = 0x178;
const GPU_416_MHZ: u32 = 1 << 27;
/// CPU speed bin in [9:8].
const CPU_BIN: u32 = 0x180;

/// The members of the family, which differ in two fuse fields only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Variant {
    /// No speed bin burned.
    #[default]
    #[serde(rename = "MT6572")]
    Mt6572,
    /// Up to 1209 MHz.
    #[serde(rename = "MT6572A", alias = "A")]
    Mt6572A,
    /// Up to 1300 MHz.
    #[serde(rename = "MT6572W", alias = "W")]
    Mt6572W,
    /// Up to 1001 MHz, GPU at 416 MHz.
    #[serde(rename = "MT6572M", alias = "M")]
    Mt6572M,
}

impl Variant {
    fn cpu_bin(self) -> u32 {
        match self {
            Variant::Mt6572 => 0,
            Variant::Mt6572W => 1,
            Variant::Mt6572A => 2,
            Variant::Mt6572M => 3,
        }
    }
}

/// What is burned.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Which chip of the family.
    pub variant: Variant,
    /// The 64-bit number that serial numbers are made of: low half at +140,
    /// high half at +144.
    pub unique_id: u64,
    /// Other words by devinfo index (0..=25, decimal), as read from a phone;
    /// they replace what `variant` and `unique_id` would give.
    pub devinfo: BTreeMap<String, u32>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            variant: Variant::default(),
            unique_id: 0x6572_0123_4567_89ab,
            devinfo: BTreeMap::new(),
        }
    }
}

/// The block at 0x10009000.
pub struct Efuse {
    words: BTreeMap<u32, u32>,
}

impl Efuse {
    /// A chip with these fuses. Devinfo indices that no word has are ignored.
    pub fn new(config: &Config) -> Self {
        let mut words: BTreeMap<u32, u32> = DEVINFO_OFFSETS
            .iter()
            .flatten()
            .map(|&offset| (offset, 0))
            .collect();
        words.insert(UNIQUE_ID_LOW, config.unique_id as u32);
        words.insert(UNIQUE_ID_HIGH, (config.unique_id >> 32) as u32);
        words.insert(CPU_BIN, config.variant.cpu_bin() << 8);
        if config.variant == Variant::Mt6572M {
            words.insert(GPU_BIN, GPU_416_MHZ);
        }
        for (index, &value) in &config.devinfo {
            let offset = index
                .parse::<usize>()
                .ok()
                .and_then(|index| *DEVINFO_OFFSETS.get(index)?);
            if let Some(offset) = offset {
                words.insert(offset, value);
            }
        }
        Efuse { words }
    }
}

impl Block for Efuse {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        if !check_width(NAME, offset, size, &[4], cx) {
            return 0;
        }
        match self.words.get(&offset) {
            Some(&value) => value,
            None => cx.unknown_register(NAME, offset, false),
        }
    }

    fn write(&mut self, offset: u32, _size: Size, _value: u32, cx: &mut Context<'_>) {
        if self.words.contains_key(&offset) {
            read_only(NAME, offset, "a fuse word", cx);
        } else {
            cx.unknown_register(NAME, offset, true);
        }
    }

    fn reset(&mut self, _kind: Reset, _cx: &mut Context<'_>) {}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::bus::{GuestError, TestWorld};

    fn word(variant: Variant, offset: u32) -> u32 {
        let mut world = TestWorld::default();
        let mut block = Efuse::new(&Config {
            variant,
            ..Config::default()
        });
        let value = world.read(&mut block, offset);
        assert!(world.reports.is_empty());
        value
    }

    #[test]
    fn variants_differ_in_the_speed_bins() {
        let bins = [
            Variant::Mt6572,
            Variant::Mt6572W,
            Variant::Mt6572A,
            Variant::Mt6572M,
        ]
        .map(|v| word(v, 0x180));
        assert_eq!(bins, [0x000, 0x100, 0x200, 0x300]);
        assert_eq!(word(Variant::Mt6572M, 0x178), 1 << 27);
        assert_eq!(word(Variant::Mt6572W, 0x178), 0);
    }

    #[test]
    fn board_files_choose_the_fuses() {
        let config: Config = toml::from_str(
            "variant = \"MT6572M\"\nunique_id = 0x1122334455667788\n[devinfo]\n15 = 0xcafe\n",
        )
        .unwrap();
        let mut world = TestWorld::default();
        let mut block = Efuse::new(&config);
        assert_eq!(world.read(&mut block, 0x140), 0x5566_7788);
        assert_eq!(world.read(&mut block, 0x144), 0x1122_3344);
        assert_eq!(world.read(&mut block, 0x174), 0xcafe);
        assert!(toml::from_str::<Config>("variant = \"MT6582\"").is_err());
    }

    #[test]
    fn fuses_cannot_be_written() {
        let mut world = TestWorld::default();
        let mut block = Efuse::new(&Config::default());
        world.write(&mut block, 0x180, 0);
        world.read(&mut block, 0x024);
        let kinds: Vec<_> = world.reports.iter().map(|report| report.kind).collect();
        assert_eq!(kinds, [GuestError::BadValue, GuestError::UnknownRegister]);
    }
}

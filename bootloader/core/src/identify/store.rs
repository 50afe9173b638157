//! What the phone remembers between boots: two slots of 4 KiB at the end of
//! MISC, each numbered and checked, written in turn, so that a power cut at
//! any sector leaves the old choice or the new one.
//!
//! MISC belongs to Android: the bootloader control block lies at its start
//! and LK's environment at 0x20000 (facts/storage-and-images.md 7.5). The
//! slots keep clear of both, and are written only where there is nothing or
//! what unilk wrote. To tell its own half-written slot from somebody else's
//! data, every sector bears a tag.
//!
//! A sector, little endian: tag `unilkSEL`, its number u8, version u8, 0 u16,
//! number of the write u32. Then in sector 0:
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 16 | 4 | CRC-32 of the slot without this field |
//! | 20 | 1 | how the panel was chosen |
//! | 21 | 1 | address of the touch chip |
//! | 22 | 1 | what was not found: bit 0 panel, 1 touch, 2 main, 3 sub camera |
//! | 23 | 1 | 1: the board was inferred from what is fitted |
//! | 24 | 4 | check value of the kernel whose names follow |
//! | 28 | 64 | panel |
//! | 92, 140, 188, 236, 284 | 48 each | wiring, board, touch, main, sub camera |
//!
//! The other sectors hold the names of panel drivers that the kernel names,
//! NUL-terminated, none across two sectors. All text is NUL-padded.

use super::Table;
use crate::bytes::{Bytes, put, put_u32};
use crate::crc32::Crc32;
use crate::env::{ENV_LEN, ENV_OFFSET};
use heapless::Vec;

/// Bytes of a slot.
pub const SLOT_LEN: usize = 4096;
/// Slots.
pub const SLOTS: usize = 2;
/// Names of drivers that are kept.
pub const MAX_NAMES: usize = 48;
const SECTOR: usize = 512;
const SECTORS: usize = SLOT_LEN / SECTOR;
const TAG: &[u8; 8] = b"unilkSEL";
const VERSION: u8 = 1;
const DATA: usize = 16;
const CRC: usize = 16;
const PANEL: (usize, usize) = (28, 64);
const TEXTS: [(usize, usize); 5] = [(92, 48), (140, 48), (188, 48), (236, 48), (284, 48)];

error_enum! {
    /// Why nothing is remembered.
    pub enum StoreError {
        /// MISC is missing or too small.
        Size => "STORE-SIZE", "MISC has no room for the stored choice: it is asked for on every boot";
        /// Somebody else's data.
        Foreign => "STORE-FULL", "end of MISC holds data of another program: nothing is stored there";
        /// Only damaged slots.
        Damaged => "STORE-CRC", "stored choice is damaged and not used: it will be written anew";
        /// The table has no such panel.
        Panel => "STORE-LCM", "stored choice names a panel that this image does not know: choose again";
        /// A name that does not fit.
        Text => "STORE-TEXT", "a name is too long to be stored";
    }
}

/// How a panel was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum How {
    /// It was not.
    None = 0,
    /// By a person who saw its picture.
    Person = 1,
    /// By what it answered.
    Identified = 2,
    /// By the names in the phone's kernel.
    KernelNames = 3,
    /// Not: it was the best of several that fit alike.
    Guess = 4,
}

/// What is remembered. Ids are those of the driver table; empty = none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice<'a> {
    /// How the panel was chosen.
    pub how: How,
    /// Panel.
    pub panel: &'a str,
    /// Wiring profile that answered.
    pub wiring: &'a str,
    /// Board.
    pub board: &'a str,
    /// The board was inferred from what is fitted: nobody named it.
    pub inferred: bool,
    /// Touch chip.
    pub touch: &'a str,
    /// Its address.
    pub touch_address: u8,
    /// Cameras: main, sub.
    pub cameras: [&'a str; 2],
    /// What was not found: bit 0 panel, 1 touch, 2 main, 3 sub camera.
    pub absent: u8,
    /// Check value of the boot image that was searched; 0 = none was.
    pub kernel: u32,
    /// Panel drivers that it names.
    pub names: Vec<&'a str, MAX_NAMES>,
}

impl Choice<'_> {
    /// Nothing.
    pub const EMPTY: Self = Self {
        how: How::None,
        panel: "",
        wiring: "",
        board: "",
        inferred: false,
        touch: "",
        touch_address: 0,
        cameras: [""; 2],
        absent: 0,
        kernel: 0,
        names: Vec::new(),
    };

    /// The stored panel as a row of the table, if there is one.
    pub fn row(&self, table: &Table) -> Result<Option<(u16, How)>, StoreError> {
        if self.how == How::None || self.panel.is_empty() {
            return Ok(None);
        }
        let row = table.panel(self.panel).ok_or(StoreError::Panel)?;
        Ok(Some((row, self.how)))
    }
}

/// Byte offsets of the slots in a MISC of `misc_bytes`.
pub fn offsets(misc_bytes: u32) -> Result<[u32; SLOTS], StoreError> {
    let room = (SLOTS * SLOT_LEN) as u32;
    // The control block's own area ends far below the environment.
    let used = ENV_OFFSET + ENV_LEN as u32;
    let end = misc_bytes & !(SLOT_LEN as u32 - 1);
    match end.checked_sub(room) {
        Some(first) if first >= used => Ok([first, first + SLOT_LEN as u32]),
        _ => Err(StoreError::Size),
    }
}

/// What is in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Blank,
    Valid { sequence: u32 },
    Torn,
    Foreign,
}

fn blank(sector: &[u8]) -> bool {
    sector.iter().all(|&byte| byte == 0) || sector.iter().all(|&byte| byte == 0xFF)
}

fn checksum(slot: &[u8]) -> Option<u32> {
    let crc = Crc32::new().update(slot.get(..CRC)?);
    Some(crc.update(slot.get(CRC + 4..SLOT_LEN)?).value())
}

fn classify(slot: &[u8]) -> Slot {
    if slot.len() < SLOT_LEN {
        return Slot::Foreign;
    }
    let sectors = slot.chunks_exact(SECTOR).enumerate().take(SECTORS);
    if sectors.clone().all(|(_, sector)| blank(sector)) {
        return Slot::Blank;
    }
    // One sector that a power cut spoilt does not make a slot of ours somebody
    // else's; nobody else writes the tags of all the others.
    let ours = |(number, sector): (usize, &[u8])| {
        sector.starts_with(TAG) && sector.get(8) == Some(&(number as u8))
    };
    let mut strange = 0;
    let mut tagged = 0;
    for (number, sector) in sectors {
        if ours((number, sector)) {
            tagged += 1;
        } else if !blank(sector) {
            strange += 1;
        }
    }
    if strange > 1 || strange == 1 && tagged == 0 {
        return Slot::Foreign;
    }
    let bytes = Bytes::new(slot);
    let whole = bytes.u8(9) == Some(VERSION) && bytes.u32(CRC) == checksum(slot);
    match bytes.u32(12) {
        Some(sequence) if whole && parse(slot).is_some() => Slot::Valid { sequence },
        _ => Slot::Torn,
    }
}

/// Whether write number `a` came after `b`; numbers wrap.
const fn newer(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) as i32 > 0
}

fn newest(kinds: [Slot; SLOTS]) -> Option<(usize, u32)> {
    let sequence = |kind| match kind {
        Slot::Valid { sequence } => Some(sequence),
        _ => None,
    };
    match kinds.map(sequence) {
        [Some(a), Some(b)] if newer(b, a) => Some((1, b)),
        [Some(a), _] => Some((0, a)),
        [None, Some(b)] => Some((1, b)),
        [None, None] => None,
    }
}

/// The newest choice in the slots; `None` where none was ever stored.
pub fn load(slots: [&[u8]; SLOTS]) -> Result<Option<Choice<'_>>, StoreError> {
    let kinds = slots.map(classify);
    if let Some((at, _)) = newest(kinds) {
        return Ok(slots.get(at).and_then(|slot| parse(slot)));
    }
    if kinds.contains(&Slot::Foreign) {
        Err(StoreError::Foreign)
    } else if kinds.contains(&Slot::Torn) {
        Err(StoreError::Damaged)
    } else {
        Ok(None)
    }
}

fn parse(slot: &[u8]) -> Option<Choice<'_>> {
    let bytes = Bytes::new(slot);
    let text = |(at, len)| bytes.text(at, len);
    let mut names = Vec::new();
    for sector in slot.chunks_exact(SECTOR).take(SECTORS).skip(1) {
        let mut rest = sector.get(DATA..)?;
        while let Some(end) = rest.iter().position(|&byte| byte == 0) {
            let name = Bytes::new(rest).text(0, end)?;
            if name.is_empty() {
                break;
            }
            names.push(name).ok()?;
            rest = rest.get(end + 1..)?;
        }
    }
    let [wiring, board, touch, main, sub] = TEXTS.map(text);
    Some(Choice {
        how: match bytes.u8(20)? {
            0 => How::None,
            1 => How::Person,
            2 => How::Identified,
            3 => How::KernelNames,
            4 => How::Guess,
            _ => return None,
        },
        touch_address: bytes.u8(21)?,
        absent: bytes.u8(22)?,
        inferred: match bytes.u8(23)? {
            0 => false,
            1 => true,
            _ => return None,
        },
        kernel: bytes.u32(24)?,
        panel: text(PANEL)?,
        wiring: wiring?,
        board: board?,
        touch: touch?,
        cameras: [main?, sub?],
        names,
    })
}

fn build(choice: &Choice<'_>, sequence: u32, out: &mut [u8; SLOT_LEN]) -> Result<(), StoreError> {
    out.fill(0);
    for (number, sector) in out.chunks_exact_mut(SECTOR).enumerate() {
        put(sector, 0, TAG).ok_or(StoreError::Size)?;
        put(sector, 8, &[number as u8, VERSION]).ok_or(StoreError::Size)?;
        put_u32(sector, 12, sequence).ok_or(StoreError::Size)?;
    }
    let plain = |text: &str| text.bytes().all(|byte| (0x20..0x7F).contains(&byte));
    let mut text = |(at, len): (usize, usize), value: &str| {
        if value.len() >= len || !plain(value) {
            return Err(StoreError::Text);
        }
        put(out, at, value.as_bytes()).ok_or(StoreError::Text)
    };
    text(PANEL, choice.panel)?;
    let [main, sub] = choice.cameras;
    let values = [choice.wiring, choice.board, choice.touch, main, sub];
    for (place, value) in TEXTS.into_iter().zip(values) {
        text(place, value)?;
    }
    let inferred = u8::from(choice.inferred);
    let small = [
        choice.how as u8,
        choice.touch_address,
        choice.absent,
        inferred,
    ];
    put(out, 20, &small).ok_or(StoreError::Size)?;
    put_u32(out, 24, choice.kernel).ok_or(StoreError::Size)?;
    let mut names = choice.names.iter().peekable();
    for sector in out.chunks_exact_mut(SECTOR).skip(1) {
        let mut at = DATA;
        while let Some(name) = names.next_if(|name| at + name.len() < SECTOR) {
            if name.is_empty() || !plain(name) {
                return Err(StoreError::Text);
            }
            put(sector, at, name.as_bytes()).ok_or(StoreError::Text)?;
            at += name.len() + 1;
        }
    }
    if names.peek().is_some() {
        return Err(StoreError::Text);
    }
    let crc = checksum(out).ok_or(StoreError::Size)?;
    put_u32(out, CRC, crc).ok_or(StoreError::Size)
}

/// Which slot to write, and what: `out` is the slot's new contents. `None`
/// when the newest slot says the same already.
///
/// The slot that holds the newest choice is never the one to be written.
pub fn plan_write(
    slots: [&[u8]; SLOTS],
    choice: &Choice<'_>,
    out: &mut [u8; SLOT_LEN],
) -> Result<Option<usize>, StoreError> {
    let kinds = slots.map(classify);
    if kinds.contains(&Slot::Foreign) {
        return Err(StoreError::Foreign);
    }
    let (target, sequence) = match newest(kinds) {
        Some((at, sequence)) => {
            let known = slots.get(at).and_then(|slot| parse(slot));
            if known.as_ref() == Some(choice) {
                return Ok(None);
            }
            (1 - at, sequence.wrapping_add(1))
        }
        None => (0, 1),
    };
    build(choice, sequence, out)?;
    Ok(Some(target))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fuzz::fuzz;
    use std::string::ToString;

    type Image = [u8; SLOT_LEN];

    fn choice(panel: &'static str) -> Choice<'static> {
        Choice {
            how: How::Person,
            panel,
            wiring: "reference",
            board: "ckt72-w-lca",
            inferred: true,
            touch: "ft6x06",
            touch_address: 0x38,
            cameras: ["ov5645", ""],
            kernel: 0x1234_5678,
            names: Vec::from_slice(&["ili9806e_dsi_cmd_txd", "otm8019a_dsi_vdo_djn"]).unwrap(),
            ..Choice::EMPTY
        }
    }

    fn write(slots: &mut [Image; 2], choice: &Choice<'_>) -> Option<usize> {
        let mut out = [0; SLOT_LEN];
        let target = plan_write([&slots[0], &slots[1]], choice, &mut out).unwrap()?;
        slots[target] = out;
        Some(target)
    }

    fn read(slots: &[Image; 2]) -> Result<Option<Choice<'_>>, StoreError> {
        load([&slots[0], &slots[1]])
    }

    #[test]
    fn slots_lie_at_the_end_clear_of_what_android_uses() {
        assert_eq!(offsets(0x8_0000), Ok([0x7_E000, 0x7_F000]));
        assert_eq!(offsets(0x2_6000), Ok([0x2_4000, 0x2_5000]));
        assert_eq!(offsets(0x2_5FFF), Err(StoreError::Size));
        assert_eq!(offsets(0), Err(StoreError::Size));
    }

    #[test]
    fn writes_go_to_the_slots_in_turn() {
        for fill in [0, 0xFF] {
            let mut slots = [[fill; SLOT_LEN]; 2];
            assert_eq!(read(&slots), Ok(None));
            assert_eq!(write(&mut slots, &choice("a")), Some(0));
            assert_eq!(read(&slots), Ok(Some(choice("a"))));
            assert_eq!(write(&mut slots, &choice("a")), None, "nothing new");
            assert_eq!(write(&mut slots, &choice("b")), Some(1));
            assert_eq!(write(&mut slots, &choice("c")), Some(0));
            assert_eq!(read(&slots), Ok(Some(choice("c"))));
        }
    }

    #[test]
    fn numbers_wrap() {
        let mut slots = [[0; SLOT_LEN]; 2];
        build(&choice("old"), u32::MAX, &mut slots[1]).unwrap();
        assert_eq!(write(&mut slots, &choice("new")), Some(0));
        assert_eq!(read(&slots), Ok(Some(choice("new"))));
    }

    /// Every subset of sectors may have reached the medium.
    #[test]
    fn a_torn_write_leaves_the_old_choice_or_the_new() {
        let mut start = [[0xFF; SLOT_LEN]; 2];
        write(&mut start, &choice("first"));
        for writes in 1..4 {
            let mut out = [0; SLOT_LEN];
            let slots = [&start[0][..], &start[1][..]];
            let target = plan_write(slots, &choice("new"), &mut out)
                .unwrap()
                .unwrap();
            let old = read(&start).unwrap().unwrap().panel.to_string();
            for subset in 0..1u32 << SECTORS {
                let mut torn = start;
                for sector in (0..SECTORS).filter(|sector| subset >> sector & 1 == 1) {
                    let range = sector * SECTOR..(sector + 1) * SECTOR;
                    torn[target][range.clone()].copy_from_slice(&out[range]);
                }
                let expected = if torn[target] == out { "new" } else { &old };
                let found = read(&torn).unwrap().unwrap().panel.to_string();
                assert_eq!(found, expected, "{subset:b}");
                // And the next boot can write over what was torn.
                assert!(write(&mut torn, &choice("later")).is_some());
                assert_eq!(read(&torn).unwrap().unwrap().panel, "later");
            }
            write(
                &mut start,
                &choice(["second", "third", "fourth"][writes - 1]),
            );
        }
    }

    #[test]
    fn a_sector_that_holds_garbage_costs_a_slot_not_the_memory() {
        let mut slots = [[0; SLOT_LEN]; 2];
        write(&mut slots, &choice("first")).unwrap();
        write(&mut slots, &choice("second")).unwrap();
        for sector in 0..SECTORS {
            let mut torn = slots;
            torn[1][sector * SECTOR..][..SECTOR].fill(0xA5);
            assert_eq!(read(&torn).unwrap().unwrap().panel, "first");
            write(&mut torn, &choice("third")).unwrap();
            assert_eq!(read(&torn).unwrap().unwrap().panel, "third");
        }
    }

    #[test]
    fn the_first_write_of_all_may_be_torn() {
        let slots = [[0xFF; SLOT_LEN]; 2];
        let mut out = [0; SLOT_LEN];
        plan_write([&slots[0], &slots[1]], &choice("new"), &mut out).unwrap();
        for subset in 1..(1u32 << SECTORS) - 1 {
            let mut torn = slots;
            for sector in (0..SECTORS).filter(|sector| subset >> sector & 1 == 1) {
                let range = sector * SECTOR..(sector + 1) * SECTOR;
                torn[0][range.clone()].copy_from_slice(&out[range]);
            }
            assert_eq!(read(&torn), Err(StoreError::Damaged), "{subset:b}");
            assert_eq!(write(&mut torn, &choice("later")), Some(0));
            assert_eq!(read(&torn), Ok(Some(choice("later"))));
        }
    }

    #[test]
    fn data_of_others_is_never_written_over() {
        let mut slots = [[0; SLOT_LEN]; 2];
        write(&mut slots, &choice("a"));
        slots[1][2000] = 7;
        let mut out = [0; SLOT_LEN];
        assert_eq!(
            plan_write([&slots[0], &slots[1]], &choice("b"), &mut out),
            Err(StoreError::Foreign)
        );
        assert_eq!(read(&slots), Ok(Some(choice("a"))), "still readable");
        assert_eq!(
            plan_write([&[], &slots[0]], &choice("b"), &mut out),
            Err(StoreError::Foreign)
        );
    }

    #[test]
    fn a_panel_that_the_table_lacks_is_named() {
        let table = super::super::testing::table(&[], &[]);
        assert_eq!(choice("gone").row(&table), Err(StoreError::Panel));
        assert_eq!(Choice::EMPTY.row(&table), Ok(None));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut out = [0; SLOT_LEN];
        let long = "x".repeat(64);
        let mut bad = choice("a");
        bad.panel = &long;
        assert_eq!(build(&bad, 1, &mut out), Err(StoreError::Text));
        let mut many = choice("a");
        many.names = (0..MAX_NAMES)
            .map(|_| "a_driver_with_a_name_of_forty_characters_")
            .collect();
        assert_eq!(build(&many, 1, &mut out), Ok(()));
        assert_eq!(parse(&out), Some(many));
    }

    #[test]
    fn any_damage_is_noticed_and_returns() {
        let mut good = [0; SLOT_LEN];
        build(&choice("a"), 1, &mut good).unwrap();
        for at in (0..SLOT_LEN).step_by(13) {
            let mut slots = [good, [0; SLOT_LEN]];
            slots[0][at] ^= 1;
            assert!(read(&slots).is_err(), "byte {at}");
        }
        fuzz(&good, 2_000, |data| {
            let _ = load([data, &good]);
            let _ = parse(data);
        });
    }
}

//! The log that survives a reset: a region of DRAM with two slots, one for
//! this boot and one that keeps the last.
//!
//! DRAM usually keeps its content over a watchdog reset, but nobody promises
//! it, and the power may fail in the middle of a write. So nothing here is
//! believed without its check value: each record carries a CRC, its header is
//! written after its text, and the place to write on is found by walking the
//! records, not from a counter that could be torn. Boot's end is marked by
//! [`Log::complete`]; a slot without that mark is the log of a failed boot
//! and is not overwritten by the next.
//!
//! Layout: two slots of half the region. A slot starts with 16 bytes (magic,
//! sequence number, state, CRC-32 of sequence and magic), then records of 8
//! bytes header (length u16, kind u8, 0x5A, CRC-32) and text padded to 4.

use crate::bytes::{Bytes, put, put_u32};
use crate::crc32::Crc32;

/// First word of a slot.
pub const MAGIC: u32 = 0x474C_4B55;
/// Bytes of a slot before its first record.
pub const SLOT_HEADER: usize = 16;
/// Bytes of a record before its data; all zero behind the last record.
pub const RECORD_HEADER: usize = 8;
const RECORD_MARK: u8 = 0x5A;
const STATE: usize = 8;
/// State words differ in every bit pair, so that decay does not turn one into
/// the other.
const RUNNING: u32 = 0x5275_6E21;
const COMPLETE: u32 = 0xAD8A_91DE;
/// Share of a slot that only text may use: the last words of a failed boot
/// must not be lost to trace frames.
const TEXT_RESERVE: usize = 4;

/// Smallest region that makes sense.
pub const MIN_REGION: usize = 2 * 1024;

/// What a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum Kind {
    /// A line of plain text.
    Text = 1,
    /// Bytes of the defmt stream.
    Defmt = 2,
}

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// What it holds.
    pub kind: Kind,
    /// Its bytes.
    pub data: &'a [u8],
}

/// The log of one boot as found in memory.
#[derive(Debug, Clone, Copy)]
pub struct Boot<'a> {
    /// Number of the boot since the region was first written.
    pub sequence: u32,
    /// True if it came to its end.
    pub complete: bool,
    slot: Bytes<'a>,
}

impl<'a> Boot<'a> {
    /// The records that are whole, in order.
    pub fn records(&self) -> Records<'a> {
        Records {
            slot: self.slot,
            at: SLOT_HEADER,
        }
    }
}

/// Iterator over a boot's records; stops at the first that is not whole.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    slot: Bytes<'a>,
    at: usize,
}

impl Records<'_> {
    /// Byte of the slot behind the last record that was returned.
    pub const fn at(&self) -> usize {
        self.at
    }
}

/// The whole records from byte `at` of a slot on, whatever its header says:
/// for readers outside of the phone that look behind a damaged one.
pub fn records_from(slot: &[u8], at: usize) -> Records<'_> {
    Records {
        slot: Bytes::new(slot),
        at,
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let len = usize::from(self.slot.u16(self.at)?);
        let kind = match self.slot.u8(self.at + 2)? {
            1 => Kind::Text,
            2 => Kind::Defmt,
            _ => return None,
        };
        if self.slot.u8(self.at + 3)? != RECORD_MARK {
            return None;
        }
        let data = self.slot.slice(self.at + RECORD_HEADER, len)?;
        if self.slot.u32(self.at + 4)? != record_crc(kind, data) {
            return None;
        }
        self.at += record_len(len);
        Some(Record { kind, data })
    }
}

fn record_crc(kind: Kind, data: &[u8]) -> u32 {
    let [low, high] = (data.len() as u16).to_le_bytes();
    Crc32::new()
        .update(&[low, high, kind as u8])
        .update(data)
        .value()
}

const fn record_len(data: usize) -> usize {
    RECORD_HEADER + ((data + 3) & !3)
}

fn header_crc(sequence: u32) -> u32 {
    Crc32::new()
        .update(&MAGIC.to_le_bytes())
        .update(&sequence.to_le_bytes())
        .value()
}

/// The boot in a slot, if there is one.
pub fn boot(slot: &[u8]) -> Option<Boot<'_>> {
    let bytes = Bytes::new(slot);
    let sequence = bytes.u32(4)?;
    let valid = bytes.u32(0)? == MAGIC && bytes.u32(12)? == header_crc(sequence);
    valid.then_some(Boot {
        sequence,
        complete: bytes.u32(STATE)? == COMPLETE,
        slot: bytes,
    })
}

/// The boots in a copy of the region, for readers outside of the phone: the
/// newest first.
pub fn boots(region: &[u8]) -> [Option<Boot<'_>>; 2] {
    let (first, second) = region.split_at((region.len() / 2) & !3);
    let (first, second) = (boot(first), boot(second));
    match (&first, &second) {
        (Some(a), Some(b)) if (a.sequence.wrapping_sub(b.sequence) as i32) > 0 => [first, second],
        (Some(_), None) => [first, None],
        _ => [second, first],
    }
}

error_enum! {
    /// Why nothing was logged.
    pub enum LogError {
        /// The region is smaller than [`MIN_REGION`].
        Region { /** Its bytes. */ len: usize }
            => "LOG-SMALL", "log region has {len} bytes, 2048 are the least: correct the memory map";
        /// No room left in this boot's slot.
        Full => "LOG-FULL", "log of this boot is full: later lines are on the UART only";
    }
}

/// The log of the running boot, and the last boot's.
pub struct Log<'a> {
    slot: &'a mut [u8],
    previous: &'a [u8],
    sequence: u32,
    at: usize,
    lost: u32,
}

impl<'a> Log<'a> {
    /// Starts the log of a new boot in `region`. The slot that is overwritten
    /// is, in this order: one without a valid log, one of a complete boot,
    /// the older one.
    pub fn begin(region: &'a mut [u8]) -> Result<Self, LogError> {
        let len = region.len();
        if len < MIN_REGION {
            return Err(LogError::Region { len });
        }
        let (first, second) = region.split_at_mut((len / 2) & !3);
        let (slot, previous) = if keep_second(boot(first).as_ref(), boot(second).as_ref()) {
            (first, second)
        } else {
            (second, first)
        };
        let newest = boot(slot)
            .iter()
            .chain(&boot(previous))
            .map(|boot| boot.sequence)
            .max();
        let sequence = newest.map_or(1, |last| last.wrapping_add(1));
        let mut log = Self {
            slot,
            previous,
            sequence,
            at: SLOT_HEADER,
            lost: 0,
        };
        log.write_header();
        Ok(log)
    }

    /// The header is valid only once its CRC is there, and the first record's
    /// place is cleared before.
    fn write_header(&mut self) {
        self.slot[..SLOT_HEADER + RECORD_HEADER].fill(0);
        let crc = header_crc(self.sequence);
        for (offset, word) in [(0, MAGIC), (4, self.sequence), (STATE, RUNNING), (12, crc)] {
            // The slot is larger than its header.
            let _ = put_u32(self.slot, offset, word);
        }
    }

    /// Number of this boot.
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// The boot kept in the other slot, complete or not.
    pub fn kept(&self) -> Option<Boot<'a>> {
        boot(self.previous)
    }

    /// The boot directly before this one, if it did not come to its end: what
    /// to show the person.
    pub fn failed(&self) -> Option<Boot<'a>> {
        self.kept()
            .filter(|boot| !boot.complete && boot.sequence.wrapping_add(1) == self.sequence)
    }

    /// Appends a record of at most 65535 bytes.
    pub fn append(&mut self, kind: Kind, data: &[u8]) -> Result<(), LogError> {
        let reserve = if kind == Kind::Defmt {
            self.slot.len() / TEXT_RESERVE
        } else {
            0
        };
        let end = self.at + record_len(data.len());
        if data.len() > usize::from(u16::MAX) || end + reserve > self.slot.len() {
            self.lost = self.lost.saturating_add(1);
            return Err(LogError::Full);
        }
        // What follows must not look like a record, then the text, and the
        // header last: a cut at any point leaves the records before intact.
        let behind = (end + RECORD_HEADER).min(self.slot.len());
        self.slot[end..behind].fill(0);
        let mut header = [0; RECORD_HEADER];
        let [low, high] = (data.len() as u16).to_le_bytes();
        header[..4].copy_from_slice(&[low, high, kind as u8, RECORD_MARK]);
        header[4..].copy_from_slice(&record_crc(kind, data).to_le_bytes());
        put(self.slot, self.at + RECORD_HEADER, data)
            .and_then(|()| put(self.slot, self.at, &header))
            .ok_or(LogError::Full)?;
        self.at = end;
        Ok(())
    }

    /// Records that found no room.
    pub fn lost(&self) -> u32 {
        self.lost
    }

    /// Bytes of this boot's slot in use.
    pub fn used(&self) -> usize {
        self.at
    }

    /// Marks the boot as having come to its end (the kernel is about to run).
    pub fn complete(&mut self) {
        let _ = put_u32(self.slot, STATE, COMPLETE);
    }

    /// This boot's own records.
    pub fn records(&self) -> Records<'_> {
        Records {
            slot: Bytes::new(self.slot),
            at: SLOT_HEADER,
        }
    }
}

/// True if the second slot's boot is the one to keep.
fn keep_second(first: Option<&Boot<'_>>, second: Option<&Boot<'_>>) -> bool {
    match (first, second) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(first), Some(second)) if first.complete != second.complete => first.complete,
        // Sequence numbers compare by distance, so that they may wrap.
        (Some(first), Some(second)) => (second.sequence.wrapping_sub(first.sequence) as i32) > 0,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fuzz::{Rng, fuzz};
    use std::vec::Vec;

    fn lines(records: Records<'_>) -> Vec<&str> {
        records
            .filter(|r| r.kind == Kind::Text)
            .map(|r| core::str::from_utf8(r.data).unwrap())
            .collect()
    }

    fn run(region: &mut [u8], line: &str, complete: bool) -> u32 {
        let mut log = Log::begin(region).unwrap();
        log.append(Kind::Text, line.as_bytes()).unwrap();
        if complete {
            log.complete();
        }
        log.sequence()
    }

    #[test]
    fn a_failed_boot_is_shown_to_the_next() {
        let mut region = std::vec![0xA5; 8192];
        run(&mut region, "emmc: no answer", false);
        let log = Log::begin(&mut region).unwrap();
        assert_eq!(lines(log.failed().unwrap().records()), ["emmc: no answer"]);
        assert_eq!(log.sequence(), 2);
    }

    #[test]
    fn a_complete_boot_is_not_a_failure() {
        let mut region = std::vec![0; 8192];
        run(&mut region, "jump", true);
        let log = Log::begin(&mut region).unwrap();
        assert!(log.failed().is_none());
        assert_eq!(lines(log.kept().unwrap().records()), ["jump"]);
    }

    #[test]
    fn a_failure_outlives_later_good_boots_but_is_shown_once() {
        let mut region = std::vec![0; 8192];
        run(&mut region, "bad", false);
        run(&mut region, "good 1", true);
        let log = Log::begin(&mut region).unwrap();
        assert!(log.failed().is_none(), "the boot before was good");
        assert_eq!(lines(log.kept().unwrap().records()), ["bad"]);
    }

    #[test]
    fn two_failures_in_a_row_keep_the_newer() {
        let mut region = std::vec![0; 8192];
        for number in 1..=5 {
            run(&mut region, &std::format!("failure {number}"), false);
        }
        let log = Log::begin(&mut region).unwrap();
        assert_eq!(lines(log.failed().unwrap().records()), ["failure 5"]);
    }

    #[test]
    fn a_cut_write_keeps_what_was_before() {
        let mut region = std::vec![0xFF; 8192];
        let mut log = Log::begin(&mut region).unwrap();
        log.append(Kind::Text, b"one").unwrap();
        log.append(Kind::Text, b"two").unwrap();
        let end = log.used();
        // A blank region is begun in its second slot. The second record's
        // text decays: only the first is left.
        region[4096 + end - 4] ^= 1;
        let log = Log::begin(&mut region).unwrap();
        assert_eq!(lines(log.failed().unwrap().records()), ["one"]);
    }

    #[test]
    fn old_records_do_not_show_through() {
        let mut region = std::vec![0; 8192];
        for _ in 0..2 {
            let mut log = Log::begin(&mut region).unwrap();
            for _ in 0..20 {
                log.append(Kind::Text, b"long ago").unwrap();
            }
            log.complete();
        }
        let mut log = Log::begin(&mut region).unwrap();
        // Of the same length, so that the next old record is in place.
        log.append(Kind::Text, b"just now").unwrap();
        assert_eq!(lines(log.records()), ["just now"]);
    }

    #[test]
    fn trace_frames_leave_room_for_the_last_words() {
        let mut region = std::vec![0; 8192];
        let mut log = Log::begin(&mut region).unwrap();
        while log.append(Kind::Defmt, &[7; 100]).is_ok() {}
        assert_eq!(log.lost(), 1);
        for _ in 0..10 {
            log.append(
                Kind::Text,
                b"IMG-MAGIC partition holds no Android boot image",
            )
            .unwrap();
        }
        while log.append(Kind::Text, b"x").is_ok() {}
        assert!(log.used() <= 4096);
        assert_eq!(
            log.records()
                .filter(|record| record.kind == Kind::Defmt)
                .count(),
            28
        );
    }

    #[test]
    fn random_memory_is_an_empty_log() {
        for seed in 1..200 {
            let mut rng = Rng::new(seed);
            let mut region: Vec<u8> = (0..4096).map(|_| rng.next() as u8).collect();
            let log = Log::begin(&mut region).unwrap();
            assert_eq!((log.sequence(), log.records().count()), (1, 0));
            assert!(log.kept().is_none());
        }
        assert_eq!(
            Log::begin(&mut [0; 100]).map(|_| ()),
            Err(LogError::Region { len: 100 })
        );
    }

    #[test]
    fn any_bytes_return() {
        let mut region = std::vec![0; 4096];
        run(&mut region, "one", false);
        run(&mut region, "two", true);
        fuzz(&region, 5_000, |data| {
            let mut region = data.to_vec();
            if let Ok(mut log) = Log::begin(&mut region) {
                let _ = log.failed().map(|boot| boot.records().count());
                let _ = log.append(Kind::Text, b"text");
            }
        });
    }
}

//! Slots of the kept log in a file, and what of their records is whole.

use crate::progress::Progress;
use crate::search;
use crate::source::Source;
use std::io;
use unilk_core::logmem::{self, Kind, MAGIC, RECORD_HEADER, SLOT_HEADER};

/// Longest slot that is looked for: four times what a phone has.
const LONGEST: usize = 256 << 10;
/// Most slots of one file; a phone has two.
const MOST_SLOTS: usize = 64;
/// Most places that begin like a slot and are looked at closely: a file that
/// is made of nothing else must not take hours.
const MOST_LOOKS: usize = 4096;

/// A record, copied out of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Text or trace.
    pub kind: Kind,
    /// Its bytes.
    pub data: Vec<u8>,
    /// Whether something damaged was skipped right before it.
    pub after_damage: bool,
}

/// The log of one boot, as it lies in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Where it and its copies begin.
    pub places: Vec<u64>,
    /// Number of the boot since the region was first written; `None` if the
    /// slot's header is damaged.
    pub sequence: Option<u32>,
    /// Whether the boot came to the end that was meant.
    pub complete: bool,
    /// What is whole, in order.
    pub records: Vec<Record>,
    /// Stretches between or behind the records that are damaged.
    pub damaged: usize,
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// The boots, newest first; those without a number last.
    pub slots: Vec<Slot>,
    /// Not all of the file was searched: it holds too much that begins like a
    /// log.
    pub cut_short: bool,
}

/// Looks for logs in `source`.
///
/// # Errors
/// The file cannot be read.
pub fn scan(source: &(impl Source + ?Sized), progress: &mut impl Progress) -> io::Result<Scan> {
    let mut scan = Scan::default();
    let mut looks = 0;
    search::each(source, &MAGIC.to_le_bytes(), progress, |place| {
        if looks >= MOST_LOOKS || scan.slots.len() >= MOST_SLOTS {
            scan.cut_short = true;
            return Ok(u64::MAX);
        }
        looks += 1;
        let bytes = source.read_some(place, LONGEST)?;
        Ok::<_, io::Error>(scan.look(&bytes, place))
    })?;
    // Distances, for numbers may wrap: the newest is the one that no other is
    // ahead of by less than half of all numbers.
    let newest = scan.slots.iter().filter_map(|slot| slot.sequence);
    let newest = newest.reduce(|a, b| if (b.wrapping_sub(a) as i32) > 0 { b } else { a });
    scan.slots.sort_by_key(|slot| {
        let age = newest
            .zip(slot.sequence)
            .map(|(newest, number)| newest.wrapping_sub(number));
        (age.is_none(), age)
    });
    Ok(scan)
}

impl Scan {
    /// Takes what begins at `place` of the file with `bytes`; where to search
    /// on.
    fn look(&mut self, bytes: &[u8], place: u64) -> u64 {
        let boot = logmem::boot(bytes);
        let (records, damaged, end) = records(bytes);
        // A header without its check value counts only with records behind it:
        // the bootloader's own code has the word as well.
        if boot.is_none() && records.is_empty() {
            return place + 1;
        }
        let slot = Slot {
            places: vec![place],
            sequence: boot.map(|boot| boot.sequence),
            complete: boot.is_some_and(|boot| boot.complete),
            records,
            damaged,
        };
        let same = |other: &&mut Slot| {
            other.sequence == slot.sequence
                && other.complete == slot.complete
                && other.records == slot.records
        };
        match self.slots.iter_mut().find(same) {
            Some(known) => known.places.push(place),
            None => self.slots.push(slot),
        }
        place + end as u64
    }
}

/// The whole records of a slot, how many damaged stretches lie among them, and
/// where the last one ends.
fn records(slot: &[u8]) -> (Vec<Record>, usize, usize) {
    let mut found: Vec<Record> = Vec::new();
    let mut damaged = 0;
    let mut at = SLOT_HEADER.min(slot.len());
    let mut after_damage = false;
    loop {
        let mut records = logmem::records_from(slot, at);
        for record in records.by_ref() {
            found.push(Record {
                kind: record.kind,
                data: record.data.to_vec(),
                after_damage: std::mem::take(&mut after_damage),
            });
        }
        at = records.at();
        if ends_at(slot, at) {
            break;
        }
        damaged += 1;
        after_damage = true;
        match next_whole(slot, at) {
            Some(next) => at = next,
            None => break,
        }
    }
    (found, damaged, at)
}

/// Whether the log was written no further than `at`: zeros lie there, another
/// slot begins, or too little is left.
fn ends_at(slot: &[u8], at: usize) -> bool {
    let header = slot.get(at..at + RECORD_HEADER);
    header.is_none_or(|bytes| {
        bytes.iter().all(|&byte| byte == 0) || bytes.starts_with(&MAGIC.to_le_bytes())
    })
}

/// The next whole record behind a damaged one, before the log's end.
fn next_whole(slot: &[u8], at: usize) -> Option<usize> {
    let mut places = (at + 4..slot.len())
        .step_by(4)
        .take_while(|&at| !ends_at(slot, at));
    places.find(|&at| logmem::records_from(slot, at).next().is_some())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;
    use crate::progress::Silent;
    use unilk_core::logmem::Log;

    const REGION: usize = 8192;

    /// A region in which each boot left its lines; `true`: it came to its end.
    pub(crate) fn region(boots: &[(&[&str], bool)]) -> Vec<u8> {
        let mut memory = vec![0xA5; REGION];
        for (lines, complete) in boots {
            let mut log = Log::begin(&mut memory).unwrap();
            for line in *lines {
                log.append(Kind::Text, line.as_bytes()).unwrap();
            }
            if *complete {
                log.complete();
            }
        }
        memory
    }

    fn look(data: &[u8]) -> Scan {
        scan(data, &mut Silent).unwrap()
    }

    fn lines(slot: &Slot) -> Vec<&str> {
        let records = slot.records.iter();
        records
            .map(|record| std::str::from_utf8(&record.data).unwrap())
            .collect()
    }

    #[test]
    fn boots_are_found_anywhere_newest_first() {
        let mut dump = vec![0x11; (1 << 20) - 7];
        dump.extend(region(&[
            (&["one"], true),
            (&["two"], true),
            (&["three", "last words"], false),
        ]));
        dump.extend([0x22; 999]);
        let found = look(&dump);
        assert_eq!(found.slots.len(), 2);
        let [newest, older] = &found.slots[..] else {
            panic!()
        };
        assert_eq!((newest.sequence, newest.complete), (Some(3), false));
        assert_eq!(lines(newest), ["three", "last words"]);
        assert_eq!((older.sequence, older.complete), (Some(2), true));
        // The region begins with an odd address here, and its second slot was
        // begun first.
        assert_eq!(newest.places, [(1 << 20) - 7 + 4096]);
        assert_eq!((newest.damaged, older.damaged), (0, 0));
    }

    #[test]
    fn boots_of_several_regions_are_put_in_order() {
        let one: (&[&str], bool) = (&["words"], true);
        let dump = [region(&[one; 3]), region(&[one; 5]), region(&[one])].concat();
        let found = look(&dump);
        let numbers: Vec<_> = found.slots.iter().map(|slot| slot.sequence).collect();
        assert_eq!(numbers, [5, 4, 3, 2, 1].map(Some));
    }

    #[test]
    fn copies_are_one() {
        let one = region(&[(&["words"], true)]);
        let found = look(&[one.clone(), one].concat());
        assert_eq!(found.slots.len(), 1);
        assert_eq!(found.slots[0].places, [4096, 4096 + REGION as u64]);
    }

    #[test]
    fn numbers_may_wrap() {
        let mut memory = region(&[(&["old"], true), (&["new"], true)]);
        let number = |memory: &mut [u8], at: usize, number: u32| {
            let crc = unilk_core::crc32::Crc32::new()
                .update(&MAGIC.to_le_bytes())
                .update(&number.to_le_bytes())
                .value();
            memory[at + 4..at + 8].copy_from_slice(&number.to_le_bytes());
            memory[at + 12..at + 16].copy_from_slice(&crc.to_le_bytes());
        };
        number(&mut memory, 4096, u32::MAX);
        number(&mut memory, 0, 0);
        assert_eq!(lines(&look(&memory).slots[0]), ["new"]);
    }

    #[test]
    fn what_is_behind_damage_is_still_read() {
        let mut memory = region(&[(&["one", "two", "three"], false)]);
        // Text of the second record: headers take 8 bytes, texts are padded.
        memory[4096 + 16 + 12 + 8] ^= 1;
        let slot = look(&memory).slots.remove(0);
        assert_eq!((lines(&slot), slot.damaged), (vec!["one", "three"], 1));
        assert!(slot.records[1].after_damage && !slot.records[0].after_damage);
        // And its header, so that not even its length is known.
        memory[4096 + 16 + 12..][..4].fill(0xEE);
        let slot = look(&memory).slots.remove(0);
        assert_eq!((lines(&slot), slot.damaged), (vec!["one", "three"], 1));
        // And the last one: nothing whole follows.
        memory[4096 + 16 + 24 + 8] ^= 1;
        let slot = look(&memory).slots.remove(0);
        assert_eq!((lines(&slot), slot.damaged), (vec!["one"], 1));
    }

    #[test]
    fn a_slot_without_its_check_value_counts_if_records_follow() {
        let mut memory = region(&[(&["one"], true)]);
        memory[4096 + 12] ^= 1;
        let slot = look(&memory).slots.remove(0);
        assert_eq!((slot.sequence, slot.complete), (None, false));
        assert_eq!(lines(&slot), ["one"]);
        // The word alone is none.
        let mut noise = vec![0xA5; 4096];
        noise[100..104].copy_from_slice(&MAGIC.to_le_bytes());
        assert!(look(&noise).slots.is_empty());
    }

    #[test]
    fn what_an_older_boot_left_behind_the_end_is_not_read() {
        let old: Vec<&str> = vec!["long ago"; 20];
        let memory = region(&[(&old, true), (&old, true), (&["just now"], true)]);
        assert_eq!(lines(&look(&memory).slots[0]), ["just now"]);
    }

    #[test]
    fn a_file_made_of_beginnings_ends_soon() {
        let header = &region(&[(&[], false)])[4096..4096 + 16];
        let found = look(&header.repeat(50_000));
        assert!(found.slots.len() <= MOST_SLOTS);
        let found = look(&MAGIC.to_le_bytes().repeat(50_000));
        assert!(found.slots.is_empty() && found.cut_short);
    }
}

//! Finds the driver structures of an LK by their shape: a pointer to a name,
//! then pointers to functions, of which some may be absent. Names are not
//! believed: whether a candidate is a driver shows when it is run.

use crate::image::{BASE, Image};
use crate::layout::{DRIVER_WORDS, word};

/// Candidates that are looked at, at most; stock images have up to ten drivers
/// and a few tables that look alike.
const MOST: usize = 64;
/// Longest name.
const LONGEST_NAME: usize = 63;
/// First functions of a driver; all of them must be there.
const NEEDED: std::ops::RangeInclusive<usize> = word::SET_UTIL..=word::INIT;

/// Something that looks like a driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Where the structure is.
    pub address: u32,
    /// The driver's name.
    pub name: String,
    /// The structure's words; those behind a shorter structure are not its
    /// own.
    pub words: [u32; DRIVER_WORDS],
}

impl Candidate {
    /// The function in `word`, if there is one: code in the image, bit 0 for
    /// Thumb.
    pub fn function(&self, image: &Image<'_>, word: usize) -> Option<u32> {
        let pointer = *self.words.get(word)?;
        is_function(image, pointer).then_some(pointer)
    }
}

/// What looks like drivers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Those that the image has a list of, in its order; empty if it has none.
    pub listed: Vec<Candidate>,
    /// The others, by address.
    pub others: Vec<Candidate>,
}

/// Everything in `image` that looks like a driver.
pub fn find(image: &Image<'_>) -> Found {
    let mut found = Vec::new();
    let mut address = BASE;
    while found.len() < MOST && address < image.end() {
        if let Some(candidate) = candidate(image, address) {
            found.push(candidate);
        }
        address += 4;
    }
    sort(image, &found)
}

/// The structure at `address`.
fn candidate(image: &Image<'_>, address: u32) -> Option<Candidate> {
    let name = name(image, image.word(address)?)?;
    let mut words = [0; DRIVER_WORDS];
    for (at, word) in (0..).zip(&mut words) {
        // The last structure of an image may end with it.
        *word = image.word(address.checked_add(4 * at)?).unwrap_or(0);
    }
    let functions = words.get(word::SET_UTIL..=word::RESUME)?;
    let needed = words.get(NEEDED)?;
    let sound = needed.iter().all(|&pointer| is_function(image, pointer))
        && functions
            .iter()
            .all(|&pointer| pointer == 0 || is_function(image, pointer));
    // A table of the same function, or of pointers to texts, is none.
    let distinct = needed.iter().enumerate().all(|(n, pointer)| {
        !needed.iter().skip(n + 1).any(|other| other == pointer)
            && image
                .text(pointer & !1, 8)
                .is_none_or(|text| text.len() < 4)
    });
    (sound && distinct).then(|| Candidate {
        address,
        name: name.to_owned(),
        words,
    })
}

fn name<'a>(image: &Image<'a>, address: u32) -> Option<&'a str> {
    let name = image.text(address, LONGEST_NAME)?;
    let sound = name.len() >= 3 && name.bytes().all(|byte| byte.is_ascii_graphic());
    // The text must begin there, not in the middle of another.
    let begins = image
        .bytes(address.checked_sub(1)?, 1)
        .is_none_or(|before| before[0] == 0 || !before[0].is_ascii_graphic());
    (sound && begins).then_some(name)
}

/// Whether `pointer` can be a function: Thumb code has bit 0 set, ARM code is
/// aligned to words.
fn is_function(image: &Image<'_>, pointer: u32) -> bool {
    let aligned = pointer & 1 == 1 || pointer.is_multiple_of(4);
    // Vectors are no driver.
    aligned && pointer & !1 > BASE + 0x20 && image.bytes(pointer & !1, 4).is_some()
}

/// Separates those that a list names. A list is two or more pointers to
/// candidates in a row.
fn sort(image: &Image<'_>, found: &[Candidate]) -> Found {
    let known = |word: &u32| found.iter().any(|candidate| candidate.address == *word);
    let mut best: Vec<u32> = Vec::new();
    let mut run: Vec<u32> = Vec::new();
    let mut address = BASE;
    while address < image.end() {
        match image.word(address).filter(known) {
            Some(word) if !run.contains(&word) => run.push(word),
            _ => run.clear(),
        }
        if run.len() > best.len() {
            best.clone_from(&run);
        }
        address += 4;
    }
    if best.len() < 2 {
        best.clear();
    }
    let place = |candidate: &Candidate| best.iter().position(|&at| at == candidate.address);
    let (mut listed, others): (Vec<_>, Vec<_>) = found
        .iter()
        .cloned()
        .partition(|candidate| place(candidate).is_some());
    listed.sort_by_key(place);
    Found { listed, others }
}

// (Complete; written for the integration. Please keep as it is.)
//! The log that outlives a reset: two slots in DRAM, one for this boot and one
//! for the boot before it.
//!
//! DRAM keeps its contents across a watchdog reset, so what a failed boot said
//! can be shown by the next. The slots take turns: a boot never writes over
//! its predecessor. A slot holds plain text (the lines of the UART) and defmt
//! frames (the detailed trace), each growing from its own start. Lengths are
//! stored with their complement, and after the bytes that they count: whatever
//! a reset interrupts, the older value still describes bytes that are there.
//!
//! Source: our own format; where the region lies is `linker/lk.ld`.

/// First word of a slot: "ULOG".
pub const MAGIC: u32 = 0x474F_4C55;
/// Layout of a slot.
pub const VERSION: u32 = 1;
/// Bytes of a slot's header.
pub const HEADER_BYTES: usize = 64;
/// Share of a slot that is text, in 1/8.
const TEXT_EIGHTHS: usize = 3;

const AT_MAGIC: usize = 0;
const AT_VERSION: usize = 4;
const AT_SEQUENCE: usize = 8;
const AT_OUTCOME: usize = 16;
const AT_TEXT: usize = 24;
const AT_TRACE: usize = 32;

/// How a boot ended, as far as it could say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Outcome {
    /// It never said: it hung, or the power went away.
    Unfinished,
    /// A kernel was started.
    HandedOver,
    /// It stopped with an error that it could name.
    Stopped,
    /// An exception or a panic.
    Crashed,
}

impl Outcome {
    const fn word(self) -> u32 {
        match self {
            Self::Unfinished => 1,
            Self::HandedOver => 2,
            Self::Stopped => 3,
            Self::Crashed => 4,
        }
    }

    const fn from_word(word: Option<u32>) -> Self {
        match word {
            Some(2) => Self::HandedOver,
            Some(3) => Self::Stopped,
            Some(4) => Self::Crashed,
            _ => Self::Unfinished,
        }
    }

    /// What a person calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unfinished => "did not finish",
            Self::HandedOver => "started a kernel",
            Self::Stopped => "stopped",
            Self::Crashed => "crashed",
        }
    }
}

/// What a slot says of its boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Number of the boot, counted since the DRAM last lost its contents.
    pub sequence: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// The lines of the UART.
    pub text: &'a [u8],
    /// defmt frames, each ended by a zero byte.
    pub trace: &'a [u8],
}

impl<'a> Record<'a> {
    /// Reads one slot.
    pub fn read(slot: &'a [u8]) -> Option<Self> {
        if word(slot, AT_MAGIC)? != MAGIC || word(slot, AT_VERSION)? != VERSION {
            return None;
        }
        let (text, trace) = areas(slot.len())?;
        let part = |area: core::ops::Range<usize>, at| {
            let len = pair(slot, at).unwrap_or(0) as usize;
            slot.get(area.start..area.start + len.min(area.len()))
        };
        Some(Self {
            sequence: pair(slot, AT_SEQUENCE)?,
            outcome: Outcome::from_word(pair(slot, AT_OUTCOME)),
            text: part(text, AT_TEXT)?,
            trace: part(trace, AT_TRACE)?,
        })
    }

    /// The text as lines, without what a damaged DRAM may have put in.
    pub fn lines(&self) -> impl Iterator<Item = &'a str> {
        self.text
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| core::str::from_utf8(line).unwrap_or("(damaged line)"))
    }
}

/// Both slots of a region, the newest first.
pub fn records(region: &[u8]) -> [Option<Record<'_>>; 2] {
    let (first, second) = region.split_at(region.len() / 2);
    let (first, second) = (Record::read(first), Record::read(second));
    match (first, second) {
        (Some(a), Some(b)) if newer(a.sequence, b.sequence) => [first, second],
        (Some(_), None) => [first, None],
        _ => [second, first],
    }
}

/// `a` was written after `b`, also when the counter has wrapped.
fn newer(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) > 0
}

/// The log of this boot.
#[derive(Debug)]
pub struct Log<'a> {
    slot: &'a mut [u8],
    text_len: usize,
    trace_len: usize,
    dropped: usize,
}

impl<'a> Log<'a> {
    /// Takes the older slot of `region` for this boot and returns it with the
    /// record of the boot before, if there is one. `None` if the region is
    /// too small to hold a log at all.
    pub fn begin(region: &'a mut [u8]) -> Option<(Self, Option<Record<'a>>)> {
        let half = region.len() / 2;
        areas(half)?;
        let [newest, _] = records(region);
        let previous = newest.map(|record| record.sequence);
        let (first, second) = region.split_at_mut(half);
        let first_is_newest =
            previous.is_some() && Record::read(first).map(|record| record.sequence) == previous;
        let (slot, old) = if first_is_newest { (second, first) } else { (first, second) };
        let mut log = Self { slot, text_len: 0, trace_len: 0, dropped: 0 };
        log.format(previous.map_or(1, |sequence| sequence.wrapping_add(1)));
        Some((log, Record::read(old).filter(|_| previous.is_some())))
    }

    /// The header last, its magic last of all: a reset in between leaves a
    /// slot that is not taken for one.
    fn format(&mut self, sequence: u32) {
        put(self.slot, AT_MAGIC, 0);
        self.put_pair(AT_SEQUENCE, sequence);
        self.put_pair(AT_OUTCOME, Outcome::Unfinished.word());
        self.put_pair(AT_TEXT, 0);
        self.put_pair(AT_TRACE, 0);
        put(self.slot, AT_VERSION, VERSION);
        put(self.slot, AT_MAGIC, MAGIC);
    }

    /// Appends to the text; what does not fit is counted and dropped.
    pub fn append_text(&mut self, bytes: &[u8]) {
        let Some((area, _)) = areas(self.slot.len()) else { return };
        let taken = append(&mut self.slot[area], self.text_len, bytes);
        self.dropped += bytes.len() - taken;
        self.text_len += taken;
        self.put_pair(AT_TEXT, self.text_len as u32);
    }

    /// Appends to the trace. A frame that does not fit is dropped from its
    /// first missing byte on; its decoder resumes at the next zero byte.
    pub fn append_trace(&mut self, bytes: &[u8]) {
        let Some((_, area)) = areas(self.slot.len()) else { return };
        let taken = append(&mut self.slot[area], self.trace_len, bytes);
        self.dropped += bytes.len() - taken;
        self.trace_len += taken;
        self.put_pair(AT_TRACE, self.trace_len as u32);
    }

    /// The text so far.
    pub fn text(&self) -> &[u8] {
        areas(self.slot.len())
            .and_then(|(area, _)| self.slot.get(area.start..area.start + self.text_len))
            .unwrap_or(&[])
    }

    /// Bytes that did not fit.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// Notes how the boot ended.
    pub fn finish(&mut self, outcome: Outcome) {
        self.put_pair(AT_OUTCOME, outcome.word());
    }

    fn put_pair(&mut self, at: usize, value: u32) {
        put(self.slot, at, value);
        put(self.slot, at + 4, !value);
    }
}

/// Where text and trace lie in a slot of `len` bytes.
fn areas(len: usize) -> Option<(core::ops::Range<usize>, core::ops::Range<usize>)> {
    let room = len.checked_sub(HEADER_BYTES).filter(|&room| room >= 64)?;
    let middle = HEADER_BYTES + room / 8 * TEXT_EIGHTHS;
    Some((HEADER_BYTES..middle, middle..len))
}

fn append(area: &mut [u8], used: usize, bytes: &[u8]) -> usize {
    let room = area.get_mut(used..).unwrap_or(&mut []);
    let taken = bytes.len().min(room.len());
    room[..taken].copy_from_slice(&bytes[..taken]);
    taken
}

fn word(slot: &[u8], at: usize) -> Option<u32> {
    slot.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

/// A value that is stored with its complement. If the two disagree, the reset
/// fell between them: the complement is the older one and still true.
fn pair(slot: &[u8], at: usize) -> Option<u32> {
    Some(!word(slot, at + 4)?)
}

fn put(slot: &mut [u8], at: usize, value: u32) {
    if let Some(place) = slot.get_mut(at..at + 4) {
        place.copy_from_slice(&value.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_next_boot_reads_what_this_one_said() {
        let mut region = vec![0xA5; 4096];
        {
            let (mut log, previous) = Log::begin(&mut region).unwrap();
            assert_eq!(previous, None);
            log.append_text(b"hello\nworld\n");
            log.append_trace(&[1, 2, 0]);
            log.finish(Outcome::Crashed);
        }
        {
            let (mut log, previous) = Log::begin(&mut region).unwrap();
            let previous = previous.unwrap();
            assert_eq!(previous.sequence, 1);
            assert_eq!(previous.outcome, Outcome::Crashed);
            assert_eq!(previous.lines().collect::<Vec<_>>(), ["hello", "world"]);
            assert_eq!(previous.trace, [1, 2, 0]);
            log.append_text(b"second\n");
        }
        let (_, previous) = Log::begin(&mut region).unwrap();
        let previous = previous.unwrap();
        assert_eq!((previous.sequence, previous.outcome), (2, Outcome::Unfinished));
        assert_eq!(previous.text, b"second\n");
    }

    #[test]
    fn a_full_log_drops_and_counts() {
        let mut region = vec![0; 512];
        let (mut log, _) = Log::begin(&mut region).unwrap();
        for _ in 0..100 {
            log.append_text(b"0123456789");
        }
        assert_eq!(log.text().len() + log.dropped(), 1000);
        assert!(log.text().starts_with(b"0123456789"));
        assert!(log.dropped() > 0);
    }

    #[test]
    fn a_reset_between_length_and_complement_loses_only_the_last_piece() {
        let mut region = vec![0; 1024];
        let (mut log, _) = Log::begin(&mut region).unwrap();
        log.append_text(b"kept\n");
        log.append_text(b"torn\n");
        // Undo the second complement, as if the reset had come before it.
        let at = AT_TEXT + 4;
        region[at..at + 4].copy_from_slice(&(!5u32).to_le_bytes());
        assert_eq!(records(&region)[0].unwrap().text, b"kept\n");
    }

    #[test]
    fn garbage_is_no_log_and_never_panics() {
        let mut seed = 1u32;
        let mut region = vec![0u8; 600];
        for _ in 0..5000 {
            for byte in &mut region {
                seed ^= seed << 13;
                seed ^= seed >> 17;
                seed ^= seed << 5;
                *byte = seed as u8;
            }
            if seed & 1 == 0 {
                region[..4].copy_from_slice(&MAGIC.to_le_bytes());
                region[4..8].copy_from_slice(&VERSION.to_le_bytes());
            }
            let _ = records(&region);
            Log::begin(&mut region).unwrap();
        }
        assert!(Log::begin(&mut region[..64]).is_none());
    }

    #[test]
    fn the_sequence_may_wrap() {
        assert!(newer(0, u32::MAX));
        assert!(!newer(u32::MAX, 0));
    }
}

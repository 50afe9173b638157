//! What these tests look at in a run, beyond what all boot tests ask.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::Path;

use unilk::bootimg::{BootImage, SubHeaders};
use unilk_core::hints::{self, HINTS_LEN, Hints};
use unilk_core::logmem::{self, Boot, Kind};

use crate::common::{Kernel, Run, TestPhone, kernel};

/// Length of the RAM disk of these tests: odd, so that its last sector is not
/// full, and several MSDC descriptors long.
pub const RAMDISK_LEN: usize = 200_003;

/// What CONNSYS takes over, and where the bootloader lives.
pub const FIRST_MIB: std::ops::Range<u32> = 0x8000_0000..0x8010_0000;

/// A RAM disk whose every part differs from every other.
pub fn ramdisk() -> Vec<u8> {
    let hashed = |n: u32| (n.wrapping_mul(0x9E37_79B1) >> 24) as u8;
    (0..RAMDISK_LEN as u32).map(hashed).collect()
}

/// A plain Android image with this test kernel, a RAM disk and no tree.
pub fn plain(which: Kernel) -> BootImage {
    BootImage {
        kernel: kernel(which),
        ramdisk: ramdisk(),
        cmdline: "console=ttyS0,921600 quiet".to_owned(),
        sub_headers: SubHeaders::None,
        ..BootImage::default()
    }
}

/// As a factory builds it: MediaTek's headers, no tree, no command line.
pub fn stock() -> BootImage {
    BootImage {
        sub_headers: SubHeaders::Boot,
        cmdline: String::new(),
        ..plain(Kernel::Fixed)
    }
}

/// A phone with this image in BOOTIMG.
pub fn phone_with(image: &BootImage) -> TestPhone {
    TestPhone::new().part("BOOTIMG", image.build().unwrap())
}

/// Our `lk.bin` with these hints packed into it.
pub fn lk_with(hints: &Hints<'_>) -> Vec<u8> {
    let mut lk = crate::common::lk();
    let at = hints::find(&lk).unwrap();
    lk[at..at + HINTS_LEN].copy_from_slice(&hints.build().unwrap());
    lk
}

impl Run {
    /// The lines of both ports that start with `prefix`, without it.
    pub fn lines<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        let ports = self.outcome.serial.iter();
        ports
            .flat_map(|text| text.lines())
            .filter_map(move |line| line.strip_prefix(prefix))
    }

    /// The one line that starts with `prefix`, without it.
    #[track_caller]
    pub fn line<'a>(&'a self, prefix: &'a str) -> &'a str {
        let mut lines = self.lines(prefix);
        let first = lines.next();
        let one = first.is_some() && lines.next().is_none();
        self.check(one, &format!("not one line starts with {prefix:?}"));
        first.unwrap()
    }

    /// Asserts that the lines with this prefix are exactly these.
    #[track_caller]
    pub fn lists(&self, prefix: &str, wanted: &[&str]) -> &Run {
        let found: Vec<_> = self.lines(prefix).collect();
        self.check(
            found == wanted,
            &format!("{prefix:?} has {found:#?}, not {wanted:#?}"),
        );
        self
    }

    /// A hexadecimal `key=value` of the one line that starts with `prefix`.
    #[track_caller]
    pub fn hex(&self, prefix: &str, key: &str) -> u32 {
        number(self.line(prefix), key)
    }

    /// Asserts what every good boot ends with: the test kernel switched the
    /// phone off without a complaint of its own or of a model's, and the log
    /// of the boot lies intact where no kernel may write.
    #[track_caller]
    pub fn is_good(&self) -> &Run {
        self.ends_in_kernel();
        self.log("log", |boots| {
            let boot = boots[0].as_ref();
            self.check(
                boot.is_some_and(|boot| boot.complete && boot.records().count() > 8),
                "the kept log did not survive the kernel",
            );
            let lines = boot.map(text_of).unwrap_or_default();
            let missing = lines
                .iter()
                .find(|line| !self.outcome.serial.iter().any(|port| port.contains(*line)));
            self.check(
                missing.is_none(),
                &format!("damaged in the log: {missing:?}"),
            );
        });
        self
    }

    /// Asserts that the RAM disk arrived whole, and returns where.
    #[track_caller]
    pub fn ramdisk_at(&self, prefix: &str) -> u32 {
        let line = self.line(prefix);
        let crc = unilk_core::crc32::crc32(&ramdisk());
        self.check(
            number(line, "size") == RAMDISK_LEN as u32,
            "size of the RAM disk",
        );
        self.check(number(line, "crc") == crc, "CRC of the RAM disk");
        number(line, "start")
    }

    /// Looks into a dump of the kept log: `log` at the end of the run, `log.1`
    /// as it was at the first reset.
    pub fn log<T>(&self, dump: &str, look: impl FnOnce([Option<Boot<'_>>; 2]) -> T) -> T {
        let bytes = std::fs::read(self.folder.path().join(dump)).unwrap();
        look(logmem::boots(&bytes))
    }

    /// Asserts that the card holds what it held before, but for the slots in
    /// MISC where the boot remembers what is fitted. Only for phones that were
    /// told to keep that.
    #[track_caller]
    pub fn wrote_only_what_it_remembers(&self) -> &Run {
        let file = |name| self.folder.path().join(name);
        let difference = first_difference(&file("before.img"), &file("user.img"), &self.slots);
        self.check(
            difference.is_none(),
            &format!("the card was written to in the MiB at {difference:x?}"),
        );
        self
    }
}

/// A hexadecimal `key=value` in a line.
#[track_caller]
pub fn number(line: &str, key: &str) -> u32 {
    line.split_ascii_whitespace()
        .filter_map(|word| word.split_once('='))
        .find(|&(name, _)| name == key)
        .and_then(|(_, value)| u32::from_str_radix(value.trim_start_matches("0x"), 16).ok())
        .unwrap_or_else(|| panic!("no number {key} in {line:?}"))
}

/// The plain lines of a boot.
pub fn text_of(boot: &Boot<'_>) -> Vec<String> {
    boot.records()
        .filter(|record| record.kind == Kind::Text)
        .map(|record| String::from_utf8_lossy(record.data).into_owned())
        .collect()
}

/// Where two cards begin to differ outside of `except`, to the MiB.
///
/// Only the two ends are read from both: what lies between the partitions of
/// the boot chain and the table at the end is a hole in the first, and reading
/// gigabytes of it twice is what takes the time.
fn first_difference(before: &Path, after: &Path, except: &Range<u64>) -> Option<u64> {
    const CHUNK: usize = 1 << 20;
    const HEAD: u64 = 128 << 20;
    const TAIL: u64 = 32 << 20;
    let (mut before, mut after) = (File::open(before).unwrap(), File::open(after).unwrap());
    let len = before.metadata().unwrap().len();
    if after.metadata().unwrap().len() != len {
        return Some(len);
    }
    let (mut wanted, mut found) = (vec![0; CHUNK], vec![0; CHUNK]);
    let mut at = 0;
    while at < len {
        let count = CHUNK.min((len - at) as usize);
        if at < HEAD || at + TAIL >= len {
            before.seek(SeekFrom::Start(at)).unwrap();
            before.read_exact(&mut wanted[..count]).unwrap();
        } else {
            wanted.fill(0);
        }
        after.read_exact(&mut found[..count]).unwrap();
        let inside = |byte: u64| (byte.clamp(at, at + count as u64) - at) as usize;
        let slots = inside(except.start)..inside(except.end);
        found[slots.clone()].copy_from_slice(&wanted[slots]);
        if wanted[..count] != found[..count] {
            return Some(at);
        }
        at += count as u64;
    }
    None
}

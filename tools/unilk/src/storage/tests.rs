#![allow(clippy::unwrap_used)]

use super::*;
use crate::emmc::{Content, Image};
use crate::finding::Severity;
use crate::layout::Place;
use crate::{mtk, pmt};
use std::io::{Seek, SeekFrom, Write};

/// A file with holes, in memory.
#[derive(Default)]
struct Holes {
    len: u64,
    at: u64,
    pieces: Vec<(u64, Vec<u8>)>,
}

impl Write for Holes {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.pieces.push((self.at, data.to_vec()));
        self.at += data.len() as u64;
        self.len = self.len.max(self.at);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Holes {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => self.len.saturating_add_signed(by),
            SeekFrom::Current(by) => self.at.saturating_add_signed(by),
        };
        Ok(self.at)
    }
}

impl Source for Holes {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let end = offset + out.len() as u64;
        if end > self.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        out.fill(0);
        for (start, bytes) in &self.pieces {
            let (from, to) = (offset.max(*start), end.min(start + bytes.len() as u64));
            if from < to {
                out[(from - offset) as usize..(to - offset) as usize]
                    .copy_from_slice(&bytes[(from - start) as usize..(to - start) as usize]);
            }
        }
        Ok(())
    }
}

const A516: Card = Card {
    boot_size_mult: 16,
    rpmb_size_mult: 16,
    user_bytes: 0xE880_0000,
};
/// Boot areas of 1 MiB and 512 KiB of RPMB under a layout made for 6 MiB.
const SMALL: Card = Card {
    boot_size_mult: 8,
    rpmb_size_mult: 4,
    user_bytes: 0xF000_0000,
};

fn lk() -> Vec<u8> {
    mtk::with_header("LK", &[7; 1000]).unwrap()
}

fn user_area(card: Card) -> Holes {
    let layout = Layout::built_in("a516").unwrap();
    let mut image = Image::new(layout, card).unwrap();
    let boot = b"ANDROID! and so on".to_vec();
    image.put("UBOOT", Content::Bytes(lk())).unwrap();
    image.put("BOOTIMG", Content::Bytes(boot)).unwrap();
    image.put("NVRAM", Content::Bytes(vec![5; 600])).unwrap();
    let mut out = Holes::default();
    image.write_user(&mut out).unwrap();
    out
}

fn open(dump: Holes, options: &Options) -> Storage {
    Storage::open_image(Arc::new(dump), None, options).unwrap()
}

fn codes(storage: &Storage) -> Vec<&'static str> {
    let mut codes: Vec<_> = storage.findings().iter().map(|f| f.code).collect();
    codes.dedup();
    codes
}

fn head(storage: &Storage, name: &str, count: usize) -> Vec<u8> {
    let part = storage.find(name).unwrap();
    let bytes = storage.window(part).unwrap();
    assert_eq!(bytes.len(), part.len, "{name}");
    bytes.read_some(0, count).unwrap()
}

#[test]
fn a_user_area_by_its_pmt() {
    let storage = open(user_area(A516), &Options::default());
    assert_eq!(storage.evidence(), Evidence::Pmt);
    assert_eq!(storage.shape(), Shape::User);
    assert_eq!(storage.hardware_bytes(), Some(0x60_0000));
    assert!(storage.is_whole());
    assert_eq!(head(&storage, "lk", 1512), lk());
    assert_eq!(head(&storage, "boot", 8), b"ANDROID!");
    assert_eq!(head(&storage, "NVRAM", 4), [5; 4]);
    let uboot = storage.find("UBOOT").unwrap();
    assert_eq!(
        (uboot.start, uboot.len, uboot.linear),
        (0x1D2_0000, 0x6_0000, Some(0x232_0000))
    );
    // What the card has left, less 21 MiB.
    let usrdata = storage.find("userdata").unwrap();
    assert_eq!(usrdata.start + usrdata.len, A516.user_bytes - (21 << 20));
    assert_eq!(head(&storage, "BMTPOOL", 4), [0; 4]);
    let tail = storage.window(storage.find(TAIL).unwrap()).unwrap();
    assert_eq!(tail.read_some(1 << 20, 8).unwrap(), b"1vTP1.0\0");
    // Boot area 1 is in another file, which was not given.
    assert_eq!(storage.held(storage.find("PRELOADER").unwrap()), 0);
    assert_eq!(
        codes(&storage),
        ["STORAGE-BASE", "STORAGE-BLANK", "STORAGE-BOOT1"]
    );
}

#[test]
fn the_size_of_the_boot_areas_is_inferred() {
    let storage = open(user_area(SMALL), &Options::default());
    assert_eq!(storage.hardware_bytes(), Some(0x28_0000));
    assert_eq!(head(&storage, "UBOOT", 1512), lk());
    assert_eq!(storage.find("UBOOT").unwrap().start, 0x1D2_0000 + 0x38_0000);
    assert!(codes(&storage).contains(&"STORAGE-SHIFT"));
    // Told, it is not inferred; told wrongly, it is noticed.
    let card = |card| Options {
        card: Some(card),
        ..Options::default()
    };
    let storage = open(user_area(SMALL), &card(SMALL));
    assert!(!codes(&storage).contains(&"STORAGE-BASE"));
    let wrong = Card {
        user_bytes: SMALL.user_bytes,
        ..A516
    };
    let storage = open(user_area(SMALL), &card(wrong));
    assert!(codes(&storage).contains(&"STORAGE-CARD"));
    assert_eq!(head(&storage, "UBOOT", 1512), lk());
}

#[test]
fn a_linear_dump_has_the_preloader_in_front() {
    for (with_preloader, card) in [(true, None), (false, None), (true, Some(A516))] {
        let mut dump = Holes::default();
        if with_preloader {
            dump.write_all(b"EMMC_BOOT\0\0\0").unwrap();
        }
        let user = user_area(A516);
        for (at, bytes) in &user.pieces {
            dump.seek(SeekFrom::Start(0x60_0000 + at)).unwrap();
            dump.write_all(bytes).unwrap();
        }
        dump.len = 0x60_0000 + user.len;
        let options = Options {
            card,
            ..Options::default()
        };
        let storage = open(dump, &options);
        assert_eq!(storage.shape(), Shape::Linear);
        let known = storage.hardware_bytes();
        assert_eq!(known, card.map(|card| card.hardware_bytes()));
        assert_eq!(codes(&storage).contains(&"STORAGE-LINEAR"), card.is_none());
        assert_eq!(head(&storage, "UBOOT", 1512), lk());
        assert_eq!(storage.find("UBOOT").unwrap().start, 0x1D2_0000);
        let boot1 = storage.find("preloader").unwrap();
        let expected = if card.is_some() { 2 << 20 } else { 6 << 20 };
        assert_eq!((boot1.area, storage.held(boot1)), (Area::Boot1, expected));
    }
}

#[test]
fn a_dump_that_was_cut_off_gives_what_it_has() {
    let mut dump = user_area(A516);
    dump.len = 0x200_0000;
    dump.pieces.retain(|(at, _)| *at < 0x200_0000);
    let pieces = dump.pieces.clone();
    // Without a scatter file, what all phones share.
    let storage = open(dump, &Options::default());
    assert_eq!(storage.evidence(), Evidence::Mbr);
    assert_eq!(storage.hardware_bytes(), None);
    assert_eq!(head(&storage, "UBOOT", 1512), lk());
    assert_eq!(storage.find("UBOOT").unwrap().linear, None);
    assert!(storage.find(TAIL).is_none());
    assert!(codes(&storage).contains(&"STORAGE-END"));
    // With one, the rest is listed as missing.
    let dump = Holes {
        len: 0x200_0000,
        pieces,
        ..Holes::default()
    };
    let options = Options {
        scatter: Layout::built_in("a516"),
        card: None,
    };
    let storage = open(dump, &options);
    assert_eq!(storage.evidence(), Evidence::Scatter);
    let boot = storage.find("BOOTIMG").unwrap();
    assert_eq!((boot.len, storage.held(boot)), (0x60_0000, 0x28_0000));
    let recovery = storage.find("RECOVERY").unwrap();
    assert!(storage.window(recovery).is_none());
    assert!(recovery.fixed);
    let cut = storage.findings().iter().find(|f| f.code == "STORAGE-CUT");
    let text = &cut.unwrap().text;
    assert!(text.contains("BOOTIMG cut off; RECOVERY, "), "{text}");
}

#[test]
fn the_mirror_helps_and_is_named() {
    let mut dump = user_area(A516);
    dump.seek(SeekFrom::Start(A516.user_bytes - pmt::FROM_END_BYTES))
        .unwrap();
    dump.write_all(b"1vTP2.0\0").unwrap();
    let storage = open(dump, &Options::default());
    assert_eq!(storage.evidence(), Evidence::PmtMirror);
    assert!(codes(&storage).contains(&"STORAGE-PMT"));
    assert_eq!(head(&storage, "UBOOT", 1512), lk());
}

#[test]
fn contents_that_contradict_the_layout_are_told() {
    let mut layout = Layout::built_in("a516").unwrap();
    for partition in &mut layout.partitions {
        if let Place::Linear(at) = &mut partition.place
            && *at >= 0x232_0000
        {
            *at += 0x40_0000;
        }
    }
    let mut dump = user_area(A516);
    dump.len -= 1 << 20;
    let garbage = vec![0x11; 512];
    dump.seek(SeekFrom::Start(0x1D2_0000 + 0x40_0000)).unwrap();
    dump.write_all(&garbage).unwrap();
    let options = Options {
        scatter: Some(layout),
        card: None,
    };
    let storage = open(dump, &options);
    let finding = storage
        .findings()
        .iter()
        .find(|finding| finding.code == "STORAGE-CONTENT")
        .unwrap();
    assert_eq!(finding.severity, Severity::Problem);
    assert!(
        finding
            .text
            .contains("UBOOT at 0x2120000 begins with 11 11 11 11")
    );
    assert!(finding.text.contains("stands at 0x1d20000"), "{finding}");
}

#[test]
fn a_table_for_a_larger_card_and_anothers_scatter_file_are_told() {
    let layout = Layout::built_in("a516").unwrap();
    let small = Card {
        user_bytes: 0x5000_0000,
        ..A516
    };
    // A table of the large card at the end of a small one.
    let mut dump = Holes::default();
    let tables = pmt::tables(&layout, A516.total_bytes()).unwrap();
    dump.seek(SeekFrom::Start(small.user_bytes - pmt::FROM_END_BYTES))
        .unwrap();
    dump.write_all(&tables).unwrap();
    dump.len = small.user_bytes;
    let storage = open(dump, &Options::default());
    // Nothing confirms it, so the MBR is taken to be the first sector.
    assert_eq!(storage.hardware_bytes(), Some(0x60_0000));
    assert_eq!(storage.shape(), Shape::User);
    assert!(codes(&storage).contains(&"STORAGE-BASE"));
    let card = storage.findings().iter().find(|f| f.code == "STORAGE-CARD");
    assert!(card.unwrap().text.contains("USRDATA missing"), "{card:?}");

    let options = Options {
        scatter: Layout::built_in("large-boot"),
        card: None,
    };
    let storage = open(user_area(A516), &options);
    assert_eq!(storage.evidence(), Evidence::Pmt);
    assert!(codes(&storage).contains(&"STORAGE-SCATTER"));
}

#[test]
fn what_is_no_dump_is_an_error() {
    for len in [0, 1, 511, 512, 3 << 20, 1 << 40] {
        let dump = Holes {
            len,
            ..Holes::default()
        };
        let opened = Storage::open_image(Arc::new(dump), None, &Options::default());
        assert!(matches!(opened, Err(Error::NoTable)), "{len}");
    }
}

#[test]
fn files_named_after_partitions() {
    let files = |names: &[(&str, usize)]| -> Vec<(String, Arc<dyn Source>)> {
        names
            .iter()
            .map(|(name, len)| {
                let bytes: Arc<dyn Source> = Arc::new(vec![0; *len]);
                ((*name).to_owned(), bytes)
            })
            .collect()
    };
    let given = files(&[
        ("boot.img", 100),
        ("Uboot.BIN", 512),
        ("lk.bin", 512),
        ("NVRAM", 5 << 20),
        ("secro.img", 10),
        ("boot1.bin", 2 << 20),
        ("user.img", 10),
        ("notes.txt", 10),
    ]);
    let storage = Storage::open_directory(given, &Options::default()).unwrap();
    let names: Vec<&str> = storage.parts().iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["PRELOADER", "NVRAM", "UBOOT", "BOOTIMG", "SEC_RO"]);
    assert_eq!(storage.evidence(), Evidence::FileNames);
    let nvram = storage.find("nvram").unwrap();
    assert_eq!((nvram.len, nvram.fixed), (5 << 20, false));
    let other = storage
        .findings()
        .iter()
        .find(|f| f.code == "STORAGE-OTHER");
    assert!(other.unwrap().text.contains("notes.txt, user.img"));
    assert!(codes(&storage).contains(&"STORAGE-TWICE"));

    // A scatter file and the card's sizes tell where they belong.
    let options = Options {
        scatter: Layout::built_in("a516"),
        card: Some(SMALL),
    };
    let given = files(&[("uboot.bin", 0x6_0001), ("boot.img", 100)]);
    let storage = Storage::open_directory(given, &options).unwrap();
    let uboot = storage.find("UBOOT").unwrap();
    assert_eq!((uboot.start, uboot.fixed), (0x1D2_0000 + 0x38_0000, true));
    assert_eq!(storage.held(uboot), 0x6_0000);
    assert!(codes(&storage).contains(&"STORAGE-SIZE"));
    assert!(codes(&storage).contains(&"STORAGE-SHORT"));
    let damaged: Arc<dyn Source> = Arc::new(sparse::MAGIC.to_le_bytes().to_vec());
    let mut given = files(&[("boot.img", 100)]);
    given.push(("system.img".to_owned(), damaged));
    let storage = Storage::open_directory(given, &Options::default()).unwrap();
    assert!(storage.find("ANDROID").is_none());
    assert!(codes(&storage).contains(&"STORAGE-READ"));

    // As public dumps are named.
    let given = files(&[("nodl_protect_f.ext4.img", 9), ("nodl_seccfg", 9)]);
    let storage = Storage::open_directory(given, &Options::default()).unwrap();
    assert!(storage.find("PROTECT_F").is_some() && storage.find("SECCFG").is_some());

    let none = Storage::open_directory(files(&[("notes.txt", 3)]), &Options::default());
    assert!(matches!(none, Err(Error::NoPartition)));
}

#[test]
fn any_table_returns() {
    let layout = Layout::built_in("a516").unwrap();
    let tables = pmt::tables(&layout, 64 << 20).unwrap();
    let mut seed = 1u64;
    for _ in 0..2000 {
        let mut bytes = tables.clone();
        for _ in 0..4 {
            seed = seed.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            let at = (seed >> 33) as usize % bytes.len();
            bytes[at] = (seed >> 24) as u8;
        }
        let mut dump = Holes::default();
        dump.seek(SeekFrom::Start((32 << 20) - pmt::FROM_END_BYTES))
            .unwrap();
        dump.write_all(&bytes).unwrap();
        dump.len = 32 << 20;
        let opened = Storage::open_image(Arc::new(dump), None, &Options::default());
        if let Ok(storage) = opened {
            for part in storage.parts() {
                assert!(storage.held(part) <= 32 << 20);
            }
        }
    }
}

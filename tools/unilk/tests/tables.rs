//! Partition tables and sparse images: what sfdisk, img2simg and simg2img make
//! of ours, and we of theirs.

#![allow(clippy::unwrap_used)]

mod common;

use common::{output_of, scratch, small};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use unilk::emmc::{self, Card, Content, Image};
use unilk::layout::Layout;
use unilk::source::{FileSource, Source};
use unilk::storage::{Evidence, Options, Storage};
use unilk::{dos, mtk, scatter, sparse};
use unilk_core::address::Logical;
use unilk_core::partition::Mbr;

/// A table in a file that is as long as the disk that it describes.
fn on_disk(path: &Path, sector: &[u8]) {
    let mut file = File::create(path).unwrap();
    file.write_all(sector).unwrap();
    file.set_len(8 << 30).unwrap();
}

/// `start= 123, size= 456, type=83` without the blanks.
fn sfdisk(path: &Path) -> Option<String> {
    let dump = output_of("sfdisk", &["-d", path.to_str().unwrap()])?;
    Some(dump.chars().filter(|c| *c != ' ').collect())
}

#[test]
fn sfdisk_reads_every_slot_of_our_tables() {
    let directory = scratch("sfdisk-slots");
    for name in ["a516", "large-boot"] {
        let layout = Layout::built_in(name).unwrap();
        for table in dos::tables(&layout).unwrap() {
            let path = directory.join(format!("{name}-{}", table.partition));
            on_disk(&path, &table.sector);
            let Some(dump) = sfdisk(&path) else {
                return;
            };
            let read = Mbr::parse(&table.sector, Logical::from_sector(0)).unwrap();
            // To the end means 2 TiB; sfdisk clips nothing of it but the
            // extended one, and reads that as a chain.
            for slot in read.slots.iter().flatten().filter(|slot| slot.kind != 5) {
                let expected = format!(
                    "start={},size={},type={:x}",
                    slot.start.sector(),
                    slot.sectors,
                    slot.kind
                );
                assert!(dump.contains(&expected), "{name}: {expected} not in {dump}");
            }
        }
    }
}

#[test]
fn we_read_what_sfdisk_writes() {
    let path = scratch("sfdisk-writes").join("disk");
    on_disk(&path, &[]);
    let script = "label: dos\nstart=1024, size=2048, type=5\nstart=18432, size=20480, type=83\n\
                  start=38912, size=20480, type=83\nstart=113152, size=409600, type=83\n";
    let child = Command::new("sfdisk")
        .args(["-q", "--force", "--no-reread", path.to_str().unwrap()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(why) => {
            eprintln!("skipped: sfdisk: {why}");
            return;
        }
    };
    child
        .stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    assert!(child.wait().unwrap().success());
    let sector = FileSource::open(&path).unwrap().read_some(0, 512).unwrap();
    let read = Mbr::parse(&sector, Logical::from_sector(0)).unwrap();
    let slots: Vec<(u8, u64, u32)> = read
        .slots
        .iter()
        .flatten()
        .map(|slot| (slot.kind, slot.start.sector(), slot.sectors))
        .collect();
    assert_eq!(
        slots,
        [
            (5, 1024, 2048),
            (0x83, 18432, 20480),
            (0x83, 38912, 20480),
            (0x83, 113_152, 409_600)
        ]
    );
    assert!(read.is_mediatek());
}

/// Data with holes, runs of one word, and what is neither.
fn mixed() -> Vec<u8> {
    let mut data = vec![0; 3 << 20];
    for (index, byte) in data[0x10_0000..0x18_0123].iter_mut().enumerate() {
        *byte = (index / 7) as u8;
    }
    data[0x20_0000..0x24_0000].fill(0xFF);
    data
}

#[test]
fn we_read_what_img2simg_writes() {
    let directory = scratch("img2simg");
    let (raw, packed) = (directory.join("raw"), directory.join("sparse"));
    let data = mixed();
    std::fs::write(&raw, &data).unwrap();
    for block in ["4096", "1024"] {
        let arguments = [raw.to_str().unwrap(), packed.to_str().unwrap(), block];
        if output_of("img2simg", &arguments).is_none() {
            return;
        }
        let source = FileSource::open(&packed).unwrap();
        assert!(source.len() < 0x10_0000, "{} bytes", source.len());
        let sparse = sparse::open(source).unwrap();
        assert!(sparse.read_some(0, 4 << 20).unwrap() == data);
        // And copied with its holes.
        let mut out = std::io::Cursor::new(Vec::new());
        let stored = emmc::copy(&sparse, &mut out, &mut unilk::progress::Silent).unwrap();
        assert!(out.into_inner() == data);
        assert!(stored < 0x10_0000, "{stored}");
    }
}

#[test]
fn simg2img_and_we_read_the_same() {
    let directory = scratch("simg2img");
    let (packed, raw) = (directory.join("sparse"), directory.join("raw"));
    // By hand: a raw chunk, a filled one, a checksum, one left out.
    let mut file = Vec::new();
    for word in [0xED26_FF3A_u32, 1, 0x000C_001C, 4096, 6, 4, 0] {
        file.extend(word.to_le_bytes());
    }
    let mut chunk = |kind: u32, blocks: u32, body: &[u8]| {
        for word in [kind, blocks, 12 + body.len() as u32] {
            file.extend(word.to_le_bytes());
        }
        file.extend(body);
    };
    chunk(0xCAC1, 2, &[0x5A; 8192]);
    chunk(0xCAC2, 3, &[1, 2, 3, 4]);
    chunk(0xCAC4, 0, &[0; 4]);
    chunk(0xCAC3, 1, &[]);
    std::fs::write(&packed, &file).unwrap();
    let arguments = [packed.to_str().unwrap(), raw.to_str().unwrap()];
    let Some(said) = output_of("simg2img", &arguments) else {
        return;
    };
    let theirs = std::fs::read(&raw).unwrap();
    let ours = sparse::open(file).unwrap().read_some(0, 1 << 20).unwrap();
    assert!(
        ours == theirs,
        "{} and {} bytes; {said}",
        ours.len(),
        theirs.len()
    );
}

#[test]
fn a_phone_is_read_out_of_a_sparse_image() {
    let directory = scratch("sparse-phone");
    let (raw, packed) = (directory.join("user.img"), directory.join("sparse"));
    let layout = small();
    let card = Card::for_layout(&layout, Some(96 << 20)).unwrap();
    let lk = mtk::with_header("LK", &[7; 5000]).unwrap();
    let mut image = Image::new(layout, card).unwrap();
    image.put("UBOOT", Content::Bytes(lk.clone())).unwrap();
    emmc::create(&raw, |out| image.write_user(out)).unwrap();
    let arguments = [raw.to_str().unwrap(), packed.to_str().unwrap()];
    if output_of("img2simg", &arguments).is_none() {
        return;
    }
    let source = Arc::new(FileSource::open(&packed).unwrap());
    let storage = Storage::open_image(source, None, &Options::default()).unwrap();
    assert_eq!(storage.evidence(), Evidence::Pmt);
    let bytes = storage.window(storage.find("UBOOT").unwrap()).unwrap();
    assert_eq!(bytes.read_some(0, lk.len()).unwrap(), lk);
    // Its layout, written as a scatter file, is the one that it was made by.
    let text = scatter::from_layout(storage.layout().unwrap(), |_| None);
    let read = scatter::parse(&text).unwrap();
    for (read, made) in read.partitions.iter().zip(&small().partitions) {
        assert_eq!((&read.name, read.place), (&made.name, made.place));
    }
}

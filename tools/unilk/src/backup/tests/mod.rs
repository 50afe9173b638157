//! Backups of a small phone in memory: kept, damaged, written back, and
//! interrupted at every point.

#![allow(clippy::unwrap_used)]

mod archives;
mod cuts;
mod guards;

use super::archive::Archive;
use super::dump::{Dump, DumpPart, Phone, Place};
use super::plan::{Plan, Request, plan};
use super::restore::User;
use super::select::select;
use super::target::Target;
use super::write::Backup;
use super::{Error, set};
use crate::identity::files::NvramFiles;
use crate::mutate::Random;
use crate::progress::Silent;
use crate::source::{FileSource, Source, Window};
use crate::storage::{Area, TAIL};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::UNIX_EPOCH;

const USER_BYTES: usize = 0x8_0000;
/// Name, first byte, bytes.
const PARTS: [(&str, u64, u64); 9] = [
    ("MBR", 0, 0x1000),
    ("PRO_INFO", 0x1000, 0x3000),
    ("NVRAM", 0x4000, 0x1_0000),
    ("PROTECT_F", 0x1_4000, 0x4000),
    ("UBOOT", 0x2_0000, 0xC000),
    ("BOOTIMG", 0x3_0000, 0x1_4000),
    ("LOGO", 0x5_0000, 0x1000),
    ("BMTPOOL", 0x7_0000, 0x1_0000),
    (TAIL, 0x7_8000, 0x8000),
];

/// How a medium that loses power leaves what it was writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tear {
    /// Up to a byte.
    Byte,
    /// Up to a byte, and the sector of that byte holds rubbish.
    Rubbish,
    /// Any of its sectors, in any order.
    Scattered,
}

/// A phone's user area in memory, which may lose power.
struct Memory {
    bytes: Mutex<Vec<u8>>,
    /// Bytes that can still be written.
    power: Mutex<u64>,
    tear: Tear,
}

impl Memory {
    fn new(bytes: Vec<u8>) -> Arc<Self> {
        Self::with_power(bytes, u64::MAX, Tear::Byte)
    }

    fn with_power(bytes: Vec<u8>, power: u64, tear: Tear) -> Arc<Self> {
        Arc::new(Self {
            bytes: Mutex::new(bytes),
            power: Mutex::new(power),
            tear,
        })
    }

    fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }

    fn set_power(&self, power: u64) {
        *self.power.lock().unwrap() = power;
    }
}

impl Source for Memory {
    fn len(&self) -> u64 {
        Source::len(&*self.bytes.lock().unwrap())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.bytes.lock().unwrap().read_at(offset, out)
    }
}

impl Target for Memory {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut all = self.bytes.lock().unwrap();
        let mut power = self.power.lock().unwrap();
        let there = &mut all[offset as usize..][..bytes.len()];
        if bytes.len() as u64 <= *power {
            *power -= bytes.len() as u64;
            there.copy_from_slice(bytes);
            return Ok(());
        }
        let reached = *power as usize;
        *power = 0;
        match self.tear {
            Tear::Byte => there[..reached].copy_from_slice(&bytes[..reached]),
            Tear::Rubbish => {
                there[..reached].copy_from_slice(&bytes[..reached]);
                let sector = reached / 512 * 512;
                let end = (sector + 512).min(there.len());
                there[sector..end].fill(0xA5);
            }
            Tear::Scattered => {
                let mut random = Random::new(reached as u64);
                for (there, new) in there.chunks_mut(512).zip(bytes.chunks(512)) {
                    if random.below(bytes.len()) < reached {
                        there.copy_from_slice(new);
                    }
                }
            }
        }
        Err(io::Error::other("no power"))
    }

    fn sync(&self) -> io::Result<()> {
        if *self.power.lock().unwrap() == 0 {
            return Err(io::Error::other("no power"));
        }
        Ok(())
    }
}

/// The user area of a phone; what identity it has comes from `seed`.
fn phone(seed: u64) -> Vec<u8> {
    let mut user = vec![0; USER_BYTES];
    for (index, (name, start, bytes)) in (0..).zip(PARTS) {
        // Firmware and tables are the same on all phones of a model.
        let own = set::Guard::of(name, Area::User) == set::Guard::Identity;
        let seed = if own { seed * 100 + index } else { index + 1 };
        let content = Random::new(seed).bytes(bytes as usize);
        user[start as usize..][..bytes as usize].copy_from_slice(&content);
    }
    user[0x5_0000..0x5_1000].fill(0);
    user
}

fn dump(user: &Arc<dyn Source>) -> Dump {
    let mut dump = Dump {
        origin: "test".to_owned(),
        phone: Phone {
            user_bytes: Some(user.len()),
            ..Phone::default()
        },
        ..Dump::default()
    };
    for (name, start, bytes) in PARTS {
        dump.parts.push(DumpPart {
            name: name.to_owned(),
            place: Place {
                area: Area::User,
                offset: Some(start),
                linear: Some(start + 0x60_0000),
                logical: Some(start),
                bytes,
            },
            data: Arc::new(Window::new(user.clone(), start, bytes)),
        });
    }
    let preloader = b"MMM\x01".repeat(512);
    dump.parts.push(DumpPart {
        name: "PRELOADER".to_owned(),
        place: Place {
            area: Area::Boot1,
            offset: Some(0),
            linear: Some(0),
            logical: None,
            bytes: preloader.len() as u64,
        },
        data: Arc::new(preloader),
    });
    dump
}

/// A path of its own for each test, with nothing there.
fn scratch(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("unilk-backup-{}", std::process::id()));
    let directory = directory.join(name);
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    directory.join("phone.tar")
}

fn files() -> NvramFiles {
    let mut files = NvramFiles::default();
    files.add("data/nvram/APCFG/APRDEB/WIFI", vec![7; 512]);
    files.add("data/nvram/md/NVRAM/NVD_IMEI/MP0B_001", vec![9; 40]);
    files
}

/// A backup of everything in `dump`, at `path`.
fn keep(dump: &Dump, path: &std::path::Path) -> Archive {
    let parts = select(dump, true);
    let now = UNIX_EPOCH + std::time::Duration::from_secs(1_795_416_148);
    let backup = Backup::new(dump, &parts, &files(), now);
    backup.create(path, &mut Silent).unwrap();
    open(path)
}

fn open(path: &std::path::Path) -> Archive {
    Archive::open(Arc::new(FileSource::open(path).unwrap())).unwrap()
}

fn source(bytes: Vec<u8>) -> Arc<dyn Source> {
    Arc::new(bytes)
}

fn request(parts: &[&str]) -> Request {
    Request {
        parts: parts.iter().map(|&name| name.to_owned()).collect(),
        ..Request::default()
    }
}

/// Plans for a phone with this user area.
fn plan_for(archive: &Archive, user: &Arc<dyn Source>, request: &Request) -> Result<Plan, Error> {
    plan(archive, &dump(user), &**user, request)
}

fn user(target: &Arc<Memory>) -> User {
    User {
        target: target.clone(),
        start: 0,
    }
}

fn refused(result: Result<Plan, Error>) -> String {
    match result {
        Err(Error::Refused(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}

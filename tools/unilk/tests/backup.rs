//! Backups of a whole phone through the command line, and what other programs
//! make of them. A program that is not installed is named and its check
//! skipped.

#![allow(clippy::unwrap_used)]

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use unilk::emmc::{self, Card, Content, Image};
use unilk::identity::ext4;
use unilk::layout::Layout;
use unilk::source::{FileSource, Source};
use unilk::{mtk, pack};

const CID: &str = "150100483147324138a1b2c3d4e5f601";
const NVRAM_AT: u64 = 0x40_0000;
const UBOOT_AT: u64 = 0x1D2_0000;

fn scratch(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

/// Content that is the same on every machine.
fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..bytes)
        .map(|_| {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            (state >> 32) as u8
        })
        .collect()
}

/// An A516 with an identity of its own, its dump at `user.img`.
fn phone(directory: &Path, seed: u64) -> PathBuf {
    let layout = Layout::built_in("a516").unwrap();
    let card = Card::for_layout(&layout, None).unwrap();
    let mut image = Image::new(layout, card).unwrap();
    let mut put = |name: &str, bytes| image.put(name, Content::Bytes(bytes)).unwrap();
    let payload = [vec![0x07, 0, 0, 0xEA], noise(1, 5000)].concat();
    put("UBOOT", pack::lk_image(&payload, pack::LK_NAME).unwrap());
    put("LOGO", mtk::with_header("LOGO", &noise(2, 9000)).unwrap());
    put("NVRAM", noise(seed, 5 << 20));
    put("PRO_INFO", noise(seed + 100, 3 << 20));
    let path = directory.join("user.img");
    emmc::create(&path, |out| image.write_user(out)).unwrap();
    let boot1 = directory.join("user.img.boot1");
    emmc::create(&boot1, |out| image.write_boot1(out)).unwrap();
    path
}

fn unilk(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_unilk"))
        .args(arguments)
        .output()
        .unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

fn read(path: &Path, at: u64, bytes: usize) -> Vec<u8> {
    FileSource::open(path)
        .unwrap()
        .read_some(at, bytes)
        .unwrap()
}

fn name(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_phone_is_kept_lost_and_brought_back() {
    let directory = scratch("backup-story");
    let dump = phone(&directory, 7);
    let backup = directory.join("phone.tar");
    let arguments = ["backup", name(&dump), "-o", name(&backup), "--cid", CID];
    let made = unilk(&arguments);
    // PROTECT_F and PROTECT_S of this phone are blank: that is told.
    assert_eq!(code(&made), 3, "{}", text(&made));
    assert!(text(&made).contains("PROTECT_F is blank"));
    let again = unilk(&arguments);
    assert_eq!(code(&again), 1);
    assert!(text(&again).contains("never overwritten"));

    // What is lost is told, and where.
    let (nvram, uboot) = (
        read(&dump, NVRAM_AT, 5 << 20),
        read(&dump, UBOOT_AT, 0x6_0000),
    );
    overwrite(&dump, NVRAM_AT, &vec![0; 5 << 20]);
    overwrite(&dump, UBOOT_AT + 512, &noise(9, 4000));
    let verified = unilk(&["verify", name(&backup), "--against", name(&dump)]);
    assert_eq!(code(&verified), 3);
    for expected in [
        "VERIFY-IDENTITY: NVRAM",
        "VERIFY-CHANGED: UBOOT",
        "first at 0x200",
    ] {
        assert!(text(&verified).contains(expected), "{}", text(&verified));
    }

    // Not without the words for it, nothing without --yes, and not elsewhere.
    let restore = |more: &[&str]| {
        let mut arguments = vec!["restore", name(&backup), "--to", name(&dump)];
        arguments.extend(more);
        unilk(&arguments)
    };
    assert_eq!(code(&restore(&["--part", "NVRAM"])), 4);
    assert_eq!(code(&restore(&["--part", "PRELOADER", "--yes"])), 4);
    let words = ["--part", "NVRAM", "--part", "UBOOT", "--identity", "--cid"];
    let right = [&words[..], &[CID]].concat();
    let wrong = [&words[..], &["150100483147324138a1b2c3d4e5ffff", "--yes"]].concat();
    assert_eq!(code(&restore(&wrong)), 4);
    let plan = restore(&right);
    assert_eq!(code(&plan), 0, "{}", text(&plan));
    assert!(text(&plan).contains("Nothing was written"));
    assert_eq!(read(&dump, NVRAM_AT, 512), [0; 512]);

    let lost = read(&dump, 0, 0x200_0000);
    let written = restore(&[&right[..], &["--yes"]].concat());
    assert_eq!(code(&written), 0, "{}", text(&written));
    assert!(read(&dump, NVRAM_AT, 5 << 20) == nvram);
    assert!(read(&dump, UBOOT_AT, 0x6_0000) == uboot);
    assert_eq!(
        code(&unilk(&["verify", name(&backup), "--against", name(&dump)])),
        0
    );

    // Half undone by a power cut: nothing else is begun before that is mended.
    overwrite(&dump, NVRAM_AT, &vec![0; 1 << 20]);
    assert_eq!(code(&restore(&["--part", "LOGO"])), 4);
    assert_eq!(code(&restore(&["--undo"])), 0);
    assert!(read(&dump, 0, 0x200_0000) == lost);
    // A phone without any NVRAM could be any phone.
    assert_eq!(code(&restore(&["--resume"])), 4);
    assert_eq!(code(&restore(&["--resume", "--cid", CID])), 0);
    assert!(read(&dump, NVRAM_AT, 5 << 20) == nvram);
    // The journal is a backup like any other.
    let journal = directory.join("phone.tar.undo-1.tar");
    assert_eq!(code(&unilk(&["verify", name(&journal)])), 0);
    fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn tables_come_back_to_a_card_that_lost_them() {
    let directory = scratch("backup-tables");
    let dump = phone(&directory, 10);
    let backup = directory.join("phone.tar");
    unilk(&["backup", name(&dump), "-o", name(&backup)]);
    let end = FileSource::open(&dump).unwrap().len() - (2 << 20);
    let (mbr, tail) = (read(&dump, 0, 512), read(&dump, end, 2 << 20));
    overwrite(&dump, 0, &[0; 512]);
    overwrite(&dump, end, &vec![0xFF; 2 << 20]);
    let arguments = [
        "restore",
        name(&backup),
        "--to",
        name(&dump),
        "--tables",
        "--yes",
    ];
    // NVRAM, untouched, tells that it is the same phone.
    let written = unilk(&arguments);
    assert_eq!(code(&written), 0, "{}", text(&written));
    assert_eq!(read(&dump, 0, 512), mbr);
    assert!(read(&dump, end, 2 << 20) == tail);
    // A card of another size is another card.
    let file = OpenOptions::new().write(true).open(&dump).unwrap();
    file.set_len(end).unwrap();
    assert_eq!(code(&unilk(&arguments)), 4);
    fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn the_commands_for_mtkclient_come_with_their_files() {
    let directory = scratch("backup-mtk");
    let dump = phone(&directory, 8);
    let backup = directory.join("phone.tar");
    unilk(&["backup", name(&dump), "-o", name(&backup)]);
    let todo = directory.join("todo");
    let mut arguments = vec!["restore", name(&backup), "--print-mtk", name(&todo)];
    arguments.extend(["--identity", "--part", "NVRAM"]);
    // Nobody sees from here which phone it will be.
    assert_eq!(code(&unilk(&arguments)), 4);
    let verified: serde_json::Value =
        serde_json::from_slice(&unilk(&["verify", name(&backup), "--json"]).stdout).unwrap();
    let digest = &verified["digest"].as_str().unwrap()[..16];
    arguments.extend(["--same-phone", digest]);
    let printed = unilk(&arguments);
    assert_eq!(code(&printed), 0, "{}", text(&printed));
    let expected = "mtk wo 0x400000 0x500000 NVRAM.img --parttype user";
    assert!(text(&printed).contains(expected), "{}", text(&printed));
    assert!(fs::read(todo.join("NVRAM.img")).unwrap() == noise(8, 5 << 20));
    assert_eq!(
        fs::read(todo.join("look-expected.bin")).unwrap()[510..],
        [0x55, 0xAA]
    );
    fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn tar_and_sha256sum_read_a_backup() {
    let directory = scratch("backup-tar");
    let dump = phone(&directory, 9);
    let backup = directory.join("phone.tar");
    unilk(&["backup", name(&dump), "-o", name(&backup)]);
    let run = |program: &str, arguments: &[&str]| -> Option<Output> {
        let mut command = Command::new(program);
        match command.args(arguments).current_dir(&directory).output() {
            Ok(output) => Some(output),
            Err(why) => {
                eprintln!("skipped: {program}: {why}");
                None
            }
        }
    };
    let Some(listed) = run("tar", &["tvf", "phone.tar"]) else {
        return;
    };
    let listed = text(&listed);
    let first = listed.lines().next().unwrap();
    assert!(first.ends_with("unilk-backup.json"), "{listed}");
    assert!(listed.contains(" 5242880 ") && listed.contains("parts/NVRAM.img"));
    run("tar", &["xf", "phone.tar"]).unwrap();
    assert!(fs::read(directory.join("parts/NVRAM.img")).unwrap() == noise(9, 5 << 20));
    if let Some(checked) = run("sha256sum", &["--check", "--strict", "SHA256SUMS"]) {
        assert!(checked.status.success(), "{}", text(&checked));
    }
    // Packed again by tar, in another order and with directories, it still is
    // the backup.
    let files = ["SHA256SUMS", "parts", "unilk-backup.json"];
    let packed = [&["cf", "again.tar"], &files[..]].concat();
    run("tar", &packed).unwrap();
    let again = directory.join("again.tar");
    let verified = unilk(&["verify", name(&again)]);
    assert_eq!(code(&verified), 0, "{}", text(&verified));
    fs::remove_dir_all(&directory).unwrap();
}

/// A file system of USRDATA, made by mke2fs; `None`, said aloud, without it.
fn usrdata(directory: &Path) -> Option<PathBuf> {
    let tree = directory.join("tree");
    let files: [(&str, Vec<u8>); 4] = [
        ("APCFG/APRDEB/WIFI", {
            let mut wifi = vec![0; 512];
            wifi[4..10].copy_from_slice(&[0x00, 0x08, 0x22, 1, 2, 3]);
            wifi
        }),
        ("APCFG/APRDEB/BT_Addr", vec![0, 0x0A, 0xF5, 1, 2, 3]),
        ("md/NVRAM/NVD_IMEI/MP0B_001", noise(3, 120)),
        ("md/NVRAM/CALIBRAT/ULAA_000", noise(4, 9000)),
    ];
    for (path, content) in files {
        let path = tree.join("nvram").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let image = directory.join("usrdata.img");
    let made = ["/sbin/mke2fs", "/usr/sbin/mke2fs"]
        .iter()
        .find_map(|program| {
            let mut command = Command::new(program);
            command.args(["-q", "-t", "ext4", "-d", name(&tree), name(&image), "8M"]);
            Some(command.status().ok()?.success())
        });
    if made != Some(true) {
        eprintln!("skipped: mke2fs is not installed, or cannot take a directory");
        return None;
    }
    Some(image)
}

#[test]
fn nvram_files_are_found_in_a_file_system() {
    let directory = scratch("backup-ext4");
    let Some(image) = usrdata(&directory) else {
        return;
    };
    let bytes = fs::read(&image).unwrap();
    let source: Arc<dyn Source> = Arc::new(bytes.clone());
    let files = ext4::nvram_files(&source).unwrap();
    assert_eq!(files.findings, []);
    assert_eq!(files.iter().count(), 4);
    let wanted = noise(4, 9000);
    assert_eq!(files.get("md/NVRAM/CALIBRAT/ULAA_000"), Some(&wanted[..]));

    // As a directory of dumps: what is lost is told, and nothing in full.
    let dumps = directory.join("dumps");
    fs::create_dir(&dumps).unwrap();
    fs::rename(&image, dumps.join("usrdata.img")).unwrap();
    fs::write(dumps.join("nvram.bin"), noise(7, 5 << 20)).unwrap();
    let status = unilk(&["identity", "status", name(&dumps)]);
    assert_eq!(code(&status), 3, "{}", text(&status));
    assert!(text(&status).contains("00:08:22"), "{}", text(&status));
    assert!(
        text(&status).contains("00:0a:f5:**:**:03"),
        "{}",
        text(&status)
    );
    // The same from a copy of the files.
    let copy = unilk(&["identity", "status", name(&directory.join("tree"))]);
    assert_eq!(code(&copy), 3);
    assert!(text(&copy).contains("00:08:22"));

    // Whatever is wrong with the file system, looking at it ends.
    let used: Vec<usize> = (0..bytes.len())
        .step_by(1024)
        .filter(|&at| bytes[at..at + 1024].iter().any(|&b| b != 0))
        .collect();
    let mut pick = noise(5, 3000).into_iter().map(usize::from).cycle();
    for _ in 0..400 {
        let mut bad = bytes.clone();
        for _ in 0..3 {
            let block = used[(pick.next().unwrap() * 256 + pick.next().unwrap()) % used.len()];
            let at = block + (pick.next().unwrap() * 4 + pick.next().unwrap() % 4);
            bad[at] = pick.next().unwrap() as u8;
        }
        let source: Arc<dyn Source> = Arc::new(bad);
        let _ = ext4::nvram_files(&source);
    }
    fs::remove_dir_all(&directory).unwrap();
}

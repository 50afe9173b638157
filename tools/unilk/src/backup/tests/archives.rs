use super::super::archive::State;
use super::super::manifest::Manifest;
use super::super::member;
use super::*;
use crate::finding::any_problem;

#[test]
fn a_backup_holds_what_the_phone_has_and_opens_again() {
    let path = scratch("round-trip");
    let whole = phone(1);
    let archive = keep(&dump(&source(whole.clone())), &path);
    let (checked, findings) = archive.check(&mut Silent).unwrap();
    assert_eq!(findings, []);
    assert!(checked.iter().all(|one| one.state == State::Intact));
    assert_eq!(checked.len(), PARTS.len() + 1 + 2);
    for (name, start, bytes) in PARTS {
        let part = archive.manifest().part(name).unwrap();
        let content = archive.part(part).unwrap();
        let content = content.read_some(0, bytes as usize).unwrap();
        assert!(
            content == whole[start as usize..][..bytes as usize],
            "{name}"
        );
        assert_eq!(part.place.offset, Some(start));
    }
    let preloader = archive.manifest().part("PRELOADER").unwrap();
    assert!(preloader.reference_only);
    let wifi = archive.content("data-nvram/APCFG/APRDEB/WIFI").unwrap();
    assert_eq!(wifi.len(), 512);
    // What cannot be made again comes first.
    assert_eq!(archive.manifest().parts[0].name, "NVRAM");
    assert!(!path.with_extension("tar.partial").exists());
}

#[test]
fn only_the_kept_set_unless_all_is_asked_for() {
    let mut dump = dump(&source(phone(1)));
    dump.parts[6].name = "USRDATA".to_owned();
    let names: Vec<&str> = select(&dump, false)
        .iter()
        .map(|p| p.name.as_str())
        .collect();
    assert!(names.contains(&"NVRAM") && names.contains(&TAIL) && names.contains(&"PRELOADER"));
    assert!(!names.contains(&"USRDATA"));
    assert!(
        select(&dump, true)
            .iter()
            .any(|part| part.name == "USRDATA")
    );
}

#[test]
fn an_existing_backup_and_a_running_one_are_left_alone() {
    let path = scratch("exists");
    let dump = dump(&source(phone(1)));
    keep(&dump, &path);
    let before = std::fs::read(&path).unwrap();
    let again = || Backup::new(&dump, &select(&dump, false), &files(), UNIX_EPOCH);
    let result = again().create(&path, &mut Silent);
    assert!(matches!(result, Err(Error::Exists(_))));
    assert!(std::fs::read(&path).unwrap() == before);
    let other = path.with_file_name("other.tar");
    std::fs::write(path.with_file_name("other.tar.partial"), b"x").unwrap();
    let result = again().create(&other, &mut Silent);
    assert!(matches!(result, Err(Error::Leftover(_))));
    assert!(!other.exists());
}

/// A source whose second half cannot be read.
struct Broken(u64);

impl Source for Broken {
    fn len(&self) -> u64 {
        self.0
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if offset + out.len() as u64 > self.0 / 2 {
            return Err(io::Error::other("bad block"));
        }
        out.fill(1);
        Ok(())
    }
}

#[test]
fn a_phone_that_cannot_be_read_leaves_no_backup() {
    let path = scratch("broken");
    let mut dump = dump(&source(phone(1)));
    dump.parts[2].data = Arc::new(Broken(0x1_0000));
    let backup = Backup::new(&dump, &select(&dump, false), &files(), UNIX_EPOCH);
    let why = backup.create(&path, &mut Silent).unwrap_err().to_string();
    assert!(why.contains("parts/NVRAM.img at byte 0x0"), "{why}");
    assert_eq!(
        std::fs::read_dir(path.parent().unwrap()).unwrap().count(),
        0
    );
}

#[test]
fn names_from_a_phones_table_cannot_lead_astray() {
    let path = scratch("names");
    let mut dump = dump(&source(phone(1)));
    dump.parts[6].name = "../../etc/passwd".to_owned();
    let archive = keep(&dump, &path);
    let part = archive.manifest().part("../../etc/passwd").unwrap();
    assert!(part.member.starts_with("parts/part-"), "{}", part.member);
    // Nor can it speak to the terminal.
    dump.parts[6].name = "\u{1b}[2J".to_owned();
    let archive = keep(&dump, &path.with_file_name("other.tar"));
    assert!(archive.manifest().part("?[2J").is_some());
}

/// Whether anybody would notice that this is not what was made.
fn is_noticed(bytes: Vec<u8>) -> bool {
    match Archive::open(Arc::new(bytes)) {
        Err(_) => true,
        Ok(archive) => any_problem(&archive.check(&mut Silent).unwrap().1),
    }
}

#[test]
fn any_change_and_any_cut_is_noticed() {
    let path = scratch("changes");
    let mut dump = dump(&source(phone(1)));
    // A small one, so that every stretch of it is tried.
    dump.parts.retain(|part| part.place.bytes <= 0x4000);
    keep(&dump, &path);
    let whole = std::fs::read(&path).unwrap();
    assert!(!is_noticed(whole.clone()));
    let mut random = Random::new(5);
    for round in 0..600 {
        let mut bytes = whole.clone();
        // Every byte of the headers of the first members, and any other.
        let at = if round < 300 {
            round * 37 % 0x3000
        } else {
            random.below(bytes.len())
        };
        // In a header's checksum a blank in front is as good as a zero.
        if at % 512 == 148 {
            continue;
        }
        bytes[at] ^= 1 << random.below(8);
        assert!(is_noticed(bytes), "changed at {at:#x}");
    }
    for _ in 0..100 {
        let end = random.below(whole.len());
        assert!(is_noticed(whole[..end].to_vec()), "cut at {end:#x}");
    }
    let mut more = whole.clone();
    more.push(1);
    assert!(is_noticed(more));
}

#[test]
fn a_member_too_many_or_too_few_is_noticed() {
    let path = scratch("members");
    keep(&dump(&source(phone(1))), &path);
    let whole = std::fs::read(&path).unwrap();
    let last = whole.len() - member::END_BYTES as usize;
    let mut more = whole[..last].to_vec();
    more.extend(member::header("parts/EXTRA.img", 0, 0).unwrap().as_bytes());
    more.resize(more.len() + 1024, 0);
    assert!(is_noticed(more));
    // The last member, a file of 40 bytes.
    let mut fewer = whole[..last - 1024].to_vec();
    fewer.resize(fewer.len() + 1024, 0);
    let archive = Archive::open(Arc::new(fewer)).unwrap();
    let (checked, findings) = archive.check(&mut Silent).unwrap();
    assert_eq!(checked.last().unwrap().state, State::Missing);
    assert_eq!(findings.len(), 1);
}

#[test]
fn whatever_bytes_come_reading_them_ends_well() {
    let path = scratch("mutations");
    let mut dump = dump(&source(phone(1)));
    dump.parts.retain(|part| part.place.bytes <= 0x1000);
    let archive = keep(&dump, &path);
    let json = archive.manifest().to_json().unwrap();
    let whole = std::fs::read(&path).unwrap();
    let mut random = Random::new(6);
    for _ in 0..3000 {
        let mut json = json.clone();
        let mut bytes = whole.clone();
        for _ in 0..=random.below(4) {
            let at = random.below(json.len());
            json[at] = b"0\"[]{}:,9-x\\u\0"[random.below(14)];
            let at = random.below(0x2000.min(bytes.len()));
            bytes[at] = random.any() as u8;
        }
        if random.below(8) == 0 {
            json.truncate(random.below(json.len()));
        }
        if let Ok(manifest) = Manifest::parse(&json) {
            for (name, ..) in manifest.members() {
                assert!(member::check_name(name).is_ok());
            }
        }
        if let Ok(archive) = Archive::open(Arc::new(bytes)) {
            let _ = archive.check(&mut Silent);
        }
    }
}

//! A phone that is booted again and again: its card is made anew for each
//! boot, and only the slots are carried over, which is right because each boot
//! asserts that nothing else was written.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use mt6572_qemu::sparse;
use unilk::bootimg::{BootImage, SubHeaders};
use unilk_core::identify::store::{self, Choice, How, SLOT_LEN, SLOTS, StoreError};
use unilk_phone::Kind;

use crate::common::{Kernel, Run, TestPhone, image, kernel};

/// Bytes of both slots.
pub const SLOTS_LEN: usize = SLOTS * SLOT_LEN;
/// Bytes of a sector.
pub const SECTOR: usize = 512;
/// Bytes of MISC on the tests' card.
const MISC_LEN: u64 = 0x8_0000;
/// Where the slots begin in it.
const SLOTS_AT: u64 = MISC_LEN - SLOTS_LEN as u64;
/// The bootloader control block's command: blank, everything behind it is not.
const COMMAND_LEN: u64 = 32;

/// The contents of both slots.
pub type Slots = Vec<u8>;

/// Slots in which nothing was ever written.
pub fn blank() -> Slots {
    vec![0; SLOTS_LEN]
}

/// What slots say.
pub fn load(slots: &[u8]) -> Result<Option<Choice<'_>>, StoreError> {
    store::load([&slots[..SLOT_LEN], &slots[SLOT_LEN..]])
}

/// The slots after `choice` was stored in them, and which was written.
pub fn with_choice(mut slots: Slots, choice: &Choice<'_>) -> (Slots, usize) {
    let mut out = [0; SLOT_LEN];
    let before = [&slots[..SLOT_LEN], &slots[SLOT_LEN..]];
    let slot = store::plan_write(before, choice, &mut out)
        .unwrap()
        .expect("something new");
    slots[slot * SLOT_LEN..][..SLOT_LEN].copy_from_slice(&out);
    (slots, slot)
}

/// A panel that was chosen in this way, and nothing else.
pub fn choice(panel: &str, how: How) -> Choice<'_> {
    Choice {
        how,
        panel,
        ..Choice::EMPTY
    }
}

/// A phone before a boot.
#[derive(Clone)]
pub struct Phone {
    board: String,
    image: Vec<u8>,
    slots: Slots,
}

impl Phone {
    /// The panel of a board file, at the pins and with the supplies that the
    /// file says; nothing else is fitted. Its kernel takes a device tree.
    pub fn with_panel(file: &str) -> Phone {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("boards")
            .join(file)
            .with_extension("toml");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{file}: {why}"));
        let mut board: toml::Table = text.parse().unwrap();
        for chips in ["name", "i2c", "user"] {
            board.remove(chips);
        }
        // The identification inputs are at a level that no panel is known
        // for, so that they say nothing of this one.
        board.entry("auxadc").or_insert_with(|| {
            "levels_mv = { 0 = 300, 1 = 300 }"
                .parse::<toml::Table>()
                .unwrap()
                .into()
        });
        Phone {
            board: board.to_string(),
            image: image("tk.image=bootimg").build().unwrap(),
            slots: blank(),
        }
    }

    /// With this in the slots.
    #[must_use]
    pub fn with_slots(&self, slots: &[u8]) -> Phone {
        Phone {
            slots: slots.to_vec(),
            ..self.clone()
        }
    }

    /// With more in its board file.
    #[must_use]
    pub fn with_board(&self, toml: &str) -> Phone {
        Phone {
            board: format!("{}\n{toml}\n", self.board),
            ..self.clone()
        }
    }

    /// With this zImage, as a factory packs it: MediaTek's headers, no tree.
    #[must_use]
    pub fn with_vendor_kernel(&self, kernel: Vec<u8>) -> Phone {
        let image = BootImage {
            kernel,
            ramdisk: vec![0x52; 3000],
            sub_headers: SubHeaders::Boot,
            ..BootImage::default()
        };
        Phone {
            image: image.build().unwrap(),
            ..self.clone()
        }
    }

    /// One boot, after which nothing but the slots is other than before.
    #[track_caller]
    pub fn boot(&self) -> Boot {
        let phone = TestPhone::new()
            .board(&self.board)
            .part("BOOTIMG", self.image.clone());
        let misc = phone.offset("MISC");
        let pictures = crate::common::phone::Scratch::new();
        let folder = pictures.path().to_owned();
        // Everything that is not ours is somebody's: the control block's
        // texts, the environment, and all between them and the slots.
        let foreign: Vec<u8> = (COMMAND_LEN..SLOTS_AT)
            .map(|at| (at ^ at >> 8) as u8 | 1)
            .collect();
        let run = phone
            .patch(misc + COMMAND_LEN, foreign)
            .patch(misc + SLOTS_AT, self.slots.clone())
            .keep_before()
            .change(move |phone| phone.screen(folder))
            .run();
        let mut slots = blank();
        let user = run.folder.path().join("user.img");
        let card = File::open(&user).unwrap();
        card.read_exact_at(&mut slots, misc + SLOTS_AT).unwrap();
        let boot = Boot { run, slots };
        boot.wrote_only_slots(misc + SLOTS_AT);
        boot
    }
}

/// A boot that is over.
pub struct Boot {
    /// All that was recorded.
    pub run: Run,
    /// What the slots hold now.
    pub slots: Slots,
}

impl Boot {
    /// Asserts that the kernel ran, and was content.
    #[track_caller]
    pub fn reaches_kernel(&self) -> &Boot {
        self.run.ends_in_kernel();
        self
    }

    /// Asserts that a line begins with these words.
    #[track_caller]
    pub fn says(&self, words: &[&str]) -> &Boot {
        self.run.says(words);
        self
    }

    /// Asserts that no line has this.
    #[track_caller]
    pub fn never_says(&self, text: &str) -> &Boot {
        self.run.never_says(text);
        self
    }

    /// Asserts the verdict on the panel: its row, how sure, one reason.
    #[track_caller]
    pub fn verdict(&self, panel: &str, certainty: &str, reason: &str) -> &Boot {
        let begin = format!("panel {panel} {certainty} (");
        let line = self
            .run
            .text()
            .lines()
            .find_map(|line| Some(line.split_once(&begin)?.1));
        let reasons = line.and_then(|line| Some(line.split_once(')')?.0));
        let found = reasons.is_some_and(|reasons| reasons.split(',').any(|word| word == reason));
        let wanted = format!("the verdict is not {begin}..{reason}..)");
        self.run.check(found, &wanted);
        self
    }

    /// What the phone remembers now.
    #[track_caller]
    pub fn remembers(&self) -> Choice<'_> {
        match load(&self.slots) {
            Ok(Some(choice)) => choice,
            other => panic!("the slots hold {other:?}\n{}", self.run),
        }
    }

    /// What one sees when the kernel takes over.
    pub fn glass(&self) -> &str {
        let events = self.run.outcome.events.iter();
        let mut last = "absent";
        for event in events {
            match &event.kind {
                Kind::Screen { state, .. } => last = state,
                Kind::KernelEntry { .. } => break,
                _ => {}
            }
        }
        last
    }

    /// Whether the kernel was entered.
    pub fn saw_kernel(&self) -> bool {
        let entered = |kind: &Kind| matches!(kind, Kind::KernelEntry { .. });
        self.run.outcome.saw(entered)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.run.folder.path().join(name)
    }

    #[track_caller]
    fn wrote_only_slots(&self, slots_at: u64) {
        let slots = slots_at..slots_at + SLOTS_LEN as u64;
        let changed = differences(&self.file("before.img"), &self.file("user.img"));
        let wrong: Vec<_> = changed.iter().filter(|at| !slots.contains(at)).collect();
        self.run.check(
            wrong.is_empty(),
            &format!("the user area was written to at {wrong:x?}"),
        );
        for area in ["user.img.boot1", "user.img.boot2"] {
            let bytes = std::fs::read(self.file(area)).unwrap();
            let blank = bytes.iter().all(|&byte| byte == 0);
            self.run.check(
                blank && !bytes.is_empty(),
                &format!("{area} was written to"),
            );
        }
    }
}

/// Byte offsets of the sectors in which two cards differ, the first few.
/// Holes are nothing but zeros; where both have one, nobody needs to look.
fn differences(before: &Path, after: &Path) -> Vec<u64> {
    const LOOK: usize = 64 << 10;
    const MOST: usize = 64;
    let (before, after) = (File::open(before).unwrap(), File::open(after).unwrap());
    let len = before.metadata().unwrap().len();
    assert_eq!(len, after.metadata().unwrap().len(), "the card has grown");
    let mut parts = sparse::parts(&before).unwrap();
    parts.extend(sparse::parts(&after).unwrap());
    parts.sort_by_key(|part| part.start);
    let mut found = Vec::new();
    let mut seen = 0;
    for part in parts {
        let mut at = part.start.max(seen);
        while at < part.end && found.len() < MOST {
            let count = LOOK.min((part.end - at) as usize);
            let (mut old, mut new) = (vec![0; count], vec![0; count]);
            before.read_exact_at(&mut old, at).unwrap();
            after.read_exact_at(&mut new, at).unwrap();
            let sectors = old.chunks(SECTOR).zip(new.chunks(SECTOR)).enumerate();
            let differing = sectors.filter(|(_, (old, new))| old != new);
            found.extend(differing.map(|(number, _)| at + (number * SECTOR) as u64));
            at += count as u64;
        }
        seen = seen.max(part.end);
    }
    found
}

/// The test kernel of a vendor's kind with `packed` behind its code, as a
/// zImage carries its kernel.
pub fn vendor_kernel(packed: &[u8]) -> Vec<u8> {
    /// Where a zImage says where it ends.
    const END: usize = 0x2C;
    let mut zimage = kernel(Kernel::Fixed);
    zimage.resize(zimage.len().next_multiple_of(0x1000), 0);
    zimage.extend_from_slice(packed);
    zimage.resize(zimage.len().next_multiple_of(4), 0);
    let end = zimage.len() as u32;
    zimage[END..END + 4].copy_from_slice(&end.to_le_bytes());
    zimage
}

#[test]
fn a_difference_is_found_wherever_it_lies() {
    let folder = crate::common::phone::Scratch::new();
    let path = |name| folder.path().join(name);
    let make = |name, writes: &[u64]| {
        let file = File::create(path(name)).unwrap();
        file.set_len(4 << 30).unwrap();
        for &at in writes {
            file.write_all_at(&[7], at).unwrap();
        }
    };
    make("old", &[0, 1 << 20, (4 << 30) - 1]);
    make("same", &[0, 1 << 20, (4 << 30) - 1]);
    make("new", &[0, (1 << 20) + 1000, 3 << 30, (4 << 30) - 1]);
    assert!(differences(&path("old"), &path("same")).is_empty());
    let wanted = [1 << 20, (1 << 20) + 512, 3 << 30];
    assert_eq!(differences(&path("old"), &path("new")), wanted);
    assert_eq!(differences(&path("new"), &path("old")), wanted);
}

//! A phone of a test's own: board file and card in a folder that goes away.
//!
//! The card is the standard one of an A516, as a sparse file: it costs the
//! disk what was written to it. Source: facts/storage-and-images.md 3.3, 4.1.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use unilk::bootimg::{BootImage, SubHeaders};
use unilk::emmc::{Card, Content, Image};
use unilk::layout::Layout;
use unilk_phone::Phone;

use super::artifacts::{self, Kernel};
use super::run::Run;

/// The layout of every test's card.
const LAYOUT: &str = "a516";
/// Where our bootloader keeps its log, and how long. Source: linker/lk.ld.
const LOG: (u32, u32) = (0x800E_0000, 0x2_0000);
/// Far more than any of these runs takes on an idle machine.
const WALL_LIMIT: Duration = Duration::from_mins(4);

/// A good boot image with the test kernel that obeys the device tree, no tree
/// of its own, a ramdisk of some bytes and `cmdline`.
pub fn image(cmdline: &str) -> BootImage {
    BootImage {
        kernel: artifacts::kernel(Kernel::Tree),
        ramdisk: (0..9000u32).map(|n| ((n * n) >> 3) as u8).collect(),
        cmdline: cmdline.to_owned(),
        sub_headers: SubHeaders::None,
        ..BootImage::default()
    }
}

/// A folder that goes away with its owner.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// A new, empty one.
    pub fn new() -> Scratch {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "unilk-test-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What would stay is in the temporary folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A phone to be filled, and then run once.
pub struct TestPhone {
    board: String,
    image: Image,
    patches: Vec<(u64, Vec<u8>)>,
    changes: Vec<Box<dyn FnOnce(Phone) -> Phone>>,
    keep_before: bool,
    errors_allowed: bool,
}

impl TestPhone {
    /// The usual phone, 512 MiB in one rank, with our `lk.bin` in UBOOT and
    /// nothing else on its card.
    pub fn new() -> TestPhone {
        let mut phone = TestPhone::with_empty_card();
        phone.put("UBOOT", artifacts::lk());
        phone
    }

    /// The usual phone with an empty UBOOT too.
    pub fn with_empty_card() -> TestPhone {
        TestPhone::with_layout(LAYOUT)
    }

    /// A phone whose empty card is made for this built-in layout.
    pub fn with_layout(name: &str) -> TestPhone {
        let layout = Layout::built_in(name).unwrap();
        let card = Card::for_layout(&layout, None).unwrap();
        let mut board = "name = 'test phone'\n[dram]\nranks_mib = [512]\n".to_owned();
        if name != LAYOUT {
            // The standard card is the emulator's own default.
            let (boot, rpmb) = (card.boot_size_mult, card.rpmb_size_mult);
            let sizes = format!("[emmc]\nboot_size_mult = {boot}\nrpmb_size_mult = {rpmb}\n");
            board.push_str(&sizes);
        }
        TestPhone {
            board,
            image: Image::new(layout, card).unwrap(),
            patches: Vec::new(),
            changes: Vec::new(),
            keep_before: false,
            errors_allowed: false,
        }
    }

    /// Another board file than `[dram] ranks_mib = [512]` alone; the name is
    /// supplied.
    #[must_use]
    pub fn board(mut self, toml: &str) -> TestPhone {
        self.board = format!("name = 'test phone'\n{toml}\n");
        self
    }

    /// More tables for the board file.
    #[must_use]
    pub fn with_board(mut self, toml: &str) -> TestPhone {
        self.board.push_str(toml);
        self.board.push('\n');
        self
    }

    /// Writes `bytes` to the start of a partition.
    #[must_use]
    pub fn part(mut self, name: &str, bytes: Vec<u8>) -> TestPhone {
        self.put(name, bytes);
        self
    }

    /// A good image in BOOTIMG, whose command line says `tk.image=bootimg`.
    #[must_use]
    pub fn good_bootimg(self) -> TestPhone {
        self.part("BOOTIMG", image("tk.image=bootimg").build().unwrap())
    }

    /// A good image in RECOVERY, whose command line says `tk.image=recovery`.
    #[must_use]
    pub fn good_recovery(self) -> TestPhone {
        self.part("RECOVERY", image("tk.image=recovery").build().unwrap())
    }

    /// Overwrites bytes of the user area once it is written, wherever they lie.
    #[must_use]
    pub fn patch(mut self, offset: u64, bytes: impl Into<Vec<u8>>) -> TestPhone {
        self.patches.push((offset, bytes.into()));
        self
    }

    /// Changes how the phone is run.
    #[must_use]
    pub fn change(mut self, change: impl FnOnce(Phone) -> Phone + 'static) -> TestPhone {
        self.changes.push(Box::new(change));
        self
    }

    /// The run may have guest errors: something that is not ours runs, or
    /// hardware that is broken is met. Registers without a model are no errors.
    #[must_use]
    pub fn allow_guest_errors(mut self) -> TestPhone {
        self.errors_allowed = true;
        self
    }

    /// Keeps a copy of the user area as it was before the run: `before.img`
    /// beside `user.img` in the run's folder.
    #[must_use]
    pub fn keep_before(mut self) -> TestPhone {
        self.keep_before = true;
        self
    }

    /// Byte offset of a partition in the user area.
    pub fn offset(&self, name: &str) -> u64 {
        let partition = self.image.layout().find(name).unwrap();
        self.image.user_offset(partition).unwrap()
    }

    /// Bytes of the user area in which a boot may remember what it found: the
    /// last two slots of 4 KiB in MISC. Source: `unilk_core::identify::store`.
    pub fn slots(&self) -> Range<u64> {
        const SLOTS_BYTES: u64 = 2 * 4096;
        let misc = self.image.layout().find("MISC").unwrap();
        let end = self.image.user_offset(misc).unwrap() + misc.size;
        end - SLOTS_BYTES..end
    }

    /// First sector of a partition in the user area.
    pub fn sector(&self, name: &str) -> u64 {
        self.offset(name) / 512
    }

    /// Byte offset of the PMT, its mirror 4096 bytes behind it.
    pub fn pmt_offset(&self) -> u64 {
        self.image.card().user_bytes - unilk::pmt::FROM_END_BYTES
    }

    /// Runs the phone to its end, in virtual time that repeats.
    ///
    /// # Panics
    /// The phone could not be run, or was still running at the wall-clock
    /// limit: no test of this folder may hang.
    #[track_caller]
    pub fn run(self) -> Run {
        let folder = Scratch::new();
        let slots = self.slots();
        let user = folder.path().join("user.img");
        let board = folder.path().join("board.toml");
        std::fs::write(&board, &self.board).unwrap();
        self.write_user(&user);
        if self.keep_before {
            self.write_user(&folder.path().join("before.img"));
        }
        let mut phone = Phone::new(board)
            .emmc(&user)
            .icount(true)
            .max_resets(2)
            .strict(!self.errors_allowed)
            .dump(LOG.0, LOG.1, folder.path().join("log"))
            .limit(WALL_LIMIT);
        for change in self.changes {
            phone = change(phone);
        }
        let outcome = phone.run().unwrap_or_else(|why| panic!("{why}"));
        Run::new(outcome, folder, slots, self.errors_allowed)
    }

    fn write_user(&self, path: &Path) {
        let mut out = std::fs::File::create(path).unwrap();
        self.image.write_user(&mut out).unwrap();
        for (offset, bytes) in &self.patches {
            out.seek(SeekFrom::Start(*offset)).unwrap();
            out.write_all(bytes).unwrap();
        }
    }

    fn put(&mut self, name: &str, bytes: Vec<u8>) {
        self.image.put(name, Content::Bytes(bytes)).unwrap();
    }
}

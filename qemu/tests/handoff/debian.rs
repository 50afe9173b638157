//! Kernels that nobody here wrote: Debian's stock ones for armhf, of several
//! generations, from our `lk.bin` to the end of an initramfs that switches the
//! phone off.
//!
//! Debian's kernel of 5.10 places itself by masking its PC, the later ones obey
//! the tree. `cargo xtask test` fetches them; one that cannot be had is skipped,
//! which is said on standard error past the test harness.
//! Source: facts/storage-and-images.md 5.4; facts/qemu-plugin.md.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use unilk::bootimg::{BootImage, SubHeaders, TreePlace};

use crate::common::phone::Scratch;
use crate::common::{TestPhone, artifacts};

/// What the initramfs says when all went well, just before the power-off.
const LAST_LINE: &str = "UNILK-DEMO-OK";

/// An optional artefact, or a visible word that this test has not run.
fn optional(test: &str, file: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("UNILK_ARTIFACTS").map(PathBuf::from)?;
    let path = folder.join(file);
    if path.exists() {
        return Some(path);
    }
    // Not `eprintln!`, which the harness keeps to itself when a test passes.
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED {test}: {} could not be had",
        path.display()
    );
    None
}

/// A phone with the kernel of `release` in it; `None` where that kernel
/// could not be had.
fn phone(release: &str, cmdline: &str) -> Option<TestPhone> {
    // The bootloader is no option: fail rather than skip without it.
    let lk = artifacts::lk();
    let kernel = optional(release, &format!("debian/{release}/vmlinuz"))?;
    let initramfs = optional(release, "initramfs.cpio.gz")?;
    let image = BootImage {
        kernel: std::fs::read(kernel).unwrap(),
        ramdisk: std::fs::read(initramfs).unwrap(),
        device_tree: Some(artifacts::bytes("mt6572-qemu-debian.dtb")),
        tree_place: TreePlace::Appended,
        sub_headers: SubHeaders::Boot,
        cmdline: cmdline.to_owned(),
        ..BootImage::default()
    };
    let phone = TestPhone::with_layout("large-boot")
        .part("UBOOT", lk)
        .part("BOOTIMG", image.build().unwrap())
        // A whole Linux is more than counted instructions can do in a test.
        .change(|phone| phone.icount(false).limit(Duration::from_mins(4)));
    Some(phone)
}

/// Boots the kernel of `release`; `first_words` begin its log.
fn boot(release: &str, first_words: &str) {
    let Some(phone) = phone(release, "console=ttyS0 panic=-1") else {
        return;
    };
    let run = phone.run();
    run.is_clean().is_off();
    run.says(&[first_words]).says(&[LAST_LINE]);
    let intact = run.log("log", |boots| {
        boots[0].as_ref().is_some_and(|boot| boot.complete)
    });
    run.check(intact, "the kept log did not survive the kernel");
}

/// The demo's phone, of which the bootloader is told nothing: panel, touch
/// chip and cameras have to be found, and the kernel's own console has to
/// appear on the panel, by the simple-framebuffer that it was given.
#[test]
fn the_kernel_writes_on_the_panel() {
    let Some(phone) = phone("bookworm", "console=tty0 console=ttyS0 panic=-1") else {
        return;
    };
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/boards/demo.toml");
    let text = std::fs::read_to_string(file).unwrap();
    // Name and memory are those of every test's phone.
    let (_, parts) = text.split_once("\nranks_mib = [512]\n").unwrap();
    let pictures = Scratch::new();
    let folder = pictures.path().to_owned();
    let run = phone
        .with_board(parts)
        .change(move |phone| phone.screen(folder))
        .run();
    run.is_clean().is_off();
    run.says(&["panel ili9806e-fwvga-dsi-vdo-txd likely"])
        .says(&["touch gt911 at 0x5d"])
        .says(&["camera main ov5645"])
        .says(&["camera sub gc0329"])
        .says(&["simple-framebuffer", "fb0"]);
    let logo = run.outcome.screen(pictures.path(), "backlight-on").unwrap();
    let end = run.outcome.screen(pictures.path(), "end").unwrap();
    run.check(
        run.outcome.screen_states().last() == Some(&"picture"),
        "the glass shows no picture at the end",
    );
    // Letters of the console's grey, all over the height of the panel.
    let (width, height) = end.size();
    let lit = |y: usize| {
        let grey = |x: &usize| {
            end.pixel(*x, y)
                .is_some_and(|[r, g, b]| r == b && r > 0x80 && g > 0x80)
        };
        (0..width).filter(grey).count() > 4
    };
    let rows = (0..height).filter(|&y| lit(y)).count();
    run.check(
        (width, height) == (480, 854) && rows > height / 3,
        "the kernel's messages are not on the panel",
    );
    run.check(
        logo.colours() > 2 && logo.average() != end.average(),
        "the panel still shows the bootloader's picture",
    );
}

#[test]
fn bullseye_masks_its_address() {
    boot("bullseye", "Linux version 5.10.");
}

#[test]
fn bookworm_obeys_the_tree() {
    boot("bookworm", "Linux version 6.1.");
}

#[test]
fn trixie_obeys_the_tree() {
    boot("trixie", "Linux version 6.12.");
}

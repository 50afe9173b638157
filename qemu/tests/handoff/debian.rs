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

/// Boots the kernel of `release`; `first_words` begin its log.
fn boot(release: &str, first_words: &str) {
    // The bootloader is no option: fail rather than skip without it.
    let lk = artifacts::lk();
    let (Some(kernel), Some(initramfs)) = (
        optional(release, &format!("debian/{release}/vmlinuz")),
        optional(release, "initramfs.cpio.gz"),
    ) else {
        return;
    };
    let image = BootImage {
        kernel: std::fs::read(kernel).unwrap(),
        ramdisk: std::fs::read(initramfs).unwrap(),
        device_tree: Some(artifacts::bytes("mt6572-qemu-debian.dtb")),
        tree_place: TreePlace::Appended,
        sub_headers: SubHeaders::Boot,
        cmdline: "console=ttyS0 panic=-1".to_owned(),
        ..BootImage::default()
    };
    let run = TestPhone::with_layout("large-boot")
        .part("UBOOT", lk)
        .part("BOOTIMG", image.build().unwrap())
        // A whole Linux is more than counted instructions can do in a test.
        .change(|phone| phone.icount(false).limit(Duration::from_mins(4)))
        .run();
    run.is_clean().is_off();
    run.says(&[first_words]).says(&[LAST_LINE]);
    let intact = run.log("log", |boots| {
        boots[0].as_ref().is_some_and(|boot| boot.complete)
    });
    run.check(intact, "the kept log did not survive the kernel");
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

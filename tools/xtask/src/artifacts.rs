//! Builds what the phone runs and what emulates it, and lays it out where the
//! boot tests look for it.
//!
//! In `target/unilk`, which tests know as `UNILK_ARTIFACTS`:
//!
//! | file | what |
//! |---|---|
//! | `lk.bin` | the flashable bootloader |
//! | `lk-more-rows.bin` | the same with rows of a folder of its own in the table |
//! | `unilk-lk` | its ELF file: symbols, strings of the trace |
//! | `unilk-unpack` | ELF file of the unpacker in front of it |
//! | `mt6572-generic.dtb`, `mt6572-qemu-debian.dtb` | device trees |
//! | `kernel-tree.bin`, `kernel-tree-2m.bin` | test kernels that find their place by the device tree |
//! | `kernel-masked.bin`, `kernel-masked-2m.bin` | test kernels that mask the PC |
//! | `kernel-fixed.bin` | test kernel for one address, as the vendor's |
//! | `debian/RELEASE/vmlinuz` | Debian's kernels, as far as they could be had |
//! | `initramfs.cpio.gz` | the demo's user space, likewise |
//!
//! `-2m` is for kernels whose text begins 0x208000 above the base instead of
//! 0x8000. The plugin is named by `UNILK_PLUGIN`. `UNILK_ZIMAGES` lists
//! Debian's kernels by the way in which they find their place.

use crate::toolchain::Toolchain;
use crate::{paths, shell, ui};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use unilk::mtk::{self, LK_PAYLOAD_MAX};
use unilk::{compress, pack};

const LK: &str = "unilk-lk";
const UNPACKER: &str = "unilk-unpack";
const TEST_KERNEL: &str = "unilk-testkernel";
const PLUGIN: &str = "unilk-qemu";

/// Files of the test kernels, and the features that make them.
const TEST_KERNELS: [(&str, &str); 5] = [
    ("kernel-tree.bin", "head-tree"),
    ("kernel-tree-2m.bin", "head-tree,text-offset-2m"),
    ("kernel-masked.bin", "head-masked"),
    ("kernel-masked-2m.bin", "head-masked,text-offset-2m"),
    ("kernel-fixed.bin", "head-fixed"),
];

/// Builds everything.
pub fn all(toolchain: Toolchain) -> Result<()> {
    device_trees()?;
    bootloader(toolchain)?;
    test_kernels(toolchain)?;
    plugin()
}

/// ELF of the bootloader, with the symbols and trace strings that `lk.bin`
/// leaves out.
pub fn lk_elf() -> PathBuf {
    paths::work().join(LK)
}

/// ELF of the unpacker in front of the bootloader.
pub fn unpacker_elf() -> PathBuf {
    paths::work().join(UNPACKER)
}

/// The test kernel that the demo falls back to, as a boot image holds it.
pub fn test_kernel_image() -> PathBuf {
    paths::work().join(TEST_KERNELS[0].0)
}

/// The test kernel that is linked to its address and takes ATAGs, as a
/// vendor's does.
pub fn fixed_kernel_image() -> PathBuf {
    paths::work().join(TEST_KERNELS[4].0)
}

/// The QEMU plugin.
pub fn plugin_library() -> PathBuf {
    paths::target().join("release/libmt6572_qemu.so")
}

/// The device tree made of `bootloader/dts/NAME.dts`.
pub fn dtb(name: &str) -> PathBuf {
    paths::work().join(name).with_extension("dtb")
}

fn device_trees() -> Result<()> {
    let sources = paths::root().join("bootloader/dts");
    fs::create_dir_all(paths::work()).context("cannot create target/unilk")?;
    let step = ui::step("device trees");
    let mut count = 0;
    for entry in fs::read_dir(&sources).with_context(|| sources.display().to_string())? {
        let source = entry?.path();
        if source
            .extension()
            .is_none_or(|extension| extension != "dts")
        {
            continue;
        }
        let Some(name) = source.file_stem() else {
            continue;
        };
        compile_tree(&source, &dtb(&name.to_string_lossy()))?;
        count += 1;
    }
    step.done(&format!("{count} compiled"));
    Ok(())
}

/// Compiles the device tree `source` into `output`; includes are looked for in
/// `bootloader/dts`.
pub fn compile_tree(source: &Path, output: &Path) -> Result<()> {
    shell::quiet(
        Command::new("dtc")
            .args(["-q", "-I", "dts", "-O", "dtb", "-o"])
            .arg(output)
            .arg("-i")
            .arg(paths::root().join("bootloader/dts"))
            .arg(source),
    )?;
    Ok(())
}

fn bootloader(toolchain: Toolchain) -> Result<()> {
    let step = ui::step(format!("bootloader for {}", paths::BARE_METAL));
    // Without a level defmt compiles errors only.
    let level = std::env::var("DEFMT_LOG").unwrap_or_else(|_| "debug".to_owned());
    shell::quiet(
        toolchain
            .cargo_build()
            .args(["--package", LK])
            .env("UNILK_GENERIC_DTB", paths::generic_dtb())
            .env("DEFMT_LOG", level),
    )?;
    step.at("its unpacker");
    shell::quiet(toolchain.cargo_build().args(["--package", UNPACKER]))?;
    let (bootloader, unpacker) = (elf(LK)?, elf(UNPACKER)?);
    fs::write(lk_elf(), &bootloader).context("cannot write the bootloader's ELF file")?;
    fs::write(unpacker_elf(), &unpacker).context("cannot write the unpacker's ELF file")?;
    let payload = compress::payload(&bootloader, &unpacker).context("lk.bin")?;
    let image = mtk::with_header(pack::LK_NAME, &payload).context("lk.bin")?;
    fs::write(paths::lk_image(), &image).context("cannot write lk.bin")?;
    step.done(&format!(
        "lk.bin, payload {} bytes of {LK_PAYLOAD_MAX}",
        payload.len()
    ));
    Ok(())
}

/// Builds the bootloader once more, with the rows of `qemu/tests/matrix/rows`
/// beside those of the table, as a user adds some. It has a target directory
/// of its own, so that neither build undoes the other.
pub fn with_more_rows(toolchain: Toolchain) -> Result<()> {
    const FILE: &str = "lk-more-rows.bin";
    let step = ui::step("bootloader with rows of a folder of its own");
    let target = paths::target().join("more-rows");
    shell::quiet(
        toolchain
            .cargo_build()
            .args(["--package", LK])
            .env("UNILK_GENERIC_DTB", paths::generic_dtb())
            .env(
                "UNILK_DB_EXTRA",
                paths::root().join("qemu/tests/matrix/rows"),
            )
            .env("CARGO_TARGET_DIR", &target),
    )?;
    let elf_file = target
        .join(paths::BARE_METAL)
        .join(paths::PHONE_PROFILE)
        .join(LK);
    let bootloader = fs::read(&elf_file).with_context(|| elf_file.display().to_string())?;
    let payload = compress::payload(&bootloader, &elf(UNPACKER)?).context(FILE)?;
    let image = mtk::with_header(pack::LK_NAME, &payload).context(FILE)?;
    fs::write(paths::work().join(FILE), &image).with_context(|| format!("cannot write {FILE}"))?;
    step.done(FILE);
    Ok(())
}

/// A bare-metal program that was just built.
fn elf(name: &str) -> Result<Vec<u8>> {
    let path = paths::bare_metal_elf(name);
    fs::read(&path).with_context(|| path.display().to_string())
}

fn test_kernels(toolchain: Toolchain) -> Result<()> {
    let step = ui::step("test kernels");
    for (file, features) in TEST_KERNELS {
        step.at(file);
        shell::quiet(toolchain.cargo_build().args([
            "--package",
            TEST_KERNEL,
            "--features",
            features,
        ]))?;
        let image = pack::flatten(&elf(TEST_KERNEL)?, None).context(file)?;
        fs::write(paths::work().join(file), &image)
            .with_context(|| format!("cannot write {file}"))?;
    }
    step.done(&format!("{} kinds of kernel", TEST_KERNELS.len()));
    Ok(())
}

/// Builds the plugin with optimisation: it runs at every access that the
/// phone makes to a register.
pub fn plugin() -> Result<()> {
    let step = ui::step("QEMU plugin");
    shell::quiet(Command::new("cargo").current_dir(paths::root()).args([
        "build",
        "--release",
        "--package",
        PLUGIN,
    ]))?;
    step.done("built");
    Ok(())
}

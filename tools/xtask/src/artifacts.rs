//! Builds what the phone runs and what emulates it: device trees, bootloader,
//! `lk.bin`, test kernel, QEMU plugin.

use crate::toolchain::Toolchain;
use crate::{paths, shell, ui};
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use unilk::mtk::{HEADER_BYTES, LK_PAYLOAD_MAX};
use unilk::pack;

const LK: &str = "unilk-lk";
const TEST_KERNEL: &str = "unilk-testkernel";
const PLUGIN: &str = "unilk-qemu";

/// Builds everything.
pub fn all(toolchain: Toolchain) -> Result<()> {
    device_trees()?;
    bootloader(toolchain)?;
    test_kernel(toolchain)?;
    plugin()
}

/// ELF of the bootloader, with the symbols and trace strings that `lk.bin`
/// leaves out.
pub fn lk_elf() -> PathBuf {
    paths::bare_metal_elf(LK)
}

/// The test kernel as a flat image that a boot image can hold.
pub fn test_kernel_image() -> PathBuf {
    paths::work().join("testkernel.bin")
}

/// The QEMU plugin.
pub fn plugin_library() -> PathBuf {
    paths::target().join("release/libmt6572_qemu.so")
}

/// The device tree made of `bootloader/dts/NAME.dts`.
pub fn dtb(name: &str) -> PathBuf {
    paths::work().join("dtb").join(name).with_extension("dtb")
}

fn device_trees() -> Result<()> {
    let sources = paths::root().join("bootloader/dts");
    let output = paths::work().join("dtb");
    fs::create_dir_all(&output).context("cannot create the directory for device trees")?;
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
        shell::quiet(
            Command::new("dtc")
                .args(["-q", "-I", "dts", "-O", "dtb", "-o"])
                .arg(output.join(name).with_extension("dtb"))
                .arg("-i")
                .arg(&sources)
                .arg(&source),
        )?;
        count += 1;
    }
    step.done(&format!("{count} compiled"));
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
    let elf = lk_elf();
    let input = fs::read(&elf).with_context(|| elf.display().to_string())?;
    let image = pack::lk_image(&input, pack::LK_NAME).context("lk.bin")?;
    fs::write(paths::lk_image(), &image).context("cannot write lk.bin")?;
    let payload = image.len() - HEADER_BYTES;
    step.done(&format!(
        "lk.bin, payload {payload} bytes of {LK_PAYLOAD_MAX}"
    ));
    Ok(())
}

fn test_kernel(toolchain: Toolchain) -> Result<()> {
    let step = ui::step("test kernel");
    shell::quiet(toolchain.cargo_build().args(["--package", TEST_KERNEL]))?;
    let elf = paths::bare_metal_elf(TEST_KERNEL);
    let input = fs::read(&elf).with_context(|| elf.display().to_string())?;
    let image = pack::flatten(&input, None).context("test kernel")?;
    fs::write(test_kernel_image(), &image).context("cannot write the test kernel")?;
    step.done(&format!("{} bytes", image.len()));
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

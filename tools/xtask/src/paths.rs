//! Where things are: the workspace, what cargo builds, what xtask makes.

use std::path::{Path, PathBuf};

/// The bare-metal target of the bootloader.
pub const BARE_METAL: &str = "armv7a-none-eabi";
/// The cargo profile of what runs on the phone.
pub const PHONE_PROFILE: &str = "phone";

/// Root of the workspace.
pub fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

/// Cargo's target directory.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(path) => root().join(path),
        None => root().join("target"),
    }
}

/// Everything that xtask makes or downloads: `target/unilk`. The boot tests
/// find it as `UNILK_ARTIFACTS`; see [`crate::artifacts`] for what lies there.
pub fn work() -> PathBuf {
    target().join("unilk")
}

/// The generic device tree that the bootloader carries.
pub fn generic_dtb() -> PathBuf {
    work().join("mt6572-generic.dtb")
}

/// The flashable bootloader image.
pub fn lk_image() -> PathBuf {
    work().join("lk.bin")
}

/// A linked bare-metal program.
pub fn bare_metal_elf(name: &str) -> PathBuf {
    target().join(BARE_METAL).join(PHONE_PROFILE).join(name)
}

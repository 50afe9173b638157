//! Finds what `cargo xtask test` has built.

use std::path::PathBuf;

/// The variants of the test kernel: how its start code finds its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Obeys the device tree's memory nodes.
    Tree,
    /// The same with TEXT_OFFSET 0x208000.
    Tree2M,
    /// Masks its PC down to 128 MiB.
    Masked,
    /// The same with TEXT_OFFSET 0x208000.
    Masked2M,
    /// Built for 0x80108000, as the vendor's.
    Fixed,
}

impl Kernel {
    /// Its file in the folder of artefacts.
    pub fn file(self) -> &'static str {
        match self {
            Kernel::Tree => "kernel-tree.bin",
            Kernel::Tree2M => "kernel-tree-2m.bin",
            Kernel::Masked => "kernel-masked.bin",
            Kernel::Masked2M => "kernel-masked-2m.bin",
            Kernel::Fixed => "kernel-fixed.bin",
        }
    }
}

/// The path of an artefact.
///
/// # Panics
/// It was not built: the message names the command that does.
pub fn path(file: &str) -> PathBuf {
    let Some(folder) = std::env::var_os("UNILK_ARTIFACTS") else {
        panic!("UNILK_ARTIFACTS is not set: run the boot tests with `cargo xtask test`");
    };
    let path = PathBuf::from(folder).join(file);
    assert!(
        path.exists(),
        "{} does not exist: `cargo xtask test` builds it",
        path.display()
    );
    path
}

/// The bytes of an artefact.
pub fn bytes(file: &str) -> Vec<u8> {
    let path = path(file);
    std::fs::read(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// Our `lk.bin`, with its header.
pub fn lk() -> Vec<u8> {
    bytes("lk.bin")
}

/// A raw test kernel, a zImage to the bootloader.
pub fn kernel(kernel: Kernel) -> Vec<u8> {
    bytes(kernel.file())
}

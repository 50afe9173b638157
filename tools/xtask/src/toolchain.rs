//! The compiler for the phone: rustup's, or Debian's where rustup cannot get
//! the bare-metal target.
//!
//! Debian ships no compiled core library for `armv7a-none-eabi`, but it ships
//! the sources: `-Zbuild-std` compiles them, with LLVM's linker in place of
//! the one that comes with rustup.

use crate::{paths, shell, ui};
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian packages with a compiler as new as the workspace wants.
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld"];
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_SOURCES: &str = "/usr/lib/rustlib/src/rust/library";
/// Forces one of the two: `rustup` or `debian`.
const FORCE: &str = "UNILK_TOOLCHAIN";

/// Which compiler builds for the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toolchain {
    /// The pinned toolchain with the target installed.
    Rustup,
    /// Debian's packages.
    Debian,
}

impl Toolchain {
    /// Finds a toolchain, installing what is missing.
    pub fn provide() -> Result<Self> {
        match std::env::var(FORCE).as_deref() {
            Ok("debian") => return provide_debian(),
            Ok("rustup") => return provide_rustup(),
            Ok(other) => bail!("{FORCE}={other}: expected rustup or debian"),
            Err(_) => {}
        }
        provide_rustup().or_else(|why| {
            ui::note(&format!("{why:#}"));
            ui::note("taking Debian's compiler instead");
            provide_debian()
        })
    }

    /// `cargo build` for the phone, without package arguments yet.
    pub fn cargo_build(self) -> Command {
        let (mut command, rustc) = match self {
            Self::Rustup => (Command::new("cargo"), "rustc"),
            Self::Debian => (debian_cargo(), DEBIAN_RUSTC),
        };
        command
            .current_dir(paths::root())
            .args(["build", "--target", paths::BARE_METAL])
            .args(["--profile", paths::PHONE_PROFILE])
            .args(["--config", &no_paths_of_this_machine(rustc)]);
        if self == Self::Debian {
            command.args([
                "-Zbuild-std=core,alloc",
                "-Zbuild-std-features=compiler-builtins-mem",
            ]);
        }
        command
    }
}

/// Configuration of cargo with which panics name files by the crate that they
/// belong to: the same sources make the same image on each machine.
fn no_paths_of_this_machine(rustc: &str) -> String {
    let cargo = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    // The more special one last: it counts.
    let places = [
        Some((paths::root().to_owned(), String::new())),
        cargo.map(|cargo| (cargo, "cargo".to_owned())),
        library(rustc),
    ];
    let flags: Vec<String> = places
        .into_iter()
        .flatten()
        .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()))
        .collect();
    format!("target.{}.rustflags={flags:?}", paths::BARE_METAL)
}

/// Where the sources of the core library are if they are installed, and what
/// they are called if they are not.
fn library(rustc: &str) -> Option<(PathBuf, String)> {
    let ask = |arguments: &[&str]| {
        shell::quiet(
            Command::new(rustc)
                .current_dir(paths::root())
                .args(arguments),
        )
        .ok()
    };
    let sysroot = ask(&["--print", "sysroot"])?;
    let version = ask(&["-vV"])?;
    let commit = version
        .lines()
        .find_map(|line| line.strip_prefix("commit-hash: "))?;
    let sources = Path::new(sysroot.trim()).join("lib/rustlib/src/rust");
    Some((sources, format!("/rustc/{commit}")))
}

/// Debian's cargo, shielded from what rustup's cargo, which runs us, set.
fn debian_cargo() -> Command {
    let mut command = Command::new(DEBIAN_CARGO);
    for name in ["RUSTUP_TOOLCHAIN", "RUSTC_WRAPPER", "CARGO"] {
        command.env_remove(name);
    }
    command
        .env("RUSTC", DEBIAN_RUSTC)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_ARMV7A_NONE_EABI_LINKER", "ld.lld");
    command
}

fn provide_rustup() -> Result<Toolchain> {
    if has_target()? {
        return Ok(Toolchain::Rustup);
    }
    let step = ui::step(format!("rustup target add {}", paths::BARE_METAL));
    shell::quiet(Command::new("rustup").current_dir(paths::root()).args([
        "target",
        "add",
        paths::BARE_METAL,
    ]))
    .context("rustup cannot add the bare-metal target")?;
    ensure!(
        has_target()?,
        "rustup added the target, but rustc does not see it"
    );
    step.done("added");
    Ok(Toolchain::Rustup)
}

/// Whether the pinned compiler has a core library for the phone.
fn has_target() -> Result<bool> {
    let directory = shell::quiet(Command::new("rustc").current_dir(paths::root()).args([
        "--print",
        "target-libdir",
        "--target",
        paths::BARE_METAL,
    ]))?;
    Ok(Path::new(directory.trim()).is_dir())
}

fn provide_debian() -> Result<Toolchain> {
    let complete = || {
        [DEBIAN_RUSTC, DEBIAN_CARGO, DEBIAN_SOURCES]
            .iter()
            .all(|path| Path::new(path).exists())
            && shell::find("ld.lld").is_some()
    };
    if !complete() {
        crate::setup::install(&DEBIAN_PACKAGES)?;
        ensure!(complete(), "Debian's packages hold no complete compiler");
    }
    let found = shell::quiet(Command::new(DEBIAN_RUSTC).arg("--version"))?;
    let wanted = env!("CARGO_PKG_RUST_VERSION");
    let version = found.split_whitespace().nth(1).unwrap_or_default();
    ensure!(
        is_at_least(version, wanted),
        "Debian's compiler is {version}, but {wanted} is needed"
    );
    Ok(Toolchain::Debian)
}

/// Compares versions by their numbers: `1.100.0` is newer than `1.95`.
fn is_at_least(version: &str, wanted: &str) -> bool {
    let numbers = |text: &str| -> Vec<u32> {
        text.split(['.', '-', '+'])
            .map_while(|part| part.parse().ok())
            .collect()
    };
    let found = numbers(version);
    !found.is_empty() && found >= numbers(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert!(is_at_least("1.96.0", "1.95"));
        assert!(is_at_least("1.95.0", "1.95"));
        assert!(is_at_least("1.100.0-nightly", "1.95"));
        assert!(!is_at_least("1.85.0", "1.95"));
        assert!(!is_at_least("", "1.95"));
    }
}

//! Gives the linker the memory map of the image, and the image its version.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=../../linker/lk.ld");
    println!("cargo::rerun-if-env-changed=UNILK_GENERIC_DTB");
    println!("cargo::rerun-if-env-changed=UNILK_VERSION");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("none") {
        return;
    }
    let here = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    println!("cargo::rustc-link-arg-bins=-T{here}/../../linker/lk.ld");
    println!("cargo::rustc-link-arg-bins=-Tdefmt.x");
    // Functions that came out alike are one function.
    println!("cargo::rustc-link-arg-bins=--icf=all");
    generic_tree(Path::new(&here));
    println!("cargo::rustc-env=UNILK_VERSION={}", version());
}

/// Compiles the generic device tree, or takes the one that is named.
fn generic_tree(here: &Path) {
    let out = std::env::var("OUT_DIR").expect("cargo sets it");
    let target = Path::new(&out).join("mt6572-generic.dtb");
    if let Ok(ready) = std::env::var("UNILK_GENERIC_DTB") {
        std::fs::copy(&ready, &target)
            .unwrap_or_else(|why| panic!("UNILK_GENERIC_DTB={ready}: {why}"));
        return;
    }
    let folder = here.join("../dts");
    println!("cargo::rerun-if-changed={}", folder.display());
    let done = Command::new("dtc")
        .args(["-I", "dts", "-O", "dtb", "-q", "-o"])
        .arg(&target)
        .arg("-i")
        .arg(&folder)
        .arg(folder.join("mt6572-generic.dts"))
        .status();
    match done {
        Ok(status) if status.success() => {}
        Ok(status) => panic!("dtc failed on mt6572-generic.dts: {status}"),
        Err(why) => {
            panic!("dtc does not run ({why}): `cargo xtask setup` installs device-tree-compiler")
        }
    }
}

/// The crate's version and, in a git checkout, the commit.
fn version() -> String {
    let base = std::env::var("CARGO_PKG_VERSION").expect("cargo sets it");
    if let Ok(given) = std::env::var("UNILK_VERSION") {
        return given;
    }
    // A new commit is a new version, also where no source of ours changed.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    match git(&["describe", "--always", "--dirty", "--abbrev=10"]) {
        Some(commit) => format!("{base}+{commit}"),
        None => base,
    }
}

/// What git says, if there is a git and it has something to say.
fn git(arguments: &[&str]) -> Option<String> {
    let done = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(done.stdout).ok()?;
    (done.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}

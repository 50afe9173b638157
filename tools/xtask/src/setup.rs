//! Set-up: installs what a fresh Debian machine lacks and says what it does.
//! Takes no time where everything is there.

use crate::toolchain::Toolchain;
use crate::{shell, ui};
use anyhow::{Context, Result, bail};
use std::process::Command;

/// A program, the Debian package that has it, and what it is for.
struct Tool {
    program: &'static str,
    package: &'static str,
    needed: bool,
}

const fn needed(program: &'static str, package: &'static str) -> Tool {
    Tool {
        program,
        package,
        needed: true,
    }
}

/// Used by tests that compare our formats with other people's tools; they are
/// skipped, and say so, where the tool is missing.
const fn compared(program: &'static str, package: &'static str) -> Tool {
    Tool {
        program,
        package,
        needed: false,
    }
}

const TOOLS: [Tool; 11] = [
    needed("qemu-system-arm", "qemu-system-arm"),
    needed("dtc", "device-tree-compiler"),
    // Links the host tools.
    needed("cc", "gcc"),
    compared("mkimage", "u-boot-tools"),
    compared("sfdisk", "fdisk"),
    compared("img2simg", "android-sdk-libsparse-utils"),
    compared("simg2img", "android-sdk-libsparse-utils"),
    compared("fastboot", "fastboot"),
    compared("mkbootimg", "mkbootimg"),
    compared("unpack_bootimg", "mkbootimg"),
    compared("abootimg", "abootimg"),
];

/// What set-up found or provided.
pub struct Machine {
    /// The compiler for the phone.
    pub toolchain: Toolchain,
}

/// Installs what is missing.
pub fn setup() -> Result<Machine> {
    let missing = |needed: bool| -> Vec<&'static str> {
        let mut packages: Vec<_> = TOOLS
            .iter()
            .filter(|tool| tool.needed == needed && shell::find(tool.program).is_none())
            .map(|tool| tool.package)
            .collect();
        packages.dedup();
        packages
    };
    let required = missing(true);
    if !required.is_empty() {
        install(&required)?;
        if let Some(still) = missing(true).first() {
            bail!("package {still} is installed, but its program is not found");
        }
    }
    for package in missing(false) {
        if let Err(why) = install(&[package]) {
            ui::note(&format!(
                "{package}: not installed, its checks are skipped ({why:#})"
            ));
        }
    }
    Ok(Machine {
        toolchain: Toolchain::provide()?,
    })
}

/// Installs Debian packages, as root or through sudo without a password;
/// otherwise fails with the command that a person has to run.
pub fn install(packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    let apt = || -> Result<Command> {
        if shell::find("apt-get").is_none() {
            bail!("this is no Debian machine; please install: {list}");
        }
        if is_root() {
            return Ok(Command::new("apt-get"));
        }
        if can_sudo() {
            let mut command = Command::new("sudo");
            command.args(["-n", "apt-get"]);
            return Ok(command);
        }
        bail!("please run: sudo apt-get install --no-install-recommends {list}");
    };
    let step = ui::step(format!("install {list}"));
    let run = |arguments: &[&str]| -> Result<String> {
        let mut command = apt()?;
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(arguments);
        shell::quiet(&mut command)
    };
    let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
    arguments.extend(packages);
    if run(&arguments).is_err() {
        // The machine's package lists may be old or absent. One source that
        // cannot be reached is no reason to give up on the others.
        step.at("refreshing the package lists");
        if let Err(why) = run(&["update"]) {
            step.at(&format!("{why:#}"));
        }
        run(&arguments).with_context(|| format!("cannot install {list}"))?;
    }
    step.done("installed");
    Ok(())
}

fn is_root() -> bool {
    shell::quiet(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

fn can_sudo() -> bool {
    shell::find("sudo").is_some() && shell::quiet(Command::new("sudo").args(["-n", "true"])).is_ok()
}

//! The command line of QEMU for a phone.
//!
//! The machine is `virt`, of which the phone uses the cores, the GIC and the
//! generic timer; the plugin covers everything else, so that `-m` says nothing
//! about the phone's memory. `-bios /dev/null` makes both cores start at
//! address 0, where the plugin puts its boot ROM.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::{Dump, Phone};

/// File name of the plugin.
const PLUGIN_FILE: &str = "libmt6572_qemu.so";

/// Where the serial ports go.
pub enum Serial {
    /// To sockets with these paths, for a [`crate::Outcome`].
    Sockets([PathBuf; 2]),
    /// This port to the terminal, the other nowhere.
    Terminal(usize),
}

/// The command, and which files it needs is checked before it is built.
pub fn build(phone: &Phone, serial: &Serial, events: &Path) -> Result<Command, Error> {
    let qemu = phone
        .qemu
        .clone()
        .or_else(|| env::var_os("UNILK_QEMU").map(Into::into));
    let qemu = qemu.unwrap_or_else(|| "qemu-system-arm".into());
    if !phone.board.exists() {
        return Err(Error::NoBoard(phone.board.clone()));
    }
    if let Some(lk) = phone.lk.as_ref().filter(|lk| !lk.exists()) {
        return Err(Error::NoFile(lk.clone()));
    }
    let mut command = Command::new(qemu);
    command.args([
        // Both cores in one thread: the memory map changes while they run (the
        // L2's RAM stops being SRAM), and a core in a thread of its own may
        // then reach the wrong region for a moment.
        "-accel",
        "tcg,thread=single",
        "-M",
        "virt,highmem=off,gic-version=2,secure=on",
        "-cpu",
        "cortex-a7,cntfrq=13000000",
    ]);
    command.args([
        "-smp",
        "2",
        "-m",
        "64M",
        "-nic",
        "none",
        "-nodefaults",
        "-display",
        "none",
        "-bios",
        "/dev/null",
    ]);
    for option in chardevs(serial)? {
        command.args(["-chardev", &option]);
    }
    if let Serial::Terminal(port) = serial {
        // Ctrl-A x ends QEMU, Ctrl-A c shows its monitor.
        command.args(["-mon", &format!("chardev=uart{port}")]);
    }
    command.args(["-plugin", &plugin_option(phone, events)?]);
    if phone.icount {
        command.args(["-icount", "shift=0,sleep=off"]);
    }
    if let Some(port) = phone.gdb {
        command.args(["-gdb", &format!("tcp:127.0.0.1:{port}"), "-S"]);
    }
    command.args(&phone.extra);
    Ok(command)
}

fn chardevs(serial: &Serial) -> Result<Vec<String>, Error> {
    match serial {
        Serial::Sockets(paths) => paths
            .iter()
            .enumerate()
            .map(|(port, path)| Ok(format!("socket,id=uart{port},path={}", escaped(path)?)))
            .collect(),
        Serial::Terminal(port) => Ok(vec![format!("stdio,id=uart{port},mux=on,signal=off")]),
    }
}

fn plugin_option(phone: &Phone, events: &Path) -> Result<String, Error> {
    let plugin = find_plugin(phone.plugin.as_deref())?;
    let mut option = format!(
        "file={},board={},events={}",
        escaped(&plugin)?,
        escaped(&phone.board)?,
        escaped(events)?
    );
    let mut add = |key: &str, value: &str| {
        option.push(',');
        option.push_str(key);
        option.push('=');
        option.push_str(value);
    };
    if let Some(path) = &phone.emmc {
        add("emmc", &escaped(path)?);
    }
    if let Some(path) = &phone.lk {
        add("lk", &escaped(path)?);
    }
    add("strict", if phone.strict { "on" } else { "off" });
    if phone.pc_of_all {
        add("pc", "all");
    }
    if let Some(folder) = &phone.screen {
        add("screen", &escaped(folder)?);
        add("live", if phone.live { "on" } else { "off" });
    }
    if let Some(count) = phone.max_resets {
        add("max-resets", &count.to_string());
    }
    for Dump { addr, len, file } in &phone.dumps {
        add("dump", &format!("{addr:#x}:{len:#x}:{}", escaped(file)?));
    }
    Ok(option)
}

/// A file name in QEMU's option syntax, where a comma is written twice.
fn escaped(path: &Path) -> Result<String, Error> {
    path.to_str()
        .map(|name| name.replace(',', ",,"))
        .ok_or_else(|| Error::BadName(path.to_owned()))
}

/// `UNILK_PLUGIN`, or beside this program or one folder above (test programs
/// lie in `deps`).
fn find_plugin(given: Option<&Path>) -> Result<PathBuf, Error> {
    let named = given
        .map(Path::to_owned)
        .or_else(|| env::var_os("UNILK_PLUGIN").map(Into::into));
    if let Some(path) = named {
        return if path.exists() {
            Ok(path)
        } else {
            Err(Error::NoPlugin(path))
        };
    }
    let program =
        env::current_exe().map_err(|error| Error::Io("the path of this program", error))?;
    let folders = program.ancestors().skip(1).take(2);
    let found = folders
        .map(|folder| folder.join(PLUGIN_FILE))
        .find(|path| path.exists());
    found.ok_or_else(|| Error::NoPlugin(PLUGIN_FILE.into()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_names_are_doubled_and_all_options_arrive() {
        let here = std::env::current_exe().unwrap();
        let phone = Phone::new(&here)
            .plugin(&here)
            .emmc("a,b.img")
            .screen("s")
            .max_resets(3)
            .dump(0x8000_0000, 16, "d")
            .strict(true);
        let option = plugin_option(&phone, Path::new("e")).unwrap();
        assert!(
            option
                .ends_with(",events=e,emmc=a,,b.img,strict=on,screen=s,live=off,max-resets=3,dump=0x80000000:0x10:d"),
            "{option}"
        );
    }

    #[test]
    fn a_missing_plugin_names_the_remedy() {
        let error = find_plugin(Some(Path::new("/nonexistent.so"))).unwrap_err();
        assert!(error.to_string().contains("cargo xtask setup"));
    }
}

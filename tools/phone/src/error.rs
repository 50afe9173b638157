//! Why a phone could not be run, each with its remedy.

use std::io;
use std::path::PathBuf;

/// Why a phone could not be run.
#[derive(Debug)]
pub enum Error {
    /// There is no `qemu-system-arm`.
    NoQemu(PathBuf),
    /// The plugin was not built.
    NoPlugin(PathBuf),
    /// There is no such board file.
    NoBoard(PathBuf),
    /// A file that was named does not exist.
    NoFile(PathBuf),
    /// A file name that QEMU's option syntax cannot carry.
    BadName(PathBuf),
    /// QEMU ended before the phone was switched on; its words.
    NotStarted(String),
    /// No picture of the screen was taken for this milestone.
    NoScreen(String),
    /// A picture that cannot be read, and why.
    BadScreen(PathBuf, String),
    /// The host refused something.
    Io(&'static str, io::Error),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Error::NoQemu(path) => write!(
                f,
                "{} cannot be started: install QEMU with `cargo xtask setup` (Debian: qemu-system-arm)",
                path.display()
            ),
            Error::NoPlugin(path) => write!(
                f,
                "the QEMU plugin {} does not exist: `cargo xtask setup` and `cargo xtask build` make it",
                path.display()
            ),
            Error::NoBoard(path) => write!(
                f,
                "the board file {} does not exist; qemu/boards has some",
                path.display()
            ),
            Error::NoFile(path) => write!(f, "{} does not exist", path.display()),
            Error::BadName(path) => write!(
                f,
                "{}: the name is not UTF-8, which QEMU's options need",
                path.display()
            ),
            Error::NotStarted(words) => write!(f, "QEMU did not start the phone: {words}"),
            Error::NoScreen(milestone) => write!(
                f,
                "no picture of the screen was taken for {milestone:?}: has the board a [panel]?"
            ),
            Error::BadScreen(path, why) => write!(f, "{}: {why}", path.display()),
            Error::Io(what, error) => write!(f, "{what}: {error}"),
        }
    }
}

impl std::error::Error for Error {}

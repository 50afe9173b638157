//! Runs an emulated MT6572 phone as a process and collects what it says.
//!
//! A [`Phone`] is what to start, an [`Outcome`] is what came of it: the text on
//! each serial port, the list of events that the plugin wrote, the guest
//! errors among them. It stops at the end of the run, at a text on a serial
//! port or after a wall-clock limit, and it ends its own child only.

mod command;
mod error;
mod events;
mod run;
mod screen;

use std::path::PathBuf;
use std::time::Duration;

pub use error::Error;
pub use events::{Event, Fault, Kind, parse as parse_events};
pub use run::{Outcome, Stop};
pub use screen::Screen;

/// A run that hangs is given up after this, unless told otherwise.
const DEFAULT_LIMIT: Duration = Duration::from_mins(1);

/// Memory to save: at the end to `file`, at reset n to `file.n`.
#[derive(Clone, Debug)]
struct Dump {
    addr: u32,
    len: u32,
    file: PathBuf,
}

/// Something to type once a text was seen.
#[derive(Clone, Debug)]
struct Typed {
    port: usize,
    after: String,
    bytes: Vec<u8>,
}

/// A phone to be started.
#[derive(Clone, Debug)]
pub struct Phone {
    board: PathBuf,
    qemu: Option<PathBuf>,
    plugin: Option<PathBuf>,
    emmc: Option<PathBuf>,
    lk: Option<PathBuf>,
    strict: bool,
    icount: bool,
    pc_of_all: bool,
    gdb: Option<u16>,
    max_resets: Option<u32>,
    dumps: Vec<Dump>,
    events: Option<PathBuf>,
    screen: Option<PathBuf>,
    live: bool,
    extra: Vec<String>,
    limit: Duration,
    until: Option<(usize, String)>,
    typed: Vec<Typed>,
}

impl Phone {
    /// A phone as the board file says.
    pub fn new(board: impl Into<PathBuf>) -> Phone {
        Phone {
            board: board.into(),
            qemu: None,
            plugin: None,
            emmc: None,
            lk: None,
            strict: false,
            icount: false,
            pc_of_all: false,
            gdb: None,
            max_resets: None,
            dumps: Vec::new(),
            events: None,
            screen: None,
            live: false,
            extra: Vec::new(),
            limit: DEFAULT_LIMIT,
            until: None,
            typed: Vec::new(),
        }
    }

    /// Another `qemu-system-arm` than the one in `PATH` (or in `UNILK_QEMU`).
    #[must_use]
    pub fn qemu(mut self, path: impl Into<PathBuf>) -> Phone {
        self.qemu = Some(path.into());
        self
    }

    /// Another plugin than `UNILK_PLUGIN` or the one beside this program.
    #[must_use]
    pub fn plugin(mut self, path: impl Into<PathBuf>) -> Phone {
        self.plugin = Some(path.into());
        self
    }

    /// The image of the eMMC's user area. The boot partitions are in files of
    /// the same name with `.boot1` and `.boot2` behind it.
    #[must_use]
    pub fn emmc(mut self, path: impl Into<PathBuf>) -> Phone {
        self.emmc = Some(path.into());
        self
    }

    /// A file to load instead of the content of UBOOT, with or without the
    /// 512-byte header.
    #[must_use]
    pub fn lk(mut self, path: impl Into<PathBuf>) -> Phone {
        self.lk = Some(path.into());
        self
    }

    /// Shows guest errors on standard error as they happen.
    #[must_use]
    pub fn strict(mut self, on: bool) -> Phone {
        self.strict = on;
        self
    }

    /// Virtual time by instructions: one takes 1 ns, and runs are repeatable.
    #[must_use]
    pub fn icount(mut self, on: bool) -> Phone {
        self.icount = on;
        self
    }

    /// Finds the PC of guest errors outside of the bootloader too; slower.
    #[must_use]
    pub fn pc_of_all(mut self, on: bool) -> Phone {
        self.pc_of_all = on;
        self
    }

    /// Waits for gdb at this TCP port of the local host.
    #[must_use]
    pub fn gdb(mut self, port: u16) -> Phone {
        self.gdb = Some(port);
        self
    }

    /// Gives up after so many resets.
    #[must_use]
    pub fn max_resets(mut self, count: u32) -> Phone {
        self.max_resets = Some(count);
        self
    }

    /// Saves `len` bytes of guest memory from `addr`: at the end to `file`, at
    /// reset n to `file.n`.
    #[must_use]
    pub fn dump(mut self, addr: u32, len: u32, file: impl Into<PathBuf>) -> Phone {
        self.dumps.push(Dump {
            addr,
            len,
            file: file.into(),
        });
        self
    }

    /// Keeps the list of events in this file.
    #[must_use]
    pub fn events(mut self, path: impl Into<PathBuf>) -> Phone {
        self.events = Some(path.into());
        self
    }

    /// Saves pictures of the screen in this folder: `screen.png` is the newest,
    /// the events name the others ([`Kind::Screen`]). A file `snap` in it asks
    /// for one more.
    #[must_use]
    pub fn screen(mut self, folder: impl Into<PathBuf>) -> Phone {
        self.screen = Some(folder.into());
        self
    }

    /// Renews `screen.png` 5 times a second of virtual time.
    #[must_use]
    pub fn live(mut self, on: bool) -> Phone {
        self.live = on;
        self
    }

    /// More arguments for QEMU.
    #[must_use]
    pub fn args<I: IntoIterator<Item = S>, S: Into<String>>(mut self, arguments: I) -> Phone {
        self.extra.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// How long the run may take on the wall clock.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Phone {
        self.limit = limit;
        self
    }

    /// Ends the run when `text` appears on serial port 0 or 1.
    #[must_use]
    pub fn until(mut self, port: usize, text: impl Into<String>) -> Phone {
        self.until = Some((port, text.into()));
        self
    }

    /// Types `bytes` on a serial port once `after` has appeared on it (an empty
    /// `after`: at once). Several take their turns.
    #[must_use]
    pub fn type_after(
        mut self,
        port: usize,
        after: impl Into<String>,
        bytes: impl Into<Vec<u8>>,
    ) -> Phone {
        self.typed.push(Typed {
            port,
            after: after.into(),
            bytes: bytes.into(),
        });
        self
    }
}

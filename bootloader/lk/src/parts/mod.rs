//! What is fitted: panel, touch chip and cameras, asked side by side while
//! the kernel comes in, and decided when it is there.
//!
//! | file | what |
//! |---|---|
//! | `hardware.rs` | pins, supplies and buses of a wiring profile |
//! | `dbi.rs` | panels on the buses of the LCD controller |
//! | `ports.rs` | the ports that the askers of `unilk-core` talk to |
//! | `tasks.rs` | the three questions, and the light when they suffice |
//! | `light.rs` | a panel from reset to picture and back |
//! | `shown.rs` | what is on it: pages, drawn and shown in turn |
//! | `said.rs` | the verdicts, as a person reads them |
//! | `settle.rs` | the decision: kernel's names, a person, what is remembered |
//! | `memory.rs` | the stored choice in MISC |
//! | `told.rs` | what the kernel is told of the parts |
//! | `shared.rs` | cells for what several of these change |
//!
//! Source: DESIGN.md "Identification", "Harmless probing".

#![allow(
    clippy::redundant_closure_for_method_calls,
    reason = "a method's path is not general enough in the lifetimes that the tasks hold"
)]

mod dbi;
mod hardware;
mod light;
mod memory;
mod ports;
mod said;
mod settle;
mod shared;
mod shown;
mod tasks;
mod told;

use alloc::boxed::Box;
use core::cell::{Cell, LazyCell};

use heapless::Vec;
use mt6572_hal::time::Uptime;
use unilk_board_db::{Board, CameraWiring, TouchWiring, Wiring};
use unilk_core::Code;
use unilk_core::address::SECTOR_BYTES;
use unilk_core::block::{ReadAt, Window};
use unilk_core::bootarg::Dram;
use unilk_core::hints::Hints;
use unilk_core::identify::camera::CameraVerdict;
use unilk_core::identify::evidence::Evidence;
use unilk_core::identify::link::{self, Reserved};
use unilk_core::identify::panel::Findings;
use unilk_core::identify::report::{Builder, Kind, Record, Recorder, status};
use unilk_core::identify::store::MAX_NAMES;
use unilk_core::identify::touch::TouchVerdict;
use unilk_core::identify::verdict::PanelVerdict;
use unilk_core::identify::wiring::{MAX_TRIALS, Trial, profiles_to_try};
use unilk_core::identify::{RowSet, Table};
use unilk_core::screen::logo::{self, BOOT_LOGO, HEAD_BYTES};

use crate::log::say;
use crate::storage::Disk;
use crate::wake::Phone;
use hardware::Hardware;
pub use memory::Stored;
use ports::PanelPins;
pub use settle::Kernel;
use shared::Shared;
pub use shown::Page;
use shown::{Logo, Shown};

/// Bytes of the report: some 200 questions.
const REPORT_BYTES: usize = 8192;

/// Everything that the questions share.
pub struct Parts {
    /// The driver table: made when somebody asks, for that takes milliseconds.
    pub table: LazyCell<Table>,
    hardware: Shared<Hardware>,
    report: Shared<Builder<'static>>,
    hints: Hints<'static>,
    dram: Dram,
    /// What the phone remembers; `None` until the card could be asked.
    stored: Shared<Option<Stored>>,
    /// What the panel answered, and the profile by which.
    panel: Shared<Option<PanelVerdict>>,
    panel_trial: Cell<Option<Trial>>,
    touch: Shared<Option<TouchVerdict>>,
    touch_wiring: Cell<Option<TouchWiring>>,
    cameras: Shared<Option<[CameraVerdict; 2]>>,
    /// Controller and pins by which each camera answered.
    camera_wiring: Cell<[Option<(u8, CameraWiring)>; 2]>,
    /// The panel's pins, between two who use them.
    port: Shared<Option<PanelPins>>,
    /// Band gap, PLL and DSI host are on.
    link_on: Cell<bool>,
    shown: Cell<Option<Shown>>,
    /// The row that was chosen among several, by a person or as on the last
    /// boot.
    chosen: Cell<Option<u16>>,
    by_person: Cell<bool>,
    /// Names of panel drivers in the kernel, as it spells them.
    names: Shared<Vec<&'static str, MAX_NAMES>>,
    settled: Cell<bool>,
    /// The phone's own logo.
    logo: Cell<Option<Logo>>,
    /// The words under the logo.
    line: Cell<&'static str>,
    version: &'static str,
}

/// Uses the hardware; never across a wait.
fn with<R>(parts: &Parts, work: impl FnOnce(&mut Hardware) -> R) -> R {
    work(&mut parts.hardware.borrow_mut())
}

/// The report goes out as it grows: its lines are lost in waits.
impl Recorder for Parts {
    fn record(&self, record: &Record<'_>) {
        self.report.borrow_mut().push(record);
        // Addresses at which nobody is are in the report, not on the wire.
        if record.kind == Kind::I2c && record.status == status::SILENCE {
            return;
        }
        crate::log::detail(format_args!("{record}"));
    }
}

fn built_in() -> Table {
    Table {
        panels: unilk_board_db::panels(),
        plan: unilk_board_db::plan(),
        clusters: unilk_board_db::clusters(),
        touch: unilk_board_db::touch_chips(),
        cameras: unilk_board_db::cameras(),
        wirings: unilk_board_db::wirings(),
        boards: unilk_board_db::boards(),
    }
}

/// Starts asking.
pub fn start(phone: &mut Phone) -> &'static Parts {
    let report: &'static mut [u8] = Box::leak(Box::new([0; REPORT_BYTES]));
    let parts: &'static Parts = Box::leak(Box::new(Parts {
        table: LazyCell::new(built_in),
        hardware: Shared::new(Hardware::new(phone.argument.log_port.pins())),
        report: Shared::new(Builder::new(report)),
        hints: phone.hints,
        dram: phone.dram,
        stored: Shared::new(None),
        panel: Shared::new(None),
        panel_trial: Cell::new(None),
        touch: Shared::new(None),
        touch_wiring: Cell::new(None),
        cameras: Shared::new(None),
        camera_wiring: Cell::new([None, None]),
        port: Shared::new(None),
        link_on: Cell::new(false),
        shown: Cell::new(None),
        chosen: Cell::new(None),
        by_person: Cell::new(false),
        names: Shared::new(Vec::new()),
        settled: Cell::new(false),
        logo: Cell::new(None),
        line: Cell::new(""),
        version: env!("UNILK_VERSION"),
    }));
    let fuses = phone.devinfo.0.get(18).copied().unwrap_or(0);
    let opened = with(parts, |hardware| {
        let hal = &mut hardware.hal;
        hal.mipitx.trim(fuses);
        hal.display
            .open(&mut hal.spm, &mut hal.infracfg, &mut hal.mmsys)
    });
    let touch = Box::pin(tasks::touch(parts));
    // Without the display's power domain there is neither panel nor camera
    // clock; the touch chip can still be asked.
    if let Err(error) = opened {
        say!(
            "{} the display has no power: no picture, no cameras",
            error.code()
        );
        *parts.cameras.borrow_mut() = Some(Default::default());
        *parts.panel.borrow_mut() = Some(parts.decide(Findings::default()));
        crate::meanwhile::spawn(tasks::with_memory(parts, touch));
    } else {
        let cameras = Box::pin(tasks::cameras(parts));
        // The panel last: its questions are asked without a pause.
        crate::meanwhile::spawn(tasks::with_memory(parts, cameras));
        crate::meanwhile::spawn(tasks::with_memory(parts, touch));
        crate::meanwhile::spawn(tasks::panel(parts));
    }
    parts
}

/// The profile of a trial.
fn wiring(trial: &Trial) -> Option<&'static Wiring> {
    unilk_board_db::wirings().get(usize::from(trial.wiring))
}

impl Parts {
    /// The board that hint or memory name.
    fn board(&self) -> Option<&'static Board> {
        let stored = self.stored.borrow();
        let stored = stored.as_ref().and_then(|stored| stored.board());
        unilk_board_db::board(self.hints.board.or(stored)?)
    }

    /// The profile of the board that hint or person named.
    fn known_wiring(&self) -> Option<&'static str> {
        Some(self.board()?.wiring)
    }

    /// The profiles to try, and whether the first is known to be right. One
    /// that somebody answered by on the last boot comes alone, but is treated
    /// as carefully as any.
    fn trials(&self) -> (Vec<Trial, MAX_TRIALS>, bool) {
        let known = self.known_wiring();
        let hardware = &*self.hardware.borrow();
        let bus = self.links().into_iter().find(|link| link.is_dbi());
        let pads = bus.map(link::pads).unwrap_or_default();
        let entry = &Reserved {
            entry: hardware,
            pads: &pads,
        };
        if known.is_none()
            && let Some(place) = self.remembered_wiring()
        {
            let alone = &unilk_board_db::wirings()[place..=place];
            let mut trials = profiles_to_try(alone, None, entry);
            for trial in &mut trials {
                trial.wiring = place as u16;
            }
            if !trials.is_empty() {
                return (trials, false);
            }
        }
        let mut trials = profiles_to_try(unilk_board_db::wirings(), known, entry);
        let stored = self.stored.borrow();
        if stored.as_ref().is_some_and(Stored::found_nothing) {
            // Nobody answered in any profile: the likeliest will do to see
            // whether somebody has come.
            trials.truncate(1);
        }
        (trials, known.is_some())
    }

    fn remembered_wiring(&self) -> Option<usize> {
        let stored = self.stored.borrow();
        let id = stored.as_ref()?.wiring()?;
        let mut wirings = unilk_board_db::wirings().iter();
        wirings.position(|wiring| wiring.id == id)
    }

    /// Rows that the host tool hinted at.
    fn hinted(&self) -> RowSet {
        let name = self.hints.panel;
        name.map_or(RowSet::EMPTY, |name| self.table.panels_by_driver(name))
    }

    /// Everything that speaks for a panel beside its answers.
    fn evidence(&self, kernel: RowSet) -> Evidence<'static> {
        let stored = self.stored.borrow();
        let touch = self.touch.borrow();
        let cameras = self.cameras.borrow();
        let chip = touch.as_ref().and_then(TouchVerdict::chip);
        let camera = |socket: usize| {
            let row = cameras.as_ref()?.get(socket)?.winner?;
            Some(self.table.cameras.get(usize::from(row))?.id)
        };
        let mut all = stored
            .as_ref()
            .map_or(RowSet::EMPTY, |s| s.kernel_rows(&self.table));
        all.add(&kernel);
        Evidence {
            stored: stored.as_ref().and_then(|stored| stored.panel(&self.table)),
            hinted: self.hinted(),
            kernel: all,
            touch: chip.and_then(|chip| Some(self.table.touch.get(usize::from(chip.row))?.id)),
            cameras: [camera(0), camera(1)],
            board: self.board(),
        }
    }

    fn decide(&self, found: unilk_core::identify::panel::Findings) -> PanelVerdict {
        let evidence = self.evidence(RowSet::EMPTY);
        unilk_core::identify::verdict::decide(&self.table, &evidence, found)
    }

    /// What the card says the phone remembers, or that nobody will know.
    pub fn tell_stored(&self, stored: Stored) {
        *self.stored.borrow_mut() = Some(stored);
    }

    /// The words under the logo.
    pub fn tell_line(&self, line: &'static str) {
        self.line.set(line);
    }

    /// Fetches the phone's own logo, so that it is there when a panel is lit.
    pub fn tell_logo(&self, disk: &mut Disk) {
        let Ok((first, sectors)) = disk.table.locate("LOGO") else {
            return;
        };
        let bytes = sectors.saturating_mul(SECTOR_BYTES);
        let mut window = Window::new(&mut disk.storage, first, sectors);
        let mut head = [0; HEAD_BYTES];
        let found = match window.read_at(0, &mut head) {
            Ok(()) => logo::find(&head, bytes, BOOT_LOGO),
            Err(_) => return disk.storage.explain_failure(),
        };
        // Many phones that were flashed by hand have none.
        if head.iter().all(|&byte| byte == 0) || head.iter().all(|&byte| byte == 0xFF) {
            return;
        }
        match found {
            Ok(stream) => {
                let place = Logo::place(&self.dram, stream.len);
                let read = place.map(|place| window.read_at(stream.offset, place.packed()));
                match read {
                    Some(Ok(())) => self.logo.set(place),
                    Some(Err(_)) => disk.storage.explain_failure(),
                    None => {}
                }
            }
            Err(error) => Self::note("LOGO", &error),
        }
    }

    /// Microseconds since the start, for the report.
    fn now_us() -> u32 {
        let Uptime { seconds, micros } = mt6572_hal::time::uptime();
        seconds.wrapping_mul(1_000_000).wrapping_add(micros)
    }

    /// Says what is odd.
    fn note(what: &str, note: &dyn Code) {
        say!("{} {what}: {note}", note.code());
    }
}

//! The way of a picture from memory to the DSI host or the LCD controller:
//! OVL, RDMA, COLOR, BLS, under one mutex.
//!
//! ```text
//! memory -> OVL -> RDMA -> COLOR -> BLS -> DSI or DBI
//! ```
//!
//! What a boot leaves here the kernel finds: a layer of OVL that reads from
//! physical addresses, with the M4U off.
//!
//! Source: facts/display.md 1, 2 and 9.1.

mod bls;
mod color;
pub mod dbi;
mod larb;
mod mutex;
mod ovl;
mod rdma;

pub use bls::Bls;
pub use dbi::{Dbi, RegisterBlock as DbiRegisters};
pub use ovl::{Format, LAYERS};

use crate::clocks::Infracfg;
use crate::mmsys::{Mmsys, Sink};
use crate::spm::{Domain, Spm, SpmError};
use crate::time::{Micros, idle, poll, ticks};
use mutex::Mutex;
use ovl::Ovl;
use rdma::Rdma;

/// The layer that shows the picture: the one that the vendor's loader has its
/// logo in, and that its kernel takes over.
const LAYER: u8 = 2;
/// For a change to take effect, and for the next frame to begin: several
/// frames of the slowest panel.
const FRAME_LIMIT: Micros = Micros::from_ms(100);

/// Why the display did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum DisplayError {
    /// A side of the picture is 0 or beyond 1920, or its lines overlap.
    Size,
    /// There is no such layer.
    Layer,
    /// The mutex was not granted, or not given back.
    Lock,
    /// A change did not take effect: no frames come.
    Commit,
}

impl DisplayError {
    /// Short code for screen and log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Size => "DISP-SIZE",
            Self::Layer => "DISP-LAYER",
            Self::Lock => "DISP-LOCK",
            Self::Commit => "DISP-COMMIT",
        }
    }
}

/// What sets the pace of the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A frame at a time, when the DSI host is told to: command mode.
    Single,
    /// The DSI host's video.
    DsiVideo,
    /// A frame at a time, when the LCD controller is told to.
    Dbi,
}

/// A picture in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// Physical address of its first byte.
    pub address: u32,
    /// Pixels a line.
    pub width: u16,
    /// Lines.
    pub height: u16,
    /// Bytes from line to line.
    pub pitch: u16,
    /// Its pixels.
    pub format: Format,
}

/// The register blocks of the path.
#[derive(Clone, Copy)]
#[expect(missing_docs, reason = "the names are those of the blocks")]
pub struct Registers {
    pub larb: &'static larb::RegisterBlock,
    pub mutex: &'static mutex::RegisterBlock,
    pub ovl: &'static ovl::RegisterBlock,
    pub rdma: &'static rdma::RegisterBlock,
    pub color: &'static color::RegisterBlock,
    pub bls: &'static bls::RegisterBlock,
}

/// The display path.
pub struct Path {
    larb: &'static larb::RegisterBlock,
    mutex: Mutex,
    ovl: Ovl,
    rdma: Rdma,
    color: &'static color::RegisterBlock,
    /// The backlight's PWM is in it.
    pub bls: Bls,
}

impl Path {
    /// The driver of the blocks `regs`.
    pub const fn new(regs: Registers) -> Self {
        Self {
            larb: regs.larb,
            mutex: Mutex::new(regs.mutex),
            ovl: Ovl::new(regs.ovl),
            rdma: Rdma::new(regs.rdma),
            color: regs.color,
            bls: Bls::new(regs.bls),
        }
    }

    /// Power domain, gates and the way to memory: before anything else of the
    /// display, the DSI host and the panel's reset line included.
    pub fn open(
        &mut self,
        spm: &mut Spm,
        infra: &mut Infracfg,
        mmsys: &mut Mmsys,
    ) -> Result<(), SpmError> {
        spm.power_on(Domain::Display, infra)?;
        mmsys.open_memory_interface();
        mmsys.open_display_path();
        mmsys.open_dsi();
        larb::open(self.larb);
        Ok(())
    }

    /// Sets the path up for a panel as large as `picture`, and shows it. The
    /// picture must be in memory and cleaned from the caches. Frames come when
    /// the DSI host or the LCD controller is started after this.
    pub fn bring_up(
        &mut self,
        mmsys: &mut Mmsys,
        source: Source,
        picture: &Picture,
    ) -> Result<(), DisplayError> {
        let (width, height) = (picture.width, picture.height);
        self.mutex.configure(source);
        self.mutex.lock()?;
        let result = self.configure(mmsys, source, picture);
        if result.is_ok() {
            self.bls.pass(width, height);
            color::pass(self.color, width, height);
            self.rdma.configure(width, height);
            self.rdma.start();
        }
        self.mutex.release()?;
        result
    }

    fn configure(
        &mut self,
        mmsys: &mut Mmsys,
        source: Source,
        picture: &Picture,
    ) -> Result<(), DisplayError> {
        mmsys.route(match source {
            Source::Single | Source::DsiVideo => Sink::Dsi,
            Source::Dbi => Sink::Dbi,
        });
        self.ovl.stop();
        self.ovl.configure(picture.width, picture.height)?;
        self.ovl.show(LAYER, picture)?;
        self.ovl.start();
        Ok(())
    }

    /// Shows a picture over or below ours, from the next frame on.
    pub fn show(&mut self, layer: u8, picture: &Picture) -> Result<(), DisplayError> {
        self.mutex.lock()?;
        let result = self.ovl.show(layer, picture);
        self.mutex.release()?;
        result
    }

    /// Shows the picture at `address`, of the same shape, from the next frame
    /// on. [`Path::flipped`] says when that is.
    pub fn start_flip(&mut self, address: u32) -> Result<(), DisplayError> {
        self.mutex.lock()?;
        self.ovl.set_address(LAYER, address);
        self.mutex.release()
    }

    /// Whether the last change is on the lanes: what was shown before may be
    /// drawn over.
    pub fn flipped(&self) -> bool {
        self.mutex.updated()
    }

    /// Shows the picture at `address`, of the same shape, and waits until what
    /// was shown before may be drawn over.
    pub fn flip(&mut self, address: u32) -> Result<(), DisplayError> {
        self.start_flip(address)?;
        idle(FRAME_LIMIT, || self.flipped()).map_err(|_| DisplayError::Commit)
    }

    /// Whether a frame has begun since this was last asked.
    pub fn take_frame_start(&mut self) -> bool {
        self.rdma.take_frame_start()
    }

    /// How long a frame of running video takes, measured over one whole frame:
    /// 33 ms at 60 frames a second. `None` when none comes.
    pub fn frame_time(&mut self) -> Option<Micros> {
        let mut meter = FrameMeter::new();
        poll(Micros(3 * FRAME_LIMIT.0), || meter.look(self).is_some()).ok()?;
        meter.time()
    }

    /// Stops the path. The DSI host must have stopped its video.
    pub fn stop(&mut self) {
        // Under the mutex these would wait for a frame that does not come.
        self.mutex.disable();
        self.ovl.stop();
        self.rdma.stop();
    }
}

/// Measures a frame for those who have other things to do meanwhile.
#[derive(Debug, Clone, Copy, Default)]
pub struct FrameMeter {
    /// An old frame start was cleared.
    armed: bool,
    began: Option<u32>,
    time: Option<Micros>,
}

impl FrameMeter {
    /// Nothing measured yet.
    pub const fn new() -> Self {
        Self {
            armed: false,
            began: None,
            time: None,
        }
    }

    /// To be called often: what comes between two calls is the error. The
    /// time of a frame, once two have begun.
    pub fn look(&mut self, path: &mut Path) -> Option<Micros> {
        const TICKS_PER_MICRO: u32 = crate::time::TICKS_PER_SECOND / 1_000_000;
        if self.time.is_some() || !path.take_frame_start() {
            self.armed = true;
            return self.time;
        }
        // The first look may find a frame start of long ago.
        if self.armed {
            let now = ticks();
            if let Some(began) = self.began {
                self.time = Some(Micros(now.wrapping_sub(began) / TICKS_PER_MICRO));
            }
            self.began = Some(now);
        }
        self.armed = true;
        self.time
    }

    /// The time of a frame, if it is known.
    pub const fn time(&self) -> Option<Micros> {
        self.time
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

//! What is in effect in the display path.
//!
//! Source: facts/display.md 1.3, 1.5, 1.6, 2.1 to 2.4.

use super::frames::FRAME;
use crate::bus::Nanos;

/// A module that a mutex can hold, by its bit in MOD (facts/display.md 1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Module {
    /// Overlay.
    Ovl = 3,
    /// Colour engine.
    Color = 7,
    /// Backlight and gamma.
    Bls = 9,
    /// Display read DMA.
    Rdma = 10,
}

impl Module {
    /// The module's bit in MOD.
    pub const fn mask(self) -> u32 {
        1 << self as u32
    }
}

/// The routing registers of MMSYS_CONFIG (facts/display.md 1.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Routing {
    /// OVL_MOUT_EN: bit 0 RDMA, bit 1 WDMA, bit 2 COLOR.
    pub ovl_mout: u32,
    /// DISP_OUT_SEL: 0 DSI, 1 DPI, 2 DBI.
    pub disp_out: u32,
    /// RDMA0_OUT_SEL: 0 COLOR, 1 DSI.
    pub rdma_out: u32,
    /// COLOR_SEL: 0 RDMA, 1 OVL.
    pub color_in: u32,
    /// DSI_SEL: 0 BLS, 1 RDMA.
    pub dsi_in: u32,
}

/// One of the eight mutexes (facts/display.md 1.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mutex {
    /// EN bit 0.
    pub enabled: bool,
    /// MOD: the modules that it starts and holds.
    pub modules: u32,
    /// SOF: 0 command mode, 1 DSI video, 2 DPI.
    pub source: u32,
}

/// One layer of OVL, as its registers say (facts/display.md 2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layer {
    /// Ln_CON.
    pub con: u32,
    /// Ln_SRCKEY.
    pub key: u32,
    /// Ln_SRC_SIZE.
    pub size: u32,
    /// Ln_OFFSET.
    pub offset: u32,
    /// Ln_ADDR.
    pub addr: u32,
    /// Ln_PITCH, bytes.
    pub pitch: u32,
    /// RDMAn_CTRL bit 0: the layer's own reader runs.
    pub reads: bool,
}

/// OVL (facts/display.md 2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ovl {
    /// EN bit 0.
    pub enabled: bool,
    /// ROI_SIZE.
    pub roi: u32,
    /// ROI_BGCLR.
    pub background: u32,
    /// SRC_CON: bit n shows layer n.
    pub shown: u32,
    /// The layers, the bottom one first.
    pub layers: [Layer; 4],
}

/// RDMA (facts/display.md 2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rdma {
    /// GLOBAL_CON.
    pub con: u32,
    /// SIZE_CON_0.
    pub size0: u32,
    /// SIZE_CON_1: lines.
    pub size1: u32,
    /// MEM_CON.
    pub mem_con: u32,
    /// MEM_START_ADDR.
    pub addr: u32,
    /// MEM_SRC_PITCH, bytes.
    pub pitch: u32,
}

/// COLOR (facts/display.md 2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Color {
    /// START bit 0.
    pub started: bool,
    /// Pixels a line.
    pub width: u32,
    /// Lines.
    pub height: u32,
}

/// BLS, the part that pixels pass (facts/display.md 2.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bls {
    /// EN bit 0: pictures are processed.
    pub processes: bool,
    /// SRC_SIZE.
    pub size: u32,
}

/// The registers in effect, without what is still held back by a mutex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    // --- driven by DSI or DBI, whichever has the panel ---
    /// How long a frame takes, in nanoseconds.
    pub frame_ns: Nanos,
    /// When the last frame of command mode began.
    pub single_frame_at: Option<Nanos>,

    // --- driven by MMSYS_CONFIG ---
    /// Routing registers.
    pub routing: Routing,
    /// MMSYS CG0: bit 1 = clock off (facts/display.md 1.3).
    pub gated: u32,

    // --- driven by MUTEX ---
    /// Whether DSI's frames are those of video mode; `None`: there were none
    /// yet, and either source of a mutex fits.
    pub streaming: Option<bool>,
    /// The mutexes.
    pub mutexes: [Mutex; 8],
    /// Modules whose registers are held back: a mutex is locked, or waits for
    /// the frame that takes them. Bit n is bit n of MOD.
    pub held: u32,
    /// How often a mutex committed each module, by bit of MOD.
    pub commits: [u32; 12],

    // --- driven by the modules ---
    /// OVL.
    pub ovl: Ovl,
    /// RDMA.
    pub rdma: Rdma,
    /// COLOR.
    pub color: Color,
    /// BLS.
    pub bls: Bls,
}

impl Path {
    /// Whether a mutex holds back what is written to `module`.
    pub fn holds(&self, module: Module) -> bool {
        self.held & module.mask() != 0
    }

    /// How often a mutex committed `module`.
    pub fn commits_of(&self, module: Module) -> u32 {
        self.commits[module as usize]
    }

    /// Whether `other` makes the same picture, memory left aside.
    pub fn shows_as(&self, other: &Path) -> bool {
        let scene = |path: &Path| Path {
            frame_ns: 0,
            single_frame_at: None,
            streaming: None,
            held: 0,
            commits: [0; 12],
            ..*path
        };
        scene(self) == scene(other)
    }
}

impl Default for Path {
    fn default() -> Self {
        Path {
            frame_ns: FRAME,
            single_frame_at: None,
            streaming: None,
            routing: Routing::default(),
            gated: !0,
            mutexes: [Mutex::default(); 8],
            held: 0,
            commits: [0; 12],
            ovl: Ovl::default(),
            rdma: Rdma::default(),
            color: Color::default(),
            bls: Bls::default(),
        }
    }
}

//! MMSYS_CONFIG: clock gates of display, MDP and camera, and what the stages
//! of the display are connected to. Only reachable with the display power
//! domain on.
//!
//! Source: facts/soc.md 9.2, 9.3 and 9.6; facts/display.md 1.3 and 1.5.

use crate::reg::{Write, assert_offsets};
use volatile_register::{RO, RW, WO};

/// Registers of the block, as far as they are used.
#[repr(C)]
pub struct RegisterBlock {
    _reserved0: [u32; 0xc],
    ovl_mout_en: RW<u32>,
    _reserved1: [u32; 6],
    disp_out_sel: RW<u32>,
    rdma0_out_sel: RW<u32>,
    color_sel: RW<u32>,
    dsi_sel: RW<u32>,
    _reserved2: [u32; 0x29],
    gates: [GateGroup; 2],
}

/// Gates of one group: a set bit stops the clock.
#[repr(C)]
struct GateGroup {
    status: RO<u32>,
    set: WO<u32>,
    clear: WO<u32>,
    _reserved: u32,
}

assert_offsets!(RegisterBlock {
    ovl_mout_en: 0x30,
    disp_out_sel: 0x4c,
    dsi_sel: 0x58,
    gates: 0x100,
});

/// SMI common, SMI LARB0, command queue and its SMI interface: what every
/// client needs, and what the vendor's kernel expects to find running.
const SMI_AND_CMDQ: u32 = 0xf;
/// COLOR, BLS, WDMA, RDMA, OVL, the backlight's 26 MHz and the mutex's slow
/// clock: what the vendor's loader opens.
const DISPLAY_PATH: u32 = 0x0020_81f0;
/// Engine and digital part of the DSI host, and the DBI engine, in which the
/// panel's reset line is a register.
const DSI_AND_PANEL_RESET: u32 = 0x13;
/// Engine, memory interface and bus clock of the LCD controller.
const DBI: u32 = 0x70;
/// OVL feeds RDMA.
const OVL_TO_RDMA: u32 = 1 << 0;

/// CAM, SENINF and CAMTG.
const CAMERA: u32 = 7 << 16;

/// Where the display path ends, as DISP_OUT_SEL numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sink {
    /// The DSI host.
    Dsi = 0,
    /// The LCD controller.
    Dbi = 2,
}

/// MMSYS clock gates.
pub struct Mmsys {
    regs: &'static RegisterBlock,
}

impl Mmsys {
    /// The driver of the block `regs`.
    pub const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs }
    }

    /// Lets the memory interface and the command queue run.
    pub fn open_memory_interface(&mut self) {
        self.regs.gates[0].clear.put(SMI_AND_CMDQ);
    }

    /// Lets the stages of the display run.
    pub fn open_display_path(&mut self) {
        self.regs.gates[0].clear.put(DISPLAY_PATH);
    }

    /// Stops the stages of the display. The backlight's PWM is one of them.
    pub fn close_display_path(&mut self) {
        self.regs.gates[0].set.put(DISPLAY_PATH);
    }

    /// Lets the DSI host run, and the block with the panel's reset line.
    pub fn open_dsi(&mut self) {
        self.regs.gates[1].clear.put(DSI_AND_PANEL_RESET);
    }

    /// Stops the DSI host, and the block with the panel's reset line.
    pub fn close_dsi(&mut self) {
        self.regs.gates[1].set.put(DSI_AND_PANEL_RESET);
    }

    /// Lets the camera interface and its clock run.
    pub fn open_camera(&mut self) {
        self.regs.gates[0].clear.put(CAMERA);
    }

    /// Stops the camera interface and its clock.
    pub fn close_camera(&mut self) {
        self.regs.gates[0].set.put(CAMERA);
    }

    /// Lets the whole LCD controller run.
    pub fn open_dbi(&mut self) {
        self.regs.gates[1].clear.put(DBI);
    }

    /// Stops the LCD controller but for the panel's reset line.
    pub fn close_dbi(&mut self) {
        self.regs.gates[1].set.put(DBI & !DSI_AND_PANEL_RESET);
    }

    /// Connects OVL, RDMA, COLOR, BLS and `sink`, in this order.
    pub fn route(&mut self, sink: Sink) {
        let regs = self.regs;
        regs.ovl_mout_en.put(OVL_TO_RDMA);
        regs.rdma0_out_sel.put(0);
        regs.color_sel.put(0);
        regs.dsi_sel.put(0);
        regs.disp_out_sel.put(sink as u32);
    }

    /// Both groups' gates, a set bit meaning stopped.
    pub fn stopped(&self) -> [u32; 2] {
        [
            self.regs.gates[0].status.read(),
            self.regs.gates[1].status.read(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg::{leaked, peek};

    #[test]
    fn the_memory_interface_is_four_gates() {
        let regs: &RegisterBlock = leaked();
        Mmsys::new(regs).open_memory_interface();
        assert_eq!(peek(&regs.gates[0].clear), 0xf);
        assert_eq!(core::mem::size_of::<GateGroup>(), 0x10);
        assert_eq!(Mmsys::new(regs).stopped(), [0, 0]);
    }

    #[test]
    fn gates_of_display_and_dsi() {
        let regs: &RegisterBlock = leaked();
        let mut mmsys = Mmsys::new(regs);
        mmsys.open_display_path();
        mmsys.open_dsi();
        assert_eq!(peek(&regs.gates[0].clear), 0x0020_81f0);
        assert_eq!(peek(&regs.gates[1].clear), 0x13);
        mmsys.close_dsi();
        mmsys.close_display_path();
        assert_eq!(peek(&regs.gates[1].set), 0x13);
        assert_eq!(peek(&regs.gates[0].set), 0x0020_81f0);
    }

    #[test]
    fn the_lcd_controller_keeps_the_reset_line_when_it_is_closed() {
        let regs: &RegisterBlock = leaked();
        let mut mmsys = Mmsys::new(regs);
        mmsys.open_dbi();
        assert_eq!(peek(&regs.gates[1].clear), 0x70);
        mmsys.close_dbi();
        assert_eq!(peek(&regs.gates[1].set), 0x60);
    }

    #[test]
    fn pixels_take_the_long_way() {
        let regs: &RegisterBlock = leaked();
        for register in [
            &regs.ovl_mout_en,
            &regs.disp_out_sel,
            &regs.rdma0_out_sel,
            &regs.color_sel,
            &regs.dsi_sel,
        ] {
            register.put(2);
        }
        Mmsys::new(regs).route(Sink::Dbi);
        assert_eq!(regs.disp_out_sel.read(), 2);
        Mmsys::new(regs).route(Sink::Dsi);
        assert_eq!(regs.ovl_mout_en.read(), 1);
        assert_eq!(regs.disp_out_sel.read() | regs.rdma0_out_sel.read(), 0);
        assert_eq!(regs.color_sel.read() | regs.dsi_sel.read(), 0);
    }
}

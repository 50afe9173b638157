//! Registers of the DSI host.
//!
//! Source: facts/display.md 3.1, 3.2 and 3.4.

use crate::reg::assert_offsets;
use arbitrary_int::{u2, u4, u14};
use bitbybit::bitfield;
use volatile_register::{RO, RW};

/// Words of the command queue.
pub(super) const QUEUE_WORDS: u8 = 32;

/// Registers of the block, as far as they are used.
#[repr(C)]
pub struct RegisterBlock {
    /// Acts on rising edges.
    pub(super) start: RW<u32>,
    _reserved0: u32,
    pub(super) int_enable: RW<u32>,
    /// Write 0 to clear; BUSY is live.
    pub(super) int_status: RW<u32>,
    pub(super) com_ctrl: RW<u32>,
    pub(super) mode_ctrl: RW<u32>,
    pub(super) txrx_ctrl: RW<u32>,
    pub(super) ps_ctrl: RW<u32>,
    /// VSA, VBP, VFP, VACT.
    pub(super) vertical: [RW<u32>; 4],
    _reserved1: [u32; 8],
    /// HSA, HBP, HFP, BLLP, in bytes.
    pub(super) horizontal: [RW<u32>; 4],
    pub(super) queue_size: RW<u32>,
    pub(super) clock_drop: RW<u32>,
    _reserved2: [u32; 3],
    pub(super) rx_data: [RO<u32>; 4],
    pub(super) rack: RW<u32>,
    pub(super) trigger: RO<u32>,
    _reserved3: u32,
    /// Command that goes on with a memory write.
    pub(super) mem_conti: RW<u32>,
    _reserved4: [u32; 28],
    pub(super) clock_lane: RW<u32>,
    pub(super) lane0: RW<u32>,
    _reserved5: u32,
    pub(super) timing: [RW<u32>; 4],
    _reserved6: [u32; 4],
    pub(super) vm_command: RW<u32>,
    pub(super) vm_data: [RW<u32>; 4],
    _reserved7: [u32; 15],
    pub(super) queue: [RW<u32>; QUEUE_WORDS as usize],
}

assert_offsets!(RegisterBlock {
    int_enable: 0x08,
    com_ctrl: 0x10,
    ps_ctrl: 0x1c,
    vertical: 0x20,
    horizontal: 0x50,
    queue_size: 0x60,
    clock_drop: 0x64,
    rx_data: 0x74,
    rack: 0x84,
    trigger: 0x88,
    mem_conti: 0x90,
    clock_lane: 0x104,
    lane0: 0x108,
    timing: 0x110,
    vm_command: 0x130,
    vm_data: 0x134,
    queue: 0x180,
});

// START.
pub(super) const DSI_START: u32 = 1 << 0;
pub(super) const VM_CMD_START: u32 = 1 << 16;
// INTSTA and INTEN.
pub(super) const RD_RDY: u32 = 1 << 0;
pub(super) const CMD_DONE: u32 = 1 << 1;
pub(super) const VM_DONE: u32 = 1 << 3;
pub(super) const EXT_TE: u32 = 1 << 4;
pub(super) const VM_CMD_DONE: u32 = 1 << 5;
pub(super) const BUSY: u32 = 1 << 31;
// COM_CTRL.
pub(super) const RESET: u32 = 1 << 0;
pub(super) const DSI_EN: u32 = 1 << 1;
/// RACK: the answer was taken.
pub(super) const RACK: u32 = 1 << 0;
/// TRIG_STA: the panel acknowledged, without data.
pub(super) const TRIGGER_ACK: u32 = 1 << 2;
/// HSTX_CKLP_WC: the host computes when to drop the clock.
pub(super) const CLOCK_DROP_AUTO: u32 = 1 << 16;
// PHY_LCCON and PHY_LD0CON.
pub(super) const HS_TX_EN: u32 = 1 << 0;
pub(super) const ULPM_EN: u32 = 1 << 1;
pub(super) const WAKEUP_EN: u32 = 1 << 2;

/// TXRX_CTRL. Virtual channel 0, EoT packets on.
#[bitfield(u32, default = 0)]
pub(super) struct TxRx {
    /// A bit a data lane.
    #[bits(2..=5, w)]
    lanes: u4,
    /// The clock lane rests in LP between bursts.
    #[bit(16, w)]
    drop_clock: bool,
}

/// PSCTRL.
#[bitfield(u32, default = 0)]
pub(super) struct PixelStream {
    /// Bytes a line.
    #[bits(0..=13, w)]
    bytes: u14,
    #[bits(16..=17, w)]
    format: u2,
}

/// VM_CMD_CON.
#[bitfield(u32, default = 0)]
pub(super) struct VmCommand {
    #[bit(0, w)]
    enable: bool,
    #[bit(1, w)]
    long: bool,
    /// In the vertical front porch.
    #[bit(5, w)]
    in_front_porch: bool,
    #[bits(8..=15, w)]
    data_type: u8,
    /// First byte, or the word count.
    #[bits(16..=23, w)]
    data0: u8,
    #[bits(24..=31, w)]
    data1: u8,
}

/// The header word of an instruction in the queue.
#[bitfield(u32, default = 0)]
pub(super) struct Instruction {
    /// 0 short packet, 1 frame from the display path, 2 long packet.
    #[bits(0..=1, w)]
    kind: u2,
    /// Turn the bus round afterwards.
    #[bit(2, w)]
    turn_around: bool,
    #[bit(3, w)]
    high_speed: bool,
    #[bits(8..=15, w)]
    data_type: u8,
    #[bits(16..=23, w)]
    data0: u8,
    #[bits(24..=31, w)]
    data1: u8,
}

pub(super) const SHORT: u2 = u2::new(0);
pub(super) const FRAME: u2 = u2::new(1);
pub(super) const LONG: u2 = u2::new(2);

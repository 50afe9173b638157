//! Registers of the LCD controller, as far as they are used.
//!
//! Source: facts/display.md 8.1.

use crate::reg::assert_offsets;
use arbitrary_int::{u3, u4, u6};
use bitbybit::{bitenum, bitfield};
use volatile_register::{RO, RW};

/// Registers of the block.
#[repr(C)]
pub struct RegisterBlock {
    pub(super) status: RO<u32>,
    pub(super) int_enable: RW<u32>,
    /// Write 0 to clear.
    pub(super) int_status: RW<u32>,
    pub(super) start: RW<u32>,
    /// LRSTB.
    pub(super) reset: RW<u32>,
    _reserved0: [u32; 2],
    pub(super) serial_timing: [RW<u32>; 2],
    _reserved1: u32,
    pub(super) serial_config: RW<u32>,
    _reserved2: u32,
    pub(super) parallel_timing: [RW<u32>; 3],
    pub(super) parallel_width: RW<u32>,
    pub(super) tearing: RW<u32>,
    _reserved3: u32,
    pub(super) sync_size: RW<u32>,
    pub(super) sync_count: RW<u32>,
    _reserved4: [u32; 4],
    pub(super) frame_control: RW<u32>,
    pub(super) frame_command_port: RW<u32>,
    pub(super) frame_data_port: RW<u32>,
    pub(super) frame_size: RW<u32>,
    pub(super) source_control: RW<u32>,
    _reserved5: [u32; 0x3A3],
    pub(super) parallel: [Port; 3],
    _reserved6: [u32; 8],
    pub(super) serial: [Port; 2],
}

/// Accesses to a bus by software, in the width of a command or parameter.
#[repr(C)]
pub(super) struct Port {
    /// A command follows.
    pub command: RW<u32>,
    _reserved0: [u32; 3],
    /// A parameter follows, or a read.
    pub data: RW<u32>,
    _reserved1: [u32; 3],
}

assert_offsets!(RegisterBlock {
    reset: 0x10,
    serial_timing: 0x1c,
    serial_config: 0x28,
    parallel_timing: 0x30,
    parallel_width: 0x3c,
    tearing: 0x40,
    sync_size: 0x48,
    frame_control: 0x60,
    frame_size: 0x6c,
    source_control: 0x70,
    parallel: 0xf00,
    serial: 0xf80,
});
assert_offsets!(Port { data: 0x10 });

/// STATUS: a frame is under way.
pub(super) const BUSY: u32 = 1 << 4;
/// START: everything under way ends.
pub(super) const ABORT: u32 = 1 << 0;
/// START: a frame, on the rising edge.
pub(super) const FRAME: u32 = 1 << 15;
/// TECON: frames wait for the panel's tearing signal.
pub(super) const TEARING: u32 = 1 << 0;
/// SRC_CON: frames come from memory and not from the display path.
pub(super) const FROM_MEMORY: u32 = 1 << 19;
/// What the vendor's loader writes; their meaning is only known by name.
pub(super) const SYNC_SIZE: u32 = 0x0001_0001;
pub(super) const SYNC_COUNT: u32 = 1;

/// PARALLEL_CFG: times of a port in cycles.
#[bitfield(u32, default = 0)]
pub(super) struct ParallelTiming {
    #[bits(0..=5, rw)]
    write_strobe: u6,
    #[bits(8..=11, rw)]
    write_setup: u4,
    #[bits(12..=15, rw)]
    write_hold: u4,
    #[bits(16..=21, rw)]
    read_strobe: u6,
    #[bits(24..=27, rw)]
    read_setup: u4,
    #[bits(28..=31, rw)]
    read_hold: u4,
}

/// PARALLEL_DW: widths, of which port 0 is used.
#[bitfield(u32, default = 0)]
pub(super) struct ParallelWidth {
    #[bits(0..=2, rw)]
    lines: u3,
}

/// SIF_TIMING: times of a port in cycles.
#[bitfield(u32, default = 0)]
pub(super) struct SerialTiming {
    #[bits(0..=3, rw)]
    write_second: u4,
    #[bits(4..=7, rw)]
    write_first: u4,
    #[bits(8..=11, rw)]
    read_second: u4,
    #[bits(12..=15, rw)]
    read_first: u4,
    #[bits(16..=19, rw)]
    select_hold: u4,
    #[bits(20..=23, rw)]
    select_setup: u4,
}

/// SERIAL_CFG, of which port 0 is used: units of eight bits (size 0).
#[bitfield(u32, default = 0)]
pub(super) struct SerialConfig {
    #[bit(3, rw)]
    three_wire: bool,
    /// The panel answers on LSDI.
    #[bit(4, rw)]
    own_output: bool,
    #[bit(6, rw)]
    idle_high: bool,
    #[bit(24, rw)]
    hardware_select: bool,
}

/// WROI_CON: how pixels go out.
#[bitfield(u32, default = 0)]
pub(super) struct FrameControl {
    #[bit(1, rw)]
    low_first: bool,
    #[bit(2, rw)]
    pad_high: bool,
    #[bits(3..=5, w)]
    format: PixelCode,
    #[bits(6..=7, rw)]
    lines: BusCode,
}

/// Data format of WROI_CON.
#[bitenum(u3, exhaustive = false)]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PixelCode {
    Rgb565 = 2,
    Rgb666 = 3,
    Rgb888 = 4,
}

/// Bus format of WROI_CON: not numbered as in PARALLEL_DW.
#[bitenum(u2, exhaustive = true)]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BusCode {
    Eight = 0,
    Sixteen = 1,
    Nine = 2,
    Eighteen = 3,
}

/// Where frames of parallel port 0 and of serial port 0 go: commands; data is
/// one more. Bits 7:4 of WROI_CMD_ADDR and WROI_DATA_ADDR.
pub(super) const PARALLEL_PORT: u32 = 0x0;
pub(super) const SERIAL_PORT: u32 = 0x8;
pub(super) const PORT_SHIFT: u32 = 4;

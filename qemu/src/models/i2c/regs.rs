//! Registers of an I2C controller: offsets, bits, and which bits exist.
//!
//! Source: facts/i2c-touch-camera.md 1.3. Reset values are not known; all are
//! 0, FIFO_STAT says "empty".

use crate::models::registers::{Register, masked, ro};

pub const DATA_PORT: u32 = 0x00;
pub const SLAVE_ADDR: u32 = 0x04;
pub const INTR_MASK: u32 = 0x08;
pub const INTR_STAT: u32 = 0x0C;
pub const CONTROL: u32 = 0x10;
pub const TRANSFER_LEN: u32 = 0x14;
pub const TRANSAC_LEN: u32 = 0x18;
pub const DELAY_LEN: u32 = 0x1C;
pub const TIMING: u32 = 0x20;
pub const START: u32 = 0x24;
pub const EXT_CONF: u32 = 0x28;
pub const FIFO_STAT: u32 = 0x30;
pub const FIFO_ADDR_CLR: u32 = 0x38;
pub const IO_CONFIG: u32 = 0x40;
pub const MULTIMAS: u32 = 0x44;
pub const SOFTRESET: u32 = 0x50;
pub const DEBUGSTAT: u32 = 0x64;
pub const TRANSFER_LEN_AUX: u32 = 0x6C;

/// INTR_STAT and INTR_MASK.
pub mod intr {
    pub const COMPLETE: u32 = 1 << 0;
    pub const ACKERR: u32 = 1 << 1;
    pub const ARB_LOST: u32 = 1 << 3;
    pub const TIMEOUT: u32 = 1 << 4;
    pub const ALL: u32 = 0x1F;
}

/// CONTROL.
pub mod control {
    pub const RS: u32 = 1 << 1;
    pub const DMA_EN: u32 = 1 << 2;
    pub const CLK_EXT_EN: u32 = 1 << 3;
    pub const DIR_CHANGE: u32 = 1 << 4;
    pub const ACKERR_DET_EN: u32 = 1 << 5;
    pub const LEN_CHANGE: u32 = 1 << 6;
    pub const TIMEOUT_EN: u32 = 1 << 8;
}

/// START: go. Bits 14 and 15 belong to later SoCs.
pub const START_GO: u32 = 1 << 0;
/// IO_CONFIG: SCL and SDA only pull low.
pub const OPEN_DRAIN: u32 = 3;
/// MULTIMAS: somebody else may hold the bus.
pub const ARBITRATION: u32 = 1 << 0;
/// EXT_CONF: the START and STOP hold is longer.
pub const EXT_EN: u32 = 1 << 0;

/// DEBUGSTAT.
pub mod debug {
    pub const BUS_BUSY: u32 = 1 << 7;
    pub const MASTER_WRITE: u32 = 1 << 6;
    pub const MASTER_READ: u32 = 1 << 5;
}

/// Registers that only keep their value, seen from software. INTR_STAT,
/// START, FIFO_STAT and the others with behaviour are handled before.
pub static TABLE: [Register; 22] = [
    masked(SLAVE_ADDR, "SLAVE_ADDR", 0, 0xFF),
    masked(INTR_MASK, "INTR_MASK", 0, intr::ALL),
    masked(CONTROL, "CONTROL", 0, 0x1FF),
    masked(TRANSFER_LEN, "TRANSFER_LEN", 0, 0xFFFF),
    masked(TRANSAC_LEN, "TRANSAC_LEN", 0, 0xFF),
    masked(DELAY_LEN, "DELAY_LEN", 0, 0xFFFF),
    masked(TIMING, "TIMING", 0, 0xFFFF),
    masked(EXT_CONF, "EXT_CONF", 0, 0xFFFF),
    masked(0x34, "FIFO_THRESH", 0, 0x0707),
    masked(IO_CONFIG, "IO_CONFIG", 0, 0xF),
    masked(MULTIMAS, "RSV_DEBUG", 0, 0x7),
    masked(0x48, "HS", 0, 0xFFFF),
    // Mainline and later SoCs' drivers write these two; they do nothing here.
    masked(0x54, "DCM_EN", 0, 0xFFFF),
    masked(0x60, "PATH_DIR", 0, 0xFFFF),
    masked(0x68, "DEBUGCTRL", 0, 0x7),
    masked(TRANSFER_LEN_AUX, "TRANSFER_LEN_AUX", 0, 0xFFFF),
    masked(0x70, "RDATA_ADVANCE", 0, 0xFFFF),
    masked(0x74, "TIMEOUT", 0, 0xFFFF),
    ro(0x78, "HW_VERSION", 0),
    ro(FIFO_STAT, "FIFO_STAT", 0),
    ro(DEBUGSTAT, "DEBUGSTAT", 0),
    ro(START, "START", 0),
];

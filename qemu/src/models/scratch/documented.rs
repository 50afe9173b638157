//! Which registers of the blocks without a model are known.
//!
//! A block that is not listed here is known by its place alone.
//! Source: facts/soc.md 1.1 (CONNSYS memory, audio SRAM), 1.2 (USB PHY), 1.8,
//! 7.2 (MIPI pads), 9.2 (MFG, audio), 9.8, 11; facts/display.md 1.4 to 1.6, 2,
//! 3.1, 4.1, 8; facts/i2c-touch-camera.md 1.3, 4.3;
//! facts/storage-and-images.md 9.2.

use super::{Known, Range};

/// What is known of the block called `name`.
pub(super) fn registers(name: &str) -> Known {
    match name {
        "AUDIO_SRAM" => Known::Memory,
        "PWM" => Known::All(PWM),
        "DBI" => Known::All(DBI),
        "DPI" => Known::All(&[(0x00, 0x18), (0x20, 0x4C)]),
        "MMSYS_CONFIG" => Known::Some(&[(0x20, 0x5C), (0x138, 0x138), (0x860, 0x86C)]),
        "DISP_RDMA" => Known::Some(&[(0x00, 0x04), (0x10, 0x1C), (0x24, 0x40), (0x54, 0x94)]),
        // Eight mutexes of 0x20 bytes.
        "DISP_MUTEX" => Known::Some(&[(0x00, 0x0C), (0x20, 0x110), (0x200, 0x200)]),
        "DSI" => Known::Some(DSI),
        // INDEX and what it selects: the part that the model of the core has.
        "USB" => Known::Some(&[(0x0C, 0x1C)]),
        "DISP_OVL" => Known::Some(OVL),
        "DISP_BLS" => Known::Some(BLS),
        "DISP_COLOR" => Known::Some(COLOR),
        "MIPI_CONFIG" => Known::Some(MIPI),
        "THERMAL" => Known::Some(THERMAL),
        "NFI" => Known::Some(NFI),
        "NFIECC" => Known::Some(&[(0x00, 0x04), (0x0C, 0x28), (0x100, 0x11C), (0x148, 0x148)]),
        // Global registers, then twelve channels of 0x80 bytes.
        "AP_DMA" => Known::Some(&[(0x00, 0x14), (0x20, 0x4C), (0x80, 0x67C)]),
        "SMI_COMMON_AO" => Known::Some(&[(0x5C0, 0x5CC)]),
        "SMI_LARB0" => Known::Some(&[(0x60, 0x64), (0x200, 0x22C)]),
        "SENINF" => Known::Some(&[(0x000, 0x000), (0x300, 0x304)]),
        "CAM" => Known::Some(&[(0x410, 0x410)]),
        "AFE" => Known::Some(&[(0x00, 0x00)]),
        "MFG_CONFIG" => Known::Some(&[(0x00, 0x08)]),
        // The PHY.
        "USB_SIF" => Known::Some(&[(0x800, 0x8FC)]),
        // Chip ID, and the banks of SYSRAM.
        "CONNSYS" => Known::Some(&[(0x7_0008, 0x7_0008), (0x8_0000, 0xA_FFFC)]),
        _ => Known::Some(&[]),
    }
}

const PWM: &[Range] = &[
    (0x000, 0x008),
    (0x010, 0x048),
    (0x050, 0x088),
    (0x090, 0x0C8),
    (0x0D0, 0x104),
    (0x110, 0x144),
    (0x200, 0x20C),
];

const DBI: &[Range] = &[
    (0x00, 0x10),
    (0x1C, 0x20),
    (0x28, 0x4C),
    (0x60, 0x78),
    (0x90, 0x9C),
    (0xC00, 0xC7C),
    // Command at +0, data at +0x10 of each port.
    (0xF00, 0xF50),
    (0xF80, 0xFB0),
];

const DSI: &[Range] = &[
    (0x00, 0x2C),
    (0x50, 0x64),
    (0x74, 0x94),
    (0x104, 0x108),
    (0x110, 0x120),
    (0x130, 0x17C),
    // The command queue.
    (0x180, 0x1FC),
];

const OVL: &[Range] = &[
    (0x00, 0x14),
    // Layers, 0x20 bytes each, with their RDMAs at +0x90.
    (0x20, 0x130),
    (0x134, 0x1DC),
    (0x1E0, 0x1EC),
    (0x240, 0x258),
];

const BLS: &[Range] = &[
    (0x00, 0x18),
    (0x20, 0x28),
    (0x30, 0x38),
    (0x60, 0x9C),
    (0xA0, 0xB8),
    (0x100, 0x1FC),
    (0x200, 0x214),
    (0x300, 0x384),
    (0x400, 0xDFC),
    (0xE00, 0xE3C),
];

const COLOR: &[Range] = &[
    (0x400, 0x400),
    (0x40C, 0x40C),
    (0xF00, 0xF0C),
    (0xF50, 0xF54),
    (0xF60, 0xF60),
    (0xFA0, 0xFA0),
];

const MIPI: &[Range] = &[
    (0x00, 0x10),
    (0x40, 0x44),
    (0x50, 0x70),
    (0x74, 0x90),
    // Pads of the receiver.
    (0x848, 0x850),
];

const THERMAL: &[Range] = &[
    (0x00, 0x10),
    (0x38, 0x54),
    (0x60, 0x68),
    (0x74, 0x98),
    (0xC0, 0xCC),
];

const NFI: &[Range] = &[
    (0x00, 0x14),
    (0x20, 0x20),
    (0x30, 0x38),
    (0x50, 0x70),
    (0x80, 0x84),
    (0x90, 0x90),
    (0xA0, 0xDC),
    (0x210, 0x210),
];

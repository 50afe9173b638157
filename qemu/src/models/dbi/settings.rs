//! What the registers of the LCD controller say about its buses.
//!
//! Source: facts/display.md 1.3 (gates), 8.1. Two things are not in any source
//! and assumed: one cycle takes 9.6 ns (104 MHz, the fastest clock that the
//! vendors' `LCM_DBI_CLOCK_FREQ` names), and an access takes the sum of setup,
//! strobe and hold.

use crate::bus::{Nanos, Size};
use crate::panel::WireFormat;
use crate::panel::bus::{BusFrame, Kind, Wires};
use crate::signals::Signals;

/// Picoseconds of a cycle.
const CYCLE_PS: u32 = 9_615;

const SIF_TIMING0: u32 = 0x1c;
const SERIAL_CFG: u32 = 0x28;
pub(super) const PARALLEL_CFG0: u32 = 0x30;
pub(super) const PARALLEL_DW: u32 = 0x3c;
const TECON: u32 = 0x40;
pub(super) const WROI_CON: u32 = 0x60;
pub(super) const WROI_CMD_ADDR: u32 = 0x64;
pub(super) const WROI_DATA_ADDR: u32 = 0x68;
pub(super) const WROI_SIZE: u32 = 0x6c;
const SRC_CON: u32 = 0x70;

const FROM_MEMORY: u32 = 1 << 19;
const COMMAND_QUEUE: u32 = 1 << 15;
const THREE_WIRE: u32 = 1 << 3;
const OWN_OUTPUT: u32 = 1 << 4;
const HARDWARE_SELECT: u32 = 1 << 24;

/// MMSYS CG1: engine, memory interface, bus clock.
const MM_GATES: u32 = 0x70;
/// TOPCKGEN CG0: DBI_BCLK, DBI_PAD0 to 3.
const TOP_GATES: u32 = 0x000f_0020;

/// First pad of the data lines, LPD0, and the mode of all.
const FIRST_DATA_PAD: usize = 14;
const DATA_MODE: u8 = 1;
/// The other lines, each on one of the pads that can carry it.
const LPA0: (&str, &[(usize, u8)]) = ("LPA0", &[(56, 2), (45, 3)]);
const LPWRB: (&str, &[(usize, u8)]) = ("LPWRB", &[(57, 2), (46, 3)]);
const LPRDB: (&str, &[(usize, u8)]) = ("LPRDB", &[(58, 2), (47, 3)]);
const LPCE0B: (&str, &[(usize, u8)]) = ("LPCE0B", &[(60, 2), (49, 3)]);
const LSCE0B: (&str, &[(usize, u8)]) = ("LSCE0B", &[(60, 5)]);
const LSCK: (&str, &[(usize, u8)]) = ("LSCK", &[(128, 6)]);
const LSDA: (&str, &[(usize, u8)]) = ("LSDA", &[(129, 6)]);
const LSA0: (&str, &[(usize, u8)]) = ("LSA0", &[(142, 2)]);
const LSDI: (&str, &[(usize, u8)]) = ("LSDI", &[(145, 4)]);

/// Where an access goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    /// Parallel port 0.
    Parallel,
    /// Serial port 0.
    Serial,
    /// One of the others, which no board connects.
    Unwired,
}

/// The registers that matter to a bus.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    serial_timing: u32,
    serial: u32,
    timing: u32,
    widths: u32,
    tearing: u32,
    frame: u32,
    command_port: u32,
    data_port: u32,
    size: u32,
    source: u32,
}

/// A frame as it goes out.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameSettings {
    pub frame: BusFrame,
    /// Pixels a line, lines.
    pub size: (usize, usize),
    /// Writes or clocks that a pixel takes.
    steps: u32,
}

impl FrameSettings {
    /// How long it takes.
    pub fn nanos(&self) -> Nanos {
        let pixels = (self.size.0 * self.size.1) as u64;
        pixels * u64::from(self.steps) * u64::from(self.frame.wires.write_ns)
    }
}

fn bits(word: u32, first: u32, last: u32) -> u32 {
    word >> first & ((1 << (last - first + 1)) - 1)
}

fn nanos(cycles: u32) -> u32 {
    cycles * CYCLE_PS / 1000
}

fn connected(wire: (&str, &[(usize, u8)]), signals: &Signals) -> Option<String> {
    let (name, pads) = wire;
    let there = pads
        .iter()
        .any(|&(pin, mode)| signals.pin_mode[pin] == mode);
    (!there).then(|| format!("no pad is set to {name}"))
}

impl Settings {
    pub fn new(mut read: impl FnMut(u32) -> u32) -> Settings {
        Settings {
            serial_timing: read(SIF_TIMING0),
            serial: read(SERIAL_CFG),
            timing: read(PARALLEL_CFG0),
            widths: read(PARALLEL_DW),
            tearing: read(TECON),
            frame: read(WROI_CON),
            command_port: read(WROI_CMD_ADDR),
            data_port: read(WROI_DATA_ADDR),
            size: read(WROI_SIZE),
            source: read(SRC_CON),
        }
    }

    fn lines(&self) -> u8 {
        [8, 9, 16, 18, 24, 32, 0, 0][bits(self.widths, 0, 2) as usize]
    }

    /// The lines that a value can be on.
    pub fn lines_mask(&self, port: Port) -> u32 {
        let lines = if port == Port::Serial {
            8
        } else {
            self.lines()
        };
        u32::MAX.checked_shr(32 - u32::from(lines)).unwrap_or(0)
    }

    fn three_wire(&self) -> bool {
        self.serial & THREE_WIRE != 0
    }

    /// Why nothing gets from the block to the panel's connector.
    pub fn obstacle(&self, port: Port, signals: &Signals) -> Option<String> {
        if signals.mm_cg1 & MM_GATES != 0 {
            return Some("a clock of it is gated (MMSYS CG1)".into());
        }
        if signals.cg0 & TOP_GATES != 0 {
            return Some("DBI_BCLK or DBI_PAD is gated (TOPCKGEN CG0)".into());
        }
        match port {
            Port::Parallel => {
                let mut pads = FIRST_DATA_PAD..FIRST_DATA_PAD + usize::from(self.lines().min(18));
                let data = pads.find(|&pad| signals.pin_mode[pad] != DATA_MODE);
                let missing =
                    data.map(|pad| format!("pad {pad} is not set to LPD{}", pad - FIRST_DATA_PAD));
                let wires = [LPA0, LPWRB, LPRDB, LPCE0B];
                let control = || wires.iter().find_map(|&wire| connected(wire, signals));
                let lines = (self.lines() > 18).then(|| "the chip has 18 data lines".to_owned());
                lines.or(missing).or_else(control)
            }
            Port::Serial => {
                if self.serial & HARDWARE_SELECT == 0 {
                    return Some("chip select is left to software (SERIAL_CFG)".into());
                }
                let size = bits(self.serial, 0, 2);
                if size != 0 {
                    return Some(format!("units of size {size}; panels take eight bits"));
                }
                let a0 = (!self.three_wire()).then_some(LSA0);
                let input = (self.serial & OWN_OUTPUT != 0).then_some(LSDI);
                let mut wires = [Some(LSCE0B), Some(LSCK), Some(LSDA), a0, input]
                    .into_iter()
                    .flatten();
                wires.find_map(|wire| connected(wire, signals))
            }
            Port::Unwired => Some("no pad belongs to this port".into()),
        }
    }

    /// Why an access of `size` bytes is not one access on the bus.
    pub fn split(&self, port: Port, size: Size) -> Option<String> {
        let lines = if port == Port::Serial {
            8
        } else {
            self.lines()
        };
        let whole = match lines {
            ..=9 => size == 1,
            16 => size <= 2,
            _ => true,
        };
        (!whole).then(|| {
            format!(
                "an access of {} bits on {lines} lines is split",
                u32::from(size) * 8
            )
        })
    }

    /// The bus as the panel sees it.
    pub fn wires(&self, port: Port) -> Wires {
        let of = |first, last| bits(self.timing, first, last);
        let phases = |first| bits(self.serial_timing, first, first + 7);
        let both = |word: u32| (word & 15) + (word >> 4);
        if port == Port::Serial {
            let read = phases(8);
            return Wires {
                kind: Kind::Serial,
                lines: 1,
                three_wire: self.three_wire(),
                own_output: self.serial & OWN_OUTPUT != 0,
                write_ns: nanos(both(phases(0))),
                read_ns: nanos(both(read)),
                access_ns: nanos(read >> 4),
            };
        }
        Wires {
            kind: Kind::Parallel,
            lines: self.lines(),
            three_wire: false,
            own_output: false,
            write_ns: nanos(of(8, 11) + of(0, 5) + of(12, 15)),
            read_ns: nanos(of(24, 27) + of(16, 21) + of(28, 31)),
            access_ns: nanos(of(16, 21)),
        }
    }

    /// The frame that START sends, or why it sends none.
    pub fn frame(&self, signals: &Signals) -> Result<FrameSettings, String> {
        let port = match (self.command_port >> 4 & 0xf, self.data_port >> 4 & 0xf) {
            (0, 1) => Port::Parallel,
            (8, 9) => Port::Serial,
            (command, data) => {
                return Err(format!(
                    "WROI_CMD_ADDR {command:x}, WROI_DATA_ADDR {data:x}: no port that a board has"
                ));
            }
        };
        if let Some(why) = self.obstacle(port, signals) {
            return Err(why);
        }
        if self.source & FROM_MEMORY != 0 {
            return Err("pixels come from memory (SRC_CON), not from the display path".into());
        }
        if self.frame & COMMAND_QUEUE != 0 {
            return Err("commands come from the queue (WROI_CON), which is not modelled".into());
        }
        if self.tearing & 1 != 0 {
            return Err("the frame waits for the tearing signal (TECON), not modelled".into());
        }
        let wires = self.wires(port);
        let lines = [8, 16, 9, 18][bits(self.frame, 6, 7) as usize];
        let wanted = if port == Port::Serial { 8 } else { wires.lines };
        if lines != wanted {
            return Err(format!(
                "WROI_CON sends pixels to {lines} lines, the bus has {wanted}"
            ));
        }
        let format = match bits(self.frame, 3, 5) {
            2 => WireFormat::Rgb565,
            3 => WireFormat::Rgb666Packed,
            4 => WireFormat::Rgb888,
            code => {
                return Err(format!(
                    "WROI_CON has format {code}, which no panel here takes"
                ));
            }
        };
        let size = (bits(self.size, 0, 15), bits(self.size, 16, 31));
        let steps = match (port, format) {
            // Clocks; a ninth one for each byte on three wires.
            (Port::Serial, format) => format.bytes() * if wires.three_wire { 9 } else { 8 },
            (_, WireFormat::Rgb565) => 16_u32.div_ceil(u32::from(lines)),
            (_, WireFormat::Rgb666Packed) if lines == 8 => 3,
            (_, WireFormat::Rgb666Packed) => 18_u32.div_ceil(u32::from(lines)),
            _ => 24_u32.div_ceil(u32::from(lines)),
        };
        Ok(FrameSettings {
            frame: BusFrame {
                wires,
                format,
                pad_high: self.frame & 4 != 0,
                low_first: self.frame & 2 != 0,
            },
            size: (size.0 as usize, size.1 as usize),
            steps,
        })
    }
}

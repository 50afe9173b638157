//! DBI: the LCD controller, for panels on a parallel (8080) or a serial bus.
//! Of use to all others for one register, the reset line LRSTB.
//!
//! Software puts commands and parameters on the bus and reads answers through
//! the ports of the block, one access at a time; the processor waits for each
//! as long as the bus takes. Pixels come out of the display path after COLOR
//! and BLS, a frame at a time. Only port 0 of either bus has pads.
//!
//! Source: facts/display.md 5.3 and 8.1.

mod registers;
#[cfg(test)]
mod tests;

pub use registers::RegisterBlock;

use crate::reg::{Update, Write};
use crate::time::{Micros, idle};
use arbitrary_int::{u3, u4, u6};
use registers::{
    ABORT, BUSY, BusCode, FRAME, FROM_MEMORY, FrameControl, PARALLEL_PORT, PORT_SHIFT,
    ParallelTiming, ParallelWidth, PixelCode, Port, SERIAL_PORT, SYNC_COUNT, SYNC_SIZE,
    SerialConfig, SerialTiming, TEARING,
};
use volatile_register::RW;

const SET_COLUMN_ADDRESS: u8 = 0x2A;
const SET_PAGE_ADDRESS: u8 = 0x2B;
const WRITE_MEMORY_START: u8 = 0x2C;
/// A frame of the largest panel on the slowest serial bus.
const FRAME_LIMIT: Micros = Micros::from_ms(600);

/// Why the LCD controller did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum DbiError {
    /// A frame does not end.
    Busy,
    /// No bus is configured.
    Bus,
}

impl DbiError {
    /// Short code for screen and log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Busy => "DBI-BUSY",
            Self::Bus => "DBI-BUS",
        }
    }
}

/// Data lines of a parallel bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are numbers")]
pub enum Lines {
    Eight,
    Nine,
    Sixteen,
    Eighteen,
}

/// How wide the processor writes one command or parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are numbers of bits")]
pub enum Width {
    Bits8,
    Bits16,
    Bits32,
}

/// One access on a parallel bus, in cycles of the controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cycle {
    /// From chip select to strobe, 0 to 15.
    pub setup: u8,
    /// The strobe, 1 to 63.
    pub strobe: u8,
    /// From strobe to the end of chip select, 0 to 15.
    pub hold: u8,
}

/// A bus with a panel on it. Numbers that are too large for their registers
/// become the largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bus {
    /// The 8080 bus.
    Parallel {
        /// Data lines.
        lines: Lines,
        /// Commands and parameters.
        width: Width,
        /// A write.
        write: Cycle,
        /// A read: sampled at the end of the strobe.
        read: Cycle,
    },
    /// The serial bus, in units of eight bits.
    Serial {
        /// A ninth bit, not a line, tells parameters from commands.
        three_wire: bool,
        /// Answers come on LSDI, not on LSDA.
        own_output: bool,
        /// The clock rests high.
        idle_high: bool,
        /// Phases of the clock in a write, in cycles 0 to 15.
        write: [u8; 2],
        /// Phases of the clock in a read.
        read: [u8; 2],
        /// Chip select before and after the clock.
        select: [u8; 2],
    },
}

/// Frames on the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pixels {
    /// The panel's registers have 16-bit addresses and hold a parameter each.
    pub wide: bool,
    /// Bits.
    pub format: PixelFormat,
    /// Narrower than the bus, they are padded on the upper lines.
    pub pad_high: bool,
    /// The lower part of a pixel in several accesses goes first.
    pub low_first: bool,
}

/// Bits of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum PixelFormat {
    Rgb565,
    Rgb666,
    Rgb888,
}

/// The controller.
pub struct Dbi {
    regs: &'static RegisterBlock,
    bus: Option<Bus>,
}

impl Dbi {
    /// The driver of the block `regs`.
    pub const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs, bus: None }
    }

    /// Drives LRSTB: high lets the panel run, low holds it in reset.
    ///
    /// The gate ([`crate::mmsys::Mmsys::open_dsi`]) must be open, and the pad
    /// in its mode: pin 59 in mode 2 or pin 54 in mode 3.
    pub fn set_panel_reset(&mut self, high: bool) {
        self.regs.reset.put(u32::from(high));
    }

    /// The level that LRSTB was given.
    pub fn panel_reset(&self) -> bool {
        self.regs.reset.read() & 1 != 0
    }

    /// Sets port 0 of `bus` up. The gates ([`crate::mmsys::Mmsys::open_dbi`]
    /// and those of TOPCKGEN) must be open and the pads in their modes.
    pub fn configure(&mut self, bus: &Bus) {
        let regs = self.regs;
        regs.int_enable.put(0);
        regs.sync_size.put(SYNC_SIZE);
        regs.sync_count.put(SYNC_COUNT);
        regs.tearing.update(|tearing| tearing & !TEARING);
        regs.source_control.update(|source| source & !FROM_MEMORY);
        match *bus {
            Bus::Parallel {
                lines, write, read, ..
            } => {
                let timing = ParallelTiming::DEFAULT
                    .with_write_setup(four(write.setup))
                    .with_write_strobe(six(write.strobe))
                    .with_write_hold(four(write.hold))
                    .with_read_setup(four(read.setup))
                    .with_read_strobe(six(read.strobe))
                    .with_read_hold(four(read.hold));
                let width = ParallelWidth::DEFAULT.with_lines(lines.code());
                regs.parallel_width.put(width.raw_value());
                regs.parallel_timing[0].put(timing.raw_value());
            }
            Bus::Serial {
                three_wire,
                own_output,
                idle_high,
                write,
                read,
                select,
            } => {
                let config = SerialConfig::DEFAULT
                    .with_three_wire(three_wire)
                    .with_own_output(own_output)
                    .with_idle_high(idle_high)
                    .with_hardware_select(true);
                let timing = SerialTiming::DEFAULT
                    .with_write_first(four(write[0]))
                    .with_write_second(four(write[1]))
                    .with_read_first(four(read[0]))
                    .with_read_second(four(read[1]))
                    .with_select_setup(four(select[0]))
                    .with_select_hold(four(select[1]));
                regs.serial_config.put(config.raw_value());
                regs.serial_timing[0].put(timing.raw_value());
            }
        }
        self.bus = Some(*bus);
    }

    /// Sends a command.
    pub fn command(&mut self, command: u16) -> Result<(), DbiError> {
        let (port, width) = self.port()?;
        width.write(&port.command, command);
        Ok(())
    }

    /// Sends a parameter of the last command.
    pub fn parameter(&mut self, value: u16) -> Result<(), DbiError> {
        let (port, width) = self.port()?;
        width.write(&port.data, value);
        Ok(())
    }

    /// Reads what the panel answers to the last command next.
    pub fn answer(&mut self) -> Result<u16, DbiError> {
        let (port, width) = self.port()?;
        Ok(width.read(&port.data))
    }

    /// The port of the bus, when no frame is on it.
    fn port(&mut self) -> Result<(&'static Port, Width), DbiError> {
        let bus = self.bus.ok_or(DbiError::Bus)?;
        self.wait()?;
        Ok(match bus {
            Bus::Parallel { width, .. } => (&self.regs.parallel[0], width),
            Bus::Serial { .. } => (&self.regs.serial[0], Width::Bits8),
        })
    }

    /// Sends one of the standard's commands.
    fn standard(&mut self, command: u8, parameters: &[u8], wide: bool) -> Result<(), DbiError> {
        if !wide {
            self.command(command.into())?;
            let mut parameters = parameters.iter();
            return parameters.try_for_each(|&value| self.parameter(value.into()));
        }
        let first = u16::from(command) << 8;
        if parameters.is_empty() {
            return self.command(first);
        }
        for (register, &value) in (first..).zip(parameters) {
            self.command(register)?;
            self.parameter(value.into())?;
        }
        Ok(())
    }

    /// Starts a frame of `width` by `height` pixels, out of the display path
    /// and to the whole of the panel's memory.
    pub fn start_frame(
        &mut self,
        pixels: Pixels,
        (width, height): (u16, u16),
    ) -> Result<(), DbiError> {
        let bus = self.bus.ok_or(DbiError::Bus)?;
        self.standard(SET_COLUMN_ADDRESS, &window(width), pixels.wide)?;
        self.standard(SET_PAGE_ADDRESS, &window(height), pixels.wide)?;
        self.standard(WRITE_MEMORY_START, &[], pixels.wide)?;
        let regs = self.regs;
        let (port, lines) = match bus {
            Bus::Parallel { lines, .. } => (PARALLEL_PORT, lines.frame_code()),
            Bus::Serial { .. } => (SERIAL_PORT, BusCode::Eight),
        };
        let control = FrameControl::DEFAULT
            .with_format(match pixels.format {
                PixelFormat::Rgb565 => PixelCode::Rgb565,
                PixelFormat::Rgb666 => PixelCode::Rgb666,
                PixelFormat::Rgb888 => PixelCode::Rgb888,
            })
            .with_pad_high(pixels.pad_high)
            .with_low_first(pixels.low_first)
            .with_lines(lines);
        regs.frame_control.put(control.raw_value());
        regs.frame_command_port.put(port << PORT_SHIFT);
        regs.frame_data_port.put((port + 1) << PORT_SHIFT);
        regs.frame_size
            .put(u32::from(height) << 16 | u32::from(width));
        regs.int_status.put(0);
        regs.start.put(0);
        regs.start.put(FRAME);
        Ok(())
    }

    /// Sends a whole frame, as [`Dbi::start_frame`], and waits for its end.
    pub fn frame(&mut self, pixels: Pixels, size: (u16, u16)) -> Result<(), DbiError> {
        self.start_frame(pixels, size)?;
        self.wait()
    }

    /// Whether a frame is under way.
    pub fn is_busy(&self) -> bool {
        self.regs.status.read() & BUSY != 0
    }

    /// Waits until no frame is under way; one that does not end is ended.
    pub fn wait(&mut self) -> Result<(), DbiError> {
        if !self.is_busy() {
            return Ok(());
        }
        idle(FRAME_LIMIT, || !self.is_busy()).map_err(|_| {
            self.regs.start.put(0);
            self.regs.start.put(ABORT);
            self.regs.start.put(0);
            DbiError::Busy
        })
    }
}

/// A window from 0 to the end of a side.
const fn window(size: u16) -> [u8; 4] {
    let [high, low] = size.saturating_sub(1).to_be_bytes();
    [0, 0, high, low]
}

fn four(value: u8) -> u4 {
    u4::new(value.min(15))
}

fn six(value: u8) -> u6 {
    u6::new(value.min(63))
}

impl Lines {
    /// As PARALLEL_DW has it.
    const fn code(self) -> u3 {
        match self {
            Self::Eight => u3::new(0),
            Self::Nine => u3::new(1),
            Self::Sixteen => u3::new(2),
            Self::Eighteen => u3::new(3),
        }
    }

    const fn frame_code(self) -> BusCode {
        match self {
            Self::Eight => BusCode::Eight,
            Self::Nine => BusCode::Nine,
            Self::Sixteen => BusCode::Sixteen,
            Self::Eighteen => BusCode::Eighteen,
        }
    }
}

impl Width {
    fn write(self, register: &RW<u32>, value: u16) {
        match self {
            Self::Bits8 => narrow::<u8>(register).put(value as u8),
            Self::Bits16 => narrow::<u16>(register).put(value),
            Self::Bits32 => register.put(value.into()),
        }
    }

    fn read(self, register: &RW<u32>) -> u16 {
        match self {
            Self::Bits8 => narrow::<u8>(register).read().into(),
            Self::Bits16 => narrow::<u16>(register).read(),
            // The upper bits are those of wider buses' pixels.
            Self::Bits32 => register.read() as u16,
        }
    }
}

/// The lower part of a register, for accesses as wide as that.
fn narrow<T: Copy>(register: &RW<u32>) -> &RW<T> {
    const { assert!(size_of::<T>() <= 4 && cfg!(target_endian = "little")) }
    // SAFETY: only called for u8 and u16, which lie inside the register, are
    // aligned there and have no invalid values.
    unsafe { &*core::ptr::from_ref(register).cast() }
}

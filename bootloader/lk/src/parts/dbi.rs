//! Panels on the buses of the LCD controller: from the words of the table to
//! those of the driver.
//!
//! Source: facts/display.md 1.3 and 8.1.

use mt6572_hal::clocks::Gate;
use mt6572_hal::display::dbi::{Bus, Cycle, DbiError, Lines, PixelFormat, Pixels, Width};
use unilk_board_db::{BusCycle, LaneFormat, OP_REGISTERS, OP_WORDS, PanelBus, PanelRow};
use unilk_core::identify::link;

use super::hardware::Hardware;

/// Clocks of the bus and of its pads.
const GATES: [Gate; 5] = [
    Gate::DbiBclk,
    Gate::DbiPad0,
    Gate::DbiPad1,
    Gate::DbiPad2,
    Gate::DbiPad3,
];

/// Clocks, pads and cycles of `bus`. False: it is none of the LCD controller's,
/// or somebody else has one of its pads.
pub fn open(hardware: &mut Hardware, bus: PanelBus) -> bool {
    let Some(set_up) = driver_bus(bus).filter(|_| link::is_free(bus, hardware)) else {
        return false;
    };
    for pad in link::pads(bus) {
        hardware.claim(pad);
    }
    let hal = &mut hardware.hal;
    for gate in GATES {
        hal.topckgen.open(gate);
    }
    hal.mmsys.open_dbi();
    hal.dbi.configure(&set_up);
    true
}

/// Pads of `bus` as they were, and its clocks off.
pub fn close(hardware: &mut Hardware, bus: PanelBus) {
    for pad in link::pads(bus) {
        hardware.unclaim(pad);
    }
    let hal = &mut hardware.hal;
    hal.mmsys.close_dbi();
    for gate in GATES {
        hal.topckgen.close(gate);
    }
}

fn driver_bus(bus: PanelBus) -> Option<Bus> {
    let cycle = |cycle: BusCycle| Cycle {
        setup: cycle.setup,
        strobe: cycle.strobe,
        hold: cycle.hold,
    };
    Some(match bus {
        PanelBus::Dsi | PanelBus::Dpi => return None,
        PanelBus::Parallel(bus) => Bus::Parallel {
            lines: match bus.width {
                8 => Lines::Eight,
                9 => Lines::Nine,
                16 => Lines::Sixteen,
                _ => Lines::Eighteen,
            },
            width: match bus.access {
                8 => Width::Bits8,
                16 => Width::Bits16,
                _ => Width::Bits32,
            },
            write: cycle(bus.write),
            read: cycle(bus.read),
        },
        PanelBus::Serial(bus) => Bus::Serial {
            three_wire: bus.three_wire,
            own_output: bus.own_output,
            idle_high: bus.idle_high,
            write: bus.write,
            read: bus.read,
            select: bus.select,
        },
    })
}

/// How the frames of `panel` go out.
pub fn pixels(panel: &PanelRow) -> Pixels {
    let (wide, pad_high, low_first) = match panel.bus {
        PanelBus::Parallel(bus) => (bus.wide, bus.pad_high, bus.low_first),
        _ => (false, false, false),
    };
    Pixels {
        wide,
        pad_high,
        low_first,
        format: match panel.format {
            LaneFormat::Rgb565 => PixelFormat::Rgb565,
            LaneFormat::Rgb666Loose | LaneFormat::Rgb666Packed => PixelFormat::Rgb666,
            LaneFormat::Rgb888 => PixelFormat::Rgb888,
        },
    }
}

/// Sends a write of the table: bytes, words of 16 bits, or words to one
/// register after the other.
pub fn write(hardware: &mut Hardware, data_type: u8, payload: &[u8]) -> Result<(), DbiError> {
    let dbi = &mut hardware.hal.dbi;
    let mut send = |at: usize, word: u16| match at {
        0 => dbi.command(word),
        _ => dbi.parameter(word),
    };
    match (data_type, payload) {
        (OP_REGISTERS, &[high, low, ref values @ ..]) => {
            let mut registers = (u16::from_be_bytes([high, low])..).zip(values);
            registers.try_for_each(|(register, &value)| {
                send(0, register)?;
                send(1, value.into())
            })
        }
        (OP_WORDS, _) => {
            let words = payload.as_chunks::<2>().0.iter().enumerate();
            let mut words = words.map(|(at, &word)| (at, u16::from_be_bytes(word)));
            words.try_for_each(|(at, word)| send(at, word))
        }
        _ => {
            let mut bytes = payload.iter().enumerate();
            bytes.try_for_each(|(at, &byte)| send(at, byte.into()))
        }
    }
}

/// Reads words of 16 bits, little endian, after the command `register`. False:
/// nobody is there. Lines that nobody drives keep what was last sent.
pub fn read(hardware: &mut Hardware, register: u16, buf: &mut [u8]) -> Result<bool, DbiError> {
    let dbi = &mut hardware.hal.dbi;
    dbi.command(register)?;
    let mut echo = true;
    for word in buf.as_chunks_mut::<2>().0 {
        let answer = dbi.answer()?;
        echo &= answer == register;
        *word = answer.to_le_bytes();
    }
    Ok(!echo)
}

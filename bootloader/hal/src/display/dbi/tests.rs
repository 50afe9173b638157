//! The LCD controller on a block of memory.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::reg::{leaked, poke};

const PARALLEL: Bus = Bus::Parallel {
    lines: Lines::Eighteen,
    width: Width::Bits16,
    write: Cycle {
        setup: 1,
        strobe: 4,
        hold: 2,
    },
    read: Cycle {
        setup: 5,
        strobe: 18,
        hold: 3,
    },
};
const SERIAL: Bus = Bus::Serial {
    three_wire: true,
    own_output: false,
    idle_high: true,
    write: [1, 2],
    read: [3, 4],
    select: [5, 99],
};

#[test]
fn high_is_released() {
    let regs: &RegisterBlock = leaked();
    let mut dbi = Dbi::new(regs);
    dbi.set_panel_reset(true);
    assert_eq!(regs.reset.read(), 1);
    assert!(dbi.panel_reset());
    dbi.set_panel_reset(false);
    assert_eq!(regs.reset.read(), 0);
}

#[test]
fn a_parallel_bus_and_its_accesses() {
    let regs: &RegisterBlock = leaked();
    let mut dbi = Dbi::new(regs);
    assert_eq!(dbi.command(0x2A), Err(DbiError::Bus));
    regs.tearing.put(0x8001);
    dbi.configure(&PARALLEL);
    assert_eq!(regs.parallel_width.read(), 3);
    assert_eq!(regs.parallel_timing[0].read(), 0x3512_2104);
    assert_eq!(regs.tearing.read(), 0x8000, "frames wait for nobody");
    assert_eq!(regs.sync_size.read(), 0x0001_0001);
    for port in &regs.parallel {
        port.command.put(0xEEEE_EEEE);
        port.data.put(0x1234_5678);
    }
    dbi.command(0xF000).unwrap();
    assert_eq!(regs.parallel[0].command.read(), 0xEEEE_F000);
    assert_eq!(dbi.answer(), Ok(0x5678));
    dbi.parameter(0x55).unwrap();
    assert_eq!(regs.parallel[0].data.read(), 0x1234_0055);
    assert_eq!(regs.parallel[1].command.read(), 0xEEEE_EEEE);
}

#[test]
fn each_access_is_as_wide_as_the_panel_wants_it() {
    for (width, command) in [
        (Width::Bits8, 0xEEEE_EE2A),
        (Width::Bits16, 0xEEEE_002A),
        (Width::Bits32, 0x0000_002A),
    ] {
        let regs: &RegisterBlock = leaked();
        regs.parallel[0].command.put(0xEEEE_EEEE);
        let mut dbi = Dbi::new(regs);
        let Bus::Parallel {
            lines, write, read, ..
        } = PARALLEL
        else {
            unreachable!()
        };
        dbi.configure(&Bus::Parallel {
            lines,
            width,
            write,
            read,
        });
        dbi.command(0x2A).unwrap();
        assert_eq!(regs.parallel[0].command.read(), command, "{width:?}");
    }
}

#[test]
fn a_serial_bus_and_its_accesses() {
    let regs: &RegisterBlock = leaked();
    let mut dbi = Dbi::new(regs);
    dbi.configure(&SERIAL);
    assert_eq!(regs.serial_config.read(), 1 << 24 | 0x48);
    assert_eq!(regs.serial_timing[0].read(), 0x005F_3412);
    dbi.command(0xD3).unwrap();
    dbi.parameter(0x01).unwrap();
    assert_eq!(regs.serial[0].command.read(), 0xD3);
    assert_eq!(regs.serial[0].data.read(), 0x01);
}

#[test]
fn a_frame_says_where_it_goes_and_how_its_pixels_look() {
    let pixels = Pixels {
        wide: true,
        format: PixelFormat::Rgb666,
        pad_high: true,
        low_first: false,
    };
    let regs: &RegisterBlock = leaked();
    let mut dbi = Dbi::new(regs);
    dbi.configure(&PARALLEL);
    dbi.start_frame(pixels, (320, 480)).unwrap();
    assert_eq!(regs.frame_control.read(), (3 << 6) | (3 << 3) | (1 << 2));
    assert_eq!(regs.frame_size.read(), (0x1E0 << 16) | 0x140);
    assert_eq!(
        (regs.frame_command_port.read(), regs.frame_data_port.read()),
        (0, 0x10)
    );
    assert_eq!(regs.start.read(), FRAME);
    assert_eq!(regs.parallel[0].command.read(), 0x2C00);
    assert_eq!(regs.parallel[0].data.read(), 0xDF, "the last of 480 lines");
    dbi.configure(&SERIAL);
    let narrow = Pixels {
        wide: false,
        ..pixels
    };
    dbi.start_frame(narrow, (240, 240)).unwrap();
    assert_eq!(regs.serial[0].command.read(), 0x2C);
    assert_eq!(regs.serial[0].data.read(), 239);
    assert_eq!(
        (regs.frame_command_port.read(), regs.frame_data_port.read()),
        (0x80, 0x90)
    );
    assert_eq!(regs.frame_control.read(), 3 << 3 | 1 << 2);
}

#[test]
fn a_frame_that_does_not_end_is_ended() {
    let regs: &RegisterBlock = leaked();
    let mut dbi = Dbi::new(regs);
    dbi.configure(&PARALLEL);
    poke(&regs.status, BUSY);
    assert!(dbi.is_busy());
    crate::time::clock::each_tick(move || {
        if regs.start.read() & ABORT != 0 {
            poke(&regs.status, 0);
        }
    });
    assert_eq!(dbi.command(0x28), Err(DbiError::Busy));
    assert!(!dbi.is_busy());
    assert_eq!(dbi.command(0x28), Ok(()));
}

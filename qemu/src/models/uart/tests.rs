//! The UART through its registers, as loaders and kernels use it.

use super::*;
use crate::bus::TestWorld;

const RBR: u32 = 0x00;
const IER: u32 = 0x04;
const FCR: u32 = 0x08;
const LCR: u32 = 0x0c;
const MCR: u32 = 0x10;
const LSR: u32 = 0x14;
const MSR: u32 = 0x18;

/// UART0 with its pins muxed, set up for 921600 8N1 as loaders do it.
fn ready() -> (TestWorld, Uart) {
    let mut world = TestWorld::default();
    world.signals.pin_mode[103] = 1;
    world.signals.pin_mode[104] = 1;
    let mut uart = Uart::new(0);
    uart.reset(Reset::PowerOn, &mut world.cx());
    world.write(&mut uart, FCR, 0x07);
    world.write(&mut uart, 0x24, 3);
    world.write(&mut uart, LCR, 0x83);
    world.write(&mut uart, 0x00, 1);
    world.write(&mut uart, 0x04, 0);
    world.write(&mut uart, LCR, 0x03);
    world.write(&mut uart, 0x28, 27);
    world.write(&mut uart, 0x2c, 13);
    assert!(world.reports.is_empty());
    (world, uart)
}

fn text(world: &TestWorld) -> Vec<u8> {
    world.serial.iter().map(|&(_, byte)| byte).collect()
}

/// 10 bits of 28 cycles of 26 MHz.
const FRAME: Nanos = 10_769;

#[test]
fn a_stuck_transmitter_never_has_room() {
    let (mut world, uart) = ready();
    let mut uart = uart.stuck(true);
    world.now += 1_000_000_000;
    assert_eq!(world.read(&mut uart, LSR) & 0x60, 0);
    world.write(&mut uart, RBR, u32::from(b'x'));
    assert!(text(&world).is_empty() && world.reports.is_empty());
}

#[test]
fn frame_times() {
    let at = |highspeed, divisor, lcr| {
        Format {
            clock_hz: 26_000_000,
            highspeed,
            sample_count: 27,
            divisor,
            lcr,
        }
        .frame()
    };
    assert_eq!(at(3, 1, 3), FRAME);
    // 115200: 26 MHz / (16 * 14).
    assert_eq!(at(0, 14, 3), 86_153);
    assert_eq!(at(2, 7, 3), 10_769);
    assert_eq!(at(1, 7, 3), 21_538);
    // 8 data bits, parity, two stop bits: 12 bits.
    assert_eq!(at(0, 14, 0x0f), 103_384);
    // 5 data bits, one and a half stop bits: 7.5 bits.
    assert_eq!(at(0, 14, 0x04), 64_615);
    assert_eq!(at(0, 0, 3), 0);
}

#[test]
fn polled_output_takes_the_time_of_the_line() {
    let (mut world, mut uart) = ready();
    for &byte in b"hello" {
        while world.read(&mut uart, LSR) & 0x20 == 0 {
            world.now += 1_000;
        }
        world.write(&mut uart, RBR, byte.into());
    }
    assert_eq!(text(&world), b"hello");
    assert_eq!(
        world.read(&mut uart, LSR) & 0x60,
        0,
        "one on the wire, one waiting"
    );
    while world.read(&mut uart, LSR) & 0x40 == 0 {
        world.now += 1_000;
    }
    assert!(
        (5 * FRAME..5 * FRAME + 1_000).contains(&world.now),
        "{} ns",
        world.now
    );
    assert!(world.reports.is_empty());
}

#[test]
fn fifo_takes_sixteen_and_one_on_the_wire() {
    let (mut world, mut uart) = ready();
    for byte in 0..17 {
        world.write(&mut uart, RBR, byte);
    }
    assert!(world.reports.is_empty());
    world.write(&mut uart, RBR, 17);
    assert_eq!(world.reports[0].kind, GuestError::Refused);
    assert_eq!(world.serial.len(), 17);
    world.now = FRAME;
    world.write(&mut uart, RBR, 18);
    assert_eq!(world.reports.len(), 1);
}

#[test]
fn the_52_mhz_clock_halves_the_time() {
    let (mut world, mut uart) = ready();
    world.signals.clk_mux_sel = 1;
    world.write(&mut uart, RBR, 0x41);
    world.now = FRAME / 2 + 1;
    assert_eq!(world.read(&mut uart, LSR) & 0x40, 0x40);
}

#[test]
fn a_pin_that_belongs_to_the_modem_sends_nothing() {
    let (mut world, mut uart) = ready();
    world.signals.pin_mode[104] = 5;
    world.write(&mut uart, RBR, 0x41);
    world.write(&mut uart, RBR, 0x42);
    assert!(world.serial.is_empty());
    assert_eq!(world.log.len(), 1, "said once: {:?}", world.log);
    assert!(world.log[0].contains("pin 104"));
    world.signals.pin_mode[104] = 1;
    world.write(&mut uart, RBR, 0x43);
    assert_eq!(text(&world), b"C");
}

#[test]
fn escape_enable_must_be_cleared() {
    let (mut world, mut uart) = ready();
    world.write(&mut uart, 0x44, 1);
    world.write(&mut uart, RBR, 0x41);
    assert!(world.serial.is_empty());
    assert!(world.log[0].contains("ESCAPE_EN"));
    world.write(&mut uart, 0x44, 0);
    world.write(&mut uart, RBR, 0x42);
    assert_eq!(text(&world), b"B");
}

#[test]
fn software_flow_control_escapes_its_characters() {
    let (mut world, mut uart) = ready();
    world.write(&mut uart, 0x40, 0x77);
    world.write(&mut uart, 0x44, 1);
    world.write(&mut uart, LCR, 0xbf);
    world.write(&mut uart, 0x08, 0x1a);
    world.write(&mut uart, 0x10, 0x11);
    world.write(&mut uart, 0x18, 0x13);
    world.write(&mut uart, LCR, 0x03);
    for byte in [0x41, 0x11, 0x77] {
        world.write(&mut uart, RBR, byte);
    }
    assert_eq!(text(&world), [0x41, 0x77, !0x11, 0x77, !0x77]);
}

#[test]
fn lcr_banks_the_registers() {
    let (mut world, mut uart) = ready();
    world.write(&mut uart, MCR, 0x03);
    world.write(&mut uart, 0x1c, 0x5a);
    world.write(&mut uart, LCR, 0xbf);
    world.write(&mut uart, 0x08, 0x10);
    world.write(&mut uart, 0x10, 0x11);
    world.write(&mut uart, 0x1c, 0x99);
    assert_eq!(world.read(&mut uart, 0x08), 0x10);
    assert_eq!(world.read(&mut uart, 0x10), 0x11);
    assert_eq!(world.read(&mut uart, 0x00), 1, "DLL shows here too");
    world.write(&mut uart, LCR, 0x03);
    assert_eq!(world.read(&mut uart, MCR), 0x03);
    assert_eq!(world.read(&mut uart, 0x1c), 0x5a);
    assert_eq!(world.read(&mut uart, 0x08), 0xc1);
    world.write(&mut uart, IER, 0xf0);
    assert_eq!(world.read(&mut uart, IER), 0xf0, "enhanced features are on");
    assert!(world.reports.is_empty());
}

#[test]
fn receive_interrupts_at_the_trigger_level_and_after_silence() {
    let (mut world, mut uart) = ready();
    world.write(&mut uart, FCR, 0x41);
    world.write(&mut uart, IER, 0x01);
    for byte in b"abc" {
        uart.receive(*byte, &mut world.cx());
    }
    assert!(!world.irq.get(31), "the trigger level is 4");
    world.advance(&mut uart, 4 * FRAME);
    assert!(world.irq.get(31));
    assert_eq!(world.read(&mut uart, FCR), 0xcc);
    assert_eq!(world.read(&mut uart, RBR), 0x61);
    assert!(!world.irq.get(31));
    uart.receive(b'd', &mut world.cx());
    uart.receive(b'e', &mut world.cx());
    assert_eq!(world.read(&mut uart, FCR), 0xc4);
    for expected in b"bcde" {
        assert_eq!(world.read(&mut uart, LSR) & 1, 1);
        assert_eq!(world.read(&mut uart, RBR), u32::from(*expected));
    }
    assert_eq!(world.read(&mut uart, LSR) & 1, 0);
    assert!(!world.irq.get(31));
    assert_eq!(uart.deadline(), None);
}

#[test]
fn an_overrun_is_a_line_status_interrupt() {
    let (mut world, mut uart) = ready();
    world.write(&mut uart, IER, 0x05);
    for byte in 0..17 {
        uart.receive(byte, &mut world.cx());
    }
    assert_eq!(world.read(&mut uart, FCR), 0xc6);
    assert_eq!(world.read(&mut uart, LSR) & 0x03, 0x03);
    assert_eq!(world.read(&mut uart, LSR) & 0x02, 0, "reading clears it");
    assert_eq!(world.read(&mut uart, FCR), 0xc4);
}

#[test]
fn transmit_interrupt() {
    let (mut world, mut uart) = ready();
    world.write(&mut uart, IER, 0x02);
    assert!(world.irq.get(31), "empty when asked for");
    assert_eq!(world.read(&mut uart, FCR), 0xc2);
    assert!(!world.irq.get(31), "reading IIR acknowledges");
    for byte in 0..3 {
        world.write(&mut uart, RBR, byte);
    }
    world.advance(&mut uart, 2 * FRAME - 1);
    assert!(!world.irq.get(31));
    world.advance(&mut uart, 2 * FRAME);
    assert!(world.irq.get(31), "the third is on the wire");
    world.write(&mut uart, RBR, 3);
    assert!(!world.irq.get(31), "writing THR acknowledges");
}

#[test]
fn loop_back_stays_inside() {
    let (mut world, mut uart) = ready();
    world.write(&mut uart, MCR, 0x1a);
    assert_eq!(
        world.read(&mut uart, MSR) & 0xf0,
        0x90,
        "RTS and OUT2 as CTS and DCD"
    );
    world.write(&mut uart, RBR, 0x5a);
    assert_eq!(world.read(&mut uart, RBR), 0x5a);
    assert!(world.serial.is_empty());
    world.write(&mut uart, MCR, 0x10);
    assert_eq!(world.read(&mut uart, MSR), 0x09, "CTS and DCD have changed");
    assert_eq!(world.read(&mut uart, MSR), 0x00);
}

/// A kernel's way to find the depth: 256 characters at once in loop-back.
#[test]
fn fifo_depth_can_be_measured() {
    let (mut world, mut uart) = ready();
    world.write(&mut uart, MCR, 0x10);
    for byte in 0..256 {
        world.write(&mut uart, RBR, byte);
    }
    world.now = 20_000_000;
    let mut depth = 0;
    while world.read(&mut uart, LSR) & 1 != 0 {
        assert_eq!(world.read(&mut uart, RBR), depth);
        depth += 1;
    }
    assert_eq!(depth, 16);
    assert!(world.reports.is_empty());
}

#[test]
fn second_port_has_its_own_pins_and_interrupt() {
    let mut world = TestWorld::default();
    let mut uart = Uart::new(1);
    world.signals.pin_mode[102] = 1;
    world.write(&mut uart, RBR, 0x41);
    assert_eq!(world.serial, [(1, 0x41)]);
    uart.receive(0x42, &mut world.cx());
    assert_eq!(world.read(&mut uart, LSR) & 1, 0, "RX pin 101 is not muxed");
    world.signals.pin_mode[101] = 1;
    world.write(&mut uart, IER, 1);
    world.signals.cg1 = 1 << 11;
    uart.receive(0x42, &mut world.cx());
    assert!(!world.irq.get(32), "without a clock nothing is received");
    world.signals.cg1 = 0;
    uart.receive(0x42, &mut world.cx());
    assert!(world.irq.get(32));
}

#[test]
fn room_ends_before_a_character_is_lost() {
    let (mut world, mut uart) = ready();
    let mut taken = 0;
    while uart.receive_room() > 0 {
        uart.receive(b'x', &mut world.cx());
        taken += 1;
    }
    assert_eq!(taken, 16);
    assert_eq!(world.read(&mut uart, LSR) & 2, 0, "no overrun");
    world.read(&mut uart, RBR);
    assert_eq!(uart.receive_room(), 1);
    world.write(&mut uart, FCR, 0);
    world.write(&mut uart, FCR, 7);
    world.write(&mut uart, FCR, 0);
    assert_eq!(uart.receive_room(), 1, "without FIFO");
}

#[test]
fn accepts_bytes_and_words_and_refuses_the_rest() {
    let (mut world, mut uart) = ready();
    uart.write(RBR, 1, 0x41, &mut world.cx());
    uart.write(RBR, 2, 0x42, &mut world.cx());
    assert_eq!(text(&world), b"AB");
    for offset in [0x34, 0x38, 0x3c, 0x48, 0x4c, 0x50, 0x9c] {
        world.write(&mut uart, offset, 0);
        assert_eq!(world.read(&mut uart, offset), 0);
    }
    assert!(world.reports.is_empty());
    world.write(&mut uart, LSR, 0);
    world.write(&mut uart, 0x5c, 0);
    uart.read(0x15, 1, &mut world.cx());
    let kinds: Vec<_> = world.reports.iter().map(|report| report.kind).collect();
    assert_eq!(
        kinds,
        [
            GuestError::BadValue,
            GuestError::UnknownRegister,
            GuestError::AccessSize
        ]
    );
}

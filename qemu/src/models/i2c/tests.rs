//! The controller through its registers, as the drivers of the vendor's
//! loader and kernel and of mainline use it.
#![allow(clippy::unwrap_used)]

use super::I2c;
use super::regs::{control, intr};
use crate::board::Board;
use crate::bus::{Block, GuestError, Reset, TEST_MEMORY_BASE, TestWorld};
use crate::models::apdma::ApDma;

const DATA: u32 = 0x00;
const ADDR: u32 = 0x04;
const MASK: u32 = 0x08;
const STAT: u32 = 0x0C;
const CONTROL: u32 = 0x10;
const LEN: u32 = 0x14;
const COUNT: u32 = 0x18;
const DELAY: u32 = 0x1C;
const TIMING: u32 = 0x20;
const START: u32 = 0x24;
const EXT_CONF: u32 = 0x28;
const FIFO_STAT: u32 = 0x30;
const FIFO_CLR: u32 = 0x38;
const IO_CONFIG: u32 = 0x40;
const MULTIMAS: u32 = 0x44;
const SOFTRESET: u32 = 0x50;
const DEBUGSTAT: u32 = 0x64;
const AUX: u32 = 0x6C;

/// A board without clock settings runs its AXI bus at 26 MHz; with TIMING = 2
/// SCL has 361 kHz. Nanoseconds of `halves` half periods.
fn halves(count: u64) -> u64 {
    count * 3 * 12 * 1000 / 26
}

struct Bench {
    world: TestWorld,
    i2c: I2c,
    dma: ApDma,
}

impl Bench {
    /// A chip at 0x38 of `bus` with registers that count up from 0x40.
    fn new(bus: u8, more: &str) -> Bench {
        let text = format!(
            "name = 'x'\n[dram]\nranks_mib = [512]\n[[i2c]]\nname = 'chip'\nbus = {bus}\naddresses = [0x38]\nregisters = {{ 0x40 = [0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49] }}\n{more}"
        );
        let board = Board::parse(&text).unwrap();
        let mut bench = Bench {
            world: TestWorld::default(),
            i2c: I2c::new(bus, &board.i2c),
            dma: ApDma::new(),
        };
        for pin in [105, 106, 113, 114] {
            bench.world.signals.pin_mode[pin] = 1;
        }
        bench.i2c.reset(Reset::PowerOn, &mut bench.world.cx());
        bench.put(&[(TIMING, 2), (IO_CONFIG, 3), (MASK, 0), (STAT, 0x17)]);
        bench
    }

    fn put(&mut self, writes: &[(u32, u32)]) {
        for &(offset, value) in writes {
            self.world.write(&mut self.i2c, offset, value);
        }
    }

    fn get(&mut self, offset: u32) -> u32 {
        self.world.read(&mut self.i2c, offset)
    }

    fn pass(&mut self, ns: u64) {
        let to = self.world.now + ns;
        self.world.advance(&mut self.i2c, to);
    }

    /// Waits for an end; the bits of INTR_STAT and the time that it took.
    fn finish(&mut self) -> (u32, u64) {
        let from = self.world.now;
        while self.get(STAT) == 0 && self.world.now < from + 100_000_000 {
            self.pass(100);
        }
        let bits = self.get(STAT);
        self.put(&[(STAT, bits)]);
        (bits, self.world.now - from)
    }

    /// The loader's PIO write.
    fn send(&mut self, address: u32, bytes: &[u8]) -> u32 {
        self.put(&[
            (ADDR, address << 1),
            (LEN, bytes.len() as u32),
            (COUNT, 1),
            (FIFO_CLR, 1),
            (CONTROL, 0x28),
        ]);
        for &byte in bytes {
            self.put(&[(DATA, u32::from(byte))]);
        }
        self.put(&[(START, 1)]);
        self.finish().0
    }

    fn start_read(&mut self, address: u32, len: u32) {
        self.put(&[
            (ADDR, address << 1 | 1),
            (LEN, len),
            (COUNT, 1),
            (FIFO_CLR, 1),
            (CONTROL, 0x28),
            (START, 1),
        ]);
    }

    fn drain(&mut self) -> Vec<u8> {
        let count = self.get(FIFO_STAT) >> 4 & 0xF;
        (0..count).map(|_| self.get(DATA) as u8).collect()
    }

    /// Write-then-read with the loader's CONTROL, plus `more`.
    fn combined(&mut self, register: u8, len: u32, control: u32) -> (u32, Vec<u8>) {
        self.put(&[
            (ADDR, 0x38 << 1),
            (LEN, 1),
            (AUX, len),
            (COUNT, 2),
            (FIFO_CLR, 1),
            (CONTROL, control),
            (DATA, u32::from(register)),
            (START, 1),
        ]);
        let bits = self.finish().0;
        (bits, self.drain())
    }

    fn kinds(&self) -> Vec<GuestError> {
        self.world
            .reports
            .iter()
            .map(|report| report.kind)
            .collect()
    }
}

#[test]
fn pio_write_and_read_with_a_stop_between() {
    let mut bench = Bench::new(0, "");
    assert_eq!(bench.send(0x38, &[0x41]), intr::COMPLETE);
    bench.start_read(0x38, 3);
    assert_eq!(bench.get(START), 0);
    assert_eq!(bench.finish().0, intr::COMPLETE);
    assert_eq!(bench.get(FIFO_STAT), 3 << 4 | 3 << 8);
    assert_eq!(bench.drain(), [0x41, 0x42, 0x43]);
    assert_eq!(bench.get(FIFO_STAT), 1 | 3 << 8 | 3 << 12);
    assert!(bench.world.reports.is_empty());
}

#[test]
fn a_transaction_takes_its_time() {
    let mut bench = Bench::new(0, "");
    // START, two bytes with their acknowledges, STOP.
    let expected = halves(2 + 18 + 18 + 2);
    bench.put(&[
        (ADDR, 0x70),
        (LEN, 1),
        (COUNT, 1),
        (CONTROL, 0x28),
        (DATA, 1),
        (START, 1),
    ]);
    assert_eq!(bench.get(DEBUGSTAT) & 0xC0, 0xC0, "busy, writing");
    bench.pass(expected - 20);
    assert_eq!(bench.get(STAT), 0);
    bench.pass(40);
    assert_eq!(bench.get(STAT), intr::COMPLETE);
    assert_eq!(bench.get(DEBUGSTAT), 0);
    // The extension of START and STOP: ext_time + 1 periods of the source each.
    bench.put(&[(STAT, 1), (EXT_CONF, 0x8001), (DATA, 1), (START, 1)]);
    bench.pass(expected + 100_000);
    assert_eq!(bench.get(STAT), 0);
    bench.pass(2 * 129 * 12_000 / 26 - 100_000 + 40);
    assert_eq!(bench.get(STAT), intr::COMPLETE);
}

#[test]
fn the_clock_of_the_bus_counts() {
    let took = |mux: u32, timing: u32| {
        let mut bench = Bench::new(0, "");
        bench.world.signals.clk_mux_sel = mux;
        bench.put(&[(TIMING, timing)]);
        bench.start_read(0x38, 8);
        bench.finish().1
    };
    let slow = took(1 << 5, 0x0002);
    let fast = took(4 << 5, 0x000D);
    // 361 and 396.6 kHz, 83 periods.
    assert!((229_000..231_000).contains(&slow), "{slow}");
    assert!((208_000..210_500).contains(&fast), "{fast}");
    assert!(took(4 << 5, 0x0036) > 820_000, "100 kHz");
}

#[test]
fn repeated_start_or_stop_in_between() {
    // A chip that forgets its register address at a STOP shows the difference.
    let mut bench = Bench::new(1, "keep_pointer = false\nfill = 0xEE\n");
    assert_eq!(
        bench.combined(0x44, 2, 0x3A),
        (intr::COMPLETE, vec![0x44, 0x45])
    );
    assert_eq!(
        bench.combined(0x44, 2, 0x38),
        (intr::COMPLETE, vec![0xEE, 0xEE])
    );
    let mut bench = Bench::new(1, "");
    assert_eq!(
        bench.combined(0x44, 2, 0x38),
        (intr::COMPLETE, vec![0x44, 0x45])
    );
    assert!(bench.world.reports.is_empty());
}

#[test]
fn delay_between_transfers_without_repeated_start() {
    let took = |delay| {
        let mut bench = Bench::new(0, "");
        bench.put(&[(DELAY, delay), (ADDR, 0x70), (LEN, 1), (AUX, 1), (COUNT, 2)]);
        bench.put(&[(CONTROL, 0x38), (DATA, 0x40), (START, 1)]);
        let (bits, took) = bench.finish();
        assert_eq!(bits, intr::COMPLETE);
        took
    };
    let more = took(202) - took(2);
    assert!(more.abs_diff(halves(200)) <= 200, "{more}");
}

#[test]
fn several_transfers_of_one_length() {
    let mut bench = Bench::new(0, "");
    bench.put(&[(ADDR, 0x70), (LEN, 2), (COUNT, 3), (CONTROL, 0x28)]);
    for byte in [0x10, 1, 0x20, 2, 0x30, 3] {
        bench.put(&[(DATA, byte)]);
    }
    bench.put(&[(START, 1)]);
    assert_eq!(bench.finish().0, intr::COMPLETE);
    let writes: Vec<_> = bench.i2c.wires().chips()[0]
        .written()
        .iter()
        .map(|write| write.bytes.clone())
        .collect();
    assert_eq!(writes, [[0x10, 1], [0x20, 2], [0x30, 3]]);
    // LEN_CHANGE: the second has the other length.
    bench.put(&[(LEN, 1), (AUX, 2), (COUNT, 2), (CONTROL, 0x68)]);
    bench.put(&[(DATA, 0x40), (DATA, 0x50), (DATA, 5), (START, 1)]);
    assert_eq!(bench.finish().0, intr::COMPLETE);
    let last = bench.i2c.wires().chips()[0].written().last().cloned();
    assert_eq!(last.unwrap().bytes, [0x50, 5]);
}

#[test]
fn nobody_acknowledges() {
    let mut bench = Bench::new(0, "");
    assert_eq!(bench.send(0x39, &[1, 2]), intr::COMPLETE | intr::ACKERR);
    assert_eq!(
        bench.get(FIFO_STAT) >> 4 & 0xF,
        2,
        "what was not sent stays"
    );
    // Without the detection nobody hears of it, and a read is all ones.
    bench.put(&[
        (ADDR, 0x73),
        (FIFO_CLR, 1),
        (LEN, 2),
        (CONTROL, 0x08),
        (START, 1),
    ]);
    assert_eq!(bench.finish().0, intr::COMPLETE);
    assert_eq!(bench.drain(), [0xFF, 0xFF]);
    // A byte in the middle.
    let mut bench = Bench::new(0, "[i2c.faults]\nnack_byte = 2\n");
    assert_eq!(bench.send(0x38, &[1, 2, 3]), intr::COMPLETE | intr::ACKERR);
    assert_eq!(bench.get(FIFO_STAT) >> 4 & 0xF, 1);
}

#[test]
fn pads_decide_who_hears() {
    let mut bench = Bench::new(1, "");
    bench.world.signals.pin_mode[113] = 0;
    assert_eq!(bench.send(0x38, &[1]), intr::COMPLETE | intr::ACKERR);
    assert_eq!(bench.send(0x38, &[1]), intr::COMPLETE | intr::ACKERR);
    assert_eq!(bench.world.log.len(), 1, "{:?}", bench.world.log);
    bench.world.signals.pin_mode[113] = 1;
    assert_eq!(bench.send(0x38, &[1]), intr::COMPLETE);
}

#[test]
fn fifo_has_eight_places() {
    let mut bench = Bench::new(0, "");
    for byte in 0..8 {
        bench.put(&[(DATA, byte)]);
    }
    assert_eq!(bench.get(FIFO_STAT), 1 << 1 | 8 << 4 | 8 << 8);
    assert!(bench.world.reports.is_empty());
    bench.put(&[(DATA, 8)]);
    assert_eq!(bench.drain(), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(bench.get(DATA), 0);
    assert_eq!(bench.kinds(), [GuestError::Refused; 2], "lost; empty");
    bench.put(&[(DATA, 1), (FIFO_CLR, 1)]);
    assert_eq!(bench.get(FIFO_STAT), 1);
    // More than eight received by PIO and not read in time are lost.
    bench.send(0x38, &[0x40]);
    bench.start_read(0x38, 10);
    bench.finish();
    assert_eq!(bench.drain().len(), 8);
    assert_eq!(bench.kinds().len(), 4);
}

#[test]
fn more_than_eight_bytes_can_be_fed_while_it_runs() {
    let mut bench = Bench::new(0, "");
    bench.put(&[(ADDR, 0x70), (LEN, 12), (COUNT, 1), (CONTROL, 0x128)]);
    for byte in 0..8 {
        bench.put(&[(DATA, byte)]);
    }
    bench.put(&[(START, 1)]);
    bench.pass(1_000_000);
    assert_eq!(bench.get(STAT), 0, "it waits for more");
    for byte in 8..12 {
        bench.put(&[(DATA, byte)]);
    }
    assert_eq!(bench.finish().0, intr::COMPLETE);
    let written = &bench.i2c.wires().chips()[0].written()[0].bytes;
    assert_eq!(*written, (0..12).collect::<Vec<u8>>());
    // And if it does not come, the time is up.
    bench.put(&[(DATA, 0), (START, 1)]);
    assert_eq!(bench.finish().0, intr::TIMEOUT);
}

#[test]
fn interrupts_latch_and_are_cleared_by_ones() {
    for (bus, spi) in [(0, 28), (1, 29)] {
        let mut bench = Bench::new(bus, "");
        bench.start_read(0x39, 1);
        bench.pass(1_000_000);
        assert!(!bench.world.irq.get(spi), "masked");
        bench.put(&[(MASK, 0x1F)]);
        assert!(bench.world.irq.get(spi), "but latched");
        bench.put(&[(STAT, intr::COMPLETE)]);
        assert!(bench.world.irq.get(spi));
        assert_eq!(bench.get(STAT), intr::ACKERR);
        bench.put(&[(STAT, intr::ACKERR)]);
        assert!(!bench.world.irq.get(spi));
        bench.start_read(0x38, 1);
        let at = bench.world.now + 1_000_000;
        bench.world.advance(&mut bench.i2c, at);
        assert!(bench.world.irq.get(spi), "by a tick alone");
    }
}

#[test]
fn soft_reset_keeps_what_is_programmed() {
    let mut bench = Bench::new(0, "");
    bench.put(&[(EXT_CONF, 0x1800), (0x48, 0x0100), (DATA, 1)]);
    bench.start_read(0x38, 8);
    bench.pass(50_000);
    assert_ne!(bench.get(DEBUGSTAT), 0);
    bench.put(&[(SOFTRESET, 1)]);
    assert_eq!(bench.get(DEBUGSTAT), 0);
    assert_eq!(bench.get(FIFO_STAT), 1);
    bench.pass(10_000_000);
    assert_eq!(bench.get(STAT), 0);
    assert_eq!(
        [bench.get(TIMING), bench.get(EXT_CONF), bench.get(0x48)],
        [2, 0x1800, 0x100]
    );
    assert_eq!(bench.send(0x38, &[1]), intr::COMPLETE);
    assert!(bench.world.reports.is_empty());
}

#[test]
fn a_stuck_bus() {
    let mut bench = Bench::new(1, "[i2c.faults]\nhold_sda = { from_power = true }\n");
    bench.start_read(0x38, 1);
    bench.pass(1_000_000_000);
    assert_eq!(bench.get(STAT), 0, "without TIMEOUT_EN for ever");
    assert_ne!(bench.get(DEBUGSTAT) & 0x80, 0);
    bench.put(&[(SOFTRESET, 1), (CONTROL, 0x128), (START, 1)]);
    let (bits, took) = bench.finish();
    assert_eq!(bits, intr::TIMEOUT);
    assert!(took > 1_000_000, "{took}");
    bench.put(&[(MULTIMAS, 1), (START, 1)]);
    assert_eq!(bench.get(STAT), intr::ARB_LOST);
    // Held from the middle of a transfer: zeros, and no STOP.
    let mut bench = Bench::new(1, "[i2c.faults]\nhold_sda = { after_bytes = 4 }\n");
    bench.send(0x38, &[0x40]);
    bench.start_read(0x38, 2);
    bench.pass(1_000_000);
    assert_eq!(bench.get(STAT), 0);
    assert_eq!(bench.drain(), [0x40, 0]);
    bench.put(&[(CONTROL, 0x128)]);
    assert_eq!(bench.finish().0, intr::TIMEOUT);
}

#[test]
fn a_clock_line_held_low_ends_by_timeout_or_reset() {
    let mut bench = Bench::new(0, "[i2c.faults]\nhold_scl = true\n");
    assert_eq!(bench.world.signals.pin_applied[105], Some(false));
    assert_eq!(bench.world.signals.pin_applied[106], Some(true));
    bench.start_read(0x38, 1);
    bench.pass(1_000_000_000);
    assert_eq!(bench.get(STAT), 0, "CONTROL has no TIMEOUT_EN");
    assert_eq!(bench.get(DEBUGSTAT) & 0x80, 0x80);
    bench.put(&[(SOFTRESET, 1), (CONTROL, 0x128), (START, 1)]);
    let (bits, took) = bench.finish();
    assert_eq!(bits, intr::TIMEOUT);
    assert!(
        took.abs_diff(super::transfer::BUS_TIMEOUT) < 10_000,
        "{took}"
    );
    assert!(bench.i2c.wires().chips()[0].written().is_empty());
    // Wires elsewhere are free.
    bench.world.signals.pin_mode[105] = 0;
    bench.start_read(0x38, 1);
    assert_eq!(bench.finish().0, intr::COMPLETE | intr::ACKERR);
    assert_eq!(bench.kinds(), []);
}

#[test]
fn too_fast_a_clock_is_not_acknowledged() {
    let mut bench = Bench::new(0, "max_khz = 100\n");
    for _ in 0..2 {
        assert_eq!(bench.send(0x38, &[0]), intr::COMPLETE | intr::ACKERR);
    }
    assert_eq!(bench.kinds(), [GuestError::Refused], "said once");
    let why = &bench.world.reports[0].message;
    assert!(why.contains("SCL at 361 kHz; it follows 100 kHz"), "{why}");
    bench.put(&[(TIMING, 0x0A)]);
    assert_eq!(bench.send(0x38, &[0]), intr::COMPLETE);
    // What most chips follow.
    let mut bench = Bench::new(0, "");
    assert_eq!(bench.send(0x38, &[0]), intr::COMPLETE);
    bench.put(&[(TIMING, 1)]);
    assert_eq!(bench.send(0x38, &[0]), intr::COMPLETE | intr::ACKERR);
    assert_eq!(bench.kinds(), [GuestError::Refused]);
}

#[test]
fn pads_that_drive_high_are_told_of() {
    let mut bench = Bench::new(0, "");
    for outputs in [0, 1, 2, 0xC] {
        bench.put(&[(IO_CONFIG, outputs)]);
        bench.i2c.told_push_pull = false;
        for _ in 0..2 {
            assert_eq!(bench.send(0x38, &[0]), intr::COMPLETE);
        }
    }
    assert_eq!(bench.kinds(), [GuestError::Unmodelled; 4]);
    bench.world.reports.clear();
    bench.put(&[(IO_CONFIG, 0xF)]);
    bench.i2c.told_push_pull = false;
    bench.send(0x38, &[0]);
    assert_eq!(bench.kinds(), []);
}

#[test]
fn clock_stretching_costs_time_or_the_byte() {
    let slow = "[i2c.faults]\nstretch_us = 500\n";
    let mut bench = Bench::new(0, slow);
    bench.start_read(0x38, 1);
    let (bits, took) = bench.finish();
    assert_eq!(bits, intr::COMPLETE);
    assert!((1_000_000..1_100_000).contains(&took), "{took}");
    bench.put(&[(CONTROL, control::ACKERR_DET_EN), (START, 1)]);
    assert_eq!(bench.finish().0, intr::COMPLETE | intr::ACKERR);
}

#[test]
fn a_gated_clock_stops_it() {
    let mut bench = Bench::new(0, "");
    bench.start_read(0x38, 1);
    bench.world.signals.cg1 = 1 << 3;
    bench.i2c.wires_changed(&mut bench.world.cx());
    assert_eq!(bench.i2c.deadline(), None);
    bench.world.now += 1_000_000;
    bench.world.signals.cg1 = 0;
    bench.i2c.wires_changed(&mut bench.world.cx());
    assert_eq!(bench.get(STAT), 0);
    let (bits, took) = bench.finish();
    assert_eq!(bits, intr::COMPLETE);
    assert!(took.abs_diff(halves(40)) < 200, "{took}");
    assert_eq!(bench.kinds(), [GuestError::Gated]);
}

/// Programs an AP-DMA channel of I2C0 without starting it.
fn channel(bench: &mut Bench, base: u32, addr: u32, len: u32) {
    let con = u32::from(base == 0x200);
    for (offset, value) in [(0, 0), (4, 1), (0x18, con), (0x1C, addr), (0x24, len)] {
        bench.world.write(&mut bench.dma, base + offset, value);
    }
}

fn enable(bench: &mut Bench, base: u32) {
    bench.world.write(&mut bench.dma, base + 8, 1);
    bench.i2c.wires_changed(&mut bench.world.cx());
}

fn memory(bench: &mut Bench, offset: usize, len: usize) -> Vec<u8> {
    bench.world.memory.0[offset..offset + len].to_vec()
}

#[test]
fn dma_moves_more_than_the_fifo_holds() {
    let mut bench = Bench::new(0, "");
    bench.world.memory.0 = (0..=255).collect();
    channel(&mut bench, 0x180, TEST_MEMORY_BASE, 201);
    enable(&mut bench, 0x180);
    bench.put(&[
        (ADDR, 0x70),
        (LEN, 201),
        (COUNT, 1),
        (FIFO_CLR, 1),
        (CONTROL, 0x12C),
        (START, 1),
    ]);
    assert_eq!(bench.finish().0, intr::COMPLETE);
    bench.dma.wires_changed(&mut bench.world.cx());
    assert!(bench.world.irq.get(37));
    let written = &bench.i2c.wires().chips()[0].written()[0].bytes;
    assert_eq!(*written, (0..201).collect::<Vec<u8>>());
    // The chip has them now in its registers 0, 1, ...; read them back.
    bench.send(0x38, &[0]);
    channel(&mut bench, 0x200, TEST_MEMORY_BASE + 0x400, 200);
    enable(&mut bench, 0x200);
    bench.put(&[
        (ADDR, 0x71),
        (LEN, 200),
        (COUNT, 1),
        (FIFO_CLR, 1),
        (CONTROL, 0x12C),
        (START, 1),
    ]);
    assert_eq!(bench.finish().0, intr::COMPLETE);
    bench.dma.wires_changed(&mut bench.world.cx());
    assert!(bench.world.irq.get(38));
    assert_eq!(
        memory(&mut bench, 0x400, 200),
        (1..201).collect::<Vec<u8>>()
    );
    assert_eq!(bench.get(FIFO_STAT) & 1, 1);
    assert!(bench.world.reports.is_empty(), "{:?}", bench.world.reports);
}

/// The vendor's kernel starts the receiving channel in the interrupt of the
/// sending one; mainline starts both first.
#[test]
fn combined_dma_in_both_orders() {
    for receiver_first in [true, false] {
        let mut bench = Bench::new(0, "");
        bench.world.memory.0 = vec![0x40; 16];
        channel(&mut bench, 0x180, TEST_MEMORY_BASE, 1);
        channel(&mut bench, 0x200, TEST_MEMORY_BASE + 0x100, 10);
        enable(&mut bench, 0x180);
        if receiver_first {
            enable(&mut bench, 0x200);
        }
        bench.put(&[
            (ADDR, 0x70),
            (LEN, 1),
            (AUX, 10),
            (COUNT, 2),
            (CONTROL, 0x13E),
            (START, 1),
        ]);
        bench.dma.wires_changed(&mut bench.world.cx());
        assert!(bench.world.irq.get(37), "sent at once into the FIFO");
        if !receiver_first {
            bench.pass(1_000_000);
            assert_eq!(bench.get(STAT), 0, "it waits with a full FIFO");
            enable(&mut bench, 0x200);
        }
        assert_eq!(bench.finish().0, intr::COMPLETE);
        assert_eq!(
            memory(&mut bench, 0x100, 10),
            (0x40..0x4A).collect::<Vec<u8>>()
        );
        bench.dma.wires_changed(&mut bench.world.cx());
        assert!(bench.world.irq.get(38));
        assert!(bench.world.reports.is_empty(), "{:?}", bench.world.reports);
    }
}

#[test]
fn a_short_read_waits_in_the_fifo_for_its_channel() {
    let mut bench = Bench::new(0, "");
    bench.send(0x38, &[0x40]);
    bench.put(&[
        (ADDR, 0x71),
        (LEN, 2),
        (FIFO_CLR, 1),
        (CONTROL, 0x2C),
        (START, 1),
    ]);
    assert_eq!(bench.finish().0, intr::COMPLETE);
    channel(&mut bench, 0x200, TEST_MEMORY_BASE, 2);
    enable(&mut bench, 0x200);
    assert_eq!(memory(&mut bench, 0, 2), [0x40, 0x41]);
    let soon = bench.i2c.deadline().unwrap();
    assert!(soon > bench.world.now, "a tick that lets AP_DMA know");
    bench.world.advance(&mut bench.i2c, soon);
    assert_eq!(bench.i2c.deadline(), None);
}

#[test]
fn dma_mistakes() {
    let mut bench = Bench::new(0, "");
    channel(&mut bench, 0x180, 0x1000, 1);
    enable(&mut bench, 0x180);
    bench.put(&[
        (ADDR, 0x70),
        (LEN, 1),
        (COUNT, 1),
        (CONTROL, 0x2C),
        (START, 1),
    ]);
    bench.finish();
    assert_eq!(bench.kinds(), [GuestError::Refused], "no memory there");
    bench.world.reports.clear();
    bench.dma.wires_changed(&mut bench.world.cx());
    channel(&mut bench, 0x180, TEST_MEMORY_BASE, 1);
    enable(&mut bench, 0x180);
    bench.world.signals.cg1 = 1 << 2;
    bench.put(&[(START, 1)]);
    bench.pass(1_000_000);
    assert_eq!(
        (bench.get(STAT), bench.kinds()),
        (0, vec![GuestError::Gated])
    );
}

#[test]
fn is_strict() {
    let mut bench = Bench::new(0, "");
    bench.put(&[(COUNT, 1), (LEN, 0), (START, 1)]);
    bench.put(&[(COUNT, 0), (LEN, 1), (START, 1)]);
    bench.put(&[(COUNT, 2), (AUX, 0), (CONTROL, 0x3A), (START, 1)]);
    bench.put(&[
        (START, 0x8000),
        (COUNT, 1),
        (CONTROL, 0x28),
        (DATA, 0),
        (START, 1),
        (START, 1),
    ]);
    bench.get(0x2C);
    bench.put(&[(FIFO_STAT, 0)]);
    bench.get(SOFTRESET);
    bench.i2c.read(STAT, 1, &mut bench.world.cx());
    use GuestError::{AccessSize, BadValue, Refused, UnknownRegister};
    assert_eq!(
        bench.kinds(),
        [
            BadValue,
            BadValue,
            BadValue,
            BadValue,
            Refused,
            UnknownRegister,
            BadValue,
            BadValue,
            AccessSize
        ]
    );
    bench.world.reports.clear();
    bench.i2c.write(TIMING, 2, 0x1_0003, &mut bench.world.cx());
    assert_eq!(bench.i2c.read(TIMING, 2, &mut bench.world.cx()), 3);
    assert!(bench.world.reports.is_empty());
}

/// The watchdog resets the controller, not the chips.
#[test]
fn a_watchdog_reset_leaves_the_chips_alone() {
    let mut bench = Bench::new(0, "");
    bench.send(0x38, &[0x40, 0x99, 0x98]);
    bench.send(0x38, &[0x40]);
    bench.i2c.reset(Reset::Watchdog, &mut bench.world.cx());
    assert_eq!(bench.get(TIMING), 0);
    bench.put(&[(TIMING, 2)]);
    bench.start_read(0x38, 1);
    bench.finish();
    assert_eq!(bench.drain(), [0x99]);
    bench.i2c.reset(Reset::PowerOn, &mut bench.world.cx());
    bench.put(&[(TIMING, 2)]);
    bench.send(0x38, &[0x40]);
    bench.start_read(0x38, 1);
    bench.finish();
    assert_eq!(bench.drain(), [0x40]);
}

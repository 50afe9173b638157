//! A camera on the bus of a whole phone: gates, pads, interrupts, AP_DMA and
//! the camera's clock as the real blocks make them.
#![allow(clippy::unwrap_used)]

use crate::board::Board;
use crate::bus::{Memory, Nanos};
use crate::machine::{Host, Machine, build};
use crate::report::Event;

const I2C0: u32 = 0x1100_9000;
const DMA_RX: u32 = 0x1100_0200;
const DRAM: u32 = 0x8000_0000;

/// A host with 4 KiB of DRAM that counts.
#[derive(Default)]
struct Desk {
    now: Nanos,
    deadline: Option<Nanos>,
    levels: u128,
    dram: Vec<u8>,
}

impl Memory for Desk {
    fn read(&mut self, _addr: u32, data: &mut [u8]) -> bool {
        data.fill(0);
        true
    }
    fn write(&mut self, addr: u32, data: &[u8]) -> bool {
        let at = addr.wrapping_sub(DRAM) as usize;
        self.dram.resize(0x1000, 0);
        if let Some(to) = self.dram.get_mut(at..at + data.len()) {
            to.copy_from_slice(data);
        }
        true
    }
}

impl Host for Desk {
    fn now(&self) -> Nanos {
        self.now
    }
    fn set_irq(&mut self, spi: u8, level: bool) {
        self.levels = self.levels & !(1 << spi) | u128::from(level) << spi;
    }
    fn serial_out(&mut self, _port: u8, _bytes: &[u8]) {}
    fn map_l2_sram(&mut self, _mapped: bool) {}
    fn set_deadline(&mut self, at: Option<Nanos>) {
        self.deadline = at;
    }
    fn power_core1(&mut self, _on: bool) {}
    fn request_reset(&mut self) {}
    fn request_shutdown(&mut self) {}
}

struct Phone {
    machine: Machine,
    desk: Desk,
}

impl Phone {
    fn new(chips: &str) -> Phone {
        let text = format!("name = 'x'\n[dram]\nranks_mib = [512]\n{chips}");
        let board = Board::parse(&text).unwrap();
        let slots = build::blocks(&board, None).unwrap();
        let mut phone = Phone {
            machine: Machine::new(slots, board, None, 1),
            desk: Desk::default(),
        };
        phone.machine.reset(&mut phone.desk);
        phone
    }

    fn put(&mut self, writes: &[(u32, u32)]) {
        for &(addr, value) in writes {
            self.machine.write(addr, 4, value, &mut self.desk);
        }
    }

    fn get(&mut self, addr: u32) -> u32 {
        self.machine.read(addr, 4, &mut self.desk)
    }

    /// Lets time pass as QEMU does: to one deadline after the other.
    fn pass(&mut self, ns: Nanos) {
        let end = self.desk.now + ns;
        while let Some(at) = self.desk.deadline.filter(|&at| at <= end) {
            self.desk.now = self.desk.now.max(at);
            // It fires once; the machine arms it anew.
            self.desk.deadline = None;
            self.machine.timer(&mut self.desk);
        }
        self.desk.now = end;
    }

    /// Whether the active-low line of this SPI asks for attention.
    fn asks(&self, spi: u8) -> bool {
        self.desk.levels >> spi & 1 == 0
    }

    fn errors(&mut self) -> Vec<String> {
        let events = self.machine.take_events();
        let errors = events.into_iter().filter_map(|event| match event {
            Event::GuestError(fault) => Some(format!("{}: {}", fault.block, fault.message)),
            _ => None,
        });
        errors.collect()
    }

    /// One register of a chip at 0x3C with one-byte register addresses, by
    /// PIO; `None`: not acknowledged.
    fn register(&mut self, register: u32) -> Option<u32> {
        for (addr, read) in [(0x78, false), (0x79, true)] {
            self.put(&[(I2C0 + 0x04, addr), (I2C0 + 0x14, 1), (I2C0 + 0x18, 1)]);
            self.put(&[(I2C0 + 0x38, 1), (I2C0 + 0x10, 0x28)]);
            if !read {
                self.put(&[(I2C0, register)]);
            }
            self.put(&[(I2C0 + 0x24, 1)]);
            self.pass(200_000);
            let bits = self.get(I2C0 + 0x0C);
            self.put(&[(I2C0 + 0x0C, bits)]);
            assert_eq!(bits & 1, 1);
            if bits & 2 != 0 {
                return None;
            }
        }
        Some(self.get(I2C0))
    }
}

const CAMERA: &str = "[[i2c]]
name = 'camera'
bus = 0
addresses = [0x3C]
clock = { from = 'cmmclk', min_mhz = 20, max_mhz = 30 }
pins = [{ pin = 87, role = 'reset', for_ms = 1, edge = true }]
registers = { 0xF0 = [0x20, 0x35] }
";

/// Gates of I2C0 and AP_DMA, its pads, TIMING.
fn open_bus(phone: &mut Phone) {
    phone.put(&[
        (0x1000_0084, 1 << 3 | 1 << 2),
        (0x1000_53D4, 0x110),
        (I2C0 + 0x20, 2),
    ]);
}

/// facts/i2c-touch-camera.md 4.3, after the display domain of facts/soc.md 9.6.
fn start_camera_clock(phone: &mut Phone) {
    phone.put(&[(0x1000_6000, 0x0B16_0001)]);
    for (clear, set) in [
        (0, 1 << 2),
        (0, 1 << 3),
        (0xF00, 0),
        (1 << 4 | 1 << 1, 0),
        (0, 1),
    ] {
        let value = phone.get(0x1000_623C) & !clear | set;
        phone.put(&[(0x1000_623C, value)]);
    }
    phone.put(&[
        (0x1400_0108, 0x0007_0003),
        (0x1000_0080, 2),
        (0x1401_4000, 3 << 10),
        (0x1401_4304, 0x0001_0001),
        (0x1401_4300, 0xA000_0001),
        (0x1401_3410, 1),
        (0x1000_5374, 1 << 24),
    ]);
}

#[test]
fn a_camera_answers_once_its_clock_runs() {
    let mut phone = Phone::new(CAMERA);
    open_bus(&mut phone);
    assert_eq!(phone.register(0xF0), None);
    start_camera_clock(&mut phone);
    assert_eq!(phone.machine.signals.cmmclk_hz, Some(24_000_000));
    // Pin 87: output, high.
    phone.put(&[(0x1000_5024, 1 << 23), (0x1000_5124, 1 << 23)]);
    assert_eq!(phone.register(0xF0), None, "too early");
    phone.pass(1_000_000);
    assert_eq!(phone.register(0xF0), Some(0x20));
    assert_eq!(phone.register(0xF1), Some(0x35));
    phone.put(&[(0x1000_0050, 2)]);
    assert_eq!(phone.register(0xF0), None, "CAM_MM is gated");
    assert_eq!(phone.errors(), Vec::<String>::new());
}

#[test]
fn interrupts_of_the_controller_and_of_the_dma() {
    let mut phone = Phone::new(
        "[[i2c]]\nname = 'c'\nbus = 0\naddresses = [0x3C]\nregisters = { 0 = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] }\n",
    );
    open_bus(&mut phone);
    phone.put(&[
        (DMA_RX + 0x04, 1),
        (DMA_RX + 0x18, 1),
        (DMA_RX + 0x1C, DRAM + 0x100),
        (DMA_RX + 0x24, 12),
        (DMA_RX + 0x08, 1),
        (I2C0 + 0x08, 0x1F),
        (I2C0 + 0x04, 0x79),
        (I2C0 + 0x14, 12),
        (I2C0 + 0x18, 1),
        (I2C0 + 0x10, 0x12C),
        (I2C0 + 0x24, 1),
    ]);
    phone.pass(100_000);
    assert!(!phone.asks(28) && !phone.asks(38));
    phone.pass(300_000);
    assert!(phone.asks(28), "I2C0");
    assert!(phone.asks(38), "AP_DMA, without any access in between");
    assert_eq!(phone.desk.dram[0x100..0x10C], (1..13).collect::<Vec<u8>>());
    phone.put(&[(I2C0 + 0x0C, 1), (DMA_RX, 0)]);
    assert!(!phone.asks(28) && !phone.asks(38));
    assert_eq!(phone.errors(), Vec::<String>::new());
}

#[test]
fn the_gate_is_the_buses() {
    let mut phone = Phone::new(CAMERA);
    phone.get(I2C0 + 0x0C);
    let errors = phone.errors();
    assert!(
        errors.len() == 1 && errors[0].contains("CG1.3"),
        "{errors:?}"
    );
}

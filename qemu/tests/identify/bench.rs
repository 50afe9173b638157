//! Models on a bench: wires that a test drives by hand.

use mt6572_qemu::board::Board;
use mt6572_qemu::bus::{Context, IrqSources, Memory, Nanos, Report};
use mt6572_qemu::signals::Signals;

const MS: Nanos = 1_000_000;

/// No memory: nothing here is a bus master.
struct Nothing;

impl Memory for Nothing {
    fn read(&mut self, _addr: u32, _data: &mut [u8]) -> bool {
        false
    }
    fn write(&mut self, _addr: u32, _data: &[u8]) -> bool {
        false
    }
}

/// Wires and time.
pub struct Bench {
    /// Now.
    pub now: Nanos,
    /// The wires.
    pub signals: Signals,
    /// Guest errors.
    pub reports: Vec<Report>,
    irq: IrqSources,
    memory: Nothing,
    serial: Vec<(u8, u8)>,
    log: Vec<String>,
}

impl Bench {
    /// Pins as this board's preloader leaves them, and its straps; no supply.
    pub fn new(board: &Board) -> Bench {
        let mut signals = board.signals();
        for (pin, pad) in board.pins.pads().iter().enumerate() {
            signals.pin_mode[pin] = pad.mode;
            signals.pin_output[pin] = pad.drives.is_some();
            signals.pin_out_level[pin] = pad.drives == Some(true);
        }
        Bench {
            now: 0,
            signals,
            reports: Vec::new(),
            irq: IrqSources::default(),
            memory: Nothing,
            serial: Vec::new(),
            log: Vec::new(),
        }
    }

    /// Lends everything for one access.
    pub fn cx(&mut self) -> Context<'_> {
        Context {
            now: self.now,
            signals: &mut self.signals,
            irq: &mut self.irq,
            memory: &mut self.memory,
            reports: &mut self.reports,
            serial: &mut self.serial,
            log: &mut self.log,
        }
    }

    /// Lets time pass.
    pub fn wait(&mut self, ms: Nanos) {
        self.now += ms * MS;
    }

    /// Makes a pin a plain output.
    pub fn drive(&mut self, pin: usize, high: bool) {
        self.signals.pin_mode[pin] = 0;
        self.signals.pin_output[pin] = true;
        self.signals.pin_out_level[pin] = high;
    }

    /// Makes a pin a plain input.
    pub fn release(&mut self, pin: usize) {
        self.signals.pin_output[pin] = false;
    }
}

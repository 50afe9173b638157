//! Pins, supplies and blocks, as the askers use them: the wiring of a profile
//! on one side, the drivers on the other.
//!
//! Source: DESIGN.md "Harmless probing"; facts/i2c-touch-camera.md 2.

use core::cell::UnsafeCell;

use embedded_hal::digital::PinState;
use heapless::Vec;
use mt6572_hal::Peripherals;
use mt6572_hal::clocks::Gate;
use mt6572_hal::dma::DmaRegion;
use mt6572_hal::gpio::Pull;
use mt6572_hal::i2c::{self, I2c, MAX_TRANSFER};
use mt6572_hal::mt6323;
use mt6572_hal::pwrap::Pwrap;
use mt6572_hal::time::{self, Micros};
use unilk_board_db::{BusWiring, PinMode, Rail, Supply};
use unilk_core::identify::Strap;
use unilk_core::identify::wiring::{self, Drive, FORBIDDEN_PIN};

/// Pins of the chip.
const PINS: usize = 154;
/// A pad's level follows its resistor within it.
const PULL_SETTLE: Micros = Micros(20);
/// The rate that every touch chip and sensor takes, with room for a source
/// clock that is a fifth faster than believed (facts 1.4).
const BUS_KHZ: u32 = 330;

/// Supplies that a part switched on and has to switch off again.
pub type Switched = Vec<Rail, 8>;

/// The drivers, a second time: for what runs while the main line of the boot
/// waits.
pub struct Hardware {
    /// All drivers.
    pub hal: Peripherals,
    /// Modes of the pins at entry; bit 3 = output, bit 4 = its level.
    entry: [u8; PINS],
    /// Supplies that were switched on here: how many use them, and the
    /// voltage that they were set to before.
    supplies: Vec<(Rail, u8, Option<u16>), 8>,
    /// Whose buffer is lent.
    lent: [bool; 2],
}

#[repr(C, align(64))]
struct Buffer(UnsafeCell<[u8; 2 * MAX_TRANSFER]>);
// SAFETY: each is lent once, by `Hardware::bus`.
unsafe impl Sync for Buffer {}
static BUFFERS: [Buffer; 2] = [const { Buffer(UnsafeCell::new([0; 2 * MAX_TRANSFER])) }; 2];

impl Hardware {
    /// A second set of drivers, and a note of how the pins are now. Pins of
    /// the `console` stay out of reach.
    pub fn new(console: [u8; 2]) -> Self {
        // SAFETY: tasks run only while the main line rests, never in the
        // middle of one of its accesses, and the other way round.
        let mut hal = unsafe { Peripherals::steal() };
        let mut entry = [0xFF; PINS];
        for (number, state) in (0..).zip(&mut entry) {
            if let Some(pin) = hal.gpio.take(number) {
                *state = pin.mode() | u8::from(pin.is_output()) << 3 | u8::from(pin.level()) << 4;
                // Taken for good: nobody else may move these.
                if !console.contains(&number) && number != FORBIDDEN_PIN {
                    hal.gpio.give_back(pin);
                }
            }
        }
        Self {
            hal,
            entry,
            supplies: Vec::new(),
            lent: [false; 2],
        }
    }

    /// Gives a pin one of its functions.
    pub fn set_mode(&mut self, pin: PinMode) {
        if let Some(mut taken) = self.hal.gpio.take(pin.pin) {
            taken.set_mode(pin.mode);
            self.hal.gpio.give_back(taken);
        }
    }

    /// Gives a pin one of its functions, unless it had another at entry or is
    /// driven.
    pub fn claim(&mut self, pin: PinMode) {
        let free = wiring::PinState::mode(self, pin.pin) == Some(0)
            && !wiring::PinState::is_output(self, pin.pin);
        if free {
            self.set_mode(pin);
        }
    }

    /// Undoes [`Hardware::claim`].
    pub fn unclaim(&mut self, pin: PinMode) {
        if let Some(mode) = wiring::PinState::mode(self, pin.pin) {
            self.set_mode(PinMode { mode, ..pin });
        }
    }

    /// Brings a pin to a level, as far as it may be driven.
    pub fn set_level(&mut self, pin: u8, high: bool, drive: Drive) {
        let level = if high { PinState::High } else { PinState::Low };
        match drive {
            Drive::Never => {}
            Drive::Pull => {
                self.float(pin);
                let pull = if high { Pull::Up } else { Pull::Down };
                // A pad without a resistor stays as the board has it.
                let _ = self.hal.pads.set_pull(pin, pull);
            }
            Drive::PushPull => {
                if let Some(taken) = self.hal.gpio.take(pin) {
                    let output = taken.into_output(level);
                    self.hal.gpio.give_back(output);
                }
            }
        }
    }

    /// Makes a pin a plain input.
    pub fn float(&mut self, pin: u8) {
        if let Some(taken) = self.hal.gpio.take(pin) {
            let input = taken.into_input();
            self.hal.gpio.give_back(input);
        }
    }

    /// What the board does to a pin: driven, or open.
    pub fn strap(&mut self, pin: u8) -> Option<Strap> {
        if wiring::PinState::mode(self, pin)? != 0 || wiring::PinState::is_output(self, pin) {
            return None;
        }
        let [up, down] = [Pull::Up, Pull::Down].map(|pull| {
            let _ = self.hal.pads.set_pull(pin, pull);
            time::delay(PULL_SETTLE);
            self.level(pin)
        });
        let _ = self.hal.pads.set_pull(pin, Pull::None);
        match (up?, down?) {
            (true, true) => Some(Strap::High),
            (false, false) => Some(Strap::Low),
            _ => Some(Strap::Open),
        }
    }

    fn level(&mut self, pin: u8) -> Option<bool> {
        let taken = self.hal.gpio.take(pin)?;
        let level = taken.level();
        self.hal.gpio.give_back(taken);
        Some(level)
    }

    /// A pin as it was at entry.
    pub fn restore(&mut self, pin: u8) {
        let Some(mode) = wiring::PinState::mode(self, pin) else {
            return;
        };
        if mode != 0 {
            self.float(pin);
            self.set_mode(PinMode { pin, mode });
        } else if wiring::PinState::is_output(self, pin) {
            let high = self.entry[usize::from(pin)] & 16 != 0;
            self.set_level(pin, high, Drive::PushPull);
        } else {
            self.float(pin);
            // A pad without a resistor never had one.
            let _ = self.hal.pads.set_pull(pin, Pull::None);
        }
    }

    /// Switches a supply on, unless it was on at entry, and notes that in
    /// `switched`. It starts at its lowest voltage.
    pub fn supply(&mut self, supply: Supply, switched: &mut Switched) {
        let rail = rail(supply.rail);
        let pmic = &mut self.hal.pmic;
        let ours = self
            .supplies
            .iter_mut()
            .find(|(known, ..)| *known == supply.rail);
        let already = switched.contains(&supply.rail);
        match ours {
            Some((_, users, _)) if !already => {
                *users += 1;
                let _ = switched.push(supply.rail);
            }
            Some(_) => {}
            None => {
                if pmic.rail_enabled(rail).unwrap_or(true) {
                    return;
                }
                let before = pmic.rail_mv(rail).ok();
                let lowest = mt6323::Mt6323::<Pwrap>::rail_lowest_mv(rail);
                // A rail of one voltage refuses another and is right as it is.
                let _ = pmic.set_rail_mv(rail, lowest);
                if pmic.enable_rail(rail).is_err() {
                    return;
                }
                // There are fewer rails than places.
                let _ = self.supplies.push((supply.rail, 1, before));
                let _ = switched.push(supply.rail);
            }
        }
        let _ = pmic.set_rail_mv(rail, supply.mv);
    }

    /// Switches off what was switched on and nobody else uses.
    pub fn supplies_off(&mut self, switched: &mut Switched) {
        while let Some(supply) = switched.pop() {
            let place = self
                .supplies
                .iter()
                .position(|(known, ..)| *known == supply);
            let Some(place) = place else { continue };
            self.supplies[place].1 -= 1;
            if self.supplies[place].1 > 0 {
                continue;
            }
            let (_, _, before) = self.supplies.swap_remove(place);
            let rail = rail(supply);
            let _ = self.hal.pmic.disable_rail(rail);
            if let Some(mv) = before {
                let _ = self.hal.pmic.set_rail_mv(rail, mv);
            }
        }
    }

    /// The bus of a profile, on its pins. Each controller once.
    pub fn bus(&mut self, wiring: &BusWiring) -> Option<I2c> {
        let hal = &mut self.hal;
        let (gate, (regs, channels)) = match wiring.controller {
            0 => (Gate::I2c0, hal.i2c0),
            1 => (Gate::I2c1, hal.i2c1),
            _ => return None,
        };
        hal.topckgen.open(Gate::ApDma);
        hal.topckgen.open(gate);
        let source = hal.topckgen.axi_khz() / 12;
        let controller = usize::from(wiring.controller);
        if core::mem::replace(&mut self.lent[controller], true) {
            return None;
        }
        // SAFETY: the only use, and `lent` has seen to it that it is the first.
        let buffer = unsafe { &mut *BUFFERS.get(controller)?.0.get() };
        let buffer = DmaRegion::new(buffer).ok()?;
        let mut bus = I2c::new(regs, source).with_dma(channels, buffer);
        bus.set_speed(source, BUS_KHZ);
        bus.reset();
        Some(bus)
    }

    /// Puts a bus on its pins, if they are free or on it already.
    pub fn connect(&mut self, wiring: &BusWiring, known: bool) -> bool {
        let agrees = |pin: PinMode| {
            let mode = wiring::PinState::mode(self, pin.pin);
            mode == Some(pin.mode) || mode == Some(0) && !wiring::PinState::is_output(self, pin.pin)
        };
        let free = known || agrees(wiring.scl) && agrees(wiring.sda);
        if !free {
            return false;
        }
        self.set_mode(wiring.scl);
        self.set_mode(wiring.sda);
        true
    }

    /// Takes a bus off its pins.
    pub fn disconnect(&mut self, wiring: &BusWiring) {
        for pin in [wiring.scl, wiring.sda] {
            let mode = wiring::PinState::mode(self, pin.pin).unwrap_or(pin.mode);
            self.set_mode(PinMode { mode, ..pin });
        }
    }

    /// Nine clocks on the pins of `wiring`; whether both wires are high.
    pub fn recover(&mut self, wiring: &BusWiring) -> bool {
        let gpio = &mut self.hal.gpio;
        let pins = gpio.take(wiring.scl.pin).zip(gpio.take(wiring.sda.pin));
        let Some((scl, sda)) = pins else {
            return false;
        };
        let (mut scl, mut sda, result) = i2c::recover(scl, sda);
        scl.set_mode(wiring.scl.mode);
        sda.set_mode(wiring.sda.mode);
        gpio.give_back(scl);
        gpio.give_back(sda);
        result.is_ok()
    }
}

impl wiring::PinState for Hardware {
    fn mode(&self, pin: u8) -> Option<u8> {
        let state = *self.entry.get(usize::from(pin))?;
        (state != 0xFF).then_some(state & 7)
    }

    fn is_output(&self, pin: u8) -> bool {
        let state = self.entry.get(usize::from(pin));
        state.is_some_and(|&state| state != 0xFF && state & 8 != 0)
    }
}

const fn rail(rail: Rail) -> mt6323::Rail {
    match rail {
        Rail::Vgp1 => mt6323::Rail::Vgp1,
        Rail::Vgp2 => mt6323::Rail::Vgp2,
        Rail::Vgp3 => mt6323::Rail::Vgp3,
        Rail::Vio18 => mt6323::Rail::Vio18,
        Rail::Vio28 => mt6323::Rail::Vio28,
        Rail::Vcama => mt6323::Rail::Vcama,
        Rail::Vcamd => mt6323::Rail::Vcamd,
        Rail::VcamIo => mt6323::Rail::VcamIo,
        Rail::VcamAf => mt6323::Rail::VcamAf,
    }
}

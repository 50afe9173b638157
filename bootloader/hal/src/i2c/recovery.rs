//! Nine clocks for a chip that holds the data wire.
//!
//! A chip that was interrupted in the middle of a byte waits for the rest of
//! its clocks and holds SDA low meanwhile. After nine it has let go or never
//! will. Source: facts/i2c-touch-camera.md 1.8.

use crate::gpio::{Input, Output, Pin};
use crate::time::{Micros, delay};
use embedded_hal::digital::PinState;

/// Half a clock at 100 kHz.
const HALF: Micros = Micros(5);
/// Eight bits and the acknowledgement.
const CLOCKS: u32 = 9;

/// A wire that stays low whatever is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Stuck {
    /// The clock: a chip stretches it for ever, or a short circuit.
    Clock,
    /// The data.
    Data,
}

impl Stuck {
    /// Stable short code for screen and log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Clock => "I2C-SCL",
            Self::Data => "I2C-SDA",
        }
    }
}

/// A wire with a pull-up: driven low or let go, never driven high.
enum Wire {
    Low(Output),
    Free(Input),
}

impl Wire {
    fn new(pin: Pin) -> Self {
        Self::Free(pin.into_input())
    }

    fn pin(self) -> Pin {
        match self {
            Self::Low(output) => output.into(),
            Self::Free(input) => input.into(),
        }
    }

    fn low(self) -> Self {
        let wire = Self::Low(self.pin().into_output(PinState::Low));
        delay(HALF);
        wire
    }

    fn free(self) -> Self {
        let wire = Self::Free(self.pin().into_input());
        delay(HALF);
        wire
    }

    fn look(self) -> (Self, bool) {
        let pin = self.pin();
        let high = pin.level();
        (Self::Free(pin.into_input()), high)
    }
}

/// Clocks a chip off the wires and ends with a STOP. The pins come back as
/// inputs: their mode is the caller's to restore, and the controller's state
/// machine to reset.
pub fn recover(scl: Pin, sda: Pin) -> (Pin, Pin, Result<(), Stuck>) {
    let (mut scl, mut sda) = (Wire::new(scl), Wire::new(sda));
    let mut high;
    for _ in 0..CLOCKS {
        (sda, high) = sda.look();
        if high {
            break;
        }
        scl = scl.low().free();
    }
    // STOP: data rises while the clock is high.
    scl = scl.low();
    sda = sda.low();
    scl = scl.free();
    sda = sda.free();
    let (scl, clock) = scl.look();
    let (sda, data) = sda.look();
    let result = match (clock, data) {
        (true, true) => Ok(()),
        (false, _) => Err(Stuck::Clock),
        (true, false) => Err(Stuck::Data),
    };
    (scl.pin(), sda.pin(), result)
}

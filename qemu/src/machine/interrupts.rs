//! From interrupt sources to the inputs of the GIC: the electrical level that
//! a block drives, and the SYSIRQ polarity inverter after it.
//!
//! Source: facts/soc.md 1.4 (inverter), 1.7 (numbers and polarities).

use super::Host;
use crate::bus::IrqSources;

/// SPIs that something is connected to, by facts/soc.md 1.7. The others are
/// tied low.
const CONNECTED: u128 = bits(&[
    (20, 52),
    (56, 56),
    (58, 68),
    (72, 76),
    (87, 89),
    (92, 117),
    (120, 124),
    (126, 127),
]);

/// EINT and PWRAP are active high.
const ACTIVE_HIGH: u128 = 1 << 76 | 1 << 88;

const fn bits(ranges: &[(u8, u8)]) -> u128 {
    let mut all = 0;
    let mut at = 0;
    while at < ranges.len() {
        let (mut spi, last) = ranges[at];
        while spi <= last {
            all |= 1 << spi;
            spi += 1;
        }
        at += 1;
    }
    all
}

/// Levels at the GIC, by SPI number, for the sources that are active and the
/// lines that INT_POL_CTL inverts.
pub fn levels(active: u128, inverted: u128) -> u128 {
    let electrical = (active ^ !ACTIVE_HIGH) & CONNECTED;
    electrical ^ inverted
}

/// What the GIC was last told.
#[derive(Default)]
pub struct Lines {
    driven: Option<u128>,
}

impl Lines {
    /// Tells the GIC what changed.
    pub fn drive(&mut self, sources: &IrqSources, inverted: u128, host: &mut dyn Host) {
        let wanted = levels(sources.0, inverted);
        let mut changed = self.driven.map_or(u128::MAX, |driven| driven ^ wanted);
        self.driven = Some(wanted);
        while changed != 0 {
            let spi = changed.trailing_zeros() as u8;
            host.set_irq(spi, wanted >> spi & 1 != 0);
            changed &= changed - 1;
        }
    }

    /// After a reset of the GIC every line is told again.
    pub fn forget(&mut self) {
        self.driven = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_active_low_line_needs_its_inverter() {
        let uart0 = 1u128 << 31;
        assert_ne!(levels(0, 0) & uart0, 0, "idle is electrically high");
        assert_eq!(levels(uart0, 0) & uart0, 0);
        assert_eq!(levels(0, uart0) & uart0, 0);
        assert_ne!(levels(uart0, uart0) & uart0, 0);
    }

    #[test]
    fn eint_and_pwrap_are_active_high() {
        for spi in [76, 88] {
            let line = 1u128 << spi;
            assert_eq!(levels(0, 0) & line, 0);
            assert_ne!(levels(line, 0) & line, 0);
        }
    }

    #[test]
    fn a_line_without_source_is_low() {
        assert_eq!(levels(0, 0) & 0xFFFFF, 0);
    }
}

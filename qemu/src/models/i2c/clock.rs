//! Times on the bus, from the programmed dividers and the clock of the AXI bus.
//!
//! Source: facts/i2c-touch-camera.md 1.4. The fixed divider is /12, as the
//! kernel has it; the facts name another.

use crate::bus::Nanos;
use crate::signals::Signals;

const XTAL_HZ: u64 = 26_000_000;
/// From the AXI bus to the controller.
const FIXED_DIVIDER: u64 = 12;
const PICOS_PER_S: u64 = 1_000_000_000_000;

/// Clock of the AXI bus in Hz, by CLK_MUX_SEL [7:5].
fn axi_hz(signals: &Signals) -> u64 {
    let hz = match signals.clk_mux_sel >> 5 & 7 {
        2 => signals.mainpll_hz / 10,
        4 => signals.mainpll_hz / 12,
        _ => XTAL_HZ,
    };
    if hz == 0 { XTAL_HZ } else { hz }
}

/// `count` periods of the controller's source clock.
pub fn source_periods(signals: &Signals, count: u64) -> Nanos {
    let period_ps = FIXED_DIVIDER * PICOS_PER_S / axi_hz(signals);
    (count * period_ps).div_ceil(1000)
}

/// `halves` half periods of SCL with this TIMING.
pub fn half_periods(signals: &Signals, timing: u32, halves: u64) -> Nanos {
    let sample = u64::from(timing >> 8 & 7) + 1;
    let step = u64::from(timing & 0x3F) + 1;
    source_periods(signals, halves * sample * step)
}

/// SCL in kHz with this TIMING.
pub fn scl_khz(signals: &Signals, timing: u32) -> u32 {
    // Over many periods, because times are whole nanoseconds.
    (100_000_000 / half_periods(signals, timing, 200).max(1)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn khz(clk_mux_sel: u32, mainpll_hz: u64, timing: u32) -> u32 {
        let signals = Signals {
            clk_mux_sel,
            mainpll_hz,
            ..Signals::default()
        };
        scl_khz(&signals, timing)
    }

    /// The table of facts/i2c-touch-camera.md 1.4.
    #[test]
    fn programmed_values_give_their_rates() {
        for (timing, rate) in [
            (0x0036, 100),
            (0x001B, 198),
            (0x0012, 292),
            (0x000D, 396),
            (0x0120, 84),
        ] {
            assert_eq!(khz(4 << 5, 1_599_000_000, timing), rate, "{timing:#x}");
        }
        assert_eq!(khz(2 << 5, 1_326_000_000, 0x000D), 394);
        assert_eq!(khz(1 << 5, 1_599_000_000, 0x0002), 361);
        assert_eq!(khz(4 << 5, 0, 0x0002), 361, "a stopped PLL divides nothing");
    }
}

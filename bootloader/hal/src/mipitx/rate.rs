//! The rate of a lane, and the dividers of the PLL that make it.
//!
//! Source: facts/display.md 4.3.

/// Lowest rate of a lane, in Mbit/s.
const MIN_MBPS: u32 = 50;
/// Highest rate of a lane, in Mbit/s.
const MAX_MBPS: u32 = 1250;
/// A lane's rate is this, times PCW, by the transmit dividers: 26 MHz with
/// the post divider of 4, and two bits a clock.
const MBPS_PER_PCW: u32 = 13;
/// PCW: seven bits of integer above 24 of fraction.
const FRACTION_BITS: u32 = 24;
const PCW_LIMIT: u32 = 0x80;
/// Spread of the clock below its rate, in percent, where the vendor's drivers
/// say nothing.
const SPREAD_PERCENT: u32 = 4;
/// What the older drivers have for any rate.
const LEGACY_DELTA: u16 = 0x048b;

/// The rate of a lane, as settings of the PLL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneRate {
    kbps: u32,
    /// Codes of the two transmit dividers: 1, 2, 4.
    pub(super) txdiv: [u8; 2],
    /// Multiplier of 26 MHz, with 24 bits of fraction.
    pub(super) pcw: u32,
    /// Step of the spread spectrum.
    pub(super) delta: u16,
}

impl LaneRate {
    /// A rate in Mbit/s, 50 to 1250: twice the `PLL_CLOCK` of a panel driver.
    pub const fn from_mbps(mbps: u32) -> Option<Self> {
        let (txdiv, divisor) = match mbps {
            500..=MAX_MBPS => ([0, 0], 1),
            250..=499 => ([1, 0], 2),
            125..=249 => ([2, 0], 4),
            63..=124 => ([2, 1], 8),
            MIN_MBPS..=62 => ([2, 2], 16),
            _ => return None,
        };
        let scaled = mbps * divisor;
        let (whole, rest) = (scaled / MBPS_PER_PCW, scaled % MBPS_PER_PCW);
        Some(Self {
            kbps: mbps * 1000,
            txdiv,
            pcw: (whole << FRACTION_BITS) + (rest << FRACTION_BITS) / MBPS_PER_PCW,
            delta: ((SPREAD_PERCENT * scaled * 262_144 + 281_664) / 563_329) as u16,
        })
    }

    /// The rate of the older drivers, `pll_div1`, `pll_div2` and `fbk_div`:
    /// 52 Mbit/s x `feedback` / (div1 x div2), where code 0 divides by 1, 1 by
    /// 2, and 2 and 3 by 4.
    ///
    /// A multiplier that the PLL's field cannot hold is reached with smaller
    /// dividers instead.
    pub const fn from_dividers(div1: u8, div2: u8, feedback: u8) -> Option<Self> {
        let divisor = divisor(div1) * divisor(div2);
        let kbps = 52_000 * feedback as u32 / divisor;
        if kbps < MIN_MBPS * 1000 || kbps > MAX_MBPS * 1000 {
            return None;
        }
        let pcw = 4 * feedback as u32;
        if pcw >= PCW_LIMIT {
            return Self::from_mbps(kbps / 1000);
        }
        Some(Self {
            kbps,
            txdiv: [code(div1), code(div2)],
            pcw: pcw << FRACTION_BITS,
            delta: LEGACY_DELTA,
        })
    }

    /// Mbit/s, rounded to the nearest.
    pub const fn mbps(self) -> u32 {
        (self.kbps + 500) / 1000
    }

    /// Kbit/s, exact.
    pub const fn kbps(self) -> u32 {
        self.kbps
    }

    /// Whether the multiplier has a fraction.
    pub(super) const fn is_fractional(self) -> bool {
        self.pcw & ((1 << FRACTION_BITS) - 1) != 0
    }
}

const fn divisor(code: u8) -> u32 {
    match code {
        0 => 1,
        1 => 2,
        _ => 4,
    }
}

/// Codes 2 and 3 are the same; the field has two bits.
const fn code(code: u8) -> u8 {
    if code > 2 { 2 } else { code }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn older_drivers_settings_are_taken_as_they_are() {
        // 480x854 ILI9806E of the facts.
        let rate = LaneRate::from_dividers(1, 1, 30).unwrap();
        assert_eq!((rate.mbps(), rate.txdiv), (390, [1, 1]));
        assert_eq!((rate.pcw, rate.delta), (0x7800_0000, 0x048b));
        assert!(!rate.is_fractional());
        // 3.25 Mbit/s steps are not rounded away.
        let rate = LaneRate::from_dividers(2, 3, 30).unwrap();
        assert_eq!((rate.kbps(), rate.txdiv), (97_500, [2, 2]));
    }

    #[test]
    fn a_multiplier_that_does_not_fit_is_reached_otherwise() {
        // ili9806c_6572_dsi_vdo: 4 x 32 needs an eighth bit.
        let rate = LaneRate::from_dividers(0, 2, 32).unwrap();
        assert_eq!((rate.mbps(), rate.txdiv), (416, [1, 0]));
        assert_eq!(rate.pcw, 64 << 24);
    }

    #[test]
    fn newer_drivers_rates_follow_the_table() {
        let rate = LaneRate::from_mbps(442).unwrap();
        // 442 x 2 / 13 = 68.
        assert_eq!((rate.txdiv, rate.pcw), ([1, 0], 68 << 24));
        let rate = LaneRate::from_mbps(140).unwrap();
        // 140 x 4 / 13 = 43 and 1 / 13.
        assert_eq!(rate.txdiv, [2, 0]);
        assert_eq!(rate.pcw, (43 << 24) + (1 << 24) / 13);
        assert!(rate.is_fractional());
        // (4 x 560 x 262144 + 281664) / 563329.
        assert_eq!(rate.delta, 1042);
        assert_eq!(LaneRate::from_mbps(100).unwrap().txdiv, [2, 1]);
        assert_eq!(LaneRate::from_mbps(50).unwrap().txdiv, [2, 2]);
        assert_eq!(LaneRate::from_mbps(1250).unwrap().pcw >> 24, 96);
    }

    #[test]
    fn every_rate_is_what_was_asked_for() {
        for mbps in MIN_MBPS..=MAX_MBPS {
            let rate = LaneRate::from_mbps(mbps).unwrap();
            let divisor = f64::from(divisor(rate.txdiv[0]) * divisor(rate.txdiv[1]));
            let made = 13.0 * f64::from(rate.pcw) / f64::from(1 << 24) / divisor;
            assert!((made - f64::from(mbps)).abs() < 0.001, "{mbps}: {made}");
            assert!(rate.pcw >> 31 == 0, "{mbps}: PCW has 31 bits");
        }
    }

    #[test]
    fn rates_beyond_the_pll_are_refused() {
        assert_eq!(LaneRate::from_mbps(49), None);
        assert_eq!(LaneRate::from_mbps(1251), None);
        assert_eq!(LaneRate::from_dividers(0, 0, 0), None);
        assert_eq!(LaneRate::from_dividers(0, 0, 25), None);
        assert_eq!(LaneRate::from_dividers(2, 2, 15), None);
    }
}

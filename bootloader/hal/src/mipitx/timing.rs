//! D-PHY times in the units of the host: cycles of eight bit times.
//!
//! The vendor's formulas count a divider twice at some rates; here each time
//! comes from the true cycle of 8000 / rate ns and the limits of the D-PHY
//! specification, with some margin. UI is the time of one bit.
//!
//! Source: facts/display.md 4.4; MIPI D-PHY 1.0, global
//! operation timing parameters.

/// The vendor adds this to both trails, whoever states them. A receiver takes
/// LP-11 for the end, so longer does no harm, and the drivers' own values were
/// found with it.
const TRAIL_EXTRA: u32 = 10;
/// LPX: 50 ns at least.
const LPX_NS: u32 = 60;
/// HS-EXIT and CLK-EXIT: 100 ns at least.
const EXIT_NS: u32 = 120;
/// HS-PREPARE: 40 ns + 4 UI to 85 ns + 6 UI.
const HS_PREPARE_MIN: Time = Time { ns: 40, ui: 4 };
const HS_PREPARE_MID: Time = Time { ns: 62, ui: 5 };
/// HS-PREPARE and HS-ZERO together: 145 ns + 10 UI at least.
const HS_START: Time = Time { ns: 170, ui: 10 };
/// HS-TRAIL: 8 UI or 60 ns + 4 UI at least.
const HS_TRAIL: Time = Time { ns: 60, ui: 4 };
/// CLK-PREPARE: 38 to 95 ns.
const CLK_PREPARE_MIN: Time = Time { ns: 38, ui: 0 };
const CLK_PREPARE_MID: Time = Time { ns: 66, ui: 0 };
/// CLK-PREPARE and CLK-ZERO together: 300 ns at least.
const CLK_START: Time = Time { ns: 330, ui: 0 };
/// CLK-POST: 60 ns + 52 UI at least.
const CLK_POST: Time = Time { ns: 70, ui: 56 };
/// CLK-TRAIL: 60 ns at least.
const CLK_TRAIL: Time = Time { ns: 60, ui: 0 };

/// A time that has a part in bits.
#[derive(Clone, Copy)]
struct Time {
    ns: u32,
    ui: u32,
}

impl Time {
    /// In cycles x 8000, at a rate.
    const fn scaled(self, mbps: u32) -> u32 {
        self.ns * mbps + self.ui * 1000
    }

    const fn at_least(self, mbps: u32) -> u32 {
        self.scaled(mbps).div_ceil(8000)
    }

    const fn at_most(self, mbps: u32) -> u32 {
        self.scaled(mbps) / 8000
    }
}

/// Times that a panel's driver states itself, in cycles of eight bits; 0 =
/// computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names of the D-PHY specification")]
pub struct PhyOverrides {
    pub hs_trail: u8,
    pub hs_zero: u8,
    pub hs_prepare: u8,
    pub lpx: u8,
    pub ta_get: u8,
    pub ta_sure: u8,
    pub ta_go: u8,
    pub clk_trail: u8,
    pub clk_zero: u8,
    pub clk_prepare: u8,
}

/// The host's PHY_TIMECON0 to 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhyTiming(pub(crate) [u32; 4]);

impl PhyTiming {
    /// All zero: to be replaced before anything is sent.
    pub const NONE: Self = Self([0; 4]);

    /// The times for lanes at `mbps` Mbit/s (50 to 1250).
    pub fn for_rate(mbps: u32, overrides: &PhyOverrides) -> Self {
        let own = |stated: u8, computed: u32| match stated {
            0 => computed,
            stated => u32::from(stated),
        };
        let lpx = own(
            overrides.lpx,
            Time { ns: LPX_NS, ui: 0 }.at_least(mbps).max(1),
        );
        let exit = Time { ns: EXIT_NS, ui: 0 }.at_least(mbps).max(1);
        let hs_prepare = own(
            overrides.hs_prepare,
            HS_PREPARE_MIN
                .at_least(mbps)
                .max(HS_PREPARE_MID.at_most(mbps)),
        );
        let clk_prepare = own(
            overrides.clk_prepare,
            CLK_PREPARE_MIN
                .at_least(mbps)
                .max(CLK_PREPARE_MID.at_most(mbps)),
        );
        let rest = |whole: Time, part: u32| whole.at_least(mbps).saturating_sub(part).max(1);
        let hs_zero = own(overrides.hs_zero, rest(HS_START, hs_prepare));
        let clk_zero = own(overrides.clk_zero, rest(CLK_START, clk_prepare));
        let hs_trail = own(overrides.hs_trail, HS_TRAIL.at_least(mbps).max(1)) + TRAIL_EXTRA;
        let clk_trail = own(overrides.clk_trail, CLK_TRAIL.at_least(mbps).max(1)) + TRAIL_EXTRA;
        Self([
            word([lpx, hs_prepare, hs_zero, hs_trail]),
            word([
                own(overrides.ta_go, 4 * lpx),
                own(overrides.ta_sure, 3 * lpx / 2),
                own(overrides.ta_get, 5 * lpx),
                exit,
            ]),
            // CONT_DET is 0 in every driver.
            word([0, 0, clk_zero, clk_trail]),
            word([clk_prepare, CLK_POST.at_least(mbps), exit, 0]),
        ])
    }
}

/// Four fields, lowest first, each cut to its byte.
fn word(fields: [u32; 4]) -> u32 {
    u32::from_le_bytes(fields.map(|field| field.min(0xff) as u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_example_at_390_mbps() {
        // The vendor has 0x0D070303, 0x150F040C, 0x0E130000, 0x00061503: equal
        // where it follows the specification.
        let timing = PhyTiming::for_rate(390, &PhyOverrides::default());
        assert_eq!(
            timing.0,
            [0x0e07_0303, 0x060f_040c, 0x0d0e_0000, 0x0006_0b03]
        );
    }

    #[test]
    fn limits_of_the_specification_hold_at_every_rate() {
        for mbps in 50..=1250 {
            let timing = PhyTiming::for_rate(mbps, &PhyOverrides::default());
            let cycle = 8000.0 / f64::from(mbps);
            let ui = cycle / 8.0;
            let field = |word: usize, byte: usize| {
                let cycles = timing.0[word].to_le_bytes()[byte];
                assert!(cycles > 0, "{mbps}: field {byte} of {word} is 0");
                f64::from(cycles) * cycle
            };
            let least = |name: &str, time: f64, min: f64| {
                assert!(time >= min, "{mbps}: {name} {time} < {min}");
            };
            least("LPX", field(0, 0), 50.0);
            least("HS-PREPARE", field(0, 1), 40.0 + 4.0 * ui);
            // Where a cycle is longer than the window, the next one counts.
            let most = (85.0 + 6.0 * ui).max(40.0 + 4.0 * ui + cycle);
            assert!(field(0, 1) <= most, "{mbps}: HS-PREPARE too long");
            least("HS start", field(0, 1) + field(0, 2), 145.0 + 10.0 * ui);
            least("HS-TRAIL", field(0, 3), (60.0 + 4.0 * ui).max(8.0 * ui));
            least("TA-GO", field(1, 0), 4.0 * field(0, 0) - 0.1);
            least("TA-SURE", field(1, 1), field(0, 0));
            assert!(field(1, 1) <= 2.0 * field(0, 0) + 0.1);
            least("TA-GET", field(1, 2), 5.0 * field(0, 0) - 0.1);
            least("HS-EXIT", field(1, 3), 100.0);
            least("CLK-PREPARE", field(3, 0), 38.0);
            assert!(field(3, 0) <= 95.0_f64.max(38.0 + cycle), "{mbps}");
            least("CLK start", field(3, 0) + field(2, 2), 300.0);
            least("CLK-POST", field(3, 1), 60.0 + 52.0 * ui);
            least("CLK-EXIT", field(3, 2), 100.0);
            least("CLK-TRAIL", field(2, 3), 60.0);
        }
    }

    #[test]
    fn stated_times_replace_computed_ones() {
        let overrides = PhyOverrides {
            hs_trail: 20,
            lpx: 8,
            ta_sure: 9,
            clk_zero: 200,
            ..PhyOverrides::default()
        };
        let [first, turn, clock, _] = PhyTiming::for_rate(390, &overrides).0;
        assert_eq!(first.to_le_bytes(), [8, 3, 7, 30]);
        assert_eq!(turn.to_le_bytes(), [32, 9, 40, 6]);
        assert_eq!(clock.to_le_bytes(), [0, 0, 200, 13]);
        let wide = PhyOverrides {
            lpx: 60,
            hs_trail: 250,
            ..PhyOverrides::default()
        };
        let [first, turn, ..] = PhyTiming::for_rate(390, &wide).0;
        assert_eq!((first >> 24, turn >> 16 & 0xff), (255, 255), "cut");
    }
}

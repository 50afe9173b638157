//! MIPITX: PLL and lane drivers of the display's D-PHY.
//!
//! Powering up and down have waits of a millisecond between their steps.
//! [`PowerUp`] and [`PowerDown`] hand these to their caller, who has other
//! things to wait for; [`Mipitx::power_up`] just waits.
//!
//! The receiver's pads further up in the block belong to
//! [`crate::gpio::Pads`].
//!
//! Source: facts/display.md 4; facts/soc.md 7.2 (pads 79 to 86).

mod rate;
mod timing;

pub use rate::LaneRate;
pub use timing::{PhyOverrides, PhyTiming};

use crate::reg::{Update, Write, assert_offsets};
use crate::time::{Micros, delay};
use arbitrary_int::u2;
use bitbybit::bitfield;
use volatile_register::RW;

/// Data lanes of the chip.
pub const LANES: u8 = 3;

/// Registers of the block, as far as they are used.
#[repr(C)]
pub struct RegisterBlock {
    /// DSI0_CON.
    con: RW<u32>,
    clock_lane: RW<u32>,
    data_lanes: [RW<u32>; LANES as usize],
    _reserved0: [u32; 11],
    top_con: RW<u32>,
    bg_con: RW<u32>,
    _reserved1: [u32; 2],
    pll_con0: RW<u32>,
    pll_con1: RW<u32>,
    /// PCW.
    pll_con2: RW<u32>,
    /// Spread: the same step twice.
    pll_con3: RW<u32>,
    _reserved2: u32,
    pll_top: RW<u32>,
    pll_pwr: RW<u32>,
    _reserved3: [u32; 2],
    /// Bit a pad, 79 to 86: plain input.
    gpio_en: RW<u32>,
    _reserved4: [u32; 2],
    /// Bit 0: the lanes follow `sw_ctrl_con0` and not the host.
    sw_ctrl: RW<u32>,
    sw_ctrl_con0: RW<u32>,
}

assert_offsets!(RegisterBlock {
    data_lanes: 0x08,
    top_con: 0x40,
    bg_con: 0x44,
    pll_con0: 0x50,
    pll_top: 0x64,
    pll_pwr: 0x68,
    gpio_en: 0x74,
    sw_ctrl: 0x80,
    sw_ctrl_con0: 0x84,
});

// DSI0_CON.
const LDOCORE_EN: u32 = 1 << 0;
const CKG_LDOOUT_EN: u32 = 1 << 1;
/// CLOCK_LANE and DATA_LANEn.
const LDOOUT_EN: u32 = 1 << 0;
// TOP_CON.
const LNT_HS_BIAS_EN: u32 = 1 << 1;
const PAD_TIE_LOW_EN: u32 = 1 << 11;
// BG_CON.
const BG_CORE_EN: u32 = 1 << 0;
const BG_CKEN: u32 = 1 << 1;
/// PLL_CON0.
const PLL_EN: u32 = 1 << 0;
// PLL_PWR.
const SDM_PWR_ON: u32 = 1 << 0;
const SDM_ISO_EN: u32 = 1 << 1;
/// PLL_TOP, PRESERVE_L: a further post divider of 4, which the rates count on.
const PRESERVE_L: u32 = 3 << 8;
/// LPTX_PRE_OE and LPTX_OE of the clock lane and of the data lanes, with both
/// wires low.
const LP_ALL_LOW: u32 = 3 << 0 | 3 << 7 | 3 << 14 | 3 << 20;
/// In `gpio_en`: the clock lane has pads 83 and 84, data lane 2 has 85 and 86.
const CLOCK_PADS: u32 = 3 << 4;
const DATA_PADS: [u32; LANES as usize] = [3 << 0, 3 << 2, 3 << 6];

/// PLL_CON0, without its enable.
#[bitfield(u32, default = 0)]
struct Dividers {
    #[bits(3..=4, w)]
    txdiv0: u2,
    #[bits(5..=6, w)]
    txdiv1: u2,
}

/// PLL_CON1.
#[bitfield(u32, default = 0)]
struct Modulator {
    /// The fraction of PCW counts.
    #[bit(0, rw)]
    fraction: bool,
    #[bit(1, rw)]
    phase_init: bool,
    #[bit(2, rw)]
    spread: bool,
    #[bits(16..=31, rw)]
    spread_period: u16,
}

/// SSC_PRD: 30 kHz.
const SPREAD_PERIOD: u16 = 0x1b1;
/// Band gap, cores and PLL settle within it; it locks within it.
const SETTLE: Micros = Micros::from_ms(1);

/// Why the transmitter was not set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum MipitxError {
    /// The chip has 1 to 3 data lanes.
    Lanes,
}

impl MipitxError {
    /// Short code for screen and log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Lanes => "PHY-LANES",
        }
    }
}

/// What the transmitter is to run at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Setting {
    rate: LaneRate,
    lanes: u8,
    spread: bool,
}

impl Setting {
    const fn new(rate: LaneRate, lanes: u8, spread: bool) -> Result<Self, MipitxError> {
        if lanes == 0 || lanes > LANES {
            return Err(MipitxError::Lanes);
        }
        Ok(Self {
            rate,
            lanes,
            spread,
        })
    }

    fn modulator(&self) -> Modulator {
        let fraction = Modulator::DEFAULT.with_fraction(self.spread || self.rate.is_fractional());
        if self.spread {
            fraction
                .with_phase_init(true)
                .with_spread_period(SPREAD_PERIOD)
        } else {
            fraction
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UpStep {
    Bias,
    Cores,
    Pll,
    Lanes,
    Done,
}

/// The steps of powering up.
#[derive(Debug, Clone, Copy)]
pub struct PowerUp {
    setting: Setting,
    step: UpStep,
}

impl PowerUp {
    /// From nothing to `lanes` (1 to 3) data lanes at `rate`, with the clock
    /// spread or not.
    pub const fn new(rate: LaneRate, lanes: u8, spread: bool) -> Result<Self, MipitxError> {
        match Setting::new(rate, lanes, spread) {
            Ok(setting) => Ok(Self {
                setting,
                step: UpStep::Bias,
            }),
            Err(error) => Err(error),
        }
    }

    /// From another rate or number of lanes: band gap and cores run already,
    /// which leaves one wait of three. The host must be idle.
    pub const fn retune(rate: LaneRate, lanes: u8, spread: bool) -> Result<Self, MipitxError> {
        match Self::new(rate, lanes, spread) {
            Ok(sequence) => Ok(Self {
                step: UpStep::Pll,
                ..sequence
            }),
            Err(error) => Err(error),
        }
    }

    /// Takes the next step. The time that must pass before the one after it;
    /// `None`: the lanes belong to the host.
    pub fn next(&mut self, phy: &mut Mipitx) -> Option<Micros> {
        let (after, wait) = match self.step {
            UpStep::Bias => {
                phy.start_bias();
                (UpStep::Cores, Some(SETTLE))
            }
            UpStep::Cores => {
                phy.start_cores();
                (UpStep::Pll, Some(SETTLE))
            }
            UpStep::Pll => {
                phy.start_pll(&self.setting);
                (UpStep::Lanes, Some(SETTLE))
            }
            UpStep::Lanes => {
                phy.hand_over(&self.setting);
                (UpStep::Done, None)
            }
            UpStep::Done => (UpStep::Done, None),
        };
        self.step = after;
        wait
    }
}

/// The steps of powering down. The host is to have put the lanes to sleep.
#[derive(Debug, Clone, Copy, Default)]
pub struct PowerDown {
    taken: u8,
}

impl PowerDown {
    /// All of them.
    pub const fn new() -> Self {
        Self { taken: 0 }
    }

    /// Takes the next step. The time that must pass before the one after it;
    /// `None`: it was over already.
    pub fn next(&mut self, phy: &mut Mipitx) -> Option<Micros> {
        match self.taken {
            0 => phy.hold_lanes_low(),
            1 => phy.stop_lanes(),
            2 => phy.stop_cores(),
            3 => phy.stop_bias(),
            _ => return None,
        }
        self.taken += 1;
        Some(SETTLE)
    }
}

/// The transmitter. Its clock gate (`Mipi26MDebug`) is open by default.
pub struct Mipitx {
    regs: &'static RegisterBlock,
}

impl Mipitx {
    /// The driver of the block `regs`.
    pub const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs }
    }

    /// Powers up and waits for it: about 3 ms.
    pub fn power_up(&mut self, rate: LaneRate, lanes: u8, spread: bool) -> Result<(), MipitxError> {
        let mut sequence = PowerUp::new(rate, lanes, spread)?;
        while let Some(wait) = sequence.next(self) {
            delay(wait);
        }
        Ok(())
    }

    /// Powers down and waits for it: about 4 ms.
    pub fn power_down(&mut self) {
        let mut sequence = PowerDown::new();
        while let Some(wait) = sequence.next(self) {
            delay(wait);
        }
    }

    /// Whether the PLL is switched on.
    pub fn is_on(&self) -> bool {
        self.regs.pll_con0.read() & PLL_EN != 0
    }

    /// Trims the band gap as the factory found it; before powering up.
    ///
    /// `fuses` is device information word 18: two nibbles to add to R1_TRIM
    /// and R2_TRIM, modulo 16 (facts/display.md 4.2 step 1). Once a boot: it
    /// adds each time.
    pub fn trim(&mut self, fuses: u32) {
        const TRIM_SHIFT: u32 = 24;
        let add = |value: u32, low: u32| value.wrapping_add(fuses >> low) & 0xf;
        self.regs.bg_con.update(|value| {
            let r1 = add(value >> TRIM_SHIFT, 0);
            let r2 = add(value >> (TRIM_SHIFT + 4), 4);
            value & !(0xff << TRIM_SHIFT) | r1 << TRIM_SHIFT | r2 << (TRIM_SHIFT + 4)
        });
    }

    /// 4.2 steps 2 and 3.
    fn start_bias(&mut self) {
        let regs = self.regs;
        regs.top_con.update(|value| value | LNT_HS_BIAS_EN);
        regs.bg_con.update(|value| value | BG_CKEN);
        regs.bg_con.update(|value| value | BG_CORE_EN);
    }

    /// 4.2 steps 4 and 5.
    fn start_cores(&mut self) {
        let regs = self.regs;
        regs.con.update(|value| value | CKG_LDOOUT_EN);
        regs.con.update(|value| value | LDOCORE_EN);
        regs.pll_pwr.update(|value| value | SDM_PWR_ON);
    }

    /// 4.2 steps 5 to 11.
    fn start_pll(&mut self, setting: &Setting) {
        let regs = self.regs;
        regs.pll_pwr.update(|value| value & !SDM_ISO_EN);
        let [txdiv0, txdiv1] = setting.rate.txdiv.map(|code| u2::extract_u8(code, 0));
        let dividers = Dividers::DEFAULT.with_txdiv0(txdiv0).with_txdiv1(txdiv1);
        // This also stops a PLL that runs at another rate.
        regs.pll_con0.put(dividers.raw_value());
        regs.pll_con1.put(setting.modulator().raw_value());
        regs.pll_con2.put(setting.rate.pcw);
        let delta = if setting.spread {
            u32::from(setting.rate.delta)
        } else {
            0
        };
        regs.pll_con3.put(delta << 16 | delta);
        regs.clock_lane.update(|value| value | LDOOUT_EN);
        let mut pads = CLOCK_PADS;
        for (index, lane) in regs.data_lanes.iter().enumerate() {
            let used = index < usize::from(setting.lanes);
            if used {
                pads |= DATA_PADS[index];
            }
            let enable = if used { LDOOUT_EN } else { 0 };
            lane.update(|value| value & !LDOOUT_EN | enable);
        }
        regs.gpio_en.update(|value| value & !pads);
        regs.pll_con0.update(|value| value | PLL_EN);
    }

    /// 4.2 steps 11 and 12, 3.3 step 5.
    fn hand_over(&mut self, setting: &Setting) {
        let regs = self.regs;
        let modulator = setting.modulator().with_spread(setting.spread);
        regs.pll_con1.put(modulator.raw_value());
        regs.pll_top.update(|value| value | PRESERVE_L);
        regs.top_con.update(|value| value & !PAD_TIE_LOW_EN);
        regs.sw_ctrl.put(0);
    }

    /// 4.5 step 1 and the first of step 2.
    fn hold_lanes_low(&mut self) {
        let regs = self.regs;
        regs.sw_ctrl_con0.put(LP_ALL_LOW);
        regs.sw_ctrl.put(1);
        regs.pll_con0.update(|value| value & !PLL_EN);
    }

    /// 4.5 step 2.
    fn stop_lanes(&mut self) {
        let regs = self.regs;
        regs.top_con.update(|value| value | PAD_TIE_LOW_EN);
        regs.top_con.update(|value| value & !LNT_HS_BIAS_EN);
        regs.clock_lane.update(|value| value & !LDOOUT_EN);
        for lane in &regs.data_lanes {
            lane.update(|value| value & !LDOOUT_EN);
        }
    }

    /// 4.5 step 3.
    fn stop_cores(&mut self) {
        let regs = self.regs;
        regs.con.update(|value| value & !CKG_LDOOUT_EN);
        regs.con.update(|value| value & !LDOCORE_EN);
        regs.pll_top.update(|value| value & !PRESERVE_L);
        regs.pll_con1.put(0);
        regs.pll_pwr.update(|value| value | SDM_ISO_EN);
        regs.pll_pwr.update(|value| value & !SDM_PWR_ON);
    }

    /// 4.5 step 4.
    fn stop_bias(&mut self) {
        let regs = self.regs;
        regs.bg_con.update(|value| value & !BG_CKEN);
        regs.bg_con.update(|value| value & !BG_CORE_EN);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::reg::leaked;
    use crate::time::ticks;

    fn rate_390() -> LaneRate {
        LaneRate::from_dividers(1, 1, 30).unwrap()
    }

    #[test]
    fn the_worked_example_comes_up() {
        let regs: &RegisterBlock = leaked();
        regs.top_con.put(PAD_TIE_LOW_EN);
        regs.pll_pwr.put(SDM_ISO_EN);
        regs.sw_ctrl.put(1);
        regs.data_lanes[2].put(LDOOUT_EN | 0x80);
        regs.gpio_en.put(0x1ff);
        let before = ticks();
        Mipitx::new(regs).power_up(rate_390(), 2, true).unwrap();
        assert!(ticks().wrapping_sub(before) >= 3 * 13_000, "three waits");
        assert_eq!(regs.pll_con0.read(), 0x29);
        assert_eq!(regs.pll_con1.read(), 0x01b1_0007);
        assert_eq!(regs.pll_con2.read(), 0x7800_0000);
        assert_eq!(regs.pll_con3.read(), 0x048b_048b);
        assert_eq!(regs.pll_top.read(), 0x300);
        assert_eq!(regs.pll_pwr.read(), SDM_PWR_ON);
        assert_eq!(regs.con.read(), 3);
        assert_eq!(regs.bg_con.read(), 3);
        assert_eq!(regs.top_con.read(), LNT_HS_BIAS_EN);
        assert_eq!(regs.sw_ctrl.read(), 0);
        assert_eq!(regs.clock_lane.read(), 1);
        let lanes = [0, 1, 2].map(|lane: usize| regs.data_lanes[lane].read());
        assert_eq!(lanes, [1, 1, 0x80], "the third lane is not used");
        assert_eq!(regs.gpio_en.read(), 0x1c0, "nor are its pads");
    }

    #[test]
    fn steps_are_in_the_order_of_the_facts() {
        let regs: &RegisterBlock = leaked();
        regs.pll_pwr.put(SDM_ISO_EN);
        let mut phy = Mipitx::new(regs);
        let mut up = PowerUp::new(rate_390(), 1, false).unwrap();
        assert_eq!(up.next(&mut phy), Some(Micros(1000)));
        assert_eq!((regs.bg_con.read(), regs.con.read()), (3, 0));
        assert_eq!(up.next(&mut phy), Some(Micros(1000)));
        assert_eq!(regs.pll_pwr.read(), SDM_PWR_ON | SDM_ISO_EN);
        assert!(!phy.is_on());
        assert_eq!(up.next(&mut phy), Some(Micros(1000)));
        assert!(phy.is_on());
        assert_eq!(regs.pll_top.read(), 0);
        assert_eq!(up.next(&mut phy), None);
        assert_eq!(regs.pll_top.read(), 0x300);
        assert_eq!((regs.pll_con1.read(), regs.pll_con3.read()), (0, 0));
        regs.pll_top.put(0);
        assert_eq!(up.next(&mut phy), None);
        assert_eq!(regs.pll_top.read(), 0, "over is over");
    }

    #[test]
    fn a_fraction_counts_without_spread() {
        let regs: &RegisterBlock = leaked();
        let rate = LaneRate::from_mbps(320).unwrap();
        Mipitx::new(regs).power_up(rate, 1, false).unwrap();
        assert_eq!(regs.pll_con1.read(), 1);
        assert_eq!(regs.pll_con2.read() >> 24, 49);
        assert_eq!(regs.pll_con0.read(), 1 << 3 | 1);
    }

    #[test]
    fn another_rate_costs_one_wait() {
        let regs: &RegisterBlock = leaked();
        let mut phy = Mipitx::new(regs);
        phy.power_up(rate_390(), 1, true).unwrap();
        let rate = LaneRate::from_mbps(442).unwrap();
        let mut again = PowerUp::retune(rate, 2, true).unwrap();
        assert_eq!(again.next(&mut phy), Some(Micros(1000)));
        assert_eq!(again.next(&mut phy), None);
        assert_eq!(regs.pll_con2.read(), 68 << 24);
        assert_eq!(regs.pll_con0.read(), 1 << 3 | 1);
        assert_eq!(regs.data_lanes[1].read(), 1);
    }

    #[test]
    fn powering_down_undoes_it() {
        let regs: &RegisterBlock = leaked();
        let mut phy = Mipitx::new(regs);
        phy.power_up(rate_390(), 3, true).unwrap();
        let mut down = PowerDown::new();
        assert_eq!(down.next(&mut phy), Some(Micros(1000)));
        assert_eq!(regs.sw_ctrl_con0.read(), 0x0030_c183);
        assert_eq!(regs.sw_ctrl.read(), 1);
        assert_eq!(regs.data_lanes[0].read(), 1, "the lanes are still driven");
        phy.power_down();
        assert!(!phy.is_on());
        assert_eq!(regs.top_con.read(), PAD_TIE_LOW_EN);
        assert_eq!((regs.con.read(), regs.bg_con.read()), (0, 0));
        assert_eq!(regs.pll_pwr.read(), SDM_ISO_EN);
        assert_eq!((regs.pll_con1.read(), regs.pll_top.read()), (0, 0));
        assert!(regs.data_lanes.iter().all(|lane| lane.read() == 0));
        assert_eq!(regs.clock_lane.read(), 0);
    }

    #[test]
    fn trim_adds_modulo_16() {
        let regs: &RegisterBlock = leaked();
        regs.bg_con.put(0x8f00_0001);
        Mipitx::new(regs).trim(0xffff_ff32);
        assert_eq!(regs.bg_con.read(), 0xb100_0001);
        Mipitx::new(regs).trim(0);
        assert_eq!(regs.bg_con.read(), 0xb100_0001);
    }

    #[test]
    fn a_fourth_lane_is_refused() {
        for lanes in [0, 4] {
            let error = Mipitx::new(leaked()).power_up(rate_390(), lanes, true);
            assert_eq!(error, Err(MipitxError::Lanes));
        }
    }
}

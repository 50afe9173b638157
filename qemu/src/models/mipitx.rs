//! MIPI_CONFIG: the analog half of the DSI output - PLL, lane drivers and
//! their way of being switched - and the pads of the camera receiver, which
//! are only remembered.
//!
//! The PLL comes up in one order: band gap, core LDO, supply of the
//! modulator, isolation off, dividers and word, enable. Steps out of order
//! are refused, and waits that are left out are reported.
//! Source: facts/display.md 4; facts/soc.md 7.2 (pads), 9.2 (MIPI_26M).

use super::scratch::Scratch;
use crate::bus::{Block, Context, GuestError, Nanos, Reset, Size, granted};

const NAME: &str = "MIPI_CONFIG";
const LEN: u32 = 0x1000;

const DSI0_CON: u32 = 0x00;
const CLOCK_LANE: u32 = 0x04;
const DATA_LANE0: u32 = 0x08;
const DATA_LANES: u32 = 3;
const TOP_CON: u32 = 0x40;
const BG_CON: u32 = 0x44;
const PLL_CON0: u32 = 0x50;
const PLL_CON1: u32 = 0x54;
const PLL_CON2: u32 = 0x58;
const PLL_TOP: u32 = 0x64;
const PLL_PWR: u32 = 0x68;
const RGS: u32 = 0x70;
const SW_CTRL: u32 = 0x80;
const DBG: u32 = 0x90;

/// DSI0_CON: LDOCORE_EN and CKG_LDOOUT_EN.
const CORE_LDOS: u32 = 3;
/// LDOOUT_EN of a lane.
const LDOOUT_EN: u32 = 1;
const LNT_HS_BIAS_EN: u32 = 1 << 1;
const PAD_TIE_LOW_EN: u32 = 1 << 11;
/// BG_CON: CORE_EN and CKEN.
const BAND_GAP: u32 = 3;
const PLL_EN: u32 = 1;
const FRA_EN: u32 = 1;
const PWR_ON: u32 = 1;
const ISO_EN: u32 = 1 << 1;
const PWR_ACK: u32 = 1 << 8;
/// PLL_TOP: PRESERVE_L and the value that divides by four once more.
const PRESERVE_L_SHIFT: u32 = 8;
const POST_DIVIDER: u32 = 3;
/// PLL_CON2: the whole part of PCW.
const PCW_WHOLE_SHIFT: u32 = 24;
const PCW: u32 = 0x7FFF_FFFF;

/// The crystal's clock for the PLL: an enable in TOPCKGEN's CG0.
const MIPI_26M: u8 = 4;
const REFERENCE_KHZ: u64 = 26_000;

/// The 1 ms that band gap, modulator and PLL take to settle.
pub const SETTLE: Nanos = granted(1_000_000);

/// What the drivers of the DSI pads do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lanes {
    /// The clock lane's driver has its supply.
    pub clock: bool,
    /// Bit n: data lane n's driver has its supply.
    pub data: u8,
    /// High-speed bias is on.
    pub bias: bool,
    /// All pads are tied low.
    pub tied_low: bool,
    /// The pads follow SW_CTRL_CON0/1 and not the host.
    pub software: bool,
}

/// The block at 0x10011000.
pub struct Mipitx {
    registers: Scratch,
    band_gap_since: Option<Nanos>,
    power_since: Option<Nanos>,
    /// PLL_EN was set in order; the PLL is locked from this time on.
    locked_at: Option<Nanos>,
    /// When the wires must hear of the lock.
    lock_due: Option<Nanos>,
    /// What the last look at the wires said of the reference.
    reference: bool,
}

impl Default for Mipitx {
    fn default() -> Self {
        Self::new()
    }
}

impl Mipitx {
    /// Everything off, the modulator isolated.
    pub fn new() -> Self {
        Mipitx {
            registers: Scratch::new(NAME, LEN),
            band_gap_since: None,
            power_since: None,
            locked_at: None,
            lock_due: None,
            reference: false,
        }
    }

    fn get(&mut self, offset: u32, cx: &mut Context<'_>) -> u32 {
        self.registers.read(offset, 4, cx)
    }

    /// Follows a write of `new` over `old` to `offset`.
    fn wrote(&mut self, offset: u32, old: u32, new: u32, cx: &mut Context<'_>) {
        match offset {
            BG_CON => follow(&mut self.band_gap_since, new & BAND_GAP == BAND_GAP, cx.now),
            DSI0_CON if new & CORE_LDOS == CORE_LDOS && old & CORE_LDOS != CORE_LDOS => {
                wait_was_kept(
                    self.band_gap_since,
                    offset,
                    "core LDOs on",
                    "the band gap",
                    cx,
                );
            }
            PLL_PWR => {
                follow(&mut self.power_since, new & PWR_ON != 0, cx.now);
                if new & ISO_EN == 0 && old & ISO_EN != 0 {
                    wait_was_kept(self.power_since, offset, "isolation off", "PWR_ON", cx);
                }
            }
            PLL_CON0 if new & !old & PLL_EN != 0 => self.enable(cx),
            PLL_CON0 if new & PLL_EN == 0 => self.locked_at = None,
            _ => {}
        }
        self.publish(cx);
    }

    /// PLL_EN rises.
    fn enable(&mut self, cx: &mut Context<'_>) {
        let missing = [
            (
                self.get(BG_CON, cx) & BAND_GAP != BAND_GAP,
                "the band gap (BG_CON)",
            ),
            (
                self.get(DSI0_CON, cx) & CORE_LDOS != CORE_LDOS,
                "the core LDOs (DSI0_CON)",
            ),
            (self.power_since.is_none(), "PLL_PWR.PWR_ON"),
            (self.get(PLL_PWR, cx) & ISO_EN != 0, "PLL_PWR.ISO_EN = 0"),
            (!self.reference(cx), "its reference (TOPCKGEN MIPI_26M)"),
            (self.get(PLL_CON2, cx) & PCW == 0, "a word in PLL_CON2"),
        ];
        let missing: Vec<&str> = missing
            .iter()
            .filter(|row| row.0)
            .map(|row| row.1)
            .collect();
        if missing.is_empty() {
            self.locked_at = Some(cx.now + SETTLE);
        } else {
            let message = format!("PLL_EN without {}", missing.join(", "));
            cx.report(GuestError::Refused, NAME, PLL_CON0, message);
        }
    }

    fn reference(&mut self, cx: &Context<'_>) -> bool {
        self.reference = cx.signals.cg0 >> MIPI_26M & 1 != 0;
        self.reference
    }

    /// Whether all that the PLL lives on is still there.
    fn supplied(&mut self, cx: &mut Context<'_>) -> bool {
        self.get(BG_CON, cx) & BAND_GAP == BAND_GAP
            && self.get(DSI0_CON, cx) & CORE_LDOS == CORE_LDOS
            && self.get(PLL_PWR, cx) & (PWR_ON | ISO_EN) == PWR_ON
            && self.reference(cx)
    }

    /// Kilobits a second and lane from word and dividers (facts/display.md
    /// 4.3): 26 MHz times PCW, through both TX dividers, PREDIV, POSDIV and
    /// the divider by four in PLL_TOP, two bits a clock.
    fn rate_kbps(&mut self, cx: &mut Context<'_>) -> u32 {
        let con0 = self.get(PLL_CON0, cx);
        let code = |shift: u32, mask: u32| con0 >> shift & mask;
        // TXDIV codes 2 and 3 both divide by four.
        let shift =
            code(1, 3) + code(7, 7) + code(3, 3).min(2) + code(5, 3).min(2) + self.post_divider(cx);
        let mut pcw = u64::from(self.get(PLL_CON2, cx) & PCW);
        if self.get(PLL_CON1, cx) & FRA_EN == 0 {
            pcw &= !0 << PCW_WHOLE_SHIFT;
        }
        let clock_khz = ((REFERENCE_KHZ * pcw) >> PCW_WHOLE_SHIFT) >> shift;
        (2 * clock_khz).try_into().unwrap_or(u32::MAX)
    }

    /// log2 of the divider in PLL_TOP.
    fn post_divider(&mut self, cx: &mut Context<'_>) -> u32 {
        let code = self.get(PLL_TOP, cx) >> PRESERVE_L_SHIFT & 3;
        if code == POST_DIVIDER { 2 } else { 0 }
    }

    /// Drives the wires.
    fn publish(&mut self, cx: &mut Context<'_>) {
        if self.locked_at.is_some() && !self.supplied(cx) {
            self.locked_at = None;
        }
        let locked = self.locked_at.is_some_and(|at| at <= cx.now);
        self.lock_due = self.locked_at.filter(|_| !locked);
        cx.signals.dsi_pll_kbps = if locked {
            Some(self.rate_kbps(cx))
        } else {
            None
        };
        let core = self.get(DSI0_CON, cx) & CORE_LDOS == CORE_LDOS;
        let top = self.get(TOP_CON, cx);
        let mut data = 0;
        for lane in 0..DATA_LANES {
            let on = self.get(DATA_LANE0 + 4 * lane, cx) & LDOOUT_EN != 0;
            data |= u8::from(on && core) << lane;
        }
        cx.signals.mipi_lanes = Lanes {
            clock: core && self.get(CLOCK_LANE, cx) & LDOOUT_EN != 0,
            data,
            bias: top & LNT_HS_BIAS_EN != 0,
            tied_low: top & PAD_TIE_LOW_EN != 0,
            software: self.get(SW_CTRL, cx) & 1 != 0,
        };
    }
}

/// Keeps the time since which something is on.
fn follow(since: &mut Option<Nanos>, on: bool, now: Nanos) {
    if on {
        since.get_or_insert(now);
    } else {
        *since = None;
    }
}

/// Reports a step that came before `what` was on for its time.
fn wait_was_kept(since: Option<Nanos>, offset: u32, step: &str, what: &str, cx: &mut Context<'_>) {
    let message = match since.map(|since| cx.now.saturating_sub(since)) {
        Some(time) if time >= SETTLE => return,
        Some(time) => format!("{step} {time} ns after {what}; 1 ms is asked for"),
        None => format!("{step} without {what}"),
    };
    cx.report(GuestError::Refused, NAME, offset, message);
}

impl Block for Mipitx {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        let value = self.registers.read(offset, size, cx);
        match offset {
            PLL_PWR => value | if value & PWR_ON != 0 { PWR_ACK } else { 0 },
            _ => value,
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        if matches!(offset, RGS | DBG) {
            super::registers::read_only(NAME, offset, "a status register", cx);
            return;
        }
        if offset >= 0x100 {
            self.registers.write(offset, size, value, cx);
            return;
        }
        let value = if offset == PLL_PWR {
            value & !PWR_ACK
        } else {
            value
        };
        let old = self.get(offset & !3, cx);
        self.registers.write(offset, size, value, cx);
        let new = self.get(offset & !3, cx);
        self.wrote(offset & !3, old, new, cx);
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        self.registers.reset(kind, cx);
        self.registers.write(PLL_PWR, 4, ISO_EN, cx);
        self.band_gap_since = None;
        self.power_since = None;
        self.locked_at = None;
        self.publish(cx);
    }

    fn deadline(&self) -> Option<Nanos> {
        self.lock_due
    }

    fn tick(&mut self, cx: &mut Context<'_>) {
        self.publish(cx);
    }

    fn watches_wires(&self) -> bool {
        true
    }

    /// The reference may have come or gone.
    fn wires_changed(&mut self, cx: &mut Context<'_>) {
        let before = self.reference;
        if self.reference(cx) != before {
            self.publish(cx);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;

    const MS: Nanos = 1_000_000;

    /// The order of facts/display.md 4.2 with the words of its example; each
    /// wait lasts `wait`.
    fn power_up(world: &mut TestWorld, phy: &mut Mipitx, wait: Nanos) {
        phy.reset(Reset::PowerOn, &mut world.cx());
        world.signals.cg0 |= 1 << MIPI_26M;
        let pause = |world: &mut TestWorld, phy: &mut Mipitx| {
            let to = world.now + wait;
            world.advance(phy, to);
        };
        for (offset, value) in [(TOP_CON, LNT_HS_BIAS_EN), (BG_CON, 2), (BG_CON, 3)] {
            world.write(phy, offset, value);
        }
        pause(world, phy);
        for (offset, value) in [(DSI0_CON, 2), (DSI0_CON, 3), (PLL_PWR, ISO_EN | PWR_ON)] {
            world.write(phy, offset, value);
        }
        assert_eq!(world.read(phy, PLL_PWR), ISO_EN | PWR_ON | PWR_ACK);
        pause(world, phy);
        for (offset, value) in [
            (PLL_PWR, PWR_ON),
            (PLL_CON0, 0x28),
            (PLL_CON1, 0x01B1_0003),
            (PLL_CON2, 0x7800_0000),
            (CLOCK_LANE, 1),
            (DATA_LANE0, 1),
            (DATA_LANE0 + 4, 1),
            (PLL_CON0, 0x29),
        ] {
            world.write(phy, offset, value);
        }
    }

    #[test]
    fn the_worked_example_runs_at_390_mbit() {
        let (mut world, mut phy) = (TestWorld::default(), Mipitx::new());
        power_up(&mut world, &mut phy, MS);
        assert_eq!(world.signals.dsi_pll_kbps, None, "not locked yet");
        let lock = phy.deadline().unwrap();
        world.advance(&mut phy, lock);
        assert_eq!(
            world.signals.dsi_pll_kbps,
            Some(1_560_000),
            "one divider is missing"
        );
        assert_eq!(phy.deadline(), None);
        world.write(&mut phy, PLL_TOP, 3 << 8);
        assert_eq!(world.signals.dsi_pll_kbps, Some(390_000));
        let lanes = world.signals.mipi_lanes;
        assert!(lanes.clock && lanes.data == 3 && lanes.bias && !lanes.tied_low && !lanes.software);
        assert_eq!(world.reports, []);
        // New style, 450 Mbit/s: 69.23 through a divider by two.
        world.write(&mut phy, PLL_CON2, 0x453B_13B1);
        world.write(&mut phy, PLL_CON0, 0x09);
        assert_eq!(world.signals.dsi_pll_kbps, Some(449_998));
        world.write(&mut phy, PLL_CON1, 0);
        assert_eq!(
            world.signals.dsi_pll_kbps,
            Some(448_500),
            "the fraction needs FRA_EN"
        );
    }

    #[test]
    fn waits_that_are_left_out_are_told_of() {
        let (mut world, mut phy) = (TestWorld::default(), Mipitx::new());
        power_up(&mut world, &mut phy, MS / 10);
        let seen: Vec<_> = world.reports.iter().map(|r| (r.kind, r.offset)).collect();
        let refused = GuestError::Refused;
        assert_eq!(seen, [(refused, DSI0_CON), (refused, PLL_PWR)]);
    }

    #[test]
    fn the_pll_does_not_start_out_of_order() {
        let (mut world, mut phy) = (TestWorld::default(), Mipitx::new());
        phy.reset(Reset::PowerOn, &mut world.cx());
        world.write(&mut phy, PLL_CON0, 1);
        assert_eq!(world.reports.len(), 1);
        let message = &world.reports[0].message;
        for part in [
            "band gap", "LDOs", "PWR_ON", "ISO_EN", "MIPI_26M", "PLL_CON2",
        ] {
            assert!(message.contains(part), "{message}");
        }
        world.advance(&mut phy, 10 * MS);
        assert_eq!(world.signals.dsi_pll_kbps, None);
    }

    #[test]
    fn what_the_pll_lives_on_stops_it() {
        for (offset, value) in [(PLL_PWR, PWR_ON | ISO_EN), (BG_CON, 1), (DSI0_CON, 0)] {
            let (mut world, mut phy) = (TestWorld::default(), Mipitx::new());
            power_up(&mut world, &mut phy, MS);
            world.advance(&mut phy, 10 * MS);
            assert!(world.signals.dsi_pll_kbps.is_some());
            world.write(&mut phy, offset, value);
            assert_eq!(world.signals.dsi_pll_kbps, None, "{offset:#x}");
        }
        let (mut world, mut phy) = (TestWorld::default(), Mipitx::new());
        power_up(&mut world, &mut phy, MS);
        world.advance(&mut phy, 10 * MS);
        world.signals.cg0 = 0;
        phy.wires_changed(&mut world.cx());
        assert_eq!(world.signals.dsi_pll_kbps, None, "no reference");
    }

    #[test]
    fn pads_can_be_taken_from_the_host() {
        let (mut world, mut phy) = (TestWorld::default(), Mipitx::new());
        power_up(&mut world, &mut phy, MS);
        world.write(&mut phy, TOP_CON, PAD_TIE_LOW_EN);
        world.write(&mut phy, SW_CTRL, 1);
        world.write(&mut phy, DATA_LANE0 + 4, 0);
        let lanes = world.signals.mipi_lanes;
        assert!(lanes.tied_low && lanes.software && !lanes.bias && lanes.data == 1);
        world.write(&mut phy, RGS, 0);
        assert_eq!(world.reports.last().unwrap().kind, GuestError::BadValue);
    }
}

//! What the MT6323 does by itself after a time: it stops charging when software
//! no longer kicks the charger's watchdog, and resets the phone when its keys
//! are held for long.
//!
//! Source: facts/soc.md 10.5, 10.6, appendix B. Of the two tables of hold
//! times the preloader's is taken.

use super::{CHR_CON0, CHR_CON13, CHR_CON15, INT_CHRWDT, Inputs, Mt6323, STRUP_CON8, TOP_RST_MISC};
use crate::bus::{Context, Nanos};
use crate::signals::Request;

const SECOND: Nanos = 1_000_000_000;

/// CHR_CON0: RG_CHR_EN.
const CHR_EN: u16 = 1 << 4;
/// CHR_CON13: RG_CHRWDT_TD, EN, WR.
const DOG_TD: u16 = 0xF;
const DOG_EN: u16 = 1 << 4;
const DOG_WR: u16 = 1 << 8;
/// CHR_CON15: INT_EN, FLAG_WR, RGS_CHRWDT_OUT.
const DOG_INT_EN: u16 = 1 << 0;
const DOG_FLAG_WR: u16 = 1 << 1;
const DOG_OUT: u16 = 1 << 2;
/// Code 0 of RG_CHRWDT_TD, the only one whose time is known.
const DOG_TIME: Nanos = 4 * SECOND;

/// TOP_RST_MISC.
const HOMEKEY_RST_EN: u16 = 1 << 5;
const PWRKEY_RST_EN: u16 = 1 << 6;
const PWRRST_TMR_DIS: u16 = 1 << 7;
/// Seconds by PWRKEY_RST_TD.
const HOLD_S: [Nanos; 4] = [8, 11, 14, 5];

/// STRUP_CON8.
const JUST_PWRKEY_RST: u16 = 1 << 14;

/// The watchdog of the charger.
#[derive(Default)]
pub(super) struct ChargerDog {
    bites_at: Option<Nanos>,
}

impl ChargerDog {
    pub(super) fn deadline(&self) -> Option<Nanos> {
        self.bites_at
    }
}

/// The timer of the reset keys.
#[derive(Default)]
pub(super) struct LongPress {
    since: Option<Nanos>,
    due: Option<Nanos>,
    /// These keys have done it: they must be let go of first.
    spent: bool,
}

impl LongPress {
    pub(super) fn deadline(&self) -> Option<Nanos> {
        self.due
    }
}

impl Mt6323 {
    /// CHR_CON13. WR, and the rise of EN, start the time anew.
    pub(super) fn write_charger_dog(&mut self, value: u16, cx: &mut Context<'_>) {
        let rises = value & !self.get(CHR_CON13) & DOG_EN != 0;
        self.set(CHR_CON13, value);
        if value & DOG_EN == 0 {
            self.charger_dog.bites_at = None;
        } else if value & DOG_WR != 0 || rises {
            let known = value & DOG_TD == 0;
            self.charger_dog.bites_at = known.then(|| cx.now + DOG_TIME);
            if !known {
                cx.log
                    .push("MT6323: RG_CHRWDT_TD: only code 0 (4 s) is modelled".into());
            }
        }
    }

    /// CHR_CON15. FLAG_WR takes the flag back.
    pub(super) fn write_charger_dog_flag(&mut self, value: u16) {
        let out = if value & DOG_FLAG_WR == 0 {
            self.get(CHR_CON15) & DOG_OUT
        } else {
            0
        };
        self.set(CHR_CON15, value & !DOG_OUT | out);
    }

    pub(super) fn watch_charging(&mut self, now: Nanos) {
        if self.charger_dog.bites_at.is_none_or(|at| now < at) {
            return;
        }
        self.charger_dog.bites_at = None;
        self.set(CHR_CON0, self.get(CHR_CON0) & !CHR_EN);
        let flags = self.get(CHR_CON15);
        self.set(CHR_CON15, flags | DOG_OUT);
        if flags & DOG_INT_EN != 0 {
            self.int_status[0] |= INT_CHRWDT;
        }
    }

    pub(super) fn watch_keys(&mut self, cx: &mut Context<'_>) {
        let misc = self.get(TOP_RST_MISC);
        let keys = Inputs::of(cx.signals);
        let wanted = [
            (PWRKEY_RST_EN, keys.power_key),
            (HOMEKEY_RST_EN, keys.home_key),
        ];
        let armed = misc & (PWRKEY_RST_EN | HOMEKEY_RST_EN) != 0 && misc & PWRRST_TMR_DIS == 0;
        let held = armed
            && wanted
                .iter()
                .all(|&(enable, held)| misc & enable == 0 || held);
        let press = &mut self.long_press;
        if !held {
            *press = LongPress::default();
            return;
        }
        let since = *press.since.get_or_insert(cx.now);
        let due = since + HOLD_S[usize::from(misc >> 8 & 3)] * SECOND;
        press.due = (!press.spent).then_some(due);
        if press.due.is_some_and(|due| due <= cx.now) {
            press.spent = true;
            press.due = None;
            self.set(STRUP_CON8, self.get(STRUP_CON8) | JUST_PWRKEY_RST);
            cx.signals.request = Some(Request::PmicReset("long press of the power key"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::{Reset, TestWorld};

    fn fresh() -> (Mt6323, TestWorld) {
        let (mut pmic, mut world) = (Mt6323::new(0x1023), TestWorld::default());
        pmic.reset(Reset::PowerOn, &mut world.cx());
        (pmic, world)
    }

    fn write(pmic: &mut Mt6323, world: &mut TestWorld, address: u16, value: u16) {
        pmic.write(address, value, &mut world.cx());
    }

    #[test]
    fn charging_stops_unless_the_watchdog_is_kicked() {
        let (mut pmic, mut world) = fresh();
        for (address, value) in [
            (CHR_CON13, DOG_WR),
            (CHR_CON15, DOG_INT_EN),
            (CHR_CON13, DOG_WR | DOG_EN),
            (CHR_CON15, DOG_INT_EN | DOG_FLAG_WR),
            (CHR_CON0, CHR_EN | 1 << 3),
        ] {
            write(&mut pmic, &mut world, address, value);
        }
        world.now = 3 * SECOND;
        write(&mut pmic, &mut world, CHR_CON13, DOG_WR | DOG_EN);
        world.now = 7 * SECOND - 1;
        assert_eq!(pmic.read(CHR_CON0, &mut world.cx()) & CHR_EN, CHR_EN);
        assert_eq!(pmic.deadline(world.now), Some(7 * SECOND));
        world.now = 7 * SECOND;
        assert_eq!(pmic.read(CHR_CON0, &mut world.cx()) & CHR_EN, 0);
        assert_eq!(pmic.read(0x172, &mut world.cx()), INT_CHRWDT);
        assert_eq!(pmic.read(CHR_CON15, &mut world.cx()) & DOG_OUT, DOG_OUT);
        write(&mut pmic, &mut world, CHR_CON15, DOG_INT_EN | DOG_FLAG_WR);
        assert_eq!(pmic.read(CHR_CON15, &mut world.cx()) & DOG_OUT, 0);
        assert_eq!(pmic.deadline(world.now), None);
    }

    #[test]
    fn a_long_press_resets_once_and_leaves_its_flag() {
        let (mut pmic, mut world) = fresh();
        world.signals.power_key = true;
        pmic.update(&mut world.cx());
        world.now = 60 * SECOND;
        pmic.update(&mut world.cx());
        assert_eq!(world.signals.request, None, "not enabled");
        // Code 3: five seconds.
        write(&mut pmic, &mut world, 0x11C, PWRKEY_RST_EN | 3 << 8);
        assert_eq!(pmic.deadline(world.now), Some(65 * SECOND));
        world.now = 65 * SECOND;
        pmic.update(&mut world.cx());
        assert!(matches!(
            world.signals.request.take(),
            Some(Request::PmicReset(_))
        ));
        pmic.reset(Reset::Watchdog, &mut world.cx());
        assert_eq!(pmic.read(STRUP_CON8, &mut world.cx()), JUST_PWRKEY_RST);
        world.now = 99 * SECOND;
        pmic.update(&mut world.cx());
        assert_eq!(world.signals.request, None, "the key is still held");
        write(&mut pmic, &mut world, STRUP_CON8, 1 << 4);
        assert_eq!(pmic.read(STRUP_CON8, &mut world.cx()) & JUST_PWRKEY_RST, 0);
    }

    #[test]
    fn both_keys_are_needed_where_both_are_enabled() {
        let (mut pmic, mut world) = fresh();
        world.signals.power_key = true;
        let both = PWRKEY_RST_EN | HOMEKEY_RST_EN;
        write(&mut pmic, &mut world, 0x11C, both);
        assert_eq!(pmic.deadline(world.now), None);
        world.signals.home_key = true;
        pmic.update(&mut world.cx());
        assert_eq!(pmic.deadline(world.now), Some(8 * SECOND));
        write(&mut pmic, &mut world, 0x11C, PWRRST_TMR_DIS);
        assert_eq!(pmic.deadline(world.now), None);
    }
}

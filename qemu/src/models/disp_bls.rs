//! BLS: picture processing (gamma, dithering), of which only "on" and the size
//! show, and the backlight output PWM_BL.
//!
//! The duty is held back until a mutex commits BLS, unless DEBUG says that
//! registers take effect at once; everything else is held back only while a
//! mutex holds the block. Source: facts/display.md 1.6, 2.4 and 6.2;
//! facts/soc.md 9.3 (clocks) and 11.2.

use super::registers::read_only;
use super::scratch::Scratch;
use crate::bus::{Block, Context, GuestError, Reset, Size};
use crate::display::{Bls, Module};
use crate::signals::Signals;

const NAME: &str = "DISP_BLS";
const LEN: u32 = 0x1000;

const EN: u32 = 0x00;
const INTSTA: u32 = 0x0c;
const SRC_SIZE: u32 = 0x18;
const PWM_DUTY: u32 = 0xa0;
const DEBUG: u32 = 0xb0;
const PWM_DUTY_RD: u32 = 0x200;

const PROCESS: u32 = 1;
const PWM: u32 = 1 << 16;
/// Highest PWM_DUTY.
const FULL: u32 = 1023;
/// DEBUG: registers take effect at once.
const BYPASS_SHADOW: u32 = 3;

/// MMSYS CG0 bit of the PWM's 26 MHz.
const CG_BLS_26M: u8 = 15;
/// TOPCKGEN CG0 bit of PWM_MM, and the mux bit that selects it.
const CG_PWM_MM: u8 = 0;
const MUX_PWM_MM: u8 = 18;

/// The block at 0x1400A000.
pub struct DispBls {
    registers: Scratch,
    /// What is in effect: PWM_DUTY, and EN's bit of the output.
    duty: u32,
    pwm: bool,
    /// Commits by a mutex that were seen.
    commits: u32,
    /// A mutex held the block when that was last looked at.
    held_back: bool,
}

impl Default for DispBls {
    fn default() -> Self {
        Self::new()
    }
}

impl DispBls {
    /// Off.
    pub fn new() -> Self {
        DispBls {
            registers: Scratch::new(NAME, LEN),
            duty: 0,
            pwm: false,
            commits: 0,
            held_back: false,
        }
    }

    /// Puts into effect what nothing holds back.
    fn catch_up(&mut self, cx: &mut Context<'_>) {
        let mut get = |offset| self.registers.read(offset, 4, cx);
        let (enabled, size, duty) = (get(EN), get(SRC_SIZE), get(PWM_DUTY));
        let bypass = get(DEBUG) & BYPASS_SHADOW == BYPASS_SHADOW;
        self.held_back = cx.signals.display.holds(Module::Bls);
        if bypass || !self.held_back {
            cx.signals.display.bls = Bls {
                processes: enabled & PROCESS != 0,
                size,
            };
            self.pwm = enabled & PWM != 0;
        }
        let commits = cx.signals.display.commits_of(Module::Bls);
        if bypass || commits != self.commits {
            self.commits = commits;
            self.duty = duty & FULL;
        }
        self.drive(cx.signals);
    }

    fn drive(&self, signals: &mut Signals) {
        let runs = self.pwm && clocked(signals);
        signals.bls_permille = runs.then_some((self.duty * 1000 / FULL) as u16);
    }
}

/// Whether the output has a clock: 26 MHz, or UPLL / 12 through its gate.
fn clocked(signals: &Signals) -> bool {
    let selected = signals.clk_mux_sel >> MUX_PWM_MM & 1 != 0;
    let gated = signals.cg0 >> CG_PWM_MM & 1 != 0;
    signals.mm_cg0 >> CG_BLS_26M & 1 == 0 && !(selected && gated)
}

impl Block for DispBls {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        match offset {
            // Bypassed, it has nothing to report.
            INTSTA => 0,
            PWM_DUTY_RD => self.duty,
            _ => self.registers.read(offset, size, cx),
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        match offset {
            INTSTA => return,
            PWM_DUTY_RD => return read_only(NAME, offset, "PWM_DUTY_RD", cx),
            PWM_DUTY if value > FULL => cx.report(
                GuestError::BadValue,
                NAME,
                offset,
                format!("duty {value}; {FULL} is full"),
            ),
            _ => {}
        }
        self.registers.write(offset, size, value, cx);
        self.catch_up(cx);
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        self.registers.reset(kind, cx);
        (self.duty, self.pwm, self.held_back) = (0, false, false);
        cx.signals.display.bls = Bls::default();
        self.drive(cx.signals);
    }

    fn watches_wires(&self) -> bool {
        true
    }

    /// A mutex may have let go, a clock may have changed.
    fn wires_changed(&mut self, cx: &mut Context<'_>) {
        if self.held_back || cx.signals.display.commits_of(Module::Bls) != self.commits {
            self.catch_up(cx);
        } else {
            self.drive(cx.signals);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;

    /// The clocks that a stock loader opens.
    fn clocked_world() -> TestWorld {
        let mut world = TestWorld::default();
        world.signals.mm_cg0 = !0x8020;
        world
    }

    fn set_level(world: &mut TestWorld, bls: &mut DispBls, level: u32) {
        for (offset, value) in [(DEBUG, 3), (PWM_DUTY, level * FULL / 255), (DEBUG, 0)] {
            world.write(bls, offset, value);
        }
    }

    #[test]
    fn a_stock_loaders_levels_reach_the_pad() {
        let (mut world, mut bls) = (clocked_world(), DispBls::new());
        set_level(&mut world, &mut bls, 255);
        assert_eq!(world.signals.bls_permille, None, "the output is off");
        world.write(&mut bls, EN, PWM);
        assert_eq!(world.signals.bls_permille, Some(1000));
        set_level(&mut world, &mut bls, 51);
        assert_eq!(world.signals.bls_permille, Some(199));
        assert_eq!(world.read(&mut bls, PWM_DUTY_RD), 204);
        assert!(world.reports.is_empty());
    }

    #[test]
    fn a_duty_without_bypass_waits_for_a_commit() {
        let (mut world, mut bls) = (clocked_world(), DispBls::new());
        world.write(&mut bls, EN, PWM);
        world.write(&mut bls, PWM_DUTY, FULL);
        assert_eq!(world.signals.bls_permille, Some(0));
        assert_eq!(world.read(&mut bls, PWM_DUTY), FULL);
        world.signals.display.commits[Module::Bls as usize] += 1;
        bls.wires_changed(&mut world.cx());
        assert_eq!(world.signals.bls_permille, Some(1000));
    }

    #[test]
    fn bypass_works_while_a_mutex_holds_the_block() {
        let (mut world, mut bls) = (clocked_world(), DispBls::new());
        world.signals.display.held = Module::Bls.mask();
        world.write(&mut bls, EN, PWM | PROCESS);
        assert_eq!(world.signals.bls_permille, None);
        assert!(!world.signals.display.bls.processes);
        set_level(&mut world, &mut bls, 255);
        assert_eq!(world.signals.bls_permille, Some(1000));
        assert!(world.signals.display.bls.processes);
    }

    #[test]
    fn without_a_clock_the_output_stands() {
        let (mut world, mut bls) = (clocked_world(), DispBls::new());
        world.write(&mut bls, EN, PWM);
        set_level(&mut world, &mut bls, 255);
        world.signals.mm_cg0 |= 1 << CG_BLS_26M;
        bls.wires_changed(&mut world.cx());
        assert_eq!(world.signals.bls_permille, None);
        world.signals.mm_cg0 = !0x8020;
        world.signals.clk_mux_sel = 1 << MUX_PWM_MM;
        world.signals.cg0 = 1;
        bls.wires_changed(&mut world.cx());
        assert_eq!(world.signals.bls_permille, None, "UPLL / 12 is gated");
        world.signals.cg0 = 0;
        bls.wires_changed(&mut world.cx());
        assert_eq!(world.signals.bls_permille, Some(1000));
    }

    #[test]
    fn more_than_full_is_told_of() {
        let (mut world, mut bls) = (clocked_world(), DispBls::new());
        world.write(&mut bls, PWM_DUTY, 1024);
        assert_eq!(world.reports[0].kind, GuestError::BadValue);
    }
}

//! KP: the key matrix. What the user holds appears in KP_MEM after the
//! debounce time, as zeros.
//!
//! The interrupt is an edge: the source goes active when the picture changes
//! and idle again when software looks at it (KP_STA or any KP_MEM).
//! Source: facts/soc.md 8.2.

use super::registers::{check_width, read_only};
use crate::bus::{Block, Context, Nanos, Reset, Size};

const NAME: &str = "KP";
const SPI: u8 = 89;

const KP_STA: u32 = 0x00;
const KP_MEM1: u32 = 0x04;
const KP_MEM5: u32 = 0x14;
const KP_DEBOUNCE: u32 = 0x18;
const KP_SCAN_TIMING: u32 = 0x1c;
const KP_SEL: u32 = 0x20;
const KP_EN: u32 = 0x24;

/// 32 ms.
const DEBOUNCE_RESET: u32 = 0x400;
/// One unit of KP_DEBOUNCE: 1/32 ms.
const DEBOUNCE_UNIT: Nanos = 31_250;
const KEYS: usize = 72;

/// Every ninth index is the power key, which the PMIC reads and the matrix
/// does not.
fn matrix_keys() -> u128 {
    (0..KEYS)
        .filter(|key| key % 9 != 8)
        .fold(0, |all, key| all | 1 << key)
}

/// The block at 0x10002000.
pub struct Keypad {
    debounce: u32,
    scan_timing: u32,
    sel: u32,
    enabled: bool,
    /// Keys as the matrix has them, and since when.
    raw: u128,
    raw_since: Nanos,
    /// Keys as KP_MEM shows them (1 = pressed here).
    shown: u128,
    changed: bool,
}

impl Default for Keypad {
    fn default() -> Self {
        Self::new()
    }
}

impl Keypad {
    /// Scanning, nothing pressed.
    pub fn new() -> Self {
        Keypad {
            debounce: DEBOUNCE_RESET,
            scan_timing: 0,
            sel: 0,
            enabled: true,
            raw: 0,
            raw_since: 0,
            shown: 0,
            changed: false,
        }
    }

    fn due(&self) -> Option<Nanos> {
        (self.enabled && self.raw != self.shown)
            .then(|| self.raw_since + Nanos::from(self.debounce) * DEBOUNCE_UNIT)
    }

    /// Looks at the matrix, and shows what has been stable for long enough.
    fn scan(&mut self, cx: &mut Context<'_>) {
        // What was due before this look was stable until now.
        self.show(cx);
        let keys = cx.signals.keys & matrix_keys();
        if self.enabled && keys != self.raw {
            self.raw = keys;
            self.raw_since = cx.now;
            self.show(cx);
        }
    }

    fn show(&mut self, cx: &mut Context<'_>) {
        if self.due().is_some_and(|at| at <= cx.now) {
            self.shown = self.raw;
            self.changed = true;
            cx.irq.set(SPI, true);
        }
    }

    fn acknowledge(&mut self, cx: &mut Context<'_>) {
        self.changed = false;
        cx.irq.set(SPI, false);
    }

    /// KP_MEM1..5 hold 16, 16, 16, 16 and 8 keys; pressed keys read 0.
    fn memory(&self, offset: u32) -> u32 {
        let first = (offset - KP_MEM1) * 4;
        let existing = if offset == KP_MEM5 { 0xff } else { 0xffff };
        !((self.shown >> first) as u32) & existing
    }
}

impl Block for Keypad {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        if !check_width(NAME, offset, size, &[2, 4], cx) {
            return 0;
        }
        self.scan(cx);
        match offset {
            KP_STA => {
                let changed = self.changed;
                self.acknowledge(cx);
                changed.into()
            }
            KP_MEM1..=KP_MEM5 => {
                cx.irq.set(SPI, false);
                self.memory(offset)
            }
            KP_DEBOUNCE => self.debounce,
            KP_SCAN_TIMING => self.scan_timing,
            KP_SEL => self.sel,
            KP_EN => self.enabled.into(),
            _ => cx.unknown_register(NAME, offset, false),
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        if !check_width(NAME, offset, size, &[2, 4], cx) {
            return;
        }
        self.scan(cx);
        match offset {
            KP_STA => read_only(NAME, offset, "KP_STA", cx),
            KP_MEM1..=KP_MEM5 => read_only(NAME, offset, "KP_MEM", cx),
            KP_DEBOUNCE => self.debounce = value & 0x3fff,
            KP_SCAN_TIMING => self.scan_timing = value & 0xffff,
            KP_SEL => self.sel = value & 0xffff,
            KP_EN => self.enabled = value & 1 != 0,
            _ => {
                cx.unknown_register(NAME, offset, true);
            }
        }
        self.scan(cx);
    }

    fn reset(&mut self, _kind: Reset, cx: &mut Context<'_>) {
        *self = Keypad {
            raw_since: cx.now,
            ..Self::new()
        };
        self.acknowledge(cx);
        self.scan(cx);
    }

    /// Keys that are held show at once: the preloader has waited for the
    /// debounce time before it looked at them.
    fn leave_as_preloader(&mut self, cx: &mut Context<'_>) {
        self.scan(cx);
        self.shown = self.raw;
        self.acknowledge(cx);
    }

    fn deadline(&self) -> Option<Nanos> {
        self.due()
    }

    fn tick(&mut self, cx: &mut Context<'_>) {
        self.scan(cx);
    }

    fn watches_wires(&self) -> bool {
        true
    }

    fn wires_changed(&mut self, cx: &mut Context<'_>) {
        self.scan(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::{GuestError, TestWorld};

    const MS: Nanos = 1_000_000;

    fn idle() -> (TestWorld, Keypad) {
        let mut world = TestWorld::default();
        let mut keypad = Keypad::new();
        keypad.reset(Reset::PowerOn, &mut world.cx());
        (world, keypad)
    }

    fn press(world: &mut TestWorld, keypad: &mut Keypad, keys: u128) {
        world.signals.keys = keys;
        keypad.wires_changed(&mut world.cx());
    }

    #[test]
    fn nothing_pressed_reads_all_ones() {
        let (mut world, mut keypad) = idle();
        let memory =
            [0x04, 0x08, 0x0c, 0x10, 0x14].map(|offset| keypad.read(offset, 2, &mut world.cx()));
        assert_eq!(memory, [0xffff, 0xffff, 0xffff, 0xffff, 0x00ff]);
        assert!(world.reports.is_empty());
    }

    #[test]
    fn a_key_shows_after_the_debounce_time_with_an_interrupt() {
        let (mut world, mut keypad) = idle();
        press(&mut world, &mut keypad, 1 << 19);
        world.advance(&mut keypad, 32 * MS - 1);
        assert!(!world.irq.get(89));
        assert_eq!(world.read(&mut keypad, 0x08), 0xffff);
        world.advance(&mut keypad, 32 * MS);
        assert!(world.irq.get(89));
        assert_eq!(world.read(&mut keypad, 0x08), 0xfff7);
        assert!(!world.irq.get(89), "looking ends the interrupt");
        assert_eq!(world.read(&mut keypad, 0x00), 1);
        assert_eq!(world.read(&mut keypad, 0x00), 0);
        press(&mut world, &mut keypad, 0);
        world.advance(&mut keypad, 64 * MS);
        assert!(world.irq.get(89));
        assert_eq!(world.read(&mut keypad, 0x08), 0xffff);
    }

    #[test]
    fn a_bounce_is_not_a_key() {
        let (mut world, mut keypad) = idle();
        press(&mut world, &mut keypad, 1 << 71);
        world.advance(&mut keypad, 20 * MS);
        press(&mut world, &mut keypad, 0);
        world.advance(&mut keypad, 100 * MS);
        assert!(!world.irq.get(89));
        assert_eq!(world.read(&mut keypad, 0x14), 0xff);
    }

    #[test]
    fn the_debounce_time_is_programmable_and_the_power_key_is_elsewhere() {
        let (mut world, mut keypad) = idle();
        keypad.write(0x18, 2, 0x20, &mut world.cx());
        press(&mut world, &mut keypad, 1 << 8 | 1 << 9);
        world.advance(&mut keypad, MS);
        assert_eq!(world.read(&mut keypad, 0x04), 0xffff & !(1 << 9));
    }

    #[test]
    fn keys_held_from_the_start() {
        let (mut world, mut keypad) = idle();
        world.signals.keys = 1;
        keypad.reset(Reset::Watchdog, &mut world.cx());
        assert_eq!(world.read(&mut keypad, 0x04), 0xffff);
        keypad.leave_as_preloader(&mut world.cx());
        assert_eq!(world.read(&mut keypad, 0x04), 0xfffe);
        assert!(!world.irq.get(89));
        keypad.write(0x24, 2, 0, &mut world.cx());
        press(&mut world, &mut keypad, 0);
        world.advance(&mut keypad, 100 * MS);
        assert_eq!(world.read(&mut keypad, 0x04), 0xfffe, "not scanning");
    }

    #[test]
    fn is_strict() {
        let (mut world, mut keypad) = idle();
        world.write(&mut keypad, 0x04, 0);
        world.read(&mut keypad, 0x28);
        keypad.read(0x04, 1, &mut world.cx());
        let kinds: Vec<_> = world.reports.iter().map(|report| report.kind).collect();
        assert_eq!(
            kinds,
            [
                GuestError::BadValue,
                GuestError::UnknownRegister,
                GuestError::AccessSize
            ]
        );
    }
}

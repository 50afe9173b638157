//! The key matrix. The power key is not in it: see
//! [`crate::mt6323::Mt6323::keys`].
//!
//! Source: facts/soc.md 8.2 and 8.4.

use crate::reg::{Update, Write, assert_offsets};
use volatile_register::{RO, RW};

/// A 16-bit register in a 32-bit slot.
type Pad = u16;

/// Registers of the block; 16 bits each, accessed as such.
#[repr(C)]
pub struct RegisterBlock {
    status: RO<u16>,
    _pad0: Pad,
    mem: [KeyWord; 5],
    debounce: RW<u16>,
    _pad1: Pad,
    scan_timing: RW<u16>,
    _pad2: Pad,
    select: RW<u16>,
    _pad3: Pad,
    enable: RW<u16>,
    _pad4: Pad,
}

#[repr(C)]
struct KeyWord {
    /// 16 keys, a bit each: 0 = pressed.
    keys: RO<u16>,
    _pad: Pad,
}

assert_offsets!(RegisterBlock {
    mem: 0x04,
    debounce: 0x18,
    select: 0x20,
    enable: 0x24,
});

/// Keys of the matrix: 8 rows of 9, the ninth standing for the power key.
const KEYS: u8 = 72;

/// The state of all keys at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyState([u16; 5]);

impl KeyState {
    /// Whether the key with this code (row * 9 + column) is pressed. Codes
    /// outside the matrix, the power key's among them, are never pressed.
    pub fn pressed(self, code: u8) -> bool {
        if code >= KEYS || code % 9 == 8 {
            return false;
        }
        self.0[usize::from(code / 16)] & 1 << (code % 16) == 0
    }

    /// The codes of the pressed keys, lowest first.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..KEYS).filter(move |&code| self.pressed(code))
    }

    /// Whether a key is pressed that was not `before`: a key that hangs is no
    /// person.
    pub fn has_new(self, before: Self) -> bool {
        self.iter().any(|code| !before.pressed(code))
    }
}

/// The key matrix.
pub struct Keypad {
    regs: &'static RegisterBlock,
}

impl Keypad {
    /// The driver of the block `regs`.
    pub const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs }
    }

    /// Starts scanning a single keypad, if that is not running yet. Keys show
    /// 33 ms after a start.
    pub fn start(&mut self) {
        if self.regs.select.read() & 1 != 0 {
            self.regs.select.update(|value| value & !1);
        }
        if self.regs.enable.read() & 1 == 0 {
            self.regs.enable.put(1);
        }
    }

    /// What is pressed now.
    pub fn read(&self) -> KeyState {
        let mut words = [0; 5];
        for (word, register) in words.iter_mut().zip(&self.regs.mem) {
            *word = register.keys.read();
        }
        KeyState(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg::{leaked, poke};

    fn state(pressed: &[u8]) -> KeyState {
        let regs: &RegisterBlock = leaked();
        for (index, word) in regs.mem.iter().enumerate() {
            let keys = pressed
                .iter()
                .filter(|&&code| usize::from(code / 16) == index)
                .fold(u16::MAX, |keys, code| keys & !(1 << (code % 16)));
            poke(&word.keys, keys);
        }
        Keypad::new(regs).read()
    }

    #[test]
    fn codes_of_real_boards() {
        assert!(state(&[]).iter().next().is_none());
        // Volume keys of ckt72_w_kk: 20 and 29.
        let keys = state(&[20, 29]);
        assert!(keys.pressed(20) && keys.pressed(29) && !keys.pressed(19));
        assert_eq!(keys.iter().collect::<Vec<_>>(), [20, 29]);
    }

    #[test]
    fn the_power_key_is_not_in_the_matrix() {
        assert!(!state(&[8]).pressed(8));
        assert!(!state(&[]).pressed(72) && !state(&[]).pressed(255));
        // The upper half of the fifth word is no key.
        let upper = KeyState([u16::MAX, u16::MAX, u16::MAX, u16::MAX, 0xff]);
        assert!(upper.iter().next().is_none());
    }

    #[test]
    fn a_key_that_hangs_is_not_new() {
        let stuck = state(&[7]);
        assert!(!stuck.has_new(stuck));
        assert!(state(&[7, 20]).has_new(stuck));
        assert!(!state(&[]).has_new(stuck));
        assert!(stuck.has_new(state(&[])));
    }

    #[test]
    fn start_leaves_a_running_scan_alone() {
        let regs: &RegisterBlock = leaked();
        regs.select.put(3);
        Keypad::new(regs).start();
        assert_eq!((regs.select.read(), regs.enable.read()), (2, 1));
    }
}

//! Instructions that compare, and what they compare; calls. ARM and Thumb-2, as
//! far as compilers use them.
//!
//! Source: ARM Architecture Reference Manual, ARMv7-A, A5 and A6.

use crate::gdb::Registers;
use crate::image::Image;

const SP: usize = 13;
const PC: usize = 15;

/// Two values that an instruction compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Compared {
    /// Where.
    pub at: u32,
    /// One value.
    pub left: u32,
    /// The other.
    pub right: u32,
}

/// An operand.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Operand {
    Value(u32),
    Register(usize),
    Shifted { register: usize, kind: u32, by: u32 },
}

/// What an instruction compares.
#[derive(Debug, Clone, Copy)]
struct Compare {
    left: usize,
    right: Operand,
    /// The bits that both have, with nothing.
    test: bool,
}

/// All addresses from `start` to `end` where an instruction compares.
pub fn compares(image: &Image<'_>, start: u32, end: u32, thumb: bool) -> Vec<u32> {
    let step = if thumb { 2 } else { 4 };
    (start..end)
        .step_by(step)
        .filter(|&at| decode(image, at, thumb).is_some())
        .collect()
}

/// What the instruction at the program counter compares.
pub fn compared(image: &Image<'_>, registers: &Registers) -> Option<Compared> {
    let (at, thumb) = (registers[PC], registers[16] & 0x20 != 0);
    let compare = decode(image, at, thumb)?;
    let left = *registers.get(compare.left)?;
    let right = value(compare.right, registers)?;
    Some(if compare.test {
        Compared {
            at,
            left: left & right,
            right: 0,
        }
    } else {
        Compared { at, left, right }
    })
}

/// The operand's value.
pub(crate) fn value(operand: Operand, registers: &Registers) -> Option<u32> {
    Some(match operand {
        Operand::Value(value) => value,
        Operand::Register(register) => *registers.get(register)?,
        Operand::Shifted { register, kind, by } => {
            let value = *registers.get(register)?;
            match (kind, by) {
                (0, by) => value << by,
                (1, 0) => 0,
                (1, by) => value >> by,
                (2, 0) => (value as i32 >> 31) as u32,
                (2, by) => (value as i32 >> by) as u32,
                (_, by) => value.rotate_right(by),
            }
        }
    })
}

fn half(image: &Image<'_>, at: u32) -> Option<u32> {
    let bytes = image.bytes(at, 2)?;
    Some(u32::from(u16::from_le_bytes([bytes[0], bytes[1]])))
}

fn decode(image: &Image<'_>, at: u32, thumb: bool) -> Option<Compare> {
    let compare = if thumb {
        let first = half(image, at)?;
        if first >> 11 >= 0b11101 {
            wide(first, half(image, at + 2)?)
        } else {
            narrow(first)
        }
    } else {
        arm(image.word(at)?)
    }?;
    // Arithmetic on addresses.
    (compare.left != SP && compare.left != PC).then_some(compare)
}

const fn plain(left: u32, right: Operand) -> Compare {
    Compare {
        left: left as usize,
        right,
        test: false,
    }
}

pub(crate) fn register(number: u32) -> Operand {
    Operand::Register((number & 15) as usize)
}

fn narrow(code: u32) -> Option<Compare> {
    let low = |shift: u32| (code >> shift) & 7;
    match code >> 11 {
        // CMP, SUBS immediate.
        0b00101 | 0b00111 => return Some(plain(low(8), Operand::Value(code & 0xFF))),
        0b00011 if code >> 9 & 1 == 1 => {
            // SUBS with register or three bits.
            let right = if code >> 10 & 1 == 1 {
                Operand::Value(low(6))
            } else {
                register(low(6))
            };
            return Some(plain(low(3), right));
        }
        _ => {}
    }
    match code >> 6 {
        // CMP, EORS, TST register.
        0b01_0000_1010 | 0b01_0000_0001 => Some(plain(low(0), register(low(3)))),
        0b01_0000_1000 => Some(Compare {
            left: low(0) as usize,
            right: register(low(3)),
            test: true,
        }),
        _ if code >> 8 == 0b0100_0101 => {
            Some(plain(low(0) | code >> 4 & 8, register(code >> 3 & 15)))
        }
        // CBZ, CBNZ.
        _ if code & 0xF500 == 0xB100 => Some(plain(low(0), Operand::Value(0))),
        _ => None,
    }
}

fn wide(first: u32, second: u32) -> Option<Compare> {
    let left = first & 15;
    let target = second >> 8 & 15;
    let (operation, flags) = (first >> 5 & 15, first >> 4 & 1);
    let right = if first >> 11 == 0b11110 && second >> 15 == 0 {
        let bits = first << 1 & 0x800 | second >> 4 & 0x700 | second & 0xFF;
        if first >> 9 & 1 == 1 {
            // SUBW.
            let subtract = first >> 4 & 0x1F == 0b01010;
            return subtract.then(|| plain(left, Operand::Value(bits)));
        }
        Operand::Value(expand(bits))
    } else if first >> 9 == 0b111_0101 {
        let by = second >> 10 & 0x1C | second >> 6 & 3;
        Operand::Shifted {
            register: (second & 15) as usize,
            kind: second >> 4 & 3,
            by,
        }
    } else {
        return None;
    };
    match operation {
        // SUB or CMP, RSB, EOR or TEQ.
        0b1101 | 0b1110 | 0b0100 => Some(plain(left, right)),
        // TST.
        0b0000 if flags == 1 && target == 15 => Some(Compare {
            left: left as usize,
            right,
            test: true,
        }),
        _ => None,
    }
}

/// A Thumb-2 modified immediate of twelve bits.
fn expand(bits: u32) -> u32 {
    let byte = bits & 0xFF;
    match bits >> 8 & 15 {
        0 => byte,
        1 => byte << 16 | byte,
        2 => byte << 24 | byte << 8,
        3 => byte << 24 | byte << 16 | byte << 8 | byte,
        _ => (0x80 | bits & 0x7F).rotate_right(bits >> 7 & 31),
    }
}

fn arm(code: u32) -> Option<Compare> {
    let operation = code >> 21 & 15;
    let flags = code >> 20 & 1 == 1;
    if code >> 28 == 15 || code >> 26 & 3 != 0 {
        return None;
    }
    let right = if code >> 25 & 1 == 1 {
        Operand::Value((code & 0xFF).rotate_right(code >> 7 & 0x1E))
    } else if code >> 4 & 1 == 1 {
        // Shifts by a register, multiplications.
        return None;
    } else {
        Operand::Shifted {
            register: (code & 15) as usize,
            kind: code >> 5 & 3,
            by: code >> 7 & 31,
        }
    };
    let left = code >> 16 & 15;
    match operation {
        // EOR, SUB, RSB; TEQ, CMP.
        0b0001..=0b0011 => Some(plain(left, right)),
        0b1001 | 0b1010 if flags => Some(plain(left, right)),
        0b1000 if flags => Some(Compare {
            left: left as usize,
            right,
            test: true,
        }),
        _ => None,
    }
}

/// Where the call went whose next instruction is at `link` (bit 0: Thumb).
pub fn call_before(image: &Image<'_>, link: u32) -> Option<u32> {
    if link & 1 == 0 {
        let code = image.word(link.checked_sub(4)?)?;
        let offset = ((code << 8) as i32 >> 6) as u32;
        let target = link.wrapping_add(4).wrapping_add(offset);
        return match code >> 24 {
            0xFA | 0xFB => Some((target | code >> 23 & 2) | 1),
            code if code & 15 == 0b1011 => Some(target),
            _ => None,
        };
    }
    let end = link & !1;
    let first = half(image, end.checked_sub(4)?)?;
    let second = half(image, end - 2)?;
    if first >> 11 != 0b11110 || second >> 14 != 3 {
        return None;
    }
    let sign = first >> 10 & 1;
    let [one, two] = [second >> 13 & 1, second >> 11 & 1].map(|bit| 1 - (bit ^ sign));
    let offset = sign << 24 | one << 23 | two << 22 | (first & 0x3FF) << 12 | (second & 0x7FF) << 1;
    let offset = ((offset << 7) as i32 >> 7) as u32;
    let target = end.wrapping_add(offset);
    Some(if second >> 12 & 1 == 1 {
        target | 1
    } else {
        // To ARM code.
        target & !3
    })
}

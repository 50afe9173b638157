//! Instructions that compare, and what they compare; those that access memory,
//! and where; calls. ARM and Thumb-2, as far as compilers use them.
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
enum Operand {
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

fn value(operand: Operand, registers: &Registers) -> Option<u32> {
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

fn register(number: u32) -> Operand {
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

/// The address that the load or store at the beginning of `code` accesses.
pub fn accessed(code: &[u8], registers: &Registers) -> Option<u32> {
    let two = |at: usize| {
        let bytes = code.get(at..at + 2)?;
        Some(u32::from(u16::from_le_bytes([bytes[0], bytes[1]])))
    };
    let thumb = registers[16] & 0x20 != 0;
    let (base, operand, down) = if !thumb {
        access_arm(two(0)? | two(2)? << 16)?
    } else if two(0)? >> 11 >= 0b11101 {
        access_wide(two(0)?, two(2)?)?
    } else {
        access_narrow(two(0)?)?
    };
    let base = *registers.get(base as usize)?;
    let offset = value(operand, registers)?;
    Some(if down {
        base.wrapping_sub(offset)
    } else {
        base.wrapping_add(offset)
    })
}

/// Base register, offset, and whether the offset is subtracted.
type Access = (u32, Operand, bool);

fn access_narrow(code: u32) -> Option<Access> {
    let base = code >> 3 & 7;
    let scaled = |size: u32| Some((base, Operand::Value((code >> 6 & 31) * size), false));
    match code >> 12 {
        5 => Some((base, register(code >> 6 & 7), false)),
        6 => scaled(4),
        7 => scaled(1),
        8 => scaled(2),
        // LDM, STM: the first.
        12 => Some((code >> 8 & 7, Operand::Value(0), false)),
        _ => None,
    }
}

fn access_wide(first: u32, second: u32) -> Option<Access> {
    let base = first & 15;
    if first >> 9 != 0b111_1100 {
        // LDRD, STRD with an offset; LDM, STM: the first.
        let double = first >> 9 == 0b111_0100 && first >> 6 & 1 == 1 && first >> 8 & 1 == 1;
        let offset = if double { second << 2 & 0x3FC } else { 0 };
        return (first >> 9 == 0b111_0100).then_some((
            base,
            Operand::Value(offset),
            double && first >> 7 & 1 == 0,
        ));
    }
    Some(if first >> 7 & 1 == 1 {
        (base, Operand::Value(second & 0xFFF), false)
    } else if second >> 11 & 1 == 1 {
        // Post-indexed: the base itself.
        let offset = if second >> 10 & 1 == 1 {
            second & 0xFF
        } else {
            0
        };
        (base, Operand::Value(offset), second >> 9 & 1 == 0)
    } else {
        let shifted = Operand::Shifted {
            register: (second & 15) as usize,
            kind: 0,
            by: second >> 4 & 3,
        };
        (base, shifted, false)
    })
}

fn access_arm(code: u32) -> Option<Access> {
    let (base, down) = (code >> 16 & 15, code >> 23 & 1 == 0);
    let indexed = code >> 24 & 1 == 1;
    let operand = match code >> 25 & 7 {
        _ if !indexed => Operand::Value(0),
        0 if code >> 4 & 9 == 9 && code >> 22 & 1 == 1 => {
            Operand::Value(code >> 4 & 0xF0 | code & 15)
        }
        0 if code >> 4 & 9 == 9 => register(code),
        2 => Operand::Value(code & 0xFFF),
        3 => Operand::Shifted {
            register: (code & 15) as usize,
            kind: code >> 5 & 3,
            by: code >> 7 & 31,
        },
        4 => Operand::Value(0),
        _ => return None,
    };
    Some((base, operand, down))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(code: &[u8], thumb: bool, set: &[(usize, u32)]) -> Option<u32> {
        let mut registers = [0; 17];
        for &(register, value) in set {
            registers[register] = value;
        }
        registers[16] = if thumb { 0x20 } else { 0 };
        accessed(code, &registers)
    }

    #[test]
    fn addresses_of_loads_and_stores() {
        let base = [(1, 0x1000_5000), (2, 0x10)];
        let thumb: [(&[u8], u32); 6] = [
            (&[0x48, 0x60], 0x1000_5004),             // str r0, [r1, #4]
            (&[0x88, 0x50], 0x1000_5010),             // str r0, [r1, r2]
            (&[0x08, 0x78], 0x1000_5000),             // ldrb r0, [r1]
            (&[0xD1, 0xF8, 0x00, 0x02], 0x1000_5200), // ldr.w r0, [r1, #0x200]
            (&[0x51, 0xF8, 0x22, 0x00], 0x1000_5040), // ldr.w r0, [r1, r2, lsl #2]
            (&[0x51, 0xF8, 0x04, 0x0C], 0x1000_4FFC), // ldr.w r0, [r1, #-4]
        ];
        for (code, expected) in thumb {
            assert_eq!(address(code, true, &base), Some(expected), "{code:02x?}");
        }
        let arm: [(u32, u32); 4] = [
            (0xE591_0014, 0x1000_5014), // ldr r0, [r1, #20]
            (0xE501_0004, 0x1000_4FFC), // str r0, [r1, #-4]
            (0xE791_0102, 0x1000_5040), // ldr r0, [r1, r2, lsl #2]
            (0xE1D1_00B2, 0x1000_5002), // ldrh r0, [r1, #2]
        ];
        for (code, expected) in arm {
            let code = code.to_le_bytes();
            assert_eq!(address(&code, false, &base), Some(expected), "{code:02x?}");
        }
    }
}

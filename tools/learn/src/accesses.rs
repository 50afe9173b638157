//! Instructions that access memory, and where. ARM and Thumb-2, as far as
//! compilers use them for a chip's registers.
//!
//! Source: ARM Architecture Reference Manual, ARMv7-A, A5 and A6.

use crate::gdb::Registers;
use crate::operands::{Operand, register, value};

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

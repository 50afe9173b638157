//! Where a zImage will put the kernel: the decompressor trap.
//!
//! A zImage does not go where the loader likes. Its first code either loads a
//! fixed address, or rounds its own address down to 128 MiB and adds
//! TEXT_OFFSET; kernels from 5.12 on correct that base by the device tree's
//! memory nodes. On this chip 128 MiB rounds to 0x80000000, where CONNSYS and
//! we live. This file reads that code and says which kind it is, so that the
//! plan of memory can make each kind end in a safe place. Source:
//! facts/storage-and-images.md 5.4; validated on Debian's 5.10 (masks), 6.1
//! and 6.12 (obey the tree), ARM, and on Thumb-2 heads assembled from the same
//! sequence.

use crate::bytes::Bytes;

/// How a zImage finds the address of the kernel it unpacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Placement {
    /// Its own address rounded down to 128 MiB, plus `text_offset`.
    Masked {
        /// TEXT_OFFSET of the kernel.
        text_offset: u32,
    },
    /// As `Masked` if the rounded address lies in a memory node of the tree
    /// passed in r2 (or there is none), else the lowest memory of the tree
    /// rounded up to 2 MiB, plus `text_offset`. With a tree appended to the
    /// image it is `Masked`.
    ObeysTree {
        /// TEXT_OFFSET of the kernel.
        text_offset: u32,
    },
    /// Always the same address; 0x80108000 in stock kernels.
    Fixed {
        /// The kernel's address.
        address: u32,
    },
    /// The code is of no known kind; the plan assumes the worst.
    Unknown,
}

/// The rounding of AUTO_ZRELADDR.
const MASK: u32 = 0xF800_0000;
/// Instructions looked at after the entry's branch; the sequence ends within
/// 40 in every kernel seen.
const LOOK: usize = 96;
const R4: u8 = 4;
const PC: u8 = 15;

impl Placement {
    /// Judges the first bytes of a zImage.
    pub fn of(head: &[u8]) -> Self {
        let bytes = Bytes::new(head);
        match entry(bytes) {
            Some(Entry::Arm(at)) => scan(bytes, at, arm),
            Some(Entry::Thumb(at)) => scan(bytes, at, thumb),
            None => Self::Unknown,
        }
    }
}

enum Entry {
    Arm(usize),
    Thumb(usize),
}

/// Follows the nops at the start of every zImage to where its code begins.
fn entry(bytes: Bytes<'_>) -> Option<Entry> {
    // `sub pc, pc, #3` before the branch (4.x on), or `adr r12, 1f + 1`
    // before `bx r12` (3.x): the code behind is Thumb-2.
    let before = bytes.u32(0x1C)?;
    let branch = bytes.u32(0x20)?;
    if before == 0xE24F_F003 {
        return Some(Entry::Thumb(thumb_branch(bytes, 0x20)?));
    }
    if branch == 0xE12F_FF1C && before & 0xFFFF_F000 == 0xE28F_C000 {
        let target = 0x1C + 8 + expand_arm(before);
        return Some(Entry::Thumb((target & !1) as usize));
    }
    (0..=0x20)
        .step_by(4)
        .find_map(|at| arm_branch(bytes, at))
        .map(Entry::Arm)
}

fn arm_branch(bytes: Bytes<'_>, at: usize) -> Option<usize> {
    let word = bytes.u32(at)?;
    (word >> 24 == 0xEA).then_some(())?;
    let offset = ((word << 8) as i32) >> 6;
    usize::try_from(i64::try_from(at).ok()? + 8 + i64::from(offset)).ok()
}

/// `b.w` (T4) or the 16-bit `b` (T2).
fn thumb_branch(bytes: Bytes<'_>, at: usize) -> Option<usize> {
    let first = u32::from(bytes.u16(at)?);
    let offset = if first >> 11 == 0b11100 {
        ((first << 21) as i32) >> 20
    } else {
        let second = u32::from(bytes.u16(at + 2)?);
        (first >> 11 == 0b11110 && second & 0xD000 == 0x9000).then_some(())?;
        let sign = (first >> 10) & 1;
        let j1 = !((second >> 13) ^ sign) & 1;
        let j2 = !((second >> 11) ^ sign) & 1;
        let value =
            sign << 24 | j1 << 23 | j2 << 22 | (first & 0x3FF) << 12 | (second & 0x7FF) << 1;
        ((value << 7) as i32) >> 7
    };
    usize::try_from(i64::try_from(at).ok()? + 4 + i64::from(offset)).ok()
}

/// The instructions that matter; everything else is `Other`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Op {
    /// `mov d, pc`
    MovPc {
        d: u8,
    },
    /// `and d, n, #imm`
    And {
        d: u8,
        n: u8,
        imm: u32,
    },
    /// `add d, n, #imm`
    Add {
        d: u8,
        n: u8,
        imm: u32,
    },
    /// `ldr d, [pc, #...]`: the word at this offset.
    Literal {
        d: u8,
        at: usize,
    },
    /// `bl`
    Call,
    Other,
}

type Decode = fn(Bytes<'_>, usize) -> Option<(Op, usize)>;

/// Walks the code in address order (the sequence has no loop), following the
/// one register that holds the rounded PC.
fn scan(bytes: Bytes<'_>, entry: usize, decode: Decode) -> Placement {
    let mut at = entry;
    let mut pc_in = None;
    let mut base_in = None;
    let mut called = false;
    for _ in 0..LOOK {
        let Some((op, len)) = decode(bytes, at) else {
            break;
        };
        match op {
            Op::MovPc { d } => pc_in = Some(d),
            Op::And { d, n, imm: MASK } if pc_in == Some(n) => {
                base_in = Some(d);
                called = false;
            }
            Op::Call => called = true,
            Op::Add {
                d: R4,
                n,
                imm: text_offset,
            } if base_in == Some(n) => {
                // A call between rounding and adding has corrected r0 by the
                // device tree.
                return if called && n == 0 {
                    Placement::ObeysTree { text_offset }
                } else {
                    Placement::Masked { text_offset }
                };
            }
            Op::Literal { d: R4, at: word } if base_in.is_none() => {
                return match bytes.u32(word) {
                    Some(address) if address >= crate::bootarg::DRAM_BASE => {
                        Placement::Fixed { address }
                    }
                    _ => Placement::Unknown,
                };
            }
            _ => {}
        }
        at += len;
    }
    Placement::Unknown
}

/// An ARM immediate operand: 8 bits rotated right by twice 4 bits.
fn expand_arm(word: u32) -> u32 {
    (word & 0xFF).rotate_right((word >> 7) & 0x1E)
}

fn arm(bytes: Bytes<'_>, at: usize) -> Option<(Op, usize)> {
    let word = bytes.u32(at)?;
    let (n, d) = ((word >> 16 & 15) as u8, (word >> 12 & 15) as u8);
    let op = match word >> 20 {
        0xE1A if word & 0xFFF == u32::from(PC) => Op::MovPc { d },
        0xE20 => Op::And {
            d,
            n,
            imm: expand_arm(word),
        },
        0xE28 => Op::Add {
            d,
            n,
            imm: expand_arm(word),
        },
        0xE59 if n == PC => Op::Literal {
            d,
            at: at + 8 + (word & 0xFFF) as usize,
        },
        0xE51 if n == PC => match (at + 8).checked_sub((word & 0xFFF) as usize) {
            Some(at) => Op::Literal { d, at },
            None => Op::Other,
        },
        high if high & 0xFF0 == 0xEB0 => Op::Call,
        _ => Op::Other,
    };
    Some((op, 4))
}

/// A Thumb-2 "modified immediate" operand of a 32-bit instruction.
fn expand_thumb(first: u32, second: u32) -> u32 {
    let code = (first >> 10 & 1) << 11 | (second >> 12 & 7) << 8 | second & 0xFF;
    let byte = code & 0xFF;
    match code >> 8 {
        0 => byte,
        1 => byte << 16 | byte,
        2 => byte << 24 | byte << 8,
        3 => byte * 0x0101_0101,
        _ => (0x80 | code & 0x7F).rotate_right(code >> 7),
    }
}

fn thumb(bytes: Bytes<'_>, at: usize) -> Option<(Op, usize)> {
    let first = u32::from(bytes.u16(at)?);
    if first >> 11 < 0b11101 {
        let op = if first & 0xFF78 == 0x4678 {
            Op::MovPc {
                d: (first & 7 | first >> 4 & 8) as u8,
            }
        } else if first >> 11 == 0b01001 {
            Op::Literal {
                d: (first >> 8 & 7) as u8,
                at: ((at + 4) & !3) + (first as usize & 0xFF) * 4,
            }
        } else {
            Op::Other
        };
        return Some((op, 2));
    }
    let second = u32::from(bytes.u16(at + 2)?);
    let (n, d) = ((first & 15) as u8, (second >> 8 & 15) as u8);
    let op = match first & 0xFBF0 {
        0xF000 if second & 0x8000 == 0 => Op::And {
            d,
            n,
            imm: expand_thumb(first, second),
        },
        0xF100 if second & 0x8000 == 0 => Op::Add {
            d,
            n,
            imm: expand_thumb(first, second),
        },
        _ if first & 0xF800 == 0xF000 && second & 0xC000 == 0xC000 => Op::Call,
        _ if first == 0xF8DF => Op::Literal {
            d: (second >> 12) as u8,
            at: ((at + 4) & !3) + (second as usize & 0xFFF),
        },
        _ => Op::Other,
    };
    Some((op, 4))
}

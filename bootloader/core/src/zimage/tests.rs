#![allow(clippy::unwrap_used)]
use super::*;
use crate::bootimg::ImageError;
use crate::fuzz::fuzz;
use std::vec::Vec;

const NOP: u32 = 0xE1A0_0000;

/// A zImage of `len` bytes: eight nops, a branch to 0x60, the marks of a
/// 4.15 or later kernel, and `code` at 0x60.
pub fn zimage(len: u32, code: &[u32]) -> Vec<u8> {
    let mut data = std::vec![0; len as usize];
    let mut put = |at: usize, value: u32| data[at..at + 4].copy_from_slice(&value.to_le_bytes());
    for nop in 0..8 {
        put(nop * 4, NOP);
    }
    put(0x20, 0xEA00_000E); // b 0x60
    put(0x24, MAGIC);
    put(0x2C, len);
    put(0x30, ENDIAN_MARK);
    for (index, &word) in code.iter().enumerate() {
        put(0x60 + 4 * index, word);
    }
    data
}

// mov r4, pc; and r4, r4, #0xf8000000
const MASK_R4: [u32; 2] = [0xE1A0_400F, 0xE204_433E];
// mov r0, pc; and r0, r0, #0xf8000000
const MASK_R0: [u32; 2] = [0xE1A0_000F, 0xE200_033E];
const BL: u32 = 0xEB00_1941;

fn placement(code: &[u32]) -> Placement {
    Placement::of(&zimage(0x400, code))
}

#[test]
fn kernels_before_5_12_mask_their_address() {
    // add r4, r4, #0x8000 and add r4, r4, #0x208000 (Debian 5.10)
    let small = [MASK_R4[0], MASK_R4[1], 0xE284_4902];
    let debian = [BL, MASK_R4[0], MASK_R4[1], 0xE284_4982];
    assert_eq!(
        placement(&small),
        Placement::Masked {
            text_offset: 0x8000
        }
    );
    assert_eq!(
        placement(&debian),
        Placement::Masked {
            text_offset: 0x20_8000
        }
    );
}

#[test]
fn kernels_from_5_12_ask_the_tree() {
    // The call comes between rounding and adding (Debian 6.1 and 6.12), with
    // a branch around it for an appended tree.
    let code = [
        BL,
        MASK_R0[0],
        MASK_R0[1],
        0xE28F_1FAD,
        0x0A00_0003,
        0xE1A0_1008,
        BL,
        0xE280_4982,
    ];
    assert_eq!(
        placement(&code),
        Placement::ObeysTree {
            text_offset: 0x20_8000
        }
    );
    // A call that cannot have changed the base is no question to the tree.
    let other = [MASK_R4[0], MASK_R4[1], BL, 0xE284_4902];
    assert_eq!(
        placement(&other),
        Placement::Masked {
            text_offset: 0x8000
        }
    );
    // Built without CONFIG_OF the call is missing.
    let no_call = [BL, MASK_R0[0], MASK_R0[1], 0xE280_4902];
    assert_eq!(
        placement(&no_call),
        Placement::Masked {
            text_offset: 0x8000
        }
    );
}

#[test]
fn stock_kernels_load_a_fixed_address() {
    // mov r7, r1; mov r8, r2; ldr r4, [pc, #4]; bl; nop; .word 0x80108000
    let code = [0xE1A0_7001, 0xE1A0_8002, 0xE59F_4004, BL, NOP, 0x8010_8000];
    assert_eq!(
        placement(&code),
        Placement::Fixed {
            address: 0x8010_8000
        }
    );
    let far_literal = [0xE59F_4FFC];
    assert_eq!(placement(&far_literal), Placement::Unknown);
    let no_ram = [0xE59F_4000, NOP, 0x0000_8000];
    assert_eq!(placement(&no_ram), Placement::Unknown);
}

fn thumb(before: u32, branch: u32, code: &[u16]) -> Placement {
    let mut data = zimage(0x400, &[]);
    data[0x1C..0x20].copy_from_slice(&before.to_le_bytes());
    data[0x20..0x24].copy_from_slice(&branch.to_le_bytes());
    for (index, half) in code.iter().enumerate() {
        data[0x60 + 2 * index..0x62 + 2 * index].copy_from_slice(&half.to_le_bytes());
    }
    Placement::of(&data)
}

/// `sub pc, pc, #3` and `b.w 0x60` at 0x20.
const SWITCH: (u32, u32) = (0xE24F_F003, 0xB81E_F000);

#[test]
fn thumb_2_kernels_of_all_three_kinds() {
    let masks = [0x460F, 0x467C, 0xF004, 0x4478, 0xF504, 0x1402];
    assert_eq!(
        thumb(SWITCH.0, SWITCH.1, &masks),
        Placement::Masked {
            text_offset: 0x20_8000
        }
    );
    let obeys = [
        0x4678, 0xF000, 0x4078, 0xA106, 0xF000, 0xF80C, 0xF500, 0x4400,
    ];
    assert_eq!(
        thumb(SWITCH.0, SWITCH.1, &obeys),
        Placement::ObeysTree {
            text_offset: 0x8000
        }
    );
    // ldr r4, [pc, #4] at 0x62: the word at 0x68
    let fixed = [0x460F, 0x4C01, 0xBF00, 0xBF00, 0x8000, 0x8010];
    assert_eq!(
        thumb(SWITCH.0, SWITCH.1, &fixed),
        Placement::Fixed {
            address: 0x8010_8000
        }
    );
    // 3.x: add r12, pc, #0x3d; bx r12
    assert_eq!(
        thumb(0xE28F_C03D, 0xE12F_FF1C, &masks),
        Placement::Masked {
            text_offset: 0x20_8000
        }
    );
}

#[test]
fn code_of_another_kind_is_unknown() {
    assert_eq!(placement(&[NOP; 64]), Placement::Unknown);
    assert_eq!(Placement::of(&[0; 16]), Placement::Unknown);
    // Another mask is another program.
    assert_eq!(
        placement(&[MASK_R4[0], 0xE204_44FF, 0xE284_4902]),
        Placement::Unknown
    );
}

#[test]
fn header_is_checked() {
    let good = zimage(0x400, &MASK_R4);
    let zi = ZImage::parse(&good, 0x400).unwrap();
    assert_eq!(
        (zi.len, zi.start, zi.has_endian_mark, zi.table),
        (0x400, 0, true, None)
    );
    assert_eq!(
        ZImage::parse(&good, 0x3FF),
        Err(ZImageError::Size {
            len: 0x400,
            room: 0x3FF
        })
    );
    let with = |at: usize, value: u32| {
        let mut data = good.clone();
        data[at..at + 4].copy_from_slice(&value.to_le_bytes());
        ZImage::parse(&data, 0x400)
    };
    assert_eq!(with(0x24, 0), Err(ZImageError::Magic { found: 0 }));
    assert_eq!(with(0x24, MAGIC.swap_bytes()), Err(ZImageError::BigEndian));
    assert!(matches!(with(0x2C, 0), Err(ZImageError::Size { .. })));
    assert!(matches!(with(0x28, 0x500), Err(ZImageError::Size { .. })));
    assert_eq!(ZImage::parse(&good[..0x20], 0x400), Err(ZImageError::Read));
}

#[test]
fn sizes_come_from_the_table_or_an_estimate() {
    let mut data = zimage(0x1000, &MASK_R4);
    let mut put = |at: usize, value: u32| data[at..at + 4].copy_from_slice(&value.to_le_bytes());
    put(0x34, TABLE_MARK);
    put(0x38, 0x200);
    // Debian 6.1's entry: size word at an odd place, bss, TEXT_OFFSET, heap.
    for (index, value) in [6, KERNEL_SIZE_TAG, 0xF71, 0x5_E4D4, 0x20_8000, 0x1_0000]
        .into_iter()
        .enumerate()
    {
        put(0x200 + 4 * index, value);
    }
    put(0xF71, 0x13A_10B4);
    let size = |data: &[u8]| {
        ZImage::parse(data, 0x1000)
            .unwrap()
            .kernel_size(&mut &data[..])
    };
    assert_eq!(
        size(&data),
        KernelSize {
            image: 0x13A_10B4,
            bss: 0x5_E4D4,
            exact: true
        }
    );
    assert_eq!(size(&data).total(), 0x13F_F588);
    // A table that points outside is not believed, whatever lies there.
    data[0x208..0x20C].copy_from_slice(&0xFFDu32.to_le_bytes());
    data.extend_from_slice(&[0; 16]);
    data[0xFFD..0x1001].copy_from_slice(&0x13A_10B4u32.to_le_bytes());
    assert_eq!(size(&data), KernelSize::estimate(0x1000));
    data[0x208..0x20C].copy_from_slice(&0xFFFF_FFFEu32.to_le_bytes());
    assert_eq!(size(&data), KernelSize::estimate(0x1000));
    assert!(!size(&zimage(0x1000, &MASK_R4)).exact);
}

#[test]
fn a_tree_behind_the_zimage_is_found() {
    let mut data = zimage(0x402, &MASK_R4);
    let zi = ZImage::parse(&data, 0x402).unwrap();
    assert_eq!(appended_tree(&zi, &mut &data[..], 0x402), Ok(None));
    data.extend_from_slice(&[0xD0, 0x0D, 0xFE, 0xED, 0, 0, 0, 0x30]);
    data.resize(0x402 + 0x30, 0);
    let room = data.len() as u32;
    assert_eq!(
        appended_tree(&zi, &mut &data[..], room),
        Ok(Some((0x402, 0x30)))
    );
    assert_eq!(
        appended_tree(&zi, &mut &data[..], room - 1),
        Err(ImageError::Tree {
            bytes: 0x30,
            room: 0x2F
        }),
        "a tree longer than its section"
    );
}

/// Real kernels: set `UNILK_ZIMAGES` to a list like
/// `masked:0x208000=vmlinuz-5.10,tree:0x208000=vmlinuz-6.1`.
#[test]
fn real_kernels_named_in_the_environment() {
    let Ok(list) = std::env::var("UNILK_ZIMAGES") else {
        std::eprintln!("UNILK_ZIMAGES is not set: no real zImage looked at");
        return;
    };
    for item in list.split(',').filter(|item| !item.is_empty()) {
        let (kind, path) = item.split_once('=').unwrap();
        let (kind, offset) = kind.split_once(':').unwrap();
        let text_offset = u32::from_str_radix(offset.trim_start_matches("0x"), 16).unwrap();
        let data = std::fs::read(path).unwrap();
        let zi = ZImage::parse(&data[..HEAD_LEN], data.len() as u32).unwrap();
        let expected = match kind {
            "masked" => Placement::Masked { text_offset },
            "tree" => Placement::ObeysTree { text_offset },
            _ => Placement::Fixed {
                address: text_offset,
            },
        };
        assert_eq!(zi.placement, expected, "{path}");
        assert!(zi.kernel_size(&mut &data[..]).exact, "{path}");
    }
}

#[test]
fn any_bytes_return() {
    let mut seed = zimage(0x400, &MASK_R4);
    seed[0x34..0x38].copy_from_slice(&TABLE_MARK.to_le_bytes());
    seed[0x38..0x3C].copy_from_slice(&0x200u32.to_le_bytes());
    seed[0x200..0x208].copy_from_slice(&[4, 0, 0, 0, 0x4B, 0x4C, 0x53, 0x5A]);
    fuzz(&seed, 20_000, |data| {
        if let Ok(zi) = ZImage::parse(data, data.len() as u32) {
            let _ = zi.kernel_size(&mut &data[..]).total();
            let _ = appended_tree(&zi, &mut &data[..], data.len() as u32);
        }
    });
}

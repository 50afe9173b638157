#![allow(clippy::unwrap_used)]

use super::*;
use std::io::Write;

/// Something like an image: code, text, zeroes, and noise.
fn sample() -> Vec<u8> {
    let mut out = Vec::new();
    for word in 0..20_000_u32 {
        let code = word.wrapping_mul(0x9E37_79B9) >> (word % 29);
        out.extend_from_slice(&code.to_le_bytes());
        if word % 700 == 0 {
            out.extend_from_slice(b"panel not found: choose another one");
            out.extend_from_slice(&[0; 300]);
        }
    }
    out
}

fn options(context: u32, literal: u32, position: u32) -> lzma_rust2::LzmaOptions {
    lzma_rust2::LzmaOptions {
        lc: context,
        lp: literal,
        pb: position,
        ..lzma_rust2::LzmaOptions::with_preset(9)
    }
}

/// Properties and packed bytes.
fn packed(plain: &[u8], options: &lzma_rust2::LzmaOptions) -> (u8, Vec<u8>) {
    let writer = lzma_rust2::LzmaWriter::new_no_header(Vec::new(), options, false);
    let mut writer = writer.unwrap();
    writer.write_all(plain).unwrap();
    (options.get_props(), writer.finish().unwrap())
}

fn unpacked(properties: u8, packed: &[u8], size: usize, room: usize) -> Result<Vec<u8>, Damaged> {
    let mut lzma = Box::new(Lzma::new());
    lzma.set_properties(properties)?;
    lzma.reset();
    let mut bytes = vec![0xA5; room];
    lzma.unpack(packed, size, &mut Flat::new(&mut bytes))?;
    Ok(bytes)
}

#[test]
fn what_was_packed_comes_back_with_all_properties() {
    let plain = sample();
    for (context, literal, position) in [(3, 0, 2), (0, 0, 0), (2, 1, 1), (0, 4, 4), (4, 0, 0)] {
        let (properties, packed) = packed(&plain, &options(context, literal, position));
        let size = plain.len();
        let back = unpacked(properties, &packed, size, size).unwrap();
        assert!(back == plain, "lc {context} lp {literal} pb {position}");
    }
}

#[test]
fn the_smallest_and_the_longest_repetitions() {
    for plain in [vec![], vec![7], vec![0; 100_000], b"ab".repeat(50_000)] {
        let (properties, packed) = packed(&plain, &options(3, 0, 2));
        let back = unpacked(properties, &packed, plain.len(), plain.len()).unwrap();
        assert!(back == plain);
    }
}

#[test]
fn properties_that_no_packer_writes_are_refused() {
    let mut lzma = Box::new(Lzma::new());
    for byte in 0..=u8::MAX {
        let (position, rest) = (byte / 45, byte % 45);
        let usual = position <= 4 && rest / 9 + rest % 9 <= 4;
        assert_eq!(lzma.set_properties(byte).is_ok(), usual, "{byte}");
    }
}

#[test]
fn the_end_must_be_the_packers() {
    let plain = sample();
    let size = plain.len();
    let (properties, mut packed) = packed(&plain, &options(3, 0, 2));
    let refused = |packed: &[u8], size| unpacked(properties, packed, size, size).is_err();
    assert!(!refused(&packed, size));
    assert!(refused(&packed[..packed.len() - 1], size));
    assert!(refused(&packed, size - 8));
    assert!(refused(&packed, size + 8));
    assert!(refused(&[], size));
    assert!(unpacked(properties, &packed, size, size - 1).is_err());
    packed.push(0);
    assert!(refused(&packed, size));
}

#[test]
fn nothing_is_written_beyond_what_is_asked_for() {
    let plain = sample();
    let (properties, packed) = packed(&plain, &options(3, 0, 2));
    let back = unpacked(properties, &packed, plain.len(), plain.len() + 100).unwrap();
    assert!(back[..plain.len()] == plain);
    assert!(back[plain.len()..].iter().all(|&byte| byte == 0xA5));
}

/// A generator of numbers that is the same everywhere.
fn numbers() -> impl FnMut(usize) -> usize {
    let mut state = 0x2545_F491_u32;
    move |limit| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize % limit
    }
}

#[test]
fn damaged_bytes_are_noticed_or_harmless_and_end() {
    let plain = &sample()[..20_000];
    let (properties, packed) = packed(plain, &options(2, 1, 1));
    let mut number = numbers();
    let mut noticed = 0;
    const ROUNDS: usize = 400;
    for _ in 0..ROUNDS {
        let mut bad = packed.clone();
        for _ in 0..=number(3) {
            let at = number(bad.len());
            match number(3) {
                0 => bad[at] ^= 1 << number(8),
                1 => bad.truncate(at.max(1)),
                _ => bad[at..].fill(number(256) as u8),
            }
        }
        if bad == packed {
            noticed += 1;
            continue;
        }
        match unpacked(properties, &bad, plain.len(), plain.len()) {
            Err(Damaged) => noticed += 1,
            Ok(back) => assert!(back != plain),
        }
    }
    assert!(noticed > ROUNDS * 9 / 10, "{noticed} of {ROUNDS}");
}

#[test]
fn any_bytes_end() {
    let mut number = numbers();
    for _ in 0..400 {
        let mut bytes: Vec<u8> = (0..number(4000)).map(|_| number(256) as u8).collect();
        if let Some(first) = bytes.first_mut() {
            *first = 0;
        }
        let size = number(100_000);
        let _ = unpacked(number(225) as u8, &bytes, size, size);
    }
}

#[test]
fn calls_come_back_and_name_their_target() {
    // Two calls, one of them backwards; a `B.W`; half a call.
    let code = [
        0x00, 0xBF, 0x00, 0xF0, 0x04, 0xF8, 0xFF, 0xF7, 0xFA, 0xFF, 0x00, 0xF0, 0x01, 0xB8, 0x00,
        0xF0, 0x01,
    ];
    let mut hidden = code;
    thumb::hide(&mut hidden);
    // To 2 + 4 + 8 = 0xE, 6 + 4 - 12 = -2 and 0xA + 4 + 2 = 0x10, in halves.
    assert_eq!(hidden[2..6], [0x00, 0xF0, 0x07, 0xF8]);
    assert_eq!(hidden[6..10], [0xFF, 0xF7, 0xFF, 0xFF]);
    assert_eq!(hidden[10..14], [0x00, 0xF0, 0x08, 0xB8]);
    assert_eq!(hidden[14..], code[14..]);
    thumb::restore(&mut hidden);
    assert_eq!(hidden, code);

    let mut noise: Vec<u8> = sample();
    noise.iter_mut().step_by(2).for_each(|byte| *byte |= 0xF0);
    let mut there = noise.clone();
    thumb::hide(&mut there);
    assert!(there != noise);
    thumb::restore(&mut there);
    assert!(there == noise);
    thumb::hide(&mut []);
    thumb::hide(&mut [1]);
}

//! Makes the payload of `lk.bin` out of the bootloader and of its unpacker:
//! what `unilk_core::packed` describes, and the phone takes apart again.

use crate::pack::{self, Error};
use lzma_rust2::{EncodeMode, LzmaOptions, LzmaWriter, MfType};
use std::io::Write;
use unilk_core::hints::{HINTS_LEN, Hints};
use unilk_core::packed::{
    self, HEAD, HEAD_LEN, Head, IMAGE_ADDRESS, IMAGE_MAX, PAGE, PAYLOAD_MAX, PROPERTIES,
    PackedError,
};
use unilk_lzma::{Flat, Lzma, thumb};

/// At 0x20 of a bootloader that is linked but not packed yet
/// (`bootloader/lk/src/start.s`); bytes of early code, where the late part
/// begins, where its code ends, and where what stays plain begins follow.
const BARE: &[u8; 8] = b"unpacked";

/// Whether an ELF file is a bootloader that has to be packed.
pub fn is_bootloader(elf: &[u8]) -> bool {
    pack::flatten(elf, Some(IMAGE_ADDRESS)).is_ok_and(|image| is_bare(&image))
}

fn is_bare(image: &[u8]) -> bool {
    image.get(HEAD..).is_some_and(|at| at.starts_with(BARE))
}

/// The payload made of the ELF files of bootloader and unpacker. The same
/// bytes make the same payload.
///
/// # Errors
/// One of them is something else, or the whole is larger than [`PAYLOAD_MAX`].
pub fn payload(bootloader: &[u8], unpacker: &[u8]) -> Result<Vec<u8>, Error> {
    let image = pack::flatten(bootloader, Some(IMAGE_ADDRESS))?;
    let unpacker = pack::flatten(unpacker, None)?;
    let payload = join(&image, &unpacker)?;
    if payload.len() > PAYLOAD_MAX {
        return Err(Error::TooBig(payload.len(), PAYLOAD_MAX));
    }
    Ok(payload)
}

/// Packs `image` behind `unpacker`.
fn join(image: &[u8], unpacker: &[u8]) -> Result<Vec<u8>, Error> {
    let word = |at| crate::bytes::u32_at(image, HEAD + at).ok_or(Error::NotBare);
    if !is_bare(image) {
        return Err(Error::NotBare);
    }
    let [early_code_len, early_len, late_code_end, hints] =
        [word(8)?, word(12)?, word(16)?, word(20)?];
    let (unpacked, plain) = image
        .split_at_checked(hints as usize)
        .filter(|(_, plain)| plain.len().is_multiple_of(8) && plain.len() >= HINTS_LEN)
        .ok_or(Error::NotBare)?;
    let in_order =
        early_code_len <= early_len && early_len <= late_code_end && late_code_end <= hints;
    let whole = [early_len, hints]
        .iter()
        .all(|at| (*at as usize).is_multiple_of(PAGE));
    if !in_order || !whole {
        return Err(Error::NotBare);
    }
    Hints::parse(plain).map_err(|_| Error::NotBare)?;
    let room = unpacker.get(HEAD..HEAD + HEAD_LEN).ok_or(Error::Unpacker)?;
    let blank = room[8..].iter().all(|&byte| byte == 0);
    if !room.starts_with(b"unilk\0\0\0") || !blank {
        return Err(Error::Unpacker);
    }

    let late_code_len = late_code_end - early_len;
    let mut filtered = unpacked.to_vec();
    let (early, late) = filtered.split_at_mut(early_len as usize);
    thumb::hide(&mut early[..early_code_len as usize]);
    thumb::hide(&mut late[..late_code_len as usize]);
    let packed = pack(&filtered);
    let plain_at = unpacker.len().next_multiple_of(8);
    let end = (plain_at + plain.len() + packed.len()).next_multiple_of(8);
    let mut payload = unpacker.to_vec();
    payload.resize(plain_at, 0);
    payload.extend_from_slice(plain);
    payload.extend_from_slice(&packed);
    payload.resize(end, 0);
    let mut head = Head {
        hints: plain_at as u32,
        payload: end as u32,
        plain: plain_at as u32,
        plain_len: plain.len() as u32,
        packed_len: packed.len() as u32,
        unpacked_len: unpacked.len() as u32,
        early_len,
        early_code_len,
        late_code_len,
        check: [0; 2],
    };
    // Twice: the check value is one of the head, too.
    payload[HEAD..HEAD + HEAD_LEN].copy_from_slice(&head.build());
    head.check = head.check_of(&payload);
    payload[HEAD..HEAD + HEAD_LEN].copy_from_slice(&head.build());
    // As the phone will do it.
    match unpack(&payload) {
        Ok(back) if back == image => Ok(payload),
        _ => Err(Error::Unpacker),
    }
}

/// `bytes` packed by LZMA with [`PROPERTIES`], as the bootloader is.
///
/// # Panics
/// Never: it writes to memory, with options that are known to be good.
pub fn pack(bytes: &[u8]) -> Vec<u8> {
    let options = LzmaOptions {
        dict_size: IMAGE_MAX as u32,
        lc: u32::from(PROPERTIES % 9),
        lp: u32::from(PROPERTIES / 9 % 5),
        pb: u32::from(PROPERTIES / 45),
        mode: EncodeMode::Normal,
        nice_len: LzmaOptions::NICE_LEN_MAX,
        mf: MfType::Bt4,
        depth_limit: 1000,
        preset_dict: None,
    };
    let packed = LzmaWriter::new_no_header(Vec::new(), &options, false).and_then(|mut writer| {
        writer.write_all(bytes)?;
        writer.finish()
    });
    // Writing to memory, with options that are known to be good.
    packed.expect("nothing that could fail")
}

/// The bootloader in `payload`, as it runs.
///
/// # Errors
/// What the phone would say.
pub fn unpack(payload: &[u8]) -> Result<Vec<u8>, PackedError> {
    let (head, plain, packed) = packed::open(payload)?;
    let mut image = vec![0; head.unpacked_len as usize];
    let mut lzma = Lzma::new();
    lzma.reset();
    lzma.set_properties(PROPERTIES)
        .and_then(|()| lzma.unpack(packed, image.len(), &mut Flat::new(&mut image)))
        .map_err(|unilk_lzma::Damaged| PackedError::Data)?;
    let (early, late) = image.split_at_mut(head.early_len as usize);
    head.restore_early(early);
    head.restore_late(late);
    image.extend_from_slice(plain);
    Ok(image)
}

/// A bootloader and an unpacker, joined: a whole payload in which what would run
/// is noise. For tests and fuzzers.
///
/// # Panics
/// Never: its parts are good.
pub fn example() -> Vec<u8> {
    join(&example_bootloader(0x3000), &example_unpacker()).expect("good parts")
}

/// Something like code, and hints at `hints`.
fn example_bootloader(hints: u32) -> Vec<u8> {
    let mut image: Vec<u8> = (0..hints)
        .map(|at| ((at * at) >> (at % 11)) as u8)
        .collect();
    image[..4].copy_from_slice(&[0x07, 0x00, 0x00, 0xEA]);
    image[HEAD..HEAD + 8].copy_from_slice(BARE);
    let words = [0x0F00, 0x1000, 0x2200, hints];
    for (place, word) in image[HEAD + 8..].as_chunks_mut().0.iter_mut().zip(words) {
        *place = u32::to_le_bytes(word);
    }
    image.extend_from_slice(&unilk_core::hints::blank());
    image.extend_from_slice(b"packed by itself");
    image
}

fn example_unpacker() -> Vec<u8> {
    let mut unpacker = vec![0; 0x104];
    unpacker[..4].copy_from_slice(&[0x13, 0x00, 0x00, 0xEA]);
    unpacker[HEAD..HEAD + 8].copy_from_slice(b"unilk\0\0\0");
    unpacker
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_comes_apart_again() {
        let image = example_bootloader(0x3000);
        let payload = join(&image, &example_unpacker()).unwrap();
        assert!(payload.len() < image.len());
        assert_eq!(
            join(&image, &example_unpacker()).unwrap(),
            payload,
            "repeatable"
        );
        let head = Head::parse(&payload).unwrap();
        assert_eq!((head.plain, head.hints), (0x108, 0x108));
        assert_eq!((head.unpacked_len, head.early_len), (0x3000, 0x1000));
        assert_eq!((head.early_code_len, head.late_code_len), (0x0F00, 0x1200));
        assert_eq!(head.payload as usize, payload.len());
        assert!(unpack(&payload).unwrap() == image);
    }

    #[test]
    fn damage_is_noticed_wherever_it_is() {
        let image = example_bootloader(0x3000);
        let good = join(&image, &example_unpacker()).unwrap();
        let head = Head::parse(&good).unwrap();
        let hints = head.hints as usize..head.hints as usize + HINTS_LEN;
        for at in (0..good.len()).filter(|at| !hints.contains(at)) {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            assert!(unpack(&bad).is_err(), "byte {at:#x}");
        }
        for len in [0, HEAD, HEAD + 8, hints.end, good.len() - 1] {
            assert!(unpack(&good[..len]).is_err(), "{len} bytes");
        }
    }

    #[test]
    fn parts_that_are_something_else_are_refused() {
        let image = example_bootloader(0x3000);
        let mut other = example_unpacker();
        other[HEAD] = b'U';
        assert_eq!(join(&image, &other), Err(Error::Unpacker));
        // One that was used already.
        let used = join(&image, &example_unpacker()).unwrap();
        assert_eq!(join(&image, &used), Err(Error::Unpacker));
        assert_eq!(join(&used, &example_unpacker()), Err(Error::NotBare));
        assert_eq!(
            join(&image[..0x3010], &example_unpacker()),
            Err(Error::NotBare)
        );
        assert_eq!(
            join(&example_bootloader(0x3004), &example_unpacker()),
            Err(Error::NotBare)
        );
        assert_eq!(join(&[], &example_unpacker()), Err(Error::NotBare));
    }
}

//! Kernels packed in the four ways in which zImages are.

use std::io::Write as _;

/// A way to pack.
pub type Pack = fn(&[u8]) -> Vec<u8>;

/// Something like an unpacked kernel: code, strings of its drivers, code.
pub fn kernel(drivers: &[&str]) -> Vec<u8> {
    const WORDS: u32 = 60_000;
    let mut out = Vec::new();
    for word in 0..WORDS {
        let code = word.wrapping_mul(0x9E37_79B9) >> (word % 13);
        out.extend_from_slice(&code.to_le_bytes());
        if word == WORDS / 2 {
            out.push(0);
            for driver in drivers {
                out.extend_from_slice(driver.as_bytes());
                out.push(0);
            }
        }
    }
    out
}

/// gzip, as every vendor's kernel.
pub fn gzip(kernel: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(kernel).unwrap();
    gzip.finish().unwrap()
}

/// xz with the filter for ARM code, as `scripts/xz_wrap.sh` calls it.
pub fn xz(kernel: &[u8]) -> Vec<u8> {
    let mut options = lzma_rust2::XzOptions::with_preset(6);
    options.prepend_pre_filter(lzma_rust2::FilterType::BcjArm, 0);
    options.set_check_sum_type(lzma_rust2::CheckType::Crc32);
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    xz.write_all(kernel).unwrap();
    xz.finish().unwrap()
}

/// The LZ4 legacy frame of `lz4 -l`.
pub fn lz4(kernel: &[u8]) -> Vec<u8> {
    let mut out = vec![0x02, 0x21, 0x4C, 0x18];
    for block in kernel.chunks(8 << 20) {
        let packed = lz4_flex::block::compress(block);
        out.extend_from_slice(&(packed.len() as u32).to_le_bytes());
        out.extend_from_slice(&packed);
    }
    out
}

/// What `lzop -9` writes.
pub fn lzo(kernel: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 256 << 10;
    let mut out = vec![0x89, b'L', b'Z', b'O', 0, 0x0D, 0x0A, 0x1A, 0x0A];
    // Versions, method, level; flags: Adler-32 of the unpacked bytes.
    out.extend_from_slice(&[0x10, 0x30, 0x20, 0x80, 0x09, 0x40, 3, 9]);
    out.extend_from_slice(&1u32.to_be_bytes());
    // Mode, times, no name, and a checksum of the header that nobody checks.
    out.extend_from_slice(&[0; 12 + 1 + 4]);
    for block in kernel.chunks(BLOCK) {
        let packed = lzokay_native::compress(block).unwrap();
        let stored = if packed.len() < block.len() {
            &packed
        } else {
            block
        };
        out.extend_from_slice(&(block.len() as u32).to_be_bytes());
        out.extend_from_slice(&(stored.len() as u32).to_be_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(stored);
    }
    out.extend_from_slice(&[0; 4]);
    out
}

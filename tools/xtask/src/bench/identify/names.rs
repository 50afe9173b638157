//! A vendor's kernel in which panels are named, of the size that they have on
//! MT6572 phones: about 9 MiB, half of that packed by gzip.

use std::fs;
use std::io::Write as _;

use anyhow::{Context, Result};
use unilk::bootimg::BootImage;

use crate::artifacts;

/// Words of 32 bits in it.
const WORDS: u32 = 9 << 18;
/// A driver that it names: one of those that answer like the bench's panel.
const DRIVER: &str = "otm9605a_ykl_lp047hptp042a_hsd_dsi_2_qhd";
/// Where a zImage says where it ends.
const END: usize = 0x2C;

/// The boot image of such a kernel. It starts: before what is packed is our
/// test kernel.
pub fn boot_image() -> Result<BootImage> {
    let path = artifacts::fixed_kernel_image();
    let mut zimage = fs::read(&path).with_context(|| path.display().to_string())?;
    zimage.resize(zimage.len().next_multiple_of(0x1000), 0);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&unpacked())?;
    zimage.extend(gzip.finish()?);
    zimage.resize(zimage.len().next_multiple_of(4), 0);
    let end = u32::try_from(zimage.len())?;
    zimage
        .get_mut(END..END + 4)
        .context("the test kernel has no head")?
        .copy_from_slice(&end.to_le_bytes());
    Ok(BootImage {
        kernel: zimage,
        ramdisk: vec![0x52; 900 << 10],
        ..BootImage::default()
    })
}

/// Words of which some repeat and some do not, as code's do, and the name in
/// the middle.
fn unpacked() -> Vec<u8> {
    let mut out = Vec::new();
    let mut state = 1_u32;
    for word in 0..WORDS {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let often = (state >> 8) % 61 * 0x0400_1001;
        let code = if state >> 31 == 0 { often } else { state };
        out.extend_from_slice(&code.to_le_bytes());
        if word == WORDS / 2 {
            out.extend_from_slice(format!("\0{DRIVER}\0").as_bytes());
            out.resize(out.len().next_multiple_of(4), 0);
        }
    }
    out
}

//! Device trees in a file of any kind: a tree of its own, one behind a zImage,
//! one in a boot image's second stage, those in a dump of memory.

use super::Tree;
use crate::progress::Progress;
use crate::search;
use crate::source::Source;
use std::io;
use unilk_core::fdt::{Fdt, MAGIC, MAX_TREE_BYTES};

/// Most trees of one file.
const MOST_TREES: usize = 64;
/// Most places that begin like a tree and are looked at closely.
const MOST_LOOKS: usize = 4096;

/// A tree in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it begins.
    pub at: u64,
    /// The tree, as long as it says itself.
    pub bytes: Vec<u8>,
}

impl Found {
    /// The tree, decoded.
    pub fn tree(&self) -> Tree {
        // It was whole when it was found.
        Tree::parse(&self.bytes).unwrap_or_default()
    }
}

/// All whole trees in `source`, in order, at most 64.
///
/// # Errors
/// The file cannot be read.
pub fn all(
    source: &(impl Source + ?Sized),
    progress: &mut impl Progress,
) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    let mut looks = 0;
    search::each(source, &MAGIC.to_be_bytes(), progress, |at| {
        looks += 1;
        if looks > MOST_LOOKS || found.len() >= MOST_TREES {
            return Ok(u64::MAX);
        }
        let head = source.read_some(at, 8)?;
        let claimed = head.get(4..8).and_then(|size| size.try_into().ok());
        let claimed = claimed.map_or(0, u32::from_be_bytes) as usize;
        if claimed > MAX_TREE_BYTES {
            return Ok(at + 1);
        }
        let bytes = source.read_some(at, claimed)?;
        if Fdt::parse(&bytes).is_err() {
            return Ok::<_, io::Error>(at + 1);
        }
        let end = at + bytes.len() as u64;
        found.push(Found { at, bytes });
        Ok(end)
    })?;
    Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{empty, sample};
    use super::*;
    use crate::bootimg::{BootImage, SubHeaders, TreePlace};
    use crate::progress::Silent;

    fn places(data: &[u8]) -> Vec<(u64, usize)> {
        let found = all(data, &mut Silent).unwrap();
        found
            .iter()
            .map(|found| (found.at, found.bytes.len()))
            .collect()
    }

    #[test]
    fn trees_are_found_behind_kernels_and_in_boot_images() {
        let (one, two) = (sample(), empty());
        let mut kernel = vec![0xE1; 4097];
        // The decompressor knows the word as well.
        kernel[400..404].copy_from_slice(&MAGIC.to_be_bytes());
        kernel.extend(&one);
        let at = kernel.len() - one.len();
        assert_eq!(places(&kernel), [(at as u64, one.len())]);
        let image = BootImage {
            kernel,
            device_tree: Some(two.clone()),
            tree_place: TreePlace::SecondStage,
            sub_headers: SubHeaders::None,
            ..BootImage::default()
        };
        let found = places(&image.build().unwrap());
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], (2048 + at as u64, one.len()));
        assert_eq!((found[1].0 % 2048, found[1].1), (0, two.len()));
    }

    #[test]
    fn what_is_cut_off_is_none() {
        let one = sample();
        assert!(places(&one[..one.len() - 1]).is_empty());
        assert!(places(&MAGIC.to_be_bytes().repeat(100_000)).is_empty());
    }
}

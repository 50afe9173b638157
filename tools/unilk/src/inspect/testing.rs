//! What the tests of this module share: short names for what is asked most.

use super::Report;
pub use crate::mutate::each as mutate;

/// `b +0x24`, how stock bootloaders begin.
pub const ARM_BRANCH: [u8; 4] = [0x07, 0x00, 0x00, 0xEA];

/// Codes of all findings, sorted.
pub fn codes(report: &Report) -> Vec<&'static str> {
    let mut codes: Vec<_> = report
        .all_findings()
        .iter()
        .map(|finding| finding.code)
        .collect();
    codes.sort_unstable();
    codes
}

/// Writes words at offsets.
pub fn put(data: &mut [u8], words: &[(usize, u32)]) {
    for &(at, word) in words {
        data[at..at + 4].copy_from_slice(&word.to_le_bytes());
    }
}

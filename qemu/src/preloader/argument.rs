//! The boot argument, as MT6572 preloaders write it.
//!
//! Source: facts/soc.md 3.3; bytes from 0x50 on stay garbage.

use super::{BOOT_ARGUMENT, BOOT_ARGUMENT_LEN, Phone};
use crate::board::Board;

/// `sec_limit.magic` when the field is valid.
const SEC_LIMIT_MAGIC: u32 = 0x4C4C_4C4C;

/// Writes it to its place.
pub fn write(phone: &mut Phone<'_>, boot_reason: u32) {
    let bytes = encode(phone.machine.board(), boot_reason);
    // The preloader writes field by field: the three bytes after log_enable are never written.
    phone.host.write(BOOT_ARGUMENT, &bytes[..0x15]);
    phone.host.write(BOOT_ARGUMENT + 0x18, &bytes[0x18..]);
}

/// The 0x50 bytes.
fn encode(board: &Board, boot_reason: u32) -> [u8; BOOT_ARGUMENT_LEN as usize] {
    let boot = &board.boot;
    let fitted: Vec<u32> = board.dram.ranks_mib.iter().map(|mib| mib << 20).collect();
    let ranks = boot.rank_override.as_ref().unwrap_or(&fitted);
    let count = boot.rank_count_override.unwrap_or(ranks.len() as u32);
    let mut bytes = [0; BOOT_ARGUMENT_LEN as usize];
    let mut put =
        |offset: usize, value: u32| bytes[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
    put(0x00, boot.argument_magic);
    put(0x04, boot.mode);
    put(0x0C, boot.log_port.base());
    put(0x10, boot.baud);
    put(0x14, u32::from(boot.log_enable));
    put(0x18, count);
    for (index, &size) in ranks.iter().take(4).enumerate() {
        put(0x1C + 4 * index, size);
    }
    put(0x2C, boot_reason);
    put(0x30, boot.meta_com_type);
    put(0x38, boot.boot_time_ms);
    put(0x48, SEC_LIMIT_MAGIC);
    bytes
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn word(bytes: &[u8], offset: usize) -> u32 {
        u32::from_le_bytes(bytes[offset..offset + 4].try_into().unwrap())
    }

    #[test]
    fn fields_are_at_their_offsets() {
        let board = Board::parse(
            "name = 'x'\n[dram]\nranks_mib = [256, 512]\n[boot]\nlog_port = 'uart1'\nmode = 99\n",
        )
        .unwrap();
        let bytes = encode(&board, 4);
        assert_eq!(&bytes[..4], b"LPLP");
        assert_eq!(word(&bytes, 0x04), 99);
        assert_eq!(word(&bytes, 0x0C), 0x1100_6000);
        assert_eq!(word(&bytes, 0x10), 921_600);
        assert_eq!(
            (word(&bytes, 0x18), word(&bytes, 0x1C), word(&bytes, 0x20)),
            (2, 256 << 20, 512 << 20)
        );
        assert_eq!(word(&bytes, 0x2C), 4);
        assert_eq!(word(&bytes, 0x48), 0x4C4C_4C4C);
    }

    #[test]
    fn a_broken_preloader_says_what_the_board_file_says() {
        let board = Board::parse(
            "name = 'x'\n[dram]\nranks_mib = [512]\n[boot]\nargument_magic = 0\nrank_override = [0]\nrank_count_override = 7\n",
        )
        .unwrap();
        let bytes = encode(&board, 0);
        assert_eq!(
            (word(&bytes, 0), word(&bytes, 0x18), word(&bytes, 0x1C)),
            (0, 7, 0)
        );
    }
}

//! The tags of a stock loader, in the order of Android 4.2.
//!
//! Source: facts/storage-and-images.md 5.5, 6.2, 6.3.

use crate::board::{Board, LogPort, StockLoader};
use crate::machine::map::DRAM;
use crate::preloader::scratch::GARBAGE;

const CORE: u32 = 0x5441_0001;
const MEM: u32 = 0x5441_0002;
const VIDEOLFB: u32 = 0x5441_0008;
const CMDLINE: u32 = 0x5441_0009;
const INITRD2: u32 = 0x5442_0005;
const BOOT: u32 = 0x4100_0802;
const DEVINFO: u32 = 0x4100_0804;

const MIB: u32 = 1 << 20;
const RECOVERY_MODE: u32 = 2;
/// E-fuse words of the tag, and the frame buffer's part of the DRAM.
const DEVINFO_WORDS: u32 = 26;
const FRAME_BUFFER: u32 = 6 * MIB;

/// The list, its end included.
pub fn list(
    board: &Board,
    loader: &StockLoader,
    boot_reason: u32,
    (ramdisk, ramdisk_len): (u32, u32),
) -> Vec<u8> {
    let mode = if loader.recovery {
        RECOVERY_MODE
    } else {
        board.boot.mode & 0xFF
    };
    let mut out = Vec::new();
    tag(&mut out, CORE, &[]);
    tag(&mut out, BOOT, &[mode]);
    let mut start = DRAM + MIB;
    let mut end = DRAM;
    for mib in &board.dram.ranks_mib {
        end = end.wrapping_add(mib * MIB);
        tag(&mut out, MEM, &[end.wrapping_sub(start), start]);
        start = end;
    }
    let mut devinfo = vec![0; DEVINFO_WORDS as usize];
    devinfo.push(DEVINFO_WORDS);
    tag(&mut out, DEVINFO, &devinfo);
    let line = command_line(board, loader, boot_reason);
    // Text, its NUL and padding: (8 + length + 5) / 4 words.
    let mut bytes = line.into_bytes();
    bytes.resize(((8 + bytes.len() + 5) & !3) - 8, 0);
    let words: Vec<u32> = bytes
        .chunks_exact(4)
        .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
        .collect();
    tag(&mut out, CMDLINE, &words);
    tag(&mut out, INITRD2, &[ramdisk, ramdisk_len]);
    let base = end.wrapping_sub(FRAME_BUFFER);
    let size = FRAME_BUFFER;
    // Its other fields are not initialised.
    tag(
        &mut out,
        VIDEOLFB,
        &[GARBAGE, GARBAGE, base, size, GARBAGE, GARBAGE],
    );
    out.extend_from_slice(&[0; 8]);
    out
}

fn tag(out: &mut Vec<u8>, id: u32, payload: &[u32]) {
    let header = [payload.len() as u32 + 2, id];
    for word in header.iter().chain(payload) {
        out.extend_from_slice(&word.to_le_bytes());
    }
}

fn command_line(board: &Board, loader: &StockLoader, boot_reason: u32) -> String {
    let port = match board.boot.log_port {
        LogPort::Uart0 => 0,
        LogPort::Uart1 => 1,
    };
    let found = u8::from(loader.driver.is_some());
    // Without a panel it takes the first driver that it was built with.
    let driver = loader.driver.as_deref().unwrap_or("first_of_its_drivers");
    let mut line = format!(
        "console=tty0 console=ttyMT{port},921600n1 root=/dev/ram lcm={found}-{driver} \
         fps=6027 pl_t={} lk_t=1660 boot_reason={boot_reason}",
        board.boot.boot_time_ms
    );
    if !loader.cmdline.is_empty() {
        line.push(' ');
        line.push_str(&loader.cmdline);
    }
    line
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn words(board: &str, loader: &StockLoader) -> Vec<u32> {
        let board = Board::parse(board).unwrap();
        list(&board, loader, 0, (0x8410_0000, 77))
            .chunks_exact(4)
            .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
            .collect()
    }

    #[test]
    fn the_first_mib_is_kept_back_and_ranks_follow_each_other() {
        let words = words(
            "name = 'x'\n[dram]\nranks_mib = [256, 512]\n",
            &StockLoader::default(),
        );
        assert_eq!(words[..2], [2, CORE]);
        assert_eq!(words[2..5], [3, BOOT, 0]);
        assert_eq!(words[5..9], [4, MEM, 0xFF0_0000, 0x8010_0000]);
        assert_eq!(words[9..13], [4, MEM, 0x2000_0000, 0x9000_0000]);
        assert_eq!(words[words.len() - 2..], [0, 0]);
    }

    #[test]
    fn the_command_line_says_which_panel_was_found() {
        let loader = StockLoader {
            driver: Some("abc".to_owned()),
            cmdline: "x=y".to_owned(),
            ..StockLoader::default()
        };
        let board = Board::parse("name = 'x'\n[dram]\nranks_mib = [512]\n").unwrap();
        let line = command_line(&board, &loader, 4);
        assert!(line.contains(" lcm=1-abc fps="), "{line}");
        assert!(line.ends_with(" boot_reason=4 x=y"), "{line}");
        let line = command_line(&board, &StockLoader::default(), 0);
        assert!(line.contains(" lcm=0-"), "{line}");
    }
}

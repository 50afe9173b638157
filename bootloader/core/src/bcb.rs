//! The bootloader control block at the start of MISC: how Android asks for
//! recovery. Source: facts/storage-and-images.md 7.5.

use crate::bytes::Bytes;

/// Bytes of the command field, all that a bootloader reads.
pub const COMMAND_LEN: usize = 32;

/// What Android asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Command {
    /// Nothing (blank, or unknown text).
    #[default]
    None,
    /// `boot-recovery`. Stays until recovery clears it, so that an
    /// interrupted update is taken up again.
    Recovery,
}

/// Reads the command from the first bytes of MISC (on NAND: of its page 1).
pub fn command(data: &[u8]) -> Command {
    match Bytes::new(data).text(0, COMMAND_LEN) {
        Some("boot-recovery") => Command::Recovery,
        _ => Command::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(text: &[u8]) -> [u8; 2048] {
        let mut data = [0; 2048];
        data[..text.len()].copy_from_slice(text);
        data
    }

    #[test]
    fn the_command_must_match_exactly() {
        assert_eq!(command(&field(b"boot-recovery")), Command::Recovery);
        assert_eq!(command(&field(b"boot-recovery2")), Command::None);
        assert_eq!(command(&field(b"boot")), Command::None);
        assert_eq!(command(&field(b"")), Command::None);
        assert_eq!(command(&[0xFF; 32]), Command::None);
        assert_eq!(command(b"boot-recovery"), Command::None, "cut off");
    }
}

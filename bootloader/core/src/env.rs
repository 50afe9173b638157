//! LK's environment in MISC: `name=value` strings between two signatures,
//! shared with the vendor's kernel (`/proc/lk_env`). Read only. Source:
//! facts/storage-and-images.md 7.5.

use crate::bytes::Bytes;

/// Byte offset in MISC.
pub const ENV_OFFSET: u32 = 0x2_0000;
/// Bytes.
pub const ENV_LEN: usize = 0x4000;

const SIGNATURE: &[u8; 8] = b"ENV_v1\0\0";
const DATA: usize = 8;
const TAIL: usize = 0x3FF4;
const CHECKSUM: usize = 0x3FFC;

error_enum! {
    /// Why there is no environment. Phones without one are normal.
    pub enum EnvError {
        /// A signature is missing.
        Signature => "ENV-SIG", "LK environment is not there: using defaults";
        /// The sum of the data bytes is another.
        Checksum { /** The sum stored. */ stored: u32, /** The sum found. */ found: u32 }
            => "ENV-SUM", "LK environment is damaged (sum {found:#x}, stored {stored:#x}): using defaults";
    }
}

/// A checked environment.
#[derive(Debug, Clone, Copy)]
pub struct Env<'a> {
    data: &'a [u8],
}

impl<'a> Env<'a> {
    /// Checks the 16 KiB at [`ENV_OFFSET`].
    pub fn parse(data: &'a [u8]) -> Result<Self, EnvError> {
        let bytes = Bytes::new(data);
        let signed = |at| bytes.slice(at, SIGNATURE.len()) == Some(SIGNATURE);
        let body = bytes.slice(DATA, TAIL - DATA).ok_or(EnvError::Signature)?;
        let stored = bytes.u32(CHECKSUM).ok_or(EnvError::Signature)?;
        if !signed(0) || !signed(TAIL) {
            return Err(EnvError::Signature);
        }
        let found = body
            .iter()
            .fold(0u32, |sum, &byte| sum.wrapping_add(u32::from(byte)));
        if found != stored {
            return Err(EnvError::Checksum { stored, found });
        }
        Ok(Self { data: body })
    }

    /// All entries in order; what is no text is left out.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let strings = self
            .data
            .split(|&byte| byte == 0)
            .take_while(|text| !text.is_empty());
        strings.filter_map(|text| core::str::from_utf8(text).ok()?.split_once('='))
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.entries()
            .find(|&(key, _)| key == name)
            .map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fuzz::fuzz;
    use std::vec::Vec;

    fn env(text: &[u8]) -> Vec<u8> {
        let mut data = std::vec![0; ENV_LEN];
        data[..8].copy_from_slice(SIGNATURE);
        data[TAIL..TAIL + 8].copy_from_slice(SIGNATURE);
        data[8..8 + text.len()].copy_from_slice(text);
        let sum: u32 = data[8..TAIL].iter().map(|&byte| u32::from(byte)).sum();
        data[CHECKSUM..].copy_from_slice(&sum.to_le_bytes());
        data
    }

    #[test]
    fn values_by_name() {
        let data = env(b"resume=/dev/x\0hibboot=1\0odd\0");
        let env = Env::parse(&data).unwrap();
        assert_eq!(
            (env.get("hibboot"), env.get("resume"), env.get("odd")),
            (Some("1"), Some("/dev/x"), None)
        );
        assert_eq!(env.entries().count(), 2);
    }

    #[test]
    fn damage_is_noticed() {
        let mut data = env(b"a=b\0");
        data[9] = b'c';
        assert!(matches!(Env::parse(&data), Err(EnvError::Checksum { .. })));
        assert_eq!(
            Env::parse(&[0xFF; ENV_LEN]).map(|_| ()),
            Err(EnvError::Signature)
        );
        assert_eq!(
            Env::parse(&data[..100]).map(|_| ()),
            Err(EnvError::Signature)
        );
    }

    #[test]
    fn any_bytes_return() {
        fuzz(&env(b"a=b\0c=d\0"), 500, |data| {
            if let Ok(env) = Env::parse(data) {
                let _ = env.entries().count();
            }
        });
    }
}

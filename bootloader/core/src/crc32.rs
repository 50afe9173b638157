//! CRC-32 (IEEE 802.3, reflected) over bytes: the check of our own formats
//! (hint block, log). A 16-entry table: 64 bytes of image instead of 1 KiB,
//! and usable in constants.

const fn table() -> [u32; 16] {
    let mut table = [0; 16];
    let mut index = 0;
    while index < 16 {
        let mut value = index as u32;
        let mut bit = 0;
        while bit < 4 {
            value = if value & 1 == 1 {
                (value >> 1) ^ 0xEDB8_8320
            } else {
                value >> 1
            };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
}

const TABLE: [u32; 16] = table();

/// State of a CRC over data that comes in parts.
#[derive(Debug, Clone, Copy)]
pub struct Crc32(u32);

impl Crc32 {
    /// The state before the first byte.
    pub const fn new() -> Self {
        Self(!0)
    }

    /// Takes in `data`.
    #[must_use]
    pub const fn update(self, data: &[u8]) -> Self {
        let mut crc = self.0;
        let mut at = 0;
        while at < data.len() {
            crc ^= data[at] as u32;
            crc = (crc >> 4) ^ TABLE[(crc & 15) as usize];
            crc = (crc >> 4) ^ TABLE[(crc & 15) as usize];
            at += 1;
        }
        Self(crc)
    }

    /// The check value of all data so far.
    pub const fn value(self) -> u32 {
        !self.0
    }
}

impl Default for Crc32 {
    fn default() -> Self {
        Self::new()
    }
}

/// CRC-32 of `data`.
pub const fn crc32(data: &[u8]) -> u32 {
    Crc32::new().update(data).value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_standard_check_value() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(
            Crc32::new().update(b"1234").update(b"56789").value(),
            0xCBF4_3926
        );
        assert_eq!(crc32(b""), 0);
    }
}

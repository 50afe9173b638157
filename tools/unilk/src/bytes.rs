//! Little-endian fields at fixed offsets, and sizes as people write them.
//!
//! All structures on MT6572 storage are little-endian tables with fixed
//! offsets (facts/storage-and-images.md), so one reader and one writer do.

/// Reads the `u32` at `offset`, or `None` if the data ends before it does.
pub fn u32_at(data: &[u8], offset: usize) -> Option<u32> {
    let end = offset.checked_add(4)?;
    let field = data.get(offset..end)?;
    Some(u32::from_le_bytes(field.try_into().ok()?))
}

/// Reads the `u16` at `offset`, or `None` if the data ends before it does.
pub fn u16_at(data: &[u8], offset: usize) -> Option<u16> {
    let field = data.get(offset..offset.checked_add(2)?)?;
    Some(u16::from_le_bytes(field.try_into().ok()?))
}

/// Reads the `u64` at `offset`, or `None` if the data ends before it does.
pub fn u64_at(data: &[u8], offset: usize) -> Option<u64> {
    let field = data.get(offset..offset.checked_add(8)?)?;
    Some(u64::from_le_bytes(field.try_into().ok()?))
}

/// Writes `value` at `offset` of a table whose size the caller fixed.
pub(crate) fn put_u32(table: &mut [u8], offset: usize, value: u32) {
    table[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
}

/// Writes `value` at `offset` of a table whose size the caller fixed.
pub(crate) fn put_u64(table: &mut [u8], offset: usize, value: u64) {
    table[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
}

/// The text of a NUL-padded field, with bytes that are not text replaced.
pub fn text(field: &[u8]) -> String {
    let length = field.iter().position(|&b| b == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..length]).into_owned()
}

/// Text of unknown origin, made safe for a terminal: bytes that are no text, and
/// control characters, become U+FFFD.
pub fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace(char::is_control, "\u{FFFD}")
}

/// Parses a size or address: `4096`, `0x1000`, `64K`, `8M`, `4G` (powers of
/// 1024). `None` if it is none of these or does not fit.
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(hex, 16).ok();
    }
    let (digits, shift) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 10),
        b'm' | b'M' => (&text[..text.len() - 1], 20),
        b'g' | b'G' => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_in_every_notation() {
        assert_eq!(parse_size("0x5FE00"), Some(0x5_FE00));
        assert_eq!(parse_size("4096"), Some(4096));
        assert_eq!(parse_size("64K"), Some(65536));
        assert_eq!(parse_size("4G"), Some(1 << 32));
        for bad in ["", "K", "0x", "-1", "99999999999G", "12 q", "é"] {
            assert_eq!(parse_size(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn terminals_get_no_orders() {
        assert_eq!(printable(b"a\x1B[2J\xFFz"), "a\u{FFFD}[2J\u{FFFD}z");
        assert_eq!(printable("größe".as_bytes()), "größe");
    }

    #[test]
    fn reading_past_the_end_is_none() {
        assert_eq!(u32_at(&[1, 0, 0, 0], 0), Some(1));
        assert_eq!(u32_at(&[1, 0, 0, 0], 1), None);
        assert_eq!(u32_at(&[], usize::MAX), None);
    }
}

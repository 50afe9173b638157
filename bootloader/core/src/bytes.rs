//! The one bounds-checked little-endian reader that every parser uses, and
//! its counterpart for writers.
//!
//! Nothing here panics: an offset outside the data is `None`, and the parser
//! that asked turns it into the error that names its format.

/// A window on bytes that came from outside.
#[derive(Debug, Clone, Copy)]
pub struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    /// Reads from `data`; offsets count from its first byte.
    pub const fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    /// Number of bytes that can be read.
    pub const fn len(self) -> usize {
        self.0.len()
    }

    /// True when there is nothing to read.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// `len` bytes at `offset`.
    pub fn slice(self, offset: usize, len: usize) -> Option<&'a [u8]> {
        self.0.get(offset..offset.checked_add(len)?)
    }

    /// `N` bytes at `offset`, copied.
    pub fn array<const N: usize>(self, offset: usize) -> Option<[u8; N]> {
        self.slice(offset, N)?.try_into().ok()
    }

    /// One byte.
    pub fn u8(self, offset: usize) -> Option<u8> {
        self.0.get(offset).copied()
    }

    /// Little-endian, any alignment.
    pub fn u16(self, offset: usize) -> Option<u16> {
        self.array(offset).map(u16::from_le_bytes)
    }

    /// Little-endian, any alignment.
    pub fn u32(self, offset: usize) -> Option<u32> {
        self.array(offset).map(u32::from_le_bytes)
    }

    /// Little-endian, any alignment.
    pub fn u64(self, offset: usize) -> Option<u64> {
        self.array(offset).map(u64::from_le_bytes)
    }

    /// Big-endian (device-tree headers), any alignment.
    pub fn u32_be(self, offset: usize) -> Option<u32> {
        self.array(offset).map(u32::from_be_bytes)
    }

    /// A text field of `len` bytes: up to its first NUL or its end. `None` if
    /// the field is outside the data or holds anything but printable ASCII.
    pub fn text(self, offset: usize, len: usize) -> Option<&'a str> {
        let field = self.slice(offset, len)?;
        let text = field.split(|&b| b == 0).next().unwrap_or(field);
        if text.iter().all(|b| (0x20..0x7F).contains(b)) {
            core::str::from_utf8(text).ok()
        } else {
            None
        }
    }
}

/// Writes `value` little-endian at `offset`; `None` when it does not fit.
pub fn put_u32(out: &mut [u8], offset: usize, value: u32) -> Option<()> {
    put(out, offset, &value.to_le_bytes())
}

/// Copies `value` to `offset`; `None` when it does not fit.
pub fn put(out: &mut [u8], offset: usize, value: &[u8]) -> Option<()> {
    let end = offset.checked_add(value.len())?;
    out.get_mut(offset..end)?.copy_from_slice(value);
    Some(())
}

/// `value` rounded up to a multiple of `unit` (a power of two); `None` on
/// overflow.
pub const fn align_up(value: u32, unit: u32) -> Option<u32> {
    match value.checked_add(unit - 1) {
        Some(sum) => Some(sum & !(unit - 1)),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_little_endian_at_any_offset() {
        let data = Bytes::new(&[0xFF, 0x88, 0x16, 0x88, 0x58, 0, 0, 0, 0]);
        assert_eq!(data.u32(1), Some(0x5888_1688));
        assert_eq!(data.u16(1), Some(0x1688));
        assert_eq!(data.u64(1), Some(0x5888_1688));
        assert_eq!(data.u32_be(1), Some(0x8816_8858));
    }

    #[test]
    fn outside_is_none_even_at_the_end_of_the_address_space() {
        let data = Bytes::new(&[1, 2, 3]);
        assert_eq!(data.u32(0), None);
        assert_eq!(data.slice(usize::MAX, 2), None);
        assert_eq!(data.slice(3, 0), Some(&[][..]));
        assert_eq!(data.u8(3), None);
    }

    #[test]
    fn text_ends_at_nul_or_field_end_and_is_printable() {
        assert_eq!(Bytes::new(b"LK\0\0rest").text(0, 4), Some("LK"));
        assert_eq!(Bytes::new(b"ROOTFS").text(0, 6), Some("ROOTFS"));
        assert_eq!(Bytes::new(b"\xFF\xFF\0").text(0, 3), None);
    }

    #[test]
    fn rounding_up_does_not_wrap() {
        assert_eq!(align_up(0x3D_2080, 0x800), Some(0x3D_2800));
        assert_eq!(align_up(0xFFFF_FFFF, 0x1000), None);
    }
}

//! MediaTek's 512-byte image header: what the preloader looks for in front of
//! `lk.bin`, and vendor loaders in front of kernels, ramdisks and logos.
//!
//! Reading and making it is the bootloader's own code; here it gets the names
//! and sizes that the host tool works with.
//!
//! Source: facts/storage-and-images.md 1.1, 1.2, 1.4.

pub use unilk_core::header::{
    HEADER_LEN as HEADER_BYTES, Header, HeaderError as Error, MAGIC,
    UBOOT_LOAD_ADDRESS as LK_ADDRESS,
};

/// Largest payload that fits the 0x60000-byte `UBOOT` partition and stays
/// below the preloader's own bounce buffer at 0x80080000.
pub const LK_PAYLOAD_MAX: usize = unilk_core::header::MAX_UBOOT_PAYLOAD as usize;

/// `payload` with a header named `name` in front of it, as stock packers write
/// it: no load address, no mode.
///
/// # Errors
/// The name is empty, longer than 32 characters or no text; the payload is
/// empty or does not fit a 32-bit length.
pub fn with_header(name: &str, payload: &[u8]) -> Result<Vec<u8>, Error> {
    if name.is_empty() {
        return Err(Error::Name);
    }
    let length = u32::try_from(payload.len()).map_err(|_| Error::TooBig {
        payload: u32::MAX,
        room: u32::MAX,
    })?;
    let mut image = Header::build(name, length)?.to_vec();
    image.extend_from_slice(payload);
    Ok(image)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn header_and_payload_as_stock_packers_write_them() {
        // facts/storage-and-images.md 1.2: lk.bin of a Lenovo A516.
        let image = with_header("LK", &vec![0xEA; 0x3_E570]).unwrap();
        assert_eq!(image.len(), HEADER_BYTES + 0x3_E570);
        assert_eq!(
            image[..12],
            [
                0x88, 0x16, 0x88, 0x58, 0x70, 0xE5, 0x03, 0x00, b'L', b'K', 0, 0
            ]
        );
        assert!(image[0x28..HEADER_BYTES].iter().all(|&b| b == 0xFF));
        let header = Header::parse(&image).unwrap();
        assert_eq!((header.name(), header.payload_len), ("LK", 0x3_E570));
    }

    #[test]
    fn refuses_what_makes_no_header() {
        assert_eq!(with_header("", &[1]), Err(Error::Name));
        assert_eq!(with_header(&"x".repeat(33), &[1]), Err(Error::Name));
        assert_eq!(with_header("L\nK", &[1]), Err(Error::Name));
        assert_eq!(with_header("LK", &[]), Err(Error::Empty));
    }
}

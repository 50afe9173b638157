//! Loads the next stage: the content of UBOOT, or the file given instead of it.
//!
//! Like the real one it checks the header's magic and nothing else: not the
//! name, not the size against the partition, no checksum.
//! Source: facts/storage-and-images.md 1.1, 1.3.

use super::partition::{self, UBOOT};
use super::{ENTRY, Phone};
use crate::models::emmc::{SECTOR, Store};

const HEADER_LEN: usize = 512;
const MAGIC: u32 = 0x5888_1688;
const CHUNK: usize = 0x1_0000;
/// Where headers are read to, and the last sector before its bytes are copied.
const HEADER_BUFFER: u32 = 0x8009_0000;
const BOUNCE_BUFFER: u32 = 0x8008_0000;

/// Puts the image at [`ENTRY`].
///
/// # Errors
/// A sentence for the preloader's log; the phone then waits for a host on USB.
pub fn load(phone: &mut Phone<'_>) -> Result<(), String> {
    if let Some(file) = phone.machine.lk_override() {
        let payload = payload_of(file).to_vec();
        phone.log(format!(
            "loading {} bytes from the file given instead of UBOOT",
            payload.len()
        ));
        phone.host.write(ENTRY, &payload);
        return Ok(());
    }
    if phone.machine.board().emmc.absent {
        return Err("no eMMC answers".into());
    }
    let mut storage = phone.machine.take_storage().ok_or("no eMMC answers")?;
    let loaded = load_from(phone, storage.as_mut());
    phone.machine.put_storage(Some(storage));
    loaded
}

fn load_from(phone: &mut Phone<'_>, user: &mut dyn Store) -> Result<(), String> {
    let uboot = partition::find(UBOOT, &phone.machine.board().emmc, user)?;
    phone.log(format!(
        "UBOOT at {:#x} in the user area, by the {}",
        uboot.start, uboot.source
    ));
    let mut header = [0; HEADER_LEN];
    user.read_at(uboot.start, &mut header)
        .map_err(|error| format!("cannot read UBOOT: {error}"))?;
    phone.host.write(HEADER_BUFFER, &header);
    let word = |at: usize| {
        u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    if word(0) != MAGIC {
        return Err(format!(
            "UBOOT: image doesn't exist (magic {:#010x})",
            word(0)
        ));
    }
    let len = word(4);
    phone.log(format!("loading {len} bytes to {ENTRY:#x}"));
    copy(phone, user, uboot.start + HEADER_LEN as u64, len)
}

fn copy(phone: &mut Phone<'_>, user: &mut dyn Store, from: u64, len: u32) -> Result<(), String> {
    let mut chunk = vec![0; CHUNK];
    let mut done = 0;
    // A size beyond the DRAM is cut at its end: the real one would hang on the way.
    let room = phone
        .machine
        .board()
        .dram_bytes()
        .saturating_sub(ENTRY - crate::machine::map::DRAM);
    let len = len.min(room);
    while done < len {
        let part = &mut chunk[..CHUNK.min((len - done) as usize)];
        user.read_at(from + u64::from(done), part)
            .map_err(|error| format!("cannot read UBOOT: {error}"))?;
        phone.host.write(ENTRY + done, part);
        done += part.len() as u32;
    }
    let tail = len % SECTOR as u32;
    if tail != 0 {
        // Over an image that reaches that far: it is too large, and breaks.
        let mut sector = [0; SECTOR];
        user.read_at(from + u64::from(len - tail), &mut sector)
            .map_err(|error| format!("cannot read UBOOT: {error}"))?;
        phone.host.write(BOUNCE_BUFFER, &sector);
    }
    Ok(())
}

/// The payload of a file with or without the 512-byte header.
fn payload_of(file: &[u8]) -> &[u8] {
    match (file.first_chunk::<8>(), file.get(HEADER_LEN..)) {
        (Some(head), Some(payload)) if head[..4] == MAGIC.to_le_bytes() => {
            let len = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
            &payload[..len.min(payload.len())]
        }
        _ => file,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_header_yields_its_payload() {
        let mut file = vec![0xFF; HEADER_LEN];
        file[..4].copy_from_slice(&MAGIC.to_le_bytes());
        file[4..8].copy_from_slice(&3u32.to_le_bytes());
        file.extend_from_slice(&[1, 2, 3, 0, 0]);
        assert_eq!(payload_of(&file), [1, 2, 3]);
        assert_eq!(payload_of(&[1, 2, 3]), [1, 2, 3]);
    }

    #[test]
    fn a_lying_size_in_a_file_does_not_read_beyond_it() {
        let mut file = vec![0; HEADER_LEN + 1];
        file[..4].copy_from_slice(&MAGIC.to_le_bytes());
        file[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(payload_of(&file).len(), 1);
    }
}

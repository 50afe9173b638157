//! How a stock loader reads BOOTIMG or RECOVERY.
//!
//! Source: facts/storage-and-images.md 5.1 to 5.3.

use super::KERNEL;
use crate::models::emmc::Store;
use crate::preloader::Phone;
use crate::preloader::partition::{self, BOOTIMG, RECOVERY};

/// The only page size that it knows, whatever the header says.
const PAGE: u32 = 2048;
const HEADER_LEN: u32 = 512;
const MAGIC: u32 = 0x5888_1688;
/// The sections go here, so that the kernel's payload is where it belongs.
const SECTIONS: u32 = KERNEL - HEADER_LEN;
/// Where it moves the ramdisk.
const RAMDISK: u32 = 0x8410_0000;
const CHUNK: usize = 0x1_0000;

/// Loads kernel and ramdisk; the ramdisk's address and bytes.
///
/// # Errors
/// The check at which the real loader stops for ever.
pub fn load(phone: &mut Phone<'_>, recovery: bool) -> Result<(u32, u32), String> {
    let mut storage = phone.machine.take_storage().ok_or("no eMMC answers")?;
    let loaded = load_from(phone, storage.as_mut(), recovery);
    phone.machine.put_storage(Some(storage));
    loaded
}

fn load_from(
    phone: &mut Phone<'_>,
    user: &mut dyn Store,
    recovery: bool,
) -> Result<(u32, u32), String> {
    let line = if recovery { RECOVERY } else { BOOTIMG };
    let name = line.name;
    let place = partition::find(line, &phone.machine.board().emmc, user)?;
    let mut head = [0; PAGE as usize];
    user.read_at(place.start, &mut head)
        .map_err(|error| format!("cannot read {name}: {error}"))?;
    if !head.starts_with(b"ANDROID!") {
        return Err(format!("{name} holds no Android boot image"));
    }
    let kernel_pages = word(&head, 0x08).div_ceil(PAGE);
    let ramdisk_pages = word(&head, 0x10).div_ceil(PAGE);
    let len = if recovery {
        // The whole partition, the header's page left out.
        u32::try_from(place.len)
            .unwrap_or(u32::MAX)
            .saturating_sub(PAGE)
    } else {
        kernel_pages
            .saturating_add(ramdisk_pages)
            .saturating_add(2)
            .saturating_mul(PAGE)
    };
    phone.log(format!("stock loader reads {len} bytes of {name}"));
    copy(phone, user, place.start + u64::from(PAGE), len)?;

    let kernel = header(phone, SECTIONS)?;
    if kernel.0 != "KERNEL" {
        return Err(format!("{name}: the kernel is named {:?}", kernel.0));
    }
    let at = SECTIONS + kernel_pages * PAGE;
    let (ramdisk, bytes) = header(phone, at)?;
    let wanted = if recovery { "RECOVERY" } else { "ROOTFS" };
    if ramdisk != wanted {
        return Err(format!(
            "{name}: the ramdisk is named {ramdisk:?}, not {wanted}"
        ));
    }
    move_memory(phone, at + HEADER_LEN, RAMDISK, bytes)?;
    Ok((RAMDISK, bytes))
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Name and payload bytes of MediaTek's header at `at`.
fn header(phone: &mut Phone<'_>, at: u32) -> Result<(String, u32), String> {
    let mut header = [0; HEADER_LEN as usize];
    phone.host.read(at, &mut header);
    let magic = word(&header, 0);
    if magic != MAGIC {
        return Err(format!(
            "no MediaTek header where a section begins (magic {magic:#010x})"
        ));
    }
    let name = header[8..40].split(|&byte| byte == 0).next().unwrap_or(&[]);
    Ok((String::from_utf8_lossy(name).into_owned(), word(&header, 4)))
}

fn copy(phone: &mut Phone<'_>, user: &mut dyn Store, from: u64, len: u32) -> Result<(), String> {
    let mut chunk = vec![0; CHUNK];
    let room = phone.machine.board().dram_bytes() - (SECTIONS - crate::machine::map::DRAM);
    let len = len.min(room);
    let mut done = 0;
    while done < len {
        let part = &mut chunk[..CHUNK.min((len - done) as usize)];
        user.read_at(from + u64::from(done), part)
            .map_err(|error| format!("cannot read the image: {error}"))?;
        phone.host.write(SECTIONS + done, part);
        done += part.len() as u32;
    }
    Ok(())
}

fn move_memory(phone: &mut Phone<'_>, from: u32, to: u32, len: u32) -> Result<(), String> {
    let mut chunk = vec![0; CHUNK];
    let mut done = 0;
    while done < len {
        let part = &mut chunk[..CHUNK.min((len - done) as usize)];
        if !phone.host.read(from + done, part) || !phone.host.write(to + done, part) {
            return Err(format!("a ramdisk of {len} bytes does not fit the memory"));
        }
        done += part.len() as u32;
    }
    Ok(())
}

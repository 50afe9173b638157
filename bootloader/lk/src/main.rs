//! unilk, the bootloader: one `lk.bin` for every MT6572 phone.
//!
//! This file is the table of contents of a boot. Everything decided lives in
//! `unilk-core`, everything driven in `mt6572-hal`.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![cfg_attr(not(target_os = "none"), allow(unused))]

#[cfg(target_os = "none")]
extern crate alloc;

#[cfg(target_os = "none")]
mod decide;
#[cfg(target_os = "none")]
mod exception;
#[cfg(target_os = "none")]
mod hand_off;
#[cfg(target_os = "none")]
mod heap;
#[cfg(target_os = "none")]
mod keys;
#[cfg(target_os = "none")]
mod late;
#[cfg(target_os = "none")]
mod load;
#[cfg(target_os = "none")]
mod log;
#[cfg(target_os = "none")]
mod map;
#[cfg(target_os = "none")]
mod meanwhile;
#[cfg(target_os = "none")]
mod mmu;
#[cfg(target_os = "none")]
mod parts;
#[cfg(target_os = "none")]
mod stop;
#[cfg(target_os = "none")]
mod storage;
#[cfg(target_os = "none")]
mod trace;
#[cfg(target_os = "none")]
mod wake;

/// One boot, from the preloader's jump to the kernel's first instruction.
#[cfg(target_os = "none")]
fn boot(entry: wake::Entry) -> ! {
    use unilk_core::Code;

    // 1. The phone: log, watchdog, clocks, chip, memory, PMIC, keys.
    let mut phone = wake::Phone::wake(entry);

    // 2. Panel, touch chip and cameras: asked whenever this function waits.
    let parts = parts::start(&mut phone);

    // 3. The storage: eMMC, partitions, what the phone remembers.
    let disk = match storage::Disk::open(&mut phone) {
        Ok(disk) => disk,
        Err(error) => {
            parts.tell_stored(parts::Stored::NOWHERE);
            stop::without_kernel(phone, parts, error.code(), &error)
        }
    };
    with_disk(phone, parts, disk)
}

/// The rest of a boot, which has its image from the phone's storage.
// Not inlined: it is unpacked later than what comes before (linker/lk.ld).
#[cfg(target_os = "none")]
#[inline(never)]
fn with_disk(mut phone: wake::Phone, parts: &'static parts::Parts, mut disk: storage::Disk) -> ! {
    use decide::Next;
    use unilk_core::Code;

    parts.tell_stored(parts::Stored::read(&mut disk));
    parts.tell_logo(&mut disk);

    // 4. What this boot is for.
    let mut next = match decide::decide(&mut phone, &mut disk) {
        Next::Kernel(image) => {
            parts.tell_line(image.mode.name());
            image
        }
        Next::UsbDownload(why) => {
            // Asked for: not a failed boot that the next one has to show.
            log::complete();
            stop::usb_download(phone, parts, why)
        }
        Next::PowerOff(why) => stop::power_off(phone, parts, why),
    };

    // 5. The kernel: BOOTIMG, or RECOVERY, or whichever of them works.
    loop {
        let problem = match load::load(&mut phone, parts, &mut disk, next) {
            Ok(kernel) => hand_off::jump(phone, disk, kernel),
            Err(problem) => problem,
        };
        disk.storage.explain_failure();
        log::say!("{} {}: {problem}", problem.code(), next.partition);
        next = match next.after_failure(problem.is_itself()) {
            Some(image) => image,
            None => stop::without_kernel(phone, parts, problem.code(), &problem),
        };
        log::say!("trying {} instead", next.partition);
    }
}

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("the bootloader runs on a phone: build it with `cargo xtask build`");
}

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
mod load;
#[cfg(target_os = "none")]
mod log;
#[cfg(target_os = "none")]
mod map;
#[cfg(target_os = "none")]
mod mmu;
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
    use decide::Next;
    use unilk_core::Code;

    // 1. The phone: log, watchdog, clocks, chip, memory, PMIC, keys.
    let mut phone = wake::Phone::wake(entry);

    // 2. The storage: eMMC, partitions.
    let mut disk = match storage::Disk::open(&mut phone) {
        Ok(disk) => disk,
        Err(error) => stop::without_kernel(phone, error.code(), &error),
    };

    // 3. What this boot is for.
    let mut next = match decide::decide(&mut phone, &mut disk) {
        Next::Kernel(image) => image,
        Next::UsbDownload(why) => {
            // Asked for: not a failed boot that the next one has to show.
            log::complete();
            stop::usb_download(phone, why)
        }
        Next::PowerOff(why) => stop::power_off(phone, why),
    };

    // 4. The kernel: BOOTIMG, or RECOVERY, or whichever of them works.
    loop {
        let problem = match load::load(&mut phone, &mut disk, next) {
            Ok(kernel) => hand_off::jump(phone, disk, kernel),
            Err(problem) => problem,
        };
        disk.storage.explain_failure();
        log::say!("{} {}: {problem}", problem.code(), next.partition);
        next = match next.after_failure() {
            Some(image) => image,
            None => stop::without_kernel(phone, problem.code(), &problem),
        };
        log::say!("trying {} instead", next.partition);
    }
}

#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("the bootloader runs on a phone: build it with `cargo xtask build`");
}

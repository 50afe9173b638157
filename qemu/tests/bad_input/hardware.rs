//! Hardware that does not do what its registers say, and keys that nobody
//! holds: each costs the phone at most what depends on it, never the boot.
//! Source: facts/soc.md 1.4, 4.1, 6, 8.4.

use unilk::bootimg::BootImage;
use unilk_phone::Kind;

use crate::common::{Kernel, Run, TestPhone, image, kernel};

/// Virtual time at which the kernel was entered, in milliseconds.
fn entry_ms(run: &Run) -> u64 {
    let entry = run.outcome.events.iter().find_map(|event| {
        matches!(event.kind, Kind::KernelEntry { .. }).then_some(event.t_ns / 1_000_000)
    });
    run.check(entry.is_some(), "no kernel ran");
    entry.unwrap_or(u64::MAX)
}

/// Without its interrupt a sleep would have no end; so nothing sleeps.
#[test]
fn a_timer_whose_interrupt_never_arrives() {
    let usual = TestPhone::new().good_bootimg().run();
    usual.never_says("GIC-WAKE");
    let run = TestPhone::new()
        .with_board("[faults]\ntimer_interrupt = 'lost'")
        .good_bootimg()
        .run();
    run.says(&["GIC-WAKE"]).boots("BOOTIMG");
    run.check(run.resets("watchdog time-out") == 0, "the watchdog bit");
    let (took, without) = (entry_ms(&run), entry_ms(&usual));
    run.check(
        took <= without + 10,
        &format!("{took} ms instead of {without} ms"),
    );
}

/// Nothing can be seen of this boot but its end.
#[test]
fn a_uart_that_sends_nothing() {
    let usual = TestPhone::new().good_bootimg().run();
    let run = TestPhone::new()
        .with_board("[faults]\nuart_stuck = true")
        .good_bootimg()
        .run();
    run.is_clean().is_off();
    run.check(run.resets("watchdog time-out") == 0, "the watchdog bit");
    let (took, without) = (entry_ms(&run), entry_ms(&usual));
    run.check(
        took <= without + 300,
        &format!("{took} ms instead of {without} ms"),
    );
}

/// The log of a boot that failed is longer than what waits for the UART.
#[test]
fn a_uart_that_sends_nothing_and_a_boot_that_fails() {
    let run = TestPhone::new()
        .with_board("[faults]\nuart_stuck = true")
        .run();
    run.is_clean().is_off();
    run.check(run.resets("watchdog time-out") == 0, "the watchdog bit");
}

/// HOME, BACK, MENU and the letters of a keyboard sit in the matrix as the
/// volume keys do.
#[test]
fn a_key_of_no_known_meaning_is_stuck() {
    let run = TestPhone::new()
        .with_board("[keys]\nheld = ['menu']\nmap = { menu = 7 }")
        .good_bootimg()
        .run();
    run.says(&["keys held", "[7]"]).boots("BOOTIMG");
}

/// Nor is it a person who asks for download mode.
#[test]
fn a_stuck_key_does_not_keep_a_phone_on() {
    let run = TestPhone::new()
        .with_board("[keys]\nheld = ['menu', 'home']\nmap = { menu = 7 }")
        .run();
    run.stops("IMG-MAGIC").is_clean().is_off();
}

/// The vendor's plan without a ramdisk, on a phone with less memory than the
/// kernel's own addresses. Stated, not fitted: the preloader's own buffers at
/// 0x81D00000 need more (facts/soc.md 3.1), so no phone gets to us with less.
#[test]
fn dram_that_ends_before_the_kernel() {
    for mib in [1, 2] {
        let mut vendor = BootImage {
            kernel: kernel(Kernel::Fixed),
            ramdisk: Vec::new(),
            ..image("tk.image=bootimg")
        };
        vendor.kernel.resize(4 << 20, 0);
        let end = vendor.kernel.len() as u32;
        vendor.kernel[0x2C..0x30].copy_from_slice(&end.to_le_bytes());
        let run = TestPhone::new()
            .with_board(&format!("[boot]\nrank_override = [{}]", mib << 20))
            .part("BOOTIMG", vendor.build().unwrap())
            .run();
        run.says(&["MEM-", "BOOTIMG: "]).is_clean().is_off();
    }
}

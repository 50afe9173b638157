//! A whole phone in a real QEMU, driven by a small program in ARM code that
//! takes the place of LK: what the models' own tests cannot show.
//!
//! Both tests need the plugin (`cargo build -p unilk-qemu`) and QEMU.
//! Source: facts/soc.md 1.3 (core 1, USBDL), 2.1, 3.4, 4, 6; facts/qemu-plugin.md.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use unilk_phone::{Kind, Outcome, Phone, Stop};

/// Runs at 0x80020000. Gives the UART its pads back, then says one letter for
/// each thing that works: A the UART, C the chip ID, S the small SRAM, L the
/// L2's RAM, D the last word of 512 MiB of DRAM; reads beyond that; releases
/// core 1, which writes to SRAM (K); says its boot reason, and resets through
/// TOPRGU. Started by a reset (reason 4), it arms the boot ROM's USB download
/// for 5 s first.
const PROGRAM: &[u32] = &[
    0xE59F_613C,
    0xE59F_013C,
    0xE3A0_1209,
    0xE580_1000,
    0xE3A0_1009,
    0xE580_1010,
    0xE3A0_1000,
    0xE586_1044,
    0xE594_B02C,
    0xE3A0_0041,
    0xEB00_003B,
    0xE59F_1118,
    0xE591_1000,
    0xE306_2572,
    0xE151_0002,
    0x03A0_0043,
    0x0B00_0035,
    0xE3A0_5401,
    0xE585_2000,
    0xE595_1000,
    0xE151_0002,
    0x03A0_0053,
    0x0B00_002F,
    0xE3A0_1402,
    0xE581_2000,
    0xE591_3000,
    0xE153_0002,
    0x03A0_004C,
    0x0B00_0029,
    0xE3E0_1236,
    0xE581_2000,
    0xE591_3000,
    0xE153_0002,
    0x03A0_0044,
    0x0B00_0023,
    0xE3A0_120A,
    0xE591_A000,
    0xE3A0_1000,
    0xE585_1000,
    0xE59F_10AC,
    0xE3A0_2001,
    0xE581_2000,
    0xE59F_20A4,
    0xE28F_307C,
    0xE582_3008,
    0xE59F_309C,
    0xE582_300C,
    0xE59F_3098,
    0xE581_3F00,
    0xE595_1000,
    0xE351_0001,
    0x1AFF_FFFC,
    0xE3A0_004B,
    0xEB00_0010,
    0xE28B_0030,
    0xEB00_000E,
    0xE596_1014,
    0xE311_0040,
    0x0AFF_FFFC,
    0xE59F_706C,
    0xE35B_0004,
    0x1A00_0004,
    0xE59F_2054,
    0xE3A0_3015,
    0xE582_301C,
    0xE59F_3058,
    0xE582_3020,
    0xE301_1209,
    0xE587_1014,
    0xE320_F003,
    0xEAFF_FFFD,
    0xE596_1014,
    0xE311_0020,
    0x0AFF_FFFC,
    0xE586_0000,
    0xE12F_FF1E,
    0xE3A0_0001,
    0xE3A0_1401,
    0xE581_0000,
    0xE320_F003,
    0xEAFF_FFFD,
    0x1100_5000,
    0x1000_53CC,
    0x0800_0008,
    0x1021_1000,
    0x1000_1400,
    0x534C_4131,
    0x0002_0001,
    0x1000_7000,
    0x5553_4244,
];

fn board(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("boards")
        .join(name)
}

fn program_file(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("unilk-smoke-{}-{name}.bin", std::process::id()));
    let bytes: Vec<u8> = PROGRAM.iter().flat_map(|word| word.to_le_bytes()).collect();
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Started by a charger: the flag that a start by the power key leaves in the
/// RTC would need a program that takes it back.
const BOARD: &str = "name = 'smoke'\n[dram]\nranks_mib = [512]\n[boot]\nreason = 1\n";

fn run(name: &str, set_up: impl FnOnce(Phone) -> Phone) -> Outcome {
    let program = program_file(name);
    let board = program.with_extension("toml");
    std::fs::write(&board, BOARD).unwrap();
    let phone = Phone::new(&board)
        .lk(&program)
        .limit(Duration::from_secs(40));
    let outcome = set_up(phone).run();
    std::fs::remove_file(&program).unwrap();
    std::fs::remove_file(&board).unwrap();
    outcome.unwrap()
}

#[test]
fn a_program_sees_the_phone_resets_it_and_asks_for_usb_download() {
    let outcome = run("phone", |phone| phone);
    assert_eq!(outcome.stop, Stop::Ended, "{outcome:?}");
    assert_eq!(outcome.serial[0], "ACSLDK1ACSLDK4", "{outcome:?}");
    let download = Kind::UsbDownload {
        by: "boot-rom".into(),
        timeout_s: Some(5),
    };
    assert_eq!(outcome.end().unwrap().kind, download);
    let entries = outcome
        .events
        .iter()
        .filter(|event| matches!(event.kind, Kind::LkEntry { .. }))
        .count();
    assert_eq!(entries, 2);
}

#[test]
fn an_access_beyond_the_dram_is_reported_with_its_pc() {
    let outcome = run("error", |phone| phone);
    let faults: Vec<_> = outcome.guest_errors().collect();
    assert_eq!(faults.len(), 2, "one a boot: {faults:?}");
    let at = PROGRAM
        .iter()
        .position(|&word| word == LOAD_BEYOND)
        .unwrap() as u32;
    assert_eq!(
        (faults[0].what.as_str(), faults[0].addr),
        ("unmapped", 0xA000_0000)
    );
    assert_eq!(faults[0].pc, Some(0x8002_0000 + 4 * at));
}

/// `ldr r10, [r1]` with r1 = 0xA0000000, the only one of its kind.
const LOAD_BEYOND: u32 = 0xE591_A000;

#[test]
fn with_icount_two_boots_take_the_same_virtual_time() {
    let time_ns = |name| {
        let outcome = run(name, |phone| phone.icount(true).until(0, "ACSLD"));
        assert_eq!(outcome.stop, Stop::Text, "{outcome:?}");
        // From the jump to the first guest error, which follows the D: the core's own pace.
        let wanted = |event: &&unilk_phone::Event| {
            matches!(event.kind, Kind::LkEntry { .. } | Kind::GuestError(_))
        };
        let mut times = outcome.events.iter().filter(wanted).map(|event| event.t_ns);
        let (entry, error) = (times.next().unwrap(), times.next().unwrap());
        error - entry
    };
    assert_eq!(time_ns("first"), time_ns("second"));
}

#[test]
fn a_phone_without_storage_waits_for_usb() {
    let outcome = Phone::new(board("no-emmc.toml"))
        .limit(Duration::from_secs(20))
        .run()
        .unwrap();
    let download = Kind::UsbDownload {
        by: "preloader".into(),
        timeout_s: None,
    };
    assert_eq!(outcome.end().unwrap().kind, download, "{outcome:?}");
}

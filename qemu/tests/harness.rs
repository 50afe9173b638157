//! The ways in which people and tests meet the emulated phone: typing at it,
//! dumps of its memory, the console on a terminal, gdb, and what is said when
//! something that it needs is missing.
//!
//! All tests need the plugin (`cargo build -p unilk-qemu`) and QEMU; the one
//! of the console also needs `script`, which every Debian has.
//! Source: facts/soc.md 1.3 (USBDL), 4 (UART), 6 (TOPRGU); facts/qemu-plugin.md.

#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use unilk_phone::{Error, Event, Kind, Outcome, Phone, Stop};

/// Runs at 0x80020000. Gives UART0 its pads back, writes [`MARK`] to
/// [`MARK_AT`], says `>`, and answers each character: `Q` ends in USB
/// download, `R` resets, `E` reads beyond the DRAM, `K` jumps to 0x80200000,
/// where a "kernel" reads beyond the DRAM, makes an exclusive store and ends
/// as `Q` does. Everything else is echoed.
#[rustfmt::skip]
const PROGRAM: &[u32] = &[
    0xE59F_60F8, 0xE59F_00F8, 0xE3A0_1209, 0xE580_1000, 0xE3A0_1009, 0xE580_1010,
    0xE3A0_1000, 0xE586_1044, 0xE59F_70E0, 0xE59F_80E0, 0xE587_8000, 0xE3A0_003E,
    0xEB00_001D, 0xE596_1014, 0xE311_0001, 0x0AFF_FFFC, 0xE596_0000, 0xE350_0051,
    0x0A00_0022, 0xE350_0052, 0x0A00_0025, 0xE350_0045, 0x0A00_0003, 0xE350_004B,
    0x0A00_0004, 0xEB00_0010, 0xEAFF_FFF1, 0xE3A0_020A, 0xE590_1000, 0xEAFF_FFEE,
    0xE28F_1040, 0xE287_2000, 0xE242_2601, 0xE1A0_5002, 0xE3A0_3020, 0xE491_0004,
    0xE482_0004, 0xE253_3001, 0x1AFF_FFFB, 0xF57F_F04F, 0xEE07_3F15, 0xF57F_F06F,
    0xE12F_FF15, 0xE596_1014, 0xE311_0020, 0x0AFF_FFFC, 0xE586_0000, 0xE12F_FF1E,
    0xE3A0_020A, 0xE590_1000, 0xE197_1F9F, 0xE187_2F91, 0xE352_0000, 0x1AFF_FFFB,
    0xE59F_2030, 0xE3A0_3015, 0xE582_301C, 0xE59F_3028, 0xE582_3020, 0xE59F_2024,
    0xE301_1209, 0xE582_1014, 0xE320_F003, 0xEAFF_FFFD, 0x1100_5000, 0x1000_53CC,
    0x8030_0000, 0x1234_5678, 0x1000_1400, 0x5553_4244, 0x1000_7000,
];

/// Releases core 1, which copies a word of SRAM to the next one, and waits ten
/// times, without WFE, for the number that it has just written to come back;
/// then ends in USB download.
#[rustfmt::skip]
const TWO_CORES: &[u32] = &[
    0xE3A0_5401, 0xE3A0_1000, 0xE585_1000, 0xE585_1004, 0xE59F_006C, 0xE3A0_1001,
    0xE580_1000, 0xE59F_2064, 0xE59F_3064, 0xE28F_1074, 0xE582_1008, 0xE59F_105C,
    0xE582_100C, 0xE59F_1058, 0xE580_1F00, 0xE3A0_4000, 0xE284_4001, 0xE585_4000,
    0xE595_1004, 0xE151_0004, 0x1AFF_FFFC, 0xE354_000A, 0x1AFF_FFF8, 0xE59F_2024,
    0xE300_3015, 0xE582_301C, 0xE59F_3028, 0xE582_3020, 0xE59F_7024, 0xE301_1209,
    0xE587_1014, 0xE320_F003, 0xEAFF_FFFD, 0x1021_1000, 0x1000_1400, 0x8002_0000,
    0x534C_4131, 0x0002_0001, 0x5553_4244, 0x1000_7000, 0xE3A0_5401, 0xE595_1000,
    0xE585_1004, 0xEAFF_FFFC,
];

const MARK: u32 = 0x1234_5678;
const MARK_AT: u32 = 0x8030_0000;
/// `ldr r1, [r0]` with r0 = 0xA0000000; the first is the bootloader's.
const LOAD_BEYOND: u32 = 0xE590_1000;

/// A folder of the test's own, with the program in it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("unilk-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        let bytes: Vec<u8> = PROGRAM.iter().flat_map(|word| word.to_le_bytes()).collect();
        std::fs::write(path.join("program"), bytes).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn phone(&self) -> Phone {
        Phone::new(board())
            .lk(self.file("program"))
            .limit(Duration::from_secs(40))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn board() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("boards/generic-512m.toml")
}

fn mmio_of(outcome: &Outcome, test: fn(&Kind) -> Option<u64>) -> u64 {
    let found = outcome.events.iter().find_map(|event| test(&event.kind));
    found.unwrap_or_else(|| panic!("{outcome:?}"))
}

#[test]
fn what_is_typed_reaches_the_uart() {
    let folder = Folder::new("typed");
    let phone = folder.phone();
    let outcome = phone
        .type_after(0, ">", "hello")
        .type_after(0, "hello", " world")
        .type_after(0, "world", "Q")
        .run()
        .unwrap();
    assert_eq!(outcome.stop, Stop::Ended, "{outcome:?}");
    assert_eq!(outcome.serial[0], ">hello world");
    assert_eq!(outcome.error_count(), 0, "{outcome:?}");
}

/// More than the receive FIFO holds: the host waits, nothing is lost.
#[test]
fn a_long_line_arrives_whole() {
    let folder = Folder::new("long");
    let line = "0123456789abcdef".repeat(16);
    let phone = folder.phone();
    let outcome = phone.type_after(0, ">", format!("{line}Q")).run().unwrap();
    assert_eq!(outcome.serial[0], format!(">{line}"));
    assert_eq!(outcome.error_count(), 0, "{outcome:?}");
}

#[test]
fn memory_is_saved_at_each_reset_and_at_the_end() {
    let folder = Folder::new("dump");
    let (words, code) = (folder.file("words"), folder.file("code"));
    let outcome = folder
        .phone()
        .dump(MARK_AT, 8, &words)
        .dump(0x8002_0000, 16, &code)
        .type_after(0, ">", "R")
        .type_after(0, ">", "Q")
        .run()
        .unwrap();
    assert_eq!(outcome.serial[0], ">>", "{outcome:?}");
    for name in ["words", "words.1"] {
        let bytes = std::fs::read(folder.file(name)).unwrap();
        assert_eq!(bytes.len(), 8, "{name}");
        assert_eq!(bytes[..4], MARK.to_le_bytes(), "{name}");
    }
    assert_eq!(std::fs::read(code).unwrap()[..4], PROGRAM[0].to_le_bytes());
}

#[test]
fn the_kernel_entry_states_the_accesses_up_to_it() {
    let folder = Folder::new("entry");
    let phone = folder.phone().type_after(0, ">", "K");
    let outcome = phone.run().unwrap();
    let before = mmio_of(&outcome, |kind| match kind {
        Kind::LkEntry { mmio, .. } => Some(*mmio),
        _ => None,
    });
    let after = mmio_of(&outcome, |kind| match kind {
        Kind::KernelEntry { mmio, .. } => Some(*mmio),
        _ => None,
    });
    let all = mmio_of(&outcome, |kind| match kind {
        Kind::Exit { mmio, .. } => Some(*mmio),
        _ => None,
    });
    // Pads, sleep register and the line status before `>`: five at least. The
    // "kernel" makes four: the load beyond, two of USBDL, one of TOPRGU. Core
    // 1 reads two registers in the boot ROM, at any time after the reset.
    assert!(after >= before + 5, "{before}, {after}");
    assert!((after + 4..=after + 8).contains(&all), "{after}, {all}");
}

/// QEMU 7.2 calls the memory hook of the jump again at the exclusive store.
#[test]
fn only_code_of_the_bootloader_gets_its_pc_reported() {
    let folder = Folder::new("pc");
    let phone = folder
        .phone()
        .type_after(0, ">", "E")
        .type_after(0, "", "K");
    let outcome = phone.run().unwrap();
    let pcs: Vec<_> = outcome.guest_errors().map(|fault| fault.pc).collect();
    let at = PROGRAM.iter().position(|&word| word == LOAD_BEYOND);
    let load = 0x8002_0000 + 4 * at.unwrap() as u32;
    assert_eq!(pcs, [Some(load), None], "{outcome:?}");
}

#[test]
fn on_demand_all_code_gets_its_pc_reported() {
    let folder = Folder::new("pc-all");
    let phone = folder.phone().pc_of_all(true).type_after(0, ">", "K");
    let outcome = phone.run().unwrap();
    let pcs: Vec<_> = outcome.guest_errors().map(|fault| fault.pc).collect();
    assert_eq!(pcs, [Some(0x8020_0004)], "{outcome:?}");
}

/// Speaks gdb's remote protocol: packets `$text#checksum`, answered by `+`.
struct Gdb(TcpStream);

impl Gdb {
    fn connect(port: u16) -> Gdb {
        let started = Instant::now();
        loop {
            if let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
                let limit = Some(Duration::from_secs(20));
                stream.set_read_timeout(limit).unwrap();
                return Gdb(stream);
            }
            assert!(started.elapsed() < Duration::from_secs(20), "no gdb port");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn word(text: &str) -> u32 {
        u32::from_str_radix(text, 16).unwrap().swap_bytes()
    }

    /// The last of the sixteen core registers, with which `g` begins.
    fn pc(&mut self) -> u32 {
        Gdb::word(&self.ask("g")[15 * 8..16 * 8])
    }

    fn ask(&mut self, text: &str) -> String {
        let sum = text.bytes().fold(0u8, u8::wrapping_add);
        write!(self.0, "${text}#{sum:02x}").unwrap();
        let mut answer = String::new();
        let mut byte = [0];
        loop {
            self.0.read_exact(&mut byte).unwrap();
            match byte[0] {
                b'+' => {}
                b'$' => answer.clear(),
                b'#' => break,
                other => answer.push(char::from(other)),
            }
        }
        self.0.read_exact(&mut [0; 2]).unwrap();
        self.0.write_all(b"+").unwrap();
        answer
    }
}

#[test]
fn gdb_stops_at_the_entry_of_the_bootloader() {
    let folder = Folder::new("gdb");
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let phone = folder.phone().gdb(port).type_after(0, ">", "Q");
    let outcome = std::thread::scope(|scope| {
        let run = scope.spawn(|| phone.run().unwrap());
        let mut gdb = Gdb::connect(port);
        assert_eq!(gdb.pc(), 0, "waits at the reset vector");
        assert_eq!(gdb.ask("Z1,80020000,4"), "OK");
        assert!(gdb.ask("c").starts_with("T05"));
        assert_eq!(gdb.pc(), 0x8002_0000);
        assert_eq!(Gdb::word(&gdb.ask("m80020000,4")), PROGRAM[0]);
        assert_eq!(gdb.ask("z1,80020000,4"), "OK");
        assert_eq!(gdb.ask("D"), "OK");
        run.join().unwrap()
    });
    assert_eq!(outcome.stop, Stop::Ended, "{outcome:?}");
    assert_eq!(outcome.serial[0], ">");
}

/// One core that polls memory must not keep the other from answering, and
/// when it gives way must not depend on the host.
#[test]
fn with_icount_two_cores_take_turns() {
    let folder = Folder::new("turns");
    let bytes: Vec<u8> = TWO_CORES
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect();
    let program = folder.file("two-cores");
    std::fs::write(&program, bytes).unwrap();
    let run = || {
        let phone = folder.phone().lk(&program).icount(true);
        let outcome = phone.run().unwrap();
        assert_eq!(outcome.stop, Stop::Ended, "{outcome:?}");
        // The request for a reset; until QEMU's main loop has carried it out, core 1 runs on.
        let request = |event: &&Event| matches!(&event.kind, Kind::Log { text } if text.contains("software reset"));
        outcome.events.iter().find(request).unwrap().t_ns
    };
    let end_ns = run();
    assert!(end_ns < 2_000_000, "{end_ns}: a turn takes 20 us");
    assert_eq!(end_ns, run());
}

/// Environment variable that gives [`console_child`] its program.
const CHILD: &str = "UNILK_TEST_CONSOLE_PROGRAM";

/// Runs the phone on this process's terminal; started by the next test, which
/// makes a terminal for it.
#[test]
#[ignore = "a part of the_console_takes_keys_and_ctrl_a_x_ends_it"]
fn console_child() {
    let Some(program) = std::env::var_os(CHILD) else {
        return;
    };
    let (status, events) = Phone::new(board()).lk(program).interactive(0).unwrap();
    let exits = events
        .iter()
        .filter(|event| matches!(event.kind, Kind::Exit { .. }));
    println!("console: {status}, {} exit line", exits.count());
}

#[test]
fn the_console_takes_keys_and_ctrl_a_x_ends_it() {
    let folder = Folder::new("console");
    let program = std::env::current_exe().unwrap();
    let inner = format!(
        "{} --exact console_child --ignored --nocapture",
        program.display()
    );
    // A console that does not answer must not hang the tests.
    let mut script = Command::new("timeout")
        .args(["60", "script", "-qec", &inner, "/dev/null"])
        .env(CHILD, folder.file("program"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`timeout` and `script` of Debian's coreutils and bsdutils");
    let mut keys = script.stdin.take().unwrap();
    let mut screen = script.stdout.take().unwrap();
    let mut seen = String::new();
    let mut until = |text: &str| {
        let mut chunk = [0; 256];
        while !seen.contains(text) {
            let len = screen.read(&mut chunk).unwrap();
            assert_ne!(len, 0, "ended before {text:?}: {seen}");
            seen.push_str(&String::from_utf8_lossy(&chunk[..len]));
        }
    };
    until(">");
    // Ctrl-C goes to the phone, as it must on a console.
    keys.write_all(b"typed\x03on").unwrap();
    until("typed\x03on");
    keys.write_all(b"\x01x").unwrap();
    until("console: exit status: 0, 1 exit line");
    assert!(script.wait().unwrap().success());
}

fn refused(phone: &Phone) -> (Error, String) {
    let error = phone.run().unwrap_err();
    let words = error.to_string();
    (error, words)
}

#[test]
fn what_is_missing_is_named_with_its_remedy() {
    let folder = Folder::new("missing");
    let nowhere = folder.file("nowhere");
    let (error, words) = refused(&Phone::new(&nowhere));
    assert!(matches!(error, Error::NoBoard(_)), "{words}");
    assert!(
        words.contains("nowhere") && words.contains("qemu/boards"),
        "{words}"
    );
    let (error, words) = refused(&folder.phone().lk(&nowhere));
    assert!(matches!(error, Error::NoFile(_)), "{words}");
    let (error, words) = refused(&folder.phone().plugin(&nowhere));
    assert!(matches!(error, Error::NoPlugin(_)), "{words}");
    assert!(words.contains("cargo xtask build"), "{words}");
    let (error, words) = refused(&folder.phone().qemu(&nowhere));
    assert!(matches!(error, Error::NoQemu(_)), "{words}");
    assert!(words.contains("cargo xtask setup"), "{words}");
}

#[test]
fn a_wrong_board_file_is_refused_with_file_and_field() {
    let folder = Folder::new("board");
    let file = folder.file("wrong.toml");
    for (text, wanted) in [
        ("name = 'x'\n", "dram"),
        ("name = 'x'\n[dram]\nranks_mb = [512]\n", "ranks_mb"),
        ("name = 'x'\n[dram]\nranks_mib = [2048]\n", "dram.ranks_mib"),
        ("name = 'x'\n[dram]\nranks_mib = 512\n", "ranks_mib"),
        (
            "name = 'x'\n[dram]\nranks_mib = [512]\n[keys]\nheld = ['camera']\n",
            "camera",
        ),
        ("name = \n", "line 1"),
    ] {
        std::fs::write(&file, text).unwrap();
        let (error, words) = refused(&Phone::new(&file).lk(folder.file("program")));
        assert!(matches!(error, Error::NotStarted(_)), "{words}");
        assert!(
            words.contains("wrong.toml") && words.contains(wanted),
            "{text}: {words}"
        );
    }
}

/// An option of the machine that the phone cannot do without.
#[test]
fn a_machine_without_gic_v2_is_refused_with_the_option() {
    let folder = Folder::new("machine");
    let phone = folder.phone().args(["-M", "virt,gic-version=3"]);
    let (_, words) = refused(&phone);
    assert!(words.contains("gic-version=2"), "{words}");
}

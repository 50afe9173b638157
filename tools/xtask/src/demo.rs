//! `cargo xtask demo`: from nothing to a stock Linux on an emulated phone, and
//! a verdict that a person can read.

use crate::emulator::{self, KeptLog};
use crate::storage::{self, Payload};
use crate::{artifacts, debian, initramfs, paths, setup, ui};
use anyhow::{Context, Result};
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use unilk_phone::{Kind, Outcome, Phone, Stop};

/// How often the list of events is looked at for progress.
const WATCH: Duration = Duration::from_millis(200);
/// Lines of the phone's UART that are shown after a failure.
const TAIL_LINES: usize = 25;
/// With this the test kernel begins, and says that something was wrong.
const TEST_KERNEL_LINE: &str = "TK entry";
const TEST_KERNEL_FAILURE: &str = "TK FAIL";

/// Boot a stock Linux on an emulated phone, from nothing
#[derive(Args)]
pub struct Demo {
    /// Board file of the phone
    #[arg(long)]
    board: Option<PathBuf>,
    /// Debian release whose kernel is booted, or `test` for our test kernel
    #[arg(long, value_name = "RELEASE")]
    kernel: Option<String>,
    /// Seconds after which the phone is given up
    #[arg(long, default_value_t = 180)]
    limit: u64,
}

impl Demo {
    /// Sets up, builds, boots; says how it went.
    pub fn run(self) -> Result<ExitCode> {
        let machine = setup::setup()?;
        artifacts::all(machine.toolchain)?;
        let payload = match self.kernel.as_deref() {
            Some("test") => Payload::Test("asked for".to_owned()),
            Some(release) => Payload::Debian(debian::kernel(release)?),
            None => Payload::find(&debian::default_release()),
        };
        let directory = paths::work().join("demo");
        let card = storage::build(&payload, &paths::lk_image(), &directory)?;
        let board = self.board.unwrap_or_else(emulator::default_board);
        let fitted = emulator::board_with_card(&board, card.card, &directory)?;
        let log = KeptLog::of_our_lk(directory.join("log.bin"))?;
        let phone = Phone::new(fitted)
            .plugin(artifacts::plugin_library())
            .emmc(card.user)
            .limit(Duration::from_secs(self.limit));
        let outcome = boot(log.saved_by(phone), &directory)?;

        let verdict = verdict(&outcome, &payload);
        print_summary(&emulator::board_name(&board), &payload, &outcome, &verdict);
        if verdict.is_err() {
            print_failure(&outcome, &log);
        }
        ui::note(&format!(
            "everything it said: {}",
            directory.join("uart.log").display()
        ));
        Ok(match verdict {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        })
    }
}

/// Runs the phone, showing its milestones as they pass.
fn boot(phone: Phone, directory: &Path) -> Result<Outcome> {
    let list = directory.join("events.jsonl");
    fs::write(&list, "").context("cannot write the list of events")?;
    let step = ui::step("emulated phone");
    let over = AtomicBool::new(false);
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut shown = 0;
            while !over.load(Ordering::Relaxed) {
                shown = show_progress(&list, shown, &step);
                std::thread::sleep(WATCH);
            }
        });
        let outcome = phone.events(&list).run();
        over.store(true, Ordering::Relaxed);
        outcome
    })?;
    fs::write(directory.join("uart.log"), console(&outcome)).context("cannot write uart.log")?;
    step.done(
        &outcome
            .end()
            .map_or_else(|| "ended".to_owned(), emulator::describe_end),
    );
    Ok(outcome)
}

/// Shows what is new in the list of events; returns how many are known now.
fn show_progress(list: &Path, shown: usize, step: &ui::Step) -> usize {
    let events = unilk_phone::parse_events(&fs::read_to_string(list).unwrap_or_default());
    for text in events.iter().skip(shown).filter_map(emulator::milestone) {
        step.at(&text);
    }
    events.len()
}

/// The serial port that the kernel talks on: the one with more to say.
fn console(outcome: &Outcome) -> &str {
    let [first, second] = &outcome.serial;
    if second.len() > first.len() {
        second
    } else {
        first
    }
}

/// Whether the demo did what it is for; otherwise why not, in one line.
fn verdict(outcome: &Outcome, payload: &Payload) -> Result<(), String> {
    let console = console(outcome);
    if !outcome.saw(|kind| matches!(kind, Kind::LkEntry { .. })) {
        return Err("the preloader did not start the bootloader".to_owned());
    }
    if !outcome.saw(|kind| matches!(kind, Kind::KernelEntry { .. })) {
        return Err("the bootloader did not start a kernel".to_owned());
    }
    if let Some(fault) = errors_of_bootloader(outcome).next() {
        return Err(format!("guest error before the kernel: {fault}"));
    }
    let (wanted, missing) = match payload {
        Payload::Debian(_) => (
            initramfs::OK_LINE,
            "the kernel did not get to the initramfs",
        ),
        Payload::Test(_) => (TEST_KERNEL_LINE, "the test kernel did not speak"),
    };
    if !console.contains(wanted) {
        return Err(missing.to_owned());
    }
    if let Some(line) = console
        .lines()
        .find(|line| line.contains(TEST_KERNEL_FAILURE))
    {
        return Err(format!("the hand-over is wrong: {line}"));
    }
    if outcome.stop == Stop::Limit {
        return Err("the phone did not power off in time".to_owned());
    }
    match outcome.end() {
        Some(event) if matches!(event.kind, Kind::PowerOff { .. }) => Ok(()),
        Some(event) => Err(format!("no power-off: {}", emulator::describe_end(event))),
        None => Err(format!(
            "QEMU ended ({}) without a power-off",
            outcome.status
        )),
    }
}

/// Guest errors up to the kernel's first instruction; what a kernel that is
/// not ours does later is its own affair.
fn errors_of_bootloader(outcome: &Outcome) -> impl Iterator<Item = &unilk_phone::Fault> {
    outcome
        .events
        .iter()
        .take_while(|event| !matches!(event.kind, Kind::KernelEntry { .. }))
        .filter_map(|event| match &event.kind {
            Kind::GuestError(fault) => Some(fault),
            _ => None,
        })
}

fn print_summary(board: &str, payload: &Payload, outcome: &Outcome, verdict: &Result<(), String>) {
    let row = |name: &str, value: &str| println!("  {name:<13} {value}");
    println!();
    row("phone", board);
    row("kernel", &payload.describe());
    if let Payload::Test(why) = payload {
        row("", &format!("instead of Debian's: {why}"));
    }
    for (section, lines) in initramfs::sections(console(outcome)) {
        for (index, line) in lines.iter().enumerate() {
            row(if index == 0 { section.as_str() } else { "" }, line);
        }
    }
    if let Some(nanoseconds) = outcome.lk_time_ns(0) {
        row(
            "bootloader",
            &format!("{:.1} ms of virtual time", nanoseconds as f64 / 1e6),
        );
    }
    row("guest errors", &outcome.error_count().to_string());
    row(
        "wall clock",
        &format!("{:.1} s", outcome.wall.as_secs_f32()),
    );
    match verdict {
        Ok(()) => println!("\ndemo: OK, the kernel ran and the phone powered off"),
        Err(why) => println!("\ndemo: FAILED: {why}"),
    }
}

/// What helps to find out why.
fn print_failure(outcome: &Outcome, log: &KeptLog) {
    let lines: Vec<&str> = console(outcome).lines().collect();
    println!("last lines of the phone:");
    for line in &lines[lines.len().saturating_sub(TAIL_LINES)..] {
        println!("  {line}");
    }
    for fault in outcome.guest_errors().take(TAIL_LINES) {
        println!("  guest error: {fault}");
    }
    if !outcome.stderr.trim().is_empty() {
        println!("QEMU said: {}", outcome.stderr.trim());
    }
    log.show();
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use unilk_phone::Event;

    fn outcome(serial: &str, kinds: Vec<Kind>) -> Outcome {
        Outcome {
            serial: [serial.to_owned(), String::new()],
            events: kinds
                .into_iter()
                .map(|kind| Event { kind, t_ns: 0 })
                .collect(),
            stop: Stop::Ended,
            status: std::process::ExitStatus::from_raw(0),
            stderr: String::new(),
            wall: Duration::ZERO,
        }
    }

    fn kernel() -> Payload {
        Payload::Debian(debian::Kernel {
            release: "bookworm".into(),
            version: "6.1".into(),
            zimage: PathBuf::new(),
        })
    }

    fn good_events() -> Vec<Kind> {
        vec![
            Kind::LkEntry {
                pc: 0x8002_0000,
                mmio: 0,
            },
            Kind::KernelEntry {
                pc: 0x8020_8000,
                mmio: 9,
            },
            Kind::PowerOff { why: "RTC".into() },
        ]
    }

    fn fault() -> Kind {
        Kind::GuestError(unilk_phone::Fault {
            what: "gated".into(),
            block: "UART1".into(),
            addr: 0x1100_6014,
            offset: 0x14,
            pc: None,
            write: None,
            message: "the clock is off".into(),
        })
    }

    #[test]
    fn everything_in_order_is_a_success() {
        let good = outcome("UNILK-DEMO-OK\r\n", good_events());
        assert_eq!(verdict(&good, &kernel()), Ok(()));
        let tested = outcome("TK entry ticks=1\r\n", good_events());
        assert_eq!(verdict(&tested, &Payload::Test(String::new())), Ok(()));
    }

    #[test]
    fn each_thing_that_is_missing_is_named() {
        let why = |serial: &str, kinds: Vec<Kind>| {
            verdict(&outcome(serial, kinds), &kernel()).unwrap_err()
        };
        assert!(why("", vec![]).contains("preloader"));
        assert!(why("", good_events()[..1].to_vec()).contains("bootloader"));
        assert!(why("", good_events()).contains("initramfs"));
        assert!(why("UNILK-DEMO-OK", good_events()[..2].to_vec()).contains("power-off"));
        let mut stopped = good_events();
        stopped[2] = Kind::Stopped {
            why: "too many resets".into(),
        };
        assert!(why("UNILK-DEMO-OK", stopped).contains("too many resets"));
        let failed = outcome("TK entry\nTK FAIL MMU on\n", good_events());
        let payload = Payload::Test(String::new());
        assert!(verdict(&failed, &payload).unwrap_err().contains("MMU on"));
    }

    #[test]
    fn guest_errors_count_until_the_kernel_runs() {
        let mut late = good_events();
        late.insert(2, fault());
        assert_eq!(verdict(&outcome("UNILK-DEMO-OK", late), &kernel()), Ok(()));
        let mut early = good_events();
        early.insert(1, fault());
        let why = verdict(&outcome("UNILK-DEMO-OK", early), &kernel()).unwrap_err();
        assert!(why.contains("the clock is off"), "{why}");
    }
}

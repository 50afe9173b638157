//! `cargo xtask demo`: from nothing to a stock Linux on an emulated phone, and
//! a verdict that a person can read.

use crate::emulator::{self, KeptLog};
use crate::report::Report;
use crate::storage::{self, Payload};
use crate::{artifacts, initramfs, paths, screen, setup, ui};
use anyhow::{Context, Result};
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use unilk_phone::{Event, Kind, Outcome, Phone, Stop};

/// The phone of the demo: panel, touch chip and two cameras.
const BOARD: &str = "demo";
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
    /// Board of the phone: a file, or a name in qemu/boards
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
        let board = self.board.as_deref().unwrap_or(Path::new(BOARD));
        let board = emulator::find_board(board)?;
        let machine = setup::setup()?;
        artifacts::all(machine.toolchain)?;
        let payload = Payload::choose(self.kernel.as_deref())?;
        let directory = paths::work().join("demo");
        let card = storage::build(&payload, &directory)?;
        let fitted = emulator::board_with_card(&board, card.card, &directory)?;
        let log = KeptLog::of_our_lk(directory.join("log.bin"))?;
        let screens = screen::folder(&directory)?;
        let phone = Phone::new(fitted)
            .screen(&screens)
            .plugin(artifacts::plugin_library())
            .emmc(card.user)
            .limit(Duration::from_secs(self.limit));
        let outcome = boot(log.saved_by(phone), &directory)?;

        let verdict = verdict(&outcome, &payload);
        let report = Report {
            board: emulator::board_name(&board),
            payload: &payload,
            outcome: &outcome,
            console: console(&outcome),
            log: log.read().ok().flatten(),
        };
        println!("{report}");
        for line in panel_shows(&outcome.events, &screens) {
            println!("{line}");
        }
        screen::summary(&outcome.events, &screens);
        if verdict.is_err() {
            print_failure(&outcome, &log);
        }
        println!("everything it said: {}", uart_log(&directory).display());
        Ok(match verdict {
            Ok(()) => {
                println!(
                    "\ndemo: OK, {} ran and switched the phone off",
                    payload.describe()
                );
                ExitCode::SUCCESS
            }
            Err(why) => {
                println!("\ndemo: FAILED: {why}");
                ExitCode::FAILURE
            }
        })
    }
}

/// What one saw, a line each: when the kernel was entered, and the last
/// picture before the screen went dark for good.
fn panel_shows(events: &[Event], folder: &Path) -> Vec<String> {
    let screens = |events: &[Event], wanted: Option<&str>| {
        events.iter().rev().find_map(|event| match &event.kind {
            Kind::Screen {
                state,
                reason,
                backlight,
                file,
                ..
            } if wanted.is_none_or(|wanted| wanted == state) => Some(format!(
                "{state} ({reason}), backlight {} %: {}",
                backlight / 10,
                folder.join(file).display()
            )),
            _ => None,
        })
    };
    let kernel = events
        .iter()
        .position(|event| matches!(event.kind, Kind::KernelEntry { .. }));
    let before = kernel.and_then(|at| screens(events.get(..at)?, None));
    let before = before.map(|what| format!("the panel shows at the kernel's start: {what}"));
    let last = match screens(events, Some("picture")) {
        Some(what) => Some(format!("the last picture on the panel: {what}")),
        None => screens(events, None).map(|what| format!("the panel shows at the end: {what}")),
    };
    before.into_iter().chain(last).collect()
}

/// Where the console's text is kept.
fn uart_log(directory: &Path) -> PathBuf {
    directory.join("uart.log")
}

/// Runs the phone, showing its milestones as they pass.
pub fn boot(phone: Phone, directory: &Path) -> Result<Outcome> {
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
    fs::write(uart_log(directory), console(&outcome)).context("cannot write uart.log")?;
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
pub fn verdict(outcome: &Outcome, payload: &Payload) -> Result<(), String> {
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
pub fn errors_of_bootloader(outcome: &Outcome) -> impl Iterator<Item = &unilk_phone::Fault> {
    outcome
        .events
        .iter()
        .take_while(|event| !matches!(event.kind, Kind::KernelEntry { .. }))
        .filter_map(|event| match &event.kind {
            Kind::GuestError(fault) => Some(fault),
            _ => None,
        })
}

/// What helps to find out why.
fn print_failure(outcome: &Outcome, log: &KeptLog) {
    let lines: Vec<&str> = console(outcome).lines().collect();
    println!("\nlast lines of the phone:");
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
    use crate::debian;
    use std::os::unix::process::ExitStatusExt;

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
    fn the_panel_is_described_at_the_kernels_start_and_at_the_end() {
        let shot = |state: &str, file: &str| Kind::Screen {
            milestone: "frame".into(),
            state: state.into(),
            reason: "r".into(),
            backlight: 500,
            file: file.into(),
        };
        let mut kinds = vec![shot("white", "0.png"), shot("picture", "1.png")];
        kinds.push(good_events().remove(1));
        kinds.extend([shot("picture", "2.png"), shot("off", "3.png")]);
        let events = outcome("", kinds).events;
        assert_eq!(
            panel_shows(&events, Path::new("d")),
            [
                "the panel shows at the kernel's start: picture (r), backlight 50 %: d/1.png",
                "the last picture on the panel: picture (r), backlight 50 %: d/2.png",
            ]
        );
        assert!(panel_shows(&[], Path::new("d")).is_empty());
        let dark = outcome("", vec![shot("off", "3.png")]).events;
        assert!(panel_shows(&dark, Path::new("d"))[0].contains("the end: off"));
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

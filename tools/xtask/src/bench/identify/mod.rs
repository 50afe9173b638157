//! What finding out about the phone costs: how soon one sees a picture, how
//! soon the kernel runs, and how much of that the questions took.
//!
//! Three phones are booted in virtual time: one with panel, touch chip and two
//! cameras, which is booted twice so that the second boot meets what the first
//! has stored, and one with nothing at all, with and without a hint about its
//! board. The numbers come from the emulator's events, from the bootloader's
//! log and from the report that it keeps; what they do not tell is "not
//! measured" and keeps no limit.

mod floor;
mod lines;
mod names;
mod timeline;

use super::boot::{self, ACCESS_NS, ALLOWANCE_MS, BUS_FACTOR};
use super::figure::Figure;
use crate::emulator::{self, KeptLog};
use crate::storage::{self, BuiltCard, Payload};
use crate::trace::Log;
use crate::{artifacts, paths, screen, ui};
use anyhow::{Context, Result};
use floor::Floor;
use object::{Object, ObjectSymbol};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use timeline::Timeline;
use unilk::report::{self, View};
use unilk_core::hints::Hints;
use unilk_phone::{Kind, Outcome, Phone};

/// The phone with everything, and the one with nothing.
const FULL: &str = "demo";
const BARE: &str = "generic-512m";
/// A phone whose panel answers like others, and nothing else tells which.
const ALIKE: &str = "identify/unknown-otm9605a";
/// The board that the hinted image of the bare phone names.
const HINTED: &str = "s5201ap";
/// Parts of the full phone, as report and log name them.
const PARTS: [&str; 4] = ["panel", "touch", "camera main", "camera sub"];

/// The kernel may take this many times the floor.
const FLOOR_FACTOR: f64 = 1.25;
/// The first picture may come so much later than panel and questions demand.
const PICTURE_ALLOWANCE_MS: f64 = 10.0;
/// Limits of what the questions take on their buses.
const PANEL_READS: f64 = 20.0;
const PANEL_BUS_MS: f64 = 3.0;
const EXTRA_RESETS: f64 = 4.0;
const TOUCH_BUS_MS: f64 = 10.0;
const CAMERA_BUS_MS: f64 = 5.0;
/// What searching in vain may cost: of a known board, of an unknown one.
const KNOWN_MS: f64 = 450.0;
const UNKNOWN_MS: f64 = 1200.0;
/// A guess shows its candidates for 20 s of the phone's time.
const LIMIT: Duration = Duration::from_mins(3);

/// What came of a boot.
struct Run {
    outcome: Outcome,
    log: Log,
    report: Option<View>,
}

/// All figures, and the timelines that explain them; `before_ms` is what passed
/// before the log's clock ran.
pub fn measure(payload: &Payload, before_ms: f64) -> Result<(Vec<Figure>, String)> {
    let directory = paths::work().join("bench").join("identify");
    let mut figures = Vec::new();
    let mut explained = String::new();
    let card = storage::build(payload, &directory)?;
    let step = ui::step("what searching costs");
    for boot in ["first boot", "next boot"] {
        step.at(&format!("panel, touch and cameras: {boot}"));
        let run = run(FULL, &card, None, &directory, payload)?;
        figures.extend(full(&run, &card, boot));
        // Infallible: the target is a string.
        let drawn = drawn(&run, before_ms);
        let _ = write!(explained, "\nphone with all parts, {boot}\n{drawn}");
    }
    step.done("measured");

    let card = storage::build_with(names::boot_image()?, &directory)?;
    let step = ui::step("what the names in the kernel cost");
    let vendors = Payload::Test("its names are what counts".to_owned());
    figures.extend(searched(&run(ALIKE, &card, None, &directory, &vendors)?));
    step.done("measured");

    let card = storage::build(payload, &directory)?;
    let step = ui::step("what searching in vain costs");
    for (boot, limit) in [("unknown board", UNKNOWN_MS), ("its next boot", KNOWN_MS)] {
        step.at(boot);
        let run = run(BARE, &card, None, &directory, payload)?;
        figures.push(bare(&run, &card, boot, limit));
    }
    step.done("measured");
    let card = storage::build(payload, &directory)?;
    let step = ui::step("what searching in vain costs on a known board");
    let lk = hinted_image(&directory)?;
    let run = run(BARE, &card, Some(&lk), &directory, payload)?;
    figures.push(bare(&run, &card, "known board", KNOWN_MS));
    step.done("measured");
    Ok((figures, explained))
}

/// Boots `board` up to the kernel's first words.
fn run(
    board: &str,
    card: &BuiltCard,
    lk: Option<&Path>,
    directory: &Path,
    payload: &Payload,
) -> Result<Run> {
    let board = emulator::find_board(Path::new(board))?;
    let board = emulator::board_with_card(&board, card.card, directory)?;
    let log = KeptLog::of_our_lk(directory.join("log.bin"))?;
    let heap = directory.join("heap.bin");
    // What an earlier run left must not be taken for this one's.
    let _ = fs::remove_file(&heap);
    let (start, length) = heap_region()?;
    let mut phone = Phone::new(board)
        .plugin(artifacts::plugin_library())
        .emmc(&card.user)
        .screen(screen::folder(directory)?)
        .dump(start, length, &heap)
        .icount(true)
        .limit(LIMIT)
        .until(0, payload.first_words());
    if let Some(lk) = lk {
        phone = phone.lk(lk);
    }
    let outcome = log.saved_by(phone).run()?;
    let report = fs::read(&heap).ok().and_then(|heap| {
        let scan = report::scan(heap.as_slice()).ok()?;
        Some(scan.found.last()?.view())
    });
    Ok(Run {
        outcome,
        log: log.read()?.unwrap_or_default(),
        report,
    })
}

/// The bootloader's heap, in which the report lies; no kernel takes the first
/// MiB.
fn heap_region() -> Result<(u32, u32)> {
    let elf = fs::read(artifacts::lk_elf()).context("the bootloader's ELF file")?;
    let file = object::File::parse(elf.as_slice()).context("the bootloader's ELF file")?;
    let address = |name: &str| {
        let symbol = file.symbols().find(|symbol| symbol.name() == Ok(name));
        let address = symbol.and_then(|symbol| u32::try_from(symbol.address()).ok());
        address.with_context(|| format!("the bootloader has no symbol {name}"))
    };
    let (start, end) = (address("__heap_start")?, address("__heap_end")?);
    Ok((start, end.saturating_sub(start)))
}

/// An image that is told the board.
fn hinted_image(directory: &Path) -> Result<PathBuf> {
    let image = fs::read(paths::lk_image()).context("lk.bin")?;
    let mut payload = unilk::pack::payload(&image)?;
    let hints = Hints {
        board: Some(HINTED),
        ..Hints::default()
    };
    unilk::image::fill(&mut payload, &hints)?;
    let image = unilk::mtk::with_header(unilk::pack::LK_NAME, &payload)?;
    let path = directory.join("hinted-lk.bin");
    fs::write(&path, image).context("cannot write hinted-lk.bin")?;
    Ok(path)
}

/// What a first boot pays to read the names in its kernel, once: only where
/// panels that answer alike remain.
fn searched(run: &Run) -> Vec<Figure> {
    let search = lines::search(&run.log);
    let ms = search.map(|search| search.us as f64 / 1e3);
    let rate = search.map(|search| search.kib as f64 / 1024.0 / (search.us as f64 / 1e6));
    vec![
        Figure::of("first boot that searches its kernel: for", ms, "ms"),
        Figure::of(
            "  kernel unpacked",
            search.map(|search| search.kib as f64),
            "KiB",
        ),
        Figure::of("  of it in a second of virtual time", rate, "MiB"),
    ]
}

/// Figures of the phone with everything.
fn full(run: &Run, card: &BuiltCard, boot: &str) -> Vec<Figure> {
    let report = run.report.as_ref();
    let winner = |unit: &str| Some(report?.winner(unit)?.0);
    let panel = winner("panel").and_then(unilk_board_db::panel);
    let touch = winner("touch").and_then(unilk_board_db::touch);
    let found = report.map(|_| PARTS.iter().filter(|part| winner(part).is_some()).count() as f64);
    let cameras = PARTS[2..].iter().filter(|part| winner(part).is_some());
    let floor = panel.zip(touch).zip(emmc_ms(run, card));
    let floor =
        floor.map(|((panel, touch), emmc)| Floor::of(panel, touch, cameras.count() as u8, emmc));
    let identified_ms = identified_ms(run);
    let picture_limit = panel.zip(identified_ms).map(|(panel, identified)| {
        floor::panel_ms(panel) + identified + floor::frame_ms(panel) + PICTURE_ALLOWANCE_MS
    });
    let mut figures = vec![
        Figure::of(format!("{boot}: parts identified"), found, "of 4").at_least(4.0),
        limited(
            Figure::of("  LK entry to first picture", picture_ms(run), "ms"),
            picture_limit,
        ),
        limited(
            Figure::of("  LK entry to kernel entry", kernel_ms(run), "ms"),
            floor.map(|floor| FLOOR_FACTOR * floor.ms()),
        ),
    ];
    let mut part = |name: &str, ms: fn(&Floor) -> f64| {
        figures.push(Figure::of(
            format!("  floor: {name}"),
            floor.as_ref().map(ms),
            "ms",
        ));
    };
    part("the panel's own delays", |floor| floor.panel);
    part("eMMC", |floor| floor.emmc);
    part("touch supply and reset", |floor| floor.touch);
    part("cameras' power sequences", |floor| floor.cameras);
    figures.extend(questions(run, boot == "next boot"));
    figures
}

/// How long it took to know the panel: its own questions, or, where they did
/// not decide, until the last question to the parts whose answers did.
fn identified_ms(run: &Run) -> Option<f64> {
    let line = run
        .log
        .lines
        .iter()
        .find(|line| line.text.starts_with("panel "));
    let others =
        line.is_some_and(|line| line.text.contains("touch") || line.text.contains("camera"));
    let stored = line.is_some_and(|line| line.text.contains("last-boot"));
    if others && !stored {
        let ends = PARTS.iter().filter_map(|part| span_ms(run, part));
        return ends.map(|(_, to)| to).reduce(f64::max);
    }
    let own = lines::of(&run.log, "panel").us.map(|us| us as f64 / 1e3);
    own.or_else(|| span_ms(run, "panel").map(|(from, to)| to - from))
}

/// Figures of the questions alone; `stored`: the boot before has stored the
/// answers.
fn questions(run: &Run, stored: bool) -> Vec<Figure> {
    let report = run.report.as_ref();
    let said = lines::of(&run.log, "panel");
    let effort = report.map(View::panel_effort);
    let number = |said: Option<u64>, counted: Option<usize>| {
        said.map(|n| n as f64).or(counted.map(|n| n as f64))
    };
    let reads = number(said.reads, effort.map(|(reads, _)| reads));
    let resets = number(said.resets, effort.map(|(_, resets)| resets));
    let extra_limit = if stored { 0.0 } else { EXTRA_RESETS };
    let mut figures = vec![
        Figure::of("  panel: reads", reads, "").at_most(PANEL_READS),
        // The first reset is the panel's own.
        Figure::of(
            "  panel: extra resets",
            resets.map(|n| (n - 1.0).max(0.0)),
            "",
        )
        .at_most(extra_limit),
    ];
    let limits = [PANEL_BUS_MS, TOUCH_BUS_MS, CAMERA_BUS_MS, CAMERA_BUS_MS];
    for (part, limit) in PARTS.into_iter().zip(limits) {
        let bus_ms = report.map(|report| report.bus_us(part) as f64 / 1e3);
        figures.push(Figure::of(format!("  {part}: time on the bus"), bus_ms, "ms").at_most(limit));
        let whole = lines::of(&run.log, part).us.map(|us| us as f64 / 1e3);
        figures.push(Figure::of(
            format!("  {part}: identified in"),
            whole.or_else(|| span_ms(run, part).map(|(from, to)| to - from)),
            "ms",
        ));
    }
    figures
}

/// What searching in vain costs, beyond what First light was allowed: without
/// a panel, a touch chip and cameras there is nothing but the eMMC.
fn bare(run: &Run, card: &BuiltCard, boot: &str, limit: f64) -> Figure {
    let without = emmc_busy_ms(run)
        .map(|busy| busy + BUS_FACTOR * boot::bus_ms(card.boot_image_bytes) + ALLOWANCE_MS);
    let more = kernel_ms(run)
        .zip(without)
        .map(|(ms, without)| (ms - without).max(0.0));
    Figure::of(format!("nothing fitted, {boot}: costs"), more, "ms").at_most(limit)
}

fn limited(figure: Figure, limit: Option<f64>) -> Figure {
    // Without its limit a figure proves nothing: as if not measured.
    figure.at_most(limit.unwrap_or(f64::NAN))
}

/// The eMMC's own time for the boot: power-up and transfer.
fn emmc_ms(run: &Run, card: &BuiltCard) -> Option<f64> {
    Some(emmc_busy_ms(run)? + boot::bus_ms(card.boot_image_bytes))
}

fn emmc_busy_ms(run: &Run) -> Option<f64> {
    Some(boot::card_busy_us(&run.log)? as f64 / 1e3)
}

fn kernel_ms(run: &Run) -> Option<f64> {
    Some(run.outcome.lk_time_ns(ACCESS_NS)? as f64 / 1e6)
}

/// When LK was entered for the last time.
fn entry_ns(outcome: &Outcome) -> Option<u64> {
    let mut entries = outcome.events.iter().rev();
    let entry = entries.find(|event| matches!(event.kind, Kind::LkEntry { .. }))?;
    Some(entry.t_ns)
}

/// From LK's entry to the first picture that a person can see. Register
/// accesses are not in it: the event does not count them.
fn picture_ms(run: &Run) -> Option<f64> {
    let entry = entry_ns(&run.outcome)?;
    let lit = |kind: &Kind| matches!(kind, Kind::Screen { state, backlight, .. } if state == "picture" && *backlight > 0);
    let mut events = run.outcome.events.iter();
    let picture = events.find(|event| event.t_ns >= entry && lit(&event.kind))?;
    Some((picture.t_ns - entry) as f64 / 1e6)
}

/// First and last question to a part, in milliseconds of the boot's clock.
fn span_ms(run: &Run, part: &str) -> Option<(f64, f64)> {
    let (from, to) = run.report.as_ref()?.span_us(part)?;
    Some((f64::from(from) / 1e3, f64::from(to) / 1e3))
}

/// What happened when.
fn drawn(run: &Run, before: f64) -> Timeline {
    let mut timeline = Timeline::default();
    let ms = |us: u64| before + us as f64 / 1e3;
    let unpacked = (before > 0.0).then_some((0.0, before));
    timeline.span("early part is unpacked", unpacked);
    let ready = run
        .log
        .lines
        .iter()
        .find(|line| line.text.starts_with("eMMC "));
    let ready = ready.and_then(|line| line.at_us).map(ms);
    timeline.span("eMMC gets ready", ready.map(|ready| (before, ready)));
    let read = boot::kernel_read_span_us(&run.log);
    timeline.span("kernel is read", read.map(|(from, to)| (ms(from), ms(to))));
    for part in PARTS {
        let span = span_ms(run, part).map(|(from, to)| (before + from, before + to));
        timeline.span(&format!("{part} is asked"), span);
    }
    timeline.moment("first picture", picture_ms(run));
    let kernel = run.outcome.lk_time_ns(0);
    timeline.moment("kernel entry", kernel.map(|ns| ns as f64 / 1e6));
    timeline
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::trace::Line;
    use std::os::unix::process::ExitStatusExt;
    use unilk_phone::{Event, Stop};

    fn event(t_ms: u64, kind: Kind) -> Event {
        Event {
            kind,
            t_ns: t_ms * 1_000_000,
        }
    }

    fn screen(state: &str, backlight: u16) -> Kind {
        Kind::Screen {
            milestone: "frame".to_owned(),
            state: state.to_owned(),
            reason: String::new(),
            backlight,
            file: String::new(),
        }
    }

    fn boot(events: Vec<Event>, lines: &[&str]) -> Run {
        Run {
            outcome: Outcome {
                serial: [String::new(), String::new()],
                events,
                stop: Stop::Text,
                status: std::process::ExitStatus::from_raw(0),
                stderr: String::new(),
                wall: Duration::ZERO,
            },
            log: Log {
                lines: lines.iter().map(|line| Line::said(line)).collect(),
                ..Log::default()
            },
            report: None,
        }
    }

    fn card() -> BuiltCard {
        BuiltCard {
            user: PathBuf::new(),
            card: unilk::emmc::Card {
                boot_size_mult: 32,
                rpmb_size_mult: 32,
                user_bytes: 1 << 32,
            },
            boot_image_bytes: 5_200_000,
            kernel_bytes: 5_000_000,
        }
    }

    fn entry() -> Kind {
        Kind::LkEntry { pc: 0, mmio: 0 }
    }

    #[test]
    fn a_picture_counts_once_it_is_lit() {
        let events = vec![
            event(1, screen("picture", 9)),
            event(5, entry()),
            event(100, screen("white", 1000)),
            event(200, screen("picture", 0)),
            event(305, screen("picture", 700)),
            event(400, screen("picture", 700)),
        ];
        assert_eq!(picture_ms(&boot(events, &[])), Some(300.0));
        assert_eq!(picture_ms(&boot(vec![event(0, entry())], &[])), None);
    }

    #[test]
    fn what_is_not_known_is_not_measured() {
        let run = boot(vec![event(0, entry())], &[]);
        let figures = full(&run, &card(), "first boot");
        assert!(figures.iter().any(|figure| !figure.holds()));
        let measured = figures
            .iter()
            .filter(|figure| !figure.to_string().contains("not measured"));
        assert_eq!(measured.count(), 0);
        assert!(!bare(&run, &card(), "known board", KNOWN_MS).holds());
        assert_eq!(drawn(&run, 0.0).to_string(), "");
    }

    #[test]
    fn searching_in_vain_is_counted_from_first_lights_limit() {
        let events = vec![
            event(0, entry()),
            event(500, Kind::KernelEntry { pc: 0, mmio: 0 }),
        ];
        let lines = ["[   0.020000] eMMC 4YMD3R, ready after 12500 us"];
        let run = boot(events, &lines);
        // 12.5 ms busy, 5.2 MB at 104 MB/s with a quarter more, 10 ms.
        let figure = bare(&run, &card(), "x", KNOWN_MS);
        assert!(figure.to_string().contains(" 415 "), "{figure}");
        assert!(figure.holds());
        assert!(!bare(&run, &card(), "x", 400.0).holds());
    }
}

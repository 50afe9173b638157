//! How long a boot takes, and how well the eMMC's bus is used.
//!
//! Registers answer at once in QEMU, so that their time is added. That judges
//! a loop that waits for a register too harshly: on the chip it would turn
//! fewer times, not longer. The figure is an upper bound.

use super::figure::Figure;
use super::tree;
use crate::emulator::{self, KeptLog};
use crate::storage::{self, BuiltCard, Payload};
use crate::trace::Log;
use crate::{artifacts, demo, paths, ui};
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::time::Duration;
use unilk_phone::{Kind, Outcome, Phone};

/// QEMU gives register accesses for free; on the chip they take about this.
pub const ACCESS_NS: u64 = 100;
/// DDR52 on eight lines: the fastest mode that chip and card share.
const BUS_BYTES_PER_SECOND: f64 = 104e6;
/// The bootloader may take this many times the bus's own time, and
/// [`ALLOWANCE_MS`] more.
pub const BUS_FACTOR: f64 = 1.25;
pub const ALLOWANCE_MS: f64 = 10.0;
/// Share of the bus's rate that a transfer has to reach.
const BUS_SHARE_PERCENT: f64 = 90.0;
/// The demo may take so long once everything is built.
const DEMO_SECONDS: f64 = 60.0;
/// Unpacking the bootloader may take so long.
const UNPACKING_MS: f64 = 20.0;
/// A boot that hangs is given up after this.
const LIMIT: Duration = Duration::from_mins(3);

/// A boot up to the kernel's first words.
pub struct Boot {
    /// What happened.
    pub outcome: Outcome,
    /// What the bootloader kept.
    pub log: Log,
}

/// Boots the usual phone with `card` in virtual time until the console says
/// `words`.
pub fn boot(card: &BuiltCard, directory: &Path, words: &str) -> Result<Boot> {
    let board = emulator::board_with_card(&emulator::default_board(), card.card, directory)?;
    let log = KeptLog::of_our_lk(directory.join("log.bin"))?;
    let phone = Phone::new(board)
        .plugin(artifacts::plugin_library())
        .emmc(&card.user)
        .icount(true)
        .limit(LIMIT)
        .until(0, words);
    let outcome = log.saved_by(phone).run()?;
    let log = log.read()?.context("the bootloader left no log")?;
    Ok(Boot { outcome, log })
}

/// Boots `payload` twice and takes the times; beside them, in milliseconds, how
/// long anything took before the log's clock ran.
pub fn measure(payload: &Payload) -> Result<(Vec<Figure>, f64)> {
    let directory = paths::work().join("bench");
    let card = storage::build(payload, &directory)?;
    let step = ui::step("boot in virtual time");
    let first = boot(&card, &directory, payload.first_words())?;
    let Some(lk_ns) = first.outcome.lk_time_ns(ACCESS_NS) else {
        bail!("the bootloader did not start a kernel; see `cargo xtask demo`");
    };
    let free_ns = first.outcome.lk_time_ns(0).unwrap_or(lk_ns);
    step.at("and again, to see that the figures are the same");
    // On a card of its own: the first boot has remembered what it found.
    let fresh = storage::build(payload, &directory)?;
    let second = boot(&fresh, &directory, payload.first_words())?;
    let again_ns = second.outcome.lk_time_ns(ACCESS_NS).unwrap_or(0);
    step.done("measured");

    let bytes = card.boot_image_bytes as f64;
    let bus_ms = bus_ms(card.boot_image_bytes);
    let lk_ms = lk_ns as f64 / 1e6;
    let busy_ms = card_busy_us(&first.log)
        .context("the log does not say how long the card was busy")? as f64
        / 1e3;
    let heap = heap_used(&first.log).context("the log does not say how much heap is used")?;
    let read_us = kernel_read_us(&first.log).context("the log does not tell of the device tree")?;
    let rate = card.kernel_bytes as f64 / read_us as f64 * 1e6;
    let unpacking_ms = unpacking_ms(&first);
    let figure = |name: &str, value, unit| Figure::new(name, value, unit);
    let memory = regions(&first.log)
        .into_iter()
        .map(|(name, bytes)| Figure::new(format!("  {name}"), bytes as f64, "bytes"));
    let mut figures = vec![
        figure("LK entry to kernel entry", lk_ms, "ms"),
        Figure::of(
            "  of it: unpacking, before anything else",
            unpacking_ms,
            "ms",
        )
        .at_most(UNPACKING_MS),
        figure("  of it: eMMC busy after CMD1", busy_ms, "ms"),
        figure(
            "  register accesses, 100 ns each",
            accesses(&first.outcome) as f64,
            "",
        ),
        figure("  the same without their time", free_ns as f64 / 1e6, "ms"),
        figure(
            "  with it, without the card's busy time",
            lk_ms - busy_ms,
            "ms",
        ),
        figure(
            "  difference in a second run",
            lk_ns.abs_diff(again_ns) as f64,
            "ns",
        )
        .at_most(0.0),
        figure("boot image: kernel, ramdisk, headers", bytes, "bytes"),
        figure("eMMC's own time for it (DDR52, 8 bit)", bus_ms, "ms"),
        figure("  times that, LK takes", (lk_ms - busy_ms) / bus_ms, "x"),
        figure(
            "bus rate while the kernel is read",
            100.0 * rate / BUS_BYTES_PER_SECOND,
            "%",
        )
        .at_least(BUS_SHARE_PERCENT),
        figure("heap in use at the jump", heap as f64, "bytes"),
        figure(
            "guest errors before the kernel",
            errors(&first.outcome) as f64,
            "",
        )
        .at_most(0.0),
        figure("memory of this boot, by region", memory.len() as f64, ""),
    ];
    figures.extend(memory);
    Ok((figures, unpacking_ms.unwrap_or_default()))
}

/// Runs the demo by the wall's clock, from power-on to power-off.
pub fn demo(payload: &Payload) -> Result<Figure> {
    let directory = paths::work().join("bench");
    let card = storage::build(payload, &directory)?;
    let board = emulator::board_with_card(&emulator::default_board(), card.card, &directory)?;
    let phone = Phone::new(board)
        .plugin(artifacts::plugin_library())
        .emmc(card.user)
        .limit(LIMIT);
    let outcome = demo::boot(phone, &directory)?;
    if let Err(why) = demo::verdict(&outcome, payload) {
        // Time to a failure says nothing: no number that could keep the limit.
        ui::note(&format!("demo: {why}"));
        return Ok(Figure::new("demo, which FAILED", f64::INFINITY, "s").at_most(DEMO_SECONDS));
    }
    let seconds = outcome.wall.as_secs_f64();
    Ok(Figure::new("demo, by the clock on the wall", seconds, "s").at_most(DEMO_SECONDS))
}

/// How long it took until the log's clock ran, by what that clock is behind at
/// the kernel's entry. The last steps of the hand-off, between the log's last
/// line and the kernel, are in it.
fn unpacking_ms(boot: &Boot) -> Option<f64> {
    let all_ns = boot.outcome.lk_time_ns(0)?;
    let last_us = boot.log.lines.iter().filter_map(|line| line.at_us).max()?;
    Some(all_ns.checked_sub(last_us * 1000)? as f64 / 1e6)
}

/// Accesses to registers between the last LK entry and the kernel's.
fn accesses(outcome: &Outcome) -> u64 {
    let mut entry = 0;
    let mut count = 0;
    for event in &outcome.events {
        match event.kind {
            Kind::LkEntry { mmio, .. } => entry = mmio,
            Kind::KernelEntry { mmio, .. } => count = mmio.saturating_sub(entry),
            _ => {}
        }
    }
    count
}

fn errors(outcome: &Outcome) -> usize {
    demo::errors_of_bootloader(outcome).count()
}

/// How long the card said "busy" to CMD1: `eMMC ..., ready after 12206 us`.
pub fn card_busy_us(log: &Log) -> Option<u64> {
    log.said()
        .filter(|line| line.starts_with("eMMC "))
        .find_map(|line| {
            let (_, after) = line.split_once("ready after ")?;
            after.split_whitespace().next()?.parse().ok()
        })
}

/// Bytes of heap in use at the end: `kernel at ..., r2 0x81b80000; heap 0 bytes`.
fn heap_used(log: &Log) -> Option<u64> {
    log.said().find_map(|line| {
        let (_, after) = line.split_once("; heap ")?;
        after.strip_suffix(" bytes")?.parse().ok()
    })
}

/// The regions that the boot lists: name and bytes of each, from lines such as
/// `memory: unpacked kernel 0x80203000+0xa000`.
fn regions(log: &Log) -> Vec<(String, u64)> {
    log.lines
        .iter()
        .filter_map(|line| {
            let (name, place) = line.text.strip_prefix("memory: ")?.rsplit_once(' ')?;
            let (_, bytes) = place.split_once("+0x")?;
            Some((name.to_owned(), u64::from_str_radix(bytes, 16).ok()?))
        })
        .collect()
}

/// The eMMC's own time for so many bytes, in milliseconds.
pub fn bus_ms(bytes: usize) -> f64 {
    bytes as f64 / BUS_BYTES_PER_SECOND * 1e3
}

/// How long it took to read the kernel.
fn kernel_read_us(log: &Log) -> Option<u64> {
    let (from, to) = kernel_read_span_us(log)?;
    to.checked_sub(from)
}

/// When the kernel was read: as a trace line such as
/// `read: 5449979 bytes in 58173 us` says at its end. Without one: from the last
/// line before, which names the kernel, to the beginning of the tree's fix-up,
/// which follows.
pub fn kernel_read_span_us(log: &Log) -> Option<(u64, u64)> {
    // The kernel is the largest of what is read.
    let told = log.lines.iter().filter_map(|line| {
        let (bytes, rest) = line.text.strip_prefix("read: ")?.split_once(" bytes in ")?;
        let bytes: u64 = bytes.parse().ok()?;
        let took: u64 = rest.strip_suffix(" us")?.parse().ok()?;
        let end = line.at_us?;
        Some((bytes, end.checked_sub(took)?, end))
    });
    let told = told.max_by_key(|&(bytes, ..)| bytes);
    told.map(|(_, from, to)| (from, to)).or_else(|| {
        let (index, _, fix_up_us) = tree::fix_up(log)?;
        let fixed_up = log.lines.get(index)?.at_us?;
        let before = log.lines.get(index.checked_sub(1)?)?.at_us?;
        let end = fixed_up.checked_sub(fix_up_us)?;
        (before <= end).then_some((before, end))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::trace::Line;

    fn log() -> Log {
        Log {
            lines: vec![
                Line::said(
                    "[   0.035221] eMMC 4YMD3R 3750 MiB, DDR52 8-bit 52 MHz, ready after 12206 us",
                ),
                Line::said("[   0.046282] kernel 5322 KiB takes a device tree"),
                Line::traced("0.046300 INFO memory: image 0x80020000+0x17a00"),
                Line::traced("0.046310 INFO memory: unpacked kernel 0x80203000+0xa000"),
                Line::traced("0.046474 INFO also: zImage header of 4.15 or later"),
                Line::traced("0.117075 INFO tree: 2171 bytes in 11006 us"),
                Line::said(
                    "[   0.117873] kernel at 0x81608000, r1 0x0, r2 0x81b80000; heap 96 bytes",
                ),
            ],
            ..Log::default()
        }
    }

    #[test]
    fn figures_are_found_in_the_log() {
        assert_eq!(card_busy_us(&log()), Some(12206));
        assert_eq!(heap_used(&log()), Some(96));
        let memory = [
            ("image".to_owned(), 0x17A00),
            ("unpacked kernel".to_owned(), 0xA000),
        ];
        assert_eq!(regions(&log()), memory);
        assert_eq!(kernel_read_us(&log()), Some(117_075 - 11_006 - 46_474));
        let mut told = log();
        let line = Line::traced("0.104647 INFO read: 5449979 bytes in 58173 us");
        told.lines.insert(5, line);
        assert_eq!(kernel_read_span_us(&told), Some((46_474, 104_647)));
        assert_eq!(card_busy_us(&Log::default()), None);
        assert_eq!(heap_used(&Log::default()), None);
        assert_eq!(kernel_read_us(&Log::default()), None);
    }
}

//! `cargo xtask bench`: the figures that the project promises, in virtual time
//! and therefore the same on every machine.

use crate::emulator;
use crate::storage::{self, Payload};
use crate::{artifacts, debian, paths, setup, ui};
use anyhow::{Context, Result, bail};
use object::{Object, ObjectSymbol};
use std::fs;
use std::process::ExitCode;
use std::time::Duration;
use unilk::mtk::HEADER_BYTES;
use unilk_phone::{Kind, Outcome, Phone};

/// QEMU gives register accesses for free; on the chip they take about this.
const ACCESS_NS: u64 = 100;
/// DDR52 on eight lines: the fastest mode that chip and card share.
const BUS_BYTES_PER_SECOND: f64 = 104e6;
/// LK may take this many times the bus's own time, plus [`ALLOWANCE_MS`].
const BUS_FACTOR: f64 = 1.25;
const ALLOWANCE_MS: f64 = 10.0;
/// Largest payload of lk.bin at this stage.
const PAYLOAD_MAX: u64 = 96 * 1024;

/// A figure, and the limit that it has to keep.
struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    limit: Option<f64>,
}

impl Figure {
    fn holds(&self) -> bool {
        self.limit.is_none_or(|limit| self.value <= limit)
    }
}

/// Measures and prints; fails if a limit is not kept.
pub fn run() -> Result<ExitCode> {
    let machine = setup::setup()?;
    artifacts::all(machine.toolchain)?;
    let mut figures = sizes()?;
    figures.extend(boot_times()?);
    println!();
    for figure in &figures {
        print(figure);
    }
    let good = figures.iter().all(Figure::holds);
    println!(
        "\nbench: {}",
        if good {
            "all limits kept"
        } else {
            "a limit is NOT kept"
        }
    );
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn print(figure: &Figure) {
    let number = if figure.value.fract() == 0.0 {
        format!("{}", figure.value)
    } else {
        format!("{:.2}", figure.value)
    };
    let limit = match figure.limit {
        Some(limit) => format!(
            "limit {limit:.2} {}",
            if figure.holds() { "ok" } else { "EXCEEDED" }
        ),
        None => String::new(),
    };
    println!(
        "  {:<34} {number:>12} {:<6} {limit}",
        figure.name, figure.unit
    );
}

/// Payload and RAM by region, from files and symbols.
fn sizes() -> Result<Vec<Figure>> {
    let size = |path: &std::path::Path| -> Result<u64> {
        Ok(fs::metadata(path)
            .with_context(|| path.display().to_string())?
            .len())
    };
    let mut figures = vec![Figure {
        name: "lk.bin payload".to_owned(),
        value: (size(&paths::lk_image())? - HEADER_BYTES as u64) as f64,
        unit: "bytes",
        limit: Some(PAYLOAD_MAX as f64),
    }];
    let elf = fs::read(artifacts::lk_elf()).context("the bootloader's ELF file")?;
    let file = object::File::parse(elf.as_slice())?;
    let address = |name: &str| {
        file.symbols()
            .find(|symbol| symbol.name() == Ok(name))
            .map(|symbol| symbol.address())
    };
    for (name, start, end) in [
        ("RAM: image", "__image_start", "__image_end"),
        (
            "RAM: zeroed data and stacks",
            "__bss_start",
            "__exception_stack_top",
        ),
        ("RAM: heap", "__heap_start", "__heap_end"),
        ("RAM: kept log", "__log_start", "__log_end"),
    ] {
        if let (Some(start), Some(end)) = (address(start), address(end)) {
            figures.push(Figure {
                name: name.to_owned(),
                value: end.saturating_sub(start) as f64,
                unit: "bytes",
                limit: None,
            });
        }
    }
    Ok(figures)
}

/// Boots to the kernel's first words and takes the times.
fn boot_times() -> Result<Vec<Figure>> {
    let payload = Payload::find(&debian::default_release());
    let directory = paths::work().join("bench");
    let card = storage::build(&payload, &paths::lk_image(), &directory)?;
    let board = emulator::board_with_card(&emulator::default_board(), card.card, &directory)?;
    let step = ui::step("boot in virtual time");
    let outcome = Phone::new(board)
        .plugin(artifacts::plugin_library())
        .emmc(&card.user)
        .icount(true)
        .limit(Duration::from_mins(5))
        .until(0, payload.first_words())
        .run()?;
    let Some(lk_ns) = outcome.lk_time_ns(ACCESS_NS) else {
        bail!("the bootloader did not start a kernel; see `cargo xtask demo`");
    };
    step.done("measured");
    let boot_bytes = card.boot_image_bytes as f64;
    let bus_ms = boot_bytes / BUS_BYTES_PER_SECOND * 1e3;
    let figure = |name: &str, value: f64, unit, limit| Figure {
        name: name.to_owned(),
        value,
        unit,
        limit,
    };
    Ok(vec![
        figure("boot image", boot_bytes, "bytes", None),
        figure("eMMC bus time for it (DDR52 x8)", bus_ms, "ms", None),
        figure(
            "LK entry to kernel entry",
            lk_ns as f64 / 1e6,
            "ms",
            Some(BUS_FACTOR * bus_ms + ALLOWANCE_MS),
        ),
        figure(
            "register accesses in LK",
            accesses(&outcome).unwrap_or(0) as f64,
            "",
            None,
        ),
        figure("guest errors", outcome.error_count() as f64, "", Some(0.0)),
    ])
}

/// Accesses to registers between the last LK entry and the kernel's.
fn accesses(outcome: &Outcome) -> Option<u64> {
    let mut entry = None;
    let mut count = None;
    for event in &outcome.events {
        match event.kind {
            Kind::LkEntry { mmio, .. } => entry = Some(mmio),
            Kind::KernelEntry { mmio, .. } => count = mmio.checked_sub(entry?),
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_kept_up_to_its_value() {
        let figure = |value, limit| Figure {
            name: String::new(),
            value,
            unit: "",
            limit,
        };
        assert!(figure(10.0, Some(10.0)).holds());
        assert!(!figure(10.1, Some(10.0)).holds());
        assert!(figure(1e9, None).holds());
    }
}

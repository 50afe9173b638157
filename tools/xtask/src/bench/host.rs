//! The host tool against the programs that people have: what it takes to
//! inspect a boot image, to start, and to back a phone up. Wall times of one
//! run, one after the other, so that only their ratios mean something.

use super::figure::Figure;
use crate::{paths, shell, ui};
use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use unilk::bootimg::{BootImage, SubHeaders};
use unilk::emmc::{self, Card, Content, Image};
use unilk::layout::Layout;

/// Bytes of the boot image that is inspected.
const BOOT_IMAGE: usize = 16 << 20;
/// Bytes of the card that is backed up.
const CARD: u64 = 4 << 30;
/// How often the short things are done; the fastest counts.
const ROUNDS: u32 = 9;
/// How often the long ones.
const LONG_ROUNDS: u32 = 2;
/// Starts whose user time is added up: the shell counts hundredths of seconds.
const STARTS: u32 = 200;

/// Measures with a release build.
pub fn measure() -> Result<Vec<Figure>> {
    let step = ui::step("host tool, release build");
    shell::quiet(Command::new("cargo").current_dir(paths::root()).args([
        "build",
        "--quiet",
        "--release",
        "--package",
        "unilk",
    ]))?;
    step.done("built");
    let tool = paths::target().join("release/unilk");
    let folder = paths::work().join("bench/host");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    let step = ui::step("inspect and start");
    let mut figures = vec![inspect(&tool, &folder)?, start(&tool)?];
    step.done("measured");
    let step = ui::step("backup of a 4 GiB card");
    figures.extend(backup(&tool, &folder)?);
    step.done("measured");
    // What it takes on the disk is more than anybody wants to keep.
    std::fs::remove_dir_all(&folder)?;
    Ok(figures)
}

/// A stock boot image whose sections are noise.
fn inspect(tool: &Path, folder: &Path) -> Result<Figure> {
    let image = folder.join("boot.img");
    let built = BootImage {
        kernel: noise(BOOT_IMAGE / 2),
        ramdisk: noise(BOOT_IMAGE / 2 - 8192),
        sub_headers: SubHeaders::Boot,
        ..BootImage::default()
    }
    .build()
    .context("a boot image")?;
    std::fs::write(&image, built)?;
    let [ours, theirs] = fastest(
        ROUNDS,
        [
            &|| {
                let mut inspect = Command::new(tool);
                inspect.args(["inspect", "--json"]).arg(&image);
                // Noise is no kernel, which it says by its exit code.
                timed(&mut inspect, &[0, 3])
            },
            &|| timed(Command::new("sha256sum").arg(&image), &[0]),
        ],
    )?;
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    Ok(Figure::new("inspect of a 16 MiB boot image", ratio, "x sha256sum").at_most(1.5))
}

fn start(tool: &Path) -> Result<Figure> {
    let script = format!("for n in $(seq {STARTS}); do \"$0\" --version >/dev/null; done; times");
    let times = shell::quiet(Command::new("bash").args(["-c", &script]).arg(tool))?;
    // User and system time of the shell, then of what it ran: 0m0.123s.
    let children = times.lines().nth(1).context("times of what was run")?;
    let user = children.split(' ').next().context("user time")?;
    let (minutes, seconds) = user
        .trim_end_matches('s')
        .split_once('m')
        .with_context(|| format!("a time, not {user}"))?;
    let seconds = minutes.parse::<f64>()? * 60.0 + seconds.parse::<f64>()?;
    let each = seconds * 1e3 / f64::from(STARTS);
    Ok(Figure::new("start of the host tool, user time", each, "ms").at_most(15.0))
}

/// A full card: what makes the phone this phone, and all of it. A backup is on
/// the disk when it has its name, a copy is when somebody calls `sync`; so the
/// whole card is measured against both.
fn backup(tool: &Path, folder: &Path) -> Result<[Figure; 3]> {
    let card = card(folder)?;
    let copy = folder.join("copy.img");
    let archive = folder.join("backup.tar");
    let keep = |whole: bool| {
        let _ = std::fs::remove_file(&archive);
        let mut backup = Command::new(tool);
        backup.args(["backup", "--quiet", "--output"]).arg(&archive);
        if whole {
            backup.arg("--whole");
        }
        timed(backup.arg(&card), &[0, 3])
    };
    let copying = |then: &str| {
        let _ = std::fs::remove_file(&copy);
        let script = format!("cp \"$0\" \"$1\"{then}");
        let mut shell = Command::new("sh");
        timed(shell.args(["-c", &script]).arg(&card).arg(&copy), &[0])
    };
    let [part, whole, copied, kept] = fastest(
        LONG_ROUNDS,
        [&|| keep(false), &|| keep(true), &|| copying(""), &|| {
            copying(" && sync \"$1\"")
        }],
    )?;
    let rate = |theirs: Duration, ours: Duration| theirs.as_secs_f64() / ours.as_secs_f64();
    Ok([
        Figure::new("backup of a 4 GiB card", rate(copied, part), "x cp").at_least(0.7),
        Figure::new(
            "  with all partitions (--whole)",
            rate(kept, whole),
            "x cp && sync",
        )
        .at_least(0.7),
        Figure::new("", rate(copied, whole), "x cp"),
    ])
}

/// A card without holes.
fn card(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("user.img");
    let layout = Layout::built_in("a516").context("the built-in layout")?;
    let card = Card::for_layout(&layout, Some(CARD))?;
    let mut image = Image::new(layout, card)?;
    let mut out = File::create(&path)?;
    let block = noise(4 << 20);
    for _ in 0..CARD / block.len() as u64 {
        out.write_all(&block)?;
    }
    let part = |image: &mut Image, name: &str, bytes| image.put(name, Content::Bytes(bytes));
    part(
        &mut image,
        "UBOOT",
        unilk::mtk::with_header("LK", &noise(4096))?,
    )?;
    // The tables go over the noise, as a phone has them.
    image.write_user(&mut out)?;
    out.sync_all()?;
    let boot1 = folder.join("user.img.boot1");
    emmc::create(&boot1, |out| image.write_boot1(out))?;
    Ok(path)
}

/// Bytes that nothing makes smaller.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// What `command` takes, which has to end with one of `codes`.
fn timed(command: &mut Command, codes: &[i32]) -> Result<Duration> {
    let started = Instant::now();
    let output = command.stdout(Stdio::null()).output()?;
    let took = started.elapsed();
    ensure!(
        output
            .status
            .code()
            .is_some_and(|code| codes.contains(&code)),
        "{} failed ({}): {}",
        command.get_program().display(),
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(took)
}

/// The fastest of `rounds`, one after the other in each.
fn fastest<const N: usize>(
    rounds: u32,
    runs: [&dyn Fn() -> Result<Duration>; N],
) -> Result<[Duration; N]> {
    let mut best = [Duration::MAX; N];
    for _ in 0..rounds {
        for (best, run) in best.iter_mut().zip(runs) {
            *best = run()?.min(*best);
        }
    }
    Ok(best)
}

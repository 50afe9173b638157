//! `cargo xtask fuzz`: LLVM's fuzzer on every parser, from seeds of our own,
//! with limits of time and memory for each input.

use crate::{paths, shell, ui};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use unilk_fuzz::Target;

/// Seconds that one input may take.
const INPUT_SECONDS: u32 = 10;
/// What a parser may allocate at once, and the process may use, in MiB.
const MALLOC_MIB: u32 = 64;
const PROCESS_MIB: u32 = 512;

/// Give hostile input to every parser
///
/// Builds the targets in fuzz/ with cargo-fuzz (installed into target/unilk if
/// it is missing), and runs them side by side. What it found before, in
/// target/unilk/fuzz, is where it goes on.
#[derive(Args)]
pub struct Fuzz {
    /// Minutes in all, shared by the targets
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Only these targets; default: all
    targets: Vec<String>,
}

/// How a target's run ended.
struct Ended {
    name: &'static str,
    inputs: u64,
    /// Where the input is that it fell over, or what else went wrong.
    failure: Option<String>,
}

impl Fuzz {
    /// Builds, runs, and says what was found.
    pub fn run(self) -> Result<ExitCode> {
        let targets = self.chosen()?;
        if !(self.minutes > 0.0 && self.minutes <= 7.0 * 24.0 * 60.0) {
            bail!("--minutes {}: expected up to a week", self.minutes);
        }
        let folder = paths::work().join("fuzz");
        let step = ui::step("seeds");
        for target in &targets {
            write_seeds(&folder, target)?;
        }
        step.done(&format!("of {} targets", targets.len()));
        let programs = build()?;
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let seconds = self.minutes * 60.0 * workers.min(targets.len()) as f64;
        let each = (seconds / targets.len() as f64).ceil().max(1.0) as u64;
        let step = ui::step(format!("fuzzing, {each} s a target"));
        let ended = side_by_side(workers, &targets, |target| {
            step.at(target.name);
            one(&programs, &folder, target, each)
        });
        step.done("every target was run");
        Ok(tell(&ended))
    }

    fn chosen(&self) -> Result<Vec<Target>> {
        let all = unilk_fuzz::targets();
        let names: Vec<&str> = all.iter().map(|target| target.name).collect();
        if let Some(wrong) = self
            .targets
            .iter()
            .find(|name| !names.contains(&name.as_str()))
        {
            bail!(
                "there is no target {wrong}; there are: {}",
                names.join(", ")
            );
        }
        let wanted = |target: &Target| {
            self.targets.is_empty() || self.targets.iter().any(|name| name == target.name)
        };
        Ok(all.into_iter().filter(wanted).collect())
    }
}

/// Seeds go beside what earlier runs found.
fn write_seeds(folder: &Path, target: &Target) -> Result<()> {
    let corpus = folder.join("corpus").join(target.name);
    std::fs::create_dir_all(&corpus)
        .with_context(|| format!("cannot create {}", corpus.display()))?;
    for (index, seed) in (target.seeds)().iter().enumerate() {
        std::fs::write(corpus.join(format!("seed-{index}")), seed)?;
    }
    Ok(())
}

/// Builds all targets; the folder with the programs.
fn build() -> Result<PathBuf> {
    if shell::find("c++").is_none() {
        bail!("LLVM's fuzzer needs a C++ compiler: apt-get install g++");
    }
    let tools = paths::work().join("cargo-fuzz");
    if !tools.join("bin/cargo-fuzz").is_file() {
        let step = ui::step("cargo-fuzz");
        shell::quiet(
            Command::new("cargo")
                .args(["install", "--quiet", "--locked", "cargo-fuzz", "--root"])
                .arg(&tools),
        )?;
        step.done("installed");
    }
    let step = ui::step("fuzz targets");
    // Without sanitizers: the parsers are safe Rust, and a stable compiler will
    // do. The targets do not share the caches of what is built for use.
    let built = paths::target().join("fuzz");
    shell::quiet(
        Command::new(tools.join("bin/cargo-fuzz"))
            .current_dir(paths::root())
            .args(["build", "--sanitizer", "none", "--features", "libfuzzer"])
            .arg("--target-dir")
            .arg(&built),
    )?;
    step.done("built");
    let host = shell::quiet(Command::new("rustc").arg("-vV"))?;
    let host = host
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc -vV names no host")?;
    Ok(built.join(host).join("release"))
}

/// Runs `work` on all of `targets`, on so many threads.
fn side_by_side(
    workers: usize,
    targets: &[Target],
    work: impl Fn(&Target) -> Ended + Sync,
) -> Vec<Ended> {
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let ended = work(target);
                    all.lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .push(ended);
                }
            });
        }
    });
    all.into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn one(programs: &Path, folder: &Path, target: &Target, seconds: u64) -> Ended {
    let mut ended = Ended {
        name: target.name,
        inputs: 0,
        failure: None,
    };
    let found = folder.join(format!("found-{}-", target.name));
    let mut command = Command::new(programs.join(target.name));
    command
        .arg(folder.join("corpus").join(target.name))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={INPUT_SECONDS}"))
        .arg(format!("-malloc_limit_mb={MALLOC_MIB}"))
        .arg(format!("-rss_limit_mb={PROCESS_MIB}"))
        .arg(format!("-artifact_prefix={}", found.display()))
        .args(["-print_final_stats=1", "-len_control=20"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let result = command.spawn().and_then(|mut child| {
        let mut last = Vec::new();
        if let Some(stderr) = child.stderr.take() {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some(count) = line.strip_prefix("stat::number_of_executed_units:") {
                    ended.inputs = count.trim().parse().unwrap_or(0);
                }
                if line.contains("panicked at")
                    || line.contains("ERROR: libFuzzer")
                    || line.contains("Test unit written to")
                {
                    last.push(line);
                }
            }
        }
        Ok((child.wait()?, last))
    });
    match result {
        Ok((status, _)) if status.success() => {}
        Ok((status, last)) => ended.failure = Some(format!("{status}: {}", last.join("; "))),
        Err(why) => ended.failure = Some(why.to_string()),
    }
    ended
}

fn tell(ended: &[Ended]) -> ExitCode {
    for target in ended {
        println!("{:<24} {:>11} inputs", target.name, target.inputs);
    }
    let failures: Vec<&Ended> = ended
        .iter()
        .filter(|ended| ended.failure.is_some())
        .collect();
    for Ended { name, failure, .. } in &failures {
        let failure = failure.as_deref().unwrap_or_default();
        println!("failed: {name}: {failure}");
    }
    let inputs: u64 = ended.iter().map(|ended| ended.inputs).sum();
    println!(
        "fuzz: {inputs} inputs to {} parsers, {} of them fell",
        ended.len(),
        failures.len()
    );
    if failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

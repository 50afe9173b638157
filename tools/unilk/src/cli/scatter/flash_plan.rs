//! `unilk scatter flash-plan`.

use crate::cli::output::{Outcome, Output, Refusal, print_findings};
use crate::cli::storage::{self, Dump};
use crate::cli::write;
use anstream::println;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use unilk::finding::{Finding, Severity};
use unilk::scatter::lint;
use unilk::scatter::plan::{Image, Phone, Planned, UBOOT, instructions, plan};
use unilk::source::Source;

#[derive(clap::Args)]
pub struct Arguments {
    /// This phone's own scatter file
    scatter: PathBuf,
    /// The bootloader: lk.bin as `unilk pack` writes it, or a stock one
    #[arg(long, value_name = "FILE")]
    lk: PathBuf,
    /// Another image to write, e.g. BOOTIMG=boot.img; may be repeated
    #[arg(long, value_name = "NAME=FILE", value_parser = super::super::emmc::assignment)]
    also: Vec<(String, PathBuf)>,
    /// A dump of this phone's eMMC: the scatter file is compared with it, and
    /// mtkclient's offsets are those of its card
    #[arg(long, value_name = "IMAGE")]
    against: Option<PathBuf>,
    /// Folder to write; must not exist or be empty
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

const README: &str = "README.txt";

/// What was written, in the form that `--json` prints.
#[derive(serde::Serialize)]
struct Written {
    directory: PathBuf,
    scatter: String,
    planned: Vec<Planned>,
    findings: Vec<Finding>,
    instructions: String,
}

impl Arguments {
    pub fn run(self, output: Output) -> Result<Outcome> {
        let scatter = storage::scatter(&self.scatter)?;
        let mut given = vec![(UBOOT.to_owned(), self.lk)];
        given.extend(self.also);
        // Names are judged before any file is opened.
        let refused = |why: unilk::scatter::plan::Error| {
            if why.is_refusal() {
                anyhow::Error::new(Refusal(why.to_string()))
            } else {
                anyhow::Error::new(why)
            }
        };
        unilk::scatter::plan::names(&scatter, given.iter().map(|(name, _)| name.as_str()))
            .map_err(refused)?;
        let sources: Vec<Arc<dyn Source>> = given
            .iter()
            .map(|(_, path)| storage::source(path))
            .collect::<Result<_>>()?;
        let images: Vec<Image<'_>> = given
            .iter()
            .zip(&sources)
            .map(|((partition, _), bytes)| Image { partition, bytes })
            .collect();
        let plan = plan(&scatter, &images).map_err(refused)?;
        let mut findings = plan.findings.clone();
        let phone = match &self.against {
            Some(image) => compared(&scatter, image, &mut findings)?,
            None => Phone::default(),
        };

        prepare(&self.output)?;
        let name = self.scatter.file_name().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        ensure!(
            plan.planned.iter().all(|planned| planned.file != name) && name != README,
            "the scatter file has the name of another file of the plan, {name}: rename it"
        );
        let text = instructions(&plan, &name, phone);
        for (planned, (_, path)) in plan.planned.iter().zip(&given) {
            let to = self.output.join(&planned.file);
            std::fs::copy(path, &to)
                .with_context(|| format!("cannot copy {} to {}", path.display(), to.display()))?;
        }
        write(&self.output.join(&name), plan.scatter.as_bytes())?;
        write(&self.output.join(README), text.as_bytes())?;
        let written = Written {
            directory: self.output,
            scatter: name,
            planned: plan.planned,
            findings,
            instructions: text,
        };
        output.show(&written, Written::print)?;
        Ok(Outcome::of(&written.findings))
    }
}

/// The phone as its dump has it; a scatter file that is not its own is refused.
fn compared(
    scatter: &unilk::scatter::Scatter,
    image: &Path,
    findings: &mut Vec<Finding>,
) -> Result<Phone> {
    let storage = Dump::of(image)
        .open_by(scatter.layout().ok())
        .context("--against")?;
    let said = lint::against(scatter, &storage);
    if unilk::finding::any_problem(&said) {
        let lines: Vec<String> = said
            .iter()
            .filter(|finding| finding.severity == Severity::Problem)
            .map(|finding| format!("\n  {finding}"))
            .collect();
        let text = format!(
            "the scatter file is not that of the phone in {}:{}",
            image.display(),
            lines.concat()
        );
        return Err(Refusal(text).into());
    }
    findings.extend(said);
    Ok(Phone {
        hardware_bytes: storage.hardware_bytes(),
    })
}

/// A folder of its own: nothing that lies about may be taken for a part of it.
fn prepare(directory: &Path) -> Result<()> {
    let context = || format!("cannot create {}", directory.display());
    std::fs::create_dir_all(directory).with_context(context)?;
    let empty = std::fs::read_dir(directory)
        .with_context(context)?
        .next()
        .is_none();
    ensure!(
        empty,
        "{} is not empty; name a new folder, so that nothing else gets flashed",
        directory.display()
    );
    Ok(())
}

impl Written {
    fn print(&self) {
        println!("{}:", self.directory.display());
        println!("  {}", self.scatter);
        for planned in &self.planned {
            println!(
                "  {:<14} to {}, {:#x} of {:#x} bytes at linear {:#x}",
                planned.file, planned.partition, planned.bytes, planned.room, planned.linear
            );
        }
        println!("  {:<14} what follows here\n", README);
        println!("{}", self.instructions.trim_end());
        print_findings(&self.findings);
    }
}

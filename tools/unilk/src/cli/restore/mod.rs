//! `unilk restore`: writes parts of a backup back.

mod go_on;
mod mtk;

use super::device;
use super::output::{DOUBTFUL, GOOD, Outcome, Output, Refusal, STRONG, print_findings};
use super::phone::{self, Facts};
use super::storage::{self, Known};
use anstream::println;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use unilk::backup::archive::Archive;
use unilk::backup::dump::Dump;
use unilk::backup::journal;
use unilk::backup::plan::{Plan, Request, Step, plan};
use unilk::backup::restore::{User, execute, write_journal};
use unilk::finding::{Finding, any_problem};
use unilk::source::Source;
use unilk::sparse;
use unilk::storage::Bytes;

#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("where").required(true).args(["to", "print_mtk"]))]
pub struct Arguments {
    /// The backup
    archive: PathBuf,
    /// Image or block device to write to
    #[arg(long, value_name = "IMAGE_OR_DEVICE")]
    to: Option<PathBuf>,
    /// Part to write; may be repeated. Default: what --identity and --tables open
    #[arg(long = "part", value_name = "NAME")]
    parts: Vec<String>,
    /// Allow NVRAM, PRO_INFO, PROTECT_F, PROTECT_S, SECCFG, SEC_RO and OTP
    #[arg(long)]
    identity: bool,
    /// Allow MBR, EBR, PMT and the tail of the user area
    #[arg(long)]
    tables: bool,
    /// Say that it is the phone that the backup is of: the backup's CID or the
    /// first 16 digits of its digest, as `unilk verify` prints them
    #[arg(long, value_name = "ID")]
    same_phone: Option<String>,
    /// The CID of the eMMC that is written to
    #[arg(long, value_name = "HEX", value_parser = phone::check_cid)]
    cid: Option<String>,
    /// Write; without, only the plan is shown
    #[arg(long, conflicts_with = "print_mtk")]
    yes: bool,
    /// Finish a restore that was stopped
    #[arg(long, conflicts_with_all = ["undo", "print_mtk", "parts", "yes"])]
    resume: bool,
    /// Write back what was there before the last restore
    #[arg(long, conflicts_with_all = ["print_mtk", "parts", "yes"])]
    undo: bool,
    /// Write the parts and mtkclient's commands for them into a new directory
    #[arg(long, value_name = "DIR", conflicts_with = "to")]
    print_mtk: Option<PathBuf>,
    #[command(flatten)]
    known: Known,
}

/// What was or would be written, in the form that `--json` prints.
#[derive(serde::Serialize)]
struct Report {
    archive: PathBuf,
    to: PathBuf,
    #[serde(flatten)]
    plan: Plan,
    /// Whether it was written and read back.
    written: bool,
    /// What was there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    journal: Option<PathBuf>,
}

/// A phone or image to write to, looked at and not yet opened for writing.
struct Place {
    dump: Dump,
    user: Bytes,
}

impl Arguments {
    pub fn run(self, output: Output) -> Result<Outcome> {
        let archive = phone::archive(&self.archive)?;
        refuse_damaged(&archive, output)?;
        if let Some(directory) = &self.print_mtk {
            return mtk::run(&self, &archive, directory, output);
        }
        let Some(to) = self.to.clone() else {
            bail!("say where to write: --to IMAGE_OR_DEVICE");
        };
        let place = self.look(&to)?;
        if self.resume || self.undo {
            return go_on::run(&self, &archive, &place, &to, output);
        }
        go_on::refuse_open(&self.archive, &archive, &place, &to)?;
        let plan =
            plan(&archive, &place.dump, &place.user, &self.request()).map_err(phone::explain)?;
        let mut report = Report {
            archive: self.archive.clone(),
            to: to.clone(),
            plan,
            written: false,
            journal: None,
        };
        if self.yes {
            let journal = self.write(&archive, &place, &to, &report.plan, output)?;
            report.written = true;
            report.journal = journal;
        }
        output.show(&report, Report::print)?;
        Ok(Outcome::of(&report.plan.findings))
    }

    fn request(&self) -> Request {
        Request {
            parts: self.parts.clone(),
            identity: self.identity,
            tables: self.tables,
            same_phone: self.same_phone.clone(),
        }
    }

    /// Looks at what is to be written to.
    fn look(&self, to: &Path) -> Result<Place> {
        let source = storage::source(to)?;
        if sparse::is_sparse(&source.read_some(0, 64)?) {
            bail!(
                "{} is an Android sparse image; make it a plain one first (simg2img)",
                to.display()
            );
        }
        let facts = Facts {
            cid: self.cid.clone(),
            ..Facts::default()
        };
        match phone::dump(to, &self.known, &facts) {
            Ok((storage, mut dump)) => {
                let user = storage.user_area().cloned();
                let user = user.with_context(|| format!("{} has no user area", to.display()))?;
                // Without its PMT a dump does not tell that it is whole. If it
                // is not, its size is not the backup's, and that is refused.
                dump.phone.user_bytes.get_or_insert(user.len());
                Ok(Place { dump, user })
            }
            // Tables can come back to where there is none.
            Err(why) if self.tables && has_no_table(&why) => {
                let mut phone = facts.phone(to, self.known.card()?);
                phone.user_bytes = Some(source.len());
                let dump = Dump {
                    origin: to.display().to_string(),
                    phone,
                    ..Dump::default()
                };
                Ok(Place {
                    dump,
                    user: Bytes::new(source, 0, u64::MAX),
                })
            }
            Err(why) => Err(why),
        }
    }

    /// Writes, and returns where the journal is if anything had to be written.
    fn write(
        &self,
        archive: &Archive,
        place: &Place,
        to: &Path,
        plan: &Plan,
        output: Output,
    ) -> Result<Option<PathBuf>> {
        if plan.steps.iter().all(Step::is_done) {
            return Ok(None);
        }
        let user = User {
            target: Arc::new(device::open_for_writing(to)?),
            start: place.user.start(),
        };
        let journal = journal::next(&self.archive).map_err(phone::explain)?;
        let mut progress = output.progress();
        write_journal(plan, archive, &place.dump, &user, &journal, &mut progress)
            .map_err(phone::explain)?;
        execute(plan, archive, &user, &mut progress)
            .map_err(phone::explain)
            .with_context(|| {
                format!(
                    "the restore stopped; finish it with `unilk restore {} --to {} --resume` (and \
                     --cid or --same-phone as before), or take it back with --undo",
                    self.archive.display(),
                    to.display()
                )
            })?;
        Ok(Some(journal))
    }
}

fn has_no_table(why: &anyhow::Error) -> bool {
    matches!(why.downcast_ref(), Some(unilk::storage::Error::NoTable))
}

/// Nothing is written from a backup that is not whole.
fn refuse_damaged(archive: &Archive, output: Output) -> Result<()> {
    let (_, findings) = archive.check(&mut output.progress())?;
    let problems: Vec<&str> = findings
        .iter()
        .filter(|finding| any_problem(std::slice::from_ref(finding)))
        .map(|finding: &Finding| finding.text.as_str())
        .collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(Refusal(format!("the backup is not whole: {}", problems.join("; "))).into())
}

impl Report {
    fn print(&self) {
        println!("{} to {}", self.archive.display(), self.to.display());
        println!(
            "{STRONG}{:<12} {:>12} {:>12}  {:<16}  {:<16}{STRONG:#}",
            "name", "start", "bytes", "there now", "backup"
        );
        for step in &self.plan.steps {
            let (style, word) = match (step.is_done(), self.written) {
                (true, _) => (GOOD, "already so"),
                (false, true) => (GOOD, "written, reads back"),
                (false, false) => (DOUBTFUL, "would be written"),
            };
            println!(
                "{:<12} {:>12} {:>12}  {}  {}  {style}{word}{style:#}",
                step.name,
                format!("{:#x}", step.offset),
                step.bytes,
                step.old.short(),
                step.new.short(),
            );
        }
        for reason in &self.plan.phone.reasons {
            println!("phone: {reason}");
        }
        print_findings(&self.plan.findings);
        if let Some(journal) = &self.journal {
            println!("what was there before: {}", journal.display());
        } else if !self.written {
            println!("Nothing was written. Add --yes to write.");
        }
    }
}

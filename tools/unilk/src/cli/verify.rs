//! `unilk verify`: whether a backup is what was kept, and what a phone has now.

use super::output::{DOUBTFUL, GOOD, Outcome, Output, WRONG, print_findings};
use super::phone::{self, Facts};
use super::storage::Known;
use anstream::println;
use anyhow::Result;
use std::path::PathBuf;
use unilk::backup::archive::{Checked, State};
use unilk::backup::digest::Digest;
use unilk::backup::phone::{Judgement, Sameness, Statement, judge};
use unilk::backup::verify::{Compared, Comparison, against};
use unilk::finding::{Finding, any_problem};

#[derive(clap::Args)]
pub struct Arguments {
    /// The backup
    archive: PathBuf,
    /// Compare with what the phone has now: a dump, a directory of dumps, or a
    /// block device
    #[arg(long, value_name = "DUMP")]
    against: Option<PathBuf>,
    #[command(flatten)]
    known: Known,
    /// The CID of the eMMC that --against is of
    #[arg(long, value_name = "HEX", value_parser = phone::check_cid, requires = "against")]
    cid: Option<String>,
}

/// What was found, in the form that `--json` prints.
#[derive(serde::Serialize)]
struct Report {
    archive: PathBuf,
    digest: Digest,
    created: String,
    origin: String,
    members: Vec<Checked>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compared: Option<Vec<Compared>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<Judgement>,
    findings: Vec<Finding>,
}

impl Arguments {
    pub fn run(self, output: Output) -> Result<Outcome> {
        let archive = phone::archive(&self.archive)?;
        let mut progress = output.progress();
        let (members, mut findings) = archive.check(&mut progress)?;
        let (mut compared, mut judgement) = (None, None);
        if let Some(file) = &self.against {
            let facts = Facts {
                cid: self.cid.clone(),
                ..Facts::default()
            };
            let (_, dump) = phone::dump(file, &self.known, &facts)?;
            let (parts, differences) = against(&archive, &dump, &mut progress)?;
            findings.extend(differences);
            let judged = judge(&archive, &dump, Statement::default()).map_err(phone::explain)?;
            if judged.sameness == Sameness::Other {
                let text = format!("this is another phone: {}", judged.reasons.join("; "));
                findings.push(Finding::problem("VERIFY-OTHER-PHONE", text));
            }
            compared = Some(parts);
            judgement = Some(judged);
        }
        let manifest = archive.manifest();
        let report = Report {
            digest: archive.digest(),
            created: manifest.created.clone(),
            origin: manifest.origin.clone(),
            archive: self.archive,
            members,
            compared,
            phone: judgement,
            findings,
        };
        output.show(&report, Report::print)?;
        Ok(Outcome::of(&report.findings))
    }
}

impl Report {
    fn print(&self) {
        println!(
            "{}: backup {} of {}, made {}",
            self.archive.display(),
            self.digest.short(),
            self.origin,
            self.created
        );
        for checked in &self.members {
            let (style, word) = match checked.state {
                State::Intact => (GOOD, "intact"),
                State::Damaged => (WRONG, "DAMAGED"),
                State::Missing => (WRONG, "missing"),
            };
            // Whole lists are for what is not as it should be.
            if checked.state != State::Intact || checked.member.starts_with("parts/") {
                println!("  {style}{word:<8}{style:#} {}", checked.member);
            }
        }
        for part in self.compared.iter().flatten() {
            match part.comparison {
                Comparison::Same => println!("  {GOOD}same{GOOD:#}     {}", part.name),
                Comparison::Missing => println!("  missing  {}", part.name),
                Comparison::Changed { first, bytes } => println!(
                    "  {DOUBTFUL}changed{DOUBTFUL:#}  {}: {bytes} bytes, the first at {first:#x}",
                    part.name
                ),
            }
        }
        for reason in self.phone.iter().flat_map(|phone| &phone.reasons) {
            println!("phone: {reason}");
        }
        print_findings(&self.findings);
        if !any_problem(&self.findings) {
            println!("{GOOD}the backup is whole{GOOD:#}");
        }
    }
}

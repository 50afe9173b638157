//! `unilk backup`: keeps what makes a phone this phone.

use super::output::{GOOD, Outcome, Output, STRONG, print_findings};
use super::phone::{self, Facts};
use super::storage;
use anstream::println;
use anyhow::Result;
use std::path::PathBuf;
use std::time::SystemTime;
use unilk::backup::digest::Digest;
use unilk::backup::manifest::Manifest;
use unilk::backup::select::{missing, select};
use unilk::backup::write::Backup;
use unilk::finding::Finding;
use unilk::identity::Show;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    dump: storage::Dump,
    /// Archive to write; it must not exist
    #[arg(short, long, value_name = "ARCHIVE.TAR")]
    output: PathBuf,
    /// Keep every partition, the owner's data too
    #[arg(long)]
    whole: bool,
    /// A copy of the phone's /data/nvram, as directory or tar file (adb pull
    /// /data/nvram); default: taken from USRDATA if the dump has it
    #[arg(long, value_name = "DIR_OR_TAR")]
    data_nvram: Option<PathBuf>,
    #[command(flatten)]
    facts: Facts,
}

/// What was kept, in the form that `--json` prints.
#[derive(serde::Serialize)]
struct Report {
    archive: PathBuf,
    /// SHA-256 of the manifest, by whose first 16 digits a backup is named.
    digest: Digest,
    manifest: Manifest,
    /// What the phone's identity looks like.
    identity: String,
    findings: Vec<Finding>,
}

impl Arguments {
    pub fn run(self, output: Output) -> Result<Outcome> {
        let (_, dump) = phone::dump(&self.dump.file, &self.dump.known, &self.facts)?;
        let files = phone::nvram_files(self.data_nvram.as_deref(), &dump)?;
        let identity = phone::identity(&dump, &files, Show::Masked);
        let mut findings = dump.findings.clone();
        findings.extend(missing(&dump));
        findings.extend(phone::file_findings(&files));
        findings.extend(identity.findings);
        let files = files.unwrap_or_default();
        let parts = select(&dump, self.whole);
        let backup = Backup::new(&dump, &parts, &files, SystemTime::now());
        let (manifest, digest) = backup
            .create(&self.output, &mut output.progress())
            .map_err(phone::explain)?;
        let report = Report {
            archive: self.output,
            digest,
            manifest,
            identity: identity.summary,
            findings,
        };
        output.show(&report, Report::print)?;
        Ok(Outcome::of(&report.findings))
    }
}

impl Report {
    fn print(&self) {
        println!(
            "{GOOD}{}{GOOD:#}: backup {} of {}",
            self.archive.display(),
            self.digest.short(),
            self.manifest.origin
        );
        println!(
            "{STRONG}{:<12} {:<5} {:>12} {:>12}  {:<16}  holds{STRONG:#}",
            "name", "area", "start", "bytes", "sha-256"
        );
        for part in &self.manifest.parts {
            let start = part.place.offset;
            println!(
                "{:<12} {:<5} {:>12} {:>12}  {}  {}",
                part.name,
                part.place.area.name(),
                start.map_or_else(|| "-".to_owned(), |start| format!("{start:#x}")),
                part.bytes,
                part.sha256.short(),
                part.holds
            );
        }
        if !self.manifest.files.is_empty() {
            println!("and {} files of /data/nvram", self.manifest.files.len());
        }
        print_findings(&self.findings);
        println!("identity: {}", self.identity);
        println!(
            "Keep a copy on another disk. Check it at any time: unilk verify {}",
            self.archive.display()
        );
    }
}

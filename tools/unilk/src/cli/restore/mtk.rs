//! The restore as commands for mtkclient, with the files that they write.

use super::Arguments;
use crate::cli::output::{Outcome, Output, Refusal};
use crate::cli::phone;
use anstream::println;
use anyhow::{Context, Result};
use std::fs::File;
use std::io::copy;
use std::path::{Path, PathBuf};
use unilk::backup::archive::Archive;
use unilk::backup::manifest::Part;
use unilk::backup::mtkclient::{HandStep, LOOK_FILE, instructions, look_part, steps};
use unilk::backup::phone::names_backup;
use unilk::backup::plan::{allowed, chosen};
use unilk::backup::set::Guard;
use unilk::source::{Reader, Source, Window};

/// Name of the text among the files.
const TEXT: &str = "RESTORE.txt";

/// What was written, in the form that `--json` prints.
#[derive(serde::Serialize)]
struct Report {
    directory: PathBuf,
    steps: Vec<HandStep>,
    text: String,
}

pub fn run(
    arguments: &Arguments,
    archive: &Archive,
    directory: &Path,
    output: Output,
) -> Result<Outcome> {
    let request = arguments.request();
    let parts = chosen(archive, &request).map_err(phone::explain)?;
    for part in &parts {
        let guard = allowed(part, &request).map_err(phone::explain)?;
        if guard != Guard::Named {
            check_phone(arguments, archive, part)?;
        }
    }
    let steps = steps(&parts).map_err(phone::explain)?;
    let context = || format!("cannot write to {}", directory.display());
    std::fs::create_dir(directory).with_context(context)?;
    for (part, step) in parts.iter().zip(&steps) {
        let content = archive.part(part).with_context(|| part.name.clone())?;
        write(&directory.join(&step.file), &content).with_context(context)?;
    }
    if let Some(look) = look_part(archive).and_then(|part| archive.part(part)) {
        let first = Window::new(&look, 0, 512);
        write(&directory.join(LOOK_FILE), &first).with_context(context)?;
    }
    let text = instructions(archive, &steps);
    std::fs::write(directory.join(TEXT), &text).with_context(context)?;
    let report = Report {
        directory: directory.to_owned(),
        steps,
        text,
    };
    output.show(&report, |report| {
        print!("{}", report.text);
        println!(
            "\nThis text and the files are in {}.",
            report.directory.display()
        );
    })?;
    Ok(Outcome::Done)
}

/// Nobody sees the phone here, so somebody has to say that it is the one.
fn check_phone(arguments: &Arguments, archive: &Archive, part: &Part) -> Result<()> {
    let said = [&arguments.same_phone, &arguments.cid];
    for typed in said.into_iter().flatten() {
        names_backup(archive, typed).map_err(phone::explain)?;
    }
    if said.iter().any(|typed| typed.is_some()) {
        return Ok(());
    }
    Err(Refusal(format!(
        "{} may only go to the phone that it is from, which cannot be seen from here: give the \
         CID that mtkclient prints with --cid, or, if you know that it is that phone, \
         --same-phone {}",
        part.name,
        archive.digest().short()
    ))
    .into())
}

fn write(path: &Path, content: &dyn Source) -> std::io::Result<()> {
    let mut file = File::create_new(path)?;
    copy(&mut Reader::new(content), &mut file)?;
    file.sync_all()
}

//! What the command line says of a phone beside its dump, and where its
//! identity may be looked for.

use super::storage::{self, Known};
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::sync::Arc;
use unilk::backup::Error;
use unilk::backup::archive::Archive;
use unilk::backup::dump::{Dump, Phone};
use unilk::emmc::Card;
use unilk::finding::Finding;
use unilk::identity::files::NvramFiles;
use unilk::identity::{Evidence, Show, Status, ext4, status};
use unilk::source::{FileSource, Source};
use unilk::storage::Storage;

use super::output::Refusal;

/// Digits of an eMMC's CID.
const CID_DIGITS: usize = 32;

/// What somebody knows of the phone.
#[derive(clap::Args, Default)]
pub struct Facts {
    /// The eMMC's CID, 32 hexadecimal digits: `cat /sys/block/mmcblk0/device/cid`
    /// on the phone, or as mtkclient prints it
    #[arg(long, value_name = "HEX", value_parser = check_cid)]
    pub cid: Option<String>,
    /// Hardware code or name of the chip, e.g. 6572
    #[arg(long, value_name = "TEXT")]
    pub chip_id: Option<String>,
    /// What to find the phone by: owner, number of the repair, ...
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

impl Facts {
    /// With what the system and a card.json next to `file` tell of it.
    pub fn phone(&self, file: &Path, card: Option<Card>) -> Phone {
        let path = file.with_file_name("card.json");
        let card = card.or_else(|| storage::card(&path).ok());
        let beside = Beside::read(&path);
        let cid = self.cid.clone().or_else(|| super::device::cid(file));
        Phone {
            chip_id: self.chip_id.clone().or(beside.chip_id),
            cid: cid.or_else(|| check_cid(&beside.cid?).ok()),
            boot_size_mult: card.map(|card| card.boot_size_mult),
            rpmb_size_mult: card.map(|card| card.rpmb_size_mult),
            user_bytes: None,
            note: self.note.clone(),
        }
    }
}

/// What a card.json may say beside the card's sizes.
#[derive(Default, serde::Deserialize)]
struct Beside {
    cid: Option<String>,
    chip_id: Option<String>,
}

impl Beside {
    /// Nothing, if there is no such file.
    fn read(path: &Path) -> Self {
        let text = super::read(path).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }
}

/// 32 hexadecimal digits, perhaps with blanks or colons between.
pub fn check_cid(text: &str) -> Result<String, String> {
    let text = text.trim();
    let digits: String = text
        .strip_prefix("0x")
        .unwrap_or(text)
        .chars()
        .filter(|c| !matches!(c, ' ' | ':' | '-'))
        .collect();
    if digits.len() == CID_DIGITS && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(digits.to_ascii_lowercase())
    } else {
        Err(format!(
            "expected {CID_DIGITS} hexadecimal digits, e.g. 150100483147324138a1b2c3d4e5f601"
        ))
    }
}

/// Opens a dump with all that is known of its phone.
pub fn dump(file: &Path, known: &Known, facts: &Facts) -> Result<(Storage, Dump)> {
    let storage = known.open(file)?;
    let name = file.file_name().unwrap_or(file.as_os_str());
    let phone = facts.phone(file, known.card()?);
    let dump = Dump::of(&storage, &name.to_string_lossy(), phone);
    Ok((storage, dump))
}

/// Opens a backup.
pub fn archive(path: &Path) -> Result<Archive> {
    let source = storage::source(path)?;
    Archive::open(source).with_context(|| path.display().to_string())
}

/// The library's errors, with those that exit as a refusal marked.
pub fn explain(why: Error) -> anyhow::Error {
    match why {
        Error::Refused(text) => Refusal(text).into(),
        other => other.into(),
    }
}

/// The files of /data/nvram: from where they were said to be, or out of
/// USRDATA. Without them, why.
pub fn nvram_files(
    given: Option<&Path>,
    dump: &Dump,
) -> Result<std::result::Result<NvramFiles, String>> {
    if let Some(path) = given {
        return tree(path).map(Ok);
    }
    let Some(part) = dump.find("USRDATA") else {
        return Ok(Err(
            "the live files are in USRDATA, which is not in what was given".to_owned(),
        ));
    };
    Ok(ext4::nvram_files(&part.data))
}

/// A directory or tar file of /data/nvram.
pub fn tree(path: &Path) -> Result<NvramFiles> {
    let context = || format!("cannot read {}", path.display());
    let files = if path.is_dir() {
        NvramFiles::from_directory(path).with_context(context)?
    } else {
        let file = FileSource::open(path).with_context(context)?;
        NvramFiles::from_tar(&file).with_context(context)?
    };
    if files.is_empty() {
        bail!(
            "{}: no file in it; expected a copy of the phone's /data/nvram",
            path.display()
        );
    }
    Ok(files)
}

/// What can be said of the identity in a dump.
pub fn identity(
    dump: &Dump,
    files: &std::result::Result<NvramFiles, String>,
    show: Show,
) -> Status {
    let partition = |name: &str| -> Option<Arc<dyn Source>> { Some(dump.find(name)?.data.clone()) };
    status(&Evidence {
        partition: &partition,
        files: files.as_ref().map_err(Clone::clone),
        show,
    })
}

/// What was wrong with the files.
pub fn file_findings(files: &std::result::Result<NvramFiles, String>) -> Vec<Finding> {
    match files {
        Ok(files) => files.findings.clone(),
        Err(why) => vec![Finding::note(
            "NVRAM-FILES",
            format!("no files of /data/nvram: {why}"),
        )],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cids_as_people_copy_them() {
        let plain = "150100483147324138a1b2c3d4e5f601";
        for text in [
            plain,
            "0x150100483147324138A1B2C3D4E5F601",
            " 15010048 31473241 38a1b2c3 d4e5f601\n",
        ] {
            assert_eq!(check_cid(text).as_deref(), Ok(plain));
        }
        for bad in ["", "1501", "xyz", &"g".repeat(32)] {
            assert!(check_cid(bad).is_err_and(|why| why.contains("32")));
        }
    }
}

//! How a phone's storage is named on the command line: a dump, its boot area,
//! and what else is known of the phone.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use unilk::emmc::Card;
use unilk::layout::Layout;
use unilk::scatter::{self, Scatter};
use unilk::source::{FileSource, Source};
use unilk::storage::{Options, Storage};

/// A dump and what helps to read it.
#[derive(clap::Args)]
pub struct Dump {
    /// Dump of the user area, linear dump with the boot areas in front, Android
    /// sparse image of either, block device, or directory of files named after
    /// partitions
    pub file: PathBuf,
    #[command(flatten)]
    pub known: Known,
}

/// What helps to read a dump.
#[derive(clap::Args, Default)]
pub struct Known {
    /// Dump of boot area 1; default: FILE.boot1, if there is one
    #[arg(long, value_name = "FILE")]
    boot1: Option<PathBuf>,
    /// The phone's scatter file; needed where a dump has no partition table (PMT)
    #[arg(long, value_name = "FILE")]
    scatter: Option<PathBuf>,
    /// The card's sizes, as `unilk emmc` writes them; default: told by where
    /// things stand in the dump
    #[arg(long, value_name = "CARD.JSON")]
    card: Option<PathBuf>,
}

impl Dump {
    /// The card's sizes, if they were given.
    pub fn card(&self) -> Result<Option<Card>> {
        self.known.card()
    }

    /// A dump of which nothing else is known.
    pub fn of(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            known: Known::default(),
        }
    }

    /// Opens it.
    pub fn open(&self) -> Result<Storage> {
        self.known.open(&self.file)
    }

    /// Opens it, by `layout` where it has no table of its own.
    pub fn open_by(&self, layout: Option<Layout>) -> Result<Storage> {
        self.known.open_by(&self.file, layout)
    }
}

impl Known {
    /// The card's sizes, if they were given.
    pub fn card(&self) -> Result<Option<Card>> {
        self.card.as_deref().map(card).transpose()
    }

    /// Opens the dump in `file`.
    pub fn open(&self, file: &Path) -> Result<Storage> {
        self.open_by(file, self.scatter.as_deref().map(layout).transpose()?)
    }

    fn open_by(&self, file: &Path, layout: Option<Layout>) -> Result<Storage> {
        let mut options = Options {
            scatter: layout,
            card: self.card()?,
        };
        let context = || file.display().to_string();
        if file.is_dir() {
            complete(file, &mut options)?;
            let files = directory(file)?;
            return Storage::open_directory(files, &options).with_context(context);
        }
        let boot1 = match &self.boot1 {
            Some(path) => Some(source(path)?),
            None => beside(file).map(|path| source(&path)).transpose()?,
        };
        Storage::open_image(source(file)?, boot1, &options).with_context(context)
    }
}

/// What lies beside the files of a directory belongs to them.
fn complete(folder: &Path, options: &mut Options) -> Result<()> {
    if options.scatter.is_none() {
        let file = in_folder(folder)?;
        options.scatter = file.as_deref().map(layout).transpose()?;
    }
    let beside = folder.join(CARD);
    if options.card.is_none() && beside.is_file() {
        options.card = Some(card(&beside)?);
    }
    Ok(())
}

/// Sizes of a card as `unilk emmc` writes them.
pub const CARD: &str = "card.json";

/// `FILE.boot1`, as `unilk emmc build` and mtkclient name it.
fn beside(file: &Path) -> Option<PathBuf> {
    let mut name = file.file_name()?.to_owned();
    name.push(".boot1");
    let path = file.with_file_name(name);
    path.is_file().then_some(path)
}

/// Opens a file.
pub fn source(path: &Path) -> Result<Arc<dyn Source>> {
    let file = FileSource::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Arc::new(file))
}

/// All files of a directory.
fn directory(path: &Path) -> Result<Vec<(String, Arc<dyn Source>)>> {
    let context = || format!("cannot read {}", path.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).with_context(context)? {
        let entry = entry.with_context(context)?;
        if entry.path().is_file() {
            let name = entry.file_name().to_string_lossy().into_owned();
            files.push((name, source(&entry.path())?));
        }
    }
    Ok(files)
}

/// Reads `card.json`.
pub fn card(path: &Path) -> Result<Card> {
    let text = super::read(path)?;
    serde_json::from_slice(&text).with_context(|| {
        format!(
            "{} does not hold a card's sizes; expected \
             {{\"boot_size_mult\": 16, \"rpmb_size_mult\": 16, \"user_bytes\": 3900702720}}",
            path.display()
        )
    })
}

/// Reads a scatter file with all that it says.
pub fn scatter(path: &Path) -> Result<Scatter> {
    let text = String::from_utf8(super::read(path)?)
        .with_context(|| format!("{} is not a text file", path.display()))?;
    Scatter::parse(&text).with_context(|| format!("{} is no scatter file", path.display()))
}

/// Reads a scatter file to its layout.
pub fn layout(path: &Path) -> Result<Layout> {
    let layout = scatter(path)?.layout().and_then(|layout| {
        layout.check().map_err(scatter::Error::Layout)?;
        Ok(layout)
    });
    layout.with_context(|| format!("{}: `unilk scatter lint` says more", path.display()))
}

/// The scatter file of a firmware folder: the one whose name says so, or else
/// the one text that is one.
pub fn in_folder(folder: &Path) -> Result<Option<PathBuf>> {
    let context = || format!("cannot read {}", folder.display());
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(context)? {
        let path = entry.with_context(context)?.path();
        let ending = path.extension().unwrap_or_default();
        if ending.eq_ignore_ascii_case("txt") && path.is_file() {
            texts.push(path);
        }
    }
    texts.sort();
    let says_so = |path: &&PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.to_ascii_lowercase().contains("scatter")
    };
    let is_one = |path: &&PathBuf| scatter(path).is_ok();
    let mut found: Vec<&PathBuf> = texts.iter().filter(says_so).collect();
    if found.is_empty() {
        found = texts.iter().filter(is_one).collect();
    }
    match found.as_slice() {
        [one] => Ok(Some((*one).clone())),
        [] => Ok(None),
        several => {
            let names: Vec<String> = several.iter().map(|p| p.display().to_string()).collect();
            bail!(
                "{} scatter files in {}, name one: {}",
                several.len(),
                folder.display(),
                names.join(", ")
            )
        }
    }
}

//! A plan for flashing this phone: its own scatter file with nothing marked for
//! download but what was asked for, the images beside it, and what to do with
//! flash tools then.
//!
//! Whatever file or person say, the first loader, partition tables, identity
//! and security state are in no plan.
//!
//! Source: facts/storage-and-images.md 1.4, 3.6, 11.

mod check;
mod steps;
#[cfg(test)]
mod tests;

pub use steps::{Phone, instructions};

use super::{Error as ScatterError, Grammar, Scatter, lint};
use crate::finding::{Finding, any_problem};
use crate::layout::{Layout, Partition, Place};
use crate::source::Source;
use std::fmt;
use unilk_core::partition::{canonical, protected};

/// The partition that a plan always has.
pub const UBOOT: &str = "UBOOT";

/// An image and where it is to go.
pub struct Image<'a> {
    /// Partition, by name or alias.
    pub partition: &'a str,
    /// Its bytes.
    pub bytes: &'a dyn Source,
}

/// Why there is no plan. Nothing turns any of it off.
#[derive(Debug)]
pub enum Error {
    /// A partition that is never written, and what it holds.
    Protected(String, &'static str),
    /// A partition that the file puts into a boot area.
    BootArea(String),
    /// A partition in front of UBOOT, where all known phones have their tables,
    /// identity and security state, whatever this file calls them.
    BeforeUboot(String),
    /// The file marks something for download that is not understood.
    Unclear,
    /// The same partition twice.
    Twice(String),
    /// No such partition in the file.
    Unknown(String),
    /// It cannot be written by address: a reserve at the end of the card.
    NoPlace(String),
    /// An image that would not start, or would destroy something: partition,
    /// why.
    Image(String, Vec<Finding>),
    /// Addresses in the file that cannot be right.
    Addresses(Vec<Finding>),
    /// The file describes no layout.
    Scatter(ScatterError),
    /// An image cannot be read: partition, why.
    Read(String, std::io::Error),
}

impl Error {
    /// Whether the plan was refused for the phone's sake, rather than that
    /// something could not be done.
    pub fn is_refusal(&self) -> bool {
        !matches!(self, Self::Unknown(_) | Self::Twice(_) | Self::Read(..))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, findings: &[Finding]| {
            findings
                .iter()
                .try_for_each(|finding| write!(f, "\n  {}: {}", finding.code, finding.text))
        };
        match self {
            Self::Protected(name, holds) => write!(
                f,
                "{name} is never written, it holds {holds}; what a phone has there comes back only \
                 from its own backup"
            ),
            Self::BootArea(name) => write!(
                f,
                "{name} lies in a boot area, with the first loader; nothing is written there"
            ),
            Self::BeforeUboot(name) => write!(
                f,
                "{name} lies in front of UBOOT, where all known phones have partition tables, \
                 identity and security state"
            ),
            Self::Unclear => write!(
                f,
                "the scatter file says is_download in a way that is not understood; correct what \
                 `unilk scatter lint` says of it"
            ),
            Self::Twice(name) => write!(f, "{name} is given twice"),
            Self::Unknown(name) => write!(f, "the scatter file has no partition {name}"),
            Self::NoPlace(name) => write!(f, "{name} is a reserve at the end of the card"),
            Self::Image(name, findings) => {
                write!(f, "the image for {name} is not written:")?;
                list(f, findings)
            }
            Self::Addresses(findings) => {
                write!(f, "the scatter file's addresses cannot be right:")?;
                list(f, findings)?;
                write!(
                    f,
                    "\n  read this phone's own partition table (`mtk printgpt`, or a dump and \
                     `unilk emmc extract`) and use a scatter file that agrees with it"
                )
            }
            Self::Scatter(why) => write!(f, "{why}"),
            Self::Read(name, why) => write!(f, "the image for {name} cannot be read: {why}"),
        }
    }
}

impl std::error::Error for Error {}

/// One file of the plan.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Planned {
    /// Partition, as the scatter file names it.
    pub partition: String,
    /// Name of the file beside the scatter file.
    pub file: String,
    /// Its bytes.
    pub bytes: u64,
    /// Address in the scatter file.
    pub linear: u64,
    /// From the MBR on: the address in the user area where the MBR is its
    /// first sector.
    pub logical: u64,
    /// Bytes of the partition.
    pub room: u64,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How the scatter file is written.
    pub grammar: Grammar,
    /// The scatter file's text.
    pub scatter: String,
    /// What is downloaded, in the order that was asked for.
    pub planned: Vec<Planned>,
    /// What is doubtful, but no reason to refuse.
    pub findings: Vec<Finding>,
}

/// The plan that writes `images` by `scatter`.
///
/// # Errors
/// [`Error`], most of them refusals.
pub fn plan(scatter: &Scatter, images: &[Image<'_>]) -> Result<Plan, Error> {
    let indices = names(scatter, images.iter().map(|image| image.partition))?;
    let names: Vec<String> = indices
        .iter()
        .map(|&index| scatter.entries[index].name.clone())
        .collect();
    let in_the_way = lint::in_the_way(scatter, &names);
    if !in_the_way.is_empty() {
        return Err(Error::Addresses(in_the_way));
    }
    let layout = scatter.layout().map_err(Error::Scatter)?;
    let (mut planned, mut findings) = (Vec::new(), Vec::new());
    for (name, image) in names.iter().zip(images) {
        let partition = layout
            .find(name)
            .map_err(|why| Error::Scatter(ScatterError::Layout(why)))?;
        let said =
            check::image(partition, image.bytes).map_err(|why| Error::Read(name.clone(), why))?;
        if any_problem(&said) {
            return Err(Error::Image(name.clone(), said));
        }
        findings.extend(said);
        planned.push(one(&layout, partition, image.bytes.len())?);
    }
    let text = rewritten(scatter, &indices, &planned);
    if scatter.grammar == Grammar::Keyed && marks(&text) != planned.len() {
        return Err(Error::Unclear);
    }
    Ok(Plan {
        grammar: scatter.grammar,
        scatter: text,
        planned,
        findings,
    })
}

/// Numbers of the entries that `given` means, if all of them may be written.
///
/// # Errors
/// [`Error::Protected`] before anything else, whatever the file says.
pub fn names<'a>(
    scatter: &Scatter,
    given: impl Iterator<Item = &'a str> + Clone,
) -> Result<Vec<usize>, Error> {
    for name in given.clone() {
        if let Some(holds) = protected(name) {
            return Err(Error::Protected(name.to_owned(), holds));
        }
    }
    let mut indices = Vec::new();
    for name in given {
        let index = find(scatter, name)?;
        let entry = &scatter.entries[index];
        let region = entry.value("region");
        if !entry.in_user_area() || region.is_some_and(|region| region != "EMMC_USER") {
            return Err(Error::BootArea(entry.name.clone()));
        }
        if indices.contains(&index) {
            return Err(Error::Twice(entry.name.clone()));
        }
        indices.push(index);
    }
    Ok(indices)
}

/// Number of the entry that `name` or an alias of it means.
fn find(scatter: &Scatter, name: &str) -> Result<usize, Error> {
    let same = |other: &str| canonical(other).eq_ignore_ascii_case(canonical(name));
    scatter
        .entries
        .iter()
        .position(|entry| same(&entry.name))
        .ok_or_else(|| Error::Unknown(name.to_owned()))
}

fn one(layout: &Layout, partition: &Partition, bytes: u64) -> Result<Planned, Error> {
    let name = &partition.name;
    let (Place::Linear(linear), Ok(Some(logical))) = (partition.place, layout.logical(partition))
    else {
        return Err(Error::NoPlace(name.clone()));
    };
    let uboot = layout.find(UBOOT).map(|uboot| uboot.place.address());
    if uboot.is_ok_and(|uboot| linear < uboot) {
        return Err(Error::BeforeUboot(name.clone()));
    }
    let file = match canonical(name) {
        "UBOOT" => "lk.bin".to_owned(),
        "BOOTIMG" => "boot.img".to_owned(),
        "LOGO" => "logo.bin".to_owned(),
        other => {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            let stem = other.to_ascii_lowercase();
            let stem: String = stem
                .chars()
                .map(|c| if plain(c) { c } else { '_' })
                .collect();
            format!("{stem}.img")
        }
    };
    Ok(Planned {
        partition: name.clone(),
        file,
        bytes,
        linear,
        logical,
        room: partition.size,
    })
}

/// Lines that say is_download and true in whatever way, read as no parser does
/// it: what one overlooks, another may obey.
fn marks(text: &str) -> usize {
    let lines = text.lines().map(str::to_ascii_lowercase);
    lines
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter(|line| line.contains("is_download") && !line.trim_end().ends_with(": false"))
        .count()
}

/// The file with nothing marked but what is planned.
fn rewritten(scatter: &Scatter, indices: &[usize], planned: &[Planned]) -> String {
    let mut scatter = scatter.clone();
    for index in 0..scatter.entries.len() {
        let wanted = indices.iter().position(|&wanted| wanted == index);
        let file = wanted
            .and_then(|at| planned.get(at))
            .map(|planned| planned.file.as_str());
        scatter.set_download(index, file);
    }
    scatter.to_text()
}

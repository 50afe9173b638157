//! Says what a file is, what is wrong with it and what a phone would do with
//! it: the door for any bytes from the internet.
//!
//! Nothing that a file says of itself is believed: every size is checked
//! against what is there, everything is read through a [`Source`], and no
//! bytes make it panic. However large the file, it takes no more than
//! [`MEMORY_BYTES`] of memory, or [`DEEP_BYTES`] where kernels are unpacked:
//! pictures, trees and text files are read whole up to a bound of their own,
//! everything else passes by in pieces of [`read::CHUNK`].
//!
//! One module a format; each has a function `look` that takes what is said to
//! be of that format, and gives a [`Report`], or nothing where it is not.

mod atags;
mod blank;
mod bootarg;
mod bootimg;
mod card;
mod compressed;
mod dos;
mod elf;
mod filesystem;
mod gfh;
mod kernel;
mod loader;
pub mod logo;
mod mediatek;
mod misc;
mod ours;
mod pmt;
mod preloader;
pub mod read;
pub mod report;
mod scatter;
mod security;
mod sparse;
pub mod text;
mod tree;
mod uimage;
mod zimage;

#[cfg(test)]
mod testing;

use crate::finding::Finding;
use crate::recognise::{HEAD_BYTES, Kind};
use crate::source::{Source, Window};
use read::Watched;
pub use report::{Body, Cell, Fact, Group, Part, Report, Value};
use std::sync::Arc;

/// The most memory that looking at a file takes.
pub const MEMORY_BYTES: usize = 32 << 20;
/// The same if kernels are unpacked: an image and a dictionary.
pub const DEEP_BYTES: usize = 64 << 20;

/// How thoroughly to look.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Unpack kernels, to tell their version and the panels that they know.
    /// Takes a second or so for each.
    pub deep: bool,
}

/// Where in a file something lies, and how thoroughly it is looked at.
#[derive(Clone, Copy, Default)]
struct Level {
    depth: u8,
    options: Options,
}

impl Level {
    /// How deep a part may lie in others: card, partition, image, kernel, tree.
    const DEEPEST: u8 = 6;

    const fn top(options: Options) -> Self {
        Self { depth: 0, options }
    }

    const fn inner(self) -> Self {
        Self {
            depth: self.depth + 1,
            ..self
        }
    }

    const fn is_file(self) -> bool {
        self.depth == 0
    }
}

/// Looks at a file: at a whole card partition by partition, at anything else
/// as [`inspect`] does.
pub fn inspect_file(source: &Arc<dyn Source>, options: Options) -> Report {
    let level = Level::top(options);
    card::look(source, level).unwrap_or_else(|| watched(source, level))
}

/// Looks at all of `source`, which is no whole card.
pub fn inspect(source: &dyn Source) -> Report {
    watched(source, Level::default())
}

fn watched(source: &dyn Source, level: Level) -> Report {
    let watched = Watched::new(source);
    let mut report = look(&watched, level);
    report.findings.extend(unreadable(&watched));
    report
}

/// Where the medium failed meanwhile.
fn unreadable<S: Source>(watched: &Watched<S>) -> Option<Finding> {
    let (at, why) = watched.failure()?;
    Some(Finding::problem(
        "READ",
        format!("cannot be read from byte {at:#x} on ({why}): what is said of it may be wrong"),
    ))
}

/// Looks at something that lies somewhere in a file.
fn look(source: &dyn Source, level: Level) -> Report {
    if source.is_empty() {
        return empty();
    }
    if level.depth > Level::DEEPEST {
        return unknown(source, &[]);
    }
    let head = read::some(source, 0, HEAD_BYTES);
    let kind = Kind::of(&head);
    let found = match kind {
        Kind::MediatekImage => mediatek::look(source, &head, level),
        Kind::BootImage => Some(bootimg::look(source, &head, level)),
        Kind::VendorBoot => Some(bootimg::vendor::look(source, &head, level)),
        Kind::Preloader => Some(preloader::look(source, &head)),
        Kind::Signed => Some(security::signed(source, &head, level)),
        Kind::Elf => elf::look(source, &head),
        Kind::DeviceTree => Some(tree::look(source)),
        Kind::DeviceTreeTable => Some(tree::table(source, &head, level)),
        Kind::ZImage => Some(zimage::look(source, &head, level)),
        Kind::Unilk => Some(loader::bare(source)),
        Kind::UImage => Some(uimage::look(source, &head, level)),
        Kind::Compressed => compressed::look(source, &head),
        Kind::Cpio => Some(compressed::cpio(source, &head)),
        Kind::Scatter => Some(scatter::look(source)),
        Kind::DosTable => dos::look(source, &head),
        Kind::Pmt => Some(pmt::look(source, &head)),
        Kind::DownloadRecord => Some(pmt::download(source, &head)),
        Kind::SecRo => security::secro(source, &head),
        Kind::SecCfg => Some(security::seccfg(source, &head)),
        Kind::Atags => Some(atags::look(source, &head)),
        Kind::BootArgument => Some(bootarg::look(source, &head)),
        Kind::Ext => filesystem::ext(source, &head),
        Kind::Fat => filesystem::fat(source, &head),
        Kind::Sparse => Some(sparse::look(source, &head, level)),
        Kind::BootReport => Some(ours::report(source)),
        Kind::Backup => Some(ours::backup(source, &head)),
        Kind::Archive => Some(archive(source)),
        Kind::WebPage => Some(web_page(source)),
        Kind::BootLog | Kind::Blank | Kind::Misc | Kind::Card | Kind::Unknown => None,
    };
    found
        .or_else(|| misc::look(source))
        .or_else(|| ours::log(source))
        .or_else(|| {
            (kind == Kind::Blank)
                .then(|| blank::look(source, level))
                .flatten()
        })
        .unwrap_or_else(|| unknown(source, &head))
}

/// Looks at `len` bytes of `source` from `offset` on, as a part of it.
fn part(source: &dyn Source, name: impl Into<String>, offset: u64, len: u64, level: Level) -> Part {
    let window = Window::new(source, offset, len);
    Part {
        name: name.into(),
        offset,
        len: window.len(),
        report: look(&window, level.inner()),
    }
}

fn empty() -> Report {
    let mut report = Report::new(Kind::Unknown, 0, "empty");
    report.findings.push(Finding::problem(
        "EMPTY",
        "the file has no bytes: the copy or the download failed, make it again",
    ));
    report
}

fn archive(source: &dyn Source) -> Report {
    let summary = format!("archive of files, {}", text::size(source.len()));
    let mut report = Report::new(Kind::Archive, source.len(), summary);
    "Nothing on a phone takes an archive: unpack it and look at the files in it one by one."
        .clone_into(&mut report.on_a_phone);
    report
}

fn web_page(source: &dyn Source) -> Report {
    let mut report = Report::new(Kind::WebPage, source.len(), "a web page, not the file");
    report.findings.push(Finding::problem(
        "WEB-PAGE",
        "the download site sent a page instead of the file: open it in a browser to see what it wants, and download again",
    ));
    "Never flash it.".clone_into(&mut report.on_a_phone);
    report
}

fn unknown(source: &dyn Source, head: &[u8]) -> Report {
    let mut report = Report::new(Kind::Unknown, source.len(), "unknown data");
    let mut facts = report::Facts::new("content", "content");
    let start = &head[..head.len().min(16)];
    if !start.is_empty() {
        facts.add("begins_with", report::text(text::hex(start)));
    }
    facts.maybe("looks_like", blank::texture(head));
    report.facts.push(facts.into());
    "Nothing on an MT6572 phone is known to look like this; do not flash it."
        .clone_into(&mut report.on_a_phone);
    report
}

/// A finding about an error of the bootloader's parsers, under its code.
fn of_core(
    severity: fn(&'static str, String) -> Finding,
    why: &(impl unilk_core::Code + ?Sized),
) -> Finding {
    severity(why.code(), why.to_string())
}

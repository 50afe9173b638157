//! The same restore by hand with mtkclient, for phones whose eMMC nobody can
//! mount: which commands, in which order, and what must be seen before the
//! next.
//!
//! Everything is addressed by its byte in the user area: what mtkclient makes
//! of a partition's name depends on the base of the phone's table, which is
//! not proven for this chip. The commands therefore begin with a look at a
//! place whose content is known.
//!
//! Source: facts/storage-and-images.md 11.2, 11.6, 12.

use super::Error;
use super::archive::Archive;
use super::manifest::Part;
use std::fmt::Write;

/// A part to be written by hand.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct HandStep {
    /// Its name.
    pub name: String,
    /// Name of its file.
    pub file: String,
    /// First byte in the user area.
    pub offset: u64,
    /// Bytes, whole sectors.
    pub bytes: u64,
}

/// The parts as files and places.
///
/// # Errors
/// If the backup does not know where a part lies, or has no whole sectors of
/// it.
pub fn steps(parts: &[&Part]) -> Result<Vec<HandStep>, Error> {
    parts
        .iter()
        .map(|part| {
            let offset = part.place.offset.ok_or_else(|| {
                Error::Refused(format!(
                    "the backup does not know where {} lies: it was made of single files",
                    part.name
                ))
            })?;
            let file = part.member.rsplit('/').next().unwrap_or(&part.member);
            if part.bytes == 0 || part.bytes % 512 != 0 || offset % 512 != 0 {
                return Err(Error::Refused(format!(
                    "the backup does not hold {} in whole sectors: mtkclient would fill them up",
                    part.name
                )));
            }
            Ok(HandStep {
                name: part.name.clone(),
                file: file.to_owned(),
                offset,
                bytes: part.bytes,
            })
        })
        .collect()
}

/// What to do, as a text for people, with the commands indented.
pub fn instructions(archive: &Archive, steps: &[HandStep]) -> String {
    let mut text = format!(
        "Restore with mtkclient, from the backup {} of {}\n\
         ================================================================\n\n\
         Run everything in this folder. Stop at the first thing that is not as it says here.\n\
         Never write to boot1, boot2 or rpmb.\n\n",
        archive.digest().short(),
        archive.manifest().created
    );
    let mut number = 0;
    let mut heading = |text: &mut String, title: &str| {
        number += 1;
        // Writing into a string does not fail.
        let _ = writeln!(text, "{number}. {title}\n");
    };
    if let Some(offset) = look_part(archive).and_then(|part| part.place.offset) {
        heading(&mut text, "See that this phone counts as the backup does");
        let _ = writeln!(
            text,
            "    mtk ro {offset:#x} 0x200 look.bin --parttype user\n    \
             cmp look.bin {LOOK_FILE}\n\n   cmp must print nothing. If it does, the places below are \
             wrong for this phone\n   or this connection: stop.\n"
        );
    }
    heading(&mut text, "Keep what is there now");
    for step in steps {
        let _ = writeln!(
            text,
            "    mtk ro {:#x} {:#x} before-{} --parttype user",
            step.offset, step.bytes, step.file
        );
    }
    text.push('\n');
    heading(&mut text, "Write");
    for step in steps {
        let _ = writeln!(
            text,
            "    mtk wo {:#x} {:#x} {} --parttype user",
            step.offset, step.bytes, step.file
        );
    }
    text.push('\n');
    heading(&mut text, "Read back and compare; cmp must print nothing");
    for step in steps {
        let _ = writeln!(
            text,
            "    mtk ro {:#x} {:#x} after-{} --parttype user\n    cmp {} after-{}",
            step.offset, step.bytes, step.file, step.file, step.file
        );
    }
    text.push_str(
        "\nIf a write stopped, or cmp prints something: write that part again. To go back, write\n\
         the before- files to the same places.\n",
    );
    if let Some(uboot) = steps.iter().find(|step| step.name == "UBOOT") {
        let _ = writeln!(
            text,
            "\nOnly where `mtk printgpt` lists UBOOT at {:#x}, `mtk w uboot {}` does the same.",
            uboot.offset, uboot.file
        );
    }
    text
}

/// The file with the sector that is looked at first.
pub const LOOK_FILE: &str = "look-expected.bin";

/// The part whose first sector is looked at before anything is written: the
/// MBR, which stays as it is.
pub fn look_part(archive: &Archive) -> Option<&Part> {
    let manifest = archive.manifest();
    manifest
        .part("MBR")
        .filter(|part| part.place.offset.is_some() && part.bytes >= 512)
}

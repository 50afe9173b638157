//! `unilk emmc build`: a phone's eMMC from a layout and files.

use crate::cli::output::{Outcome, Output};
use crate::cli::{size, storage, write};
use anstream::println;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use unilk::emmc::{self, Card, Content, Image};
use unilk::layout::Place;
use unilk::storage::TAIL;

#[derive(clap::Args)]
pub struct Arguments {
    /// a516, large-boot, or a scatter file
    #[arg(long, default_value = "a516")]
    layout: String,
    /// The card's sizes, as an earlier build or extract wrote them
    #[arg(long, value_name = "CARD.JSON", conflicts_with_all = ["user_size", "boot_mult", "rpmb_mult"])]
    card: Option<PathBuf>,
    /// Size of the user area; default: what leaves USRDATA 2.2 GiB
    #[arg(long, value_parser = size)]
    user_size: Option<u64>,
    /// EXT_CSD byte 226, size of each boot area in 128 KiB; default: so that the
    /// MBR is sector 0
    #[arg(long, requires = "rpmb_mult")]
    boot_mult: Option<u8>,
    /// EXT_CSD byte 168, size of RPMB in 128 KiB
    #[arg(long, requires = "boot_mult")]
    rpmb_mult: Option<u8>,
    /// Directory with a NAME.img for each partition that has contents
    #[arg(long, value_name = "DIR")]
    parts: Option<PathBuf>,
    /// Contents of a partition, e.g. UBOOT=lk.bin; may be repeated
    #[arg(long = "part", value_name = "NAME=FILE", value_parser = super::assignment)]
    part: Vec<(String, PathBuf)>,
    /// Directory to write to
    #[arg(short, long, default_value = ".")]
    output: PathBuf,
}

/// What was made, in the form that `--json` prints.
#[derive(serde::Serialize)]
struct Made {
    directory: PathBuf,
    layout: String,
    card: Card,
    filled: Vec<String>,
}

impl Arguments {
    pub fn run(self, output: Output) -> Result<Outcome> {
        let layout = super::find_layout(&self.layout)?;
        let card = self.card(&layout)?;
        let mut contents = match &self.parts {
            Some(directory) => in_directory(directory, &layout)?,
            None => Vec::new(),
        };
        contents.retain(|(name, _)| !self.part.iter().any(|(given, _)| given == name));
        contents.extend(self.part);
        let mut image = Image::new(layout, card)?;
        for (name, path) in &contents {
            image
                .put(name, Content::File(path.clone()))
                .with_context(|| format!("{name}={}", path.display()))?;
        }
        std::fs::create_dir_all(&self.output)
            .with_context(|| format!("cannot create {}", self.output.display()))?;
        emmc::create(&self.output.join("user.img"), |out| image.write_user(out))?;
        emmc::create(&self.output.join("user.img.boot1"), |out| {
            image.write_boot1(out)
        })?;
        let card = serde_json::to_string_pretty(&image.card())?;
        write(&self.output.join(storage::CARD), card.as_bytes())?;
        let made = Made {
            directory: self.output,
            layout: image.layout().name.clone(),
            card: image.card(),
            filled: contents.into_iter().map(|(name, _)| name).collect(),
        };
        output.show(&made, |made| {
            println!(
                "{}: layout {}, user area {} MiB, boot areas {} KiB each",
                made.directory.display(),
                made.layout,
                made.card.user_bytes >> 20,
                made.card.boot_bytes() >> 10
            );
        })?;
        Ok(Outcome::Done)
    }

    fn card(&self, layout: &unilk::layout::Layout) -> Result<Card> {
        if let Some(path) = &self.card {
            return storage::card(path);
        }
        let mut card = Card::for_layout(layout, self.user_size)?;
        if let (Some(boot), Some(rpmb)) = (self.boot_mult, self.rpmb_mult) {
            card.boot_size_mult = boot;
            card.rpmb_size_mult = rpmb;
        }
        Ok(card)
    }
}

/// What `directory` has for the partitions of `layout`.
fn in_directory(
    directory: &Path,
    layout: &unilk::layout::Layout,
) -> Result<Vec<(String, PathBuf)>> {
    let names = layout
        .partitions
        .iter()
        .filter(|partition| matches!(partition.place, Place::Linear(_)))
        .map(|partition| partition.name.as_str())
        .chain([TAIL]);
    let found: Vec<_> = names
        .map(|name| (name.to_owned(), directory.join(format!("{name}.img"))))
        .filter(|(_, path)| path.is_file())
        .collect();
    ensure!(
        !found.is_empty(),
        "no NAME.img of a partition in {}",
        directory.display()
    );
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_name_the_right_form() {
        assert_eq!(size("4G"), Ok(1 << 32));
        assert!(size("four").is_err_and(|why| why.contains("64K")));
    }
}

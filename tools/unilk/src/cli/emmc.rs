//! `unilk emmc`: builds the contents of a phone's eMMC.

use super::output::{Outcome, Output};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use unilk::emmc::{self, Card, Content, Image};
use unilk::layout::{BUILT_IN, Layout, Place};
use unilk::scatter;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Write user.img, user.img.boot1 and card.json into a directory
    Build(Build),
    /// Print a layout with linear and logical addresses
    Table {
        /// a516, large-boot, or a scatter file
        #[arg(long, default_value = "a516")]
        layout: String,
    },
}

#[derive(clap::Args)]
pub struct Build {
    /// a516, large-boot, or a scatter file
    #[arg(long, default_value = "a516")]
    layout: String,
    /// Size of the user area; default: what leaves USRDATA 2.2 GiB
    #[arg(long, value_parser = super::size)]
    user_size: Option<u64>,
    /// EXT_CSD byte 226, size of each boot area in 128 KiB; default: so that the
    /// MBR is sector 0
    #[arg(long, requires = "rpmb_mult")]
    boot_mult: Option<u8>,
    /// EXT_CSD byte 168, size of RPMB in 128 KiB
    #[arg(long, requires = "boot_mult")]
    rpmb_mult: Option<u8>,
    /// Contents of a partition, e.g. UBOOT=lk.bin; may be repeated
    #[arg(long = "part", value_name = "NAME=FILE", value_parser = assignment)]
    parts: Vec<(String, PathBuf)>,
    /// Directory to write to
    #[arg(short, long, default_value = ".")]
    output: PathBuf,
}

impl Command {
    pub fn run(self, _output: Output) -> Result<Outcome> {
        match self {
            Self::Build(arguments) => arguments.run()?,
            Self::Table { layout } => table(&find_layout(&layout)?)?,
        }
        Ok(Outcome::Done)
    }
}

impl Build {
    fn run(self) -> Result<()> {
        let layout = find_layout(&self.layout)?;
        let mut card = Card::for_layout(&layout, self.user_size)?;
        if let (Some(boot), Some(rpmb)) = (self.boot_mult, self.rpmb_mult) {
            card.boot_size_mult = boot;
            card.rpmb_size_mult = rpmb;
        }
        let mut image = Image::new(layout, card)?;
        for (name, path) in self.parts {
            image
                .put(&name, Content::File(path.clone()))
                .with_context(|| format!("--part {name}={}", path.display()))?;
        }
        std::fs::create_dir_all(&self.output)
            .with_context(|| format!("cannot create {}", self.output.display()))?;
        emmc::create(&self.output.join("user.img"), |out| image.write_user(out))?;
        emmc::create(&self.output.join("user.img.boot1"), |out| {
            image.write_boot1(out)
        })?;
        let card = serde_json::to_string_pretty(&image.card())?;
        super::write(&self.output.join("card.json"), card.as_bytes())?;
        println!(
            "{}: layout {}, user area {} MiB, boot areas {} KiB each",
            self.output.display(),
            image.layout().name,
            image.card().user_bytes >> 20,
            image.card().boot_bytes() >> 10
        );
        Ok(())
    }
}

/// A built-in layout by name, or a scatter file by path.
fn find_layout(name: &str) -> Result<Layout> {
    if let Some(layout) = Layout::built_in(name) {
        return Ok(layout);
    }
    let path = Path::new(name);
    if !path.exists() {
        bail!(
            "no layout or scatter file {name}; built-in layouts are {}",
            BUILT_IN.join(", ")
        );
    }
    let text = String::from_utf8(super::read(path)?)
        .with_context(|| format!("{name} is not a text file"))?;
    let layout = scatter::parse(&text).with_context(|| name.to_owned())?;
    layout.check().with_context(|| name.to_owned())?;
    Ok(layout)
}

fn table(layout: &Layout) -> Result<()> {
    println!(
        "{:<12} {:>12} {:>12} {:>12}",
        "name", "linear", "size", "logical"
    );
    for partition in &layout.partitions {
        let linear = match partition.place {
            Place::Linear(address) => format!("{address:#x}"),
            Place::Tail { blocks } => format!("end-{blocks:#x}"),
        };
        let logical = layout
            .logical(partition)?
            .map_or_else(|| "-".to_owned(), |address| format!("{address:#x}"));
        println!(
            "{:<12} {linear:>12} {:>#12x} {logical:>12}",
            partition.name, partition.size
        );
    }
    Ok(())
}

fn assignment(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok((name.to_owned(), PathBuf::from(path)))
        }
        _ => Err("expected NAME=FILE, e.g. UBOOT=lk.bin".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments() {
        assert_eq!(
            assignment("UBOOT=a=b"),
            Ok(("UBOOT".to_owned(), PathBuf::from("a=b")))
        );
        for bad in ["UBOOT", "=x", "UBOOT="] {
            assert!(assignment(bad).is_err());
        }
    }

    #[test]
    fn sizes_name_the_right_form() {
        assert_eq!(super::super::size("4G"), Ok(1 << 32));
        assert!(super::super::size("four").is_err_and(|why| why.contains("64K")));
    }
}

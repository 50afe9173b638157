//! `unilk pack`: a flashable `lk.bin`, and what it is told of the phone.

use super::output::{Outcome, Output};
use anyhow::{Context, Result, anyhow, bail};
use clap::ValueEnum;
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use unilk::bootimg::SubHeaders;
use unilk::mtk::LK_PAYLOAD_MAX;
use unilk::{compress, image, names, pack};
use unilk_core::hints::{HintError, Hints};
use unilk_core::kernel::{Generation, KernelKind};

#[derive(clap::Args)]
pub struct Arguments {
    /// ELF file, raw image, or a unilk image of any form, whose hints or form are to change
    input: PathBuf,
    /// ELF file of the unpacker that the bootloader's ELF file is packed behind
    #[arg(long, value_name = "FILE")]
    unpacker: Option<PathBuf>,
    /// File to write; default: lk.bin, boot.img, recovery.img or lk.raw
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What to make of it
    #[arg(long = "as", value_enum, value_name = "FORM", default_value_t)]
    form: Form,
    /// Name in MediaTek's header of lk.bin
    #[arg(long, default_value = pack::LK_NAME)]
    name: String,
    #[command(flatten)]
    hints: HintArguments,
}

/// What is said of the phone; without any of it the hints stay as they are.
#[derive(clap::Args)]
#[command(next_help_heading = "Hints about the phone (all together replace those in the image)")]
struct HintArguments {
    /// Vendor's panel driver, e.g. ili9806e_dsi_cmd_txd
    #[arg(long, value_name = "NAME")]
    panel: Option<String>,
    /// Board in the driver table, e.g. ckt72-w-kk
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
    /// What the kernel in BOOTIMG is handed
    #[arg(long, value_enum)]
    kernel: Option<Kernel>,
    /// Android generation of a vendor kernel
    #[arg(long, value_enum)]
    generation: Option<AndroidGeneration>,
    /// Words to add to the kernel's command line
    #[arg(long, value_name = "WORDS")]
    cmdline: Option<String>,
    /// Take panel and board names that the driver table does not have
    #[arg(long)]
    force_name: bool,
}

/// Whom the image is made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
enum Form {
    /// lk.bin for the preloader: flash it to UBOOT
    #[default]
    Lk,
    /// Boot image that a stock LK starts from BOOTIMG: to try unilk without
    /// replacing anything. It then boots what lies in RECOVERY
    Boot,
    /// The same for RECOVERY: started by the phone's recovery keys, it boots
    /// what lies in BOOTIMG
    Recovery,
    /// Boot image without MediaTek's sub-headers, for loaders that want none
    PlainBoot,
    /// Bare code for address 0x80020000: for da-boot and other tools that
    /// start it from RAM over USB
    Da,
}

impl Form {
    fn file_name(self) -> &'static str {
        match self {
            Self::Lk => "lk.bin",
            Self::Boot | Self::PlainBoot => "boot.img",
            Self::Recovery => "recovery.img",
            Self::Da => "lk.raw",
        }
    }

    /// The file that holds `payload`.
    fn wrap(self, payload: &[u8], name: &str) -> Result<Vec<u8>> {
        let boot = |headers| pack::boot_image(payload, headers).context("cannot make a boot image");
        match self {
            Self::Lk => {
                unilk::mtk::with_header(name, payload).with_context(|| format!("--name {name}"))
            }
            Self::Boot => boot(SubHeaders::Boot),
            Self::Recovery => boot(SubHeaders::Recovery),
            Self::PlainBoot => boot(SubHeaders::None),
            Self::Da => Ok(payload.to_vec()),
        }
    }
}

/// Why a hint is not written.
fn unknown(argument: &str, why: &names::Unknown) -> anyhow::Error {
    anyhow!("{argument} {why} (--force-name takes it all the same)")
}

/// What was made.
#[derive(serde::Serialize)]
struct Made {
    file: PathBuf,
    form: Form,
    bytes: usize,
    payload_bytes: usize,
    left_in_uboot: usize,
    sha256: String,
}

impl Made {
    fn print(&self) {
        println!(
            "{}: {} bytes, SHA-256 {}",
            self.file.display(),
            self.bytes,
            self.sha256
        );
        println!(
            "payload {} bytes, {} left in UBOOT",
            self.payload_bytes, self.left_in_uboot
        );
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Kernel {
    /// A device tree (mainline, vendor 3.10 and later)
    Tree,
    /// The vendor's ATAG list (vendor 3.4)
    Vendor,
}

#[derive(Clone, Copy, ValueEnum)]
enum AndroidGeneration {
    /// Jelly Bean
    #[value(name = "4.2")]
    JellyBean,
    /// KitKat
    #[value(name = "4.4")]
    KitKat,
}

impl HintArguments {
    /// The hints that were given; `None` if there are none.
    fn hints(&self) -> Result<Option<Hints<'_>>> {
        if !self.force_name {
            if let Some(name) = &self.panel {
                names::panel(name).map_err(|why| unknown("--panel", &why))?;
            }
            if let Some(name) = &self.board {
                names::board(name).map_err(|why| unknown("--board", &why))?;
            }
        }
        let hints = Hints {
            panel: self.panel.as_deref(),
            board: self.board.as_deref(),
            kernel: self.kernel.map(|kernel| match kernel {
                Kernel::Tree => KernelKind::DeviceTree,
                Kernel::Vendor => KernelKind::VendorAtag,
            }),
            generation: self.generation.map(|generation| match generation {
                AndroidGeneration::JellyBean => Generation::JellyBean,
                AndroidGeneration::KitKat => Generation::KitKat,
            }),
            cmdline: self.cmdline.as_deref(),
        };
        if let Err(HintError::Field { field }) = hints.build() {
            let most = if field == "cmdline" { 351 } else { 63 };
            bail!("--{field}: expected at most {most} characters of plain ASCII text");
        }
        Ok((hints != Hints::default()).then_some(hints))
    }
}

impl Arguments {
    pub fn run(self, output: Output) -> Result<Outcome> {
        let hints = self.hints.hints()?;
        let input = super::read(&self.input)?;
        let context = || self.input.display().to_string();
        let mut payload = match &self.unpacker {
            Some(unpacker) => compress::payload(&input, &super::read(unpacker)?),
            None => pack::payload(&input),
        }
        .with_context(context)?;
        if let Some(hints) = &hints {
            image::fill(&mut payload, hints).with_context(context)?;
        }
        let image = self.form.wrap(&payload, &self.name)?;
        let file = self
            .output
            .unwrap_or_else(|| PathBuf::from(self.form.file_name()));
        super::write(&file, &image)?;
        let made = Made {
            file,
            form: self.form,
            bytes: image.len(),
            payload_bytes: payload.len(),
            left_in_uboot: LK_PAYLOAD_MAX - payload.len(),
            sha256: format!("{:x}", Sha256::digest(&image)),
        };
        output.show(&made, Made::print)?;
        Ok(Outcome::Done)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn hints_of(words: &str) -> HintArguments {
        let words = ["pack", "lk.elf"]
            .into_iter()
            .chain(words.split_whitespace());
        Cli::try_parse_from(words).unwrap().arguments.hints
    }

    #[test]
    fn arguments_become_hints() {
        let arguments = hints_of(
            "--panel ili9806e_dsi_cmd_txd --board ckt72-w-kk --kernel vendor --generation 4.4 \
             --cmdline quiet",
        );
        let hints = arguments.hints().unwrap().unwrap();
        assert_eq!(hints.panel, Some("ili9806e_dsi_cmd_txd"));
        assert_eq!(hints.board, Some("ckt72-w-kk"));
        assert_eq!(hints.kernel, Some(KernelKind::VendorAtag));
        assert_eq!(hints.generation, Some(Generation::KitKat));
        assert_eq!(hints.cmdline, Some("quiet"));
        assert_eq!(hints_of("").hints().unwrap(), None);
    }

    #[test]
    fn text_that_does_not_fit_names_its_argument() {
        let why = |words: &str| hints_of(words).hints().unwrap_err().to_string();
        let fits = format!("--cmdline {}", "x".repeat(351));
        assert!(hints_of(&fits).hints().is_ok());
        let long = format!("--cmdline {}", "x".repeat(352));
        assert!(why(&long).starts_with("--cmdline: expected at most 351"));
        let long = format!("--force-name --panel {}", "x".repeat(64));
        assert!(why(&long).starts_with("--panel: expected at most 63"));
    }

    #[test]
    fn unknown_names_need_force() {
        let why = hints_of("--panel ili9806e")
            .hints()
            .unwrap_err()
            .to_string();
        assert!(why.contains("near it: ili9806e_"), "{why}");
        let forced = hints_of("--panel mine_dsi --force-name");
        assert_eq!(forced.hints().unwrap().unwrap().panel, Some("mine_dsi"));
    }
}

//! `unilk bootimg`: builds boot and recovery images.

use super::output::{Outcome, Output};
use anyhow::{Context, Result};
use clap::ValueEnum;
use std::path::PathBuf;
use unilk::bootimg::{BootImage, SubHeaders, TreePlace, VENDOR_PAGE_BYTES};

#[derive(clap::Args)]
pub struct Arguments {
    /// zImage
    #[arg(long)]
    kernel: PathBuf,
    /// Compressed cpio archive
    #[arg(long)]
    ramdisk: Option<PathBuf>,
    /// Device tree blob
    #[arg(long)]
    dtb: Option<PathBuf>,
    /// Where the device tree goes
    #[arg(long, value_enum, default_value = "appended")]
    dtb_place: DtbPlace,
    /// MediaTek sub-headers in front of kernel and ramdisk
    #[arg(long, value_enum, default_value = "boot")]
    headers: Headers,
    /// Kernel command line
    #[arg(long, default_value = "")]
    cmdline: String,
    /// Product name in the header
    #[arg(long, default_value = "")]
    board: String,
    /// Page size in bytes
    #[arg(long, default_value_t = VENDOR_PAGE_BYTES)]
    page_size: u32,
    /// Leave the image id zero
    #[arg(long)]
    no_id: bool,
    /// File to write
    #[arg(short, long, default_value = "boot.img")]
    output: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum DtbPlace {
    /// Behind the kernel
    Appended,
    /// In the second-stage section
    Second,
}

#[derive(Clone, Copy, ValueEnum)]
enum Headers {
    /// None: a plain Android image
    None,
    /// KERNEL and ROOTFS, as stock loaders want in BOOTIMG
    Boot,
    /// KERNEL and RECOVERY, as stock loaders want in RECOVERY
    Recovery,
}

impl Arguments {
    pub fn run(self, _output: Output) -> Result<Outcome> {
        let optional = |path: &Option<PathBuf>| path.as_deref().map(super::read).transpose();
        let image = BootImage {
            kernel: super::read(&self.kernel)?,
            ramdisk: optional(&self.ramdisk)?.unwrap_or_default(),
            device_tree: optional(&self.dtb)?,
            tree_place: match self.dtb_place {
                DtbPlace::Appended => TreePlace::Appended,
                DtbPlace::Second => TreePlace::SecondStage,
            },
            sub_headers: match self.headers {
                Headers::None => SubHeaders::None,
                Headers::Boot => SubHeaders::Boot,
                Headers::Recovery => SubHeaders::Recovery,
            },
            page_bytes: self.page_size,
            cmdline: self.cmdline,
            name: self.board,
            with_id: !self.no_id,
            ..BootImage::default()
        };
        let built = image.build().context("cannot build the boot image")?;
        super::write(&self.output, &built)?;
        println!("{}: {} bytes", self.output.display(), built.len());
        Ok(Outcome::Done)
    }
}

//! The eMMC contents that the demo's phone starts from: our bootloader, a
//! kernel nobody here wrote (or our test kernel), an initramfs, a device tree.

use crate::{artifacts, debian, initramfs, paths, ui};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use unilk::bootimg::{BootImage, SubHeaders};
use unilk::emmc::{self, Card, Content, Image};
use unilk::layout::Layout;

/// Current kernels need more than the 6 MiB that stock layouts give BOOTIMG.
const LAYOUT: &str = "large-boot";
/// Tree of the emulated phone for kernels without MediaTek drivers.
const DEBIAN_TREE: &str = "mt6572-qemu-debian";
const COMMAND_LINE: &str = "console=tty0 console=ttyS0,921600n8 panic=-1";

/// What is booted.
#[derive(Clone, Debug)]
pub enum Payload {
    /// Debian's stock kernel with our initramfs.
    Debian(debian::Kernel),
    /// Our test kernel, and why Debian's is not there.
    Test(String),
}

impl Payload {
    /// The payload that a person asked for by a release's name or `test`. If
    /// nobody asked: Debian's kernel for this machine's release, or the test
    /// kernel where that cannot be had.
    pub fn choose(asked: Option<&str>) -> Result<Self> {
        match asked {
            Some("test") => Ok(Self::Test("asked for".to_owned())),
            Some(release) => Ok(Self::Debian(debian::kernel(release)?)),
            None => Ok(Self::find(&debian::default_release())),
        }
    }

    /// Debian's kernel of `release`, or the test kernel where it cannot be had.
    fn find(release: &str) -> Self {
        match debian::kernel(release).and_then(|kernel| debian::busybox().map(|_| kernel)) {
            Ok(kernel) => Self::Debian(kernel),
            Err(why) => {
                ui::note(&format!("{why:#}"));
                ui::note("booting unilk's own test kernel instead of Debian's");
                Self::Test(format!("{why:#}"))
            }
        }
    }

    /// The payload in a few words.
    pub fn describe(&self) -> String {
        match self {
            Self::Debian(kernel) => {
                format!(
                    "Debian's stock kernel {} ({})",
                    kernel.version, kernel.release
                )
            }
            Self::Test(_) => "unilk's test kernel".to_owned(),
        }
    }

    /// What the kernel says first on its console.
    pub fn first_words(&self) -> &'static str {
        match self {
            Self::Debian(_) => "Linux version",
            Self::Test(_) => "TK entry",
        }
    }

    /// The boot image that holds it.
    pub fn boot_image(&self) -> Result<BootImage> {
        let read = |path: &Path| fs::read(path).with_context(|| path.display().to_string());
        let mut image = BootImage {
            cmdline: COMMAND_LINE.to_owned(),
            name: "unilk-demo".to_owned(),
            device_tree: Some(read(&artifacts::dtb(DEBIAN_TREE))?),
            ..BootImage::default()
        };
        match self {
            Self::Debian(kernel) => {
                image.kernel = read(&kernel.zimage)?;
                image.ramdisk = initramfs::build(&debian::busybox()?)?;
            }
            Self::Test(_) => {
                image.kernel = read(&artifacts::test_kernel_image())?;
                // Any bytes do: the test kernel checks that they arrive whole.
                image.ramdisk = (0..=u8::MAX).cycle().take(64 * 1024).collect();
            }
        }
        Ok(image)
    }
}

/// Puts beside the build what boot tests want of Debian's: every generation of
/// its kernel that can be had, and the initramfs. Tests without their kernel
/// are skipped and say so.
pub fn provide_for_tests() -> Result<()> {
    for release in debian::RELEASES {
        let place = debian::kernel_for_tests(release);
        match debian::kernel(release) {
            Ok(kernel) => {
                fs::copy(&kernel.zimage, &place)
                    .with_context(|| format!("cannot write {}", place.display()))?;
            }
            Err(why) => {
                // What an earlier run left must not stand in for it.
                let _ = fs::remove_file(&place);
                ui::note(&format!("no kernel of {release}: {why:#}"));
            }
        }
    }
    match debian::busybox() {
        Ok(busybox) => {
            let path = paths::work().join("initramfs.cpio.gz");
            fs::write(&path, initramfs::build(&busybox)?)
                .with_context(|| format!("cannot write {}", path.display()))
        }
        Err(why) => {
            let _ = fs::remove_file(paths::work().join("initramfs.cpio.gz"));
            ui::note(&format!("no initramfs: {why:#}"));
            Ok(())
        }
    }
}

/// A built card: files on the host and the sizes that go with them.
#[derive(Clone, Debug)]
pub struct BuiltCard {
    /// The user area.
    pub user: PathBuf,
    /// The card's sizes.
    pub card: Card,
    /// Size of the image in BOOTIMG.
    pub boot_image_bytes: usize,
    /// Size of the kernel in it, with the device tree behind it.
    pub kernel_bytes: usize,
}

/// Builds a card in `directory`, with our bootloader in UBOOT and `payload` in
/// BOOTIMG and RECOVERY. Boot area 1 goes where the emulator looks for it,
/// beside the user area.
pub fn build(payload: &Payload, directory: &Path) -> Result<BuiltCard> {
    build_with(payload.boot_image()?, directory)
}

/// As [`build`], for any boot image.
pub fn build_with(mut boot: BootImage, directory: &Path) -> Result<BuiltCard> {
    let step = ui::step("eMMC image");
    fs::create_dir_all(directory).context("cannot create the directory for the card")?;
    let kernel_bytes = boot.kernel.len() + boot.device_tree.as_ref().map_or(0, Vec::len);
    let boot_bytes = boot.build().context("boot image")?;
    boot.sub_headers = SubHeaders::Recovery;
    let recovery_bytes = boot.build().context("recovery image")?;
    fs::write(directory.join("boot.img"), &boot_bytes).context("cannot write boot.img")?;

    let layout = Layout::built_in(LAYOUT).context("no such layout")?;
    let card = Card::for_layout(&layout, None)?;
    let mut image = Image::new(layout, card)?;
    image.put("UBOOT", Content::File(paths::lk_image()))?;
    let boot_image_bytes = boot_bytes.len();
    image.put("BOOTIMG", Content::Bytes(boot_bytes))?;
    image.put("RECOVERY", Content::Bytes(recovery_bytes))?;
    let (user, boot1) = (directory.join("user.img"), directory.join("user.img.boot1"));
    emmc::create(&user, |out| image.write_user(out))?;
    emmc::create(&boot1, |out| image.write_boot1(out))?;
    step.done(&format!(
        "{} MiB user area, boot image {} KiB",
        card.user_bytes >> 20,
        boot_image_bytes >> 10
    ));
    Ok(BuiltCard {
        user,
        card,
        boot_image_bytes,
        kernel_bytes,
    })
}

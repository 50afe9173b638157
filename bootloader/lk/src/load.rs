//! A kernel from its partition into memory: read the headers, judge the
//! image, plan the memory, and only then let the DMA write anything.
//!
//! Source: facts/storage-and-images.md 5 and 6.

use core::fmt;

use mt6572_hal::dma::DmaRegion;
use mt6572_hal::mmc;
use mt6572_hal::time;
use unilk_core::Code;
use unilk_core::address::{Physical, SECTOR_BYTES};
use unilk_core::block::{ReadAt, Window};
use unilk_core::bootarg::{BootMode, Dram};
use unilk_core::bootimg::{BootImage, ImageError, Piece};
use unilk_core::bootmode::Image;
use unilk_core::kernel::{self, Certainty, Evidence, KernelKind, Verdict};
use unilk_core::memory::{
    DeviceTreeNeeds, FRAMEBUFFER_RESERVE, KERNEL_MEMORY_START, MemoryError, PlacementNote, Region,
    RegionMap, VendorNeeds, plan_device_tree, plan_vendor,
};
use unilk_core::names;
use unilk_core::packed;
use unilk_core::partition::LocateError;
use unilk_core::zimage::{self, KernelSize, ZImage, ZImageError};

use crate::hand_off::{Kernel, tags, tree};
use crate::log::say;
use crate::map;
use crate::parts::{self, Parts};
use crate::storage::Disk;
use crate::wake::{Phone, WATCHDOG};

/// Enough to unpack kernels that are not packed by xz.
const SMALL_WORK: u32 = 9 << 20;
/// No image can be larger than the DRAM of the largest phone; so no size in
/// it wraps when it is rounded up.
const LARGEST_IMAGE: u64 = 1 << 30;

/// The tree for kernels that bring none.
pub static GENERIC_TREE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/mt6572-generic.dtb"));

/// Why an image cannot be booted.
#[derive(Debug, Clone, Copy)]
pub enum Problem {
    /// There is no such partition.
    Partition(LocateError),
    /// The boot image is unusable.
    Image(ImageError),
    /// Its kernel is unusable.
    Kernel(ZImageError),
    /// It does not fit this phone's memory.
    Memory(MemoryError),
    /// The card failed while it was loaded.
    Card(mmc::Error),
    /// The device tree is unusable.
    Tree(unilk_core::fixup::FixupError),
    /// The tags cannot be written.
    Tags(unilk_core::atags::AtagError),
    /// The command line cannot be built.
    CommandLine(unilk_core::cmdline::CmdlineError),
}

macro_rules! each {
    ($self:expr, $error:ident => $do:expr) => {
        match $self {
            Problem::Partition($error) => $do,
            Problem::Image($error) => $do,
            Problem::Kernel($error) => $do,
            Problem::Memory($error) => $do,
            Problem::Card($error) => $do,
            Problem::Tree($error) => $do,
            Problem::Tags($error) => $do,
            Problem::CommandLine($error) => $do,
        }
    };
}

impl Problem {
    /// Whether the image is this bootloader itself.
    pub fn is_itself(&self) -> bool {
        matches!(self, Self::Image(ImageError::Itself))
    }
}

impl Code for Problem {
    fn code(&self) -> &'static str {
        each!(self, error => error.code())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        each!(self, error => error.fmt(f))
    }
}

macro_rules! from {
    ($($error:ty => $variant:ident),* $(,)?) => {$(
        impl From<$error> for Problem {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}
from! {
    LocateError => Partition,
    ImageError => Image,
    ZImageError => Kernel,
    MemoryError => Memory,
    mmc::Error => Card,
    unilk_core::fixup::FixupError => Tree,
    unilk_core::atags::AtagError => Tags,
    unilk_core::cmdline::CmdlineError => CommandLine,
}

/// An image whose headers have been read and believed.
pub struct Opened {
    /// Where its partition starts.
    pub first: Physical,
    /// The boot image.
    pub image: BootImage,
    /// Its kernel.
    pub zimage: ZImage,
    /// How large the kernel is when unpacked.
    pub size: KernelSize,
    /// A tree behind the zImage: offset in the kernel section, bytes.
    pub appended: Option<(u32, u32)>,
    /// The mode that the kernel is told.
    pub mode: BootMode,
}

/// Loads the kernel of `image` and prepares everything that it is handed.
pub fn load(
    phone: &mut Phone,
    parts: &'static Parts,
    disk: &mut Disk,
    image: Image,
) -> Result<Kernel, Problem> {
    phone.hal.toprgu.start(WATCHDOG);
    phone.hal.toprgu.kick();
    let opened = open(disk, image)?;
    let verdict = judge(phone, &opened);
    match verdict.kind {
        KernelKind::DeviceTree => with_tree(phone, parts, disk, &opened),
        KernelKind::VendorAtag => with_tags(phone, parts, disk, &opened, &verdict),
    }
}

// Not inlined: one function of a whole boot would be kilobytes larger.
#[inline(never)]
fn open(disk: &mut Disk, image: Image) -> Result<Opened, Problem> {
    let (first, sectors) = disk.table.locate(image.partition)?;
    let bytes = sectors.saturating_mul(SECTOR_BYTES).min(LARGEST_IMAGE) as u32;
    let mut window = Window::new(&mut disk.storage, first, sectors);
    let boot = BootImage::open(&mut window, bytes)?;
    let mut section = Section {
        window: &mut window,
        start: boot.kernel.offset,
    };
    let mut head = alloc::vec![0; zimage::HEAD_LEN.min(boot.kernel.len as usize)];
    section
        .read_at(0, &mut head)
        .map_err(|_| ZImageError::Read)?;
    if packed::is_ours(&head) {
        return Err(ImageError::Itself.into());
    }
    let zimage = ZImage::parse(&head, boot.kernel.len)?;
    let size = zimage.kernel_size(&mut section);
    let appended = zimage::appended_tree(&zimage, &mut section, boot.kernel.len)?;
    defmt::info!("{} {} {}", zimage, size, boot.kernel);
    point_out_oddities(&boot);
    Ok(Opened {
        first,
        image: boot,
        zimage,
        size,
        appended,
        mode: image.mode,
    })
}

/// What boots all the same, but not as its maker may think.
fn point_out_oddities(boot: &BootImage) {
    if boot.second_ignored {
        say!("the image's second stage is no device tree: ignored");
    }
    let odd = |piece: &Piece| piece.odd_name;
    if odd(&boot.kernel) || boot.ramdisk.as_ref().is_some_and(odd) {
        say!("a stock loader would refuse this image: unusual name in a MediaTek header");
    }
    let (main, extra) = boot.cmdline();
    if main.is_none() || extra.is_none() {
        say!("the image's command line is no text: ignored");
    }
}

fn judge(phone: &Phone, opened: &Opened) -> Verdict {
    let verdict = kernel::judge(&Evidence {
        zimage: &opened.zimage,
        section: &opened.image.kernel,
        has_tree: opened.appended.is_some() || opened.image.tree.is_some(),
        hint: phone.hints.kernel,
        generation_hint: phone.hints.generation,
    });
    let kind = match verdict.kind {
        KernelKind::DeviceTree => "takes a device tree",
        KernelKind::VendorAtag => "takes vendor tags",
    };
    let sure = match verdict.certainty {
        Certainty::Certain => "",
        Certainty::Likely => ", most likely",
        Certainty::Guess => ", A GUESS: pack a hint if it does not start",
    };
    say!(
        "kernel {} KiB {kind}{sure} ({})",
        opened.image.kernel.len / 1024,
        verdict.reasons.first().unwrap_or(&"no evidence"),
    );
    for reason in verdict.reasons.iter().skip(1) {
        defmt::info!("also: {=str}", reason);
    }
    verdict
}

#[inline(never)]
fn with_tree(
    phone: &mut Phone,
    parts: &'static Parts,
    disk: &mut Disk,
    opened: &Opened,
) -> Result<Kernel, Problem> {
    let tree_len = opened
        .appended
        .map(|(_, len)| len)
        .or(opened.image.tree.map(|piece| piece.len))
        .unwrap_or(GENERIC_TREE.len() as u32);
    let mut plan = plan_device_tree(
        &phone.dram,
        &DeviceTreeNeeds {
            placement: opened.zimage.placement,
            zimage_len: whole_sectors(opened.image.kernel.len),
            kernel: opened.size,
            tree_len,
            ramdisk_len: opened
                .image
                .ramdisk
                .map_or(0, |piece| whole_sectors(piece.len)),
            in_use: &[framebuffer(&phone.dram)],
        },
    )?;
    if plan.note != PlacementNote::None {
        say!("{}", plan.note);
    }
    show_memory(&plan.map);
    let source = match (opened.appended, opened.image.tree) {
        (Some((offset, len)), _) => TreeSource::Appended { offset, len },
        (None, Some(piece)) => {
            let window = Region::between("DRAM", plan.memory_start, phone.dram.end());
            let region = plan.map.allocate(
                "device tree as it came",
                whole_sectors(piece.len),
                4096,
                window,
            )?;
            fetch(disk, opened.first, piece, region)?;
            TreeSource::Loaded {
                region,
                len: piece.len,
            }
        }
        (None, None) => TreeSource::Generic,
    };
    fetch(disk, opened.first, opened.image.kernel, plan.zimage)?;
    if let (Some(piece), Some(region)) = (opened.image.ramdisk, plan.ramdisk) {
        fetch(disk, opened.first, piece, region)?;
    }
    // The strings of such a kernel name no vendor's driver; the recovery's
    // may still be the phone's own.
    parts.finish(phone);
    let kernel = if parts.kernel_may_help() {
        stock_kernel(phone, disk, &mut plan.map)
    } else {
        None
    };
    parts.settle(phone, disk, kernel);
    tree::write(phone, parts, opened, &plan, source)
}

#[inline(never)]
fn with_tags(
    phone: &mut Phone,
    parts: &'static Parts,
    disk: &mut Disk,
    opened: &Opened,
    verdict: &Verdict,
) -> Result<Kernel, Problem> {
    let mut plan = plan_vendor(
        &phone.dram,
        &VendorNeeds {
            zimage_len: whole_sectors(opened.image.kernel.len),
            kernel: opened.size,
            ramdisk_len: opened
                .image
                .ramdisk
                .map_or(0, |piece| whole_sectors(piece.len)),
            in_use: &[framebuffer(&phone.dram)],
        },
    )?;
    show_memory(&plan.map);
    fetch(disk, opened.first, opened.image.kernel, plan.zimage)?;
    if let (Some(piece), Some(region)) = (opened.image.ramdisk, plan.ramdisk) {
        fetch(disk, opened.first, piece, region)?;
    }
    let work = room_to_unpack(phone, &mut plan.map);
    let kernel = work.map(|work| parts::Kernel {
        zimage: &dram(plan.zimage)[..opened.image.kernel.len as usize],
        work,
    });
    parts.settle(phone, disk, kernel);
    tags::write(phone, parts, opened, &plan, verdict.generation)
}

/// Free memory to unpack a kernel into.
fn room_to_unpack(phone: &Phone, map: &mut RegionMap) -> Option<&'static mut [u8]> {
    let window = Region::between("DRAM", KERNEL_MEMORY_START, phone.dram.end());
    let region = [names::WORK_BYTES as u32, SMALL_WORK]
        .iter()
        .find_map(|&len| map.allocate("unpacking", len, 4096, window).ok());
    region.map(dram)
}

/// The vendor's kernel in RECOVERY, if there is one, in free memory.
#[inline(never)]
fn stock_kernel(
    phone: &Phone,
    disk: &mut Disk,
    map: &mut RegionMap,
) -> Option<parts::Kernel<'static>> {
    let recovery = Image::first("RECOVERY", BootMode::Recovery);
    let opened = open(disk, recovery).ok()?;
    let kind = kernel::judge(&Evidence {
        zimage: &opened.zimage,
        section: &opened.image.kernel,
        has_tree: opened.appended.is_some() || opened.image.tree.is_some(),
        hint: None,
        generation_hint: None,
    })
    .kind;
    if !matches!(kind, KernelKind::VendorAtag) {
        return None;
    }
    let piece = opened.image.kernel;
    let window = Region::between("DRAM", KERNEL_MEMORY_START, phone.dram.end());
    let len = whole_sectors(piece.len);
    let region = map.allocate("recovery's kernel", len, 4096, window).ok()?;
    fetch(disk, opened.first, piece, region).ok()?;
    Some(parts::Kernel {
        zimage: &dram(region)[..piece.len as usize],
        work: room_to_unpack(phone, map)?,
    })
}

/// What the picture may take, whichever panel is lit later.
fn framebuffer(dram: &Dram) -> Region {
    Region::between(
        "framebuffer",
        dram.end().saturating_sub(FRAMEBUFFER_RESERVE),
        dram.end(),
    )
}

/// Notes which memory is in use for what. In the trace only: as text it would
/// cost the UART 3 ms, more than a small kernel takes to load.
fn show_memory(plan: &RegionMap) {
    let own = [
        ("image", map::image()),
        ("work", map::work()),
        ("heap", map::heap()),
        ("log", map::log()),
    ];
    for (name, range) in own {
        note_region(name, range.start, range.end - range.start);
    }
    for region in plan.regions() {
        note_region(region.name, region.base, region.len);
    }
}

fn note_region(name: &str, base: u32, len: u32) {
    defmt::info!("memory: {=str} {=u32:#x}+{=u32:#x}", name, base, len);
}

/// Where a device tree comes from.
#[derive(Clone, Copy)]
pub enum TreeSource {
    /// Behind the zImage, at this offset of the kernel section.
    Appended {
        /// Offset in the kernel section.
        offset: u32,
        /// Bytes.
        len: u32,
    },
    /// From the image's second stage.
    Loaded {
        /// Where it was loaded.
        region: Region,
        /// Bytes.
        len: u32,
    },
    /// Ours.
    Generic,
}

/// Loads a piece of the image and waits for it.
fn fetch(disk: &mut Disk, first: Physical, piece: Piece, region: Region) -> Result<(), Problem> {
    let since = time::uptime_us();
    start(disk, first, piece, region)?;
    disk.storage.wait()?;
    defmt::info!(
        "read: {=u32} bytes in {=u64} us",
        whole_sectors(piece.len),
        time::uptime_us() - since
    );
    Ok(())
}

fn start(disk: &mut Disk, first: Physical, piece: Piece, region: Region) -> Result<(), Problem> {
    // Sections start on a page, MediaTek's header is one sector: the payload
    // always starts on a sector, so the DMA can put it where it belongs.
    if !u64::from(piece.offset).is_multiple_of(SECTOR_BYTES) {
        return Err(ImageError::Read.into());
    }
    let from = first.offset(u64::from(piece.offset) / SECTOR_BYTES);
    let memory = dram(Region {
        len: whole_sectors(piece.len),
        ..region
    });
    let region = DmaRegion::new(memory).map_err(|_| mmc::Error::Dma)?;
    Ok(disk.storage.start(from, region)?)
}

/// The bytes of a region that the memory plan gave us.
pub fn dram(region: Region) -> &'static mut [u8] {
    // SAFETY: planned regions lie in DRAM that is mapped, above everything
    // that this program owns, and do not overlap; each caller asks for one
    // that nobody else holds at that moment.
    unsafe { core::slice::from_raw_parts_mut(region.base as *mut u8, region.len as usize) }
}

fn whole_sectors(bytes: u32) -> u32 {
    bytes.next_multiple_of(SECTOR_BYTES as u32)
}

/// The kernel section of a partition, from its own first byte on.
struct Section<'a, R> {
    window: &'a mut R,
    start: u32,
}

impl<R: ReadAt> ReadAt for Section<'_, R> {
    type Error = R::Error;

    fn read_at(&mut self, offset: u32, out: &mut [u8]) -> Result<(), R::Error> {
        self.window.read_at(self.start.saturating_add(offset), out)
    }
}

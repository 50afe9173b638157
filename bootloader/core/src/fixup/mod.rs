//! Device-tree fix-up: tells the kernel what this boot found out.
//!
//! A kernel's tree knows the board, not the boot: how much DRAM is fitted,
//! where the ramdisk lies, which UART the preloader logs on, why the phone
//! started. [`fix_up`] takes the tree and a [`HandOff`] and writes a tree that
//! says all of it. What it does not know it does not touch, and nothing is
//! invented: no MAC address, no seed, no serial number that the caller did not
//! bring. Fixing up its own output again changes nothing.
//!
//! | place | rule | file |
//! |---|---|---|
//! | `/memory` | banks replace `reg` of the first memory node, others go | `memory.rs` |
//! | `/reserved-memory` | regions not yet covered are added | `reserved.rs` |
//! | `/chosen` bootargs | tree's, image's and ours merged by key | `bootargs.rs` |
//! | `/chosen` rest, `/aliases` targets, root | initrd, console, identity | `chosen.rs` |
//! | `/chosen` subnodes | simple-framebuffer on the lit panel, evidence | `display.rs` |
//! | panel, touch, camera nodes | what is fitted is enabled, the rest disabled | `parts.rs` |
//!
//! Source: facts/storage-and-images.md 5.4 and 6.4, facts/soc.md 1.1 and 12.2.

mod bootargs;
mod chosen;
mod display;
mod landmarks;
mod memory;
mod parts;
mod reserved;
mod value;

#[cfg(test)]
mod parts_tests;
#[cfg(test)]
mod tests;

use core::fmt;

use heapless::Vec;

use crate::error::Code;
use crate::fdt::{Cells, Editor, Fdt, FdtError, Node};

pub use bootargs::{MAX_BOOTARGS_BYTES, merge_bootargs};
pub use chosen::is_plain_16550;
pub use display::{Display, Evidence, MAX_REPORT_BYTES};
pub use parts::{CameraPart, Known, PanelPart, TouchPart};

/// Bytes at the end of the destination in which changes are assembled.
pub const WORKSPACE_BYTES: usize = 16 * 1024;

/// Room that a destination needs beyond the size of the source tree for any
/// usual [`HandOff`]: the workspace and what the workspace adds to the tree.
pub const GROWTH_BYTES: usize = 2 * WORKSPACE_BYTES;

/// Most warnings that one fix-up reports; further ones are only counted.
pub const MAX_WARNINGS: usize = 8;

/// Most reserved regions of one hand-off, the framebuffer included.
const MAX_RESERVED: usize = 16;

/// A range of physical addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Region {
    /// First address.
    pub base: u64,
    /// Length in bytes.
    pub size: u64,
}

impl Region {
    /// A range of `size` bytes from `base`.
    pub const fn new(base: u64, size: u64) -> Self {
        Self { base, size }
    }

    /// First address behind the range; the end of the address space if the
    /// range claims to reach beyond it.
    pub const fn end(&self) -> u64 {
        self.base.saturating_add(self.size)
    }

    /// Whether every byte of `other` lies in this range.
    pub const fn covers(&self, other: &Self) -> bool {
        self.base <= other.base && other.end() <= self.end()
    }

    /// Whether both have a byte in common.
    pub const fn overlaps(&self, other: &Self) -> bool {
        self.size > 0 && other.size > 0 && self.base < other.end() && other.base < self.end()
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}+{:#x}", self.base, self.size)
    }
}

/// Memory that the kernel must leave alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReservedRegion<'a> {
    /// Node name without unit address, for example `connsys`.
    pub name: &'a str,
    /// Where it lies.
    pub region: Region,
    /// Whether the kernel may not even map it (firmware or a device owns it).
    pub no_map: bool,
}

/// The two command lines that the tree's own is merged with; see
/// [`MAX_BOOTARGS_BYTES`] for the limit and `bootargs.rs` for the rule.
#[derive(Clone, Copy, Debug, Default)]
pub struct BootArgs<'a> {
    /// From the boot image's header, up to its first NUL.
    pub image: &'a [u8],
    /// What the bootloader has to say; wins over the others.
    pub ours: &'a [u8],
}

/// The UART that the bootloader logs on.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    /// Base address, from the boot argument's `log_port`.
    pub uart_base: u32,
    /// Baud rate, from `log_baudrate`.
    pub baud: u32,
}

/// What the bootloader found out about the phone and the boot. Becomes
/// `unilk,*` properties of `/chosen`.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// `unilk,version`.
    pub version: &'a str,
    /// `unilk,chip`, for example `MT6572`.
    pub chip: &'a str,
    /// `unilk,variant`: speed grade `M`, `A` or `W`.
    pub variant: &'a str,
    /// `unilk,boot-mode`, for example `normal`.
    pub boot_mode: &'a str,
    /// `unilk,boot-reason`, for example `power-key`.
    pub boot_reason: &'a str,
    /// `unilk,preloader-time-ms`: milliseconds that the preloader took.
    pub preloader_ms: u32,
}

/// A MAC address read from the phone's own storage.
#[derive(Clone, Copy, Debug)]
pub struct MacAddress<'a> {
    /// Alias of the network node, for example `wifi0`.
    pub alias: &'a str,
    /// The address as it goes over the air.
    pub address: [u8; 6],
}

/// What is known of one part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fitted<T> {
    /// Nobody looked: the tree's word counts.
    #[default]
    Unknown,
    /// There is none: what the tree claims is disabled.
    Nothing,
    /// This one.
    Part(T),
}

/// What was identified.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found<'a> {
    /// The picture that is on.
    pub display: Fitted<Display>,
    /// Panel.
    pub panel: Fitted<PanelPart<'a>>,
    /// Touch chip.
    pub touch: Fitted<TouchPart<'a>>,
    /// Main and sub camera.
    pub cameras: [Fitted<CameraPart<'a>>; 2],
    /// By what the tree's nodes are known.
    pub known: Known<'a>,
    /// What to say of it under `/chosen/unilk`.
    pub evidence: Evidence<'a>,
}

impl Found<'_> {
    /// Nobody looked for anything: the tree stays as it is.
    pub const UNKNOWN: Self = Self {
        display: Fitted::Unknown,
        panel: Fitted::Unknown,
        touch: Fitted::Unknown,
        cameras: [Fitted::Unknown; 2],
        known: Known {
            touch: &[],
            cameras: &[],
        },
        evidence: Evidence::NONE,
    };
}

/// Everything that a kernel's tree is told.
#[derive(Clone, Copy, Debug)]
pub struct HandOff<'a> {
    /// DRAM as fitted, one entry a bank.
    pub memory: &'a [Region],
    /// Memory to keep the kernel out of.
    pub reserved: &'a [ReservedRegion<'a>],
    /// Command lines.
    pub bootargs: BootArgs<'a>,
    /// The ramdisk as loaded; `None` removes what the tree claims about one.
    pub initrd: Option<Region>,
    /// Console for `stdout-path`, should the tree name none.
    pub console: Option<Console>,
    /// `serial-number` of the root node.
    pub serial_number: Option<&'a str>,
    /// `unilk,*` properties.
    pub identity: Identity<'a>,
    /// MAC addresses for nodes that the tree has an alias for.
    pub mac_addresses: &'a [MacAddress<'a>],
    /// Panel, touch chip, cameras.
    pub found: Found<'a>,
}

error_enum! {
    /// Why a tree could not be fixed up, other than by being broken.
    pub enum HandOffError {
        /// The root's `#address-cells` or `#size-cells` is neither 1 nor 2.
        RootCells { /** `#address-cells`. */ address: usize, /** `#size-cells`. */ size: usize }
            => "FIX-CELLS", "device tree's root has {address} address and {size} size cells: 1 or 2 are possible";
        /// An address or size does not fit the cells that the tree gives it.
        Unrepresentable { /** First address. */ base: u64, /** Bytes. */ size: u64 }
            => "FIX-RANGE", "{size:#x} bytes at {base:#x} cannot be said in the device tree's cells";
        /// The hand-off names no memory.
        NoMemory
            => "FIX-MEMORY", "no memory is known that the kernel could be told of";
    }
}

/// Why there is no fixed-up tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum FixupError {
    /// The tree is broken or the destination too small.
    Fdt(FdtError),
    /// The tree cannot take this hand-off.
    HandOff(HandOffError),
}

impl Code for FixupError {
    fn code(&self) -> &'static str {
        match self {
            Self::Fdt(error) => error.code(),
            Self::HandOff(error) => error.code(),
        }
    }
}

impl fmt::Display for FixupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fdt(error) => error.fmt(f),
            Self::HandOff(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for FixupError {}

impl From<FdtError> for FixupError {
    fn from(error: FdtError) -> Self {
        Self::Fdt(error)
    }
}

impl From<HandOffError> for FixupError {
    fn from(error: HandOffError) -> Self {
        Self::HandOff(error)
    }
}

error_enum! {
    /// Something in the tree that boots but deserves a line in the log.
    pub enum Warning {
        /// A reservation of the tree shares memory with a region of ours in a
        /// way that does not serve both.
        Overlap { /** Of the hand-off. */ ours: Region, /** Of the tree. */ tree: Region }
            => "FIX-OVERLAP", "device tree reserves {tree}, which collides with {ours} of the bootloader";
        /// The tree reserves a region of ours but lets the kernel map it, or
        /// the other way round.
        MapDiffers { /** Of the hand-off. */ ours: Region }
            => "FIX-MAP", "device tree and bootloader disagree on no-map for {ours}: the tree's word counts";
        /// `/reserved-memory` disagrees with the root about cells, for which
        /// Linux ignores it; our regions went to the reservation map.
        ReservedCells { /** `#address-cells`. */ address: usize, /** `#size-cells`. */ size: usize }
            => "FIX-RSVCELLS", "/reserved-memory has {address} address and {size} size cells, unlike the root: Linux will ignore it";
        /// The command lines together are longer than ARM Linux reads, so the
        /// tree's was left out.
        BootargsTooLong { /** Bytes that they would have come to. */ length: usize }
            => "FIX-BOOTARGS", "the command lines come to {length} bytes: the kernel reads 1023, so the device tree's is left out";
        /// No available node has the console's UART.
        NoConsole { /** Base address. */ uart_base: u32 }
            => "FIX-CONSOLE", "device tree has no enabled UART at {uart_base:#x}: stdout-path is not set";
        /// The report of the identification is too long for the tree.
        ReportTooLong { /** Its bytes. */ length: usize }
            => "FIX-REPORT", "the report of {length} bytes is left out of the device tree: read it over USB";
    }
}

/// Warnings of a fix-up.
#[derive(Clone, Debug, Default)]
pub struct Warnings {
    list: Vec<Warning, MAX_WARNINGS>,
    lost: usize,
}

impl Warnings {
    /// The warnings in the order in which they came up.
    pub fn as_slice(&self) -> &[Warning] {
        &self.list
    }

    /// How many more there were than [`MAX_WARNINGS`].
    pub const fn lost(&self) -> usize {
        self.lost
    }

    fn push(&mut self, warning: Warning) {
        if self.list.push(warning).is_err() {
            self.lost += 1;
        }
    }
}

/// A tree that is ready for the kernel.
#[derive(Clone, Debug)]
pub struct FixedUp {
    /// Its size in bytes, from the start of the destination.
    pub size: usize,
    /// What the log should mention.
    pub warnings: Warnings,
}

/// Writes `tree` with everything that `hand_off` says to the start of
/// `destination`. The last [`WORKSPACE_BYTES`] of the destination are scratch;
/// source size plus [`GROWTH_BYTES`] is always enough room for the usual
/// hand-off, and a destination that is too small is answered with the size it
/// needs. Takes about 12 KiB of stack.
pub fn fix_up(
    tree: &[u8],
    hand_off: &HandOff<'_>,
    destination: &mut [u8],
) -> Result<FixedUp, FixupError> {
    let tree = &Fdt::parse(tree)?;
    let room = destination.len().saturating_sub(WORKSPACE_BYTES);
    let (output, workspace) = destination.split_at_mut(room);
    if workspace.len() < WORKSPACE_BYTES {
        return Err(FixupError::Fdt(FdtError::NoSpace {
            needed: tree.total_size() + GROWTH_BYTES,
        }));
    }
    let reserved = reserved_regions(hand_off)?;
    let hand_off = &HandOff {
        reserved: &reserved,
        ..*hand_off
    };
    let mut fixup = Fixup {
        root_cells: root_cells(tree)?,
        memory: None,
        chosen: None,
        aliases: None,
        reserved: None,
        shown: None,
        tree,
        hand_off,
        editor: Editor::new(tree, workspace),
        warnings: Warnings::default(),
    };
    fixup.find_nodes()?;
    fixup.memory()?;
    fixup.reserved_memory()?;
    fixup.root()?;
    fixup.chosen()?;
    fixup.parts()?;
    let size = fixup.editor.finish(output).map_err(with_workspace)?;
    Ok(FixedUp {
        size,
        warnings: fixup.warnings,
    })
}

/// State of one run; the steps are in the sub-modules.
struct Fixup<'t, 'w, 'h> {
    tree: &'t Fdt<'t>,
    root_cells: Cells,
    memory: Option<Node<'t>>,
    chosen: Option<Node<'t>>,
    aliases: Option<Node<'t>>,
    reserved: Option<Node<'t>>,
    /// The node of the picture that is on, if the tree brought one.
    shown: Option<Node<'t>>,
    hand_off: &'h HandOff<'h>,
    editor: Editor<'t, 'w>,
    warnings: Warnings,
}

impl Fixup<'_, '_, '_> {
    /// Looks up the nodes that the steps share, and has further memory nodes
    /// deleted. All in one go: the root's children are spread over the whole
    /// tree, and walking them is what takes time.
    fn find_nodes(&mut self) -> Result<(), FixupError> {
        for node in self.tree.root().children() {
            let slot = match node.name() {
                b"chosen" => &mut self.chosen,
                b"aliases" => &mut self.aliases,
                b"reserved-memory" => &mut self.reserved,
                _ if !memory::is_memory(&node) => continue,
                _ if self.memory.is_some() => {
                    self.editor.delete_node(node)?;
                    continue;
                }
                _ => &mut self.memory,
            };
            slot.get_or_insert(node);
        }
        Ok(())
    }
}

/// What the caller reserves, and the framebuffer.
fn reserved_regions<'a>(
    hand_off: &HandOff<'a>,
) -> Result<Vec<ReservedRegion<'a>, MAX_RESERVED>, FdtError> {
    let mut regions = Vec::from_slice(hand_off.reserved).map_err(|_| FdtError::TooManyEdits)?;
    if let Fitted::Part(display) = &hand_off.found.display {
        regions
            .push(display.reserved())
            .map_err(|_| FdtError::TooManyEdits)?;
    }
    Ok(regions)
}

fn root_cells(tree: &Fdt<'_>) -> Result<Cells, HandOffError> {
    let cells = tree.root().cells();
    if matches!(cells.address, 1 | 2) && matches!(cells.size, 1 | 2) {
        Ok(cells)
    } else {
        let Cells { address, size } = cells;
        Err(HandOffError::RootCells { address, size })
    }
}

/// Fails unless `region` can be written with these cells.
fn check_fits(region: Region, cells: Cells) -> Result<(), HandOffError> {
    let fits = |value: u64, cells: usize| cells > 1 || u32::try_from(value).is_ok();
    if fits(region.base, cells.address) && fits(region.size, cells.size) {
        Ok(())
    } else {
        let Region { base, size } = region;
        Err(HandOffError::Unrepresentable { base, size })
    }
}

/// A destination must hold the workspace besides the tree.
fn with_workspace(error: FdtError) -> FdtError {
    match error {
        FdtError::NoSpace { needed } => FdtError::NoSpace {
            needed: needed + WORKSPACE_BYTES,
        },
        other => other,
    }
}

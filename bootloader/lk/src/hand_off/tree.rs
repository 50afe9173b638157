//! The device tree for mainline and other device-tree kernels.
//!
//! Source: facts/storage-and-images.md 5.4, 6.4; facts/soc.md 12.2.

use mt6572_hal::time::{self, Micros};
use unilk_core::Code;
use unilk_core::cmdline;
use unilk_core::fdt::Fdt;
use unilk_core::fixup::{
    self, BootArgs, Console, FixupError, Found, HandOff, Identity, Region, ReservedRegion,
};
use unilk_core::memory::{DeviceTreePlan, KERNEL_MEMORY_START};
use unilk_core::watchdog;

use super::{Kernel, serial_number};
use crate::load::{GENERIC_TREE, Opened, Problem, TreeSource, dram};
use crate::log::say;
use crate::map;
use crate::parts::Parts;
use crate::wake::Phone;

/// What the TOPRGU can count at most, for kernels with a driver for it.
const KERNEL_WATCHDOG: Micros = Micros::from_ms(31_000);

/// Writes the fixed-up tree to its place in `plan`.
pub fn write(
    phone: &Phone,
    parts: &Parts,
    opened: &Opened,
    plan: &DeviceTreePlan,
    source: TreeSource,
) -> Result<Kernel, Problem> {
    let since = time::uptime_us();
    let destination = dram(plan.tree);
    let (tree, appended): (&[u8], bool) = match source {
        TreeSource::Appended { offset, len } => {
            let section = dram(plan.zimage);
            (
                section
                    .get(offset as usize..(offset + len) as usize)
                    .unwrap_or(&[]),
                true,
            )
        }
        TreeSource::Loaded { region, len } => (&dram(region)[..len as usize], false),
        TreeSource::Generic => {
            say!("the image brings no device tree: using the generic one");
            (GENERIC_TREE, false)
        }
    };
    let size = fix_up(phone, parts, opened, plan, tree, destination)?;
    if appended {
        // A kernel that was built for an appended tree would take it instead
        // of the one that is passed, and would not look at its memory nodes.
        if let TreeSource::Appended { offset, .. } = source {
            dram(plan.zimage)[offset as usize..][..4].fill(0);
        }
    }
    defmt::info!(
        "tree: {=usize} bytes in {=u64} us",
        size,
        time::uptime_us() - since
    );
    let ready = Fdt::parse(&destination[..size]).map_err(FixupError::from)?;
    Ok(Kernel {
        entry: plan.zimage.base,
        registers: [0, !0, plan.tree.base],
        watchdog: wants_watchdog(&ready, source).then_some(KERNEL_WATCHDOG),
        plain_uart: fixup::is_plain_16550(&ready, phone.argument.log_port.base()),
    })
}

fn fix_up(
    phone: &Phone,
    parts: &Parts,
    opened: &Opened,
    plan: &DeviceTreePlan,
    tree: &[u8],
    destination: &mut [u8],
) -> Result<usize, Problem> {
    let mut memory: heapless::Vec<Region, 4> = heapless::Vec::new();
    for bank in phone.dram.banks_from(plan.memory_start) {
        // Four ranks at most, as many as the vector holds.
        let _ = memory.push(Region::new(u64::from(bank.base), u64::from(bank.len)));
    }
    let first_mib = u64::from(map::DRAM_BASE);
    let reserved = [ReservedRegion {
        name: "connsys",
        region: Region::new(first_mib, u64::from(KERNEL_MEMORY_START) - first_mib),
        no_map: true,
    }];
    let (main, extra) = opened.image.cmdline();
    let mut image = heapless::String::<1536>::new();
    let _ = image.push_str(main.unwrap_or_default());
    let _ = image.push_str(extra.unwrap_or_default());
    let ours = cmdline::merge(&[phone.hints.cmdline.unwrap_or_default()])?;
    let serial = serial_number(phone);
    let initrd = plan
        .ramdisk
        .zip(opened.image.ramdisk)
        .map(|(region, piece)| Region::new(u64::from(region.base), u64::from(piece.len)));
    let hand_off = |found: &Found<'_>| {
        fixup::fix_up(
            tree,
            &HandOff {
                memory: &memory,
                reserved: &reserved,
                bootargs: BootArgs {
                    image: image.as_bytes(),
                    ours: ours.as_bytes(),
                },
                initrd,
                console: Some(Console {
                    uart_base: phone.argument.log_port.base(),
                    baud: phone.argument.log_baud,
                }),
                serial_number: serial.as_deref(),
                identity: Identity {
                    version: env!("UNILK_VERSION"),
                    chip: "mt6572",
                    variant: phone.variant.name(),
                    boot_mode: opened.mode.name(),
                    boot_reason: phone.argument.reason.name(),
                    preloader_ms: phone.argument.preloader_ms,
                },
                mac_addresses: &[],
                found: *found,
            },
            destination,
        )
    };
    let done = parts.found(hand_off)?;
    for warning in done.warnings.as_slice() {
        say!("{} {warning}", warning.code());
    }
    Ok(done.size)
}

/// Whether the dog runs on: the kernel's own tree tells of it, or the command
/// line asks for it.
fn wants_watchdog(tree: &Fdt<'_>, source: TreeSource) -> bool {
    let line = tree
        .node(b"/chosen")
        .and_then(|chosen| chosen.property(b"bootargs")?.as_string());
    let own = !matches!(source, TreeSource::Generic);
    watchdog::stays_on(own && has_watchdog(tree), line.unwrap_or_default())
}

/// Whether the kernel is told of the watchdog, and so will take it over.
fn has_watchdog(tree: &Fdt<'_>) -> bool {
    // One walk for both names: trees are long.
    tree.nodes().any(|(_, node)| {
        node.property(b"compatible").is_some_and(|compatible| {
            compatible
                .strings()
                .any(|name| matches!(name, b"mediatek,mt6572-wdt" | b"mediatek,mt6589-wdt"))
        }) && node.is_available()
    })
}

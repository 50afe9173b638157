//! `/chosen`, the root's serial number and MAC addresses: what this boot is
//! and where its ramdisk and its console are.

use core::fmt::Write as _;

use heapless::Vec;

use super::bootargs::Sources;
use super::{Fixup, FixupError, HandOff, Region, Warning, check_fits};
use crate::fdt::{Fdt, FdtError, Fragment, Node};

/// Longest `stdout-path` that is written, in bytes.
const STDOUT_BYTES: usize = 192;

type StdoutPath = Vec<u8, STDOUT_BYTES>;

impl<'t, 'h> Fixup<'t, '_, 'h> {
    /// Serial number and MAC addresses, as far as the caller knows them.
    pub(super) fn root(&mut self) -> Result<(), FixupError> {
        let root = self.tree.root();
        if let Some(serial) = self.hand_off.serial_number {
            self.editor
                .set_string(root, b"serial-number", serial.as_bytes())?;
        }
        for mac in self.hand_off.mac_addresses {
            let target = self
                .aliases
                .and_then(|aliases| aliases.property(mac.alias.as_bytes())?.as_string())
                .and_then(|path| self.tree.node(path));
            if let Some(node) = target {
                self.editor
                    .set_property(node, b"local-mac-address", &|value| {
                        value.put_bytes(&mac.address)
                    })?;
            }
        }
        Ok(())
    }

    /// Fills `/chosen`, creating it if need be. Without a ramdisk the tree's
    /// own claim about one goes: nothing lies there in this boot.
    pub(super) fn chosen(&mut self) -> Result<(), FixupError> {
        if let Some(initrd) = self.hand_off.initrd {
            check_fits(initrd, self.root_cells)?;
            check_fits(Region::new(initrd.end(), 0), self.root_cells)?;
        }
        let chosen = self.chosen;
        let facts = Facts {
            bootargs: self.bootargs(),
            stdout_path: self.stdout_path(),
            address_cells: self.root_cells.address,
            hand_off: self.hand_off,
        };
        let below = self.below_chosen()?;
        let Some(node) = chosen else {
            self.editor.add_node(self.tree.root(), b"chosen", &|new| {
                facts.for_each(&mut |name, write| new.property(name, &|value| write(value)))?;
                below.put(new)
            })?;
            return Ok(());
        };
        if self.hand_off.initrd.is_none() {
            self.editor.delete_property(node, b"linux,initrd-start")?;
            self.editor.delete_property(node, b"linux,initrd-end")?;
        }
        let editor = &mut self.editor;
        facts
            .for_each(&mut |name, write| editor.set_property(node, name, &|value| write(value)))?;
        self.apply_below_chosen(node, &below)
    }

    /// The command lines to merge; reports it if they are too long together.
    fn bootargs<'a>(&mut self) -> Sources<'a>
    where
        't: 'a,
        'h: 'a,
    {
        let of_tree = self
            .chosen
            .and_then(|chosen| chosen.property(b"bootargs"))
            .map_or(&[][..], |bootargs| bootargs.value());
        let given = &self.hand_off.bootargs;
        let (sources, too_long) = Sources::new(of_tree, given.image, given.ours).limited();
        if let Some(length) = too_long {
            self.warnings.push(Warning::BootargsTooLong { length });
        }
        sources
    }

    /// The console to name, unless the tree names one that exists.
    fn stdout_path(&mut self) -> Option<StdoutPath> {
        let console = self.hand_off.console?;
        let named = self.chosen.and_then(|chosen| {
            chosen
                .property(b"stdout-path")
                .or_else(|| chosen.property(b"linux,stdout-path"))?
                .as_string()
        });
        if named.is_some_and(|name| self.tree.resolve(name).is_some()) {
            return None;
        }
        let path = device_path(self.tree, console.uart_base).and_then(|path| {
            let mut stdout = alias_of(self.aliases, &path).unwrap_or(path);
            write!(stdout, ":{}n8", console.baud).ok()?;
            Some(stdout)
        });
        if path.is_none() {
            let uart_base = console.uart_base;
            self.warnings.push(Warning::NoConsole { uart_base });
        }
        path
    }
}

/// Full path of the available device at this CPU address.
fn device_path(tree: &Fdt<'_>, base: u32) -> Option<StdoutPath> {
    let lineage = tree.device_at(u64::from(base))?;
    let mut path = StdoutPath::new();
    for node in lineage.nodes().skip(1) {
        path.push(b'/').ok()?;
        path.extend_from_slice(node.name()).ok()?;
    }
    Some(path)
}

/// Whether the available UART at this CPU address is described as a plain
/// 16550, without MediaTek's extensions. Its driver programs the divisor alone
/// and so needs a port whose other baud registers are at rest.
pub fn is_plain_16550(tree: &Fdt<'_>, uart_base: u32) -> bool {
    let node = tree
        .device_at(u64::from(uart_base))
        .and_then(|lineage| lineage.nodes().last());
    node.and_then(|node| node.property(b"compatible"))
        .is_some_and(|compatible| {
            let extended = compatible
                .strings()
                .any(|name| name.starts_with(b"mediatek,"));
            !extended && compatible.strings().any(|name| name == b"ns16550a")
        })
}

/// The `serial*` alias of a path. dtc writes aliases as full paths, so
/// comparing bytes is enough.
fn alias_of(aliases: Option<Node<'_>>, path: &[u8]) -> Option<StdoutPath> {
    let alias = aliases?
        .properties()
        .find(|alias| alias.as_string() == Some(path) && alias.name().starts_with(b"serial"))?;
    StdoutPath::from_slice(alias.name()).ok()
}

/// Writes one property's value.
type WriteValue<'f> = dyn Fn(&mut Fragment<'_>) -> Result<(), FdtError> + 'f;

/// Takes a property's name and what writes its value.
type PutProperty<'f> = dyn FnMut(&[u8], &WriteValue<'_>) -> Result<(), FdtError> + 'f;

/// Everything that goes into `/chosen`, whether the node exists or not.
struct Facts<'a> {
    bootargs: Sources<'a>,
    stdout_path: Option<StdoutPath>,
    address_cells: usize,
    hand_off: &'a HandOff<'a>,
}

impl Facts<'_> {
    /// Hands each property to `put`.
    fn for_each(&self, put: &mut PutProperty<'_>) -> Result<(), FdtError> {
        if !self.bootargs.are_empty() {
            put(b"bootargs", &|value| {
                self.bootargs.merge(&mut |bytes| value.put_bytes(bytes))?;
                value.put_bytes(&[0])
            })?;
        }
        if let Some(initrd) = self.hand_off.initrd {
            let cells = self.address_cells;
            put(b"linux,initrd-start", &|value| {
                value.put_number(initrd.base, cells)
            })?;
            put(b"linux,initrd-end", &|value| {
                value.put_number(initrd.end(), cells)
            })?;
        }
        if let Some(path) = &self.stdout_path {
            put(b"stdout-path", &|value| value.put_string(path))?;
        }
        let identity = &self.hand_off.identity;
        for (name, text) in [
            (&b"unilk,version"[..], identity.version),
            (b"unilk,chip", identity.chip),
            (b"unilk,variant", identity.variant),
            (b"unilk,boot-mode", identity.boot_mode),
            (b"unilk,boot-reason", identity.boot_reason),
        ] {
            put(name, &|value| value.put_string(text.as_bytes()))?;
        }
        put(b"unilk,preloader-time-ms", &|value| {
            value.put_u32(identity.preloader_ms)
        })
    }
}

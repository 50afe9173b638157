//! Addresses: cell counts, `reg`, `ranges`, and the way from the root to a
//! node.
//!
//! Source: Devicetree Specification 0.4, 2.3.5, 2.3.6 and 2.3.8.

use heapless::Vec;

use super::{Fdt, Node, Property};

/// How many 32-bit cells an address and a size take below a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cells {
    /// `#address-cells`.
    pub address: usize,
    /// `#size-cells`.
    pub size: usize,
}

impl Node<'_> {
    /// `#address-cells` and `#size-cells` that this node sets for its
    /// children. Where they are missing, the root counts as 1 and 1, which is
    /// what Linux assumes on ARM, other nodes as 2 and 1 by the specification.
    pub fn cells(&self) -> Cells {
        let (own_address, own_size) = self.declared_cells();
        let default_address = if self.offset == self.tree.root_at {
            1
        } else {
            2
        };
        Cells {
            address: own_address.unwrap_or(default_address),
            size: own_size.unwrap_or(1),
        }
    }

    /// The two counts as far as the node states them.
    pub fn declared_cells(&self) -> (Option<usize>, Option<usize>) {
        let count = |name: &[u8]| Some(self.property(name)?.as_u32()? as usize);
        (count(b"#address-cells"), count(b"#size-cells"))
    }
}

impl<'a> Property<'a> {
    /// The value as a `reg` list. Empty if an entry would have no cells or
    /// more than two in either half.
    pub const fn reg(&self, cells: Cells) -> RegEntries<'a> {
        RegEntries {
            rest: self.value(),
            cells,
        }
    }
}

/// `(address, size)` pairs of a `reg` property.
#[derive(Clone, Debug)]
pub struct RegEntries<'a> {
    rest: &'a [u8],
    cells: Cells,
}

impl Iterator for RegEntries<'_> {
    type Item = (u64, u64);

    fn next(&mut self) -> Option<(u64, u64)> {
        if self.cells.address == 0 {
            return None;
        }
        let address = take_number(&mut self.rest, self.cells.address)?;
        let size = take_number(&mut self.rest, self.cells.size)?;
        Some((address, size))
    }
}

/// Takes a number of zero to two cells off the front of `bytes`.
fn take_number(bytes: &mut &[u8], cells: usize) -> Option<u64> {
    if cells > 2 {
        return None;
    }
    let (number, rest) = bytes.split_at_checked(cells * 4)?;
    *bytes = rest;
    Some(
        number
            .iter()
            .fold(0, |value, &byte| value << 8 | u64::from(byte)),
    )
}

/// Deepest level at which [`Fdt::device_at`] looks for a device. Real ones
/// stand three or four levels below the root.
const DEVICE_DEPTH: usize = 16;

/// A node on the way down to a device, seen as a bus.
struct Bus {
    offset: u32,
    cells: Cells,
    /// The wanted address as this bus knows it, if it maps it.
    wanted: Option<u64>,
}

/// The nodes from the root down to a device, both included, as offsets.
pub(crate) struct Lineage<'a> {
    tree: &'a Fdt<'a>,
    offsets: Vec<u32, DEVICE_DEPTH>,
}

impl<'a> Lineage<'a> {
    /// The nodes, root first.
    pub(crate) fn nodes(&self) -> impl DoubleEndedIterator<Item = Node<'a>> + '_ {
        self.offsets
            .iter()
            .map(|&offset| Node::at(self.tree, offset as usize))
    }
}

impl<'a> Fdt<'a> {
    /// First available node whose first `reg` entry is the CPU address
    /// `base`, together with its ancestors. Takes one walk of the tree: the
    /// address is translated downwards, once a bus, instead of upwards from
    /// every device.
    pub(crate) fn device_at(&'a self, base: u64) -> Option<Lineage<'a>> {
        let mut buses: Vec<Bus, DEVICE_DEPTH> = Vec::new();
        let mut parent = self.root();
        let mut parent_depth = 0;
        for (depth, node) in self.nodes().skip(1) {
            if depth >= DEVICE_DEPTH {
                continue;
            }
            // The node before this one was its parent, or this one's parent is
            // among the buses already.
            buses.truncate(depth);
            if buses.len() < depth && parent_depth + 1 == depth {
                let outer = buses.last().map(|outer| (outer.cells, outer.wanted));
                let wanted = match outer {
                    None => Some(base),
                    Some((cells, wanted)) => {
                        wanted.and_then(|wanted| map_down(parent, cells, wanted))
                    }
                };
                let bus = Bus {
                    offset: parent.offset as u32,
                    cells: parent.cells(),
                    wanted,
                };
                buses.push(bus).ok()?;
            }
            (parent, parent_depth) = (node, depth);
            let bus = buses.last()?;
            let Some(wanted) = bus.wanted else { continue };
            let address = node
                .property(b"reg")
                .and_then(|reg| reg.reg(bus.cells).next())
                .map(|(address, _)| address);
            if address == Some(wanted) && node.is_available() {
                let mut offsets: Vec<u32, DEVICE_DEPTH> =
                    buses.iter().map(|bus| bus.offset).collect();
                offsets.push(node.offset as u32).ok()?;
                return Some(Lineage {
                    tree: self,
                    offsets,
                });
            }
        }
        None
    }
}

/// Translates an address of the parent's address space to one on `bus`.
fn map_down(bus: Node<'_>, outer: Cells, address: u64) -> Option<u64> {
    let mut ranges = bus.property(b"ranges")?.value();
    if ranges.is_empty() {
        return Some(address);
    }
    let inner = bus.cells();
    if inner.address == 0 || inner.size == 0 {
        return None;
    }
    while !ranges.is_empty() {
        let child = take_number(&mut ranges, inner.address)?;
        let parent = take_number(&mut ranges, outer.address)?;
        let size = take_number(&mut ranges, inner.size)?;
        if let Some(into) = address.checked_sub(parent).filter(|&into| into < size) {
            return child.checked_add(into);
        }
    }
    None
}

//! Addresses: cell counts, `reg`, `ranges`, and the way from the root to a
//! node.
//!
//! Source: Devicetree Specification 0.4, 2.3.5, 2.3.6 and 2.3.8.

use heapless::Vec;

use super::{Fdt, MAX_DEPTH, Node, Property};

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

/// The nodes from the root down to a node, both included, as offsets: a
/// [`Node`] each would take kilobytes of stack.
pub(crate) struct Lineage<'a> {
    tree: Fdt<'a>,
    offsets: Vec<u32, MAX_DEPTH>,
}

impl<'a> Lineage<'a> {
    /// The nodes, root first.
    pub(crate) fn nodes(&self) -> impl DoubleEndedIterator<Item = Node<'a>> + Clone + '_ {
        self.offsets
            .iter()
            .map(|&offset| Node::at(self.tree, offset as usize))
    }

    /// The node itself.
    pub(crate) fn node(&self) -> Option<Node<'a>> {
        self.nodes().next_back()
    }

    /// CPU address of `address`, which is valid on the bus of the node's
    /// parent; `None` if a bus on the way does not map it.
    fn translate(&self, address: u64) -> Option<u64> {
        let mut buses = self.nodes().rev().skip(1);
        let mut bus = buses.next()?;
        let mut address = address;
        for outer in buses {
            address = map_through(bus, outer.cells(), address)?;
            bus = outer;
        }
        Some(address)
    }
}

impl<'a> Fdt<'a> {
    /// First available node whose first `reg` entry is the CPU address
    /// `base`, together with its ancestors. Takes one walk of the tree.
    pub(crate) fn device_at(&self, base: u64) -> Option<Lineage<'a>> {
        let mut lineage = Lineage {
            tree: *self,
            offsets: Vec::new(),
        };
        for (depth, node) in self.nodes() {
            lineage.offsets.truncate(depth);
            let parent = lineage.node();
            lineage.offsets.push(node.offset as u32).ok()?;
            let Some(parent) = parent else { continue };
            let Some(reg) = node.property(b"reg") else {
                continue;
            };
            let Some((address, _)) = reg.reg(parent.cells()).next() else {
                continue;
            };
            // Buses map whole pages, so most nodes are out at this point.
            if (address ^ base) & 0xFFF == 0
                && lineage.translate(address) == Some(base)
                && node.is_available()
            {
                return Some(lineage);
            }
        }
        None
    }
}

/// Translates an address on `bus` to its parent's address space.
fn map_through(bus: Node<'_>, outer: Cells, address: u64) -> Option<u64> {
    let ranges = bus.property(b"ranges")?.value();
    if ranges.is_empty() {
        return Some(address);
    }
    let inner = bus.cells();
    if inner.address == 0 || inner.size == 0 {
        return None;
    }
    let mut rest = ranges;
    while !rest.is_empty() {
        let child = take_number(&mut rest, inner.address)?;
        let parent = take_number(&mut rest, outer.address)?;
        let size = take_number(&mut rest, inner.size)?;
        if let Some(into) = address.checked_sub(child).filter(|&into| into < size) {
            return parent.checked_add(into);
        }
    }
    None
}

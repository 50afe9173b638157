//! `/reserved-memory`: memory that the kernel must leave alone.
//!
//! Linux honours the node only if its cell counts equal the root's and
//! `ranges` is there. Where a tree contradicts that, our regions go to the
//! reservation map in the tree's header, which has no cells to disagree on;
//! it cannot say "do not map", but it keeps the allocator away.

use super::memory::put_region;
use super::{Fixup, FixupError, Region, ReservedRegion, Warning, check_fits};
use crate::fdt::{Cells, Fdt, FdtError, Fragment, Node};

/// A static reservation that the tree brings.
struct Existing<'t> {
    region: Region,
    /// Its node, or `None` for an entry of the reservation map.
    node: Option<Node<'t>>,
}

impl Existing<'_> {
    fn no_map(&self) -> bool {
        self.has(b"no-map")
    }

    /// Whether this keeps the kernel's hands off: the reservation map cannot
    /// forbid mapping, and `reusable` memory is lent to the kernel.
    fn serves(&self, no_map: bool) -> bool {
        (self.node.is_some() || !no_map) && !self.has(b"reusable")
    }

    fn has(&self, flag: &[u8]) -> bool {
        self.node.is_some_and(|node| node.property(flag).is_some())
    }
}

impl<'t> Fixup<'t, '_, '_> {
    /// Adds those of our regions that the tree does not reserve already and
    /// reports where the tree's reservations collide with ours.
    pub(super) fn reserved_memory(&mut self) -> Result<(), FixupError> {
        let regions = self.hand_off.reserved;
        if let Some(initrd) = self.hand_off.initrd {
            self.warn_of_overlaps(initrd, false);
        }
        let node = self.reserved;
        let cells = node.map_or(self.root_cells, |node| self.declared_or_root(node));
        if cells != self.root_cells {
            let Cells { address, size } = cells;
            self.warnings.push(Warning::ReservedCells { address, size });
            return self.reserve_in_map(regions);
        }
        // One bit a region, to spare the stack a copy of the list.
        let mut missing = 0_u32;
        if regions.len() > u32::BITS as usize {
            return Err(FdtError::TooManyEdits.into());
        }
        for (index, reserved) in regions.iter().enumerate() {
            check_fits(reserved.region, cells)?;
            if !self.is_settled(reserved, node, cells)? {
                missing |= 1 << index;
            }
        }
        let to_add = regions
            .iter()
            .enumerate()
            .filter(|(index, _)| missing >> index & 1 == 1)
            .map(|(_, reserved)| reserved);
        if let Some(node) = node {
            self.complete_node(node, cells)?;
            for reserved in to_add {
                let mut buffer = [0; NAME_BYTES];
                let name = node_name(&mut buffer, reserved.name, reserved.region.base);
                self.editor
                    .add_node(node, name, &|child| put_properties(child, reserved, cells))?;
            }
        } else if missing != 0 {
            self.editor
                .add_node(self.tree.root(), b"reserved-memory", &|parent| {
                    parent.property(b"#address-cells", &|v| v.put_u32(cells.address as u32))?;
                    parent.property(b"#size-cells", &|v| v.put_u32(cells.size as u32))?;
                    parent.property(b"ranges", &|_| Ok(()))?;
                    to_add.clone().try_for_each(|reserved| {
                        let mut buffer = [0; NAME_BYTES];
                        let name = node_name(&mut buffer, reserved.name, reserved.region.base);
                        parent.begin_node(name)?;
                        put_properties(parent, reserved, cells)?;
                        parent.end_node()
                    })
                })?;
        }
        Ok(())
    }

    /// Cells of `/reserved-memory`; missing ones will be set to the root's.
    fn declared_or_root(&self, node: Node<'t>) -> Cells {
        let (address, size) = node.declared_cells();
        Cells {
            address: address.unwrap_or(self.root_cells.address),
            size: size.unwrap_or(self.root_cells.size),
        }
    }

    /// Whether nothing has to be added for `reserved`: the tree covers it, or
    /// has a node of the very name, which is then given our extent.
    fn is_settled(
        &mut self,
        reserved: &ReservedRegion<'_>,
        parent: Option<Node<'t>>,
        cells: Cells,
    ) -> Result<bool, FixupError> {
        if self.warn_of_overlaps(reserved.region, reserved.no_map) {
            return Ok(true);
        }
        let mut buffer = [0; NAME_BYTES];
        let name = node_name(&mut buffer, reserved.name, reserved.region.base);
        let namesake = parent.and_then(|parent| parent.children().find(|node| node.name() == name));
        let Some(node) = namesake else {
            return Ok(false);
        };
        self.editor.set_property(node, b"reg", &|value| {
            put_region(value, reserved.region, cells)
        })?;
        if reserved.no_map && node.property(b"no-map").is_none() {
            self.editor.set_empty(node, b"no-map")?;
        }
        if !node.is_available() {
            self.editor.delete_property(node, b"status")?;
        }
        Ok(true)
    }

    /// Adds what Linux requires of the node but the tree forgot.
    fn complete_node(&mut self, node: Node<'t>, cells: Cells) -> Result<(), FixupError> {
        let (address, size) = node.declared_cells();
        if address.is_none() {
            self.editor
                .set_u32(node, b"#address-cells", cells.address as u32)?;
        }
        if size.is_none() {
            self.editor
                .set_u32(node, b"#size-cells", cells.size as u32)?;
        }
        if node.property(b"ranges").is_none() {
            self.editor.set_empty(node, b"ranges")?;
        }
        Ok(())
    }

    fn reserve_in_map(&mut self, regions: &[ReservedRegion<'_>]) -> Result<(), FixupError> {
        for reserved in regions {
            let Region { base, size } = reserved.region;
            let covered = self
                .tree
                .reservations()
                .any(|entry| Region::new(entry.base, entry.size).covers(&reserved.region));
            if !covered {
                self.editor.add_reservation(base, size)?;
            }
        }
        Ok(())
    }

    /// Reports every reservation of the tree that overlaps `ours`; true if one
    /// covers and serves it.
    fn warn_of_overlaps(&mut self, ours: Region, no_map: bool) -> bool {
        let mut covered = false;
        let node = self
            .reserved
            .filter(|&node| self.declared_or_root(node) == self.root_cells);
        for existing in reservations_of(self.tree, node, self.root_cells) {
            if !existing.region.overlaps(&ours) {
                continue;
            }
            if !existing.region.covers(&ours) || !existing.serves(no_map) {
                self.warnings.push(Warning::Overlap {
                    ours,
                    tree: existing.region,
                });
                continue;
            }
            if existing.no_map() != no_map {
                self.warnings.push(Warning::MapDiffers { ours });
            }
            covered = true;
        }
        covered
    }
}

/// All static reservations of a tree: those of the map, then those of
/// available children of `node` with a `reg`.
fn reservations_of<'t>(
    tree: &'t Fdt<'t>,
    node: Option<Node<'t>>,
    cells: Cells,
) -> impl Iterator<Item = Existing<'t>> {
    let mapped = tree.reservations().map(|entry| Existing {
        region: Region::new(entry.base, entry.size),
        node: None,
    });
    let nodes = node
        .into_iter()
        .flat_map(|parent| parent.children())
        .filter(Node::is_available)
        .flat_map(move |node| {
            node.property(b"reg")
                .into_iter()
                .flat_map(move |reg| reg.reg(cells))
                .map(move |(base, size)| Existing {
                    region: Region::new(base, size),
                    node: Some(node),
                })
        });
    mapped.chain(nodes)
}

fn put_properties(
    node: &mut Fragment<'_>,
    reserved: &ReservedRegion<'_>,
    cells: Cells,
) -> Result<(), FdtError> {
    node.property(b"reg", &|value| put_region(value, reserved.region, cells))?;
    if reserved.no_map {
        node.property(b"no-map", &|_| Ok(()))?;
    }
    Ok(())
}

/// Longest node name that is built here: a base name of 31 characters, `@`,
/// 16 digits.
const NAME_BYTES: usize = 48;

/// `base@address` in `buffer`, the base name cut if the two do not fit.
pub(super) fn node_name<'b>(buffer: &'b mut [u8], base_name: &str, address: u64) -> &'b [u8] {
    let digits = (16 - address.leading_zeros() as usize / 4).max(1);
    let room = buffer.len().saturating_sub(digits + 1);
    let name = base_name.as_bytes();
    let name = name.get(..room).unwrap_or(name);
    let unit = (0..digits).rev().map(|digit| {
        let nibble = (address >> (digit * 4)) as usize & 0xF;
        b"0123456789abcdef"[nibble]
    });
    let bytes = name.iter().copied().chain([b'@']).chain(unit);
    let mut length = 0;
    for (slot, byte) in buffer.iter_mut().zip(bytes) {
        *slot = byte;
        length += 1;
    }
    &buffer[..length]
}

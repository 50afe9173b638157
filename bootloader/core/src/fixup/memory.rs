//! `/memory`: the DRAM that is fitted.
//!
//! Phone trees are written for one size of DRAM and boards come with several,
//! so whatever the tree says is replaced by what the preloader counted.

use super::{Fixup, FixupError, HandOffError, Region, check_fits};
use crate::fdt::{Cells, FdtError, Fragment, Node};

impl Fixup<'_, '_, '_> {
    /// Puts the banks into the memory node, creating it if there is none. The
    /// node keeps its name, label and other properties, but has to be one that
    /// Linux looks at.
    pub(super) fn memory(&mut self) -> Result<(), FixupError> {
        let banks = self.hand_off.memory;
        if banks.is_empty() {
            return Err(HandOffError::NoMemory.into());
        }
        let cells = self.root_cells;
        for &bank in banks {
            check_fits(bank, cells)?;
        }
        let Some(node) = self.memory else {
            let mut buffer = [0; 24];
            let name = super::reserved::node_name(&mut buffer, "memory", banks[0].base);
            self.editor.add_node(self.tree.root(), name, &|memory| {
                memory.property(b"device_type", &|value| value.put_string(b"memory"))?;
                memory.property(b"reg", &|value| put_regions(value, banks, cells))
            })?;
            return Ok(());
        };
        if !has_device_type(&node) {
            self.editor.set_string(node, b"device_type", b"memory")?;
        }
        if !node.is_available() {
            self.editor.delete_property(node, b"status")?;
        }
        self.editor
            .set_property(node, b"reg", &|value| put_regions(value, banks, cells))?;
        Ok(())
    }
}

/// Linux goes by `device_type`, humans by the name; either counts.
pub(super) fn is_memory(node: &Node<'_>) -> bool {
    has_device_type(node) || node.base_name() == b"memory"
}

fn has_device_type(node: &Node<'_>) -> bool {
    node.property(b"device_type")
        .is_some_and(|property| property.as_string() == Some(b"memory"))
}

fn put_regions(value: &mut Fragment<'_>, regions: &[Region], cells: Cells) -> Result<(), FdtError> {
    regions
        .iter()
        .try_for_each(|region| put_region(value, *region, cells))
}

/// Appends one `reg` entry.
pub(super) fn put_region(
    value: &mut Fragment<'_>,
    region: Region,
    cells: Cells,
) -> Result<(), FdtError> {
    value.put_number(region.base, cells.address)?;
    value.put_number(region.size, cells.size)
}

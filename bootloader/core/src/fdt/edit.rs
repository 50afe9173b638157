//! The editor: changes are collected as splices of the structure block and
//! applied together while the tree is copied to its destination.
//!
//! Editing in place would move the tail of the tree once a change; one pass
//! over sorted splices moves every byte once however many changes there are,
//! leaves the source readable until the end, and cannot leave a half-edited
//! tree behind: until [`Editor::finish`] succeeds there is no output.

use heapless::Vec;

use super::token::{BEGIN_NODE, END_NODE, PROPERTY, PROPERTY_HEADER_BYTES, align4, be32};
use super::tree::{HEADER_V17_BYTES, RESERVATION_BYTES};
use super::{Fdt, FdtError, MAGIC, MAX_TREE_BYTES, Node, Reservation};

/// Most changes of one rewrite.
pub const MAX_EDITS: usize = 160;

/// Most entries that one rewrite adds to the memory reservation map.
const MAX_NEW_RESERVATIONS: usize = 16;

/// Room for names of properties that are new in a tree, in bytes. All names
/// that the fix-up knows take about two thirds of it.
const NEW_NAMES_BYTES: usize = 1024;

/// What is written: version 17, readable for those who know version 16.
const VERSION: u32 = 17;
const COMPATIBLE_VERSION: u32 = 16;

/// Order of splices that start at the same offset: properties go in front of
/// what stands there, nodes behind it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    NewProperty,
    Existing,
    NewNode,
}

/// At `at` of the structure block, drop `remove` bytes and insert the bytes
/// `start..end` of the workspace.
#[derive(Clone, Copy)]
struct Splice {
    at: u32,
    place: Place,
    remove: u32,
    start: u32,
    end: u32,
}

/// Collects changes to a tree and writes the changed tree.
///
/// Changing the same property twice keeps the later value. Changes below a
/// node that is deleted are dropped with it.
pub struct Editor<'t, 'w> {
    tree: &'t Fdt<'t>,
    fragment: Fragment<'w>,
    /// Sorted by offset and place, in the order of the calls where both agree.
    splices: Vec<Splice, MAX_EDITS>,
    reservations: Vec<Reservation, MAX_NEW_RESERVATIONS>,
}

impl<'t, 'w> Editor<'t, 'w> {
    /// An editor without changes. All new nodes and values are assembled in
    /// `workspace`, with 12 bytes a property and 12 bytes a node on top.
    pub const fn new(tree: &'t Fdt<'t>, workspace: &'w mut [u8]) -> Self {
        Self {
            fragment: Fragment {
                bytes: workspace,
                used: 0,
                old_names_bytes: tree.strings.len(),
                names: Vec::new(),
            },
            tree,
            splices: Vec::new(),
            reservations: Vec::new(),
        }
    }

    /// The tree as it was before any change.
    pub const fn tree(&self) -> &'t Fdt<'t> {
        self.tree
    }

    /// Sets a property to the bytes that `write` appends; a property that
    /// exists keeps its place, a new one follows the node's last.
    pub fn set_property(
        &mut self,
        node: Node<'t>,
        name: &[u8],
        write: &dyn Fn(&mut Fragment<'w>) -> Result<(), FdtError>,
    ) -> Result<(), FdtError> {
        let old = node.property(name);
        let start = self.fragment.used;
        let name_at = match old {
            Some(old) => old.name_at(),
            None => self.fragment.name_offset(name)?,
        };
        let open = self.fragment.open_property(name_at)?;
        write(&mut self.fragment)?;
        self.fragment.close_property(open)?;
        match old {
            Some(old) => self.splice(old.at, Place::Existing, old.end - old.at, start),
            None => self.splice(node.properties_end(), Place::NewProperty, 0, start),
        }
    }

    /// Sets a property to a NUL-terminated string.
    pub fn set_string(
        &mut self,
        node: Node<'t>,
        name: &[u8],
        value: &[u8],
    ) -> Result<(), FdtError> {
        self.set_property(node, name, &|fragment| fragment.put_string(value))
    }

    /// Sets a property to one cell.
    pub fn set_u32(&mut self, node: Node<'t>, name: &[u8], value: u32) -> Result<(), FdtError> {
        self.set_property(node, name, &|fragment| fragment.put_u32(value))
    }

    /// Sets a property without a value.
    pub fn set_empty(&mut self, node: Node<'t>, name: &[u8]) -> Result<(), FdtError> {
        self.set_property(node, name, &|_| Ok(()))
    }

    /// Appends bytes to a property, creating it if need be.
    pub fn append_property(
        &mut self,
        node: Node<'t>,
        name: &[u8],
        more: &[u8],
    ) -> Result<(), FdtError> {
        let old = node
            .property(name)
            .map_or(&[][..], |property| property.value());
        self.set_property(node, name, &|fragment| {
            fragment.put_bytes(old)?;
            fragment.put_bytes(more)
        })
    }

    /// Deletes a property; none of that name is no error.
    pub fn delete_property(&mut self, node: Node<'t>, name: &[u8]) -> Result<(), FdtError> {
        match node.property(name) {
            Some(old) => {
                let nothing = self.fragment.used;
                self.splice(old.at, Place::Existing, old.end - old.at, nothing)
            }
            None => Ok(()),
        }
    }

    /// Adds a node behind the last subnode of `parent`; `write` appends its
    /// properties and then its own subnodes.
    pub fn add_node(
        &mut self,
        parent: Node<'t>,
        name: &[u8],
        write: &dyn Fn(&mut Fragment<'w>) -> Result<(), FdtError>,
    ) -> Result<(), FdtError> {
        let start = self.fragment.used;
        self.fragment.begin_node(name)?;
        write(&mut self.fragment)?;
        self.fragment.end_node()?;
        self.splice(parent.close(), Place::NewNode, 0, start)
    }

    /// Deletes a node with all that is below it. The root cannot be deleted.
    pub fn delete_node(&mut self, node: Node<'t>) -> Result<(), FdtError> {
        if node.offset == self.tree.root_at {
            return Err(FdtError::InvalidName);
        }
        let end = node.close() + 4;
        let nothing = self.fragment.used;
        self.splice(node.offset, Place::Existing, end - node.offset, nothing)
    }

    /// Adds an entry to the memory reservation map. An entry of size zero
    /// would end the map and is left out.
    pub fn add_reservation(&mut self, base: u64, size: u64) -> Result<(), FdtError> {
        if size == 0 {
            return Ok(());
        }
        self.reservations
            .push(Reservation { base, size })
            .map_err(|_| FdtError::TooManyEdits)
    }

    /// Writes the changed tree to the start of `destination` and returns its
    /// size in bytes. The header is of version 17 whatever the source was.
    pub fn finish(&self, destination: &mut [u8]) -> Result<usize, FdtError> {
        let mut structure_size = 0;
        self.for_each_run(&mut |run| {
            structure_size += run.len();
            Some(())
        });
        let sizes = [
            HEADER_V17_BYTES,
            self.tree.reservations.len(),
            (self.reservations.len() + 1) * RESERVATION_BYTES,
            structure_size,
            self.tree.strings.len(),
            self.fragment.names.len(),
        ];
        let total = sizes.iter().sum();
        if total > MAX_TREE_BYTES {
            return Err(FdtError::Size {
                total,
                limit: MAX_TREE_BYTES,
            });
        }
        let destination = destination
            .get_mut(..total)
            .ok_or(FdtError::NoSpace { needed: total })?;
        let structure_at = sizes[..3].iter().sum::<usize>();
        let header = [
            MAGIC,
            total as u32,
            structure_at as u32,
            (structure_at + structure_size) as u32,
            HEADER_V17_BYTES as u32,
            VERSION,
            COMPATIBLE_VERSION,
            self.tree.boot_cpu(),
            (self.tree.strings.len() + self.fragment.names.len()) as u32,
            structure_size as u32,
        ];
        self.write(destination, &header)
            .ok_or(FdtError::NoSpace { needed: total })?;
        Ok(total)
    }

    fn write(&self, destination: &mut [u8], header: &[u32; 10]) -> Option<()> {
        let mut out = Output { rest: destination };
        for word in header {
            out.put(&word.to_be_bytes())?;
        }
        out.put(self.tree.reservations)?;
        for entry in &self.reservations {
            out.put(&entry.base.to_be_bytes())?;
            out.put(&entry.size.to_be_bytes())?;
        }
        out.put(&[0; RESERVATION_BYTES])?;
        self.for_each_run(&mut |run| out.put(run))?;
        out.put(self.tree.strings)?;
        out.put(&self.fragment.names)
    }

    /// Hands over the new structure block piece by piece: stretches of the
    /// old one and insertions in turn. Stops when `use_run` returns `None`.
    fn for_each_run(&self, use_run: &mut dyn FnMut(&[u8]) -> Option<()>) -> Option<()> {
        let old = self.tree.structure;
        let mut copied = 0;
        for splice in &self.splices {
            let at = splice.at as usize;
            // Below a node that has just been deleted.
            if at < copied {
                continue;
            }
            use_run(old.get(copied..at)?)?;
            use_run(
                self.fragment
                    .bytes
                    .get(splice.start as usize..splice.end as usize)?,
            )?;
            copied = at + splice.remove as usize;
        }
        use_run(old.get(copied..)?)
    }

    /// Records the bytes that the fragment has gained since `start`, in place
    /// of an earlier change to the same property if there was one.
    fn splice(
        &mut self,
        at: usize,
        place: Place,
        remove: usize,
        start: usize,
    ) -> Result<(), FdtError> {
        let splice = Splice {
            at: at as u32,
            place,
            remove: remove as u32,
            start: start as u32,
            end: self.fragment.used as u32,
        };
        let earlier = self.splices.iter().position(|other| {
            (other.at, other.place) == (splice.at, place)
                && match place {
                    Place::Existing => true,
                    Place::NewProperty => self.inserted_name(other) == self.inserted_name(&splice),
                    Place::NewNode => false,
                }
        });
        if let Some(slot) = earlier.and_then(|index| self.splices.get_mut(index)) {
            *slot = splice;
            return Ok(());
        }
        let index = self
            .splices
            .partition_point(|other| (other.at, other.place) <= (splice.at, place));
        self.splices
            .insert(index, splice)
            .map_err(|_| FdtError::TooManyEdits)
    }

    /// Name offset of an inserted property.
    fn inserted_name(&self, splice: &Splice) -> Option<u32> {
        be32(self.fragment.bytes, splice.start as usize + 8)
    }
}

/// Tokens and values being assembled in the editor's workspace.
pub struct Fragment<'w> {
    bytes: &'w mut [u8],
    used: usize,
    old_names_bytes: usize,
    /// Strings to append to the strings block.
    names: Vec<u8, NEW_NAMES_BYTES>,
}

impl Fragment<'_> {
    /// Appends raw bytes to a value.
    pub fn put_bytes(&mut self, bytes: &[u8]) -> Result<(), FdtError> {
        let end = self.used + bytes.len();
        self.bytes
            .get_mut(self.used..end)
            .ok_or(FdtError::TooManyEdits)?
            .copy_from_slice(bytes);
        self.used = end;
        Ok(())
    }

    /// Appends one cell.
    pub fn put_u32(&mut self, value: u32) -> Result<(), FdtError> {
        self.put_bytes(&value.to_be_bytes())
    }

    /// Appends a number of one or two cells, of which one cell keeps the lower
    /// half: the caller has checked that the number fits.
    pub fn put_number(&mut self, value: u64, cells: usize) -> Result<(), FdtError> {
        if cells == 2 {
            self.put_u32((value >> 32) as u32)?;
        }
        self.put_u32(value as u32)
    }

    /// Appends a string and its NUL; what follows a NUL inside is left out.
    pub fn put_string(&mut self, string: &[u8]) -> Result<(), FdtError> {
        let string = string.split(|&byte| byte == 0).next().unwrap_or(string);
        self.put_bytes(string)?;
        self.put_bytes(&[0])
    }

    /// Appends a property whose value `write` appends.
    pub fn property(
        &mut self,
        name: &[u8],
        write: &dyn Fn(&mut Self) -> Result<(), FdtError>,
    ) -> Result<(), FdtError> {
        let name_at = self.name_offset(name)?;
        let open = self.open_property(name_at)?;
        write(self)?;
        self.close_property(open)
    }

    /// Opens a node; its properties come before its subnodes.
    pub fn begin_node(&mut self, name: &[u8]) -> Result<(), FdtError> {
        if name.is_empty() || name.iter().any(|byte| matches!(byte, 0 | b'/')) {
            return Err(FdtError::InvalidName);
        }
        self.put_u32(BEGIN_NODE)?;
        self.put_string(name)?;
        self.pad()
    }

    /// Closes the node that was opened last.
    pub fn end_node(&mut self) -> Result<(), FdtError> {
        self.put_u32(END_NODE)
    }

    /// Token and name with the length still open; returns where it stands.
    fn open_property(&mut self, name_at: usize) -> Result<usize, FdtError> {
        let open = self.used;
        self.put_u32(PROPERTY)?;
        self.put_u32(0)?;
        self.put_u32(name_at as u32)?;
        Ok(open)
    }

    fn close_property(&mut self, open: usize) -> Result<(), FdtError> {
        let length = self.used - open - PROPERTY_HEADER_BYTES;
        if let Some(field) = self.bytes.get_mut(open + 4..open + 8) {
            field.copy_from_slice(&(length as u32).to_be_bytes());
        }
        self.pad()
    }

    fn pad(&mut self) -> Result<(), FdtError> {
        let padding = align4(self.used) - self.used;
        self.put_bytes([0; 3].get(..padding).unwrap_or_default())
    }

    /// Offset that `name` will have in the strings block. Names are looked for
    /// among the appended ones only: to search the old block for each would
    /// cost more time than the few bytes are worth.
    fn name_offset(&mut self, name: &[u8]) -> Result<usize, FdtError> {
        if name.is_empty() || name.contains(&0) {
            return Err(FdtError::InvalidName);
        }
        let mut at = 0;
        for known in self.names.split_inclusive(|&byte| byte == 0) {
            if known.strip_suffix(&[0]) == Some(name) {
                return Ok(self.old_names_bytes + at);
            }
            at += known.len();
        }
        self.names
            .extend_from_slice(name)
            .and_then(|()| self.names.extend_from_slice(&[0]))
            .map_err(|_| FdtError::TooManyEdits)?;
        Ok(self.old_names_bytes + at)
    }
}

/// A buffer that is filled from the front.
struct Output<'d> {
    rest: &'d mut [u8],
}

impl Output<'_> {
    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        let (here, rest) = core::mem::take(&mut self.rest).split_at_mut_checked(bytes.len())?;
        here.copy_from_slice(bytes);
        self.rest = rest;
        Some(())
    }
}

//! The blob as a whole: header, blocks, and the one check of everything.
//!
//! Source: Devicetree Specification 0.4, 5.2 (header), 5.3 (reservations),
//! 5.5 (strings).

use super::node::{Node, Walk};
use super::token::{Kind, Token, be32, be64};
use super::{FdtError, MAGIC, MAX_DEPTH, MAX_TREE_BYTES};

/// Header of a version 16 tree. Version 17 adds one word, the size of the
/// structure block.
const HEADER_V16_BYTES: usize = 36;
pub(super) const HEADER_V17_BYTES: usize = 40;

/// One entry of the reservation map.
pub(super) const RESERVATION_BYTES: usize = 16;

/// A device tree that has been checked from end to end.
#[derive(Clone, Copy, Debug)]
pub struct Fdt<'a> {
    /// From the first token to `FDT_END`, which is included.
    pub(super) structure: &'a [u8],
    /// All of the strings block, as the header declares it.
    pub(super) strings: &'a [u8],
    /// The reservation map without its terminating entry.
    pub(super) reservations: &'a [u8],
    /// Offset of the root node's token and of its `FDT_END_NODE`.
    pub(super) root_at: usize,
    pub(super) root_close: usize,
    total_size: usize,
    boot_cpu: u32,
}

impl<'a> Fdt<'a> {
    /// Checks the tree at the start of `bytes`, which may be longer than the
    /// tree: magic, version (16, 17 and later ones that declare themselves
    /// compatible), sizes and bounds of all blocks, every token, every name.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FdtError> {
        let header = Header::read(bytes)?;
        let tree = bytes.get(..header.total_size).ok_or(FdtError::Size {
            total: header.total_size,
            limit: bytes.len(),
        })?;
        let strings = header.block(tree, header.strings_at, Some(header.strings_size))?;
        let structure = header.block(tree, header.structure_at, header.structure_size)?;
        if header.structure_at % 4 != 0 {
            return Err(FdtError::Layout {
                offset: header.structure_at,
            });
        }
        let shape = check_structure(structure, terminated_bytes(strings))
            .map_err(|error| error.based(header.structure_at))?;
        Ok(Self {
            structure: structure.get(..shape.length).unwrap_or(structure),
            strings,
            reservations: header.reservations(tree)?,
            root_at: shape.root_at,
            root_close: shape.root_close,
            total_size: header.total_size,
            boot_cpu: header.boot_cpu,
        })
    }

    /// Size that the header declares, in bytes.
    pub const fn total_size(&self) -> usize {
        self.total_size
    }

    /// Physical ID of the CPU that boots (`boot_cpuid_phys`).
    pub const fn boot_cpu(&self) -> u32 {
        self.boot_cpu
    }

    /// The root node.
    pub const fn root(&'a self) -> Node<'a> {
        Node::at(self, self.root_at)
    }

    /// Every node in the order of the tree, each with its depth (root: 0).
    pub const fn nodes(&'a self) -> Walk<'a> {
        Walk::new(self)
    }

    /// Node at an absolute path such as `/soc/serial@11005000`. A component
    /// without a unit address matches the first node of that base name.
    pub fn node(&'a self, path: &[u8]) -> Option<Node<'a>> {
        let mut components = path.split(|&byte| byte == b'/');
        if !components.next()?.is_empty() {
            return None;
        }
        components
            .filter(|component| !component.is_empty())
            .try_fold(self.root(), |node, component| node.child(component))
    }

    /// Node by path or by alias, as `stdout-path` names it: `/path`, `alias`
    /// or `alias/below`, with or without `:options`.
    pub fn resolve(&'a self, name: &[u8]) -> Option<Node<'a>> {
        let name = name.split(|&byte| byte == b':').next()?;
        if name.first() == Some(&b'/') {
            return self.node(name);
        }
        let mut components = name.split(|&byte| byte == b'/');
        let alias = components.next().filter(|alias| !alias.is_empty())?;
        let target = self.node(b"/aliases")?.property(alias)?.as_string()?;
        components
            .filter(|component| !component.is_empty())
            .try_fold(self.node(target)?, |node, component| node.child(component))
    }

    /// Node with this `phandle` (or the older `linux,phandle`).
    pub fn by_phandle(&'a self, phandle: u32) -> Option<Node<'a>> {
        self.nodes().map(|(_, node)| node).find(|node| {
            [&b"phandle"[..], b"linux,phandle"]
                .iter()
                .any(|name| node.property(name).and_then(|p| p.as_u32()) == Some(phandle))
        })
    }

    /// Nodes whose `compatible` list contains `compatible`.
    pub fn compatible<'s>(
        &'a self,
        compatible: &'s [u8],
    ) -> impl Iterator<Item = Node<'a>> + use<'a, 's> {
        self.nodes()
            .map(|(_, node)| node)
            .filter(move |node| node.is_compatible(compatible))
    }

    /// The memory reservation map.
    pub const fn reservations(&self) -> Reservations<'a> {
        Reservations {
            entries: self.reservations,
        }
    }

    /// The string at `at` of the strings block, without its NUL.
    pub(super) fn string(&self, at: usize) -> &'a [u8] {
        let rest = self.strings.get(at..).unwrap_or_default();
        let length = rest.iter().position(|&byte| byte == 0).unwrap_or(0);
        rest.get(..length).unwrap_or_default()
    }

    /// Whether the string at `at` is `name`; cheaper than [`Self::string`].
    pub(super) fn string_is(&self, at: usize, name: &[u8]) -> bool {
        self.strings
            .get(at..)
            .and_then(|rest| rest.strip_prefix(name))
            .is_some_and(|rest| rest.first() == Some(&0))
    }
}

/// A range of the memory reservation map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// Physical start address.
    pub base: u64,
    /// Length in bytes.
    pub size: u64,
}

/// The entries of the memory reservation map.
#[derive(Clone, Debug)]
pub struct Reservations<'a> {
    entries: &'a [u8],
}

impl Iterator for Reservations<'_> {
    type Item = Reservation;

    fn next(&mut self) -> Option<Reservation> {
        let entry = reservation(self.entries, 0)?;
        self.entries = self.entries.get(RESERVATION_BYTES..).unwrap_or_default();
        Some(entry)
    }
}

fn reservation(bytes: &[u8], at: usize) -> Option<Reservation> {
    Some(Reservation {
        base: be64(bytes, at)?,
        size: be64(bytes, at + 8)?,
    })
}

/// The header's fields, in bytes from the start of the tree.
struct Header {
    total_size: usize,
    structure_at: usize,
    structure_size: Option<usize>,
    strings_at: usize,
    strings_size: usize,
    reservations_at: usize,
    boot_cpu: u32,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, FdtError> {
        let word = |index: usize| be32(bytes, index * 4);
        let found = word(0).unwrap_or(0);
        if found != MAGIC {
            return Err(FdtError::Magic { found });
        }
        let truncated = FdtError::Size {
            total: bytes.len(),
            limit: bytes.len(),
        };
        let field = |index: usize| word(index).map(|value| value as usize).ok_or(truncated);
        let version = word(5).ok_or(truncated)?;
        let compatible = word(6).ok_or(truncated)?;
        if version < 16 || compatible > 17 {
            return Err(FdtError::Version {
                version,
                compatible,
            });
        }
        let header = Self {
            total_size: field(1)?,
            structure_at: field(2)?,
            structure_size: (version >= 17).then(|| field(9)).transpose()?,
            strings_at: field(3)?,
            strings_size: field(8)?,
            reservations_at: field(4)?,
            boot_cpu: word(7).ok_or(truncated)?,
        };
        let limit = bytes.len().min(MAX_TREE_BYTES);
        if header.total_size < header.bytes() || header.total_size > limit {
            return Err(FdtError::Size {
                total: header.total_size,
                limit,
            });
        }
        Ok(header)
    }

    const fn bytes(&self) -> usize {
        if self.structure_size.is_some() {
            HEADER_V17_BYTES
        } else {
            HEADER_V16_BYTES
        }
    }

    /// A block behind the header; without a size it runs to the tree's end.
    fn block<'a>(
        &self,
        tree: &'a [u8],
        at: usize,
        size: Option<usize>,
    ) -> Result<&'a [u8], FdtError> {
        let outside = FdtError::Layout { offset: at };
        if at < self.bytes() {
            return Err(outside);
        }
        let end = match size {
            Some(size) => at.checked_add(size).ok_or(outside)?,
            None => tree.len(),
        };
        tree.get(at..end).ok_or(outside)
    }

    /// The reservation map up to its first entry of size zero, which is where
    /// Linux and libfdt stop as well.
    fn reservations<'a>(&self, tree: &'a [u8]) -> Result<&'a [u8], FdtError> {
        let offset = self.reservations_at;
        let map = self.block(tree, offset, None)?;
        let mut length = 0;
        while reservation(map, length)
            .ok_or(FdtError::Reservations { offset })?
            .size
            != 0
        {
            length += RESERVATION_BYTES;
        }
        map.get(..length).ok_or(FdtError::Reservations { offset })
    }
}

/// How many bytes of the strings block belong to terminated strings: a name
/// that starts before the last NUL is terminated wherever it starts.
fn terminated_bytes(strings: &[u8]) -> usize {
    strings
        .iter()
        .rposition(|&byte| byte == 0)
        .map_or(0, |last| last + 1)
}

struct Shape {
    root_at: usize,
    root_close: usize,
    length: usize,
}

/// Walks all tokens: one root, properties before subnodes, nesting balanced
/// and limited, names inside the strings block, `FDT_END` at the end.
fn check_structure(structure: &[u8], names_end: usize) -> Result<Shape, FdtError> {
    let mut at = 0;
    let mut depth = 0_usize;
    let mut properties_allowed = false;
    let mut root = None;
    let mut close = None;
    loop {
        let token = Token::decode(structure, at)?;
        let offset = token.at;
        let misplaced = || FdtError::Token {
            offset,
            found: be32(structure, offset).unwrap_or(0),
        };
        match token.kind {
            Kind::BeginNode => {
                if depth == 0 && root.replace(offset).is_some() {
                    return Err(misplaced());
                }
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(FdtError::Depth { offset });
                }
                properties_allowed = true;
            }
            Kind::EndNode => {
                depth = depth.checked_sub(1).ok_or_else(misplaced)?;
                if depth == 0 {
                    close = Some(offset);
                }
                properties_allowed = false;
            }
            Kind::Property => {
                if !properties_allowed {
                    return Err(misplaced());
                }
                if token.name_at(structure) >= names_end {
                    return Err(FdtError::PropertyName { offset });
                }
            }
            Kind::End => {
                return match (depth, root, close) {
                    (0, Some(root_at), Some(root_close)) => Ok(Shape {
                        root_at,
                        root_close,
                        length: token.next,
                    }),
                    _ => Err(misplaced()),
                };
            }
        }
        at = token.next;
    }
}

//! Views into a checked tree: nodes, properties and the ways to walk them.
//!
//! Nothing here can fail: [`Fdt::parse`] has seen every byte. Names and values
//! are byte strings because nothing obliges a tree to hold UTF-8.

use super::Fdt;
use super::token::{Kind, Token, be32};

/// A node of a checked tree.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    pub(super) tree: &'a Fdt<'a>,
    /// Offset of its `FDT_BEGIN_NODE` in the structure block.
    pub(super) offset: usize,
}

impl<'a> Node<'a> {
    pub(super) const fn at(tree: &'a Fdt<'a>, offset: usize) -> Self {
        Self { tree, offset }
    }

    /// Name with its unit address, for example `serial@11005000`; the root's
    /// is empty.
    pub fn name(&self) -> &'a [u8] {
        Token::decode(self.tree.structure, self.offset)
            .map_or(&[], |token| token.node_name(self.tree.structure))
    }

    /// Name without its unit address.
    pub fn base_name(&self) -> &'a [u8] {
        base_of(self.name())
    }

    /// The node's properties in order.
    pub fn properties(&self) -> Properties<'a> {
        Properties {
            tree: self.tree,
            at: self.body(),
        }
    }

    /// The property of this name.
    pub fn property(&self, name: &[u8]) -> Option<Property<'a>> {
        self.properties().find(|property| property.is_named(name))
    }

    /// Direct subnodes in order.
    pub fn children(&self) -> Children<'a> {
        Children {
            tree: self.tree,
            at: self.body(),
            depth: 0,
        }
    }

    /// First subnode called `component`, exactly or, if `component` has no
    /// unit address, by base name.
    pub fn child(&self, component: &[u8]) -> Option<Node<'a>> {
        let with_address = component.contains(&b'@');
        self.children().find(|child| {
            let name = child.name();
            name == component || (!with_address && base_of(name) == component)
        })
    }

    /// Whether `compatible` lists this string.
    pub fn is_compatible(&self, compatible: &[u8]) -> bool {
        self.property(b"compatible")
            .is_some_and(|property| property.strings().any(|entry| entry == compatible))
    }

    /// Whether `status` is absent, `okay` or `ok`.
    pub fn is_available(&self) -> bool {
        self.property(b"status")
            .is_none_or(|status| matches!(status.as_string(), Some(b"okay" | b"ok")))
    }

    /// Where the first property or subnode stands.
    fn body(&self) -> usize {
        Token::decode(self.tree.structure, self.offset)
            .map_or(self.tree.structure.len(), |token| token.next)
    }

    /// Where a further property may be inserted: behind the last one.
    pub(super) fn properties_end(&self) -> usize {
        self.properties()
            .last()
            .map_or(self.body(), |property| property.end)
    }

    /// Offset of the node's `FDT_END_NODE`.
    pub(super) fn close(&self) -> usize {
        if self.offset == self.tree.root_at {
            return self.tree.root_close;
        }
        let mut children = self.children();
        children.by_ref().for_each(drop);
        children.at
    }
}

impl PartialEq for Node<'_> {
    /// Compares positions: meaningful within one tree only.
    fn eq(&self, other: &Self) -> bool {
        self.offset == other.offset
    }
}

fn base_of(name: &[u8]) -> &[u8] {
    name.split(|&byte| byte == b'@').next().unwrap_or(name)
}

/// A property of a checked tree.
#[derive(Clone, Copy, Debug)]
pub struct Property<'a> {
    tree: &'a Fdt<'a>,
    name_at: usize,
    value: &'a [u8],
    /// Extent in the structure block.
    pub(super) at: usize,
    pub(super) end: usize,
}

impl<'a> Property<'a> {
    /// Name, of any length.
    pub fn name(&self) -> &'a [u8] {
        self.tree.string(self.name_at)
    }

    /// Whether this is its name.
    pub fn is_named(&self, name: &[u8]) -> bool {
        self.tree.string_is(self.name_at, name)
    }

    /// The bytes of the value, possibly none.
    pub const fn value(&self) -> &'a [u8] {
        self.value
    }

    /// Offset of the name in the strings block.
    pub(super) const fn name_at(&self) -> usize {
        self.name_at
    }

    /// Value of exactly one cell.
    pub fn as_u32(&self) -> Option<u32> {
        (self.value.len() == 4).then(|| be32(self.value, 0))?
    }

    /// Value of one or two cells as a number, as Linux reads addresses.
    pub fn as_u64(&self) -> Option<u64> {
        let mut cells = self.cells();
        match self.value.len() {
            4 => cells.next().map(u64::from),
            8 => Some(u64::from(cells.next()?) << 32 | u64::from(cells.next()?)),
            _ => None,
        }
    }

    /// The only or first string; `None` if the value is not NUL-terminated.
    pub fn as_string(&self) -> Option<&'a [u8]> {
        self.strings().next()
    }

    /// The strings of a string list; stops at one that is not terminated.
    pub const fn strings(&self) -> Strings<'a> {
        Strings { rest: self.value }
    }

    /// The value as cells; bytes beyond the last whole cell are left out.
    pub const fn cells(&self) -> CellValues<'a> {
        CellValues { rest: self.value }
    }
}

/// See [`Property::strings`].
#[derive(Clone, Debug)]
pub struct Strings<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Strings<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let length = self.rest.iter().position(|&byte| byte == 0)?;
        let (string, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest.get(1..).unwrap_or_default();
        Some(string)
    }
}

/// See [`Property::cells`].
#[derive(Clone, Debug)]
pub struct CellValues<'a> {
    rest: &'a [u8],
}

impl Iterator for CellValues<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let (cell, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(u32::from_be_bytes(*cell))
    }
}

/// See [`Node::properties`].
#[derive(Clone, Debug)]
pub struct Properties<'a> {
    tree: &'a Fdt<'a>,
    at: usize,
}

impl<'a> Iterator for Properties<'a> {
    type Item = Property<'a>;

    fn next(&mut self) -> Option<Property<'a>> {
        let structure = self.tree.structure;
        let token = Token::decode(structure, self.at).ok()?;
        if token.kind != Kind::Property {
            return None;
        }
        self.at = token.next;
        Some(Property {
            tree: self.tree,
            name_at: token.name_at(structure),
            value: token.value(structure),
            at: token.at,
            end: token.next,
        })
    }
}

/// See [`Node::children`].
#[derive(Clone, Debug)]
pub struct Children<'a> {
    tree: &'a Fdt<'a>,
    /// Stops on the parent's `FDT_END_NODE`.
    at: usize,
    /// How far below the parent `at` stands.
    depth: usize,
}

impl<'a> Iterator for Children<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        loop {
            let token = Token::decode(self.tree.structure, self.at).ok()?;
            match token.kind {
                Kind::BeginNode => {
                    self.at = token.next;
                    self.depth += 1;
                    if self.depth == 1 {
                        return Some(Node::at(self.tree, token.at));
                    }
                }
                Kind::EndNode if self.depth == 0 => {
                    self.at = token.at;
                    return None;
                }
                Kind::EndNode => {
                    self.at = token.next;
                    self.depth -= 1;
                }
                Kind::Property => self.at = token.next,
                Kind::End => return None,
            }
        }
    }
}

/// See [`Fdt::nodes`].
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    tree: &'a Fdt<'a>,
    at: usize,
    depth: usize,
}

impl<'a> Walk<'a> {
    pub(super) const fn new(tree: &'a Fdt<'a>) -> Self {
        Self {
            tree,
            at: 0,
            depth: 0,
        }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = (usize, Node<'a>);

    fn next(&mut self) -> Option<(usize, Node<'a>)> {
        loop {
            let token = Token::decode(self.tree.structure, self.at).ok()?;
            match token.kind {
                Kind::BeginNode => {
                    self.at = token.next;
                    let depth = self.depth;
                    self.depth += 1;
                    return Some((depth, Node::at(self.tree, token.at)));
                }
                Kind::EndNode => self.depth = self.depth.saturating_sub(1),
                Kind::Property => {}
                Kind::End => return None,
            }
            self.at = token.next;
        }
    }
}

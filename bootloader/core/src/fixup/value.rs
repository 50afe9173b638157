//! Properties as data, so that one list serves a node that exists as well as
//! one that has to be made.

use heapless::Vec;

use super::{Fixup, FixupError};
use crate::fdt::{FdtError, Fragment, Node};

/// Most properties that one list sets.
const MAX_PROPERTIES: usize = 14;

/// Most cells of one value.
const MAX_CELLS: usize = 4;

/// A property's value.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    /// A string.
    Text(&'a str),
    /// A string of two parts.
    Joined(&'static str, &'a str),
    /// A list of strings.
    List(&'a [&'a str]),
    /// Cells.
    Cells(Vec<u32, MAX_CELLS>),
    /// Bytes as they are; none for a flag.
    Bytes(&'a [u8]),
}

impl Value<'_> {
    pub(super) fn cell(value: u32) -> Self {
        Self::cells(&[value])
    }

    /// No more than [`MAX_CELLS`] of them.
    pub(super) fn cells(values: &[u32]) -> Self {
        Self::Cells(values.iter().copied().take(MAX_CELLS).collect())
    }

    pub(super) fn put(&self, fragment: &mut Fragment<'_>) -> Result<(), FdtError> {
        match self {
            Self::Text(text) => fragment.put_string(text.as_bytes()),
            Self::Joined(start, text) => {
                fragment.put_bytes(start.as_bytes())?;
                fragment.put_string(text.as_bytes())
            }
            Self::List(texts) => texts
                .iter()
                .try_for_each(|text| fragment.put_string(text.as_bytes())),
            Self::Cells(cells) => cells.iter().try_for_each(|&cell| fragment.put_u32(cell)),
            Self::Bytes(bytes) => fragment.put_bytes(bytes),
        }
    }

    /// Whether a value that the tree has says the same. A wrong "no" costs one
    /// change that changes nothing.
    fn is(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Text(text) => bytes.strip_suffix(&[0]) == Some(text.as_bytes()),
            Self::Joined(start, text) => {
                bytes
                    .strip_suffix(&[0])
                    .and_then(|bytes| bytes.strip_prefix(start.as_bytes()))
                    == Some(text.as_bytes())
            }
            Self::List(_) => false,
            Self::Cells(cells) => {
                bytes.len() == cells.len() * 4
                    && bytes
                        .chunks_exact(4)
                        .zip(cells)
                        .all(|(have, want)| have == want.to_be_bytes())
            }
            Self::Bytes(want) => bytes == *want,
        }
    }
}

/// Properties of one node.
#[derive(Clone, Debug, Default)]
pub(super) struct Properties<'a> {
    list: Vec<(&'static str, Value<'a>), MAX_PROPERTIES>,
}

impl<'a> Properties<'a> {
    pub(super) fn set(&mut self, name: &'static str, value: Value<'a>) -> Result<(), FdtError> {
        self.list
            .push((name, value))
            .map_err(|_| FdtError::TooManyEdits)
    }

    /// Whether the list sets this property.
    pub(super) fn has(&self, name: &str) -> bool {
        self.list.iter().any(|(other, _)| *other == name)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Writes all of it into a node that is being made.
    pub(super) fn put(&self, node: &mut Fragment<'_>) -> Result<(), FdtError> {
        self.list.iter().try_for_each(|(name, value)| {
            node.property(name.as_bytes(), &|fragment| value.put(fragment))
        })
    }
}

impl<'t> Fixup<'t, '_, '_> {
    /// Makes an existing node say all of `properties`.
    pub(super) fn apply(
        &mut self,
        node: Node<'t>,
        properties: &Properties<'_>,
    ) -> Result<(), FixupError> {
        properties
            .list
            .iter()
            .try_for_each(|(name, value)| self.set(node, name, value))
    }

    /// Sets one property unless the tree says the same already: every change
    /// costs room.
    pub(super) fn set(
        &mut self,
        node: Node<'t>,
        name: &str,
        value: &Value<'_>,
    ) -> Result<(), FixupError> {
        let old = node.property(name.as_bytes());
        if old.is_some_and(|old| value.is(old.value())) {
            return Ok(());
        }
        self.editor
            .set_property(node, name.as_bytes(), &|fragment| value.put(fragment))?;
        Ok(())
    }

    /// Makes a node unavailable that is not.
    pub(super) fn disable(&mut self, node: Node<'t>) -> Result<(), FixupError> {
        if node.is_available() {
            self.set(node, "status", &Value::Text("disabled"))?;
        }
        Ok(())
    }
}

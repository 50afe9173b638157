//! Flattened device trees: found in a file of any kind, shown, compared, and
//! fixed up as the bootloader does it.
//!
//! The format and its checks are the bootloader's (`unilk_core::fdt`); here a
//! checked tree becomes a [`Node`] that owns what it holds.

pub mod diff;
pub mod find;
pub mod fixup;
pub mod handed;
pub mod print;
mod value;

use serde::Serialize;
use unilk_core::fdt::{self, Fdt, FdtError};

pub use value::Value;

/// A node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Name with unit address; empty for the root.
    pub name: String,
    /// In order.
    pub properties: Vec<Property>,
    /// In order.
    pub children: Vec<Node>,
}

/// A property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Property {
    /// Name.
    pub name: String,
    /// Value; empty for one that is just there.
    #[serde(flatten)]
    pub value: Value,
}

/// A whole tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tree {
    /// Ranges of the reservation map: first address, bytes.
    pub reservations: Vec<(u64, u64)>,
    /// The root.
    pub root: Node,
}

impl Tree {
    /// Reads the tree at the start of `bytes`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, FdtError> {
        let fdt = Fdt::parse(bytes)?;
        let reservations = fdt.reservations();
        Ok(Self {
            reservations: reservations.map(|entry| (entry.base, entry.size)).collect(),
            root: Node::of(&fdt),
        })
    }

    /// The node at `path`: `/`, `/chosen`, `/soc/serial@11005000`. A component
    /// without a unit address takes the first node of that name.
    pub fn node(&self, path: &str) -> Option<&Node> {
        let components = path.strip_prefix('/')?.split('/');
        components
            .filter(|component| !component.is_empty())
            .try_fold(&self.root, |node, component| node.child(component))
    }
}

impl Node {
    /// All of `fdt`, in one walk: its nesting is limited, but not so low that
    /// one would want to recurse.
    fn of(fdt: &Fdt<'_>) -> Self {
        // Nodes from the root to the one that is being filled.
        let mut open: Vec<Node> = Vec::new();
        let close = |open: &mut Vec<Node>, depth: usize| {
            while open.len() > depth.max(1)
                && let Some(done) = open.pop()
                && let Some(parent) = open.last_mut()
            {
                parent.children.push(done);
            }
        };
        for (depth, node) in fdt.nodes() {
            close(&mut open, depth);
            open.push(Self {
                name: text(node.name()),
                properties: node.properties().map(|p| Property::of(&p)).collect(),
                children: Vec::new(),
            });
        }
        close(&mut open, 1);
        open.pop().unwrap_or_default()
    }

    /// The child called `component`, as in a path.
    pub fn child(&self, component: &str) -> Option<&Node> {
        let with_address = component.contains('@');
        self.children.iter().find(|child| {
            let base = child.name.split('@').next();
            child.name == component || !with_address && base == Some(component)
        })
    }

    /// The property called `name`.
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties
            .iter()
            .find(|property| property.name == name)
    }
}

impl Property {
    fn of(property: &fdt::Property<'_>) -> Self {
        Self {
            name: text(property.name()),
            value: Value(property.value().to_vec()),
        }
    }
}

/// Names are text in every tree that makes sense.
fn text(name: &[u8]) -> String {
    crate::bytes::printable(name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;
    use unilk_core::fdt::Editor;

    /// A tree with nothing in it.
    pub(crate) fn empty() -> Vec<u8> {
        let structure = [1_u32, 0, 2, 9];
        let header = [fdt::MAGIC, 72, 56, 72, 40, 17, 16, 0, 0, 16];
        let mut bytes: Vec<u8> = header.iter().flat_map(|word| word.to_be_bytes()).collect();
        bytes.extend([0; 16]);
        bytes.extend(structure.iter().flat_map(|word| word.to_be_bytes()));
        bytes
    }

    /// `tree`, changed.
    pub(crate) fn edited(
        tree: &[u8],
        change: impl for<'t> FnOnce(&mut Editor<'t, '_>, &'t Fdt<'t>) -> Result<(), FdtError>,
    ) -> Vec<u8> {
        let fdt = Fdt::parse(tree).unwrap();
        let mut workspace = vec![0; 8192];
        let mut editor = Editor::new(&fdt, &mut workspace);
        change(&mut editor, &fdt).unwrap();
        let mut out = vec![0; tree.len() + 8192];
        let size = editor.finish(&mut out).unwrap();
        out.truncate(size);
        out
    }

    /// A tree with a node of each sort.
    pub(crate) fn sample() -> Vec<u8> {
        edited(&empty(), |editor, fdt| {
            let root = fdt.root();
            editor.set_u32(root, b"#address-cells", 1)?;
            editor.set_string(root, b"model", b"Phone \"X\"")?;
            editor.set_property(root, b"compatible", &|value| {
                value.put_bytes(b"a,phone\0mediatek,mt6572\0")
            })?;
            editor.add_node(root, b"soc", &|soc| {
                soc.property(b"ranges", &|_| Ok(()))?;
                soc.begin_node(b"serial@11005000")?;
                soc.property(b"reg", &|value| value.put_bytes(b"\x11\0\x50\0\0\0\x10\0"))?;
                soc.property(b"odd", &|value| value.put_bytes(&[1, 2, 3]))?;
                soc.end_node()
            })
        })
    }

    #[test]
    fn trees_come_back_as_they_are() {
        let tree = Tree::parse(&sample()).unwrap();
        assert_eq!(tree.root.name, "");
        let names: Vec<&str> = tree.root.properties.iter().map(|p| &*p.name).collect();
        assert_eq!(names, ["#address-cells", "model", "compatible"]);
        let serial = tree.node("/soc/serial").unwrap();
        assert_eq!(serial.name, "serial@11005000");
        assert_eq!(serial.property("odd").unwrap().value.0, [1, 2, 3]);
        assert_eq!(tree.node("/soc/serial@0"), None);
        assert_eq!(tree.node("soc"), None);
        assert_eq!(tree.node("/"), Some(&tree.root));
    }

    #[test]
    fn any_bytes_return() {
        crate::mutate::each(&sample(), 20_000, |data| {
            if let Ok(tree) = Tree::parse(data) {
                let _ = print::dts(&tree);
                let _ = diff::diff(&tree, &Tree::default());
            }
        });
    }

    #[test]
    fn deep_trees_are_read_without_recursion() {
        let deep = edited(&empty(), |editor, fdt| {
            editor.add_node(fdt.root(), b"n", &|node| {
                for _ in 0..100 {
                    node.begin_node(b"n")?;
                }
                (0..100).try_for_each(|_| node.end_node())
            })
        });
        let tree = Tree::parse(&deep).unwrap();
        assert!(tree.node(&"/n".repeat(101)).is_some());
        assert!(tree.node(&"/n".repeat(102)).is_none());
    }
}

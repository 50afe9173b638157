//! What differs between two trees, by node and property.

use super::{Node, Tree, Value};
use serde::Serialize;
use std::fmt::{self, Display, Formatter};

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// Only the second tree has the node.
    NodeAdded {
        /// Its path.
        path: String,
        /// It and all below it.
        node: Node,
    },
    /// Only the first tree has the node.
    NodeRemoved {
        /// Its path.
        path: String,
    },
    /// Only the second tree's node has the property.
    Added {
        /// Path of the node.
        path: String,
        /// Name of the property.
        property: String,
        /// Its value.
        new: Value,
    },
    /// Only the first tree's node has the property.
    Removed {
        /// Path of the node.
        path: String,
        /// Name of the property.
        property: String,
        /// Its value.
        old: Value,
    },
    /// Both have it, with other values.
    Changed {
        /// Path of the node.
        path: String,
        /// Name of the property.
        property: String,
        /// In the first tree.
        old: Value,
        /// In the second tree.
        new: Value,
    },
    /// The reservation maps differ.
    Reservations {
        /// Of the first tree: first address, bytes.
        old: Vec<(u64, u64)>,
        /// Of the second tree.
        new: Vec<(u64, u64)>,
    },
}

/// What makes `new` of `old`, in the order of the trees. The order of
/// properties and of nodes means nothing to a kernel and does not count.
pub fn diff(old: &Tree, new: &Tree) -> Vec<Change> {
    let mut changes = Vec::new();
    if old.reservations != new.reservations {
        changes.push(Change::Reservations {
            old: old.reservations.clone(),
            new: new.reservations.clone(),
        });
    }
    compare(&mut changes, "", &old.root, &new.root);
    changes
}

/// The nesting is that of checked trees: 128 levels at most.
fn compare(changes: &mut Vec<Change>, path: &str, old: &Node, new: &Node) {
    let here = || if path.is_empty() { "/" } else { path }.to_owned();
    for before in &old.properties {
        let (path, property) = (here(), before.name.clone());
        let old = before.value.clone();
        match new.property(&before.name) {
            Some(after) if after.value == before.value => {}
            Some(after) => changes.push(Change::Changed {
                path,
                property,
                old,
                new: after.value.clone(),
            }),
            None => changes.push(Change::Removed {
                path,
                property,
                old,
            }),
        }
    }
    for after in &new.properties {
        if old.property(&after.name).is_none() {
            changes.push(Change::Added {
                path: here(),
                property: after.name.clone(),
                new: after.value.clone(),
            });
        }
    }
    let named = |node: &Node, name: &str| node.children.iter().position(|child| child.name == name);
    for before in &old.children {
        let path = format!("{path}/{}", before.name);
        match named(new, &before.name).and_then(|index| new.children.get(index)) {
            Some(after) => compare(changes, &path, before, after),
            None => changes.push(Change::NodeRemoved { path }),
        }
    }
    for after in &new.children {
        if named(old, &after.name).is_none() {
            changes.push(Change::NodeAdded {
                path: format!("{path}/{}", after.name),
                node: after.clone(),
            });
        }
    }
}

impl Change {
    /// Path of the node that differs.
    pub fn path(&self) -> &str {
        match self {
            Self::NodeAdded { path, .. }
            | Self::NodeRemoved { path }
            | Self::Added { path, .. }
            | Self::Removed { path, .. }
            | Self::Changed { path, .. } => path,
            Self::Reservations { .. } => "/memreserve/",
        }
    }
}

/// One line, or more for a whole node: `+` is new, `-` is gone.
impl Display for Change {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let is = |value: &Value| {
            let value = value.short();
            let equals = if value.is_empty() { "" } else { " = " };
            format!("{equals}{value}")
        };
        match self {
            Self::NodeAdded { path, node } => {
                write!(f, "+ {path}")?;
                put_new(f, node, 1)
            }
            Self::NodeRemoved { path } => write!(f, "- {path}"),
            Self::Added {
                path,
                property,
                new,
            } => write!(f, "+ {path} {property}{}", is(new)),
            Self::Removed {
                path,
                property,
                old,
            } => write!(f, "- {path} {property}{}", is(old)),
            Self::Changed {
                path,
                property,
                old,
                new,
            } => write!(
                f,
                "- {path} {property}{}\n+ {path} {property}{}",
                is(old),
                is(new)
            ),
            Self::Reservations { old, new } => {
                let mut lines = Vec::new();
                for (mark, list) in [("-", old), ("+", new)] {
                    for (base, size) in list {
                        lines.push(format!("{mark} /memreserve/ {base:#x} {size:#x}"));
                    }
                }
                f.write_str(&lines.join("\n"))
            }
        }
    }
}

/// What is in a node that is new. The nesting is that of a checked tree.
fn put_new(f: &mut Formatter<'_>, node: &Node, depth: usize) -> fmt::Result {
    for property in &node.properties {
        let value = property.value.short();
        let is = if value.is_empty() { "" } else { " = " };
        write!(f, "\n+ {:1$}{2}{is}{value}", "", 4 * depth, property.name)?;
    }
    for child in &node.children {
        write!(f, "\n+ {:1$}{2}:", "", 4 * depth, child.name)?;
        put_new(f, child, depth + 1)?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{edited, sample};
    use super::*;

    #[test]
    fn every_difference_is_one() {
        let old = sample();
        let new = edited(&old, |editor, fdt| {
            let root = fdt.root();
            editor.set_string(root, b"model", b"Other")?;
            editor.delete_property(root, b"#address-cells")?;
            editor.add_reservation(0x1000, 0x2000)?;
            editor.add_node(root, b"chosen", &|chosen| {
                chosen.property(b"bootargs", &|value| value.put_bytes(b"quiet\0"))
            })
        });
        let new = edited(&new, |editor, fdt| {
            editor.delete_node(fdt.node(b"/soc/serial").unwrap())?;
            editor.set_empty(fdt.node(b"/soc").unwrap(), b"dma-ranges")
        });
        let (old, new) = (Tree::parse(&old).unwrap(), Tree::parse(&new).unwrap());
        let text = |old, new| {
            let changes = diff(old, new);
            let lines: Vec<String> = changes.iter().map(ToString::to_string).collect();
            lines.join("\n")
        };
        assert_eq!(
            text(&old, &new),
            "+ /memreserve/ 0x1000 0x2000\n\
             - / #address-cells = <0x01>\n\
             - / model = \"Phone \\\"X\\\"\"\n\
             + / model = \"Other\"\n\
             + /soc dma-ranges\n\
             - /soc/serial@11005000\n\
             + /chosen\n\
             +     bootargs = \"quiet\""
        );
        assert!(text(&new, &old).contains("+ /soc/serial@11005000\n+     reg = <"));
        assert_eq!(diff(&old, &old), []);
    }
}

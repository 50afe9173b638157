//! A tree as the source text that dtc would make of it.

use super::{Node, Tree};
use std::fmt::Write as _;

/// All of `tree`. What dtc makes of the text is the same tree.
pub fn dts(tree: &Tree) -> String {
    let mut out = "/dts-v1/;\n\n".to_owned();
    for (base, size) in &tree.reservations {
        // Writing to a `String` cannot fail, here and below.
        let _ = writeln!(out, "/memreserve/\t{base:#018x} {size:#018x};");
    }
    put(&mut out, &tree.root, 0);
    out
}

/// One node and all below it.
pub fn node(node: &Node) -> String {
    let mut out = String::new();
    put(&mut out, node, 0);
    out
}

/// The nesting is that of a checked tree: 128 levels at most.
fn put(out: &mut String, node: &Node, depth: usize) {
    let name = if node.name.is_empty() {
        "/"
    } else {
        &node.name
    };
    let _ = writeln!(out, "{:\t<depth$}{name} {{", "");
    for property in &node.properties {
        let value = property.value.to_string();
        let is = if value.is_empty() { "" } else { " = " };
        let name = &property.name;
        let _ = writeln!(out, "{:\t<1$}{name}{is}{value};", "", depth + 1);
    }
    for child in &node.children {
        out.push('\n');
        put(out, child, depth + 1);
    }
    let _ = writeln!(out, "{:\t<depth$}}};", "");
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::sample;
    use super::*;

    #[test]
    fn a_tree_is_shown_in_the_words_of_its_source() {
        let tree = Tree::parse(&sample()).unwrap();
        assert_eq!(
            dts(&tree),
            "/dts-v1/;\n\n/ {\n\t#address-cells = <0x01>;\n\tmodel = \"Phone \\\"X\\\"\";\n\
             \tcompatible = \"a,phone\", \"mediatek,mt6572\";\n\n\tsoc {\n\t\tranges;\n\n\
             \t\tserial@11005000 {\n\t\t\treg = <0x11005000 0x1000>;\n\t\t\todd = [01 02 03];\n\
             \t\t};\n\t};\n};\n"
        );
        let serial = node(tree.node("/soc/serial").unwrap());
        assert!(serial.starts_with("serial@11005000 {\n\treg"), "{serial}");
    }
}

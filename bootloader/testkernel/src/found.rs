//! Prints what the device tree says of the parts that were found: the evidence
//! in `/chosen/unilk`, the framebuffer that is lit, and the nodes below the
//! DSI host and the I2C controllers.
//!
//! | line | from |
//! |---|---|
//! | `TK unilk.<name>=<text>` | each text of `/chosen/unilk`; of a list the texts with commas between |
//! | `TK simplefb=<reg>,<width>,<height>,<stride>,<format>` | `/chosen`'s simple-framebuffer; `reg` in hexadecimal |
//! | `TK part=<name>:<compatible>:<status>:<reg>` | each node below a controller |

use core::fmt::{self, Display, Formatter};

use unilk_core::fdt::{Fdt, Node, Property};

use crate::machine::print;
use crate::tree::text;

/// Base names of the controllers that parts are connected to.
const CONTROLLERS: [&[u8]; 2] = [b"dsi", b"i2c"];

/// Shows all of it.
pub fn show(tree: &Fdt<'_>, chosen: Node<'_>) {
    if let Some(unilk) = chosen.child(b"unilk") {
        for property in unilk.properties().filter(is_text) {
            print!("TK unilk.{}={}", text(property.name()), Joined(property));
        }
    }
    for node in chosen.children() {
        if node.is_compatible(b"simple-framebuffer") {
            show_framebuffer(chosen, node);
        }
    }
    for (_, node) in tree.nodes() {
        if CONTROLLERS.contains(&node.base_name()) {
            for part in node.children() {
                show_part(part);
            }
        }
    }
}

fn show_framebuffer(chosen: Node<'_>, node: Node<'_>) {
    let cells = chosen.cells().address;
    let reg = node
        .property(b"reg")
        .and_then(|reg| cell(reg.value(), cells.saturating_sub(1)));
    let number = |name: &[u8]| node.property(name).and_then(|p| p.as_u32()).unwrap_or(0);
    print!(
        "TK simplefb={:08x},{},{},{},{}",
        reg.unwrap_or(0),
        number(b"width"),
        number(b"height"),
        number(b"stride"),
        string(node, b"format").unwrap_or("?")
    );
}

fn show_part(part: Node<'_>) {
    print!(
        "TK part={}:{}:{}:{:x}",
        text(part.name()),
        string(part, b"compatible").unwrap_or("-"),
        string(part, b"status").unwrap_or("okay"),
        part.property(b"reg")
            .and_then(|reg| cell(reg.value(), 0))
            .unwrap_or(0)
    );
}

/// The first text of a property.
fn string<'a>(node: Node<'a>, name: &[u8]) -> Option<&'a str> {
    let property = node.property(name).filter(is_text)?;
    property.strings().next().map(text)
}

/// Cell `index` of a value.
fn cell(value: &[u8], index: usize) -> Option<u32> {
    let bytes = value.get(4 * index..4 * index + 4)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

/// Printable characters, and a zero at the end of each text.
fn is_text(property: &Property<'_>) -> bool {
    let value = property.value();
    let printable = |&byte: &u8| byte.is_ascii_graphic() || byte == b' ';
    value.last() == Some(&0)
        && value
            .split(|&byte| byte == 0)
            .rev()
            .skip(1)
            .all(|part| !part.is_empty() && part.iter().all(printable))
}

/// A list of texts with commas between.
struct Joined<'a>(Property<'a>);

impl Display for Joined<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.strings().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            f.write_str(text(part))?;
        }
        Ok(())
    }
}

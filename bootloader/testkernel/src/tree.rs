//! Prints and checks a device tree as a mainline kernel would use it
//! (facts/storage-and-images.md 6.4).

use unilk_core::fdt::{Fdt, Node, Property};

use crate::found;
use crate::kernel::End;
use crate::machine::{Machine, crc32, fail, print};

/// Shows the tree at `address`; the kernel runs at `place`.
pub fn show(machine: &Machine, address: u32, place: u32) -> End {
    let size = machine.word(address + 4).map_or(0, u32::swap_bytes);
    let Some(Ok(tree)) = machine.memory(address, size).map(Fdt::parse) else {
        fail!("the device tree at {address:08x} is damaged");
        return End::Off;
    };
    print!("TK fdt address={address:08x} size={size}");
    for node in tree.root().children() {
        if node.base_name() == b"memory" {
            regions("memory", &tree, node, place);
        }
    }
    if let Some(reserved) = tree.node(b"/reserved-memory") {
        for node in reserved.children() {
            regions(text(node.name()), &tree, node, place);
        }
    }
    for name in [&b"model"[..], b"compatible", b"serial-number"] {
        if let Some(value) = tree.root().property(name).and_then(|p| p.as_string()) {
            print!("TK fdt {}={}", text(name), text(value));
        }
    }
    if let Some(chosen) = tree.node(b"/chosen") {
        found::show(&tree, chosen);
        show_chosen(machine, chosen)
    } else {
        fail!("no /chosen");
        End::Off
    }
}

fn regions(label: &str, tree: &Fdt<'_>, node: Node<'_>, place: u32) {
    let Some(reg) = node.property(b"reg") else {
        return;
    };
    let cells = if label == "memory" {
        tree.root().cells()
    } else {
        tree.node(b"/reserved-memory")
            .map_or(tree.root().cells(), |node| node.cells())
    };
    let width = if cells.address == 2 { 16 } else { 8 };
    for entry in reg.value().chunks_exact(width) {
        let low = |at: usize| {
            entry
                .get(at..at + 4)
                .map_or(0, |b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
        };
        let (base, size) = if width == 16 {
            (low(4), low(12))
        } else {
            (low(0), low(4))
        };
        print!("TK fdt {label} base={base:08x} size={size:08x}");
        if label != "memory" && place >= base && place - base < size {
            fail!("the kernel runs inside the reserved region {label}");
        }
    }
}

fn show_chosen(machine: &Machine, chosen: Node<'_>) -> End {
    let mut end = End::Off;
    for property in chosen.properties() {
        let name = text(property.name());
        show_property("chosen", name, property);
        if name == "bootargs" {
            end = End::from_command_line(property.as_string().map_or("", text));
        }
    }
    if let Some(unilk) = chosen.child(b"unilk") {
        for property in unilk.properties() {
            show_property("unilk", text(property.name()), property);
        }
    }
    let edge = |name: &[u8]| {
        let property = chosen.property(name)?;
        property.as_u32().map(u64::from).or(property.as_u64())
    };
    if let (Some(start), Some(stop)) = (edge(b"linux,initrd-start"), edge(b"linux,initrd-end")) {
        let size = (stop - start) as u32;
        let crc = machine.memory(start as u32, size).map_or(0, crc32);
        print!("TK initrd start={start:08x} size={size:08x} crc={crc:08x}");
    }
    end
}

/// A string as text, one or two cells as a number, anything else by its size.
fn show_property(label: &str, name: &str, property: Property<'_>) {
    let printable = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    match (property.value(), property.as_u64()) {
        ([string @ .., 0], _) if string.iter().all(printable) => {
            print!("TK {label} {name}={}", text(string));
        }
        (_, Some(number)) => print!("TK {label} {name}={number:#x}"),
        (value, None) => print!("TK {label} {name}=({} bytes)", value.len()),
    }
}

/// As text, if it is.
pub fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or("(not text)")
}

//! What is accepted, what is refused with which error, and whether dtc's own
//! tools see the same.

use super::*;
use crate::error::Code as _;

/// Property of a node as `fdtget` prints it.
fn fdtget(blob: &[u8], kind: &str, node: &str, property: &str) -> String {
    let path = std::env::temp_dir().join(std::format!(
        "unilk-fdt-{}-{:?}.dtb",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::write(&path, blob).unwrap();
    let arguments = ["-t", kind, path.to_str().unwrap(), node, property];
    let text = tool("fdtget", &arguments, b"");
    std::fs::remove_file(&path).unwrap();
    String::from_utf8(text).unwrap().trim().into()
}

fn code(blob: &[u8]) -> &'static str {
    Fdt::parse(blob).map_or_else(|error| error.code(), |_| "ok")
}

#[test]
fn reads_what_fdtget_reads() {
    let blob = compile(RICH_SOURCE);
    let tree = Fdt::parse(&blob).unwrap();
    let text = |node: &str, property: &str| {
        let value = tree.node(node.as_bytes()).unwrap();
        let value = value.property(property.as_bytes()).unwrap();
        String::from_utf8(value.strings().collect::<Vec<_>>().join(&b' ')).unwrap()
    };
    let cells = |node: &str, property: &str| {
        let node = tree.node(node.as_bytes()).unwrap();
        let property = node.property(property.as_bytes()).unwrap();
        let cells = property.cells().map(|cell| std::format!("{cell:x}"));
        cells.collect::<Vec<_>>().join(" ")
    };
    for (node, property) in [
        ("/", "compatible"),
        ("/chosen", "bootargs"),
        ("/aliases", "serial0"),
    ] {
        assert_eq!(text(node, property), fdtget(&blob, "s", node, property));
    }
    let uart = "/bus@0,10000000/serial@6000";
    for (node, property) in [
        (uart, "reg"),
        (uart, "interrupts"),
        ("/timer", "number64"),
        (
            "/timer",
            "a-property-name-of-more-than-thirty-one-characters",
        ),
    ] {
        assert_eq!(cells(node, property), fdtget(&blob, "x", node, property));
    }
    let bytes = tree.node(b"/timer").unwrap().property(b"bytes").unwrap();
    assert_eq!(bytes.value(), [1, 2, 3, 4, 5]);
    assert_eq!(fdtget(&blob, "bx", "/timer", "bytes"), "1 2 3 4 5");
}

#[test]
fn lists_the_same_properties_and_nodes_as_fdtget() {
    let blob = compile(RICH_SOURCE);
    let tree = Fdt::parse(&blob).unwrap();
    let path = std::env::temp_dir().join(std::format!("unilk-fdt-list-{}.dtb", std::process::id()));
    std::fs::write(&path, &blob).unwrap();
    let list = |option: &str, node: &str| {
        let text = tool("fdtget", &[option, path.to_str().unwrap(), node], b"");
        String::from_utf8(text).unwrap()
    };
    for name in ["/", "/timer", "/bus@0,10000000", "/__symbols__"] {
        let node = tree.node(name.as_bytes()).unwrap();
        let lines = |names: Vec<&[u8]>| -> String {
            let names = names.iter().map(|name| String::from_utf8_lossy(name));
            names.flat_map(|name| [name, "\n".into()]).collect()
        };
        assert_eq!(
            lines(node.properties().map(|p| p.name()).collect()),
            list("-p", name)
        );
        assert_eq!(
            lines(node.children().map(|c| c.name()).collect()),
            list("-l", name)
        );
    }
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn finds_nodes_by_path_alias_phandle_and_compatible() {
    let blob = compile(RICH_SOURCE);
    let tree = Fdt::parse(&blob).unwrap();
    let uart = tree.node(b"/bus@0,10000000/serial@6000").unwrap();
    assert_eq!(tree.node(b"/bus/serial"), Some(uart));
    assert_eq!(tree.resolve(b"serial0:921600n8"), Some(uart));
    assert_eq!(tree.resolve(b"/bus/serial@6000:115200"), Some(uart));
    assert_eq!(tree.resolve(b"serial1"), None);
    assert_eq!(tree.node(b"/bus/serial@7000"), None);
    assert_eq!(tree.node(b"bus"), None);
    assert_eq!(tree.node(b"/"), Some(tree.root()));
    assert_eq!(tree.compatible(b"mediatek,mt6572-uart").next(), Some(uart));
    let phandle = uart.property(b"phandle").unwrap().as_u32().unwrap();
    assert_eq!(tree.by_phandle(phandle), Some(uart));
    assert_eq!(tree.by_phandle(0xFFFF), None);
    let depths: Vec<_> = tree.nodes().map(|(depth, _)| depth).collect();
    assert_eq!(depths, [0, 1, 1, 1, 2, 1, 2, 1]);
}

#[test]
fn reads_values_by_type() {
    let blob = compile(RICH_SOURCE);
    let tree = Fdt::parse(&blob).unwrap();
    let timer = tree.node(b"/timer").unwrap();
    let number = timer.property(b"number64").unwrap();
    assert_eq!(number.as_u64(), Some(0x1234_5678_9ABC_DEF0));
    assert_eq!(number.as_u32(), None);
    let flag = timer
        .property(b"arm,cpu-registers-not-fw-configured")
        .unwrap();
    assert_eq!(
        (flag.value(), flag.as_u32(), flag.as_string()),
        (&[][..], None, None)
    );
    let mixed = timer.property(b"mixed").unwrap();
    assert_eq!(mixed.as_string(), Some(&b"text"[..]));
    assert!(timer.is_available());
    let map: Vec<_> = tree
        .reservations()
        .map(|entry| (entry.base, entry.size))
        .collect();
    assert_eq!(
        map,
        [(0x8000_0000, 0x10_0000), (0x1234_5678_90AB_CDEF, 0x10)]
    );
}

#[test]
fn translates_addresses_through_ranges() {
    let blob = compile(RICH_SOURCE);
    let tree = Fdt::parse(&blob).unwrap();
    assert_eq!(
        tree.root().cells(),
        Cells {
            address: 2,
            size: 1
        }
    );
    // 0x6000 on a bus whose 0x1000 is the CPU's 0x11000000.
    let found = tree.device_at(0x1100_5000).unwrap();
    let found = found.nodes().next_back().unwrap();
    assert_eq!(found.name(), b"serial@6000");
    assert!(tree.device_at(0x6000).is_none());
    let beyond = compile(&RICH_SOURCE.replace("reg = <0x6000 0x400>", "reg = <0x12000 0x400>"));
    let tree_beyond = Fdt::parse(&beyond).unwrap();
    assert!(
        tree_beyond.device_at(0x1101_1000).is_none(),
        "behind the window"
    );
    let reg = found.property(b"reg").unwrap();
    let entries: Vec<_> = reg
        .reg(Cells {
            address: 1,
            size: 1,
        })
        .collect();
    assert_eq!(entries, [(0x6000, 0x400)]);
    assert_eq!(
        reg.reg(Cells {
            address: 0,
            size: 0
        })
        .next(),
        None
    );
    assert_eq!(
        reg.reg(Cells {
            address: 3,
            size: 1
        })
        .next(),
        None
    );
}

#[test]
fn skips_nops_wherever_they_stand() {
    let structure = words(&[
        4, 1, 0, 4, 3, 4, 0, 0xAABBCCDD, 4, 1, 0x61000000, 4, 2, 4, 2, 4, 9,
    ]);
    let blob = assemble(&structure, b"x\0");
    let tree = Fdt::parse(&blob).unwrap();
    assert_eq!(
        tree.root().property(b"x").unwrap().as_u32(),
        Some(0xAABBCCDD)
    );
    assert_eq!(tree.node(b"/a").unwrap().properties().count(), 0);
    assert_eq!(tree.root().children().count(), 1);
}

#[test]
fn takes_version_16_and_refuses_older_ones() {
    let version16 = compile_with(&["-q", "-V", "16"], RICH_SOURCE);
    assert_eq!(version16[20..24], 16_u32.to_be_bytes());
    let tree = Fdt::parse(&version16).unwrap();
    assert_eq!(
        tree.node(b"/chosen")
            .unwrap()
            .property(b"bootargs")
            .unwrap()
            .value(),
        b"quiet rw\0"
    );
    for version in ["1", "2", "3"] {
        assert_eq!(
            code(&compile_with(&["-q", "-V", version], RICH_SOURCE)),
            "FDT-VERSION"
        );
    }
    let mut future = compile(RICH_SOURCE);
    poke(&mut future, 5, 18);
    assert_eq!(code(&future), "ok");
    poke(&mut future, 6, 18);
    assert_eq!(code(&future), "FDT-VERSION");
}

#[test]
fn takes_padding_alignment_and_boot_cpu() {
    let blob = compile_with(
        &["-q", "-p", "1000", "-a", "64", "-b", "1", "-R", "4"],
        RICH_SOURCE,
    );
    let tree = Fdt::parse(&blob).unwrap();
    assert_eq!(tree.boot_cpu(), 1);
    assert_eq!(tree.total_size(), blob.len());
    assert_eq!(tree.reservations().count(), 2);
    let mut followed = blob.clone();
    followed.extend_from_slice(&[0xFF; 100]);
    assert_eq!(Fdt::parse(&followed).unwrap().total_size(), blob.len());
}

#[test]
fn refuses_a_lying_header() {
    let good = compile(RICH_SOURCE);
    let size = good.len() as u32;
    let with = |index: usize, value: u32| {
        let mut blob = good.clone();
        poke(&mut blob, index, value);
        code(&blob)
    };
    assert_eq!(with(0, 0xD00D_FEEE), "FDT-MAGIC");
    assert_eq!(with(1, size + 1), "FDT-SIZE");
    assert_eq!(with(1, 39), "FDT-SIZE");
    assert_eq!(with(1, u32::MAX), "FDT-SIZE");
    assert_eq!(with(2, 0), "FDT-LAYOUT");
    assert_eq!(with(2, u32::MAX - 3), "FDT-LAYOUT");
    assert_eq!(with(3, size), "FDT-LAYOUT");
    assert_eq!(with(4, size - 8), "FDT-RSVMAP");
    assert_eq!(with(8, u32::MAX), "FDT-LAYOUT");
    assert_eq!(with(9, u32::MAX), "FDT-LAYOUT");
    assert_eq!(with(9, 16), "FDT-TRUNC");
    assert_eq!(with(8, 1), "FDT-PROPNAME");
    assert_eq!(code(&good[..20]), "FDT-SIZE");
    assert_eq!(code(&good[..3]), "FDT-MAGIC");
    assert_eq!(code(&[]), "FDT-MAGIC");
    assert_eq!(code(&good[..good.len() - 1]), "FDT-SIZE");
}

#[test]
fn refuses_more_than_a_mebibyte() {
    let mut blob = compile_with(&["-q", "-S", "1048576"], RICH_SOURCE);
    assert_eq!(code(&blob), "ok");
    blob.push(0);
    poke(&mut blob, 1, 1_048_577);
    assert_eq!(code(&blob), "FDT-SIZE");
}

#[test]
fn names_the_place_of_a_broken_structure() {
    let parse = |structure: &[u32]| Fdt::parse(&assemble(&words(structure), b"x\0")).unwrap_err();
    let base = 56;
    // Property behind a subnode, second root, unbalanced, unknown token.
    let token = |index: usize, found| FdtError::Token {
        offset: base + index * 4,
        found,
    };
    assert_eq!(parse(&[1, 0, 1, 0x61000000, 2, 3, 0, 0, 2, 9]), token(5, 3));
    assert_eq!(parse(&[1, 0, 2, 1, 0, 2, 9]), token(3, 1));
    assert_eq!(parse(&[1, 0, 2, 2, 9]), token(3, 2));
    assert_eq!(parse(&[1, 0, 9]), token(2, 9));
    assert_eq!(parse(&[9]), token(0, 9));
    assert_eq!(parse(&[1, 0, 7, 2, 9]), token(2, 7));
    assert_eq!(parse(&[3, 0, 0, 1, 0, 2, 9]), token(0, 3));
    assert_eq!(parse(&[1, 0, 2]), FdtError::Truncated { offset: base + 12 });
    let property = base + 8;
    assert_eq!(
        parse(&[1, 0, 3, 0, 2, 2, 9]),
        FdtError::PropertyName { offset: property }
    );
    assert_eq!(
        parse(&[1, 0, 3, u32::MAX, 0, 2, 9]),
        FdtError::Truncated { offset: property }
    );
    assert_eq!(parse(&[1, 0x61616161]), FdtError::NodeName { offset: base });
    let unterminated = assemble(&words(&[1, 0, 3, 0, 0, 2, 9]), b"x");
    assert_eq!(code(&unterminated), "FDT-PROPNAME");
    let last_unterminated = assemble(&words(&[1, 0, 3, 0, 2, 2, 9]), b"a\0x");
    assert_eq!(code(&last_unterminated), "FDT-PROPNAME");
}

#[test]
fn limits_depth_without_recursion() {
    let nested = |levels: usize| {
        let mut structure = words(&[1, 0]);
        structure.extend(words(&[1, 0x61000000]).repeat(levels - 1));
        structure.extend(words(&[2]).repeat(levels));
        structure.extend(words(&[9]));
        assemble(&structure, b"")
    };
    assert_eq!(Fdt::parse(&nested(64)).unwrap().nodes().count(), 64);
    assert_eq!(
        Fdt::parse(&nested(MAX_DEPTH)).unwrap().nodes().count(),
        MAX_DEPTH
    );
    let offset = 56 + 8 * MAX_DEPTH;
    assert_eq!(
        Fdt::parse(&nested(1000)).unwrap_err(),
        FdtError::Depth { offset }
    );
}

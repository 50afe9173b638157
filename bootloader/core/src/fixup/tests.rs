//! Fix-ups of our own trees and of trees that make it difficult. Every result
//! is read back by dtc, and fixed up again, which must change nothing.

#![allow(clippy::unwrap_used)]

use std::string::String;
use std::vec::Vec;

use super::*;
use crate::fdt::tests::fuzz::XorShift;
use crate::fdt::tests::{compile, decompile, our_tree};

const CONNSYS: ReservedRegion<'_> = ReservedRegion {
    name: "connsys",
    region: Region::new(0x8000_0000, 0x10_0000),
    no_map: true,
};
const LOG: ReservedRegion<'_> = ReservedRegion {
    name: "unilk-log",
    region: Region::new(0x9FF0_0000, 0x1_0000),
    no_map: false,
};

/// A 512 MiB phone started with the power key.
pub(super) const PHONE: HandOff<'_> = HandOff {
    memory: &[Region::new(0x8000_0000, 0x2000_0000)],
    reserved: &[CONNSYS, LOG],
    bootargs: BootArgs {
        image: b"root=/dev/ram rdinit=/init\0\0",
        ours: b"console=ttyS0,115200n8",
    },
    initrd: Some(Region::new(0x8410_0000, 0x12_3456)),
    console: Some(Console {
        uart_base: 0x1100_5000,
        baud: 921_600,
    }),
    serial_number: Some("0123456789ABCDEF"),
    identity: Identity {
        version: "0.1.0",
        chip: "MT6572",
        variant: "W",
        boot_mode: "normal",
        boot_reason: "power-key",
        preloader_ms: 321,
    },
    mac_addresses: &[],
    found: Found::UNKNOWN,
};

/// The same phone for trees without a UART.
pub(super) const SILENT: HandOff<'_> = HandOff {
    console: None,
    ..PHONE
};

/// Fixes up `tree`, checks that dtc reads the result and that fixing it up
/// again changes nothing.
pub(super) fn fixed(tree: &[u8], hand_off: &HandOff<'_>) -> (Vec<u8>, Vec<Warning>) {
    let run = |tree: &[u8]| {
        let mut output = std::vec![0xEE; tree.len() + GROWTH_BYTES];
        let result = fix_up(tree, hand_off, &mut output).unwrap();
        output.truncate(result.size);
        (output, result.warnings.as_slice().to_vec())
    };
    let (output, warnings) = run(tree);
    decompile(&output);
    let (again, _) = run(&output);
    assert!(
        again == output,
        "not idempotent:\n{}\n{}",
        decompile(&output),
        decompile(&again)
    );
    (output, warnings)
}

pub(super) fn text<'a>(blob: &'a [u8], node: &str, property: &str) -> Option<&'a str> {
    // Left behind: what it reads of the blob outlives this function.
    let tree: &'a Fdt<'a> = std::boxed::Box::leak(std::boxed::Box::new(Fdt::parse(blob).unwrap()));
    let value = tree.node(node.as_bytes())?;
    let value = value.property(property.as_bytes())?.as_string()?;
    Some(core::str::from_utf8(value).unwrap())
}

pub(super) fn cells(blob: &[u8], node: &str, property: &str) -> Option<Vec<u32>> {
    let tree = Fdt::parse(blob).unwrap();
    let node = tree.node(node.as_bytes())?;
    Some(node.property(property.as_bytes())?.cells().collect())
}

/// A tree whose root has `body`, one address and one size cell.
pub(super) fn small(body: &str) -> Vec<u8> {
    compile(&std::format!(
        "/dts-v1/; / {{ #address-cells = <1>; #size-cells = <1>; {body} }};"
    ))
}

#[test]
fn the_debian_tree_says_everything() {
    let (blob, warnings) = fixed(&our_tree("mt6572-qemu-debian.dts"), &PHONE);
    assert_eq!(warnings, []);
    assert_eq!(
        cells(&blob, "/memory@80000000", "reg"),
        Some(std::vec![0x8000_0000, 0x2000_0000])
    );
    assert_eq!(
        cells(&blob, "/reserved-memory/unilk-log@9ff00000", "reg"),
        Some(std::vec![0x9FF0_0000, 0x1_0000])
    );
    assert_eq!(
        text(&blob, "/chosen", "bootargs"),
        Some("root=/dev/ram rdinit=/init console=ttyS0,115200n8")
    );
    assert_eq!(
        text(&blob, "/chosen", "stdout-path"),
        Some("serial0:115200n8"),
        "kept"
    );
    assert_eq!(
        cells(&blob, "/chosen", "linux,initrd-start"),
        Some(std::vec![0x8410_0000])
    );
    assert_eq!(
        cells(&blob, "/chosen", "linux,initrd-end"),
        Some(std::vec![0x8422_3456])
    );
    assert_eq!(text(&blob, "/", "serial-number"), Some("0123456789ABCDEF"));
    for (name, value) in [
        ("unilk,version", "0.1.0"),
        ("unilk,chip", "MT6572"),
        ("unilk,variant", "W"),
        ("unilk,boot-mode", "normal"),
        ("unilk,boot-reason", "power-key"),
    ] {
        assert_eq!(text(&blob, "/chosen", name), Some(value));
    }
    assert_eq!(
        cells(&blob, "/chosen", "unilk,preloader-time-ms"),
        Some(std::vec![321])
    );
}

#[test]
fn the_generic_tree_gets_its_console_by_alias() {
    let (blob, warnings) = fixed(&our_tree("mt6572-generic.dts"), &PHONE);
    assert_eq!(warnings, []);
    assert_eq!(
        text(&blob, "/chosen", "stdout-path"),
        Some("serial0:921600n8")
    );
    let on_uart2 = HandOff {
        console: Some(Console {
            uart_base: 0x1100_6000,
            baud: 921_600,
        }),
        ..PHONE
    };
    let (blob, _) = fixed(&our_tree("mt6572-generic.dts"), &on_uart2);
    assert_eq!(
        text(&blob, "/chosen", "stdout-path"),
        Some("serial1:921600n8")
    );
}

#[test]
fn what_is_not_ours_is_the_same_afterwards() {
    for name in ["mt6572-generic.dts", "mt6572-qemu-debian.dts"] {
        let source = our_tree(name);
        let (blob, _) = fixed(&source, &PHONE);
        let before = Fdt::parse(&source).unwrap();
        let after = Fdt::parse(&blob).unwrap();
        let mut compared = 0;
        let pairs = before
            .nodes()
            .map(|(_, node)| node)
            .filter(|node| !matches!(node.base_name(), b"memory" | b"chosen"));
        let nodes: Vec<_> = after.nodes().map(|(_, node)| node).collect();
        let mut from = 0;
        for old in pairs {
            from += nodes[from..]
                .iter()
                .position(|new| new.name() == old.name())
                .unwrap();
            let mut new = nodes[from].properties();
            for property in old.properties() {
                let same = new.next().unwrap();
                assert_eq!(
                    (same.name(), same.value()),
                    (property.name(), property.value())
                );
                compared += 1;
            }
        }
        assert!(compared > 30);
    }
}

#[test]
fn memory_follows_the_roots_cells() {
    let two_banks = HandOff {
        memory: &[
            Region::new(0x8000_0000, 0x1000_0000),
            Region::new(0x9000_0000, 0x2000_0000),
        ],
        ..PHONE
    };
    let wide = compile(
        "/dts-v1/; / { #address-cells = <2>; #size-cells = <2>;
         memory { device_type = \"memory\"; reg = <0 0 0 0>; keep = \"me\"; }; };",
    );
    let (blob, _) = fixed(&wide, &two_banks);
    let reg = cells(&blob, "/memory", "reg").unwrap();
    assert_eq!(
        reg,
        [
            0,
            0x8000_0000,
            0,
            0x1000_0000,
            0,
            0x9000_0000,
            0,
            0x2000_0000
        ]
    );
    assert_eq!(text(&blob, "/memory", "keep"), Some("me"));
    let start = cells(&blob, "/chosen", "linux,initrd-start").unwrap();
    assert_eq!(start, [0, 0x8410_0000], "as wide as addresses are");
    assert_eq!(
        cells(&blob, "/reserved-memory", "#address-cells"),
        Some(std::vec![2])
    );

    let (blob, _) = fixed(&small(""), &two_banks);
    let reg = cells(&blob, "/memory@80000000", "reg").unwrap();
    assert_eq!(reg, [0x8000_0000, 0x1000_0000, 0x9000_0000, 0x2000_0000]);
    assert_eq!(text(&blob, "/memory", "device_type"), Some("memory"));
}

#[test]
fn one_memory_node_remains_and_counts() {
    let source = small(
        "memory@40000000 { reg = <0x40000000 1>; status = \"disabled\"; };
         ram { device_type = \"memory\"; reg = <1 2>; };
         memory@90000000 { device_type = \"memory\"; reg = <1 2>; };
         memory-controller { }; other { memory@1 { reg = <1 1>; }; };",
    );
    let (blob, _) = fixed(&source, &PHONE);
    let tree = Fdt::parse(&blob).unwrap();
    let names: Vec<_> = tree.root().children().map(|node| node.name()).collect();
    let expected = [
        &b"memory@40000000"[..],
        b"memory-controller",
        b"other",
        b"reserved-memory",
        b"chosen",
    ];
    assert_eq!(names, expected);
    assert_eq!(text(&blob, "/memory", "device_type"), Some("memory"));
    assert_eq!(text(&blob, "/memory", "status"), None);
    assert_eq!(
        cells(&blob, "/other/memory@1", "reg"),
        Some(std::vec![1, 1])
    );
}

#[test]
fn reserved_memory_is_made_or_completed() {
    let (blob, _) = fixed(&small(""), &SILENT);
    let node = "/reserved-memory";
    assert_eq!(cells(&blob, node, "#address-cells"), Some(std::vec![1]));
    assert_eq!(cells(&blob, node, "ranges"), Some(Vec::new()));
    let connsys = "/reserved-memory/connsys@80000000";
    assert_eq!(
        cells(&blob, connsys, "reg"),
        Some(std::vec![0x8000_0000, 0x10_0000])
    );
    assert_eq!(cells(&blob, connsys, "no-map"), Some(Vec::new()));
    assert_eq!(cells(&blob, "/reserved-memory/unilk-log", "no-map"), None);

    let bare = small("reserved-memory { cma { size = <0x1000000>; }; };");
    let (blob, warnings) = fixed(&bare, &SILENT);
    assert_eq!(warnings, []);
    assert_eq!(cells(&blob, node, "#size-cells"), Some(std::vec![1]));
    assert_eq!(cells(&blob, node, "ranges"), Some(Vec::new()));
    assert_eq!(
        cells(&blob, "/reserved-memory/cma", "size"),
        Some(std::vec![0x100_0000])
    );
    assert!(cells(&blob, connsys, "reg").is_some());
}

#[test]
fn a_region_that_the_tree_covers_is_not_added() {
    let source = small(
        "reserved-memory { #address-cells = <1>; #size-cells = <1>; ranges;
           firmware@80000000 { reg = <0x80000000 0x200000>; no-map; };
           big@9f000000 { reg = <0x9f000000 0x100000>, <0x9f800000 0x800000>; no-map; }; };",
    );
    let (blob, warnings) = fixed(&source, &SILENT);
    let tree = Fdt::parse(&blob).unwrap();
    assert_eq!(
        tree.node(b"/reserved-memory").unwrap().children().count(),
        2
    );
    assert_eq!(warnings, [Warning::MapDiffers { ours: LOG.region }]);
}

#[test]
fn collisions_are_reported_and_ours_is_added() {
    let source = compile(
        "/dts-v1/; /memreserve/ 0x80000000 0x100000; /memreserve/ 0x84200000 0x1000;
         / { #address-cells = <1>; #size-cells = <1>;
         reserved-memory { #address-cells = <1>; #size-cells = <1>; ranges;
           fb@9fa00000 { reg = <0x9fa00000 0x508000>; };
           cma@9f000000 { reg = <0x9f000000 0x1000000>; reusable; };
           off@9ff00000 { reg = <0x9ff00000 0x100000>; status = \"disabled\"; }; }; };",
    );
    let (blob, warnings) = fixed(&source, &SILENT);
    let overlap = |ours, base, size| Warning::Overlap {
        ours,
        tree: Region::new(base, size),
    };
    assert_eq!(
        warnings,
        [
            overlap(PHONE.initrd.unwrap(), 0x8420_0000, 0x1000),
            overlap(CONNSYS.region, 0x8000_0000, 0x10_0000),
            overlap(LOG.region, 0x9FA0_0000, 0x50_8000),
            overlap(LOG.region, 0x9F00_0000, 0x100_0000),
        ]
    );
    assert!(cells(&blob, "/reserved-memory/connsys@80000000", "no-map").is_some());
    assert!(cells(&blob, "/reserved-memory/unilk-log@9ff00000", "reg").is_some());
    assert!(cells(&blob, "/reserved-memory/fb@9fa00000", "reg").is_some());
}

#[test]
fn a_namesake_of_another_size_is_taken_over() {
    let source = small(
        "reserved-memory { #address-cells = <1>; #size-cells = <1>; ranges;
           connsys@80000000 { reg = <0x80000000 0x8000>; label = \"wifi\"; }; };",
    );
    let (blob, warnings) = fixed(&source, &SILENT);
    let connsys = "/reserved-memory/connsys@80000000";
    assert_eq!(
        cells(&blob, connsys, "reg"),
        Some(std::vec![0x8000_0000, 0x10_0000])
    );
    assert!(cells(&blob, connsys, "no-map").is_some());
    assert_eq!(text(&blob, connsys, "label"), Some("wifi"));
    assert_eq!(warnings.len(), 1);
}

#[test]
fn a_node_that_linux_ignores_is_backed_by_the_map() {
    let source = small("reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges; };");
    let (blob, warnings) = fixed(&source, &SILENT);
    assert_eq!(
        warnings,
        [Warning::ReservedCells {
            address: 2,
            size: 2
        }]
    );
    let map: Vec<_> = Fdt::parse(&blob)
        .unwrap()
        .reservations()
        .map(|entry| Region::new(entry.base, entry.size))
        .collect();
    assert_eq!(map, [CONNSYS.region, LOG.region]);
}

#[test]
fn stdout_path_is_kept_if_it_leads_somewhere() {
    let uart =
        "aliases { other = &u; serial3 = &u; }; bus { #address-cells = <1>; #size-cells = <1>;
        compatible = \"simple-bus\"; ranges; u: serial@11005000 { reg = <0x11005000 4>; }; };";
    let stdout = |chosen: &str, uart: &str| {
        let (blob, warnings) = fixed(
            &small(&std::format!("chosen {{ {chosen} }}; {uart}")),
            &PHONE,
        );
        (
            text(&blob, "/chosen", "stdout-path").map(String::from),
            warnings,
        )
    };
    let path = |path: &str| (Some(String::from(path)), Vec::new());
    assert_eq!(stdout("", uart), path("serial3:921600n8"));
    assert_eq!(
        stdout("stdout-path = \"other:115200\";", uart),
        path("other:115200")
    );
    assert_eq!(
        stdout("stdout-path = \"gone:115200\";", uart),
        path("serial3:921600n8")
    );
    assert_eq!(
        stdout("linux,stdout-path = \"/bus\";", uart),
        (None, Vec::new())
    );
    let no_alias = uart.replace("aliases { other = &u; serial3 = &u; };", "");
    assert_eq!(stdout("", &no_alias), path("/bus/serial@11005000:921600n8"));
    let off = uart.replace("4>;", "4>; status = \"disabled\";");
    let warning = Warning::NoConsole {
        uart_base: 0x1100_5000,
    };
    assert_eq!(stdout("", &off), (None, std::vec![warning]));
}

#[test]
fn a_stale_ramdisk_goes_and_nothing_is_invented() {
    let source = small(
        "chosen { linux,initrd-start = <0x84100000>; linux,initrd-end = <0x85000000>;
           kaslr-seed = <1 2>; bootargs = \"quiet\"; };",
    );
    let quiet = HandOff {
        initrd: None,
        console: None,
        serial_number: None,
        bootargs: BootArgs::default(),
        ..PHONE
    };
    let (blob, _) = fixed(&source, &quiet);
    assert_eq!(cells(&blob, "/chosen", "linux,initrd-start"), None);
    assert_eq!(cells(&blob, "/chosen", "linux,initrd-end"), None);
    assert_eq!(cells(&blob, "/chosen", "kaslr-seed"), Some(std::vec![1, 2]));
    assert_eq!(text(&blob, "/chosen", "bootargs"), Some("quiet"));
    let (blob, _) = fixed(&small(""), &quiet);
    let text = decompile(&blob);
    for absent in [
        "seed",
        "serial-number",
        "mac-address",
        "bootargs",
        "stdout",
        "initrd",
    ] {
        assert!(!text.contains(absent), "{absent} in {text}");
    }
}

#[test]
fn mac_addresses_go_where_an_alias_points() {
    let with_macs = HandOff {
        mac_addresses: &[
            MacAddress {
                alias: "wifi0",
                address: [2, 0, 0, 0xAA, 0xBB, 0xCC],
            },
            MacAddress {
                alias: "ethernet0",
                address: [2, 0, 0, 0, 0, 1],
            },
        ],
        ..PHONE
    };
    let (blob, _) = fixed(
        &small("aliases { wifi0 = \"/wifi\"; }; wifi { };"),
        &with_macs,
    );
    let tree = Fdt::parse(&blob).unwrap();
    let wifi = tree
        .node(b"/wifi")
        .unwrap()
        .property(b"local-mac-address")
        .unwrap();
    assert_eq!(wifi.value(), [2, 0, 0, 0xAA, 0xBB, 0xCC]);
    assert_eq!(decompile(&blob).matches("local-mac-address").count(), 1);
}

#[test]
fn too_long_a_command_line_of_the_tree_is_left_out() {
    let long = "x1234567 ".repeat(500);
    let (blob, warnings) = fixed(
        &small(&std::format!("chosen {{ bootargs = \"{long}\"; }};")),
        &PHONE,
    );
    assert!(matches!(
        warnings[..],
        [
            Warning::BootargsTooLong { length: 4501.. },
            Warning::NoConsole { .. }
        ]
    ));
    let expected = "root=/dev/ram rdinit=/init console=ttyS0,115200n8";
    assert_eq!(text(&blob, "/chosen", "bootargs"), Some(expected));
}

#[test]
fn what_cannot_be_done_has_a_code() {
    let run = |tree: &[u8], hand_off: &HandOff<'_>, room: usize| {
        let mut output = std::vec![0; room];
        fix_up(tree, hand_off, &mut output).unwrap_err()
    };
    let tree = small("");
    let none = HandOff {
        memory: &[],
        ..PHONE
    };
    assert_eq!(run(&tree, &none, 32_768).code(), "FIX-MEMORY");
    let high = HandOff {
        memory: &[Region::new(0x1_0000_0000, 0x1000)],
        ..PHONE
    };
    assert_eq!(run(&tree, &high, 32_768).code(), "FIX-RANGE");
    let to_the_end = HandOff {
        initrd: Some(Region::new(0xFFFF_F000, 0x1000)),
        ..PHONE
    };
    assert_eq!(run(&tree, &to_the_end, 32_768).code(), "FIX-RANGE");
    let three = compile("/dts-v1/; / { #address-cells = <3>; #size-cells = <1>; };");
    assert_eq!(run(&three, &PHONE, 32_768).code(), "FIX-CELLS");
    assert_eq!(run(b"ANDROID!", &PHONE, 32_768).code(), "FDT-MAGIC");
    assert_eq!(run(&tree, &PHONE, 0).code(), "FDT-SPACE");
    let FixupError::Fdt(FdtError::NoSpace { needed }) = run(&tree, &PHONE, WORKSPACE_BYTES) else {
        panic!("another error");
    };
    assert!(matches!(
        run(&tree, &PHONE, needed - 1),
        FixupError::Fdt(FdtError::NoSpace { .. })
    ));
    assert!(fix_up(&tree, &PHONE, &mut std::vec![0; needed]).is_ok());
}

#[test]
fn mutated_trees_are_refused_or_fixed_up_for_good() {
    let mut done = 0;
    for name in ["mt6572-generic.dts", "mt6572-qemu-debian.dts"] {
        let original = our_tree(name);
        let mut seed = XorShift(0x1972);
        for _ in 0..3_000 {
            let mut tree = original.clone();
            seed.mutate(&mut tree);
            let mut once = std::vec![0; tree.len() + GROWTH_BYTES];
            let Ok(first) = fix_up(&tree, &PHONE, &mut once) else {
                continue;
            };
            once.truncate(first.size);
            let mut twice = std::vec![0; once.len() + GROWTH_BYTES];
            let second = fix_up(&once, &PHONE, &mut twice).unwrap();
            assert!(twice[..second.size] == once, "{}", decompile(&tree));
            done += 1;
        }
    }
    assert!(done > 1_000, "{done}");
}

#[test]
fn a_plain_16550_is_told_from_mediateks() {
    let plain = |name: &str, base| {
        let blob = our_tree(name);
        is_plain_16550(&Fdt::parse(&blob).unwrap(), base)
    };
    assert!(plain("mt6572-qemu-debian.dts", 0x1100_5000));
    assert!(
        !plain("mt6572-qemu-debian.dts", 0x1100_6000),
        "its clock is gated, so it is disabled"
    );
    assert!(!plain("mt6572-generic.dts", 0x1100_5000));
    assert!(!plain("mt6572-generic.dts", 0x1234_5000));
}

//! The picture, the parts and the evidence, on our own trees and on trees that
//! make it difficult.

#![allow(clippy::unwrap_used)]

use std::string::String;
use std::vec::Vec;

use unilk_board_db::{
    BusWiring, CameraBus, CameraRow, CameraWiring, Confidence, LaneFormat, PackedScript, PanelBus,
    PanelMode, PanelReset, PanelRow, PanelWiring, PhyTiming, PinMode, Rail, RateSource, Supply,
    TouchRow, TouchWiring,
};

use super::tests::{PHONE, SILENT, cells, fixed, small, text};
use super::*;
use crate::fdt::tests::fuzz::XorShift;
use crate::fdt::tests::{compile, decompile, our_tree};

const PANEL: PanelRow = PanelRow {
    id: "otm8009a-6572-dsi-cmd",
    names: &["otm8009a_6572_dsi_cmd"],
    controller: "OTM8009A",
    compatible: Some("orisetech,otm8009a"),
    width: 480,
    height: 800,
    physical_mm: None,
    lanes: 2,
    bus: PanelBus::Dsi,
    mode: PanelMode::Command,
    format: LaneFormat::Rgb888,
    vertical: None,
    horizontal: None,
    rate: RateSource::PllMhz(200),
    no_spread: false,
    phy: PhyTiming {
        hs_trail: 0,
        hs_zero: 0,
        hs_prepare: 0,
        lpx: 0,
        ta_get: 0,
        ta_sure: 0,
        ta_go: 0,
        clk_trail: 0,
        clk_zero: 0,
        clk_prepare: 0,
    },
    reset: &[],
    init: PackedScript::EMPTY,
    power_down: PackedScript::EMPTY,
    ids: &[],
    shipped: 1,
    trees: 1,
    doubtful: false,
};
const UNREADABLE: PanelRow = PanelRow {
    id: "nobody-knows",
    compatible: None,
    ..PANEL
};
const FOCALTECH: TouchRow = TouchRow {
    id: "ft6236",
    name: "FT6236",
    family: "FocalTech",
    addresses: &[0x38],
    probe: &[],
    exit: &[],
    intrusive: false,
    weak: false,
    confidence: Confidence::High,
    wait_ms: 300,
    vendor_id: None,
    version: None,
    compatible: Some("focaltech,ft6236"),
    shipped: 1,
};
const GOODIX: TouchRow = TouchRow {
    id: "gt911",
    name: "GT911",
    addresses: &[0x5D, 0x14],
    compatible: Some("goodix,gt911"),
    ..FOCALTECH
};
const OV5647: CameraRow = CameraRow {
    id: "ov5647",
    name: "OV5647",
    addresses: &[0x36],
    address_bytes: 2,
    data_bytes: 1,
    prelude: &[],
    prelude_ms: 0,
    registers: &[],
    values: &[],
    mask: 0xFFFF,
    weak: false,
    confidence: Confidence::High,
    bus: CameraBus::Mipi,
    core_mv: 1500,
    runs_with_pdn_high: Some(true),
    compatible: Some("ovti,ov5647"),
    shipped: 1,
};
const GC0308: CameraRow = CameraRow {
    id: "gc0308",
    addresses: &[0x21],
    runs_with_pdn_high: Some(false),
    compatible: None,
    ..OV5647
};

const BUS: BusWiring = BusWiring {
    controller: 1,
    scl: PinMode { pin: 113, mode: 1 },
    sda: PinMode { pin: 114, mode: 1 },
};
const PANEL_WIRING: PanelWiring = PanelWiring {
    reset: PanelReset::Gpio(56),
    supplies: &[Supply {
        rail: Rail::Vgp1,
        mv: 2800,
    }],
    te: None,
    straps: &[],
    adc: None,
};
const TOUCH_WIRING: TouchWiring = TouchWiring {
    bus: BUS,
    reset: Some(128),
    enable: None,
    interrupt: PinMode { pin: 129, mode: 0 },
    eint: 1,
    supplies: &[
        Supply {
            rail: Rail::Vgp1,
            mv: 2800,
        },
        Supply {
            rail: Rail::Vio18,
            mv: 1800,
        },
    ],
};
const SOCKET: CameraWiring = CameraWiring {
    reset: 87,
    power_down: 88,
    runs_with_pdn_high: None,
};

const TOUCH: TouchPart<'_> = TouchPart {
    row: &FOCALTECH,
    address: 0x38,
    wiring: &TOUCH_WIRING,
};
const DISPLAY: Display = Display {
    framebuffer: Region::new(0x9FA0_0000, 0x60_0000),
    visible: 0x9FA0_0000,
    width: 480,
    height: 800,
    stride: 960,
};
const FOUND: Found<'_> = Found {
    display: Fitted::Part(DISPLAY),
    panel: Fitted::Part(PanelPart {
        row: &PANEL,
        wiring: &PANEL_WIRING,
    }),
    touch: Fitted::Part(TOUCH),
    cameras: [
        Fitted::Part(CameraPart {
            row: &OV5647,
            address: 0x36,
            controller: 0,
            wiring: &SOCKET,
        }),
        Fitted::Part(CameraPart {
            row: &GC0308,
            address: 0x21,
            controller: 0,
            wiring: &SOCKET,
        }),
    ],
    known: Known {
        touch: &[FOCALTECH, GOODIX],
        cameras: &[OV5647, GC0308],
    },
    evidence: Evidence {
        panel: Some("otm8009a_6572_dsi_cmd"),
        panel_id: Some("otm8009a-6572-dsi-cmd"),
        panel_certainty: Some("likely"),
        panel_candidates: &["otm8009a_6572_dsi_cmd", "otm8018b_dsi_vdo"],
        touch: Some("FT6236"),
        touch_address: Some("i2c1/38"),
        camera_main: Some("OV5647"),
        camera_sub: Some("GC0308"),
        wiring: Some("reference"),
        board: Some("ckt72-w-kk"),
        report: &[1, 2, 3],
    },
};
const ALL: HandOff<'_> = HandOff {
    found: FOUND,
    ..PHONE
};
/// For trees without a UART.
const QUIET: HandOff<'_> = HandOff {
    found: FOUND,
    ..SILENT
};

fn phandle(blob: &[u8], path: &str) -> u32 {
    cells(blob, path, "phandle").unwrap()[0]
}

fn status<'a>(blob: &'a [u8], path: &str) -> &'a str {
    let tree = Fdt::parse(blob).unwrap();
    assert!(tree.node(path.as_bytes()).is_some(), "no {path}");
    text(blob, path, "status").unwrap_or("okay")
}

#[test]
fn the_generic_tree_names_everything() {
    let (blob, warnings) = fixed(&our_tree("mt6572-generic.dts"), &ALL);
    assert_eq!(warnings, []);
    let frame = "/chosen/framebuffer@9fa00000";
    assert_eq!(text(&blob, frame, "compatible"), Some("simple-framebuffer"));
    assert_eq!(
        cells(&blob, frame, "reg"),
        Some(std::vec![0x9FA0_0000, 960 * 800])
    );
    for (name, value) in [("width", 480), ("height", 800), ("stride", 960)] {
        assert_eq!(cells(&blob, frame, name), Some(std::vec![value]), "{name}");
    }
    assert_eq!(text(&blob, frame, "format"), Some("r5g6b5"));
    assert_eq!(
        cells(&blob, "/chosen", "#address-cells"),
        Some(std::vec![1])
    );
    assert_eq!(cells(&blob, "/chosen", "ranges"), Some(Vec::new()));
    let reserved = "/reserved-memory/framebuffer@9fa00000";
    assert_eq!(
        cells(&blob, reserved, "reg"),
        Some(std::vec![0x9FA0_0000, 0x60_0000])
    );
    assert!(cells(&blob, reserved, "no-map").is_some());

    let pio = phandle(&blob, "/soc/pinctrl");
    let panel = "/soc/dsi/panel@0";
    assert_eq!(text(&blob, panel, "compatible"), Some("orisetech,otm8009a"));
    assert_eq!(
        cells(&blob, panel, "reset-gpios"),
        Some(std::vec![pio, 56, 1])
    );
    assert_eq!(status(&blob, "/soc/dsi"), "disabled");

    let touch = "/soc/i2c@1100a000/touchscreen@38";
    assert_eq!(status(&blob, "/soc/i2c@1100a000"), "okay");
    assert_eq!(cells(&blob, touch, "reg"), Some(std::vec![0x38]));
    assert_eq!(
        cells(&blob, touch, "interrupts-extended"),
        Some(std::vec![pio, 1, 2])
    );
    assert_eq!(
        cells(&blob, touch, "reset-gpios"),
        Some(std::vec![pio, 128, 1])
    );
    let vio18 = phandle(&blob, "/regulator-vio18");
    assert_eq!(cells(&blob, touch, "iovcc-supply"), Some(std::vec![vio18]));
    assert_eq!(cells(&blob, touch, "vcc-supply"), None, "no VGP1 here");
    assert_eq!(
        cells(&blob, touch, "touchscreen-size-y"),
        Some(std::vec![800])
    );

    let main = "/soc/i2c@11009000/camera@36";
    assert_eq!(text(&blob, main, "compatible"), Some("ovti,ov5647"));
    assert_eq!(
        cells(&blob, main, "powerdown-gpios"),
        Some(std::vec![pio, 88, 1]),
        "runs with it high"
    );
    let sub = "/soc/i2c@11009000/camera@21";
    assert_eq!(text(&blob, sub, "compatible"), Some("unilk,gc0308"));
}

#[test]
fn the_evidence_is_under_chosen() {
    for tree in [our_tree("mt6572-generic.dts"), small("")] {
        let (blob, _) = fixed(&tree, &QUIET);
        let node = "/chosen/unilk";
        for (name, value) in [
            ("panel", "otm8009a_6572_dsi_cmd"),
            ("panel-certainty", "likely"),
            ("touch", "FT6236"),
            ("touch-address", "i2c1/38"),
            ("camera-main", "OV5647"),
            ("camera-sub", "GC0308"),
            ("wiring", "reference"),
            ("board", "ckt72-w-kk"),
        ] {
            assert_eq!(text(&blob, node, name), Some(value));
        }
        let tree = Fdt::parse(&blob).unwrap();
        let node = tree.node(b"/chosen/unilk").unwrap();
        let candidates = node.property(b"panel-candidates").unwrap();
        assert_eq!(candidates.strings().count(), 2);
        assert_eq!(node.property(b"report").unwrap().value(), [1, 2, 3]);
    }
}

#[test]
fn old_evidence_goes_and_a_long_report_stays_out() {
    let source = small("chosen { unilk { panel = \"old\"; board = \"old\"; keep = \"me\"; }; };");
    let long = std::vec![7; MAX_REPORT_BYTES + 1];
    let now = HandOff {
        found: Found {
            evidence: Evidence {
                panel: Some("new"),
                report: &long,
                ..Evidence::NONE
            },
            ..Found::UNKNOWN
        },
        ..SILENT
    };
    let (blob, warnings) = fixed(&source, &now);
    let length = long.len();
    assert_eq!(warnings, [Warning::ReportTooLong { length }]);
    let node = "/chosen/unilk";
    assert_eq!(text(&blob, node, "panel"), Some("new"));
    assert_eq!(text(&blob, node, "board"), None);
    assert_eq!(text(&blob, node, "keep"), Some("me"));
    assert_eq!(cells(&blob, node, "report"), None);
    let most = HandOff {
        found: Found {
            evidence: Evidence {
                report: &long[1..],
                ..FOUND.evidence
            },
            ..FOUND
        },
        ..PHONE
    };
    let (_, warnings) = fixed(&our_tree("mt6572-generic.dts"), &most);
    assert_eq!(warnings, [], "the longest fits the usual room");
}

#[test]
fn what_nobody_looked_for_stays() {
    let source = ported_phone("", "");
    let (blob, _) = fixed(&source, &SILENT);
    assert_eq!(status(&blob, "/soc/i2c@1100a000/touchscreen@5d"), "okay");
    assert_eq!(status(&blob, "/soc/dsi/panel@0"), "okay");
    assert_eq!(status(&blob, "/chosen/framebuffer@bfd00000"), "okay");
    assert_eq!(cells(&blob, "/chosen/unilk", "panel"), None);
}

/// A tree as the ports have them: nodes for another build of the phone.
fn ported_phone(i2c: &str, more: &str) -> Vec<u8> {
    small(&std::format!(
        "chosen {{ #address-cells = <1>; #size-cells = <1>; ranges;
           framebuffer@bfd00000 {{ compatible = \"simple-framebuffer\";
             reg = <0xbfd00000 0x28000>; width = <240>; height = <320>; stride = <512>;
             format = \"r5g6b5\"; memory-region = <&other>; clocks = <&other>; }}; }};
         other: other {{ }};
         soc {{ compatible = \"simple-bus\"; #address-cells = <1>; #size-cells = <1>; ranges;
           pio: pinctrl@1000b000 {{ compatible = \"mediatek,mt6572-pinctrl\";
             reg = <0x10005000 0x1000>; gpio-controller; #gpio-cells = <2>;
             interrupt-controller; #interrupt-cells = <2>; }};
           ldo_vgp1 {{ regulator-name = \"VGP1\"; }};
           i2c@1100a000 {{ compatible = \"mediatek,mt6572-i2c\"; reg = <0x1100a000 0x70>;
             #address-cells = <1>; #size-cells = <0>; {i2c}
             touchscreen@5d {{ compatible = \"goodix,gt911\"; reg = <0x5d>;
               interrupt-parent = <&other>; interrupts = <9 1>;
               reset-gpios = <&pio 22 0>; touchscreen-size-x = <111>; }};
             accelerometer@15 {{ compatible = \"memsic,mxc6255\"; reg = <0x15>; }}; }};
           dsi: dsi@1400c000 {{ compatible = \"mediatek,mt6572-dsi\"; reg = <0x1400c000 0x1000>;
             #address-cells = <1>; #size-cells = <0>;
             panel@0 {{ compatible = \"djn,otm8018b\"; reg = <0>; reset-gpios = <&pio 1 0>; }};
             port {{ }}; }};
           {more} }};"
    ))
}

#[test]
fn a_tree_for_another_build_of_the_phone_is_corrected() {
    let (blob, _) = fixed(&ported_phone("status = \"disabled\";", ""), &QUIET);
    let frame = "/chosen/framebuffer@bfd00000";
    assert_eq!(
        cells(&blob, frame, "reg"),
        Some(std::vec![0x9FA0_0000, 960 * 800])
    );
    assert!(cells(&blob, frame, "clocks").is_some(), "stays");
    assert_eq!(cells(&blob, frame, "memory-region"), None);

    let pio = phandle(&blob, "/soc/pinctrl");
    let panel = "/soc/dsi/panel@0";
    assert_eq!(text(&blob, panel, "compatible"), Some("orisetech,otm8009a"));
    assert_eq!(
        cells(&blob, panel, "reset-gpios"),
        Some(std::vec![pio, 56, 0]),
        "the tree's level is kept"
    );
    let vgp1 = phandle(&blob, "/soc/ldo_vgp1");
    assert_eq!(cells(&blob, panel, "power-supply"), Some(std::vec![vgp1]));
    assert_eq!(text(&blob, "/soc/dsi/port", "status"), None);

    let bus = "/soc/i2c@1100a000";
    assert_eq!(status(&blob, bus), "okay");
    assert_eq!(
        status(&blob, "/soc/i2c@1100a000/touchscreen@5d"),
        "disabled"
    );
    assert_eq!(status(&blob, "/soc/i2c@1100a000/touchscreen@38"), "okay");
    assert_eq!(status(&blob, "/soc/i2c@1100a000/accelerometer@15"), "okay");
    let added = "/soc/i2c@11009000";
    assert_eq!(
        text(&blob, added, "compatible"),
        Some("mediatek,mt6572-i2c")
    );
    assert_eq!(status(&blob, "/soc/i2c@11009000/camera@36"), "okay");
}

#[test]
fn the_node_that_matches_keeps_what_it_says_better() {
    let found = |address| HandOff {
        found: Found {
            touch: Fitted::Part(TouchPart {
                row: &GOODIX,
                address,
                wiring: &TOUCH_WIRING,
            }),
            ..FOUND
        },
        ..SILENT
    };
    for address in [0x5D, 0x14] {
        let (blob, _) = fixed(&ported_phone("", ""), &found(address));
        let node = "/soc/i2c@1100a000/touchscreen@5d";
        let pio = phandle(&blob, "/soc/pinctrl");
        assert_eq!(status(&blob, node), "okay");
        assert_eq!(cells(&blob, node, "reg"), Some(std::vec![address.into()]));
        assert_eq!(cells(&blob, node, "interrupt-parent"), Some(std::vec![pio]));
        assert_eq!(cells(&blob, node, "interrupts"), Some(std::vec![1, 1]));
        assert_eq!(
            cells(&blob, node, "reset-gpios"),
            Some(std::vec![pio, 128, 0])
        );
        let size = |name| cells(&blob, node, name).unwrap()[0];
        assert_eq!(size("touchscreen-size-x"), 111);
        assert_eq!(size("touchscreen-size-y"), 800);
        assert!(cells(&blob, node, "AVDD28-supply").is_some());
        let count = Fdt::parse(&blob).unwrap();
        let bus = count.node(b"/soc/i2c@1100a000").unwrap();
        assert_eq!(bus.children().count(), 2, "nothing added");
    }
}

#[test]
fn parts_that_are_not_there_are_disabled() {
    let nothing = HandOff {
        found: Found {
            display: Fitted::Nothing,
            panel: Fitted::Nothing,
            touch: Fitted::Nothing,
            cameras: [Fitted::Nothing; 2],
            known: FOUND.known,
            evidence: Evidence::NONE,
        },
        ..SILENT
    };
    let source = ported_phone(
        "camera@36 { compatible = \"ovti,ov5647\"; reg = <0x36>; };",
        "",
    );
    let (blob, _) = fixed(&source, &nothing);
    for path in [
        "/chosen/framebuffer@bfd00000",
        "/soc/dsi/panel@0",
        "/soc/i2c@1100a000/touchscreen@5d",
        "/soc/i2c@1100a000/camera@36",
    ] {
        assert_eq!(status(&blob, path), "disabled", "{path}");
    }
    assert_eq!(status(&blob, "/soc/i2c@1100a000/accelerometer@15"), "okay");
    let tree = Fdt::parse(&blob).unwrap();
    assert!(tree.node(b"/reserved-memory/framebuffer").is_none());
}

#[test]
fn nodes_that_are_disabled_or_of_the_wrong_type_are_put_right() {
    let source = small(
        "chosen { #address-cells = <2>; ranges = <1 2 3>;
           old: framebuffer@1 { compatible = \"simple-framebuffer\"; reg = <1>; width = \"wide\";
             status = \"disabled\"; };
           framebuffer@2 { compatible = \"simple-framebuffer\"; }; };
         framebuffer@3 { compatible = \"simple-framebuffer\"; };
         soc { compatible = \"simple-bus\"; #address-cells = <1>; #size-cells = <1>; ranges;
           pinctrl@10005000 { compatible = \"x\"; reg = <0x10005000 1>; gpio-controller;
             #gpio-cells = <2>; #interrupt-cells = <2>; };
           i2c@1100a000 { compatible = \"y\"; reg = <0x1100a000 1>; #address-cells = \"one\";
             status = [00 01];
             touchscreen@38 { compatible; reg = \"8\"; status = \"okay\"; interrupts-extended = <1>;
               reset-gpios = \"none\"; };
             touchscreen@39 { reg = <0x38>; status = \"fail\"; interrupts = [01 02 03];
               compatible = [ff ff]; }; };
           dsi@1400c000 { compatible = \"z\"; reg = <0x1400c000 1>;
             panel { status = \"disabled\"; }; }; };",
    );
    let (blob, _) = fixed(&source, &QUIET);
    assert_eq!(status(&blob, "/chosen/framebuffer@1"), "okay");
    assert_eq!(
        cells(&blob, "/chosen/framebuffer@1", "width"),
        Some(std::vec![480])
    );
    assert_eq!(status(&blob, "/chosen/framebuffer@2"), "disabled");
    assert_eq!(status(&blob, "/framebuffer@3"), "disabled");
    assert_eq!(cells(&blob, "/chosen", "ranges"), Some(Vec::new()));
    assert_eq!(status(&blob, "/soc/i2c@1100a000"), "okay");
    let touch = "/soc/i2c@1100a000/touchscreen@39";
    assert_eq!(text(&blob, touch, "compatible"), Some("focaltech,ft6236"));
    assert_eq!(status(&blob, touch), "okay");
    let pio = phandle(&blob, "/soc/pinctrl");
    assert_eq!(
        cells(&blob, touch, "interrupt-parent"),
        Some(std::vec![pio])
    );
    assert_eq!(cells(&blob, touch, "interrupts"), Some(std::vec![1, 2]));
    assert_eq!(
        status(&blob, "/soc/i2c@1100a000/touchscreen@38"),
        "disabled"
    );
    assert_eq!(
        status(&blob, "/soc/dsi/panel@0"),
        "okay",
        "added, because the other has no address"
    );
    assert_eq!(status(&blob, "/soc/dsi/panel"), "disabled");
}

#[test]
fn a_tree_without_controllers_gets_them() {
    for name in ["mt6572-qemu-debian.dts", ""] {
        let source = if name.is_empty() {
            small("")
        } else {
            our_tree(name)
        };
        let soc = if name.is_empty() { "" } else { "/soc" };
        let unreadable = HandOff {
            found: Found {
                panel: Fitted::Part(PanelPart {
                    row: &UNREADABLE,
                    wiring: &PANEL_WIRING,
                }),
                ..FOUND
            },
            ..SILENT
        };
        let (blob, _) = fixed(&source, &unreadable);
        let at = |path: &str| std::format!("{soc}{path}");
        let panel = at("/dsi@1400c000/panel@0");
        assert_eq!(
            text(&blob, &panel, "compatible"),
            Some("unilk,nobody-knows")
        );
        assert_eq!(cells(&blob, &panel, "reset-gpios"), None, "no pins to name");
        assert_eq!(status(&blob, &at("/dsi@1400c000")), "disabled");
        assert_eq!(status(&blob, &at("/i2c@1100a000/touchscreen@38")), "okay");
        let bus = at("/i2c@11009000");
        assert_eq!(
            cells(&blob, &bus, "reg"),
            Some(std::vec![0x1100_9000, 0x1000])
        );
        assert_eq!(
            text(&blob, &at("/i2c@11009000/camera@21"), "compatible"),
            Some("unilk,gc0308")
        );
    }
}

#[test]
fn two_cameras_on_one_address_have_one_node() {
    let twins = HandOff {
        found: Found {
            cameras: [FOUND.cameras[0], FOUND.cameras[0]],
            ..FOUND
        },
        ..PHONE
    };
    let (blob, _) = fixed(&our_tree("mt6572-generic.dts"), &twins);
    let tree = Fdt::parse(&blob).unwrap();
    let bus = tree.node(b"/soc/i2c@11009000").unwrap();
    assert_eq!(bus.children().count(), 1);
}

#[test]
fn wide_addresses_and_a_second_page() {
    let source = compile(
        "/dts-v1/; / { #address-cells = <2>; #size-cells = <2>;
         reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;
           fb@9f400000 { reg = <0 0x9f400000 0 0xc00000>; no-map; }; }; };",
    );
    let other_page = HandOff {
        found: Found {
            display: Fitted::Part(Display {
                visible: 0x9FC3_2800,
                ..DISPLAY
            }),
            ..FOUND
        },
        ..SILENT
    };
    let (blob, _) = fixed(&source, &other_page);
    assert_eq!(
        cells(&blob, "/chosen/framebuffer@9fc32800", "reg"),
        Some(std::vec![0, 0x9FC3_2800, 0, 960 * 800])
    );
    assert_eq!(
        cells(&blob, "/dsi@1400c000", "reg"),
        Some(std::vec![0, 0x1400_C000, 0, 0x1000])
    );
    let tree = Fdt::parse(&blob).unwrap();
    assert!(
        tree.node(b"/reserved-memory/framebuffer").is_none(),
        "the tree's own covers it"
    );
}

#[test]
fn many_nodes_and_used_up_phandles_do_not_stop_a_boot() {
    let children: Vec<String> = (0..60)
        .map(|address| std::format!("touchscreen@{address:x} {{ reg = <{address}>; }};"))
        .collect();
    let children = children.concat();
    let source = ported_phone(&children, "last { phandle = <0xfffffffe>; };");
    let (blob, _) = fixed(&source, &QUIET);
    let touch = "/soc/i2c@1100a000/touchscreen@38";
    assert_eq!(status(&blob, "/soc/i2c@1100a000/touchscreen@0"), "disabled");
    assert!(Fdt::parse(&blob).unwrap().node(touch.as_bytes()).is_some());
    assert_eq!(cells(&blob, "/soc/dsi/panel@0", "power-supply"), None);
}

#[test]
fn mutated_trees_with_parts_are_refused_or_fixed_up_for_good() {
    let mut done = 0;
    let trees = [
        our_tree("mt6572-generic.dts"),
        ported_phone("", "camera@36 { compatible = \"ovti,ov5647\"; };"),
    ];
    for original in trees {
        let mut seed = XorShift(0x6572);
        for _ in 0..3_000 {
            let mut tree = original.clone();
            seed.mutate(&mut tree);
            let mut once = std::vec![0; tree.len() + GROWTH_BYTES];
            let Ok(first) = fix_up(&tree, &ALL, &mut once) else {
                continue;
            };
            once.truncate(first.size);
            let mut twice = std::vec![0; once.len() + GROWTH_BYTES];
            let second = fix_up(&once, &ALL, &mut twice).unwrap();
            assert!(
                twice[..second.size] == once,
                "{}\n{}\n{}",
                decompile(&tree),
                decompile(&once),
                decompile(&twice[..second.size])
            );
            done += 1;
        }
    }
    assert!(done > 1_000, "{done}");
}

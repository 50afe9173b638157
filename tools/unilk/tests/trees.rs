//! Device trees that we show and fix up, read by dtc and fdtget. A tool that
//! is not installed is named and its check skipped.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::process::Command;
use unilk::report::Identified;
use unilk::tree::diff::diff;
use unilk::tree::fixup::{Boot, fix_up};
use unilk::tree::{Tree, print};

/// Values that look like texts, words and bytes, and some that nearly do.
const SOURCE: &str = r#"/dts-v1/;
/memreserve/ 0x80000000 0x1000;
/ {
    #address-cells = <1>;
    #size-cells = <1>;
    model = "x\ty\"z", "b\\c";
    odd = [01 02 03];
    flag;
    empty = "";
    words = <0 0xfffffffe>;
    nearly = "a\x07\x01";
    bell = "a\x07";
    zeros = "\0\0";
    accents = [c3 bc 00];
    chosen { };
    memory@80000000 { device_type = "memory"; reg = <0x80000000 0x10000000>; };
    soc {
        #address-cells = <1>;
        #size-cells = <1>;
        ranges;
        label: serial@11005000 { compatible = "mediatek,mt6577-uart", "ns16550a"; reg = <0x11005000 0x1000>; };
        i2c@1100a000 { compatible = "x,i2c"; reg = <0x1100a000 0x1000>; };
        user { who = <&label>; arm,cpu-registers-not-fw-configured; };
    };
};
"#;

/// Runs `program` on a file; `None`, said aloud, if it is not installed.
fn output_of(program: &str, arguments: &[&str]) -> Option<Vec<u8>> {
    match Command::new(program).args(arguments).output() {
        Ok(done) if done.status.success() => Some(done.stdout),
        Ok(done) => panic!("{program}: {}", String::from_utf8_lossy(&done.stderr)),
        Err(why) => {
            eprintln!("skipped: {program}: {why}");
            None
        }
    }
}

fn file(name: &str, data: &[u8]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("trees");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, data).unwrap();
    path
}

fn compiled(name: &str, source: &str) -> Option<Vec<u8>> {
    let path = file(name, source.as_bytes());
    let input = path.to_str().unwrap();
    output_of("dtc", &["-q", "-I", "dts", "-O", "dtb", input])
}

fn decompiled(name: &str, tree: &[u8]) -> Option<String> {
    let path = file(name, tree);
    let input = path.to_str().unwrap();
    let text = output_of("dtc", &["-q", "-I", "dtb", "-O", "dts", input])?;
    Some(String::from_utf8(text).unwrap())
}

#[test]
fn a_tree_is_shown_as_dtc_shows_it() {
    let Some(tree) = compiled("source.dts", SOURCE) else {
        return;
    };
    let shown = print::dts(&Tree::parse(&tree).unwrap());
    // dtc 1.6 joins the texts of a list, later ones and we do not.
    let theirs = decompiled("shown.dtb", &tree).unwrap();
    assert_eq!(shown, theirs.replace("\\0", "\", \""));
    // And it is the same tree again.
    let again = compiled("again.dts", &shown).unwrap();
    let [before, after] = [&tree, &again].map(|tree| Tree::parse(tree).unwrap());
    assert_eq!(diff(&before, &after), []);
}

#[test]
fn a_fixed_up_tree_is_read_by_others() {
    let Some(tree) = compiled("to-fix.dts", SOURCE) else {
        return;
    };
    let identified = Identified {
        panel: unilk_board_db::panel("ili9806e-fwvga-dsi-vdo-txd"),
        certainty: Some("certain"),
        touch: unilk_board_db::touch("gt911").map(|row| (row, 0x5D)),
        wiring: unilk_board_db::wiring("generic"),
        report: vec![1, 2, 3],
        ..Identified::default()
    };
    let boot = Boot {
        image_cmdline: "root=/dev/ram".to_owned(),
        initrd: Some((0x8410_0000, 0x10_0000)),
        ..Boot::default()
    };
    let fixed = fix_up(&tree, &boot, &identified).unwrap();
    decompiled("fixed.dtb", &fixed.bytes).unwrap();
    let path = file("fixed.dtb", &fixed.bytes);
    let get = |kind: &str, node: &str, property: &str| {
        let arguments = ["-t", kind, path.to_str().unwrap(), node, property];
        output_of("fdtget", &arguments)
            .map(|text| String::from_utf8(text).unwrap().trim().to_owned())
    };
    for (kind, node, property, wanted) in [
        ("s", "/chosen", "bootargs", "root=/dev/ram"),
        ("x", "/chosen", "linux,initrd-start", "84100000"),
        ("x", "/memory@80000000", "reg", "80000000 20000000"),
        (
            "s",
            "/chosen/unilk",
            "panel-id",
            "ili9806e-fwvga-dsi-vdo-txd",
        ),
        (
            "s",
            "/soc/i2c@1100a000/touchscreen@5d",
            "compatible",
            "goodix,gt911",
        ),
    ] {
        let Some(found) = get(kind, node, property) else {
            return;
        };
        assert_eq!(found, wanted, "{node} {property}");
    }
}

//! Edits, judged by dtc: the changed blob must decompile to the expected
//! source, and what was not changed must be the same bytes.

use super::*;

/// Applies `edit` to `source` and returns blob and dtc's view of it.
fn edited(
    source: &[u8],
    edit: impl for<'t, 'w> FnOnce(&'t Fdt<'t>, &mut Editor<'t, 'w>) -> Result<(), FdtError>,
) -> (Vec<u8>, String) {
    let mut workspace = [0; 4096];
    let mut output = std::vec![0xEE; source.len() + 4096];
    let tree = Fdt::parse(source).unwrap();
    let mut editor = Editor::new(&tree, &mut workspace);
    edit(&tree, &mut editor).unwrap();
    let size = editor.finish(&mut output).unwrap();
    output.truncate(size);
    let text = decompile(&output);
    assert_eq!(Fdt::parse(&output).unwrap().total_size(), size);
    (output, text)
}

#[test]
fn without_edits_every_block_is_the_same() {
    let mut source = compile(RICH_SOURCE);
    // Turn a whole property into NOPs: they are kept as well.
    let tree = Fdt::parse(&source).unwrap();
    let empty = tree.root().property(b"empty").unwrap();
    let first = 56 + 32 + empty.at;
    for word in source[first..first + 12].chunks_mut(4) {
        word.copy_from_slice(&4_u32.to_be_bytes());
    }
    let before = Fdt::parse(&source).unwrap();
    let (output, _) = edited(&source, |_, _| Ok(()));
    let after = Fdt::parse(&output).unwrap();
    assert_eq!(before.structure, after.structure);
    assert_eq!(before.strings, after.strings);
    assert_eq!(before.reservations, after.reservations);
    assert_eq!(output, source, "dtc lays its blocks out in the same way");
}

#[test]
fn sets_appends_and_deletes_properties() {
    let source = compile("/dts-v1/; / { a = <1>; b = \"x\"; c; n { d = [01]; }; };");
    let (_, text) = edited(&source, |tree, editor| {
        let root = tree.root();
        let node = tree.node(b"/n").unwrap();
        editor.set_string(root, b"a", b"longer than before")?;
        editor.append_property(root, b"b", b"y\0")?;
        editor.delete_property(root, b"c")?;
        editor.delete_property(root, b"no-such-property")?;
        editor.set_u32(node, b"new", 5)?;
        editor.set_empty(root, b"flag")?;
        editor.append_property(node, b"d", &[2, 3, 4, 5])?;
        editor.set_string(root, b"arm,cpu-registers-not-fw-configured", b"")
    });
    let expected = "/dts-v1/; / { a = \"longer than before\"; b = \"x\", \"y\"; flag;
        arm,cpu-registers-not-fw-configured = \"\"; n { d = [01 02 03 04 05]; new = <5>; }; };";
    assert_eq!(text, decompile(&compile(expected)));
}

#[test]
fn the_later_of_two_changes_counts() {
    let source = compile("/dts-v1/; / { a = <1>; b = <1>; c = <1>; };");
    let (_, text) = edited(&source, |tree, editor| {
        let root = tree.root();
        editor.set_u32(root, b"a", 2)?;
        editor.set_u32(root, b"a", 3)?;
        editor.set_u32(root, b"b", 4)?;
        editor.delete_property(root, b"b")?;
        editor.set_u32(root, b"new", 5)?;
        editor.set_u32(root, b"other", 6)?;
        editor.set_u32(root, b"new", 7)
    });
    let expected = "/dts-v1/; / { a = <3>; c = <1>; new = <7>; other = <6>; };";
    assert_eq!(text, decompile(&compile(expected)));
}

#[test]
fn adds_and_deletes_nodes() {
    let source = compile("/dts-v1/; / { a = <1>; x { p; y { q; }; }; z { r; }; };");
    let (_, text) = edited(&source, |tree, editor| {
        let root = tree.root();
        let x = tree.node(b"/x").unwrap();
        let y = tree.node(b"/x/y").unwrap();
        // Dropped together with the node above it.
        editor.set_u32(y, b"lost", 1)?;
        editor.add_node(y, b"lost", &|_| Ok(()))?;
        editor.delete_node(x)?;
        editor.set_u32(root, b"b", 2)?;
        editor.add_node(root, b"first@1", &|node| {
            node.property(b"reg", &|value| value.put_number(1, 2))?;
            node.begin_node(b"inner")?;
            node.property(b"a", &|value| value.put_bytes(&[9]))?;
            node.end_node()
        })?;
        editor.add_node(root, b"second", &|_| Ok(()))?;
        let z = tree.node(b"/z").unwrap();
        editor.add_node(z, b"below", &|_| Ok(()))?;
        editor.set_u32(z, b"s", 3)
    });
    let expected = "/dts-v1/; / { a = <1>; b = <2>; z { r; s = <3>; below { }; };
        first@1 { reg = <0 1>; inner { a = [09]; }; }; second { }; };";
    assert_eq!(text, decompile(&compile(expected)));
}

#[test]
fn edits_an_empty_root() {
    let source = compile("/dts-v1/; / { };");
    let (_, text) = edited(&source, |tree, editor| {
        editor.add_node(tree.root(), b"n", &|_| Ok(()))?;
        editor.set_u32(tree.root(), b"a", 1)?;
        editor.add_reservation(0x8000_0000, 0x10_0000)?;
        editor.add_reservation(1, 0)
    });
    let expected = "/dts-v1/; /memreserve/ 0x80000000 0x100000; / { a = <1>; n { }; };";
    assert_eq!(text, decompile(&compile(expected)));
}

#[test]
fn keeps_reservations_boot_cpu_and_upgrades_version_16() {
    let source = compile_with(&["-q", "-V", "16", "-b", "1"], RICH_SOURCE);
    let (output, text) = edited(&source, |_, editor| {
        editor.add_reservation(0xBF40_0000, 0xC0_0000)
    });
    let tree = Fdt::parse(&output).unwrap();
    assert_eq!(tree.boot_cpu(), 1);
    assert_eq!(output[20..28], [0, 0, 0, 17, 0, 0, 0, 16]);
    let added = RICH_SOURCE.replace(
        "/ {\n    #address",
        "/memreserve/ 0xbf400000 0xc00000;\n/ {\n    #address",
    );
    assert_eq!(text, decompile(&compile_with(&["-q", "-b", "1"], &added)));
}

#[test]
fn says_how_much_room_is_missing() {
    let source = compile(RICH_SOURCE);
    let tree = Fdt::parse(&source).unwrap();
    let write = |room: usize| {
        let mut workspace = [0; 64];
        let mut output = std::vec![0; room];
        let mut editor = Editor::new(&tree, &mut workspace);
        editor.set_u32(tree.root(), b"x", 1).unwrap();
        editor.finish(&mut output)
    };
    let needed = source.len() + 16 + 2;
    assert_eq!(write(0), Err(FdtError::NoSpace { needed }));
    assert_eq!(write(needed - 1), Err(FdtError::NoSpace { needed }));
    assert_eq!(write(needed), Ok(needed));
}

#[test]
fn refuses_what_cannot_be_written() {
    let source = compile(RICH_SOURCE);
    let tree = Fdt::parse(&source).unwrap();
    let mut workspace = [0; 4096];
    let mut editor = Editor::new(&tree, &mut workspace);
    let root = tree.root();
    for name in [&b""[..], b"a/b", b"a\0b"] {
        assert_eq!(
            editor.add_node(root, name, &|_| Ok(())),
            Err(FdtError::InvalidName)
        );
    }
    assert_eq!(editor.set_empty(root, b"a\0b"), Err(FdtError::InvalidName));
    assert_eq!(editor.delete_node(root), Err(FdtError::InvalidName));
    let mut results =
        (0..=MAX_EDITS).map(|n| editor.set_empty(root, std::format!("p{n}").as_bytes()));
    assert!(
        results
            .by_ref()
            .take(MAX_EDITS)
            .all(|result| result.is_ok())
    );
    assert_eq!(results.next(), Some(Err(FdtError::TooManyEdits)));
    let mut small = [0; 16];
    let mut editor = Editor::new(&tree, &mut small);
    assert_eq!(
        editor.set_string(root, b"p", b"12345"),
        Err(FdtError::TooManyEdits)
    );
}

#[test]
fn an_output_above_the_limit_is_refused() {
    let source = compile_with(
        &["-q"],
        &RICH_SOURCE.replace(
            "empty;",
            &std::format!("empty = [{}];", "00".repeat(1_047_400)),
        ),
    );
    let tree = Fdt::parse(&source).unwrap();
    let mut workspace = [0; 2048];
    let mut output = std::vec![0; MAX_TREE_BYTES + 4096];
    let mut editor = Editor::new(&tree, &mut workspace);
    editor
        .append_property(tree.root(), b"x", &[0; 1024])
        .unwrap();
    assert!(matches!(
        editor.finish(&mut output),
        Err(FdtError::Size { .. })
    ));
}

//! Device trees that lie, behind the kernel and as second stage.
//! Source: facts/storage-and-images.md 5.4, 6.4.

use unilk::bootimg::TreePlace;

use crate::common::trees::{Field, Tree, with_field};
use crate::common::{TestPhone, image};

/// Boots a BOOTIMG with `tree` in both places in turn, beside a good
/// RECOVERY, which has to run after a line that names BOOTIMG and has `code`.
#[track_caller]
fn falls_back(tree: &[u8], code: &str) {
    for place in [TreePlace::Appended, TreePlace::SecondStage] {
        let mut bootimg = image("tk.image=bootimg");
        bootimg.device_tree = Some(tree.to_vec());
        bootimg.tree_place = place;
        let run = TestPhone::new()
            .part("BOOTIMG", bootimg.build().unwrap())
            .good_recovery()
            .run();
        run.says(&[code, "BOOTIMG: "]);
        run.says(&["trying RECOVERY instead"]).boots("RECOVERY");
    }
}

fn usable() -> Vec<u8> {
    Tree::usable().finish()
}

#[test]
fn the_tree_that_the_others_are_made_of_is_good() {
    for place in [TreePlace::Appended, TreePlace::SecondStage] {
        let mut bootimg = image("tk.image=bootimg");
        bootimg.device_tree = Some(usable());
        bootimg.tree_place = place;
        let run = TestPhone::new()
            .part("BOOTIMG", bootimg.build().unwrap())
            .run();
        run.says(&["TK fdt model=test tree"]).boots("BOOTIMG");
    }
}

#[test]
fn total_size_beyond_what_is_there() {
    falls_back(
        &with_field(usable(), Field::TotalSize, 0x8_0000),
        "FDT-SIZE",
    );
}

#[test]
fn total_size_that_wraps_around() {
    falls_back(&with_field(usable(), Field::TotalSize, !0), "FDT-SIZE");
}

#[test]
fn total_size_smaller_than_the_header() {
    falls_back(&with_field(usable(), Field::TotalSize, 39), "FDT-SIZE");
}

#[test]
fn total_size_that_cuts_the_strings_off() {
    let tree = usable();
    let len = tree.len() as u32;
    falls_back(&with_field(tree, Field::TotalSize, len - 8), "FDT-LAYOUT");
}

#[test]
fn structure_outside_the_tree() {
    falls_back(
        &with_field(usable(), Field::Structure, 0xFFFF_FFF0),
        "FDT-LAYOUT",
    );
}

#[test]
fn strings_outside_the_tree() {
    falls_back(
        &with_field(usable(), Field::Strings, 0x7FFF_FFFF),
        "FDT-LAYOUT",
    );
}

#[test]
fn a_version_that_does_not_exist() {
    let tree = with_field(usable(), Field::Version, 99);
    falls_back(&with_field(tree, Field::Compatible, 99), "FDT-VERSION");
}

#[test]
fn reservations_without_end() {
    // From the structure on there is no entry of two zeros.
    let tree = Tree::new().open("").property("pad", &[0xA5; 64]).finish();
    let strings = u32::from_be_bytes(tree[12..16].try_into().unwrap());
    falls_back(
        &with_field(tree, Field::Reservations, strings.next_multiple_of(8)),
        "FDT-",
    );
}

#[test]
fn a_property_name_outside_the_strings() {
    let tree = Tree::new().open("").raw_property(!0, 0, &[]).finish();
    falls_back(&tree, "FDT-PROPNAME");
}

#[test]
fn strings_without_end() {
    let mut tree = Tree::new().open("").property("last", &[]).finish();
    *tree.last_mut().unwrap() = b'!';
    falls_back(&tree, "FDT-PROPNAME");
}

#[test]
fn a_property_longer_than_the_tree() {
    let tree = Tree::new()
        .open("")
        .raw_property(0, 0xFFFF_FFF0, &[])
        .finish();
    falls_back(&tree, "FDT-TRUNC");
}

#[test]
fn a_node_name_without_end() {
    let tree = Tree::usable()
        .raw(&[0, 0, 0, 1])
        .raw(&[b'x'; 64])
        .unfinished();
    falls_back(&tree, "FDT-NODENAME");
}

#[test]
fn a_thousand_nodes_deep() {
    let deep = (0..1000).fold(Tree::usable(), |tree, _| tree.open("n"));
    let tree = (0..1000).fold(deep, |tree, _| tree.close()).finish();
    falls_back(&tree, "FDT-DEPTH");
}

#[test]
fn a_tree_that_breaks_off() {
    falls_back(&Tree::usable().open("half").unfinished(), "FDT-TRUNC");
}

#[test]
fn a_token_that_does_not_exist() {
    falls_back(&Tree::usable().raw(&[0, 0, 0, 5]).finish(), "FDT-TOKEN");
}

#[test]
fn more_nodes_closed_than_opened() {
    falls_back(&Tree::usable().close().close().finish(), "FDT-TOKEN");
}

#[test]
fn cells_that_no_address_fits() {
    let tree = Tree::new()
        .open("")
        .property("#address-cells", &7u32.to_be_bytes())
        .property("#size-cells", &1u32.to_be_bytes())
        .finish();
    falls_back(&tree, "FIX-CELLS");
}

#[test]
fn a_tree_over_a_mebibyte() {
    let tree = Tree::usable()
        .property("filler", &vec![0x5A; 0x12_0000])
        .finish();
    falls_back(&tree, "MEM-TREE");
}

//! Panels that answer alike, and a kernel that was built for one of them: its
//! names are read once, decide, and are remembered.

use unilk_core::identify::store::How;

use crate::packers::{Pack, gzip, kernel, lz4, lzo, xz};
use crate::phone::{Phone, vendor_kernel};

/// An ILI9806E, one of many that answer the same.
const BOARD: &str = "identify/ckt72-ili9806e";
/// Its row, and its driver as its maker's kernel has it.
const PANEL: &str = "ili9806e-dsi-cmd-txd";
const DRIVER: &str = "ili9806e_dsi_cmd_txd";
/// A panel that the kernel names too, and that does not answer so.
const OTHER: &str = "otm8019a_dsi_vdo_djn";
/// What the line of a search has.
const SEARCHED: &str = "panels of the table";

fn phone(packed: &[u8]) -> Phone {
    Phone::with_panel(BOARD).with_vendor_kernel(vendor_kernel(packed))
}

/// Two boots of a kernel that names the panel.
#[track_caller]
fn names_decide(pack: Pack, name: &str) {
    let phone = phone(&pack(&kernel(&["nothing_of_ours", OTHER, DRIVER])));
    let first = phone.boot();
    first.reaches_kernel();
    first.says(&[&format!("kernel ({name}, "), SEARCHED]);
    first.verdict(PANEL, "certain", "kernel");
    first.never_says("fit alike").never_says("NAME-");
    first.says(&["lcm=1-ili9806e_dsi_cmd_"]);
    assert_eq!(first.glass(), "picture", "{}", first.run);
    let stored = first.remembers();
    assert_eq!((stored.panel, stored.how), (PANEL, How::Identified));
    assert_ne!(stored.kernel, 0);
    let known = |driver: &str| {
        let mut names = stored.names.iter();
        names.any(|name| name[..10] == driver[..10])
    };
    assert!(known(DRIVER) && known(OTHER), "{:?}", stored.names);

    let second = phone.with_slots(&first.slots).boot();
    second.reaches_kernel().never_says(SEARCHED);
    second.verdict(PANEL, "certain", "kernel");
    assert!(second.slots == first.slots, "something was written again");
}

#[test]
fn in_a_kernel_packed_by_gzip() {
    names_decide(gzip, "gzip");
}

#[test]
fn in_a_kernel_packed_by_xz() {
    names_decide(xz, "xz");
}

#[test]
fn in_a_kernel_packed_by_lzo() {
    names_decide(lzo, "lzo");
}

#[test]
fn in_a_kernel_packed_by_lz4() {
    names_decide(lz4, "lz4");
}

/// Only half of it was flashed: said, and what remains is a guess.
#[test]
fn in_a_damaged_kernel() {
    let mut packed = gzip(&kernel(&[]));
    packed.truncate(packed.len() / 2);
    let boot = phone(&packed).boot();
    boot.reaches_kernel()
        .says(&["NAME-DATA"])
        .says(&["fit alike"]);
    boot.says(&["nobody chose a panel"]);
}

/// Nothing packed at all, as the kernel of somebody who packs by other means.
#[test]
fn in_a_kernel_packed_in_no_known_way() {
    let boot = phone(&kernel(&[DRIVER])).boot();
    boot.reaches_kernel()
        .says(&["NAME-PACK"])
        .says(&["fit alike"]);
}

/// A kernel that names no panel of the table: a guess, which is remembered.
/// The next boot does not search again.
#[test]
fn in_a_kernel_without_names() {
    let phone = phone(&gzip(&kernel(&["no_panel_of_any_table"])));
    let first = phone.boot();
    first.reaches_kernel().says(&["names 0 panels"]);
    first.says(&["nobody chose a panel"]);
    let stored = first.remembers();
    assert!(stored.names.is_empty() && stored.kernel != 0);
    let guess = stored.panel.to_owned();
    let second = phone.with_slots(&first.slots).boot();
    second.reaches_kernel().never_says(SEARCHED);
    second.verdict(&guess, "guess", "id");
    assert!(second.slots == first.slots, "something was written again");
}

/// Another kernel was flashed: its names count, and those of the old do not.
#[test]
fn in_a_kernel_that_was_exchanged() {
    let first = phone(&gzip(&kernel(&["no_panel_of_any_table"]))).boot();
    first.reaches_kernel();
    let second = phone(&gzip(&kernel(&[DRIVER])))
        .with_slots(&first.slots)
        .boot();
    second.reaches_kernel().says(&["kernel (gzip, ", SEARCHED]);
    second.verdict(PANEL, "certain", "kernel");
}

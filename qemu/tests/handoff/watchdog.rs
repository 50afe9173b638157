//! The watchdog at the hand-over: left to kernels that know it, stopped for
//! those that do not; and it bites.
//! Source: facts/soc.md 6, 12.2; facts/storage-and-images.md 6.

use unilk::bootimg::{BootImage, SubHeaders, TreePlace};
use unilk_phone::{Kind, Stop};

use crate::common::trees::Tree;
use crate::common::{Kernel, Run};
use crate::look::{number, phone_with, plain};

const ENABLE: u32 = 1;

fn hanging(which: Kernel, tree: Option<Tree>) -> BootImage {
    BootImage {
        cmdline: "tk.end=hang".to_owned(),
        device_tree: tree.map(Tree::finish),
        tree_place: TreePlace::Appended,
        sub_headers: if which == Kernel::Fixed {
            SubHeaders::Boot
        } else {
            SubHeaders::None
        },
        ..plain(which)
    }
}

fn tree_with_watchdog() -> Tree {
    Tree::usable()
        .open("watchdog@10007000")
        .property("compatible", b"mediatek,mt6572-wdt\0mediatek,mt6589-wdt\0")
        .property("reg", &[0x10, 0, 0x70, 0, 0, 0, 1, 0])
        .close()
}

/// Nanoseconds between the kernel's entry and the reset that follows.
fn time_to_bite(run: &Run) -> u64 {
    let at = |test: fn(&Kind) -> bool| {
        let event = run.outcome.events.iter().find(|event| test(&event.kind));
        event.map_or(0, |event| event.t_ns)
    };
    let entry = at(|kind| matches!(kind, Kind::KernelEntry { .. }));
    let reset = at(|kind| matches!(kind, Kind::Reset { why } if why != "power-on"));
    reset.saturating_sub(entry)
}

/// A kernel that hangs is ended after this time, and the next boot knows why
/// it runs. The phone is reset twice, then the run ends.
#[track_caller]
fn bites(image: &BootImage, seconds: u64) {
    let run = phone_with(image).change(|phone| phone.max_resets(1)).run();
    run.is_clean().never_says("TK FAIL");
    let mode = number(&format!("mode=0x{}", first_mode(&run)), "mode");
    run.check(mode & ENABLE != 0, "the watchdog was stopped");
    let took = time_to_bite(&run);
    let wanted = seconds * 1_000_000_000;
    run.check(
        took.abs_diff(wanted) < 200_000_000,
        &format!("it bit after {took} ns"),
    );
    run.check(run.resets("watchdog time-out") > 0, "no reset");
    // With AUTO_RESTART set the preloader calls it a reboot; we know better.
    run.says(&["reason reboot"]).says(&["started by a reset"]);
}

fn first_mode(run: &Run) -> &str {
    let line = run.lines("TK watchdog ").next().unwrap_or_default();
    let word = line.split(' ').next().unwrap_or_default();
    word.trim_start_matches("mode=")
}

/// The vendor's kernel expects it running, as its own loader leaves it.
#[test]
fn vendor_kernel_that_hangs() {
    bites(&hanging(Kernel::Fixed, None), 16);
}

#[test]
fn tree_with_a_watchdog_node() {
    bites(&hanging(Kernel::Tree, Some(tree_with_watchdog())), 31);
}

/// Nobody would kick it, so a kernel without a driver may take its time.
#[test]
fn tree_without_a_watchdog_node() {
    let run = phone_with(&hanging(Kernel::Tree, Some(Tree::usable())))
        .change(|phone| phone.until(0, "TK end hang"))
        .run();
    run.is_clean().never_says("TK FAIL");
    run.check(run.outcome.stop == Stop::Text, "it did not run");
    let mode = number(&format!("mode=0x{}", first_mode(&run)), "mode");
    run.check(mode & ENABLE == 0, "the watchdog runs");
}

/// A node that is there and disabled has no driver either.
#[test]
fn tree_with_a_disabled_watchdog_node() {
    let tree = Tree::usable()
        .open("watchdog@10007000")
        .property("compatible", b"mediatek,mt6572-wdt\0")
        .property("status", b"disabled\0")
        .close();
    let run = phone_with(&hanging(Kernel::Tree, Some(tree)))
        .change(|phone| phone.until(0, "TK end hang"))
        .run();
    let mode = number(&format!("mode=0x{}", first_mode(&run)), "mode");
    run.check(mode & ENABLE == 0, "the watchdog runs");
}

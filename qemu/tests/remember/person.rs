//! A person steps through panels that answer alike and takes one.

use std::fmt::Write as _;

use unilk_core::identify::store::How;

use crate::phone::{Boot, Phone};

/// An ILI9806E, one of many that answer the same.
const BOARD: &str = "identify/ckt72-ili9806e";
/// Between two keys: long after a key was answered. Each is held for a moment.
const STEP_MS: u32 = 2_000;
const HELD_MS: u32 = 150;
/// A board whose volume keys cannot be mistaken: where others have the one or
/// the other, both mean the next one.
const KEYS: &str = "[keys]
map = { vol-up = 20, vol-down = 9 }";

/// A person who presses these, the first at `first_ms` after power-on.
fn presses(first_ms: u32, keys: &[&str]) -> String {
    let mut user = format!("{KEYS}\n");
    for (number, key) in (0..).zip(keys) {
        let down = first_ms + number * STEP_MS;
        let up = down + HELD_MS;
        let _ = writeln!(user, "[[user]]\nat_ms = {down}\npress = '{key}'");
        let _ = writeln!(user, "[[user]]\nat_ms = {up}\nrelease = '{key}'");
    }
    user
}

/// The candidates that were shown, by their number, in the order of sight.
fn shown(boot: &Boot) -> Vec<(usize, String)> {
    let lines = boot.run.text().lines();
    lines
        .filter_map(|line| {
            let (_, rest) = line.split_once("candidate ")?;
            let (number, rest) = rest.split_once(" of ")?;
            let (_, panel) = rest.split_once(": ")?;
            Some((number.parse().ok()?, panel.trim().to_owned()))
        })
        .collect()
}

#[test]
fn what_a_person_takes_is_lit_without_asking_from_then_on() {
    let phone = Phone::with_panel(BOARD);
    // In the first round to and fro, in the second one step.
    let keys = [
        "vol-down", "vol-down", "vol-up", "vol-down", "power", "vol-down", "power",
    ];
    let first = phone.with_board(&presses(4_000, &keys)).boot();
    first.reaches_kernel().says(&["fit alike"]);
    let seen = shown(&first);
    let numbers: Vec<_> = seen.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [1, 2, 3, 2, 3, 1, 2], "{}", first.run);
    assert_eq!(seen[4].1, seen[2].1);
    // What was accepted stays, and its like follows: one cluster of the table.
    assert_eq!(seen[5].1, seen[4].1);
    let cluster = |id: &str| {
        let mut rows = unilk_board_db::panels().iter();
        let row = rows.position(|row| row.id == id).unwrap();
        unilk_board_db::clusters()[row]
    };
    let taken = seen[6].1.as_str();
    assert_ne!(taken, seen[5].1);
    assert_eq!(cluster(taken), cluster(&seen[5].1));
    assert_ne!(cluster(&seen[0].1), cluster(taken), "one of each first");
    first.says(&[&format!("panel {taken} chosen")]);
    first.says(&[&format!("panel {taken} confirmed")]);
    let stored = first.remembers();
    assert_eq!((stored.panel, stored.how), (taken, How::Person));

    let second = phone.with_slots(&first.slots).boot();
    second.reaches_kernel().never_says("fit alike");
    second.verdict(taken, "confirmed", "chosen");
    assert!(shown(&second).is_empty());
    assert_eq!(second.remembers(), stored);
}

/// Nobody is there: the best guess is lit, marked as one, and asked for again
/// on the next boot, but only for a moment.
#[test]
fn a_guess_stays_a_guess() {
    let phone = Phone::with_panel(BOARD);
    let first = phone.boot();
    first.reaches_kernel().says(&["nobody chose a panel"]);
    let stored = first.remembers();
    assert_ne!(stored.how, How::Person);
    first.verdict(stored.panel, "guess", "id");
    let second = phone.with_slots(&first.slots).boot();
    second.reaches_kernel().says(&["nobody chose a panel"]);
    second.verdict(stored.panel, "guess", "last-boot");
    let saved = first.run.end_ms() - second.run.end_ms();
    assert!((15_000..19_000).contains(&saved), "{saved} ms");
    // A person who comes late is heard.
    let third = phone
        .with_slots(&first.slots)
        .with_board(&presses(2_000, &["power", "power"]))
        .boot();
    third.reaches_kernel();
    assert_eq!(third.remembers().how, How::Person);
}

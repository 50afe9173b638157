//! `cargo xtask db-report`: how many rows of the table are told apart, and how
//! well; written to `docs/coverage.md`.
//!
//! Every panel is asked by the bootloader's own asker, as each of its IDs says;
//! of several IDs the one that is shared with the most others counts.

use crate::paths;
use anyhow::{Context, Result, ensure};
use clap::Args;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use unilk::db::alike::{Group, Told, panels};
use unilk::simulate::built_in;
use unilk_board_db::{cameras, cameras_like, touch_chips, touch_like};
use unilk_core::identify::Table;

/// Write docs/coverage.md: which rows are told apart, and which are not
#[derive(Args)]
pub struct Report {
    /// Fail if the file differs instead of writing it
    #[arg(long)]
    check: bool,
}

impl Report {
    /// Writes the file, or compares it.
    pub fn run(&self) -> Result<()> {
        let path = file();
        let text = text();
        if self.check {
            let there = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            ensure!(
                there == text,
                "{} is stale: run cargo xtask db-report",
                path.display()
            );
            return Ok(());
        }
        fs::write(&path, text).with_context(|| path.display().to_string())?;
        println!("{}", path.display());
        Ok(())
    }
}

fn file() -> PathBuf {
    paths::root().join("docs/coverage.md")
}

/// The whole file.
fn text() -> String {
    let table = built_in();
    let (told, groups) = panels(&table);
    let mut out = String::from(
        "# Coverage\n\n\
         Which rows of the table are told apart, written by `cargo xtask db-report` from the rows and what the\n\
         bootloader's own asker does with them. It says how good the table is, not how good it is on phones that it does\n\
         not know. What the words mean is in [identify.md](identify.md).\n\n",
    );
    totals(&mut out, &told);
    controllers(&mut out, &table, &told);
    shared(&mut out, &table, &groups);
    unread(&mut out, &table, &told);
    parts(&mut out);
    out
}

fn count(told: &[Told], is: impl Fn(Told) -> bool) -> usize {
    told.iter().filter(|&&told| is(told)).count()
}

/// Writing to a `String` cannot fail, here and below.
fn totals(out: &mut String, told: &[Told]) {
    let rows = [
        ("panels", told.len()),
        (
            "told by their answer alone",
            count(told, |told| told == Told::ById(1)),
        ),
        (
            "in a group of 2 to 6 that answer alike",
            count(told, |told| matches!(told, Told::ById(2..=6))),
        ),
        (
            "in a group of 7 to 20",
            count(told, |told| matches!(told, Told::ById(7..=20))),
        ),
        (
            "in a larger group",
            count(told, |told| matches!(told, Told::ById(21..))),
        ),
        (
            "told by pins or a voltage only",
            count(told, |told| told == Told::ByPins),
        ),
        (
            "not read by their driver, but by others of the controller",
            count(told, |told| told == Told::ByController),
        ),
        (
            "of a controller that no driver reads",
            count(told, |told| told == Told::ByNothing),
        ),
        (
            "on a bus that unilk does not drive (DPI)",
            count(told, |told| told == Told::NotDriven),
        ),
    ];
    *out += "## Panels\n\n| | rows |\n|---|---|\n";
    for (what, rows) in rows {
        let _ = writeln!(out, "| {what} | {rows} |");
    }
}

fn controllers(out: &mut String, table: &Table, told: &[Told]) {
    let mut by: BTreeMap<&str, Vec<u16>> = BTreeMap::new();
    for (row, panel) in (0..).zip(table.panels) {
        by.entry(panel.controller).or_default().push(row);
    }
    let mut by: Vec<_> = by.into_iter().collect();
    by.sort_by_key(|(name, rows)| (std::cmp::Reverse(rows.len()), *name));
    *out += "\n### By controller\n\n\
             Kinds of glass are those whose tables show no picture on each other.\n\n\
             | controller | rows | alone | in a group | largest | pins | by controller | not at all | kinds of glass |\n\
             |---|---|---|---|---|---|---|---|---|\n";
    for (name, rows) in by {
        let of: Vec<Told> = rows.iter().map(|&row| told[usize::from(row)]).collect();
        let largest = of.iter().filter_map(|told| match told {
            Told::ById(size) => Some(*size),
            _ => None,
        });
        let _ = writeln!(
            out,
            "| {name} | {} | {} | {} | {} | {} | {} | {} | {} |",
            rows.len(),
            count(&of, |told| told == Told::ById(1)),
            count(&of, |told| matches!(told, Told::ById(2..))),
            largest.max().map_or("-".into(), |size| size.to_string()),
            count(&of, |told| told == Told::ByPins),
            count(&of, |told| told == Told::ByController),
            count(&of, |told| matches!(
                told,
                Told::ByNothing | Told::NotDriven
            )),
            kinds(table, rows.iter().copied()),
        );
    }
}

/// Clusters among some rows.
fn kinds(table: &Table, rows: impl Iterator<Item = u16>) -> usize {
    rows.map(|row| table.cluster(row))
        .collect::<BTreeSet<_>>()
        .len()
}

fn shared(out: &mut String, table: &Table, groups: &BTreeSet<Group>) {
    let mut groups: Vec<&Group> = groups.iter().filter(|group| group.len() > 1).collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    *out += "\n### Groups that answer alike\n\n\
             Only other evidence splits these: a hint, pins, the phone's kernel, touch chip and cameras, the board, a person.\n\
             A row with several IDs may be in several.\n\n\
             | rows | kinds of glass | controllers |\n|---|---|---|\n";
    for group in groups {
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        for &row in group {
            *names
                .entry(table.panels[usize::from(row)].controller)
                .or_default() += 1;
        }
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort_by_key(|&(name, count)| (std::cmp::Reverse(count), name));
        let names: Vec<String> = names
            .iter()
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        let kinds = kinds(table, group.iter().copied());
        let _ = writeln!(out, "| {} | {kinds} | {} |", group.len(), names.join(", "));
    }
}

fn unread(out: &mut String, table: &Table, told: &[Told]) {
    let lists = [
        (
            Told::ByPins,
            "Told by pins or a voltage only: their drivers read no register. On unknown wiring that is a weak hint",
        ),
        (
            Told::ByController,
            "Not read by their own driver. Where their controller answers as it does to other drivers, they are shown after those",
        ),
        (
            Told::ByNothing,
            "Of a controller that no known driver reads: only a hint, the kernel, the board or a person names them",
        ),
        (Told::NotDriven, "On a bus that unilk does not drive (DPI)"),
    ];
    *out += "\n### Not identified by an answer, and why\n";
    for (why, text) in lists {
        let rows = table.panels.iter().zip(told);
        let ids: Vec<&str> = rows
            .filter(|&(_, &told)| told == why)
            .map(|(panel, _)| panel.id)
            .collect();
        if !ids.is_empty() {
            let _ = writeln!(out, "\n{text} ({}): {}.", ids.len(), ids.join(", "));
        }
    }
}

/// Touch chips and cameras.
fn parts(out: &mut String) {
    let touch = touch_chips().iter().map(|row| {
        let like: Vec<&str> = touch_like(row).map(|row| row.id).collect();
        (row.id, row.weak, like)
    });
    part(
        out,
        "Touch chips",
        "only acknowledge",
        &touch.collect::<Vec<_>>(),
    );
    let sensors = cameras().iter().map(|row| {
        let like: Vec<&str> = cameras_like(row).map(|row| row.id).collect();
        (row.id, row.weak, like)
    });
    part(
        out,
        "Cameras",
        "have an ID of one byte",
        &sensors.collect::<Vec<_>>(),
    );
}

/// One kind of part: id, weakly told, ids of those that answer alike.
fn part(out: &mut String, name: &str, weak: &str, rows: &[(&str, bool, Vec<&str>)]) {
    let alike = |(id, _, like): &(&str, bool, Vec<&str>)| {
        let mut like: Vec<String> = like.iter().map(ToString::to_string).collect();
        like.push((*id).to_string());
        like.into_iter().collect::<BTreeSet<String>>()
    };
    let groups: BTreeSet<BTreeSet<String>> = rows.iter().map(alike).collect();
    let alone = rows
        .iter()
        .filter(|row| alike(row).len() == 1 && !row.1)
        .count();
    let _ = write!(
        out,
        "\n## {name}\n\n| | rows |\n|---|---|\n| rows | {} |\n| told alone | {alone} |\n| {weak} | {} |\n| answer as others do | {} |\n",
        rows.len(),
        rows.iter().filter(|row| row.1).count(),
        rows.iter().filter(|row| alike(row).len() > 1).count(),
    );
    *out += "\nThose that answer alike:\n\n";
    for group in groups.iter().filter(|group| group.len() > 1) {
        let names: Vec<&str> = group.iter().map(String::as_str).collect();
        let _ = writeln!(out, "- {}", names.join(", "));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_committed_report_is_that_of_the_rows() {
        Report { check: true }.run().unwrap();
    }

    #[test]
    fn every_panel_is_counted_once() {
        let table = built_in();
        let (told, groups) = panels(&table);
        assert_eq!(told.len(), table.panels.len());
        let text = text();
        let rows: usize = text
            .lines()
            .skip_while(|line| !line.starts_with("| controller | rows"))
            .skip(2)
            .take_while(|line| line.starts_with('|'))
            .map(|line| {
                line.split('|')
                    .nth(2)
                    .unwrap()
                    .trim()
                    .parse::<usize>()
                    .unwrap()
            })
            .sum();
        assert_eq!(rows, table.panels.len());
        // A group is one: each of its members that has one ID is told so.
        let largest = groups.iter().map(Group::len).max().unwrap();
        assert!(told.contains(&Told::ById(largest)), "{largest}");
    }
}

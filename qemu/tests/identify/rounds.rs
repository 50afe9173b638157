//! How many candidates a person sees until one can be read, and whether the
//! panel itself is among its like: for every panel of the table as the one
//! that is fitted. No phone is booted. The bootloader's core asks and orders;
//! what each candidate would look like is the panel model's word.

use std::collections::{BTreeMap, BTreeSet};

use mt6572_qemu::panel::config::{Config, OneOrMore, Span, Write};
use mt6572_qemu::panel::{Link, LinkMode, WireFormat, judge_table};
use unilk::simulate::{ask, built_in, is_readable};
use unilk_board_db::{LaneFormat, PanelBus, PanelMode, PanelRow, Step, Term, UNPACK_BYTES};
use unilk_core::identify::Table;
use unilk_core::identify::evidence::Evidence;
use unilk_core::identify::rounds::Rounds;
use unilk_core::identify::verdict::decide;

/// Its table sends no sleep-out, and no controller of the model wakes by
/// itself.
const WAKES_BY_ITSELF: &str = "ek79007-jty-d101";
/// Candidates that a person may have to look at, where an ID was read.
const FEW: usize = 6;

/// The rounds when a panel answers as `id` says.
fn rounds(table: &Table, id: &'static [Term]) -> (Rounds, usize) {
    let verdict = decide(table, &Evidence::NONE, ask(table, id));
    (verdict.rounds(table, &Evidence::NONE), verdict.alike.len())
}

/// The writes of a row's table.
fn writes(row: &PanelRow) -> Vec<Vec<u8>> {
    let mut room = vec![0; UNPACK_BYTES];
    let steps = row.init.unpack(&mut room).unwrap();
    steps
        .filter_map(|step| match step {
            Step::Write { payload, .. } => Some(payload.to_vec()),
            _ => None,
        })
        .collect()
}

fn format(row: &PanelRow) -> WireFormat {
    match row.format {
        LaneFormat::Rgb565 => WireFormat::Rgb565,
        LaneFormat::Rgb666Loose => WireFormat::Rgb666Loose,
        LaneFormat::Rgb666Packed => WireFormat::Rgb666Packed,
        LaneFormat::Rgb888 => WireFormat::Rgb888,
    }
}

/// The glass that a row is made for.
fn glass(row: &PanelRow) -> Config {
    let writes = writes(row);
    let sends = |key: &[u8]| writes.iter().any(|write| write.starts_with(key));
    // By the key that the table sends: some rows are named after another chip.
    let family = match () {
        () if sends(&[0xB9, 0xFF, 0x83]) => "himax",
        () if sends(&[0xF0, 0x55, 0xAA, 0x52]) => "novatek",
        () if sends(&[0xFF, 0xFF, 0x98]) => "ilitek-page",
        () if sends(&[0xFF, 0x77, 0x01]) => "sitronix",
        () if sends(&[0xFF, 0x80]) || sends(&[0xFF, 0x96]) => "orise",
        () => "dcs",
    };
    let text = format!(
        "controller = '{}'\nwidth = {}\nheight = {}\nlanes = {}\nmode = 'command'\n\
         format = 'rgb888'\nbacklight = 'always'\nfamily = '{family}'\ninit = []",
        row.controller, row.width, row.height, row.lanes
    );
    let mut config: Config = toml::from_str(&text).unwrap();
    config.format = format(row);
    if row.mode != PanelMode::Command {
        // Controllers take all kinds of video (facts/panels.md: variants of one
        // panel differ in nothing else).
        config.mode = OneOrMore::More(vec![
            LinkMode::SyncPulse,
            LinkMode::SyncEvent,
            LinkMode::Burst,
        ]);
    }
    let exact = |value: u16| Some(Span::Exact(u32::from(value)));
    if let (Some(vertical), Some(horizontal)) = (row.vertical, row.horizontal) {
        let timing = &mut config.timing;
        timing.tolerance = 2;
        (timing.vsa, timing.vbp) = (exact(vertical.sync), exact(vertical.back));
        (timing.hsa, timing.hbp) = (exact(horizontal.sync), exact(horizontal.back));
        (timing.vfp, timing.hfp) = (exact(vertical.front), exact(horizontal.front));
    }
    config.init = writes
        .iter()
        .map(|write| Write {
            cmd: write[0],
            args: write[1..].to_vec(),
            dt: None,
            delay_ms: 0,
        })
        .collect();
    config
}

/// How the host sends pictures for a row.
fn link(row: &PanelRow) -> Link {
    let format = format(row);
    let bytes = format.bytes() as u16;
    let count = |pixels: u16, overhead: u16| (pixels * bytes).saturating_sub(overhead);
    let (vertical, horizontal) = (row.vertical, row.horizontal);
    let sync = horizontal.map_or(0, |timing| timing.sync);
    let back = horizontal.map_or(0, |timing| timing.back);
    let event = row.mode == PanelMode::SyncEvent;
    Link {
        lanes_hw: row.lanes,
        lanes: row.lanes,
        mbps: row.lane_mbps(),
        format,
        mode: match row.mode {
            PanelMode::Command => LinkMode::Command,
            PanelMode::SyncPulse => LinkMode::SyncPulse,
            PanelMode::SyncEvent => LinkMode::SyncEvent,
            PanelMode::Burst => LinkMode::Burst,
        },
        bytes_per_line: row.width * bytes,
        vsa: vertical.map_or(0, |timing| timing.sync),
        vbp: vertical.map_or(0, |timing| timing.back),
        vfp: vertical.map_or(0, |timing| timing.front),
        vact: row.height,
        hsa_wc: count(sync, 10),
        hbp_wc: count(if event { sync + back } else { back }, 10),
        hfp_wc: count(horizontal.map_or(0, |timing| timing.front), 12),
        clock_hs: true,
        continuous_clock: true,
        eot: true,
    }
}

/// What one looks through for one panel.
#[derive(Debug)]
struct Search {
    row: usize,
    /// Candidates that fit alike.
    alike: usize,
    /// Clusters of all that are shown.
    clusters: usize,
    /// Candidates shown until one can be read.
    shown: usize,
    /// Its place in the second round; `None`: it is not in it.
    second: Option<usize>,
}

fn percent(searches: &[Search], shown: usize) -> usize {
    let within = searches.iter().filter(|search| search.shown <= shown);
    100 * within.count() / searches.len().max(1)
}

fn worst(searches: &[Search]) -> usize {
    searches
        .iter()
        .map(|search| search.shown)
        .max()
        .unwrap_or(0)
}

/// Groups in which somebody has to look at more than a few.
fn report(table: &Table, searches: &[Search]) {
    let mut groups: BTreeMap<(usize, usize), Vec<&Search>> = BTreeMap::new();
    for search in searches {
        let group = (search.alike, search.clusters);
        groups.entry(group).or_default().push(search);
    }
    println!("{} panels, {} groups", searches.len(), groups.len());
    for shown in [1, 3, FEW, 2 * FEW] {
        println!("within {shown}: {} %", percent(searches, shown));
    }
    for ((alike, clusters), group) in groups {
        let late = group.iter().filter(|search| search.shown > FEW);
        let late = late.collect::<Vec<_>>();
        if let Some(some) = late.first() {
            let controller = table.panels[some.row].controller;
            let (late, all) = (late.len(), group.len());
            println!("{controller}: {alike} alike, {clusters} kinds: {late} of {all} later");
        }
    }
}

/// Looks for every panel in the order of `rounds`.
struct Seeker {
    table: Table,
    tables: Vec<Vec<Vec<u8>>>,
    links: Vec<Link>,
}

impl Seeker {
    fn new() -> Seeker {
        let table = built_in();
        Seeker {
            tables: table.panels.iter().map(writes).collect(),
            links: table.panels.iter().map(link).collect(),
            table,
        }
    }

    fn seek(&self, row: usize, rounds: &Rounds, alike: usize) -> Search {
        let panel = &self.table.panels[row];
        let glass = glass(panel);
        let order = rounds.first();
        let readable = |other: &u16| {
            let other = usize::from(*other);
            if self.table.panels[other].bus != PanelBus::Dsi {
                return false;
            }
            let writes = self.tables[other].iter().map(Vec::as_slice);
            judge_table(&glass, writes, &self.links[other]).acceptable
        };
        let Some(at) = order.iter().position(readable) else {
            panic!("{}: nothing can be read", panel.id);
        };
        let second = rounds.second(&self.table, order[at]);
        let clusters = order.iter().map(|&other| self.table.cluster(other));
        Search {
            row,
            alike,
            clusters: clusters.collect::<BTreeSet<_>>().len(),
            shown: at + 1,
            second: second.iter().position(|&other| usize::from(other) == row),
        }
    }
}

/// The first ID of a row that is read over DSI.
fn readable_id(row: &PanelRow) -> Option<&'static [Term]> {
    row.ids.iter().copied().find(|id| is_readable(id))
}

#[test]
fn a_readable_picture_is_among_the_first() {
    let seeker = Seeker::new();
    let mut known: BTreeMap<String, (Rounds, usize)> = BTreeMap::new();
    let mut searches = Vec::new();
    for (row, panel) in seeker.table.panels.iter().enumerate() {
        if panel.bus != PanelBus::Dsi {
            continue;
        }
        for id in panel.ids.iter().filter(|id| is_readable(id)) {
            let (rounds, alike) = known
                .entry(format!("{id:?}"))
                .or_insert_with(|| rounds(&seeker.table, id));
            searches.push(seeker.seek(row, rounds, *alike));
        }
    }
    report(&seeker.table, &searches);
    for search in &searches {
        let id = seeker.table.panels[search.row].id;
        assert!(search.second.is_some(), "{id}: {search:?}");
    }
    // What is not within a few is of groups in which there are more kinds of
    // glass than that (docs/identify.md).
    let (few, kinds) = (percent(&searches, FEW), worst(&searches));
    assert!(few >= 78 && kinds <= 26, "{few} %, {kinds}");
}

/// A panel whose own driver reads nothing answers as others of its controller
/// do, and is shown after them.
#[test]
fn panels_that_nobody_reads_are_found_by_their_controller() {
    let seeker = Seeker::new();
    let panels = seeker.table.panels;
    let mut searches = Vec::new();
    let mut without = 0;
    for (row, panel) in panels.iter().enumerate() {
        if !panel.ids.is_empty() || panel.bus != PanelBus::Dsi {
            continue;
        }
        let mut like = panels
            .iter()
            .filter(|other| other.controller == panel.controller && other.bus == PanelBus::Dsi);
        let Some(id) = like.find_map(readable_id) else {
            without += 1;
            continue;
        };
        let (rounds, alike) = rounds(&seeker.table, id);
        searches.push(seeker.seek(row, &rounds, alike));
    }
    println!("{without} of controllers that nobody reads");
    report(&seeker.table, &searches);
    let within = percent(&searches, 2 * FEW);
    assert!(searches.len() >= 60 && within >= 73, "{within} %");
}

/// Where nothing answers but zeros, everything that cannot be read is possible.
#[test]
fn panels_that_cannot_be_read_at_all() {
    let seeker = Seeker::new();
    let (rounds, alike) = rounds(&seeker.table, &[]);
    let panels = seeker.table.panels.iter().enumerate();
    let unread = panels.filter(|(_, panel)| {
        panel.ids.is_empty() && panel.bus == PanelBus::Dsi && panel.id != WAKES_BY_ITSELF
    });
    let searches: Vec<Search> = unread
        .map(|(row, _)| seeker.seek(row, &rounds, alike))
        .collect();
    report(&seeker.table, &searches);
    for search in &searches {
        assert!(search.second.is_some(), "{search:?}");
    }
    // There are four times as many kinds of controller and glass.
    let within = percent(&searches, 2 * FEW);
    assert!(within >= 50, "{within} %");
}

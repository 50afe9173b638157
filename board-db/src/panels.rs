//! The panels' rows. In the image they stand by field, and a name of a file
//! that is spelled as the driver's is not there at all: so they take a third
//! of the bytes, packed and unpacked. When somebody asks for them first, they
//! are put together in memory.

use core::{hint, str};
use heapless::Vec;
use once_cell::race::OnceRef;
use static_cell::ConstStaticCell;

use crate::columns::{Column, Numbers};
use crate::script::PackedScript;
use crate::table::{
    PANEL_COUNT, PANEL_ID_BYTES, PANEL_NAME_COUNT, PANEL_NAMES, PANEL_SCRIPTS, PANELS,
};
use crate::types::{
    LaneFormat, PanelBus, PanelMode, PanelRow, PhyTiming, RateSource, ResetStep, Term, Timing,
};

/// In [`PANEL_NAMES`]: between two names of a row.
const NEXT_NAME: u8 = b' ';
/// And before what its file's name has behind the first of them.
const REST_OF_ID: u8 = b'\t';
/// And before a file's name that begins with something else.
const WHOLE_ID: u8 = b'/';

/// The fields of [`PanelRow`], but for names and sequences.
#[derive(Debug)]
pub(crate) struct Columns {
    pub controller: Column<&'static str>,
    pub compatible: Column<Option<&'static str>>,
    pub width: Column<u16>,
    pub height: Column<u16>,
    pub physical_mm: Column<Option<(u16, u16)>>,
    pub bus: Column<PanelBus>,
    pub lanes: Column<u8>,
    pub mode: Column<PanelMode>,
    pub format: Column<LaneFormat>,
    pub vertical: Column<Option<Timing>>,
    pub horizontal: Column<Option<Timing>>,
    pub rate: Column<RateSource>,
    pub no_spread: Column<bool>,
    pub phy: Column<PhyTiming>,
    pub reset: Column<&'static [ResetStep]>,
    pub ids: Column<&'static [&'static [Term]]>,
    pub shipped: Column<u16>,
    pub trees: Column<u16>,
    pub doubtful: Column<bool>,
}

/// Numbers of the sequences: most rows have their own.
#[derive(Debug)]
pub(crate) struct Scripts {
    pub init: Numbers,
    pub power_down: Numbers,
}

type Rows = Vec<PanelRow, PANEL_COUNT>;

/// Where the rows are put together.
struct Room {
    /// Names of the files, each with a line feed behind it.
    ids: Vec<u8, PANEL_ID_BYTES>,
    names: Vec<&'static str, PANEL_NAME_COUNT>,
    rows: Rows,
}

static ROOM: ConstStaticCell<Room> = ConstStaticCell::new(Room {
    ids: Vec::new(),
    names: Vec::new(),
    rows: Vec::new(),
});

static ROWS: OnceRef<'static, Rows> = OnceRef::new();

/// All panels, in order of their file names.
pub fn panels() -> &'static [PanelRow] {
    loop {
        if let Some(rows) = ROWS.get() {
            return rows;
        }
        if let Some(room) = ROOM.try_take() {
            // Only who has the room sets it.
            let _ = ROWS.set(put_together(room));
        }
        hint::spin_loop();
    }
}

/// One line of [`PANEL_NAMES`]: names of the drivers, and how the file's name
/// differs from the first.
fn parts(line: &'static [u8]) -> (&'static [u8], &'static [u8]) {
    let rest = line.iter().position(|&byte| byte == REST_OF_ID);
    let (names, rest) = line.split_at(rest.unwrap_or(line.len()));
    (names, rest.get(1..).unwrap_or_default())
}

fn each(bytes: &'static [u8], end: u8) -> impl Iterator<Item = &'static [u8]> {
    bytes.split(move |&byte| byte == end)
}

fn text(bytes: &'static [u8]) -> &'static str {
    str::from_utf8(bytes).unwrap_or_default()
}

// Bytes, not characters: that is half the code.
fn put_together(room: &'static mut Room) -> &'static Rows {
    // The build script has counted all that is pushed here.
    for line in each(PANEL_NAMES.as_bytes(), b'\n') {
        let (names, rest) = parts(line);
        let (spelled, rest) = match rest {
            [WHOLE_ID, id @ ..] => (0, id),
            _ => (each(names, NEXT_NAME).next().map_or(0, <[u8]>::len), rest),
        };
        for byte in names.iter().take(spelled) {
            let byte = if *byte == b'_' { b'-' } else { *byte };
            let _ = room.ids.push(byte.to_ascii_lowercase());
        }
        let _ = room.ids.extend_from_slice(rest);
        let _ = room.ids.push(b'\n');
        for name in each(names, NEXT_NAME) {
            let _ = room.names.push(text(name));
        }
    }
    let ids = each(&room.ids, b'\n');
    let mut names = room.names.as_slice();
    let lines = each(PANEL_NAMES.as_bytes(), b'\n');
    for (number, (line, id)) in lines.zip(ids).enumerate() {
        let count = each(parts(line).0, NEXT_NAME).count();
        let (own, others) = names.split_at_checked(count).unwrap_or_default();
        names = others;
        if let Some(row) = row(number, text(id), own) {
            let _ = room.rows.push(row);
        }
    }
    &room.rows
}

fn row(number: usize, id: &'static str, names: &'static [&'static str]) -> Option<PanelRow> {
    let columns = &PANELS;
    Some(PanelRow {
        id,
        names,
        controller: columns.controller.get(number)?,
        compatible: columns.compatible.get(number)?,
        width: columns.width.get(number)?,
        height: columns.height.get(number)?,
        physical_mm: columns.physical_mm.get(number)?,
        bus: columns.bus.get(number)?,
        lanes: columns.lanes.get(number)?,
        mode: columns.mode.get(number)?,
        format: columns.format.get(number)?,
        vertical: columns.vertical.get(number)?,
        horizontal: columns.horizontal.get(number)?,
        rate: columns.rate.get(number)?,
        no_spread: columns.no_spread.get(number)?,
        phy: columns.phy.get(number)?,
        reset: columns.reset.get(number)?,
        init: PackedScript::new(PANEL_SCRIPTS.init.get(number)?),
        power_down: PackedScript::new(PANEL_SCRIPTS.power_down.get(number)?),
        ids: columns.ids.get(number)?,
        shipped: columns.shipped.get(number)?,
        trees: columns.trees.get(number)?,
        doubtful: columns.doubtful.get(number)?,
    })
}

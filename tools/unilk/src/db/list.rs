//! Rows in one line each: filtered, or found by any part of what they say.

use super::{Kind, Row, ids};
use serde::Serialize;
use unilk_board_db::{CameraBus, PanelBus, PanelMode, PanelRow};

/// Which rows to list; what is `None` does not matter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// What they describe.
    pub kind: Option<Kind>,
    /// Part of the controller's or chip's name.
    pub controller: Option<String>,
    /// Pixels of a panel.
    pub size: Option<(u16, u16)>,
    /// Id of a board that has them.
    pub board: Option<String>,
}

impl Filter {
    fn takes(&self, row: &Row) -> bool {
        let size = match row {
            Row::Panel(row) => Some((row.width, row.height)),
            _ => None,
        };
        let plain_controller = plain(&row.controller());
        self.kind.is_none_or(|kind| row.kind() == kind)
            && self
                .controller
                .as_ref()
                .is_none_or(|part| plain_controller.contains(&plain(part)))
            && (self.size.is_none() || self.size == size)
            && self
                .board
                .as_ref()
                .is_none_or(|board| row.boards().contains(&board.as_str()))
    }
}

/// A row in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// What it describes.
    pub kind: Kind,
    /// Its id.
    pub id: &'static str,
    /// Controller or chip.
    pub controller: String,
    /// The rest: size and link of a panel, addresses of a chip.
    pub summary: String,
    /// Device configurations that ship it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipped: Option<u16>,
}

impl Entry {
    /// Of a row.
    pub fn of(row: &Row) -> Self {
        let (summary, shipped) = match row {
            Row::Panel(row) => (link(row), Some(row.shipped)),
            Row::Touch(row) => (
                format!("i2c {}", addresses(row.addresses)),
                Some(row.shipped),
            ),
            Row::Camera(row) => {
                let bus = match row.bus {
                    CameraBus::Parallel => "parallel",
                    CameraBus::Mipi => "mipi",
                    CameraBus::Unknown => "bus unknown",
                };
                let text = format!("i2c {}, {bus}", addresses(row.addresses));
                (text, Some(row.shipped))
            }
            Row::Board(row) => {
                let [main, sub] = row.cameras.map(<[_]>::len);
                let (panels, touch) = (row.panels.len(), row.touch.len());
                let parts = format!("{panels} panels, {touch} touch, {main}+{sub} cameras");
                (format!("wiring {}, {parts}", row.wiring), None)
            }
            Row::Wiring(row) => (format!("boards: {}", row.shipped), None),
        };
        Self {
            kind: row.kind(),
            id: row.id(),
            controller: row.controller(),
            summary,
            shipped,
        }
    }
}

/// Size and link of a panel.
fn link(row: &PanelRow) -> String {
    let mode = match row.mode {
        PanelMode::Command => "command",
        PanelMode::SyncPulse => "sync-pulse",
        PanelMode::SyncEvent => "sync-event",
        PanelMode::Burst => "burst",
    };
    let link = match row.bus {
        PanelBus::Dsi => format!("DSI {} lanes {mode}", row.lanes),
        PanelBus::Parallel(bus) => format!("DBI {} lines", bus.width),
        PanelBus::Serial(_) => "DBI serial".to_owned(),
        PanelBus::Dpi => "DPI".to_owned(),
    };
    format!("{}x{} {link}", row.width, row.height)
}

/// Addresses as hexadecimal digits.
pub fn addresses(addresses: &[u8]) -> String {
    let words: Vec<String> = addresses.iter().map(|a| format!("{a:02X}")).collect();
    words.join("/")
}

/// The rows that `filter` takes, in the order of the table.
pub fn list(filter: &Filter) -> Vec<Entry> {
    let rows = Row::all().filter(|row| filter.takes(row));
    rows.map(|row| Entry::of(&row)).collect()
}

/// A row that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// The row.
    #[serde(flatten)]
    pub entry: Entry,
    /// What of it fits, in words.
    pub by: String,
}

/// Rows of which some part fits `wanted`: id, names of drivers, controller,
/// `compatible`, or, if it is hexadecimal, bytes of the ID or an I2C address;
/// `DA=40` means bytes of this register.
pub fn search(wanted: &str, filter: &Filter) -> Vec<Hit> {
    let text = plain(wanted.trim());
    if text.is_empty() {
        return Vec::new();
    }
    let (register, bytes) = match wanted.split_once('=') {
        Some((register, bytes)) => (hex(register), hex(bytes)),
        None => (None, hex(wanted)),
    };
    let register = register.map(|bytes| number(&bytes));
    let rows = Row::all().filter(|row| filter.takes(row));
    let hits = rows.filter_map(|row| {
        let by = by_text(&row, &text).or_else(|| by_bytes(&row, register, bytes.as_deref()?));
        Some(Hit {
            entry: Entry::of(&row),
            by: by?,
        })
    });
    hits.collect()
}

/// Letters in one case, and every way to part words alike.
fn plain(text: &str) -> String {
    text.to_lowercase().replace('_', "-")
}

fn by_text(row: &Row, text: &str) -> Option<String> {
    let has = |of: &str| plain(of).contains(text);
    if has(row.id()) {
        return Some("id".to_owned());
    }
    if let Some(name) = row.aliases().iter().find(|name| has(name)) {
        return Some(format!("driver {name}"));
    }
    if has(&row.controller()) {
        return Some("controller".to_owned());
    }
    let compatible = row.compatible().filter(|compatible| has(compatible));
    compatible.map(|compatible| format!("compatible {compatible}"))
}

/// Bytes that somebody typed: `98 06`, `0x9806`, `DA`.
fn hex(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    let text = text.strip_prefix("0x").unwrap_or(text);
    let digits: String = text.split_whitespace().collect();
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|p| p.len() == 2)?, 16).ok()
        })
        .collect::<Option<Vec<u8>>>()
        .filter(|bytes| !bytes.is_empty())
}

/// Bytes as one number, the first the most significant.
fn number(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |number, &byte| number << 8 | u32::from(byte))
}

/// Bytes of the ID, of the register `register` if one is meant, or an address.
fn by_bytes(row: &Row, register: Option<u32>, wanted: &[u8]) -> Option<String> {
    let meant = |number: u32| register.is_none_or(|register| register == number);
    let within = |bytes: &[u8]| bytes.windows(wanted.len()).any(|part| part == wanted);
    let shown = |bytes: &[u8]| crate::report::Hex(bytes.to_vec()).to_string();
    let address = |addresses: &[u8]| {
        let ([one], None) = (wanted, register) else {
            return None;
        };
        addresses
            .contains(one)
            .then(|| format!("address {one:02X}"))
    };
    match row {
        Row::Panel(row) => {
            let answers = row.ids.iter().flat_map(|id| ids::answers(id));
            let asked = |question: u16| {
                let asked = unilk_board_db::plan().questions.get(usize::from(question));
                asked.is_some_and(|asked| meant(asked.register.into()))
            };
            let mut answers = answers.filter(|(asked_as, bytes)| asked(*asked_as) && within(bytes));
            answers
                .next()
                .map(|(_, bytes)| format!("ID bytes {}", shown(&bytes)))
        }
        Row::Touch(row) => {
            let steps = row.probe.iter().filter(|step| meant(number(step.write)));
            let expected = steps.filter_map(|step| step.expect);
            let mut values = expected.flat_map(|expect| expect.values);
            let value = values.find(|value| within(value));
            let value = value.map(|value| format!("answer {}", shown(value)));
            value.or_else(|| address(row.addresses))
        }
        Row::Camera(row) => {
            let bytes = row.registers.len() * usize::from(row.data_bytes);
            let of = |value: u32| value.to_be_bytes()[4_usize.saturating_sub(bytes)..].to_vec();
            let here = row
                .registers
                .first()
                .is_some_and(|&first| meant(first.into()));
            let values = row.values.iter().filter(|_| here);
            let mut values = values.map(|&value| of(value));
            let value = values.find(|value| within(value));
            let value = value.map(|value| format!("ID {}", shown(&value)));
            value.or_else(|| address(row.addresses))
        }
        Row::Board(_) | Row::Wiring(_) => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn found(wanted: &str) -> Vec<(&'static str, String)> {
        let hits = search(wanted, &Filter::default()).into_iter();
        hits.map(|hit| (hit.entry.id, hit.by)).collect()
    }

    #[test]
    fn rows_are_found_by_any_part() {
        let has = |wanted: &str, id: &str, by: &str| {
            let found = found(wanted);
            let hit = found.iter().any(|hit| hit.0 == id && hit.1.starts_with(by));
            assert!(hit, "{wanted}: {found:?}");
        };
        has("fwvga_dsi_vdo_txd", "ili9806e-fwvga-dsi-vdo-txd", "id");
        has("ILI9806E", "ili9806e-fwvga-dsi-vdo-txd", "id");
        has("gt911", "gt911", "id");
        has("goodix,gt911", "gt911", "compatible");
        has("0x5645", "ov5645", "ID 56 45");
        has("5d", "gt911", "address 5D");
        has("8140=39 31 31", "gt911", "answer 39 31 31");
        has("300a=56", "ov5645", "ID 56 45");
        assert!(found("8141=39 31 31").iter().all(|hit| hit.0 != "gt911"));
        has("s5201ap", "s5201ap", "id");
        assert_eq!(found("no such thing"), []);
        assert_eq!(found(" "), []);
    }

    #[test]
    fn panels_are_found_by_their_id_bytes() {
        let mut rows = unilk_board_db::panels().iter();
        let answer = |row: &PanelRow| {
            let mut answers = row.ids.iter().flat_map(|id| ids::answers(id));
            answers.find(|(_, bytes)| bytes.len() >= 3)
        };
        let (row, (_, bytes)) = rows.find_map(|row| Some((row, answer(row)?))).unwrap();
        let text = crate::report::Hex(bytes).to_string();
        assert!(found(&text).iter().any(|hit| hit.0 == row.id), "{text}");
        let together = text.replace(' ', "");
        assert!(found(&together).iter().any(|hit| hit.0 == row.id), "{text}");
    }

    #[test]
    fn filters_narrow() {
        let count = |filter: &Filter| list(filter).len();
        let all = count(&Filter::default());
        let kinds = Kind::ALL.map(|kind| {
            count(&Filter {
                kind: Some(kind),
                ..Filter::default()
            })
        });
        assert_eq!(kinds.iter().sum::<usize>(), all);
        assert_eq!(kinds[0], unilk_board_db::panels().len());
        let of_board = list(&Filter {
            board: Some("s5201ap".to_owned()),
            kind: Some(Kind::Panel),
            ..Filter::default()
        });
        let board = unilk_board_db::board("s5201ap").unwrap();
        assert_eq!(of_board.len(), board.panels.len());
        let small = list(&Filter {
            size: Some((320, 480)),
            controller: Some("ili9488".to_owned()),
            ..Filter::default()
        });
        let fits = |row: &&PanelRow| row.controller.contains("ili9488") && row.width == 320;
        let rows = unilk_board_db::panels().iter().filter(fits);
        assert_eq!(small.len(), rows.filter(|row| row.height == 480).count());
        assert!(
            small
                .iter()
                .all(|entry| entry.summary.starts_with("320x480 "))
        );
    }
}

//! What a driver compares, as the `[[id]]` sections of a row.

use super::dataset::{Entry, Item, Match, VoltageIs};
use super::dbi;
use super::row::Identity;
use super::script::{Refusal, byte};
use std::collections::BTreeSet;

/// A key that opens registers: how a driver's write begins, what a row says,
/// and the registers that it opens. The writes that drivers send besides
/// (MIPI settings, tearing effect) do not matter to the read
/// (facts/display.md 5.5).
struct Key {
    begins: &'static [u8],
    unlock: &'static [&'static str],
    opens: &'static [u8],
}

const KEYS: &[Key] = &[
    Key {
        begins: &[0xFF, 0xFF, 0x98, 0x06, 0x04, 0x01],
        unlock: &["39 FF FF 98 06 04 01"],
        opens: &[0x00, 0x01, 0x02],
    },
    Key {
        begins: &[0xFF, 0xFF, 0x98, 0x16],
        unlock: &["39 FF FF 98 16"],
        opens: &[0xD3],
    },
    Key {
        begins: &[0xF0, 0x55, 0xAA, 0x52, 0x08, 0x01],
        unlock: &["39 F0 55 AA 52 08 01"],
        opens: &[0xC5, 0xC6],
    },
    Key {
        begins: &[0xED, 0x01, 0xFE],
        unlock: &["39 ED 01 FE"],
        opens: &[0xD4],
    },
    Key {
        begins: &[0xB9, 0xFF, 0x83, 0x57],
        unlock: &["39 B9 FF 83 57"],
        opens: HIMAX,
    },
    Key {
        begins: &[0xB9, 0xFF, 0x83, 0x69],
        unlock: &["39 B9 FF 83 69"],
        opens: HIMAX,
    },
    Key {
        begins: &[0xB9, 0xFF, 0x83, 0x79],
        unlock: &["39 B9 FF 83 79"],
        opens: HIMAX,
    },
    Key {
        begins: &[0xB9, 0xFF, 0x83, 0x89],
        unlock: &["39 B9 FF 83 89"],
        opens: HIMAX,
    },
    Key {
        begins: &[0xB0, 0x04],
        unlock: &["23 B0 04"],
        opens: &[0xBF],
    },
    Key {
        begins: &[0xFF, 0x80, 0x09],
        unlock: &[
            "15 00 00",
            "29 FF 80 09 01",
            "15 00 80",
            "29 FF 80 09",
            "15 00 02",
        ],
        opens: &[0xD2],
    },
    Key {
        begins: &[0xFF, 0x80, 0x09],
        unlock: &[
            "15 00 00",
            "29 FF 80 09 01",
            "15 00 80",
            "29 FF 80 09",
            "15 00 50",
        ],
        opens: &[0xF8],
    },
];

const HIMAX: &[u8] = &[0xC3, 0xD0, 0xF4];

/// Controllers that name themselves by the key in the initialisation, and
/// what they answer (facts/display.md 5.5): how the write begins, and the
/// terms.
const BY_KEY: &[(&[u8], &[&str])] = &[
    (
        &[0xFF, 0xFF, 0x98, 0x06, 0x04],
        &["00[0]=98", "01[0]=06", "02[0]=04"],
    ),
    (&[0xFF, 0xFF, 0x98, 0x16], &["D3[1]=98", "D3[2]=16"]),
    (&[0xB9, 0xFF, 0x83, 0x69], &["F4[0]=69"]),
    (&[0xB9, 0xFF, 0x83, 0x79], &["F4[0]=79"]),
    (&[0xB9, 0xFF, 0x83, 0x89], &["F4[0]=89"]),
    (&[0xFF, 0x80, 0x09], &["A1[2]=80", "A1[3]=09"]),
    (&[0xFF, 0x80, 0x19], &["A1[2]=80", "A1[3]=19"]),
    (&[0xFF, 0x96, 0x05], &["A1[2]=96", "A1[3]=05"]),
    (&[0xFF, 0x96, 0x08], &["A1[2]=96", "A1[3]=08"]),
];

/// How many bytes are asked for, where a driver asks for fewer than others.
const LENGTHS: &[(u8, u8)] = &[
    (0x04, 3),
    (0xA1, 5),
    (0xBF, 5),
    (0xC3, 5),
    (0xC5, 2),
    (0xD0, 2),
    (0xD2, 2),
    (0xD3, 4),
    (0xD4, 4),
    (0xF4, 2),
    (0xF8, 2),
];

/// The alternatives by which `entry` is known; none: it cannot be read.
pub fn identities(entry: &Entry) -> Result<Vec<Identity>, Refusal> {
    let mut ids = Vec::new();
    let facts = std::iter::once(&entry.id_read).chain(&entry.id_variants);
    for read in facts {
        for alternative in &read.alternatives {
            let alternative = with_chip(alternative, &read.alternatives);
            for id in identity(entry, &alternative)?.map_or(Vec::new(), standard_first) {
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
        }
    }
    either_level(&mut ids);
    let on_dsi = entry.lanes.is_some();
    if ids.is_empty()
        && on_dsi
        && let Some(terms) = by_key(entry)
    {
        ids.push(Identity {
            comment: vec![
                "The chip is the one that the key in its table names; its driver does not ask."
                    .into(),
            ],
            ..opened(&terms, entry, &[])
        });
    }
    Ok(ids)
}

/// Of two alternatives that differ in the level of a pin only, the pin says
/// nothing.
fn either_level(ids: &mut Vec<Identity>) {
    let flipped = |term: &str| {
        let low = term.strip_suffix("=high").map(|pin| format!("{pin}=low"));
        low.or_else(|| term.strip_suffix("=low").map(|pin| format!("{pin}=high")))
    };
    let mut at = 0;
    while at < ids.len() {
        let found = ids[at].terms.iter().enumerate().find_map(|(index, term)| {
            let mut other = ids[at].terms.clone();
            other[index] = flipped(term)?;
            let twin = ids.iter().position(|id| id.terms == other)?;
            Some((index, twin))
        });
        match found {
            Some((index, twin)) => {
                ids[at].terms.remove(index);
                ids.remove(twin);
                ids.retain(|id| !id.terms.is_empty());
                at = 0;
            }
            None => at += 1,
        }
    }
}

/// A driver that takes a pin for enough in one alternative and asks the chip
/// in another does so of one and the same chip.
fn with_chip(alternative: &Match, all: &[Match]) -> Match {
    let asks = |one: &&Match| !one.dsi.is_empty() || !one.dbi.is_empty();
    match all.iter().find(asks) {
        Some(chip) if !asks(&alternative) => Match {
            dsi: chip.dsi.clone(),
            dbi: chip.dbi.clone(),
            ..alternative.clone()
        },
        _ => alternative.clone(),
    }
}

fn identity(entry: &Entry, alternative: &Match) -> Result<Option<Identity>, Refusal> {
    let mut terms: Vec<String> = alternative
        .dsi
        .iter()
        .map(|is| {
            let mask = is.mask.map_or(String::new(), |mask| format!("&{mask:02X}"));
            format!("{:02X}[{}]{mask}={:02X}", is.cmd, is.byte, is.value)
        })
        .collect();
    let mut board = Vec::new();
    for (index, is) in alternative.gpio.iter().enumerate() {
        let level = if is.level == 0 { "low" } else { "high" };
        board.push(format!("strap{}={level}", strap(&is.pin, index)));
    }
    board.extend(alternative.adc.iter().map(voltage));
    if !alternative.dbi.is_empty() {
        let id = dbi::identity(entry, &alternative.dbi)?;
        return Ok(id.map(|id| Identity {
            terms: [id.terms, board].concat(),
            ..id
        }));
    }
    // Only a board's own function can tell, or the driver waits for zeros,
    // which is also what says that nobody answers.
    if alternative.dsi.iter().all(|is| is.value == 0) && board.is_empty() {
        return Ok(None);
    }
    let asks_chip = !terms.is_empty();
    let mut comment = Vec::new();
    if !asks_chip
        && entry.lanes.is_some()
        && let Some(known) = by_key(entry)
    {
        terms = known;
        comment.push(
            "The chip is the one that the key in its table names; its driver asks only the pins."
                .into(),
        );
    }
    Ok(Some(Identity {
        comment,
        ..opened(&terms, entry, &board)
    }))
}

/// Orise's D2 is the end of what A1 says without a key: either will do
/// (facts/display.md 5.5).
fn standard_first(id: Identity) -> Vec<Identity> {
    const D2: [&str; 2] = ["D2[0]=80", "D2[1]=09"];
    if id.terms[..]
        .iter()
        .filter(|term| D2.contains(&term.as_str()))
        .count()
        < D2.len()
    {
        return vec![id];
    }
    let terms = id.terms.iter().map(|term| match term.as_str() {
        "D2[0]=80" => "A1[2]=80".into(),
        "D2[1]=09" => "A1[3]=09".into(),
        other => other.into(),
    });
    let plain = Identity {
        comment: vec![
            "A1 is what these controllers say right after a reset; D2 is what its driver asks."
                .into(),
        ],
        unlock: Vec::new(),
        reads: vec!["A1 5".into()],
        terms: terms.collect(),
    };
    vec![plain, id]
}

/// The section for `terms` on registers and `board` on pins, opened by the
/// keys that the driver sends before it reads, or in its initialisation: some
/// read what the initialisation of the boot before has opened.
fn opened(terms: &[String], entry: &Entry, board: &[String]) -> Identity {
    let sends_key = |begins| sends(&entry.id_read.seq, begins) || sends(&entry.init, begins);
    let mut unlock: Vec<String> = Vec::new();
    let mut reads = Vec::new();
    let mut registers = BTreeSet::new();
    for term in terms {
        let Some((register, index)) = register_of(term) else {
            continue;
        };
        let known = LENGTHS.iter().find(|(known, _)| *known == register);
        let needed = terms
            .iter()
            .filter_map(|term| register_of(term))
            .filter(|(other, _)| *other == register)
            .map(|(_, index)| index + 1)
            .max()
            .unwrap_or(index + 1);
        if registers.insert(register) {
            let len = known.map_or(needed, |&(_, len)| len.max(needed));
            reads.push(format!("{register:02X} {len}"));
        }
        let key = KEYS
            .iter()
            .find(|key| key.opens.contains(&register) && sends_key(key.begins));
        if let Some(key) = key {
            unlock = key.unlock.iter().map(|&line| line.into()).collect();
        }
    }
    Identity {
        comment: Vec::new(),
        unlock,
        reads,
        terms: [terms, board].concat(),
    }
}

/// `"A1[2]=80"` is register A1, byte 2.
fn register_of(term: &str) -> Option<(u8, u8)> {
    let (register, rest) = term.split_once('[')?;
    let (index, _) = rest.split_once(']')?;
    Some((u8::from_str_radix(register, 16).ok()?, index.parse().ok()?))
}

/// Whether a write that begins so is among `items`.
fn sends(items: &[Item], begins: &[u8]) -> bool {
    let [command, args @ ..] = begins else {
        return false;
    };
    items.iter().any(|item| {
        item.op.is_none()
            && item.cmd == Some(u16::from(*command))
            && item.args.len() >= args.len()
            && item
                .args
                .iter()
                .zip(args)
                .all(|(arg, want)| byte(arg) == Some(*want))
    })
}

fn by_key(entry: &Entry) -> Option<Vec<String>> {
    let (_, terms) = BY_KEY
        .iter()
        .find(|(begins, _)| sends(&entry.init, begins))?;
    Some(terms.iter().map(|&term| term.into()).collect())
}

/// Which identification pin of the wiring profile a board's name is, the
/// `index`th that the driver looks at. Most boards have one; two are LCM_ID1
/// and LCM_ID2, GPIO18 and GPIO19 on Alcatel's (facts/display.md 5.5).
fn strap(pin: &str, index: usize) -> usize {
    match pin {
        "GPIO_LCM_ID1" | "GPIO18" => 1,
        "GPIO_LCM_ID2" | "GPIO19" => 2,
        _ => index + 1,
    }
}

/// The driver's unit is millivolts in steps of 10, open at 2490, or counts
/// of 1500 mV / 4096 (facts/panels.md, "id_read"; facts/display.md 5.5).
fn voltage(is: &VoltageIs) -> String {
    let channel = is.ch.as_u64().unwrap_or(0);
    let (from, to) = if let Some(&[(from, to), ..]) = is.mv.as_deref() {
        (from, (to < 2490).then_some(to))
    } else {
        let (from, to) = is
            .raw
            .as_ref()
            .and_then(|raw| raw.first())
            .copied()
            .unwrap_or((0, 4095));
        let up = (from * 1500).div_ceil(4096);
        (up, (to < 4095).then_some(to * 1500 / 4096))
    };
    let to = to.map_or(String::new(), |to| to.max(from + 1).to_string());
    format!("adc{channel}={from}..{to}")
}

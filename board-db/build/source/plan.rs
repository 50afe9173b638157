//! Makes the identification plan out of the `ids` of all panels: which
//! registers to read, in which state of the panel, in which order.
//!
//! Rules, from facts/display.md 5.5 and 9.2:
//! - What the DCS standard defines is read right after the reset, whatever the
//!   vendor's driver sent before: a maker's key does not open it, and another
//!   maker's key could hide it.
//! - Equal keys make one stage, equal registers in it one question, as long as
//!   the longest that anybody asks for.
//! - A maker's register that one driver reads without a key is asked where
//!   another driver of the same maker asks for it with one.
//! - Stages of one maker stand together; a reset goes before the next maker.
//! - What decides the most panels comes first.

use crate::source::ids::{Id, Term};
use crate::source::script::payloads;
use std::fmt::Write;

/// Registers of the DCS standard: identification, power mode, DDB.
const STANDARD: &[u16] = &[0x04, 0x0A, 0xA1, 0xA8, 0xDA, 0xDB, 0xDC];

/// Makers by their keys (first bytes of a write) and by the names of their
/// controllers. Raydium's parts take Novatek's page command.
const MAKERS: &[Maker] = &[
    ("ilitek", &[&[0xFF, 0xFF, 0x98], &[0xFF, 0x98]], &["ili"]),
    (
        "novatek",
        &[&[0xF0, 0x55, 0xAA], &[0xED, 0x01]],
        &["nt", "rm"],
    ),
    ("himax", &[&[0xB9, 0xFF, 0x83]], &["hx"]),
    (
        "orise",
        &[&[0xFF, 0x80], &[0xFF, 0x96], &[0xFF, 0x12]],
        &["otm"],
    ),
    ("renesas", &[&[0xB0, 0x04]], &["r6"]),
    ("sitronix", &[&[0xFF, 0x77, 0x01]], &["st7"]),
];

/// Name, keys, prefixes of controllers.
type Maker = (
    &'static str,
    &'static [&'static [u8]],
    &'static [&'static str],
);

/// What the plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    pub controller: &'a str,
    /// On a bus of the LCD controller, not on DSI.
    pub dbi: bool,
    pub shipped: u16,
    pub ids: &'a [Id],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    pub name: String,
    pub reset: bool,
    pub unlock: Vec<u8>,
    pub dbi: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    pub stage: usize,
    pub register: u16,
    pub len: u8,
}

/// A term whose register has become a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planned {
    Answer {
        question: usize,
        byte: u8,
        mask: u8,
        value: u8,
    },
    Other(Term),
}

impl Planned {
    /// The same with `before` more questions before its own.
    fn after(self, before: usize) -> Self {
        match self {
            Self::Answer {
                question,
                byte,
                mask,
                value,
            } => Self::Answer {
                question: question + before,
                byte,
                mask,
                value,
            },
            Self::Other(term) => Self::Other(term),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    pub stages: Vec<Stage>,
    pub questions: Vec<Question>,
    /// For each row its alternatives.
    pub ids: Vec<Vec<Vec<Planned>>>,
}

fn maker_of_key(unlock: &[u8]) -> Option<usize> {
    let writes = payloads(unlock);
    MAKERS.iter().position(|(_, keys, _)| {
        keys.iter()
            .any(|key| writes.iter().any(|write| write.starts_with(key)))
    })
}

fn maker_of_controller(name: &str) -> Option<usize> {
    MAKERS
        .iter()
        .position(|(_, _, prefixes)| prefixes.iter().any(|prefix| name.starts_with(prefix)))
}

/// A state of the panel while the plan is being made.
struct Draft<'a> {
    unlock: &'a [u8],
    maker: Option<usize>,
    /// Rows that need it, and how often those were shipped.
    weight: (u32, u32),
    /// Registers: number, length, weight.
    registers: Vec<(u16, u8, (u32, u32))>,
}

/// The plan for these rows: what DSI panels are asked, then what panels on the
/// LCD controller's buses are. The two never share a stage: nobody is asked on
/// both.
pub fn make(rows: &[Row<'_>]) -> Plan {
    let on = |dbi: bool| {
        let rows = rows.iter().map(|row| {
            let ids = if row.dbi == dbi { row.ids } else { &[] };
            Row { ids, ..*row }
        });
        make_for(&rows.collect::<Vec<_>>())
    };
    let mut plan = on(false);
    let (stages, questions) = (plan.stages.len(), plan.questions.len());
    let dbi = on(true);
    plan.stages
        .extend(dbi.stages.into_iter().map(|stage| Stage {
            name: format!("{} (DBI)", stage.name),
            dbi: true,
            ..stage
        }));
    plan.questions
        .extend(dbi.questions.into_iter().map(|question| Question {
            stage: question.stage + stages,
            ..question
        }));
    for (all, ids) in plan.ids.iter_mut().zip(dbi.ids) {
        all.extend(ids.into_iter().map(|terms| {
            let terms = terms.into_iter().map(|term| term.after(questions));
            terms.collect()
        }));
    }
    plan
}

/// The plan for the rows of one bus.
fn make_for(rows: &[Row<'_>]) -> Plan {
    let mut drafts = collect(rows);
    // Makers by weight, each with its stages by weight; what needs no key first.
    let maker_weight = |maker: Option<usize>, drafts: &[Draft<'_>]| {
        drafts
            .iter()
            .filter(|draft| draft.maker == maker)
            .fold((0, 0), |sum, draft| {
                (sum.0 + draft.weight.0, sum.1 + draft.weight.1)
            })
    };
    let weights: Vec<_> = drafts
        .iter()
        .map(|draft| maker_weight(draft.maker, &drafts))
        .collect();
    let mut order: Vec<usize> = (0..drafts.len()).collect();
    order.sort_by_key(|&n| {
        let draft = &drafts[n];
        (
            !draft.unlock.is_empty(),
            std::cmp::Reverse(weights[n]),
            draft.maker,
            std::cmp::Reverse(draft.weight),
            draft.unlock.to_vec(),
        )
    });
    let mut plan = Plan::default();
    let mut places = vec![0; drafts.len()];
    let mut before: Option<Option<usize>> = None;
    for (place, &n) in order.iter().enumerate() {
        places[n] = place;
        let draft = &mut drafts[n];
        // Nobody's key has been sent before the first one is. Keys of unknown
        // makers are never taken for one maker's.
        let reset = !draft.unlock.is_empty()
            && before.is_some_and(|before| before != draft.maker || draft.maker.is_none());
        if !draft.unlock.is_empty() {
            before = Some(draft.maker);
        }
        plan.stages.push(Stage {
            name: stage_name(draft),
            reset,
            unlock: draft.unlock.to_vec(),
            dbi: false,
        });
        draft
            .registers
            .sort_by_key(|&(register, _, weight)| (std::cmp::Reverse(weight), register));
        for &(register, len, _) in &draft.registers {
            plan.questions.push(Question {
                stage: place,
                register,
                len,
            });
        }
    }
    plan.ids = rows
        .iter()
        .map(|row| {
            row.ids
                .iter()
                .map(|id| planned(row, id, &drafts, &places, &plan.questions))
                .collect()
        })
        .collect();
    plan
}

/// All states with their registers.
fn collect<'a>(rows: &[Row<'a>]) -> Vec<Draft<'a>> {
    let mut drafts: Vec<Draft<'_>> = Vec::new();
    // Keyed registers first, so that those without a key can join them.
    for keyed in [true, false] {
        for row in rows {
            let weight = (1, u32::from(row.shipped));
            let mut counted = Vec::new();
            for id in row.ids {
                for term in &id.terms {
                    let Term::Register { register, len, .. } = *term else {
                        continue;
                    };
                    let free = id.unlock.is_empty() || STANDARD.contains(&register);
                    if free == keyed {
                        continue;
                    }
                    let n = place_of(row, id, register, &drafts).unwrap_or_else(|| {
                        let unlock = if free { &[][..] } else { &id.unlock };
                        drafts.push(Draft {
                            unlock,
                            maker: maker_of_key(unlock),
                            weight: (0, 0),
                            registers: Vec::new(),
                        });
                        drafts.len() - 1
                    });
                    let draft = &mut drafts[n];
                    if !counted.contains(&(n, None)) {
                        counted.push((n, None));
                        draft.weight = (draft.weight.0 + 1, draft.weight.1 + weight.1);
                    }
                    let there = |known: &(u16, u8, (u32, u32))| known.0 == register;
                    let at = draft.registers.iter().position(there).unwrap_or_else(|| {
                        draft.registers.push((register, len, (0, 0)));
                        draft.registers.len() - 1
                    });
                    let known = &mut draft.registers[at];
                    known.1 = known.1.max(len);
                    if !counted.contains(&(n, Some(register))) {
                        counted.push((n, Some(register)));
                        known.2 = (known.2.0 + 1, known.2.1 + weight.1);
                    }
                }
            }
        }
    }
    drafts
}

/// The state in which this register of this alternative is read.
fn place_of(row: &Row<'_>, id: &Id, register: u16, drafts: &[Draft<'_>]) -> Option<usize> {
    if STANDARD.contains(&register) {
        return drafts.iter().position(|draft| draft.unlock.is_empty());
    }
    if id.unlock.is_empty() {
        let maker = maker_of_controller(row.controller);
        let joined = drafts.iter().position(|draft| {
            !draft.unlock.is_empty()
                && maker.is_some()
                && draft.maker == maker
                && draft.registers.iter().any(|known| known.0 == register)
        });
        return joined.or_else(|| drafts.iter().position(|draft| draft.unlock.is_empty()));
    }
    let key = payloads(&id.unlock);
    drafts
        .iter()
        .position(|draft| !draft.unlock.is_empty() && payloads(draft.unlock) == key)
}

fn planned(
    row: &Row<'_>,
    id: &Id,
    drafts: &[Draft<'_>],
    places: &[usize],
    questions: &[Question],
) -> Vec<Planned> {
    id.terms
        .iter()
        .map(|term| match *term {
            Term::Register {
                register,
                byte,
                mask,
                value,
                ..
            } => {
                let stage = place_of(row, id, register, drafts).map_or(0, |n| places[n]);
                let question = questions
                    .iter()
                    .position(|question| question.stage == stage && question.register == register)
                    // Every register was collected above.
                    .unwrap_or_default();
                Planned::Answer {
                    question,
                    byte,
                    mask,
                    value,
                }
            }
            other => Planned::Other(other),
        })
        .collect()
}

/// For the report: maker and key, `"ilitek FF 98 06 04 01"`.
fn stage_name(draft: &Draft<'_>) -> String {
    if draft.unlock.is_empty() {
        return "after reset".into();
    }
    let mut name = draft
        .maker
        .map_or("other", |maker| MAKERS[maker].0)
        .to_string();
    let longest = payloads(draft.unlock)
        .into_iter()
        .max_by_key(|write| write.len())
        .unwrap_or_default();
    let last = payloads(draft.unlock).pop().unwrap_or_default();
    let shown = if last.len() < longest.len() {
        [longest, last]
    } else {
        [longest, &[]]
    };
    for byte in shown.concat().into_iter().take(8) {
        // Writing to a String cannot fail.
        let _ = write!(name, " {byte:02X}");
    }
    name
}

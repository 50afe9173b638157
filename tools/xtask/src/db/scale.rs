//! What it costs to ask a panel who it is, by the size of the table.
//!
//! The bootloader's own asker is run against simulated panels, one for each ID
//! of each row, with a table that has only some of the rows and a plan that was
//! made for these. It must get dearer with the logarithm of their number.

use crate::paths;
use crate::source::plan::{self, Planned, Row};
use crate::source::{self, Panel, PanelToml, ids};
use anyhow::{Context as _, Result, anyhow};
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use unilk::simulate::{ask, is_readable};
use unilk_board_db::{PanelRow, Plan, Question, ReadKind, Script, Stage, Term};
use unilk_core::identify::Table;
use unilk_core::identify::panel::Outcome;

/// The middle and the largest of some numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spread {
    /// Half of them are no larger.
    pub median: u32,
    /// The largest.
    pub worst: u32,
}

/// The cost with tables of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Rows of the table.
    pub rows: usize,
    /// Registers that its plan knows.
    pub questions: usize,
    /// Panels that were asked.
    pub panels: usize,
    /// Of these, the ones that were not told by what they answer.
    pub missed: usize,
    /// Reads, repeats included.
    pub reads: Spread,
    /// Resets between makers.
    pub resets: Spread,
    /// Virtual time in microseconds.
    pub micros: Spread,
}

/// The rows of the table as their files have them.
pub fn rows() -> Result<Vec<(String, Panel)>> {
    let folder = paths::root().join("board-db/data/panels");
    let mut rows = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let id = path.file_stem().unwrap_or_default().to_string_lossy();
        let row: PanelToml =
            source::parse(&path.display().to_string(), &text).map_err(|why| anyhow!(why.0))?;
        rows.push((
            id.to_string(),
            row.check(&id).map_err(|why| anyhow!(why.0))?,
        ));
    }
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(rows)
}

/// The cost with `size` of the rows, drawn `samples` times.
pub fn measure(rows: &[(String, Panel)], size: usize, samples: u64) -> Cost {
    let size = size.min(rows.len());
    let (mut reads, mut resets, mut micros) = (Vec::new(), Vec::new(), Vec::new());
    let (mut questions, mut missed) = (0, 0);
    for sample in 0..samples {
        let mut drawn: Vec<&(String, Panel)> = rows.iter().collect();
        drawn.sort_by_key(|(id, _)| {
            let mut hasher = DefaultHasher::new();
            (sample, id).hash(&mut hasher);
            hasher.finish()
        });
        drawn.truncate(size);
        let table = compile(&drawn);
        questions = questions.max(table.plan.questions.len());
        for (row, panel) in (0..).zip(table.panels) {
            for id in panel.ids {
                let found = ask(&table, id);
                // Pins and voltages cost nothing and are not asked for here.
                let told = found.state(&table, row).outcome == Outcome::Confirmed;
                missed += usize::from(is_readable(id) && !told);
                reads.push(u32::from(found.reads));
                resets.push(u32::from(found.stage_resets));
                micros.push(found.took_us);
            }
        }
    }
    Cost {
        rows: size,
        questions,
        panels: reads.len(),
        missed,
        reads: spread(reads),
        resets: spread(resets),
        micros: spread(micros),
    }
}

fn spread(mut numbers: Vec<u32>) -> Spread {
    numbers.sort_unstable();
    Spread {
        median: numbers.get(numbers.len() / 2).copied().unwrap_or(0),
        worst: numbers.last().copied().unwrap_or(0),
    }
}

/// A table of these rows alone.
fn compile(rows: &[&(String, Panel)]) -> Table {
    let sources: Vec<Row<'_>> = rows.iter().map(|(_, panel)| panel.plan_row()).collect();
    let made = plan::make(&sources);
    let stages: Vec<Stage> = made
        .stages
        .iter()
        .map(|stage| Stage {
            name: leak(stage.name.as_bytes().to_vec())
                .utf8_chunks()
                .next()
                .map_or("", |chunk| chunk.valid()),
            reset: stage.reset,
            unlock: Script::new(leak(stage.unlock.clone())),
            dbi: stage.dbi,
        })
        .collect();
    let questions: Vec<Question> = made
        .questions
        .iter()
        .map(|question| Question {
            stage: question.stage as u8,
            register: question.register,
            len: question.len,
            kind: if made.stages[question.stage].dbi {
                ReadKind::Dbi
            } else if question.len < 3 {
                ReadKind::Dcs
            } else {
                ReadKind::Generic
            },
        })
        .collect();
    let panels: Vec<PanelRow> = rows
        .iter()
        .zip(&made.ids)
        .filter_map(|((id, _), ids)| {
            let ids: Vec<&'static [Term]> = ids
                .iter()
                .map(|terms| leak(terms.iter().filter_map(term).collect()))
                .collect();
            Some(PanelRow {
                ids: leak(ids),
                ..*unilk_board_db::panel(id)?
            })
        })
        .collect();
    Table {
        panels: leak(panels),
        plan: &leak(vec![Plan {
            stages: leak(stages),
            questions: leak(questions),
        }])[0],
        clusters: &[],
        touch: &[],
        cameras: &[],
        wirings: &[],
        boards: &[],
    }
}

fn term(planned: &Planned) -> Option<Term> {
    Some(match *planned {
        Planned::Answer {
            question,
            byte,
            mask,
            value,
        } => Term::Answer {
            question: question as u16,
            byte,
            mask,
            value,
        },
        Planned::Other(ids::Term::Strap { index, high }) => Term::Strap { index, high },
        Planned::Other(ids::Term::Voltage {
            channel,
            from_mv,
            to_mv,
        }) => Term::Voltage {
            channel,
            from_mv,
            to_mv,
        },
        // The plan has made an answer of every register.
        Planned::Other(ids::Term::Register { .. }) => return None,
    })
}

/// The tables of a bench are few and last as long as it does.
fn leak<T>(rows: Vec<T>) -> &'static [T] {
    Box::leak(rows.into_boxed_slice())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Ten times the rows may cost a step more, not ten times as much.
    #[test]
    fn the_cost_grows_with_the_logarithm_of_the_rows() {
        let rows = rows().unwrap();
        let [ten, hundred, all] = [(10, 9), (100, 3), (usize::MAX, 1)]
            .map(|(size, samples)| measure(&rows, size, samples));
        for cost in [ten, hundred, all] {
            println!("{cost:?}");
            // nt35510-hongsheng-hs4001065a-mcu-wvga tests the dummy word of a
            // parallel bus, which tells nothing.
            assert!(cost.missed <= 1, "{cost:?}");
        }
        // From 100 on no decade adds more than that from 10 to 100 did, and two
        // reads for the makers' habits that are rare.
        let decades = (all.rows as f64 / 100.0).log10();
        let medians = [ten, hundred, all].map(|cost| f64::from(cost.reads.median));
        let worsts = [ten, hundred, all].map(|cost| f64::from(cost.reads.worst));
        for [ten, hundred, all] in [medians, worsts] {
            let most = hundred + (hundred - ten) * decades + 2.0;
            assert!(all <= most, "{ten} {hundred} {all}");
        }
        assert!(all.resets.worst <= 5, "{all:?}");
        assert!(all.micros.worst < 150_000, "{all:?}");
    }
}

//! The identification plan is good enough: how many reads and resets it takes
//! to say what every panel of the table is, and that it says the right thing.
//!
//! The asker here is the reference for what the plan promises. The bootloader
//! has its own, which also retries and keeps time.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use unilk_board_db::{PanelRow, Plan, Term, panel, panels, plan};

/// A panel that answers what one of its row's IDs says, and zeros to
/// everything else and to registers that are locked.
struct Simulated {
    /// On a bus of the LCD controller.
    dbi: bool,
    answers: BTreeMap<u16, BTreeMap<u8, u8>>,
}

impl Simulated {
    fn new(row: &PanelRow, id: &[Term]) -> Self {
        let mut answers: BTreeMap<u16, BTreeMap<u8, u8>> = BTreeMap::new();
        for term in id {
            if let Term::Answer {
                question,
                byte,
                value,
                ..
            } = *term
            {
                answers.entry(question).or_default().insert(byte, value);
            }
        }
        Self {
            dbi: row.bus.is_dbi(),
            answers,
        }
    }

    /// The answer, when the panel is in the state of `stage`.
    fn read(&self, plan: &Plan, question: u16, stage: Option<u8>) -> Vec<u8> {
        let asked = plan.questions[usize::from(question)];
        let open =
            Some(asked.stage) == stage || plan.stages[usize::from(asked.stage)].unlock.is_empty();
        (0..asked.len)
            .map(|byte| match self.answers.get(&question) {
                Some(bytes) if open => bytes.get(&byte).copied().unwrap_or(0),
                _ => 0,
            })
            .collect()
    }
}

#[derive(Default)]
struct Outcome {
    answers: BTreeMap<u16, Vec<u8>>,
    resets: usize,
}

enum State {
    Refuted,
    /// Bits that agree, questions that are open.
    Possible(u32, BTreeSet<u16>),
}

/// How an ID stands. Pins and voltages are taken to fit: they cost no read.
fn state(id: &[Term], outcome: &Outcome) -> State {
    let mut bits = 0;
    let mut open = BTreeSet::new();
    for term in id {
        if let Term::Answer {
            question,
            byte,
            mask,
            value,
        } = *term
        {
            match outcome.answers.get(&question) {
                None => {
                    open.insert(question);
                }
                Some(answer) if answer[usize::from(byte)] & mask == value => {
                    bits += mask.count_ones();
                }
                Some(_) => return State::Refuted,
            }
        }
    }
    State::Possible(bits, open)
}

/// Whether an answer could still change anything. Once two bytes agree there
/// is one controller, and only IDs that agree so far count; after one byte the
/// rest of the stage is asked as well.
fn wanted(outcome: &Outcome, question: u16, entered: bool) -> bool {
    let (mut any, mut partial, mut sure) = (false, false, 0);
    for row in panels() {
        let (mut confirmed, mut asks, mut agrees) = (false, false, false);
        for id in row.ids {
            if let State::Possible(bits, open) = state(id, outcome) {
                if open.is_empty() && bits > 0 {
                    confirmed = true;
                    sure = sure.max(bits);
                }
                asks |= open.contains(&question);
                agrees |= open.contains(&question) && bits > 0;
            }
        }
        any |= asks && !confirmed;
        partial |= agrees && !confirmed;
    }
    match sure {
        0 => any,
        16.. => partial,
        _ => partial || (any && entered),
    }
}

fn identify(panel: &Simulated) -> Outcome {
    let plan = plan();
    let mut outcome = Outcome::default();
    let mut last = None;
    for stage in 0..plan.stages.len() as u8 {
        if plan.stages[usize::from(stage)].dbi != panel.dbi {
            continue;
        }
        let mut entered = false;
        for question in 0..plan.questions.len() as u16 {
            if plan.questions[usize::from(question)].stage != stage
                || !wanted(&outcome, question, entered)
            {
                continue;
            }
            if !entered {
                outcome.resets += usize::from(plan.reset_between(last, stage));
                last = Some(stage);
                entered = true;
            }
            let answer = panel.read(plan, question, Some(stage));
            outcome.answers.insert(question, answer);
        }
    }
    outcome
}

fn fits(row: &PanelRow, outcome: &Outcome) -> bool {
    row.ids
        .iter()
        .any(|id| matches!(state(id, outcome), State::Possible(_, open) if open.is_empty()))
}

/// Whether answers speak for it, not pins alone.
fn answers_fit(row: &PanelRow, outcome: &Outcome) -> bool {
    row.ids.iter().any(
        |id| matches!(state(id, outcome), State::Possible(bits, open) if bits > 0 && open.is_empty()),
    )
}

/// Every row once for each of its IDs; a row without any is silent.
fn cases() -> Vec<(&'static PanelRow, Simulated)> {
    panels()
        .iter()
        .flat_map(|row| {
            let ids: &[&[Term]] = if row.ids.is_empty() { &[&[]] } else { row.ids };
            ids.iter().map(move |id| (row, Simulated::new(row, id)))
        })
        .collect()
}

#[test]
fn reads_and_resets_stay_within_the_bounds() {
    let mut reads = Vec::new();
    let mut by_row: BTreeMap<&str, usize> = BTreeMap::new();
    for (row, simulated) in cases() {
        let outcome = identify(&simulated);
        assert!(
            outcome.answers.len() <= 22,
            "{}: {}",
            row.id,
            outcome.answers.len()
        );
        assert!(outcome.resets <= 5, "{}: {}", row.id, outcome.resets);
        let worst = by_row.entry(row.id).or_default();
        *worst = (*worst).max(outcome.answers.len());
    }
    reads.extend(by_row.values().copied());
    reads.sort_unstable();
    let median = reads[reads.len() / 2];
    println!(
        "{} panels: median {median}, worst {} reads",
        reads.len(),
        reads.last().unwrap()
    );
    assert!(median <= 8, "{median}");
}

#[test]
fn a_panel_that_answers_is_among_those_that_fit() {
    for (row, simulated) in cases() {
        let outcome = identify(&simulated);
        assert_eq!(
            fits(row, &outcome),
            !row.ids.is_empty(),
            "{}: {:x?}",
            row.id,
            outcome.answers
        );
    }
}

#[test]
fn panels_of_other_makers_are_ruled_out() {
    let ilitek = panel("ili9806e-6572-dsi-vdo").unwrap();
    let outcome = identify(&Simulated::new(ilitek, ilitek.ids[0]));
    let others = panels().iter().filter(|row| answers_fit(row, &outcome));
    for other in others {
        assert!(other.controller.starts_with("ili9806"), "{}", other.id);
    }
    assert_eq!(outcome.resets, 0, "what most panels need is asked first");
}

#[test]
fn stages_stand_by_maker_and_questions_by_stage() {
    let plan = plan();
    assert!(plan.stages[0].unlock.is_empty() && !plan.stages[0].reset);
    assert!(plan.stages.is_sorted_by_key(|stage| stage.dbi));
    let order: Vec<u8> = plan.questions.iter().map(|asked| asked.stage).collect();
    assert!(order.is_sorted(), "{order:?}");
    let maker = |stage: usize| plan.stages[stage].name.split(' ').next().unwrap();
    for stage in 2..plan.stages.len() {
        if plan.stages[stage - 1].unlock.is_empty() || plan.stages[stage].unlock.is_empty() {
            continue;
        }
        // Keys of unknown makers are never taken for one maker's.
        let changes = maker(stage) != maker(stage - 1) || maker(stage) == "other";
        assert_eq!(
            plan.stages[stage].reset, changes,
            "{}",
            plan.stages[stage].name
        );
    }
    let mut seen = BTreeSet::new();
    for asked in plan.questions {
        assert!(seen.insert((asked.stage, asked.register)), "asked twice");
        assert!((1..=10).contains(&asked.len));
    }
}

#[test]
fn no_question_is_idle() {
    let mut used = BTreeSet::new();
    for id in panels().iter().flat_map(|row| row.ids) {
        for term in *id {
            if let Term::Answer { question, byte, .. } = *term {
                used.insert(question);
                assert!(byte < plan().questions[usize::from(question)].len);
            }
        }
    }
    assert_eq!(used.len(), plan().questions.len());
}

#[test]
fn a_skipped_stage_leaves_its_reset_to_the_next() {
    let plan = plan();
    let himax: Vec<u8> = (0..plan.stages.len() as u8)
        .filter(|&n| plan.stages[usize::from(n)].name.starts_with("himax"))
        .collect();
    let (first, second) = (himax[0], himax[1]);
    assert!(!plan.stages[usize::from(second)].reset);
    assert!(plan.reset_between(Some(1), second), "the first was skipped");
    assert!(!plan.reset_between(Some(first), second));
    assert!(!plan.reset_between(None, second), "nothing was sent yet");
    assert!(!plan.reset_between(Some(0), second), "only reads were sent");
}

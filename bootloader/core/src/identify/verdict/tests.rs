//! Verdicts on tables of a few rows.
#![allow(clippy::unwrap_used)]
use super::super::RowSet;
use super::super::evidence::likely_board;
use super::super::panel::Answer;
use super::super::store::How;
use super::super::testing::{leak, panel, panels};
use super::*;
use std::vec::Vec;
use unilk_board_db::{Backlight, Board, Keys, PanelRow, Plan, Term};

const ID: &[&[Term]] = &[&[Term::Answer {
    question: 0,
    byte: 0,
    mask: 0xFF,
    value: 0x98,
}]];
const OTHER: &[&[Term]] = &[&[Term::Answer {
    question: 0,
    byte: 0,
    mask: 0xFF,
    value: 0x55,
}]];
static PLAN: Plan = Plan {
    stages: &[],
    questions: &[],
};

fn rows() -> [PanelRow; 5] {
    let mut rows = [
        panel("a", ID),
        panel("b", ID),
        panel("c", OTHER),
        panel("d", ID),
        panel("mute", &[]),
    ];
    rows[1].shipped = 9;
    rows[3].shipped = 30;
    rows[1].width = 320;
    rows
}

fn table() -> Table {
    let keys = Keys {
        volume_up: None,
        volume_down: None,
        recovery: None,
        factory: None,
    };
    let board = Board {
        id: "board",
        keys,
        wiring: "",
        backlight: Backlight::Isink,
        panels: &[0, 2, 999],
        touch: &["ft"],
        cameras: [&["ov"], &["gc"]],
    };
    Table {
        boards: leak(&[board]),
        ..panels(&rows(), &PLAN)
    }
}

fn answer(byte: u8) -> Findings {
    let mut found = Findings::default();
    found.add(Answer::of(0, &[byte]));
    found
}

fn rows_of(verdict: &PanelVerdict) -> Vec<u16> {
    verdict
        .candidates
        .iter()
        .map(|candidate| candidate.row)
        .collect()
}

#[test]
fn panels_that_answer_alike_are_a_guess_for_a_person() {
    let verdict = decide(&table(), &Evidence::NONE, answer(0x98));
    // The most common first, its like beside it, the mute one last.
    assert_eq!(rows_of(&verdict), [3, 0, 1, 4]);
    assert_eq!(
        (verdict.winner, verdict.certainty),
        (Some(3), Certainty::Guess)
    );
    assert!(verdict.ask);
    assert_eq!(verdict.contenders().len(), 3);
    assert_eq!(verdict.note, None);
}

#[test]
fn weaker_evidence_decides_between_those_that_are_left() {
    let evidence = Evidence {
        touch: Some("ft"),
        cameras: [None, Some("gc")],
        ..Evidence::NONE
    };
    let verdict = decide(&table(), &evidence, answer(0x98));
    assert_eq!(
        (verdict.winner, verdict.certainty),
        (Some(0), Certainty::Likely)
    );
    assert!(!verdict.ask);
    let reasons: Vec<_> = verdict.candidates[0].reasons.names().collect();
    assert_eq!(reasons, ["id", "touch", "sub-camera", "together"]);
    // Never against what the panel says of itself.
    let verdict = decide(&table(), &evidence, answer(0x55));
    assert_eq!(
        (verdict.winner, verdict.certainty),
        (Some(2), Certainty::Certain)
    );
}

#[test]
fn the_kernels_names_decide_with_certainty() {
    let evidence = Evidence {
        kernel: [1, 2].into_iter().collect(),
        ..Evidence::NONE
    };
    let verdict = decide(&table(), &evidence, answer(0x98));
    assert_eq!(
        (verdict.winner, verdict.certainty),
        (Some(1), Certainty::Certain)
    );
}

#[test]
fn a_hint_is_confirmed_or_overruled_by_the_id() {
    let evidence = Evidence {
        hinted: [0].into_iter().collect::<RowSet>(),
        ..Evidence::NONE
    };
    let verdict = decide(&table(), &evidence, answer(0x98));
    assert_eq!(
        (verdict.winner, verdict.certainty),
        (Some(0), Certainty::Confirmed)
    );
    let verdict = decide(&table(), &evidence, answer(0x55));
    assert_eq!(verdict.winner, Some(2));
    assert!(!rows_of(&verdict).contains(&0));
}

#[test]
fn what_answers_on_one_bus_is_on_no_other() {
    let mut rows = rows();
    rows[3].bus = PanelBus::Dpi;
    rows[4].bus = PanelBus::Dpi;
    let table = panels(&rows, &PLAN);
    let verdict = decide(&table, &Evidence::NONE, answer(0x98));
    assert_eq!(rows_of(&verdict), [1, 0]);
    let mut on_bus = answer(0x98);
    on_bus.dbi = true;
    let verdict = decide(&table, &Evidence::NONE, on_bus);
    assert_eq!(verdict.note, Some(PanelNote::Unknown), "{verdict:?}");
}

#[test]
fn a_dpi_panel_wins_only_where_this_phone_names_it_and_is_refused() {
    let mut rows = rows();
    rows[4].bus = PanelBus::Dpi;
    let table = panels(&rows, &PLAN);
    let silent = decide(&table, &Evidence::NONE, Findings::default());
    assert!(!rows_of(&silent).contains(&4));
    let evidence = Evidence {
        hinted: [4].into_iter().collect(),
        ..Evidence::NONE
    };
    let verdict = decide(&table, &evidence, Findings::default());
    assert_eq!(
        (verdict.winner, verdict.note, verdict.ask),
        (Some(4), Some(PanelNote::Undriven), false)
    );
}

#[test]
fn a_persons_choice_stands_with_a_warning() {
    let evidence = Evidence {
        stored: Some((2, How::Person)),
        hinted: [0].into_iter().collect(),
        ..Evidence::NONE
    };
    let verdict = decide(&table(), &evidence, answer(0x98));
    assert_eq!(
        (verdict.winner, verdict.certainty),
        (Some(2), Certainty::Confirmed)
    );
    assert_eq!(verdict.note, Some(PanelNote::Contradicted));
    // What was only identified does not stand against an answer.
    let evidence = Evidence {
        stored: Some((2, How::Identified)),
        ..Evidence::NONE
    };
    let verdict = decide(&table(), &evidence, answer(0x98));
    assert_eq!(verdict.winner, Some(3));
}

#[test]
fn without_a_panel_only_the_phone_itself_can_name_one() {
    let verdict = decide(&table(), &Evidence::NONE, Findings::default());
    assert_eq!((verdict.winner, verdict.certainty), (None, Certainty::None));
    assert_eq!(verdict.note, Some(PanelNote::Silent));
    assert!(!verdict.ask, "nobody could see an answer");
    let evidence = Evidence {
        hinted: [1].into_iter().collect(),
        ..Evidence::NONE
    };
    let verdict = decide(&table(), &evidence, Findings::default());
    assert_eq!(
        (verdict.winner, verdict.certainty),
        (Some(1), Certainty::Certain)
    );
}

#[test]
fn a_panel_that_no_row_knows_is_said_to_be_new() {
    let verdict = decide(&table(), &Evidence::NONE, answer(0x12));
    assert_eq!(
        rows_of(&verdict),
        [4],
        "the one that cannot be read is left"
    );
    assert_eq!(verdict.note, Some(PanelNote::Unknown));
    assert_eq!(verdict.certainty, Certainty::Guess);
}

#[test]
fn a_panel_that_says_only_zeros_is_none_that_can_be_read() {
    let verdict = decide(&table(), &Evidence::NONE, answer(0x00));
    assert_eq!(rows_of(&verdict), [4]);
    assert_eq!(verdict.note, Some(PanelNote::Suspicious));
}

#[test]
fn a_touch_chip_alone_proves_no_panel() {
    let board = Board {
        panels: &[4],
        touch: &["ft"],
        ..table().boards[0]
    };
    let table = boards(&[board]);
    let evidence = Evidence {
        touch: Some("ft"),
        ..Evidence::NONE
    };
    let verdict = decide(&table, &evidence, Findings::default());
    assert_eq!(
        (verdict.winner, verdict.certainty, verdict.ask),
        (Some(4), Certainty::Guess, false)
    );
    // That this board has it does.
    let evidence = Evidence {
        board: table.boards.first(),
        ..evidence
    };
    let verdict = decide(&table, &evidence, Findings::default());
    assert_eq!(verdict.certainty, Certainty::Likely);
}

const WITH_VOLTAGE: &[&[Term]] = &[&[
    ID[0][0],
    Term::Voltage {
        channel: 0,
        from_mv: 300,
        to_mv: 500,
    },
]];

#[test]
fn a_voltage_is_strong_on_known_wiring_and_weak_on_unknown() {
    let mut rows = rows();
    rows[0].ids = WITH_VOLTAGE;
    let table = Table {
        panels: leak(&rows),
        ..table()
    };
    let judge = |mv, known_wiring: bool, touch| {
        let mut found = answer(0x98);
        found.own = known_wiring.then_some(RowSet::first(5));
        found.voltages.push((0, mv)).unwrap();
        let evidence = Evidence {
            touch,
            ..Evidence::NONE
        };
        let verdict = decide(&table, &evidence, found);
        (verdict.winner, verdict.certainty)
    };
    assert_eq!(judge(Some(400), true, None), (Some(0), Certainty::Certain));
    assert_eq!(judge(Some(400), false, None), (Some(0), Certainty::Likely));
    // Contradicted or not read, it stands beside those without a voltage.
    assert_eq!(judge(Some(900), false, None), (Some(3), Certainty::Guess));
    assert_eq!(judge(None, true, None), (Some(3), Certainty::Guess));
    // Weaker than a chip that was found; refuted only where it is known.
    let ft = Some("ft");
    assert_eq!(judge(Some(900), false, ft), (Some(0), Certainty::Likely));
    assert_eq!(judge(Some(900), true, ft), (Some(3), Certainty::Guess));
}

fn boards(sets: &[Board]) -> Table {
    Table {
        boards: leak(sets),
        ..table()
    }
}

#[test]
fn a_board_that_has_everything_beats_hits_on_several() {
    let one = table().boards[0];
    let part = |id, panels, touch, cameras| Board {
        id,
        panels,
        touch,
        cameras,
        ..one
    };
    // "b" was seen with each chip, but on different boards.
    let apart = [
        part("x", &[1], &["ft"], [&[], &[]]),
        part("y", &[1], &[], [&["ov"], &[]]),
        part("z", &[1], &[], [&[], &["gc"]]),
    ];
    let table = boards(&[one, apart[0], apart[1], apart[2]]);
    let evidence = Evidence {
        touch: Some("ft"),
        cameras: [Some("ov"), Some("gc")],
        ..Evidence::NONE
    };
    let verdict = decide(&table, &evidence, answer(0x98));
    assert_eq!(
        (verdict.winner, verdict.certainty),
        (Some(0), Certainty::Likely)
    );
    assert!(verdict.candidates[0].reasons.contains(Reasons::TOGETHER));
    let board = likely_board(&table, &evidence, &verdict);
    assert_eq!(board.map(|board| board.id), Some("board"));
    // A chip that none of the boards has: they were not sold together.
    let evidence = Evidence {
        touch: Some("other"),
        ..evidence
    };
    let verdict = decide(&table, &evidence, answer(0x98));
    assert_eq!(verdict.winner, Some(1), "the more common of two");
    assert_eq!(likely_board(&table, &evidence, &verdict), None);
}

#[test]
fn a_board_is_inferred_only_where_one_fits_best() {
    let one = table().boards[0];
    let evidence = Evidence {
        touch: Some("ft"),
        cameras: [Some("ov"), None],
        ..Evidence::NONE
    };
    let infer = |sets: &[Board], evidence: &Evidence<'_>, found| {
        let table = boards(sets);
        let verdict = decide(&table, evidence, found);
        likely_board(&table, evidence, &verdict).map(|board| board.id)
    };
    let twin = Board { id: "twin", ..one };
    assert_eq!(infer(&[one], &evidence, answer(0x98)), Some("board"));
    assert_eq!(infer(&[one, twin], &evidence, answer(0x98)), None);
    // One with this panel beats one with this controller.
    let near = Board {
        panels: &[3],
        ..twin
    };
    assert_eq!(infer(&[near, one], &evidence, answer(0x55)), Some("board"));
    let none = Board {
        panels: &[],
        ..twin
    };
    assert_eq!(infer(&[none], &evidence, answer(0x55)), None);
    // The touch chip alone is on too many boards.
    let touch = Evidence {
        cameras: [None; 2],
        ..evidence
    };
    assert_eq!(infer(&[one], &touch, Findings::default()), None);
    assert_eq!(infer(&[one], &touch, answer(0x55)), Some("board"));
}

#[test]
fn the_report_names_those_that_matter() {
    use super::super::report::{Builder, Report, Shared};
    let mut many: Vec<_> = (0..30).map(|_| panel("a-panel", &[])).collect();
    many.extend(rows());
    let told = |evidence: &Evidence<'_>, found| {
        let table = panels(&many, &PLAN);
        let mut room = [0; 4096];
        let log = Shared::new(Builder::new(&mut room));
        decide(&table, evidence, found).record(&table, &log, 0);
        let data = log.into_inner().finish().to_vec();
        let report = Report::parse(&data).unwrap();
        let candidates = report
            .records()
            .filter(|record| record.kind == Kind::Candidate);
        candidates.count()
    };
    // Those without any ground are not named.
    assert_eq!(told(&Evidence::NONE, answer(0x98)), 3);
    let evidence = Evidence {
        kernel: (0..20).collect(),
        hinted: [32].into_iter().collect(),
        ..Evidence::NONE
    };
    assert_eq!(told(&evidence, answer(0x55)), 1 + MORE_TOLD);
}

#[test]
fn the_list_is_capped_and_counts_the_rest() {
    let many: Vec<_> = (0..40)
        .map(|number| {
            let mut row = panel("many", ID);
            row.shipped = number;
            row
        })
        .collect();
    let table = panels(&many, &PLAN);
    let verdict = decide(&table, &Evidence::NONE, answer(0x98));
    assert_eq!((verdict.candidates.len(), verdict.further), (24, 16));
    assert_eq!(verdict.winner, Some(32), "the first of the most common");
}

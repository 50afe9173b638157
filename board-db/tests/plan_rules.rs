//! How the build script makes a plan out of a few rows.
#![allow(clippy::unwrap_used, dead_code, unused_imports, missing_docs)]

#[path = "../build/source/mod.rs"]
mod source;

use source::Place;
use source::buses::Bus;
use source::ids::{Id, IdToml};
use source::plan::{Plan, Planned, Row, make};

fn id(controller: &str, unlock: &[&str], read: &str, term: &str) -> Id {
    let strings = |list: &[&str]| list.iter().map(ToString::to_string).collect();
    let toml = IdToml {
        unlock: strings(unlock),
        reads: strings(&[read]),
        terms: strings(&[term]),
    };
    toml.compile(Place::new("panels", "p"), controller, &Bus::Dsi)
        .unwrap()
}

fn plan(rows: &[(&str, Vec<Id>)]) -> Plan {
    let rows: Vec<Row<'_>> = rows
        .iter()
        .map(|(controller, ids)| Row {
            controller,
            dbi: false,
            shipped: 1,
            ids,
        })
        .collect();
    make(&rows)
}

/// Registers by stage.
fn asked(plan: &Plan) -> Vec<(usize, u16, u8)> {
    plan.questions
        .iter()
        .map(|question| (question.stage, question.register, question.len))
        .collect()
}

const NOVATEK: &str = "39 F0 55 AA 52 08 01";
const HIMAX: &str = "39 B9 FF 83 79";

#[test]
fn equal_registers_become_one_question_as_long_as_the_longest() {
    // The data type of a key does not make it another one.
    let plan = plan(&[
        (
            "nt35510",
            vec![id("nt35510", &[NOVATEK], "C5 2", "C5[0]=55")],
        ),
        (
            "nt35517",
            vec![id("nt35517", &["29 F0 55 AA 52 08 01"], "C5 3", "C5[1]=17")],
        ),
        (
            "rm68172",
            vec![id("rm68172", &[NOVATEK], "C5 1", "C5[0]=72")],
        ),
    ]);
    assert_eq!(asked(&plan), [(0, 0xC5, 3)]);
    assert_eq!(plan.stages[0].name, "novatek F0 55 AA 52 08 01");
}

#[test]
fn standard_registers_are_read_first_whatever_was_unlocked() {
    let plan = plan(&[
        ("hx8379c", vec![id("hx8379c", &[HIMAX], "04 3", "04[0]=83")]),
        ("hx8379a", vec![id("hx8379a", &[HIMAX], "F4 2", "F4[0]=79")]),
        ("otm8018b", vec![id("otm8018b", &[], "A1 5", "A1[3]=09")]),
    ]);
    assert_eq!(plan.stages.len(), 2);
    assert!(plan.stages[0].unlock.is_empty());
    assert_eq!(asked(&plan), [(0, 0x04, 3), (0, 0xA1, 5), (1, 0xF4, 2)]);
}

#[test]
fn a_free_register_joins_the_key_of_its_own_maker_only() {
    let keyed = (
        "ili9806c",
        vec![id("ili9806c", &["39 FF FF 98 16"], "D3 3", "D3[2]=16")],
    );
    let joined = plan(&[
        ("ili9488", vec![id("ili9488", &[], "D3 4", "D3[2]=88")]),
        keyed.clone(),
    ]);
    assert_eq!(asked(&joined), [(0, 0xD3, 4)]);
    let apart = plan(&[
        ("nt35310", vec![id("nt35310", &[], "D3 4", "D3[2]=88")]),
        keyed,
    ]);
    assert_eq!(asked(&apart), [(0, 0xD3, 4), (1, 0xD3, 3)]);
}

#[test]
fn the_maker_of_most_panels_comes_first_and_others_need_a_reset() {
    let himax = || ("hx8379a", vec![id("hx8379a", &[HIMAX], "F4 2", "F4[0]=79")]);
    let other = ("xx1", vec![id("xx1", &["29 F2 11 22"], "E0 1", "E0[0]=42")]);
    let plan = plan(&[
        (
            "nt35510",
            vec![id("nt35510", &[NOVATEK], "C5 2", "C5[0]=55")],
        ),
        himax(),
        himax(),
        (
            "hx8369",
            vec![id("hx8369", &["39 B9 FF 83 69"], "F4 2", "F4[0]=69")],
        ),
        other,
    ]);
    let stages: Vec<_> = plan
        .stages
        .iter()
        .map(|stage| (stage.name.as_str(), stage.reset))
        .collect();
    assert_eq!(
        stages[..2],
        [("himax B9 FF 83 79", false), ("himax B9 FF 83 69", false)]
    );
    // A maker that nobody knows gets a stage of its own and no Rust.
    assert!(stages[2..].iter().all(|(_, reset)| *reset));
    assert!(stages.contains(&("other F2 11 22", true)));
    assert_eq!(
        plan.ids[0][0],
        [Planned::Answer {
            question: plan
                .questions
                .iter()
                .position(|question| question.register == 0xC5)
                .unwrap(),
            byte: 0,
            mask: 0xFF,
            value: 0x55
        }]
    );
}

//! What the table holds: enough of everything, and nothing that it must not.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use unilk_board_db::{
    LaneFormat, OP_WORDS, PanelBus, PanelMode, PanelReset, Step, Term, boards, camera, cameras,
    panels, touch, touch_chips, wiring, wirings,
};

/// Name of a controller without its variant: `ili9806e` and `ili9806c` are two.
fn controllers() -> BTreeSet<&'static str> {
    panels().iter().map(|row| row.controller).collect()
}

#[test]
fn panels_of_many_controllers_and_kinds() {
    assert!(panels().len() >= 48, "{}", panels().len());
    assert!(controllers().len() >= 12, "{:?}", controllers());
    for lanes in 1..=3 {
        assert!(
            panels().iter().any(|row| row.lanes == lanes),
            "{lanes} lanes"
        );
    }
    for mode in [
        PanelMode::Command,
        PanelMode::SyncPulse,
        PanelMode::SyncEvent,
        PanelMode::Burst,
    ] {
        assert!(panels().iter().any(|row| row.mode == mode), "{mode:?}");
    }
    for size in [(240, 320), (320, 480), (480, 800), (480, 854), (540, 960)] {
        let there = panels().iter().any(|row| (row.width, row.height) == size);
        assert!(there, "{size:?}");
    }
    assert!(
        panels()
            .iter()
            .any(|row| row.format == LaneFormat::Rgb666Packed)
    );
    let silent = panels().iter().filter(|row| row.ids.is_empty()).count();
    assert!(silent >= 6, "{silent} without an ID");
    let has = |wanted: fn(&Term) -> bool| {
        panels()
            .iter()
            .filter(|row| row.ids.iter().any(|id| id.iter().any(wanted)))
            .count()
    };
    assert!(has(|term| matches!(term, Term::Strap { .. })) >= 8);
    assert!(has(|term| matches!(term, Term::Voltage { .. })) >= 3);
}

/// They are put together from the driver's names.
#[test]
fn every_panel_has_the_name_of_its_file() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/data/panels");
    let files = std::fs::read_dir(folder).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let names: BTreeSet<String> = names.collect();
    let ids = panels().iter().map(|row| format!("{}.toml", row.id));
    assert_eq!(names, ids.collect());
    for row in panels() {
        assert!(row.names.iter().all(|name| !name.is_empty()), "{}", row.id);
        assert!(!row.names.is_empty(), "{}", row.id);
    }
}

#[test]
fn several_groups_answer_alike() {
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    for row in panels() {
        let mut answers: Vec<_> = row
            .ids
            .first()
            .into_iter()
            .flat_map(|id| id.iter())
            .filter(|term| matches!(term, Term::Answer { .. }))
            .map(|term| format!("{term:?}"))
            .collect();
        answers.sort();
        if !answers.is_empty() {
            *groups.entry(answers.join(" ")).or_default() += 1;
        }
    }
    let large = groups.values().filter(|&&count| count >= 3).count();
    assert!(large >= 4, "{groups:?}");
}

#[test]
fn every_initialisation_wakes_the_panel_and_lights_it() {
    let mut room = vec![0; unilk_board_db::UNPACK_BYTES];
    for row in panels().iter().filter(|row| row.bus != PanelBus::Dpi) {
        let commands: Vec<u8> = row
            .init
            .unpack(&mut room)
            .unwrap()
            .filter_map(|step| match step {
                Step::Write { data_type, payload } => match payload {
                    // Wide registers: the command is the upper byte.
                    [command, 0, ..] if data_type == OP_WORDS => Some(*command),
                    _ if data_type == OP_WORDS => None,
                    _ => payload.first().copied(),
                },
                _ => None,
            })
            .collect();
        // Three drivers send display-on first, which the standard allows; the
        // EK79007 is awake after its reset.
        let wakes = commands.contains(&0x11) || row.controller == "ek79007";
        assert!(wakes, "{}: no sleep-out", row.id);
        assert!(commands.contains(&0x29), "{}: no display-on", row.id);
        assert!(!commands.contains(&0x2C), "{}: sends pixels", row.id);
        assert!(!row.power_down.is_empty(), "{}", row.id);
        assert!(row.reset.last().unwrap().high, "{}", row.id);
    }
}

#[test]
fn touch_chips_of_many_families_in_a_safe_order() {
    let families: BTreeSet<_> = touch_chips().iter().map(|chip| chip.family).collect();
    assert!(
        touch_chips().len() >= 80 && families.len() >= 30,
        "{families:?}"
    );
    // Harmless probes, then those that write, then those that say little.
    let risk: Vec<_> = touch_chips()
        .iter()
        .map(|chip| (chip.weak, chip.intrusive))
        .collect();
    assert!(risk.is_sorted(), "{risk:?}");
    let at = |id| touch_chips().iter().position(|chip| chip.id == id).unwrap();
    // facts/i2c-touch-camera.md 3.2
    assert!(at("icn83xx") < at("gsl168x"));
    assert!(at("ft6x06") < at("s7020") && at("s7020") < at("focaltech"));
    assert!(at("gt911") < at("gt9xx"));
    let writers = ["msg2133a", "gsl168x", "zinitix-bt4xx", "s2202", "cst3xx"];
    // Sensors share these addresses (facts 3.3).
    let shared = ["fts2a052", "lu201x", "mit200", "mxt224s"];
    for id in writers.into_iter().chain(shared) {
        assert!(touch(id).unwrap().intrusive, "{id}");
    }
    // One FIFO of the I2C block.
    for step in touch_chips().iter().flat_map(|chip| chip.probe) {
        assert!(step.write.len() <= 8 && step.read_len <= 8);
    }
}

#[test]
fn cameras_of_both_kinds_8_bit_parts_first() {
    assert!(cameras().len() >= 190, "{}", cameras().len());
    let widths: Vec<_> = cameras().iter().map(|row| row.address_bytes).collect();
    assert!(widths.is_sorted());
    assert!(widths.contains(&1) && widths.contains(&2));
    assert!(cameras().iter().any(|row| !row.prelude.is_empty()));
    let same = |a: &str, b: &str| {
        let (a, b) = (camera(a).unwrap(), camera(b).unwrap());
        (a.addresses, a.registers, a.values) == (b.addresses, b.registers, b.values)
    };
    assert!(same("ov2655", "ov2659") && same("ov2659", "ov2675") && same("hi704", "hi708"));
    assert!(camera("hi257").unwrap().weak && !camera("ov5645").unwrap().weak);
}

#[test]
fn boards_and_profiles_agree() {
    assert!(boards().len() >= 20 && wirings().len() >= 6);
    for board in boards() {
        let profile = wiring(board.wiring).unwrap();
        assert!(profile.shipped > 0, "{}", profile.id);
        for id in board.touch {
            assert!(touch(id).is_some(), "{id}");
        }
        for id in board.cameras.iter().copied().flatten() {
            assert!(camera(id).is_some(), "{id}");
        }
    }
    // The commonest profile is the one to try on an unknown board.
    let generic = wiring("generic").unwrap();
    assert!(matches!(generic.panel.reset, PanelReset::Lrstb(pin) if pin.pin == 59));
    let jrd = wiring("jrd").unwrap();
    assert_eq!(jrd.panel.straps, [18, 19]);
    assert_eq!(jrd.touch.unwrap().enable, Some(22));
}

#[test]
fn panels_that_the_same_board_tells_by_its_pins() {
    let ids = |id: &str| unilk_board_db::panel(id).unwrap().ids;
    let strap = |id: &str, index, high| {
        let term = Term::Strap { index, high };
        ids(id).iter().any(|terms| terms.contains(&term))
    };
    assert!(strap("hx8357d-6572-soul3p5", 0, false) && strap("hx8357d-6572-soul3p5", 1, false));
    assert!(strap("ili9488-6572-soul3p5", 0, true) && strap("ili9488-6572-soul3p5", 1, false));
    assert!(strap("nt35310-6572-soul3p5", 0, true) && strap("nt35310-6572-soul3p5", 1, true));
}

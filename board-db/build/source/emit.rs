//! The Rust text of the table. What rows refer to is stored once ([`Pools`]).

use crate::source::Problem;
use crate::source::boards::{
    BacklightToml, BoardToml, BusToml, CameraWiringToml, KeysToml, PinToml, ResetToml, SupplyToml,
    WiringToml,
};
use crate::source::panel_rows;
use crate::source::panels::Panel;
use crate::source::parts::{CameraToml, ExpectToml, ExtraToml, StepToml, TouchToml};
use crate::source::plan::Plan;
use crate::source::pools::Pools;
use std::fmt::Write;

/// Rows in order of their file names, where nothing else is said.
pub type Rows<T> = [(String, T)];

/// All rows, checked.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a> {
    pub panels: &'a Rows<Panel>,
    pub plan: &'a Plan,
    /// Of each panel.
    pub clusters: &'a [u16],
    /// In the order in which to probe chips at one address.
    pub touch: &'a Rows<TouchToml>,
    pub cameras: &'a Rows<CameraToml>,
    pub wirings: &'a Rows<WiringToml>,
    pub boards: &'a Rows<BoardToml>,
}

/// The Rust text of the table. Writing to a `String` cannot fail, here and
/// below.
pub fn emit(table: Table<'_>) -> Result<String, Problem> {
    let mut pools = Pools::default();
    let mut out = String::new();
    panel_rows::emit(&mut out, &mut pools, &table)?;
    emit_plan(&mut out, &mut pools, table.plan);
    // Writing to a `String` cannot fail.
    let _ = writeln!(
        out,
        "pub static CLUSTERS: [u16; {}] = {:?};",
        table.clusters.len(),
        table.clusters
    );
    list(&mut out, "TOUCH", "TouchRow", table.touch, |(id, chip)| {
        touch_row(&mut pools, id, chip)
    });
    // 8-bit parts of an address first, harmless before those that need writes.
    // Equal writes stand together, and after fewer to the same registers: then
    // they are sent once, and no reset is needed to undo others.
    let mut cameras: Vec<_> = table.cameras.iter().collect();
    cameras.sort_by_key(|(_, camera)| {
        let number = camera.prelude.first();
        let number = number.and_then(|write| write.get(..usize::from(camera.address_bytes)));
        (
            camera.address_bytes,
            number,
            camera.prelude.len(),
            &camera.prelude,
            camera.id_bytes() < 2,
        )
    });
    list(&mut out, "CAMERAS", "CameraRow", cameras, |(id, camera)| {
        camera_row(&mut pools, id, camera)
    });
    list(
        &mut out,
        "WIRINGS",
        "Wiring",
        table.wirings,
        |(id, wiring)| {
            let boards = table.boards.iter().filter(|(_, board)| board.wiring == *id);
            wiring_row(&mut pools, id, wiring, boards.count())
        },
    );
    list(&mut out, "BOARDS", "Board", table.boards, |(id, board)| {
        board_row(&mut pools, table.panels, id, board)
    });
    pools.emit(&mut out);
    Ok(out)
}

fn list<T>(
    out: &mut String,
    name: &str,
    kind: &str,
    rows: impl IntoIterator<Item = T>,
    mut row: impl FnMut(T) -> String,
) {
    let rows: Vec<String> = rows.into_iter().map(&mut row).collect();
    let _ = writeln!(out, "pub static {name}: [{kind}; {}] = [", rows.len());
    for row in rows {
        let _ = writeln!(out, "{kind} {{ {row} }},");
    }
    *out += "];\n";
}

/// Maps and joins, in brackets.
fn each<T>(items: impl IntoIterator<Item = T>, text: impl FnMut(T) -> String) -> String {
    let items: Vec<String> = items.into_iter().map(text).collect();
    format!("&[{}]", items.join(", "))
}

fn emit_plan(out: &mut String, pools: &mut Pools, plan: &Plan) {
    let stages = each(&plan.stages, |stage| {
        format!(
            "Stage {{ name: {}, reset: {}, unlock: Script::new({}), dbi: {} }}",
            pools.text(&stage.name),
            stage.reset,
            pools.bytes(&stage.unlock),
            stage.dbi
        )
    });
    let questions = each(&plan.questions, |question| {
        // As the vendor's driver does: facts/panels.md, "Facts about the
        // MT6572 DSI driver".
        let dbi = plan
            .stages
            .get(question.stage)
            .is_some_and(|stage| stage.dbi);
        let kind = match question.len {
            _ if dbi => "Dbi",
            ..3 => "Dcs",
            _ => "Generic",
        };
        format!(
            "Question {{ stage: {}, register: {}, len: {}, kind: ReadKind::{kind} }}",
            question.stage, question.register, question.len
        )
    });
    let _ = writeln!(
        out,
        "pub static PLAN: Plan = Plan {{ stages: {stages}, questions: {questions} }};"
    );
}

fn touch_row(pools: &mut Pools, id: &str, chip: &TouchToml) -> String {
    let extra = |pools: &mut Pools, read: &Option<ExtraToml>| match read {
        Some(ExtraToml { write, len }) => {
            let write = pools.bytes(write);
            format!("Some(ExtraRead {{ write: {write}, len: {len} }})")
        }
        None => "None".into(),
    };
    let mut steps = |steps: &[StepToml]| {
        let steps = steps.iter().map(|step| probe_step(pools, step)).collect();
        pools.slice("PROBE_STEPS", "ProbeStep", steps)
    };
    let (probe, exit) = (steps(&chip.probe), steps(&chip.exit));
    format!(
        "id: {}, name: {}, family: {}, addresses: {}, probe: {probe}, exit: {exit}, \
         intrusive: {}, weak: {}, confidence: Confidence::{:?}, wait_ms: {}, vendor_id: {}, version: {}, compatible: {}, \
         shipped: {}",
        pools.text(id),
        pools.text(&chip.name),
        pools.text(&chip.family),
        pools.bytes(&chip.addresses),
        chip.intrusive,
        chip.weak,
        chip.confidence,
        chip.wait_ms,
        extra(pools, &chip.vendor_id),
        extra(pools, &chip.version),
        pools.some_text(chip.compatible.as_ref()),
        chip.shipped,
    )
}

fn probe_step(pools: &mut Pools, step: &StepToml) -> String {
    let expect = match &step.expect {
        Some(ExpectToml {
            offset,
            mask,
            values,
            invert,
        }) => {
            let len = values.first().map_or(0, Vec::len);
            let mask = mask.clone().unwrap_or_else(|| vec![0xFF; len]);
            format!(
                "Some(Expect {{ offset: {offset}, mask: {}, values: {}, invert: {invert} }})",
                pools.bytes(&mask),
                pools.byte_slices(values)
            )
        }
        None => "None".into(),
    };
    let from = step.write_from.map_or("None".into(), |from| {
        format!(
            "Some(FromAnswer {{ step: {}, byte: {} }})",
            from.step, from.byte
        )
    });
    format!(
        "ProbeStep {{ address: {:?}, write: {}, write_from: {from}, read_len: {}, stop: {}, \
         expect: {expect}, optional: {}, delay_ms: {} }}",
        step.address,
        pools.bytes(&step.write),
        step.read,
        step.stop,
        step.optional,
        step.delay_ms
    )
}

fn camera_row(pools: &mut Pools, id: &str, camera: &CameraToml) -> String {
    let all = u32::MAX >> (32 - 8 * camera.id_bytes());
    format!(
        "id: {}, name: {}, addresses: {}, address_bytes: {}, \
         data_bytes: {}, prelude: {}, prelude_ms: {}, registers: {}, values: {}, mask: {}, weak: {}, confidence: Confidence::{:?}, \
         bus: CameraBus::{:?}, core_mv: {}, runs_with_pdn_high: {:?}, compatible: {}, shipped: {}",
        pools.text(id),
        pools.text(&camera.name),
        pools.bytes(&camera.addresses),
        camera.address_bytes,
        camera.data_bytes,
        pools.byte_slices(&camera.prelude),
        camera.prelude_ms,
        pools.slice("CAMERAS_REGISTERS", "u16", numbers(&camera.registers)),
        pools.slice("CAMERAS_VALUES", "u32", numbers(&camera.values)),
        camera.mask.unwrap_or(all),
        camera.id_bytes() < 2,
        camera.confidence,
        camera.bus,
        camera.core_mv,
        camera.runs_with_pdn_high,
        pools.some_text(camera.compatible.as_ref()),
        camera.shipped,
    )
}

fn numbers<T: ToString>(numbers: &[T]) -> Vec<String> {
    numbers.iter().map(T::to_string).collect()
}

fn pin(PinToml { pin, mode }: PinToml) -> String {
    format!("PinMode {{ pin: {pin}, mode: {mode} }}")
}

fn some_pin(line: Option<PinToml>) -> String {
    line.map_or("None".into(), |line| format!("Some({})", pin(line)))
}

fn supplies(list: &[SupplyToml]) -> String {
    each(list, |SupplyToml { rail, mv }| {
        format!("Supply {{ rail: Rail::{rail:?}, mv: {mv} }}")
    })
}

fn bus(lines: BusToml) -> String {
    format!(
        "BusWiring {{ controller: {}, scl: {}, sda: {} }}",
        lines.controller,
        pin(lines.scl),
        pin(lines.sda)
    )
}

fn backlight(kind: BacklightToml) -> &'static str {
    match kind {
        BacklightToml::Isink => "Isink",
        BacklightToml::Bls => "BlsPwm",
        BacklightToml::Pwm1 => "Pwm(1)",
        BacklightToml::Pwm2 => "Pwm(2)",
        BacklightToml::Pwm3 => "Pwm(3)",
        BacklightToml::Custom => "Custom",
    }
}

fn wiring_row(pools: &mut Pools, id: &str, wiring: &WiringToml, shipped: usize) -> String {
    let panel = &wiring.panel;
    let reset = match panel.reset {
        ResetToml::Lrstb(line) => format!("Lrstb({})", pin(line)),
        ResetToml::Gpio(number) => format!("Gpio({number})"),
    };
    let touch = wiring.touch.as_ref().map_or("None".into(), |touch| {
        format!(
            "Some(TouchWiring {{ bus: {}, reset: {:?}, enable: {:?}, interrupt: {}, eint: {}, \
             supplies: {} }})",
            bus(touch.bus),
            touch.reset,
            touch.enable,
            pin(touch.interrupt),
            touch.eint,
            supplies(&touch.supplies)
        )
    });
    let socket = |camera: Option<CameraWiringToml>| {
        camera.map_or("None".into(), |camera| {
            format!(
                "Some(CameraWiring {{ reset: {}, power_down: {}, runs_with_pdn_high: {:?} }})",
                camera.reset, camera.power_down, camera.runs_with_pdn_high
            )
        })
    };
    format!(
        "id: {}, panel: PanelWiring {{ reset: PanelReset::{reset}, supplies: {}, \
         te: {}, straps: &{:?}, adc: {:?} }}, touch: {touch}, camera_bus: {}, \
         cameras: [{}, {}], backlight: Backlight::{}, backlight_pin: {}, shipped: {shipped}",
        pools.text(id),
        supplies(&panel.supplies),
        some_pin(panel.te),
        panel.straps,
        panel.adc,
        bus(wiring.cameras.bus),
        socket(wiring.cameras.main),
        socket(wiring.cameras.sub),
        backlight(wiring.backlight),
        some_pin(wiring.backlight_pin),
    )
}

/// Row numbers of `ids`, all of which were checked to be there.
fn rows_of<T>(rows: &Rows<T>, ids: &[String]) -> Vec<String> {
    let row = |id: &String| rows.iter().position(|(there, _)| there == id);
    ids.iter()
        .filter_map(row)
        .map(|row| row.to_string())
        .collect()
}

fn board_row(pools: &mut Pools, panels: &Rows<Panel>, id: &str, board: &BoardToml) -> String {
    let KeysToml {
        volume_up,
        volume_down,
        recovery,
        factory,
    } = board.keys;
    format!(
        "id: {}, keys: Keys {{ volume_up: {volume_up:?}, \
         volume_down: {volume_down:?}, recovery: {recovery:?}, factory: {factory:?} }}, \
         wiring: {}, backlight: Backlight::{}, panels: {}, touch: {}, \
         cameras: [{}, {}]",
        pools.text(id),
        pools.text(&board.wiring),
        backlight(board.backlight),
        pools.slice("BOARD_PANELS", "u16", rows_of(panels, &board.panels)),
        pools.texts(&board.touch),
        pools.texts(&board.cameras.main),
        pools.texts(&board.cameras.sub),
    )
}

//! The Rust text of the table. Equal byte sequences are stored once; those of
//! the panels are packed ([`Packed`]).

use crate::source::Problem;
use crate::source::boards::{
    BacklightToml, BoardToml, BusToml, CameraWiringToml, KeysToml, PinToml, ResetToml, SupplyToml,
    WiringToml,
};
use crate::source::ids::Term;
use crate::source::pack::Packed;
use crate::source::panels::{Blanking, Panel, Phy, Rate};
use crate::source::parts::{CameraToml, ExpectToml, ExtraToml, StepToml, TouchToml};
use crate::source::plan::{Plan, Planned};
use std::fmt::Write;

/// Rows in order of their file names, where nothing else is said.
pub type Rows<T> = [(String, T)];

/// Byte sequences, each once.
#[derive(Default)]
struct Pool(Vec<Vec<u8>>);

impl Pool {
    fn name(&mut self, bytes: &[u8]) -> String {
        if bytes.is_empty() {
            return "&[]".into();
        }
        let at = self.0.iter().position(|known| known == bytes);
        let at = at.unwrap_or_else(|| {
            self.0.push(bytes.to_vec());
            self.0.len() - 1
        });
        format!("&BYTES_{at}")
    }
}

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
    let mut pool = Pool::default();
    let mut out = String::new();
    let packed = Packed::new(table.panels)?;
    packed.emit(&mut out);
    list(
        &mut out,
        "PANELS",
        "PanelRow",
        table.panels.iter().enumerate(),
        |(n, (id, panel))| {
            panel_row(
                &packed,
                id,
                panel,
                table.plan.ids.get(n).map_or(&[], |ids| ids),
            )
        },
    );
    emit_plan(&mut out, &mut pool, table.plan);
    // Writing to a `String` cannot fail.
    let _ = writeln!(
        out,
        "pub static CLUSTERS: [u16; {}] = {:?};",
        table.clusters.len(),
        table.clusters
    );
    list(&mut out, "TOUCH", "TouchRow", table.touch, |(id, chip)| {
        touch_row(id, chip)
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
        camera_row(id, camera)
    });
    list(
        &mut out,
        "WIRINGS",
        "Wiring",
        table.wirings,
        |(id, wiring)| {
            let boards = table.boards.iter().filter(|(_, board)| board.wiring == *id);
            wiring_row(id, wiring, boards.count())
        },
    );
    list(&mut out, "BOARDS", "Board", table.boards, |(id, board)| {
        board_row(id, board)
    });
    for (n, bytes) in pool.0.iter().enumerate() {
        let _ = writeln!(out, "static BYTES_{n}: [u8; {}] = {bytes:?};", bytes.len());
    }
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

fn panel_row(packed: &Packed<'_>, id: &str, panel: &Panel, ids: &[Vec<Planned>]) -> String {
    let blanking = |timing: Option<Blanking>| match timing {
        Some(Blanking { sync, back, front }) => {
            format!("Some(Timing {{ sync: {sync}, back: {back}, front: {front} }})")
        }
        None => "None".to_string(),
    };
    let row = &panel.row;
    let rate = match row.rate {
        Rate {
            pll_mhz: Some(mhz), ..
        } => format!("PllMhz({mhz})"),
        Rate {
            div1,
            div2,
            feedback,
            ..
        } => format!(
            "Dividers {{ div1: {}, div2: {}, feedback: {} }}",
            div1.unwrap_or(0),
            div2.unwrap_or(0),
            feedback.unwrap_or(0)
        ),
    };
    let Phy {
        hs_trail,
        hs_zero,
        hs_prepare,
        lpx,
        ta_get,
        ta_sure,
        ta_go,
        clk_trail,
        clk_zero,
        clk_prepare,
    } = row.phy;
    let reset = each(&panel.reset, |(high, ms)| {
        format!("ResetStep {{ high: {high}, ms: {ms} }}")
    });
    format!(
        "id: {id:?}, names: &{:?}, controller: {:?}, compatible: {:?}, width: {}, height: {}, \
         physical_mm: {:?}, bus: PanelBus::{:?}, lanes: {}, mode: PanelMode::{:?}, format: LaneFormat::{:?}, \
         vertical: {}, horizontal: {}, rate: RateSource::{rate}, no_spread: {}, \
         phy: PhyTiming {{ hs_trail: {hs_trail}, hs_zero: {hs_zero}, hs_prepare: {hs_prepare}, \
         lpx: {lpx}, ta_get: {ta_get}, ta_sure: {ta_sure}, ta_go: {ta_go}, \
         clk_trail: {clk_trail}, clk_zero: {clk_zero}, clk_prepare: {clk_prepare} }}, \
         reset: {reset}, init: {}, power_down: {}, ids: {}, \
         shipped: {}, trees: {}, doubtful: {}",
        row.names,
        row.controller,
        row.compatible,
        row.width,
        row.height,
        row.physical_mm,
        row.bus,
        row.lanes,
        row.mode,
        row.format,
        blanking(row.vertical),
        blanking(row.horizontal),
        row.no_spread,
        packed.name(&panel.init),
        packed.name(&panel.power_down),
        each(ids, |terms| each(terms, term)),
        row.shipped,
        row.trees,
        row.doubtful,
    )
}

fn term(term: &Planned) -> String {
    match *term {
        Planned::Answer {
            question,
            byte,
            mask,
            value,
        } => format!(
            "Term::Answer {{ question: {question}, byte: {byte}, mask: {mask}, value: {value} }}"
        ),
        Planned::Other(Term::Strap { index, high }) => {
            format!("Term::Strap {{ index: {index}, high: {high} }}")
        }
        Planned::Other(Term::Voltage {
            channel,
            from_mv,
            to_mv,
        }) => format!("Term::Voltage {{ channel: {channel}, from_mv: {from_mv}, to_mv: {to_mv} }}"),
        // The plan has made an answer of every register.
        Planned::Other(Term::Register { .. }) => String::new(),
    }
}

fn emit_plan(out: &mut String, pool: &mut Pool, plan: &Plan) {
    let stages = each(&plan.stages, |stage| {
        format!(
            "Stage {{ name: {:?}, reset: {}, unlock: Script::new({}), dbi: {} }}",
            stage.name,
            stage.reset,
            pool.name(&stage.unlock),
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

fn touch_row(id: &str, chip: &TouchToml) -> String {
    let extra = |read: &Option<ExtraToml>| match read {
        Some(ExtraToml { write, len }) => {
            format!("Some(ExtraRead {{ write: &{write:?}, len: {len} }})")
        }
        None => "None".into(),
    };
    format!(
        "id: {id:?}, name: {:?}, family: {:?}, addresses: &{:?}, probe: {}, exit: {}, \
         intrusive: {}, weak: {}, confidence: Confidence::{:?}, wait_ms: {}, vendor_id: {}, version: {}, compatible: {:?}, \
         driver: {:?}, shipped: {}",
        chip.name,
        chip.family,
        chip.addresses,
        each(&chip.probe, probe_step),
        each(&chip.exit, probe_step),
        chip.intrusive,
        chip.weak,
        chip.confidence,
        chip.wait_ms,
        extra(&chip.vendor_id),
        extra(&chip.version),
        chip.compatible,
        chip.driver,
        chip.shipped,
    )
}

fn probe_step(step: &StepToml) -> String {
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
                "Some(Expect {{ offset: {offset}, mask: &{mask:?}, values: {}, invert: {invert} }})",
                each(values, |value| format!("&{value:?}"))
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
        "ProbeStep {{ address: {:?}, write: &{:?}, write_from: {from}, read_len: {}, stop: {}, \
         expect: {expect}, optional: {}, delay_ms: {} }}",
        step.address, step.write, step.read, step.stop, step.optional, step.delay_ms
    )
}

fn camera_row(id: &str, camera: &CameraToml) -> String {
    let all = u32::MAX >> (32 - 8 * camera.id_bytes());
    format!(
        "id: {id:?}, name: {:?}, maker: {:?}, driver: {:?}, addresses: &{:?}, address_bytes: {}, \
         data_bytes: {}, prelude: {}, prelude_ms: {}, registers: &{:?}, values: &{:?}, mask: {}, weak: {}, confidence: Confidence::{:?}, \
         bus: CameraBus::{:?}, core_mv: {}, runs_with_pdn_high: {:?}, compatible: {:?}, shipped: {}",
        camera.name,
        camera.maker,
        camera.driver,
        camera.addresses,
        camera.address_bytes,
        camera.data_bytes,
        each(&camera.prelude, |write| format!("&{write:?}")),
        camera.prelude_ms,
        camera.registers,
        camera.values,
        camera.mask.unwrap_or(all),
        camera.id_bytes() < 2,
        camera.confidence,
        camera.bus,
        camera.core_mv,
        camera.runs_with_pdn_high,
        camera.compatible,
        camera.shipped,
    )
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

fn wiring_row(id: &str, wiring: &WiringToml, shipped: usize) -> String {
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
        "id: {id:?}, name: {:?}, panel: PanelWiring {{ reset: PanelReset::{reset}, supplies: {}, \
         te: {}, straps: &{:?}, adc: {:?} }}, touch: {touch}, camera_bus: {}, \
         cameras: [{}, {}], backlight: Backlight::{}, backlight_pin: {}, shipped: {shipped}",
        wiring.name,
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

fn board_row(id: &str, board: &BoardToml) -> String {
    let KeysToml {
        volume_up,
        volume_down,
        recovery,
        factory,
    } = board.keys;
    format!(
        "id: {id:?}, name: {:?}, project: {:?}, keys: Keys {{ volume_up: {volume_up:?}, \
         volume_down: {volume_down:?}, recovery: {recovery:?}, factory: {factory:?} }}, \
         wiring: {:?}, backlight: Backlight::{}, panels: &{:?}, touch: &{:?}, \
         cameras: [&{:?}, &{:?}]",
        board.name,
        board.project,
        board.wiring,
        backlight(board.backlight),
        board.panels,
        board.touch,
        board.cameras.main,
        board.cameras.sub,
    )
}

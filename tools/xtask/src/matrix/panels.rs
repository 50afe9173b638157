//! Panels: glass, answers and needs, one file a controller.

use super::facts::{Alternative, DsiTerm, Panel, Step, Timing};
use super::script::{self, Write};
use super::write::{Toml, text_list};
use super::{Files, LeftOut, family, keys};

/// Pixels of a horizontal porch below which the host's overhead of a packet
/// (12 bytes, facts/display.md 3.2) hides what it sends.
const SHORT_PORCH: u32 = 5;

/// Files for all panels that an MT6572 can drive over DSI.
pub fn convert(panels: &[Panel], files: &mut Files, left_out: &mut Vec<LeftOut>) {
    let mut fitting: Vec<&Panel> = panels.iter().filter(|panel| panel.mt6572_fit).collect();
    fitting.sort_by(|one, other| one.id.cmp(&other.id));
    for panel in panels {
        if let Some(bus) = other_bus(panel) {
            left_out.push(LeftOut {
                kind: "panel",
                id: panel.id.clone(),
                reason: format!("it is on {bus}, and this matrix is of panels on DSI"),
            });
        }
    }
    for panel in fitting {
        match table(panel) {
            Ok(text) => {
                let name = format!("panels/{}.toml", controller(panel));
                files.entry(name).or_insert_with(heading).push_str(&text);
            }
            Err(reason) => left_out.push(LeftOut {
                kind: "panel",
                id: panel.id.clone(),
                reason,
            }),
        }
    }
}

/// The bus of a panel that is not on DSI.
fn other_bus(panel: &Panel) -> Option<&'static str> {
    let interface = panel.interface.as_deref()?;
    if interface.starts_with("dbi") {
        Some("the LCD controller's bus")
    } else if interface.starts_with("dpi") {
        Some("DPI")
    } else {
        None
    }
}

fn heading() -> String {
    "# Made of facts/panels.json by `cargo xtask import-matrix`. Do not edit.\n".into()
}

fn controller(panel: &Panel) -> &str {
    panel.controller.as_deref().unwrap_or("unknown")
}

fn table(panel: &Panel) -> Result<String, String> {
    let missing = |what: &str| format!("the sources do not say its {what}");
    let writes = script::of(panel)?;
    let mut toml = Toml::table("panel");
    toml.text("id", &panel.id);
    toml.raw("names", &text_list(&panel.names));
    toml.text("controller", controller(panel));
    toml.text("family", family::of(controller(panel), &writes));
    toml.raw("width", &panel.width.ok_or_else(|| missing("width"))?);
    toml.raw("height", &panel.height.ok_or_else(|| missing("height"))?);
    toml.raw("lanes", &panel.lanes.ok_or_else(|| missing("lanes"))?);
    let mode = mode(panel).ok_or_else(|| missing("mode"))?;
    toml.text("mode", mode);
    toml.text("format", format(panel).ok_or_else(|| missing("format"))?);
    if mode != "command" {
        let timing = panel.timing.as_ref().ok_or_else(|| missing("porches"))?;
        porches(timing, &mut toml);
    }
    if panel.pll.is_none() {
        return Err(missing("rate"));
    }
    if let Some(mbps) = panel.derived.as_ref().and_then(|derived| derived.lane_mbps) {
        toml.raw("mbps", &(mbps.round() as u32));
    }
    if panel.clock_lane.as_deref() == Some("continuous") && mode != "command" {
        toml.raw("continuous_clock", &true);
    }
    if let Some(ms) = script::wait_after_reset(panel).filter(|&ms| ms > 0) {
        toml.raw("reset_wait_ms", &ms);
    }
    identification(panel, &mut toml);
    toml.block("init", writes.iter().map(line));
    Ok(toml.done())
}

/// `39 FF 98 06 +10`: data type, bytes, milliseconds afterwards.
fn line(write: &Write) -> String {
    let pause = match write.delay_ms {
        0 => String::new(),
        ms => format!(" +{ms}"),
    };
    format!("{:02X} {}{pause}", write.data_type, write.hex())
}

fn mode(panel: &Panel) -> Option<&'static str> {
    Some(match panel.interface.as_deref()? {
        "dsi_cmd" => "command",
        "dsi_video_sync_pulse" => "sync-pulse",
        "dsi_video_sync_event" => "sync-event",
        "dsi_video_burst" => "burst",
        _ => return None,
    })
}

fn format(panel: &Panel) -> Option<&'static str> {
    Some(match panel.ps.as_deref()? {
        "packed_24bpp_rgb888" => "rgb888",
        "packed_18bpp_rgb666" => "rgb666-packed",
        "loosely_24bpp_rgb666" | "loosely_packed_24bpp_rgb666" => "rgb666-loose",
        "packed_16bpp_rgb565" => "rgb565",
        _ => return None,
    })
}

fn porches(timing: &Timing, toml: &mut Toml) {
    for (key, lines) in [
        ("vsa", timing.vsa),
        ("vbp", timing.vbp),
        ("vfp", timing.vfp),
    ] {
        toml.raw(key, &lines);
    }
    for (key, pixels) in [
        ("hsa", timing.hsa),
        ("hbp", timing.hbp),
        ("hfp", timing.hfp),
    ] {
        if pixels < SHORT_PORCH {
            toml.raw(key, &format!("[0, {SHORT_PORCH}]"));
        } else {
            toml.raw(key, &pixels);
        }
    }
}

/// How the vendor's driver knows the panel, and what it answers for that.
fn identification(panel: &Panel, toml: &mut Toml) {
    let id = &panel.id_read;
    toml.text("known_by", &id.method);
    let alternatives = id.matches.as_deref().unwrap_or_default();
    let words: Vec<String> = alternatives.iter().map(condition).collect();
    if words.is_empty() {
        return;
    }
    toml.raw("match", &text_list(&words));
    let reads = reads(id.seq.as_deref().unwrap_or_default());
    let lines = reads.iter().filter_map(|read| {
        let mut terms = alternatives.iter().flat_map(|alternative| &alternative.dsi);
        let asked = terms.find(|term| term.cmd == u32::from(read.register))?;
        let number = u8::try_from(asked.value).ok();
        let after = keys::needed(read.register, number, &read.after);
        let after: Vec<String> = after.iter().map(|bytes| script::hex(bytes)).collect();
        let after = text_list(&after);
        Some(format!(
            "{{ register = 0x{:02X}, after = {after} }}",
            read.register
        ))
    });
    let lines: Vec<String> = lines.collect();
    if !lines.is_empty() {
        toml.list("reads", &lines);
    }
}

/// `"A1[2]=80 A1[3]=19 gpio"`: bytes of answers, and what else must agree.
fn condition(alternative: &Alternative) -> String {
    let terms = alternative.dsi.iter();
    let term = |term: &DsiTerm| {
        let mask = term
            .mask
            .map_or(String::new(), |mask| format!("&{mask:02X}"));
        format!("{:02X}[{}]{mask}={:02X}", term.cmd, term.byte, term.value)
    };
    let mut words: Vec<String> = terms.map(term).collect();
    for (word, applies) in [
        ("gpio", !alternative.gpio.is_empty()),
        ("adc", !alternative.adc.is_empty()),
        ("helper", alternative.helper.is_some()),
    ] {
        if applies {
            words.push(word.into());
        }
    }
    words.join(" ")
}

/// A register that the vendor's driver reads.
struct Read {
    register: u8,
    /// What it has written since the last reset.
    after: Vec<Vec<u8>>,
}

fn reads(steps: &[Step]) -> Vec<Read> {
    let mut after: Vec<Vec<u8>> = Vec::new();
    let mut reads: Vec<Read> = Vec::new();
    for step in steps {
        match (step.op.as_deref(), step.cmd) {
            (Some("reset"), _) => after.clear(),
            (Some("read"), Some(register)) => {
                let Ok(register) = u8::try_from(register) else {
                    continue;
                };
                // The last of several reads of a register is the one that counts.
                reads.retain(|read| read.register != register);
                reads.push(Read {
                    register,
                    after: after.clone(),
                });
            }
            (None, _) => after.extend(Write::of(step).map(|write| write.bytes)),
            _ => {}
        }
    }
    reads
}

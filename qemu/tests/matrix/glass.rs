//! A panel of the facts as `[panel]` of a board file: its glass takes what
//! the facts say, and nothing else.

use std::fmt::Write as _;

use crate::alike::Term;
use crate::data::{Panel, Read, hex};

/// How far a lane's rate may be from the stated one, in thousandths: the PLL
/// has steps, and its spread is half a percent.
const RATE_TOLERANCE: u32 = 15;

/// The `[panel]` table and those below it.
pub fn board(panel: &Panel) -> String {
    let mut out = String::from("[panel]\nbacklight = \"isink\"\nexact = true\n");
    // Writing to a text cannot fail.
    let _ = writeln!(out, "controller = {:?}", panel.controller);
    let _ = writeln!(out, "family = {:?}", panel.family);
    let _ = writeln!(out, "width = {}\nheight = {}", panel.width, panel.height);
    let _ = writeln!(out, "lanes = {}\nmode = {:?}", panel.lanes, panel.mode);
    let _ = writeln!(out, "format = {:?}", panel.format);
    answers(panel, &mut out);
    out.push_str("init = [\n");
    for line in panel.init.lines() {
        let _ = writeln!(out, "  {},", write(line));
    }
    out.push_str("]\n\n");
    let wait = panel.reset_wait_ms;
    let _ = writeln!(
        out,
        "[panel.limits]\nreset_to_init_ms = {wait}\n\n[panel.timing]"
    );
    timing(panel, &mut out);
    out
}

/// `39 FF 98 06 +10` as an entry of `init`.
fn write(line: &str) -> String {
    let (bytes, pause) = line.split_once('+').unwrap_or((line, "0"));
    let bytes = hex(bytes);
    let [data_type, command, args @ ..] = bytes.as_slice() else {
        panic!("{line:?} is no write");
    };
    format!(
        "{{ cmd = {command}, args = {args:?}, dt = {data_type}, delay_ms = {} }}",
        pause.trim()
    )
}

/// The answers to what its driver reads: the bytes that must be so, others zero.
pub fn known_answers(panel: &Panel) -> Vec<(&Read, Vec<u8>)> {
    let alternatives = panel.matches.iter().map(|text| Term::all(text));
    let terms = alternatives.into_iter().find(|terms| !terms.is_empty());
    let terms = terms.unwrap_or_default();
    panel
        .reads
        .iter()
        .map(|read| {
            let mut bytes = Vec::new();
            for term in terms.iter().filter(|term| term.register == read.register) {
                if bytes.len() <= term.byte {
                    bytes.resize(term.byte + 1, 0);
                }
                bytes[term.byte] = term.value;
            }
            (read, bytes)
        })
        .filter(|(_, bytes)| !bytes.is_empty())
        .collect()
}

fn answers(panel: &Panel, out: &mut String) {
    out.push_str("answers = [\n");
    for (read, bytes) in known_answers(panel) {
        let after: Vec<Vec<u8>> = read.after.iter().map(|text| hex(text)).collect();
        let _ = writeln!(
            out,
            "  {{ register = {}, bytes = {bytes:?}, unlock = {after:?} }},",
            read.register
        );
    }
    out.push_str("]\n");
}

fn timing(panel: &Panel, out: &mut String) {
    for (key, lines) in [("vsa", panel.vsa), ("vbp", panel.vbp), ("vfp", panel.vfp)] {
        if let Some(lines) = lines {
            let _ = writeln!(out, "{key} = {lines}");
        }
    }
    for (key, pixels) in [
        ("hsa", &panel.hsa),
        ("hbp", &panel.hbp),
        ("hfp", &panel.hfp),
    ] {
        if let Some(pixels) = pixels {
            let _ = writeln!(out, "{key} = {pixels}");
        }
    }
    if let Some(mbps) = panel.mbps {
        let off = mbps * RATE_TOLERANCE / 1000;
        let _ = writeln!(out, "mbps = [{}, {}]", mbps - off, mbps + off);
    }
    if panel.continuous_clock {
        out.push_str("continuous_clock = true\n");
    }
}

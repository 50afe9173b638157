//! Touch chips: what each must be sent, and what it must answer.

use super::Files;
use super::facts::{Probe, Touch, Wanted, number};
use super::script::hex;
use super::write::{Toml, text_list};
use anyhow::{Context, Result};

/// What the first place that holds a number in another chip's answer is called.
const FROM_ANSWER: &str = "<F01 query base>";
/// Milliseconds after which a chip answers whose source does not say it.
const USUAL_WAIT_MS: u32 = 50;
/// MStar's debug bus answers long before the firmware does, of which the
/// sources speak. Source: facts/i2c-touch-camera.md 2.4.
const MSTAR_WAIT_MS: u32 = 100;

/// The file of all touch chips.
pub fn convert(chips: &[Touch], files: &mut Files) -> Result<()> {
    let mut out =
        String::from("# Made of facts/touch.json by `cargo xtask import-matrix`. Do not edit.\n");
    for chip in chips {
        let text = table(chip).with_context(|| format!("touch chip {}", chip.id))?;
        out.push_str(&text);
    }
    files.insert("touch.toml".into(), out);
    Ok(())
}

fn table(chip: &Touch) -> Result<String> {
    let mut toml = Toml::table("touch");
    toml.text("id", &chip.id);
    toml.raw(
        "addresses",
        &format!("[{}]", chip.i2c_addresses_7bit.join(", ")),
    );
    toml.raw("address_width", &(chip.reg_addr_bits / 8));
    toml.raw("wait_ms", &wait_ms(chip));
    if chip.match_mode == "any" {
        toml.raw("any", &true);
    }
    let steps: Result<Vec<String>> = chip.probe.iter().map(step).collect();
    toml.list("steps", &steps?);
    if !chip.probe_exit.is_empty() {
        let exit: Result<Vec<String>> = chip
            .probe_exit
            .iter()
            .map(|step| bytes(&step.write))
            .collect();
        toml.raw("exit", &text_list(&exit?));
    }
    Ok(toml.done())
}

fn wait_ms(chip: &Touch) -> u32 {
    if chip.family == "MStar" {
        return MSTAR_WAIT_MS;
    }
    let words = chip
        .reset
        .as_ref()
        .and_then(|reset| reset.wait_ms_after_release.as_ref());
    let words = words.map(|value| value.as_str().map_or(value.to_string(), str::to_owned));
    let digits = words.as_deref().map(|words| {
        let from = words.trim_start_matches(|c: char| !c.is_ascii_digit());
        let end = from
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(from.len());
        from[..end].to_owned()
    });
    digits
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(USUAL_WAIT_MS)
}

fn bytes(texts: &[String]) -> Result<String> {
    let all: Option<Vec<u8>> = texts
        .iter()
        .map(|text| u8::try_from(number(text)?).ok())
        .collect();
    Ok(hex(&all.with_context(|| format!("{texts:?} are no bytes"))?))
}

fn step(probe: &Probe) -> Result<String> {
    let mut words = Vec::new();
    if let Some(address) = &probe.addr_7bit {
        words.push(format!("at = {address}"));
    }
    if probe
        .write
        .first()
        .is_some_and(|first| first == FROM_ANSWER)
    {
        words.push("from_answer = true".into());
    } else if !probe.write.is_empty() {
        words.push(format!("write = \"{}\"", bytes(&probe.write)?));
    }
    if probe.read_len > 0 {
        words.push(format!("read = {}", probe.read_len));
    }
    if let Some(wanted) = &probe.wanted {
        words.push(format!("offset = {}", wanted.offset));
        let values = values(wanted).context("an answer that does not fit its length")?;
        words.push(format!("values = {}", text_list(&values)));
        let mask = wanted
            .mask
            .as_deref()
            .and_then(|mask| digits(mask, wanted.len));
        let mask = mask.context("no mask")?;
        if mask.iter().any(|&byte| byte != 0xFF) {
            words.push(format!("mask = \"{}\"", hex(&mask)));
        }
        if wanted.invert {
            words.push("invert = true".into());
        }
    }
    if probe.optional {
        words.push("optional = true".into());
    }
    if probe.delay_ms_after > 0 {
        words.push(format!("wait_ms = {}", probe.delay_ms_after));
    }
    Ok(format!("{{ {} }}", words.join(", ")))
}

/// The values in the order of the bus.
fn values(wanted: &Wanted) -> Option<Vec<String>> {
    let value = |text: &String| {
        let mut bytes = digits(text, wanted.len)?;
        if wanted.endian == "little" {
            bytes.reverse();
        }
        Some(hex(&bytes))
    };
    wanted.values.iter().map(value).collect()
}

/// `0x..` as so many bytes, most significant first; it may be longer than any
/// number.
fn digits(text: &str, len: usize) -> Option<Vec<u8>> {
    let digits = format!("{:0>width$}", text.strip_prefix("0x")?, width = 2 * len);
    if digits.len() != 2 * len {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..len).map(|index| byte(2 * index)).collect()
}

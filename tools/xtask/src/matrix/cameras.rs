//! Cameras: registers, values, and what they need to run.

use super::facts::{Camera, number};
use super::script::hex;
use super::write::{Toml, text_list};
use super::{Files, LeftOut, power};
use anyhow::{Context, Result};

/// The file of all cameras that can be told by their registers.
pub fn convert(cameras: &[Camera], files: &mut Files, left_out: &mut Vec<LeftOut>) -> Result<()> {
    let mut out =
        String::from("# Made of facts/cameras.json by `cargo xtask import-matrix`. Do not edit.\n");
    for camera in cameras {
        if camera.id_value.is_none() || camera.id_regs.as_ref().is_none_or(Vec::is_empty) {
            let notes = camera
                .notes
                .as_deref()
                .unwrap_or("the sources do not say its ID");
            left_out.push(LeftOut {
                kind: "camera",
                id: camera.id.clone(),
                reason: notes.into(),
            });
            continue;
        }
        let text = table(camera).with_context(|| format!("camera {}", camera.id))?;
        out.push_str(&text);
    }
    files.insert("cameras.toml".into(), out);
    Ok(())
}

fn table(camera: &Camera) -> Result<String> {
    let addresses = camera.i2c_addresses_7bit.as_ref().context("no address")?;
    let address_width = camera.reg_width_bits.context("no register width")? / 8;
    let data_width = camera.data_width_bits.context("no data width")? / 8;
    let mut toml = Toml::table("camera");
    toml.text("id", &camera.id);
    toml.raw("addresses", &format!("[{}]", addresses.join(", ")));
    toml.raw("address_width", &address_width);
    toml.raw("data_width", &data_width);
    if !camera.id_prelude_writes.is_empty() {
        let writes: Option<Vec<String>> = camera
            .id_prelude_writes
            .iter()
            .map(|write| {
                let bytes: Option<Vec<u8>> = write
                    .iter()
                    .map(|text| u8::try_from(number(text)?).ok())
                    .collect();
                Some(hex(&bytes?))
            })
            .collect();
        toml.raw(
            "prelude",
            &text_list(&writes.context("a prelude of no bytes")?),
        );
    }
    let registers = camera.id_regs.as_deref().unwrap_or_default();
    toml.raw("registers", &format!("[{}]", registers.join(", ")));
    let mut values = vec![camera.id_value.clone().context("no value")?];
    values.extend(camera.id_value_alternatives.iter().cloned());
    toml.raw("values", &format!("[{}]", values.join(", ")));
    toml.raw("mask", camera.id_mask.as_ref().context("no mask")?);
    if let Some(mv) = power::core_mv(camera) {
        toml.raw("core_mv", &mv);
    }
    toml.raw("runs_with_pdn_high", &power::runs_with_pdn_high(camera));
    Ok(toml.done())
}

//! What only DSI panels have: lanes, mode, blanking, rate, D-PHY times.

use super::convert::doubtful;
use super::dataset::{Entry, Pll, Timing};
use super::row::{Blanking, Rate, Row};
use super::script::Refusal;
use std::collections::BTreeMap;

/// Fills the fields of `row`.
pub fn fill(entry: &Entry, row: &mut Row) -> Result<(), Refusal> {
    row.lanes = entry.lanes.unwrap_or(0);
    row.mode = match entry.interface.as_deref() {
        Some("dsi_cmd") => "command",
        Some("dsi_video_sync_pulse") => "sync-pulse",
        Some("dsi_video_sync_event") => "sync-event",
        _ => "burst",
    };
    row.format = match entry.ps.as_deref() {
        Some("packed_16bpp_rgb565") => "rgb565",
        Some("packed_18bpp_rgb666") => "rgb666-packed",
        Some("loosely_packed_18bpp_rgb666") => "rgb666-loose",
        _ => "rgb888",
    };
    row.no_spread = entry.pll.is_some_and(|pll| pll.ssc_disable != 0);
    row.phy = phy(&entry.phy);
    rate(entry, row)?;
    if row.mode != "command" {
        blanking(entry, row)?;
    }
    Ok(())
}

/// Video mode only: in command mode they are leftovers without effect.
fn blanking(entry: &Entry, row: &mut Row) -> Result<(), Refusal> {
    let Some(timing) = entry.timing.filter(|timing| timing.hbp + timing.hfp > 0) else {
        return Err("it is a video panel without horizontal blanking".into());
    };
    (row.vertical, row.horizontal) = (Some(timing.vertical()), Some(timing.horizontal()));
    if let Some(fps) = row.frames_per_second()
        && !(40.0..=90.0).contains(&fps)
    {
        doubtful(row, &format!("its timing gives {fps:.0} frames a second"));
    }
    Ok(())
}

impl Timing {
    /// Lines.
    pub const fn vertical(self) -> Blanking {
        Blanking {
            sync: self.vsa,
            back: self.vbp,
            front: self.vfp,
        }
    }

    /// Pixels.
    pub const fn horizontal(self) -> Blanking {
        Blanking {
            sync: self.hsa,
            back: self.hbp,
            front: self.hfp,
        }
    }
}

/// D-PHY times in the order of the table's schema; the host of this chip has
/// no others (facts/display.md 4.4).
fn phy(times: &BTreeMap<String, u32>) -> Vec<(&'static str, u32)> {
    const NAMES: [(&str, &str); 10] = [
        ("hs_trail", "HS_TRAIL"),
        ("hs_zero", "HS_ZERO"),
        ("hs_prepare", "HS_PRPR"),
        ("lpx", "LPX"),
        ("ta_get", "TA_GET"),
        ("ta_sure", "TA_SURE"),
        ("ta_go", "TA_GO"),
        ("clk_trail", "CLK_TRAIL"),
        ("clk_zero", "CLK_ZERO"),
        ("clk_prepare", "CLK_HS_PRPR"),
    ];
    NAMES
        .iter()
        .filter_map(|&(name, vendor)| Some((name, times.get(vendor).copied()?)))
        .collect()
}

fn rate(entry: &Entry, row: &mut Row) -> Result<(), Refusal> {
    let no_rate = || Refusal::from("its driver states no rate");
    let Pll {
        clock_mhz,
        div1,
        div2,
        fbk_div,
        ..
    } = entry.pll.ok_or_else(no_rate)?;
    let (div1, div2) = (div1.unwrap_or(0), div2.unwrap_or(0));
    row.rate = match (clock_mhz, fbk_div) {
        (Some(mhz), _) => Rate::PllMhz {
            pll_mhz: mhz.round() as u32,
        },
        (None, Some(feedback)) => Rate::Dividers {
            div1,
            div2,
            feedback,
        },
        // facts/display.md 4.3 has the newer dividers only; these are the ones
        // of the vendor's MT6575 and MT6577, 0 dividing by 1.
        (None, None) if div1 > 3 => {
            let (times, divisor) = (u32::from(div1) + 1, (2 * u32::from(div2)).max(1));
            row.comment(
                "rate",
                format!(
                    "Its driver states the rate as the MT6575 and MT6577 do: 26 MHz x {times} / \
                     {divisor} on a lane."
                ),
            );
            doubtful(row, "the rate is of another chip's clock tree");
            Rate::PllMhz {
                pll_mhz: 26 * times / divisor / 2,
            }
        }
        (None, None) => return Err(no_rate()),
    };
    Ok(())
}

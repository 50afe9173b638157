//! What a camera needs to run, out of the sequences of the boards that have it.
//!
//! Source: facts/i2c-touch-camera.md 4.2.

use super::facts::{Camera, PowerSequence};

/// Makers whose sensors run with the power-down pin high.
const RUN_WITH_HIGH: [&str; 4] = ["OmniVision", "Samsung", "Aptina", "Sony"];

/// The most that VCAMD gives.
const MOST_MV: u32 = 1800;

/// The best known sequences: those of this chip's boards, or all.
fn sequences(camera: &Camera) -> Vec<&PowerSequence> {
    let all = camera.power_sequences.as_deref().unwrap_or_default();
    let own: Vec<_> = all.iter().filter(|sequence| sequence.mt6572_tree).collect();
    if own.is_empty() {
        all.iter().collect()
    } else {
        own
    }
}

/// The core supply in millivolts, where a sequence states it.
pub fn core_mv(camera: &Camera) -> Option<u32> {
    let steps = sequences(camera)
        .into_iter()
        .flat_map(|sequence| &sequence.steps);
    let mut found = steps.filter_map(|step| {
        let volts = step
            .strip_prefix("VCAMD=")
            .or_else(|| step.strip_prefix("VCAM_D="))
            .or_else(|| step.split_once("CAMERA_POWER_D=").map(|(_, volts)| volts))?;
        let volts: f64 = volts.strip_suffix('V')?.parse().ok()?;
        Some((volts * 1000.0).round() as u32)
    });
    // A few boards name another supply so.
    found.find(|&mv| mv <= MOST_MV)
}

/// The level of the power-down pin at which it runs: where most sequences
/// leave it, or what its maker's sensors do.
pub fn runs_with_pdn_high(camera: &Camera) -> bool {
    let ends = sequences(camera).into_iter().filter_map(|sequence| {
        let steps = sequence.steps.iter().rev();
        steps
            .into_iter()
            .find_map(|step| step.strip_prefix("PDN="))
            .map(|level| level == "1")
    });
    let ends: Vec<bool> = ends.collect();
    let high = ends.iter().filter(|&&high| high).count();
    match (2 * high).cmp(&ends.len()) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => camera
            .maker
            .as_deref()
            .is_some_and(|maker| RUN_WITH_HIGH.iter().any(|known| maker.starts_with(known))),
    }
}

//! The sentences behind the codes of a report's notes.

use super::entry::{Entry, What};
use unilk_core::Code;
use unilk_core::identify::camera::CameraNote;
use unilk_core::identify::store::StoreError;
use unilk_core::identify::touch::TouchNote;
use unilk_core::identify::verdict::PanelNote;

/// Gives each note whose code is known its sentence. Where that names an
/// address, it is the one that the unit's own records tell of.
pub fn explain(records: &mut [Entry]) {
    let found: Vec<Option<String>> = records
        .iter()
        .map(|entry| match &entry.what {
            What::Note { code, .. } => sentence(records, entry.unit, code),
            _ => None,
        })
        .collect();
    for (entry, sentence) in records.iter_mut().zip(found) {
        if let What::Note { text, .. } = &mut entry.what {
            *text = sentence;
        }
    }
}

fn sentence(records: &[Entry], unit: &str, code: &str) -> Option<String> {
    let odd = address(records, unit, "only zeros or ones");
    let other = address(records, unit, "ok");
    let plain: [&dyn Code; 13] = [
        &PanelNote::Silent,
        &PanelNote::Suspicious,
        &PanelNote::Unknown,
        &PanelNote::Contradicted,
        &TouchNote::Silent,
        &TouchNote::Two,
        &TouchNote::Stuck,
        &CameraNote::Silent,
        &CameraNote::NoSocket,
        &CameraNote::Stuck,
        &StoreError::Foreign,
        &StoreError::Damaged,
        &StoreError::Panel,
    ];
    if let Some(note) = plain.iter().find(|note| note.code() == code) {
        return Some(note.to_string());
    }
    let with_address = [
        odd.map(|address| TouchNote::Suspicious { address }.named()),
        odd.map(|address| CameraNote::Suspicious { address }.named()),
        other.map(|address| TouchNote::Unknown { address }.named()),
        other.map(|address| CameraNote::Unknown { address }.named()),
    ];
    let mut known = with_address.into_iter().flatten();
    known
        .find(|(of, _)| *of == code)
        .map(|(_, sentence)| sentence)
}

trait Named: Code {
    fn named(&self) -> (&'static str, String) {
        (self.code(), self.to_string())
    }
}

impl<C: Code> Named for C {}

/// The first address of the unit whose transfer ended with `outcome`.
fn address(records: &[Entry], unit: &str, outcome: &str) -> Option<u8> {
    records.iter().find_map(|entry| match entry.what {
        What::I2c { address, .. } if entry.unit == unit && entry.outcome == Some(outcome) => {
            u8::try_from(address).ok()
        }
        _ => None,
    })
}

//! What a report says is fitted, as rows of the driver table.

use super::Found;
use super::entry::What;
use unilk_board_db::{CameraRow, PanelRow, TouchRow, Wiring};

/// Most candidates that a device tree names.
const CANDIDATES: usize = 8;

/// What is fitted.
#[derive(Clone, Debug, Default)]
pub struct Identified {
    /// The report itself.
    pub report: Vec<u8>,
    /// The wiring profile that answered last.
    pub wiring: Option<&'static Wiring>,
    /// The panel.
    pub panel: Option<&'static PanelRow>,
    /// How sure that is.
    pub certainty: Option<&'static str>,
    /// Ids of all panels that fit, best first.
    pub candidates: Vec<String>,
    /// The touch chip and the address at which it answered.
    pub touch: Option<(&'static TouchRow, u8)>,
    /// Main and sub camera, likewise.
    pub cameras: [Option<(&'static CameraRow, u8)>; 2],
    /// Rows that the report names and this release's table does not have.
    pub strangers: Vec<String>,
}

impl Found {
    /// What is fitted, by the last verdict on each unit.
    pub fn identified(&self) -> Identified {
        let mut found = Identified {
            report: self.bytes.clone(),
            ..Identified::default()
        };
        let mut fresh = true;
        for entry in self.view().records {
            match entry.what {
                What::Wiring { profile } => found.wire(&profile),
                What::Candidate { id, .. } if entry.unit == "panel" => {
                    if std::mem::take(&mut fresh) {
                        found.candidates.clear();
                    }
                    if found.candidates.len() < CANDIDATES && !found.candidates.contains(&id) {
                        found.candidates.push(id);
                    }
                }
                What::Verdict {
                    winner,
                    certainty,
                    address,
                    ..
                } => {
                    fresh |= entry.unit == "panel";
                    let winner = winner.filter(|_| certainty != "none");
                    found.settle(
                        entry.unit,
                        winner.as_deref(),
                        certainty,
                        address.unwrap_or_default(),
                    );
                }
                _ => {}
            }
        }
        found
    }
}

impl Identified {
    fn wire(&mut self, profile: &str) {
        self.wiring = unilk_board_db::wiring(profile);
        if self.wiring.is_none() {
            self.strangers.push(format!("wiring {profile}"));
        }
    }

    fn settle(&mut self, unit: &str, winner: Option<&str>, certainty: &'static str, address: u16) {
        let id = winner.unwrap_or_default();
        let address = address as u8;
        let known = match unit {
            "panel" => {
                self.panel = unilk_board_db::panel(id);
                self.certainty = Some(certainty);
                self.panel.is_some()
            }
            "touch" => {
                self.touch = unilk_board_db::touch(id).map(|row| (row, address));
                self.touch.is_some()
            }
            "camera main" | "camera sub" => {
                let camera = unilk_board_db::camera(id).map(|row| (row, address));
                self.cameras[usize::from(unit == "camera sub")] = camera;
                camera.is_some()
            }
            _ => true,
        };
        if !known && winner.is_some() {
            self.strangers.push(format!("{unit} {id}"));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::scan;
    use super::super::tests::build;
    use unilk_core::identify::report::{Kind, Record, Unit};

    #[test]
    fn the_last_verdict_counts() {
        let verdict = |unit, status, id: &'static str, address| Record {
            unit,
            status,
            b: address,
            sent: id.as_bytes(),
            ..Record::new(Kind::Verdict, 0)
        };
        let candidate = |id: &'static str| Record {
            unit: Unit::Panel,
            sent: id.as_bytes(),
            ..Record::new(Kind::Candidate, 0)
        };
        let [one, two, ..] = unilk_board_db::panels() else {
            panic!()
        };
        let wiring = unilk_board_db::wirings()[0].id;
        let report = build(&[
            Record {
                sent: wiring.as_bytes(),
                ..Record::new(Kind::Wiring, 0)
            },
            candidate("early"),
            verdict(Unit::Panel, 1, one.id, 0),
            candidate(two.id),
            candidate(one.id),
            candidate(two.id),
            verdict(Unit::Panel, 3, two.id, 0),
            verdict(Unit::Touch, 3, "gt911", 0x5D),
            verdict(Unit::SubCamera, 3, "no-such-sensor", 0x21),
            verdict(Unit::MainCamera, 0, "", 0),
        ]);
        let found = scan(report.as_slice()).unwrap().found[0].identified();
        assert_eq!(found.wiring.unwrap().id, wiring);
        assert_eq!(found.panel.unwrap().id, two.id);
        assert_eq!(found.certainty, Some("certain"));
        assert_eq!(found.candidates, [two.id, one.id]);
        let (touch, address) = found.touch.unwrap();
        assert_eq!((touch.id, address), ("gt911", 0x5D));
        assert!(found.cameras.iter().all(Option::is_none));
        assert_eq!(found.strangers, ["camera sub no-such-sensor"]);
        assert_eq!(found.report, report);
    }
}

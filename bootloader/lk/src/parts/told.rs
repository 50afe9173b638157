//! What the kernel is told of the parts: vendor kernels by `lcm=`, others by
//! the device tree.

use core::fmt::Write;

use heapless::{String, Vec};
use unilk_core::fixup::{self, CameraPart, Display, Fitted, Found, Known, PanelPart, TouchPart};
use unilk_core::identify::camera::CameraNote;
use unilk_core::identify::touch::{TouchNote, TouchVerdict};
use unilk_core::identify::verdict::{Certainty, PanelVerdict};

use super::{Parts, Stored};

impl Parts {
    /// What `lcm=` says: the vendor's name, and whether it was identified.
    pub fn vendor_panel(&self) -> Option<(&'static str, bool)> {
        let row = self.table.panels.get(usize::from(self.winner()?))?;
        let verdict = self.panel.borrow();
        let certain = |verdict: &PanelVerdict| verdict.certainty > Certainty::Guess;
        let identified = self.by_person.get() || verdict.as_ref().is_some_and(certain);
        // As the kernel spells it, which compares the whole name.
        let names = self.names.borrow();
        let stored = self.stored.borrow();
        let stored = stored.as_ref().map_or((0, Vec::new()), Stored::names);
        let mut spelled = names.iter().chain(&stored.1).copied();
        let name = spelled.find(|name| row.names.contains(name));
        Some((name.unwrap_or(row.lcm_name()), identified))
    }

    /// What a device tree is told.
    #[allow(clippy::too_many_lines, reason = "one value, field by field")]
    pub fn found<R>(&self, work: impl FnOnce(&Found<'_>) -> R) -> R {
        let panel = self.panel.borrow();
        let touch = self.touch.borrow();
        let cameras = self.cameras.borrow();
        let row = self
            .winner()
            .and_then(|row| self.table.panels.get(usize::from(row)));
        let wiring = self.panel_wiring().map(|(wiring, _)| wiring);
        let shown = self.shown.get().filter(|shown| shown.video);
        let chip = touch.as_ref().and_then(TouchVerdict::chip);
        let chip_row = chip.and_then(|chip| self.table.touch.get(usize::from(chip.row)));
        let touch_wiring = self.touch_wiring.get();
        let sockets = self.camera_wiring.get();
        let camera = |socket: usize| {
            let verdict = cameras.as_ref()?.get(socket)?;
            let row = self.table.cameras.get(usize::from(verdict.winner?))?;
            Some((row, verdict.address))
        };
        // Where the wiring is a guess, nobody may have been asked at the right
        // pins: what the tree claims stays.
        let sure = self.known_wiring().is_some();
        let silent = |socket: usize| {
            let verdict = cameras.as_ref().and_then(|cameras| cameras.get(socket));
            let note = verdict.and_then(|verdict| verdict.note);
            sure && matches!(note, Some(CameraNote::Silent))
        };
        let camera_part = |socket: usize| match (camera(socket), &sockets[socket]) {
            (Some((row, address)), Some((controller, wiring))) => Fitted::Part(CameraPart {
                row,
                address,
                controller: *controller,
                wiring,
            }),
            (None, _) if silent(socket) => Fitted::Nothing,
            _ => Fitted::Unknown,
        };
        let touch_note = touch.as_ref().and_then(|verdict| verdict.note.as_ref());
        let no_touch = sure && matches!(touch_note, Some(TouchNote::Silent));
        let mut address: String<16> = String::new();
        if let Some((chip, wiring)) = chip.zip(touch_wiring) {
            // Nine bytes at most.
            let _ = write!(address, "i2c{}/{:02x}", wiring.bus.controller, chip.address);
        }
        let mut candidates: Vec<&str, 8> = Vec::new();
        let all = panel.iter().flat_map(|verdict| verdict.contenders());
        for candidate in all.take(8) {
            if let Some(row) = self.table.panels.get(usize::from(candidate.row)) {
                // As many as were taken.
                let _ = candidates.push(row.id);
            }
        }
        let certainty = match (self.by_person.get(), panel.as_ref()) {
            (true, _) => Some(Certainty::Confirmed),
            (false, verdict) => verdict.map(|verdict| verdict.certainty),
        };
        let mut report = self.report.borrow_mut();
        let found = Found {
            display: match shown {
                Some(shown) => Fitted::Part(Display {
                    framebuffer: fixup::Region::new(
                        u64::from(shown.layout.base),
                        u64::from(shown.layout.vram_bytes),
                    ),
                    visible: u64::from(shown.address()),
                    width: u32::from(shown.layout.width),
                    height: u32::from(shown.layout.height),
                    stride: shown.layout.pitch_bytes,
                }),
                None => Fitted::Unknown,
            },
            panel: match (row, wiring) {
                (Some(row), Some(wiring)) => Fitted::Part(PanelPart {
                    row,
                    wiring: &wiring.panel,
                }),
                // A panel that could not be told apart is the tree's to name.
                _ => Fitted::Unknown,
            },
            touch: match (chip.zip(chip_row), &touch_wiring) {
                (Some((chip, row)), Some(wiring)) => Fitted::Part(TouchPart {
                    row,
                    address: chip.address,
                    wiring,
                }),
                _ if no_touch => Fitted::Nothing,
                _ => Fitted::Unknown,
            },
            cameras: [camera_part(0), camera_part(1)],
            known: Known {
                touch: self.table.touch,
                cameras: self.table.cameras,
            },
            evidence: fixup::Evidence {
                panel: row.map(|row| row.lcm_name()),
                panel_id: row.map(|row| row.id),
                panel_certainty: certainty.map(Certainty::name),
                panel_candidates: &candidates,
                touch: chip_row.map(|row| row.id),
                touch_address: Some(address.as_str()).filter(|text| !text.is_empty()),
                camera_main: camera(0).map(|(row, _)| row.id),
                camera_sub: camera(1).map(|(row, _)| row.id),
                wiring: wiring.map(|wiring| wiring.id),
                board: self.board_or_likely().map(|board| board.id),
                report: report.finish(),
            },
        };
        work(&found)
    }
}

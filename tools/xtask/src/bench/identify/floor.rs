//! The least time that a phone's own parts leave to any bootloader.

use unilk_board_db::{PanelMode, PanelRow, TouchRow, UNPACK_BYTES};

/// From supplies on to the release of a touch chip's reset, with the time its
/// address is chosen in (facts/i2c-touch-camera.md 2.4 steps 2 and 3).
const TOUCH_SUPPLY_MS: f64 = 22.0;
/// Supplies, power-down and reset of a camera socket (4.2, the recipe that
/// works for all).
const CAMERA_MS: f64 = 35.0;
/// A frame where the panel keeps its own time (facts/display.md 3.5).
const COMMAND_MODE_FRAME_MS: f64 = 1000.0 / 60.0;

/// Milliseconds that the panel's table demands from its reset to display on.
pub fn panel_ms(row: &PanelRow) -> f64 {
    let reset: u32 = row.reset.iter().map(|step| u32::from(step.ms)).sum();
    let mut room = vec![0; UNPACK_BYTES];
    let init = row
        .init
        .unpack(&mut room)
        .map_or(0, unilk_board_db::Steps::delay_ms);
    f64::from(reset + init)
}

/// Milliseconds of one frame.
pub fn frame_ms(row: &PanelRow) -> f64 {
    let fps = row.fps_x100().filter(|_| row.mode != PanelMode::Command);
    fps.filter(|fps| *fps > 0)
        .map_or(COMMAND_MODE_FRAME_MS, |fps| 100_000.0 / f64::from(fps))
}

/// The waits of each part, in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Floor {
    /// The panel's own delays.
    pub panel: f64,
    /// Kernel and ramdisk at the fastest mode of the eMMC, and its busy time.
    pub emmc: f64,
    /// Supply and reset of the touch chip, until it answers.
    pub touch: f64,
    /// Power sequences of the cameras, one after the other.
    pub cameras: f64,
}

impl Floor {
    /// Of a phone with these parts.
    pub fn of(panel: &PanelRow, touch: &TouchRow, cameras: u8, emmc_ms: f64) -> Floor {
        Floor {
            panel: panel_ms(panel),
            emmc: emmc_ms,
            touch: TOUCH_SUPPLY_MS + f64::from(touch.wait_ms),
            cameras: CAMERA_MS * f64::from(cameras),
        }
    }

    /// The longest of them: touch chip and cameras are on different buses.
    pub fn ms(&self) -> f64 {
        let parts = [self.panel, self.emmc, self.touch, self.cameras];
        parts.into_iter().fold(0.0, f64::max)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_the_longest_wait() {
        let panel = unilk_board_db::panel("ili9806e-dsi-cmd-txd").unwrap();
        // Reset 10 + 10 + 120, then 10 + 10 + 120 + 50 among its writes.
        assert!((panel_ms(panel) - 330.0).abs() < 0.1, "{}", panel_ms(panel));
        assert!((10.0..25.0).contains(&frame_ms(panel)));
        let touch = unilk_board_db::touch("gt911").unwrap();
        let floor = Floor::of(panel, touch, 2, 60.0);
        assert!((floor.touch - 78.0).abs() < 0.1);
        assert!((floor.ms() - 330.0).abs() < 0.1);
        let slow_card = Floor::of(panel, touch, 2, 900.0);
        assert!((slow_card.ms() - 900.0).abs() < 0.1);
    }
}

//! PHY and host together, in the vendor's order and with the vendor's words.

use super::*;
use crate::models::mipitx::Mipitx;

/// Both blocks on the same wires.
struct Pair {
    rig: Rig,
    phy: Mipitx,
}

impl Pair {
    fn phy(&mut self, offset: u32, value: u32) {
        self.rig.world.write(&mut self.phy, offset, value);
        self.rig.wires();
    }

    fn wait(&mut self, time: Nanos) {
        let to = self.rig.world.now + time;
        self.rig.world.advance(&mut self.phy, to);
        self.rig.wires();
        self.rig.world.advance(&mut self.rig.dsi, to);
    }

    /// facts/display.md 4.2 for 390 Mbit/s on two lanes, then 3.3 step 5.
    fn phy_on(&mut self) {
        self.phy(0x40, 0x802);
        self.phy(0x44, 2);
        self.phy(0x44, 3);
        self.wait(MS);
        self.phy(0x00, 2);
        self.phy(0x00, 3);
        self.phy(0x68, 3);
        self.wait(MS);
        for (offset, value) in [
            (0x68, 0x101),
            (0x50, 0x28),
            (0x54, 0x01B1_0003),
            (0x58, 0x7800_0000),
            (0x5C, 0x048B_048B),
            (0x04, 1),
            (0x08, 1),
            (0x0C, 1),
            (0x50, 0x29),
        ] {
            self.phy(offset, value);
        }
        self.wait(MS);
        self.phy(0x54, 0x01B1_0007);
        self.phy(0x64, 0x300);
        self.phy(0x40, 0x002);
        self.phy(0x80, 0);
    }

    /// facts/display.md 4.5.
    fn phy_off(&mut self) {
        self.phy(0x84, 0x000C_C183);
        self.phy(0x80, 1);
        self.phy(0x50, 0x28);
        self.wait(MS);
        for (offset, value) in [
            (0x40, 0x802),
            (0x40, 0x800),
            (0x04, 0),
            (0x08, 0),
            (0x0C, 0),
        ] {
            self.phy(offset, value);
        }
        self.wait(MS);
        for (offset, value) in [(0x00, 1), (0x00, 0), (0x64, 0), (0x68, 3), (0x68, 2)] {
            self.phy(offset, value);
        }
        self.wait(MS);
        self.phy(0x44, 1);
        self.phy(0x44, 0);
    }

    /// facts/display.md 3.8: lane 0, then the clock lane.
    fn ulps(&mut self) {
        for (register, value) in [
            (PHY_LD0CON, 0),
            (PHY_LD0CON, 2),
            (PHY_LCCON, 0),
            (PHY_LCCON, 2),
        ] {
            self.rig.write(register, value);
            self.wait(MS);
        }
    }
}

#[test]
fn detection_works_for_one_candidate_after_the_other() {
    let mut pair = Pair {
        rig: Rig::new(Some(PANEL)),
        phy: Mipitx::new(),
    };
    pair.rig.world.signals.cg0 = 1 << 4;
    pair.phy.reset(Reset::PowerOn, &mut pair.rig.world.cx());
    pair.rig.wires();
    for _ in 0..2 {
        pair.phy_on();
        // The registers come back from a copy that was never made.
        pair.rig.write(PHY_LCCON, 0);
        pair.rig.write(PHY_LD0CON, 0);
        assert_eq!(pair.rig.ask(0x00DA_0604)[0] & 0xFF_FFFF, 0x98_21);
        pair.rig.write(INTSTA, 0);
        pair.ulps();
        pair.phy_off();
        assert_eq!(pair.rig.world.signals.dsi_pll_kbps, None);
    }
    assert_eq!(pair.rig.world.reports, []);
    pair.rig.start(&[0x00DA_0604]);
    assert!(pair.rig.says("PLL of MIPITX"));
}

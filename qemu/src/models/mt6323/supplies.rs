//! What a board does to the PMIC's outputs: `[rails]` of a board file.
//!
//! Source: facts/display.md 6.5 (supplies that are on from the preloader).
//!
//! ```toml
//! [rails]
//! on = { vgp1 = 2800 }   # switched on by the preloader, at so many millivolts
//! dead = ["vgp2"]        # short or open: never rises, whatever its registers say
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Level, Mt6323, RAILS, RailRow};
use crate::chips::config::rail;

/// Outputs that are not as the PMIC's start-up leaves them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Supplies {
    /// On when the bootloader begins: name and millivolts.
    pub on: BTreeMap<String, u16>,
    /// Outputs that never rise.
    pub dead: Vec<String>,
}

fn row(name: &str) -> Option<&'static RailRow> {
    let rail = rail(name)?;
    RAILS.iter().find(|row| row.rail == rail)
}

/// Register, mask and value that select `millivolts`; a mask of 0 where there
/// is nothing to select. `None`: the rail cannot give it.
fn code(level: &Level, millivolts: u16) -> Option<(u16, u16, u16)> {
    match level {
        Level::Fixed(fixed) => (*fixed == millivolts).then_some((0, 0, 0)),
        Level::Table(register, shift, table) => {
            let code = table.iter().position(|&mv| mv == millivolts)? as u16;
            let mask = (table.len() as u16 - 1) << shift;
            Some((*register, mask, code << shift))
        }
        Level::Linear(..) => None,
    }
}

impl Supplies {
    /// Refuses what no board can have.
    ///
    /// # Errors
    /// A sentence that begins with the name of the entry.
    pub fn check(&self) -> Result<(), String> {
        let names = self.on.keys().chain(&self.dead);
        if let Some(wrong) = names.into_iter().find(|name| row(name).is_none()) {
            return Err(format!("rails: no rail is called {wrong:?}"));
        }
        let possible = |name: &str, mv| row(name).is_some_and(|row| code(&row.level, mv).is_some());
        match self.on.iter().find(|&(name, &mv)| !possible(name, mv)) {
            Some((name, mv)) => Err(format!("rails.on: {name} cannot be set to {mv} mV")),
            None => Ok(()),
        }
    }
}

impl Mt6323 {
    /// The same PMIC on a board with these supplies.
    #[must_use]
    pub fn with_supplies(mut self, supplies: Supplies) -> Self {
        let dead = supplies.dead.iter().filter_map(|name| rail(name));
        self.dead = dead.collect();
        self.supplies = supplies;
        self
    }

    /// What the preloader switches on.
    pub(super) fn switch_on_supplies(&mut self) {
        let on: Vec<_> = self
            .supplies
            .on
            .iter()
            .filter_map(|(name, &mv)| Some((row(name)?, mv)))
            .collect();
        for (row, millivolts) in on {
            if let Some((register, mask, value)) = code(&row.level, millivolts)
                && mask != 0
            {
                self.set(register, self.get(register) & !mask | value);
            }
            let (register, bit) = row.enable[0];
            self.set(register, self.get(register) | 1 << bit);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;
    use crate::signals::Rail;

    fn pmic(text: &str) -> Mt6323 {
        let supplies: Supplies = toml::from_str(text).unwrap();
        supplies.check().unwrap();
        Mt6323::new(0x1023).with_supplies(supplies)
    }

    #[test]
    fn the_preloader_may_switch_rails_on() {
        let mut world = TestWorld::default();
        let mut pmic = pmic("on = { vgp1 = 2800, vcam_io = 1800, vcamd = 1200 }");
        pmic.leave_as_preloader(&mut world.cx());
        let level = |world: &TestWorld, rail: Rail| world.signals.rail_mv(rail);
        assert_eq!(level(&world, Rail::Vgp1), 2800);
        assert_eq!(level(&world, Rail::VcamIo), 1800);
        assert_eq!(level(&world, Rail::Vcamd), 1200);
        assert_eq!(level(&world, Rail::Vgp2), 0);
        assert_eq!(pmic.read(0x530, &mut world.cx()) >> 5 & 7, 5);
        assert_eq!(pmic.read(0x50A, &mut world.cx()) >> 15, 1);
    }

    #[test]
    fn a_dead_rail_never_rises() {
        let mut world = TestWorld::default();
        let mut pmic = pmic("dead = ['vgp2', 'vio28']");
        pmic.leave_as_preloader(&mut world.cx());
        pmic.write(0x532, 5 << 5, &mut world.cx());
        pmic.write(0x50C, 1 << 15, &mut world.cx());
        assert_eq!(world.signals.rail_mv(Rail::Vgp2), 0);
        assert_eq!(world.signals.rail_mv(Rail::Vio28), 0);
        assert_eq!(world.signals.rail_mv(Rail::Vio18), 1800);
        assert_eq!(pmic.read(0x50C, &mut world.cx()) >> 15, 1, "as it was told");
    }

    #[test]
    fn what_no_board_can_have_is_refused() {
        for text in [
            "dead = ['vgp9']",
            "on = { vgp1 = 2700 }",
            "on = { vio18 = 2800 }",
            "on = { core = 1800 }",
        ] {
            let supplies: Supplies = toml::from_str(text).unwrap();
            assert!(supplies.check().is_err(), "{text}");
        }
    }
}

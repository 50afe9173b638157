//! The supplies: three buck converters and the LDOs.
//!
//! One row a rail: enable bit, voltage field with its codes, the bit by which
//! the sleep line would take the enable over, and the status bit. Rails that
//! carry the running system are never switched off, and their voltage and
//! that of the bucks is never changed.
//!
//! Source: facts/soc.md 10.4 and appendix B.

use super::{Mt6323, PmicError};
use crate::pwrap::PmicBus;

const EN_STATUS0: u16 = 0x0138;

/// A supply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are those of the rails")]
pub enum Rail {
    Vproc,
    Vsys,
    Vpa,
    Vtcxo,
    Va,
    Vcama,
    Vcn33Bt,
    Vcn33Wifi,
    Vcn28,
    Vio28,
    Vusb,
    Vmc,
    Vmch,
    Vemc3v3,
    Vgp1,
    Vgp2,
    Vgp3,
    Vcn1v8,
    Vsim1,
    Vsim2,
    Vrtc,
    VcamAf,
    Vibr,
    Vrf18,
    Vm,
    Vio18,
    Vcamd,
    VcamIo,
}

/// Which voltages a rail has, in millivolts.
enum Levels {
    /// One.
    Fixed(u16),
    /// A code is an index.
    Codes(&'static [u16]),
    /// A code is a number of steps.
    Steps { base_uv: u32, step_uv: u32 },
}

struct Row {
    enable: u16,
    enable_bit: u8,
    select: u16,
    select_shift: u8,
    select_mask: u16,
    levels: Levels,
    /// Register and bit that would hand the enable to the sleep line.
    handed: (u16, u8),
    /// Bit in EN_STATUS0 (0 to 15) and EN_STATUS1 (16 up).
    status: u8,
    /// The running system stands on it.
    protected: bool,
}

/// VGP1, VCAM_AF, VIBR.
const GENERAL: &[u16] = &[1200, 1300, 1500, 1800, 2000, 2800, 3000, 3300];
const VGP2: &[u16] = &[1200, 1300, 1500, 1800, 2500, 2800, 3000, 2000];
const VGP3: &[u16] = &[1200, 1300, 1500, 1800];
const VCAMA: &[u16] = &[1500, 1800, 2500, 2800];
/// The vendor's header says 1350 for the second.
const VCAMD: &[u16] = &[1200, 1300, 1500, 1800];
const VCN33: &[u16] = &[3300, 3400, 3500, 3600];
const VMC: &[u16] = &[1800, 3300];
const CARD: &[u16] = &[3000, 3300];
const SIM: &[u16] = &[1800, 3000];
const VM: &[u16] = &[1200, 1350, 1500, 1800];

/// A register that no rail has.
const NONE: u16 = 0xffff;

const fn fixed(enable: u16, enable_bit: u8, millivolts: u16, status: u8) -> Row {
    Row {
        enable,
        enable_bit,
        select: NONE,
        select_shift: 0,
        select_mask: 0,
        levels: Levels::Fixed(millivolts),
        handed: (NONE, 0),
        status,
        protected: false,
    }
}

const fn coded(enable: (u16, u8), select: (u16, u8), codes: &'static [u16], status: u8) -> Row {
    Row {
        select: select.0,
        select_shift: select.1,
        // Every list fills its field.
        select_mask: codes.len() as u16 - 1,
        levels: Levels::Codes(codes),
        ..fixed(enable.0, enable.1, 0, status)
    }
}

const fn buck(enable: u16, select: u16, mask: u16, base_uv: u32, step_uv: u32, status: u8) -> Row {
    Row {
        select,
        select_mask: mask,
        levels: Levels::Steps { base_uv, step_uv },
        ..fixed(enable, 0, 0, status)
    }
}

impl Row {
    const fn handed(self, register: u16, bit: u8) -> Self {
        Self {
            handed: (register, bit),
            ..self
        }
    }

    const fn protected(self) -> Self {
        Self {
            protected: true,
            ..self
        }
    }
}

/// In the order of [`Rail`].
static ROWS: [Row; 28] = [
    buck(0x021a, 0x0220, 0x7f, 700_000, 6_250, 0).protected(),
    buck(0x0240, 0x0246, 0x7f, 1_400_000, 12_500, 1).protected(),
    buck(0x030e, 0x0312, 0x3f, 500_000, 50_000, 2).protected(),
    fixed(0x0402, 10, 2800, 25).handed(0x0402, 11).protected(),
    // Whether VA's select bit does anything is not known.
    fixed(0x0404, 14, 2800, 4).protected(),
    coded((0x0408, 15), (0x0412, 5), VCAMA, 5).handed(0x0412, 7),
    coded((0x0416, 7), (0x0416, 2), VCN33, 10).handed(0x0416, 5),
    coded((0x0418, 12), (0x0416, 2), VCN33, 10).handed(0x0418, 14),
    fixed(0x041c, 12, 2800, 9).handed(0x041c, 14),
    fixed(0x0500, 14, 2800, 18),
    fixed(0x0502, 14, 3300, 26),
    coded((0x0504, 12), (0x052a, 4), VMC, 20).handed(0x052a, 1),
    coded((0x0506, 14), (0x052c, 7), CARD, 21).handed(0x052c, 1),
    coded((0x0508, 14), (0x052e, 7), CARD, 12).handed(0x052e, 1),
    coded((0x050a, 15), (0x0530, 5), GENERAL, 13).handed(0x054c, 15),
    coded((0x050c, 15), (0x0532, 5), VGP2, 14).handed(0x054c, 14),
    coded((0x050e, 15), (0x0534, 5), VGP3, 15).handed(0x054c, 13),
    fixed(0x0512, 14, 1800, 11).handed(0x0510, 1),
    coded((0x0516, 15), (0x053c, 5), SIM, 23).handed(0x054c, 9),
    coded((0x0518, 15), (0x053e, 5), SIM, 24).handed(0x054c, 8),
    fixed(0x051a, 8, 2800, 3).protected(),
    coded((0x0536, 15), (0x0538, 5), GENERAL, 7).handed(0x0538, 3),
    coded((0x0542, 15), (0x0544, 5), GENERAL, 16).handed(0x054c, 7),
    fixed(0x054e, 15, 1825, 22).handed(0x0550, 1),
    coded((0x0552, 14), (0x0554, 4), VM, 19).protected(),
    fixed(0x0556, 14, 1800, 17).handed(0x0558, 1).protected(),
    coded((0x055a, 14), (0x055c, 5), VCAMD, 6).handed(0x055c, 1),
    fixed(0x055e, 14, 1800, 8).handed(0x0560, 1),
];

impl Rail {
    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }
}

impl<B: PmicBus> Mt6323<B> {
    /// Whether the rail's enable bit is set.
    pub fn rail_enabled(&mut self, rail: Rail) -> Result<bool, PmicError> {
        let row = rail.row();
        Ok(self.bus.read(row.enable)? & 1 << row.enable_bit != 0)
    }

    /// Whether the rail is up, whoever asked for it.
    pub fn rail_is_up(&mut self, rail: Rail) -> Result<bool, PmicError> {
        let status = rail.row().status;
        let word = self.bus.read(EN_STATUS0 + u16::from(status / 16) * 2)?;
        Ok(word & 1 << (status % 16) != 0)
    }

    /// Switches the rail on, under software's control.
    pub fn enable_rail(&mut self, rail: Rail) -> Result<(), PmicError> {
        let row = rail.row();
        let (handed, bit) = row.handed;
        if !row.protected && handed != NONE {
            self.bus.update(handed, 1 << bit, 0)?;
        }
        Ok(self.bus.update(row.enable, 0, 1 << row.enable_bit)?)
    }

    /// Switches the rail off.
    pub fn disable_rail(&mut self, rail: Rail) -> Result<(), PmicError> {
        let row = rail.row();
        if row.protected {
            return Err(PmicError::Protected);
        }
        Ok(self.bus.update(row.enable, 1 << row.enable_bit, 0)?)
    }

    /// The rail's voltage when it is on, in millivolts (rounded down).
    pub fn rail_mv(&mut self, rail: Rail) -> Result<u16, PmicError> {
        let row = rail.row();
        if let Levels::Fixed(millivolts) = row.levels {
            return Ok(millivolts);
        }
        let code = self.bus.read(row.select)? >> row.select_shift & row.select_mask;
        match row.levels {
            Levels::Fixed(millivolts) => Ok(millivolts),
            Levels::Codes(codes) => codes
                .get(usize::from(code))
                .copied()
                .ok_or(PmicError::Voltage),
            Levels::Steps { base_uv, step_uv } => {
                Ok(((base_uv + step_uv * u32::from(code)) / 1000) as u16)
            }
        }
    }

    /// Sets the rail's voltage to exactly `millivolts`.
    pub fn set_rail_mv(&mut self, rail: Rail, millivolts: u16) -> Result<(), PmicError> {
        let row = rail.row();
        if row.protected {
            return Err(PmicError::Protected);
        }
        let Levels::Codes(codes) = row.levels else {
            let same = self.rail_mv(rail)? == millivolts;
            return if same {
                Ok(())
            } else {
                Err(PmicError::Voltage)
            };
        };
        let code = codes
            .iter()
            .position(|&level| level == millivolts)
            .ok_or(PmicError::Voltage)? as u16;
        let field = row.select_mask << row.select_shift;
        Ok(self
            .bus
            .update(row.select, field, code << row.select_shift)?)
    }

    /// The lowest voltage that the rail can be set to, in millivolts.
    pub fn rail_lowest_mv(rail: Rail) -> u16 {
        match rail.row().levels {
            Levels::Fixed(millivolts) => millivolts,
            Levels::Codes(codes) => codes.iter().copied().min().unwrap_or(0),
            Levels::Steps { base_uv, .. } => (base_uv / 1000) as u16,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::mt6323::fake::FakePmic;

    #[test]
    fn rows_are_in_the_order_of_the_rails() {
        for (rail, enable, bit) in [
            (Rail::Vproc, 0x021a, 0),
            (Rail::Vcama, 0x0408, 15),
            (Rail::Vcn33Wifi, 0x0418, 12),
            (Rail::Vemc3v3, 0x0508, 14),
            (Rail::Vgp3, 0x050e, 15),
            (Rail::Vrtc, 0x051a, 8),
            (Rail::Vibr, 0x0542, 15),
            (Rail::Vm, 0x0552, 14),
            (Rail::Vio18, 0x0556, 14),
            (Rail::VcamIo, 0x055e, 14),
        ] {
            assert_eq!((rail.row().enable, rail.row().enable_bit), (enable, bit));
        }
    }

    #[test]
    fn a_camera_rail_is_set_and_switched() {
        let mut pmic = Mt6323::new(FakePmic::with(&[(0x412, 0x0f9f)]));
        pmic.set_rail_mv(Rail::Vcama, 2800).unwrap();
        assert_eq!(pmic.bus().get(0x412), 0x0fff);
        assert_eq!(pmic.rail_mv(Rail::Vcama), Ok(2800));
        pmic.enable_rail(Rail::Vcama).unwrap();
        assert_eq!(pmic.bus().get(0x412), 0x0f7f, "software holds the enable");
        assert_eq!(pmic.bus().get(0x408), 0x8000);
        assert_eq!(pmic.rail_enabled(Rail::Vcama), Ok(true));
        pmic.disable_rail(Rail::Vcama).unwrap();
        assert_eq!(pmic.rail_enabled(Rail::Vcama), Ok(false));
    }

    #[test]
    fn voltages_are_those_of_the_table() {
        let mut pmic = Mt6323::new(FakePmic::with(&[(0x220, 72), (0x532, 7 << 5)]));
        assert_eq!(pmic.rail_mv(Rail::Vproc), Ok(1150));
        // The last code of VGP2 is out of order.
        assert_eq!(pmic.rail_mv(Rail::Vgp2), Ok(2000));
        assert_eq!(pmic.rail_mv(Rail::Vio28), Ok(2800));
        assert_eq!(pmic.set_rail_mv(Rail::Vgp3, 2800), Err(PmicError::Voltage));
        assert_eq!(Mt6323::<FakePmic>::rail_lowest_mv(Rail::Vmch), 3000);
    }

    #[test]
    fn the_running_system_keeps_its_supplies() {
        let mut pmic = Mt6323::new(FakePmic::default());
        for rail in [Rail::Vproc, Rail::Vsys, Rail::Vm, Rail::Vio18, Rail::Vrtc] {
            assert_eq!(pmic.disable_rail(rail), Err(PmicError::Protected));
            assert_eq!(pmic.set_rail_mv(rail, 1200), Err(PmicError::Protected));
        }
        assert!(pmic.bus().writes.is_empty());
    }

    #[test]
    fn status_bits_span_two_words() {
        let mut pmic = Mt6323::new(FakePmic::with(&[(0x138, 1 << 12), (0x13a, 1 << 10)]));
        assert_eq!(pmic.rail_is_up(Rail::Vemc3v3), Ok(true));
        assert_eq!(pmic.rail_is_up(Rail::Vusb), Ok(true));
        assert_eq!(pmic.rail_is_up(Rail::Vio18), Ok(false));
    }
}

//! SENINF (0x14014000), the sensor interface, as far as it makes the master
//! clock of the cameras (CMMCLK, pin 62). The rest is remembered.
//!
//! The clock runs while every stage of its path is open: the group's source,
//! CAM_MM, the three gates of MMSYS, this block, CMOS_EN of CAM, the pin's mode.
//! Whether UNIVPLL's 48 MHz output is enabled (UNIVPLL_CON0.29) is not looked
//! at: vendor code leaves that to the preloader, whose value is not known.
//! Source: facts/i2c-touch-camera.md 4.3, facts/soc.md 9.1, 9.2.

use super::scratch::Scratch;
use crate::bus::{Block, Context, Reset, Size};
use crate::machine::map::DOMAIN_DIS;
use crate::signals::Signals;

const NAME: &str = "SENINF";
const LEN: u32 = 0x1000;

const TOP_CTRL: u32 = 0x000;
const TG1_PH_CNT: u32 = 0x300;
const TG1_SEN_CK: u32 = 0x304;

/// TOP_CTRL: the two pixel clock enables.
const PIXEL_CLOCKS: u32 = 3 << 10;
/// TG1_PH_CNT.
const PCEN: u32 = 1 << 31;
const ADCLK_EN: u32 = 1 << 29;
const TGCLK_SEL: u32 = 3;

/// CLK_MUX_SEL.17: 208 MHz instead of 48 MHz.
const MUX_CAM: u8 = 17;
/// CG0: CAM_MM.
const GATE_CAM_MM: u8 = 1;
/// MMSYS CG0: CAM, SENINF, CAMTG.
const GATES_MM: u32 = 7 << 16;
const SLOW_GROUP_HZ: u64 = 48_000_000;
/// UNIVPLL to the fast group.
const FAST_DIVIDER: u64 = 6;
const CMMCLK_PIN: usize = 62;
const CMMCLK_MODE: u8 = 1;

/// The block.
pub struct Seninf {
    registers: Scratch,
    top_ctrl: u32,
    ph_cnt: u32,
    sen_ck: u32,
}

impl Default for Seninf {
    fn default() -> Self {
        Self::new()
    }
}

/// What the divider is fed with.
fn source_hz(signals: &Signals) -> Option<u64> {
    let open = signals.univpll_hz != 0
        && signals.cg0 >> GATE_CAM_MM & 1 == 0
        && signals.domain_on(DOMAIN_DIS)
        && signals.mm_cg0 & GATES_MM == 0;
    let fast = signals.clk_mux_sel >> MUX_CAM & 1 != 0;
    open.then_some(if fast {
        signals.univpll_hz / FAST_DIVIDER
    } else {
        SLOW_GROUP_HZ
    })
}

impl Seninf {
    /// Everything off.
    pub fn new() -> Self {
        Seninf {
            registers: Scratch::new(NAME, LEN),
            top_ctrl: 0,
            ph_cnt: 0,
            sen_ck: 0,
        }
    }

    fn clock_hz(&self, signals: &Signals) -> Option<u32> {
        let source = source_hz(signals)?;
        let enabled = self.top_ctrl & PIXEL_CLOCKS == PIXEL_CLOCKS
            && self.ph_cnt & (PCEN | ADCLK_EN) == PCEN | ADCLK_EN
            && self.ph_cnt & TGCLK_SEL == 1
            && signals.cam_cmos_en
            && signals.pin_mode[CMMCLK_PIN] == CMMCLK_MODE;
        let divider = u64::from(self.sen_ck >> 16 & 0x3F) + 1;
        enabled.then_some((source / divider) as u32)
    }

    fn drive(&self, cx: &mut Context<'_>) {
        let clock = self.clock_hz(cx.signals);
        if clock.is_some() != cx.signals.cmmclk_hz.is_some() {
            cx.log.push(match clock {
                Some(hz) => format!("{NAME}: CMMCLK runs at {hz} Hz"),
                None => format!("{NAME}: CMMCLK rests"),
            });
        }
        cx.signals.cmmclk_hz = clock;
    }
}

impl Block for Seninf {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        self.registers.read(offset, size, cx)
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        self.registers.write(offset, size, value, cx);
        match offset {
            TOP_CTRL => self.top_ctrl = value,
            TG1_PH_CNT => self.ph_cnt = value,
            TG1_SEN_CK => self.sen_ck = value,
            _ => {}
        }
        self.drive(cx);
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        self.registers.reset(kind, cx);
        (self.top_ctrl, self.ph_cnt, self.sen_ck) = (0, 0, 0);
        self.drive(cx);
    }

    fn watches_wires(&self) -> bool {
        true
    }

    fn wires_changed(&mut self, cx: &mut Context<'_>) {
        // Without its power domain it forgets.
        if !cx.signals.domain_on(DOMAIN_DIS) && (self.top_ctrl | self.ph_cnt | self.sen_ck) != 0 {
            self.reset(Reset::Watchdog, cx);
        } else {
            self.drive(cx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;

    /// Everything outside of the block as facts/i2c-touch-camera.md 4.3 leaves it.
    fn open_path() -> TestWorld {
        let mut world = TestWorld::default();
        world.signals.pwr_status = 1 << DOMAIN_DIS;
        world.signals.mm_cg0 = !(GATES_MM | 3);
        world.signals.cam_cmos_en = true;
        world.signals.pin_mode[CMMCLK_PIN] = 1;
        world
    }

    fn start(world: &mut TestWorld, seninf: &mut Seninf, sen_ck: u32) {
        world.write(seninf, TOP_CTRL, 0xC00);
        world.write(seninf, TG1_SEN_CK, sen_ck);
        world.write(seninf, TG1_PH_CNT, 0xA000_0001);
    }

    #[test]
    fn clocks_of_both_groups() {
        let (mut world, mut seninf) = (open_path(), Seninf::new());
        start(&mut world, &mut seninf, 0x0001_0001);
        assert_eq!(world.signals.cmmclk_hz, Some(24_000_000));
        world.write(&mut seninf, TG1_SEN_CK, 0x0003_0002);
        assert_eq!(world.signals.cmmclk_hz, Some(12_000_000));
        world.signals.clk_mux_sel = 1 << 17;
        world.write(&mut seninf, TG1_SEN_CK, 0x0007_0004);
        assert_eq!(world.signals.cmmclk_hz, Some(26_000_000));
        assert!(world.reports.is_empty());
    }

    type Spoil = fn(&mut Signals);

    #[test]
    fn every_stage_of_the_path_counts() {
        let spoils: [Spoil; 9] = [
            |s| s.univpll_hz = 0,
            |s| s.cg0 = 1 << 1,
            |s| s.mm_cg0 |= 1 << 16,
            |s| s.mm_cg0 |= 1 << 17,
            |s| s.mm_cg0 |= 1 << 18,
            |s| s.cam_cmos_en = false,
            |s| s.pin_mode[62] = 0,
            |s| s.pin_mode[62] = 7,
            |s| s.pwr_status = 0,
        ];
        for (index, spoil) in spoils.into_iter().enumerate() {
            let (mut world, mut seninf) = (open_path(), Seninf::new());
            start(&mut world, &mut seninf, 0x0001_0001);
            assert!(world.signals.cmmclk_hz.is_some());
            spoil(&mut world.signals);
            seninf.wires_changed(&mut world.cx());
            assert_eq!(world.signals.cmmclk_hz, None, "spoil {index}");
        }
        for (offset, value) in [
            (TOP_CTRL, 0x800),
            (TG1_PH_CNT, 0x8000_0001),
            (TG1_PH_CNT, 0x2000_0001),
            (TG1_PH_CNT, 0xA000_0000),
        ] {
            let (mut world, mut seninf) = (open_path(), Seninf::new());
            start(&mut world, &mut seninf, 0x0001_0001);
            world.write(&mut seninf, offset, value);
            assert_eq!(world.signals.cmmclk_hz, None, "{offset:#x} = {value:#x}");
        }
    }

    #[test]
    fn without_its_power_domain_it_forgets() {
        let (mut world, mut seninf) = (open_path(), Seninf::new());
        start(&mut world, &mut seninf, 0x0001_0001);
        world.signals.pwr_status = 0;
        seninf.wires_changed(&mut world.cx());
        world.signals.pwr_status = 1 << DOMAIN_DIS;
        seninf.wires_changed(&mut world.cx());
        assert_eq!(world.signals.cmmclk_hz, None);
        assert_eq!(world.read(&mut seninf, TG1_PH_CNT), 0);
    }
}

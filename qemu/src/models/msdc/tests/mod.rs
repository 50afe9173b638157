//! MSDC and eMMC together, driven through the registers in the manner of each
//! software that will meet them: vendor LK (polled, FIFO or descriptors),
//! Linux (interrupts, DMA, auto CMD12), U-Boot (FIFO).

#![allow(clippy::unwrap_used)]

mod dma;
mod faults;
mod pio;
mod registers;
mod timing;

use super::Msdc;
use super::regs::{int, reg};
use crate::bus::{Block, Nanos, TestWorld};
use crate::models::emmc::{Config, Emmc, Stores};
use crate::signals::Rail;

const MS: Nanos = 1_000_000;
/// DRAM of the test world.
const RAM: u32 = crate::bus::TEST_MEMORY_BASE;
const RCA: u32 = 1 << 16;
/// MSDC_CFG: SD/MMC, free-running clock, FIFO by CPU.
const CFG_BASE: u32 = 0b1011;
/// UNIVPLL/6 = 208 MHz for both controllers.
const MUX_208: u32 = 7 << 11 | 7 << 20;

/// Raw SDC_CMD values of facts/storage-and-images.md 8.2.
mod raw {
    pub const CMD0: u32 = 0x0000_0000;
    pub const CMD1: u32 = 0x0000_0181;
    pub const CMD2: u32 = 0x0000_0102;
    pub const CMD3: u32 = 0x0000_0083;
    pub const CMD7: u32 = 0x0000_0387;
    pub const CMD9: u32 = 0x0000_0109;
    pub const CMD6: u32 = 0x0200_0386;
    pub const CMD8: u32 = 0x0200_0888;
    pub const CMD12_R1: u32 = 0x0000_408C;
    pub const CMD12_R1B: u32 = 0x0000_438C;
    pub const CMD13: u32 = 0x0200_008D;
    pub const CMD16: u32 = 0x0200_0090;
    pub const CMD17: u32 = 0x0200_0891;
    pub const CMD18: u32 = 0x0200_1092;
    pub const CMD24: u32 = 0x0200_2898;
    pub const CMD25: u32 = 0x0200_3099;
    pub const AUTO12: u32 = 1 << 28;
    pub const AUTO23: u32 = 2 << 28;
}

/// A phone reduced to its MSDC0, with a CPU that needs 100 ns an access.
struct Rig {
    world: TestWorld,
    msdc: Msdc,
}

impl Rig {
    fn new(config: Config) -> Rig {
        Rig::with_card(Emmc::new(config, Stores::user(Vec::new())).unwrap())
    }

    fn with_card(card: Emmc) -> Rig {
        let mut world = TestWorld::default();
        world.signals.rails_mv[Rail::Vemc3v3 as usize] = 3300;
        world.signals.rails_mv[Rail::Vio18 as usize] = 1800;
        world.signals.pin_mode[44..=54].fill(1);
        world.signals.clk_mux_sel = MUX_208;
        Rig {
            world,
            msdc: Msdc::new(0, Some(card)),
        }
    }

    /// Identified, 8 bit, 52 MHz.
    fn ready(config: Config) -> Rig {
        let mut rig = Rig::new(config);
        rig.identify();
        rig.speed_up(2, 2, 0x0000_0100);
        rig
    }

    fn spend(&mut self, ns: Nanos) {
        let to = self.world.now + ns;
        self.world.advance(&mut self.msdc, to);
    }

    fn read(&mut self, offset: u32) -> u32 {
        self.spend(100);
        self.world.read(&mut self.msdc, offset)
    }

    fn write(&mut self, offset: u32, value: u32) {
        self.spend(100);
        self.world.write(&mut self.msdc, offset, value);
    }

    /// Sets CKMOD and CKDIV and waits for CKSTB.
    fn clock(&mut self, bits: u32) {
        self.write(reg::MSDC_CFG, CFG_BASE | bits);
        while self.read(reg::MSDC_CFG) & 1 << 7 == 0 {}
    }

    /// Polls MSDC_INT as all polling software does, and writes back what it saw.
    fn wait(&mut self, mask: u32) -> u32 {
        for _ in 0..3_000_000 {
            let seen = self.read(reg::MSDC_INT);
            if seen & mask != 0 {
                self.write(reg::MSDC_INT, seen);
                return seen;
            }
        }
        panic!("MSDC_INT never showed any of {mask:#x}");
    }

    /// Starts a command and waits until it is over: the bits of MSDC_INT.
    fn command(&mut self, raw: u32, arg: u32) -> u32 {
        for _ in 0..1_000_000 {
            if self.read(reg::SDC_STS) & 2 == 0 {
                break;
            }
        }
        self.write(reg::SDC_ARG, arg);
        self.write(reg::SDC_CMD, raw);
        self.wait(int::CMDRDY | int::CMDTMO | int::RSPCRCERR | int::ACMDTMO)
    }

    /// A command that must succeed: SDC_RESP0.
    fn ok(&mut self, raw: u32, arg: u32) -> u32 {
        let seen = self.command(raw, arg);
        assert_ne!(
            seen & int::CMDRDY,
            0,
            "CMD{} ended with {seen:#x}",
            raw & 0x3F
        );
        self.read(reg::SDC_RESP0)
    }

    fn wait_dat0(&mut self) {
        while self.read(reg::MSDC_PS) & 1 << 16 == 0 {
            self.spend(10_000);
        }
    }

    fn set_up(&mut self) {
        self.write(reg::MSDC_CFG, 0b1011);
        self.write(reg::MSDC_CFG, 0b1111);
        self.write(reg::MSDC_FIFOCS, 1 << 31);
        let pending = self.read(reg::MSDC_INT);
        self.write(reg::MSDC_INT, pending);
        self.write(reg::SDC_CFG, 3 << 24 | 1 << 19 | 2);
        self.clock(200 << 8);
    }

    /// The order of vendor LK (facts/storage-and-images.md 8.5), until selected.
    fn identify(&mut self) {
        self.set_up();
        self.ok(raw::CMD0, 0);
        let ocr = self.ok(raw::CMD1, 0);
        self.ok(raw::CMD0, 0);
        for tries in 0.. {
            assert!(tries < 100, "CMD1 never reported ready");
            if self.ok(raw::CMD1, ocr | 1 << 30) >> 31 != 0 {
                break;
            }
            self.spend(10 * MS);
        }
        self.ok(raw::CMD2, 0);
        self.ok(raw::CMD3, RCA);
        self.ok(raw::CMD9, RCA);
        self.ok(raw::CMD7, RCA);
        self.wait_dat0();
    }

    fn switch(&mut self, index: u32, value: u32) {
        self.ok(raw::CMD6, 3 << 24 | index << 16 | value << 8);
        self.wait_dat0();
        assert_eq!(
            self.ok(raw::CMD13, RCA),
            0x900,
            "SWITCH of EXT_CSD[{index}]"
        );
    }

    /// `ext_width` for EXT_CSD byte 183, `width` for SDC_CFG, `clock` for MSDC_CFG.
    fn speed_up(&mut self, ext_width: u32, width: u32, clock: u32) {
        self.switch(185, 1);
        self.switch(183, ext_width);
        self.write(reg::SDC_CFG, 3 << 24 | 1 << 19 | width << 16 | 2);
        self.clock(clock);
    }

    /// Something to recognise sectors by: sector number and byte number.
    fn pattern(lba: u32, sectors: u32) -> Vec<u8> {
        (lba..lba + sectors)
            .flat_map(|sector| {
                (0..512u32).map(move |byte| (sector.wrapping_mul(31) ^ byte ^ byte >> 8) as u8)
            })
            .collect()
    }

    fn fill(&mut self, lba: u32, sectors: u32) {
        self.msdc
            .user_write(lba, &Rig::pattern(lba, sectors))
            .unwrap();
    }

    fn ram(&self, offset: usize, len: usize) -> &[u8] {
        &self.world.memory.0[offset..offset + len]
    }

    fn irq(&self) -> bool {
        self.world.irq.get(26)
    }

    /// The guest errors so far, which are thereby dealt with.
    fn errors(&mut self) -> Vec<String> {
        std::mem::take(&mut self.world.reports)
            .into_iter()
            .map(|report| report.message)
            .collect()
    }

    fn no_errors(&mut self) {
        assert_eq!(self.errors(), Vec::<String>::new());
    }

    /// One guest error, which says `part`.
    fn one_error(&mut self, part: &str) {
        let errors = self.errors();
        assert!(
            errors.len() == 1 && errors[0].contains(part),
            "expected {part:?}, got {errors:?}"
        );
    }
}

//! SPM: power domains on and off.
//!
//! A domain is powered up, isolated no longer, reset, and only then is the
//! fence between it and the bus taken down.
//!
//! Source: facts/soc.md 9.6.

use crate::clocks::Infracfg;
use crate::reg::{Update, Write, assert_offsets};
use crate::time::{Micros, Timeout, delay, poll};
use volatile_register::{RO, RW};

/// Registers of the block.
#[repr(C)]
pub struct RegisterBlock {
    poweron_config: RW<u32>,
    _reserved0: [u32; 0x7f],
    /// PWR_CON of the domains, 0x200 to 0x290.
    domains: [RW<u32>; 0x25],
    _reserved1: [u32; 0xde],
    /// Bit a domain: powered, as its first and as its second switch say.
    status: [RO<u32>; 2],
}

assert_offsets!(RegisterBlock {
    domains: 0x200,
    status: 0x60c,
});

/// Project code and enable bit: the other registers take writes after it.
const UNLOCK: u32 = 0x0b16_0001;

// PWR_CON.
const RST_B: u32 = 1 << 0;
const ISO: u32 = 1 << 1;
const ON: u32 = 1 << 2;
const ON_S: u32 = 1 << 3;
const CLK_DIS: u32 = 1 << 4;

/// Switches follow within microseconds.
const SWITCH_TIMEOUT: Micros = Micros(10_000);

/// A power domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// All of MMSYS: display, MDP, camera, codec.
    Display,
    /// GPU.
    Mfg,
    /// Wi-Fi, Bluetooth, GPS.
    Conn,
}

/// Where a domain's bits are.
struct Layout {
    /// Offset of its PWR_CON from 0x200.
    control: usize,
    status: u32,
    /// Power-down bits of its SRAMs in PWR_CON, [first, past the last).
    sram: (u32, u32),
    /// The SRAMs' acknowledge bits.
    sram_ack: u32,
    /// Its fences in INFRACFG_AO.
    fences: u32,
}

impl Domain {
    const fn layout(self) -> Layout {
        match self {
            Self::Display => Layout {
                control: 0x3c,
                status: 1 << 3,
                sram: (8, 12),
                sram_ack: 0xf << 12,
                fences: 1 << 11,
            },
            Self::Mfg => Layout {
                control: 0x14,
                status: 1 << 4,
                sram: (8, 9),
                sram_ack: 1 << 12,
                fences: 0,
            },
            Self::Conn => Layout {
                control: 0x80,
                status: 1 << 1,
                sram: (0, 0),
                sram_ack: 0,
                fences: 1 << 0 | 1 << 4,
            },
        }
    }
}

/// What a domain did not do in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SpmError {
    /// Its switch did not follow.
    Switch,
    /// Its SRAM did not follow.
    Sram,
    /// The bus fence did not follow.
    Fence,
}

impl SpmError {
    /// Short code for screen and log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Switch => "SPM-SW",
            Self::Sram => "SPM-SRAM",
            Self::Fence => "SPM-FENCE",
        }
    }
}

/// The power domains.
pub struct Spm {
    regs: &'static RegisterBlock,
}

impl Spm {
    /// The driver of the block `regs`.
    pub const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs }
    }

    /// Opens the block for writing, and leaves it open.
    pub fn unlock(&mut self) {
        self.regs.poweron_config.put(UNLOCK);
    }

    /// Whether both switches of the domain are closed.
    pub fn is_on(&self, domain: Domain) -> bool {
        self.switched(domain.layout().status, true)
    }

    /// Powers a domain up, resets it and connects it. One that is on already
    /// is left alone.
    pub fn power_on(&mut self, domain: Domain, infra: &mut Infracfg) -> Result<(), SpmError> {
        if self.is_on(domain) {
            return Ok(());
        }
        let layout = domain.layout();
        self.unlock();
        let control = &self.regs.domains[layout.control / 4];
        control.update(|value| value | ON);
        delay(Micros(1));
        control.update(|value| value | ON_S);
        delay(Micros(3));
        self.await_switch(layout.status, true)?;
        for bit in layout.sram.0..layout.sram.1 {
            control.update(|value| value & !(1 << bit));
        }
        control.update(|value| value & !CLK_DIS);
        control.update(|value| value & !ISO);
        poll(SWITCH_TIMEOUT, || control.read() & layout.sram_ack == 0)
            .map_err(|Timeout| SpmError::Sram)?;
        control.update(|value| value | CLK_DIS);
        control.update(|value| value | RST_B);
        control.update(|value| value & !CLK_DIS);
        infra
            .unprotect(layout.fences)
            .map_err(|Timeout| SpmError::Fence)
    }

    /// Fences a domain off and powers it down.
    pub fn power_off(&mut self, domain: Domain, infra: &mut Infracfg) -> Result<(), SpmError> {
        let layout = domain.layout();
        infra
            .protect(layout.fences)
            .map_err(|Timeout| SpmError::Fence)?;
        self.unlock();
        let control = &self.regs.domains[layout.control / 4];
        control.update(|value| value | CLK_DIS);
        control.update(|value| value | ISO);
        control.update(|value| value & !RST_B);
        for bit in layout.sram.0..layout.sram.1 {
            control.update(|value| value | 1 << bit);
        }
        poll(SWITCH_TIMEOUT, || {
            control.read() & layout.sram_ack == layout.sram_ack
        })
        .map_err(|Timeout| SpmError::Sram)?;
        control.update(|value| value & !ON);
        control.update(|value| value & !ON_S);
        self.await_switch(layout.status, false)
    }

    fn await_switch(&self, status: u32, on: bool) -> Result<(), SpmError> {
        poll(SWITCH_TIMEOUT, || self.switched(status, on)).map_err(|Timeout| SpmError::Switch)
    }

    fn switched(&self, status: u32, on: bool) -> bool {
        self.regs
            .status
            .iter()
            .all(|word| (word.read() & status != 0) == on)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg::{leaked, poke};
    use crate::time::clock;

    /// Status and SRAM acknowledge mirror the control bits, as on silicon.
    fn animate(regs: &'static RegisterBlock, index: usize, status: u32) {
        clock::each_tick(move || {
            let control = regs.domains[index].read();
            let on = |bit| if control & bit != 0 { status } else { 0 };
            poke(&regs.status[0], on(ON));
            poke(&regs.status[1], on(ON_S));
            let acks = control >> 8 & 0xf;
            regs.domains[index].put(control & !0xf000 | acks << 12);
        });
    }

    #[test]
    fn unlocking_writes_the_project_code() {
        let regs: &RegisterBlock = leaked();
        Spm::new(regs).unlock();
        assert_eq!(regs.poweron_config.read(), 0x0b16_0001);
    }

    #[test]
    fn display_goes_on_and_off() {
        let regs: &RegisterBlock = leaked();
        regs.domains[0x3c / 4].put(0xff12);
        animate(regs, 0x3c / 4, 1 << 3);
        let mut infra = Infracfg::new(leaked());
        let mut spm = Spm::new(regs);
        assert_eq!(spm.power_on(Domain::Display, &mut infra), Ok(()));
        assert_eq!(regs.domains[0x3c / 4].read(), ON | ON_S | RST_B);
        assert_eq!(regs.poweron_config.read(), 0x0b16_0001);
        assert!(spm.is_on(Domain::Display));
    }

    #[test]
    fn a_domain_that_does_not_follow_is_reported() {
        let mut infra = Infracfg::new(leaked());
        let mut spm = Spm::new(leaked());
        assert_eq!(spm.power_on(Domain::Mfg, &mut infra), Err(SpmError::Switch));
        // The fence of the display domain never shows in the status.
        assert_eq!(
            spm.power_off(Domain::Display, &mut infra),
            Err(SpmError::Fence)
        );
    }

    #[test]
    fn gpu_goes_off() {
        let regs: &RegisterBlock = leaked();
        regs.domains[0x14 / 4].put(ON | ON_S | RST_B);
        animate(regs, 0x14 / 4, 1 << 4);
        let mut infra = Infracfg::new(leaked());
        assert_eq!(Spm::new(regs).power_off(Domain::Mfg, &mut infra), Ok(()));
        assert_eq!(regs.domains[0x14 / 4].read() & 0xff, ISO | CLK_DIS);
    }
}

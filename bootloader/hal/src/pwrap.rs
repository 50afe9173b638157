//! PWRAP: the bridge to the PMIC, a dedicated SPI master with hardware
//! arbitration. Software owns its port "WACS2".
//!
//! The preloader leaves it initialised and nothing here disturbs that; the
//! full set-up, [`Pwrap::initialise`], is for images that were started by
//! other means.
//! An access takes a few microseconds. The port is a small state machine: a
//! predecessor may have left a read half-way, which the next access clears.
//!
//! Source: facts/soc.md 10.1 and 10.2.

mod init;

use crate::reg::{Write, assert_offsets};
use crate::time::{Micros, Timeout, poll};
use arbitrary_int::{u3, u15};
use bitbybit::bitfield;
use volatile_register::{RO, RW, WO};

/// Registers of the block.
#[repr(C)]
pub struct RegisterBlock {
    mux_sel: RW<u32>,
    wrap_en: RW<u32>,
    dio_en: RW<u32>,
    sidly: RW<u32>,
    op_type: RW<u32>,
    msb_first: RW<u32>,
    rddmy: RW<u32>,
    si_ck_con: RW<u32>,
    cshext_write: RW<u32>,
    cshext_read: RW<u32>,
    cslext_start: RW<u32>,
    cslext_end: RW<u32>,
    staupd_prd: RW<u32>,
    staupd_grpen: RW<u32>,
    staupd_man_trig: RW<u32>,
    staupd_sta: RO<u32>,
    event_sta: RO<u32>,
    wrap_sta: RO<u32>,
    harb_init: RW<u32>,
    harb_hprio: RW<u32>,
    hiprio_arb_en: RW<u32>,
    harb_sta: [RO<u32>; 2],
    man_en: RW<u32>,
    man_cmd: RW<u32>,
    man_rdata: RO<u32>,
    man_vldclr: WO<u32>,
    wacs0: Wacs,
    wacs1: Wacs,
    wacs2: Wacs,
    int_en: RW<u32>,
    int_flg_raw: RO<u32>,
    int_flg: RO<u32>,
    int_clr: WO<u32>,
    sig_adr: RW<u32>,
    sig_mode: RW<u32>,
    sig_value: RW<u32>,
    sig_errval: RO<u32>,
    crc_en: RW<u32>,
    timer_en: RW<u32>,
    timer_sta: RO<u32>,
    wdt_unit: RW<u32>,
    wdt_src_en: RW<u32>,
    wdt_flg: RO<u32>,
    debug_int_sel: RW<u32>,
    dvfs: [RW<u32>; 16],
    cipher_key_sel: RW<u32>,
    cipher_iv_sel: RW<u32>,
    cipher_en: RW<u32>,
    cipher_rdy: RO<u32>,
    cipher_mode: RW<u32>,
    cipher_swrst: RW<u32>,
    dcm_en: RW<u32>,
    dcm_dbc_prd: RW<u32>,
    adc_cmd_addr: RW<u32>,
    adc_cmd: RW<u32>,
    adc_rdy_addr: RW<u32>,
    adc_rdata_addr: [RW<u32>; 2],
    _reserved: [u32; 10],
    swrst: RW<u32>,
}

/// Registers of one software port.
#[repr(C)]
struct Wacs {
    enable: RW<u32>,
    init_done: RW<u32>,
    command: WO<u32>,
    read_data: RO<u32>,
    valid_clear: WO<u32>,
}

assert_offsets!(RegisterBlock {
    rddmy: 0x018,
    hiprio_arb_en: 0x050,
    man_cmd: 0x060,
    wacs0: 0x06c,
    wacs1: 0x080,
    wacs2: 0x094,
    int_en: 0x0a8,
    crc_en: 0x0c8,
    wdt_src_en: 0x0d8,
    dvfs: 0x0e4,
    cipher_key_sel: 0x124,
    cipher_swrst: 0x138,
    adc_cmd_addr: 0x144,
    adc_rdata_addr: 0x150,
    swrst: 0x180,
});

/// WACSx_RDATA.
#[bitfield(u32)]
struct PortState {
    #[bits(0..=15, r)]
    data: u16,
    #[bits(16..=18, r)]
    fsm: u3,
    /// No transfer on the SPI.
    #[bit(20, r)]
    sync_idle: bool,
    #[bit(21, r)]
    init_done: bool,
}

const FSM_IDLE: u3 = u3::new(0);
/// Data is valid and waits to be cleared.
const FSM_VALID: u3 = u3::new(6);

/// WACSx_CMD.
#[bitfield(u32, default = 0)]
struct Command {
    #[bits(0..=15, rw)]
    data: u16,
    /// PMIC address / 2.
    #[bits(16..=30, rw)]
    address: u15,
    #[bit(31, rw)]
    write: bool,
}

/// The vendor's bound for each half of an access.
const ACCESS_TIMEOUT: Micros = Micros(255);

/// Why the PMIC could not be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum PwrapError {
    /// The wrapper says that nobody has initialised it.
    NotInitialised,
    /// The port did not become idle.
    Busy,
    /// No data came back.
    Timeout,
    /// No strobe setting reads the PMIC's test word.
    Calibration,
    /// The encrypted link did not come up.
    Cipher,
    /// The PMIC's test word reads wrong after a change of the link.
    ReadTest,
    /// What was written to the PMIC did not read back.
    WriteTest,
}

impl PwrapError {
    /// Short code for screen and log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotInitialised => "PWRAP-INIT",
            Self::Busy => "PWRAP-BUSY",
            Self::Timeout => "PWRAP-TMO",
            Self::Calibration => "PWRAP-CAL",
            Self::Cipher => "PWRAP-CIPH",
            Self::ReadTest => "PWRAP-RD",
            Self::WriteTest => "PWRAP-WR",
        }
    }
}

/// Registers of the PMIC, 16 bits at even addresses. The seam at which the
/// PMIC's drivers are tested.
pub trait PmicBus {
    /// Reads the register at `address`.
    fn read(&mut self, address: u16) -> Result<u16, PwrapError>;

    /// Writes the register at `address`. The transfer may still be under way
    /// on return; accesses keep their order.
    fn write(&mut self, address: u16, value: u16) -> Result<(), PwrapError>;

    /// Clears the bits of `clear`, then sets those of `set`.
    fn update(&mut self, address: u16, clear: u16, set: u16) -> Result<(), PwrapError> {
        let old = self.read(address)?;
        self.write(address, old & !clear | set)
    }
}

/// The PMIC wrapper.
pub struct Pwrap {
    regs: &'static RegisterBlock,
}

impl Pwrap {
    /// The driver of the block `regs`.
    pub const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs }
    }

    /// Whether the wrapper has been initialised since the last reset.
    pub fn is_initialised(&self) -> bool {
        self.state().init_done()
    }

    /// Waits until the port takes a command, clearing what a predecessor left
    /// in it.
    fn await_idle(&mut self) -> Result<(), PwrapError> {
        let regs = &self.regs.wacs2;
        poll(ACCESS_TIMEOUT, || {
            let fsm = self.state().fsm();
            if fsm == FSM_VALID {
                regs.valid_clear.put(1);
            }
            fsm == FSM_IDLE
        })
        .map_err(|Timeout| PwrapError::Busy)
    }

    /// A read that does not ask whether the wrapper is initialised.
    fn raw_read(&mut self, address: u16) -> Result<u16, PwrapError> {
        self.await_idle()?;
        self.command(address, None);
        poll(ACCESS_TIMEOUT, || self.state().fsm() == FSM_VALID)
            .map_err(|Timeout| PwrapError::Timeout)?;
        let data = self.state().data();
        self.regs.wacs2.valid_clear.put(1);
        Ok(data)
    }

    /// A write that does not ask whether the wrapper is initialised.
    fn raw_write(&mut self, address: u16, value: u16) -> Result<(), PwrapError> {
        self.await_idle()?;
        self.command(address, Some(value));
        Ok(())
    }

    fn command(&mut self, address: u16, write: Option<u16>) {
        let command = Command::DEFAULT
            .with_address(u15::new(address >> 1))
            .with_write(write.is_some())
            .with_data(write.unwrap_or(0));
        self.regs.wacs2.command.put(command.raw_value());
    }

    fn check_initialised(&self) -> Result<(), PwrapError> {
        if self.is_initialised() {
            Ok(())
        } else {
            Err(PwrapError::NotInitialised)
        }
    }

    fn state(&self) -> PortState {
        PortState::new_with_raw_value(self.regs.wacs2.read_data.read())
    }
}

impl PmicBus for Pwrap {
    fn read(&mut self, address: u16) -> Result<u16, PwrapError> {
        self.check_initialised()?;
        self.raw_read(address)
    }

    fn write(&mut self, address: u16, value: u16) -> Result<(), PwrapError> {
        self.check_initialised()?;
        self.raw_write(address, value)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

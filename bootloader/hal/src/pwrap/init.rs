//! Setting the wrapper and its link to the PMIC up from nothing: reset, find
//! the strobe at which the PMIC answers, then dual data lines, encryption and
//! checksums, in the order that the preloader uses. The two ends must change
//! each property together, which is why the order is fixed.
//!
//! Source: facts/soc.md 10.3.

use super::{Pwrap, PwrapError};
use crate::clocks::{Gate, Topckgen};
use crate::reg::Write;
use crate::time::{Micros, Timeout, poll};
use crate::toprgu::{BlockReset, Toprgu};

/// Registers of the PMIC's end of the link.
mod pmic {
    pub(super) const TOP_CKCON1_CLEAR: u16 = 0x012a;
    pub(super) const DIO_EN: u16 = 0x018a;
    pub(super) const READ_TEST: u16 = 0x018c;
    pub(super) const WRITE_TEST: u16 = 0x018e;
    pub(super) const CRC_EN: u16 = 0x0192;
    pub(super) const CRC_VAL: u16 = 0x0194;
    pub(super) const CIPHER_KEY_SEL: u16 = 0x0198;
    pub(super) const CIPHER_IV_SEL: u16 = 0x019a;
    pub(super) const CIPHER_EN: u16 = 0x019c;
    pub(super) const CIPHER_RDY: u16 = 0x019e;
    pub(super) const CIPHER_MODE: u16 = 0x01a0;
    pub(super) const CIPHER_SWRST: u16 = 0x01a2;
    pub(super) const RDDMY_NO: u16 = 0x01a4;
}

const READ_TEST_WORD: u16 = 0x5aa5;
const WRITE_TEST_WORD: u16 = 0xa55a;
/// Strobe settings that are tried.
const STROBES: u32 = 24;
/// For states of the link that follow within a few transfers.
const LINK_TIMEOUT: Micros = Micros(5000);
/// Arbiter: software port 2 only, and all ports.
const ARBITER_WACS2: u32 = 0x008;
const ARBITER_ALL: u32 = 0x1ff;
/// Manual commands to the SPI slave.
const MAN_WRITE: u32 = 1 << 13;
const MAN_SELECT: u32 = 1 << 8;
const MAN_DESELECT: u32 = 0;
const MAN_OUTPUT: u32 = 8 << 8;

impl Pwrap {
    /// Sets up the wrapper and the link. Only for a wrapper that is not
    /// initialised: this resets the PMIC's end of the link.
    pub fn initialise(
        &mut self,
        clocks: &mut Topckgen,
        toprgu: &mut Toprgu,
    ) -> Result<(), PwrapError> {
        self.reset_block(clocks, toprgu);
        clocks.open_pwrap_spi();
        self.regs.dcm_en.put(1);
        self.regs.dcm_dbc_prd.put(0);
        self.regs.op_type.put(1);
        self.regs.msb_first.put(0);
        self.reset_slave()?;
        self.regs.wrap_en.put(1);
        self.regs.hiprio_arb_en.put(ARBITER_WACS2);
        self.regs.wacs2.enable.put(1);
        self.calibrate_strobe()?;
        self.set_link_clock()?;
        self.enable_dual_io()?;
        self.enable_cipher()?;
        self.test_write()?;
        self.enable_checks()?;
        self.set_adc_path();
        self.regs.wacs2.init_done.put(1);
        self.regs.wacs0.init_done.put(1);
        self.regs.wacs1.init_done.put(1);
        Ok(())
    }

    /// Resets wrapper and SPI controller with their clocks stopped; what ran
    /// before runs again, and the wrapper's clock in any case.
    fn reset_block(&mut self, clocks: &mut Topckgen, toprgu: &mut Toprgu) {
        let gates = [Gate::PmicMd, Gate::PmicConn, Gate::Pmic26M, Gate::PmicAp];
        let was_open = gates.map(|gate| clocks.is_open(gate));
        for gate in gates {
            clocks.close(gate);
        }
        self.regs.swrst.put(1);
        toprgu.hold_block(BlockReset::PwrapSpi, true);
        toprgu.hold_block(BlockReset::PwrapSpi, false);
        self.regs.swrst.put(0);
        for (gate, was_open) in gates.into_iter().zip(was_open) {
            if was_open || gate == Gate::PmicAp {
                clocks.open(gate);
            }
        }
    }

    /// Brings the PMIC's SPI slave into a known state by hand-made frames.
    fn reset_slave(&mut self) -> Result<(), PwrapError> {
        let regs = self.regs;
        regs.hiprio_arb_en.put(0);
        regs.wrap_en.put(0);
        regs.mux_sel.put(1);
        regs.man_en.put(1);
        regs.dio_en.put(0);
        for frame in [
            MAN_SELECT,
            MAN_OUTPUT,
            MAN_DESELECT,
            MAN_OUTPUT,
            MAN_OUTPUT,
            MAN_OUTPUT,
            MAN_OUTPUT,
        ] {
            regs.man_cmd.put(MAN_WRITE | frame);
        }
        poll(LINK_TIMEOUT, || self.state().sync_idle()).map_err(|Timeout| PwrapError::Busy)?;
        regs.man_en.put(0);
        regs.mux_sel.put(0);
        Ok(())
    }

    /// Tries every strobe setting and stays in the middle of the first run of
    /// those that work.
    fn calibrate_strobe(&mut self) -> Result<(), PwrapError> {
        self.regs.rddmy.put(0xf);
        let mut good = 0;
        for index in 0..STROBES {
            self.set_strobe(index);
            if self.raw_read(pmic::READ_TEST) == Ok(READ_TEST_WORD) {
                good |= 1 << index;
            }
        }
        let middle = middle_of_run(good).ok_or(PwrapError::Calibration)?;
        self.set_strobe(middle);
        Ok(())
    }

    fn set_strobe(&mut self, index: u32) {
        self.regs.si_ck_con.put(index >> 2 & 7);
        self.regs.sidly.put(3 - (index & 3));
    }

    fn set_link_clock(&mut self) -> Result<(), PwrapError> {
        self.raw_write(pmic::TOP_CKCON1_CLEAR, 3)?;
        self.raw_write(pmic::RDDMY_NO, 8)?;
        self.regs.rddmy.put(8);
        self.regs.cshext_read.put(0);
        self.regs.cshext_write.put(5);
        self.regs.cslext_start.put(0);
        self.regs.cslext_end.put(0);
        Ok(())
    }

    fn enable_dual_io(&mut self) -> Result<(), PwrapError> {
        self.raw_write(pmic::DIO_EN, 1)?;
        // The write must have left before this end changes.
        self.await_idle()?;
        self.regs.dio_en.put(1);
        self.test_read()
    }

    fn enable_cipher(&mut self) -> Result<(), PwrapError> {
        let regs = self.regs;
        regs.cipher_swrst.put(1);
        regs.cipher_swrst.put(0);
        regs.cipher_key_sel.put(1);
        regs.cipher_iv_sel.put(2);
        regs.cipher_en.put(1);
        for (address, value) in [
            (pmic::CIPHER_SWRST, 1),
            (pmic::CIPHER_SWRST, 0),
            (pmic::CIPHER_KEY_SEL, 1),
            (pmic::CIPHER_IV_SEL, 2),
            (pmic::CIPHER_EN, 1),
        ] {
            self.raw_write(address, value)?;
        }
        poll(LINK_TIMEOUT, || regs.cipher_rdy.read() == 1).map_err(|Timeout| PwrapError::Cipher)?;
        poll(LINK_TIMEOUT, || self.raw_read(pmic::CIPHER_RDY) == Ok(1))
            .map_err(|Timeout| PwrapError::Cipher)?;
        self.raw_write(pmic::CIPHER_MODE, 1)?;
        self.await_idle()?;
        regs.cipher_mode.put(1);
        self.test_read()
    }

    fn enable_checks(&mut self) -> Result<(), PwrapError> {
        self.raw_write(pmic::CRC_EN, 1)?;
        let regs = self.regs;
        regs.crc_en.put(1);
        regs.sig_mode.put(0);
        regs.sig_adr.put(u32::from(pmic::CRC_VAL));
        regs.hiprio_arb_en.put(ARBITER_ALL);
        regs.wacs0.enable.put(1);
        regs.wacs1.enable.put(1);
        regs.staupd_prd.put(5);
        regs.staupd_grpen.put(0xff);
        regs.wdt_unit.put(0xf);
        regs.wdt_src_en.put(u32::MAX);
        regs.timer_en.put(1);
        regs.int_en.put(0x7fff_fffd);
        Ok(())
    }

    /// Where the modem's hardware finds the PMIC's ADC.
    fn set_adc_path(&mut self) {
        let regs = self.regs;
        regs.adc_cmd_addr.put(0x076c);
        regs.adc_cmd.put(0x8000);
        regs.adc_rdy_addr.put(0x072c);
        regs.adc_rdata_addr[0].put(0x072e);
        regs.adc_rdata_addr[1].put(0x0730);
    }

    fn test_read(&mut self) -> Result<(), PwrapError> {
        match self.raw_read(pmic::READ_TEST)? {
            READ_TEST_WORD => Ok(()),
            _ => Err(PwrapError::ReadTest),
        }
    }

    fn test_write(&mut self) -> Result<(), PwrapError> {
        self.raw_write(pmic::WRITE_TEST, WRITE_TEST_WORD)?;
        match self.raw_read(pmic::WRITE_TEST)? {
            WRITE_TEST_WORD => Ok(()),
            _ => Err(PwrapError::WriteTest),
        }
    }
}

/// The middle of the first run of set bits.
pub(super) fn middle_of_run(bits: u32) -> Option<u32> {
    if bits == 0 {
        return None;
    }
    let first = bits.trailing_zeros();
    let length = (bits >> first).trailing_ones();
    Some(first + (length - 1) / 2)
}

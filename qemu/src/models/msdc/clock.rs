//! From the clock tree to the card's clock line.
//!
//! Source: facts/storage-and-images.md 8.3 and facts/soc.md 9.1.

use super::regs::{cfg, reg};
use super::{Msdc, Picos};
use crate::models::emmc::Wire;
use crate::signals::Signals;

/// Clocks from the end of a command to its response (N_CR).
const RESPONSE_GAP: u64 = 8;
/// Clocks after which a response is overdue (N_CR at most).
const RESPONSE_LIMIT: u64 = 64;
/// Clocks between a response and what follows (N_RC, N_CC).
const AFTER_RESPONSE: u64 = 8;
/// Bits of a command and of every response but R2.
const FRAME: u64 = 48;
/// Bits of R2.
const LONG_FRAME: u64 = 136;

/// CKMOD values.
const CKMOD_DIRECT: u32 = 1;
const CKMOD_DDR: u32 = 2;

/// How a command ends, as far as its time is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// None is expected.
    NoResponse,
    /// None came.
    Overdue,
    /// 48 bits.
    Short,
    /// 136 bits.
    Long,
}

/// The clock that feeds an MSDC whose mux stands at `code`, in Hz.
fn source_hz(code: u32, signals: &Signals) -> u64 {
    match code {
        0 => signals.mainpll_hz / 12,
        1 => signals.mainpll_hz / 10,
        2 | 5 => signals.mainpll_hz / 8,
        3 => signals.univpll_hz / 7,
        4 => signals.mainpll_hz / 7,
        6 => 26_000_000,
        _ => signals.univpll_hz / 6,
    }
}

impl Msdc {
    /// How the bus runs now; none while the clock stands still.
    pub(super) fn wire(&self, signals: &Signals) -> Option<Wire> {
        let shift = if self.index == 0 { 11 } else { 20 };
        let source = source_hz(signals.clk_mux_sel >> shift & 7, signals);
        let config = self.regs.get(reg::MSDC_CFG);
        let div = u64::from(config >> cfg::CKDIV_SHIFT & 0xFF);
        let ckmod = config >> 16 & 3;
        let clock_hz = match (ckmod, div) {
            (CKMOD_DIRECT, _) => source,
            // The facts give only DDR without divider; dividing halves again
            // against the other mode, as the data rate demands.
            (CKMOD_DDR, 0) => source / 4,
            (CKMOD_DDR, _) => source / (8 * div),
            (_, 0) => source / 2,
            _ => source / (4 * div),
        };
        let width = match self.regs.get(reg::SDC_CFG) >> 16 & 3 {
            0 => 1,
            1 => 4,
            _ => 8,
        };
        (clock_hz > 0).then_some(Wire {
            clock_hz,
            width,
            ddr: ckmod == CKMOD_DDR,
        })
    }
}

/// Duration of `clocks` in picoseconds.
pub(super) fn clocks_ps(wire: Wire, clocks: u64) -> Picos {
    clocks * 1_000_000_000_000 / wire.clock_hz
}

/// Duration of `bytes` on the data lines in picoseconds.
pub(super) fn bytes_ps(wire: Wire, bytes: u64) -> Picos {
    let bits_per_clock = u64::from(wire.width) * if wire.ddr { 2 } else { 1 };
    bytes * 8 * 1_000_000_000_000 / (wire.clock_hz * bits_per_clock)
}

/// From the write of SDC_CMD to the end of the command frame.
pub(super) fn command_ps(wire: Wire) -> Picos {
    clocks_ps(wire, FRAME)
}

/// From the end of the command frame to CMDRDY, CMDTMO or RSPCRCERR.
pub(super) fn response_ps(wire: Wire, ending: Ending) -> Picos {
    clocks_ps(
        wire,
        match ending {
            Ending::NoResponse => AFTER_RESPONSE,
            Ending::Overdue => RESPONSE_LIMIT,
            Ending::Short => RESPONSE_GAP + FRAME + AFTER_RESPONSE,
            Ending::Long => RESPONSE_GAP + LONG_FRAME + AFTER_RESPONSE,
        },
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rate(index: u8, mux: u32, ckmod: u32, div: u32) -> u64 {
        let mut msdc = Msdc::new(index, None);
        msdc.regs.set(reg::MSDC_CFG, ckmod << 16 | div << 8);
        let signals = Signals {
            clk_mux_sel: mux << if index == 0 { 11 } else { 20 },
            ..Signals::default()
        };
        msdc.wire(&signals).unwrap().clock_hz
    }

    #[test]
    fn rates_of_the_fact_sheet() {
        assert_eq!(rate(0, 7, 0, 1), 52_000_000);
        assert_eq!(rate(1, 7, 2, 0), 52_000_000);
        assert_eq!(rate(0, 2, 0, 1), 49_968_750);
        assert_eq!(rate(0, 2, 0, 0xC1) / 1000, 258);
        assert_eq!(rate(0, 6, 0, 0), 13_000_000);
        assert_eq!(rate(0, 6, 1, 5), 26_000_000);
        assert_eq!(rate(0, 3, 1, 0), 178_285_714);
    }

    #[test]
    fn a_stopped_pll_gives_no_clock() {
        let signals = Signals {
            univpll_hz: 0,
            clk_mux_sel: 7 << 11,
            ..Signals::default()
        };
        assert_eq!(Msdc::new(0, None).wire(&signals), None);
    }

    #[test]
    fn a_byte_takes_its_clocks() {
        let wire = Wire {
            clock_hz: 50_000_000,
            width: 8,
            ddr: false,
        };
        assert_eq!(bytes_ps(wire, 512), 512 * 20_000);
        assert_eq!(bytes_ps(Wire { ddr: true, ..wire }, 512), 256 * 20_000);
        assert_eq!(bytes_ps(Wire { width: 1, ..wire }, 512), 4096 * 20_000);
    }
}

//! The bus clock: which divider gives the fastest rate within a limit.
//!
//! Source: facts/storage-and-images.md 8.3.

use super::regs::ClockMode;

/// Settings of MSDC_CFG and what comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// CKMOD.
    pub mode: ClockMode,
    /// CKDIV.
    pub divider: u8,
    /// Clock on the bus.
    pub hz: u32,
}

/// The fastest clock up to `limit_hz` from `source_hz`; the slowest that there
/// is if none is slow enough.
pub fn setting(source_hz: u32, limit_hz: u32, ddr: bool) -> Setting {
    if ddr {
        // Only the undivided rate is documented. A source too fast for it
        // would be a mistake in the board's set-up, seen as a failed read.
        return Setting {
            mode: ClockMode::Ddr,
            divider: 0,
            hz: source_hz / 4,
        };
    }
    if source_hz <= limit_hz {
        return Setting {
            mode: ClockMode::Direct,
            divider: 0,
            hz: source_hz,
        };
    }
    if source_hz / 2 <= limit_hz {
        return Setting {
            mode: ClockMode::Divided,
            divider: 0,
            hz: source_hz / 2,
        };
    }
    // Rounded up, so that the clock stays within the limit.
    let divider = source_hz
        .div_ceil(limit_hz.saturating_mul(4).max(1))
        .clamp(1, 255);
    Setting {
        mode: ClockMode::Divided,
        divider: divider as u8,
        hz: source_hz / (4 * divider),
    }
}

/// SDC_CFG.DTOC for a data timeout: units of 2^20 clocks, less 1.
pub fn timeout_code(hz: u32, timeout_ms: u32) -> u8 {
    let clocks = hz.div_ceil(1000).saturating_mul(timeout_ms);
    (clocks.div_ceil(1 << 20).clamp(1, 256) - 1) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(source_hz: u32, limit_hz: u32) -> (ClockMode, u8, u32) {
        let setting = setting(source_hz, limit_hz, false);
        (setting.mode, setting.divider, setting.hz)
    }

    #[test]
    fn rates_from_input_7() {
        const SOURCE: u32 = 208_000_000;
        assert_eq!(of(SOURCE, 52_000_000), (ClockMode::Divided, 1, 52_000_000));
        assert_eq!(of(SOURCE, 26_000_000), (ClockMode::Divided, 2, 26_000_000));
        assert_eq!(of(SOURCE, 400_000), (ClockMode::Divided, 130, 400_000));
        let ddr = setting(SOURCE, 52_000_000, true);
        assert_eq!(
            (ddr.mode, ddr.divider, ddr.hz),
            (ClockMode::Ddr, 0, 52_000_000)
        );
    }

    #[test]
    fn rates_of_the_vendor_come_out_alike() {
        assert_eq!(
            of(200_000_000, 260_000),
            (ClockMode::Divided, 0xc1, 259_067)
        );
        assert_eq!(
            of(200_000_000, 52_000_000),
            (ClockMode::Divided, 1, 50_000_000)
        );
    }

    #[test]
    fn no_rate_is_above_its_limit() {
        for source in [
            26_000_000,
            133_250_000,
            178_285_714,
            199_875_000,
            208_000_000,
        ] {
            for limit in [400_000, 26_000_000, 52_000_000, 200_000_000] {
                assert!(of(source, limit).2 <= limit, "{source} Hz to {limit} Hz");
            }
        }
    }

    #[test]
    fn data_timeout_as_the_vendor_computes_it() {
        // The vendor rounds 4.77 units down to 4 and stores 3; we never give
        // a card less than it may take.
        assert_eq!(timeout_code(50_000_000, 100), 4);
        assert_eq!(timeout_code(400_000, 100), 0);
        assert_eq!(timeout_code(52_000_000, 60_000), 255);
    }
}

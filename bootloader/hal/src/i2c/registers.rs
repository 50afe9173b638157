//! Registers of a controller: 16 bits each, four bytes apart.
//!
//! Source: facts/i2c-touch-camera.md 1.3, 1.4.

use crate::reg::{Write, assert_offsets};
use bitbybit::bitfield;
use volatile_register::{RO, RW, WO};

/// A 16-bit register and the gap behind it.
macro_rules! half_words {
    ($(#[$meta:meta])* pub struct $name:ident { $($field:ident : $ty:ty = $gap:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[repr(C)]
        pub struct $name { $(pub(super) $field: $ty, $gap: u16,)+ }
    };
}

half_words! {
    /// Registers of a controller.
    pub struct RegisterBlock {
        data: RW<u16> = _gap0,
        slave_address: RW<u16> = _gap1,
        interrupt_mask: RW<u16> = _gap2,
        status: RW<u16> = _gap3,
        control: RW<u16> = _gap4,
        transfer_len: RW<u16> = _gap5,
        transaction_len: RW<u16> = _gap6,
        delay_len: RW<u16> = _gap7,
        timing: RW<u16> = _gap8,
        start: RW<u16> = _gap9,
        ext_conf: RW<u16> = _gap10,
        _reserved0: u16 = _gap11,
        fifo: RO<u16> = _gap12,
        _fifo_threshold: u16 = _gap13,
        fifo_clear: WO<u16> = _gap14,
        _reserved1: u16 = _gap15,
        io_config: RW<u16> = _gap16,
        _debug: u16 = _gap17,
        high_speed: RW<u16> = _gap18,
        _reserved2: u16 = _gap19,
        soft_reset: WO<u16> = _gap20,
        _reserved3: u16 = _gap21,
        _reserved4: u16 = _gap22,
        _reserved5: u16 = _gap23,
        _reserved6: u16 = _gap24,
        _debug_status: u16 = _gap25,
        _debug_control: u16 = _gap27,
        transfer_len_aux: RW<u16> = _gap26,
    }
}

assert_offsets!(RegisterBlock {
    status: 0x0c,
    timing: 0x20,
    fifo: 0x30,
    fifo_clear: 0x38,
    io_config: 0x40,
    high_speed: 0x48,
    soft_reset: 0x50,
    transfer_len_aux: 0x6c,
});

/// Every bit of INTR_STAT; they are cleared by writing ones.
pub(super) const ALL_EVENTS: u16 = 0x1f;

/// INTR_STAT.
#[bitfield(u16)]
pub(super) struct Events {
    #[bit(0, r)]
    complete: bool,
    #[bit(1, r)]
    no_acknowledge: bool,
    #[bit(2, r)]
    hs_no_acknowledge: bool,
    #[bit(3, r)]
    arbitration_lost: bool,
    #[bit(4, r)]
    timeout: bool,
}

/// CONTROL.
#[bitfield(u16)]
pub(super) struct Control {
    #[bit(1, rw)]
    repeated_start: bool,
    #[bit(2, rw)]
    dma: bool,
    #[bit(3, rw)]
    clock_stretching: bool,
    #[bit(4, rw)]
    direction_change: bool,
    #[bit(5, rw)]
    acknowledge_errors: bool,
    #[bit(8, rw)]
    timeout: bool,
}

/// FIFO_STAT.
#[bitfield(u16)]
pub(super) struct Fifo {
    #[bit(0, r)]
    empty: bool,
}

/// What the rate is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timing {
    /// TIMING.
    timing: u16,
    /// EXT_CONF: START and STOP are held longer at up to 100 kHz.
    ext_conf: u16,
}

impl Timing {
    pub(super) const DEFAULT: Self = Self {
        timing: 0,
        ext_conf: 0,
    };

    /// The fastest rate that is not above `wanted_khz`, and that rate. The
    /// rate is source / 2 / (samples x steps).
    pub(super) fn for_rate(source_khz: u32, wanted_khz: u32) -> (Self, u32) {
        let half = source_khz / 2;
        let mut best = (8, 64);
        for samples in 1..=8 {
            // Rounded up: not above the wanted rate.
            let steps = half.div_ceil(wanted_khz * samples).clamp(1, 64);
            let divider = samples * steps;
            if half <= wanted_khz * divider && divider < best.0 * best.1 {
                best = (samples, steps);
            }
        }
        let (samples, steps) = best;
        let timing = Self {
            timing: ((samples - 1) << 8 | (steps - 1)) as u16,
            ext_conf: if wanted_khz <= 100 { 0x8001 } else { 0x1800 },
        };
        (timing, half / (samples * steps))
    }

    pub(super) fn apply(self, regs: &RegisterBlock) {
        const BOTH_OPEN_DRAIN: u16 = 3;
        const DELAY: u16 = 2;
        regs.timing.put(self.timing);
        regs.ext_conf.put(self.ext_conf);
        regs.high_speed.put(0);
        regs.io_config.put(BOTH_OPEN_DRAIN);
        regs.delay_len.put(DELAY);
    }

    #[cfg(test)]
    pub(super) const fn raw(self) -> u16 {
        self.timing
    }
}

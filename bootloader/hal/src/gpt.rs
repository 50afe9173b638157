//! The general purpose timers: GPT4 is the bootloader's clock, GPT6 feeds
//! the ARM system counter.
//!
//! The preloader leaves GPT4 running; an image started by other means may
//! not find it so, and every wait of the bootloader would hang. Therefore
//! [`Gpt::start_clock`] comes before the first wait.
//!
//! Source: facts/soc.md 1.5 and 5.

use crate::reg::{Write, assert_offsets};
use crate::time;
use arbitrary_int::u2;
use bitbybit::bitfield;
use volatile_register::{RO, RW};

/// Registers of the six timers.
#[repr(C)]
pub struct RegisterBlock {
    /// Bit n-1 enables the interrupt of GPTn.
    irq_enable: RW<u32>,
    /// Bit n-1: GPTn asks.
    irq_status: RO<u32>,
    /// Write 1 to acknowledge.
    irq_ack: RW<u32>,
    _reserved0: u32,
    /// GPT1 to GPT6.
    timers: [Timer; 6],
    _reserved1: [u32; 2],
    /// Upper half of GPT6's counter.
    count6_high: RO<u32>,
    /// Upper half of GPT6's compare value.
    compare6_high: RW<u32>,
}

/// Registers of one timer.
#[repr(C)]
struct Timer {
    control: RW<u32>,
    /// [3:0] divider code (0 = 1), bit 4: 0 = 13 MHz, 1 = 32768 Hz.
    clock: RW<u32>,
    count: RO<u32>,
    compare: RW<u32>,
}

assert_offsets!(RegisterBlock {
    timers: 0x10,
    count6_high: 0x78,
    compare6_high: 0x7c,
});

/// GPTn_CON.
#[bitfield(u32, default = 0)]
#[derive(PartialEq, Eq)]
struct Control {
    #[bit(0, rw)]
    enable: bool,
    /// Write 1 to zero the counter.
    #[bit(1, rw)]
    clear: bool,
    /// 0 one-shot, 1 repeat, 2 keep-go, 3 free-run.
    #[bits(4..=5, rw)]
    mode: u2,
}

/// Free running and enabled: 0x31.
const FREE_RUN: Control = Control::DEFAULT.with_enable(true).with_mode(u2::new(3));
const CLOCK_13_MHZ: u32 = 0;
const GPT4: usize = 3;
const GPT6: usize = 5;
/// Reads of a counter that must see it move: at 13 MHz it steps between any
/// two reads over the bus.
const READS_TO_MOVE: u32 = 1000;

/// The counter does not count (its clock gate is closed).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Stopped;

impl Stopped {
    /// Short code for screen and log.
    pub const fn code(self) -> &'static str {
        "GPT-STOP"
    }
}

/// The timers.
pub struct Gpt {
    regs: &'static RegisterBlock,
}

impl Gpt {
    /// The driver of the block `regs`.
    pub const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs }
    }

    /// Makes sure that GPT4 runs free at 13 MHz; a running one is left alone,
    /// so that time measured by the preloader goes on.
    pub fn start_clock(&mut self) -> Result<(), Stopped> {
        self.run_free(GPT4);
        let first = self.regs.timers[GPT4].count.read();
        for _ in 0..READS_TO_MOVE {
            if self.regs.timers[GPT4].count.read() != first {
                return Ok(());
            }
        }
        time::set_stopped(true);
        Err(Stopped)
    }

    /// Starts GPT6, and with it the system counter of both cores, and tells
    /// this core its rate. Nothing before us does; Linux needs both. False if
    /// the counter does not follow: waits then go on with GPT4.
    pub fn start_system_counter(&mut self) -> bool {
        self.run_free(GPT6);
        #[cfg(target_arch = "arm")]
        aarch32_cpu::register::Cntfrq::write(aarch32_cpu::register::Cntfrq(time::TICKS_PER_SECOND));
        let runs = time::counter_keeps_time();
        if runs {
            time::set_counter_runs(true);
        }
        runs
    }

    /// GPT6's 64-bit count of 13 MHz ticks.
    pub fn system_count(&self) -> u64 {
        loop {
            let high = self.regs.count6_high.read();
            let low = self.regs.timers[GPT6].count.read();
            // A carry between the two reads shows in the upper half, which
            // moves every 330 s: this loop turns at most twice.
            if self.regs.count6_high.read() == high {
                return u64::from(high) << 32 | u64::from(low);
            }
        }
    }

    /// No timer asks for an interrupt any more.
    pub fn quiesce(&mut self) {
        self.regs.irq_enable.put(0);
        self.regs.irq_ack.put(0x3f);
    }

    fn run_free(&mut self, index: usize) {
        let timer = &self.regs.timers[index];
        let clock_ok = timer.clock.read() == CLOCK_13_MHZ;
        if clock_ok && timer.control.read() == FREE_RUN.raw_value() {
            return;
        }
        timer.control.put(Control::DEFAULT.raw_value());
        timer.clock.put(CLOCK_13_MHZ);
        timer.control.put(FREE_RUN.raw_value());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg::{leaked, poke};

    #[test]
    fn system_counter_runs_free_at_13_mhz() {
        let regs: &RegisterBlock = leaked();
        regs.timers[GPT6].clock.put(0x10);
        assert!(Gpt::new(regs).start_system_counter());
        assert_eq!(regs.timers[GPT6].control.read(), 0x31);
        assert_eq!(regs.timers[GPT6].clock.read(), 0);
        poke(&regs.timers[GPT6].count, 7);
        poke(&regs.count6_high, 1);
        assert_eq!(Gpt::new(regs).system_count(), (1 << 32) + 7);
    }

    #[test]
    fn a_stopped_clock_is_reported() {
        let regs: &RegisterBlock = leaked();
        assert_eq!(Gpt::new(regs).start_clock(), Err(Stopped));
        assert_eq!(regs.timers[GPT4].control.read(), 0x31);
    }

    #[test]
    fn quiesce_masks_and_acknowledges_all_six() {
        let regs: &RegisterBlock = leaked();
        regs.irq_enable.put(0x10);
        Gpt::new(regs).quiesce();
        assert_eq!((regs.irq_enable.read(), regs.irq_ack.read()), (0, 0x3f));
    }
}

//! TOPRGU: the watchdog, the software reset, and the few registers that
//! survive them.
//!
//! The preloader hands the dog over running at 16 s. A bootloader keeps it
//! running, so that a hang ends in a reset, and leaves a note in INTERVAL of
//! the stage that owned the system.
//!
//! Source: facts/soc.md 6.

use crate::reg::{Update, Write, assert_offsets};
use crate::time::{Micros, delay};
use arbitrary_int::u2;
use bitbybit::bitfield;
use volatile_register::{RO, RW, WO};

/// Registers of the block.
#[repr(C)]
pub struct RegisterBlock {
    mode: RW<u32>,
    /// [15:5] time-out in 1/64 s, [4:0] key.
    length: RW<u32>,
    restart: WO<u32>,
    /// Cleared by any write to `mode`.
    status: RO<u32>,
    interval: RW<u32>,
    swrst: WO<u32>,
    swsysrst: RW<u32>,
    _reserved0: u32,
    nonrst: [RW<u32>; 2],
    _reserved1: [u32; 2],
    req_mode: RW<u32>,
    req_irq_en: RW<u32>,
    _reserved2: [u32; 2],
    dramc_ctl: RW<u32>,
}

assert_offsets!(RegisterBlock {
    restart: 0x08,
    status: 0x0c,
    interval: 0x10,
    swrst: 0x14,
    swsysrst: 0x18,
    nonrst: 0x20,
    req_mode: 0x30,
    req_irq_en: 0x34,
    dramc_ctl: 0x40,
});

const MODE_KEY: u32 = 0x2200_0000;
const LENGTH_KEY: u32 = 0x08;
const RESTART_KEY: u32 = 0x1971;
const SWRST_KEY: u32 = 0x1209;
const SWSYSRST_KEY: u32 = 0x8800_0000;
const REQ_IRQ_KEY: u32 = 0x4400_0000;
const KEY_MASK: u32 = 0xff00_0000;
/// LENGTH counts 512 periods of the 32768 Hz clock.
const MICROS_PER_LENGTH_UNIT: u32 = 1_000_000 / 64;
const LENGTH_MAX: u32 = 0x7ff;
/// The dog's time when the software reset does not come.
const LAST_RESORT: Micros = Micros::from_ms(1000);

/// WDT_MODE.
#[bitfield(u32, default = 0)]
#[derive(Debug)]
pub struct Mode {
    /// The dog runs.
    #[bit(0, rw)]
    pub enable: bool,
    /// Pulse the external reset line too.
    #[bit(2, rw)]
    pub external: bool,
    /// Time-out raises an interrupt instead of a reset.
    #[bit(3, rw)]
    pub interrupt: bool,
    /// No hardware effect: tells the preloader not to ask for the power key.
    #[bit(4, rw)]
    pub bypass_power_key: bool,
    /// First time-out interrupts, second resets.
    #[bit(6, rw)]
    pub dual: bool,
    /// Keep DRAM in self-refresh over the reset.
    #[bit(7, rw)]
    pub ddr_reserve: bool,
}

/// WDT_STATUS: what reset the system, as far as nobody has cleared it.
#[bitfield(u32)]
#[derive(Debug)]
pub struct Status {
    /// SPM or thermal request.
    #[bit(0, r)]
    pub spm: bool,
    /// The power-management sequencer's own watchdog.
    #[bit(1, r)]
    pub pcm: bool,
    /// Time-out in interrupt mode.
    #[bit(29, r)]
    pub interrupt: bool,
    /// Software reset.
    #[bit(30, r)]
    pub software: bool,
    /// Time-out.
    #[bit(31, r)]
    pub hardware: bool,
}

/// WDT_INTERVAL, used as a note across resets.
#[bitfield(u32)]
struct Interval {
    #[bits(0..=1, rw)]
    stage: u2,
    /// 1 after power-on, 0 once this block has reset the system.
    #[bit(2, rw)]
    power_on: bool,
}

const STAGE_LK: u2 = u2::new(1);

/// What the block tells about how we came here; read before it is armed.
#[derive(Debug, Clone, Copy)]
pub struct ResetNote {
    /// Cause flags. The preloader's own set-up has usually cleared them.
    pub status: Status,
    /// MODE as found.
    pub mode: Mode,
    /// The system came from power-on, not through this block's reset.
    pub power_on: bool,
    /// Who owned the system last: 0 preloader, 1 LK, 2 kernel, 3 nobody.
    pub stage: u8,
}

/// Blocks with a reset line of their own here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockReset {
    /// Display, MDP and camera.
    Display = 1,
    /// The SPI controller inside the PMIC wrapper.
    PwrapSpi = 11,
    /// Wi-Fi, Bluetooth, GPS.
    Connsys = 12,
}

/// Kicks the dog and can do nothing else.
#[derive(Clone, Copy)]
pub struct Kicker {
    restart: &'static WO<u32>,
}

impl Kicker {
    /// Starts the time-out anew.
    pub fn kick(self) {
        self.restart.put(RESTART_KEY);
    }
}

/// The watchdog.
pub struct Toprgu {
    regs: &'static RegisterBlock,
}

impl Toprgu {
    /// The driver of the block `regs`.
    pub const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs }
    }

    /// Reads how we came here and notes that LK owns the system now. The dog
    /// goes on as the preloader left it; [`Toprgu::start`] comes next.
    pub fn take_over(&mut self) -> ResetNote {
        let interval = Interval::new_with_raw_value(self.regs.interval.read());
        let note = ResetNote {
            status: Status::new_with_raw_value(self.regs.status.read()),
            mode: Mode::new_with_raw_value(self.regs.mode.read()),
            power_on: interval.power_on(),
            stage: interval.stage().value(),
        };
        let ours = interval.with_stage(STAGE_LK).with_power_on(true);
        self.regs.interval.put(ours.raw_value());
        note
    }

    /// Runs the dog with `limit` (1/64 s to 31.98 s, cut to that): if it is
    /// not kicked in time, the system resets and starts again without asking
    /// for the power key. Requests of SPM and thermal reset as well.
    pub fn start(&mut self, limit: Micros) {
        let units = (limit.0 / MICROS_PER_LENGTH_UNIT).clamp(1, LENGTH_MAX);
        self.write_mode(Mode::DEFAULT);
        self.regs.length.put(units << 5 | LENGTH_KEY);
        self.regs
            .req_irq_en
            .update(|value| value & !KEY_MASK & !0b11 | REQ_IRQ_KEY);
        self.write_mode(Mode::DEFAULT.with_enable(true).with_bypass_power_key(true));
        self.kick();
    }

    /// Starts the time-out anew.
    pub fn kick(&mut self) {
        self.kicker().kick();
    }

    /// For those whose work has many steps, each of which is bounded, but not
    /// their sum.
    pub fn kicker(&self) -> Kicker {
        Kicker {
            restart: &self.regs.restart,
        }
    }

    /// Stops the dog, keeping the rest of its mode.
    pub fn stop(&mut self) {
        let mode = Mode::new_with_raw_value(self.regs.mode.read() & !KEY_MASK);
        self.write_mode(mode.with_enable(false));
    }

    /// Resets the phone. With `bypass_power_key` the preloader starts it
    /// again whether or not somebody holds the key.
    pub fn reset(&mut self, bypass_power_key: bool) -> ! {
        const ATTEMPTS: u32 = 2;
        for _ in 0..ATTEMPTS {
            self.request_reset(bypass_power_key);
            delay(Micros::from_ms(100));
        }
        // The request stops the dog: with neither of them there would be no
        // way out but the battery.
        self.start(LAST_RESORT);
        loop {
            core::hint::spin_loop();
        }
    }

    fn request_reset(&mut self, bypass_power_key: bool) {
        self.kick();
        let mode = Mode::new_with_raw_value(self.regs.mode.read() & !KEY_MASK)
            .with_enable(false)
            .with_interrupt(false)
            .with_dual(false)
            .with_ddr_reserve(false)
            .with_external(true)
            .with_bypass_power_key(bypass_power_key);
        self.write_mode(mode);
        delay(Micros(100));
        self.regs.swrst.put(SWRST_KEY);
    }

    /// Holds or releases one block's reset.
    pub fn hold_block(&mut self, block: BlockReset, held: bool) {
        let bit = 1 << block as u32;
        self.regs.swsysrst.update(|value| {
            let value = value & !KEY_MASK;
            SWSYSRST_KEY | if held { value | bit } else { value & !bit }
        });
    }

    /// The two words that survive a reset; nobody else is known to use them.
    pub fn non_reset(&self) -> [u32; 2] {
        [self.regs.nonrst[0].read(), self.regs.nonrst[1].read()]
    }

    /// Sets the two words that survive a reset.
    pub fn set_non_reset(&mut self, words: [u32; 2]) {
        self.regs.nonrst[0].put(words[0]);
        self.regs.nonrst[1].put(words[1]);
    }

    fn write_mode(&mut self, mode: Mode) {
        self.regs.mode.put(mode.raw_value() | MODE_KEY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg::{leaked, peek, poke};

    #[test]
    fn start_programs_ten_seconds_and_a_plain_reset() {
        let regs: &RegisterBlock = leaked();
        regs.req_irq_en.put(3);
        Toprgu::new(regs).start(Micros(10_000_000));
        assert_eq!(regs.length.read(), 0x5008);
        assert_eq!(regs.mode.read(), 0x2200_0011);
        assert_eq!(regs.req_irq_en.read(), 0x4400_0000);
        assert_eq!(peek(&regs.restart), 0x1971);
        Toprgu::new(regs).start(Micros(u32::MAX));
        assert_eq!(regs.length.read(), 0xffe8);
    }

    #[test]
    fn take_over_reads_before_it_writes() {
        let regs: &RegisterBlock = leaked();
        poke(&regs.status, 0x8000_0000);
        regs.mode.put(0x51);
        regs.interval.put(0x7f8 | 2);
        let note = Toprgu::new(regs).take_over();
        assert!(note.status.hardware() && !note.power_on);
        assert!(note.mode.bypass_power_key());
        assert_eq!(note.stage, 2);
        assert_eq!(regs.interval.read(), 0x7f8 | 0b101);
        assert_eq!(regs.mode.read(), 0x51, "MODE is not written here");
    }

    #[test]
    fn reset_chooses_the_bypass() {
        let regs: &RegisterBlock = leaked();
        regs.mode.put(0xd9);
        Toprgu::new(regs).request_reset(false);
        assert_eq!(regs.mode.read(), 0x2200_0004);
        assert_eq!(peek(&regs.swrst), 0x1209);
        Toprgu::new(regs).request_reset(true);
        assert_eq!(regs.mode.read(), 0x2200_0014);
    }

    #[test]
    fn stop_and_block_reset_carry_their_keys() {
        let regs: &RegisterBlock = leaked();
        regs.mode.put(0x51);
        let mut rgu = Toprgu::new(regs);
        rgu.stop();
        assert_eq!(regs.mode.read(), 0x2200_0050);
        rgu.hold_block(BlockReset::PwrapSpi, true);
        assert_eq!(regs.swsysrst.read(), 0x8800_0800);
        rgu.hold_block(BlockReset::PwrapSpi, false);
        assert_eq!(regs.swsysrst.read(), 0x8800_0000);
    }
}

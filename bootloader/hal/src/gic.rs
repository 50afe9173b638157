//! The interrupt controller, an ARM GICv2 seen from the Secure side.
//!
//! The bootloader never takes an interrupt: it keeps them masked in the CPU
//! and uses the GIC only to be woken from WFI, and to see what is pending.
//! At the hand-over the GIC must be quiet.
//!
//! Source: facts/soc.md 1.4; names and layout are ARM's GICv2.

use crate::reg::{Write, assert_offsets};
use crate::time;
use volatile_register::{RO, RW, WO};

/// Interrupts are numbered 0 to 159: 16 from software, 16 private to the
/// core, 128 shared.
const IDS: usize = 160;
/// First shared interrupt.
const FIRST_SPI: u32 = 32;
/// The secure physical timer of the core.
pub const SECURE_TIMER: u32 = 29;
/// The interrupt's number in IAR and HPPIR.
const ID_MASK: u32 = 0x3ff;
/// From here on IAR does not name an interrupt: 1023 is "nothing pending".
const FIRST_SPECIAL: u32 = 1020;

/// Registers of the distributor.
#[repr(C)]
pub struct Distributor {
    ctlr: RW<u32>,
    typer: RO<u32>,
    iidr: RO<u32>,
    _reserved0: [u32; 0x1d],
    group: [RW<u32>; 32],
    enable: [RW<u32>; 32],
    disable: [RW<u32>; 32],
    pending: [RW<u32>; 32],
    not_pending: [RW<u32>; 32],
    active: [RW<u32>; 32],
    not_active: [RW<u32>; 32],
    /// A byte an interrupt.
    priority: [RW<u32>; 256],
    /// A byte an interrupt, a bit a core.
    targets: [RW<u32>; 256],
    /// Two bits an interrupt: 0 level, 2 edge.
    config: [RW<u32>; 64],
}

assert_offsets!(Distributor {
    enable: 0x100,
    disable: 0x180,
    pending: 0x200,
    not_pending: 0x280,
    priority: 0x400,
    targets: 0x800,
    config: 0xc00,
});

/// Registers of the CPU interface.
#[repr(C)]
pub struct CpuInterface {
    ctlr: RW<u32>,
    priority_mask: RW<u32>,
    binary_point: RW<u32>,
    acknowledge: RO<u32>,
    end: WO<u32>,
    running: RO<u32>,
    highest_pending: RO<u32>,
}

assert_offsets!(CpuInterface {
    acknowledge: 0x0c,
    end: 0x10,
    running: 0x14,
    highest_pending: 0x18,
});

/// The interrupt controller.
pub struct Gic {
    distributor: &'static Distributor,
    cpu: &'static CpuInterface,
}

impl Gic {
    /// The driver of the two blocks.
    pub const fn new(distributor: &'static Distributor, cpu: &'static CpuInterface) -> Self {
        Self { distributor, cpu }
    }

    /// Everything level-sensitive, to core 0, at the same priority, disabled;
    /// then only the secure timer enabled, so that waits can sleep. Says
    /// whether they will: only an interrupt that has been seen to arrive may
    /// be slept for, for nobody knows what a predecessor left here.
    pub fn init(&mut self) -> bool {
        let distributor = self.distributor;
        distributor.ctlr.put(0);
        // Group 0 for all: this CPU interface presents no other.
        fill(&distributor.group[..IDS / 32], 0);
        // What somebody acknowledged and never ended holds back all others.
        fill(&distributor.not_active[..IDS / 32], u32::MAX);
        fill(&distributor.config[2..IDS / 16], 0);
        fill(
            &distributor.targets[FIRST_SPI as usize / 4..IDS / 4],
            0x0101_0101,
        );
        fill(&distributor.priority[..IDS / 4], 0xa0a0_a0a0);
        fill(&distributor.disable[..IDS / 32], u32::MAX);
        distributor.ctlr.put(1);
        self.cpu.priority_mask.put(0xf0);
        self.cpu.ctlr.put(1);
        self.drain();
        self.enable_id(SECURE_TIMER);
        let arrives = time::rehearse(|| self.presents(SECURE_TIMER));
        time::set_timer_wakes(arrives);
        arrives
    }

    /// Whether interrupt `id` is the one that the core would take now.
    fn presents(&self, id: u32) -> bool {
        /// No interrupt is being served.
        const IDLE_PRIORITY: u32 = 0xff;
        self.cpu.highest_pending.read() & ID_MASK == id
            && self.cpu.running.read() & 0xff == IDLE_PRIORITY
            && signalled()
    }

    /// Lets shared interrupt `spi` wake the core. Its handler is whoever
    /// waits: the line must fall when that driver has served its block.
    pub fn enable(&mut self, spi: u32) {
        self.enable_id(FIRST_SPI.saturating_add(spi));
    }

    /// Shared interrupt `spi` no longer wakes the core.
    pub fn disable(&mut self, spi: u32) {
        let (word, bit) = place(FIRST_SPI.saturating_add(spi));
        if let Some(register) = self.distributor.disable.get(word) {
            register.put(bit);
        }
    }

    /// Whether shared interrupt `spi` is pending.
    pub fn is_pending(&self, spi: u32) -> bool {
        let (word, bit) = place(FIRST_SPI.saturating_add(spi));
        self.distributor
            .pending
            .get(word)
            .is_some_and(|register| register.read() & bit != 0)
    }

    /// Acknowledges and ends the most urgent pending interrupt and returns
    /// its number (32 + SPI); `None` if there is none.
    pub fn acknowledge(&mut self) -> Option<u32> {
        let value = self.cpu.acknowledge.read();
        let id = value & ID_MASK;
        if id >= FIRST_SPECIAL {
            return None;
        }
        self.cpu.end.put(value);
        Some(id)
    }

    /// For the hand-over: every interrupt disabled, those already signalled
    /// taken and ended. Waits poll from now on. Says whether the drain came
    /// to its end, which it does unless a line is stuck.
    pub fn quiesce(&mut self) -> bool {
        time::set_timer_wakes(false);
        fill(&self.distributor.disable[..IDS / 32], u32::MAX);
        self.drain()
    }

    fn drain(&mut self) -> bool {
        // Every interrupt can be pending once; more is a stuck line.
        (0..=IDS).any(|_| self.acknowledge().is_none())
    }

    fn enable_id(&mut self, id: u32) {
        let (word, bit) = place(id);
        if let Some(register) = self.distributor.enable.get(word) {
            register.put(bit);
        }
    }
}

/// Whether the GIC's signal reaches the core: ISR shows IRQ and FIQ as they
/// come in, masked or not, which is also what ends WFI.
#[cfg(target_arch = "arm")]
fn signalled() -> bool {
    const IRQ_OR_FIQ: u32 = 0b11 << 6;
    let status: u32;
    // SAFETY: reading ISR changes nothing.
    unsafe {
        core::arch::asm!(
            "mrc p15, 0, {}, c12, c1, 0",
            out(reg) status,
            options(nomem, nostack, preserves_flags),
        );
    }
    status & IRQ_OR_FIQ != 0
}

#[cfg(not(target_arch = "arm"))]
fn signalled() -> bool {
    true
}

/// Word and bit of an interrupt in a one-bit-each register array.
const fn place(id: u32) -> (usize, u32) {
    (id as usize / 32, 1 << (id % 32))
}

fn fill(registers: &[RW<u32>], value: u32) {
    for register in registers {
        register.put(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg::{leaked, peek, poke};

    fn gic() -> (Gic, &'static Distributor, &'static CpuInterface) {
        let (distributor, cpu) = (leaked(), leaked());
        (Gic::new(distributor, cpu), distributor, cpu)
    }

    #[test]
    fn the_timer_is_slept_for_when_nothing_holds_it_back() {
        let (gic, _, cpu) = gic();
        poke(&cpu.highest_pending, 29);
        poke(&cpu.running, 0xff);
        assert!(gic.presents(SECURE_TIMER));
        poke(&cpu.running, 0xa0);
        assert!(!gic.presents(SECURE_TIMER), "something was never ended");
        poke(&cpu.running, 0xff);
        poke(&cpu.highest_pending, 1023);
        assert!(!gic.presents(SECURE_TIMER), "it does not arrive");
    }

    #[test]
    fn init_targets_core_0_and_enables_the_timer_only() {
        let (mut gic, distributor, cpu) = gic();
        distributor.group[0].put(u32::MAX);
        poke(&cpu.acknowledge, 1023);
        distributor.config[3].put(u32::MAX);
        distributor.config[1].put(0xaaaa_aaaa);
        // The registers of the test present nothing.
        assert!(!gic.init());
        assert_eq!(distributor.group[0].read(), 0);
        assert_eq!(distributor.not_active[0].read(), u32::MAX);
        assert_eq!(distributor.config[3].read(), 0);
        assert_eq!(distributor.config[1].read(), 0xaaaa_aaaa, "private");
        assert_eq!(distributor.targets[8].read(), 0x0101_0101);
        assert_eq!(distributor.targets[39].read(), 0x0101_0101);
        assert_eq!(distributor.priority[0].read(), 0xa0a0_a0a0);
        assert_eq!(distributor.enable[0].read(), 1 << 29);
        assert_eq!(distributor.disable[4].read(), u32::MAX);
        assert_eq!((cpu.priority_mask.read(), cpu.ctlr.read()), (0xf0, 1));
    }

    #[test]
    fn shared_interrupts_start_at_32() {
        let (mut gic, distributor, _) = gic();
        gic.enable(26);
        assert_eq!(distributor.enable[1].read(), 1 << 26);
        gic.disable(74);
        assert_eq!(distributor.disable[3].read(), 1 << 10);
        distributor.pending[1].put(1 << 26);
        assert!(gic.is_pending(26) && !gic.is_pending(27));
    }

    #[test]
    fn quiesce_drains_and_gives_up_on_a_stuck_line() {
        let (mut gic, distributor, cpu) = gic();
        poke(&cpu.acknowledge, 1023);
        assert!(gic.quiesce());
        assert_eq!(distributor.disable[0].read(), u32::MAX);
        poke(&cpu.acknowledge, 32 + 26);
        assert!(!gic.quiesce());
        assert_eq!(peek(&cpu.end), 32 + 26);
    }
}

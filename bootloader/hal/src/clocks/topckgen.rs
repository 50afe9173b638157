//! TOPCKGEN: clock muxes and gates.
//!
//! A gate's status bit means "clock off", except for a few that are enables;
//! [`Gate`] hides the difference. Gates are changed through the SET and CLR
//! aliases, which leave the neighbours alone.
//!
//! Source: facts/soc.md 9.1 and 9.2; facts/storage-and-images.md 8.3.

use crate::reg::{Update, Write, assert_offsets};
use bitbybit::{bitenum, bitfield};
use volatile_register::{RW, WO};

/// Registers of the block.
#[repr(C)]
pub struct RegisterBlock {
    mux: RW<u32>,
    _reserved0: [u32; 7],
    /// CG0 and CG1: status.
    gates: [RW<u32>; 2],
    _reserved1: u32,
    /// "SWCG_3" group: its bits are not known, see [`Topckgen::open_pwrap_spi`].
    swcg3: RW<u32>,
    _reserved2: [u32; 8],
    /// Write 1 to set a gate's bit.
    gates_set: [WO<u32>; 2],
    _reserved3: u32,
    swcg3_set: WO<u32>,
    _reserved4: [u32; 8],
    /// Write 1 to clear a gate's bit.
    gates_clear: [WO<u32>; 2],
}

assert_offsets!(RegisterBlock {
    gates: 0x20,
    swcg3: 0x2c,
    gates_set: 0x50,
    swcg3_set: 0x5c,
    gates_clear: 0x80,
});

/// A clock gate: 32 times its group, plus its bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are those of the clocks")]
pub enum Gate {
    PwmMm = 0,
    CamMm = 1,
    MfgMm = 2,
    Spm52M = 3,
    Mipi26MDebug = 4,
    DbiBclk = 5,
    Sc26M = 6,
    ScMemOff = 7,
    DbiPad0 = 16,
    DbiPad1 = 17,
    DbiPad2 = 18,
    DbiPad3 = 19,
    Gpu491M = 20,
    Gpu500M = 21,
    ArmDcm = 31,
    Efuse = 32,
    Thermal = 33,
    ApDma = 34,
    I2c0 = 35,
    I2c1 = 36,
    AuxMd = 37,
    Nfi = 38,
    NfiEcc = 39,
    DebugSys = 40,
    Pwm = 41,
    Uart0 = 42,
    Uart1 = 43,
    Btif = 44,
    Usb = 45,
    Fhctl = 46,
    AuxThermal = 47,
    SpiNfi = 48,
    Msdc0 = 49,
    Msdc1 = 50,
    PmicAp = 52,
    Sej = 53,
    MemSleepDelayer = 54,
    Apxgpt = 56,
    Audio = 57,
    Spm = 58,
    PmicMd = 59,
    PmicConn = 60,
    Pmic26M = 61,
    AuxAdc = 62,
    AuxTouch = 63,
}

/// Gates of CG0 whose bit is an enable.
const ENABLES: u32 = 1 << 4 | 1 << 6 | 1 << 7 | 1 << 20 | 1 << 21 | 1 << 31;

impl Gate {
    const fn group(self) -> usize {
        self as usize / 32
    }

    const fn bit(self) -> u32 {
        1 << (self as u32 % 32)
    }

    /// The bit set means that the clock runs.
    const fn is_enable(self) -> bool {
        self.group() == 0 && self.bit() & ENABLES != 0
    }
}

/// CLK_MUX_SEL, as far as the bootloader changes or reads it.
#[bitfield(u32)]
struct Mux {
    /// 0 crystal, 1 UNIVPLL / 24.
    #[bit(0, rw)]
    uart0_pll: bool,
    /// AXI source: 2 = MAINPLL / 10, 4 = MAINPLL / 12, others the crystal.
    #[bits(5..=7, r)]
    axi: arbitrary_int::u3,
    /// AXI source, upper bit: set by the preloader on DDR2 boards only.
    #[bit(7, r)]
    ddr2: bool,
    #[bits(11..=13, rw)]
    msdc0: MsdcSource,
    /// 0 = 48 MHz, 1 = UNIVPLL / 6.
    #[bit(17, rw)]
    camera_208m: bool,
    #[bit(19, rw)]
    uart1_pll: bool,
    /// 3 = crystal.
    #[bits(24..=25, rw)]
    pmic_spi: arbitrary_int::u2,
}

/// Clock source of an MSDC.
#[bitenum(u3, exhaustive = true)]
#[derive(Debug, PartialEq, Eq)]
pub enum MsdcSource {
    /// MAINPLL / 12.
    MainPllDiv12 = 0,
    /// MAINPLL / 10.
    MainPllDiv10 = 1,
    /// MAINPLL / 8: what the vendor's LK uses.
    MainPllDiv8 = 2,
    /// UNIVPLL / 7: 178.3 MHz.
    UnivPllDiv7 = 3,
    /// MAINPLL / 7.
    MainPllDiv7 = 4,
    /// MAINPLL / 8 again.
    MainPllDiv8Too = 5,
    /// The 26 MHz crystal.
    Crystal = 6,
    /// UNIVPLL / 6: 208 MHz whatever the DRAM.
    UnivPllDiv6 = 7,
}

const CRYSTAL_HZ: u32 = 26_000_000;
const UNIVPLL_HZ: u32 = 1_248_000_000;
/// MAINPLL follows the DRAM type.
const MAINPLL_DDR2_HZ: u32 = 1_599_000_000;
const MAINPLL_DDR3_HZ: u32 = 1_326_000_000;

/// Muxes and gates.
pub struct Topckgen {
    regs: &'static RegisterBlock,
}

impl Topckgen {
    /// The driver of the block `regs`.
    pub const fn new(regs: &'static RegisterBlock) -> Self {
        Self { regs }
    }

    /// Lets the clock run.
    pub fn open(&mut self, gate: Gate) {
        self.switch(gate, gate.is_enable());
    }

    /// Stops the clock.
    pub fn close(&mut self, gate: Gate) {
        self.switch(gate, !gate.is_enable());
    }

    /// Whether the clock runs.
    pub fn is_open(&self, gate: Gate) -> bool {
        let set = self.regs.gates[gate.group()].read() & gate.bit() != 0;
        set == gate.is_enable()
    }

    fn switch(&mut self, gate: Gate, set: bool) {
        let alias = if set {
            &self.regs.gates_set
        } else {
            &self.regs.gates_clear
        };
        alias[gate.group()].put(gate.bit());
    }

    /// Chooses MSDC0's source; its gate should be closed meanwhile.
    pub fn set_msdc0_source(&mut self, source: MsdcSource) {
        self.change_mux(|mux| mux.with_msdc0(source));
    }

    /// MSDC0's source.
    pub fn msdc0_source(&self) -> MsdcSource {
        self.mux().msdc0()
    }

    /// Rate of an MSDC source on this board, in Hz.
    pub fn msdc_source_hz(&self, source: MsdcSource) -> u32 {
        let main = if self.mux().ddr2() {
            MAINPLL_DDR2_HZ
        } else {
            MAINPLL_DDR3_HZ
        };
        match source {
            MsdcSource::MainPllDiv12 => main / 12,
            MsdcSource::MainPllDiv10 => main / 10,
            MsdcSource::MainPllDiv8 | MsdcSource::MainPllDiv8Too => main / 8,
            MsdcSource::MainPllDiv7 => main / 7,
            MsdcSource::UnivPllDiv7 => UNIVPLL_HZ / 7,
            MsdcSource::UnivPllDiv6 => UNIVPLL_HZ / 6,
            MsdcSource::Crystal => CRYSTAL_HZ,
        }
    }

    /// Rate of the bus that the I2C controllers divide by twelve, in kHz.
    /// Source: facts/i2c-touch-camera.md 1.4.
    pub fn axi_khz(&self) -> u32 {
        let source = match self.mux().axi().value() {
            2 => MsdcSource::MainPllDiv10,
            4 => MsdcSource::MainPllDiv12,
            _ => MsdcSource::Crystal,
        };
        self.msdc_source_hz(source) / 1000
    }

    /// Both UARTs on the crystal, which their baud settings assume.
    pub fn uarts_on_crystal(&mut self) {
        self.change_mux(|mux| mux.with_uart0_pll(false).with_uart1_pll(false));
    }

    /// The cameras' clock group: 48 MHz.
    pub fn camera_on_48m(&mut self) {
        self.change_mux(|mux| mux.with_camera_208m(false));
    }

    /// The clock of the PMIC wrapper's SPI: the crystal, and the one bit of
    /// the unknown group that the preloader sets for it.
    pub fn open_pwrap_spi(&mut self) {
        self.regs.swcg3_set.put(1 << 2);
        self.change_mux(|mux| mux.with_pmic_spi(arbitrary_int::u2::new(3)));
    }

    fn mux(&self) -> Mux {
        Mux::new_with_raw_value(self.regs.mux.read())
    }

    fn change_mux(&mut self, change: impl FnOnce(Mux) -> Mux) {
        self.regs
            .mux
            .update(|value| change(Mux::new_with_raw_value(value)).raw_value());
    }
}

/// Makes a test's gates follow their SET and CLR aliases.
#[cfg(test)]
pub(crate) fn animate(regs: &'static RegisterBlock) {
    use crate::reg::peek;
    crate::time::clock::each_tick(move || {
        for (group, gates) in regs.gates.iter().enumerate() {
            let (set, clear) = (&regs.gates_set[group], &regs.gates_clear[group]);
            gates.put(gates.read() & !peek(clear) | peek(set));
            set.put(0);
            clear.put(0);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reg::{leaked, peek};

    #[test]
    fn gates_use_the_aliases_and_know_enables() {
        let regs: &RegisterBlock = leaked();
        let mut clocks = Topckgen::new(regs);
        clocks.open(Gate::Msdc0);
        assert_eq!(peek(&regs.gates_clear[1]), 1 << 17);
        clocks.close(Gate::Efuse);
        assert_eq!(peek(&regs.gates_set[1]), 1);
        clocks.open(Gate::Gpu500M);
        assert_eq!(peek(&regs.gates_set[0]), 1 << 21);
        regs.gates[1].put(1 << 24);
        assert!(!clocks.is_open(Gate::Apxgpt) && clocks.is_open(Gate::Uart0));
        assert!(!clocks.is_open(Gate::ArmDcm));
    }

    #[test]
    fn msdc_source_rates_follow_the_dram() {
        let regs: &RegisterBlock = leaked();
        // DDR2 as the preloader sets it.
        regs.mux.put(0x1000_0480);
        let mut clocks = Topckgen::new(regs);
        assert_eq!(clocks.msdc_source_hz(MsdcSource::MainPllDiv12), 133_250_000);
        regs.mux.put(0x1000_0440);
        assert_eq!(clocks.msdc_source_hz(MsdcSource::MainPllDiv8), 165_750_000);
        assert_eq!(clocks.msdc_source_hz(MsdcSource::UnivPllDiv6), 208_000_000);
        clocks.set_msdc0_source(MsdcSource::UnivPllDiv6);
        assert_eq!(regs.mux.read(), 0x1000_0440 | 7 << 11);
        assert_eq!(clocks.msdc0_source(), MsdcSource::UnivPllDiv6);
    }

    #[test]
    fn muxes_of_uart_and_pmic() {
        let regs: &RegisterBlock = leaked();
        regs.mux.put(0x0008_0001);
        let mut clocks = Topckgen::new(regs);
        clocks.uarts_on_crystal();
        clocks.open_pwrap_spi();
        assert_eq!(regs.mux.read(), 3 << 24);
        assert_eq!(peek(&regs.swcg3_set), 4);
    }
}

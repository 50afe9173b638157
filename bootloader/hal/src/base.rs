//! Where each block of the MT6572 sits: the one place in the bootloader that
//! knows a physical address.
//!
//! Only `Peripherals` turns one of these into a reference to
//! registers; a driver gets its block handed and cannot reach another.
//!
//! Source: facts/soc.md 1.1, 1.2, 1.3 and 1.4; facts/display.md 0.

/// Chip ID block: hardware and software version, code.
pub const CHIP_ID: usize = 0x0800_0000;
/// Clock muxes and gates.
pub const TOPCKGEN: usize = 0x1000_0000;
/// CPU clock mux and bus protection of the power domains.
pub const INFRACFG_AO: usize = 0x1000_1000;
/// Start of core 1 and the way into USB download.
pub const SRAMROM: usize = INFRACFG_AO + 0x400;
/// Key matrix.
pub const KEYPAD: usize = 0x1000_2000;
/// Pin direction, level and function.
pub const GPIO: usize = 0x1000_5000;
/// Power domains.
pub const SPM: usize = 0x1000_6000;
/// Watchdog and software reset.
pub const TOPRGU: usize = 0x1000_7000;
/// General purpose timers; GPT6 also feeds the ARM system counter.
pub const GPT: usize = 0x1000_8000;
/// E-fuses.
pub const EFUSE: usize = 0x1000_9000;
/// External interrupts from pads.
pub const EINT: usize = 0x1000_B000;
/// Bridge to the PMIC.
pub const PWRAP: usize = 0x1000_F000;
/// Pads shared with MIPI: transmitter at +0, receiver at +0x800.
pub const MIPI_CONFIG: usize = 0x1001_1000;
/// L2 size and interrupt polarity.
pub const MCUSYS: usize = 0x1020_0000;
/// PLLs.
pub const APMIXED: usize = 0x1020_5000;
/// Pad configuration, bank "T".
pub const IOCFG_TOP: usize = 0x1020_8000;
/// Pad configuration, bank "B", with the eMMC pads.
pub const IOCFG_BOTTOM: usize = 0x1020_9000;
/// Pad configuration, bank "L".
pub const IOCFG_LEFT: usize = 0x1020_A000;
/// Pad configuration, bank "R".
pub const IOCFG_RIGHT: usize = 0x1020_B000;
/// GIC distributor.
pub const GIC_DISTRIBUTOR: usize = 0x1021_1000;
/// GIC CPU interface.
pub const GIC_CPU: usize = 0x1021_2000;
/// DMA of the slow peripherals: a channel each 0x80 bytes.
pub const AP_DMA: usize = 0x1100_0000;
/// SoC ADC.
pub const AUXADC: usize = 0x1100_3000;
/// The UART that the vendor calls UART1: ttyMT0, pads 103 and 104.
pub const UART0: usize = 0x1100_5000;
/// The UART that the vendor calls UART2: ttyMT1, pads 101 and 102.
pub const UART1: usize = 0x1100_6000;
/// I2C of the cameras.
pub const I2C0: usize = 0x1100_9000;
/// I2C of the touch chip and the sensors.
pub const I2C1: usize = 0x1100_A000;
/// PWM channels.
pub const PWM: usize = 0x1100_8000;
/// eMMC host.
pub const MSDC0: usize = 0x1112_0000;
/// SD card host.
pub const MSDC1: usize = 0x1113_0000;
/// Display, camera and codec configuration; needs the DIS power domain.
pub const MMSYS: usize = 0x1400_0000;
/// Camera interface; needs the DIS power domain.
pub const CAM: usize = 0x1401_3000;
/// Sensor interface and clock; needs the DIS power domain.
pub const SENINF: usize = 0x1401_4000;
/// Overlay engine: the start of the display path.
pub const OVL: usize = 0x1400_7000;
/// Read DMA of the display.
pub const RDMA: usize = 0x1400_8000;
/// A stage of the display path, and the backlight's PWM.
pub const BLS: usize = 0x1400_A000;
/// Picture improvement.
pub const COLOR: usize = 0x1400_B000;
/// DSI host.
pub const DSI: usize = 0x1400_C000;
/// Display mutexes.
pub const DISP_MUTEX: usize = 0x1400_E000;
/// The display's memory interface.
pub const SMI_LARB0: usize = 0x1401_0000;
/// Controller for parallel panels, with the panel's reset line.
pub const DBI: usize = 0x1401_2000;
/// DRAM, rank 0; further ranks follow without a gap.
pub const DRAM: usize = 0x8000_0000;

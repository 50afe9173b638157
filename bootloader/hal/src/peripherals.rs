//! Every block of the chip, handed out once: the only place where addresses
//! become references.
//!
//! Source: facts/soc.md 1.2, through [`crate::base`].

use crate::auxadc::Auxadc;
use crate::base;
use crate::camera::CameraClock;
use crate::chip::Chip;
use crate::clocks::{Apmixed, Infracfg, Topckgen};
use crate::display::{self, Dbi};
use crate::dsi::Dsi;
use crate::eint::Eint;
use crate::gic::Gic;
use crate::gpio::{Gpio, Pads};
use crate::gpt::Gpt;
use crate::i2c;
use crate::keypad::Keypad;
use crate::mcusys::Mcusys;
use crate::mipitx::Mipitx;
use crate::mmsys::Mmsys;
use crate::msdc;
use crate::mt6323::Mt6323;
use crate::pwm::Pwm;
use crate::pwrap::Pwrap;
use crate::spm::Spm;
use crate::sramrom::Sramrom;
use crate::toprgu::Toprgu;
use crate::uart::Uart;
use core::sync::atomic::{AtomicBool, Ordering};
use volatile_register::RO;

/// The drivers of the chip's blocks. The eMMC host and the I2C controllers
/// come as bare registers: their drivers also need memory that the DMA may
/// use, which is not ours. The
/// UARTs are there to be taken: the one that carries the log belongs to it.
#[expect(missing_docs, reason = "each field is documented at its driver")]
pub struct Peripherals {
    pub apmixed: Apmixed,
    pub auxadc: Auxadc,
    pub camera_clock: CameraClock,
    pub chip: Chip,
    pub dbi: Dbi,
    pub display: display::Path,
    pub dsi: Dsi,
    pub eint: Eint,
    pub gic: Gic,
    pub gpio: Gpio,
    pub gpt: Gpt,
    pub i2c0: (&'static i2c::RegisterBlock, i2c::Channels),
    pub i2c1: (&'static i2c::RegisterBlock, i2c::Channels),
    pub infracfg: Infracfg,
    pub keypad: Keypad,
    pub mcusys: Mcusys,
    pub mipitx: Mipitx,
    pub mmsys: Mmsys,
    pub msdc0: &'static msdc::RegisterBlock,
    pub msdc0_pads: &'static msdc::PadRegisters,
    pub pads: Pads,
    pub pmic: Mt6323<Pwrap>,
    pub pwm: Pwm,
    pub spm: Spm,
    pub sramrom: Sramrom,
    pub topckgen: Topckgen,
    pub toprgu: Toprgu,
    pub uart0: Option<Uart>,
    pub uart1: Option<Uart>,
}

static TAKEN: AtomicBool = AtomicBool::new(false);

impl Peripherals {
    /// All drivers, the first time it is asked; `None` after that.
    pub fn take() -> Option<Self> {
        // Load and store instead of a swap: exclusive accesses are not
        // guaranteed to work while the MMU is off, and only one core is here.
        if TAKEN.load(Ordering::Relaxed) {
            return None;
        }
        TAKEN.store(true, Ordering::Relaxed);
        // SAFETY: the first and only set.
        Some(unsafe { Self::steal() })
    }

    /// All drivers, whoever else has them: for exception and panic handlers,
    /// and for tasks that take turns with the owner.
    ///
    /// # Safety
    ///
    /// No method of a driver of one set may run while one of another set is
    /// in the middle of its work: read-modify-writes could be torn.
    pub unsafe fn steal() -> Self {
        // SAFETY: each address is the base of the block that the type
        // describes, and is device memory for the life of the system.
        unsafe {
            Self {
                apmixed: Apmixed::new(block(base::APMIXED)),
                auxadc: Auxadc::new(block(base::AUXADC)),
                camera_clock: CameraClock::new(block(base::SENINF), block(base::CAM)),
                chip: Chip::new(block(base::CHIP_ID), block(base::EFUSE)),
                dbi: Dbi::new(block(base::DBI)),
                display: display::Path::new(display::Registers {
                    larb: block(base::SMI_LARB0),
                    mutex: block(base::DISP_MUTEX),
                    ovl: block(base::OVL),
                    rdma: block(base::RDMA),
                    color: block(base::COLOR),
                    bls: block(base::BLS),
                }),
                dsi: Dsi::new(block(base::DSI)),
                eint: Eint::new(block(base::EINT)),
                gic: Gic::new(block(base::GIC_DISTRIBUTOR), block(base::GIC_CPU)),
                gpio: Gpio::new(block(base::GPIO)),
                gpt: Gpt::new(block(base::GPT)),
                i2c0: (block(base::I2C0), channels(0x180)),
                i2c1: (block(base::I2C1), channels(0x280)),
                infracfg: Infracfg::new(block(base::INFRACFG_AO)),
                keypad: Keypad::new(block(base::KEYPAD)),
                mcusys: Mcusys::new(block(base::MCUSYS)),
                mipitx: Mipitx::new(block(base::MIPI_CONFIG)),
                mmsys: Mmsys::new(block(base::MMSYS)),
                msdc0: block(base::MSDC0),
                msdc0_pads: block(base::IOCFG_BOTTOM),
                pads: Pads::new(
                    [
                        block(base::IOCFG_TOP),
                        block(base::IOCFG_BOTTOM),
                        block(base::IOCFG_LEFT),
                        block(base::IOCFG_RIGHT),
                    ],
                    block(base::MIPI_CONFIG),
                ),
                pmic: Mt6323::new(Pwrap::new(block(base::PWRAP))),
                pwm: Pwm::new(block(base::PWM)),
                spm: Spm::new(block(base::SPM)),
                sramrom: Sramrom::new(block(base::SRAMROM)),
                topckgen: Topckgen::new(block(base::TOPCKGEN)),
                toprgu: Toprgu::new(block(base::TOPRGU)),
                uart0: Some(Uart::new(block(base::UART0))),
                uart1: Some(Uart::new(block(base::UART1))),
            }
        }
    }
}

/// The two AP-DMA channels of an I2C controller, the first at `offset`.
///
/// # Safety
///
/// `offset` must be that of a pair of channels.
const unsafe fn channels(offset: usize) -> i2c::Channels {
    // SAFETY: the caller promises it.
    unsafe {
        i2c::Channels {
            transmit: block(base::AP_DMA + offset),
            receive: block(base::AP_DMA + offset + 0x80),
        }
    }
}

/// The register block at `base`.
///
/// # Safety
///
/// `base` must be the address of a block that `T` describes.
const unsafe fn block<T>(base: usize) -> &'static T {
    // SAFETY: the caller promises it; registers are naturally aligned.
    unsafe { &*(base as *const T) }
}

/// GPT4's counter, which everybody may read.
pub(crate) fn clock() -> &'static RO<u32> {
    const GPT4_COUNT: usize = base::GPT + 0x48;
    // SAFETY: the register is there and reading it changes nothing.
    unsafe { block(GPT4_COUNT) }
}

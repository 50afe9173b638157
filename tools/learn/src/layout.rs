//! Where the vendor's structures hold what, for the generations of its trees.
//!
//! Offsets were read off the declarations of `LCM_DRIVER`, `LCM_UTIL_FUNCS` and
//! `LCM_PARAMS` in public trees, as facts: 4.2 from `rex-xxx/mt6572_x201`, 4.4
//! before the power functions from `LosTigeros/Trooper2_4.0_5.0_kernel` and
//! `rock12/android_kernel_xbasic`, 4.4 with them from
//! `mt6572/k8c_mediatek_custom_common_kernel` (each `lcm_drv.h`), and checked
//! against stock images of a Lenovo A516 (4.2) and a Mobiwire S10 (4.4).

use serde::Serialize;

/// A generation of the structures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Generation {
    /// 4.2 and early 4.4: no power functions, 15 or more functions.
    Jb,
    /// 4.4: functions for the panel's supplies, 20 functions.
    Kk,
}

/// Words of a driver structure that are looked at: the name and 20 functions.
pub const DRIVER_WORDS: usize = 21;

/// Functions that both generations have in the same place, by word.
pub mod word {
    /// `set_util_funcs`.
    pub const SET_UTIL: usize = 1;
    /// `get_params`.
    pub const GET_PARAMS: usize = 2;
    /// `init`.
    pub const INIT: usize = 3;
    /// `suspend`.
    pub const SUSPEND: usize = 4;
    /// `resume`.
    pub const RESUME: usize = 5;
}

impl Generation {
    /// Word of `init_power`.
    pub const fn init_power(self) -> Option<usize> {
        match self {
            Self::Jb => None,
            Self::Kk => Some(6),
        }
    }

    /// Word of `compare_id`.
    pub const fn compare_id(self) -> usize {
        match self {
            Self::Jb => 7,
            Self::Kk => 10,
        }
    }
}

/// A service function that LK gives its drivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// `set_reset_pin(level)`.
    SetResetPin,
    /// `set_chip_select(level)`.
    SetChipSelect,
    /// `set_gpio_out(pin, level)`.
    SetGpioOut,
    /// `udelay(microseconds)`.
    UDelay,
    /// `mdelay(milliseconds)`.
    MDelay,
    /// `send_cmd(word)`, on a bus of the LCD controller.
    SendCommand,
    /// `send_data(word)`, on a bus of the LCD controller.
    SendData,
    /// `read_data()`, on a bus of the LCD controller.
    ReadData,
    /// `dsi_set_cmdq_V3(rows, count, force)`.
    QueueV3,
    /// `dsi_set_cmdq_V2(command, count, parameters, force)`.
    QueueV2,
    /// `dsi_set_cmdq(words, count, force)`.
    Queue,
    /// `dsi_write_cmd(command)`.
    WriteCommand,
    /// `dsi_write_regs(register, words, count)`.
    WriteRegisters,
    /// `dsi_read_reg()`.
    ReadRegister,
    /// `dsi_dcs_read_lcm_reg(command)`.
    DcsRead,
    /// `dsi_dcs_read_lcm_reg_v2(command, buffer, length)`.
    DcsReadV2,
    /// `wait_transfer_done()`.
    WaitDone,
    /// `set_gpio_mode(pin, mode)`.
    SetGpioMode,
    /// `set_gpio_dir(pin, out)`.
    SetGpioDirection,
    /// `set_gpio_pull_enable(pin, on)`.
    SetGpioPull,
    /// One that no known tree has.
    Unknown,
}

/// The service functions in the order of the vendor's table; the generations
/// agree.
pub const SERVICES: [Service; 20] = [
    Service::SetResetPin,
    Service::SetChipSelect,
    Service::SetGpioOut,
    Service::UDelay,
    Service::MDelay,
    Service::SendCommand,
    Service::SendData,
    Service::ReadData,
    Service::QueueV3,
    Service::QueueV2,
    Service::Queue,
    Service::WriteCommand,
    Service::WriteRegisters,
    Service::ReadRegister,
    Service::DcsRead,
    Service::DcsReadV2,
    Service::WaitDone,
    Service::SetGpioMode,
    Service::SetGpioDirection,
    Service::SetGpioPull,
];

/// Bytes of a row of a V3 table: data type, command, count, 128 parameters.
pub const V3_ROW_BYTES: u32 = 131;

/// Words of `LCM_PARAMS` that are looked at; no known one has more.
pub const PARAMS_WORDS: usize = 192;

/// Where `LCM_PARAMS` holds what, in words. The part for DSI is found by its
/// own fields: trees differ in what stands before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParamsLayout {
    /// Width; the height follows.
    pub width: usize,
    /// First word of the part for DSI.
    pub dsi: usize,
    /// Behind the DSI part: its offsets from [`ParamsLayout::dsi`].
    pub tail: Tail,
}

/// Offsets from the first word of the part for DSI that differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    /// Four words of D-PHY times, a byte each.
    pub phy: usize,
    /// `pll_div1`; `pll_div2` and `fbk_div` follow.
    pub dividers: usize,
    /// `PLL_CLOCK`.
    pub pll_clock: usize,
    /// `ssc_disable`, if there is one.
    pub ssc_disable: Option<usize>,
    /// Physical width in mm; the height follows.
    pub physical: Option<usize>,
}

/// Offsets in the part for DSI that all trees share, in words.
pub mod dsi {
    /// Mode: 0 command, 1 sync pulse, 2 sync event, 3 burst.
    pub const MODE: usize = 0;
    /// Data lanes.
    pub const LANES: usize = 4;
    /// 0 RGB565, 1 loose RGB666, 2 RGB888, 3 packed RGB666.
    pub const PIXELS: usize = 10;
    /// Sync, back porch, front porch and active lines.
    pub const VERTICAL: usize = 13;
    /// Sync, back porch and front porch in pixels.
    pub const HORIZONTAL: usize = 17;
    /// Active pixels.
    pub const ACTIVE: usize = 21;
}

/// 4.2.
pub const TAIL_JB: Tail = Tail {
    phy: 30,
    dividers: 34,
    pll_clock: 41,
    ssc_disable: None,
    physical: None,
};

/// 4.4 before the power functions: spread spectrum can be turned off. The part
/// for DPI is longer than in 4.2, which tells the two apart.
pub const TAIL_JB_SPREAD: Tail = Tail {
    ssc_disable: Some(43),
    ..TAIL_JB
};

/// First word of the part for DSI in 4.2.
pub const DSI_42: usize = 71;

/// 4.4 with the power functions: one more word before and one behind the
/// D-PHY times.
pub const TAIL_KK: Tail = Tail {
    phy: 31,
    dividers: 36,
    pll_clock: 43,
    ssc_disable: Some(45),
    physical: Some(56),
};

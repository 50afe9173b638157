//! The wires between the blocks, and what the board and its user do.
//!
//! Each field has one writer, named in its documentation; everybody may read.
//! Models stay small and independent because this is all they share.

/// A request that one block makes of the whole machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// TOPRGU resets the SoC. The text says why (time-out, software reset).
    Reset(&'static str),
    /// The PMIC resets the SoC by its reset line, as at power-on; it keeps its
    /// own registers, and the supplies stay.
    PmicReset(&'static str),
    /// The RTC lets go of the PMIC: the phone is off.
    PowerOff(&'static str),
}

/// The supplies that other models care about (`Mt6323` drives them).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(
    missing_docs,
    reason = "the names of the MT6323's outputs, facts/soc.md 10.4"
)]
pub enum Rail {
    Vproc,
    Vsys,
    Vpa,
    Vtcxo,
    Va,
    Vcama,
    Vcn33,
    Vcn28,
    Vio28,
    Vusb,
    Vmc,
    Vmch,
    Vemc3v3,
    Vgp1,
    Vgp2,
    Vgp3,
    Vcn1v8,
    Vsim1,
    Vsim2,
    Vrtc,
    VcamAf,
    Vibr,
    Vrf18,
    Vm,
    Vio18,
    Vcamd,
    VcamIo,
}

/// Number of [`Rail`]s.
pub const RAILS: usize = Rail::VcamIo as usize + 1;

/// A transfer that an AP-DMA channel was started for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DmaOrder {
    /// Number of the transfer, never the same twice; 0: the channel stands still.
    pub run: u32,
    /// Physical address in memory.
    pub addr: u32,
    /// Bytes.
    pub len: u32,
}

/// How far the block at the other end of an AP-DMA channel has got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DmaProgress {
    /// [`DmaOrder::run`] of the transfer.
    pub run: u32,
    /// Bytes that were moved.
    pub bytes: u32,
}

/// See the module documentation. Power-on values come from [`Default`].
#[derive(Clone, Debug, PartialEq)]
pub struct Signals {
    // --- driven by TOPCKGEN ---
    /// CLK_MUX_SEL.
    pub clk_mux_sel: u32,
    /// CG0 status word as read at +0x20 (bit 1 = clock off, *EN* bits the other way round).
    pub cg0: u32,
    /// CG1 status word as read at +0x24 (bit 1 = clock off).
    pub cg1: u32,

    // --- driven by APMIXED ---
    /// Output of the ARM PLL in Hz.
    pub armpll_hz: u64,
    /// Output of the main PLL in Hz (1599 MHz on DDR2 boards, 1326 MHz on DDR3).
    pub mainpll_hz: u64,
    /// Output of UNIVPLL in Hz (1248 MHz when on).
    pub univpll_hz: u64,

    // --- driven by SPM ---
    /// PWR_STATUS: bit n = domain n is on (facts/soc.md 9.6).
    pub pwr_status: u32,

    // --- driven by MMSYS_CONFIG ---
    /// MMSYS CG0 status (bit 1 = clock off).
    pub mm_cg0: u32,
    /// MMSYS CG1 status (bit 1 = clock off).
    pub mm_cg1: u32,

    // --- driven by MIPI_CONFIG ---
    /// Rate of a DSI data lane in kbit/s; `None`: its PLL does not run.
    pub dsi_pll_kbps: Option<u32>,
    /// State of the DSI pads' drivers.
    pub mipi_lanes: crate::models::mipitx::Lanes,

    // --- driven by DSI ---
    /// Video runs since then; a frame starts at once and every
    /// `display.frame_ns`.
    pub video_since: Option<u64>,

    // --- driven by the blocks of the display path, each its part ---
    /// What is in effect in the display path.
    pub display: crate::display::Path,

    // --- driven by DBI ---
    /// Level of the panel's reset line (pad LRSTB): false holds it in reset.
    pub lrstb: bool,

    // --- driven by BLS ---
    /// Duty of the backlight output PWM_BL; `None`: it does not run.
    pub bls_permille: Option<u16>,

    // --- driven by PWM ---
    /// Part of the time that PWM1 to PWM5 are high.
    pub pwm_permille: [u16; 5],

    // --- driven by the panel ---
    /// What one sees of the phone may have changed.
    pub glass: crate::panel::Notice,

    // --- driven by MCUSYS ---
    /// The L2's RAM is mapped as SRAM at 0x0200_0000 instead of being a cache.
    pub l2_is_sram: bool,
    /// INT_POL_CTL: bit n of the 128 = line n is inverted before the GIC.
    pub int_pol: u128,

    // --- driven by INFRACFG_AO (SRAMROM part) ---
    /// SLAVE_JUMP and SLAVE1_MAGIC: core 1 is told to leave the boot ROM.
    pub core1_entry: Option<u32>,
    /// TOPAXI_PROTECTEN: bit n = this part of the bus is isolated.
    pub axi_protect: u32,
    /// USBDL_REG as last written.
    pub usbdl_reg: u32,
    /// USBDL_MAGIC as last written.
    pub usbdl_magic: u32,

    // --- driven by GPT ---
    /// GPT6 runs: the ARM system counter is fed.
    pub gpt6_running: bool,

    // --- driven by the cores themselves ---
    /// Core 1 waits in WFI, or has no supply.
    pub core1_waits: bool,

    // --- driven by GPIO ---
    /// Mode of each pin, 0..=7.
    pub pin_mode: [u8; 154],
    /// Direction of each pin, bit n = output.
    pub pin_output: [bool; 154],
    /// Level that each pin drives when it is an output in mode 0.
    pub pin_out_level: [bool; 154],

    // --- driven by IOCFG, each bank for its own pads ---
    /// What the pad's resistor pulls it to; `None`: it has none, or it is off.
    pub pin_pull: [Option<bool>; 154],

    // --- driven by TOPRGU ---
    /// WDT_SWSYSRST levels: bit n holds block n in reset.
    pub swsysrst: u32,

    // --- driven by SENINF ---
    /// Frequency of the camera master clock at pin 62; `None`: it rests.
    pub cmmclk_hz: Option<u32>,

    // --- driven by CAM ---
    /// CMOS_EN of CAM_TG_SEN_MODE.
    pub cam_cmos_en: bool,

    // --- driven by AP_DMA ---
    /// Channels of the I2C controllers: TX and RX of I2C0, TX and RX of I2C1.
    pub i2c_dma: [DmaOrder; 4],

    // --- driven by I2C0 and I2C1, each its own two ---
    /// What became of [`Signals::i2c_dma`].
    pub i2c_dma_moved: [DmaProgress; 4],

    // --- driven by the PMIC ---
    /// Output of each rail in millivolts; 0 = off.
    pub rails_mv: [u16; RAILS],
    /// The PMIC's interrupt output (pin 7).
    pub pmic_irq: bool,
    /// Current through the backlight's sinks (ISINK) in thousandths of what
    /// all four can take; `None`: no sink is switched on.
    pub isink_permille: Option<u16>,

    // --- driven by the MSDC0 model, the eMMC's RST_n pin ---
    /// MSDC0 drives RST_n low.
    pub emmc_rst_n_low: bool,

    // --- driven by the board and its user, and by I2C0 and I2C1 for the chips on their wires ---
    /// Level that the board applies to each pin from outside; `None`: the pin
    /// is open there.
    pub pin_applied: [Option<bool>; 154],
    /// Matrix keys held: bit n = key index n (facts/soc.md 8.2), 0..=71.
    pub keys: u128,
    /// Power key held.
    pub power_key: bool,
    /// "Home" key of the PMIC held.
    pub home_key: bool,
    /// A charger is plugged in.
    pub charger: bool,
    /// Battery voltage in millivolts; 0 = no battery.
    pub battery_mv: u16,

    /// What the machine is asked to do after this access.
    pub request: Option<Request>,
}

impl Signals {
    /// Whether gate `bit` of CG1 lets the clock through.
    pub fn cg1_open(&self, bit: u8) -> bool {
        self.cg1 >> bit & 1 == 0
    }

    /// Whether power domain `bit` of PWR_STATUS is on.
    pub fn domain_on(&self, bit: u8) -> bool {
        self.pwr_status >> bit & 1 != 0
    }

    /// The first start of a frame after `time`, if video runs; all in nanoseconds.
    pub fn frame_after(&self, time: u64, frame: u64) -> Option<u64> {
        let first = self.video_since?;
        Some(match time.checked_sub(first) {
            None => first,
            Some(elapsed) => first + (elapsed / frame + 1) * frame,
        })
    }

    /// What a pin's input sees while the chip does not drive it. An open pin
    /// without a pull reads low here; a real one reads anything.
    pub fn pin_input(&self, pin: usize) -> bool {
        self.pin_applied[pin]
            .or(self.pin_pull[pin])
            .unwrap_or(false)
    }

    /// Millivolts on a rail.
    pub fn rail_mv(&self, rail: Rail) -> u16 {
        self.rails_mv[rail as usize]
    }
}

impl Default for Signals {
    fn default() -> Self {
        Signals {
            clk_mux_sel: 0,
            cg0: 0,
            cg1: 0,
            armpll_hz: 897_000_000,
            mainpll_hz: 1_599_000_000,
            univpll_hz: 1_248_000_000,
            pwr_status: 0,
            mm_cg0: !0,
            mm_cg1: !0,
            dsi_pll_kbps: None,
            mipi_lanes: crate::models::mipitx::Lanes::default(),
            video_since: None,
            display: crate::display::Path::default(),
            lrstb: false,
            bls_permille: None,
            pwm_permille: [0; 5],
            glass: crate::panel::Notice::default(),
            l2_is_sram: true,
            int_pol: 0,
            core1_entry: None,
            axi_protect: 0,
            usbdl_reg: 0,
            usbdl_magic: 0,
            gpt6_running: false,
            core1_waits: true,
            pin_mode: [0; 154],
            pin_output: [false; 154],
            pin_out_level: [false; 154],
            pin_pull: [None; 154],
            swsysrst: 0,
            cmmclk_hz: None,
            cam_cmos_en: false,
            i2c_dma: [DmaOrder::default(); 4],
            i2c_dma_moved: [DmaProgress::default(); 4],
            rails_mv: [0; RAILS],
            pmic_irq: false,
            isink_permille: None,
            emmc_rst_n_low: false,
            pin_applied: [None; 154],
            keys: 0,
            power_key: false,
            home_key: false,
            charger: false,
            battery_mv: 4000,
            request: None,
        }
    }
}

//! The rows of the table.

use crate::script::{PackedScript, Script};

/// How pixels reach the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PanelMode {
    /// The panel has its own memory; frames are written to it.
    Command,
    /// Video with sync pulses.
    SyncPulse,
    /// Video with sync events.
    SyncEvent,
    /// Video in bursts.
    Burst,
}

/// Pixel format on the lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneFormat {
    /// 16 bits.
    Rgb565,
    /// 18 bits in three bytes.
    Rgb666Loose,
    /// 18 bits, packed.
    Rgb666Packed,
    /// 24 bits.
    Rgb888,
}

impl LaneFormat {
    /// Bits a pixel takes on the lanes.
    pub const fn bits(self) -> u32 {
        match self {
            Self::Rgb565 => 16,
            Self::Rgb666Packed => 18,
            Self::Rgb666Loose | Self::Rgb888 => 24,
        }
    }
}

/// What connects a panel with the chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PanelBus {
    /// DSI lanes: the row's `lanes`, `mode`, `rate` and `phy` say how.
    Dsi,
    /// The parallel bus of the chip's LCD controller (DBI type B).
    Parallel(ParallelBus),
    /// The serial bus of the chip's LCD controller (DBI type C).
    Serial(SerialBus),
    /// Pixels and syncs on lines of their own (DPI), which unilk does not
    /// drive: the row is there to be named.
    Dpi,
}

impl PanelBus {
    /// Whether the chip's LCD controller drives it.
    pub const fn is_dbi(self) -> bool {
        matches!(self, Self::Parallel(_) | Self::Serial(_))
    }
}

/// One access on a parallel bus, in cycles of the LCD controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BusCycle {
    /// From chip select to strobe, 0 to 15.
    pub setup: u8,
    /// Strobe: how long a write is low, or until a read is sampled, 1 to 63.
    pub strobe: u8,
    /// From strobe to the end of chip select, 0 to 15.
    pub hold: u8,
}

/// How the LCD controller drives a parallel panel. Source: facts/display.md
/// 8.1 and the `dbi` fields of facts/panels.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParallelBus {
    /// Data lines: 8, 9, 16 or 18, which is all that the chip's pads have.
    pub width: u8,
    /// Bits of one write of a command or a parameter: 8, 16 or 32.
    pub access: u8,
    /// Registers have 16-bit addresses with one parameter each: parameter n of
    /// command 0x2A is register 0x2A00 + n. Otherwise as the DCS standard says.
    pub wide: bool,
    /// Pixels narrower than the bus are padded on the most significant lines.
    pub pad_high: bool,
    /// The least significant part of a pixel that takes several accesses goes
    /// first.
    pub low_first: bool,
    /// A write.
    pub write: BusCycle,
    /// A read.
    pub read: BusCycle,
}

/// How the LCD controller drives a serial panel. Phases are in cycles of the
/// controller, 0 to 15. Source: facts/display.md 8.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SerialBus {
    /// A ninth bit says whether a command or a parameter follows; otherwise
    /// the line LSA0 does.
    pub three_wire: bool,
    /// The panel answers on a line of its own, LSDI.
    pub own_output: bool,
    /// The clock rests high.
    pub idle_high: bool,
    /// First and second phase of the clock in a write.
    pub write: [u8; 2],
    /// First and second phase of the clock in a read.
    pub read: [u8; 2],
    /// From chip select to the clock, and from the clock to its end.
    pub select: [u8; 2],
}

/// Blanking in lines (vertical) or pixels (horizontal).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Sync active.
    pub sync: u16,
    /// Back porch.
    pub back: u16,
    /// Front porch.
    pub front: u16,
}

impl Timing {
    const fn sum(self) -> u32 {
        self.sync as u32 + self.back as u32 + self.front as u32
    }
}

/// How the vendor's driver states the lane rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateSource {
    /// `PLL_CLOCK` in MHz; a lane runs at twice that.
    PllMhz(u16),
    /// Divider codes of the older drivers: 52 MHz x `feedback` / (d1 x d2),
    /// where code 0, 1, 2, 3 divides by 1, 2, 4, 4.
    Dividers {
        /// Code of the first divider.
        div1: u8,
        /// Code of the second divider.
        div2: u8,
        /// Multiplier.
        feedback: u8,
    },
}

/// D-PHY times that the vendor's driver states itself, in cycles of eight bit
/// times; 0 = computed from the rate. Source: facts/display.md 4.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names of the D-PHY specification")]
pub struct PhyTiming {
    pub hs_trail: u8,
    pub hs_zero: u8,
    pub hs_prepare: u8,
    pub lpx: u8,
    pub ta_get: u8,
    pub ta_sure: u8,
    pub ta_go: u8,
    pub clk_trail: u8,
    pub clk_zero: u8,
    pub clk_prepare: u8,
}

/// A level of the reset pin and how long it is held before the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResetStep {
    /// High: the panel runs.
    pub high: bool,
    /// Milliseconds before the next step.
    pub ms: u16,
}

/// What one register, pin or voltage must be for a panel to be this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    /// Byte `byte` of the answer to question `question` of the [`Plan`].
    Answer {
        /// Index in [`Plan::questions`].
        question: u16,
        /// Which byte of the answer, from 0.
        byte: u8,
        /// The bits that count.
        mask: u8,
        /// Their value.
        value: u8,
    },
    /// Identification pin `index` of the wiring profile is at `high`.
    Strap {
        /// 0 = ID1, 1 = ID2.
        index: u8,
        /// The level.
        high: bool,
    },
    /// AUXADC channel `channel` is at `from_mv` to `to_mv`.
    Voltage {
        /// Channel of the AUXADC.
        channel: u8,
        /// Lowest, in millivolts.
        from_mv: u16,
        /// Highest, in millivolts; `u16::MAX` = open.
        to_mv: u16,
    },
}

/// A panel: controller and glass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PanelRow {
    /// Name of its file, unique.
    pub id: &'static str,
    /// Names of the vendor's drivers; the first is what `lcm=` must say.
    pub names: &'static [&'static str],
    /// Controller chip.
    pub controller: &'static str,
    /// `compatible` of mainline Linux, where it has a driver for this panel.
    pub compatible: Option<&'static str>,
    /// Pixels.
    pub width: u16,
    /// Pixels.
    pub height: u16,
    /// Size of the glass in mm, where the vendor says it.
    pub physical_mm: Option<(u16, u16)>,
    /// What connects it with the chip.
    pub bus: PanelBus,
    /// DSI data lanes, 1 to 3; 0 on another bus.
    pub lanes: u8,
    /// How pixels get there; `Command` on every bus but DSI and DPI.
    pub mode: PanelMode,
    /// Pixel format.
    pub format: LaneFormat,
    /// Blanking lines; `None` where the panel refreshes itself.
    pub vertical: Option<Timing>,
    /// Blanking pixels; `None` where the panel refreshes itself.
    pub horizontal: Option<Timing>,
    /// Lane rate; 0 on another bus than DSI.
    pub rate: RateSource,
    /// The vendor's driver turns spread spectrum off.
    pub no_spread: bool,
    /// D-PHY times of its own.
    pub phy: PhyTiming,
    /// Reset before the initialisation.
    pub reset: &'static [ResetStep],
    /// Initialisation, up to and with display-on.
    pub init: PackedScript,
    /// Power-down, down to sleep-in.
    pub power_down: PackedScript,
    /// Ways to know it: any one of these, each with all of its terms. Empty:
    /// it cannot be read.
    pub ids: &'static [&'static [Term]],
    /// Device configurations that select it: how common it is.
    pub shipped: u16,
    /// Copies of its driver in public source trees: weaker than `shipped`,
    /// because reference drivers lie in every tree.
    pub trees: u16,
    /// The source of the row is partial or was not verified.
    pub doubtful: bool,
}

impl PanelRow {
    /// What `lcm=` must say.
    pub const fn lcm_name(&self) -> &'static str {
        // The build script refuses a row without a name.
        self.names[0]
    }

    /// Mbit/s on each lane.
    pub const fn lane_mbps(&self) -> u32 {
        match self.rate {
            RateSource::PllMhz(mhz) => 2 * mhz as u32,
            RateSource::Dividers {
                div1,
                div2,
                feedback,
            } => 52 * feedback as u32 / (divisor(div1) * divisor(div2)),
        }
    }

    /// Frames per second times 100 in DSI's video mode, as ` fps=` tells it.
    pub const fn fps_x100(&self) -> Option<u32> {
        if self.lanes == 0 {
            return None;
        }
        let (Some(vertical), Some(horizontal)) = (self.vertical, self.horizontal) else {
            return None;
        };
        let line = (self.width as u32 + horizontal.sum()) * self.format.bits();
        let frame = match line.checked_mul(self.height as u32 + vertical.sum()) {
            Some(frame) if frame != 0 && frame <= u32::MAX / 10 => frame,
            _ => return None,
        };
        // Megabits by bits, times 100: eight more digits than a division of
        // whole numbers has. One of 64 bits would be 1 KiB of code.
        let megabits = self.lane_mbps() * self.lanes as u32;
        let (mut quotient, mut rest) = (megabits / frame, megabits % frame);
        let mut digits = 0;
        while digits < 8 {
            quotient = 10 * quotient + 10 * rest / frame;
            rest = 10 * rest % frame;
            digits += 1;
        }
        Some(quotient)
    }
}

const fn divisor(code: u8) -> u32 {
    match code {
        0 => 1,
        1 => 2,
        _ => 4,
    }
}

/// Which packet asks for a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadKind {
    /// DCS read, data type 0x06.
    Dcs,
    /// Generic read with one parameter, data type 0x14.
    Generic,
    /// Command and reads on a parallel or serial bus. An answer is words of 16
    /// bits, little endian; the first is a dummy with most controllers.
    Dbi,
}

/// One register that the plan may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// Index in [`Plan::stages`].
    pub stage: u8,
    /// The register: 8 bits, or 16 with the wide registers of a parallel bus.
    pub register: u16,
    /// Bytes to ask for, 1 to 10: on DSI also the maximum return size to set
    /// first.
    pub len: u8,
    /// How to ask. On DSI the other packet is tried when this one is not
    /// answered.
    pub kind: ReadKind,
}

/// A state into which the panel is brought for some questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// For the report, e.g. `"ilitek page 1"`.
    pub name: &'static str,
    /// A reset pulse comes first: another maker's unlock may have been
    /// ordinary registers to this panel.
    pub reset: bool,
    /// Sent first; empty for what can be asked right after a reset.
    pub unlock: Script,
    /// For panels on the LCD controller's buses; otherwise for DSI.
    pub dbi: bool,
}

/// Which registers tell the panels of the table apart, in the order in which
/// to ask. Made by the build script from the `ids` of all rows.
///
/// It is meant for an adaptive asker: a question is asked only while its answer
/// can still change what is known of some row, and a stage is entered only for
/// such a question. Asked so, every panel of the table is told in at most 20
/// reads and five resets between makers (`tests/plan.rs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// States, in the order in which to go through them.
    pub stages: &'static [Stage],
    /// Questions; those of one stage stand together, in order.
    pub questions: &'static [Question],
}

impl Plan {
    /// Whether the panel must be reset on the way from stage `from` (the last
    /// one that was entered; `None` = only reset so far) to a later stage
    /// `to`: stages between them may have been skipped, and with them the
    /// reset that was theirs.
    pub fn reset_between(&self, from: Option<u8>, to: u8) -> bool {
        let Some(from) = from.map(usize::from) else {
            return false;
        };
        // Nothing that another maker could mistake has been sent yet.
        if self
            .stages
            .get(from)
            .is_none_or(|stage| stage.unlock.is_empty())
        {
            return false;
        }
        let passed = self.stages.get(from + 1..=usize::from(to));
        passed.is_none_or(|passed| passed.iter().any(|stage| stage.reset))
    }
}

/// Bytes that an answer must have at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expect {
    /// First byte of the answer that counts.
    pub offset: u8,
    /// Bits that count, one byte for each byte of a value.
    pub mask: &'static [u8],
    /// Any of these.
    pub values: &'static [&'static [u8]],
    /// None of these, instead.
    pub invert: bool,
}

/// A byte of a probe's write that is only known from an earlier answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FromAnswer {
    /// Which step of the same probe.
    pub step: u8,
    /// Which byte of its answer. It is appended to `write`.
    pub byte: u8,
}

/// One step of the probe of a touch chip: write, then read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeStep {
    /// Another address than the one being probed, 7 bits.
    pub address: Option<u8>,
    /// Bytes to write; empty = read only.
    pub write: &'static [u8],
    /// One more byte to write, out of an earlier answer.
    pub write_from: Option<FromAnswer>,
    /// Bytes to read; 0 = write only.
    pub read_len: u8,
    /// STOP between write and read instead of a repeated START.
    pub stop: bool,
    /// What the answer must be; `None`: any.
    pub expect: Option<Expect>,
    /// A failure of this step says nothing.
    pub optional: bool,
    /// Milliseconds to wait after it.
    pub delay_ms: u16,
}

/// How sure the sources of a row are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// One source, or one that contradicts itself.
    Low,
    /// Some of it was not verified.
    Medium,
    /// Several sources agree.
    High,
}

/// A register to read for the report and for telling modules apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtraRead {
    /// Bytes to write first.
    pub write: &'static [u8],
    /// Bytes to read.
    pub len: u8,
}

/// A touch controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TouchRow {
    /// Name of its file, unique.
    pub id: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// Maker or family.
    pub family: &'static str,
    /// 7-bit addresses, the usual one first.
    pub addresses: &'static [u8],
    /// Steps that must all agree.
    pub probe: &'static [ProbeStep],
    /// Steps that leave the state which the probe entered.
    pub exit: &'static [ProbeStep],
    /// The probe writes more than register numbers: only after every harmless
    /// probe at this address has failed.
    pub intrusive: bool,
    /// The probe says no more than that somebody acknowledges.
    pub weak: bool,
    /// How sure its sources are.
    pub confidence: Confidence,
    /// Milliseconds from the release of reset until it answers.
    pub wait_ms: u16,
    /// Module maker's number.
    pub vendor_id: Option<ExtraRead>,
    /// Firmware version.
    pub version: Option<ExtraRead>,
    /// `compatible` of mainline Linux.
    pub compatible: Option<&'static str>,
    /// Device configurations that ship it.
    pub shipped: u16,
}

/// How a camera delivers its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CameraBus {
    /// Parallel data.
    Parallel,
    /// MIPI CSI-2.
    Mipi,
    /// The sources do not say.
    Unknown,
}

/// A camera sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CameraRow {
    /// Name of its file, unique.
    pub id: &'static str,
    /// Sensor's name.
    pub name: &'static str,
    /// 7-bit addresses, the usual one first.
    pub addresses: &'static [u8],
    /// Bytes of a register address: 1 or 2.
    pub address_bytes: u8,
    /// Bytes in a register: 1 or 2.
    pub data_bytes: u8,
    /// Writes that the identification needs first.
    pub prelude: &'static [&'static [u8]],
    /// Milliseconds from the last of them until the ID can be read.
    pub prelude_ms: u16,
    /// Registers whose contents, in order, make the ID, most significant first.
    pub registers: &'static [u16],
    /// Any of these IDs.
    pub values: &'static [u32],
    /// Bits of the ID that count.
    pub mask: u32,
    /// The ID is one byte: many other chips answer the same.
    pub weak: bool,
    /// How sure its sources are.
    pub confidence: Confidence,
    /// How the picture leaves.
    pub bus: CameraBus,
    /// Core supply in mV that the vendor's boards give it (1200, 1500, 1800).
    pub core_mv: u16,
    /// Level of the power-down pin at which it runs; `None`: as the board says.
    pub runs_with_pdn_high: Option<bool>,
    /// `compatible` of mainline Linux.
    pub compatible: Option<&'static str>,
    /// Device configurations that ship it.
    pub shipped: u16,
}

/// Matrix codes of a board's keys (9 x row + column; n % 9 == 8 is power).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keys {
    /// Volume up.
    pub volume_up: Option<u8>,
    /// Volume down.
    pub volume_down: Option<u8>,
    /// The vendor's recovery key.
    pub recovery: Option<u8>,
    /// The vendor's factory key.
    pub factory: Option<u8>,
}

/// What drives the backlight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backlight {
    /// Current sinks of the PMIC.
    Isink,
    /// PWM of the display's BLS block.
    BlsPwm,
    /// A channel of the PWM block: 1 is PWM1.
    Pwm(u8),
    /// A circuit of this board's own.
    Custom,
}

/// A pin in one of its modes; 0 = GPIO.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinMode {
    /// GPIO number.
    pub pin: u8,
    /// Mode, 0 to 7.
    pub mode: u8,
}

/// A supply of the PMIC that boards give to panels, touch chips and cameras.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the MT6323's outputs")]
pub enum Rail {
    Vgp1,
    Vgp2,
    Vgp3,
    Vio18,
    Vio28,
    Vcama,
    Vcamd,
    VcamIo,
    VcamAf,
}

/// A supply at a voltage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Supply {
    /// The output.
    pub rail: Rail,
    /// Millivolts.
    pub mv: u16,
}

/// What resets the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PanelReset {
    /// The display's own line, on this pin.
    Lrstb(PinMode),
    /// A plain output.
    Gpio(u8),
}

/// How the panel is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PanelWiring {
    /// Reset.
    pub reset: PanelReset,
    /// Supplies to switch on, in order; empty: the preloader has.
    pub supplies: &'static [Supply],
    /// Tearing-effect input.
    pub te: Option<PinMode>,
    /// Identification pins ID1, ID2.
    pub straps: &'static [u8],
    /// AUXADC channel with an identification voltage.
    pub adc: Option<u8>,
}

/// An I2C bus on a pair of pins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BusWiring {
    /// Controller: 0 or 1.
    pub controller: u8,
    /// Clock.
    pub scl: PinMode,
    /// Data.
    pub sda: PinMode,
}

/// How the touch chip is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TouchWiring {
    /// Bus.
    pub bus: BusWiring,
    /// Reset, active low.
    pub reset: Option<u8>,
    /// Enable, high = runs, on boards without reset.
    pub enable: Option<u8>,
    /// Interrupt pin in its EINT mode.
    pub interrupt: PinMode,
    /// External interrupt number.
    pub eint: u8,
    /// Supplies, in order.
    pub supplies: &'static [Supply],
}

/// How one camera is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CameraWiring {
    /// Reset, active low.
    pub reset: u8,
    /// Power-down.
    pub power_down: u8,
    /// Level of the power-down pin at which the board's sensors run, where
    /// all of them agree.
    pub runs_with_pdn_high: Option<bool>,
}

/// A wiring profile: what boards of one design connect where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wiring {
    /// Name of its file, unique.
    pub id: &'static str,
    /// Panel.
    pub panel: PanelWiring,
    /// Touch chip.
    pub touch: Option<TouchWiring>,
    /// Bus of the cameras.
    pub camera_bus: BusWiring,
    /// Main and sub camera.
    pub cameras: [Option<CameraWiring>; 2],
    /// Backlight.
    pub backlight: Backlight,
    /// The backlight's pin; `None` for the PMIC's sinks.
    pub backlight_pin: Option<PinMode>,
    /// Boards that are wired so: how common it is.
    pub shipped: u16,
}

/// A phone, or a family of them on one main board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Board {
    /// Name of its file, unique.
    pub id: &'static str,
    /// Key codes.
    pub keys: Keys,
    /// What is connected where: id of a [`Wiring`].
    pub wiring: &'static str,
    /// Backlight.
    pub backlight: Backlight,
    /// Panels seen in it, by row, in the vendor's order.
    pub panels: &'static [u16],
    /// Touch chips seen in it, by id.
    pub touch: &'static [&'static str],
    /// Cameras seen in it, by id: main, sub.
    pub cameras: [&'static [&'static str]; 2],
}

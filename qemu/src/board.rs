//! Board files: what a phone is made of and what its user does.
//!
//! One TOML file a phone, unknown keys refused, so that a misspelt one is an
//! error and not a silent default. Source: facts/soc.md 2.1, 2.2 (chip),
//! 3.3, 3.4 (boot argument), 8.4 (keys); facts/storage-and-images.md 4.1 (eMMC).

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::models::auxadc::CHANNELS;
use crate::models::{chipid, dsi, efuse, emmc, mt6323};
use crate::panel;
use crate::pins::Pins;
use crate::signals::Signals;

/// A phone.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// What people call it.
    pub name: String,
    /// The SoC.
    #[serde(default)]
    pub chip: Chip,
    /// The memory that is fitted.
    pub dram: Dram,
    /// The card that is fitted.
    #[serde(default)]
    pub emmc: emmc::Config,
    /// The display module; without it nothing is on the DSI lanes.
    pub panel: Option<panel::Config>,
    /// Battery and charger at power-on.
    #[serde(default)]
    pub power: Power,
    /// Voltages on the SoC's own AUXADC.
    #[serde(default)]
    pub auxadc: Auxadc,
    /// Whether somebody answers on USB when the boot ROM or preloader wait for
    /// a tool: the run ends there. Without, a wait with a time-out is followed
    /// by a normal boot.
    #[serde(default = "yes")]
    pub usb_host: bool,
    /// Flags that an earlier run of the phone left in the RTC.
    #[serde(default)]
    pub rtc: Rtc,
    /// Keys: where they are connected and which are held at power-on.
    #[serde(default)]
    pub keys: Keys,
    /// What the preloader says and leaves.
    #[serde(default)]
    pub boot: Boot,
    /// The pads as the preloader leaves them.
    #[serde(default)]
    pub pins: Pins,
    /// Supplies that are on, or broken.
    #[serde(default)]
    pub rails: mt6323::Supplies,
    /// Chips on the I2C buses.
    #[serde(default)]
    pub i2c: Vec<crate::chips::config::Chip>,
    /// What is broken on this phone.
    #[serde(default)]
    pub faults: Faults,
    /// What the user does later.
    #[serde(default)]
    pub user: Vec<Step>,
}

/// The SoC's identity: what is burned into it.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Chip {
    /// Speed grade.
    pub variant: efuse::Variant,
    /// APHW_VER.
    pub hw_version: u16,
    /// APSW_VER.
    pub sw_version: u16,
    /// APHW_SUBCODE.
    pub hw_subcode: u16,
    /// The 64 bits that serial numbers are made of.
    pub unique_id: u64,
    /// E-fuse words read from a real phone, by devinfo index.
    pub devinfo: BTreeMap<String, u32>,
    /// MT6323 chip ID register.
    pub pmic_cid: u16,
}

impl Default for Chip {
    fn default() -> Self {
        let efuse::Config {
            variant,
            unique_id,
            devinfo,
        } = efuse::Config::default();
        let chipid::Config {
            hw_version,
            sw_version,
            hw_subcode,
        } = chipid::Config::default();
        Chip {
            variant,
            hw_version,
            sw_version,
            hw_subcode,
            unique_id,
            devinfo,
            pmic_cid: 0x1023,
        }
    }
}

impl Chip {
    /// What the e-fuse model needs.
    pub fn efuse(&self) -> efuse::Config {
        efuse::Config {
            variant: self.variant,
            unique_id: self.unique_id,
            devinfo: self.devinfo.clone(),
        }
    }

    /// What the chip ID model needs.
    pub fn chipid(&self) -> chipid::Config {
        chipid::Config {
            hw_version: self.hw_version,
            sw_version: self.sw_version,
            hw_subcode: self.hw_subcode,
        }
    }
}

/// DRAM type; it decides the bus clocks that the preloader sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DramKind {
    /// MAINPLL 1599 MHz.
    #[default]
    Ddr2,
    /// MAINPLL 1326 MHz.
    Ddr3,
}

/// The memory that is fitted.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dram {
    /// Size of each rank in MiB; they follow each other from 0x80000000.
    pub ranks_mib: Vec<u32>,
    /// Type.
    #[serde(default)]
    pub kind: DramKind,
}

/// Battery and charger.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Power {
    /// A charger is plugged in.
    pub charger: bool,
    /// Battery voltage; 0 = no battery.
    pub battery_mv: u16,
}

impl Default for Power {
    fn default() -> Self {
        Power {
            charger: false,
            battery_mv: 4000,
        }
    }
}

fn yes() -> bool {
    true
}

/// Voltages that the board applies to the SoC's AUXADC.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auxadc {
    /// Millivolts by channel, `"0"` to `"15"`; others see 0.
    pub levels_mv: BTreeMap<String, u16>,
}

impl Auxadc {
    /// Channel and millivolts of each entry whose key is a channel.
    pub fn levels(&self) -> impl Iterator<Item = (usize, u16)> {
        let levels = self.levels_mv.iter();
        levels.filter_map(|(channel, &mv)| Some((channel_number(channel)?, mv)))
    }
}

fn channel_number(text: &str) -> Option<usize> {
    text.parse().ok().filter(|&channel| channel < CHANNELS)
}

/// RTC scratch registers that survive power-off.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rtc {
    /// PDN1, e.g. 0x2000 = fastboot requested.
    pub pdn1: u16,
    /// PDN2.
    pub pdn2: u16,
    /// The backup cell was empty: nothing in the RTC is valid.
    pub lost_power: bool,
}

/// Keys by name. `power` and `home` are the PMIC's; the others are codes of
/// the key matrix.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    /// Held at power-on, until a `[[user]]` step releases them.
    pub held: Vec<String>,
    /// Matrix code of each key: 9 * row + column.
    pub map: BTreeMap<String, u8>,
}

impl Default for Keys {
    fn default() -> Self {
        // The lightning72 family's, to which the D101 and the Z1 belong.
        let map = [("vol-up".to_owned(), 0), ("vol-down".to_owned(), 9)].into();
        Keys {
            held: Vec::new(),
            map,
        }
    }
}

/// The UART that the preloader was compiled to log on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogPort {
    /// "UART1" at 0x11005000.
    #[default]
    Uart0,
    /// "UART2" at 0x11006000.
    Uart1,
}

impl LogPort {
    /// Its register block.
    pub fn base(self) -> u32 {
        match self {
            LogPort::Uart0 => 0x1100_5000,
            LogPort::Uart1 => 0x1100_6000,
        }
    }
}

/// What the preloader says and leaves.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Boot {
    /// Boot mode, with whatever is in the upper 24 bits.
    pub mode: u32,
    /// Boot reason at power-on; after a watchdog reset it is derived.
    pub reason: u32,
    /// Log port.
    pub log_port: LogPort,
    /// Its speed.
    pub baud: u32,
    /// Whether the preloader's log is on.
    pub log_enable: bool,
    /// Milliseconds spent before LK.
    pub boot_time_ms: u32,
    /// Some preloaders leave the instruction cache on.
    pub icache: bool,
    /// A stock LK runs after the preloader, as a model: it starts what lies in
    /// BOOTIMG or RECOVERY, and UBOOT is not looked at.
    pub stock_loader: Option<StockLoader>,
    /// Milliseconds for which the eMMC is still busy at the jump.
    pub card_busy_ms: u32,
    /// Connection of META mode: 1 UART, 2 USB.
    pub meta_com_type: u32,
    /// A broken preloader: the boot argument's magic.
    pub argument_magic: u32,
    /// A broken preloader: number of ranks as stated.
    pub rank_count_override: Option<u32>,
    /// A broken preloader: rank sizes in bytes as stated.
    pub rank_override: Option<Vec<u32>>,
}

impl Default for Boot {
    fn default() -> Self {
        Boot {
            mode: 0,
            reason: 0,
            log_port: LogPort::Uart0,
            baud: 921_600,
            log_enable: true,
            boot_time_ms: 950,
            icache: false,
            stock_loader: None,
            card_busy_ms: 0,
            meta_com_type: 0,
            argument_magic: 0x504C_504C,
            rank_count_override: None,
            rank_override: None,
        }
    }
}

/// A stock LK, as far as what it starts can notice.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StockLoader {
    /// It was asked for the recovery: starts RECOVERY instead of BOOTIMG.
    pub recovery: bool,
    /// The panel driver that it took; without, it found no panel.
    pub driver: Option<String>,
    /// Words that it adds to the end of its command line.
    pub cmdline: String,
}

/// Whether an interrupt reaches the core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Line {
    /// As it should.
    #[default]
    Connected,
    /// Never.
    Lost,
}

/// Hardware that does not do what its registers say.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// PPI 29, the secure physical timer of core 0.
    pub timer_interrupt: Line,
    /// Neither UART ever has room for another character: LSR.THRE and TEMT
    /// stay 0, as with flow control or without a clock.
    pub uart_stuck: bool,
    /// The DSI host's receiver.
    pub dsi: dsi::Faults,
}

/// Something that the user does at a time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Milliseconds of virtual time after power-on.
    pub at_ms: u64,
    /// What.
    #[serde(flatten)]
    pub action: Action,
}

/// One action; exactly one a step.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Holds a key from now on.
    Press(String),
    /// Lets go of it.
    Release(String),
    /// Plugs the charger in (true) or out.
    Plug(bool),
    /// The battery's voltage from now on.
    BatteryMv(u16),
    /// Takes a picture of the screen, under this name.
    Screenshot(String),
}

/// Highest key code of the matrix.
const LAST_KEY: u8 = 71;
/// DRAM that the EMI can address.
const DRAM_LIMIT_MIB: u64 = 1024;
/// The preloader's buffers reach to 0x81E00000 (facts/soc.md 3.1).
const DRAM_LEAST_MIB: u64 = 32;
/// Ranks in the boot argument.
const RANK_LIMIT: usize = 4;

impl Board {
    /// Reads a board file.
    ///
    /// # Errors
    /// A sentence with the file name: unreadable, not TOML, unknown key, or a
    /// value that no phone can have.
    pub fn load(path: &Path) -> Result<Board, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("board={}: {error}", path.display()))?;
        Board::parse(&text).map_err(|error| format!("board={}: {error}", path.display()))
    }

    /// Reads the text of a board file.
    ///
    /// # Errors
    /// As [`Board::load`], without the file name.
    pub fn parse(text: &str) -> Result<Board, String> {
        let board: Board = toml::from_str(text).map_err(|error| error.to_string())?;
        board.check()?;
        Ok(board)
    }

    fn check(&self) -> Result<(), String> {
        let ranks = &self.dram.ranks_mib;
        if ranks.is_empty() || ranks.len() > RANK_LIMIT || ranks.contains(&0) {
            return Err(format!(
                "dram.ranks_mib: one to four sizes above 0, not {ranks:?}"
            ));
        }
        let sum: u64 = ranks.iter().map(|&mib| u64::from(mib)).sum();
        if sum > DRAM_LIMIT_MIB {
            return Err(format!(
                "dram.ranks_mib: {sum} MiB in all; the MT6572 takes {DRAM_LIMIT_MIB} MiB"
            ));
        }
        if sum < DRAM_LEAST_MIB {
            return Err(format!(
                "dram.ranks_mib: {sum} MiB in all; the preloader itself uses {DRAM_LEAST_MIB} MiB"
            ));
        }
        if self
            .boot
            .rank_override
            .as_ref()
            .is_some_and(|ranks| ranks.len() > RANK_LIMIT)
        {
            return Err("boot.rank_override: the boot argument holds four sizes".into());
        }
        self.pins.check()?;
        self.rails.check()?;
        self.i2c
            .iter()
            .try_for_each(crate::chips::config::Chip::check)?;
        let channels = &self.auxadc.levels_mv;
        if let Some(wrong) = channels.keys().find(|text| channel_number(text).is_none()) {
            return Err(format!(
                "auxadc.levels_mv: {wrong:?} is no channel from 0 to {}",
                CHANNELS - 1
            ));
        }
        if let Some((name, code)) = self
            .keys
            .map
            .iter()
            .find(|&(_, &code)| code > LAST_KEY || code % 9 == 8)
        {
            return Err(format!(
                "keys.map: {name} = {code}: codes are 9 * row + column, columns 0 to 7, up to {LAST_KEY}"
            ));
        }
        if let Some(panel) = &self.panel {
            panel.check()?;
        }
        let named = self.user.iter().filter_map(|step| match &step.action {
            Action::Press(key) | Action::Release(key) => Some(key),
            Action::Plug(_) | Action::BatteryMv(_) | Action::Screenshot(_) => None,
        });
        for key in self.keys.held.iter().chain(named) {
            if !matches!(key.as_str(), "power" | "home") && !self.keys.map.contains_key(key) {
                return Err(format!(
                    "keys: no key is called {key:?}; keys.map has {:?}",
                    self.keys.map.keys()
                ));
            }
        }
        Ok(())
    }

    /// DRAM in bytes, all ranks.
    pub fn dram_bytes(&self) -> u32 {
        self.dram.ranks_mib.iter().sum::<u32>() << 20
    }

    /// The wires at power-on.
    pub fn signals(&self) -> Signals {
        let mut signals = Signals {
            charger: self.power.charger,
            battery_mv: self.power.battery_mv,
            ..Signals::default()
        };
        for strap in self.panel.iter().flat_map(panel::Config::connected_straps) {
            signals.pin_applied[usize::from(strap.pin)] = Some(strap.high);
        }
        for key in &self.keys.held {
            self.apply(&Action::Press(key.clone()), &mut signals);
        }
        signals
    }

    /// Does what the user does.
    pub fn apply(&self, action: &Action, signals: &mut Signals) {
        match action {
            Action::Press(key) => self.move_key(key, true, signals),
            Action::Release(key) => self.move_key(key, false, signals),
            Action::Plug(plugged) => signals.charger = *plugged,
            Action::BatteryMv(millivolts) => signals.battery_mv = *millivolts,
            // The machine takes it: the wires do not change.
            Action::Screenshot(_) => {}
        }
    }

    fn move_key(&self, key: &str, down: bool, signals: &mut Signals) {
        match key {
            "power" => signals.power_key = down,
            "home" => signals.home_key = down,
            name => {
                if let Some(&code) = self.keys.map.get(name) {
                    let bit = 1u128 << code;
                    signals.keys = if down {
                        signals.keys | bit
                    } else {
                        signals.keys & !bit
                    };
                }
            }
        }
    }

    /// Whether the three keys are held that mean "USB download" to the
    /// preloader: both volume keys and power.
    pub fn download_keys_held(&self, signals: &Signals) -> bool {
        let held = |name| {
            self.keys
                .map
                .get(name)
                .is_some_and(|&code| signals.keys >> code & 1 != 0)
        };
        signals.power_key && held("vol-up") && held("vol-down")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_board_in_the_folder_loads() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("boards");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                Board::load(&path).unwrap();
                count += 1;
            }
        }
        assert!(count >= 10, "{count} boards");
    }

    #[test]
    fn faults_are_off_unless_told() {
        let text = "name = 'x'\n[dram]\nranks_mib = [512]\n";
        let faults = Board::parse(text).unwrap().faults;
        assert!(faults.timer_interrupt == Line::Connected && !faults.uart_stuck);
        let text = text.to_owned() + "[faults]\ntimer_interrupt = 'lost'\nuart_stuck = true\n";
        let faults = Board::parse(&text).unwrap().faults;
        assert!(faults.timer_interrupt == Line::Lost && faults.uart_stuck);
    }

    #[test]
    fn a_misspelt_key_is_an_error() {
        let error = Board::parse("name = 'x'\n[dram]\nranks_mib = [512]\nsize = 1\n").unwrap_err();
        assert!(error.contains("size"), "{error}");
    }

    #[test]
    fn sizes_that_no_phone_has_are_errors() {
        for ranks in ["[]", "[0]", "[512, 1024]", "[1, 1, 1, 1, 1]"] {
            assert!(
                Board::parse(&format!("name = 'x'\n[dram]\nranks_mib = {ranks}\n")).is_err(),
                "{ranks}"
            );
        }
        let board = Board::parse("name = 'x'\n[dram]\nranks_mib = [256, 512]\n").unwrap();
        assert_eq!(board.dram_bytes(), 768 << 20);
    }

    #[test]
    fn auxadc_channels_are_numbers() {
        let text = "name = 'x'\n[dram]\nranks_mib = [512]\n[auxadc.levels_mv]\n12 = 750\n";
        let board = Board::parse(text).unwrap();
        assert_eq!(board.auxadc.levels().collect::<Vec<_>>(), [(12, 750)]);
        assert!(board.usb_host);
        assert!(Board::parse(&text.replace("12 =", "16 =")).is_err());
    }

    #[test]
    fn steps_name_one_action_and_known_keys() {
        let text = "name = 'x'\n[dram]\nranks_mib = [512]\n[[user]]\nat_ms = 5\npress = 'vol-up'\n";
        assert_eq!(
            Board::parse(text).unwrap().user[0].action,
            Action::Press("vol-up".into())
        );
        assert!(Board::parse(&text.replace("vol-up", "camera")).is_err());
        assert!(Board::parse(&text.replace("press", "push")).is_err());
    }

    #[test]
    fn held_keys_reach_the_wires() {
        let text = "name = 'x'\n[dram]\nranks_mib = [512]\n[keys]\nheld = ['power', 'vol-down']\nmap = { vol-up = 20, vol-down = 29 }\n";
        let board = Board::parse(text).unwrap();
        let mut signals = board.signals();
        assert!(signals.power_key && signals.keys == 1 << 29);
        assert!(!board.download_keys_held(&signals));
        board.apply(&Action::Press("vol-up".into()), &mut signals);
        assert!(board.download_keys_held(&signals));
    }
}

//! The MT6323 power-management chip: rails, keys, charger detection, the ADC
//! of the battery, and the RTC behind the same 16-bit register space.
//!
//! Registers are 16 bits wide at even addresses. What has behaviour is modelled
//! (rails with their status, SET/CLR aliases, keys, charger, ADC, interrupts,
//! SPI link registers); the rest of the documented map is memory.
//! Source: facts/soc.md 10 and appendix B.

mod guard;
mod isink;
mod supplies;

pub use supplies::Supplies;

use super::rtc::Rtc;
use crate::bus::{Context, GuestError, Nanos, Reset};
use crate::signals::{Rail, Signals};

const NAME: &str = "MT6323";
const RTC_BASE: u16 = 0x8000;

/// Documented register ranges (first, last). The speaker (0x52), audio (0x700)
/// and ACCDET (0x77A) groups are in the map without field descriptions.
const RANGES: &[(u16, u16)] = &[
    (0x000, 0x07E),
    (0x100, 0x1A6),
    (0x200, 0x256),
    (0x300, 0x356),
    (0x400, 0x420),
    (0x500, 0x560),
    (0x600, 0x646),
    (0x700, 0x79A),
];

/// Registers with aliases at +2 (set) and +4 (clear).
const SET_CLR: &[u16] = &[
    0x102, 0x108, 0x10E, 0x114, 0x11A, 0x120, 0x126, 0x160, 0x166, 0x16C,
];

const CHR_CON0: u16 = 0x000;
const CHR_CON7: u16 = 0x00E;
const CHR_CON13: u16 = 0x01A;
const CHR_CON15: u16 = 0x01E;
const STRUP_CON8: u16 = 0x04A;
const CID: u16 = 0x100;
const TOP_RST_MISC: u16 = 0x11A;
const EN_STATUS0: u16 = 0x138;
const EN_STATUS1: u16 = 0x13A;
const OC_STATUS0: u16 = 0x13C;
const OC_STATUS1: u16 = 0x13E;
const PG_STATUS: u16 = 0x140;
const CHR_STATUS: u16 = 0x142;
const INT_CON0: u16 = 0x160;
const INT_CON1: u16 = 0x166;
const INT_STATUS0: u16 = 0x172;
const INT_STATUS1: u16 = 0x174;
const DEW_RDDMY_NO: u16 = 0x1A4;
const DEW_DIO_EN: u16 = 0x18A;
const DEW_READ_TEST: u16 = 0x18C;
const DEW_CIPHER_EN: u16 = 0x19C;
const DEW_CIPHER_RDY: u16 = 0x19E;
const DEW_CIPHER_MODE: u16 = 0x1A0;
const ADC_BATSNS: u16 = 0x714;
const ADC_LAST_RESULT: u16 = 0x736;
const ADC_REQUEST: u16 = 0x76E;

const READ_TEST_VALUE: u16 = 0x5AA5;
/// Dummy cycles of a slave that was reset: with so many the set-up order reads
/// first (facts/soc.md 10.3, step 6).
const DUMMY_RESET: u16 = 0xF;
/// One conversion of the AUXADC.
const CONVERSION: Nanos = 120_000;

const INT_CHRWDT: u16 = 1 << 4;
const INT_PWRKEY: u16 = 1 << 5;
const INT_CHRDET: u16 = 1 << 10;
const INT_FCHRKEY: u16 = 1 << 1;
const INT_RTC: u16 = 1 << 4;

/// How a rail's voltage follows from a register.
enum Level {
    Fixed(u16),
    /// (register, shift, millivolts by code)
    Table(u16, u8, &'static [u16]),
    /// (register, base in µV, step in µV), seven bits
    Linear(u16, u32, u32),
}

struct RailRow {
    rail: Rail,
    enable: &'static [(u16, u8)],
    level: Level,
    /// Register (0 or 1) and bit of EN_STATUS.
    status: (u8, u8),
    /// On when the PMIC has started up.
    default_on: bool,
}

const VGP: &[u16] = &[1200, 1300, 1500, 1800, 2000, 2800, 3000, 3300];
const VGP2: &[u16] = &[1200, 1300, 1500, 1800, 2500, 2800, 3000, 2000];
const VSIM: &[u16] = &[1800, 3000];

macro_rules! rail {
    ($rail:ident, $enable:expr, $level:expr, $status:expr, $on:expr) => {
        RailRow {
            rail: Rail::$rail,
            enable: $enable,
            level: $level,
            status: $status,
            default_on: $on,
        }
    };
}

use Level::{Fixed, Linear, Table};

/// facts/soc.md 10.4, status bits from appendix B.
static RAILS: &[RailRow] = &[
    rail!(
        Vproc,
        &[(0x21A, 0)],
        Linear(0x220, 700_000, 6_250),
        (0, 0),
        true
    ),
    rail!(
        Vsys,
        &[(0x240, 0)],
        Linear(0x246, 1_400_000, 12_500),
        (0, 1),
        true
    ),
    rail!(
        Vpa,
        &[(0x30E, 0)],
        Linear(0x312, 500_000, 50_000),
        (0, 2),
        false
    ),
    rail!(Vrtc, &[(0x51A, 8)], Fixed(2800), (0, 3), true),
    rail!(Va, &[(0x404, 14)], Fixed(2800), (0, 4), true),
    rail!(
        Vcama,
        &[(0x408, 15)],
        Table(0x412, 5, &[1500, 1800, 2500, 2800]),
        (0, 5),
        false
    ),
    rail!(
        Vcamd,
        &[(0x55A, 14)],
        Table(0x55C, 5, &[1200, 1300, 1500, 1800]),
        (0, 6),
        false
    ),
    rail!(VcamAf, &[(0x536, 15)], Table(0x538, 5, VGP), (0, 7), false),
    rail!(VcamIo, &[(0x55E, 14)], Fixed(1800), (0, 8), false),
    rail!(Vcn28, &[(0x41C, 12)], Fixed(2800), (0, 9), false),
    rail!(
        Vcn33,
        &[(0x416, 7), (0x418, 12)],
        Table(0x416, 2, &[3300, 3400, 3500, 3600]),
        (0, 10),
        false
    ),
    rail!(Vcn1v8, &[(0x512, 14)], Fixed(1800), (0, 11), false),
    rail!(
        Vemc3v3,
        &[(0x508, 14)],
        Table(0x52E, 7, &[3000, 3300]),
        (0, 12),
        true
    ),
    rail!(Vgp1, &[(0x50A, 15)], Table(0x530, 5, VGP), (0, 13), false),
    rail!(Vgp2, &[(0x50C, 15)], Table(0x532, 5, VGP2), (0, 14), false),
    rail!(
        Vgp3,
        &[(0x50E, 15)],
        Table(0x534, 5, &[1200, 1300, 1500, 1800]),
        (0, 15),
        false
    ),
    rail!(Vibr, &[(0x542, 15)], Table(0x544, 5, VGP), (1, 0), false),
    rail!(Vio18, &[(0x556, 14)], Fixed(1800), (1, 1), true),
    rail!(Vio28, &[(0x500, 14)], Fixed(2800), (1, 2), true),
    rail!(
        Vm,
        &[(0x552, 14)],
        Table(0x554, 4, &[1200, 1350, 1500, 1800]),
        (1, 3),
        true
    ),
    rail!(
        Vmc,
        &[(0x504, 12)],
        Table(0x52A, 4, &[1800, 3300]),
        (1, 4),
        true
    ),
    rail!(
        Vmch,
        &[(0x506, 14)],
        Table(0x52C, 7, &[3000, 3300]),
        (1, 5),
        true
    ),
    rail!(Vrf18, &[(0x54E, 15)], Fixed(1825), (1, 6), false),
    rail!(Vsim1, &[(0x516, 15)], Table(0x53C, 5, VSIM), (1, 7), false),
    rail!(Vsim2, &[(0x518, 15)], Table(0x53E, 5, VSIM), (1, 8), false),
    rail!(Vtcxo, &[(0x402, 10)], Fixed(2800), (1, 9), true),
    rail!(Vusb, &[(0x502, 14)], Fixed(3300), (1, 10), true),
];

/// The PMIC. Its registers outlive a reset of the SoC.
pub struct Mt6323 {
    regs: Vec<u16>,
    /// The clock behind the same link.
    pub rtc: Rtc,
    adc_ready_at: Nanos,
    int_status: [u16; 2],
    seen: Inputs,
    charger_dog: guard::ChargerDog,
    long_press: guard::LongPress,
    supplies: Supplies,
    /// Outputs that never rise.
    dead: Vec<Rail>,
}

/// What the interrupt logic compares with.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Inputs {
    power_key: bool,
    home_key: bool,
    charger: bool,
}

impl Inputs {
    fn of(signals: &Signals) -> Self {
        Inputs {
            power_key: signals.power_key,
            home_key: signals.home_key,
            charger: signals.charger,
        }
    }
}

impl Mt6323 {
    /// A PMIC whose battery has just been put in. `cid` is its chip ID
    /// (0x1023 for E1).
    pub fn new(cid: u16) -> Self {
        let mut pmic = Mt6323 {
            regs: vec![0; 0x400],
            rtc: Rtc::new(),
            adc_ready_at: 0,
            int_status: [0; 2],
            seen: Inputs::default(),
            charger_dog: guard::ChargerDog::default(),
            long_press: guard::LongPress::default(),
            supplies: Supplies::default(),
            dead: Vec::new(),
        };
        pmic.power_on(cid);
        pmic
    }

    fn power_on(&mut self, cid: u16) {
        self.regs.fill(0);
        self.set(CID, cid);
        self.set(0x220, 0x48); // VPROC 1.15 V
        self.set(0x246, 0x40); // VSYS 2.2 V
        self.set(0x554, 1 << 4); // VM 1.35 V
        self.set(0x52A, 1 << 4); // VMC 3.3 V
        self.set(0x52C, 1 << 7); // VMCH 3.3 V
        self.set(0x52E, 1 << 7); // VEMC 3.3 V
        self.set(DEW_RDDMY_NO, DUMMY_RESET);
        self.set(0x040, 1); // RG_USBDL_EN: the preloader and LK clear it
        for row in RAILS.iter().filter(|row| row.default_on) {
            let (register, bit) = row.enable[0];
            self.set(register, self.get(register) | 1 << bit);
        }
    }

    /// Restores the registers that `kind` reaches and drives the rails.
    pub fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        match kind {
            Reset::PowerOn => self.power_on(self.get(CID)),
            Reset::Watchdog => self.rtc.soc_reset(),
        }
        self.update(cx);
    }

    /// The state after the preloader's PMIC set-up (facts/soc.md 3.6).
    pub fn leave_as_preloader(&mut self, cx: &mut Context<'_>) {
        for (register, value) in [
            (DEW_DIO_EN, 1),
            (0x198, 1),
            (0x19A, 2),
            (DEW_CIPHER_EN, 1),
            (DEW_CIPHER_MODE, 1),
            (0x192, 1),
            (DEW_RDDMY_NO, 8),
            (0x040, 0),
        ] {
            self.set(register, value);
        }
        self.set(TOP_RST_MISC, self.get(TOP_RST_MISC) | 1 << 1 | 1 << 3);
        self.rtc.leave_as_preloader();
        self.switch_on_supplies();
        self.update(cx);
    }

    /// Whether the chip talks on two data lines (`DEW_DIO_EN`).
    pub fn dual_io(&self) -> bool {
        self.get(DEW_DIO_EN) & 1 != 0
    }

    /// Whether the chip scrambles its link (`DEW_CIPHER_MODE`).
    pub fn ciphered(&self) -> bool {
        self.get(DEW_CIPHER_MODE) & 1 != 0
    }

    /// Dummy cycles before the data of a read.
    pub fn dummy_cycles(&self) -> u32 {
        u32::from(self.get(DEW_RDDMY_NO) & 0xF)
    }

    /// The SPI slave was reset by the wrapper: the link is plain again.
    pub fn reset_link(&mut self) {
        for register in [DEW_DIO_EN, DEW_CIPHER_EN, DEW_CIPHER_MODE, 0x192] {
            self.set(register, 0);
        }
        self.set(DEW_RDDMY_NO, DUMMY_RESET);
    }

    /// Reads the register at `address`.
    pub fn read(&mut self, address: u16, cx: &mut Context<'_>) -> u16 {
        self.update(cx);
        if address >= RTC_BASE {
            let value = self.rtc.read(address - RTC_BASE, cx);
            self.update(cx);
            return value;
        }
        if !known(address) {
            cx.unknown_register(NAME, u32::from(address), false);
            return 0;
        }
        match address {
            CHR_CON0 => self.get(address) & 0x1F | u16::from(cx.signals.charger) << 5,
            CHR_CON7 => self.get(address) & 0xFFF | u16::from(cx.signals.battery_mv == 0) << 12,
            EN_STATUS0 | EN_STATUS1 => status(cx.signals, (address - EN_STATUS0) as u8 / 2),
            OC_STATUS0 | OC_STATUS1 => 0,
            PG_STATUS => 0xFF,
            CHR_STATUS => chr_status(cx.signals),
            INT_STATUS0 | INT_STATUS1 => self.int_status[usize::from(address - INT_STATUS0) / 2],
            DEW_READ_TEST => READ_TEST_VALUE,
            DEW_CIPHER_RDY => self.get(DEW_CIPHER_EN) & 1,
            ADC_BATSNS..=ADC_LAST_RESULT => self.adc(address, cx),
            _ => self.get(Self::alias(address).0) | Self::running(address, cx.signals),
        }
    }

    /// Writes the register at `address`.
    pub fn write(&mut self, address: u16, value: u16, cx: &mut Context<'_>) {
        if address >= RTC_BASE {
            self.rtc.write(address - RTC_BASE, value, cx);
            self.update(cx);
            return;
        }
        if !known(address) {
            cx.unknown_register(NAME, u32::from(address), true);
            return;
        }
        let (register, kind) = Self::alias(address);
        match register {
            CID | EN_STATUS0 | EN_STATUS1 | OC_STATUS0 | OC_STATUS1 | PG_STATUS | CHR_STATUS
            | DEW_READ_TEST | DEW_CIPHER_RDY => {
                cx.report(
                    GuestError::BadValue,
                    NAME,
                    u32::from(address),
                    "write to a read-only register",
                );
            }
            INT_STATUS0 | INT_STATUS1 => {
                self.int_status[usize::from(register - INT_STATUS0) / 2] &= !value;
            }
            CHR_CON13 => self.write_charger_dog(value, cx),
            CHR_CON15 => self.write_charger_dog_flag(value),
            STRUP_CON8 if value & 1 << 4 != 0 => self.set(register, value & !(1 << 14)),
            ADC_REQUEST => {
                if value & !self.get(register) & 0x1FF != 0 {
                    self.adc_ready_at = cx.now + CONVERSION;
                }
                self.set(register, value);
            }
            _ => {
                let old = self.get(register);
                self.set(
                    register,
                    match kind {
                        Alias::Plain => value,
                        Alias::Set => old | value,
                        Alias::Clear => old & !value,
                    },
                );
                self.check_sinks(register, old, cx);
            }
        }
        self.update(cx);
    }

    /// Follows the board: rails, key and charger interrupts, RTC alarm.
    pub fn update(&mut self, cx: &mut Context<'_>) {
        self.rtc.tick(cx.now);
        self.rtc.follow_charger(cx);
        self.watch_charging(cx.now);
        self.watch_keys(cx);
        for row in RAILS {
            let on = row
                .enable
                .iter()
                .any(|&(register, bit)| self.get(register) >> bit & 1 != 0)
                && !self.dead.contains(&row.rail);
            cx.signals.rails_mv[row.rail as usize] =
                if on { self.millivolts(&row.level) } else { 0 };
        }
        cx.signals.isink_permille = self.isink_permille();
        let inputs = Inputs::of(cx.signals);
        if inputs.power_key != self.seen.power_key {
            self.int_status[0] |= INT_PWRKEY;
        }
        if inputs.charger != self.seen.charger {
            self.int_status[0] |= INT_CHRDET;
        }
        if inputs.home_key != self.seen.home_key {
            self.int_status[1] |= INT_FCHRKEY;
        }
        if self.rtc.irq() {
            self.int_status[1] |= INT_RTC;
        }
        self.seen = inputs;
        cx.signals.pmic_irq = self.int_status[0] & self.get(INT_CON0) != 0
            || self.int_status[1] & self.get(INT_CON1) != 0;
    }

    /// Whether the user did something since the last [`Mt6323::update`].
    pub fn inputs_changed(&self, signals: &Signals) -> bool {
        Inputs::of(signals) != self.seen
    }

    /// When [`Mt6323::update`] has something to do by itself.
    pub fn deadline(&self, now: Nanos) -> Option<Nanos> {
        let guards = [self.charger_dog.deadline(), self.long_press.deadline()];
        guards
            .into_iter()
            .chain([self.rtc.deadline(now)])
            .flatten()
            .min()
    }

    fn millivolts(&self, level: &Level) -> u16 {
        match *level {
            Fixed(mv) => mv,
            Table(register, shift, codes) => {
                codes[usize::from(self.get(register) >> shift) & (codes.len() - 1)]
            }
            Linear(register, base, step) => {
                ((base + step * u32::from(self.get(register) & 0x7F)) / 1000) as u16
            }
        }
    }

    /// QI_*_EN: bit 15 of an LDO's control register says that it is on, unless
    /// bit 15 is the enable itself; QI_EN of a buck is bit 13, its STB bit 12.
    fn running(address: u16, signals: &Signals) -> u16 {
        RAILS
            .iter()
            .filter(|row| row.enable[0].0 == address && signals.rails_mv[row.rail as usize] != 0)
            .map(|row| match row.enable[0].1 {
                15 | 7 => 0,
                0 => 1 << 13 | 1 << 12,
                _ => 1 << 15,
            })
            .sum()
    }

    fn adc(&self, address: u16, cx: &Context<'_>) -> u16 {
        let raw = |millivolts: u32| (millivolts * 32768 / 1800).min(0x7FFF) as u16;
        let battery = u32::from(cx.signals.battery_mv);
        let value = match address {
            ADC_BATSNS | 0x716 => raw(battery / 4),
            0x718 => raw(if cx.signals.charger { 600 } else { 0 }),
            0x71A | 0x720 => raw(if battery == 0 { 1800 } else { 750 }),
            0x71C | 0x71E => raw(700),
            _ => 0,
        };
        value | u16::from(cx.now >= self.adc_ready_at) << 15
    }

    fn alias(address: u16) -> (u16, Alias) {
        for &register in SET_CLR {
            if address == register + 2 {
                return (register, Alias::Set);
            }
            if address == register + 4 {
                return (register, Alias::Clear);
            }
        }
        (address, Alias::Plain)
    }

    fn get(&self, address: u16) -> u16 {
        self.regs[usize::from(address / 2)]
    }

    fn set(&mut self, address: u16, value: u16) {
        self.regs[usize::from(address / 2)] = value;
    }
}

#[derive(Clone, Copy)]
enum Alias {
    Plain,
    Set,
    Clear,
}

fn known(address: u16) -> bool {
    address.is_multiple_of(2)
        && RANGES
            .iter()
            .any(|&(first, last)| (first..=last).contains(&address))
}

fn status(signals: &Signals, register: u8) -> u16 {
    RAILS
        .iter()
        .filter(|row| row.status.0 == register && signals.rails_mv[row.rail as usize] != 0)
        .fold(0, |bits, row| bits | 1 << row.status.1)
}

/// 0 = pressed for the keys; the 32 kHz crystal has been found.
fn chr_status(signals: &Signals) -> u16 {
    u16::from(!signals.power_key) << 1
        | u16::from(!signals.home_key) << 2
        | u16::from(signals.charger) << 4
        | u16::from(signals.battery_mv == 0) << 5
        | 1 << 6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;

    fn fresh() -> (Mt6323, TestWorld) {
        let (mut pmic, mut world) = (Mt6323::new(0x1023), TestWorld::default());
        pmic.reset(Reset::PowerOn, &mut world.cx());
        (pmic, world)
    }

    #[test]
    fn the_battery_reads_as_the_facts_say() {
        let (mut pmic, mut world) = fresh();
        assert_eq!(pmic.read(CID, &mut world.cx()), 0x1023);
        // 4.0 V is raw 0x471C with the ready bit (facts/soc.md 13).
        assert_eq!(pmic.read(ADC_BATSNS, &mut world.cx()), 0x8000 | 0x471C);
        pmic.write(ADC_REQUEST, 1 << 7, &mut world.cx());
        assert_eq!(
            pmic.read(ADC_BATSNS, &mut world.cx()) & 0x8000,
            0,
            "not ready at once"
        );
        world.now += CONVERSION;
        assert_ne!(pmic.read(ADC_BATSNS, &mut world.cx()) & 0x8000, 0);
    }

    #[test]
    fn rails_follow_their_registers() {
        let (mut pmic, mut world) = fresh();
        assert_eq!(world.signals.rail_mv(Rail::Vemc3v3), 3300);
        assert_eq!(world.signals.rail_mv(Rail::Vproc), 1150);
        assert_eq!(world.signals.rail_mv(Rail::Vgp2), 0);
        pmic.write(0x532, 7 << 5, &mut world.cx());
        pmic.write(0x50C, 1 << 15, &mut world.cx());
        assert_eq!(
            world.signals.rail_mv(Rail::Vgp2),
            2000,
            "code 7 of VGP2 is 2.0 V, unlike VGP1"
        );
        assert_eq!(pmic.read(EN_STATUS0, &mut world.cx()) >> 14 & 1, 1);
        pmic.write(0x508, 0, &mut world.cx());
        assert_eq!(world.signals.rail_mv(Rail::Vemc3v3), 0);
        assert_eq!(pmic.read(EN_STATUS0, &mut world.cx()) >> 12 & 1, 0);
    }

    #[test]
    fn set_and_clear_aliases() {
        let (mut pmic, mut world) = fresh();
        pmic.write(0x11C, 0x60, &mut world.cx());
        assert_eq!(pmic.read(TOP_RST_MISC, &mut world.cx()), 0x60);
        pmic.write(0x11E, 0x20, &mut world.cx());
        assert_eq!(pmic.read(TOP_RST_MISC, &mut world.cx()), 0x40);
    }

    #[test]
    fn keys_and_charger() {
        let (mut pmic, mut world) = fresh();
        assert_eq!(pmic.read(CHR_STATUS, &mut world.cx()) & 0x16, 0x06);
        pmic.write(INT_CON0, INT_PWRKEY, &mut world.cx());
        world.signals.power_key = true;
        world.signals.charger = true;
        assert_eq!(pmic.read(CHR_STATUS, &mut world.cx()) & 0x16, 0x14);
        assert!(world.signals.pmic_irq);
        pmic.write(INT_STATUS0, INT_PWRKEY, &mut world.cx());
        assert!(!world.signals.pmic_irq);
        assert_eq!(pmic.read(CHR_CON0, &mut world.cx()) >> 5 & 1, 1);
    }

    #[test]
    fn strange_accesses_are_reported() {
        let (mut pmic, mut world) = fresh();
        pmic.read(0x0F0, &mut world.cx());
        pmic.write(CID, 1, &mut world.cx());
        pmic.read(0x101, &mut world.cx());
        assert_eq!(world.reports.len(), 3);
    }

    #[test]
    fn a_watchdog_reset_leaves_the_rails_alone() {
        let (mut pmic, mut world) = fresh();
        pmic.write(0x50A, 1 << 15, &mut world.cx());
        pmic.reset(Reset::Watchdog, &mut world.cx());
        assert_eq!(world.signals.rail_mv(Rail::Vgp1), 1200);
        pmic.reset(Reset::PowerOn, &mut world.cx());
        assert_eq!(world.signals.rail_mv(Rail::Vgp1), 0);
    }
}

//! The boot argument: the one structure through which the preloader tells us
//! how and why the phone was started and what DRAM it found.
//!
//! Only its first 0x50 bytes are written by any MT6572 preloader; what later
//! structures declare behind them is garbage. Source: facts/soc.md 3.3, 3.4,
//! facts/storage-and-images.md 6.5, 7.1.

use crate::bytes::Bytes;

/// Where the preloader leaves the structure (also in r4 at entry).
pub const BOOT_ARGUMENT_ADDRESS: u32 = 0x800D_0000;
/// Bytes that mean something.
pub const BOOT_ARGUMENT_LEN: usize = 0x50;
/// `"LPLP"`.
pub const MAGIC: u32 = 0x504C_504C;
// Which words of it hold what.
pub(crate) const MAGIC_WORD: usize = 0;
pub(crate) const MODE_WORD: usize = 1;
pub(crate) const LOG_PORT_WORD: usize = 3;
const BAUD_WORD: usize = 4;
/// Its first byte.
pub(crate) const LOG_ENABLE_WORD: usize = 5;
pub(crate) const RANKS_WORD: usize = 6;
/// The first of four.
pub(crate) const RANK_SIZE_WORD: usize = 7;
pub(crate) const REASON_WORD: usize = 11;
/// The first of two.
pub(crate) const META_WORD: usize = 12;
const TIME_WORD: usize = 14;
const LIMIT_WORD: usize = 18;
/// First byte of DRAM.
pub const DRAM_BASE: u32 = 0x8000_0000;

const SEC_LIMIT_MAGIC: u32 = 0x4C4C_4C4C;
const FORBID_FACTORY: u32 = 1;
const MIB: u32 = 1 << 20;
/// The SoC's DRAM window that phones were seen to use.
const MAX_DRAM: u32 = 1024 * MIB;
/// Ranks of DRAM that the controller has room for.
pub const MAX_RANKS: usize = 4;

/// How the phone shall start. The numbers are those of the vendor's kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum BootMode {
    /// Android, or what lies in BOOTIMG.
    Normal = 0,
    /// Modem and calibration tool connected.
    Meta = 1,
    /// What lies in RECOVERY.
    Recovery = 2,
    /// Restart by software.
    SwReboot = 3,
    /// Factory test menu.
    Factory = 4,
    /// META with the whole system.
    AdvMeta = 5,
    /// Automated factory test.
    AteFactory = 6,
    /// Started by the alarm clock, no logo.
    Alarm = 7,
    /// Charging while "off" (KPOC).
    PowerOffCharging = 8,
    /// Charging with a battery too low for KPOC.
    LowPowerOffCharging = 9,
    /// Fastboot.
    Fastboot = 99,
    /// Download agent.
    Download = 100,
}

impl BootMode {
    /// The mode of a boot-argument word. Only the low byte is defined.
    pub const fn from_word(word: u32) -> Option<Self> {
        Some(match word & 0xFF {
            0 => Self::Normal,
            1 => Self::Meta,
            2 => Self::Recovery,
            3 => Self::SwReboot,
            4 => Self::Factory,
            5 => Self::AdvMeta,
            6 => Self::AteFactory,
            7 => Self::Alarm,
            8 => Self::PowerOffCharging,
            9 => Self::LowPowerOffCharging,
            99 => Self::Fastboot,
            100 => Self::Download,
            _ => return None,
        })
    }

    /// Short name for log and device tree.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Meta => "meta",
            Self::Recovery => "recovery",
            Self::SwReboot => "sw-reboot",
            Self::Factory => "factory",
            Self::AdvMeta => "advmeta",
            Self::AteFactory => "ate-factory",
            Self::Alarm => "alarm",
            Self::PowerOffCharging => "power-off-charging",
            Self::LowPowerOffCharging => "low-power-off-charging",
            Self::Fastboot => "fastboot",
            Self::Download => "download",
        }
    }

    /// True for the modes in which the vendor's kernel gets a META_COM tag.
    pub const fn has_meta_com(self) -> bool {
        matches!(
            self,
            Self::Meta | Self::Factory | Self::AdvMeta | Self::AteFactory
        )
    }
}

/// Why the phone started, as the preloader saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum BootReason {
    /// Power key.
    PowerKey,
    /// Charger or USB.
    Usb,
    /// Alarm, or a request left in the RTC.
    Rtc,
    /// The watchdog bit.
    Watchdog,
    /// Restart by software (watchdog with "bypass power key").
    Reboot,
    /// A host tool.
    Tool,
    /// Any other number: 6 is "unknown" or the two-second power-key reset.
    Unknown(u32),
}

impl BootReason {
    /// Reason of a boot-argument word.
    pub const fn from_word(word: u32) -> Self {
        match word {
            0 => Self::PowerKey,
            1 => Self::Usb,
            2 => Self::Rtc,
            3 => Self::Watchdog,
            4 => Self::Reboot,
            5 => Self::Tool,
            other => Self::Unknown(other),
        }
    }

    /// The number that ` boot_reason=` of the vendor's command line carries.
    pub const fn number(self) -> u32 {
        match self {
            Self::PowerKey => 0,
            Self::Usb => 1,
            Self::Rtc => 2,
            Self::Watchdog => 3,
            Self::Reboot => 4,
            Self::Tool => 5,
            Self::Unknown(number) => number,
        }
    }

    /// Short name for log and device tree.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PowerKey => "power-key",
            Self::Usb => "usb",
            Self::Rtc => "rtc",
            Self::Watchdog => "watchdog",
            Self::Reboot => "reboot",
            Self::Tool => "tool",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// The UART that the preloader logged on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum LogPort {
    /// 0x11005000, the kernel's ttyMT0.
    Uart1,
    /// 0x11006000, ttyMT1.
    Uart2,
}

impl LogPort {
    /// Its pads: receive, transmit.
    pub const fn pins(self) -> [u8; 2] {
        match self {
            Self::Uart1 => [103, 104],
            Self::Uart2 => [101, 102],
        }
    }

    /// Base address of the block.
    pub const fn base(self) -> u32 {
        match self {
            Self::Uart1 => 0x1100_5000,
            Self::Uart2 => 0x1100_6000,
        }
    }

    /// Number in the vendor kernel's `ttyMT` names.
    pub const fn tty(self) -> u8 {
        match self {
            Self::Uart1 => 0,
            Self::Uart2 => 1,
        }
    }
}

/// Channel of a META or factory tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MetaCom {
    /// 0 unknown, 1 UART, 2 USB.
    pub kind: u8,
    /// Port number.
    pub id: u32,
}

error_enum! {
    /// Why the boot argument as a whole cannot be used. The phone still boots:
    /// see [`BootArgument::fallback`].
    pub enum BootArgError {
        /// Fewer than 0x50 bytes.
        Short => "ARG-SHORT", "boot argument is shorter than 0x50 bytes: assuming a normal start and 256 MiB";
        /// Not the preloader's structure.
        Magic { /** The word found. */ found: u32 }
            => "ARG-MAGIC", "boot argument has magic {found:#010x}, expected 0x504c504c: assuming a normal start and 256 MiB";
    }
}

error_enum! {
    /// Why the DRAM ranks of a boot argument are not believed. The rest of
    /// the argument stays valid; see [`Dram::smallest`].
    pub enum DramError {
        /// Not one to four ranks.
        RankCount { /** The number found. */ count: u32 }
            => "RAM-RANKS", "boot argument counts {count} DRAM ranks, possible are 1 to 4: assuming 256 MiB";
        /// A rank of no bytes.
        ZeroRank { /** Which rank. */ rank: u8 }
            => "RAM-ZERO", "boot argument says DRAM rank {rank} is empty: assuming 256 MiB";
        /// A rank that is no multiple of 1 MiB.
        Unaligned { /** Which rank. */ rank: u8, /** Its bytes. */ bytes: u32 }
            => "RAM-ALIGN", "boot argument says DRAM rank {rank} has {bytes:#x} bytes, no multiple of 1 MiB: assuming 256 MiB";
        /// More than 1 GiB together.
        TooBig { /** Sum of the ranks in MiB. */ mib: u32 }
            => "RAM-SUM", "boot argument says {mib} MiB of DRAM, at most 1024 are possible: assuming 256 MiB";
    }
}

/// A contiguous piece of DRAM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Bank {
    /// Physical address.
    pub base: u32,
    /// Bytes.
    pub len: u32,
}

/// The ranks of DRAM, rank 0 at [`DRAM_BASE`], each next directly after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Dram {
    sizes: [u32; MAX_RANKS],
    count: u8,
}

impl Dram {
    /// Believes `sizes` (bytes) if they can be true.
    pub fn new(sizes: &[u32]) -> Result<Self, DramError> {
        if sizes.is_empty() || sizes.len() > MAX_RANKS {
            return Err(DramError::RankCount {
                count: sizes.len() as u32,
            });
        }
        let mut dram = Self {
            sizes: [0; MAX_RANKS],
            count: sizes.len() as u8,
        };
        let mut sum_mib = 0;
        for (rank, (&bytes, slot)) in (0u8..).zip(sizes.iter().zip(&mut dram.sizes)) {
            if bytes == 0 {
                return Err(DramError::ZeroRank { rank });
            }
            if !bytes.is_multiple_of(MIB) {
                return Err(DramError::Unaligned { rank, bytes });
            }
            sum_mib += bytes / MIB;
            *slot = bytes;
        }
        if sum_mib > MAX_DRAM / MIB {
            return Err(DramError::TooBig { mib: sum_mib });
        }
        Ok(dram)
    }

    /// What every MT6572 phone has: 256 MiB in one rank. Used when the boot
    /// argument cannot be believed, because less memory than there is boots,
    /// more does not.
    pub const fn smallest() -> Self {
        Self {
            sizes: [256 * MIB, 0, 0, 0],
            count: 1,
        }
    }

    /// Bytes in all ranks; at most 1 GiB.
    pub fn total(&self) -> u32 {
        self.sizes.iter().sum()
    }

    /// First address behind the last rank.
    pub fn end(&self) -> u32 {
        DRAM_BASE + self.total()
    }

    /// The ranks in order of address.
    pub fn banks(&self) -> impl Iterator<Item = Bank> + '_ {
        self.sizes
            .iter()
            .take(usize::from(self.count))
            .scan(DRAM_BASE, |base, &len| {
                let bank = Bank { base: *base, len };
                *base += len;
                Some(bank)
            })
    }

    /// The ranks without what lies below `start`: how banks are reported to a
    /// kernel that must not have the first MiB.
    pub fn banks_from(&self, start: u32) -> impl Iterator<Item = Bank> + '_ {
        self.banks().filter_map(move |bank| {
            let base = bank.base.max(start);
            let end = bank.base + bank.len;
            (base < end).then(|| Bank {
                base,
                len: end - base,
            })
        })
    }
}

/// What the preloader told us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootArgument {
    /// Requested mode; a number that does not exist is [`BootMode::Normal`].
    pub mode: BootMode,
    /// The mode word as it stood there, for the log.
    pub mode_word: u32,
    /// Why the phone started.
    pub reason: BootReason,
    /// Where to log: the preloader's port, or UART2 if a tool took UART1.
    pub log_port: LogPort,
    /// Its rate; 921600 on every phone seen. 0 and absurd rates become that.
    pub log_baud: u32,
    /// False if the log UART was taken by a tool.
    pub log_enabled: bool,
    /// The DRAM, or why its description is not believed.
    pub dram: Result<Dram, DramError>,
    /// META channel.
    pub meta: MetaCom,
    /// Time spent in the preloader.
    pub preloader_ms: u32,
    /// True if a secure limit forbids factory mode.
    pub factory_forbidden: bool,
}

const USUAL_BAUD: u32 = 921_600;

impl BootArgument {
    /// Reads the structure; bytes from 0x50 on are never looked at.
    pub fn parse(data: &[u8]) -> Result<Self, BootArgError> {
        let bytes = Bytes::new(data.get(..BOOT_ARGUMENT_LEN).ok_or(BootArgError::Short)?);
        let word = |index| word(bytes, index);
        if word(MAGIC_WORD) != MAGIC {
            let found = word(MAGIC_WORD);
            return Err(BootArgError::Magic { found });
        }
        let baud = word(BAUD_WORD);
        let log_enabled = word(LOG_ENABLE_WORD) & 0xFF != 0;
        Ok(Self {
            mode: BootMode::from_word(word(MODE_WORD)).unwrap_or(BootMode::Normal),
            mode_word: word(MODE_WORD),
            reason: BootReason::from_word(word(REASON_WORD)),
            // A log that is switched off means that a tool talks on UART1.
            log_port: if log_enabled && word(LOG_PORT_WORD) == LogPort::Uart1.base() {
                LogPort::Uart1
            } else {
                LogPort::Uart2
            },
            log_baud: if (9_600..=3_250_000).contains(&baud) {
                baud
            } else {
                USUAL_BAUD
            },
            log_enabled,
            dram: parse_dram(bytes),
            meta: MetaCom {
                kind: word(META_WORD) as u8,
                id: word(META_WORD + 1),
            },
            preloader_ms: word(TIME_WORD),
            factory_forbidden: word(LIMIT_WORD) == SEC_LIMIT_MAGIC
                && word(LIMIT_WORD + 1) == FORBID_FACTORY,
        })
    }

    /// What to assume if there is no boot argument: a normal start on the
    /// smallest phone, log on the port that mainline boards use.
    pub const fn fallback() -> Self {
        Self {
            mode: BootMode::Normal,
            mode_word: 0,
            reason: BootReason::Unknown(6),
            log_port: LogPort::Uart1,
            log_baud: USUAL_BAUD,
            log_enabled: true,
            dram: Ok(Dram::smallest()),
            meta: MetaCom { kind: 0, id: 0 },
            preloader_ms: 0,
            factory_forbidden: false,
        }
    }
}

fn word(bytes: Bytes<'_>, index: usize) -> u32 {
    bytes.u32(4 * index).unwrap_or(0)
}

fn parse_dram(bytes: Bytes<'_>) -> Result<Dram, DramError> {
    let count = word(bytes, RANKS_WORD);
    let mut sizes = [0; MAX_RANKS];
    for (rank, size) in sizes.iter_mut().enumerate() {
        *size = word(bytes, RANK_SIZE_WORD + rank);
    }
    let used = usize::try_from(count)
        .ok()
        .and_then(|count| sizes.get(..count));
    used.map_or(Err(DramError::RankCount { count }), Dram::new)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fuzz::fuzz;
    use std::vec::Vec;

    fn argument(ranks: &[u32]) -> [u8; 0x60] {
        let mut data = [0xA5; 0x60];
        let mut put = |offset: usize, value: u32| {
            data[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
        };
        put(0x00, MAGIC);
        put(0x04, 0xDEAD_BE00);
        put(0x0C, 0x1100_6000);
        put(0x10, 921_600);
        put(0x18, ranks.len() as u32);
        for rank in 0..4 {
            put(
                0x1C + 4 * rank,
                ranks.get(rank).copied().unwrap_or(0xA5A5_A5A5),
            );
        }
        put(0x2C, 4);
        put(0x30, 0xFFFF_FF02);
        put(0x34, 7);
        put(0x38, 1234);
        put(0x48, 0);
        data[0x14] = 1;
        data
    }

    #[test]
    fn reads_the_fields_and_masks_garbage() {
        let arg = BootArgument::parse(&argument(&[0x2000_0000])).unwrap();
        assert_eq!(arg.mode, BootMode::Normal);
        assert_eq!(arg.reason, BootReason::Reboot);
        assert_eq!(
            (arg.log_port, arg.log_baud, arg.log_enabled),
            (LogPort::Uart2, 921_600, true)
        );
        assert_eq!(arg.meta, MetaCom { kind: 2, id: 7 });
        assert_eq!(arg.preloader_ms, 1234);
        assert!(!arg.factory_forbidden);
        assert_eq!(arg.dram.unwrap().end(), 0xA000_0000);
    }

    #[test]
    fn a_log_that_is_switched_off_leaves_uart1_to_the_tool() {
        let mut data = argument(&[0x2000_0000]);
        data[0x0C..0x10].copy_from_slice(&LogPort::Uart1.base().to_le_bytes());
        assert_eq!(BootArgument::parse(&data).unwrap().log_port, LogPort::Uart1);
        data[0x14] = 0;
        let arg = BootArgument::parse(&data).unwrap();
        assert_eq!((arg.log_port, arg.log_enabled), (LogPort::Uart2, false));
    }

    #[test]
    fn bytes_behind_0x50_do_not_matter() {
        let short = argument(&[0x2000_0000]);
        let mut long = short;
        long[0x50..].fill(0);
        assert_eq!(
            BootArgument::parse(&short[..0x50]),
            BootArgument::parse(&long)
        );
        assert_eq!(
            BootArgument::parse(&short[..0x4F]),
            Err(BootArgError::Short)
        );
    }

    #[test]
    fn fastboot_from_the_preloader_is_accepted() {
        let mut data = argument(&[0x1000_0000]);
        data[4] = 99;
        assert_eq!(BootArgument::parse(&data).unwrap().mode, BootMode::Fastboot);
        data[4] = 42;
        let arg = BootArgument::parse(&data).unwrap();
        assert_eq!((arg.mode, arg.mode_word & 0xFF), (BootMode::Normal, 42));
    }

    #[test]
    fn wrong_magic_leaves_a_usable_fallback() {
        let mut data = argument(&[0x2000_0000]);
        data[3] = 0;
        assert_eq!(
            BootArgument::parse(&data),
            Err(BootArgError::Magic { found: 0x004C_504C })
        );
        assert_eq!(BootArgument::fallback().dram.unwrap().total(), 0x1000_0000);
    }

    #[test]
    fn ranks_are_contiguous_and_need_not_be_equal() {
        let dram = Dram::new(&[256 << 20, 512 << 20]).unwrap();
        let banks: Vec<_> = dram.banks_from(0x8010_0000).collect();
        assert_eq!(
            banks,
            [
                Bank {
                    base: 0x8010_0000,
                    len: 0x0FF0_0000
                },
                Bank {
                    base: 0x9000_0000,
                    len: 0x2000_0000
                }
            ]
        );
        let upper: Vec<_> = dram.banks_from(0x9000_0000).collect();
        assert_eq!(
            upper,
            [Bank {
                base: 0x9000_0000,
                len: 0x2000_0000
            }]
        );
    }

    #[test]
    fn impossible_dram_is_named() {
        let dram = |ranks: &[u32]| BootArgument::parse(&argument(ranks)).unwrap().dram;
        assert_eq!(dram(&[]), Err(DramError::RankCount { count: 0 }));
        assert_eq!(dram(&[0]), Err(DramError::ZeroRank { rank: 0 }));
        assert_eq!(dram(&[512 << 20, 0]), Err(DramError::ZeroRank { rank: 1 }));
        assert_eq!(
            dram(&[0x1008_0000]),
            Err(DramError::Unaligned {
                rank: 0,
                bytes: 0x1008_0000
            })
        );
        assert_eq!(
            dram(&[512 << 20, 513 << 20]),
            Err(DramError::TooBig { mib: 1025 })
        );
        assert_eq!(
            dram(&[0xC000_0000, 0xC000_0000]),
            Err(DramError::TooBig { mib: 6144 })
        );
        assert!(dram(&[512 << 20, 512 << 20]).is_ok());
        let mut five = argument(&[1 << 20]);
        five[0x18] = 5;
        assert_eq!(
            BootArgument::parse(&five).unwrap().dram,
            Err(DramError::RankCount { count: 5 })
        );
    }

    #[test]
    fn any_bytes_return() {
        fuzz(&argument(&[0x2000_0000, 0x1000_0000]), 20_000, |data| {
            if let Ok(arg) = BootArgument::parse(data)
                && let Ok(dram) = arg.dram
            {
                assert!(dram.end() <= 0xC000_0000);
            }
        });
    }
}

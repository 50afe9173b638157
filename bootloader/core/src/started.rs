//! Started as a kernel: a stock loader that found us in BOOTIMG or RECOVERY
//! hands over its tags instead of the preloader's boot argument. They tell the
//! same in other words, and one thing more: which panel that loader has found.
//!
//! Source: facts/storage-and-images.md 5.5, 6.1 to 6.3; facts/soc.md 12.2.

use core::ops::Range;

use crate::atags::{MACHINE_TYPE, Tags, id};
use crate::bootarg::{self, BootArgError, BootArgument, BootMode, DRAM_BASE, LogPort};
use crate::bytes::Bytes;

/// Where tags are believed to be: stock loaders leave them at 0x80100100, and
/// all phones have this memory.
pub const TAGS: Range<u32> = 0x8010_0000..0x8020_0000;

const WORDS: usize = bootarg::BOOT_ARGUMENT_LEN / 4;

/// What a stock loader tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started<'a> {
    /// The boot argument, as the preloader could have written it.
    argument: [[u8; 4]; WORDS],
    /// The driver of the panel that it has found.
    pub panel: Option<&'a str>,
}

/// Where the tags are, if `registers` (r0 to r2 at entry) are those of a kernel
/// that is started with tags.
pub fn tags_address(registers: [u32; 3]) -> Option<u32> {
    let [_, machine, tags] = registers;
    (machine == MACHINE_TYPE && TAGS.contains(&tags) && tags.is_multiple_of(4)).then_some(tags)
}

impl<'a> Started<'a> {
    /// Reads tags. `None` if `data` does not begin with a list of them.
    pub fn from_tags(data: &'a [u8]) -> Option<Self> {
        let mut tags = Tags::new(data);
        tags.next().filter(|tag| tag.id == id::CORE)?;
        let mut words = [0; WORDS];
        words[bootarg::MAGIC_WORD] = bootarg::MAGIC;
        words[bootarg::LOG_ENABLE_WORD] = 1;
        words[bootarg::LOG_PORT_WORD] = LogPort::Uart1.base();
        let mut panel = None;
        let mut end = DRAM_BASE;
        for tag in tags {
            let word = |at| tag.payload.u32(at).unwrap_or(0);
            match tag.id {
                // Recovery was the way to us, not what we shall start.
                id::BOOT if word(0) != BootMode::Recovery as u32 => {
                    words[bootarg::MODE_WORD] = word(0);
                }
                id::MEM => {
                    // Of the first rank, the first MiB is kept back.
                    let begin = end;
                    end = word(0).wrapping_add(word(4));
                    let count = words[bootarg::RANKS_WORD] as usize;
                    if count < bootarg::MAX_RANKS {
                        words[bootarg::RANK_SIZE_WORD + count] = end.wrapping_sub(begin);
                    }
                    words[bootarg::RANKS_WORD] += 1;
                }
                id::META_COM => {
                    words[bootarg::META_WORD] = word(0);
                    words[bootarg::META_WORD + 1] = word(4);
                }
                id::CMDLINE => {
                    let line = tag.payload.slice(0, tag.payload.len()).unwrap_or_default();
                    for token in line.split(|&byte| byte == b' ' || byte == 0) {
                        if let Some(name) = token.strip_prefix(b"lcm=1-") {
                            panel = Bytes::new(name).text(0, name.len());
                        } else if let Some(&[digit]) = token.strip_prefix(b"boot_reason=") {
                            words[bootarg::REASON_WORD] = u32::from(digit.wrapping_sub(b'0'));
                        } else if token.starts_with(b"console=ttyMT1") {
                            words[bootarg::LOG_PORT_WORD] = LogPort::Uart2.base();
                        }
                    }
                }
                _ => {}
            }
        }
        Some(Self {
            argument: words.map(u32::to_le_bytes),
            panel,
        })
    }

    /// What the preloader had told it.
    ///
    /// # Errors
    /// None: it is read from what was written here.
    pub fn argument(&self) -> Result<BootArgument, BootArgError> {
        BootArgument::parse(self.argument.as_flattened())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atags::Atags;
    use crate::bootarg::{Bank, BootReason, Dram, DramError, MetaCom};
    use crate::fuzz::fuzz;
    use crate::kernel::Generation;

    const MIB: u32 = 1 << 20;
    const LINE: &str = "console=tty0 console=ttyMT1,921600n1 root=/dev/ram \
        lcm=1-ili9806e_dsi_cmd_txd fps=6027 pl_t=1102 lk_t=1660 boot_reason=4";

    fn tags(boot_mode: BootMode, banks: &[Bank], cmdline: &str) -> [u8; 1024] {
        let mut out = [0xFF; 1024];
        let tags = Atags {
            generation: Generation::JellyBean,
            boot_mode,
            banks,
            dfo: &[],
            meta: MetaCom { kind: 1, id: 2 },
            devinfo: &[0; 26],
            modem_types: None,
            cmdline,
            ramdisk: None,
            framebuffer: Bank {
                base: 0x9FA0_0000,
                len: 6 * MIB,
            },
        };
        assert!(tags.write(&mut out).is_ok());
        out
    }

    fn bank(base: u32, mib: u32) -> Bank {
        Bank {
            base,
            len: mib * MIB,
        }
    }

    #[test]
    fn what_a_stock_loader_tells() {
        let tags = tags(BootMode::Recovery, &[bank(0x8010_0000, 511)], LINE);
        let told = Started::from_tags(&tags).expect("tags");
        assert_eq!(told.panel, Some("ili9806e_dsi_cmd_txd"));
        let argument = told.argument().expect("an argument");
        assert_eq!(argument.dram, Dram::new(&[512 * MIB]));
        assert_eq!(argument.reason, BootReason::Reboot);
        assert_eq!(argument.log_port, LogPort::Uart2);
        // Recovery is how a person got here; what to start is decided anew.
        assert_eq!(argument.mode, BootMode::Normal);
    }

    #[test]
    fn ranks_and_meta_channel() {
        let banks = [bank(0x8010_0000, 511), bank(0xA000_0000, 256)];
        let tags = tags(BootMode::Meta, &banks, "console=ttyMT0,921600n1");
        let told = Started::from_tags(&tags)
            .expect("tags")
            .argument()
            .expect("an argument");
        assert_eq!(told.dram, Dram::new(&[512 * MIB, 256 * MIB]));
        assert_eq!(told.mode, BootMode::Meta);
        assert_eq!(told.meta, MetaCom { kind: 1, id: 2 });
        assert_eq!(told.log_port, LogPort::Uart1);
    }

    #[test]
    fn memory_that_cannot_be_is_not_believed() {
        let odd = Bank {
            base: 0x8010_0000,
            len: 511 * MIB - 4096,
        };
        let told = |banks: &[Bank]| {
            let tags = tags(BootMode::Normal, banks, "");
            Started::from_tags(&tags)
                .expect("tags")
                .argument()
                .expect("an argument")
                .dram
        };
        assert!(matches!(told(&[odd]), Err(DramError::Unaligned { .. })));
        assert!(matches!(told(&[]), Err(DramError::RankCount { count: 0 })));
        let same = [bank(0x8010_0000, 511); 2];
        assert!(matches!(told(&same), Err(DramError::ZeroRank { rank: 1 })));
        let far = [bank(0x8010_0000, 0x7F0)];
        assert!(matches!(told(&far), Err(DramError::TooBig { .. })));
    }

    #[test]
    fn a_panel_that_was_not_found_is_none() {
        for line in ["lcm=0-otm8018b", "LCM=1-x", ""] {
            let tags = tags(BootMode::Normal, &[bank(0x8010_0000, 511)], line);
            assert_eq!(Started::from_tags(&tags).expect("tags").panel, None);
        }
    }

    #[test]
    fn only_a_kernels_registers_point_at_tags() {
        assert_eq!(tags_address([0, 6572, 0x8010_0100]), Some(0x8010_0100));
        for other in [
            [0, 6572, 0x8010_0102],
            [0, 6572, 0x800D_0000],
            [0, u32::MAX, 0x8010_0100],
            [0x8002_0000, 0x800D_0000, 0x50],
        ] {
            assert_eq!(tags_address(other), None);
        }
    }

    #[test]
    fn anything_else_is_no_list() {
        assert_eq!(Started::from_tags(&[]), None);
        assert_eq!(Started::from_tags(&[0; 64]), None);
        let good = tags(BootMode::Normal, &[bank(0x8010_0000, 511)], LINE);
        fuzz(&good, 3000, |data| {
            let _ = Started::from_tags(data);
        });
    }
}

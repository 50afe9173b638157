//! Registers of MSDC.
//!
//! Only what the driver uses has a value type; tuning registers that are
//! written once are plain words.
//!
//! Source: facts/storage-and-images.md 8.1 and 8.2.

use crate::reg::assert_offsets;
use arbitrary_int::{u2, u3, u6, u12};
use bitbybit::{bitenum, bitfield};
use core::marker::PhantomData;
use volatile_register::{RO, RW};

/// The controller's registers.
#[repr(C)]
pub struct RegisterBlock {
    /// 0x00 MSDC_CFG.
    pub cfg: Typed<RW<u32>, Config>,
    /// 0x04 MSDC_IOCON: sampling edges.
    pub iocon: RW<u32>,
    /// 0x08 MSDC_PS: levels of the lines.
    pub pins: Typed<RW<u32>, Pins>,
    /// 0x0c MSDC_INT: write 1 to clear.
    pub int: Typed<RW<u32>, Interrupts>,
    /// 0x10 MSDC_INTEN: masks the line to the GIC only.
    pub int_enable: Typed<RW<u32>, Interrupts>,
    /// 0x14 MSDC_FIFOCS.
    pub fifo: Typed<RW<u32>, Fifo>,
    /// 0x18 MSDC_TXDATA.
    pub tx_data: RW<u32>,
    /// 0x1c MSDC_RXDATA.
    pub rx_data: RO<u32>,
    _reserved0: [u32; 4],
    /// 0x30 SDC_CFG.
    pub sdc_cfg: Typed<RW<u32>, SdcConfig>,
    /// 0x34 SDC_CMD: writing starts the command.
    pub cmd: Typed<RW<u32>, CommandWord>,
    /// 0x38 SDC_ARG.
    pub arg: RW<u32>,
    /// 0x3c SDC_STS.
    pub status: Typed<RO<u32>, SdcStatus>,
    /// 0x40 SDC_RESP0 to 3, least significant word first.
    pub response: [RO<u32>; 4],
    /// 0x50 SDC_BLK_NUM.
    pub block_count: RW<u32>,
    _reserved1: [u32; 10],
    /// 0x7c EMMC_IOCON: bit 0 drives RST_n low.
    pub emmc_iocon: RW<u32>,
    /// 0x80 SDC_ACMD_RESP: answer to the automatic CMD12.
    pub auto_response: RO<u32>,
    _reserved2: [u32; 3],
    /// 0x90 DMA_SA: first descriptor.
    pub dma_start: RW<u32>,
    /// 0x94 DMA_CA.
    pub dma_current: RO<u32>,
    /// 0x98 DMA_CTRL.
    pub dma_ctrl: Typed<RW<u32>, DmaControl>,
    /// 0x9c DMA_CFG.
    pub dma_cfg: Typed<RW<u32>, DmaConfig>,
    _reserved3: [u32; 4],
    /// 0xb0 PATCH_BIT0.
    pub patch0: RW<u32>,
    /// 0xb4 PATCH_BIT1.
    pub patch1: RW<u32>,
    _reserved4: [u32; 13],
    /// 0xec PAD_TUNE.
    pub pad_tune: RW<u32>,
    /// 0xf0 and 0xf4 DAT_RDDLY0 and 1.
    pub read_delay: [RW<u32>; 2],
}

assert_offsets!(RegisterBlock {
    sdc_cfg: 0x30,
    response: 0x40,
    block_count: 0x50,
    emmc_iocon: 0x7c,
    auto_response: 0x80,
    dma_start: 0x90,
    dma_cfg: 0x9c,
    patch0: 0xb0,
    pad_tune: 0xec,
    read_delay: 0xf0,
});

/// A register word that the driver sees as a value of type `T`. The access
/// itself is that of a plain `u32`, one load or store.
#[repr(transparent)]
pub struct Typed<A, T>(A, PhantomData<T>);

/// A value type of a register.
pub trait Value: Copy {
    /// The value in a word.
    fn from_word(word: u32) -> Self;
    /// The word for a value.
    fn word(self) -> u32;
}

macro_rules! values {
    ($($name:ident),+) => {$(
        impl Value for $name {
            fn from_word(word: u32) -> Self {
                Self::new_with_raw_value(word)
            }

            fn word(self) -> u32 {
                self.raw_value()
            }
        }
    )+};
}
values!(
    Config,
    Pins,
    Interrupts,
    Fifo,
    SdcConfig,
    CommandWord,
    SdcStatus,
    DmaControl,
    DmaConfig
);

impl<T: Value> Typed<RW<u32>, T> {
    /// Reads the register.
    pub fn read(&self) -> T {
        T::from_word(self.0.read())
    }

    /// Writes the register.
    ///
    /// # Safety
    ///
    /// As for the register beneath: see [`put`].
    pub unsafe fn write(&self, value: T) {
        // SAFETY: passed on to the caller.
        unsafe { self.0.write(value.word()) }
    }
}

#[cfg(test)]
impl<A, T> Typed<A, T> {
    /// The register beneath, for the tests' hardware.
    pub(super) const fn beneath(&self) -> &A {
        &self.0
    }
}

impl<T: Value> Typed<RO<u32>, T> {
    /// Reads the register.
    pub fn read(&self) -> T {
        T::from_word(self.0.read())
    }
}

/// A register that [`put`] can write.
pub(super) trait Put<T> {
    /// The register beneath, and the word to write.
    fn parts(&self, value: T) -> (&RW<u32>, u32);
}

impl Put<u32> for RW<u32> {
    fn parts(&self, value: u32) -> (&RW<u32>, u32) {
        (self, value)
    }
}

impl<T: Value> Put<T> for Typed<RW<u32>, T> {
    fn parts(&self, value: T) -> (&RW<u32>, u32) {
        (&self.0, value.word())
    }
}

/// Writes a register that cannot make the controller touch memory.
pub(super) fn put<T>(register: &impl Put<T>, value: T) {
    let (register, word) = register.parts(value);
    // SAFETY: the driver owns the block. The registers through which the
    // controller reaches memory are `dma_start` and `dma_ctrl`, and with
    // DMA_CTRL.START clear no other one makes it follow them; `dma.rs` writes
    // those two itself.
    unsafe { register.write(word) }
}

/// Clears interrupt causes, by writing ones.
pub(super) fn acknowledge(regs: &RegisterBlock, causes: Interrupts) {
    // The memory that plays the block in tests does not clear by itself.
    #[cfg(test)]
    let causes = Interrupts::new_with_raw_value(regs.int.read().raw_value() & !causes.raw_value());
    put(&regs.int, causes);
}

/// MSDC_CFG.
#[bitfield(u32, default = 0)]
#[derive(Debug, PartialEq, Eq)]
pub struct Config {
    /// SD/MMC rather than Memory Stick.
    #[bit(0, rw)]
    sd_mmc: bool,
    /// The clock runs also when the bus is idle.
    #[bit(1, rw)]
    free_running: bool,
    /// Write 1 to reset; reads 1 until done.
    #[bit(2, rw)]
    reset: bool,
    /// The FIFO is the CPU's, not the DMA's.
    #[bit(3, rw)]
    pio: bool,
    /// The clock is stable.
    #[bit(7, r)]
    clock_stable: bool,
    /// See [`super::clock`].
    #[bits(8..=15, rw)]
    divider: u8,
    #[bits(16..=17, rw)]
    clock_mode: ClockMode,
}

/// MSDC_CFG.CKMOD.
#[bitenum(u2, exhaustive = true)]
#[derive(Debug, PartialEq, Eq)]
pub enum ClockMode {
    /// Source / (4 x divider); / 2 for divider 0.
    Divided = 0,
    /// The source itself.
    Direct = 1,
    /// Data on both edges: source / 4 for divider 0.
    Ddr = 2,
    /// Not defined.
    Reserved = 3,
}

/// MSDC_PS.
#[bitfield(u32)]
pub struct Pins {
    /// DAT0: low while the card is busy.
    #[bit(16, r)]
    dat0: bool,
}

/// MSDC_INT and MSDC_INTEN.
#[bitfield(u32, default = 0)]
#[derive(Debug, PartialEq, Eq)]
pub struct Interrupts {
    /// The automatic CMD12 was answered.
    #[bit(3, rw)]
    auto_ready: bool,
    #[bit(4, rw)]
    auto_timeout: bool,
    #[bit(5, rw)]
    auto_crc: bool,
    #[bit(8, rw)]
    command_ready: bool,
    #[bit(9, rw)]
    command_timeout: bool,
    #[bit(10, rw)]
    response_crc: bool,
    #[bit(12, rw)]
    transfer_complete: bool,
    #[bit(14, rw)]
    data_timeout: bool,
    #[bit(15, rw)]
    data_crc: bool,
}

impl Interrupts {
    /// All of them.
    pub const ALL: Self = Self::new_with_raw_value(u32::MAX);
    /// What ends a data phase.
    pub const END_OF_DATA: Self = Self::DEFAULT
        .with_transfer_complete(true)
        .with_data_timeout(true)
        .with_data_crc(true);

    /// Whether the command has ended, well or not.
    pub const fn command_ended(self) -> bool {
        self.command_ready() || self.command_timeout() || self.response_crc()
    }

    /// Whether the automatic CMD12 has ended, well or not.
    pub const fn auto_ended(self) -> bool {
        self.auto_ready() || self.auto_timeout() || self.auto_crc()
    }

    /// Whether any of `other` is set.
    pub const fn has_any(self, other: Self) -> bool {
        self.raw_value() & other.raw_value() != 0
    }
}

/// MSDC_FIFOCS.
#[bitfield(u32, default = 0)]
pub struct Fifo {
    /// Bytes that wait to be read.
    #[bits(0..=7, r)]
    received: u8,
    /// Bytes that wait to be sent.
    #[bits(16..=23, r)]
    to_send: u8,
    /// Write 1 to empty; reads 1 until done.
    #[bit(31, rw)]
    clear: bool,
}

/// SDC_CFG.
#[bitfield(u32, default = 0)]
#[derive(Debug, PartialEq, Eq)]
pub struct SdcConfig {
    /// 0, 1, 2 for 1, 4, 8 lines.
    #[bits(16..=17, rw)]
    width: u2,
    /// Must be 1.
    #[bit(19, rw)]
    sdio: bool,
    /// Data timeout in units of 2^20 clocks, less 1.
    #[bits(24..=31, rw)]
    data_timeout: u8,
}

/// SDC_CMD.
#[bitfield(u32, default = 0)]
#[derive(Debug, PartialEq, Eq)]
pub struct CommandWord {
    #[bits(0..=5, rw)]
    index: u6,
    /// 0 none, 1 R1, 2 R2, 3 R3, 7 R1b.
    #[bits(7..=9, rw)]
    reply: u3,
    /// 0 none, 1 single block, 2 multiple.
    #[bits(11..=12, rw)]
    data: u2,
    #[bit(13, rw)]
    write: bool,
    /// This is CMD12.
    #[bit(14, rw)]
    stop: bool,
    /// Bytes of a block.
    #[bits(16..=27, rw)]
    block_bytes: u12,
    /// 1: CMD12 follows the data.
    #[bits(28..=29, rw)]
    auto_command: u2,
}

/// SDC_STS.
#[bitfield(u32)]
pub struct SdcStatus {
    /// Any activity.
    #[bit(0, r)]
    busy: bool,
    /// A command is on the line.
    #[bit(1, r)]
    command_busy: bool,
}

/// DMA_CTRL.
#[bitfield(u32, default = 0)]
#[derive(Debug, PartialEq, Eq)]
pub struct DmaControl {
    #[bit(0, rw)]
    start: bool,
    #[bit(1, rw)]
    stop: bool,
    /// Follow descriptors.
    #[bit(8, rw)]
    descriptors: bool,
    /// 3, 4, 5, 6 for bursts of 8, 16, 32, 64 bytes.
    #[bits(12..=14, rw)]
    burst: u3,
}

/// DMA_CFG.
#[bitfield(u32, default = 0)]
#[derive(Debug, PartialEq, Eq)]
pub struct DmaConfig {
    /// DMA is active.
    #[bit(0, r)]
    active: bool,
    /// Check the descriptors' checksums.
    #[bit(1, rw)]
    check: bool,
    /// A BD's checksum is wrong.
    #[bit(4, r)]
    bad_bd: bool,
    /// A GPD's checksum is wrong.
    #[bit(5, r)]
    bad_gpd: bool,
}

impl CommandWord {
    /// For a command without data.
    pub const fn plain(index: u8, reply: u3) -> Self {
        Self::DEFAULT
            .with_index(u6::new(index & 0x3f))
            .with_reply(reply)
            .with_stop(index == 12)
    }

    /// For a command with data; `stop` lets CMD12 follow by itself.
    pub const fn with_transfer(self, multi: bool, write: bool, stop: bool) -> Self {
        self.with_data(u2::new(if multi { 2 } else { 1 }))
            .with_write(write)
            .with_block_bytes(u12::new(512))
            .with_auto_command(u2::new(stop as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const R1: u3 = u3::new(1);

    #[test]
    fn data_commands_are_encoded_as_in_the_table() {
        let word = |index, multi, write| {
            CommandWord::plain(index, R1)
                .with_transfer(multi, write, false)
                .raw_value()
        };
        assert_eq!(word(17, false, false), 0x0200_0891);
        assert_eq!(word(18, true, false), 0x0200_1092);
        assert_eq!(word(24, false, true), 0x0200_2898);
        assert_eq!(word(25, true, true), 0x0200_3099);
        assert_eq!(word(8, false, false), 0x0200_0888);
    }

    #[test]
    fn an_automatic_stop_goes_with_multiple_blocks() {
        let word = CommandWord::plain(18, R1).with_transfer(true, false, true);
        assert_eq!(word.raw_value(), 0x1200_1092);
    }

    #[test]
    fn commands_without_data_are_encoded_as_in_the_table() {
        let word = |index, reply| CommandWord::plain(index, u3::new(reply)).raw_value();
        assert_eq!(word(1, 3), 0x181);
        assert_eq!(word(2, 2), 0x102);
        assert_eq!(word(9, 2), 0x109);
        assert_eq!(word(3, 1), 0x083);
        assert_eq!(word(7, 7), 0x387);
        assert_eq!(word(12, 1), 0x408c);
        assert_eq!(word(12, 7), 0x438c);
    }
}

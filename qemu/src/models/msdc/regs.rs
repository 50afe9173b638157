//! The registers of an MSDC: offsets, fields, which bits software may write
//! and what they hold after a reset.
//!
//! Source: facts/storage-and-images.md 8.1 and 8.2. The facts name no reset
//! values; all software programs what it relies on, so that most are 0 here.

/// Register offsets.
#[allow(missing_docs, reason = "the names of facts/storage-and-images.md 8.1")]
pub mod reg {
    pub const MSDC_CFG: u32 = 0x00;
    pub const MSDC_PS: u32 = 0x08;
    pub const MSDC_INT: u32 = 0x0C;
    pub const MSDC_INTEN: u32 = 0x10;
    pub const MSDC_FIFOCS: u32 = 0x14;
    pub const MSDC_TXDATA: u32 = 0x18;
    pub const MSDC_RXDATA: u32 = 0x1C;
    pub const SDC_CFG: u32 = 0x30;
    pub const SDC_CMD: u32 = 0x34;
    pub const SDC_ARG: u32 = 0x38;
    pub const SDC_STS: u32 = 0x3C;
    pub const SDC_RESP0: u32 = 0x40;
    pub const SDC_BLK_NUM: u32 = 0x50;
    pub const SDC_CSTS: u32 = 0x58;
    pub const SDC_DCRC_STS: u32 = 0x60;
    pub const EMMC_CFG0: u32 = 0x70;
    pub const EMMC_STS: u32 = 0x78;
    pub const EMMC_IOCON: u32 = 0x7C;
    pub const SDC_ACMD_RESP: u32 = 0x80;
    pub const ACMD19_TRG: u32 = 0x84;
    pub const DMA_SA: u32 = 0x90;
    pub const DMA_CA: u32 = 0x94;
    pub const DMA_CTRL: u32 = 0x98;
    pub const DMA_CFG: u32 = 0x9C;
    pub const DMA_LEN: u32 = 0xA8;
    pub const PATCH_BIT0: u32 = 0xB0;
    pub const PATCH_BIT1: u32 = 0xB4;
}

/// MSDC_CFG.
pub mod cfg {
    /// SD/MMC rather than Memory Stick.
    pub const MODE: u32 = 1 << 0;
    /// Reset of the controller, clears itself.
    pub const RST: u32 = 1 << 2;
    /// The CPU serves the FIFO.
    pub const PIO: u32 = 1 << 3;
    /// The clock is stable.
    pub const CKSTB: u32 = 1 << 7;
    /// CKDIV.
    pub const CKDIV_SHIFT: u32 = 8;
    /// CKDIV and CKMOD together: all that chooses the clock.
    pub const CLOCK: u32 = 0x0003_FF00;
}

/// MSDC_INT and MSDC_INTEN.
#[allow(missing_docs, reason = "the names of facts/storage-and-images.md 8.1")]
pub mod int {
    pub const ACMDRDY: u32 = 1 << 3;
    pub const ACMDTMO: u32 = 1 << 4;
    pub const DMAQ_EMPTY: u32 = 1 << 6;
    pub const CMDRDY: u32 = 1 << 8;
    pub const CMDTMO: u32 = 1 << 9;
    pub const RSPCRCERR: u32 = 1 << 10;
    pub const XFER_COMPL: u32 = 1 << 12;
    pub const DXFER_DONE: u32 = 1 << 13;
    pub const DATTMO: u32 = 1 << 14;
    pub const DATCRCERR: u32 = 1 << 15;
    pub const BDCSERR: u32 = 1 << 17;
    pub const GPDCSERR: u32 = 1 << 18;
}

/// FIFOCS.CLR.
pub const FIFO_CLR: u32 = 1 << 31;
/// SDC_STS.SDCBUSY: anything at all goes on.
pub const SDCBUSY: u32 = 1 << 0;
/// SDC_STS.CMDBUSY: a command is on the line.
pub const CMDBUSY: u32 = 1 << 1;

/// DMA_CTRL.
pub mod dma_ctrl {
    /// Starts.
    pub const START: u32 = 1 << 0;
    /// Stops.
    pub const STOP: u32 = 1 << 1;
    /// Goes on with the next buffer of a basic transfer.
    pub const RESUME: u32 = 1 << 2;
    /// Descriptor mode.
    pub const MODE: u32 = 1 << 8;
    /// This is the last buffer.
    pub const LASTBUF: u32 = 1 << 10;
    /// Burst size code.
    pub const BURST_SHIFT: u32 = 12;
}

/// DMA_CFG.
pub mod dma_cfg {
    /// Active.
    pub const STS: u32 = 1 << 0;
    /// Descriptors carry checksums.
    pub const DECSEN: u32 = 1 << 1;
    /// A BD's checksum was wrong.
    pub const BDCSERR: u32 = 1 << 4;
    /// A GPD's checksum was wrong.
    pub const GPDCSERR: u32 = 1 << 5;
}

/// One register: its offset, the bits that a write changes, its reset value.
struct Register(u32, u32, u32);

const READ_ONLY: u32 = 0;
const ALL: u32 = !0;

const REGISTERS: &[Register] = &[
    Register(reg::MSDC_CFG, 0x0007_FF3B, cfg::PIO),
    Register(0x04, 0x03FF_3F3F, 0), // MSDC_IOCON
    Register(reg::MSDC_PS, 0x0000_F001, 0),
    Register(reg::MSDC_INT, ALL, 0),
    Register(reg::MSDC_INTEN, 0x000F_FFFB, 0),
    Register(reg::MSDC_FIFOCS, FIFO_CLR, 0),
    Register(reg::MSDC_TXDATA, ALL, 0),
    Register(reg::MSDC_RXDATA, READ_ONLY, 0),
    Register(reg::SDC_CFG, 0xFF3B_0003, 0),
    Register(reg::SDC_CMD, 0x7FFF_FBFF, 0),
    Register(reg::SDC_ARG, ALL, 0),
    Register(reg::SDC_STS, READ_ONLY, 0),
    Register(0x40, READ_ONLY, 0), // SDC_RESP0..3
    Register(0x44, READ_ONLY, 0),
    Register(0x48, READ_ONLY, 0),
    Register(0x4C, READ_ONLY, 0),
    Register(reg::SDC_BLK_NUM, ALL, 0),
    Register(reg::SDC_CSTS, ALL, 0),
    Register(0x5C, ALL, 0), // SDC_CSTS_EN
    Register(reg::SDC_DCRC_STS, READ_ONLY, 0),
    Register(reg::EMMC_CFG0, 0x0000_F00F, 0),
    Register(0x74, ALL, 0), // EMMC_CFG1
    Register(reg::EMMC_STS, ALL, 0),
    Register(reg::EMMC_IOCON, 1, 0),
    Register(reg::SDC_ACMD_RESP, READ_ONLY, 0),
    Register(reg::ACMD19_TRG, ALL, 0),
    Register(0x88, READ_ONLY, 0), // ACMD19_STS
    Register(reg::DMA_SA, ALL, 0),
    Register(reg::DMA_CA, READ_ONLY, 0),
    Register(reg::DMA_CTRL, 0x0000_7507, 0x6000),
    Register(reg::DMA_CFG, 0x0000_3302, 0),
    Register(0xA0, ALL, 0),       // DBG_SEL
    Register(0xA4, READ_ONLY, 0), // DBG_OUT
    Register(reg::DMA_LEN, 0xFFFF, 0),
    Register(reg::PATCH_BIT0, ALL, 0x403C_004F),
    Register(reg::PATCH_BIT1, ALL, 0xFFFF_0009),
    Register(0xE0, ALL, 0), // PAD_CTL0..2
    Register(0xE4, ALL, 0),
    Register(0xE8, ALL, 0),
    Register(0xEC, ALL, 0), // PAD_TUNE
    Register(0xF0, ALL, 0), // DAT_RDDLY0, 1
    Register(0xF4, ALL, 0),
    Register(0xF8, ALL, 0),        // HW_DBG
    Register(0x100, READ_ONLY, 0), // VERSION
    Register(0x104, READ_ONLY, 0), // ECO_VER
];

/// Number of words from MSDC_CFG to ECO_VER.
const WORDS: usize = 0x108 / 4;

/// What the registers hold; what they do is in the other files.
pub struct Regs([u32; WORDS]);

impl Regs {
    /// As after a reset.
    pub fn new() -> Regs {
        let mut words = [0; WORDS];
        for &Register(offset, _, reset) in REGISTERS {
            words[offset as usize / 4] = reset;
        }
        Regs(words)
    }

    /// The bits of the register at `offset` that a write changes; none if the
    /// block has no such register.
    pub fn writable(offset: u32) -> Option<u32> {
        REGISTERS
            .iter()
            .find(|register| register.0 == offset)
            .map(|register| register.1)
    }

    /// The word of a register that exists.
    pub fn get(&self, offset: u32) -> u32 {
        self.0[offset as usize / 4]
    }

    /// Sets the word of a register that exists.
    pub fn set(&mut self, offset: u32, value: u32) {
        self.0[offset as usize / 4] = value;
    }

    /// Sets `bits` in a register that exists.
    pub fn raise(&mut self, offset: u32, bits: u32) {
        self.0[offset as usize / 4] |= bits;
    }

    /// Clears `bits` in a register that exists.
    pub fn clear(&mut self, offset: u32, bits: u32) {
        self.0[offset as usize / 4] &= !bits;
    }
}

/// Data phase that SDC_CMD announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataType {
    /// None.
    None,
    /// One block.
    Single,
    /// As many as SDC_BLK_NUM says.
    Multiple,
    /// A stream, which no eMMC here takes.
    Stream,
}

/// SDC_CMD, taken apart (facts/storage-and-images.md 8.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command(pub u32);

impl Command {
    /// Command index.
    pub fn index(self) -> u8 {
        self.0 as u8 & 0x3F
    }
    /// Response type code.
    pub fn response(self) -> u32 {
        self.0 >> 7 & 7
    }
    /// Data type.
    pub fn data(self) -> DataType {
        match self.0 >> 11 & 3 {
            0 => DataType::None,
            1 => DataType::Single,
            2 => DataType::Multiple,
            _ => DataType::Stream,
        }
    }
    /// Data go to the card.
    pub fn write(self) -> bool {
        self.0 >> 13 & 1 != 0
    }
    /// This command stops a transfer.
    pub fn stop(self) -> bool {
        self.0 >> 14 & 1 != 0
    }
    /// Block length in bytes.
    pub fn block_len(self) -> u32 {
        self.0 >> 16 & 0xFFF
    }
    /// What the controller sends by itself: 1 CMD12, 2 CMD23, 3 CMD19.
    pub fn auto(self) -> u32 {
        self.0 >> 28 & 3
    }
}

//! An eMMC 4.5 card as the host controller meets it: commands and blocks in,
//! responses, blocks and busy times out. It knows neither registers nor DMA.
//!
//! The card is strict in the way silicon is: a command that its state does not
//! allow gets no answer, data at a width or speed that was not switched to
//! arrives with CRC errors, and nothing but CMD0, RST_n or the loss of its
//! supply brings it back to the beginning. A reset of the SoC does not.
//!
//! Source: facts/storage-and-images.md 4.1, 8.5, 8.6 and 8.10 (points 10 to 12)
//! for what MT6572 software meets; JESD84-B45 for the states behind it.

pub mod command;
pub mod config;
pub mod data;
pub mod registers;
pub mod store;
#[cfg(test)]
mod tests;

pub use config::{CardType, Config, ConfigError, CutSector, Fault, FaultKind, PowerCut};
pub use store::{Area, FileStore, SECTOR, Store, Stores};

use crate::bus::Nanos;
use config::HW_PARTITION_UNIT;
use data::Transfer;
use registers::{BYTE_ADDRESS_LIMIT, ext, status};

/// Sectors of an ordinary 4 GB part's user area.
pub const DEFAULT_USER_SECTORS: u32 = 7_634_944;

/// Fastest clock while a card is being identified.
pub const IDENTIFICATION_HZ: u64 = 400_000;
/// Fastest clock until HS_TIMING is set.
const LEGACY_HZ: u64 = 26_000_000;
/// Fastest clock at all.
const HIGH_SPEED_HZ: u64 = 52_000_000;

/// How the host drives the bus at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire {
    /// Clock in Hz, never 0.
    pub clock_hz: u64,
    /// Data lines in use: 1, 4 or 8.
    pub width: u8,
    /// Data on both edges.
    pub ddr: bool,
}

/// The answer on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// None: the command has none, or the card keeps quiet.
    Silent,
    /// Card status (R1 and R1b).
    R1(u32),
    /// CID or CSD, bits 127:96 first.
    R2([u32; 4]),
    /// OCR.
    R3(u32),
}

/// Form of a response, as the host must expect it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// No response.
    None,
    /// Card status.
    R1,
    /// Card status, then perhaps busy on DAT0.
    R1b,
    /// 136 bits.
    R2,
    /// OCR without CRC.
    R3,
}

/// CURRENT_STATE and the two states that cannot be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// After power-on or CMD0.
    Idle = 0,
    /// CMD1 is through.
    Ready = 1,
    /// CMD2 is through.
    Ident = 2,
    /// Has an address, is not selected.
    Standby = 3,
    /// Selected, waits for commands.
    Transfer = 4,
    /// Sends data.
    Data = 5,
    /// Receives data.
    Receive = 6,
    /// Programs; DAT0 is low.
    Program = 7,
    /// Programs while another address is selected.
    Disconnect = 8,
    /// CMD5.
    Sleep = 10,
    /// CMD15: deaf until the supply goes.
    Inactive = 15,
    /// CMD0 with 0xF0F0F0F0: waits for RST_n, CMD0 or a boot request.
    PreIdle = 14,
}

/// What the card has to say besides its answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// The guest did something that a card refuses or misunderstands.
    Guest(String),
    /// The host's file could not be read or written.
    Host(String),
    /// The phone has lost its power, in the middle of a write.
    PowerCut(String),
}

/// What the card has done so far, for benchmarks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Blocks sent to the host, EXT_CSD not counted.
    pub blocks_read: u64,
    /// Blocks taken from the host.
    pub blocks_written: u64,
    /// Time the card made the host wait: latency, busy, CMD1.
    pub busy_ns: Nanos,
}

/// The card. See the module documentation.
pub struct Emmc {
    config: Config,
    stores: Stores,
    user_sectors: u32,
    cid: [u32; 4],
    csd: [u32; 4],
    ext_csd: Box<[u8; 512]>,
    supplied: bool,
    /// The power was cut: nobody is there any more.
    cut: bool,
    rst_n_low: bool,
    state: State,
    rca: u16,
    block_len: u32,
    /// Status bits that the next R1 response carries and clears.
    pending_status: u32,
    /// When CMD1 reports "ready"; none before the first CMD1.
    ready_at: Option<Nanos>,
    /// CMD1 was through once since power-on.
    initialised: bool,
    busy_until: Nanos,
    /// CMD23 for the next CMD18 or CMD25.
    block_count: Option<u32>,
    transfer: Option<Transfer>,
    erase_start: Option<u64>,
    erase_end: Option<u64>,
    remarks: Vec<Remark>,
    stats: Stats,
}

impl Emmc {
    /// A card without supply. Its user area is as large as `config` says, else
    /// as the store is, else that of a 4 GB part.
    pub fn new(config: Config, stores: Stores) -> Result<Emmc, ConfigError> {
        if config.name.len() > 6 || !config.name.is_ascii() {
            return Err(ConfigError::Name(config.name));
        }
        let stored = stores.user.len();
        let sectors = match config.user_sectors {
            Some(sectors) => u64::from(sectors),
            None if stored == 0 => DEFAULT_USER_SECTORS.into(),
            None => stored.div_ceil(SECTOR as u64),
        };
        let user_sectors = u32::try_from(sectors)
            .ok()
            .filter(|&sectors| sectors >= 2048)
            .ok_or(ConfigError::UserSize(sectors.saturating_mul(SECTOR as u64)))?;
        let mut card = Emmc {
            cid: registers::cid(&config),
            csd: registers::csd(u64::from(user_sectors) * SECTOR as u64),
            ext_csd: Box::new(registers::ext_csd(&config, user_sectors)),
            config,
            stores,
            user_sectors,
            supplied: false,
            cut: false,
            rst_n_low: false,
            state: State::Idle,
            rca: 1,
            block_len: SECTOR as u32,
            pending_status: 0,
            ready_at: None,
            initialised: false,
            busy_until: 0,
            block_count: None,
            transfer: None,
            erase_start: None,
            erase_end: None,
            remarks: Vec::new(),
            stats: Stats::default(),
        };
        for area in [Area::User, Area::Boot1, Area::Boot2] {
            let area_bytes = card.area_bytes(area);
            let store_bytes = card.stores.area(area).map_or(0, |store| store.len());
            if store_bytes > area_bytes {
                return Err(ConfigError::StoreTooLarge {
                    area,
                    store_bytes,
                    area_bytes,
                });
            }
        }
        Ok(card)
    }

    /// How the board describes the card.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Bytes of an area.
    pub fn area_bytes(&self, area: Area) -> u64 {
        match area {
            Area::User => u64::from(self.user_sectors) * SECTOR as u64,
            Area::Boot1 | Area::Boot2 => u64::from(self.config.boot_size_mult) * HW_PARTITION_UNIT,
            Area::Rpmb => u64::from(self.config.rpmb_size_mult) * HW_PARTITION_UNIT,
        }
    }

    /// The bytes of an area, past the bus: for the models of those who ran
    /// before us. RPMB has none.
    pub fn store(&mut self, area: Area) -> Option<&mut dyn Store> {
        self.stores.area(area)
    }

    /// EXT_CSD as CMD8 would send it.
    pub fn ext_csd(&self) -> &[u8; 512] {
        &self.ext_csd
    }

    /// CID, bits 127:96 first.
    pub fn cid(&self) -> [u32; 4] {
        self.cid
    }

    /// CSD, bits 127:96 first.
    pub fn csd(&self) -> [u32; 4] {
        self.csd
    }

    /// The state the card would report at `now`.
    pub fn state(&mut self, now: Nanos) -> State {
        self.settle(now);
        self.state
    }

    /// What the card has done so far.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Takes what the card has to say since the last call.
    pub fn remarks(&mut self) -> Vec<Remark> {
        std::mem::take(&mut self.remarks)
    }

    /// Whether anybody is there to answer.
    pub fn alive(&self) -> bool {
        let held_in_reset = self.rst_n_low && self.rst_n_resets();
        let fitted = !self.config.absent;
        self.supplied && fitted && !self.cut && !held_in_reset
    }

    /// Whether the supply is on, as far as the card was told.
    pub fn supplied(&self) -> bool {
        self.supplied
    }

    /// The supply as it is now. Its loss loses all that is not stored.
    pub fn set_supply(&mut self, on: bool) {
        if on != self.supplied {
            self.supplied = on;
            self.initialised = false;
            self.restart();
        }
    }

    /// The battery was taken out and put in: cold, whatever the supply said.
    pub fn power_on_reset(&mut self) {
        self.supplied = false;
        self.cut = false;
        self.initialised = false;
        self.restart();
    }

    /// The level of RST_n. Low resets a card whose RST_N_FUNCTION is 1.
    pub fn set_rst_n(&mut self, low: bool) {
        if low && !self.rst_n_low && self.rst_n_resets() {
            self.restart();
        }
        self.rst_n_low = low;
    }

    fn rst_n_resets(&self) -> bool {
        self.ext_csd[ext::RST_N_FUNCTION] == 1
    }

    /// Puts the card where the preloader leaves it (facts/soc.md 3.2): selected,
    /// at `width` bits, in high speed; programming until `busy_until`.
    pub fn leave_selected(&mut self, width: u8, high_speed: bool, busy_until: Nanos) {
        self.restart();
        self.supplied = true;
        self.initialised = true;
        self.ready_at = Some(0);
        self.block_len = SECTOR as u32;
        self.ext_csd[ext::BUS_WIDTH] = match width {
            8 => 2,
            4 => 1,
            _ => 0,
        };
        self.ext_csd[ext::HS_TIMING] = high_speed.into();
        self.busy_until = busy_until;
        self.state = State::Program;
    }

    /// Whether DAT0 is held low at `now`.
    pub fn dat0_low(&self, now: Nanos) -> bool {
        self.alive()
            && (self.config.stuck_busy || self.state == State::Program && now < self.busy_until)
    }

    /// When DAT0 rises again, if it is low at `now` and ever does.
    pub fn busy_ends(&self, now: Nanos) -> Option<Nanos> {
        (self.dat0_low(now) && !self.config.stuck_busy).then_some(self.busy_until)
    }

    /// CMD0 and everything stronger: back to idle, the modes forgotten.
    fn restart(&mut self) {
        for &(index, bits) in registers::VOLATILE {
            self.ext_csd[index] &= !bits;
        }
        self.state = State::Idle;
        self.rca = 1;
        self.block_len = registers::default_block_len(self.area_bytes(Area::User));
        self.pending_status = 0;
        self.ready_at = None;
        self.busy_until = 0;
        self.block_count = None;
        self.transfer = None;
        self.erase_start = None;
        self.erase_end = None;
    }

    /// Lets programming end that is over by `now`.
    fn settle(&mut self, now: Nanos) {
        if now >= self.busy_until && !self.config.stuck_busy {
            self.state = match self.state {
                State::Program => State::Transfer,
                State::Disconnect => State::Standby,
                other => other,
            };
        }
    }

    fn go_busy(&mut self, now: Nanos, busy_us: u32) {
        let busy_ns = Nanos::from(busy_us) * 1000;
        self.stats.busy_ns += busy_ns;
        self.busy_until = now + busy_ns;
        self.state = State::Program;
    }

    fn sector_mode(&self) -> bool {
        self.area_bytes(Area::User) > BYTE_ADDRESS_LIMIT
    }

    /// The area that data commands reach now.
    fn area(&self) -> Area {
        // SWITCH lets no other value in.
        Area::from_access(self.ext_csd[ext::PARTITION_CONFIG] & 7).unwrap_or_default()
    }

    fn high_speed(&self) -> bool {
        self.ext_csd[ext::HS_TIMING] & 0xF == 1 && self.config.card_type != CardType::Hs26
    }

    fn max_clock_hz(&self) -> u64 {
        if self.high_speed() {
            HIGH_SPEED_HZ
        } else {
            LEGACY_HZ
        }
    }

    fn guest_error(&mut self, message: impl Into<String>) {
        self.remarks.push(Remark::Guest(message.into()));
    }

    fn status(&mut self) -> u32 {
        let ready = !matches!(self.state, State::Program | State::Disconnect);
        std::mem::take(&mut self.pending_status)
            | (self.state as u32) << status::STATE_SHIFT
            | if ready { status::READY_FOR_DATA } else { 0 }
    }
}

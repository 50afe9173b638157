//! The card as the rest of the bootloader sees it: what it is, which area is
//! selected, how fast the bus runs and why not faster.
//!
//! Source: facts/storage-and-images.md 4.1, 8.5, 8.6 and 8.9.

use super::transfer::Job;
use super::{
    AreaSizes, BLOCK_BYTES, BadBlocks, Bus, Cid, Command, Error, ExtCsd, Geometry, Host, State,
    Status, Width,
};
use crate::time::{Deadline, Micros};

/// An area of the card with addresses of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Area {
    /// Everything that partitions are made of.
    User,
    /// The preloader's home. Never written.
    Boot1,
    /// Its twin. Never written.
    Boot2,
}

impl Area {
    /// PARTITION_ACCESS, the low three bits of EXT_CSD 179.
    const fn access(self) -> u8 {
        match self {
            Self::User => 0,
            Self::Boot1 => 1,
            Self::Boot2 => 2,
        }
    }
}

/// Timing of the bus, fastest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Mode {
    /// At most 26 MHz; every card starts in it.
    Sdr26,
    /// At most 52 MHz, data on one edge.
    Sdr52,
    /// At most 52 MHz, data on both edges.
    Ddr52,
}

impl Mode {
    /// Name for screen and log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sdr26 => "SDR26",
            Self::Sdr52 => "SDR52",
            Self::Ddr52 => "DDR52",
        }
    }

    /// The highest clock of the mode.
    pub const fn limit_hz(self) -> u32 {
        match self {
            Self::Sdr26 => 26_000_000,
            Self::Sdr52 | Self::Ddr52 => 52_000_000,
        }
    }
}

/// A step to a slower bus, and its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Fallback {
    /// Mode that failed.
    pub mode: Mode,
    /// Width that failed.
    pub width: Width,
    /// How it failed.
    pub error: Error,
}

/// What identification found out about the card.
#[derive(Clone)]
pub struct Card {
    /// Operating conditions: voltages and addressing.
    pub ocr: u32,
    /// Maker, name and serial number.
    pub cid: Cid,
    /// Everything else that it says of itself.
    pub ext_csd: ExtCsd,
    /// Sizes of its areas.
    pub areas: AreaSizes,
    /// How long it was busy powering up (CMD1), the card's own time.
    pub power_up: Micros,
}

impl Card {
    const SECTOR_ADDRESSED: u32 = 1 << 30;

    /// Cards up to 2 GiB are addressed in bytes.
    fn address(&self, lba: u32) -> u32 {
        if self.ocr & Self::SECTOR_ADDRESSED != 0 {
            lba
        } else {
            lba.wrapping_mul(BLOCK_BYTES as u32)
        }
    }
}

/// An eMMC behind a host controller.
pub struct Emmc<H> {
    pub(super) host: H,
    pub(super) card: Option<Card>,
    pub(super) area: Area,
    pub(super) mode: Mode,
    pub(super) width: Width,
    /// The clock that the host made of the mode, Hz.
    pub(super) clock_hz: u32,
    pub(super) fallbacks: [Option<Fallback>; 4],
    pub(super) power_up: Option<super::bring_up::PowerUp>,
    pub(super) job: Option<Job>,
}

impl<H: Host> Emmc<H> {
    /// A card that has not been spoken to.
    pub const fn new(host: H) -> Self {
        Self {
            host,
            card: None,
            area: Area::User,
            mode: Mode::Sdr26,
            width: Width::One,
            clock_hz: 0,
            fallbacks: [None; 4],
            power_up: None,
            job: None,
        }
    }

    /// What the card is, once identified.
    pub const fn card(&self) -> Option<&Card> {
        self.card.as_ref()
    }

    /// Mode, data lines and clock (Hz) in use.
    pub const fn bus(&self) -> (Mode, Width, u32) {
        (self.mode, self.width, self.clock_hz)
    }

    /// Bytes a second that the bus carries while data flow, without the gaps
    /// between blocks.
    pub const fn bus_rate(&self) -> u32 {
        let edges = if matches!(self.mode, Mode::Ddr52) {
            2
        } else {
            1
        };
        self.clock_hz / 8 * self.width.lines() * edges
    }

    /// The steps down to a slower bus so far, for the log.
    pub fn fallbacks(&self) -> impl Iterator<Item = &Fallback> {
        self.fallbacks.iter().flatten()
    }

    /// The selected area.
    pub const fn area(&self) -> Area {
        self.area
    }

    /// Runs `work` with another area selected and goes back to the user area
    /// whatever happens, because all that follows, the kernel included,
    /// expects it there.
    pub fn with_area<T>(
        &mut self,
        area: Area,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let result = self.select(area).and_then(|()| work(self));
        let back = self.select(Area::User);
        let value = result?;
        back.map(|()| value)
    }

    fn select(&mut self, area: Area) -> Result<(), Error> {
        if self.area == area {
            return Ok(());
        }
        self.require_idle()?;
        let card = self.card.as_ref().ok_or(Error::NotReady)?;
        let config = card.ext_csd.byte(ExtCsd::PARTITION_CONFIG) & !7 | area.access();
        self.switch(ExtCsd::PARTITION_CONFIG, config)?;
        if self.read_ext_csd()?.byte(ExtCsd::PARTITION_CONFIG) & 7 != area.access() {
            return Err(Error::Verify);
        }
        self.area = area;
        Ok(())
    }

    /// Leaves card and controller as the next software may expect them: user
    /// area, nothing under way, card not busy.
    pub fn quiesce(&mut self) -> Result<(), Error> {
        if self.job.is_some() {
            // The memory is given up: whoever wanted it has not waited for it.
            drop(super::BlockDevice::finish(self));
        }
        let settled = if self.card.is_some() {
            self.select(Area::User)
                .and_then(|()| self.host.wait_not_busy(Self::BUSY_LIMIT))
        } else {
            Ok(())
        };
        self.host.quiesce();
        settled
    }

    /// The host controller, once the card is done with.
    pub fn into_host(self) -> H {
        self.host
    }

    /// Longest that a card may be busy with anything but its power-up.
    pub(super) const BUSY_LIMIT: Micros = Micros::from_ms(1000);

    pub(super) fn require_idle(&self) -> Result<(), Error> {
        if self.job.is_some() {
            return Err(Error::NotReady);
        }
        Ok(())
    }

    /// Shape of the selected area.
    pub(super) fn shape(&self) -> Geometry {
        let pages = self.card.as_ref().map_or(0, |card| match self.area {
            Area::User => card.areas.user_blocks,
            Area::Boot1 | Area::Boot2 => card.areas.boot_bytes / BLOCK_BYTES as u32,
        });
        Geometry {
            page_bytes: BLOCK_BYTES as u32,
            pages,
            erase_pages: 1,
            spare_bytes: 0,
            bad_blocks: BadBlocks::Managed,
        }
    }

    /// Checks a range of blocks of the selected area and returns the argument
    /// of the command that addresses its start.
    pub(super) fn address(&self, lba: u32, bytes: usize) -> Result<u32, Error> {
        let card = self.card.as_ref().ok_or(Error::NotReady)?;
        if bytes == 0 || !bytes.is_multiple_of(BLOCK_BYTES) {
            return Err(Error::Length);
        }
        let end = lba as u64 + (bytes / BLOCK_BYTES) as u64;
        if end > self.shape().pages as u64 {
            return Err(Error::OutOfRange { lba });
        }
        Ok(card.address(lba))
    }

    /// Sends a command that is answered with the device status.
    pub(super) fn status_command(&mut self, command: Command) -> Result<Status, Error> {
        self.host.command(command)?.status(command.index)
    }

    /// Writes a byte of EXT_CSD and waits until the card has taken it.
    pub(super) fn switch(&mut self, index: u8, value: u8) -> Result<(), Error> {
        let timeout_ms = self
            .card
            .as_ref()
            .map_or(500, |card| card.ext_csd.switch_timeout_ms());
        let timeout = Micros::from_ms(timeout_ms);
        self.status_command(Command::switch(index, value))?;
        self.host.wait_not_busy(timeout)?;
        self.wait_ready(timeout)
    }

    /// Asks for the card's status until it is ready for the next transfer.
    pub(super) fn wait_ready(&mut self, timeout: Micros) -> Result<(), Error> {
        let deadline = Deadline::after(timeout);
        loop {
            let late = deadline.expired();
            if self.status_command(Command::SEND_STATUS)?.is_ready() {
                return Ok(());
            }
            if late {
                return Err(Error::Busy);
            }
        }
    }

    pub(super) fn read_ext_csd(&mut self) -> Result<ExtCsd, Error> {
        let mut ext_csd = ExtCsd([0; BLOCK_BYTES]);
        self.host.read(Command::SEND_EXT_CSD, &mut ext_csd.0)?;
        Ok(ext_csd)
    }

    /// Brings card and controller back to the transfer state after an error,
    /// wherever it has left them.
    pub(super) fn recover(&mut self) -> Result<(), Error> {
        self.host.reset()?;
        let deadline = Deadline::after(Self::BUSY_LIMIT);
        let mut silent = 0;
        loop {
            let late = deadline.expired();
            // The status may report what went wrong before: only the state
            // counts here.
            match self.host.command(Command::SEND_STATUS) {
                Ok(response) => match Status(response.0[0]).state() {
                    State::Transfer => break,
                    State::Data => {
                        let _ = self.host.command(Command::STOP_READ);
                    }
                    State::Receive => {
                        let _ = self.host.command(Command::STOP_WRITE);
                    }
                    State::Programming => {}
                    State::Other(_) => return Err(Error::NoCard),
                },
                Err(_) if silent < 3 => silent += 1,
                Err(error) => return Err(error),
            }
            if late {
                return Err(Error::Busy);
            }
        }
        self.host.reset()
    }

    /// Drives the bus as `mode` and `width` say.
    pub(super) fn set_bus(&mut self, mode: Mode, width: Width) -> Result<(), Error> {
        self.clock_hz = self.host.set_bus(Bus {
            limit_hz: mode.limit_hz(),
            width,
            ddr: mode == Mode::Ddr52,
        })?;
        self.mode = mode;
        self.width = width;
        Ok(())
    }

    /// Remembers why the bus is slower than it might be. What does not fit is
    /// dropped: there are fewer steps than places unless they repeat.
    pub(super) fn note_fallback(&mut self, error: Error) {
        let note = Fallback {
            mode: self.mode,
            width: self.width,
            error,
        };
        if let Some(place) = self.fallbacks.iter_mut().find(|place| place.is_none()) {
            *place = Some(note);
        }
    }
}

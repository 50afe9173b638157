//! From an unknown card to the fastest bus that it is proven to share with us.
//!
//! Identification takes about 2 ms of bus time at 400 kHz; the card's own
//! power-up (CMD1) comes on top and can take a second. It is therefore split,
//! so that a display can be brought up meanwhile: [`Emmc::begin`], then
//! [`Emmc::poll_power_up`] now and then, then [`Emmc::identify`].
//! [`Emmc::init`] is all three in a row.
//!
//! A mode counts as working when EXT_CSD, read in it, is that of the slow
//! first reading: half a kilobyte with a CRC a line, of varied content, that
//! costs no access to the flash. Every mode that fails is left again, with the
//! reason kept in [`Emmc::fallbacks`].
//!
//! Source: facts/storage-and-images.md 8.5; JEDEC JESD84-B45 6.4 (power-up),
//! 6.6 (bus modes) and 7.4.65 (BUS_WIDTH).

use super::{Area, Bus, Card, Cid, Command, Csd, Emmc, Error, ExtCsd, Host, Mode, Width};
use crate::time::{Deadline, Micros, ticks};

/// A card that is powering up.
pub(super) struct PowerUp {
    argument: u32,
    since: u32,
    deadline: Deadline,
}

const OCR_READY: u32 = 1 << 31;
const OCR_SECTOR_MODE: u32 = 1 << 30;
const TICKS_PER_MICRO: u32 = 13;

/// Limit of JESD84-B45 6.4.3 for the power-up.
const POWER_UP_LIMIT: Micros = Micros::from_ms(1000);

impl<H: Host> Emmc<H> {
    /// Identifies the card and finds the fastest bus mode.
    pub fn init(&mut self) -> Result<(), Error> {
        self.begin()?;
        while !self.poll_power_up()? {}
        self.identify()
    }

    /// Sends the card back to its beginning and starts its power-up.
    pub fn begin(&mut self) -> Result<(), Error> {
        self.require_idle()?;
        self.card = None;
        self.area = Area::User;
        self.fallbacks = [None; 4];
        self.host.reset()?;
        self.mode = Mode::Sdr26;
        self.width = Width::One;
        self.clock_hz = self.host.set_bus(Bus::IDENTIFICATION)?;

        let ocr = self.ask_voltages()?;
        self.host.command(Command::GO_IDLE)?;
        self.power_up = Some(PowerUp {
            argument: ocr & !OCR_READY | OCR_SECTOR_MODE,
            since: ticks(),
            deadline: Deadline::after(POWER_UP_LIMIT),
        });
        Ok(())
    }

    /// Asks the card for its OCR. A card that hangs gets a hardware reset.
    fn ask_voltages(&mut self) -> Result<u32, Error> {
        let mut failure = Error::NoCard;
        for attempt in 0..3 {
            if attempt > 0 {
                self.host.pulse_card_reset();
                self.host.reset()?;
            }
            self.host.command(Command::GO_IDLE)?;
            match self.host.command(Command::send_op_cond(0)) {
                Ok(response) => return Ok(response.0[0]),
                Err(Error::CmdTimeout { .. }) => failure = Error::NoCard,
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Whether the card has finished its power-up; asking keeps it going.
    pub fn poll_power_up(&mut self) -> Result<bool, Error> {
        let power_up = self.power_up.as_ref().ok_or(Error::NotReady)?;
        let (argument, late) = (power_up.argument, power_up.deadline.expired());
        let micros = ticks().wrapping_sub(power_up.since) / TICKS_PER_MICRO;
        let ocr = self.host.command(Command::send_op_cond(argument))?.0[0];
        if ocr & OCR_READY == 0 {
            return if late { Err(Error::PowerUp) } else { Ok(false) };
        }
        self.power_up = None;
        self.card = Some(Card {
            ocr,
            cid: Cid::default(),
            ext_csd: ExtCsd([0; super::BLOCK_BYTES]),
            areas: super::AreaSizes::default(),
            power_up: Micros(micros),
        });
        Ok(true)
    }

    /// Gives the card its address, reads what it is and raises the bus to the
    /// fastest mode that works.
    pub fn identify(&mut self) -> Result<(), Error> {
        let result = self.select_card();
        if result.is_err() {
            self.card = None;
        }
        result?;
        self.raise_timing()?;
        self.raise_width()?;
        self.raise_to_ddr()
    }

    fn select_card(&mut self) -> Result<(), Error> {
        if self.card.is_none() {
            return Err(Error::NotReady);
        }
        let cid = Cid::parse(&self.host.command(Command::ALL_SEND_CID)?);
        self.status_command(Command::SET_RELATIVE_ADDRESS)?;
        let csd = Csd::parse(&self.host.command(Command::SEND_CSD)?);
        self.status_command(Command::SELECT)?;
        self.host.wait_not_busy(Self::BUSY_LIMIT)?;
        // Any selected card may be clocked at 26 MHz.
        self.set_bus(Mode::Sdr26, Width::One)?;
        let ext_csd = self.read_ext_csd()?;
        let card = self.card.as_mut().ok_or(Error::NotReady)?;
        card.cid = cid;
        card.areas = ext_csd.areas(csd.blocks);
        card.ext_csd = ext_csd;
        Ok(())
    }

    /// Reads EXT_CSD on the bus as it is now and compares it with the first
    /// reading.
    fn verify_bus(&mut self) -> Result<(), Error> {
        let now = self.read_ext_csd()?;
        let card = self.card.as_ref().ok_or(Error::NotReady)?;
        if card.ext_csd.is_same_card(&now) {
            Ok(())
        } else {
            Err(Error::Verify)
        }
    }

    fn supports(&self, feature: impl Fn(&ExtCsd) -> bool) -> bool {
        self.card
            .as_ref()
            .is_some_and(|card| feature(&card.ext_csd))
    }

    fn raise_timing(&mut self) -> Result<(), Error> {
        if !self.supports(ExtCsd::supports_hs52) {
            return Ok(());
        }
        let raised = self
            .switch(ExtCsd::HS_TIMING, 1)
            .and_then(|()| self.set_bus(Mode::Sdr52, self.width))
            .and_then(|()| self.verify_bus());
        if let Err(error) = raised {
            self.mode = Mode::Sdr52;
            self.note_fallback(error);
            // High-speed timing also works at 26 MHz, so the card may stay in
            // it whether or not it took the switch.
            self.set_bus(Mode::Sdr26, self.width)?;
            self.recover()?;
        }
        Ok(())
    }

    fn raise_width(&mut self) -> Result<(), Error> {
        for width in [Width::Eight, Width::Four] {
            let raised = self
                .switch_bus(self.mode, width)
                .and_then(|()| self.verify_bus());
            let Err(error) = raised else {
                return Ok(());
            };
            self.width = width;
            self.note_fallback(error);
            self.recover()?;
        }
        self.switch_bus(self.mode, Width::One)
    }

    fn raise_to_ddr(&mut self) -> Result<(), Error> {
        if self.mode != Mode::Sdr52
            || self.width == Width::One
            || !self.supports(ExtCsd::supports_ddr52)
        {
            return Ok(());
        }
        let raised = self
            .switch_bus(Mode::Ddr52, self.width)
            .and_then(|()| self.verify_bus());
        if let Err(error) = raised {
            self.mode = Mode::Ddr52;
            self.note_fallback(error);
            self.recover()?;
            self.switch_bus(Mode::Sdr52, self.width)?;
        }
        Ok(())
    }

    /// Changes BUS_WIDTH on the card's side, then on ours.
    fn switch_bus(&mut self, mode: Mode, width: Width) -> Result<(), Error> {
        let value = match (width, mode) {
            (Width::One, _) => 0,
            (Width::Four, Mode::Sdr26 | Mode::Sdr52) => 1,
            (Width::Eight, Mode::Sdr26 | Mode::Sdr52) => 2,
            (Width::Four, Mode::Ddr52) => 5,
            (Width::Eight, Mode::Ddr52) => 6,
        };
        self.switch(ExtCsd::BUS_WIDTH, value)?;
        self.set_bus(mode, width)
    }

    /// Goes one mode down after `error`; says whether there was one.
    pub(super) fn step_down(&mut self, error: Error) -> Result<bool, Error> {
        let lower = match self.mode {
            Mode::Sdr26 => return Ok(false),
            Mode::Sdr52 => Mode::Sdr26,
            Mode::Ddr52 => Mode::Sdr52,
        };
        self.note_fallback(error);
        if self.mode == Mode::Ddr52 {
            self.switch_bus(lower, self.width)?;
        } else {
            self.set_bus(lower, self.width)?;
        }
        Ok(true)
    }
}

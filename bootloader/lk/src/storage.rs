//! The eMMC for the rest of the boot: brought up, in sectors, with the two
//! worlds of block devices (the driver's and the decisions') joined.

use core::cell::UnsafeCell;
use core::fmt;

use mt6572_hal::clocks::{Gate, MsdcSource, Topckgen};
use mt6572_hal::dma::DmaRegion;
use mt6572_hal::mmc::{self, BlockDevice as _, Emmc};
use mt6572_hal::msdc::{self, Msdc};
use mt6572_hal::mt6323::Rail;
use mt6572_hal::time::{Deadline, Micros};
use mt6572_hal::toprgu::Kicker;
use unilk_core::Code;
use unilk_core::address::{AreaSizes, Physical, SECTOR_BYTES};
use unilk_core::block::{BlockDevice, Geometry};
use unilk_core::partition::{self, TableError};

use crate::log::say;
use crate::meanwhile;
use crate::wake::Phone;

/// How often a wait for the card looks by itself.
const LOOK: Micros = Micros(500);
/// How often a card that powers up is asked; the question alone takes 0.3 ms.
const ASK: Micros = Micros(1_000);
/// After this a transfer is left to its own time-outs.
const TRANSFER_LIMIT: Micros = Micros::from_ms(5_000);

/// A glitch on a line must not cost the boot.
const BRING_UP_ATTEMPTS: u32 = 3;

/// Descriptors for 16 MiB in one transfer.
const DESCRIPTOR_BYTES: usize = 64 + 16 * 512;

#[repr(C, align(64))]
struct Descriptors(UnsafeCell<[u8; DESCRIPTOR_BYTES]>);
// SAFETY: lent to the MSDC driver once, by `Storage::open`.
unsafe impl Sync for Descriptors {}
static DESCRIPTORS: Descriptors = Descriptors(UnsafeCell::new([0; DESCRIPTOR_BYTES]));

/// The card and where its partitions are.
pub struct Disk {
    /// The card.
    pub storage: Storage,
    /// Its partitions.
    pub table: partition::Table,
}

/// Why there is no disk.
#[derive(Debug, Clone, Copy)]
pub enum DiskError {
    /// The card, or the way to it.
    Card(mmc::Error),
    /// No partition table could be read.
    Table(TableError),
}

impl Code for DiskError {
    fn code(&self) -> &'static str {
        match self {
            Self::Card(error) => error.code(),
            Self::Table(error) => error.code(),
        }
    }
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Card(error) => write!(f, "eMMC: {error}"),
            Self::Table(error) => error.fmt(f),
        }
    }
}

impl Disk {
    /// Brings the card up and finds its partitions.
    pub fn open(phone: &mut Phone) -> Result<Self, DiskError> {
        let mut storage = Storage::open(phone).map_err(DiskError::Card)?;
        let areas = storage.areas();
        let found = match partition::discover(&mut storage, areas) {
            Ok(found) => found,
            Err(error) => {
                storage.explain_failure();
                return Err(DiskError::Table(error));
            }
        };
        for (copy, error) in [("PMT", found.primary), ("PMT mirror", found.mirror)] {
            if let Some(error) = error {
                say!("{} {copy}: {error}", error.code());
            }
        }
        let table = found.table;
        say!(
            "partitions: {} from {}",
            table.entries().len(),
            table.source().name()
        );
        Ok(Self { storage, table })
    }
}

/// The eMMC.
pub struct Storage {
    emmc: Emmc<Msdc>,
    /// Each access is bounded, their sum is not: a card that is slow or ill
    /// shall end in a clear line, not in a reset.
    dog: Kicker,
    /// What the card did to the last read that failed: parsers only know that
    /// it did.
    failure: Option<mmc::Error>,
}

impl Storage {
    /// Connects the controller and identifies the card. Once: the phone has
    /// one eMMC.
    pub fn open(phone: &mut Phone) -> Result<Self, mmc::Error> {
        let hal = &mut phone.hal;
        select_source(&mut hal.topckgen, MsdcSource::UnivPllDiv6);
        if let Err(taken) = msdc::connect_pads(&mut hal.gpio, hal.msdc0_pads) {
            say!("{} pin {} of the eMMC is in use", taken.code(), taken.pin);
        }
        if hal.pmic.rail_is_up(Rail::Vemc3v3) == Ok(false) {
            say!("the eMMC's supply is off: switching it on");
            let _ = hal.pmic.enable_rail(Rail::Vemc3v3);
        }
        hal.mcusys.set_active_low(msdc::SPI, true);
        hal.gic.enable(msdc::SPI);
        // SAFETY: the only use of `DESCRIPTORS`; `open` is called once.
        let table = unsafe { &mut *DESCRIPTORS.0.get() };
        let table = DmaRegion::new(table).map_err(|_| mmc::Error::NotReady)?;
        let mut emmc = Emmc::new(Msdc::new(hal.msdc0, msdc::SOURCE_HZ, table));
        let dog = hal.toprgu.kicker();
        for attempt in 1..=BRING_UP_ATTEMPTS {
            match bring_up(&mut emmc, dog) {
                Ok(()) => break,
                // The driver has asked three times whether there is a card.
                Err(error) if attempt == BRING_UP_ATTEMPTS || error == mmc::Error::NoCard => {
                    return Err(error);
                }
                Err(error) => say!("{} eMMC: {error}; once more", error.code()),
            }
        }
        let storage = Self {
            emmc,
            dog,
            failure: None,
        };
        storage.introduce();
        Ok(storage)
    }

    fn introduce(&self) {
        let (mode, width, hz) = self.emmc.bus();
        if let Some(card) = self.emmc.card() {
            say!(
                "eMMC {} {} MiB, {} {}-bit {} MHz, ready after {} us",
                core::str::from_utf8(&card.cid.product).unwrap_or("?"),
                card.areas.user_blocks / 2048,
                mode.name(),
                width.lines(),
                hz / 1_000_000,
                card.power_up.0,
            );
        }
        for fallback in self.emmc.fallbacks() {
            say!(
                "{} eMMC {} {}-bit failed: {}",
                fallback.error.code(),
                fallback.mode.name(),
                fallback.width.lines(),
                fallback.error
            );
        }
    }

    /// Sizes of the card's areas, as the decisions count them.
    pub fn areas(&self) -> AreaSizes {
        /// Boot areas and RPMB come in units of 128 KiB.
        const AREA_UNIT: u32 = 128 << 10;
        self.emmc
            .card()
            .map_or(AreaSizes::default(), |card| AreaSizes {
                boot_mult: (card.areas.boot_bytes / AREA_UNIT) as u8,
                rpmb_mult: (card.areas.rpmb_bytes / AREA_UNIT) as u8,
                gp_sectors: card.areas.gp_bytes.map(|bytes| bytes / SECTOR_BYTES),
                user_sectors: u64::from(card.areas.user_blocks),
            })
    }

    /// Starts filling `region` from block `first` on.
    pub fn start(&mut self, first: Physical, region: DmaRegion) -> Result<(), mmc::Error> {
        self.dog.kick();
        let lba = u32::try_from(first.sector()).map_err(|_| mmc::Error::NotReady)?;
        self.emmc
            .start_read(lba, region)
            .map_err(|rejected| rejected.error)
    }

    /// Waits for the end of the transfer; everything else goes on meanwhile.
    pub fn wait(&mut self) -> Result<(), mmc::Error> {
        // The end of a part raises an interrupt, so that the rest does not
        // delay it. The driver's own limits end a transfer that hangs.
        let limit = Deadline::after(TRANSFER_LIMIT);
        while !self.emmc.is_done() && !limit.expired() {
            meanwhile::rest(LOOK);
        }
        self.emmc.finish().1
    }

    /// Writes the stored choice to its place in MISC: the only thing that is
    /// ever written.
    pub fn write_choice(&mut self, first: Physical, data: &[u8]) -> Result<(), mmc::Error> {
        self.dog.kick();
        let lba = u32::try_from(first.sector()).map_err(|_| mmc::Error::NotReady)?;
        mmc::BlockDevice::write(&mut self.emmc, lba, data)
            .inspect_err(|&error| self.failure = Some(error))
    }

    /// Says why a read failed, if one did since the last time.
    pub fn explain_failure(&mut self) {
        if let Some(error) = self.failure.take() {
            say!("{} eMMC: {error}", error.code());
        }
    }

    /// Card and controller at rest, for the next user, and the controller on
    /// the source that the vendor's loader leaves: kernels take its rate from
    /// there.
    pub fn quiesce(&mut self, clocks: &mut Topckgen) -> Result<(), mmc::Error> {
        let rest = self.emmc.quiesce();
        select_source(clocks, MsdcSource::MainPllDiv8);
        rest
    }
}

/// A mux that switches under a running clock may let a glitch through.
fn select_source(clocks: &mut Topckgen, source: MsdcSource) {
    clocks.close(Gate::Msdc0);
    clocks.set_msdc0_source(source);
    clocks.open(Gate::Msdc0);
}

/// One attempt; it starts with a reset of controller and card.
// Not inlined: one function of a whole boot would be kilobytes larger.
#[inline(never)]
fn bring_up(emmc: &mut Emmc<Msdc>, dog: Kicker) -> Result<(), mmc::Error> {
    dog.kick();
    emmc.begin()?;
    // The card may take long; nothing else has to wait for it.
    while !emmc.poll_power_up()? {
        meanwhile::rest_for(ASK);
    }
    dog.kick();
    emmc.identify()
}

impl BlockDevice for Storage {
    type Error = mmc::Error;

    fn geometry(&self) -> Geometry {
        Geometry::emmc(u64::from(self.emmc.geometry().pages))
    }

    fn read(&mut self, first: Physical, out: &mut [u8]) -> Result<(), mmc::Error> {
        self.dog.kick();
        let lba = u32::try_from(first.sector()).map_err(|_| mmc::Error::NotReady)?;
        self.emmc
            .read(lba, out)
            .inspect_err(|&error| self.failure = Some(error))
    }
}

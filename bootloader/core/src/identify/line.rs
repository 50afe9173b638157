//! One I2C transfer with what every asker needs around it: the record, one
//! retry, and the recovery of a bus that somebody holds.

use super::Clock;
use super::report::{Kind, Record, Recorder, Unit, status};
use embedded_hal::i2c::{Error, ErrorKind, I2c, NoAcknowledgeSource};
use heapless::Vec;

/// Recoveries before a bus is given up: each costs a soft reset and nine
/// clocks, and a chip that needs more will not give an answer to believe.
const MAX_RECOVERIES: u8 = 3;
/// Further tries with somebody who is there and does not take a transfer.
const RETRIES: u8 = 2;
/// Before each of them: chips are busy for a few milliseconds after a command.
const BUSY_US: u32 = 4_000;

/// A bus and the means to free it.
pub trait BusPort {
    /// The bus. Transfers block; they are short and have a time-out.
    type Bus: I2c;

    /// The bus.
    fn bus(&mut self) -> &mut Self::Bus;

    /// Nine clocks and a STOP; whether both lines are high afterwards.
    fn recover(&mut self) -> bool;
}

/// Whose bus a [`Line`] uses: one type for all of one bus's kind, so that the
/// code of a transfer exists once.
pub(super) type Port<'a, B> = &'a mut dyn BusPort<Bus = B>;

/// State of a bus at the end of the questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum BusState {
    /// No trouble.
    #[default]
    Ok,
    /// Somebody held it; nine clocks helped.
    Recovered,
    /// Somebody holds it.
    Stuck,
}

/// Why a transfer brought nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nobody acknowledged.
    Nack,
    /// The bus does not work.
    Stuck,
}

/// 7-bit addresses, 32 to a word.
#[derive(Clone, Copy, Default)]
pub(super) struct Addresses([u32; 4]);

impl Addresses {
    pub(super) fn insert(&mut self, address: u8) {
        if let Some(word) = self.0.get_mut(usize::from(address >> 5)) {
            *word |= 1 << (address & 31);
        }
    }

    pub(super) fn contains(&self, address: u8) -> bool {
        let word = self.0.get(usize::from(address >> 5));
        word.is_some_and(|word| word >> (address & 31) & 1 == 1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }

    /// Those that are not in `other`.
    pub(super) fn without(mut self, other: &Self) -> Self {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word &= !other;
        }
        self
    }

    /// All of them, in order.
    pub(super) fn iter(self) -> impl Iterator<Item = u8> {
        (0..0x80).filter(move |&address| self.contains(address))
    }
}

/// The bus while one unit is asked.
pub(super) struct Line<'a, C> {
    pub(super) clock: &'a C,
    pub(super) log: &'a dyn Recorder,
    pub(super) unit: Unit,
    pub(super) state: BusState,
    /// Who acknowledged since [`Line::forget`].
    pub(super) acked: Addresses,
    /// Where nobody was, since [`Line::tell_absent`].
    absent: Addresses,
    /// Who did not take a transfer however often: no more retries there.
    dull: Addresses,
    recoveries: u8,
}

impl<'a, C: Clock> Line<'a, C> {
    pub(super) fn new(clock: &'a C, log: &'a dyn Recorder, unit: Unit) -> Self {
        Self {
            clock,
            log,
            unit,
            state: BusState::Ok,
            acked: Addresses::default(),
            absent: Addresses::default(),
            dull: Addresses::default(),
            recoveries: 0,
        }
    }

    /// Starts over, as after a power cycle of what is on the bus.
    pub(super) fn forget(&mut self) {
        self.acked = Addresses::default();
        self.dull = Addresses::default();
    }

    /// Writes `write`, then reads `read`; either may be empty. `stop` puts a
    /// STOP between them instead of a repeated START.
    ///
    /// Who is there and refuses is asked again, a little later.
    pub(super) async fn transfer<B: I2c>(
        &mut self,
        port: Port<'_, B>,
        address: u8,
        write: &[u8],
        read: &mut [u8],
        stop: bool,
    ) -> Result<(), Fault> {
        let begun = self.clock.now_us();
        let mut result = once(port, address, write, read, stop);
        let mut there = self.acked.contains(address);
        match result {
            Ok(()) => {}
            Err(ErrorKind::NoAcknowledge(source)) => {
                there |= source == NoAcknowledgeSource::Data || self.shows_up(port, address, write);
                for retry in 1..=RETRIES {
                    let refused = matches!(result, Err(ErrorKind::NoAcknowledge(_)));
                    if !there || !refused || self.dull.contains(address) {
                        break;
                    }
                    self.clock.wait_us(BUSY_US).await;
                    result = if retry == RETRIES && !write.is_empty() && !read.is_empty() {
                        self.in_parts(port, address, write, read).await
                    } else {
                        once(port, address, write, read, stop)
                    };
                }
                if there && result.is_err() {
                    self.dull.insert(address);
                }
            }
            Err(_) => {
                if self.recover(port) {
                    result = once(port, address, write, read, stop);
                }
            }
        }
        let result = match result {
            Ok(()) => {
                self.acked.insert(address);
                Ok(())
            }
            Err(ErrorKind::NoAcknowledge(_)) => Err(Fault::Nack),
            Err(_) => {
                self.state = BusState::Stuck;
                Err(Fault::Stuck)
            }
        };
        if result == Err(Fault::Nack) && !there {
            // Most addresses: they are told together.
            self.absent.insert(address);
            return result;
        }
        let now = self.clock.now_us();
        self.log.record(&Record {
            unit: self.unit,
            status: match result {
                Ok(()) if !read.is_empty() && super::is_constant(read) => status::CONSTANT,
                Ok(()) => status::OK,
                Err(Fault::Nack) => status::SILENCE,
                Err(Fault::Stuck) => status::STUCK,
            },
            a: u16::from(address),
            b: now.wrapping_sub(begun).min(u32::from(u16::MAX)) as u16,
            sent: write,
            got: if result.is_ok() { read } else { &[] },
            ..Record::new(Kind::I2c, now)
        });
        result
    }

    /// The same for a chip that is busy after each write.
    async fn in_parts<B: I2c>(
        &mut self,
        port: Port<'_, B>,
        address: u8,
        write: &[u8],
        read: &mut [u8],
    ) -> Result<(), ErrorKind> {
        once(port, address, write, &mut [], true)?;
        self.clock.wait_us(BUSY_US).await;
        once(port, address, &[], read, true)
    }

    /// Whether somebody acknowledges the address alone: the controller does
    /// not say which byte was refused. One look an address.
    fn shows_up<B: I2c>(&mut self, port: Port<'_, B>, address: u8, refused: &[u8]) -> bool {
        !refused.is_empty()
            && !self.absent.contains(address)
            && once(port, address, &[], &mut [0], true).is_ok()
    }

    /// Records at which addresses nobody was: one record, whose address is 0,
    /// with all of them.
    pub(super) fn tell_absent(&mut self) {
        let absent = core::mem::take(&mut self.absent);
        if absent.is_empty() {
            return;
        }
        let addresses: Vec<u8, 128> = absent.iter().collect();
        self.log.record(&Record {
            unit: self.unit,
            status: status::SILENCE,
            sent: &addresses,
            ..Record::new(Kind::I2c, self.clock.now_us())
        });
    }

    /// Frees the bus; whether that helped.
    pub(super) fn recover<B: I2c>(&mut self, port: Port<'_, B>) -> bool {
        if self.recoveries >= MAX_RECOVERIES {
            return false;
        }
        self.recoveries += 1;
        let free = port.recover();
        self.state = if free {
            BusState::Recovered
        } else {
            BusState::Stuck
        };
        free
    }

    pub(super) fn power(&self, on: bool, core_mv: u16) {
        self.log.record(&Record {
            unit: self.unit,
            a: core_mv,
            b: u16::from(on),
            ..Record::new(Kind::Power, self.clock.now_us())
        });
    }
}

/// One transfer, whatever comes of it.
fn once<B: I2c>(
    port: Port<'_, B>,
    address: u8,
    write: &[u8],
    read: &mut [u8],
    stop: bool,
) -> Result<(), ErrorKind> {
    let bus = port.bus();
    let result = match (write.is_empty(), read.is_empty()) {
        (_, true) => bus.write(address, write),
        (true, false) => bus.read(address, read),
        (false, false) if stop => bus
            .write(address, write)
            .and_then(|()| bus.read(address, read)),
        (false, false) => bus.write_read(address, write, read),
    };
    result.map_err(|error| error.kind())
}

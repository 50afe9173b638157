//! Reads and writes, and what is done when one fails.
//!
//! A long read is a chain of DMA transfers, each as large as the controller's
//! descriptors allow; [`BlockDevice::is_done`] starts the next. A transfer that
//! fails is recovered and tried once more, after a CRC error on a slower bus.
//! If it fails again, halving the range finds the block to name.
//!
//! Source: facts/storage-and-images.md 8.7 to 8.9.

use super::Rejected;
use super::{Area, BLOCK_BYTES, BlockDevice, Command, Direction, Emmc, Error, Geometry, Host};
use crate::dma::DmaRegion;

/// A DMA read under way. The memory between `head` and `tail` is with the
/// host.
pub(super) struct Job {
    /// First block of what the host is moving.
    lba: u32,
    /// What is done.
    head: DmaRegion,
    /// What has not begun.
    tail: DmaRegion,
    /// The part under way has failed once.
    retried: bool,
    /// Set when nothing is under way any more.
    result: Option<Result<(), Error>>,
}

impl<H: Host> Emmc<H> {
    /// Starts the next part of the job.
    fn start_part(&mut self, mut job: Job) -> Job {
        let bytes = self.host.max_dma_bytes().min(job.tail.len());
        let (part, tail) = match job.tail.split_at(bytes) {
            Ok(parts) => parts,
            Err(whole) => (whole, DmaRegion::empty()),
        };
        job.tail = tail;
        if let Err((error, part)) = self.issue(job.lba, part) {
            self.part_failed(&mut job, part, error);
        }
        job
    }

    fn issue(&mut self, lba: u32, part: DmaRegion) -> Result<(), (Error, DmaRegion)> {
        match self.address(lba, part.len()) {
            Ok(address) => self.host.start_dma(
                Command::read(address, part.len() / BLOCK_BYTES),
                Direction::Read,
                part.for_device_write(),
            ),
            Err(error) => Err((error, part)),
        }
    }

    /// Takes the ended part from the host and does what follows.
    fn part_ended(&mut self, mut job: Job) -> Job {
        let (part, result) = self.host.finish_dma();
        match result {
            Ok(()) => {
                job.lba += (part.len() / BLOCK_BYTES) as u32;
                job.head = joined(job.head, part);
                job.retried = false;
                if job.tail.is_empty() {
                    job.result = Some(Ok(()));
                    return job;
                }
                self.start_part(job)
            }
            Err(error) => {
                self.part_failed(&mut job, part, error);
                job
            }
        }
    }

    /// Tries the part once more, or ends the job with the block that failed.
    fn part_failed(&mut self, job: &mut Job, mut part: DmaRegion, error: Error) {
        let mut error = error.at(job.lba);
        if self.prepare_retry(error, job.retried).is_ok() {
            job.retried = true;
            match self.issue(job.lba, part) {
                Ok(()) => return,
                Err((again, back)) => {
                    error = again.at(job.lba);
                    part = back;
                }
            }
        } else if job.retried {
            (part, error) = self.name_block(job.lba, part, error);
        }
        job.head = joined(job.head.take(), part);
        job.head = joined(job.head.take(), job.tail.take());
        job.result = Some(Err(error));
    }

    /// Recovers from `error`, slows down if that may help, and says whether
    /// another attempt is worth it.
    fn prepare_retry(&mut self, error: Error, retried: bool) -> Result<(), Error> {
        if !error.is_transient() {
            if matches!(error, Error::Refused { .. }) {
                self.recover()?;
            }
            return Err(error);
        }
        self.recover()?;
        if retried {
            return Err(error);
        }
        if error.is_signal_error() {
            self.step_down(error)?;
        }
        Ok(())
    }

    /// Finds the first block that cannot be read, by halving: as much data as
    /// the failed part had, at most a dozen commands.
    fn name_block(&mut self, lba: u32, part: DmaRegion, error: Error) -> (DmaRegion, Error) {
        let (mut from, mut rest, mut error) = (lba, part, error);
        let mut before = match rest.split_at(0) {
            Ok((empty, whole)) => {
                rest = whole;
                empty
            }
            Err(whole) => return (whole, error),
        };
        let mut after = DmaRegion::empty();
        while rest.len() > BLOCK_BYTES {
            let half = rest.len() / BLOCK_BYTES / 2;
            let (low, high) = match rest.split_at(half * BLOCK_BYTES) {
                Ok(halves) => halves,
                Err(whole) => return (joined(joined(before, whole), after), error),
            };
            let (low, result) = self.try_part(from, low);
            match result {
                Ok(()) => {
                    before = joined(before, low);
                    from += half as u32;
                    rest = high;
                }
                Err(failed) => {
                    error = failed;
                    after = joined(high, after);
                    rest = low;
                    if self.recover().is_err() {
                        break;
                    }
                }
            }
        }
        (joined(joined(before, rest), after), error.at(from))
    }

    fn try_part(&mut self, lba: u32, part: DmaRegion) -> (DmaRegion, Result<(), Error>) {
        match self.issue(lba, part) {
            Ok(()) => {
                self.host.wait_dma();
                self.host.finish_dma()
            }
            Err((error, part)) => (part, Err(error)),
        }
    }

    /// The preloader lives in the boot areas; only what we can put back is
    /// ever written.
    fn require_writable(&self) -> Result<(), Error> {
        match self.area {
            Area::User => Ok(()),
            Area::Boot1 | Area::Boot2 => Err(Error::Protected),
        }
    }

    fn wait_stored(&mut self) -> Result<(), Error> {
        self.host.wait_not_busy(Self::BUSY_LIMIT)?;
        self.wait_ready(Self::BUSY_LIMIT)
    }

    fn write_part(&mut self, lba: u32, part: &mut DmaRegion) -> Result<(), Error> {
        let address = self.address(lba, part.len())?;
        let command = Command::write(address, part.len() / BLOCK_BYTES);
        let memory = part.take().for_device_read();
        let (back, result) = match self.host.start_dma(command, Direction::Write, memory) {
            Ok(()) => {
                self.host.wait_dma();
                self.host.finish_dma()
            }
            Err((error, back)) => (back, Err(error)),
        };
        *part = back;
        result.and_then(|()| self.wait_stored())
    }

    /// Runs a blocking transfer, once more if it fails.
    fn with_retry(
        &mut self,
        lba: u32,
        mut transfer: impl FnMut(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Err(error) = transfer(self) else {
            return Ok(());
        };
        self.prepare_retry(error.at(lba), false)?;
        transfer(self).map_err(|error| {
            let error = error.at(lba);
            // The first error counts; a card that cannot be recovered says so
            // at the next transfer.
            let _ = self.prepare_retry(error, true);
            error
        })
    }
}

/// Two parts that were split from one region and are adjacent again. Parts
/// that are not can only be empty ones, which carry no memory.
fn joined(head: DmaRegion, tail: DmaRegion) -> DmaRegion {
    match head.join(tail) {
        Ok(whole) => whole,
        Err((head, tail)) if head.is_empty() => tail,
        Err((head, _)) => head,
    }
}

impl<H: Host> BlockDevice for Emmc<H> {
    type Error = Error;

    fn geometry(&self) -> Geometry {
        self.shape()
    }

    fn read(&mut self, lba: u32, data: &mut [u8]) -> Result<(), Error> {
        self.require_idle()?;
        let address = self.address(lba, data.len())?;
        let command = Command::read(address, data.len() / BLOCK_BYTES);
        self.with_retry(lba, |emmc| emmc.host.read(command, data))
    }

    fn write(&mut self, lba: u32, data: &[u8]) -> Result<(), Error> {
        self.require_idle()?;
        self.require_writable()?;
        let address = self.address(lba, data.len())?;
        let command = Command::write(address, data.len() / BLOCK_BYTES);
        self.with_retry(lba, |emmc| {
            emmc.host.write(command, data)?;
            emmc.wait_stored()
        })
    }

    fn write_region(&mut self, lba: u32, region: &mut DmaRegion) -> Result<(), Error> {
        self.require_idle()?;
        self.require_writable()?;
        self.address(lba, region.len())?;
        let (mut done, mut rest) = (DmaRegion::empty(), region.take());
        let mut at = lba;
        let mut result = Ok(());
        while result.is_ok() && !rest.is_empty() {
            let bytes = self.host.max_dma_bytes().min(rest.len());
            let (part, later) = match rest.split_at(bytes) {
                Ok(parts) => parts,
                Err(whole) => (whole, DmaRegion::empty()),
            };
            let mut part = part;
            result = self.with_retry(at, |emmc| emmc.write_part(at, &mut part));
            at += (bytes / BLOCK_BYTES) as u32;
            done = joined(done, part);
            rest = later;
        }
        *region = joined(done, rest);
        result
    }

    fn start_read(&mut self, lba: u32, region: DmaRegion) -> Result<(), Rejected<Error>> {
        let checked = self
            .require_idle()
            .and_then(|()| self.address(lba, region.len()));
        if let Err(error) = checked {
            return Err(Rejected { error, region });
        }
        let (head, tail) = match region.split_at(0) {
            Ok(parts) => parts,
            Err(region) => {
                let error = Error::Length;
                return Err(Rejected { error, region });
            }
        };
        let job = self.start_part(Job {
            lba,
            head,
            tail,
            retried: false,
            result: None,
        });
        self.job = Some(job);
        Ok(())
    }

    fn is_done(&mut self) -> bool {
        let Some(job) = self.job.take() else {
            return true;
        };
        let job = if job.result.is_none() && self.host.is_dma_done() {
            self.part_ended(job)
        } else {
            job
        };
        let done = job.result.is_some();
        self.job = Some(job);
        done
    }

    fn finish(&mut self) -> (DmaRegion, Result<(), Error>) {
        let Some(mut job) = self.job.take() else {
            return (DmaRegion::empty(), Err(Error::NotReady));
        };
        loop {
            if let Some(result) = job.result {
                return (job.head, result);
            }
            self.host.wait_dma();
            job = self.part_ended(job);
        }
    }
}

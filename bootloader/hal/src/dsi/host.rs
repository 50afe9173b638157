//! Set-up, the command queue, and writes.
//!
//! Source: facts/display.md 3.2 to 3.4, 3.6 and 3.8.

use super::registers::{
    BUSY, CLOCK_DROP_AUTO, CMD_DONE, DSI_EN, DSI_START, EXT_TE, HS_TX_EN, Instruction, LONG,
    PixelStream, QUEUE_WORDS, RD_RDY, RESET, RegisterBlock, SHORT, TxRx, ULPM_EN, VM_CMD_DONE,
    VM_DONE, VmCommand, WAKEUP_EN,
};
use super::{DsiError, LinkConfig, LinkMode, MAX_PAYLOAD};
use crate::mipitx::LANES;
use crate::reg::{Update, Write};
use crate::time::{Micros, delay, poll};
use arbitrary_int::{u2, u4, u14};

/// For the host to end what it does, besides the time on the lanes.
const IDLE_LIMIT: Micros = Micros(1000);
/// A byte in LP is 16 LPX: 5 µs at the slowest lane rate, twice that here.
const MICROS_PER_LP_BYTE: u32 = 10;
/// Header and checksum of a packet, escape and turn-round, in bytes.
const PACKET_OVERHEAD: u32 = 8;
/// The reset is a level; a few clocks of the block are enough.
const RESET_PULSE: Micros = Micros(10);
/// Between the steps into and out of ULPS.
const ULPS_STEP: Micros = Micros::from_ms(1);
/// Memory write continue, for lines after the first.
const MEMORY_CONTINUE: u32 = 0x3c;
/// What the host sends around a blanking packet, in bytes, which its length
/// does not count.
const SYNC_OVERHEAD: u32 = 10;
const FRONT_OVERHEAD: u32 = 12;
/// VSA_NL, VBP_NL and VFP_NL.
const MAX_BLANKING_LINES: u16 = 0x7f;
/// VACT_NL, HSA_WC, HBP_WC, HFP_WC.
const MAX_COUNT: u32 = 0xfff;
/// PS_WC.
const MAX_LINE_BYTES: u32 = 0x3fff;

/// The DSI host.
pub struct Dsi {
    pub(super) regs: &'static RegisterBlock,
    pub(super) mode: LinkMode,
    pub(super) size: (u16, u16),
    /// Video is on the lanes.
    pub(super) running: bool,
    /// A frame was started; nobody has seen it end.
    pub(super) framing: bool,
    /// Words in the queue that were not sent yet.
    queued: u8,
    /// How many bytes on the lanes they stand for.
    queued_bytes: u32,
}

impl Dsi {
    /// The driver of the block `regs`.
    pub const fn new(regs: &'static RegisterBlock) -> Self {
        Self {
            regs,
            mode: LinkMode::Command,
            size: (0, 0),
            running: false,
            framing: false,
            queued: 0,
            queued_bytes: 0,
        }
    }

    /// Sets the host up for a panel. Command mode and a clock lane in LP at
    /// first, whatever the panel's mode.
    ///
    /// # Errors
    ///
    /// [`DsiError::Link`] when a value does not fit its register; nothing was
    /// written then.
    pub fn configure(&mut self, link: &LinkConfig) -> Result<(), DsiError> {
        let line_bytes = u32::from(link.width) * link.format.bytes();
        let horizontal = horizontal(link);
        let lines = [
            link.vertical.sync,
            link.vertical.back,
            link.vertical.front,
            link.height,
        ];
        let fits = (1..=LANES).contains(&link.lanes)
            && (1..=MAX_LINE_BYTES).contains(&line_bytes)
            && (1..=MAX_COUNT as u16).contains(&link.height)
            && lines[..3].iter().all(|&lines| lines <= MAX_BLANKING_LINES)
            && horizontal.iter().all(|&bytes| bytes <= MAX_COUNT);
        if !fits {
            return Err(DsiError::Link);
        }
        let regs = self.regs;
        regs.start.put(0);
        regs.mode_ctrl.put(0);
        regs.clock_lane.put(0);
        regs.lane0.put(0);
        regs.mem_conti.put(MEMORY_CONTINUE);
        regs.com_ctrl.put(DSI_EN);
        regs.int_enable
            .put(RD_RDY | CMD_DONE | VM_DONE | EXT_TE | VM_CMD_DONE);
        let mask = u4::new((1 << link.lanes) - 1);
        let txrx = TxRx::DEFAULT
            .with_lanes(mask)
            .with_drop_clock(!link.continuous_clock);
        regs.txrx_ctrl.put(txrx.raw_value());
        for (register, word) in regs.timing.iter().zip(link.phy.0) {
            register.put(word);
        }
        let stream = PixelStream::DEFAULT
            .with_bytes(u14::extract_u32(line_bytes, 0))
            .with_format(u2::extract_u8(link.format.code(), 0));
        regs.ps_ctrl.put(stream.raw_value());
        regs.clock_drop.put(CLOCK_DROP_AUTO);
        let video = link.mode != LinkMode::Command;
        let vm_command = VmCommand::DEFAULT
            .with_enable(video)
            .with_in_front_porch(video);
        regs.vm_command.put(vm_command.raw_value());
        for (register, count) in regs.vertical.iter().zip(lines) {
            register.put(u32::from(count));
        }
        for (register, count) in regs.horizontal.iter().zip(horizontal) {
            register.put(count);
        }
        self.mode = link.mode;
        self.size = (link.width, link.height);
        self.running = false;
        self.forget_queue();
        self.reset_host();
        Ok(())
    }

    /// Sends one packet and waits for its end. In LP; while video runs, in its
    /// next vertical front porch.
    ///
    /// `data_type` decides between a short packet, of up to two bytes, and a
    /// long one.
    ///
    /// # Errors
    ///
    /// [`DsiError::TooLong`] beyond [`MAX_PAYLOAD`] bytes (2 in a short
    /// packet, [`super::MAX_VIDEO_PAYLOAD`] while video runs);
    /// [`DsiError::Busy`].
    pub fn write(&mut self, data_type: u8, payload: &[u8]) -> Result<(), DsiError> {
        if self.running {
            return self.vm_command(data_type, payload);
        }
        self.queue(data_type, payload)?;
        self.flush()
    }

    /// Puts a packet behind those that wait in the queue, and sends those
    /// first when it does not fit. [`Dsi::flush`] sends it.
    ///
    /// # Errors
    ///
    /// Those of [`Dsi::write`]; [`DsiError::Mode`] while video runs.
    pub fn queue(&mut self, data_type: u8, payload: &[u8]) -> Result<(), DsiError> {
        if self.running {
            return Err(DsiError::Mode);
        }
        check_length(data_type, payload.len(), MAX_PAYLOAD)?;
        let header = Instruction::DEFAULT.with_data_type(data_type);
        if is_long(data_type) {
            let words = 1 + payload.len().div_ceil(4) as u8;
            self.make_room(words)?;
            let header = header.with_kind(LONG).with_data0(payload.len() as u8);
            self.push(header.raw_value());
            for bytes in payload.chunks(4) {
                self.push(little_endian(bytes));
            }
        } else {
            self.make_room(1)?;
            let byte = |index| payload.get(index).copied().unwrap_or(0);
            let header = header.with_kind(SHORT);
            self.push(header.with_data0(byte(0)).with_data1(byte(1)).raw_value());
        }
        self.queued_bytes += PACKET_OVERHEAD + payload.len() as u32;
        Ok(())
    }

    /// Sends what waits in the queue and waits for its end.
    ///
    /// # Errors
    ///
    /// [`DsiError::Busy`]: it did not end; host and queue are empty again.
    pub fn flush(&mut self) -> Result<(), DsiError> {
        if self.queued == 0 {
            return Ok(());
        }
        let limit = Micros(IDLE_LIMIT.0 + self.queued_bytes * MICROS_PER_LP_BYTE);
        self.start_queue();
        self.await_idle(limit)
    }

    /// Whether something is on its way.
    pub fn is_busy(&self) -> bool {
        self.regs.int_status.read() & BUSY != 0
    }

    /// Puts both lanes that can sleep into ULPS: 4 ms. Before the transmitter
    /// is powered down.
    pub fn enter_ulps(&mut self) {
        for lane in [&self.regs.lane0, &self.regs.clock_lane] {
            lane.update(|value| value & !HS_TX_EN);
            delay(ULPS_STEP);
            lane.update(|value| value | ULPM_EN);
            delay(ULPS_STEP);
        }
    }

    /// Wakes the lanes from ULPS: 6 ms.
    pub fn leave_ulps(&mut self) {
        for lane in [&self.regs.clock_lane, &self.regs.lane0] {
            lane.update(|value| value & !ULPM_EN);
            delay(ULPS_STEP);
            lane.update(|value| value | WAKEUP_EN);
            delay(ULPS_STEP);
            lane.update(|value| value & !WAKEUP_EN);
            delay(ULPS_STEP);
        }
    }

    /// Stops whatever runs, puts the lanes to sleep and switches the host off:
    /// 4 ms, and a frame of video. The transmitter's power-down comes next,
    /// then the gates. The panel is to be reset before it is used again.
    pub fn off(&mut self) {
        if self.running {
            // A host that does not stop has been reset.
            let _ = self.stop_video();
        }
        self.forget_queue();
        self.reset_host();
        self.enter_ulps();
        self.regs.int_enable.put(0);
        self.regs.com_ctrl.put(0);
    }

    /// Pulls the host out of what it does; settings survive.
    pub(super) fn reset_host(&mut self) {
        self.framing = false;
        let control = &self.regs.com_ctrl;
        control.update(|value| value | RESET);
        delay(RESET_PULSE);
        control.update(|value| value & !RESET);
    }

    /// Empties the queue unsent.
    pub(super) fn forget_queue(&mut self) {
        self.queued = 0;
        self.queued_bytes = 0;
    }

    /// Makes room for `words` in a queue that the host does not read.
    fn make_room(&mut self, words: u8) -> Result<(), DsiError> {
        if self.queued + words > QUEUE_WORDS {
            self.flush()?;
        }
        if self.queued > 0 {
            return Ok(());
        }
        if self.framing {
            return self.await_frame();
        }
        self.await_idle(IDLE_LIMIT)
    }

    /// Appends a word. The caller has made room.
    pub(super) fn push(&mut self, word: u32) {
        if let Some(register) = self.regs.queue.get(usize::from(self.queued)) {
            register.put(word);
            self.queued += 1;
        }
    }

    /// Lets the host send the queue.
    pub(super) fn start_queue(&mut self) {
        let regs = self.regs;
        regs.int_status.put(0);
        regs.queue_size.put(u32::from(self.queued));
        self.forget_queue();
        regs.start.put(0);
        regs.start.put(DSI_START);
    }

    /// Waits for the host to be done; one that is not is reset.
    pub(super) fn await_idle(&mut self, limit: Micros) -> Result<(), DsiError> {
        if poll(limit, || !self.is_busy()).is_ok() {
            return Ok(());
        }
        self.reset_host();
        Err(DsiError::Busy)
    }
}

/// HSA_WC, HBP_WC, HFP_WC and BLLP_WC.
fn horizontal(link: &LinkConfig) -> [u32; 4] {
    if link.mode == LinkMode::Command {
        return [0; 4];
    }
    let porches = link.horizontal;
    let bytes = |pixels: u32, overhead| (pixels * link.format.bytes()).saturating_sub(overhead);
    // Without an end of the sync there is one blanking packet before the line.
    let back = match link.mode {
        LinkMode::SyncEvent => u32::from(porches.back) + u32::from(porches.sync),
        _ => u32::from(porches.back),
    };
    [
        bytes(u32::from(porches.sync), SYNC_OVERHEAD),
        bytes(back, SYNC_OVERHEAD),
        bytes(u32::from(porches.front), FRONT_OVERHEAD),
        0,
    ]
}

/// Packets from 9 up in the low half of their type have a payload.
pub(super) const fn is_long(data_type: u8) -> bool {
    data_type & 0xf >= 9
}

/// Whether a payload fits the packet's kind.
pub(super) const fn check_length(data_type: u8, len: usize, long: usize) -> Result<(), DsiError> {
    let most = if is_long(data_type) { long } else { 2 };
    if len > most {
        return Err(DsiError::TooLong);
    }
    Ok(())
}

/// Up to four bytes, the first lowest.
pub(super) fn little_endian(bytes: &[u8]) -> u32 {
    let shifts = (0..u32::BITS).step_by(8);
    bytes
        .iter()
        .zip(shifts)
        .fold(0, |word, (&byte, shift)| word | u32::from(byte) << shift)
}

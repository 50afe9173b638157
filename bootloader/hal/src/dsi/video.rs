//! Pixels: video that runs by itself, frames of command mode, and packets
//! between frames of video.
//!
//! Source: facts/display.md 3.3, 3.4 and 9.1.

use super::host::{Dsi, check_length, is_long, little_endian};
use super::registers::{
    DSI_START, FRAME, HS_TX_EN, Instruction, VM_CMD_DONE, VM_CMD_START, VM_DONE, VmCommand,
};
use super::{DsiError, LinkMode, MAX_VIDEO_PAYLOAD};
use crate::reg::{Update, Write};
use crate::time::{Micros, idle};

/// For video to end with its frame, and for a packet between frames: several
/// frames of the slowest panel.
const VIDEO_LIMIT: Micros = Micros::from_ms(100);
/// A frame in command mode: 320 x 480 on one lane at 50 Mbit/s takes 74 ms.
const FRAME_LIMIT: Micros = Micros::from_ms(200);

const DCS_LONG_WRITE: u8 = 0x39;
const SET_COLUMN_ADDRESS: u8 = 0x2a;
const SET_PAGE_ADDRESS: u8 = 0x2b;
const WRITE_MEMORY_START: u8 = 0x2c;

impl Dsi {
    /// Starts the stream, which runs until [`Dsi::stop_video`].
    ///
    /// # Errors
    ///
    /// [`DsiError::Mode`] for a panel in command mode; [`DsiError::Busy`] when
    /// what waited in the queue could not be sent.
    pub fn start_video(&mut self) -> Result<(), DsiError> {
        if self.mode == LinkMode::Command {
            return Err(DsiError::Mode);
        }
        if self.running {
            return Ok(());
        }
        self.flush()?;
        self.reset_host();
        let regs = self.regs;
        regs.int_status.put(0);
        regs.mode_ctrl.put(self.mode.code());
        regs.clock_lane.update(|value| value | HS_TX_EN);
        regs.start.put(0);
        regs.start.put(DSI_START);
        self.running = true;
        Ok(())
    }

    /// Ends the stream with its current frame, and goes back to LP.
    ///
    /// # Errors
    ///
    /// [`DsiError::Busy`]: it did not end and was cut off.
    pub fn stop_video(&mut self) -> Result<(), DsiError> {
        if !self.running {
            return Ok(());
        }
        let regs = self.regs;
        regs.int_status.put(!VM_DONE);
        regs.mode_ctrl.put(LinkMode::Command.code());
        let ended = idle(VIDEO_LIMIT, || regs.int_status.read() & VM_DONE != 0);
        regs.int_status.put(!VM_DONE);
        regs.start.put(0);
        self.reset_host();
        regs.clock_lane.update(|value| value & !HS_TX_EN);
        self.running = false;
        ended.map_err(|_| DsiError::Busy)
    }

    /// Whether video is on the lanes.
    pub fn is_running(&self) -> bool {
        self.running
    }

    /// Sends one packet in the vertical front porch of running video.
    ///
    /// # Errors
    ///
    /// [`DsiError::Mode`] when none runs; [`DsiError::TooLong`] beyond
    /// [`MAX_VIDEO_PAYLOAD`]; [`DsiError::Busy`] when it was not sent.
    pub fn vm_command(&mut self, data_type: u8, payload: &[u8]) -> Result<(), DsiError> {
        if !self.running {
            return Err(DsiError::Mode);
        }
        check_length(data_type, payload.len(), MAX_VIDEO_PAYLOAD)?;
        let regs = self.regs;
        let command = VmCommand::DEFAULT
            .with_enable(true)
            .with_in_front_porch(true)
            .with_data_type(data_type);
        let command = if is_long(data_type) {
            for (register, bytes) in regs.vm_data.iter().zip(payload.chunks(4)) {
                register.put(little_endian(bytes));
            }
            command.with_long(true).with_data0(payload.len() as u8)
        } else {
            let byte = |index| payload.get(index).copied().unwrap_or(0);
            command.with_data0(byte(0)).with_data1(byte(1))
        };
        regs.vm_command.put(command.raw_value());
        regs.int_status.put(!VM_CMD_DONE);
        // The stream's own bit stays: each acts on its rising edge.
        regs.start.update(|value| value & !VM_CMD_START);
        regs.start.update(|value| value | VM_CMD_START);
        let sent = idle(VIDEO_LIMIT, || regs.int_status.read() & VM_CMD_DONE != 0);
        regs.start.update(|value| value & !VM_CMD_START);
        sent.map_err(|_| DsiError::Busy)
    }

    /// Starts sending a whole frame from the display path into the panel's
    /// memory: window, then pixels in HS. [`Dsi::is_busy`] says when it is
    /// over.
    ///
    /// # Errors
    ///
    /// [`DsiError::Mode`] for a video panel; [`DsiError::Busy`] when the host
    /// was not free.
    pub fn start_frame(&mut self) -> Result<(), DsiError> {
        if self.mode != LinkMode::Command {
            return Err(DsiError::Mode);
        }
        let (width, height) = self.size;
        self.flush()?;
        self.regs.clock_lane.update(|value| value | HS_TX_EN);
        self.queue(DCS_LONG_WRITE, &window(SET_COLUMN_ADDRESS, width))?;
        self.queue(DCS_LONG_WRITE, &window(SET_PAGE_ADDRESS, height))?;
        let pixels = Instruction::DEFAULT
            .with_kind(FRAME)
            .with_high_speed(true)
            .with_data_type(DCS_LONG_WRITE)
            .with_data0(WRITE_MEMORY_START);
        self.push(pixels.raw_value());
        self.start_queue();
        self.framing = true;
        Ok(())
    }

    /// Sends a whole frame and waits for its end.
    ///
    /// # Errors
    ///
    /// Those of [`Dsi::start_frame`]; [`DsiError::Busy`] when the frame did
    /// not end.
    pub fn frame(&mut self) -> Result<(), DsiError> {
        self.start_frame()?;
        self.await_frame()
    }

    /// Waits for a frame that was started.
    pub(super) fn await_frame(&mut self) -> Result<(), DsiError> {
        self.framing = false;
        if idle(FRAME_LIMIT, || !self.is_busy()).is_ok() {
            return Ok(());
        }
        self.reset_host();
        Err(DsiError::Busy)
    }
}

/// A window command from 0 to the end of a side.
const fn window(command: u8, size: u16) -> [u8; 5] {
    let [high, low] = size.saturating_sub(1).to_be_bytes();
    [command, 0, 0, high, low]
}

//! UART: a 16550 with MediaTek's extensions. UART0 (0x11005000) is the
//! kernel's ttyMT0, UART1 (0x11006000) ttyMT1.
//!
//! Characters reach the host at once, while THRE and TEMT follow the
//! programmed baud rate, so that logging costs the time that it costs on the
//! phone. Nothing leaves while the TX pin is not muxed to the UART, or while
//! ESCAPE_EN is left set without software flow control: both are what a loader
//! finds after the preloader has lent the pads to the modem. Automatic flow
//! control, auto-baud and the DMA FIFO (VFIFO_EN) keep their registers only.
//! Source: facts/soc.md 4 and 1.7; registers above +50 are not in the facts
//! and are there because mainline Linux writes them on all chips alike.

mod line;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use self::line::{FIFO_DEPTH, Format, Transmitter};
use super::registers::{Register, RegisterFile, check_width, masked, read_only, ro};
use crate::bus::{Block, Context, GuestError, Nanos, Reset, Size};

/// Offsets. Some have two or three meanings, chosen by LCR.
mod offset {
    pub const DATA: u32 = 0x00;
    pub const IER: u32 = 0x04;
    pub const IIR_FCR: u32 = 0x08;
    pub const LCR: u32 = 0x0c;
    pub const MCR: u32 = 0x10;
    pub const LSR: u32 = 0x14;
    pub const MSR: u32 = 0x18;
    pub const SCR: u32 = 0x1c;
    pub const HIGHSPEED: u32 = 0x24;
    pub const SAMPLE_COUNT: u32 = 0x28;
    pub const ESCAPE_DAT: u32 = 0x40;
    pub const ESCAPE_EN: u32 = 0x44;
}

const IER_RX: u8 = 1 << 0;
const IER_THRE: u8 = 1 << 1;
const IER_LINE: u8 = 1 << 2;
const IER_MODEM: u8 = 1 << 3;

const FCR_ENABLE: u8 = 1 << 0;
const FCR_CLEAR_RX: u8 = 1 << 1;
const FCR_CLEAR_TX: u8 = 1 << 2;

const LCR_DLAB: u8 = 1 << 7;
/// LCR value that shows EFR, XON and XOFF.
const LCR_ENHANCED: u8 = 0xbf;

const MCR_LOOP: u8 = 1 << 4;

const LSR_DR: u8 = 1 << 0;
const LSR_OE: u8 = 1 << 1;
const LSR_THRE: u8 = 1 << 5;
const LSR_TEMT: u8 = 1 << 6;

/// EFR bits 3:0: software flow control.
const EFR_SW_FLOW: u8 = 0x0f;
const EFR_ENHANCED: u8 = 1 << 4;

/// CTS, DSR and DCD as if the other end were always ready.
const MSR_CONNECTED: u8 = 0xb0;

const IIR_NONE: u8 = 0x01;
const IIR_MODEM: u8 = 0x00;
const IIR_THRE: u8 = 0x02;
const IIR_RX: u8 = 0x04;
const IIR_LINE: u8 = 0x06;
const IIR_TIMEOUT: u8 = 0x0c;
const IIR_FIFOS: u8 = 0xc0;

/// Registers that LCR does not bank. All are 8 bits wide.
static EXTENSIONS: [Register; 22] = [
    masked(0x20, "AUTOBAUD_EN", 0, 0xff),
    masked(offset::HIGHSPEED, "HIGHSPEED", 0, 0x03),
    masked(offset::SAMPLE_COUNT, "SAMPLE_COUNT", 0, 0xff),
    masked(0x2c, "SAMPLE_POINT", 0xff, 0xff),
    ro(0x30, "AUTOBAUD_REG", 0),
    masked(0x34, "RATE_FIX_AD", 0, 0xff),
    masked(0x38, "AUTOBAUD_SAMPLE", 0x0d, 0xff),
    masked(0x3c, "GUARD", 0x0f, 0xff),
    masked(offset::ESCAPE_DAT, "ESCAPE_DAT", 0xff, 0xff),
    masked(offset::ESCAPE_EN, "ESCAPE_EN", 0, 0x01),
    masked(0x48, "SLEEP_EN", 0, 0xff),
    masked(0x4c, "VFIFO_EN", 0, 0xff),
    masked(0x50, "RXTRI_AD", 0, 0xff),
    masked(0x54, "FRACDIV_L", 0, 0xff),
    masked(0x58, "FRACDIV_M", 0, 0xff),
    masked(0x60, "DEBUG0", 0, 0xff),
    masked(0x98, "EFR (second address)", 0, 0xff),
    masked(0x9c, "FEATURE_SEL", 0, 0xff),
    masked(0xa0, "XON1 (second address)", 0, 0xff),
    masked(0xa4, "XON2 (second address)", 0, 0xff),
    masked(0xa8, "XOFF1 (second address)", 0, 0xff),
    masked(0xac, "XOFF2 (second address)", 0, 0xff),
];

/// What distinguishes the two ports.
struct Port {
    name: &'static str,
    spi: u8,
    tx_pin: u8,
    rx_pin: u8,
    /// Bit of CLK_MUX_SEL: 0 = 26 MHz, 1 = 52 MHz.
    mux_bit: u8,
    /// Clock gate in CG1.
    gate: u8,
}

static PORTS: [Port; 2] = [
    Port {
        name: "UART0",
        spi: 31,
        tx_pin: 104,
        rx_pin: 103,
        mux_bit: 0,
        gate: 10,
    },
    Port {
        name: "UART1",
        spi: 32,
        tx_pin: 102,
        rx_pin: 101,
        mux_bit: 19,
        gate: 11,
    },
];
/// Mode in which those pins belong to the UART.
const UART_MODE: u8 = 1;

/// Why what is sent does not leave the phone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mute {
    Pin(u8),
    Escape,
}

/// One port.
pub struct Uart {
    index: u8,
    ier: u8,
    fcr: u8,
    lcr: u8,
    mcr: u8,
    scr: u8,
    efr: u8,
    divisor: u16,
    /// XON1, XON2, XOFF1, XOFF2.
    flow_chars: [u8; 4],
    extensions: RegisterFile,
    rx: VecDeque<u8>,
    overrun: bool,
    /// Last arrival in or read from the receive FIFO.
    rx_active: Nanos,
    rx_timed_out: bool,
    tx: Transmitter,
    /// The transmit FIFO will run empty and has not been told of.
    thre_armed: bool,
    thre_pending: bool,
    modem_changes: u8,
    /// Time of a character with the present settings and clock.
    frame: Nanos,
    muted: Option<Mute>,
    /// The transmitter never moves (a fault of the board).
    stuck: bool,
}

impl Uart {
    /// Port 0 (0x11005000) or 1 (0x11006000); any other number is taken as 1.
    pub fn new(index: u8) -> Self {
        let index = index.min(1);
        Uart {
            index,
            ier: 0,
            fcr: 0,
            lcr: 0,
            mcr: 0,
            scr: 0,
            efr: 0,
            divisor: 1,
            flow_chars: [0; 4],
            extensions: RegisterFile::new(PORTS[usize::from(index)].name, &EXTENSIONS),
            rx: VecDeque::new(),
            overrun: false,
            rx_active: 0,
            rx_timed_out: false,
            tx: Transmitter::default(),
            thre_armed: false,
            thre_pending: false,
            modem_changes: 0,
            frame: 0,
            muted: None,
            stuck: false,
        }
    }

    /// The same with a transmitter that never moves, if `stuck`.
    #[must_use]
    pub fn stuck(mut self, stuck: bool) -> Self {
        self.stuck = stuck;
        self
    }

    fn port(&self) -> &'static Port {
        &PORTS[usize::from(self.index)]
    }

    fn fifo(&self) -> bool {
        self.fcr & FCR_ENABLE != 0
    }

    fn rx_depth(&self) -> usize {
        if self.fifo() { FIFO_DEPTH } else { 1 }
    }

    fn rx_trigger(&self) -> usize {
        if self.fifo() {
            [1, 4, 8, 14][usize::from(self.fcr >> 6)]
        } else {
            1
        }
    }

    /// When the receive FIFO has been left alone for four characters.
    fn rx_timeout_at(&self) -> Option<Nanos> {
        (self.fifo() && !self.rx.is_empty()).then(|| self.rx_active + 4 * self.frame)
    }

    /// Brings everything that depends on time and clock up to date.
    fn settle(&mut self, cx: &mut Context<'_>) {
        let fast = cx.signals.clk_mux_sel >> self.port().mux_bit & 1 != 0;
        self.frame = Format {
            clock_hz: if fast { 52_000_000 } else { 26_000_000 },
            highspeed: self.extensions.get(offset::HIGHSPEED),
            sample_count: self.extensions.get(offset::SAMPLE_COUNT),
            divisor: self.divisor,
            lcr: self.lcr,
        }
        .frame();
        if self.thre_armed && self.tx.holding_empty(cx.now, self.frame) {
            self.thre_armed = false;
            self.thre_pending = true;
        }
        self.rx_timed_out |= self.rx_timeout_at().is_some_and(|at| at <= cx.now);
    }

    /// The most urgent interrupt as IIR [3:0] says it.
    fn interrupt(&self) -> u8 {
        if self.ier & IER_LINE != 0 && self.overrun {
            IIR_LINE
        } else if self.ier & IER_RX != 0 && self.rx.len() >= self.rx_trigger() {
            IIR_RX
        } else if self.ier & IER_RX != 0 && self.rx_timed_out {
            IIR_TIMEOUT
        } else if self.ier & IER_THRE != 0 && self.thre_pending {
            IIR_THRE
        } else if self.ier & IER_MODEM != 0 && self.modem_changes != 0 {
            IIR_MODEM
        } else {
            IIR_NONE
        }
    }

    fn drive(&self, cx: &mut Context<'_>) {
        cx.irq.set(self.port().spi, self.interrupt() != IIR_NONE);
    }

    fn msr(&self) -> u8 {
        if self.mcr & MCR_LOOP == 0 {
            return MSR_CONNECTED;
        }
        // RTS, DTR, OUT1, OUT2 come back as CTS, DSR, RI, DCD.
        (self.mcr & 1) << 5 | (self.mcr & 2) << 3 | (self.mcr & 0xc) << 4
    }

    fn push_rx(&mut self, byte: u8, cx: &mut Context<'_>) {
        if self.rx.len() >= self.rx_depth() {
            self.overrun = true;
            return;
        }
        self.rx.push_back(byte);
        self.rx_active = cx.now;
        self.rx_timed_out = false;
    }

    fn transmit(&mut self, byte: u8, cx: &mut Context<'_>) {
        if self.stuck {
            return;
        }
        let looped = self.mcr & MCR_LOOP != 0;
        if self.tx.full(cx.now, self.frame, self.fifo()) {
            // In loop-back this is how drivers measure the FIFO's depth.
            if !looped {
                let text = "character written while the transmit FIFO is full; it is lost";
                cx.report(GuestError::Refused, self.port().name, offset::DATA, text);
            }
            return;
        }
        self.tx.push(cx.now, self.frame);
        self.thre_pending = false;
        self.thre_armed = true;
        if looped {
            self.push_rx(byte, cx);
        } else if self.leaves(cx) {
            self.emit(byte, cx);
        }
    }

    /// Whether characters reach the pin; says so once when they do not.
    fn leaves(&mut self, cx: &mut Context<'_>) -> bool {
        let port = self.port();
        let mode = cx.signals.pin_mode[usize::from(port.tx_pin)];
        let escape = self.extensions.get(offset::ESCAPE_EN) != 0 && self.efr & EFR_SW_FLOW == 0;
        let mute = if mode == UART_MODE {
            escape.then_some(Mute::Escape)
        } else {
            Some(Mute::Pin(mode))
        };
        if mute != self.muted {
            match mute {
                Some(Mute::Pin(mode)) => cx.log.push(format!(
                    "{}: pin {} is in mode {mode}, not {UART_MODE}: what is sent does not leave the phone",
                    port.name, port.tx_pin
                )),
                Some(Mute::Escape) => {
                    cx.log.push(format!("{}: ESCAPE_EN is set: what is sent does not leave the phone", port.name));
                }
                None => {}
            }
            self.muted = mute;
        }
        mute.is_none()
    }

    /// Sends one character; with software flow control those that mean
    /// XON, XOFF or escape are escaped.
    fn emit(&self, byte: u8, cx: &mut Context<'_>) {
        let escape = self.extensions.get(offset::ESCAPE_DAT) as u8;
        let special = byte == escape || byte == self.flow_chars[0] || byte == self.flow_chars[2];
        if special && self.extensions.get(offset::ESCAPE_EN) != 0 {
            cx.serial.push((self.index, escape));
            cx.serial.push((self.index, !byte));
        } else {
            cx.serial.push((self.index, byte));
        }
    }

    fn read_data(&mut self, cx: &mut Context<'_>) -> u8 {
        self.rx_active = cx.now;
        self.rx_timed_out = false;
        self.rx.pop_front().unwrap_or(0)
    }

    fn read_iir(&mut self) -> u8 {
        let source = self.interrupt();
        if source == IIR_THRE {
            self.thre_pending = false;
        }
        source | if self.fifo() { IIR_FIFOS } else { 0 }
    }

    fn read_lsr(&mut self, cx: &Context<'_>) -> u8 {
        let mut value = 0;
        if !self.rx.is_empty() {
            value |= LSR_DR;
        }
        if std::mem::take(&mut self.overrun) {
            value |= LSR_OE;
        }
        if self.tx.holding_empty(cx.now, self.frame) && !self.stuck {
            value |= LSR_THRE;
        }
        if self.tx.idle(cx.now) && !self.stuck {
            value |= LSR_TEMT;
        }
        value
    }

    fn write_ier(&mut self, value: u8, cx: &Context<'_>) {
        let allowed = if self.efr & EFR_ENHANCED != 0 {
            0xff
        } else {
            0x0f
        };
        let value = value & allowed;
        // Asking for THRE while the FIFO is empty is answered at once.
        let asks = value & !self.ier & IER_THRE != 0;
        if asks && self.tx.holding_empty(cx.now, self.frame) {
            self.thre_pending = true;
            self.thre_armed = false;
        }
        self.ier = value;
    }

    fn write_fcr(&mut self, value: u8, cx: &Context<'_>) {
        let switched = (value ^ self.fcr) & FCR_ENABLE != 0;
        if switched || value & FCR_CLEAR_RX != 0 {
            self.rx.clear();
            self.rx_timed_out = false;
        }
        if switched || value & FCR_CLEAR_TX != 0 {
            self.tx.clear(cx.now, self.frame);
        }
        self.fcr = value & !(FCR_CLEAR_RX | FCR_CLEAR_TX);
    }

    fn write_mcr(&mut self, value: u8) {
        let before = self.msr();
        self.mcr = value;
        let after = self.msr();
        // RI counts when it ends, the others at every change.
        let changed = (before ^ after) & 0xb0 | before & !after & 0x40;
        self.modem_changes |= changed >> 4;
    }

    /// The banked part of the register map, +00 to +1C.
    fn read_banked(&mut self, offset: u32, cx: &mut Context<'_>) -> u8 {
        let latch = self.lcr & LCR_DLAB != 0;
        let enhanced = self.lcr == LCR_ENHANCED;
        match offset {
            offset::DATA if latch => self.divisor as u8,
            offset::DATA => self.read_data(cx),
            offset::IER if latch => (self.divisor >> 8) as u8,
            offset::IER => self.ier,
            offset::IIR_FCR if enhanced => self.efr,
            offset::IIR_FCR => self.read_iir(),
            offset::LCR => self.lcr,
            _ if enhanced => self.flow_chars[(offset - offset::MCR) as usize / 4],
            offset::MCR => self.mcr,
            offset::LSR => self.read_lsr(cx),
            offset::MSR => self.msr() | std::mem::take(&mut self.modem_changes),
            _ => self.scr,
        }
    }

    fn write_banked(&mut self, offset: u32, value: u8, cx: &mut Context<'_>) {
        let latch = self.lcr & LCR_DLAB != 0;
        let enhanced = self.lcr == LCR_ENHANCED;
        match offset {
            offset::DATA if latch => self.divisor = self.divisor & 0xff00 | u16::from(value),
            offset::DATA => self.transmit(value, cx),
            offset::IER if latch => self.divisor = self.divisor & 0x00ff | u16::from(value) << 8,
            offset::IER => self.write_ier(value, cx),
            offset::IIR_FCR if enhanced => self.efr = value,
            offset::IIR_FCR => self.write_fcr(value, cx),
            offset::LCR => self.lcr = value,
            _ if enhanced => self.flow_chars[(offset - offset::MCR) as usize / 4] = value,
            offset::MCR => self.write_mcr(value),
            offset::LSR => read_only(self.port().name, offset, "LSR", cx),
            offset::MSR => read_only(self.port().name, offset, "MSR", cx),
            _ => self.scr = value,
        }
    }
}

impl Block for Uart {
    fn name(&self) -> &'static str {
        self.port().name
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        if !check_width(self.port().name, offset, size, &[1, 2, 4], cx) {
            return 0;
        }
        self.settle(cx);
        let value = if offset <= offset::SCR {
            self.read_banked(offset, cx).into()
        } else {
            self.extensions.read(offset, cx)
        };
        self.drive(cx);
        value
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        if !check_width(self.port().name, offset, size, &[1, 2, 4], cx) {
            return;
        }
        self.settle(cx);
        if offset <= offset::SCR {
            self.write_banked(offset, value as u8, cx);
        } else {
            self.extensions.write(offset, value, cx);
        }
        self.settle(cx);
        self.drive(cx);
    }

    fn reset(&mut self, _kind: Reset, cx: &mut Context<'_>) {
        *self = Self::new(self.index);
        self.settle(cx);
        self.drive(cx);
    }

    fn deadline(&self) -> Option<Nanos> {
        let thre = (self.thre_armed && self.ier & IER_THRE != 0)
            .then(|| self.tx.holding_empty_at(self.frame));
        let waiting =
            self.ier & IER_RX != 0 && !self.rx_timed_out && self.rx.len() < self.rx_trigger();
        let timeout = if waiting { self.rx_timeout_at() } else { None };
        thre.into_iter().chain(timeout).min()
    }

    fn tick(&mut self, cx: &mut Context<'_>) {
        self.settle(cx);
        self.drive(cx);
    }

    fn receive_room(&self) -> usize {
        self.rx_depth().saturating_sub(self.rx.len())
    }

    fn receive(&mut self, byte: u8, cx: &mut Context<'_>) {
        let port = self.port();
        let muxed = cx.signals.pin_mode[usize::from(port.rx_pin)] == UART_MODE;
        let listening = muxed && cx.signals.cg1_open(port.gate);
        if listening && self.mcr & MCR_LOOP == 0 {
            self.settle(cx);
            self.push_rx(byte, cx);
            self.settle(cx);
            self.drive(cx);
        }
    }
}

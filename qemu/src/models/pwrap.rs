//! The PMIC wrapper: the SPI master through which the SoC reaches the MT6323.
//!
//! Software uses one of three windows (WACS0..2), each with a small state
//! machine that shows in WACSn_RDATA. A read takes the time of two SPI frames.
//! The link itself is modelled as far as set-up can get it wrong: single or
//! dual data lines, cipher, read dummy and strobe must agree on both ends or
//! reads return noise. Source: facts/soc.md 10.1 to 10.3.

use super::mt6323::Mt6323;
use crate::bus::{Block, Context, GuestError, Nanos, Reset, Size};

const NAME: &str = "PWRAP";
const SPI: u8 = 88;

const MUX_SEL: u32 = 0x000;
const WRAP_EN: u32 = 0x004;
const DIO_EN: u32 = 0x008;
const SIDLY: u32 = 0x00C;
const RDDMY: u32 = 0x018;
const SI_CK_CON: u32 = 0x01C;
const STAUPD_STA: u32 = 0x03C;
const WRAP_STA: u32 = 0x044;
const ARB_EN: u32 = 0x050;
const ARB_STA0: u32 = 0x054;
const ARB_STA1: u32 = 0x058;
const MAN_EN: u32 = 0x05C;
const MAN_CMD: u32 = 0x060;
const MAN_RDATA: u32 = 0x064;
const WINDOWS: [u32; 3] = [0x06C, 0x080, 0x094];
const INT_EN: u32 = 0x0A8;
const INT_FLG_RAW: u32 = 0x0AC;
const INT_FLG: u32 = 0x0B0;
const INT_CLR: u32 = 0x0B4;
const SIG_ERRVAL: u32 = 0x0C4;
const TIMER_STA: u32 = 0x0D0;
const WDT_FLG: u32 = 0x0DC;
const CIPHER_RDY: u32 = 0x130;
const CIPHER_EN: u32 = 0x12C;
const CIPHER_MODE: u32 = 0x134;
const LAST: u32 = 0x154;
const SWRST: u32 = 0x180;
const DEBUG_SEL: u32 = 0x190;

const WRAP_MAN_OUTS: u32 = 8;
const RDDMY_MASK: u32 = 0xF;
/// RDDMY with which a slave that was just reset is understood.
const RDDMY_RESET: u32 = 0xF;

// Frame of 16 + 16 bits on two lines at 26 MHz, plus chip-select gaps.
const WRITE_TIME: Nanos = 900;
const READ_TIME: Nanos = 1_500;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fsm {
    Idle,
    /// On the wire until the given time; then idle (write) or valid (read).
    Busy {
        until: Nanos,
        read: bool,
    },
    Valid,
}

#[derive(Clone, Copy)]
struct Window {
    enabled: bool,
    init_done: bool,
    fsm: Fsm,
    data: u16,
}

const CLOSED: Window = Window {
    enabled: false,
    init_done: false,
    fsm: Fsm::Idle,
    data: 0,
};

/// PWRAP at 0x1000F000 with the MT6323 behind it.
pub struct Pwrap {
    regs: Vec<u32>,
    windows: [Window; 3],
    /// OUTS frames seen in manual mode since the last chip select: the slave's
    /// SPI engine resets after four.
    manual_outs: u8,
    int_flags: u32,
    /// The chip behind the wrapper.
    pub pmic: Mt6323,
    now: Nanos,
}

impl Pwrap {
    /// A wrapper after power-on, with `pmic` behind it.
    pub fn new(pmic: Mt6323) -> Self {
        Pwrap {
            regs: vec![0; 0x200 / 4],
            windows: [CLOSED; 3],
            manual_outs: 0,
            int_flags: 0,
            pmic,
            now: 0,
        }
    }

    /// The state after the preloader's initialisation (facts/soc.md 10.3).
    pub fn leave_as_preloader(&mut self, cx: &mut Context<'_>) {
        for (register, value) in [
            (WRAP_EN, 1),
            (DIO_EN, 1),
            (RDDMY, 8),
            (SI_CK_CON, 1),
            (ARB_EN, 0x1FF),
            (CIPHER_EN, 1),
            (CIPHER_MODE, 1),
            (INT_EN, 0x7FFF_FFFD),
        ] {
            self.set(register, value);
        }
        self.windows = [Window {
            enabled: true,
            init_done: true,
            ..CLOSED
        }; 3];
        self.pmic.leave_as_preloader(cx);
    }

    fn get(&self, register: u32) -> u32 {
        self.regs[(register / 4) as usize]
    }

    fn set(&mut self, register: u32, value: u32) {
        self.regs[(register / 4) as usize] = value;
    }

    /// What comes back can be understood: both ends also count the same number
    /// of dummy cycles before it.
    fn reads_agree(&self) -> bool {
        self.link_agrees() && self.get(RDDMY) & RDDMY_MASK == self.pmic.dummy_cycles()
    }

    fn link_agrees(&self) -> bool {
        let strobe = (self.get(SI_CK_CON) & 7) << 2 | (3 - (self.get(SIDLY) & 3));
        self.get(WRAP_EN) & 1 != 0
            && self.get(MUX_SEL) & 1 == 0
            && (self.get(DIO_EN) & 1 != 0) == self.pmic.dual_io()
            && (self.get(CIPHER_MODE) & 1 != 0) == self.pmic.ciphered()
            && (3..=13).contains(&strobe)
    }

    /// The wrapper alone: the PMIC and its RTC do not notice.
    fn reset_wrapper(&mut self) {
        self.regs.fill(0);
        self.set(RDDMY, RDDMY_RESET);
        self.windows = [CLOSED; 3];
        self.int_flags = 0;
    }

    /// Moves a window's state machine to the present.
    fn settle(window: &mut Window, now: Nanos) {
        if let Fsm::Busy { until, read } = window.fsm
            && now >= until
        {
            window.fsm = if read { Fsm::Valid } else { Fsm::Idle };
        }
    }

    fn command(&mut self, n: usize, command: u32, cx: &mut Context<'_>) {
        let offset = WINDOWS[n] + 8;
        let window = &mut self.windows[n];
        Self::settle(window, cx.now);
        if !window.enabled
            || !window.init_done
            || self.regs[(ARB_EN / 4) as usize] >> (n + 1) & 1 == 0
        {
            cx.report(
                GuestError::Refused,
                NAME,
                offset,
                format!("WACS{n} command before the window is set up"),
            );
            return;
        }
        if window.fsm != Fsm::Idle {
            let state = window.fsm;
            cx.report(
                GuestError::Refused,
                NAME,
                offset,
                format!("WACS{n} command while the window is {state:?}"),
            );
            return;
        }
        let address = (command >> 16 & 0x7FFF) as u16 * 2;
        if command >> 31 != 0 {
            window.fsm = Fsm::Busy {
                until: cx.now + WRITE_TIME,
                read: false,
            };
            if self.link_agrees() {
                self.pmic.write(address, command as u16, cx);
            }
        } else {
            window.fsm = Fsm::Busy {
                until: cx.now + READ_TIME,
                read: true,
            };
            let data = if self.reads_agree() {
                self.pmic.read(address, cx)
            } else {
                0xDEAD
            };
            self.windows[n].data = data;
        }
    }

    fn rdata(&mut self, n: usize, now: Nanos) -> u32 {
        let window = &mut self.windows[n];
        Self::settle(window, now);
        let fsm = match window.fsm {
            Fsm::Idle => 0,
            Fsm::Busy { read: false, .. } => 2,
            Fsm::Busy { read: true, .. } => 4,
            Fsm::Valid => 6,
        };
        let data = if window.fsm == Fsm::Valid {
            window.data
        } else {
            0
        };
        u32::from(data) | fsm << 16 | 1 << 20 | u32::from(window.init_done) << 21
    }

    /// The window and its register (0 EN, 1 INIT_DONE, 2 CMD, 3 RDATA,
    /// 4 VLDCLR) at `offset`. WACS0 has INIT_DONE at +4, WACS1 and WACS2 too.
    fn window_register(offset: u32) -> Option<(usize, u32)> {
        WINDOWS
            .iter()
            .position(|&base| (base..base + 0x14).contains(&offset))
            .map(|n| (n, (offset - WINDOWS[n]) / 4))
    }

    fn write_window(&mut self, n: usize, register: u32, value: u32, cx: &mut Context<'_>) {
        match register {
            0 => self.windows[n].enabled = value & 1 != 0,
            1 => self.windows[n].init_done = value & 1 != 0,
            2 => self.command(n, value, cx),
            4 => {
                Self::settle(&mut self.windows[n], cx.now);
                if value & 1 != 0 && self.windows[n].fsm == Fsm::Valid {
                    self.windows[n].fsm = Fsm::Idle;
                }
            }
            _ => cx.report(
                GuestError::BadValue,
                NAME,
                WINDOWS[n] + 4 * register,
                "write to a read-only register",
            ),
        }
    }

    fn manual(&mut self, command: u32) {
        if self.get(MAN_EN) & 1 == 0 {
            return;
        }
        match command >> 8 & 0x1F {
            WRAP_MAN_OUTS => {
                self.manual_outs += 1;
                if self.manual_outs == 4 {
                    self.pmic.reset_link();
                }
            }
            _ => self.manual_outs = 0,
        }
    }

    fn drive_irq(&mut self, cx: &mut Context<'_>) {
        cx.irq.set(SPI, self.int_flags & self.get(INT_EN) != 0);
    }
}

impl Block for Pwrap {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read(&mut self, offset: u32, size: Size, cx: &mut Context<'_>) -> u32 {
        self.now = cx.now;
        if size != 4 {
            cx.report(
                GuestError::AccessSize,
                NAME,
                offset,
                "PWRAP registers are 32 bits wide",
            );
        }
        if let Some((n, register)) = Self::window_register(offset) {
            return match register {
                0 => u32::from(self.windows[n].enabled),
                1 => u32::from(self.windows[n].init_done),
                3 => self.rdata(n, cx.now),
                _ => 0,
            };
        }
        match offset {
            CIPHER_RDY => self.get(CIPHER_EN) & 1,
            INT_FLG_RAW => self.int_flags,
            INT_FLG => self.int_flags & self.get(INT_EN),
            STAUPD_STA | WRAP_STA | ARB_STA0 | ARB_STA1 | MAN_RDATA | SIG_ERRVAL | TIMER_STA
            | WDT_FLG => 0,
            _ if offset.is_multiple_of(4)
                && (offset <= LAST || matches!(offset, SWRST | DEBUG_SEL)) =>
            {
                self.get(offset)
            }
            _ => cx.unknown_register(NAME, offset, false),
        }
    }

    fn write(&mut self, offset: u32, size: Size, value: u32, cx: &mut Context<'_>) {
        self.now = cx.now;
        if size != 4 {
            cx.report(
                GuestError::AccessSize,
                NAME,
                offset,
                "PWRAP registers are 32 bits wide",
            );
        }
        if let Some((n, register)) = Self::window_register(offset) {
            self.write_window(n, register, value, cx);
            return;
        }
        match offset {
            SWRST if value & 1 != 0 => {
                self.reset_wrapper();
                self.set(SWRST, 1);
            }
            MAN_CMD => self.manual(value),
            INT_CLR => self.int_flags &= !value,
            STAUPD_STA | WRAP_STA | ARB_STA0 | ARB_STA1 | MAN_RDATA | INT_FLG | INT_FLG_RAW
            | CIPHER_RDY | TIMER_STA => {
                cx.report(
                    GuestError::BadValue,
                    NAME,
                    offset,
                    "write to a read-only register",
                );
            }
            _ if offset.is_multiple_of(4)
                && (offset <= LAST || matches!(offset, SWRST | DEBUG_SEL)) =>
            {
                self.set(offset, value);
            }
            _ => {
                cx.unknown_register(NAME, offset, true);
            }
        }
        self.drive_irq(cx);
    }

    fn reset(&mut self, kind: Reset, cx: &mut Context<'_>) {
        self.reset_wrapper();
        self.pmic.reset(kind, cx);
        self.drive_irq(cx);
    }

    fn deadline(&self) -> Option<Nanos> {
        self.pmic.deadline(self.now)
    }

    fn tick(&mut self, cx: &mut Context<'_>) {
        self.now = cx.now;
        self.pmic.update(cx);
    }

    fn watches_wires(&self) -> bool {
        true
    }

    fn wires_changed(&mut self, cx: &mut Context<'_>) {
        if self.pmic.inputs_changed(cx.signals) {
            self.now = cx.now;
            self.pmic.update(cx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::TestWorld;

    const CMD: u32 = 0x9C;
    const RDATA: u32 = 0xA0;
    const VLDCLR: u32 = 0xA4;

    fn ready() -> (Pwrap, TestWorld) {
        let (mut wrap, mut world) = (Pwrap::new(Mt6323::new(0x1023)), TestWorld::default());
        wrap.reset(Reset::PowerOn, &mut world.cx());
        wrap.leave_as_preloader(&mut world.cx());
        (wrap, world)
    }

    fn read(wrap: &mut Pwrap, world: &mut TestWorld, address: u32) -> u32 {
        assert_eq!(
            world.read(wrap, RDATA),
            0x30_0000,
            "idle, in sync, initialised"
        );
        world.write(wrap, CMD, (address / 2) << 16);
        assert_eq!(world.read(wrap, RDATA) >> 16 & 7, 4, "waits for the wire");
        world.now += READ_TIME;
        let value = world.read(wrap, RDATA);
        assert_eq!(value >> 16 & 7, 6);
        world.write(wrap, VLDCLR, 1);
        value & 0xFFFF
    }

    fn write(wrap: &mut Pwrap, world: &mut TestWorld, address: u32, value: u32) {
        world.write(wrap, CMD, 1 << 31 | (address / 2) << 16 | value);
        world.now += WRITE_TIME;
    }

    #[test]
    fn a_read_goes_through_the_states() {
        let (mut wrap, mut world) = ready();
        assert_eq!(read(&mut wrap, &mut world, 0x100), 0x1023);
        assert_eq!(read(&mut wrap, &mut world, 0x18C), 0x5AA5);
        assert!(world.reports.is_empty(), "{:?}", world.reports);
    }

    #[test]
    fn writes_are_posted_and_land() {
        let (mut wrap, mut world) = ready();
        write(&mut wrap, &mut world, 0x18E, 0xA55A);
        assert_eq!(read(&mut wrap, &mut world, 0x18E), 0xA55A);
    }

    #[test]
    fn a_command_on_a_busy_window_is_refused() {
        let (mut wrap, mut world) = ready();
        world.write(&mut wrap, CMD, 0x80 << 16);
        world.write(&mut wrap, CMD, 0x80 << 16);
        assert_eq!(world.reports.len(), 1);
        assert_eq!(world.reports[0].kind, GuestError::Refused);
    }

    #[test]
    fn an_uninitialised_wrapper_refuses() {
        let (mut wrap, mut world) = (Pwrap::new(Mt6323::new(0x1023)), TestWorld::default());
        wrap.reset(Reset::PowerOn, &mut world.cx());
        assert_eq!(world.read(&mut wrap, RDATA) >> 21 & 1, 0);
        world.write(&mut wrap, CMD, 0x80 << 16);
        assert_eq!(world.reports.len(), 1);
    }

    #[test]
    fn both_ends_must_agree_on_the_link() {
        let (mut wrap, mut world) = ready();
        world.write(&mut wrap, DIO_EN, 0);
        assert_ne!(read(&mut wrap, &mut world, 0x18C), 0x5AA5);
        world.write(&mut wrap, DIO_EN, 1);
        assert_eq!(read(&mut wrap, &mut world, 0x18C), 0x5AA5);
        // Four OUTS frames in manual mode reset the slave: plain single line.
        world.write(&mut wrap, MAN_EN, 1);
        for op in [1, 8, 0, 8, 8, 8, 8] {
            world.write(&mut wrap, MAN_CMD, 1 << 13 | op << 8);
        }
        world.write(&mut wrap, MAN_EN, 0);
        assert_ne!(read(&mut wrap, &mut world, 0x18C), 0x5AA5);
        world.write(&mut wrap, DIO_EN, 0);
        world.write(&mut wrap, CIPHER_MODE, 0);
        world.write(&mut wrap, RDDMY, 0xF);
        assert_eq!(read(&mut wrap, &mut world, 0x18C), 0x5AA5);
    }

    /// Step 7 of facts/soc.md 10.3: the slave first, then the wrapper.
    #[test]
    fn reads_need_the_same_dummy_cycles_at_both_ends() {
        let (mut wrap, mut world) = ready();
        world.write(&mut wrap, RDDMY, 0xF);
        assert_ne!(read(&mut wrap, &mut world, 0x18C), 0x5AA5);
        write(&mut wrap, &mut world, 0x1A4, 0xF);
        assert_eq!(read(&mut wrap, &mut world, 0x18C), 0x5AA5);
        write(&mut wrap, &mut world, 0x1A4, 8);
        world.write(&mut wrap, RDDMY, 8);
        assert_eq!(read(&mut wrap, &mut world, 0x18C), 0x5AA5);
    }

    #[test]
    fn a_reset_of_the_wrapper_leaves_the_rtc_alone() {
        let (mut wrap, mut world) = ready();
        write(&mut wrap, &mut world, 0x802C, 0x2000);
        world.write(&mut wrap, SWRST, 1);
        world.write(&mut wrap, SWRST, 0);
        assert_eq!(world.read(&mut wrap, RDATA) >> 21 & 1, 0);
        wrap.leave_as_preloader(&mut world.cx());
        assert_eq!(
            read(&mut wrap, &mut world, 0x802C),
            0x2000,
            "not yet triggered"
        );
    }

    #[test]
    fn a_soc_reset_closes_the_windows_but_not_the_pmic() {
        let (mut wrap, mut world) = ready();
        write(&mut wrap, &mut world, 0x50A, 1 << 15);
        wrap.reset(Reset::Watchdog, &mut world.cx());
        assert_eq!(world.read(&mut wrap, RDATA) >> 21 & 1, 0);
        wrap.leave_as_preloader(&mut world.cx());
        assert_eq!(read(&mut wrap, &mut world, 0x50A) >> 15, 1);
    }
}

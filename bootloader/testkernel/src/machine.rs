//! The few registers that the test kernel touches, by their addresses in
//! facts/soc.md 1.2 and 4 to 10. On purpose without the bootloader's drivers.

use core::fmt::Write;

use crate::kernel::End;

/// Console of the phone.
pub struct Uart(pub u32);

const UART0: u32 = 0x1100_5000;
const UART1: u32 = 0x1100_6000;
/// Modes of the pins 104 (the transmitter of UART0 in mode 1) to 111.
const PIN_MODES_104: u32 = 0x1000_53D0;
const GPT: u32 = 0x1000_8000;
const TOPRGU: u32 = 0x1000_7000;
const GICD: u32 = 0x1021_1000;
const GICC: u32 = 0x1021_2000;
const EINT: u32 = 0x1000_B000;
const MCUSYS: u32 = 0x1020_0000;
const SYSIRQ: u32 = 0x1020_0100;
const WACS2_CMD: u32 = 0x1000_F09C;
const WACS2_RDATA: u32 = 0x1000_F0A0;
const DRAM: core::ops::Range<u32> = 0x8000_0000..0xC000_0000;

macro_rules! print {
    ($($arg:tt)*) => {{
        use core::fmt::Write;
        let _ = writeln!($crate::machine::console(), $($arg)*);
    }};
}
macro_rules! fail {
    ($($arg:tt)*) => {{
        use core::fmt::Write;
        let mut console = $crate::machine::console();
        let _ = console.write_str("TK FAIL ");
        let _ = writeln!(console, $($arg)*);
    }};
}
pub(crate) use {fail, print};

/// The console: the port whose transmitter the loader left connected.
pub fn console() -> Uart {
    Uart(if read(PIN_MODES_104) & 7 == 1 {
        UART0
    } else {
        UART1
    })
}

impl Write for Uart {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        for byte in text.bytes() {
            if byte == b'\n' {
                self.put(b'\r');
            }
            self.put(byte);
        }
        Ok(())
    }
}

impl Uart {
    fn put(&self, byte: u8) {
        // Bounded: a port that is gated or gone must not hang a test.
        for _ in 0..100_000 {
            if read(self.0 + 0x14) & 0x20 != 0 {
                break;
            }
        }
        write(self.0, u32::from(byte));
    }
}

fn read(address: u32) -> u32 {
    // SAFETY: only called with the register addresses of this file, all of
    // them mapped to themselves by `head.s` and aligned.
    unsafe { (address as *const u32).read_volatile() }
}

fn write(address: u32, value: u32) {
    // SAFETY: as in `read`; nothing in this program lives at these addresses.
    unsafe { (address as *mut u32).write_volatile(value) }
}

/// The machine, as found.
pub struct Machine(());

#[expect(
    clippy::unused_self,
    reason = "the machine is touched by its holder only"
)]
impl Machine {
    /// The one and only.
    pub fn take() -> Self {
        Machine(())
    }

    /// GPT4, 13 MHz: the clock that tells how long the boot took.
    pub fn ticks(&self) -> u32 {
        read(GPT + 0x48)
    }

    /// A word of DRAM, if `address` is aligned and in DRAM.
    pub fn word(&self, address: u32) -> Option<u32> {
        (DRAM.contains(&address) && address.is_multiple_of(4)).then(|| read(address))
    }

    /// `len` bytes of DRAM at `address`.
    pub fn memory(&self, address: u32, len: u32) -> Option<&'static [u8]> {
        let end = address.checked_add(len)?;
        if !DRAM.contains(&address) || end > DRAM.end {
            return None;
        }
        // SAFETY: inside the DRAM window that `head.s` maps to itself; handed
        // over by the loader and not written by this program.
        Some(unsafe { core::slice::from_raw_parts(address as *const u8, len as usize) })
    }

    /// Prints and checks the state of the blocks at the hand-over.
    pub fn report(&self) {
        let cntfrq: u32;
        let counter: u64;
        // SAFETY: reading CNTFRQ and CNTPCT changes nothing.
        unsafe {
            core::arch::asm!("mrc p15, 0, {}, c14, c0, 0", out(reg) cntfrq);
            let (low, high): (u32, u32);
            core::arch::asm!("mrrc p15, 0, {}, {}, c14", out(reg) low, out(reg) high);
            counter = u64::from(high) << 32 | u64::from(low);
        }
        let gpt6 = read(GPT + 0x60);
        let wdt = read(TOPRGU);
        print!("TK time cntfrq={cntfrq} cntpct={counter} gpt6={gpt6:x}");
        print!(
            "TK watchdog mode={wdt:x} length={:x} stage={}",
            read(TOPRGU + 4),
            read(TOPRGU + 0x10) & 3
        );
        print!("TK l2 config={:08x}", read(MCUSYS));
        if cntfrq != 13_000_000 {
            fail!("CNTFRQ = {cntfrq}");
        }
        if gpt6 & 1 == 0 {
            fail!("GPT6 does not run: no system counter");
        }
        if read(MCUSYS) >> 5 & 7 != 1 {
            fail!("L2 is not configured as cache");
        }
        self.check_interrupts();
    }

    fn check_interrupts(&self) {
        print!(
            "TK gic distributor={:x} cpu={:x} pending={} inverted={:08x} {:08x}",
            read(GICD),
            read(GICC),
            read(GICC + 0x18) & 0x3FF,
            read(SYSIRQ),
            read(SYSIRQ + 4),
        );
        // Kernels without a driver for the inverter still want their console.
        if read(SYSIRQ) >> 31 != 1 || read(SYSIRQ + 4) & 1 != 1 {
            fail!("the UARTs' interrupts are not inverted");
        }
        for n in 0..5 {
            let enabled = read(GICD + 0x100 + 4 * n);
            // SGIs cannot be disabled on this GIC.
            let enabled = if n == 0 {
                enabled & 0xFFFF_0000
            } else {
                enabled
            };
            if enabled != 0 {
                fail!("GIC interrupts {} + {enabled:#010x} enabled", 32 * n);
            }
        }
        let pending = read(GICC + 0x18) & 0x3FF;
        if pending != 1023 {
            fail!("GIC interrupt {pending} pending");
        }
        if read(EINT + 0x80) & 0x03FF_FFFF != 0x03FF_FFFF {
            fail!("EINT channels not masked");
        }
    }

    /// Ends the run.
    pub fn finish(&self, end: End) -> ! {
        match end {
            End::Off => {
                print!("TK end off");
                self.power_off();
            }
            End::Reset => {
                print!("TK end reset");
                write(TOPRGU + 0x08, 0x1971);
                write(TOPRGU, 0x2200_0014);
                write(TOPRGU + 0x14, 0x1209);
            }
            End::Hang => print!("TK end hang"),
        }
        loop {
            // Asleep: a core that spins makes emulated seconds expensive.
            // SAFETY: WFI changes nothing but the time.
            unsafe { core::arch::asm!("wfi") };
        }
    }

    /// RTC: unlock, clear BBPU (facts/soc.md 10.8).
    fn power_off(&self) {
        for (register, value) in [
            (0x8036, 0x586A),
            (0x803C, 1),
            (0x8036, 0x9136),
            (0x803C, 1),
            (0x8000, 0x4309),
            (0x803C, 1),
        ] {
            self.pmic(1 << 31 | ((register / 2) << 16) | value);
            if register == 0x803C {
                while self.pmic((0x8000 / 2) << 16) & 0x40 != 0 {}
            }
        }
    }

    fn pmic(&self, command: u32) -> u32 {
        while read(WACS2_RDATA) >> 16 & 7 != 0 {}
        write(WACS2_CMD, command);
        if command >> 31 != 0 {
            return 0;
        }
        while read(WACS2_RDATA) >> 16 & 7 != 6 {}
        let data = read(WACS2_RDATA) & 0xFFFF;
        write(WACS2_RDATA + 4, 1);
        data
    }
}

/// CRC-32 (IEEE), to show that the initramfs arrived whole.
pub fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            crc >> 1 ^ if crc & 1 != 0 { 0xEDB8_8320 } else { 0 }
        })
    })
}

//! What happens when there is nothing to start: a line on the UART, and the
//! way out that every phone has, USB download through the boot ROM.
//!
//! Source: facts/soc.md 1.3 (USBDL registers), 6 (reset).

use core::panic::PanicInfo;
use core::slice;

use mt6572_hal::Peripherals;
use mt6572_hal::clocks::Gate;
use mt6572_hal::sramrom::Downloader;
use mt6572_hal::time;
use unilk_core::Code;
use unilk_core::bootarg::{BOOT_ARGUMENT_ADDRESS, BOOT_ARGUMENT_LEN, BootArgument, LogPort};
use unilk_core::packed::PackedError;

/// How long a host has to appear once the boot ROM waits for it.
const HOST_LIMIT_S: u16 = 60;

/// Says that the image is damaged, and resets into USB download. `argument`
/// is where the preloader says that the boot argument is.
pub fn damaged(argument: u32, error: PackedError) -> ! {
    give_up(argument, error.code())
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    give_up(BOOT_ARGUMENT_ADDRESS, "PACK-PANIC")
}

fn give_up(argument: u32, code: &str) -> ! {
    // SAFETY: no driver is at work, and none will be again.
    let mut hal = unsafe { Peripherals::steal() };
    hal.topckgen.open(Gate::Apxgpt);
    // Without it, waits are counted.
    let _ = hal.gpt.start_clock();
    time::start();
    hal.toprgu.kick();
    let argument = read_argument(argument);
    let (gate, pins, uart) = match argument.log_port {
        LogPort::Uart1 => (Gate::Uart0, [103, 104], hal.uart0.take()),
        LogPort::Uart2 => (Gate::Uart1, [101, 102], hal.uart1.take()),
    };
    hal.topckgen.uarts_on_crystal();
    hal.topckgen.open(gate);
    for number in pins {
        if let Some(mut pin) = hal.gpio.take(number) {
            pin.set_mode(1);
        }
    }
    if let Some(mut uart) = uart {
        uart.init(argument.log_baud);
        let remedy = " this image is damaged: write lk.bin again; USB download mode for 60 s";
        for words in ["\r\nunilk: ", code, remedy, "\r\n"] {
            words.bytes().for_each(|byte| uart.putc(byte));
        }
        uart.flush();
    }
    hal.sramrom
        .arm_usb_download(Downloader::BootRom, Some(HOST_LIMIT_S));
    hal.toprgu.reset(true)
}

/// The preloader's words about the port that it used.
fn read_argument(at: u32) -> BootArgument {
    let argument = if at == BOOT_ARGUMENT_ADDRESS {
        // SAFETY: DRAM that is mapped and that nothing of ours uses.
        let bytes = unsafe { slice::from_raw_parts(at as *const u8, BOOT_ARGUMENT_LEN) };
        BootArgument::parse(bytes).ok()
    } else {
        None
    };
    argument.unwrap_or_else(BootArgument::fallback)
}

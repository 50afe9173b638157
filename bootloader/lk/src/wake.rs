//! From the preloader's jump to a phone that knows itself: log, watchdog,
//! clocks, chip, memory, keys.
//!
//! Source: facts/soc.md 3, 6, 9, 10 and 12.4.

use alloc::string::String;
use core::arch::global_asm;
use core::fmt;

use mt6572_hal::Peripherals;
use mt6572_hal::chip::{ChipId, DevInfo, HW_CODE, Variant};
use mt6572_hal::clocks::{self, Gate};
use mt6572_hal::mt6323::PmicKeys;
use mt6572_hal::mt6323::rtc::Flags;
use mt6572_hal::time::{self, Micros};
use mt6572_hal::toprgu::ResetNote;
use unilk_core::Code;
use unilk_core::bootarg::{BOOT_ARGUMENT_LEN, BootArgument, Dram, LogPort};
use unilk_core::bootmode;
use unilk_core::hints::{self, HINTS_LEN, Hints};
use unilk_core::logmem::{Boot, Kind};
use unilk_core::started::{self, Started};

use crate::log::{self, say};
use crate::{heap, late, map, mmu};

global_asm!(include_str!("start.s"), options(raw));
global_asm!(include_str!("caches.s"), options(raw));
global_asm!(include_str!("memory.s"), options(raw));

/// How long any stage of the boot may take before the watchdog ends it.
pub const WATCHDOG: Micros = Micros::from_ms(10_000);

/// Filled in by `unilk pack`.
#[unsafe(link_section = ".hints")]
#[used]
static HINTS: [u8; HINTS_LEN] = hints::blank();

/// What our loader passed in registers.
#[derive(Clone, Copy)]
pub struct Entry {
    /// r4: where the preloader says the boot argument is.
    argument: u32,
    /// r0 to r2, for loaders that start us as a kernel.
    r: [u32; 3],
}

/// Called by `start.s`, on our own stack, with the unpacker's translation table.
///
/// # Safety
///
/// Only `start.s` may call this, once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn start(r4: u32, r0: u32, r1: u32, r2: u32) -> ! {
    mmu::enable();
    late::begin();
    heap::init();
    crate::boot(Entry {
        argument: r4,
        r: [r0, r1, r2],
    })
}

/// The phone, awake.
pub struct Phone {
    /// The drivers.
    pub hal: Peripherals,
    /// What the preloader said.
    pub argument: BootArgument,
    /// The DRAM that is there.
    pub dram: Dram,
    /// What the chip says of itself.
    pub chip: ChipId,
    /// Its e-fuse words.
    pub devinfo: DevInfo,
    /// Its speed grade.
    pub variant: Variant,
    /// Who reset it.
    pub reset: ResetNote,
    /// The matrix keys, power and home key.
    pub keys: Keys,
    /// Boot flags in the RTC.
    pub rtc_flags: Option<Flags>,
    /// A charger or USB host supplies the phone.
    pub charger: Option<bool>,
    /// What `unilk pack` put into the image.
    pub hints: Hints<'static>,
}

/// Keys held at the start.
pub struct Keys {
    /// Codes of the matrix keys.
    pub matrix: heapless::Vec<u8, 8>,
    /// Keys at the PMIC.
    pub pmic: PmicKeys,
}

/// The matrix codes, for people whose board is not in the table.
struct Codes<'a>(&'a [u8]);

impl fmt::Display for Codes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|code| write!(f, " [{code}]"))
    }
}

impl Keys {
    /// What they mean on `board`, or on any board that is known.
    pub fn meaning(&self, board: Option<&str>) -> bootmode::Keys {
        let board = board.and_then(unilk_board_db::board);
        let mut keys = bootmode::Keys {
            power: self.pmic.power,
            ..bootmode::Keys::default()
        };
        for &code in &self.matrix {
            if let Some(board) = board {
                keys.volume_up |= board.keys.volume_up == Some(code);
                keys.volume_down |= board.keys.volume_down == Some(code);
            } else {
                let roles = unilk_board_db::key_roles(code);
                keys.hold(roles.volume_up, roles.volume_down);
            }
        }
        keys
    }
}

impl Phone {
    /// Takes the phone over.
    pub fn wake(entry: Entry) -> Self {
        let mut hal = Peripherals::take().expect("start.s calls us once");
        hal.topckgen.open(Gate::Apxgpt);
        let gpt = hal.gpt.start_clock();
        time::start();
        let started = read_tags(entry);
        let argument = match &started {
            Some(started) => started.argument(),
            None => read_argument(entry),
        };
        let reset = hal.toprgu.take_over();
        hal.toprgu.start(WATCHDOG);
        let previous = log::begin();
        open_console(
            &mut hal,
            argument.as_ref().unwrap_or(&BootArgument::fallback()),
        );
        say!("unilk {}", env!("UNILK_VERSION"));
        show_previous(previous);
        if let Err(stopped) = gpt {
            say!(
                "{} the 13 MHz timer does not run: waits are counted, not timed",
                stopped.code()
            );
        }
        let argument = argument.unwrap_or_else(|error| {
            say!("{} {error}", error.code());
            BootArgument::fallback()
        });
        let dram = find_dram(&argument);

        if !hal.gpt.start_system_counter() {
            say!("GPT-CNT the CPU's counter does not follow GPT6: a kernel may hang");
        }
        if !hal.gic.init() {
            say!("GIC-WAKE the timer's interrupt does not arrive: waits do not sleep");
        }
        clocks::raise_cpu_clock(&mut hal.infracfg, &mut hal.apmixed);
        let chip = hal.chip.id();
        let devinfo = hal.chip.devinfo(&mut hal.topckgen);
        let variant = devinfo.variant();
        hal.sramrom.disarm_usb_download();

        let mut hints = read_hints();
        if let Some(Started { panel, .. }) = started {
            say!(
                "started as a kernel; that loader's panel: {}",
                panel.unwrap_or("none")
            );
            hints.panel = hints.panel.or(panel);
        }
        let mut phone = Self {
            hal,
            argument,
            dram,
            chip,
            devinfo,
            variant,
            reset,
            keys: Keys {
                matrix: heapless::Vec::new(),
                pmic: PmicKeys {
                    power: false,
                    home: false,
                },
            },
            rtc_flags: None,
            charger: None,
            hints,
        };
        phone.ask_pmic();
        phone.read_matrix();
        phone.introduce();
        phone
    }

    /// Power and home key, charger and RTC flags. A PMIC that does not answer costs the
    /// phone these, not the boot.
    fn ask_pmic(&mut self) {
        let pmic = &mut self.hal.pmic;
        if !pmic.bus().is_initialised() {
            say!("the preloader left the PMIC link unused: setting it up");
            if let Err(error) = pmic
                .bus()
                .initialise(&mut self.hal.topckgen, &mut self.hal.toprgu)
            {
                say!(
                    "{} the PMIC does not answer: no power key, no flags, no power-off",
                    error.code()
                );
                return;
            }
        }
        let asked = (|| {
            pmic.release_keypad()?;
            self.keys.pmic = pmic.keys()?;
            self.charger = Some(pmic.charger_present()?);
            pmic.rtc().unlock()?;
            self.rtc_flags = Some(pmic.rtc().flags()?);
            Ok(())
        })();
        if let Err(error) = asked {
            let error: mt6572_hal::mt6323::PmicError = error;
            say!(
                "{} the PMIC stopped answering: going on without it",
                error.code()
            );
        }
    }

    /// The key matrix is in the chip itself.
    fn read_matrix(&mut self) {
        self.hal.keypad.start();
        for code in self.hal.keypad.read().iter() {
            let _ = self.keys.matrix.push(code);
        }
    }

    /// The first lines of every boot.
    #[inline(never)]
    fn introduce(&self) {
        let ChipId {
            hw_code,
            hw_version,
            sw_version,
            ..
        } = self.chip;
        say!(
            "chip MT{hw_code:04x} hw {hw_version:04x} sw {sw_version:04x}, {}",
            self.variant.name()
        );
        if hw_code != HW_CODE {
            say!("CHIP-CODE this chip calls itself {hw_code:04x}, unilk is for 6572: going on");
        }
        say!(
            "DRAM {} MiB in {} rank(s), boot mode {} (word {:#x}), reason {}",
            self.dram.total() >> 20,
            self.dram.banks().count(),
            self.argument.mode.name(),
            self.argument.mode_word,
            self.argument.reason.name(),
        );
        if !self.reset.power_on {
            say!("started by a reset: {}", reset_cause(self.reset));
        }
        defmt::info!("devinfo {=[?]:#x}", self.devinfo.0);
        if !self.keys.matrix.is_empty() || self.keys.pmic.power || self.keys.pmic.home {
            let meaning = self.keys.meaning(self.hints.board);
            let said = |held, name| if held { name } else { "" };
            say!(
                "keys held:{}{}{}{}{}",
                said(meaning.volume_down, " volume-down"),
                said(meaning.volume_up, " volume-up"),
                said(self.keys.pmic.power, " power"),
                said(self.keys.pmic.home, " home"),
                Codes(&self.keys.matrix),
            );
            say!("  volume-down: USB download; volume-up: recovery; others: as usual");
        }
    }
}

/// What the reset controller still knows of it.
fn reset_cause(note: ResetNote) -> &'static str {
    let status = note.status;
    if status.hardware() || status.pcm() || status.interrupt() {
        "the watchdog"
    } else if status.software() {
        "software"
    } else {
        "the preloader has cleared the cause"
    }
}

/// What a stock loader tells that has started us as a kernel.
#[inline(never)]
fn read_tags(entry: Entry) -> Option<Started<'static>> {
    let address = started::tags_address(entry.r)?;
    let end = started::TAGS.end;
    mmu::map_dram(started::TAGS.start, end - started::TAGS.start);
    // SAFETY: these addresses are DRAM of every phone, and have just been
    // mapped. A kernel may be loaded there later: what is kept is copied below.
    let tags =
        unsafe { core::slice::from_raw_parts(address as *const u8, (end - address) as usize) };
    let mut started = Started::from_tags(tags)?;
    started.panel = started.panel.map(|name| &*String::from(name).leak());
    Some(started)
}

fn read_argument(entry: Entry) -> Result<BootArgument, unilk_core::bootarg::BootArgError> {
    let first_mib = map::image().start..map::DRAM_BASE + (1 << 20);
    if !first_mib.contains(&entry.argument)
        || !first_mib.contains(&(entry.argument + BOOT_ARGUMENT_LEN as u32))
    {
        defmt::info!(
            "no boot argument at {=u32:#x}; entered with {=[?]:#x}",
            entry.argument,
            entry.r
        );
        return BootArgument::parse(&[]);
    }
    // SAFETY: the range is inside the first MiB of DRAM, which is mapped, and
    // the preloader's structure is not written by anyone from here on.
    let bytes =
        unsafe { core::slice::from_raw_parts(entry.argument as *const u8, BOOT_ARGUMENT_LEN) };
    BootArgument::parse(bytes)
}

fn find_dram(argument: &BootArgument) -> Dram {
    let dram = argument.dram.unwrap_or_else(|error| {
        say!("{} {error}", error.code());
        Dram::smallest()
    });
    mmu::map_dram(map::DRAM_BASE, dram.total());
    dram
}

/// The port that the preloader used, on its own pins.
// Not inlined: one function of a whole boot would be kilobytes larger.
#[inline(never)]
fn open_console(hal: &mut Peripherals, argument: &BootArgument) {
    let (gate, pins) = match argument.log_port {
        LogPort::Uart1 => (Gate::Uart0, [103, 104]),
        LogPort::Uart2 => (Gate::Uart1, [101, 102]),
    };
    hal.topckgen.uarts_on_crystal();
    hal.topckgen.open(gate);
    for number in pins {
        if let Some(mut pin) = hal.gpio.take(number) {
            pin.set_mode(1);
        }
    }
    let uart = match argument.log_port {
        LogPort::Uart1 => hal.uart0.take(),
        LogPort::Uart2 => hal.uart1.take(),
    };
    if let Some(mut uart) = uart {
        uart.init(argument.log_baud);
        log::attach(uart);
    }
}

/// The last words of a boot that failed.
fn show_previous(previous: Option<Boot<'_>>) {
    const LINES: usize = 24;
    let Some(boot) = previous else { return };
    say!(
        "boot {} before this one did not come to its end; its last lines:",
        boot.sequence
    );
    let lines = || boot.records().filter(|record| record.kind == Kind::Text);
    for record in lines().skip(lines().count().saturating_sub(LINES)) {
        say!(
            "| {}",
            core::str::from_utf8(record.data).unwrap_or("(damaged line)")
        );
    }
}

fn read_hints() -> Hints<'static> {
    // Read as memory, not as the constant that the compiler knows: `unilk
    // pack` changes these bytes after the build.
    let block = core::hint::black_box(&HINTS);
    match Hints::parse(block) {
        Ok(hints) => hints,
        Err(error) => {
            say!("{} {error}", error.code());
            Hints::default()
        }
    }
}

//! A whole machine on a host without QEMU.

#![allow(clippy::unwrap_used)]

mod stock_loader;

use super::*;
use crate::models::emmc::Stores;

/// Memory, lines and requests of a phone, and a clock that stands still.
#[derive(Default)]
pub(super) struct TestHost {
    pub(super) now: Nanos,
    pages: std::collections::HashMap<u32, Vec<u8>>,
    irq: u128,
    serial: Vec<(u8, u8)>,
    l2: bool,
    deadline: Option<Nanos>,
    resets: u32,
    shutdowns: u32,
    core1: Vec<bool>,
    core1_runs: bool,
}

const PAGE: u32 = 0x1000;

impl TestHost {
    fn byte(&mut self, addr: u32) -> &mut u8 {
        let page = self
            .pages
            .entry(addr / PAGE)
            .or_insert_with(|| vec![0; PAGE as usize]);
        &mut page[(addr % PAGE) as usize]
    }

    fn word(&mut self, addr: u32) -> u32 {
        (0..4).fold(0, |word, at| {
            word | u32::from(*self.byte(addr + at)) << (8 * at)
        })
    }
}

impl TestHost {
    /// Calls `each` with a part of a page and where it lies in the range.
    fn spans(
        &mut self,
        addr: u32,
        len: usize,
        mut each: impl FnMut(&mut [u8], std::ops::Range<usize>),
    ) -> bool {
        let mut done = 0;
        while done < len {
            let at = addr + done as u32;
            let page = self.pages.entry(at / PAGE);
            let page = page.or_insert_with(|| vec![0; PAGE as usize]);
            let part = &mut page[(at % PAGE) as usize..];
            let count = part.len().min(len - done);
            each(&mut part[..count], done..done + count);
            done += count;
        }
        true
    }
}

impl Memory for TestHost {
    fn read(&mut self, addr: u32, data: &mut [u8]) -> bool {
        self.spans(addr, data.len(), |page, at| data[at].copy_from_slice(page))
    }
    fn write(&mut self, addr: u32, data: &[u8]) -> bool {
        self.spans(addr, data.len(), |page, at| page.copy_from_slice(&data[at]))
    }
}

impl Host for TestHost {
    fn now(&self) -> Nanos {
        self.now
    }
    fn set_irq(&mut self, spi: u8, level: bool) {
        self.irq = self.irq & !(1 << spi) | u128::from(level) << spi;
    }
    fn serial_out(&mut self, port: u8, bytes: &[u8]) {
        self.serial.extend(bytes.iter().map(|&byte| (port, byte)));
    }
    fn map_l2_sram(&mut self, mapped: bool) {
        self.l2 = mapped;
    }
    fn set_deadline(&mut self, at: Option<Nanos>) {
        self.deadline = at;
    }
    fn power_core1(&mut self, on: bool) {
        self.core1.push(on);
    }
    fn core1_waits(&mut self) -> bool {
        !self.core1_runs
    }
    fn request_reset(&mut self) {
        self.resets += 1;
    }
    fn request_shutdown(&mut self) {
        self.shutdowns += 1;
    }
}

const BOARD: &str = "name = 'x'\n[dram]\nranks_mib = [512]\n";

/// A phone with this board file, and UBOOT's content on its eMMC.
pub(super) fn phone(board: &str, uboot: Option<&[u8]>, lk: Option<&[u8]>) -> (Machine, TestHost) {
    let board = Board::parse(board).unwrap();
    let mut user = vec![0; 0x1E0_0000];
    if let Some(image) = uboot {
        user[0x1D2_0000..0x1D2_0000 + image.len()].copy_from_slice(image);
    }
    let slots = build::blocks(&board, Some(Stores::user(user.clone()))).unwrap();
    let mut machine = Machine::new(slots, board, lk.map(<[u8]>::to_vec), 2);
    machine.put_storage(Some(Box::new(user)));
    let mut host = TestHost::default();
    machine.reset(&mut host);
    (machine, host)
}

/// What the boot ROM stub of core 0 does.
fn boot(machine: &mut Machine, host: &mut TestHost) -> [u32; 6] {
    machine.write(map::DOORBELL, 4, 0, host);
    let mut registers = [0; 6];
    for (index, register) in registers.iter_mut().enumerate() {
        *register = machine.read(
            map::DOORBELL + bootrom::doorbell::R0 + 4 * index as u32,
            4,
            host,
        );
    }
    registers
}

fn faults(machine: &mut Machine) -> Vec<Fault> {
    let events = machine.take_events();
    events
        .into_iter()
        .filter_map(|event| {
            if let Event::GuestError(fault) = event {
                Some(fault)
            } else {
                None
            }
        })
        .collect()
}

fn ends(machine: &mut Machine) -> Vec<Event> {
    let mut events = machine.take_events();
    events.retain(|event| {
        matches!(
            event,
            Event::UsbDownload { .. } | Event::Stopped { .. } | Event::PowerOff { .. }
        )
    });
    events
}

fn image(payload: &[u8]) -> Vec<u8> {
    let mut image = vec![0xFF; 512];
    image[..4].copy_from_slice(&0x5888_1688u32.to_le_bytes());
    image[4..8].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    image.extend_from_slice(payload);
    image
}

#[test]
fn the_preloader_loads_uboot_without_a_guest_error() {
    for extra in [
        "",
        "kind = 'ddr3'\n[boot]\nlog_port = 'uart1'\nbaud = 115200\n",
    ] {
        let (mut machine, mut host) =
            phone(&format!("{BOARD}{extra}"), Some(&image(b"payload!")), None);
        let registers = boot(&mut machine, &mut host);
        assert_eq!(registers[0], 0x8002_0000);
        assert_eq!((registers[1], registers[4]), (0x800D_0000, 0x800D_0000));
        assert_eq!((registers[2], registers[5]), (0x50, 0x50));
        assert_eq!(host.word(0x8002_0000), u32::from_le_bytes(*b"payl"));
        assert_eq!(host.word(0x800D_0000), 0x504C_504C);
        assert_ne!(
            host.word(0x800D_0050),
            0,
            "garbage follows the boot argument"
        );
        assert_ne!(host.word(0x8008_0000), 0, "garbage is in the bounce buffer");
        assert_eq!(faults(&mut machine), []);
    }
}

#[test]
fn the_blocks_are_left_as_the_preloader_leaves_them() {
    let (mut machine, mut host) = phone(BOARD, Some(&image(b"x")), None);
    boot(&mut machine, &mut host);
    assert_eq!(
        machine.signals.pin_mode[103..=104],
        [5, 5],
        "UART1's pads are the modem's"
    );
    assert_eq!(
        machine.read(0x1000_8040, 4, &mut host) & 0x31,
        0x31,
        "GPT4 runs free"
    );
    assert_eq!(
        machine.read(0x1000_7004, 4, &mut host) & 0xFFE0,
        0x8000,
        "16 s"
    );
    assert_eq!(
        machine.read(0x1000_7000, 4, &mut host) & 0x71,
        0x51,
        "dual mode, bypass flag, on"
    );
    assert_eq!(machine.read(0x1000_1420, 4, &mut host), 0, "USBDL disarmed");
    assert_eq!(
        machine.read(0x1000_F0A0, 4, &mut host) & 0x0020_0000,
        0x0020_0000,
        "PWRAP is up"
    );
    assert!(machine.signals.l2_is_sram);
    assert!(host.deadline.is_some(), "the watchdog counts");
    assert_eq!(faults(&mut machine), []);
}

#[test]
fn a_blank_uboot_ends_in_the_preloaders_usb_download() {
    let (mut machine, mut host) = phone(BOARD, None, None);
    boot(&mut machine, &mut host);
    assert!(matches!(
        ends(&mut machine)[..],
        [Event::UsbDownload {
            by: "preloader",
            timeout_s: None,
            ..
        }]
    ));
    assert_eq!(host.shutdowns, 1);
}

/// PDN1 through WACS2, with time for the PMIC and the RTC's slow clock.
fn write_pdn1(value: u32, machine: &mut Machine, host: &mut TestHost) {
    for command in [0xC016_0000 | value, 0xC01E_0001] {
        machine.write(0x1000_F09C, 4, command, host);
        host.now += 1_000_000;
    }
}

fn read_pdn1(machine: &mut Machine, host: &mut TestHost) -> u32 {
    machine.write(0x1000_F09C, 4, 0x4016_0000, host);
    host.now += 1_000_000;
    let data = machine.read(0x1000_F0A0, 4, host);
    machine.write(0x1000_F0A4, 4, 1, host);
    data & 0xFFFF
}

#[test]
fn the_power_key_counts_once() {
    let (mut machine, mut host) = phone(BOARD, None, Some(b"lk"));
    boot(&mut machine, &mut host);
    assert_eq!(host.word(0x800D_002C), 0);
    assert_eq!(read_pdn1(&mut machine, &mut host), 0x40);
    // A loader that does not take the flag back meets it again.
    machine.write(0x1000_7014, 4, 0x1209, &mut host);
    machine.reset(&mut host);
    boot(&mut machine, &mut host);
    assert_eq!(host.word(0x800D_002C), 2);
    write_pdn1(0, &mut machine, &mut host);
    machine.write(0x1000_7014, 4, 0x1209, &mut host);
    machine.reset(&mut host);
    boot(&mut machine, &mut host);
    assert_eq!(host.word(0x800D_002C), 4);
    assert_eq!(read_pdn1(&mut machine, &mut host), 0);
    let events = machine.take_events();
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, Event::GuestError(_))),
        "{events:?}"
    );
}

#[test]
fn a_software_reset_starts_again_with_reason_4() {
    let (mut machine, mut host) = phone(BOARD, None, Some(b"lk"));
    boot(&mut machine, &mut host);
    assert_eq!(host.word(0x800D_002C), 0);
    write_pdn1(0, &mut machine, &mut host);
    machine.write(0x1000_7014, 4, 0x1209, &mut host);
    assert_eq!(host.resets, 1);
    machine.reset(&mut host);
    boot(&mut machine, &mut host);
    assert_eq!(host.word(0x800D_002C), 4);
    // Without the bypass flag it is a plain watchdog reset.
    machine.write(0x1000_7000, 4, 0x2200_0000, &mut host);
    machine.write(0x1000_7014, 4, 0x1209, &mut host);
    machine.reset(&mut host);
    boot(&mut machine, &mut host);
    assert_eq!(host.word(0x800D_002C), 3);
}

#[test]
fn an_armed_download_waits_where_it_was_told_to() {
    for (register, by, timeout_s) in [(0x15, "boot-rom", Some(5)), (0xFFFF, "preloader", None)] {
        let (mut machine, mut host) = phone(BOARD, None, Some(b"lk"));
        boot(&mut machine, &mut host);
        machine.write(0x1000_141C, 4, register, &mut host);
        machine.write(0x1000_1420, 4, 0x5553_4244, &mut host);
        machine.write(0x1000_7014, 4, 0x1209, &mut host);
        machine.reset(&mut host);
        machine.write(map::DOORBELL, 4, 0, &mut host);
        let ends = ends(&mut machine);
        let [
            Event::UsbDownload {
                by: at,
                timeout_s: after,
                ..
            },
        ] = ends[..]
        else {
            panic!("{ends:?}")
        };
        assert_eq!((at, after), (by, timeout_s));
    }
}

#[test]
fn the_download_keys_end_in_the_boot_rom() {
    let keys = "[keys]\nheld = ['power', 'vol-up', 'vol-down']\n";
    let (mut machine, mut host) = phone(&format!("{BOARD}{keys}"), None, Some(b"lk"));
    machine.write(map::DOORBELL, 4, 0, &mut host);
    assert!(matches!(
        ends(&mut machine)[..],
        [Event::UsbDownload {
            by: "boot-rom",
            timeout_s: Some(5),
            ..
        }]
    ));
}

#[test]
fn the_emulation_ends_after_too_many_resets() {
    let (mut machine, mut host) = phone(BOARD, None, Some(b"lk"));
    for _ in 0..3 {
        boot(&mut machine, &mut host);
        machine.write(0x1000_7014, 4, 0x1209, &mut host);
        machine.reset(&mut host);
    }
    assert!(matches!(ends(&mut machine)[..], [Event::Stopped { .. }]));
}

#[test]
fn what_the_bus_refuses_is_reported_and_reads_as_zero() {
    let (mut machine, mut host) = phone(BOARD, None, Some(b"lk"));
    boot(&mut machine, &mut host);
    machine.take_events();
    for (addr, size, kind) in [
        (0x4000_0000, 4, "unmapped"),
        (0xA000_0000, 4, "unmapped"),
        (map::DOORBELL, 4, "unmapped"),
        (0x1000_5000, 1, "access-size"),
        (0x1100_6014, 4, "gated"),
        (0x1400_0100, 4, "unpowered"),
        (0x1300_0000, 4, "unpowered"),
    ] {
        assert_eq!(machine.read(addr, size, &mut host), 0);
        let faults = faults(&mut machine);
        assert_eq!(faults.len(), 1, "{addr:#x}: {faults:?}");
        assert_eq!(
            (faults[0].kind, faults[0].addr, faults[0].write),
            (kind, addr, Some(false))
        );
    }
}

#[test]
fn dma_reaches_ram_and_nothing_else() {
    let mut host = TestHost::default();
    let mut memory = RamOnly {
        host: &mut host,
        dram_bytes: 1 << 20,
        l2_mapped: false,
    };
    assert!(memory.write(0x8000_0000, &[1]));
    assert!(memory.read(0x800F_FFFC, &mut [0; 4]));
    assert!(!memory.read(0x800F_FFFD, &mut [0; 4]));
    assert!(!memory.write(0x1100_5000, &[1]));
    assert!(!memory.write(0x0200_0000, &[1]), "the L2 is a cache");
}

#[test]
fn the_l2_sram_goes_and_comes_back_with_garbage() {
    let (mut machine, mut host) = phone(BOARD, None, Some(b"lk"));
    boot(&mut machine, &mut host);
    host.write(0x0200_0000, &[0; 4]);
    let config = machine.read(0x1020_0000, 4, &mut host);
    machine.write(0x1020_0000, 4, config & !0xE0 | 0x20, &mut host);
    assert!(!host.l2 && !machine.l2_mapped);
    machine.write(0x1020_0000, 4, config & !0xE0, &mut host);
    assert!(host.l2);
    assert_ne!(host.word(0x0200_0000), 0, "the contents are lost");
}

#[test]
fn the_users_steps_happen_at_their_time() {
    let steps = "[[user]]\nat_ms = 20\npress = 'power'\n[[user]]\nat_ms = 30\nplug = true\n";
    let (mut machine, mut host) = phone(&format!("{BOARD}{steps}"), None, Some(b"lk"));
    assert_eq!(host.deadline, Some(20_000_000));
    host.now = 20_000_000;
    machine.timer(&mut host);
    assert!(machine.signals.power_key && !machine.signals.charger);
    assert_eq!(host.deadline, Some(30_000_000));
}

#[test]
fn the_spm_sees_core_1_wait() {
    let (mut machine, mut host) = phone(BOARD, None, Some(b"lk"));
    boot(&mut machine, &mut host);
    assert_eq!(machine.read(0x1000_6720, 4, &mut host), 1 << 16);
    host.core1_runs = true;
    assert_eq!(machine.read(0x1000_6720, 4, &mut host), 0);
}

#[test]
fn what_nobody_knows_is_a_line_or_an_error() {
    for strict in [false, true] {
        let (mut machine, mut host) = phone(BOARD, None, Some(b"lk"));
        machine.set_strict(strict);
        boot(&mut machine, &mut host);
        machine.take_events();
        for _ in 0..2 {
            machine.write(0x1000_4010, 4, 1, &mut host);
        }
        let events = machine.take_events();
        match (&events[..], strict) {
            ([Event::Log { text, .. }], false) => {
                assert!(text.starts_with("unmodelled: EMI+0x10"), "{text}");
            }
            ([Event::GuestError(fault)], true) => {
                assert_eq!((fault.kind, fault.addr), ("unmodelled", 0x1000_4010));
            }
            _ => panic!("{events:?}"),
        }
    }
}

#[test]
fn without_a_usb_host_a_wait_with_an_end_is_followed_by_a_boot() {
    let board = format!("usb_host = false\n{BOARD}");
    for (register, boots) in [(0x15, true), (0xFFFF, false)] {
        let (mut machine, mut host) = phone(&board, None, Some(b"lk"));
        boot(&mut machine, &mut host);
        machine.write(0x1000_141C, 4, register, &mut host);
        machine.write(0x1000_1420, 4, 0x5553_4244, &mut host);
        machine.write(0x1000_7014, 4, 0x1209, &mut host);
        machine.reset(&mut host);
        let before = machine.now();
        machine.take_events();
        machine.write(map::DOORBELL, 4, 0, &mut host);
        let entry = machine.read(map::DOORBELL, 4, &mut host);
        assert_eq!(entry != 0, boots);
        assert_eq!(machine.now() - before > 5_000_000_000, boots);
        let events = machine.take_events();
        let ended = |event: &Event| matches!(event, Event::UsbDownload { .. });
        assert_eq!(events.iter().any(ended), !boots);
        let wrong = |event: &&Event| matches!(event, Event::GuestError(_));
        assert_eq!(events.iter().find(wrong), None);
    }
}

#[test]
fn a_long_press_resets_the_soc_and_not_the_pmic() {
    let held = "[[user]]\nat_ms = 1000\npress = 'power'\n";
    let (mut machine, mut host) = phone(&format!("{BOARD}{held}"), None, Some(b"lk"));
    boot(&mut machine, &mut host);
    // TOP_RST_MISC: power key resets after code 3, five seconds.
    machine.write(0x1000_F09C, 4, 0x8000_0000 | 0x8E << 16 | 0x340, &mut host);
    host.now += 1_000_000;
    write_pdn1(0, &mut machine, &mut host);
    machine.write(0x1000_7020, 4, 0x1234, &mut host);
    for at in [1, 6] {
        host.now = at * 1_000_000_000 + 10;
        machine.timer(&mut host);
    }
    assert_eq!(host.resets, 1);
    machine.reset(&mut host);
    boot(&mut machine, &mut host);
    assert_eq!(host.word(0x800D_002C), 0, "as at power-on");
    assert_eq!(machine.read(0x1000_7020, 4, &mut host), 0, "NONRST_REG");
    machine.write(0x1000_F09C, 4, 0x25 << 16, &mut host);
    host.now += 1_000_000;
    assert_eq!(machine.read(0x1000_F0A0, 4, &mut host) & 0xFFFF, 1 << 14);
}

//! The way of a stock loader to its logo, on a whole phone: it tries the
//! panels that it knows, initialises the one that answers twice over, waits
//! 200 ms, and shows pages of a picture under a console that a source key
//! makes transparent.
//!
//! Source: facts/display.md 1.2 to 1.7, 2.1 to 2.5, 3.3 to 3.5, 3.8, 4.2 to 4.5, 5.3, 5.4, 6.3, 7.3, 7.4.

use super::*;
use crate::panel::Glass;

const US: Nanos = 1_000;
const MS: Nanos = 1_000_000;

const TOPCKGEN: u32 = 0x1000_0000;
const INFRACFG: u32 = 0x1000_1000;
const GPIO: u32 = 0x1000_5000;
const SPM: u32 = 0x1000_6000;
const MIPITX: u32 = 0x1001_1000;
const PWM: u32 = 0x1100_8000;
const MMSYS: u32 = 0x1400_0000;
const OVL: u32 = 0x1400_7000;
const RDMA: u32 = 0x1400_8000;
const BLS: u32 = 0x1400_A000;
const COLOR: u32 = 0x1400_B000;
const DSI: u32 = 0x1400_C000;
const MUTEX: u32 = 0x1400_E000;
const LARB0: u32 = 0x1401_0000;
const DBI: u32 = 0x1401_2000;

const BUSY: u32 = 1 << 31;
const RD_RDY: u32 = 1;
const FRAME_START: u32 = 1 << 1;

/// A width that is no multiple of 32, so that the lines of the picture's pages
/// are longer than those of the console.
const WIDTH: u32 = 360;
const HEIGHT: u32 = 640;
const PITCH: u32 = WIDTH.next_multiple_of(32) * 2;
const FB_BASE: u32 = 0x9F80_0000;
const FB_SIZE: u32 = PITCH * HEIGHT.next_multiple_of(32);
const PAGE_A: u32 = FB_BASE;
const CONSOLE: u32 = FB_BASE + FB_SIZE;
const PAGE_B: u32 = FB_BASE + 3 * FB_SIZE;
/// Transparent where the console's memory is zero.
const KEY: u32 = 0xFF00_0000;
const KEY_EN: u32 = 1 << 30;
const RGB565: u32 = 1 << 12;
/// A character of the console: its side, and where it stands.
const LETTER: u32 = 8;

/// The panel at the end of the list; PWM2 lights it.
const PHONE: &str = "
name = 'stock'
[dram]
ranks_mib = [512]
[panel]
controller = 'ili9806e'
width = 360
height = 640
lanes = 2
mode = 'sync-pulse'
format = 'rgb888'
family = 'ilitek-page'
backlight = 'pwm2'
answers = [
    { register = 0x00, bytes = [0x98], page = 1 },
    { register = 0x01, bytes = [0x06], page = 1 },
    { register = 0x02, bytes = [0x04], page = 1 },
]
init = [
    { cmd = 0xFF, args = [0xFF, 0x98, 0x06, 0x04, 0x01] },
    { cmd = 0x08, args = [0x10] },
    { cmd = 0xFF, args = [0xFF, 0x98, 0x06, 0x04, 0x06] },
    { cmd = 0x30, args = [0x22] },
    { cmd = 0xFF, args = [0xFF, 0x98, 0x06, 0x04, 0x00] },
    { cmd = 0x11, delay_ms = 120 },
    { cmd = 0x29, delay_ms = 10 },
]
[panel.timing]
vsa = 2
vbp = 18
vfp = 20
hsa = 10
hbp = 60
hfp = 60
mbps = [385, 395]
";

/// The loader's table: command, parameters, milliseconds afterwards.
const TABLE: [(u8, &[u8], u64); 7] = [
    (0xFF, &[0xFF, 0x98, 0x06, 0x04, 0x01], 0),
    (0x08, &[0x10], 0),
    (0xFF, &[0xFF, 0x98, 0x06, 0x04, 0x06], 0),
    (0x30, &[0x22], 0),
    (0xFF, &[0xFF, 0x98, 0x06, 0x04, 0x00], 0),
    (0x11, &[], 120),
    (0x29, &[], 10),
];

struct Loader {
    machine: Machine,
    host: TestHost,
}

impl Loader {
    fn new() -> Loader {
        let (mut machine, mut host) = phone(PHONE, None, Some(b"lk"));
        boot(&mut machine, &mut host);
        Loader { machine, host }
    }

    fn read(&mut self, addr: u32) -> u32 {
        self.machine.read(addr, 4, &mut self.host)
    }

    fn write(&mut self, addr: u32, value: u32) {
        self.machine.write(addr, 4, value, &mut self.host);
    }

    fn writes(&mut self, base: u32, list: &[(u32, u32)]) {
        for &(offset, value) in list {
            self.write(base + offset, value);
        }
    }

    fn set(&mut self, addr: u32, bits: u32) {
        let old = self.read(addr);
        self.write(addr, old | bits);
    }

    fn clear(&mut self, addr: u32, bits: u32) {
        let old = self.read(addr);
        self.write(addr, old & !bits);
    }

    fn wait(&mut self, time: Nanos) {
        let to = self.host.now + time;
        while let Some(at) = self.host.deadline.filter(|&at| at <= to) {
            self.host.now = self.host.now.max(at);
            self.machine.timer(&mut self.host);
        }
        self.host.now = to;
    }

    /// Polls in steps as long as the loader's own; how long it took.
    fn poll(&mut self, addr: u32, bits: u32, value: u32, step: Nanos) -> Option<Nanos> {
        let begin = self.host.now;
        (0..400).find_map(|_| {
            if self.read(addr) & bits == value {
                return Some(self.host.now - begin);
            }
            self.wait(step);
            None
        })
    }

    fn power(&mut self) {
        const PWR_CON: u32 = SPM + 0x23C;
        self.write(SPM, 0xB16 << 16 | 1);
        for bit in [2, 3] {
            self.set(PWR_CON, 1 << bit);
            self.wait(3 * US);
        }
        for status in [SPM + 0x60C, SPM + 0x610] {
            self.poll(status, 1 << 3, 1 << 3, US).unwrap();
        }
        for bit in [8, 9, 10, 11, 4, 1] {
            self.clear(PWR_CON, 1 << bit);
        }
        self.poll(PWR_CON, 0xF000, 0, US).unwrap();
        self.set(PWR_CON, 1 << 4);
        self.set(PWR_CON, 1);
        self.clear(PWR_CON, 1 << 4);
        self.clear(INFRACFG + 0x220, 1 << 11);
        self.poll(INFRACFG + 0x228, 1 << 11, 0, US).unwrap();
        self.writes(MMSYS, &[(0x108, 0xF), (0x108, 0x0020_81F0)]);
        self.write(LARB0 + 0x64, 0xF_FFFF);
        self.write(MMSYS + 0x30, 1);
    }

    fn pads(&mut self) {
        // LRSTB, the lanes and PWM2.
        for (pin, mode) in [
            (59, 2),
            (79, 1),
            (80, 1),
            (81, 1),
            (82, 1),
            (83, 1),
            (84, 1),
            (129, 1),
        ] {
            let group = GPIO + 0x300 + 0x10 * (pin / 8);
            self.write(group + 0xC, (mode | 8) << (4 * (pin % 8)));
        }
    }

    /// 390 Mbit/s: dividers 2 and 2, word 120.
    fn phy_on(&mut self) {
        self.set(MIPITX + 0x40, 1 << 1);
        self.set(MIPITX + 0x44, 2);
        self.set(MIPITX + 0x44, 1);
        self.wait(MS);
        self.set(MIPITX, 2);
        self.set(MIPITX, 1);
        self.set(MIPITX + 0x68, 1);
        self.wait(MS);
        self.clear(MIPITX + 0x68, 2);
        self.writes(
            MIPITX,
            &[(0x50, 0x28), (0x54, 0x01B1_0003), (0x58, 0x7800_0000)],
        );
        self.write(MIPITX + 0x5C, 0x048B_048B);
        self.writes(MIPITX, &[(0x04, 1), (0x08, 1), (0x0C, 1), (0x50, 0x29)]);
        self.wait(MS);
        self.set(MIPITX + 0x54, 1 << 2);
        self.write(MIPITX + 0x64, 3 << 8);
    }

    fn host_on(&mut self) {
        self.phy_on();
        self.write(MMSYS + 0x118, 0x13);
        // The saved copy, which is all zero the first time.
        for at in (0x08..0x60).chain(0x90..0x140).step_by(4) {
            self.write(DSI + at, 0);
        }
        self.writes(DSI, &[(0x90, 0x3C), (0x10, 2), (0x08, 1 << 4), (0x18, 0xC)]);
        self.clear(MIPITX + 0x40, 1 << 11);
        self.write(MIPITX + 0x80, 0);
        self.writes(DSI, &[(0x110, 0x0D07_0303), (0x114, 0x150F_040C)]);
        self.writes(DSI, &[(0x118, 0x0E13_0000), (0x11C, 0x0006_1503)]);
        self.writes(
            DSI,
            &[
                (0x1C, 0x3_0000 | (WIDTH * 3)),
                (0x2C, HEIGHT),
                (0x64, 1 << 16),
            ],
        );
        self.writes(
            DSI,
            &[(0x130, 0x21), (0x20, 2), (0x24, 18), (0x28, 20), (0x50, 20)],
        );
        // BLLP is computed from a parameter that no driver gives.
        self.writes(DSI, &[(0x54, 170), (0x58, 168), (0x5C, 0xFF6)]);
        self.wait(MS);
    }

    /// Lanes into ULPS, PHY off, clocks off.
    fn host_off(&mut self) {
        for (register, bits) in [(0x108, 0), (0x108, 2), (0x104, 0), (0x104, 2)] {
            self.write(DSI + register, bits);
            self.wait(MS);
        }
        self.writes(MIPITX, &[(0x84, 0x0030_C183), (0x80, 1), (0x50, 0x28)]);
        self.wait(MS);
        self.set(MIPITX + 0x40, 1 << 11);
        self.clear(MIPITX + 0x40, 1 << 1);
        self.writes(MIPITX, &[(0x04, 0), (0x08, 0), (0x0C, 0)]);
        self.wait(MS);
        self.writes(MIPITX, &[(0x00, 1), (0x00, 0), (0x64, 0)]);
        self.clear(MIPITX + 0x54, 1);
        self.set(MIPITX + 0x68, 2);
        self.clear(MIPITX + 0x68, 1);
        self.wait(MS);
        self.clear(MIPITX + 0x44, 2);
        self.clear(MIPITX + 0x44, 1);
        self.write(MMSYS + 0x114, 0x13);
    }

    fn start(&mut self, queue: &[u32]) {
        self.poll(DSI + 0x0C, BUSY, 0, MS).unwrap();
        self.write(DSI + 0x0C, 0);
        for (index, &word) in queue.iter().enumerate() {
            self.write(DSI + 0x180 + 4 * index as u32, word);
        }
        self.writes(DSI, &[(0x60, queue.len() as u32), (0x00, 0), (0x00, 1)]);
    }

    /// The loader's "V2": generic packets for the maker's registers.
    fn send(&mut self, command: u8, args: &[u8]) {
        let maker = command >= 0xB0;
        let short = |id: u8, arg: u8| vec![u32::from_le_bytes([0, id, command, arg])];
        let queue = match *args {
            [] => short(if maker { 0x13 } else { 0x05 }, 0),
            [arg] => short(if maker { 0x23 } else { 0x15 }, arg),
            _ => {
                let id = if maker { 0x29 } else { 0x39 };
                let payload = [&[command], args].concat();
                let header = u32::from_le_bytes([2, id, payload.len() as u8, 0]);
                let words = payload.chunks(4).map(|bytes| {
                    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
                    u32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)])
                });
                [header].into_iter().chain(words).collect()
            }
        };
        self.start(&queue);
    }

    /// A read into a buffer of `len` bytes: the first two data words.
    fn ask(&mut self, command: u8, len: u8) -> [u32; 2] {
        self.start(&[u32::from_le_bytes([0, 0x37, len, 0])]);
        self.poll(DSI + 0x0C, BUSY, 0, MS).unwrap();
        let id = if len < 3 { 0x06 } else { 0x14 };
        self.write(DSI + 0x84, 1);
        self.start(&[u32::from_le_bytes([4, id, command, 0])]);
        self.poll(DSI + 0x0C, RD_RDY, RD_RDY, MS).unwrap();
        self.writes(DSI, &[(0x84, 1), (0x00, 0)]);
        [self.read(DSI + 0x74), self.read(DSI + 0x78)]
    }

    fn reset_panel(&mut self) {
        for (level, time) in [(1, 10), (0, 10), (1, 120)] {
            self.write(DBI + 0x10, level);
            self.wait(time * MS);
        }
    }

    /// Asks as the drivers of two makers do; the index of the first that is right.
    fn detect(&mut self) -> Option<usize> {
        self.host_on();
        self.reset_panel();
        for (command, args) in [(0x00, &[0x00][..]), (0xFF, &[0x80, 0x19, 0x01])] {
            self.send(command, args);
        }
        let [head, body] = self.ask(0xA1, 5);
        assert_eq!(head & 0xFF, 0x1A, "a long answer");
        if body >> 16 == 0x1980 {
            return Some(0);
        }
        self.host_off();
        self.host_on();
        self.reset_panel();
        self.send(0xFF, &[0xFF, 0x98, 0x06, 0x04, 0x01]);
        let id = [0, 1, 2].map(|register| self.ask(register, 1)[0] >> 8 & 0xFF);
        (id == [0x98, 0x06, 0x04]).then_some(1)
    }

    fn init_panel(&mut self) {
        self.reset_panel();
        for (command, args, delay) in TABLE {
            self.send(command, args);
            self.wait(delay * MS);
        }
    }

    fn reset_host(&mut self) {
        self.poll(DSI + 0x0C, BUSY, 0, MS).unwrap();
        self.set(DSI + 0x10, 1);
        self.clear(DSI + 0x10, 1);
    }

    fn lock(&mut self) {
        self.writes(MUTEX, &[(0x20, 1), (0x24, 1)]);
        self.poll(MUTEX + 0x24, 2, 2, 50 * US).unwrap();
    }

    fn release(&mut self) {
        self.write(MUTEX + 0x24, 0);
        self.poll(MUTEX + 0x24, 2, 0, 50 * US).unwrap();
    }

    fn layer(&mut self, index: u32, addr: u32, pitch: u32, key: Option<u32>) {
        for status in [OVL + 0x08, RDMA + 0x04, COLOR + 0xF08, BLS + 0x0C] {
            self.write(status, 0);
        }
        let size = HEIGHT << 16 | WIDTH;
        let base = OVL + 0x20 * index;
        let con = RGB565 | key.map_or(0, |_| KEY_EN);
        self.writes(base, &[(0xC0, 1), (0x30, con), (0x38, size), (0x3C, 0)]);
        self.writes(
            base,
            &[(0x40, addr), (0x44, pitch), (0x34, key.unwrap_or(0))],
        );
        self.set(OVL + 0x2C, 1 << index);
    }

    /// OVL to RDMA to COLOR to BLS to DSI, with the picture's layer and the console's.
    fn configure(&mut self) {
        let size = HEIGHT << 16 | WIDTH;
        self.lock();
        self.writes(MUTEX, &[(0x28, 1), (0x28, 0), (0x2C, 0x688), (0x30, 1)]);
        self.writes(MUTEX, &[(0x04, 1), (0x00, 1), (0x20, 1)]);
        self.writes(
            MMSYS,
            &[(0x30, 1), (0x4C, 0), (0x50, 0), (0x54, 0), (0x58, 0)],
        );
        self.writes(OVL, &[(0x04, 0), (0x0C, 0), (0x20, size), (0x28, 0)]);
        self.write(OVL + 0x24, 0);
        self.layer(2, PAGE_A, PITCH, None);
        self.layer(3, CONSOLE, WIDTH * 2, Some(KEY));
        self.writes(OVL, &[(0x04, 0xF), (0x0C, 1)]);
        let duty = self.read(BLS + 0xA0);
        self.writes(
            BLS,
            &[(0x18, size), (0xA0, duty), (0xA8, 0), (0x00, 1 << 16)],
        );
        self.writes(COLOR, &[(0xF50, WIDTH), (0xF54, HEIGHT)]);
        self.writes(COLOR, &[(0x400, 0x2000_00BF), (0xF00, 1)]);
        self.writes(RDMA, &[(0x10, 0), (0x10, 0x10), (0x10, 0)]);
        self.writes(RDMA, &[(0x24, 0), (0x28, 0), (0x2C, 0)]);
        self.writes(RDMA, &[(0x38, 0x20), (0x40, 0x8100_0040)]);
        self.writes(RDMA, &[(0x14, WIDTH), (0x18, HEIGHT), (0x10, 1)]);
        self.release();
    }

    /// Shows a page, and waits until it is in effect.
    fn show(&mut self, page: u32) {
        self.lock();
        self.write(OVL + 0x80, page);
        self.release();
        self.commit();
    }

    fn commit(&mut self) {
        self.poll(MUTEX + 0x04, 1, 1, 50 * US).unwrap();
        self.write(MUTEX + 0x04, 0);
    }

    fn start_video(&mut self) {
        self.write(DSI + 0x14, 1);
        self.set(DSI + 0x104, 1);
        self.writes(DSI, &[(0x00, 0), (0x00, 1)]);
    }

    fn backlight_on(&mut self) {
        self.write(TOPCKGEN + 0x84, 1 << 9);
        self.writes(
            PWM + 0x50,
            &[(0x00, 31 << 9 | 1 << 8), (0x04, 1), (0x08, 1), (0x0C, 63)],
        );
        self.writes(PWM + 0x50, &[(0x20, !0), (0x28, 0)]);
        self.set(PWM, 1 << 1);
    }

    /// Fills lines of `pitch` bytes; what no one may see is not black.
    fn draw(&mut self, base: u32, pitch: u32, pixel: impl Fn(u32, u32) -> u16) {
        for y in 0..HEIGHT {
            let line = (0..pitch / 2).map(|x| if x < WIDTH { pixel(x, y) } else { 0xF81F });
            let line: Vec<u8> = line.flat_map(u16::to_le_bytes).collect();
            assert!(Memory::write(&mut self.host, base + y * pitch, &line));
        }
    }

    fn glass(&mut self) -> Glass {
        self.machine.glass(&mut self.host).unwrap()
    }

    /// Asserts that one sees exactly this, and that the panel has nothing to say about it.
    fn sees(&mut self, pixel: impl Fn(u32, u32) -> u16) {
        let glass = self.glass();
        assert_eq!((glass.state, &*glass.reason), ("picture", "a picture"));
        let at = |index: u32| pixel(index % WIDTH, index / WIDTH);
        let wanted = (0..WIDTH * HEIGHT).flat_map(|index| {
            let full = |bits: u16, shift: u16| u8::from(at(index) >> shift & bits != 0) * 255;
            [full(0x1F, 11), full(0x3F, 5), full(0x1F, 0)]
        });
        let mut differs = wanted.zip(glass.rgb).enumerate();
        let first = differs.find(|(_, (wanted, seen))| wanted != seen);
        assert_eq!(first, None, "the first byte that is not as wanted");
    }
}

/// Tiles in the eight colours whose channels are off or full.
fn logo(x: u32, y: u32) -> u16 {
    let tile = x / 24 + 3 * (y / 40);
    let channel = |bit: u32, full: u16| if tile >> bit & 1 != 0 { full } else { 0 };
    channel(0, 0xF800) | channel(1, 0x07E0) | channel(2, 0x001F)
}

fn mirrored(x: u32, y: u32) -> u16 {
    logo(WIDTH - 1 - x, y)
}

fn console(x: u32, y: u32) -> u16 {
    let inside = (LETTER..2 * LETTER).contains(&x) && (LETTER..2 * LETTER).contains(&y);
    if inside { 0xFFFF } else { 0 }
}

/// The console over a picture.
fn under_console(picture: fn(u32, u32) -> u16) -> impl Fn(u32, u32) -> u16 {
    move |x, y| match console(x, y) {
        0 => picture(x, y),
        letter => letter,
    }
}

/// Up to the backlight behind the first black frames.
fn lit() -> Loader {
    let mut loader = Loader::new();
    loader.power();
    loader.pads();
    assert_eq!(loader.detect(), Some(1));
    loader.init_panel();
    loader.reset_host();
    loader.write(DSI + 0x14, 1);
    loader.configure();

    // Once more, as "resume"; the stream has not begun.
    loader.write(DSI + 0x14, 0);
    loader.init_panel();
    loader.reset_host();
    loader.write(DSI + 0x14, 1);
    loader.wait(200 * MS);
    // The memory still holds what the preloader left there.
    for page in [PAGE_A, CONSOLE, PAGE_B] {
        loader.draw(page, PITCH, |_, _| 0);
    }
    loader.draw(CONSOLE, WIDTH * 2, |_, _| 0);
    loader.lock();
    loader.write(OVL + 0x80, PAGE_B);
    loader.release();
    loader.start_video();
    loader.commit();
    loader.show(PAGE_A);
    let glass = loader.glass();
    assert_eq!(glass.state, "off");
    assert!(glass.reason.ends_with("behind it: a picture"));
    loader.backlight_on();
    loader.sees(|_, _| 0);
    loader
}

#[test]
fn a_stock_loader_shows_its_logo() {
    let mut loader = lit();
    loader.draw(CONSOLE, WIDTH * 2, console);
    for (page, picture) in [
        (PAGE_B, logo as fn(u32, u32) -> u16),
        (PAGE_A, mirrored),
        (PAGE_B, logo),
    ] {
        loader.draw(page, PITCH, picture);
        loader.show(page);
        loader.sees(under_console(picture));
    }

    // The time of a frame for the kernel: two starts in a row.
    let mut frame = 0;
    for _ in 0..2 {
        loader.clear(RDMA + 0x04, FRAME_START);
        let polled = loader.poll(RDMA + 0x04, FRAME_START, FRAME_START, 50 * US);
        frame = polled.unwrap();
    }
    // 490 pixels, 24 bits each, in 680 lines over two lanes of 390 Mbit/s.
    let stated = 490 * 24 * 680 * 1000 / 780;
    assert!(
        frame.abs_diff(stated) < stated / 50,
        "{frame} ns, not {stated}"
    );

    // The kernel finds the picture in the first page.
    loader.draw(PAGE_A, PITCH, logo);
    loader.show(PAGE_A);
    loader.sees(under_console(logo));
    assert_eq!(faults(&mut loader.machine), []);
}

#[test]
fn without_the_source_key_the_console_hides_the_logo() {
    let mut loader = lit();
    loader.draw(CONSOLE, WIDTH * 2, console);
    loader.draw(PAGE_B, PITCH, logo);
    loader.show(PAGE_B);
    loader.lock();
    loader.write(OVL + 0x90, RGB565);
    loader.release();
    loader.sees(under_console(logo));
    loader.commit();
    loader.sees(console);
}

#[test]
fn a_register_that_the_table_leaves_out_garbles_the_logo() {
    let mut loader = lit();
    loader.draw(PAGE_B, PITCH, logo);
    loader.show(PAGE_B);
    loader.write(DSI + 0x14, 0);
    loader.reset_host();
    loader.reset_panel();
    for (command, args, delay) in TABLE {
        if command != 0x30 {
            loader.send(command, args);
            loader.wait(delay * MS);
        }
    }
    loader.reset_host();
    loader.wait(200 * MS);
    loader.start_video();
    let glass = loader.glass();
    assert_eq!(glass.state, "garbled");
    assert!(glass.reason.ends_with(": 6:30"), "{}", glass.reason);
}

#[test]
fn the_display_domain_forgets_all_when_it_goes_off() {
    let mut loader = lit();
    loader.draw(PAGE_B, PITCH, logo);
    loader.show(PAGE_B);
    let signals = &loader.machine.signals;
    assert!(signals.video_since.is_some() && signals.lrstb);
    assert_ne!(signals.display.ovl, crate::display::Ovl::default());
    let phy = loader.read(MIPITX + 0x40);
    loader.clear(SPM + 0x23C, 1);
    let signals = &loader.machine.signals;
    assert_eq!(signals.video_since, None);
    assert!(!signals.lrstb, "the panel's reset line is the domain's");
    assert_eq!(signals.display.gated, !0);
    assert_eq!(signals.display.ovl, crate::display::Ovl::default());
    assert_eq!(
        signals.display.mutexes,
        [crate::display::Mutex::default(); 8]
    );
    assert_eq!(loader.glass().state, "white");
    loader.power();
    loader.write(MMSYS + 0x118, 0x13);
    for register in [
        OVL + 0x0C,
        RDMA + 0x14,
        COLOR + 0xF00,
        DSI + 0x14,
        MUTEX + 0x20,
    ] {
        assert_eq!(loader.read(register), 0, "{register:#x}");
    }
    assert_eq!(loader.read(MIPITX + 0x40), phy, "it has another supply");
    assert_eq!(
        loader.machine.signals.display.gated,
        loader.machine.signals.mm_cg0
    );
    assert_eq!(faults(&mut loader.machine), []);
}

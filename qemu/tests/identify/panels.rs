//! The panels of the matrix at the level of their model: with its own table
//! and a host that fits it, each shows a picture.
//!
//! What they answer is asked as facts/display.md 5.5 says, in
//! [`each_controller_answers_as_the_facts_say`].

use mt6572_qemu::board::Board;
use mt6572_qemu::display::Picture;
use mt6572_qemu::panel::config::{Config, OneOrMore, Span};
use mt6572_qemu::panel::{Glass, Link, LinkMode, Packet, Panel};
use mt6572_qemu::signals::RAILS;

use crate::bench::Bench;
use crate::expect;

/// A panel, out of reset, with supplies and light.
struct Lit {
    bench: Bench,
    panel: Panel,
    config: Config,
}

impl Lit {
    fn new(board: &Board) -> Option<Lit> {
        let config = board.panel.clone()?;
        let mut lit = Lit {
            bench: Bench::new(board),
            panel: Panel::new(Some(config.clone())),
            config,
        };
        let signals = &mut lit.bench.signals;
        signals.rails_mv = [2800; RAILS];
        signals.isink_permille = Some(1000);
        signals.bls_permille = Some(1000);
        signals.pwm_permille = [1000; 5];
        lit.bench.drive(144, true);
        lit.reset(true);
        lit.bench.wait(10);
        // Those that are deaf at first want three.
        for _ in 0..3 {
            lit.reset(false);
            lit.bench.wait(10);
            lit.reset(true);
            lit.bench.wait(150);
        }
        Some(lit)
    }

    /// LRSTB and the pins that take its place.
    fn reset(&mut self, high: bool) {
        let signals = &mut self.bench.signals;
        signals.lrstb = high;
        for pin in [56, 59] {
            signals.pin_out_level[pin] = high;
        }
        self.panel.watch(&mut self.bench.cx());
    }

    fn send(&mut self, data_type: u8, payload: &[u8]) {
        let packet = Packet {
            data_type,
            payload,
            high_speed: false,
        };
        self.panel.packet(&packet, &mut self.bench.cx());
    }

    /// As the vendor's loader sends it: facts/panels.md, "Facts about the
    /// MT6572 DSI driver".
    fn write(&mut self, payload: &[u8]) {
        let data_type = match (payload.len(), payload[0] >= 0xB0) {
            (1, false) => 0x05,
            (1, true) => 0x13,
            (2, false) => 0x15,
            (2, true) => 0x23,
            (_, false) => 0x39,
            (_, true) => 0x29,
        };
        self.send(data_type, payload);
    }

    fn init(&mut self) {
        for write in self.config.init.clone() {
            self.write(&write.payload());
            self.bench.wait(write.delay_ms.into());
        }
        self.bench.wait(120);
    }

    fn ask(&mut self, register: u8, limit: u8) -> Vec<u8> {
        self.send(0x37, &[limit, 0]);
        self.send(0x06, &[register]);
        let packet = self.panel.turn_around(&mut self.bench.cx());
        match packet.as_deref() {
            Some([0x21, one, ..]) => vec![*one],
            Some([0x22, one, two, ..]) => vec![*one, *two],
            Some([_, _, _, _, bytes @ ..]) => bytes.to_vec(),
            _ => Vec::new(),
        }
    }

    fn link(&self) -> Link {
        let config = &self.config;
        let middle = |span: Option<Span>| match span {
            Some(Span::Exact(value)) => value,
            Some(Span::Range([low, high])) => u32::midpoint(low, high),
            None => 8,
        };
        let mode = match &config.mode {
            OneOrMore::One(mode) => *mode,
            OneOrMore::More(modes) => modes[0],
        };
        let timing = &config.timing;
        let bpp = config.format.bytes();
        let back = match mode {
            LinkMode::SyncEvent => middle(timing.hbp) + middle(timing.hsa),
            _ => middle(timing.hbp),
        };
        let words = |pixels: u32, overhead: u32| (pixels * bpp).saturating_sub(overhead) as u16;
        Link {
            lanes_hw: config.lanes,
            lanes: config.lanes,
            mbps: timing.mbps.map_or(400, |mbps| middle(Some(mbps))),
            format: config.format,
            mode,
            bytes_per_line: (config.width * bpp) as u16,
            vsa: middle(timing.vsa) as u16,
            vbp: middle(timing.vbp) as u16,
            vfp: middle(timing.vfp) as u16,
            vact: config.height as u16,
            hsa_wc: words(middle(timing.hsa), 10),
            hbp_wc: words(back, 10),
            hfp_wc: words(middle(timing.hfp), 12),
            clock_hs: true,
            continuous_clock: true,
            eot: true,
        }
    }

    fn show(&mut self, link: &Link) -> Glass {
        let (width, height) = (self.config.width as usize, self.config.height as usize);
        let picture = Picture {
            width,
            height,
            rgb: vec![7; width * height * 3],
        };
        if link.mode != LinkMode::Command {
            self.panel.video(Some(link), &mut self.bench.cx());
        }
        self.panel.frame(link, Some(&picture), &mut self.bench.cx());
        self.panel
            .glass(Some(&picture), self.bench.now, &self.bench.signals)
    }
}

#[test]
fn every_panel_shows_a_picture_after_its_own_table() {
    for expected in expect::all() {
        let board = expected.board();
        let Some(mut lit) = Lit::new(&board) else {
            continue;
        };
        lit.init();
        let link = lit.link();
        let glass = lit.show(&link);
        if lit.config.faults.unplugged {
            assert_eq!(glass.state, "absent", "{}", expected.file);
            continue;
        }
        assert_eq!(
            (glass.state, glass.backlight),
            ("picture", 1000),
            "{}: {}",
            expected.file,
            glass.reason
        );
        let complaints: Vec<_> = lit.bench.reports.iter().map(|r| &r.message).collect();
        assert!(complaints.is_empty(), "{}: {complaints:?}", expected.file);
        // One that was left as the reset left it shows none.
        let mut lit = Lit::new(&board).unwrap();
        lit.write(&[0x11]);
        lit.bench.wait(120);
        lit.write(&[0x29]);
        let glass = lit.show(&link);
        assert_ne!(glass.state, "picture", "{}", expected.file);
    }
}

/// Unlock writes, register, maximum return size, and the bytes that the
/// vendors' drivers check: (index, value).
type Question = (&'static [&'static [u8]], u8, u8, &'static [(usize, u8)]);

const NOVATEK: &[&[u8]] = &[&[0xF0, 0x55, 0xAA, 0x52, 0x08, 0x01]];
const ILI9806: &[&[u8]] = &[&[0xFF, 0xFF, 0x98, 0x16]];
const ILI9806E: &[&[u8]] = &[&[0xFF, 0xFF, 0x98, 0x06, 0x04, 0x01]];

/// Source: facts/display.md 5.5.
#[rustfmt::skip]
const QUESTIONS: &[(&str, Question)] = &[
    ("fl10802a", (&[], 0x04, 3, &[(0, 0x10), (1, 0x80)])),
    ("hx8357c", (&[&[0xB9, 0xFF, 0x83, 0x57]], 0xD0, 2, &[(1, 0x90)])),
    ("hx8357d", (&[&[0xB9, 0xFF, 0x83, 0x57]], 0xD0, 2, &[(1, 0x99)])),
    ("hx8369", (&[&[0xB9, 0xFF, 0x83, 0x69]], 0xF4, 2, &[(0, 0x69)])),
    ("hx8379a", (&[&[0xB9, 0xFF, 0x83, 0x79]], 0xF4, 2, &[(0, 0x79)])),
    ("hx8379c", (&[&[0xB9, 0xFF, 0x83, 0x79]], 0xC3, 5, &[(0, 0x83), (1, 0x79), (2, 0x0C)])),
    ("hx8389b", (&[&[0xB9, 0xFF, 0x83, 0x89]], 0xF4, 2, &[(0, 0x89)])),
    ("ili9806", (ILI9806, 0xD3, 3, &[(1, 0x98), (2, 0x16)])),
    ("ili9806e", (ILI9806E, 0x00, 1, &[(0, 0x98)])),
    ("ili9806e", (ILI9806E, 0x01, 1, &[(0, 0x06)])),
    ("ili9806e", (ILI9806E, 0x02, 1, &[(0, 0x04)])),
    ("ili9806h", (ILI9806, 0xD3, 3, &[(1, 0x98), (2, 0x26)])),
    ("jd9161", (&[], 0x04, 3, &[(0, 0x91), (1, 0x61)])),
    ("nt35310", (&[], 0xD4, 4, &[(1, 0x53), (2, 0x10)])),
    ("nt35512", (NOVATEK, 0xC5, 3, &[(0, 0x55), (1, 0x12)])),
    ("nt35517", (NOVATEK, 0xC5, 3, &[(0, 0x55), (1, 0x17)])),
    ("nt35590", (&[], 0xF4, 2, &[(0, 0x90)])),
    ("otm8009a", (&[], 0xA1, 5, &[(0, 0x01), (1, 0x8B), (2, 0x80), (3, 0x09)])),
    ("otm8009a", (&[&[0, 0], &[0xFF, 0x80, 0x09, 0x01], &[0, 0x50]], 0xF8, 1, &[(0, 0x00)])),
    ("otm8012a", (&[], 0xA1, 5, &[(2, 0x80), (3, 0x12)])),
    ("otm8018b", (&[], 0xA1, 5, &[(2, 0x80), (3, 0x09)])),
    ("otm8018b", (&[&[0, 0], &[0xFF, 0x80, 0x09, 0x01], &[0, 0x50]], 0xF8, 1, &[(0, 0x02)])),
    ("otm8018b", (&[&[0, 0], &[0xFF, 0x80, 0x09, 0x01], &[0, 0x02]], 0xD2, 2, &[(0, 0x80), (1, 0x09)])),
    ("otm8019a", (&[], 0xA1, 5, &[(2, 0x80), (3, 0x19)])),
    ("otm9605a", (&[], 0xA1, 5, &[(2, 0x96), (3, 0x05)])),
    ("otm9608a", (&[], 0xA1, 5, &[(2, 0x96), (3, 0x08)])),
    ("r61408", (&[&[0xB0, 0x04]], 0xBF, 5, &[(2, 0x14), (3, 0x08)])),
    ("rm68171", (&[], 0x04, 3, &[(0, 0x11), (1, 0x80)])),
    ("rm68172", (NOVATEK, 0xC5, 3, &[(0, 0x72), (1, 0x81)])),
    ("rm68190", (NOVATEK, 0xC5, 2, &[(0, 0x81), (1, 0x90)])),
    ("rm68191", (NOVATEK, 0xC5, 2, &[(0, 0x81), (1, 0x91)])),
    ("rm69032", (&[], 0x04, 3, &[(0, 0x00), (1, 0x80), (2, 0x00)])),
    ("st7701", (&[], 0xA1, 2, &[(0, 0x77), (1, 0x01)])),
];

#[test]
fn each_controller_answers_as_the_facts_say() {
    let mut asked = std::collections::BTreeSet::new();
    for expected in expect::all()
        .iter()
        .filter(|expected| !expected.has_fault())
    {
        let board = expected.board();
        let Some(config) = &board.panel else { continue };
        if config.answers.is_empty() {
            continue;
        }
        let questions = QUESTIONS.iter().filter(|(of, _)| *of == config.controller);
        for (controller, (unlock, register, limit, wanted)) in questions {
            asked.insert(*controller);
            let mut lit = Lit::new(&board).unwrap();
            for write in *unlock {
                lit.write(write);
            }
            let found = lit.ask(*register, *limit);
            for &(index, value) in *wanted {
                assert_eq!(
                    found.get(index),
                    Some(&value),
                    "{}: {register:02X} gives {found:02X?}",
                    expected.file
                );
            }
            if !unlock.is_empty() {
                let locked = Lit::new(&board).unwrap().ask(*register, *limit);
                assert!(locked.iter().all(|&byte| byte == 0), "{}", expected.file);
            }
        }
    }
    assert!(asked.len() >= 24, "{asked:?}");
}

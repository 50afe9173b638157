//! The panel at work: with the boards of the folder, and with small ones.

#![allow(clippy::unwrap_used)]

mod waits;

use super::*;
use crate::board::Board;
use crate::bus::TestWorld;
use crate::signals::Rail;
use config::{OneOrMore, Span};

const MS: Nanos = 1_000_000;

/// A panel on a bench: its reset pin, its backlight, a host.
struct Bench {
    world: TestWorld,
    panel: Panel,
    config: Config,
}

/// A small panel in the manner of `family`, with more entries before and after
/// the tables.
fn small(family: &str, entries: &str, tables: &str) -> Config {
    let text = format!(
        "controller = 'small'\nwidth = 8\nheight = 6\nlanes = 1\nmode = 'sync-pulse'\n\
         format = 'rgb888'\nbacklight = 'always'\nfamily = '{family}'\n{entries}\n\
         {}{tables}",
        if entries.contains("init =") {
            ""
        } else {
            "init = [{cmd = 0x36, args = [8]}, {cmd = 0x11, delay_ms = 120}, {cmd = 0x29}]\n"
        }
    );
    let config: Config = toml::from_str(&text).unwrap();
    config.check().unwrap();
    config
}

impl Bench {
    /// With supplies and light, out of reset for long.
    fn new(config: Config) -> Bench {
        let mut bench = Bench {
            world: TestWorld::default(),
            panel: Panel::new(Some(config.clone())),
            config,
        };
        let signals = &mut bench.world.signals;
        signals.pin_mode[59] = 2;
        signals.rails_mv = [3300; crate::signals::RAILS];
        signals.isink_permille = Some(1000);
        signals.bls_permille = Some(1000);
        signals.pwm_permille = [1000; 5];
        for (pin, mode) in [(22, 2), (128, 1), (129, 1)] {
            signals.pin_mode[pin] = mode;
        }
        bench.watch();
        bench.pulse(10);
        bench.wait(150);
        bench
    }

    fn of_board(name: &str) -> Bench {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("boards");
        let board = Board::load(&path.join(name).with_extension("toml")).unwrap();
        Bench::new(board.panel.unwrap())
    }

    fn watch(&mut self) {
        self.panel.watch(&mut self.world.cx());
    }

    fn wait(&mut self, ms: Nanos) {
        self.world.now += ms * MS;
    }

    /// A reset pulse.
    fn pulse(&mut self, ms: Nanos) {
        self.world.signals.lrstb = false;
        self.watch();
        self.wait(ms);
        self.world.signals.lrstb = true;
        self.watch();
    }

    fn send(&mut self, data_type: u8, payload: &[u8]) {
        let packet = Packet {
            data_type,
            payload,
            high_speed: false,
        };
        self.panel.packet(&packet, &mut self.world.cx());
    }

    /// A write as the vendor's loader sends it.
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

    fn read(&mut self, register: u8, limit: u8) -> Option<Vec<u8>> {
        self.send(0x37, &[limit, 0]);
        self.send(0x06, &[register, 0]);
        self.panel.turn_around(&mut self.world.cx())
    }

    /// The bytes of an answer.
    fn ask(&mut self, register: u8, limit: u8) -> Vec<u8> {
        let packet = self.read(register, limit).unwrap();
        match packet[0] {
            0x21 => packet[1..2].to_vec(),
            0x22 => packet[1..3].to_vec(),
            _ => packet[4..].to_vec(),
        }
    }

    fn init(&mut self) {
        for write in self.config.init.clone() {
            self.write(&write.payload());
            self.wait(Nanos::from(write.delay_ms));
        }
        self.wait(120);
    }

    /// What the panel wants.
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
            hsa_wc: (middle(timing.hsa) * bpp).saturating_sub(10) as u16,
            hbp_wc: (back * bpp).saturating_sub(10) as u16,
            hfp_wc: (middle(timing.hfp) * bpp).saturating_sub(12) as u16,
            clock_hs: true,
            continuous_clock: true,
            eot: true,
        }
    }

    fn picture(&self) -> Picture {
        let (width, height) = (self.config.width as usize, self.config.height as usize);
        let rgb = (0..width * height)
            .flat_map(|at| [(at % width) as u8, (at / width) as u8, 7])
            .collect();
        Picture { width, height, rgb }
    }

    fn show(&mut self, link: &Link) -> Glass {
        let picture = self.picture();
        if link.mode != LinkMode::Command {
            self.panel.video(Some(link), &mut self.world.cx());
        }
        self.panel.frame(link, Some(&picture), &mut self.world.cx());
        self.panel
            .glass(Some(&picture), self.world.now, &self.world.signals)
    }

    fn glass(&self) -> Glass {
        self.panel.glass(None, self.world.now, &self.world.signals)
    }

    /// After its own initialisation and with a host that `change` has changed.
    fn lit(config: Config, change: impl FnOnce(&mut Link)) -> Glass {
        let mut bench = Bench::new(config);
        bench.init();
        let mut link = bench.link();
        change(&mut link);
        bench.show(&link)
    }

    fn refusals(&mut self) -> Vec<String> {
        let reports = self.world.reports.drain(..);
        reports.map(|report| report.message).collect()
    }
}

#[test]
fn every_board_shows_its_picture_after_its_own_table() {
    for name in [
        "panel-ili9806e",
        "panel-ili9806e-pwm2",
        "panel-otm8018b",
        "panel-hx8379a",
        "panel-hx8379c",
        "panel-nt35510-cmd",
        "panel-ili9488-cmd",
        "panel-r61408-cmd",
        "panel-st7701",
        "panel-st7785m",
    ] {
        let mut bench = Bench::of_board(name);
        assert_eq!(bench.glass().state, "white", "{name}");
        bench.init();
        let link = bench.link();
        let glass = bench.show(&link);
        assert_eq!(
            (glass.state, glass.backlight),
            ("picture", 1000),
            "{name}: {}",
            glass.reason
        );
        assert_eq!(glass.rgb, bench.picture().rgb, "{name}");
        assert_eq!(bench.refusals(), [""; 0], "{name}");
        // A row less is another picture.
        bench.pulse(10);
        bench.wait(150);
        bench.config.init.remove(4);
        bench.init();
        let glass = bench.show(&link);
        assert_ne!(glass.rgb, bench.picture().rgb, "{name}: {}", glass.reason);
    }
}

#[test]
fn each_family_answers_as_the_vendors_drivers_ask() {
    let mut bench = Bench::of_board("panel-ili9806e");
    assert_eq!(bench.ask(0x00, 1), [0], "page 0");
    bench.write(&[0xFF, 0xFF, 0x98, 0x06, 0x04, 0x01]);
    assert_eq!([0, 1, 2].map(|at| bench.ask(at, 1)[0]), [0x98, 0x06, 0x04]);

    let mut bench = Bench::of_board("panel-otm8018b");
    assert_eq!(bench.ask(0xA1, 5), [0x01, 0x8B, 0x80, 0x09, 0xFF]);
    bench.write(&[0x00, 0x00]);
    bench.write(&[0xFF, 0x80, 0x09, 0x01]);
    assert_eq!(bench.ask(0xF8, 1), [0x00]);
    bench.write(&[0x00, 0x50]);
    assert_eq!(bench.ask(0xF8, 1), [0x02]);

    let mut bench = Bench::of_board("panel-hx8379a");
    assert_eq!(bench.ask(0xF4, 2), [0, 0], "locked");
    bench.write(&[0xB9, 0xFF, 0x83, 0x69]);
    assert_eq!(bench.ask(0xF4, 2), [0, 0], "another's key");
    bench.write(&[0xB9, 0xFF, 0x83, 0x79]);
    assert_eq!(bench.ask(0xF4, 2), [0x79, 0]);
    bench.pulse(10);
    bench.wait(10);
    assert_eq!(bench.ask(0xF4, 2), [0, 0], "a reset locks it");

    let mut bench = Bench::of_board("panel-nt35510-cmd");
    assert_eq!(bench.ask(0xC5, 2), [0, 0]);
    bench.write(&[0xF0, 0x55, 0xAA, 0x52, 0x08, 0x01]);
    assert_eq!(bench.ask(0xC5, 2), [0x55, 0x10]);

    let mut bench = Bench::of_board("panel-r61408-cmd");
    bench.write(&[0xB0, 0x04]);
    assert_eq!(bench.ask(0xBF, 5)[2..4], [0x14, 0x08]);

    let mut bench = Bench::of_board("panel-st7701");
    assert_eq!(bench.ask(0xA1, 2), [0x77, 0x01]);
    let mut bench = Bench::of_board("panel-ili9488-cmd");
    assert_eq!(bench.ask(0xD3, 4), [0x00, 0x00, 0x94, 0x88]);
}

#[test]
fn replies_keep_to_the_maximum_return_size() {
    let answers = "answers = [{register = 4, bytes = [0x83, 0x79, 0x0C]},\
                   {register = 5, bytes = [7], kind = 'generic'}]";
    let mut bench = Bench::new(small("dcs", answers, ""));
    bench.send(0x06, &[4, 0]);
    let reply = bench.panel.turn_around(&mut bench.world.cx()).unwrap();
    assert_eq!(reply[..3], [0x21, 0x83, 0x00], "1 byte after a reset");
    assert_eq!(bench.read(4, 2).unwrap()[..3], [0x22, 0x83, 0x79]);
    assert_eq!(
        bench.read(4, 3).unwrap()[..],
        [0x1C, 3, 0, bench.read(4, 3).unwrap()[3], 0x83, 0x79, 0x0C]
    );
    bench.send(0x14, &[4, 0]);
    let reply = bench.panel.turn_around(&mut bench.world.cx()).unwrap();
    assert_eq!(reply[..3], [0x1A, 3, 0]);
    // A read of another kind, and a turn-round without a read.
    assert_eq!(bench.ask(5, 1), [0]);
    bench.send(0x14, &[5, 0]);
    assert_eq!(
        bench.panel.turn_around(&mut bench.world.cx()).unwrap()[1],
        7
    );
    assert_eq!(bench.panel.turn_around(&mut bench.world.cx()), Some(vec![]));
}

#[test]
fn unknown_registers_answer_as_the_board_says() {
    let unknown = |how: &str| {
        let mut bench = Bench::new(small("dcs", &format!("unknown = '{how}'"), ""));
        bench.read(0xDA, 2)
    };
    assert_eq!(unknown("zeros").unwrap()[..3], [0x22, 0, 0]);
    assert_eq!(unknown("silent"), None);
    assert_eq!(unknown("error-report").unwrap()[..3], [0x02, 0, 0x20]);
}

#[test]
fn faults_of_the_board_file_are_seen_by_the_host() {
    let bench = |faults: &str| {
        let answers = "answers = [{register = 4, bytes = [0x83, 0x79]}]";
        let faults = format!("[faults]\n{faults}\n");
        Bench::new(small("dcs", answers, &faults))
    };
    assert_eq!(bench("all_ones = true").ask(4, 2), [0xFF, 0xFF]);
    assert_eq!(bench("all_zeros = true").ask(4, 2), [0, 0]);
    assert_eq!(bench("wrong_id = {04 = [1, 2]}").ask(4, 2), [1, 2]);
    assert_eq!(bench("bta_dead = true").read(4, 2), None);
    let mut unplugged = bench("unplugged = true");
    assert!(!unplugged.panel.present());
    assert_eq!(unplugged.read(4, 2), None);
    assert_eq!(unplugged.glass().state, "absent");
    // The bench gave one reset.
    let mut stubborn = bench("answers_on_reset = 3");
    for _ in 0..2 {
        assert_eq!(stubborn.read(4, 2), None);
        stubborn.pulse(10);
        stubborn.wait(10);
    }
    assert_eq!(stubborn.ask(4, 2), [0x83, 0x79]);
    let mut sleeper = bench("sleep_out_ignored = true");
    sleeper.init();
    let link = sleeper.link();
    assert_eq!(sleeper.show(&link).state, "white");
    let mut unwired = bench("no_reset = true");
    unwired.write(&[0x11]);
    unwired.pulse(10);
    assert_eq!(unwired.ask(0x0A, 1), [0x98], "not reset");
}

#[test]
fn a_panel_without_supply_or_in_reset_is_silent_and_forgets() {
    let mut bench = Bench::new(small("dcs", "rails = {vgp1 = 2700}", ""));
    bench.init();
    assert_eq!(bench.ask(0x0A, 1), [0x9C]);
    bench.world.signals.rails_mv[Rail::Vgp1 as usize] = 1800;
    bench.watch();
    assert_eq!(bench.read(0x0A, 1), None);
    assert!(bench.glass().reason.contains("no supply"));
    bench.world.signals.rails_mv[Rail::Vgp1 as usize] = 2800;
    bench.watch();
    bench.wait(10);
    assert_eq!(bench.ask(0x0A, 1), [0x08]);
    bench.world.signals.lrstb = false;
    bench.watch();
    assert_eq!(bench.read(0x0A, 1), None);
    assert_eq!(
        bench.refusals(),
        [""; 0],
        "silence is no mistake of the guest"
    );
}

#[test]
fn the_glass_shows_what_the_host_does_wrong() {
    let timing =
        "[timing]\nvsa = 2\nvbp = 4\nvfp = 4\nhsa = 4\nhbp = 8\nhfp = 8\nmbps = [300, 500]\n";
    let state = |change: fn(&mut Link)| {
        let glass = Bench::lit(small("dcs", "", timing), change);
        (glass.state, glass.reason)
    };
    let (right, why) = state(|_| {});
    assert_eq!(right, "picture", "{why}");
    assert_eq!(state(|link| link.lanes = 2).0, "garbled");
    assert_eq!(state(|link| link.lanes_hw = 0).0, "garbled");
    assert_eq!(state(|link| link.mbps = 299).0, "garbled");
    assert_eq!(state(|link| link.mode = LinkMode::Burst).0, "garbled");
    assert_eq!(state(|link| link.bytes_per_line = 30).0, "garbled");
    assert_eq!(state(|link| link.bytes_per_line = 20).0, "garbled");
    assert_eq!(state(|link| link.clock_hs = false).0, "white");
    assert_eq!(
        state(|link| link.format = WireFormat::Rgb666Loose).0,
        "wrong-colours"
    );
    let (moved, why) = state(|link| link.vbp += 2);
    assert_eq!(
        (moved, why.as_str()),
        ("shifted", "porches are off: vbp +2")
    );
    let (moved, why) = state(|link| link.hfp_wc = 0);
    assert_eq!(
        (moved, why.as_str()),
        ("shifted", "porches are off: hfp -3")
    );
}

#[test]
fn what_can_be_read_is_acceptable() {
    let timing = "[timing]\nvsa = 2\nvbp = 4\nvfp = 4\nhsa = 4\nhbp = 8\nhfp = 8\n";
    let tall = |lines: u32, change: fn(&mut Link)| {
        let config = Config {
            height: lines,
            width: 48,
            ..small("dcs", "", timing)
        };
        let glass = Bench::lit(config, change);
        (glass.state, glass.acceptable)
    };
    assert_eq!(tall(64, |_| {}), ("picture", true));
    assert_eq!(tall(64, |link| link.vbp += 8), ("shifted", true));
    assert_eq!(tall(64, |link| link.vbp += 9), ("shifted", false));
    assert_eq!(tall(64, |link| link.vfp += 9), ("shifted", true));
    assert_eq!(tall(64, |link| link.hfp_wc += 3 * 8), ("shifted", true));
    assert!(!tall(64, |link| link.bytes_per_line = 30).1);
    assert_eq!(tall(64, |link| link.lanes = 2), ("garbled", false));
    // A table for another length of the same glass.
    let lines = |sent: u16| {
        let config = Config {
            height: 64,
            ..small("dcs", "", timing)
        };
        let mut bench = Bench::new(config);
        bench.init();
        let link = Link {
            vact: sent,
            ..bench.link()
        };
        let picture = Picture {
            width: 8,
            height: usize::from(sent),
            rgb: vec![0x55; 8 * 3 * usize::from(sent)],
        };
        bench.panel.video(Some(&link), &mut bench.world.cx());
        bench
            .panel
            .frame(&link, Some(&picture), &mut bench.world.cx());
        let signals = &bench.world.signals;
        let glass = bench.panel.glass(Some(&picture), bench.world.now, signals);
        let lit = glass.rgb.chunks(24).filter(|line| line[0] > 0).count();
        (glass.state, glass.acceptable, lit)
    };
    assert_eq!(lines(60), ("cut", true, 60));
    assert_eq!(lines(70), ("cut", true, 64));
    assert_eq!(lines(40), ("cut", false, 40));
}

#[test]
fn a_wrong_frame_rate_is_garbled() {
    let timing = "[timing]\nfps = [50, 70]\n";
    let config = || small("dcs", "", timing);
    let rate = |mbps: u32| Bench::lit(config(), |link| link.mbps = mbps);
    // 8 + 24 pixels, 6 + 24 lines, 24 bits: 1 Mbit/s is 43 frames a second.
    assert!(rate(1).reason.contains("44 frames"), "{}", rate(1).reason);
    assert_eq!(rate(400).state, "garbled");
}

#[test]
fn without_light_or_picture_the_glass_says_so() {
    let mut bench = Bench::new(small("dcs", "blank = 'black'", ""));
    assert_eq!(bench.glass().state, "black");
    bench.init();
    assert_eq!(bench.glass().reason, "no video is sent");
    let link = bench.link();
    bench.panel.video(Some(&link), &mut bench.world.cx());
    assert_eq!(
        bench.glass().state,
        "garbled",
        "nothing comes out of the path"
    );

    let mut bench = Bench::of_board("panel-ili9806e-pwm2");
    bench.init();
    let link = bench.link();
    bench.world.signals.pwm_permille[1] = 500;
    bench.watch();
    let glass = bench.show(&link);
    assert_eq!((glass.state, glass.backlight), ("picture", 500));
    assert_eq!(glass.rgb[3 * 100], 50, "half as bright");
    bench.world.signals.pin_mode[129] = 0;
    bench.watch();
    let glass = bench.show(&link);
    assert_eq!(glass.state, "off");
    assert!(
        glass.reason.ends_with("behind it: a picture"),
        "{}",
        glass.reason
    );
    assert!(glass.rgb.iter().all(|&value| value == 0));
}

#[test]
fn gamma_changes_the_colours_only() {
    let init = "init = [{cmd = 0xE0, args = [1, 2]}, {cmd = 0xC0, args = [3]}, {cmd = 0x11}, {cmd = 0x29}]";
    let mut bench = Bench::new(small("dcs", init, ""));
    bench.config.init[0].args = vec![1, 9];
    bench.init();
    let link = bench.link();
    let glass = bench.show(&link);
    assert_eq!(glass.state, "tinted");
    assert_eq!(glass.reason, "a picture with odd colours: registers E0");
    assert_eq!(glass.rgb[..6], [0, 0, 6, 1, 0, 6]);
    bench.write(&[0xC0, 4]);
    let glass = bench.show(&link);
    assert_eq!(glass.state, "garbled");
    assert!(glass.reason.ends_with("them: C0"), "{}", glass.reason);
    // The same again, and nothing is random.
    assert_eq!(bench.show(&link).rgb, glass.rgb);
}

#[test]
fn command_mode_fills_windows_of_the_panels_memory() {
    let config = Config {
        mode: OneOrMore::One(LinkMode::Command),
        ..small("dcs", "", "")
    };
    let mut bench = Bench::new(config);
    bench.init();
    assert!(bench.glass().reason.contains("nothing was written"));
    let link = bench.link();
    assert_eq!(bench.show(&link).state, "picture");
    bench.write(&[0x2A, 0, 2, 0, 3]);
    bench.write(&[0x2B, 0, 1, 0, 1]);
    let two = Picture {
        width: 2,
        height: 1,
        rgb: vec![200, 201, 202, 203, 204, 205],
    };
    bench.panel.frame(&link, Some(&two), &mut bench.world.cx());
    let glass = bench.glass();
    let mut expected = bench.picture().rgb;
    expected[(8 + 2) * 3..(8 + 4) * 3].copy_from_slice(&two.rgb);
    assert_eq!(glass.rgb, expected);
    // It shows on without the host.
    bench.wait(1000);
    assert_eq!(bench.glass().rgb, expected);
    // A window outside of the glass takes nothing.
    bench.write(&[0x2A, 0, 200, 0, 201]);
    bench.panel.frame(&link, Some(&two), &mut bench.world.cx());
    assert_eq!(bench.glass().rgb, expected);
}

#[test]
fn tearing_effect_comes_when_it_was_switched_on() {
    let mut bench = Bench::new(small("dcs", "", ""));
    bench.write(&[0x35, 0]);
    assert_eq!(bench.panel.tearing_at(bench.world.now), None, "asleep");
    bench.write(&[0x11]);
    let now = bench.world.now;
    let first = bench.panel.tearing_at(now).unwrap();
    assert!(first > now && first <= now + 17 * MS);
    assert!(bench.panel.tearing_at(first).unwrap() > first);
    assert_eq!(bench.panel.tearing_trigger_at(now), Some(first));
    let mut mute = Bench::new(small("dcs", "", "[faults]\nbta_dead = true\n"));
    mute.write(&[0x11]);
    mute.wait(5);
    mute.write(&[0x35, 0]);
    let now = mute.world.now;
    assert_eq!(mute.panel.tearing_trigger_at(now), None);
    assert!(
        mute.panel.tearing_at(now).is_some(),
        "the pin is another wire"
    );
}

#[test]
fn notices_tell_what_one_would_see() {
    let mut bench = Bench::new(Config {
        backlight: wiring::Backlight::Isink,
        ..small("dcs", "", "")
    });
    bench.init();
    let link = bench.link();
    bench.show(&link);
    assert_eq!(
        bench.world.signals.glass.milestone,
        Some(Milestone::FirstFrame)
    );
    bench.show(&link);
    assert_eq!(bench.world.signals.glass.milestone, Some(Milestone::Frame));
    bench.world.signals.isink_permille = None;
    bench.watch();
    assert_eq!(bench.world.signals.glass.milestone, Some(Milestone::Change));
    bench.world.signals.isink_permille = Some(300);
    bench.watch();
    assert_eq!(
        bench.world.signals.glass.milestone,
        Some(Milestone::BacklightOn)
    );
    let count = bench.world.signals.glass.count;
    bench.watch();
    assert_eq!(bench.world.signals.glass.count, count);
}

#[test]
fn mistakes_in_the_board_file_are_named() {
    let right = "controller = 'x'\nwidth = 8\nheight = 8\nlanes = 1\nmode = 'command'\n\
                 format = 'rgb888'\nbacklight = 'always'\ninit = [{cmd = 0x11}, {cmd = 0x29}]\n";
    let problem = |from: &str, to: &str| {
        assert!(right.contains(from));
        let text = right.replace(from, to);
        match toml::from_str::<Config>(&text) {
            Ok(config) => config.check().unwrap_err(),
            Err(error) => error.to_string(),
        }
    };
    assert!(toml::from_str::<Config>(right).unwrap().check().is_ok());
    for (from, to, named) in [
        ("width = 8", "width = 0", "0x8"),
        ("lanes = 1", "lanes = 4", "panel.lanes"),
        ("'always'", "'pwm9'", "pwm9"),
        ("'always'", "'gpio 154'", "gpio 154"),
        ("'command'", "'videos'", "mode"),
        ("'command'", "[]", "panel.mode"),
        ("{cmd = 0x11}, ", "", "asleep"),
        (", {cmd = 0x29}", "", "display off"),
        (
            "controller = 'x'",
            "controller = 'x'\nfamlly = 'dcs'",
            "famlly",
        ),
        (
            "controller = 'x'",
            "controller = 'x'\nreset = 'lrstb 60'",
            "lrstb 60",
        ),
        (
            "controller = 'x'",
            "controller = 'x'\nrails = {vgp9 = 1}",
            "vgp9",
        ),
        (
            "controller = 'x'",
            "controller = 'x'\nstraps = [{pin = 200, high = true}]",
            "200",
        ),
        (
            "controller = 'x'",
            "controller = 'x'\nadc = {channel = 16, mv = 1}",
            "channel 16",
        ),
        (
            "controller = 'x'",
            "controller = 'x'\nanswers = [{register = 4, bytes = []}]",
            "04",
        ),
        (
            "controller = 'x'",
            "controller = 'x'\nfaults = {wrong_id = {xyz = [1]}}",
            "xyz",
        ),
    ] {
        let why = problem(from, to);
        assert!(why.contains(named), "{to}: {why}");
    }
}

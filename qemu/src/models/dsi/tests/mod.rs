//! The host through its registers, with and without a panel.

mod bring_up;

use super::*;
use crate::bus::{TEST_MEMORY_BASE, TestWorld};
use crate::models::mipitx::Lanes;
use crate::panel::Config;

const MS: Nanos = 1_000_000;
const VACT_NL: u32 = VSA_NL + 12;

/// The panel of facts/display.md 4.3, with answers of every length.
const PANEL: &str = "
controller = 'test'
width = 480
height = 854
lanes = 2
mode = 'sync-pulse'
format = 'rgb888'
backlight = 'always'
unknown = 'error-report'
answers = [
    { register = 0xDA, bytes = [0x98] },
    { register = 0xC5, bytes = [0x55, 0x10], kind = 'dcs' },
    { register = 0x04, bytes = [0x98, 0x06, 0x04], kind = 'generic' },
    { register = 0xA1, bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] },
]
init = [{ cmd = 0x11, delay_ms = 120 }, { cmd = 0x29 }]
";

/// Breaks something, and what is then said of it.
type Break = (fn(&mut Rig), &'static str);

struct Rig {
    world: TestWorld,
    dsi: Dsi,
}

impl Rig {
    /// 390 Mbit/s on two lanes, everything on, the panel out of reset for long.
    fn new(panel: Option<&str>) -> Rig {
        let config: Option<Config> = panel.map(|text| toml::from_str(text).unwrap());
        let (mut world, dsi) = (TestWorld::default(), Dsi::new(Panel::new(config)));
        let signals = &mut world.signals;
        signals.pwr_status = 1 << 3;
        signals.mm_cg1 = 0;
        signals.dsi_pll_kbps = Some(390_000);
        signals.mipi_lanes = Lanes {
            clock: true,
            data: 3,
            bias: true,
            ..Lanes::default()
        };
        signals.pin_mode[79..=86].fill(1);
        signals.pin_mode[59] = 2;
        let mut rig = Rig { world, dsi };
        rig.dsi.reset(Reset::PowerOn, &mut rig.world.cx());
        rig.wait(10 * MS);
        rig.world.signals.lrstb = true;
        rig.wires();
        rig.wait(200 * MS);
        for (offset, value) in [
            (COM_CTRL, 2),
            (TXRX_CTRL, 0x0C),
            (PHY_TIMECON0, 0x0D07_0303),
            (PHY_TIMECON0 + 4, 0x150F_040C),
            (PHY_TIMECON0 + 8, 0x0E13_0000),
            (PHY_TIMECON0 + 12, 0x0006_1503),
            (PSCTRL, 0x0003_05A0),
            (VSA_NL, 2),
            (VSA_NL + 4, 18),
            (VSA_NL + 8, 20),
            (VACT_NL, 854),
            (HSA_WC, 20),
            (HSA_WC + 4, 170),
            (HSA_WC + 8, 168),
        ] {
            rig.write(offset, value);
        }
        rig
    }

    fn read(&mut self, offset: u32) -> u32 {
        self.world.read(&mut self.dsi, offset)
    }

    fn write(&mut self, offset: u32, value: u32) {
        self.world.write(&mut self.dsi, offset, value);
    }

    fn wait(&mut self, time: Nanos) {
        let to = self.world.now + time;
        self.world.advance(&mut self.dsi, to);
    }

    fn wires(&mut self) {
        self.dsi.wires_changed(&mut self.world.cx());
    }

    fn start(&mut self, queue: &[u32]) {
        for (index, &word) in queue.iter().enumerate() {
            self.write(CMDQ + 4 * index as u32, word);
        }
        self.write(CMDQ_SIZE, queue.len() as u32);
        self.write(START, 0);
        self.write(START, DSI_START);
    }

    /// Sends, and waits for the end.
    fn send(&mut self, queue: &[u32]) {
        self.start(queue);
        self.wait(MS);
        assert_eq!(self.read(INTSTA), CMD_DONE);
        self.write(INTSTA, 0);
    }

    /// The recipe of facts/display.md 9.2, without the max return packet.
    fn ask(&mut self, word: u32) -> [u32; 4] {
        self.write(INTSTA, 0);
        self.write(RACK, 1);
        self.start(&[word]);
        self.wait(MS);
        assert_eq!(self.read(INTSTA), BUSY | RD_RDY, "until RACK");
        let data = [0, 4, 8, 12].map(|at| self.read(RX_DATA0 + at));
        self.write(RACK, 1);
        assert_eq!(self.read(INTSTA), RD_RDY | CMD_DONE);
        self.write(START, 0);
        data
    }

    fn kinds(&self) -> Vec<GuestError> {
        self.world
            .reports
            .iter()
            .map(|report| report.kind)
            .collect()
    }

    fn says(&self, part: &str) -> bool {
        let mut reports = self.world.reports.iter();
        reports.any(|report| report.message.contains(part))
    }

    fn start_video(&mut self) {
        self.write(MODE_CTRL, 1);
        self.write(PHY_LCCON, 1);
        self.write(START, 0);
        self.write(START, DSI_START);
    }

    /// An RDMA picture of one colour from memory, as large as the panel.
    fn paint(&mut self) {
        let display = &mut self.world.signals.display;
        display.gated = 0;
        display.routing.rdma_out = 0;
        display.mutexes[0].enabled = true;
        display.mutexes[0].modules = 0x680;
        display.rdma.con = 3;
        display.rdma.size0 = 480;
        display.rdma.size1 = 854;
        display.rdma.mem_con = 4 << 4;
        display.rdma.addr = TEST_MEMORY_BASE;
        display.rdma.pitch = 960;
        display.color.started = true;
        (display.color.width, display.color.height) = (480, 854);
        display.bls.size = 0x0356_01E0;
        self.world.memory.0 = [0x00, 0xF8].repeat(480 * 854);
    }
}

/// Byte clocks at 390 Mbit/s.
fn cycles(count: u64) -> Nanos {
    count * 8_000_000 / 390_000
}

#[test]
fn a_write_is_busy_for_its_time_and_done() {
    let mut rig = Rig::new(None);
    rig.write(INTEN, CMD_DONE);
    // Five bytes of payload and sleep-out behind it. LPX is 3: a byte takes 48
    // cycles, and 66 go with each packet.
    let begin = rig.world.now;
    rig.start(&[0x0005_3902, 0x0302_0100, 4, 0x0011_0500]);
    let time = cycles(11 * 48 + 66) + cycles(4 * 48 + 66);
    assert_eq!(rig.read(INTSTA), BUSY);
    rig.world.advance(&mut rig.dsi, begin + time - 1);
    assert_eq!(rig.read(INTSTA), BUSY);
    rig.world.advance(&mut rig.dsi, begin + time);
    assert!(rig.world.irq.get(SPI));
    assert_eq!(rig.read(INTSTA), CMD_DONE);
    rig.write(INTSTA, !0);
    assert_eq!(rig.read(INTSTA), CMD_DONE, "ones leave bits alone");
    rig.write(INTSTA, 0);
    assert_eq!(rig.read(INTSTA), 0);
    assert!(!rig.world.irq.get(SPI));
    // Without an edge nothing is sent.
    rig.write(START, 1);
    assert_eq!(rig.read(INTSTA), 0);
    assert_eq!(rig.world.reports, []);
}

#[test]
fn high_speed_is_as_fast_as_rate_and_lanes() {
    let mut rig = Rig::new(None);
    rig.write(PHY_LCCON, 1);
    let begin = rig.world.now;
    rig.start(&[0x000A_3908 | 2, 0, 0, 0]);
    // 16 bytes and EoT on two lanes, LPX + PRPR + ZERO + TRAIL + EXIT around them.
    let time = cycles(3 + 3 + 7 + 13 + 21) + 20 * 8_000_000 / (2 * 390_000);
    rig.world.advance(&mut rig.dsi, begin + time - 1);
    assert_eq!(rig.read(INTSTA), BUSY);
    rig.world.advance(&mut rig.dsi, begin + time);
    assert_eq!(rig.read(INTSTA), CMD_DONE);
    assert_eq!(rig.world.reports, []);
}

#[test]
fn every_kind_of_answer_arrives() {
    let mut rig = Rig::new(Some(PANEL));
    // The default maximum is one byte, whatever the register holds.
    assert_eq!(rig.ask(0x00DA_0604)[0] & 0xFF_FFFF, 0x98_21);
    assert_eq!(rig.ask(0x00C5_0604)[0] & 0xFF_FFFF, 0x55_21);
    rig.write(INTSTA, 0);
    rig.send(&[0x0002_3700]);
    assert_eq!(rig.ask(0x00C5_0604)[0] & 0xFF_FFFF, 0x10_5522);
    rig.write(INTSTA, 0);
    rig.send(&[0x0003_3700]);
    let data = rig.ask(0x0004_1404);
    assert_eq!((data[0] & 0xFF_FFFF, data[1]), (0x00_031A, 0x0004_0698));
    // Of a long packet twelve bytes fit into the registers.
    rig.write(INTSTA, 0);
    rig.send(&[0x000F_3700]);
    let data = rig.ask(0x00A1_0604);
    assert_eq!(data[0] & 0xFF_FFFF, 0x00_0F1C);
    assert_eq!(data[1..], [0x0403_0201, 0x0807_0605, 0x0C0B_0A09]);
    assert_eq!(rig.dsi.read(RX_DATA0 + 5, 1, &mut rig.world.cx()), 2);
    // Error report; then the acknowledge of a bare turn-round.
    assert_eq!(rig.ask(0x00D3_0604)[0] & 0xFF, 0x02);
    assert_eq!(rig.read(TRIG_STA), 0);
    rig.write(INTSTA, 0);
    rig.write(RACK, 0);
    rig.start(&[4]);
    rig.wait(MS);
    assert_eq!(rig.read(INTSTA), BUSY | RD_RDY);
    assert_eq!(rig.read(TRIG_STA), TRIGGER_ACK);
    assert_eq!(rig.world.reports, []);
}

#[test]
fn rack_releases_the_engine_and_the_rest_of_the_queue() {
    let mut rig = Rig::new(Some(PANEL));
    rig.start(&[0x0002_3700, 0x00C5_0604, 0x00DA_0604]);
    rig.wait(MS);
    assert_eq!(rig.read(INTSTA), BUSY | RD_RDY);
    assert_eq!(rig.read(RX_DATA0) & 0xFF, 0x22);
    rig.write(INTSTA, 0);
    rig.wait(100 * MS);
    assert_eq!(rig.read(INTSTA), BUSY, "no CMD_DONE before RACK");
    rig.write(RACK, 1);
    rig.wait(MS);
    assert_eq!(rig.read(INTSTA), BUSY | RD_RDY, "the second read");
    assert_eq!(rig.read(RX_DATA0) & 0xFF, 0x21);
    rig.write(RACK, 1);
    assert_eq!(rig.read(INTSTA), RD_RDY | CMD_DONE);
    // With the bypass nobody needs to.
    rig.write(INTSTA, 0);
    rig.write(RACK, RACK_BYPASS);
    rig.start(&[0x00DA_0604]);
    rig.wait(MS);
    assert_eq!(rig.read(INTSTA), RD_RDY | CMD_DONE);
    assert_eq!(rig.world.reports, []);
}

#[test]
fn nobody_answers_and_the_host_reset_ends_it() {
    let dead = PANEL.to_owned() + "[faults]\nbta_dead = true\n";
    let unplugged = PANEL.to_owned() + "[faults]\nunplugged = true\n";
    for panel in [None, Some(dead.as_str()), Some(unplugged.as_str())] {
        let mut rig = Rig::new(panel);
        rig.start(&[0x0004_0604]);
        rig.wait(1_000 * MS);
        assert_eq!(rig.read(INTSTA), BUSY);
        rig.write(RACK, 1);
        assert_eq!(rig.read(INTSTA), BUSY, "there is nothing to acknowledge");
        assert_eq!(rig.world.reports, []);
        rig.write(START, 0);
        rig.write(START, 1);
        assert!(rig.says("engine is busy"));
        rig.write(COM_CTRL, 3);
        assert_eq!(rig.read(INTSTA), 0);
        assert_eq!(rig.read(CMDQ), 0x0004_0604);
        assert_eq!(rig.read(PSCTRL), 0x0003_05A0, "settings survive");
        rig.write(START, 0);
        rig.write(START, 1);
        assert!(rig.says("RESET holds"));
        rig.write(COM_CTRL, 2);
        rig.send(&[0x0028_0500]);
    }
}

#[test]
fn faults_of_the_receiver() {
    for faults in ["bta_dead = true", "rx_garbage = true"] {
        let mut rig = Rig::new(Some(PANEL));
        let faults: Faults = toml::from_str(faults).unwrap();
        rig.dsi = rig.dsi.with_faults(faults);
        if faults.rx_garbage {
            assert_ne!(rig.ask(0x00DA_0604)[0] & 0xFF, 0x21);
        } else {
            rig.start(&[0x00DA_0604]);
            rig.wait(1_000 * MS);
            assert_eq!(rig.read(INTSTA), BUSY);
            // Nor is the tearing effect's trigger heard.
            rig.write(COM_CTRL, 1);
            rig.write(COM_CTRL, 2);
            rig.send(&[0x0011_0500]);
            rig.wait(120 * MS);
            rig.send(&[0x0035_0500]);
            assert!(rig.dsi.panel.tearing_trigger_at(rig.world.now).is_some());
            rig.start(&[0x20]);
            rig.wait(1_000 * MS);
            assert_eq!(rig.read(INTSTA), BUSY);
        }
    }
    let text = "name = 'x'\n[dram]\nranks_mib = [512]\n[faults.dsi]\nbta_dead = true\n";
    assert!(
        crate::board::Board::parse(text)
            .unwrap()
            .faults
            .dsi
            .bta_dead
    );
    assert!(crate::board::Board::parse(&text.replace("bta_", "rx_")).is_err());
}

#[test]
fn without_a_clock_the_engine_hangs() {
    let break_it: [fn(&mut Rig); 5] = [
        |rig| rig.world.signals.pwr_status = 0,
        |rig| rig.world.signals.dsi_pll_kbps = None,
        |rig| rig.world.signals.mm_cg1 = 1,
        |rig| rig.world.signals.mm_cg1 = 2,
        |rig| rig.write(COM_CTRL, 0),
    ];
    for break_it in break_it {
        let mut rig = Rig::new(Some(PANEL));
        break_it(&mut rig);
        for _ in 0..2 {
            rig.start(&[0x0028_0500]);
            rig.wait(100 * MS);
            assert_eq!(rig.read(INTSTA), BUSY);
        }
        assert_eq!(rig.kinds(), [GuestError::Refused], "once");
        rig.write(COM_CTRL, 1);
        assert_eq!(rig.read(INTSTA), 0);
    }
}

#[test]
fn what_stands_in_the_way_is_told_once() {
    let break_it: [Break; 9] = [
        (
            |rig| rig.world.signals.mipi_lanes.software = true,
            "SW_CTRL",
        ),
        (
            |rig| rig.world.signals.mipi_lanes.tied_low = true,
            "PAD_TIE_LOW",
        ),
        (
            |rig| rig.world.signals.mipi_lanes.clock = false,
            "clock lane's driver",
        ),
        (
            |rig| rig.world.signals.mipi_lanes.data = 2,
            "lane 0's driver",
        ),
        (
            |rig| rig.world.signals.pin_mode[80] = 0,
            "data lane are not in mode 1",
        ),
        (|rig| rig.world.signals.pin_mode[83] = 0, "pins 83 and 84"),
        (
            |rig| rig.world.signals.dsi_pll_kbps = Some(1_560_000),
            "at this rate",
        ),
        (|rig| rig.write(PHY_LD0CON, 2), "lane 0 is in ULPS"),
        (|rig| rig.write(PHY_LCCON, 2), "clock lane is in ULPS"),
    ];
    for (break_it, says) in break_it {
        let mut rig = Rig::new(Some(PANEL));
        break_it(&mut rig);
        rig.wires();
        // Writes end as always; answers never come.
        rig.send(&[0x0028_0500]);
        rig.start(&[0x00DA_0604]);
        rig.wait(100 * MS);
        assert_eq!(rig.read(INTSTA), BUSY, "{says}");
        assert_eq!(rig.kinds(), [GuestError::Refused], "{says}");
        assert!(rig.says(says), "{:?}", rig.world.reports);
    }
}

#[test]
fn high_speed_needs_more() {
    let break_it: [Break; 3] = [
        (|rig| rig.write(PHY_LCCON, 0), "not in high speed"),
        (
            |rig| rig.world.signals.mipi_lanes.bias = false,
            "LNT_HS_BIAS_EN",
        ),
        (|rig| rig.write(TXRX_CTRL, 0), "names no lane"),
    ];
    for (break_it, says) in break_it {
        let mut rig = Rig::new(Some(PANEL));
        rig.write(PHY_LCCON, 1);
        break_it(&mut rig);
        assert_eq!(rig.ask(0x00DA_0604)[0] & 0xFF, 0x21, "LP works: {says}");
        rig.write(INTSTA, 0);
        rig.send(&[0x0028_0508]);
        assert!(rig.says(says), "{:?}", rig.world.reports);
    }
}

#[test]
fn ulps_ends_with_a_wake_up_or_without_supply() {
    let mut rig = Rig::new(Some(PANEL));
    for value in [2, 0] {
        rig.write(PHY_LD0CON, value);
    }
    rig.send(&[0x0028_0500]);
    assert!(rig.says("ULPS"));
    for value in [4, 0] {
        rig.write(PHY_LD0CON, value);
    }
    assert_eq!(rig.ask(0x00DA_0604)[0] & 0xFF, 0x21);
    rig.write(INTSTA, 0);
    for value in [2, 0] {
        rig.write(PHY_LCCON, value);
    }
    let lanes = rig.world.signals.mipi_lanes;
    for on in [Lanes::default(), lanes] {
        rig.world.signals.mipi_lanes = on;
        rig.wires();
    }
    assert_eq!(rig.ask(0x00DA_0604)[0] & 0xFF, 0x21);
}

#[test]
fn mistakes_in_the_queue_are_guest_errors() {
    for queue in [&[0x007D_3902][..], &[0x0009_3902, 1], &[0x002E_3903], &[]] {
        let mut rig = Rig::new(Some(PANEL));
        rig.start(queue);
        rig.wait(MS);
        assert_eq!(rig.read(INTSTA), CMD_DONE, "{queue:x?}");
        assert_eq!(rig.kinds(), [GuestError::BadValue], "{queue:x?}");
    }
    let mut rig = Rig::new(Some(PANEL));
    rig.send(&[0x0028_4500]);
    assert!(rig.says("virtual channel 1"));
}

#[test]
fn timing_of_zero_is_told() {
    let mut rig = Rig::new(Some(PANEL));
    rig.write(PHY_TIMECON0, 0);
    rig.write(PHY_TIMECON0 + 4, 0);
    rig.send(&[0x0028_0500]);
    assert!(rig.says("LPX = 0"));
    rig.ask(0x00DA_0604);
    assert!(rig.says("LPX, TA_GO, TA_SURE, TA_GET = 0"));
    assert_eq!(rig.kinds(), [GuestError::BadValue; 2]);
}

#[test]
fn video_runs_until_the_mode_is_left() {
    let mut rig = Rig::new(None);
    rig.paint();
    let begin = rig.world.now;
    rig.start_video();
    assert_eq!(rig.world.signals.video_since, Some(begin));
    // 59.6 frames a second (facts/display.md 4.3).
    let frame = rig.world.signals.display.frame_ns;
    assert_eq!(10_000_000_000 / frame, 595);
    assert_eq!(rig.read(INTSTA), BUSY);
    rig.write(VM_CMD_CON, 0x0028_0521);
    rig.write(START, 1 | VM_CMD_START);
    rig.wait(frame * 870 / 894);
    assert_eq!(rig.read(INTSTA), BUSY, "the front porch is at line 874");
    rig.wait(frame * 5 / 894);
    assert_eq!(rig.read(INTSTA), BUSY | VM_CMD_DONE);
    rig.write(INTSTA, 0);
    rig.write(MODE_CTRL, 0);
    assert_eq!(rig.read(INTSTA), VM_DONE);
    assert_eq!(rig.world.signals.video_since, None);
    assert_eq!(rig.world.reports, []);
}

#[test]
fn a_video_command_reaches_the_panel() {
    let mut rig = Rig::new(Some(PANEL));
    rig.paint();
    rig.send(&[0x0011_0500]);
    rig.wait(150 * MS);
    rig.start_video();
    rig.write(VM_CMD_CON, 0x0029_0521);
    rig.write(START, 0);
    rig.write(START, 1 | VM_CMD_START);
    rig.wait(40 * MS);
    assert_eq!(rig.read(INTSTA), BUSY | VM_CMD_DONE);
    rig.write(MODE_CTRL, 0);
    rig.write(INTSTA, 0);
    // Power mode: awake, display on.
    assert_eq!(rig.ask(0x000A_0604)[0] & 0xFF_FFFF, 0x9C_21);
    rig.write(START, 0);
    rig.write(START, VM_CMD_START);
    assert!(rig.says("without a video stream"));
    assert_eq!(rig.world.reports.len(), 1);
}

#[test]
fn the_panel_shows_the_stream() {
    let mut rig = Rig::new(Some(PANEL));
    rig.paint();
    for word in [0x0011_0500, 0x0029_0500] {
        rig.send(&[word]);
        rig.wait(150 * MS);
    }
    rig.start_video();
    rig.wait(40 * MS);
    let glass = rig.dsi.glass(&mut rig.world.cx()).unwrap();
    assert_eq!(glass.state, "picture", "{}", glass.reason);
    assert_eq!((glass.width, glass.height), (480, 854));
    assert!(
        glass
            .rgb
            .chunks(3)
            .all(|pixel| pixel[0] > 200 && pixel[1] == 0)
    );
    assert_eq!(rig.world.reports, []);
    // A new picture is shown at the end of its frame.
    let seen = rig.world.signals.glass.count;
    rig.world.signals.display.commits[10] += 1;
    rig.wires();
    assert_eq!(rig.world.signals.glass.count, seen);
    rig.wait(40 * MS);
    assert_eq!(rig.world.signals.glass.count, seen + 1);
    // Its clock goes: no frames, and none is seen.
    rig.world.signals.dsi_pll_kbps = None;
    rig.wires();
    assert_eq!(rig.world.signals.video_since, None);
    let glass = rig.dsi.glass(&mut rig.world.cx()).unwrap();
    assert_ne!(glass.state, "picture");
    rig.world.signals.dsi_pll_kbps = Some(390_000);
    rig.wires();
    assert!(rig.world.signals.video_since.is_some());
}

#[test]
fn a_path_that_does_not_fit_is_told() {
    let mut rig = Rig::new(Some(PANEL));
    rig.start_video();
    rig.wait(40 * MS);
    assert!(rig.says("display path"), "nothing is set up");
    let mut rig = Rig::new(Some(PANEL));
    rig.paint();
    rig.write(VACT_NL, 800);
    rig.write(TXRX_CTRL, 0x1C);
    rig.start_video();
    rig.wait(40 * MS);
    assert!(rig.says("VACT_NL and PS_WC say 800"));
    assert!(rig.says("drivers are off (mask 0x4)"));
    assert_eq!(rig.world.reports.len(), 2);
}

#[test]
fn a_frame_of_command_mode() {
    let mut rig = Rig::new(Some(&PANEL.replace("sync-pulse", "command")));
    rig.paint();
    for word in [0x0011_0500, 0x0029_0500] {
        rig.send(&[word]);
        rig.wait(150 * MS);
    }
    rig.write(PHY_LCCON, 1);
    let begin = rig.world.now;
    rig.start(&[0x002C_3909]);
    assert_eq!(rig.world.signals.display.single_frame_at, Some(begin));
    // 854 lines of 1447 bytes at 780 Mbit/s take 12.7 ms.
    rig.wait(12 * MS);
    assert_eq!(rig.read(INTSTA), BUSY);
    rig.wait(MS);
    assert_eq!(rig.read(INTSTA), CMD_DONE);
    let glass = rig.dsi.glass(&mut rig.world.cx()).unwrap();
    assert_eq!(glass.state, "picture", "{}", glass.reason);
    assert_eq!(rig.world.reports, []);
}

#[test]
fn tearing_effect_by_trigger_and_by_pin() {
    let mut rig = Rig::new(Some(PANEL));
    rig.send(&[0x0011_0500]);
    rig.wait(120 * MS);
    rig.send(&[0x0035_0500]);
    rig.start(&[0x20]);
    rig.wait(40 * MS);
    assert_eq!(rig.read(INTSTA), BUSY | TE_RDY);
    assert_eq!(rig.read(TRIG_STA), TRIGGER_TE);
    rig.write(INTSTA, 0);
    rig.write(RACK, 1);
    assert_eq!(rig.read(INTSTA), CMD_DONE);
    rig.write(INTSTA, 0);
    // The pin, for which the pad must be LPTE.
    rig.write(TXRX_CTRL, 0x20C);
    rig.wait(40 * MS);
    assert_eq!(rig.read(INTSTA), 0);
    rig.world.signals.pin_mode[55] = 2;
    rig.write(INTEN, EXT_TE);
    let due = rig.dsi.deadline().unwrap();
    rig.world.advance(&mut rig.dsi, due);
    assert!(rig.world.irq.get(SPI));
    assert_eq!(rig.read(INTSTA), EXT_TE);
    assert_eq!(rig.dsi.deadline(), None, "it is latched");
    // A panel without the effect never triggers.
    rig.write(INTSTA, 0);
    rig.send(&[0x0034_0500]);
    rig.start(&[0x20]);
    rig.wait(1_000 * MS);
    assert_eq!(rig.read(INTSTA), BUSY);
    assert_eq!(rig.world.reports, []);
}

#[test]
fn packets_reach_the_panel_at_their_own_time() {
    let mut rig = Rig::new(Some(PANEL));
    // Sleep-out and, too early for the panel, another command in one queue.
    rig.start(&[0x0011_0500, 0x0029_0500]);
    // Nobody looks for long.
    rig.world.now += 100 * MS;
    assert_eq!(rig.read(INTSTA), CMD_DONE);
    assert_eq!(rig.kinds(), [GuestError::Refused]);
    assert!(rig.says("5 us after sleep-out"), "{:?}", rig.world.reports);
}

#[test]
fn where_the_engine_is_shows_in_the_debug_registers() {
    let mut rig = Rig::new(None);
    assert_eq!(rig.read(STATE_DBG0), 1);
    rig.write(PHY_LCCON, 1);
    assert_eq!(rig.read(STATE_DBG0), 1 << 18);
    rig.start(&[0x0004_0604]);
    rig.wait(MS);
    assert_eq!(rig.read(STATE_DBG0 + 24) >> 16, 1);
    rig.write(COM_CTRL, 3);
    rig.write(COM_CTRL, 2);
    rig.paint();
    rig.start_video();
    let frame = rig.world.signals.display.frame_ns;
    for (line, bit) in [(1, 15), (10, 14), (100, 13), (880, 12)] {
        let into = (rig.world.now - rig.world.signals.video_since.unwrap()) % frame;
        rig.wait(frame * line / 894 + 100 - into);
        assert_eq!(
            rig.read(STATE_DBG0 + 28) >> 12,
            1 << (bit - 12),
            "line {line}"
        );
        assert_eq!(rig.read(STATE_DBG9), line as u32);
    }
    // Restoring a saved register set does no harm.
    rig.write(STATE_DBG0, 0);
    rig.write(RX_DATA0, 0);
    assert_eq!(rig.world.reports, []);
}

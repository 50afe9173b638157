//! The card alone: states, addresses, SWITCH, erase, supply and RST_n.

#![allow(clippy::unwrap_used)]

use super::config::{CommandFault, CutSector, Fault, FaultKind, PowerCut};
use super::data::DataError;
use super::*;
use registers::status::{
    ADDRESS_ERROR, ERASE_PARAM, ERASE_SEQ_ERROR, ILLEGAL_COMMAND, OUT_OF_RANGE, SWITCH_ERROR,
};

const SLOW: Wire = Wire {
    clock_hz: 400_000,
    width: 1,
    ddr: false,
};
const FAST: Wire = Wire {
    clock_hz: 52_000_000,
    width: 8,
    ddr: false,
};
const RCA: u32 = 1 << 16;
const OCR_ARG: u32 = 0x40FF_8080;
const MS: Nanos = 1_000_000;

/// A card with a clock, and the commands that tests repeat.
struct Bench {
    card: Emmc,
    now: Nanos,
    wire: Wire,
}

impl Bench {
    fn new(config: Config) -> Bench {
        let mut card = Emmc::new(config, Stores::user(Vec::new())).unwrap();
        card.set_supply(true);
        Bench {
            card,
            now: 0,
            wire: SLOW,
        }
    }

    fn command(&mut self, index: u8, arg: u32) -> Reply {
        self.card
            .command(index, arg, index == 8, self.wire, self.now)
    }

    fn r1(&mut self, index: u8, arg: u32) -> u32 {
        match self.command(index, arg) {
            Reply::R1(status) => status,
            reply => panic!("CMD{index} was answered with {reply:?}"),
        }
    }

    /// Idle to transfer state, with the times that CMD1 takes.
    fn identify(&mut self) {
        self.wire = SLOW;
        self.command(0, 0);
        while !matches!(self.command(1, OCR_ARG), Reply::R3(ocr) if ocr >> 31 == 1) {
            self.now += 10 * MS;
            assert!(self.now < 1000 * MS, "never ready");
        }
        self.command(2, 0);
        self.r1(3, RCA);
        self.r1(7, RCA);
    }

    /// 8 bit at 52 MHz.
    fn speed_up(&mut self) {
        for arg in [0x03B7_0200, 0x03B9_0100] {
            self.r1(6, arg);
            self.now += MS;
        }
        self.wire = FAST;
    }

    fn ready(config: Config) -> Bench {
        let mut bench = Bench::new(config);
        bench.identify();
        bench.speed_up();
        bench
    }
}

#[test]
fn identification_walks_through_the_states() {
    let mut bench = Bench::new(Config::default());
    assert_eq!(bench.command(1, 0), Reply::R3(0x40FF_8080));
    assert_eq!(bench.command(0, 0), Reply::Silent);
    assert_eq!(bench.command(1, OCR_ARG), Reply::R3(0x40FF_8080));
    bench.now += 60 * MS;
    assert_eq!(bench.command(1, OCR_ARG), Reply::R3(0xC0FF_8080));
    assert!(matches!(bench.command(2, 0), Reply::R2(_)));
    assert_eq!(bench.r1(3, RCA), 0x500);
    assert!(matches!(bench.command(9, RCA), Reply::R2(csd) if csd[0] >> 30 == 3));
    assert_eq!(bench.r1(7, RCA), 0x700);
    assert_eq!(bench.r1(13, RCA), 0x900);
    // SD and SDIO probes, and another card's address, meet silence.
    for (index, arg) in [(55, 0), (41, 0), (5, 0), (13, 2 << 16)] {
        assert_eq!(bench.command(index, arg), Reply::Silent);
    }
}

#[test]
fn a_second_identification_is_faster_than_the_first() {
    let mut bench = Bench::new(Config::default());
    bench.identify();
    let cold = bench.now;
    bench.identify();
    assert!(bench.now - cold < cold / 2);
}

#[test]
fn an_illegal_command_shows_in_the_next_response_only() {
    let mut bench = Bench::ready(Config::default());
    assert_eq!(bench.command(1, OCR_ARG), Reply::Silent);
    assert_eq!(bench.r1(13, RCA), 0x900 | ILLEGAL_COMMAND);
    assert_eq!(bench.r1(13, RCA), 0x900);
    assert_eq!(bench.command(12, 0), Reply::Silent);
}

#[test]
fn a_clock_above_400_khz_is_not_understood_while_idle() {
    let mut bench = Bench::new(Config::default());
    bench.wire.clock_hz = 26_000_000;
    assert_eq!(bench.command(1, OCR_ARG), Reply::Silent);
    assert!(matches!(&bench.card.remarks()[..], [Remark::Guest(text)] if text.contains("400000")));
}

#[test]
fn switch_writes_what_may_be_written() {
    let mut bench = Bench::ready(Config::default());
    for (arg, good) in [
        (0x03B3_0100, true),  // partition access: boot 1
        (0x03B3_0700, false), // GP 4, which this card does not have
        (0x03D4_0100, false), // the sector count
        (0x03B7_0600, true),  // 8 bit DDR in high speed
        (0x03B9_0000, false), // leaving high speed in DDR
        (0x03B7_0300, false), // no such width
        (0x03AF_0100, true),  // ERASE_GROUP_DEF
    ] {
        let before = *bench.card.ext_csd();
        bench.r1(6, arg);
        assert!(bench.card.dat0_low(bench.now));
        bench.now += MS;
        assert_eq!(bench.r1(13, RCA) & SWITCH_ERROR == 0, good, "{arg:#x}");
        let index = (arg >> 16 & 0xFF) as usize;
        assert_eq!(bench.card.ext_csd()[index] == (arg >> 8) as u8, good);
        assert!(good || before == *bench.card.ext_csd());
    }
    bench.command(0, 0);
    for index in [179, 183, 185, 175] {
        assert_eq!(
            bench.card.ext_csd()[index],
            0,
            "CMD0 forgets EXT_CSD[{index}]"
        );
    }
}

#[test]
fn ddr_needs_high_speed_and_a_card_that_does_it() {
    let mut bench = Bench::new(Config::default());
    bench.identify();
    bench.r1(6, 0x03B7_0600);
    bench.now += MS;
    assert_ne!(bench.r1(13, RCA) & SWITCH_ERROR, 0);
    let mut bench = Bench::ready(Config {
        card_type: CardType::Hs52,
        ..Config::default()
    });
    bench.r1(6, 0x03B7_0600);
    bench.now += MS;
    assert_ne!(bench.r1(13, RCA) & SWITCH_ERROR, 0);
}

#[test]
fn blocks_go_to_the_selected_area_only() {
    let mut bench = Bench::ready(Config::default());
    bench.r1(6, 0x03B3_0100);
    bench.now += MS;
    assert_eq!(bench.r1(24, 5), 0x900);
    assert_eq!(bench.r1(13, RCA) >> 9 & 0xF, State::Receive as u32);
    bench
        .card
        .write_block(FAST, &[0x5A; 512], bench.now)
        .unwrap();
    assert_eq!(bench.r1(13, RCA), 0xE00, "programming, not ready for data");
    bench.now += MS;
    let mut byte = [0];
    bench
        .card
        .store(Area::Boot1)
        .unwrap()
        .read_at(5 * 512, &mut byte)
        .unwrap();
    assert_eq!(byte, [0x5A]);
    assert!(bench.card.store(Area::User).unwrap().is_empty());
    // 16 units of 128 KiB end at sector 4096.
    assert_eq!(bench.r1(17, 4096), 0x900 | OUT_OF_RANGE);
    assert_eq!(bench.r1(17, 4095), 0x900);
}

#[test]
fn an_open_read_ends_at_the_area_and_by_cmd12() {
    let mut bench = Bench::ready(Config {
        user_sectors: Some(4 << 20 << 1),
        ..Config::default()
    });
    bench.r1(18, (8 << 20) - 2);
    assert_eq!(bench.card.good_blocks_ahead(FAST, 10), 2);
    assert!(bench.card.read_block(FAST).unwrap().latency_ns > 0);
    assert_eq!(bench.card.read_block(FAST).unwrap().latency_ns, 0);
    assert_eq!(bench.card.read_block(FAST), Err(DataError::Silent));
    assert_eq!(bench.r1(12, 0), 0xB00 | OUT_OF_RANGE);
    assert_eq!(bench.r1(13, RCA), 0x900);
}

#[test]
fn cmd23_bounds_the_next_transfer() {
    let mut bench = Bench::ready(Config::default());
    bench.r1(23, 2);
    bench.r1(25, 0);
    assert!(bench.card.write_block(FAST, &[1; 512], bench.now).unwrap() > 0);
    bench.card.write_block(FAST, &[2; 512], bench.now).unwrap();
    assert!(bench.card.dat0_low(bench.now));
    bench.now += MS;
    assert_eq!(bench.card.state(bench.now), State::Transfer);
    assert_eq!(bench.card.stats().blocks_written, 2);
}

#[test]
fn a_small_card_counts_bytes() {
    let mut bench = Bench::ready(Config {
        user_sectors: Some(1 << 20),
        ..Config::default()
    });
    assert_eq!(bench.card.csd()[1] & 0x3FF, 0x1FF);
    assert_eq!(bench.r1(17, 1 << 20 | 1), 0x900 | ADDRESS_ERROR);
    assert_eq!(bench.r1(17, 512 << 20), 0x900 | OUT_OF_RANGE);
    bench
        .card
        .store(Area::User)
        .unwrap()
        .write_at(1 << 20, &[7])
        .unwrap();
    bench.r1(17, 1 << 20);
    assert_eq!(bench.card.read_block(FAST).unwrap().data[0], 7);
}

#[test]
fn a_foreign_width_spoils_data() {
    let mut bench = Bench::ready(Config::default());
    for wire in [
        Wire { width: 4, ..FAST },
        Wire { width: 1, ..FAST },
        Wire { ddr: true, ..FAST },
        Wire {
            clock_hz: 57_000_000,
            ..FAST
        },
    ] {
        bench.r1(17, 0);
        assert!(!bench.card.read_block(wire).unwrap().crc_ok, "{wire:?}");
    }
}

#[test]
fn erase_takes_whole_groups_and_trim_does_not() {
    let mut bench = Bench::ready(Config::default());
    bench
        .card
        .store(Area::User)
        .unwrap()
        .write_at(0, &vec![0xA5; 2 << 20])
        .unwrap();
    let byte = |bench: &mut Bench, sector: u64| {
        let mut byte = [0];
        bench
            .card
            .store(Area::User)
            .unwrap()
            .read_at(sector * 512, &mut byte)
            .unwrap();
        byte[0]
    };
    for (arg, lost, kept) in [(1, 1500, 1499), (0, 1024, 1023)] {
        bench.r1(35, 1500);
        bench.r1(36, 1500);
        bench.r1(38, arg);
        bench.now += 10 * MS;
        assert_eq!((byte(&mut bench, lost), byte(&mut bench, kept)), (0, 0xA5));
    }
    assert_eq!(bench.r1(38, 0), 0x900 | ERASE_SEQ_ERROR);
    bench.r1(35, 9);
    bench.r1(36, 8);
    assert_eq!(bench.r1(38, 1), 0x900 | ERASE_PARAM);
}

#[test]
fn faults_bite_as_often_as_they_are_told_to() {
    let fault = |kind, first, times| Fault {
        kind,
        area: Area::User,
        first,
        last: Some(first + 1),
        times,
    };
    let mut bench = Bench::ready(Config {
        faults: vec![
            fault(FaultKind::Crc, 100, Some(1)),
            fault(FaultKind::Timeout, 200, None),
            fault(FaultKind::WriteTimeout, 300, Some(1)),
        ],
        ..Config::default()
    });
    bench.r1(18, 90);
    assert_eq!(bench.card.good_blocks_ahead(FAST, 50), 10);
    bench.r1(12, 0);
    for good in [false, true] {
        bench.r1(17, 101);
        assert_eq!(bench.card.read_block(FAST).unwrap().crc_ok, good);
    }
    for _ in 0..3 {
        bench.r1(17, 200);
        assert_eq!(bench.card.read_block(FAST), Err(DataError::Silent));
        bench.r1(12, 0);
    }
    bench.r1(25, 299);
    bench.card.write_block(FAST, &[1; 512], bench.now).unwrap();
    assert_eq!(
        bench.card.write_block(FAST, &[1; 512], bench.now),
        Err(DataError::Silent)
    );
    bench.r1(12, 0);
    bench.now += MS;
    bench.r1(24, 300);
    bench.card.write_block(FAST, &[1; 512], bench.now).unwrap();
}

/// A card that loses its power in its third sector; the first two are of a
/// command of their own.
fn cut_in_the_third_sector(leaves: CutSector) -> Bench {
    let mut bench = Bench::ready(Config {
        power_cut: Some(PowerCut {
            at_sector: 3,
            leaves,
        }),
        ..Config::default()
    });
    let old = [0x11; 6 * SECTOR];
    bench
        .card
        .store(Area::User)
        .unwrap()
        .write_at(0, &old)
        .unwrap();
    bench.r1(23, 2);
    bench.r1(25, 0);
    for _ in 0..2 {
        bench
            .card
            .write_block(FAST, &[0x22; 512], bench.now)
            .unwrap();
    }
    bench.now += MS;
    bench
}

#[test]
fn a_power_cut_keeps_what_was_written_and_nothing_else() {
    let new: Vec<u8> = (0..512u32).map(|at| (at * 7) as u8).collect();
    for leaves in [
        CutSector::Old,
        CutSector::Half,
        CutSector::Garbage,
        CutSector::New,
    ] {
        let mut bench = cut_in_the_third_sector(leaves);
        bench.r1(23, 3);
        bench.r1(25, 2);
        assert_eq!(bench.card.good_blocks_ahead(FAST, 3), 0);
        assert!(bench.card.remarks().is_empty());
        for _ in 0..2 {
            assert_eq!(
                bench.card.write_block(FAST, &new, bench.now),
                Err(DataError::Silent),
                "{leaves:?}"
            );
        }
        assert!(
            matches!(&bench.card.remarks()[..], [Remark::PowerCut(text)] if text.contains("sector 0x2 "))
        );
        assert!(!bench.card.alive());
        assert_eq!(bench.command(13, RCA), Reply::Silent);
        let mut held = [0; 6 * SECTOR];
        let store = bench.card.store(Area::User).unwrap();
        store.read_at(0, &mut held).unwrap();
        assert!(held[..1024].iter().all(|&byte| byte == 0x22));
        assert!(held[1536..].iter().all(|&byte| byte == 0x11));
        let cut = &held[1024..1536];
        match leaves {
            CutSector::Old => assert_eq!(cut, [0x11; 512]),
            CutSector::Half => {
                assert_eq!(cut[..256], new[..256]);
                assert_eq!(cut[256..], [0x11; 256]);
            }
            CutSector::Garbage => assert!(cut != new && cut != [0x11; 512]),
            CutSector::New => assert_eq!(cut, new),
        }
    }
}

#[test]
fn reads_are_no_writes_to_a_power_cut() {
    let mut bench = cut_in_the_third_sector(CutSector::Old);
    bench.r1(18, 0);
    assert_eq!(bench.card.good_blocks_ahead(FAST, 9), 9);
    for _ in 0..9 {
        bench.card.read_block(FAST).unwrap();
    }
    assert!(bench.card.alive());
}

#[test]
fn after_a_power_cut_the_card_starts_as_new() {
    let mut bench = cut_in_the_third_sector(CutSector::Old);
    bench.r1(24, 2);
    assert!(bench.card.write_block(FAST, &[3; 512], bench.now).is_err());
    bench.card.power_on_reset();
    bench.card.set_supply(true);
    bench.identify();
    bench.speed_up();
    bench.r1(24, 2);
    assert!(bench.card.write_block(FAST, &[3; 512], bench.now).is_ok());
}

#[test]
fn commands_can_be_deaf() {
    let mut bench = Bench::new(Config {
        command_faults: vec![CommandFault {
            index: 2,
            times: Some(1),
        }],
        never_ready: false,
        ..Config::default()
    });
    bench.command(1, OCR_ARG);
    bench.now += 100 * MS;
    bench.command(1, OCR_ARG);
    assert_eq!(bench.command(2, 0), Reply::Silent);
    assert!(matches!(bench.command(2, 0), Reply::R2(_)));
}

#[test]
fn supply_and_rst_n_reset_the_card() {
    let mut bench = Bench::ready(Config::default());
    bench.card.set_rst_n(true);
    bench.card.set_rst_n(false);
    assert_eq!(bench.r1(13, RCA), 0x900, "RST_n is off as delivered");
    bench.r1(6, 0x03A2_0100);
    bench.now += MS;
    bench.card.set_rst_n(true);
    assert_eq!(bench.command(13, RCA), Reply::Silent);
    bench.card.set_rst_n(false);
    assert_eq!(bench.card.state(bench.now), State::Idle);
    bench.identify();
    bench.card.set_supply(false);
    assert_eq!(bench.command(13, RCA), Reply::Silent);
    bench.card.set_supply(true);
    assert_eq!(bench.card.state(bench.now), State::Idle);
    bench.identify();
}

#[test]
fn dead_and_stuck_cards() {
    let mut bench = Bench::new(Config {
        absent: true,
        ..Config::default()
    });
    assert_eq!(bench.command(1, OCR_ARG), Reply::Silent);
    let mut bench = Bench::new(Config {
        never_ready: true,
        ..Config::default()
    });
    for _ in 0..100 {
        assert_eq!(bench.command(1, OCR_ARG), Reply::R3(0x40FF_8080));
        bench.now += 10 * MS;
    }
    let mut bench = Bench::new(Config {
        stuck_busy: true,
        ..Config::default()
    });
    bench.identify();
    assert!(bench.card.dat0_low(Nanos::MAX / 2));
    bench.r1(17, 0);
    assert_eq!(bench.card.read_block(SLOW), Err(DataError::Silent));
}

#[test]
fn a_card_that_cannot_be_is_refused() {
    let large = Stores {
        boot1: Box::new(vec![0; 3 << 20]),
        ..Stores::user(Vec::new())
    };
    assert!(matches!(
        Emmc::new(Config::default(), large),
        Err(ConfigError::StoreTooLarge {
            area: Area::Boot1,
            area_bytes: 0x20_0000,
            ..
        })
    ));
    let named = Config {
        name: "TOOLONG".into(),
        ..Config::default()
    };
    assert!(matches!(
        Emmc::new(named, Stores::user(Vec::new())),
        Err(ConfigError::Name(_))
    ));
    let tiny = Config {
        user_sectors: Some(1),
        ..Config::default()
    };
    assert!(matches!(
        Emmc::new(tiny, Stores::user(Vec::new())),
        Err(ConfigError::UserSize(_))
    ));
}

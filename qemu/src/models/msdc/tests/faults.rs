//! What goes wrong on the lines, and how software gets out of it.

use super::*;
use crate::bus::{Memory, Reset};
use crate::models::emmc::config::CommandFault;
use crate::models::emmc::{Area, CutSector, Fault, FaultKind, PowerCut, SECTOR, State};
use crate::signals::Request;

const DATA: u32 = RAM + 0x10_0000;

fn fault(kind: FaultKind, first: u32, times: Option<u32>) -> Config {
    let fault = Fault {
        kind,
        area: Area::User,
        first,
        last: None,
        times,
    };
    Config {
        faults: vec![fault],
        ..Config::default()
    }
}

/// Basic DMA of up to 127 blocks: the bits of MSDC_INT that ended it, and when.
fn dma(rig: &mut Rig, raw: u32, lba: u32, blocks: u32) -> (u32, Nanos) {
    let cfg = rig.read(reg::MSDC_CFG);
    rig.write(reg::MSDC_CFG, cfg & !8);
    rig.write(reg::SDC_BLK_NUM, blocks);
    rig.write(reg::DMA_SA, DATA);
    rig.write(reg::DMA_LEN, blocks * 512);
    rig.ok(raw, lba);
    let start = rig.world.now;
    rig.write(reg::DMA_CTRL, 6 << 12 | 1 << 10 | 1);
    let seen = rig.wait(int::XFER_COMPL | int::DATTMO | int::DATCRCERR);
    (seen & !int::DXFER_DONE, rig.world.now - start)
}

/// facts/storage-and-images.md 8.9.
fn recover(rig: &mut Rig) {
    rig.write(reg::DMA_CTRL, 6 << 12 | 2);
    while rig.read(reg::DMA_CFG) & 1 != 0 {}
    let cfg = rig.read(reg::MSDC_CFG);
    rig.write(reg::MSDC_CFG, cfg | 4);
    assert_eq!(rig.read(reg::MSDC_CFG) & 4, 0);
    rig.write(reg::MSDC_FIFOCS, 1 << 31);
    for _ in 0..10 {
        match rig.ok(raw::CMD13, RCA) >> 9 & 0xF {
            4 => return,
            5 | 6 => {
                rig.ok(raw::CMD12_R1B, 0);
            }
            _ => rig.spend(MS),
        }
    }
    panic!("the card does not come back");
}

#[test]
fn a_crc_error_ends_a_read_at_its_block() {
    let mut rig = Rig::ready(fault(FaultKind::Crc, 50, Some(1)));
    rig.fill(0, 100);
    let (seen, took) = dma(&mut rig, raw::CMD18, 0, 100);
    assert_eq!(seen, int::DATCRCERR);
    // 51 blocks of 538 clocks and the latency.
    assert!((640_000..660_000).contains(&took), "{took} ns");
    assert_eq!(rig.read(reg::SDC_DCRC_STS), 0xFF);
    recover(&mut rig);
    assert_eq!(dma(&mut rig, raw::CMD18, 0, 100).0, int::XFER_COMPL);
    assert_eq!(rig.ram(0x10_0000, 51200), Rig::pattern(0, 100));
    rig.no_errors();
}

#[test]
fn an_error_interrupts_when_it_happens() {
    let mut rig = Rig::ready(fault(FaultKind::Crc, 50, None));
    rig.write(reg::MSDC_CFG, CFG_BASE & !8 | 1 << 8);
    rig.write(reg::MSDC_INTEN, int::DATCRCERR);
    rig.write(reg::SDC_BLK_NUM, 100);
    rig.write(reg::DMA_SA, DATA);
    rig.write(reg::DMA_LEN, 100 * 512);
    rig.ok(raw::CMD18, 0);
    rig.write(reg::DMA_CTRL, 6 << 12 | 1 << 10 | 1);
    rig.spend(600_000);
    assert!(!rig.irq());
    rig.spend(60_000);
    assert!(rig.irq(), "nobody looked at the registers");
    rig.no_errors();
}

#[test]
fn a_silent_block_times_out_by_dtoc() {
    let mut rig = Rig::ready(fault(FaultKind::Timeout, 0, Some(1)));
    let (seen, took) = dma(&mut rig, raw::CMD17, 0, 1);
    assert_eq!(seen, int::DATTMO);
    // DTOC 3: 4 * 2^20 clocks at 52 MHz.
    assert!((80_600_000..80_700_000).contains(&took), "{took} ns");
    recover(&mut rig);
    assert_eq!(dma(&mut rig, raw::CMD17, 0, 1).0, int::XFER_COMPL);
    rig.no_errors();
}

#[test]
fn writes_fail_by_crc_status_and_by_its_absence() {
    for (kind, bit) in [
        (FaultKind::Crc, int::DATCRCERR),
        (FaultKind::WriteTimeout, int::DATTMO),
    ] {
        let mut rig = Rig::ready(fault(kind, 5, Some(1)));
        assert_eq!(dma(&mut rig, raw::CMD25, 0, 10).0, bit);
        recover(&mut rig);
        assert_eq!(dma(&mut rig, raw::CMD25, 0, 10).0, int::XFER_COMPL);
        rig.ok(raw::CMD12_R1B, 0);
        rig.wait_dat0();
        rig.no_errors();
    }
}

#[test]
fn a_power_cut_switches_the_phone_off_in_the_middle_of_a_write() {
    const BEFORE: usize = 5;
    let mut rig = Rig::ready(Config {
        power_cut: Some(PowerCut {
            at_sector: BEFORE as u64 + 1,
            leaves: CutSector::Half,
        }),
        ..Config::default()
    });
    rig.fill(0x100, 10);
    let new = Rig::pattern(0x8000, 10);
    assert!(rig.world.memory.write(DATA, &new));
    let cfg = rig.read(reg::MSDC_CFG);
    rig.write(reg::MSDC_CFG, cfg & !8);
    rig.write(reg::SDC_BLK_NUM, 10);
    rig.write(reg::DMA_SA, DATA);
    rig.write(reg::DMA_LEN, 10 * 512);
    rig.ok(raw::CMD25, 0x100);
    rig.write(reg::DMA_CTRL, 6 << 12 | 1 << 10 | 1);
    // Six blocks and the busy times between them; nobody looks.
    rig.spend(55_000);
    assert_eq!(rig.world.signals.request, None);
    rig.spend(MS);
    assert_eq!(
        rig.world.signals.request.take(),
        Some(Request::PowerOff("power cut"))
    );
    let mut held = vec![0; 10 * SECTOR];
    let mut expected = Rig::pattern(0x100, 10);
    let cut = BEFORE * SECTOR + SECTOR / 2;
    expected[..cut].copy_from_slice(&new[..cut]);
    rig.msdc.user_read(0x100, &mut held).unwrap();
    assert_eq!(held, expected);
    rig.no_errors();
}

#[test]
fn ddr_over_bad_traces_gives_crc_errors() {
    let mut rig = Rig::new(Config {
        ddr_works: false,
        ..Config::default()
    });
    rig.identify();
    rig.speed_up(6, 2, 2 << 16);
    assert_eq!(dma(&mut rig, raw::CMD17, 0, 1).0, int::DATCRCERR);
    assert_eq!(rig.read(reg::SDC_DCRC_STS), 0xFFFF);
    recover(&mut rig);
    // Back to SDR, where all is well.
    rig.switch(183, 2);
    rig.clock(1 << 8);
    assert_eq!(dma(&mut rig, raw::CMD17, 0, 1).0, int::XFER_COMPL);
    rig.no_errors();
}

#[test]
fn a_width_that_the_card_was_not_told_is_a_guest_error() {
    let mut rig = Rig::ready(Config::default());
    rig.write(reg::SDC_CFG, 3 << 24 | 1 << 19 | 1 << 16);
    assert_eq!(dma(&mut rig, raw::CMD17, 0, 1).0, int::DATCRCERR);
    rig.one_error("data at 4 bit, 52000000 Hz while EXT_CSD[183] = 2");
}

#[test]
fn more_than_26_mhz_needs_high_speed() {
    let mut rig = Rig::new(Config::default());
    rig.identify();
    rig.switch(183, 2);
    rig.write(reg::SDC_CFG, 3 << 24 | 1 << 19 | 2 << 16);
    rig.clock(2 << 8);
    assert_eq!(dma(&mut rig, raw::CMD17, 0, 1).0, int::XFER_COMPL);
    rig.no_errors();
    rig.clock(1 << 8);
    assert_eq!(dma(&mut rig, raw::CMD17, 0, 1).0, int::DATCRCERR);
    rig.one_error("HS_TIMING = 0");
}

#[test]
fn no_supply_no_answer() {
    let mut rig = Rig::ready(Config::default());
    rig.world.signals.rails_mv[Rail::Vemc3v3 as usize] = 0;
    assert_eq!(rig.command(raw::CMD13, RCA), int::CMDTMO);
    rig.one_error("VCC = 0 mV, VCCQ = 1800 mV");
    rig.world.signals.rails_mv[Rail::Vemc3v3 as usize] = 3300;
    assert_eq!(
        rig.command(raw::CMD13, RCA),
        int::CMDTMO,
        "it begins in idle"
    );
    rig.errors();
    rig.identify();
    rig.no_errors();
}

#[test]
fn a_command_that_the_card_cannot_hear_is_a_guest_error() {
    let mut rig = Rig::ready(Config::default());
    rig.world.signals.pin_mode[46] = 0;
    assert_eq!(rig.command(raw::CMD13, RCA), int::CMDTMO);
    rig.one_error("pads of CLK, CMD, DAT0");
    rig.world.signals.pin_mode[46] = 1;
    rig.ok(raw::CMD13, RCA);
    rig.world.signals.rails_mv[Rail::Vio18 as usize] = 1200;
    assert_eq!(rig.command(raw::CMD13, RCA), int::CMDTMO);
    rig.one_error("VCCQ = 1200 mV");
}

#[test]
fn a_supply_cut_between_two_commands_is_not_missed() {
    let mut rig = Rig::ready(Config::default());
    for millivolts in [0, 3300] {
        rig.world.signals.rails_mv[Rail::Vemc3v3 as usize] = millivolts;
        rig.msdc.wires_changed(&mut rig.world.cx());
    }
    assert_eq!(rig.command(raw::CMD13, RCA), int::CMDTMO);
    rig.errors();
    rig.identify();
    rig.no_errors();
}

#[test]
fn the_card_survives_the_watchdog_but_not_the_battery() {
    let mut rig = Rig::ready(Config::default());
    rig.msdc.reset(Reset::Watchdog, &mut rig.world.cx());
    let now = rig.world.now;
    assert_eq!(rig.msdc.card_mut().unwrap().state(now), State::Transfer);
    assert_eq!(rig.read(reg::SDC_CFG), 0);
    // CMD1 without CMD0 finds a card that is past it.
    rig.set_up();
    assert_eq!(rig.command(raw::CMD1, 0x40FF_8080), int::CMDTMO);
    rig.identify();
    rig.msdc.reset(Reset::PowerOn, &mut rig.world.cx());
    let now = rig.world.now;
    assert_eq!(rig.msdc.card_mut().unwrap().state(now), State::Idle);
    rig.no_errors();
}

#[test]
fn a_card_that_is_stuck_or_deaf_ends_in_time_outs() {
    let mut rig = Rig::new(Config {
        stuck_busy: true,
        ..Config::default()
    });
    rig.set_up();
    rig.ok(raw::CMD0, 0);
    rig.spend(MS);
    assert_eq!(rig.read(reg::MSDC_PS) & 1 << 16, 0);
    assert_eq!(rig.read(reg::SDC_STS), 1);
    let faults = vec![CommandFault {
        index: 13,
        times: Some(2),
    }];
    let mut rig = Rig::new(Config {
        command_faults: faults,
        ..Config::default()
    });
    rig.identify();
    for end in [int::CMDTMO, int::CMDTMO, int::CMDRDY] {
        assert_eq!(rig.command(raw::CMD13, RCA), end);
    }
    rig.no_errors();
}

#[test]
fn the_preloader_hands_over_a_selected_card() {
    let mut rig = Rig::new(Config::default());
    rig.world.signals.clk_mux_sel = 2 << 11;
    rig.world.now = 300 * MS;
    rig.msdc.leave_as_preloader(301 * MS);
    assert_eq!(rig.ok(raw::CMD13, RCA), 0xE00, "still busy");
    rig.wait_dat0();
    assert_eq!(rig.ok(raw::CMD13, RCA), 0x900);
    rig.fill(1, 1);
    assert_eq!(dma(&mut rig, raw::CMD17, 1, 1).0, int::XFER_COMPL);
    assert_eq!(rig.ram(0x10_0000, 512), Rig::pattern(1, 1));
    // Whoever starts anew finds a card that gets ready faster than a cold one.
    let start = rig.world.now;
    rig.identify();
    assert!(rig.world.now - start < 40 * MS);
    rig.no_errors();
}

/// Drivers ask for SDIO and SD cards first; an eMMC keeps silent
/// (facts/storage-and-images.md 8.10).
#[test]
fn questions_to_other_kinds_of_cards_time_out_without_complaint() {
    let mut rig = Rig::new(Config::default());
    rig.set_up();
    rig.ok(raw::CMD0, 0);
    // CMD5 with R4 and coded as R3, CMD8 without data, CMD55.
    for raw in [0x205, 0x185, 0x088, 0x0B7] {
        assert_ne!(rig.command(raw, 0) & int::CMDTMO, 0, "{raw:#x}");
    }
    rig.no_errors();
}

//! The card's protocol against the fake card.
#![allow(clippy::unwrap_used)]

use super::fake::{FakeCard, Fault, USER_BLOCKS};
use super::*;
use crate::dma::{DmaRegion, leaked};

fn ready(card: FakeCard) -> Emmc<FakeCard> {
    let mut emmc = Emmc::new(card);
    emmc.init().unwrap();
    emmc.host.log.clear();
    emmc
}

fn init_error(card: FakeCard) -> (Error, Emmc<FakeCard>) {
    let mut emmc = Emmc::new(card);
    (emmc.init().unwrap_err(), emmc)
}

fn reasons(emmc: &Emmc<FakeCard>) -> Vec<(Mode, Width, Error)> {
    let each = |note: &Fallback| (note.mode, note.width, note.error);
    emmc.fallbacks().map(each).collect()
}

fn fault(lba: u32, crc: bool, times: u32) -> Fault {
    Fault {
        lba,
        crc,
        ddr_only: false,
        times,
    }
}

fn assert_blocks(emmc: &Emmc<FakeCard>, lba: u32, data: &[u8]) {
    for (i, block) in data.chunks_exact(BLOCK_BYTES).enumerate() {
        let lba = lba + i as u32;
        assert_eq!(block, emmc.host.block(0, lba), "block {lba}");
    }
}

#[test]
fn identification_sends_what_the_card_needs_in_order() {
    let mut emmc = Emmc::new(FakeCard::new());
    emmc.init().unwrap();
    let sent: Vec<_> = emmc
        .host
        .log
        .iter()
        .map(|c| (c.index, c.argument))
        .collect();
    assert_eq!(sent[..3], [(0, 0), (1, 0), (0, 0)]);
    assert_eq!(sent[3..6], [(1, 0x40ff_8080); 3]);
    assert_eq!(
        sent[6..11],
        [(2, 0), (3, 0x1_0000), (9, 0x1_0000), (7, 0x1_0000), (8, 0)]
    );
    assert_eq!(sent[11], (6, 0x03b9_0100));
    let switches: Vec<_> = sent.iter().filter(|c| c.0 == 6).map(|c| c.1).collect();
    assert_eq!(switches, [0x03b9_0100, 0x03b7_0200, 0x03b7_0600]);
    assert_eq!(emmc.bus(), (Mode::Ddr52, Width::Eight, 52_000_000));
    assert_eq!(emmc.bus_rate(), 104_000_000);
    assert!(reasons(&emmc).is_empty());
    let card = emmc.card().unwrap();
    assert_eq!(&card.cid.product, b"M4G1YC");
    assert_eq!(card.areas.user_blocks, USER_BLOCKS);
    assert_eq!(card.areas.boot_bytes, 2 << 20);
    assert!(card.power_up.0 > 0);
}

#[test]
fn power_up_can_be_waited_for_in_between() {
    let mut emmc = Emmc::new(FakeCard::new());
    emmc.begin().unwrap();
    assert_eq!(emmc.identify().unwrap_err(), Error::NotReady);
    assert!(!emmc.poll_power_up().unwrap());
    assert!(!emmc.poll_power_up().unwrap());
    assert!(emmc.poll_power_up().unwrap());
    emmc.identify().unwrap();
}

#[test]
fn no_card_and_no_power_up_have_their_names() {
    let mut card = FakeCard::new();
    card.absent = true;
    assert_eq!(init_error(card).0, Error::NoCard);
    let mut card = FakeCard::new();
    card.power_up_polls = u32::MAX;
    let (error, emmc) = init_error(card);
    assert_eq!(error, Error::PowerUp);
    assert!(emmc.card().is_none());
}

#[test]
fn a_hung_card_is_reset() {
    let mut card = FakeCard::new();
    card.hung = true;
    let emmc = ready(card);
    assert_eq!(emmc.host.card_resets, 1);
}

#[test]
fn ddr_that_fails_falls_back_to_sdr() {
    let mut card = FakeCard::new();
    card.broken_ddr = true;
    let emmc = ready(card);
    assert_eq!(emmc.bus(), (Mode::Sdr52, Width::Eight, 52_000_000));
    let crc = Error::DataCrc { lba: 0 };
    assert_eq!(reasons(&emmc), [(Mode::Ddr52, Width::Eight, crc)]);
    assert_eq!(emmc.host.ext_csd[183], 2);
}

#[test]
fn ddr_that_is_not_offered_is_not_tried() {
    let mut card = FakeCard::new();
    card.ext_csd[196] = 0b011;
    let emmc = ready(card);
    assert_eq!(emmc.bus().0, Mode::Sdr52);
    assert!(reasons(&emmc).is_empty());
    let mut card = FakeCard::new();
    card.ext_csd[196] = 0b001;
    assert_eq!(ready(card).bus(), (Mode::Sdr26, Width::Eight, 26_000_000));
}

#[test]
fn lines_that_are_missing_narrow_the_bus() {
    let crc = Error::DataCrc { lba: 0 };
    let mut card = FakeCard::new();
    card.broken_widths = vec![Width::Eight];
    let emmc = ready(card);
    assert_eq!(emmc.bus(), (Mode::Ddr52, Width::Four, 52_000_000));
    assert_eq!(reasons(&emmc), [(Mode::Sdr52, Width::Eight, crc)]);
    assert_eq!(emmc.host.ext_csd[183], 5);

    let mut card = FakeCard::new();
    card.broken_widths = vec![Width::Eight, Width::Four];
    let emmc = ready(card);
    assert_eq!(emmc.bus(), (Mode::Sdr52, Width::One, 52_000_000));
    assert_eq!(reasons(&emmc).len(), 2);
}

#[test]
fn a_width_that_the_card_refuses_is_skipped() {
    let mut card = FakeCard::new();
    card.refused_bus = vec![2];
    let emmc = ready(card);
    assert_eq!(emmc.bus().1, Width::Four);
    assert!(matches!(
        reasons(&emmc)[..],
        [(_, Width::Eight, Error::Refused { index: 13, .. })]
    ));
}

#[test]
fn a_clock_that_is_too_fast_is_lowered() {
    let mut card = FakeCard::new();
    card.broken_above_26_mhz = true;
    let emmc = ready(card);
    assert_eq!(emmc.bus(), (Mode::Sdr26, Width::Eight, 26_000_000));
}

#[test]
fn single_and_multiple_blocks() {
    let mut emmc = ready(FakeCard::new());
    let mut data = [0; 2048];
    emmc.read(1000, &mut data[..512]).unwrap();
    emmc.read(1000, &mut data).unwrap();
    assert_blocks(&emmc, 1000, &data);
    let sent: Vec<_> = emmc.host.log.iter().map(|c| c.index).collect();
    assert_eq!(sent[..2], [17, 18]);
}

#[test]
fn ranges_and_lengths_are_checked_before_the_card_is_asked() {
    let mut emmc = ready(FakeCard::new());
    let mut data = [0; 1024];
    let lba = USER_BLOCKS - 1;
    assert_eq!(emmc.read(lba, &mut data), Err(Error::OutOfRange { lba }));
    emmc.read(lba, &mut data[..512]).unwrap();
    let lba = u32::MAX;
    assert_eq!(emmc.read(lba, &mut data), Err(Error::OutOfRange { lba }));
    assert_eq!(emmc.read(0, &mut data[..100]), Err(Error::Length));
    assert_eq!(emmc.read(0, &mut []), Err(Error::Length));
    let rejected = emmc.start_read(0, leaked(64)).unwrap_err();
    assert_eq!((rejected.error, rejected.region.len()), (Error::Length, 64));
    assert_eq!(emmc.host.count(17), 1);
}

#[test]
fn a_small_card_is_addressed_in_bytes() {
    let mut card = FakeCard::new();
    card.ocr = 0x00ff_8080;
    let mut emmc = ready(card);
    let mut data = [0; 512];
    emmc.read(3, &mut data).unwrap();
    assert_eq!(emmc.host.log[0].argument, 1536);
}

#[test]
fn a_long_read_is_a_chain_of_transfers() {
    let mut card = FakeCard::new();
    card.max_dma_bytes = 8 * BLOCK_BYTES;
    let mut emmc = ready(card);
    let region = leaked(20 * BLOCK_BYTES);
    let address = region.address();
    emmc.start_read(5000, region).unwrap();
    let mut other = [0; 512];
    assert_eq!(emmc.read(0, &mut other), Err(Error::NotReady));
    assert!(!emmc.is_done() && !emmc.is_done());
    assert!(emmc.is_done());
    let (region, result) = emmc.finish();
    result.unwrap();
    assert_eq!((region.address(), region.len()), (address, 20 * 512));
    assert_blocks(&emmc, 5000, region.as_slice());
    let starts: Vec<_> = emmc.host.log.iter().map(|c| c.argument).collect();
    assert_eq!(starts, [5000, 5008, 5016]);
    assert!(emmc.is_done());
    assert_eq!(emmc.finish().1, Err(Error::NotReady));
}

#[test]
fn a_crc_error_is_retried_on_a_slower_bus() {
    let mut card = FakeCard::new();
    card.max_dma_bytes = 8 * BLOCK_BYTES;
    card.faults.push(Fault {
        lba: 5010,
        crc: true,
        ddr_only: true,
        times: u32::MAX,
    });
    let mut emmc = ready(card);
    let mut region = leaked(20 * BLOCK_BYTES);
    emmc.read_region(5000, &mut region).unwrap();
    assert_blocks(&emmc, 5000, region.as_slice());
    assert_eq!(emmc.bus().0, Mode::Sdr52);
    let error = Error::DataCrc { lba: 5008 };
    assert_eq!(reasons(&emmc), [(Mode::Ddr52, Width::Eight, error)]);
}

#[test]
fn a_time_out_is_retried_on_the_same_bus() {
    let mut card = FakeCard::new();
    card.faults.push(fault(7, false, 1));
    let mut emmc = ready(card);
    let mut region = leaked(20 * BLOCK_BYTES);
    emmc.read_region(0, &mut region).unwrap();
    assert_blocks(&emmc, 0, region.as_slice());
    assert_eq!(emmc.bus().0, Mode::Ddr52);
}

#[test]
fn a_dead_block_is_named_and_the_memory_comes_back() {
    for (crc, lba) in [(true, 5013), (false, 5000), (true, 5019), (false, 5007)] {
        let mut card = FakeCard::new();
        card.max_dma_bytes = 16 * BLOCK_BYTES;
        card.faults.push(fault(lba, crc, u32::MAX));
        let mut emmc = ready(card);
        let mut region = leaked(20 * BLOCK_BYTES);
        let address = region.address();
        let error = if crc {
            Error::DataCrc { lba }
        } else {
            Error::DataTimeout { lba }
        };
        assert_eq!(emmc.read_region(5000, &mut region), Err(error));
        assert_eq!((region.address(), region.len()), (address, 20 * 512));
        // The card is usable, and knows the blocks before and after.
        let mut data = [0; 512];
        emmc.read(lba + 1, &mut data).unwrap();
        assert_blocks(&emmc, lba + 1, &data);
    }
}

#[test]
fn a_card_that_vanishes_ends_the_read() {
    let mut card = FakeCard::new();
    card.max_dma_bytes = 8 * BLOCK_BYTES;
    let mut emmc = ready(card);
    emmc.start_read(0, leaked(20 * BLOCK_BYTES)).unwrap();
    emmc.host.absent = true;
    let (region, result) = emmc.finish();
    assert_eq!(result, Err(Error::CmdTimeout { index: 18 }));
    assert_eq!(region.len(), 20 * 512);
}

#[test]
fn what_is_written_is_read_again() {
    let mut card = FakeCard::new();
    card.max_dma_bytes = 8 * BLOCK_BYTES;
    card.faults.push(fault(2004, true, 1));
    let mut emmc = ready(card);
    emmc.write(2000, &[0xa5; 1024]).unwrap();
    let mut data = [0; 2048];
    emmc.read(2000, &mut data).unwrap();
    assert!(data[..1024].iter().all(|byte| *byte == 0xa5));
    let mut region = leaked(20 * BLOCK_BYTES);
    region.as_mut_slice().fill(0x5a);
    emmc.write_region(2000, &mut region).unwrap();
    region.as_mut_slice().fill(0);
    emmc.read_region(2000, &mut region).unwrap();
    assert!(region.as_slice().iter().all(|byte| *byte == 0x5a));
}

#[test]
fn boot_areas_are_read_but_never_written() {
    let mut emmc = ready(FakeCard::new());
    let mut data = [0; 512];
    let pages = emmc
        .with_area(Area::Boot1, |emmc| {
            assert_eq!(emmc.host.ext_csd[179], 0x49);
            assert_eq!(emmc.write(0, &[0; 512]), Err(Error::Protected));
            let mut region = leaked(512);
            assert_eq!(emmc.write_region(0, &mut region), Err(Error::Protected));
            emmc.read(9, &mut data)?;
            Ok(emmc.geometry().pages)
        })
        .unwrap();
    assert_eq!(pages, 4096);
    assert_eq!(data, emmc.host.block(1, 9));
    assert_eq!(emmc.host.ext_csd[179], 0x48);
    assert_eq!(emmc.geometry().pages, USER_BLOCKS);
    assert!(emmc.host.written.is_empty());
}

#[test]
fn the_user_area_is_back_after_a_failure() {
    let mut emmc = ready(FakeCard::new());
    let failed = emmc.with_area(Area::Boot2, |emmc| emmc.read(u32::MAX, &mut [0; 512]));
    assert_eq!(failed, Err(Error::OutOfRange { lba: u32::MAX }));
    assert_eq!((emmc.area(), emmc.host.ext_csd[179]), (Area::User, 0x48));
}

#[test]
fn a_second_identification_forgets_the_first() {
    let mut card = FakeCard::new();
    card.broken_ddr = true;
    let mut emmc = ready(card);
    emmc.host.broken_ddr = false;
    emmc.init().unwrap();
    assert_eq!(emmc.bus().0, Mode::Ddr52);
    assert!(reasons(&emmc).is_empty());
}

#[test]
fn quiescing_ends_what_is_under_way() {
    let mut emmc = ready(FakeCard::new());
    emmc.start_read(0, leaked(1024)).unwrap();
    emmc.quiesce().unwrap();
    assert!(emmc.host.quiet && emmc.job.is_none());
}

#[test]
fn nothing_is_read_before_identification() {
    let mut emmc = Emmc::new(FakeCard::new());
    assert_eq!(emmc.read(0, &mut [0; 512]), Err(Error::NotReady));
    let mut region: DmaRegion = leaked(512);
    assert_eq!(emmc.read_region(0, &mut region), Err(Error::NotReady));
    assert_eq!(region.len(), 512);
    assert_eq!(emmc.geometry().pages, 0);
}

#[test]
fn errors_are_short_lines_that_name_the_thing() {
    assert_eq!(
        Error::DataCrc { lba: 5013 }.to_string(),
        "damaged data for block 5013"
    );
    assert_eq!(
        Error::CmdTimeout { index: 18 }.to_string(),
        "no answer to CMD18"
    );
    let refused = Error::Refused {
        index: 13,
        status: 0x980,
    };
    assert_eq!(refused.to_string(), "card refuses CMD13, status 00000980");
}

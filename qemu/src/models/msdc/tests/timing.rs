//! How long things take: what the programmed clock, width and edge imply, and
//! what the card adds.

use super::*;

const MIB: u64 = 1 << 20;

/// Virtual time from the command of a DMA read of 1 MiB to XFER_COMPL, without
/// the card's latency.
fn read_1_mib(rig: &mut Rig) -> Nanos {
    let latency = Nanos::from(rig.msdc.card().unwrap().config().read_latency_us) * 1000;
    rig.fill(0, 2048);
    let cfg = rig.read(reg::MSDC_CFG);
    rig.write(reg::MSDC_CFG, cfg & !8);
    rig.write(reg::SDC_BLK_NUM, 2048);
    // 32 KiB a piece: GPDs that point to their buffers.
    for index in 0..=32u32 {
        let words = [
            u32::from(index < 32),
            RAM + 32 * (index + 1),
            RAM + 0x10_0000 + index * 0x8000,
            0x8000,
        ];
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        crate::bus::Memory::write(&mut rig.world.memory, RAM + 32 * index, &bytes);
    }
    rig.write(reg::DMA_SA, RAM);
    let start = rig.world.now;
    rig.ok(raw::CMD18, 0);
    rig.write(reg::DMA_CTRL, 6 << 12 | 1 << 8 | 1);
    let mut ticks = 0;
    while rig.world.reports.is_empty() && rig.read(reg::MSDC_INT) & int::XFER_COMPL == 0 {
        let next = rig.msdc.deadline().unwrap();
        assert!(next > rig.world.now, "a deadline in the past");
        rig.spend(next - rig.world.now);
        ticks += 1;
    }
    assert!(ticks < 20, "{ticks} ticks for one transfer");
    let took = rig.world.now - start - latency;
    assert_eq!(rig.ram(0x10_0000, MIB as usize), Rig::pattern(0, 2048));
    rig.no_errors();
    took
}

fn megabytes_per_second(took: Nanos) -> f64 {
    MIB as f64 * 1000.0 / took as f64
}

#[test]
fn sdr_at_52_mhz_comes_near_52_mb_per_second() {
    let rate = megabytes_per_second(read_1_mib(&mut Rig::ready(Config::default())));
    assert!((0.9 * 52.0..52.0).contains(&rate), "{rate:.1} MB/s");
}

#[test]
fn ddr_is_nearly_twice_as_fast() {
    let mut rig = Rig::new(Config::default());
    rig.identify();
    rig.speed_up(6, 2, 2 << 16);
    let rate = megabytes_per_second(read_1_mib(&mut rig));
    assert!((0.9 * 104.0..104.0).contains(&rate), "{rate:.1} MB/s");
}

#[test]
fn width_and_divider_count() {
    let mut rig = Rig::new(Config::default());
    rig.identify();
    rig.speed_up(1, 1, 2 << 8);
    let rate = megabytes_per_second(read_1_mib(&mut rig));
    assert!((0.9 * 13.0..13.0).contains(&rate), "{rate:.1} MB/s");
    // The same through the LK default: MAINPLL/8 = 199.9 MHz.
    let mut rig = Rig::ready(Config::default());
    rig.world.signals.clk_mux_sel = 2 << 11;
    let rate = megabytes_per_second(read_1_mib(&mut rig));
    assert!((0.9 * 50.0..50.0).contains(&rate), "{rate:.1} MB/s");
}

#[test]
fn a_command_takes_its_clocks() {
    let mut rig = Rig::new(Config::default());
    rig.set_up();
    // 208 MHz / (4 * 200) = 260 kHz: 48 + 8 + 48 + 8 clocks are 431 us.
    let start = rig.world.now;
    rig.write(reg::SDC_CMD, raw::CMD1);
    assert_eq!(rig.read(reg::SDC_STS), 3);
    assert_eq!(rig.read(reg::MSDC_INT), 0);
    rig.wait(int::CMDRDY);
    let took = rig.world.now - start;
    assert!((430_000..433_000).contains(&took), "{took} ns");
    // Overdue after 48 + 64 clocks.
    let start = rig.world.now;
    assert_eq!(rig.command(0xB7, 0), int::CMDTMO);
    let took = rig.world.now - start;
    assert!((430_000..433_000).contains(&took), "{took} ns");
}

#[test]
fn the_card_decides_when_data_begin() {
    for latency_us in [50, 5000] {
        let mut rig = Rig::ready(Config {
            read_latency_us: latency_us,
            ..Config::default()
        });
        rig.write(reg::SDC_BLK_NUM, 1);
        let start = rig.world.now;
        rig.ok(raw::CMD17, 0);
        while rig.read(reg::MSDC_FIFOCS) == 0 {}
        let took = rig.world.now - start;
        let latency = Nanos::from(latency_us) * 1000;
        assert!((latency..latency + 5000).contains(&took), "{took} ns");
    }
}

#[test]
fn programming_holds_dat0() {
    let mut rig = Rig::ready(Config {
        write_busy_us: 2000,
        ..Config::default()
    });
    rig.write(reg::SDC_BLK_NUM, 1);
    rig.ok(raw::CMD24, 0);
    for _ in 0..128 {
        while rig.read(reg::MSDC_FIFOCS) >> 16 > 124 {}
        rig.write(reg::MSDC_TXDATA, 0x1234_5678);
    }
    rig.wait(int::XFER_COMPL);
    let start = rig.world.now;
    rig.wait_dat0();
    let took = rig.world.now - start;
    assert!((1_980_000..2_020_000).contains(&took), "{took} ns");
    rig.no_errors();
}

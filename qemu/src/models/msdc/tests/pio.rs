//! The FIFO served by the CPU, as preloader, U-Boot and LK's EXT_CSD read do it.

use super::*;

/// LK: drain whenever half the FIFO or all that remains is there.
fn lk_read(rig: &mut Rig, lba: u32, blocks: u32) -> Vec<u8> {
    rig.write(reg::MSDC_FIFOCS, 1 << 31);
    rig.write(reg::SDC_BLK_NUM, blocks);
    rig.ok(if blocks > 1 { raw::CMD18 } else { raw::CMD17 }, lba);
    drain(rig, blocks as usize * 512)
}

fn drain(rig: &mut Rig, len: usize) -> Vec<u8> {
    let mut data = Vec::new();
    let mut complete = false;
    while data.len() < len || !complete {
        let seen = rig.read(reg::MSDC_INT);
        rig.write(reg::MSDC_INT, seen);
        assert_eq!(seen & (int::DATTMO | int::DATCRCERR), 0);
        assert!(seen & int::XFER_COMPL == 0 || rig.read(reg::MSDC_FIFOCS) & 0xFF == 0);
        complete |= seen & int::XFER_COMPL != 0;
        let count = rig.read(reg::MSDC_FIFOCS) as usize & 0xFF;
        if count >= 64 || count == len - data.len() {
            for _ in 0..count / 4 {
                data.extend(rig.read(reg::MSDC_RXDATA).to_le_bytes());
            }
        }
    }
    data
}

fn fill_fifo(rig: &mut Rig, data: &[u8]) {
    let mut chunks = data.chunks(128);
    let mut complete = false;
    loop {
        complete |= rig.read(reg::MSDC_INT) & int::XFER_COMPL != 0;
        if rig.read(reg::MSDC_FIFOCS) >> 16 & 0xFF == 0 {
            match chunks.next() {
                Some(chunk) => {
                    assert!(!complete, "XFER_COMPL before the last byte");
                    for word in chunk.chunks(4) {
                        let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
                        rig.write(reg::MSDC_TXDATA, word);
                    }
                }
                None if complete => break,
                None => {}
            }
        }
    }
    rig.write(reg::MSDC_INT, int::XFER_COMPL);
}

#[test]
fn vendor_lk_from_power_on_to_the_first_sectors() {
    let mut rig = Rig::new(Config::default());
    rig.fill(0x1D20, 9);
    rig.set_up();
    // The SD probes that LK tries first.
    rig.ok(raw::CMD0, 0);
    assert_eq!(rig.command(0x88, 0x1AA), int::CMDTMO);
    assert_eq!(rig.command(0xB7, 0), int::CMDTMO);
    assert_eq!(rig.command(0x1A9, 0), int::CMDTMO);
    assert_eq!(rig.command(0x205, 0), int::CMDTMO);
    rig.identify();
    // 8 bit before EXT_CSD is read, high speed after it.
    rig.switch(183, 2);
    rig.write(reg::SDC_CFG, 3 << 24 | 1 << 19 | 2 << 16);
    rig.write(reg::SDC_BLK_NUM, 1);
    rig.ok(raw::CMD8, 0);
    let ext_csd = drain(&mut rig, 512);
    assert_eq!(
        u32::from_le_bytes(ext_csd[212..216].try_into().unwrap()),
        7_634_944
    );
    assert_eq!((ext_csd[183], ext_csd[226], ext_csd[168]), (2, 16, 16));
    rig.switch(185, 1);
    rig.clock(1 << 8);
    rig.ok(raw::CMD16, 512);
    assert_eq!(lk_read(&mut rig, 0x1D20, 1), Rig::pattern(0x1D20, 1));
    assert_eq!(lk_read(&mut rig, 0x1D20, 9), Rig::pattern(0x1D20, 9));
    assert_eq!(rig.ok(raw::CMD12_R1, 0), 0xB00);
    assert_eq!(rig.ok(raw::CMD13, RCA), 0x900);
    rig.no_errors();
}

#[test]
fn a_512_mib_card_takes_byte_addresses() {
    let mut rig = Rig::ready(Config {
        user_sectors: Some(1 << 20),
        ..Config::default()
    });
    rig.fill(1000, 4);
    assert_eq!(lk_read(&mut rig, 1001 * 512, 3), Rig::pattern(1001, 3));
    rig.ok(raw::CMD12_R1, 0);
    rig.no_errors();
}

#[test]
fn u_boot_reads_by_fifo_loads_on_one_line() {
    let mut rig = Rig::new(Config::default());
    rig.identify();
    rig.switch(185, 1);
    rig.clock(1 << 8);
    rig.fill(40, 5);
    rig.write(reg::SDC_BLK_NUM, 5);
    rig.ok(raw::CMD18, 40);
    let mut data = Vec::new();
    loop {
        let seen = rig.read(reg::MSDC_INT);
        rig.write(reg::MSDC_INT, seen);
        if seen & int::XFER_COMPL != 0 {
            break;
        }
        let load = 128.min(5 * 512 - data.len());
        if load > 0 && rig.read(reg::MSDC_FIFOCS) as usize & 0xFF >= load {
            for _ in 0..load / 4 {
                data.extend(rig.read(reg::MSDC_RXDATA).to_le_bytes());
            }
        }
    }
    assert_eq!(
        data,
        Rig::pattern(40, 5),
        "XFER_COMPL came with the last byte"
    );
    rig.ok(raw::CMD12_R1, 0);
    rig.no_errors();
}

#[test]
fn the_fifo_stops_the_clock_at_128_bytes() {
    let mut rig = Rig::ready(Config::default());
    rig.fill(0, 1);
    rig.write(reg::SDC_BLK_NUM, 1);
    rig.ok(raw::CMD17, 0);
    rig.spend(50 * MS);
    assert_eq!(rig.read(reg::MSDC_FIFOCS), 128);
    assert_eq!(
        rig.read(reg::MSDC_INT),
        0,
        "nothing is complete, nothing timed out"
    );
    assert_eq!(rig.read(reg::SDC_STS), 1);
    // U-Boot's mix of word and byte accesses.
    let first = rig.read(reg::MSDC_RXDATA);
    let byte = rig.world.msdc_read(&mut rig.msdc, 1);
    let half = rig.world.msdc_read(&mut rig.msdc, 2);
    let pattern = Rig::pattern(0, 1);
    assert_eq!(first.to_le_bytes(), pattern[..4]);
    assert_eq!(
        (byte as u8, half.to_le_bytes()[..2].to_vec()),
        (pattern[4], pattern[5..7].to_vec())
    );
    // The clock stood still for 50 ms: the next bytes come one by one.
    let at_once = rig.read(reg::MSDC_FIFOCS);
    assert!((121..128).contains(&at_once), "{at_once} bytes");
    rig.spend(10_000);
    assert_eq!(rig.read(reg::MSDC_FIFOCS), 128);
    rig.no_errors();
}

trait FifoAccess {
    fn msdc_read(&mut self, msdc: &mut Msdc, size: u8) -> u32;
}

impl FifoAccess for TestWorld {
    fn msdc_read(&mut self, msdc: &mut Msdc, size: u8) -> u32 {
        msdc.read(reg::MSDC_RXDATA, size, &mut self.cx())
    }
}

#[test]
fn writes_go_through_the_fifo_and_leave_the_card_busy() {
    let mut rig = Rig::ready(Config::default());
    let data = Rig::pattern(77, 3);
    rig.write(reg::SDC_BLK_NUM, 3);
    rig.ok(raw::CMD25, 500);
    fill_fifo(&mut rig, &data);
    rig.ok(raw::CMD12_R1B, 0);
    assert_eq!(rig.read(reg::MSDC_PS) & 1 << 16, 0, "the card programs");
    assert_eq!(rig.read(reg::SDC_STS), 1);
    assert_eq!(rig.ok(raw::CMD13, RCA), 0xE00, "CMD13 is allowed meanwhile");
    rig.wait_dat0();
    assert_eq!(rig.ok(raw::CMD13, RCA), 0x900);
    rig.write(reg::SDC_BLK_NUM, 1);
    rig.ok(raw::CMD24, 503);
    fill_fifo(&mut rig, &data[..512]);
    rig.wait_dat0();
    let mut stored = vec![0; 4 * 512];
    rig.msdc.user_read(500, &mut stored).unwrap();
    assert_eq!(stored, [&data[..], &data[..512]].concat());
    rig.no_errors();
}

#[test]
fn fifo_misuse_is_reported() {
    let mut rig = Rig::ready(Config::default());
    rig.read(reg::MSDC_RXDATA);
    rig.one_error("beyond FIFOCS.RXCNT");
    for _ in 0..32 {
        rig.write(reg::MSDC_TXDATA, 0);
    }
    assert_eq!(rig.read(reg::MSDC_FIFOCS), 128 << 16);
    rig.no_errors();
    rig.write(reg::MSDC_TXDATA, 0);
    rig.one_error("beyond the FIFO's 128 bytes");
    rig.write(reg::MSDC_CFG, CFG_BASE & !8 | 1 << 8);
    rig.write(reg::MSDC_TXDATA, 0);
    rig.one_error("while the DMA owns the FIFO");
    rig.write(reg::MSDC_FIFOCS, 1 << 31);
    assert_eq!(rig.read(reg::MSDC_FIFOCS), 0);
}

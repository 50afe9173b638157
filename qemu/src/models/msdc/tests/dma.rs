//! Basic and descriptor DMA in the orders of LK, the vendor kernel and Linux.

use super::*;
use crate::bus::Memory;
use crate::models::emmc::{FileStore, State};

const CTRL_BASIC: u32 = 6 << 12 | 1 << 10;
const CTRL_DESCRIPTOR: u32 = 6 << 12 | 1 << 8;
const START: u32 = 1;
const DONE: u32 = int::XFER_COMPL | int::DATTMO | int::DATCRCERR;
/// Where the tests keep GPDs, BDs and data.
const GPD: u32 = RAM + 0x1000;
const BD: u32 = RAM + 0x2000;
const DATA: u32 = RAM + 0x10_0000;

fn descriptor(rig: &mut Rig, at: u32, words: [u32; 4], checksum: bool) {
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    if checksum {
        bytes[1] = 0xFF - bytes.iter().fold(0u8, |sum, &byte| sum.wrapping_add(byte));
    }
    assert!(rig.world.memory.write(at, &bytes));
}

/// One GPD with BDs of at most `piece` bytes each, and the null GPD behind it.
fn chain(rig: &mut Rig, bytes: u32, piece: u32, checksum: bool) {
    descriptor(rig, GPD, [0b11, GPD + 0x20, BD, 0], checksum);
    descriptor(rig, GPD + 0x20, [0; 4], checksum);
    let count = bytes.div_ceil(piece);
    for index in 0..count {
        let at = BD + index * 16;
        let len = piece.min(bytes - index * piece);
        let last = index + 1 == count;
        let next = if last { 0 } else { at + 16 };
        descriptor(
            rig,
            at,
            [u32::from(last), next, DATA + index * piece, len],
            checksum,
        );
    }
}

fn dma_mode(rig: &mut Rig) {
    let cfg = rig.read(reg::MSDC_CFG);
    rig.write(reg::MSDC_CFG, cfg & !8);
}

#[test]
fn vendor_lk_descriptors() {
    let mut rig = Rig::ready(Config::default());
    rig.fill(0x100, 256);
    rig.write(reg::SDC_BLK_NUM, 256);
    rig.write(reg::SDC_ARG, 0x100);
    // Command first, DMA programmed while it is on the line, START after the response.
    rig.write(reg::SDC_CMD, raw::CMD18);
    dma_mode(&mut rig);
    chain(&mut rig, 256 * 512, 32768, false);
    rig.write(reg::DMA_CFG, 0);
    rig.write(reg::DMA_SA, GPD);
    rig.wait(int::CMDRDY);
    rig.write(reg::MSDC_INTEN, DONE);
    rig.write(reg::DMA_CTRL, CTRL_DESCRIPTOR | START);
    assert!(rig.read(reg::DMA_CFG) & 1 == 1 && !rig.irq());
    rig.spend(MS);
    let progress = rig.read(reg::DMA_CA) - DATA;
    assert!(
        (30_000..52_000).contains(&progress),
        "{progress} bytes after 1 ms"
    );
    rig.spend(9 * MS);
    assert!(rig.irq(), "the interrupt comes without anybody looking");
    assert_eq!(rig.read(reg::DMA_CFG) & 1, 0);
    let seen = rig.wait(DONE);
    assert_eq!(seen & DONE, int::XFER_COMPL);
    assert!(!rig.irq(), "write-one-to-clear lets the line go");
    assert_eq!(rig.ram(0x10_0000, 256 * 512), Rig::pattern(0x100, 256));
    assert_eq!(rig.ram(0x1000, 1), [0b10], "HWO goes back to software");
    rig.write(reg::DMA_CTRL, CTRL_DESCRIPTOR | 2);
    rig.ok(raw::CMD12_R1, 0);
    rig.no_errors();
}

#[test]
fn linux_checksums_auto_cmd12_and_interrupts() {
    let mut rig = Rig::ready(Config::default());
    rig.fill(8, 8);
    chain(&mut rig, 4096, 1024, true);
    dma_mode(&mut rig);
    rig.write(reg::MSDC_INTEN, int::CMDRDY);
    rig.write(reg::SDC_BLK_NUM, 8);
    rig.write(reg::SDC_ARG, 8);
    rig.write(reg::SDC_CMD, raw::CMD18 | raw::AUTO12);
    rig.spend(MS);
    assert!(rig.irq());
    assert_eq!(rig.read(reg::SDC_RESP0), 0x900);
    rig.write(reg::MSDC_INT, int::CMDRDY);
    rig.write(reg::DMA_CFG, 2);
    rig.write(reg::DMA_SA, GPD);
    rig.write(reg::MSDC_INTEN, DONE | int::ACMDRDY);
    rig.write(reg::DMA_CTRL, CTRL_DESCRIPTOR | START);
    rig.spend(MS);
    let seen = rig.read(reg::MSDC_INT);
    assert_eq!(seen, int::XFER_COMPL | int::DXFER_DONE | int::ACMDRDY);
    assert_eq!(rig.read(reg::SDC_ACMD_RESP), 0xB00);
    assert_eq!(rig.ram(0x10_0000, 4096), Rig::pattern(8, 8));
    let now = rig.world.now;
    assert_eq!(rig.msdc.card_mut().unwrap().state(now), State::Transfer);
    rig.no_errors();
}

#[test]
fn auto_cmd23_bounds_the_transfer() {
    let mut rig = Rig::ready(Config::default());
    rig.fill(0, 4);
    dma_mode(&mut rig);
    rig.write(reg::DMA_SA, DATA);
    rig.write(reg::DMA_LEN, 2048);
    rig.write(reg::SDC_BLK_NUM, 4);
    let seen = rig.command(raw::CMD18 | raw::AUTO23, 0);
    assert_eq!(seen, int::CMDRDY | int::ACMDRDY);
    assert_eq!(rig.read(reg::SDC_ACMD_RESP), 0x900);
    rig.write(reg::DMA_CTRL, CTRL_BASIC | START);
    rig.wait(DONE);
    assert_eq!(rig.ram(0x10_0000, 2048), Rig::pattern(0, 4));
    assert_eq!(rig.ok(raw::CMD13, RCA), 0x900, "no CMD12 is needed");
    rig.no_errors();
}

#[test]
fn basic_dma_started_before_the_command() {
    let mut rig = Rig::ready(Config::default());
    rig.fill(3, 2);
    dma_mode(&mut rig);
    rig.write(reg::DMA_SA, DATA);
    rig.write(reg::DMA_LEN, 1024);
    rig.write(reg::DMA_CTRL, CTRL_BASIC | START);
    rig.write(reg::SDC_BLK_NUM, 2);
    rig.ok(raw::CMD18, 3);
    rig.wait(DONE);
    assert_eq!(rig.ram(0x10_0000, 1024), Rig::pattern(3, 2));
    assert_eq!(rig.read(reg::DMA_CA), DATA + 1024);
    rig.no_errors();
}

#[test]
fn a_basic_transfer_goes_on_with_the_next_buffer() {
    let mut rig = Rig::ready(Config::default());
    rig.fill(0, 2);
    dma_mode(&mut rig);
    rig.write(reg::DMA_SA, DATA);
    rig.write(reg::DMA_LEN, 700);
    rig.write(reg::SDC_BLK_NUM, 2);
    rig.ok(raw::CMD18, 0);
    rig.write(reg::DMA_CTRL, CTRL_BASIC & !(1 << 10) | START);
    rig.write(reg::MSDC_INTEN, int::DMAQ_EMPTY);
    rig.spend(5 * MS);
    assert!(rig.irq(), "nobody polled");
    rig.wait(int::DMAQ_EMPTY);
    rig.spend(5 * MS);
    assert_eq!(rig.read(reg::MSDC_INT), 0, "the transfer waits for RESUME");
    rig.write(reg::DMA_SA, DATA + 0x1000);
    rig.write(reg::DMA_LEN, 324);
    rig.write(reg::DMA_CTRL, CTRL_BASIC | 4);
    rig.wait(DONE);
    let pattern = Rig::pattern(0, 2);
    assert_eq!(rig.ram(0x10_0000, 700), &pattern[..700]);
    assert_eq!(rig.ram(0x10_1000, 324), &pattern[700..]);
    rig.ok(raw::CMD12_R1, 0);
    // The same to the card, whose blocks straddle the buffers too.
    rig.write(reg::DMA_SA, DATA);
    rig.write(reg::DMA_LEN, 700);
    rig.ok(raw::CMD25, 100);
    rig.write(reg::DMA_CTRL, CTRL_BASIC & !(1 << 10) | START);
    rig.spend(5 * MS);
    assert!(rig.irq());
    rig.write(reg::DMA_SA, DATA + 0x1000);
    rig.write(reg::DMA_LEN, 324);
    rig.write(reg::DMA_CTRL, CTRL_BASIC | 4);
    rig.wait(DONE);
    let mut stored = vec![0; 1024];
    rig.msdc.user_read(100, &mut stored).unwrap();
    assert_eq!(stored, pattern);
    rig.no_errors();
}

#[test]
fn writes_survive_a_reopen_of_the_file() {
    let path = std::env::temp_dir().join(format!("unilk-msdc-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let open = || {
        let file = FileStore::open_or_create(&path, 4 << 30).unwrap();
        Emmc::new(Config::default(), Stores::user(file)).unwrap()
    };
    let pattern = Rig::pattern(9, 64);
    {
        let mut rig = Rig::with_card(open());
        rig.identify();
        rig.speed_up(2, 2, 1 << 8);
        rig.world.memory.write(DATA, &pattern);
        chain(&mut rig, 64 * 512, 10_000, true);
        dma_mode(&mut rig);
        rig.write(reg::DMA_CFG, 2);
        rig.write(reg::DMA_SA, GPD);
        rig.write(reg::SDC_BLK_NUM, 64);
        rig.ok(raw::CMD25 | raw::AUTO12, 7_000_000);
        rig.write(reg::DMA_CTRL, CTRL_DESCRIPTOR | START);
        assert_eq!(rig.wait(DONE) & DONE, int::XFER_COMPL);
        rig.wait_dat0();
        rig.no_errors();
    }
    let mut stored = vec![0; 64 * 512];
    Rig::with_card(open())
        .msdc
        .user_read(7_000_000, &mut stored)
        .unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(stored, pattern);
}

#[test]
fn a_reset_in_the_middle_of_a_write_keeps_what_was_through() {
    let mut rig = Rig::ready(Config::default());
    rig.world.memory.write(DATA, &vec![0xEE; 64 * 512]);
    dma_mode(&mut rig);
    rig.write(reg::DMA_SA, DATA);
    rig.write(reg::DMA_LEN, 64 * 512);
    rig.write(reg::SDC_BLK_NUM, 64);
    rig.ok(raw::CMD25, 0);
    rig.write(reg::DMA_CTRL, CTRL_BASIC | START);
    rig.spend(MS / 2);
    rig.world.signals.cg1 = !0;
    rig.msdc
        .reset(crate::bus::Reset::Watchdog, &mut rig.world.cx());
    rig.world.signals.cg1 = 0;
    let written = rig.msdc.card().unwrap().stats().blocks_written;
    assert!((20..50).contains(&written), "{written} blocks");
    // The card still receives; CMD0 brings it back.
    let now = rig.world.now;
    assert_eq!(rig.msdc.card_mut().unwrap().state(now), State::Receive);
    rig.identify();
    rig.no_errors();
}

#[test]
fn wrong_checksums_stop_the_dma() {
    for (at, bit, sts) in [(GPD, int::GPDCSERR, 1 << 5), (BD, int::BDCSERR, 1 << 4)] {
        let mut rig = Rig::ready(Config::default());
        chain(&mut rig, 512, 512, true);
        let mut byte = [0];
        rig.world.memory.read(at + 1, &mut byte);
        rig.world.memory.write(at + 1, &[byte[0] ^ 1]);
        dma_mode(&mut rig);
        rig.write(reg::SDC_BLK_NUM, 1);
        rig.ok(raw::CMD17, 0);
        rig.write(reg::DMA_CFG, 2);
        rig.write(reg::DMA_SA, GPD);
        rig.write(reg::DMA_CTRL, CTRL_DESCRIPTOR | START);
        rig.spend(MS);
        assert_eq!(rig.read(reg::MSDC_INT), bit);
        assert_eq!(rig.read(reg::DMA_CFG), 2 | sts);
        rig.one_error("wrong checksum");
    }
}

#[test]
fn refused_transfers() {
    type Spoil = fn(&mut Rig);
    let cases: [(Spoil, &str); 7] = [
        (
            |rig| descriptor(rig, GPD, [0b10, 0, BD, 0], false),
            "HWO = 0 in the first GPD",
        ),
        (
            |rig| descriptor(rig, BD, [1, 0, DATA, 1024], false),
            "programmed for 1024 bytes, the data phase has 512",
        ),
        (
            |rig| descriptor(rig, BD, [1, 0, DATA, 0], false),
            "a buffer of 0 bytes",
        ),
        (
            |rig| descriptor(rig, BD, [0, BD, DATA, 512], false),
            "does not end",
        ),
        (
            |rig| descriptor(rig, GPD, [0b11, GPD + 0x20, BD + 2, 0], false),
            "4-byte boundary",
        ),
        (
            |rig| descriptor(rig, GPD, [0b11, GPD + 0x20, 0x4000_0000, 0], false),
            "there is no memory",
        ),
        (
            |rig| {
                rig.world
                    .write(&mut rig.msdc, reg::MSDC_CFG, CFG_BASE | 1 << 8);
            },
            "gives the FIFO to the CPU",
        ),
    ];
    for (spoil, message) in cases {
        let mut rig = Rig::ready(Config::default());
        chain(&mut rig, 512, 512, false);
        dma_mode(&mut rig);
        rig.write(reg::SDC_BLK_NUM, 1);
        rig.ok(raw::CMD17, 0);
        rig.write(reg::DMA_SA, GPD);
        spoil(&mut rig);
        rig.write(reg::DMA_CTRL, CTRL_DESCRIPTOR | START);
        rig.one_error(message);
    }
}

#[test]
fn a_dma_that_is_too_short_never_completes() {
    let mut rig = Rig::ready(Config::default());
    dma_mode(&mut rig);
    rig.write(reg::DMA_SA, DATA);
    rig.write(reg::DMA_LEN, 512);
    rig.write(reg::SDC_BLK_NUM, 2);
    rig.ok(raw::CMD18, 0);
    rig.write(reg::DMA_CTRL, CTRL_BASIC | START);
    rig.one_error("programmed for 512 bytes, the data phase has 1024");
    rig.spend(1000 * MS);
    assert_eq!(rig.read(reg::MSDC_INT), 0);
    assert_eq!(rig.read(reg::DMA_CFG) & 1, 1);
    rig.write(reg::DMA_CTRL, CTRL_BASIC | 2);
    assert_eq!(rig.read(reg::DMA_CFG) & 1, 0);
}

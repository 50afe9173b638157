//! The registers by themselves, and commands that the block or the fact sheet
//! does not allow.

use super::*;
use crate::bus::GuestError;

fn kinds(rig: &mut Rig) -> Vec<GuestError> {
    std::mem::take(&mut rig.world.reports)
        .into_iter()
        .map(|report| report.kind)
        .collect()
}

#[test]
fn self_clearing_bits_and_scratch_registers() {
    let mut rig = Rig::new(Config::default());
    rig.write(reg::MSDC_CFG, 0b1111);
    assert_eq!(rig.read(reg::MSDC_CFG) & !0x80, 0b1011);
    rig.write(reg::MSDC_FIFOCS, 1 << 31);
    assert_eq!(rig.read(reg::MSDC_FIFOCS), 0);
    // Any value, also Linux's, is kept by the tuning registers.
    for (offset, value) in [
        (0xB0, 0x403C_0046),
        (0xB4, 0xFFFF_4089),
        (0xEC, 0x0A0B_0C0D),
        (0xF4, 0x1234_5678),
    ] {
        rig.write(offset, value);
        assert_eq!(rig.read(offset), value);
    }
    rig.no_errors();
}

#[test]
fn ckstb_needs_a_moment() {
    let mut rig = Rig::new(Config::default());
    rig.world
        .write(&mut rig.msdc, reg::MSDC_CFG, CFG_BASE | 200 << 8);
    assert_eq!(rig.world.read(&mut rig.msdc, reg::MSDC_CFG) & 0x80, 0);
    rig.world.write(&mut rig.msdc, reg::SDC_CMD, raw::CMD0);
    rig.one_error("before MSDC_CFG.CKSTB");
    rig.spend(1000);
    assert_eq!(rig.read(reg::MSDC_CFG) & 0x80, 0x80);
}

#[test]
fn registers_that_do_not_exist_and_accesses_that_do_not_fit() {
    let mut rig = Rig::new(Config::default());
    for offset in [0x20, 0x54, 0xB8, 0x108, 0x208] {
        rig.read(offset);
        rig.write(offset, 0);
    }
    assert_eq!(kinds(&mut rig), [GuestError::UnknownRegister; 10]);
    rig.write(reg::SDC_STS, 0);
    assert_eq!(kinds(&mut rig), [GuestError::BadValue]);
    rig.write(reg::PATCH_BIT0, 0x1122_3344);
    assert_eq!(
        rig.msdc.read(reg::PATCH_BIT0 + 1, 1, &mut rig.world.cx()) & 0xFF,
        0x33
    );
    rig.msdc
        .write(reg::PATCH_BIT0 + 2, 2, 0xAABB, &mut rig.world.cx());
    assert_eq!(kinds(&mut rig), [GuestError::AccessSize; 2]);
    assert_eq!(rig.read(reg::PATCH_BIT0), 0xAABB_3344);
}

#[test]
fn interrupts_latch_while_masked() {
    let mut rig = Rig::new(Config::default());
    rig.set_up();
    rig.write(reg::SDC_CMD, raw::CMD0);
    rig.spend(MS);
    assert!(!rig.irq());
    rig.write(reg::MSDC_INTEN, int::CMDRDY);
    assert!(rig.irq());
    rig.write(reg::MSDC_INTEN, int::CMDTMO);
    assert!(!rig.irq());
    rig.write(reg::MSDC_INTEN, int::CMDRDY);
    rig.write(reg::MSDC_INT, int::CMDTMO);
    assert!(rig.irq());
    rig.write(reg::MSDC_INT, int::CMDRDY);
    assert!(!rig.irq());
}

#[test]
fn r2_comes_with_the_most_significant_word_in_resp3() {
    let mut rig = Rig::new(Config::default());
    rig.identify();
    // CMD7 with another address, so that CMD10 is allowed.
    assert_eq!(rig.command(raw::CMD7, 0), int::CMDTMO);
    assert_eq!(rig.command(0x10A, RCA), int::CMDRDY);
    let words = [0x4C, 0x48, 0x44, 0x40].map(|offset| rig.read(offset));
    assert_eq!(words, rig.msdc.card().unwrap().cid());
    assert_eq!(words[0] >> 24, 0x15);
    rig.no_errors();
}

#[test]
fn encodings_that_contradict_the_command() {
    for (command, message) in [
        (0x0000_018D, "CMD13 with response type 3"),
        (0x0200_0011, "CMD17 with response type 0"),
        (0x0200_1091, "CMD17 encoded as Multiple read"),
        (0x0200_0898, "CMD24 encoded as Single read"),
        (0x0000_008C, "CMD12 without SDC_CMD.STOP"),
        (0x0000_0891, "block length 0"),
        (0x0100_0891, "block length 256 is not the card's"),
        (0x8200_008D, "reserved bits"),
    ] {
        let mut rig = Rig::ready(Config::default());
        rig.write(reg::SDC_BLK_NUM, 1);
        rig.command(command, if command & 0x3F == 13 { RCA } else { 0 });
        let errors = rig.errors();
        assert!(errors[0].contains(message), "{command:#x}: {errors:?}");
    }
}

#[test]
fn a_response_of_the_wrong_length_is_a_crc_error() {
    let mut rig = Rig::ready(Config::default());
    assert_eq!(rig.command(0x0000_010D, RCA), int::RSPCRCERR);
    rig.one_error("CMD13 with response type 2");
}

#[test]
fn commands_at_the_wrong_time() {
    let mut rig = Rig::ready(Config::default());
    rig.write(reg::SDC_ARG, RCA);
    rig.write(reg::SDC_CMD, raw::CMD13);
    rig.write(reg::SDC_CMD, raw::CMD13);
    rig.one_error("while SDC_STS.CMDBUSY");
    rig.wait(int::CMDRDY);
    rig.write(reg::SDC_BLK_NUM, 0);
    rig.command(raw::CMD18, 0);
    rig.one_error("SDC_BLK_NUM = 0");
    rig.command(raw::CMD12_R1, 0);
    rig.write(reg::SDC_BLK_NUM, 1);
    rig.ok(raw::CMD17, 0);
    rig.write(reg::SDC_CMD, raw::CMD17);
    rig.one_error("while SDC_STS.SDCBUSY");
    rig.write(reg::MSDC_CFG, 1 << 8 | 0b1110);
    rig.write(reg::SDC_CMD, raw::CMD13);
    rig.one_error("MODE is not SD/MMC");
}

#[test]
fn a_dma_that_waits_for_a_command_without_data_is_reported() {
    let mut rig = Rig::ready(Config::default());
    rig.write(reg::MSDC_CFG, CFG_BASE & !8 | 1 << 8);
    rig.write(reg::DMA_SA, RAM);
    rig.write(reg::DMA_LEN, 512);
    rig.write(reg::DMA_CTRL, 6 << 12 | 1 << 10 | 1);
    rig.no_errors();
    rig.ok(raw::CMD13, RCA);
    rig.one_error("no data phase");
}

#[test]
fn gating_the_clock_stalls_what_is_on_the_way() {
    let mut rig = Rig::ready(Config::default());
    rig.write(reg::SDC_ARG, RCA);
    rig.write(reg::SDC_CMD, raw::CMD13);
    rig.world.signals.cg1 = 1 << 17;
    rig.spend(MS);
    assert_eq!(kinds(&mut rig), [GuestError::Gated]);
    assert_eq!(rig.msdc.deadline(), None);
    rig.world.signals.cg1 = 0;
    rig.wait(int::CMDRDY);
    rig.no_errors();
}

#[test]
fn the_empty_slot_of_msdc1() {
    let mut rig = Rig::new(Config::default());
    rig.msdc = Msdc::new(1, None);
    rig.set_up();
    assert_eq!(rig.command(raw::CMD0, 0), int::CMDRDY);
    assert_eq!(rig.command(0x88, 0x1AA), int::CMDTMO);
    assert_eq!(rig.command(0xB7, 0), int::CMDTMO);
    assert_eq!(rig.read(reg::MSDC_PS) & 2, 2);
    rig.write(reg::MSDC_INTEN, int::CMDTMO);
    rig.write(reg::SDC_CMD, 0xB7);
    rig.spend(MS);
    assert!(rig.world.irq.get(27) && !rig.irq());
    rig.no_errors();
}

#[test]
fn rst_n_follows_emmc_iocon() {
    let mut rig = Rig::ready(Config {
        rst_n_function: 1,
        ..Config::default()
    });
    rig.write(reg::EMMC_IOCON, 1);
    assert!(rig.world.signals.emmc_rst_n_low);
    assert_eq!(rig.command(raw::CMD13, RCA), int::CMDTMO);
    rig.write(reg::EMMC_IOCON, 0);
    assert!(!rig.world.signals.emmc_rst_n_low);
    rig.identify();
    rig.no_errors();
}

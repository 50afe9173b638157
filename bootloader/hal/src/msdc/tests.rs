//! The driver against a block of memory that plays the controller whenever
//! the driver looks at the clock.
#![allow(clippy::unwrap_used)]

use super::regs::{CommandWord, Config, DmaConfig, DmaControl, Fifo, Interrupts, put};
use super::{Msdc, RegisterBlock, SOURCE_HZ};
use crate::dma::leaked as memory;
use crate::mmc::{Bus, Command, Direction, Error, Host, Width};
use crate::reg::{leaked, poke};
use crate::time::{Micros, clock, ticks};
use std::cell::RefCell;
use std::rc::Rc;

/// How the controller is to behave, and what it saw.
struct Script {
    answers: bool,
    command_crc: bool,
    r1: u32,
    auto_response: u32,
    /// What ends a data phase; `None` if nothing does.
    end: Option<Interrupts>,
    bad_bd: bool,
    /// The DMA neither ends nor heeds stop and reset.
    hangs: bool,
    /// SDC_CMD and SDC_ARG of each command.
    commands: Vec<(u32, u32)>,
    /// DMA_SA, DMA_CTRL and MSDC_CFG at each START.
    started: Vec<(u32, u32, Config)>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            answers: true,
            command_crc: false,
            r1: 0x900,
            auto_response: 0xb00,
            end: Some(
                Interrupts::DEFAULT
                    .with_transfer_complete(true)
                    .with_auto_ready(true),
            ),
            bad_bd: false,
            hangs: false,
            commands: Vec::new(),
            started: Vec::new(),
        }
    }
}

impl Script {
    fn raise(regs: &RegisterBlock, causes: Interrupts) {
        let now = regs.int.read().raw_value();
        let int = Interrupts::new_with_raw_value(now | causes.raw_value());
        put(&regs.int, int);
    }

    fn play(&mut self, regs: &'static RegisterBlock) {
        let stable = Config::new_with_raw_value(regs.cfg.read().raw_value() | 1 << 7);
        put(&regs.cfg, stable.with_reset(false));
        if regs.fifo.read().clear() {
            put(&regs.fifo, Fifo::DEFAULT);
        }
        let word = regs.cmd.read();
        if word != CommandWord::DEFAULT && self.answers {
            put(&regs.cmd, CommandWord::DEFAULT);
            self.command(regs, word);
        }
        let control = regs.dma_ctrl.read();
        if control.start() {
            self.started
                .push((regs.dma_start.read(), control.raw_value(), regs.cfg.read()));
            // SAFETY: the memory of a test moves no data.
            unsafe { regs.dma_ctrl.write(control.with_start(false)) };
            if self.hangs {
                put(&regs.dma_cfg, DmaConfig::new_with_raw_value(1));
            } else if self.bad_bd {
                put(&regs.dma_cfg, DmaConfig::new_with_raw_value(0x12));
            } else if let Some(end) = self.end {
                Self::raise(regs, end);
            }
        }
    }

    fn command(&mut self, regs: &RegisterBlock, word: CommandWord) {
        self.commands.push((word.raw_value(), regs.arg.read()));
        poke(&regs.response[0], self.r1);
        poke(&regs.response[3], 0xd027_0032);
        poke(&regs.auto_response, self.auto_response);
        let crc = self.command_crc;
        let answer = Interrupts::DEFAULT
            .with_command_ready(!crc)
            .with_response_crc(crc);
        Self::raise(regs, answer);
        let pio = regs.cfg.read().pio();
        if pio && word.data().value() != 0 {
            if let Some(end) = self.end {
                Self::raise(regs, end);
            }
            // Half a FIFO is always there to be read; it never fills up.
            let there = if word.write() { 0 } else { 64 };
            put(&regs.fifo, Fifo::new_with_raw_value(there));
        }
    }
}

fn rig(script: Script) -> (Msdc, &'static RegisterBlock, Rc<RefCell<Script>>) {
    let regs: &'static RegisterBlock = leaked();
    let script = Rc::new(RefCell::new(script));
    let player = Rc::clone(&script);
    clock::each_tick(move || player.borrow_mut().play(regs));
    let mut msdc = Msdc::new(regs, SOURCE_HZ, memory(128));
    msdc.reset().unwrap();
    msdc.set_bus(FAST).unwrap();
    (msdc, regs, script)
}

const FAST: Bus = Bus {
    limit_hz: 52_000_000,
    width: Width::Eight,
    ddr: false,
};

#[test]
fn reset_leaves_a_known_controller() {
    let (mut msdc, regs, _) = rig(Script::default());
    put(&regs.pad_tune, 0x1234);
    put(&regs.iocon, 6);
    msdc.reset().unwrap();
    let config = regs.cfg.read();
    assert!(config.sd_mmc() && config.pio() && !config.reset());
    assert_eq!((regs.iocon.read(), regs.pad_tune.read()), (0, 0));
    assert_eq!(regs.patch0.read(), 0x403c_004f);
    assert_eq!(regs.patch1.read(), 0xffff_0009);
    assert_eq!(regs.int_enable.read(), Interrupts::DEFAULT);
    // Clock and width outlive a reset.
    assert_eq!(
        (config.divider(), regs.sdc_cfg.read().width().value()),
        (1, 2)
    );
    assert!(regs.sdc_cfg.read().sdio());
}

#[test]
fn a_controller_that_stays_in_reset_is_reported() {
    let mut msdc = Msdc::new(leaked(), SOURCE_HZ, memory(128));
    assert_eq!(msdc.reset(), Err(Error::Controller));
}

#[test]
fn bus_settings_reach_the_registers() {
    let (mut msdc, regs, _) = rig(Script::default());
    assert_eq!(msdc.set_bus(Bus::IDENTIFICATION), Ok(400_000));
    // CKMOD 0, CKDIV 130, stable, PIO, free running, SD/MMC.
    assert_eq!(regs.cfg.read().raw_value(), 0x0000_828b);
    assert_eq!(regs.sdc_cfg.read().width().value(), 0);
    let ddr = Bus { ddr: true, ..FAST };
    assert_eq!(msdc.set_bus(ddr), Ok(52_000_000));
    assert_eq!(regs.cfg.read().raw_value(), 0x0002_008b);
    assert_eq!(regs.sdc_cfg.read().width().value(), 2);
}

#[test]
fn a_command_returns_its_answer() {
    let (mut msdc, _, script) = rig(Script::default());
    let response = msdc.command(Command::SEND_STATUS).unwrap();
    assert_eq!(response.0[0], 0x900);
    let response = msdc.command(Command::SEND_CSD).unwrap();
    assert_eq!(response.0[3], 0xd027_0032);
    assert_eq!(
        script.borrow().commands,
        [(0x8d, 0x1_0000), (0x109, 0x1_0000)]
    );
}

#[test]
fn commands_fail_by_name_and_in_time() {
    let (mut msdc, regs, script) = rig(Script::default());
    script.borrow_mut().command_crc = true;
    let error = msdc.command(Command::SEND_STATUS).unwrap_err();
    assert_eq!(error, Error::CmdCrc { index: 13 });
    script.borrow_mut().answers = false;
    let before = ticks();
    let error = msdc.command(Command::GO_IDLE).unwrap_err();
    assert_eq!(error, Error::CmdTimeout { index: 0 });
    assert!(ticks().wrapping_sub(before) < 13 * 30_000);
    poke(regs.status.beneath(), 1);
    assert_eq!(msdc.command(Command::switch(183, 2)), Err(Error::Busy));
    let error = msdc.command(Command::SEND_STATUS).unwrap_err();
    assert_eq!(error, Error::CmdTimeout { index: 13 });
}

#[test]
fn busy_is_dat0() {
    let (mut msdc, regs, _) = rig(Script::default());
    let limit = Micros::from_ms(1);
    assert_eq!(msdc.wait_not_busy(limit), Err(Error::Busy));
    put(
        &regs.pins,
        crate::msdc::regs::Pins::new_with_raw_value(1 << 16),
    );
    assert_eq!(msdc.wait_not_busy(limit), Ok(()));
}

#[test]
fn dma_programs_the_controller_and_cleans_up() {
    let (mut msdc, regs, script) = rig(Script::default());
    let table = msdc.table.address() as u32;
    let region = memory(1024);
    let address = region.address();
    msdc.start_dma(
        Command::read(0x1234, 2),
        Direction::Read,
        region.for_device_write(),
    )
    .unwrap();
    assert_eq!(regs.block_count.read(), 2);
    assert_eq!(regs.int_enable.read(), Interrupts::END_OF_DATA);
    assert!(regs.dma_cfg.read().check());
    // 150 ms at 52 MHz are 7.4 units.
    assert_eq!(regs.sdc_cfg.read().data_timeout(), 7);
    assert!(msdc.table.is_empty());
    assert_eq!(msdc.max_dma_bytes(), 4 * (32 << 10));
    msdc.wait_dma();
    let (region, result) = msdc.finish_dma();
    result.unwrap();
    assert_eq!((region.address(), region.len()), (address, 1024));
    assert_eq!(script.borrow().commands, [(0x1200_1092, 0x1234)]);
    let (start, control, config) = script.borrow().started[0];
    assert_eq!((start, control), (table, 0x6101));
    assert!(!config.pio());
    assert_eq!(regs.dma_ctrl.read(), DmaControl::new_with_raw_value(0x6102));
    assert!(regs.cfg.read().pio());
    assert_eq!(regs.int_enable.read(), Interrupts::DEFAULT);
    assert_eq!(msdc.table.len(), 128);
}

/// Runs a read of `blocks` blocks that the script spoils.
fn spoiled(script: Script, blocks: usize) -> Result<(), Error> {
    let (mut msdc, _, _) = rig(script);
    let region = memory(blocks * 512).for_device_write();
    let command = Command::read(77, blocks);
    let (region, result) = match msdc.start_dma(command, Direction::Read, region) {
        Ok(()) => {
            msdc.wait_dma();
            assert!(msdc.is_dma_done());
            msdc.finish_dma()
        }
        Err((error, region)) => (region, Err(error)),
    };
    assert_eq!(region.len(), blocks * 512);
    assert_eq!(msdc.table.len(), 128, "the table is back");
    result
}

#[test]
fn memory_of_a_dma_that_cannot_be_stopped_is_lost() {
    let (mut msdc, _, _) = rig(Script {
        hangs: true,
        ..Script::default()
    });
    let read = |msdc: &mut Msdc| {
        let region = memory(1024).for_device_write();
        msdc.start_dma(Command::read(77, 2), Direction::Read, region)
    };
    assert!(read(&mut msdc).is_ok());
    msdc.wait_dma();
    let (region, result) = msdc.finish_dma();
    assert_eq!(result, Err(Error::Controller));
    assert!(region.is_empty() && msdc.table.is_empty());
    assert!(read(&mut msdc).is_err(), "nothing is loaded any more");
}

#[test]
fn every_end_of_a_transfer_has_its_name() {
    let ends = |end| Script {
        end: Some(end),
        ..Script::default()
    };
    let none = Interrupts::DEFAULT;
    let complete = none.with_transfer_complete(true);
    assert_eq!(spoiled(ends(complete), 1), Ok(()));
    assert_eq!(
        spoiled(ends(none.with_data_crc(true)), 2),
        Err(Error::DataCrc { lba: 77 })
    );
    assert_eq!(
        spoiled(ends(none.with_data_timeout(true)), 2),
        Err(Error::DataTimeout { lba: 77 })
    );
    let stop = Error::CmdTimeout { index: 12 };
    assert_eq!(spoiled(ends(complete), 2), Err(stop));
    assert_eq!(
        spoiled(ends(complete.with_auto_timeout(true)), 2),
        Err(stop)
    );
    assert_eq!(
        spoiled(ends(complete.with_auto_crc(true)), 2),
        Err(Error::CmdCrc { index: 12 })
    );
    let silent = Script {
        end: None,
        ..Script::default()
    };
    assert_eq!(spoiled(silent, 2), Err(Error::DataTimeout { lba: 77 }));
    let bad = Script {
        bad_bd: true,
        ..Script::default()
    };
    assert_eq!(spoiled(bad, 2), Err(Error::Dma));
    let ecc = Script {
        auto_response: 0x0020_0b00,
        ..Script::default()
    };
    let status = 0x0020_0b00;
    assert_eq!(spoiled(ecc, 2), Err(Error::Refused { index: 12, status }));
    let beyond = Script {
        r1: 0x8000_0900,
        ..Script::default()
    };
    let status = 0x8000_0900;
    assert_eq!(
        spoiled(beyond, 2),
        Err(Error::Refused { index: 18, status })
    );
    assert_eq!(spoiled(Script::default(), 4 * 64 + 1), Err(Error::Length));
}

#[test]
fn pio_reads_what_the_fifo_holds() {
    let (mut msdc, regs, script) = rig(Script::default());
    poke(&regs.rx_data, 0x4433_2211);
    let mut data = [0; 1024];
    msdc.read(Command::read(5, 2), &mut data).unwrap();
    assert!(data.chunks(4).all(|word| word == [0x11, 0x22, 0x33, 0x44]));
    // No automatic CMD12, but one of our own.
    assert_eq!(script.borrow().commands, [(0x0200_1092, 5), (0x408c, 0)]);
    script.borrow_mut().end = Some(Interrupts::DEFAULT.with_data_crc(true));
    let error = msdc.read(Command::SEND_EXT_CSD, &mut data[..512]);
    assert_eq!(error, Err(Error::DataCrc { lba: 0 }));
    script.borrow_mut().end = None;
    let error = msdc.read(Command::read(5, 1), &mut data[..512]);
    assert_eq!(error, Err(Error::DataTimeout { lba: 5 }));
}

#[test]
fn pio_writes_words_and_stops() {
    let (mut msdc, regs, script) = rig(Script::default());
    msdc.write(Command::write(9, 2), &[0xc3; 1024]).unwrap();
    assert_eq!(regs.tx_data.read(), 0xc3c3_c3c3);
    assert_eq!(script.borrow().commands, [(0x0200_3099, 9), (0x438c, 0)]);
    script.borrow_mut().end = Some(Interrupts::DEFAULT.with_data_crc(true));
    let error = msdc.write(Command::write(9, 1), &[0; 512]);
    assert_eq!(error, Err(Error::DataCrc { lba: 9 }));
}

#[test]
fn quiescing_ends_dma_interrupts_and_clock() {
    let (mut msdc, regs, _) = rig(Script::default());
    let region = memory(1024).for_device_write();
    msdc.start_dma(Command::read(0, 2), Direction::Read, region)
        .unwrap();
    msdc.quiesce();
    assert_eq!(regs.dma_ctrl.read(), DmaControl::new_with_raw_value(0x6102));
    assert_eq!(regs.int_enable.read(), Interrupts::DEFAULT);
    assert!(!regs.cfg.read().free_running());
}

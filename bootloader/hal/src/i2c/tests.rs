#![allow(clippy::unwrap_used)]

use super::registers::Timing;
use super::*;
use crate::dma::leaked as leaked_memory;
use crate::reg::{leaked, peek, poke};
use crate::time::clock;
use embedded_hal::i2c::I2c as _;

const SOURCE_KHZ: u32 = 11_104;

fn bus() -> (I2c, &'static RegisterBlock) {
    let regs: &'static RegisterBlock = leaked();
    (I2c::new(regs, SOURCE_KHZ), regs)
}

/// Plays a controller that ends each transaction with `events`.
fn ends_with(regs: &'static RegisterBlock, events: u16) {
    clock::each_tick(move || {
        if regs.start.read() == 1 {
            regs.start.put(0);
            regs.status.put(events);
        }
    });
}

#[test]
fn rates_are_those_of_the_facts_and_never_above() {
    let (timing, khz) = Timing::for_rate(SOURCE_KHZ, 400);
    assert_eq!((timing.raw(), khz), (0x000d, 396));
    let (timing, khz) = Timing::for_rate(2_166, 100);
    assert_eq!((timing.raw(), khz), (0x000a, 98));
    for wanted in [100, 200, 300, 330, 400] {
        for source in [2_166, 11_104, 13_325, 15_360] {
            let (_, khz) = Timing::for_rate(source, wanted);
            assert!(
                khz <= wanted && khz * 2 > wanted,
                "{source} {wanted}: {khz}"
            );
        }
    }
}

#[test]
fn a_write_is_one_transfer() {
    let (mut bus, regs) = bus();
    ends_with(regs, 1);
    bus.write(0x38, &[0xa3]).unwrap();
    assert_eq!(regs.slave_address.read(), 0x70);
    assert_eq!(regs.transfer_len.read(), 1);
    assert_eq!(regs.transaction_len.read(), 1);
    assert_eq!(regs.control.read(), 0x0128);
    assert_eq!(regs.data.read(), 0xa3);
    assert_eq!(regs.io_config.read(), 3);
    assert_eq!(peek(&regs.fifo_clear), 1);
}

#[test]
fn write_then_read_turns_round_with_a_repeated_start() {
    let (mut bus, regs) = bus();
    ends_with(regs, 1);
    let mut answer = [0; 2];
    bus.write_read(0x5d, &[0x81, 0x40], &mut answer).unwrap();
    assert_eq!(regs.slave_address.read(), 0xba);
    assert_eq!(regs.transfer_len.read(), 2);
    assert_eq!(regs.transfer_len_aux.read(), 2);
    assert_eq!(regs.transaction_len.read(), 2);
    assert_eq!(regs.control.read(), 0x013a);
    // The last byte written is all that this fake FIFO holds.
    assert_eq!(answer, [0x40, 0x40]);
}

#[test]
fn nobody_there_is_told_before_the_end() {
    let (mut bus, regs) = bus();
    ends_with(regs, 3);
    assert_eq!(bus.write(0x11, &[0]), Err(I2cError::NoAcknowledge));
    assert_eq!(peek(&regs.soft_reset), 1);
    assert_eq!(regs.slave_address.read(), 0);
}

#[test]
fn other_errors_have_their_names() {
    for (events, error) in [
        (0x04, I2cError::NoAcknowledge),
        (0x08, I2cError::ArbitrationLost),
        (0x10, I2cError::Stuck),
    ] {
        let (mut bus, regs) = bus();
        ends_with(regs, events);
        assert_eq!(bus.read(0x20, &mut [0]), Err(error));
    }
}

#[test]
fn a_stuck_bus_ends() {
    let (mut bus, regs) = bus();
    // Cleared as hardware clears it.
    clock::each_tick(move || {
        if regs.status.read() == registers::ALL_EVENTS {
            regs.status.put(0);
        }
    });
    let since = time::uptime_us();
    assert_eq!(bus.write(0x38, &[0]), Err(I2cError::Stuck));
    assert!(time::uptime_us() - since < 10_000);
    assert_eq!(peek(&regs.soft_reset), 1);
}

#[test]
fn an_empty_fifo_is_a_short_answer() {
    let (mut bus, regs) = bus();
    poke(&regs.fifo, 1);
    ends_with(regs, 1);
    assert_eq!(bus.read(0x20, &mut [0; 3]), Err(I2cError::Short));
}

#[test]
fn what_the_controller_cannot_do_is_refused() {
    let (mut bus, regs) = bus();
    ends_with(regs, 1);
    assert_eq!(bus.write(0x38, &[]), Err(I2cError::TooLong));
    assert_eq!(bus.write(0x38, &[0; 9]), Err(I2cError::TooLong), "no DMA");
    assert_eq!(bus.write(0x38, &[0; 65]), Err(I2cError::TooLong));
    let mut byte = [0];
    let mut operations = [Operation::Read(&mut byte), Operation::Write(&[1])];
    assert_eq!(
        bus.transaction(0x38, &mut operations),
        Err(I2cError::Unsupported)
    );
    let mut operations = [Operation::Write(&[1]), Operation::Write(&[2, 3])];
    bus.transaction(0x38, &mut operations).unwrap();
    assert_eq!(regs.transfer_len.read(), 3, "one write on the wire");
}

/// A pair of channels that end as soon as the controller starts.
fn channels() -> Channels {
    Channels {
        transmit: leaked(),
        receive: leaked(),
    }
}

#[test]
fn long_transfers_go_by_dma() {
    let (bus, regs) = bus();
    let channels = channels();
    let mut bus = bus.with_dma(channels, leaked_memory(2 * MAX_TRANSFER));
    let stop = |channel: &'static DmaRegisters| {
        // SAFETY: memory of the test.
        unsafe { channel.enable_for_test(0) }
    };
    clock::each_tick(move || {
        if regs.start.read() == 1 {
            regs.start.put(0);
            regs.status.put(1);
            stop(channels.transmit);
            stop(channels.receive);
        }
    });
    let mut answer = [0xff; 21];
    bus.write_read(0x20, &[0xe9], &mut answer).unwrap();
    assert_eq!(regs.control.read(), 0x013e);
    assert_eq!(channels.receive.programmed(), (1, 21));
    assert_eq!(channels.transmit.programmed(), (0, 1));
    assert_eq!(answer, [0; 21], "what the device left in memory");
    // The buffers came back: once more.
    bus.write_read(0x20, &[0xe9], &mut answer).unwrap();
}

#[test]
fn a_channel_that_does_not_stop_costs_the_buffer_not_the_phone() {
    let (bus, regs) = bus();
    let channels = channels();
    let mut bus = bus.with_dma(channels, leaked_memory(2 * MAX_TRANSFER));
    ends_with(regs, 1);
    assert_eq!(bus.read(0x20, &mut [0; 12]), Err(I2cError::Short));
    assert_eq!(bus.read(0x20, &mut [0; 12]), Err(I2cError::TooLong));
    bus.read(0x20, &mut [0; 2]).unwrap();
}

#[test]
fn errors_have_short_codes_and_kinds() {
    use embedded_hal::i2c::Error as _;
    let all = [
        I2cError::NoAcknowledge,
        I2cError::ArbitrationLost,
        I2cError::Stuck,
        I2cError::TooLong,
        I2cError::Unsupported,
        I2cError::Short,
    ];
    for (at, error) in all.iter().enumerate() {
        assert!(error.code().len() <= 12 && error.code().starts_with("I2C-"));
        assert!(all[..at].iter().all(|other| other.code() != error.code()));
    }
    assert_eq!(I2cError::Stuck.kind(), ErrorKind::Bus);
}

mod wires {
    use super::super::{Stuck, recover};
    use crate::gpio::Gpio;
    use crate::reg::leaked;

    #[test]
    fn wires_that_stay_low_are_named() {
        // All pads of a fake GPIO block read low.
        let mut gpio = Gpio::new(leaked());
        let (scl, sda) = (gpio.take(113).unwrap(), gpio.take(114).unwrap());
        let (scl, sda, result) = recover(scl, sda);
        assert_eq!(result, Err(Stuck::Clock));
        assert_eq!((scl.number(), sda.number()), (113, 114));
    }
}

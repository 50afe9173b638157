//! The wrapper against a PMIC of plain memory behind a state machine.

use super::*;
use crate::clocks::{Gate, Topckgen, topckgen};
use crate::reg::{leaked, peek, poke};
use crate::time::clock;
use crate::toprgu::Toprgu;
use std::cell::RefCell;
use std::rc::Rc;

const READY: u32 = 0x0030_0000;

/// Every access that came through, as (write, address, data).
type Wire = Rc<RefCell<Vec<(bool, u16, u16)>>>;

/// Plays the port and a PMIC behind it. Reads work at strobes in `window`.
fn animate(regs: &'static RegisterBlock, window: core::ops::Range<u32>) -> Wire {
    let wire = Wire::default();
    let seen = Rc::clone(&wire);
    let mut memory = std::collections::HashMap::from([(0x18c, 0x5aa5), (0x19e, 1)]);
    clock::each_tick(move || {
        if peek(&regs.wacs2.valid_clear) != 0 {
            regs.wacs2.valid_clear.put(0);
            set_state(regs, 0, 0);
        }
        let command = Command::new_with_raw_value(peek(&regs.wacs2.command));
        if command.raw_value() == 0 {
            return;
        }
        regs.wacs2.command.put(0);
        let address = command.address().value() << 1;
        seen.borrow_mut()
            .push((command.write(), address, command.data()));
        if command.write() {
            memory.insert(address, command.data());
        } else {
            let strobe = regs.si_ck_con.read() * 4 + 3 - regs.sidly.read();
            let word = memory.get(&address).copied().unwrap_or(0);
            let word = if window.contains(&strobe) {
                word
            } else {
                !word
            };
            set_state(regs, 6, word);
        }
    });
    wire
}

fn set_state(regs: &RegisterBlock, fsm: u32, data: u16) {
    let done = regs.wacs2.init_done.read() << 21;
    poke(
        &regs.wacs2.read_data,
        1 << 20 | done | fsm << 16 | u32::from(data),
    );
}

fn working() -> (Pwrap, &'static RegisterBlock, Wire) {
    let regs = leaked::<RegisterBlock>();
    regs.wacs2.init_done.put(1);
    poke(&regs.wacs2.read_data, READY);
    regs.sidly.put(3);
    let wire = animate(regs, 0..24);
    (Pwrap::new(regs), regs, wire)
}

#[test]
fn registers_read_back_what_was_written() {
    let (mut pwrap, _, wire) = working();
    pwrap.write(0x0402, 0x1234).unwrap();
    assert_eq!(pwrap.read(0x0402), Ok(0x1234));
    assert_eq!(pwrap.state().fsm(), FSM_IDLE, "the data is cleared");
    pwrap.update(0x0402, 0x0204, 0x8001).unwrap();
    assert_eq!(pwrap.read(0x0402), Ok(0x9031));
    pwrap.write(0x802c, 1).unwrap();
    assert_eq!(wire.borrow().last(), Some(&(true, 0x802c, 1)));
}

#[test]
fn a_read_that_was_left_half_way_is_cleared() {
    let (mut pwrap, regs, _) = working();
    set_state(regs, 6, 0xdead);
    pwrap.write(0x0100, 7).unwrap();
    assert_eq!(pwrap.read(0x0100), Ok(7));
}

#[test]
fn each_way_to_fail_has_its_code() {
    let regs = leaked::<RegisterBlock>();
    let mut pwrap = Pwrap::new(regs);
    assert_eq!(pwrap.read(0x100), Err(PwrapError::NotInitialised));
    // Idle, but nobody answers.
    poke(&regs.wacs2.read_data, READY);
    assert_eq!(pwrap.read(0x100), Err(PwrapError::Timeout));
    // Stuck while it waits for data.
    poke(&regs.wacs2.read_data, READY | 4 << 16);
    assert_eq!(pwrap.write(0x100, 0), Err(PwrapError::Busy));
    assert_eq!(PwrapError::Timeout.code(), "PWRAP-TMO");
}

fn initialise(
    window: core::ops::Range<u32>,
) -> (Result<(), PwrapError>, &'static RegisterBlock, Wire) {
    let regs = leaked::<RegisterBlock>();
    poke(&regs.wacs2.read_data, 1 << 20);
    poke(&regs.cipher_rdy, 1);
    let wire = animate(regs, window);
    let gates = leaked();
    topckgen::animate(gates);
    let mut clocks = Topckgen::new(gates);
    clocks.close(Gate::PmicAp);
    clocks.close(Gate::PmicMd);
    let mut pwrap = Pwrap::new(regs);
    let result = pwrap.initialise(&mut clocks, &mut Toprgu::new(leaked()));
    let open = [Gate::PmicAp, Gate::PmicMd, Gate::PmicConn].map(|gate| clocks.is_open(gate));
    assert_eq!(open, [true, false, true], "ours runs, the others as before");
    (result, regs, wire)
}

#[test]
fn initialisation_ends_in_a_working_link() {
    let (result, regs, wire) = initialise(5..12);
    assert_eq!(result, Ok(()));
    // The middle of 5 to 11 is 8: SI_CK_CON 2, SIDLY 3.
    assert_eq!((regs.si_ck_con.read(), regs.sidly.read()), (2, 3));
    assert_eq!(regs.hiprio_arb_en.read(), 0x1ff);
    assert_eq!(regs.wacs2.init_done.read(), 1);
    assert_eq!(regs.rddmy.read(), 8);
    assert_eq!((regs.man_en.read(), regs.mux_sel.read()), (0, 0));
    assert_eq!((regs.dio_en.read(), regs.cipher_mode.read()), (1, 1));
    let writes: Vec<_> = wire
        .borrow()
        .iter()
        .filter(|access| access.0)
        .map(|access| (access.1, access.2))
        .collect();
    assert_eq!(
        writes,
        [
            (0x12a, 3),
            (0x1a4, 8),
            (0x18a, 1),
            (0x1a2, 1),
            (0x1a2, 0),
            (0x198, 1),
            (0x19a, 2),
            (0x19c, 1),
            (0x1a0, 1),
            (0x18e, 0xa55a),
            (0x192, 1),
        ]
    );
}

#[test]
fn a_pmic_that_never_answers_right_fails_calibration() {
    assert_eq!(initialise(24..24).0, Err(PwrapError::Calibration));
    assert_eq!(init::middle_of_run(0), None);
    assert_eq!(init::middle_of_run(0b1), Some(0));
    assert_eq!(init::middle_of_run(0b1_0011_1000), Some(4));
}

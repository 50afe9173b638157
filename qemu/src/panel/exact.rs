//! How far the host has sent the panel's table to the letter: for a glass
//! that insists on it (`exact`), so that a table shows every byte that is not
//! as its source has it, and not only those that leave a trace in a register.

use super::config::Write;
use crate::bus::Nanos;
use std::fmt::Write as _;

/// The place in the table since the last reset by the pin.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Steps that came in order.
    next: usize,
    /// How long after the reset the first of them came.
    pub began: Nanos,
    /// Another write came, and the table can only begin anew.
    strayed: bool,
    /// The farthest step that was due when another came, and what came.
    farthest: Option<(usize, String)>,
}

impl Progress {
    /// Takes a write. Once all steps have come, what follows is the host's.
    /// The first steps begin anew: they may also be a key to ask who is there.
    pub fn take(&mut self, init: &[Write], data_type: u8, payload: &[u8], since_reset: Nanos) {
        let is = |step: usize| {
            init.get(step)
                .is_some_and(|write| write.is(payload) && write.dt.is_none_or(|dt| dt == data_type))
        };
        if self.next == init.len() {
            return;
        }
        if self.next > 0 && !self.strayed && is(self.next) {
            self.next += 1;
            return;
        }
        if !self.strayed
            && self
                .farthest
                .as_ref()
                .is_none_or(|(step, _)| *step < self.next)
        {
            self.farthest = Some((self.next, text(data_type, payload)));
        }
        // Tables that send a key twice begin with what they may also go on with.
        let same = |one: &Write, other: &Write| {
            (one.cmd, &one.args, one.dt) == (other.cmd, &other.args, other.dt)
        };
        let again = |&steps: &usize| {
            let came = init.iter().skip(self.next + 1 - steps).take(steps - 1);
            is(steps - 1) && came.zip(init).all(|(one, other)| same(one, other))
        };
        let begun = if self.strayed { 0 } else { self.next };
        let begun = (1..=begun.max(1)).rev().find(again);
        self.strayed = begun.is_none();
        if let Some(steps) = begun {
            self.next = steps;
            self.began = since_reset;
        }
    }

    /// Steps that came in order.
    pub fn steps(&self) -> usize {
        self.next
    }

    /// Why the table was not sent to the letter.
    pub fn complaint(&self, init: &[Write]) -> Option<String> {
        if self.next == init.len() {
            return None;
        }
        let (step, came) = match &self.farthest {
            Some((step, came)) if *step >= self.next => (*step, Some(came)),
            _ => (self.next, None),
        };
        let write = init.get(step)?;
        let due = text(write.dt.unwrap_or(0), &write.payload());
        let (step, all) = (step + 1, init.len());
        Some(match came {
            Some(came) => format!("step {step} of {all} of its table is {due}; {came} came"),
            None => format!("step {step} of {all} of its table, {due}, never came"),
        })
    }
}

/// Data type and bytes, the first eight of them.
fn text(data_type: u8, payload: &[u8]) -> String {
    const SHOWN: usize = 8;
    let mut text = format!("{data_type:02X}");
    for byte in payload.iter().take(SHOWN) {
        let _ = write!(text, " {byte:02X}");
    }
    if payload.len() > SHOWN {
        let _ = write!(text, " ({} bytes)", payload.len());
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn table() -> Vec<Write> {
        let write = |cmd, args: &[u8], dt| Write {
            cmd,
            args: args.to_vec(),
            dt,
            delay_ms: 0,
        };
        vec![
            write(0x00, &[0], Some(0x15)),
            write(0xFF, &[0x80, 9, 1], Some(0x39)),
            write(0x00, &[0], Some(0x15)),
            write(0x11, &[], None),
        ]
    }

    fn after(writes: &[(u8, &[u8])]) -> Option<String> {
        let init = table();
        let mut progress = Progress::default();
        for (data_type, payload) in writes {
            progress.take(&init, *data_type, payload, 0);
        }
        progress.complaint(&init)
    }

    const SHIFT: (u8, &[u8]) = (0x15, &[0, 0]);
    const KEY: (u8, &[u8]) = (0x39, &[0xFF, 0x80, 9, 1]);
    const WAKE: (u8, &[u8]) = (0x05, &[0x11]);

    #[test]
    fn only_the_very_table_will_do() {
        assert_eq!(after(&[SHIFT, KEY, SHIFT, WAKE]), None);
        assert_eq!(
            after(&[SHIFT, KEY, SHIFT, WAKE, KEY]),
            None,
            "it is the host's"
        );
        assert_eq!(
            after(&[KEY, SHIFT, SHIFT, KEY, SHIFT, WAKE]),
            None,
            "after a key"
        );
        let why = |writes: &[(u8, &[u8])]| after(writes).unwrap();
        assert!(why(&[SHIFT, KEY, WAKE]).contains("step 3 of 4"));
        assert!(why(&[SHIFT, KEY, KEY, SHIFT, WAKE]).contains("step 3 of 4"));
        assert!(why(&[SHIFT, (0x39, &[0xFF, 0x80, 9, 2]), SHIFT, WAKE]).contains("FF 80 09"));
        assert!(why(&[SHIFT, (0x29, KEY.1), SHIFT, WAKE]).contains("29 FF 80 09 01 came"));
        assert!(why(&[]).contains("never came"));
    }

    #[test]
    fn a_table_may_send_its_key_twice() {
        let mut init = table();
        let mut key = init[1].clone();
        key.delay_ms = 20;
        init = [&[key, init[1].clone()][..], &init[2..]].concat();
        let complaint = |writes: &[(u8, &[u8])]| {
            let mut progress = Progress::default();
            for (data_type, payload) in writes {
                progress.take(&init, *data_type, payload, 0);
            }
            progress.complaint(&init)
        };
        assert_eq!(complaint(&[KEY, KEY, SHIFT, WAKE]), None);
        assert_eq!(
            complaint(&[KEY, KEY, KEY, SHIFT, WAKE]),
            None,
            "asked before"
        );
        assert!(complaint(&[KEY, SHIFT, WAKE]).is_some(), "once is too few");
        assert!(complaint(&[KEY, KEY, SHIFT, KEY, WAKE]).is_some());
    }
}

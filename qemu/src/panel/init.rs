//! How far the host is in the panel's `init`, and the waits of that table.
//!
//! Source: facts/panels.md (the delays of the vendor tables), facts/display.md 6.5.

use super::config::Write;
use super::family::Family;
use super::registers::Registers;
use crate::bus::{Nanos, granted};

const NS_PER_MS: Nanos = 1_000_000;
/// Tables of one controller have their first steps in common.
const FIRST_OF_ITS_OWN: usize = 2;

/// A step that was written, and whose wait is not known to be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wait {
    step: usize,
    since: Nanos,
}

/// Milliseconds that `init` itself waits from the sleep-out that wakes the
/// panel to the next command, and in all. Another sleep-out does nothing.
pub fn waits_after_sleep_out(init: &[Write], family: Family) -> (u32, u32) {
    let mut registers = Registers::new(family);
    let (mut awake, mut at_once) = (false, false);
    let mut waits = (0, 0);
    for write in init {
        match registers.write(&write.payload()) {
            Some(0x11) if awake => {}
            Some(0x11) => {
                (awake, at_once) = (true, true);
                waits = (0, 0);
            }
            Some(0x01 | 0x10) => (awake, at_once) = (false, false),
            _ => at_once = false,
        }
        waits.0 += if at_once { write.delay_ms } else { 0 };
        waits.1 += write.delay_ms;
    }
    waits
}

/// The place in the table. Writes that are not the next step (of a host that
/// asks who is there, say) leave it where it is; the first step begins anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    next: usize,
    wait: Option<Wait>,
}

impl Steps {
    /// Why the panel refuses a packet with this payload now. It says so once:
    /// what follows is taken. The same write again is no other packet. `asks`:
    /// the packet belongs to a read.
    pub fn too_early(
        &mut self,
        init: &[Write],
        payload: &[u8],
        asks: bool,
        now: Nanos,
    ) -> Option<String> {
        let wait = self.wait?;
        let write = init.get(wait.step)?;
        if write.is(payload) || asks && wait.step == 0 {
            return None;
        }
        self.wait = None;
        // The first steps alone are also how the vendors' drivers unlock a
        // panel to ask who it is, and they ask at once (facts/display.md 5.5);
        // and a host that goes on with something else follows another table.
        let standard = matches!(write.cmd, 0x01 | 0x11 | 0x29);
        let follows = init.get(wait.step + 1).is_some_and(|next| next.is(payload));
        let own = wait.step >= FIRST_OF_ITS_OWN && follows;
        if !standard && !own {
            return None;
        }
        let passed = now.saturating_sub(wait.since);
        let needs = write.insists_ms();
        (passed < granted(Nanos::from(needs) * NS_PER_MS)).then(|| {
            let passed = passed / NS_PER_MS;
            format!(
                "init step {} ({:02X}) needs {needs} ms, got {passed}",
                wait.step, write.cmd
            )
        })
    }

    /// The place after a write that the panel took.
    #[must_use]
    pub fn after(self, init: &[Write], payload: &[u8], now: Nanos) -> Steps {
        let again = self.wait.map(|wait| wait.step);
        let places = [Some(self.next), again, Some(0)];
        let mut places = places.into_iter().flatten();
        let is_step = |&step: &usize| init.get(step).is_some_and(|write| write.is(payload));
        let Some(step) = places.find(is_step) else {
            return self;
        };
        let insists = init.get(step).is_some_and(|write| write.insists_ms() > 0);
        Steps {
            next: step + 1,
            wait: insists.then_some(Wait { step, since: now }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sleep_out_that_wakes_counts() {
        let waits = |table: &[(u8, u32)]| {
            let write = |&(cmd, delay_ms): &(u8, u32)| Write {
                cmd,
                args: Vec::new(),
                dt: None,
                delay_ms,
            };
            let init: Vec<Write> = table.iter().map(write).collect();
            waits_after_sleep_out(&init, Family::Dcs)
        };
        assert_eq!(waits(&[(0x36, 9), (0x11, 120), (0x29, 10)]), (120, 130));
        // Twice, and the wait behind the second.
        assert_eq!(waits(&[(0x11, 0), (0x11, 120), (0x29, 0)]), (120, 120));
        // Display-on at once, and all of it again.
        let again = [(0x11, 0), (0x29, 0), (0x11, 150), (0x29, 50)];
        assert_eq!(waits(&again), (0, 200));
        assert_eq!(waits(&[(0x11, 1), (0x10, 2), (0x11, 3), (0x29, 4)]), (3, 7));
    }
}

//! What follows an access or a tick: serial output, interrupt lines, memory
//! that comes or goes, core 1's supply, the next deadline, requests.

use super::map::MAP;
use super::{Access, Host, Machine, RUNAWAY_ERRORS, map};
use crate::bus::{Nanos, Reset};
use crate::preloader;
use crate::report::Event;
use crate::signals::Request;

impl Machine {
    /// Carries the results of an access or a tick to the host.
    pub(super) fn settle(&mut self, host: &mut dyn Host) {
        let now = self.host_now;
        self.flush_serial(host);
        for text in self.log.drain(..) {
            self.events.push(Event::Log { text, t_ns: now });
        }
        self.interrupts.drive(&self.irq, self.signals.int_pol, host);
        if self.signals.l2_is_sram != self.l2_mapped {
            self.l2_mapped = self.signals.l2_is_sram;
            host.map_l2_sram(self.l2_mapped);
            if self.l2_mapped {
                preloader::scratch::fill(host, map::L2_SRAM, map::L2_SRAM_LEN);
            }
        }
        self.settle_core1(host);
        self.settle_screen(host);
        self.settle_deadline(host);
        if let Some(request) = self.signals.request.take() {
            self.stopping = true;
            self.shoot(
                match request {
                    Request::PowerOff(_) => "power-off",
                    _ => "reset",
                },
                host,
            );
            match request {
                Request::Reset(why) => {
                    self.pending_reset = Some(why);
                    host.request_reset();
                }
                Request::PmicReset(why) => {
                    self.pending_reset = Some(why);
                    self.reset_by_pmic = true;
                    host.request_reset();
                }
                Request::PowerOff(why) => self.end(
                    Event::PowerOff {
                        why: why.into(),
                        t_ns: now,
                    },
                    host,
                ),
            }
        } else if self.faults > RUNAWAY_ERRORS {
            self.end(
                Event::Stopped {
                    why: "too many guest errors: the guest runs wild".into(),
                    t_ns: now,
                },
                host,
            );
        }
    }

    pub(super) fn end(&mut self, event: Event, host: &mut dyn Host) {
        self.stopping = true;
        self.events.push(event);
        host.request_shutdown();
    }

    pub(super) fn flush_serial(&mut self, host: &mut dyn Host) {
        let mut rest = self.serial.as_slice();
        while let Some(&(port, _)) = rest.first() {
            let run = rest.iter().take_while(|&&(of, _)| of == port).count();
            let bytes: Vec<u8> = rest[..run].iter().map(|&(_, byte)| byte).collect();
            host.serial_out(port, &bytes);
            rest = &rest[run..];
        }
        self.serial.clear();
    }

    pub(super) fn settle_core1(&mut self, host: &mut dyn Host) {
        let powered = self.signals.domain_on(map::DOMAIN_FC1);
        if powered != self.core1_powered && !self.preloader_runs {
            host.power_core1(powered);
        }
        // After a power cycle it may start without the magic: BOOT_SLV_CFG.
        let restarted = powered && !self.core1_powered && !self.preloader_runs;
        let released =
            powered && (self.core1_released || restarted || self.signals.core1_entry.is_some());
        if released != self.core1_released {
            host.share_time(released);
        }
        self.core1_released = released;
        self.core1_powered = powered;
    }

    /// What the blocks of the display domain held goes with their supply.
    pub(super) fn settle_display(&mut self, host: &mut dyn Host) {
        let powered = self.signals.domain_on(map::DOMAIN_DIS);
        let lost = self.display_powered && !powered;
        self.display_powered = powered;
        if !lost {
            return;
        }
        for (index, entry) in MAP.iter().enumerate() {
            if map::DIS_BLOCKS.contains(&entry.base) {
                self.with_block(index, host, |block, cx| block.reset(Reset::PowerOn, cx));
                self.collect_faults(Access::of_block(index), self.host_now);
            }
        }
    }

    pub(super) fn settle_deadline(&mut self, host: &mut dyn Host) {
        if !std::mem::take(&mut self.deadline_moved) {
            return;
        }
        let blocks = self.deadlines.iter().copied().flatten();
        let next = blocks
            .chain(self.timeline.deadline())
            .chain(self.screens.deadline())
            .min();
        if next != self.armed {
            self.armed = next;
            host.set_deadline(next.map(|at| at.saturating_sub(self.ahead)));
        }
    }

    /// The phone's time.
    pub(super) fn now(&self) -> Nanos {
        self.host_now + self.ahead
    }
}

//! From reset to the jump: the machine in the hands of the boot ROM stub and
//! the preloader model.

use super::bootrom;
use super::map::{self, MAP};
use super::{Access, Host, Machine, POKE_NS};
use crate::bus::{IrqSources, Reset, Size};
use crate::preloader::{self, Outcome};
use crate::report::{Event, POWER_ON};

impl Machine {
    /// Both cores are about to start in the boot ROM.
    pub fn reset(&mut self, host: &mut dyn Host) {
        self.host_now = host.now();
        let now = self.host_now;
        let why = self.pending_reset.take();
        let kind = if why.is_some() && self.powered {
            Reset::Watchdog
        } else {
            Reset::PowerOn
        };
        if kind == Reset::PowerOn {
            self.signals = self.board.signals();
            let phone_time = self.now();
            self.timeline
                .hold(&self.board, phone_time, &mut self.signals);
        }
        if std::mem::take(&mut self.core1_released) {
            host.share_time(false);
        }
        if kind == Reset::PowerOn {
            preloader::scratch::fill_at_power_on(host, self.board.dram_bytes());
        }
        self.irq = IrqSources::default();
        self.stopping = false;
        self.powered = true;
        let soc = if std::mem::take(&mut self.reset_by_pmic) {
            Reset::PowerOn
        } else {
            kind
        };
        for (index, entry) in MAP.iter().enumerate() {
            let kind = match entry.name {
                // The chips behind these two keep their supply.
                "PWRAP" | "MSDC0" => kind,
                _ => soc,
            };
            self.with_block(index, host, |block, cx| block.reset(kind, cx));
            self.collect_faults(Access::of_block(index), now);
        }
        self.display_powered = self.signals.domain_on(map::DOMAIN_DIS);
        self.interrupts.forget();
        self.handover = None;
        self.preloader_runs = true;
        self.events.push(Event::Reset {
            why: why.unwrap_or(POWER_ON).into(),
            t_ns: now,
        });
        self.armed = None;
        self.deadline_moved = true;
        host.set_deadline(None);
        self.settle(host);
        if why.is_some() {
            self.resets += 1;
            if self.resets > self.max_resets {
                self.end(
                    Event::Stopped {
                        why: format!("reset {} times", self.resets),
                        t_ns: now,
                    },
                    host,
                );
            }
        }
    }

    /// The boot ROM stub at its doorbell.
    pub(super) fn ring(&mut self, offset: u32, write: bool, host: &mut dyn Host) -> u32 {
        if write {
            self.run_preloader(host);
            return 0;
        }
        let Some(handover) = self.handover else {
            return 0;
        };
        if offset == bootrom::doorbell::R5 {
            self.preloader_runs = false;
            self.events.push(Event::LkEntry {
                pc: handover.entry,
                mmio: self.mmio,
                t_ns: self.host_now,
            });
        }
        handover.read(offset)
    }

    pub(super) fn run_preloader(&mut self, host: &mut dyn Host) {
        let outcome = preloader::run(&mut preloader::Phone {
            machine: self,
            host,
        });
        let now = self.host_now;
        self.settle(host);
        match outcome {
            Outcome::Jump(handover) => self.handover = Some(handover),
            Outcome::UsbDownload { by, timeout_s } => self.end(
                Event::UsbDownload {
                    by,
                    timeout_s,
                    t_ns: now,
                },
                host,
            ),
            Outcome::Hangs { why } => self.end(Event::Stopped { why, t_ns: now }, host),
        }
    }

    /// The preloader waits while the host's clock stands still.
    pub(crate) fn let_pass(&mut self, seconds: u32) {
        self.ahead += u64::from(seconds) * 1_000_000_000;
    }

    /// An access by the preloader model: not counted, but checked and reported
    /// like any other.
    pub(crate) fn poke(
        &mut self,
        addr: u32,
        size: Size,
        write: Option<u32>,
        host: &mut dyn Host,
    ) -> u32 {
        self.ahead += POKE_NS;
        let now = self.now();
        for index in 0..self.slots.len() {
            if self.deadlines[index].is_some_and(|at| at <= now) {
                self.with_block(index, host, |block, cx| block.tick(cx));
            }
        }
        self.dispatch(addr, size, write, host)
    }

    /// Puts the block called `name` in the state in which the preloader leaves it.
    pub(crate) fn leave_as_preloader(&mut self, name: &str, host: &mut dyn Host) {
        if let Some(index) = MAP.iter().position(|entry| entry.name == name) {
            self.with_block(index, host, |block, cx| block.leave_as_preloader(cx));
        }
    }
}

//! Asks the panel what its controller is.
//!
//! The table's [`Plan`](unilk_board_db::Plan) says which registers tell its
//! panels apart and in which order; what is asked of this panel depends on
//! what it answered so far. A panel that is stored or hinted is asked its own
//! questions first and nothing more when it confirms. Sources:
//! facts/display.md 5.3 (reset), 5.5, 9.2 (reads).

mod findings;
#[cfg(test)]
mod tests;

use findings::Asked;
pub use findings::{Answer, Findings, MAX_ANSWERS, Match, Outcome, Presence};

use super::report::{Kind, Record, Recorder, Unit, status};
use super::{Clock, PanelPort, PortError, RowSet, Strap, Table};
use unilk_board_db::{OP_MAX_RETURN, OP_WORDS, Question, ReadKind, Script, Stage, Step, Term};

/// Longest low pulse of an identification: the recipe's (facts 9.2). What
/// longer pulses some tables have belongs to their initialisation.
const LOW_MS: u16 = 10;
/// Bits that must have agreed before other makers' questions are dropped: one
/// byte alone is shared by unrelated controllers, and bytes of zeros or ones
/// tell nothing: 04 = 00 80 00 is an NT35510, an NT35516, an RM68210 or an
/// RM69032 (facts/display.md 5.5).
const SURE_BITS: u8 = 16;
/// Command of the standard, and the time that a panel needs after it.
const SOFTWARE_RESET: u8 = 0x01;
const AWAKE_US: u32 = 6_000;
/// Reads of one identification, repeats included.
pub const MAX_READS: u8 = 40;
/// Resets between stages, beside the first.
pub const MAX_STAGE_RESETS: u8 = 5;
/// No question is asked later than this after the start.
pub const LIMIT_US: u32 = 800_000;

/// How hard to try when nothing at all answers.
struct Attempt {
    /// Longer than what the table asks for.
    extra_low_ms: u16,
    /// From the release of reset to the first packet. Panels refuse any
    /// packet in the first 5 ms; vendors wait 20 to 120 (facts 5.3).
    wait_ms: u16,
    /// Questions without an answer until it counts as silent.
    silent: u8,
}

const ATTEMPTS: [Attempt; 3] = [
    Attempt {
        extra_low_ms: 0,
        wait_ms: 6,
        silent: 2,
    },
    Attempt {
        extra_low_ms: 0,
        wait_ms: 40,
        silent: 1,
    },
    Attempt {
        extra_low_ms: 10,
        wait_ms: 120,
        silent: 1,
    },
];

struct Asker<'a, C, P> {
    table: &'a Table,
    clock: &'a C,
    port: &'a mut P,
    log: &'a dyn Recorder,
    begun: u32,
    low_ms: u16,
    wait_ms: u16,
    max_return: u8,
    silent: u8,
    likely: &'a RowSet,
    found: Findings,
}

/// Asks the panel. `prefer` are the rows that something stronger than an ID
/// speaks for: the stored choice, or what the host tool hinted at. `likely`
/// are those of the board: they get a chance to confirm even after another row
/// with their controller has, whose driver only reads another register.
///
/// Never fails: see [`Findings::presence`] for a panel that is not there.
pub async fn identify<C: Clock, P: PanelPort>(
    table: &Table,
    clock: &C,
    port: &mut P,
    log: &dyn Recorder,
    prefer: &RowSet,
    likely: &RowSet,
) -> Findings {
    let begun = clock.now_us();
    let mut asker = Asker {
        table,
        clock,
        port,
        log,
        begun,
        low_ms: low_ms(table, prefer),
        wait_ms: 0,
        max_return: 0,
        silent: 0,
        likely,
        found: Findings::default(),
    };
    asker.found.dbi = asker.port.is_dbi();
    let wiring = asker.port.wiring();
    asker.found.own = wiring.map(|wiring| table.panels_wired(wiring));
    asker.straps();
    asker.voltages(prefer);
    for attempt in &ATTEMPTS {
        asker.wait_ms = attempt.wait_ms;
        asker.pulse(attempt.extra_low_ms).await;
        asker.silent = attempt.silent;
        asker.found.forget_silence();
        asker.go_through(prefer).await;
        if !asker.found.answers.is_empty() {
            break;
        }
    }
    asker.voltages(&RowSet::first(table.panels.len()));
    asker.found.took_us = clock.now_us().wrapping_sub(begun);
    asker.found
}

/// The shortest low pulse that all who may be there accept.
fn low_ms(table: &Table, prefer: &RowSet) -> u16 {
    let rows = table.panels.iter().enumerate();
    let wanted = rows.filter(|&(row, _)| prefer.is_empty() || prefer.contains(row as u16));
    let lows = wanted.flat_map(|(_, panel)| panel.reset.iter());
    let longest = lows.filter(|step| !step.high).map(|step| step.ms).max();
    longest.unwrap_or(LOW_MS).clamp(1, LOW_MS)
}

impl<C: Clock, P: PanelPort> Asker<'_, C, P> {
    /// All that one reset allows: first for the preferred rows alone, then,
    /// unless one of them was confirmed, for the whole table.
    async fn go_through(&mut self, prefer: &RowSet) {
        if !prefer.is_empty() {
            self.run(prefer, false).await;
            let sure = |row| self.found.state(self.table, row).outcome == Outcome::Confirmed;
            if prefer.iter().any(sure) || self.gave_up() {
                return;
            }
        }
        // Preferred panels that cannot be read: what is there can still say
        // that it is another one, as far as that costs no unlocking.
        let readable = |row: u16| {
            let panel = self.table.panels.get(usize::from(row));
            panel.is_some_and(|panel| !panel.ids.is_empty())
        };
        let harmless = !prefer.is_empty() && !prefer.iter().any(readable);
        let all = RowSet::first(self.table.panels.len());
        self.run(&all, harmless).await;
    }

    fn gave_up(&self) -> bool {
        let late = self.clock.now_us().wrapping_sub(self.begun) > LIMIT_US;
        (self.silent == 0 && self.found.answers.is_empty())
            || self.found.reads >= MAX_READS
            || self.found.answers.is_full()
            || late
    }

    /// Goes through the stages for `rows`; `harmless`: only what can be asked
    /// right after a reset.
    async fn run(&mut self, rows: &RowSet, harmless: bool) {
        let mut rows = *rows;
        for (number, stage) in self.table.plan.stages.iter().enumerate() {
            if stage.dbi != self.port.is_dbi() || harmless && !stage.unlock.is_empty() {
                continue;
            }
            let mut entered = false;
            for (index, question) in self.table.plan.questions.iter().enumerate() {
                if usize::from(question.stage) != number || self.found.asked(index as u16) {
                    continue;
                }
                if self.gave_up() {
                    return;
                }
                let asked = Asked {
                    question: index as u16,
                    entered,
                };
                if !self.found.wanted(self.table, &mut rows, self.likely, asked) {
                    continue;
                }
                if !entered && !self.enter(number as u8, stage).await {
                    break;
                }
                entered = true;
                self.ask(index as u16, *question);
            }
        }
    }

    /// Brings the panel into the state for a stage; false if that would take
    /// one reset too many.
    async fn enter(&mut self, number: u8, stage: &Stage) -> bool {
        if self.must_reset(number) {
            if self.found.stage_resets >= MAX_STAGE_RESETS {
                return false;
            }
            self.found.stage_resets += 1;
            self.pulse(0).await;
        }
        if !stage.unlock.is_empty() && self.found.left_in != Some(number) {
            self.log.record(&Record {
                unit: Unit::Panel,
                a: u16::from(number),
                sent: stage.name.as_bytes(),
                ..Record::new(Kind::Unlock, self.clock.now_us())
            });
            self.send(stage.unlock).await;
            self.found.left_in = Some(number);
        }
        true
    }

    /// Whether what was unlocked so far could mislead this stage: it is
    /// another maker's, which the plan marks where the makers change.
    fn must_reset(&self, number: u8) -> bool {
        let last = self.found.left_in;
        last != Some(number) && self.table.plan.reset_between(last, number)
    }

    async fn send(&mut self, script: Script) {
        for step in script.steps() {
            match step {
                Step::Write { data_type, payload } => {
                    // A lost packet shows in the answers; once more is cheap.
                    if self.port.write(data_type, payload).is_err() {
                        let _ = self.port.write(data_type, payload);
                    }
                    if data_type == OP_WORDS && payload.get(1) == Some(&SOFTWARE_RESET) {
                        // To a panel that takes the lower byte alone.
                        self.clock.wait_us(AWAKE_US).await;
                    }
                }
                Step::Delay(ms) => self.clock.wait_us(u32::from(ms) * 1000).await,
                Step::Reset { high, ms } => {
                    self.port.reset(high);
                    self.max_return = 0;
                    self.clock.wait_us(u32::from(ms) * 1000).await;
                }
                Step::MaxReturn(size) => self.set_max_return(size),
            }
        }
    }

    async fn pulse(&mut self, extra_low_ms: u16) {
        let low = self.low_ms + extra_low_ms;
        self.log.record(&Record {
            unit: Unit::Panel,
            a: low,
            b: self.wait_ms,
            ..Record::new(Kind::Reset, self.clock.now_us())
        });
        let wait_us = u32::from(self.wait_ms) * 1000;
        if let Some(awake_us) = self.port.awake_us().filter(|_| self.found.resets == 0) {
            self.clock.wait_us(wait_us.saturating_sub(awake_us)).await;
            self.found.resets += 1;
            return;
        }
        let held_us = self.port.held_low_us();
        self.port.reset(false);
        let rest_us = (u32::from(low) * 1000).saturating_sub(held_us);
        if rest_us > 0 {
            self.clock.wait_us(rest_us).await;
        }
        self.port.reset(true);
        self.clock.wait_us(wait_us).await;
        self.found.left_in = None;
        self.max_return = 0;
        self.found.resets += 1;
    }

    fn set_max_return(&mut self, size: u8) {
        if self.max_return != size && self.port.write(OP_MAX_RETURN, &[size, 0]).is_ok() {
            self.max_return = size;
        }
    }

    /// Asks one question: a second time in the same way after a damaged
    /// answer, with the other packet after none.
    fn ask(&mut self, index: u16, question: Question) {
        self.set_max_return(question.len);
        let mut kind = question.kind;
        let mut answer = Answer::new(index);
        let len = usize::from(question.len).min(answer.data.len());
        for _ in 0..2 {
            let begun = self.clock.now_us();
            let Some(room) = answer.data.get_mut(..len) else {
                return;
            };
            let result = self.port.read(kind, question.register, room);
            self.found.reads += 1;
            let got = result.unwrap_or(0).min(len);
            let data = answer.data.get(..got).unwrap_or(&[]);
            let now = self.clock.now_us();
            self.log.record(&Record {
                unit: Unit::Panel,
                status: match result {
                    Ok(_) if self.found.says_nothing(data) => status::CONSTANT,
                    Ok(_) => status::OK,
                    Err(PortError::Silence) => status::SILENCE,
                    Err(PortError::Corrupt) => status::CORRUPT,
                    Err(PortError::Host) => status::STUCK,
                },
                a: u16::from(question.len),
                b: now.wrapping_sub(begun).min(u32::from(u16::MAX)) as u16,
                sent: sent(&packet(kind, question.register)),
                got: data,
                ..Record::new(Kind::Read, now)
            });
            match result {
                Ok(_) if got > 0 => {
                    answer.len = got as u8;
                    self.found.add(answer);
                    return;
                }
                Err(PortError::Corrupt) => {}
                _ => {
                    kind = match kind {
                        ReadKind::Dcs => ReadKind::Generic,
                        ReadKind::Generic => ReadKind::Dcs,
                        ReadKind::Dbi => ReadKind::Dbi,
                    };
                }
            }
        }
        self.found.silence(index);
        self.silent = self.silent.saturating_sub(1);
    }

    /// Reads the identification pins, if any row knows what they mean: they
    /// cost nothing.
    fn straps(&mut self) {
        for index in 0..2 {
            let mut terms = terms(self.table);
            if !terms.any(|term| matches!(term, Term::Strap { index: i, .. } if *i == index)) {
                continue;
            }
            let level = self.port.strap(index);
            if let (Some(slot), Some(level)) =
                (self.found.straps.get_mut(usize::from(index)), level)
            {
                *slot = Some(level);
                self.log.record(&Record {
                    unit: Unit::Panel,
                    a: u16::from(index),
                    b: match level {
                        Strap::Low => 0,
                        Strap::High => 1,
                        Strap::Open => 2,
                    },
                    ..Record::new(Kind::Strap, self.clock.now_us())
                });
            }
        }
    }

    /// Measures the identification voltages that `rows` know: only theirs
    /// before the reads, because a conversion takes a millisecond.
    fn voltages(&mut self, rows: &RowSet) {
        for row in rows {
            let Some(panel) = self.table.panels.get(usize::from(row)) else {
                continue;
            };
            for term in panel.ids.iter().flat_map(|terms| terms.iter()) {
                if let Term::Voltage { channel, .. } = *term {
                    self.voltage(channel);
                }
            }
        }
    }

    /// Measures one voltage, unless that has been done.
    fn voltage(&mut self, channel: u8) {
        let known = &mut self.found.voltages;
        if known.is_full() || known.iter().any(|&(known, _)| known == channel) {
            return;
        }
        let mv = self.port.voltage_mv(channel);
        // There is room.
        let _ = known.push((channel, mv));
        if let Some(mv) = mv {
            self.log.record(&Record {
                unit: Unit::Panel,
                a: u16::from(channel),
                b: mv,
                ..Record::new(Kind::Voltage, self.clock.now_us())
            });
        }
    }
}

/// All terms of the table's panels.
fn terms(table: &Table) -> impl Iterator<Item = &'static Term> {
    let ids = table.panels.iter().flat_map(|panel| panel.ids.iter());
    ids.flat_map(|terms| terms.iter())
}

/// How a question stands in the report: the DSI data type of the read, or 0x00
/// for a bus of the LCD controller, then the register.
const fn packet(kind: ReadKind, register: u16) -> [u8; 3] {
    let [high, low] = register.to_be_bytes();
    match kind {
        ReadKind::Dcs => [0x06, low, 0],
        ReadKind::Generic => [0x14, low, 0],
        ReadKind::Dbi => [0x00, high, low],
    }
}

/// The bytes of a [`packet`] that count.
fn sent(packet: &[u8; 3]) -> &[u8] {
    match packet {
        [0x00, ..] => packet,
        [packet @ .., _] => packet,
    }
}

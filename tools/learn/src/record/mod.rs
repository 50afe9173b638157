//! Runs a driver's functions and writes down what they do.

mod services;

use crate::event::{Answers, Event};
use crate::image::Image;
use crate::machine::{Halt, Machine, STACK, STACK_END};
use crate::operands::{self, Compared};
use crate::peripherals::{Access, Peripherals};
use serde::Serialize;
use services::Session;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use std::{fmt, io};

/// Events of one function, at most; the longest known initialisation has 700.
const MOST_EVENTS: usize = 8192;
/// Stops of one function, at most.
const MOST_STOPS: usize = 20_000;
/// Compares that are looked at in one run, at most.
const MOST_COMPARED: usize = 512;
/// Helpers of one image that are passed over, at most.
const MOST_SKIPPED: usize = 32;
/// How long code may run without doing anything that is seen.
const SILENCE: Duration = Duration::from_millis(500);

/// What one run of a function did.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// In order.
    pub events: Vec<Event>,
    /// r0 at the end.
    pub result: u32,
    /// Compares behind the first answer, if they were asked for.
    pub compared: Vec<Compared>,
}

/// Why a function could not be run to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// It ran for as long as a driver may.
    TimeUp,
    /// It waits for ever, for hardware or for nothing, at this address.
    Waits(u32),
    /// It accessed memory that is not there, or is no code, at this address.
    Fault(u32),
    /// It did more than any driver does.
    TooMuch,
    /// Its parameters name no panel.
    NoPanel,
    /// The emulator broke.
    Emulator(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimeUp => write!(f, "took longer than a driver may"),
            Self::Waits(at) => write!(f, "waits for ever at {at:#x}"),
            Self::Fault(at) => write!(f, "faults at {at:#x}"),
            Self::TooMuch => write!(f, "does more than any driver does"),
            Self::NoPanel => write!(f, "fills no panel's size"),
            Self::Emulator(why) => write!(f, "the emulator failed: {why}"),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Emulator(error.to_string())
    }
}

/// Runs functions of one image.
pub struct Recorder<'a> {
    qemu: &'a str,
    image: &'a Image<'a>,
    machine: Machine,
    /// Functions that cannot run here, and are passed over.
    skipped: BTreeSet<u32>,
    /// Functions that called such: passed over where they print.
    suspects: BTreeSet<u32>,
    /// Where the driver's own code is, to find what it called.
    own: (u32, u32),
    deadline: Instant,
}

/// How a run is watched.
#[derive(Debug, Clone, Copy, Default)]
pub struct Watch<'a> {
    /// Addresses of compares that are to be looked at.
    pub compares: &'a [u32],
}

impl<'a> Recorder<'a> {
    /// Starts a machine that holds `image`.
    ///
    /// # Errors
    /// The emulator is missing or broke.
    pub fn start(qemu: &'a str, image: &'a Image<'a>) -> io::Result<Self> {
        Ok(Self {
            qemu,
            image,
            machine: Machine::start(qemu, image)?,
            skipped: BTreeSet::new(),
            suspects: BTreeSet::new(),
            own: (0, 0),
            deadline: Instant::now(),
        })
    }

    /// Starts again with the image as it was: a function that failed may have
    /// left anything behind. What was found out about helpers is kept.
    ///
    /// # Errors
    /// The emulator broke.
    pub fn restart(&mut self) -> io::Result<()> {
        self.machine = Machine::start(self.qemu, self.image)?;
        let known = self.skipped.union(&self.suspects);
        let stops: Vec<u32> = known.copied().collect();
        self.machine.breakpoints(true, &stops)
    }

    /// Another driver: its code is in `own`, and it has `time`.
    pub fn begin(&mut self, own: (u32, u32), time: Duration) {
        self.own = own;
        self.deadline = Instant::now() + time;
    }

    /// Whether the driver's time is up.
    pub fn time_up(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// The machine's memory.
    pub fn machine(&mut self) -> &mut Machine {
        &mut self.machine
    }

    /// Runs `function` to its end. Helpers of the image that cannot run here
    /// are found, and passed over in another run from the start.
    ///
    /// # Errors
    /// What [`Failure`] says.
    pub fn run(
        &mut self,
        function: u32,
        arguments: &[u32],
        answers: &Answers,
        watch: Watch<'_>,
    ) -> Result<Run, Failure> {
        loop {
            let failed = match self.attempt(function, arguments, answers, watch) {
                Ok(run) => return Ok(run),
                Err(failed @ (Failure::Waits(_) | Failure::Fault(_))) => failed,
                Err(other) => return Err(other),
            };
            let chain = self.calls()?;
            let Some((innermost, outer)) = chain.split_first() else {
                return Err(failed);
            };
            if self.skipped.len() >= MOST_SKIPPED || !self.skipped.insert(innermost & !1) {
                return Err(failed);
            }
            let mut stops = vec![innermost & !1];
            for target in outer {
                if self.suspects.len() < MOST_SKIPPED && self.suspects.insert(target & !1) {
                    stops.push(target & !1);
                }
            }
            self.machine.breakpoints(true, &stops)?;
        }
    }

    /// The functions that are running, the innermost first: what does not work
    /// here is the innermost. None if it is the driver's own code.
    fn calls(&mut self) -> Result<Vec<u32>, Failure> {
        let registers = self.machine.registers;
        let [pc, link, sp] = [15, 14, 13].map(|n: usize| registers[n]);
        if (self.own.0..self.own.1).contains(&pc) {
            return Ok(Vec::new());
        }
        let mut chain: Vec<u32> = operands::call_before(self.image, link)
            .into_iter()
            .collect();
        if (STACK_END..STACK).contains(&sp) {
            let depth = (STACK - sp).min(4096) as usize & !3;
            let stack = self.machine.read(sp & !3, depth)?.unwrap_or_default();
            for word in stack.chunks_exact(4) {
                let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
                chain.extend(operands::call_before(self.image, word));
            }
        }
        chain.retain(|target| self.image.contains(target & !1));
        chain.dedup();
        chain.truncate(8);
        Ok(chain)
    }

    fn attempt(
        &mut self,
        function: u32,
        arguments: &[u32],
        answers: &Answers,
        watch: Watch<'_>,
    ) -> Result<Run, Failure> {
        Peripherals::prepare(&mut self.machine, answers)?;
        let mut session = Session::new(answers, watch);
        let result = self.drive(function, arguments, &mut session);
        if session.watching {
            self.machine.breakpoints(false, watch.compares)?;
        }
        result?;
        session.run.result = self.machine.registers[0];
        Ok(session.run)
    }

    fn drive(
        &mut self,
        function: u32,
        arguments: &[u32],
        session: &mut Session<'_>,
    ) -> Result<(), Failure> {
        let mut halt = self.machine.call(function, arguments, self.patience())?;
        for _ in 0..MOST_STOPS {
            if session.run.events.len() > MOST_EVENTS {
                return Err(Failure::TooMuch);
            }
            if !matches!(halt, Halt::Read(_)) {
                session.run.events.extend(session.peripherals.waited());
            }
            let pc = self.machine.registers[15];
            halt = match halt {
                Halt::Returned => return Ok(()),
                Halt::Service(service) => {
                    let result = session.serve(&mut self.machine, service)?;
                    session.start_watching(&mut self.machine)?;
                    self.machine.answer(result, self.patience())?
                }
                Halt::Read(address) => {
                    let machine = &mut self.machine;
                    let access = session
                        .peripherals
                        .read(machine, address, session.answers)?;
                    self.note(access, session)?;
                    session.start_watching(&mut self.machine)?;
                    self.machine.pass(self.patience())?
                }
                Halt::Written(address) => {
                    let machine = &mut self.machine;
                    let access = session
                        .peripherals
                        .written(machine, address, session.answers)?;
                    self.note(access, session)?;
                    self.machine.resume(self.patience())?
                }
                Halt::At(address) if self.passes_over(address) => {
                    self.note_helper(address, session);
                    self.machine.skip_function(0, self.patience())?
                }
                Halt::At(_) => {
                    let registers = &self.machine.registers;
                    if session.run.compared.len() < MOST_COMPARED {
                        let compared = operands::compared(self.image, registers);
                        session.run.compared.extend(compared);
                    }
                    self.machine
                        .step_over(session.watch.compares, self.patience())?
                }
                Halt::Fault(_) => return Err(Failure::Fault(pc)),
                Halt::TimeUp if self.time_up() => return Err(Failure::TimeUp),
                Halt::TimeUp => return Err(Failure::Waits(pc)),
            };
            if self.time_up() {
                return Err(Failure::TimeUp);
            }
        }
        Err(Failure::TooMuch)
    }

    fn patience(&self) -> Instant {
        self.deadline.min(Instant::now() + SILENCE)
    }

    fn note(&self, access: Access, session: &mut Session<'_>) -> Result<(), Failure> {
        match access {
            Access::Nothing => {}
            Access::Events(events) => session.run.events.extend(events),
            Access::Stuck => return Err(Failure::Waits(self.machine.registers[15])),
        }
        Ok(())
    }

    /// Whether the function at `address` is passed over, as it is called now.
    fn passes_over(&self, address: u32) -> bool {
        self.skipped.contains(&address) || self.suspects.contains(&address) && self.prints()
    }

    /// Whether the function that was just called gets a text, or a character.
    fn prints(&self) -> bool {
        let arguments = [0, 1].map(|n: usize| self.machine.registers[n]);
        let text = |&argument: &u32| {
            self.image
                .text(argument, 255)
                .is_some_and(|text| text.len() > 3)
        };
        arguments.iter().any(text)
    }

    /// A helper is passed over. What prints is nothing that anybody needs.
    fn note_helper(&self, function: u32, session: &mut Session<'_>) {
        let registers = &self.machine.registers;
        let arguments = [0, 1, 2, 3].map(|n: usize| registers[n]);
        let character = matches!(arguments[0], 9 | 10 | 13 | 0x20..=0x7E);
        if !character && !self.prints() {
            session.run.events.push(Event::Helper {
                function,
                arguments,
            });
        }
    }
}

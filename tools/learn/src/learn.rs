//! From an image to what its drivers know: finds them, runs them, solves their
//! identification.

use crate::drivers::{self, Candidate, Found};
use crate::event::{Answers, Event, PinSetting};
use crate::identify::{self, Identification, Method};
use crate::image::{Image, NotLk};
use crate::known::{self, Known};
use crate::layout::{Generation, PARAMS_WORDS, ParamsLayout, word};
use crate::machine::{SCRATCH, SERVICE_TABLE};
use crate::operands;
use crate::params::{self, Interface, Params};
use crate::record::{Failure, Recorder, Watch};
use crate::script::Script;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use std::{fmt, io};

/// How long a candidate may take to show that it is a driver.
const PROBE: Duration = Duration::from_secs(1);
/// And all of them.
const PROBES: Duration = Duration::from_secs(15);
/// How long all drivers of an image may take: ten that use all their time.
const IMAGE: Duration = Duration::from_secs(100);
/// Bytes behind a function's beginning that are taken for its own if nothing
/// else begins there.
const FUNCTION_BYTES: u32 = 0x800;

/// How to learn.
#[derive(Debug, Clone)]
pub struct Options {
    /// The emulator.
    pub qemu: String,
    /// How long one driver may take.
    pub driver_time: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            qemu: "qemu-system-arm".to_owned(),
            driver_time: Duration::from_secs(10),
        }
    }
}

/// What an image taught.
#[derive(Debug, Clone, Serialize)]
pub struct Learned {
    /// SHA-256 of the file.
    pub sha256: String,
    /// Its drivers, in the vendor's order.
    pub drivers: Vec<Driver>,
    /// Structures that look like a driver and are none: name and why.
    pub rejected: Vec<Rejected>,
}

/// What one driver taught.
#[derive(Debug, Clone, Serialize)]
pub struct Driver {
    /// Its name: what `lcm=` says.
    pub name: String,
    /// Where its structure is.
    pub address: u32,
    /// Which structure it is.
    pub generation: Generation,
    /// The controller, by the name and the first writes.
    pub controller: String,
    /// Size, interface, timing.
    pub params: Params,
    /// Initialisation, with what `init_power` did before.
    pub init: Script,
    /// Power-down.
    pub power_down: Script,
    /// Whether `resume` was added, because only it switches the panel on.
    pub with_resume: bool,
    /// The pin that resets the panel, where that is no line of its own.
    pub reset_pin: Option<u32>,
    /// What it accepts.
    pub identification: Identification,
    /// Functions that could not be run to their end.
    pub failures: Vec<(&'static str, Failure)>,
    /// Whether the built-in table has it.
    pub known: Known,
    /// How long it took.
    pub milliseconds: u64,
}

impl Driver {
    /// Parameters, initialisation and identification were learned.
    pub fn complete(&self) -> bool {
        let params = self.params.interface != Interface::Dsi || self.params.dsi.is_some();
        params
            && self.failures.is_empty()
            && self.init.sends()
            && !matches!(self.identification.method, Method::Failed)
            && !self.identification.cut_short
    }
}

/// Why nothing was learned.
#[derive(Debug)]
pub enum Error {
    /// The bytes are no LK of this chip.
    NotLk(NotLk),
    /// There is no driver in it.
    NoDriver {
        /// Structures that look like one.
        candidates: usize,
    },
    /// The emulator is missing.
    NoEmulator(String),
    /// It broke.
    Emulator(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLk(why) => write!(f, "{why}"),
            Self::NoDriver { candidates: 0 } => {
                write!(f, "an LK, but no LCM driver is in it: perhaps it is packed")
            }
            Self::NoDriver { candidates } => write!(
                f,
                "an LK, but none of {candidates} structures that look like an LCM driver behaves like one"
            ),
            Self::NoEmulator(name) => write!(
                f,
                "{name} is missing: the vendor's drivers are run in it; install it (Debian: apt install qemu-system-arm)"
            ),
            Self::Emulator(why) => write!(f, "the emulator failed: {why}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<NotLk> for Error {
    fn from(why: NotLk) -> Self {
        Self::NotLk(why)
    }
}

/// Learns what the LK in `file` knows. `tell` hears the name of each driver as
/// its turn comes, its number and how many there are.
///
/// # Errors
/// What [`Error`] says. What is wrong with one driver stands with it.
pub fn learn(
    file: &[u8],
    options: &Options,
    mut tell: impl FnMut(&str, usize, usize),
) -> Result<Learned, Error> {
    let image = Image::open(file)?;
    let candidates = drivers::find(&image);
    let count = candidates.listed.len() + candidates.others.len();
    if count == 0 {
        return Err(Error::NoDriver { candidates: 0 });
    }
    let recorder = Recorder::start(&options.qemu, &image).map_err(|why| match why.kind() {
        io::ErrorKind::NotFound => Error::NoEmulator(options.qemu.clone()),
        _ => Error::Emulator(why),
    })?;
    let mut bench = Bench {
        image: &image,
        recorder,
        starts: starts(&image, &candidates),
    };
    let (mut probed, mut rejected) = bench.probe(&candidates.listed);
    if probed.is_empty() {
        // One driver has no list.
        let (others, more) = bench.probe(&candidates.others);
        probed = others;
        rejected.extend(more);
    }
    if probed.is_empty() {
        return Err(Error::NoDriver { candidates: count });
    }
    let layout = probed.iter().find_map(|(_, words)| params::layout(words));
    let generation = common_generation(&probed);
    let mut found = Vec::new();
    let end = Instant::now() + IMAGE;
    for (number, (candidate, words)) in probed.iter().enumerate() {
        tell(&candidate.name, number, probed.len());
        let shared = params::layout(words).or(layout);
        let left = end.saturating_duration_since(Instant::now());
        let time = options.driver_time.min(left);
        match bench.driver(candidate, generation, shared, time) {
            Ok(driver) => found.push(driver),
            Err(why) => rejected.push((candidate.name.clone(), why.to_string())),
        }
    }
    Ok(Learned {
        sha256: image.sha256(),
        drivers: found,
        rejected,
    })
}

/// What [`PARAMS_WORDS`] a driver filled.
type Words = [u32; PARAMS_WORDS];
/// A driver and its parameters.
type Probed = (Candidate, Words);
/// What is none: name and why.
type Rejected = (String, String);

/// All drivers of an image are built from one tree.
fn common_generation(probed: &[Probed]) -> Generation {
    let kk = probed
        .iter()
        .filter(|(_, words)| params::generation(words) == Some(Generation::Kk));
    if 2 * kk.count() > probed.len() {
        Generation::Kk
    } else {
        Generation::Jb
    }
}

/// Where functions begin that drivers name.
fn starts(image: &Image<'_>, found: &Found) -> Vec<u32> {
    let functions = found
        .listed
        .iter()
        .chain(&found.others)
        .flat_map(|candidate| {
            (1..candidate.words.len()).filter_map(|word| candidate.function(image, word))
        });
    let mut starts: Vec<u32> = functions.map(|function| function & !1).collect();
    starts.sort_unstable();
    starts.dedup();
    starts
}

struct Bench<'a> {
    image: &'a Image<'a>,
    recorder: Recorder<'a>,
    starts: Vec<u32>,
}

impl Bench<'_> {
    /// From the first to the end of the last of a driver's functions.
    fn own(&self, candidate: &Candidate) -> (u32, u32) {
        let functions = [
            word::SET_UTIL,
            word::GET_PARAMS,
            word::INIT,
            word::SUSPEND,
            word::RESUME,
        ];
        let functions = functions
            .iter()
            .filter_map(|&word| candidate.function(self.image, word))
            .map(|function| function & !1);
        let (mut first, mut last) = (u32::MAX, 0);
        for function in functions {
            (first, last) = (first.min(function), last.max(function));
        }
        (first, last + 0x40)
    }

    /// Up to where the function at `start` may go.
    fn function_end(&self, start: u32) -> u32 {
        let next = self.starts.iter().find(|&&other| other > start);
        let most = start.saturating_add(FUNCTION_BYTES);
        next.map_or(most, |&next| next.min(most))
            .min(self.image.end())
    }

    /// Those that fill parameters, with what they filled, and the others.
    fn probe(&mut self, candidates: &[Candidate]) -> (Vec<Probed>, Vec<Rejected>) {
        let (mut found, mut rejected) = (Vec::new(), Vec::new());
        let end = Instant::now() + PROBES;
        for candidate in candidates {
            let left = end.saturating_duration_since(Instant::now());
            self.recorder.begin(self.own(candidate), PROBE.min(left));
            match self.words(candidate) {
                Ok(words) if params::generation(&words).is_some() => {
                    found.push((candidate.clone(), words));
                }
                Ok(_) => {
                    let why = Failure::NoPanel.to_string();
                    rejected.push((candidate.name.clone(), why));
                }
                Err(why) => {
                    rejected.push((candidate.name.clone(), why.to_string()));
                    // If it does not come back, all that follows says so.
                    let _ = self.recorder.restart();
                }
            }
        }
        (found, rejected)
    }

    /// Gives a driver its service functions and asks for its parameters.
    fn words(&mut self, candidate: &Candidate) -> Result<Words, Failure> {
        let function = |word| candidate.function(self.image, word).unwrap_or(0);
        let (set, get) = (function(word::SET_UTIL), function(word::GET_PARAMS));
        let (none, watch) = (Answers::default(), Watch::default());
        self.recorder.run(set, &[SERVICE_TABLE], &none, watch)?;
        self.recorder
            .machine()
            .write(SCRATCH, &[0; 4 * PARAMS_WORDS])?;
        self.recorder.run(get, &[SCRATCH], &none, watch)?;
        let read = self.recorder.machine().read(SCRATCH, 4 * PARAMS_WORDS)?;
        let mut words = [0; PARAMS_WORDS];
        for (word, bytes) in words
            .iter_mut()
            .zip(read.unwrap_or_default().chunks_exact(4))
        {
            *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        Ok(words)
    }

    /// Runs one of a driver's functions, if it has it. Nothing of one that
    /// failed is believed, and the next begins anew.
    fn record(
        &mut self,
        candidate: &Candidate,
        (name, word): (&'static str, usize),
        answers: &Answers,
        failures: &mut Vec<(&'static str, Failure)>,
    ) -> Vec<Event> {
        let Some(function) = candidate.function(self.image, word) else {
            return Vec::new();
        };
        let run = self.recorder.run(function, &[], answers, Watch::default());
        match run {
            Ok(run) => run.events,
            Err(why) => {
                failures.push((name, why));
                self.renew(candidate);
                Vec::new()
            }
        }
    }

    /// After a failure: everything as at the beginning. If that fails, so does
    /// what is run next.
    fn renew(&mut self, candidate: &Candidate) {
        if self.recorder.restart().is_ok() {
            let _ = self.words(candidate);
        }
    }

    /// All of one driver.
    fn driver(
        &mut self,
        candidate: &Candidate,
        generation: Generation,
        layout: Option<ParamsLayout>,
        time: Duration,
    ) -> Result<Driver, Failure> {
        let started = Instant::now();
        self.recorder.begin(self.own(candidate), time);
        self.words(candidate)?;
        let identification = self.identify(candidate, generation, time * 3 / 5);
        if identification.failure.is_some() {
            self.renew(candidate);
        }
        let answers = identification.accepted.clone();
        // Some drivers fill in what they found out.
        let words = self.words(candidate)?;
        let Some(params) = params::read(&words, layout) else {
            return Err(Failure::NoPanel);
        };
        let mut failures = Vec::new();
        let mut record = |name, word| self.record(candidate, (name, word), &answers, &mut failures);
        let power = generation
            .init_power()
            .map(|word| record("init_power", word));
        let init = record("init", word::INIT);
        let suspend = record("suspend", word::SUSPEND);
        let resume = record("resume", word::RESUME);
        let mut events = power.unwrap_or_default();
        events.extend(init);
        let controller = controller(&candidate.name, &events);
        let reset_pin = reset_pin(&events);
        let mut script = Script::of(&events, &controller, reset_pin);
        let awake = Script::of(&resume, &controller, reset_pin);
        // Drivers that leave sleep-out and display-on to their resume.
        let with_resume =
            !(script.has(0x29) && script.has(0x11)) && awake.has(0x29) && !awake.has(0xFF);
        if with_resume {
            script.steps.extend(awake.steps);
        }
        Ok(Driver {
            name: candidate.name.clone(),
            address: candidate.address,
            generation,
            known: known::compare(&params, &script),
            power_down: Script::of(&suspend, &controller, reset_pin),
            init: script,
            controller,
            params,
            with_resume,
            reset_pin,
            identification,
            failures,
            milliseconds: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    fn identify(
        &mut self,
        candidate: &Candidate,
        generation: Generation,
        time: Duration,
    ) -> Identification {
        let Some(function) = candidate.function(self.image, generation.compare_id()) else {
            return Identification::plain(Method::None);
        };
        let (start, thumb) = (function & !1, function & 1 == 1);
        let end = self.function_end(start);
        let compares = operands::compares(self.image, start, end, thumb);
        let mut found = identify::solve(&mut self.recorder, function, &compares, time);
        if found.method == Method::Solved {
            // It may keep what it found for the initialisation.
            let answers = found.accepted.clone();
            if let Err(why) = self.recorder.run(function, &[], &answers, Watch::default()) {
                found.failure = Some(why);
            }
        }
        found
    }
}

/// The controller, by what the built-in table calls those whose name is in the
/// driver's, else by the key that its first writes open the registers with.
fn controller(name: &str, events: &[Event]) -> String {
    let name = name.to_ascii_lowercase();
    let known = unilk_board_db::panels().iter().map(|row| row.controller);
    let named = known.filter(|controller| name.contains(controller));
    if let Some(longest) = named.max_by_key(|controller| controller.len()) {
        return longest.to_owned();
    }
    let keys: [(&[u8], &str); 5] = [
        (&[0xFF, 0xFF, 0x98, 0x06, 0x04], "ili9806e"),
        (&[0xFF, 0xFF, 0x98, 0x16], "ili9806c"),
        (&[0xB9, 0xFF, 0x83, 0x69], "hx8369"),
        (&[0xB9, 0xFF, 0x83, 0x79], "hx8379"),
        (&[0xB9, 0xFF, 0x83, 0x89], "hx8389"),
    ];
    let sent = events.iter().filter_map(|event| match event {
        Event::Packet { payload, .. } => Some(payload),
        _ => None,
    });
    for payload in sent.take(16) {
        if let Some((_, controller)) = keys.iter().find(|(key, _)| payload.starts_with(key)) {
            return (*controller).to_owned();
        }
    }
    let first = name.split(['_', '-']).next().unwrap_or_default();
    first.to_owned()
}

/// The pin that goes low and high again before the first packet, if a driver
/// resets its panel by one.
fn reset_pin(events: &[Event]) -> Option<u32> {
    let packet = |event: &Event| matches!(event, Event::Packet { .. });
    let first = events.iter().position(packet).unwrap_or(events.len());
    let before = events.get(..first)?;
    if before.iter().any(|event| matches!(event, Event::Reset(_))) {
        return None;
    }
    let mut levels: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for event in before {
        if let Event::Pin {
            pin,
            what: PinSetting::Level,
            value,
        } = event
        {
            levels.entry(*pin).or_default().push(value & 1);
        }
    }
    let pulse = |levels: &[u32]| levels.windows(2).any(|pair| pair == [0, 1]);
    levels
        .iter()
        .find(|(_, levels)| pulse(levels))
        .map(|(pin, _)| *pin)
}

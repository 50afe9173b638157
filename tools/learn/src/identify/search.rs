//! The search: which bytes of answers are which bits of what is compared.

use super::{Identification, Method, Term, Way};
use crate::event::{Answers, Event, Question};
use crate::operands::Compared;
use crate::record::{Failure, Recorder, Run, Watch};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// Refused answers that are taken apart, at most.
const MOST_EXPANDED: usize = 48;
/// And after the first accepted one, to find alternatives.
const MOST_MORE: usize = 16;
/// Ways to know a panel, at most; board tables hold no more.
const MOST_WAYS: usize = 8;
/// Distance of the voltages that are tried, in counts of the AUXADC: 35 mV. The
/// narrowest known window has 40 (facts/display.md 5.5).
const ADC_STEP: u16 = 96;
const ADC_END: u16 = 4096;

/// A byte of an answer.
type Variable = (Question, u8);

/// The search for what one function accepts.
pub struct Search<'a, 'b> {
    recorder: &'a mut Recorder<'b>,
    function: u32,
    compares: &'a [u32],
    deadline: Instant,
    asked: BTreeMap<Question, u8>,
    runs: usize,
}

impl<'a, 'b> Search<'a, 'b> {
    /// For `function`, whose code compares at `compares`.
    pub fn new(
        recorder: &'a mut Recorder<'b>,
        function: u32,
        compares: &'a [u32],
        time: Duration,
    ) -> Self {
        Self {
            recorder,
            function,
            compares,
            deadline: Instant::now() + time,
            asked: BTreeMap::new(),
            runs: 0,
        }
    }

    /// How often the function was run, and what it asked.
    pub fn done(self) -> (usize, Vec<(Question, u8)>) {
        (self.runs, self.asked.into_iter().collect())
    }
    fn run(&mut self, answers: &Answers, traced: bool) -> Result<Run, Failure> {
        self.runs += 1;
        let watch = Watch {
            compares: if traced { self.compares } else { &[] },
        };
        let run = self.recorder.run(self.function, &[], answers, watch)?;
        for (question, length) in questions(&run) {
            let known = self.asked.entry(question).or_insert(0);
            *known = length.max(*known);
        }
        Ok(run)
    }

    fn accepts(&mut self, answers: &Answers) -> Result<bool, Failure> {
        Ok(self.run(answers, false)?.result != 0)
    }

    fn late(&self) -> bool {
        Instant::now() >= self.deadline || self.recorder.time_up()
    }

    /// Finds out what it accepts.
    pub fn find(&mut self) -> Result<Identification, Failure> {
        let first = self.run(&Answers::all(0), false)?;
        if questions(&first).is_empty() {
            return Ok(Identification::plain(if first.result == 0 {
                Method::AlwaysFalse
            } else {
                Method::AlwaysTrue
            }));
        }
        let mut everything = first.result != 0;
        for default in [0xFF, 0x5A, 0xC3] {
            everything = everything && self.accepts(&Answers::all(default))?;
        }
        if everything {
            return Ok(Identification::plain(if self.refuses_some()? {
                Method::AlmostAlwaysTrue
            } else {
                Method::ReadsAlwaysTrue
            }));
        }
        let (solutions, cut_short) = self.search()?;
        let mut ways: Vec<Way> = Vec::new();
        let mut accepted = Answers::default();
        let none = solutions.is_empty();
        for solution in solutions {
            if ways.len() >= MOST_WAYS {
                break;
            }
            let way = self.reduce(&solution)?;
            let known = |known: &Way| known.terms.iter().all(|term| way.terms.contains(term));
            if way.terms.is_empty() || ways.iter().any(known) {
                continue;
            }
            if ways.is_empty() {
                accepted = solution;
            }
            ways.push(way);
        }
        let method = match (none, ways.is_empty()) {
            (true, _) => Method::NeverAccepted,
            (false, true) => Method::AlmostAlwaysTrue,
            (false, false) => Method::Solved,
        };
        Ok(Identification {
            ways,
            accepted,
            cut_short,
            ..Identification::plain(method)
        })
    }

    /// Whether answers that its compares look for are refused, though all
    /// others are accepted.
    fn refuses_some(&mut self) -> Result<bool, Failure> {
        let answers = Answers::all(0);
        let run = self.run(&answers, true)?;
        for candidate in self.candidates(&answers, &run, &mut Vec::new())? {
            if !self.accepts(&candidate)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Accepted answers, and whether there may be more.
    fn search(&mut self) -> Result<(Vec<Answers>, bool), Failure> {
        let mut queue = VecDeque::from([Answers::all(0), Answers::all(0xFF)]);
        let mut seen: Vec<Answers> = queue.iter().cloned().collect();
        let mut found = Vec::new();
        let mut budget = MOST_EXPANDED;
        while let Some(answers) = queue.pop_front() {
            if budget == 0 || self.late() {
                let cut_short = self.late() || found.is_empty();
                return Ok((found, cut_short));
            }
            budget -= 1;
            let run = self.run(&answers, true)?;
            if run.result != 0 {
                if found.is_empty() {
                    budget = budget.min(MOST_MORE);
                }
                found.push(answers);
                continue;
            }
            let mut next = self.candidates(&answers, &run, &mut found)?;
            next.retain(|candidate| !seen.contains(candidate));
            if next.is_empty() && found.is_empty() {
                self.sweep(&answers, &run, &mut found)?;
            }
            seen.extend(next.iter().cloned());
            queue.extend(next);
        }
        Ok((found, false))
    }

    /// Answers that would make compares of `run`, which refused `answers`,
    /// come out otherwise.
    fn candidates(
        &mut self,
        answers: &Answers,
        run: &Run,
        found: &mut Vec<Answers>,
    ) -> Result<Vec<Answers>, Failure> {
        let base = occurrences(run);
        // For each compare: the bits of its operands that a byte is.
        let mut placed: BTreeMap<Place, Vec<Placement>> = BTreeMap::new();
        for (question, byte) in variables(run) {
            if self.late() {
                break;
            }
            let old = answers.byte(question, byte);
            let changed = answers.with(question, byte, !old);
            let other = self.run(&changed, true)?;
            if other.result != 0 {
                found.push(changed);
            }
            let diffs = differences(&base, &other);
            let single = self.bit_by_bit(answers, (question, byte), &base, &diffs)?;
            for (place, diff) in diffs {
                placed.entry(place).or_default().push(Placement {
                    variable: (question, byte),
                    bits: [0, 1].map(|side: usize| {
                        std::array::from_fn(|bit| match (&single, whole_byte(diff[side])) {
                            (None, first) => first.map_or(0, |first| 1 << (first + bit as u32)),
                            (Some(single), _) => changed_at(&single[bit], place, side),
                        })
                    }),
                });
            }
        }
        let mut all = answers.clone();
        let mut taken: Vec<Variable> = Vec::new();
        let mut single = Vec::new();
        for (place, placements) in &placed {
            let Some(compared) = base.get(place) else {
                continue;
            };
            for values in solutions(compared, placements, answers) {
                let mut one = answers.clone();
                for &((question, byte), value) in &values {
                    one.set(question, byte, value);
                }
                single.push(one);
                if values.iter().all(|(variable, _)| !taken.contains(variable)) {
                    for &((question, byte), value) in &values {
                        all.set(question, byte, value);
                        taken.push((question, byte));
                    }
                }
            }
        }
        single.insert(0, all);
        Ok(single)
    }

    /// What each bit of a byte changes, where the byte as a whole is only a
    /// part of an operand, or is moved by other than whole bits. `None` where
    /// it is a byte of every operand that it changes.
    fn bit_by_bit(
        &mut self,
        answers: &Answers,
        (question, byte): Variable,
        base: &BTreeMap<Place, Compared>,
        diffs: &Differences,
    ) -> Result<Option<[Differences; 8]>, Failure> {
        let whole = |&bits: &u32| bits == 0 || whole_byte(bits).is_some();
        if diffs.iter().all(|(_, diff)| diff.iter().all(whole)) {
            return Ok(None);
        }
        let old = answers.byte(question, byte);
        let mut single: [Differences; 8] = Default::default();
        for (bit, differs) in single.iter_mut().enumerate() {
            let flipped = answers.with(question, byte, old ^ (1 << bit));
            let other = self.run(&flipped, true)?;
            *differs = differences(base, &other);
        }
        Ok(Some(single))
    }

    /// Voltages are computed with, so that compares do not show them: tries
    /// some.
    fn sweep(
        &mut self,
        answers: &Answers,
        run: &Run,
        found: &mut Vec<Answers>,
    ) -> Result<(), Failure> {
        for (question, _) in questions(run) {
            if !matches!(question, Question::Adc { .. }) {
                continue;
            }
            for raw in (0..ADC_END).step_by(usize::from(ADC_STEP)) {
                if self.late() {
                    return Ok(());
                }
                let tried = with_voltage(answers, question, raw);
                if self.accepts(&tried)? {
                    found.push(tried);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// What of `answers`, which are accepted, matters.
    fn reduce(&mut self, answers: &Answers) -> Result<Way, Failure> {
        let run = self.run(answers, false)?;
        let mut terms = Vec::new();
        for (question, length) in questions(&run) {
            if let Question::Adc { channel } = question {
                terms.extend(self.voltage(answers, question, channel)?);
                continue;
            }
            for byte in 0..length {
                let value = answers.byte(question, byte);
                let mut mask = 0;
                let mut free = true;
                for flip in [0xFF, 0x55, 0xAA] {
                    free = free && self.accepts(&answers.with(question, byte, value ^ flip))?;
                }
                for bit in (0..8).filter(|_| !free) {
                    if !self.accepts(&answers.with(question, byte, value ^ (1 << bit)))? {
                        mask |= 1 << bit;
                    }
                }
                if mask != 0 {
                    terms.push(Term::Byte {
                        question,
                        byte,
                        mask,
                        value: value & mask,
                    });
                }
            }
        }
        Ok(Way {
            terms,
            events: run.events,
        })
    }

    /// The range around an accepted voltage, if it matters.
    fn voltage(
        &mut self,
        answers: &Answers,
        question: Question,
        channel: u8,
    ) -> Result<Option<Term>, Failure> {
        let middle = (answers.word(question) & 0xFFF) as u16;
        let mut edge = |far: u16| -> Result<u16, Failure> {
            if self.accepts(&with_voltage(answers, question, far))? {
                return Ok(far);
            }
            let (mut good, mut bad) = (middle, far);
            while good.abs_diff(bad) > 1 {
                let next = good.midpoint(bad);
                if self.accepts(&with_voltage(answers, question, next))? {
                    good = next;
                } else {
                    bad = next;
                }
            }
            Ok(good)
        };
        let (from, to) = (edge(0)?, edge(ADC_END - 1)?);
        let matters = from > 0 || to < ADC_END - 1;
        Ok(matters.then_some(Term::Adc { channel, from, to }))
    }
}

/// What each bit of a byte changes in both operands of a compare.
#[derive(Debug)]
struct Placement {
    variable: Variable,
    bits: [[u32; 8]; 2],
}

impl Placement {
    /// All that the byte changes in an operand.
    fn changes(&self, side: usize) -> u32 {
        self.bits[side].iter().fold(0, |all, bits| all | bits)
    }
}

/// A compare: its address, and how often it was passed before.
type Place = (u32, usize);
/// Compares, and the bits of both operands that differ.
type Differences = Vec<(Place, [u32; 2])>;

/// What of the operands of each compare differs from another run.
fn differences(base: &BTreeMap<Place, Compared>, other: &Run) -> Differences {
    let others = occurrences(other);
    let both = base.iter().filter_map(|(place, compared)| {
        let now = others.get(place)?;
        Some((
            *place,
            [compared.left ^ now.left, compared.right ^ now.right],
        ))
    });
    both.filter(|(_, diff)| *diff != [0, 0]).collect()
}

/// What one bit changes in an operand of the compare at `place`.
fn changed_at(differs: &Differences, place: Place, side: usize) -> u32 {
    let mut at = differs.iter().filter(|(other, _)| *other == place);
    at.next().map_or(0, |(_, diff)| diff[side])
}

/// The first bit, if `bits` are a whole byte somewhere.
fn whole_byte(bits: u32) -> Option<u32> {
    let first = bits.trailing_zeros();
    (bits != 0 && bits >> first == 0xFF).then_some(first)
}

fn with_voltage(answers: &Answers, question: Question, raw: u16) -> Answers {
    let [low, high] = raw.to_le_bytes();
    answers.with(question, 0, low).with(question, 1, high)
}

/// What a run asked, each question once, with the bytes of the answer.
fn questions(run: &Run) -> Vec<(Question, u8)> {
    let mut found: Vec<(Question, u8)> = Vec::new();
    for event in &run.events {
        if let Event::Read {
            question, answer, ..
        } = event
            && !found.iter().any(|(known, _)| known == question)
        {
            found.push((*question, answer.len() as u8));
        }
    }
    found
}

fn variables(run: &Run) -> Vec<Variable> {
    let bytes = |(question, length)| (0..length).map(move |byte| (question, byte));
    questions(run).into_iter().flat_map(bytes).collect()
}

/// Compares by place and how often it was passed before.
fn occurrences(run: &Run) -> BTreeMap<Place, Compared> {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for compared in &run.compared {
        let count = counts.entry(compared.at).or_insert(0);
        found.insert((compared.at, *count), *compared);
        *count += 1;
    }
    found
}

/// Values of the bytes that would make the compare's outcome another.
fn solutions(
    compared: &Compared,
    placements: &[Placement],
    answers: &Answers,
) -> Vec<Vec<(Variable, u8)>> {
    let depends = [0, 1].map(|side: usize| placements.iter().any(|place| place.changes(side) != 0));
    let (side, own, other) = match depends {
        [true, false] => (0, compared.left, compared.right),
        [false, true] => (1, compared.right, compared.left),
        // Two answers with each other.
        _ => return Vec::new(),
    };
    let mut found = Vec::new();
    let mut values = Vec::new();
    let mut covered = 0;
    for place in placements {
        let (question, byte) = place.variable;
        let mut value = answers.byte(question, byte);
        for (bit, changes) in place.bits[side].iter().enumerate() {
            if (own ^ other) & changes != 0 {
                value ^= 1 << bit;
            }
        }
        values.push((place.variable, value));
        covered |= place.changes(side);
    }
    if own != other && (own ^ other) & !covered == 0 {
        found.push(values);
    }
    // A test for zero that must fail.
    if own == other {
        for Placement { variable, .. } in placements {
            let (question, byte) = *variable;
            found.push(vec![(*variable, !answers.byte(question, byte))]);
        }
    }
    found
}

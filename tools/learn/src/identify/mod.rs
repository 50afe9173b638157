//! Solves which answers make a driver's `compare_id` accept its panel.
//!
//! The function is run again and again. Every byte of every answer is changed
//! on its own while the compares are watched: that shows which bits of which
//! operand the byte is, and so which value makes the operands equal. Answers
//! that were computed like this are tried, and what is still refused shows
//! further compares. In the end each bit of an accepted answer is flipped, to
//! see which of them matter.

mod search;

use crate::event::{Answers, Event, Question};
use crate::record::{Failure, Recorder};
use search::Search;
use serde::Serialize;
use std::time::Duration;

/// What `compare_id` turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The driver has none.
    None,
    /// It accepts everything, without a question.
    AlwaysTrue,
    /// It accepts nothing, without a question.
    AlwaysFalse,
    /// It asks, and accepts whatever is answered.
    ReadsAlwaysTrue,
    /// It asks, and accepts every answer but some: no bits decide.
    AlmostAlwaysTrue,
    /// It asks, and no answer was found that it accepts.
    NeverAccepted,
    /// It asks, and accepts some answers.
    Solved,
    /// It could not be run.
    Failed,
}

/// Something that must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Term {
    /// Bits of a byte of an answer.
    Byte {
        /// The question.
        question: Question,
        /// Which byte.
        byte: u8,
        /// The bits that count.
        mask: u8,
        /// Their value.
        value: u8,
    },
    /// A voltage, in counts of the AUXADC (1500 mV / 4096 each).
    Adc {
        /// Channel.
        channel: u8,
        /// Lowest.
        from: u16,
        /// Highest.
        to: u16,
    },
}

/// One way to know the panel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Way {
    /// All of them must hold.
    pub terms: Vec<Term>,
    /// What the driver does until it has accepted.
    pub events: Vec<Event>,
}

/// What is known of a driver's `compare_id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identification {
    /// What it is.
    pub method: Method,
    /// Any one of these is enough.
    pub ways: Vec<Way>,
    /// All that it asked, in whatever run: question and bytes.
    pub asked: Vec<(Question, u8)>,
    /// Answers that it accepts.
    #[serde(skip)]
    pub accepted: Answers,
    /// Whether the search ended because time was up, with alternatives left.
    pub cut_short: bool,
    /// How often it was run.
    pub runs: usize,
    /// Why it could not be run.
    pub failure: Option<Failure>,
}

impl Identification {
    /// One without anything solved.
    pub fn plain(method: Method) -> Self {
        Self {
            method,
            ways: Vec::new(),
            asked: Vec::new(),
            accepted: Answers::default(),
            cut_short: false,
            runs: 0,
            failure: None,
        }
    }
}

/// Finds out what `function` accepts, within `time`. `compares` are the
/// addresses where its code compares.
pub fn solve(
    recorder: &mut Recorder<'_>,
    function: u32,
    compares: &[u32],
    time: Duration,
) -> Identification {
    let mut search = Search::new(recorder, function, compares, time);
    let mut found = match search.find() {
        Ok(found) => found,
        Err(failure) => Identification {
            failure: Some(failure),
            ..Identification::plain(Method::Failed)
        },
    };
    (found.runs, found.asked) = search.done();
    found
}

//! `cargo xtask db-plan`: what a panel is asked, as a tree.
//!
//! The tree is not drawn from the plan but from what the bootloader's own asker
//! does with every panel of the table: a question stands where it was asked,
//! an answer where somebody gives it.

use clap::Args;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use unilk::simulate::{ask, built_in, is_readable};
use unilk_board_db::Term;
use unilk_core::identify::evidence::Evidence;
use unilk_core::identify::verdict::decide;
use unilk_core::identify::{RowSet, Table};

/// Panels of a group that are named one by one.
const NAMED: usize = 4;

/// Print what a panel is asked, and what each answer means
#[derive(Args)]
pub struct Plan {
    /// Name the panels of every group
    #[arg(long)]
    all: bool,
}

impl Plan {
    /// Prints the tree on standard output.
    pub fn run(self) {
        let named = if self.all { usize::MAX } else { NAMED };
        print!("{}", tree(&built_in(), named));
    }
}

/// What some panel answers: `None` where its driver does not look.
type Answer = Vec<Option<u8>>;

/// After some answers.
#[derive(Default)]
struct Node {
    /// What is asked next, and what may come.
    asks: BTreeMap<u16, BTreeMap<Answer, Node>>,
    /// Rows that fit when nothing more is asked.
    ends: BTreeSet<u16>,
}

/// The tree; groups of up to `named` panels are spelled out.
fn tree(table: &Table, named: usize) -> String {
    let mut root = Node::default();
    let mut ids: Vec<&'static [Term]> = Vec::new();
    for id in table.panels.iter().flat_map(|panel| panel.ids) {
        if is_readable(id) && !ids.contains(id) {
            ids.push(id);
        }
    }
    for id in ids {
        let found = ask(table, id);
        let mut node = &mut root;
        for answer in &found.answers {
            let bytes = label(id, answer.question, answer.bytes().len());
            node = node
                .asks
                .entry(answer.question)
                .or_default()
                .entry(bytes)
                .or_default();
        }
        let alike = decide(table, &Evidence::NONE, found).alike;
        node.ends.extend(alike.iter());
    }
    let mut printer = Printer {
        table,
        named,
        out: String::new(),
    };
    printer.line(0, "after a reset and 6 ms");
    printer.node(&root, 1, None);
    printer.rest();
    printer.out
}

/// What a panel with this ID answers.
fn label(id: &[Term], asked: u16, len: usize) -> Answer {
    let mut bytes = vec![None; len];
    for term in id {
        if let Term::Answer {
            question,
            byte,
            value,
            ..
        } = *term
            && question == asked
            && let Some(place) = bytes.get_mut(usize::from(byte))
        {
            *place = Some(value);
        }
    }
    bytes
}

struct Printer<'a> {
    table: &'a Table,
    named: usize,
    out: String,
}

impl Printer<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.out, "{:1$}{text}", "", 2 * depth);
    }

    /// Prints what is asked in this state; `entered` is the stage whose unlock
    /// sequence was sent last.
    fn node(&mut self, node: &Node, depth: usize, entered: Option<u8>) {
        let (node, entered) = self.in_vain(node, depth, entered);
        if !node.ends.is_empty() {
            self.group(&node.ends, depth);
        }
        let plan = self.table.plan;
        for (&question, answers) in &node.asks {
            let Some(asked) = plan.questions.get(usize::from(question)) else {
                continue;
            };
            let state = self.entering(entered, asked.stage);
            if let Some((text, _)) = &state {
                self.line(depth, text);
            }
            let state = state.map_or(entered, |(_, stage)| Some(stage));
            let plural = if asked.len == 1 { "byte" } else { "bytes" };
            self.line(
                depth,
                &format!("read {:02X}, {} {plural}", asked.register, asked.len),
            );
            let (known, other): (Vec<_>, Vec<_>) = answers
                .iter()
                .partition(|(bytes, _)| bytes.iter().any(Option::is_some));
            for (bytes, next) in known {
                self.line(depth + 1, &shown(bytes));
                self.node(next, depth + 2, state);
            }
            // The way on stays at the same depth, or the tree gets wide.
            for (_, next) in other {
                self.line(depth, "anything else:");
                self.node(next, depth, state);
            }
        }
    }

    /// What brings the panel into the state of a stage, if it is not in it.
    fn entering(&self, entered: Option<u8>, to: u8) -> Option<(String, u8)> {
        let stage = self.table.plan.stages.get(usize::from(to))?;
        if stage.unlock.is_empty() || entered == Some(to) {
            return None;
        }
        let reset = self.table.plan.reset_between(entered, to);
        let reset = if reset { "reset, then " } else { "" };
        Some((format!("{reset}unlock {}", stage.name), to))
    }

    /// Prints questions to which nobody here has an answer in one line; where
    /// somebody has, and the state there.
    fn in_vain<'n>(
        &mut self,
        mut node: &'n Node,
        depth: usize,
        mut entered: Option<u8>,
    ) -> (&'n Node, Option<u8>) {
        let mut tried = Vec::new();
        while node.ends.is_empty()
            && let Some((&question, answers)) = node.asks.first_key_value()
            && node.asks.len() == 1
            && let Some((bytes, next)) = answers.first_key_value()
            && answers.len() == 1
            && bytes.iter().all(Option::is_none)
            && let Some(asked) = self.table.plan.questions.get(usize::from(question))
        {
            if let Some((text, stage)) = self.entering(entered, asked.stage) {
                tried.push(text);
                entered = Some(stage);
            }
            tried.push(format!("{:02X}", asked.register));
            node = next;
        }
        if !tried.is_empty() {
            self.line(depth, &format!("to no avail: {}", tried.join(", ")));
        }
        (node, entered)
    }

    /// Those that nothing but other evidence can split.
    fn group(&mut self, rows: &BTreeSet<u16>, depth: usize) {
        let panel = |row: &u16| self.table.panels.get(usize::from(*row));
        let mut controllers: BTreeMap<&str, usize> = BTreeMap::new();
        for panel in rows.iter().filter_map(panel) {
            *controllers.entry(panel.controller).or_default() += 1;
        }
        let mut counts: Vec<_> = controllers.into_iter().collect();
        counts.sort_by_key(|&(name, count)| (std::cmp::Reverse(count), name));
        let names: Vec<String> = counts
            .iter()
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        let ids: Vec<&str> = rows
            .iter()
            .filter_map(panel)
            .map(|panel| panel.id)
            .collect();
        let clusters: BTreeSet<_> = rows.iter().map(|&row| self.table.cluster(row)).collect();
        let text = match ids[..] {
            [only] => format!("= {only}"),
            _ => format!(
                "= one of {} ({}), {} kinds of glass: other evidence decides",
                ids.len(),
                names.join(", "),
                clusters.len()
            ),
        };
        self.line(depth, &text);
        if (2..=self.named).contains(&ids.len()) {
            for id in ids {
                self.line(depth + 1, id);
            }
        }
    }

    /// Those about whom no register says anything.
    fn rest(&mut self) {
        let rows = 0..self.table.panels.len() as u16;
        let unread: RowSet = rows
            .filter(|&row| {
                let ids = self.table.panels[usize::from(row)].ids;
                !ids.iter().any(|id| is_readable(id))
            })
            .collect();
        let pins = |&row: &u16| !self.table.panels[usize::from(row)].ids.is_empty();
        let pinned: BTreeSet<u16> = unread.iter().filter(pins).collect();
        let mute: BTreeSet<u16> = unread.iter().filter(|row| !pinned.contains(row)).collect();
        self.line(0, "told by pins or a voltage only");
        self.group(&pinned, 1);
        self.line(0, "told by nothing: their drivers do not ask");
        self.group(&mute, 1);
    }
}

/// Bytes in hexadecimal; `--` where it does not matter.
fn shown(bytes: &[Option<u8>]) -> String {
    let words: Vec<String> = bytes
        .iter()
        .map(|byte| byte.map_or_else(|| "--".into(), |byte| format!("{byte:02X}")))
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_has_every_question_and_every_panel() {
        let table = built_in();
        let tree = tree(&table, usize::MAX);
        for asked in table.plan.questions {
            let line = format!("read {:02X}, {} byte", asked.register, asked.len);
            assert!(tree.contains(&line), "{line}");
        }
        for stage in table
            .plan
            .stages
            .iter()
            .filter(|stage| !stage.unlock.is_empty())
        {
            assert!(
                tree.contains(&format!("unlock {}", stage.name)),
                "{}",
                stage.name
            );
        }
        let words: BTreeSet<&str> = tree.split_whitespace().collect();
        for panel in table.panels {
            assert!(words.contains(panel.id), "{}", panel.id);
        }
    }

    #[test]
    fn every_answer_leads_to_a_question_or_a_group() {
        let tree = tree(&built_in(), NAMED);
        let lines: Vec<&str> = tree.lines().collect();
        let depth = |line: &str| line.len() - line.trim_start().len();
        let bytes = |line: &str| {
            let mut words = line.split_whitespace();
            words
                .all(|word| word == "--" || word.len() == 2 && u8::from_str_radix(word, 16).is_ok())
        };
        let (mut answers, mut groups) = (0, 0);
        for (line, next) in lines.iter().zip(&lines[1..]) {
            let word = next.trim_start();
            let goes_on = ["=", "read ", "unlock ", "reset, then ", "to no avail: "]
                .map(|how| word.starts_with(how));
            if bytes(line) {
                answers += 1;
                assert_eq!(depth(next), depth(line) + 2, "{line} / {next}");
                assert!(goes_on.contains(&true), "{line} / {next}");
            }
            groups += usize::from(word.starts_with('='));
        }
        assert!(answers >= 40 && groups >= 40, "{answers} {groups}");
        // What needs no key comes first, and no key of one maker meets another's.
        assert!(lines[1].trim_start().starts_with("read "), "{}", lines[1]);
    }
}

//! Checks names that a person typed against the driver table, and finds what
//! they may have meant: a wrong panel name gives a white screen on the phone,
//! far from where it was typed.

use std::fmt;

/// How many near names are shown.
const SHOWN: usize = 4;

/// A name that the table does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// What was looked for: `panel`, `board`.
    what: &'static str,
    /// What was typed.
    given: String,
    /// The nearest names of the table, best first.
    near: Vec<&'static str>,
    /// All of `near` have this name.
    ambiguous: bool,
}

impl Unknown {
    /// No `what` has the name `given`; `known` are the names that there are.
    pub fn near(
        what: &'static str,
        given: &str,
        known: impl Iterator<Item = &'static str>,
    ) -> Self {
        Self {
            what,
            given: given.to_owned(),
            near: nearest(given, known),
            ambiguous: false,
        }
    }

    /// Several have the name `given`: those with these ids.
    pub fn ambiguous(
        what: &'static str,
        given: &str,
        ids: impl Iterator<Item = &'static str>,
    ) -> Self {
        Self {
            what,
            given: given.to_owned(),
            near: ids.collect(),
            ambiguous: true,
        }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what, given, near, ..
        } = self;
        let near = near.join(", ");
        match self.ambiguous {
            true => write!(f, "{given}: several have this name, say which: {near}"),
            false if near.is_empty() => write!(f, "{given}: no {what} of this name is known"),
            false => write!(
                f,
                "{given}: no {what} of this name is known; near it: {near}"
            ),
        }
    }
}

impl std::error::Error for Unknown {}

/// Whether `name` is a vendor's panel driver that the table knows.
pub fn panel(name: &str) -> Result<(), Unknown> {
    let known = unilk_board_db::panels();
    check(
        "panel",
        name,
        known.iter().flat_map(|panel| panel.names.iter().copied()),
    )
}

/// Whether `name` is a board that the table knows.
pub fn board(name: &str) -> Result<(), Unknown> {
    let known = unilk_board_db::boards();
    check("board", name, known.iter().map(|board| board.id))
}

fn check(
    what: &'static str,
    given: &str,
    known: impl Iterator<Item = &'static str> + Clone,
) -> Result<(), Unknown> {
    if known.clone().any(|name| name == given) {
        return Ok(());
    }
    Err(Unknown::near(what, given, known))
}

/// The nearest of `known`, best first.
fn nearest(given: &str, known: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    // Half a name is nearer to those that have it than any slip.
    let is_part = |name: &str| !given.is_empty() && name.contains(given);
    let mut ranked: Vec<_> = known
        .map(|name| (!is_part(name), distance(given, name), name))
        .collect();
    ranked.sort_unstable();
    ranked.dedup();
    ranked
        .into_iter()
        .filter(|&(other, distance, name)| {
            let longer = given.len().max(name.len());
            distance * 2 <= longer || !other
        })
        .take(SHOWN)
        .map(|(.., name)| name)
        .collect()
}

/// How many letters have to be put in, left out or changed to make `b` of
/// `a` (Levenshtein); upper and lower case are one.
fn distance(a: &str, b: &str) -> usize {
    let letters = |text: &str| text.to_ascii_lowercase().into_bytes();
    let (a, b) = (letters(a), letters(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let changed = corner + usize::from(left != right);
            corner = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("ABC", "abc"), 0);
    }

    #[test]
    fn known_names_pass() {
        assert_eq!(panel("ili9806e_dsi_cmd_txd"), Ok(()));
        assert_eq!(board("ckt72-w-kk"), Ok(()));
    }

    #[test]
    fn a_slip_is_answered_with_what_was_meant() {
        let why = panel("ili9806e_dsi_cmd_tdx").unwrap_err();
        assert_eq!(why.near.first(), Some(&"ili9806e_dsi_cmd_txd"));
        let why = board("ckt72_w_kk").unwrap_err().to_string();
        assert!(why.starts_with("ckt72_w_kk: no board"), "{why}");
        assert!(why.contains("ckt72-w-kk"), "{why}");
        assert!(panel("nt35510_").unwrap_err().near[0].contains("nt35510_"));
    }

    #[test]
    fn nonsense_gets_no_suggestions() {
        assert!(panel("zzzzzzzzzzzzzzzz").unwrap_err().near.is_empty());
        assert!(board("").unwrap_err().near.is_empty());
    }
}

//! `boards/identify` and what must become of each.

use std::collections::BTreeSet;
use std::path::PathBuf;

use mt6572_qemu::board::Board;
use serde::Deserialize;

/// One entry of `expect.toml`; what is `None` is not checked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The board file, without `.toml`.
    pub file: String,
    /// Hints that are packed into lk.bin.
    pub hint_board: Option<String>,
    pub hint_panel: Option<String>,
    /// Rows of which one must win; empty: none may.
    pub panel: Option<Vec<String>>,
    /// At least so sure.
    pub certainty: String,
    /// At most so sure: nobody may be sure of what was not identified.
    pub at_most: Option<String>,
    /// What one must see in the end.
    pub glass: Option<String>,
    /// Chips of which one must be found; empty: none may.
    pub touch: Option<Vec<String>>,
    /// Where.
    pub touch_address: Option<Vec<String>>,
    /// Sensors of which one must be found; empty: none may.
    pub camera_main: Option<Vec<String>>,
    pub camera_sub: Option<Vec<String>>,
    /// Codes that must be in the log.
    #[serde(default)]
    pub notes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    board: Vec<Expected>,
}

/// The words for certainty, from none to all.
pub const CERTAINTY: [&str; 5] = ["none", "guess", "likely", "certain", "confirmed"];

/// The folder.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("boards/identify")
}

/// All of them.
pub fn all() -> Vec<Expected> {
    let text = std::fs::read_to_string(folder().join("expect.toml")).unwrap();
    toml::from_str::<List>(&text).unwrap().board
}

impl Expected {
    /// Text of the board file.
    pub fn text(&self) -> String {
        std::fs::read_to_string(folder().join(&self.file).with_extension("toml")).unwrap()
    }

    /// The board file.
    pub fn board(&self) -> Board {
        Board::parse(&self.text()).unwrap_or_else(|why| panic!("{}: {why}", self.file))
    }

    /// Whether the board scripts a fault of a part.
    pub fn has_fault(&self) -> bool {
        self.file.contains("fault-") || self.file.contains("no-bta")
    }
}

#[test]
fn every_board_is_expected_and_loads() {
    let list = all();
    let named: BTreeSet<_> = list.iter().map(|expected| expected.file.clone()).collect();
    assert_eq!(named.len(), list.len(), "a board is listed twice");
    let files: BTreeSet<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .filter(|name| name != "expect")
        .collect();
    assert_eq!(named, files);
    for expected in &list {
        expected.board();
        let words = [Some(&expected.certainty), expected.at_most.as_ref()];
        for word in words.into_iter().flatten() {
            assert!(CERTAINTY.contains(&word.as_str()), "{}", expected.file);
        }
    }
}

/// What the matrix must cover, whoever changes it.
#[test]
fn the_matrix_is_wide() {
    let list = all();
    let boards: Vec<_> = list.iter().map(Expected::board).collect();
    let panels = || boards.iter().filter_map(|board| board.panel.as_ref());
    let distinct: BTreeSet<_> = panels()
        .map(|panel| format!("{} {:?}", panel.controller, panel.init))
        .collect();
    let controllers: BTreeSet<_> = panels().map(|panel| panel.controller.as_str()).collect();
    let lanes: BTreeSet<_> = panels().map(|panel| panel.lanes).collect();
    let sizes: BTreeSet<_> = panels().map(|panel| (panel.width, panel.height)).collect();
    let found = |part: fn(&Expected) -> &Option<Vec<String>>| -> BTreeSet<&str> {
        let lists = list
            .iter()
            .filter_map(move |expected| part(expected).as_ref());
        lists.flatten().map(String::as_str).collect()
    };
    let touch = found(|expected| &expected.touch);
    let main = found(|expected| &expected.camera_main);
    let sub = found(|expected| &expected.camera_sub);
    assert!(boards.len() >= 64, "{} boards", boards.len());
    assert!(distinct.len() >= 40, "{} panels", distinct.len());
    assert!(controllers.len() >= 10, "{controllers:?}");
    assert_eq!(lanes, [1, 2, 3].into());
    assert!(sizes.contains(&(240, 320)) && sizes.contains(&(540, 960)));
    assert!(touch.len() >= 14, "{touch:?}");
    assert!(main.union(&sub).count() >= 14, "{main:?} {sub:?}");
    assert!(main.len() >= 6 && sub.len() >= 6);
}

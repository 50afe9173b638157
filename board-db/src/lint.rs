//! The build script's checks of rows, for tools: the same code, on files that
//! need not be in `data/`.

use crate::source::boards::Known;
use crate::source::{
    BoardToml, CameraToml, PanelToml, Problem, TouchToml, WiringToml, parse, twins,
};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// What a row describes, by the folder in `data/` where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A panel.
    Panels,
    /// A touch chip.
    Touch,
    /// A camera sensor.
    Cameras,
    /// A wiring profile.
    Wiring,
    /// A board.
    Boards,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Panels,
        Self::Touch,
        Self::Cameras,
        Self::Wiring,
        Self::Boards,
    ];

    /// Name of the folder.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Panels => "panels",
            Self::Touch => "touch",
            Self::Cameras => "cameras",
            Self::Wiring => "wiring",
            Self::Boards => "boards",
        }
    }

    /// What `text` seems to describe, by a field that only rows of this kind
    /// have; `None` for what is no TOML or no row.
    pub fn of_text(text: &str) -> Option<Self> {
        const MARKS: [(&str, Kind); 6] = [
            ("init", Kind::Panels),
            ("names", Kind::Panels),
            ("probe", Kind::Touch),
            ("registers", Kind::Cameras),
            ("project", Kind::Boards),
            ("panel", Kind::Wiring),
        ];
        let fields: toml::Table = toml::from_str(text).ok()?;
        let mut marks = MARKS.iter();
        marks
            .find(|(field, _)| fields.contains_key(*field))
            .map(|(_, kind)| *kind)
    }
}

/// A file to check.
#[derive(Debug, Clone)]
pub struct File<'a> {
    /// Its name without folder and ending: the row's id.
    pub id: &'a str,
    /// What it describes.
    pub kind: Kind,
    /// What is in it.
    pub text: &'a str,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Index of the file among those that were checked.
    pub file: usize,
    /// What to do, after the field's name and a colon.
    pub remedy: String,
}

/// Checks `files`, also against each other. A file has one complaint at most:
/// the first that would stop a build. Boards may name what is in `files` or in
/// the table.
pub fn lint(files: &[File<'_>]) -> Vec<Complaint> {
    let mut lint = Lint {
        files,
        complaints: BTreeMap::new(),
    };
    let panels = lint.rows(Kind::Panels, |id, row: PanelToml| row.check(id));
    let mut touch = lint.rows(Kind::Touch, |id, row: TouchToml| {
        row.check(id).map(|()| row)
    });
    lint.rows(Kind::Cameras, |id, row: CameraToml| row.check(id));
    lint.rows(Kind::Wiring, |id, row: WiringToml| row.check(id));
    lint.boards();
    lint.together(Kind::Panels, panels, twins::check_panels);
    touch.sort_by_key(|(_, chip)| chip.turn());
    lint.together(Kind::Touch, touch, twins::check_touch);
    for kind in Kind::ALL {
        let files = files.iter().filter(|file| file.kind == kind);
        let ids = files.map(|file| (file.id.to_owned(), ())).collect();
        lint.together(kind, ids, |ids| {
            twins::check_ids(kind.folder(), ids.iter().map(|(id, ())| id.as_str()))
        });
    }
    let complaints = lint.complaints.into_iter();
    complaints
        .map(|(file, remedy)| Complaint { file, remedy })
        .collect()
}

struct Lint<'a> {
    files: &'a [File<'a>],
    complaints: BTreeMap<usize, String>,
}

impl Lint<'_> {
    fn complain(&mut self, file: usize, text: &str) {
        let place = self.place(file);
        let text = text.strip_prefix(&place).unwrap_or(text).to_owned();
        self.complaints.entry(file).or_insert(text);
    }

    /// How the build script's complaints about a file begin.
    fn place(&self, file: usize) -> String {
        let File { id, kind, .. } = self.files[file];
        format!("data/{}/{id}.toml: ", kind.folder())
    }

    /// The rows of a kind that pass `check`, with their ids.
    fn rows<T: DeserializeOwned, R>(
        &mut self,
        kind: Kind,
        check: impl Fn(&str, T) -> Result<R, Problem>,
    ) -> Vec<(String, R)> {
        let mut rows = Vec::new();
        for (index, file) in self.files.iter().enumerate() {
            if file.kind != kind {
                continue;
            }
            let name = format!("data/{}/{}.toml", kind.folder(), file.id);
            match parse(&name, file.text).and_then(|row| check(file.id, row)) {
                Ok(row) => rows.push((file.id.to_owned(), row)),
                Err(Problem(text)) => self.complain(index, &text),
            }
        }
        rows
    }

    /// Leaves out one row after the other that `check` refuses beside the
    /// others.
    fn together<R>(
        &mut self,
        kind: Kind,
        mut rows: Vec<(String, R)>,
        check: impl Fn(&[(String, R)]) -> Result<(), Problem>,
    ) {
        while let Err(Problem(text)) = check(&rows) {
            let file = (0..self.files.len())
                .rev()
                .find(|&file| self.files[file].kind == kind && text.starts_with(&self.place(file)));
            let Some(file) = file else {
                return;
            };
            self.complain(file, &text);
            let id = self.files[file].id;
            let Some(row) = rows.iter().rposition(|(row, _)| row == id) else {
                return;
            };
            rows.remove(row);
        }
    }

    fn boards(&mut self) {
        let given = |kind| {
            let files = self.files.iter().filter(move |file| file.kind == kind);
            files.map(|file| file.id)
        };
        let panels = crate::panels().iter().map(|row| row.id);
        let touch = crate::touch_chips().iter().map(|row| row.id);
        let cameras = crate::cameras().iter().map(|row| row.id);
        let wirings = crate::wirings().iter().map(|row| row.id);
        let known = Known {
            panels: given(Kind::Panels).chain(panels).collect(),
            touch: given(Kind::Touch).chain(touch).collect(),
            cameras: given(Kind::Cameras).chain(cameras).collect(),
            wirings: given(Kind::Wiring).chain(wirings).collect(),
        };
        self.rows(Kind::Boards, |id, row: BoardToml| row.check(id, &known));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOUCH: &str = r#"
name = "X"
family = "X"
addresses = [0x38]
order = 20
wait_ms = 200
driver = "x"
[[probe]]
write = [0xA3]
read = 1
expect = { values = [[0x06]] }
"#;
    const BOARD: &str = r#"
name = "X"
project = "x"
wiring = "generic"
backlight = "isink"
panels = []
touch = ["one"]
cameras = { main = [], sub = [] }
[keys]
"#;

    fn touch<'a>(id: &'a str, text: &'a str) -> File<'a> {
        let kind = Kind::Touch;
        File { id, kind, text }
    }

    fn complaints(files: &[File<'_>]) -> Vec<(usize, String)> {
        let all = lint(files).into_iter();
        all.map(|complaint| (complaint.file, complaint.remedy))
            .collect()
    }

    #[test]
    fn what_would_stop_a_build_is_told_of_each_file() {
        let blind = TOUCH.replace("expect", "# expect");
        let typo = TOUCH.replace("order", "ordre");
        let files = [touch("one", TOUCH), touch("two", &blind), touch("x", &typo)];
        let found = complaints(&files);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0].0, 1);
        assert!(
            found[0].1.starts_with("probe: no step expects"),
            "{found:?}"
        );
        assert!(found[1].1.contains("unknown field `ordre`"), "{found:?}");
    }

    #[test]
    fn rows_are_checked_against_each_other() {
        let found = complaints(&[touch("one", TOUCH), touch("two", TOUCH)]);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].1.starts_with("probe: whatever answers"),
            "{found:?}"
        );
        let other = TOUCH.replace("0x06", "0x07");
        let found = complaints(&[touch("a-b", TOUCH), touch("a_b", &other)]);
        assert!(found[0].1.starts_with("file name: is nearly"), "{found:?}");
        let board = File {
            id: "b",
            kind: Kind::Boards,
            text: BOARD,
        };
        assert_eq!(complaints(&[touch("one", TOUCH), board.clone()]), []);
        let found = complaints(&[board]);
        assert!(found[0].1.contains("one"), "{found:?}");
    }

    #[test]
    fn a_row_is_known_by_its_fields() {
        assert_eq!(Kind::of_text(TOUCH), Some(Kind::Touch));
        assert_eq!(Kind::of_text(BOARD), Some(Kind::Boards));
        assert_eq!(Kind::of_text("names = [\"x\"]"), Some(Kind::Panels));
        assert_eq!(Kind::of_text("no row"), None);
        assert_eq!(Kind::of_text("x = 1"), None);
    }
}

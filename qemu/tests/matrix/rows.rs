//! Which rows of the bootloader's table were made of which row of the facts:
//! each says so in the first lines of its file. Nothing else is taken from
//! the table but the `compatible` that its node must have.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

/// Rows of a kind.
pub struct Rows {
    /// By the id in the facts.
    by_source: BTreeMap<String, Vec<String>>,
    /// `compatible` of a row, where it has one.
    compatible: BTreeMap<String, String>,
}

impl Rows {
    /// Ids of the table's rows for an id of the facts.
    pub fn of(&self, source: &str) -> &[String] {
        self.by_source.get(source).map_or(&[], Vec::as_slice)
    }

    /// What the node of a row says it is.
    pub fn compatible(&self, row: &str) -> String {
        let known = self.compatible.get(row).cloned();
        known.unwrap_or_else(|| format!("unilk,{row}"))
    }

    /// The ids of the facts that rows are made of.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.by_source.keys().map(String::as_str)
    }

    fn read(kind: &str) -> Rows {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../board-db/data")
            .join(kind);
        let mut rows = Rows {
            by_source: BTreeMap::new(),
            compatible: BTreeMap::new(),
        };
        for entry in
            std::fs::read_dir(&folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()))
        {
            let path = entry.unwrap().path();
            let id = path.file_stem().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            for source in sources(&text, kind) {
                rows.by_source.entry(source).or_default().push(id.clone());
            }
            let mut lines = text.lines();
            let compatible = lines.find_map(|line| line.strip_prefix("compatible = "));
            if let Some(text) = compatible {
                rows.compatible
                    .insert(id, text.trim().trim_matches('"').to_owned());
            }
        }
        rows
    }
}

/// The ids in `# Source: facts/panels.json, one, two; ...`.
fn sources(text: &str, kind: &str) -> Vec<String> {
    let file = format!("# Source: facts/{kind}.json");
    let comments = text.lines().take_while(|line| line.starts_with('#'));
    let mut found = Vec::new();
    for line in comments {
        // Elsewhere in a comment a row only speaks of another.
        let Some(rest) = line.strip_prefix(&file) else {
            continue;
        };
        let rest = rest.split(';').next().unwrap_or_default();
        for word in rest.split([',', ' ']) {
            let id = word.trim().trim_end_matches(['.', ':']);
            if !id.is_empty() && id != "and" {
                found.push(id.to_owned());
            }
        }
    }
    found
}

/// Rows for panels, touch chips, cameras.
pub static PANELS: LazyLock<Rows> = LazyLock::new(|| Rows::read("panels"));
pub static TOUCH: LazyLock<Rows> = LazyLock::new(|| Rows::read("touch"));
pub static CAMERAS: LazyLock<Rows> = LazyLock::new(|| Rows::read("cameras"));

#[test]
fn a_row_names_its_sources() {
    let text = "# Source: facts/panels.json, otm_x-1a2b3c, and otm_y-4d5e6f; facts/display.md 5.\n# More.\n";
    assert_eq!(sources(text, "panels"), ["otm_x-1a2b3c", "otm_y-4d5e6f"]);
}

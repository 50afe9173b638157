//! What finished boots gave, kept in `target/unilk/matrix`, so that a run that
//! was cut short goes on where it stopped, and nothing is booted twice for the
//! same bootloader, plugin and board.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::boot::Outcome;
use crate::common::{Kernel, artifacts, kernel, lk};
use crate::plan::Boot;

/// Files over which the boots are spread.
const SHARDS: usize = 16;

/// A finished boot.
#[derive(Serialize, Deserialize)]
struct Line {
    name: String,
    /// Stands for all that the boot depends on.
    key: u64,
    outcome: Outcome,
}

/// All that is kept.
pub struct Records {
    folder: PathBuf,
    base: u64,
    known: HashMap<(String, u64), Outcome>,
    files: Vec<Mutex<File>>,
}

impl Records {
    /// Reads what is there, and drops what is of another bootloader or plugin.
    pub fn open() -> Records {
        let folder = artifacts::path("lk.bin").with_file_name("matrix");
        std::fs::create_dir_all(&folder).unwrap();
        let mut hasher = DefaultHasher::new();
        lk().hash(&mut hasher);
        kernel(Kernel::Tree).hash(&mut hasher);
        let plugin = std::env::var_os("UNILK_PLUGIN").expect("UNILK_PLUGIN is not set");
        std::fs::read(plugin).unwrap().hash(&mut hasher);
        let base = hasher.finish();
        let mut known = HashMap::new();
        let mut files = Vec::new();
        for shard in 0..SHARDS {
            let path = folder.join(format!("shard-{shard:02}.jsonl"));
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            // A line that was cut off with its run is no line.
            for line in text
                .lines()
                .filter_map(|line| serde_json::from_str::<Line>(line).ok())
            {
                known.insert((line.name, line.key), line.outcome);
            }
            let file = OpenOptions::new()
                .create(true)
                .append(true)
                .open(&path)
                .unwrap();
            files.push(Mutex::new(file));
        }
        Records {
            folder,
            base,
            known,
            files,
        }
    }

    fn key(&self, boot: &Boot, board: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.base.hash(&mut hasher);
        board.hash(&mut hasher);
        format!("{:?}", boot.told).hash(&mut hasher);
        hasher.finish()
    }

    /// What this very boot gave.
    pub fn find(&self, boot: &Boot, board: &str) -> Option<&Outcome> {
        self.known.get(&(boot.name.clone(), self.key(boot, board)))
    }

    /// Keeps what a boot gave.
    pub fn keep(&self, index: usize, boot: &Boot, board: &str, outcome: &Outcome) {
        let line = Line {
            name: boot.name.clone(),
            key: self.key(boot, board),
            outcome: outcome.clone(),
        };
        let mut text = serde_json::to_string(&line).unwrap();
        text.push('\n');
        let mut file = self.files[index % SHARDS].lock().unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// Where it is kept.
    pub fn folder(&self) -> &std::path::Path {
        &self.folder
    }
}

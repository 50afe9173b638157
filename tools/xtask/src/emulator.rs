//! What all commands that start a phone share: board files, where the log of
//! the bootloader lies, what was said at the end.

use crate::{artifacts, paths, trace, ui};
use anyhow::{Context, Result, bail};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use unilk::emmc::Card;
use unilk_phone::{Event, Kind, Phone};

/// The phone that is emulated if nobody names one.
pub fn default_board() -> PathBuf {
    paths::root().join("qemu/boards/generic-512m.toml")
}

/// The board that `name` means: a file, or one of those in `qemu/boards`.
pub fn find_board(name: &Path) -> Result<PathBuf> {
    if name.is_file() {
        return Ok(name.to_owned());
    }
    let boards = paths::root().join("qemu/boards");
    let ours = boards.join(name).with_extension("toml");
    if ours.is_file() {
        return Ok(ours);
    }
    let mut known: Vec<_> = fs::read_dir(&boards)?
        .flatten()
        .filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    known.sort();
    bail!(
        "--board {}: no such file, and no such board of ours; they are {}",
        name.display(),
        known.join(", ")
    )
}

/// A copy of `board` in `directory` whose eMMC has the sizes of `card`.
///
/// Everything else that the board says of its eMMC stays: speed, faults,
/// absence.
pub fn board_with_card(board: &Path, card: Card, directory: &Path) -> Result<PathBuf> {
    let text = fs::read_to_string(board).with_context(|| format!("board {}", board.display()))?;
    let fitted = fit_card(&text, card).with_context(|| format!("board {}", board.display()))?;
    let path = directory.join("board.toml");
    fs::write(&path, fitted).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

fn fit_card(board: &str, card: Card) -> Result<String> {
    let mut board: toml::Table = board.parse()?;
    let emmc = board
        .entry("emmc")
        .or_insert_with(|| toml::Table::new().into());
    let emmc = emmc.as_table_mut().context("emmc is not a table")?;
    emmc.insert(
        "boot_size_mult".to_owned(),
        i64::from(card.boot_size_mult).into(),
    );
    emmc.insert(
        "rpmb_size_mult".to_owned(),
        i64::from(card.rpmb_size_mult).into(),
    );
    Ok(toml::to_string(&board)?)
}

/// The name in a board file.
pub fn board_name(board: &Path) -> String {
    fs::read_to_string(board)
        .ok()
        .and_then(|text| text.parse::<toml::Table>().ok())
        .and_then(|table| Some(table.get("name")?.as_str()?.to_owned()))
        .unwrap_or_else(|| board.display().to_string())
}

/// The bootloader's kept log, to be dumped at the end of a run.
pub struct KeptLog {
    elf: Vec<u8>,
    region: Range<u32>,
    file: PathBuf,
}

impl KeptLog {
    /// Of the bootloader that was built; `file` takes the dump.
    pub fn of_our_lk(file: PathBuf) -> Result<Self> {
        let path = artifacts::lk_elf();
        let elf = fs::read(&path).with_context(|| path.display().to_string())?;
        // A dump of an earlier run must not be taken for this one's.
        if file.exists() {
            fs::remove_file(&file).context("cannot remove the old log")?;
        }
        Ok(Self {
            region: trace::region(&elf)?,
            elf,
            file,
        })
    }

    /// `phone`, told to save the log.
    pub fn saved_by(&self, phone: Phone) -> Phone {
        let length = self.region.end - self.region.start;
        phone.dump(self.region.start, length, &self.file)
    }

    /// The newest boot's log, if the phone came to writing one.
    pub fn read(&self) -> Result<Option<trace::Log>> {
        match fs::read(&self.file) {
            Ok(dump) => trace::read(&self.elf, &dump),
            Err(_) => Ok(None),
        }
    }

    /// Shows the log with its trace, or says why there is none.
    pub fn show(&self) {
        match self.read() {
            Ok(Some(log)) => {
                let end = if log.complete {
                    "complete"
                } else {
                    "did not finish"
                };
                println!("\nlog of the bootloader ({end}):");
                for line in &log.lines {
                    println!("  {line}");
                }
                if log.damaged > 0 {
                    println!("  {} damaged frames left out", log.damaged);
                }
            }
            Ok(None) => ui::note("the bootloader left no log"),
            Err(why) => ui::note(&format!("the bootloader's log: {why:#}")),
        }
    }
}

/// How the phone's life ended, for a person.
pub fn describe_end(event: &Event) -> String {
    match &event.kind {
        Kind::PowerOff { why } => format!("powered off ({why})"),
        Kind::UsbDownload { by, .. } => format!("waits for a USB host in the {by}"),
        Kind::Stopped { why } => format!("stopped: {why}"),
        _ => "still running".to_owned(),
    }
}

/// A milestone in a few words, if the event is one.
pub fn milestone(event: &Event) -> Option<String> {
    match &event.kind {
        Kind::Reset { why } => Some(format!("reset ({why})")),
        Kind::Preloader { text } => Some(format!("preloader: {text}")),
        Kind::LkEntry { .. } => Some("bootloader runs".to_owned()),
        Kind::KernelEntry { .. } => Some("kernel runs".to_owned()),
        Kind::Screen { state, reason, .. } => Some(format!("screen: {state} ({reason})")),
        Kind::PowerOff { .. } | Kind::UsbDownload { .. } | Kind::Stopped { .. } => {
            Some(describe_end(event))
        }
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn boards_are_found_by_file_and_by_name() {
        let file = default_board();
        assert_eq!(find_board(&file).unwrap(), file);
        assert_eq!(find_board(Path::new("generic-512m")).unwrap(), file);
        let why = find_board(Path::new("nokia")).unwrap_err().to_string();
        assert!(why.starts_with("--board nokia"), "{why}");
        assert!(why.contains("generic-512m"), "{why}");
    }

    #[test]
    fn a_board_keeps_its_faults_and_gets_the_cards_sizes() {
        let card = Card {
            boot_size_mult: 32,
            rpmb_size_mult: 32,
            user_bytes: 1 << 32,
        };
        let board = "name = 'x'\n[dram]\nranks_mib = [512]\n\
                     [emmc]\nboot_size_mult = 16\n[[emmc.faults]]\nkind = 'crc'\nfirst = 7\n";
        let fitted: toml::Table = fit_card(board, card).unwrap().parse().unwrap();
        assert_eq!(fitted["emmc"]["boot_size_mult"].as_integer(), Some(32));
        assert_eq!(fitted["emmc"]["faults"][0]["first"].as_integer(), Some(7));
        let plain: toml::Table = fit_card("name = 'x'", card).unwrap().parse().unwrap();
        assert_eq!(plain["emmc"]["rpmb_size_mult"].as_integer(), Some(32));
    }
}

//! The emulated phone's screen: where its pictures lie, and a live view of it
//! in the terminal, above the phone's UART.

use crate::ui;
use anyhow::{Context, Result};
use std::fs;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};
use unilk_phone::{Event, Kind, Screen};

/// How often the picture is looked at.
const REFRESH: Duration = Duration::from_millis(200);
/// Lines of the terminal that stay with the UART at least.
const UART_LINES: usize = 8;

/// The folder for the pictures of a run in `directory`, empty of older ones.
pub fn folder(directory: &Path) -> Result<PathBuf> {
    let folder = directory.join("screen");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    // A view that starts before the phone must not show an old picture.
    let latest = folder.join("screen.png");
    if latest.exists() {
        fs::remove_file(&latest).context("cannot remove the old picture")?;
    }
    Ok(folder)
}

/// Says what was seen: each picture in a line, and what the phone showed last.
pub fn summary(events: &[Event], folder: &Path) {
    let mut count = 0;
    for event in events {
        if let Kind::Screen {
            milestone,
            state,
            reason,
            file,
            ..
        } = &event.kind
        {
            count += 1;
            let ms = event.t_ns / 1_000_000;
            ui::note(&format!("{ms} ms, {milestone}: {state} ({reason}), {file}"));
        }
    }
    if count > 0 {
        ui::note(&format!("{count} pictures in {}", folder.display()));
    }
}

/// A live view in the upper part of the terminal, until it is dropped.
pub struct Live {
    over: Arc<AtomicBool>,
    viewer: Option<JoinHandle<()>>,
}

impl Live {
    /// Shows `screen.png` of the folder as it changes; `None` if nobody could
    /// see it.
    pub fn start(folder: &Path) -> Option<Live> {
        if !std::io::stdout().is_terminal() {
            return None;
        }
        let (lines, columns) = terminal_size()?;
        let view_lines = lines.checked_sub(UART_LINES).filter(|&lines| lines > 4)?;
        let view_lines = view_lines.min(lines * 2 / 3);
        // The UART scrolls below the picture.
        print!(
            "\x1b[2J\x1b[{};{lines}r\x1b[{};1H",
            view_lines + 1,
            view_lines + 1
        );
        let _ = std::io::stdout().flush();
        let over = Arc::new(AtomicBool::new(false));
        let (flag, latest) = (Arc::clone(&over), folder.join("screen.png"));
        let viewer = thread::spawn(move || {
            let mut shown = None;
            while !flag.load(Ordering::Relaxed) {
                shown = refresh(&latest, shown, columns, view_lines);
                thread::sleep(REFRESH);
            }
            refresh(&latest, shown, columns, view_lines);
        });
        Some(Live {
            over,
            viewer: Some(viewer),
        })
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(viewer) = self.viewer.take() {
            let _ = viewer.join();
        }
        // The whole terminal scrolls again, from its last line on.
        print!("\x1b7\x1b[r\x1b8");
        let _ = std::io::stdout().flush();
    }
}

/// Draws the picture if it is not the one that is shown.
fn refresh(
    latest: &Path,
    shown: Option<SystemTime>,
    columns: usize,
    lines: usize,
) -> Option<SystemTime> {
    let modified = fs::metadata(latest).and_then(|file| file.modified()).ok();
    if modified.is_none() || modified == shown {
        return shown;
    }
    let Ok(screen) = Screen::load(latest) else {
        return shown;
    };
    // Two pixels a line, the last line left as a margin.
    let text = screen
        .scaled(columns, lines.saturating_sub(1) * 2)
        .to_ansi();
    let mut out = std::io::stdout().lock();
    // In one write, so that the UART does not get in between; the cursor
    // goes back to where the UART left it.
    let _ = out.write_all(format!("\x1b7\x1b[1;1H{text}\x1b8").as_bytes());
    let _ = out.flush();
    modified
}

/// Lines and columns of the terminal.
fn terminal_size() -> Option<(usize, usize)> {
    let output = Command::new("stty")
        .arg("size")
        .stdin(Stdio::inherit())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    parse_size(&String::from_utf8_lossy(&output.stdout))
}

fn parse_size(text: &str) -> Option<(usize, usize)> {
    let (lines, columns) = text.trim().split_once(' ')?;
    Some((lines.parse().ok()?, columns.parse().ok()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_the_terminal_is_read() {
        assert_eq!(parse_size("24 80\n"), Some((24, 80)));
        assert_eq!(parse_size(""), None);
    }

    #[test]
    fn an_old_picture_is_not_shown() {
        let directory = std::env::temp_dir().join(format!("xtask-screen-{}", std::process::id()));
        let screens = folder(&directory).unwrap();
        fs::write(screens.join("screen.png"), "old").unwrap();
        assert!(!folder(&directory).unwrap().join("screen.png").exists());
        fs::remove_dir_all(&directory).unwrap();
    }
}

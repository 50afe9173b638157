//! `cargo xtask run`: an emulated phone on the terminal, with our bootloader or
//! anybody's.

use crate::emulator::{self, KeptLog};
use crate::storage::{self, Payload};
use crate::{artifacts, paths, screen, setup, ui};
use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;
use unilk_phone::{Kind, Phone};

/// Where gdb finds the phone.
const GDB_PORT: u16 = 1234;

/// How the phone's screen is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Show {
    /// In the terminal, above the UART
    Live,
    /// As files only, renewed five times a second
    Png,
}

/// Start an emulated phone with its UART on the terminal
#[derive(Args)]
pub struct Run {
    /// Board of the phone: a file, or a name in qemu/boards
    #[arg(long)]
    board: Option<PathBuf>,
    /// Wait for gdb on port 1234, and say how to start it
    #[arg(long)]
    gdb: bool,
    /// Any LK image, with or without the 512-byte header, instead of ours
    #[arg(long)]
    lk: Option<PathBuf>,
    /// Image of the eMMC's user area to use as it is, instead of the demo's
    #[arg(long)]
    emmc: Option<PathBuf>,
    /// What the demo's eMMC holds: a Debian release, or `test`
    #[arg(long, value_name = "RELEASE", conflicts_with = "emmc")]
    kernel: Option<String>,
    /// Repeatable virtual time, one nanosecond an instruction
    #[arg(long)]
    icount: bool,
    /// Show the phone's screen
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "live")]
    screen: Option<Show>,
    /// Which UART goes to the terminal
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..2))]
    uart: u8,
    /// Arguments for QEMU
    #[arg(last = true)]
    qemu: Vec<String>,
}

impl Run {
    /// Builds what is needed, starts the phone and waits for its end.
    pub fn run(self) -> Result<ExitCode> {
        let mut board = match &self.board {
            Some(name) => emulator::find_board(name)?,
            None => emulator::default_board(),
        };
        if let Some(lk) = self.lk.as_ref().filter(|lk| !lk.is_file()) {
            bail!("--lk {}: no such file", lk.display());
        }
        if let Some(emmc) = self.emmc.as_ref().filter(|emmc| !emmc.is_file()) {
            bail!("--emmc {}: no such file", emmc.display());
        }
        let machine = setup::setup()?;
        artifacts::all(machine.toolchain)?;
        let directory = paths::work().join("run");
        std::fs::create_dir_all(&directory)?;
        let emmc = if let Some(given) = self.emmc {
            given
        } else {
            let payload = Payload::choose(self.kernel.as_deref())?;
            let card = storage::build(&payload, &directory)?;
            board = emulator::board_with_card(&board, card.card, &directory)?;
            card.user
        };
        let mut phone = Phone::new(board)
            .plugin(artifacts::plugin_library())
            .emmc(emmc)
            // Images that are not ours run in their own manner, and what they
            // do wrong is for the person at the terminal to see.
            .strict(true)
            .icount(self.icount)
            .args(self.qemu);
        let screens = screen::folder(&directory)?;
        phone = phone.screen(&screens).live(self.screen.is_some());
        if self.gdb {
            ui::note("waits for gdb; in another terminal:");
            ui::note(&format!(
                "gdb-multiarch -ex 'target remote :{GDB_PORT}' {}",
                artifacts::lk_elf().display()
            ));
            phone = phone.gdb(GDB_PORT);
        }
        let mut log = None;
        match self.lk {
            Some(lk) => phone = phone.lk(lk).pc_of_all(true),
            None => log = Some(KeptLog::of_our_lk(directory.join("log.bin"))?),
        }
        if let Some(log) = &log {
            phone = log.saved_by(phone);
        }
        ui::note("Ctrl-A x ends the phone, Ctrl-A c is QEMU's monitor");
        ui::note(&format!(
            "pictures of the screen: {}; a file named snap in there asks for one",
            screens.display()
        ));
        let live = match self.screen {
            Some(Show::Live) => screen::Live::start(&screens),
            Some(Show::Png) | None => None,
        };
        let ended = phone.interactive(usize::from(self.uart));
        drop(live);
        let (status, events) = ended?;
        println!();
        if let Some(log) = &log {
            log.show();
        }
        screen::summary(&events, &screens);
        for event in &events {
            if let Kind::PowerOff { .. } | Kind::UsbDownload { .. } | Kind::Stopped { .. } =
                event.kind
            {
                ui::note(&emulator::describe_end(event));
            }
            if let Kind::Exit { errors, resets, .. } = event.kind {
                ui::note(&format!("{errors} guest errors, {resets} resets"));
            }
        }
        Ok(if status.success() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

//! `unilk generate`: completions and manual pages, made from the arguments
//! themselves, so that they cannot be out of date.

use super::output::Outcome;
use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::Shell;
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Print what a shell needs to complete unilk's arguments
    ///
    /// For bash: unilk generate completions bash > ~/.local/share/bash-completion/completions/unilk
    Completions {
        /// For which shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Write a manual page for each command into a directory
    ///
    /// Then: man -l unilk-pack.1
    Man {
        /// Directory, made if it is not there
        directory: PathBuf,
    },
}

impl Command {
    pub fn run(self) -> Result<Outcome> {
        let mut command = super::Cli::command();
        match self {
            Self::Completions { shell } => {
                // Into memory first: a closed pipe is an error, not a panic.
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut command, "unilk", &mut script);
                std::io::Write::write_all(&mut std::io::stdout(), &script)
                    .context("cannot write to standard output")?;
            }
            Self::Man { directory } => {
                let context = || format!("cannot write to {}", directory.display());
                std::fs::create_dir_all(&directory).with_context(context)?;
                clap_mangen::generate_to(command, &directory).with_context(context)?;
            }
        }
        Ok(Outcome::Done)
    }
}

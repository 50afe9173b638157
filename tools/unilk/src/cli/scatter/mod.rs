//! `unilk scatter`: scatter files shown, judged, compared, and made safe.

mod diff;
mod flash_plan;
mod lint;
mod show;

use super::output::{Outcome, Output};
use anyhow::Result;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Show a scatter file's partitions, with addresses in the card's user area
    ///
    /// Linear addresses count the card's boot areas, logical ones begin at the
    /// MBR. Where the MBR is the first sector of the user area, as on most
    /// phones, the logical address is the one that mtkclient's `ro` takes.
    ///
    /// Example: unilk scatter show MT6572_Android_scatter.txt
    Show(show::Arguments),
    /// Say what is wrong with a scatter file
    ///
    /// Looks for overlapping addresses, identity marked for download, layouts of
    /// other phones or chips, file names that lead elsewhere, and more; with a
    /// folder also for missing and oversized images; with a dump of the phone
    /// whether the file is this phone's at all.
    ///
    /// Example: unilk scatter lint firmware/ --against dump.bin
    Lint(lint::Arguments),
    /// Compare two scatter files, partition by partition
    ///
    /// Says what moved, and whether firmware for the one phone could go on the
    /// other as far as addresses tell.
    ///
    /// Example: unilk scatter diff mine.txt theirs.txt
    Diff(diff::Arguments),
    /// Write a folder from which a flash tool writes only the bootloader
    ///
    /// Takes this phone's own scatter file and writes it anew with nothing
    /// marked for download but UBOOT and what is named, with the images beside
    /// it, and says what to do in SP Flash Tool or mtkclient and how to check.
    /// The first loader, partition tables, identity and security state are in
    /// no plan, whatever the file says; nothing turns that off.
    ///
    /// Example: unilk scatter flash-plan MT6572_Android_scatter.txt --lk lk.bin -o flash
    FlashPlan(flash_plan::Arguments),
}

impl Command {
    pub fn run(self, output: Output) -> Result<Outcome> {
        match self {
            Self::Show(arguments) => arguments.run(output),
            Self::Lint(arguments) => arguments.run(output),
            Self::Diff(arguments) => arguments.run(output),
            Self::FlashPlan(arguments) => arguments.run(output),
        }
    }
}

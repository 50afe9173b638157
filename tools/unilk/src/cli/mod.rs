//! Arguments of `unilk` and what each subcommand does with them.

mod backup;
mod bootimg;
mod db;
mod device;
mod emmc;
mod fdt;
mod generate;
mod identity;
mod inspect;
mod learn;
mod log;
pub mod output;
mod pack;
mod phone;
mod report;
mod restore;
mod scatter;
mod storage;
mod verify;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use output::{Outcome, Output};
use std::path::Path;

/// Largest input that is read whole: no bootloader, kernel or ramdisk of this
/// chip comes near.
const WHOLE_FILE_MAX: u64 = 256 << 20;

/// The host tool of unilk, the bootloader for every MT6572 phone.
///
/// Packs lk.bin, says what files are and what a phone would make of them, keeps
/// what makes a phone this phone, and never writes what a phone cannot get back.
#[derive(Parser)]
#[command(version, about, after_help = EXIT_CODES, subcommand_required = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    output: Output,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed; the reason is on standard error
  2  wrong arguments
  3  done, and what was looked at has problems, which were told
  4  refused, because a phone could be lost by it";

#[derive(Subcommand)]
enum Command {
    /// Make a flashable lk.bin of a linked bootloader
    ///
    /// Takes an ELF file linked at 0x80020000, or a raw image for that
    /// address, and puts MediaTek's 512-byte header in front. Refuses what
    /// would not fit the UBOOT partition or would not start. With hints about
    /// the phone, fills them into the image.
    Pack(pack::Arguments),
    /// Say what files are, what is wrong with them and what a phone would do
    ///
    /// For any bytes from the internet, before they go near a phone: lk.bin,
    /// boot and recovery images, logos, scatter files, partition tables,
    /// preloaders, device trees, dumps of partitions and of whole cards.
    /// Nothing that a file says of itself is believed.
    #[command(after_help = inspect::EXAMPLES)]
    Inspect(inspect::Arguments),
    /// Build an Android boot or recovery image
    Bootimg(bootimg::Arguments),
    /// Look into the driver table, and check rows for it
    #[command(subcommand)]
    Db(db::Command),
    /// Build a phone's eMMC as files, list what an image holds, take it apart
    #[command(subcommand)]
    Emmc(emmc::Command),
    /// Show, fix up and compare device trees
    #[command(subcommand)]
    Fdt(fdt::Command),
    /// Show what a phone said while it booted
    ///
    /// Finds the log that outlives a reset in a file of any kind and size: a
    /// dump of the phone's memory, log.bin of `cargo xtask run`. Shows the
    /// newest boot first, and whether it came to its end. With the ELF file of
    /// the very build, the detailed trace stands between the lines of text.
    /// Shows as well what a kernel was told of its boot, where a device tree
    /// that unilk fixed up is in the file.
    #[command(after_help = log::EXAMPLE)]
    Log(log::Arguments),
    /// Keep everything that makes a phone this phone, in one file
    ///
    /// Reads a dump (mtk rf, SP Flash Tool), a directory of partition dumps, or
    /// the phone's eMMC itself, and writes an archive of NVRAM, PRO_INFO,
    /// PROTECT_F/S, SEC_RO, SECCFG, tables, loaders and kernels, with their
    /// places and SHA-256. It is a plain tar: any other program opens it too.
    /// Do this before anything is flashed: an IMEI and a radio calibration that
    /// are lost cannot be made again. The archive appears only when it is
    /// complete and was read back. Exits with 3 if something important was not
    /// in the dump.
    ///
    /// Example: unilk backup dump.bin -o phone.tar --cid 150100483147324138a1b2c3d4e5f601
    Backup(backup::Arguments),
    /// Check a backup, and compare it with what the phone has now
    ///
    /// Reads all of it and compares it with its hashes. With --against, says
    /// which parts of the phone differ, and from which byte on: after flashing
    /// UBOOT, nothing but UBOOT should.
    ///
    /// Example: unilk verify phone.tar --against after.bin
    Verify(verify::Arguments),
    /// Write parts of a backup back to an image or phone
    ///
    /// Shows what would be written where; writes with --yes. What lies there
    /// now is kept first, next to the backup, so that a write that was stopped
    /// can be finished (--resume) or taken back (--undo). Identity and tables
    /// only go back to the phone that they are from; the preloader is never
    /// written. For phones that only mtkclient reaches, --print-mtk writes its
    /// commands.
    ///
    /// Example: unilk restore phone.tar --to /dev/sdb --part UBOOT --yes
    ///
    /// Example: unilk restore phone.tar --print-mtk todo --identity --cid 1501...
    Restore(restore::Arguments),
    /// Learn a phone's panels from its own stock LK
    ///
    /// For a phone whose panel the table does not know: its own lk.bin does.
    /// Finds the LCM drivers in it and runs them, unmodified, in an emulated CPU
    /// (qemu-system-arm), with recording functions in place of the vendor's:
    /// parameters, initialisation, power-down, and which answers a driver accepts
    /// as its panel's. Writes a row of the table for each panel and one for the
    /// board. Exits with 3 if a driver was learned only in part.
    #[command(after_help = learn::EXAMPLES)]
    Learn(learn::Arguments),
    /// Tell whether a phone still has its identity
    #[command(subcommand)]
    Identity(identity::Command),
    /// Show what a phone was asked about its panel, touch chip and cameras
    ///
    /// Finds the reports of unilk's boots in a file of any kind and size: every
    /// question, every answer, and the verdicts. For chips that the driver
    /// table does not know, tells which rows they fit in part, and begins a
    /// new row.
    #[command(after_help = report::EXAMPLES)]
    Report(report::Arguments),
    /// Show, judge and compare scatter files; plan what to flash
    #[command(subcommand)]
    Scatter(scatter::Command),
    /// Write shell completions and manual pages
    #[command(subcommand)]
    Generate(generate::Command),
}

impl Cli {
    /// Does what the arguments ask for.
    pub fn run(self) -> Result<Outcome> {
        let output = self.output;
        output.apply();
        match self.command {
            Command::Pack(arguments) => arguments.run(output),
            Command::Inspect(arguments) => arguments.run(output),
            Command::Bootimg(arguments) => arguments.run(output),
            Command::Db(command) => command.run(output),
            Command::Emmc(command) => command.run(output),
            Command::Fdt(command) => command.run(output),
            Command::Log(arguments) => arguments.run(output),
            Command::Backup(arguments) => arguments.run(output),
            Command::Verify(arguments) => arguments.run(output),
            Command::Restore(arguments) => arguments.run(output),
            Command::Learn(arguments) => arguments.run(output),
            Command::Identity(command) => command.run(output),
            Command::Report(arguments) => arguments.run(output),
            Command::Scatter(command) => command.run(output),
            Command::Generate(command) => command.run(),
        }
    }
}

/// Reads a whole file of bounded size.
fn read(path: &Path) -> Result<Vec<u8>> {
    let context = || format!("cannot read {}", path.display());
    let size = std::fs::metadata(path).with_context(context)?.len();
    ensure!(
        size <= WHOLE_FILE_MAX,
        "{} is larger than {WHOLE_FILE_MAX} bytes",
        path.display()
    );
    std::fs::read(path).with_context(context)
}

fn write(path: &Path, data: &[u8]) -> Result<()> {
    std::fs::write(path, data).with_context(|| format!("cannot write {}", path.display()))
}

/// Sizes on the command line: `4096`, `0x1000`, `64K`, `4G`.
fn size(text: &str) -> Result<u64, String> {
    unilk::bytes::parse_size(text)
        .ok_or_else(|| "expected a size such as 4096, 0x1000, 64K or 4G".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}

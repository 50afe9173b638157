//! `unilk fdt`: device trees shown, compared, and fixed up as a phone does it.

use super::output::{DOUBTFUL, GOOD, Outcome, Output, STRONG, WRONG};
use anstream::{eprintln, println};
use anyhow::{Context, Result, anyhow, bail, ensure};
use std::fs::File;
use std::path::{Path, PathBuf};
use unilk::names;
use unilk::report::{self, Identified};
use unilk::source::FileSource;
use unilk::tree::diff::{Change, diff};
use unilk::tree::find::{self, Found};
use unilk::tree::fixup::{Boot, fix_up};
use unilk::tree::{Tree, print};

const TREES: &str = "\
FILE may be a device tree, a zImage with one behind it, a boot image, a dump of memory: any file with
a tree in it. FILE@0x800 takes the tree at that byte where there are several, FILE:/node a part of it.";

const DIFF: &str = "\
Exit code 0: the trees say the same; 3: they differ.
The order of nodes and properties does not count.";

#[derive(clap::Subcommand)]
pub enum Command {
    /// Print a tree, or a part of it, as source text
    ///
    /// Values are shown as what they look like (text, words, bytes), as dtc
    /// does; what dtc makes of the output is the same tree.
    #[command(after_help = TREES)]
    Show {
        /// File with the tree: FILE, FILE:/node, FILE@0x800:/node
        #[arg(value_name = "FILE[:/NODE]")]
        tree: TreeArgument,
    },
    /// Do to a tree what the bootloader would
    ///
    /// Memory, reserved memory, command line, ramdisk, the picture that is on,
    /// and the parts that the report of a boot names: all of it as on the
    /// phone, to see what a kernel gets before a phone is at hand.
    ///
    /// Example: unilk fdt fixup boot.img --report ram.bin --dram 512M --diff
    #[command(after_help = TREES)]
    Fixup(Box<Fixup>),
    /// Tell what differs between two trees, by node and property
    ///
    /// Lines with - are of the first tree, lines with + of the second.
    #[command(after_help = DIFF)]
    Diff {
        /// The first tree
        old: TreeArgument,
        /// The second tree
        new: TreeArgument,
    },
}

/// A tree on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeArgument {
    file: PathBuf,
    at: Option<u64>,
    node: Option<String>,
}

impl std::str::FromStr for TreeArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (rest, node) = match text.rfind(":/") {
            // A file of that very name comes first.
            Some(at) if !Path::new(text).exists() => (&text[..at], Some(text[at + 1..].to_owned())),
            _ => (text, None),
        };
        let at = rest
            .rsplit_once("@0x")
            .filter(|_| !Path::new(rest).exists());
        let (file, at) = match at {
            Some((file, digits)) => {
                let at = u64::from_str_radix(digits, 16);
                let at = at.map_err(|_| format!("@0x{digits}: expected a byte such as @0x800"))?;
                (file, Some(at))
            }
            None => (rest, None),
        };
        Ok(Self {
            file: file.into(),
            at,
            node,
        })
    }
}

impl TreeArgument {
    fn open(&self, output: Output) -> Result<Found> {
        let file = self.file.display();
        let context = || format!("cannot read {file}");
        let source = FileSource::open(&self.file).with_context(context)?;
        let mut all = find::all(&source, &mut output.progress()).with_context(context)?;
        ensure!(
            !all.is_empty(),
            "{file}: there is no whole device tree in it"
        );
        if let Some(at) = self.at {
            let found = all.into_iter().find(|found| found.at == at);
            return found.ok_or_else(|| anyhow!("{file}: no device tree begins at {at:#x}"));
        }
        if all.len() > 1 {
            let list: Vec<String> = all
                .iter()
                .map(|found| format!("  {file}@{:#x}  {}", found.at, model(&found.tree())))
                .collect();
            bail!(
                "{file} has {} device trees; say which:\n{}",
                all.len(),
                list.join("\n")
            );
        }
        Ok(all.remove(0))
    }

    /// The tree, or the part of it that was asked for as a tree of its own.
    fn tree(&self, output: Output) -> Result<Tree> {
        let tree = self.open(output)?.tree();
        let Some(path) = &self.node else {
            return Ok(tree);
        };
        let node = tree
            .node(path)
            .with_context(|| format!("{}: the tree has no node {path}", self.file.display()))?;
        Ok(Tree {
            reservations: Vec::new(),
            root: node.clone(),
        })
    }
}

fn model(tree: &Tree) -> String {
    let model = tree
        .root
        .property("model")
        .or(tree.root.property("compatible"));
    model.map_or_else(String::new, |model| model.value.to_string())
}

#[derive(clap::Args)]
pub struct Fixup {
    /// File with the tree
    tree: TreeArgument,
    /// Where to write the changed tree
    #[arg(short, long, value_name = "FILE", required_unless_present = "diff")]
    output: Option<PathBuf>,
    /// Show what changes
    #[arg(long)]
    diff: bool,
    /// Report of a boot that says what is fitted: as `unilk report` takes it
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// DRAM of the phone; several ranks with a plus: 256M+256M
    #[arg(long, value_name = "SIZE", default_value = "512M")]
    dram: String,
    /// First address of memory that the kernel is told
    #[arg(long, value_name = "ADDRESS", value_parser = super::size, default_value = "0x80000000")]
    memory_start: u64,
    /// The ramdisk as loaded: 0x84100000:1M
    #[arg(long, value_name = "START:SIZE", value_parser = region)]
    initrd: Option<(u64, u64)>,
    /// Command line of the boot image
    #[arg(long, value_name = "LINE", default_value = "")]
    cmdline: String,
    /// Command line in the hints of lk.bin; wins over the others
    #[arg(long, value_name = "LINE", default_value = "")]
    hint_cmdline: String,
    /// Boot mode
    #[arg(long, default_value = "normal")]
    mode: String,
    /// Why the phone started
    #[arg(long, default_value = "power-key")]
    reason: String,
    /// Speed grade of the chip: W, A or M
    #[arg(long, default_value = "W")]
    variant: String,
    /// Serial number of the phone
    #[arg(long)]
    serial: Option<String>,
    /// Board of the driver table: its wiring counts, not the one that answered
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
    /// The screen is dark: no framebuffer
    #[arg(long)]
    dark: bool,
}

fn region(text: &str) -> Result<(u64, u64), String> {
    let parsed = text.split_once(':').and_then(|(start, size)| {
        let parse = unilk::bytes::parse_size;
        Some((parse(start)?, parse(size)?))
    });
    parsed.ok_or_else(|| "expected START:SIZE such as 0x84100000:1M".to_owned())
}

impl Command {
    pub fn run(self, output: Output) -> Result<Outcome> {
        match self {
            Self::Show { tree } => {
                let whole = tree.node.is_none();
                output.show(&tree.tree(output)?, |tree| {
                    print!(
                        "{}",
                        if whole {
                            print::dts(tree)
                        } else {
                            print::node(&tree.root)
                        }
                    );
                })?;
                Ok(Outcome::Done)
            }
            Self::Diff { old, new } => {
                let changes = diff(&old.tree(output)?, &new.tree(output)?);
                show_changes(output, &changes)?;
                Ok(if changes.is_empty() {
                    Outcome::Done
                } else {
                    Outcome::Problems
                })
            }
            Self::Fixup(arguments) => arguments.run(output),
        }
    }
}

impl Fixup {
    fn run(self, output: Output) -> Result<Outcome> {
        let found = self.tree.open(output)?;
        let identified = self.identified(output)?;
        let fixed = fix_up(&found.bytes, &self.boot()?, &identified)
            .with_context(|| self.tree.file.display().to_string())?;
        let mut warnings = fixed.warnings.clone();
        for name in &identified.strangers {
            let text = format!("the report names {name}, which this release's table does not have");
            warnings.push(("FIX-ROW", text));
        }
        if self.diff {
            show_changes(output, &diff(&found.tree(), &Tree::parse(&fixed.bytes)?))?;
        }
        if let Some(path) = &self.output {
            let same = path.canonicalize().ok() == self.tree.file.canonicalize().ok();
            ensure!(
                !(same && path.exists()),
                "--output {} is the file that the tree is taken from: name another",
                path.display()
            );
            super::write(path, &fixed.bytes)?;
        }
        for (code, text) in &warnings {
            eprintln!("{DOUBTFUL}warning{DOUBTFUL:#} {code}: {text}");
        }
        Ok(Outcome::Done)
    }

    fn identified(&self, _output: Output) -> Result<Identified> {
        let Some(path) = &self.report else {
            return Ok(Identified::default());
        };
        let context = || format!("cannot read --report {}", path.display());
        let scan = report::scan(File::open(path).with_context(context)?).with_context(context)?;
        if let Some(why) = scan.refusal() {
            bail!("--report {}: {why}", path.display());
        }
        let [only] = &scan.found[..] else {
            bail!(
                "--report {} has {} reports of different boots: give a file with one",
                path.display(),
                scan.found.len()
            );
        };
        Ok(only.identified())
    }

    fn boot(&self) -> Result<Boot> {
        let ranks = self.dram.split('+').map(|rank| {
            let size = unilk::bytes::parse_size(rank).and_then(|size| u32::try_from(size).ok());
            size.with_context(|| {
                format!(
                    "--dram {}: expected sizes such as 512M or 256M+256M",
                    self.dram
                )
            })
        });
        let board = match &self.board {
            Some(name) => {
                names::board(name).map_err(|why| anyhow!("--board {why}"))?;
                unilk_board_db::board(name)
            }
            None => None,
        };
        Ok(Boot {
            ranks: ranks.collect::<Result<_>>()?,
            memory_start: u32::try_from(self.memory_start)
                .map_err(|_| anyhow!("--memory-start: the chip has 32-bit addresses"))?,
            initrd: self.initrd,
            image_cmdline: self.cmdline.clone(),
            our_cmdline: self.hint_cmdline.clone(),
            serial: self.serial.clone(),
            variant: self.variant.clone(),
            mode: self.mode.clone(),
            reason: self.reason.clone(),
            board,
            lit: !self.dark,
            ..Boot::default()
        })
    }
}

fn show_changes(output: Output, changes: &[Change]) -> Result<()> {
    output.show(&changes, |changes| {
        let mut last = "";
        for change in *changes {
            if change.path() != last {
                last = change.path();
                println!("{STRONG}{last}{STRONG:#}");
            }
            for line in change.to_string().lines() {
                let style = if line.starts_with('+') { GOOD } else { WRONG };
                // The heading has the path.
                let short = if line.ends_with(&format!(" {last}")) {
                    line.replacen(last, "node", 1)
                } else {
                    line.replacen(&format!(" {last} "), " ", 1)
                };
                println!("  {style}{short}{style:#}");
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_on_the_command_line() {
        let tree = |text: &str| text.parse::<TreeArgument>();
        let argument = |file: &str, at, node: Option<&str>| TreeArgument {
            file: file.into(),
            at,
            node: node.map(str::to_owned),
        };
        assert_eq!(tree("a.dtb"), Ok(argument("a.dtb", None, None)));
        assert_eq!(tree("a:/soc"), Ok(argument("a", None, Some("/soc"))));
        assert_eq!(
            tree("b@0x800:/x@1"),
            Ok(argument("b", Some(0x800), Some("/x@1")))
        );
        assert!(tree("b@0xyz").is_err());
    }
}

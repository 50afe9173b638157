//! What the host tool parses, from files of any origin.

use crate::{Target, seeds};
use std::hint::black_box;
use std::io;
use std::sync::Arc;
use unilk::backup::archive::Archive;
use unilk::backup::manifest::Manifest;
use unilk::identity::ext4;
use unilk::identity::files::NvramFiles;
use unilk::inspect::logo::Logo;
use unilk::inspect::{self, inspect, inspect_file};
use unilk::log::{self, Boot, Reading, Strings};
use unilk::progress::Silent;
use unilk::scatter::plan::Image;
use unilk::scatter::{self, Scatter, diff, lint};
use unilk::source::Source;
use unilk::storage::{Options, Storage};
use unilk::tree::fixup::{self, fix_up};
use unilk::tree::{self, Tree, find, print};
use unilk::{mtk, report, sparse};
use unilk_board_db::lint::{File, Kind, lint as lint_rows};

/// The host tool's parsers.
pub const TARGETS: &[Target] = &[
    Target {
        name: "host_inspect",
        run: look,
        seeds: seeds::files,
    },
    Target {
        name: "host_logo",
        run: logo,
        seeds: seeds::logos,
    },
    Target {
        name: "host_scatter",
        run: scatter,
        seeds: seeds::scatter_files,
    },
    Target {
        name: "host_stock_lk",
        run: stock_lk,
        seeds: seeds::stock_lks,
    },
    Target {
        name: "host_sparse",
        run: sparse,
        seeds: seeds::sparse_images,
    },
    Target {
        name: "host_storage",
        run: storage,
        seeds: seeds::spread_cards,
    },
    Target {
        name: "host_backup",
        run: backup,
        seeds: seeds::backups,
    },
    Target {
        name: "host_nvram",
        run: nvram,
        seeds: seeds::nvram,
    },
    Target {
        name: "host_report",
        run: reports,
        seeds: seeds::kept,
    },
    Target {
        name: "host_log",
        run: logs,
        seeds: seeds::kept,
    },
    Target {
        name: "host_tree",
        run: trees,
        seeds: seeds::trees,
    },
    Target {
        name: "host_rows",
        run: rows,
        seeds: seeds::rows,
    },
];

/// Bytes that are read back of what a file seems to hold.
const READ: usize = 1 << 16;

fn shared(data: &[u8]) -> Arc<dyn Source> {
    Arc::new(data.to_vec())
}

fn look(data: &[u8]) {
    let report = inspect(&data);
    let _ = black_box(serde_json::to_string(&report));
    // Not the deep look: it unpacks kernels, which the phone's targets do.
    let options = inspect::Options::default();
    black_box(inspect_file(&shared(data), options).findings.len());
}

fn logo(data: &[u8]) {
    let Ok(logo) = Logo::open(&data) else { return };
    for index in 0..logo.count.min(8) {
        if let Ok(picture) = logo.picture(index) {
            let width = picture.geometry().map_or(320, |found| found.width);
            let _ = black_box(picture.png(width).map(|file| file.len()));
        }
    }
}

fn scatter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(read) = Scatter::parse(text) else {
        return;
    };
    assert_eq!(read.to_text(), text, "written as it was read");
    black_box(lint::lint(&read).len());
    let _ = black_box((read.layout(), diff::diff(&read, &read).is_ok()));
    plan(&read);
    let mut planned = read;
    for index in 0..planned.entries.len() {
        planned.set_download(index, (index == 0).then_some("lk.bin"));
    }
    let again = Scatter::parse(&planned.to_text()).expect("what was written is read");
    assert_eq!(again.entries.len(), planned.entries.len());
}

/// Whatever the file says, a plan marks nothing but UBOOT for download.
fn plan(read: &Scatter) {
    let lk = mtk::with_header("LK", &[0x07, 0, 0, 0xEA, 0, 0, 0, 0]).expect("a good name");
    let uboot = Image {
        partition: "UBOOT",
        bytes: &lk,
    };
    let Ok(made) = scatter::plan::plan(read, &[uboot]) else {
        return;
    };
    let written = Scatter::parse(&made.scatter).expect("what was written is read");
    let layout = written.layout().expect("it was one before");
    for partition in layout
        .partitions
        .iter()
        .filter(|partition| partition.download)
    {
        assert!(
            unilk_core::partition::protected(&partition.name).is_none(),
            "{} is marked for download",
            partition.name
        );
    }
}

/// What is looked for in an LK before any of its code runs.
fn stock_lk(data: &[u8]) {
    if let Ok(image) = unilk_learn::image::Image::open(data) {
        let _ = black_box(unilk_learn::drivers::find(&image));
    }
}

fn sparse(data: &[u8]) {
    let Ok(image) = sparse::open(data) else {
        return;
    };
    let len = image.len();
    for at in [0, len / 3, len / 2, len.saturating_sub(READ as u64)] {
        let _ = black_box(image.read_some(at, READ));
    }
}

/// A card of 256 MiB of zeros, but for three stretches: where its MBR is, where
/// UBOOT is on most phones, and where its PMT is.
struct Spread(Vec<u8>);

impl Spread {
    const LEN: u64 = 256 << 20;
    const PLACES: [(u64, usize); 3] = [(0, 512), (Self::LEN - 0x10_0000, 8192), (0x1D2_0000, 1024)];
}

impl Source for Spread {
    fn len(&self) -> u64 {
        Self::LEN
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if offset.saturating_add(out.len() as u64) > Self::LEN {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        out.fill(0);
        let mut taken = 0;
        for (start, len) in Self::PLACES {
            let piece = self.0.get(taken..).unwrap_or_default();
            let piece = &piece[..piece.len().min(len)];
            taken += len;
            let begin = start.max(offset);
            let end = (start + piece.len() as u64).min(offset + out.len() as u64);
            if begin < end {
                let from = &piece[(begin - start) as usize..(end - start) as usize];
                out[(begin - offset) as usize..][..from.len()].copy_from_slice(from);
            }
        }
        Ok(())
    }
}

fn storage(data: &[u8]) {
    let card: Arc<dyn Source> = Arc::new(Spread(data.to_vec()));
    for source in [card, shared(data)] {
        let Ok(storage) = Storage::open_image(source, None, &Options::default()) else {
            continue;
        };
        for part in storage.parts() {
            if let Some(window) = storage.window(part) {
                let _ = black_box(window.read_some(0, 512));
            }
        }
        black_box(storage.findings().len());
    }
}

fn backup(data: &[u8]) {
    let _ = black_box(Manifest::parse(data));
    let Ok(archive) = Archive::open(shared(data)) else {
        return;
    };
    let _ = black_box(archive.check(&mut Silent));
    for part in &archive.manifest().parts {
        let _ = black_box(archive.part(part).map(|content| content.read_some(0, 512)));
    }
}

fn nvram(data: &[u8]) {
    let _ = black_box(ext4::nvram_files(&shared(data)).map(|files| files.is_empty()));
    if let Ok(files) = NvramFiles::from_tar(&data) {
        black_box(files.iter().count());
    }
}

fn reports(data: &[u8]) {
    if let Ok(scan) = report::scan(data) {
        for found in &scan.found {
            black_box(found.view().to_string());
            black_box(found.identified().strangers.len());
        }
    }
}

fn logs(data: &[u8]) {
    if let Ok(scan) = log::scan(data, &mut Silent) {
        for slot in &scan.slots {
            black_box(Boot::of(slot, Reading::TextOnly).lines.len());
        }
    }
    let _ = black_box(Strings::parse(data).map(|strings| strings.decode(data)));
}

fn trees(data: &[u8]) {
    let Ok(found) = find::all(data, &mut Silent) else {
        return;
    };
    for found in found {
        let before = found.tree();
        black_box(print::dts(&before).len());
        let Ok(fixed) = fix_up(
            &found.bytes,
            &fixup::Boot::default(),
            &report::Identified::default(),
        ) else {
            continue;
        };
        let after = Tree::parse(&fixed.bytes).expect("what was written is read");
        black_box(tree::diff::diff(&before, &after).len());
    }
}

fn rows(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let kinds = Kind::of_text(text).into_iter().chain(Kind::ALL);
    for kind in kinds {
        let file = File {
            id: "row",
            kind,
            text,
        };
        black_box(lint_rows(&[file]).len());
    }
}

//! What the phone parses: the bootloader's own code, as it runs there.

use crate::{Target, seeds};
use std::hint::black_box;
use unilk_core::address::{AreaSizes, Logical, Physical, SECTOR_BYTES, Translation};
use unilk_core::block::{BlockDevice, Geometry};
use unilk_core::bootarg::BootArgument;
use unilk_core::bootimg::BootImage;
use unilk_core::fdt::{Fdt, Node};
use unilk_core::header::Header;
use unilk_core::hints::Hints;
use unilk_core::identify::report::Report;
use unilk_core::identify::store;
use unilk_core::inflate::{WINDOW_BYTES, inflate};
use unilk_core::names::{self, Finder, NameSet};
use unilk_core::partition::{Mbr, PmtCopy, discover, parse_pmt};
use unilk_core::started::Started;
use unilk_core::zimage::{self, ZImage};
use unilk_core::{atags, bcb, env, logmem};

/// The phone's parsers.
pub const TARGETS: &[Target] = &[
    Target {
        name: "phone_header",
        run: header,
        seeds: seeds::headers,
    },
    Target {
        name: "phone_bootimg",
        run: bootimg,
        seeds: seeds::boot_images,
    },
    Target {
        name: "phone_partitions",
        run: partitions,
        seeds: seeds::cards,
    },
    Target {
        name: "phone_fdt",
        run: fdt,
        seeds: seeds::trees,
    },
    Target {
        name: "phone_handed_over",
        run: handed_over,
        seeds: seeds::handed_over,
    },
    Target {
        name: "phone_kept",
        run: kept,
        seeds: seeds::kept,
    },
    Target {
        name: "phone_packed",
        run: packed,
        seeds: seeds::lk_images,
    },
    Target {
        name: "phone_kernel_names",
        run: kernel_names,
        seeds: seeds::kernels,
    },
];

fn header(data: &[u8]) {
    if let Ok(header) = Header::parse(data) {
        let _ = black_box((header.name(), header.check_fits(0x6_0000)));
    }
}

fn bootimg(data: &[u8]) {
    let partition = data.len() as u32;
    let mut source = data;
    if let Ok(image) = BootImage::open(&mut source, partition) {
        let _ = black_box(image.cmdline());
        let start = image.kernel.offset as usize;
        if let Some(kernel) = data.get(start..) {
            zimage(&kernel[..kernel.len().min(image.kernel.len as usize)]);
        }
    }
    zimage(data);
}

fn zimage(data: &[u8]) {
    let head = &data[..data.len().min(zimage::HEAD_LEN)];
    if let Ok(image) = ZImage::parse(head, data.len() as u32) {
        let mut source = data;
        let _ = black_box(image.kernel_size(&mut source));
        let _ = black_box(zimage::appended_tree(
            &image,
            &mut source,
            data.len() as u32,
        ));
    }
}

/// The user area of a small card, and nothing else of it.
struct Card<'a>(&'a [u8]);

impl BlockDevice for Card<'_> {
    type Error = ();

    fn geometry(&self) -> Geometry {
        Geometry::emmc(self.0.len() as u64 / SECTOR_BYTES)
    }

    fn read(&mut self, first: Physical, out: &mut [u8]) -> Result<(), ()> {
        let start = usize::try_from(first.sector() * SECTOR_BYTES).map_err(|_| ())?;
        let from = self.0.get(start..start + out.len()).ok_or(())?;
        out.copy_from_slice(from);
        Ok(())
    }
}

fn partitions(data: &[u8]) {
    let areas = AreaSizes {
        boot_mult: 16,
        rpmb_mult: 16,
        gp_sectors: [0; 4],
        user_sectors: data.len() as u64 / SECTOR_BYTES,
    };
    let tables = [PmtCopy::Primary, PmtCopy::Mirror]
        .into_iter()
        .filter_map(|copy| parse_pmt(data, copy, Translation::new(areas)).ok());
    let found = discover(&mut Card(data), areas).map(|found| found.table);
    for table in tables.chain(found) {
        for entry in table.entries() {
            let _ = black_box((table.locate(&entry.name), table.check_write(&entry.name, 1)));
        }
    }
    if let Ok(mbr) = Mbr::parse(data, Logical::from_sector(0)) {
        black_box((mbr.is_mediatek(), mbr.raw_end()));
    }
}

fn fdt(data: &[u8]) {
    let Ok(tree) = Fdt::parse(data) else { return };
    let mut nodes: Vec<Node<'_>> = tree.node(b"/").into_iter().collect();
    // As many as the tree has words: it cannot have more nodes.
    for _ in 0..data.len() / 4 {
        let Some(node) = nodes.pop() else { break };
        for property in node.properties() {
            let value = (property.as_u32(), property.as_u64(), property.as_string());
            black_box((property.name(), value));
        }
        black_box((node.is_available(), node.is_compatible(b"a")));
        nodes.extend(node.children());
    }
    let _ = black_box((tree.resolve(b"serial0"), tree.by_phandle(1)));
}

fn handed_over(data: &[u8]) {
    let _ = black_box(BootArgument::parse(data));
    if let Some(started) = Started::from_tags(data) {
        let _ = black_box(started.argument());
    }
    for tag in atags::Tags::new(data) {
        black_box(tag.payload.u32(0));
    }
}

fn kept(data: &[u8]) {
    for boot in logmem::boots(data).into_iter().flatten() {
        black_box(boot.records().count());
    }
    if let Ok(report) = Report::parse(data) {
        black_box((report.records().count(), report.to_string()));
    }
    let (first, second) = data.split_at(data.len() / 2);
    let _ = black_box(store::load([first, second]));
    let _ = black_box(Hints::parse(data));
    if let Ok(env) = env::Env::parse(data) {
        black_box(env.entries().count());
    }
    black_box(bcb::command(data));
}

fn packed(data: &[u8]) {
    let _ = black_box(unilk::compress::unpack(data));
}

fn kernel_names(data: &[u8]) {
    let mut window = vec![0; WINDOW_BYTES];
    let window: &mut [u8; WINDOW_BYTES] = window.as_mut_slice().try_into().expect("its size");
    let mut left = 1u32 << 24;
    black_box(inflate(data, window, &mut |piece| {
        left = left.saturating_sub(piece.len() as u32);
        left > 0
    }));
    let table = unilk::simulate::built_in();
    let mut work = vec![0; 1 << 20];
    let names = NameSet::new(table.panels);
    let mut finder = Finder::new(&names);
    let _ = black_box(names::search(data, &mut work, &mut finder, &mut || {}));
}

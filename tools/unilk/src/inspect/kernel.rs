//! What a packed kernel says once it is unpacked: its version, and the panels
//! that its maker built in.
//!
//! Source: DESIGN.md "Identification"; the search for panels is the
//! bootloader's own (`unilk_core::names`).

use super::report::{self, Facts, Report};
use super::zimage::SEARCH_BYTES;
use super::{compressed, of_core, read};
use crate::finding::Finding;
use crate::source::Source;
use flate2::read::GzDecoder;
use lzma_rust2::XzReader;
use std::io::Read;
use unilk_core::names::{Finder, MAX_KERNEL, NameSet, WORK_BYTES, search};
use unilk_core::zimage::ZImage;

/// Larger zImages are not unpacked: they would not fit a phone's partition.
const MOST: u32 = 24 << 20;
/// Memory lent to unpack xz. Kernels have dictionaries of 32 MiB; those of
/// 128 MiB (Debian 13) are not unpacked, nor does the phone.
const DICTIONARY_KIB: u32 = 36 << 10;
/// How every kernel's banner begins.
const BANNER: &[u8] = b"Linux version ";
/// Longest banner that is shown.
const BANNER_BYTES: usize = 256;

/// Adds what the kernel in `source` says.
pub fn add_to(source: &dyn Source, zimage: &ZImage, report: &mut Report) {
    if zimage.len > MOST {
        return;
    }
    let image = read::some(source, 0, zimage.len as usize);
    let mut facts = Facts::new("kernel", "kernel, unpacked");
    let banner = banner(&image);
    facts.add(
        "version",
        banner.map_or(report::absent("not found"), report::text),
    );
    let set = NameSet::new(unilk_board_db::panels());
    let mut finder = Finder::new(&set);
    let mut work = vec![0; WORK_BYTES];
    if let Err(why) = search(&image, &mut work, &mut finder, &mut || {}) {
        report.findings.push(of_core(Finding::note, &why));
    }
    let names: Vec<String> = finder.names().map(str::to_owned).collect();
    facts.add(
        "panels",
        if names.is_empty() {
            report::absent("none of the table")
        } else {
            report::list(names)
        },
    );
    report.facts.push(facts.into());
}

/// The line that the kernel prints first.
fn banner(image: &[u8]) -> Option<String> {
    let (name, at) = compressed::find(&image[..image.len().min(SEARCH_BYTES)])?;
    let packed = &image[at..];
    match name {
        "gzip" => find_banner(GzDecoder::new(packed)),
        "xz" => find_banner(XzReader::new_mem_limit(packed, false, DICTIONARY_KIB)),
        _ => None,
    }
}

/// The banner in what `kernel` gives, of which a little is held.
fn find_banner(kernel: impl Read) -> Option<String> {
    const PIECE: usize = 64 << 10;
    let mut kernel = kernel.take(MAX_KERNEL as u64);
    let mut window = Vec::new();
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        // A damaged end does not matter if the banner came before.
        let result = kernel.by_ref().take(PIECE as u64).read_to_end(&mut piece);
        let last = result.is_err() || piece.len() < PIECE;
        window.extend_from_slice(&piece);
        let enough = |at: &usize| last || window.len() - at >= BANNER_BYTES;
        let found = banners(&window).find(|at| enough(at) && is_banner(&window[*at..]));
        if let Some(at) = found {
            let line = window[at..].iter().take(BANNER_BYTES);
            let line = line.take_while(|byte| matches!(byte, b' '..=b'~'));
            return Some(line.map(|&byte| char::from(byte)).collect());
        }
        if last {
            return None;
        }
        window.drain(..window.len().saturating_sub(BANNER_BYTES));
    }
}

fn banners(window: &[u8]) -> impl Iterator<Item = usize> {
    let starts = window
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == BANNER[0]);
    starts
        .map(|(at, _)| at)
        .filter(|&at| window[at..].starts_with(BANNER))
}

/// A number follows; in the kernel's format strings none does.
fn is_banner(text: &[u8]) -> bool {
    text.get(BANNER.len()).is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::inspect::report::Value;
    use crate::inspect::testing::{mutate, put};
    use crate::inspect::zimage::tests::zimage;
    use crate::inspect::{Options, inspect_file};
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write as _;
    use std::sync::Arc;

    fn kernel(panel: &str) -> Vec<u8> {
        let mut unpacked = vec![7; 200_000];
        unpacked.extend_from_slice(b"\0Linux version %s\0");
        unpacked.extend_from_slice(panel.as_bytes());
        unpacked.extend_from_slice(b"\0Linux version 3.4.67 (maker@host)\n\0");
        unpacked.resize(400_000, 3);
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(&unpacked).unwrap();
        let mut image = zimage(0x400);
        image.extend(packer.finish().unwrap());
        let len = image.len() as u32;
        put(&mut image, &[(0x2C, len)]);
        image
    }

    fn deep(data: Vec<u8>) -> Report {
        let source: Arc<dyn Source> = Arc::new(data);
        inspect_file(&source, Options { deep: true })
    }

    #[test]
    fn version_and_panels_of_a_packed_kernel() {
        let panel = unilk_board_db::panels()[0].names[0];
        let report = deep(kernel(panel));
        assert_eq!(
            report.value("kernel", "version"),
            Some(&"Linux version 3.4.67 (maker@host)".into())
        );
        assert_eq!(
            report.value("kernel", "panels"),
            Some(&Value::List(vec![panel.to_owned()]))
        );
        assert!(report.findings.is_empty(), "{:?}", report.findings);
    }

    #[test]
    fn a_banner_is_whole_wherever_it_stands() {
        let line = b"Linux version 6.1.0 (a@b) #1";
        for at in [0, 65536 - 256, 65536 - 14, 65536 - 1, 65536, 131_072 - 20] {
            let mut data = vec![7; at];
            data.extend_from_slice(line);
            assert_eq!(find_banner(&data[..]).unwrap().as_bytes(), line, "{at}");
            data.push(0);
            data.resize(300_000, 7);
            assert_eq!(find_banner(&data[..]).unwrap().as_bytes(), line, "{at}");
        }
        assert_eq!(find_banner(&b"Linux version %s"[..]), None);
    }

    #[test]
    fn a_damaged_kernel_is_told_and_nothing_more() {
        let good = kernel("none");
        let mut cut = good.clone();
        cut.truncate(good.len() - 100);
        let len = cut.len() as u32;
        put(&mut cut, &[(0x2C, len)]);
        let report = deep(cut);
        assert!(report.has("NAME-DATA"), "{:?}", report.findings);
        mutate(&good, 20, |data| {
            let _ = deep(data.to_vec());
        });
    }
}

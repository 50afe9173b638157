//! The partition management table and the record of the last download, from
//! the end of a card.
//!
//! Source: facts/storage-and-images.md 4.3.

use super::report::{self, Facts, Report, table};
use super::{of_core, text};
use crate::bytes::u32_at;
use crate::finding::Finding;
use crate::recognise::Kind;
use crate::source::Source;
use unilk_core::address::{AreaSizes, Translation};
use unilk_core::bytes::Bytes;
use unilk_core::partition::{PMT_LEN, PmtCopy, parse_pmt, protected};

const ENTRIES: usize = 40;
const ENTRY_BYTES: usize = 88;
const FIRST_ENTRY: usize = 8;
const NAME_BYTES: usize = 64;
/// First bytes of the two copies.
const PRIMARY: &[u8] = b"1vTP";
const MIRROR: &[u8] = b"1TPM";

/// A card larger than any, for what can be checked without knowing it.
const ANY_CARD: AreaSizes = AreaSizes {
    boot_mult: 0,
    rpmb_mult: 0,
    gp_sectors: [0; 4],
    user_sectors: 1 << 31,
};

/// What `source`, which begins with a table's signature, holds.
pub fn look(source: &dyn Source, head: &[u8]) -> Report {
    let mut report = Report::new(Kind::Pmt, source.len(), "partition management table (PMT)");
    "LK and preloader believe it before anything else, entry by entry and by number, not by name. It is never written: a wrong one makes the phone take the wrong place for each partition."
        .clone_into(&mut report.on_a_phone);
    let copy = if head.starts_with(PRIMARY) {
        PmtCopy::Primary
    } else if head.starts_with(MIRROR) {
        PmtCopy::Mirror
    } else {
        report.findings.push(Finding::problem(
            "PMT-LATER",
            "a table of later chips (version 3): MT6572 loaders do not know it",
        ));
        return report;
    };
    let entries = entries(head);
    let which = match copy {
        PmtCopy::Primary => "first copy",
        PmtCopy::Mirror => "mirror",
    };
    report.summary = format!(
        "partition management table (PMT), {which}, {}",
        text::plural(entries.len() as u64, "partition")
    );
    let columns = &["number", "name", "linear_start", "bytes", "never_written"];
    report
        .facts
        .push(table("partitions", "partitions", columns, entries));
    report.facts.push(state(head).into());
    let checked = head
        .get(..PMT_LEN)
        .map(|table| parse_pmt(table, copy, Translation::new(ANY_CARD)));
    match checked {
        Some(Ok(_)) => second(head, copy, &mut report),
        Some(Err(why)) => report.findings.push(of_core(Finding::problem, &why)),
        None => report.findings.push(Finding::problem(
            "PMT-CUT",
            format!(
                "has {} of {PMT_LEN} bytes: the copy was cut off",
                head.len()
            ),
        )),
    }
    report
}

fn entries(head: &[u8]) -> Vec<Vec<report::Cell>> {
    let bytes = Bytes::new(head);
    let row = |index: usize| {
        let at = FIRST_ENTRY + index * ENTRY_BYTES;
        let name = crate::bytes::text(bytes.slice(at, NAME_BYTES)?);
        let size = bytes.u64(at + NAME_BYTES)?;
        let start = bytes.u64(at + NAME_BYTES + 8)?;
        let place = if start >> 16 == 0xFFFF {
            format!("end - {} blocks", start & 0xFFFF)
        } else {
            format!("{start:#x}")
        };
        (!name.is_empty()).then(|| {
            vec![
                report::count(index as u64),
                report::text(&name),
                report::meaning(start, place),
                report::meaning(size, text::size(size)),
                protected(&name).map_or(report::absent(""), report::text),
            ]
        })
    };
    (0..ENTRIES).map_while(row).collect()
}

/// The word in front of the tail.
fn state(head: &[u8]) -> Facts {
    let word = u32_at(head, 0xFF8).unwrap_or(0);
    let mut facts = Facts::new("state", "state");
    facts.add("sequence", report::count(word & 0xFF));
    facts.add("written_by_tool", report::flag(word >> 8 & 0xFF != 0));
    facts.add("word", report::hex(word));
    facts
}

/// The mirror, where it follows the first copy, as it does on a card.
fn second(head: &[u8], copy: PmtCopy, report: &mut Report) {
    let Some(mirror) = head.get(PMT_LEN..2 * PMT_LEN) else {
        return;
    };
    if copy != PmtCopy::Primary {
        return;
    }
    if let Err(why) = parse_pmt(mirror, PmtCopy::Mirror, Translation::new(ANY_CARD)) {
        let mut finding = of_core(Finding::warning, &why);
        finding.text = format!("mirror behind it: {}", finding.text);
        report.findings.push(finding);
    } else if mirror[4..0xFF8] != head[4..0xFF8] {
        report.findings.push(Finding::warning(
            "PMT-DIFFER",
            "first copy and mirror differ: a change was cut off; loaders use the first",
        ));
    }
}

/// What `source`, which begins with a download record, holds.
pub fn download(source: &dyn Source, head: &[u8]) -> Report {
    const FIRST: usize = 32;
    const BYTES: usize = 20;
    let bytes = Bytes::new(head);
    let status_at = FIRST + ENTRIES * BYTES;
    let status = bytes
        .slice(status_at + 16, 16)
        .map(crate::bytes::text)
        .unwrap_or_default();
    let good = matches!(status.as_str(), "DL_DONE" | "DL_CK_DONE");
    let mut report = Report::new(
        Kind::DownloadRecord,
        source.len(),
        format!(
            "record of a flash tool's last download, {}",
            if good { "finished" } else { "not finished" }
        ),
    );
    let row = |index: usize| {
        let at = FIRST + index * BYTES;
        let word = |field| bytes.u32(at + field);
        let (sent, got) = (word(4)?, word(8)?);
        let state = crate::bytes::text(bytes.slice(at + 12, 8)?);
        (sent != 0 || got != 0 || !state.is_empty()).then(|| {
            vec![
                report::count(word(0).unwrap_or(0)),
                report::hex(sent),
                report::hex(got),
                report::text(state),
            ]
        })
    };
    let columns = &["partition", "sum_of_tool", "sum_on_phone", "status"];
    report.facts.push(table(
        "partitions",
        "partitions",
        columns,
        (0..ENTRIES).filter_map(row).collect(),
    ));
    let mut facts = Facts::new("record", "record");
    facts.add("status", report::text(&status));
    report.facts.push(facts.into());
    if !good {
        report.findings.push(Finding::problem(
            "DL-STATUS",
            format!(
                "status is \"{}\", neither DL_DONE nor DL_CK_DONE: some stock LKs say \"TOOL DL image Fail\" and stop, unilk does not look at it",
                report::printable(&status)
            ),
        ));
    }
    "Stands 2 KiB before the end of the card. Some stock LKs refuse to boot when it is not good; preloader and unilk do not look at it."
        .clone_into(&mut report.on_a_phone);
    report
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::inspect::inspect;
    use crate::inspect::report::{Body, Value};
    use crate::inspect::testing::{codes, mutate};
    use crate::layout::Layout;

    fn tables() -> Vec<u8> {
        let layout = Layout::built_in("a516").unwrap();
        crate::pmt::tables(&layout, 0xE941_0000).unwrap()
    }

    #[test]
    fn both_copies_are_listed_and_compared() {
        let both = tables();
        let report = inspect(&both);
        assert_eq!(report.kind, Kind::Pmt);
        assert!(codes(&report).is_empty(), "{:?}", report.findings);
        let Body::Table { rows, .. } = &report.facts[0].body else {
            panic!("no table");
        };
        assert_eq!(rows.len(), 20);
        assert_eq!(rows[8][1].text, "UBOOT");
        assert_eq!(rows[8][2].value, Value::Number(0x232_0000));
        assert_eq!(rows[8][4].value, Value::None);
        assert!(rows[4][4].text.contains("identity"));
        assert!(codes(&inspect(&&both[PMT_LEN..])).is_empty());
    }

    #[test]
    fn damage_is_named() {
        let both = tables();
        assert_eq!(codes(&inspect(&&both[..4000])), ["PMT-CUT"]);
        let changed = |at: usize| {
            let mut bad = both.clone();
            bad[at] ^= 1;
            codes(&inspect(&bad))
        };
        assert_eq!(changed(0xFFC), ["PMT-TAIL"]);
        assert_eq!(changed(4), ["PMT-VER"]);
        assert_eq!(changed(PMT_LEN + 0xFFC), ["PMT-TAIL"]);
        // A flag of the MBR, in the mirror only.
        assert_eq!(changed(PMT_LEN + 8 + 88 + 80), ["PMT-DIFFER"]);
        assert_eq!(codes(&inspect(&b"3vTP1.0\0".as_slice())), ["PMT-LATER"]);
        mutate(&both, 300, |data| {
            let _ = inspect(&data);
        });
    }

    #[test]
    fn a_download_record_and_its_status() {
        let mut record = vec![0; 2048];
        record[..22].copy_from_slice(b"DOWNLOAD INFORMATION!!");
        record[32 + 800 + 16..][..7].copy_from_slice(b"DL_DONE");
        let report = inspect(&record);
        assert_eq!(report.kind, Kind::DownloadRecord);
        assert!(codes(&report).is_empty());
        record[32 + 800 + 16..][..7].copy_from_slice(b"DL_INIT");
        assert_eq!(codes(&inspect(&record)), ["DL-STATUS"]);
        mutate(&record, 200, |data| {
            let _ = inspect(&data);
        });
    }
}

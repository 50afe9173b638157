//! The old grammar: `NAME 0xADDR` and braces, sizes by the next address.

use super::{Entry, Error, Field, Scatter, clean};
use crate::bytes::parse_size;
use crate::layout::Place;

/// In front of names that are not downloaded.
pub const NOT_DOWNLOADED: &str = "__NODL_";

/// Fills `scatter` from its lines.
pub fn read(scatter: &mut Scatter) {
    for (index, raw) in scatter.lines.iter().enumerate() {
        let number = index + 1;
        let line = clean(raw);
        if line.is_empty() || line.starts_with('#') || matches!(line, "{" | "}" | "{}") {
            continue;
        }
        let mut words = line.trim_end_matches(['{', '}']).split_whitespace();
        let (Some(name), Some(address), None) = (words.next(), words.next(), words.next()) else {
            scatter.stray.push((number, "not `NAME 0xADDRESS`"));
            continue;
        };
        if !address.starts_with("0x") || parse_size(address).is_none() {
            scatter.stray.push((number, "not `NAME 0xADDRESS`"));
            continue;
        }
        let bare = name.strip_prefix(NOT_DOWNLOADED);
        scatter.entries.push(Entry {
            line: number,
            name: bare.unwrap_or(name).to_ascii_uppercase(),
            download: bare.is_none(),
            fields: vec![Field {
                key: "linear_start_addr".to_owned(),
                value: address.to_owned(),
                line: number,
            }],
        });
    }
}

/// Bytes of a partition at `place` that `next` follows; 0 is the rest.
pub fn size(
    place: Place,
    next: Option<&Entry>,
    line: usize,
    block_bytes: u64,
) -> Result<u64, Error> {
    let next = next.map(Entry::place).transpose()?;
    match (place, next) {
        (Place::Linear(start), Some(Place::Linear(end))) => end
            .checked_sub(start)
            .ok_or(Error::Line(line, "the next address is below this one")),
        (Place::Linear(_), _) => Ok(0),
        (Place::Tail { blocks }, _) => Ok(u64::from(blocks) * block_bytes),
    }
}

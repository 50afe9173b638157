//! Whether the built-in table has a learned panel.

use crate::params::Params;
use crate::script::{Script, Step};
use serde::Serialize;
use unilk_board_db::{PanelRow, UNPACK_BYTES};

/// How much of the longer sequence must be common, in percent, for two tables
/// to be nearly the same: other gamma or other porches of one glass.
const NEAR: usize = 85;

/// How a learned panel stands to the built-in table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Known {
    /// This row sends the same.
    Same(String),
    /// This row sends nearly the same.
    Near {
        /// The row.
        row: String,
        /// Writes that both have, in percent of the longer.
        percent: usize,
    },
    /// No row is like it.
    New,
}

/// Compares with all rows of the same size.
pub fn compare(params: &Params, init: &Script) -> Known {
    let own = writes(&init.steps);
    if own.is_empty() {
        return Known::New;
    }
    let size = (params.width, params.height);
    let mut room = vec![0; UNPACK_BYTES];
    let mut best: (usize, &str) = (0, "");
    for row in unilk_board_db::panels() {
        if (u32::from(row.width), u32::from(row.height)) != size {
            continue;
        }
        let theirs = row_writes(row, &mut room);
        if theirs == own {
            return Known::Same(row.id.to_owned());
        }
        let longer = own.len().max(theirs.len()).max(1);
        let percent = 100 * common(&own, &theirs) / longer;
        if percent > best.0 {
            best = (percent, row.id);
        }
    }
    if best.0 >= NEAR {
        Known::Near {
            row: best.1.to_owned(),
            percent: best.0,
        }
    } else {
        Known::New
    }
}

/// Commands and parameters, without data types: drivers of one table send it
/// as DCS or generic writes.
fn writes(steps: &[Step]) -> Vec<Vec<u8>> {
    let writes = steps.iter().filter_map(|step| match step {
        Step::Write(_, payload) => Some(payload.clone()),
        _ => None,
    });
    writes.collect()
}

fn row_writes(row: &PanelRow, room: &mut [u8]) -> Vec<Vec<u8>> {
    let Some(steps) = row.init.unpack(room) else {
        return Vec::new();
    };
    let writes = steps.filter_map(|step| match step {
        unilk_board_db::Step::Write { payload, .. } => Some(payload.to_vec()),
        _ => None,
    });
    writes.collect()
}

/// How many of `one` are in `other`, each counted once.
fn common(one: &[Vec<u8>], other: &[Vec<u8>]) -> usize {
    let mut left: Vec<&Vec<u8>> = other.iter().collect();
    let found = one.iter().filter(|write| {
        let at = left.iter().position(|candidate| candidate == write);
        at.map(|at| left.swap_remove(at)).is_some()
    });
    found.count()
}

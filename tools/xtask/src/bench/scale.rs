//! What identification costs by the size of the table.

use super::figure::Figure;
use crate::db::scale;
use anyhow::Result;

/// Rows of the tables, and how often as many are drawn.
const SIZES: [(usize, u64); 3] = [(10, 9), (100, 3), (usize::MAX, 1)];
/// What no panel of any table may cost.
const WORST_READS: f64 = 24.0;
const WORST_RESETS: f64 = 5.0;

/// Reads, resets and time to tell a panel, for each size.
pub fn measure() -> Result<Vec<Figure>> {
    let rows = scale::rows()?;
    let mut figures = Vec::new();
    for (size, samples) in SIZES {
        let cost = scale::measure(&rows, size, samples);
        let name = |what: &str| format!("  of {} panels: {what}", cost.rows);
        let ms = |us: u32| f64::from(us) / 1000.0;
        figures.extend([
            Figure::new(name("reads, median"), f64::from(cost.reads.median), "reads"),
            Figure::new(name("reads, worst"), f64::from(cost.reads.worst), "reads")
                .at_most(WORST_READS),
            Figure::new(
                name("resets between makers, worst"),
                f64::from(cost.resets.worst),
                "resets",
            )
            .at_most(WORST_RESETS),
            Figure::new(name("time, median"), ms(cost.micros.median), "ms"),
            Figure::new(name("time, worst"), ms(cost.micros.worst), "ms"),
        ]);
    }
    Ok(figures)
}

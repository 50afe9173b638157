//! That the matrix would notice: what a glass needs is changed in one place,
//! which is the same as a row that differs from it there, and the boot must
//! fail for that reason.

use crate::boot;
use crate::data::Panel;
use crate::judge;
use crate::plan::{self, Boot, Told};

/// Where the choice of places begins; the same places each time.
const SEED: u64 = 0x6572_2014;
/// Mutations of each kind, when all boots are asked for and otherwise.
const MANY: usize = 12;
const FEW: usize = 3;
/// Milliseconds that a wait is longer.
const LONGER_MS: u32 = 40;
/// A wait that the glass insists on.
const INSISTS_MS: u32 = 10;
/// Steps that tables of a controller have in common, and whose waits the
/// glass does not insist on.
const COMMON_STEPS: usize = 3;

/// What is changed, and what the boot must say of it.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Byte,
    Wait,
    Lanes,
}

/// xorshift64: cheap, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

/// The panel with one thing changed, and words for it; `None`: it has no such
/// thing.
fn change(panel: &Panel, kind: Kind, random: &mut Random) -> Option<(Panel, String)> {
    let mut panel = panel.clone();
    let mut lines: Vec<String> = panel.init.lines().map(str::to_owned).collect();
    let words = match kind {
        Kind::Byte => {
            let at = random.below(lines.len());
            let (bytes, pause) = match lines[at].split_once(" +") {
                Some((bytes, pause)) => (bytes.to_owned(), format!(" +{pause}")),
                None => (lines[at].clone(), String::new()),
            };
            let mut bytes: Vec<u8> = crate::data::hex(&bytes);
            // Neither data type nor command: sleep-out must stay what it is.
            let place = (bytes.len() > 2).then(|| 2 + random.below(bytes.len() - 2))?;
            bytes[place] ^= 1 << random.below(8);
            let words: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            lines[at] = format!("{}{pause}", words.join(" "));
            format!("byte {place} of step {}", at + 1)
        }
        Kind::Wait => {
            let waits: Vec<(usize, u32)> = lines
                .iter()
                .enumerate()
                .skip(COMMON_STEPS)
                .filter_map(|(at, line)| Some((at, line.split_once('+')?.1.trim().parse().ok()?)))
                .filter(|&(at, ms)| ms >= INSISTS_MS && at + 1 < lines.len())
                .collect();
            let (at, ms) = *waits.get(random.below(waits.len().max(1)))?;
            let (bytes, _) = lines[at].split_once('+')?;
            lines[at] = format!("{bytes}+{}", ms + LONGER_MS);
            format!("the wait after step {}, {ms} ms", at + 1)
        }
        Kind::Lanes => {
            let lanes = panel.lanes;
            panel.lanes = if lanes == 1 { 2 } else { lanes - 1 };
            format!("{lanes} lanes")
        }
    };
    panel.init = lines.join("\n");
    Some((panel, words))
}

/// Whether the complaints name the reason.
fn is_named(kind: Kind, complaints: &[String]) -> bool {
    let word = match kind {
        Kind::Byte => "of its table",
        Kind::Wait => "init step",
        Kind::Lanes => "lanes are used",
    };
    complaints.iter().any(|complaint| complaint.contains(word))
}

#[test]
fn one_change_of_a_row_fails_its_boot() {
    let full = std::env::var("UNILK_MATRIX").is_ok_and(|word| word == "full");
    let each = if full { MANY } else { FEW };
    let boots: Vec<&Boot> = plan::boots()
        .iter()
        .filter(|boot| boot.chosen && boot.told != Told::Nothing)
        .collect();
    let mut random = Random(SEED);
    let mut survived = Vec::new();
    for kind in [Kind::Byte, Kind::Wait, Kind::Lanes] {
        let mut done = 0;
        for _ in 0..10 * each {
            if done == each {
                break;
            }
            let boot = boots[random.below(boots.len())];
            let Some((panel, words)) = change(boot.panel, kind, &mut random) else {
                continue;
            };
            // Only a boot that passes can show that the change makes it fail.
            if !judge::complaints(boot, &boot::run(boot, &boot.board())).is_empty() {
                continue;
            }
            let changed = boot.with_panel(panel);
            let outcome = boot::run(&changed, &changed.board());
            let complaints = judge::complaints(&changed, &outcome);
            println!("{}: {words}: {complaints:?}", boot.name);
            if !is_named(kind, &complaints) {
                survived.push(format!("{}: {words}: {complaints:?}", boot.name));
            }
            done += 1;
        }
        assert_eq!(done, each, "{kind:?}: too few boots pass");
    }
    assert!(survived.is_empty(), "not noticed:\n{}", survived.join("\n"));
}

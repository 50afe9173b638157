//! The packed sequences are the ones in the files, and cheap to get at.
#![allow(clippy::unwrap_used, dead_code, unused_imports, missing_docs)]

#[path = "../build/source/mod.rs"]
mod source;

use source::PanelToml;
use std::fs;
use unilk_board_db::{OP_REGISTERS, OP_WORDS, PackedScript, Script, Step, UNPACK_BYTES, panels};

/// Packed bytes that are decoded for one sequence at most: at most 0.6 us
/// each on the phone, of 2 ms (`cargo xtask bench` measures it).
const MOST_DECODED: usize = 3000;
/// Memory that is needed meanwhile.
const MOST_UNPACKED: usize = 24 * 1024;

fn steps_in_file(bytes: &[u8]) -> Vec<Step<'static>> {
    Script::new(bytes.to_vec().leak()).steps().collect()
}

/// Steps with the writes to registers that follow each other made single.
fn single<'a>(steps: impl Iterator<Item = Step<'a>>) -> Vec<Step<'a>> {
    let mut out = Vec::new();
    for step in steps {
        let Step::Write {
            data_type: OP_REGISTERS,
            payload: &[high, low, ref values @ ..],
        } = step
        else {
            out.push(step);
            continue;
        };
        for (register, &value) in (u16::from_be_bytes([high, low])..).zip(values) {
            let [high, low] = register.to_be_bytes();
            out.push(Step::Write {
                data_type: OP_WORDS,
                payload: vec![high, low, 0, value].leak(),
            });
        }
    }
    out
}

#[test]
fn every_row_unpacks_to_the_sequences_in_its_file() {
    let mut room = vec![0xA5; UNPACK_BYTES];
    for row in panels() {
        let path = format!("{}/data/panels/{}.toml", env!("CARGO_MANIFEST_DIR"), row.id);
        let text = fs::read_to_string(&path).unwrap();
        let file = source::parse::<PanelToml>(&path, &text)
            .and_then(|panel| panel.check(row.id))
            .unwrap();
        let mut same = |packed: PackedScript, bytes: &[u8]| {
            let there = single(packed.unpack(&mut room).unwrap());
            assert_eq!(there, steps_in_file(bytes), "{}", row.id);
            assert_eq!(packed.is_empty(), bytes.is_empty(), "{}", row.id);
        };
        same(row.init, &file.init);
        same(row.power_down, &file.power_down);
    }
}

#[test]
fn no_row_costs_more_than_its_share() {
    let decoded = |row: &unilk_board_db::PanelRow| {
        let of = [row.init, row.power_down].map(PackedScript::packed_bytes);
        of.into_iter().max().unwrap()
    };
    let (bytes, id) = panels()
        .iter()
        .map(|row| (decoded(row), row.id))
        .max()
        .unwrap();
    println!("at most {bytes} packed bytes are decoded, e.g. for {id}; room {UNPACK_BYTES}");
    assert!(bytes <= MOST_DECODED, "{id}: {bytes}");
    const { assert!(UNPACK_BYTES <= MOST_UNPACKED) };
}

#[test]
fn sequences_that_are_alike_are_packed_better_than_alone() {
    let packed = |order: &[(&str, &str)]| {
        let panels: Vec<_> = order
            .iter()
            .map(|(id, init)| {
                let text = format!(
                    "names = [\"{id}\"]\ncontroller = \"{id}\"\nwidth = 480\nheight = 800\nlanes = 2\n\
                     mode = \"command\"\nformat = \"rgb888\"\nrate = {{ pll_mhz = 200 }}\n\
                     reset = [\"low 10\", \"high 120\"]\npower_down = \"05 10\"\ninit = \"\"\"\n{init}\n\"\"\"\n"
                );
                let row = source::parse::<PanelToml>(id, &text).unwrap();
                (id.to_string(), row.check(id).unwrap())
            })
            .collect();
        let mut out = String::new();
        let packed = source::pack::Packed::new(&panels).unwrap();
        packed.emit(&mut out);
        // `pub static SCRIPTS: [u8; N]`
        let at = out.find("SCRIPTS: [u8; ").unwrap() + "SCRIPTS: [u8; ".len();
        out[at..]
            .split(']')
            .next()
            .unwrap()
            .parse::<usize>()
            .unwrap()
    };
    // Two long sequences that differ in one line, under names far apart.
    let noise = |seed: u32| -> String {
        let byte = |n: u32| n.wrapping_mul(0x9E37_79B9).wrapping_add(seed) >> 13 & 0xFF;
        let line = |n| {
            format!(
                "29 B{:X} {:02X} {:02X} {:02X}\n",
                n % 16,
                byte(n),
                byte(n + 99),
                byte(n * 7)
            )
        };
        (0..300).map(line).collect()
    };
    let (one, other) = (noise(1), noise(77));
    let same = format!("{one}15 36 00\n");
    let alone = packed(&[("a", &one)]);
    let both = packed(&[("a", &one), ("m", &other), ("z", &same)]);
    let two = packed(&[("a", &one), ("m", &other)]);
    assert!(alone > 500, "{alone}");
    assert!(both < two + 30, "{both} {two}");
}

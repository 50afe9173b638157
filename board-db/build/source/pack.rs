//! The panels' sequences, each once, packed by LZMA in blocks, so that the
//! phone unpacks one block and not all to send a sequence.
//!
//! Panels of one controller have much of their sequences in common, but not
//! with each of the others: a sequence is followed by the one that shares the
//! most with it, and a block ends where unpacking it would take too long. What
//! many of them have in common stands before all blocks ([`dictionary`]).

use crate::source::data_type::usual;
use crate::source::panels::Panel;
use crate::source::{Problem, dictionary, script};
use lzma_rust2::{LzmaOptions, LzmaWriter};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;

/// Unpacked bytes of a block: the phone needs memory for them.
const BLOCK_BYTES: usize = 16 * 1024;
/// Packed bytes of a block: the phone takes up to 0.7 us for each, and 2 ms
/// are allowed.
const PACKED_BYTES: usize = 2700;
/// Sequences are alike where as many bytes in a row are equal.
const ALIKE: usize = 5;

struct Block {
    /// Number of its first sequence.
    first: usize,
    packed: Vec<u8>,
    len: usize,
}

/// All sequences, packed.
pub struct Packed<'a> {
    /// The number of each sequence, as it was compiled.
    numbers: BTreeMap<&'a [u8], usize>,
    /// The first sequences, as they are.
    dictionary: Vec<u8>,
    blocks: Vec<Block>,
}

impl<'a> Packed<'a> {
    /// Packs the sequences of `panels`.
    pub fn new(panels: &'a [(String, Panel)]) -> Result<Self, Problem> {
        // What is alike has a chance to stand together from the beginning.
        let sorted: BTreeSet<(&str, &[u8])> = panels
            .iter()
            .flat_map(|(_, panel)| {
                let controller = panel.row.controller.as_str();
                [&panel.init, &panel.power_down].map(|script| (controller, script.as_slice()))
            })
            .collect();
        let mut known = BTreeSet::new();
        let scripts: Vec<(&[u8], Vec<u8>)> = sorted
            .into_iter()
            .filter(|(_, script)| !script.is_empty() && known.insert(*script))
            .map(|(_, script)| (script, shorten(script)))
            .collect();
        let short: Vec<&[u8]> = scripts.iter().map(|(_, short)| short.as_slice()).collect();
        let mut order = alike_together(&short);
        let open: BTreeSet<usize> = dictionary::choose(&short).into_iter().collect();
        order.sort_by_key(|n| !open.contains(n));
        let (first, packed) = order.split_at(open.len());
        let dictionary: Vec<u8> = first.iter().flat_map(|&n| short[n]).copied().collect();
        let mut blocks = Vec::new();
        let mut done = 0;
        while done < packed.len() {
            let (count, block) = next_block(&short, &packed[done..], &dictionary)?;
            let first = open.len() + done;
            blocks.push(Block { first, ..block });
            done += count;
        }
        let numbers = order.iter().enumerate();
        let numbers = numbers.map(|(number, &n)| (scripts[n].0, number));
        Ok(Self {
            numbers: numbers.collect(),
            dictionary,
            blocks,
        })
    }

    /// Number of `script`; that of none is `PackedScript::EMPTY`.
    pub fn number(&self, script: &[u8]) -> usize {
        let number = self.numbers.get(script).copied();
        number.unwrap_or(usize::from(u16::MAX))
    }

    /// Rust text of the blocks. Writing to a `String` cannot fail.
    pub fn emit(&self, out: &mut String) {
        let room = self.blocks.iter().map(|block| block.len).max().unwrap_or(0);
        let packed: Vec<u8> = self
            .blocks
            .iter()
            .flat_map(|block| &block.packed)
            .copied()
            .collect();
        let _ = writeln!(
            out,
            "/// Room in bytes that `PackedScript::unpack` needs.\n\
             pub const UNPACK_BYTES: usize = {room};\n\
             pub static DICTIONARY: [u8; {}] = {:?};\n\
             pub static SCRIPTS: [u8; {}] = {packed:?};\n\
             pub static BLOCKS: [Block; {}] = [",
            self.dictionary.len(),
            self.dictionary,
            packed.len(),
            self.blocks.len()
        );
        for Block { first, packed, len } in &self.blocks {
            let packed = packed.len();
            let _ = writeln!(
                out,
                "Block {{ first: {first}, packed: {packed}, len: {len} }},"
            );
        }
        *out += "];\n";
    }
}

/// The sequence with less in it that goes without saying: data types, and the
/// registers of 16 bits that one parameter after the other goes to; with its
/// end marked.
fn shorten(script: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    // Where in `out` the registers that follow each other began, and the next.
    let mut run: Option<(usize, u16)> = None;
    for step in script::steps(script) {
        let register = match *step {
            [script::OP_WORDS, 4, high, low, 0, value] => {
                Some((u16::from_be_bytes([high, low]), value))
            }
            _ => None,
        };
        match (step, register, run) {
            (_, Some((register, value)), Some((at, next)))
                if register == next && out.len() - at < 2 + script::LONGEST =>
            {
                out.push(value);
                out[at + 1] += 1;
                run = Some((at, next.wrapping_add(1)));
            }
            (_, Some((register, value)), _) => {
                run = Some((out.len(), register.wrapping_add(1)));
                let [high, low] = register.to_be_bytes();
                out.extend_from_slice(&[script::OP_REGISTERS, 3, high, low, value]);
            }
            ([data_type, len @ 1..=127, payload @ ..], None, _)
                if *data_type > script::OP_RESET && *data_type == usual(payload) =>
            {
                run = None;
                out.push(script::OP_USUAL + len);
                out.extend_from_slice(payload);
            }
            _ => {
                run = None;
                out.extend_from_slice(step);
            }
        }
    }
    out.push(script::OP_END);
    out
}

/// An order in which each sequence follows one that it shares much with: of
/// all that are left the next is the one with the most in common with the last.
fn alike_together(scripts: &[&[u8]]) -> Vec<usize> {
    let parts: Vec<BTreeSet<&[u8]>> = scripts
        .iter()
        .map(|script| script.windows(ALIKE).collect())
        .collect();
    let mut holders: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
    for (n, parts) in parts.iter().enumerate() {
        for &part in parts {
            holders.entry(part).or_default().push(n);
        }
    }
    let mut left: BTreeSet<usize> = (0..scripts.len()).collect();
    let mut order = Vec::new();
    let mut next = left.pop_first();
    while let Some(last) = next {
        order.push(last);
        let mut shared = vec![0_u32; scripts.len()];
        for part in &parts[last] {
            for &holder in &holders[part] {
                shared[holder] += 1;
            }
        }
        // The first of those that share the most, or of all that are left.
        next = left
            .iter()
            .copied()
            .max_by_key(|&n| (shared[n], std::cmp::Reverse(n)));
        next = next.filter(|n| left.remove(n));
    }
    order
}

/// The block that the first of `order` make, and how many.
fn next_block(
    scripts: &[&[u8]],
    order: &[usize],
    dictionary: &[u8],
) -> Result<(usize, Block), Problem> {
    let block = |count: usize| {
        let plain: Vec<u8> = order[..count]
            .iter()
            .flat_map(|&n| scripts[n])
            .copied()
            .collect();
        Ok(Block {
            first: 0,
            packed: lzma(&plain, dictionary)?,
            len: plain.len(),
        })
    };
    let mut len = 0;
    let fits = order.iter().take_while(|&&n| {
        len += scripts[n].len();
        len <= BLOCK_BYTES
    });
    let mut count = fits.count().max(1);
    let mut found = block(count)?;
    if found.packed.len() <= PACKED_BYTES {
        return Ok((count, found));
    }
    // The most that can be unpacked in time, to about a tenth.
    let mut too_many = count;
    (count, found) = (1, block(1)?);
    while too_many - count > 1 + too_many / 12 {
        let middle = usize::midpoint(count, too_many);
        let tried = block(middle)?;
        if tried.packed.len() <= PACKED_BYTES {
            (count, found) = (middle, tried);
        } else {
            too_many = middle;
        }
    }
    Ok((count, found))
}

/// Packed by LZMA, without the mark of its end. What is predicted of a byte
/// depends neither on the one before it nor on its place: `src/script.rs`.
fn lzma(plain: &[u8], dictionary: &[u8]) -> Result<Vec<u8>, Problem> {
    let options = LzmaOptions {
        lc: 0,
        lp: 0,
        pb: 0,
        preset_dict: (!dictionary.is_empty()).then(|| dictionary.to_vec()),
        ..LzmaOptions::with_preset(9)
    };
    let pack = || {
        let mut writer = LzmaWriter::new_no_header(Vec::new(), &options, false)?;
        writer.write_all(plain)?;
        writer.finish()
    };
    pack().map_err(|error: std::io::Error| Problem(format!("packing the sequences: {error}")))
}

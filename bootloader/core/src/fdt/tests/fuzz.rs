//! Deterministic mutations of real trees: whatever the bytes, reading ends,
//! nothing panics, and what was accepted can be edited into a valid tree.

use super::*;

/// Marsaglia's xorshift: the same mutations on every machine.
pub(crate) struct XorShift(pub u32);

impl XorShift {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as usize % limit
    }

    /// Damages up to four places: a byte, a bit, a word of the kind that
    /// parsers trip over, a stretch copied elsewhere, or the end.
    pub(crate) fn mutate(&mut self, blob: &mut Vec<u8>) {
        const WORDS: [u32; 12] = [
            0,
            1,
            2,
            3,
            4,
            9,
            16,
            17,
            0x7FFF_FFFF,
            0xFFFF_FFFF,
            0xFFFF_FFFC,
            0xD00D_FEED,
        ];
        for _ in 0..=self.below(4) {
            if blob.len() < 64 {
                return;
            }
            let at = self.below(blob.len());
            match self.below(5) {
                0 => blob[at] = self.below(256) as u8,
                1 => blob[at] ^= 1 << self.below(8),
                2 => {
                    // Half of them in the header, where they hurt most.
                    let words = if self.below(2) == 0 {
                        10
                    } else {
                        blob.len() / 4
                    };
                    let index = self.below(words);
                    poke(blob, index, WORDS[self.below(WORDS.len())]);
                }
                3 => {
                    let length = self.below(32).min(blob.len() - at);
                    let from = self.below(blob.len() - length) & !3;
                    blob.copy_within(from..from + length, at & !3);
                }
                _ => {
                    let end = at.max(1);
                    if self.below(8) == 0 {
                        blob.truncate(end);
                    }
                }
            }
        }
    }
}

/// Reads all there is and edits a little of everything.
fn exercise(tree: &Fdt<'_>, seed: &mut XorShift) {
    let mut seen = 0;
    for (_, node) in tree.nodes() {
        seen += node.name().len() + node.base_name().len();
        for property in node.properties() {
            seen += property.name().len() + property.strings().count() + property.cells().count();
            let cells = Cells {
                address: seed.below(4),
                size: seed.below(4),
            };
            seen += property.reg(cells).count();
        }
        seen += usize::from(node.is_available()) + node.cells().address;
    }
    seen += tree.reservations().count();
    let _ = (
        tree.resolve(b"serial0:1"),
        tree.by_phandle(1),
        tree.device_at(0x1100_5000),
    );
    assert!(seen < usize::MAX);

    let nodes: Vec<_> = tree.nodes().map(|(_, node)| node).collect();
    let pick = |seed: &mut XorShift| nodes[seed.below(nodes.len())];
    let mut workspace = [0; 1024];
    let mut editor = Editor::new(tree, &mut workspace);
    editor.set_u32(pick(seed), b"reg", 1).unwrap();
    editor.set_u32(pick(seed), b"unheard-of", 1).unwrap();
    editor.delete_property(pick(seed), b"compatible").unwrap();
    editor.add_node(pick(seed), b"new", &|_| Ok(())).unwrap();
    let _ = editor.delete_node(pick(seed));
    let mut output = std::vec![0; tree.total_size() + 2048];
    let size = editor.finish(&mut output).unwrap();
    Fdt::parse(&output[..size]).unwrap();
}

#[test]
fn no_mutation_of_a_real_tree_does_harm() {
    let trees = [
        compile(RICH_SOURCE),
        compile_with(&["-q", "-V", "16"], RICH_SOURCE),
        our_tree("mt6572-generic.dts"),
        our_tree("mt6572-qemu-debian.dts"),
    ];
    let mut accepted = 0;
    for (index, original) in trees.iter().enumerate() {
        let mut seed = XorShift(0x6572 + index as u32);
        for _ in 0..5_000 {
            let mut blob = original.clone();
            seed.mutate(&mut blob);
            if let Ok(tree) = Fdt::parse(&blob) {
                accepted += 1;
                exercise(&tree, &mut seed);
            }
        }
    }
    // The mutations must neither all break the tree nor all be harmless.
    assert!((2_000..18_000).contains(&accepted), "{accepted}");
}

#[test]
fn every_truncation_and_every_single_word_is_survived() {
    let original = compile(RICH_SOURCE);
    let mut seed = XorShift(1);
    for length in 0..original.len() {
        assert!(Fdt::parse(&original[..length]).is_err());
        let mut short = original[..length].to_vec();
        if length >= 8 {
            poke(&mut short, 1, length as u32);
        }
        if let Ok(tree) = Fdt::parse(&short) {
            exercise(&tree, &mut seed);
        }
    }
    for index in 0..original.len() / 4 {
        for value in [0, 1, 2, 3, 4, 9, u32::MAX] {
            let mut blob = original.clone();
            poke(&mut blob, index, value);
            if let Ok(tree) = Fdt::parse(&blob) {
                exercise(&tree, &mut seed);
            }
        }
    }
}

#[test]
fn noise_is_refused() {
    let mut seed = XorShift(7);
    for _ in 0..2_000 {
        let mut blob: Vec<u8> = (0..seed.below(300))
            .map(|_| seed.below(256) as u8)
            .collect();
        assert!(Fdt::parse(&blob).is_err());
        if blob.len() >= 8 {
            poke(&mut blob, 0, MAGIC);
            assert!(Fdt::parse(&blob).is_err());
        }
    }
}

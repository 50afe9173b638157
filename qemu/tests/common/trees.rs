//! Device trees byte by byte, so that any of the bytes can lie.
//!
//! Source: facts/storage-and-images.md 5.4, 6.4; the layout is that of the
//! Devicetree Specification 0.4, chapter 5.

const MAGIC: u32 = 0xD00D_FEED;
const HEADER_LEN: u32 = 40;
const RESERVATIONS_LEN: u32 = 16;
const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROPERTY: u32 = 3;
const END: u32 = 9;

/// Fields of the header, by their offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Field {
    /// First word.
    Magic = 0,
    /// Bytes in all.
    TotalSize = 4,
    /// Where the structure block starts.
    Structure = 8,
    /// Where the strings start.
    Strings = 12,
    /// Where the reservations start.
    Reservations = 16,
    /// Version of the format.
    Version = 20,
    /// The version that it is compatible with.
    Compatible = 24,
    /// Bytes of strings.
    StringsSize = 32,
    /// Bytes of structure.
    StructureSize = 36,
}

/// A tree under construction: opened and closed nodes, properties.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    structure: Vec<u8>,
    strings: Vec<u8>,
}

impl Tree {
    /// One with nothing in it, not even a root.
    pub fn new() -> Tree {
        Tree::default()
    }

    /// A tree that any loader must take: root, memory and an empty chosen.
    pub fn usable() -> Tree {
        Tree::new()
            .open("")
            .property("#address-cells", &1u32.to_be_bytes())
            .property("#size-cells", &1u32.to_be_bytes())
            .property("model", b"test tree\0")
            .property("compatible", b"unilk,test\0mediatek,mt6572\0")
            .open("memory@80000000")
            .property("device_type", b"memory\0")
            .property("reg", &[0x80, 0, 0, 0, 0x10, 0, 0, 0])
            .close()
            .open("chosen")
            .close()
    }

    /// Opens a node.
    #[must_use]
    pub fn open(mut self, name: &str) -> Tree {
        self.word(BEGIN_NODE);
        self.structure.extend_from_slice(name.as_bytes());
        self.structure.push(0);
        self.pad();
        self
    }

    /// Closes the last open node.
    #[must_use]
    pub fn close(mut self) -> Tree {
        self.word(END_NODE);
        self
    }

    /// Adds a property to the open node.
    #[must_use]
    pub fn property(mut self, name: &str, value: &[u8]) -> Tree {
        let at = self.strings.len() as u32;
        self.strings.extend_from_slice(name.as_bytes());
        self.strings.push(0);
        self.raw_property(at, value.len() as u32, value)
    }

    /// Adds a property whose name and length are what the caller says.
    #[must_use]
    pub fn raw_property(mut self, name_at: u32, len: u32, value: &[u8]) -> Tree {
        self.word(PROPERTY);
        self.word(len);
        self.word(name_at);
        self.structure.extend_from_slice(value);
        self.pad();
        self
    }

    /// Adds bytes to the structure as they are.
    #[must_use]
    pub fn raw(mut self, bytes: &[u8]) -> Tree {
        self.structure.extend_from_slice(bytes);
        self
    }

    /// Closes the root and makes the tree.
    pub fn finish(self) -> Vec<u8> {
        let mut tree = self.close();
        tree.word(END);
        tree.unfinished()
    }

    /// Makes the tree of what is there: nothing is closed, nothing ended.
    pub fn unfinished(self) -> Vec<u8> {
        let (structure, strings) = (self.structure.len() as u32, self.strings.len() as u32);
        let structure_at = HEADER_LEN + RESERVATIONS_LEN;
        let strings_at = structure_at + structure;
        let header = [
            MAGIC,
            strings_at + strings,
            structure_at,
            strings_at,
            HEADER_LEN,
            17,
            16,
            0,
            strings,
            structure,
        ];
        let mut tree: Vec<u8> = header.into_iter().flat_map(u32::to_be_bytes).collect();
        tree.extend_from_slice(&[0; RESERVATIONS_LEN as usize]);
        tree.extend_from_slice(&self.structure);
        tree.extend_from_slice(&self.strings);
        tree
    }

    fn word(&mut self, word: u32) {
        self.structure.extend_from_slice(&word.to_be_bytes());
    }

    fn pad(&mut self) {
        self.structure
            .resize(self.structure.len().next_multiple_of(4), 0);
    }
}

/// `tree` with a field of its header changed.
pub fn with_field(mut tree: Vec<u8>, field: Field, value: u32) -> Vec<u8> {
    let at = field as usize;
    tree[at..at + 4].copy_from_slice(&value.to_be_bytes());
    tree
}

//! What can be wrong with a device tree, with the place where it was found.

error_enum! {
    /// Why a tree was refused or could not be rewritten. Offsets are in bytes
    /// from the start of the tree.
    pub enum FdtError {
        /// The first word is not `0xD00DFEED`.
        Magic { /** The first word, 0 if there were not four bytes. */ found: u32 }
            => "FDT-MAGIC", "device tree starts with {found:#010x}, not 0xd00dfeed: it is no device tree";
        /// `totalsize` is smaller than the header, larger than the bytes at
        /// hand or above [`MAX_TREE_BYTES`](super::MAX_TREE_BYTES).
        Size { /** `totalsize`. */ total: usize, /** The most it may be. */ limit: usize }
            => "FDT-SIZE", "device tree claims {total} bytes where up to {limit} are possible: it is cut off or broken";
        /// Neither version 16 nor 17 nor declared compatible with them.
        Version { /** `version`. */ version: u32, /** `last_comp_version`. */ compatible: u32 }
            => "FDT-VERSION", "device tree has format {version} (compatible with {compatible}): build it with dtc -V 17";
        /// A block lies outside the tree, inside the header or is misaligned.
        Layout { /** Where the block claims to start. */ offset: usize }
            => "FDT-LAYOUT", "device tree has a block at {offset:#x} that is not inside it: the header is broken";
        /// The memory reservation map has no terminating entry.
        Reservations { /** Where the map starts. */ offset: usize }
            => "FDT-RSVMAP", "device tree's reservation map at {offset:#x} does not end: the header is broken";
        /// The structure block ends in the middle of something.
        Truncated { /** The token that does not fit. */ offset: usize }
            => "FDT-TRUNC", "device tree's structure ends within the token at {offset:#x}: it is cut off or broken";
        /// An unknown token, or one that may not stand here.
        Token { /** Where it stands. */ offset: usize, /** The token. */ found: u32 }
            => "FDT-TOKEN", "device tree has token {found:#x} at {offset:#x} where none of that kind may be: it is broken";
        /// A node name without a terminating NUL.
        NodeName { /** The node's token. */ offset: usize }
            => "FDT-NODENAME", "device tree's node at {offset:#x} has a name without end: it is broken";
        /// A property name that is not a terminated string of the strings block.
        PropertyName { /** The property's token. */ offset: usize }
            => "FDT-PROPNAME", "device tree's property at {offset:#x} has its name outside the strings block: it is broken";
        /// Nodes are nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
        Depth { /** The first node that is too deep. */ offset: usize }
            => "FDT-DEPTH", "device tree's node at {offset:#x} is nested too deep: Linux would not read it either";
        /// The destination is too small.
        NoSpace { /** Bytes that it needs. */ needed: usize }
            => "FDT-SPACE", "the changed device tree needs {needed} bytes: more room has to be set aside";
        /// More changes at once than the editor's tables or workspace hold.
        TooManyEdits
            => "FDT-EDITS", "too much to change in the device tree at once";
        /// A name that cannot be written.
        InvalidName
            => "FDT-BADNAME", "a name for the device tree is empty or has a NUL or a slash in it";
    }
}

impl FdtError {
    /// Turns an offset into the structure block into one into the tree.
    pub(super) const fn based(mut self, base: usize) -> Self {
        match &mut self {
            Self::Truncated { offset }
            | Self::Token { offset, .. }
            | Self::NodeName { offset }
            | Self::PropertyName { offset }
            | Self::Depth { offset } => *offset += base,
            _ => {}
        }
        self
    }
}

//! Flattened device trees: a reader that trusts nothing and an editor that
//! rewrites a tree in one pass.
//!
//! The bootloader receives device trees inside boot images, so every byte of
//! them comes from outside; it hands them on to a kernel, so everything that
//! it did not mean to change must arrive unchanged.
//!
//! * [`Fdt::parse`] checks the whole blob once, in time proportional to its
//!   size and without recursion. After that no reading function can fail:
//!   [`Node`] and [`Property`] are views into the checked bytes.
//! * [`Editor`] collects changes as *splices* of the structure block (at this
//!   offset remove so many bytes and insert these) and applies them all while
//!   it copies the tree to its destination. Twenty changes cost one copy, and
//!   whatever lies between two splices is moved as it is: order, NOPs,
//!   alignment and unknown properties included. The strings block is copied
//!   whole and only ever appended to, so no name offset changes.
//!
//! Names have no length limit here: `arm,cpu-registers-not-fw-configured` has
//! 35 characters and stands in real MT6572 trees.
//!
//! Source: Devicetree Specification 0.4 chapter 5 (format), facts/soc.md 1.5
//! and facts/storage-and-images.md 6.4 (what MT6572 trees contain).

mod address;
mod edit;
mod error;
mod node;
mod token;
mod tree;

#[cfg(test)]
pub(crate) mod tests;

pub use address::{Cells, RegEntries};
pub use edit::{Editor, Fragment, MAX_EDITS};
pub use error::FdtError;
pub use node::{CellValues, Children, Node, Properties, Property, Strings, Walk};
pub use tree::{Fdt, Reservation, Reservations};

/// First word of every flattened device tree.
pub const MAGIC: u32 = 0xD00D_FEED;

/// Largest tree that is read or written, in bytes.
pub const MAX_TREE_BYTES: usize = 1024 * 1024;

/// Deepest nesting that is accepted, the root counting as one level. Linux
/// itself stops at 64; the margin is for trees that only tools read.
pub const MAX_DEPTH: usize = 128;

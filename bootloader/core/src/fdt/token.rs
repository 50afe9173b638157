//! The structure block as a sequence of tokens: the one place that decodes it,
//! used by the check at the door as well as by every reader after it.
//!
//! Source: Devicetree Specification 0.4, 5.4.

use super::FdtError;

pub(super) const BEGIN_NODE: u32 = 1;
pub(super) const END_NODE: u32 = 2;
pub(super) const PROPERTY: u32 = 3;
const NOP: u32 = 4;
const END: u32 = 9;

/// Token, value length and name offset: what precedes a property's value.
pub(super) const PROPERTY_HEADER_BYTES: usize = 12;

/// What a token begins or ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    BeginNode,
    EndNode,
    Property,
    End,
}

/// A token and its extent in the structure block. It holds no slices, so that
/// walking past a token costs only what finding the next one costs.
#[derive(Clone, Copy)]
pub(super) struct Token {
    pub kind: Kind,
    /// Offset of the token word; NOPs before it are skipped.
    pub at: usize,
    /// Offset of whatever follows, aligned.
    pub next: usize,
    /// Length of a node's name or of a property's value.
    length: usize,
}

impl Token {
    /// Decodes the token at `at`, which must be aligned. Offsets in errors
    /// count from the start of the structure block. Every token moves at least
    /// one word on, so a loop over `next` ends.
    pub fn decode(structure: &[u8], mut at: usize) -> Result<Self, FdtError> {
        loop {
            let truncated = FdtError::Truncated { offset: at };
            let word = be32(structure, at).ok_or(truncated)?;
            let body = at + 4;
            let (kind, length, end) = match word {
                NOP => {
                    at = body;
                    continue;
                }
                BEGIN_NODE => {
                    let length = structure
                        .get(body..)
                        .and_then(|rest| rest.iter().position(|&byte| byte == 0))
                        .ok_or(FdtError::NodeName { offset: at })?;
                    (Kind::BeginNode, length, body + length + 1)
                }
                PROPERTY => {
                    let length = be32(structure, body).ok_or(truncated)? as usize;
                    let start = at + PROPERTY_HEADER_BYTES;
                    // An end outside the block is caught below; one that
                    // wraps would not be.
                    let end = start.checked_add(length).ok_or(truncated)?;
                    (Kind::Property, length, end)
                }
                END_NODE => (Kind::EndNode, 0, body),
                END => (Kind::End, 0, body),
                found => return Err(FdtError::Token { offset: at, found }),
            };
            if end > structure.len() || align4(end) > structure.len() {
                return Err(truncated);
            }
            return Ok(Self {
                kind,
                at,
                next: align4(end),
                length,
            });
        }
    }

    /// Name of the node that this token begins.
    pub fn node_name<'a>(&self, structure: &'a [u8]) -> &'a [u8] {
        let start = self.at + 4;
        structure
            .get(start..start + self.length)
            .unwrap_or_default()
    }

    /// Value of the property that this token begins.
    pub fn value<'a>(&self, structure: &'a [u8]) -> &'a [u8] {
        let start = self.at + PROPERTY_HEADER_BYTES;
        structure
            .get(start..start + self.length)
            .unwrap_or_default()
    }

    /// Offset of the property's name in the strings block.
    pub fn name_at(&self, structure: &[u8]) -> usize {
        be32(structure, self.at + 8).map_or(usize::MAX, |at| at as usize)
    }
}

/// Big-endian word at `at`, if it lies inside `bytes`.
pub(super) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Big-endian double word at `at`, if it lies inside `bytes`.
pub(super) fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Rounds up to the alignment of tokens; `length` is at most a slice's.
pub(super) const fn align4(length: usize) -> usize {
    (length + 3) & !3
}

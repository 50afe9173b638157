//! The structure block as a sequence of tokens: the one place that decodes it,
//! used by the check at the door as well as by every reader after it.
//!
//! Source: Devicetree Specification 0.4, 5.4.

use super::FdtError;

pub(super) const BEGIN_NODE: u32 = 1;
pub(super) const END_NODE: u32 = 2;
pub(super) const PROPERTY: u32 = 3;
pub(super) const NOP: u32 = 4;
pub(super) const END: u32 = 9;

/// Token, value length and name offset: what precedes a property's value.
pub(super) const PROPERTY_HEADER_BYTES: usize = 12;

/// One token with what belongs to it.
#[derive(Clone, Copy)]
pub(super) enum Token<'a> {
    BeginNode { name: &'a [u8] },
    EndNode,
    Property { name_at: usize, value: &'a [u8] },
    End,
}

/// A decoded token and its extent in the structure block.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    pub token: Token<'a>,
    /// Offset of the token word; NOPs before it are skipped.
    pub at: usize,
    /// Offset of whatever follows, aligned.
    pub next: usize,
}

/// Big-endian word at `at`, if it lies inside `bytes`.
pub(super) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Big-endian double word at `at`, if it lies inside `bytes`.
pub(super) fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Rounds up to the alignment of tokens. Sizes are bounded by the length of a
/// slice, so the sum cannot wrap.
pub(super) const fn align4(length: usize) -> usize {
    (length + 3) & !3
}

/// Decodes the token at `at`, which must be aligned. Offsets in errors count
/// from the start of the structure block. Every token moves at least one word
/// on, so a loop over `next` ends.
pub(super) fn step(structure: &[u8], mut at: usize) -> Result<Step<'_>, FdtError> {
    loop {
        let truncated = FdtError::Truncated { offset: at };
        let word = be32(structure, at).ok_or(truncated)?;
        let body = at + 4;
        let (token, next) = match word {
            NOP => {
                at = body;
                continue;
            }
            BEGIN_NODE => {
                let rest = structure.get(body..).ok_or(truncated)?;
                let length = rest
                    .iter()
                    .position(|&byte| byte == 0)
                    .ok_or(FdtError::NodeName { offset: at })?;
                let name = rest.get(..length).ok_or(truncated)?;
                (Token::BeginNode { name }, align4(body + length + 1))
            }
            END_NODE => (Token::EndNode, body),
            PROPERTY => {
                let length = be32(structure, body).ok_or(truncated)? as usize;
                let name_at = be32(structure, body + 4).ok_or(truncated)? as usize;
                let start = at + PROPERTY_HEADER_BYTES;
                let end = start.checked_add(length).ok_or(truncated)?;
                let value = structure.get(start..end).ok_or(truncated)?;
                (Token::Property { name_at, value }, align4(end))
            }
            END => (Token::End, body),
            found => return Err(FdtError::Token { offset: at, found }),
        };
        if next > structure.len() {
            return Err(truncated);
        }
        return Ok(Step { token, at, next });
    }
}

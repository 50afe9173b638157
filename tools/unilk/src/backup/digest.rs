//! SHA-256 as backups keep it: in the manifest, in `SHA256SUMS`, on screen.

use crate::source::Source;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::io;
use std::str::FromStr;

/// Bytes that are read and hashed at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// A SHA-256 value. Its text form always has 64 characters, which lets a
/// manifest keep its length when the values are filled in.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Of bytes in memory.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Of all of `source`; `seen` is told how many bytes were read each time.
    ///
    /// # Errors
    /// What the source says.
    pub fn of_source(source: &dyn Source, mut seen: impl FnMut(u64)) -> io::Result<Self> {
        let mut hasher = Hasher::default();
        for_chunks(source, |_, chunk| {
            hasher.update(chunk);
            seen(chunk.len() as u64);
            Ok(())
        })?;
        Ok(hasher.finish())
    }

    /// The first 16 characters, by which people name a backup.
    pub fn short(&self) -> String {
        self.to_string()[..16].to_owned()
    }
}

/// A SHA-256 value in the making.
#[derive(Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Takes more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The value of all of them.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

/// Reads all of `source` in pieces of at most 1 MiB and gives each with its
/// offset to `take`.
///
/// # Errors
/// What the source or `take` says.
pub fn for_chunks(
    source: &dyn Source,
    mut take: impl FnMut(u64, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK_BYTES.min(usize::try_from(source.len()).unwrap_or(CHUNK_BYTES))];
    let mut at = 0;
    while at < source.len() {
        let left = usize::try_from(source.len() - at).unwrap_or(CHUNK_BYTES);
        let count = left.min(CHUNK_BYTES);
        source.read_at(at, &mut buffer[..count])?;
        take(at, &buffer[..count])?;
        at += count as u64;
    }
    Ok(())
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotADigest;

impl fmt::Display for NotADigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a SHA-256 value has 64 hexadecimal digits")
    }
}

impl std::error::Error for NotADigest {}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let digits = text.as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(NotADigest);
        }
        let mut value = [0; 32];
        for (byte, pair) in value.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| NotADigest)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| NotADigest)?;
        }
        Ok(Self(value))
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_value_of_abc_and_of_much() {
        // FIPS 180-2, appendix B.1.
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(b"abc").to_string(), text);
        assert_eq!(text.parse(), Ok(Digest::of(b"abc")));
        assert_eq!(Digest::of(b"abc").short(), "ba7816bf8f01cfea");
        let much = vec![7; CHUNK_BYTES * 2 + 5];
        let mut seen = 0;
        let streamed = Digest::of_source(&much, |bytes| seen += bytes).unwrap();
        assert_eq!(streamed, Digest::of(&much));
        assert_eq!(seen, much.len() as u64);
    }

    #[test]
    fn what_is_no_value() {
        for bad in ["", "ba", &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(bad.parse::<Digest>(), Err(NotADigest), "{bad:?}");
        }
    }
}

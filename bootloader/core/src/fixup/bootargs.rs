//! The kernel command line: three sources, one line, no contradictions.
//!
//! # Rule
//! Sources in rising strength: the tree's `/chosen/bootargs`, the boot image's
//! header, the bootloader. The result has the tokens of all three in this
//! order, except:
//!
//! 1. A key that a stronger source uses is dropped from the weaker ones. A key
//!    is what stands before `=`, or the whole token; `-` and `_` are the same
//!    in it, as they are for the kernel. Repetitions *within* one source stay:
//!    its author meant them.
//! 2. The additive keys, of which the kernel honours every occurrence, are
//!    kept from every source. The last `console=` becomes `/dev/console`, so
//!    the strongest source decides that one too.
//! 3. Of tokens that are equal byte for byte only the last stays.
//! 4. What follows a lone `--` belongs to init, not to the kernel. The
//!    strongest source with such a tail provides it, behind everything else.
//!
//! Quoted values may contain spaces; a source ends at its first NUL. Merging
//! the result with the same image and bootloader lines gives the same line.
//!
//! Source: Linux admin-guide/kernel-parameters (quoting, `-` and `_`, `--`).

/// Longest command line that ARM Linux keeps, in bytes without the NUL. It cuts
/// a longer one at the end, which is where the strongest source stands.
const KERNEL_BYTES: usize = 1023;

/// Longest command line that is written at all, in bytes; protects the time
/// that merging takes.
pub const MAX_BOOTARGS_BYTES: usize = 4096;

/// Keys of which the kernel honours every occurrence.
const ADDITIVE_KEYS: [&[u8]; 6] = [
    b"console",
    b"earlycon",
    b"earlyprintk",
    b"initcall_blacklist",
    b"dyndbg",
    b"mem",
];

/// Merges command lines, given weakest first, by the rule of this module and
/// hands the result to `put` piece by piece, without a final NUL.
pub fn merge_bootargs<E>(
    parts: &[&[u8]],
    put: &mut impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut separator: &[u8] = b"";
    let mut put_token = |token: &[u8]| {
        put(separator)?;
        separator = b" ";
        put(token)
    };
    let mut stronger = parts;
    while let Some((part, rest)) = stronger.split_first() {
        stronger = rest;
        let mut tokens = Tokens::of(part);
        while let Some(token) = tokens.next() {
            if !is_dropped(token, &tokens, stronger) {
                put_token(token)?;
            }
        }
    }
    let tails = parts.iter().rev().map(|part| init_tail(part));
    match tails.into_iter().find(|tail| !tail.is_empty()) {
        Some(tail) => {
            put_token(b"--")?;
            put_token(tail)
        }
        None => Ok(()),
    }
}

/// Whether rule 1 or 3 drops a token; `rest` follows it in its own source.
fn is_dropped(token: &[u8], rest: &Tokens<'_>, stronger: &[&[u8]]) -> bool {
    let key = key_of(token);
    let additive = ADDITIVE_KEYS.iter().any(|other| same_key(other, key));
    let replaces = |other: &[u8]| other == token || (!additive && same_key(key_of(other), key));
    rest.clone().any(|later| later == token)
        || stronger
            .iter()
            .any(|source| Tokens::of(source).any(replaces))
}

/// The command lines to merge, weakest first: tree, image, bootloader.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a>([&'a [u8]; 3]);

impl<'a> Sources<'a> {
    /// Takes each source up to its first NUL.
    pub(super) fn new(tree: &'a [u8], image: &'a [u8], ours: &'a [u8]) -> Self {
        Self(
            [tree, image, ours]
                .map(|source| source.split(|&byte| byte == 0).next().unwrap_or(source)),
        )
    }

    /// Whether there is nothing to merge.
    pub(super) fn are_empty(&self) -> bool {
        self.0.iter().all(|source| source.is_empty())
    }

    /// Leaves out the tree's line if the kernel would cut the merged one, and
    /// the image's if it is beyond [`MAX_BOOTARGS_BYTES`]. Also says how long
    /// the merged line would have been if it is too long for the kernel.
    pub(super) fn limited(mut self) -> (Self, Option<usize>) {
        let mut too_long = None;
        for (index, limit) in [KERNEL_BYTES, MAX_BOOTARGS_BYTES].into_iter().enumerate() {
            let length = self.merged_length();
            if length > KERNEL_BYTES {
                too_long = too_long.or(Some(length));
            }
            if length > limit {
                self.0[index] = &[];
            }
        }
        (self, too_long)
    }

    /// Length of the merged line, or for sources that are not worth merging
    /// the sum of theirs.
    fn merged_length(&self) -> usize {
        let sum = self.0.iter().map(|source| source.len()).sum();
        if self
            .0
            .iter()
            .any(|source| source.len() > MAX_BOOTARGS_BYTES)
        {
            return sum;
        }
        let mut length = 0;
        let counted = self.merge(&mut |bytes: &[u8]| {
            length += bytes.len();
            Ok::<(), core::convert::Infallible>(())
        });
        match counted {
            Ok(()) => length,
        }
    }

    /// Hands the merged line to `put` piece by piece.
    pub(super) fn merge<E>(&self, put: &mut impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        merge_bootargs(&self.0, put)
    }
}

fn key_of(token: &[u8]) -> &[u8] {
    let token = token.strip_prefix(b"\"").unwrap_or(token);
    token.split(|&byte| byte == b'=').next().unwrap_or(token)
}

fn same_key(one: &[u8], other: &[u8]) -> bool {
    let dashed = |byte: &u8| if *byte == b'_' { b'-' } else { *byte };
    one.len() == other.len() && one.iter().map(dashed).eq(other.iter().map(dashed))
}

/// The kernel's tokens of a command line: separated by white space outside of
/// double quotes, up to a lone `--`.
#[derive(Clone)]
struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    const fn of(line: &'a [u8]) -> Self {
        Self { rest: line }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let line = self.rest.trim_ascii_start();
        let mut quoted = false;
        let length = line
            .iter()
            .position(|&byte| {
                quoted ^= byte == b'"';
                byte.is_ascii_whitespace() && !quoted
            })
            .unwrap_or(line.len());
        let (token, rest) = line.split_at_checked(length)?;
        if token.is_empty() || token == b"--" {
            self.rest = &[];
            return None;
        }
        self.rest = rest;
        Some(token)
    }
}

/// What a command line has behind a lone `--`.
fn init_tail(line: &[u8]) -> &[u8] {
    let mut tokens = Tokens::of(line);
    let mut rest = line;
    while tokens.next().is_some() {
        rest = tokens.rest;
    }
    rest.trim_ascii()
        .strip_prefix(b"--")
        .unwrap_or_default()
        .trim_ascii()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::string::String;
    use std::vec::Vec;

    use super::*;

    fn merged(tree: &str, image: &str, ours: &str) -> String {
        let mut line = Vec::new();
        let (sources, _) =
            Sources::new(tree.as_bytes(), image.as_bytes(), ours.as_bytes()).limited();
        sources
            .merge(&mut |bytes: &[u8]| {
                line.extend_from_slice(bytes);
                Ok::<(), ()>(())
            })
            .unwrap();
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn a_stronger_source_replaces_a_key_and_keeps_the_rest() {
        assert_eq!(
            merged(
                "root=/dev/ram quiet loglevel=4",
                "root=/dev/mmcblk0p6 rw",
                "loglevel=7"
            ),
            "quiet root=/dev/mmcblk0p6 rw loglevel=7"
        );
        assert_eq!(
            merged("printk.disable-uart=1", "", "printk.disable_uart=0"),
            "printk.disable_uart=0"
        );
    }

    #[test]
    fn consoles_add_up_and_the_strongest_comes_last() {
        assert_eq!(
            merged(
                "console=ttyS0,115200 console=tty0",
                "console=tty0",
                "console=ttyS0,921600n8"
            ),
            "console=ttyS0,115200 console=tty0 console=ttyS0,921600n8"
        );
    }

    #[test]
    fn repetitions_of_one_author_stay_unless_equal() {
        assert_eq!(merged("", "panel=a panel=b panel=a", ""), "panel=b panel=a");
    }

    #[test]
    fn quotes_hold_a_token_together() {
        assert_eq!(
            merged("dyndbg=\"file a.c +p; file b.c +p\" x", "\"x=1 2\"", "y"),
            "dyndbg=\"file a.c +p; file b.c +p\" \"x=1 2\" y"
        );
    }

    #[test]
    fn init_arguments_stay_behind_the_kernels() {
        assert_eq!(
            merged("quiet -- single", "rw", "lcm=1-x"),
            "quiet rw lcm=1-x -- single"
        );
        assert_eq!(
            merged("a -- one", "b --  two  three ", ""),
            "a b -- two  three"
        );
        assert_eq!(merged("a --", "", ""), "a");
    }

    #[test]
    fn merging_again_changes_nothing() {
        let image = "root=/dev/ram console=tty0 a=1 a=2 -- init tail";
        let ours = "lcm=1-ili9806e fps=5894 console=ttyS0,921600n8";
        let once = merged("quiet  root=x\tconsole=tty0 earlycon", image, ours);
        assert_eq!(merged(&once, image, ours), once);
        assert_eq!(
            once,
            "quiet earlycon root=/dev/ram console=tty0 a=1 a=2 \
             lcm=1-ili9806e fps=5894 console=ttyS0,921600n8 -- init tail"
        );
    }

    #[test]
    fn too_long_a_line_loses_its_weakest_source() {
        let limited = |tree: &str, image: &str| {
            let (sources, length) =
                Sources::new(tree.as_bytes(), image.as_bytes(), b"quiet").limited();
            (sources.0.map(|source| !source.is_empty()), length)
        };
        // "quiet" and two spaces make it 1023 or 1024.
        let (tree, image) = ("t".repeat(500), "i".repeat(516));
        assert_eq!(limited(&tree, &image), ([true; 3], None));
        assert_eq!(
            limited(&tree, &"i".repeat(517)),
            ([false, true, true], Some(1024))
        );
        let long = "i".repeat(2000);
        assert_eq!(limited("", &long), ([false, true, true], Some(2006)));
        let huge = "x ".repeat(MAX_BOOTARGS_BYTES);
        assert_eq!(limited(&huge, "rw").0, [false, true, true]);
        assert_eq!(limited("", &huge).0, [false, false, true]);
    }

    #[test]
    fn a_source_ends_at_its_nul() {
        assert_eq!(merged("quiet\0junk", "rw\0\0\0", ""), "quiet rw");
    }
}

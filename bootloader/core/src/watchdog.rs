//! Whether the watchdog runs on into the kernel.
//!
//! A kernel that hangs before its driver runs shall be reset; one without a
//! driver shall not. Nothing in an image says which it is, so a tree that came
//! with the kernel is believed, ours is not (it describes the node to every
//! kernel), and the command line has the last word.
//!
//! Source: facts/soc.md 6.1, facts/storage-and-images.md 6.

/// The token of the command line: `unilk.watchdog=on` or `=off`.
const KEY: &[u8] = b"unilk.watchdog=";

/// Whether the watchdog stays on for a kernel that `expects` it, when the
/// merged command line is `line`. The last token wins, as it does for a
/// kernel; a value that is neither `on` nor `off` says nothing.
pub fn stays_on(expects: bool, line: &[u8]) -> bool {
    line.split(u8::is_ascii_whitespace)
        .filter_map(|token| match token.strip_prefix(KEY)? {
            b"on" => Some(true),
            b"off" => Some(false),
            _ => None,
        })
        .next_back()
        .unwrap_or(expects)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_has_the_last_word() {
        for expects in [false, true] {
            assert_eq!(stays_on(expects, b""), expects);
            assert_eq!(stays_on(expects, b"quiet unilk.watchdog=yes"), expects);
            assert_eq!(stays_on(expects, b"xunilk.watchdog=off"), expects);
            assert!(stays_on(expects, b"quiet unilk.watchdog=on root=/dev/ram"));
            assert!(!stays_on(expects, b"unilk.watchdog=off"));
            assert!(!stays_on(expects, b"unilk.watchdog=on unilk.watchdog=off"));
        }
    }
}

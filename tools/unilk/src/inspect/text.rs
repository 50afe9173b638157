//! Sizes and lists in words.

/// A size as people say it: `512 B`, `1.5 MiB`, `3.7 GiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    for (unit, name) in UNITS {
        if bytes >= unit {
            return if bytes.is_multiple_of(unit) {
                format!("{} {name}", bytes / unit)
            } else {
                format!("{:.1} {name}", bytes as f64 / unit as f64)
            };
        }
    }
    format!("{bytes} B")
}

/// `1 picture`, `2 pictures`.
pub fn plural(count: u64, one: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {one}{s}")
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_as_people_say_them() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(0x6_0000), "384 KiB");
        assert_eq!(size(6_340_608), "6.0 MiB");
        assert_eq!(size(4 << 30), "4 GiB");
    }

    #[test]
    fn digits_and_counts() {
        assert_eq!(hex(&[0, 0xAB]), "00ab");
        assert_eq!(plural(1, "picture"), "1 picture");
        assert_eq!(plural(43, "picture"), "43 pictures");
    }
}

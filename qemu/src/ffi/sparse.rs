//! Where a sparse file holds bytes: the images of the emulated cards are
//! gigabytes of nothing, which nobody wants to read to compare two of them.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::AsRawFd as _;

/// The parts of `file` that are not holes, in order. A file system that does
/// not know holes makes the whole file one part. Moves the file's position.
///
/// # Errors
/// The file cannot be asked, as with a pipe.
pub fn parts(file: &File) -> io::Result<Vec<Range<u64>>> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(start) = seek(file, at, libc::SEEK_DATA)? {
        // There is a hole behind the last byte of every file.
        let end = seek(file, start, libc::SEEK_HOLE)?.unwrap_or(start);
        if end <= start {
            break;
        }
        parts.push(start..end);
        at = end;
    }
    Ok(parts)
}

/// The next place of a kind; `None` behind the last.
fn seek(file: &File, from: u64, whence: libc::c_int) -> io::Result<Option<u64>> {
    let from = from.try_into().map_err(io::Error::other)?;
    // SAFETY: `lseek` takes plain numbers and touches no memory of ours; the
    // descriptor is open for as long as `file` is borrowed.
    let found = unsafe { libc::lseek(file.as_raw_fd(), from, whence) };
    match u64::try_from(found) {
        Ok(found) => Ok(Some(found)),
        Err(_) => match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::ENXIO) => Ok(None),
            error => Err(error),
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt as _;

    #[test]
    fn what_was_written_is_found_and_little_else() {
        let path = std::env::temp_dir().join(format!("mt6572-sparse-{}.img", std::process::id()));
        let file = File::create(&path).unwrap();
        file.set_len(1 << 30).unwrap();
        assert_eq!(parts(&file).unwrap(), []);
        let written = [5 << 20, 700 << 20, (1 << 30) - 512];
        for at in written {
            file.write_all_at(&[1; 512], at).unwrap();
        }
        let found = parts(&file).unwrap();
        std::fs::remove_file(&path).unwrap();
        for at in written {
            assert!(found.iter().any(|part| part.contains(&at)), "{found:x?}");
        }
        let bytes: u64 = found.iter().map(|part| part.end - part.start).sum();
        assert!(bytes <= 1 << 20, "{found:x?}");
    }
}

//! Block devices: a phone in mass-storage mode, an eMMC in a reader. What has
//! to be true before one is written to.

use super::output::Refusal;
use anyhow::{Context, Result};
use std::fs::{File, OpenOptions};
use std::path::Path;
use unilk::backup::target::FileTarget;

/// The CID of the card behind a block device, where the system knows it: with
/// an eMMC or SD controller it does, behind a USB reader it does not.
pub fn cid(path: &Path) -> Option<String> {
    let name = path.canonicalize().ok()?;
    let name = name.file_name()?.to_str()?;
    let text = std::fs::read_to_string(format!("/sys/class/block/{name}/device/cid")).ok()?;
    let text = text.trim().to_owned();
    super::phone::check_cid(&text).ok()
}

/// Opens what a restore writes to, for nobody else to write at the same time.
pub fn open_for_writing(path: &Path) -> Result<FileTarget> {
    let context = || {
        format!(
            "cannot open {} for writing; if it is busy, close what has it open",
            path.display()
        )
    };
    if is_block_device(path)? {
        refuse_if_in_use(path)?;
    }
    let file = open(path, is_block_device(path)?).with_context(context)?;
    FileTarget::new(file, open_direct(path)).with_context(context)
}

/// Refuses a device of which anything is mounted or swapped to.
fn refuse_if_in_use(path: &Path) -> Result<()> {
    let device = path
        .canonicalize()
        .with_context(|| path.display().to_string())?;
    let name = device.file_name().unwrap_or_default().to_string_lossy();
    for list in ["/proc/mounts", "/proc/swaps"] {
        let text = std::fs::read_to_string(list).unwrap_or_default();
        let resolve = |source: &str| {
            let path = Path::new(source).canonicalize().ok()?;
            Some(path.file_name()?.to_string_lossy().into_owned())
        };
        if let Some(used) = in_use(&text, &name, resolve) {
            return Err(Refusal(format!(
                "{used} is in use ({list}): unmount it first, so that nothing else writes to \
                 {name} at the same time"
            ))
            .into());
        }
    }
    Ok(())
}

/// The first device in a list of mounts that is `disk` or a partition of it.
fn in_use<'a>(
    mounts: &'a str,
    disk: &str,
    resolve: impl Fn(&str) -> Option<String>,
) -> Option<&'a str> {
    mounts
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|source| source.starts_with('/'))
        .find(|source| resolve(source).is_some_and(|name| is_part_of(&name, disk)))
}

/// `sdb1` of `sdb`, `mmcblk0p2` of `mmcblk0`.
fn is_part_of(name: &str, disk: &str) -> bool {
    name.strip_prefix(disk).is_some_and(|rest| {
        let number = rest.strip_prefix('p').unwrap_or(rest);
        rest.is_empty() || !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
    })
}

#[cfg(unix)]
fn is_block_device(path: &Path) -> Result<bool> {
    use std::os::unix::fs::FileTypeExt;
    let metadata = std::fs::metadata(path).with_context(|| path.display().to_string())?;
    Ok(metadata.file_type().is_block_device())
}

#[cfg(not(unix))]
fn is_block_device(_path: &Path) -> Result<bool> {
    Ok(false)
}

/// On a block device, `O_EXCL` fails while it is mounted or opened so by
/// anybody else, and keeps others from mounting it.
fn open(path: &Path, exclusive: bool) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(target_os = "linux")]
    if exclusive {
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_EXCL);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = exclusive;
    options.open(path)
}

/// The same for reading what is on the medium rather than in memory.
fn open_direct(path: &Path) -> Option<File> {
    #[cfg(target_os = "linux")]
    {
        let mut options = OpenOptions::new();
        options.read(true);
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_DIRECT);
        options.open(path).ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = path;
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn partitions_of_a_disk_and_of_others() {
        for (name, disk, expected) in [
            ("sdb", "sdb", true),
            ("sdb1", "sdb", true),
            ("sdb12", "sdb", true),
            ("sdbc", "sdb", false),
            ("sda1", "sdb", false),
            ("mmcblk0p7", "mmcblk0", true),
            ("mmcblk0boot0", "mmcblk0", false),
        ] {
            assert_eq!(is_part_of(name, disk), expected, "{name} {disk}");
        }
    }

    #[test]
    fn mounts_are_found_under_other_names() {
        let mounts = "proc /proc proc rw 0 0\n\
                      /dev/sda1 / ext4 rw 0 0\n\
                      /dev/disk/by-label/PHONE /mnt ext4 rw 0 0\n";
        let resolve = |source: &str| {
            Some(match source {
                "/dev/disk/by-label/PHONE" => "sdb7".to_owned(),
                other => other.trim_start_matches("/dev/").to_owned(),
            })
        };
        assert_eq!(
            in_use(mounts, "sdb", resolve),
            Some("/dev/disk/by-label/PHONE")
        );
        assert_eq!(in_use(mounts, "sda", resolve), Some("/dev/sda1"));
        assert_eq!(in_use(mounts, "sdc", resolve), None);
    }

    #[test]
    fn files_are_opened_and_directories_are_not() {
        let path = std::env::temp_dir().join(format!("unilk-device-{}", std::process::id()));
        std::fs::write(&path, [7; 8192]).unwrap();
        let target = open_for_writing(&path).unwrap();
        let mut out = [0; 100];
        unilk::backup::target::Target::read_medium(&target, 4000, &mut out).unwrap();
        assert_eq!(out, [7; 100]);
        std::fs::remove_file(&path).unwrap();
        assert!(open_for_writing(&std::env::temp_dir()).is_err());
        assert!(cid(Path::new("/dev/null")).is_none());
    }
}

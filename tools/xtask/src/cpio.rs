//! Writes cpio archives in the `newc` format that Linux takes as initramfs.
//! Own code, because archiving device nodes with cpio itself needs root.

/// An archive under construction.
#[derive(Default)]
pub struct Archive {
    data: Vec<u8>,
    inodes: u32,
}

const DIRECTORY: u32 = 0o040_755;
const EXECUTABLE: u32 = 0o100_755;
const CHARACTER_DEVICE: u32 = 0o020_600;
const SYMLINK: u32 = 0o120_777;

impl Archive {
    /// Adds a directory. Parents have to be added before what they hold.
    pub fn directory(&mut self, path: &str) {
        self.entry(path, DIRECTORY, (0, 0), &[]);
    }

    /// Adds an executable file.
    pub fn executable(&mut self, path: &str, data: &[u8]) {
        self.entry(path, EXECUTABLE, (0, 0), data);
    }

    /// Adds a symbolic link at `path` to `to`.
    pub fn symlink(&mut self, path: &str, to: &str) {
        self.entry(path, SYMLINK, (0, 0), to.as_bytes());
    }

    /// Adds a character device.
    pub fn device(&mut self, path: &str, major: u32, minor: u32) {
        self.entry(path, CHARACTER_DEVICE, (major, minor), &[]);
    }

    /// The finished archive.
    pub fn finish(mut self) -> Vec<u8> {
        self.inodes = 0;
        self.entry("TRAILER!!!", 0, (0, 0), &[]);
        self.data
    }

    fn entry(&mut self, path: &str, mode: u32, device: (u32, u32), content: &[u8]) {
        self.inodes += 1;
        let links = if mode == DIRECTORY { 2 } else { 1 };
        // Inode, mode, uid, gid, links, mtime, size, device, node's device,
        // name length with its NUL, checksum. No times: equal input gives
        // equal bytes.
        let fields = [
            self.inodes,
            mode,
            0,
            0,
            links,
            0,
            content.len() as u32,
            0,
            0,
            device.0,
            device.1,
            path.len() as u32 + 1,
            0,
        ];
        self.data.extend_from_slice(b"070701");
        for field in fields {
            self.data
                .extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.data.extend_from_slice(path.as_bytes());
        self.data.push(0);
        self.pad();
        self.data.extend_from_slice(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.data.resize(self.data.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_laid_out_as_the_kernel_reads_it() {
        let mut archive = Archive::default();
        archive.executable("init", b"#!x\n1");
        let data = archive.finish();
        assert_eq!(&data[..6], b"070701");
        let field = |index: usize| {
            let text = std::str::from_utf8(&data[6 + 8 * index..14 + 8 * index]);
            u32::from_str_radix(text.unwrap_or_default(), 16).unwrap_or(u32::MAX)
        };
        assert_eq!(field(1), 0o100_755);
        assert_eq!(field(6), 5);
        assert_eq!(field(11), 5);
        // 110 bytes of head, name with NUL padded to 4, content padded to 4.
        assert_eq!(&data[110..115], b"init\0");
        assert_eq!(&data[116..121], b"#!x\n1");
        assert_eq!(&data[124..130], b"070701");
        assert!(data.ends_with(b"TRAILER!!!\0\0\0\0") || data.len() % 4 == 0);
    }
}

//! Writes a backup, in one pass over what is kept.
//!
//! One thread reads and hashes, a second writes and reads back what it wrote,
//! so that the slower of the two sets the pace; a third has the system put on
//! the disk what was written, so that there is little left to wait for at the
//! end. Where the phone has nothing but zeros the archive gets a hole, which
//! reads as zeros. 16 chunks of 256 KiB, which stay in the processor's caches,
//! are all the memory that is used, however large the phone.
//!
//! The archive grows under a temporary name. Only when every byte was compared
//! with what was read from the phone, everything is on the disk, and the
//! archive opens and its small parts (all that nobody can make again) hash to
//! what its manifest says, it gets its name. A backup that exists is complete.

use super::archive::Archive;
use super::digest::{Digest, Hasher};
use super::dump::{Dump, DumpPart};
use super::growing::Growing;
use super::manifest::{self, FileCopy, Manifest, Part, Undo};
use super::member::{self, BLOCK_BYTES, END_BYTES};
use super::set::{Guard, holds};
use super::{Error, archive};
use crate::identity::files::NvramFiles;
use crate::progress::Progress;
use crate::source::{FileSource, Source};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{SystemTime, UNIX_EPOCH};

const CHUNK_BYTES: usize = 256 << 10;
/// Bytes after which the system is asked to put them on the disk.
const FLUSH_BYTES: usize = 256 << 20;
/// Chunks that are on their way at a time.
const CHUNKS: usize = 16;
/// Parts up to this size are hashed once more when the archive is complete.
const HASH_AGAIN_MAX: u64 = 64 << 20;

/// A backup to be written: its manifest without hashes, and the bytes.
pub struct Backup {
    manifest: Manifest,
    contents: Vec<Arc<dyn Source>>,
    unix_time: u64,
}

impl Backup {
    /// Of `parts` of a dump and `files` of its /data/nvram, made `now`.
    pub fn new(dump: &Dump, parts: &[&DumpPart], files: &NvramFiles, now: SystemTime) -> Self {
        let mut manifest =
            Manifest::new(&dump.origin, dump.phone.clone(), dump.evidence.clone(), now);
        let mut contents: Vec<Arc<dyn Source>> = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let bytes = part.data.len().min(part.place.bytes);
            manifest.parts.push(Part {
                name: manifest::plain(&part.name),
                member: part_member(&part.name, index),
                place: part.place,
                bytes,
                sha256: Digest::default(),
                holds: holds(&part.name).to_owned(),
                reference_only: Guard::of(&part.name, part.place.area) == Guard::Never,
            });
            contents.push(part.data.clone());
        }
        for (path, content) in files.iter() {
            manifest.files.push(FileCopy {
                path: path.to_owned(),
                member: format!("data-nvram/{path}"),
                bytes: content.len(),
                sha256: Digest::default(),
            });
            contents.push(content.clone());
        }
        let since = now.duration_since(UNIX_EPOCH);
        Self {
            manifest,
            contents,
            unix_time: since.map_or(0, |since| since.as_secs()),
        }
    }

    /// Makes it the journal of a restore.
    #[must_use]
    pub fn with_undo(mut self, undo: Undo) -> Self {
        self.manifest.undo = Some(undo);
        self
    }

    /// The manifest, whose hashes are not known yet.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Bytes that will be read.
    pub fn bytes(&self) -> u64 {
        let bytes = self.manifest.members().map(|(_, bytes, _)| bytes);
        bytes.fold(0, u64::saturating_add)
    }

    /// Writes the archive to `path`, which must not exist, and returns its
    /// manifest and the manifest's digest.
    pub fn create(
        mut self,
        path: &Path,
        progress: &mut dyn Progress,
    ) -> Result<(Manifest, Digest), Error> {
        if self.contents.is_empty() {
            return Err(Error::Nothing);
        }
        if path.exists() {
            return Err(Error::Exists(path.to_owned()));
        }
        let growing = Growing::new(path)?;
        let json = self.fill(&growing, progress)?;
        check(&growing, &self.manifest)?;
        growing.finish()?;
        Ok((self.manifest, Digest::of(&json)))
    }

    /// Writes everything and returns the manifest's text.
    fn fill(&mut self, out: &Growing, progress: &mut dyn Progress) -> Result<Vec<u8>, Error> {
        let said = || out.path.display().to_string();
        let time = self.unix_time;
        let shape = |why: manifest::Error| Error::Archive(why.to_string());
        // Everything's place is known before the first byte of a part.
        let json_bytes = self.manifest.to_json().map_err(shape)?.len() as u64;
        let sums_bytes = self.manifest.sums(b"").len() as u64;
        let mut at = 0u64;
        let mut place = |bytes: u64| {
            let start = at;
            at = member::stored_bytes(bytes)
                .and_then(|bytes| at.checked_add(bytes))
                .ok_or_else(|| Error::Archive("the parts are too large".to_owned()))?;
            Ok::<u64, Error>(start)
        };
        let json_at = place(json_bytes)?;
        let sums_at = place(sums_bytes)?;
        let starts = self
            .manifest
            .members()
            .map(|(_, bytes, _)| place(bytes))
            .collect::<Result<Vec<u64>, Error>>()?;
        let mut file = out.file.try_clone().map_err(Error::io(said()))?;
        file.set_len(at + END_BYTES).map_err(Error::io(said()))?;

        progress.begin("backup", self.bytes());
        let digests = std::thread::scope(|scope| {
            let (to_writer, chunks) = channel();
            let (free, buffers) = channel();
            for _ in 0..CHUNKS {
                // The other end lives until the writer ends.
                let _ = free.send(Vec::new());
            }
            let (flush, flushes) = channel();
            let writer = scope.spawn(move || write_chunks(&mut file, &chunks, &free, &flush));
            // An error of the disk is told once, so it is kept.
            let flusher =
                scope.spawn(move || flushes.iter().try_for_each(|()| out.file.sync_data()));
            let read = self.read_all(&starts, &to_writer, &buffers, progress);
            drop(to_writer);
            let ended = |_| io::Error::other("a thread ended");
            let written = writer.join().map_err(ended).flatten();
            let flushed = flusher.join().map_err(ended).flatten();
            written.and(flushed).map_err(Error::io(said())).and(read)
        })?;
        progress.finish();

        let mut digests = digests.into_iter();
        let parts = self.manifest.parts.iter_mut().map(|part| &mut part.sha256);
        let files = self.manifest.files.iter_mut().map(|file| &mut file.sha256);
        for (slot, digest) in parts.chain(files).zip(&mut digests) {
            *slot = digest;
        }
        let json = self.manifest.to_json().map_err(shape)?;
        let sums = self.manifest.sums(&json);
        let mut file = out.file.try_clone().map_err(Error::io(said()))?;
        put_member(&mut file, json_at, manifest::MEMBER, &json, time)
            .and_then(|()| put_member(&mut file, sums_at, archive::SUMS, sums.as_bytes(), time))
            .and_then(|()| file.sync_all())
            .map_err(Error::io(said()))?;
        Ok(json)
    }

    /// Reads and hashes every content and hands it to the writer.
    fn read_all(
        &self,
        starts: &[u64],
        writer: &Sender<Chunk>,
        buffers: &Receiver<Vec<u8>>,
        progress: &mut dyn Progress,
    ) -> Result<Vec<Digest>, Error> {
        // If the writer has ended, its own error is the one that counts.
        let gone = || Error::Archive("the writing thread ended".to_owned());
        let send = |at, bytes| writer.send(Chunk { at, bytes }).map_err(|_| gone());
        let mut digests = Vec::new();
        for (((name, bytes, _), content), &start) in
            self.manifest.members().zip(&self.contents).zip(starts)
        {
            let header = member::header(name, bytes, self.unix_time).map_err(Error::io(name))?;
            send(start, header.as_bytes().to_vec())?;
            let mut hasher = Hasher::default();
            let mut done = 0;
            while done < bytes {
                let mut chunk = buffers.recv().map_err(|_| gone())?;
                let count = usize::try_from(bytes - done).unwrap_or(CHUNK_BYTES);
                chunk.resize(count.min(CHUNK_BYTES), 0);
                content
                    .read_at(done, &mut chunk)
                    .map_err(Error::io(format!("reading {name} at byte {done:#x}")))?;
                hasher.update(&chunk);
                progress.advance(chunk.len() as u64);
                let at = start + BLOCK_BYTES + done;
                done += chunk.len() as u64;
                send(at, chunk)?;
            }
            digests.push(hasher.finish());
        }
        Ok(digests)
    }
}

/// Bytes on their way to a place in the archive.
struct Chunk {
    at: u64,
    bytes: Vec<u8>,
}

/// Writes chunks until no more come, and reads each back.
fn write_chunks(
    file: &mut File,
    chunks: &Receiver<Chunk>,
    free: &Sender<Vec<u8>>,
    flush: &Sender<()>,
) -> io::Result<()> {
    let mut back = Vec::new();
    let mut written = 0;
    for chunk in chunks {
        // The file was empty: what is not written reads as zeros.
        if !is_zero(&chunk.bytes) {
            file.seek(SeekFrom::Start(chunk.at))?;
            file.write_all(&chunk.bytes)?;
            back.resize(chunk.bytes.len(), 0);
            file.seek(SeekFrom::Start(chunk.at))?;
            file.read_exact(&mut back)?;
            if back != chunk.bytes {
                return Err(io::Error::other(format!(
                    "what was written at byte {} does not read back",
                    chunk.at
                )));
            }
            written += chunk.bytes.len();
            if written >= FLUSH_BYTES {
                written = 0;
                let _ = flush.send(());
            }
        }
        // Nobody takes it back when the last chunk was read.
        let _ = free.send(chunk.bytes);
    }
    Ok(())
}

/// Whether there is nothing but zeros; as fast as memory is compared.
fn is_zero(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0) && bytes[..bytes.len() - 1] == bytes[1..]
}

fn put_member(file: &mut File, at: u64, name: &str, content: &[u8], time: u64) -> io::Result<()> {
    let header = member::header(name, content.len() as u64, time)?;
    file.seek(SeekFrom::Start(at))?;
    file.write_all(header.as_bytes())?;
    file.write_all(content)
}

/// Opens what was written as anybody would, and hashes what is small.
fn check(written: &Growing, manifest: &Manifest) -> Result<(), Error> {
    let name = || written.path.display().to_string();
    let file = FileSource::open(&written.path).map_err(Error::io(name()))?;
    let archive = Archive::open(Arc::new(file))?;
    if archive.manifest() != manifest || !archive.findings().is_empty() {
        return Err(Error::ReadBack(name()));
    }
    for (member, bytes, digest) in manifest.members() {
        if bytes <= HASH_AGAIN_MAX {
            let content = archive
                .content(member)
                .ok_or_else(|| Error::ReadBack(name()))?;
            let found = Digest::of_source(&content, |_| {}).map_err(Error::io(name()))?;
            if found != digest {
                return Err(Error::ReadBack(format!("{member} in {}", name())));
            }
        }
    }
    Ok(())
}

/// Name of a part's file: its own name where that is one for a file.
fn part_member(name: &str, index: usize) -> String {
    let plain = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if plain && !name.is_empty() && name.len() <= 64 {
        format!("parts/{name}.img")
    } else {
        format!("parts/part-{index}.img")
    }
}

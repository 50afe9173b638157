//! Starts QEMU, reads the serial ports while it runs, and gathers the outcome.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Phone;
use crate::command::{self, Serial};
use crate::error::Error;
use crate::events::{self, Event, Fault, Kind};
use crate::screen::Screen;

/// How often the run is looked at.
const POLL: Duration = Duration::from_millis(2);
/// How long QEMU may take to write its last lines after it was told to stop.
const GRACE: Duration = Duration::from_secs(3);
/// How long QEMU may take to open its serial ports.
const CONNECT: Duration = Duration::from_secs(20);

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// QEMU ended by itself: power-off, USB download, or given up.
    Ended,
    /// The text was seen.
    Text,
    /// The wall-clock limit.
    Limit,
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// Everything that each serial port said.
    pub serial: [String; 2],
    /// The list of events.
    pub events: Vec<Event>,
    /// Why the run ended.
    pub stop: Stop,
    /// QEMU's exit status.
    pub status: ExitStatus,
    /// What QEMU and the plugin wrote to standard error.
    pub stderr: String,
    /// Wall-clock time.
    pub wall: Duration,
}

impl Outcome {
    /// The guest errors among the events.
    pub fn guest_errors(&self) -> impl Iterator<Item = &Fault> {
        self.events.iter().filter_map(|event| match &event.kind {
            Kind::GuestError(fault) => Some(fault),
            _ => None,
        })
    }

    /// Guest errors in all, also those that were too many to list.
    pub fn error_count(&self) -> u64 {
        let counted = self.events.iter().find_map(|event| match event.kind {
            Kind::Exit { errors, .. } => Some(errors),
            _ => None,
        });
        counted.unwrap_or_else(|| self.guest_errors().count() as u64)
    }

    /// Whether an event of this kind occurred.
    pub fn saw(&self, test: impl Fn(&Kind) -> bool) -> bool {
        self.events.iter().any(|event| test(&event.kind))
    }

    /// The newest picture of the screen that was taken for `milestone`, from
    /// the folder of [`Phone::screen`].
    ///
    /// # Errors
    /// There is none, or its file cannot be read.
    pub fn screen(&self, folder: &Path, milestone: &str) -> Result<Screen, Error> {
        let newest = self
            .events
            .iter()
            .rev()
            .find_map(|event| match &event.kind {
                Kind::Screen {
                    milestone: of,
                    file,
                    ..
                } if of == milestone => Some(file),
                _ => None,
            });
        let file = newest.ok_or_else(|| Error::NoScreen(milestone.to_owned()))?;
        Screen::load(&folder.join(file))
    }

    /// What one saw, in the order in which it was seen: each state of the
    /// screen at which a picture was taken, without repeats.
    pub fn screen_states(&self) -> Vec<&str> {
        let mut states = Vec::new();
        for event in &self.events {
            if let Kind::Screen { state, .. } = &event.kind
                && states.last() != Some(&state.as_str())
            {
                states.push(state);
            }
        }
        states
    }

    /// The event that ended the phone's life, if it did end.
    pub fn end(&self) -> Option<&Event> {
        self.events.iter().find(|event| {
            matches!(
                event.kind,
                Kind::PowerOff { .. } | Kind::UsbDownload { .. } | Kind::Stopped { .. }
            )
        })
    }

    /// Virtual time from LK's entry to the kernel's, in nanoseconds, plus
    /// `mmio_cost_ns` for each access to a register, which QEMU gives for free.
    pub fn lk_time_ns(&self, mmio_cost_ns: u64) -> Option<u64> {
        let at = |test: fn(&Kind) -> Option<u64>| {
            self.events
                .iter()
                .rev()
                .find_map(|event| test(&event.kind).map(|mmio| (event.t_ns, mmio)))
        };
        let (start, mmio_before) = at(|kind| {
            if let Kind::LkEntry { mmio, .. } = kind {
                Some(*mmio)
            } else {
                None
            }
        })?;
        let (end, mmio_after) = at(|kind| {
            if let Kind::KernelEntry { mmio, .. } = kind {
                Some(*mmio)
            } else {
                None
            }
        })?;
        Some(end.checked_sub(start)? + mmio_after.saturating_sub(mmio_before) * mmio_cost_ns)
    }
}

/// A folder for sockets and lists that goes away with the run.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Scratch, Error> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "unilk-phone-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).map_err(|error| Error::Io("a folder for the run", error))?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind is a few kilobytes in the temporary folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The child, ended with its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The harness's end of a serial port.
struct Port {
    stream: UnixStream,
    bytes: Vec<u8>,
}

impl Phone {
    /// Runs the phone to its end, to the text, or to the limit.
    ///
    /// # Errors
    /// QEMU, the plugin or a file is missing, or QEMU did not start the phone.
    pub fn run(&self) -> Result<Outcome, Error> {
        let scratch = Scratch::new()?;
        let started = Instant::now();
        let paths = [scratch.0.join("uart0"), scratch.0.join("uart1")];
        let listeners = [listen(&paths[0])?, listen(&paths[1])?];
        let list = self
            .events
            .clone()
            .unwrap_or_else(|| scratch.0.join("events"));
        let words = scratch.0.join("stderr");
        let mut command = command::build(self, &Serial::Sockets(paths), &list)?;
        let stderr =
            std::fs::File::create(&words).map_err(|error| Error::Io("standard error", error))?;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr);
        let program = PathBuf::from(command.get_program());
        let mut child = Running(command.spawn().map_err(|_| Error::NoQemu(program))?);
        let mut ports = Vec::new();
        for listener in &listeners {
            ports.push(accept(listener, &mut child.0, &words)?);
        }
        let stop = self.watch(&mut child.0, &mut ports, started)?;
        let status = finish(&mut child.0)?;
        for port in &mut ports {
            port.drain()?;
        }
        let events = events::parse(&std::fs::read_to_string(&list).unwrap_or_default());
        let stderr = std::fs::read_to_string(&words).unwrap_or_default();
        if events.is_empty() && stop == Stop::Ended {
            // The ports are open before the plugin has looked at its arguments.
            return Err(Error::NotStarted(stderr.trim().to_owned()));
        }
        let mut text = ports
            .into_iter()
            .map(|port| String::from_utf8_lossy(&port.bytes).into_owned());
        Ok(Outcome {
            serial: [
                text.next().unwrap_or_default(),
                text.next().unwrap_or_default(),
            ],
            events,
            stop,
            status,
            stderr,
            wall: started.elapsed(),
        })
    }

    /// Runs the phone with serial port `port` on the terminal, until QEMU ends.
    ///
    /// # Errors
    /// As [`Phone::run`].
    pub fn interactive(&self, port: usize) -> Result<(ExitStatus, Vec<Event>), Error> {
        let scratch = Scratch::new()?;
        let list = self
            .events
            .clone()
            .unwrap_or_else(|| scratch.0.join("events"));
        let mut command = command::build(self, &Serial::Terminal(port), &list)?;
        let program = PathBuf::from(command.get_program());
        let mut child = Running(command.spawn().map_err(|_| Error::NoQemu(program))?);
        let status = child
            .0
            .wait()
            .map_err(|error| Error::Io("waiting for QEMU", error))?;
        Ok((
            status,
            events::parse(&std::fs::read_to_string(&list).unwrap_or_default()),
        ))
    }

    fn watch(
        &self,
        child: &mut Child,
        ports: &mut [Port],
        started: Instant,
    ) -> Result<Stop, Error> {
        let mut typed = self.typed.iter().peekable();
        let mut typed_from = [0; 2];
        loop {
            for port in ports.iter_mut() {
                port.drain()?;
            }
            while let Some(next) = typed.peek() {
                let Some(port) = ports.get_mut(next.port) else {
                    break;
                };
                let Some(at) = find(&port.bytes, next.after.as_bytes(), typed_from[next.port])
                else {
                    break;
                };
                typed_from[next.port] = at;
                port.stream
                    .write_all(&next.bytes)
                    .map_err(|error| Error::Io("typing", error))?;
                typed.next();
            }
            if let Some((port, text)) = &self.until
                && ports
                    .get(*port)
                    .is_some_and(|port| find(&port.bytes, text.as_bytes(), 0).is_some())
            {
                return Ok(Stop::Text);
            }
            if child
                .try_wait()
                .map_err(|error| Error::Io("waiting for QEMU", error))?
                .is_some()
            {
                return Ok(Stop::Ended);
            }
            if started.elapsed() > self.limit {
                return Ok(Stop::Limit);
            }
            thread::sleep(POLL);
        }
    }
}

impl Port {
    /// Takes what has arrived, without waiting.
    fn drain(&mut self) -> Result<(), Error> {
        let mut chunk = [0; 4096];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(len) => self.bytes.extend_from_slice(&chunk[..len]),
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::ConnectionReset
                    ) =>
                {
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::Io("a serial port", error)),
            }
        }
    }
}

/// Where the first `text` after `from` ends.
fn find(bytes: &[u8], text: &[u8], from: usize) -> Option<usize> {
    if text.is_empty() {
        return Some(from);
    }
    let at = bytes
        .get(from..)?
        .windows(text.len())
        .position(|window| window == text)?;
    Some(from + at + text.len())
}

fn listen(path: &Path) -> Result<UnixListener, Error> {
    let listener =
        UnixListener::bind(path).map_err(|error| Error::Io("a socket for a serial port", error))?;
    listener
        .set_nonblocking(true)
        .map_err(|error| Error::Io("a socket for a serial port", error))?;
    Ok(listener)
}

/// Waits for QEMU to open a serial port.
fn accept(listener: &UnixListener, child: &mut Child, words: &Path) -> Result<Port, Error> {
    let started = Instant::now();
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream
                    .set_nonblocking(true)
                    .map_err(|error| Error::Io("a serial port", error))?;
                return Ok(Port {
                    stream,
                    bytes: Vec::new(),
                });
            }
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                return Err(Error::Io("a serial port", error));
            }
            Err(_) => {}
        }
        let ended = child
            .try_wait()
            .map_err(|error| Error::Io("waiting for QEMU", error))?
            .is_some();
        if ended || started.elapsed() > CONNECT {
            let words = std::fs::read_to_string(words).unwrap_or_default();
            return Err(Error::NotStarted(words.trim().to_owned()));
        }
        thread::sleep(POLL);
    }
}

/// Asks QEMU to stop, so that it writes its last lines, and insists if it
/// does not.
fn finish(child: &mut Child) -> Result<ExitStatus, Error> {
    let waiting = |error| Error::Io("waiting for QEMU", error);
    if let Some(status) = child.try_wait().map_err(waiting)? {
        return Ok(status);
    }
    let told = Instant::now();
    terminate(child);
    while told.elapsed() < GRACE {
        if let Some(status) = child.try_wait().map_err(waiting)? {
            return Ok(status);
        }
        thread::sleep(POLL);
    }
    child.kill().map_err(waiting)?;
    child.wait().map_err(waiting)
}

/// SIGTERM, by the shell's `kill`: the standard library sends SIGKILL only.
fn terminate(child: &Child) {
    let _ = std::process::Command::new("sh")
        .args(["-c", &format!("kill -TERM {}", child.id())])
        .status();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_once() {
        let bytes = b"ok> ok> ";
        assert_eq!(find(bytes, b"ok>", 0), Some(3));
        assert_eq!(find(bytes, b"ok>", 3), Some(7));
        assert_eq!(find(bytes, b"ok>", 7), None);
        assert_eq!(find(bytes, b"", 2), Some(2));
    }
}

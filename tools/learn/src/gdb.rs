//! A client of GDB's remote protocol, as far as QEMU speaks it and a CPU that
//! runs other people's code needs it.
//!
//! Source: "Debugging with GDB", appendix "GDB Remote Serial Protocol"; QEMU
//! numbers ARM's registers r0 to r15 as 0 to 15, CPSR as 0x19.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// Longest answer; QEMU's own limit is 4 KiB.
const LONGEST_ANSWER: usize = 64 << 10;
/// Bytes of memory a packet carries.
const CHUNK: usize = 1024;
/// How long an answer may take that needs no code to run.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// Number of CPSR.
const CPSR: usize = 0x19;

/// r0 to r15, then CPSR.
pub type Registers = [u32; 17];

/// Why the CPU stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// A breakpoint, or the end of a single step.
    Break,
    /// The instruction at the program counter is about to read what is
    /// watched. QEMU does not say which address.
    Read,
    /// And to write it.
    Write,
    /// It ran for as long as it may.
    TimeUp,
}

/// A connection to a QEMU that serves GDB on its standard streams.
pub struct Gdb {
    input: ChildStdin,
    output: Receiver<Vec<u8>>,
    pending: Vec<u8>,
    child: Child,
}

impl Drop for Gdb {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn broken(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

fn pump(mut output: ChildStdout) -> Receiver<Vec<u8>> {
    let (sender, receiver) = sync_channel(16);
    std::thread::spawn(move || {
        let mut room = [0; 4096];
        while let Ok(count @ 1..) = output.read(&mut room) {
            let read = room.get(..count).unwrap_or_default().to_vec();
            if sender.send(read).is_err() {
                break;
            }
        }
    });
    receiver
}

impl Gdb {
    /// Takes over a process that was started with piped standard streams.
    ///
    /// # Errors
    /// The process does not talk as expected, or ended.
    pub fn new(mut child: Child) -> io::Result<Self> {
        let streams = child.stdin.take().zip(child.stdout.take());
        let (input, output) = streams.ok_or_else(|| broken("QEMU without standard streams"))?;
        let mut gdb = Self {
            input,
            output: pump(output),
            pending: Vec::new(),
            child,
        };
        gdb.ask("qSupported")?;
        gdb.ask("QStartNoAckMode")?;
        // QEMU lets single registers be written only to who knows its own
        // description of them.
        gdb.ask("qXfer:features:read:target.xml:0,ffb")?;
        Ok(gdb)
    }

    fn send(&mut self, packets: &[String]) -> io::Result<()> {
        let mut bytes = Vec::new();
        for packet in packets {
            let sum = packet.bytes().fold(0_u8, u8::wrapping_add);
            let _ = write!(bytes, "${packet}#{sum:02x}");
        }
        self.input.write_all(&bytes)?;
        self.input.flush()
    }

    /// The next answer, or `None` if there is none before `deadline`.
    fn answer(&mut self, deadline: Instant) -> io::Result<Option<String>> {
        loop {
            if let Some(answer) = self.take_answer()? {
                return Ok(Some(answer));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.pending.extend_from_slice(&bytes),
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(broken("qemu-system-arm ended"));
                }
            }
        }
    }

    fn take_answer(&mut self) -> io::Result<Option<String>> {
        if self.pending.len() > LONGEST_ANSWER {
            return Err(broken("an answer of QEMU has no end"));
        }
        let Some(start) = self.pending.iter().position(|&byte| byte == b'$') else {
            self.pending.clear();
            return Ok(None);
        };
        let body = self.pending.get(start + 1..).unwrap_or_default();
        let Some(length) = body.iter().position(|&byte| byte == b'#') else {
            return Ok(None);
        };
        if body.len() < length + 3 {
            return Ok(None);
        }
        let text = body.get(..length).unwrap_or_default();
        let text = String::from_utf8_lossy(text).into_owned();
        self.pending.drain(..start + 1 + length + 3);
        Ok(Some(text))
    }

    fn wait(&mut self) -> io::Result<String> {
        let answer = self.answer(Instant::now() + ANSWER_TIME)?;
        answer.ok_or_else(|| broken("qemu-system-arm does not answer"))
    }

    fn ask(&mut self, packet: &str) -> io::Result<String> {
        self.send(&[packet.to_owned()])?;
        self.wait()
    }

    /// Sends `packets` at once; all must be answered with OK.
    fn order(&mut self, packets: &[String]) -> io::Result<()> {
        // Both directions are pipes of limited size.
        for some in packets.chunks(32) {
            self.send(some)?;
            for packet in some {
                let answer = self.wait()?;
                if answer != "OK" {
                    let what = packet.get(..24).unwrap_or(packet);
                    return Err(broken(format!("QEMU answers \"{answer}\" to {what}")));
                }
            }
        }
        Ok(())
    }

    /// All registers.
    ///
    /// # Errors
    /// The connection broke.
    pub fn registers(&mut self) -> io::Result<Registers> {
        let answer = self.ask("g")?;
        let mut registers = [0; 17];
        for (register, digits) in registers.iter_mut().zip(answer.as_bytes().chunks(8)) {
            *register = word(digits).ok_or_else(|| broken("QEMU has too few registers"))?;
        }
        Ok(registers)
    }

    /// Writes registers: number (16 = CPSR) and value.
    ///
    /// # Errors
    /// The connection broke.
    pub fn set(&mut self, registers: &[(usize, u32)]) -> io::Result<()> {
        let packets: Vec<String> = registers.iter().map(set_packet).collect();
        self.order(&packets)
    }

    /// Fills `out` from `address` on.
    ///
    /// # Errors
    /// The connection broke, or there is no memory.
    pub fn read(&mut self, address: u32, out: &mut [u8]) -> io::Result<()> {
        let mut at = address;
        for chunk in out.chunks_mut(CHUNK) {
            let answer = self.ask(&format!("m{at:x},{:x}", chunk.len()))?;
            if answer.len() != 2 * chunk.len() {
                return Err(broken(format!("no memory at {at:#x}")));
            }
            for (byte, digits) in chunk.iter_mut().zip(answer.as_bytes().chunks(2)) {
                *byte = two(digits).ok_or_else(|| broken("QEMU answers no digits"))?;
            }
            at = at.wrapping_add(chunk.len() as u32);
        }
        Ok(())
    }

    /// Writes memory.
    ///
    /// # Errors
    /// The connection broke, or there is no memory.
    pub fn write(&mut self, address: u32, bytes: &[u8]) -> io::Result<()> {
        let mut packets = Vec::new();
        let mut at = address;
        for chunk in bytes.chunks(CHUNK) {
            let mut packet = format!("M{at:x},{:x}:", chunk.len());
            for byte in chunk {
                let _ = write!(packet, "{byte:02x}");
            }
            packets.push(packet);
            at = at.wrapping_add(chunk.len() as u32);
        }
        self.order(&packets)
    }

    /// Sets or takes away breakpoints.
    ///
    /// # Errors
    /// The connection broke.
    pub fn breakpoints(&mut self, set: bool, addresses: &[u32]) -> io::Result<()> {
        let sign = if set { 'Z' } else { 'z' };
        let packets: Vec<String> = addresses
            .iter()
            .map(|address| format!("{sign}0,{address:x},2"))
            .collect();
        self.order(&packets)
    }

    /// Stops before every access to `length` bytes from `address` on, or no
    /// longer does.
    ///
    /// # Errors
    /// The connection broke.
    pub fn watch(&mut self, set: bool, address: u32, length: u32) -> io::Result<()> {
        let sign = if set { 'Z' } else { 'z' };
        self.order(&[
            format!("{sign}2,{address:x},{length:x}"),
            format!("{sign}3,{address:x},{length:x}"),
        ])
    }

    /// Writes registers, then runs until something stops the CPU, or until
    /// `deadline`.
    ///
    /// # Errors
    /// The connection broke.
    pub fn run(&mut self, registers: &[(usize, u32)], deadline: Instant) -> io::Result<Stop> {
        let mut packets: Vec<String> = registers.iter().map(set_packet).collect();
        packets.push("c".to_owned());
        self.send(&packets)?;
        for _ in registers {
            self.wait()?;
        }
        if let Some(answer) = self.answer(deadline)? {
            return stop(&answer);
        }
        self.input.write_all(&[3])?;
        self.input.flush()?;
        let answer = self.wait()?;
        // It may have stopped by itself at the same moment.
        stop(&answer).map(|stop| match stop {
            Stop::Break => Stop::TimeUp,
            other => other,
        })
    }

    /// Runs one instruction, even one with a breakpoint.
    ///
    /// # Errors
    /// The connection broke.
    pub fn step(&mut self) -> io::Result<Stop> {
        let answer = self.ask("s")?;
        stop(&answer)
    }
}

fn set_packet(&(register, value): &(usize, u32)) -> String {
    let number = if register == 16 { CPSR } else { register };
    format!("P{number:x}={:08x}", value.swap_bytes())
}

fn stop(answer: &str) -> io::Result<Stop> {
    if !answer.starts_with('T') {
        return Err(broken(format!("QEMU stops with \"{answer}\"")));
    }
    for field in answer.split(';') {
        match field.split_once(':') {
            Some(("rwatch", _)) => return Ok(Stop::Read),
            Some(("watch", _)) => return Ok(Stop::Write),
            _ => {}
        }
    }
    Ok(if answer.starts_with("T02") {
        Stop::TimeUp
    } else {
        Stop::Break
    })
}

fn two(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

fn word(digits: &[u8]) -> Option<u32> {
    let word = u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    (digits.len() == 8).then(|| word.swap_bytes())
}

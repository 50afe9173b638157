//! Prints and checks an ATAG list of the vendor's kind
//! (facts/storage-and-images.md 6.2).

use crate::kernel::End;
use crate::machine::{Machine, crc32, fail, print};

const NONE: u32 = 0;
const CORE: u32 = 0x5441_0001;
const MEM: u32 = 0x5441_0002;
const INITRD2: u32 = 0x5442_0005;
const CMDLINE: u32 = 0x5441_0009;
const VIDEOLFB: u32 = 0x5441_0008;
const BOOT: u32 = 0x4100_0802;
const META_COM: u32 = 0x4100_0803;
const DEVINFO: u32 = 0x4100_0804;
const DFO: u32 = 0x4100_0805;
const MDINFO: u32 = 0x4100_0806;

/// Walks the list at `address`; `machine_type` is r1.
pub fn show(machine: &Machine, machine_type: u32, address: u32) -> End {
    if machine_type != 6572 {
        fail!("machine type {machine_type}, vendor kernels want 6572");
    }
    let mut end = End::Off;
    let mut at = address;
    for _ in 0..64 {
        let (Some(words), Some(id)) = (machine.word(at), machine.word(at + 4)) else {
            fail!("ATAG at {at:08x} lies outside of DRAM");
            return end;
        };
        let word = |n: u32| machine.word(at + 8 + 4 * n).unwrap_or(0);
        match id {
            NONE => {
                if words != 0 {
                    fail!("ATAG NONE has size {words}");
                }
                print!("TK atag NONE");
                return end;
            }
            CORE => print!("TK atag CORE words={words}"),
            BOOT => print!("TK atag BOOT mode={}", word(0)),
            MEM => print!("TK atag MEM start={:08x} size={:08x}", word(1), word(0)),
            META_COM => print!("TK atag META_COM type={} id={}", word(0), word(1)),
            DEVINFO => devinfo(words, &word),
            DFO => print!("TK atag DFO words={words}"),
            MDINFO => print!("TK atag MDINFO types={:08x}", word(0)),
            CMDLINE => end = command_line(machine, at, words),
            INITRD2 => initrd(machine, word(0), word(1)),
            VIDEOLFB => print!(
                "TK atag VIDEOLFB words={words} base={:08x} size={:08x}",
                word(2),
                word(3)
            ),
            _ => fail!("unknown ATAG {id:08x}"),
        }
        if words < 2 {
            fail!("ATAG {id:08x} has size {words}");
            return end;
        }
        at += 4 * words;
    }
    fail!("no end of the ATAG list");
    end
}

fn devinfo(words: u32, word: &dyn Fn(u32) -> u32) {
    if words != 0x1D || word(26) != 26 {
        fail!("DEVINFO has {words} words, count {}", word(26));
    }
    print!(
        "TK atag DEVINFO w12={:08x} w13={:08x} w18={:08x} w20={:08x}",
        word(12),
        word(13),
        word(18),
        word(20)
    );
}

fn command_line(machine: &Machine, at: u32, words: u32) -> End {
    let room = words.saturating_sub(2) * 4;
    let text = machine.memory(at + 8, room).unwrap_or(&[]);
    let Some(len) = text.iter().position(|&byte| byte == 0) else {
        fail!("CMDLINE is not terminated");
        return End::Off;
    };
    let line = core::str::from_utf8(&text[..len]).unwrap_or("(not text)");
    print!("TK atag CMDLINE {line}");
    End::from_command_line(line)
}

fn initrd(machine: &Machine, start: u32, size: u32) {
    let crc = machine.memory(start, size).map_or(0, crc32);
    print!("TK atag INITRD2 start={start:08x} size={size:08x} crc={crc:08x}");
}

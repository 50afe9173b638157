//! Stock-like LK images of our own making: vectors, a function that prints and
//! cannot run in an emulated CPU without devices, drivers, and their list.

mod assembler;

use assembler::{ABOVE, Assembler, BELOW, EQUAL, NOT_EQUAL};
use unilk_learn::image::BASE;
use unilk_learn::layout::Generation;

const PRINT: [u32; 2] = [BASE + 0x200, BASE + 0x280];
const UTIL: u32 = BASE + 0x1000;
const UART: u32 = BASE + 0x1004;
const BUFFER: u32 = BASE + 0x1010;
const CODE: u32 = BASE + 0x2000;

/// Something a driver does.
#[derive(Clone)]
pub enum Op {
    Reset(bool),
    Delay(u32),
    /// A row of a table.
    V2(u8, Vec<u8>),
    /// Raw queue words.
    Raw(Vec<u32>),
    /// Data type, command, parameters.
    V3(u8, u8, Vec<u8>),
    PinLevel(u32, u32),
    /// Writes a register of the chip.
    Poke(u32, u32),
    /// Waits so many microseconds by the chip's own timer.
    TimerWait(u32),
    /// Waits for a register that never changes.
    WaitForEver(u32),
    Print,
    /// These, in ARM state.
    Instructions(Vec<u32>),
    /// Calls what is no memory.
    Crash,
    /// Reads a panel's register into the buffer.
    Read(u8, u32),
    /// Refuses unless a byte of the buffer is this.
    Byte(u32, u8),
    /// Refuses unless two bytes of the buffer, high first, are this.
    Two(u32, u16),
    /// Refuses unless a byte of the buffer is one of these.
    EitherByte(u32, u8, u8),
    /// Refuses unless these bits of a byte of the buffer are this.
    Masked(u32, u8, u8),
    /// Refuses if a byte of the buffer is this.
    NotByte(u32, u8),
    /// Refuses unless this pin is high.
    PinHigh(u32),
    /// Refuses unless the channel's voltage is in these counts.
    Voltage(u32, u32, u32),
}

/// A driver to be made.
#[derive(Clone)]
pub struct Model {
    pub name: &'static str,
    pub thumb: bool,
    pub size: (u32, u32),
    /// 0 DBI, 2 DSI.
    pub kind: u32,
    pub mode: u32,
    pub lanes: u32,
    pub vertical: [u32; 3],
    pub horizontal: [u32; 3],
    /// MHz, or dividers.
    pub pll_mhz: u32,
    pub dividers: [u32; 3],
    pub init: Vec<Op>,
    pub suspend: Vec<Op>,
    /// `None`: the driver has no compare_id. What is empty gives 0.
    pub compare: Option<Vec<Op>>,
}

impl Model {
    pub fn new(name: &'static str, thumb: bool) -> Self {
        Self {
            name,
            thumb,
            size: (480, 800),
            kind: 2,
            mode: 1,
            lanes: 2,
            vertical: [4, 16, 20],
            horizontal: [10, 50, 60],
            pll_mhz: 208,
            dividers: [0, 0, 0],
            init: vec![
                Op::Reset(true),
                Op::Delay(1),
                Op::Reset(false),
                Op::Delay(10),
                Op::Reset(true),
                Op::Delay(120),
                Op::V2(0xFF, vec![0xFF, 0x98, 0x06, 0x04, 0x01]),
                Op::V2(0x36, vec![0]),
                Op::V2(0x11, vec![]),
                Op::Delay(120),
                Op::V2(0x29, vec![]),
            ],
            suspend: vec![Op::V2(0x28, vec![]), Op::V2(0x10, vec![]), Op::Delay(120)],
            compare: None,
        }
    }
}

/// Words of parameters: where size, DSI part, and their ends are. Source: the
/// declarations that `layout.rs` of the crate names.
fn params(model: &Model, generation: Generation) -> Vec<(u32, u32)> {
    let (width, dsi, dividers, pll) = match generation {
        Generation::Jb => (2, 71, 34, 41),
        Generation::Kk => (4, 83, 36, 43),
    };
    let mut words = vec![
        (0, model.kind),
        (width, model.size.0),
        (width + 1, model.size.1),
        (dsi, model.mode),
        (dsi + 4, model.lanes),
        (dsi + 10, 2),
        (dsi + 16, model.size.1),
        (dsi + 21, model.size.0),
        (dsi + pll, model.pll_mhz),
    ];
    for n in 0..3 {
        words.push((dsi + 13 + n, model.vertical[n as usize]));
        words.push((dsi + 17 + n, model.horizontal[n as usize]));
        words.push((dsi + dividers + n, model.dividers[n as usize]));
    }
    words
}

struct Builder {
    image: Vec<u8>,
}

impl Builder {
    /// Puts bytes behind what is there, at a multiple of four.
    fn put(&mut self, bytes: &[u8]) -> u32 {
        while !self.image.len().is_multiple_of(4) {
            self.image.push(0);
        }
        let address = BASE + self.image.len() as u32;
        self.image.extend_from_slice(bytes);
        address
    }

    fn next(&mut self) -> u32 {
        self.put(&[])
    }

    fn words(&mut self, words: &[u32]) -> u32 {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.put(&bytes)
    }

    fn at(&mut self, address: u32, bytes: &[u8]) {
        let start = (address - BASE) as usize;
        self.image[start..start + bytes.len()].copy_from_slice(bytes);
    }

    fn function(&mut self, thumb: bool, body: impl FnOnce(&mut Assembler)) -> u32 {
        let mut code = Assembler::new(thumb, self.next());
        body(&mut code);
        let pointer = code.pointer();
        self.put(&code.code);
        pointer
    }

    /// A function that does `ops`, and what it must point to.
    fn operations(&mut self, thumb: bool, ops: &[Op], empty: u32) -> u32 {
        let data: Vec<u32> = ops.iter().map(|op| self.data(op)).collect();
        let text = self.put(b"[LCM] %s\n\0");
        self.function(thumb, |code| {
            for (op, data) in ops.iter().zip(data) {
                emit(code, op, data, text);
            }
            if ops.is_empty() {
                code.give(empty);
            } else {
                code.refuse();
            }
        })
    }

    fn data(&mut self, op: &Op) -> u32 {
        match op {
            Op::V2(_, parameters) => self.put(parameters),
            Op::Raw(words) => self.words(words),
            Op::V3(id, command, parameters) => {
                let mut row = vec![*id, *command, parameters.len() as u8];
                row.extend_from_slice(parameters);
                row.resize(131, 0);
                self.put(&row)
            }
            _ => 0,
        }
    }
}

fn service(code: &mut Assembler, number: u32) {
    code.set(4, UTIL);
    code.load(4, 4, 0);
    code.load(4, 4, 4 * number);
    code.call_register(4);
}

fn emit(code: &mut Assembler, op: &Op, data: u32, text: u32) {
    match *op {
        Op::Reset(level) => {
            code.set(0, u32::from(level));
            service(code, 0);
        }
        Op::Delay(ms) => {
            code.set(0, ms);
            service(code, 4);
        }
        Op::V2(command, ref parameters) => {
            for (register, value) in [command.into(), parameters.len() as u32, data, 1]
                .into_iter()
                .enumerate()
            {
                code.set(register as u32, value);
            }
            service(code, 9);
        }
        Op::Raw(ref words) => {
            code.set(0, data);
            code.set(1, words.len() as u32);
            code.set(2, 1);
            service(code, 10);
        }
        Op::V3(..) => {
            code.set(0, data);
            code.set(1, 1);
            code.set(2, 1);
            service(code, 8);
        }
        Op::PinLevel(pin, level) => {
            code.set(0, 0x8000_0000 | pin);
            code.set(1, level);
            service(code, 2);
        }
        Op::Poke(address, value) => {
            code.set(0, address);
            code.set(1, value);
            code.store(1, 0, 0);
        }
        Op::TimerWait(us) => {
            // r5 = start, until now - start is enough.
            code.set(1, 0x1000_8048);
            code.load(5, 1, 0);
            let start = code.code.len();
            code.load(0, 1, 0);
            code.wait_until_after(5, 13 * us, start);
        }
        Op::WaitForEver(address) => {
            code.set(1, address);
            let loop_start = code.code.len();
            code.load(0, 1, 0);
            code.back_to(loop_start);
        }
        Op::Print => {
            code.set(0, text);
            code.call(PRINT[usize::from(code.thumb)]);
        }
        Op::Instructions(ref words) => {
            for word in words {
                code.code.extend(word.to_le_bytes());
            }
        }
        Op::Crash => {
            code.set(4, 0x0BAD_0000);
            code.call_register(4);
        }
        _ => condition(code, op),
    }
}

/// What a driver asks, and when it refuses.
fn condition(code: &mut Assembler, op: &Op) {
    match *op {
        Op::Read(register, length) => {
            code.set(0, register.into());
            code.set(1, BUFFER);
            code.set(2, length);
            service(code, 15);
        }
        Op::Byte(byte, value) => {
            code.set(1, BUFFER);
            code.load_byte(0, 1, byte);
            code.compare(value.into());
            code.refuse_if(NOT_EQUAL);
        }
        Op::EitherByte(byte, one, other) => {
            code.set(1, BUFFER);
            code.load_byte(0, 1, byte);
            code.compare(one.into());
            code.skip_compare_if_equal();
            code.compare(other.into());
            code.refuse_if(NOT_EQUAL);
        }
        Op::Masked(byte, mask, value) => {
            code.set(1, BUFFER);
            code.load_byte(0, 1, byte);
            code.set(1, mask.into());
            code.and();
            code.compare(value.into());
            code.refuse_if(NOT_EQUAL);
        }
        Op::NotByte(byte, value) => {
            code.set(1, BUFFER);
            code.load_byte(0, 1, byte);
            code.compare(value.into());
            code.refuse_if(EQUAL);
        }
        Op::Two(byte, value) => {
            code.set(2, BUFFER);
            code.load_byte(0, 2, byte);
            code.load_byte(1, 2, byte + 1);
            code.append_byte();
            code.set(1, value.into());
            code.compare_registers();
            code.refuse_if(NOT_EQUAL);
        }
        Op::PinHigh(pin) => {
            code.set(1, 0x1000_5200 + 0x10 * (pin / 32));
            code.load(0, 1, 0);
            code.set(1, 1 << (pin % 32));
            code.and();
            code.compare(0);
            code.refuse_if(EQUAL);
        }
        Op::Voltage(channel, from, to) => {
            code.set(1, 0x1100_3014 + 4 * channel);
            code.load(0, 1, 0);
            code.set(1, 0xFFF);
            code.and();
            code.set(1, from);
            code.compare_registers();
            code.refuse_if(BELOW);
            code.set(1, to);
            code.compare_registers();
            code.refuse_if(ABOVE);
        }
        _ => {}
    }
}

/// An image with these drivers; a list of them if there is more than one.
pub fn image(generation: Generation, models: &[Model]) -> Vec<u8> {
    let mut builder = Builder {
        image: vec![0; (CODE - BASE) as usize],
    };
    for vector in 0..8 {
        builder.at(BASE + 4 * vector, &0xEA00_003E_u32.to_le_bytes());
    }
    // What looks like an LK: pointers into itself.
    for n in 0..32 {
        builder.at(BASE + 0x400 + 4 * n, &(BASE + 0x40 + 4 * n).to_le_bytes());
    }
    for (thumb, at) in [false, true].into_iter().zip(PRINT) {
        // The UART's base is known only to an LK that started.
        let mut code = Assembler::new(thumb, at);
        code.set(1, UART);
        code.load(1, 1, 0);
        code.load(0, 1, 20);
        code.give(0);
        builder.at(at, &code.code.clone());
    }
    let drivers: Vec<u32> = models
        .iter()
        .map(|model| driver(&mut builder, generation, model))
        .collect();
    if drivers.len() > 1 {
        builder.words(&drivers);
        builder.words(&[drivers.len() as u32]);
    }
    builder.words(&[0; 32]);
    builder.image
}

fn driver(builder: &mut Builder, generation: Generation, model: &Model) -> u32 {
    let mut name = vec![0];
    name.extend_from_slice(model.name.as_bytes());
    name.push(0);
    let name = builder.put(&name) + 1;
    let set = builder.function(model.thumb, |code| {
        code.set(1, UTIL);
        code.store(0, 1, 0);
        code.give(0);
    });
    let get = builder.function(model.thumb, |code| {
        for (word, value) in params(model, generation) {
            code.set(1, value);
            code.store(1, 0, 4 * word);
        }
        code.give(0);
    });
    let init = builder.operations(model.thumb, &model.init, 0);
    let suspend = builder.operations(model.thumb, &model.suspend, 0);
    let resume = builder.operations(model.thumb, &[Op::Delay(1)], 0);
    let compare = model
        .compare
        .as_ref()
        .map_or(0, |ops| builder.operations(model.thumb, ops, 0));
    let mut words = vec![name, set, get, init, suspend, resume];
    let (place, length) = match generation {
        Generation::Jb => (7, 16),
        Generation::Kk => (10, 21),
    };
    words.resize(length, 0);
    words[place] = compare;
    builder.words(&words)
}

//! Just enough of an assembler for the stock-like drivers of the tests, in
//! ARM and Thumb-2. Source: ARM Architecture Reference Manual, ARMv7-A, A8.

/// Conditions of branches.
pub const EQUAL: u32 = 0;
pub const NOT_EQUAL: u32 = 1;
pub const BELOW: u32 = 3;
pub const ABOVE: u32 = 8;

/// Code of one function.
pub struct Assembler {
    pub thumb: bool,
    /// Where the code will be.
    pub origin: u32,
    pub code: Vec<u8>,
    /// Branches to the end marker: place and condition.
    open: Vec<(usize, u32)>,
}

impl Assembler {
    pub fn new(thumb: bool, origin: u32) -> Self {
        let mut code = Self {
            thumb,
            origin,
            code: Vec::new(),
            open: Vec::new(),
        };
        // push {r4-r7, lr}
        code.both(0xE92D_40F0, &[0xB5F0]);
        code
    }

    /// The function's pointer: bit 0 for Thumb.
    pub fn pointer(&self) -> u32 {
        self.origin | u32::from(self.thumb)
    }

    fn here(&self) -> u32 {
        self.origin + self.code.len() as u32
    }

    fn both(&mut self, arm: u32, thumb: &[u16]) {
        if self.thumb {
            for half in thumb {
                self.code.extend(half.to_le_bytes());
            }
        } else {
            self.code.extend(arm.to_le_bytes());
        }
    }

    /// A register becomes a number.
    pub fn set(&mut self, register: u32, value: u32) {
        for (part, arm, thumb) in [
            (value & 0xFFFF, 0xE300_0000, 0xF240),
            (value >> 16, 0xE340_0000, 0xF2C0),
        ] {
            let first = thumb | part >> 12 | part >> 1 & 0x400;
            let second = part << 4 & 0x7000 | register << 8 | part & 0xFF;
            self.both(
                arm | part << 4 & 0xF_0000 | register << 12 | part & 0xFFF,
                &[first as u16, second as u16],
            );
        }
    }

    fn memory(&mut self, arm: u32, thumb: u32, register: u32, base: u32, offset: u32) {
        self.both(
            arm | base << 16 | register << 12 | offset,
            &[(thumb | base) as u16, (register << 12 | offset) as u16],
        );
    }

    pub fn load(&mut self, register: u32, base: u32, offset: u32) {
        self.memory(0xE590_0000, 0xF8D0, register, base, offset);
    }

    pub fn load_byte(&mut self, register: u32, base: u32, offset: u32) {
        self.memory(0xE5D0_0000, 0xF890, register, base, offset);
    }

    pub fn store(&mut self, register: u32, base: u32, offset: u32) {
        self.memory(0xE580_0000, 0xF8C0, register, base, offset);
    }

    /// Calls what a register points to.
    pub fn call_register(&mut self, register: u32) {
        self.both(0xE12F_FF30 | register, &[(0x4780 | register << 3) as u16]);
    }

    /// Calls a function of the same instruction set.
    pub fn call(&mut self, target: u32) {
        if self.thumb {
            let offset = target.wrapping_sub(self.here() + 4);
            let sign = offset >> 31;
            let [one, two] = [23, 22].map(|bit| (offset >> bit & 1) ^ sign ^ 1);
            let first = 0xF000 | sign << 10 | offset >> 12 & 0x3FF;
            let second = 0xD000 | one << 13 | two << 11 | offset >> 1 & 0x7FF;
            self.both(0, &[first as u16, second as u16]);
        } else {
            let offset = target.wrapping_sub(self.here() + 8);
            self.both(0xEB00_0000 | offset >> 2 & 0xFF_FFFF, &[]);
        }
    }

    /// r0 = r0 << 8 | r1
    pub fn append_byte(&mut self) {
        self.both(0xE1A0_0400, &[0x0200]);
        self.both(0xE180_0001, &[0x4308]);
    }

    /// r0 = r0 & r1
    pub fn and(&mut self) {
        self.both(0xE000_0001, &[0x4008]);
    }

    /// Compares r0 with eight bits.
    pub fn compare(&mut self, value: u32) {
        self.both(0xE350_0000 | value, &[(0x2800 | value) as u16]);
    }

    /// Compares r0 with r1.
    pub fn compare_registers(&mut self) {
        self.both(0xE150_0001, &[0x4288]);
    }

    /// Branches over a following compare and refusal.
    pub fn skip_compare_if_equal(&mut self) {
        self.both(0x0A00_0001, &[0xD002]);
    }

    /// To where [`Self::refuse`] will be.
    pub fn refuse_if(&mut self, condition: u32) {
        self.open.push((self.code.len(), condition));
        self.both(0, &[0, 0]);
    }

    /// Branches back to `place`.
    pub fn back_to(&mut self, place: usize) {
        let target = self.origin + place as u32;
        if self.thumb {
            let offset = target.wrapping_sub(self.here() + 4);
            self.both(0, &[(0xE000 | offset >> 1 & 0x7FF) as u16]);
        } else {
            let offset = target.wrapping_sub(self.here() + 8);
            self.both(0xEA00_0000 | offset >> 2 & 0xFF_FFFF, &[]);
        }
    }

    /// Branches back to `place` while r0 minus `start` is below `ticks`.
    pub fn wait_until_after(&mut self, start: u32, ticks: u32, place: usize) {
        // sub r0, r0, start; cmp r0, r6; blo place
        self.set(6, ticks);
        self.both(0xE040_0000 | start, &[(0x1A00 | start << 6) as u16]);
        self.both(0xE150_0006, &[0x42B0]);
        let target = self.origin + place as u32;
        if self.thumb {
            let offset = target.wrapping_sub(self.here() + 4);
            self.both(0, &[(0xD300 | offset >> 1 & 0xFF) as u16]);
        } else {
            let offset = target.wrapping_sub(self.here() + 8);
            self.both(0x3A00_0000 | offset >> 2 & 0xFF_FFFF, &[]);
        }
    }

    /// Returns `value`.
    pub fn give(&mut self, value: u32) {
        self.set(0, value);
        self.both(0xE8BD_80F0, &[0xBDF0]);
    }

    /// Returns 1, or 0 for those that [`Self::refuse_if`] sent here.
    pub fn refuse(&mut self) {
        self.give(1);
        let end = self.here();
        self.give(0);
        for (place, condition) in std::mem::take(&mut self.open) {
            let offset = end.wrapping_sub(self.origin + place as u32);
            let bytes = if self.thumb {
                let offset = offset - 4;
                let first = 0xF000 | condition << 6 | offset >> 12 & 0x3F;
                let second = 0x8000 | offset >> 1 & 0x7FF;
                (first | second << 16).to_le_bytes()
            } else {
                (condition << 28 | 0x0A00_0000 | (offset - 8) >> 2).to_le_bytes()
            };
            self.code[place..place + 4].copy_from_slice(&bytes);
        }
    }
}

//! The arithmetic decoder: a number, spread over the packed bytes, that says
//! one decision after the other.

/// The chance of something that is as likely as not, of 1 << 11.
pub const EVEN: u16 = 1 << 10;

/// How fast chances follow what happened.
const PACE: u32 = 5;

/// The decoder over one run of packed bytes.
pub struct Range<'a> {
    input: core::slice::Iter<'a, u8>,
    width: u32,
    code: u32,
    /// Bytes were asked for that are not there.
    short: bool,
}

impl<'a> Range<'a> {
    /// Begins at the start of `packed`, if that can be one.
    pub fn new(packed: &'a [u8]) -> Option<Self> {
        let (first, rest) = packed.split_first_chunk::<5>()?;
        let [0, code @ ..] = *first else { return None };
        Some(Self {
            input: rest.iter(),
            width: !0,
            code: u32::from_be_bytes(code),
            short: false,
        })
    }

    #[inline]
    fn normalize(&mut self) {
        if self.width < 1 << 24 {
            let next = self.input.next();
            self.short |= next.is_none();
            self.width <<= 8;
            self.code = self.code << 8 | u32::from(*next.unwrap_or(&0));
        }
    }

    /// Decides by `chance`, that of a 0, and lets it learn.
    #[inline]
    pub fn bit(&mut self, chance: &mut u16) -> usize {
        self.normalize();
        let zero = u32::from(*chance);
        let bound = (self.width >> 11) * zero;
        if self.code < bound {
            self.width = bound;
            *chance = (zero + ((1 << 11) - zero >> PACE)) as u16;
            0
        } else {
            self.width -= bound;
            self.code -= bound;
            *chance = (zero - (zero >> PACE)) as u16;
            1
        }
    }

    /// Bits that are as likely as not, highest first.
    pub fn even(&mut self, count: u32) -> usize {
        let mut value = 0;
        for _ in 0..count {
            self.normalize();
            self.width >>= 1;
            let bit = self.code >= self.width;
            if bit {
                self.code -= self.width;
            }
            value = value << 1 | usize::from(bit);
        }
        value
    }

    /// Whether the packed bytes end here, as a packer ends them.
    pub fn finish(mut self) -> Option<()> {
        self.normalize();
        (!self.short && self.code == 0 && self.input.as_slice().is_empty()).then_some(())
    }
}

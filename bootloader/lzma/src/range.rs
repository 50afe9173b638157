//! The arithmetic decoder: a number, spread over the packed bytes, that says
//! one decision after the other.

/// The chance of something that is as likely as not, of 1 << 11.
pub const EVEN: u16 = 1 << 10;

/// How fast chances follow what happened.
const PACE: u32 = 5;

/// The decoder over one run of packed bytes.
#[derive(Clone)]
pub struct Range<'a> {
    input: core::slice::Iter<'a, u8>,
    width: u32,
    code: u32,
    /// Bytes that were asked for and are not there.
    missing: u32,
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
            missing: 0,
        })
    }

    #[inline]
    fn normalize(&mut self) {
        if self.width < 1 << 24 {
            self.width <<= 8;
            self.code <<= 8;
            match self.input.next() {
                Some(&byte) => self.code |= u32::from(byte),
                None => self.missing += 1,
            }
        }
    }

    /// Decides by `chance`, that of a 0, and lets it learn.
    #[inline]
    pub fn bit(&mut self, chance: &mut u16) -> bool {
        self.normalize();
        let zero = u32::from(*chance);
        let bound = (self.width >> 11) * zero;
        let bit = self.code >= bound;
        if bit {
            self.width -= bound;
            self.code -= bound;
            *chance = (zero - (zero >> PACE)) as u16;
        } else {
            self.width = bound;
            *chance = (zero + (((1 << 11) - zero) >> PACE)) as u16;
        }
        bit
    }

    /// A number below `N`, highest bit first; each is decided by those before
    /// it.
    #[inline]
    pub fn tree<const N: usize>(&mut self, chances: &mut [u16; N]) -> usize {
        self.tree_from(chances, 1)
    }

    /// The same where the first bits are known: `symbol` is a 1 in front of
    /// them.
    #[inline]
    pub fn tree_from<const N: usize>(&mut self, chances: &mut [u16; N], symbol: usize) -> usize {
        let mut symbol = symbol;
        while symbol < N {
            symbol = if self.bit(&mut chances[symbol]) {
                symbol << 1 | 1
            } else {
                symbol << 1
            };
        }
        symbol - N
    }

    /// The first bits of a byte that is not `expected`, up to the one that
    /// differs, behind a 1.
    #[inline]
    pub fn other(&mut self, chances: &mut [[u16; 0x100]; 2], expected: u8) -> usize {
        let mut expected = usize::from(expected);
        let mut symbol = 1;
        while symbol < 0x100 {
            expected <<= 1;
            let guess = expected >> 8 & 1;
            let bit = usize::from(self.bit(&mut chances[guess][symbol]));
            symbol = symbol << 1 | bit;
            if bit != guess {
                break;
            }
        }
        symbol
    }

    /// `count` bits, lowest first, decided by the chances from `first` on.
    #[inline]
    pub fn reverse_tree<const N: usize>(
        &mut self,
        chances: &mut [u16; N],
        first: usize,
        count: u32,
    ) -> usize {
        let (mut symbol, mut value) = (1, 0);
        for number in 0..count {
            let bit = usize::from(self.bit(&mut chances[(first + symbol) % N]));
            symbol = symbol << 1 | bit;
            value |= bit << number;
        }
        value
    }

    /// Bits that are as likely as not, highest first.
    #[inline]
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
        let whole = self.missing == 0 && self.code == 0 && self.input.as_slice().is_empty();
        whole.then_some(())
    }
}

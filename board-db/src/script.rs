//! Panel command sequences in the table's compact form.
//!
//! One step after another: an operation byte, then its operands.
//!
//! | operation | operands | meaning |
//! |---|---|---|
//! | 0x00 | u16, little endian | wait so many milliseconds |
//! | 0x01 | level u8, u16 | reset pin to this level, wait milliseconds |
//! | 0x37 | u8 | set the maximum return packet size |
//! | other | length u8, bytes | write with this DSI data type; the first byte is the command |

/// Operation: wait.
pub const OP_DELAY: u8 = 0x00;
/// Operation: move the reset pin.
pub const OP_RESET: u8 = 0x01;
/// Operation: maximum return packet size.
pub const OP_MAX_RETURN: u8 = 0x37;

/// A sequence of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Script(&'static [u8]);

/// One step of a [`Script`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// Send a packet; `payload` is 1 to 124 bytes, the command first.
    Write {
        /// DSI data type: 0x05, 0x15, 0x39, 0x13, 0x23, 0x29 or 0x03.
        data_type: u8,
        /// Command and parameters.
        payload: &'a [u8],
    },
    /// Wait so many milliseconds.
    Delay(u16),
    /// Move the reset pin, then wait.
    Reset {
        /// High: the panel runs.
        high: bool,
        /// Milliseconds.
        ms: u16,
    },
    /// Set the maximum return packet size.
    MaxReturn(u8),
}

impl Script {
    /// The steps in `bytes`. Damaged bytes end the sequence early.
    pub const fn new(bytes: &'static [u8]) -> Self {
        Self(bytes)
    }

    /// Whether there is nothing to do.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The steps, in order.
    pub const fn steps(self) -> Steps<'static> {
        Steps(self.0)
    }

    /// Milliseconds that its waits add up to.
    pub fn delay_ms(self) -> u32 {
        self.steps()
            .map(|step| match step {
                Step::Delay(ms) | Step::Reset { ms, .. } => u32::from(ms),
                Step::Write { .. } | Step::MaxReturn(_) => 0,
            })
            .sum()
    }
}

/// Iterator over the steps of a [`Script`].
#[derive(Debug, Clone)]
pub struct Steps<'a>(&'a [u8]);

impl<'a> Iterator for Steps<'a> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Step<'a>> {
        let (step, rest) = match *self.0 {
            [OP_DELAY, low, high, ref rest @ ..] => {
                (Step::Delay(u16::from_le_bytes([low, high])), rest)
            }
            [OP_RESET, level, low, high, ref rest @ ..] => {
                let ms = u16::from_le_bytes([low, high]);
                let high = level != 0;
                (Step::Reset { high, ms }, rest)
            }
            [OP_MAX_RETURN, size, ref rest @ ..] => (Step::MaxReturn(size), rest),
            [data_type, len, ref rest @ ..] if data_type > OP_RESET => {
                let (payload, rest) = rest.split_at_checked(usize::from(len))?;
                (Step::Write { data_type, payload }, rest)
            }
            _ => return None,
        };
        self.0 = rest;
        Some(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_come_back_as_they_were_written() {
        let script = Script::new(&[
            0x29, 3, 0xFF, 0x98, 0x06, 0x00, 0x78, 0x00, 0x37, 4, 0x01, 1, 10, 0, 0x05, 1, 0x11,
        ]);
        let mut steps = script.steps();
        let payload: &[u8] = &[0xFF, 0x98, 0x06];
        assert_eq!(
            steps.next(),
            Some(Step::Write {
                data_type: 0x29,
                payload
            })
        );
        assert_eq!(steps.next(), Some(Step::Delay(120)));
        assert_eq!(steps.next(), Some(Step::MaxReturn(4)));
        assert_eq!(steps.next(), Some(Step::Reset { high: true, ms: 10 }));
        let payload: &[u8] = &[0x11];
        assert_eq!(
            steps.next(),
            Some(Step::Write {
                data_type: 5,
                payload
            })
        );
        assert_eq!(steps.next(), None);
        assert_eq!(script.delay_ms(), 130);
    }

    #[test]
    fn a_torn_sequence_ends_early() {
        for bytes in [&[0x39, 5, 1, 2][..], &[0x00, 1], &[0x01, 1, 2], &[0x37]] {
            let bytes: &'static [u8] = bytes.to_vec().leak();
            assert_eq!(Script::new(bytes).steps().count(), 0, "{bytes:?}");
        }
    }
}

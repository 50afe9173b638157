//! The command queue: from words to what is done one after the other.
//!
//! Source: facts/display.md 3.4, 3.5, 3.7.

use std::collections::VecDeque;

/// CONFIG bits of a header word.
const TYPE: u32 = 3;
const TYPE_SHORT: u32 = 0;
const TYPE_FRAME: u32 = 1;
const TYPE_LONG: u32 = 2;
const BTA: u32 = 1 << 2;
const HS: u32 = 1 << 3;
const TE: u32 = 1 << 5;

/// Words of a payload that fit behind their header.
const PAYLOAD_LIMIT: usize = 124;

/// One thing that the engine does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Sends a packet; the data id with its virtual channel.
    Packet {
        data_id: u8,
        payload: Vec<u8>,
        high_speed: bool,
    },
    /// Sends a picture from the display path.
    Frame { high_speed: bool },
    /// Gives the bus to the panel for an answer.
    TurnAround,
    /// Waits for the panel's tearing effect trigger.
    Tearing,
}

impl Step {
    pub fn high_speed(&self) -> bool {
        match *self {
            Step::Packet { high_speed, .. } | Step::Frame { high_speed } => high_speed,
            Step::TurnAround | Step::Tearing => false,
        }
    }

    pub fn turns(&self) -> bool {
        matches!(self, Step::TurnAround | Step::Tearing)
    }
}

/// Bytes that mean something in a short packet of type `data_id`; `None`: it
/// is no short packet of a host.
pub(super) fn short_payload(data_id: u8) -> Option<usize> {
    match data_id & 0x3F {
        // Colour mode, shut down, turn on, end of transmission.
        0x03 | 0x04 | 0x02 | 0x12 | 0x22 | 0x32 | 0x08 => Some(0),
        0x05 | 0x06 | 0x13 | 0x14 => Some(1),
        0x15 | 0x23 | 0x24 | 0x37 => Some(2),
        _ => None,
    }
}

/// Whether `data_id` is a long packet of commands, or one that is ignored.
pub(super) fn is_long(data_id: u8) -> bool {
    matches!(data_id & 0x3F, 0x39 | 0x29 | 0x09 | 0x19)
}

/// Walks the queue up to its end or to the first word that means nothing;
/// the second value says what that is.
pub(super) fn walk(words: &[u32]) -> (VecDeque<Step>, Option<String>) {
    let mut steps = VecDeque::new();
    let mut at = 0;
    while at < words.len() {
        match instruction(&words[at..], &mut steps) {
            Ok(used) => at += used,
            Err(problem) => return (steps, Some(format!("queue word {at}: {problem}"))),
        }
    }
    (steps, None)
}

/// One instruction; how many words it takes.
fn instruction(words: &[u32], steps: &mut VecDeque<Step>) -> Result<usize, String> {
    let header = words[0];
    let [_, data_id, low, high] = header.to_le_bytes();
    let high_speed = header & HS != 0;
    let mut used = 1;
    match header & TYPE {
        // Only a turn-round, or only a wait.
        TYPE_SHORT if data_id == 0 && header & (BTA | TE) != 0 => {}
        TYPE_SHORT => {
            let len = short_payload(data_id)
                .ok_or_else(|| format!("data id {data_id:#04x} is no short packet"))?;
            steps.push_back(Step::Packet {
                data_id,
                payload: [low, high][..len].to_vec(),
                high_speed,
            });
        }
        TYPE_LONG => {
            let len = usize::from(u16::from_le_bytes([low, high]));
            if !is_long(data_id) {
                return Err(format!("data id {data_id:#04x} is no long packet"));
            }
            if len > PAYLOAD_LIMIT {
                return Err(format!("a payload of {len} bytes; {PAYLOAD_LIMIT} fit"));
            }
            used += len.div_ceil(4);
            let payload = words
                .get(1..used)
                .ok_or("the queue ends inside of the payload")?;
            let bytes = payload.iter().flat_map(|word| word.to_le_bytes());
            steps.push_back(Step::Packet {
                data_id,
                payload: bytes.take(len).collect(),
                high_speed,
            });
        }
        TYPE_FRAME => {
            if header & TE != 0 {
                steps.push_back(Step::Tearing);
            }
            steps.push_back(Step::Frame { high_speed });
        }
        _ => return Err("reading of the frame buffer is not modelled".into()),
    }
    if header & TE != 0 && header & TYPE != TYPE_FRAME {
        steps.push_back(Step::Tearing);
    }
    if header & BTA != 0 {
        steps.push_back(Step::TurnAround);
    }
    Ok(used)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(data_id: u8, payload: &[u8], high_speed: bool) -> Step {
        let payload = payload.to_vec();
        Step::Packet {
            data_id,
            payload,
            high_speed,
        }
    }

    #[test]
    fn the_vendors_frame_is_three_instructions() {
        let words = [
            0x0005_3902,
            0x0000_002A,
            0x0000_00EF,
            0x0005_3902,
            0x0000_002B,
            0x3F01_0000,
            0x002C_3909,
        ];
        let (steps, problem) = walk(&words);
        assert_eq!(problem, None);
        assert_eq!(
            steps,
            [
                packet(0x39, &[0x2A, 0, 0, 0, 0xEF], false),
                packet(0x39, &[0x2B, 0, 0, 0, 0], false),
                Step::Frame { high_speed: true },
            ]
        );
    }

    #[test]
    fn short_packets_reads_and_waits() {
        let words = [
            0x0011_0500,
            0xAA36_1508,
            0x0002_3700,
            0x00C5_0604,
            4,
            0x20,
            0x0000_0300,
        ];
        let (steps, problem) = walk(&words);
        assert_eq!(problem, None);
        assert_eq!(
            steps,
            [
                packet(0x05, &[0x11], false),
                packet(0x15, &[0x36, 0xAA], true),
                packet(0x37, &[2, 0], false),
                packet(0x06, &[0xC5], false),
                Step::TurnAround,
                Step::TurnAround,
                Step::Tearing,
                packet(0x03, &[], false),
            ]
        );
    }

    #[test]
    fn what_cannot_be_sent_is_named() {
        for (words, says) in [
            (&[0x0011_0500, 0x007D_3902][..], "word 1: a payload of 125"),
            (&[0x0005_3902, 1][..], "ends inside"),
            (&[0x0001_3902][..], "ends inside"),
            (&[0x0000_3900][..], "no short packet"),
            (&[0x0000_0502][..], "no long packet"),
            (&[0x002E_3903][..], "not modelled"),
            (&[0][..], "no short packet"),
        ] {
            let (_, problem) = walk(words);
            assert!(
                problem.clone().unwrap_or_default().contains(says),
                "{problem:?}"
            );
        }
        // The largest that fits.
        let mut words = [0; 32];
        words[0] = 0x007C_2902;
        let (steps, problem) = walk(&words);
        assert_eq!(problem, None);
        assert_eq!(steps, [packet(0x29, &[0; 124], false)]);
    }
}

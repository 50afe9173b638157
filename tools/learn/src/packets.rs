//! What the vendor's service functions for DSI put on the lanes.
//!
//! Source: facts/display.md 3.4 (queue words, V2 and V3), 3.5 (reads).

use crate::event::Event;

/// A frame's pixels, or the answer's.
const FRAME_WRITE: u8 = 1;
const LONG: u8 = 2;
/// Set maximum return packet size.
const MAX_RETURN: u8 = 0x37;

/// The packet of a V2 call: DCS below 0xB0, generic from there.
pub fn v2(command: u8, parameters: &[u8]) -> Event {
    let generic = command >= 0xB0;
    let data_type = match (parameters.len(), generic) {
        (0, false) => 0x05,
        (1, false) => 0x15,
        (_, false) => 0x39,
        (0, true) => 0x13,
        (1, true) => 0x23,
        (_, true) => 0x29,
    };
    packet(data_type, command, parameters)
}

/// The packet of a row of a V3 table.
pub fn packet(data_type: u8, command: u8, parameters: &[u8]) -> Event {
    if data_type == MAX_RETURN {
        return Event::MaxReturn(command);
    }
    let mut payload = vec![command];
    payload.extend_from_slice(parameters);
    Event::Packet { data_type, payload }
}

/// The packets of raw queue words. A damaged queue ends early.
pub fn queue(words: &[u32]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut rest = words;
    while let [head, behind @ ..] = rest {
        rest = behind;
        let [config, id, low, high] = head.to_le_bytes();
        let event = match config & 3 {
            0 if id == MAX_RETURN => Event::MaxReturn(low),
            0 => short(id, low, high),
            LONG => {
                let count = usize::from(u16::from_le_bytes([low, high]));
                let (used, left) = rest.split_at(count.div_ceil(4).min(rest.len()));
                rest = left;
                let bytes = used.iter().flat_map(|word| word.to_le_bytes());
                Event::Packet {
                    data_type: id,
                    payload: bytes.take(count).collect(),
                }
            }
            FRAME_WRITE => Event::Frame,
            _ => continue,
        };
        events.push(event);
    }
    events
}

fn short(data_type: u8, first: u8, second: u8) -> Event {
    let payload = match data_type {
        0x05 | 0x13 | 0x03 | 0x06 | 0x04 | 0x14 => vec![first],
        _ => vec![first, second],
    };
    Event::Packet { data_type, payload }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(data_type: u8, payload: &[u8]) -> Event {
        Event::Packet {
            data_type,
            payload: payload.to_vec(),
        }
    }

    #[test]
    fn queue_words() {
        // facts/display.md 3.4: typical header words, and two in one queue.
        assert_eq!(queue(&[0x0011_0500]), [sent(0x05, &[0x11])]);
        assert_eq!(queue(&[0x0035_1500]), [sent(0x15, &[0x35, 0])]);
        assert_eq!(queue(&[0x0002_3700]), [Event::MaxReturn(2)]);
        let words = [0x0006_3902, 0x52AA_55F0, 0x0000_0108, 0x0029_0500];
        let novatek = sent(0x39, &[0xF0, 0x55, 0xAA, 0x52, 0x08, 0x01]);
        assert_eq!(queue(&words), [novatek, sent(0x05, &[0x29])]);
        assert_eq!(queue(&[0x002C_3909]), [Event::Frame]);
        // More bytes than words.
        assert_eq!(queue(&[0x00FF_3902, 0x11]), [sent(0x39, &[0x11, 0, 0, 0])]);
        assert_eq!(queue(&[]), []);
    }

    #[test]
    fn v2_chooses_the_type_by_the_command() {
        assert_eq!(v2(0x11, &[]), sent(0x05, &[0x11]));
        assert_eq!(v2(0x36, &[0]), sent(0x15, &[0x36, 0]));
        assert_eq!(v2(0x2A, &[1, 2]), sent(0x39, &[0x2A, 1, 2]));
        assert_eq!(v2(0xB0, &[]), sent(0x13, &[0xB0]));
        assert_eq!(v2(0xB0, &[4]), sent(0x23, &[0xB0, 4]));
        assert_eq!(v2(0xFF, &[1, 2]), sent(0x29, &[0xFF, 1, 2]));
    }
}

//! What the controller answers.
//!
//! Source: facts/display.md 3.5 (packets), 9.3.6 (types, maximum return size).

use super::config::{Answer, ReadKind, Unknown};
use super::controller::Controller;

/// A read that waits for the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Register.
    pub register: u8,
    /// By DCS read (0x06) instead of a generic one.
    pub dcs: bool,
}

/// DCS "get power mode": the one standard read whose value the model knows.
const POWER_MODE: u8 = 0x0A;

const SHORT_ONE: u8 = 0x21;
const SHORT_TWO: u8 = 0x22;
const LONG_DCS: u8 = 0x1C;
const LONG_GENERIC: u8 = 0x1A;
const ERROR_REPORT: u8 = 0x02;
/// Error report: bit 13, invalid transmission length.
const BAD_REQUEST: [u8; 2] = [0x00, 0x20];

/// Why there are no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoBytes {
    /// The panel says nothing.
    Silence,
    /// It says that it was asked wrongly.
    Refused,
}

/// The packet that answers `request`; `None`: silence.
pub fn answer(panel: &Controller, request: Request) -> Option<Vec<u8>> {
    let limit = usize::from(panel.max_return.max(1));
    match bytes(panel, request, limit) {
        Ok(bytes) => Some(packet(&bytes, request.dcs)),
        Err(NoBytes::Silence) => None,
        Err(NoBytes::Refused) => Some(short(ERROR_REPORT, BAD_REQUEST)),
    }
}

/// The bytes that answer `request`, `limit` at most.
pub fn bytes(panel: &Controller, request: Request, limit: usize) -> Result<Vec<u8>, NoBytes> {
    let faults = &panel.config.faults;
    let found = faults
        .wrong(request.register)
        .map(<[u8]>::to_vec)
        .or_else(|| known(panel, request));
    let bytes = match (found, panel.config.unknown) {
        (Some(bytes), _) => bytes,
        (None, Unknown::Zeros) => vec![0; limit],
        (None, Unknown::Silent) => return Err(NoBytes::Silence),
        (None, Unknown::ErrorReport) => return Err(NoBytes::Refused),
    };
    let mut bytes = bytes.get(..limit).map_or(bytes.clone(), <[u8]>::to_vec);
    if faults.all_ones {
        bytes.fill(0xFF);
    } else if faults.all_zeros {
        bytes.fill(0);
    }
    Ok(bytes)
}

fn known(panel: &Controller, request: Request) -> Option<Vec<u8>> {
    let mut answers = panel.config.answers.iter();
    if let Some(answer) = answers.find(|answer| holds(panel, answer, request)) {
        return Some(answer.bytes.clone());
    }
    let page = panel.registers.address.page;
    let standard = panel.config.family.standard_on(page);
    (request.register == POWER_MODE && standard).then(|| vec![power_mode(panel)])
}

fn holds(panel: &Controller, answer: &Answer, request: Request) -> bool {
    let address = &panel.registers.address;
    let kind = match answer.kind {
        ReadKind::Any => true,
        ReadKind::Dcs => request.dcs,
        ReadKind::Generic => !request.dcs,
    };
    let mut unlock = answer.unlock.iter();
    kind && answer.register == request.register
        && answer.page.is_none_or(|page| page == address.page)
        && answer
            .after_shift
            .is_none_or(|shift| shift == address.shift)
        && unlock.all(|key| panel.seen.iter().any(|packet| packet.starts_with(key)))
}

/// Normal mode on; booster and sleep-out; display on.
fn power_mode(panel: &Controller) -> u8 {
    let awake = if panel.awake_since.is_some() { 0x90 } else { 0 };
    0x08 | awake | u8::from(panel.display_on) << 2
}

fn packet(bytes: &[u8], dcs: bool) -> Vec<u8> {
    match *bytes {
        [one] => short(SHORT_ONE, [one, 0]),
        [one, two] => short(SHORT_TWO, [one, two]),
        _ => {
            let kind = if dcs { LONG_DCS } else { LONG_GENERIC };
            let mut packet = short(kind, (bytes.len() as u16).to_le_bytes());
            packet.extend_from_slice(bytes);
            packet
        }
    }
}

fn short(kind: u8, data: [u8; 2]) -> Vec<u8> {
    vec![kind, data[0], data[1], ecc([kind, data[0], data[1]])]
}

/// The Hamming code of a packet's header (MIPI DSI 9.4).
fn ecc(header: [u8; 3]) -> u8 {
    /// Bits of the header that each parity bit covers.
    const COVERED: [u32; 6] = [
        0xF1_2CB7, 0xF2_555B, 0x74_9A6D, 0xB8_E38E, 0xDF_03F0, 0xEF_FC00,
    ];
    let bits = u32::from_le_bytes([header[0], header[1], header[2], 0]);
    let parity = |mask: u32| ((bits & mask).count_ones() & 1) as u8;
    COVERED
        .iter()
        .enumerate()
        .fold(0, |code, (bit, &mask)| code | parity(mask) << bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_code_is_the_standards() {
        // The two worked examples of Annex B, and the code words of the kernel's host drivers:
        // an EoT packet is 08 0F 0F 01, a DCS sleep-out 05 11 00 36.
        assert_eq!(ecc([0x08, 0x0F, 0x0F]), 0x01);
        assert_eq!(ecc([0x05, 0x11, 0x00]), 0x36);
        assert_eq!(ecc([0x37, 0xF0, 0x01]), 0x3F);
    }
}

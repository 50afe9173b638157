//! Which of the writes before a read are the key to it.
//!
//! A vendor's driver sends more than the key before it asks a panel who it is:
//! keys of other makers' controllers, settings, half of its table. A controller
//! answers once its own key has come, so that the emulated one needs no more.
//!
//! Source: facts/display.md 5.5.

/// Registers of the MIPI command set, which need no key: display ID, its three
/// bytes, the device description. Drivers ask for them right after a reset, or
/// behind whatever they have just sent: DA of a JD9161 behind Ilitek's key, 04
/// of an HX8379C behind Novatek's.
const STANDARD: [u8; 5] = [0x04, 0xA1, 0xDA, 0xDB, 0xDC];

/// Orise's registers behind both of its keys and an address shift.
const ORISE: [u8; 2] = [0xD2, 0xF8];

/// Himax' register that says the number which is also the end of its key.
const HIMAX_ID: u8 = 0xF4;
/// How the key to it begins.
const HIMAX_KEY: [u8; 3] = [0xB9, 0xFF, 0x83];

/// How keys begin, and the registers that they open: Ilitek, Novatek and
/// Raydium, Novatek's NT35310, Himax, Renesas.
const KEYS: [(&[u8], &[u8]); 5] = [
    (&[0xFF, 0xFF, 0x98], &[0x00, 0x01, 0x02, 0xD3]),
    (&[0xF0, 0x55, 0xAA, 0x52, 0x08], &[0xC5, 0xC6]),
    (&[0xED, 0x01, 0xFE], &[0xD4]),
    (&HIMAX_KEY, &[0xC3, 0xD0, HIMAX_ID]),
    (&[0xB0, 0x04], &[0xBF]),
];

/// Those of the writes since the reset without which `register` does not
/// answer; all of them where its key is not known. `number`: what the driver
/// waits for in its first byte that it tests.
pub fn needed(register: u8, number: Option<u8>, after: &[Vec<u8>]) -> Vec<Vec<u8>> {
    if STANDARD.contains(&register) {
        return Vec::new();
    }
    if ORISE.contains(&register) {
        return orise(after);
    }
    let Some((begins, _)) = KEYS.iter().find(|(_, opens)| opens.contains(&register)) else {
        return after.to_vec();
    };
    let mut keys: Vec<Vec<u8>> = after
        .iter()
        .filter(|write| write.starts_with(begins))
        .cloned()
        .collect();
    if let (HIMAX_ID, Some(number)) = (register, number) {
        // Whatever its driver opens, a part that says this number has this key.
        for key in keys.iter_mut().filter(|key| key.len() > HIMAX_KEY.len()) {
            key[HIMAX_KEY.len()] = number;
        }
    }
    keys.dedup();
    keys
}

/// Keys with the shift before them, and the shift before the read. A reset
/// leaves it at 00.
fn orise(after: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let is_key = |write: &Vec<u8>| matches!(write[..], [0xFF, _, _, ..]);
    let mut needed = Vec::new();
    for (at, write) in after.iter().enumerate() {
        let is_shift = matches!(write[..], [0x00, shift] if shift != 0);
        if is_key(write) || is_shift && after.get(at + 1).is_none_or(is_key) {
            needed.push(write.clone());
        }
    }
    needed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(register: u8, number: Option<u8>, after: &[&[u8]], wanted: &[&[u8]]) {
        let after: Vec<Vec<u8>> = after.iter().map(|write| write.to_vec()).collect();
        assert_eq!(needed(register, number, &after), wanted, "{register:02X}");
    }

    #[test]
    fn only_a_controllers_own_key_counts() {
        let page: &[u8] = &[0xF0, 0x55, 0xAA, 0x52, 0x08, 0x01];
        let himax: &[u8] = &[0xB9, 0xFF, 0x83, 0x79];
        let more: &[u8] = &[0xBA, 0x51, 0x93];
        check(0xC5, None, &[page, himax], &[page]);
        check(0xC5, None, &[page, page], &[page]);
        check(0x04, None, &[page], &[]);
        check(0xF4, Some(0x79), &[himax, more], &[himax]);
        check(0xD3, None, &[&[0x34, 0x00]], &[]);
        // A driver that opens another part than the one that it waits for.
        check(0xF4, Some(0x79), &[&[0xB9, 0xFF, 0x83, 0x89]], &[himax]);
        // Nothing is known of it.
        check(0xEE, None, &[page], &[page]);
    }

    #[test]
    fn orise_has_two_keys_and_shifts() {
        let first: &[u8] = &[0xFF, 0x80, 0x09, 0x01];
        let second: &[u8] = &[0xFF, 0x80, 0x09];
        let after: [&[u8]; 7] = [
            &[0x00, 0x00],
            first,
            &[0x00, 0x80],
            second,
            &[0x00, 0xC6],
            &[0xB0, 0x03],
            &[0x00, 0x50],
        ];
        check(0xA1, None, &after, &[]);
        let wanted: [&[u8]; 4] = [first, &[0x00, 0x80], second, &[0x00, 0x50]];
        check(0xF8, None, &after, &wanted);
    }
}

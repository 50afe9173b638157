//! The eMMC's CID, which names a card and with it a phone.
//!
//! Programs print its 16 bytes in different orders: the kernel as they are sent,
//! download agents as four words of the chip's or of the network's order. The
//! last byte is a checksum, which some leave out. Two texts name the same card
//! if one of these orders makes them equal.

/// Bytes of a CID.
const BYTES: usize = 16;
/// Those that tell cards apart.
const TELLING: usize = 15;

type Bytes = [u8; BYTES];

/// Whether `a` and `b`, 32 hexadecimal digits each, name the same card.
pub fn is_same(a: &str, b: &str) -> bool {
    let (Some(a), Some(b)) = (parse(a), parse(b)) else {
        return false;
    };
    let orders: [fn(Bytes) -> Bytes; 5] = [
        |cid| cid,
        |cid| by_words::<4>(cid),
        |cid| by_words::<8>(cid),
        |cid| by_words::<16>(cid),
        |cid| by_words::<4>(by_words::<16>(cid)),
    ];
    // Either may be the one whose checksum comes last.
    orders
        .iter()
        .any(|order| order(a)[..TELLING] == b[..TELLING] || a[..TELLING] == order(b)[..TELLING])
}

/// With the bytes of each word of `N` turned round.
fn by_words<const N: usize>(mut cid: Bytes) -> Bytes {
    cid.chunks_mut(N).for_each(<[u8]>::reverse);
    cid
}

fn parse(text: &str) -> Option<Bytes> {
    let digits = text.as_bytes();
    if digits.len() != 2 * BYTES || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut cid = [0; BYTES];
    for (byte, pair) in cid.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(cid)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CID: &str = "150100483147324138a1b2c3d4e5f601";

    #[test]
    fn the_same_card_in_every_order() {
        for same in [
            CID,
            "150100483147324138A1B2C3D4E5F600",
            // Words turned round, pairs of words, all of it, words in reverse.
            "4800011541324731c3b2a13801f6e5d4",
            "413247314800011501f6e5d4c3b2a138",
            "01f6e5d4c3b2a1384132473148000115",
            "d4e5f60138a1b2c33147324115010048",
            // The same without the checksum.
            "4800011541324731c3b2a13800f6e5d4",
        ] {
            assert!(is_same(CID, same) && is_same(same, CID), "{same}");
        }
    }

    #[test]
    fn other_cards_and_what_is_no_cid() {
        for other in [
            // The next serial number of the same batch.
            "150100483147324138a1b2c3d5e5f601",
            "150100483147324138a1b2c3d4e5f701",
            "1501004831473241",
            "",
            "g50100483147324138a1b2c3d4e5f601",
        ] {
            assert!(!is_same(CID, other) && !is_same(other, CID), "{other}");
        }
    }
}

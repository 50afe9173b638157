//! Which DSI data type a write has when nobody says so. Shared by the table
//! and the build script, which leaves that byte out of the sequences.

/// The data type that the vendor's driver gives a write of `payload`, the
/// command first: DCS below command 0xB0, generic from there, each with a type
/// of its own for none, one and more parameters. Source: facts/panels.md,
/// "Facts about the MT6572 DSI driver". 0 for no bytes.
pub const fn usual(payload: &[u8]) -> u8 {
    match *payload {
        [] => 0,
        [..0xB0] => 0x05,
        [..0xB0, _] => 0x15,
        [..0xB0, ..] => 0x39,
        [_] => 0x13,
        [_, _] => 0x23,
        [..] => 0x29,
    }
}

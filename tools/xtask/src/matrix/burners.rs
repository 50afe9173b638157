//! Writes that program a chip's one-time memory. No glass needs them, and a
//! bootloader must never send them: they are left out of the tables.
//!
//! Source: the makers' public data sheets. The facts have what drivers send,
//! and some send these.

/// Controllers by how their names begin, and commands: SETOTP of Himax, NVM
/// access and write control of Renesas.
const BURNERS: [(&str, &[u8]); 2] = [("hx", &[0xBB]), ("r61", &[0xE0, 0xE1])];

/// Whether `command` programs the memory of `controller`.
pub fn burns(controller: &str, command: u8) -> bool {
    BURNERS
        .iter()
        .any(|(name, commands)| controller.starts_with(name) && commands.contains(&command))
}

//! Commands that the table must not hold. The import leaves them out, the
//! build script refuses them.

/// Commands that program a chip's non-volatile memory, by controller. Only
/// what the makers' public data sheets name: SETOTP of Himax, "NV memory
/// write" and "protection key" of the Ilitek parts with the ILI9341 command
/// set, the NVM commands of the ST7796S, the NVM access of Renesas.
/// Novatek, Raydium and Orise name none that their tables could hold.
const BURNERS: &[(&str, &[u8])] = &[
    ("hx", &[0xBB]),
    ("ili9341", &[0xD0, 0xD1]),
    ("ili948", &[0xD0, 0xD1]),
    ("st7796", &[0xD0, 0xD1]),
    ("r61", &[0xE0, 0xE1]),
];

/// Whether `command` writes the one-time memory of `controller`.
pub fn burns(controller: &str, command: u8) -> bool {
    BURNERS
        .iter()
        .any(|(prefix, commands)| controller.starts_with(prefix) && commands.contains(&command))
}

//! Names of the commands of the MIPI Display Command Set, for people who read
//! an initialisation sequence. Source: MIPI DCS 1.3.

/// Command, how many parameters a write of it has, name.
const WRITES: [(u8, usize, &str); 35] = [
    (0x00, 0, "nop"),
    (0x01, 0, "soft_reset"),
    (0x10, 0, "enter_sleep_mode"),
    (0x11, 0, "exit_sleep_mode"),
    (0x12, 0, "enter_partial_mode"),
    (0x13, 0, "enter_normal_mode"),
    (0x20, 0, "exit_invert_mode"),
    (0x21, 0, "enter_invert_mode"),
    (0x22, 0, "set_all_pixels_off"),
    (0x23, 0, "set_all_pixels_on"),
    (0x26, 1, "set_gamma_curve"),
    (0x28, 0, "set_display_off"),
    (0x29, 0, "set_display_on"),
    (0x2A, 4, "set_column_address"),
    (0x2B, 4, "set_page_address"),
    (0x2C, 0, "write_memory_start"),
    (0x30, 4, "set_partial_rows"),
    (0x31, 4, "set_partial_columns"),
    (0x33, 6, "set_scroll_area"),
    (0x34, 0, "set_tear_off"),
    (0x35, 0, "set_tear_on"),
    (0x35, 1, "set_tear_on"),
    (0x36, 1, "set_address_mode"),
    (0x37, 2, "set_scroll_start"),
    (0x38, 0, "exit_idle_mode"),
    (0x39, 0, "enter_idle_mode"),
    (0x3A, 1, "set_pixel_format"),
    (0x3C, 0, "write_memory_continue"),
    (0x3D, 1, "set_3d_control"),
    (0x40, 1, "set_vsync_timing"),
    (0x44, 2, "set_tear_scanline"),
    (0x51, 1, "set_display_brightness"),
    (0x53, 1, "write_control_display"),
    (0x55, 1, "write_power_save"),
    (0x5E, 1, "set_cabc_min_brightness"),
];

/// The name of a write, if it is one of the standard's with as many parameters
/// as the standard gives it.
pub fn name(bytes: &[u8]) -> Option<&'static str> {
    let (&command, parameters) = bytes.split_first()?;
    let found = WRITES
        .iter()
        .find(|(number, count, _)| (*number, *count) == (command, parameters.len()));
    found.map(|(.., name)| *name)
}

/// Whether a write opens (`true`) or closes (`false`) a page of the maker's
/// own, on which the same numbers are other registers; `None` if it is no such
/// write. Ilitek's and others' page command is 0xFF, and its last parameter the
/// page, 0 being the standard's.
pub fn opens_page(bytes: &[u8]) -> Option<bool> {
    match bytes {
        [0xFF, .., page] => Some(*page != 0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_named_by_command_and_parameters() {
        assert_eq!(name(&[0x11]), Some("exit_sleep_mode"));
        assert_eq!(name(&[0x36, 0x48]), Some("set_address_mode"));
        // A register of the maker's.
        assert_eq!(name(&[0x11, 0x48]), None);
        assert_eq!(name(&[0xB0]), None);
        assert_eq!(name(&[]), None);
        let sorted = WRITES
            .windows(2)
            .all(|pair| (pair[0].0, pair[0].1) < (pair[1].0, pair[1].1));
        assert!(sorted);
    }

    #[test]
    fn pages_open_and_close() {
        assert_eq!(
            opens_page(&[0xFF, 0xFF, 0x98, 0x06, 0x04, 0x01]),
            Some(true)
        );
        assert_eq!(
            opens_page(&[0xFF, 0xFF, 0x98, 0x06, 0x04, 0x00]),
            Some(false)
        );
        assert_eq!(opens_page(&[0x29]), None);
    }
}

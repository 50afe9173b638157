//! The choice that the phone stored at the end of MISC, from a dump of it.

use serde::Serialize;
use std::fmt::{self, Display, Formatter};
use unilk_core::Code as _;
use unilk_core::identify::store::{self, How, SLOT_LEN, StoreError};

/// How a slot begins: the tag, sector 0, version 1. The bootloader's image has
/// the tag alone.
const TAG: &[u8] = b"unilkSEL\0\x01";
/// What bits of "absent" mean.
const PARTS: [&str; 4] = ["panel", "touch chip", "main camera", "sub camera"];

/// What is stored. Names are ids of the driver table; empty = none.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Stored {
    /// How the panel was chosen.
    how: &'static str,
    panel: String,
    /// False if this release's table has no such panel.
    panel_known: bool,
    wiring: String,
    board: String,
    touch: String,
    touch_address: u8,
    cameras: [String; 2],
    /// What was looked for and not found.
    absent: Vec<&'static str>,
    /// Check value of the boot image whose kernel was searched; 0 = none was.
    kernel_crc: u32,
    /// Panel drivers that the kernel names.
    kernel_names: Vec<String>,
}

/// Reads what `misc`, a dump of the whole partition, remembers.
///
/// # Errors
/// A sentence with the code and the remedy.
pub fn read(misc: &[u8]) -> Result<Stored, String> {
    let explain = |why: StoreError| format!("{} {why}", why.code());
    let misc_bytes = u32::try_from(misc.len()).unwrap_or_default();
    let slots = store::offsets(misc_bytes).map_err(|_| {
        format!(
            "a file of {} bytes cannot be the MISC partition: dump all of it",
            misc.len()
        )
    })?;
    let slot = |at: u32| {
        let at = at as usize;
        misc.get(at..at + SLOT_LEN).unwrap_or_default()
    };
    let [first, second] = slots;
    match store::load([slot(first), slot(second)]) {
        Ok(Some(choice)) => Ok(Stored::of(&choice)),
        Ok(None) if misc.windows(TAG.len()).any(|bytes| bytes == TAG) => Err(
            "the last 8 KiB are blank, but a stored choice lies elsewhere in the file: \
             dump the MISC partition alone, whole"
                .to_owned(),
        ),
        Ok(None) => Err("nothing is stored: the last 8 KiB of MISC are blank".to_owned()),
        Err(why) => Err(explain(why)),
    }
}

impl Stored {
    /// Id of the panel's row; empty if none was chosen.
    pub fn panel(&self) -> &str {
        &self.panel
    }

    fn of(choice: &store::Choice<'_>) -> Stored {
        let absent = PARTS.iter().enumerate();
        Stored {
            how: match choice.how {
                How::None => "not chosen",
                How::Person => "by a person",
                How::Identified => "by what it answered",
                How::KernelNames => "by the names in the phone's kernel",
                How::Guess => "a guess: others fit as well",
            },
            panel: choice.panel.to_owned(),
            panel_known: unilk_board_db::panel(choice.panel).is_some(),
            wiring: choice.wiring.to_owned(),
            board: choice.board.to_owned(),
            touch: choice.touch.to_owned(),
            touch_address: choice.touch_address,
            cameras: choice.cameras.map(str::to_owned),
            absent: absent
                .filter(|(bit, _)| choice.absent >> bit & 1 == 1)
                .map(|(_, &part)| part)
                .collect(),
            kernel_crc: choice.kernel,
            kernel_names: choice.names.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Display for Stored {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: &str| {
            if value.is_empty() {
                return Ok(());
            }
            writeln!(f, "{name:<12} {value}")
        };
        row("panel", &self.panel)?;
        row("chosen", self.how)?;
        if !self.panel.is_empty() && !self.panel_known {
            let why = StoreError::Panel;
            row("", &format!("{} {why}", why.code()))?;
        }
        row("wiring", &self.wiring)?;
        row("board", &self.board)?;
        if !self.touch.is_empty() {
            row(
                "touch",
                &format!("{} at {:02X}", self.touch, self.touch_address),
            )?;
        }
        row("camera main", &self.cameras[0])?;
        row("camera sub", &self.cameras[1])?;
        row("not found", &self.absent.join(", "))?;
        if self.kernel_crc != 0 {
            row("kernel", &format!("{:08x}", self.kernel_crc))?;
        }
        row("names in it", &self.kernel_names.join(", "))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use unilk_core::identify::store::{Choice, plan_write};

    const MISC: usize = 0x8_0000;

    fn misc(panel: &str) -> Vec<u8> {
        let mut misc = vec![0xFF; MISC];
        let mut choice = Choice {
            how: How::Person,
            panel,
            touch: "gt911",
            touch_address: 0x5D,
            absent: 0b1000,
            kernel: 0x1234,
            ..Choice::EMPTY
        };
        choice.names.push("some_driver").unwrap();
        let mut slot = [0; SLOT_LEN];
        plan_write([&[0xFF; SLOT_LEN], &[0xFF; SLOT_LEN]], &choice, &mut slot).unwrap();
        let at = store::offsets(MISC as u32).unwrap()[0] as usize;
        misc[at..at + SLOT_LEN].copy_from_slice(&slot);
        misc
    }

    #[test]
    fn a_stored_choice_is_shown() {
        let stored = read(&misc("no-such-panel")).unwrap();
        assert_eq!(stored.panel, "no-such-panel");
        assert_eq!(stored.absent, ["sub camera"]);
        let text = stored.to_string();
        assert!(text.contains("chosen       by a person\n"), "{text}");
        assert!(text.contains("touch        gt911 at 5D\n"), "{text}");
        assert!(text.contains("STORE-LCM"), "{text}");
        assert!(text.contains("some_driver"), "{text}");
        let known = unilk_board_db::panels().first().unwrap().id;
        assert!(
            !read(&misc(known))
                .unwrap()
                .to_string()
                .contains("STORE-LCM")
        );
    }

    #[test]
    fn wrong_files_are_refused_with_a_remedy() {
        let why = |data: &[u8]| read(data).unwrap_err();
        assert!(why(&[]).contains("dump all of it"));
        assert!(why(&vec![0; MISC]).contains("nothing is stored"));
        // The end is missing, or something follows it.
        let short = misc("a");
        assert!(why(&short[..MISC - SLOT_LEN - 512]).contains("elsewhere"));
        let mut shifted = misc("a");
        shifted.resize(2 * MISC, 0);
        assert!(why(&shifted).contains("elsewhere"));
        let mut damaged = misc("a");
        damaged[MISC - 2 * SLOT_LEN + 600] ^= 1;
        assert!(why(&damaged).starts_with("STORE-CRC"));
        damaged[MISC - 1] = 7;
        assert!(why(&damaged).starts_with("STORE-FULL"));
    }
}

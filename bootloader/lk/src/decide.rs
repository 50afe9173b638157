//! What this boot is for: gathers everything that has a say and asks
//! `unilk_core::bootmode`.
//!
//! Source: facts/soc.md 8.4, 10.8, 12.3; facts/storage-and-images.md 7.

use mt6572_hal::mt6323::rtc::Pdn1;
use unilk_core::bcb;
use unilk_core::block::{ReadAt, Window};
use unilk_core::bootmode::{self, Image, Inputs, Outcome, RtcFlags};

use crate::log::say;
use crate::storage::Disk;
use crate::wake::Phone;

/// What comes next.
pub enum Next {
    /// Boot a kernel.
    Kernel(Image),
    /// Give the phone to a host tool.
    UsbDownload(&'static str),
    /// Nothing to start for.
    PowerOff(&'static str),
}

/// Decides, and takes back the requests that are used up.
pub fn decide(phone: &mut Phone, disk: &mut Disk) -> Next {
    let (pdn1, pdn2) = phone.rtc_flags.map_or((0, 0), |flags| {
        (flags.pdn1.raw_value(), flags.pdn2.raw_value())
    });
    let decision = bootmode::decide(&Inputs {
        requested: phone.argument.mode,
        reason: phone.argument.reason,
        rtc: RtcFlags::from_registers(pdn1, pdn2),
        bcb: read_bcb(disk),
        keys: phone.keys.meaning(phone.hints.board),
        charger: phone.charger,
        factory_forbidden: phone.argument.factory_forbidden,
    });
    if decision.clear_pdn1 != 0 {
        let cleared = phone.hal.pmic.rtc().update_pdn1(|flags| {
            Pdn1::new_with_raw_value(flags.raw_value() & !decision.clear_pdn1)
        });
        if let Err(error) = cleared {
            say!(
                "{} the PMIC did not answer: the request in the RTC stays",
                error.code()
            );
        }
    }
    let why = decision.why.name();
    match (decision.outcome, decision.partition()) {
        (Outcome::Boot(mode), Some(partition)) => {
            say!("mode {}: {why}; {partition}", mode.name());
            Next::Kernel(Image::first(partition, mode))
        }
        (Outcome::Boot(mode), None) => {
            say!("mode {}: {why}", mode.name());
            Next::UsbDownload(why)
        }
        (Outcome::PowerOff, _) => Next::PowerOff(why),
    }
}

/// Android's request in MISC; a phone without MISC has none.
fn read_bcb(disk: &mut Disk) -> bcb::Command {
    let Ok((first, sectors)) = disk.table.locate("MISC") else {
        return bcb::Command::None;
    };
    let mut command = [0; bcb::COMMAND_LEN];
    match Window::new(&mut disk.storage, first, sectors).read_at(0, &mut command) {
        Ok(()) => bcb::command(&command),
        Err(_) => bcb::Command::None,
    }
}

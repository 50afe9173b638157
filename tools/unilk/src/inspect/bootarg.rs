//! Dumps of what the preloader leaves for the bootloader at 0x800D0000.
//!
//! Source: facts/soc.md 3.3, 3.4; facts/storage-and-images.md 6.5.

use super::report::{self, Facts, Report};
use super::{of_core, text};
use crate::finding::Finding;
use crate::recognise::Kind;
use crate::source::Source;
use unilk_core::bootarg::{BOOT_ARGUMENT_LEN, BootArgument, BootMode};
use unilk_core::bytes::Bytes;

/// What `source`, which begins with "LPLP", holds.
pub fn look(source: &dyn Source, head: &[u8]) -> Report {
    let mut report = Report::new(
        Kind::BootArgument,
        source.len(),
        "boot argument of the preloader",
    );
    "The bootloader finds it at 0x800D0000 and learns from it how the phone was started and what memory it has."
        .clone_into(&mut report.on_a_phone);
    let argument = match BootArgument::parse(head) {
        Ok(argument) => argument,
        Err(why) => {
            report.findings.push(of_core(Finding::problem, &why));
            return report;
        }
    };
    report
        .facts
        .push(fields(&argument, Bytes::new(head)).into());
    report.summary = format!(
        "boot argument of the preloader: mode {}, reason {}",
        argument.mode.name(),
        argument.reason.name()
    );
    findings(&argument, source.len(), &mut report);
    report
}

fn fields(argument: &BootArgument, bytes: Bytes<'_>) -> Facts {
    let word = |at| bytes.u32(at).unwrap_or(0);
    let mut facts = Facts::new("argument", "boot argument");
    facts.add("mode", report::text(argument.mode.name()));
    facts.add("mode_word", report::hex(argument.mode_word));
    facts.add("reason", report::text(argument.reason.name()));
    facts.add("reason_number", report::count(argument.reason.number()));
    facts.add("log_port", report::address(word(0x0C)));
    facts.add("log_baud", report::count(word(0x10)));
    facts.add("log_enabled", report::flag(argument.log_enabled));
    facts.add("ranks", report::count(word(0x18)));
    if let Ok(dram) = argument.dram {
        facts.add("memory_bytes", report::bytes(dram.total()));
        let banks = dram.banks();
        let banks = banks.map(|bank| format!("{:#x} + {}", bank.base, text::size(bank.len.into())));
        facts.add("banks", report::list(banks.collect()));
    }
    let meta = match argument.meta.kind {
        1 => "UART",
        2 => "USB",
        _ => "none",
    };
    facts.add("meta_channel", report::text(meta));
    facts.add("meta_port", report::count(argument.meta.id));
    facts.add("preloader_ms", report::count(argument.preloader_ms));
    if argument.mode == BootMode::Download {
        facts.add("agent_address", report::address(word(0x3C)));
    }
    facts.add(
        "factory_forbidden",
        report::flag(argument.factory_forbidden),
    );
    facts
}

fn findings(argument: &BootArgument, there: u64, report: &mut Report) {
    if let Err(why) = &argument.dram {
        report.findings.push(of_core(Finding::problem, why));
    }
    if BootMode::from_word(argument.mode_word).is_none() {
        report.findings.push(Finding::warning(
            "ARG-MODE",
            format!(
                "boot mode {:#x} does not exist: unilk takes it as normal",
                argument.mode_word
            ),
        ));
    }
    if there > BOOT_ARGUMENT_LEN as u64 {
        report.findings.push(Finding::note(
            "ARG-REST",
            "no MT6572 preloader writes more than 0x50 bytes: what follows is left from before",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::inspect;
    use crate::inspect::report::Value;
    use crate::inspect::testing::{codes, mutate, put};

    fn argument() -> Vec<u8> {
        let mut data = vec![0; BOOT_ARGUMENT_LEN];
        put(
            &mut data,
            &[
                (0x00, 0x504C_504C),
                (0x04, 99),
                (0x0C, 0x1100_5000),
                (0x10, 921_600),
                (0x14, 1),
                (0x18, 2),
                (0x1C, 0x2000_0000),
                (0x20, 0x2000_0000),
                (0x2C, 4),
                (0x38, 1234),
            ],
        );
        data
    }

    #[test]
    fn every_field_is_told() {
        let report = inspect(&argument());
        assert_eq!(report.kind, Kind::BootArgument);
        assert!(codes(&report).is_empty());
        assert_eq!(report.value("argument", "mode"), Some(&"fastboot".into()));
        assert_eq!(report.value("argument", "reason"), Some(&"reboot".into()));
        assert_eq!(
            report.value("argument", "memory_bytes"),
            Some(&Value::Number(1 << 30))
        );
    }

    #[test]
    fn what_cannot_be_is_said() {
        let good = argument();
        assert_eq!(codes(&inspect(&&good[..0x4F])), ["ARG-SHORT"]);
        let mut bad = good.clone();
        put(&mut bad, &[(4, 77), (0x18, 5)]);
        bad.push(0);
        assert_eq!(codes(&inspect(&bad)), ["ARG-MODE", "ARG-REST", "RAM-RANKS"]);
        mutate(&good, 300, |data| {
            let _ = inspect(&data);
        });
    }
}

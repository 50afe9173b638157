//! The MISC partition: what Android, LK and unilk keep there.
//!
//! Source: facts/storage-and-images.md 7.5; `unilk_core::identify::store`.

use super::report::{self, Facts, Report};
use super::{of_core, read};
use crate::finding::Finding;
use crate::recognise::Kind;
use crate::report::choice;
use crate::source::Source;
use unilk_core::bcb::COMMAND_LEN;
use unilk_core::env::{ENV_LEN, ENV_OFFSET, Env, EnvError};

/// The largest seen has 1.5 MiB.
const MOST: usize = 4 << 20;

/// `source`, if it is a dump of MISC in which something is kept.
pub fn look(source: &dyn Source) -> Option<Report> {
    let len = usize::try_from(source.len())
        .ok()
        .filter(|&len| len <= MOST)?;
    let mut report = Report::new(Kind::Misc, source.len(), "MISC partition");
    let command = command(source);
    let env = environment(source);
    let stored = stored(source, len);
    if command.is_none() && matches!(env, Ok(None)) && stored.is_none() {
        return None;
    }
    report.summary = match (&command, &stored) {
        (Some(command), _) => format!("MISC partition, command \"{}\"", report::printable(command)),
        (None, Some(panel)) => format!("MISC partition, panel {}", report::printable(panel)),
        (None, None) => "MISC partition with an LK environment".to_owned(),
    };
    let mut facts = Facts::new("misc", "kept here");
    facts.add("command", or_none(command.as_deref()));
    facts.add("panel", or_none(stored.as_deref()));
    if stored.is_some() {
        report.findings.push(Finding::note(
            "MISC-CHOICE",
            "unilk keeps its choice here: `unilk report --choice` shows all of it",
        ));
    }
    report.facts.push(facts.into());
    match env {
        Ok(env) => report.facts.extend(env.map(Into::into)),
        Err(why) => report.findings.push(of_core(Finding::warning, &why)),
    }
    let on_a_phone = match command.as_deref() {
        Some("boot-recovery") => {
            "The next start goes to RECOVERY, and again until recovery clears the command."
        }
        _ => "It asks for nothing: the phone starts as its keys say.",
    };
    on_a_phone.clone_into(&mut report.on_a_phone);
    Some(report)
}

fn or_none(text: Option<&str>) -> report::Cell {
    text.map_or(report::absent("none"), report::text)
}

/// What Android asks the bootloader for.
fn command(source: &dyn Source) -> Option<String> {
    let field = read::some(source, 0, COMMAND_LEN);
    let text = crate::bytes::text(&field);
    text.starts_with("boot-").then_some(text)
}

/// LK's environment, if there is one; why it is not used, if it is damaged.
fn environment(source: &dyn Source) -> Result<Option<Facts>, EnvError> {
    let bytes = read::some(source, ENV_OFFSET.into(), ENV_LEN);
    match Env::parse(&bytes) {
        Ok(env) => {
            let mut facts = Facts::new("environment", "LK environment");
            let entries = env.entries().map(|(name, value)| format!("{name}={value}"));
            facts.add("entries", report::list(entries.collect()));
            Ok(Some(facts))
        }
        Err(EnvError::Signature) => Ok(None),
        Err(why) => Err(why),
    }
}

/// The panel that unilk keeps in mind.
fn stored(source: &dyn Source, len: usize) -> Option<String> {
    let misc = read::some(source, 0, len);
    choice::read(&misc).ok().map(|stored| match stored.panel() {
        "" => "not chosen".to_owned(),
        panel => panel.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::inspect;
    use crate::inspect::report::Value;
    use crate::inspect::testing::{codes, mutate};

    fn misc() -> Vec<u8> {
        let mut data = vec![0; 0x8_0000];
        data[..13].copy_from_slice(b"boot-recovery");
        let at = ENV_OFFSET as usize;
        data[at..at + 6].copy_from_slice(b"ENV_v1");
        data[at + 0x3FF4..at + 0x3FFA].copy_from_slice(b"ENV_v1");
        data[at + 8..at + 17].copy_from_slice(b"hibboot=1");
        let sum: u32 = data[at + 8..at + 0x3FF4]
            .iter()
            .map(|&byte| u32::from(byte))
            .sum();
        data[at + 0x3FFC..at + 0x4000].copy_from_slice(&sum.to_le_bytes());
        data
    }

    #[test]
    fn command_and_environment_are_read() {
        let report = inspect(&misc());
        assert_eq!(report.kind, Kind::Misc);
        assert_eq!(
            report.value("misc", "command"),
            Some(&"boot-recovery".into())
        );
        assert_eq!(
            report.value("environment", "entries"),
            Some(&Value::List(vec!["hibboot=1".to_owned()]))
        );
        assert!(report.on_a_phone.contains("RECOVERY"));
        let mut bad = misc();
        bad[ENV_OFFSET as usize + 9] = b'x';
        assert_eq!(codes(&inspect(&bad)), ["ENV-SUM"]);
        mutate(&misc(), 50, |data| {
            let _ = inspect(&data);
        });
    }
}

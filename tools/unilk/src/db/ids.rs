//! What tells a panel, in words: the terms of its IDs as questions of the plan
//! and what must come back.

use unilk_board_db::{Plan, ReadKind, Term};

/// What identification pins and voltages must be, in words.
pub fn pins(id: &[Term]) -> Vec<String> {
    let told = id.iter().filter_map(|term| match *term {
        Term::Answer { .. } => None,
        Term::Strap { index, high } => Some(format!(
            "pin ID{} {}",
            u16::from(index) + 1,
            if high { "high" } else { "low" }
        )),
        Term::Voltage {
            channel,
            from_mv,
            to_mv: u16::MAX,
        } => Some(format!("AUXADC {channel} at {from_mv} mV or more")),
        Term::Voltage {
            channel,
            from_mv,
            to_mv,
        } => Some(format!("AUXADC {channel} at {from_mv} to {to_mv} mV")),
    });
    told.collect()
}

/// One way to know a panel: a line for each question, then pins and voltages.
pub fn words(plan: &Plan, id: &[Term]) -> Vec<String> {
    let mut asked: Vec<(u16, Vec<String>)> = Vec::new();
    for term in id {
        let Term::Answer {
            question,
            byte,
            mask,
            value,
        } = *term
        else {
            continue;
        };
        let is = match mask {
            0xFF => format!("byte {byte} is {value:02X}"),
            _ => format!("byte {byte} & {mask:02X} is {value:02X}"),
        };
        match asked.iter_mut().find(|(known, _)| *known == question) {
            Some((_, terms)) => terms.push(is),
            None => asked.push((question, vec![is])),
        }
    }
    let told = asked.into_iter().map(|(question, terms)| {
        let read = read(plan, question);
        format!("{read}: {}", terms.join(", "))
    });
    told.chain(pins(id)).collect()
}

/// A question of the plan, and the state in which it is asked.
fn read(plan: &Plan, question: u16) -> String {
    let Some(asked) = plan.questions.get(usize::from(question)) else {
        return format!("question {question}");
    };
    let how = match asked.kind {
        ReadKind::Dcs => "dcs",
        ReadKind::Generic => "generic",
        ReadKind::Dbi => "bus",
    };
    let stage = plan.stages.get(usize::from(asked.stage));
    let state = match stage {
        Some(stage) if !stage.unlock.is_empty() => format!("after \"{}\"", stage.name),
        _ => "after reset".to_owned(),
    };
    let plural = if asked.len == 1 { "byte" } else { "bytes" };
    format!(
        "{how} read {:02X}, {} {plural}, {state}",
        asked.register, asked.len
    )
}

/// The bytes that the answers have at known places, question by question, for
/// searching: only those of which every bit counts.
pub fn answers(id: &[Term]) -> Vec<(u16, Vec<u8>)> {
    let mut all: Vec<(u16, u8, Vec<u8>)> = Vec::new();
    for term in id {
        let Term::Answer {
            question,
            byte,
            mask: 0xFF,
            value,
        } = *term
        else {
            continue;
        };
        match all.last_mut() {
            Some((known, next, bytes)) if *known == question && *next == byte => {
                bytes.push(value);
                *next += 1;
            }
            _ => all.push((question, byte.wrapping_add(1), vec![value])),
        }
    }
    all.into_iter()
        .map(|(question, _, bytes)| (question, bytes))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_told_by_question() {
        let plan = unilk_board_db::plan();
        let answer = |byte, mask, value| Term::Answer {
            question: 0,
            byte,
            mask,
            value,
        };
        let id = [
            answer(0, 0xFF, 0x98),
            answer(1, 0xFF, 0x06),
            answer(2, 0xF0, 0x40),
            Term::Strap {
                index: 0,
                high: true,
            },
            Term::Voltage {
                channel: 1,
                from_mv: 600,
                to_mv: u16::MAX,
            },
        ];
        let words = words(plan, &id);
        assert_eq!(words.len(), 3);
        assert!(words[0].contains(" read "), "{words:?}");
        assert!(
            words[0].ends_with(": byte 0 is 98, byte 1 is 06, byte 2 & F0 is 40"),
            "{words:?}"
        );
        assert_eq!(words[1..], ["pin ID1 high", "AUXADC 1 at 600 mV or more"]);
        assert_eq!(answers(&id), [(0, vec![0x98, 0x06])]);
    }
}

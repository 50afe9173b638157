//! The log that outlives a reset: a boot that died is shown by the next one,
//! and the detailed trace in it can be read with the bootloader's ELF file.
//! Source: facts/soc.md 6 (what a watchdog reset keeps); linker/lk.ld.

use defmt_decoder::Table;
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SymbolKind};
use unilk_core::logmem::{Boot, Kind};

use crate::common::{Kernel, artifacts};
use crate::look::{phone_with, plain, stock, text_of};

/// Thumb code: an undefined instruction.
const UNDEFINED: [u16; 2] = [0xDE00, 0xDE00];
/// `movs r0, #0`, then `ldr r0, [r0]` or `bx r0`: nothing is at 0.
const LOAD_FROM_NOWHERE: [u16; 2] = [0x2000, 0x6800];
const JUMP_TO_NOWHERE: [u16; 2] = [0x2000, 0x4700];

/// Our `lk.bin` with `code` at the start of every function that merges command
/// lines, and where they are: whichever comes first, a vendor kernel's boot
/// dies in the middle, with nothing in flight.
fn spoilt_lk(code: [u16; 2]) -> (Vec<u8>, Vec<u32>) {
    let elf = artifacts::bytes("unilk-lk");
    let file = object::File::parse(&*elf).unwrap();
    let mut spoilt = elf.clone();
    let text = file.section_by_name(".text").unwrap();
    let in_file = text.file_range().unwrap().0.wrapping_sub(text.address());
    let mut places = Vec::new();
    for symbol in file.symbols() {
        let name = symbol.name().unwrap_or_default();
        let merges = name.contains("unilk_core") && name.contains("8bootargs");
        if symbol.kind() != SymbolKind::Text || !merges {
            continue;
        }
        let address = symbol.address() as u32;
        assert_eq!(address & 1, 1, "{name} is no Thumb code");
        let at = in_file.wrapping_add((address & !1).into()) as usize;
        for (place, half) in spoilt[at..].as_chunks_mut().0.iter_mut().zip(code) {
            *place = u16::to_le_bytes(half);
        }
        places.push(address & !1);
    }
    assert!(
        !places.is_empty(),
        "no function merges command lines any more"
    );
    let unpacker = artifacts::bytes("unilk-unpack");
    let payload = unilk::compress::payload(&spoilt, &unpacker).unwrap();
    let lk = unilk::mtk::with_header(unilk::pack::LK_NAME, &payload).unwrap();
    (lk, places)
}

#[test]
fn boot_that_died_is_shown_by_the_next() {
    let (lk, places) = spoilt_lk(UNDEFINED);
    let run = phone_with(&stock())
        .part("UBOOT", lk)
        .change(|phone| phone.max_resets(1))
        .run();
    run.is_clean();
    run.check(
        run.resets("watchdog time-out") > 0,
        "the watchdog did not bite",
    );

    let mut traps = run
        .lines("")
        .filter_map(|line| line.split_once("CPU-TRAP "));
    let (_, what) = traps.next().unwrap();
    let pc = what.strip_prefix("undefined instruction at ").unwrap();
    let pc = u32::from_str_radix(pc, 16).unwrap();
    run.check(places.contains(&pc), "the address of the trap");

    // The second boot: the first one's last words, each behind a bar.
    let (_, second) = run.text().split_once("did not come to its end").unwrap();
    let shown = |words: &str| {
        second
            .lines()
            .any(|line| line.contains("| ") && line.contains(words))
    };
    run.check(
        shown("CPU-TRAP undefined instruction"),
        "the trap is not shown",
    );
    // Whatever was said right before it; its spelling is not this test's.
    let mut last = "";
    for line in run.text().lines() {
        if line.contains("CPU-TRAP") {
            break;
        }
        last = line;
    }
    run.check(
        !last.is_empty() && shown(last),
        "what went before is not shown",
    );
    run.check(
        second.contains("started by a reset"),
        "the reason is not told",
    );

    // In memory, at the reset: the boot that died, not complete.
    let died = run.log("log.1", |boots| boots[0].as_ref().map(|boot| boot.complete));
    run.check(died == Some(false), "the log at the reset");
}

/// Aborts are also how the image's late part is waited for: those that are
/// none of it are still told.
#[test]
fn an_address_at_which_nothing_is_is_told() {
    for (code, trap) in [
        (LOAD_FROM_NOWHERE, "CPU-TRAP data abort at "),
        (JUMP_TO_NOWHERE, "CPU-TRAP prefetch abort at 00000000"),
    ] {
        let (lk, _) = spoilt_lk(code);
        let run = phone_with(&stock())
            .part("UBOOT", lk)
            .change(|phone| phone.max_resets(1))
            .run();
        run.says(&[trap]).says(&["fault address 00000000"]);
    }
}

/// A boot that went well is nothing to show.
#[test]
fn boot_that_went_well_is_not_shown() {
    let mut image = plain(Kernel::Tree);
    image.cmdline = "tk.end=reset".to_owned();
    let run = phone_with(&image).change(|phone| phone.max_resets(1)).run();
    run.is_clean().never_says("did not come to its end");
    run.never_says("| ");
}

#[test]
fn trace_decodes_with_the_elf_file() {
    let run = phone_with(&plain(Kernel::Tree)).run();
    run.is_good();
    let table = Table::parse(&artifacts::bytes("unilk-lk"))
        .unwrap()
        .unwrap();
    let lines = run.log("log", |boots| decode(&table, boots[0].as_ref().unwrap()));
    for words in ["devinfo", "tree: ", "bytes in "] {
        let found = lines.iter().any(|line| line.contains(words));
        run.check(found, &format!("no {words:?} in the trace {lines:#?}"));
    }
    run.log("log", |boots| {
        let lines = text_of(boots[0].as_ref().unwrap());
        run.check(lines[0].contains("unilk "), "the first line");
    });
}

/// Every frame of the trace; one that does not decode is an error.
fn decode(table: &Table, boot: &Boot<'_>) -> Vec<String> {
    let frames = boot.records().filter(|record| record.kind == Kind::Defmt);
    let decoded = frames.map(|record| {
        let mut decoder = table.new_stream_decoder();
        decoder.received(record.data);
        if record.data.last() != Some(&0) {
            decoder.received(&[0]);
        }
        decoder.decode().unwrap().display(false).to_string()
    });
    decoded.collect()
}

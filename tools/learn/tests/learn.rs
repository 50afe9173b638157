//! Stock-like images are learned, and what was learned is compared with what
//! they were made from.
#![allow(clippy::unwrap_used, missing_docs)]

/// The compiler of the driver table: what it takes, a row may be.
#[path = "../../../board-db/build/source/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    clippy::pedantic,
    reason = "the build script's; only its checks are used"
)]
mod source;
#[allow(dead_code, reason = "not every image needs all of it")]
mod stock;

use std::process::Command;
use std::time::{Duration, Instant};
use stock::{Model, Op, image};
use unilk_learn::event::Question;
use unilk_learn::identify::{Method, Term};
use unilk_learn::known::Known;
use unilk_learn::layout::Generation;
use unilk_learn::learn::{Driver, Error, Learned, Options, learn};
use unilk_learn::record::Failure;
use unilk_learn::row;

/// Whether the emulator is there; says so if not.
fn emulator() -> bool {
    let found = Command::new(&Options::default().qemu)
        .arg("--version")
        .output();
    if found.is_err() {
        eprintln!(
            "SKIPPED: qemu-system-arm is missing, which runs the drivers (apt install qemu-system-arm)"
        );
    }
    found.is_ok()
}

fn learned(generation: Generation, models: &[Model]) -> Learned {
    // Other tests need the processor too.
    let options = Options {
        driver_time: Duration::from_mins(1),
        ..Options::default()
    };
    learn(&image(generation, models), &options, |_, _, _| {}).unwrap()
}

fn byte(register: u8, byte: u8, value: u8) -> Term {
    Term::Byte {
        question: Question::Dsi { register, nth: 0 },
        byte,
        mask: 0xFF,
        value,
    }
}

fn terms(driver: &Driver) -> Vec<Vec<Term>> {
    let ways = &driver.identification.ways;
    ways.iter().map(|way| way.terms.clone()).collect()
}

const INIT: &str = "29 FF FF 98 06 04 01\n15 36 00\n05 11\ndelay 120\n05 29\n";

#[test]
fn both_generations_and_instruction_sets() {
    if !emulator() {
        return;
    }
    for generation in [Generation::Jb, Generation::Kk] {
        let mut models: Vec<Model> = Vec::new();
        for (name, thumb) in [("ili9806e_arm", false), ("ili9806e_thumb", true)] {
            let mut model = Model::new(name, thumb);
            model.compare = Some(vec![
                Op::Reset(false),
                Op::Delay(10),
                Op::Reset(true),
                Op::Raw(vec![0x0006_3902, 0x0698_FFFF, 0x0000_0104]),
                Op::Raw(vec![0x0001_3700]),
                Op::Read(0x00, 1),
                Op::Byte(0, 0x98),
                Op::Read(0x01, 1),
                Op::Byte(0, 0x06),
            ]);
            models.push(model);
        }
        let learned = learned(generation, &models);
        assert_eq!(learned.drivers.len(), 2);
        for (driver, model) in learned.drivers.iter().zip(&models) {
            assert!(driver.complete(), "{driver:?}");
            assert_eq!(
                (driver.name.as_str(), driver.generation),
                (model.name, generation)
            );
            let dsi = driver.params.dsi.as_ref().unwrap();
            assert_eq!((driver.params.width, driver.params.height), model.size);
            assert_eq!((dsi.mode, dsi.lanes, dsi.pixels), (1, 2, 2));
            assert_eq!(
                (dsi.vertical, dsi.horizontal),
                (model.vertical, model.horizontal)
            );
            assert_eq!((dsi.pll_mhz, dsi.dividers), (208, [0, 0, 0]));
            assert_eq!(driver.init.reset, [(true, 1), (false, 10), (true, 120)]);
            assert_eq!(driver.init.lines(), INIT);
            assert_eq!(driver.power_down.lines(), "05 28\n05 10\ndelay 120\n");
            assert_eq!(terms(driver), [vec![byte(0, 0, 0x98), byte(1, 0, 0x06)]]);
            assert_eq!(driver.known, Known::New);
        }
        let rows = row::panels(&learned);
        assert!(
            rows[0].text.contains("unlock = [\"39 FF FF 98 06 04 01\"]"),
            "{}",
            rows[0].text
        );
        assert!(rows[0].text.contains("reads = [\"00 1\", \"01 1\"]"));
        for row in &rows {
            compiles(row);
        }
        let board = row::board(&learned, "Phone \"X\"", &rows);
        source::parse::<source::BoardToml>("data/boards/x.toml", &board).unwrap();
    }
}

/// The row is one that the table's own compiler takes.
fn compiles(row: &row::Row) {
    let parsed = source::parse::<source::PanelToml>("x", &row.text)
        .unwrap_or_else(|why| panic!("{why:?}\n{}", row.text));
    parsed
        .check(&row.id)
        .unwrap_or_else(|why| panic!("{why:?}\n{}", row.text));
}

#[test]
fn styles_of_tables() {
    if !emulator() {
        return;
    }
    let mut model = Model::new("otm8018b_styles", true);
    model.pll_mhz = 0;
    model.dividers = [1, 1, 30];
    model.init = vec![
        Op::Print,
        Op::Reset(false),
        Op::Delay(20),
        Op::Reset(true),
        Op::Delay(20),
        Op::V3(0x29, 0xFF, vec![0x80, 0x09, 0x01]),
        Op::V3(0x00, 0xFF, vec![0; 50]),
        Op::Raw(vec![0x0000_1500, 0x0004_2902, 0x0109_80FF, 0x0011_0500]),
        Op::V2(0xB0, vec![1]),
        Op::PinLevel(112, 1),
        Op::V2(0x29, vec![]),
    ];
    // One driver only: no list.
    let learned = learned(Generation::Jb, &[model]);
    let driver = &learned.drivers[0];
    let lines = "29 FF 80 09 01\ndelay 50\n15 00 00\n29 FF 80 09 01\n05 11\n23 B0 01\n05 29\n";
    assert_eq!(driver.init.lines(), lines);
    assert_eq!(driver.init.notes, ["GPIO112 = 1"]);
    assert_eq!(driver.params.dsi.as_ref().unwrap().dividers, [1, 1, 30]);
    assert_eq!(driver.identification.method, Method::None);
    let row = &row::panels(&learned)[0];
    assert!(row.text.contains("doubtful = true") && row.text.contains("also: GPIO112 = 1"));
    compiles(row);
}

/// A driver with this `compare_id`.
fn asking(name: &'static str, ops: &[Op]) -> Model {
    let mut model = Model::new(name, true);
    model.compare = Some(ops.to_vec());
    model
}

#[test]
fn bytes_words_masks_and_alternatives() {
    if !emulator() {
        return;
    }
    use Op::{Byte, EitherByte, Masked, Print, Read, Two};
    let models = [
        asking("two", &[Read(0xC5, 2), Print, Two(0, 0x8019)]),
        asking(
            "either",
            &[Read(0xA1, 4), Byte(2, 0x80), EitherByte(3, 0x09, 0x16)],
        ),
        asking("part", &[Read(0xDA, 1), Masked(0, 0xF0, 0x40)]),
        // The second byte of a read of one; the third stays from before.
        asking(
            "short",
            &[Read(0xA1, 5), Read(0xDA, 1), Byte(2, 0x98), Byte(1, 0x06)],
        ),
    ];
    let learned = learned(Generation::Kk, &models);
    let [two, either, part, short] = &learned.drivers[..] else {
        panic!("{:?}", learned.rejected);
    };
    assert_eq!(terms(two), [vec![byte(0xC5, 0, 0x80), byte(0xC5, 1, 0x19)]]);
    let mut found = terms(either);
    found.sort();
    let id = |low| vec![byte(0xA1, 2, 0x80), byte(0xA1, 3, low)];
    assert_eq!(found, [id(0x09), id(0x16)]);
    let question = Question::Dsi {
        register: 0xDA,
        nth: 0,
    };
    let high_part = Term::Byte {
        question,
        byte: 0,
        mask: 0xF0,
        value: 0x40,
    };
    assert_eq!(terms(part), [vec![high_part]]);
    assert_eq!(
        terms(short),
        [vec![byte(0xA1, 2, 0x98), byte(0xDA, 1, 0x06)]]
    );
    let rows = row::panels(&learned);
    assert!(rows[2].text.contains("\"DA[0]&F0=40\""));
    assert!(rows[3].text.contains("reads = [\"A1 5\", \"DA 2\"]"));
    for row in &rows {
        compiles(row);
    }
}

#[test]
fn pins_and_voltages() {
    if !emulator() {
        return;
    }
    use Op::{Byte, PinHigh, Read, Two, Voltage};
    let models = [
        asking("pin", &[Read(0xA1, 5), Two(2, 0x9605), PinHigh(50)]),
        asking(
            "volts",
            &[Read(0x04, 3), Byte(1, 0x80), Voltage(1, 1365, 2185)],
        ),
    ];
    let learned = learned(Generation::Kk, &models);
    let [pin, volts] = &learned.drivers[..] else {
        panic!("{:?}", learned.rejected);
    };
    let high = Term::Byte {
        question: Question::Pins { bank: 1 },
        byte: 2,
        mask: 1 << 2,
        value: 1 << 2,
    };
    let id = [byte(0xA1, 2, 0x96), byte(0xA1, 3, 0x05), high];
    assert_eq!(terms(pin), [id]);
    let range = Term::Adc {
        channel: 1,
        from: 1365,
        to: 2185,
    };
    assert_eq!(terms(volts), [vec![byte(0x04, 1, 0x80), range]]);
    let rows = row::panels(&learned);
    assert!(rows[0].text.contains("and GPIO50=high: a strap"));
    assert!(
        rows[1].text.contains("\"adc1=499..800\""),
        "{}",
        rows[1].text
    );
    for row in &rows {
        compiles(row);
    }
}

#[test]
fn what_decides_nothing_is_said() {
    if !emulator() {
        return;
    }
    use Op::{Byte, NotByte, Read};
    let models = [
        asking("none", &[]),
        asking("asks", &[Read(0xDA, 1)]),
        // Anything but one value: no single bit decides it.
        asking("not40", &[Read(0xDA, 1), NotByte(0, 0x40)]),
        asking("never", &[Read(0xDA, 1), Byte(0, 0x40), Byte(0, 0x41)]),
    ];
    let learned = learned(Generation::Kk, &models);
    let methods = learned.drivers.iter();
    let methods: Vec<Method> = methods.map(|driver| driver.identification.method).collect();
    let expected = [
        Method::AlwaysFalse,
        Method::ReadsAlwaysTrue,
        Method::AlmostAlwaysTrue,
        Method::NeverAccepted,
    ];
    assert_eq!(methods, expected);
    for row in &row::panels(&learned) {
        assert!(!row.text.contains("[[id]]"));
        compiles(row);
    }
}

#[test]
fn what_cannot_run_is_said_and_the_rest_is_learned() {
    if !emulator() {
        return;
    }
    let mut waits = Model::new("waits", false);
    waits.init.insert(7, Op::WaitForEver(0x1400_C00C));
    let mut crashes = Model::new("crashes", true);
    crashes.compare = Some(vec![Op::Crash]);
    let mut idle = Model::new("idle", true);
    idle.suspend = vec![Op::WaitForEver(0x8002_1000)];
    let good = Model::new("good", true);
    let started = Instant::now();
    let learned = learned(Generation::Kk, &[waits, crashes, idle, good]);
    let [waits, crashes, idle, good] = &learned.drivers[..] else {
        panic!("{:?}", learned.rejected);
    };
    assert!(
        matches!(waits.failures[..], [("init", Failure::Waits(_))]),
        "{:?}",
        waits.failures
    );
    assert!(!waits.complete());
    assert!(matches!(
        crashes.identification.failure,
        Some(Failure::Fault(_))
    ));
    assert_eq!(crashes.init.lines(), INIT);
    assert!(matches!(
        idle.failures[..],
        [("suspend", Failure::Waits(_))]
    ));
    assert!(good.complete());
    // What has no sound power-down gets the standard one; what has no sound
    // initialisation is no row.
    let rows = row::panels(&learned);
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["crashes", "idle", "good"]);
    assert!(
        rows[1]
            .text
            .contains("power_down = \"\"\"\n05 28\ndelay 20\n05 10\n")
    );
    assert!(rows[1].text.contains("doubtful = true"));
    assert!(started.elapsed().as_secs() < 20);
}

#[test]
fn what_helpers_do_to_the_chip_is_seen() {
    if !emulator() {
        return;
    }
    for thumb in [false, true] {
        let mut model = Model::new("st7701_helpers", thumb);
        let helpers = [
            // GPIO86 out and high, by the registers that set bits.
            Op::Poke(0x1000_5024, 1 << 22),
            Op::Poke(0x1000_5124, 1 << 22),
            // VGP1 on: a write through the PMIC's wrapper.
            Op::Poke(0x1000_F09C, 0x8285_8000),
            Op::TimerWait(50_000),
        ];
        model.init.splice(6..6, helpers);
        let learned = learned(Generation::Jb, &[model]);
        let init = &learned.drivers[0].init;
        assert_eq!(
            init.notes,
            [
                "GPIO86 output 1",
                "GPIO86 = 1",
                "PMIC register 0x050a = 0x8000"
            ]
        );
        // The wait is part of the reset's last level, and met to a few percent.
        let [.., (true, ms)] = init.reset[..] else {
            panic!("{:?}", init.reset);
        };
        assert!((170..=180).contains(&ms), "{ms}");
    }
}

/// `UNILK_STOCK_DIR`: stock images of real phones, which are not in the tree.
#[test]
fn stock_images() {
    let Ok(directory) = std::env::var("UNILK_STOCK_DIR") else {
        eprintln!("SKIPPED: UNILK_STOCK_DIR does not name a folder of stock lk.bin files");
        return;
    };
    if !emulator() {
        return;
    }
    for file in std::fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        let started = Instant::now();
        match learn(&bytes, &Options::default(), |_, _, _| {}) {
            Err(why) => println!("{}: {why}", path.display()),
            Ok(learned) => {
                let complete = learned.drivers.iter().filter(|driver| driver.complete());
                let (count, all) = (complete.count(), learned.drivers.len());
                let time = started.elapsed();
                println!("{}: {count} of {all} in {time:.1?}", path.display());
                for row in &row::panels(&learned) {
                    compiles(row);
                }
            }
        }
    }
}

#[test]
fn an_initialisation_that_identifies_first_is_not_sent_twice() {
    if !emulator() {
        return;
    }
    let mut model = Model::new("again", true);
    let mut init = vec![
        Op::Reset(false),
        Op::Delay(5),
        Op::Reset(true),
        Op::V2(0xB9, vec![1, 2, 3]),
        Op::Read(0xF4, 2),
    ];
    init.append(&mut model.init);
    init.push(Op::V2(0xBB, vec![1]));
    model.name = "hx8379a_again";
    model.init = init;
    let learned = learned(Generation::Kk, &[model]);
    let driver = &learned.drivers[0];
    assert_eq!(driver.init.lines(), INIT);
    assert_eq!(driver.init.reset, [(true, 1), (false, 10), (true, 120)]);
    // And what programs one-time memory is not sent at all.
    assert_eq!(driver.init.burners.len(), 1);
    let row = &row::panels(&learned)[0];
    assert!(row.text.contains("left out, never to be sent: 23 BB 01"));
    compiles(row);
}

#[test]
fn a_missing_emulator_is_said() {
    let options = Options {
        qemu: "no-such-emulator".to_owned(),
        ..Options::default()
    };
    let image = image(Generation::Jb, &[Model::new("one", true)]);
    let why = learn(&image, &options, |_, _, _| {}).unwrap_err();
    assert!(matches!(why, Error::NoEmulator(_)));
    assert!(why.to_string().contains("no-such-emulator is missing"));
}

/// Code that was made to break the emulated CPU, not to drive a panel.
#[test]
fn attacks_stay_inside() {
    if !emulator() {
        return;
    }
    let attack = |name, words: &[u32]| {
        let mut model = Model::new(name, false);
        model.compare = None;
        model.init.insert(0, Op::Instructions(words.to_vec()));
        model
    };
    let attacks = [
        attack("sleep", &[0xE320_F003]),                           // wfi
        attack("monitor", &[0xE160_0070]),                         // smc #0
        attack("undefined", &[0xE7F0_00F0]),                       // udf
        attack("semihosting", &[0xE3A0_0018, 0xEF12_3456]),        // exit
        attack("flood", &[0xE3A0_1102, 0xE4C1_0001, 0xEAFF_FFFD]), // strb r0, [r1], #1 for ever
        attack("stack", &[0xE3A0_D000, 0xE92D_FFFF]),              // sp = 0; push
        attack("user", &[0xF102_0010]),                            // cps #16
        attack("no-mmu", &[0xE3A0_0000, 0xEE01_0F10]),
        Model::new("last", true),
    ];
    let started = Instant::now();
    let options = Options {
        driver_time: Duration::from_secs(4),
        ..Options::default()
    };
    let learned = learn(&image(Generation::Kk, &attacks), &options, |_, _, _| {}).unwrap();
    for name in ["sleep", "monitor", "undefined", "flood", "stack"] {
        let driver = learned.drivers.iter().find(|driver| driver.name == name);
        let driver = driver.unwrap_or_else(|| panic!("{name}: {:?}", learned.rejected));
        assert!(!driver.complete(), "{name}: {:?}", driver.init);
    }
    assert!(started.elapsed() < Duration::from_mins(1));
}

#[test]
fn damaged_images_end_in_words() {
    if !emulator() {
        return;
    }
    let sound = image(
        Generation::Kk,
        &[Model::new("one", true), Model::new("two", false)],
    );
    let mut seed = 1_u32;
    let started = Instant::now();
    for round in 0..12 {
        let mut image = sound.clone();
        for _ in 0..=round {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = 0x2000 + seed as usize % (image.len() - 0x2000);
            image[at] ^= (seed >> 24) as u8;
        }
        let options = Options {
            driver_time: Duration::from_secs(2),
            ..Options::default()
        };
        let _ = learn(&image, &options, |_, _, _| {});
    }
    assert!(started.elapsed().as_secs() < 120);
}

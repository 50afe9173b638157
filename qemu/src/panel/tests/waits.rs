//! What the panel refuses because it comes too early.

use super::*;

#[test]
fn what_comes_too_early_is_refused() {
    let mut bench = Bench::new(small("dcs", "", ""));
    bench.pulse(10);
    bench.wait(4);
    bench.write(&[0x11]);
    let why = bench.refusals().concat();
    assert!(why.contains("4000 us after a reset"), "{why}");
    bench.wait(1);
    bench.write(&[0x11]);
    assert_eq!(bench.refusals(), [""; 0]);
    // Awake already, it takes another sleep-out for what it is: nothing new.
    bench.write(&[0x11]);
    assert_eq!(bench.refusals(), [""; 0]);
    // The table waits 120 ms after sleep-out, so that 5 are demanded.
    bench.write(&[0x36, 8]);
    assert!(bench.refusals().concat().contains("after sleep-out"));
    bench.wait(5);
    bench.write(&[0x36, 8]);
    bench.write(&[0x29]);
    let link = bench.link();
    bench.panel.video(Some(&link), &mut bench.world.cx());
    assert!(bench.refusals().concat().contains("display data 5 ms"));
    bench.wait(115);
    bench.panel.video(None, &mut bench.world.cx());
    assert_eq!(bench.show(&link).state, "picture");
    assert_eq!(bench.refusals(), [""; 0]);
    // Out of sleep-out, the next sleep-out must wait for the reset to end.
    bench.pulse(10);
    bench.wait(117);
    bench.write(&[0x11]);
    assert!(
        bench
            .refusals()
            .concat()
            .contains("a reset out of sleep-out")
    );
    assert_eq!(bench.ask(0x0A, 1), [0x08], "it sleeps on");
    // Two percent of 120 ms are granted.
    bench.wait(1);
    bench.write(&[0x11]);
    assert_eq!(bench.refusals(), [""; 0]);
}

#[test]
fn a_second_reset_does_not_shorten_the_first() {
    let mut bench = Bench::new(small("dcs", "", ""));
    bench.init();
    bench.pulse(10);
    bench.wait(10);
    bench.pulse(10);
    bench.wait(110);
    bench.write(&[0x11]);
    let why = bench.refusals().concat();
    assert!(
        why.contains("110 ms after a reset out of sleep-out"),
        "{why}"
    );
    bench.wait(8);
    bench.write(&[0x11]);
    assert_eq!(bench.refusals(), [""; 0]);
    // Once it sleeps, a reset is short.
    bench.pulse(10);
    bench.wait(118);
    bench.pulse(10);
    bench.wait(5);
    bench.write(&[0x11]);
    assert_eq!(bench.refusals(), [""; 0]);
    // So it is after a loss of the supply.
    let mut bench = Bench::new(small("dcs", "rails = {vgp1 = 2700}", ""));
    bench.init();
    for mv in [0, 2800] {
        bench.world.signals.rails_mv[Rail::Vgp1 as usize] = mv;
        bench.watch();
    }
    bench.pulse(10);
    bench.wait(5);
    bench.write(&[0x11]);
    assert_eq!(bench.refusals(), [""; 0]);
}

#[test]
fn the_waits_of_the_table_are_demanded_once() {
    let init = "init = [{cmd = 0x01, delay_ms = 8}, {cmd = 0xB0, args = [1, 2], delay_ms = 9}, \
                {cmd = 0xB1, args = [3], delay_ms = 10}, {cmd = 0xB2, args = [4]}, \
                {cmd = 0x11, delay_ms = 40}, {cmd = 0x29, delay_ms = 5}]";
    let mut bench = Bench::new(small("dcs", init, ""));
    let mut step = |payload: &[u8], ms: Nanos| {
        bench.write(payload);
        bench.wait(ms);
        bench.refusals().concat()
    };
    assert_eq!(step(&[0x01], 7), "");
    let why = step(&[0xB0, 1, 2], 0);
    assert!(why.ends_with("init step 0 (01) needs 8 ms, got 7"), "{why}");
    // Said once; and the same write again goes on waiting.
    assert_eq!(step(&[0xB0, 1, 2], 0), "");
    assert_eq!(step(&[0xB1, 3], 9), "", "9 ms are the driver's habit");
    assert_eq!(step(&[0xB1, 3], 9), "");
    let why = step(&[0xB2, 4], 0);
    assert!(
        why.ends_with("init step 2 (B1) needs 10 ms, got 9"),
        "{why}"
    );
    // What is not the next step demands nothing and changes nothing.
    assert_eq!(step(&[0xB1, 3], 0), "");
    assert_eq!(step(&[0xB2, 4], 0), "");
    assert_eq!(step(&[0x11], 39), "");
    let why = step(&[0x29], 0);
    assert!(why.contains("needs 40 ms, got 39"), "{why}");
    assert_eq!(step(&[0x29], 4), "");
    bench.send(0x06, &[0x0A, 0]);
    let why = bench.refusals().concat();
    assert!(why.contains("init step 5 (29)"), "reads wait too: {why}");
    // The first step is also how one asks who it is.
    bench.write(&[0x01]);
    bench.wait(5);
    assert_eq!(bench.ask(0x0A, 1), [0x08]);
    assert_eq!(bench.refusals(), [""; 0]);
    // From the beginning, with two percent less.
    for (payload, us) in [
        (&[0x01][..], 7_840),
        (&[0xB0, 1, 2], 0),
        (&[0xB1, 3], 9_800),
    ] {
        bench.write(payload);
        bench.world.now += us * 1_000;
    }
    bench.write(&[0xB2, 4]);
    assert_eq!(bench.refusals(), [""; 0]);
    // A reset by the pin forgets it.
    bench.write(&[0x01]);
    bench.pulse(1);
    bench.wait(5);
    bench.write(&[0xB0, 1, 2]);
    assert_eq!(bench.refusals(), [""; 0]);
}

#[test]
fn stricter_limits_come_from_the_board_file() {
    let limits = "[limits]\nafter_reset_ms = 20\nmin_reset_low_us = 2000\ncommands = 'hs'\n";
    let mut bench = Bench::new(small("dcs", "", limits));
    bench.write(&[0x11]);
    assert!(bench.refusals().concat().contains("in high speed"));
    bench.pulse(1);
    assert!(bench.refusals().concat().contains("under 2000 us"));
    bench.pulse(3);
    bench.wait(19);
    bench.write(&[0x11]);
    assert!(bench.refusals().concat().contains("needs 20 ms"));
}

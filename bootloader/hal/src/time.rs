//! Time: how long since we started, delays, and waits that always end.
//!
//! One clock for the whole bootloader at 13 MHz: GPT4, which the preloader
//! leaves running free, and as soon as GPT6 feeds it the system counter, whose
//! reading takes no bus access and is never caught in mid-carry. It wraps
//! every 330 s, so a single wait is limited to half of that, and [`uptime`]
//! must be asked (every delay and wait does) at least once a turn. Should
//! GPT4 stand still, its reads are counted instead: waits then last about as
//! long as they should, and end.
//!
//! Long waits sleep in WFI. The CPU keeps interrupts masked; an interrupt
//! that the GIC presents still ends WFI, and the secure physical timer (PPI
//! 29) ends it in any case. That needs the system counter, which runs only
//! while GPT6 does, and the GIC. Neither is believed because its registers were
//! written: the counter must have been seen to count, and the timer's interrupt
//! to reach the core (`rehearse`). Until then, and if they fail, waits poll.
//!
//! On a host the clock is fake and advances by 1 µs each time it is read.
//!
//! Source: facts/soc.md 1.4, 1.5 and 5.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// GPT4 and the system counter count at this rate.
pub const TICKS_PER_SECOND: u32 = 13_000_000;
const TICKS_PER_MICRO: u32 = 13;
/// Half a turn of the counter: beyond it "later" and "earlier" look alike.
const MAX_WAIT_TICKS: u32 = 1 << 31;
/// A wait that expects an interrupt still looks by itself this often.
const IDLE_SLICE_TICKS: u32 = TICKS_PER_SECOND / 1000;
/// Below this, going to sleep costs more than it saves.
const MIN_SLEEP_TICKS: u32 = 15 * TICKS_PER_MICRO;
/// A poll that has not succeeded in this time looks only this often from then
/// on: most registers answer in less, and for those that do not (a command at
/// 400 kHz, a card that is busy) the delay is lost in the wait.
const POLL_SLICE_TICKS: u32 = 20 * TICKS_PER_MICRO;

/// A span of time in microseconds. Waits are cut at 165 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Micros(pub u32);

impl Micros {
    /// A span of `ms` milliseconds.
    pub const fn from_ms(ms: u32) -> Self {
        Self(ms.saturating_mul(1000))
    }

    const fn ticks(self) -> u32 {
        let ticks = self.0.saturating_mul(TICKS_PER_MICRO);
        if ticks > MAX_WAIT_TICKS {
            MAX_WAIT_TICKS
        } else {
            ticks
        }
    }
}

/// What was waited for did not come in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Timeout;

/// A point in time after which a wait is given up.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    start: u32,
    span: u32,
}

impl Deadline {
    /// The point that lies `timeout` in the future.
    pub fn after(timeout: Micros) -> Self {
        Self {
            start: ticks(),
            span: timeout.ticks(),
        }
    }

    /// Whether the point is reached.
    pub fn expired(self) -> bool {
        // A single read of the counter can be caught in mid-carry; only the
        // answer that ends a wait is worth the price of a sure one.
        self.passed(clock::raw_ticks()) && self.passed(ticks())
    }

    /// Time until the point, rounded up; 0 when expired.
    pub fn left(self) -> Micros {
        Micros(self.remaining().div_ceil(TICKS_PER_MICRO))
    }

    /// Microseconds since the point was set; for points less than 165 s old.
    pub fn passed_us(self) -> u32 {
        ticks().wrapping_sub(self.start) / TICKS_PER_MICRO
    }

    fn passed(self, now: u32) -> bool {
        now.wrapping_sub(self.start) >= self.span
    }

    /// Ticks since the wait began.
    fn elapsed(self) -> u32 {
        clock::raw_ticks().wrapping_sub(self.start)
    }

    /// Ticks that are left, 0 when expired.
    fn remaining(self) -> u32 {
        self.span.saturating_sub(ticks().wrapping_sub(self.start))
    }
}

/// The 13 MHz counter, free running, 32 bits.
///
/// From GPT4 it is the median of three reads: that counter is asynchronous to
/// the bus and a single read can be wrong.
pub fn ticks() -> u32 {
    if clock::is_sure() {
        return clock::raw_ticks();
    }
    let (a, b, c) = (clock::raw_ticks(), clock::raw_ticks(), clock::raw_ticks());
    median(a, b, c)
}

/// The middle one of three readings of a counter that may wrap between them.
fn median(a: u32, b: u32, c: u32) -> u32 {
    // Distances from `a` as signed numbers survive the wrap.
    let (to_b, to_c) = (b.wrapping_sub(a) as i32, c.wrapping_sub(a) as i32);
    let (low, high) = (to_b.min(to_c), to_b.max(to_c));
    a.wrapping_add(0.clamp(low, high) as u32)
}

/// Waits at least `time`, asleep where possible.
pub fn delay(time: Micros) {
    let deadline = Deadline::after(time);
    while !deadline.expired() {
        sleep(deadline.remaining());
    }
    uptime();
}

/// Asks `ready` until it says yes, at most for `timeout`: every microsecond at
/// first, every 20 µs after the first 20. It is asked once more after the time
/// is up, so that being held up is not a failure.
pub fn poll(timeout: Micros, mut ready: impl FnMut() -> bool) -> Result<(), Timeout> {
    wait(timeout, &mut ready, |deadline| {
        if deadline.elapsed() >= POLL_SLICE_TICKS {
            sleep(deadline.remaining().min(POLL_SLICE_TICKS));
        } else {
            clock::breathe();
        }
    })
}

/// As [`poll`], but sleeps between questions until an interrupt or for 1 ms.
/// For waits whose end raises an interrupt that is enabled in the GIC, and
/// for those that take milliseconds.
pub fn idle(timeout: Micros, mut ready: impl FnMut() -> bool) -> Result<(), Timeout> {
    wait(timeout, &mut ready, |deadline| {
        sleep(deadline.remaining().min(IDLE_SLICE_TICKS));
    })
}

/// Sleeps once, for `time` or until an interrupt, for callers that have a loop
/// of their own. Returns at once where nothing would end the sleep.
pub fn nap(time: Micros) {
    sleep(time.ticks());
}

/// One loop for all waits, with what differs behind references: a copy for
/// each of them would cost kilobytes of image.
fn wait(
    timeout: Micros,
    ready: &mut dyn FnMut() -> bool,
    pause: fn(Deadline),
) -> Result<(), Timeout> {
    if ready() {
        return Ok(());
    }
    let deadline = Deadline::after(timeout);
    while !deadline.expired() {
        if ready() {
            return Ok(());
        }
        pause(deadline);
    }
    uptime();
    if ready() { Ok(()) } else { Err(Timeout) }
}

static LAST: AtomicU32 = AtomicU32::new(0);
static SECONDS: AtomicU32 = AtomicU32::new(0);
static MICROS: AtomicU32 = AtomicU32::new(0);

/// Time since [`start`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Uptime {
    /// Whole seconds.
    pub seconds: u32,
    /// Microseconds of the current second.
    pub micros: u32,
}

impl Uptime {
    /// Adds `ticks` as far as they make whole microseconds, and returns those
    /// that do not.
    const fn add(self, ticks: u32) -> (Self, u32) {
        const MICROS_PER_SECOND: u32 = 1_000_000;
        // A turn of the counter is 330 s: no overflow.
        let micros = self.micros + ticks / TICKS_PER_MICRO;
        let time = Self {
            seconds: self.seconds.wrapping_add(micros / MICROS_PER_SECOND),
            micros: micros % MICROS_PER_SECOND,
        };
        (time, ticks % TICKS_PER_MICRO)
    }
}

/// Marks this moment as the start of [`uptime`]: the first thing after
/// entry, once GPT4 is known to run.
pub fn start() {
    LAST.store(ticks(), Ordering::Relaxed);
    SECONDS.store(0, Ordering::Relaxed);
    MICROS.store(0, Ordering::Relaxed);
}

/// Time since [`start`]. One core only.
///
/// Kept as seconds and microseconds and advanced by what the counter has
/// gained since the last call, so that no 64-bit division is needed.
pub fn uptime() -> Uptime {
    // Plain loads and stores: the exclusive ones need caches, and only core 0
    // is ever here.
    let now = ticks();
    let before = Uptime {
        seconds: SECONDS.load(Ordering::Relaxed),
        micros: MICROS.load(Ordering::Relaxed),
    };
    let (time, rest) = before.add(now.wrapping_sub(LAST.load(Ordering::Relaxed)));
    LAST.store(now.wrapping_sub(rest), Ordering::Relaxed);
    SECONDS.store(time.seconds, Ordering::Relaxed);
    MICROS.store(time.micros, Ordering::Relaxed);
    time
}

/// Microseconds since [`start`]. One core only.
pub fn uptime_us() -> u64 {
    let Uptime { seconds, micros } = uptime();
    u64::from(seconds) * 1_000_000 + u64::from(micros)
}

static COUNTER_RUNS: AtomicBool = AtomicBool::new(false);
static TIMER_WAKES: AtomicBool = AtomicBool::new(false);
static STOPPED: AtomicBool = AtomicBool::new(false);
#[cfg(target_arch = "arm")]
static READS: AtomicU32 = AtomicU32::new(0);

/// The system counter has been started (GPT6), or is about to stop.
pub(crate) fn set_counter_runs(runs: bool) {
    clock::change(runs);
    COUNTER_RUNS.store(runs, Ordering::Relaxed);
}

/// The secure timer's interrupt was seen to arrive, or will no longer.
pub(crate) fn set_timer_wakes(wakes: bool) {
    TIMER_WAKES.store(wakes, Ordering::Relaxed);
}

/// Whether something would end WFI in time.
#[cfg(not(test))]
fn can_sleep() -> bool {
    COUNTER_RUNS.load(Ordering::Relaxed) && TIMER_WAKES.load(Ordering::Relaxed)
}

#[cfg(test)]
use clock::can_sleep;

/// Sleeps for about `ticks` or until an interrupt, or returns at once.
fn sleep(ticks: u32) {
    if ticks >= MIN_SLEEP_TICKS && can_sleep() {
        clock::sleep(ticks);
    } else {
        core::hint::spin_loop();
    }
}

/// Lets the timer fire once, awake, and says whether `presented` saw its
/// interrupt come, not having seen one before. A WFI that nothing ends would
/// be a hang on each boot.
pub(crate) fn rehearse(presented: impl Fn() -> bool) -> bool {
    const AHEAD_TICKS: u32 = 5 * TICKS_PER_MICRO;
    const LIMIT: Micros = Micros(1000);
    if !COUNTER_RUNS.load(Ordering::Relaxed) || presented() {
        return false;
    }
    clock::set_timer(AHEAD_TICKS);
    let deadline = Deadline::after(LIMIT);
    let mut seen = false;
    while !seen && !deadline.expired() {
        seen = presented();
    }
    clock::stop_timer();
    seen
}

/// Whether the system counter counts, at about the rate of GPT4. Believed
/// although it does not, it would make every wait endless or wrong.
pub(crate) fn counter_keeps_time() -> bool {
    const LOOK_TICKS: u32 = 5 * TICKS_PER_MICRO;
    const READS: u32 = 1000;
    // Being held up between two reads makes a span longer on both clocks:
    // the counter's lies between one of GPT4's within and one around it.
    let around = ticks();
    let since = clock::system_counter();
    let within = ticks();
    let mut reads = 0;
    while ticks().wrapping_sub(within) < LOOK_TICKS && reads < READS {
        reads += 1;
    }
    let shortest = ticks().wrapping_sub(within);
    let counted = clock::system_counter().wrapping_sub(since);
    let longest = ticks().wrapping_sub(around);
    is_about(counted, shortest, longest) || is_stopped() && counted != 0
}

/// Half as fast is as wrong as twice as fast; what lies between them costs a
/// wait nothing that matters.
const fn is_about(counted: u32, shortest: u32, longest: u32) -> bool {
    counted > shortest / 2 && counted < longest.saturating_mul(2)
}

/// GPT4 stands still, or runs (again).
pub(crate) fn set_stopped(stopped: bool) {
    STOPPED.store(stopped, Ordering::Relaxed);
}

fn is_stopped() -> bool {
    STOPPED.load(Ordering::Relaxed)
}

/// What a read of a counter that stands still counts for: over the bus it
/// takes about 300 ns.
#[cfg(target_arch = "arm")]
fn counted_reads() -> u32 {
    const TICKS_A_READ: u32 = 4;
    // Load and store: exclusive accesses need caches.
    let now = READS.load(Ordering::Relaxed).wrapping_add(TICKS_A_READ);
    READS.store(now, Ordering::Relaxed);
    now
}

/// [`embedded_hal::delay::DelayNs`] on top of [`delay`], rounded up to µs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Delay;

impl embedded_hal::delay::DelayNs for Delay {
    fn delay_ns(&mut self, ns: u32) {
        delay(Micros(ns.div_ceil(1000)));
    }

    fn delay_us(&mut self, us: u32) {
        // One wait must stay below half a turn of the counter.
        const PIECE_US: u32 = 100_000_000;
        let mut left = us;
        while left > PIECE_US {
            delay(Micros(PIECE_US));
            left -= PIECE_US;
        }
        delay(Micros(left));
    }

    fn delay_ms(&mut self, ms: u32) {
        for _ in 0..ms / 1000 {
            self.delay_us(1_000_000);
        }
        self.delay_us(ms % 1000 * 1000);
    }
}

#[cfg(target_arch = "arm")]
mod clock {
    use aarch32_cpu::asm;
    use aarch32_cpu::generic_timer::{El1PhysicalTimer, GenericTimer};

    use core::sync::atomic::{AtomicU32, Ordering};

    use super::COUNTER_RUNS;

    /// What the system counter lacks to GPT4, so that the change from one to
    /// the other is no jump.
    static AHEAD: AtomicU32 = AtomicU32::new(0);

    pub(super) fn raw_ticks() -> u32 {
        if is_sure() {
            system_counter().wrapping_add(AHEAD.load(Ordering::Relaxed))
        } else {
            let count = crate::peripherals::clock().read();
            if super::is_stopped() {
                super::counted_reads()
            } else {
                count
            }
        }
    }

    /// Whether a single read of the clock can be believed.
    pub(super) fn is_sure() -> bool {
        COUNTER_RUNS.load(Ordering::Relaxed)
    }

    /// About to change to the system counter, or back to GPT4.
    pub(super) fn change(to_system_counter: bool) {
        if to_system_counter && !is_sure() {
            let ahead = super::ticks().wrapping_sub(system_counter());
            AHEAD.store(ahead, Ordering::Relaxed);
        }
    }

    /// Lets a microsecond pass without a register access, if possible.
    pub(super) fn breathe() {
        if is_sure() {
            let since = system_counter();
            while system_counter().wrapping_sub(since) < super::TICKS_PER_MICRO {}
        }
    }

    /// The low half of CNTPCT. Same rate as GPT4, but in the CPU: reading it
    /// takes no bus access.
    pub(super) fn system_counter() -> u32 {
        let low: u32;
        // SAFETY: reading the counter changes nothing; the barrier keeps the
        // read behind the accesses that it is to time.
        unsafe {
            core::arch::asm!(
                "isb",
                "mrrc p15, 0, {low}, {high}, c14",
                low = out(reg) low,
                high = out(reg) _,
                options(nostack, preserves_flags),
            );
        }
        low
    }

    fn timer() -> El1PhysicalTimer {
        // SAFETY: the handle has no state and is dropped before the function
        // that asked for it returns; only one core runs.
        unsafe { El1PhysicalTimer::new() }
    }

    /// Lets the secure timer's line rise in `ticks`.
    pub(super) fn set_timer(ticks: u32) {
        let mut timer = timer();
        // TVAL is an i32.
        timer.countdown_set(ticks.min(i32::MAX as u32));
        timer.interrupt_mask(false);
        timer.enable(true);
        asm::isb();
    }

    /// Lets the level-sensitive line fall, so that the next WFI sleeps.
    pub(super) fn stop_timer() {
        timer().enable(false);
        asm::isb();
    }

    pub(super) fn sleep(ticks: u32) {
        set_timer(ticks);
        asm::dsb();
        asm::wfi();
        stop_timer();
    }
}

#[cfg(all(not(target_arch = "arm"), not(test)))]
mod clock {
    use core::sync::atomic::{AtomicU32, Ordering};

    static FAKE: AtomicU32 = AtomicU32::new(0);

    pub(super) fn raw_ticks() -> u32 {
        FAKE.fetch_add(super::TICKS_PER_MICRO, Ordering::Relaxed)
    }

    pub(super) fn is_sure() -> bool {
        false
    }

    pub(super) fn change(_to_system_counter: bool) {}

    pub(super) fn breathe() {}

    pub(super) fn sleep(_ticks: u32) {}

    pub(super) fn system_counter() -> u32 {
        raw_ticks()
    }

    pub(super) fn set_timer(_ticks: u32) {}

    pub(super) fn stop_timer() {}
}

/// The clock of the tests: a thread's own, with a hook that plays hardware
/// whenever a driver writes a register or looks at the time.
#[cfg(test)]
pub(crate) mod clock {
    use std::cell::{Cell, RefCell};

    type Hook = Box<dyn FnMut()>;

    thread_local! {
        static NOW: Cell<u32> = const { Cell::new(0) };
        static HOOKS: RefCell<Vec<Hook>> = const { RefCell::new(Vec::new()) };
        static CAN_SLEEP: Cell<bool> = const { Cell::new(false) };
        static COUNTER_STANDS: Cell<bool> = const { Cell::new(false) };
        static TIMER_SET: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn system_counter() -> u32 {
        if COUNTER_STANDS.get() { 7 } else { raw_ticks() }
    }

    /// The system counter of this thread does not count.
    pub(crate) fn stop_counter() {
        COUNTER_STANDS.set(true);
    }

    pub(super) fn set_timer(_ticks: u32) {
        TIMER_SET.set(true);
    }

    pub(super) fn stop_timer() {
        TIMER_SET.set(false);
    }

    /// Whether the timer runs.
    pub(crate) fn timer_is_set() -> bool {
        TIMER_SET.get()
    }

    pub(super) fn raw_ticks() -> u32 {
        play();
        NOW.with(|now| {
            now.set(now.get().wrapping_add(super::TICKS_PER_MICRO));
            now.get()
        })
    }

    pub(super) fn sleep(ticks: u32) {
        NOW.with(|now| now.set(now.get().wrapping_add(ticks)));
    }

    pub(super) fn is_sure() -> bool {
        false
    }

    pub(super) fn change(_to_system_counter: bool) {}

    pub(super) fn breathe() {}

    /// The flags behind the real answer are shared by all tests.
    pub(super) fn can_sleep() -> bool {
        CAN_SLEEP.get()
    }

    /// Lets this thread's waits sleep.
    pub(super) fn let_sleep() {
        CAN_SLEEP.set(true);
    }

    /// Sets this thread's clock.
    pub(crate) fn set(ticks: u32) {
        NOW.with(|now| now.set(ticks));
    }

    /// Lets the fake hardware see what has been written. What it writes
    /// itself does not call it again.
    pub(crate) fn play() {
        HOOKS.with(|hooks| {
            if let Ok(mut hooks) = hooks.try_borrow_mut() {
                hooks.iter_mut().for_each(|play| play());
            }
        });
    }

    /// From now on `play` runs after each register write and whenever this
    /// thread's clock is read.
    pub(crate) fn each_tick(play: impl FnMut() + 'static) {
        HOOKS.with(|hooks| hooks.borrow_mut().push(Box::new(play)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_survives_a_glitch_and_the_wrap() {
        assert_eq!(median(100, 101, 102), 101);
        assert_eq!(median(100, 0x8000, 102), 102);
        assert_eq!(median(0, 101, 102), 101);
        assert_eq!(median(u32::MAX, 0, 1), 0);
    }

    #[test]
    fn poll_ends_when_ready_and_when_time_is_up() {
        let mut calls = 0;
        assert_eq!(
            poll(Micros(1000), || {
                calls += 1;
                calls == 5
            }),
            Ok(())
        );
        let before = ticks();
        assert_eq!(poll(Micros(1000), || false), Err(Timeout));
        let spent = ticks().wrapping_sub(before);
        assert!((13_000..14_000).contains(&spent), "{spent} ticks");
    }

    #[test]
    fn a_wait_across_the_wrap_lasts_its_time() {
        clock::set(u32::MAX - 500);
        let before = u32::MAX - 500;
        delay(Micros(100));
        let spent = ticks().wrapping_sub(before);
        assert!((1300..1700).contains(&spent), "{spent} ticks");
    }

    #[test]
    fn idle_sleeps_in_slices_and_delay_in_one() {
        let mut asked = 0;
        clock::let_sleep();
        let before = ticks();
        assert_eq!(
            idle(Micros(10_000), || {
                asked += 1;
                false
            }),
            Err(Timeout)
        );
        // Once a millisecond, and polling through the last 50 µs.
        assert!((10..40).contains(&asked), "asked {asked} times");
        let spent = ticks().wrapping_sub(before);
        assert!((130_000..133_000).contains(&spent), "{spent} ticks");

        let before = ticks();
        delay(Micros(300_000));
        let spent = ticks().wrapping_sub(before);
        assert!((3_900_000..3_901_000).contains(&spent), "{spent} ticks");
    }

    #[test]
    fn the_rehearsal_believes_only_what_comes_with_the_timer() {
        COUNTER_RUNS.store(true, Ordering::Relaxed);
        assert!(rehearse(clock::timer_is_set));
        assert!(!clock::timer_is_set(), "it is stopped afterwards");
        assert!(!rehearse(|| true), "a line that is stuck");
        let before = ticks();
        assert!(!rehearse(|| false), "an interrupt that does not arrive");
        let spent = ticks().wrapping_sub(before);
        assert!(spent < 2 * 13_000, "{spent} ticks");
    }

    #[test]
    fn a_counter_is_compared_before_it_is_believed() {
        assert!(counter_keeps_time());
        clock::stop_counter();
        assert!(!counter_keeps_time());
        // 5 us took 66 to 80 ticks of GPT4.
        assert!(is_about(70, 66, 80));
        assert!(!is_about(0, 66, 80) && !is_about(30, 66, 80) && !is_about(170, 66, 80));
    }

    #[test]
    fn a_wait_is_cut_at_half_a_turn() {
        assert_eq!(Micros(255).ticks(), 3315);
        assert_eq!(Micros(u32::MAX).ticks(), MAX_WAIT_TICKS);
    }

    #[test]
    fn uptime_carries_seconds_and_loses_no_tick() {
        let at = |seconds, micros| Uptime { seconds, micros };
        assert_eq!(at(0, 999_999).add(13), (at(1, 0), 0));
        assert_eq!(at(3, 5).add(25), (at(3, 6), 12));
        assert_eq!(at(0, 999_999).add(u32::MAX), (at(331, 382_098), 8));
    }
}

//! What the boot does while it waits: panel, touch chip and cameras mostly
//! wait for their own supplies and resets, the eMMC for its bytes. Each is a
//! task that says how long it wants to be left alone, and whoever has nothing
//! to do calls [`rest`]: that runs what is due and sleeps until something is.
//!
//! Tasks run nowhere else. So a task may use the same blocks as the main line
//! of the boot, through its own handles, without a lock: neither is ever
//! stopped in the middle of an access.

use alloc::boxed::Box;
use core::cell::UnsafeCell;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use mt6572_hal::time::{self, Deadline, Micros};

use crate::{late, log};

/// Tasks at a time.
const TASKS: usize = 4;
/// A task that waits for another one, not for a time, looks this often.
const LOOK: Micros = Micros(200);

struct Task {
    work: Pin<Box<dyn Future<Output = ()>>>,
    /// When it wants to go on.
    wake: Deadline,
}

struct State {
    tasks: [Option<Task>; TASKS],
    /// What the task that runs now waits for.
    wish: Option<Deadline>,
    /// A task runs.
    running: bool,
}

struct Local(UnsafeCell<State>);
// SAFETY: one core, interrupts masked; `state` says who holds the state when.
unsafe impl Sync for Local {}

static STATE: Local = Local(UnsafeCell::new(State {
    tasks: [const { None }; TASKS],
    wish: None,
    running: false,
}));

fn state() -> &'static mut State {
    // SAFETY: see `Sync`. No function below keeps the reference while a task
    // runs, the only code that may come back here.
    unsafe { &mut *STATE.0.get() }
}

/// Adds a task; it starts at the next [`rest`].
pub fn spawn(work: impl Future<Output = ()> + 'static) {
    // The boot has no more tasks than there is room for.
    if let Some(free) = state().tasks.iter_mut().find(|task| task.is_none()) {
        *free = Some(Task {
            work: Box::pin(work),
            wake: Deadline::after(Micros(0)),
        });
    }
}

/// Runs the tasks that are due, lets the log out, and waits for at most
/// `limit`, until a task is due or an interrupt comes: unpacks the image as long
/// as there is something left, then sleeps. After a step of a task, which may
/// have taken long, it returns at once.
pub fn rest(limit: Micros) {
    let log_is_out = log::pump();
    if run_due() {
        return;
    }
    let wakes = state().tasks.iter().flatten().map(|task| task.wake.left());
    let soon = wakes.min().unwrap_or(limit).min(limit);
    let soon = if log_is_out {
        soon
    } else {
        soon.min(log::FIFO_TIME)
    };
    let end = Deadline::after(soon);
    while late::step() {
        if end.expired() {
            return;
        }
    }
    time::nap(end.left());
}

/// Whether a task is left.
pub fn is_busy() -> bool {
    state().tasks.iter().any(Option::is_some)
}

/// Works on `work` alone until it is done; tasks go on meanwhile.
pub fn run<T>(work: impl Future<Output = T>) -> T {
    let mut work = core::pin::pin!(work);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        state().wish = None;
        if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
            return done;
        }
        let wish = state().wish.take();
        rest(wish.map_or(LOOK, Deadline::left));
    }
}

/// Rests for `time`.
pub fn rest_for(time: Micros) {
    let end = Deadline::after(time);
    while !end.expired() {
        rest(end.left());
    }
}

/// One step of each task that is due; whether there was one.
fn run_due() -> bool {
    if state().running {
        return false;
    }
    let mut ran = false;
    for index in 0..TASKS {
        let Some(mut task) = state().tasks[index].take_if(|task| task.wake.expired()) else {
            continue;
        };
        ran = true;
        state().running = true;
        state().wish = None;
        let mut context = Context::from_waker(Waker::noop());
        let done = task.work.as_mut().poll(&mut context).is_ready();
        state().running = false;
        if !done {
            let wish = state().wish.take();
            task.wake = wish.unwrap_or_else(|| Deadline::after(LOOK));
            state().tasks[index] = Some(task);
        }
    }
    ran
}

/// Lets a task alone for `time`.
pub fn pause(time: Micros) -> Pause {
    Pause(Deadline::after(time))
}

/// See [`pause`].
pub struct Pause(Deadline);

impl Future for Pause {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.0.expired() {
            return Poll::Ready(());
        }
        state().wish = Some(self.0);
        Poll::Pending
    }
}

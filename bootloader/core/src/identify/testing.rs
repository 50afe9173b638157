//! What the tests of this folder share: a clock that only runs when somebody
//! waits, and tables of their own.

use super::{Clock, Table};
use core::cell::Cell;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::boxed::Box;
use unilk_board_db::*;

/// Time passes by waiting. Every wait is pending once, as in the binary.
#[derive(Default)]
pub struct FakeClock(pub Cell<u32>);

impl Clock for FakeClock {
    fn now_us(&self) -> u32 {
        self.0.get()
    }

    async fn wait_us(&self, us: u32) {
        let mut polled = false;
        core::future::poll_fn(|_| {
            if polled {
                Poll::Ready(())
            } else {
                polled = true;
                Poll::Pending
            }
        })
        .await;
        self.0.set(self.0.get().wrapping_add(us));
    }
}

/// Drives a future to its end.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..100_000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
    panic!("it never ends");
}

static NO_PLAN: Plan = Plan {
    stages: &[],
    questions: &[],
};

/// A table of chips only.
pub fn table(touch: &[TouchRow], cameras: &[CameraRow]) -> Table {
    Table {
        panels: &[],
        plan: &NO_PLAN,
        clusters: &[],
        touch: leak(touch),
        cameras: leak(cameras),
        wirings: &[],
        boards: &[],
    }
}

/// A table of panels only.
pub fn panels(panels: &[PanelRow], plan: &'static Plan) -> Table {
    Table {
        panels: leak(panels),
        plan,
        ..table(&[], &[])
    }
}

pub fn leak<T: Clone>(rows: &[T]) -> &'static [T] {
    Box::leak(rows.to_vec().into_boxed_slice())
}

/// A panel with these IDs.
pub const fn panel(id: &'static str, ids: &'static [&'static [Term]]) -> PanelRow {
    PanelRow {
        id,
        names: &["name"],
        controller: "chip",
        compatible: None,
        width: 480,
        height: 800,
        physical_mm: None,
        bus: PanelBus::Dsi,
        lanes: 2,
        mode: PanelMode::SyncPulse,
        format: LaneFormat::Rgb888,
        vertical: None,
        horizontal: None,
        rate: RateSource::PllMhz(208),
        no_spread: false,
        phy: PhyTiming {
            hs_trail: 0,
            hs_zero: 0,
            hs_prepare: 0,
            lpx: 0,
            ta_get: 0,
            ta_sure: 0,
            ta_go: 0,
            clk_trail: 0,
            clk_zero: 0,
            clk_prepare: 0,
        },
        reset: &[],
        init: PackedScript::EMPTY,
        power_down: PackedScript::EMPTY,
        ids,
        shipped: 1,
        trees: 1,
        doubtful: false,
    }
}

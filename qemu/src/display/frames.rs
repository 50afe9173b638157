//! When frames begin and end.

use super::path::Path;
use crate::bus::Nanos;

/// A frame at 60 Hz, until DSI says otherwise.
pub const FRAME: Nanos = 16_666_667;

/// A moment in every frame, counted from the frame's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The first line is fetched.
    Start,
    /// Line `.0` of `.1` is fetched.
    Line(u32, u32),
    /// The last line was fetched; what is left of the frame is blanking.
    End,
}

impl Moment {
    /// Nanoseconds from the start of a frame of `frame` ns. How long the
    /// blanking is depends on the panel; a sixteenth is in the usual range.
    fn offset(self, frame: Nanos) -> Nanos {
        let active = frame - frame / 16;
        match self {
            Moment::Start => 0,
            Moment::Line(line, lines) => {
                active * Nanos::from(line.min(lines)) / Nanos::from(lines.max(1))
            }
            Moment::End => active,
        }
    }
}

/// Watches frames go by, for a block that latches status bits of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Frames {
    /// Moments up to here are counted.
    seen: Nanos,
    /// The last frame of command mode whose start is counted.
    single: Option<Nanos>,
}

impl Frames {
    /// Whether each of `moments` came since the last call.
    pub fn passed<const N: usize>(
        &mut self,
        video_since: Option<Nanos>,
        path: &Path,
        moments: [Moment; N],
        now: Nanos,
    ) -> [bool; N] {
        let single_began = path.single_frame_at != self.single;
        let passed = moments.map(|moment| {
            let single = path
                .single_frame_at
                .map(|at| at + moment.offset(path.frame_ns));
            next(video_since, path.frame_ns, moment, self.seen).is_some_and(|at| at <= now)
                || single.is_some_and(|at| at <= now && (at > self.seen || single_began))
        });
        self.single = path.single_frame_at.filter(|&at| at <= now);
        self.seen = now;
        passed
    }

    /// The first time after the last call at which `moment` comes.
    pub fn next(&self, video_since: Option<Nanos>, path: &Path, moment: Moment) -> Option<Nanos> {
        let single = path
            .single_frame_at
            .map(|at| at + moment.offset(path.frame_ns))
            .filter(|&at| at > self.seen);
        let video = next(video_since, path.frame_ns, moment, self.seen);
        video.into_iter().chain(single).min()
    }

    /// Whether the watcher has not heard of the newest frame of command mode.
    pub fn missed_single(&self, path: &Path) -> bool {
        path.single_frame_at != self.single
    }
}

/// The first `moment` of the video frames after `time`.
fn next(video_since: Option<Nanos>, frame: Nanos, moment: Moment, time: Nanos) -> Option<Nanos> {
    let frame = frame.max(1);
    let first = video_since? + moment.offset(frame);
    Some(match time.checked_sub(first) {
        None => first,
        Some(elapsed) => first + (elapsed / frame + 1) * frame,
    })
}

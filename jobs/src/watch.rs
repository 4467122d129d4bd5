//! Who is to hear of what happened with a job: pure functions of the job and the outcome of a run.

use crate::job::{Job, Outcome};

/// Time for a run that starts at the last tick before the alarm, beyond its own time limit.
const GRACE: i64 = 60 * 1000;

/// What operators are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// It failed as often in a row as it may without a word.
    Failing,
    /// It was set inactive by its last failure.
    Deactivated,
    /// It had no success for as many ticks as it may.
    Overdue,
    /// It succeeded, after operators were told of trouble.
    Recovered,
}

impl Event {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Deactivated => "deactivated",
            Self::Overdue => "overdue",
            Self::Recovered => "recovered",
        }
    }
}

impl Outcome {
    /// Whether the run did what it was to do; `None` when that cannot be said.
    pub(crate) fn succeeded(self) -> Option<bool> {
        match self {
            Self::Ok | Self::Sleep | Self::Stop | Self::Exit => Some(true),
            Self::Error | Self::Timeout | Self::Lost => Some(false),
            Self::Cancelled | Self::Skipped => None,
        }
    }
}

impl Job {
    /// What is told after a run, whose consequences have been drawn; `was_active` before that.
    pub fn event_after(&mut self, outcome: Outcome, was_active: bool) -> Option<Event> {
        if outcome.succeeded()? {
            if self.deactivated.is_some() {
                return None;
            }
            self.watch.overdue_since = None;
            self.mind_overdue();
            return std::mem::take(&mut self.watch.told).then_some(Event::Recovered);
        }
        let event = if was_active && !self.active {
            Event::Deactivated
        } else if !self.watch.told
            && self
                .watch
                .notify_after
                .is_some_and(|most| self.plan.attempt >= most)
        {
            Event::Failing
        } else {
            return None;
        };
        self.watch.told = true;
        Some(event)
    }

    /// Reckons when the job will be overdue: after its `overdue_after`th tick from now, with time for that run.
    pub fn mind_overdue(&mut self) {
        self.watch.overdue_at = self.overdue_at();
    }

    fn overdue_at(&self) -> Option<i64> {
        let ticks = self.watch.overdue_after.filter(|_| self.active)?;
        let schedule = self.schedule().ok()?;
        let next = self.plan.tick_at?;
        let last = (1..ticks).try_fold(next, |tick, _| schedule.next(tick, tick));
        Some(last.unwrap_or(next) + self.timeout * 1000 + GRACE)
    }

    /// The job is overdue now.
    pub fn raise_overdue(&mut self, now: i64) {
        self.watch.overdue_at = None;
        self.watch.overdue_since = Some(now);
        self.watch.told = true;
    }
}

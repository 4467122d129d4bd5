//! What happens next with a job: pure functions of its plan, its schedule and the time.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::job::{Deactivated, Job, Misfire, Outcome, Overlap, Phase, Problem, Reason, Skipped, Trigger};
use crate::schedule::{Passed, Schedule};

/// How long a job that returned `job.SLEEP` does not run.
const SLEEP: i64 = 24 * 60 * 60 * 1000;
/// A tick that is later than this was missed, and not just delayed by other work.
const MISSED_AFTER: i64 = 60 * 1000;
/// How soon a due run is looked at again while another run of its job goes on.
const OVERLAP_WAIT: i64 = 1000;
/// The first retry comes after ten seconds, each later one after six times as long, up to an hour.
const FIRST_RETRY: i64 = 10 * 1000;
const RETRY_FACTOR: i64 = 6;
const LAST_RETRY: i64 = 60 * 60 * 1000;

/// When a job runs next, and why.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    pub phase: Phase,
    /// The next tick of the schedule.
    pub tick_at: Option<i64>,
    /// When the failed run is tried again; ticks wait for that.
    pub retry_at: Option<i64>,
    /// The first of the ticks that are still to be run, one by one, and how many they are: missed ones that are made up
    /// for, or the one that waits for a run to end.
    pub owed_at: Option<i64>,
    pub owed: i64,
    /// What the clock showed when `tick_at` was computed.
    pub armed_at: i64,
    /// Failures in a row.
    pub attempt: i64,
}

/// A run that is due, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DueRun {
    pub trigger: Trigger,
    pub due_at: i64,
}

/// What comes of a look at a job that is due: its plan has moved on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub run: Option<DueRun>,
    /// Ticks that are not run, a stretch for each reason, in order.
    pub skipped: Vec<Skipped>,
}

impl Taken {
    fn nothing(skipped: Option<Skipped>) -> Self {
        Self {
            run: None,
            skipped: skipped.into_iter().collect(),
        }
    }
}

/// The run whose outcome counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ran {
    pub trigger: Trigger,
    pub due_at: i64,
    pub started_at: i64,
}

impl Ran {
    /// Since when the job has run, as its schedule sees it: the tick, unless that was missed. (A job of
    /// 07:00 that started three milliseconds later and sleeps for 24 hours runs at 07:00 the next day.)
    fn since(self) -> i64 {
        if self.started_at - self.due_at > MISSED_AFTER {
            self.started_at
        } else {
            self.due_at
        }
    }
}

impl Plan {
    /// Of a job that starts to wait now.
    pub fn armed(schedule: &Schedule, now: i64) -> Self {
        let tick_at = schedule.first(now);
        Self {
            phase: if tick_at.is_some() {
                Phase::Armed
            } else {
                Phase::Done
            },
            tick_at,
            ..Self::idle(now)
        }
    }

    /// Of a job that waits for nothing.
    pub fn idle(now: i64) -> Self {
        Self {
            phase: Phase::Armed,
            tick_at: None,
            retry_at: None,
            owed_at: None,
            owed: 0,
            armed_at: now,
            attempt: 0,
        }
    }

    fn owe(&mut self, first: Option<i64>, ticks: i64) {
        self.owed_at = first.filter(|_| ticks > 0);
        self.owed = if self.owed_at.is_some() { ticks } else { 0 };
    }

    /// The clock was set back since the plan was made.
    pub fn clock_set_back(&mut self, schedule: &Schedule, now: i64) {
        self.tick_at = self
            .tick_at
            .and_then(|tick| schedule.after_set_back(tick, self.armed_at, now));
        self.retry_at = self.retry_at.map(|at| at.min(now + LAST_RETRY));
        self.owed_at = self.owed_at.map(|at| at.min(now));
        self.armed_at = now;
    }
}

impl Job {
    /// Takes what is due now: the plan moves on to the next tick, in the transaction that also writes the
    /// run, so that no tick is ever taken twice.
    pub fn take(&mut self, schedule: &Schedule, now: i64) -> Taken {
        if self.due_at().is_none_or(|due| due > now) {
            return Taken::default();
        }
        if !self.is_free() {
            return self.step_aside(schedule, now);
        }
        if let Some(due_at) = self.plan.retry_at.take() {
            let run = self.due(Trigger::Retry, due_at);
            let skipped = self.let_go(schedule, now, Reason::Retrying);
            Taken {
                run,
                skipped: skipped.into_iter().collect(),
            }
        } else if let Some(due_at) = self.plan.owed_at {
            let run = self.due(Trigger::Schedule, due_at);
            self.plan.owe(schedule.next(due_at, due_at), self.plan.owed - 1);
            Taken {
                run,
                skipped: Vec::new(),
            }
        } else {
            self.take_tick(schedule, now)
        }
    }

    fn due(&mut self, trigger: Trigger, due_at: i64) -> Option<DueRun> {
        self.plan.phase = Phase::Armed;
        Some(DueRun { trigger, due_at })
    }

    /// The next tick, and what passed after it unseen.
    fn take_tick(&mut self, schedule: &Schedule, now: i64) -> Taken {
        let Some(tick) = self.plan.tick_at else {
            return Taken::default();
        };
        let missed = now - tick > MISSED_AFTER;
        if missed && self.misfire == Misfire::Skip && !self.run_once {
            return self.leave_out(schedule, tick, now);
        }
        let (run, skipped) = self.take_late(schedule, tick, now);
        Taken {
            run,
            skipped: skipped.into_iter().collect(),
        }
    }

    /// Leaves out the ticks from `tick` on that were missed. Each tick has its own time of grace: one that has come just
    /// now is not missed, however many were before it.
    fn leave_out(&mut self, schedule: &Schedule, tick: i64, now: i64) -> Taken {
        let fresh = schedule.next_from(tick, now - MISSED_AFTER);
        let Some(fresh) = fresh.filter(|fresh| *fresh <= now) else {
            let skipped = self.let_go(schedule, now, Reason::Missed);
            if self.at.is_some() {
                self.plan.phase = Phase::Done;
            }
            return Taken::nothing(skipped);
        };
        self.plan.tick_at = Some(fresh);
        let (run, made_up) = self.take_late(schedule, fresh, now);
        let missed = stretch(schedule, tick, fresh - 1, Reason::Missed);
        Taken {
            run,
            skipped: std::iter::once(missed).chain(made_up).collect(),
        }
    }

    /// Runs a tick, late as it may be, and those that passed after it as the job is to.
    fn take_late(&mut self, schedule: &Schedule, tick: i64, now: i64) -> (Option<DueRun>, Option<Skipped>) {
        let passed = if self.run_once {
            Passed { ticks: 0, last: None }
        } else {
            schedule.passed(tick, now)
        };
        self.move_on(schedule, now);
        if passed.ticks == 0 {
            return (self.due(Trigger::Schedule, tick), None);
        }
        if self.misfire == Misfire::All {
            return self.make_up(schedule, tick, passed, now);
        }
        let first = schedule.next(tick, tick);
        let skipped = first.map(|first| stretch(schedule, first, now, Reason::MadeUp));
        (self.due(Trigger::Schedule, tick), skipped)
    }

    /// Runs each of the ticks that passed, from `tick` on, the latest `catch_up` of them at most.
    fn make_up(
        &mut self,
        schedule: &Schedule,
        tick: i64,
        passed: Passed,
        now: i64,
    ) -> (Option<DueRun>, Option<Skipped>) {
        if passed.ticks < self.catch_up {
            self.plan.owe(schedule.next(tick, tick), passed.ticks);
            return (self.due(Trigger::Schedule, tick), None);
        }
        let (first, kept) = schedule.latest(tick, now, self.catch_up).unwrap_or((tick, 1));
        self.plan.owe(schedule.next(first, first), kept - 1);
        let skipped = stretch(schedule, tick, first - 1, Reason::TooMany);
        (self.due(Trigger::Schedule, first), Some(skipped))
    }

    /// As many runs go on as may: a tick is let go, or waits; a retry, or the one run of a job that has one, waits.
    fn step_aside(&mut self, schedule: &Schedule, now: i64) -> Taken {
        let wait = Some(now + OVERLAP_WAIT);
        if self.plan.retry_at.is_some() {
            self.plan.retry_at = wait;
            return Taken::default();
        }
        if self.runs_one_time() {
            self.plan.tick_at = wait;
            return Taken::default();
        }
        let reason = if self.overlap != Overlap::Queue {
            Reason::Running
        } else if self.plan.owed_at.is_some() {
            Reason::Waiting
        } else {
            self.plan.owe(self.plan.tick_at, 1);
            return Taken::nothing(self.let_go_after(schedule, now));
        };
        Taken::nothing(self.let_go(schedule, now, reason))
    }

    /// Moves on to the next tick; the one there was, and those that passed after it, are not run.
    fn let_go(&mut self, schedule: &Schedule, now: i64, reason: Reason) -> Option<Skipped> {
        let first = self.plan.tick_at.filter(|tick| *tick <= now)?;
        self.move_on(schedule, now);
        Some(stretch(schedule, first, now, reason))
    }

    /// Moves on to the next tick; those that passed after the one there was are not run.
    fn let_go_after(&mut self, schedule: &Schedule, now: i64) -> Option<Skipped> {
        let tick = self.plan.tick_at?;
        self.move_on(schedule, now);
        let first = schedule.next(tick, tick).filter(|first| *first <= now)?;
        Some(stretch(schedule, first, now, Reason::Waiting))
    }

    fn move_on(&mut self, schedule: &Schedule, now: i64) {
        if let Some(tick) = self.plan.tick_at.filter(|tick| *tick <= now) {
            self.plan.tick_at = if self.run_once {
                None
            } else {
                schedule.next(tick, now)
            };
            self.plan.armed_at = now;
        }
    }

    /// Draws the consequences of a run's outcome.
    pub fn conclude(&mut self, ran: Ran, outcome: Outcome, problem: Option<Problem>, now: i64) {
        let was_its_one_run = self.runs_one_time() && ran.trigger != Trigger::Hand;
        match outcome {
            Outcome::Error | Outcome::Timeout | Outcome::Lost => return self.fail(outcome, problem, now),
            Outcome::Cancelled => {}
            // A run by hand that succeeds does not put the job back to work.
            _ if self.deactivated.is_some() => {}
            _ => {
                self.problem = None;
                self.plan.attempt = 0;
            }
        }
        self.plan.retry_at = None;
        if outcome == Outcome::Exit {
            return self.deactivate(now);
        }
        if !self.active {
            return;
        }
        if was_its_one_run {
            self.plan.phase = Phase::Done;
            self.plan.tick_at = None;
        } else if outcome == Outcome::Stop {
            self.plan.phase = if self.runs_one_time() {
                Phase::Done
            } else {
                Phase::Stopped
            };
            self.plan.tick_at = None;
            self.plan.owe(None, 0);
        } else if outcome == Outcome::Sleep && !self.runs_one_time() {
            self.plan.phase = Phase::Sleeping;
            self.plan.owe(None, 0);
            self.plan.tick_at = self
                .schedule()
                .ok()
                .and_then(|schedule| schedule.not_before(ran.since() + SLEEP));
            self.plan.armed_at = now;
        }
    }

    /// Tries again after a while, and after the last retry sets the job inactive; the problem is kept. Code that cannot
    /// be run, or returned what no job may return, would do the same again, mail and all: it is not tried again.
    fn fail(&mut self, outcome: Outcome, problem: Option<Problem>, now: i64) {
        let is_lasting = problem.as_ref().is_some_and(|problem| problem.is_lasting);
        self.problem = problem;
        if !self.active {
            return;
        }
        self.plan.attempt += 1;
        if is_lasting || self.plan.attempt > self.retries {
            return self.give_up(now);
        }
        // A lost run is the server's failure, and was promised to be taken over at once.
        let wait = if outcome == Outcome::Lost {
            0
        } else {
            retry_wait(&self.id, self.plan.attempt)
        };
        self.plan.retry_at = Some(now + wait);
    }

    /// Sets the job inactive because it failed, which stands until an operator activates it.
    pub fn give_up(&mut self, now: i64) {
        self.deactivate(now);
        self.deactivated = Some(Deactivated {
            at: now,
            failures: self.plan.attempt,
        });
    }

    /// Sets the job inactive, whatever for.
    pub fn deactivate(&mut self, now: i64) {
        self.active = false;
        self.watch.overdue_at = None;
        self.watch.overdue_since = None;
        self.plan = Plan {
            attempt: self.plan.attempt,
            ..Plan::idle(now)
        };
    }

    /// Starts the job's waiting anew.
    ///
    /// # Errors
    /// When the stored schedule cannot be read any more.
    pub fn arm(&mut self, now: i64) -> coronet_core::Result<()> {
        self.plan = Plan::armed(&self.schedule()?, now);
        self.watch.overdue_since = None;
        self.mind_overdue();
        Ok(())
    }
}

/// The tick at `first`, and those after it up to `until`, which are not run.
fn stretch(schedule: &Schedule, first: i64, until: i64, reason: Reason) -> Skipped {
    let passed = schedule.passed(first, until);
    Skipped {
        first,
        last: passed.last.unwrap_or(first),
        ticks: passed.ticks + 1,
        reason,
    }
}

/// The wait before the retry after this many failures. Up to a fifth is added, by the job, so that jobs that failed
/// together, because of the same trouble, do not all come back at once.
fn retry_wait(id: &str, attempt: i64) -> i64 {
    let wait = (1..attempt).fold(FIRST_RETRY, |wait, _| (wait * RETRY_FACTOR).min(LAST_RETRY));
    let mut hash = DefaultHasher::new();
    (id, attempt).hash(&mut hash);
    let spread = i64::try_from(hash.finish() % 1000).unwrap_or(0);
    wait + wait * spread / 5000
}

#[cfg(test)]
mod tests;

//! What happens next with a job: pure functions of its plan, its schedule and the time.

use crate::job::{Job, Misfire, Outcome, Phase, Problem, Trigger};
use crate::schedule::Schedule;

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
    /// What the clock showed when `tick_at` was computed.
    pub armed_at: i64,
    /// Failures in a row.
    pub attempt: i64,
}

/// What is to be done with a due job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    Run {
        trigger: Trigger,
        due_at: i64,
    },
    /// Nothing: its plan has moved on.
    Skip,
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
        Self {
            tick_at: schedule.first(now),
            ..Self::idle(now)
        }
    }

    /// Of a job that waits for nothing.
    pub fn idle(now: i64) -> Self {
        Self {
            phase: Phase::Armed,
            tick_at: None,
            retry_at: None,
            armed_at: now,
            attempt: 0,
        }
    }

    /// When the job is to be looked at.
    pub fn due_at(&self) -> Option<i64> {
        self.retry_at.or(self.tick_at)
    }

    /// Takes what is due now: the plan moves on to the next tick, in the transaction that also writes the
    /// run, so that no tick is ever taken twice.
    pub fn take(&mut self, job: &Job, schedule: &Schedule, now: i64) -> Due {
        let Some(due_at) = self.due_at().filter(|due| *due <= now) else {
            return Due::Skip;
        };
        let trigger = if self.retry_at.is_some() {
            Trigger::Retry
        } else {
            Trigger::Schedule
        };
        if job.running.is_some() {
            self.step_aside(job, schedule, now);
            return Due::Skip;
        }
        self.retry_at = None;
        self.move_on(job, schedule, now);
        if trigger == Trigger::Schedule
            && job.misfire == Misfire::Skip
            && now - due_at > MISSED_AFTER
            && !job.run_once
        {
            return Due::Skip;
        }
        self.phase = Phase::Armed;
        Due::Run { trigger, due_at }
    }

    /// Another run of the job goes on: a tick is let go, a retry or the one run of a run-once job waits.
    fn step_aside(&mut self, job: &Job, schedule: &Schedule, now: i64) {
        if self.retry_at.is_some() {
            self.retry_at = Some(now + OVERLAP_WAIT);
        } else if job.run_once {
            self.tick_at = Some(now + OVERLAP_WAIT);
        } else {
            self.move_on(job, schedule, now);
        }
    }

    fn move_on(&mut self, job: &Job, schedule: &Schedule, now: i64) {
        if let Some(tick) = self.tick_at.filter(|tick| *tick <= now) {
            self.tick_at = if job.run_once {
                None
            } else {
                schedule.next(tick, now)
            };
            self.armed_at = now;
        }
    }

    /// The clock was set back since the plan was made.
    pub fn clock_set_back(&mut self, schedule: &Schedule, now: i64) {
        self.tick_at = self
            .tick_at
            .and_then(|tick| schedule.after_set_back(tick, self.armed_at, now));
        self.retry_at = self.retry_at.map(|at| at.min(now + LAST_RETRY));
        self.armed_at = now;
    }
}

impl Job {
    /// Draws the consequences of a run's outcome.
    pub fn conclude(&mut self, ran: Ran, outcome: Outcome, problem: Option<Problem>, now: i64) {
        let was_its_one_run = self.run_once && ran.trigger != Trigger::Hand;
        match outcome {
            Outcome::Error | Outcome::Timeout | Outcome::Lost => return self.fail(outcome, problem, now),
            Outcome::Cancelled => {}
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
            self.plan.phase = if self.run_once {
                Phase::Done
            } else {
                Phase::Stopped
            };
            self.plan.tick_at = None;
        } else if outcome == Outcome::Sleep && !self.run_once {
            self.plan.phase = Phase::Sleeping;
            self.plan.tick_at = self
                .schedule()
                .ok()
                .and_then(|schedule| schedule.not_before(ran.since() + SLEEP));
            self.plan.armed_at = now;
        }
    }

    /// Tries again after a while, and after the last retry sets the job inactive; the problem is kept.
    fn fail(&mut self, outcome: Outcome, problem: Option<Problem>, now: i64) {
        self.problem = problem;
        if !self.active {
            return;
        }
        self.plan.attempt += 1;
        if self.plan.attempt > self.retries {
            return self.deactivate(now);
        }
        // A lost run is the server's failure, and was promised to be taken over at once.
        let wait = if outcome == Outcome::Lost {
            0
        } else {
            retry_wait(self.plan.attempt)
        };
        self.plan.retry_at = Some(now + wait);
    }

    /// Sets the job inactive, whatever for.
    pub fn deactivate(&mut self, now: i64) {
        self.active = false;
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
        Ok(())
    }
}

fn retry_wait(attempt: i64) -> i64 {
    (1..attempt).fold(FIRST_RETRY, |wait, _| (wait * RETRY_FACTOR).min(LAST_RETRY))
}

#[cfg(test)]
mod tests;

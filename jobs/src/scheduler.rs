//! The loop that claims what is due, sleeps until the next tick, and takes over what others left.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use coronet_core::db::Dialect;
use coronet_core::{Figure, Result};

use crate::job::{Job, Phase};
use crate::service::{Jobs, lock};
use crate::store::Claim;

/// How long a claim holds without a sign of life. With [`HEARTBEAT`] and [`LOOK`], a dead server's runs
/// are taken over within 15 seconds.
const LEASE: Duration = Duration::from_secs(10);
const HEARTBEAT: Duration = Duration::from_secs(3);
/// The longest sleep: the clock may be set, and on PostgreSQL another server may change a plan or die.
const LOOK: Duration = Duration::from_secs(3);
/// Wait after the database failed.
const RETRY: Duration = Duration::from_secs(1);
/// Most runs in one claim.
const BATCH: usize = 128;
/// Runs claimed ahead for each thread, when runs are short.
const AHEAD: usize = 8;
/// Runs up to this long, on average, are short.
const SHORT: Duration = Duration::from_millis(20);
/// A run this old occupies its thread: nothing is claimed ahead for that one.
const LONG: Duration = Duration::from_secs(1);
/// A clock that shows less than before by more than this was set back.
const SET_BACK: i64 = 1000;

/// What one look at the plans found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// More may be due right now.
    Again,
    /// Nothing until this time, if ever.
    Until(Option<i64>),
    /// Something is due, and all threads are taken.
    Full,
}

impl Jobs {
    /// Works on schedules until the server stops.
    pub(crate) async fn work(self: Arc<Self>) {
        while let Err(error) = self.begin().await {
            tracing::warn!(%error, "the Jobs Service cannot begin yet");
            if self.pause(RETRY).await {
                return;
            }
        }
        let mut shown = self.core.clock.now_ms();
        let mut looked = Instant::now();
        while !self.core.shutdown.is_triggered() {
            let now = self.core.clock.now_ms();
            let outcome = async {
                if now < shown - SET_BACK {
                    self.mind_set_back(now).await?;
                }
                if self.core.db.dialect() == Dialect::Postgres && looked.elapsed() >= LOOK {
                    looked = Instant::now();
                    self.take_over(false).await?;
                }
                self.look().await
            };
            let outcome = outcome.await;
            if outcome.is_ok() {
                self.core.server.scheduler_looked(self.core.clock.now_ms());
            }
            match outcome {
                Ok(Look::Again) => {}
                Ok(Look::Full) => self.wait(LOOK).await,
                Ok(Look::Until(due)) => self.wait(time_until(due, self.core.clock.now_ms())).await,
                Err(error) => {
                    tracing::warn!(%error, "the plans of jobs could not be read");
                    self.pause(RETRY).await;
                }
            }
            shown = now;
        }
    }

    /// What a server does once, when it starts.
    pub(crate) async fn begin(&self) -> Result<()> {
        let now = self.core.clock.now_ms();
        // On SQLite there is one server, so every open run of another is of one that is gone.
        self.take_over(self.core.db.dialect() == Dialect::Sqlite).await?;
        if self.store.armed_after(now + SET_BACK).await? {
            self.mind_set_back(now).await?;
        }
        // A restart starts run-once jobs anew, and wakes those that returned job.STOP.
        self.rearm(|job| job.run_once || job.plan.phase == Phase::Stopped)
            .await?;
        Ok(())
    }

    /// Arms those of the active jobs anew that `which` picks.
    pub(crate) async fn rearm(&self, which: fn(&Job) -> bool) -> Result<u64> {
        let now = self.core.clock.now_ms();
        let armed = self
            .store
            .change_all(move |job| which(job) && job.arm(now).is_ok())
            .await?;
        self.changed.notify_one();
        Ok(armed)
    }

    /// Claims and starts what is due now.
    pub(crate) async fn look(self: &Arc<Self>) -> Result<Look> {
        let due = self.store.next_due().await?;
        let now = self.core.clock.now_ms();
        if due.is_none_or(|due| due > now) {
            return Ok(Look::Until(due));
        }
        let room = self.room();
        if room == 0 {
            return Ok(Look::Full);
        }
        let limit = i64::try_from(room.min(BATCH)).unwrap_or(1);
        let (runs, more) = self
            .store
            .claim(Claim {
                now,
                limit,
                lease_until: lease(now),
            })
            .await?;
        runs.into_iter().for_each(|run| {
            self.launch(run);
        });
        Ok(if more {
            Look::Again
        } else {
            Look::Until(self.store.next_due().await?)
        })
    }

    /// How many more runs may be claimed: as many as there are free threads. While runs are short, more
    /// ahead, so that threads need not wait for the next claim, and not before a quarter of that is free, so that
    /// claims are not made one by one.
    fn room(&self) -> usize {
        // Set before the count, so that a run that ends in between wakes the scheduler.
        self.hungry.store(true, Ordering::SeqCst);
        let in_flight = lock(&self.in_flight);
        let long = in_flight
            .values()
            .filter(|run| run.since.elapsed() > LONG)
            .count();
        let free = self.threads.saturating_sub(long);
        let ahead = if self.pace.average() <= SHORT { AHEAD } else { 1 };
        let room = (free * ahead + long).saturating_sub(in_flight.len());
        if room < (free * ahead / 4).max(1) && ahead > 1 {
            return 0;
        }
        self.hungry.store(room == 0, Ordering::SeqCst);
        room
    }

    async fn take_over(&self, all_others: bool) -> Result<()> {
        let lost = self.store.rescue(self.core.clock.now_ms(), all_others).await?;
        if lost > 0 {
            let count = i64::try_from(lost).unwrap_or(i64::MAX);
            self.core.figures.note(Figure::RunsFailed, count);
            tracing::warn!(runs = lost, "runs of a server that went away are run again");
        }
        Ok(())
    }

    async fn mind_set_back(&self, now: i64) -> Result<()> {
        let changed = self.store.change_all(move |job| set_back(job, now)).await?;
        tracing::warn!(jobs = changed, "the clock was set back");
        Ok(())
    }

    /// Extends the leases of what runs here, and cancels what was cancelled through another server.
    pub(crate) async fn keep_leases(self: Arc<Self>) {
        loop {
            tokio::time::sleep(HEARTBEAT).await;
            if lock(&self.in_flight).is_empty() {
                continue;
            }
            match self.store.heartbeat(lease(self.core.clock.now_ms())).await {
                Ok(asked) => asked.iter().for_each(|id| {
                    self.cancel_here(id);
                }),
                Err(error) => tracing::warn!(%error, "the leases of running jobs could not be extended"),
            }
        }
    }

    /// Sleeps until something may have to be done.
    async fn wait(&self, longest: Duration) {
        tokio::select! {
            () = tokio::time::sleep(longest.min(LOOK)) => {}
            () = self.changed.notified() => {}
            () = self.core.shutdown.triggered() => {}
        }
    }

    /// Returns whether the server is stopping.
    async fn pause(&self, time: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(time) => false,
            () = self.core.shutdown.triggered() => true,
        }
    }
}

/// Until when a claim made now holds.
pub(crate) fn lease(now: i64) -> i64 {
    now + i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX)
}

fn time_until(due: Option<i64>, now: i64) -> Duration {
    due.map_or(LOOK, |due| {
        Duration::from_millis(u64::try_from(due - now).unwrap_or(0))
    })
}

fn set_back(job: &mut Job, now: i64) -> bool {
    let Ok(schedule) = job.schedule() else {
        return false;
    };
    if job.plan.armed_at <= now {
        return false;
    }
    job.plan.clock_set_back(&schedule, now);
    true
}

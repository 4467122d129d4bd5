//! The loop that claims what is due, sleeps until the next tick, and takes over what others left.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use coronet_core::db::Dialect;
use coronet_core::server::{Standing, standing};
use coronet_core::{Figure, Result};

use crate::job::{Job, OncePer, Phase, Told};
use crate::notice::Targets;
use crate::service::{InFlight, Jobs, lock};
use crate::store::{CANCEL, Claim, Rescued};

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
        let mut expected = None;
        while !self.core.shutdown.is_triggered() {
            let now = self.core.clock.now_ms();
            let outcome = async {
                if now < shown - SET_BACK {
                    self.mind_set_back(now).await?;
                }
                if self.core.db.dialect() == Dialect::Postgres && looked.elapsed() >= LOOK {
                    looked = Instant::now();
                    self.take_over(false).await?;
                    self.mind_start().await?;
                }
                match expected.filter(|due| *due <= now) {
                    Some(_) => self.take_due(now).await,
                    None => self.look().await,
                }
            };
            let outcome = outcome.await;
            expected = None;
            if outcome.is_ok() {
                self.core.server.scheduler_looked(self.core.clock.now_ms());
            }
            match outcome {
                Ok(Look::Again) => {}
                Ok(Look::Full) => self.wait(LOOK).await,
                Ok(Look::Until(due)) => {
                    expected = due;
                    let time = due.map_or(LOOK, |due| self.core.clock.until(due));
                    self.wait(time.max(self.rush.patience(Instant::now()))).await;
                }
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
        self.provide_builtin().await?;
        for name in self.store.canonicalize_names().await? {
            tracing::info!(%name, "the job's name has one form (Unicode NFC) now");
        }
        let now = self.core.clock.now_ms();
        // On SQLite there is one server, so every open run of another is of one that is gone.
        self.take_over(self.core.db.dialect() == Dialect::Sqlite).await?;
        if self.store.armed_after(now + SET_BACK).await? {
            self.mind_set_back(now).await?;
        }
        self.rearm(|job| job.run_once && job.once_per == OncePer::Server)
            .await?;
        self.started_at.store(now, Ordering::Relaxed);
        self.mind_start().await
    }

    /// A start of the whole starts run-once jobs anew, and wakes those that returned job.STOP. A server that starts while
    /// others run does not.
    async fn mind_start(&self) -> Result<()> {
        let since = self.started_at.load(Ordering::Relaxed);
        if since == 0 {
            return Ok(());
        }
        let standing = standing(&self.core, since).await?;
        if standing == Standing::First {
            self.rearm(|job| {
                job.run_once && job.once_per == OncePer::Cluster || job.plan.phase == Phase::Stopped
            })
            .await?;
        }
        if standing != Standing::Unclear {
            self.started_at.store(0, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Arms those of the active jobs anew that `which` picks among those that run once or have stopped.
    pub(crate) async fn rearm(&self, which: fn(&Job) -> bool) -> Result<u64> {
        let now = self.core.clock.now_ms();
        let armed = self
            .store
            .change_all("run_once = 1 OR phase = 'stopped'", move |job| {
                which(job) && job.arm(now).is_ok()
            })
            .await?;
        self.changed.notify_one();
        Ok(armed)
    }

    /// Claims and starts what is due now, if anything is.
    pub(crate) async fn look(self: &Arc<Self>) -> Result<Look> {
        let due = self.store.next_due().await?;
        let now = self.core.clock.now_ms();
        if due.is_none_or(|due| due > now) {
            return Ok(Look::Until(due));
        }
        self.take_due(now).await
    }

    /// Claims and starts what is due now.
    async fn take_due(self: &Arc<Self>, now: i64) -> Result<Look> {
        let room = self.room();
        if room == 0 {
            return Ok(Look::Full);
        }
        let claim = Claim {
            now,
            limit: i64::try_from(room.min(BATCH)).unwrap_or(1),
            lease_until: lease(now),
            behind: self.behind.load(Ordering::Relaxed),
        };
        let due = self.store.claim(claim).await?;
        self.behind.store(due.more, Ordering::Relaxed);
        self.rush.note(due.runs.len(), Instant::now());
        due.runs.into_iter().for_each(|run| {
            self.launch(run);
        });
        Ok(if due.more {
            Look::Again
        } else {
            Look::Until(due.next)
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
        let most = usize::try_from(self.core.settings.now().jobs.runs_at_once).unwrap_or(1);
        let free = self.threads.min(most).saturating_sub(long);
        let ahead = if self.pace.average() <= SHORT { AHEAD } else { 1 };
        let room = (free * ahead + long).min(most).saturating_sub(in_flight.len());
        if room < (free * ahead / 4).max(1) && ahead > 1 {
            return 0;
        }
        self.hungry.store(room == 0, Ordering::SeqCst);
        room
    }

    async fn take_over(&self, all_others: bool) -> Result<()> {
        let now = self.core.clock.now_ms();
        let targets = Targets::of(&self.core.settings);
        let Rescued { lost, rejected } = self.store.rescue(now, all_others, targets).await?;
        for (run, error) in rejected {
            self.core.losses.note("That a run was lost", &run, &error, now);
        }
        if lost > 0 {
            self.noticed.notify_one();
            let count = i64::try_from(lost).unwrap_or(i64::MAX);
            self.core.figures.note(Figure::RunsFailed, count);
            tracing::warn!(runs = lost, "runs of a server that went away are run again");
        }
        Ok(())
    }

    async fn mind_set_back(&self, now: i64) -> Result<()> {
        let changed = self
            .store
            .change_all("due_at IS NOT NULL", move |job| set_back(job, now))
            .await?;
        tracing::warn!(jobs = changed, "the clock was set back");
        Ok(())
    }

    /// Keeps what runs here its own, until the server stops.
    pub(crate) async fn keep_leases(self: Arc<Self>) {
        let mut kept = HashMap::new();
        loop {
            tokio::time::sleep(HEARTBEAT).await;
            self.close_unrecorded().await;
            if let Err(error) = self.beat(&mut kept).await {
                tracing::warn!(%error, "the leases of running jobs could not be extended");
            }
        }
    }

    /// Hears what other servers on the database say, until the server stops. What gets lost is found by looking.
    pub(crate) async fn hear(self: Arc<Self>) {
        while !self.core.shutdown.is_triggered() {
            match self.hear_on().await {
                Ok(()) => return,
                Err(error) => tracing::debug!(%error, "other servers cannot be heard"),
            }
            self.pause(LOOK).await;
        }
    }

    async fn hear_on(&self) -> Result<()> {
        let Some(mut signals) = self.store.listen().await? else {
            return Ok(());
        };
        loop {
            if signals.next().await? == CANCEL {
                self.beat(&mut HashMap::new()).await?;
            } else {
                self.changed.notify_one();
            }
        }
    }

    /// Extends the leases of what runs here and keeps what it said; ends what was cancelled through another server, what
    /// another server took for lost, and what has no job any more. `kept` is what was kept of each run the last time.
    pub(crate) async fn beat(&self, kept: &mut HashMap<String, Told>) -> Result<()> {
        let runs: Vec<(String, InFlight)> = lock(&self.in_flight)
            .iter()
            .map(|(id, run)| (id.clone(), run.clone()))
            .collect();
        kept.retain(|id, _| runs.iter().any(|(run, _)| run == id));
        if runs.is_empty() {
            return Ok(());
        }
        let _turn = self.writing_runs.lock().await;
        let ours = self.store.heartbeat(lease(self.core.clock.now_ms())).await?;
        let mut news = Vec::new();
        for (id, run) in runs {
            if ours.get(&id).is_none_or(|cancelled| *cancelled) {
                run.cancel.cancel();
                continue;
            }
            let told = run.told();
            if told != Told::default() && kept.get(&id) != Some(&told) {
                news.push((id.clone(), told.clone()));
                kept.insert(id, told);
            }
        }
        self.store.keep_told(news).await
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

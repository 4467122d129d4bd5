//! Keeping the history within bounds. The job in [`crate::builtin`] does so every hour; a job that runs very often has its
//! history cut in between.

use std::sync::Arc;
use std::time::Duration;

use coronet_core::Result;

use crate::service::{Jobs, lock};

/// A job's history is cut after this many further runs, so that a busy job costs one statement in fifty runs.
const SLACK: i64 = 50;
const DAY: i64 = 24 * 60 * 60 * 1000;
const LOOK_EVERY: Duration = Duration::from_secs(5);

impl Jobs {
    /// Notes that runs of these jobs were recorded.
    pub(crate) fn count_for_sweep<'a>(&self, job_ids: impl Iterator<Item = &'a String>) {
        let mut sweep = lock(&self.sweep);
        for id in job_ids {
            let runs = sweep.runs.entry(id.clone()).or_default();
            *runs += 1;
            if *runs >= SLACK {
                sweep.runs.remove(id);
                sweep.ripe.insert(id.clone());
            }
        }
    }

    /// Cuts the histories of busy jobs now and then, and all of them when less is to be kept, until the server stops.
    pub(crate) async fn keep_swept(self: Arc<Self>) {
        let mut changes = self.core.settings.changes();
        loop {
            let swept = tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => self.cut_busy().await,
                Ok(()) = changes.changed() => self.remove_old_runs().await,
            };
            if let Err(error) = swept {
                tracing::warn!(%error, "old runs of jobs could not be removed");
            }
        }
    }

    /// Removes runs of the jobs that have run often. Returns how many.
    pub(crate) async fn cut_busy(&self) -> Result<u64> {
        let ripe = std::mem::take(&mut lock(&self.sweep).ripe);
        let keep = self.core.settings.now().retention.job_runs;
        self.store.sweep_jobs(ripe.into_iter().collect(), keep).await
    }

    /// Removes all runs that are over the bounds now. Returns how many.
    pub(crate) async fn remove_old_runs(&self) -> Result<u64> {
        let kept = self.core.settings.now().retention.clone();
        let oldest = self.core.clock.now_ms() - kept.job_run_days * DAY;
        let too_many = self.store.sweep_by_count(kept.job_runs).await?;
        Ok(too_many + self.store.sweep_by_age(oldest).await?)
    }
}

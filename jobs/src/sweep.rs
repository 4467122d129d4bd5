//! Keeping the history within bounds.

use std::sync::Arc;
use std::time::Duration;

use crate::service::{Jobs, lock};

/// A job's history is cut after this many further runs, so that a busy job costs one statement in fifty runs.
const SLACK: i64 = 50;
const DAY: i64 = 24 * 60 * 60 * 1000;
/// How often old runs are looked for.
const BY_AGE_EVERY: i64 = 60 * 60 * 1000;
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

    /// Removes runs that are over the bounds, now and then, until the server stops.
    pub(crate) async fn keep_swept(self: Arc<Self>) {
        let mut changes = self.core.settings.changes();
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                // Fewer may be kept than before: every job is looked at.
                Ok(()) = changes.changed() => {
                    lock(&self.sweep).all = true;
                }
            }
            if let Err(error) = self.sweep_once().await {
                tracing::warn!(%error, "old runs of jobs could not be removed");
            }
        }
    }

    /// Removes the runs that are over the bounds now.
    pub(crate) async fn sweep_once(&self) -> coronet_core::Result<()> {
        let now = self.core.clock.now_ms();
        let kept = self.core.settings.now().retention.clone();
        let (mut ripe, by_age, all) = {
            let mut sweep = lock(&self.sweep);
            let all = std::mem::take(&mut sweep.all);
            let by_age = all || now >= sweep.by_age_at;
            if by_age {
                sweep.by_age_at = now + BY_AGE_EVERY;
            }
            (std::mem::take(&mut sweep.ripe), by_age, all)
        };
        if all {
            ripe.extend(self.store.ids().await?);
        }
        if !ripe.is_empty() {
            self.store
                .sweep_by_count(ripe.into_iter().collect(), kept.job_runs)
                .await?;
        }
        if by_age {
            self.store.sweep_by_age(now - kept.job_run_days * DAY).await?;
        }
        Ok(())
    }
}

//! `jobs.overview`: what the jobs are up to, for the dashboard and for `server.health`.

use std::sync::Arc;

use coronet_core::Result;
use coronet_core::functions::Call;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::service::Jobs;
use crate::view::{JobView, RunView};

/// The scheduler looks every three seconds; a job that is due for longer than this is late.
const LATE_AFTER_MS: i64 = 60_000;
/// Entries of the list of what failed, and of what is late.
const MOST: i64 = 20;
const LINES: i64 = 6;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// What the jobs are up to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Overview {
    /// All jobs there are.
    count: i64,
    active: i64,
    /// Jobs whose last run went wrong, the latest first; 20 at most.
    failing: Vec<JobView>,
    /// Jobs that are due for more than a minute and do not run; 20 at most.
    late: Vec<JobView>,
    /// Jobs that had no success for as many ticks as they may; 20 at most.
    overdue: Vec<JobView>,
    /// What runs next.
    next: Vec<JobView>,
    /// What ran last, latest first.
    latest: Vec<RunView>,
}

pub(crate) async fn overview(jobs: Arc<Jobs>, _call: Arc<Call>, _input: Nothing) -> Result<Overview> {
    let store = &jobs.store;
    let now = jobs.core.clock.now_ms();
    let (count, active) = store.count().await?;
    let views = |jobs: Vec<crate::job::Job>| jobs.into_iter().map(JobView::from).collect();
    Ok(Overview {
        count,
        active,
        failing: views(store.failing(MOST).await?),
        late: views(store.late(now - LATE_AFTER_MS, MOST).await?),
        overdue: views(store.overdue(MOST).await?),
        next: views(store.next(LINES).await?),
        latest: store
            .latest_runs(LINES)
            .await?
            .iter()
            .map(RunView::new)
            .collect::<Result<_>>()?,
    })
}

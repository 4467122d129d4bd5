//! `jobs.runs`, `jobs.listRuns` and `jobs.log`: what became of ticks, and what a run says.

use std::sync::Arc;

use coronet_core::functions::Call;
use coronet_core::{Page, PartRequest, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::form::invalid;
use crate::functions::ByRun;
use crate::service::{InFlight, Jobs, lock};
use crate::store::RunFilter;
use crate::view::{Progress, RunLog, RunView};

const PAGE: i64 = 50;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Runs {
    /// The job's name.
    name: String,
    /// Counted from 1; a page has 50 runs.
    #[serde(default)]
    page: Option<i64>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RunPage {
    runs: Vec<RunView>,
    page: i64,
    pages: i64,
}

pub(crate) async fn runs(jobs: Arc<Jobs>, _call: Arc<Call>, input: Runs) -> Result<RunPage> {
    let page = input.page.unwrap_or(1);
    if !(1..=1_000_000).contains(&page) {
        return Err(invalid(
            "page",
            format!("There is no page {page}; pages are counted from 1."),
        ));
    }
    let (rows, count) = jobs.store.runs(&input.name, PAGE, (page - 1) * PAGE).await?;
    let runs = rows.iter().map(RunView::new).collect::<Result<_>>()?;
    Ok(RunPage {
        runs,
        page,
        pages: (count + PAGE - 1) / PAGE,
    })
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListRuns {
    #[serde(default)]
    filter: RunFilter,
    /// `started`, `duration` or `late`; with `-` before it the other way round. `-started` if absent.
    #[serde(default)]
    sort: Option<String>,
    #[serde(default)]
    page: PartRequest,
}

pub(crate) async fn list_runs(jobs: Arc<Jobs>, _call: Arc<Call>, input: ListRuns) -> Result<Page<RunView>> {
    let sort = input.sort.as_deref();
    let rows = jobs.store.list_runs(&input.filter, sort, &input.page).await?;
    rows.try_map(|row| RunView::new(&row))
}

pub(crate) async fn log(jobs: Arc<Jobs>, _call: Arc<Call>, input: ByRun) -> Result<RunLog> {
    let row = jobs.store.run(&input.run_id).await?;
    let mut shown = RunLog {
        run: RunView::new(&row)?,
        last_good: jobs.store.last_good(&input.run_id).await?,
        log: row.log,
    };
    // What runs here has said more than is kept.
    let running = lock(&jobs.in_flight).get(&input.run_id).map(InFlight::told);
    if let Some(told) = running.filter(|_| shown.run.outcome.is_none()) {
        shown.log = told.log;
        shown.run.log_dropped_lines = told.log_dropped_lines;
        shown.run.revision = told.revision;
        shown.run.progress = told.progress.map(|(done, total)| Progress { done, total });
    }
    Ok(shown)
}

//! The functions `jobs.*`.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use coronet_core::functions::{Access, Call, Caller, Function};
use coronet_core::{Code, Error, Result, random};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::job::{Job, Misfire, Outcome};
use crate::names;
use crate::plan::Plan;
use crate::scheduler::lease;
use crate::service::Jobs;
use crate::store::HandClaim;
use crate::view::{JobView, RunLog, RunView};

/// What the editor of a new job starts with.
const NEW_JOB: &str = include_str!("../new_job.lua");
const DEFAULT_TIMEOUT: i64 = 60;
const DEFAULT_RETRIES: i64 = 2;
const LONGEST_TIMEOUT: i64 = 24 * 60 * 60;
const MOST_RETRIES: i64 = 20;
const PAGE: i64 = 50;
/// Without a server in the background, `jobs.run` waits for the run.
const RUN_DEADLINE: Duration = Duration::from_secs(24 * 60 * 60 + 60);

pub(crate) fn all(jobs: &Arc<Jobs>) -> Vec<Function> {
    let apps_and_jobs = Access::APP | Access::JOB;
    vec![
        Function::write(
            "jobs.create",
            "Adds a job; its code starts with a template when there is none yet.",
            jobs,
            create,
        )
        .access(apps_and_jobs),
        Function::write(
            "jobs.update",
            "Changes a job; what is left out stays as it is.",
            jobs,
            update,
        )
        .access(apps_and_jobs),
        Function::write(
            "jobs.delete",
            "Removes a job and its history; the code stays.",
            jobs,
            delete,
        )
        .access(apps_and_jobs),
        Function::read("jobs.get", "Finds a job by its name.", jobs, get).access(apps_and_jobs),
        Function::read("jobs.list", "Lists all jobs by name.", jobs, list).access(apps_and_jobs),
        Function::write(
            "jobs.run",
            "Runs a job now, whatever its schedule says.",
            jobs,
            run,
        )
        .access(apps_and_jobs)
        .deadline(RUN_DEADLINE),
        Function::write("jobs.cancel", "Ends a run in progress.", jobs, cancel).access(apps_and_jobs),
        Function::write(
            "jobs.reload",
            "Reloads the service: jobs that returned job.STOP wait for their next tick again.",
            jobs,
            reload,
        )
        .access(apps_and_jobs),
        Function::read("jobs.runs", "Lists the runs of a job, newest first.", jobs, runs)
            .access(apps_and_jobs),
        Function::read("jobs.log", "Shows a run with its log.", jobs, log).access(apps_and_jobs),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Create {
    job: NewJob,
}

/// A job needs an `interval` or a `cron` expression.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewJob {
    /// Up to 100 characters.
    name: String,
    /// Path of the code below `jobs/`, such as `admin/pw_reset_cleanup.lua`.
    path: String,
    /// Seconds between runs.
    #[serde(default)]
    interval: Option<i64>,
    /// Five fields as in a crontab, six with seconds first, or a macro such as `@daily`.
    #[serde(default)]
    cron: Option<String>,
    /// IANA zone of the cron expression, and of local time in the code, such as `Europe/Lisbon`; UTC when left out.
    #[serde(default)]
    timezone: Option<String>,
    /// Run one time after each start of the server, after the first interval.
    #[serde(default)]
    run_once: bool,
    #[serde(default = "yes")]
    active: bool,
    /// Seconds a run may take; 60 when left out.
    #[serde(default)]
    timeout: Option<i64>,
    /// How often a failed run is tried again before the job is set inactive; 2 when left out.
    #[serde(default)]
    retries: Option<i64>,
    /// What to do with a tick missed because no server ran; `run` once when left out.
    #[serde(default)]
    misfire: Option<Misfire>,
}

fn yes() -> bool {
    true
}

async fn create(jobs: Arc<Jobs>, call: Arc<Call>, input: Create) -> Result<JobView> {
    let NewJob {
        name,
        path,
        interval,
        cron,
        timezone,
        run_once,
        active,
        timeout,
        retries,
        misfire,
    } = input.job;
    let now = jobs.core.clock.now_ms();
    let mut job = Job {
        id: random::id("job"),
        name: names::job_name(&name)?,
        path: names::job_path(&path)?,
        interval,
        cron,
        timezone: timezone.filter(|zone| !zone.is_empty()),
        run_once,
        active,
        timeout: timeout.unwrap_or(DEFAULT_TIMEOUT),
        retries: retries.unwrap_or(DEFAULT_RETRIES),
        misfire: misfire.unwrap_or(Misfire::Run),
        plan: Plan::idle(now),
        running: None,
        last_run: None,
        last_run_at: None,
        last_outcome: None,
        problem: None,
        created_at: now,
        updated_at: now,
    };
    check(&job)?;
    if job.active {
        job.arm(now)?;
    }
    // The code first: a job without code would be shown as broken, code without a job harms nobody.
    jobs.provide_code(&call, &job.path).await?;
    jobs.store.insert(job.clone()).await?;
    jobs.changed.notify_one();
    Ok(job.into())
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Update {
    name: String,
    changes: Changes,
}

/// What is left out stays. An `interval` replaces a cron expression, and the other way round.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Changes {
    /// A new name.
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    interval: Option<i64>,
    #[serde(default)]
    cron: Option<String>,
    /// Empty: UTC.
    #[serde(default)]
    timezone: Option<String>,
    #[serde(default)]
    run_once: Option<bool>,
    #[serde(default)]
    active: Option<bool>,
    #[serde(default)]
    timeout: Option<i64>,
    #[serde(default)]
    retries: Option<i64>,
    #[serde(default)]
    misfire: Option<Misfire>,
}

async fn update(jobs: Arc<Jobs>, call: Arc<Call>, input: Update) -> Result<JobView> {
    let now = jobs.core.clock.now_ms();
    let changes = input.changes;
    let new_path = changes.path.is_some();
    let job = jobs
        .store
        .change(&input.name, move |job| apply(job, changes, now))
        .await?;
    if new_path {
        jobs.provide_code(&call, &job.path).await?;
    }
    jobs.changed.notify_one();
    Ok(job.into())
}

/// Makes the changes. A changed schedule, or activation, starts the waiting anew; all else leaves it alone.
fn apply(job: &mut Job, changes: Changes, now: i64) -> Result<()> {
    let before = job.clone();
    if let Some(name) = changes.name {
        job.name = names::job_name(&name)?;
    }
    if let Some(path) = changes.path {
        job.path = names::job_path(&path)?;
    }
    if changes.interval.is_some() || changes.cron.is_some() {
        job.interval = changes.interval;
        job.cron = changes.cron;
    }
    if let Some(zone) = changes.timezone {
        job.timezone = Some(zone).filter(|zone| !zone.is_empty());
    }
    job.run_once = changes.run_once.unwrap_or(job.run_once);
    job.active = changes.active.unwrap_or(job.active);
    job.timeout = changes.timeout.unwrap_or(job.timeout);
    job.retries = changes.retries.unwrap_or(job.retries);
    job.misfire = changes.misfire.unwrap_or(job.misfire);
    job.updated_at = now;
    check(job)?;
    let schedule_of = |job: &Job| (job.interval, job.cron.clone(), job.timezone.clone(), job.run_once);
    if !job.active {
        if before.active {
            job.deactivate(now);
        }
    } else if !before.active || schedule_of(job) != schedule_of(&before) {
        job.problem = None;
        job.arm(now)?;
    }
    Ok(())
}

/// Checks what belongs together in a job.
fn check(job: &Job) -> Result<()> {
    if job.schedule()?.first(job.updated_at).is_none() {
        return Err(invalid(
            "cron",
            "The cron expression names no time up to the year 2100.".to_owned(),
        ));
    }
    if let Some(zone) = &job.timezone {
        zone.parse::<chrono_tz::Tz>().map_err(|_| {
            invalid(
                "timezone",
                format!("There is no time zone \"{zone}\". Names are like Europe/Lisbon or UTC."),
            )
        })?;
    }
    if !(1..=LONGEST_TIMEOUT).contains(&job.timeout) {
        let text = format!(
            "The time-out is {} seconds; it must be between 1 and {LONGEST_TIMEOUT}.",
            job.timeout
        );
        return Err(invalid("timeout", text));
    }
    if !(0..=MOST_RETRIES).contains(&job.retries) {
        let text = format!(
            "{} retries are not possible; choose 0 to {MOST_RETRIES}.",
            job.retries
        );
        return Err(invalid("retries", text));
    }
    Ok(())
}

fn invalid(parameter: &str, text: String) -> Error {
    Error::new(Code::ParameterInvalid, text).with_details(json!({ "parameter": parameter }))
}

impl Jobs {
    /// Sees that there is code for the editor to open; an operator who made the job is its author.
    async fn provide_code(&self, call: &Call, path: &str) -> Result<()> {
        match self.read_code(path).await {
            Ok(_) => return Ok(()),
            Err(error) if error.code() == Code::NotFound => {}
            Err(error) => return Err(error),
        }
        let parameters = json!({ "path": format!("jobs/{path}"), "text": NEW_JOB, "note": "Started with the job template" });
        let author = match &call.caller {
            operator @ Caller::Operator(_) => operator,
            _ => &Caller::System,
        };
        self.core
            .functions
            .call(author, "resources.write", parameters)
            .await?;
        Ok(())
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ByName {
    /// The job's name.
    name: String,
}

async fn delete(jobs: Arc<Jobs>, _call: Arc<Call>, input: ByName) -> Result<bool> {
    let running = jobs.store.get(&input.name).await?.running;
    jobs.store.delete(&input.name).await?;
    // Nobody can see or end the run any more, so it is ended here.
    if let Some(run) = running {
        jobs.cancel_here(&run);
    }
    jobs.changed.notify_one();
    Ok(true)
}

async fn get(jobs: Arc<Jobs>, _call: Arc<Call>, input: ByName) -> Result<JobView> {
    Ok(jobs.store.get(&input.name).await?.into())
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

async fn list(jobs: Arc<Jobs>, _call: Arc<Call>, _input: Nothing) -> Result<Vec<JobView>> {
    Ok(jobs.store.list().await?.into_iter().map(JobView::from).collect())
}

/// A run that was started.
#[derive(Debug, Serialize, JsonSchema)]
struct Started {
    run_id: String,
    /// Null when it goes on in the background.
    outcome: Option<Outcome>,
}

async fn run(jobs: Arc<Jobs>, _call: Arc<Call>, input: ByName) -> Result<Started> {
    if jobs.core.shutdown.is_triggered() {
        return Err(Error::new(
            Code::Unavailable,
            "The server is stopping. Try again shortly.",
        ));
    }
    let now = jobs.core.clock.now_ms();
    let claim = HandClaim {
        name: input.name,
        now,
        lease_until: lease(now),
    };
    let claimed = jobs.store.claim_by_hand(claim).await?;
    let run_id = claimed.id.clone();
    let running = jobs.launch(claimed);
    if jobs.in_background.load(Ordering::Relaxed) {
        return Ok(Started {
            run_id,
            outcome: None,
        });
    }
    // A command without a server would take the run along when it ends.
    running.await.map_err(Error::unexpected)?;
    let outcome = jobs.store.run(&run_id).await?.outcome()?;
    Ok(Started { run_id, outcome })
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ByRun {
    /// The run's id.
    run_id: String,
}

async fn cancel(jobs: Arc<Jobs>, _call: Arc<Call>, input: ByRun) -> Result<bool> {
    if jobs.cancel_here(&input.run_id) || jobs.store.request_cancel(&input.run_id).await? {
        return Ok(true);
    }
    let ended = jobs.store.run(&input.run_id).await?;
    let text = format!("This run of \"{}\" has ended already.", ended.job);
    Err(Error::new(Code::Conflict, text))
}

/// What a reload found.
#[derive(Debug, Serialize, JsonSchema)]
struct Reloaded {
    /// All jobs there are.
    jobs: usize,
    /// Jobs that had returned `job.STOP` and wait for their next tick again.
    rearmed: u64,
}

async fn reload(jobs: Arc<Jobs>, _call: Arc<Call>, _input: Nothing) -> Result<Reloaded> {
    let rearmed = jobs
        .rearm(|job| job.plan.phase == crate::job::Phase::Stopped)
        .await?;
    Ok(Reloaded {
        jobs: jobs.store.list().await?.len(),
        rearmed,
    })
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Runs {
    /// The job's name.
    name: String,
    /// Counted from 1; a page has 50 runs.
    #[serde(default)]
    page: Option<i64>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RunPage {
    runs: Vec<RunView>,
    page: i64,
    pages: i64,
}

async fn runs(jobs: Arc<Jobs>, _call: Arc<Call>, input: Runs) -> Result<RunPage> {
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

async fn log(jobs: Arc<Jobs>, _call: Arc<Call>, input: ByRun) -> Result<RunLog> {
    let row = jobs.store.run(&input.run_id).await?;
    Ok(RunLog {
        run: RunView::new(&row)?,
        log: row.log,
    })
}

//! The functions `jobs.*`.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use coronet_core::functions::{Access, Call, Caller, Function};
use coronet_core::{Code, Error, Page, PartRequest, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::activity::activity;
use crate::form::{Changes, NewJob, Past};
use crate::history::{list_runs, log, runs};
use crate::job::{Job, Outcome, Phase};
use crate::overview::overview;
use crate::preview::preview;
use crate::records;
use crate::scheduler::lease;
use crate::service::Jobs;
use crate::starting_points::StartingPoint;
use crate::store::{HandClaim, JobFilter};
use crate::view::JobView;

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
            "jobs.replace",
            "Gives a job all its settings anew; what is left out gets its default.",
            jobs,
            replace,
        )
        .access(apps_and_jobs),
        Function::write(
            "jobs.delete",
            "Removes a job and its history; the code stays.",
            jobs,
            delete,
        )
        .access(apps_and_jobs),
        Function::read(
            "jobs.check",
            "Gives the settings that a job would have, without adding it.",
            jobs,
            check,
        )
        .access(apps_and_jobs),
        Function::read(
            "jobs.preview",
            "Shows when a schedule would run next, before there is a job with it.",
            jobs,
            preview,
        )
        .access(apps_and_jobs),
        Function::read("jobs.get", "Finds a job by its name.", jobs, get).access(apps_and_jobs),
        Function::read(
            "jobs.list",
            "Lists all jobs by name; page by page when `page`, `filter` or `sort` is given.",
            jobs,
            list,
        )
        .access(apps_and_jobs),
        Function::read(
            "jobs.overview",
            "Shows what the jobs are up to: what failed, what is late, what runs next, what ran last.",
            jobs,
            overview,
        )
        .access(apps_and_jobs),
        Function::read(
            "jobs.activity",
            "Shows what the jobs did in the last 24 hours, quarter of an hour by quarter of an hour.",
            jobs,
            activity,
        )
        .access(apps_and_jobs),
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
        Function::write(
            "jobs.removeOldRuns",
            "Removes the runs that are more or older than the settings keep; gives how many.",
            jobs,
            remove_old_runs,
        )
        .access(Access::JOB)
        .deadline(RUN_DEADLINE),
        Function::read("jobs.runs", "Lists the runs of a job, newest first.", jobs, runs)
            .access(apps_and_jobs),
        Function::read(
            "jobs.listRuns",
            "Lists the runs of all jobs, newest first unless another order is asked for.",
            jobs,
            list_runs,
        )
        .access(apps_and_jobs),
        Function::read("jobs.log", "Shows a run with its log.", jobs, log).access(apps_and_jobs),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Create {
    job: NewJob,
    /// What its code starts with when there is none yet; `empty` if absent.
    #[serde(default)]
    template: StartingPoint,
    /// Take a job whose one date and time has passed as one that is over; it is refused if absent.
    #[serde(default)]
    over: bool,
}

async fn create(jobs: Arc<Jobs>, call: Arc<Call>, input: Create) -> Result<JobView> {
    let past = Past::over_if(input.over);
    let job = input.job.into_job(jobs.core.clock.now_ms(), past)?;
    // The code first: a job without code would be shown as broken, code without a job harms nobody.
    jobs.provide_code(&call, &job.path, input.template).await?;
    jobs.store.insert(job.clone()).await?;
    jobs.changed.notify_one();
    call.changed(records::creating(&job));
    Ok(jobs.view(job))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Check {
    job: NewJob,
    /// Take a job whose one date and time has passed as one that is over; it is refused if absent.
    #[serde(default)]
    over: bool,
}

async fn check(jobs: Arc<Jobs>, _call: Arc<Call>, input: Check) -> Result<Value> {
    let past = Past::over_if(input.over);
    let job = input.job.into_job(jobs.core.clock.now_ms(), past)?;
    Ok(records::settings(&job))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Update {
    name: String,
    changes: Changes,
}

async fn update(jobs: Arc<Jobs>, call: Arc<Call>, input: Update) -> Result<JobView> {
    jobs.change(&call, &input.name, input.changes, Past::Refused)
        .await
}

async fn replace(jobs: Arc<Jobs>, call: Arc<Call>, input: Check) -> Result<JobView> {
    let past = Past::over_if(input.over);
    let wanted = input.job.into_job(jobs.core.clock.now_ms(), past)?;
    let all = Value::from(records::replacing(&wanted));
    let changes = serde_json::from_value(all).map_err(Error::unexpected)?;
    jobs.change(&call, &wanted.name, changes, past).await
}

impl Jobs {
    async fn change(&self, call: &Call, name: &str, changes: Changes, past: Past) -> Result<JobView> {
        let now = self.core.clock.now_ms();
        let new_path = changes.has_path();
        let (before, job) = self
            .store
            .change(name, move |job| changes.apply(job, now, past))
            .await?;
        call.changed(records::updating(&before, &job));
        if new_path {
            self.provide_code(call, &job.path, StartingPoint::Empty).await?;
        }
        self.changed.notify_one();
        Ok(self.view(job))
    }

    /// A job with what may not work about it.
    fn view(&self, job: Job) -> JobView {
        let url = job.watch.ping_url.as_deref();
        let refused = url.and_then(|url| self.core.http.foreseen_refusal(url));
        let warnings = refused.map(|why| format!("The ping URL cannot be asked as the settings are: {why}"));
        JobView {
            warnings: warnings.into_iter().collect(),
            ..job.into()
        }
    }

    /// Sees that there is code for the editor to open; an operator who made the job is its author.
    async fn provide_code(&self, call: &Call, path: &str, start: StartingPoint) -> Result<()> {
        match self.read_code(path).await {
            Ok(_) => return Ok(()),
            Err(error) if error.code() == Code::NotFound => {}
            Err(error) => return Err(error),
        }
        let parameters = json!({ "path": format!("jobs/{path}"), "text": start.code(), "note": "Started with the job template" });
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

async fn delete(jobs: Arc<Jobs>, call: Arc<Call>, input: ByName) -> Result<bool> {
    let job = jobs.store.get(&input.name).await?;
    job.check_deletable()?;
    jobs.store.delete(&input.name).await?;
    call.changed(records::deleting(&job));
    // Nobody can see or end its runs any more, so they are ended; those on other servers at their next sign of life.
    jobs.cancel_job(&job.id);
    jobs.changed.notify_one();
    Ok(true)
}

async fn remove_old_runs(jobs: Arc<Jobs>, _call: Arc<Call>, _: Nothing) -> Result<u64> {
    jobs.remove_old_runs().await
}

async fn get(jobs: Arc<Jobs>, _call: Arc<Call>, input: ByName) -> Result<JobView> {
    let job = jobs.store.get(&input.name).await?;
    Ok(jobs.view(job))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    filter: Option<JobFilter>,
    /// `name`, `last_run`, `next_run` or `created`; with `-` before it the other way round. `name` if absent.
    #[serde(default)]
    sort: Option<String>,
    #[serde(default)]
    page: Option<PartRequest>,
}

/// All jobs, or a page of them where a part was asked for.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum Listed {
    All(Vec<JobView>),
    Some(Page<JobView>),
}

async fn list(jobs: Arc<Jobs>, _call: Arc<Call>, input: List) -> Result<Listed> {
    if input.filter.is_none() && input.sort.is_none() && input.page.is_none() {
        let all = jobs.store.list().await?;
        return Ok(Listed::All(all.into_iter().map(JobView::from).collect()));
    }
    let (filter, part) = (input.filter.unwrap_or_default(), input.page.unwrap_or_default());
    let some = jobs
        .store
        .list_some(&filter, input.sort.as_deref(), &part)
        .await?;
    Ok(Listed::Some(some.map(JobView::from)))
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
pub(crate) struct ByRun {
    /// The run's id.
    pub run_id: String,
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
    jobs: i64,
    /// Jobs that had returned `job.STOP` and wait for their next tick again.
    rearmed: u64,
}

async fn reload(jobs: Arc<Jobs>, _call: Arc<Call>, _input: Nothing) -> Result<Reloaded> {
    let rearmed = jobs.rearm(|job| job.plan.phase == Phase::Stopped).await?;
    Ok(Reloaded {
        jobs: jobs.store.count().await?.0,
        rearmed,
    })
}

//! What operators enter about a job, checked.

use coronet_core::{Code, Error, Result, random};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::job::{Job, Misfire};
use crate::names;
use crate::plan::Plan;
use crate::schedule::parse_zone;

const DEFAULT_TIMEOUT: i64 = 60;
const DEFAULT_RETRIES: i64 = 2;
const LONGEST_TIMEOUT: i64 = 24 * 60 * 60;
const MOST_RETRIES: i64 = 20;

/// A job needs an `interval` or a `cron` expression.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewJob {
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

impl NewJob {
    /// The job, waiting for its first tick.
    ///
    /// # Errors
    /// `ParameterInvalid` or `ParameterMissing`, with the field in `details.parameter`.
    pub fn into_job(self, now: i64) -> Result<Job> {
        let mut job = Job {
            id: random::id("job"),
            name: names::job_name(&self.name)?,
            path: names::job_path(&self.path)?,
            interval: self.interval,
            cron: self.cron,
            timezone: self.timezone.filter(|zone| !zone.is_empty()),
            run_once: self.run_once,
            active: self.active,
            timeout: self.timeout.unwrap_or(DEFAULT_TIMEOUT),
            retries: self.retries.unwrap_or(DEFAULT_RETRIES),
            misfire: self.misfire.unwrap_or(Misfire::Run),
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
        Ok(job)
    }
}

/// What is left out stays. An `interval` replaces a cron expression, and the other way round.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Changes {
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

impl Changes {
    /// Whether the job is to have other code.
    pub fn has_path(&self) -> bool {
        self.path.is_some()
    }

    /// Makes the changes. A changed schedule, or activation, starts the waiting anew; all else leaves it alone.
    ///
    /// # Errors
    /// As [`NewJob::into_job`].
    pub fn apply(self, job: &mut Job, now: i64) -> Result<()> {
        let before = job.clone();
        if let Some(name) = self.name {
            job.name = names::job_name(&name)?;
        }
        if let Some(path) = self.path {
            job.path = names::job_path(&path)?;
        }
        if self.interval.is_some() || self.cron.is_some() {
            job.interval = self.interval;
            job.cron = self.cron;
        }
        if let Some(zone) = self.timezone {
            job.timezone = Some(zone).filter(|zone| !zone.is_empty());
        }
        job.run_once = self.run_once.unwrap_or(job.run_once);
        job.active = self.active.unwrap_or(job.active);
        job.timeout = self.timeout.unwrap_or(job.timeout);
        job.retries = self.retries.unwrap_or(job.retries);
        job.misfire = self.misfire.unwrap_or(job.misfire);
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
        parse_zone(zone).map_err(|text| invalid("timezone", text))?;
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

pub(crate) fn invalid(parameter: &str, text: String) -> Error {
    Error::new(Code::ParameterInvalid, text).with_details(json!({ "parameter": parameter }))
}

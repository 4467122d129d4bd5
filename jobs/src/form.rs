//! What operators enter about a job, checked.

use std::ops::RangeInclusive;

use coronet_core::{Code, Error, LAST_ZONE_YEAR, Result, random};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::job::{Job, Misfire, OncePer, Overlap, Priority, Watch};
use crate::names;
use crate::plan::Plan;
use crate::schedule::{Schedule, parse_zone};

const DEFAULT_TIMEOUT: i64 = 60;
const DEFAULT_RETRIES: i64 = 2;
const DEFAULT_CATCH_UP: i64 = 10;
const DEFAULT_MAX_RUNNING: i64 = 2;
const LONGEST_TIMEOUT: i64 = 24 * 60 * 60;
const MOST_RETRIES: i64 = 20;
const MOST_CATCH_UP: i64 = 100;
const MOST_RUNNING: i64 = 100;
const MOST_OVERDUE: i64 = 100;
const LONGEST_URL: usize = 500;

/// A job needs an `interval` or a `cron` expression.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
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
    /// One time, as clocks in the zone show it, such as `2027-03-28T07:30`; in place of an interval or a cron expression.
    #[serde(default)]
    at: Option<String>,
    /// IANA zone of the cron expression or the one time, and of local time in the code, such as `Europe/Lisbon`; UTC when
    /// left out.
    #[serde(default)]
    timezone: Option<String>,
    /// Run one time after each start of the server, after the first interval.
    #[serde(default)]
    run_once: bool,
    /// Whose start that is, where several servers share a database; `cluster` when left out.
    #[serde(default)]
    once_per: Option<OncePer>,
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
    #[serde(flatten)]
    more: More,
}

/// Settings that most jobs leave alone. (Serde cannot refuse unknown fields where one struct is part of another, so the
/// schema alone does.)
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct More {
    /// With `misfire` `all`: the most missed ticks that are made up for, the latest; 10 when left out.
    #[serde(default)]
    catch_up: Option<i64>,
    /// What to do with a tick that comes while the job runs; `skip` when left out.
    #[serde(default)]
    overlap: Option<Overlap>,
    /// With `overlap` `allow`: runs at once; 2 when left out.
    #[serde(default)]
    max_running: Option<i64>,
    /// Which jobs go first when not all that are due can start at once; `normal` when left out.
    #[serde(default)]
    priority: Option<Priority>,
    /// Failures in a row before operators are told; when left out or 0, they are told when the job is set inactive.
    #[serde(default)]
    notify_after: Option<i64>,
    /// Ticks without a success before operators are told that the job is overdue; 0 or left out: never.
    #[serde(default)]
    overdue_after: Option<i64>,
    /// A URL that is asked after each success, and with `/fail` at the end of its path after each failure. Empty: none.
    #[serde(default)]
    ping_url: Option<String>,
}

impl More {
    fn apply(self, job: &mut Job) {
        job.catch_up = self.catch_up.unwrap_or(job.catch_up);
        job.overlap = self.overlap.unwrap_or(job.overlap);
        job.max_running = self.max_running.unwrap_or(job.max_running);
        job.priority = self.priority.unwrap_or(job.priority);
        let watch = &mut job.watch;
        if let Some(failures) = self.notify_after {
            watch.notify_after = Some(failures).filter(|failures| *failures != 0);
        }
        if let Some(ticks) = self.overdue_after {
            watch.overdue_after = Some(ticks).filter(|ticks| *ticks != 0);
        }
        if let Some(url) = self.ping_url {
            watch.ping_url = trimmed(Some(url)).filter(|url| !url.is_empty());
        }
    }
}

fn yes() -> bool {
    true
}

/// What to make of one date and time that has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Past {
    /// Whoever enters it meant another.
    Refused,
    /// The job is over. Files say what there is, and go on saying it when the time has come and gone.
    Over,
}

impl Past {
    pub fn over_if(over: bool) -> Self {
        if over { Self::Over } else { Self::Refused }
    }
}

impl NewJob {
    /// The job, waiting for its first tick.
    ///
    /// # Errors
    /// `ParameterInvalid` or `ParameterMissing`, with the field in `details.parameter`.
    pub fn into_job(self, now: i64, past: Past) -> Result<Job> {
        let mut job = Job {
            id: random::id("job"),
            name: names::job_name(&self.name)?,
            path: names::job_path(&self.path)?,
            interval: self.interval,
            cron: self.cron,
            at: self.at,
            timezone: trimmed(self.timezone).filter(|zone| !zone.is_empty()),
            run_once: self.run_once,
            once_per: self.once_per.unwrap_or(OncePer::Cluster),
            active: self.active,
            timeout: self.timeout.unwrap_or(DEFAULT_TIMEOUT),
            retries: self.retries.unwrap_or(DEFAULT_RETRIES),
            misfire: self.misfire.unwrap_or(Misfire::Run),
            catch_up: DEFAULT_CATCH_UP,
            overlap: Overlap::Skip,
            max_running: DEFAULT_MAX_RUNNING,
            priority: Priority::Normal,
            watch: Watch::default(),
            plan: Plan::idle(now),
            running: None,
            open_runs: 0,
            skipping: None,
            last_run: None,
            last_run_at: None,
            last_outcome: None,
            problem: None,
            deactivated: None,
            created_at: now,
            updated_at: now,
        };
        self.more.apply(&mut job);
        check(&job)?;
        if job.active {
            check_ahead(&job, past)?;
            job.arm(now)?;
        }
        Ok(job)
    }
}

/// What is left out stays. An `interval`, a cron expression or one time replaces what the schedule was.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
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
    #[serde(default)]
    at: Option<String>,
    /// Empty: UTC.
    #[serde(default)]
    timezone: Option<String>,
    #[serde(default)]
    run_once: Option<bool>,
    #[serde(default)]
    once_per: Option<OncePer>,
    #[serde(default)]
    active: Option<bool>,
    #[serde(default)]
    timeout: Option<i64>,
    #[serde(default)]
    retries: Option<i64>,
    #[serde(default)]
    misfire: Option<Misfire>,
    #[serde(flatten)]
    more: More,
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
    pub fn apply(self, job: &mut Job, now: i64, past: Past) -> Result<()> {
        let before = job.clone();
        if let Some(name) = self.name {
            job.name = names::job_name(&name)?;
        }
        if let Some(path) = self.path {
            job.path = names::job_path(&path)?;
        }
        if self.interval.is_some() || self.cron.is_some() || self.at.is_some() {
            job.interval = self.interval;
            job.cron = self.cron;
            job.at = self.at;
        }
        if let Some(zone) = self.timezone {
            job.timezone = trimmed(Some(zone)).filter(|zone| !zone.is_empty());
        }
        job.run_once = self.run_once.unwrap_or(job.run_once);
        job.once_per = self.once_per.unwrap_or(job.once_per);
        job.active = self.active.unwrap_or(job.active);
        job.timeout = self.timeout.unwrap_or(job.timeout);
        job.retries = self.retries.unwrap_or(job.retries);
        job.misfire = self.misfire.unwrap_or(job.misfire);
        self.more.apply(job);
        job.updated_at = now;
        check(job)?;
        job.check_builtin(&before)?;
        let schedule_of = |job: &Job| {
            let texts = (job.cron.clone(), job.at.clone(), job.timezone.clone());
            (job.interval, texts, job.run_once)
        };
        if !job.active {
            if before.active {
                job.deactivate(now);
            }
        } else if !before.active || schedule_of(job) != schedule_of(&before) {
            check_ahead(job, past)?;
            job.problem = None;
            job.deactivated = None;
            job.watch.told = false;
            job.arm(now)?;
        } else if job.watch.overdue_after != before.watch.overdue_after {
            job.mind_overdue();
        }
        Ok(())
    }
}

/// Checks what belongs together in a job.
fn check(job: &Job) -> Result<()> {
    let schedule = job.schedule()?;
    let comes = matches!(schedule, Schedule::Once(_)) || schedule.first(job.updated_at).is_some();
    if !comes {
        let text = format!("The cron expression names no time up to the year {LAST_ZONE_YEAR}.");
        return Err(invalid("cron", text));
    }
    if let Some(zone) = &job.timezone {
        parse_zone(zone).map_err(|text| invalid("timezone", text))?;
    }
    if job.at.is_some() && job.run_once {
        let text = "A job with one date and time runs one time anyway. Take Run Once away, or the date.";
        return Err(invalid("run_once", text.to_owned()));
    }
    let numbers = [
        ("timeout", "The time-out", job.timeout, 1..=LONGEST_TIMEOUT),
        ("retries", "The number of retries", job.retries, 0..=MOST_RETRIES),
        (
            "catch_up",
            "The number of missed runs to make up for",
            job.catch_up,
            1..=MOST_CATCH_UP,
        ),
        (
            "max_running",
            "The number of runs at once",
            job.max_running,
            1..=MOST_RUNNING,
        ),
    ];
    for (field, name, value, range) in numbers {
        check_number(field, name, value, range)?;
    }
    if let Some(failures) = job.watch.notify_after {
        check_number(
            "notify_after",
            "The number of failures",
            failures,
            1..=MOST_RETRIES + 1,
        )?;
    }
    if let Some(ticks) = job.watch.overdue_after {
        check_number(
            "overdue_after",
            "The number of ticks without a success",
            ticks,
            1..=MOST_OVERDUE,
        )?;
    }
    if let Some(url) = &job.watch.ping_url {
        check_url("ping_url", url)?;
    }
    Ok(())
}

fn check_number(field: &str, name: &str, value: i64, range: RangeInclusive<i64>) -> Result<()> {
    if range.contains(&value) {
        return Ok(());
    }
    let text = format!(
        "{name} is {value}; it must be between {} and {}.",
        range.start(),
        range.end()
    );
    Err(invalid(field, text))
}

/// As forms send it: what surrounds a zone or a URL is no part of it.
fn trimmed(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned())
}

/// A URL that requests can go to.
fn check_url(field: &str, url: &str) -> Result<()> {
    if url.len() > LONGEST_URL {
        let text = format!(
            "The URL has {} characters; {LONGEST_URL} are the most.",
            url.len()
        );
        return Err(invalid(field, text));
    }
    let parsed = coronet_core::http_client::parse(url);
    parsed
        .map(|_| ())
        .map_err(|why| invalid(field, format!("The URL cannot be used: {why}.")))
}

/// Checks that the one time of a job that is to run is not over.
fn check_ahead(job: &Job, past: Past) -> Result<()> {
    if past == Past::Refused && job.at.is_some() && job.schedule()?.first(job.updated_at).is_none() {
        let text = "That time has passed. Choose a later one, or set the job inactive and run it by hand.";
        return Err(invalid("at", text.to_owned()));
    }
    Ok(())
}

pub(crate) fn invalid(parameter: &str, text: String) -> Error {
    Error::new(Code::ParameterInvalid, text).with_details(json!({ "parameter": parameter }))
}

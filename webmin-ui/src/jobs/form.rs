//! The form of a job: the original's five fields, and the rest folded away.

use serde_json::{Value, json};

use super::records::Job;
use crate::kit::{Field, Form, Posted, Rule, t};

pub(super) fn form(action: String, submit: &str, job: &Job) -> Form {
    let mut form = Form::new(action, submit)
        .fields([
            Field::text("name", &t!("Job Name"))
                .required()
                .value(&job.name)
                .placeholder("CleanPasswordResets"),
            Field::text("path", &t!("Job Path"))
                .help("lua#functions")
                .required()
                .value(&job.path)
                .placeholder("admin/pw_reset_cleanup.lua")
                .hint(&t!("The file of its code, below jobs/.")),
            Field::number("interval", &t!("Job Interval (seconds)"))
                .help("jobs#the-form")
                .value(
                    job.interval
                        .map(|seconds| seconds.to_string())
                        .unwrap_or_default(),
                )
                .placeholder("3600")
                .rule(Rule::Whole {
                    least: 1,
                    most: i64::MAX,
                })
                .hint(&t!("3600 is every hour. Or set a cron expression below.")),
            Field::switch("run_once", &t!("Run Once"), job.run_once)
                .help("jobs#the-form")
                .hint(&t!(
                    "One time after each start of the server, after its first interval."
                )),
            Field::switch("active", &t!("Active"), job.active)
                .hint(&t!("Off: it runs only when you press Run now.")),
        ])
        .more(
            &t!("Cron, time zone, limits"),
            [
                Field::text("cron", &t!("Cron expression"))
                    .help("jobs#cron-expressions")
                    .value(job.cron.as_deref().unwrap_or_default())
                    .placeholder("30 4 * * 1-5")
                    .hint(&t!(
                        "Instead of the interval: minute, hour, day, month, weekday; or @daily."
                    )),
                Field::text("timezone", &t!("Time zone"))
                    .help("jobs#what-happens-when-missed-runs-daylight-saving-clocks")
                    .value(job.timezone.as_deref().unwrap_or_default())
                    .placeholder("Europe/Lisbon")
                    .hint(&t!(
                        "Of the cron expression, and of local time in the code. Empty: UTC."
                    )),
                Field::number("timeout", &t!("Time limit (seconds)"))
                    .help("jobs#errors")
                    .value(job.timeout.to_string())
                    .rule(Rule::Whole {
                        least: 1,
                        most: 86_400,
                    }),
                Field::number("retries", &t!("Retries"))
                    .help("jobs#errors")
                    .value(job.retries.to_string())
                    .rule(Rule::Whole { least: 0, most: 20 })
                    .hint(&t!("After an error, before the job is set inactive.")),
                Field::select(
                    "misfire",
                    &t!("A run missed while no server ran"),
                    [
                        ("run", t!("is made up for, once").as_str()),
                        ("skip", t!("is left out").as_str()),
                    ],
                )
                .help("jobs#what-happens-when-missed-runs-daylight-saving-clocks")
                .value(&job.misfire),
            ],
        );
    form = form.preview(super::preview::PATH);
    if let Some(more) = &mut form.more {
        more.open = job.cron.is_some();
    }
    form
}

/// What was typed, as parameters of `jobs.create` and `jobs.update`. Empty fields are left out.
pub(super) fn typed(posted: &Posted) -> Value {
    let mut job = json!({
        "name": posted.text("name"),
        "path": posted.text("path"),
        "run_once": posted.flag("run_once"),
        "active": posted.flag("active"),
    });
    for name in ["interval", "timeout", "retries"] {
        let number = posted.number(name);
        if !number.is_null() {
            job[name] = number;
        }
    }
    for name in ["cron", "timezone", "misfire"] {
        if !posted.text(name).is_empty() {
            job[name] = json!(posted.text(name));
        }
    }
    // A cron expression stands for the interval; the form says so.
    if job.get("cron").is_some()
        && let Some(fields) = job.as_object_mut()
    {
        fields.remove("interval");
    }
    job
}

/// What a new job starts with.
pub(super) fn blank() -> Job {
    Job {
        active: true,
        timeout: 60,
        retries: 2,
        misfire: "run".to_owned(),
        ..Job::default()
    }
}

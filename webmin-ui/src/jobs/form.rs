//! The form of a job: the original's five fields, and the rest folded away in two groups.

use serde_json::{Value, json};

use super::records::Job;
use crate::kit::{Field, Form, Posted, Rule, t};

/// What a job that comes with Coronet keeps.
pub(super) const FIXED: [&str; 2] = ["name", "path"];

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
        .more(&t!("Cron, date and time, time zone, limits"), times(job))
        .more(&t!("Overlap, missed runs, who hears of trouble"), policies(job))
        .preview(super::preview::PATH);
    if job.builtin {
        form.fields.retain(|field| !FIXED.contains(&field.name.as_str()));
    }
    let blank = blank();
    let opens = [
        job.cron.is_some() || job.at.is_some() || job.timezone.is_some(),
        policy_of(job) != policy_of(&blank),
    ];
    for (more, open) in form.more.iter_mut().zip(opens) {
        more.open = open;
    }
    form
}

fn times(job: &Job) -> [Field; 5] {
    [
        Field::text("cron", &t!("Cron expression"))
            .help("jobs#cron-expressions")
            .value(job.cron.as_deref().unwrap_or_default())
            .placeholder("30 4 * * 1-5")
            .hint(&t!(
                "Instead of the interval: minute, hour, day, month, weekday; or @daily."
            )),
        Field::moment("at", &t!("One date and time"))
            .help("jobs#the-form")
            .value(job.at.as_deref().unwrap_or_default())
            .hint(&t!(
                "Instead of the interval: it runs then, one time, by the clocks of its zone."
            )),
        Field::text("timezone", &t!("Time zone"))
            .help("jobs#what-happens-when-missed-runs-daylight-saving-clocks")
            .value(job.timezone.as_deref().unwrap_or_default())
            .placeholder("Europe/Lisbon")
            .hint(&t!(
                "Of the cron expression or the date, and of local time in the code. Empty: UTC."
            )),
        Field::number("timeout", &t!("Time limit (seconds)"))
            .help("jobs#errors")
            .value(job.timeout.to_string())
            .rule(whole(1, 86_400)),
        Field::number("retries", &t!("Retries"))
            .help("jobs#errors")
            .value(job.retries.to_string())
            .rule(whole(0, 20))
            .hint(&t!("After an error, before the job is set inactive.")),
    ]
}

fn policies(job: &Job) -> [Field; 9] {
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    [
        Field::select(
            "misfire",
            &t!("Runs missed while no server ran"),
            [
                ("run", t!("are made up for by one").as_str()),
                ("all", t!("are made up for one by one").as_str()),
                ("skip", t!("are left out").as_str()),
            ],
        )
        .help("jobs#what-happens-when-missed-runs-daylight-saving-clocks")
        .value(&job.misfire),
        Field::number("catch_up", &t!("Made up for at most"))
            .value(job.catch_up.to_string())
            .rule(whole(1, 100))
            .hint(&t!("The latest, when they are made up for one by one.")),
        Field::select(
            "overlap",
            &t!("Due while it still runs"),
            [
                ("skip", t!("the run is left out").as_str()),
                ("queue", t!("one run waits").as_str()),
                ("allow", t!("it runs beside itself").as_str()),
            ],
        )
        .help("jobs#overlap-priority-and-bounds")
        .value(&job.overlap),
        Field::number("max_running", &t!("Runs at once, at most"))
            .value(job.max_running.to_string())
            .rule(whole(1, 100))
            .hint(&t!("When it may run beside itself.")),
        Field::select(
            "priority",
            &t!("Priority"),
            [
                ("high", t!("high").as_str()),
                ("normal", t!("normal").as_str()),
                ("low", t!("low").as_str()),
            ],
        )
        .help("jobs#overlap-priority-and-bounds")
        .value(&job.priority),
        Field::select(
            "once_per",
            &t!("Run Once counts the start"),
            [
                ("cluster", t!("of the first server").as_str()),
                ("server", t!("of each server").as_str()),
            ],
        )
        .help("jobs#several-servers")
        .value(&job.once_per),
        Field::number("notify_after", &t!("Tell operators after failures"))
            .help("jobs#who-hears-of-trouble")
            .value(number(job.notify_after))
            .placeholder("2")
            .rule(whole(0, 21))
            .hint(&t!(
                "In a row. Empty: only when the job is set inactive. Who is told is a setting of the server, under Jobs."
            )),
        Field::number("overdue_after", &t!("Overdue after"))
            .help("jobs#who-hears-of-trouble")
            .value(number(job.overdue_after))
            .placeholder("3")
            .rule(whole(0, 100))
            .hint(&t!("Runs due without a success, before operators are told. Empty: never.")),
        Field::url("ping_url", &t!("Ping URL"))
            .help("jobs#who-hears-of-trouble")
            .value(job.ping_url.as_deref().unwrap_or_default())
            .placeholder("https://watch.example/abc")
            .hint(&t!(
                "An outside watcher: asked after each success, and with `/fail` added after each failure."
            )),
    ]
}

fn whole(least: i64, most: i64) -> Rule {
    Rule::Whole { least, most }
}

/// What the second folded group sets.
fn policy_of(job: &Job) -> (String, i64, String, i64, String, String, bool) {
    let watched = job.notify_after.is_some() || job.overdue_after.is_some() || job.ping_url.is_some();
    (
        job.misfire.clone(),
        job.catch_up,
        job.overlap.clone(),
        job.max_running,
        job.priority.clone(),
        job.once_per.clone(),
        watched,
    )
}

/// What was typed, as parameters of `jobs.create` and `jobs.update`. Empty fields are left out.
pub(super) fn typed(posted: &Posted) -> Value {
    let mut job = json!({
        "name": posted.text("name"),
        "path": posted.text("path"),
        "run_once": posted.flag("run_once"),
        "active": posted.flag("active"),
    });
    for name in ["interval", "timeout", "retries", "catch_up", "max_running"] {
        let number = posted.number(name);
        if !number.is_null() {
            job[name] = number;
        }
    }
    for name in [
        "cron", "at", "timezone", "misfire", "overlap", "priority", "once_per",
    ] {
        if !posted.text(name).is_empty() {
            job[name] = json!(posted.text(name));
        }
    }
    // Emptied, they are taken away.
    for name in ["notify_after", "overdue_after"] {
        let number = posted.number(name);
        job[name] = if number.is_null() { json!(0) } else { number };
    }
    job["ping_url"] = json!(posted.text("ping_url"));
    // A cron expression or a date stands for the interval; the form says so.
    if (job.get("cron").is_some() || job.get("at").is_some())
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
        catch_up: 10,
        overlap: "skip".to_owned(),
        max_running: 2,
        priority: "normal".to_owned(),
        once_per: "cluster".to_owned(),
        ..Job::default()
    }
}

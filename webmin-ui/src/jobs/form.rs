//! The form of a job: the original's five fields, its schedule in tabs, and the rest folded away in two groups.

use serde_json::{Value, json};

use super::records::Job;
use crate::kit::form::preset_of;
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
            schedule(job),
            Field::text("timezone", &t!("Time zone"))
                .help("jobs#what-happens-when-missed-runs-daylight-saving-clocks")
                .value(job.timezone.as_deref().unwrap_or_default())
                .placeholder("UTC")
                .suggestions(coronet_core::time_zones())
                .hint(&t!(
                    "Type a part of its name. Of the cron expression or the date, and of local time in the code. Empty: UTC."
                )),
            Field::switch("run_once", &t!("Run Once"), job.run_once)
                .help("jobs#the-form")
                .hint(&t!(
                    "One time after each start of the server, after its first interval. Not with a date."
                )),
            Field::switch("active", &t!("Active"), job.active)
                .hint(&t!("Off: it runs only when you press Run now.")),
        ])
        .more(&t!("Time limit and retries"), limits(job))
        .more(&t!("Overlap, missed runs, who hears of trouble"), policies(job))
        .preview(super::preview::PATH);
    if job.builtin {
        form.fields.retain(|field| !FIXED.contains(&field.name.as_str()));
    }
    let blank = blank();
    let opens = [
        (job.timeout, job.retries) != (blank.timeout, blank.retries),
        policy_of(job) != policy_of(&blank),
    ];
    for (more, open) in form.more.iter_mut().zip(opens) {
        more.open = open;
    }
    form
}

/// The name of the choice of a kind of schedule, and the field of each kind.
const SCHEDULE: &str = "schedule";
const KINDS: [&str; 3] = ["interval", "cron", "at"];

fn schedule(job: &Job) -> Field {
    let interval = Field::number("interval", &t!("Job Interval (seconds)"))
        .required()
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
        .presets([
            ("60", t!("every minute")),
            ("300", t!("every 5 minutes")),
            ("3600", t!("every hour")),
            ("86400", t!("every 24 hours")),
        ])
        .hint(&t!("3600 is every hour."));
    let cron = Field::text("cron", &t!("Cron expression"))
        .required()
        .help("jobs#cron-expressions")
        .value(job.cron.as_deref().unwrap_or_default())
        .placeholder("30 7 * * 1-5")
        .presets([
            ("30 7 * * 1-5", t!("every weekday at 07:30")),
            ("0 3 * * *", t!("every night at 03:00")),
            ("0 8 * * MON", t!("every Monday at 08:00")),
            ("0 0 1 * *", t!("first of the month")),
            ("0 0 L * *", t!("last day of the month")),
            ("0 * * * *", t!("every full hour")),
        ])
        .hint(&t!(
            "Minute, hour, day, month, weekday; or a word such as @daily."
        ));
    let at = Field::moment("at", &t!("One date and time"))
        .required()
        .value(job.at.as_deref().unwrap_or_default())
        .hint(&t!("It runs then, one time, by the clocks of its zone."));
    let [for_interval, for_cron, for_at] = KINDS;
    let mut schedule = Field::tabs(
        SCHEDULE,
        &t!("Schedule"),
        [
            (for_interval, t!("Interval"), vec![interval]),
            (for_cron, t!("Cron"), vec![cron]),
            (for_at, t!("Once"), vec![at]),
        ],
    )
    .help("jobs#the-form");
    let kind = match (&job.at, &job.cron) {
        (Some(_), _) => for_at,
        (None, Some(_)) => for_cron,
        (None, None) => for_interval,
    };
    schedule.choose_tab(kind);
    schedule
}

fn limits(job: &Job) -> [Field; 2] {
    [
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
    for name in ["timeout", "retries", "catch_up", "max_running"] {
        let number = posted.number(name);
        if !number.is_null() {
            job[name] = number;
        }
    }
    for name in ["timezone", "misfire", "overlap", "priority", "once_per"] {
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
    if let Some((kind, value)) = typed_schedule(posted) {
        job[kind] = value;
        if kind == "at" {
            job["run_once"] = json!(false);
        }
    }
    job
}

/// What stands in the tab that is chosen. (A form without tabs, sent by hand, means what is filled in.)
fn typed_schedule(posted: &Posted) -> Option<(&'static str, Value)> {
    let text = |name: &str| match posted.text(&preset_of(name)) {
        "" => posted.text(name).to_owned(),
        preset => preset.to_owned(),
    };
    let is_filled = |kind: &&str| !text(kind).is_empty();
    let chosen = KINDS.into_iter().find(|kind| *kind == posted.text(SCHEDULE));
    let kind = chosen.or_else(|| KINDS.into_iter().rev().find(is_filled))?;
    let text = Some(text(kind)).filter(|text| !text.is_empty())?;
    let value = match (kind, text.parse::<i64>()) {
        ("interval", Ok(seconds)) => json!(seconds),
        _ => json!(text),
    };
    Some((kind, value))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ux13_only_the_chosen_tab_counts_and_a_preset_stands_for_what_is_typed() {
        let schedule = |fields: &[(&str, &str)]| {
            let job = typed(&Posted::of(fields));
            KINDS.map(|kind| job.get(kind).cloned().unwrap_or_default())
        };
        let all = [("interval", "60"), ("cron", "@daily"), ("at", "2091-01-01T10:00")];
        for (kind, expected) in [
            ("interval", [json!(60), Value::Null, Value::Null]),
            ("cron", [Value::Null, json!("@daily"), Value::Null]),
            ("at", [Value::Null, Value::Null, json!("2091-01-01T10:00")]),
        ] {
            let fields = [&[("schedule", kind)], all.as_slice()].concat();
            assert_eq!(schedule(&fields), expected, "{kind}");
        }
        let preset = [
            ("schedule", "cron"),
            ("cron", "@daily"),
            ("cron.preset", "30 7 * * 1-5"),
        ];
        assert_eq!(schedule(&preset)[1], "30 7 * * 1-5");
        // Without tabs.
        assert_eq!(schedule(&[("interval", "60"), ("cron", "@daily")])[1], "@daily");
        assert_eq!(schedule(&[("interval", "60"), ("cron", "")])[0], 60);
    }

    #[test]
    fn ux13_a_mistake_in_another_tab_is_none_and_one_in_the_chosen_tab_opens_it() {
        let form = || form("/x".to_owned(), "Save", &blank());
        let tab = |form: &Form| {
            let tabs = form.fields.iter().find(|field| field.kind == "tabs").unwrap();
            let chosen = tabs.tabs.iter().find(|tab| tab.chosen).unwrap();
            (
                chosen.value,
                chosen.fields[0].error.clone(),
                chosen.fields[0].value.clone(),
            )
        };
        let posted = [
            ("name", "J"),
            ("path", "j.lua"),
            ("schedule", "cron"),
            ("interval", "0"),
            ("cron", "@daily"),
        ];
        let posted = Posted::of(&posted);
        assert!(!form().filled(&posted).mark_mistakes(&posted));
        let posted = Posted::of(&[("name", "J"), ("path", "j.lua"), ("schedule", "at")]);
        let mut refused = form().filled(&posted);
        assert!(refused.mark_mistakes(&posted));
        assert_eq!(
            tab(&refused),
            ("at", "One date and time is needed.".to_owned(), String::new())
        );
        // What a preset stands for is there again.
        let posted = Posted::of(&[
            ("name", ""),
            ("path", "j.lua"),
            ("schedule", "interval"),
            ("interval.preset", "300"),
        ]);
        let mut refused = form().filled(&posted);
        assert!(refused.mark_mistakes(&posted));
        assert_eq!(tab(&refused), ("interval", String::new(), "300".to_owned()));
    }
}

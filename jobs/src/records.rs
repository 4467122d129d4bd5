//! What the audit log keeps of changes to jobs.

use coronet_core::functions::{Change, Reversal};
use serde_json::{Map, Value, json};

use crate::job::Job;

const KIND: &str = "job";

pub(crate) fn creating(job: &Job) -> Change {
    Change::of(KIND, &job.name)
        .after(&settings(job))
        .never("A new job is taken away by deleting it.")
}

pub(crate) fn updating(before: &Job, after: &Job) -> Change {
    let change = Change::of(KIND, &after.name)
        .before(&settings(before))
        .after(&settings(after));
    let (was, is) = change.touched();
    change.undo(Reversal {
        function: "jobs.update".to_owned(),
        parameters: json!({ "name": after.name, "changes": back(before, was) }),
        look: "jobs.get".to_owned(),
        at: json!({ "name": after.name }),
        expect: is.into(),
    })
}

pub(crate) fn deleting(job: &Job) -> Change {
    let before = settings(job);
    Change::of(KIND, &job.name).before(&before).undo(Reversal {
        function: "jobs.create".to_owned(),
        parameters: json!({ "job": before }),
        look: "jobs.get".to_owned(),
        at: json!({ "name": job.name }),
        expect: Value::Null,
    })
}

/// What `jobs.update` must be told for a job to have all the settings of this one.
pub(crate) fn replacing(by: &Job) -> Map<String, Value> {
    match settings(by) {
        Value::Object(all) => back(by, all),
        _ => Map::new(),
    }
}

/// What an operator chose about a job, and not how it is doing: what `jobs.create` takes.
pub(crate) fn settings(job: &Job) -> Value {
    json!({
        "name": job.name, "path": job.path, "interval": job.interval, "cron": job.cron, "at": job.at,
        "timezone": job.timezone, "run_once": job.run_once, "once_per": job.once_per, "active": job.active,
        "timeout": job.timeout, "retries": job.retries, "misfire": job.misfire, "catch_up": job.catch_up,
        "overlap": job.overlap, "max_running": job.max_running, "priority": job.priority,
        "notify_after": job.watch.notify_after, "overdue_after": job.watch.overdue_after,
        "ping_url": job.watch.ping_url,
    })
}

/// What `jobs.update` must be told: it takes one kind of schedule in place of another, an empty zone or URL for none, and 0
/// for a number there was not.
fn back(before: &Job, mut was: Map<String, Value>) -> Map<String, Value> {
    if ["interval", "cron", "at"]
        .iter()
        .any(|field| was.contains_key(*field))
    {
        was.insert("interval".to_owned(), json!(before.interval));
        was.insert("cron".to_owned(), json!(before.cron));
        was.insert("at".to_owned(), json!(before.at));
    }
    for (field, none) in [
        ("timezone", json!("")),
        ("ping_url", json!("")),
        ("notify_after", json!(0)),
        ("overdue_after", json!(0)),
    ] {
        if let Some(value) = was.get_mut(field).filter(|value| value.is_null()) {
            *value = none;
        }
    }
    was
}

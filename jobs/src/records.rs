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
        "name": job.name, "path": job.path, "interval": job.interval, "cron": job.cron, "timezone": job.timezone,
        "run_once": job.run_once, "active": job.active, "timeout": job.timeout, "retries": job.retries,
        "misfire": job.misfire,
    })
}

/// What `jobs.update` must be told: it takes an interval or a cron expression, each in place of the other, and an empty
/// zone for none.
fn back(before: &Job, mut was: Map<String, Value>) -> Map<String, Value> {
    if was.contains_key("interval") || was.contains_key("cron") {
        was.insert("interval".to_owned(), json!(before.interval));
        was.insert("cron".to_owned(), json!(before.cron));
    }
    if let Some(zone) = was.get_mut("timezone").filter(|zone| zone.is_null()) {
        *zone = Value::from("");
    }
    was
}

//! One entry of the audit log: what was asked for, what it changed, and the way back.

pub(crate) mod fields;

use coronet_core::Error;
use rocket::{Route, get, post, routes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::kit::helpers::path_segment;
use crate::kit::{Answer, Area, Desk, Posted, View, t};
use crate::server::audit::{Entry, kind_in_words, link};
use fields::Field;

pub(crate) fn routes() -> Vec<Route> {
    routes![show, undo, redo]
}

/// What `audit.get` gives.
#[derive(Deserialize)]
struct Details {
    #[serde(flatten)]
    entry: Entry,
    changes: Vec<Change>,
    changes_not_kept: i64,
    part_of: Option<String>,
    undone_by: Option<Entry>,
    redo: Option<String>,
    undoes: Option<String>,
    undo: Undo,
}

#[derive(Deserialize)]
struct Change {
    entry: String,
    function: String,
    kind: String,
    thing: String,
    before: Value,
    after: Value,
    cut: bool,
}

#[derive(Deserialize)]
struct Undo {
    possible: bool,
    reason: String,
    function: Option<String>,
    differences: Vec<Difference>,
    since: Vec<Entry>,
}

#[derive(Deserialize)]
struct Difference {
    field: String,
    left: Value,
    now: Value,
}

#[derive(Serialize)]
pub(crate) struct EntryView {
    pub(crate) entry: Entry,
    /// The parameters, laid out for reading.
    pub(crate) parameters: String,
    pub(crate) took: String,
    pub(crate) changes: Vec<Shown>,
    /// How many more there were; nothing when these are all.
    pub(crate) not_kept: i64,
    pub(crate) part_of: Option<String>,
    pub(crate) undone_by: Option<Entry>,
    /// The entry whose undo is the redo of this one.
    pub(crate) redo: Option<String>,
    pub(crate) undoes: Option<String>,
    pub(crate) can_undo: bool,
    /// What the undo would call.
    pub(crate) undo_by: String,
    /// Why it cannot be undone; empty when it can.
    pub(crate) reason: String,
    pub(crate) differences: Vec<Field>,
    pub(crate) since: Vec<Entry>,
}

/// A change as it is shown.
#[derive(Serialize)]
pub(crate) struct Shown {
    pub(crate) kind: String,
    pub(crate) thing: String,
    /// Where the thing is looked at, when it has a page.
    pub(crate) link: Option<String>,
    /// The step that made it, when it is not the entry itself.
    pub(crate) step: Option<String>,
    pub(crate) function: String,
    pub(crate) made: bool,
    pub(crate) gone: bool,
    pub(crate) fields: Vec<Field>,
    /// Fields that stayed as they were.
    pub(crate) same: Vec<Field>,
    pub(crate) cut: bool,
}

impl View for EntryView {
    const TEMPLATE: &'static str = "audit/entry";

    fn area(&self) -> Area {
        Area::Audit
    }

    fn title(&self) -> String {
        self.entry.function.clone()
    }
}

#[get("/audit/<id>")]
async fn show(desk: Desk<'_>, id: &str) -> Answer {
    let details: Details = desk.call("audit.get", json!({ "id": id })).await?;
    desk.page(&view(&desk, details))
}

#[post("/audit/<id>/undo")]
async fn undo(desk: Desk<'_>, id: &str) -> Answer {
    let page = format!("/audit/{}", path_segment(id));
    let undone: Result<Value, Error> = desk.call("audit.undo", json!({ "id": id })).await;
    match undone {
        Ok(_) => desk.go(page, t!("Undone. It is as it was before.")),
        Err(error) => desk.back(page, error),
    }
}

/// Undoes the step that an undo made, and shows the entry whose change holds again.
#[post("/audit/<id>/redo", data = "<posted>")]
async fn redo(desk: Desk<'_>, id: &str, posted: Posted) -> Answer {
    let page = format!("/audit/{}", path_segment(id));
    let redone: Result<Value, Error> = desk
        .call("audit.undo", json!({ "id": posted.text("step") }))
        .await;
    match redone {
        Ok(_) => desk.go(page, t!("Redone. The change holds again.")),
        Err(error) => desk.back(page, error),
    }
}

fn view(desk: &Desk<'_>, details: Details) -> EntryView {
    let entry = details.entry;
    let undo = details.undo;
    let may = desk.may("audit.undo") && undo.function.as_deref().is_none_or(|function| desk.may(function));
    let differences = undo
        .differences
        .iter()
        .map(|one| Field::new(&one.field, Some(&one.left), Some(&one.now)))
        .collect();
    EntryView {
        parameters: pretty(&entry.parameters),
        took: took(entry.duration_us),
        changes: details
            .changes
            .iter()
            .map(|change| shown(change, &entry.id))
            .collect(),
        not_kept: details.changes_not_kept,
        part_of: details.part_of,
        undone_by: details.undone_by,
        redo: details.redo.filter(|_| desk.may("audit.undo")),
        undoes: details.undoes,
        can_undo: undo.possible && may,
        reason: if undo.possible && !may {
            t!("Your role may not undo this.")
        } else {
            undo.reason
        },
        undo_by: undo.function.unwrap_or_default(),
        differences,
        since: undo.since,
        entry,
    }
}

fn shown(change: &Change, entry: &str) -> Shown {
    let (fields, same) = fields::of(&change.before, &change.after);
    Shown {
        link: link(&change.kind, &change.thing),
        kind: kind_in_words(&change.kind),
        thing: change.thing.clone(),
        step: (change.entry != entry).then(|| change.entry.clone()),
        function: change.function.clone(),
        made: change.before.is_null(),
        gone: change.after.is_null(),
        fields,
        same,
        cut: change.cut,
    }
}

/// JSON laid out over lines; what was cut stays as it is.
fn pretty(parameters: &str) -> String {
    match serde_json::from_str::<Value>(parameters) {
        Ok(Value::Object(none)) if none.is_empty() => String::new(),
        Ok(value) => serde_json::to_string_pretty(&value).unwrap_or_default(),
        Err(_) => parameters.to_owned(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a duration that is shown with two digits"
)]
fn took(microseconds: i64) -> String {
    match microseconds {
        0 => String::new(),
        1..1000 => format!("{microseconds} µs"),
        1000..1_000_000 => format!("{:.1} ms", microseconds as f64 / 1000.0),
        _ => format!("{:.1} s", microseconds as f64 / 1_000_000.0),
    }
}

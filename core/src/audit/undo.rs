//! Taking back what an entry changed, as long as the thing is as the entry left it.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::changes::ChangeView;
use super::store::ChangeRow;
use super::{Audit, Entry, store};
use crate::functions::{Call, Change, Reversal, masked};
use crate::{Code, Error, Result};

/// Later changes that are named when they are in the way.
const LATER: i64 = 10;
/// The kind of thing that an undo changes: an entry of this log.
const KIND: &str = "audit entry";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ById {
    /// The entry's id.
    id: String,
}

/// An entry with everything that is known about it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Details {
    #[serde(flatten)]
    entry: Entry,
    /// What it changed, and what its steps did.
    changes: Vec<ChangeView>,
    /// How many more changes there were that are not kept.
    changes_not_kept: u64,
    /// The entry that this one was a step of.
    part_of: Option<String>,
    /// The entry that undid this one and was not undone itself.
    undone_by: Option<Entry>,
    /// The entry to undo so that what this one changed holds again; only for an entry that was undone.
    redo: Option<String>,
    /// The entry that this one took back.
    undoes: Option<String>,
    undo: UndoView,
}

/// Whether an entry can be taken back.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct UndoView {
    possible: bool,
    /// Why not.
    reason: String,
    /// What would be called.
    function: Option<String>,
    /// What is not as the entry left it.
    differences: Vec<Difference>,
    /// Later entries that changed the same thing, the first one first.
    since: Vec<Entry>,
}

/// A field that is not as the entry left it.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
struct Difference {
    /// Empty: the thing itself is gone, or there again.
    field: String,
    left: Value,
    now: Value,
}

pub(super) async fn get(audit: Arc<Audit>, call: Arc<Call>, input: ById) -> Result<Details> {
    let (entry, rows) = read(&audit, &input.id).await?;
    let undone = undone(&audit, &entry).await?;
    let own = rows.iter().find(|row| row.entry_id == entry.id);
    let undo = match (&undone, undoable(&entry, &rows)) {
        // What came after the undo is what stands in the way of a redo.
        (Some(undone), _) => UndoView {
            possible: false,
            reason: "It was undone.".to_owned(),
            ..view(&audit, &call, &undone.step).await?
        },
        (None, Ok(row)) => view(&audit, &call, row).await?,
        (None, Err(reason)) => UndoView {
            reason,
            ..UndoView::default()
        },
    };
    let redo = undone
        .as_ref()
        .filter(|_| undo.function.is_some() && undo.differences.is_empty())
        .map(|undone| undone.step.entry_id.clone());
    Ok(Details {
        part_of: own
            .map(|row| row.part_of.clone())
            .filter(|whole| !whole.is_empty()),
        undoes: own.filter(|row| row.kind == KIND).map(|row| row.thing.clone()),
        changes: rows
            .iter()
            .filter(|row| row.kind != KIND && row.not_kept() == 0)
            .map(ChangeRow::view)
            .collect::<Result<_>>()?,
        changes_not_kept: rows.iter().map(ChangeRow::not_kept).sum(),
        undone_by: undone.map(|undone| undone.by),
        redo,
        entry,
        undo,
    })
}

/// An undo that still holds.
struct Reverted {
    by: Entry,
    /// The change that the undo made. Undoing its entry is the redo.
    step: ChangeRow,
}

/// The latest undo of an entry, unless that undo was itself undone (a redo).
async fn undone(audit: &Audit, entry: &Entry) -> Result<Option<Reverted>> {
    let db = &audit.core.db;
    let Some(by) = store::later(db, KIND, &entry.id, &entry.id, LATER).await?.pop() else {
        return Ok(None);
    };
    let rows = store::changes(db, &by.id).await?;
    let Some(step) = rows
        .into_iter()
        .find(|row| row.part_of == by.id && row.kind != KIND)
    else {
        return Ok(None);
    };
    let redone = store::later(db, KIND, &step.entry_id, &step.entry_id, LATER).await?;
    Ok(redone.is_empty().then_some(Reverted { by, step }))
}

/// What came of an undo.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Undone {
    /// The entry that was taken back.
    id: String,
    /// The function that was called for it.
    function: String,
}

pub(super) async fn undo(audit: Arc<Audit>, call: Arc<Call>, input: ById) -> Result<Undone> {
    let (entry, rows) = read(&audit, &input.id).await?;
    let row = undoable(&entry, &rows).map_err(|reason| Error::new(Code::Conflict, reason))?;
    // One at a time: of two who take the same thing back, the second sees what the first did.
    let turn = audit.undoing.lock().await;
    let Some(reversal) = row.reversal()? else {
        return Err(Error::new(Code::Conflict, row.never.clone()));
    };
    let differences = differences(&reversal.expect, &now(&call, &reversal).await?);
    if !differences.is_empty() {
        let error = Error::new(Code::Conflict, changed_since(row));
        return Err(error.with_details(json!({ "differences": differences })));
    }
    call.act(&reversal.function, reversal.parameters.clone()).await?;
    drop(turn);
    call.changed(Change::of(KIND, &entry.id).never("Undo the step that it made: that puts the change back."));
    Ok(Undone {
        id: entry.id,
        function: reversal.function,
    })
}

async fn read(audit: &Audit, id: &str) -> Result<(Entry, Vec<ChangeRow>)> {
    let entry = store::get(&audit.core.db, id).await?.ok_or_else(|| {
        let text = "There is no such entry in the audit log. Old entries are deleted after a while.";
        Error::new(Code::NotFound, text)
    })?;
    let rows = store::changes(&audit.core.db, id).await?;
    Ok((entry, rows))
}

/// The one change that taking the entry back would reverse, or why there is none.
fn undoable<'r>(entry: &Entry, rows: &'r [ChangeRow]) -> std::result::Result<&'r ChangeRow, String> {
    let own: Vec<&ChangeRow> = rows.iter().filter(|row| row.entry_id == entry.id).collect();
    match own.as_slice() {
        [] if entry.code != 0 => {
            Err("It was refused or failed: it changed nothing that is known.".to_owned())
        }
        [] if !rows.is_empty() => Err("It was made in steps. Open a step to undo it.".to_owned()),
        [] => Err("What it changed was not kept, so nothing can be put back.".to_owned()),
        [row] if row.reversal.is_empty() && row.never.is_empty() => {
            Err("This kind of change cannot be undone.".to_owned())
        }
        [row] if row.reversal.is_empty() => Err(row.never.clone()),
        [row] => Ok(row),
        _ => Err("It changed several things at once.".to_owned()),
    }
}

async fn view(audit: &Audit, call: &Call, row: &ChangeRow) -> Result<UndoView> {
    let Some(reversal) = row.reversal()? else {
        return Ok(UndoView::default());
    };
    let now = match now(call, &reversal).await {
        Ok(now) => now,
        Err(error) => {
            return Ok(UndoView {
                reason: format!("Whether it can be undone is not known now: {}", error.message()),
                ..UndoView::default()
            });
        }
    };
    let differences = differences(&reversal.expect, &now);
    let since = if differences.is_empty() {
        Vec::new()
    } else {
        store::later(&audit.core.db, &row.kind, &row.thing, &row.entry_id, LATER).await?
    };
    Ok(UndoView {
        possible: differences.is_empty(),
        reason: if differences.is_empty() {
            String::new()
        } else {
            changed_since(row)
        },
        function: Some(reversal.function),
        differences,
        since,
    })
}

fn changed_since(row: &ChangeRow) -> String {
    format!(
        "The {} {} was changed since. Undoing would overwrite those changes; edit it instead.",
        row.kind, row.thing
    )
}

/// The thing as it is; null when it is not there.
async fn now(call: &Call, reversal: &Reversal) -> Result<Value> {
    match call.act(&reversal.look, reversal.at.clone()).await {
        Ok(now) => Ok(now),
        Err(error) if error.code().status() == 404 => Ok(Value::Null),
        Err(error) => Err(error),
    }
}

/// What is not as it should be for an undo.
fn differences(expect: &Value, now: &Value) -> Vec<Difference> {
    match (expect, now) {
        (Value::Object(expect), Value::Object(now)) => fields(expect, now),
        (Value::Object(expect), Value::Array(items)) => items
            .iter()
            .filter_map(Value::as_object)
            .map(|item| fields(expect, item))
            .min_by_key(Vec::len)
            .unwrap_or_else(|| vec![whole(&Value::Object(expect.clone()), &Value::Null)]),
        (expect, now) if expect == now => Vec::new(),
        (expect, now) => vec![whole(expect, now)],
    }
}

fn whole(left: &Value, now: &Value) -> Difference {
    Difference {
        field: String::new(),
        left: left.clone(),
        now: masked(now.clone()),
    }
}

fn fields(expect: &Map<String, Value>, now: &Map<String, Value>) -> Vec<Difference> {
    expect
        .iter()
        .filter_map(|(field, left)| {
            let is = now.get(field).cloned().unwrap_or_default();
            (*left != is).then(|| Difference {
                field: field.clone(),
                left: left.clone(),
                now: is,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_as_it_was_left_when_the_fields_that_count_are() {
        let expect = json!({ "colour": "blue" });
        assert!(differences(&expect, &json!({ "colour": "blue", "size": 7 })).is_empty());
        assert_eq!(differences(&expect, &json!({ "colour": "red" }))[0].now, "red");
        assert_eq!(differences(&expect, &Value::Null)[0].now, Value::Null);
        assert!(differences(&Value::Null, &Value::Null).is_empty());
        assert_eq!(differences(&Value::Null, &expect).len(), 1);
    }

    #[test]
    fn in_a_list_one_entry_has_to_show_it() {
        let expect = json!({ "name": "mailgun", "active": true });
        let list = |active: bool| json!([{ "name": "capture", "active": !active }, { "name": "mailgun", "active": active }]);
        assert!(differences(&expect, &list(true)).is_empty());
        assert!(!differences(&expect, &list(false)).is_empty());
        assert!(!differences(&expect, &json!([])).is_empty());
    }
}

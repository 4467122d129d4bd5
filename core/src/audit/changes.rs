//! What writes changed, as it is kept and shown.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::store::ChangeRow;
use crate::functions::{Change, Changed, Reversal, Told, Undo};
use crate::{Error, Result};

/// A longer text is cut: the log tells what was changed, the thing itself keeps the rest.
const TEXT_LIMIT: usize = 64 * 1024;
/// One side of a change whose JSON is longer even so is left out.
const SIDE_LIMIT: usize = 256 * 1024;
const THING_LIMIT: usize = 300;

/// What a write changed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ChangeView {
    /// The entry that made it: the one that was asked for, or a step of it.
    pub entry: String,
    pub function: String,
    /// What was changed, such as `scope`.
    pub kind: String,
    /// What it is found by, such as the scope's name.
    pub thing: String,
    /// The fields before; null when it was not there.
    pub before: Value,
    /// The fields after; null when it is gone.
    pub after: Value,
    /// Whether something was too long to be kept whole.
    pub cut: bool,
}

/// The kind of a row that stands for changes that were not kept; its thing says how many.
const NOT_KEPT: &str = "";

pub(super) fn rows(entry: &str, part_of: Option<&str>, told: Told) -> Vec<ChangeRow> {
    let rest = Changed {
        function: String::new(),
        change: Change::of(NOT_KEPT, told.dropped.to_string()),
    };
    let changes = told.kept.into_iter().chain((told.dropped > 0).then_some(rest));
    let row = |(place, changed): (usize, Changed)| {
        let Change {
            kind,
            mut thing,
            mut before,
            mut after,
            undo,
        } = changed.change;
        let cut_before = shorten(&mut before);
        let cut_after = shorten(&mut after);
        thing.truncate(thing.floor_char_boundary(THING_LIMIT));
        let (reversal, never) = match undo {
            Undo::By(reversal) => (
                serde_json::to_string(&*reversal).unwrap_or_default(),
                String::new(),
            ),
            Undo::Never(why) => (String::new(), why),
        };
        ChangeRow {
            entry_id: entry.to_owned(),
            place: i64::try_from(place).unwrap_or(i64::MAX),
            part_of: part_of.unwrap_or_default().to_owned(),
            function: changed.function,
            kind,
            thing,
            before_state: written(&before),
            after_state: written(&after),
            cut: i64::from(cut_before || cut_after),
            reversal,
            never,
        }
    };
    changes.enumerate().map(row).collect()
}

impl ChangeRow {
    /// How many changes that were not kept the row stands for; 0 when it is a change itself.
    pub(super) fn not_kept(&self) -> u64 {
        match self.kind.as_str() {
            NOT_KEPT => self.thing.parse().unwrap_or_default(),
            _ => 0,
        }
    }

    pub(super) fn view(&self) -> Result<ChangeView> {
        Ok(ChangeView {
            entry: self.entry_id.clone(),
            function: self.function.clone(),
            kind: self.kind.clone(),
            thing: self.thing.clone(),
            before: read(&self.before_state)?,
            after: read(&self.after_state)?,
            cut: self.cut != 0,
        })
    }

    pub(super) fn reversal(&self) -> Result<Option<Reversal>> {
        if self.reversal.is_empty() {
            return Ok(None);
        }
        serde_json::from_str(&self.reversal)
            .map(Some)
            .map_err(Error::unexpected)
    }
}

fn written(state: &Value) -> String {
    if state.is_null() {
        String::new()
    } else {
        state.to_string()
    }
}

fn read(state: &str) -> Result<Value> {
    if state.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(state).map_err(Error::unexpected)
}

/// Cuts what is too long. Returns whether something was.
fn shorten(state: &mut Value) -> bool {
    let cut = shorten_texts(state);
    if state.to_string().len() <= SIDE_LIMIT {
        return cut;
    }
    *state = serde_json::json!({ "…": "too long to be kept" });
    true
}

fn shorten_texts(value: &mut Value) -> bool {
    match value {
        Value::String(text) if text.len() > TEXT_LIMIT => {
            text.truncate(text.floor_char_boundary(TEXT_LIMIT));
            text.push('…');
            true
        }
        Value::Array(items) => items
            .iter_mut()
            .map(shorten_texts)
            .fold(false, std::ops::BitOr::bitor),
        Value::Object(fields) => fields
            .values_mut()
            .map(shorten_texts)
            .fold(false, std::ops::BitOr::bitor),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept(after: &Value) -> ChangeRow {
        let change = Change::of("thing", "a").after(after);
        let changed = Changed {
            function: "things.update".to_owned(),
            change,
        };
        let told = Told {
            kept: vec![changed],
            dropped: 0,
        };
        rows("aud_1", None, told).remove(0)
    }

    #[test]
    fn what_is_too_long_is_cut_and_said_to_be() {
        let row = kept(&json!({ "text": "ä".repeat(TEXT_LIMIT), "name": "a" }));
        let view = row.view().unwrap();
        assert!(view.cut);
        assert_eq!(view.after["name"], "a");
        assert!(row.after_state.len() < TEXT_LIMIT + 100);

        let many: Vec<String> = (0..10).map(|_| "x".repeat(TEXT_LIMIT)).collect();
        let row = kept(&json!({ "texts": many }));
        assert!(row.view().unwrap().cut);
        assert!(row.after_state.len() < 100);

        assert!(!kept(&json!({ "text": "short" })).view().unwrap().cut);
    }
}

//! A thing before and after, field by field; long texts line by line.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::kit::diff::{self, Sides};

/// A field before and after.
#[derive(Debug, Serialize)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// `None`: there was no such field.
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    /// In place of the two, when one of them has several lines.
    pub(crate) sides: Sides,
}

impl Field {
    pub(crate) fn new(name: &str, before: Option<&Value>, after: Option<&Value>) -> Self {
        let (before, after) = (before.and_then(text), after.and_then(text));
        let is_long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains('\n'));
        let sides = if is_long(&before) || is_long(&after) {
            diff::sides(
                before.as_deref().unwrap_or_default(),
                after.as_deref().unwrap_or_default(),
            )
        } else {
            Sides::default()
        };
        Self {
            name: name.replace('_', " "),
            before,
            after,
            sides,
        }
    }
}

/// The fields that differ, and those that do not.
pub(crate) fn of(before: &Value, after: &Value) -> (Vec<Field>, Vec<Field>) {
    let empty = Map::new();
    let was = before.as_object().unwrap_or(&empty);
    let is = after.as_object().unwrap_or(&empty);
    let mut names: Vec<&String> = was.keys().collect();
    names.extend(is.keys().filter(|name| !was.contains_key(*name)));
    let both = !before.is_null() && !after.is_null();
    let (mut changed, mut same) = (Vec::new(), Vec::new());
    for name in names {
        let (old, new) = (was.get(name), is.get(name));
        // Of what came or went, a field without a value says nothing.
        if !both && old.or(new).is_none_or(is_blank) {
            continue;
        }
        if both && old == new {
            if !new.is_none_or(is_blank) {
                same.push(Field::new(name, None, new));
            }
        } else {
            changed.push(Field::new(name, old, new));
        }
    }
    (changed, same)
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// The value for people; `None` for nothing.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            (!items.is_empty()).then(|| items.join(", "))
        }
        Value::Array(_) | Value::Object(_) => serde_json::to_string_pretty(value).ok(),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_changed_stands_apart_from_what_stayed() {
        let (changed, same) = of(
            &json!({ "name": "a", "subject": "Old", "active": true }),
            &json!({ "name": "a", "subject": "New", "active": false }),
        );
        let shown: Vec<_> = changed
            .iter()
            .map(|field| {
                (
                    field.name.as_str(),
                    field.before.as_deref(),
                    field.after.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("subject", Some("Old"), Some("New")),
                ("active", Some("true"), Some("false"))
            ]
        );
        assert_eq!(same[0].name, "name");
    }

    #[test]
    fn a_text_of_several_lines_is_compared_by_line() {
        let (changed, _) = of(&json!({ "text": "a\nb\n" }), &json!({ "text": "a\nc\n" }));
        let kinds: Vec<_> = changed[0].sides.rows.iter().map(|row| row.kind).collect();
        assert_eq!(kinds, ["same", "changed"]);
    }

    #[test]
    fn of_what_is_new_only_what_is_set_is_shown() {
        let (changed, same) = of(
            &Value::Null,
            &json!({ "name": "a", "subject": "", "group": null }),
        );
        assert_eq!(changed.len(), 1);
        assert!(same.is_empty());
    }
}

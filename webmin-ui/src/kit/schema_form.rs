//! Forms drawn from a JSON schema: a plugin's settings, a function's parameters.
//!
//! Objects with named properties become fields with dotted names; what has no simple shape is typed as JSON. A field that
//! is left alone is left out: nothing is sent that was not chosen. So what may be absent starts empty, a yes or no as a
//! choice of three, and a default stands beside the field instead of in it.

mod shape;

use coronet_core::{Code, Error};
use serde_json::{Map, Value, json};

use self::shape::{Shape, kind, plain, properties, requires, text};
use super::Posted;
use super::form::{Choice, Field};
use super::mistakes::{Rule, not_json};
use super::t;

/// Deeper objects are typed as JSON.
const DEEPEST: usize = 3;

/// Marks fields of the form, so that a parameter may have any name.
pub(crate) const PREFIX: &str = "p.";

/// The fields for the properties of an object, filled with the present `values`.
pub(crate) fn fields(schema: &Value, values: &Value) -> Vec<Field> {
    let mut fields = Vec::new();
    let root = Level {
        prefix: PREFIX,
        depth: 0,
        needed: true,
    };
    collect(schema, values, &root, &mut fields);
    fields
}

/// Whether the schema requires the field's value, be it one that is kept already and need not be typed again.
pub(crate) fn is_required(schema: &Value, field: &Field) -> bool {
    field
        .name
        .strip_prefix(PREFIX)
        .is_some_and(|name| requires(schema, name))
}

/// What was typed, as the object the schema describes. Empty fields are left out; `secret` ones too, so that
/// a secret that is not typed again stays.
///
/// # Errors
/// `ParameterInvalid`, naming the field that should hold JSON and does not.
pub(crate) fn values(schema: &Value, posted: &Posted) -> Result<Map<String, Value>, Error> {
    let root = Level {
        prefix: PREFIX,
        depth: 0,
        needed: true,
    };
    object(schema, posted, &root)
}

/// An object in the schema.
struct Level<'l> {
    prefix: &'l str,
    depth: usize,
    /// Whether the object itself must be there: only then its required properties are required of the form.
    needed: bool,
}

fn collect(schema: &Value, values: &Value, level: &Level<'_>, fields: &mut Vec<Field>) {
    for (name, property) in properties(schema) {
        let shape = Shape::of(property);
        let value = values.get(name).unwrap_or(&Value::Null);
        let path = format!("{}{name}", level.prefix);
        let required = level.needed && requires(schema, name);
        if matches!(shape, Shape::Object) && level.depth < DEEPEST {
            let inner = Level {
                prefix: &format!("{path}."),
                depth: level.depth + 1,
                needed: required,
            };
            collect(plain(property), value, &inner, fields);
        } else {
            fields.push(field(&path, name, property, &shape, value, required));
        }
    }
}

fn field(
    path: &str,
    name: &str,
    property: &Value,
    shape: &Shape<'_>,
    value: &Value,
    required: bool,
) -> Field {
    let title = text(property, "title").map_or_else(|| words(name), str::to_owned);
    let default = property.get("default").unwrap_or(&Value::Null);
    // What may be absent starts empty, so that only what was chosen is sent.
    let shown = if value.is_null() && required {
        default
    } else {
        value
    };
    let beside = match default {
        Value::Null => String::new(),
        default => as_lines(default),
    };
    let mut field = match shape {
        Shape::Boolean => yes_or_no(path, &title, shown, default, required),
        Shape::Choice(choices) => {
            let mut field = Field::select(path, &title, []);
            if !required || shown.is_null() {
                let known = choices.iter().find(|(value, _)| *value == default);
                let default = known.map(|(value, label)| choice(value, label).label);
                field.choices.push(not_chosen(required, default.as_deref()));
            }
            field
                .choices
                .extend(choices.iter().map(|(value, label)| choice(value, label)));
            field.value(as_text(shown))
        }
        Shape::Number => Field::number(path, &title)
            .value(as_text(shown))
            .placeholder(&beside),
        Shape::Secret => {
            let place = if is_set(value) {
                t!("set; type to replace it")
            } else {
                String::new()
            };
            Field::password(path, &title)
                .placeholder(&place)
                .autocomplete("new-password")
                .wide()
        }
        Shape::Text => Field::text(path, &title)
            .value(as_text(shown))
            .placeholder(&beside),
        Shape::LongText => Field::lines(path, &title)
            .value(as_text(shown))
            .placeholder(&beside),
        Shape::TextOrList | Shape::List => Field::lines(path, &title)
            .value(as_lines(shown))
            .placeholder(&beside),
        Shape::Object | Shape::Json => {
            let typed = if shown.is_null() {
                String::new()
            } else {
                format!("{shown:#}")
            };
            Field::code(path, &title)
                .value(typed)
                .rule(Rule::Json)
                .placeholder(&example(property))
        }
    };
    // A secret that is set needs no typing.
    field.required = required && !(matches!(shape, Shape::Secret) && is_set(value));
    if matches!(shape, Shape::Number) && kind(plain(property)) == Some("integer") {
        let bound = |name| plain(property).get(name).and_then(Value::as_i64);
        field = field.rule(Rule::Whole {
            least: bound("minimum").unwrap_or(i64::MIN),
            most: bound("maximum").unwrap_or(i64::MAX),
        });
    }
    let hint = first_words(text(property, "description").unwrap_or_default());
    if matches!(shape, Shape::TextOrList) {
        return field.hint(format!("{hint} {}", t!("Several: one a line.")).trim_start());
    }
    if matches!(shape, Shape::List) {
        return field.hint(format!("{hint} {}", t!("One a line, or a list in JSON.")).trim_start());
    }
    field.hint(&hint)
}

/// A switch where there is a value that must be one of the two, as with most settings; else a choice of three.
fn yes_or_no(path: &str, title: &str, shown: &Value, default: &Value, required: bool) -> Field {
    if let (true, Some(on)) = (required, shown.as_bool()) {
        return Field::switch(path, title, on);
    }
    let word = |yes: bool| if yes { t!("yes") } else { t!("no") };
    let mut field = Field::select(path, title, []);
    let default = default.as_bool().map(word);
    field.choices.push(not_chosen(required, default.as_deref()));
    for value in [true, false] {
        field.choices.push(choice(&json!(value), &word(value)));
    }
    field.value(as_text(shown))
}

/// The choice to leave the parameter out, with what holds then.
fn not_chosen(required: bool, default: Option<&str>) -> Choice {
    let label = match default {
        _ if required => t!("Choose…"),
        Some(default) => t!("not set ({default} applies)", default = default),
        None => t!("not set"),
    };
    choice(&Value::Null, &label)
}

fn object(schema: &Value, posted: &Posted, level: &Level<'_>) -> Result<Map<String, Value>, Error> {
    let mut object = Map::new();
    for (name, property) in properties(schema) {
        let shape = Shape::of(property);
        let path = format!("{}{name}", level.prefix);
        let required = level.needed && requires(schema, name);
        let typed = posted.lines(&path);
        let value = match shape {
            Shape::Object if level.depth < DEEPEST => {
                let inner = Level {
                    prefix: &format!("{path}."),
                    depth: level.depth + 1,
                    needed: required,
                };
                let inner = self::object(plain(property), posted, &inner)?;
                if inner.is_empty() && !required {
                    Value::Null
                } else {
                    Value::Object(inner)
                }
            }
            Shape::Boolean => match typed.trim() {
                "on" | "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                // Only a switch is not sent at all, and that when it is off.
                _ if required && !posted.flag(&path) => Value::Bool(false),
                _ => Value::Null,
            },
            _ if typed.trim().is_empty() => Value::Null,
            Shape::Number => number(typed.trim()),
            Shape::Choice(choices) => choices
                .iter()
                .find(|(value, _)| as_text(value) == typed)
                .map_or_else(|| json!(typed), |(value, _)| (*value).clone()),
            Shape::Text => json!(typed.trim()),
            Shape::Secret | Shape::LongText => json!(typed),
            Shape::TextOrList => text_or_list(&typed),
            Shape::List if !typed.trim_start().starts_with('[') => lines(&typed).into(),
            Shape::List | Shape::Object | Shape::Json => serde_json::from_str(&typed).map_err(|cause| {
                Error::new(Code::ParameterInvalid, not_json(&format!("`{name}`"), &cause))
                    .with_details(json!({ "parameter": name }))
            })?,
        };
        if !value.is_null() {
            object.insert(name.to_owned(), value);
        }
    }
    Ok(object)
}

/// One line is a text, several are a list.
fn text_or_list(typed: &str) -> Value {
    let mut lines = lines(typed);
    match lines.len() {
        1 => json!(lines.remove(0)),
        _ => json!(lines),
    }
}

fn lines(typed: &str) -> Vec<&str> {
    typed
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect()
}

fn as_lines(value: &Value) -> String {
    match value.as_array() {
        Some(entries) => entries.iter().map(as_text).collect::<Vec<_>>().join("\n"),
        None => as_text(value),
    }
}

/// Whether there is a value; of a secret it is known only that.
fn is_set(value: &Value) -> bool {
    !value.is_null() && value.as_str() != Some("")
}

fn choice(value: &Value, label: &str) -> Choice {
    let value = as_text(value);
    let label = if label.is_empty() {
        value.clone()
    } else {
        label.to_owned()
    };
    Choice {
        label,
        value,
        hint: String::new(),
        selected: false,
    }
}

fn as_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn number(typed: &str) -> Value {
    typed
        .parse::<i64>()
        .map(Value::from)
        .or_else(|_| typed.parse::<f64>().map(Value::from))
        .unwrap_or_else(|_| Value::from(typed))
}

/// `from_email` as `From email`, `base_url` as `Base URL`.
pub(crate) fn words(name: &str) -> String {
    let word = |(at, word): (usize, &str)| match word {
        "api" | "id" | "ip" | "tls" | "url" => word.to_uppercase(),
        _ if at > 0 => word.to_owned(),
        _ => {
            let mut chars = word.chars();
            chars
                .next()
                .map(|first| first.to_uppercase().chain(chars).collect())
                .unwrap_or_default()
        }
    };
    name.split(['_', '-'])
        .enumerate()
        .map(word)
        .collect::<Vec<String>>()
        .join(" ")
}

/// Documentation as one line; doc comments come with the line ends of their source.
fn first_words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn example(property: &Value) -> String {
    match kind(plain(property)) {
        Some("array") => "[]".to_owned(),
        Some("object") => "{}".to_owned(),
        _ => t!("JSON, such as \"text\" or 12"),
    }
}

#[cfg(test)]
mod tests;

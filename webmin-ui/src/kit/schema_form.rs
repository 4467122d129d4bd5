//! Forms drawn from a JSON schema: a plugin's settings, a function's parameters.
//!
//! Objects with named properties become fields with dotted names; what has no simple shape is typed as JSON.

use coronet_core::{Code, Error};
use serde_json::{Map, Value, json};

use super::Posted;
use super::form::{Choice, Field};
use super::mistakes::Rule;
use super::t;

/// Deeper objects are typed as JSON.
const DEEPEST: usize = 3;

/// Marks fields of the form, so that a parameter may have any name.
const PREFIX: &str = "p.";

/// The fields for the properties of an object, filled with the present `values`.
pub(crate) fn fields(schema: &Value, values: &Value) -> Vec<Field> {
    let mut fields = Vec::new();
    collect(schema, values, PREFIX, 0, &mut fields);
    fields
}

/// Whether the schema requires the field's value, be it one that is kept already and need not be typed again.
pub(crate) fn is_required(schema: &Value, field: &Field) -> bool {
    let names = schema["required"].as_array();
    names.is_some_and(|names| {
        names
            .iter()
            .any(|name| name.as_str() == field.name.strip_prefix(PREFIX))
    })
}

/// What was typed, as the object the schema describes. Empty fields are left out; `secret` ones too, so that
/// a secret that is not typed again stays.
///
/// # Errors
/// `ParameterInvalid`, naming the field that should hold JSON and does not.
pub(crate) fn values(schema: &Value, posted: &Posted) -> Result<Map<String, Value>, Error> {
    object(schema, posted, PREFIX, 0)
}

fn collect(schema: &Value, values: &Value, prefix: &str, depth: usize, fields: &mut Vec<Field>) {
    for (name, property) in properties(schema) {
        let shape = Shape::of(property);
        let value = values.get(name).unwrap_or(&Value::Null);
        let path = format!("{prefix}{name}");
        if matches!(shape, Shape::Object) && depth < DEEPEST {
            collect(plain(property), value, &format!("{path}."), depth + 1, fields);
        } else {
            let needed = schema.get("required").and_then(Value::as_array);
            let required = needed.is_some_and(|needed| needed.iter().any(|needed| needed == name));
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
    let shown = if value.is_null() {
        property.get("default").unwrap_or(&Value::Null)
    } else {
        value
    };
    let mut field = match shape {
        Shape::Switch => Field::switch(path, &title, shown.as_bool().unwrap_or(false)),
        Shape::Choice(choices) => {
            let mut field = Field::select(path, &title, []);
            if !required {
                field.choices.push(choice(&Value::Null, ""));
            }
            field
                .choices
                .extend(choices.iter().map(|(value, label)| choice(value, label)));
            field.value(as_text(shown))
        }
        Shape::Number => Field::number(path, &title).value(as_text(shown)),
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
        Shape::Text => Field::text(path, &title).value(as_text(shown)),
        Shape::LongText => Field::lines(path, &title).value(as_text(shown)),
        Shape::TextOrList => Field::lines(path, &title).value(as_lines(shown)),
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
    field.hint(&hint)
}

fn object(schema: &Value, posted: &Posted, prefix: &str, depth: usize) -> Result<Map<String, Value>, Error> {
    let mut object = Map::new();
    for (name, property) in properties(schema) {
        let shape = Shape::of(property);
        let path = format!("{prefix}{name}");
        let typed = posted.lines(&path);
        let value = match shape {
            Shape::Object if depth < DEEPEST => {
                let inner = self::object(plain(property), posted, &format!("{path}."), depth + 1)?;
                if inner.is_empty() {
                    Value::Null
                } else {
                    Value::Object(inner)
                }
            }
            Shape::Switch => Value::Bool(posted.flag(&path)),
            _ if typed.trim().is_empty() => Value::Null,
            Shape::Number => number(typed.trim()),
            Shape::Choice(choices) => choices
                .iter()
                .find(|(value, _)| as_text(value) == typed)
                .map_or_else(|| json!(typed), |(value, _)| (*value).clone()),
            Shape::Text => json!(typed.trim()),
            Shape::Secret | Shape::LongText => json!(typed),
            Shape::TextOrList => text_or_list(&typed),
            Shape::Object | Shape::Json => serde_json::from_str(&typed).map_err(|cause| {
                Error::new(
                    Code::ParameterInvalid,
                    t!(
                        "{label} must be JSON: {cause}.",
                        label = format!("`{name}`"),
                        cause = cause
                    ),
                )
                .with_details(json!({ "parameter": name }))
            })?,
        };
        if !value.is_null() {
            object.insert(name.to_owned(), value);
        }
    }
    Ok(object)
}

enum Shape<'s> {
    Text,
    LongText,
    /// One text, or several.
    TextOrList,
    Number,
    Switch,
    Secret,
    Choice(Vec<(&'s Value, &'s str)>),
    Object,
    Json,
}

impl<'s> Shape<'s> {
    fn of(property: &'s Value) -> Self {
        let property = plain(property);
        if let Some(choices) = property.get("enum").and_then(Value::as_array) {
            let choices = choices.iter().filter(|value| !value.is_null());
            return Self::Choice(
                choices
                    .map(|value| (value, value.as_str().unwrap_or_default()))
                    .collect(),
            );
        }
        if let Some(choices) = property.get("oneOf").and_then(Value::as_array) {
            let named = choices
                .iter()
                .map(|choice| Some((choice.get("const")?, text(choice, "title").unwrap_or_default())));
            if let Some(choices) = named.collect::<Option<Vec<_>>>() {
                return Self::Choice(choices);
            }
        }
        if is_text_or_list(property) {
            return Self::TextOrList;
        }
        match kind(property) {
            // JSON Schema's way to say that a text is a document: it is long, and seen while it is written.
            Some("string") if property.get("contentMediaType").is_some() => Self::LongText,
            Some("string") => match text(property, "format") {
                Some("secret" | "password") => Self::Secret,
                Some("textarea" | "multiline") => Self::LongText,
                _ => Self::Text,
            },
            Some("integer" | "number") => Self::Number,
            Some("boolean") => Self::Switch,
            Some("object") if property.get("properties").is_some() => Self::Object,
            _ => Self::Json,
        }
    }
}

/// `anyOf` a text and a list of texts, and maybe null.
fn is_text_or_list(property: &Value) -> bool {
    let parts = property.get("anyOf").and_then(Value::as_array);
    let is_text = |part: &Value| kind(part) == Some("string");
    let is_list = |part: &Value| kind(part) == Some("array") && part.get("items").is_some_and(is_text);
    let parts: Vec<&Value> = parts
        .into_iter()
        .flatten()
        .filter(|part| kind(part) != Some("null"))
        .collect();
    let inner = parts.len() == 1 && is_text_or_list(parts[0]);
    inner
        || parts.len() == 2
            && parts.iter().any(|part| is_text(part))
            && parts.iter().any(|part| is_list(part))
}

/// One line is a text, several are a list.
fn text_or_list(typed: &str) -> Value {
    let mut lines: Vec<&str> = typed
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    match lines.len() {
        1 => json!(lines.remove(0)),
        _ => json!(lines),
    }
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

/// The schema without the `or null` around it.
fn plain(property: &Value) -> &Value {
    let parts = property
        .get("anyOf")
        .or_else(|| property.get("oneOf"))
        .and_then(Value::as_array);
    let mut real = parts
        .into_iter()
        .flatten()
        .filter(|part| kind(part) != Some("null"));
    match (real.next(), real.next()) {
        (Some(only), None) => only,
        _ => property,
    }
}

/// The one type beside null.
fn kind(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::String(kind) => Some(kind),
        Value::Array(kinds) => {
            let mut real = kinds
                .iter()
                .filter_map(Value::as_str)
                .filter(|kind| *kind != "null");
            real.next().filter(|_| real.next().is_none())
        }
        _ => None,
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .map(|(name, property)| (name.as_str(), property))
}

fn text<'s>(schema: &'s Value, name: &str) -> Option<&'s str> {
    schema.get(name).and_then(Value::as_str)
}

fn choice(value: &Value, label: &str) -> Choice {
    let value = as_text(value);
    let label = if label.is_empty() {
        value.clone()
    } else {
        label.to_owned()
    };
    Choice {
        label: if label.is_empty() { t!("not set") } else { label },
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

//! Which field fits a property of a schema.

use serde_json::Value;

pub(super) enum Shape<'s> {
    Text,
    LongText,
    /// One text, or several.
    TextOrList,
    /// A list of texts.
    List,
    Number,
    Boolean,
    Secret,
    Choice(Vec<(&'s Value, &'s str)>),
    Object,
    Json,
}

impl<'s> Shape<'s> {
    pub(super) fn of(property: &'s Value) -> Self {
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
            Some("boolean") => Self::Boolean,
            Some("object") if property.get("properties").is_some() => Self::Object,
            Some("array")
                if property
                    .get("items")
                    .is_some_and(|items| kind(items) == Some("string")) =>
            {
                Self::List
            }
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

/// The schema without the `or null` around it.
pub(super) fn plain(property: &Value) -> &Value {
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
pub(super) fn kind(schema: &Value) -> Option<&str> {
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

pub(super) fn properties(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .map(|(name, property)| (name.as_str(), property))
}

/// Whether an object of the schema must have the property.
pub(super) fn requires(schema: &Value, name: &str) -> bool {
    let names = schema.get("required").and_then(Value::as_array);
    names.is_some_and(|names| names.iter().any(|required| required == name))
}

pub(super) fn text<'s>(schema: &'s Value, name: &str) -> Option<&'s str> {
    schema.get(name).and_then(Value::as_str)
}

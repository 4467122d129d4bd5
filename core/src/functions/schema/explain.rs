//! Why parameters were rejected: which one, and what it must be. In our own words: those of the library that found
//! it name keywords of JSON Schema, which a caller has never heard of.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::{Value, json};

use super::names;
use super::numbers::OutOfRange;
use crate::text::counted;
use crate::{Code, Error};

/// Longer lists of choices are cut.
const MOST_CHOICES: usize = 40;

/// The error of a call whose parameters do not follow their schema.
pub(super) fn explain(cause: &ValidationError<'_>, parameters: &Value, schema: &Value) -> Error {
    let cause = decisive(cause);
    let path = path_of(cause);
    let below = |field: &str| match path.as_str() {
        "" => field.to_owned(),
        path => format!("{path}.{field}"),
    };
    let (code, field) = match cause.kind() {
        Kind::Required { property } => (
            Code::ParameterMissing,
            below(property.as_str().unwrap_or_default()),
        ),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            return unknown(&below(unexpected.first().map_or("", String::as_str)), schema);
        }
        Kind::PropertyNames { error } => {
            let name = error.instance().as_str().unwrap_or_default().to_owned();
            return unknown(&below(&name), schema);
        }
        // An object without fields allows none: the checker then gives the place of the object, and not the field's name.
        Kind::FalseSchema => {
            let object = parameters.pointer(&cause.instance_path().to_string());
            let first = object
                .and_then(Value::as_object)
                .and_then(|fields| fields.keys().next());
            return unknown(&first.map_or_else(|| path.clone(), |first| below(first)), schema);
        }
        Kind::Type { .. } => (Code::ParameterType, path),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => (Code::ParameterType, path),
        _ => (Code::ParameterInvalid, path),
    };
    error(code, &field, &rule(cause, schema))
}

/// Whether it is about a parameter that does not exist.
pub(super) fn is_unknown_name(cause: &ValidationError<'_>) -> bool {
    matches!(
        cause.kind(),
        Kind::AdditionalProperties { .. } | Kind::UnevaluatedProperties { .. }
    )
}

/// The error for a number that its type cannot hold.
pub(super) fn out_of_range(broken: &OutOfRange) -> Error {
    error(Code::ParameterInvalid, &broken.path, &broken.rule)
}

fn error(code: Code, field: &str, rule: &str) -> Error {
    let text = if field.is_empty() {
        format!("The object of parameters {rule}.")
    } else {
        format!("The parameter `{field}` {rule}.")
    };
    Error::new(code, text).with_details(json!({ "parameter": field, "rule": rule }))
}

fn unknown(field: &str, schema: &Value) -> Error {
    let known = names::paths(schema);
    let text = format!("There is no parameter `{field}`.{}", names::advice(field, &known));
    let details = json!({
        "parameter": field,
        "did_you_mean": names::alternatives(field, &known),
        "parameters": known,
    });
    Error::new(Code::ParameterInvalid, text).with_details(details)
}

/// Of a value that may have several forms, the rule that the nearest of them sets.
pub(crate) fn decisive<'e>(cause: &'e ValidationError<'_>) -> &'e ValidationError<'e> {
    let branches = match cause.kind() {
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => context,
        _ => return cause,
    };
    let here = cause.instance_path().as_str();
    let is_another_kind = |error: &ValidationError<'_>| {
        error.instance_path().as_str() == here
            && matches!(
                error.kind(),
                Kind::Type { .. } | Kind::Constant { .. } | Kind::Enum { .. }
            )
    };
    let fitting = branches
        .iter()
        .filter(|errors| !errors.is_empty() && !errors.iter().any(is_another_kind));
    match fitting
        .min_by_key(|errors| errors.len())
        .and_then(|errors| errors.first())
    {
        Some(nearest) => decisive(nearest),
        None => cause,
    }
}

/// Where the value stands: `options.times`, and of a list `to.0`.
pub(crate) fn path_of(cause: &ValidationError<'_>) -> String {
    let pointer = cause.instance_path().to_string();
    let steps = pointer.split('/').skip(1);
    let steps: Vec<String> = steps
        .map(|step| step.replace("~1", "/").replace("~0", "~"))
        .collect();
    steps.join(".")
}

/// What a value must be, to follow the name of its parameter or the label of its field. `schema` is the whole schema.
pub(crate) fn rule(cause: &ValidationError<'_>, schema: &Value) -> String {
    match cause.kind() {
        Kind::Required { .. } => "is missing".to_owned(),
        Kind::MinLength { limit: 1 } | Kind::MinItems { limit: 1 } | Kind::MinProperties { limit: 1 } => {
            "must not be empty".to_owned()
        }
        Kind::MinLength { limit } => format!(
            "must have {} at least",
            counted(*limit, "character", "characters")
        ),
        Kind::MaxLength { limit } => {
            format!("may have {} at most", counted(*limit, "character", "characters"))
        }
        Kind::MinItems { limit } | Kind::MinProperties { limit } => {
            format!("must have {} at least", counted(*limit, "entry", "entries"))
        }
        Kind::MaxItems { limit } | Kind::MaxProperties { limit } => {
            format!("may have {} at most", counted(*limit, "entry", "entries"))
        }
        Kind::AdditionalItems { limit } => {
            format!("may have {} at most", counted(*limit, "entry", "entries"))
        }
        Kind::Minimum { limit } => format!("must be {limit} or more"),
        Kind::Maximum { limit } => format!("must be {limit} or less"),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        Kind::UniqueItems => "must not have an entry twice".to_owned(),
        Kind::Enum { options } => one_of(options.as_array().map(Vec::as_slice).unwrap_or_default().iter()),
        Kind::Constant { expected_value } => format!("must be {}", shown(expected_value)),
        Kind::Type {
            kind: TypeKind::Single(kind),
        } => format!("must be {}", with_article(kind.as_str())),
        Kind::Type {
            kind: TypeKind::Multiple(kinds),
        } => {
            let named: Vec<&str> = kinds
                .iter()
                .map(|kind| with_article(kind.as_str()))
                .filter(|kind| *kind != "null")
                .collect();
            format!("must be {}", named.join(" or "))
        }
        Kind::FalseSchema => "cannot be set".to_owned(),
        _ => match schema_of(cause, schema).map(describe) {
            Some(described) if !described.is_empty() => format!("must be {described}"),
            _ => "has a value that cannot be used".to_owned(),
        },
    }
}

fn one_of<'v>(options: impl Iterator<Item = &'v Value>) -> String {
    let options: Vec<String> = options.filter(|option| !option.is_null()).map(shown).collect();
    let more = if options.len() > MOST_CHOICES { ", …" } else { "" };
    let listed = &options[..options.len().min(MOST_CHOICES)];
    format!("must be one of: {}{more}", listed.join(", "))
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The schema whose rule is broken: what the path to the rule leads to, without the rule itself.
fn schema_of<'s>(cause: &ValidationError<'_>, root: &'s Value) -> Option<&'s Value> {
    let path = cause.schema_path().to_string();
    let (parent, _) = path.rsplit_once('/')?;
    root.pointer(parent)
}

/// What a value of the schema is: `a text or a list of texts`.
fn describe(schema: &Value) -> String {
    if let Some(options) = constants(schema) {
        return match options.as_slice() {
            [] => String::new(),
            [only] => shown(only),
            several => one_of(several.iter().copied()).replacen("must be ", "", 1),
        };
    }
    let choices = ["anyOf", "oneOf"]
        .iter()
        .find_map(|name| schema.get(name)?.as_array());
    if let Some(choices) = choices {
        let mut phrases: Vec<String> = Vec::new();
        for phrase in choices.iter().map(describe) {
            if !phrase.is_empty() && phrase != "null" && !phrases.contains(&phrase) {
                phrases.push(phrase);
            }
        }
        return phrases.join(" or ");
    }
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind.as_str()],
        Some(Value::Array(kinds)) => kinds
            .iter()
            .filter_map(Value::as_str)
            .filter(|kind| *kind != "null")
            .collect(),
        _ => Vec::new(),
    };
    let phrases: Vec<String> = kinds.into_iter().map(|kind| of_kind(kind, schema)).collect();
    phrases.join(" or ")
}

/// The values of a schema that allows only a few.
fn constants(schema: &Value) -> Option<Vec<&Value>> {
    if let Some(only) = schema.get("const") {
        return Some(vec![only]);
    }
    if let Some(options) = schema.get("enum").and_then(Value::as_array) {
        return Some(options.iter().filter(|option| !option.is_null()).collect());
    }
    let choices = schema.get("oneOf").and_then(Value::as_array)?;
    choices.iter().map(|choice| choice.get("const")).collect()
}

fn of_kind(kind: &str, schema: &Value) -> String {
    match kind {
        "array" => match schema
            .get("items")
            .and_then(|items| items.get("type"))
            .and_then(Value::as_str)
        {
            Some("string") => "a list of texts".to_owned(),
            Some("integer" | "number") => "a list of numbers".to_owned(),
            Some("object") => "a list of objects".to_owned(),
            _ => "a list".to_owned(),
        },
        "object" => {
            let required = schema.get("required").and_then(Value::as_array);
            let required = required.into_iter().flatten().filter_map(Value::as_str);
            let names: Vec<String> = required.map(|name| format!("`{name}`")).collect();
            if names.is_empty() {
                "an object".to_owned()
            } else {
                format!("an object with {}", names.join(" and "))
            }
        }
        "string" if schema.get("pattern").is_some() => "a text of the form that is described".to_owned(),
        other => with_article(other).to_owned(),
    }
}

fn with_article(kind: &str) -> &str {
    match kind {
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "an object",
        other => other,
    }
}

/// A rule that the schema does not carry. Rules of our own speak for themselves; of what the reader of a type says,
/// only the name is kept.
pub(in crate::functions) fn unreadable(cause: &serde_json::Error) -> Error {
    let said = cause.to_string();
    let named = |start: &str| {
        let rest = said.strip_prefix(start)?.strip_prefix('`')?;
        rest.split('`').next().map(str::to_owned)
    };
    if let Some(name) = named("missing field ") {
        return error(Code::ParameterMissing, &name, "is missing");
    }
    if let Some(name) = named("unknown field ") {
        return error(Code::ParameterInvalid, &name, "is not one of this function");
    }
    if let Some(name) = named("duplicate field ") {
        return error(Code::ParameterInvalid, &name, "is there twice");
    }
    const LIBRARY: [&str; 5] = [
        "invalid type",
        "invalid value",
        "invalid length",
        "unknown variant",
        "data did not match",
    ];
    let text = if LIBRARY.iter().any(|start| said.starts_with(start)) {
        tracing::debug!(cause = %said, "parameters that follow their schema could not be read");
        "A parameter has a value that cannot be used. The function's description says what each may be."
            .to_owned()
    } else {
        format!("The parameters cannot be used: {}.", said.trim_end_matches('.'))
    };
    Error::new(Code::ParameterInvalid, text)
}

//! JSON schemas: made from Rust types, and held against what callers send.

use std::sync::OnceLock;

use jsonschema::Validator;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::{Code, Error, Result};

/// The schema of a type, complete in itself.
pub(crate) fn of<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.remove("title");
    schema.to_value()
}

/// The parameters of a function: their names in order, and the check of what was sent.
pub(super) struct Parameters {
    schema: Value,
    names: Vec<String>,
    secret: Vec<String>,
    // Compiled at the first call: most functions are never called in a server's life.
    validator: OnceLock<Option<Validator>>,
}

impl Parameters {
    pub(super) fn new(schema: &Value) -> Self {
        let properties = schema.get("properties").and_then(Value::as_object);
        let mut names = Vec::new();
        let mut secret = Vec::new();
        for (name, property) in properties.into_iter().flatten() {
            names.push(name.clone());
            collect_secrets(name, property, &mut secret);
        }
        Self {
            schema: schema.clone(),
            names,
            secret,
            validator: OnceLock::new(),
        }
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Refuses parameters that do not fit the schema, naming the one that is wrong.
    pub(super) fn check(&self, parameters: &Value) -> Result<()> {
        if !parameters.is_object() {
            return Err(Error::new(
                Code::ParameterType,
                "The parameters must be one JSON object.",
            ));
        }
        let validator = self.validator.get_or_init(|| {
            jsonschema::options()
                .should_validate_formats(false)
                .build(&self.schema)
                .ok()
        });
        let Some(validator) = validator else {
            return Err(Error::unexpected(
                "a function's parameter schema is not a valid JSON schema",
            ));
        };
        validator.validate(parameters).map_err(|cause| explain(&cause))
    }

    /// Rejects texts with a NUL, but for secrets: those are stored as hashes or encrypted.
    pub(super) fn check_text(&self, parameters: &Value) -> Result<()> {
        let Some(path) = find_nul(parameters, "", &self.secret) else {
            return Ok(());
        };
        let text = format!("`{path}` must not contain the NUL character.");
        let details = serde_json::json!({ "parameter": path });
        Err(Error::new(Code::ParameterInvalid, text).with_details(details))
    }

    /// The names of secret fields, at any depth.
    pub(super) fn secret(&self) -> &[String] {
        &self.secret
    }

    /// The parameters with every secret masked, for audit and log.
    pub(super) fn masked(&self, parameters: &Value) -> Value {
        let mut masked = parameters.clone();
        mask(&mut masked, &self.secret);
        masked
    }
}

/// Where a NUL is: the path of the text, or of the object with such a key.
fn find_nul(value: &Value, path: &str, secret: &[String]) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(|| path.to_owned()),
        Value::Array(items) => items.iter().find_map(|item| find_nul(item, path, secret)),
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            if name.contains('\0') {
                return Some(path.to_owned());
            }
            let path = match path {
                "" => name.clone(),
                path => format!("{path}.{name}"),
            };
            match is_secret(name, secret) {
                true => None,
                false => find_nul(value, &path, secret),
            }
        }),
        _ => None,
    }
}

/// Names of fields with `format: secret` or `password`, at any depth.
fn collect_secrets(name: &str, schema: &Value, secret: &mut Vec<String>) {
    if matches!(
        schema.get("format").and_then(Value::as_str),
        Some("secret" | "password")
    ) {
        secret.push(name.to_owned());
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        properties
            .iter()
            .for_each(|(name, property)| collect_secrets(name, property, secret));
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        let parts = schema.get(key).and_then(Value::as_array);
        parts
            .into_iter()
            .flatten()
            .for_each(|part| collect_secrets(name, part, secret));
    }
    if let Some(items) = schema.get("items") {
        collect_secrets(name, items, secret);
    }
}

/// Well-known names are masked wherever they stand, also in free-form objects such as plugin settings.
const ALWAYS_SECRET: [&str; 6] = ["password", "secret", "api_key", "signing_key", "key", "code"];

/// A value with what is secret by its name masked.
pub fn masked(mut value: Value) -> Value {
    mask(&mut value, &[]);
    value
}

/// What stands in place of a secret.
pub(super) const MASK: &str = "•••";
/// What stands in place of a secret that was changed.
pub(super) const NEW_MASK: &str = "••• (new)";

pub(super) fn is_secret(name: &str, secret: &[String]) -> bool {
    ALWAYS_SECRET.contains(&name) || secret.iter().any(|secret| secret == name)
}

pub(super) fn mask(value: &mut Value, secret: &[String]) {
    match value {
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                if is_secret(name, secret) {
                    *value = Value::from(MASK);
                } else {
                    mask(value, secret);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, secret)),
        _ => {}
    }
}

fn explain(cause: &jsonschema::ValidationError<'_>) -> Error {
    let path = cause
        .instance_path()
        .to_string()
        .trim_start_matches('/')
        .replace('/', ".");
    let about = |field: &str| {
        if path.is_empty() {
            field.to_owned()
        } else if field.is_empty() {
            path.clone()
        } else {
            format!("{path}.{field}")
        }
    };
    let (code, field) = match cause.kind() {
        ValidationErrorKind::Required { property } => (
            Code::ParameterMissing,
            about(property.as_str().unwrap_or_default()),
        ),
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let field = about(unexpected.first().map_or("", |name| name));
            let text = format!("There is no parameter `{field}`.");
            return Error::new(Code::ParameterInvalid, text)
                .with_details(serde_json::json!({ "parameter": field }));
        }
        ValidationErrorKind::Type { .. } => (Code::ParameterType, about("")),
        _ => (Code::ParameterInvalid, about("")),
    };
    let rule = rule(cause);
    Error::new(code, format!("The parameter `{field}` {rule}."))
        .with_details(serde_json::json!({ "parameter": field, "rule": rule }))
}

/// What a value must be, to follow the name of its parameter or the label of its field.
pub(crate) fn rule(cause: &jsonschema::ValidationError<'_>) -> String {
    use ValidationErrorKind as Kind;
    match cause.kind() {
        Kind::Required { .. } => "is missing".to_owned(),
        Kind::MinLength { limit: 1 } | Kind::MinItems { limit: 1 } => "must not be empty".to_owned(),
        Kind::MinLength { limit } => format!("must have {limit} characters at least"),
        Kind::MaxLength { limit } => format!("may have {limit} characters at most"),
        Kind::MaxItems { limit } => format!("may have {limit} entries at most"),
        Kind::Minimum { limit } => format!("must be {limit} or more"),
        Kind::Maximum { limit } => format!("must be {limit} or less"),
        Kind::Enum { options } => {
            let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
            let options: Vec<String> = options
                .iter()
                .filter(|option| !option.is_null())
                .map(|option| option.as_str().map_or_else(|| option.to_string(), str::to_owned))
                .collect();
            format!("must be one of: {}", options.join(", "))
        }
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
        _ => format!("cannot be used: {}", plain(cause)),
    }
}

fn with_article(kind: &'static str) -> &'static str {
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

/// The validator's words without the value itself: it may be a megabyte, or a password.
fn plain(cause: &jsonschema::ValidationError<'_>) -> String {
    cause.masked_with("the value").to_string()
}

/// A rule that the schema does not carry; serde's words name fields and types, not values.
pub(super) fn refused(cause: &serde_json::Error) -> Error {
    Error::new(
        Code::ParameterInvalid,
        format!("The parameters cannot be used: {cause}."),
    )
}

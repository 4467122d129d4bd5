//! JSON schemas: made from Rust types, and held against what callers send.

mod explain;
mod names;
mod numbers;

use std::sync::OnceLock;

use jsonschema::Validator;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::{Code, Error, Result};

pub(in crate::functions) use explain::unreadable;
pub(crate) use explain::{decisive, path_of, rule};
pub use names::nearest;
pub(crate) use numbers::settle;

/// How many things that are wrong with a call are looked at.
const MOST_CAUSES: usize = 20;

/// The schema of a type, complete in itself.
pub(crate) fn of<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.remove("title");
    schema.to_value()
}

/// The schema of a type with the types it is made of beside it, by their names.
pub(in crate::functions) fn named_of<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.meta_schema = None;
    settings.into_generator().into_root_schema_for::<T>().to_value()
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
        let mut causes = validator.iter_errors(parameters);
        let Some(first) = causes.next() else { return Ok(()) };
        // A name that does not exist is often why another one is missing.
        let unknown = causes.take(MOST_CAUSES).find(explain::is_unknown_name);
        let cause = match unknown {
            Some(unknown) if !explain::is_unknown_name(&first) => unknown,
            _ => first,
        };
        Err(explain::explain(&cause, parameters, &self.schema))
    }

    /// Writes whole numbers as integers where the schema asks for them, so that `60.0` is 60 for every caller.
    pub(super) fn settle(&self, parameters: &mut Value) -> Result<()> {
        numbers::settle(parameters, &self.schema).map_err(|broken| explain::out_of_range(&broken))
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

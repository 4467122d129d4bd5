//! A plugin's settings: checked against its schema, sealed at rest, secrets never shown.

use serde_json::{Map, Value, json};

use crate::{Code, Error, Result, Secrets};

/// Settings as they are kept: a JSON object, secrets included.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Settings(Map<String, Value>);

impl Settings {
    /// Opens sealed settings.
    ///
    /// # Errors
    /// `Unavailable` when the key is another one.
    pub(super) fn unseal(secrets: &Secrets, plugin: &str, sealed: &[u8]) -> Result<Self> {
        let plain = secrets.unseal(&context(plugin), sealed)?;
        serde_json::from_slice(&plain)
            .map(Self)
            .map_err(Error::unexpected)
    }

    pub(super) fn seal(&self, secrets: &Secrets, plugin: &str) -> Vec<u8> {
        secrets.seal(&context(plugin), &self.to_json())
    }

    /// As the plugin gets them.
    pub(super) fn to_json(&self) -> Vec<u8> {
        // A map with text keys always has a JSON form.
        serde_json::to_vec(&self.0).unwrap_or_else(|_| b"{}".to_vec())
    }

    /// What an operator entered, over what is kept: a secret that is absent or empty stays as it is, and `null`
    /// takes a value away.
    ///
    /// # Errors
    /// A `Parameter…` code when the outcome does not follow the schema.
    pub(super) fn changed(&self, schema: Option<&Value>, entered: &Map<String, Value>) -> Result<Self> {
        let mut next = entered.clone();
        for name in secret_names(schema) {
            let kept = self.0.get(&name);
            if matches!(next.get(&name), None | Some(Value::String(_))) && is_blank(next.get(&name)) {
                match kept {
                    Some(kept) => next.insert(name, kept.clone()),
                    None => next.shift_remove(&name),
                };
            }
        }
        next.retain(|_, value| !value.is_null());
        let next = settled(schema, next)?;
        check(schema, &next)?;
        Ok(Self(next))
    }

    /// The values that may be shown, by name.
    pub(super) fn shown(&self, schema: Option<&Value>) -> Map<String, Value> {
        let secret = secret_names(schema);
        let known = |name: &String| property_names(schema).contains(name) && !secret.contains(name);
        self.0
            .iter()
            .filter(|(name, _)| known(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// Which secrets are set.
    pub(super) fn secrets(&self, schema: Option<&Value>) -> Map<String, Value> {
        let state = |name: &String| {
            if is_blank(self.0.get(name)) {
                "not set"
            } else {
                "set"
            }
        };
        secret_names(schema)
            .into_iter()
            .map(|name| (name.clone(), json!(state(&name))))
            .collect()
    }
}

fn context(plugin: &str) -> String {
    format!("settings of the plugin {plugin}")
}

fn is_blank(value: Option<&Value>) -> bool {
    value.is_none_or(|value| value.is_null() || value == "")
}

fn properties(schema: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    schema
        .and_then(|schema| schema.get("properties"))
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

fn property_names(schema: Option<&Value>) -> Vec<String> {
    properties(schema).map(|(name, _)| name.clone()).collect()
}

/// Names of the fields with `format: secret`, also where they are optional.
fn secret_names(schema: Option<&Value>) -> Vec<String> {
    fn is_secret(schema: &Value) -> bool {
        let parts = ["anyOf", "oneOf", "allOf"]
            .iter()
            .filter_map(|key| schema.get(key)?.as_array())
            .flatten();
        schema.get("format").is_some_and(|format| format == "secret") || parts.into_iter().any(is_secret)
    }
    properties(schema)
        .filter(|(_, property)| is_secret(property))
        .map(|(name, _)| name.clone())
        .collect()
}

/// The settings with whole numbers as integers where the schema asks for them, as for every function.
fn settled(schema: Option<&Value>, settings: Map<String, Value>) -> Result<Map<String, Value>> {
    let mut settings = Value::Object(settings);
    if let Some(schema) = schema {
        crate::functions::settle(&mut settings, schema)
            .map_err(|broken| broken_rule(Code::ParameterInvalid, &broken.path, &broken.rule))?;
    }
    match settings {
        Value::Object(settings) => Ok(settings),
        _ => Ok(Map::new()),
    }
}

fn broken_rule(code: Code, setting: &str, rule: &str) -> Error {
    Error::new(code, format!("The setting `{setting}` {rule}."))
        .with_details(json!({"parameter": setting, "rule": rule}))
}

fn check(schema: Option<&Value>, settings: &Map<String, Value>) -> Result<()> {
    let known = property_names(schema);
    if let Some(unknown) = settings.keys().find(|name| !known.contains(name)) {
        return Err(Error::new(
            Code::ParameterInvalid,
            format!("There is no setting `{unknown}`."),
        ));
    }
    let Some(schema) = schema else { return Ok(()) };
    let validator = jsonschema::options()
        .should_validate_formats(false)
        .build(schema)
        .map_err(Error::unexpected)?;
    validator
        .validate(&Value::Object(settings.clone()))
        .map_err(|cause| {
            use jsonschema::error::ValidationErrorKind as Kind;
            let cause = crate::functions::decisive(&cause);
            let path = crate::functions::path_of(cause);
            let below = |name: &str| match path.as_str() {
                "" => name.to_owned(),
                path => format!("{path}.{name}"),
            };
            let (code, field) = match cause.kind() {
                Kind::Required { property } => (
                    Code::ParameterMissing,
                    below(property.as_str().unwrap_or_default()),
                ),
                Kind::Type { .. } => (Code::ParameterType, path),
                _ => (Code::ParameterInvalid, path),
            };
            broken_rule(code, &field, &crate::functions::rule(cause, schema))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "domain": {"type": "string"},
                "api_key": {"type": "string", "format": "secret"},
                "spare": {"anyOf": [{"type": "string", "format": "secret"}, {"type": "null"}]},
            },
            "required": ["domain"],
        })
    }

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn w13_a_secret_is_kept_when_the_form_comes_back_without_it_and_never_shown() {
        let schema = schema();
        let first = object(json!({"domain": "mg.home.com", "api_key": "key-1", "spare": null}));
        let kept = Settings::default().changed(Some(&schema), &first).unwrap();

        let again = kept
            .changed(
                Some(&schema),
                &object(json!({"domain": "mail.home.com", "api_key": ""})),
            )
            .unwrap();

        assert_eq!(again.0["api_key"], "key-1");
        assert_eq!(
            again.shown(Some(&schema)),
            object(json!({"domain": "mail.home.com"}))
        );
        assert_eq!(
            again.secrets(Some(&schema)),
            object(json!({"api_key": "set", "spare": "not set"}))
        );

        let without = again
            .changed(Some(&schema), &object(json!({"domain": "d", "api_key": null})))
            .unwrap();
        assert_eq!(without.secrets(Some(&schema))["api_key"], "not set");
    }

    #[test]
    fn what_the_schema_does_not_allow_is_refused_by_name() {
        let schema = schema();
        let refused = |entered| {
            Settings::default()
                .changed(Some(&schema), &object(entered))
                .unwrap_err()
        };
        assert_eq!(refused(json!({})).code(), Code::ParameterMissing);
        assert!(
            refused(json!({"domain": "d", "colour": "red"}))
                .message()
                .contains("`colour`")
        );
        let wrong = refused(json!({"domain": "d", "api_key": ["key-1"]}));
        assert_eq!(wrong.code(), Code::ParameterType);
        assert!(!wrong.message().contains("key-1"), "{wrong}");
    }

    #[test]
    fn at_rest_nothing_can_be_read() {
        let home = tempfile::tempdir().unwrap();
        let secrets = Secrets::open(home.path()).unwrap();
        let kept = Settings::default()
            .changed(Some(&schema()), &object(json!({"domain": "d", "api_key": "k"})))
            .unwrap();
        let sealed = kept.seal(&secrets, "mailgun");
        assert_eq!(Settings::unseal(&secrets, "mailgun", &sealed).unwrap(), kept);
        assert!(Settings::unseal(&secrets, "smtp", &sealed).is_err());
    }
}

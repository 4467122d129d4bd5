//! What `plugins.*` returns, as far as the webmin shows it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::kit::schema_form::words;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Summary {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) description: String,
    pub(crate) author: String,
    pub(crate) license: String,
    pub(crate) state: String,
    pub(crate) reason: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) path: String,
    pub(crate) sha256: Option<String>,
    pub(crate) pid: Option<u32>,
    pub(crate) memory: Option<u64>,
    pub(crate) calls: i64,
    pub(crate) in_flight: i64,
    pub(crate) restarts: i64,
    pub(crate) started_at: Option<i64>,
    pub(crate) last_error: Option<LastError>,
    pub(crate) functions: Vec<String>,
    pub(crate) provides: Vec<Provided>,
    pub(crate) configurable: bool,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Details {
    #[serde(flatten)]
    pub(crate) summary: Summary,
    pub(crate) settings_schema: Option<Value>,
    pub(crate) settings: Map<String, Value>,
    /// For each secret `set` or `not set`.
    pub(crate) secrets: Map<String, Value>,
    pub(crate) requires: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) routes: Vec<PublicRoute>,
    pub(crate) jobs: Vec<String>,
    pub(crate) webhook: Option<Webhook>,
}

/// Where others tell the plugin something.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Webhook {
    pub(crate) path: String,
    pub(crate) summary: String,
    pub(crate) taken: i64,
    pub(crate) taken_at: Option<i64>,
    pub(crate) refused: i64,
    pub(crate) refused_at: Option<i64>,
    pub(crate) refusal: Option<String>,
}

impl Details {
    /// What a form of the settings is filled with. The state of a secret stands for it: the form says that one is set, and
    /// asks for nothing else.
    pub(crate) fn form_values(&self) -> Value {
        let mut values = self.settings.clone();
        let set = self.secrets.iter().filter(|(_, state)| *state == "set");
        values.extend(set.map(|(name, state)| (name.clone(), state.clone())));
        Value::Object(values)
    }

    /// The settings that the plugin's schema requires and that nobody entered, as the form names them.
    pub(crate) fn missing_settings(&self) -> Vec<String> {
        let required = self
            .settings_schema
            .as_ref()
            .and_then(|schema| schema.get("required"));
        let names = required
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let is_set = |name: &str| {
            let shown = self.settings.get(name);
            shown.is_some_and(|value| !value.is_null() && value != "")
                || self.secrets.get(name).is_some_and(|state| state == "set")
        };
        names.filter(|name| !is_set(name)).map(words).collect()
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LastError {
    pub(crate) at: i64,
    pub(crate) message: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Provided {
    pub(crate) kind: String,
    pub(crate) name: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PublicRoute {
    pub(crate) path: String,
    pub(crate) page: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) at: i64,
    pub(crate) level: String,
    #[serde(alias = "message")]
    pub(crate) text: String,
}

/// What a scan of the plugin folders found and did.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ScanReport {
    pub(crate) new: Vec<String>,
    pub(crate) changed: Vec<String>,
    pub(crate) gone: Vec<String>,
    pub(crate) failed: Vec<FailedPlugin>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct FailedPlugin {
    pub(crate) name: String,
    pub(crate) reason: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_required_and_not_entered_is_missing() {
        let mut plugin: Details = serde_json::from_value(json!({
            "settings_schema": { "required": ["domain", "api_key"] },
            "settings": { "domain": "" },
            "secrets": { "api_key": "not set" },
        }))
        .unwrap();
        assert_eq!(plugin.missing_settings(), ["Domain", "API key"]);
        plugin
            .settings
            .insert("domain".to_owned(), json!("mg.example.com"));
        plugin.secrets.insert("api_key".to_owned(), json!("set"));
        assert!(plugin.missing_settings().is_empty());
    }
}

//! What the functions `settings.*` and `backups.*` give, as far as the pages show it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::kit::language::say;
use crate::kit::t;

/// A group of settings.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) about: String,
    pub(crate) revision: i64,
    pub(crate) settings: Vec<Setting>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) about: String,
    pub(crate) unit: Option<String>,
    pub(crate) schema: Value,
    pub(crate) default: Value,
    pub(crate) value: Value,
    pub(crate) secret: bool,
    pub(crate) is_default: bool,
    pub(crate) changed_by: Option<String>,
    pub(crate) changed_at: Option<i64>,
}

/// A key of the configuration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) value: String,
    pub(crate) origin: String,
    pub(crate) place: String,
}

impl Group {
    /// The group as one JSON schema, in the language of the page.
    pub(crate) fn schema(&self) -> Value {
        let properties: serde_json::Map<_, _> = self
            .settings
            .iter()
            .map(|setting| (setting.name.clone(), setting.described()))
            .collect();
        let needed: Vec<_> = self
            .settings
            .iter()
            .filter(|setting| !setting.may_be_empty())
            .map(|setting| &setting.name)
            .collect();
        json!({ "type": "object", "properties": properties, "required": needed })
    }

    /// What is set; of a secret only that it is.
    pub(crate) fn values(&self) -> Value {
        let value = |setting: &Setting| match (setting.secret, setting.is_default) {
            (true, false) => json!("set"),
            _ => setting.value.clone(),
        };
        let values: serde_json::Map<_, _> = self
            .settings
            .iter()
            .map(|setting| (setting.name.clone(), value(setting)))
            .collect();
        Value::Object(values)
    }
}

impl Setting {
    /// Whether nothing typed is a value too.
    pub(crate) fn may_be_empty(&self) -> bool {
        self.default == ""
    }

    /// What it is called, with what it counts.
    pub(crate) fn label(&self) -> String {
        let title = say(&self.title, &[]);
        match &self.unit {
            Some(unit) => format!("{title} ({})", say(unit, &[])),
            None => title,
        }
    }

    /// Its default, in words.
    pub(crate) fn default_text(&self) -> String {
        match &self.default {
            Value::Bool(true) => t!("on"),
            Value::Bool(false) => t!("off"),
            Value::String(text) if text.is_empty() && self.secret => t!("not set"),
            Value::String(text) if text.is_empty() => t!("empty"),
            Value::String(text) => self.choice(text).unwrap_or_else(|| text.clone()),
            other => other.to_string(),
        }
    }

    fn choice(&self, value: &str) -> Option<String> {
        let choices = self.schema.get("oneOf")?.as_array()?;
        let found = choices.iter().find(|choice| choice["const"] == value)?;
        Some(say(found["title"].as_str()?, &[]))
    }

    /// Its schema with the words that a form shows.
    fn described(&self) -> Value {
        let mut schema = self.schema.clone();
        for choice in schema
            .get_mut("oneOf")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            let title = choice["title"].as_str().map(|title| say(title, &[]));
            choice["title"] = title.into();
        }
        schema["title"] = self.label().into();
        schema["description"] = say(&self.about, &[]).into();
        schema
    }
}

/// The backups, and how making them goes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Backups {
    pub(crate) supported: bool,
    pub(crate) advice: Option<String>,
    pub(crate) folder: String,
    pub(crate) database_bytes: u64,
    pub(crate) running: Option<Running>,
    pub(crate) latest: Option<Latest>,
    pub(crate) next_at: Option<i64>,
    pub(crate) backups: Vec<Backup>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Running {
    pub(crate) started_at: i64,
    pub(crate) bytes: u64,
    pub(crate) of_bytes: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Latest {
    pub(crate) at: i64,
    pub(crate) name: Option<String>,
    pub(crate) error: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Backup {
    pub(crate) name: String,
    pub(crate) made_at: i64,
    pub(crate) bytes: u64,
}

/// A number of bytes as people read it.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes} B"),
        1000..1_000_000 => format!("{} kB", bytes / 1000),
        1_000_000..1_000_000_000 => tenths(bytes / 100_000, "MB"),
        _ => tenths(bytes / 100_000_000, "GB"),
    }
}

fn tenths(tenths: u64, unit: &str) -> String {
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_read_at_a_glance() {
        for (bytes, text) in [
            (999, "999 B"),
            (4096, "4 kB"),
            (1_234_567, "1.2 MB"),
            (2_500_000_000, "2.5 GB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}

//! The description of all settings, read from the schema of their types.

use std::sync::LazyLock;

use jsonschema::Validator;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::groups::All;
use super::rules::Broken;
use crate::functions::{decisive, rule, schema_of};
use crate::{Code, Error, Result};

/// A group of settings.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Group {
    pub name: String,
    pub title: String,
    /// What the group is about.
    pub about: String,
    pub settings: Vec<Setting>,
}

/// One setting: what it is, whatever its value.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Setting {
    pub name: String,
    pub title: String,
    /// What it does.
    pub about: String,
    /// What a number counts, such as `days`.
    pub unit: Option<String>,
    /// The JSON schema of its value.
    pub schema: Value,
    /// What holds as long as nobody sets it.
    pub default: Value,
    /// Whether it can be set and never read.
    pub secret: bool,
}

static GROUPS: LazyLock<Vec<Group>> = LazyLock::new(|| {
    let defaults = as_object(serde_json::to_value(All::default()).unwrap_or_default());
    let groups = properties(schema());
    let group = |(name, schema): (String, Value)| Group {
        settings: properties(&schema)
            .into_iter()
            .map(|(setting, schema)| {
                let default = defaults[&name][&setting].clone();
                one(setting, schema, default)
            })
            .collect(),
        title: text(&schema, "title"),
        about: text(&schema, "description"),
        name,
    };
    groups.into_iter().map(group).collect()
});

/// Compiled when something is changed for the first time.
static VALIDATOR: LazyLock<Option<Validator>> = LazyLock::new(|| {
    jsonschema::options()
        .should_validate_formats(false)
        .build(schema())
        .ok()
});

fn schema() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(schema_of::<All>);
    &SCHEMA
}

/// All groups, in the order in which they are shown.
pub fn groups() -> &'static [Group] {
    &GROUPS
}

/// The group of this name.
///
/// # Errors
/// `NotFound`, with the names that there are.
pub fn group(name: &str) -> Result<&'static Group> {
    GROUPS.iter().find(|group| group.name == name).ok_or_else(|| {
        let names: Vec<_> = GROUPS.iter().map(|group| group.name.as_str()).collect();
        let text = format!(
            "There is no such group of settings. The groups are: {}.",
            names.join(", ")
        );
        Error::new(Code::NotFound, text)
    })
}

impl Group {
    /// The setting of this name.
    ///
    /// # Errors
    /// `ParameterInvalid`, with the names that there are.
    pub fn setting(&self, name: &str) -> Result<&Setting> {
        self.settings
            .iter()
            .find(|setting| setting.name == name)
            .ok_or_else(|| {
                let names: Vec<_> = self
                    .settings
                    .iter()
                    .map(|setting| setting.name.as_str())
                    .collect();
                let group = &self.name;
                let text = format!(
                    "The group `{group}` has no such setting. It has: {}.",
                    names.join(", ")
                );
                Error::new(Code::ParameterInvalid, text)
                    .with_details(serde_json::json!({ "parameter": name }))
            })
    }
}

/// A whole number is one however it is written: `7.0` is 7. JSON's schemas have it so, serde has not.
pub(super) fn whole(value: Value) -> Value {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "no setting is nearly as large as what does not fit"
    )]
    match value.as_f64().filter(|_| value.is_f64()) {
        Some(number) if number.fract() == 0.0 && number.abs() < 1e15 => Value::from(number as i64),
        _ => value,
    }
}

/// Reads all settings out of their JSON form, in which every group is whole.
///
/// # Errors
/// `ParameterInvalid`, which names the setting that breaks a rule.
pub(super) fn read(all: &Value) -> Result<All> {
    fits(all)?;
    let read: All = serde_json::from_value(all.clone()).map_err(Error::unexpected)?;
    read.check()?;
    Ok(read)
}

/// Whether each value by itself is one that its setting may have.
///
/// # Errors
/// `ParameterInvalid`, which names the setting that may not.
pub(super) fn fits(all: &Value) -> Result<()> {
    let Some(validator) = VALIDATOR.as_ref() else {
        return Err(Error::unexpected("the schema of the settings is not valid"));
    };
    validator.validate(all).map_err(|cause| {
        let path = cause.instance_path().to_string();
        let (group, name) = path.trim_start_matches('/').split_once('/').unwrap_or_default();
        Error::from(Broken {
            group: group.to_owned(),
            name: name.to_owned(),
            rule: choices(group, name).unwrap_or_else(|| rule(decisive(&cause), schema())),
        })
    })
}

/// The rule of a setting that is one of a few words.
fn choices(group: &str, name: &str) -> Option<String> {
    let setting = self::group(group).ok()?.setting(name).ok()?;
    let choices = setting.schema.get("oneOf")?.as_array()?;
    let words: Vec<_> = choices
        .iter()
        .filter_map(|choice| choice["const"].as_str())
        .collect();
    Some(format!("must be one of: {}", words.join(", ")))
}

fn one(name: String, schema: Value, default: Value) -> Setting {
    let mut plain = as_object(schema.clone());
    for said in ["title", "description", "default", "x-unit"] {
        plain.shift_remove(said);
    }
    Setting {
        title: text(&schema, "title"),
        about: text(&schema, "description"),
        unit: schema.get("x-unit").and_then(Value::as_str).map(str::to_owned),
        secret: schema.get("format").is_some_and(|format| format == "secret"),
        schema: Value::Object(plain),
        default,
        name,
    }
}

fn properties(schema: &Value) -> Vec<(String, Value)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .map(|(name, property)| (name.clone(), property.clone()))
        .collect()
}

fn as_object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Documentation as one line; doc comments come with the line ends of their source.
fn text(schema: &Value, name: &str) -> String {
    let text = schema.get(name).and_then(Value::as_str).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_says_what_it_is_and_its_default_is_allowed() {
        let names: Vec<_> = groups().iter().map(|group| group.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "server",
                "mail",
                "security",
                "requests",
                "sessions",
                "retention",
                "jobs",
                "appearance",
                "backups"
            ]
        );
        for group in groups() {
            assert!(!group.title.is_empty() && group.about.ends_with('.'), "{group:?}");
            for setting in &group.settings {
                assert!(
                    !setting.title.is_empty() && setting.about.ends_with('.'),
                    "{setting:?}"
                );
                let counts = setting.default.is_number();
                assert_eq!(counts, setting.schema.get("minimum").is_some(), "{setting:?}");
                assert!(!counts || setting.unit.is_some(), "{setting:?}");
            }
        }
        let defaults = serde_json::to_value(All::default()).unwrap();
        assert_eq!(read(&defaults).unwrap(), All::default());
    }

    /// A setting as the guide shows it.
    fn line(setting: &Setting) -> String {
        let Setting {
            name,
            title,
            about,
            unit,
            schema,
            default,
            secret,
        } = setting;
        let unit = unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
        let choices = schema.get("oneOf").and_then(Value::as_array);
        let titles: Vec<_> = choices
            .into_iter()
            .flatten()
            .filter_map(|choice| choice["title"].as_str())
            .collect();
        let shown = match default {
            Value::Bool(on) => if *on { "on" } else { "off" }.to_owned(),
            Value::String(text) if text.is_empty() => if *secret { "not set" } else { "empty" }.to_owned(),
            Value::String(_) if !titles.is_empty() => titles[0].to_owned(),
            Value::String(text) => format!("{text}{unit}"),
            number => format!("{number}{unit}"),
        };
        let bounds = match (schema.get("minimum"), schema.get("maximum")) {
            (Some(least), Some(most)) => format!(" {least} to {most}."),
            _ if !titles.is_empty() => format!(" One of: {}.", titles.join(", ")),
            _ => String::new(),
        };
        format!("| **{title}** `{name}` | {shown} | {about}{bounds} |")
    }

    #[test]
    fn the_guide_says_what_the_description_says() {
        let guide = include_str!("../../../docs/settings.md");
        let lines: Vec<_> = guide.lines().collect();
        let mut told = 0;
        for group in groups() {
            assert!(
                lines.contains(&format!("## {}", group.title).as_str()),
                "{}",
                group.title
            );
            assert!(lines.contains(&group.about.as_str()), "{}", group.about);
            for setting in &group.settings {
                let line = line(setting);
                assert!(lines.contains(&line.as_str()), "docs/settings.md lacks:\n{line}");
                told += 1;
            }
        }
        let written = lines.iter().filter(|line| line.starts_with("| **")).count();
        assert_eq!(
            written, told,
            "docs/settings.md tells of settings that are not there"
        );
    }
}

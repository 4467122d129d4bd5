//! What `resources.*` and `template.*` return, as far as the webmin shows it.

use coronet_core::Error;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::kit::Area;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Resource {
    pub(crate) path: String,
    /// `edited`, `file` or `shipped`: the layer that is live.
    pub(crate) layer: String,
    pub(crate) layers: Vec<String>,
    pub(crate) revision: i64,
    pub(crate) author: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) changed_at: Option<i64>,
    pub(crate) provider: Option<String>,
    pub(crate) problem: Option<String>,
    /// Since when it fails whenever it is used; `problem` says why.
    pub(crate) failing_since: Option<i64>,
    pub(crate) text: String,
    /// Where a file of the home lies, or would lie.
    pub(crate) file: String,
}

/// A mistake in a text, with its place.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    pub(crate) file: String,
    pub(crate) line: i64,
    pub(crate) column: i64,
    pub(crate) message: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Revision {
    pub(crate) revision: i64,
    pub(crate) kind: String,
    pub(crate) author: String,
    pub(crate) note: String,
    pub(crate) changed_at: i64,
    pub(crate) live: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Preview {
    pub(crate) text: Option<String>,
    pub(crate) html: Option<String>,
    pub(crate) problems: Vec<Problem>,
    /// What may fail for real requests.
    pub(crate) warnings: Vec<Problem>,
    pub(crate) sample: Option<Value>,
}

/// What saving a text came to, as far as the webmin tells it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Saved {
    pub(crate) warnings: Vec<Problem>,
}

impl Problem {
    /// The mistakes that an error names, or the error itself as one without a place.
    pub(crate) fn of(error: &Error) -> Vec<Self> {
        let named = error
            .details()
            .and_then(|details| details.get("problems"))
            .cloned();
        named
            .and_then(|problems| serde_json::from_value(problems).ok())
            .unwrap_or_else(|| {
                vec![Self {
                    message: error.message().to_owned(),
                    ..Self::default()
                }]
            })
    }
}

/// The language the editor shows a path in.
pub(crate) fn language(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "lua" => "lua",
        "js" => "javascript",
        "css" => "css",
        "json" => "json",
        "html" | "htm" | "svg" => "html",
        "tpl" | "hbs" => "template",
        _ => "",
    }
}

pub(crate) fn is_template(path: &str) -> bool {
    path.ends_with(".tpl") || path.ends_with(".hbs")
}

/// Job code belongs to the Jobs Service, everything else to Templates.
pub(crate) fn area(path: &str) -> Area {
    if path.starts_with("jobs/") {
        Area::Jobs
    } else {
        Area::Templates
    }
}

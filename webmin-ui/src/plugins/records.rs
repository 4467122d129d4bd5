//! What `plugins.*` returns, as far as the webmin shows it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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

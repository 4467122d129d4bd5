//! What others post to a plugin, and what they are answered.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A request to `/_hooks/<name of the plugin>`. Anybody can make one.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct Request {
    /// `POST`.
    pub method: String,
    /// Those that the manifest names, with names in small letters.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// 256 KiB at most.
    pub body: String,
}

/// What the sender is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Answer {
    /// An HTTP status: what it makes the sender do is between the sender and the plugin.
    pub status: u16,
    /// One line for whoever reads the sender's log.
    pub detail: String,
}

impl Answer {
    pub fn new(status: u16, detail: &str) -> Self {
        Self {
            status,
            detail: detail.to_owned(),
        }
    }
}

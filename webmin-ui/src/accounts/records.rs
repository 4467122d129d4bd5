//! What the account functions return, as far as the webmin shows it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Scope {
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) site_url: String,
    pub(crate) from_email: String,
    pub(crate) subject: String,
    pub(crate) template: String,
    pub(crate) link_lifetime_seconds: i64,
    pub(crate) after_reset_url: String,
    pub(crate) users: i64,
    pub(crate) created_at: Option<i64>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct User {
    pub(crate) user_id: String,
    pub(crate) username: String,
    pub(crate) scope: String,
    pub(crate) email: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) extra: Map<String, Value>,
    pub(crate) active: bool,
    pub(crate) created_at: Option<i64>,
    pub(crate) updated_at: Option<i64>,
    pub(crate) last_login_at: Option<i64>,
}

/// A page of a list, as the core's lists come.
#[derive(Debug, Deserialize)]
pub(crate) struct Items<T> {
    pub(crate) items: Vec<T>,
    #[serde(default)]
    pub(crate) next: Option<String>,
}

//! Webhooks: what others post to `/_hooks/<plugin>`, answered by the plugin's function.
//!
//! Anybody can post, so the server bounds how much is under way at once, and leaves to the plugin whom it believes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Plugins;
use super::plugin::Plugin;
use crate::functions::Caller;
use crate::{Code, Error, Result};

/// Where the address of every webhook starts.
pub const PATH: &str = "/_hooks";
/// Requests that are answered at the same time, of all plugins together; more are told to come again.
pub(super) const AT_ONCE: usize = 32;
const LONGEST_DETAIL: usize = 200;

/// How a webhook was used since the server started.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Usage {
    /// Requests that the plugin took.
    pub taken: u64,
    /// When it took the last one, Unix milliseconds.
    pub taken_at: Option<i64>,
    /// Requests that it refused, or failed at.
    pub refused: u64,
    pub refused_at: Option<i64>,
    /// Why it refused the last one.
    pub refusal: Option<String>,
}

/// A plugin's webhook, as operators see it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct HookView {
    /// The path on this server that others post to.
    pub path: String,
    /// What an operator does with it.
    pub summary: String,
    #[serde(flatten)]
    pub usage: Usage,
}

/// What the sender of a request is answered.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct HookAnswer {
    pub status: u16,
    #[serde(default)]
    pub detail: String,
}

impl Plugins {
    /// Answers a request to a plugin's webhook; `header` looks one up.
    ///
    /// # Errors
    /// `NotFound` when no plugin of this name has a webhook; `Unavailable` when too many requests are under way; those
    /// of the plugin.
    pub async fn hook(
        &self,
        name: &str,
        header: impl Fn(&str) -> Option<String>,
        body: String,
    ) -> Result<HookAnswer> {
        let unknown = || Error::new(Code::NotFound, "No plugin of this name has a webhook.");
        let plugin = self.find(name).map_err(|_| unknown())?;
        let hook = plugin
            .status()
            .manifest
            .as_ref()
            .and_then(|manifest| manifest.webhooks.clone());
        let hook = hook.ok_or_else(unknown)?;
        let _room = self.hooks.try_acquire().map_err(|_| {
            Error::new(
                Code::Unavailable,
                "Too many requests are under way. Come again shortly.",
            )
        })?;
        let headers: BTreeMap<String, String> = hook
            .headers
            .iter()
            .filter_map(|name| Some((name.to_ascii_lowercase(), header(name)?)))
            .collect();
        let request = json!({ "method": "POST", "headers": headers, "body": body });
        let called = self
            .core
            .functions
            .call(&Caller::System, &hook.function, request)
            .await;
        let answer = called.and_then(|answer| read(&answer));
        plugin.count_hook(&answer);
        answer
    }
}

impl Plugin {
    pub(super) fn hook_view(&self, name: &str) -> Option<HookView> {
        let hook = self.status().manifest.as_ref()?.webhooks.clone()?;
        Some(HookView {
            path: format!("{PATH}/{name}"),
            summary: hook.summary,
            usage: self.hook_usage().clone(),
        })
    }

    fn count_hook(&self, answer: &Result<HookAnswer>) {
        let now = self.core.clock.now_ms();
        let refusal = match answer {
            Ok(answer) if answer.status < 300 => None,
            Ok(answer) => Some(answer.detail.clone()),
            Err(error) => Some(error.message().to_owned()),
        };
        let mut usage = self.hook_usage();
        match refusal {
            None => {
                usage.taken += 1;
                usage.taken_at = Some(now);
            }
            Some(why) => {
                usage.refused += 1;
                usage.refused_at = Some(now);
                usage.refusal = Some(why);
            }
        }
    }
}

/// A plugin's answer within the bounds of HTTP: one line, and a status that ends the request.
fn read(answer: &serde_json::Value) -> Result<HookAnswer> {
    let answer = HookAnswer::deserialize(answer).map_err(Error::unexpected)?;
    let line = answer.detail.chars().filter(|character| !character.is_control());
    Ok(HookAnswer {
        status: if (200..600).contains(&answer.status) {
            answer.status
        } else {
            500
        },
        detail: line.take(LONGEST_DETAIL).collect(),
    })
}

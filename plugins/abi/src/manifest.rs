//! What a plugin says about itself. It is JSON, and can be read without starting the plugin.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The whole manifest. Unknown fields are ignored, so that a plugin built for a later minor version still loads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Small letters, digits and `-`, 1 to 40 of them, a letter first.
    pub name: String,
    /// Shown to operators; any text, by habit a semantic version.
    pub version: String,
    /// [`crate::ABI_VERSION`] of the SDK it was built with.
    pub abi: u32,
    /// One sentence for the list of plugins.
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub author: String,
    #[serde(default)]
    pub license: String,
    /// What the plugin can do.
    #[serde(default)]
    pub functions: Vec<FunctionManifest>,
    /// Which jobs in the house it offers to take, such as `mail.transport`.
    #[serde(default)]
    pub provides: Vec<Provided>,
    /// Functions it may call: whole names, or `service.*`. The host refuses all others.
    #[serde(default)]
    pub requires: Vec<String>,
    /// JSON schema of its settings, an object. Fields with `format: secret` are encrypted at rest and never shown again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Value>,
    /// Templates, pages and job code it ships.
    #[serde(default)]
    pub resources: Vec<ResourceManifest>,
    /// Public paths and the pages that answer them.
    #[serde(default)]
    pub routes: Vec<RouteManifest>,
    /// The function that answers what others post to `/_hooks/<name of the plugin>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhooks: Option<WebhookManifest>,
    /// Jobs it recommends; an operator adds one with a click.
    #[serde(default)]
    pub jobs: Vec<JobManifest>,
    /// What its process may use.
    #[serde(default)]
    pub limits: Limits,
}

/// One function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionManifest {
    /// `service.function`, such as `echo.hello`.
    pub name: String,
    /// One sentence for the function explorer.
    #[serde(default)]
    pub summary: String,
    /// JSON schema of the parameters, an object; the order of its properties is the order of arguments in Lua.
    pub parameters: Value,
    /// JSON schema of the result.
    #[serde(default)]
    pub returns: Value,
    /// Who besides operators may call it: `app`, `job`, `page`, `plugin`.
    #[serde(default)]
    pub access: Vec<String>,
    /// Whether it only reads. Calls of all others are kept in the audit log.
    #[serde(default)]
    pub reads: bool,
    /// Whether only the server itself calls it, as it does with a transport.
    #[serde(default)]
    pub internal: bool,
    /// Seconds after which the call counts as lost and the process is killed; 30 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_seconds: Option<u32>,
}

/// A role that the plugin can take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provided {
    /// The role, such as `mail.transport`.
    pub kind: String,
    /// Under which name operators choose it.
    pub name: String,
    /// The function that does the work.
    pub function: String,
}

/// A text that the plugin ships.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceManifest {
    /// Such as `templates/greeting.tpl`, `pages/greeting.lua`, `jobs/greeting.lua`.
    pub path: String,
    pub text: String,
}

/// A public path and the page that answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteManifest {
    /// Such as `/_resetpassword`.
    pub path: String,
    /// Such as `_coronium/password/password_form`.
    pub page: String,
}

/// What answers requests that others, such as a mail provider, post to the plugin.
///
/// The function gets `{"method": "POST", "headers": {name: value}, "body": text}` and answers `{"status": 200,
/// "detail": text}`. Anybody can post: it must check whom a request is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookManifest {
    pub function: String,
    /// Headers of the request that it wants to see. No others are given to it.
    #[serde(default)]
    pub headers: Vec<String>,
    /// What an operator does with the address: one sentence or two.
    #[serde(default)]
    pub summary: String,
}

/// A job that the plugin recommends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobManifest {
    pub name: String,
    /// Its code, relative to `jobs/`.
    pub path: String,
    /// Seconds.
    pub interval: u32,
    #[serde(default)]
    pub run_once: bool,
    #[serde(default = "yes")]
    pub active: bool,
    #[serde(default)]
    pub summary: String,
}

/// What the plugin's process may use; the host enforces it with resource limits of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Memory that it may write to, in mebibytes (`RLIMIT_DATA`).
    pub memory_mib: u64,
    /// Open files and sockets (`RLIMIT_NOFILE`).
    pub open_files: u64,
    /// Calls answered at the same time; more wait.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_mib: 512,
            open_files: 256,
            threads: 32,
        }
    }
}

fn yes() -> bool {
    true
}

/// Whether an entry of `requires` covers a function: the same name, or `service.*`.
pub fn allows(pattern: &str, function: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => prefix.ends_with('.') && function.starts_with(prefix),
        None => pattern == function,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requires_are_names_or_whole_services() {
        assert!(allows("users.find", "users.find"));
        assert!(allows("store.*", "store.get"));
        assert!(!allows("users.find", "users.findAll"));
        assert!(!allows("store.*", "stores.get"));
        assert!(!allows("*", "users.delete"), "a plugin says what it needs");
        assert!(!allows("us*", "users.delete"));
    }

    #[test]
    fn a_manifest_needs_little_and_bears_more() {
        let text = r#"{"name": "echo", "version": "1", "abi": 1, "from_the_future": true}"#;
        let manifest: Manifest = serde_json::from_str(text).unwrap();
        assert_eq!(manifest.limits, Limits::default());
        assert!(manifest.functions.is_empty());
    }
}

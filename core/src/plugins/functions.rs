//! `plugins.*`: what operators see of plugins, and do with them.

use std::sync::Arc;

use coronet_plugin_abi::manifest::{JobManifest, Provided, RouteManifest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::time::Duration;

use super::Plugins;
use super::hooks::HookView;
use super::log::{self, Level, Line};
use super::plugin::{LastError, Plugin, State};
use super::scan::ScanReport;
use super::supervisor::Wish;
use crate::Result;
use crate::functions::{Call, Change, Function, Reversal, Role};

/// Starting a plugin may take as long as the supervisor waits for it.
const PATIENT: Duration = Duration::from_secs(60);

/// What a plugin is called in the audit log.
const KIND: &str = "plugin";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Name {
    /// The plugin's name, such as `mailgun`.
    name: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LogInput {
    /// The plugin's name, such as `mailgun`.
    name: String,
    /// Only lines of this level and of more important ones; what it prints counts as `info`.
    #[serde(default)]
    level: Option<Level>,
    /// Only lines with this text, in any case.
    #[serde(default)]
    #[schemars(length(max = 200))]
    search: String,
    /// Most lines; the newest ones. 500 when absent.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100_000))]
    limit: Option<usize>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Check {
    /// The absolute path of a library on the server.
    path: std::path::PathBuf,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Configure {
    /// The plugin's name, such as `mailgun`.
    name: String,
    /// All settings. A secret that is absent or empty stays as it is; `null` takes a value away.
    // Secrets may be anywhere in it, so nothing of it goes to the audit log.
    #[schemars(extend("format" = "secret"))]
    settings: Map<String, Value>,
}

/// A plugin in the list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Summary {
    pub name: String,
    pub version: String,
    pub description: String,
    pub author: String,
    pub license: String,
    pub state: State,
    /// Why it is not running.
    pub reason: Option<String>,
    pub enabled: bool,
    /// The absolute path of its library.
    pub path: String,
    /// Of the library that is loaded, or was looked at last.
    pub sha256: Option<String>,
    pub pid: Option<u32>,
    /// Resident memory of its process, in bytes.
    pub memory: Option<u64>,
    /// What it may use, in bytes.
    pub memory_limit: Option<u64>,
    /// Calls since the server started.
    pub calls: u64,
    /// Calls that are being answered now.
    pub in_flight: usize,
    /// How often its process was started again since the server started.
    pub restarts: u64,
    /// Unix milliseconds.
    pub started_at: Option<i64>,
    pub last_error: Option<LastError>,
    pub functions: Vec<String>,
    pub provides: Vec<ProvidedView>,
    /// Whether there is a settings form.
    pub configurable: bool,
}

/// One plugin, with everything an operator may see.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Details {
    #[serde(flatten)]
    pub summary: Summary,
    /// JSON schema of the settings.
    pub settings_schema: Option<Value>,
    /// The values, without secrets.
    pub settings: Map<String, Value>,
    /// For each secret `set` or `not set`.
    pub secrets: Map<String, Value>,
    /// Functions of Coronet it may call.
    pub requires: Vec<String>,
    pub resources: Vec<String>,
    pub routes: Vec<RouteView>,
    pub jobs: Vec<String>,
    /// What others can post to.
    pub webhook: Option<HookView>,
    /// What follows from what was just done and needs attention, such as that mail now waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// A role that the plugin can take.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ProvidedView {
    pub kind: String,
    pub name: String,
    pub function: String,
}

/// A public path and the page that answers it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RouteView {
    pub path: String,
    pub page: String,
}

pub(super) fn all(plugins: &Arc<Plugins>) -> Vec<Function> {
    vec![
        Function::read(
            "plugins.list",
            "Lists the plugins and how they are.",
            plugins,
            list,
        ),
        Function::read(
            "plugins.get",
            "Shows a plugin with its settings, secrets masked.",
            plugins,
            get,
        ),
        Function::read(
            "plugins.log",
            "Shows the last lines of a plugin's log, newest last, or those of a level or with a text.",
            plugins,
            log,
        ),
        Function::write(
            "plugins.scan",
            "Starts the plugins that are new in the plugin folders, replaces those that changed and ends those that are gone.",
            plugins,
            scan,
        )
        .role(Role::Admin)
        .needs_password()
        .deadline(PATIENT),
        Function::write(
            "plugins.check",
            "Reads the manifest of a library in a process of its own, and starts nothing.",
            plugins,
            check,
        )
        .role(Role::Admin)
        .deadline(PATIENT),
        Function::write(
            "plugins.configure",
            "Changes a plugin's settings and starts it anew.",
            plugins,
            configure,
        )
        .role(Role::Admin)
        .needs_password()
        .deadline(PATIENT),
        Function::write(
            "plugins.restart",
            "Replaces a plugin's process, also by a newer file.",
            plugins,
            restart,
        )
        .role(Role::Admin)
        .deadline(PATIENT),
        Function::write("plugins.enable", "Switches a plugin on.", plugins, enable)
            .role(Role::Admin)
            .needs_password()
            .deadline(PATIENT),
        Function::write(
            "plugins.disable",
            "Switches a plugin off; the answer has a `warning` when it carried the mail.",
            plugins,
            disable,
        )
        .role(Role::Admin),
    ]
}

async fn list(plugins: Arc<Plugins>, _: Arc<Call>, _: Nothing) -> Result<Vec<Summary>> {
    Ok(plugins.list())
}

async fn get(plugins: Arc<Plugins>, _: Arc<Call>, input: Name) -> Result<Details> {
    Ok(details(&*plugins.find(&input.name)?))
}

async fn log(plugins: Arc<Plugins>, _: Arc<Call>, input: LogInput) -> Result<Vec<Line>> {
    let limit = input.limit.unwrap_or(log::SHOWN);
    let lines = plugins.find(&input.name)?.log.all(&plugins.core.db).await?;
    let search = input.search.to_lowercase();
    let mut found: Vec<Line> = lines
        .into_iter()
        .filter(|line| input.level.is_none_or(|least| least.includes(&line.level)))
        .filter(|line| line.message.to_lowercase().contains(&search))
        .collect();
    Ok(found.split_off(found.len().saturating_sub(limit)))
}

async fn scan(plugins: Arc<Plugins>, _: Arc<Call>, _: Nothing) -> Result<ScanReport> {
    Ok(plugins.scan().await)
}

async fn check(plugins: Arc<Plugins>, _: Arc<Call>, input: Check) -> Result<Value> {
    let manifest = plugins.check(&input.path).await?;
    serde_json::to_value(manifest).map_err(crate::Error::unexpected)
}

async fn configure(plugins: Arc<Plugins>, call: Arc<Call>, input: Configure) -> Result<Details> {
    let before = details(&*plugins.find(&input.name)?);
    let entered = input.settings.clone();
    let after = plugins
        .grant(&input.name, Wish::Configure(input.settings))
        .await?;
    let change = Change::of(KIND, &input.name)
        .before(&kept(&before))
        .after(&kept(&after));
    // Which secrets were entered, and never what they are: a list of names, so that it is seen although their values are
    // masked by these names.
    let new: Vec<&String> = entered
        .iter()
        .filter(|(name, value)| after.secrets.contains_key(*name) && !(value.is_null() || *value == ""))
        .map(|(name, _)| name)
        .collect();
    let change = if new.is_empty() {
        change
    } else {
        let mut with = kept(&after);
        with.insert("new_secrets".to_owned(), json!(new));
        change.after(&with)
    };
    call.changed(
        change.never("Settings of a plugin are checked by starting it with them. Change them in its form."),
    );
    Ok(after)
}

/// What the audit log keeps of a plugin's settings: the values that may be shown, and which secrets are set.
fn kept(details: &Details) -> Map<String, Value> {
    let mut kept = details.settings.clone();
    let set = details.secrets.iter().filter(|(_, state)| *state == "set");
    let set: Vec<&String> = set.map(|(name, _)| name).collect();
    kept.insert("secrets_set".to_owned(), json!(set));
    kept
}

async fn restart(plugins: Arc<Plugins>, _: Arc<Call>, input: Name) -> Result<Details> {
    plugins.grant(&input.name, Wish::Restart).await
}

async fn enable(plugins: Arc<Plugins>, call: Arc<Call>, input: Name) -> Result<Details> {
    switch(&plugins, &call, &input.name, true).await
}

async fn disable(plugins: Arc<Plugins>, call: Arc<Call>, input: Name) -> Result<Details> {
    switch(&plugins, &call, &input.name, false).await
}

async fn switch(plugins: &Arc<Plugins>, call: &Call, name: &str, on: bool) -> Result<Details> {
    let was = plugins.find(name)?.status().enabled;
    // Asked before, while the plugin still provides it.
    let transport = if on {
        None
    } else {
        active_transport(plugins, call, name).await
    };
    let mut details = plugins.grant(name, Wish::Enable(on)).await?;
    details.warning = transport.map(|transport| {
        format!("{transport} is the active mail transport: mail waits until the plugin is enabled, or another is chosen.")
    });
    if was != on {
        let change = Change::of(KIND, name)
            .before(&json!({ "enabled": was }))
            .after(&json!({ "enabled": on }));
        let back = if on { "plugins.disable" } else { "plugins.enable" };
        call.changed(change.undo(Reversal {
            function: back.to_owned(),
            parameters: json!({ "name": name }),
            look: "plugins.get".to_owned(),
            at: json!({ "name": name }),
            expect: json!({ "enabled": on }),
        }));
    }
    Ok(details)
}

/// The active mail transport, if this plugin provides it.
async fn active_transport(plugins: &Plugins, call: &Call, name: &str) -> Option<String> {
    const TRANSPORTS: &str = "mail.transports";
    plugins.core.functions.get(TRANSPORTS)?;
    let all = call.invoke(TRANSPORTS, json!({})).await.ok()?;
    let active = all
        .as_array()?
        .iter()
        .find(|transport| transport["active"] == true && transport["provider"] == name)?;
    active["name"].as_str().map(str::to_owned)
}

pub(super) fn summary(plugin: &Plugin) -> Summary {
    let process = plugin.process();
    let status = plugin.status().clone();
    let manifest = status.manifest.as_deref();
    let text = |field: fn(&coronet_plugin_abi::Manifest) -> &String| {
        manifest.map(field).cloned().unwrap_or_default()
    };
    let provided = |provided: &Provided| ProvidedView {
        kind: provided.kind.clone(),
        name: provided.name.clone(),
        function: provided.function.clone(),
    };
    Summary {
        version: text(|manifest| &manifest.version),
        description: text(|manifest| &manifest.description),
        author: text(|manifest| &manifest.author),
        license: text(|manifest| &manifest.license),
        path: plugin.path.display().to_string(),
        pid: process.as_ref().map(|process| process.pid),
        memory: process.as_ref().and_then(|process| process.memory()),
        memory_limit: manifest.map(|manifest| manifest.limits.memory_mib * 1024 * 1024),
        calls: plugin.calls(),
        in_flight: process.as_ref().map_or(0, |process| process.wire.in_flight()),
        functions: manifest
            .map(|manifest| {
                manifest
                    .functions
                    .iter()
                    .map(|function| function.name.clone())
                    .collect()
            })
            .unwrap_or_default(),
        provides: manifest
            .map(|manifest| manifest.provides.iter().map(provided).collect())
            .unwrap_or_default(),
        configurable: manifest.is_some_and(|manifest| manifest.settings.is_some()),
        name: status.name,
        state: status.state,
        reason: status.reason,
        enabled: status.enabled,
        sha256: status.sha256,
        restarts: status.restarts,
        started_at: status.started_at,
        last_error: status.last_error,
    }
}

pub(super) fn details(plugin: &Plugin) -> Details {
    let status = plugin.status().clone();
    let manifest = status.manifest.as_deref();
    let schema = manifest.and_then(|manifest| manifest.settings.as_ref());
    let route = |route: &RouteManifest| RouteView {
        path: route.path.clone(),
        page: route.page.clone(),
    };
    let job = |job: &JobManifest| job.name.clone();
    Details {
        warning: None,
        webhook: plugin.hook_view(&status.name),
        summary: summary(plugin),
        settings_schema: schema.cloned(),
        settings: status.settings.shown(schema),
        secrets: status.settings.secrets(schema),
        requires: manifest
            .map(|manifest| manifest.requires.clone())
            .unwrap_or_default(),
        resources: manifest
            .map(|manifest| {
                manifest
                    .resources
                    .iter()
                    .map(|resource| resource.path.clone())
                    .collect()
            })
            .unwrap_or_default(),
        routes: manifest
            .map(|manifest| manifest.routes.iter().map(route).collect())
            .unwrap_or_default(),
        jobs: manifest
            .map(|manifest| manifest.jobs.iter().map(job).collect())
            .unwrap_or_default(),
    }
}

//! Plugins: their state, settings, log, and what they bring along.

pub(crate) mod log;
pub(crate) mod records;
mod settings;

use coronet_core::Error;
use rocket::{Route, get, post, routes};
use serde::Serialize;
use serde_json::{Value, json};

use crate::kit::helpers::path_segment;
use crate::kit::language::say;
use crate::kit::parts::{Badge, Confirm};
use crate::kit::{Answer, Area, Desk, Form, View, t};
use crate::mail::records::Transport;
use records::{Details, ScanReport, Summary};

pub(crate) fn routes() -> Vec<Route> {
    let mut routes = routes![list, scan, show, restart, enable, ask_disable, disable];
    routes.extend(settings::routes());
    routes.extend(log::routes());
    routes
}

#[derive(Serialize)]
pub(crate) struct PluginsView {
    pub(crate) plugins: Vec<PluginRow>,
    pub(crate) folders: Vec<String>,
    pub(crate) can_admin: bool,
}

#[derive(Serialize)]
pub(crate) struct PluginRow {
    pub(crate) badge: Badge,
    #[serde(flatten)]
    pub(crate) plugin: Summary,
}

impl View for PluginsView {
    const TEMPLATE: &'static str = "plugins/list";

    fn area(&self) -> Area {
        Area::Plugins
    }

    fn title(&self) -> String {
        t!("Plugins")
    }
}

#[derive(Serialize)]
pub(crate) struct PluginView {
    pub(crate) plugin: Details,
    pub(crate) badge: Badge,
    pub(crate) memory: String,
    /// The whole address of its webhook.
    pub(crate) hook_url: String,
    /// Nothing when the plugin has no settings.
    pub(crate) form: Option<Form>,
    pub(crate) can_admin: bool,
}

impl View for PluginView {
    const TEMPLATE: &'static str = "plugins/show";

    fn area(&self) -> Area {
        Area::Plugins
    }

    fn title(&self) -> String {
        self.plugin.summary.name.clone()
    }
}

#[get("/plugins")]
async fn list(desk: Desk<'_>) -> Answer {
    let plugins: Vec<Summary> = desk.call("plugins.list", json!({})).await?;
    let plugins = plugins
        .into_iter()
        .map(|plugin| PluginRow {
            badge: badge(&plugin.state),
            plugin,
        })
        .collect();
    let config = &desk.webmin.core.config;
    let own = config.home.join("plugins");
    let folders = std::iter::once(&own)
        .chain(&config.plugin_dirs)
        .map(|folder| folder.display().to_string())
        .collect();
    desk.page(&PluginsView {
        plugins,
        folders,
        can_admin: desk.can_admin(),
    })
}

#[post("/plugins")]
async fn scan(desk: Desk<'_>) -> Answer {
    match desk.call::<ScanReport>("plugins.scan", json!({})).await {
        Ok(report) => desk.go("/plugins", in_words(&report)),
        Err(error) => desk.back("/plugins", error),
    }
}

/// What a scan found, in one line.
fn in_words(report: &ScanReport) -> String {
    let failed = report.failed.iter();
    let failed: Vec<String> = failed
        .map(|failed| format!("{} ({})", failed.name, failed.reason))
        .collect();
    let parts: Vec<String> = [
        (&report.new, t!("New")),
        (&report.changed, t!("Changed")),
        (&report.gone, t!("Removed")),
        (&failed, t!("Not started")),
    ]
    .into_iter()
    .filter(|(names, _)| !names.is_empty())
    .map(|(names, what)| format!("{what}: {}", names.join(", ")))
    .collect();
    if parts.is_empty() {
        t!("The plugin folders were searched. Nothing has changed.")
    } else {
        t!(
            "The plugin folders were searched. {found}.",
            found = parts.join("; ")
        )
    }
}

#[get("/plugin/<name>")]
async fn show(desk: Desk<'_>, name: &str) -> Answer {
    let view = view(&desk, name).await?;
    desk.page(&view)
}

#[post("/plugin/<name>/restart")]
async fn restart(desk: Desk<'_>, name: &str) -> Answer {
    act(&desk, "plugins.restart", name, t!("Plugin restarted.")).await
}

#[post("/plugin/<name>/enable")]
async fn enable(desk: Desk<'_>, name: &str) -> Answer {
    act(&desk, "plugins.enable", name, t!("Plugin switched on.")).await
}

#[get("/plugin/<name>/disable")]
async fn ask_disable(desk: Desk<'_>, name: &str) -> Answer {
    desk.needs("plugins.disable").await?;
    let path = format!("/plugin/{}", path_segment(name));
    let page = Confirm::new(
        Area::Plugins,
        t!("Switch {name} off?", name = name),
        format!("{path}/disable"),
        &t!("Switch off"),
        path,
    )
    .line(t!(
        "Its functions, pages and mail transport are gone until it is switched on again. Its settings stay."
    ));
    let transports: Vec<Transport> = desk.call("mail.transports", json!({})).await?;
    let active = transports
        .iter()
        .find(|transport| transport.active && transport.provider == name);
    let page = match active {
        Some(transport) => page.line(t!(
            "{transport} is the active mail transport: all mail waits until the plugin is on again, or another transport is chosen.",
            transport = transport.name
        )),
        None => page,
    };
    desk.page(&page)
}

#[post("/plugin/<name>/disable")]
async fn disable(desk: Desk<'_>, name: &str) -> Answer {
    act(&desk, "plugins.disable", name, t!("Plugin switched off.")).await
}

async fn act(desk: &Desk<'_>, function: &str, name: &str, done: String) -> Answer {
    let page = format!("/plugin/{}", path_segment(name));
    match desk.call::<Value>(function, json!({ "name": name })).await {
        Ok(_) => desk.go(page, done),
        Err(error) => desk.back(page, error),
    }
}

pub(super) async fn view(desk: &Desk<'_>, name: &str) -> Result<PluginView, Error> {
    let plugin: Details = desk.call("plugins.get", json!({ "name": name })).await?;
    let form = settings::form(&plugin).map(|form| form.disabled_unless(desk.can_admin()));
    let memory = plugin
        .summary
        .memory
        .map(|bytes| format!("{} MiB", bytes / (1024 * 1024)))
        .unwrap_or_default();
    let hook = plugin.webhook.as_ref().map(|hook| hook.path.as_str());
    let hook_url = hook.map(|path| format!("{}{path}", desk.webmin.core.config.site_url()));
    Ok(PluginView {
        hook_url: hook_url.unwrap_or_default(),
        badge: badge(&plugin.summary.state),
        memory,
        form,
        can_admin: desk.can_admin(),
        plugin,
    })
}

fn badge(state: &str) -> Badge {
    let tone = match state {
        "running" => "good",
        "starting" => "info busy",
        "restarting" => "warn busy",
        "failed" | "refused" => "bad",
        _ => "",
    };
    Badge::new(tone, say(state, &[]))
}

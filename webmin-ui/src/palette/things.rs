//! What operators made: found through the registry, as the operator who asks. A part that cannot answer is left out.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::places::ACT;
use super::rank::Words;
use super::{Entry, Way};
use crate::accounts::records::{Items, Scope, User};
use crate::help::{book::Book, search};
use crate::jobs::records::Job;
use crate::kit::helpers::path_segment;
use crate::kit::language::say;
use crate::kit::{Desk, schema_form, t, text};
use crate::mail::records::Summary as Mail;
use crate::plugins::records::{Details, Summary as Plugin};
use crate::server::operators::OperatorRow;
use crate::server::tokens::TokenRow;
use crate::settings::records::{Group, Setting};
use crate::templates::records::Resource;

/// Rows asked of a long list.
const ROWS: usize = 6;
/// Jobs that are looked through for the other words.
const JOBS: usize = 50;

pub(super) async fn all(desk: &Desk<'_>, words: &Words) -> Vec<Entry> {
    let (accounts, work, server) = tokio::join!(accounts(desk, words), work(desk, words), server(desk));
    let mut entries = accounts;
    entries.extend(work);
    entries.extend(server);
    entries.extend(functions(desk));
    entries.extend(guides(words));
    entries
}

async fn accounts(desk: &Desk<'_>, words: &Words) -> Vec<Entry> {
    let named = words.named();
    let search = named.as_deref();
    let users = async {
        match search {
            Some(text) => {
                ask(
                    desk,
                    "users.list",
                    json!({ "search": text, "page": { "limit": ROWS } }),
                )
                .await
            }
            None => None,
        }
    };
    let mails = async {
        match search {
            Some(text) => {
                ask(
                    desk,
                    "mail.list",
                    json!({ "filter": { "search": text }, "page": { "limit": ROWS } }),
                )
                .await
            }
            None => None,
        }
    };
    let scopes = ask::<Vec<Scope>>(desk, "scopes.list", json!({}));
    let (users, mails, scopes): (Option<Items<User>>, Option<Items<Mail>>, _) =
        tokio::join!(users, mails, scopes);
    let mut entries = Vec::new();
    let resets = words.has("reset") && desk.may("users.sendPasswordResetLink");
    for user in users.into_iter().flat_map(|users| users.items) {
        let path = format!("/user/{}", path_segment(&user.user_id));
        let address = user.email.clone().unwrap_or_else(|| t!("no address"));
        let note = format!("{address} · {}", user.scope);
        if resets && user.email.is_some() {
            let label = t!("Send a reset link to {name}", name = user.username);
            entries.push(Entry::open(ACT, "key", label, format!("{path}/reset")).note(&note));
        }
        entries.push(
            Entry::open(text!("User"), "user", user.username, path)
                .note(note)
                .found(),
        );
    }
    for mail in mails.into_iter().flat_map(|mails| mails.items) {
        let path = format!("/mail/message/{}", path_segment(&mail.id));
        let label = if mail.subject.is_empty() {
            t!("(no subject)")
        } else {
            mail.subject
        };
        entries.push(
            Entry::open(text!("Mail"), "mail", label, path)
                .note(format!("{} · {}", mail.to, say(&mail.state, &[])))
                .found(),
        );
    }
    for scope in scopes.unwrap_or_default() {
        let path = format!("/scope/{}", path_segment(&scope.name));
        entries.push(Entry::open(text!("Scope"), "world", scope.name, path).note(scope.display_name));
    }
    entries
}

async fn work(desk: &Desk<'_>, words: &Words) -> Vec<Entry> {
    // Whatever else was typed, a job that fits has its longest word in its name or path.
    let search = words.longest().unwrap_or_default();
    let some = json!({ "filter": { "search": search }, "page": { "limit": JOBS } });
    let (jobs, files) = tokio::join!(
        ask::<Items<Job>>(desk, "jobs.list", some),
        ask::<Vec<Resource>>(desk, "resources.list", json!({ "prefix": "" })),
    );
    let mut entries = Vec::new();
    let runs = desk.may("jobs.run");
    for job in jobs.into_iter().flat_map(|jobs| jobs.items) {
        let path = format!("/job/{}", path_segment(&job.name));
        if runs {
            let label = t!("Run {name} now", name = job.name);
            entries.push(
                Entry::open(ACT, "player-play", label, format!("{path}/run"))
                    .way(Way::Send)
                    .words("job start"),
            );
        }
        let status = job.badge().text;
        entries.push(Entry::open(text!("Job"), "calendar-event", job.name, path).note(status));
    }
    for file in files.unwrap_or_default() {
        let kind = if file.path.starts_with("jobs/") {
            text!("Job code")
        } else {
            text!("Template or page")
        };
        let path = format!("/templates/edit?path={}", path_segment(&file.path));
        entries.push(Entry::open(kind, "file-code", file.path, path).note(say(&file.layer, &[])));
    }
    entries
}

async fn server(desk: &Desk<'_>) -> Vec<Entry> {
    let (set, plugins, tokens, operators) = tokio::join!(
        ask::<Vec<Group>>(desk, "settings.list", json!({})),
        ask::<Vec<Plugin>>(desk, "plugins.list", json!({})),
        ask::<Vec<TokenRow>>(desk, "tokens.list", json!({})),
        ask::<Vec<OperatorRow>>(desk, "operators.list", json!({})),
    );
    let mut entries = Vec::new();
    for plugin in plugins.unwrap_or_default() {
        let path = format!("/plugin/{}", path_segment(&plugin.name));
        if plugin.configurable {
            entries.extend(settings(desk, &plugin.name, &path).await);
        }
        entries.push(Entry::open(text!("Plugin"), "plug", plugin.name, path).note(plugin.description));
    }
    entries.extend(set.unwrap_or_default().iter().flat_map(settings_of));
    for token in tokens.unwrap_or_default() {
        entries.push(
            Entry::open(text!("API token"), "shield-lock", token.name, "/tokens")
                .note(say(&token.state, &[])),
        );
    }
    for operator in operators.unwrap_or_default() {
        let path = format!("/operator/{}", path_segment(&operator.id));
        entries.push(
            Entry::open(text!("Operator"), "users-group", operator.name, path).note(say(&operator.role, &[])),
        );
    }
    entries
}

/// Each setting of a group, which leads to its place on the page.
fn settings_of(group: &Group) -> Vec<Entry> {
    let title = say(&group.title, &[]);
    let entry = |setting: &Setting| {
        let path = format!("/settings/{}#{}", group.name, setting.name);
        let label = format!("{title}: {}", setting.label());
        Entry::open(text!("Setting"), "settings", label, path)
            .note(say(&setting.about, &[]))
            .words("settings")
    };
    group.settings.iter().map(entry).collect()
}

/// Each field of a plugin's settings, by the name its form shows.
async fn settings(desk: &Desk<'_>, plugin: &str, path: &str) -> Vec<Entry> {
    let details: Option<Details> = ask(desk, "plugins.get", json!({ "name": plugin })).await;
    let schema = details
        .and_then(|details| details.settings_schema)
        .unwrap_or_default();
    let fields = schema.get("properties").and_then(Value::as_object);
    let entry = |(name, field): (&String, &Value)| {
        let title = field
            .get("title")
            .and_then(Value::as_str)
            .map_or_else(|| schema_form::words(name), str::to_owned);
        let about = field
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default();
        Entry::open(text!("Setting"), "settings", format!("{plugin}: {title}"), path).note(about)
    };
    fields.into_iter().flatten().map(entry).collect()
}

fn functions(desk: &Desk<'_>) -> Vec<Entry> {
    let all = desk.webmin.core.functions.list();
    let open = all
        .into_iter()
        .filter(|(_, function)| !function.spec.access.names().is_empty());
    open.map(|(_, function)| {
        let path = format!("/function/{}", path_segment(&function.spec.name));
        Entry::open(text!("Function"), "function", &function.spec.name, path).note(&function.spec.summary)
    })
    .collect()
}

fn guides(words: &Words) -> Vec<Entry> {
    let hits = words.named().map(|text| search::find(Book::get(), &text, ROWS));
    hits.into_iter()
        .flatten()
        .map(|hit| {
            Entry::open(text!("Help"), "help", hit.title, hit.path)
                .note(hit.guide)
                .found()
        })
        .collect()
}

/// Nothing when the operator may not, or the part does not answer: the palette shows what it can.
async fn ask<T: DeserializeOwned>(desk: &Desk<'_>, function: &str, parameters: Value) -> Option<T> {
    if !desk.may(function) {
        return None;
    }
    let answer = desk.call(function, parameters).await;
    answer
        .inspect_err(|cause| tracing::debug!(function, %cause, "the palette goes without it"))
        .ok()
}

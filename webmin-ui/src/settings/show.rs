//! The page of a group: each setting with its default, who changed it, and the way back.

use coronet_core::{Code, Error};
use rocket::{Route, get, post, routes};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::backups::{self, BackupsView};
use super::records::{Group, Key};
use crate::kit::helpers::path_segment;
use crate::kit::language::say;
use crate::kit::{Answer, Area, Desk, Field, Form, Posted, Reply, View, schema_form, t};

pub(super) fn routes() -> Vec<Route> {
    routes![find, show, save, reset, reset_is_a_button]
}

#[derive(Serialize)]
pub(crate) struct SettingsView {
    pub(crate) groups: Vec<Tab>,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) about: String,
    pub(crate) help: String,
    pub(crate) revision: i64,
    pub(crate) rows: Vec<Row>,
    pub(crate) problem: Option<String>,
    /// What is typed is not saved yet.
    pub(crate) refused: bool,
    pub(crate) can_edit: bool,
    pub(crate) related: Vec<Related>,
    pub(crate) keys: Vec<Key>,
    pub(crate) backups: Option<BackupsView>,
}

/// A group, in the navigation of the page.
#[derive(Serialize)]
pub(crate) struct Tab {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) icon: &'static str,
    pub(crate) here: bool,
    /// Settings that are not at their defaults.
    pub(crate) changed: usize,
}

/// A setting.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) field: Field,
    pub(crate) default: String,
    pub(crate) is_default: bool,
    pub(crate) changed_by: Option<String>,
    pub(crate) changed_at: Option<i64>,
}

/// Where what belongs to a group is set elsewhere.
#[derive(Serialize)]
pub(crate) struct Related {
    pub(crate) label: String,
    pub(crate) path: &'static str,
}

/// Settings that a search found.
#[derive(Serialize)]
pub(crate) struct FoundView {
    pub(crate) groups: Vec<Tab>,
    pub(crate) search: String,
    pub(crate) found: Vec<Found>,
}

#[derive(Serialize)]
pub(crate) struct Found {
    pub(crate) group: String,
    pub(crate) path: String,
    pub(crate) title: String,
    pub(crate) about: String,
}

impl View for SettingsView {
    const TEMPLATE: &'static str = "settings/show";

    fn area(&self) -> Area {
        Area::Settings
    }

    fn title(&self) -> String {
        t!("{group} settings", group = self.title)
    }
}

impl View for FoundView {
    const TEMPLATE: &'static str = "settings/found";

    fn area(&self) -> Area {
        Area::Settings
    }

    fn title(&self) -> String {
        t!("Settings")
    }
}

#[get("/settings?<q>")]
async fn find(desk: Desk<'_>, q: Option<&str>) -> Answer {
    let search = q.unwrap_or_default().trim();
    if search.is_empty() {
        return Ok(Reply::go("/settings/server"));
    }
    let groups: Vec<Group> = desk.call("settings.list", json!({})).await?;
    let words: Vec<String> = search
        .to_lowercase()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let found = groups.iter().flat_map(|group| {
        let found = |setting: &super::records::Setting| {
            let (group_title, title, about) =
                (say(&group.title, &[]), setting.label(), say(&setting.about, &[]));
            let text = format!("{group_title} {title} {about} {}", setting.name).to_lowercase();
            words
                .iter()
                .all(|word| text.contains(word.as_str()))
                .then(|| Found {
                    group: group_title,
                    path: format!("/settings/{}#{}", group.name, setting.name),
                    title,
                    about,
                })
        };
        group.settings.iter().filter_map(found).collect::<Vec<_>>()
    });
    let found = found.collect();
    desk.page(&FoundView {
        groups: tabs(&groups, ""),
        search: search.chars().take(100).collect(),
        found,
    })
}

#[get("/settings/<group>")]
async fn show(desk: Desk<'_>, group: &str) -> Answer {
    let page = Page::read(&desk, group).await?;
    let form = page.form(&desk);
    desk.page(&page.view(&desk, form).await?)
}

#[post("/settings/<group>", data = "<posted>")]
async fn save(desk: Desk<'_>, group: &str, posted: Posted) -> Answer {
    let page = Page::read(&desk, group).await?;
    let mut form = page.form(&desk).filled(&posted);
    if desk.can_admin() && form.mark_mistakes(&posted) {
        let error = Error::new(Code::ParameterInvalid, "");
        return desk.refused(&error, &page.view(&desk, form).await?);
    }
    let changes = changes(&page.group, &posted)?;
    let parameters = json!({ "group": group, "changes": changes, "revision": posted.number("revision") });
    match desk.call::<Value>("settings.update", parameters).await {
        Ok(_) => desk.go(
            format!("/settings/{}", path_segment(group)),
            t!("Settings saved."),
        ),
        Err(error) => {
            // Whoever else changed the group did so before or while this was tried: what holds now is read again.
            let page = Page::read(&desk, group).await?;
            let form = page.form(&desk).filled(&posted).refused(&error);
            let mut view = page.view(&desk, form).await?;
            if error.code() == Code::Conflict {
                view.problem = Some(page.conflict(&error));
            }
            desk.refused(&error, &view)
        }
    }
}

#[post("/settings/<group>/reset/<name>")]
async fn reset(desk: Desk<'_>, group: &str, name: &str) -> Answer {
    let back = format!("/settings/{}", path_segment(group));
    match desk
        .call::<Value>("settings.reset", json!({ "group": group, "name": name }))
        .await
    {
        Ok(_) => desk.go(back, t!("Back to the default.")),
        Err(error) => desk.back(back, error),
    }
}

#[get("/settings/<group>/reset/<_>")]
fn reset_is_a_button(group: &str) -> Reply {
    Reply::go(format!("/settings/{}", path_segment(group)))
}

/// What was typed, by the names of the settings. A secret that was not typed stays as it is.
fn changes(group: &Group, posted: &Posted) -> Result<Map<String, Value>, Error> {
    let mut changes = schema_form::values(&group.schema(), posted)?;
    for setting in group
        .settings
        .iter()
        .filter(|setting| setting.may_be_empty() && !setting.secret)
    {
        changes.entry(setting.name.clone()).or_insert_with(|| json!(""));
    }
    Ok(changes)
}

/// A group among all groups.
struct Page {
    group: Group,
    all: Vec<Group>,
}

impl Page {
    async fn read(desk: &Desk<'_>, name: &str) -> Result<Self, Error> {
        let all: Vec<Group> = desk.call("settings.list", json!({})).await?;
        let group = all.iter().find(|group| group.name == name).cloned();
        let group =
            group.ok_or_else(|| Error::new(Code::NotFound, t!("There are no settings of this name.")))?;
        Ok(Self { group, all })
    }

    fn form(&self, desk: &Desk<'_>) -> Form {
        let fields = schema_form::fields(&self.group.schema(), &self.group.values());
        Form::new(format!("/settings/{}", self.group.name), t!("Save"))
            .fields(fields)
            .disabled_unless(desk.can_admin())
    }

    async fn view(&self, desk: &Desk<'_>, form: Form) -> Result<SettingsView, Error> {
        let group = &self.group;
        let row = |(setting, field): (&super::records::Setting, Field)| Row {
            name: setting.name.clone(),
            field,
            default: setting.default_text(),
            is_default: setting.is_default,
            changed_by: setting.changed_by.clone(),
            changed_at: setting.changed_at,
        };
        Ok(SettingsView {
            groups: tabs(&self.all, &group.name),
            name: group.name.clone(),
            title: say(&group.title, &[]),
            about: say(&group.about, &[]),
            help: format!("settings#{}", group.name),
            revision: group.revision,
            rows: group.settings.iter().zip(form.fields).map(row).collect(),
            problem: form.problem,
            refused: form.refused,
            can_edit: desk.can_admin(),
            related: related(&group.name),
            keys: match group.name.as_str() {
                "server" => desk.call("settings.configuration", json!({})).await?,
                _ => Vec::new(),
            },
            backups: match group.name.as_str() {
                "backups" => Some(backups::view(desk).await?),
                _ => None,
            },
        })
    }

    /// Who was quicker, and what holds now of what they changed last.
    fn conflict(&self, error: &Error) -> String {
        let detail = |name: &str| error.details()?.get(name)?.as_str();
        let setting =
            detail("setting").and_then(|name| self.group.settings.iter().find(|one| one.name == name));
        let who = detail("changed_by").unwrap_or_default();
        match setting {
            Some(setting) if !setting.secret => t!(
                "{who} changed these settings meanwhile: {setting} is {value} now. What you typed is still here; save again to let it hold.",
                who = who,
                setting = setting.label(),
                value = setting.value
            ),
            _ => t!(
                "{who} changed these settings meanwhile. What you typed is still here; save again to let it hold.",
                who = who
            ),
        }
    }
}

fn tabs(groups: &[Group], here: &str) -> Vec<Tab> {
    let tab = |group: &Group| Tab {
        name: group.name.clone(),
        title: say(&group.title, &[]),
        icon: icon(&group.name),
        here: group.name == here,
        changed: group
            .settings
            .iter()
            .filter(|setting| !setting.is_default)
            .count(),
    };
    groups.iter().map(tab).collect()
}

pub(crate) fn icon(group: &str) -> &'static str {
    match group {
        "server" => "server-2",
        "mail" => "mail",
        "security" => "shield-check",
        "requests" => "api",
        "sessions" => "login-2",
        "retention" => "history",
        "appearance" => "sun-moon",
        "backups" => "archive",
        _ => "settings",
    }
}

fn related(group: &str) -> Vec<Related> {
    let related = |label, path| vec![Related { label, path }];
    match group {
        "mail" => related(t!("Choose who delivers mail"), "/mail/transport"),
        "security" => related(t!("Settings of password resets"), "/plugin/password-reset"),
        "requests" => related(
            t!("What job code can send"),
            "/help/lua#requests-to-other-servers",
        ),
        "sessions" => related(t!("Open sessions"), "/operators"),
        "appearance" => related(t!("Your own theme and language"), "/profile"),
        _ => Vec::new(),
    }
}

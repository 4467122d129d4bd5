//! What importing files would change.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use toml::de::DeTable;

use super::current::{self, Current};
use super::{Files, Kind, LeftOut, bad, paths};
use crate::functions::Call;
use crate::{Error, Result};

/// What would happen to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Create,
    Change,
    Same,
    Delete,
}

/// A file of the bundle, or a thing that is in none, and what would happen to it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    pub path: String,
    pub kind: Kind,
    pub name: String,
    pub action: Action,
    /// The file as an export would write it now.
    pub before: Option<String>,
    /// The file as an export would write it afterwards.
    pub after: Option<String>,
    /// Of a job that is there: the settings that change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<FieldChange>,
    /// Why it cannot be imported.
    pub problem: Option<String>,
    /// The call that does it.
    #[serde(skip)]
    pub(super) step: Option<(&'static str, Value)>,
    /// Where it stands among the steps.
    #[serde(skip)]
    pub(super) turn: (u8, usize),
}

/// A setting that would change.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FieldChange {
    pub field: String,
    /// Null where there is nothing.
    pub from: Value,
    pub to: Value,
}

/// What importing would change.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// Names exactly this plan: `bundle.apply` wants it.
    pub hash: String,
    /// Whether everything could be imported.
    pub ready: bool,
    pub items: Vec<Item>,
    /// What is not in the bundle and stays all the same, and why.
    #[serde(default)]
    pub kept: Vec<LeftOut>,
}

/// Plans what is wanted of the files. Things of the kinds in `prune` that are in no file would be deleted.
pub(super) async fn make(call: &Call, files: &Files, only: &[Kind], prune: &[Kind]) -> Result<Plan> {
    let wanted = |kind: Kind| only.contains(&kind);
    let current = current::read(call, wanted).await?;
    let mut items = Vec::new();
    for (path, text) in files {
        if let Some(kind) = Kind::of(path).filter(|kind| wanted(*kind)) {
            items.push(item(call, &current, kind, path, text).await?);
        }
    }
    check_together(call, &mut items).await?;
    let mut kept = Vec::new();
    let gone = deletions(&current, files).into_iter();
    for item in gone.filter(|item| prune.contains(&item.kind)) {
        if item.kind == Kind::Scopes && has_users(call, &item.name).await? {
            kept.push(LeftOut {
                path: item.path,
                why: "The scope has users, and they would go with it. Delete it by hand.".to_owned(),
            });
        } else {
            items.push(item);
        }
    }
    Ok(Plan {
        hash: hash(&items)?,
        ready: items.iter().all(|item| item.problem.is_none()),
        items,
        kept,
    })
}

async fn item(call: &Call, current: &Current, kind: Kind, path: &str, text: &str) -> Result<Item> {
    let mut item = Item {
        path: path.to_owned(),
        kind,
        name: String::new(),
        action: Action::Same,
        before: None,
        after: None,
        changes: Vec::new(),
        problem: None,
        step: None,
        turn: (turn(kind), 0),
    };
    if kind.is_resource() {
        let whole = paths::resource(path);
        item.name.clone_from(&whole);
        item.before = match current.files.get(path) {
            Some(text) => Some(text.clone()),
            None => current::text(call, &whole, None).await.ok(),
        };
        item.after = Some(text.to_owned());
        let parameters = json!({ "path": whole, "text": text, "note": "Imported" });
        item.step = Some(("resources.write", parameters));
    } else {
        item.before = current.files.get(path).cloned();
        match record(call, current, kind, path, text).await {
            Ok(record) => {
                item.name = record.name;
                item.after = Some(record.text);
                item.changes = record.changes;
                item.step = record.step;
            }
            Err(error) if error.incident().is_some() => return Err(error),
            Err(error) => {
                item.name = path.to_owned();
                item.after = Some(text.to_owned());
                item.problem = Some(error.message().to_owned());
            }
        }
    }
    item.action = match &item.before {
        None => Action::Create,
        before if *before == item.after => Action::Same,
        Some(_) => Action::Change,
    };
    Ok(item)
}

/// A scope, a job or a group of settings, checked and in the form that an export gives it.
struct Record {
    name: String,
    text: String,
    changes: Vec<FieldChange>,
    /// None when nothing is to be done.
    step: Option<(&'static str, Value)>,
}

async fn record(call: &Call, current: &Current, kind: Kind, path: &str, text: &str) -> Result<Record> {
    let mut fields: Map<String, Value> = toml::from_str(text).map_err(|cause| {
        let line = cause.span().map(|span| line_at(text, span.start));
        let place = line.map(|line| format!(" in line {line}")).unwrap_or_default();
        bad(path, &format!("is not valid TOML{place}: {}", cause.message()))
    })?;
    let there = current.files.get(path);
    if let Some(same) =
        there.filter(|there| toml::from_str(there).is_ok_and(|there: Map<_, _>| there == fields))
    {
        return Ok(Record {
            name: name_of(path, &fields),
            text: same.clone(),
            changes: Vec::new(),
            step: None,
        });
    }
    let told = |error: Error| {
        let parameter = error.details().and_then(|details| details["parameter"].as_str());
        let key = parameter.and_then(|parameter| parameter.rsplit('.').next());
        let line = key.and_then(|key| line_of(text, key));
        let place = line.map(|line| format!(", line {line}")).unwrap_or_default();
        let text = format!("{}{place}: {}", paths::shown(path), error.message());
        Error::new(error.code(), text)
    };
    if kind == Kind::Settings {
        let name = name_of(path, &fields);
        let parameters = json!({ "group": name, "changes": fields });
        let checked = call.act("settings.check", parameters).await.map_err(told)?;
        let step = ("settings.update", json!({ "group": name, "changes": checked }));
        return Ok(Record {
            text: current::written(&object(checked)?)?,
            name,
            changes: Vec::new(),
            step: Some(step),
        });
    }
    let checked = if kind == Kind::Jobs {
        call.act("jobs.check", json!({ "job": fields, "over": true }))
            .await
    } else {
        let name = fields.shift_remove("name").unwrap_or_default();
        let parameters = json!({ "name": name, "settings": fields });
        call.act("scopes.check", parameters).await
    };
    let checked = object(checked.map_err(told)?)?;
    let name = checked["name"].as_str().unwrap_or_default().to_owned();
    let place = paths::of(kind, &name);
    if place != path {
        return Err(bad(path, &format!("holds \"{name}\", whose file is {place}")));
    }
    let text = match kind {
        Kind::Jobs => current.defaults.written(&checked)?,
        _ => current::written(&checked)?,
    };
    Ok(Record {
        text,
        changes: changes(current.jobs.get(path), &checked),
        step: Some(step(kind, &name, checked, there.is_some())),
        name,
    })
}

/// What a file says its thing is called; a group of settings is called as its file.
fn name_of(path: &str, fields: &Map<String, Value>) -> String {
    let file = path.rsplit('/').next().unwrap_or_default();
    let named = fields.get("name").and_then(Value::as_str);
    named.unwrap_or(file.trim_end_matches(".toml")).to_owned()
}

fn changes(before: Option<&Map<String, Value>>, after: &Map<String, Value>) -> Vec<FieldChange> {
    let Some(before) = before else {
        return Vec::new();
    };
    let change = |(field, to): (&String, &Value)| {
        let from = before.get(field).cloned().unwrap_or_default();
        (from != *to).then(|| FieldChange {
            field: field.clone(),
            from,
            to: to.clone(),
        })
    };
    after.iter().filter_map(change).collect()
}

/// The line of a key at the top of a TOML file.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let found = table.get_ref().keys().find(|known| known.get_ref() == key)?;
    Some(line_at(text, found.span().start))
}

fn line_at(text: &str, byte: usize) -> usize {
    let before = text.bytes().take(byte);
    before.filter(|byte| *byte == b'\n').count() + 1
}

fn step(kind: Kind, name: &str, checked: Map<String, Value>, is_there: bool) -> (&'static str, Value) {
    let mut rest = checked.clone();
    rest.shift_remove("name");
    match (kind, is_there) {
        (Kind::Jobs, false) => ("jobs.create", json!({ "job": checked, "over": true })),
        (Kind::Jobs, true) => ("jobs.replace", json!({ "job": checked, "over": true })),
        (_, false) => ("scopes.create", json!({ "name": name, "settings": rest })),
        (_, true) => ("scopes.update", json!({ "name": name, "settings": rest })),
    }
}

fn object(value: Value) -> Result<Map<String, Value>> {
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Err(Error::unexpected("a check gave no object")),
    }
}

/// Whether texts could be saved together, as the Templates service has it.
#[derive(Default, Deserialize)]
pub(super) struct Checked {
    /// In which each can be saved.
    order: Vec<String>,
    pub(super) problems: Vec<Refused>,
}

/// A text that cannot be saved, by its whole path.
#[derive(Deserialize)]
pub(super) struct Refused {
    pub(super) path: String,
    pub(super) message: String,
}

pub(super) async fn checked<P: Ord + Serialize>(call: &Call, texts: &BTreeMap<P, &str>) -> Result<Checked> {
    if texts.is_empty() {
        return Ok(Checked::default());
    }
    let answer = call.act("resources.checkAll", json!({ "files": texts })).await?;
    serde_json::from_value(answer).map_err(Error::unexpected)
}

/// Looks at all texts that would change as one, and puts them into an order in which they can be saved.
pub(super) async fn check_together(call: &Call, items: &mut [Item]) -> Result<()> {
    let texts: BTreeMap<&str, &str> = items
        .iter()
        .filter(|item| item.kind.is_resource() && matches!(item.action, Action::Create | Action::Change))
        .filter_map(|item| Some((item.name.as_str(), item.after.as_deref()?)))
        .collect();
    let checked = checked(call, &texts).await?;
    for item in items.iter_mut().filter(|item| item.kind.is_resource()) {
        let place = checked.order.iter().position(|path| *path == item.name);
        item.turn.1 = place.unwrap_or_default();
        let refused = checked.problems.iter().find(|refused| refused.path == item.name);
        item.problem = refused.map(|refused| match refused.message.starts_with(&item.name) {
            true => refused.message.clone(),
            false => format!("{}: {}", paths::shown(&item.path), refused.message),
        });
    }
    Ok(())
}

async fn has_users(call: &Call, scope: &str) -> Result<bool> {
    let parameters = json!({ "scope": scope, "page": { "limit": 1 } });
    let page = call.act("users.list", parameters).await?;
    Ok(page["items"].as_array().is_some_and(|users| !users.is_empty()))
}

/// What is on the server and not in the bundle. Settings are always there.
fn deletions(current: &Current, files: &Files) -> Vec<Item> {
    let gone = current
        .files
        .iter()
        .filter(|(path, _)| !files.contains_key(*path));
    gone.filter_map(|(path, text)| {
        let kind = Kind::of(path).filter(|kind| *kind != Kind::Settings)?;
        if current.in_home.contains(path) {
            return None;
        }
        let name = if kind.is_resource() {
            paths::resource(path)
        } else {
            let fields: Map<String, Value> = toml::from_str(text).ok()?;
            fields.get("name")?.as_str()?.to_owned()
        };
        let step = match kind {
            Kind::Jobs => ("jobs.delete", json!({ "name": name })),
            Kind::Scopes => ("scopes.delete", json!({ "name": name })),
            _ => ("resources.revert", json!({ "path": name })),
        };
        Some(Item {
            path: path.clone(),
            kind,
            name,
            action: Action::Delete,
            before: Some(text.clone()),
            after: None,
            changes: Vec::new(),
            problem: None,
            step: Some(step),
            // Last, and the other way round: first jobs, then their code.
            turn: (20 - turn(kind), 0),
        })
    })
    .collect()
}

/// In this order things need each other: settings, scopes, texts, jobs.
fn turn(kind: Kind) -> u8 {
    match kind {
        Kind::Settings => 0,
        Kind::Scopes => 1,
        Kind::Templates | Kind::Pages | Kind::Code => 2,
        Kind::Jobs => 3,
    }
}

fn hash(items: &[Item]) -> Result<String> {
    let text = serde_json::to_vec(items).map_err(Error::unexpected)?;
    let digest = Sha256::digest(text);
    Ok(digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}

//! `settings.*`.

use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::change::Change;
use super::configuration::{self, Key};
use super::description::{self, Group, Setting};
use super::store::{self, Row};
use crate::functions::{self, Call, Function, Reversal, Role};
use crate::{Code, Core, Error, Result};

pub(super) fn all(core: &Core) -> Vec<Function> {
    let core = Arc::new(core.clone());
    vec![
        Function::read(
            "settings.list",
            "Lists all settings in their groups, with what they are, and who changed them.",
            &core,
            list,
        ),
        Function::read("settings.get", "Gives the settings of a group.", &core, get),
        Function::read(
            "settings.check",
            "Gives the settings that a group would have, without changing it.",
            &core,
            check,
        ),
        Function::write(
            "settings.update",
            "Changes settings of a group, all or none, and lets them act at once.",
            &core,
            update,
        )
        .role(Role::Admin),
        Function::write(
            "settings.reset",
            "Sets a setting back to its default.",
            &core,
            reset,
        )
        .role(Role::Admin),
        Function::read(
            "settings.configuration",
            "Lists what is set in `coronet.toml` and the environment, and where each value comes from.",
            &core,
            show_configuration,
        ),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ByGroup {
    /// `server`, `mail`, `security`, `requests`, `sessions`, `retention`, `jobs`, `appearance` or `backups`.
    group: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Update {
    /// `server`, `mail`, `security`, `requests`, `sessions`, `retention`, `jobs`, `appearance` or `backups`.
    group: String,
    #[schemars(schema_with = "changes")]
    changes: Map<String, Value>,
    /// The group's revision as you saw it: when somebody changed the group since, the call is refused. Without it the
    /// change is made whatever there is.
    revision: Option<i64>,
}

/// Any object; which of its fields are secret is said, so that no log keeps them.
fn changes(_: &mut SchemaGenerator) -> Schema {
    let secret = description::groups()
        .iter()
        .flat_map(|group| &group.settings)
        .filter(|setting| setting.secret)
        .map(|setting| (setting.name.clone(), json!({ "format": "secret" })));
    let mut schema = Schema::default();
    schema.insert("type".to_owned(), "object".into());
    schema.insert(
        "description".to_owned(),
        "New values by name, as `settings.get` describes them; null is the default. What is absent stays as it is.".into(),
    );
    schema.insert("properties".to_owned(), Value::Object(secret.collect()));
    schema
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Reset {
    group: String,
    /// The setting, as `settings.get` names it.
    name: String,
}

/// A group of settings, as it is now.
#[derive(Debug, Serialize, JsonSchema)]
struct GroupNow {
    name: String,
    title: String,
    about: String,
    /// Grows with every change.
    revision: i64,
    settings: Vec<SettingNow>,
}

/// A setting, as it is now.
#[derive(Debug, Serialize, JsonSchema)]
struct SettingNow {
    #[serde(flatten)]
    setting: Setting,
    /// Null for a secret: that cannot be read.
    value: Value,
    is_default: bool,
    /// Who changed it last; null when nobody ever did.
    changed_by: Option<String>,
    /// Unix milliseconds.
    changed_at: Option<i64>,
}

async fn list(core: Arc<Core>, _: Arc<Call>, _: Nothing) -> Result<Vec<GroupNow>> {
    let state = State::read(&core).await?;
    Ok(description::groups()
        .iter()
        .map(|group| state.of(group))
        .collect())
}

async fn get(core: Arc<Core>, _: Arc<Call>, input: ByGroup) -> Result<GroupNow> {
    let group = description::group(&input.group)?;
    Ok(State::read(&core).await?.of(group))
}

async fn update(core: Arc<Core>, call: Arc<Call>, input: Update) -> Result<GroupNow> {
    change(&core, &call, &input.group, input.changes, input.revision).await
}

/// What is not named is at its default in the answer; secrets are not in it.
async fn check(core: Arc<Core>, _: Arc<Call>, input: Update) -> Result<Map<String, Value>> {
    let group = description::group(&input.group)?;
    let mut values = input.changes;
    if let Some(secret) = group
        .settings
        .iter()
        .find(|one| one.secret && values.contains_key(&one.name))
    {
        let text = format!("`{}` is a secret: it is set by hand.", secret.name);
        return Err(Error::new(Code::ParameterInvalid, text));
    }
    let mut whole = Map::new();
    for setting in group.settings.iter().filter(|setting| !setting.secret) {
        let given = values
            .shift_remove(&setting.name)
            .filter(|value| !value.is_null());
        whole.insert(
            setting.name.clone(),
            given.map_or_else(|| setting.default.clone(), description::whole),
        );
    }
    // What is left has a name that the group does not know.
    for name in values.keys() {
        group.setting(name)?;
    }
    let change = Change {
        group,
        values: whole.clone(),
        revision: None,
        by: String::new(),
    };
    core.settings.check(change).await?;
    Ok(whole)
}

async fn reset(core: Arc<Core>, call: Arc<Call>, input: Reset) -> Result<GroupNow> {
    let values = Map::from_iter([(input.name, Value::Null)]);
    change(&core, &call, &input.group, values, None).await
}

async fn change(
    core: &Core,
    call: &Call,
    group: &str,
    values: Map<String, Value>,
    revision: Option<i64>,
) -> Result<GroupNow> {
    let group = description::group(group)?;
    let before = State::read(core).await?.of(group);
    let entered: Vec<String> = values.keys().cloned().collect();
    let change = Change {
        group,
        values,
        revision,
        by: call.caller.root().name().to_owned(),
    };
    core.settings.change(change).await?;
    let after = State::read(core).await?.of(group);
    if after.revision != before.revision {
        call.changed(recorded(&before, &after, &entered));
    }
    Ok(after)
}

/// What the audit log keeps of a change. Secrets are only named: a list, so that it is seen although values are masked
/// by these names.
fn recorded(before: &GroupNow, after: &GroupNow, entered: &[String]) -> functions::Change {
    let values = |group: &GroupNow| -> Map<String, Value> {
        let open = group.settings.iter().filter(|now| !now.setting.secret);
        open.map(|now| (now.setting.name.clone(), now.value.clone()))
            .collect()
    };
    let is_secret = |now: &&SettingNow| now.setting.secret && entered.contains(&now.setting.name);
    let secrets: Vec<&String> = after
        .settings
        .iter()
        .filter(is_secret)
        .map(|now| &now.setting.name)
        .collect();
    let change = functions::Change::of("settings", &after.name).before(&values(before));
    if !secrets.is_empty() {
        let mut with = values(after);
        with.insert("new_secrets".to_owned(), json!(secrets));
        let why = "It also set a secret, and the old one is gone. Change the rest by hand.";
        return change.after(&with).never(why);
    }
    let change = change.after(&values(after));
    let (was, _) = change.touched();
    change.undo(Reversal {
        function: "settings.update".to_owned(),
        parameters: json!({ "group": after.name, "changes": was, "revision": after.revision }),
        look: "settings.get".to_owned(),
        at: json!({ "group": after.name }),
        expect: json!({ "revision": after.revision }),
    })
}

async fn show_configuration(core: Arc<Core>, _: Arc<Call>, _: Nothing) -> Result<Vec<Key>> {
    Ok(configuration::keys(&core.config))
}

/// What is set, and by whom.
struct State {
    all: Value,
    rows: Vec<Row>,
    revisions: Vec<(String, i64)>,
}

impl State {
    async fn read(core: &Core) -> Result<Self> {
        // First the revisions: who saves by an older one is told to look again, and never the other way round.
        let revisions = store::revisions(&core.db).await?;
        let (all, rows) = core.settings.state().await?;
        Ok(Self { all, rows, revisions })
    }

    fn of(&self, group: &Group) -> GroupNow {
        let revision = self.revisions.iter().find(|(name, _)| *name == group.name);
        GroupNow {
            name: group.name.clone(),
            title: group.title.clone(),
            about: group.about.clone(),
            revision: revision.map_or(0, |(_, revision)| *revision),
            settings: group
                .settings
                .iter()
                .map(|setting| self.setting(group, setting))
                .collect(),
        }
    }

    fn setting(&self, group: &Group, setting: &Setting) -> SettingNow {
        let row = self
            .rows
            .iter()
            .find(|row| row.group_name == group.name && row.name == setting.name);
        let value = &self.all[&group.name][&setting.name];
        SettingNow {
            is_default: *value == setting.default,
            value: if setting.secret {
                Value::Null
            } else {
                value.clone()
            },
            // What was carried over from an older version has no name.
            changed_by: row
                .map(|row| row.changed_by.clone())
                .filter(|name| !name.is_empty()),
            changed_at: row.map(|row| row.changed_at),
            setting: setting.clone(),
        }
    }
}

//! Changing settings: one group at a time, all of a change or nothing.

use serde_json::{Map, Value, json};

use super::description::{self, Group, Setting};
use super::groups::All;
use super::store::{self, Row};
use super::{Settings, context};
use crate::{Code, Error, Result};

/// A change that somebody asks for.
pub(super) struct Change {
    pub(super) group: &'static Group,
    /// New values by name; null is the default.
    pub(super) values: Map<String, Value>,
    /// The revision of the group as whoever changes it saw it. `None` changes it whatever it is.
    pub(super) revision: Option<i64>,
    pub(super) by: String,
}

impl Settings {
    /// Makes the change, and lets it act.
    ///
    /// # Errors
    /// `ParameterInvalid`, which names the setting that breaks a rule; `Conflict` when somebody else changed the group
    /// since.
    pub(super) async fn change(&self, change: Change) -> Result<()> {
        for name in change.values.keys() {
            change.group.setting(name)?;
        }
        let (settings, now) = (self.clone(), self.clock.now_ms());
        let group = change.group.name.as_str();
        store::change(&self.db, group, move |revision, rows| {
            settings.decide(change, revision, &rows, now)
        })
        .await?;
        self.refresh().await
    }

    /// Says whether the change could be made.
    ///
    /// # Errors
    /// As [`Self::change`].
    pub(super) async fn check(&self, change: Change) -> Result<()> {
        let rows = store::all(&self.db).await?;
        self.decide(change, 0, &rows, self.clock.now_ms()).map(drop)
    }

    /// What is to be written so that the change holds.
    fn decide(&self, change: Change, revision: i64, rows: &[Row], now: i64) -> Result<Vec<Row>> {
        let group = change.group;
        if change.revision.is_some_and(|seen| seen != revision) {
            return Err(changed_meanwhile(group, revision, rows));
        }
        let mut all = serde_json::to_value(self.read(rows)).map_err(Error::unexpected)?;
        let mut changes = Vec::new();
        for (name, value) in change.values {
            let setting = group.setting(&name)?;
            let value = if value.is_null() {
                setting.default.clone()
            } else {
                description::whole(value)
            };
            let present = std::mem::replace(&mut all[&group.name][&name], value.clone());
            if present != value {
                changes.push(self.row(group, setting, value, &change.by, now));
            }
        }
        description::read(&all)?;
        Ok(changes)
    }

    fn row(&self, group: &Group, setting: &Setting, value: Value, by: &str, now: i64) -> Row {
        let mut row = Row {
            group_name: group.name.clone(),
            name: setting.name.clone(),
            value: None,
            sealed: None,
            changed_by: by.to_owned(),
            changed_at: now,
        };
        let text = value.to_string();
        match value == setting.default {
            true => {}
            false if setting.secret => row.sealed = Some(self.secrets.seal(&context(&row), text.as_bytes())),
            false => row.value = Some(text),
        }
        row
    }

    /// All settings as JSON, and the rows that say who touched which.
    pub(super) async fn state(&self) -> Result<(Value, Vec<Row>)> {
        let rows = store::all(&self.db).await?;
        let all: All = self.read(&rows);
        Ok((serde_json::to_value(all).map_err(Error::unexpected)?, rows))
    }
}

/// Says who was quicker, and what they changed last.
fn changed_meanwhile(group: &Group, revision: i64, rows: &[Row]) -> Error {
    let latest = rows
        .iter()
        .filter(|row| row.group_name == group.name)
        .max_by_key(|row| row.changed_at);
    let (who, what) = latest.map_or(("somebody", ""), |row| {
        (row.changed_by.as_str(), row.name.as_str())
    });
    let text = format!(
        "The settings of {} were changed by {who} since you opened them. Look at what holds now, then save again.",
        group.name
    );
    let details = json!({ "revision": revision, "changed_by": who, "setting": what });
    Error::new(Code::Conflict, text).with_details(details)
}

//! Alarms that an operator knows of: muted until a time, for a reason (UX08).
//!
//! A mute belongs to one problem of `server.health`, named by its part, its kind and its subject. The problem stays in the
//! list, and counts neither for `ok` nor for the exit code of `coronet health`. What is counted by occurrence, such as mail
//! that was given up, alarms again when it happens once more: only what was known is muted.

mod store;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Service;
use super::health::Problem;
use crate::address::has_control;
use crate::functions::{Access, Actor, Call, Change, Function, Reversal};
use crate::{Code, Core, Error, Result};

/// An alarm that is wanted quiet for longer is better mended, or its cause removed.
const LONGEST_MS: i64 = 90 * 24 * 3_600_000;
const LONGEST_REASON: usize = 200;
const KIND: &str = "alarm";

/// Which alarm is muted, by whom and why.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Mute {
    pub part: String,
    pub kind: String,
    pub subject: String,
    pub reason: String,
    /// Who muted it.
    pub by: String,
    /// Since when, Unix milliseconds.
    pub at: i64,
    pub until: i64,
}

/// A problem's mute, as `server.health` shows it with the problem.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Muted {
    pub reason: String,
    pub by: String,
    /// Unix milliseconds.
    pub at: i64,
    pub until: i64,
}

/// An alarm, as `server.health` names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    /// The problem's part, such as `mail`.
    part: String,
    /// The problem's kind, such as `mail_failed`.
    kind: String,
    /// What the problem is about; empty for problems without a subject.
    #[serde(default)]
    subject: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MuteAlarm {
    /// The problem's part, such as `mail`.
    part: String,
    /// The problem's kind, such as `mail_failed`.
    kind: String,
    /// What the problem is about; empty for problems without a subject.
    #[serde(default)]
    subject: String,
    /// Why it needs no one now.
    #[schemars(length(min = 1, max = 200))]
    reason: String,
    /// When the alarm comes back if the problem is still there: Unix milliseconds, within 90 days.
    until: i64,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoInput {}

pub(super) fn functions(service: &Arc<Service>) -> Vec<Function> {
    vec![
        Function::write(
            "server.muteAlarm",
            "Mutes a problem of server.health until a time, for a reason.",
            service,
            mute,
        )
        .access(Access::APP),
        Function::write(
            "server.unmuteAlarm",
            "Lets a muted problem count again.",
            service,
            unmute,
        )
        .access(Access::APP),
        Function::read(
            "server.mutedAlarms",
            "Lists what is muted, until when and why.",
            service,
            list,
        )
        .access(Access::APP),
    ]
}

async fn mute(service: Arc<Service>, call: Arc<Call>, input: MuteAlarm) -> Result<Mute> {
    let core = &service.core;
    let now = core.clock.now_ms();
    let invalid = |parameter: &str, text: &str| {
        Err(
            Error::new(Code::ParameterInvalid, format!("`{parameter}` {text}."))
                .with_details(json!({ "parameter": parameter })),
        )
    };
    if input.until <= now || input.until > now + LONGEST_MS {
        return invalid(
            "until",
            "must be a time within the next 90 days, in Unix milliseconds",
        );
    }
    let reason = input.reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON || has_control(reason) {
        return invalid("reason", "must be one line of 1 to 200 characters");
    }
    let key = Key {
        part: input.part,
        kind: input.kind,
        subject: input.subject,
    };
    let health = super::health::check(core, &call).await;
    if !health.problems.iter().any(|problem| key.names(problem)) {
        let text = "There is no such problem now. See server.health.";
        return Err(Error::new(Code::NotFound, text));
    }
    let mute = Mute {
        part: key.part.clone(),
        kind: key.kind.clone(),
        subject: key.subject.clone(),
        reason: reason.to_owned(),
        by: Actor::of(&call.caller).name,
        at: now,
        until: input.until,
    };
    store::put(&core.db, mute.clone()).await?;
    let after = json!({ "reason": mute.reason, "until": mute.until });
    call.changed(Change::of(KIND, key.name()).after(&after).undo(Reversal {
        function: "server.unmuteAlarm".to_owned(),
        parameters: serde_json::to_value(&key).map_err(Error::unexpected)?,
        look: "server.mutedAlarms".to_owned(),
        at: json!({}),
        expect: serde_json::to_value(&mute).map_err(Error::unexpected)?,
    }));
    Ok(mute)
}

async fn unmute(service: Arc<Service>, call: Arc<Call>, key: Key) -> Result<bool> {
    let there = store::delete(&service.core.db, key.clone()).await?;
    if there {
        let change = Change::of(KIND, key.name()).before(&json!({ "muted": true }));
        call.changed(change.never("An alarm is muted anew, with a reason and an end time."));
    }
    Ok(there)
}

async fn list(service: Arc<Service>, _: Arc<Call>, _: NoInput) -> Result<Vec<Mute>> {
    store::all(&service.core.db, service.core.clock.now_ms()).await
}

impl Key {
    fn names(&self, problem: &Problem) -> bool {
        problem.part.name() == self.part
            && problem.kind_name() == self.kind
            && problem.subject == self.subject
    }

    fn name(&self) -> String {
        let name = format!("{} {} {}", self.part, self.kind, self.subject);
        name.trim_end().to_owned()
    }
}

/// Marks the problems that are muted. Without a database nothing is: the problem is then another one.
pub(super) async fn mark(core: &Core, problems: &mut [Problem]) {
    if problems.is_empty() {
        return;
    }
    let mutes = match crate::db::in_time(store::all(&core.db, core.clock.now_ms())).await {
        Ok(mutes) => mutes,
        Err(error) => {
            tracing::warn!(%error, "which alarms are muted could not be read");
            return;
        }
    };
    for problem in problems {
        let found = mutes.iter().find(|mute| {
            mute.part == problem.part.name()
                && mute.kind == problem.kind_name()
                && mute.subject == problem.subject
        });
        problem.muted = found
            .filter(|mute| problem.latest_at.is_none_or(|latest| latest <= mute.at))
            .map(|mute| Muted {
                reason: mute.reason.clone(),
                by: mute.by.clone(),
                at: mute.at,
                until: mute.until,
            });
    }
}

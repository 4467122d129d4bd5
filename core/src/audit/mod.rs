//! The audit log: who did what, when and from where.
//!
//! The registry tells it of every write, and of every call that was not allowed, whoever made it. Functions that change
//! something say what ([`Call::changed`](crate::functions::Call::changed)): that is kept beside the entry (`changes`), and
//! can be taken back while it is as the entry left it (`undo`).

mod changes;
mod objects;
mod rejections;
mod size;
mod store;
mod undo;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::db::{self, Together};
use crate::functions::{AuditSink, Call, CallRecord, Function};
use crate::{Core, Error, Result, Total, random};

pub use objects::Object;
use rejections::{Rejections, is_of_stranger};
pub use size::AuditSize;
pub use store::Entry;
use store::NewEntry;

/// Longer parameters are cut: the log says what was done, it does not keep every template's text.
const PARAMETERS_LIMIT: usize = 2000;
/// A name that someone typed to sign in may be anything.
const NAME_LIMIT: usize = 64;
/// How often the audit log looks whether counts of rejected calls are to be written.
const LOOK: Duration = Duration::from_secs(10);
/// How long the last counts may take to be written when the server stops.
const STOP: Duration = Duration::from_secs(2);
/// The longest that what is called for an undo may take: a plugin starts anew.
const UNDO_DEADLINE: Duration = Duration::from_secs(60);

/// The log itself.
pub struct Audit {
    core: Core,
    entries: Together<NewEntry, ()>,
    rejections: Rejections,
    undoing: tokio::sync::Mutex<()>,
}

/// An act that is no call of a function, such as signing in.
#[derive(Debug)]
pub struct Act<'a> {
    pub name: &'static str,
    pub operator_id: &'a str,
    pub operator_name: &'a str,
    pub address: Option<IpAddr>,
    pub error: Option<&'a Error>,
}

/// Starts recording, and adds the functions that read the log and undo what it tells of.
///
/// # Errors
/// When a function's name is taken.
pub fn start(core: &Core) -> Result<Arc<Audit>> {
    let audit = Arc::new(Audit {
        core: core.clone(),
        entries: Together::default(),
        rejections: Rejections::default(),
        undoing: tokio::sync::Mutex::default(),
    });
    core.functions.set_audit(Arc::clone(&audit) as Arc<dyn AuditSink>);
    core.functions.add(
        "core",
        vec![
            Function::read("audit.list", "Lists what was done, latest first.", &audit, list),
            Function::read(
                "audit.get",
                "Gives an entry with what it changed, and whether that can be undone.",
                &audit,
                undo::get,
            ),
            Function::write(
                "audit.undo",
                "Puts back what an entry changed, if it is as the entry left it.",
                &audit,
                undo::undo,
            )
            .deadline(UNDO_DEADLINE),
        ],
    )?;
    Ok(audit)
}

/// Deletes entries older than `before`, and gives how many there were.
///
/// # Errors
/// When the database cannot be read or written.
pub(crate) async fn sweep(core: &Core, before: i64) -> Result<u64> {
    let old = db::sweep(&core.db, &store::OLDEST, before, &core.shutdown).await?;
    Ok(old + size::trim(core).await?)
}

impl Audit {
    /// Records an act of an operator. That it could not be recorded is for the log, not for the operator.
    pub async fn note(&self, act: Act<'_>) {
        let entry = Entry {
            id: random::id("aud"),
            at: self.core.clock.now_ms(),
            caller_kind: "operator".to_owned(),
            caller_id: act.operator_id.to_owned(),
            caller_name: act.operator_name.chars().take(NAME_LIMIT).collect(),
            address: shown(act.address),
            function: act.name.to_owned(),
            parameters: "{}".to_owned(),
            code: act.error.map_or(0, |error| error.code().number().into()),
            message: act
                .error
                .map(|error| error.message().to_owned())
                .unwrap_or_default(),
            duration_us: 0,
            count: 1,
            objects: Vec::new(),
        };
        // Without an operator's id it is the attempt of someone who is not signed in.
        let due = match act.error.is_some() && act.operator_id.is_empty() {
            true => self.rejections.take(entry, act.address),
            false => vec![entry],
        };
        if let Err(error) = self.write_all(due).await {
            tracing::error!(%error, act = act.name, "the audit log could not be written");
        }
    }

    /// Writes the counts of rejected calls once per minute, until the server stops.
    pub async fn run(self: Arc<Self>) {
        let mut timer = tokio::time::interval(LOOK);
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.core.shutdown.triggered() => return,
                _ = timer.tick() => self.write_rejections(false).await,
            }
        }
    }

    /// Writes what is counted, before the database is closed.
    pub async fn stop(&self) {
        // A database that is away must not hold the stop up.
        let _ = tokio::time::timeout(STOP, self.write_rejections(true)).await;
    }

    async fn write_rejections(&self, at_end: bool) {
        let due = self.rejections.due(self.core.clock.now_ms(), at_end);
        if let Err(error) = self.write_all(due).await {
            tracing::error!(%error, "counts of rejected calls could not be written to the audit log");
        }
    }

    async fn write_all(&self, entries: Vec<Entry>) -> Result<()> {
        let entries = entries.into_iter().map(|entry| NewEntry {
            entry,
            changes: Vec::new(),
        });
        let written = futures::future::join_all(entries.map(|entry| self.write(entry))).await;
        written.into_iter().collect()
    }

    /// Acts that end at the same time share a write.
    async fn write(&self, entry: NewEntry) -> Result<()> {
        let db = self.core.db.clone();
        let entry = entry.storable();
        let function = entry.entry.function.clone();
        let written = self
            .entries
            .share(entry, move |entries| store::insert(db.clone(), entries))
            .await;
        if let Err(error) = written.as_ref()
            && !error.is_retryable()
        {
            let now = self.core.clock.now_ms();
            self.core
                .losses
                .note("An entry of the audit log", &function, error, now);
        }
        let limit = self.core.settings.now().retention.audit_entries;
        // A little past the limit, so that a full log is not trimmed for every entry.
        if self.core.audit_size.add(1, limit.saturating_add(limit / 100)) {
            let core = self.core.clone();
            tokio::spawn(async move {
                if let Err(error) = size::trim(&core).await {
                    tracing::warn!(%error, "the audit log could not be shortened");
                }
            });
        }
        written
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    /// Only calls of functions whose name contains this.
    #[serde(default)]
    function: Option<String>,
    /// Only calls by callers whose name contains this.
    #[serde(default)]
    caller: Option<String>,
    /// Only calls that failed; with `false` only those that did not.
    #[serde(default)]
    failed: Option<bool>,
    /// Only what is about something whose kind, name or id contains this, such as a user's name.
    #[serde(default)]
    object: Option<String>,
    /// Continue after this entry's id, or after the place that `next` names.
    #[serde(default)]
    after: Option<String>,
    /// Entries in one answer.
    #[serde(default)]
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u32>,
    /// Only calls of functions, by callers, or about things whose name contains this.
    #[serde(default)]
    search: Option<String>,
    /// Only calls by this kind of caller, such as `operator`.
    #[serde(default)]
    kind: Option<String>,
    /// Only what was done at this time or later, Unix milliseconds.
    #[serde(default)]
    since: Option<i64>,
    /// Only what was done before this time.
    #[serde(default)]
    until: Option<i64>,
    /// `at`, `function`, `caller` or `duration`; with `-` before it the other way round. `-at` if absent.
    #[serde(default)]
    sort: Option<String>,
    /// The `previous` of another answer, for the page before that.
    #[serde(default)]
    before: Option<String>,
    /// Whether to count what fits in all.
    #[serde(default)]
    count: bool,
}

/// A page of a listing.
#[derive(Debug, Serialize, JsonSchema)]
struct Listed {
    entries: Vec<Entry>,
    /// Pass as `after` to read on; missing at the end.
    next: Option<String>,
    /// Pass as `before` to go back; missing at the start.
    previous: Option<String>,
    /// How many fit, when that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Total>,
}

async fn list(audit: Arc<Audit>, _call: Arc<Call>, input: List) -> Result<Listed> {
    let page = store::list(&audit.core.db, input).await?;
    Ok(Listed {
        entries: page.items,
        next: page.next,
        previous: page.previous,
        total: page.total,
    })
}

impl AuditSink for Audit {
    fn record(&self, record: CallRecord) -> BoxFuture<'_, Result<()>> {
        let caller = record.call.caller.root();
        // Ids sort by time, so they are also where the next page starts.
        let id = record.call.entry();
        let changes = changes::rows(&id, record.call.part_of.as_deref(), record.changes);
        let entry = Entry {
            id,
            at: record.at,
            caller_kind: caller.kind().to_owned(),
            caller_id: caller.id().to_owned(),
            caller_name: caller.name().to_owned(),
            address: shown(caller.address()),
            function: record.call.function.clone(),
            parameters: shortened(&record.parameters),
            code: record
                .error
                .as_ref()
                .map_or(0, |error| error.code().number().into()),
            message: record
                .error
                .as_ref()
                .map(|error| error.message().to_owned())
                .unwrap_or_default(),
            duration_us: i64::try_from(record.duration.as_micros()).unwrap_or(i64::MAX),
            count: 1,
            objects: Vec::new(),
        };
        let is_rejected = record
            .error
            .as_ref()
            .is_some_and(|error| is_of_stranger(caller, error));
        if is_rejected && changes.is_empty() {
            let due = self.rejections.take(entry, caller.address());
            return Box::pin(self.write_all(due));
        }
        Box::pin(self.write(NewEntry { entry, changes }))
    }
}

fn shown(address: Option<IpAddr>) -> String {
    address.map(|address| address.to_string()).unwrap_or_default()
}

fn shortened(parameters: &Value) -> String {
    let mut text = parameters.to_string();
    if text.len() > PARAMETERS_LIMIT {
        let end = text.floor_char_boundary(PARAMETERS_LIMIT);
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests;

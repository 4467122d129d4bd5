//! What the dashboard knows of this moment. It is asked for once for all pages that follow what happens.

use coronet_core::Registry;
use coronet_core::functions::Caller;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::range::{HOUR_MS, Range};
use super::records::{Health, History, Info, Jobs, MailTrouble};
use crate::accounts::records::Items;
use crate::mail::records::Summary as Mail;
use crate::server::audit::{Entry, Listed};

/// Lines in each of the lists.
pub(super) const LINES: usize = 6;
/// Entries of the audit log in which the acts of operators are looked for: apps and jobs may do a lot in between.
const AUDIT: u32 = 60;

/// `None`, or empty, where the answer could not be had.
#[derive(Default)]
pub(crate) struct State {
    pub(super) health: Option<Health>,
    /// Of this server, now.
    pub(super) memory_bytes: Option<i64>,
    pub(super) jobs: Jobs,
    pub(super) mail: MailTrouble,
    pub(super) mails: Vec<Mail>,
    pub(super) acts: Vec<Entry>,
}

/// Who asks: one part that does not answer, or is not for them, must not take the others with it.
pub(super) struct Asker<'a> {
    pub(super) functions: &'a Registry,
    pub(super) caller: &'a Caller,
}

impl Asker<'_> {
    async fn ask<T: DeserializeOwned>(&self, function: &str, parameters: Value) -> Option<T> {
        self.functions.get(function)?;
        let answer = self.functions.call(self.caller, function, parameters).await;
        let read = answer.map(|answer| serde_json::from_value(answer));
        match read {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(cause)) => {
                tracing::warn!(%cause, function, "the dashboard was answered in another shape");
                None
            }
            Err(error) => {
                tracing::warn!(%error, function, "the dashboard has no answer");
                None
            }
        }
    }

    pub(super) async fn state(&self) -> State {
        let (health, info, jobs, mail, mails, audit) = tokio::join!(
            self.ask("server.health", json!({})),
            self.ask::<Info>("server.info", json!({})),
            self.ask("jobs.overview", json!({})),
            self.ask("mail.trouble", json!({})),
            self.ask::<Items<Mail>>("mail.list", json!({ "page": { "limit": LINES } })),
            self.ask::<Listed>("audit.list", json!({ "limit": AUDIT })),
        );
        let by_operators = |entry: &Entry| entry.caller_kind == "operator";
        State {
            health,
            memory_bytes: info.map(|info| info.memory_bytes),
            jobs: jobs.unwrap_or_default(),
            mail: mail.unwrap_or_default(),
            mails: mails.map(|page| page.items).unwrap_or_default(),
            acts: audit
                .map(|listed| {
                    listed
                        .entries
                        .into_iter()
                        .filter(by_operators)
                        .take(LINES)
                        .collect()
                })
                .unwrap_or_default(),
        }
    }

    /// The history of the range that was asked for. Without one, the last hour as long as nothing is older, such as on a new
    /// server: all of it would be one line at the edge of a day.
    pub(super) async fn shown_history(&self, asked: Option<Range>, now: i64) -> (Range, History) {
        let range = asked.unwrap_or_default();
        let history = self.history(range, now).await.unwrap_or_default();
        if asked.is_none() && !history.reaches_back(now - HOUR_MS) {
            let hour = self.history(Range::Hour, now).await;
            return (Range::Hour, hour.unwrap_or_default());
        }
        (range, history)
    }

    pub(super) async fn history(&self, range: Range, now: i64) -> Option<History> {
        let (span_ms, step) = range.span_and_step();
        // As many whole steps as the range has, the last of which is going on.
        let from = now - span_ms + step * 1000;
        self.ask(
            "server.history",
            json!({ "from": from, "until": now + 1, "step": step }),
        )
        .await
    }
}

//! What the first steps are told from: little, since every visit of the dashboard asks for it.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::accounts::records::{Scope, User};
use crate::kit::Desk;
use crate::mail::records::{Summary as Mail, Transport};
use crate::plugins::records::Details;
use crate::server::audit;

/// Users that can be chosen from.
const USERS: i64 = 50;

/// `None` where the answer could not be had.
#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) scopes: Vec<Scope>,
    pub(crate) users: Vec<User>,
    pub(crate) transports: Vec<Transport>,
    /// The plugin of the transport in use, or of one that could be.
    pub(crate) carrier: Option<Carrier>,
    pub(crate) test: Option<Mail>,
    pub(crate) reset: Option<FirstReset>,
    pub(crate) jobs: Vec<Value>,
    /// Whether anybody was sent a link, or a test mail, whatever became of it since.
    pub(crate) reset_sent: bool,
    pub(crate) test_sent: bool,
}

/// A transport and the plugin that brings it along.
pub(crate) struct Carrier {
    pub(crate) transport: Transport,
    pub(crate) plugin: Details,
}

/// A link that was sent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct FirstReset {
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) mail_id: String,
    pub(crate) mail_state: String,
}

/// The start of a long list.
#[derive(Deserialize)]
struct Rows<T> {
    items: Vec<T>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

impl Facts {
    pub(crate) async fn gather(desk: &Desk<'_>) -> Self {
        let transports: Vec<Transport> = ask(desk, "mail.transports", json!({})).await;
        // Choosing a transport tests it.
        let test_sent =
            audit::was_done(desk, "mail.test").await || audit::was_done(desk, "mail.useTransport").await;
        let test: Rows<Mail> = if test_sent {
            let reference = json!({ "kind": "test", "id": "mail" });
            let latest = json!({ "filter": { "reference": reference }, "page": { "limit": 1 } });
            ask(desk, "mail.list", latest).await
        } else {
            Rows::default()
        };
        let resets: Rows<FirstReset> = ask(desk, "codes.histories", json!({ "page": { "limit": 1 } })).await;
        // Only what is kept no longer is looked for in the audit log, which is long.
        let reset_sent =
            !resets.items.is_empty() || audit::was_done(desk, "users.sendPasswordResetLink").await;
        let sweeping = json!({ "filter": { "path": super::SWEEPER }, "page": { "limit": 1 } });
        Self {
            scopes: ask(desk, "scopes.list", json!({})).await,
            users: ask::<Rows<User>>(desk, "users.list", json!({ "page": { "limit": USERS } }))
                .await
                .items,
            carrier: carrier(desk, &transports).await,
            transports,
            test: test.items.into_iter().next(),
            reset: resets.items.into_iter().next(),
            jobs: ask::<Rows<Value>>(desk, "jobs.list", sweeping).await.items,
            reset_sent,
            test_sent,
        }
    }

    pub(crate) fn active(&self) -> Option<&Transport> {
        self.transports.iter().find(|transport| transport.active)
    }
}

async fn carrier(desk: &Desk<'_>, transports: &[Transport]) -> Option<Carrier> {
    let sends = |transport: &&Transport| transport.name != "capture" && !transport.provider.is_empty();
    let active = transports.iter().filter(sends).find(|transport| transport.active);
    let transport = active.or_else(|| transports.iter().find(sends))?.clone();
    let plugin = json!({ "name": transport.provider });
    let plugin = desk.call("plugins.get", plugin).await.ok()?;
    Some(Carrier { transport, plugin })
}

/// One part that does not answer must not take the others with it.
async fn ask<T: DeserializeOwned + Default>(desk: &Desk<'_>, function: &str, parameters: Value) -> T {
    if desk.webmin.core.functions.get(function).is_none() {
        return T::default();
    }
    let answer = desk.call(function, parameters).await;
    answer
        .inspect_err(|error| tracing::warn!(%error, function, "the first steps have no answer"))
        .unwrap_or_default()
}

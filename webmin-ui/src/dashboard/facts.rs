//! What the first steps are told from.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::accounts::records::{Items, Scope, User};
use crate::jobs::records::Job;
use crate::kit::Desk;
use crate::mail::transport::needs;
use crate::server::audit;

/// What is known about them. `None` where the answer could not be had.
pub(super) struct Facts {
    pub(super) transports: Option<Vec<TransportFact>>,
    /// What the transport in use still needs, in words.
    pub(super) transport_needs: String,
    /// One that could be used and is not.
    pub(super) ready_transport: Option<String>,
    pub(super) jobs: Option<Vec<Job>>,
    pub(super) scopes: Option<Vec<Scope>>,
    pub(super) first_user: Option<String>,
    /// Whether anybody was ever sent a reset link.
    pub(super) reset_sent: bool,
    pub(super) test_sent: bool,
}

#[derive(Deserialize)]
pub(super) struct TransportFact {
    pub(super) name: String,
    #[serde(default)]
    pub(super) provider: String,
    #[serde(default)]
    pub(super) active: bool,
}

impl Facts {
    pub(super) async fn gather(desk: &Desk<'_>) -> Self {
        let transports: Option<Vec<TransportFact>> = ask(desk, "mail.transports", json!({})).await;
        let active = transports.iter().flatten().find(|transport| transport.active);
        let transport_needs = match active {
            Some(active) => needs(desk, &active.provider).await,
            None => String::new(),
        };
        let mut ready_transport = None;
        let unused = |transport: &&TransportFact| !transport.active && transport.name != "capture";
        for transport in transports.iter().flatten().filter(unused) {
            if needs(desk, &transport.provider).await.is_empty() {
                ready_transport = Some(transport.name.clone());
            }
        }
        Self {
            transports,
            transport_needs,
            ready_transport,
            jobs: ask(desk, "jobs.list", json!({})).await,
            scopes: ask(desk, "scopes.list", json!({})).await,
            first_user: ask::<Items<User>>(desk, "users.list", json!({ "page": { "limit": 1 } }))
                .await
                .and_then(|users| users.items.into_iter().next())
                .map(|user| user.user_id),
            test_sent: audit::was_done(desk, "mail.test").await,
            reset_sent: audit::was_done(desk, "users.sendPasswordResetLink").await,
        }
    }
}

/// One part that does not answer must not take the others with it.
async fn ask<T: DeserializeOwned>(desk: &Desk<'_>, function: &str, parameters: Value) -> Option<T> {
    desk.webmin.core.functions.get(function)?;
    desk.call(function, parameters)
        .await
        .inspect_err(|error| tracing::warn!(%error, function, "the dashboard has no answer"))
        .ok()
}

//! Sessions of the webmin: a random reference in a cookie, everything else here.

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::links::hash;
use super::store::Session;
use super::{Operators, Origin, caller, store};
use crate::functions::OperatorCaller;
use crate::{Result, Secrets, db, random};

/// The last use is written at most once in this time: reading a page must not write.
const SEEN_EVERY_MS: i64 = 60_000;

impl Operators {
    /// The operator whose session this is; `None` when it is unknown, ended, or too old.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn session(&self, token: &str, address: Option<IpAddr>) -> Result<Option<OperatorCaller>> {
        let Some(found) = self.live_session(token).await? else {
            return Ok(None);
        };
        let now = self.core.clock.now_ms();
        if now - found.seen_at >= SEEN_EVERY_MS {
            store::mark_seen(&self.core.db, hash(token), now).await?;
        }
        Ok(Some(found.caller(address)))
    }

    /// As [`Self::session`], for what a page asks by itself: that is no use of the session, which ends as if nobody had
    /// asked.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn session_unused(
        &self,
        token: &str,
        address: Option<IpAddr>,
    ) -> Result<Option<OperatorCaller>> {
        let found = self.live_session(token).await?;
        Ok(found.map(|found| found.caller(address)))
    }

    /// Notes that whoever holds this session has entered the password.
    pub(super) async fn password_entered(&self, token: &str) -> Result<()> {
        store::mark_password(&self.core.db, hash(token), self.core.clock.now_ms()).await
    }

    async fn live_session(&self, token: &str) -> Result<Option<store::LiveSession>> {
        let (idle_since, oldest) = self.limits(self.core.clock.now_ms());
        db::in_time(store::find_session(
            &self.core.db,
            hash(token),
            idle_since,
            oldest,
        ))
        .await
    }

    /// Whether the session with this token is still alive. Looking is no use of it: it ends as if nobody had looked.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn session_lives(&self, token: &str) -> Result<bool> {
        Ok(self.live_session(token).await?.is_some())
    }

    /// The id under which the session with this token is listed.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn session_id(&self, token: &str) -> Result<Option<String>> {
        store::session_id(&self.core.db, hash(token)).await
    }

    /// Ends the session with this token.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn logout(&self, token: &str) -> Result<()> {
        let operator = self.session(token, None).await?;
        store::delete_session(&self.core.db, hash(token)).await?;
        if let Some(operator) = operator {
            self.note("sign out", &operator.id, &operator.name, None, None)
                .await;
        }
        Ok(())
    }

    /// The open sessions of an operator, the latest used first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn sessions_of(&self, operator: &OperatorCaller) -> Result<Vec<Session>> {
        let mut sessions = self.list_sessions().await?;
        sessions.retain(|session| session.operator_id == operator.id);
        Ok(sessions)
    }

    /// Ends all sessions of an operator but the one with this token, and gives how many.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn sign_out_elsewhere(&self, operator: &OperatorCaller, token: &str) -> Result<u64> {
        let ended = store::end_other_sessions(&self.core.db, &operator.id, hash(token)).await;
        let error = ended.as_ref().err();
        self.note(
            "sign out elsewhere",
            &operator.id,
            &operator.name,
            operator.address,
            error,
        )
        .await;
        ended
    }

    pub(super) async fn list_sessions(&self) -> Result<Vec<Session>> {
        let (idle_since, oldest) = self.limits(self.core.clock.now_ms());
        store::list_sessions(&self.core.db, idle_since, oldest).await
    }

    /// Since when a living session must have been used, and made.
    pub(super) fn limits(&self, now: i64) -> (i64, i64) {
        let sessions = &self.core.settings.now().sessions;
        (
            now - sessions.idle_minutes * 60_000,
            now - sessions.longest_hours * 3_600_000,
        )
    }
}

impl store::LiveSession {
    fn caller(&self, address: Option<IpAddr>) -> OperatorCaller {
        let operator = caller(&self.operator_id, &self.name, &self.role, address);
        OperatorCaller {
            password_at: Some(self.password_at),
            ..operator
        }
    }
}

pub(super) fn new(
    token: &str,
    operator_id: &str,
    origin: &Origin,
    now: i64,
    dead_before: i64,
) -> store::NewSession {
    store::NewSession {
        token_hash: hash(token),
        id: random::id("ses"),
        operator_id: operator_id.to_owned(),
        created_at: now,
        address: origin
            .address
            .map(|address| address.to_string())
            .unwrap_or_default(),
        user_agent: origin
            .user_agent
            .chars()
            .filter(|char| !char.is_control())
            .take(200)
            .collect(),
        language: origin.language,
        dead_before,
    }
}

/// 256 random bits.
pub(super) fn new_token() -> String {
    URL_SAFE_NO_PAD.encode(random::bytes::<32>())
}

/// A proof that this operator signed in from the browser that holds it.
pub(super) fn new_browser(secrets: &Secrets, operator_id: &str) -> String {
    URL_SAFE_NO_PAD.encode(secrets.seal(&browser_of(operator_id), &random::bytes::<16>()))
}

/// The browser's name, when this is a proof that the operator signed in from it.
pub(super) fn known_browser(secrets: &Secrets, operator_id: &str, proof: &str) -> Option<String> {
    let sealed = URL_SAFE_NO_PAD.decode(proof).ok()?;
    let name = secrets.unseal(&browser_of(operator_id), &sealed).ok()?;
    Some(URL_SAFE_NO_PAD.encode(name))
}

fn browser_of(operator_id: &str) -> String {
    format!("browser of {operator_id}")
}

//! `Idempotency-Key`: a write that an app sends again is answered again, and not carried out again.
//!
//! The rules are those of the IETF draft "The Idempotency-Key HTTP Header Field" and of Stripe's API, which it comes from.
//! A key belongs to one token and one call for a day. A call first claims its key, then runs, then stores its answer; whoever
//! comes with the same key meanwhile is told to wait. A claim ends with its lease, so that a call whose server died can be
//! sent again. It is then carried out again: at least once, like mail and jobs.
//!
//! A call without the header, and one that only reads, never comes here.

mod store;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::db::Dialect;
use crate::functions::{Caller, Effect, Function};
use crate::{Clock, Code, Core, Db, Error, Registry, Result, Secrets};
use store::{Claim, Row};

/// How long an answer is kept.
const KEPT_MS: i64 = 86_400_000;
/// What a claim outlives the deadline of its function by: storing the answer takes a moment too.
const MARGIN: Duration = Duration::from_secs(10);
/// A longer answer is not kept; writes answer with little.
const LONGEST_ANSWER: usize = 256 * 1024;
/// Keys of one token at a time.
const MOST_KEYS: i64 = 100_000;
/// How long a count of them is good for.
const COUNTED_FOR_MS: i64 = 60_000;
const LONGEST_KEY: usize = 255;

/// The answers to calls with a key.
pub struct Idempotency {
    db: Db,
    clock: Clock,
    secrets: Secrets,
    functions: Registry,
    /// Keys of each token, and when they were counted.
    counts: Mutex<HashMap<String, (i64, i64)>>,
}

/// How a call was answered.
#[derive(Debug)]
pub enum Answer {
    /// By carrying it out.
    Fresh(Result<Value>),
    /// By what it was answered the first time.
    Stored { status: u16, body: Vec<u8> },
}

/// Starts it over the database. It adds no functions.
pub fn start(core: &Core) -> Arc<Idempotency> {
    Arc::new(Idempotency {
        db: core.db.clone(),
        clock: core.clock.clone(),
        secrets: core.secrets.clone(),
        functions: core.functions.clone(),
        counts: Mutex::default(),
    })
}

/// Deletes the answers that are older than a day, and returns how many there were.
///
/// # Errors
/// When the database cannot be written.
pub(crate) async fn sweep(core: &Core, now: i64) -> Result<u64> {
    store::sweep(&core.db, now).await
}

/// The key in a header's value: visible ASCII, with or without the quotes that the draft puts around it.
///
/// # Errors
/// `ParameterInvalid` for an empty key, a longer one, or one of other characters.
pub fn key(header: &str) -> Result<&str> {
    let trimmed = header.trim();
    let bare = trimmed
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(trimmed);
    let fits = !bare.is_empty() && bare.len() <= LONGEST_KEY && bare.chars().all(|c| c.is_ascii_graphic());
    if fits {
        return Ok(bare);
    }
    let text = format!(
        "The header `Idempotency-Key` must be 1 to {LONGEST_KEY} visible ASCII characters without spaces, such as a UUID."
    );
    Err(Error::new(Code::ParameterInvalid, text).with_details(json!({ "parameter": "Idempotency-Key" })))
}

impl Idempotency {
    /// Ends the claims of the server's last run, where it was alone on its database.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn recover(&self) -> Result<()> {
        match self.db.dialect() {
            Dialect::Sqlite => store::end_claims(&self.db).await,
            // Other servers may hold claims; those of a dead one end with their leases.
            Dialect::Postgres => Ok(()),
        }
    }

    /// Calls a function for an app that gave a key.
    ///
    /// # Errors
    /// `KeyReused` for a key that was used for another call, `Conflict` while the first call is still carried out,
    /// `RateLimited` for a token with too many keys. What the function fails with is in the answer.
    pub async fn call(
        self: &Arc<Self>,
        caller: &Caller,
        key: &str,
        name: &str,
        parameters: Value,
    ) -> Result<Answer> {
        let function = self
            .functions
            .get(name)
            .filter(|function| self.matters(caller, function, &parameters));
        let (Some(function), Caller::App(app)) = (function, caller) else {
            return Ok(Answer::Fresh(self.functions.call(caller, name, parameters).await));
        };
        let request = fingerprint(name, &parameters);
        let key = Sha256::digest(key.as_bytes()).to_vec();
        let lease = function.spec.deadline + MARGIN;
        let claim = match self.claim(&app.token_id, key, &request, lease).await? {
            Claimed::Now(claim) => claim,
            Claimed::Answered(answer) => return Ok(answer),
        };
        // In a task of its own: an app that hangs up must find the answer when it comes back.
        let (this, caller, name) = (Arc::clone(self), caller.clone(), name.to_owned());
        let carried_out = tokio::spawn(async move {
            let outcome = this.functions.call(&caller, &name, parameters).await;
            this.conclude(claim, &outcome).await;
            outcome
        });
        Ok(Answer::Fresh(carried_out.await.map_err(Error::unexpected)?))
    }

    /// Whether the call would change something. What is rejected before the function runs takes no key.
    fn matters(&self, caller: &Caller, function: &Function, parameters: &Value) -> bool {
        function.spec.effect == Effect::Write
            && self.functions.allows(caller, function)
            && function.check(parameters).is_ok()
    }

    async fn claim(&self, token: &str, key: Vec<u8>, request: &[u8], lease: Duration) -> Result<Claimed> {
        let now = self.clock.now_ms();
        if let Some(row) = store::find(&self.db, token, &key, now).await?
            && let Some(answer) = self.judge(&row, token, &key, request, now)?
        {
            return Ok(Claimed::Answered(answer));
        }
        self.make_room(token, now).await?;
        let claim = Claim {
            token: token.to_owned(),
            request: self.secrets.seal(&context("request", token, &key), request),
            key,
            now,
            lease_until: now + i64::try_from(lease.as_millis()).unwrap_or(i64::MAX / 2),
            expires_at: now + KEPT_MS,
        };
        if store::claim(&self.db, claim.clone()).await? {
            return Ok(Claimed::Now(claim));
        }
        // Another call with the key was a moment faster.
        let row = store::find(&self.db, token, &claim.key, now).await?;
        let answer = row
            .map(|row| self.judge(&row, token, &claim.key, request, now))
            .transpose()?
            .flatten();
        answer.map(Claimed::Answered).ok_or_else(under_way)
    }

    /// What a call hears whose key is there already; `None` when it may take the key over.
    fn judge(&self, row: &Row, token: &str, key: &[u8], request: &[u8], now: i64) -> Result<Option<Answer>> {
        let first = self
            .secrets
            .unseal(&context("request", token, key), &row.request)?;
        if first != request {
            let text = "This `Idempotency-Key` was used for another call: another function, or other parameters. Use a new key \
                        for a new call.";
            return Err(Error::new(Code::KeyReused, text));
        }
        let Some(status) = row.status else {
            return if row.lease_until > now {
                Err(under_way())
            } else {
                Ok(None)
            };
        };
        let Some(sealed) = &row.answer else {
            let text = "This call was carried out already. Its answer was too large to be kept.";
            return Err(Error::new(Code::Conflict, text));
        };
        Ok(Some(Answer::Stored {
            status: u16::try_from(status).unwrap_or(500),
            body: self.secrets.unseal(&context("answer", token, key), sealed)?,
        }))
    }

    /// Stores the answer, or gives the key back when nothing was done.
    async fn conclude(&self, claim: Claim, outcome: &Result<Value>) {
        let done = match outcome {
            Err(error) if nothing_was_done(error.code()) => store::release(&self.db, claim).await,
            outcome => {
                let (status, body) = match outcome {
                    Ok(value) => (200, serde_json::to_vec(value)),
                    Err(error) => (error.code().status(), serde_json::to_vec(error)),
                };
                let body = body.unwrap_or_default();
                let sealed = (body.len() <= LONGEST_ANSWER).then(|| {
                    self.secrets
                        .seal(&context("answer", &claim.token, &claim.key), &body)
                });
                store::answered(&self.db, claim, status, sealed).await
            }
        };
        // The claim ends with its lease.
        if let Err(error) = done {
            tracing::warn!(%error, "the answer to a call with an Idempotency-Key could not be stored");
        }
    }

    /// Refuses a token that has too many keys. The count is a minute old at most.
    async fn make_room(&self, token: &str, now: i64) -> Result<()> {
        let counted = {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            counts
                .get_mut(token)
                .filter(|(_, at)| now - *at < COUNTED_FOR_MS)
                .map(|(count, _)| {
                    *count += 1;
                    *count
                })
        };
        let count = match counted {
            Some(count) => count,
            None => {
                let count = store::count(&self.db, token, now).await? + 1;
                let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
                counts.insert(token.to_owned(), (count, now));
                count
            }
        };
        if count <= MOST_KEYS {
            return Ok(());
        }
        let text = format!(
            "This API token used {MOST_KEYS} idempotency keys within a day. Call without one, or later."
        );
        Err(Error::new(Code::RateLimited, text))
    }
}

enum Claimed {
    Now(Claim),
    Answered(Answer),
}

fn under_way() -> Error {
    let text = "A call with this `Idempotency-Key` is carried out right now. Ask again in a moment.";
    Error::new(Code::Conflict, text)
        .retryable()
        .with_details(json!({ "retry_after_seconds": 1 }))
}

/// Errors of calls that were turned away: sent again, they are carried out.
fn nothing_was_done(code: Code) -> bool {
    matches!(
        code,
        Code::RateLimited
            | Code::Unavailable
            | Code::Forbidden
            | Code::ParameterInvalid
            | Code::ParameterMissing
            | Code::ParameterType
    )
}

/// What is sealed is bound to its row.
fn context(what: &str, token: &str, key: &[u8]) -> String {
    let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("idempotency {what} {token} {key}")
}

/// The same for the same call, however its JSON is laid out.
fn fingerprint(function: &str, parameters: &Value) -> Vec<u8> {
    let text = format!("{function}\0{}", sorted(parameters));
    Sha256::digest(text.as_bytes()).to_vec()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut names: Vec<&String> = map.keys().collect();
            names.sort();
            let entries = names.into_iter().map(|name| (name.clone(), sorted(&map[name])));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        plain => plain.clone(),
    }
}

#[cfg(test)]
mod tests;

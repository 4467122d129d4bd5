//! API tokens: what an app shows to call functions over HTTP.
//!
//! A token is `cor_`, thirty random characters and six of checksum, so that a mistyped one is refused without asking the
//! database, and a leaked one can be recognised in a log or a repository. Only its SHA-256 is kept.

mod grants;
mod store;
mod text;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::functions::{AppCaller, Call, Caller, Change, Function, Role};
use crate::remembered::Remembered;
use crate::{Clock, Code, Core, Db, Error, Result, db, random};
use store::LiveToken;

/// `used_at` is written at most once in this time, so that a busy token does not write with every call.
const USED_EVERY_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;
/// What a token is called in the audit log.
const KIND: &str = "token";

/// The tokens of the server.
pub struct Tokens {
    db: Db,
    clock: Clock,
    used: Mutex<HashMap<String, i64>>,
    /// By their hash.
    live: Remembered<Vec<u8>, Arc<LiveToken>>,
}

/// Adds the functions that manage tokens.
///
/// # Errors
/// When a function's name is taken.
pub fn start(core: &Core) -> Result<Arc<Tokens>> {
    let tokens = Arc::new(Tokens {
        db: core.db.clone(),
        clock: core.clock.clone(),
        used: Mutex::default(),
        live: Remembered::default(),
    });
    core.functions.add(
        "core",
        vec![
            Function::write(
                "tokens.create",
                "Makes an API token. The token itself is in this answer and never shown again.",
                &tokens,
                create,
            )
            .role(Role::Admin)
            .needs_password(),
            Function::read(
                "tokens.list",
                "Lists the API tokens, without the tokens themselves.",
                &tokens,
                list,
            ),
            Function::write("tokens.revoke", "Ends an API token at once.", &tokens, revoke).role(Role::Admin),
        ],
    )?;
    Ok(tokens)
}

impl Tokens {
    /// The caller that shows this token.
    ///
    /// # Errors
    /// `Unauthenticated` for a token that is malformed, unknown, expired or revoked; always in the same words.
    pub async fn authenticate(&self, token: &str, address: Option<IpAddr>) -> Result<Caller> {
        if !text::is_well_formed(token) {
            return Err(refused());
        }
        let now = self.clock.now_ms();
        let hash = text::hash(token);
        let found = db::in_time(async {
            let look_up = store::find_live(&self.db, hash.clone(), now);
            let found = self.live.get(&hash, look_up).await?;
            let found = found.filter(|live| live.expires_at.is_none_or(|at| at > now));
            let found = found.ok_or_else(refused)?;
            self.note_use(&found.id, now).await;
            Ok(found)
        })
        .await?;
        Ok(Caller::App(Arc::new(AppCaller {
            token_id: found.id.clone(),
            name: found.name.clone(),
            grants: Arc::clone(&found.grants),
            address,
        })))
    }

    async fn note_use(&self, id: &str, now: i64) {
        {
            let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            if used.get(id).is_some_and(|at| now - at < USED_EVERY_MS) {
                return;
            }
            used.insert(id.to_owned(), now);
        }
        if let Err(error) = store::mark_used(&self.db, id, now).await {
            tracing::warn!(%error, token = id, "the token's last use could not be noted");
        }
    }
}

fn refused() -> Error {
    Error::new(
        Code::Unauthenticated,
        "The API token is missing or not valid. Send it as `Authorization: Bearer cor_…`.",
    )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Create {
    /// What the token is for, such as the app's name.
    #[schemars(length(min = 1, max = 100))]
    name: String,
    /// The functions it may call: names such as `users.get`, or the start of names and a star such as `users.*`. Each must
    /// be, or cover, a function that is open to API tokens.
    #[schemars(length(min = 1, max = 100))]
    grants: Vec<String>,
    /// Days until it expires; without, it lives until it is revoked.
    #[serde(default)]
    #[schemars(range(min = 1, max = 3650))]
    expires_in_days: Option<i64>,
}

/// A new token.
#[derive(Debug, Serialize, JsonSchema)]
struct Created {
    id: String,
    /// To be kept by the app; it cannot be shown again.
    token: String,
}

/// An API token, as far as it may be shown.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Token {
    pub id: String,
    pub name: String,
    /// The token's end, to tell it from others.
    pub hint: String,
    pub grants: Vec<String>,
    /// Unix milliseconds, like all times here.
    pub created_at: i64,
    pub created_by: String,
    pub expires_at: Option<i64>,
    pub revoked_at: Option<i64>,
    /// The last use, to the minute.
    pub used_at: Option<i64>,
    /// `active`, `expired` or `revoked`.
    pub state: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ById {
    /// The token's id.
    id: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

async fn create(tokens: Arc<Tokens>, call: Arc<Call>, input: Create) -> Result<Created> {
    let name = crate::text::nfc(input.name.trim());
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(Error::new(
            Code::ParameterInvalid,
            "Give the token a name, without control characters.",
        ));
    }
    grants::check(call.registry(), &input.grants)?;
    let token = text::generate();
    let now = tokens.clock.now_ms();
    let row = store::NewToken {
        id: random::id("tok"),
        name,
        hash: text::hash(&token),
        hint: text::hint(&token),
        grants: serde_json::to_string(&input.grants).map_err(Error::unexpected)?,
        created_at: now,
        created_by: call.caller.name().to_owned(),
        expires_at: input.expires_in_days.map(|days| now + days * DAY_MS),
    };
    let id = row.id.clone();
    let after =
        json!({ "name": row.name, "grants": input.grants, "expires_at": row.expires_at, "state": "active" });
    store::insert(&tokens.db, row).await?;
    call.changed(
        Change::of(KIND, &id)
            .after(&after)
            .never("A new token is taken away by revoking it."),
    );
    Ok(Created { id, token })
}

async fn list(tokens: Arc<Tokens>, _call: Arc<Call>, _input: Nothing) -> Result<Vec<Token>> {
    let now = tokens.clock.now_ms();
    let rows = store::list(&tokens.db).await?;
    rows.into_iter()
        .map(|row| {
            let state = match (row.revoked_at, row.expires_at) {
                (Some(_), _) => "revoked",
                (None, Some(at)) if at <= now => "expired",
                _ => "active",
            };
            Ok(Token {
                state: state.to_owned(),
                grants: serde_json::from_str(&row.grants).map_err(Error::unexpected)?,
                id: row.id,
                name: row.name,
                hint: row.hint,
                created_at: row.created_at,
                created_by: row.created_by,
                expires_at: row.expires_at,
                revoked_at: row.revoked_at,
                used_at: row.used_at,
            })
        })
        .collect()
}

async fn revoke(tokens: Arc<Tokens>, call: Arc<Call>, input: ById) -> Result<bool> {
    let revoked = store::revoke(&tokens.db, &input.id, tokens.clock.now_ms()).await;
    tokens.live.forget();
    let Some(name) = revoked? else {
        let text = "There is no active token with this id.";
        return Err(Error::new(Code::NotFound, text));
    };
    let change = Change::of(KIND, &input.id)
        .before(&json!({ "name": name, "state": "active" }))
        .after(&json!({ "name": name, "state": "revoked" }));
    call.changed(change.never("A revoked token stays revoked. Create another one."));
    Ok(true)
}

#[cfg(test)]
mod tests;

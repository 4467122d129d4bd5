//! One-time codes: what a mailed link carries to show that its reader received the mail.
//!
//! A code is 256 random bits; the database keeps its SHA-256. It is bound to a purpose, to the plugin that issued it
//! and to a user. [`Codes::redeem`] is one transaction, in which one conditional delete decides who of several comes
//! first. A code that is used, expired, unknown or malformed gets one and the same answer, [`Code::CodeDead`].

mod failures;
mod functions;
pub(crate) mod guesses;
mod history;
mod store;
pub(crate) mod time;

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::accounts::{self, Accounts, Changes};
use crate::db::{self, Together};
use crate::functions::Actor;
use crate::mail::{MailService, NewMail, Reference, Secret, UserMail};
use crate::{Code, Core, Error, Figure, Page, PageRequest, Result, random};
use guesses::Guesses;
use history::Asker;
use history::store::NewHistory;
pub(crate) use history::store::user_changed;
pub use history::{Event, FullHistory, Happening, History, State, What};
use store::Live;
use time::Time;

/// NIST SP 800-63B-4, section 3.1.3.3: a code sent by mail lives 24 hours at most.
pub const LONGEST_LIFE_SECONDS: i64 = 86_400;
const LARGEST_DATA: usize = 4096;

/// The one-time codes.
pub struct Codes {
    core: Core,
    accounts: Arc<Accounts>,
    mail: Arc<MailService>,
    guesses: Guesses,
    time: Time,
    /// Codes that are mailed at the same time share a write.
    mailed: Together<store::MailedCode, Result<()>>,
}

/// Adds `codes.*`.
///
/// # Errors
/// When a function's name is taken, or the database cannot be read.
pub async fn start(core: &Core, accounts: &Arc<Accounts>, mail: &Arc<MailService>) -> Result<Arc<Codes>> {
    let codes = Arc::new(Codes {
        core: core.clone(),
        accounts: Arc::clone(accounts),
        mail: Arc::clone(mail),
        guesses: Guesses::default(),
        mailed: Together::default(),
        time: Time::start(core, store::CODES).await?,
    });
    core.functions.add("core", functions::all(&codes))?;
    Ok(codes)
}

/// Deletes histories of codes issued before `before`, and gives how many there were.
///
/// # Errors
/// When the database cannot be read or written.
pub(crate) async fn sweep(core: &Core, before: i64) -> Result<u64> {
    db::sweep(&core.db, &history::store::OLDEST, before, &core.shutdown).await
}

/// A new code: the one time it is seen.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Issued {
    pub id: String,
    /// 43 characters that may stand in a URL.
    pub code: String,
    /// Unix milliseconds.
    pub expires_at: i64,
}

/// A code that is on its way to its user.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Mailed {
    pub id: String,
    pub mail_id: String,
    /// Unix milliseconds.
    pub expires_at: i64,
}

/// What a living code stands for.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Checked {
    pub id: String,
    pub user_id: String,
    pub username: String,
    pub scope: String,
    /// What was given when the code was issued.
    pub data: Value,
    /// Unix milliseconds.
    pub expires_at: i64,
}

/// Whose code was redeemed.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Redeemed {
    pub id: String,
    pub user_id: String,
    pub scope: String,
}

/// A pending code, as lists show it: neither the code nor its hash.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pending {
    pub id: String,
    pub purpose: String,
    pub user_id: String,
    pub username: String,
    pub email: Option<String>,
    pub scope: String,
    /// Unix milliseconds.
    pub issued_at: i64,
    pub expires_at: i64,
    /// Whether its time is over; it is kept until it is flushed.
    pub expired: bool,
}

/// What a code is for, and who may use it: the one who issued it.
#[derive(Debug, Clone)]
pub(crate) struct Realm {
    owner: String,
    purpose: String,
}

/// What comes with a code that is mailed.
struct Mailing {
    mail: UserMail,
    stand_in: String,
    ttl_seconds: i64,
    data: Value,
    most_per_hour: Option<i64>,
    asked: Asker,
}

/// What comes with a code that is redeemed.
struct Redeeming {
    changes: Changes,
    notice: Option<UserMail>,
    actor: Actor,
}

impl Codes {
    async fn issue(&self, realm: Realm, user_id: String, ttl_seconds: i64, data: Value) -> Result<Issued> {
        let (code, row) = self.make(realm, user_id, ttl_seconds, &data).await?;
        let issued = Issued {
            id: row.id.clone(),
            expires_at: row.expires_at,
            code,
        };
        store::insert(&self.core.db, row).await?;
        Ok(issued)
    }

    /// A code for the user with this address, and the mail that carries it: one write, and nobody in between sees the
    /// code. The mail goes to the address that is stored (R01, R03).
    async fn mail(&self, realm: Realm, email: &str, scope: &str, mailing: Mailing) -> Result<Mailed> {
        let user = self.accounts.user_with_email(email, scope).await?;
        let address = user
            .email
            .filter(|_| user.active)
            .ok_or_else(accounts::not_found)?;
        let kind = realm.purpose.clone();
        let (code, row) = self
            .make(realm, user.user_id, mailing.ttl_seconds, &mailing.data)
            .await?;
        let secret = Secret {
            stand_in: &mailing.stand_in,
            text: &code,
            reference: Reference {
                kind,
                id: row.id.clone(),
            },
        };
        let mail = self
            .mail
            .prepare_with(mailing.mail, secret, address.clone())
            .await?;
        let (state, purpose) = (mail.state(), row.realm.purpose.clone());
        let mailed = Mailed {
            id: row.id.clone(),
            mail_id: mail.id().to_owned(),
            expires_at: row.expires_at,
        };
        let history = NewHistory {
            code_id: row.id.clone(),
            mail_id: mailed.mail_id.clone(),
            user_id: row.user_id.clone(),
            owner: row.realm.owner.clone(),
            purpose: row.realm.purpose.clone(),
            // A clock that was set back moves nothing to after its consequence.
            asked_at: mailing.asked.at.min(row.issued_at),
            asker: mailing.asked.by,
            issued_at: row.issued_at,
            expires_at: row.expires_at,
        };
        let mailed_code = store::MailedCode {
            history,
            code: row,
            mail,
            address,
            most_per_hour: mailing.most_per_hour,
        };
        let db = self.core.db.clone();
        self.mailed
            .share(mailed_code, move |all| store::insert_mailed(db.clone(), all))
            .await??;
        self.core.figures.note_code(Figure::ResetsAsked, &purpose);
        self.mail.accepted(state);
        Ok(mailed)
    }

    /// A new code and the row that will stand for it.
    async fn make(
        &self,
        realm: Realm,
        user_id: String,
        ttl_seconds: i64,
        data: &Value,
    ) -> Result<(String, store::NewCode)> {
        let data = data.to_string();
        if data.len() > LARGEST_DATA {
            return Err(Error::new(
                Code::ParameterInvalid,
                "`data` is too large: 4 KiB at most.",
            ));
        }
        let now = self.time.now().await?;
        let longest = (self.core.settings.now().security.link_life_minutes * 60).min(LONGEST_LIFE_SECONDS);
        let code = URL_SAFE_NO_PAD.encode(random::bytes::<32>());
        let row = store::NewCode {
            id: random::id("code"),
            hash: hash(&code),
            realm,
            user_id,
            data,
            issued_at: now,
            expires_at: now + ttl_seconds.clamp(1, longest) * 1000,
        };
        Ok((code, row))
    }

    /// What a code stands for; looking at it changes nothing (C01).
    async fn check(
        &self,
        realm: &Realm,
        code: &str,
        opened: bool,
        guesser: Option<IpAddr>,
    ) -> Result<Checked> {
        let now = self.time.now().await?;
        let live = self.live(realm, code, guesser, now).await?;
        if opened
            && live.is_unopened != 0
            && let Err(error) = history::store::opened(&self.core.db, live.id.clone(), now).await
        {
            // The form is worth more than the note that it was opened.
            tracing::warn!(%error, "it could not be noted that a link was opened");
        }
        Ok(Checked {
            id: live.id,
            user_id: live.user_id,
            username: live.username,
            scope: live.scope,
            data: serde_json::from_str(&live.data).map_err(Error::unexpected)?,
            expires_at: live.expires_at,
        })
    }

    /// Uses the code up, changes its user and mails them the notice: all of it or nothing. All other codes of the user
    /// die with it.
    async fn redeem(
        &self,
        realm: Realm,
        code: &str,
        by: Redeeming,
        guesser: Option<IpAddr>,
    ) -> Result<Redeemed> {
        let now = self.time.now().await?;
        let live = self.live(&realm, code, guesser, now).await?;
        let notice = self.notice(&live.user_id, by.notice).await?;
        let (notice_state, purpose) = (notice.as_ref().map(NewMail::state), realm.purpose.clone());
        // A password is hashed before the transaction, and only for a code that lives (C19).
        let prepared = self.accounts.prepare(&live.user_id, by.changes).await;
        let prepared = prepared.map_err(dead_with_its_user)?;
        let redemption = store::Redemption {
            realm,
            hash: hash(code),
            notice,
            actor: by.actor,
            code_id: live.id.clone(),
            user_id: live.user_id,
            changes: prepared.clone(),
            now: self.time.now().await?,
        };
        let user = store::redeem(&self.core.db, redemption).await?;
        self.accounts.changed(&user, &prepared);
        self.core.figures.note_code(Figure::ResetsCompleted, &purpose);
        if let Some(state) = notice_state {
            self.mail.accepted(state);
        }
        Ok(Redeemed {
            id: live.id,
            user_id: user.user_id,
            scope: user.scope,
        })
    }

    /// The notice for the address that is stored now; whoever changes it kills the code, and so this mail.
    async fn notice(&self, user_id: &str, notice: Option<UserMail>) -> Result<Option<NewMail>> {
        let Some(notice) = notice else {
            return Ok(None);
        };
        let user = self.accounts.user(user_id).await.map_err(dead_with_its_user)?;
        match user.email {
            Some(address) => self.mail.prepare_for(notice, address).await.map(Some),
            None => Ok(None),
        }
    }

    async fn live(&self, realm: &Realm, code: &str, guesser: Option<IpAddr>, now: i64) -> Result<Live> {
        self.guesses.check(guesser, self.core.clock.now_ms())?;
        let live = store::find(&self.core.db, realm, hash(code), now).await?;
        live.ok_or_else(|| {
            self.guesses.wrong(guesser, self.core.clock.now_ms());
            dead()
        })
    }

    async fn list(
        &self,
        owner: Option<&str>,
        purpose: Option<&str>,
        scope: Option<&str>,
        page: PageRequest,
    ) -> Result<Page<Pending>> {
        let now = self.time.now().await?;
        let rows = store::list(&self.core.db, owner, purpose, scope, &page, now).await?;
        Ok(Page::new(&page, rows, |pending| pending.id.clone()))
    }

    async fn revoke(&self, owner: Option<String>, id: String, by: Actor) -> Result<u64> {
        let now = self.time.now().await?;
        store::revoke(&self.core.db, owner, id, by, now).await
    }

    async fn flush(
        &self,
        owner: Option<String>,
        purpose: String,
        max_age_seconds: i64,
        by: Actor,
    ) -> Result<u64> {
        let now = self.time.now().await?;
        let before = now - max_age_seconds.saturating_mul(1000);
        let flush = store::Flush {
            owner: owner.unwrap_or_default(),
            purpose,
            before,
            by,
            now,
        };
        store::flush(&self.core.db, flush).await
    }
}

fn hash(code: &str) -> Vec<u8> {
    Sha256::digest(code.as_bytes()).to_vec()
}

pub(crate) fn dead() -> Error {
    Error::new(
        Code::CodeDead,
        "This link has been used, has expired or is not valid. Ask for a new one.",
    )
}

/// A user who was deleted a moment ago took the code along (C02, C04).
fn dead_with_its_user(error: Error) -> Error {
    match error.code() {
        Code::UserNotFound => dead(),
        _ => error,
    }
}

#[cfg(test)]
mod tests;

//! Links that work once: the set-up link of the first operator, invitations, and links to choose a new password.
//!
//! A link's token is 256 random bits; the database keeps its SHA-256. Looking at a link changes nothing, and one
//! conditional delete decides who of several uses it. A link that is used, expired, revoked, unknown or malformed gets one
//! and the same answer, [`Code::CodeDead`].

use sha2::{Digest, Sha256};

use super::letters::{Carried, Changed, Language, Letter};
use super::{Operators, Origin, SignedIn, sessions, store};
use crate::functions::OperatorCaller;
use crate::{Code, Core, Error, Result};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;
/// How long links are kept that are over: those of the last hour limit how many an operator gets.
const KEPT_MS: i64 = 2 * 60 * MINUTE_MS;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// Makes the first operator.
    SetUp,
    /// An operator who was invited chooses the first password.
    Invitation,
    /// An operator who forgot the password chooses another one.
    Reset,
}

impl LinkKind {
    const ALL: [Self; 3] = [Self::SetUp, Self::Invitation, Self::Reset];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SetUp => "set-up",
            Self::Invitation => "invitation",
            Self::Reset => "reset",
        }
    }
}

/// Whose password a link sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenLink {
    pub kind: LinkKind,
    pub operator_id: String,
    pub operator_name: String,
}

/// A password was chosen by a link.
#[derive(Debug)]
pub enum Chosen {
    /// Who accepts an invitation is signed in.
    SignedIn(SignedIn),
    /// Who chose a new password signs in with it: a reset signs nobody in (C14).
    Reset(OperatorCaller),
}

impl Operators {
    /// A new link and its token.
    pub(super) async fn new_link(
        &self,
        kind: LinkKind,
        operator_id: Option<String>,
    ) -> Result<(String, store::NewLink)> {
        let token = sessions::new_token();
        let created_at = self.time.now().await?;
        let link = store::NewLink {
            token_hash: hash(&token),
            kind,
            operator_id,
            created_at,
            expires_at: created_at + self.lifetime_ms(kind),
        };
        Ok((token, link))
    }

    /// An invitation may wait over a weekend. A reset was asked for a moment ago.
    fn lifetime_ms(&self, kind: LinkKind) -> i64 {
        match kind {
            LinkKind::SetUp => 60 * MINUTE_MS,
            LinkKind::Invitation => 3 * DAY_MS,
            LinkKind::Reset => self.core.settings.now().security.link_life_minutes.min(30) * MINUTE_MS,
        }
    }

    /// The live link with this token, and the operator it belongs to. Guesses from one network are slowed down.
    pub(super) async fn live_link(
        &self,
        token: &str,
        origin: &Origin,
    ) -> Result<(LinkKind, Option<store::OperatorRow>)> {
        let now = self.time.now().await?;
        self.guesses.check(origin.address, now)?;
        let found = store::find_link(&self.core.db, hash(token), now).await?;
        let known = found.and_then(|link| {
            let kind = LinkKind::ALL.into_iter().find(|kind| kind.name() == link.kind)?;
            Some((kind, link.operator_id))
        });
        let Some((kind, operator_id)) = known else {
            self.guesses.wrong(origin.address, now);
            return Err(dead());
        };
        let operator = match operator_id {
            Some(id) => Some(store::find(&self.core.db, &id).await?.ok_or_else(dead)?),
            None => None,
        };
        Ok((kind, operator))
    }

    /// Whose password the link with this token sets. Looking uses nothing up.
    ///
    /// # Errors
    /// `CodeDead` when it does not live; `RateLimited` for a network that showed many dead ones.
    pub async fn check_link(&self, token: &str, origin: &Origin) -> Result<OpenLink> {
        let (kind, operator) = self.live_link(token, origin).await?;
        let operator = operator.ok_or_else(dead)?;
        Ok(OpenLink {
            kind,
            operator_id: operator.id,
            operator_name: operator.name,
        })
    }

    /// Sets the password of the operator that a link belongs to. That uses up all of their links and ends their sessions.
    ///
    /// # Errors
    /// `CodeDead` when the link does not live; `PasswordInvalid` with what to change, and the link stays live.
    pub async fn choose_password(&self, token: &str, password: String, origin: &Origin) -> Result<Chosen> {
        let link = self.check_link(token, origin).await?;
        let act = match link.kind {
            LinkKind::Invitation => "accept an invitation",
            LinkKind::SetUp | LinkKind::Reset => "choose a new password by mail",
        };
        let outcome = self.choose(&link, token, password, origin).await;
        let error = outcome.as_ref().err();
        self.note(act, &link.operator_id, &link.operator_name, origin.address, error)
            .await;
        let operator = outcome?;
        self.attempts.start_over(&super::name_key(&operator.name));
        if link.kind == LinkKind::Invitation {
            let signed_in = self
                .open_session(operator, origin, self.core.clock.now_ms())
                .await?;
            return Ok(Chosen::SignedIn(signed_in));
        }
        let caller = super::caller(&operator.id, &operator.name, &operator.role, origin.address);
        Ok(Chosen::Reset(caller))
    }

    async fn choose(
        &self,
        link: &OpenLink,
        token: &str,
        password: String,
        origin: &Origin,
    ) -> Result<store::OperatorRow> {
        let password_hash = self.hashed(&link.operator_name, password).await?;
        let notice = match link.kind {
            LinkKind::Reset => {
                let operator = store::find(&self.core.db, &link.operator_id).await?;
                self.notice(
                    operator.as_ref(),
                    Changed::Password,
                    Language::of_tag(origin.language),
                )
                .await
            }
            LinkKind::SetUp | LinkKind::Invitation => None,
        };
        let state = notice.as_ref().map(crate::mail::NewMail::state);
        let choice = store::Choice {
            token_hash: hash(token),
            operator_id: link.operator_id.clone(),
            password_hash,
            notice,
            now: self.time.now().await?,
        };
        let operator = store::choose_password(&self.core.db, choice)
            .await?
            .ok_or_else(dead)?;
        if let Some(state) = state {
            self.mail.accepted(state);
        }
        Ok(operator)
    }

    /// A link, and the mail that carries it.
    pub(super) async fn mailed_link(
        &self,
        kind: LinkKind,
        operator: &store::OperatorRow,
        letter: Letter,
        data: serde_json::Value,
        asked_in: Option<Language>,
    ) -> Result<store::MailedLink> {
        let email = operator.email.as_deref().unwrap_or_default();
        let email_key = super::email::Email::read(email)?
            .ok_or_else(super::letters::no_address)?
            .key;
        let (token, link) = self.new_link(kind, Some(operator.id.clone())).await?;
        let carried = Carried {
            token: &token,
            lifetime_ms: link.expires_at - link.created_at,
        };
        let mail = self
            .letter(letter, operator, data, Some(carried), asked_in)
            .await?;
        Ok(store::MailedLink {
            link,
            mail,
            email_key,
        })
    }
}

/// Deletes links that are over, and gives how many there were.
///
/// # Errors
/// When the database cannot be written.
pub(crate) async fn sweep(core: &Core, now: i64) -> Result<u64> {
    store::sweep(&core.db, now - KEPT_MS).await
}

pub(super) fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token).to_vec()
}

pub(super) fn dead() -> Error {
    Error::new(
        Code::CodeDead,
        "This link was used already, is too old, or was replaced by a newer one.",
    )
}

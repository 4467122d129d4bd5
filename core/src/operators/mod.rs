//! Operators: who may use the webmin, how they sign in, and their sessions.
//!
//! There is no default operator. While there is none, the server prints a one-time set-up link that makes the first.
//! Others are invited by mail, or get a password from an admin. `links` has the links that work once, `letters` the mails
//! that carry them, `resets` the requests of who forgot the password.

mod email;
mod functions;
mod invitations;
mod letters;
mod links;
mod resets;
mod sessions;
mod setup;
mod store;

use std::net::IpAddr;
use std::sync::Arc;

use crate::accounts::names::username_key;
use crate::attempts::{Attempts, Guesser, Rules};
use crate::audit::{Act, Audit};
use crate::codes::guesses::Guesses;
use crate::codes::time::Time;
use crate::functions::{OperatorCaller, Role, Via};
use crate::mail::MailService;
use crate::throttle::Throttle;
use crate::{Code, Core, Error, Result, random};

pub use letters::Language;
pub(crate) use links::sweep;
pub use links::{Chosen, LinkKind, OpenLink};
pub use setup::SetupLink;
pub use store::Session;

/// Characters a password of an operator has at least (NIST SP 800-63B-4: 15 where it is the only factor).
pub const PASSWORD_LEAST: usize = 15;
const PASSWORD_MOST: usize = 128;

/// The operators of the server.
pub struct Operators {
    core: Core,
    audit: Arc<Audit>,
    mail: Arc<MailService>,
    attempts: Attempts,
    /// Dead links that were shown.
    guesses: Guesses,
    /// The time that links live by.
    time: Time,
    requests: resets::Requests,
    /// Guesses at the present password, by who is signed in and changes it.
    throttle: Throttle,
}

/// Where a sign-in comes from.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    pub address: Option<IpAddr>,
    pub user_agent: String,
    /// The language of the page, as a tag of BCP 47.
    pub language: Option<&'static str>,
    /// What [`SignedIn::browser`] was at an earlier sign-in from this browser.
    pub browser: Option<String>,
}

/// A new session: the token is for the cookie, and nowhere else.
#[derive(Debug)]
pub struct SignedIn {
    pub token: String,
    /// For a cookie that outlives the session: it proves that the operator signed in from this browser before, and
    /// opens nothing.
    pub browser: String,
    pub operator: OperatorCaller,
}

/// Adds the functions that manage operators.
///
/// # Errors
/// When a function's name is taken, or the database cannot be read.
pub async fn start(core: &Core, audit: &Arc<Audit>, mail: &Arc<MailService>) -> Result<Arc<Operators>> {
    let operators = Arc::new(Operators {
        core: core.clone(),
        audit: Arc::clone(audit),
        mail: Arc::clone(mail),
        attempts: Attempts::default(),
        guesses: Guesses::default(),
        time: Time::start(core, store::LINKS).await?,
        requests: resets::Requests::default(),
        throttle: Throttle::default(),
    });
    core.functions.add("core", functions::all(&operators))?;
    Ok(operators)
}

impl Operators {
    /// Gives operators of an earlier version the form in which names are compared. Names that differ only in case were two
    /// operators then, and stay two: the older one has the name however it is written, the other one exactly as it is.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn fold_names(&self) -> Result<()> {
        for name in store::fill_name_keys(&self.core.db, name_key).await? {
            tracing::warn!(
                name,
                "another operator has this name, written in another case: this one signs in only with exactly this name. Remove one of them"
            );
        }
        Ok(())
    }

    /// Signs an operator in.
    ///
    /// # Errors
    /// `Unauthenticated`, in the same words and after the same time, whether the name is unknown, the password wrong
    /// or the operator inactive; `RateLimited` after several wrong attempts.
    pub async fn login(&self, name: &str, password: String, origin: &Origin) -> Result<SignedIn> {
        let outcome = self.check_login(name, password, origin).await;
        let id = outcome
            .as_ref()
            .map_or("", |signed_in| signed_in.operator.id.as_str());
        self.note("sign in", id, name, origin.address, outcome.as_ref().err())
            .await;
        outcome
    }

    async fn check_login(&self, name: &str, password: String, origin: &Origin) -> Result<SignedIn> {
        let now = self.core.clock.now_ms();
        if password.chars().count() > PASSWORD_MOST {
            return Err(wrong_login());
        }
        let found = store::find_by_name(&self.core.db, name, name_key(name)).await?;
        let guesser = self.guesser(found.as_ref(), origin);
        let rules = Rules::of(&self.core.settings);
        let attempt = self.attempts.take(&name_key(name), &guesser, now, rules)?;
        let hash = found.as_ref().map(|operator| operator.password_hash.clone());
        let right = match self.core.passwords.verify(normal(&password), hash).await {
            Ok(right) => right,
            Err(error) => {
                attempt.not_looked_at();
                return Err(error);
            }
        };
        let Some(operator) = found.filter(|operator| right && operator.active != 0) else {
            return Err(wrong_login());
        };
        attempt.right();
        self.open_session(operator, origin, now).await
    }

    /// A browser that the operator used before is told from others at its address, since behind a proxy
    /// everybody has the same.
    fn guesser(&self, operator: Option<&store::OperatorRow>, origin: &Origin) -> Guesser {
        let proof = operator.zip(origin.browser.as_deref());
        match proof
            .and_then(|(operator, proof)| sessions::known_browser(&self.core.secrets, &operator.id, proof))
        {
            Some(browser) => Guesser::Browser(browser),
            None => Guesser::At(origin.address),
        }
    }

    async fn note(
        &self,
        name: &'static str,
        id: &str,
        who: &str,
        from: Option<IpAddr>,
        error: Option<&Error>,
    ) {
        let act = Act {
            name,
            operator_id: id,
            operator_name: who,
            address: from,
            error,
        };
        self.audit.note(act).await;
    }

    /// Makes an operator with a password.
    ///
    /// # Errors
    /// `Conflict` when the name is taken; `PasswordInvalid` or `ParameterInvalid` with what to change.
    pub async fn add(&self, name: &str, password: String, role: Role) -> Result<String> {
        self.add_with(self.new_operator(name, role)?, password).await
    }

    /// An operator without a password and without an address.
    fn new_operator(&self, name: &str, role: Role) -> Result<store::NewOperator> {
        let name = valid_name(name)?;
        Ok(store::NewOperator {
            id: random::id("op"),
            name: name.to_owned(),
            name_key: name_key(name),
            email: None,
            language: None,
            password_hash: String::new(),
            role: role.name(),
            created_at: self.core.clock.now_ms(),
        })
    }

    /// Sets an operator's password and ends all of their sessions. Returns the operator's id.
    ///
    /// # Errors
    /// `NotFound`, or `PasswordInvalid` with what to change.
    pub async fn set_password(&self, name: &str, password: String) -> Result<String> {
        let hash = self.hashed(name, password).await?;
        let found = store::find_by_name(&self.core.db, name, name_key(name)).await?;
        let id = found.ok_or_else(|| unknown(name))?.id;
        store::set_password(&self.core.db, id.clone(), hash).await?;
        self.attempts.start_over(&name_key(name));
        Ok(id)
    }

    /// Changes the operator's own password, and ends their other sessions.
    ///
    /// # Errors
    /// `Unauthenticated` when the old password is wrong; `PasswordInvalid` with what to change about the new.
    pub async fn change_own_password(
        &self,
        operator: &OperatorCaller,
        old: String,
        new: String,
    ) -> Result<()> {
        let outcome = self.check_change(operator, old, new).await;
        let error = outcome.as_ref().err();
        self.note(
            "change own password",
            &operator.id,
            &operator.name,
            operator.address,
            error,
        )
        .await;
        outcome
    }

    async fn check_change(&self, operator: &OperatorCaller, old: String, new: String) -> Result<()> {
        self.check_own(operator, old).await?;
        self.set_password(&operator.name, new).await.map(drop)
    }

    /// Whether it is this operator who is at the keyboard, in the session with this token: asked again before an act that
    /// needs it. For some minutes such acts are then taken.
    ///
    /// # Errors
    /// `Unauthenticated` when the password is wrong; `RateLimited` after several wrong ones.
    pub async fn confirm(&self, operator: &OperatorCaller, session: &str, password: String) -> Result<()> {
        let outcome = self.check_own(operator, password).await;
        if let Err(error) = &outcome {
            let from = operator.address;
            self.note("confirm", &operator.id, &operator.name, from, Some(error))
                .await;
            return outcome;
        }
        self.password_entered(session).await
    }

    async fn check_own(&self, operator: &OperatorCaller, password: String) -> Result<()> {
        let key = format!("change {}", operator.id);
        let now = self.core.clock.now_ms();
        self.throttle
            .take(&key, now, Rules::of(&self.core.settings).waits)?;
        let found = store::find_by_name(&self.core.db, &operator.name, name_key(&operator.name)).await?;
        let hash = found.ok_or_else(|| unknown(&operator.name))?.password_hash;
        if !self.core.passwords.verify(normal(&password), Some(hash)).await? {
            return Err(Error::new(
                Code::Unauthenticated,
                "The present password is not right.",
            ));
        }
        self.throttle.right(&key);
        Ok(())
    }

    async fn hashed(&self, name: &str, password: String) -> Result<String> {
        let typed = password.chars().take(PASSWORD_LEAST).count();
        let password = normal(&password);
        // NFKC makes eighteen characters of some: what was typed counts too.
        if typed < PASSWORD_LEAST {
            return Err(password_refused(too_short()));
        }
        check_password(name, &password)?;
        self.core.passwords.hash(password).await
    }

    async fn open_session(
        &self,
        operator: store::OperatorRow,
        origin: &Origin,
        now: i64,
    ) -> Result<SignedIn> {
        let token = sessions::new_token();
        let (_, oldest) = self.limits(now);
        let session = sessions::new(&token, &operator.id, origin, now, oldest);
        store::insert_session(&self.core.db, session, now).await?;
        let caller = caller(&operator.id, &operator.name, &operator.role, origin.address);
        Ok(SignedIn {
            token,
            browser: sessions::new_browser(&self.core.secrets, &operator.id),
            operator: caller,
        })
    }
}

fn caller(id: &str, name: &str, role: &str, address: Option<IpAddr>) -> OperatorCaller {
    OperatorCaller {
        id: id.to_owned(),
        name: name.to_owned(),
        // A role this version does not know may only look.
        role: Role::from_name(role).unwrap_or(Role::Viewer),
        via: Via::Webmin,
        address,
        password_at: None,
    }
}

/// The form in which names are compared, and attempts are counted: however a name is written, it is one operator's. As for
/// users, case makes no difference.
fn name_key(name: &str) -> String {
    username_key(name.trim())
}

fn wrong_login() -> Error {
    Error::new(Code::Unauthenticated, "The name or the password is not right.")
}

fn unknown(name: &str) -> Error {
    Error::new(Code::NotFound, format!("There is no operator {name}."))
}

/// The same password typed on another system may be composed differently (NIST SP 800-63B-4: NFKC).
fn normal(password: &str) -> String {
    unicode_normalization::UnicodeNormalization::nfkc(password).collect()
}

fn valid_name(name: &str) -> Result<&str> {
    let name = name.trim();
    let fits = (1..=64).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits {
        Ok(name)
    } else {
        Err(Error::new(
            Code::ParameterInvalid,
            "An operator's name has 1 to 64 characters.",
        )
        .with_details(serde_json::json!({ "parameter": "name" })))
    }
}

fn check_password(name: &str, password: &str) -> Result<()> {
    let length = password.chars().count();
    let wrong = if length < PASSWORD_LEAST {
        too_short()
    } else if length > PASSWORD_MOST {
        format!("The password may have {PASSWORD_MOST} characters at most.")
    } else if password.chars().collect::<std::collections::HashSet<_>>().len() < 5 {
        "The password repeats the same few characters. Choose one that is harder to guess.".to_owned()
    } else if name.chars().count() > 3 && password.to_lowercase().contains(&name.to_lowercase()) {
        "The password contains the operator's name. Choose one that is harder to guess.".to_owned()
    } else {
        return Ok(());
    };
    Err(password_refused(wrong))
}

fn too_short() -> String {
    format!("The password needs at least {PASSWORD_LEAST} characters: a few words you remember will do.")
}

fn password_refused(wrong: String) -> Error {
    Error::new(Code::PasswordInvalid, wrong).with_details(serde_json::json!({ "parameter": "password" }))
}

#[cfg(test)]
mod tests;

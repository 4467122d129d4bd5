//! Logging users in.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{User, store};
use crate::accounts::{Accounts, names, policy, scopes};
use crate::attempts::{Guesser, Rules};
use crate::functions::{Call, Caller, Function};
use crate::{Code, Error, Passwords, Result};

/// A login is noted again only when the noted one is older: who logs in every minute costs no writes.
const NOTED_FOR_MS: i64 = 5 * 60_000;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Login {
    login_type: LoginType,
}

/// Who logs in: `username`, `password` and `scope`, or `user_id` alone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LoginType {
    username: Option<String>,
    #[schemars(extend("format" = "secret"))]
    password: Option<String>,
    scope: Option<String>,
    /// Logs the user in without a password: the caller answers for who it is. Not for pages.
    user_id: Option<String>,
}

pub(super) fn function(accounts: &Arc<Accounts>) -> Function {
    Function::write(
        "users.login",
        "Logs a user in and gives the user.",
        accounts,
        login,
    )
}

/// What wrong attempts are counted by.
pub(in crate::accounts) fn account_key(scope: &str, username_key: &str) -> String {
    format!("{scope}\n{username_key}")
}

async fn login(accounts: Arc<Accounts>, call: Arc<Call>, input: Login) -> Result<User> {
    match input.login_type {
        LoginType {
            user_id: Some(user_id),
            username: None,
            password: None,
            scope: None,
        } => accounts.login_by_id(&call, &user_id).await,
        LoginType { user_id: Some(_), .. } => Err(Error::new(
            Code::ParameterInvalid,
            "Log in with `user_id` alone, or with `username`, `password` and `scope`.",
        )),
        LoginType {
            username,
            password,
            scope,
            ..
        } => {
            let username = username.ok_or_else(|| missing("username"))?;
            let password = password.ok_or_else(|| missing("password"))?;
            let scope = scope.ok_or_else(|| missing("scope"))?;
            accounts
                .login_by_password(&call, &scope, &username, &password)
                .await
        }
    }
}

impl Accounts {
    async fn login_by_password(
        &self,
        call: &Call,
        scope: &str,
        username: &str,
        password: &str,
    ) -> Result<User> {
        let scope = names::scope(scope).map_err(|_| scopes::not_found(scope))?;
        let key = names::username(username).map(|name| names::username_key(&name));
        let (Ok(key), Some(password)) = (key, policy::normal(password)) else {
            return Err(wrong());
        };
        let now = self.core.clock.now_ms();
        let account = account_key(&scope, &key);
        let found = store::find_by_username(&self.core.db, &scope, &key).await?;
        let rules = Rules::of(&self.core.settings);
        let attempt = self.attempts.take(&account, &guesser(&call.caller), now, rules)?;
        let hash = found.as_ref().map(|(_, hash)| hash.clone());
        // An unknown user costs the same time as a wrong password.
        let right = match self.core.passwords.verify(password.clone(), hash).await {
            Ok(right) => right,
            Err(error) => {
                attempt.not_looked_at();
                return Err(error);
            }
        };
        let Some((user, hash)) = found.filter(|_| right) else {
            self.scope(&scope).await?;
            return Err(wrong());
        };
        attempt.right();
        let rehash = match Passwords::is_current(&hash) {
            true => None,
            false => Some((hash, self.core.passwords.hash(password).await?)),
        };
        self.logged_in(user, rehash, now).await
    }

    /// Whoever may call this can be any user, so it is for those who could read and change all users anyway:
    /// operators, apps, jobs, and Coronet. Behind a page is everybody, so a page needs the password.
    async fn login_by_id(&self, call: &Call, user_id: &str) -> Result<User> {
        if matches!(call.caller.root(), Caller::Page { .. }) {
            return Err(Error::new(
                Code::Forbidden,
                "A page logs users in by `username`, `password` and `scope`.",
            ));
        }
        let user = self.user(user_id).await?;
        self.logged_in(user, None, self.core.clock.now_ms()).await
    }

    async fn logged_in(&self, user: User, rehash: Option<(String, String)>, now: i64) -> Result<User> {
        if !user.active {
            return Err(Error::new(Code::Forbidden, "This user is not active."));
        }
        let noted = user
            .last_login_at
            .is_some_and(|at| (0..NOTED_FOR_MS).contains(&(now - at)));
        if noted && rehash.is_none() {
            return Ok(user);
        }
        // The password was right: a note that cannot be made keeps nobody out.
        if let Err(error) = store::logged_in(&self.core.db, user.user_id.clone(), now, rehash).await {
            tracing::warn!(%error, "a login could not be noted");
        }
        Ok(User {
            last_login_at: Some(now),
            ..user
        })
    }
}

/// An app speaks for all of its users, from one address.
fn guesser(caller: &Caller) -> Guesser {
    match caller.root() {
        Caller::App(_) => Guesser::App(caller.address()),
        _ => Guesser::At(caller.address()),
    }
}

/// One answer, whether the user is unknown or the password is wrong.
fn wrong() -> Error {
    Error::new(Code::PasswordInvalid, "The username or the password is wrong.")
}

fn missing(name: &str) -> Error {
    Error::new(
        Code::ParameterMissing,
        format!("The parameter `login_type.{name}` is missing."),
    )
    .with_details(serde_json::json!({ "parameter": format!("login_type.{name}") }))
}

//! Users: who they are, and how they come, change and go.

mod changes;
pub(super) mod login;
mod query;
mod records;
pub(crate) mod store;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Accounts, names, policy, scopes};
use crate::address::EmailAddress;
use crate::functions::{Access, Call, Function};
use crate::{Code, Error, Result, random};

use store::{Address, NewState};

pub use changes::Changes;
pub(crate) use changes::Prepared;

/// A user, as everybody sees them: without the password's hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    pub user_id: String,
    pub username: String,
    pub scope: String,
    pub email: Option<String>,
    pub group: Option<String>,
    /// The app's own facts about the user: texts, numbers and booleans by name.
    pub extra: Map<String, Value>,
    pub active: bool,
    /// Unix milliseconds.
    pub created_at: i64,
    pub updated_at: i64,
    pub last_login_at: Option<i64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Register {
    /// Taken once in a scope, whatever its case.
    username: String,
    /// 8 to 128 characters, and none of those that are tried first.
    #[schemars(extend("format" = "secret"))]
    password: String,
    /// The application the user belongs to.
    scope: String,
    meta: Option<Meta>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Meta {
    /// Where mail to the user goes; taken once in a scope.
    email: Option<String>,
    group: Option<String>,
    /// The app's own facts about the user: texts, numbers and booleans by name.
    extra: Option<Map<String, Value>>,
    /// Counts as the user's first login.
    login: Option<bool>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ById {
    user_id: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Update {
    user_id: String,
    update_params: Changes,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Find {
    /// One mail address; only case may differ from the stored one.
    email: String,
    scope: String,
}

pub(super) fn functions(accounts: &Arc<Accounts>) -> Vec<Function> {
    let all = Access::APP | Access::JOB | Access::PAGE | Access::PLUGIN;
    let mut functions = vec![
        Function::write(
            "users.register",
            "Registers a user and gives the user's id.",
            accounts,
            register,
        )
        .access(all),
        Function::read("users.get", "Gives a user.", accounts, get).access(all),
        Function::write(
            "users.update",
            "Changes a user and gives the user as changed.",
            accounts,
            update,
        )
        .access(all),
        Function::write(
            "users.delete",
            "Deletes a user and gives the number of deleted users.",
            accounts,
            delete,
        )
        .access(all),
        Function::read(
            "users.find",
            "Gives the user of a scope who has this mail address.",
            accounts,
            find,
        )
        .access(Access::APP | Access::JOB | Access::PLUGIN),
    ];
    functions.push(login::function(accounts).access(all));
    functions.extend(query::functions(accounts));
    functions
}

async fn register(accounts: Arc<Accounts>, call: Arc<Call>, input: Register) -> Result<String> {
    let meta = input.meta.unwrap_or_default();
    let username = names::username(&input.username)?;
    let scope = accounts.scope(&input.scope).await?;
    let email = meta.email.as_deref().map(EmailAddress::parse).transpose()?;
    let group = meta.group.as_deref().map(names::group).transpose()?;
    let extra = changes::checked_extra(meta.extra.unwrap_or_default())?;
    let words = [
        scope.name.as_str(),
        &scope.settings.display_name,
        &username,
        email.as_ref().map_or("", EmailAddress::as_str),
    ];
    let password = policy::accept(
        &input.password,
        &words,
        accounts.core.settings.now().security.shortest_password,
    )?;
    let now = accounts.core.clock.now_ms();
    let user = store::NewUser {
        id: random::id("usr"),
        scope: scope.name,
        state: NewState {
            username_key: names::username_key(&username),
            username,
            email_key: Some(email.as_ref().map(EmailAddress::canonical)),
            email: email.map(|email| email.to_string()),
            group,
            extra,
            password_hash: accounts.core.passwords.hash(password).await?,
            active: true,
        },
        now,
        last_login_at: meta.login.unwrap_or(false).then_some(now),
    };
    let (kept, id) = (
        records::new(&call, &user),
        store::insert(&accounts.core.db, user).await?,
    );
    kept.into_iter().for_each(|change| call.changed(change));
    Ok(id)
}

async fn get(accounts: Arc<Accounts>, _: Arc<Call>, input: ById) -> Result<User> {
    accounts.user(&input.user_id).await
}

async fn update(accounts: Arc<Accounts>, call: Arc<Call>, input: Update) -> Result<User> {
    let prepared = accounts.prepare(&input.user_id, input.update_params).await?;
    let (before, user) = store::update(&accounts.core.db, input.user_id, prepared.clone()).await?;
    accounts.changed(&user, &prepared);
    if records::are_kept(&call) {
        call.changed(records::updating(
            &before,
            &user,
            prepared.password_hash.is_some(),
        ));
    }
    Ok(user)
}

async fn delete(accounts: Arc<Accounts>, call: Arc<Call>, input: ById) -> Result<u64> {
    let Some(user) = store::delete(&accounts.core.db, input.user_id).await? else {
        return Ok(0);
    };
    if records::are_kept(&call) {
        call.changed(records::deleting(&user));
    }
    Ok(1)
}

async fn find(accounts: Arc<Accounts>, _: Arc<Call>, input: Find) -> Result<User> {
    accounts.user_with_email(&input.email, &input.scope).await
}

pub(crate) fn not_found() -> Error {
    Error::new(Code::UserNotFound, "There is no such user.")
}

fn exists(field: &str) -> Error {
    let text = match field {
        "email" => "Another user of this scope has this mail address.",
        _ => "Another user of this scope has this username.",
    };
    Error::new(Code::UserExists, text).with_details(json!({ "parameter": field }))
}

impl Accounts {
    /// The user of this id.
    ///
    /// # Errors
    /// `UserNotFound`.
    pub async fn user(&self, id: &str) -> Result<User> {
        store::get(&self.core.db, id).await?.ok_or_else(not_found)
    }

    /// The user of a scope with this mail address.
    ///
    /// # Errors
    /// `MailAddress`, `ScopeNotFound`, `UserNotFound`.
    pub async fn user_with_email(&self, email: &str, scope: &str) -> Result<User> {
        let email = EmailAddress::parse(email)?.canonical();
        let scope = names::scope(scope).map_err(|_| scopes::not_found(scope))?;
        let address = Address {
            scope: scope.clone(),
            email_key: email.clone(),
        };
        let db = self.core.db.clone();
        let found = self
            .look_ups
            .share(address, move |addresses| {
                store::find_by_email(db.clone(), addresses)
            })
            .await?;
        // The database may compare by rules of its own; what counts is ours (R03).
        let same = |user: &User| {
            let stored = user.email.as_deref().map(EmailAddress::parse);
            matches!(stored, Some(Ok(stored)) if stored.canonical() == email)
        };
        match found.filter(same) {
            Some(user) => Ok(user),
            None => {
                self.scope(&scope).await?;
                Err(not_found())
            }
        }
    }

    /// What follows from a change that is committed.
    pub(crate) fn changed(&self, user: &User, prepared: &Prepared) {
        if prepared.password_hash.is_some() {
            let key = login::account_key(&user.scope, &names::username_key(&user.username));
            self.attempts.start_over(&key);
        }
    }
}

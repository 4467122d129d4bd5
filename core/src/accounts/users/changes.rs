//! Changes of a user: what callers may send, and what of it is done before the transaction.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::User;
use crate::accounts::{Accounts, names, policy};
use crate::address::EmailAddress;
use crate::{Code, Error, Result};

/// What an app may keep about a user, as JSON.
const LARGEST_EXTRA: usize = 16 * 1024;
const LONGEST_EXTRA_NAME: usize = 64;

/// What is to change; what is absent stays as it is.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    username: Option<String>,
    /// 8 to 128 characters, and none of those that are tried first.
    #[schemars(extend("format" = "secret"))]
    password: Option<String>,
    /// Null takes the address away.
    #[serde(default, deserialize_with = "also_null")]
    email: Option<Option<String>>,
    /// Null takes the user out of the group.
    #[serde(default, deserialize_with = "also_null")]
    group: Option<Option<String>>,
    /// Texts, numbers and booleans by name; a null takes that name away, other names stay.
    extra: Option<Map<String, Value>>,
    /// A user who is not active cannot log in.
    active: Option<bool>,
}

/// Tells a null from an absent field.
fn also_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Changes that are checked, with the password hashed: ready to be written at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Prepared {
    pub(super) username: Option<String>,
    pub(super) email: Option<Option<EmailAddress>>,
    pub(super) group: Option<Option<String>>,
    pub(super) extra: Map<String, Value>,
    pub(crate) password_hash: Option<String>,
    pub(super) active: Option<bool>,
    pub(super) now: i64,
}

impl Accounts {
    /// Checks the changes against the user they are for, and hashes the password.
    ///
    /// # Errors
    /// `UserNotFound`, or what is wrong with the changes.
    pub(crate) async fn prepare(&self, user_id: &str, changes: Changes) -> Result<Prepared> {
        let user = self.user(user_id).await?;
        let mut prepared = Prepared {
            username: changes.username.as_deref().map(names::username).transpose()?,
            email: nested(changes.email, |email| Ok(EmailAddress::parse(&email)?))?,
            group: nested(changes.group, |group| names::group(&group))?,
            extra: changes.extra.unwrap_or_default(),
            password_hash: None,
            active: changes.active,
            now: self.core.clock.now_ms(),
        };
        check_extra(&prepared.extra, true)?;
        if let Some(password) = changes.password {
            let password = self.accepted(&user, &prepared, &password).await?;
            prepared.password_hash = Some(self.core.passwords.hash(password).await?);
        }
        Ok(prepared)
    }

    async fn accepted(&self, user: &User, prepared: &Prepared, password: &str) -> Result<String> {
        let scope = self.scope(&user.scope).await?;
        let email = match &prepared.email {
            Some(email) => email.as_ref().map(ToString::to_string),
            None => user.email.clone(),
        };
        let words = [
            scope.name.as_str(),
            &scope.settings.display_name,
            prepared.username.as_deref().unwrap_or(&user.username),
            email.as_deref().unwrap_or_default(),
        ];
        policy::accept(
            password,
            &words,
            self.core.settings.now().security.shortest_password,
        )
    }
}

fn nested<T, U>(value: Option<Option<T>>, check: impl FnOnce(T) -> Result<U>) -> Result<Option<Option<U>>> {
    match value {
        None => Ok(None),
        Some(None) => Ok(Some(None)),
        Some(Some(value)) => Ok(Some(Some(check(value)?))),
    }
}

/// The facts of a new user.
pub(super) fn checked_extra(extra: Map<String, Value>) -> Result<Map<String, Value>> {
    check_extra(&extra, false)?;
    check_extra_size(&extra)?;
    Ok(extra)
}

/// What is kept after a change.
pub(super) fn merged_extra(
    mut extra: Map<String, Value>,
    changes: Map<String, Value>,
) -> Result<Map<String, Value>> {
    for (name, value) in changes {
        if value.is_null() {
            extra.shift_remove(&name);
        } else {
            extra.insert(name, value);
        }
    }
    check_extra_size(&extra)?;
    Ok(extra)
}

fn check_extra(extra: &Map<String, Value>, null_removes: bool) -> Result<()> {
    for (name, value) in extra {
        let refused =
            |code, text: &str| Err(Error::new(code, text).with_details(json!({ "parameter": "extra" })));
        if name.is_empty() || name.chars().count() > LONGEST_EXTRA_NAME || name.chars().any(char::is_control)
        {
            return refused(
                Code::ParameterInvalid,
                "A name in `extra` must have 1 to 64 characters, without line breaks.",
            );
        }
        let fits = match value {
            Value::String(_) | Value::Number(_) | Value::Bool(_) => true,
            Value::Null => null_removes,
            Value::Array(_) | Value::Object(_) => false,
        };
        if !fits {
            return refused(
                Code::ParameterType,
                "`extra` holds texts, numbers and booleans only.",
            );
        }
    }
    Ok(())
}

fn check_extra_size(extra: &Map<String, Value>) -> Result<()> {
    let size: usize = extra
        .iter()
        .map(|(name, value)| name.len() + value.as_str().map_or(16, str::len))
        .sum();
    if size > LARGEST_EXTRA {
        return Err(Error::new(
            Code::ParameterInvalid,
            "`extra` is too large: 16 KiB at most.",
        ));
    }
    Ok(())
}

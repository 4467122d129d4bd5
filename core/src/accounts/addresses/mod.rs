//! Addresses that were stored before the two spellings of an internationalized domain were one.
//!
//! At each start the server gives them their canonical form. Where two users of a scope turn out to have one address,
//! the one that has it in the canonical form keeps it. The other stays as it is: it can log in, but mail is not sent to an
//! address that belongs to two accounts. Health names it until an operator changes one of the two (D01).

mod store;

use std::sync::{Arc, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Accounts;
use crate::address::EmailAddress;
use crate::functions::{Access, Call, Function};
use crate::{Error, Result};
use store::Spelled;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoInput {}

/// A user whose address belongs to another user of the scope, in another spelling.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
struct Conflict {
    user_id: String,
    username: String,
    scope: String,
    email: String,
}

pub(super) fn function(accounts: &Arc<Accounts>) -> Function {
    Function::read(
        "users.addressConflicts",
        "Lists users who get no mail because another user of the scope has their address in another spelling.",
        accounts,
        conflicts,
    )
    .access(Access::APP)
}

async fn conflicts(accounts: Arc<Accounts>, _: Arc<Call>, _: NoInput) -> Result<Vec<Conflict>> {
    let known = accounts
        .conflicts
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let mut conflicts = Vec::new();
    for id in known {
        // An operator may have changed or deleted it since the start.
        let Some(user) = store::get(&accounts.core.db, &id).await? else {
            continue;
        };
        if canonical(&user).is_some() {
            conflicts.push(Conflict {
                user_id: user.id,
                username: user.username,
                scope: user.scope,
                email: user.email,
            });
        }
    }
    Ok(conflicts)
}

impl Accounts {
    /// Gives stored addresses the form in which they are compared.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn normalize_addresses(&self) -> Result<()> {
        let mut conflicts = Vec::new();
        for user in store::internationalized(&self.core.db).await? {
            let Some(address) = canonical(&user) else { continue };
            let (email, key) = (address.to_string(), address.canonical());
            let (id, scope) = (user.id.clone(), user.scope.clone());
            match store::respell(&self.core.db, user, email, key).await {
                Ok(true) => {}
                Ok(false) => {
                    tracing::warn!(
                        user = %id, %scope,
                        "another user of the scope has this user's address in another spelling; it gets no mail"
                    );
                    conflicts.push(id);
                }
                // It must not keep the server from starting; the next start tries again.
                Err(error) => warn(&id, &error),
            }
        }
        *self.conflicts.lock().unwrap_or_else(PoisonError::into_inner) = conflicts;
        Ok(())
    }
}

fn warn(user: &str, error: &Error) {
    tracing::warn!(%user, %error, "a user's address could not be given its canonical form");
}

/// The canonical form of a user's address, when it is stored in another one.
fn canonical(user: &Spelled) -> Option<EmailAddress> {
    let address = EmailAddress::parse(&user.email).ok()?;
    (address.canonical() != user.email_key).then_some(address)
}

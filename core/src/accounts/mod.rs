//! Accounts: scopes, which are applications, and the users of each.
//!
//! A user belongs to one scope. In it, the username and the mail address are each taken once, compared in their
//! canonical form (`crate::address`, `names`). Passwords are hashed before the transaction that stores them, and a
//! change of password, address or activity kills the user's one-time codes in that same transaction.

mod addresses;
pub(crate) mod names;
pub(crate) mod policy;
mod scopes;
mod users;

use std::sync::{Arc, Mutex};

use crate::attempts::Attempts;
use crate::db::Together;
use crate::remembered::Remembered;
use crate::{Core, Result};

pub use scopes::{Scope, ScopeSettings};
pub(crate) use users::store::apply;
pub use users::{Changes, User};
pub(crate) use users::{Prepared, not_found};

/// Scopes and users.
pub struct Accounts {
    core: Core,
    attempts: Attempts,
    scopes: Remembered<String, Scope>,
    /// Users that are looked up at the same time share a query.
    look_ups: Together<users::store::Address, Option<User>>,
    /// Users whose address another user has, as of the start.
    conflicts: Mutex<Vec<String>>,
}

/// Adds `scopes.*` and `users.*` of the core.
///
/// # Errors
/// When a function's name is taken.
pub fn start(core: &Core) -> Result<Arc<Accounts>> {
    let accounts = Arc::new(Accounts {
        core: core.clone(),
        attempts: Attempts::default(),
        scopes: Remembered::default(),
        look_ups: Together::default(),
        conflicts: Mutex::default(),
    });
    let mut functions = scopes::functions(&accounts);
    functions.extend(users::functions(&accounts));
    functions.push(addresses::function(&accounts));
    core.functions.add("core", functions)?;
    Ok(accounts)
}

#[cfg(test)]
mod tests;

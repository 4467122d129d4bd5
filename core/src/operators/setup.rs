//! The first operator: made through a one-time link that only who reads the server's output has.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Operators, Origin, SignedIn, sessions, store};
use crate::functions::Role;
use crate::{Code, Error, Result};

const SETTING: &str = "operators.setup";
/// A link that nobody used within an hour is dead; a restart prints a new one.
const LIFETIME_MS: i64 = 3_600_000;

/// Only the hash is kept: a copy of the database makes no operator.
#[derive(Serialize, Deserialize)]
struct Waiting {
    token_hash: Vec<u8>,
    expires_at: i64,
}

/// The secret end of the set-up link.
#[derive(Debug)]
pub struct SetupLink {
    pub token: String,
}

impl Operators {
    /// A new set-up link, which ends any older one; `None` when there is an operator already.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub async fn setup_link(&self) -> Result<Option<SetupLink>> {
        if store::any(&self.core.db).await? {
            return Ok(None);
        }
        let token = sessions::new_token();
        let expires_at = self.core.clock.now_ms() + LIFETIME_MS;
        let waiting = Waiting {
            token_hash: Sha256::digest(&token).to_vec(),
            expires_at,
        };
        self.core.settings.put(SETTING, &waiting).await?;
        Ok(Some(SetupLink { token }))
    }

    /// Whether there is an operator; without one nobody can sign in.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn any(&self) -> Result<bool> {
        store::any(&self.core.db).await
    }

    /// Whether this is the live set-up link's token.
    ///
    /// # Errors
    /// `CodeDead` when it is not; the database's errors.
    pub async fn check_setup(&self, token: &str) -> Result<()> {
        let waiting: Option<Waiting> = self.core.settings.get(SETTING).await?;
        let live = waiting.is_some_and(|waiting| {
            let same: bool = waiting.token_hash.ct_eq(&Sha256::digest(token)[..]).into();
            same && waiting.expires_at > self.core.clock.now_ms()
        });
        if live && !store::any(&self.core.db).await? {
            Ok(())
        } else {
            Err(dead())
        }
    }

    /// Makes the first operator, an admin, and signs them in.
    ///
    /// # Errors
    /// `CodeDead` when the link is not live any more; otherwise as [`Operators::add`], and the link stays live.
    pub async fn complete_setup(
        &self,
        token: &str,
        name: &str,
        password: String,
        origin: &Origin,
    ) -> Result<SignedIn> {
        self.check_setup(token).await?;
        let row = store::NewOperator {
            id: crate::random::id("op"),
            name: super::valid_name(name)?.to_owned(),
            name_key: super::name_key(name),
            password_hash: self.hashed(name, password).await?,
            role: Role::Admin.name(),
            created_at: self.core.clock.now_ms(),
        };
        let row = store::insert_first(&self.core.db, row, SETTING)
            .await?
            .ok_or_else(dead)?;
        self.note("set up", &row.id, &row.name, origin.address, None)
            .await;
        self.open_session(row, origin, self.core.clock.now_ms()).await
    }
}

fn dead() -> Error {
    Error::new(
        Code::CodeDead,
        "This set-up link was used already or is too old. Restart the server for a new one, \
         or type `coronet operator add` on it.",
    )
}

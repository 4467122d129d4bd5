//! The first operator: made through a one-time link that only who reads the server's output has.

use super::links::{LinkKind, hash};
use super::{Operators, Origin, SignedIn, store};
use crate::functions::Role;
use crate::{Code, Error, Result};

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
        let (token, link) = self.new_link(LinkKind::SetUp, None).await?;
        store::insert_set_up(&self.core.db, link).await?;
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
    /// `CodeDead` when it is not; `RateLimited` for a network that showed many dead ones; the database's errors.
    pub async fn check_setup(&self, token: &str, origin: &Origin) -> Result<()> {
        match self.live_link(token, origin).await {
            Ok((LinkKind::SetUp, _)) if !store::any(&self.core.db).await? => Ok(()),
            Err(error) if error.code() != Code::CodeDead => Err(error),
            _ => Err(dead()),
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
        self.check_setup(token, origin).await?;
        let row = store::NewOperator {
            id: crate::random::id("op"),
            name: super::valid_name(name)?.to_owned(),
            name_key: super::name_key(name),
            email: None,
            language: origin.language,
            password_hash: self.hashed(name, password).await?,
            role: Role::Admin.name(),
            created_at: self.core.clock.now_ms(),
        };
        let row = store::insert_first(&self.core.db, row, hash(token))
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

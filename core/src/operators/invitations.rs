//! Operators who are added, by a password or an invitation, and their addresses.

use serde_json::json;

use super::email::Email;
use super::letters::{Changed, Letter, no_address};
use super::links::LinkKind;
use super::{Operators, store};
use crate::functions::{Caller, Via};
use crate::{Code, Error, Result};

impl Operators {
    pub(super) async fn add_with(&self, row: store::NewOperator, password: String) -> Result<String> {
        let password_hash = self.hashed(&row.name, password).await?;
        let row = store::NewOperator { password_hash, ..row };
        let id = row.id.clone();
        store::insert(&self.core.db, row, None).await?;
        Ok(id)
    }

    /// The operator and the mail are one write, so no operator is left without an invitation.
    pub(super) async fn add_invited(&self, row: store::NewOperator, by: &Caller) -> Result<String> {
        let email = row.email.as_ref().ok_or_else(no_address)?;
        self.needs_mail().await?;
        let operator = store::OperatorRow {
            id: row.id.clone(),
            name: row.name.clone(),
            email: Some(email.shown.clone()),
            language: row.language.map(str::to_owned),
            password_hash: String::new(),
            role: row.role.to_owned(),
            active: 1,
            created_at: row.created_at,
            last_login_at: None,
        };
        let invitation = self.invitation(&operator, by).await?;
        let state = invitation.mail.state();
        store::insert(&self.core.db, row, Some(invitation)).await?;
        self.mail.accepted(state);
        Ok(operator.id)
    }

    pub(super) async fn invite(&self, id: &str, by: &Caller) -> Result<()> {
        let operator = store::find(&self.core.db, id).await?.ok_or_else(absent)?;
        let conflict = |text: &str| Err(Error::new(Code::Conflict, text));
        if !operator.password_hash.is_empty() {
            return conflict(
                "This operator has a password already. Who forgot it chooses another one with *Forgot your password?* on \
                 the sign-in page.",
            );
        }
        if operator.active == 0 {
            return conflict("This operator may not sign in. Let them sign in first.");
        }
        self.needs_mail().await?;
        let invitation = self.invitation(&operator, by).await?;
        let state = invitation.mail.state();
        if !store::insert_invitation(&self.core.db, invitation).await? {
            return conflict("The operator has changed meanwhile. Look at them again.");
        }
        self.mail.accepted(state);
        Ok(())
    }

    /// What tells an operator at the old address that it was changed, if it will be.
    pub(super) async fn address_notice(
        &self,
        id: &str,
        email: Option<&Option<Email>>,
    ) -> Result<Option<crate::mail::NewMail>> {
        let Some(email) = email else { return Ok(None) };
        let operator = store::find(&self.core.db, id).await?;
        let changes =
            |row: &&store::OperatorRow| row.email.as_ref() != email.as_ref().map(|email| &email.shown);
        Ok(self
            .notice(operator.as_ref().filter(changes), Changed::Address, None)
            .await)
    }

    /// An invitation for an operator, and the mail that carries it.
    async fn invitation(&self, operator: &store::OperatorRow, by: &Caller) -> Result<store::MailedLink> {
        // Who uses the command line has no name here.
        let inviter = match by {
            Caller::Operator(operator) if operator.via == Via::Webmin => Some(&operator.name),
            _ => None,
        };
        let data = json!({ "invited_by": inviter });
        self.mailed_link(LinkKind::Invitation, operator, Letter::Invitation, data, None)
            .await
    }
}

fn absent() -> Error {
    Error::new(Code::NotFound, "There is no operator with this id.")
}

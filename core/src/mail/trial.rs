//! A mail that is handed to a transport at once, to see whether it works before mail depends on it (UX07).

use serde_json::{Value, json};

use super::delivery::shortened;
use super::message::Message;
use super::store::{self, Claimed, Tried};
use super::transports::CAPTURE;
use super::{MailService, State, sender};
use crate::functions::Call;
use crate::{Code, Error, Figure, Result, random};

const TEMPLATE: &str = "mail/test.tpl";
/// What test mails are found by. A test mail that fails is what its sender wanted to know, and no incident (UX08).
pub(super) const KIND: &str = "test";
pub(super) const ID: &str = "mail";

/// What a test mail says.
#[derive(Debug, Default)]
pub(super) struct Wish {
    pub(super) to: String,
    pub(super) from: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) text: Option<String>,
    pub(super) html: Option<String>,
}

impl MailService {
    /// The test mail for a transport.
    pub(super) async fn test_message(&self, call: &Call, wish: Wish, transport: &str) -> Result<Message> {
        let from = match wish.from {
            Some(from) => from,
            None => sender::usual(&self.core).await?,
        };
        let name = self.core.settings.now().server.name.clone();
        let server = if name.is_empty() {
            "Coronet".to_owned()
        } else {
            name
        };
        let content = if wish.text.is_some() || wish.html.is_some() {
            json!({ "text": wish.text, "html": wish.html })
        } else {
            let data = json!({ "to": wish.to, "transport": transport, "server": server });
            call.invoke("template.renderMail", json!({ "file": TEMPLATE, "data": data }))
                .await?
        };
        let subject = wish
            .subject
            .unwrap_or_else(|| format!("A test mail from {server}"));
        let message = json!({
            "to": wish.to, "from": from, "subject": subject,
            "text": content["text"], "html": content["html"], "tags": "test",
            "reference": { "kind": KIND, "id": ID },
        });
        serde_json::from_value(message).map_err(Error::unexpected)
    }

    /// Hands a mail to a transport, whether or not it is the active one, and keeps it in the outbox with what came of it.
    ///
    /// # Errors
    /// `MailNotSent` with the provider's answer when it did not take the mail.
    pub(super) async fn try_transport(&self, transport: &str, message: Message) -> Result<()> {
        if transport == CAPTURE {
            return Ok(());
        }
        let id = random::id("mail");
        let kept = message.check(&id, &self.core.settings.now().mail)?;
        let mut mail = self.sealed(&id, &kept)?;
        let claimed = Claimed {
            id: id.clone(),
            message: mail.message.clone(),
            attempts: 1,
            queued_at: mail.now,
        };
        let finished = self.attempt(transport, claimed).await;
        let taken = finished.state == State::Sent;
        mail.state = if taken { State::Sent } else { State::Failed };
        let detail = finished.detail.as_deref().map(shortened);
        let tried = Tried {
            transport: transport.to_owned(),
            provider_id: finished.provider_id,
            detail: detail.clone(),
            at: finished.at,
        };
        store::insert_tried(&self.core.db, mail, tried).await?;
        self.core.figures.note(Figure::MailAccepted, 1);
        if taken {
            self.core.figures.note(Figure::MailSent, 1);
            return Ok(());
        }
        let why = detail.unwrap_or_default();
        let text = format!("{transport} did not take the test mail, so it is not in use: {why}");
        let details: Value = json!({ "parameter": "test_to", "mail_id": id });
        Err(Error::new(Code::MailNotSent, text.trim_end_matches([':', ' '])).with_details(details))
    }
}

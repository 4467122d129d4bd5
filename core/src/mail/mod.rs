//! Mail: the outbox, the worker that empties it, and the transports that deliver.
//!
//! [`MailService::send`] writes the mail and returns once it is durable; no caller ever waits for a provider. The worker
//! (`delivery`) claims what is due under a lease, calls the active transport's function, and records what became of it.
//! A mail is delivered at least once: when a server dies between handing it over and recording that, it is sent again
//! with the same Message-Id.

mod attempt;
mod delivery;
mod dialect;
mod events;
mod functions;
mod masks;
mod message;
mod reports;
mod retention;
pub mod sender;
mod source;
mod store;
mod timeline;
mod transports;
mod trial;
mod trouble;
mod view;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::Notify;

use crate::functions::Actor;
use crate::{Code, Core, Error, Figure, Result, random};
use message::Kept;
use timeline::Past;
use transports::Transports;

pub(crate) use message::Secret;
pub use message::{Message, Reference, UserMail};
pub(crate) use store::{NewMail, insert_all};
pub use timeline::{Step, What};
pub use transports::Transport;
pub use view::{Attempt, Mail, State, Summary};

/// The outbox and its worker.
pub struct MailService {
    core: Core,
    transports: Transports,
    /// Wakes the worker when there is something to send.
    wake: Notify,
}

/// How mail does, in figures.
#[derive(Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Stats {
    pub queued: i64,
    pub sending: i64,
    /// Taken by the provider, which has not told yet what became of it.
    pub sent: i64,
    pub delivered: i64,
    pub bounced: i64,
    pub failed: i64,
    pub captured: i64,
    pub cancelled: i64,
    /// Since when the mail that waits longest has waited, Unix milliseconds.
    pub oldest_waiting_at: Option<i64>,
    /// The active transport.
    pub transport: String,
    /// `ready`, `paused` or `missing`.
    pub transport_state: String,
    pub paused_until: Option<i64>,
    /// What an operator has to do something about.
    pub alarm: Option<String>,
}

/// Adds `mail.*`.
///
/// # Errors
/// When a function's name is taken.
pub fn start(core: &Core) -> Result<Arc<MailService>> {
    let mail = Arc::new(MailService {
        core: core.clone(),
        transports: Transports::new(core),
        wake: Notify::new(),
    });
    core.functions.add("core", functions::all(&mail))?;
    Ok(mail)
}

/// What mails with a link of an operator refer to. Such a link is shown to nobody, not even in captured mail: who reads
/// mail may be an editor, and the link an admin's.
pub(crate) const OPERATOR_LINK: &str = "operator-link";

/// What a mail's message is sealed for: it opens in its own row only.
fn context(id: &str) -> String {
    format!("mail {id}")
}

fn reference_text(reference: &Reference) -> String {
    format!("{}/{}", reference.kind, reference.id)
}

impl MailService {
    /// Puts a mail into the outbox. It is safe when this returns.
    ///
    /// # Errors
    /// What is wrong with the message; `Unavailable` when it could not be written.
    pub async fn send(&self, message: Message) -> Result<String> {
        let mail = self.prepare(message).await?;
        let id = mail.id.clone();
        let state = mail.state;
        store::insert(&self.core.db, mail).await?;
        self.accepted(state);
        Ok(id)
    }

    /// Says what [`Self::send`] would say of a message, without sending it.
    ///
    /// # Errors
    /// What is wrong with the message.
    pub fn check(&self, message: Message) -> Result<()> {
        let settings = self.core.settings.now();
        message.check(&random::id("mail"), &settings.mail).map(|_| ())
    }

    /// Makes a mail ready for the write that it is about, after which the caller calls [`Self::accepted`].
    ///
    /// # Errors
    /// What is wrong with the mail.
    pub(crate) async fn prepare_for(&self, mail: UserMail, address: String) -> Result<NewMail> {
        self.prepare(mail.to(address)).await
    }

    /// As [`Self::prepare_for`], with a secret in the mail.
    ///
    /// # Errors
    /// What is wrong with the mail.
    pub(crate) async fn prepare_with(
        &self,
        mail: UserMail,
        secret: Secret<'_>,
        address: String,
    ) -> Result<NewMail> {
        self.prepare(mail.with(secret, address)?).await
    }

    /// Whether mail of the server's own reaches people: a transport delivers it, and it has a sender.
    pub(crate) async fn delivers(&self) -> Result<bool> {
        Ok(self.transports.active().await? != transports::CAPTURE && self.has_sender())
    }

    /// As [`Self::delivers`], as this server saw it last.
    pub(crate) fn delivered_lately(&self) -> bool {
        self.transports.latest() != transports::CAPTURE && self.has_sender()
    }

    fn has_sender(&self) -> bool {
        !self.core.settings.now().mail.default_sender.is_empty()
    }

    /// Tells the worker that a mail was put into the outbox in this state.
    pub(crate) fn accepted(&self, state: State) {
        self.core.figures.note(Figure::MailAccepted, 1);
        if state == State::Captured {
            self.core.figures.note(Figure::MailCaptured, 1);
        }
        self.wake.notify_one();
    }

    async fn prepare(&self, message: Message) -> Result<NewMail> {
        let id = random::id("mail");
        let kept = message.check(&id, &self.core.settings.now().mail)?;
        let state = if self.transports.is_capturing().await? {
            State::Captured
        } else {
            State::Queued
        };
        Ok(NewMail {
            state,
            ..self.sealed(&id, &kept)?
        })
    }

    /// A checked message as a row of the outbox, which waits to be sent.
    fn sealed(&self, id: &str, kept: &Kept) -> Result<NewMail> {
        let plain = serde_json::to_vec(kept).map_err(Error::unexpected)?;
        let content = &kept.content;
        let recipients = [&content.to, &content.cc, &content.bcc];
        Ok(NewMail {
            state: State::Queued,
            recipients: recipients
                .into_iter()
                .flatten()
                .cloned()
                .collect::<Vec<_>>()
                .join(", "),
            subject: kept.masks.apply(&content.subject),
            reference: kept.reference.as_ref().map(reference_text),
            own_account: kept.account.is_some(),
            message: self.core.secrets.seal(&context(id), &plain),
            now: self.core.clock.now_ms(),
            id: id.to_owned(),
        })
    }

    /// A whole mail. What it masks is shown only of a mail that was kept for reading, and to those who may act.
    pub(crate) async fn get(&self, id: &str, may_act: bool) -> Result<Mail> {
        let row = store::get(&self.core.db, id).await?.ok_or_else(unknown)?;
        let past = Past {
            provider_id: row.provider_id,
            attempts: store::attempts(&self.core.db, id).await?,
            events: events::all(&self.core.db, id).await?,
        };
        let kept = self.open(id, &row.message)?;
        let summary = row.summary.read();
        let of_operator = kept
            .reference
            .as_ref()
            .is_some_and(|about| about.kind == OPERATOR_LINK);
        let may_see_secrets = may_act && summary.state == State::Captured && !of_operator;
        Ok(Mail::new(summary, kept, past, may_see_secrets))
    }

    /// Queues again a mail that was given up, kept for reading or taken back; one that waits is tried at once.
    async fn retry(&self, id: &str, by: Actor) -> Result<()> {
        let state = self.state(id).await?;
        if matches!(state, State::Sent | State::Sending | State::Delivered) {
            return Err(conflict("The mail was handed to the provider already."));
        }
        self.move_from(id, state, State::Queued, by).await?;
        // Somebody acted: the transport gets another chance too.
        self.transports.resume(&self.transports.active().await?);
        self.wake.notify_one();
        Ok(())
    }

    async fn cancel(&self, id: &str, by: Actor) -> Result<()> {
        match self.state(id).await? {
            State::Queued => self.move_from(id, State::Queued, State::Cancelled, by).await,
            _ => Err(conflict("Only a mail that waits can be cancelled.")),
        }
    }

    async fn state(&self, id: &str) -> Result<State> {
        let row = store::get(&self.core.db, id).await?.ok_or_else(unknown)?;
        Ok(row.summary.read().state)
    }

    async fn move_from(&self, id: &str, from: State, to: State, by: Actor) -> Result<()> {
        let change = store::Change {
            id: id.to_owned(),
            from,
            to,
            by,
            now: self.core.clock.now_ms(),
        };
        if store::change_state(&self.core.db, change).await? {
            return Ok(());
        }
        Err(conflict("The mail has changed meanwhile. Look at it again."))
    }

    fn check_transport(&self, name: &str) -> Result<()> {
        if self.transports.is_known(name) {
            return Ok(());
        }
        let text = "No running plugin provides a mail transport of this name. See mail.transports.";
        Err(Error::new(Code::NotFound, text))
    }

    async fn use_transport(&self, name: &str) -> Result<()> {
        self.transports.choose(name).await?;
        self.wake.notify_one();
        Ok(())
    }

    async fn stats(&self) -> Result<Stats> {
        let mut stats = Stats::default();
        for (state, count) in store::counts(&self.core.db).await? {
            *match State::from_name(&state) {
                State::Queued => &mut stats.queued,
                State::Sending => &mut stats.sending,
                State::Sent => &mut stats.sent,
                State::Delivered => &mut stats.delivered,
                State::Bounced => &mut stats.bounced,
                State::Failed => &mut stats.failed,
                State::Captured => &mut stats.captured,
                State::Cancelled => &mut stats.cancelled,
            } += count;
        }
        stats.oldest_waiting_at = store::oldest_waiting(&self.core.db).await?;
        let transports = self.transports.list(self.core.clock.now_ms()).await?;
        if let Some(active) = transports.into_iter().find(|transport| transport.active) {
            stats.transport = active.name;
            stats.transport_state = active.state;
            stats.paused_until = active.paused_until;
            stats.alarm = active.alarm;
        }
        Ok(stats)
    }

    fn open(&self, id: &str, sealed: &[u8]) -> Result<Kept> {
        let plain = self.core.secrets.unseal(&context(id), sealed)?;
        serde_json::from_slice(&plain).map_err(Error::unexpected)
    }
}

fn unknown() -> Error {
    Error::new(Code::NotFound, "There is no such mail.")
}

fn conflict(text: &str) -> Error {
    Error::new(Code::Conflict, text)
}

#[cfg(test)]
mod tests;

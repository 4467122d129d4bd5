//! What a provider tells, by a webhook, of the mails that it took.
//!
//! Only the plugin that delivers for a mail's transport may tell of it. What it tells is a stranger's text: it is
//! bounded, masked, and shown as text (M13).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::delivery::shortened;
use super::events::{self, NewEvent};
use super::timeline::What;
use super::{MailService, State};
use crate::db::write_each;
use crate::functions::Caller;
use crate::{Code, Error, Figure, Result};

/// No news come from later than this: a provider's clock may be a little ahead.
const AHEAD_MS: i64 = 300_000;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Report {
    #[schemars(length(min = 1, max = 100))]
    events: Vec<Told>,
}

/// Something that happened to a mail at the provider's.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Told {
    /// The provider's name for the event. Told twice, it counts once.
    #[schemars(length(min = 1, max = 128))]
    id: String,
    /// The mail's Message-Id, or the `provider_id` that its delivery was answered with; with or without angle brackets.
    #[schemars(length(min = 1, max = 998))]
    mail: String,
    what: News,
    /// When it happened, Unix milliseconds.
    at: i64,
    /// Whom of the recipients it is about.
    recipient: Option<String>,
    /// Why, in plain words. What is beyond 500 characters is cut off.
    reason: Option<String>,
}

/// What a provider can tell of.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum News {
    /// The recipient's server asked to come back later.
    Deferred,
    /// The recipient's server took it.
    Delivered,
    /// It will never be delivered.
    Bounced,
    /// The recipient called it spam.
    Complained,
    Read,
    Clicked,
    Unsubscribed,
}

/// What became of a report.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub(super) struct Reported {
    /// Events of mails that are in the outbox. Others are none of ours, or deleted by now.
    known: usize,
}

impl From<News> for What {
    fn from(news: News) -> Self {
        match news {
            News::Deferred => Self::Deferred,
            News::Delivered => Self::Delivered,
            News::Bounced => Self::Bounced,
            News::Complained => Self::Complained,
            News::Read => Self::Read,
            News::Clicked => Self::Clicked,
            News::Unsubscribed => Self::Unsubscribed,
        }
    }
}

impl MailService {
    pub(super) async fn report(&self, caller: &Caller, report: Report) -> Result<Reported> {
        let plugin = caller.provider();
        if !self.transports.provides_any(plugin) {
            let text = "Only a plugin that provides a mail transport can report what became of mail.";
            return Err(Error::new(Code::Forbidden, text));
        }
        let mut events = Vec::with_capacity(report.events.len());
        for told in report.events {
            events.extend(self.event(plugin, told).await?);
        }
        let known = events.len();
        if known > 0 {
            self.keep(events).await?;
        }
        Ok(Reported { known })
    }

    /// Stores events. One that can never be stored is dropped, so that the provider does not send all of them again for
    /// ever.
    async fn keep(&self, events: Vec<NewEvent>) -> Result<()> {
        let subjects: Vec<String> = events.iter().map(|event| event.mail_id.clone()).collect();
        let report = |events: Vec<NewEvent>| async move {
            let count = events.len();
            let moved = events::report(&self.core.db, events).await?;
            self.note_told(&moved);
            Ok(vec![(); count])
        };
        for (mail, outcome) in subjects.iter().zip(write_each(events, report).await) {
            match outcome {
                Err(error) if error.is_retryable() => return Err(error),
                Err(error) => {
                    let now = self.core.clock.now_ms();
                    self.core.losses.note("An event of a mail", mail, &error, now);
                }
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// Counts the states that mails came to by what a provider told.
    pub(super) fn note_told(&self, moved: &[State]) {
        for state in moved {
            match state {
                State::Delivered => self.core.figures.note(Figure::MailDelivered, 1),
                State::Bounced => self.core.figures.note(Figure::MailBounced, 1),
                _ => {}
            }
        }
    }

    /// `None` when the plugin has no such mail.
    async fn event(&self, plugin: &str, told: Told) -> Result<Option<NewEvent>> {
        let mail = told.mail.trim_matches(['<', '>', ' ']);
        if mail.contains('\0') || told.id.contains('\0') {
            return Ok(None);
        }
        // Our own Message-Id starts with the mail's id.
        let id = mail.split('@').next().unwrap_or_default();
        let Some(found) = events::told_of(&self.core.db, id, mail).await? else {
            return Ok(None);
        };
        // A mail that waits to be sent again has no transport; the news are of the time before.
        let transport = found.transport;
        if transport
            .as_deref()
            .is_some_and(|name| !self.transports.belongs_to(name, plugin))
        {
            return Ok(None);
        }
        // Of a mail that this server cannot decrypt, the secrets to mask are unknown: nothing of the text is shown (B03).
        let kept = self.open(&found.id, &found.message).ok();
        let shown = |text: String| {
            let masks = kept.as_ref().map(|kept| &kept.masks);
            masks.map_or_else(String::new, |masks| shortened(&masks.apply(text.trim())))
        };
        let latest = self.core.clock.now_ms() + AHEAD_MS;
        Ok(Some(NewEvent {
            event_id: told.id,
            transport: transport.or_else(|| Some(plugin.to_owned())),
            recipient: told.recipient.map(shown).filter(|text| !text.is_empty()),
            detail: told.reason.map(shown).filter(|text| !text.is_empty()),
            ..NewEvent::new(&found.id, told.what.into(), told.at.clamp(0, latest))
        }))
    }
}

//! New passwords by mail, for operators who forgot theirs.
//!
//! Nobody learns here whether an operator has an address: every request is checked in the same way, kept, and answered;
//! only then, by a task of its own, the address is looked up and the mail written. Requests are kept in memory: one that a
//! dying server loses is asked for again.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::sync::Notify;

use super::email::Email;
use super::letters::{Language, Letter};
use super::links::LinkKind;
use super::{Operators, Origin, store};
use crate::functions::limits::{Limit, too_many_requests};
use crate::functions::network;
use crate::{Code, Error, Result};

/// Mails with a link that one operator gets within an hour. Further requests are answered as always and send nothing.
const MAILS_PER_HOUR: i64 = 5;
const HOUR_MS: i64 = 3_600_000;
/// Requests that may wait. Networks are limited, so more are an attack from everywhere.
const MOST_WAITING: usize = 1000;
/// How long a request is tried again when the database is away. The operator has asked again by then.
const PATIENCE_MS: i64 = 600_000;
const RETRY: Duration = Duration::from_secs(5);

/// A request for a new password.
#[derive(Debug)]
struct Request {
    email: Email,
    from: Option<IpAddr>,
    language: Option<Language>,
    at: i64,
}

/// The requests that wait.
#[derive(Default)]
pub(super) struct Requests {
    waiting: Mutex<VecDeque<Request>>,
    wake: Notify,
    by_network: Limit<IpAddr>,
}

impl Requests {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Request>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Operators {
    /// Asks for a mail with a link to choose a new password. The answer is the same whether or not an operator has the
    /// address.
    ///
    /// # Errors
    /// `MailConfiguration` when this server cannot send mail; `MailAddress` when it is no address; `RateLimited` when the
    /// network asks too often.
    pub async fn request_reset(&self, address: &str, origin: &Origin) -> Result<()> {
        self.needs_mail().await?;
        if let Some(from) = origin.address {
            let most = self.core.settings.now().security.network_requests_per_minute;
            if !self.requests.by_network.take(network(from), most, most * 2 / 3) {
                return Err(too_many_requests("from your network"));
            }
        }
        let email = Email::read(address)?.ok_or_else(|| {
            Error::new(Code::MailAddress, "The mail address is missing.")
                .with_details(json!({ "parameter": "email" }))
        })?;
        let mut waiting = self.requests.lock();
        if waiting.len() >= MOST_WAITING {
            let text = "Too many requests at the moment. Try again in a few minutes.";
            return Err(Error::new(Code::Unavailable, text));
        }
        waiting.push_back(Request {
            email,
            from: origin.address,
            language: Language::of_tag(origin.language),
            at: self.core.clock.now_ms(),
        });
        drop(waiting);
        self.requests.wake.notify_one();
        Ok(())
    }

    /// Answers requests by mail until the server stops.
    pub async fn run(self: Arc<Self>) {
        while !self.core.shutdown.is_triggered() {
            let retry = self.answer_requests().await.is_err();
            tokio::select! {
                () = self.requests.wake.notified(), if !retry => {}
                () = tokio::time::sleep(RETRY), if retry => {}
                () = self.core.shutdown.triggered() => {}
            }
        }
    }

    /// Answers all requests that wait.
    ///
    /// # Errors
    /// When the database is away; the requests then wait on.
    pub async fn answer_requests(&self) -> Result<()> {
        loop {
            let Some(request) = self.requests.lock().pop_front() else {
                return Ok(());
            };
            let Err(error) = self.answer(&request).await else {
                continue;
            };
            let now = self.core.clock.now_ms();
            if error.is_retryable() && now - request.at < PATIENCE_MS {
                self.requests.lock().push_front(request);
                return Err(error);
            }
            // Whom it was for is not said: the log and health are read by more people than may know.
            self.core
                .losses
                .note("A request for a new operator password", "mail", &error, now);
        }
    }

    async fn answer(&self, request: &Request) -> Result<()> {
        let Some(operator) = store::find_by_email(&self.core.db, &request.email.key).await? else {
            return Ok(());
        };
        let mailed = self
            .mailed_link(
                LinkKind::Reset,
                &operator,
                Letter::Reset,
                json!({}),
                request.language,
            )
            .await?;
        let (state, made_at) = (mailed.mail.state(), mailed.link.created_at);
        let sent = store::insert_reset(&self.core.db, mailed, MAILS_PER_HOUR, made_at - HOUR_MS).await?;
        if sent {
            self.mail.accepted(state);
            self.note(
                "ask for a new password",
                &operator.id,
                &operator.name,
                request.from,
                None,
            )
            .await;
        }
        Ok(())
    }
}

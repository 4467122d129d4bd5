//! The worker that empties the outbox.
//!
//! It sleeps until a mail is sent or becomes due, claims what is due in one write for many, and has several attempts
//! under way at once. What became of them is written together, too. A claim is a lease that is renewed while attempts
//! are under way; when a server dies, its leases run out and another takes the mail over. A server that comes back on
//! the same home takes over its own at once.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::attempt::{Receipt, Verdict, judge, wait_ms};
use super::masks::Masks;
use super::message::Kept;
use super::store::{self, Claim, Claimed, Finished};
use super::transports::{CAPTURE, Room, Sign};
use super::{Attempt, MailService, Reference, State, trial};
use crate::db::write_each;
use crate::functions::Caller;
use crate::{Code, Error, Figure, Result, random};

/// Outcomes written at once.
const WRITTEN_AT_ONCE: usize = 64;
/// Fewer free places than this are not worth a claim of their own.
const WORTH_A_CLAIM: usize = 16;
/// Claims are at least this far apart: what comes meanwhile shares the next one.
const CLAIM_EVERY: Duration = Duration::from_millis(10);
/// Outcomes are written at most this often.
const RECORD_EVERY: Duration = Duration::from_millis(10);
/// The longest an attempt may take, whatever the transport's own deadline.
const ATTEMPT: Duration = Duration::from_secs(60);
/// How often the worker looks for mail that became due, or was left by a server that died.
const LOOK: Duration = Duration::from_secs(1);
/// A dead server's mail is taken over within 15 seconds: the lease, and the time until somebody looks.
const LEASE_MS: i64 = 10_000;
const RENEW: Duration = Duration::from_secs(3);
const SWEEP: Duration = Duration::from_secs(3600);
/// When a mail that could not be decrypted is looked at again.
const LEFT_ALONE_MS: i64 = 300_000;
/// How long the worker waits before it writes again what could not be written.
const WRITE_AGAIN: Duration = Duration::from_millis(500);
const LONGEST_ANSWER: usize = 500;

impl MailService {
    /// Delivers mail until the server stops; then finishes what is under way.
    pub async fn run(self: Arc<Self>) {
        let owner = identity(&self.core.config.home);
        // Nothing of ours is under way yet: what bears our name is from before we died.
        self.take_over(Some(owner.clone())).await;
        let (results, finished) = mpsc::channel(WRITTEN_AT_ONCE * 2);
        let recorder = tokio::spawn(Arc::clone(&self).record(owner.clone(), finished));
        let mut attempts = JoinSet::new();
        let mut look = interval(LOOK);
        let mut renew = interval(RENEW);
        let mut sweep = interval(SWEEP);
        for timer in [&mut look, &mut renew, &mut sweep] {
            timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        let mut settings = self.core.settings.changes();
        let mut more = true;
        let mut next_claim = Instant::now();
        while !self.core.shutdown.is_triggered() {
            let at_once = usize::try_from(self.core.settings.now().mail.deliveries_at_once).unwrap_or(1);
            let free = at_once.saturating_sub(attempts.len());
            let wanted = more && (free >= WORTH_A_CLAIM.min(at_once) || attempts.is_empty());
            if wanted && Instant::now() >= next_claim {
                next_claim = Instant::now() + CLAIM_EVERY;
                more = self
                    .claim_and_attempt(&owner, free, &mut attempts, &results)
                    .await;
            }
            tokio::select! {
                () = self.core.shutdown.triggered() => break,
                () = sleep_until(next_claim), if wanted => {}
                () = self.wake.notified() => more = true,
                Some(_) = attempts.join_next() => {}
                _ = look.tick() => more |= self.is_due().await,
                _ = renew.tick() => {
                    self.renew_leases(&owner, !attempts.is_empty()).await;
                }
                Ok(()) = settings.changed() => {
                    more = true;
                    sweep.reset_immediately();
                }
                _ = sweep.tick() => {
                    if let Err(error) = self.sweep().await {
                        tracing::warn!(%error, "old mail could not be deleted");
                    }
                }
            }
        }
        while attempts.join_next().await.is_some() {}
        drop(results);
        let _ = recorder.await;
    }

    /// Claims up to `free` mails and begins an attempt at each. Gives whether there may be more.
    async fn claim_and_attempt(
        self: &Arc<Self>,
        owner: &str,
        free: usize,
        attempts: &mut JoinSet<()>,
        results: &mpsc::Sender<Finished>,
    ) -> bool {
        let (transport, claimed) = match self.claim(owner, free).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(%error, "mail could not be claimed");
                return false;
            }
        };
        let more = claimed.len() == free;
        for mail in claimed {
            let (service, results, transport) = (Arc::clone(self), results.clone(), transport.clone());
            attempts.spawn(async move {
                let finished = service.attempt(&transport, mail).await;
                let _ = results.send(finished).await;
            });
        }
        more
    }

    /// Claims mail for the active transport, as much as it has room for.
    pub(super) async fn claim(&self, owner: &str, most: usize) -> Result<(String, Vec<Claimed>)> {
        let now = self.core.clock.now_ms();
        let transport = self.transports.active().await?;
        if transport != CAPTURE && self.transports.function(&transport).is_none() {
            return Ok((transport, Vec::new()));
        }
        let room = self.transports.room(&transport, now);
        let claim = Claim {
            owner: owner.to_owned(),
            transport: transport.clone(),
            // Mail with an account of its own does not suffer from the state of ours.
            only_own_account: room == Room::Closed,
            most: if room == Room::Probe {
                1
            } else {
                i64::try_from(most).unwrap_or(i64::MAX)
            },
            now,
            lease_until: now + LEASE_MS,
        };
        let mut claimed = store::claim(&self.core.db, claim).await?;
        claimed.sort_by(|one, other| one.id.cmp(&other.id));
        Ok((transport, claimed))
    }

    /// Hands a mail to the transport, and says what becomes of it.
    pub(super) async fn attempt(&self, transport: &str, mail: Claimed) -> Finished {
        let began = Instant::now();
        let kept = match self.open(&mail.id, &mail.message) {
            Ok(kept) => kept,
            Err(error) => return self.left_alone(&mail, &error),
        };
        if transport == CAPTURE {
            return self.finished(&mail, State::Captured, Receipt::default());
        }
        // What a test mail is refused for says nothing of others, until one of them is refused too.
        let is_test = kept.reference.as_ref().is_some_and(is_test);
        let own_account = kept.account.is_some();
        let outcome = self.hand_over(transport, &kept).await;
        let now = self.core.clock.now_ms();
        let error = match outcome {
            Ok(receipt) => {
                self.learn(transport, own_account, Sign::Good, now);
                let receipt = Receipt {
                    provider_id: receipt.provider_id.map(|id| shortened(&id)),
                    detail: receipt.detail.map(|detail| shortened(&kept.masks.apply(&detail))),
                };
                return self.finished(&mail, State::Sent, receipt);
            }
            Err(error) => error,
        };
        let (verdict, sign) = judge(&error, &shortened(&kept.masks.apply(error.message())));
        self.learn(transport, own_account || is_test, sign, now);
        let Verdict::Later(asked) = verdict else {
            return self.given_up(transport, &mail, &error, began, &kept.masks);
        };
        let settings = self.core.settings.now();
        let retry_at = now + wait_ms(mail.attempts, asked, &settings.mail);
        if retry_at - mail.queued_at > settings.mail.give_up_hours * 3_600_000 {
            return self.given_up(transport, &mail, &error, began, &kept.masks);
        }
        let attempt = self.failed_attempt(transport, &mail, &error, began, &kept.masks, Some(retry_at));
        Finished {
            due_at: retry_at,
            detail: Some(attempt.message.clone()),
            attempt: Some(attempt),
            ..self.finished(&mail, State::Queued, Receipt::default())
        }
    }

    async fn hand_over(&self, transport: &str, kept: &Kept) -> Result<Receipt> {
        let Some(function) = self.transports.function(transport) else {
            let text = "The plugin of the mail transport is not running.";
            return Err(Error::new(Code::Unavailable, text));
        };
        let mut message =
            serde_json::to_value(kept.content.clone().for_transport()).map_err(Error::unexpected)?;
        // Links with secrets must not pass a tracking host (C12); the secrets themselves are not said.
        message["masked"] = (!kept.masks.is_empty()).into();
        if let Some(account) = &kept.account {
            message["account"] = serde_json::to_value(account).map_err(Error::unexpected)?;
        }
        let latest = Instant::now() + ATTEMPT;
        let receipt = self
            .core
            .functions
            .call_within(
                &Caller::System,
                &function,
                json!({ "message": message }),
                Some(latest),
            )
            .await?;
        // Taken is taken: an answer of another shape must not send the mail twice.
        let known = receipt.as_object().map_or_else(Map::new, |answer| {
            let texts = answer.iter().filter(|(_, value)| value.is_string());
            texts.map(|(name, value)| (name.clone(), value.clone())).collect()
        });
        Ok(serde_json::from_value(Value::Object(known)).unwrap_or_default())
    }

    /// Claims and attempts what is due, one after the other, and records it: the worker's work without its timers.
    #[cfg(test)]
    pub(crate) async fn round(&self, owner: &str) -> Result<usize> {
        let mut count = 0;
        loop {
            let (transport, claimed) = self.claim(owner, 1).await?;
            let Some(mail) = claimed.into_iter().next() else {
                return Ok(count);
            };
            let finished = self.attempt(&transport, mail).await;
            let moved = store::finish(&self.core.db, owner.to_owned(), vec![finished]).await?;
            self.note_told(&moved);
            count += 1;
        }
    }

    fn learn(&self, transport: &str, own_account: bool, sign: Sign, now: i64) {
        if !own_account {
            self.transports.note(transport, sign, now);
        }
    }

    fn finished(&self, mail: &Claimed, state: State, receipt: Receipt) -> Finished {
        let now = self.core.clock.now_ms();
        Finished {
            id: mail.id.clone(),
            state,
            due_at: now,
            at: now,
            provider_id: receipt.provider_id,
            detail: receipt.detail,
            attempt: None,
            is_attempt: true,
        }
    }

    /// A message that cannot be decrypted is no failure of the mail: another server may have its key, or an operator may
    /// bring the key back (B03).
    fn left_alone(&self, mail: &Claimed, error: &Error) -> Finished {
        tracing::warn!(mail = %mail.id, %error, "a mail cannot be decrypted, and is left as it is");
        let detail = "The message cannot be decrypted: secret.key is not the one it was encrypted with.";
        Finished {
            due_at: self.core.clock.now_ms() + LEFT_ALONE_MS,
            detail: Some(detail.to_owned()),
            is_attempt: false,
            ..self.finished(mail, State::Queued, Receipt::default())
        }
    }

    fn given_up(
        &self,
        transport: &str,
        mail: &Claimed,
        error: &Error,
        began: Instant,
        masks: &Masks,
    ) -> Finished {
        let attempt = self.failed_attempt(transport, mail, error, began, masks, None);
        tracing::warn!(mail = %mail.id, transport, error = %attempt.message, "a mail was given up");
        Finished {
            detail: Some(attempt.message.clone()),
            attempt: Some(attempt),
            ..self.finished(mail, State::Failed, Receipt::default())
        }
    }

    fn failed_attempt(
        &self,
        transport: &str,
        mail: &Claimed,
        error: &Error,
        began: Instant,
        masks: &Masks,
        retry_at: Option<i64>,
    ) -> Attempt {
        Attempt {
            number: mail.attempts,
            at: self.core.clock.now_ms(),
            transport: transport.to_owned(),
            duration_ms: i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX),
            code: error.code().number().into(),
            message: shortened(&masks.apply(error.message())),
            retry_at,
        }
    }

    /// Writes what became of attempts, as many at once as there are.
    async fn record(self: Arc<Self>, owner: String, mut finished: mpsc::Receiver<Finished>) {
        let mut batch = Vec::with_capacity(WRITTEN_AT_ONCE);
        while finished.recv_many(&mut batch, WRITTEN_AT_ONCE).await > 0 {
            self.note_figures(&batch);
            // As long as this is not written, the mail would be sent again: so it is tried until it is.
            loop {
                batch = self.record_once(&owner, batch).await;
                if batch.is_empty() {
                    break;
                }
                tokio::time::sleep(WRITE_AGAIN).await;
            }
            // What is done meanwhile shares the next write.
            tokio::time::sleep(RECORD_EVERY).await;
        }
    }

    /// Writes what can be written now. Returns what is to be tried again: after an error that may pass, and without the
    /// provider's answer when that can never be stored.
    pub(super) async fn record_once(&self, owner: &str, batch: Vec<Finished>) -> Vec<Finished> {
        let finish = |rows: Vec<Finished>| {
            let (db, count) = (&self.core.db, rows.len());
            async move {
                let moved = store::finish(db, owner.to_owned(), rows).await?;
                self.note_told(&moved);
                Ok(vec![(); count])
            }
        };
        let outcomes = write_each(batch.clone(), finish).await;
        let mut again = Vec::new();
        for (mut done, outcome) in batch.into_iter().zip(outcomes) {
            let Err(error) = outcome else { continue };
            if error.is_retryable() {
                tracing::warn!(%error, mail = %done.id, "the outcome of a mail could not be written; trying again");
                again.push(done);
                continue;
            }
            self.core.losses.note(
                "The outcome of a mail",
                &done.id,
                &error,
                self.core.clock.now_ms(),
            );
            if done.forget_answer() {
                again.push(done);
            }
        }
        again
    }

    fn note_figures(&self, batch: &[Finished]) {
        for done in batch {
            let figure = match done.state {
                State::Sent => Figure::MailSent,
                State::Captured => Figure::MailCaptured,
                State::Failed => Figure::MailFailed,
                _ => continue,
            };
            self.core.figures.note(figure, 1);
        }
    }

    async fn is_due(&self) -> bool {
        let due = store::is_due(&self.core.db, self.core.clock.now_ms()).await;
        due.unwrap_or_else(|error| {
            tracing::warn!(%error, "the outbox could not be read");
            false
        })
    }

    /// Renews our leases while attempts are under way, and takes over those that ran out.
    async fn renew_leases(&self, owner: &str, under_way: bool) {
        let now = self.core.clock.now_ms();
        if under_way
            && let Err(error) = store::extend_leases(&self.core.db, owner.to_owned(), now + LEASE_MS).await
        {
            tracing::warn!(%error, "leases on mail could not be renewed");
        }
        if store::any_lease_ran_out(&self.core.db, now)
            .await
            .unwrap_or(false)
        {
            self.take_over(None).await;
        }
    }

    pub(super) async fn take_over(&self, owner: Option<String>) {
        match store::take_over(&self.core.db, owner, self.core.clock.now_ms()).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "mail of a server that died is sent again"),
            Err(error) => tracing::warn!(%error, "mail of a server that died could not be taken over"),
        }
    }
}

fn is_test(reference: &Reference) -> bool {
    reference.kind == trial::KIND && reference.id == trial::ID
}

/// One line of an answer, without what a database cannot keep.
pub(super) fn shortened(text: &str) -> String {
    let line = text
        .chars()
        .filter(|character| *character != '\0')
        .take(LONGEST_ANSWER);
    line.collect()
}

/// This home's name among the servers on one database; made once. One server at a time runs on a home.
fn identity(home: &Path) -> String {
    let path = home.join("server.id");
    match std::fs::read_to_string(&path) {
        Ok(id) if !id.trim().is_empty() => id.trim().to_owned(),
        _ => {
            let id = random::id("srv");
            if let Err(error) = std::fs::write(&path, &id) {
                tracing::warn!(%error, "the server's id could not be kept; a restart waits for its old leases to run out");
            }
            id
        }
    }
}

//! Delivering words about jobs: mail into the outbox, webhooks and pings over HTTP. At least once, and in the background:
//! no run waits for it.

use std::sync::Arc;
use std::time::Duration;

use coronet_core::functions::Caller;
use coronet_core::http_client::{self, HttpRequest, Method, Reach};
use coronet_core::{Code, Error, Result};
use serde_json::{Value, json};

use crate::notice::Targets;
use crate::service::Jobs;
use crate::signing;
use crate::store::Waiting;
use crate::view::{after_failures, in_utc};

const LOOK_EVERY: Duration = Duration::from_secs(5);
const BATCH: i64 = 16;
/// A word whose server died while delivering it is delivered again after this.
const LEASE: i64 = 60_000;
const FIRST_WAIT: i64 = 5_000;
const LONGEST_WAIT: i64 = 3_600_000;
/// A ping that comes hours late tells a falsehood, and a word of trouble is still worth it a day later.
const PING_FOR: i64 = 600_000;
const TELL_FOR: i64 = 86_400_000;

impl Jobs {
    /// Raises alarms and delivers what is to be told, until the server stops.
    pub(crate) async fn deliver(self: Arc<Self>) {
        while !self.core.shutdown.is_triggered() {
            if let Err(error) = self.deliver_once().await {
                tracing::warn!(%error, "words about jobs could not be delivered");
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = self.noticed.notified() => {}
                () = self.core.shutdown.triggered() => {}
            }
        }
    }

    /// Raises the alarms that are due, and tries each word that is due once.
    pub(crate) async fn deliver_once(self: &Arc<Self>) -> Result<()> {
        let now = self.core.clock.now_ms();
        self.raise_overdue(now).await?;
        loop {
            let waiting = self.store.take_notices(now, now + LEASE, BATCH).await?;
            if waiting.is_empty() {
                return Ok(());
            }
            let mut all = tokio::task::JoinSet::new();
            for notice in waiting {
                let jobs = Arc::clone(self);
                all.spawn(async move { jobs.try_notice(notice).await });
            }
            // All are waited for: a task that is dropped would leave its notification half delivered.
            let mut failed = None;
            while let Some(done) = all.join_next().await {
                failed = done
                    .map_err(Error::unexpected)
                    .and_then(|done| done)
                    .err()
                    .or(failed);
            }
            if let Some(error) = failed {
                return Err(error);
            }
        }
    }

    async fn raise_overdue(&self, now: i64) -> Result<()> {
        let targets = Targets::of(&self.core.settings);
        for id in self.store.alarms_due(now).await? {
            match self.store.raise_overdue(id.clone(), now, targets.clone()).await {
                Ok(Some(job)) => tracing::warn!(%job, "the job had no success for too long"),
                Ok(None) => {}
                Err(error) if error.is_retryable() => return Err(error),
                Err(error) => self.core.losses.note("The alarm of a job", &id, &error, now),
            }
        }
        Ok(())
    }

    async fn try_notice(&self, notice: Waiting) -> Result<()> {
        let Err(error) = self.send_notice(&notice).await else {
            return self.store.remove_notice(notice.id).await;
        };
        let now = self.core.clock.now_ms();
        let patience = if notice.channel == "ping" {
            PING_FOR
        } else {
            TELL_FOR
        };
        if now - notice.created_at >= patience {
            self.core
                .losses
                .note("A notification about a job", &notice.job, &error, now);
            return self.store.remove_notice(notice.id).await;
        }
        tracing::warn!(job = %notice.job, channel = %notice.channel, %error, "a word about a job is tried again");
        let exponent = u32::try_from(notice.attempts - 1).unwrap_or(0).min(20);
        let wait = FIRST_WAIT.saturating_mul(2_i64.pow(exponent)).min(LONGEST_WAIT);
        self.store.put_off_notice(notice.id, now + wait).await
    }

    async fn send_notice(&self, notice: &Waiting) -> Result<()> {
        let payload: Value = serde_json::from_str(&notice.payload).map_err(Error::unexpected)?;
        if notice.channel == "mail" {
            let from = coronet_core::mail::sender::usual(&self.core).await?;
            let message = self.mail(notice, &payload, &from);
            let parameters = json!({ "message": message });
            self.core
                .functions
                .call(&Caller::System, "mail.send", parameters)
                .await?;
            return Ok(());
        }
        let mut request = HttpRequest::new(Method::Post, &notice.target, Reach::AnyHost);
        if notice.channel == "ping" {
            request.method = Method::Get;
        } else {
            request.body = notice.payload.clone().into_bytes();
            let secret = self.core.settings.now().jobs.webhook_secret.clone();
            let seconds = self.core.clock.now_ms() / 1000;
            request.headers = signing::headers(
                &secret,
                &format!("notice_{}", notice.id),
                seconds,
                &notice.payload,
            );
            request
                .headers
                .push(("content-type".to_owned(), "application/json".to_owned()));
        }
        let status = self.core.http.send(request).await?.status;
        if (200..300).contains(&status) {
            return Ok(());
        }
        let text = format!("{} answered with the status {status}", notice.target);
        Err(Error::new(Code::Network, text))
    }

    fn mail(&self, notice: &Waiting, payload: &Value, from: &str) -> Value {
        let text_of = |field: &str| payload[field].as_str().unwrap_or_default();
        let (job, error) = (&notice.job, text_of("error"));
        let failed = match payload["failures"].as_i64() {
            Some(1) => "failed".to_owned(),
            many => format!("failed {} times in a row", many.unwrap_or_default()),
        };
        // "Deactivated after 3 failures at …", as the webmin has it. Words written by an older server have no time.
        let deactivated = payload["deactivated_at"].as_i64().map(|at| {
            let after = after_failures(payload["failures"].as_i64().unwrap_or_default());
            format!("{after} at {}. ", in_utc(at))
        });
        let deactivated = deactivated.unwrap_or_default();
        let (subject, what) = match text_of("event") {
            "deactivated" => (
                format!("Job {job} was set inactive"),
                format!(
                    "The job \"{job}\" {failed} and was set inactive. {deactivated}It does not run until you activate it: a \
                     successful run by hand does not do that."
                ),
            ),
            "failing" => (
                format!("Job {job} is failing"),
                format!("The job \"{job}\" {failed}. It is tried again."),
            ),
            "overdue" => (
                format!("Job {job} is overdue"),
                format!("The job \"{job}\" had no success for longer than it should."),
            ),
            _ => (
                format!("Job {job} has recovered"),
                format!("The job \"{job}\" ran without an error again."),
            ),
        };
        let mut text = what;
        if !error.is_empty() {
            let line = payload["line"].as_i64().map(|line| format!("Line {line}: "));
            text.push_str(&format!(
                "\n\nThe error was:\n{}{error}",
                line.unwrap_or_default()
            ));
        }
        if let Some(page) = self.page_of(job) {
            text.push_str(&format!("\n\nSee {page}\n"));
        }
        let settings = self.core.settings.now();
        let name = &settings.server.name;
        let subject = if name.is_empty() {
            subject
        } else {
            format!("[{name}] {subject}")
        };
        json!({ "to": notice.target, "from": from, "subject": subject, "text": text, "tags": "jobs" })
    }
    /// Where the webmin shows the job.
    fn page_of(&self, job: &str) -> Option<String> {
        let mut url = http_client::parse(&self.core.config.webmin_url()).ok()?;
        let mut path = url.path_segments_mut().ok()?;
        path.pop_if_empty().extend(["webmin", "job", job]);
        drop(path);
        Some(url.into())
    }
}

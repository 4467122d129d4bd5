//! Words for operators, and pings for outside watchers: what is told, and where to.

use coronet_core::{Settings, http_client};
use serde_json::{Value, json};

use crate::job::{Job, Outcome};
use crate::watch::Event;

/// How a word gets to whom it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    Mail,
    Webhook,
    Ping,
}

impl Channel {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
            Self::Ping => "ping",
        }
    }
}

/// A word that is to be delivered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Notice {
    pub job: String,
    pub channel: Channel,
    /// An address, or a URL.
    pub target: String,
    pub payload: Value,
}

/// Where words for operators go.
#[derive(Debug, Clone, Default)]
pub(crate) struct Targets {
    addresses: Vec<String>,
    webhook: Option<String>,
}

impl Targets {
    pub fn of(settings: &Settings) -> Self {
        let jobs = &settings.now().jobs;
        let addresses = jobs.notify_addresses.split(',').map(str::trim);
        Self {
            addresses: addresses
                .filter(|one| !one.is_empty())
                .map(str::to_owned)
                .collect(),
            webhook: Some(jobs.notify_webhook.clone()).filter(|url| !url.is_empty()),
        }
    }

    /// A word to everybody who wants to hear.
    pub fn tell(&self, job: &Job, event: Event, now: i64) -> Vec<Notice> {
        let payload = payload(job, event, now);
        let notice = |channel, target: &String| Notice {
            job: job.name.clone(),
            channel,
            target: target.clone(),
            payload: payload.clone(),
        };
        let mails = self
            .addresses
            .iter()
            .map(|address| notice(Channel::Mail, address));
        let webhook = self.webhook.iter().map(|url| notice(Channel::Webhook, url));
        mails.chain(webhook).collect()
    }
}

/// What a webhook is sent, and a mail is written from.
fn payload(job: &Job, event: Event, now: i64) -> Value {
    let problem = job.problem.as_ref();
    json!({
        "event": event.as_str(), "job": job.name, "path": job.path, "at": now, "active": job.active,
        "failures": job.plan.attempt, "deactivated_at": job.deactivated.map(|deactivated| deactivated.at), "run": job.last_run, "outcome": job.last_outcome,
        "overdue_since": job.watch.overdue_since,
        "error": problem.map(|problem| &problem.message), "line": problem.and_then(|problem| problem.line),
    })
}

/// The ping that goes out after a run, if the job has one.
pub(crate) fn ping(job: &Job, outcome: Outcome) -> Option<Notice> {
    let url = job.watch.ping_url.as_deref()?;
    let target = if outcome.succeeded()? {
        url.to_owned()
    } else {
        failing(url)
    };
    Some(Notice {
        job: job.name.clone(),
        channel: Channel::Ping,
        target,
        payload: Value::Null,
    })
}

/// The URL with `/fail` at the end of its path. (It was checked when it was set.)
fn failing(url: &str) -> String {
    let Ok(mut url) = http_client::parse(url) else {
        return url.to_owned();
    };
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().push("fail");
    }
    url.into()
}

#[cfg(test)]
mod tests {
    use super::failing;

    #[test]
    fn a_failure_is_told_below_the_pings_path() {
        assert_eq!(
            failing("https://watch.example/abc"),
            "https://watch.example/abc/fail"
        );
        assert_eq!(
            failing("https://watch.example/abc/?x=1"),
            "https://watch.example/abc/fail?x=1"
        );
    }
}

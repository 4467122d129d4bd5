//! A Mailgun that runs here: `POST /v3/{domain}/messages` with its authentication, its rules for fields
//! and every answer it is known to give, from "Queued. Thank you." to a connection that dies.
//!
//! Source of the rules: Mailgun's OpenAPI description (mailgun-mcp-server, `src/openapi.yaml`, 2026) and
//! its older prose. Where those allow unknown fields the fake refuses them, because a field nobody
//! knows is a mistake of ours.

mod answer;
mod control;
mod form;
mod http;
mod rules;
mod service;
pub mod webhooks;

pub use answer::{Answer, Reset};
pub use form::{Attachment, Mail};
pub use webhooks::SIGNING_KEY;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The only key and sending domain the fake knows.
pub const KEY: &str = "key-3ax6xnjp29jd6fds4gc373sgvjxteol0";
pub const DOMAIN: &str = "mg.example.com";

/// How long a test waits for a mail before it fails. Never reached when things work.
const PATIENCE: Duration = Duration::from_secs(30);

/// One attempt to send, whatever came of it.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The status of the answer; 0 when the connection died without one.
    pub status: u16,
    /// Names and values of the form, as they came.
    pub fields: Vec<(String, String)>,
}

#[derive(Default)]
struct Records {
    mails: Vec<Mail>,
    attempts: Vec<Attempt>,
    /// Given once each, before `standing` takes over.
    next: VecDeque<Answer>,
    standing: Answer,
}

struct Shared {
    records: Mutex<Records>,
    /// Changes whenever a record is added.
    changes: watch::Sender<u64>,
}

pub struct FakeMailgun {
    shared: Arc<Shared>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl FakeMailgun {
    /// Listens on a free port of the loopback interface.
    pub async fn start() -> Self {
        Self::start_on(0).await
    }

    pub async fn start_on(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            records: Mutex::new(Records::default()),
            changes: watch::Sender::new(0),
        });
        let task = tokio::spawn(service::serve(listener, Arc::clone(&shared)));
        Self {
            shared,
            address,
            task,
        }
    }

    /// What the plugin's setting "base URL" takes.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on every message is answered so.
    pub fn answer(&self, answer: Answer) {
        self.shared.with(|records| records.standing = answer);
    }

    /// The next messages are answered so, one each; then the standing answer holds again.
    pub fn answer_next(&self, answers: impl IntoIterator<Item = Answer>) {
        self.shared.with(|records| records.next.extend(answers));
    }

    /// Every accepted mail, in the order of acceptance.
    pub fn mails(&self) -> Vec<Mail> {
        self.shared.with(|records| records.mails.clone())
    }

    pub fn attempts(&self) -> Vec<Attempt> {
        self.shared.with(|records| records.attempts.clone())
    }

    /// Waits until `count` mails in all were accepted, and returns them.
    pub async fn await_mails(&self, count: usize) -> Vec<Mail> {
        self.wait_for(&format!("{count} mails"), |records| {
            (records.mails.len() >= count).then(|| records.mails.clone())
        })
        .await
    }

    /// Waits until `count` mails in all were accepted, and returns the last of them.
    pub async fn await_mail(&self, count: usize) -> Mail {
        self.await_mails(count).await.swap_remove(count - 1)
    }

    /// Waits until `count` attempts in all were made, whatever came of them.
    pub async fn await_attempts(&self, count: usize) -> Vec<Attempt> {
        self.wait_for(&format!("{count} attempts"), |records| {
            (records.attempts.len() >= count).then(|| records.attempts.clone())
        })
        .await
    }

    async fn wait_for<T>(&self, what: &str, look: impl Fn(&Records) -> Option<T>) -> T {
        match tokio::time::timeout(PATIENCE, self.shared.wait_for(&look)).await {
            Ok(found) => found,
            Err(_) => panic!(
                "waited {PATIENCE:?} for {what}; there were {} mails and these attempts: {:?}",
                self.mails().len(),
                self.attempts()
                    .iter()
                    .map(|attempt| attempt.status)
                    .collect::<Vec<_>>()
            ),
        }
    }
}

impl Drop for FakeMailgun {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn with<T>(&self, work: impl FnOnce(&mut Records) -> T) -> T {
        let outcome = work(&mut self.records.lock().expect("records"));
        self.changes.send_modify(|version| *version += 1);
        outcome
    }

    async fn wait_for<T>(&self, look: impl Fn(&Records) -> Option<T>) -> T {
        let mut changes = self.changes.subscribe();
        loop {
            if let Some(found) = look(&self.records.lock().expect("records")) {
                return found;
            }
            changes
                .changed()
                .await
                .expect("the sender lives as long as we do");
        }
    }
}

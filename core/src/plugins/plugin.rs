//! A plugin as the rest of the server sees it: its state, its functions, its log.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use coronet_plugin_abi::Manifest;
use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};

use super::hooks::Usage;
use super::log::{Level, Log};
use super::news::News;
use super::process::Process;
use super::settings::Settings;
use super::supervisor::Command;
use super::wire::CallError;
use crate::functions::{Call, Handler};
use crate::{Code, Core, Error, Result};

/// How long a call waits for a plugin that is on its way up.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a plugin is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// On its way up for the first time.
    Starting,
    Running,
    /// Died, or is being replaced, and is on its way up again.
    Restarting,
    /// Died too often; an operator must act.
    Failed,
    /// Switched off by an operator.
    Disabled,
    /// Cannot join as it is; `reason` says why.
    Refused,
}

/// One plugin of the server.
pub(super) struct Plugin {
    pub(super) core: Core,
    /// The program of the host process.
    pub(super) program: PathBuf,
    pub(super) path: PathBuf,
    pub(super) log: Arc<Log>,
    pub(super) available: watch::Sender<Available>,
    pub(super) commands: mpsc::Sender<Command>,
    status: Mutex<Status>,
    news: News,
    calls: AtomicU64,
    hook_usage: Mutex<Usage>,
}

/// Whether calls can go to a process.
#[derive(Clone)]
pub(super) enum Available {
    Yes(Arc<Process>),
    Soon,
    /// Not before an operator acts; the reason, for people.
    No(String),
}

/// What is known about a plugin now.
#[derive(Clone)]
pub(super) struct Status {
    pub(super) name: String,
    pub(super) state: State,
    pub(super) reason: Option<String>,
    pub(super) enabled: bool,
    pub(super) manifest: Option<Arc<Manifest>>,
    pub(super) settings: Settings,
    pub(super) sha256: Option<String>,
    /// Of the library that was looked at last, also when it was refused and another goes on running.
    pub(super) seen_sha256: Option<String>,
    pub(super) restarts: u64,
    pub(super) started_at: Option<i64>,
    pub(super) last_error: Option<LastError>,
}

/// The last thing that went wrong.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LastError {
    /// Unix milliseconds.
    pub at: i64,
    pub message: String,
}

impl Plugin {
    /// Keeps what is new in the log.
    pub(super) async fn save_log(&self) {
        let kept = self.core.settings.now().retention.plugin_log_lines;
        self.log.save(&self.core.db, kept).await;
    }

    pub(super) fn new(
        core: &Core,
        program: PathBuf,
        path: PathBuf,
        commands: mpsc::Sender<Command>,
        news: News,
    ) -> Self {
        let name = label(&path);
        let status = Status {
            name: name.clone(),
            state: State::Starting,
            reason: None,
            enabled: true,
            manifest: None,
            settings: Settings::default(),
            sha256: None,
            seen_sha256: None,
            restarts: 0,
            started_at: None,
            last_error: None,
        };
        Self {
            core: core.clone(),
            program,
            path,
            log: Arc::new(Log::new(&name, core.clock.clone(), news.clone())),
            available: watch::Sender::new(Available::Soon),
            commands,
            status: Mutex::new(status),
            news,
            calls: AtomicU64::new(0),
            hook_usage: Mutex::default(),
        }
    }

    pub(super) fn name(&self) -> String {
        self.status().name.clone()
    }

    pub(super) fn status(&self) -> impl Deref<Target = Status> {
        self.locked()
    }

    /// Changes what is known, and tells whoever watches.
    pub(super) fn change(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.locked());
        self.news.ring();
    }

    fn locked(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process that calls go to now.
    pub(super) fn process(&self) -> Option<Arc<Process>> {
        match &*self.available.borrow() {
            Available::Yes(process) => Some(Arc::clone(process)),
            _ => None,
        }
    }

    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    pub(super) fn hook_usage(&self) -> MutexGuard<'_, Usage> {
        self.hook_usage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers and logs what went wrong.
    pub(super) fn remember(&self, message: &str) {
        let at = self.core.clock.now_ms();
        self.change(|status| {
            status.last_error = Some(LastError {
                at,
                message: message.to_owned(),
            });
        });
        self.log.add(Level::Error, message);
    }

    /// Waits until the plugin runs or will not.
    pub(super) async fn settled(&self) {
        // The sender lives in self, so waiting cannot fail.
        let _ = self
            .available
            .subscribe()
            .wait_for(|available| !matches!(available, Available::Soon))
            .await;
    }

    async fn call(&self, call: &Arc<Call>, parameters: &Value, deadline: Instant) -> Result<Value> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut gone = None;
        loop {
            let process = self.next_process(gone, deadline).await?;
            match process.wire.call(call, parameters, deadline).await {
                Ok(value) => return Ok(value),
                Err(CallError::Failed(error)) => return Err(error),
                Err(CallError::NotSent) => gone = Some(process.pid),
            }
        }
    }

    /// The process for a call, other than one that is known to be gone.
    async fn next_process(&self, gone: Option<u32>, deadline: Instant) -> Result<Arc<Process>> {
        if let Some(process) = self.process().filter(|process| Some(process.pid) != gone) {
            return Ok(process);
        }
        let mut available = self.available.subscribe();
        let usable = available.wait_for(|available| match available {
            Available::Yes(process) => Some(process.pid) != gone,
            Available::Soon => false,
            Available::No(_) => true,
        });
        let patience = deadline.min(Instant::now() + PATIENCE);
        let reason = match timeout_at(patience, usable).await {
            Ok(Ok(available)) => match &*available {
                Available::Yes(process) => return Ok(Arc::clone(process)),
                Available::No(reason) => reason.clone(),
                Available::Soon => "it is starting".to_owned(),
            },
            _ => "it is starting".to_owned(),
        };
        let text = format!("The plugin {} is not running: {reason}.", self.name());
        Err(Error::new(Code::Unavailable, text))
    }
}

/// A function of a plugin, in the registry.
pub(super) struct PluginFunction {
    pub(super) plugin: Arc<Plugin>,
    pub(super) deadline: Duration,
}

impl Handler for PluginFunction {
    fn call(&self, call: Arc<Call>, parameters: Value) -> BoxFuture<'_, Result<Value>> {
        Box::pin(async move {
            let deadline = Instant::now() + self.deadline;
            self.plugin.call(&call, &parameters, deadline).await
        })
    }
}

/// What a plugin is called before its manifest is known: `libcoronet_password_reset.so` is `password-reset`.
fn label(path: &std::path::Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let stem = stem.strip_prefix("lib").unwrap_or(&stem);
    let stem = stem.strip_prefix("coronet_").unwrap_or(stem);
    stem.chars()
        .take(40)
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect()
}

//! Keeps one plugin running: the task that starts, watches, replaces and ends its process.
//!
//! A replacement is always ready before the old process is told to stop, so calls never meet a gap. Only a death
//! makes one, and then calls wait for the next process for a while.

mod prepare;

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::log::Level;
use super::membership::{Membership, Names, Turn};
use super::plugin::{Available, Plugin, State};
use super::process::{Process, Trouble};
use super::store;
use crate::{Code, Error, Result};
use prepare::Ready;

/// Deaths within [`MEMORY`] after which a plugin is not started again, and the wait before each earlier restart.
const PAUSES: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_millis(1600),
    Duration::from_millis(6400),
];
const MEMORY: Duration = Duration::from_secs(120);
/// How long an old process may finish its calls.
const DRAIN: Duration = Duration::from_secs(30);
/// How often logs are saved.
const TICK: Duration = Duration::from_secs(1);
/// Ticks between looks at memory, and at what other servers on the database changed.
const LOOK: u32 = 10;

/// What an operator wants of a plugin; answered when it is done.
pub(super) struct Command {
    pub(super) wish: Wish,
    pub(super) answer: oneshot::Sender<Result<()>>,
}

pub(super) enum Wish {
    Restart,
    Configure(Map<String, Value>),
    Enable(bool),
    /// Its library changed, or it may join only now.
    Replace,
    /// Its library is gone.
    Remove,
    /// The server is stopping.
    End,
}

pub(super) struct Supervisor {
    plugin: Arc<Plugin>,
    process: Option<Arc<Process>>,
    membership: Membership,
    /// Until it has had its first try.
    turn: Option<Turn>,
    deaths: Vec<Instant>,
    retry_at: Option<Instant>,
    /// The row that was read last.
    changed_at: Option<i64>,
    alarmed: Option<u32>,
}

impl Supervisor {
    pub(super) fn new(plugin: Arc<Plugin>, names: Arc<Names>, turn: Turn) -> Self {
        Self {
            turn: Some(turn),
            membership: Membership::new(Arc::clone(&plugin), names),
            plugin,
            process: None,
            deaths: Vec::new(),
            retry_at: None,
            changed_at: None,
            alarmed: None,
        }
    }

    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        self.bring_up().await;
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ticks = 0_u32;
        loop {
            let (process, retry_at) = (self.process.clone(), self.retry_at);
            let death = async {
                match process {
                    Some(process) => process.ended().await,
                    None => pending().await,
                }
            };
            let retry = async {
                match retry_at {
                    Some(at) => sleep_until(at).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                reason = death => self.died(&reason),
                () = retry => self.bring_up().await,
                command = commands.recv() => match command {
                    Some(Command { wish: Wish::Remove, answer }) => {
                        self.remove().await;
                        let _ = answer.send(Ok(()));
                        return;
                    }
                    Some(Command { wish: Wish::End, answer }) => {
                        self.end().await;
                        let _ = answer.send(Ok(()));
                        return;
                    }
                    Some(Command { wish, answer }) => {
                        let outcome = self.grant(wish).await;
                        let _ = answer.send(outcome);
                    }
                    None => return self.end().await,
                },
                _ = tick.tick() => {
                    ticks = ticks.wrapping_add(1);
                    self.plugin.save_log().await;
                    if ticks.is_multiple_of(LOOK) {
                        self.look_after().await;
                    }
                }
            }
        }
    }

    async fn grant(&mut self, wish: Wish) -> Result<()> {
        self.deaths.clear();
        match wish {
            Wish::Restart => self.restart().await,
            Wish::Configure(entered) => self.configure(&entered).await,
            Wish::Enable(enabled) => self.enable(enabled).await,
            Wish::Replace => self.replace().await,
            Wish::Remove | Wish::End => Ok(()),
        }
    }

    /// Starts the plugin, and says in its status how that went.
    async fn bring_up(&mut self) {
        self.retry_at = None;
        match self.prepare(None).await {
            Ok(Some(ready)) => self.install(ready),
            Ok(None) => {
                self.membership.withdraw();
                self.rest(State::Disabled, None);
            }
            Err(Trouble::Refused(reason)) => {
                self.plugin.remember(&reason);
                self.membership.withdraw();
                self.rest(State::Refused, Some(reason));
            }
            Err(Trouble::Broken(reason)) => self.stumbled(&reason),
        }
    }

    async fn restart(&mut self) -> Result<()> {
        match self.prepare(None).await {
            Ok(Some(ready)) => {
                self.plugin.change(|status| status.restarts += 1);
                self.install(ready);
                Ok(())
            }
            Ok(None) => {
                let text = format!("The plugin {} is disabled; enable it first.", self.plugin.name());
                Err(Error::new(Code::Conflict, text))
            }
            Err(trouble) => Err(self.not_replaced(trouble)),
        }
    }

    /// Runs what its file holds now. What ran goes on when that does not start.
    async fn replace(&mut self) -> Result<()> {
        match self.prepare(None).await {
            Ok(Some(ready)) => {
                if self.process.is_some() {
                    self.plugin.change(|status| status.restarts += 1);
                }
                self.install(ready);
                Ok(())
            }
            Ok(None) => {
                self.membership.withdraw();
                self.rest(State::Disabled, None);
                Ok(())
            }
            Err(trouble) => Err(self.not_replaced(trouble)),
        }
    }

    /// Takes the plugin out of the server: its functions first, then its process, which may finish its calls.
    async fn remove(&mut self) {
        self.plugin.log.add(Level::Info, "its file is gone");
        self.membership.withdraw();
        self.membership.give_up_name();
        self.plugin
            .available
            .send_replace(Available::No("its file is gone".to_owned()));
        self.plugin.save_log().await;
        if let Some(old) = self.process.take() {
            let plugin = Arc::clone(&self.plugin);
            tokio::spawn(async move {
                old.stop(DRAIN).await;
                plugin.save_log().await;
            });
        }
    }

    /// Tries new settings in a new process, and keeps them only if the plugin starts with them.
    async fn configure(&mut self, entered: &Map<String, Value>) -> Result<()> {
        let (name, manifest, settings, enabled) = {
            let status = self.plugin.status();
            (
                status.name.clone(),
                status.manifest.clone(),
                status.settings.clone(),
                status.enabled,
            )
        };
        let Some(manifest) = manifest else {
            let text = format!("The plugin {name} was refused, so its settings are not known.");
            return Err(Error::new(Code::Conflict, text));
        };
        let settings = settings.changed(manifest.settings.as_ref(), entered)?;
        let ready = if enabled {
            self.prepare(Some(settings.clone())).await
        } else {
            Ok(None)
        };
        let ready = ready.map_err(|trouble| self.not_replaced(trouble))?;
        self.save(&name, enabled, &settings).await?;
        self.plugin.change(|status| status.settings = settings);
        if let Some(ready) = ready {
            self.install(ready);
        }
        Ok(())
    }

    async fn enable(&mut self, enabled: bool) -> Result<()> {
        let (name, settings, known) = {
            let status = self.plugin.status();
            (
                status.name.clone(),
                status.settings.clone(),
                status.manifest.is_some(),
            )
        };
        if !known {
            let text = format!("The plugin {name} was refused; put another file in its place.");
            return Err(Error::new(Code::Conflict, text));
        }
        self.save(&name, enabled, &settings).await?;
        self.plugin.change(|status| status.enabled = enabled);
        if !enabled {
            self.retry_at = None;
            self.membership.withdraw();
            self.rest(State::Disabled, None);
            return Ok(());
        }
        if self.process.is_none() {
            self.plugin.change(|status| status.state = State::Starting);
            self.plugin.available.send_replace(Available::Soon);
            self.bring_up().await;
        }
        Ok(())
    }

    /// Sends calls to a new process, and lets the old one finish.
    fn install(&mut self, ready: Ready) {
        let Ready { process, settings } = ready;
        self.membership.contribute(&process.manifest);
        self.plugin.change(|status| {
            status.state = State::Running;
            status.reason = None;
            status.settings = settings;
            status.started_at = Some(self.plugin.core.clock.now_ms());
        });
        self.plugin
            .log
            .add(Level::Info, &format!("running as process {}", process.pid));
        // Last: whoever waited for the plugin must find it running, and its log saying so.
        self.plugin
            .available
            .send_replace(Available::Yes(Arc::clone(&process)));
        if let Some(old) = self.process.replace(process) {
            tokio::spawn(async move { old.stop(DRAIN).await });
        }
    }

    /// Settles in a state without a process.
    fn rest(&mut self, state: State, reason: Option<String>) {
        let why = reason.clone().unwrap_or_else(|| "it is disabled".to_owned());
        self.plugin.change(|status| {
            status.state = state;
            status.reason = reason;
            status.started_at = None;
        });
        self.plugin.available.send_replace(Available::No(why));
        if let Some(old) = self.process.take() {
            tokio::spawn(async move { old.stop(DRAIN).await });
        }
    }

    fn died(&mut self, reason: &str) {
        self.process = None;
        self.plugin.change(|status| status.restarts += 1);
        self.stumbled(reason);
    }

    /// Counts a death, and plans the next start or gives up.
    fn stumbled(&mut self, reason: &str) {
        self.plugin.remember(reason);
        let now = Instant::now();
        self.deaths.retain(|death| now.duration_since(*death) < MEMORY);
        self.deaths.push(now);
        let Some(pause) = PAUSES.get(self.deaths.len() - 1) else {
            let reason = format!(
                "it broke {} times in a row, the last time because {reason}",
                self.deaths.len()
            );
            self.plugin.log.add(Level::Error, &format!("given up: {reason}"));
            return self.rest(State::Failed, Some(reason));
        };
        self.retry_at = Some(now + *pause);
        self.plugin.change(|status| {
            status.state = State::Restarting;
            status.reason = Some(reason.to_owned());
        });
        self.plugin.available.send_replace(Available::Soon);
    }

    /// A replacement did not come up. What ran goes on; what did not run now has a reason.
    fn not_replaced(&mut self, trouble: Trouble) -> Error {
        let (state, reason) = match trouble {
            Trouble::Refused(reason) => (State::Refused, reason),
            Trouble::Broken(reason) => (State::Failed, reason),
        };
        self.plugin.remember(&reason);
        if self.process.is_none() {
            self.rest(state, Some(reason.clone()));
        }
        Error::new(
            Code::Unprocessable,
            format!("The plugin {} does not start: {reason}.", self.plugin.name()),
        )
    }

    /// Looks at the process's memory (P04), and at what another server on this database changed.
    async fn look_after(&mut self) {
        if let Some(process) = &self.process {
            let limit = process.manifest.limits.memory_mib * 1024 * 1024;
            let memory = process.memory().unwrap_or_default();
            if memory > limit / 5 * 4 && self.alarmed.replace(process.pid) != Some(process.pid) {
                let (memory, limit) = (memory / 1024 / 1024, limit / 1024 / 1024);
                self.plugin.remember(&format!(
                    "it uses {memory} of the {limit} MiB of memory it may have"
                ));
            }
        }
        let (name, known) = {
            let status = self.plugin.status();
            (status.name.clone(), status.manifest.is_some())
        };
        let Ok(Some(row)) = store::get(&self.plugin.core.db, &name).await else {
            return;
        };
        if known && Some(row.changed_at) != self.changed_at {
            self.plugin
                .log
                .add(Level::Info, "another server changed its settings");
            self.deaths.clear();
            self.bring_up().await;
        }
    }

    async fn end(&mut self) {
        self.plugin
            .available
            .send_replace(Available::No("the server is stopping".to_owned()));
        if let Some(process) = self.process.take() {
            let grace = Duration::from_secs(self.plugin.core.config.grace_seconds);
            process.stop(grace).await;
        }
        self.plugin.save_log().await;
    }
}

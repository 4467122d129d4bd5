//! One host process: its start, its life, its end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use coronet_plugin_abi::Manifest;
use coronet_plugin_abi::wire::Frame;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::timeout;

use super::library::Library;
use super::life::{Life, record_output};
use super::log::Log;
use super::spawn::spawn;
use super::wire::Wire;
use crate::functions::Registry;

/// From the start of the process to its manifest.
const LOADING: Duration = Duration::from_secs(10);
/// From the settings to being ready.
const STARTING: Duration = Duration::from_secs(30);
/// Calls of one plugin that the server works on at a time.
const HOST_CALLS: usize = 64;

/// What a process needs to be started.
pub(super) struct Launch<'a> {
    /// The program that [`host::main`] runs in.
    pub(super) program: &'a PathBuf,
    /// Shown by `ps`.
    pub(super) label: &'a str,
    pub(super) library: Library,
    pub(super) functions: &'a Registry,
    pub(super) log: &'a Arc<Log>,
}

/// A running host process.
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) wire: Arc<Wire>,
    pub(super) manifest: Arc<Manifest>,
    pub(super) sha256: String,
    steps: tokio::sync::Mutex<mpsc::UnboundedReceiver<Step>>,
    /// Why it ended, once it did.
    ended: watch::Receiver<Option<String>>,
}

/// Why a plugin is not running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It cannot join as it is; trying again would change nothing.
    Refused(String),
    /// It broke on the way; another try may do.
    Broken(String),
}

/// What the process says on its way to being ready.
pub(super) enum Step {
    Hello(Vec<u8>),
    Refused(String),
    Ready,
}

impl Process {
    /// Starts a process and reads its manifest. The plugin itself is not started yet.
    ///
    /// # Errors
    /// The reason, for people.
    pub(super) async fn launch(launch: Launch<'_>) -> Result<Self, Trouble> {
        let cannot =
            |cause: std::io::Error| Trouble::Broken(format!("its process cannot be started: {cause}"));
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(cannot)?;
        let (output, output_end) = std::io::pipe().map_err(cannot)?;
        ours.set_nonblocking(true).map_err(cannot)?;
        let wire = Arc::new(Wire::new(tokio::net::UnixStream::from_std(ours).map_err(cannot)?));
        let child = spawn(
            launch.program.clone(),
            launch.label.to_owned(),
            theirs.into(),
            launch.library.copy,
            output_end.into(),
        )
        .await
        .map_err(cannot)?;
        let pid = child.id().unwrap_or_default();
        tokio::spawn(record_output(output.into(), Arc::clone(launch.log)));

        let (step, mut steps) = mpsc::unbounded_channel();
        let (end, ended) = watch::channel(None);
        let life = Life {
            wire: Arc::clone(&wire),
            functions: launch.functions.clone(),
            log: Arc::clone(launch.log),
            manifest: Arc::default(),
            step,
            host_calls: Arc::new(Semaphore::new(HOST_CALLS)),
        };
        let known = Arc::clone(&life.manifest);
        tokio::spawn(life.live(child, end));

        let manifest = match next_step(&mut steps, &ended, LOADING).await {
            Next::Step(Step::Hello(manifest)) => manifest,
            Next::Late => {
                return Err(Trouble::Broken(format!(
                    "it did not load within {} seconds",
                    LOADING.as_secs()
                )));
            }
            Next::Step(Step::Refused(reason)) => return Err(Trouble::Refused(reason)),
            Next::Step(Step::Ready) => return Err(Trouble::Refused(OUT_OF_TURN.to_owned())),
            Next::Ended(reason) => return Err(Trouble::Refused(format!("it cannot be loaded: {reason}"))),
        };
        let manifest: Manifest = serde_json::from_slice(&manifest)
            .map_err(|cause| Trouble::Refused(format!("its manifest cannot be read: {cause}")))?;
        let manifest = Arc::new(manifest);
        let _ = known.set(Arc::clone(&manifest));
        Ok(Self {
            pid,
            wire,
            manifest,
            sha256: launch.library.sha256,
            steps: steps.into(),
            ended,
        })
    }

    /// Starts the plugin with its settings, and waits until it is ready for calls.
    ///
    /// # Errors
    /// The reason, for people.
    pub(super) async fn start(&self, settings: &[u8]) -> Result<(), Trouble> {
        let broken = |reason: String| Err(Trouble::Broken(reason));
        if let Err(error) = self.wire.send(&Frame::Start { settings }) {
            return broken(error.message().to_owned());
        }
        let mut steps = self.steps.lock().await;
        match next_step(&mut steps, &self.ended, STARTING).await {
            Next::Step(Step::Ready) => Ok(()),
            Next::Step(Step::Refused(reason)) => broken(reason),
            Next::Step(Step::Hello(_)) => broken(OUT_OF_TURN.to_owned()),
            Next::Late => broken(format!("it did not start within {} seconds", STARTING.as_secs())),
            Next::Ended(reason) => broken(format!("it did not start: {reason}")),
        }
    }

    /// Lets the process finish its calls and end; kills it when that takes longer than `grace`.
    pub(super) async fn stop(&self, grace: Duration) {
        if self.wire.send(&Frame::Stop).is_err() || timeout(grace, self.ended()).await.is_err() {
            self.wire.condemn("it did not stop in time");
            self.ended().await;
        }
    }

    /// Waits for the end of the process, and says why it ended.
    pub(super) async fn ended(&self) -> String {
        let mut ended = self.ended.clone();
        let reason = ended.wait_for(Option::is_some).await;
        reason.ok().and_then(|reason| reason.clone()).unwrap_or_default()
    }

    /// Resident memory in bytes.
    pub(super) fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim()
            .strip_suffix("kB")?
            .trim()
            .parse::<u64>()
            .ok()
            .map(|kib| kib * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.wire.condemn("nobody needs it any more");
    }
}

pub(super) const OUT_OF_TURN: &str = "its process spoke out of turn";

enum Next {
    Step(Step),
    Late,
    Ended(String),
}

async fn next_step(
    steps: &mut mpsc::UnboundedReceiver<Step>,
    ended: &watch::Receiver<Option<String>>,
    patience: Duration,
) -> Next {
    match timeout(patience, steps.recv()).await {
        Err(_) => Next::Late,
        Ok(Some(step)) => Next::Step(step),
        // The channel closes with the process, so the reason is there already, or about to be.
        Ok(None) => {
            let mut ended = ended.clone();
            let reason = ended.wait_for(Option::is_some).await;
            Next::Ended(reason.ok().and_then(|reason| reason.clone()).unwrap_or_default())
        }
    }
}

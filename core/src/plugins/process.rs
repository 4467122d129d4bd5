//! One host process: its start, its life, its end.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, OnceLock, mpsc as blocking};
use std::time::Duration;

use coronet_plugin_abi::manifest::allows;
use coronet_plugin_abi::wire::Frame;
use coronet_plugin_abi::{Failure, Manifest};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::timeout;

use super::host;
use super::library::Library;
use super::log::{Level, Log};
use super::wire::Wire;
use crate::functions::{Caller, Registry};
use crate::{Code, Error, Result, json};

/// From the start of the process to its manifest.
const LOADING: Duration = Duration::from_secs(10);
/// From the settings to being ready.
const STARTING: Duration = Duration::from_secs(30);
/// Calls of one plugin that the server works on at a time.
const HOST_CALLS: usize = 64;
/// A line of output longer than this is cut.
const LONGEST_LINE: u64 = 8 * 1024;

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
enum Step {
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

const OUT_OF_TURN: &str = "its process spoke out of turn";

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

/// What runs as long as the process does.
struct Life {
    wire: Arc<Wire>,
    functions: Registry,
    log: Arc<Log>,
    /// Known from the first step on.
    manifest: Arc<OnceLock<Arc<Manifest>>>,
    step: mpsc::UnboundedSender<Step>,
    host_calls: Arc<Semaphore>,
}

impl Life {
    async fn live(self, mut child: Child, end: watch::Sender<Option<String>>) {
        let nonsense = tokio::select! {
            read = self.wire.read(|frame| self.see(frame)) => read.err(),
            () = self.wire.condemned() => None,
            () = self.wire.send_later() => None,
        };
        // It may be gone already; then there is nothing to kill.
        let _ = child.start_kill();
        let status = child.wait().await.ok();
        let reason = self
            .wire
            .sentence()
            .or_else(|| nonsense.map(|cause| cause.to_string()));
        let reason = reason.unwrap_or_else(|| describe(status));
        let name = self
            .manifest
            .get()
            .map_or("A plugin", |manifest| manifest.name.as_str());
        let text = format!("The plugin {name} ended before it answered ({reason}). Try again shortly.");
        self.wire.close(&Error::new(Code::Unavailable, text));
        end.send_replace(Some(reason));
    }

    fn see(&self, frame: Frame<'_>) {
        match frame {
            Frame::Return { id, ok, payload } => self.wire.returned(id, ok, payload),
            Frame::Call {
                id,
                parent,
                function,
                parameters,
                ..
            } => self.answer(id, parent, function, parameters),
            Frame::Log { level, message } => self
                .log
                .add(Level::from_number(level), &String::from_utf8_lossy(message)),
            Frame::Hello { manifest } => self.tell(Step::Hello(manifest.to_vec())),
            Frame::Refused { reason } => {
                self.tell(Step::Refused(String::from_utf8_lossy(reason).into_owned()))
            }
            Frame::Ready => self.tell(Step::Ready),
            Frame::Start { .. } | Frame::Stop => self.wire.condemn(OUT_OF_TURN),
        }
    }

    fn tell(&self, step: Step) {
        // Nobody listens once the process is up.
        let _ = self.step.send(step);
    }

    /// Answers a call of the plugin, if its manifest requires the function.
    fn answer(&self, id: u64, parent: u64, function: &str, parameters: &[u8]) {
        let manifest = self.manifest.get();
        let Some(manifest) =
            manifest.filter(|manifest| manifest.requires.iter().any(|entry| allows(entry, function)))
        else {
            let text = format!("The plugin's manifest does not require {function}, so it may not call it.");
            return reply(&self.wire, id, Err(Error::new(Code::Forbidden, text)));
        };
        let parameters = match json::parse(parameters) {
            Ok(parameters) => parameters,
            Err(error) => return reply(&self.wire, id, Err(error)),
        };
        let caller = Caller::Plugin {
            name: manifest.name.as_str().into(),
            parent: self.wire.parent(parent),
        };
        let (wire, functions, function) = (
            Arc::clone(&self.wire),
            self.functions.clone(),
            function.to_owned(),
        );
        let turn = Arc::clone(&self.host_calls);
        tokio::spawn(async move {
            // The semaphore is never closed; were it, the call would simply not wait.
            let _turn = turn.acquire().await;
            let outcome = functions.call(&caller, &function, parameters).await;
            let outcome = outcome.and_then(|value| serde_json::to_vec(&value).map_err(Error::unexpected));
            reply(&wire, id, outcome);
        });
    }
}

fn reply(wire: &Wire, id: u64, outcome: Result<Vec<u8>>) {
    let sent = match &outcome {
        Ok(payload) => wire.send(&Frame::Return {
            id,
            ok: true,
            payload,
        }),
        Err(error) => wire.send(&Frame::Return {
            id,
            ok: false,
            payload: &failure(error).to_json(),
        }),
    };
    if let Err(error) = sent {
        // The answer was too large; the plugin must not wait for it for ever.
        let _ = wire.send(&Frame::Return {
            id,
            ok: false,
            payload: &failure(&error).to_json(),
        });
    }
}

fn failure(error: &Error) -> Failure {
    Failure {
        code: error.code().number().into(),
        message: error.message().to_owned(),
        details: error.details().cloned(),
        retryable: error.is_retryable(),
    }
}

/// Keeps what the plugin prints, line by line.
async fn record_output(output: OwnedFd, log: Arc<Log>) {
    let Ok(output) = pipe::Receiver::from_owned_fd(output) else {
        return;
    };
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut output)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
            .await
        {
            Ok(0) | Err(_) => return,
            Ok(_) => log.add(Level::Output, String::from_utf8_lossy(&line).trim_end()),
        }
    }
}

fn describe(status: Option<ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt;
    let Some(status) = status else {
        return "its process was lost".to_owned();
    };
    match (status.code(), status.signal()) {
        (Some(0), _) => "its process ended".to_owned(),
        (Some(code), _) => format!("its process ended with status {code}"),
        (None, Some(libc::SIGSEGV)) => "it crashed: segmentation fault".to_owned(),
        (None, Some(libc::SIGABRT)) => "it aborted".to_owned(),
        (None, Some(libc::SIGBUS)) => "it crashed: bus error".to_owned(),
        (None, Some(libc::SIGKILL)) => "it was killed".to_owned(),
        (None, signal) => format!("it was ended by signal {}", signal.unwrap_or_default()),
    }
}

/// A request to the thread that starts processes.
struct Spawn {
    command: Command,
    runtime: tokio::runtime::Handle,
    answer: oneshot::Sender<std::io::Result<Child>>,
}

/// Starts the process on a thread that lives as long as the server: the kernel's "die with your parent" means the
/// thread that started a process, and threads of the runtime come and go.
async fn spawn(
    program: PathBuf,
    label: String,
    socket: OwnedFd,
    library: File,
    output: OwnedFd,
) -> std::io::Result<Child> {
    static SPAWNER: OnceLock<blocking::Sender<Spawn>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, requests) = blocking::channel::<Spawn>();
        let serve = move || {
            for mut request in requests {
                let _entered = request.runtime.enter();
                let _ = request.answer.send(request.command.spawn());
            }
        };
        // Without the thread the channel is closed, and every start says so.
        let _ = std::thread::Builder::new()
            .name("plugin-spawner".into())
            .spawn(serve);
        sender
    });
    let mut command = Command::new(program);
    command
        .arg(host::COMMAND)
        .arg(label)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::from(socket))
        .stdout(Stdio::from(library))
        .stderr(Stdio::from(output))
        .process_group(0)
        .kill_on_drop(true);
    let (answer, child) = oneshot::channel();
    let gone = || std::io::Error::other("the thread that starts processes is gone");
    let request = Spawn {
        command,
        runtime: tokio::runtime::Handle::current(),
        answer,
    };
    spawner.send(request).map_err(|_| gone())?;
    child.await.map_err(|_| gone())?
}

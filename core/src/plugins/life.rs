//! The life of a host process, as the server sees it: what it says, what it calls, how it ends.

use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::process::ExitStatus;
use std::sync::{Arc, OnceLock};

use coronet_plugin_abi::batch::{self, Answer, BATCH};
use coronet_plugin_abi::manifest::allows;
use coronet_plugin_abi::wire::Frame;
use coronet_plugin_abi::{Failure, Manifest};
use futures::future::join_all;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::unix::pipe;
use tokio::process::Child;
use tokio::sync::{Semaphore, mpsc, watch};

use super::log::{Level, Log};
use super::process::{OUT_OF_TURN, Step};
use super::wire::Wire;
use crate::functions::{Caller, Registry};
use crate::{Code, Error, Result, json};

/// A line of output longer than this is cut.
const LONGEST_LINE: u64 = 8 * 1024;

/// What runs as long as the process does.
pub(super) struct Life {
    pub(super) wire: Arc<Wire>,
    pub(super) functions: Registry,
    pub(super) log: Arc<Log>,
    /// Known from the first step on.
    pub(super) manifest: Arc<OnceLock<Arc<Manifest>>>,
    pub(super) step: mpsc::UnboundedSender<Step>,
    pub(super) host_calls: Arc<Semaphore>,
}

impl Life {
    /// Hands frames on until the process ends, and says why it did.
    pub(super) async fn live(self, mut child: Child, end: watch::Sender<Option<String>>) {
        let nonsense = tokio::select! {
            read = self.wire.read(|frame| self.see(frame)) => read.err(),
            () = self.wire.condemned() => None,
            () = self.wire.send_later() => None,
        };
        // It may be gone already; then there is nothing to kill.
        let _ = child.start_kill();
        let status = child.wait().await.ok();
        // A broken connection only says that the process is gone; its status says why.
        let reason = self.wire.sentence().or_else(|| {
            nonsense
                .filter(|cause| cause.kind() == ErrorKind::Other)
                .map(|cause| cause.to_string())
        });
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

    /// Answers a call of the plugin.
    fn answer(&self, id: u64, parent: u64, function: &str, parameters: &[u8]) {
        let Some(manifest) = self.manifest.get() else {
            return self.wire.condemn(OUT_OF_TURN);
        };
        let parameters = match json::parse(parameters) {
            Ok(parameters) => parameters,
            Err(error) => return reply(&self.wire, id, Err(error)),
        };
        let caller = Caller::Plugin {
            name: manifest.name.as_str().into(),
            parent: self.wire.parent(parent),
        };
        let desk = Desk {
            caller,
            manifest: Arc::clone(manifest),
            functions: self.functions.clone(),
            turns: Arc::clone(&self.host_calls),
        };
        let (wire, function) = (Arc::clone(&self.wire), function.to_owned());
        tokio::spawn(async move {
            let outcome = if function == BATCH {
                desk.call_all(parameters).await
            } else {
                desk.call(&function, parameters).await
            };
            let outcome = outcome.and_then(|value| serde_json::to_vec(&value).map_err(Error::unexpected));
            reply(&wire, id, outcome);
        });
    }
}

/// Where a plugin's calls are made for it.
struct Desk {
    caller: Caller,
    manifest: Arc<Manifest>,
    functions: Registry,
    turns: Arc<Semaphore>,
}

impl Desk {
    /// Calls a function, if the plugin's manifest requires it.
    async fn call(&self, function: &str, parameters: Value) -> Result<Value> {
        if !self.manifest.requires.iter().any(|entry| allows(entry, function)) {
            let text = format!("The plugin's manifest does not require {function}, so it may not call it.");
            return Err(Error::new(Code::Forbidden, text));
        }
        // The semaphore is never closed; were it, the call would simply not wait.
        let _turn = self.turns.acquire().await;
        self.functions.call(&self.caller, function, parameters).await
    }

    async fn call_all(&self, calls: Value) -> Result<Value> {
        let calls: Vec<(String, Value)> = serde_json::from_value(calls).map_err(|_| {
            let text = "A batch is a list of calls, each as [function, parameters].";
            Error::new(Code::ParameterType, text)
        })?;
        if calls.len() > batch::LARGEST {
            let text = format!("A batch has {} calls at most.", batch::LARGEST);
            return Err(Error::new(Code::TooLarge, text));
        }
        let answers = calls.into_iter().map(|(function, parameters)| async move {
            let outcome = self.call(&function, parameters).await;
            Answer::from(outcome.map_err(|error| failure(&error)))
        });
        let answers = join_all(answers).await;
        serde_json::to_value(answers).map_err(Error::unexpected)
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
pub(super) async fn record_output(output: OwnedFd, log: Arc<Log>) {
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

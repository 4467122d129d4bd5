//! The socket file in the home: how commands reach the running server. Only its owner may open it.
//!
//! A request is one line, `{"function": …, "parameters": …}`; the answer is one line, `{"result": …}` or `{"error": …}`.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use coronet_core::functions::Caller;
use coronet_core::{Code, Core, Error, Registry, Result};
use rocket::serde::json::serde_json;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

const LINE_LIMIT: u64 = 32 << 20;

#[derive(Serialize, Deserialize)]
struct Request {
    function: String,
    parameters: Value,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Result(Value),
    Error {
        code: i64,
        message: String,
        details: Option<Value>,
        retryable: bool,
    },
}

/// The open socket; removed with it.
pub struct Listening {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Opens the socket of this home and answers the calls that come through it.
///
/// # Errors
/// `Io` when the socket cannot be made.
pub fn listen(core: &Core) -> Result<Listening> {
    let path = core.config.socket_path();
    let refused = |cause: std::io::Error| {
        let text = format!("The socket {} cannot be made: {cause}.", path.display());
        Error::new(Code::Io, format!("{text} A home with a shorter path may help."))
    };
    // The home's lock is held: what lies here is left from a server that was killed.
    match std::fs::remove_file(&path) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => return Err(refused(cause)),
        _ => {}
    }
    // Made under another name, closed to others, and only then put in its place.
    let draft = path.with_extension("sock-new");
    let _ = std::fs::remove_file(&draft);
    let listener = UnixListener::bind(&draft).map_err(refused)?;
    std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o600)).map_err(refused)?;
    std::fs::rename(&draft, &path).map_err(refused)?;
    let functions = core.functions.clone();
    let task = tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(answer(stream, functions.clone()))),
                Err(cause) => {
                    tracing::warn!(%cause, "a command could not be taken");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        }
    });
    Ok(Listening { path, task })
}

async fn answer(stream: UnixStream, functions: Registry) {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader.take(LINE_LIMIT)).lines();
    let Ok(Some(line)) = lines.next_line().await else {
        return;
    };
    let outcome = match serde_json::from_str::<Request>(&line) {
        Ok(request) => {
            functions
                .call(&Caller::cli(), &request.function, request.parameters)
                .await
        }
        Err(cause) => Err(Error::new(
            Code::JsonDecode,
            format!("The command is not valid: {cause}."),
        )),
    };
    let answer = match outcome {
        Ok(result) => Answer::Result(result),
        Err(error) => Answer::Error {
            code: error.code().number().into(),
            message: error.message().to_owned(),
            details: error.details().cloned(),
            retryable: error.is_retryable(),
        },
    };
    if let Ok(mut text) = serde_json::to_vec(&answer) {
        text.push(b'\n');
        let _ = writer.write_all(&text).await;
    }
}

/// Calls a function of the server that runs on this socket; `None` when none runs.
///
/// # Errors
/// Those of the function; `Unavailable` when the server goes away before it answers.
pub async fn call(socket: &Path, function: &str, parameters: Value) -> Result<Option<Value>> {
    let mut stream = match UnixStream::connect(socket).await {
        Ok(stream) => stream,
        Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(cause) => {
            let text = format!(
                "The server's socket {} cannot be opened: {cause}.",
                socket.display()
            );
            return Err(Error::new(Code::Io, text));
        }
    };
    let gone = |_| {
        Error::new(
            Code::Unavailable,
            "The server stopped before it answered. Look at its log, then try again.",
        )
    };
    let request = Request {
        function: function.to_owned(),
        parameters,
    };
    let mut text = serde_json::to_vec(&request).map_err(Error::unexpected)?;
    text.push(b'\n');
    stream.write_all(&text).await.map_err(gone)?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await.map_err(gone)?;
    match serde_json::from_str(&line) {
        Ok(Answer::Result(result)) => Ok(Some(result)),
        Ok(Answer::Error {
            code,
            message,
            details,
            retryable,
        }) => {
            let error = Error::new(Code::from_number(code).unwrap_or(Code::Other), message);
            let error = details.into_iter().fold(error, Error::with_details);
            Err(if retryable { error.retryable() } else { error })
        }
        Err(_) => Err(Error::new(
            Code::Unavailable,
            "The server stopped before it answered. Look at its log, then try again.",
        )),
    }
}

//! What the fake says to a message, in all the ways the real one is known to speak, and some more.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::http::{Connection, response};

/// Asked for by a test in Rust, or as JSON by a test in another language:
/// `{"status": {"code": 400, "message": "to parameter is not a valid address"}}`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// 200 for a message that keeps the rules, and what the rules say for another.
    #[default]
    Faithful,
    /// Any status with `{"message": …}`; 401 is the bare word `Forbidden` whatever the message.
    Status { code: u16, message: String },
    /// 429; says when to come back in one of the ways seen.
    RateLimited(Reset),
    /// 200 with a page of HTML, as a captive portal sends it.
    Html,
    /// 200 with a body that does not end before this many bytes.
    Giant { bytes: u64 },
    /// The connection is reset before an answer.
    ConnectionReset,
    /// The sending half is closed without an answer; what the client sends is still read.
    HalfClose,
    /// A proper answer, one byte a second.
    Trickle,
    /// No answer for as long as the client waits.
    Silence,
    /// The mail is accepted, and the connection dies before anybody hears of it.
    AcceptThenReset,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reset {
    /// `X-RateLimit-Reset` with Unix seconds, perhaps with a fraction.
    Header { unix_seconds: f64 },
    /// The message names a date in the form of RFC 2822.
    Date { date: String },
    /// The message names a number of seconds.
    Seconds { seconds: u32 },
    /// Nothing at all.
    Nothing,
}

impl Reset {
    /// The header form, so many seconds from now.
    #[expect(
        clippy::disallowed_methods,
        reason = "a provider outside of Coronet has the machine's clock"
    )]
    pub fn header_in(from_now: Duration) -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a clock after 1970");
        Reset::Header {
            unix_seconds: (now + from_now).as_secs_f64(),
        }
    }
}

/// What is left to do with a connection after an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    KeepOpen,
    Close,
}

impl Answer {
    /// Whether the rules decide, and a message that keeps them counts as accepted.
    pub(super) fn accepts(&self) -> bool {
        matches!(self, Answer::Faithful | Answer::Trickle | Answer::AcceptThenReset)
    }

    /// Sends the answer; `ruling` is what the rules made of the message.
    pub(super) async fn send(&self, connection: &mut Connection, ruling: &Ruling) -> std::io::Result<Next> {
        match self {
            Answer::Faithful => connection.stream.write_all(&ruling.bytes()).await?,
            Answer::Status { code, message } => {
                connection
                    .stream
                    .write_all(&Ruling::refusal(*code, message).bytes())
                    .await?;
            }
            Answer::RateLimited(reset) => connection.stream.write_all(&rate_limited(reset)).await?,
            Answer::Html => {
                let page = b"<!doctype html><title>Welcome</title><p>Please sign in to the network.";
                connection
                    .stream
                    .write_all(&response(200, &[], "text/html", page))
                    .await?;
            }
            Answer::Giant { bytes } => return giant(connection, *bytes).await,
            Answer::ConnectionReset | Answer::AcceptThenReset => {
                connection.stream.set_zero_linger()?;
                return Ok(Next::Close);
            }
            Answer::HalfClose => {
                connection.stream.shutdown().await?;
                drain(connection).await?;
                return Ok(Next::Close);
            }
            Answer::Trickle => return trickle(connection, &ruling.bytes()).await,
            Answer::Silence => {
                drain(connection).await?;
                return Ok(Next::Close);
            }
        }
        Ok(Next::KeepOpen)
    }

    /// The status a client sees; 0 for none.
    pub(super) fn status(&self, ruling: &Ruling) -> u16 {
        match self {
            Answer::Faithful | Answer::Trickle => ruling.status,
            Answer::Status { code, .. } => *code,
            Answer::RateLimited(_) => 429,
            Answer::Html | Answer::Giant { .. } => 200,
            Answer::ConnectionReset | Answer::HalfClose | Answer::Silence | Answer::AcceptThenReset => 0,
        }
    }
}

/// The faithful answer to a request.
#[derive(Clone, Debug)]
pub(super) struct Ruling {
    pub(super) status: u16,
    message: String,
    id: Option<String>,
}

impl Ruling {
    pub(super) fn accepted(id: &str) -> Self {
        Self {
            status: 200,
            message: "Queued. Thank you.".to_owned(),
            id: Some(id.to_owned()),
        }
    }

    pub(super) fn refusal(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            id: None,
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        if self.status == 401 {
            return response(401, &[], "text/plain; charset=utf-8", b"Forbidden");
        }
        let body = match &self.id {
            Some(id) => json!({"id": id, "message": self.message}),
            None => json!({"message": self.message}),
        };
        response(self.status, &[], "application/json", body.to_string().as_bytes())
    }
}

fn rate_limited(reset: &Reset) -> Vec<u8> {
    let message = match reset {
        Reset::Date { date } => format!("request limit exceeded, try again after {date}"),
        Reset::Seconds { seconds } => format!("recipient limit exceeded, try again after {seconds} seconds"),
        Reset::Header { .. } | Reset::Nothing => "account-requests-per-sec limit exceeded".to_owned(),
    };
    let headers = match reset {
        Reset::Header { unix_seconds } => vec![("x-ratelimit-reset", unix_seconds.to_string())],
        _ => Vec::new(),
    };
    response(
        429,
        &headers,
        "application/json",
        json!({"message": message}).to_string().as_bytes(),
    )
}

async fn giant(connection: &mut Connection, bytes: u64) -> std::io::Result<Next> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {bytes}\r\n\r\n{{\"id\": \""
    );
    connection.stream.write_all(head.as_bytes()).await?;
    let block = [b'a'; 64 * 1024];
    let mut left = bytes;
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(block.len()).min(block.len());
        connection.stream.write_all(&block[..length]).await?;
        left -= length as u64;
    }
    Ok(Next::Close)
}

async fn trickle(connection: &mut Connection, bytes: &[u8]) -> std::io::Result<Next> {
    for byte in bytes {
        connection.stream.write_all(&[*byte]).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(Next::KeepOpen)
}

/// Reads until the client gives up.
async fn drain(connection: &mut Connection) -> std::io::Result<()> {
    let mut block = [0; 4096];
    while connection.stream.read(&mut block).await? > 0 {}
    Ok(())
}

//! The fake's own paths, for tests that are not written in Rust:
//! `GET /_fake/mails?count=N` waits until N mails were accepted and returns them all;
//! `POST /_fake/tell` with `{"server": "127.0.0.1:1", "mail": 1, "event": "delivered"}` tells a server's webhook of the
//! first mail and gives the status it answered; `event` may also be `bounced`, or any kind with `more` laid over it;
//! `POST /_fake/answer` sets the standing answer; `POST /_fake/next` queues a list of answers.

use std::net::SocketAddr;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::answer::{Answer, Next};
use super::http::{Connection, Request, response};
use super::{Shared, webhooks};

pub(super) const PREFIX: &str = "/_fake/";

/// Whom to tell what of which mail.
#[derive(Deserialize)]
struct Tell {
    server: SocketAddr,
    /// Counted from one.
    mail: usize,
    event: String,
    #[serde(default)]
    more: Value,
}

async fn tell(tell: Tell, shared: &Shared) -> Result<String, String> {
    let mail = shared.with(|records| records.mails.get(tell.mail.wrapping_sub(1)).cloned());
    let mail = mail.ok_or("there is no such mail")?;
    let event = match tell.event.as_str() {
        "delivered" => mail.delivered(),
        "bounced" => mail.bounced(),
        other => mail.event(other, tell.more),
    };
    let answer = webhooks::post(tell.server, webhooks::signed(&event).to_string()).await;
    Ok(answer.status.as_u16().to_string())
}

pub(super) async fn answer(
    request: &Request,
    connection: &mut Connection,
    shared: &Arc<Shared>,
) -> std::io::Result<Next> {
    let bytes = match handle(request, shared).await {
        Ok(body) => response(200, &[], "application/json", body.as_bytes()),
        Err(message) => response(400, &[], "text/plain", message.as_bytes()),
    };
    connection.stream.write_all(&bytes).await?;
    Ok(Next::KeepOpen)
}

async fn handle(request: &Request, shared: &Shared) -> Result<String, String> {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    match (request.method.as_str(), path.trim_start_matches(PREFIX)) {
        ("GET", "mails") => {
            let count = query
                .strip_prefix("count=")
                .and_then(|count| count.parse().ok())
                .unwrap_or(0);
            let mails = shared
                .wait_for(|records| (records.mails.len() >= count).then(|| json!(records.mails)))
                .await;
            Ok(mails.to_string())
        }
        ("GET", "count") => Ok(shared.with(|records| records.mails.len()).to_string()),
        ("POST", "tell") => {
            let wanted: Tell = serde_json::from_slice(&request.body).map_err(|error| error.to_string())?;
            tell(wanted, shared).await
        }
        ("POST", "answer") => {
            let answer: Answer = serde_json::from_slice(&request.body).map_err(|error| error.to_string())?;
            shared.with(|records| records.standing = answer);
            Ok("{}".to_owned())
        }
        ("POST", "next") => {
            let answers: Vec<Answer> =
                serde_json::from_slice(&request.body).map_err(|error| error.to_string())?;
            shared.with(|records| records.next.extend(answers));
            Ok("{}".to_owned())
        }
        (method, path) => Err(format!("the fake has no {method} {path}")),
    }
}

//! The fake's own paths, for tests that are not written in Rust:
//! `GET /_fake/mails?count=N` waits until N mails were accepted and returns them all;
//! `POST /_fake/answer` sets the standing answer; `POST /_fake/next` queues a list of answers.

use std::sync::Arc;

use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::Shared;
use super::answer::{Answer, Next};
use super::http::{Connection, Request, response};

pub(super) const PREFIX: &str = "/_fake/";

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

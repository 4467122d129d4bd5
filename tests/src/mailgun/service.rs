//! The fake's connections: one request after the other until somebody has enough.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::answer::{Answer, Next, Ruling};
use super::form::Form;
use super::http::{Connection, ReadError, Request};
use super::{Attempt, DOMAIN, KEY, Shared, control, rules};

/// 52.4 MiB: Mailgun answers 413 above it.
const MAX_REQUEST: usize = 54_945_382;

pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(handle(stream, Arc::clone(&shared)));
    }
}

async fn handle(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let mut connection = Connection::new(stream);
    loop {
        let request = match connection.read_request(MAX_REQUEST).await {
            Ok(request) => request,
            Err(ReadError::TooLarge) => {
                let refusal = Ruling::refusal(413, "Request Entity Too Large").bytes();
                let _ = connection.stream.write_all(&refusal).await;
                return;
            }
            Err(ReadError::Gone) => return,
        };
        let outcome = if request.target.starts_with(control::PREFIX) {
            control::answer(&request, &mut connection, &shared).await
        } else {
            respond(&request, &mut connection, &shared).await
        };
        if !matches!(outcome, Ok(Next::KeepOpen)) {
            return;
        }
    }
}

async fn respond(request: &Request, connection: &mut Connection, shared: &Shared) -> std::io::Result<Next> {
    let answer = shared.with(|records| {
        records
            .next
            .pop_front()
            .unwrap_or_else(|| records.standing.clone())
    });
    let (ruling, fields) = record(request, &answer, shared).await;
    shared.with(|records| {
        records.attempts.push(Attempt {
            status: answer.status(&ruling),
            fields,
        })
    });
    answer.send(connection, &ruling).await
}

/// Applies the rules; a message that passes is accepted when the answer lets it be.
async fn record(request: &Request, answer: &Answer, shared: &Shared) -> (Ruling, Vec<(String, String)>) {
    if let Some(refusal) = refuse_before_reading(request) {
        return (refusal, Vec::new());
    }
    let Some(form) = Form::read(request).await else {
        return (
            Ruling::refusal(400, "the body is neither a form nor multipart"),
            Vec::new(),
        );
    };
    let fields = form.fields.clone();
    if let Err(message) = rules::check(&form) {
        return (Ruling::refusal(400, message), fields);
    }
    if !answer.accepts() {
        return (Ruling::refusal(500, "never sent"), fields);
    }
    let id = shared.with(|records| {
        let id = format!("<{}.fake@{DOMAIN}>", records.mails.len() + 1);
        records.mails.push(form.into_mail(&id));
        id
    });
    (Ruling::accepted(&id), fields)
}

fn refuse_before_reading(request: &Request) -> Option<Ruling> {
    if !is_authorized(request) {
        return Some(Ruling::refusal(401, "Forbidden"));
    }
    let path = request.target.split('?').next().unwrap_or_default();
    let domain = path
        .strip_prefix("/v3/")
        .and_then(|rest| rest.strip_suffix("/messages"));
    match domain {
        Some(DOMAIN) if request.method == "POST" => None,
        Some(DOMAIN) => Some(Ruling::refusal(405, "Method Not Allowed")),
        Some(other) => Some(Ruling::refusal(404, format!("Domain not found: {other}"))),
        None => Some(Ruling::refusal(404, "Not Found")),
    }
}

fn is_authorized(request: &Request) -> bool {
    let credentials = request
        .header("authorization")
        .and_then(|value| value.strip_prefix("Basic "));
    let decoded = credentials.and_then(|value| BASE64_STANDARD.decode(value.trim()).ok());
    decoded.is_some_and(|decoded| decoded == format!("api:{KEY}").as_bytes())
}

//! HTTP: the API, the pages, webhooks, health, and what every answer carries.

pub mod api;
pub mod client;
pub mod connections;
pub mod headers;
pub mod health;
pub mod hooks;
pub mod pages;
pub mod request;
pub mod webmin;

use coronet_core::{Code, Error};
use rocket::http::{ContentType, Header, Method, Status};
use rocket::response::{self, Responder, Response};
use rocket::{Request, serde::json::serde_json};

/// What a route that answers whatever is asked is mounted for.
const METHODS: [Method; 7] = [
    Method::Get,
    Method::Head,
    Method::Post,
    Method::Put,
    Method::Patch,
    Method::Delete,
    Method::Options,
];

/// Details of an error that stand in a header too.
const HEADERS: [(&str, &str); 4] = [
    ("retry_after_seconds", "Retry-After"),
    ("allow", "Allow"),
    ("accept", "Accept"),
    ("accept_encoding", "Accept-Encoding"),
];

/// An error as JSON, with the status its code stands for.
pub struct JsonError(pub Error);

impl<'r> Responder<'r, 'static> for JsonError {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let mut answer = Response::build();
        answer
            .status(Status::new(self.0.code().status()))
            .header(ContentType::JSON);
        for (detail, header) in HEADERS {
            let said = self.0.details().and_then(|details| details.get(detail));
            if let Some(said) = said {
                let said = said.as_str().map_or_else(|| said.to_string(), str::to_owned);
                answer.header(Header::new(header, said));
            }
        }
        if self.0.code() == Code::Unauthenticated {
            // RFC 6750, section 3: why, only to those who showed something.
            let showed = request.headers().contains("Authorization");
            let why = if showed { ", error=\"invalid_token\"" } else { "" };
            answer.header(Header::new(
                "WWW-Authenticate",
                format!("Bearer realm=\"Coronet\"{why}"),
            ));
        }
        answer.sized_body(body.len(), std::io::Cursor::new(body)).ok()
    }
}

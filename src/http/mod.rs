//! HTTP: the API, the pages, webhooks, health, and what every answer carries.

pub mod api;
pub mod connections;
pub mod headers;
pub mod health;
pub mod hooks;
pub mod pages;

use coronet_core::Error;
use rocket::http::{ContentType, Header, Status};
use rocket::response::{self, Responder, Response};
use rocket::{Request, serde::json::serde_json};

/// An error as JSON, with the status its code stands for.
pub struct JsonError(pub Error);

impl<'r> Responder<'r, 'static> for JsonError {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let mut answer = Response::build();
        answer
            .status(Status::new(self.0.code().status()))
            .header(ContentType::JSON);
        if let Some(seconds) = self
            .0
            .details()
            .and_then(|details| details.get("retry_after_seconds"))
        {
            answer.header(Header::new("Retry-After", seconds.to_string()));
        }
        answer.sized_body(body.len(), std::io::Cursor::new(body)).ok()
    }
}

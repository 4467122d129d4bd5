//! `POST /_hooks/<plugin>`: what others, such as a mail provider, tell a plugin.
//!
//! The answer's status is the plugin's: it decides whether the sender comes again. Nobody here is signed in.

use std::sync::Arc;
use std::time::Duration;

use coronet_core::plugins::hooks::PATH;
use coronet_core::{Code, Error, Result};
use rocket::data::{Data, ToByteUnit};
use rocket::fairing::AdHoc;
use rocket::http::{Method, Status};
use rocket::request::{FromRequest, Outcome};
use rocket::{Request, State, catch, catchers, post, routes};

use super::{JsonError, request};
use crate::services::Services;

/// A provider's events have a few KiB.
const BODY_LIMIT_KIB: u64 = 256;
/// A body that is not there by then is not coming.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

pub fn stage() -> AdHoc {
    AdHoc::on_ignite("Webhooks", |rocket| async move {
        rocket
            .mount(PATH, routes![post])
            .mount(PATH, request::only("/<plugin>", &[Method::Post]))
            .register(PATH, catchers![not_found, other])
    })
}

/// The headers of the request, by name.
struct Headers<'r>(&'r rocket::http::HeaderMap<'r>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Headers<'r> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        Outcome::Success(Self(request.headers()))
    }
}

#[post("/<plugin>", data = "<body>")]
async fn post(
    plugin: &str,
    body: Data<'_>,
    headers: Headers<'_>,
    services: &State<Arc<Services>>,
) -> Result<(Status, String), JsonError> {
    request::is_not_packed(headers.0).map_err(JsonError)?;
    let body = read(body).await.map_err(JsonError)?;
    // Not for plugins, whatever a manifest asks for: a browser may have sent an operator's session along.
    let header = |name: &str| match name.eq_ignore_ascii_case("cookie") {
        true => None,
        false => headers.0.get_one(name).map(str::to_owned),
    };
    let answer = services
        .plugins
        .hook(plugin, header, body)
        .await
        .map_err(JsonError)?;
    Ok((Status::new(answer.status), format!("{}\n", answer.detail)))
}

async fn read(body: Data<'_>) -> Result<String> {
    let reading = body.open(BODY_LIMIT_KIB.kibibytes()).into_bytes();
    let bytes = tokio::time::timeout(BODY_TIMEOUT, reading)
        .await
        .map_err(|_| Error::new(Code::Deadline, "The request's body did not arrive in time."))?
        .map_err(|_| Error::new(Code::Api, "The request's body could not be read to its end."))?;
    if !bytes.is_complete() {
        let text = format!("The request's body is larger than {BODY_LIMIT_KIB} KiB.");
        return Err(Error::new(Code::TooLarge, text));
    }
    String::from_utf8(bytes.into_inner())
        .map_err(|_| Error::new(Code::Api, "The request's body is no UTF-8 text."))
}

#[catch(404)]
fn not_found() -> JsonError {
    JsonError(Error::new(
        Code::NotFound,
        "There is no webhook here. A plugin's page in the webmin shows the address of its own; it takes POST.",
    ))
}

#[catch(default)]
fn other(status: Status, _: &Request<'_>) -> JsonError {
    JsonError(match status.code {
        413 => Error::new(Code::TooLarge, "The request is too large."),
        code if code < 500 => Error::new(Code::Api, format!("The request cannot be answered: {status}.")),
        _ => Error::unexpected(format!("a webhook answered {status}")),
    })
}

//! `POST /_hooks/<plugin>`: what others, such as a mail provider, tell a plugin.
//!
//! The answer's status is the plugin's: it decides whether the sender comes again. Nobody here is signed in.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use coronet_core::bodies::{BodyLimits, Sender};
use coronet_core::plugins::hooks::PATH;
use coronet_core::{Code, Error, Result};
use rocket::data::{ByteUnit, Data};
use rocket::fairing::AdHoc;
use rocket::http::{Method, Status};
use rocket::request::{FromRequest, Outcome};
use rocket::{Request, State, catch, catchers, post, routes};

use super::{JsonError, request};
use crate::services::Services;

/// A provider's events have a few KiB.
const BODY: BodyLimits = BodyLimits {
    bytes: 256 << 10,
    time: Duration::from_secs(10),
};

pub fn stage() -> AdHoc {
    AdHoc::on_ignite("Webhooks", |rocket| async move {
        rocket
            .mount(PATH, routes![post])
            .mount(PATH, request::only("/<plugin>", &[Method::Post]))
            .register(PATH, catchers![not_found, other])
    })
}

/// The headers of the request, by name, and where it came from.
struct Head<'r> {
    headers: &'r rocket::http::HeaderMap<'r>,
    address: Option<IpAddr>,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Head<'r> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        Outcome::Success(Self {
            headers: request.headers(),
            address: coronet_webmin::client_address(request),
        })
    }
}

#[post("/<plugin>", data = "<body>")]
async fn post(
    plugin: &str,
    body: Data<'_>,
    head: Head<'_>,
    services: &State<Arc<Services>>,
) -> Result<(Status, String), JsonError> {
    request::is_not_packed(head.headers).map_err(JsonError)?;
    let body = read(body, head.address, services).await.map_err(JsonError)?;
    // Not for plugins, whatever a manifest asks for: a browser may have sent an operator's session along.
    let header = |name: &str| match name.eq_ignore_ascii_case("cookie") {
        true => None,
        false => head.headers.get_one(name).map(str::to_owned),
    };
    let answer = services
        .plugins
        .hook(plugin, header, body)
        .await
        .map_err(JsonError)?;
    Ok((Status::new(answer.status), format!("{}\n", answer.detail)))
}

async fn read(body: Data<'_>, address: Option<IpAddr>, services: &Services) -> Result<String> {
    let source = body.open(ByteUnit::max_value());
    let bodies = &services.core.bodies;
    let body = bodies.read(source, Sender::Stranger(address), BODY).await;
    let body = body.map_err(|fault| BODY.error(fault))?;
    String::from_utf8(body.bytes).map_err(|_| Error::new(Code::Api, "The request's body is no UTF-8 text."))
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

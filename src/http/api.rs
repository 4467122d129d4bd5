//! `POST /api/v1/<function>`: the registry over HTTP, for apps with a token.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use coronet_core::functions::{AppCaller, Caller, openapi};
use coronet_core::{Code, Error, Result, json};
use rocket::data::{Data, ToByteUnit};
use rocket::fairing::AdHoc;
use rocket::http::ContentType;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::serde::json::{Value, serde_json};
use rocket::{State, catch, catchers, get, post, routes};
use subtle::ConstantTimeEq;

use super::JsonError;
use crate::services::Services;

const BODY_LIMIT_MIB: u64 = 1;
/// A body that is not there by then is not coming.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);

pub fn stage(services: &Arc<Services>) -> AdHoc {
    let services = Arc::clone(services);
    AdHoc::on_ignite("API", |rocket| async move {
        rocket
            .manage(services.core.functions.clone())
            .mount("/api/v1", routes![call, documentation])
            .mount("/", routes![metrics])
            .register("/api/v1", catchers![not_found, other])
    })
}

/// The header that authenticates, and where the request came from.
struct Credentials<'r> {
    token: Option<&'r str>,
    address: Option<IpAddr>,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Credentials<'r> {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let mut headers = request.headers().get("Authorization");
        // Two of them are as good as none: who would decide which counts?
        let token = match (headers.next(), headers.next()) {
            (Some(header), None) => header.strip_prefix("Bearer ").map(str::trim),
            _ => None,
        };
        Outcome::Success(Credentials {
            token,
            address: request.client_ip(),
        })
    }
}

impl Credentials<'_> {
    async fn caller(&self, services: &Services) -> Result<Caller> {
        let caller = services
            .tokens
            .authenticate(self.token.unwrap_or_default(), self.address)
            .await;
        // Nobody is named whom the audit log could list; who watches the log sees where it comes from (W06).
        caller.inspect_err(
            |error| tracing::info!(address = ?self.address, %error, "a call of the API was refused"),
        )
    }
}

impl Credentials<'_> {
    /// A monitoring system that knows the password for metrics, if one is set.
    fn monitor(&self, services: &Services) -> Option<Caller> {
        let settings = services.core.settings.now();
        let password = settings.security.metrics_password.as_bytes();
        let same: bool = self.token.unwrap_or_default().as_bytes().ct_eq(password).into();
        (same && !password.is_empty()).then(|| {
            Caller::App(Arc::new(AppCaller {
                token_id: "metrics".to_owned(),
                name: "metrics".to_owned(),
                grants: Arc::new(["server.metrics".to_owned()]),
                address: self.address,
            }))
        })
    }
}

#[post("/<function>", data = "<body>")]
async fn call(
    function: &str,
    body: Data<'_>,
    credentials: Credentials<'_>,
    services: &State<Arc<Services>>,
) -> Result<(ContentType, Vec<u8>), JsonError> {
    // Who may not call at all does not get to send a body either.
    let caller = credentials.caller(services).await.map_err(JsonError)?;
    let parameters = read(body).await.map_err(JsonError)?;
    let result = services
        .core
        .functions
        .call(&caller, function, parameters)
        .await
        .map_err(JsonError)?;
    let text = serde_json::to_vec(&result).map_err(|cause| JsonError(Error::unexpected(cause)))?;
    Ok((ContentType::JSON, text))
}

/// An empty body stands for no parameters.
async fn read(body: Data<'_>) -> Result<Value> {
    let reading = body.open(BODY_LIMIT_MIB.mebibytes()).into_bytes();
    let bytes = tokio::time::timeout(BODY_TIMEOUT, reading)
        .await
        .map_err(|_| Error::new(Code::Deadline, "The request's body did not arrive in time."))?
        .map_err(|_| {
            Error::new(
                Code::JsonDecode,
                "The request's body could not be read to its end.",
            )
        })?;
    if !bytes.is_complete() {
        let text = format!("The request's body is larger than {BODY_LIMIT_MIB} MiB.");
        return Err(Error::new(Code::TooLarge, text));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(serde_json::json!({}));
    }
    json::parse(&bytes)
}

#[get("/openapi.json")]
async fn documentation(
    credentials: Credentials<'_>,
    services: &State<Arc<Services>>,
) -> Result<(ContentType, String), JsonError> {
    let caller = credentials.caller(services).await.map_err(JsonError)?;
    let document = openapi::document(
        &services.core.functions,
        &caller,
        &services.core.config.site_url(),
    );
    Ok((ContentType::JSON, document.to_string()))
}

/// Prometheus sends the token, or the password for metrics, as `authorization: credentials: cor_…` of its scrape configuration.
#[get("/metrics")]
async fn metrics(
    credentials: Credentials<'_>,
    services: &State<Arc<Services>>,
) -> Result<(ContentType, String), JsonError> {
    let caller = match credentials.monitor(services) {
        Some(monitor) => monitor,
        None => credentials.caller(services).await.map_err(JsonError)?,
    };
    let text = services
        .core
        .functions
        .call(&caller, "server.metrics", serde_json::json!({}))
        .await;
    let text = text.map_err(JsonError)?.as_str().unwrap_or_default().to_owned();
    Ok((ContentType::new("application", "openmetrics-text"), text))
}

#[catch(404)]
fn not_found() -> JsonError {
    JsonError(Error::new(
        Code::NotFound,
        "There is nothing here. Call a function as POST /api/v1/<function>; /api/v1/openapi.json lists them.",
    ))
}

#[catch(default)]
fn other(status: rocket::http::Status, _: &Request<'_>) -> JsonError {
    JsonError(match status.code {
        413 => Error::new(Code::TooLarge, "The request is too large."),
        code if code < 500 => Error::new(Code::Api, format!("The request cannot be answered: {status}.")),
        _ => Error::unexpected(format!("the API answered {status}")),
    })
}

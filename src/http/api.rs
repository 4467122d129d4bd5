//! `POST /api/v1/<function>`: the registry over HTTP, for apps with a token.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use coronet_core::bodies::{BodyLimits, Sender};
use coronet_core::functions::{AppCaller, Caller, openapi};
use coronet_core::idempotency::{self, Answer};
use coronet_core::{Code, Error, Result, json};
use coronet_webmin::client_address;
use rocket::data::{ByteUnit, Data};
use rocket::fairing::AdHoc;
use rocket::http::{ContentType, Header, HeaderMap, Method, Status};
use rocket::request::{FromRequest, Outcome, Request};
use rocket::response::{self, Responder, Response};
use rocket::route::{self, Handler};
use rocket::serde::json::{Value, serde_json};
use rocket::{State, catch, catchers, get, post, routes};
use subtle::ConstantTimeEq;

use super::{JsonError, request};
use crate::services::Services;

const BODY: BodyLimits = BodyLimits {
    bytes: 1 << 20,
    time: Duration::from_secs(15),
};

pub fn stage(services: &Arc<Services>) -> AdHoc {
    let services = Arc::clone(services);
    AdHoc::on_ignite("API", |rocket| async move {
        rocket
            .manage(services.core.functions.clone())
            .mount("/api/v1", routes![call, documentation])
            .mount(
                "/api/v1",
                request::others("/<function>", &[Method::Post], OtherMethods),
            )
            .mount(
                "/api/v1",
                request::only("/openapi.json", &[Method::Get, Method::Head]),
            )
            .mount("/", routes![metrics])
            .mount("/", request::only("/metrics", &[Method::Get, Method::Head]))
            .register("/api/v1", catchers![not_found, other])
    })
}

/// The header that authenticates, and where the request came from.
struct Credentials<'r> {
    token: Option<&'r str>,
    headers: &'r HeaderMap<'r>,
    address: Option<IpAddr>,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Credentials<'r> {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        Outcome::Success(Credentials {
            token: request::bearer(request.headers()),
            headers: request.headers(),
            address: client_address(request),
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
) -> Result<Reply, JsonError> {
    // Who may not call at all does not get to send a body either.
    let caller = credentials.caller(services).await.map_err(JsonError)?;
    answer(function, body, &credentials, &caller, services)
        .await
        .map_err(JsonError)
}

async fn answer(
    function: &str,
    body: Data<'_>,
    credentials: &Credentials<'_>,
    caller: &Caller,
    services: &Services,
) -> Result<Reply> {
    request::is_not_packed(credentials.headers)?;
    request::is_json(credentials.headers)?;
    let key = idempotency_key(credentials.headers)?;
    let parameters = read(body, services).await?;
    let answered = match key {
        Some(key) => {
            services
                .idempotency
                .call(caller, key, function, parameters)
                .await?
        }
        None => Answer::Fresh(services.core.functions.call(caller, function, parameters).await),
    };
    match answered {
        Answer::Fresh(result) => Ok(Reply {
            status: 200,
            body: serde_json::to_vec(&result?).map_err(Error::unexpected)?,
            stored: false,
        }),
        Answer::Stored { status, body } => Ok(Reply {
            status,
            body,
            stored: true,
        }),
    }
}

/// The key of a call that must not be carried out twice.
fn idempotency_key<'r>(headers: &'r HeaderMap<'_>) -> Result<Option<&'r str>> {
    let mut all = headers.get("Idempotency-Key");
    match (all.next(), all.next()) {
        (None, _) => Ok(None),
        (Some(only), None) => idempotency::key(only).map(Some),
        _ => Err(Error::new(
            Code::ParameterInvalid,
            "The header `Idempotency-Key` is there twice.",
        )),
    }
}

/// The answer to a call, as JSON.
struct Reply {
    status: u16,
    body: Vec<u8>,
    /// It is the answer of an earlier call with the same key.
    stored: bool,
}

impl<'r> Responder<'r, 'static> for Reply {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let mut response = Response::build();
        response
            .status(Status::new(self.status))
            .header(ContentType::JSON);
        if self.stored {
            response.header(Header::new("Idempotent-Replayed", "true"));
        }
        response
            .sized_body(self.body.len(), std::io::Cursor::new(self.body))
            .ok()
    }
}

/// Every method but POST, on a function: 405 for what is there. Whether a function is there, only a caller hears.
#[derive(Clone)]
struct OtherMethods;

#[rocket::async_trait]
impl Handler for OtherMethods {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> route::Outcome<'r> {
        let name = request.param::<&str>(0).and_then(std::result::Result::ok);
        let name = name.unwrap_or_default();
        if name == "openapi.json" {
            // HEAD, which is answered as GET is.
            return route::Outcome::forward(data, request::FORWARD);
        }
        let Some(services) = request.rocket().state::<Arc<Services>>() else {
            return route::Outcome::forward(data, request::FORWARD);
        };
        let credentials = match Credentials::from_request(request).await {
            Outcome::Success(credentials) => credentials,
            _ => return route::Outcome::forward(data, request::FORWARD),
        };
        let is_known = services.core.functions.get(name).is_some();
        if !is_known && credentials.token.is_some() && credentials.caller(services).await.is_ok() {
            let error = Error::new(Code::NotFound, format!("There is no function {name}."));
            return route::Outcome::from(request, JsonError(error));
        }
        route::Outcome::from(request, request::refusal(request.method(), &[Method::Post]))
    }
}

/// An empty body stands for no parameters.
async fn read(body: Data<'_>, services: &Services) -> Result<Value> {
    let source = body.open(ByteUnit::max_value());
    let body = services.core.bodies.read(source, Sender::SignedIn, BODY).await;
    let body = body.map_err(|fault| BODY.error(fault))?;
    if body.bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(serde_json::json!({}));
    }
    json::parse(&body.bytes)
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
fn other(status: Status, _: &Request<'_>) -> JsonError {
    JsonError(match status.code {
        413 => Error::new(Code::TooLarge, "The request is too large."),
        code if code < 500 => Error::new(Code::Api, format!("The request cannot be answered: {status}.")),
        _ => Error::unexpected(format!("the API answered {status}")),
    })
}

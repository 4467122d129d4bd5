//! Everything below `/` that nothing else answers: the pages, and the pages of errors.

use std::sync::Arc;
use std::time::Duration;

use coronet_core::bodies::{BodyLimits, Sender};
use coronet_core::{Bodies, Error, cookies};
use coronet_templates::pages::{PageRequest, PageResponse, Pages};
use coronet_webmin::client_address;
use rocket::data::{ByteUnit, Data};
use rocket::fairing::AdHoc;
use rocket::http::{Header, Method, Status};
use rocket::response::{self, Responder, Response};
use rocket::route::{Handler, Outcome, Route};
use rocket::{Request, catch, catchers};

use crate::services::Services;

/// After every other route.
const RANK: isize = 1000;
/// A body that is not there by then is not coming.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);
/// What has catchers of its own: a mistyped path there is answered in their way. What is there for GET alone is here too, so
/// that Rocket answers HEAD by it.
const OTHERS: [&str; 6] = [
    "/api",
    coronet_core::plugins::hooks::PATH,
    coronet_webmin::BASE,
    "/healthz",
    "/readyz",
    "/metrics",
];

pub fn stage(services: &Arc<Services>) -> AdHoc {
    let pages = Arc::new(Pages::new(&services.templates, coronet_webmin::BASE));
    let bodies = services.core.bodies.clone();
    AdHoc::on_ignite("Pages", |rocket| async move {
        let methods = [
            Method::Get,
            Method::Head,
            Method::Post,
            Method::Put,
            Method::Patch,
            Method::Delete,
            Method::Options,
        ];
        let routes: Vec<Route> = methods
            .into_iter()
            .map(|method| {
                let handler = Anything {
                    pages: Arc::clone(&pages),
                    bodies: bodies.clone(),
                };
                Route::ranked(RANK, method, "/<path..>", handler)
            })
            .collect();
        rocket
            .manage(pages)
            .mount("/", routes)
            .register("/", catchers![failure])
    })
}

/// The route of all pages.
#[derive(Clone)]
struct Anything {
    pages: Arc<Pages>,
    bodies: Bodies,
}

#[rocket::async_trait]
impl Handler for Anything {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        let path = request.uri().path().raw().as_str();
        let is_below = |base: &&str| {
            path.strip_prefix(*base)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if OTHERS.iter().any(is_below) {
            return Outcome::forward(data, Status::NotFound);
        }
        let languages = request.headers().get_one("Accept-Language");
        if !has_one_host(request) {
            let refusal = Pages::for_reader(languages, self.pages.error(400)).await;
            return Outcome::from(request, Answer(refusal));
        }
        if super::request::is_not_packed(request.headers()).is_err() {
            let mut refusal = Pages::for_reader(languages, self.pages.error(415)).await;
            refusal
                .headers
                .push(("Accept-Encoding".to_owned(), "identity".to_owned()));
            return Outcome::from(request, Answer(refusal));
        }
        let sender = Sender::Stranger(client_address(request));
        let read = |bytes| async move {
            let limits = BodyLimits {
                bytes,
                time: BODY_TIMEOUT,
            };
            let source = data.open(ByteUnit::max_value());
            self.bodies.read(source, sender, limits).await
        };
        let answer = self.pages.serve(page_request(request), read).await;
        Outcome::from(request, Answer(answer))
    }
}

/// Without a host, or with two, nobody can say whom the request was meant for.
fn has_one_host(request: &Request<'_>) -> bool {
    request.headers().get("Host").count() == 1
}

fn page_request(request: &Request<'_>) -> PageRequest {
    let uri = request.uri();
    PageRequest {
        method: request.method().as_str().to_owned(),
        path: uri.path().raw().to_string(),
        query: uri
            .query()
            .map(|query| query.raw().to_string())
            .unwrap_or_default(),
        headers: request
            .headers()
            .iter()
            .map(|header| (header.name().to_string(), header.value().to_owned()))
            // The browser sends the webmin's cookies to every port of the host. They end here.
            .filter_map(cookies::without_webmins)
            .collect(),
        address: client_address(request),
    }
}

/// What nobody else has a catcher for.
#[catch(default)]
async fn failure(status: Status, request: &Request<'_>) -> Option<Answer> {
    let pages = request.rocket().state::<Arc<Pages>>()?;
    tracing::debug!(method = %request.method(), path = %request.uri().path(), status = status.code, "refused");
    let answer = async {
        if status.code == 500 {
            let cause = format!("{} {} ended in an error", request.method(), request.uri().path());
            pages.failed(&Error::unexpected(cause)).await
        } else {
            pages.error(status.code).await
        }
    };
    let answer = Pages::for_reader(request.headers().get_one("Accept-Language"), answer).await;
    Some(Answer(answer))
}

/// An answer of the page runtime as Rocket sends it.
pub(super) struct Answer(pub(super) PageResponse);

impl<'r> Responder<'r, 'static> for Answer {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let PageResponse {
            status,
            headers,
            body,
        } = self.0;
        let mut response = Response::build();
        response.status(Status::new(status));
        for (name, value) in headers {
            response.header_adjoin(Header::new(name, value));
        }
        response.sized_body(body.len(), std::io::Cursor::new(body)).ok()
    }
}

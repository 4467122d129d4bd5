//! The webmin beside the pages: each has an origin of its own, on another port or under another host name.

use std::sync::Arc;

use coronet_core::Config;
use coronet_core::forwarded::{FORWARDED, X_FORWARDED_FOR};
use coronet_templates::pages::Pages;
use coronet_webmin::BASE;
use rocket::data::Data;
use rocket::fairing::AdHoc;
use rocket::http::uri::Origin;
use rocket::http::{Method, Status};
use rocket::response::Redirect;
use rocket::route::{Handler, Outcome, Route};
use rocket::{Request, get, routes};

use super::METHODS;
use super::connections::TOO_LARGE;
use super::pages::Answer;
use crate::services::Services;

/// Before the routes of the webmin and of the pages.
const FIRST: isize = -1000;
/// Says nothing that a stranger could use.
const ELSEWHERE: &str = "The webmin is not at this address. The server prints where it is when it starts.";

/// For the listener of the pages: what asks for the webmin hears that it is elsewhere.
pub fn moved(services: &Arc<Services>) -> AdHoc {
    let moved = Moved(Arc::clone(&services.core.config));
    AdHoc::on_ignite("Webmin elsewhere", |rocket| async move {
        rocket.mount(BASE, moved.routes())
    })
}

/// For the listener of the webmin: there is nothing else.
pub fn alone() -> AdHoc {
    AdHoc::on_ignite("Webmin alone", |rocket| async move {
        rocket.mount("/", routes![root]).attach(rewriting(|_| true))
    })
}

/// For one listener: the host that is asked decides. Paths of the webmin are then only found at its host, and nothing else is.
pub fn by_host(services: &Arc<Services>) -> AdHoc {
    let config = Arc::clone(&services.core.config);
    let moved = Moved(Arc::clone(&config));
    AdHoc::on_ignite("Webmin by host", |rocket| async move {
        rocket
            .mount("/", routes![root])
            .mount(MOVED, moved.routes())
            .attach(rewriting(move |host| config.is_webmin_host(host)))
    })
}

/// Where a request for the start page of the webmin's origin goes.
const ROOT: &str = "/_webmin/root";
/// Where requests for the webmin go that came to the host of the pages.
const MOVED: &str = "/_webmin/elsewhere";
/// An address that the webmin has no page for.
const UNKNOWN: &str = "/webmin/elsewhere";

#[get("/_webmin/root")]
fn root() -> Redirect {
    Redirect::to(BASE)
}

/// Keeps the paths of the webmin at its hosts, and all others away from them.
fn rewriting(is_webmin_host: impl Fn(&str) -> bool + Send + Sync + 'static) -> AdHoc {
    AdHoc::on_request("Webmin paths", move |request, _| {
        let to = rewritten(is_webmin_host(&host(request)), request);
        Box::pin(async move {
            if let Some(to) = to {
                request.set_uri(Origin::path_only(to));
            }
        })
    })
}

/// The host that is asked; empty when two are named, which is no honest request.
fn host(request: &Request<'_>) -> String {
    let mut hosts = request.headers().get("Host");
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_owned(),
        // HTTP/2 says it in another way.
        (None, _) => request.host().map(ToString::to_string).unwrap_or_default(),
        _ => String::new(),
    }
}

fn rewritten(at_webmin: bool, request: &Request<'_>) -> Option<&'static str> {
    // Decoded, as routes are matched: `/%77ebmin` is the webmin's, too.
    let first = request.uri().path().segments().next().unwrap_or_default();
    let for_webmin = first == BASE.trim_start_matches('/');
    match (at_webmin, for_webmin) {
        (false, true) => Some(MOVED),
        (true, false) if first.is_empty() => Some(ROOT),
        (true, false) if !matches!(first, "healthz" | "readyz" | TOO_LARGE) => Some(UNKNOWN),
        _ => None,
    }
}

/// Leads whoever sits at this machine to the webmin, and tells others only that it is elsewhere.
#[derive(Clone)]
struct Moved(Arc<Config>);

impl Moved {
    fn routes(&self) -> Vec<Route> {
        let route = |method| Route::ranked(FIRST, method, "/<path..>", self.clone());
        METHODS.into_iter().map(route).collect()
    }
}

#[rocket::async_trait]
impl Handler for Moved {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        if matches!(request.method(), Method::Get | Method::Head) && is_local(request) {
            let asked = request.uri().to_string();
            let below = if asked.starts_with(BASE) {
                asked.as_str()
            } else {
                BASE
            };
            let to = format!("{}{below}", self.0.webmin_url());
            return Outcome::from(request, Redirect::to(to));
        }
        match request.rocket().state::<Arc<Pages>>() {
            Some(pages) => Outcome::from(request, Answer(pages.explain(404, ELSEWHERE).await)),
            None => Outcome::forward(data, Status::NotFound),
        }
    }
}

/// Whether a browser on this machine asks, without a proxy between.
fn is_local(request: &Request<'_>) -> bool {
    let headers = request.headers();
    let proxied = [FORWARDED, X_FORWARDED_FOR, "Via"]
        .iter()
        .any(|name| headers.contains(*name));
    let is_loopback = request
        .remote()
        .is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    let host = request.host().map(|host| host.domain().as_str().to_owned());
    let names_this_machine = host.is_some_and(|host| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host
                .parse()
                .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
    });
    is_loopback && names_this_machine && !proxied
}

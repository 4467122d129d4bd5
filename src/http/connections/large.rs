//! Requests with a head that is too large: rejected before anything waits for their bodies.

use coronet_core::{Code, Error};
use rocket::data::Data;
use rocket::http::uri::Origin;
use rocket::request::Request;
use rocket::response::Responder;
use rocket::route::{Handler, Outcome, Route};

use super::heads::MOST_OF_A_HEAD;
use crate::http::{JsonError, METHODS};

/// The path where such a request goes, whatever it asked for.
pub(crate) const TOO_LARGE: &str = "_too-large";
/// Before all other routes.
const FIRST: isize = -2000;

pub(super) fn routes() -> Vec<Route> {
    let route = |method| Route::ranked(FIRST, method, &format!("/{TOO_LARGE}"), Rejection);
    METHODS.into_iter().map(route).collect()
}

pub(super) fn reject(request: &mut Request<'_>) {
    request.set_uri(Origin::path_only(format!("/{TOO_LARGE}")));
}

/// The size of a request's head as most clients write it.
pub(super) fn head(request: &Request<'_>) -> u64 {
    let fields = request.headers().iter();
    let fields: usize = fields
        .map(|field| field.name.as_str().len() + field.value.len() + 4)
        .sum();
    let line = request.method().as_str().len() + request.uri().path().as_str().len() + 13;
    let query = request.uri().query().map_or(0, |query| query.as_str().len() + 1);
    u64::try_from(line + query + fields).unwrap_or(u64::MAX)
}

/// The size of its body; `None` when that is not said.
pub(super) fn announced_body(request: &Request<'_>) -> Option<u64> {
    if request.headers().contains("Transfer-Encoding") {
        return None;
    }
    let length = request.headers().get_one("Content-Length").unwrap_or("0");
    length.parse().ok()
}

#[derive(Clone)]
struct Rejection;

#[rocket::async_trait]
impl Handler for Rejection {
    async fn handle<'r>(&self, request: &'r Request<'_>, _: Data<'r>) -> Outcome<'r> {
        let most = MOST_OF_A_HEAD >> 10;
        let error = Error::new(
            Code::TooLarge,
            format!(
                "The request's address and headers are larger than {most} KiB. Delete cookies, or send the data in the body."
            ),
        );
        let response = JsonError(error).respond_to(request).map(|mut response| {
            response.set_status(rocket::http::Status::RequestHeaderFieldsTooLarge);
            response
        });
        match response {
            Ok(response) => Outcome::Success(response),
            Err(status) => Outcome::Error(status),
        }
    }
}

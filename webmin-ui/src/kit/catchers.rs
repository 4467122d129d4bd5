//! Pages for what no handler answered: unknown addresses, refused guards, broken requests.

use coronet_core::{Code, Error};
use rocket::http::Status;
use rocket::{Catcher, Request, catch, catchers};

use super::answer::{Refusal, kept};

pub(crate) fn catchers() -> Vec<Catcher> {
    catchers![any]
}

#[catch(default)]
fn any(status: Status, request: &Request<'_>) -> Refusal {
    if let Some(error) = kept(request) {
        return error.clone().into();
    }
    let error = match status.code {
        401 => Error::new(Code::Unauthenticated, "Sign in to go on."),
        403 => Error::new(
            Code::Forbidden,
            "This request was not made by a page of this webmin. Open the page again and repeat what you did.",
        ),
        404 | 405 => Error::new(Code::NotFound, "There is no such page in the webmin."),
        413 => Error::new(Code::TooLarge, "That is larger than the webmin takes."),
        429 => Error::new(Code::RateLimited, "Too many attempts from here."),
        503 => Error::new(Code::Unavailable, "The server cannot do this at the moment."),
        400..=499 => Error::new(Code::ParameterInvalid, "The request could not be understood."),
        _ => Error::unexpected(format_args!(
            "{} {} ended with {status}",
            request.method(),
            request.uri().path()
        )),
    };
    error.into()
}

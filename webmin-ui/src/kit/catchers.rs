//! Pages for what no handler answered: unknown addresses, refused guards, broken requests.

use std::sync::Arc;

use coronet_core::{Code, Error};
use rocket::http::{Method, Status};
use rocket::{Catcher, Request, catch, catchers};

use super::answer::{Refusal, WrongMethod, kept};
use super::{Webmin, shell, t};
use crate::BASE;
use crate::door::session;

pub(crate) fn catchers() -> Vec<Catcher> {
    catchers![any]
}

#[catch(default)]
async fn any(status: Status, request: &Request<'_>) -> Result<Refusal, WrongMethod> {
    recognise(request).await;
    if let Some(error) = kept(request) {
        return Ok(error.clone().into());
    }
    if matches!(status.code, 404 | 405)
        && let Some(wrong) = wrong_method(request)
    {
        return Err(wrong);
    }
    let error = match status.code {
        401 => Error::new(Code::Unauthenticated, t!("Sign in to go on.")),
        403 => Error::new(Code::Forbidden, not_ours(request)),
        404 | 405 => Error::new(Code::NotFound, t!("There is no such page in the webmin.")),
        413 => Error::new(Code::TooLarge, t!("That is larger than the webmin takes.")),
        429 => Error::new(Code::RateLimited, t!("Too many attempts from here.")),
        503 => Error::new(Code::Unavailable, t!("The server cannot do this at the moment.")),
        400..=499 => Error::new(Code::ParameterInvalid, t!("The request could not be understood.")),
        _ => Error::unexpected(format_args!(
            "{} {} ended with {status}",
            request.method(),
            request.uri().path()
        )),
    };
    Ok(error.into())
}

/// Why a request was refused that none of our pages made, and where those are when an operator has said so.
fn not_ours(request: &Request<'_>) -> String {
    let webmin = request.rocket().state::<Webmin>();
    match webmin.and_then(|webmin| webmin.core.config.webmin_origin()) {
        Some(origin) => t!(
            "This request was not made by a page of this webmin. Open the webmin at {origin} and repeat what you did.",
            origin = origin
        ),
        None if webmin.is_some_and(|webmin| !webmin.core.config.public_url.is_empty()) => t!(
            "This request was not made by a page of this webmin. If the webmin has a name, set `webmin_url` in coronet.toml; by an address it works without."
        ),
        None => t!(
            "This request was not made by a page of this webmin. Open the page again and repeat what you did."
        ),
    }
}

/// At an address without a handler no guard has looked for the session, and whoever mistypes one keeps the navigation.
async fn recognise(request: &Request<'_>) {
    let Some(webmin) = request.rocket().state::<Webmin>() else {
        return;
    };
    if let Ok(Some(operator)) = session::operator(request, webmin).await {
        shell::remember(request, &Arc::new(operator));
    }
}

/// What is wrong when the address is one of the webmin's, and only the method is not.
fn wrong_method(request: &Request<'_>) -> Option<WrongMethod> {
    let path = request.uri().path().as_str();
    let mut allowed = methods(request, path);
    if allowed.is_empty() || allowed.contains(&request.method()) {
        return None;
    }
    allowed.sort_by_key(|method| method.as_str());
    // The form that was meant is most likely on the page whose address this one goes on from.
    let above = path.match_indices('/').map(|(at, _)| &path[..at]).rev();
    let back = above
        .take_while(|above| above.len() > BASE.len())
        .find(|above| methods(request, above).contains(&Method::Get));
    Some(WrongMethod {
        allowed,
        back: back.unwrap_or(BASE).to_owned(),
    })
}

/// The methods that the webmin has an answer to at this path.
fn methods(request: &Request<'_>, path: &str) -> Vec<Method> {
    let meets = |pattern: &str| {
        let (mut parts, mut wanted) = (path.split('/'), pattern.split('/'));
        loop {
            match (parts.next(), wanted.next()) {
                (None, None) => return true,
                (Some(part), Some(pattern)) if part == pattern => {}
                (Some(part), Some(pattern)) if pattern.starts_with('<') && !part.is_empty() => {}
                _ => return false,
            }
        }
    };
    let routes = request.rocket().routes();
    let here = routes.filter(|route| route.uri.base() == BASE && meets(route.uri.path()));
    here.map(|route| route.method).collect()
}

//! The session cookie: a reference to what the server knows, and nothing else.

use coronet_core::functions::OperatorCaller;
use coronet_core::{Config, Result};
use rocket::Request;
use rocket::http::{Cookie, CookieJar, SameSite};

use crate::kit::Webmin;

/// The `__Host-` prefix makes browsers refuse the cookie from any other host or without https, so it is only used with https.
fn cookie_name(config: &Config) -> &'static str {
    if config.is_https() {
        "__Host-coronet_session"
    } else {
        "coronet_session"
    }
}

fn cookie(config: &Config, value: String) -> Cookie<'static> {
    Cookie::build((cookie_name(config), value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(config.is_https())
        .build()
}

/// Hands the browser the token of its new session; how long it lives is the server's affair.
pub(crate) fn begin(jar: &CookieJar<'_>, config: &Config, token: &str) {
    jar.add(cookie(config, token.to_owned()));
}

pub(crate) fn end(jar: &CookieJar<'_>, config: &Config) {
    jar.remove(cookie(config, String::new()));
}

pub(crate) fn token(jar: &CookieJar<'_>, config: &Config) -> Option<String> {
    jar.get(cookie_name(config))
        .map(|cookie| cookie.value().to_owned())
}

/// The operator whose live session this request shows.
///
/// # Errors
/// When the sessions cannot be read.
pub(crate) async fn operator(request: &Request<'_>, webmin: &Webmin) -> Result<Option<OperatorCaller>> {
    match token(request.cookies(), &webmin.core.config) {
        Some(token) => webmin.operators.session(&token, request.client_ip()).await,
        None => Ok(None),
    }
}

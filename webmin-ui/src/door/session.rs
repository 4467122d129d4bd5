//! The session cookie: a reference to what the server knows, and nothing else.

use coronet_core::functions::OperatorCaller;
use coronet_core::operators::SignedIn;
use coronet_core::{Config, Result};
use rocket::Request;
use rocket::http::{Cookie, CookieJar, SameSite};
use rocket::time::Duration;

use crate::kit::Webmin;
use crate::kit::client::client_address;

/// The `__Host-` prefix makes browsers refuse the cookie from any other host or without https, so it is only used with https.
fn session_name(config: &Config) -> &'static str {
    if config.webmin_is_https() {
        "__Host-coronet_session"
    } else {
        "coronet_session"
    }
}

/// The cookie that stays when a session ends, and proves only that this browser had one.
fn browser_name(config: &Config) -> &'static str {
    if config.webmin_is_https() {
        "__Host-coronet_browser"
    } else {
        "coronet_browser"
    }
}

fn cookie(config: &Config, name: &'static str, value: String) -> Cookie<'static> {
    Cookie::build((name, value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(config.webmin_is_https())
        .build()
}

/// Hands the browser the token of its new session; how long it lives is the server's affair.
pub(crate) fn begin(jar: &CookieJar<'_>, config: &Config, signed_in: &SignedIn) {
    jar.add(cookie(config, session_name(config), signed_in.token.clone()));
    let mut browser = cookie(config, browser_name(config), signed_in.browser.clone());
    browser.set_max_age(Duration::days(400));
    jar.add(browser);
}

pub(crate) fn end(jar: &CookieJar<'_>, config: &Config) {
    jar.remove(cookie(config, session_name(config), String::new()));
}

pub(crate) fn token(jar: &CookieJar<'_>, config: &Config) -> Option<String> {
    value(jar, session_name(config))
}

/// The session that the next page will be asked in: the one this answer begins, or the present one.
pub(crate) fn coming_token(jar: &CookieJar<'_>, config: &Config) -> Option<String> {
    jar.get_pending(session_name(config))
        .map(|cookie| cookie.value().to_owned())
}

/// What proves that this browser was signed in before.
pub(crate) fn browser(jar: &CookieJar<'_>, config: &Config) -> Option<String> {
    value(jar, browser_name(config))
}

fn value(jar: &CookieJar<'_>, name: &str) -> Option<String> {
    jar.get(name).map(|cookie| cookie.value().to_owned())
}

/// A header of our own scripts, on what a page asks by itself: a page that only stands open must not keep its session alive.
const BACKGROUND: &str = "Coronet-Background";

/// The operator whose live session this request shows.
///
/// # Errors
/// When the sessions cannot be read.
pub(crate) async fn operator(request: &Request<'_>, webmin: &Webmin) -> Result<Option<OperatorCaller>> {
    let Some(token) = token(request.cookies(), &webmin.core.config) else {
        return Ok(None);
    };
    if request.headers().contains(BACKGROUND) {
        return webmin
            .operators
            .session_unused(&token, client_address(request))
            .await;
    }
    webmin.operators.session(&token, client_address(request)).await
}

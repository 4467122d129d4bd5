//! The short word after an act, carried over its redirect in a cookie.

use rocket::http::{Cookie, CookieJar, SameSite};
use serde::Serialize;

use crate::BASE;

const COOKIE: &str = "coronet_toast";
/// A cookie has 4 KB; longer words are cut.
const LONGEST: usize = 600;

/// A short word about what just happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Toast {
    /// `good`, `bad` or `info`.
    pub(crate) tone: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) text: String,
}

impl Toast {
    pub(crate) fn good(text: impl Into<String>) -> Self {
        Self {
            tone: "good",
            icon: "circle-check",
            text: text.into(),
        }
    }

    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self {
            tone: "bad",
            icon: "alert-circle",
            text: text.into(),
        }
    }

    pub(crate) fn leave(&self, jar: &CookieJar<'_>, secure: bool) {
        let text: String = self.text.chars().take(LONGEST).collect();
        let cookie = Cookie::build((COOKIE, format!("{}:{text}", self.tone)))
            .path(BASE)
            .http_only(true)
            .same_site(SameSite::Strict)
            .secure(secure)
            .max_age(rocket::time::Duration::minutes(1));
        jar.add(cookie);
    }

    /// Takes the toast that the last act left.
    pub(crate) fn take(jar: &CookieJar<'_>) -> Option<Self> {
        let cookie = jar.get(COOKIE)?;
        let toast = match cookie.value().split_once(':')? {
            ("bad", text) => Self::bad(text),
            (_, text) => Self::good(text),
        };
        jar.remove(Cookie::build(COOKIE).path(BASE));
        Some(toast)
    }
}

//! The short word after an act, carried over its redirect in a cookie.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rocket::http::{Cookie, CookieJar, SameSite};
use serde::Serialize;

use super::Webmin;
use crate::BASE;
use crate::door::session;

const COOKIE: &str = "coronet_toast";
const UNDO: &str = "coronet_undo";
/// A cookie has 4 KB, and sealing makes it a third longer; longer words are cut.
const LONGEST: usize = 600;
const LONGEST_UNDO: usize = 2_900;

/// A short word about what just happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Toast {
    /// `good`, `bad` or `info`.
    pub(crate) tone: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) text: String,
    pub(crate) undo: Option<Undo>,
}

/// What takes back what a toast tells of: an act on the rows that were changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Undo {
    /// Where it is sent, below the webmin's.
    pub(crate) path: String,
    pub(crate) act: String,
    pub(crate) back: String,
    /// The names of the fields that choose the rows.
    pub(crate) picks: Vec<String>,
}

impl Toast {
    pub(crate) fn good(text: impl Into<String>) -> Self {
        Self {
            tone: "good",
            icon: "circle-check",
            text: text.into(),
            undo: None,
        }
    }

    /// Something was begun, and its outcome is not known yet.
    pub(crate) fn begun(text: impl Into<String>) -> Self {
        Self {
            tone: "info",
            icon: "clock",
            text: text.into(),
            undo: None,
        }
    }

    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self {
            tone: "bad",
            icon: "alert-circle",
            text: text.into(),
            undo: None,
        }
    }

    pub(crate) fn undo(mut self, undo: Option<Undo>) -> Self {
        self.undo = undo;
        self
    }

    /// Leaves it for the next page of this session.
    pub(crate) fn leave(&self, jar: &CookieJar<'_>, webmin: &Webmin) {
        let leave = |name, value: String| {
            let cookie = Cookie::build((name, sealed(jar, webmin, name, &value)))
                .path(BASE)
                .http_only(true)
                .same_site(SameSite::Strict)
                .secure(webmin.core.config.webmin_is_https())
                .max_age(rocket::time::Duration::minutes(1));
            jar.add(cookie);
        };
        let text: String = self.text.chars().take(LONGEST).collect();
        leave(COOKIE, format!("{}:{text}", self.tone));
        // Fifty of the longest names would not fit; they are still there to be chosen again.
        let undo = self.undo.as_ref().map(Undo::written);
        if let Some(undo) = undo.filter(|undo| undo.len() <= LONGEST_UNDO) {
            leave(UNDO, undo);
        }
    }

    /// Takes the toast that the last act left.
    pub(crate) fn take(jar: &CookieJar<'_>, webmin: &Webmin) -> Option<Self> {
        jar.get(COOKIE)?;
        jar.remove(Cookie::build(COOKIE).path(BASE));
        let text = opened(jar, webmin, COOKIE)?;
        let toast = match text.split_once(':')? {
            ("bad", text) => Self::bad(text),
            ("info", text) => Self::begun(text),
            (_, text) => Self::good(text),
        };
        let undo = opened(jar, webmin, UNDO).and_then(|text| Undo::read(&text));
        if undo.is_some() {
            jar.remove(Cookie::build(UNDO).path(BASE));
        }
        Some(toast.undo(undo))
    }
}

/// Script on a page of another port can set cookies for this one, and an undo is a button that acts: what is shown must be
/// what this server left for this session.
fn sealed(jar: &CookieJar<'_>, webmin: &Webmin, name: &str, value: &str) -> String {
    let context = context(jar, webmin, name);
    URL_SAFE_NO_PAD.encode(webmin.core.secrets.seal(&context, value.as_bytes()))
}

fn opened(jar: &CookieJar<'_>, webmin: &Webmin, name: &str) -> Option<String> {
    let sealed = URL_SAFE_NO_PAD.decode(jar.get(name)?.value()).ok()?;
    let opened = webmin.core.secrets.unseal(&context(jar, webmin, name), &sealed);
    String::from_utf8(opened.ok()?).ok()
}

fn context(jar: &CookieJar<'_>, webmin: &Webmin, name: &str) -> String {
    let session = session::coming_token(jar, &webmin.core.config).unwrap_or_default();
    format!("{name} of {session}")
}

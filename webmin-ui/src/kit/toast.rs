//! The short word after an act, carried over its redirect in a cookie.

use rocket::http::{Cookie, CookieJar, SameSite};
use serde::Serialize;

use crate::BASE;

const COOKIE: &str = "coronet_toast";
const UNDO: &str = "coronet_undo";
/// A cookie has 4 KB; longer words are cut.
const LONGEST: usize = 600;
const LONGEST_UNDO: usize = 3_800;

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

    pub(crate) fn leave(&self, jar: &CookieJar<'_>, secure: bool) {
        let leave = |name, value: String| {
            let cookie = Cookie::build((name, value))
                .path(BASE)
                .http_only(true)
                .same_site(SameSite::Strict)
                .secure(secure)
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
    pub(crate) fn take(jar: &CookieJar<'_>) -> Option<Self> {
        let cookie = jar.get(COOKIE)?;
        let toast = match cookie.value().split_once(':')? {
            ("bad", text) => Self::bad(text),
            ("info", text) => Self::begun(text),
            (_, text) => Self::good(text),
        };
        jar.remove(Cookie::build(COOKIE).path(BASE));
        let undo = jar.get(UNDO).and_then(|cookie| Undo::read(cookie.value()));
        if undo.is_some() {
            jar.remove(Cookie::build(UNDO).path(BASE));
        }
        Some(toast.undo(undo))
    }
}

//! The pages of errors: what happened in words for whoever wanted the page, and an id for whoever runs the server.

use serde::Serialize;

/// What the template of error pages, `pages/_coronium/error.tpl`, is given.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Failure {
    pub(crate) status: u16,
    pub(crate) title: String,
    pub(crate) message: String,
    /// Under which the server's log has the details.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) incident: Option<String>,
}

impl Failure {
    /// The failure with this status, in general words.
    pub(crate) fn of(status: u16) -> Self {
        let (title, message) = words(status);
        Self {
            status,
            title: title.to_owned(),
            message: message.to_owned(),
            incident: None,
        }
    }

    pub(crate) fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    pub(crate) fn with_incident(mut self, incident: impl Into<String>) -> Self {
        self.incident = Some(incident.into());
        self
    }

    /// The page without a template, for when that one fails, too. Nothing in it comes from outside.
    pub(crate) fn plain(&self) -> String {
        let (title, message) = words(self.status);
        let incident = self.incident.as_deref().unwrap_or_default();
        format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <title>{title}</title>\n<h1>{title}</h1>\n<p>{message}</p>\n<p>{incident}</p>\n</html>\n"
        )
    }
}

fn words(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => (
            "That did not arrive as it should",
            "Something in the request was missing, doubled or damaged. Go back and try again.",
        ),
        401 | 403 => (
            "This is not allowed",
            "The request was sent from another place than this site. Open the page again and try from there.",
        ),
        404 => (
            "There is nothing here",
            "The address leads nowhere. Check it, or open the link in your mail again.",
        ),
        405 => (
            "This does not work this way",
            "The page cannot be asked for like this. Open it in your browser.",
        ),
        408 => (
            "That took too long",
            "The request did not arrive in time. Check your connection and try again.",
        ),
        413 => (
            "That is too much",
            "What was sent is larger than this page accepts. Send less, and try again.",
        ),
        414 | 431 => (
            "That is too much",
            "The address is longer than this server accepts.",
        ),
        429 => (
            "Too many attempts",
            "There were many requests from your network. Wait a minute, then try again.",
        ),
        502..=504 => (
            "Please try again shortly",
            "The server cannot answer right now. Nothing was lost: wait a moment, then try again.",
        ),
        500.. => (
            "Something went wrong",
            "This is our mistake, not yours. Try again; if it stays like this, tell whoever runs this site.",
        ),
        _ => (
            "This cannot be answered",
            "The server does not understand the request. Go back and try again.",
        ),
    }
}

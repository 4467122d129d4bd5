//! The page runtime: what stands below `pages/`, served. It knows no HTTP server; `src/http/pages.rs` adapts it to one.
//!
//! | file | holds |
//! | --- | --- |
//! | `service` | [`Pages`]: one request from its path to its answer |
//! | `route` | which page or file a path means |
//! | `origin` | whether a request was sent by another site |
//! | `form`, `multipart` | a query or body as fields; what could be read two ways is refused |
//! | `language` | the language of the reader |
//! | `lua` | `core.pages`: what page code sees |
//! | `page`, `arguments` | the methods of a page, and what code hands to them |
//! | `preview` | page code tried without effect, for the editor |
//! | `answer` | [`PageResponse`], and the headers and cookies page code may set |
//! | `statics`, `conditions` | files as they are, with type and entity tag, whole or in part |
//! | `failure` | the pages of errors |
//!
//! What must stay true: code and templates are never sent as they are; nothing outside `pages/` is reached (M07); no
//! input ends in a 5xx (R18); and page code sees neither an operator's session nor anything it has no access to.

mod answer;
mod arguments;
mod conditions;
mod failure;
mod form;
mod language;
mod lua;
mod multipart;
mod options;
mod origin;
mod page;
pub(crate) mod preview;
mod route;
pub(crate) mod samples;
mod service;
pub(crate) mod statics;

use std::net::IpAddr;

pub use answer::PageResponse;
pub use service::Pages;

/// A request as it arrived, without its body.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// In upper case.
    pub method: String,
    /// The path, percent-encoded as it was sent.
    pub path: String,
    /// What followed the `?`, as it was sent.
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub address: Option<IpAddr>,
}

impl PageRequest {
    /// The first value of a header.
    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether the method only asks (RFC 9110, section 9.2.1).
    fn is_safe(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "TRACE")
    }
}

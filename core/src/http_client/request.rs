//! What is sent, and what comes back.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Code, Error, Result};

/// How long an answer may take unless the request says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// A request to another server.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    pub method: Method,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// From start to the last byte of the answer; [`TIMEOUT`] by default.
    pub timeout: Duration,
    pub reach: Reach,
}

/// How far a request may go. Neither reaches private addresses unless operators allow them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// To the hosts that operators allow: for what code asks for.
    AllowedHosts,
    /// To any host: for addresses that operators set themselves.
    AnyHost,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    #[default]
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpResponse {
    pub status: u16,
    /// By name, in lower case. Several of one name are joined by `, `.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl HttpRequest {
    pub fn new(method: Method, url: impl Into<String>, reach: Reach) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: TIMEOUT,
            reach,
        }
    }

    pub fn has_header(&self, name: &str) -> bool {
        self.headers
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name))
    }
}

impl From<Method> for reqwest::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Head => Self::HEAD,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
            Method::Options => Self::OPTIONS,
        }
    }
}

/// Headers that say where a message ends or goes. They are the client's: with another `Host` an allowed host would be the
/// way to one that is not.
const RESERVED: [&str; 10] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "upgrade",
    "te",
    "trailer",
    "expect",
    "proxy-authorization",
];

/// The headers, once it is sure that each is one and no more.
pub(super) fn headers(pairs: &[(String, String)]) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let wrong = |why: &str| {
            let name: String = name.chars().take(60).flat_map(char::escape_default).collect();
            Error::new(
                Code::ParameterInvalid,
                format!("The header `{name}` cannot be sent: {why}."),
            )
        };
        let parsed =
            HeaderName::try_from(name).map_err(|_| wrong("its name has a character that no name has"))?;
        if RESERVED.contains(&parsed.as_str()) {
            return Err(wrong("Coronet sets it itself"));
        }
        let value = Some(value)
            .filter(|value| value.is_ascii())
            .and_then(|value| HeaderValue::from_str(value).ok())
            .ok_or_else(|| wrong("its value has a line break or another character that is not ASCII text"))?;
        headers.append(parsed, value);
    }
    Ok(headers)
}

/// The headers of an answer; bytes that are not UTF-8 are replaced.
pub(super) fn received(headers: &HeaderMap) -> Vec<(String, String)> {
    let joined = |name: &HeaderName| {
        let values = headers.get_all(name).iter();
        let texts: Vec<_> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        texts.join(", ")
    };
    headers
        .keys()
        .map(|name| (name.as_str().to_owned(), joined(name)))
        .collect()
}

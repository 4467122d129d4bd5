//! `http.request`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{HttpClient, HttpRequest, Method, Reach};
use crate::functions::{Access, Call, Function};
use crate::{Code, Error, Result};

/// More than the longest timeout, which then says itself what was late.
const DEADLINE: Duration = Duration::from_secs(65);

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Request {
    /// `http://…` or `https://…`, at a host that operators allow.
    #[schemars(length(max = 8000))]
    url: String,
    /// `GET` if absent.
    #[serde(default)]
    method: Method,
    /// By name.
    #[schemars(extend("format" = "secret"))]
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Text that is sent as it is, 1 MB at most.
    #[schemars(extend("format" = "secret"))]
    body: Option<String>,
    /// A value that is sent as JSON, in place of `body`.
    #[schemars(extend("format" = "secret"))]
    json: Option<Value>,
    /// Seconds until the whole answer must be there; 10 if absent.
    #[schemars(range(min = 1, max = 60))]
    timeout: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Response {
    status: u16,
    /// By name, in lower case.
    headers: BTreeMap<String, String>,
    /// The body, when it is UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// The body as Base64, when it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
}

pub(super) fn all(client: &HttpClient) -> Vec<Function> {
    let client = Arc::new(client.clone());
    vec![
        Function::write(
            "http.request",
            "Sends a request to a host that operators allow, and gives the answer, whatever its status. Redirects are not followed.",
            &client,
            request,
        )
        .access(Access::JOB)
        .any_text()
        .deadline(DEADLINE),
    ]
}

async fn request(client: Arc<HttpClient>, _: Arc<Call>, input: Request) -> Result<Response> {
    let mut request = HttpRequest::new(input.method, input.url, Reach::AllowedHosts);
    request.headers = input.headers.into_iter().collect();
    if let Some(seconds) = input.timeout {
        request.timeout = Duration::from_secs(seconds);
    }
    request.body = match (input.body, input.json) {
        (None, None) => Vec::new(),
        (Some(text), None) => text.into_bytes(),
        (None, Some(json)) => {
            if !request.has_header("content-type") {
                request
                    .headers
                    .push(("content-type".to_owned(), "application/json".to_owned()));
            }
            json.to_string().into_bytes()
        }
        (Some(_), Some(_)) => {
            let text = "Say either `body` or `json`.";
            return Err(Error::new(Code::ParameterInvalid, text));
        }
    };
    let response = client.send(request).await?;
    let (body, body_base64) = match String::from_utf8(response.body) {
        Ok(text) => (Some(text), None),
        Err(other) => (None, Some(STANDARD.encode(other.as_bytes()))),
    };
    Ok(Response {
        status: response.status,
        headers: response.headers.into_iter().collect(),
        body,
        body_base64,
    })
}

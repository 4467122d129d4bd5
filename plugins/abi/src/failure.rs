//! An error as it crosses every border: the C call, the socket, and on to Lua, HTTP and the CLI.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// A status code of Coronet, such as 604; see [`codes`].
    pub code: i64,
    /// One sentence for people, without secrets.
    pub message: String,
    /// More for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
    /// Whether the same call may succeed later, unchanged.
    #[serde(default)]
    pub retryable: bool,
}

impl Failure {
    /// A failure that will not go away by itself.
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: None,
            retryable: false,
        }
    }

    /// The same, worth trying again later.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// The same, with more for programs.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    /// As JSON bytes. An error must not fail while it is reported, so this falls back to a fixed text.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self)
            .unwrap_or_else(|_| br#"{"code":950,"message":"the error could not be encoded"}"#.to_vec())
    }

    /// Reads what [`Self::to_json`] wrote; anything else becomes a failure that says so.
    pub fn from_json(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_else(|_| {
            Self::new(
                codes::RESULT_INVALID,
                "the other side reported an error that is not JSON",
            )
        })
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (code {})", self.message, self.code)
    }
}

/// Status codes that plugins meet or use; `docs/plugins.md` explains each.
pub mod codes {
    /// No user has this address or id.
    pub const USER_NOT_FOUND: i64 = 604;
    /// The mail could not be sent.
    pub const MAIL_NOT_SENT: i64 = 701;
    /// Mail settings are missing or wrong.
    pub const MAIL_CONFIGURATION: i64 = 702;
    /// A mail address is missing or malformed.
    pub const MAIL_ADDRESS: i64 = 704;
    /// The other side answered something that cannot be understood.
    pub const RESULT_INVALID: i64 = 800;
    /// A parameter has the wrong type.
    pub const PARAMETER_TYPE: i64 = 801;
    /// A required parameter is missing.
    pub const PARAMETER_MISSING: i64 = 804;
    /// A parameter has a value that is not allowed.
    pub const PARAMETER_INVALID: i64 = 805;
    /// The network failed.
    pub const NETWORK: i64 = 815;
    /// There is no such function, or no such thing.
    pub const NOT_FOUND: i64 = 904;
    /// Somebody else was faster, or the name is taken.
    pub const CONFLICT: i64 = 909;
    /// The caller may not do this.
    pub const FORBIDDEN: i64 = 903;
    /// A template, a page or a job is wrong.
    pub const TEMPLATE: i64 = 922;
    /// Too many requests.
    pub const RATE_LIMITED: i64 = 929;
    /// A bug, or something nobody foresaw.
    pub const UNEXPECTED: i64 = 950;
    /// The other side is not there now.
    pub const UNAVAILABLE: i64 = 953;
    /// It took too long.
    pub const DEADLINE: i64 = 954;
    /// A one-time code is used, expired, unknown or malformed.
    pub const CODE_DEAD: i64 = 960;
}

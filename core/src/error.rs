//! The one error shape of Coronet: `{code, message, details?, retryable}`.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::db::storable;
use crate::random;
use crate::text::sentences;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something could not be done, as every caller sees it: Lua, HTTP, CLI, plugins and the webmin.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Error {
    code: Code,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Value>,
    retryable: bool,
}

impl Error {
    /// An error that says what was wrong and what to do; `message` is shown to people as it is.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            // Errors carry text of code and of other servers, and are stored in many places.
            message: sentences(storable(message)),
            details: None,
            retryable: code.is_retryable(),
        }
    }

    /// An error whose cause must not reach a caller: the cause is logged under an incident id,
    /// and the message carries only that id.
    pub fn unexpected(cause: impl fmt::Display) -> Self {
        let incident = random::id("inc");
        tracing::error!(%incident, %cause, "unexpected error");
        Self::new(
            Code::Unexpected,
            format!("Something went wrong in Coronet. The server's log has the details under {incident}."),
        )
        .with_details(serde_json::json!({ "incident": incident }))
    }

    /// The operator must enter the password before this call; the webmin asks for it.
    pub fn password_needed() -> Self {
        Self::new(Code::Unauthenticated, "Enter your password to go on.")
            .with_details(serde_json::json!({ "enter": "password" }))
    }

    pub fn is_password_needed(&self) -> bool {
        self.code == Code::Unauthenticated
            && self
                .details
                .as_ref()
                .is_some_and(|details| details["enter"] == "password")
    }

    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    /// Marks the error as passing: the same call may succeed later.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    pub fn code(&self) -> Code {
        self.code
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    pub fn details(&self) -> Option<&Value> {
        self.details.as_ref()
    }

    pub fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// The incident id of an unexpected error.
    pub fn incident(&self) -> Option<&str> {
        self.details.as_ref()?.get("incident")?.as_str()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", self.message, self.code.number())
    }
}

impl std::error::Error for Error {}

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $number:literal, $status:literal;)*) => {
        /// What kind of failure an [`Error`] is. Numbers below 900 and from 1000 on are the original's
        /// (Coronium Core 2.7), so that code written for it can go on comparing them; 900 to 999 are Coronet's.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])* $name,)* }

        impl Code {
            pub const ALL: &[Code] = &[$(Code::$name,)*];

            /// The number callers see.
            pub fn number(self) -> i32 {
                match self { $(Code::$name => $number,)* }
            }

            /// The HTTP status that carries this code.
            pub fn status(self) -> u16 {
                match self { $(Code::$name => $status,)* }
            }

            /// The code with this number; `None` for a number Coronet does not use.
            pub fn from_number(number: i64) -> Option<Self> {
                match number { $($number => Some(Code::$name),)* _ => None }
            }
        }
    };
}

codes! {
    /// A plugin's own failure, without a code of its own.
    Other = -1, 400;
    UserExists = 600, 409;
    UserNotCreated = 601, 422;
    PasswordInvalid = 603, 422;
    UserNotFound = 604, 404;
    PendingUserNotFound = 614, 404;
    MailNotSent = 701, 502;
    /// The mail configuration is not set, or refused by the provider.
    MailConfiguration = 702, 422;
    /// A mail address is missing or malformed.
    MailAddress = 704, 400;
    ResultInvalid = 800, 502;
    ParameterType = 801, 400;
    ParameterMissing = 804, 400;
    /// A parameter has the right type and a value that cannot be used, or is not one the function knows.
    ParameterInvalid = 805, 400;
    Api = 810, 400;
    Network = 815, 502;
    Io = 820, 503;
    JsonDecode = 830, 400;
    JsonEncode = 831, 400;
    Unauthenticated = 901, 401;
    Forbidden = 903, 403;
    NotFound = 904, 404;
    /// The address is there, and takes another method.
    MethodNotAllowed = 905, 405;
    Conflict = 909, 409;
    TooLarge = 913, 413;
    /// The body has a content type or a content coding that cannot be read.
    UnsupportedMedia = 915, 415;
    /// A template, page or job code does not compile, or fails when it runs.
    Unprocessable = 922, 422;
    /// The `Idempotency-Key` was used for another call.
    KeyReused = 924, 422;
    RateLimited = 929, 429;
    Unexpected = 950, 500;
    /// The database, a plugin or another part is away for the moment.
    Unavailable = 953, 503;
    Deadline = 954, 503;
    /// A one-time code is used, expired, unknown or malformed; which of them is never said.
    CodeDead = 960, 404;
    ScopeExists = 1000, 409;
    ScopeNotFound = 1004, 404;
}

impl Code {
    fn is_retryable(self) -> bool {
        matches!(
            self,
            Code::Network | Code::RateLimited | Code::Unavailable | Code::Deadline
        )
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_i32(self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_leads_back_to_its_code() {
        for &code in Code::ALL {
            assert_eq!(Code::from_number(code.number().into()), Some(code));
        }
        assert_eq!(Code::from_number(7), None);
    }

    #[test]
    fn an_unexpected_error_shows_only_its_incident() {
        let error = Error::unexpected("secret connection string");
        assert!(!error.to_string().contains("secret"));
        assert!(error.message().contains(error.incident().unwrap()));
    }
}

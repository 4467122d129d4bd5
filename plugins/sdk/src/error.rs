//! Errors of a plugin's functions.

use coronet_plugin_abi::Failure;
use coronet_plugin_abi::failure::codes;
use serde_json::Value;

/// What a plugin's function returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a function failed: a status code, a sentence for people, and whether trying again may help.
///
/// It is made with [`Error::new`], [`with_retry`](Error::with_retry) and [`with_details`](Error::with_details), and read with
/// [`code`](Error::code), [`message`](Error::message), [`details`](Error::details) and
/// [`is_retryable`](Error::is_retryable):
///
/// ```
/// use coronet_plugin::prelude::*;
///
/// let error = Error::new(codes::UNAVAILABLE, "The postman is away.")
///     .with_retry()
///     .with_details(json!({"retry_after_seconds": 60}));
/// assert_eq!(error.code(), codes::UNAVAILABLE);
/// assert_eq!(error.message(), "The postman is away.");
/// assert_eq!(error.details(), Some(&json!({"retry_after_seconds": 60})));
/// assert!(error.is_retryable());
/// ```
///
/// Any `std::error::Error` becomes one with `?`, as an unexpected error: its text goes to the log, and the caller sees
/// only the number of the incident. For an error that the caller should understand, use [`Error::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Failure);

impl Error {
    /// An error with one of the [`codes`], whose message is shown to the caller.
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self(Failure::new(code, message))
    }

    /// A bug, or something nobody foresaw; callers see only an incident number.
    pub fn unexpected(cause: impl std::fmt::Display) -> Self {
        Self::new(codes::UNEXPECTED, cause.to_string())
    }

    /// The same error, for which trying again later may help. [`Self::is_retryable`] asks for it.
    #[must_use]
    pub fn with_retry(self) -> Self {
        Self(self.0.retryable())
    }

    /// [`Self::with_retry`] under its earlier name, which reads like a question.
    #[must_use]
    #[deprecated(
        note = "write `with_retry()` to mark an error, and `is_retryable()` to ask whether it is marked"
    )]
    pub fn retryable(self) -> Self {
        self.with_retry()
    }

    /// The same error, with more for programs.
    #[must_use]
    pub fn with_details(self, details: Value) -> Self {
        Self(self.0.with_details(details))
    }

    /// The status code, one of [`codes`] or of the function that was called, such as 604.
    pub fn code(&self) -> i64 {
        self.0.code
    }

    /// The sentence for people, as the caller gets it.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What there is for programs, when there is any.
    pub fn details(&self) -> Option<&Value> {
        self.0.details.as_ref()
    }

    /// Whether the same call may succeed later, unchanged. [`Self::with_retry`] marks an error so.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    pub(crate) fn from_failure(failure: Failure) -> Self {
        Self(failure)
    }

    pub(crate) fn failure(&self) -> &Failure {
        &self.0
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

// `Error` is deliberately no `std::error::Error` itself: that is what allows this conversion.
impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        Self::unexpected(error)
    }
}

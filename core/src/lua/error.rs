//! Why Lua code did not finish, with the place in it.

use super::sandbox::OWN;
use crate::db::storable;
use crate::error::{Code, Error};

/// Longest error message that is kept; a script may raise a string of any size.
const MAX_MESSAGE: usize = 4 * 1024;
/// Longest traceback that is kept; deep recursion makes very long ones.
const MAX_TRACEBACK: usize = 8 * 1024;

/// What kind of end a session came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LuaErrorKind {
    /// The code is not Lua, is too large, or is bytecode; it never ran.
    Source,
    /// The code raised an error.
    Runtime,
    /// The code ran, but is not what its binder asks for: it gives or returns something else.
    Contract,
    /// The code wanted more memory than its limit.
    Memory,
    /// The code did not end within its time limit.
    Deadline,
    /// Somebody asked for the session to end.
    Cancelled,
    /// Every thread of the pool is taken and the queue is full; nothing ran.
    Busy,
}

/// The error of one session: what happened and where.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct LuaError {
    /// What kind of end it was.
    pub kind: LuaErrorKind,
    /// One clear message; for errors in the code it starts with `chunk:line: `.
    pub message: String,
    /// Line in the chunk, counted from 1.
    pub line: Option<u32>,
    /// The Lua call stack, innermost first.
    pub traceback: Option<String>,
}

impl LuaError {
    /// An error without a place.
    pub fn new(kind: LuaErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: storable(shorten(message.into(), MAX_MESSAGE)),
            line: None,
            traceback: None,
        }
    }

    pub(super) fn at(mut self, traceback: Option<String>) -> Self {
        if let Some(traceback) = traceback {
            let entries: Vec<&str> = traceback
                .lines()
                .map(str::trim)
                .filter(|line| *line != "stack traceback:" && !is_own_frame(line))
                .collect();
            let place = entries.iter().find(|entry| line_of(entry).is_some());
            if let (None, Some(place)) = (self.line, place) {
                self.line = line_of(place);
                // What a host function raised does not know where it was called; the stack does.
                if self.kind == LuaErrorKind::Runtime
                    && let Some((chunk, _)) = place.split_once(':')
                {
                    self.message = format!("{chunk}:{}: {}", self.line.unwrap_or_default(), self.message);
                }
            }
            self.traceback = Some(storable(shorten(entries.join("\n"), MAX_TRACEBACK)));
        }
        self
    }
}

impl From<mlua::Error> for LuaError {
    fn from(error: mlua::Error) -> Self {
        let mut traceback = None;
        let (kind, message) = describe(&error, &mut traceback);
        let (message, own) = split_traceback(message);
        let message = without_address(message);
        let line = line_of(&message);
        let mut result = Self::new(kind, message);
        result.line = line;
        result.at(own.or(traceback))
    }
}

impl From<LuaError> for Error {
    fn from(error: LuaError) -> Self {
        let code = match error.kind {
            LuaErrorKind::Deadline | LuaErrorKind::Cancelled => Code::Deadline,
            LuaErrorKind::Busy => return Error::new(Code::Unavailable, error.message).retryable(),
            LuaErrorKind::Source | LuaErrorKind::Runtime | LuaErrorKind::Contract | LuaErrorKind::Memory => {
                Code::Unprocessable
            }
        };
        let details = serde_json::json!({ "line": error.line, "traceback": error.traceback });
        Error::new(code, error.message).with_details(details)
    }
}

/// Unwraps what mlua wrapped around the cause, innermost message first.
fn describe(error: &mlua::Error, traceback: &mut Option<String>) -> (LuaErrorKind, String) {
    match error {
        mlua::Error::SyntaxError { message, .. } => (LuaErrorKind::Source, message.clone()),
        mlua::Error::RuntimeError(message) => (LuaErrorKind::Runtime, message.clone()),
        mlua::Error::MemoryError(_) => (
            LuaErrorKind::Memory,
            "the code needs more memory than its limit allows".into(),
        ),
        mlua::Error::CallbackError {
            traceback: stack,
            cause,
        } => {
            let (kind, message) = describe(cause, traceback);
            traceback.get_or_insert_with(|| stack.clone());
            (kind, message)
        }
        mlua::Error::WithContext { context, cause } => {
            let (kind, message) = describe(cause, traceback);
            (kind, format!("{context}: {message}"))
        }
        mlua::Error::BadArgument { cause, .. } => {
            let (kind, _) = describe(cause, traceback);
            (kind, error.to_string())
        }
        other => (LuaErrorKind::Runtime, other.to_string()),
    }
}

/// mlua appends the stack to the message of a runtime error; people read them apart.
fn split_traceback(message: String) -> (String, Option<String>) {
    match message.split_once("\nstack traceback:\n") {
        Some((message, stack)) => (message.to_owned(), Some(stack.to_owned())),
        None => (message, None),
    }
}

/// A stack without our own functions around Lua's library, which say nothing to an author.
pub(super) fn without_own_frames(traceback: &str) -> String {
    let frames: Vec<&str> = traceback.lines().filter(|line| !is_own_frame(line)).collect();
    frames.join("\n")
}

fn is_own_frame(line: &str) -> bool {
    line.trim_start().starts_with(OWN)
}

/// An error that is a table, or another object, is told without its address in memory.
fn without_address(message: String) -> String {
    match message.split_once(": 0x") {
        Some((kind, address))
            if kind.chars().all(char::is_alphabetic) && address.chars().all(|c| c.is_ascii_hexdigit()) =>
        {
            format!("the error is a {kind} and no text; write error(\"what is wrong\")")
        }
        _ => message,
    }
}

/// The line of `chunk:LINE: message`, or of a traceback entry `chunk:LINE …`.
fn line_of(message: &str) -> Option<u32> {
    let first = message.lines().next()?;
    first.split(':').skip(1).find_map(|part| {
        let digits: &str = part.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse().ok()
    })
}

/// Cuts at a character boundary and says so.
fn shorten(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit));
        text.push_str(" … (cut)");
    }
    text
}

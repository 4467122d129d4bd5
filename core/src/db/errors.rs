//! What a failure of the database means to a caller.

use crate::{Code, Error};

/// SQLite's primary result codes that pass by themselves or once there is room: BUSY, LOCKED, NOMEM, IOERR, FULL, CANTOPEN.
const SQLITE_PASSING: [&str; 6] = ["5", "6", "7", "10", "13", "14"];

impl From<sqlx::Error> for Error {
    fn from(cause: sqlx::Error) -> Self {
        let passing = match &cause {
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::WorkerCrashed => true,
            sqlx::Error::Database(database) => database.code().is_some_and(|code| is_passing(&code)),
            _ => false,
        };
        // PostgreSQL keeps no NUL in a text: whoever sent it is told, for nothing here is broken (R18).
        if cause
            .as_database_error()
            .is_some_and(|database| database.code().as_deref() == Some("22021"))
        {
            return Error::new(
                Code::ParameterInvalid,
                "A text must not contain the NUL character.",
            );
        }
        if !passing {
            return Error::unexpected(cause);
        }
        tracing::warn!(%cause, "the database cannot be used for the moment");
        Error::new(
            Code::Unavailable,
            "The database cannot be used for the moment. Try again shortly.",
        )
    }
}

/// PostgreSQL's classes: 08 connection, 40 serialization and deadlock, 53 resources, 57 shutdown, 25006 read-only.
fn is_passing(code: &str) -> bool {
    if code.len() == 5
        && !code
            .bytes()
            .all(|byte| byte.is_ascii_digit() && code.starts_with('0') && byte == b'0')
    {
        return ["08", "40", "53", "57"]
            .iter()
            .any(|class| code.starts_with(class))
            || code == "25006";
    }
    let primary = code.parse::<u32>().map(|code| (code & 0xff).to_string());
    primary.is_ok_and(|code| SQLITE_PASSING.contains(&code.as_str()) || code == "8")
}

#[cfg(test)]
mod tests {
    use super::is_passing;

    #[test]
    fn passing_failures_are_told_from_mistakes() {
        for code in ["5", "261", "13", "8", "57P01", "08006", "53300", "40001"] {
            assert!(is_passing(code), "{code}");
        }
        for code in ["1", "19", "2067", "23505", "42601"] {
            assert!(!is_passing(code), "{code}");
        }
    }
}

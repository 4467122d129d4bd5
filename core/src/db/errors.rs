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
        let code = cause.as_database_error().and_then(|database| database.code());
        if let Some(text) = code.as_deref().and_then(rejected_value) {
            return Error::new(Code::ParameterInvalid, text);
        }
        if let Some(text) = out_of_memory(&cause) {
            tracing::error!(%cause, "{text}");
            return Error::new(Code::Unavailable, text);
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

/// What is wrong with a value that the database cannot store: nothing here is broken, so whoever sent it is told (R18).
fn rejected_value(code: &str) -> Option<&'static str> {
    match code {
        // PostgreSQL keeps no NUL in a text; a database in another encoding than UTF-8 lacks further characters.
        "22021" => Some("A text must not contain the NUL character."),
        "22P05" => Some("A text has a character that the encoding of the database does not have."),
        // PostgreSQL: an entry of an index, or a field, has a greatest size. SQLite: TOOBIG.
        "54000" | "18" => Some("A text is too long to be stored."),
        _ => None,
    }
}

/// What to say when there is too little memory: a database that "cannot be used for the moment" would send operators to the
/// wrong place (X10).
pub(super) fn out_of_memory(cause: &sqlx::Error) -> Option<&'static str> {
    const OURS: &str = "The server gets no more memory, or no more threads, from the system. Raise its limit on memory or \
                        tasks (of the container, the service or `ulimit`).";
    match cause {
        // EAGAIN is what a thread ends in that cannot be started; ENOMEM.
        sqlx::Error::Io(cause) => matches!(cause.raw_os_error(), Some(11 | 12)).then_some(OURS),
        sqlx::Error::Database(database) => match database.code().as_deref() {
            Some("53200") => {
                Some("The database server has no memory left. Give it more memory, or fewer connections.")
            }
            // SQLite's NOMEM, IOERR_NOMEM, and IOERR_SHMMAP, which is what a mapping past the limit ends in.
            Some("7" | "3082" | "5386") => Some(OURS),
            _ => None,
        },
        _ => None,
    }
}

/// PostgreSQL's classes: 08 connection, 40 serialization and deadlock, 53 resources, 57 shutdown, 58 system, 25006 read-only.
fn is_passing(code: &str) -> bool {
    if code.len() == 5
        && !code
            .bytes()
            .all(|byte| byte.is_ascii_digit() && code.starts_with('0') && byte == b'0')
    {
        return ["08", "40", "53", "57", "58"]
            .iter()
            .any(|class| code.starts_with(class))
            || code == "25006";
    }
    let primary = code.parse::<u32>().map(|code| (code & 0xff).to_string());
    primary.is_ok_and(|code| SQLITE_PASSING.contains(&code.as_str()) || code == "8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x10_too_little_memory_is_told_as_that() {
        for number in [11, 12] {
            let cause = sqlx::Error::Io(std::io::Error::from_raw_os_error(number));
            let error = Error::from(cause);
            assert_eq!(error.code(), Code::Unavailable);
            assert!(error.message().contains("limit on memory"), "{error}");
        }
        let reset = sqlx::Error::Io(std::io::Error::from_raw_os_error(104));
        assert!(!Error::from(reset).message().contains("memory"));
    }

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

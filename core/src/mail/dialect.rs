//! Where the two databases differ: claiming mail that is due.
//!
//! SQLite has one writer, so nobody else can claim at the same time. On PostgreSQL several servers do: each locks what
//! it takes, and passes over what others have locked.
//!
//! SQLite has to be told to use the small index of mail that waits: it prefers the one over all states, and would read
//! the whole backlog at every claim.

use crate::db::Dialect;

/// `$1` owner, `$2` lease until, `$3` transport, `$4` now, `$5` 1 for mail with an account of its own only, `$6` how many.
pub(super) fn claim(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => {
            "UPDATE mails
             SET state = 'sending', lease_owner = $1, lease_until = $2, transport = $3, attempts = attempts + 1
             WHERE id IN (SELECT id FROM mails INDEXED BY mails_due
                          WHERE state = 'queued' AND due_at <= $4 AND own_account >= $5
                          ORDER BY due_at, id LIMIT $6)
             RETURNING id, message, attempts, queued_at"
        }
        Dialect::Postgres => {
            "WITH due AS MATERIALIZED (SELECT id FROM mails
                                       WHERE state = 'queued' AND due_at <= $4 AND own_account >= $5
                                       ORDER BY due_at, id LIMIT $6
                                       FOR UPDATE SKIP LOCKED)
             UPDATE mails
             SET state = 'sending', lease_owner = $1, lease_until = $2, transport = $3, attempts = attempts + 1
             FROM due WHERE mails.id = due.id
             RETURNING mails.id, message, attempts, queued_at"
        }
    }
}

/// `$1` now.
pub(super) fn is_due(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => {
            "SELECT due_at FROM mails INDEXED BY mails_due WHERE state = 'queued' AND due_at <= $1 LIMIT 1"
        }
        Dialect::Postgres => "SELECT due_at FROM mails WHERE state = 'queued' AND due_at <= $1 LIMIT 1",
    }
}

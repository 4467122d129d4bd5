//! The administration database: SQLite by default, PostgreSQL by one setting.
//!
//! One SQL text serves both, through `sqlx::Any` and `$1` placeholders. Reads use [`Db::reader`]; every change
//! goes through [`Db::write`]. On SQLite that queues the change to the single writer (`writer.rs`), which commits
//! waiting changes together; on PostgreSQL it is a transaction of its own.

mod copy;
mod errors;
mod listing;
mod migrations;
mod open;
mod pool;
mod reader;
mod rows;
mod search_keys;
mod select;
mod signals;
mod sweep;
mod text;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use sqlx::{Any, AnyConnection, Executor, Transaction};

use crate::{Code, Error, Result};
use reader::is_lost;
pub(crate) use sweep::{Oldest, sweep};
use writer::Writer;

pub(crate) use copy::check_copy;
pub use listing::{Listing, SortKey, Value};
pub use migrations::Migration;
pub(crate) use open::without_password;
pub use pool::{AdminDb, AdminPool};
pub use reader::Reader;
pub(crate) use rows::Together;
pub use rows::{AnyQuery, execute, in_lists, placeholders, returning, write_each};
pub use select::{Bound, Select, containing};
pub use signals::Signals;
pub(crate) use text::is_storable;
pub use text::{search_key, storable};

/// Which of the two databases is behind a [`Db`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

/// The open database. Cheap to clone.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    dialect: Dialect,
    /// Where SQLite keeps it.
    file: Option<PathBuf>,
    /// Where PostgreSQL is.
    url: Option<String>,
    readers: Reader,
    /// Only SQLite has one: it takes a single writing connection anyway.
    writer: Option<Writer>,
}

/// How long a look-up outside of a function may take; a function has a deadline of its own.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the start of a transaction may take before another connection is tried.
const BEGIN: Duration = Duration::from_secs(2);

/// Waits for a look-up, but not for ever: over a half-open connection no answer comes, and no error either (F02).
///
/// # Errors
/// `Unavailable`, retryable, after five seconds; else what the look-up fails with.
pub async fn in_time<T>(look_up: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(PATIENCE, look_up).await.unwrap_or_else(|_| {
        let text = "The database does not answer for the moment. Try again shortly.";
        Err(Error::new(Code::Unavailable, text).retryable())
    })
}

impl Db {
    pub fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    /// The connections for reading. Nothing may be changed through them: on SQLite a second
    /// writing connection would wait for the writer, and be refused.
    pub fn reader(&self) -> &Reader {
        &self.0.readers
    }

    /// Runs `change` in a transaction and returns once it is durable.
    ///
    /// An `Err` from `change` undoes what it did, and nothing else. `change` must do nothing slow: on SQLite
    /// all other writes wait for it. When the caller goes away, a queued change is still made.
    ///
    /// # Errors
    /// The error of `change`; `Unavailable` when the database cannot be written for the moment.
    pub async fn write<T, F>(&self, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut AnyConnection) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        if let Some(writer) = &self.0.writer {
            return writer.write(change).await;
        }
        let mut transaction = self.begin().await?;
        match change(&mut transaction).await {
            Ok(value) => {
                transaction
                    .commit()
                    .await
                    .inspect_err(|error| self.note_lost(error))?;
                Ok(value)
            }
            Err(error) => {
                // Dropped, it would be undone at some later time, and hold its locks until then. What fails here the
                // connection's end undoes.
                let undone = transaction.rollback().await;
                let _ = undone.inspect_err(|error| self.note_lost(error));
                Err(error)
            }
        }
    }

    /// Begins a transaction on PostgreSQL. Over a dead connection nothing was done yet, so that another one is taken and
    /// the caller need not notice (B04).
    async fn begin(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that opens a transaction on PostgreSQL"
        )]
        let begin = || self.0.readers.pool().begin();
        let pool_is_full = self.0.readers.pool().num_idle() == 0;
        // Beginning is quick, but waiting for a connection is not.
        let first = match pool_is_full {
            true => begin().await,
            false => tokio::time::timeout(BEGIN, begin())
                .await
                .unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into())),
        };
        match first {
            Err(error) if is_lost(&error) => {
                self.note_lost(&error);
                begin().await
            }
            first => first,
        }
    }

    fn note_lost(&self, error: &sqlx::Error) {
        if let Some(network) = self.0.readers.network().filter(|_| is_lost(error)) {
            network.lost();
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// `Unavailable` when it does not.
    pub async fn ping(&self) -> Result<()> {
        sqlx::query("SELECT 1").execute(self.reader()).await?;
        Ok(())
    }

    /// Runs a statement outside of any transaction: a test makes and drops its database with it.
    #[expect(clippy::expect_used, reason = "a test without its database has failed")]
    pub(crate) async fn command(&self, statement: String) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(self.reader())
            .await
            .expect("the statement");
    }

    /// Frees the pages that SQLite's connections have cached, up to 2 MB each. A connection that is busy keeps its own.
    pub(crate) async fn release_caches(&self) {
        const RELEASE: &str = "PRAGMA shrink_memory";
        let Some(writer) = &self.0.writer else { return };
        let mut idle = Vec::new();
        // Held together, so that each is taken once.
        while let Some(connection) = self.0.readers.pool().try_acquire() {
            idle.push(connection);
        }
        for connection in &mut idle {
            let _ = connection.execute(RELEASE).await;
        }
        drop(idle);
        // A cache that stays full costs nothing but its memory.
        let _ = writer
            .write(|connection| {
                Box::pin(async move {
                    connection.execute(RELEASE).await?;
                    Ok(())
                })
            })
            .await;
    }

    /// Closes all connections; on SQLite after the queued writes are done.
    pub async fn close(&self) {
        if let Some(writer) = &self.0.writer {
            writer.close().await;
        }
        self.0.readers.close().await;
    }
}

#[cfg(test)]
mod tests;

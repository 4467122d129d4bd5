//! Words between the servers that share a PostgreSQL database, so that one need not wait until another looks again. A word
//! may get lost with a connection: whoever listens also looks from time to time.

use std::time::Duration;

use sqlx::postgres::PgListener;
use sqlx::{AnyConnection, Executor};

use super::{Db, Dialect};
use crate::Result;

/// After so long without a word the connection is asked for a sign of life ...
const QUIET: Duration = Duration::from_secs(30);
/// ... which may take this long.
const PING: Duration = Duration::from_secs(2);

/// The words on one channel.
pub struct Signals(PgListener);

impl Signals {
    /// The next word. A connection that was lost is made again.
    ///
    /// # Errors
    /// When that fails.
    pub async fn next(&mut self) -> Result<String> {
        loop {
            if let Ok(word) = tokio::time::timeout(QUIET, self.0.recv()).await {
                return Ok(word?.payload().to_owned());
            }
            // Over a half-open connection no word would ever come, and no error either (B04).
            let asked = tokio::time::timeout(PING, self.0.execute("SELECT 1")).await;
            asked.map_err(|_| sqlx::Error::from(std::io::Error::from(std::io::ErrorKind::TimedOut)))??;
        }
    }
}

impl Db {
    /// Listens on a channel. `None` on SQLite, where a server is alone.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn listen(&self, channel: &str) -> Result<Option<Signals>> {
        let Some(url) = &self.0.url else {
            return Ok(None);
        };
        let mut listener = PgListener::connect(url).await?;
        listener.listen(channel).await?;
        Ok(Some(Signals(listener)))
    }

    /// Says a word to all who listen on the channel, once the transaction is done; to nobody on SQLite.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn signal(
        tx: &mut AnyConnection,
        dialect: Dialect,
        channel: &'static str,
        word: &'static str,
    ) -> Result<()> {
        if dialect == Dialect::Postgres {
            let sql = "SELECT pg_notify($1, $2)";
            sqlx::query(sql).bind(channel).bind(word).execute(tx).await?;
        }
        Ok(())
    }
}

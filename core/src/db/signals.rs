//! Words between the servers that share a PostgreSQL database, so that one need not wait until another looks again. A word
//! may get lost with a connection: whoever listens also looks from time to time.

use sqlx::AnyConnection;
use sqlx::postgres::PgListener;

use super::{Db, Dialect};
use crate::Result;

/// The words on one channel.
pub struct Signals(PgListener);

impl Signals {
    /// The next word. A connection that was lost is made again.
    ///
    /// # Errors
    /// When that fails.
    pub async fn next(&mut self) -> Result<String> {
        Ok(self.0.recv().await?.payload().to_owned())
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

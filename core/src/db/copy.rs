//! A whole copy of the SQLite database, made while it is in use.

use std::path::Path;

use sqlx::{AnyConnection, Connection, SqliteConnection};

use super::Db;
use super::open::sqlite_url;
use crate::{Code, Error, Result, Shutdown};

/// How many of SQLite's steps pass between two looks whether the server stops: less than a millisecond's.
const STEPS: i32 = 1000;

impl Db {
    /// How large the SQLite database is, in bytes.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) async fn size(&self) -> Result<u64> {
        let mut reader = self.reader().acquire().await?;
        let mut size = 1;
        for pragma in ["PRAGMA page_count", "PRAGMA page_size"] {
            let number: i64 = sqlx::query_scalar(pragma).fetch_one(&mut *reader).await?;
            size *= u64::try_from(number).unwrap_or_default();
        }
        Ok(size)
    }

    /// Copies the SQLite database, as it is at this moment, into an empty file. Others read and write meanwhile. A server
    /// that stops does not wait for it.
    ///
    /// # Errors
    /// `Io`, such as when the disk is full; `Unavailable` when the server stops.
    pub(crate) async fn copy_into(&self, file: &Path, shutdown: &Shutdown) -> Result<()> {
        let refused = |cause: sqlx::Error| match shutdown.is_triggered() {
            true => Error::new(
                Code::Unavailable,
                "The server stops before the database is copied.",
            ),
            false => Error::new(Code::Io, format!("The database could not be copied: {cause}.")),
        };
        let mut reader = self.interruptible(shutdown.clone()).await.map_err(refused)?;
        let copied = sqlx::query("VACUUM INTO $1")
            .bind(file.display().to_string())
            .execute(&mut reader)
            .await;
        let _ = reader.close().await;
        copied.map(drop).map_err(refused)
    }

    /// A connection of its own, on which whatever is done ends when the server stops.
    async fn interruptible(&self, shutdown: Shutdown) -> Result<SqliteConnection, sqlx::Error> {
        let path = self.0.file.as_deref().unwrap_or_else(|| Path::new(""));
        let mut connection = SqliteConnection::connect(&sqlite_url(path, "rw")).await?;
        connection
            .lock_handle()
            .await?
            .set_progress_handler(STEPS, move || !shutdown.is_triggered());
        Ok(connection)
    }
}

/// Opens a copy and reads all of it.
///
/// # Errors
/// `Io` when it is damaged.
pub(crate) async fn check_copy(file: &Path) -> Result<()> {
    let damaged = |why: String| Error::new(Code::Io, format!("The copy of the database is damaged: {why}."));
    let url = format!("{}&immutable=true", sqlite_url(file, "ro"));
    let mut copy = AnyConnection::connect(&url)
        .await
        .map_err(|cause| damaged(cause.to_string()))?;
    let found: Result<String, _> = sqlx::query_scalar("PRAGMA quick_check")
        .fetch_one(&mut copy)
        .await;
    let _ = copy.close().await;
    match found {
        Ok(word) if word == "ok" => Ok(()),
        Ok(why) => Err(damaged(why)),
        Err(cause) => Err(damaged(cause.to_string())),
    }
}

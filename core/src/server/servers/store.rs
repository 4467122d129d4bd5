//! The table `servers`.

use crate::{Db, Result};

#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) address: String,
    pub(super) version: String,
    pub(super) started_at: i64,
    pub(super) seen_at: i64,
    pub(super) scheduler_at: Option<i64>,
    pub(super) memory_bytes: i64,
    pub(super) runs: i64,
    pub(super) load: f64,
}

/// Whose place a server takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    Nobody,
    SameAddress,
    Everybody,
}

/// Writes a server's sign of life, and forgets those whose place it takes, and those that were silent for so long.
pub(super) async fn beat(db: &Db, server: Row, before: Before, silent_ms: i64) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query(
                "DELETE FROM servers
                 WHERE id <> $1 AND (seen_at <= $2 OR $3 = 1 OR ($4 = 1 AND name = $5 AND address = $6))",
            )
            .bind(server.id.clone())
            .bind(server.seen_at - silent_ms)
            .bind(i64::from(before == Before::Everybody))
            .bind(i64::from(before == Before::SameAddress))
            .bind(server.name.clone())
            .bind(server.address.clone())
            .execute(&mut *tx)
            .await?;
            sqlx::query(
                "INSERT INTO servers (id, name, address, version, started_at, seen_at, scheduler_at, memory_bytes, runs, load)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                 ON CONFLICT (id) DO UPDATE
                 SET seen_at = excluded.seen_at, scheduler_at = excluded.scheduler_at,
                     memory_bytes = excluded.memory_bytes, runs = excluded.runs, load = excluded.load",
            )
            .bind(server.id)
            .bind(server.name)
            .bind(server.address)
            .bind(server.version)
            .bind(server.started_at)
            .bind(server.seen_at)
            .bind(server.scheduler_at)
            .bind(server.memory_bytes)
            .bind(server.runs)
            .bind(server.load)
            .execute(&mut *tx)
            .await?;
            Ok(())
        })
    })
    .await
}

pub(super) async fn delete(db: &Db, id: String) -> Result<u64> {
    db.write(move |tx| {
        Box::pin(async move {
            let done = sqlx::query("DELETE FROM servers WHERE id = $1")
                .bind(id)
                .execute(&mut *tx)
                .await?;
            Ok(done.rows_affected())
        })
    })
    .await
}

pub(super) async fn list(db: &Db) -> Result<Vec<Row>> {
    let rows = sqlx::query_as(
        "SELECT id, name, address, version, started_at, seen_at, scheduler_at, memory_bytes, runs, load
         FROM servers ORDER BY started_at, id LIMIT 100",
    )
    .fetch_all(db.reader())
    .await?;
    Ok(rows)
}

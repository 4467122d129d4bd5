//! The tables `plugins` and `plugin_log`.

use sqlx::AnyConnection;

use super::log::Line;
use crate::db::Oldest;
use crate::{Db, Result};

pub(super) const OLDEST: Oldest = Oldest {
    select: "SELECT id, at FROM plugin_log ORDER BY id LIMIT $1",
    delete: "DELETE FROM plugin_log WHERE id <= $1 AND at < $2",
};

/// Deleted in one write: others wait for it.
const BATCH: i64 = 500;

/// What is kept about a plugin between starts.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub(super) struct Row {
    /// 1 or 0.
    pub(super) enabled: i64,
    /// The settings as JSON, sealed.
    pub(super) settings: Option<Vec<u8>>,
    /// Changes with every change, also one made by another server on this database.
    pub(super) changed_at: i64,
}

pub(super) async fn get(db: &Db, name: &str) -> Result<Option<Row>> {
    let row = sqlx::query_as("SELECT enabled, settings, changed_at FROM plugins WHERE name = $1")
        .bind(name.to_owned())
        .fetch_optional(db.reader())
        .await?;
    Ok(row)
}

pub(super) async fn put(db: &Db, name: &str, row: Row) -> Result<()> {
    let name = name.to_owned();
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query(
                "INSERT INTO plugins (name, enabled, settings, changed_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (name) DO UPDATE
                 SET enabled = excluded.enabled, settings = excluded.settings, changed_at = excluded.changed_at",
            )
            .bind(name)
            .bind(row.enabled)
            .bind(row.settings)
            .bind(row.changed_at)
            .execute(&mut *tx)
            .await?;
            Ok(())
        })
    })
    .await
}

#[derive(sqlx::FromRow)]
struct LineRow {
    id: String,
    at: i64,
    level: String,
    message: String,
}

/// The lines of a plugin's log, newest last; how many are kept is a setting.
pub(super) async fn log(db: &Db, plugin: &str) -> Result<Vec<Line>> {
    let rows: Vec<LineRow> = sqlx::query_as(
        "SELECT id, at, level, message FROM plugin_log
         WHERE plugin = $1
         ORDER BY id",
    )
    .bind(plugin.to_owned())
    .fetch_all(db.reader())
    .await?;
    let line = |row: LineRow| Line {
        id: row.id,
        at: row.at,
        level: row.level,
        message: row.message,
    };
    Ok(rows.into_iter().map(line).collect())
}

/// Adds lines, and forgets the oldest beyond the `kept` newest.
pub(super) async fn append_log(db: &Db, plugin: String, lines: Vec<Line>, kept: i64) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            for line in lines {
                sqlx::query(
                    "INSERT INTO plugin_log (id, plugin, at, level, message) VALUES ($1, $2, $3, $4, $5)",
                )
                .bind(line.id)
                .bind(plugin.clone())
                .bind(line.at)
                .bind(line.level)
                .bind(line.message)
                .execute(&mut *tx)
                .await?;
            }
            shorten(tx, &plugin, kept).await?;
            Ok(())
        })
    })
    .await
}

/// Forgets all but the `kept` newest lines of every plugin, a little at a time, and gives how many.
pub(super) async fn shorten_logs(db: &Db, kept: i64) -> Result<u64> {
    let plugins: Vec<String> = sqlx::query_scalar("SELECT DISTINCT plugin FROM plugin_log")
        .fetch_all(db.reader())
        .await?;
    let mut all = 0;
    for plugin in plugins {
        loop {
            let plugin = plugin.clone();
            let some = db
                .write(move |tx| Box::pin(async move { shorten(tx, &plugin, kept).await }))
                .await?;
            all += some;
            if some < BATCH.unsigned_abs() {
                break;
            }
        }
    }
    Ok(all)
}

/// Forgets the oldest lines beyond the `kept` newest, as many as one write may.
async fn shorten(tx: &mut AnyConnection, plugin: &str, kept: i64) -> Result<u64> {
    let done = sqlx::query(
        "DELETE FROM plugin_log
         WHERE id IN (SELECT id FROM plugin_log
                      WHERE plugin = $1
                        AND id < (SELECT id FROM plugin_log WHERE plugin = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)
                      ORDER BY id LIMIT $3)",
    )
    .bind(plugin.to_owned())
    .bind(kept - 1)
    .bind(BATCH)
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn line(number: usize) -> Line {
        Line {
            id: format!("log_{number:06}"),
            at: 7,
            level: "info".to_owned(),
            message: format!("line {number}"),
        }
    }

    #[tokio::test]
    async fn what_is_kept_about_a_plugin_comes_back() {
        testing::on_each_database(async |core| {
            assert_eq!(get(&core.db, "echo").await.unwrap(), None);
            let row = |enabled, settings: &[u8], changed_at| Row {
                enabled,
                settings: Some(settings.to_vec()),
                changed_at,
            };
            put(&core.db, "echo", row(1, b"one", 1)).await.unwrap();
            put(&core.db, "echo", row(0, b"two", 2)).await.unwrap();
            assert_eq!(get(&core.db, "echo").await.unwrap(), Some(row(0, b"two", 2)));
        })
        .await;
    }

    #[tokio::test]
    async fn f05_a_log_keeps_its_last_lines_and_no_more() {
        testing::on_each_database(async |core| {
            for start in [0, 600] {
                let lines = (start..start + 600).map(line).collect();
                append_log(&core.db, "echo".to_owned(), lines, 1000)
                    .await
                    .unwrap();
            }
            append_log(&core.db, "other".to_owned(), vec![line(0)], 1000)
                .await
                .unwrap();
            let kept = log(&core.db, "echo").await.unwrap();
            assert_eq!(kept.len(), 1000);
            assert_eq!(kept[0].message, "line 200");
            assert_eq!(kept.last().unwrap().message, "line 1199");
        })
        .await;
    }

    #[tokio::test]
    async fn however_much_a_log_is_shortened_no_write_is_long() {
        testing::on_each_database(async |core| {
            let lines = (0..1400).map(line).collect();
            append_log(&core.db, "echo".to_owned(), lines, 5000)
                .await
                .unwrap();
            let once = core
                .db
                .write(|tx| Box::pin(shorten(tx, "echo", 10)))
                .await
                .unwrap();
            assert_eq!(once, BATCH.unsigned_abs());
            assert_eq!(shorten_logs(&core.db, 10).await.unwrap(), 1390 - once);
            let kept = log(&core.db, "echo").await.unwrap();
            assert_eq!(kept.len(), 10);
            assert_eq!(kept[0].message, "line 1390");
        })
        .await;
    }
}

//! Bringing the columns that lists search in up to date, once after an upgrade.

use sqlx::AssertSqlSafe;

use super::{Db, search_key};
use crate::Result;

/// Rows changed in one write: others wait for it.
const BATCH: i64 = 500;

/// A table with a column `search`.
struct Table {
    name: &'static str,
    /// The text that is searched in, as SQL.
    text: &'static str,
}

const TABLES: [Table; 3] = [
    Table {
        name: "audit",
        text: "function || '\n' || caller_name",
    },
    Table {
        name: "jobs",
        text: "name || '\n' || path",
    },
    Table {
        name: "mails",
        text: "recipients || '\n' || subject",
    },
];

impl Db {
    /// Folds what only Coronet can fold: texts beyond ASCII. Several servers may do it at once.
    ///
    /// # Errors
    /// Those of the database; the next start goes on.
    pub(super) async fn rebuild_search_keys(&self) -> Result<()> {
        let due: Vec<String> = sqlx::query_scalar("SELECT name FROM search_rebuilds")
            .fetch_all(self.reader())
            .await?;
        for table in TABLES
            .iter()
            .filter(|table| due.iter().any(|due| due == table.name))
        {
            self.rebuild(table).await?;
            self.write(move |tx| {
                Box::pin(async move {
                    sqlx::query("DELETE FROM search_rebuilds WHERE name = $1")
                        .bind(table.name)
                        .execute(tx)
                        .await?;
                    Ok(())
                })
            })
            .await?;
        }
        Ok(())
    }

    async fn rebuild(&self, table: &'static Table) -> Result<()> {
        let Table { name, text } = table;
        let mut last = String::new();
        loop {
            let sql = format!(
                "SELECT id, {text} FROM {name} WHERE id > $1 AND octet_length({text}) <> length({text})
                 ORDER BY id LIMIT $2"
            );
            let rows: Vec<(String, String)> = sqlx::query_as(AssertSqlSafe(sql))
                .bind(last)
                .bind(BATCH)
                .fetch_all(self.reader())
                .await?;
            let Some((id, _)) = rows.last() else {
                return Ok(());
            };
            last = id.clone();
            self.write(move |tx| {
                Box::pin(async move {
                    for (id, text) in rows {
                        let sql = format!("UPDATE {name} SET search = $2 WHERE id = $1");
                        sqlx::query(AssertSqlSafe(sql))
                            .bind(id)
                            .bind(search_key(&text))
                            .execute(&mut *tx)
                            .await?;
                    }
                    Ok(())
                })
            })
            .await?;
        }
    }
}

//! How large the database is.

use crate::db::Dialect;
use crate::{Db, Result};

/// Bytes that the database takes.
pub(super) async fn database_size(db: &Db) -> Result<u64> {
    // SQLite's is told by itself: nobody else may open its file.
    let sql = match db.dialect() {
        Dialect::Sqlite => "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
        Dialect::Postgres => "SELECT pg_database_size(current_database())",
    };
    let size: i64 = sqlx::query_scalar(sql).fetch_one(db.reader()).await?;
    Ok(u64::try_from(size).unwrap_or(0))
}

//! Migrations: numbered SQL files, the same numbers and names for both databases, applied under a lock.

use std::fs::File;
use std::path::PathBuf;

use sqlx::migrate::{Migrate, Migration as Script, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};

use super::{Db, Dialect};
use crate::{Code, Error, Result};

#[derive(rust_embed::RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/migrations"]
struct Files;

/// A step of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    pub version: i64,
    pub name: String,
}

impl Db {
    /// Brings the schema up to date. Several servers may start at once: one migrates, the others wait.
    ///
    /// # Errors
    /// When the database was made by a newer Coronet, or a landed migration was edited, or a step fails.
    pub async fn migrate(&self) -> Result<()> {
        if !self.pending_migrations().await?.is_empty() {
            self.apply_migrations().await?;
        }
        self.rebuild_search_keys().await
    }

    async fn apply_migrations(&self) -> Result<()> {
        // PostgreSQL is locked by the migrator itself; SQLite knows no lock of that kind.
        let _lock = match &self.0.file {
            Some(file) => Some(lock_beside(file.clone()).await?),
            None => None,
        };
        migrator(self.dialect())?
            .run(self.reader().pool())
            .await
            .map_err(|cause| {
                Error::new(
                    Code::Io,
                    format!("The database schema could not be brought up to date: {cause}."),
                )
            })
    }

    /// The migrations that this binary has and the database has not, in order.
    ///
    /// # Errors
    /// When the database has a migration that this binary does not know: a newer Coronet made it.
    pub async fn pending_migrations(&self) -> Result<Vec<Migration>> {
        let applied = self.applied_migrations().await?;
        let migrator = migrator(self.dialect())?;
        if let Some(unknown) = applied.iter().find(|version| !migrator.version_exists(**version)) {
            return Err(Error::new(
                Code::Io,
                format!(
                    "The database was made by a newer Coronet (it has migration {unknown}). \
                     Start that version, or restore a backup made before the upgrade."
                ),
            ));
        }
        let pending = migrator
            .iter()
            .filter(|script| !applied.contains(&script.version));
        Ok(pending
            .map(|script| Migration {
                version: script.version,
                name: script.description.to_string(),
            })
            .collect())
    }

    async fn applied_migrations(&self) -> Result<Vec<i64>> {
        let mut connection = self.reader().acquire().await?;
        let listed = connection.list_applied_migrations("_sqlx_migrations").await;
        // The table of applied migrations is made with the first of them.
        Ok(listed
            .map(|all| all.into_iter().map(|migration| migration.version).collect())
            .unwrap_or_default())
    }
}

async fn lock_beside(database: PathBuf) -> Result<File> {
    let mut path = database.into_os_string();
    path.push("-migrate");
    let locked = tokio::task::spawn_blocking(move || {
        let file = File::create(path)?;
        file.lock().map(|()| file)
    });
    locked.await.map_err(Error::unexpected)?.map_err(|cause| {
        Error::new(
            Code::Io,
            format!("The folder of the database cannot be written: {cause}."),
        )
    })
}

/// A development build reads its migrations from its source folder, which may be gone.
fn migrator(dialect: Dialect) -> Result<Migrator> {
    let folder = match dialect {
        Dialect::Sqlite => "sqlite/",
        Dialect::Postgres => "postgres/",
    };
    let scripts = Files::iter().filter_map(|path| {
        let (version, name) = path.strip_prefix(folder)?.strip_suffix(".sql")?.split_once('_')?;
        let sql = String::from_utf8(Files::get(&path)?.data.into_owned()).ok()?;
        let sql = AssertSqlSafe(sql).into_sql_str();
        let version = version.parse().ok()?;
        Some(Script::new(
            version,
            name.to_owned().into(),
            MigrationType::Simple,
            sql,
            false,
        ))
    });
    all_of(scripts.collect())
}

fn all_of(scripts: Vec<Script>) -> Result<Migrator> {
    if scripts.is_empty() {
        return Err(Error::new(
            Code::Io,
            concat!(
                "This build of Coronet has no migrations: it looks for them in ",
                env!("CARGO_MANIFEST_DIR"),
                "/migrations. Build it again where that folder is, or take a release build."
            ),
        ));
    }
    Ok(Migrator::with_migrations(scripts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_without_migrations_says_so() {
        let refused = all_of(Vec::new()).unwrap_err();
        assert!(refused.message().contains("/migrations"), "{refused}");
        assert!(migrator(Dialect::Sqlite).is_ok() && migrator(Dialect::Postgres).is_ok());
    }
}

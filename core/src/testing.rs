//! What the tests of the rooms start from.

use std::future::Future;
use std::path::Path;

use crate::{Clock, Config, Core, Db, random};

/// 2026-01-05 12:00 UTC, a Monday: where manual clocks of tests start.
pub const MONDAY_NOON: i64 = 1_767_614_400_000;

/// A core over a fresh SQLite database in a folder of its own, with a clock that stands still.
///
/// # Panics
/// When it cannot be made.
#[expect(clippy::expect_used, reason = "a test that cannot start has failed")]
pub async fn core() -> (tempfile::TempDir, Core) {
    let home = tempfile::tempdir().expect("a temporary folder");
    let core = core_at(home.path()).await;
    (home, core)
}

/// As [`core`], over the database that is in `home` already.
///
/// # Panics
/// When it cannot be made.
#[expect(clippy::expect_used, reason = "a test that cannot start has failed")]
pub async fn core_at(home: &Path) -> Core {
    let config = Config::defaults(home.to_owned());
    let db = Db::open(&config).await.expect("the database opens");
    db.migrate().await.expect("the migrations run");
    Core::new(config, Clock::manual(MONDAY_NOON), db).expect("the core starts")
}

/// Plays a story on SQLite and, when `CORONET_TEST_POSTGRES` names a throwaway cluster by the URL of a user who
/// may create databases, on PostgreSQL. Each time the database is fresh and migrated, and the clock stands at
/// [`MONDAY_NOON`].
///
/// # Panics
/// When a database cannot be made; and as the story does.
#[expect(clippy::expect_used, reason = "a test without its database has failed")]
pub async fn on_each_database<F, S>(story: F)
where
    F: Fn(Core) -> S,
    S: Future<Output = ()>,
{
    let (_home, sqlite) = core().await;
    story(sqlite.clone()).await;
    sqlite.db.close().await;

    let Ok(admin) = std::env::var("CORONET_TEST_POSTGRES") else {
        return;
    };
    let cluster = Db::open_postgres(&admin)
        .await
        .expect("the PostgreSQL cluster answers");
    let name = random::id("coronet_test");
    cluster.command(format!("CREATE DATABASE {name}")).await;
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut config = Config::defaults(home.path().to_owned());
    config.database = database_url(&admin, &name);
    let db = Db::open(&config).await.expect("the database opens");
    db.migrate().await.expect("the migrations run");
    let postgres = Core::new(config, Clock::manual(MONDAY_NOON), db).expect("the core starts");
    story(postgres.clone()).await;
    postgres.db.close().await;
    cluster
        .command(format!("DROP DATABASE {name} WITH (FORCE)"))
        .await;
    cluster.close().await;
}

fn database_url(admin: &str, name: &str) -> String {
    let (base, query) = match admin.split_once('?') {
        Some((base, query)) => (base, format!("?{query}")),
        None => (admin, String::new()),
    };
    let host = base.find("://").map_or(0, |at| at + 3);
    let end = base[host..].find('/').map_or(base.len(), |at| host + at);
    format!("{}/{name}{query}", &base[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_takes_the_place_of_the_one_in_the_url() {
        for (admin, expected) in [
            ("postgres://u:p@h:1/postgres", "postgres://u:p@h:1/t"),
            ("postgres://h", "postgres://h/t"),
            ("postgres:///postgres?host=/run/x", "postgres:///t?host=/run/x"),
        ] {
            assert_eq!(database_url(admin, "t"), expected);
        }
    }
}

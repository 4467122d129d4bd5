//! What the tests of the rooms start from.

use std::path::Path;

use crate::{Clock, Config, Core, Db};

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

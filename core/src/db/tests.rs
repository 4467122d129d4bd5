use std::sync::Arc;

use super::*;
use crate::{Code, Error};

async fn database() -> (tempfile::TempDir, Db) {
    let home = tempfile::tempdir().unwrap();
    let db = Db::open_sqlite(&home.path().join("a ?#%é.db")).await.unwrap();
    db.migrate().await.unwrap();
    (home, db)
}

async fn insert(db: &Db, name: &str, fail: bool) -> Result<()> {
    let name = name.to_owned();
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query("INSERT INTO settings (name, value, changed_at) VALUES ($1, '1', 0)")
                .bind(name)
                .execute(&mut *tx)
                .await?;
            if fail {
                Err(Error::new(Code::Conflict, "no"))
            } else {
                Ok(())
            }
        })
    })
    .await
}

async fn names(db: &Db) -> Vec<String> {
    sqlx::query_scalar("SELECT name FROM settings ORDER BY name")
        .fetch_all(db.reader())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_failing_write_undoes_itself_and_leaves_its_neighbours_in_the_same_commit() {
    let (_home, db) = database().await;
    let numbers: Vec<_> = (0..200).map(|n| (n, format!("{n:03}"))).collect();
    let writes = numbers.iter().map(|(n, name)| insert(&db, name, n % 3 == 0));
    let outcomes = futures::future::join_all(writes).await;

    assert!(
        outcomes
            .iter()
            .enumerate()
            .all(|(n, outcome)| outcome.is_err() == (n % 3 == 0))
    );
    let kept: Vec<_> = numbers
        .iter()
        .filter(|(n, _)| n % 3 != 0)
        .map(|(_, name)| name.clone())
        .collect();
    assert_eq!(names(&db).await, kept);
}

#[tokio::test]
async fn a_failed_write_has_let_go_of_its_rows_when_its_caller_hears_of_it() {
    crate::testing::on_each_database(async |core| {
        let db = &core.db;
        insert(db, "row", false).await.unwrap();
        let free = match db.dialect() {
            Dialect::Sqlite => "",
            Dialect::Postgres => " FOR UPDATE SKIP LOCKED",
        };
        for _ in 0..20 {
            // The row is changed, and with that locked, when the write is refused.
            let refused = db.write(|tx| {
                Box::pin(async move {
                    sqlx::query("UPDATE settings SET value = '2'")
                        .execute(&mut *tx)
                        .await?;
                    Err::<(), _>(Error::new(Code::Conflict, "no"))
                })
            });
            refused.await.unwrap_err();
            let sql = format!("SELECT value FROM settings{free}");
            let seen = db.write(move |tx| {
                Box::pin(async move {
                    let seen: Option<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
                        .fetch_optional(&mut *tx)
                        .await?;
                    Ok(seen)
                })
            });
            assert_eq!(seen.await.unwrap().as_deref(), Some("1"));
        }
    })
    .await;
}

#[tokio::test]
async fn a_panicking_write_fails_alone() {
    let (_home, db) = database().await;
    let panicking = db.write::<(), _>(|_| Box::pin(async { panic!("on purpose") }));
    let (panicked, written) = futures::join!(panicking, insert(&db, "kept", false));

    assert_eq!(panicked.unwrap_err().code(), Code::Unexpected);
    written.unwrap();
    assert_eq!(names(&db).await, ["kept"]);
}

#[tokio::test]
async fn a_write_whose_caller_went_away_is_still_made() {
    let (_home, db) = database().await;
    {
        let mut write = Box::pin(insert(&db, "kept", false));
        assert!(futures::poll!(&mut write).is_pending());
    }
    insert(&db, "next", false).await.unwrap();
    assert_eq!(names(&db).await, ["kept", "next"]);
}

#[tokio::test]
async fn closing_finishes_what_was_queued_and_refuses_the_rest() {
    let (_home, db) = database().await;
    let db = Arc::new(db);
    let queued: Vec<_> = (0..50)
        .map(|n| {
            let db = Arc::clone(&db);
            tokio::spawn(async move { insert(&db, &format!("{n}"), false).await })
        })
        .collect();
    tokio::task::yield_now().await;
    db.close().await;
    for write in queued {
        if let Err(error) = write.await.unwrap() {
            assert_eq!(error.code(), Code::Unavailable);
        }
    }
    assert_eq!(
        insert(&db, "late", false).await.unwrap_err().code(),
        Code::Unavailable
    );
}

#[tokio::test]
async fn migrations_are_applied_once_and_told_when_pending() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("admin.db");
    let db = Db::open_sqlite(&path).await.unwrap();
    assert_eq!(db.pending_migrations().await.unwrap()[0].name, "core");
    db.migrate().await.unwrap();
    assert_eq!(db.pending_migrations().await.unwrap(), []);
    db.migrate().await.unwrap();

    sqlx::query("UPDATE _sqlx_migrations SET version = 9999 WHERE version = 1")
        .execute(db.reader())
        .await
        .unwrap();
    let error = db.migrate().await.unwrap_err();
    assert!(error.message().contains("newer Coronet"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_with_advice() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("admin.db");
    std::fs::write(
        &path,
        "this is not a database, and long enough to be read as a header of one".repeat(20),
    )
    .unwrap();
    let error = Db::open_sqlite(&path).await.err().unwrap();
    assert_eq!(error.code(), Code::Io);
    assert!(error.message().contains("restore it from a backup"), "{error}");
}

#[tokio::test]
async fn a_file_that_another_program_holds_is_refused_with_advice() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("admin.db");
    let holder = Db::open_sqlite(&path).await.unwrap();
    let mut held = holder.reader().acquire().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *held).await.unwrap();
    let error = Db::open_sqlite(&path).await.err().unwrap();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.message().contains("locked by another program"), "{error}");
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |dialect: &str| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("migrations")
            .join(dialect);
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

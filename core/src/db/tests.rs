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

/// A setting's name that only PostgreSQL rejects, and one that neither database takes.
const NO_VALUE: &str = "no value";

async fn insert_names(db: Db, names: Vec<String>) -> Result<Vec<String>> {
    db.write(move |tx| {
        Box::pin(async move {
            for name in &names {
                let value = Some("1").filter(|_| name != NO_VALUE);
                sqlx::query("INSERT INTO settings (name, value, changed_at) VALUES ($1, $2, 0)")
                    .bind(name.clone())
                    .bind(value)
                    .execute(&mut *tx)
                    .await?;
            }
            Ok(names)
        })
    })
    .await
}

#[tokio::test]
async fn b01_a_row_that_can_never_be_stored_fails_alone_wherever_it_is_in_the_batch() {
    crate::testing::on_each_database(async |core| {
        let mut stored = Vec::new();
        for (run, bad) in [0, 17, 36].into_iter().enumerate() {
            let row = |n: usize| match n == bad {
                true => NO_VALUE.to_owned(),
                false => format!("{run} {n:02}"),
            };
            let rows: Vec<String> = (0..37).map(row).collect();
            let outcomes = write_each(rows.clone(), |rows| insert_names(core.db.clone(), rows)).await;
            for (n, (row, outcome)) in rows.into_iter().zip(outcomes).enumerate() {
                assert_eq!(outcome.is_err(), n == bad, "{row}");
                if n != bad {
                    assert_eq!(outcome.unwrap(), row);
                    stored.push(row);
                }
            }
        }
        assert_eq!(names(&core.db).await, stored);
    })
    .await;
}

#[tokio::test]
async fn b01_callers_who_share_a_batch_with_a_bad_row_get_their_own_outcomes() {
    crate::testing::on_each_database(async |core| {
        let together = Together::default();
        let share = |name: &str| {
            let db = core.db.clone();
            together.share(name.to_owned(), move |names| insert_names(db.clone(), names))
        };
        // The first one goes alone; the others come while it is under way.
        let (first, good, bad, last) =
            tokio::join!(share("first"), share("good"), share(NO_VALUE), share("last"));
        assert_eq!(
            (first.unwrap(), good.unwrap(), last.unwrap()),
            ("first".to_owned(), "good".to_owned(), "last".to_owned())
        );
        assert!(!bad.unwrap_err().is_retryable());
    })
    .await;
}

#[tokio::test]
async fn b01_nothing_is_halved_while_the_database_is_away() {
    let calls = std::cell::Cell::new(0);
    let away = |rows: Vec<u8>| {
        calls.set(calls.get() + 1);
        drop(rows);
        std::future::ready(Err::<Vec<()>, _>(Error::new(Code::Unavailable, "away")))
    };
    let outcomes = write_each(vec![0; 64], away).await;
    assert!(outcomes.len() == 64 && outcomes.iter().all(std::result::Result::is_err));
    assert_eq!(calls.get(), 1);
}

mod stale {
    //! Connections that died while nobody used them, on PostgreSQL.

    use std::time::Duration;

    use super::*;
    use crate::testing::on_each_database;

    async fn fill_pool(db: &Db) {
        let held = futures::future::join_all((0..16).map(|_| db.reader().acquire())).await;
        assert!(held.iter().all(std::result::Result::is_ok));
        drop(held);
        // They come back one by one, each after a sign of life.
        while db.reader().pool().num_idle() < 16 {
            tokio::task::yield_now().await;
        }
    }

    async fn cut_all(db: &Db) {
        // From outside, as a failover does.
        let admin = Db::open_postgres(&std::env::var("CORONET_TEST_POSTGRES").unwrap())
            .await
            .unwrap();
        let name: String = sqlx::query_scalar("SELECT CAST(current_database() AS TEXT)")
            .fetch_one(db.reader())
            .await
            .unwrap();
        let cut: Vec<(bool,)> =
            sqlx::query_as("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1")
                .bind(name)
                .fetch_all(admin.reader())
                .await
                .unwrap();
        assert!(cut.len() >= 16, "{}", cut.len());
        admin.close().await;
    }

    #[tokio::test]
    async fn b04_after_a_failover_no_reader_and_no_writer_notices() {
        on_each_database(|core| async move {
            if core.db.dialect() == Dialect::Sqlite {
                return;
            }
            for write_first in [false, true] {
                fill_pool(&core.db).await;
                cut_all(&core.db).await;
                for n in 0..40 {
                    if (n % 2 == 0) == write_first {
                        insert(&core.db, &format!("{write_first} {n}"), false)
                            .await
                            .unwrap();
                    } else {
                        core.db.ping().await.unwrap();
                    }
                }
                // Many at once, each over a connection of its own.
                fill_pool(&core.db).await;
                cut_all(&core.db).await;
                let reads = futures::future::join_all((0..40).map(|_| core.db.ping())).await;
                assert!(reads.iter().all(std::result::Result::is_ok), "{reads:?}");
            }
        })
        .await;
    }

    /// A proxy that swallows everything of the connections that were made before the age it is told.
    async fn proxy(target: String) -> (u16, tokio::sync::watch::Sender<u32>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (age, told) = tokio::sync::watch::channel(0);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = tokio::net::TcpStream::connect(&target).await.unwrap();
                let (client_read, client_write) = client.into_split();
                let (server_read, server_write) = server.into_split();
                tokio::spawn(pass(client_read, server_write, told.clone()));
                tokio::spawn(pass(server_read, client_write, told.clone()));
            }
        });
        (port, age)
    }

    async fn pass(
        mut from: tokio::net::tcp::OwnedReadHalf,
        mut to: tokio::net::tcp::OwnedWriteHalf,
        age: tokio::sync::watch::Receiver<u32>,
    ) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let born = *age.borrow();
        let mut block = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut block).await {
            if *age.borrow() > born {
                std::future::pending::<()>().await;
            }
            if to.write_all(&block[..length]).await.is_err() {
                return;
            }
        }
    }

    #[tokio::test]
    async fn b04_half_open_connections_are_replaced_before_anybody_runs_into_a_deadline() {
        on_each_database(|core| async move {
            if core.db.dialect() == Dialect::Sqlite {
                return;
            }
            let (at, path) = core.config.database.rsplit_once('/').unwrap();
            let (user, host) = at.rsplit_once('@').unwrap();
            let (port, age) = proxy(host.to_owned()).await;
            let url = format!("{user}@127.0.0.1:{port}/{path}");
            let db = Db::open_postgres(&url).await.unwrap();
            for write_first in [false, true] {
                fill_pool(&db).await;
                age.send_modify(|age| *age += 1);
                let work = async {
                    if write_first {
                        insert(&db, "row", false).await.unwrap();
                    }
                    let reads = futures::future::join_all((0..40).map(|_| db.ping())).await;
                    assert!(reads.iter().all(std::result::Result::is_ok), "{reads:?}");
                };
                // A function's own deadline.
                tokio::time::timeout(Duration::from_secs(10), work).await.unwrap();
            }
        })
        .await;
    }
}

//! Where a test server keeps its data: a file of its own, or a database of its own in the throwaway
//! PostgreSQL cluster.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::server::TestServer;
use sqlx::any::install_default_drivers;

use sqlx::{AnyConnection, Column, Connection, Executor, Row};

/// Set by `cargo xtask test`: a URL whose user may create databases.
const CLUSTER: &str = "CORONET_TEST_POSTGRES";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// The value of the server's `database` setting, valid until this is dropped.
#[derive(Debug)]
pub struct Database {
    pub kind: Kind,
    pub url: String,
    /// The key of the first server on it: all servers on one database have the same.
    pub key: Option<PathBuf>,
    /// The cluster and the name to remove there.
    created: Option<(String, String)>,
}

impl Database {
    /// SQLite in the server's home; the server makes the file.
    pub fn sqlite() -> Self {
        Self {
            kind: Kind::Sqlite,
            url: String::new(),
            key: None,
            created: None,
        }
    }

    /// A new, empty PostgreSQL database; `None` without a cluster, as under a bare `cargo test`.
    pub async fn postgres() -> Option<Self> {
        let cluster = std::env::var(CLUSTER).ok()?;
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", std::process::id());
        run(&cluster, format!("CREATE DATABASE {name} TEMPLATE template0")).await;
        let (server, _) = cluster.rsplit_once('/').expect("a URL that ends in a database");
        let url = format!("{server}/{name}");
        Some(Self {
            kind: Kind::Postgres,
            url,
            key: None,
            created: Some((cluster, name)),
        })
    }

    /// The same database, for another server. It is removed with the first.
    pub fn beside(other: &Self) -> Self {
        Self {
            kind: other.kind,
            url: other.url.clone(),
            key: other.key.clone(),
            created: None,
        }
    }

    pub async fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Sqlite => Some(Self::sqlite()),
            Kind::Postgres => Self::postgres().await,
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Some((cluster, name)) = self.created.take() else {
            return;
        };
        // Dropping happens inside a runtime, which cannot be blocked on; another thread has its own.
        let removal = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(run(
                &cluster,
                format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            ));
        });
        let _ = removal.join();
    }
}

async fn run(url: &str, statement: String) {
    let mut connection = connect(url).await;
    connection
        .execute(sqlx::AssertSqlSafe(statement))
        .await
        .expect("the cluster's administration");
}

/// A connection past the server, to look at what is at rest.
pub async fn connect(url: &str) -> AnyConnection {
    install_default_drivers();
    AnyConnection::connect(url).await.expect("a database connection")
}

/// Makes every one-time code there is look as if it had been issued so many hours ago.
pub async fn age_codes(server: &TestServer, hours: i64) {
    let by = hours * 3_600_000;
    let statement = "UPDATE codes SET issued_at = issued_at - $1, expires_at = expires_at - $1";
    let mut connection = connect(&url_of(server)).await;
    sqlx::query(statement)
        .bind(by)
        .execute(&mut connection)
        .await
        .expect("the codes");
}

/// Makes every one-time code look as if it had been issued for another purpose, or by another owner.
pub async fn relabel_codes(server: &TestServer, column: &str, value: &str) {
    let mut connection = connect(&url_of(server)).await;
    let statement = sqlx::AssertSqlSafe(format!("UPDATE codes SET {column} = $1"));
    let done = sqlx::query(statement)
        .bind(value.to_owned())
        .execute(&mut connection)
        .await;
    assert!(done.expect("the codes").rows_affected() > 0, "there is no code");
}

pub async fn count_codes(server: &TestServer) -> i64 {
    let mut connection = connect(&url_of(server)).await;
    sqlx::query_scalar("SELECT COUNT(*) FROM codes")
        .fetch_one(&mut connection)
        .await
        .expect("the codes")
}

fn url_of(server: &TestServer) -> String {
    match server.database.kind {
        Kind::Sqlite => format!("sqlite://{}", server.home().join("admin.db").display()),
        Kind::Postgres => server.database.url.clone(),
    }
}

/// Copies the first row of a table that fits so many times. `changed` says, for some columns, what the copies have in
/// place of the row's own value, as SQL in which `n` is the copy's number as text and `number` as a number.
pub async fn multiply(server: &TestServer, table: &str, fits: &str, copies: usize, changed: &[(&str, &str)]) {
    let mut connection = connect(&url_of(server)).await;
    let found = format!("SELECT * FROM {table} WHERE {fits} LIMIT 1");
    let row = connection
        .fetch_one(sqlx::AssertSqlSafe(found))
        .await
        .expect("a row to copy");
    let names: Vec<&str> = row.columns().iter().map(Column::name).collect();
    let values = names.iter().map(|name| {
        let other = changed.iter().find(|(column, _)| column == name);
        other.map_or_else(|| (*name).to_owned(), |(_, value)| (*value).to_owned())
    });
    let statement = format!(
        "WITH RECURSIVE numbers (number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM numbers WHERE number + 1 < $1),
              copies AS (SELECT number, CAST(number AS TEXT) AS n FROM numbers),
              original AS (SELECT * FROM {table} WHERE {fits} LIMIT 1)
         INSERT INTO {table} ({}) SELECT {} FROM original, copies",
        names.join(", "),
        values.collect::<Vec<_>>().join(", ")
    );
    sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(i64::try_from(copies).expect("not that many"))
        .execute(&mut connection)
        .await
        .expect("copies");
}

/// Copies a user so many times, with names and addresses of their own: registering thousands would spend
/// minutes on password hashes.
pub async fn multiply_user(server: &TestServer, user_id: &str, copies: usize) {
    let (name, email) = ("'copy' || n", "'copy' || n || '@example.com'");
    let changed = [
        ("id", "'usr_copy' || n"),
        ("username", name),
        ("username_key", name),
        ("email", email),
        ("email_key", email),
    ];
    multiply(server, "users", &format!("id = '{user_id}'"), copies, &changed).await;
}

/// The address of a copy made by [`multiply_user`].
pub fn email_of_copy(number: usize) -> String {
    format!("copy{number}@example.com")
}

/// How late each run was that was due between these times, in milliseconds, the least first.
pub async fn lateness(server: &TestServer, from: i64, to: i64) -> Vec<i64> {
    let statement = "
        SELECT started_at - due_at FROM job_runs
        WHERE due_at >= $1 AND due_at < $2 AND outcome = 'ok' ORDER BY 1";
    let mut connection = connect(&url_of(server)).await;
    sqlx::query_scalar(statement)
        .bind(from)
        .bind(to)
        .fetch_all(&mut connection)
        .await
        .expect("runs")
}

/// How many ticks of jobs there were in that time: those that became runs, and those still waited for.
pub async fn ticks(server: &TestServer, from: i64, to: i64) -> i64 {
    let statement = "
        SELECT (SELECT COUNT(*) FROM job_runs WHERE due_at >= $1 AND due_at < $2)
             + (SELECT COUNT(*) FROM jobs WHERE due_at >= $1 AND due_at < $2)";
    let mut connection = connect(&url_of(server)).await;
    sqlx::query_scalar(statement)
        .bind(from)
        .bind(to)
        .fetch_one(&mut connection)
        .await
        .expect("a count")
}

/// How many runs of jobs have ended, and the milliseconds from the first start to the last end.
pub async fn ended_runs(server: &TestServer) -> (usize, i64) {
    let statement = "
        SELECT COUNT(*), COALESCE(MAX(ended_at) - MIN(started_at), 0) FROM job_runs WHERE outcome = 'ok'";
    let mut connection = connect(&url_of(server)).await;
    let (count, took): (i64, i64) = sqlx::query_as(statement)
        .fetch_one(&mut connection)
        .await
        .expect("runs");
    (usize::try_from(count).expect("a count"), took)
}

/// Ends every connection to a PostgreSQL database at once, with the words of a server that is being restarted.
pub async fn cut_connections(server: &TestServer) {
    let mut connection = connect(&url_of(server)).await;
    let statement = "
        SELECT CAST(COUNT(pg_terminate_backend(pid)) AS BIGINT) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let _: i64 = sqlx::query_scalar(statement)
        .fetch_one(&mut connection)
        .await
        .expect("the cluster's administration");
}

/// Keeps everybody else from writing to a SQLite database, until the connection is closed.
pub async fn lock(server: &TestServer) -> AnyConnection {
    let mut connection = connect(&url_of(server)).await;
    connection.execute("BEGIN IMMEDIATE").await.expect("the lock");
    connection
}

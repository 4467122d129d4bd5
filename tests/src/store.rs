//! Where a test server keeps its data: a file of its own, or a database of its own in the throwaway
//! PostgreSQL cluster.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, Connection, Executor};

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
    /// The cluster and the name to remove there.
    created: Option<(String, String)>,
}

impl Database {
    /// SQLite in the server's home; the server makes the file.
    pub fn sqlite() -> Self {
        Self {
            kind: Kind::Sqlite,
            url: String::new(),
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
            created: Some((cluster, name)),
        })
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

//! Opening the database, with a clear word for everything that can be wrong with it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, Executor};

use super::errors::out_of_memory;
use super::reader::{Network, Reader};
use super::writer::Writer;
use super::{Db, Dialect, Inner};
use crate::{Code, Config, Error, Result};

/// Readers of SQLite: each is a thread of its own, and more than the cores have no use.
const SQLITE_READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 16;
/// How long a caller waits for a free connection before it is told to come again.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection idle for longer is asked for a sign of life before it is used.
const IDLE_CHECK: Duration = Duration::from_secs(2);
/// How long that sign of life may take.
const PING: Duration = Duration::from_secs(1);

impl Db {
    /// Opens the database the configuration names. Does not migrate it.
    ///
    /// # Errors
    /// `Io` or `Unavailable`, with what to do about it.
    pub async fn open(config: &Config) -> Result<Self> {
        if config.database.starts_with("postgres") {
            Self::open_postgres(&config.database).await
        } else {
            Self::open_sqlite(&config.sqlite_path()).await
        }
    }

    /// Opens PostgreSQL by its URL.
    ///
    /// # Errors
    /// `Unavailable` when the server does not answer or does not let us in.
    pub async fn open_postgres(url: &str) -> Result<Self> {
        install_drivers();
        // The pool would try until its time is over, and then know only that it was: one try says why it failed.
        let first = <AnyConnection as sqlx::Connection>::connect(url);
        let refused = match tokio::time::timeout(ACQUIRE_TIMEOUT, first).await {
            Ok(Ok(mut connection)) => {
                let encoding = encoding_problem(&mut connection).await;
                let _ = sqlx::Connection::close(connection).await;
                encoding
            }
            Ok(Err(cause)) => Some(cause.to_string()),
            Err(_) => Some(format!(
                "it does not answer within {} seconds",
                ACQUIRE_TIMEOUT.as_secs()
            )),
        };
        if let Some(cause) = refused {
            let text = format!(
                "The PostgreSQL database at {} cannot be opened: {cause}. Check `database` in coronet.toml, and that \
                 the server runs and lets this user in.",
                without_password(url)
            );
            return Err(Error::new(Code::Unavailable, text));
        }
        let readers = postgres_pool(url)?;
        Ok(Self(Arc::new(Inner {
            dialect: Dialect::Postgres,
            file: None,
            url: Some(url.to_owned()),
            readers,
            writer: None,
        })))
    }

    /// Opens, or makes, a SQLite database file.
    ///
    /// # Errors
    /// `Io` when the file cannot be read and written; `Unavailable` when another program holds it.
    pub async fn open_sqlite(path: &Path) -> Result<Self> {
        install_drivers();
        close_to_others(path);
        let url = sqlite_url(path, "rwc");
        let failed = |cause: sqlx::Error| sqlite_refused(path, &cause);
        let mut connection = connect(&url).await.map_err(failed)?;
        // The first is written once into the file's header, where all later connections find it. The rest asks for
        // the right to write, so that a file that is read-only, or held by another program, is told of now.
        for statement in ["PRAGMA journal_mode = WAL", "BEGIN IMMEDIATE", "ROLLBACK"] {
            connection.execute(statement).await.map_err(failed)?;
        }
        let readers = AnyPoolOptions::new()
            .max_connections(SQLITE_READERS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .after_connect(|connection, _| Box::pin(set_up(connection)))
            .connect_lazy(&sqlite_url(path, "rw"))?;
        let readers = Reader::new(readers, None);
        let writer = Writer::start(url, connection);
        Ok(Self(Arc::new(Inner {
            dialect: Dialect::Sqlite,
            file: Some(path.to_owned()),
            url: None,
            readers,
            writer: Some(writer),
        })))
    }
}

/// A database in another encoding cannot store every text. (SQL_ASCII stores bytes as they come.)
async fn encoding_problem(connection: &mut AnyConnection) -> Option<String> {
    let encoding: Result<String, _> = sqlx::query_scalar("SHOW server_encoding")
        .fetch_one(connection)
        .await;
    encoding
        .ok()
        .filter(|encoding| encoding != "UTF8" && encoding != "SQL_ASCII")
        .map(|encoding| {
            format!(
                "its encoding is {encoding}, which cannot store every text. Make a database with \
                 CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
            )
        })
}

fn postgres_pool(url: &str) -> Result<Reader, sqlx::Error> {
    // A connection for a second try is used at once or not at all: it must not be a dead one itself.
    let spare = AnyPoolOptions::new()
        .max_connections(u32::try_from(Network::SECOND_TRIES).unwrap_or(1))
        .acquire_timeout(PING * 2)
        .test_before_acquire(false)
        .before_acquire(|_, idle| Box::pin(async move { Ok(idle.idle_for < PING) }))
        .idle_timeout(IDLE_CHECK)
        .connect_lazy(url)?;
    let network = Network::new(spare);
    let (before, after) = (network.clone(), network.clone());
    let pool = AnyPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(move |connection, idle| {
            let network = before.clone();
            Box::pin(async move {
                // Another one was found dead since this one was used: a new one costs less than the answer that this one
                // may never give.
                if network.is_suspect(idle.idle_for) {
                    return Ok(false);
                }
                if idle.idle_for < IDLE_CHECK {
                    return Ok(true);
                }
                let ping = tokio::time::timeout(PING, sqlx::Connection::ping(connection)).await;
                let is_alive = matches!(ping, Ok(Ok(())));
                if !is_alive {
                    network.lost();
                }
                Ok(is_alive)
            })
        })
        // A caller that gave up leaves its connection in the middle of an answer. The pool waits for the rest,
        // over a half-open connection for ever, and the place would be lost to all (F02).
        .after_release(move |connection, _| {
            let network = after.clone();
            Box::pin(async move {
                let ping = sqlx::Connection::ping(connection);
                let ping = tokio::time::timeout(IDLE_CHECK, ping).await;
                // Silence says nothing of other connections: the caller may have given up a statement that takes long.
                if matches!(ping, Ok(Err(_))) {
                    network.lost();
                }
                ping.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map(|()| true)
            })
        })
        .connect_lazy(url)?;
    Ok(Reader::new(pool, Some(network)))
}

/// Files of an older version may be open to others. Where the rights cannot be changed, opening tells more.
fn close_to_others(database: &Path) {
    use std::os::unix::fs::PermissionsExt;
    for suffix in ["", "-wal", "-shm", "-migrate"] {
        let mut file = database.as_os_str().to_owned();
        file.push(suffix);
        let found = std::fs::metadata(&file).map(|found| found.permissions().mode());
        if found.is_ok_and(|mode| mode & 0o077 != 0) {
            let _ = std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600));
        }
    }
}

/// Opens the one connection that writes.
pub(super) async fn connect(url: &str) -> Result<AnyConnection, sqlx::Error> {
    let mut connection = <AnyConnection as sqlx::Connection>::connect(url).await?;
    set_up(&mut connection).await?;
    Ok(connection)
}

/// FULL: an acknowledged write survives a power cut. The log is copied into the file every 32 MB rather than every 4: a busy
/// table's pages are then copied once for many writes.
async fn set_up(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    connection
        .execute(
            "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; \
             PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 8000;",
        )
        .await?;
    Ok(())
}

fn install_drivers() {
    static ONCE: Once = Once::new();
    ONCE.call_once(sqlx::any::install_default_drivers);
}

/// A path may hold any character; a URL may not.
pub(super) fn sqlite_url(path: &Path, mode: &str) -> String {
    let mut url = String::from("sqlite://");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                url.push(char::from(*byte))
            }
            other => url.push_str(&format!("%{other:02X}")),
        }
    }
    format!("{url}?mode={mode}")
}

fn sqlite_refused(path: &Path, cause: &sqlx::Error) -> Error {
    let file = path.display();
    let text = cause.to_string();
    if let Some(advice) = out_of_memory(cause) {
        return Error::new(Code::Unavailable, advice);
    }
    if text.contains("locked") {
        return Error::new(
            Code::Unavailable,
            format!("The database {file} is locked by another program. Stop that program, then start again."),
        );
    }
    let directory = path.parent().map(PathBuf::from).unwrap_or_default();
    let advice = if text.contains("not a database") || text.contains("malformed") {
        "The file is damaged or not SQLite: restore it from a backup, or move it away to start empty"
            .to_owned()
    } else if text.contains("full") {
        "The disk is full: make room, then start again".to_owned()
    } else {
        format!(
            "Check that this user may read and write the file and the folder {}",
            directory.display()
        )
    };
    Error::new(
        Code::Io,
        format!("The database {file} cannot be opened: {text}. {advice}."),
    )
}

/// A database's URL as it may be shown.
pub(crate) fn without_password(url: &str) -> String {
    // A password may stand in the query as well.
    let url = url.split('?').next().unwrap_or_default();
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => format!("{}://…@{}", &url[..scheme], &url[at + 1..]),
        _ => url.to_owned(),
    }
}

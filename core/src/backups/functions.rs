//! `backups.*`.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Backup, Backups, Latest, blocking};
use crate::functions::{Call, Function, Role};
use crate::settings::TimeOfDay;
use crate::{Error, Result};

/// A large database takes a while.
const PATIENT: Duration = Duration::from_secs(3600);

pub(super) const POSTGRES: &str = "This server keeps its data in PostgreSQL, whose own tool makes backups while it works: \
    `pg_dump --format=custom --file=coronet.dump postgres://…`. `pg_restore --create` brings one back. Keep a copy of \
    `secret.key` from the home beside it.";

pub(super) fn all(backups: &Arc<Backups>) -> Vec<Function> {
    vec![
        Function::read(
            "backups.list",
            "Lists the backups, newest first, and tells how the latest one went.",
            backups,
            list,
        ),
        Function::write(
            "backups.create",
            "Makes a backup of the database.",
            backups,
            create,
        )
        .role(Role::Admin)
        .deadline(PATIENT),
        Function::write("backups.delete", "Deletes a backup.", backups, delete).role(Role::Admin),
        Function::write(
            "backups.download",
            "Tells where on this server a backup lies, for copying it from there.",
            backups,
            download,
        )
        .role(Role::Admin)
        .needs_password(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Create {
    /// False returns at once, and `backups.list` tells how it goes.
    wait: Option<bool>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ByName {
    /// As `backups.list` gives it.
    name: String,
}

/// The backups, and how making them goes.
#[derive(Debug, Serialize, JsonSchema)]
struct Listed {
    /// Whether this server makes backups: it does of SQLite.
    supported: bool,
    /// What to do instead, where it does not.
    advice: Option<String>,
    /// Where they lie.
    folder: String,
    /// How large the database is, in bytes.
    database_bytes: u64,
    /// The one that is being made.
    running: Option<Running>,
    latest: Option<Latest>,
    /// When the next daily one is made, Unix milliseconds.
    next_at: Option<i64>,
    backups: Vec<Backup>,
}

/// A backup that is being made.
#[derive(Debug, Serialize, JsonSchema)]
struct Running {
    /// Unix milliseconds.
    started_at: i64,
    bytes: u64,
    of_bytes: u64,
}

/// Where a backup lies.
#[derive(Debug, Serialize, JsonSchema)]
struct Place {
    path: String,
    bytes: u64,
}

async fn list(backups: Arc<Backups>, _: Arc<Call>, _: Nothing) -> Result<Listed> {
    let supported = backups.is_supported();
    let settings = backups.core.settings.now();
    let next = TimeOfDay::parse(&settings.backups.time).map(|time| time.next(backups.core.clock.now_ms()));
    let under_way = backups.lock().clone();
    let running = match under_way {
        Some(running) => Some(Running {
            started_at: running.started_at,
            bytes: tokio::fs::metadata(&running.draft)
                .await
                .map_or(0, |draft| draft.len()),
            of_bytes: running.of_bytes,
        }),
        None => None,
    };
    let folder = backups.folder.clone();
    Ok(Listed {
        supported,
        advice: (!supported).then(|| POSTGRES.to_owned()),
        folder: folder.path().display().to_string(),
        database_bytes: if supported {
            backups.core.db.size().await?
        } else {
            0
        },
        running,
        latest: backups.state().await?.and_then(|state| state.latest),
        next_at: next.filter(|_| supported && settings.backups.daily),
        backups: blocking(move || folder.list()).await?,
    })
}

/// The backup goes on when the caller goes away.
async fn create(backups: Arc<Backups>, _: Arc<Call>, input: Create) -> Result<Option<Backup>> {
    let making = tokio::spawn(async move { backups.make(None).await });
    if input.wait.unwrap_or(true) {
        return making.await.map_err(Error::unexpected)?.map(Some);
    }
    // What is wrong at once is told at once.
    match tokio::time::timeout(Duration::from_millis(500), making).await {
        Ok(made) => made.map_err(Error::unexpected)?.map(Some),
        Err(_) => Ok(None),
    }
}

async fn delete(backups: Arc<Backups>, _: Arc<Call>, input: ByName) -> Result<bool> {
    let folder = backups.folder.clone();
    blocking(move || folder.delete(&input.name)).await.map(|()| true)
}

async fn download(backups: Arc<Backups>, _: Arc<Call>, input: ByName) -> Result<Place> {
    let folder = backups.folder.clone();
    let (path, bytes) = blocking(move || folder.find(&input.name)).await?;
    Ok(Place {
        path: path.display().to_string(),
        bytes,
    })
}

//! The server about itself: what it is, how it is, and its figures for Prometheus.

mod health;
mod metrics;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::db::Dialect;
use crate::functions::{Access, Call, Function};
use crate::{Core, Result};

pub use health::{Check, Health};

struct Server {
    core: Core,
    started_at: i64,
}

/// Adds the functions of `server`.
///
/// # Errors
/// When a function's name is taken.
pub fn start(core: &Core) -> Result<()> {
    let server = Arc::new(Server {
        core: core.clone(),
        started_at: core.clock.now_ms(),
    });
    core.functions.add(
        "core",
        vec![
            Function::read(
                "server.info",
                "Says what this server is and where it keeps its data.",
                &server,
                info,
            ),
            Function::read(
                "server.siteUrl",
                "Gives the URL that links to this server start with.",
                &server,
                site_url,
            )
            .access(Access::APP | Access::JOB | Access::PAGE | Access::PLUGIN),
            Function::read(
                "server.health",
                "Says whether every part works, and if not, which and why.",
                &server,
                health,
            )
            .access(Access::APP),
            Function::read(
                "server.metrics",
                "Gives the server's figures in the text format of Prometheus.",
                &server,
                metrics,
            )
            .access(Access::APP),
        ],
    )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// What the server is.
#[derive(Debug, Serialize, JsonSchema)]
struct Info {
    version: String,
    /// Unix milliseconds.
    started_at: i64,
    now: i64,
    /// `SQLite` or `PostgreSQL`.
    database: String,
    /// The home, where everything lives that is not in the database.
    home: String,
    /// What links in mail start with.
    site_url: String,
    pid: u32,
    /// Resident memory of the server's own process, in bytes; plugins have their own.
    memory_bytes: u64,
}

async fn info(server: Arc<Server>, _call: Arc<Call>, _input: Nothing) -> Result<Info> {
    let config = &server.core.config;
    Ok(Info {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: server.started_at,
        now: server.core.clock.now_ms(),
        database: match server.core.db.dialect() {
            Dialect::Sqlite => "SQLite".to_owned(),
            Dialect::Postgres => "PostgreSQL".to_owned(),
        },
        home: config.home.display().to_string(),
        site_url: config.site_url(),
        pid: std::process::id(),
        memory_bytes: metrics::resident_memory(),
    })
}

async fn site_url(server: Arc<Server>, _call: Arc<Call>, _input: Nothing) -> Result<String> {
    Ok(server.core.config.site_url())
}

async fn health(server: Arc<Server>, call: Arc<Call>, _input: Nothing) -> Result<Health> {
    Ok(health::check(&server.core, &call).await)
}

async fn metrics(server: Arc<Server>, call: Arc<Call>, _input: Nothing) -> Result<String> {
    let health = health::check(&server.core, &call).await;
    Ok(metrics::text(&server.core, server.started_at, &health))
}

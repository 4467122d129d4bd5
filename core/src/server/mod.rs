//! The server about itself: what it is, how it is, and its figures, now and over time.

pub mod alarms;
pub mod figures;
mod health;
mod machine;
mod metrics;
pub mod servers;
mod store;

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};

use crate::db::Dialect;
use crate::functions::{Access, Call, Function, Role};
use crate::{Core, Result, memory};
use figures::{Figure, Figures, History, Window};

pub use health::{Check, Health, Kind, Level, Part, Problem, ready};
pub use machine::Room;
pub use servers::{Server, Standing, State, host_name, standing};

/// How often what was counted goes to the database, and the machine is measured.
const FLUSH_EVERY: Duration = Duration::from_secs(60);
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

/// What the server does about itself in the background.
pub struct Service {
    core: Core,
    started_at: i64,
}

/// Adds the functions of `server`.
///
/// # Errors
/// When a function's name is taken.
pub fn start(core: &Core) -> Result<Arc<Service>> {
    let service = Arc::new(Service {
        core: core.clone(),
        started_at: core.clock.now_ms(),
    });
    core.functions.add("core", functions(&service))?;
    core.functions.add("core", alarms::functions(&service))?;
    Ok(service)
}

fn functions(service: &Arc<Service>) -> Vec<Function> {
    let all = Access::APP | Access::JOB | Access::PAGE | Access::PLUGIN;
    vec![
        Function::read(
            "server.info",
            "Says what this server is and where it keeps its data.",
            service,
            info,
        ),
        Function::read(
            "server.siteUrl",
            "Gives the URL that links to this server start with.",
            service,
            site_url,
        )
        .access(all),
        Function::read(
            "server.health",
            "Says whether every part works, and if not, which and why.",
            service,
            health,
        )
        .access(Access::APP),
        Function::read(
            "server.metrics",
            "Gives the server's figures in the text format of Prometheus.",
            service,
            metrics,
        )
        .access(Access::APP),
        Function::read(
            "server.history",
            "Gives the figures of a time: what happened in each part of it, and how the machine was.",
            service,
            history,
        )
        .access(Access::APP),
        Function::read(
            "server.list",
            "Lists the servers that run on this database, and when each gave its last sign of life.",
            service,
            list,
        )
        .access(Access::APP),
        Function::write(
            "server.forget",
            "Forgets a server that is gone and will not come back.",
            service,
            forget,
        )
        .role(Role::Admin),
    ]
}

impl Service {
    /// Gives signs of life and keeps the figures, until the server stops.
    pub async fn run(self: Arc<Self>) {
        let mut beat = interval(servers::beat_every(self.core.db.dialect()));
        let mut flush = interval(FLUSH_EVERY);
        let mut sweep = interval_at(Instant::now() + FLUSH_EVERY, SWEEP_EVERY);
        for timer in [&mut beat, &mut flush, &mut sweep] {
            timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        loop {
            let (done, what) = tokio::select! {
                () = self.core.shutdown.triggered() => return,
                _ = beat.tick() => (servers::beat(&self.core, self.started_at).await, "a sign of life"),
                _ = flush.tick() => (self.keep_figures().await, "the figures"),
                _ = sweep.tick() => (self.core.figures.sweep().await, "the end of old figures"),
            };
            if let Err(error) = done {
                tracing::warn!(%error, "{what} could not be written");
            }
        }
    }

    /// Writes what was counted since the last time. A server that stops is no longer among the servers.
    pub async fn stop(&self) {
        let left = async {
            self.core.figures.flush().await?;
            if self.core.server.runs() {
                servers::leave(&self.core).await?;
            }
            Ok::<_, crate::Error>(())
        };
        // A database that is away must not hold the stop up.
        match tokio::time::timeout(Duration::from_secs(2), left).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the last figures could not be written"),
            Err(_) => tracing::warn!("the last figures could not be written in time"),
        }
    }

    async fn keep_figures(&self) -> Result<()> {
        self.measure().await;
        self.core.figures.flush().await
    }

    /// What cannot be measured is left out: the plot has a gap there.
    async fn measure(&self) {
        let note = |figure, value: u64| {
            let value = i64::try_from(value).unwrap_or(i64::MAX);
            self.core.figures.note(figure, value);
        };
        note(Figure::MemoryUsed, memory::resident());
        if let Ok(disk) = machine::disk(self.core.config.home.clone()).await {
            note(Figure::DiskUsed, disk.used());
        }
        if let Ok(size) = store::database_size(&self.core.db).await {
            note(Figure::DatabaseSize, size);
        }
    }
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
    /// Where operators find the webmin.
    webmin_url: String,
    pid: u32,
    /// Resident memory of the server's own process, in bytes; plugins have their own.
    memory_bytes: u64,
}

async fn info(service: Arc<Service>, _call: Arc<Call>, _input: Nothing) -> Result<Info> {
    let config = &service.core.config;
    Ok(Info {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: service.started_at,
        now: service.core.clock.now_ms(),
        database: match service.core.db.dialect() {
            Dialect::Sqlite => "SQLite".to_owned(),
            Dialect::Postgres => "PostgreSQL".to_owned(),
        },
        home: config.home.display().to_string(),
        site_url: config.site_url(),
        webmin_url: config.webmin_url(),
        pid: std::process::id(),
        memory_bytes: memory::resident(),
    })
}

async fn site_url(service: Arc<Service>, _call: Arc<Call>, _input: Nothing) -> Result<String> {
    Ok(service.core.config.site_url())
}

async fn health(service: Arc<Service>, call: Arc<Call>, _input: Nothing) -> Result<Health> {
    Ok(health::check(&service.core, &call).await)
}

async fn metrics(service: Arc<Service>, call: Arc<Call>, _input: Nothing) -> Result<String> {
    let health = health::check(&service.core, &call).await;
    Ok(metrics::text(&service.core, service.started_at, &health))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HistoryInput {
    /// Which figures; all when left out.
    #[serde(default)]
    names: Option<Vec<Figure>>,
    /// Unix milliseconds; a day before `until` when left out.
    #[serde(default)]
    from: Option<i64>,
    /// Unix milliseconds; now when left out.
    #[serde(default)]
    until: Option<i64>,
    /// Seconds in a bucket, a multiple of 60; when left out, one that gives about a hundred buckets. Minutes are kept for
    /// six hours, steps of five minutes for eight days, of an hour for ninety.
    #[serde(default)]
    step: Option<i64>,
}

async fn history(service: Arc<Service>, _call: Arc<Call>, input: HistoryInput) -> Result<History> {
    const DAY_MS: i64 = 24 * 3_600_000;
    // Until now means with now in it.
    let until = input.until.unwrap_or_else(|| service.core.clock.now_ms() + 1);
    let from = input.from.unwrap_or(until - DAY_MS);
    let window = Window::new(from, until, input.step)?;
    let names = input.names.unwrap_or_else(|| Figure::ALL.to_vec());
    let figures: &Figures = &service.core.figures;
    figures.history(&names, window).await
}

async fn list(service: Arc<Service>, _call: Arc<Call>, _input: Nothing) -> Result<Vec<Server>> {
    servers::list(&service.core).await
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Forget {
    /// The server's id, as `server.list` gives it.
    id: String,
}

async fn forget(service: Arc<Service>, _call: Arc<Call>, input: Forget) -> Result<bool> {
    servers::forget(&service.core, &input.id).await?;
    Ok(true)
}

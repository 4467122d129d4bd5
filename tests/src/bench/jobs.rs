//! What the Jobs Service takes: trivial runs, lateness, and jobs that wait.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::load;
use super::measures::{milliseconds, per_second};
use super::table::Table;
use crate::operator;
use crate::processes::{cpu, resident_mib};
use crate::server::{Setup, TestServer};
use crate::store::{self, Database, Kind};

const RUNS: usize = 20_000;
/// Lateness is measured for so long, and while everything starts, and ends, it is not.
const WATCHED: Duration = Duration::from_secs(60);
const WARM_UP: i64 = 12_000;
const INTERVAL: i64 = 10;
const WAITING: usize = 100_000;
const VISITS: usize = 50;
const DEATHS: usize = 5;
const TRIVIAL: &str = "local job = core.job()\nfunction job.run()\n  return job.OK\nend\nreturn job\n";

pub(super) async fn all(table: &mut Table, kind: Kind) {
    throughput(table, kind, 1).await;
    if kind == Kind::Postgres {
        throughput(table, kind, 2).await;
    }
    for jobs in [1_000, 10_000] {
        lateness(table, kind, jobs).await;
    }
    waiting(table, kind).await;
    if kind == Kind::Postgres {
        take_over(table).await;
    }
}

/// Runs of jobs that do nothing and are all due at once, from the first claim to the last recorded end.
async fn throughput(table: &mut Table, kind: Kind, servers: usize) {
    let Some(server) = trivial(kind, 86_400).await else {
        return;
    };
    let mut others = Vec::new();
    for _ in 1..servers {
        let same = Database::beside(&server.database);
        others.extend(Setup::new(kind).through(same).without_plugins().start().await);
    }
    let due = format!("created_at + {}", 6_000 + 4_000 * servers);
    copies(&server, RUNS, &due, 86_400).await;
    let took = loop {
        match store::ended_runs(&server).await {
            (RUNS, took) => break took,
            _ => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    };
    table.add(
        format!("{kind:?}, {servers} server(s): trivial Lua runs, claimed, run and recorded"),
        per_second(RUNS as f64 / Duration::from_millis(took.unsigned_abs()).as_secs_f64()),
    );
}

/// Jobs that do nothing every ten seconds, their ticks spread evenly over these.
async fn lateness(table: &mut Table, kind: Kind, jobs: usize) {
    let Some(server) = trivial(kind, INTERVAL).await else {
        return;
    };
    let phase = format!("created_at + {WARM_UP} + number * {} / {jobs}", INTERVAL * 1000);
    copies(&server, jobs, &phase, INTERVAL).await;
    // Every job has its first tick before it is watched.
    let begin = Duration::from_millis(WARM_UP.unsigned_abs()) + Duration::from_secs(INTERVAL.unsigned_abs());
    tokio::time::sleep(begin).await;
    let (started, before) = (now_ms(), cpu(server.pid()));
    tokio::time::sleep(WATCHED).await;
    let (ended, after) = (now_ms(), cpu(server.pid()));
    // What was due at the very end is run and recorded.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let late = store::lateness(&server, started, ended).await;
    let at = |percent: usize| late.get((late.len() * percent / 100).min(late.len().saturating_sub(1)));
    let shown =
        |ms: Option<&i64>| milliseconds(Duration::from_millis(ms.copied().unwrap_or(0).unsigned_abs()));
    let ticks = store::ticks(&server, started, ended).await;
    table.add(
        format!(
            "{kind:?}: {jobs} jobs every {INTERVAL} s for {} s, lateness p50, p99, max",
            WATCHED.as_secs()
        ),
        format!("{}, {}, {}", shown(at(50)), shown(at(99)), shown(late.last())),
    );
    table.add(
        "    runs done of those due, CPU of the server",
        format!(
            "{} of {ticks}, {:.1} s",
            late.len(),
            (after - before).as_secs_f64()
        ),
    );
}

/// Jobs that are not due for a day.
async fn waiting(table: &mut Table, kind: Kind) {
    for jobs in [10_000, WAITING] {
        let Some(mut server) = trivial(kind, 86_400).await else {
            return;
        };
        copies(&server, jobs, "created_at + 86400000", 86_400).await;
        server.kill().await;
        let begun = Instant::now();
        server.restart().await;
        while server.client().get("/readyz").await.status != 200 {}
        let start = begun.elapsed();
        tokio::time::sleep(Duration::from_secs(5)).await;
        let before = cpu(server.pid());
        tokio::time::sleep(WATCHED).await;
        let used = cpu(server.pid()) - before;
        let (mib, _) = resident_mib(server.pid());
        table.add(
            format!("{kind:?}: {jobs} jobs not due: start, CPU a minute, memory"),
            format!(
                "{}, {:.2} s, {mib:.0} MiB",
                milliseconds(start),
                used.as_secs_f64()
            ),
        );
        let session = operator::session_cookie(&operator::set_up(&server).await);
        let visits = vec![load::visit("/jobs", &session); VISITS];
        let visits = load::run(server.webmin_address(), 1, visits).await;
        let at = |percent| milliseconds(visits.percentile(percent));
        table.add(
            "    the list of them in the webmin, p50, p99",
            format!("{}, {}", at(50), at(99)),
        );
    }
}

/// How soon another server runs again what a server ran that was killed.
async fn take_over(table: &mut Table) {
    let Some(mut server) = trivial(Kind::Postgres, 86_400).await else {
        return;
    };
    let endless = TRIVIAL.replace("return job.OK", "while true do end");
    let resource = json!({"path": "jobs/endless.lua", "text": endless, "note": ""});
    server.operate("resources.write", resource).await;
    let beside = Database::beside(&server.database);
    let setup = Setup::new(Kind::Postgres).through(beside).without_plugins();
    let Some(other) = setup.start().await else {
        return;
    };
    let mut times = Vec::new();
    for round in 0..DEATHS {
        let name = format!("Endless{round}");
        let job = json!({"name": name, "path": "endless.lua", "interval": 86_400, "timeout": 20});
        server.operate("jobs.create", json!({"job": job})).await;
        server.operate("jobs.run", json!({"name": name})).await;
        server.kill().await;
        let died = now_ms();
        let again = |found: &Value| {
            found["runs"]
                .as_array()
                .filter(|runs| runs.len() > 1)
                .map(|runs| runs[0].clone())
        };
        let run = other
            .await_result("jobs.runs", json!({"name": name}), again)
            .await;
        times.push(run["started_at"].as_i64().unwrap_or_default() - died);
        other.operate("jobs.cancel", json!({"run_id": run["id"]})).await;
        server.restart().await;
    }
    times.sort_unstable();
    let shown =
        |ms: Option<&i64>| milliseconds(Duration::from_millis(ms.copied().unwrap_or(0).unsigned_abs()));
    table.add(
        format!("Postgres: from kill -9 to the run on another server, {DEATHS} times: least, most"),
        format!("{}, {}", shown(times.first()), shown(times.last())),
    );
}

/// A server with a job that does nothing and is not active.
async fn trivial(kind: Kind, interval: i64) -> Option<TestServer> {
    let server = Setup::new(kind).without_plugins().start().await?;
    let job = json!({"name": "Trivial", "path": "trivial.lua", "interval": interval, "active": false});
    server.operate("jobs.create", json!({"job": job})).await;
    let resource = json!({"path": "jobs/trivial.lua", "text": TRIVIAL, "note": ""});
    server.operate("resources.write", resource).await;
    Some(server)
}

async fn copies(server: &TestServer, jobs: usize, due: &str, interval: i64) {
    let interval = interval.to_string();
    let changed = [
        ("id", "'job_copy' || n"),
        ("name", "'Copy' || n"),
        ("active", "1"),
        ("interval_seconds", interval.as_str()),
        ("tick_at", due),
        ("due_at", due),
    ];
    store::multiply(server, "jobs", "name = 'Trivial'", jobs, &changed).await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "held against what a server with the machine's clock wrote"
)]
fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

//! One function for each thing that is measured.

use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde_json::json;

use super::load::{self, Outcome};
use super::table::Table;
use crate::processes::resident_mib;
use crate::server::{Setup, TestServer};
use crate::store::{self, Kind};
use crate::story::{FunRun, NEW_PASSWORD};

const CONNECTIONS: usize = 16;
const WARM_UP: usize = 500;
const REQUESTS: usize = 10_000;
const PASSWORDS: usize = 300;
const STARTS: usize = 10;
const CALLS: usize = 3_000;

/// From the start of the process to a ready server with both plugins.
pub(super) async fn starts(table: &mut Table) {
    let mut times = Vec::new();
    let mut server = TestServer::start().await;
    for _ in 0..STARTS {
        server.kill().await;
        let started = Instant::now();
        server.restart().await;
        while server.client().get("/readyz").await.status != 200 {}
        times.push(started.elapsed());
    }
    times.sort_unstable();
    table.add(
        "start to /readyz, both plugins, median",
        milliseconds(times[times.len() / 2]),
    );
    let (mib, processes) = resident_mib(server.pid());
    table.add(
        format!("resident memory, idle ({processes} processes, shared pages once)"),
        format!("{mib:.0} MiB"),
    );
}

/// Reset requests, their delivery, and new passwords with the links that were mailed.
pub(super) async fn resets_and_passwords(table: &mut Table, kind: Kind) {
    let Some(story) = FunRun::start_with(Setup::new(kind)).await else {
        return;
    };
    store::multiply_user(&story.server, &story.carol, WARM_UP + REQUESTS).await;
    let requests =
        |users: std::ops::Range<usize>| users.map(|user| reset_request(&story.token, user)).collect();
    load::run(story.server.address(), CONNECTIONS, requests(0..WARM_UP)).await;
    story.mailgun.await_mails(WARM_UP).await;

    let started = Instant::now();
    let outcome = load::run(
        story.server.address(),
        CONNECTIONS,
        requests(WARM_UP..WARM_UP + REQUESTS),
    )
    .await;
    let (under_load, _) = resident_mib(story.server.pid());
    story
        .mailgun
        .await_mails(WARM_UP + REQUESTS - outcome.refused)
        .await;
    let delivered = REQUESTS as f64 / started.elapsed().as_secs_f64();

    describe(
        table,
        &format!("{kind:?}: reset requests, {CONNECTIONS} connections"),
        &outcome,
    );
    table.add(
        format!("{kind:?}: mails delivered, from the first request to the last mail"),
        per_second(delivered),
    );
    table.add(
        format!("{kind:?}: resident memory of all processes under that load"),
        format!("{under_load:.0} MiB"),
    );
    if kind == Kind::Sqlite {
        plugin_call(table, &story).await;
    }
    passwords(table, kind, &story).await;
}

async fn passwords(table: &mut Table, kind: Kind, story: &FunRun) {
    let mails = story.mailgun.mails();
    let confirmations = mails.iter().take(PASSWORDS).map(|mail| {
        load::call(
            &story.token,
            "users.resetPassword",
            &json!({"code": mail.code(), "password": NEW_PASSWORD}),
        )
    });
    let outcome = load::run(story.server.address(), CONNECTIONS, confirmations.collect()).await;
    describe(
        table,
        &format!("{kind:?}: new passwords, {CONNECTIONS} connections"),
        &outcome,
    );
    table.add(
        "    raw Argon2id, 19 MiB, 2 passes, on all cores, in the same run",
        per_second(raw_argon2id()),
    );
}

/// Hashes as fast as all cores can, each in memory that is there already, and without a server around them.
fn raw_argon2id() -> f64 {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let each = PASSWORDS / threads;
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let params = Params::new(19 * 1024, 2, 1, None).expect("OWASP's parameters");
                let mut memory = vec![Block::default(); params.block_count()];
                let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
                for number in 0..each {
                    let mut hash = [0; 32];
                    let salt = (number as u128).to_le_bytes();
                    argon2
                        .hash_password_into_with_memory(
                            NEW_PASSWORD.as_bytes(),
                            &salt,
                            &mut hash,
                            &mut memory[..],
                        )
                        .expect("a hash");
                }
            });
        }
    });
    (each * threads) as f64 / started.elapsed().as_secs_f64()
}

/// What the way into a plugin's process and back costs: a code that is none is refused by the plugin at
/// once, and a function that is none by the server.
async fn plugin_call(table: &mut Table, story: &FunRun) {
    let time = async |function: &str, parameters: serde_json::Value| {
        let requests = vec![load::call(&story.token, function, &parameters); CALLS];
        load::run(story.server.address(), 1, requests)
            .await
            .percentile(50)
    };
    let inside = time("users.get", json!({"user_id": "nobody"})).await;
    let plugin = time("users.checkPasswordReset", json!({"code": "nothing"})).await;
    table.add(
        "call of a function of the core over HTTP, one connection, p50",
        microseconds(inside),
    );
    table.add(
        "call of a function of a plugin over HTTP, one connection, p50",
        microseconds(plugin),
    );
    table.add(
        "    the difference: what a plugin's process costs",
        microseconds(plugin.saturating_sub(inside)),
    );
}

fn reset_request(token: &str, user: usize) -> Vec<u8> {
    let email = store::email_of_copy(user);
    load::call(
        token,
        "users.sendPasswordResetLink",
        &crate::story::reset_request(&email),
    )
}

fn describe(table: &mut Table, what: &str, outcome: &Outcome) {
    let refused = match outcome.refused {
        0 => String::new(),
        refused => format!(", {refused} refused"),
    };
    let (half, most) = (
        milliseconds(outcome.percentile(50)),
        milliseconds(outcome.percentile(99)),
    );
    table.add(
        what,
        format!(
            "{}, p50 {half}, p99 {most}{refused}",
            per_second(outcome.per_second())
        ),
    );
}

pub(super) fn per_second(rate: f64) -> String {
    format!("{rate:.0}/s")
}

pub(super) fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

fn microseconds(time: Duration) -> String {
    format!("{:.0} µs", time.as_secs_f64() * 1e6)
}

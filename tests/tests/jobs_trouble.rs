//! Who hears of jobs: webhooks and pings, over the wire; and servers that share jobs.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use coronet_tests::job::await_run;
use coronet_tests::on_both_databases;
use coronet_tests::receiver::{Received, Receiver};
use coronet_tests::server::{Setup, TestServer};
use coronet_tests::store::{Database, Kind};
use coronet_tests::story::rows;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

const SECRET: &str = "between the two of us";
const GOOD: &str = "local job = core.job()\nfunction job.run() return job.OK end\nreturn job\n";
const BAD: &str = "local job = core.job()\nfunction job.run() error('no network') end\nreturn job\n";
const ENDLESS: &str =
    "local job = core.job()\nfunction job.run()\n  core.log('begun')\n  while true do end\nend\nreturn job\n";

async fn job(server: &TestServer, name: &str, code: &str, mut settings: Value) {
    let path = format!("{name}.lua");
    settings["name"] = name.into();
    settings["path"] = path.clone().into();
    let write = json!({"path": format!("jobs/{path}"), "text": code, "note": ""});
    server.operate("resources.write", write).await;
    server.operate("jobs.create", json!({"job": settings})).await;
}

async fn set(server: &TestServer, group: &str, changes: Value) {
    server
        .operate("settings.update", json!({"group": group, "changes": changes}))
        .await;
}

/// What the webhook's own end makes of it.
fn signature(hook: &Received) -> String {
    let signed = format!(
        "{}.{}.{}",
        hook.header("webhook-id"),
        hook.header("webhook-timestamp"),
        hook.body
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
    mac.update(signed.as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

async fn run(server: &TestServer, name: &str) {
    server.operate("jobs.run", json!({"name": name})).await;
}

on_both_databases! {
    async fn a_webhook_and_a_ping_tell_of_failure_and_success(kind: Kind) {
        let Some(server) = Setup::new(kind).without_plugins().start().await else { return };
        let receiver = Receiver::start().await;
        set(&server, "requests", json!({"private_addresses": true})).await;
        let hook = json!({"notify_webhook": receiver.url("/hook?key=1"), "webhook_secret": SECRET});
        set(&server, "jobs", hook).await;
        let settings = json!({"interval": 3600, "retries": 5, "notify_after": 1, "ping_url": receiver.url("/ping/x?y=1")});
        job(&server, "Watched", BAD, settings).await;

        // The first answer is a refusal: the word comes again.
        receiver.answer(503);
        run(&server, "Watched").await;
        let mut heard = Vec::new();
        for _ in 0..3 {
            heard.push(receiver.next().await);
        }
        heard.sort_by(|one, other| one.line.cmp(&other.line));
        let lines: Vec<&str> = heard.iter().map(|one| one.line.as_str()).collect();
        assert!(lines.contains(&"GET /ping/x/fail?y=1"), "{lines:?}");
        let mut hooks = heard.iter().filter(|one| one.line == "POST /hook?key=1");
        let hook = hooks.next().expect("a webhook");
        assert_eq!(hook.header("webhook-signature"), signature(hook));
        if let Some(again) = hooks.next() {
            assert_eq!(again.header("webhook-id"), hook.header("webhook-id"));
        }
        let told: Value = serde_json::from_str(&hook.body).unwrap_or_default();
        assert_eq!((&told["event"], &told["job"]), (&json!("failing"), &json!("Watched")), "{told}");
        assert!(told["error"].as_str().unwrap_or_default().contains("no network"), "{told}");

        let write = json!({"path": "jobs/Watched.lua", "text": GOOD, "note": ""});
        server.operate("resources.write", write).await;
        run(&server, "Watched").await;
        let mut heard = [receiver.next().await, receiver.next().await];
        heard.sort_by(|one, other| one.line.cmp(&other.line));
        assert_eq!(heard[0].line, "GET /ping/x?y=1");
        assert!(heard[1].body.contains("\"recovered\""), "{heard:?}");
    }
}

/// W12: where words about jobs go is up to operators, and a private address needs their word as well.
#[tokio::test]
async fn w12_a_private_webhook_is_not_called_until_that_is_allowed() {
    let Some(server) = Setup::new(Kind::Sqlite).without_plugins().start().await else {
        return;
    };
    let receiver = Receiver::start().await;
    set(&server, "jobs", json!({"notify_webhook": receiver.url("/hook")})).await;
    job(&server, "Broken", BAD, json!({"interval": 3600, "retries": 0})).await;
    run(&server, "Broken").await;
    server.await_printed("a word about a job is tried again").await;
    set(&server, "requests", json!({"private_addresses": true})).await;
    assert_eq!(receiver.next().await.line, "POST /hook");
}

#[tokio::test]
async fn servers_on_one_database_hear_of_each_other_at_once() {
    let Some(server) = Setup::new(Kind::Postgres).without_plugins().start().await else {
        return;
    };
    let other = Setup::new(Kind::Postgres).through(Database::beside(&server.database));
    let Some(other) = other.without_plugins().start().await else {
        return;
    };
    // It runs on the one, and is ended through the other.
    job(&server, "Long", ENDLESS, json!({"interval": 3600})).await;
    run(&server, "Long").await;
    let running = other.operate("jobs.get", json!({"name": "Long"})).await["running"].clone();
    other.operate("jobs.cancel", json!({"run_id": running})).await;
    assert_eq!(await_run(&server, "Long").await["outcome"], "cancelled");

    // Both are listed, with what they do.
    let servers = other.operate("server.list", json!({})).await;
    assert_eq!(servers.as_array().map(Vec::len), Some(2), "{servers}");
}

/// A run-once job runs for the start of the whole; for that of each server only where that was chosen.
#[tokio::test]
async fn run_once_is_once_for_all_servers_unless_for_each() {
    let Some(server) = Setup::new(Kind::Postgres).without_plugins().start().await else {
        return;
    };
    for (name, per) in [("Whole", "cluster"), ("Each", "server")] {
        let settings = json!({"interval": 1, "run_once": true, "once_per": per});
        job(&server, name, GOOD, settings).await;
        await_run(&server, name).await;
    }
    let other = Setup::new(Kind::Postgres).through(Database::beside(&server.database));
    let Some(other) = other.without_plugins().start().await else {
        return;
    };
    let twice = |runs: &Value| (rows(runs).len() == 2).then_some(());
    other
        .await_result("jobs.runs", json!({"name": "Each"}), twice)
        .await;
    let whole = other.operate("jobs.runs", json!({"name": "Whole"})).await;
    assert_eq!(rows(&whole).len(), 1, "{whole}");
}

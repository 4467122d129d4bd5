//! Jobs from outside: the one of the documentation, which clears links over a day old; those that fail; and servers
//! that die while one runs.

use coronet_tests::job::{await_run, run_code};
use coronet_tests::on_both_databases;
use coronet_tests::server::{Setup, TestServer};
use coronet_tests::store::{self, Database, Kind};
use coronet_tests::story::{FunRun, is_alive, rows};
use serde_json::{Value, json};

const CODE: &str = "local job = core.job()\n\
    function job.run()\n  core.users.flushExpiredPasswordResets()\n  return job.OK\nend\nreturn job\n";

/// The five values of the documentation.
fn clean_password_resets() -> Value {
    json!({"job": {
        "name": "CleanPasswordResets", "path": "admin/pw_reset_cleanup.lua", "interval": 3600,
        "run_once": false, "active": true
    }})
}

on_both_databases! {
    async fn the_documented_job_clears_links_over_a_day_old_and_no_others(kind: Kind) {
        let Some(story) = FunRun::start_on(kind).await else { return };
        let old = story.reset_link(1).await;
        store::age_codes(&story.server, 25).await;
        story.register("Dora", "dora@example.com").await;
        assert_eq!(story.ask_for_reset("dora@example.com").await.status, 200);
        let young = coronet_tests::page::path_of(&story.mailgun.await_mail(2).await.link("/_resetpassword"));

        story.server.operate("jobs.create", clean_password_resets()).await;
        let write = json!({"path": "jobs/admin/pw_reset_cleanup.lua", "text": CODE, "note": ""});
        story.server.operate("resources.write", write).await;
        story.server.operate("jobs.run", json!({"name": "CleanPasswordResets"})).await;
        let run = await_run(&story.server, "CleanPasswordResets").await;
        assert_eq!(run["outcome"], "ok", "{run}");

        assert_eq!(store::count_codes(&story.server).await, 1, "one is gone, one stays");
        assert!(!is_alive(&story.server.client(), &old).await);
        assert!(is_alive(&story.server.client(), &young).await);
    }
}

#[tokio::test]
async fn flushing_returns_how_many_links_were_cleared() {
    let story = FunRun::start().await;
    story.reset_link(1).await;
    story.reset_link(2).await;
    assert_eq!(
        story
            .server
            .operate("users.flushExpiredPasswordResets", json!({}))
            .await,
        json!(0)
    );
    store::age_codes(&story.server, 25).await;
    story.reset_link(3).await;
    assert_eq!(
        story
            .server
            .operate("users.flushExpiredPasswordResets", json!({}))
            .await,
        json!(2)
    );
}

#[tokio::test]
async fn a_failing_job_keeps_its_error_with_the_line() {
    let server = Setup::default().without_plugins().start().await.expect("SQLite");
    let job = json!({"name": "Broken", "path": "broken.lua", "interval": 3600, "retries": 0});
    let code = "local job = core.job()\nfunction job.run()\n  error('out of carrots')\nend\nreturn job\n";
    let run = run_code(&server, job, code).await;
    assert_eq!(run["outcome"], "error", "{run}");
    assert!(
        run.to_string().contains("out of carrots") && run.to_string().contains('3'),
        "{run}"
    );
    let job = server.operate("jobs.get", json!({"name": "Broken"})).await;
    assert!(job.to_string().contains("out of carrots"), "{job}");
    assert_eq!(job["active"], false, "{job}");
}

/// L01: a job that never ends is ended, and others run.
#[tokio::test]
async fn l01_an_endless_job_is_ended_and_others_run() {
    let server = Setup::default().without_plugins().start().await.expect("SQLite");
    let job = json!({"name": "Endless", "path": "endless.lua", "interval": 3600, "timeout": 1, "retries": 0});
    let code = "local job = core.job()\nfunction job.run()\n  \
        while true do pcall(function() while true do end end) end\nend\nreturn job\n";
    assert_eq!(run_code(&server, job, code).await["outcome"], "timeout");
    let job = json!({"name": "Short", "path": "short.lua", "interval": 3600});
    let code = "local job = core.job()\nfunction job.run() core.log('hello') return job.OK end\nreturn job\n";
    let run = run_code(&server, job, code).await;
    assert_eq!(run["outcome"], "ok", "{run}");
    let log = server.operate("jobs.log", json!({"run_id": run["id"]})).await;
    assert!(log.to_string().contains("hello"), "{log}");
}

/// What `job.run` of a job does for a few seconds.
const BUSY: &str = "local job = core.job()\nfunction job.run()\n  local start = os.clock()\n  \
    while os.clock() - start < 2 do end\n  return job.OK\nend\nreturn job\n";

/// Makes the job, starts a run of it by hand, and returns its id while it runs.
async fn start_busy_run(server: &TestServer) -> Value {
    let job = json!({"name": "Busy", "path": "busy.lua", "interval": 3600});
    server.operate("jobs.create", json!({"job": job})).await;
    let write = json!({"path": "jobs/busy.lua", "text": BUSY, "note": ""});
    server.operate("resources.write", write).await;
    server.operate("jobs.run", json!({"name": "Busy"})).await["run_id"].clone()
}

/// The outcomes of the job's runs, oldest first, once there are so many.
async fn outcomes(server: &TestServer, job: &str, count: usize) -> Vec<Value> {
    let find = |runs: &Value| {
        let ended: Vec<Value> = rows(runs)
            .iter()
            .rev()
            .map(|run| run["outcome"].clone())
            .collect();
        (ended.len() == count && ended.iter().all(Value::is_string)).then_some(ended)
    };
    server.await_result("jobs.runs", json!({"name": job}), find).await
}

on_both_databases! {
    /// F04: the run is marked, and run again; its next tick stays where it was.
    async fn f04_a_killed_server_loses_no_run_and_no_remaining_interval(kind: Kind) {
        let Some(mut server) = Setup::new(kind).without_plugins().start().await else { return };
        start_busy_run(&server).await;
        let due = server.operate("jobs.get", json!({"name": "Busy"})).await["next_run_at"].clone();
        server.kill().await;
        server.restart().await;
        assert_eq!(outcomes(&server, "Busy", 2).await, ["lost", "ok"]);
        let job = server.operate("jobs.get", json!({"name": "Busy"})).await;
        assert_eq!(job["next_run_at"], due, "{job}");
        assert_eq!(job["status"], "active, recurring");
    }
}

on_both_databases! {
    /// F04: a server that is told to stop finishes what runs.
    async fn f04_a_stopping_server_lets_runs_finish(kind: Kind) {
        let Some(mut server) = Setup::new(kind).without_plugins().start().await else { return };
        start_busy_run(&server).await;
        assert!(server.terminate().await.success());
        server.restart().await;
        assert_eq!(outcomes(&server, "Busy", 1).await, ["ok"]);
    }
}

/// A job that was made on one server may run on another in the same moment.
#[tokio::test]
async fn new_code_is_there_on_every_server_at_once() {
    let Some(first) = Setup::new(Kind::Postgres).without_plugins().start().await else {
        return;
    };
    let neighbour = Setup::default()
        .without_plugins()
        .through(Database::beside(&first.database));
    let neighbour = neighbour.start().await.expect("a second server");
    for round in 0..3 {
        // It has just looked what there is.
        neighbour.operate("resources.list", json!({})).await;
        let path = format!("jobs/new_{round}.lua");
        let write = json!({"path": path, "text": CODE, "note": ""});
        first.operate("resources.write", write).await;
        let read = neighbour.operate("resources.read", json!({"path": path})).await;
        assert_eq!(read["text"], CODE, "{read}");
    }
}

/// Decision 3: another server over the same database takes over within 15 seconds.
#[tokio::test]
async fn f04_a_dead_servers_run_is_taken_over_by_its_neighbour() {
    let Some(mut first) = Setup::new(Kind::Postgres).without_plugins().start().await else {
        return;
    };
    let neighbour = Setup::default()
        .without_plugins()
        .through(Database::beside(&first.database));
    let neighbour = neighbour.start().await.expect("a second server");
    start_busy_run(&first).await;
    first.kill().await;
    assert_eq!(outcomes(&neighbour, "Busy", 2).await, ["lost", "ok"]);
    let runs = neighbour.operate("jobs.runs", json!({"name": "Busy"})).await;
    let (again, lost) = (&rows(&runs)[0], &rows(&runs)[1]);
    let waited = again["started_at"].as_i64().expect("a time") - lost["started_at"].as_i64().expect("a time");
    assert!(waited < 15_000, "taken over after {waited} ms");
}

//! The job of the documentation: it clears links over a day old, every hour and on demand.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use coronet_tests::on_both_databases;
use coronet_tests::server::{Setup, TestServer};
use coronet_tests::store::{self, Kind};
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

/// The newest run of a job, once it has an outcome.
async fn await_run(server: &TestServer, job: &str) -> Value {
    let find = |runs: &Value| {
        rows(runs)
            .first()
            .filter(|run| run["outcome"].is_string())
            .cloned()
    };
    server.await_result("jobs.runs", json!({"name": job}), find).await
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
        story.call("users.flushExpiredPasswordResets", json!({})).await,
        json!(0)
    );
    store::age_codes(&story.server, 25).await;
    story.reset_link(3).await;
    assert_eq!(
        story.call("users.flushExpiredPasswordResets", json!({})).await,
        json!(2)
    );
}

async fn run_code(server: &TestServer, job: Value, code: &str) -> Value {
    let (name, path) = (
        job["name"].clone(),
        job["path"].as_str().expect("a path").to_owned(),
    );
    server.operate("jobs.create", json!({"job": job})).await;
    let write = json!({"path": format!("jobs/{path}"), "text": code, "note": ""});
    server.operate("resources.write", write).await;
    server.operate("jobs.run", json!({"name": name})).await;
    await_run(server, name.as_str().expect("a name")).await
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

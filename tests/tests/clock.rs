//! The wall clock is set forward and back below a running server. Cases C05 and F03 of the security table.

use coronet_tests::clock::{HOUR, MovableClock, YEAR};
use coronet_tests::on_both_databases;
use coronet_tests::server::Setup;
use coronet_tests::store::Kind;
use coronet_tests::story::{FunRun, NEW_PASSWORD, OLD_PASSWORD, code_of, rows};
use serde_json::{Value, json};

const DAY: i64 = 24 * HOUR;

/// Whether a code works, as the server sees it at the time it has now.
async fn lives(story: &FunRun, code: &str) -> bool {
    let check = story
        .try_call("users.checkPasswordReset", json!({"code": code}))
        .await;
    assert!(
        check.status == 200 || check.json()["code"] == 960,
        "{}",
        check.text()
    );
    check.status == 200
}

on_both_databases! {
    async fn c05_no_code_outlives_its_day_and_none_comes_back_to_life(kind: Kind) {
        let clock = MovableClock::new();
        let Some(story) = FunRun::start_with(Setup::new(kind).clock(&clock)).await else { return };

        let first = code_of(&story.reset_link(1).await);
        clock.set(DAY - 60);
        assert!(lives(&story, &first).await, "it has its day");
        clock.set(DAY + 1);
        assert!(!lives(&story, &first).await, "and a second more is too long");
        for back in [DAY - HOUR, HOUR, 0, -HOUR, -YEAR] {
            clock.set(back);
            assert!(!lives(&story, &first).await, "set back to {back} s");
        }

        // Set back by a year, a code still has what it had left, and no more.
        clock.set(0);
        let second = code_of(&story.reset_link(2).await);
        clock.set(-YEAR);
        assert!(lives(&story, &second).await);
        clock.set(-YEAR + DAY + 120);
        assert!(!lives(&story, &second).await, "a day is a day");
        clock.set(0);
        assert!(!lives(&story, &second).await);

        // Forward and back again costs links, and gives none a longer life.
        let third = code_of(&story.reset_link(3).await);
        clock.set(YEAR);
        assert!(!lives(&story, &third).await);
        clock.set(HOUR);
        let answer = story.try_call("users.resetPassword", json!({"code": third, "password": NEW_PASSWORD})).await;
        assert_eq!(answer.json()["code"], 960, "{}", answer.text());
        assert!(story.can_log_in("Carol", OLD_PASSWORD).await);

        // Wherever the clock stands, a new link works.
        let fourth = code_of(&story.reset_link(4).await);
        story.call("users.resetPassword", json!({"code": fourth, "password": NEW_PASSWORD})).await;
        assert!(story.can_log_in("Carol", NEW_PASSWORD).await);
    }
}

/// C05: the clock may have been set while the server was down.
#[tokio::test]
async fn c05_a_clock_set_back_while_the_server_is_down_revives_nothing() {
    let clock = MovableClock::new();
    let setup = Setup::default().clock(&clock);
    let mut story = FunRun::start_with(setup)
        .await
        .unwrap_or_else(|| unreachable!("SQLite is always there"));
    let code = code_of(&story.reset_link(1).await);
    clock.set(DAY + 60);
    assert!(!lives(&story, &code).await);
    // A younger code tells the next start how late it has been.
    let young = code_of(&story.reset_link(2).await);
    story.server.terminate().await;
    clock.set(0);
    story.server.restart().await;
    assert!(!lives(&story, &code).await);
    assert!(lives(&story, &young).await);
}

/// F03: a clock set back stalls no job and no mail.
#[tokio::test]
async fn f03_jobs_and_mail_go_on_wherever_the_clock_stands() {
    let clock = MovableClock::new();
    let setup = Setup::default().clock(&clock);
    let story = FunRun::start_with(setup)
        .await
        .unwrap_or_else(|| unreachable!("SQLite is always there"));
    let code = "local job = core.job()\nfunction job.run() return job.OK end\nreturn job\n";
    let write = json!({"path": "jobs/tick.lua", "text": code, "note": ""});
    story.server.operate("resources.write", write).await;
    let job = json!({"name": "Tick", "path": "tick.lua", "interval": 1});
    story.server.operate("jobs.create", json!({"job": job})).await;
    let mut mails = 0;
    for shift in [0, -HOUR, HOUR, -YEAR, YEAR, 0] {
        clock.set(shift);
        mails += 1;
        story.reset_link(mails).await;
        let seen = story.server.operate("jobs.runs", json!({"name": "Tick"})).await;
        let newest = |runs: &Value| rows(runs).first().map(|run| run["id"].clone());
        let last = newest(&seen);
        let again = |runs: &Value| (newest(runs) != last).then_some(());
        story
            .server
            .await_result("jobs.runs", json!({"name": "Tick"}), again)
            .await;
    }
}

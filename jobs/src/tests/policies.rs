//! Overlap, missed runs, priority, one-off jobs: what an operator chose, seen from outside.

use std::time::Duration;

use serde_json::{Value, json};

use super::world::{DAY, HOUR, World, on_both};

const ENDLESS: &str = "while true do end";
const SECOND: Duration = Duration::from_secs(1);

/// Claims and starts what is due, without waiting for its end.
async fn look(world: &World) {
    world.jobs.look().await.unwrap();
}

async fn cancel_all(world: &World, name: &str) {
    let runs = world.ledger(name).await;
    for run in runs.iter().filter(|run| run["outcome"].is_null()) {
        world
            .call("jobs.cancel", json!({ "run_id": run["id"] }))
            .await
            .unwrap();
    }
    world.jobs.idle().await;
}

#[tokio::test]
async fn a_job_may_run_beside_itself_as_often_as_it_is_allowed() {
    on_both(async |world: World| {
        let settings = json!({ "interval": 60, "overlap": "allow", "max_running": 2 });
        world.job_with("Wide", ENDLESS, settings).await;
        for _ in 0..4 {
            world.core.clock.advance(60 * SECOND);
            look(&world).await;
        }
        assert_eq!(world.get("Wide").await["open_runs"], 2);
        let ledger = world.ledger("Wide").await;
        assert_eq!(ledger.len(), 3);
        assert_eq!(ledger[2]["skipped"]["ticks"], 2, "one row for the stretch");
        cancel_all(&world, "Wide").await;
        let job = world.get("Wide").await;
        assert_eq!((&job["open_runs"], &job["running"]), (&json!(0), &Value::Null));
        // The next tick starts a run again.
        world.core.clock.advance(60 * SECOND);
        look(&world).await;
        assert_eq!(world.get("Wide").await["open_runs"], 1);
        cancel_all(&world, "Wide").await;
    })
    .await;
}

#[tokio::test]
async fn one_tick_waits_for_the_run_before_it() {
    on_both(async |world: World| {
        let settings = json!({ "interval": 60, "overlap": "queue" });
        world.job_with("Patient", ENDLESS, settings).await;
        for _ in 0..3 {
            world.core.clock.advance(60 * SECOND);
            look(&world).await;
        }
        let due = world.ledger("Patient").await[0]["due_at"].as_i64().unwrap();
        cancel_all(&world, "Patient").await;
        look(&world).await;
        let ledger = world.ledger("Patient").await;
        assert_eq!(ledger[1]["skipped"]["reason"], "waiting");
        assert_eq!(ledger[2]["due_at"], due + 60_000, "the second tick");
        assert_eq!(ledger[2]["outcome"], Value::Null);
        cancel_all(&world, "Patient").await;
        world.jobs.look().await.unwrap();
        assert_eq!(world.ledger("Patient").await.len(), 3, "and only that one");
    })
    .await;
}

#[tokio::test]
async fn each_missed_tick_is_run_up_to_the_bound() {
    on_both(async |mut world: World| {
        let settings = json!({ "cron": "0 * * * *", "misfire": "all", "catch_up": 3 });
        let made = world.job_with("Complete", "return job.OK", settings).await;
        let first = made["next_run_at"].as_i64().unwrap();
        world.core.clock.advance(HOUR * 5 + HOUR / 2);
        world.restart().await;
        world.work().await;
        let ledger = world.ledger("Complete").await;
        let hour = 3_600_000;
        let due: Vec<i64> = ledger
            .iter()
            .filter(|row| row["skipped"].is_null())
            .map(|row| (row["due_at"].as_i64().unwrap() - first) / hour)
            .collect();
        assert_eq!(due, [2, 3, 4]);
        let told = ledger.iter().find(|row| !row["skipped"].is_null()).unwrap();
        assert_eq!(told["skipped"]["reason"], "too_many");
        assert_eq!(
            (&told["due_at"], &told["skipped"]["ticks"]),
            (&json!(first), &json!(2))
        );
    })
    .await;
}

#[tokio::test]
async fn what_matters_more_goes_first() {
    on_both(async |world: World| {
        for (name, priority) in [("Low", "low"), ("Normal", "normal"), ("High", "high")] {
            let settings = json!({ "interval": 60, "priority": priority });
            world.job_with(name, "return job.OK", settings).await;
        }
        world.core.clock.advance(60 * SECOND);
        let now = world.core.clock.now_ms();
        let mut order = Vec::new();
        for _ in 0..3 {
            let claim = crate::store::Claim {
                now,
                limit: 1,
                lease_until: now,
                behind: false,
            };
            let runs = world.jobs.store.claim(claim).await.unwrap().runs;
            order.extend(runs.into_iter().map(|run| run.name));
        }
        assert_eq!(order, ["High", "Normal", "Low"]);
    })
    .await;
}

#[tokio::test]
async fn a_job_for_one_date_and_time_runs_then_and_never_again() {
    on_both(async |mut world: World| {
        // The world begins on 5 January 2026 at noon, UTC; Lisbon has the same time in winter, Berlin is an hour ahead.
        let settings = json!({ "at": "2026-01-06T07:30", "timezone": "Europe/Berlin" });
        let made = world.job_with("Once", "return job.OK", settings).await;
        assert_eq!(made["state"], "planned");
        let at = chrono::DateTime::parse_from_rfc3339("2026-01-06T07:30:00+01:00").unwrap();
        assert_eq!(made["next_run_at"], at.timestamp_millis());
        world.after(DAY).await;
        assert_eq!(world.outcomes("Once").await, ["ok"]);
        assert_eq!(world.status("Once").await, "active, one time: has run");
        world.restart().await;
        world.after(DAY).await;
        assert_eq!(world.outcomes("Once").await, ["ok"]);
        // It can have another time.
        let changes = json!({ "name": "Once", "changes": { "at": "2026-02-01T08:00" } });
        let changed = world.call("jobs.update", changes).await.unwrap();
        assert_eq!(changed["state"], "planned");
        let over = json!({ "name": "Once", "changes": { "at": "2026-01-01T08:00" } });
        assert!(world.call("jobs.update", over).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_run_says_how_far_it_is_and_what_code_it_ran() {
    on_both(async |world: World| {
        let body = "core.log('half')\njob.progress(1, 2)\nwhile true do end";
        world.job("Long", body).await;
        world.core.clock.advance(HOUR);
        look(&world).await;
        let run = world.get("Long").await["running"].clone();
        let log = || world.call("jobs.log", json!({ "run_id": run }));
        let mut shown = log().await.unwrap();
        while shown["progress"].is_null() {
            tokio::task::yield_now().await;
            shown = log().await.unwrap();
        }
        assert_eq!(shown["progress"], json!({ "done": 1, "total": 2 }));
        assert_eq!(shown["log"], "half\n");
        // What it said so far is kept at the next sign of life, and seen through every server.
        world.jobs.beat(&mut Default::default()).await.unwrap();
        let kept = world.jobs.store.run(run.as_str().unwrap()).await.unwrap();
        assert_eq!(kept.log, "half\n");
        cancel_all(&world, "Long").await;
        assert_eq!(log().await.unwrap()["progress"]["done"], 1);
        world
            .call("jobs.delete", json!({ "name": "Long" }))
            .await
            .unwrap();

        world.job("Wrong", "job.progress(3, 2)\nreturn job.OK").await;
        world.after(HOUR).await;
        let error = world.get("Wrong").await["error"]["message"].clone();
        assert!(error.as_str().unwrap().contains("0 <= done <= total"), "{error}");
    })
    .await;
}

//! Runs by hand, cancelling, overlap, and what is kept of runs.

use std::collections::HashMap;
use std::sync::Arc;

use coronet_core::Code;
use serde_json::json;
use tokio::task::JoinHandle;

use super::world::{DAY, HOUR, World, on_both};
use crate::store::HandClaim;

const ENDLESS: &str = "core.log('started') while true do end";

/// Starts a run and leaves it running.
async fn started(world: &World, name: &str) -> (String, JoinHandle<()>) {
    let now = world.core.clock.now_ms();
    let claim = HandClaim {
        name: name.to_owned(),
        now,
        lease_until: i64::MAX,
    };
    let run = world.jobs.store.claim_by_hand(claim).await.unwrap();
    (run.id.clone(), world.jobs.launch(run))
}

#[tokio::test]
async fn a_run_by_hand_leaves_the_plan_alone_but_counts_what_it_returns() {
    on_both(async |world: World| {
        world.job("Job", "return job.OK").await;
        let due = world.get("Job").await["next_run_at"].clone();
        let run = world.call("jobs.run", json!({ "name": "Job" })).await.unwrap();
        assert_eq!(run["outcome"], "ok");
        let job = world.get("Job").await;
        assert_eq!(
            (job["next_run_at"].clone(), job["last_run"].clone()),
            (due, run["run_id"].clone())
        );
        let log = world
            .call("jobs.log", json!({ "run_id": run["run_id"] }))
            .await
            .unwrap();
        assert_eq!(log["trigger"], "hand");

        world.code(
            "Job.lua",
            "local job = core.job() function job.run() return job.STOP end return job",
        );
        world.call("jobs.run", json!({ "name": "Job" })).await.unwrap();
        assert_eq!(world.status("Job").await, "active, waiting for a reload");
    })
    .await;
}

#[tokio::test]
async fn an_inactive_job_can_be_run_by_hand_and_stays_inactive() {
    on_both(async |world: World| {
        let settings = json!({ "interval": 60, "active": false });
        world.job_with("Off", "error('still broken')", settings).await;
        world.call("jobs.run", json!({ "name": "Off" })).await.unwrap();
        assert_eq!(world.status("Off").await, "inactive, error");
        world.code(
            "Off.lua",
            "local job = core.job() function job.run() return job.OK end return job",
        );
        world.call("jobs.run", json!({ "name": "Off" })).await.unwrap();
        assert_eq!(world.status("Off").await, "inactive");
        world.after(DAY).await;
        assert_eq!(world.outcomes("Off").await, ["error", "ok"]);
    })
    .await;
}

#[tokio::test]
async fn a_running_job_is_not_started_twice_and_can_be_cancelled() {
    on_both(async |world: World| {
        world.job("Long", ENDLESS).await;
        let (run, ends) = started(&world, "Long").await;
        assert_eq!(world.get("Long").await["running"], json!(run));
        let twice = world
            .call("jobs.run", json!({ "name": "Long" }))
            .await
            .unwrap_err();
        assert_eq!(twice.code(), Code::Conflict);
        assert!(twice.message().contains("is running"), "{twice}");
        // Its next tick comes while it runs: it is let go.
        world.core.clock.advance(HOUR);
        world.jobs.look().await.unwrap();
        assert_eq!(world.outcomes("Long").await, [json!(null)]);
        let let_go = world.ledger("Long").await.pop().unwrap();
        assert_eq!(let_go["outcome"], "skipped");
        assert_eq!(let_go["skipped"]["reason"], "running");

        world.call("jobs.cancel", json!({ "run_id": run })).await.unwrap();
        ends.await.unwrap();
        assert_eq!(world.outcomes("Long").await, ["cancelled"]);
        assert_eq!(world.status("Long").await, "active, recurring");
        let again = world
            .call("jobs.cancel", json!({ "run_id": run }))
            .await
            .unwrap_err();
        assert_eq!(again.code(), Code::Conflict);
    })
    .await;
}

#[tokio::test]
async fn a_run_is_cancelled_through_another_server() {
    on_both(async |world: World| {
        world.job("Long", ENDLESS).await;
        let (run, ends) = started(&world, "Long").await;
        let ours = Arc::clone(&world.jobs);
        crate::start(&world.core).unwrap();
        // The functions are those of the other server now.
        world.call("jobs.cancel", json!({ "run_id": run })).await.unwrap();
        ours.beat(&mut HashMap::new()).await.unwrap();
        ends.await.unwrap();
        assert_eq!(world.outcomes("Long").await, ["cancelled"]);
    })
    .await;
}

#[tokio::test]
async fn f04_a_stopping_server_lets_runs_finish_and_loses_none() {
    on_both(async |mut world: World| {
        world.job("Short", "for i = 1, 1e5 do end return job.OK").await;
        let (_, ends) = started(&world, "Short").await;
        world.core.shutdown.trigger();
        let refused = world
            .call("jobs.run", json!({ "name": "Short" }))
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
        world.jobs.stop().await;
        ends.await.unwrap();
        assert_eq!(world.outcomes("Short").await, ["ok"]);

        // One that does not end within the grace period is ended, and run again by the next server.
        world
            .job_with("Stubborn", ENDLESS, json!({ "interval": 3600, "timeout": 3600 }))
            .await;
        let (_, ends) = started(&world, "Stubborn").await;
        world
            .jobs
            .giving_up
            .store(true, std::sync::atomic::Ordering::Relaxed);
        for run in world.jobs.in_flight.lock().unwrap().values() {
            run.cancel.cancel();
        }
        ends.await.unwrap();
        assert_eq!(world.outcomes("Stubborn").await, ["lost"]);
        world.code(
            "Stubborn.lua",
            "local job = core.job() function job.run() return job.OK end return job",
        );
        world.restart().await;
        world.work().await;
        assert_eq!(world.outcomes("Stubborn").await, ["lost", "ok"]);
    })
    .await;
}

#[tokio::test]
async fn a_deleted_job_takes_its_run_and_history_along() {
    on_both(async |world: World| {
        world.job("Long", ENDLESS).await;
        let (run, ends) = started(&world, "Long").await;
        world
            .call("jobs.delete", json!({ "name": "Long" }))
            .await
            .unwrap();
        ends.await.unwrap();
        let gone = world
            .call("jobs.log", json!({ "run_id": run }))
            .await
            .unwrap_err();
        assert_eq!(gone.code(), Code::NotFound);
    })
    .await;
}

#[tokio::test]
async fn history_is_kept_within_bounds_of_count_and_age() {
    on_both(async |world: World| {
        world
            .job_with("Busy", "return job.OK", json!({ "interval": 1 }))
            .await;
        for _ in 0..260 {
            world.after(std::time::Duration::from_secs(1)).await;
        }
        assert!(world.jobs.cut_busy().await.unwrap() > 0);
        let page = world.call("jobs.runs", json!({ "name": "Busy" })).await.unwrap();
        assert_eq!(page["pages"], 4);
        let last = world
            .call("jobs.runs", json!({ "name": "Busy", "page": 4 }))
            .await
            .unwrap();
        assert_eq!(last["runs"].as_array().unwrap().len(), 50);

        world
            .call(
                "jobs.update",
                json!({ "name": "Busy", "changes": { "active": false } }),
            )
            .await
            .unwrap();
        world.after(31 * DAY).await;
        assert_eq!(world.call("jobs.removeOldRuns", json!({})).await.unwrap(), 200);
        assert_eq!(world.outcomes("Busy").await.len(), 0);
    })
    .await;
}

#[tokio::test]
async fn more_runs_than_one_write_takes_are_removed_all_the_same() {
    on_both(async |world: World| {
        world
            .job_with("Busy", "return job.OK", json!({ "interval": 1 }))
            .await;
        for _ in 0..510 {
            world.after(std::time::Duration::from_secs(1)).await;
        }
        let rest = json!({ "name": "Busy", "changes": { "active": false } });
        world.call("jobs.update", rest).await.unwrap();
        let store = &world.jobs.store;
        assert_eq!(store.sweep_by_count(4).await.unwrap(), 506);
        assert_eq!(world.outcomes("Busy").await.len(), 4);
        let removed = store.sweep_by_age(world.core.clock.now_ms() + 1).await.unwrap();
        assert_eq!(removed, 4);
    })
    .await;
}

#[tokio::test]
async fn the_bounds_of_the_history_are_what_is_set() {
    on_both(async |world: World| {
        coronet_core::settings::start(&world.core).await.unwrap();
        let keep = async |name: &str, value: i64| {
            let change = json!({ "group": "retention", "changes": { name: value } });
            world.call("settings.update", change).await.unwrap();
            world.jobs.remove_old_runs().await.unwrap();
            world.outcomes("Busy").await.len()
        };
        world
            .job_with("Busy", "return job.OK", json!({ "interval": 1 }))
            .await;
        for _ in 0..20 {
            world.after(std::time::Duration::from_secs(1)).await;
        }
        assert_eq!(keep("job_runs", 20).await, 20);
        assert_eq!(keep("job_runs", 12).await, 12);
        let rest = json!({ "name": "Busy", "changes": { "active": false } });
        world.call("jobs.update", rest).await.unwrap();
        world.after(3 * DAY).await;
        assert_eq!(keep("job_run_days", 4).await, 12);
        assert_eq!(keep("job_run_days", 2).await, 0);
    })
    .await;
}

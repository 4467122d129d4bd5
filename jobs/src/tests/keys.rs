//! What a job keeps from one run to the next.

use coronet_core::store;
use serde_json::json;

use super::world::{World, on_both};

const COUNT: &str = "core.log(core.store.increment('runs')) return job.OK";

async fn last_log(world: &World, name: &str) -> String {
    let page = world.call("jobs.runs", json!({ "name": name })).await.unwrap();
    let run = page["runs"][0]["id"].clone();
    let log = world.call("jobs.log", json!({ "run_id": run })).await.unwrap();
    log["log"].as_str().unwrap().to_owned()
}

async fn run(world: &World, name: &str) -> String {
    world.call("jobs.run", json!({ "name": name })).await.unwrap();
    world.work().await;
    last_log(world, name).await
}

#[tokio::test]
async fn a_jobs_keys_follow_it_to_another_name_and_go_with_it() {
    on_both(async |world: World| {
        let keys = store::start(&world.core).unwrap();
        world.job("Counter", COUNT).await;
        world.job("Other", COUNT).await;
        assert_eq!(run(&world, "Counter").await, "1\n");
        assert_eq!(run(&world, "Counter").await, "2\n");
        assert_eq!(run(&world, "Other").await, "1\n");

        let renamed = json!({ "name": "Counter", "changes": { "name": "Meter" } });
        world.call("jobs.update", renamed).await.unwrap();
        assert_eq!(run(&world, "Meter").await, "3\n");
        assert_eq!(keys.sweep().await.unwrap(), 0);

        world
            .call("jobs.delete", json!({ "name": "Meter" }))
            .await
            .unwrap();
        assert_eq!(keys.sweep().await.unwrap(), 1);
        assert_eq!(run(&world, "Other").await, "2\n");
        world.job("Meter", COUNT).await;
        assert_eq!(run(&world, "Meter").await, "1\n");
    })
    .await;
}

#[tokio::test]
async fn what_a_job_keeps_is_not_in_the_audit_log() {
    on_both(async |world: World| {
        store::start(&world.core).unwrap();
        let audit = coronet_core::audit::start(&world.core).unwrap();
        world.job("Counter", COUNT).await;
        run(&world, "Counter").await;
        drop(audit);
        let log = world.call("audit.list", json!({})).await.unwrap().to_string();
        assert!(log.contains("jobs.create"), "{log}");
        assert!(!log.contains("store."), "{log}");
    })
    .await;
}

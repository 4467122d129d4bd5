//! The job that comes with the service.

use coronet_core::Code;
use serde_json::json;

use super::world::{DAY, HOUR, World, on_both};

const NAME: &str = "Job History Cleanup";

#[tokio::test]
async fn old_runs_are_removed_by_a_job_like_any_other() {
    on_both(async |world: World| {
        world.jobs.begin().await.unwrap();
        world
            .job_with("Weekly", "return job.OK", json!({ "interval": 7 * 86400 }))
            .await;
        world.after(7 * DAY).await;
        assert_eq!(world.outcomes("Weekly").await, ["ok"]);
        world.after(31 * DAY).await;
        world.after(HOUR).await;

        let page = world.call("jobs.runs", json!({ "name": NAME })).await.unwrap();
        let newest = &page["runs"][0];
        assert_eq!(
            (&newest["outcome"], &newest["trigger"]),
            (&json!("ok"), &json!("schedule"))
        );
        let mut removed = false;
        for run in page["runs"].as_array().unwrap() {
            let log = world
                .call("jobs.log", json!({ "run_id": run["id"] }))
                .await
                .unwrap();
            let log = log["log"].as_str().unwrap();
            removed |= log.ends_with(" runs were removed\n") && !log.starts_with("0 ");
        }
        assert!(removed, "{page:#}");
        let kept = world.outcomes("Weekly").await;
        assert_eq!(kept, ["ok"], "the late run of day 38, not the one of day 7");
    })
    .await;
}

#[tokio::test]
async fn it_is_listed_apart_and_stays() {
    on_both(async |mut world: World| {
        world.jobs.begin().await.unwrap();
        let call = async |function: &str, parameters| world.call(function, parameters).await;
        assert_eq!(call("jobs.list", json!({})).await.unwrap(), json!([]));
        assert_eq!(
            call("jobs.list", json!({ "filter": {} })).await.unwrap()["items"],
            json!([])
        );
        let apart = call("jobs.list", json!({ "filter": { "builtin": true } }))
            .await
            .unwrap();
        assert_eq!(
            (&apart["items"][0]["name"], &apart["items"][0]["builtin"]),
            (&json!(NAME), &json!(true))
        );

        let of_code = json!({ "filter": { "path": "admin/job_history_cleanup.lua" } });
        assert_eq!(
            call("jobs.list", of_code).await.unwrap()["items"][0]["name"],
            NAME
        );

        let refused = call("jobs.delete", json!({ "name": NAME })).await.unwrap_err();
        assert_eq!(refused.code(), Code::Conflict);
        for change in [json!({ "name": "Mine" }), json!({ "path": "mine.lua" })] {
            let refused = call("jobs.update", json!({ "name": NAME, "changes": change }))
                .await
                .unwrap_err();
            assert_eq!(refused.code(), Code::ParameterInvalid);
        }
        let nightly = json!({ "name": NAME, "changes": { "cron": "0 3 * * *", "active": false } });
        assert_eq!(call("jobs.update", nightly).await.unwrap()["active"], false);

        // Another start leaves it as it was set.
        world.restart().await;
        world.jobs.begin().await.unwrap();
        let job = world.get(NAME).await;
        assert_eq!(
            (&job["cron"], &job["active"]),
            (&json!("0 3 * * *"), &json!(false))
        );
    })
    .await;
}

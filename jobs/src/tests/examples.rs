//! The examples of the original's guide, and its table of returns and statuses.

use serde_json::{Value, json};

use super::world::{DAY, HOUR, World, on_both};

#[tokio::test]
async fn a_recurring_job_runs_every_interval() {
    on_both(async |world: World| {
        let job = world.job("Hourly", "core.log('tick') return job.OK").await;
        assert_eq!(job["status"], "active, recurring");
        world.after(HOUR / 2).await;
        assert_eq!(world.outcomes("Hourly").await.len(), 0);
        world.after(HOUR / 2).await;
        world.hours(2).await;
        assert_eq!(world.outcomes("Hourly").await, ["ok", "ok", "ok"]);
        let job = world.get("Hourly").await;
        assert_eq!(job["status"], "active, recurring");
        assert_eq!(job["last_outcome"], "ok");
        assert_eq!(
            job["next_run_at"].as_i64().unwrap() - job["last_run_at"].as_i64().unwrap(),
            3_600_000
        );
    })
    .await;
}

#[tokio::test]
async fn a_job_sleeps_on_sunday() {
    on_both(async |world: World| {
        world
            .job(
                "Weekdays",
                "if job.day() == 'Sun' then return job.SLEEP end return job.OK",
            )
            .await;
        // From Monday noon, through the week, into Sunday 00:00.
        world.hours(6 * 24 - 12).await;
        let outcomes = world.outcomes("Weekdays").await;
        assert_eq!(outcomes.last().unwrap(), "sleep");
        assert!(
            outcomes[..outcomes.len() - 1]
                .iter()
                .all(|outcome| outcome == "ok")
        );
        assert_eq!(
            world.status("Weekdays").await,
            "active, sleeping until 2026-01-12 00:00 UTC"
        );
        let before = world.get("Weekdays").await["last_run_at"].clone();
        world.hours(23).await;
        assert_eq!(world.get("Weekdays").await["last_run_at"], before);
        world.after(HOUR).await;
        assert_eq!(world.get("Weekdays").await["last_outcome"], "ok");
        assert_eq!(world.status("Weekdays").await, "active, recurring");
    })
    .await;
}

#[tokio::test]
async fn a_job_stops_outside_january_until_a_reload_or_restart() {
    on_both(async |mut world: World| {
        world
            .job(
                "January",
                "if job.month() ~= 'Jan' then return job.STOP end return job.OK",
            )
            .await;
        world.after(DAY).await;
        assert_eq!(world.outcomes("January").await, ["ok"]);
        world.after(30 * DAY).await;
        assert_eq!(world.status("January").await, "active, waiting for a reload");
        assert_eq!(world.get("January").await["active"], true);
        world.hours(48).await;
        assert_eq!(world.outcomes("January").await, ["ok", "stop"]);

        let reloaded = world.call("jobs.reload", json!({})).await.unwrap();
        assert_eq!(reloaded, json!({ "jobs": 1, "rearmed": 1 }));
        assert_eq!(world.status("January").await, "active, recurring");
        world.after(HOUR).await;
        assert_eq!(world.status("January").await, "active, waiting for a reload");

        world.restart().await;
        assert_eq!(world.status("January").await, "active, recurring");
    })
    .await;
}

#[tokio::test]
async fn a_job_exits_and_only_an_operator_brings_it_back() {
    on_both(async |mut world: World| {
        world
            .job(
                "Once",
                "local ok, err = nil, 'gone' if err then core.log(err) return job.EXIT end return job.OK",
            )
            .await;
        world.after(HOUR).await;
        assert_eq!(world.status("Once").await, "inactive");
        world.call("jobs.reload", json!({})).await.unwrap();
        world.restart().await;
        world.after(DAY).await;
        assert_eq!(world.outcomes("Once").await, ["exit"]);
        let job = world
            .call(
                "jobs.update",
                json!({ "name": "Once", "changes": { "active": true } }),
            )
            .await
            .unwrap();
        assert_eq!(job["status"], "active, recurring");
        world.after(HOUR).await;
        assert_eq!(world.outcomes("Once").await, ["exit", "exit"]);
    })
    .await;
}

#[tokio::test]
async fn a_run_once_job_runs_once_for_every_start_of_the_server() {
    on_both(async |mut world: World| {
        let settings = json!({ "interval": 60, "run_once": true });
        world.job_with("Greet", "return job.OK", settings).await;
        assert_eq!(world.status("Greet").await, "active, run once: not run yet");
        world.after(HOUR).await;
        assert_eq!(world.status("Greet").await, "active, run once: has run");
        world.call("jobs.reload", json!({})).await.unwrap();
        world.hours(5).await;
        assert_eq!(world.outcomes("Greet").await, ["ok"]);
        world.restart().await;
        assert_eq!(world.status("Greet").await, "active, run once: not run yet");
        world.after(HOUR).await;
        assert_eq!(world.outcomes("Greet").await, ["ok", "ok"]);
    })
    .await;
}

#[tokio::test]
async fn what_no_job_may_return_sets_the_job_inactive_at_once() {
    on_both(async |world: World| {
        for (name, body, message) in [
            (
                "Nothing",
                "",
                "must return job.OK, job.SLEEP, job.STOP or job.EXIT, and returned nothing",
            ),
            ("True", "return true", "and returned a boolean"),
            ("Word", "return 'done'", "and returned \"done\""),
            ("Mailed", "core.log('mail'); return nil", "and returned nothing"),
        ] {
            world.job(name, body).await;
            world.hours(3).await;
            let job = world.get(name).await;
            assert_eq!(job["status"], "inactive, error", "{name}");
            assert!(
                job["error"]["message"].as_str().unwrap().contains(message),
                "{job}"
            );
            assert_eq!(world.outcomes(name).await, ["error"], "{name}");
            world.call("jobs.delete", json!({ "name": name })).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn code_that_is_gone_or_no_longer_lua_sets_the_job_inactive_at_once() {
    on_both(async |world: World| {
        for (name, code, message) in [
            (
                "Broken",
                Some("local job = core.job() job.run = )"),
                "jobs/Broken.lua:1:",
            ),
            (
                "Shapeless",
                Some("return 7"),
                "the code must end with `return job`",
            ),
            ("Runless", Some("return core.job()"), "has no function `job.run`"),
            ("Gone", None, "jobs/Gone.lua does not exist"),
        ] {
            world.job(name, "return job.OK").await;
            let path = format!("{name}.lua");
            match code {
                Some(code) => world.code(&path, code),
                None => world.remove_code(&path),
            }
            world.hours(3).await;
            let job = world.get(name).await;
            assert_eq!(job["status"], "inactive, error", "{name}");
            assert!(
                job["error"]["message"].as_str().unwrap().contains(message),
                "{job}"
            );
            assert_eq!(world.outcomes(name).await, ["error"], "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_raised_sets_the_job_inactive_after_its_retries() {
    on_both(async |world: World| {
        for (name, body, message) in [
            (
                "Raises",
                "local t = nil\nreturn t.x",
                "jobs/Raises.lua:4: attempt to index nil with 'x'",
            ),
            ("Table", "error({ 1 })", ""),
        ] {
            world
                .job_with(name, body, json!({ "interval": 3600, "retries": 1 }))
                .await;
            world.hours(2).await;
            let job = world.get(name).await;
            assert_eq!(job["status"], "inactive, error", "{name}");
            assert!(
                job["error"]["message"].as_str().unwrap().contains(message),
                "{job}"
            );
            assert_eq!(world.outcomes(name).await, ["error", "error"], "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_failing_job_is_tried_again_and_the_error_shows_its_place() {
    on_both(async |world: World| {
        world
            .job("Flaky", "core.log('before')\nerror('no network')")
            .await;
        world.after(HOUR).await;
        assert_eq!(
            world.status("Flaky").await,
            "active, error: attempt 2 of 3 at 2026-01-05 13:00 UTC"
        );
        // Ten seconds and a minute, and up to a fifth of each.
        world.after(std::time::Duration::from_secs(12)).await;
        world.after(std::time::Duration::from_secs(72)).await;
        let job = world.get("Flaky").await;
        assert_eq!(job["status"], "inactive, error");
        assert_eq!(job["error"]["line"], 4);
        assert_eq!(job["error"]["message"], "jobs/Flaky.lua:4: no network");
        assert!(
            job["error"]["traceback"]
                .as_str()
                .unwrap()
                .contains("jobs/Flaky.lua:4")
        );
        let runs = world.call("jobs.runs", json!({ "name": "Flaky" })).await.unwrap();
        let tried: Vec<(Value, Value)> = runs["runs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|run| (run["trigger"].clone(), run["attempt"].clone()))
            .collect();
        assert_eq!(
            tried,
            [
                ("retry".into(), 3.into()),
                ("retry".into(), 2.into()),
                ("schedule".into(), 1.into())
            ]
        );
        let log = world
            .call("jobs.log", json!({ "run_id": job["last_run"] }))
            .await
            .unwrap();
        assert_eq!(log["log"], "before\n");
    })
    .await;
}

#[tokio::test]
async fn missing_code_is_the_jobs_own_failure() {
    on_both(async |world: World| {
        world
            .job_with("Gone", "return job.OK", json!({ "interval": 60, "retries": 0 }))
            .await;
        world.remove_code("Gone.lua");
        world.after(HOUR).await;
        let job = world.get("Gone").await;
        assert_eq!(job["status"], "inactive, error");
        assert_eq!(job["error"]["message"], "the code jobs/Gone.lua does not exist");
    })
    .await;
}

#[tokio::test]
async fn the_seeds_clean_up_job_runs_hourly_and_on_run_now() {
    on_both(async |world: World| {
        use std::sync::Arc;
        use std::sync::atomic::{AtomicU32, Ordering};
        use coronet_core::Result;
        use coronet_core::functions::{Access, Call, Function};

        #[derive(serde::Deserialize, schemars::JsonSchema)]
        struct Flush {}
        async fn flush(count: Arc<AtomicU32>, _: Arc<Call>, _: Flush) -> Result<u32> {
            Ok(count.fetch_add(1, Ordering::SeqCst))
        }
        let flushed = Arc::new(AtomicU32::new(0));
        let function = Function::write("users.flushExpiredPasswordResets", "Flushes.", &flushed, flush);
        world.core.functions.add("password-reset", vec![function.access(Access::JOB)]).unwrap();
        let shipped = world.core.contributions.resource("jobs/admin/pw_reset_cleanup.lua").unwrap();
        world.code("admin/pw_reset_cleanup.lua", &shipped.text);

        let job = json!({ "name": "CleanPasswordResets", "path": "admin/pw_reset_cleanup.lua", "interval": 3600,
            "run_once": false, "active": true });
        world.call("jobs.create", json!({ "job": job })).await.unwrap();
        world.hours(3).await;
        world.call("jobs.run", json!({ "name": "CleanPasswordResets" })).await.unwrap();
        assert_eq!(flushed.load(Ordering::SeqCst), 4);
        assert_eq!(world.status("CleanPasswordResets").await, "active, recurring");
    })
    .await;
}

#[tokio::test]
async fn the_helpers_tell_the_time_in_utc_and_locally() {
    on_both(async |world: World| {
        let body = "core.log(job.minute(), job.hour(), job.day(), job.dayNum(), job.dayMonth(), job.weekNum(), job.month(), job.monthNum())
            core.log(job.minute(true), job.hour(true), job.day(true), job.dayMonth(true))
            return job.OK";
        let settings = json!({ "cron": "45 23 * * *", "timezone": "Asia/Kathmandu" });
        world.job_with("Times", body, settings).await;
        let told = async |at: &str| {
            let time = chrono::DateTime::parse_from_rfc3339(at).unwrap();
            world.core.clock.set(time.timestamp_millis());
            let run = world.call("jobs.run", json!({ "name": "Times" })).await.unwrap();
            let log = world.call("jobs.log", json!({ "run_id": run["run_id"] })).await.unwrap();
            log["log"].as_str().unwrap().to_owned()
        };
        // Kathmandu is 5 hours 45 minutes ahead.
        assert_eq!(told("2026-10-01T20:30:00Z").await, "30 20 Thur 4 1 39 Oct 10\n15 2 Fri 2\n");
        assert_eq!(told("2026-01-04T00:00:00Z").await, "0 0 Sun 7 4 0 Jan 1\n45 5 Sun 4\n");
        assert_eq!(told("2026-01-05T00:00:00Z").await, "0 0 Mon 1 5 1 Jan 1\n45 5 Mon 5\n");
        assert_eq!(told("2028-12-31T12:00:00Z").await, "0 12 Sun 7 31 52 Dec 12\n45 17 Sun 31\n");
    })
    .await;
}

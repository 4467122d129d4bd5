//! Servers that die, clocks that jump, code that never ends.

use std::collections::HashMap;
use std::time::Duration;

use coronet_core::db::Dialect;
use serde_json::json;

use super::world::{DAY, HOUR, World, on_both};
use crate::job::{Finished, Outcome, Told};
use crate::notice::Targets;
use crate::scheduler::lease;
use crate::service::start_as;
use crate::store::Claim;

#[tokio::test]
async fn f04_remaining_intervals_survive_a_kill() {
    on_both(async |mut world: World| {
        world.job("Hourly", "return job.OK").await;
        world.after(HOUR * 3 / 4).await;
        let due = world.get("Hourly").await["next_run_at"].clone();
        world.restart().await;
        assert_eq!(world.get("Hourly").await["next_run_at"], due);
        world.call("jobs.reload", json!({})).await.unwrap();
        assert_eq!(world.get("Hourly").await["next_run_at"], due);
        world.after(HOUR / 4).await;
        assert_eq!(world.outcomes("Hourly").await, ["ok"]);
    })
    .await;
}

#[tokio::test]
async fn missed_ticks_run_once_now_or_wait_for_the_next() {
    on_both(async |mut world: World| {
        world.job("Late", "return job.OK").await;
        world
            .job_with(
                "Strict",
                "return job.OK",
                json!({ "cron": "0 * * * *", "misfire": "skip" }),
            )
            .await;
        // The server is down for a day and a half hour.
        world.core.clock.advance(DAY + HOUR / 2);
        world.restart().await;
        world.work().await;
        assert_eq!(world.outcomes("Late").await, ["ok"]);
        assert_eq!(world.outcomes("Strict").await.len(), 0);
        world.after(HOUR / 2).await;
        assert_eq!(world.outcomes("Strict").await, ["ok"]);
    })
    .await;
}

#[tokio::test]
async fn f04_the_runs_of_a_dead_server_are_lost_and_run_again_once() {
    on_both(async |mut world: World| {
        world.job("Important", "return job.OK").await;
        world.core.clock.advance(HOUR);
        let now = world.core.clock.now_ms();
        // The server dies right after its claim.
        let claim = Claim {
            now,
            limit: 10,
            lease_until: lease(now),
            behind: false,
        };
        let claimed = world.jobs.store.claim(claim).await.unwrap().runs;
        assert_eq!(claimed.len(), 1);
        assert_eq!(world.get("Important").await["running"], claimed[0].id);

        // Its successor, or its neighbour, takes over within 15 seconds.
        world.core.clock.advance(Duration::from_secs(12));
        world.restart().await;
        if world.core.db.dialect() == coronet_core::db::Dialect::Postgres {
            assert_eq!(world.outcomes("Important").await, ["lost"]);
        }
        world.work().await;
        assert_eq!(world.outcomes("Important").await, ["lost", "ok"]);
        world.hours(1).await;
        assert_eq!(world.outcomes("Important").await, ["lost", "ok", "ok"]);
    })
    .await;
}

#[tokio::test]
async fn a_late_word_from_a_server_taken_for_dead_changes_nothing() {
    on_both(async |world: World| {
        world.job("Job", "return job.OK").await;
        world.core.clock.advance(HOUR);
        let now = world.core.clock.now_ms();
        let claim = Claim {
            now,
            limit: 10,
            lease_until: lease(now),
            behind: false,
        };
        let claimed = world.jobs.store.claim(claim).await.unwrap().runs;
        let slow = std::sync::Arc::clone(&world.jobs);
        let other = start_as(&world.core, "neighbour").unwrap();
        world.core.clock.advance(Duration::from_secs(12));
        assert_eq!(
            other
                .store
                .rescue(world.core.clock.now_ms(), false, Targets::default())
                .await
                .unwrap()
                .lost,
            1
        );
        // Both see that it is lost; only one of them marks it.
        assert_eq!(
            other
                .store
                .rescue(world.core.clock.now_ms(), false, Targets::default())
                .await
                .unwrap()
                .lost,
            0
        );
        slow.launch(claimed[0].clone()).await.unwrap();
        assert_eq!(world.outcomes("Job").await, ["lost"]);
        assert!(
            world
                .status("Job")
                .await
                .starts_with("active, error: attempt 2 of 3")
        );
    })
    .await;
}

#[tokio::test]
async fn two_servers_start_every_tick_once() {
    on_both(async |world: World| {
        for n in 0..40 {
            world.job(&format!("Job{n}"), "return job.OK").await;
        }
        let other = start_as(&world.core, "neighbour").unwrap();
        for _ in 0..3 {
            world.core.clock.advance(HOUR);
            let (ours, theirs) = tokio::join!(world.jobs.look(), other.look());
            ours.unwrap();
            theirs.unwrap();
            world.work().await;
            other.idle().await;
        }
        for n in 0..40 {
            assert_eq!(
                world.outcomes(&format!("Job{n}")).await,
                ["ok", "ok", "ok"],
                "Job{n}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn signs_of_life_and_records_of_runs_do_not_lock_each_other_out() {
    on_both(async |world: World| {
        for n in 0..40 {
            world
                .job(&format!("Chatty{n}"), "core.log('a line')\nreturn job.OK")
                .await;
        }
        for _ in 0..10 {
            world.core.clock.advance(HOUR);
            world.jobs.look().await.unwrap();
            let signs = async {
                loop {
                    world.jobs.beat(&mut HashMap::new()).await.unwrap();
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                () = world.jobs.idle() => {}
                () = signs => {}
            }
            world.work().await;
        }
        assert_eq!(world.outcomes("Chatty0").await, ["ok"; 10]);
    })
    .await;
}

#[tokio::test]
async fn f03_a_clock_set_back_repeats_nothing_and_stalls_nothing() {
    on_both(async |mut world: World| {
        world.job("Hourly", "return job.OK").await;
        world
            .job_with("Daily", "return job.OK", json!({ "cron": "0 18 * * *" }))
            .await;
        let noon = world.core.clock.now_ms();
        world.hours(7).await;
        assert_eq!(world.outcomes("Daily").await, ["ok"]);
        // Back to half past five: 18:00 comes by a second time.
        world.core.clock.set(noon + 5 * 3_600_000 + 1_800_000);
        world.restart().await;
        world.hours(2).await;
        assert_eq!(world.outcomes("Daily").await, ["ok"]);
        assert_eq!(world.outcomes("Hourly").await.len(), 9);
        // The server was started with a clock four years ahead, which is then put right. (To the job that keeps the history
        // short, all of it is old then.)
        let keep = json!({ "name": "Job History Cleanup", "changes": { "active": false } });
        world.call("jobs.update", keep).await.unwrap();
        world.core.clock.set(noon + 4 * 365 * 86_400_000);
        world.work().await;
        world.core.clock.set(noon + 86_400_000);
        world.restart().await;
        world.hours(24).await;
        assert_eq!(world.outcomes("Daily").await, ["ok", "ok", "ok"]);
    })
    .await;
}

#[tokio::test]
async fn l01_a_job_past_its_time_is_ended_and_harms_no_other() {
    on_both(async |world: World| {
        let settings = json!({ "interval": 3600, "timeout": 1, "retries": 0 });
        world
            .job_with(
                "Endless",
                "while true do pcall(function() while true do end end) end",
                settings,
            )
            .await;
        world.job("Other", "return job.OK").await;
        world.after(HOUR).await;
        assert_eq!(world.outcomes("Endless").await, ["timeout"]);
        assert_eq!(world.outcomes("Other").await, ["ok"]);
        let job = world.get("Endless").await;
        assert_eq!(
            job["error"]["message"],
            "the job did not end within its 1 seconds"
        );
        assert_eq!(job["error"]["line"], 3);
    })
    .await;
}

#[tokio::test]
async fn l02_a_job_that_eats_memory_or_floods_the_log_is_bounded() {
    on_both(async |world: World| {
        let settings = json!({ "interval": 3600, "retries": 0 });
        world
            .job_with(
                "Eats",
                "local t = {} while true do t[#t + 1] = string.rep('x', 1000) .. #t end",
                settings,
            )
            .await;
        world
            .job(
                "Floods",
                "for i = 1, 1e5 do core.log('line', i) end return job.OK",
            )
            .await;
        world.after(HOUR).await;
        let job = world.get("Eats").await;
        assert!(
            job["error"]["message"].as_str().unwrap().contains("memory"),
            "{job}"
        );
        let run = world.get("Floods").await["last_run"].clone();
        let log = world.call("jobs.log", json!({ "run_id": run })).await.unwrap();
        assert!(
            log["log"]
                .as_str()
                .unwrap()
                .ends_with("more lines were not kept\n")
        );
        assert!(log["log"].as_str().unwrap().len() < 70_000);
        assert!(log["log_dropped_lines"].as_i64().unwrap() > 80_000);
    })
    .await;
}

#[tokio::test]
async fn l01_jobs_that_never_end_leave_threads_for_the_others() {
    on_both(async |world: World| {
        for n in 0..3 {
            let settings = json!({ "interval": 3600, "timeout": 2, "retries": 0 });
            world
                .job_with(
                    &format!("Endless{n}"),
                    "while true do pcall(function() while true do end end) end",
                    settings,
                )
                .await;
        }
        for n in 0..20 {
            world.job(&format!("Other{n}"), "return job.OK").await;
        }
        world.after(HOUR).await;
        for n in 0..20 {
            let job = world.get(&format!("Other{n}")).await;
            let log = world
                .call("jobs.log", json!({ "run_id": job["last_run"] }))
                .await
                .unwrap();
            assert_eq!(log["outcome"], "ok");
        }
        for n in 0..3 {
            assert_eq!(world.outcomes(&format!("Endless{n}")).await, ["timeout"]);
        }
    })
    .await;
}

#[tokio::test]
async fn b01_text_that_no_database_stores_ends_its_own_run_and_no_other() {
    on_both(async |world: World| {
        world.job("Return", "return 'done\\0'").await;
        world.job("Error", "error('a\\0b')").await;
        world.job("Table", "error({ 'a\\0b' })").await;
        world
            .job("Log", "core.log('one\\0two') print('three\\0') return job.OK")
            .await;
        world.job("Key", "core.store.set('a\\0b', 1) return job.OK").await;
        world.job("Good", "return job.OK").await;
        world.after(HOUR).await;
        for name in ["Return", "Error", "Table", "Key"] {
            assert_eq!(world.outcomes(name).await, ["error"], "{name}");
        }
        for name in ["Log", "Good"] {
            assert_eq!(world.outcomes(name).await, ["ok"], "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn b01_a_run_that_can_never_be_recorded_fails_alone_and_shows_in_health() {
    on_both(async |mut world: World| {
        for name in ["One", "Bad", "Two"] {
            world.job(name, "return job.OK").await;
        }
        world.core.clock.advance(HOUR);
        let now = world.core.clock.now_ms();
        let claim = Claim {
            now,
            limit: 10,
            lease_until: lease(now),
            behind: false,
        };
        let runs = world.jobs.store.claim(claim).await.unwrap().runs;
        assert_eq!(runs.len(), 3);
        // As if a text had found a way around the place where texts are made storable.
        let finished = runs.into_iter().map(|run| Finished {
            ended_at: now,
            outcome: Outcome::Ok,
            problem: None,
            told: Told {
                log: if run.name == "Bad" { "\0" } else { "fine" }.to_owned(),
                // SQLite stores a NUL. It rejects what is not there.
                ..Told::default()
            },
            run,
        });
        world.jobs.record_surely(finished.collect()).await;
        let rejected = world.core.db.dialect() == Dialect::Postgres;
        let bad = if rejected { "error" } else { "ok" };
        assert_eq!(world.outcomes("One").await, ["ok"]);
        assert_eq!(world.outcomes("Bad").await, [bad]);
        assert_eq!(world.outcomes("Two").await, ["ok"]);
        if rejected {
            let error = world.get("Bad").await["error"]["message"].clone();
            assert!(error.as_str().unwrap().contains("could not be stored"), "{error}");
        }
        // A restart finds nothing to run again.
        world.restart().await;
        assert_eq!(world.outcomes("Bad").await.len(), 1);
    })
    .await;
}

/// As if a later version had written it, and something that is no number.
#[tokio::test]
async fn b01_a_job_that_cannot_be_read_fails_alone_and_is_shown() {
    on_both(async |world: World| {
        for name in ["Good", "Phase", "Misfire", "Number"] {
            world.job(name, "return job.OK").await;
        }
        let is_sqlite = world.core.db.dialect() == Dialect::Sqlite;
        let mut changes = vec![
            "UPDATE jobs SET phase = 'dancing' WHERE name = 'Phase'",
            "UPDATE jobs SET misfire = 'later' WHERE name = 'Misfire'",
        ];
        if is_sqlite {
            changes.push("UPDATE jobs SET retries = 'many' WHERE name = 'Number'");
        }
        alter(&world, &changes).await;
        world.after(HOUR).await;
        world.after(HOUR).await;
        assert_eq!(world.outcomes("Good").await, ["ok", "ok"]);
        if is_sqlite {
            let list = world.call("jobs.list", json!({ "page": {} })).await.unwrap();
            assert_eq!(list["items"].as_array().unwrap().len(), 4, "{list}");
            let job = world.get("Number").await;
            assert_eq!(job["active"], false, "{job}");
            let error = job["error"]["message"].as_str().unwrap();
            assert!(error.contains("cannot be read"), "{error}");
        }
        for (name, column) in [("Phase", "`phase`"), ("Misfire", "`misfire`")] {
            let job = world.get(name).await;
            assert_eq!(job["active"], false, "{job}");
            let error = job["error"]["message"].as_str().unwrap();
            assert!(error.contains(column), "{error}");
            // Saving it repairs it.
            let changes = json!({ "active": true, "misfire": "skip" });
            let update = json!({ "name": name, "changes": changes });
            world.call("jobs.update", update).await.unwrap();
            world.after(HOUR).await;
            assert_eq!(world.outcomes(name).await, ["ok"], "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn b01_a_run_that_cannot_be_recorded_at_all_does_not_stay_open() {
    on_both(async |world: World| {
        world.job("Job", "return job.OK").await;
        let (forbid, allow): (&[&str], &[&str]) = match world.core.db.dialect() {
            Dialect::Sqlite => (
                &["CREATE TRIGGER never BEFORE UPDATE OF outcome ON job_runs
                   BEGIN SELECT RAISE(ABORT, 'never'); END"],
                &["DROP TRIGGER never"],
            ),
            Dialect::Postgres => (
                &["ALTER TABLE job_runs ADD CONSTRAINT never CHECK (outcome IS NULL)"],
                &["ALTER TABLE job_runs DROP CONSTRAINT never"],
            ),
        };
        alter(&world, forbid).await;
        world.after(HOUR).await;
        alter(&world, allow).await;
        world.jobs.close_unrecorded().await;
        assert_eq!(world.outcomes("Job").await, ["lost"]);
        assert!(world.get("Job").await["running"].is_null());
        world.after(HOUR).await;
        assert_eq!(world.outcomes("Job").await, ["lost", "ok"]);
    })
    .await;
}

async fn alter(world: &World, statements: &[&'static str]) {
    for statement in statements {
        world.jobs.store.alter(statement).await.unwrap();
    }
}

#[tokio::test]
async fn d08_jobs_are_found_whatever_the_case_of_their_letters() {
    on_both(async |world: World| {
        world.job("plain", "return job.OK").await;
        for name in ["Ärger-Bericht", "ОТЧЁТ"] {
            let job = json!({ "name": name, "path": "plain.lua", "interval": 3600 });
            world.call("jobs.create", json!({ "job": job })).await.unwrap();
        }
        for (search, name) in [
            ("ärger-bericht", "Ärger-Bericht"),
            ("ÄRGER", "Ärger-Bericht"),
            ("отчёт", "ОТЧЁТ"),
            ("Отч", "ОТЧЁТ"),
        ] {
            let found = world
                .call("jobs.list", json!({ "filter": { "search": search }, "page": {} }))
                .await
                .unwrap();
            let names: Vec<_> = found["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|job| &job["name"])
                .collect();
            assert_eq!(names, [name], "{search}");
        }
        world
            .call(
                "jobs.update",
                json!({ "name": "plain", "changes": { "name": "ÉTÉ" } }),
            )
            .await
            .unwrap();
        let found = world
            .call("jobs.list", json!({ "filter": { "search": "été" }, "page": {} }))
            .await
            .unwrap();
        assert_eq!(found["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

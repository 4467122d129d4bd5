//! What is entered, and what is said about mistakes.

use coronet_core::Code;
use serde_json::json;

use super::world::{DAY, HOUR, World, on_both};

#[tokio::test]
async fn a_new_job_leads_to_code_to_edit_and_never_overwrites_any() {
    on_both(async |world: World| {
        let job = json!({ "name": "New", "path": "admin/new.lua", "interval": 60 });
        let made = world.call("jobs.create", json!({ "job": job })).await.unwrap();
        assert_eq!(
            (
                made["active"].clone(),
                made["timeout"].clone(),
                made["retries"].clone()
            ),
            (true.into(), 60.into(), 2.into())
        );
        assert!(world.code_at("admin/new.lua").unwrap().contains("return job.OK"));
        // The template is a job that works.
        world.after(HOUR).await;
        assert_eq!(world.outcomes("New").await, ["ok"]);

        world.code("admin/old.lua", "-- mine");
        let changes = json!({ "name": "New", "changes": { "path": "admin/old.lua" } });
        world.call("jobs.update", changes).await.unwrap();
        assert_eq!(world.code_at("admin/old.lua").unwrap(), "-- mine");
    })
    .await;
}

#[tokio::test]
async fn mistakes_are_named_where_they_were_entered() {
    on_both(async |world: World| {
        world.job("Taken", "return job.OK").await;
        let good = json!({ "name": "Job", "path": "x.lua", "interval": 60 });
        for (field, value, expected) in [
            ("name", json!("Taken"), "There is a job named \"Taken\" already"),
            ("name", json!(" "), "A job needs a name"),
            ("name", json!("a\nb"), "no control characters"),
            ("path", json!("../x.lua"), "must not leave its folder"),
            ("path", json!("/etc/x.lua"), "must not start with a slash"),
            ("path", json!("x.txt"), "must end with .lua"),
            ("interval", json!(0), "must be between 1 and"),
            ("interval", json!(400_000_000), "must be between 1 and"),
            ("cron", json!("@daily"), "not both"),
            (
                "timezone",
                json!("Mars/Olympus"),
                "There is no time zone \"Mars/Olympus\"",
            ),
            ("timeout", json!(0), "must be between 1 and 86400"),
            ("retries", json!(21), "between 0 and 20"),
            ("catch_up", json!(0), "between 1 and 100"),
            ("max_running", json!(101), "between 1 and 100"),
            ("notify_after", json!(-1), "between 1 and 21"),
            ("overdue_after", json!(1000), "between 1 and 100"),
            (
                "ping_url",
                json!("ftp://watch.example/x"),
                "must begin with http:// or https://",
            ),
            ("ping_url", json!("https://"), "cannot be used: empty host"),
            ("at", json!("2027-01-01T10:00"), "not both"),
        ] {
            let mut job = good.clone();
            job[field] = value;
            let error = world
                .call("jobs.create", json!({ "job": job }))
                .await
                .unwrap_err();
            assert!(error.message().contains(expected), "{field}: {error}");
            assert_eq!(error.details().unwrap()["parameter"], field, "{error}");
        }
        for (cron, expected) in [
            ("0 0 31 2 *", "never comes true"),
            ("61 * * * *", "the minute field"),
            ("* * *", "this has 3"),
            ("* * * *", "this has 4"),
            ("* * * * * * *", "this has 7"),
        ] {
            let job = json!({ "name": "Job", "path": "x.lua", "cron": cron });
            let error = world
                .call("jobs.create", json!({ "job": job }))
                .await
                .unwrap_err();
            assert!(error.message().contains(expected), "{error}");
            assert_eq!(error.details().unwrap()["parameter"], "cron");
        }
        for (at, expected) in [
            ("tomorrow", "is no date and time"),
            ("2027-02-30T10:00", "is no date and time"),
            ("2020-01-01T10:00", "That time has passed"),
            ("9999-01-01T10:00", "too far away"),
            ("2100-07-01T10:00", "up to the end of 2099"),
        ] {
            let job = json!({ "name": "Job", "path": "x.lua", "at": at });
            let error = world
                .call("jobs.create", json!({ "job": job }))
                .await
                .unwrap_err();
            assert!(error.message().contains(expected), "{error}");
            assert_eq!(error.details().unwrap()["parameter"], "at");
        }
        let unknown = world.call(
            "jobs.create",
            json!({ "job": { "name": "J", "path": "x.lua", "interval": 5, "x": 1 } }),
        );
        assert_eq!(unknown.await.unwrap_err().code(), Code::ParameterInvalid);
        for (function, parameters) in [
            ("jobs.get", json!({ "name": "None" })),
            ("jobs.update", json!({ "name": "None", "changes": {} })),
            ("jobs.delete", json!({ "name": "None" })),
            ("jobs.run", json!({ "name": "None" })),
            ("jobs.runs", json!({ "name": "None" })),
            ("jobs.log", json!({ "run_id": "run_x" })),
            ("jobs.cancel", json!({ "run_id": "run_x" })),
        ] {
            let error = world.call(function, parameters).await.unwrap_err();
            assert_eq!(error.code(), Code::NotFound, "{function}: {error}");
        }
    })
    .await;
}

#[tokio::test]
async fn two_ways_to_write_a_name_are_one_job() {
    on_both(async |mut world: World| {
        for (composed, decomposed) in [
            ("B\u{e9}b\u{e9}", "Be\u{301}be\u{301}"),
            ("\u{d55c}", "\u{1112}\u{1161}\u{11ab}"),
        ] {
            let job = |name: &str| json!({ "job": { "name": name, "path": "x.lua", "interval": 60 } });
            let made = world.call("jobs.create", job(decomposed)).await.unwrap();
            assert_eq!(made["name"], composed);
            let again = world.call("jobs.create", job(composed)).await.unwrap_err();
            assert_eq!(again.code(), Code::Conflict);
            // Either finds it.
            for name in [composed, decomposed] {
                let name = json!({ "name": name });
                assert_eq!(
                    world.call("jobs.get", name.clone()).await.unwrap()["name"],
                    composed
                );
                world.call("jobs.runs", name.clone()).await.unwrap();
                world.call("jobs.run", name).await.unwrap();
                world.work().await;
            }
            // A job from before has a name of its own, and one form of it, after the next start.
            let old = "UPDATE jobs SET name = $1 WHERE name = $2";
            let names = (decomposed.to_owned(), composed.to_owned());
            world
                .core
                .db
                .write(move |tx| {
                    Box::pin(async move {
                        coronet_core::db::execute(tx, old.to_owned(), |query| {
                            query.bind(names.0).bind(names.1)
                        })
                        .await?;
                        Ok(())
                    })
                })
                .await
                .unwrap();
            world.call("jobs.create", job(composed)).await.unwrap();
            world.restart().await;
            let renamed = format!("{decomposed} 2");
            assert_eq!(world.get(&renamed).await["name"], format!("{composed} 2"));
        }
    })
    .await;
}

#[tokio::test]
async fn changes_act_at_once_and_leave_the_rest_alone() {
    on_both(async |world: World| {
        world.job("Job", "return job.OK").await;
        world.after(HOUR / 2).await;
        let due = world.get("Job").await["next_run_at"].clone();
        let change = async |changes| {
            world
                .call("jobs.update", json!({ "name": "Job", "changes": changes }))
                .await
                .unwrap()
        };
        // What has nothing to do with when it runs keeps the remaining time.
        assert_eq!(
            change(json!({ "timeout": 5, "retries": 0, "misfire": "skip" })).await["next_run_at"],
            due
        );
        let sooner = change(json!({ "interval": 60 })).await["next_run_at"].clone();
        assert_eq!(sooner.as_i64().unwrap(), world.core.clock.now_ms() + 60_000);
        let nightly = change(json!({ "cron": "0 3 * * *", "timezone": "Europe/Lisbon" })).await;
        assert_eq!(
            (nightly["interval"].clone(), nightly["cron"].clone()),
            (json!(null), json!("0 3 * * *"))
        );
        let off = change(json!({ "active": false })).await;
        assert_eq!(
            (off["status"].clone(), off["next_run_at"].clone()),
            (json!("inactive"), json!(null))
        );
        world.after(DAY).await;
        assert_eq!(world.outcomes("Job").await.len(), 0);
        assert_eq!(change(json!({ "name": "Renamed" })).await["name"], "Renamed");
        world
            .call("jobs.delete", json!({ "name": "Renamed" }))
            .await
            .unwrap();
        assert_eq!(world.call("jobs.list", json!({})).await.unwrap(), json!([]));
    })
    .await;
}

#[tokio::test]
async fn an_edited_job_runs_its_new_code_without_a_reload() {
    on_both(async |world: World| {
        world.job("Job", "return job.SLEEP").await;
        world.job("Job2", "return job.OK").await;
        world.code(
            "Job.lua",
            "local job = core.job() function job.run() return job.STOP end return job",
        );
        world.after(HOUR).await;
        assert_eq!(world.outcomes("Job").await, ["stop"]);
        world.code(
            "Job2.lua",
            "local job = core.job()\nfunction job.run()\n  return job.\nend\nreturn job",
        );
        world.after(HOUR).await;
        let job = world.get("Job2").await;
        assert_eq!(job["error"]["line"], 4, "{job}");
        assert!(
            job["error"]["message"]
                .as_str()
                .unwrap()
                .starts_with("jobs/Job2.lua:4: "),
            "{job}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_preview_shows_the_ticks_that_a_job_would_have_and_refuses_what_a_job_would() {
    on_both(async |world: World| {
        let preview = async |asked| world.call("jobs.preview", asked).await;
        let lisbon = json!({ "cron": "30 7 * * 1-5", "timezone": "Europe/Lisbon", "count": 12 });
        let shown = preview(lisbon).await.unwrap();
        let ticks = shown["ticks"].as_array().unwrap();
        assert_eq!(ticks.len(), 12);
        assert!(ticks.iter().all(|tick| tick["local"].as_str().unwrap().contains("T07:30:00+0")));
        assert_eq!(shown["cron"]["weekdays"], json!([1, 2, 3, 4, 5]));
        assert_eq!((&shown["cron"]["days"], &shown["timezone"]), (&json!(null), &json!("Europe/Lisbon")));

        let special = preview(json!({ "cron": "0 9 15,L * MON,FRI#2" })).await.unwrap();
        let special = &special["cron"];
        assert_eq!((&special["days"], &special["weekdays"]), (&json!([15]), &json!([1])));
        let last_day_and_second_friday = json!([{ "weekdays": [], "nth": null }, { "weekdays": [5], "nth": 2 }]);
        assert_eq!(special["special_days"], last_day_and_second_friday);

        // How the two day fields go together is said.
        for (cron, days, weekdays, rule) in [
            ("0 0 1 * 0-6", json!([1]), json!([0, 1, 2, 3, 4, 5, 6]), json!("either")),
            ("0 0 */10 * MON", json!([1, 11, 21, 31]), json!([1]), json!("both")),
            ("0 0 * * MON", json!(null), json!([1]), json!(null)),
            ("0 0 1-31 * *", json!(null), json!(null), json!(null)),
        ] {
            let shown = preview(json!({ "cron": cron })).await.unwrap();
            let shown = &shown["cron"];
            assert_eq!((&shown["days"], &shown["weekdays"], &shown["day_rule"]), (&days, &weekdays, &rule), "{cron}");
        }

        let job = json!({ "name": "Tides", "path": "tides.lua", "cron": "30 7 * * 1-5", "timezone": "Europe/Lisbon" });
        let job = world.call("jobs.create", json!({ "job": job })).await.unwrap();
        assert_eq!(job["next_run_at"], ticks[0]["at"]);

        for (asked, parameter) in [
            (json!({ "interval": 60, "timezone": "Europe/Nowhere" }), "timezone"),
            (json!({ "cron": "0 0 31 2 *" }), "cron"),
            (json!({ "interval": 60, "count": 0 }), "count"),
            (json!({ "interval": 60, "count": 101 }), "count"),
            (json!({}), "interval"),
        ] {
            let refused = preview(asked.clone()).await.unwrap_err();
            assert_eq!(refused.details().unwrap()["parameter"], parameter, "{asked}");
        }
    })
    .await;
}

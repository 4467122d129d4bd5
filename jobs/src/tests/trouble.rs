//! Who hears of a job in trouble, and when.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use coronet_core::Result;
use coronet_core::functions::{Access, Call, Function};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::world::{HOUR, World, on_both};

/// Stands for the outbox.
#[derive(Default)]
struct Outbox(Mutex<Vec<Value>>);

#[derive(Deserialize, JsonSchema)]
struct Send {
    message: Value,
}

impl Outbox {
    fn of(world: &World) -> Arc<Self> {
        async fn send(outbox: Arc<Outbox>, _: Arc<Call>, input: Send) -> Result<bool> {
            outbox.0.lock().unwrap().push(input.message);
            Ok(true)
        }
        let outbox = Arc::new(Self::default());
        let function = Function::write("mail.send", "Sends.", &outbox, send).access(Access::JOB);
        world.core.functions.add("core", vec![function]).unwrap();
        outbox
    }

    fn subjects(&self) -> Vec<String> {
        let mails = self.0.lock().unwrap();
        mails
            .iter()
            .map(|mail| mail["subject"].as_str().unwrap().to_owned())
            .collect()
    }
}

async fn tell_operators(world: &World) {
    coronet_core::settings::start(&world.core).await.unwrap();
    for (group, changes) in [
        ("mail", json!({ "default_sender": "coronet@home.com" })),
        ("jobs", json!({ "notify_addresses": "ops@home.com" })),
    ] {
        let parameters = json!({ "group": group, "changes": changes });
        world.call("settings.update", parameters).await.unwrap();
    }
}

#[tokio::test]
async fn operators_hear_of_failures_and_of_recovery() {
    on_both(async |world: World| {
        let outbox = Outbox::of(&world);
        tell_operators(&world).await;
        let settings = json!({ "interval": 3600, "retries": 3, "notify_after": 2 });
        world.job_with("Flaky", "error('no network')", settings).await;
        world.after(HOUR).await;
        world.jobs.deliver_once().await.unwrap();
        assert_eq!(outbox.subjects(), [""; 0]);
        world.after(Duration::from_secs(12)).await;
        world.jobs.deliver_once().await.unwrap();
        assert_eq!(outbox.subjects(), ["Job Flaky is failing"]);
        let mail = outbox.0.lock().unwrap()[0].clone();
        assert_eq!(mail["to"], "ops@home.com");
        let text = mail["text"].as_str().unwrap();
        assert!(
            text.contains("failed 2 times in a row") && text.contains("no network"),
            "{text}"
        );

        world.code(
            "Flaky.lua",
            "local job = core.job()\nfunction job.run() return job.OK end\nreturn job",
        );
        world.after(HOUR).await;
        world.jobs.deliver_once().await.unwrap();
        assert_eq!(
            outbox.subjects(),
            ["Job Flaky is failing", "Job Flaky has recovered"]
        );
        // Nothing more to tell.
        world.after(HOUR).await;
        world.jobs.deliver_once().await.unwrap();
        assert_eq!(outbox.subjects().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn operators_hear_when_a_job_is_set_inactive_by_its_errors() {
    on_both(async |world: World| {
        let outbox = Outbox::of(&world);
        tell_operators(&world).await;
        let settings = json!({ "interval": 3600, "retries": 0 });
        world.job_with("Broken", "error('gone')", settings).await;
        let changes = json!({ "name": "Broken", "changes": { "name": "Größe & 50 %?" } });
        world.call("jobs.update", changes).await.unwrap();
        world.after(HOUR).await;
        world.jobs.deliver_once().await.unwrap();
        assert_eq!(outbox.subjects(), ["Job Größe & 50 %? was set inactive"]);
        // The link in it leads to the job's page.
        let mail = outbox.0.lock().unwrap()[0].clone();
        let text = mail["text"].as_str().unwrap();
        assert!(
            text.contains("/webmin/job/Gr%C3%B6%C3%9Fe%20&%2050%20%25%3F"),
            "{text}"
        );
    })
    .await;
}

#[tokio::test]
async fn ux02_a_deactivated_job_keeps_its_alarm_until_an_operator_activates_it() {
    on_both(async |mut world: World| {
        let outbox = Outbox::of(&world);
        tell_operators(&world).await;
        let settings = json!({ "interval": 3600, "retries": 1 });
        world.job_with("Broken", "error('gone')", settings).await;
        world.after(HOUR).await;
        world.after(Duration::from_secs(12)).await;
        let deactivated = world.get("Broken").await;
        let at = deactivated["deactivated"]["at"].as_i64().unwrap();
        assert_eq!(
            (&deactivated["active"], &deactivated["state"]),
            (&json!(false), &json!("failed"))
        );
        assert_eq!(deactivated["deactivated"], json!({ "at": at, "failures": 2 }));
        world.jobs.deliver_once().await.unwrap();
        let mail = outbox.0.lock().unwrap()[0]["text"].as_str().unwrap().to_owned();
        assert!(
            mail.contains("Deactivated after 2 failures at 2026-01-05 13:00 UTC"),
            "{mail}"
        );

        // Its code is mended and it runs by hand: what is wrong with it stays, and a restart changes nothing either.
        let code = "local job = core.job()\nfunction job.run() return job.OK end\nreturn job";
        world.code("Broken.lua", code);
        for _ in 0..2 {
            world.call("jobs.run", json!({ "name": "Broken" })).await.unwrap();
            world.work().await;
            world.restart().await;
        }
        assert_eq!(world.outcomes("Broken").await, ["error", "error", "ok", "ok"]);
        let still = world.get("Broken").await;
        for field in ["active", "state", "error", "deactivated"] {
            assert_eq!(still[field], deactivated[field], "{field}");
        }
        let overview = world.call("jobs.overview", json!({})).await.unwrap();
        assert_eq!(overview["failing"][0]["deactivated"]["failures"], 2);
        world.jobs.deliver_once().await.unwrap();
        assert_eq!(outbox.subjects(), ["Job Broken was set inactive"]);

        // Changing something else does not clear it; activating does.
        let changes = json!({ "name": "Broken", "changes": { "timeout": 5 } });
        let changed = world.call("jobs.update", changes).await.unwrap();
        assert_eq!(changed["deactivated"], deactivated["deactivated"]);
        let changes = json!({ "name": "Broken", "changes": { "active": true } });
        let active = world.call("jobs.update", changes).await.unwrap();
        assert_eq!(
            (&active["deactivated"], &active["error"]),
            (&Value::Null, &Value::Null)
        );
        let overview = world.call("jobs.overview", json!({})).await.unwrap();
        assert_eq!(overview["failing"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn ux35_a_run_by_hand_is_no_further_attempt() {
    on_both(async |world: World| {
        let settings = json!({ "interval": 3600, "retries": 5 });
        world.job_with("Flaky", "error('no network')", settings).await;
        world.after(HOUR).await;
        world.after(Duration::from_secs(12)).await;
        world.call("jobs.run", json!({ "name": "Flaky" })).await.unwrap();
        world.work().await;
        let ledger = world.ledger("Flaky").await;
        let attempts: Vec<_> = ledger
            .iter()
            .map(|run| (&run["trigger"], &run["attempt"]))
            .collect();
        let expected =
            [("schedule", 1), ("retry", 2), ("hand", 1)].map(|(trigger, n)| (json!(trigger), json!(n)));
        assert_eq!(attempts, expected.each_ref().map(|(trigger, n)| (trigger, n)));
        // And each says on which machine it was.
        let host = coronet_core::server::host_name();
        assert!(
            ledger.iter().all(|run| run["host"] == host.as_str()),
            "{ledger:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn x10_a_ping_to_where_no_request_may_go_is_warned_of() {
    on_both(async |world: World| {
        let save = async |url: &str| {
            let job = json!({ "name": "Pinged", "path": "x.lua", "interval": 60, "ping_url": url });
            let made = world.call("jobs.create", json!({ "job": job })).await.unwrap();
            let again = json!({ "name": "Pinged", "changes": { "ping_url": url } });
            let changed = world.call("jobs.update", again).await.unwrap();
            let read = world.get("Pinged").await;
            assert!(
                made["warnings"] == changed["warnings"] && changed["warnings"] == read["warnings"],
                "{url}"
            );
            world
                .call("jobs.delete", json!({ "name": "Pinged" }))
                .await
                .unwrap();
            made["warnings"].clone()
        };
        for url in [
            "http://127.0.0.1:9000/x",
            "http://localhost/x",
            "https://api.localhost./x",
            "http://[::1]/x",
            "http://2130706433/x",
            "http://0x7f.1/x",
            "http://[::ffff:10.0.0.1]/x",
        ] {
            let warned = save(url).await;
            assert!(
                warned[0].as_str().unwrap().contains("private address"),
                "{url}: {warned}"
            );
        }
        for url in [
            "http://169.254.169.254/latest/meta-data",
            "http://metadata.google.internal/x",
            "http://[fd00:ec2::254]/x",
            "http://168.63.129.16/x",
            "http://0.0.0.0/x",
        ] {
            let warned = save(url).await;
            assert!(
                warned[0].as_str().unwrap().contains("no request may go to"),
                "{url}: {warned}"
            );
        }
        assert_eq!(save("https://watch.example/x").await, json!([]));
        assert_eq!(save("https://93.184.216.34/x").await, json!([]));
        // Where private addresses are allowed, they are no surprise; metadata never is.
        coronet_core::settings::start(&world.core).await.unwrap();
        let allow = json!({ "group": "requests", "changes": { "private_addresses": true } });
        world.call("settings.update", allow).await.unwrap();
        assert_eq!(save("http://127.0.0.1:9000/x").await, json!([]));
        assert_eq!(save("http://169.254.169.254/").await.as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_job_without_success_raises_the_alarm_once() {
    on_both(async |world: World| {
        let outbox = Outbox::of(&world);
        tell_operators(&world).await;
        // It comes to no end, in its own way: every run is cancelled by an operator.
        let settings = json!({ "interval": 3600, "overdue_after": 2, "timeout": 60 });
        world.job_with("Stuck", "while true do end", settings).await;
        for _ in 0..3 {
            world.core.clock.advance(HOUR);
            world.jobs.look().await.unwrap();
            let run = world.get("Stuck").await["running"].clone();
            world.call("jobs.cancel", json!({ "run_id": run })).await.unwrap();
            world.jobs.idle().await;
            world.jobs.deliver_once().await.unwrap();
        }
        assert_eq!(outbox.subjects(), ["Job Stuck is overdue"]);
        let job = world.get("Stuck").await;
        assert!(job["overdue_since"].is_i64(), "{job}");
        world.code(
            "Stuck.lua",
            "local job = core.job()\nfunction job.run() return job.OK end\nreturn job",
        );
        world.after(HOUR).await;
        world.jobs.deliver_once().await.unwrap();
        assert_eq!(
            outbox.subjects(),
            ["Job Stuck is overdue", "Job Stuck has recovered"]
        );
        assert_eq!(world.get("Stuck").await["overdue_since"], Value::Null);
    })
    .await;
}

#[tokio::test]
async fn a_word_that_cannot_be_delivered_is_tried_again() {
    on_both(async |world: World| {
        tell_operators(&world).await;
        let settings = json!({ "interval": 3600, "retries": 0 });
        world.job_with("Broken", "error('gone')", settings).await;
        world.after(HOUR).await;
        // There is no outbox yet.
        world.jobs.deliver_once().await.unwrap();
        let outbox = Outbox::of(&world);
        world.jobs.deliver_once().await.unwrap();
        assert_eq!(outbox.subjects(), [""; 0], "not before its time");
        world.core.clock.advance(Duration::from_secs(6));
        world.jobs.deliver_once().await.unwrap();
        assert_eq!(outbox.subjects(), ["Job Broken was set inactive"]);
    })
    .await;
}

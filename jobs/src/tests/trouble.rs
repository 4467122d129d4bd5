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

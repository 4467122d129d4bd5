//! Every check, seen good and seen bad. The services are stood in for by functions that say what the story wants.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::functions::{Caller, Function};
use crate::server::servers;
use crate::testing::{self, MONDAY_NOON};

#[derive(Default)]
struct Services(Mutex<BTreeMap<&'static str, Value>>);

#[derive(Deserialize, schemars::JsonSchema)]
struct Nothing {}

async fn answer(services: Arc<Services>, call: Arc<Call>, _: Nothing) -> Result<Value> {
    let answers = services.0.lock().unwrap();
    answers
        .get(call.function.as_str())
        .cloned()
        .ok_or_else(|| crate::Error::new(crate::Code::Unavailable, "away"))
}

struct World {
    _home: tempfile::TempDir,
    core: Core,
    services: Arc<Services>,
}

impl World {
    async fn new() -> Self {
        let (home, core) = testing::core().await;
        super::super::start(&core).unwrap();
        let services = Arc::new(Services::default());
        let calm = [
            (
                "plugins.list",
                json!([{"name": "mailgun", "state": "running"}, {"name": "old", "state": "disabled"}]),
            ),
            (
                "mail.trouble",
                json!({"waiting": 0, "given_up": 0, "transport": "capture", "provider": "core"}),
            ),
            ("jobs.overview", json!({"count": 3, "failing": [], "late": []})),
            ("users.passwordResetProblems", json!([])),
            ("template.failures", json!([])),
            ("codes.trouble", json!({"failed": 0})),
            ("users.addressConflicts", json!([])),
        ];
        let functions = calm
            .each_ref()
            .map(|(name, _)| Function::read(name, "", &services, answer));
        core.functions.add("core", functions.into()).unwrap();
        *services.0.lock().unwrap() = calm.into();
        core.server.scheduler_looked(MONDAY_NOON);
        servers::beat(&core, MONDAY_NOON).await.unwrap();
        Self {
            _home: home,
            core,
            services,
        }
    }

    async fn health(&self) -> Value {
        let caller = Caller::cli();
        let health = self.core.functions.call(&caller, "server.health", json!({}));
        health.await.unwrap()
    }

    /// The one problem there is while a service says this; afterwards all is well again.
    async fn problem(&self, function: &'static str, says: Value) -> Value {
        let calm = self.services.0.lock().unwrap().insert(function, says);
        let health = self.health().await;
        self.services.0.lock().unwrap().insert(function, calm.unwrap());
        let problems = health["problems"].as_array().unwrap().clone();
        assert_eq!(problems.len(), 1, "{health:#}");
        assert_eq!(health["ok"], false);
        let checks = health["checks"].as_array().unwrap().iter();
        let bad: Vec<_> = checks.filter(|check| check["ok"] == false).collect();
        assert_eq!(bad.len(), 1, "{health:#}");
        assert_eq!(bad[0]["name"], problems[0]["part"]);
        assert_eq!(bad[0]["message"], problems[0]["message"]);
        assert_eq!(self.health().await["ok"], true);
        problems[0].clone()
    }
}

fn told(problem: &Value) -> (&str, &str, &str, &str) {
    let text = |key: &str| problem[key].as_str().unwrap_or_default();
    (text("kind"), text("level"), text("subject"), text("id"))
}

#[tokio::test]
async fn when_all_is_well_every_part_says_so() {
    let world = World::new().await;
    let health = world.health().await;
    assert_eq!(health["ok"], true, "{health:#}");
    let checks = health["checks"].as_array().unwrap();
    let names: Vec<_> = checks
        .iter()
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "database",
            "servers",
            "machine",
            "plugins",
            "mail",
            "jobs",
            "resets",
            "templates"
        ]
    );
    assert!(health["disk"]["total"].as_u64() > Some(0));
    assert_eq!(health["servers"][0]["this"], true);
}

#[tokio::test]
async fn plugins_that_do_not_run_are_told_with_why_and_since_when() {
    let world = World::new().await;
    let plugin = |state: &str, reason: Value| json!([{"name": "p", "state": state, "reason": reason, "last_error": {"at": 7, "message": "it died"}}]);
    let failed = world
        .problem("plugins.list", plugin("failed", json!("died 5 times")))
        .await;
    assert_eq!(told(&failed), ("plugin_failed", "bad", "p", ""));
    assert!(failed["message"].to_string().contains("died 5 times"));
    assert_eq!(failed["since"], 7);
    let refused = world
        .problem("plugins.list", plugin("refused", Value::Null))
        .await;
    assert_eq!(told(&refused), ("plugin_refused", "bad", "p", ""));
    assert!(refused["message"].to_string().contains("it died"));
    let again = world
        .problem("plugins.list", plugin("restarting", Value::Null))
        .await;
    assert_eq!(told(&again), ("plugin_restarting", "warn", "p", ""));
}

#[tokio::test]
async fn mail_that_waits_or_was_given_up_and_a_transport_in_trouble_are_told() {
    let world = World::new().await;
    let mail = |more: Value| {
        let mut mail = json!({"waiting": 0, "given_up": 0, "transport": "mailgun", "provider": "mailgun"});
        mail.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        mail
    };
    let since = MONDAY_NOON - 16 * 60_000;
    let waits = mail(json!({"waiting": 3, "oldest_waiting_at": since, "waits_because": "busy"}));
    let waits = world.problem("mail.trouble", waits).await;
    assert_eq!(told(&waits), ("mail_waits", "bad", "", ""));
    assert_eq!((&waits["since"], &waits["count"]), (&json!(since), &json!(3)));

    // A wrong key is why mail waits: one problem, not two.
    let alarm = mail(json!({"waiting": 3, "oldest_waiting_at": since, "alarm": "wrong key"}));
    let alarm = world.problem("mail.trouble", alarm).await;
    assert_eq!(told(&alarm), ("transport", "bad", "mailgun", "mailgun"));

    let given_up =
        mail(json!({"given_up": 2, "given_up_at": 5, "given_up_id": "mail_1", "given_up_because": "no"}));
    let given_up = world.problem("mail.trouble", given_up).await;
    assert_eq!(told(&given_up), ("mail_failed", "bad", "", "mail_1"));

    let calm = mail(json!({"waiting": 3, "oldest_waiting_at": MONDAY_NOON - 60_000}));
    world.services.0.lock().unwrap().insert("mail.trouble", calm);
    assert_eq!(world.health().await["ok"], true, "mail may wait for a while");
}

#[tokio::test]
async fn jobs_that_failed_or_are_late_are_told_with_their_run() {
    let world = World::new().await;
    let failing = |active: bool| {
        let job = json!({"name": "j", "active": active, "last_run": "run_1", "last_run_at": 5, "error": {"message": "boom"}});
        json!({"count": 1, "failing": [job], "late": []})
    };
    let given_up = world.problem("jobs.overview", failing(false)).await;
    assert_eq!(told(&given_up), ("job_failed", "bad", "j", "run_1"));
    assert!(given_up["message"].to_string().contains("boom"));
    let tried_again = world.problem("jobs.overview", failing(true)).await;
    assert_eq!(told(&tried_again), ("job_failed", "warn", "j", "run_1"));

    let deactivated = json!({"name": "j", "active": false, "last_run": "run_2", "last_run_at": 9, "error": {"message": "boom"},
        "deactivated": {"at": 5, "failures": 3}});
    let deactivated = json!({"count": 1, "failing": [deactivated], "late": []});
    let deactivated = world.problem("jobs.overview", deactivated).await;
    assert_eq!(told(&deactivated), ("job_failed", "bad", "j", "run_2"));
    assert_eq!(
        (&deactivated["since"], &deactivated["count"]),
        (&json!(5), &json!(3))
    );
    assert_eq!(
        deactivated["message"],
        "The job j was deactivated after 3 failures: boom"
    );

    let late = json!({"count": 1, "failing": [], "late": [{"name": "j", "active": true, "next_run_at": 9}]});
    let late = world.problem("jobs.overview", late).await;
    assert_eq!(told(&late), ("job_late", "bad", "j", ""));
    assert_eq!(late["since"], 9);
}

#[tokio::test]
async fn scopes_without_a_sender_and_failing_templates_are_told() {
    let world = World::new().await;
    let scope = json!([{"scope": "Fun Run", "code": 1, "message": "It has no from_email."}]);
    let scope = world.problem("users.passwordResetProblems", scope).await;
    assert_eq!(told(&scope), ("no_resets", "bad", "Fun Run", ""));
    let template = json!([{"path": "templates/a.tpl", "message": "line 3", "since": 4}]);
    let template = world.problem("template.failures", template).await;
    assert_eq!(told(&template), ("template_fails", "bad", "templates/a.tpl", ""));
    assert_eq!(template["since"], 4);
}

#[tokio::test]
async fn a_part_that_does_not_answer_is_told_and_takes_no_other_with_it() {
    let world = World::new().await;
    world.services.0.lock().unwrap().remove("template.failures");
    let health = world.health().await;
    assert_eq!(told(&health["problems"][0]), ("unknown", "bad", "", ""));
    assert_eq!(health["problems"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_scheduler_that_hangs_and_a_missing_server_are_told() {
    let world = World::new().await;
    world.core.clock.advance(Duration::from_secs(31));
    let health = world.health().await;
    assert_eq!(health["problems"][0]["kind"], "scheduler_stuck");
    world.core.server.scheduler_looked(world.core.clock.now_ms());
    assert_eq!(world.health().await["ok"], true);

    servers::leave(&world.core).await.unwrap();
    assert_eq!(world.health().await["problems"][0]["kind"], "no_server");
}

#[tokio::test]
async fn x02_code_that_does_not_end_is_told_and_counted() {
    let world = World::new().await;
    let pool = crate::lua::LuaPool::new("jobs", 1, &world.core.functions);
    let (release, released) = std::sync::mpsc::channel::<()>();
    let session = crate::lua::Session {
        caller: Caller::System,
        limits: crate::lua::Limits::default(),
        log: crate::lua::LogSink::new(100),
        cancel: crate::lua::Cancel::default(),
    };
    let run = pool.run(session, move |_| {
        let _ = released.recv();
        Ok(())
    });
    tokio::time::pause();
    run.await.unwrap_err();
    tokio::time::resume();
    let health = world.health().await;
    let problem = &health["problems"][0];
    assert_eq!(told(problem), ("code_stuck", "bad", "jobs", ""), "{health:#}");
    assert_eq!(problem["count"], 1);
    let call = world
        .core
        .functions
        .call(&Caller::System, "server.metrics", json!({}));
    let figures = call.await.unwrap();
    let figures = figures.as_str().unwrap();
    assert!(
        figures.contains("coronet_lua_threads_stuck{pool=\"jobs\"} 1"),
        "{figures}"
    );
    drop(release);
}

#[tokio::test]
async fn a_database_that_is_away_is_told_and_makes_the_server_unready() {
    let world = World::new().await;
    assert_eq!(ready(&world.core).await, Ok(()));
    world.core.db.close().await;
    let health = world.health().await;
    assert_eq!(health["problems"][0]["kind"], "database_silent", "{health:#}");
    assert_eq!(ready(&world.core).await, Err("the database does not answer\n"));
    world.core.shutdown.trigger();
    assert_eq!(ready(&world.core).await, Err("stopping\n"));
}

#[tokio::test]
async fn b01_x03_what_could_not_be_stored_and_a_full_audit_log_are_shown_and_do_not_end_readiness() {
    let world = World::new().await;
    assert_eq!(world.health().await["ok"], true);
    let error = crate::Error::new(crate::Code::ParameterInvalid, "no NUL");
    for job in ["One", "Two"] {
        world
            .core
            .losses
            .note("The end of a run", job, &error, world.core.clock.now_ms());
    }
    let health = world.health().await;
    let problem = &health["problems"][0];
    assert_eq!(problem["kind"], "record_lost", "{health}");
    assert_eq!(
        (&problem["count"], &problem["why"]),
        (&json!(2), &json!("no NUL"))
    );
    assert!(ready(&world.core).await.is_ok());

    world.core.clock.advance(Duration::from_secs(24 * 3600 + 1));
    world.core.server.scheduler_looked(world.core.clock.now_ms());
    assert_eq!(world.health().await["ok"], true);

    let limit = world.core.settings.now().retention.audit_entries;
    assert!(!world.core.audit_size.add(limit / 100 * 95, limit));
    let health = world.health().await;
    assert_eq!(health["problems"][0]["kind"], "audit_full", "{health}");
    assert_eq!(health["problems"][0]["level"], "warn");
}

#[tokio::test]
async fn b02_d01_what_users_do_not_get_is_told() {
    let world = World::new().await;
    let failed = json!({"failed": 2, "first_at": 7, "latest_id": "code_1", "latest_because": "no sender"});
    let problem = world.problem("codes.trouble", failed).await;
    assert_eq!(told(&problem), ("reset_failed", "bad", "", "code_1"));
    assert_eq!(
        (&problem["count"], &problem["since"], &problem["why"]),
        (&json!(2), &json!(7), &json!("no sender"))
    );
    let conflict = json!([{"user_id": "usr_1", "username": "carol", "scope": "Fun Run"}]);
    let problem = world.problem("users.addressConflicts", conflict).await;
    assert_eq!(told(&problem), ("address_conflict", "warn", "carol", "usr_1"));
}

async fn call(world: &World, function: &str, parameters: Value) -> Result<Value> {
    world
        .core
        .functions
        .call(&Caller::cli(), function, parameters)
        .await
}

#[tokio::test]
async fn ux08_a_muted_alarm_is_listed_and_does_not_count_until_its_time_is_over() {
    let world = World::new().await;
    let failed = json!({"waiting": 0, "given_up": 2, "given_up_at": MONDAY_NOON - 9, "given_up_latest_at": MONDAY_NOON - 5,
        "given_up_because": "no such domain", "given_up_id": "mail_1", "transport": "mailgun", "provider": "mailgun"});
    world
        .services
        .0
        .lock()
        .unwrap()
        .insert("mail.trouble", failed.clone());
    let hour = 3_600_000;
    let mute = |reason: &str, until: i64| json!({"part": "mail", "kind": "mail_failed", "reason": reason, "until": until});
    for (reason, until) in [
        ("", MONDAY_NOON + hour),
        ("a\0", MONDAY_NOON + hour),
        ("known", MONDAY_NOON),
        ("known", MONDAY_NOON + 91 * 24 * hour),
    ] {
        let refused = call(&world, "server.muteAlarm", mute(reason, until))
            .await
            .unwrap_err();
        assert_eq!(
            refused.code(),
            crate::Code::ParameterInvalid,
            "{reason:?} {until}"
        );
    }
    let unknown = json!({"part": "jobs", "kind": "job_failed", "subject": "x", "reason": "r", "until": MONDAY_NOON + hour});
    assert_eq!(
        call(&world, "server.muteAlarm", unknown)
            .await
            .unwrap_err()
            .code(),
        crate::Code::NotFound
    );

    call(
        &world,
        "server.muteAlarm",
        mute("the customer knows", MONDAY_NOON + hour),
    )
    .await
    .unwrap();
    let health = world.health().await;
    assert_eq!(health["ok"], true, "{health:#}");
    let problem = &health["problems"][0];
    assert_eq!(problem["muted"]["reason"], "the customer knows");
    assert_eq!(problem["muted"]["until"], MONDAY_NOON + hour);
    let mail = health["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["name"] == "mail")
        .unwrap();
    assert_eq!(
        (&mail["ok"], &mail["message"]),
        (&json!(true), &json!("1 muted problem"))
    );
    assert_eq!(
        call(&world, "server.mutedAlarms", json!({})).await.unwrap()[0]["kind"],
        "mail_failed"
    );

    // It happened once more: that is not what was muted.
    let mut again = failed.clone();
    again["given_up_latest_at"] = json!(MONDAY_NOON + 1);
    world.services.0.lock().unwrap().insert("mail.trouble", again);
    assert_eq!(world.health().await["ok"], false);
    world
        .services
        .0
        .lock()
        .unwrap()
        .insert("mail.trouble", failed.clone());
    assert_eq!(world.health().await["ok"], true);

    let key = json!({"part": "mail", "kind": "mail_failed"});
    assert_eq!(
        call(&world, "server.unmuteAlarm", key.clone()).await.unwrap(),
        true
    );
    assert_eq!(world.health().await["ok"], false);
    assert_eq!(call(&world, "server.unmuteAlarm", key).await.unwrap(), false);

    call(&world, "server.muteAlarm", mute("known", MONDAY_NOON + hour))
        .await
        .unwrap();
    world.core.clock.advance(Duration::from_secs(3601));
    world.core.server.scheduler_looked(world.core.clock.now_ms());
    servers::beat(&world.core, MONDAY_NOON).await.unwrap();
    assert_eq!(world.health().await["ok"], false, "its time is over");
}

//! Job code that is tried: it runs as its job would, and nothing is changed by it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use coronet_core::Result;
use coronet_core::functions::{Access, Call, Caller, Function, OperatorCaller, Role, Via};
use coronet_core::{Code, lua, random};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::world::{World, on_both};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Send {
    message: Map<String, Value>,
}

#[derive(Deserialize, JsonSchema)]
struct Nothing {}

#[derive(Deserialize, JsonSchema)]
struct Named {
    #[serde(default)]
    #[expect(dead_code, reason = "part of the function's shape")]
    name: Option<String>,
}

/// Functions that count how often they are really called.
fn counted(world: &World) -> Arc<AtomicUsize> {
    async fn send(calls: Arc<AtomicUsize>, _: Arc<Call>, _: Send) -> Result<Value> {
        calls.fetch_add(1, Ordering::SeqCst);
        Ok(json!({ "id": "mail_1" }))
    }
    async fn change(calls: Arc<AtomicUsize>, _: Arc<Call>, _: Nothing) -> Result<bool> {
        calls.fetch_add(1, Ordering::SeqCst);
        Ok(true)
    }
    async fn look(_: Arc<AtomicUsize>, _: Arc<Call>, _: Nothing) -> Result<i64> {
        Ok(7)
    }
    let calls = Arc::new(AtomicUsize::new(0));
    let functions = vec![
        Function::write("mail.send", "Sends.", &calls, send).access(Access::JOB),
        Function::write("things.change", "Changes.", &calls, change).access(Access::JOB),
        Function::read("things.look", "Looks.", &calls, look).access(Access::JOB),
        Function::read("things.secret", "Looks.", &calls, look),
    ];
    world.core.functions.add("core", functions).unwrap();
    calls
}

fn job(body: &str) -> String {
    format!("local job = core.job()\nfunction job.run()\n{body}\nend\nreturn job\n")
}

async fn tried(world: &World, body: &str, answers: Value) -> Value {
    let parameters = json!({ "code": job(body), "path": "new.lua", "answers": answers });
    world.call("jobs.test", parameters).await.unwrap()
}

fn answered(tested: &Value) -> Vec<(&str, &str)> {
    let calls = tested["calls"].as_array().unwrap().iter();
    calls
        .map(|call| {
            (
                call["function"].as_str().unwrap(),
                call["answered"].as_str().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn mail_is_caught_what_reads_is_read_and_what_changes_is_refused() {
    on_both(async |world: World| {
        let calls = counted(&world);
        let body = "local sent = core.email.new():to('carol@example.com'):subject('Hi'):text('x'):send()
            core.log('sent', sent.id ~= nil, 'looked', core.things.look())
            local ok, err, code = core.things.change()
            core.log(ok, err, code)
            return job.SLEEP";
        let tested = tried(&world, body, json!({})).await;
        assert_eq!(tested["outcome"], "sleep", "{tested}");
        assert_eq!(tested["problem"], Value::Null);
        assert_eq!(
            answered(&tested),
            [
                ("mail.send", "caught"),
                ("things.look", "read"),
                ("things.change", "not done")
            ]
        );
        assert_eq!(
            tested["calls"][0]["parameters"]["message"]["to"],
            json!(["carol@example.com"])
        );
        assert_eq!(tested["calls"][0]["parameters"]["message"]["subject"], "Hi");
        let log = tested["log"].as_str().unwrap();
        assert!(
            log.starts_with("sent true looked 7\nnil things.change is not called"),
            "{log}"
        );
        assert!(log.contains("953"), "{log}");
        assert_eq!(calls.load(Ordering::SeqCst), 0, "nothing was done");
        assert_eq!(world.call("jobs.list", json!({})).await.unwrap(), json!([]));

        // What a real call would refuse is refused.
        let body = "local ok, err = core.mail.send(1) core.log(ok, err) return job.OK";
        let tested = tried(&world, body, json!({})).await;
        assert!(tested["log"].as_str().unwrap().starts_with("nil"), "{tested}");

        // Answers that somebody gave go first.
        let body = "core.log(core.things.change(), core.things.look()) return job.OK";
        let tested = tried(&world, body, json!({ "things.change": true, "things.look": 3 })).await;
        assert_eq!(tested["log"], "true 3\n");
        // What is not open to jobs is not open here, though an operator tries it.
        let body = "core.log(select(3, core.things.secret())) return job.OK";
        let tested = tried(&world, body, json!({})).await;
        assert_eq!(tested["log"], format!("{}\n", Code::Forbidden.number()));
        assert_eq!(calls.load(Ordering::SeqCst), 0);
    })
    .await;
}

#[tokio::test]
async fn mail_that_a_real_run_would_refuse_is_refused() {
    on_both(async |world: World| {
        async fn check(_: Arc<()>, input: Send) -> Result<()> {
            match input.message.get("to") {
                Some(to) if to == &json!(["carol@example.com"]) => Ok(()),
                _ => Err(coronet_core::Error::new(
                    Code::ParameterInvalid,
                    "`to` cannot be used.",
                )),
            }
        }
        async fn send(_: Arc<()>, _: Arc<Call>, _: Send) -> Result<Value> {
            panic!("nothing is sent by a test run")
        }
        let nothing = Arc::new(());
        let function = Function::write("mail.send", "Sends.", &nothing, send)
            .access(Access::JOB)
            .checked(&nothing, check);
        world.core.functions.add("core", vec![function]).unwrap();
        let body = "local function mail(to) return core.email.new():to(to):text('x'):send() end
            core.log(mail('carol@example.com') ~= nil, select(2, mail('nobody')))
            return job.OK";
        let tested = tried(&world, body, json!({})).await;
        assert_eq!(tested["log"], "true `to` cannot be used. 805\n", "{tested}");
        assert_eq!(
            answered(&tested),
            [("mail.send", "caught"), ("mail.send", "not done")]
        );
    })
    .await;
}

#[tokio::test]
async fn every_end_of_a_test_run_is_told_with_its_place() {
    on_both(async |world: World| {
        for (body, expected) in [
            ("return job.OK", "ok"),
            ("return job.STOP", "stop"),
            ("return job.EXIT", "exit"),
            ("return 5", "error"),
        ] {
            assert_eq!(
                tried(&world, body, json!({})).await["outcome"],
                expected,
                "{body}"
            );
        }
        let failed = tried(&world, "core.log('so far')\nerror('no luck')", json!({})).await;
        assert_eq!(failed["outcome"], "error");
        assert_eq!(failed["problem"]["line"], 4);
        assert!(failed["problem"]["message"].as_str().unwrap().contains("no luck"));
        assert!(
            failed["problem"]["traceback"]
                .as_str()
                .unwrap()
                .contains("jobs/new.lua:4")
        );
        assert_eq!(failed["log"], "so far\n");
        let broken = world
            .call("jobs.test", json!({ "code": "local = 3" }))
            .await
            .unwrap();
        assert_eq!(
            (&broken["outcome"], &broken["problem"]["line"]),
            (&json!("error"), &json!(1))
        );
    })
    .await;
}

#[tokio::test]
async fn a_test_run_is_watched_while_it_runs_and_ends_with_whoever_asked() {
    on_both(async |world: World| {
        // The code waits for the one who watches: it goes on once its line was seen.
        let endless = json!({ "code": job("core.log('begun') while true do end"), "watch": "test_watch" });
        let run = world.call("jobs.test", endless.clone());
        let seen = async {
            loop {
                let output = world
                    .call("jobs.testOutput", json!({ "watch": "test_watch" }))
                    .await
                    .unwrap();
                if output == "begun\n" {
                    return world.call("jobs.test", endless.clone()).await.unwrap_err();
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            ended = run => panic!("an endless run ended: {ended:?}"),
            twice = seen => assert!(twice.message().contains("is in progress"), "{twice}"),
        }
        // It was given up with its call, so its name is free.
        let output = world
            .call("jobs.testOutput", json!({ "watch": "test_watch" }))
            .await;
        assert_eq!(output.unwrap(), Value::Null);
    })
    .await;
}

#[tokio::test]
async fn local_time_is_that_of_the_job_with_this_code() {
    on_both(async |world: World| {
        world
            .job_with(
                "new",
                "return job.OK",
                json!({ "interval": 60, "timezone": "Asia/Tokyo" }),
            )
            .await;
        let tested = tried(
            &world,
            "core.log(job.hour(true) - job.hour()) return job.OK",
            json!({}),
        )
        .await;
        let hours: i64 = tested["log"].as_str().unwrap().trim().parse().unwrap();
        assert_eq!(hours.rem_euclid(24), 9);
    })
    .await;
}

#[tokio::test]
async fn whoever_may_not_edit_may_not_try() {
    on_both(async |world: World| {
        let viewer = Caller::Operator(Arc::new(OperatorCaller {
            id: "op_1".to_owned(),
            name: "vera".to_owned(),
            role: Role::Viewer,
            via: Via::Webmin,
            password_at: None,
            address: None,
        }));
        let test = json!({ "code": job("return job.OK") });
        let refused = world.core.functions.call(&viewer, "jobs.test", test).await;
        assert_eq!(refused.unwrap_err().code(), Code::Forbidden);
    })
    .await;
}

#[tokio::test]
async fn every_starting_point_is_a_job_that_works() {
    on_both(async |world: World| {
        counted(&world);
        async fn stub(_: Arc<()>, _: Arc<Call>, _: Named) -> Result<bool> {
            Ok(true)
        }
        let stubs = [
            "users.flushExpiredPasswordResets",
            "mail.stats",
            "scopes.get",
            "scopes.create",
        ]
        .map(|name| Function::write(name, "Stands for another.", &Arc::new(()), stub).access(Access::JOB));
        world.core.functions.add("core", stubs.into()).unwrap();
        let no_scope = json!({ "error": { "code": Code::ScopeNotFound.number(), "message": "There is no such scope." } });
        for (name, answers, outcomes) in [
            ("empty", json!({}), ["ok"].as_slice()),
            ("reset-cleanup", json!({ "users.flushExpiredPasswordResets": 3 }), &["ok"]),
            ("weekly-report", json!({ "mail.stats": { "queued": 1, "failed": 0, "bounced": 2 } }), &["ok"]),
            // It needs a web service.
            ("web-service", json!({}), &[]),
            ("not-on-sundays", json!({}), &["ok", "sleep"]),
            ("only-in-january", json!({}), &["ok", "stop"]),
            ("set-up-once", json!({ "scopes.get": no_scope, "scopes.create": 1 }), &["exit"]),
            ("set-up-once", json!({ "scopes.get": { "name": "My App" } }), &["exit"]),
        ] {
            let (path, name_of_job) = (format!("{name}.lua"), random::id("job"));
            let settings = json!({ "name": name_of_job, "path": path, "interval": 60 });
            let create = json!({ "job": settings, "template": name });
            world.call("jobs.create", create).await.unwrap();
            let code = world.code_at(&path).unwrap();
            lua::compile(&path, &code, 10_000).unwrap();
            if outcomes.is_empty() {
                continue;
            }
            let tested = world.call("jobs.test", json!({ "code": code, "answers": answers })).await.unwrap();
            assert!(outcomes.contains(&tested["outcome"].as_str().unwrap()), "{name}: {tested}");
        }
        let unknown = json!({ "job": { "name": "x", "path": "x.lua", "interval": 60 }, "template": "nonsense" });
        assert!(world.call("jobs.create", unknown).await.is_err());
    })
    .await;
}

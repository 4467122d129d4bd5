//! What code can do: call the registry, send mail, print; and how its sessions end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::*;
use crate::functions::{Access, Call};
use crate::{Code, Error};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Greet {
    name: String,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    options: Option<GreetOptions>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GreetOptions {
    #[serde(default)]
    keys: serde_json::Map<String, Value>,
}

#[derive(Serialize, JsonSchema)]
struct Greeting {
    text: String,
    tags: usize,
    nickname: Option<String>,
}

fn greeter() -> Function {
    async fn greet(_: Arc<()>, _: Arc<Call>, input: Greet) -> Result<Greeting> {
        if input.name == "nobody" {
            return Err(Error::new(Code::UserNotFound, "There is nobody."));
        }
        let keys = input.options.map_or(0, |options| options.keys.len());
        Ok(Greeting {
            text: format!("Hello {} {keys}", input.name),
            tags: input.tags.len(),
            nickname: None,
        })
    }
    Function::read("echo.greet", "Greets.", &Arc::new(()), greet).access(Access::JOB)
}

#[tokio::test]
async fn functions_of_the_registry_are_there_with_positional_arguments() {
    let fixture = Fixture::with(vec![greeter()]);
    let code = "local res, err = core.echo.greet('Coronium', {}, { keys = { a = 1 } })
        return { res.text, res.tags, res.nickname == nil, err == nil }";
    assert_eq!(
        fixture.run(code).await.unwrap(),
        json!(["Hello Coronium 1", 0, true, true])
    );
    let code = "local res, err, code = core.echo.greet('nobody') return { res == nil, err, code }";
    assert_eq!(
        fixture.run(code).await.unwrap(),
        json!([true, "There is nobody.", 604])
    );
    let code = "local res, err, code = core.echo.greet(nil, { 'x' }) return { res == nil, code, err }";
    let refused = fixture.run(code).await.unwrap();
    assert_eq!(refused[1], json!(Code::ParameterMissing.number()), "{refused}");
}

#[tokio::test]
async fn l06_bad_arguments_and_names_give_errors_that_help() {
    let fixture = Fixture::with(vec![greeter()]);
    for (code, expected) in [
        (
            "return select(2, core.echo.greet(print))",
            "echo.greet: name: a function cannot be passed.",
        ),
        (
            "return select(2, core.echo.greet('\\255'))",
            "echo.greet: name: the text is not valid UTF-8.",
        ),
        (
            "local t = {} t.t = t return select(2, core.echo.greet('a', t))",
            "echo.greet: tags.t.t.t",
        ),
        (
            "return select(2, core.echo.greet('a', {}, {}, 4))",
            "echo.greet(name, tags, options) was called with 4 arguments.",
        ),
        (
            "return select(2, core.echo.greet(string.rep('x', 5e6)))",
            "echo.greet: name: the value is larger than 4 MB.",
        ),
        (
            "return select(2, pcall(function() return core.echo.gret end))",
            "there is no core.echo.gret; core.echo has greet",
        ),
        (
            "return select(2, pcall(function() return core.ecko.greet end))",
            "there is no core.ecko; there are echo",
        ),
    ] {
        let answer = fixture.run(code).await.unwrap();
        assert!(answer.as_str().unwrap().contains(expected), "{code}: {answer}");
    }
}

#[derive(Deserialize, JsonSchema)]
struct Nothing {}

#[tokio::test]
async fn l06_a_panic_in_a_host_function_is_an_error_of_the_code_alone() {
    async fn burst(_: Arc<()>, _: Arc<Call>, _: Nothing) -> Result<u32> {
        panic!("burst pipe")
    }
    let fixture = Fixture::with(vec![
        Function::read("echo.burst", "Panics.", &Arc::new(()), burst).access(Access::JOB),
    ]);
    let code = "local answer, message, code = core.echo.burst() return { answer == nil, message, code }";
    let answer = fixture.run(code).await.unwrap();
    assert_eq!((&answer[0], &answer[2]), (&json!(true), &json!(950)));
    assert!(!answer.to_string().contains("burst pipe"), "{answer}");
}

#[tokio::test]
async fn a_call_in_flight_ends_with_its_session() {
    struct Dropped(Arc<AtomicBool>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    async fn forever(dropped: Arc<AtomicBool>, _: Arc<Call>, _: Nothing) -> Result<u32> {
        let _guard = Dropped(Arc::clone(&dropped));
        std::future::pending().await
    }
    let dropped = Arc::new(AtomicBool::new(false));
    let function = Function::read("echo.forever", "Hangs.", &dropped, forever).access(Access::JOB);
    let mut fixture = Fixture::with(vec![function]);
    fixture.limits.time = Duration::from_millis(100);
    let error = fixture
        .run("while true do pcall(core.echo.forever) end")
        .await
        .unwrap_err();
    assert_eq!(error.kind, LuaErrorKind::Deadline);
    assert!(dropped.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_session_is_cancelled_by_hand_and_when_nobody_waits_for_it() {
    let fixture = Fixture::new();
    let cancel = Cancel::default();
    let run = fixture.run_logged(
        "while true do pcall(function() while true do end end) end",
        LogSink::new(100),
        cancel.clone(),
    );
    let ((), outcome) = tokio::join!(async { cancel.cancel() }, run);
    assert_eq!(outcome.unwrap_err().kind, LuaErrorKind::Cancelled);

    let abandoned = Cancel::default();
    let run = fixture.run_logged("while true do end", LogSink::new(100), abandoned.clone());
    assert!(
        tokio::time::timeout(Duration::from_millis(20), run)
            .await
            .is_err()
    );
    assert!(abandoned.is_cancelled());
}

#[tokio::test]
async fn a_message_is_put_together_and_sent_by_the_registry() {
    #[derive(Deserialize, JsonSchema)]
    struct Send {
        message: Value,
    }
    async fn send(_: Arc<()>, _: Arc<Call>, input: Send) -> Result<Value> {
        Ok(input.message)
    }
    let fixture = Fixture::with(vec![
        Function::write("mail.send", "Sends.", &Arc::new(()), send).access(Access::JOB),
    ]);
    let code = "local mail = core.email.new()
        mail:to('a@x.com', 'B <b@x.com>')
        mail:cc({ 'c@x.com' })
        mail:from('me@x.com') mail:replyTo('you@x.com') mail:text('Hi') mail:tag('t1') mail:testMode()
        mail:requireTls(false)
        return mail:send()";
    let expected = json!({
        "subject": "(no subject)", "to": ["a@x.com", "B <b@x.com>"], "cc": ["c@x.com"], "from": "me@x.com",
        "reply_to": ["you@x.com"], "text": "Hi", "tags": ["t1"], "test_mode": true, "require_tls": false,
    });
    assert_eq!(fixture.run(code).await.unwrap(), expected);
    let code = "return core.email.new('key', 'mg.x.com', 'EU'):subject('Hello'):send()";
    let expected =
        json!({ "subject": "Hello", "account": { "key": "key", "domain": "mg.x.com", "region": "EU" } });
    assert_eq!(fixture.run(code).await.unwrap(), expected);
    fixture.run("core.email.new():to(7)").await.unwrap_err();
}

#[tokio::test]
async fn a_full_pool_says_so_at_once() {
    let fixture = Fixture::new();
    let runs: Vec<_> = (0..200)
        .map(|_| fixture.run_logged("while true do end", LogSink::new(1), Cancel::default()))
        .collect();
    let busy = async {
        let mut runs = runs;
        let mut last = Ok(json!(null));
        while let Some(run) = runs.pop() {
            let mut run = Box::pin(run);
            tokio::select! {
                biased;
                outcome = &mut run => { last = outcome; break; }
                () = std::future::ready(()) => std::mem::forget(run),
            }
        }
        last
    };
    assert_eq!(busy.await.unwrap_err().kind, LuaErrorKind::Busy);
}

#[tokio::test]
async fn the_list_of_what_core_has_names_all_that_it_has() {
    let code = "local names = {}
        local all = {json = core.json, time = core.time, http = core.http, store = core.store}
        for key, value in pairs(core) do
            all[key] = value
        end
        for key, value in pairs(all) do
            table.insert(names, 'core.' .. key)
            for inner in pairs(type(value) == 'table' and value or {}) do
                table.insert(names, 'core.' .. key .. '.' .. inner)
            end
        end
        return names";
    let found = Fixture::new().run(code).await.unwrap();
    let listed: Vec<&str> = words(Access::JOB).map(|word| word.name).collect();
    for name in found.as_array().unwrap() {
        let name = name.as_str().unwrap();
        let service = name.trim_start_matches("core.");
        assert!(
            listed.contains(&name) || is_own(service),
            "surface.txt lacks {name}"
        );
    }
    assert!(listed.contains(&"email:send"), "{listed:?}");
}

#[tokio::test]
async fn d11_a_byte_order_mark_is_no_part_of_the_code() {
    let fixture = Fixture::new();
    assert_eq!(fixture.run("\u{feff}return 1").await.unwrap(), json!(1));
    let error = fixture
        .run("\u{feff}local x = 1\nerror('here')")
        .await
        .unwrap_err();
    assert_eq!(error.message, "job.lua:2: here");
    assert_eq!(
        fixture
            .run("return loadstring('\u{feff}return 2')()")
            .await
            .unwrap(),
        json!(2)
    );
}

#[tokio::test]
async fn mail_that_is_tried_is_refused_for_what_a_real_run_refuses_it() {
    let (_home, core) = crate::testing::core().await;
    crate::mail::start(&core).unwrap();
    let pool = LuaPool::new("test", 1, &core.functions);
    for (mail, refused) in [
        (
            ":from('me@x.example'):to('you@y.example'):subject('Hi'):text('x')",
            None,
        ),
        (":to('you@y.example'):subject('Hi'):text('x')", Some("sender")),
        (
            ":from('me@x.example'):to('nobody'):subject('Hi'):text('x')",
            Some("to"),
        ),
        (
            ":from('me@x.example'):to('you@y.example'):subject('Hi\\n'):text('x')",
            Some("subject"),
        ),
        (
            ":from('me@x.example'):to('you@y.example'):replyTo('nobody'):text('x')",
            Some("reply_to"),
        ),
    ] {
        let session = Session {
            caller: Caller::System,
            limits: Limits::default(),
            log: LogSink::new(100),
            cancel: Cancel::default(),
        };
        let caught = [("mail.send", json!({ "id": "mail_not_sent" }))];
        let rehearsal = Rehearsal::new(Access::JOB, serde_json::Map::new()).catching(caught);
        let rehearsal = Arc::new(rehearsal);
        let code =
            format!("local sent, text = core.email.new(){mail}:send() return sent and sent.id or text");
        let told = pool.rehearse(session, &rehearsal, move |sandbox| {
            let told: String = sandbox.load("job.lua", &code)?.call(())?;
            Ok(told)
        });
        let told = told.await.unwrap();
        match refused {
            None => assert_eq!(told, "mail_not_sent", "{mail}"),
            Some(about) => {
                assert!(told.contains(about), "{mail}: {told}");
                assert_eq!(rehearsal.calls()[0].answered, "not done", "{mail}");
            }
        }
    }
    let sent = core.functions.call(&Caller::System, "mail.list", json!({})).await;
    assert_eq!(sent.unwrap()["items"], json!([]));
}

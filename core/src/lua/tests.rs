//! What code can and cannot do in a session, tried with the real VM.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::*;
use crate::functions::{Access, Call, Caller, Function, Registry};
use crate::{Clock, Code, Error, Result};

struct Fixture {
    pool: LuaPool,
    limits: Limits,
}

impl Fixture {
    fn new() -> Self {
        Self::with(Vec::new())
    }

    fn with(functions: Vec<Function>) -> Self {
        let registry = Registry::new(Clock::manual(0));
        registry.add("core", functions).unwrap();
        let limits = Limits {
            time: Duration::from_secs(20),
            ..Limits::default()
        };
        Self {
            pool: LuaPool::new("test", 2, &registry),
            limits,
        }
    }

    async fn run(&self, code: &str) -> Result<Value, LuaError> {
        self.run_logged(code, LogSink::new(64 << 10), Cancel::default())
            .await
    }

    async fn run_logged(&self, code: &str, log: LogSink, cancel: Cancel) -> Result<Value, LuaError> {
        let caller = Caller::Job {
            name: "test".into(),
            run: "run_1".into(),
        };
        let session = Session {
            caller,
            limits: self.limits,
            log,
            cancel,
        };
        let code = code.to_owned();
        self.pool
            .run(session, move |sandbox| {
                let value: mlua::Value = sandbox.load("job.lua", &code)?.call(())?;
                to_json(&value, "result", Hint::NONE)
                    .map_err(|cause| LuaError::new(LuaErrorKind::Runtime, cause.to_string()))
            })
            .await
    }
}

#[tokio::test]
async fn l01_code_that_never_ends_dies_at_its_limit_whatever_it_catches() {
    let mut fixture = Fixture::new();
    fixture.limits.time = Duration::from_millis(150);
    for code in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do pcall(error) end",
        "local function again() while true do xpcall(again, again) end end again()",
        "while true do xpcall(error, function() while true do end end) end",
        "while true do coroutine.wrap(function() while true do end end)() end",
        "local co co = coroutine.create(function() while true do coroutine.yield() end end)
         while true do coroutine.resume(co) end",
        "local t = setmetatable({}, { __index = function(t, k) while true do end end }) return t.x",
        "local t = setmetatable({}, { __index = function(t, k) return t[k + 1] end })
         while true do pcall(function() return t[1] end) end",
        "return string.find(string.rep('a', 1e5), string.rep('a?', 100) .. string.rep('a', 101) .. 'b')",
        "return (string.rep('a', 5000):gsub('.-.-.-.-.-.-.-b', ''))",
        "return string.match(string.rep('(', 1e5), '%b()%b()%b()x')",
        "local a, b = string.rep('a', 1e7) .. 'b', string.rep('a', 1e7) .. 'c'
         local t = {} for i = 1, 1e5, 2 do t[i] = a t[i + 1] = b end table.sort(t)",
        "while true do table.move({}, 1, 2^30, -2^30, {}) end",
        "table.sort(table.create(1e6, '100000'), function(a, b) while true do end end)",
        "while true do loadstring('while true do end')() end",
        "for i = 1, math.huge do end",
        "while true do core.log('x') end",
    ] {
        let started = Instant::now();
        let error = fixture.run(code).await.unwrap_err();
        assert_eq!(error.kind, LuaErrorKind::Deadline, "{code}: {error}");
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "{code} took {:?}",
            started.elapsed()
        );
    }
}

#[tokio::test]
async fn l01_single_steps_that_would_take_minutes_are_refused() {
    let fixture = Fixture::new();
    for code in [
        "return string.find(string.rep('a', 2e7), string.rep('a', 1e7) .. 'b', 1, true)",
        "return string.find(string.rep('b', 1e7), '[' .. string.rep('a', 1e7) .. ']*x')",
        "return string.split(string.rep('a', 2e7), string.rep('a', 1e7) .. 'b' .. string.rep('a', 1e6))",
        "return os.date(string.rep('%%', 1e7))",
    ] {
        let started = Instant::now();
        let error = fixture.run(code).await.unwrap_err();
        assert!(error.message.contains("too l"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(10));
    }
    let found = fixture
        .run("return { ('a,b,c'):split(','), ('hello'):find('l+'), ('x.y'):find('.', 1, true) }")
        .await;
    assert_eq!(found.unwrap(), json!([["a", "b", "c"], 3, 2, 2]));
}

#[tokio::test]
async fn l01_a_stopped_session_says_where_it_was() {
    let mut fixture = Fixture::new();
    fixture.limits.time = Duration::from_millis(50);
    let error = fixture
        .run("local n = 0\nlocal function spin()\n  while true do n += 1 end\nend\nspin()")
        .await
        .unwrap_err();
    assert_eq!(error.message, "stopped after its time limit of 0.05 s");
    assert_eq!(error.line, Some(3), "{error:?}");
    assert!(error.traceback.unwrap().contains("job.lua:5"));
}

#[tokio::test]
async fn l02_memory_bombs_end_in_a_memory_error() {
    let fixture = Fixture::new();
    for code in [
        "local s = 'x' while true do s = s .. s end",
        "return #string.rep('x', 1e9)",
        "local t = {} while true do t[#t + 1] = {} end",
        "local t = {} while true do t[#t + 1] = function() return t end end",
        "return buffer.create(1e9)",
        "local t = {} for i = 1, 1e9 do t[i] = buffer.create(4096) end",
        "return table.create(1e8, 1)",
        "local function deep(n) return { deep(n + 1) } end return deep(1)",
    ] {
        let error = fixture.run(code).await.unwrap_err();
        assert!(
            matches!(error.kind, LuaErrorKind::Memory | LuaErrorKind::Runtime),
            "{code}: {error:?}"
        );
        assert!(
            error.message.contains("memory") || error.message.contains("overflow"),
            "{code}: {error}"
        );
    }
}

#[tokio::test]
async fn l02_what_is_handed_to_the_server_counts_too() {
    let fixture = Fixture::new();
    let log = LogSink::new(100_000);
    // Twelve gigabytes, if each argument were copied whole.
    let code = "core.log(table.unpack(table.create(400, string.rep('x', 3e7)))) return 1";
    fixture
        .run_logged(code, log.clone(), Cancel::default())
        .await
        .unwrap();
    assert!(log.text().len() < 10_000);
    for code in [
        "local all = {} while true do local m = core.email.new() m:text(string.rep('x', 1e6) .. #all) all[#all + 1] = m end",
        "local m = core.email.new() while true do m:to(string.rep('x', 1e5) .. math.random()) end",
        "local t = {} for i = 1, 1e9 do t[i] = core.email.new() end",
    ] {
        let error = fixture.run(code).await.unwrap_err();
        assert_eq!(error.kind, LuaErrorKind::Memory, "{code}: {error}");
    }
    let error = fixture
        .run("core.email.new():text(string.rep('x', 5e6)):send()")
        .await
        .unwrap_err();
    assert!(
        error
            .message
            .contains("email.text: the value is larger than 4 MB"),
        "{error}"
    );
}

#[tokio::test]
async fn l02_a_huge_error_message_is_shortened() {
    let error = Fixture::new()
        .run("error(string.rep('x', 1e7))")
        .await
        .unwrap_err();
    assert!(error.message.len() < 5_000);
    assert!(error.message.ends_with("(cut)"), "{error}");
}

#[tokio::test]
async fn l03_source_is_bounded_in_size_and_nesting() {
    let fixture = Fixture::new();
    let huge = format!("local s = '{}'", "x".repeat(10 << 20));
    let error = fixture.run(&huge).await.unwrap_err();
    assert_eq!(error.kind, LuaErrorKind::Source);
    assert!(error.message.contains("262144 are allowed"), "{error}");
    for (open, close) in [
        ("(", ")"),
        ("{", "}"),
        ("function() return ", " end"),
        ("- ", "1"),
        ("not ", "1"),
        ("a.b(", ")"),
    ] {
        let deep = format!("return {}{}", open.repeat(12_000), close.repeat(12_000));
        let error = fixture.run(&deep).await.unwrap_err();
        assert_eq!(error.kind, LuaErrorKind::Source, "{open}: {error}");
    }
}

#[tokio::test]
async fn l04_bytecode_is_refused_everywhere() {
    let fixture = Fixture::new();
    let bytecode = mlua::chunk::Compiler::new().compile("return 42").unwrap();
    let as_text: String = bytecode.iter().map(|&byte| char::from(byte)).collect();
    assert_eq!(
        fixture.run(&as_text).await.unwrap_err().kind,
        LuaErrorKind::Source
    );
    let escaped: String = bytecode.iter().map(|byte| format!("\\{byte:03}")).collect();
    let code = format!("local ok, f, message = pcall(loadstring, '{escaped}') return not ok or f == nil");
    assert_eq!(fixture.run(&code).await.unwrap(), json!(true));
    assert_eq!(
        fixture
            .run("return string.dump == nil and load == nil and dofile == nil")
            .await
            .unwrap(),
        json!(true)
    );
    assert_eq!(
        fixture.run("return loadstring('return 1 + 1')()").await.unwrap(),
        json!(2)
    );
}

#[tokio::test]
async fn l05_nothing_is_left_for_the_next_session_and_nothing_reaches_outside() {
    let fixture = Fixture::new();
    for code in [
        "string.upper = nil",
        "getmetatable('').__index = {}",
        "core.log = nil",
        "core.NULL = 1",
        "setmetatable(core, {})",
        "table.insert = print",
        "core.email.new = nil",
    ] {
        fixture.run(code).await.unwrap_err();
    }
    fixture
        .run("x = 1 _G.y = 2 getfenv(0).z = 3 string_upper = 4 setfenv(0, {})")
        .await
        .ok();
    let clean = "return x == nil and y == nil and z == nil and ('a'):upper() == 'A' and core.log ~= nil";
    assert_eq!(fixture.run(clean).await.unwrap(), json!(true));
    let closed = "return { require == nil, io == nil, package == nil, os.execute == nil, os.getenv == nil, os.exit == nil,
        os.remove == nil, debug.getregistry == nil, debug.sethook == nil, ffi == nil }";
    assert_eq!(
        fixture.run(closed).await.unwrap(),
        json!([true, true, true, true, true, true, true, true, true, true])
    );
}

#[tokio::test]
async fn what_is_printed_is_logged() {
    let log = LogSink::new(1_000);
    let code = "core.log('hello', 1, 2.5, true, nil, { a = { 1, 2 } }, core.NULL) print('world')";
    Fixture::new()
        .run_logged(code, log.clone(), Cancel::default())
        .await
        .unwrap();
    assert_eq!(log.text(), "hello 1 2.5 true nil {\"a\":[1,2]} null\nworld\n");
}

#[tokio::test]
async fn an_error_carries_chunk_line_and_traceback() {
    let fixture = Fixture::new();
    let error = fixture
        .run("local function f()\n  local t = nil\n  return t.x\nend\nf()")
        .await
        .unwrap_err();
    assert_eq!(error.message, "job.lua:3: attempt to index nil with 'x'");
    assert_eq!((error.kind, error.line), (LuaErrorKind::Runtime, Some(3)));
    let traceback = error.traceback.unwrap();
    assert!(
        traceback.contains("job.lua:3") && traceback.contains("job.lua:5"),
        "{traceback}"
    );

    let error = fixture.run("local x = 1\nlocal = 2").await.unwrap_err();
    assert_eq!((error.kind, error.line), (LuaErrorKind::Source, Some(2)));
    assert!(
        error.message.starts_with("job.lua:2: Expected identifier"),
        "{error}"
    );

    let error = fixture.run("error({ code = 7 })").await.unwrap_err();
    assert_eq!(error.kind, LuaErrorKind::Runtime);
}

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
        "reply_to": "you@x.com", "text": "Hi", "tags": ["t1"], "test_mode": true, "require_tls": false,
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

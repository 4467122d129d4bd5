//! X02: code that tries to outlive its deadline, and what becomes of a thread whose code manages to.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;

/// Gives what follows the raw functions behind the prelude's, if there were a way to them.
const STEAL: &str = r#"
local stolen = {}
local function look()
  for level = 0, 60 do
    local ok, f = pcall(debug.info, level, "f")
    if ok and f then stolen[f] = level end
  end
end
local function look_from(co)
  for level = 0, 20 do
    local ok, f = pcall(debug.info, co, level, "f")
    if ok and f then stolen[f] = level end
  end
end
"#;

#[tokio::test]
async fn x02_code_cannot_get_at_the_functions_behind_the_library() {
    let places = r#"
string.gsub("a", ".", function() look() end)
string.gsub("a", ".", setmetatable({}, { __index = function() look() end }))
pcall(string.gsub, "a", ".", function() look() error({}) end)
table.sort({ 3, 2, 1 }, function(a, b) look() return a < b end)
local lt = { __lt = function() look() return false end, __eq = function() look() return false end, __tostring = function() look() return "x" end }
table.sort({ setmetatable({}, lt), setmetatable({}, lt), setmetatable({}, lt) })
table.find({ setmetatable({}, lt) }, setmetatable({}, lt))
table.foreach({ 1 }, function() look() end)
table.foreachi({ 1 }, function() look() end)
string.format("%s", setmetatable({}, lt))
local _ = `{setmetatable({}, lt)}`
xpcall(function() error("x") end, function() look() end)
xpcall(string.find, function() look() end, "x", "[a")
xpcall(string.rep, function() look() end, "x", 1e300)
xpcall(function() return nil + 1 end, function() look() end)
for word in string.gmatch("a b", "%a") do look() end
for word in string.gmatch("a b", "%a") do stolen[debug.info(1, "f")] = 1 end
local co = coroutine.create(function() string.gsub("a", ".", function() pcall(coroutine.yield) look() end) end)
coroutine.resume(co) look_from(co) coroutine.resume(co)
co = coroutine.create(function() pcall(function() coroutine.yield() end) end)
coroutine.resume(co) look_from(co)
co = coroutine.wrap(function() look() end) co()
pcall(pcall, pcall, look)
local iterator = string.gmatch("a", "a")
setmetatable({}, { __index = function() look() end }).x = nil
core.json.encode(setmetatable({ 1 }, lt))
"#;
    let code = format!(
        "{STEAL}{places}
        local foreign = {{ 'none' }}
        for f in stolen do
          if debug.info(f, 's') ~= 'job.lua' then table.insert(foreign, debug.info(f, 'n')) end
        end
        return foreign"
    );
    assert_eq!(Fixture::new().run(&code).await.unwrap(), json!(["none"]));
}

#[tokio::test]
async fn x02_no_foreign_environment_can_be_reached_or_set() {
    let code = r#"
local own, problems = getfenv(), { "none" }
local pcall, setfenv = pcall, setfenv
local functions = { string.gsub, string.find, pcall, xpcall, error, table.sort, os.date, getfenv, setfenv, debug.info, print,
  core.log.info, core.json.encode, string.gmatch("a", "a"), coroutine.wrap(function() end), string.len }
for i, f in functions do
  if getfenv(f) ~= own then table.insert(problems, "getfenv " .. i) end
  if pcall(setfenv, f, {}) then table.insert(problems, "setfenv " .. i) end
end
local function levels(where)
  for level = 0, 60 do
    local ok, environment = pcall(getfenv, level)
    if ok and environment ~= own then table.insert(problems, where .. " level " .. level) end
    local f = select(2, pcall(debug.info, level, "f"))
  end
  if pcall(setfenv, 0, {}) then table.insert(problems, where .. " setfenv 0") end
end
levels("plain")
string.gsub("a", ".", function() levels("gsub") end)
table.sort({ 2, 1 }, function() levels("sort") return false end)
xpcall(error, function() levels("handler") end)
setmetatable({}, { __index = function() levels("index") end }).x = 1
local _ = setmetatable({}, { __index = function() levels("index") end }).x
coroutine.wrap(function() levels("coroutine") end)()
-- By level, seen from a function that the library calls: what is set is the author's own function.
string.gsub("a", ".", function()
  for level = 2, 8 do pcall(setfenv, level, { type = 1, error = 1, string = {}, native = {} }) end
end)
return problems"#;
    assert_eq!(Fixture::new().run(code).await.unwrap(), json!(["none"]));
    // What is the author's own works as it always did.
    let own = r#"
local f = loadstring("return x")
setfenv(f, { x = 7 })
local function g() setfenv(1, { y = 8 }) return y end
return { f(), g(), getfenv(f).x, getfenv(1) == getfenv(), rawequal(getfenv(string.find), getfenv()) }"#;
    assert_eq!(
        Fixture::new().run(own).await.unwrap(),
        json!([7, 8, 7, true, true])
    );
}

#[tokio::test]
async fn x02_limits_hold_when_names_are_taken_by_others() {
    let code = r#"
type = function() return "number" end
tostring, select, tonumber, error, pcall, rawget = print, print, print, print, print, print
for _, name in { "raise", "native", "bounded", "fail", "guarded", "string", "table", "debug" } do getfenv()[name] = {} end
local f = getmetatable("").__index or nil
local ok = ("x"):rep(3):find("x")
return ok"#;
    assert_eq!(Fixture::new().run(code).await.unwrap(), json!(1));
}

/// What would run for minutes or for ever within one step of Lua.
const ENDLESS: [&str; 34] = [
    // The one of the issue, by the front door.
    "return ('a'):rep(260000):gsub('[' .. ('b'):rep(260000) .. 'a]*', '')",
    "return ('a'):rep(2e6):gsub('[' .. ('b'):rep(60000) .. 'a]*c', '')",
    "return ('a'):rep(2e6):find('[' .. ('b'):rep(60000) .. 'a]*c')",
    "return ('a'):rep(2e6):match('[' .. ('b'):rep(60000) .. 'a]-c')",
    "for _ in ('a'):rep(2e6):gmatch('[' .. ('b'):rep(60000) .. 'a]*c') do end",
    "return ('a'):rep(2e6):gsub('[^' .. ('b'):rep(60000) .. ']*b', function() end)",
    "return ('a'):rep(2e6):gsub('(.-)(.-)(.-)(.-)b', {})",
    "return ('('):rep(1e6):gsub('%b()', '')",
    "return ('a'):rep(1e6):match('(a*)(a*)%1%2%1b')",
    "return ('a'):rep(1e6):find('%f[b].-%f[b]')",
    "return ('a'):rep(2e7):find(('a'):rep(1e7) .. 'b', 1, true)",
    "return ('ab'):rep(1e7):split(('ab'):rep(2e6) .. 'a')",
    "return ('a'):rep(5e6):split('')",
    // A library function that calls library functions: no step of Lua in between.
    "local t = { 1 } for i = 1, 60 do t = { [t] = table.foreach, [{ [t] = table.foreach }] = table.foreach } end table.foreach(t, table.foreach)",
    "table.foreachi(table.create(3e6, ('b'):rep(1e7)), string.find)",
    "table.sort(table.create(2e6, ('b'):rep(1e6)), string.find)",
    "local big = table.create(1e6, {}) table.sort(table.create(1e6, big), table.find)",
    "local v = table.create(1e6, {}) setmetatable(v, { __eq = table.find }) local e = setmetatable({}, getmetatable(v)) return table.find(table.create(1e6, e), v)",
    "local t = setmetatable(table.create(1e6, ''), { __tostring = table.concat }) return string.format(('%s'):rep(3e5), table.unpack(table.create(3e5, t)))",
    "local t = setmetatable(table.create(1e6, ''), { __tostring = table.concat }) return string.format(('%*'):rep(3e5), table.unpack(table.create(3e5, t)))",
    "local t = setmetatable(table.create(1e6, ''), { __index = table.concat, __tostring = table.concat }) return ('a'):rep(1e6):gsub('a', t)",
    "return ('a'):rep(1e6):gsub('a', setmetatable({}, { __index = table.foreach }))",
    "local t = table.create(1e6, ('x'):rep(1e7)) table.sort(t)",
    "local t = {} for i = 1, 3000 do t[i] = ('x'):rep(1e4) .. i end while true do table.sort(t) end",
    "while true do xpcall(string.rep, string.rep, 'x', 1e7) end",
    // Formats.
    "return os.date(('%c'):rep(5e6))",
    "return string.pack(('b'):rep(1e6), table.unpack(table.create(9e5, 1)))",
    "return string.unpack(('c1'):rep(9e5), ('x'):rep(9e5))",
    "return string.packsize(('!1'):rep(1e7))",
    "return string.pack('c2147483647', 'x')",
    // Tables of a size that is only said.
    "return table.move({}, 1, 2^31 - 2, 2)",
    "return table.concat(table.create(3e6, ''), '', 1, 2^31 - 1)",
    "return core.json.decode('[' .. ('\"a\",'):rep(9e5) .. '1]')",
    "return core.time.format(0, ('%c'):rep(1e7))",
];

#[tokio::test]
async fn x02_nothing_in_the_library_runs_without_end() {
    let mut fixture = Fixture::new();
    fixture.limits.time = Duration::from_millis(200);
    for code in ENDLESS {
        let started = Instant::now();
        let outcome = fixture.run(code).await;
        let took = started.elapsed();
        assert!(
            took < Duration::from_secs(10),
            "{code} took {took:?}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn x02_code_without_loops_and_calls_is_stopped_too() {
    let mut fixture = Fixture::new();
    fixture.limits.time = Duration::from_millis(200);
    for (begin, again, end) in [
        ("local s, x = ('x'):rep(1e6) ", "x=s..'b' ", "x=nil+1"),
        (
            "local a, b, x = ('a'):rep(5e6) .. 'b', ('a'):rep(5e6) .. 'c' ",
            "x=a<b ",
            "x=nil+1",
        ),
        ("local s, x = ('1'):rep(1e7) ", "x=s+1 ", "x=nil+1"),
        ("local s, x = ('1'):rep(1e7) x={", "s+1,", "nil+1}"),
        (
            "local s, x = ('x'):rep(1e6) ",
            "if not s then x=1 end x=s..'b' ",
            "x=nil+1",
        ),
        (
            "local function f(...) local x ",
            "x={...} ",
            "x=nil+1 end f(table.unpack(table.create(7000, 1)))",
        ),
        (
            "local t, x = setmetatable(table.create(1e6, ''), { __index = table.concat }) ",
            "x=t.a ",
            "x=nil+1",
        ),
    ] {
        let times = (200 << 10) / again.len();
        let code = format!("{begin}{}{end}", again.repeat(times));
        let error = fixture.run(&code).await.unwrap_err();
        // Code that got to its end would have failed there, with another error.
        assert_eq!(error.kind, LuaErrorKind::Deadline, "{again}: {error}");
    }
}

/// A session that does not end before `release` is dropped.
struct Hanging {
    release: mpsc::Sender<()>,
    begun: oneshot::Receiver<()>,
    run: JoinHandle<Result<(), LuaError>>,
}

impl Hanging {
    fn start(fixture: &Fixture, cancel: &Cancel) -> Self {
        let (release, released) = mpsc::channel();
        let (begin, begun) = oneshot::channel();
        let session = Session {
            caller: Caller::System,
            limits: fixture.limits,
            log: LogSink::new(100),
            cancel: cancel.clone(),
        };
        let pool = fixture.pool.clone();
        let run = tokio::spawn(async move {
            let work = move |_: &Sandbox| {
                let _ = begin.send(());
                let _ = released.recv();
                Ok(())
            };
            pool.run(session, work).await
        });
        Self { release, begun, run }
    }

    /// How it ends when it is left to itself. The clock goes on to the next time that somebody waits for.
    async fn given_up(run: JoinHandle<Result<(), LuaError>>) -> LuaError {
        tokio::time::pause();
        let error = run.await.unwrap().unwrap_err();
        tokio::time::resume();
        error
    }
}

fn stuck(fixture: &Fixture) -> usize {
    fixture.registry.lua_threads().stuck()[0].threads
}

#[tokio::test]
async fn x02_a_thread_that_does_not_return_is_counted_and_replaced() {
    let fixture = Fixture::new();
    let mut releases = Vec::new();
    // Three times as many as the pool has threads.
    for number in 1..=6 {
        let hanging = Hanging::start(&fixture, &Cancel::default());
        hanging.begun.await.unwrap();
        let error = Hanging::given_up(hanging.run).await;
        assert_eq!(error.kind, LuaErrorKind::Deadline);
        assert!(error.message.contains("does not return"), "{error}");
        assert_eq!(stuck(&fixture), number);
        releases.push(hanging.release);
        assert_eq!(fixture.run("return 1 + 1").await.unwrap(), json!(2));
    }
    drop(releases);
    while stuck(&fixture) > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(fixture.run("return 1 + 1").await.unwrap(), json!(2));
}

#[tokio::test]
async fn x02_cancel_ends_what_does_not_return() {
    let fixture = Fixture::new();
    let cancel = Cancel::default();
    let hanging = Hanging::start(&fixture, &cancel);
    hanging.begun.await.unwrap();
    cancel.cancel();
    let error = Hanging::given_up(hanging.run).await;
    assert_eq!(error.kind, LuaErrorKind::Cancelled);
    assert_eq!(stuck(&fixture), 1);
    drop(hanging.release);
}

#[tokio::test]
async fn x02_sessions_that_wait_for_a_thread_get_the_place_of_a_stuck_one() {
    let fixture = Fixture::new();
    let cancel = Cancel::default();
    let (first, second) = (
        Hanging::start(&fixture, &cancel),
        Hanging::start(&fixture, &Cancel::default()),
    );
    first.begun.await.unwrap();
    second.begun.await.unwrap();
    let mut waiting = Box::pin(fixture.run("return 3"));
    // It is queued behind them.
    assert!(futures::poll!(&mut waiting).is_pending());
    cancel.cancel();
    Hanging::given_up(first.run).await;
    assert_eq!(waiting.await.unwrap(), json!(3));
    drop((first.release, second.release));
}

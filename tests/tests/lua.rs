//! Job code that means harm, run by the real server with the limits it ships with. Cases L01 to L06 of the security
//! table; the sandbox itself is tested in more ways beside its source.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use std::fs;

use coronet_tests::job::{await_run, run_code};
use coronet_tests::operator::set_up;
use coronet_tests::processes;
use coronet_tests::server::{Setup, TestServer};
use serde_json::{Value, json};

async fn bare_server() -> TestServer {
    Setup::default()
        .without_plugins()
        .start()
        .await
        .expect("SQLite is always there")
}

/// Runs what stands in `job.run`, with a time limit in seconds.
async fn run(server: &TestServer, name: &str, timeout: i64, body: &str) -> Value {
    let job = json!({
        "name": name, "path": format!("{}.lua", name.to_lowercase()), "interval": 3600, "timeout": timeout, "retries": 0
    });
    let code = format!(
        "local job = core.job()\nfunction job.run()\ndo {body}\nend return job.OK\nend\nreturn job\n"
    );
    run_code(server, job, &code).await
}

#[tokio::test]
async fn l01_every_way_never_to_end_is_ended_within_a_second_of_its_time() {
    let server = bare_server().await;
    let endless = [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "local function again() while true do xpcall(again, again) end end again()",
        "while true do coroutine.wrap(function() while true do pcall(coroutine.yield) end end)() end",
        "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) while true do pcall(function() return t[1] end) end",
        "return string.find(string.rep('a', 1e5), string.rep('a?', 100) .. string.rep('a', 101) .. 'b')",
        "table.sort(table.create(1e5, 1), function(a, b) while true do end end)",
    ];
    for (number, body) in endless.into_iter().enumerate() {
        let run = run(&server, &format!("Endless{number}"), 1, body).await;
        assert_eq!(run["outcome"], "timeout", "{body}: {run}");
        let took = run["duration_ms"].as_i64().expect("a duration");
        assert!((1000..2000).contains(&took), "{body}: {took} ms");
    }
    assert_eq!(run(&server, "Short", 1, "").await["outcome"], "ok");
}

#[tokio::test]
async fn l02_bombs_end_and_their_memory_comes_back() {
    let server = bare_server().await;
    run(&server, "Warm", 10, "local t = table.create(1e6, 1)").await;
    let before = processes::held_mib(server.pid());
    let bombs = [
        ("local s = 'x' while true do s = s .. s end", "memory"),
        ("local t = {} while true do t[#t + 1] = {} end", "memory"),
        (
            "local t = {} while true do t[#t + 1] = function() return t end end",
            "memory",
        ),
        (
            "local t = {} for i = 1, 1e9 do t[i] = buffer.create(4096) end",
            "memory",
        ),
        ("return string.rep('x', 1e9)", "memory"),
        (
            "local t = {} while true do t[#t + 1] = coroutine.create(function() end) end",
            "memory",
        ),
        ("error(string.rep('x', 5e7))", "memory"),
        // An error's own text is told, as far as there is room for it.
        ("error(string.rep('x', 5e6))", "xxx"),
    ];
    for (number, (body, told)) in bombs.into_iter().enumerate() {
        let run = run(&server, &format!("Bomb{number}"), 20, body).await;
        assert_eq!(run["outcome"], "error", "{body}: {run}");
        let message = run["error"]["message"].as_str().expect("a message");
        assert!(
            message.len() < 5_000,
            "{body}: {} bytes of message",
            message.len()
        );
        assert!(message.contains(told), "{body}: {message}");
    }
    let (after, peak) = (
        processes::held_mib(server.pid()),
        processes::peak_mib(server.pid()),
    );
    assert!(after < before + 64, "{before} MiB before, {after} MiB after");
    assert!(peak < before + 400, "{before} MiB before, {peak} MiB at most");
}

#[tokio::test]
async fn l02_a_flooded_log_is_cut_and_says_so() {
    let server = bare_server().await;
    let body = "for i = 1, 20000 do core.log(i .. string.rep('x', 2000)) end";
    let run = run(&server, "Flood", 20, body).await;
    assert_eq!(run["outcome"], "ok", "{run}");
    assert!(run["log_dropped_lines"].as_i64() > Some(0), "{run}");
    let log = server
        .operate("jobs.log", json!({"run_id": run["id"]}))
        .await
        .to_string();
    assert!(log.len() < 2_000_000, "{} bytes are kept", log.len());
}

#[tokio::test]
async fn l03_l04_source_without_measure_and_bytecode_are_refused() {
    let server = bare_server().await;
    // Written past the editor, which would refuse them.
    let jobs = server.home().join("jobs");
    fs::create_dir_all(&jobs).expect("a folder");
    let deep = format!("return {}1{}", "(".repeat(200_000), ")".repeat(200_000));
    let huge = format!("return {}1", "1 + ".repeat(5_000_000));
    for (name, bytes) in [
        ("Huge", huge.as_bytes()),
        ("Deep", deep.as_bytes()),
        ("Luau", &b"\x06\x03\x00\x00"[..]),
        ("Lua", b"\x1bLua\x54\x00"),
        ("Zero", b"\x00"),
    ] {
        fs::write(jobs.join(format!("{name}.lua")), bytes).expect("a file");
        let job = json!({"name": name, "path": format!("{name}.lua"), "interval": 3600, "retries": 0});
        let made = server
            .cli(&["call", "jobs.create", &json!({"job": job}).to_string()])
            .await;
        let started = server
            .cli(&["call", "jobs.run", &json!({"name": name}).to_string()])
            .await;
        if started.status.success() {
            let run = await_run(&server, name).await;
            assert_eq!(run["outcome"], "error", "{name}: {run}");
        } else {
            let refusal = if made.status.success() { started } else { made };
            assert_eq!(refusal.failed()["code"], 922, "{name}");
        }
    }
    let loads = "for _, code in {'\\27Lua', '\\6\\3\\0', '\\0'} do\n\
        local made, why = loadstring(code) assert(not made and why, 'loaded') end";
    let run = run(&server, "Loads", 5, loads).await;
    assert_eq!(run["outcome"], "ok", "{run}");
}

#[tokio::test]
async fn l05_nothing_a_job_does_to_its_world_reaches_the_next() {
    let server = bare_server().await;
    let mischief = "
        local tried = {
            function() getmetatable('').__index = function() return 'stolen' end end,
            function() getmetatable('').__len = function() return 7 end end,
            function() string.upper = function() return 'stolen' end end,
            function() math.floor = nil end,
            function() rawset(_G, 'left', 'behind') end,
            function() left = 'behind' end,
            function() setfenv(0, {}) end,
            function() getfenv(0).print = nil end,
            function() setfenv(1, {print = error}) end,
            function() core.users = {get = function() return 'stolen' end} end,
            function() core.users.get = function() return 'stolen' end end,
            function() setmetatable(core, {__index = function() return 'stolen' end}) end,
            function() rawset(core, 'log', nil) end,
            function() core.log.warn = nil end,
            function() table.insert(core, 'stolen') end,
        }
        for _, try in tried do pcall(try) end";
    assert_eq!(run(&server, "Mischief", 5, mischief).await["outcome"], "ok");
    let check = "
        assert(('x'):upper() == 'X' and #'four' == 4 and math.floor(1.5) == 1, 'the libraries')
        assert(left == nil and rawget(_G, 'left') == nil, 'a global')
        assert(type(print) == 'function' and pcall(core.log, 'a') and pcall(core.log.warn, 'b'), 'the basics')
        local user, why, code = core.users.get('usr_none')
        assert(user == nil and code == 604, 'core.users.get')
        for _, name in {'io', 'package', 'require', 'dofile', 'loadfile'} do
            assert(getfenv(0)[name] == nil, name)
        end
        assert(os.execute == nil and os.getenv == nil and os.remove == nil, 'os')
        assert(debug.getregistry == nil and debug.setmetatable == nil, 'debug')";
    for name in ["Check", "Again"] {
        let run = run(&server, name, 5, check).await;
        assert_eq!(run["outcome"], "ok", "{run}");
    }
}

/// Every function there is, called from a job with what it does not expect.
#[tokio::test]
async fn l06_every_host_function_survives_bad_arguments() {
    let server = Setup::default().start().await.expect("SQLite is always there");
    let admin = set_up(&server).await;
    let page = admin.get("/webmin/functions").await.text();
    let links = page.split("href=\"/webmin/function/").skip(1);
    let names: Vec<&str> = links.filter_map(|rest| rest.split('"').next()).collect();
    assert!(names.len() > 60, "{names:?}");
    // Every refusal is on record before the next call: a job of its own for each part of them.
    for (part, some) in names.chunks(40).enumerate() {
        let calls: Vec<String> = some.iter().map(|name| format!("'{name}'")).collect();
        let body = format!(
        "local circle = {{}} circle[1] = circle
        local deep = {{}} for i = 1, 500 do deep = {{deep}} end
        local bad = {{
            {{}}, {{{{}}}}, {{-1}}, {{0/0}}, {{1/0, 1e308}}, {{true, false}}, {{'\\0\\255\\254'}}, {{string.rep('x', 2e6)}},
            {{function() end}}, {{coroutine.create(print)}}, {{circle}}, {{deep}}, {{buffer.create(8)}},
            {{setmetatable({{}}, {{__index = error, __iter = error, __tostring = error, __len = error}})}},
            {{nil, nil, nil, 'x'}}, table.create(200, 'x'), {{{{a = 1, [1] = 2, [true] = 3}}}}, {{core.NULL, core.NULL}},
        }}
        local count = 0
        for _, name in {{{}}} do
            local service, method = name:match('^(.-)%.(.+)$')
            for _, arguments in bad do
                pcall(function() return core[service][method](table.unpack(arguments, 1, 4)) end)
                count += 1
            end
        end
        core.log('made ' .. count .. ' calls')",
        calls.join(", ")
    );
        let run = run(&server, &format!("Bad{part}"), 60, &body).await;
        assert_eq!(run["outcome"], "ok", "{run}");
        let log = server
            .operate("jobs.log", json!({"run_id": run["id"]}))
            .await
            .to_string();
        assert!(log.contains(&format!("made {} calls", some.len() * 18)), "{log}");
    }
    assert!(!server.printed().contains("panicked"), "{}", server.printed());
    assert_eq!(admin.get("/webmin/").await.status, 200);
}

//! What code cannot do: run for ever, take all memory, leave the sandbox.

use std::time::{Duration, Instant};

use serde_json::json;

use super::*;

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
async fn l01_single_steps_that_would_take_minutes_take_none() {
    let fixture = Fixture::new();
    for (code, refusal) in [
        // Linear, however long both are.
        (
            "return string.find(string.rep('a', 2e7), string.rep('a', 1e7) .. 'b', 1, true)",
            None,
        ),
        (
            "return #string.split(string.rep('a', 2e7), string.rep('a', 1e7) .. 'b' .. string.rep('a', 1e6))",
            None,
        ),
        (
            "return string.find(string.rep('b', 1e7), '[' .. string.rep('a', 1e7) .. ']*x')",
            Some("the pattern is longer than 65536 bytes"),
        ),
        (
            "return os.date(string.rep('%%', 1e7))",
            Some("the format is too long"),
        ),
    ] {
        let started = Instant::now();
        match (fixture.run(code).await, refusal) {
            (Ok(_), None) => {}
            (Err(error), Some(refusal)) => assert!(error.message.contains(refusal), "{error}"),
            (other, _) => panic!("{code}: {other:?}"),
        }
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

#[tokio::test]
async fn a_text_that_would_be_too_long_is_an_error_and_not_empty() {
    let fixture = Fixture::new();
    for count in ["2^31", "2^32", "1e15", "2^63", "'3000000000'", "math.huge"] {
        let error = fixture
            .run(&format!("return string.rep('x', {count})"))
            .await
            .unwrap_err();
        assert!(
            error.message.contains("resulting string too large"),
            "{count}: {error}"
        );
    }
    let code = "return { ('ab'):rep(2), string.rep('', 2^40), string.rep('x', -1), string.rep(7, 2) }";
    assert_eq!(
        fixture.run(code).await.unwrap(),
        serde_json::json!(["abab", "", "", "77"])
    );
}

#[tokio::test]
async fn nothing_that_is_told_holds_an_address_in_memory() {
    let fixture = Fixture::new();
    let log = LogSink::new(64 << 10);
    let code = "local t = {} t.t = t core.log(t, { print }) error({})";
    let error = fixture
        .run_logged(code, log.clone(), Cancel::default())
        .await
        .unwrap_err();
    assert!(error.message.contains("the error is a table"), "{error}");
    let told = format!("{error:?}{}", log.text());
    assert!(
        told.contains("contain themselves") && !told.contains("0x"),
        "{told}"
    );
}

#[tokio::test]
async fn an_error_is_shown_to_its_end_and_at_its_place() {
    let fixture = Fixture::new();
    for (raise, told) in [
        ("error('a\\0b')", "job.lua:2: a\\0b"),
        ("error('a\\0b', 0)", "job.lua:2: a\\0b"),
        ("error('plain')", "job.lua:2: plain"),
    ] {
        let error = fixture.run(&format!("local x = 1\n{raise}")).await.unwrap_err();
        assert_eq!(error.message, told);
        assert!(!error.traceback.unwrap_or_default().contains("prelude"));
    }
    let error = fixture
        .run("local function f() error('deep', 2) end\nf()")
        .await
        .unwrap_err();
    assert_eq!((error.message.as_str(), error.line), ("job.lua:2: deep", Some(2)));
}

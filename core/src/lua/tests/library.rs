//! What `core` has beside the services of the registry: levels of the log, JSON, time, requests, a job's own keys.

use serde_json::{Value, json};

use super::*;
use crate::Core;

/// 2026-01-05 12:00 UTC and 250 ms, in winter.
const NOON: i64 = crate::testing::MONDAY_NOON + 250;

async fn run(code: &str) -> Value {
    Fixture::new().run(code).await.unwrap()
}

/// Runs code as the job of this id.
async fn run_as(core: &Core, id: &str, code: &str) -> Value {
    let session = Session {
        caller: Caller::Job {
            id: id.into(),
            name: "nightly".into(),
            run: "run_1".into(),
        },
        limits: Limits::default(),
        log: LogSink::new(1000),
        cancel: Cancel::default(),
    };
    let code = code.to_owned();
    LuaPool::new("test", 1, &core.functions)
        .run(session, move |sandbox| {
            let value: mlua::Value = sandbox.load("job.lua", &code)?.call(())?;
            Ok(to_json(&value, "result", Hint::NONE).unwrap())
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn lines_of_the_log_carry_their_level() {
    let log = LogSink::new(1000);
    let code = "core.log('plain', 1) core.log.info({ a = 1 }) core.log.debug('x', nil) core.log.warn('slow') core.log.error('gone')
        print('as ever')
        return { pcall(function() core.log.warn = print end) }";
    let fixture = Fixture::new();
    let got = fixture
        .run_logged(code, log.clone(), Cancel::default())
        .await
        .unwrap();
    assert_eq!(got[0], false);
    assert_eq!(
        log.text(),
        "plain 1\n{\"a\":1}\ndebug: x nil\nwarn: slow\nerror: gone\nas ever\n"
    );
}

#[tokio::test]
async fn json_comes_back_as_it_was_written() {
    let code = r#"
        local text = core.json.encode({ name = "ü\n\"", list = { 1, 2.5, core.NULL, {} }, big = 2^53, yes = true })
        local value = core.json.decode(text)
        assert(value.name == "ü\n\"" and value.list[3] == core.NULL and #value.list == 4 and value.big == 2^53)
        assert(core.json.decode('{"a": null, "b": [null]}').a == nil)
        assert(core.json.decode(" null ") == core.NULL and core.json.decode('"\\u0041"') == "A")
        assert(core.json.decode(core.json.encode(core.NULL)) == core.NULL)
        return { core.json.encode({ b = 1 }), core.json.encode({ 1 }, { pretty = true }), core.json.encode("x") }"#;
    assert_eq!(run(code).await, json!(["{\"b\":1}", "[\n  1\n]", "\"x\""]));
}

#[tokio::test]
async fn d09_lists_stay_lists() {
    let code = r#"
        local json = core.json
        local function again(text) return json.encode(json.decode(text)) end
        local emptied = json.decode('[1]') table.remove(emptied)
        local copied = table.clone(json.decode('[]'))
        local renamed = json.decode('[]') renamed.a = 1
        local filled = json.list() table.insert(filled, 7)
        return {
          again('{"tags":[]}'), again('[]'), again('{}'), again('[[],{}]'), again('{"a":{"b":[]}}'),
          json.encode(emptied), json.encode(copied), json.encode(renamed),
          json.encode(json.list()), json.encode(json.list{}), json.encode({ tags = json.list{} }), json.encode(filled),
          json.encode(json.list{ 1, 2 }), json.encode({}), json.encode({ {} }), select(2, pcall(json.list, 7)),
        }"#;
    let expected = json!([
        "{\"tags\":[]}",
        "[]",
        "{}",
        "[[],{}]",
        "{\"a\":{\"b\":[]}}",
        "[]",
        "[]",
        "{\"a\":1}",
        "[]",
        "[]",
        "{\"tags\":[]}",
        "[7]",
        "[1,2]",
        "{}",
        "[{}]",
        "job.lua:12: core.json.list takes a table, and was given a number",
    ]);
    assert_eq!(run(code).await, expected);
}

#[tokio::test]
async fn d09_what_functions_give_and_take_keeps_its_lists() {
    let (_home, core) = crate::testing::core().await;
    crate::store::start(&core).unwrap();
    let code = r#"
        core.store.put("k", core.json.decode('{"tags":[],"meta":{}}'))
        local held = core.store.get("k")
        core.store.put("k", { again = held, list = core.store.list("nothing/") })
        return (core.json.encode((core.store.get("k"))))"#;
    let held = run_as(&core, "job_1", code).await;
    let held: Value = serde_json::from_str(held.as_str().unwrap()).unwrap();
    assert_eq!(held, json!({ "again": { "meta": {}, "tags": [] }, "list": [] }));
}

#[tokio::test]
async fn l06_json_that_cannot_be_is_refused_with_its_code() {
    for (code, number, text) in [
        (
            "encode(print)",
            831,
            "core.json.encode: value: a function cannot be passed.",
        ),
        (
            "encode({ a = 0/0 })",
            831,
            "core.json.encode: value.a: not a number (nan) and infinity cannot be passed.",
        ),
        (
            "encode((function() local t = {} t.t = t return t end)())",
            831,
            "contain themselves",
        ),
        ("encode(string.rep('x', 5e6))", 831, "larger than 4 MB"),
        ("decode('{')", 830, "This is not valid JSON: it ends too early"),
        ("decode('')", 830, "This is not valid JSON"),
        ("decode('1 2')", 830, "This is not valid JSON (line 1, column 3)."),
        ("decode('{\"a\":1,\"a\":2}')", 830, "a"),
        (
            "decode(nil)",
            830,
            "core.json.decode takes text, and was given a nil.",
        ),
        ("decode({})", 830, "was given a table"),
        ("decode('\"\\255\"')", 830, "This is not valid JSON"),
        ("decode(string.rep(' ', 5e6))", 830, "larger than 4 MB"),
        (
            "decode(string.rep('[', 65) .. string.rep(']', 65))",
            830,
            "nested more than 64 deep",
        ),
        ("decode(string.rep('[', 1e6))", 830, "it is nested too deep"),
    ] {
        let got = run(&format!(
            "local v, text, code = core.json.{code} return {{ v == nil, text, code }}"
        ))
        .await;
        assert_eq!(
            (&got[0], &got[2]),
            (&json!(true), &json!(number)),
            "{code}: {got}"
        );
        assert!(got[1].as_str().unwrap().contains(text), "{code}: {got}");
    }
    let deep = "return core.json.encode(core.json.decode(string.rep('[', 64) .. string.rep(']', 64))) ~= nil";
    assert_eq!(run(deep).await, true);
}

#[tokio::test]
async fn l02_json_that_fills_the_memory_ends_the_code() {
    let ended = Fixture::new()
        .run("return #core.json.decode('[' .. string.rep('[],', 1300000) .. '[]]')")
        .await;
    assert_eq!(ended.unwrap_err().kind, LuaErrorKind::Memory);
}

#[tokio::test]
async fn times_are_read_and_written_by_the_clocks_of_a_zone() {
    let (_home, core) = crate::testing::core().await;
    core.clock.set(NOON);
    let code = r#"
        local time = core.time
        local berlin = "Europe/Berlin"
        return {
          time.now(), time.nowMs(), time.format(), time.format(0),
          time.format(time.now(), "%d.%m.%Y %H:%M", berlin),
          time.format(time.parse("2026-07-01 08:00", berlin), nil, "UTC"),
          time.parse("1970-01-02"), time.parse("1970-01-01T01:00:00.5+01:00"),
          time.parse("Mon, 05 Jan 2026 12:00:00 GMT"),
        }"#;
    let expected = json!([
        1_767_614_400.25,
        NOON,
        "2026-01-05T12:00:00+00:00",
        "1970-01-01T00:00:00+00:00",
        "05.01.2026 13:00",
        "2026-07-01T06:00:00+00:00",
        86_400,
        0.5,
        1_767_614_400,
    ]);
    assert_eq!(run_as(&core, "job_1", code).await, expected);
    core.clock.advance(Duration::from_secs(1));
    let later = run_as(&core, "job_1", "return core.time.now()").await;
    assert_eq!(later, 1_767_614_401.25);
}

#[tokio::test]
async fn times_are_read_as_they_are_written() {
    let code = r#"
        local zone, at = "Europe/Berlin", 1767614400
        local read = {}
        for _, pattern in { "%Y-%m-%d %H:%M %z", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S%:z", "%Y-%m-%d %H:%M:%S %z",
            "%FT%T%:z", "%F %T", "%F %R", "%c", "%+", "%a, %d %b %Y %H:%M:%S %z" } do
          table.insert(read, (core.time.parse(core.time.format(at, pattern, zone), zone)))
        end
        for _, pattern in { "%d.%m.%Y %H:%M", "%d/%m/%y %I:%M %p", "%s", "%D %T", "%Y%m%dT%H%M%S%z", "%A %e %B %Y, %H:%M",
            "%Y-%j %H:%M", "%G-W%V-%u %H:%M", "%d.%m.%Y %k Uhr", "%H:%M:%S on %x", "%::z %F %T" } do
          table.insert(read, (core.time.parse(core.time.format(at, pattern, zone), zone, pattern)))
        end
        for _, text in { "2026-01-05 12:00Z", "2026-01-05 12:00 UTC", "2026-01-05T13:00+01", "2026-01-05 07:00 -0500",
            "2026-01-05 17:30:00 +05:30" } do
          table.insert(read, (core.time.parse(text)))
        end
        table.insert(read, core.time.parse("05.01.2026", nil, "%d.%m.%Y") + 43200)
        return read"#;
    let read = run(code).await;
    for (index, read) in read.as_array().unwrap().iter().enumerate() {
        assert_eq!(read, 1_767_614_400, "number {}", index + 1);
    }
    for (call, text) in [
        (
            "'5.1.', nil, '%d.%m.%Y'",
            "`5.1.` is no time written as `%d.%m.%Y`.",
        ),
        ("'x', nil, '%'", "The pattern cannot be used."),
        ("'x', nil, string.rep('%c', 1e6)", "The pattern cannot be used."),
        ("'2026-01-05 12:00 +99:00'", "is no time such as"),
        ("'2026-01-05 12:00 +1'", "is no time such as"),
        ("'12:00 +0100'", "is no time such as"),
    ] {
        let told = run(&format!("return (select(2, core.time.parse({call})))")).await;
        assert!(told.as_str().unwrap().contains(text), "{call}: {told}");
    }
}

#[tokio::test]
async fn days_and_months_go_by_the_calendar_and_hours_by_the_clock() {
    // Europe/Berlin: clocks go from 02:00 to 03:00 on 2026-03-29, and from 03:00 to 02:00 on 2026-10-25.
    let code = r#"
        local berlin = "Europe/Berlin"
        local function moved(text, parts)
          return core.time.format(core.time.add(core.time.parse(text, berlin), parts, berlin), "%Y-%m-%d %H:%M %z", berlin)
        end
        return {
          moved("2026-03-28 12:00", { days = 1 }), moved("2026-03-28 12:00", { hours = 24 }),
          moved("2026-03-28 02:30", { days = 1 }), moved("2026-10-24 02:30", { days = 1 }),
          moved("2026-01-31 00:00", { months = 1 }), moved("2024-02-29 00:00", { years = -1 }),
          moved("2026-01-01 00:00", { weeks = 1, minutes = -1 }), moved("2026-03-29 02:30", {}),
        }"#;
    let expected = json!([
        "2026-03-29 12:00 +0200",
        "2026-03-29 13:00 +0200",
        "2026-03-29 03:30 +0200",
        "2026-10-25 02:30 +0200",
        "2026-02-28 00:00 +0100",
        "2023-02-28 00:00 +0100",
        "2026-01-07 23:59 +0100",
        "2026-03-29 03:30 +0200",
    ]);
    assert_eq!(run(code).await, expected);
}

#[tokio::test]
async fn l06_times_that_cannot_be_are_refused_with_what_would_do() {
    for (code, number, text) in [
        (
            "format('x')",
            801,
            "A time is a number of seconds, and not a string.",
        ),
        (
            "format(1767614400000)",
            805,
            "Times are in seconds: divide milliseconds by 1000.",
        ),
        ("format(0/0)", 805, "is no time between"),
        ("format(-1/0)", 805, "is no time between"),
        ("format(0, '%')", 805, "The pattern cannot be used."),
        ("format(0, '%Q')", 805, "The pattern cannot be used."),
        (
            "format(0, string.rep('%c', 1e5))",
            805,
            "The pattern cannot be used.",
        ),
        (
            "format(0, nil, 'Europe/Lisabon')",
            805,
            "There is no time zone `Europe/Lisabon`.",
        ),
        (
            "format(0, nil, string.rep('x', 1e6))",
            805,
            "There is no time zone",
        ),
        ("parse('tomorrow')", 805, "`tomorrow` is no time such as"),
        ("parse('2026-02-30')", 805, "is no time such as"),
        ("parse('+262142-01-01')", 805, "is no time such as"),
        ("parse(string.rep('1', 1e6))", 805, "is no time such as"),
        ("parse(1)", 801, "core.time.parse takes text"),
        ("parse('2026-01-01', 'CET+1')", 805, "There is no time zone"),
        ("add(0, { day = 1 })", 805, "core.time.add takes years, months"),
        ("add(0, { days = 0.5 })", 805, "`days` must be a whole number"),
        ("add(0, { days = 1e11 })", 805, "the result is no time"),
        ("add(0, { months = 1e12 })", 805, "the result is no time"),
        ("add(0, { hours = -1e12 })", 805, "the result is no time"),
        ("add(0)", 801, "takes a table such as { days = 1 }"),
    ] {
        let got = run(&format!(
            "local v, text, code = core.time.{code} return {{ v == nil, text, code }}"
        ))
        .await;
        assert_eq!(
            (&got[0], &got[2]),
            (&json!(true), &json!(number)),
            "{code}: {got}"
        );
        assert!(got[1].as_str().unwrap().contains(text), "{code}: {got}");
    }
}

#[tokio::test]
async fn a_job_keeps_keys_of_its_own() {
    let (_home, core) = crate::testing::core().await;
    crate::store::start(&core).unwrap();
    let code = r#"
        local store = core.store
        assert(store.get("seen") == nil)
        local version = store.put("seen", { at = 1, list = { core.NULL } })
        local value, held = store.get("seen")
        assert(version == 1 and held == 1 and value.at == 1 and value.list[1] == core.NULL)
        local lost, text, code = store.put("seen", 2, { if_version = 7 })
        assert(lost == nil and code == 909, text)
        assert(select(3, store.put("seen", 2, { if_absent = true })) == 909)
        assert(store.put("seen", false, { if_version = 1, ttl_seconds = 60 }) == 2 and store.get("seen") == false)
        assert(store.increment("runs") == 1 and store.increment("runs", 4) == 5 and store.increment("n", -1, 60) == -1)
        assert(store.put("a/1", 1) and store.put("a/2", 2))
        local first, more = store.list("a/", { page = { limit = 1 } })
        assert(#first == 1 and first[1].key == "a/1" and first[1].value == 1 and type(more) == "string")
        assert(store.list("a/", { page = { after = more } })[1].key == "a/2")
        assert(store.delete("a/1") == true and store.delete("a/1") == false)
        local keys = {}
        for _, entry in store.list() do table.insert(keys, entry.key) end
        return keys"#;
    let keys = run_as(&core, "job_1", code).await;
    assert_eq!(keys, json!(["a/2", "n", "runs", "seen"]));
    core.clock.advance(Duration::from_secs(60));
    let expired = "return { core.store.get('seen') == nil, core.store.increment('n', 1, 60) }";
    assert_eq!(run_as(&core, "job_1", expired).await, json!([true, 1]));

    // Another job, and a plugin that is called like one, see nothing of it.
    assert_eq!(run_as(&core, "job_2", "return #core.store.list()").await, 0);
    let plugin = Caller::Plugin {
        name: "job_1".into(),
        parent: None,
    };
    let seen = core
        .functions
        .call(&plugin, "store.list", json!({}))
        .await
        .unwrap();
    assert_eq!(seen, json!({ "items": [] }));
}

#[tokio::test]
async fn l06_the_store_says_what_is_wrong_with_its_arguments() {
    let (_home, core) = crate::testing::core().await;
    crate::store::start(&core).unwrap();
    for (code, number) in [
        ("get()", 804),
        ("get({})", 801),
        ("get('')", 805),
        ("put('k')", 804),
        ("put('k', print)", 801),
        ("put('k', string.rep('x', 70000))", 805),
        ("put('k', string.rep('x', 5e6))", 801),
        ("put('k', 1, 60)", 801),
        ("put('k', 1, { 60 })", 801),
        ("put('k', 1, { ttl = 60 })", 805),
        ("put('k', 1, { ttl_seconds = 0 })", 805),
        ("increment('k', 'x')", 801),
        ("increment('k', 0.5)", 801),
        ("list(1)", 801),
    ] {
        let code = format!("local v, text, code = core.store.{code} return {{ v == nil, code, text }}");
        let got = run_as(&core, "job_1", &code).await;
        assert_eq!(
            (&got[0], &got[1]),
            (&json!(true), &json!(number)),
            "{code}: {got}"
        );
    }
}

#[tokio::test]
async fn w12_code_asks_for_requests_in_few_words_and_learns_why_not() {
    let (_home, core) = crate::testing::core().await;
    crate::http_client::start(&core).unwrap();
    for (code, number, text) in [
        (
            "get('http://127.0.0.1/')",
            903,
            "127.0.0.1 is not among the hosts",
        ),
        (
            "post('http://a.example/', { json = {}, headers = {} })",
            903,
            "a.example is not among the hosts",
        ),
        (
            "request{ url = 'http://a.example/', method = 'PUT', body = 'x' }",
            903,
            "a.example is not among",
        ),
        ("get()", 804, "url"),
        ("get('x')", 805, "`url` cannot be used"),
        ("get(1)", 801, "url"),
        (
            "get('http://a.example/', 10)",
            801,
            "options must be a table, and is a number",
        ),
        ("get('http://a.example/', { timeout = 61 })", 805, "timeout"),
        ("get('http://a.example/', { header = {} })", 805, "header"),
        (
            "get('http://a.example/', { headers = { a = {} } })",
            801,
            "headers.a",
        ),
        (
            "post('http://a.example/', { body = print })",
            801,
            "a function cannot be passed",
        ),
        (
            "request('http://a.example/')",
            801,
            "request must be a table, and is a string",
        ),
        (
            "request{ method = 'CONNECT', url = 'http://a.example/' }",
            805,
            "method",
        ),
    ] {
        let code = format!("local v, text, code = core.http.{code} return {{ v == nil, code, text }}");
        let got = run_as(&core, "job_1", &code).await;
        assert_eq!(
            (&got[0], &got[1]),
            (&json!(true), &json!(number)),
            "{code}: {got}"
        );
        assert!(got[2].as_str().unwrap().contains(text), "{code}: {got}");
    }
}

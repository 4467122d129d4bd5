//! D10: errors point to the line of the author, and nothing of the library's own code is to be seen.

use serde_json::{Value, json};

use super::*;

/// Calls that fail, all on line 3 of the code they are put into, with the start of what is said.
const WRONG: [(&str, &str); 38] = [
    (
        "os.date('%F')",
        "invalid argument #1 to 'date' (invalid conversion specifier)",
    ),
    ("os.date(('x'):rep(2000))", "the format is too long"),
    ("os.date({})", "invalid argument #1 to 'date'"),
    ("('x'):find('[a')", "malformed pattern (missing ']')"),
    ("('x'):find('%')", "malformed pattern (ends with '%')"),
    (
        "('x'):find(nil)",
        "missing argument #2 to 'find'|invalid argument #2 to 'find'",
    ),
    ("string.find()", "missing argument #1 to 'find' (string expected)"),
    (
        "string.find('x', 'x', {})",
        "invalid argument #3 to 'find' (number expected, got table)",
    ),
    ("('x'):match('(x')", "unfinished capture"),
    (
        "string.match({}, 'x')",
        "invalid argument #1 to 'match' (string expected, got table)",
    ),
    ("('x'):gsub('%f', '')", "missing '[' after '%f' in pattern"),
    ("('x'):gsub('x', '%2')", "invalid capture index"),
    (
        "('x'):gsub('x', '%y')",
        "invalid use of '%' in replacement string",
    ),
    ("('x'):gsub('(x', print)", "unfinished capture"),
    (
        "('x'):gsub('x', function() return {} end)",
        "invalid replacement value (a table)",
    ),
    ("('x'):gsub('x')", "invalid argument #3 to 'gsub'"),
    (
        "('x'):gsub('x', setmetatable({}, { __index = 7 }))",
        "attempt to index number with 'x'",
    ),
    (
        "for _ in ('x'):gmatch('[') do end",
        "malformed pattern (missing ']')",
    ),
    ("string.gmatch(nil, 'x')", "invalid argument #1 to 'gmatch'"),
    ("string.split({})", "invalid argument #1 to 'split'"),
    ("('x'):rep(1e9)", "resulting string too large|not enough memory"),
    ("string.rep('x', 2^40)", "resulting string too large"),
    ("string.rep({}, 2)", "invalid argument #1 to 'rep'"),
    (
        "string.format('%d', 'x')",
        "invalid argument #2 to 'format' (number expected, got string)",
    ),
    ("string.format('%y', 1)", "invalid option '%y' to 'format'"),
    ("string.format('%s')", "missing argument #2"),
    ("string.pack('i17', 1)", ""),
    ("string.unpack('i4', 'x')", ""),
    ("string.pack(('b'):rep(2000))", "the format is too long"),
    ("table.sort({ 1, 'x', 2 })", "attempt to compare"),
    (
        "table.sort({ 1, {}, 2 }, function(a, b) return a < b end)",
        "attempt to compare",
    ),
    (
        "table.sort(7)",
        "invalid argument #1 to 'sort' (table expected, got number)",
    ),
    (
        "table.sort({ 3, 2, 1, 4, 5 }, 7)",
        "attempt to call a number value",
    ),
    ("table.foreach({ 1 }, nil)", "attempt to call a nil value"),
    ("table.find(nil, 1)", "invalid argument #1 to 'find'"),
    ("error('mine')", "mine"),
    ("xpcall(print, 7)", "invalid argument #2 to 'xpcall'"),
    (
        "setfenv(print, {})",
        "'setfenv' cannot change environment of given object",
    ),
];

fn fits(message: &str, expected: &str) -> bool {
    let Some(text) = message.strip_prefix("job.lua:3: ") else {
        return message.contains("memory") && expected.contains("memory");
    };
    expected.split('|').any(|expected| text.starts_with(expected))
}

#[tokio::test]
async fn d10_errors_of_the_library_point_to_the_line_of_the_author() {
    let fixture = Fixture::new();
    for (call, expected) in WRONG {
        let error = fixture.run(&format!("local x = 1\n\n{call}")).await.unwrap_err();
        assert!(fits(&error.message, expected), "{call}: {error}");
        assert_eq!(error.line.unwrap_or(3), 3, "{call}");
        let traceback = error.traceback.unwrap_or_default();
        assert!(
            !traceback.contains("[C]") && !traceback.contains("prelude"),
            "{call}: {traceback}"
        );
    }
}

#[tokio::test]
async fn d10_errors_that_are_caught_point_there_too() {
    let fixture = Fixture::new();
    let wrappers = [
        "local ok, message = pcall(function()\n\n{} end)",
        "local ok, message = xpcall(function()\n\n{} end, function(text) return text end)",
        "local ok, message = coroutine.resume(coroutine.create(function()\n\n{} end))",
        "local message = select(2, pcall(coroutine.wrap(function()\n\n{} end)))",
        "local trace local message = select(2, xpcall(function()\n\n{} end, function(text) trace = debug.traceback() return text end))
         assert(not trace:find('%[C%]') and trace:find('job.lua:3'), trace)",
    ];
    for (call, expected) in WRONG {
        for wrapper in wrappers {
            let code = format!("{} return message", wrapper.replace("{}", call));
            match fixture.run(&code).await {
                Ok(Value::String(message)) => assert!(fits(&message, expected), "{code}: {message}"),
                other => assert!(expected.contains("memory"), "{code}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn d10_what_the_server_raises_is_caught_as_text_with_its_line() {
    let code = "local ok, text = pcall(function()\n\n return core.nothing.at.all end)
        local thread = coroutine.create(function()\n\n return core.nothing end)
        local _, other = coroutine.resume(thread)
        return { text, other }";
    let told = Fixture::new().run(code).await.unwrap();
    assert!(
        told[0]
            .as_str()
            .unwrap()
            .starts_with("job.lua:3: there is no core.nothing"),
        "{told}"
    );
    assert!(
        told[1]
            .as_str()
            .unwrap()
            .starts_with("job.lua:6: there is no core.nothing"),
        "{told}"
    );
}

#[tokio::test]
async fn d10_levels_count_as_if_the_library_were_as_ever() {
    let code = r#"
local function raise(level) error("x", level) end
local function middle(level)
  raise(level)
end
local function caught(level)
  return select(2, pcall(middle, level))
end
local seen = {}
for level = 0, 3 do table.insert(seen, caught(level)) end
local function line(level) return debug.info(level, "l") end
table.insert(seen, line(1))
table.insert(seen, (select(2, pcall(function()
  return line(2)
end))))
local function outer() return select(2, pcall(line, 3)) end
table.insert(seen, (outer()))
return seen"#;
    assert_eq!(
        Fixture::new().run(code).await.unwrap(),
        json!(["x", "job.lua:2: x", "job.lua:4: x", "x", 11, 14, 16])
    );
}

#[tokio::test]
async fn d10_errors_of_callbacks_stay_what_they_are() {
    let code = r#"
local mine = {}
local function throw() error(mine) end
local caught = {}
for _, call in {
  function() ("x"):gsub("x", throw) end,
  function() ("x"):gsub("x", setmetatable({}, { __index = throw })) end,
  function() table.sort({ 2, 1 }, throw) end,
  function() table.sort({ setmetatable({}, { __lt = throw }), setmetatable({}, { __lt = throw }) }) end,
  function() table.foreach({ 1 }, throw) end,
  function() table.find({ setmetatable({}, { __eq = throw }) }, setmetatable({}, { __eq = throw })) end,
  function() string.format("%s", setmetatable({}, { __tostring = throw })) end,
} do
  table.insert(caught, select(2, pcall(call)) == mine)
end
table.insert(caught, (select(2, pcall(table.foreachi, { 1 }, function() error("deep") end))))
return caught"#;
    let told = Fixture::new().run(code).await.unwrap();
    let last = told.as_array().unwrap().len() - 1;
    assert!(
        told.as_array().unwrap()[..last]
            .iter()
            .all(|same| same == &json!(true)),
        "{told}"
    );
    assert_eq!(told[last], "job.lua:16: deep");
}

#[tokio::test]
async fn the_library_does_what_it_always_did() {
    let code = r#"
local function all(...) return { ... } end
local out = {}
local function check(...) table.insert(out, table.concat({ ... }, "|")) end
check(("hello world"):find("o w"))
check(("hello"):find("l", -2))
check(("hello"):find("", 10) == nil and "nil" or "?")
check(("key = value"):match("^(%w+)%s*=%s*(%w+)$"))
check(("hello"):match("()ll()"))
check(("abc"):gsub("%w", "%0%0"))
check(("abc"):gsub("", "-"))
check(("abc"):gsub("b*", "x"))
check(("hello world"):gsub("o", "0", 1))
check(("abc"):gsub("%w", { a = 1, b = false }))
check(("abc def"):gsub("(%w)(%w*)", function(first, rest) return first:upper() .. rest end))
check(("abc"):gsub("^a", "x"))
check(("aaa"):gsub("^a", function() return "x" end))
local words = {}
for key, value in ("a=1, b=2"):gmatch("(%w+)=(%w+)") do table.insert(words, key .. value) end
for at in ("ab"):gmatch("()") do table.insert(words, at) end
check(table.unpack(words))
check(table.unpack(("a,b,,c"):split(",")))
check(table.unpack(("abc"):split("")))
check(("x"):rep(3), (7):rep(2) )
return out"#;
    let code = code.replace(", (7):rep(2) ", ", string.rep(7, 2)");
    assert_eq!(
        Fixture::new().run(&code).await.unwrap(),
        json!([
            "5|7",
            "4|4",
            "nil",
            "key|value",
            "3|5",
            "aabbcc|3",
            "-a-b-c-|4",
            "xaxxcx|4",
            "hell0 world|1",
            "1bc|3",
            "Abc Def|2",
            "xbc|1",
            "xaa|1",
            "a1|b2|1|2|3",
            "a|b||c",
            "a|b|c",
            "xxx|77"
        ])
    );
}

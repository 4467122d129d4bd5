//! What an editor is told, held against the Luau compiler and the sandbox.

use serde_json::{Value, json};

use super::*;
use crate::functions::{Caller, Effect, Handler, Role, Spec};
use crate::lua::{Cancel, Limits, LogSink, LuaPool, Session, compile};

struct Never;

impl Handler for Never {
    fn call(&self, _: Arc<Call>, _: Value) -> futures::future::BoxFuture<'_, Result<Value>> {
        Box::pin(async { Ok(Value::Null) })
    }
}

fn function(name: &str, summary: &str, parameters: Value, returns: Value) -> Function {
    let spec = Spec {
        name: name.to_owned(),
        summary: summary.to_owned(),
        parameters,
        returns,
        access: Access::JOB,
        effect: Effect::Read,
        role: Role::Viewer,
        needs_password: false,
        deadline: std::time::Duration::from_secs(1),
    };
    Function::dynamic(spec, Box::new(Never))
}

/// The file without its one line that only definition files may have.
fn compiles(text: &str) {
    let types = text.strip_suffix("\ndeclare core: Own & Services\n").unwrap();
    compile("core.d.luau", types, 1 << 20).unwrap_or_else(|error| panic!("{}\n{text}", error.message));
}

#[tokio::test]
async fn functions_of_core_and_plugins_are_there_with_their_types() {
    let (_home, core) = crate::testing::core().await;
    start(&core).unwrap();
    crate::server::start(&core).unwrap();
    crate::store::start(&core).unwrap();
    crate::http_client::start(&core).unwrap();
    let parameters = json!({
        "type": "object",
        "required": ["id", "end"],
        "properties": {
            "id": { "type": "string", "description": "Whose.\nOr what." },
            "end": { "type": ["integer", "null"] },
            "options": { "anyOf": [{ "$ref": "#/$defs/options" }, { "type": "null" }] },
        },
        "$defs": { "options": {
            "type": "object",
            "required": ["mode"],
            "properties": { "mode": { "enum": ["a\"b", "c"] }, "x-y": { "type": "array", "items": { "type": "number" } } },
        } },
    });
    let returns = json!({ "type": "object", "additionalProperties": { "type": "boolean" } });
    let greet = function("greeter.greet", "Greets.", parameters, returns);
    core.functions.add("greeter", vec![greet]).unwrap();

    let got = core
        .functions
        .call(&Caller::cli(), "functions.luauTypes", json!({}))
        .await
        .unwrap();
    let text = got.as_str().unwrap();
    compiles(text);
    let expected = "  greeter: {
    --- Greets.
    --- From the plugin greeter.
    --- Open to code of: job.
    --- @param id Whose. Or what.
    greet: (id: string, _end: number?, options: { mode: (\"a\\\"b\" | \"c\"), [\"x-y\"]: { number }? }?) -> ({ [string]: boolean }?, string, number),
  },
";
    assert!(text.contains(expected), "{text}");
    assert!(
        text.contains("    siteUrl: () -> (string?, string, number),\n"),
        "{text}"
    );
    // What code cannot call is not offered, and nothing is offered twice.
    assert!(
        !text.contains("luauTypes") && !text.contains("history:"),
        "{text}"
    );
    assert_eq!(text.matches("increment:").count(), 1);
}

#[test]
fn w06_what_a_plugin_says_of_itself_stays_a_comment_or_a_type() {
    let registry = Registry::new(crate::Clock::manual(0), crate::settings::Live::default());
    let mut nested = json!({ "$ref": "#/$defs/a" });
    for _ in 0..50 {
        nested = json!({ "type": "array", "items": nested });
    }
    let parameters = json!({
        "type": "object",
        "properties": {
            "a\n} evil = 1 --[[": { "const": "\"\n} evil" },
            "b": { "type": "object", "properties": { "]] \"\\": { "type": "wrong" } } },
            "c": { "$ref": "#/$defs/a" },
            "d": nested,
            "e": { "enum": [] },
            "f": true,
            "g": { "type": "string", "description": "a\r\n}\u{2028}" },
        },
        "$defs": { "a": { "anyOf": [{ "$ref": "#/$defs/a" }, { "type": "string" }] } },
    });
    let odd = function("odd.function", "]]\nevil = 1\n--[[", parameters, json!({}));
    registry.add("odd", vec![odd]).unwrap();
    let text = definitions(&registry);
    compiles(&text);
    assert!(
        !text
            .lines()
            .any(|line| line.trim_start().starts_with("evil") || line.starts_with('}') && line.len() > 1)
    );
}

#[tokio::test]
async fn the_types_written_by_hand_name_what_the_sandbox_has() {
    let (_home, core) = crate::testing::core().await;
    for (name, kind) in [
        ("log", "Log"),
        ("json", "Json"),
        ("time", "Time"),
        ("store", "Store"),
        ("http", "Http"),
    ] {
        let told = fields_of(kind);
        let found = fields_in_sandbox(&core, name).await;
        assert_eq!(told, found, "{name}");
    }
}

async fn fields_in_sandbox(core: &Core, name: &str) -> Vec<String> {
    let session = Session {
        caller: Caller::System,
        limits: Limits::default(),
        log: LogSink::new(100),
        cancel: Cancel::default(),
    };
    let code = format!(
        "local names = {{}} for name in next, core.{name} do table.insert(names, name) end table.sort(names) return table.concat(names, ' ')"
    );
    let names: String = LuaPool::new("test", 1, &core.functions)
        .run(session, move |sandbox| {
            Ok(sandbox.load("test", &code)?.call(())?)
        })
        .await
        .unwrap();
    names.split(' ').map(str::to_owned).collect()
}

/// The names of the fields of a type of the surface, in order.
fn fields_of(kind: &str) -> Vec<String> {
    let start = SURFACE.find(&format!("type {kind} = ")).unwrap();
    let body = &SURFACE[start..];
    let body = &body[..body.find("\n}").unwrap()];
    let mut names: Vec<String> = body
        .lines()
        .skip(1)
        .filter(|line| !line.trim().starts_with("--"))
        .filter_map(|line| Some(line.trim().split_once(':')?.0.to_owned()))
        .collect();
    names.sort();
    names
}

/// The editor within has its own list, with a sentence for each name; neither may know a name that the other does not.
#[test]
fn editors_within_and_without_know_the_same_names() {
    let told: Vec<_> = [Access::JOB, Access::PAGE]
        .into_iter()
        .flat_map(crate::lua::words)
        .map(|word| word.name.rsplit(['.', ':']).next().unwrap())
        .collect();
    assert!(told.len() > 60);
    for name in &told {
        assert!(
            SURFACE.contains(&format!(" {name}: ")),
            "surface.luau lacks {name}"
        );
    }
    let types = ["Job", "Email", "Page", "Log", "Json", "Time", "Store", "Http"];
    for name in types.into_iter().flat_map(fields_of) {
        assert!(told.contains(&name.as_str()), "surface.txt lacks {name}");
    }
}

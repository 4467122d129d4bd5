//! What the editor asks of the service: checks, other paths, who else is there, page code that is only tried, and a
//! draft in the mail.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use coronet_core::functions::{Access, Call, Function};
use coronet_core::{Code, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{World, operator};
use crate::Templates;

const WELCOME: &str = "templates/welcome.tpl";

async fn saved(world: &World, path: &str, text: &str) {
    world
        .ok("resources.write", json!({ "path": path, "text": text }))
        .await;
}

#[tokio::test]
async fn a_draft_of_any_kind_is_checked_with_its_line_and_not_saved() {
    let world = World::new().await;
    for (path, text, line, words) in [
        ("jobs/a.lua", "local x = 1\nlocal = 2\n", 2, "identifier"),
        ("pages/a.json", "{\n  \"a\": 1,\n}\n", 3, "not JSON"),
        ("templates/a.tpl", "fine\n{% lua %}\n", 2, "{%"),
        ("templates/a.txt", "x", 1, ".tpl"),
    ] {
        let checked = world
            .ok("resources.check", json!({ "path": path, "text": text }))
            .await;
        let problem = &checked["problems"][0];
        assert_eq!(problem["line"], line, "{path}: {checked}");
        assert!(
            problem["message"].as_str().unwrap().contains(words),
            "{path}: {checked}"
        );
    }
    let fine = world
        .ok("resources.check", json!({ "path": "pages/a.css", "text": "p{}" }))
        .await;
    assert_eq!(fine, json!({ "problems": [], "warnings": [] }));
    let list = world.ok("resources.list", json!({ "prefix": "pages/a" })).await;
    assert_eq!(list, json!([]));
}

#[tokio::test]
async fn a_moved_text_keeps_its_history_and_never_covers_another() {
    let world = World::new().await;
    saved(&world, WELCOME, "one").await;
    saved(&world, WELCOME, "two").await;
    let to = "templates/hello/welcome.tpl";
    let stale = json!({ "path": WELCOME, "to": to, "revision": 1 });
    assert_eq!(world.err("resources.move", stale).await.code(), Code::Conflict);
    let taken = json!({ "path": WELCOME, "to": "templates/mail/test.tpl" });
    assert_eq!(world.err("resources.move", taken).await.code(), Code::Conflict);

    let moved = json!({ "path": WELCOME, "to": to, "revision": 2 });
    let moved = world.ok("resources.move", moved).await;
    assert_eq!(moved, json!({ "path": to, "revision": 3, "layer": "edited" }));
    let read = world.ok("resources.read", json!({ "path": to })).await;
    assert_eq!(
        (read["text"].as_str(), read["note"].as_str()),
        (Some("two"), Some("Moved from templates/welcome.tpl"))
    );
    let kinds: Vec<Value> = world
        .ok("resources.revisions", json!({ "path": to }))
        .await
        .as_array()
        .unwrap()
        .iter()
        .map(|revision| revision["kind"].clone())
        .collect();
    assert_eq!(kinds, ["move", "write", "write"]);
    let gone = world.err("resources.read", json!({ "path": WELCOME })).await;
    assert_eq!(gone.code(), Code::NotFound);
    let first = world
        .ok("resources.revision", json!({ "path": to, "revision": 1 }))
        .await;
    assert_eq!(first["text"], "one");
}

#[tokio::test]
async fn two_operators_hear_of_each_other_also_on_two_servers() {
    coronet_core::testing::on_each_database(|core| async move {
        let templates = Templates::start(&core).await.unwrap();
        let hear = |name: &'static str, editor: &'static str, unsaved: bool| {
            let (core, me) = (core.clone(), operator(name));
            async move {
                let open = json!([{ "path": "templates/password/email.tpl", "unsaved": unsaved }]);
                let parameters = json!({ "editor": editor, "open": open });
                let seen = core.functions.call(&me, "resources.presence", parameters).await;
                seen.unwrap()[0].clone()
            }
        };
        assert_eq!(hear("Olga", "window-one", false).await["others"], json!([]));
        let seen = hear("Paul", "window-two", true).await;
        assert_eq!(seen["others"][0]["operator"], "Olga");
        assert_eq!(seen["others"][0]["own"], false);
        let seen = hear("Olga", "window-one", false).await;
        assert_eq!(seen["others"][0]["operator"], "Paul");
        assert_eq!(seen["others"][0]["unsaved"], true);

        let parameters = json!({ "path": "templates/password/email.tpl", "text": "{* reset_link *}" });
        let paul = operator("Paul");
        core.functions
            .call(&paul, "resources.write", parameters)
            .await
            .unwrap();
        let seen = hear("Olga", "window-one", false).await;
        assert_eq!(
            (seen["revision"].as_i64(), seen["author"].as_str()),
            (Some(1), Some("Paul"))
        );

        // Paul closes one window and leaves; Olga's next word is after his time.
        core.clock.advance(Duration::from_secs(60));
        assert_eq!(hear("Olga", "window-one", false).await["others"], json!([]));
        hear("Paul", "window-two", false).await;
        let closed = json!({ "editor": "window-two", "open": [] });
        core.functions
            .call(&paul, "resources.presence", closed)
            .await
            .unwrap();
        assert_eq!(hear("Olga", "window-one", false).await["others"], json!([]));
        drop(templates);
    })
    .await;
}

#[tokio::test]
async fn ux22_who_stops_typing_is_idle() {
    coronet_core::testing::on_each_database(|core| async move {
        let templates = Templates::start(&core).await.unwrap();
        let path = "templates/password/email.tpl";
        let paul = |idle_ms: Option<i64>, unsaved: bool| {
            let (core, paul) = (core.clone(), operator("Paul"));
            async move {
                let open = json!([{ "path": path, "unsaved": unsaved, "idle_ms": idle_ms }]);
                let parameters = json!({ "editor": "window-two", "open": open });
                core.functions
                    .call(&paul, "resources.presence", parameters)
                    .await
                    .unwrap();
            }
        };
        let seen_by_olga = || {
            let (core, olga) = (core.clone(), operator("Olga"));
            async move {
                let parameters = json!({ "editor": "window-one", "open": [{ "path": path }] });
                let seen = core
                    .functions
                    .call(&olga, "resources.presence", parameters)
                    .await
                    .unwrap();
                let other = &seen[0]["others"][0];
                (other["typing"].clone(), other["unsaved"].clone())
            }
        };
        paul(None, false).await;
        assert_eq!(seen_by_olga().await, (json!(false), json!(false)));
        paul(Some(200), true).await;
        assert_eq!(seen_by_olga().await, (json!(true), json!(true)));
        // His window goes on saying that it is open, for ten minutes.
        for minute in 1..=10 {
            for five_seconds in 0..12 {
                core.clock.advance(Duration::from_secs(5));
                paul(Some(200 + minute * 60_000 - 55_000 + five_seconds * 5_000), true).await;
            }
            assert_eq!(
                seen_by_olga().await,
                (json!(false), json!(true)),
                "after {minute} minutes"
            );
        }
        paul(Some(0), true).await;
        assert_eq!(seen_by_olga().await, (json!(true), json!(true)), "he types again");
        drop(templates);
    })
    .await;
}

#[derive(Deserialize, JsonSchema)]
struct Sending {
    #[expect(dead_code, reason = "only its being sent counts")]
    message: Value,
}

/// An outbox that only counts.
async fn send(sent: Arc<AtomicUsize>, _: Arc<Call>, _: Sending) -> Result<Value> {
    sent.fetch_add(1, Ordering::SeqCst);
    Ok(json!({ "id": "real" }))
}

async fn tried(world: &World, code: &str, request: Value) -> Value {
    let parameters = json!({ "path": "pages/a/try.lua", "text": code, "request": request });
    world.ok("template.previewPage", parameters).await
}

#[tokio::test]
async fn page_code_is_tried_with_an_example_and_changes_nothing() {
    let world = World::new().await;
    saved(&world, "pages/a/hello.tpl", "<p>Hello {{ name }}</p>").await;
    let shown = tried(
        &world,
        "local page = core.pages.new()\npage.setCookie('a', 'b')\nprint('seen')\nreturn page.render('hello.tpl', { name = page.query.name })",
        json!({ "query": { "name": "<Carol>" } }),
    )
    .await;
    assert_eq!(shown["body"], "<p>Hello &lt;Carol&gt;</p>");
    assert_eq!(
        (shown["status"].as_i64(), shown["log"].as_str()),
        (Some(200), Some("seen\n"))
    );

    // What would change something is not called; an example answers in its place.
    let sent = Arc::new(AtomicUsize::new(0));
    let outbox = Function::write("mail.send", "Sends.", &sent, send).access(Access::PAGE);
    world.core.functions.add("core", vec![outbox]).unwrap();
    let code = "local page = core.pages.new()\nlocal id, why = core.mail.send({ to = 'a@example.com', from = 'b@example.com', subject = 's', text = 't' })\nreturn page.renderText(id and id.id or why)";
    let refused = tried(&world, code, json!({})).await;
    let told = refused["body"].as_str().unwrap_or_default();
    assert!(told.contains("`answers`"), "{refused}");
    assert_eq!(refused["calls"][0]["answered"], "not done");
    let given = json!({ "answers": { "mail.send": { "id": "example" } } });
    assert_eq!(tried(&world, code, given).await["body"], "example");
    let failing = json!({ "answers": { "mail.send": { "error": { "code": 929, "message": "Slowly." } } } });
    assert_eq!(tried(&world, code, failing).await["body"], "Slowly.");
    assert_eq!(sent.load(Ordering::SeqCst), 0, "nothing was sent");

    // What is not open to pages stays closed, also with an example.
    let code = "local page = core.pages.new()\nlocal ok, why = core.resources.list('')\nreturn page.renderText(ok and 'open' or why)";
    let closed = tried(&world, code, json!({ "answers": { "resources.list": [] } })).await;
    assert!(closed["body"].as_str().unwrap().contains("not open"), "{closed}");

    let broken = tried(&world, "local page = core.pages.new()\nerror('oh')", json!({})).await;
    assert_eq!(broken["problems"][0]["line"], 2);
    let endless = tried(&world, "while true do end", json!({})).await;
    assert!(!endless["problems"].as_array().unwrap().is_empty());
    let failures = world.ok("template.failures", json!({})).await;
    assert_eq!(failures, json!([]), "trying fails nobody");
}

#[tokio::test]
async fn x02_page_code_that_is_tried_does_not_outlive_its_time() {
    let world = World::new().await;
    for code in [
        "local raw string.gsub('a', '.', function() raw = debug.info(2, 'f') end) raw = raw or string.gsub\n\
         raw(('a'):rep(260000), '[' .. ('b'):rep(260000) .. 'a]*', '')",
        "pcall(setfenv, string.gsub, { type = print })\n\
         ;('a'):rep(2e6):gsub('[' .. ('b'):rep(60000) .. 'a]*c', '')",
    ] {
        let tried = tried(&world, code, json!({})).await;
        assert_eq!(tried["problems"][0]["line"], 2, "{tried}");
    }
    assert!(
        world
            .core
            .functions
            .lua_threads()
            .stuck()
            .iter()
            .all(|pool| pool.threads == 0)
    );
}

#[tokio::test]
async fn the_pages_that_ship_can_be_tried_with_their_examples() {
    let world = World::new().await;
    for (page, words) in [("password_form", "carol"), ("forgot_form", "Fun Run")] {
        let path = format!("pages/_coronium/password/{page}.lua");
        let shown = world.ok("template.previewPage", json!({ "path": path })).await;
        // The plugin that answers these is not here: the test of the whole server sees them answered.
        let sample = &shown["sample"]["answers"];
        assert!(sample.is_object(), "{shown}");
        assert!(shown.to_string().contains(words), "{shown}");
    }
}

#[tokio::test]
async fn as_many_revisions_are_kept_as_is_set() {
    let world = World::new().await;
    coronet_core::settings::start(&world.core).await.unwrap();
    let keep = json!({"group": "retention", "changes": {"revisions": 10}});
    let cli = coronet_core::functions::Caller::cli();
    world
        .core
        .functions
        .call(&cli, "settings.update", keep)
        .await
        .unwrap();
    let path = "pages/hello.tpl";
    for number in 0..14 {
        let write = json!({"path": path, "text": format!("<p>{number}</p>"), "revision": number});
        world.ok("resources.write", write).await;
    }
    let kept = world.ok("resources.revisions", json!({"path": path})).await;
    let numbers: Vec<_> = kept
        .as_array()
        .unwrap()
        .iter()
        .map(|kept| kept["revision"].clone())
        .collect();
    assert_eq!(numbers.first(), Some(&json!(14)));
    assert_eq!(numbers.len(), 10);
}

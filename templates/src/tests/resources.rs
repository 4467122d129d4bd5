use coronet_core::Code;
use serde_json::{Value, json};

use super::{World, operator};
use crate::Templates;

const PATH: &str = "templates/password/email.tpl";

async fn live(world: &World) -> (String, String) {
    let read = world.ok("resources.read", json!({"path": PATH})).await;
    (
        read["layer"].as_str().unwrap().to_owned(),
        read["text"].as_str().unwrap().to_owned(),
    )
}

async fn rendered(world: &World) -> Value {
    world
        .ok(
            "template.render",
            json!({"file": "password/email.tpl", "data": {"reset_link": "L"}}),
        )
        .await
}

#[tokio::test]
async fn the_upper_layer_wins_and_dropping_it_shows_the_one_below() {
    let world = World::new().await;
    let (layer, shipped) = live(&world).await;
    assert_eq!(layer, "shipped");

    world.put_file(PATH, "file {* reset_link *}");
    assert_eq!(
        live(&world).await,
        ("file".into(), "file {* reset_link *}".into())
    );
    assert_eq!(rendered(&world).await, "file L");

    let written = world
        .ok(
            "resources.write",
            json!({"path": PATH, "text": "edited {* reset_link *}", "note": "shorter", "revision": 0}),
        )
        .await;
    assert_eq!(written, json!({"path": PATH, "revision": 1, "layer": "edited"}));
    assert_eq!(rendered(&world).await, "edited L");
    let read = world.ok("resources.read", json!({"path": PATH})).await;
    assert_eq!(read["layers"], json!(["edited", "file", "shipped"]));
    assert_eq!(
        (read["author"].as_str(), read["note"].as_str()),
        (Some("Olga"), Some("shorter"))
    );
    let below = world
        .ok("resources.read", json!({"path": PATH, "layer": "shipped"}))
        .await;
    assert_eq!(below["text"], shipped);

    let reverted = world.ok("resources.revert", json!({"path": PATH})).await;
    assert_eq!(reverted["layer"], "file");
    assert_eq!(rendered(&world).await, "file L");
    world.remove_file(PATH);
    assert_eq!(live(&world).await, ("shipped".into(), shipped));
    assert_eq!(
        world.err("resources.revert", json!({"path": PATH})).await.code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn every_change_is_a_revision_that_can_be_read_and_restored() {
    let world = World::new().await;
    for text in ["one {* reset_link *}", "two {* reset_link *}"] {
        world
            .ok("resources.write", json!({"path": PATH, "text": text}))
            .await;
    }
    world.ok("resources.revert", json!({"path": PATH})).await;
    world
        .ok(
            "resources.restore",
            json!({"path": PATH, "revision": 1, "expected": 0}),
        )
        .await;

    let revisions = world.ok("resources.revisions", json!({"path": PATH})).await;
    let told: Vec<_> = revisions
        .as_array()
        .unwrap()
        .iter()
        .map(|r| {
            (
                r["revision"].as_i64().unwrap(),
                r["kind"].as_str().unwrap(),
                r["live"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (4, "restore", true),
            (3, "revert", false),
            (2, "write", false),
            (1, "write", false)
        ]
    );
    assert_eq!(rendered(&world).await, "one L");
    let old = world
        .ok("resources.revision", json!({"path": PATH, "revision": 2}))
        .await;
    assert_eq!(old["text"], "two {* reset_link *}");
    for revision in [3, 99] {
        let error = world
            .err("resources.revision", json!({"path": PATH, "revision": revision}))
            .await;
        assert_eq!(error.code(), Code::NotFound);
    }
}

#[tokio::test]
async fn w16_of_two_operators_the_second_is_told_and_overwrites_nothing() {
    let world = World::new().await;
    let save = |who: &str, text: &str, seen: i64| {
        let (caller, call) = (
            operator(who),
            json!({"path": PATH, "text": text, "revision": seen}),
        );
        let functions = world.core.functions.clone();
        async move { functions.call(&caller, "resources.write", call).await }
    };
    save("Olga", "olga {* reset_link *}", 0).await.unwrap();
    let error = save("Per", "per {* reset_link *}", 0).await.unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    assert!(error.message().contains("Olga"), "{error}");
    assert_eq!(error.details().unwrap()["revision"], 1);
    assert_eq!(rendered(&world).await, "olga L");
    save("Per", "per {* reset_link *}", 1).await.unwrap();
    assert_eq!(rendered(&world).await, "per L");
}

#[tokio::test]
async fn w16_what_would_not_work_is_refused_with_its_line() {
    let world = World::new().await;
    for (path, text, line, words) in [
        (PATH, "no link here", 1, "reset_link"),
        (PATH, "{* reset_link *}\n{% if x then %}", 2, "{{#if x}}"),
        (PATH, "{* reset_link *}\n\n {{#if x}}", 3, "{{/if}}"),
        (
            "templates/password/email.html.tpl",
            "<a>\n{* reset_link *}{* bio *}",
            2,
            "trusted: bio",
        ),
        ("templates/x.tpl", "\n{(gone.tpl)}", 2, "gone.tpl"),
        ("templates/x.tpl", "{(x.tpl)}", 1, "never ends"),
        (
            "pages/x.lua",
            "local page = core.pages.new()\nif then",
            2,
            "Expected identifier",
        ),
        ("jobs/x.lua", "local job = core.job()\n\nfunction job.run(", 3, ""),
    ] {
        let error = world
            .err("resources.write", json!({"path": path, "text": text}))
            .await;
        assert_eq!(error.code(), Code::Unprocessable, "{path}: {error}");
        assert_eq!(
            error.details().unwrap()["problems"][0]["line"],
            line,
            "{path}: {error}"
        );
        assert!(error.message().contains(words), "{path}: {error}");
    }
    for (path, code) in [
        ("templates/x.lua", Code::ParameterInvalid),
        ("jobs/x.tpl", Code::ParameterInvalid),
        ("pages/x.exe", Code::ParameterInvalid),
        ("../x.tpl", Code::NotFound),
        ("templates/../../x.tpl", Code::NotFound),
        ("etc/x.tpl", Code::NotFound),
    ] {
        assert_eq!(
            world
                .err("resources.write", json!({"path": path, "text": "x"}))
                .await
                .code(),
            code,
            "{path}"
        );
    }
    let bomb = "x".repeat(600_000);
    let error = world
        .err("resources.write", json!({"path": "pages/x.css", "text": bomb}))
        .await;
    assert_eq!(error.code(), Code::TooLarge);
    assert_eq!(
        world.ok("resources.list", json!({"prefix": "templates/x"})).await,
        json!([])
    );
}

#[tokio::test]
async fn notices_and_parts_need_no_link() {
    let world = World::new().await;
    for path in [
        "templates/password/notice.tpl",
        "templates/password/notice_short.tpl",
        "templates/password/_footer.tpl",
    ] {
        world
            .ok("resources.write", json!({"path": path, "text": "hello"}))
            .await;
    }
}

#[tokio::test]
async fn what_was_edited_survives_a_restart_and_plugins_bring_their_own() {
    let world = World::new().await;
    world
        .core
        .contributions
        .add_resource("echo", "templates/echo/hi.tpl", "hi {{ name }}");
    world
        .ok(
            "resources.write",
            json!({"path": PATH, "text": "kept {* reset_link *}"}),
        )
        .await;
    assert_eq!(
        world
            .ok(
                "template.render",
                json!({"file": "echo/hi.tpl", "data": {"name": "x"}})
            )
            .await,
        "hi x"
    );
    let list = world
        .ok("resources.list", json!({"prefix": "templates/echo/"}))
        .await;
    assert_eq!(
        list,
        json!([{"path": "templates/echo/hi.tpl", "layer": "shipped", "layers": ["shipped"],
        "revision": 0, "provider": "echo"}])
    );

    let core = coronet_core::testing::core_at(world.home.path()).await;
    let restarted = Templates::start(&core).await.unwrap();
    let read = core
        .functions
        .call(&operator("Olga"), "resources.read", json!({"path": PATH}))
        .await
        .unwrap();
    assert_eq!(read["text"], "kept {* reset_link *}");
    drop(restarted);
}

//! Templates that can be read and fail all the same: told when they are saved, and seen when they are used.

use coronet_core::functions::Caller;
use serde_json::{Value, json};

use super::World;

const PATH: &str = "templates/password/email.tpl";

async fn save(world: &World, path: &str, text: &str) -> Value {
    world
        .ok("resources.write", json!({"path": path, "text": text}))
        .await
}

#[tokio::test]
async fn w16_a_key_that_nobody_fills_in_is_told_when_it_is_saved() {
    let world = World::new().await;
    let saved = save(&world, PATH, "Hi\n {{ usernam }}: {* reset_link *}").await;
    let warning = &saved["warnings"][0];
    assert_eq!(
        (warning["line"].as_i64(), warning["column"].as_i64()),
        (Some(2), Some(2))
    );
    let message = warning["message"].as_str().unwrap();
    assert!(
        message.contains("Unknown key `usernam`") && message.contains("username"),
        "{message}"
    );

    // Known, and yet not always there.
    let saved = save(&world, PATH, "{{ username }} {* reset_link *}").await;
    let message = saved["warnings"][0]["message"].as_str().unwrap();
    assert!(message.contains("`username` is not always given"), "{message}");

    let custom = "templates/password/custom_reset.tpl";
    let preview = json!({"path": custom, "text": "{{ usernam }} {* reset_link *}"});
    let preview = world.ok("template.preview", preview).await;
    assert_eq!(preview["problems"], json!([]));
    let message = preview["warnings"][0]["message"].as_str().unwrap();
    assert!(
        message.contains("`usernam`") && message.contains("tpl_keys"),
        "{message}"
    );

    for (path, good) in [
        (
            PATH,
            "{{#if username}}{{ username }}{{/if}} {{ app_name }} {* reset_link *}",
        ),
        (custom, "{{ app_name }} {* reset_link *}"),
        ("templates/mine.tpl", "{{ anything }}"),
    ] {
        assert_eq!(save(&world, path, good).await.get("warnings"), None, "{path}");
    }
}

#[tokio::test]
async fn a_template_that_fails_is_shown_until_it_succeeds_or_is_changed() {
    let world = World::new().await;
    let plugin = Caller::Plugin {
        name: "password-reset".into(),
        parent: None,
    };
    let mail = |data: Value| {
        let functions = world.core.functions.clone();
        let plugin = plugin.clone();
        let call = json!({"file": "password/email.tpl", "data": data});
        async move { functions.call(&plugin, "template.renderMail", call).await }
    };
    save(&world, PATH, "{{ usernam }} {* reset_link *}").await;
    for _ in 0..2 {
        mail(json!({"reset_link": "l"})).await.unwrap_err();
    }
    let failures = world.ok("template.failures", json!({})).await;
    assert_eq!(
        (failures[0]["path"].as_str(), failures[0]["times"].as_i64()),
        (Some(PATH), Some(2))
    );
    assert_eq!(failures[0]["since"], world.core.clock.now_ms());
    let listed = world.ok("resources.list", json!({"prefix": PATH})).await;
    assert!(
        listed[0]["problem"].as_str().unwrap().contains("`usernam`"),
        "{listed}"
    );
    assert_eq!(listed[0]["failing_since"], failures[0]["since"]);

    mail(json!({"reset_link": "l", "usernam": "x"})).await.unwrap();
    assert_eq!(world.ok("template.failures", json!({})).await, json!([]));

    mail(json!({"reset_link": "l"})).await.unwrap_err();
    save(&world, PATH, "{* reset_link *}").await;
    assert_eq!(world.ok("template.failures", json!({})).await, json!([]));
    let listed = world.ok("resources.list", json!({"prefix": PATH})).await;
    assert_eq!(listed[0].get("problem"), None, "{listed}");
}

#[tokio::test]
async fn what_is_only_tried_or_is_not_there_fails_nobody() {
    let world = World::new().await;
    world.put_file("templates/hi.tpl", "{{ name }}");
    world.err("template.render", json!({"file": "hi.tpl"})).await;
    let job = Caller::Job {
        id: "job_1".into(),
        name: "j".into(),
        run: "r".into(),
    };
    let gone = json!({"file": "gone.tpl"});
    world
        .core
        .functions
        .call(&job, "template.render", gone)
        .await
        .unwrap_err();
    assert_eq!(world.ok("template.failures", json!({})).await, json!([]));

    let call = json!({"file": "hi.tpl"});
    world
        .core
        .functions
        .call(&job, "template.render", call)
        .await
        .unwrap_err();
    assert_eq!(
        world.ok("template.failures", json!({})).await[0]["path"],
        "templates/hi.tpl"
    );
    world.put_file("templates/hi.tpl", "{{default name \"there\"}}");
    assert_eq!(world.ok("template.failures", json!({})).await, json!([]));
}

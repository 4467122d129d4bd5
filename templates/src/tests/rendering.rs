use coronet_core::Code;
use coronet_core::functions::Caller;
use serde_json::json;

use super::World;

const CUSTOM: &str =
    "Hello {{ username }},\n\nReset {{ app_name }}:\n\n{* reset_link *}\n\nHave a nice day.\n";

#[tokio::test]
async fn a_custom_mail_dropped_into_the_home_is_used_without_a_restart() {
    let world = World::new().await;
    let call = json!({"file": "password/custom_reset.tpl",
        "data": {"username": "Carol", "app_name": "Fun Run", "reset_link": "https://x.test/l"}});
    assert_eq!(
        world.err("template.renderMail", call.clone()).await.code(),
        Code::NotFound
    );

    world.put_file("templates/password/custom_reset.tpl", CUSTOM);
    let mail = world.ok("template.renderMail", call.clone()).await;
    assert_eq!(
        mail,
        json!({"text": "Hello Carol,\n\nReset Fun Run:\n\nhttps://x.test/l\n\nHave a nice day.\n"})
    );

    world.put_file("templates/password/custom_reset.tpl", "New: {* reset_link *}");
    assert_eq!(
        world.ok("template.renderMail", call.clone()).await,
        json!({"text": "New: https://x.test/l"})
    );

    world.put_file(
        "templates/password/custom_reset.html.tpl",
        "<a href=\"{{ reset_link }}\">{{ app_name }}</a>",
    );
    let mail = world.ok("template.renderMail", call.clone()).await;
    assert_eq!(mail["html"], "<a href=\"https://x.test/l\">Fun Run</a>");

    world.remove_file("templates/password/custom_reset.tpl");
    assert_eq!(
        world.err("template.renderMail", call).await.code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn a_changed_include_is_noticed_too() {
    let world = World::new().await;
    world.put_file("templates/a.tpl", "{(parts/b.tpl)}");
    let call = json!({"file": "a.tpl"});
    assert!(
        world
            .err("template.render", call.clone())
            .await
            .message()
            .contains("parts/b.tpl")
    );
    world.put_file("templates/parts/b.tpl", "one");
    assert_eq!(world.ok("template.render", call.clone()).await, "one");
    world.put_file("templates/parts/b.tpl", "two");
    assert_eq!(world.ok("template.render", call).await, "two");
}

#[tokio::test]
async fn w16_a_file_that_breaks_is_named_and_its_last_good_form_goes_on() {
    let world = World::new().await;
    world.put_file("templates/a.tpl", "good {{ name }}");
    let call = json!({"file": "a.tpl", "data": {"name": "x"}});
    assert_eq!(world.ok("template.render", call.clone()).await, "good x");

    world.put_file("templates/a.tpl", "bad\n {{#if name}}");
    assert_eq!(world.ok("template.render", call.clone()).await, "good x");
    let list = world.ok("resources.list", json!({"prefix": "templates/a"})).await;
    let problem = list[0]["problem"].as_str().unwrap();
    assert!(problem.contains("templates/a.tpl, line 2, column 2"), "{problem}");

    world.put_file("templates/new.tpl", "{% if x then %}");
    let error = world.err("template.render", json!({"file": "new.tpl"})).await;
    assert_eq!(error.code(), Code::Unprocessable);
    assert!(error.message().contains("templates/new.tpl, line 1"), "{error}");

    world.put_file("templates/a.tpl", "better {{ name }}");
    assert_eq!(world.ok("template.render", call).await, "better x");
}

#[tokio::test]
async fn an_unknown_key_is_an_error_and_never_an_empty_mail() {
    let world = World::new().await;
    world.put_file("templates/password/custom.tpl", CUSTOM);
    let error = world
        .err(
            "template.renderMail",
            json!({"file": "password/custom.tpl", "data": {"reset_link": "l", "username": "Carol"}}),
        )
        .await;
    assert_eq!(error.code(), Code::Unprocessable);
    assert!(
        error
            .message()
            .contains("templates/password/custom.tpl, line 3, column 7"),
        "{error}"
    );
    assert!(error.message().contains("`app_name`"), "{error}");
    assert_eq!(error.details().unwrap()["problems"][0]["line"], 3);
}

#[tokio::test]
async fn a_reset_mail_without_its_link_is_never_sent() {
    let world = World::new().await;
    world.put_file("templates/password/custom.tpl", "Hello!");
    let error = world
        .err(
            "template.renderMail",
            json!({"file": "password/custom.tpl", "data": {"reset_link": "l"}}),
        )
        .await;
    assert!(error.message().contains("reset_link"), "{error}");

    world.put_file("templates/password/custom.tpl", "Hello! {(password/_link.tpl)}");
    world.put_file("templates/password/_link.tpl", "{* reset_link *}");
    let mail = world
        .ok(
            "template.renderMail",
            json!({"file": "password/custom.tpl", "data": {"reset_link": "l"}}),
        )
        .await;
    assert_eq!(mail["text"], "Hello! l");
}

#[tokio::test]
async fn the_shipped_html_does_not_speak_for_a_text_of_ones_own() {
    let world = World::new().await;
    world.put_file("templates/password/email.tpl", "Ours: {* reset_link *}");
    let call = json!({"file": "password/email.tpl", "data": {"reset_link": "l"}});
    assert_eq!(
        world.ok("template.renderMail", call.clone()).await,
        json!({"text": "Ours: l"})
    );
    world.put_file("templates/password/email.html.tpl", "<b>{{ reset_link }}</b>");
    assert_eq!(
        world.ok("template.renderMail", call).await,
        json!({"text": "Ours: l", "html": "<b>l</b>"})
    );
}

#[tokio::test]
async fn m07_names_that_lead_elsewhere_are_not_there() {
    let world = World::new().await;
    world.put_file("secret.tpl", "secret");
    std::fs::create_dir_all(world.home.path().join("templates")).unwrap();
    std::os::unix::fs::symlink(
        world.home.path().join("secret.tpl"),
        world.home.path().join("templates/link.tpl"),
    )
    .unwrap();
    for file in [
        "../secret.tpl",
        "..%2fsecret.tpl",
        "%2e%2e/secret.tpl",
        "a/../../secret.tpl",
        "/etc/passwd",
        "..\\secret.tpl",
        "secret.tpl\0",
        "password/email.tpl/../../../secret.tpl",
        "./x.tpl",
        "",
        "coronet.toml",
        "password",
    ] {
        let error = world.err("template.render", json!({"file": file})).await;
        assert_eq!(error.code(), Code::NotFound, "{file:?}: {error}");
    }
    let error = world.err("template.render", json!({"file": "link.tpl"})).await;
    assert!(error.message().contains("leads out of its folder"), "{error}");
}

#[tokio::test]
async fn rendering_is_open_to_jobs_and_pages_and_editing_is_not() {
    let world = World::new().await;
    let job = Caller::Job {
        id: "job_1".into(),
        name: "j".into(),
        run: "r".into(),
    };
    let page = Caller::Page {
        path: "p".into(),
        address: None,
    };
    for caller in [&job, &page] {
        let render = json!({"file": "mail/test.tpl", "data": {}});
        assert!(
            world
                .core
                .functions
                .call(caller, "template.render", render)
                .await
                .is_ok()
        );
        for (name, parameters) in [
            ("resources.write", json!({"path": "templates/x.tpl", "text": ""})),
            ("resources.read", json!({"path": "templates/x.tpl"})),
            ("template.preview", json!({"path": "templates/x.tpl"})),
        ] {
            let error = world
                .core
                .functions
                .call(caller, name, parameters)
                .await
                .unwrap_err();
            assert_eq!(error.code(), Code::Forbidden);
        }
    }
}

#[tokio::test]
async fn a_preview_shows_the_draft_or_what_is_wrong_with_it() {
    let world = World::new().await;
    let path = "templates/password/email.tpl";
    let good = world
        .ok(
            "template.preview",
            json!({"path": path, "text": "Hi {{ who }}: {* reset_link *}"}),
        )
        .await;
    assert!(
        good["text"].as_str().unwrap().starts_with("Hi who: https://"),
        "{good}"
    );
    assert_eq!(good["sample"]["who"], "who");

    let bad = world
        .ok("template.preview", json!({"path": path, "text": "a\n{% end %}"}))
        .await;
    assert_eq!(
        (bad["problems"][0]["line"].as_u64(), bad.get("text")),
        (Some(2), None)
    );

    let missing = world
        .ok(
            "template.preview",
            json!({"path": path, "text": "{{ a }}{* reset_link *}", "data": {}}),
        )
        .await;
    assert!(
        missing["problems"][0]["message"]
            .as_str()
            .unwrap()
            .contains("`a`")
    );

    let html = world
        .ok(
            "template.preview",
            json!({"path": "templates/x.html.tpl", "text": "<i>{{ a }}</i>", "data": {"a": "<"}}),
        )
        .await;
    assert_eq!(html["html"], "<i>&lt;</i>");
}

#[tokio::test]
async fn d11_a_byte_order_mark_is_not_part_of_a_mail() {
    let world = World::new().await;
    world.put_file("templates/marked.tpl", "\u{feff}Hi {{ name }}");
    let mail = json!({"file": "marked.tpl", "data": {"name": "Carol"}});
    assert_eq!(
        world.ok("template.renderMail", mail.clone()).await["text"],
        "Hi Carol"
    );
    let draft =
        json!({"path": "templates/marked.tpl", "text": "\u{feff}Hey {{ name }}", "data": {"name": "Dan"}});
    assert_eq!(world.ok("template.preview", draft).await["text"], "Hey Dan");
    world
        .ok(
            "resources.write",
            json!({"path": "templates/marked.tpl", "text": "\u{feff}Yo {{ name }}"}),
        )
        .await;
    assert_eq!(world.ok("template.renderMail", mail).await["text"], "Yo Carol");
    let read = world
        .ok("resources.read", json!({"path": "templates/marked.tpl"}))
        .await;
    assert_eq!(read["text"], "Yo {{ name }}");
}

//! Templates that are wrong or hostile, given to the real server by those who may edit or only look. Cases M08 and W16
//! of the security table.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use std::fs;

use coronet_tests::client::{Client, Response};
use coronet_tests::operator::{colleague, set_up};
use coronet_tests::server::{Setup, TestServer};
use coronet_tests::story::{CAROL, FunRun};
use serde_json::{Value, json};

/// Texts that nest so deep that reading them without a bound would overflow any stack.
fn bombs() -> Vec<String> {
    let calls = |open: &str| format!("{}a{}", open.repeat(6_000), ")".repeat(6_000));
    vec![
        format!("{{{{ a{} }}}}", ".b".repeat(3_000)),
        format!("{{{{#if a{}}}}}x{{{{/if}}}}", ".b".repeat(20_000)),
        format!("{{{{ a{} }}}}", ".[b]".repeat(20_000)),
        format!("{{{{len {}}}}}", calls("(len ")),
        format!("{{{{len {}}}}}", calls("(len \")\" ")),
        format!("{{{{len \"}}}}\" {}}}}}", calls("(len ")),
        format!("{{{{{{{{raw {}}}}}}}}}x{{{{{{{{/raw}}}}}}}}", calls("(len ")),
        format!("{}{}", "\\{{ {{#if a}}".repeat(9_000), "{{/if}}".repeat(9_000)),
        format!(
            "{}{}",
            "{{#if a}}{{!--}}{{/if}}--}}".repeat(5_000),
            "{{/if}}".repeat(5_000)
        ),
    ]
}

async fn preview(client: &Client, path: &str, text: &str) -> Response {
    let fields = [("p.path", path), ("p.data", "{\"a\":1}"), ("p.text", text)];
    client
        .post_form("/webmin/function/template.preview", &fields)
        .await
}

async fn server() -> TestServer {
    Setup::default()
        .without_plugins()
        .start()
        .await
        .expect("SQLite is always there")
}

#[tokio::test]
async fn m08_no_template_that_anybody_may_look_at_ends_the_server() {
    let server = server().await;
    let admin = set_up(&server).await;
    let viewer = colleague(&server, "vera", "viewer").await;
    fs::create_dir_all(server.home().join("templates")).expect("a folder");
    for (number, bomb) in bombs().iter().enumerate() {
        for ending in ["hbs", "tpl", "html.tpl"] {
            let name = format!("templates/bomb{number}.{ending}");
            let answer = preview(&viewer, &name, bomb).await;
            assert_eq!(answer.status, 200, "{name}: {}", answer.text());

            fs::write(server.home().join(&name), bomb).expect("a file");
            let page = viewer.get(&format!("/webmin/templates/edit?path={name}")).await;
            assert_eq!(page.status, 200, "{name}");
        }
    }
    // Whoever lists them all reads them all, and a good text is still a good text.
    let tree = admin.get("/webmin/templates").await;
    assert!(tree.text().contains("bomb0.tpl"), "the list names them");
    let good = preview(&viewer, "templates/good.tpl", "<{{ a }}>").await;
    assert!(good.text().contains("&lt;1&gt;"), "{}", good.text());
}

/// What `server.health` says of templates, and what the dashboard shows.
async fn told(story: &FunRun, admin: &Client) -> (bool, String) {
    let health: Value = story.server.operate("server.health", json!({})).await;
    let checks = health["checks"].as_array().expect("a list");
    let check = checks.iter().find(|check| check["name"] == "templates");
    let check = check.expect("templates are checked");
    let shown = admin
        .get("/webmin/")
        .await
        .text()
        .contains("The template needs the key");
    assert_eq!(check["ok"] == json!(true), !shown, "{check}");
    (shown, check["message"].to_string())
}

#[tokio::test]
async fn w16_a_misspelt_key_is_told_when_saved_and_seen_when_it_fails() {
    let story = FunRun::start().await;
    let admin = set_up(&story.server).await;
    let path = "templates/password/email.tpl";
    let text = "Hi {{ usernam }}\n{* reset_link *}\n";
    let saved = story
        .server
        .operate("resources.write", json!({"path": path, "text": text}))
        .await;
    assert!(
        saved["warnings"][0]["message"].to_string().contains("`usernam`"),
        "{saved}"
    );
    let editor = admin.get(&format!("/webmin/templates/edit?path={path}")).await;
    assert!(editor.text().contains("nobody fills it in"), "{}", editor.text());

    let answer = story.ask_for_reset(CAROL).await;
    assert_eq!(answer.status.as_u16(), 422, "{}", answer.text());
    let (shown, message) = told(&story, &admin).await;
    assert!(shown && message.contains("usernam"), "{message}");
    let tree = admin.get("/webmin/templates").await;
    assert!(tree.text().contains("Fails since"), "{}", tree.text());

    let text = "Hi\n{* reset_link *}\n";
    let mended = json!({"path": path, "text": text});
    let saved = story.server.operate("resources.write", mended).await;
    assert_eq!(saved.get("warnings"), None, "{saved}");
    assert!(!told(&story, &admin).await.0);
    assert_eq!(story.ask_for_reset(CAROL).await.json(), json!(true));
}

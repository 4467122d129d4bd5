//! The dashboard: which time it shows first, and when the checklist stays away.

use std::sync::Arc;
use std::time::Duration;

use coronet_core::Figure;
use coronet_core::functions::{Call, Function, Role};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::http::{Browser, PASSWORD};

const HEADING: &str = "id=\"steps\"";

#[derive(Deserialize, JsonSchema)]
struct Anything {}

async fn nothing(_: Arc<()>, _: Arc<Call>, _: Anything) -> coronet_core::Result<Value> {
    Ok(Value::Null)
}

async fn the_job(_: Arc<()>, _: Arc<Call>, _: Anything) -> coronet_core::Result<Value> {
    Ok(json!({ "items": [{ "path": "admin/pw_reset_cleanup.lua" }] }))
}

/// Does all of the first steps, as far as there are plugins and jobs here.
async fn complete(browser: &Browser) {
    let none = Arc::new(());
    let functions = vec![
        Function::read("jobs.list", "", &none, the_job),
        Function::write("users.sendPasswordResetLink", "", &none, nothing),
    ];
    browser.core.functions.add("test", functions).unwrap();
    let call = async |name: &str, parameters: Value| {
        let caller = coronet_core::functions::Caller::cli();
        browser
            .core
            .functions
            .call(&caller, name, parameters)
            .await
            .unwrap();
    };
    let scope = json!({ "name": "Fun Run", "settings": { "from_email": "app@example.com" } });
    call("scopes.create", scope).await;
    // Choosing a transport counts as its test.
    let transport = json!({ "name": "capture", "without_test": true });
    call("mail.useTransport", transport).await;
    call("users.sendPasswordResetLink", json!({})).await;
}

#[rocket::async_test]
async fn ux25_a_checklist_that_was_complete_stays_away_whatever_is_deleted_later() {
    let browser = Browser::signed_in(Role::Admin).await;
    assert!(browser.get("/").await.body.contains(HEADING));
    complete(&browser).await;
    assert!(!browser.get("/").await.body.contains(HEADING), "all is done");
    let caller = coronet_core::functions::Caller::cli();
    let gone = json!({ "name": "Fun Run" });
    browser
        .core
        .functions
        .call(&caller, "scopes.delete", gone)
        .await
        .unwrap();
    // Not only for a while.
    browser.core.clock.advance(Duration::from_secs(120));
    assert!(!browser.get("/").await.body.contains(HEADING));
    // Whoever wants it gets it back, with what is missing now.
    let page = browser.get("/first-steps").await.body;
    assert!(page.contains("/first-steps/bring-back"), "{page}");
    browser.post("/first-steps/bring-back", &[]).await;
    assert!(browser.get("/").await.body.contains(HEADING));
}

#[rocket::async_test]
async fn ux25_a_hidden_checklist_stays_away_in_other_browsers_and_from_nobody_else() {
    let browser = Browser::signed_in(Role::Admin).await;
    let page = browser.post("/first-steps/hide", &[]).await;
    assert_eq!(page.location.as_deref(), Some("/webmin/"));
    let sign_in = async |name: &str| {
        // Another browser has none of the cookies.
        for cookie in browser
            .client
            .cookies()
            .iter()
            .map(|c| c.clone().into_owned())
            .collect::<Vec<_>>()
        {
            browser.client.cookies().remove(cookie);
        }
        browser
            .post("/login", &[("name", name), ("password", PASSWORD)])
            .await;
        browser.get("/").await.body
    };
    let again = sign_in("Carol").await;
    assert!(again.contains("data-live=") && !again.contains(HEADING));
    let other = browser
        .operators
        .add("Dora", PASSWORD.to_owned(), Role::Editor)
        .await;
    other.unwrap();
    assert!(sign_in("Dora").await.contains(HEADING));
}

#[rocket::async_test]
async fn ux24_a_new_server_shows_its_hour_first_and_an_older_one_its_day() {
    let browser = Browser::signed_in(Role::Admin).await;
    coronet_core::server::start(&browser.core).unwrap();
    let chosen = async || {
        // Attributes write `=` as a reference.
        let page = browser.get("/").await.body.replace("&#x3D;", "=");
        let name = |text: Option<&str>| {
            text.and_then(|text| text.split('"').next())
                .unwrap_or_default()
                .to_owned()
        };
        let live = name(page.split("/dashboard/live?range=").nth(1));
        let before = page.split("\" aria-current=\"true\">").next().unwrap_or_default();
        let marked = name(before.rsplit("?range=").next());
        assert_eq!(marked, live);
        marked
    };
    assert_eq!(chosen().await, "hour", "nothing yet");
    browser.core.figures.note(Figure::MailSent, 3);
    assert_eq!(chosen().await, "hour", "just now");
    browser.core.clock.advance(Duration::from_secs(80 * 60));
    browser
        .post("/login", &[("name", "Carol"), ("password", PASSWORD)])
        .await;
    assert_eq!(chosen().await, "day", "more than an hour ago");
    let asked = browser.get("/?range=hour").await.body;
    assert!(
        asked.contains("?range&#x3D;hour\" aria-current=\"true\""),
        "{asked}"
    );
    let asked = browser.get("/?range=day").await.body;
    assert!(
        asked.contains("?range&#x3D;day\" aria-current=\"true\""),
        "{asked}"
    );
}

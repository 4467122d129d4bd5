//! The palette finds what the operator may see and offers what they may do, and no more.

use coronet_core::functions::Role;
use rocket::http::Status;
use serde_json::json;

use super::http::Browser;

/// The labels of the options, as the script shows them.
async fn options(browser: &Browser, search: &str) -> Vec<String> {
    let page = browser.get(&format!("/find/options?q={search}")).await;
    assert_eq!(page.status, Status::Ok, "{}", page.body);
    let labels = page.body.split("class=\"palette-label\">").skip(1);
    labels
        .map(|rest| rest.split('<').next().unwrap_or_default().to_owned())
        .collect()
}

async fn with_users(role: Role, count: usize) -> Browser {
    let browser = Browser::signed_in(role).await;
    let system = coronet_core::functions::Caller::System;
    let functions = &browser.core.functions;
    functions
        .call(&system, "scopes.create", json!({ "name": "Fun Run" }))
        .await
        .unwrap();
    for number in 0..count {
        let user = json!({ "username": format!("carol{number}"), "scope": "Fun Run",
            "password": "a long way to the harbour", "meta": { "email": format!("carol{number}@example.com") } });
        functions.call(&system, "users.register", user).await.unwrap();
    }
    browser
}

#[rocket::async_test]
async fn an_empty_field_shows_pages_and_acts_and_words_narrow_them() {
    let browser = Browser::signed_in(Role::Admin).await;
    let all = options(&browser, "").await;
    for expected in ["Dashboard", "Operators", "New scope", "Dark theme", "Sign out"] {
        assert!(
            all.iter().any(|label| label == expected),
            "{expected} is not among {all:?}"
        );
    }
    assert_eq!(options(&browser, "audit").await[0], "Audit log");
    assert!(
        options(&browser, "users.get")
            .await
            .contains(&"users.getGroup".to_owned()),
        "functions"
    );
    assert!(
        options(&browser, "punycode")
            .await
            .contains(&"Who is the same".to_owned()),
        "guides"
    );
    assert!(options(&browser, "zebra").await.is_empty());
}

#[rocket::async_test]
async fn w06_a_viewer_is_offered_no_act_that_would_be_refused_and_leaves_no_trace() {
    let browser = with_users(Role::Viewer, 1).await;
    let all = options(&browser, "").await;
    assert!(all.iter().all(|label| !label.starts_with("New ")), "{all:?}");
    let found = options(&browser, "reset+carol").await;
    assert!(
        !found.iter().any(|label| label.starts_with("Send a reset")),
        "{found:?}"
    );
    assert!(options(&browser, "carol").await.contains(&"carol0".to_owned()));
    let audit = browser.get("/audit").await.body;
    assert!(
        !audit.contains("tokens.list"),
        "what is not allowed was never asked"
    );
}

#[rocket::async_test]
async fn users_are_found_by_name_or_address_and_the_answer_is_bounded() {
    let browser = with_users(Role::Editor, 8).await;
    let found = options(&browser, "carol7%40example").await;
    assert_eq!(found, ["carol7"]);
    let many = options(&browser, "carol").await;
    assert_eq!(many.iter().filter(|label| label.starts_with("carol")).count(), 6);
    let long = "x".repeat(5_000);
    assert!(options(&browser, &long).await.is_empty());
}

#[rocket::async_test]
async fn w04_what_was_typed_or_named_is_shown_as_text_and_strangers_find_nothing() {
    let browser = Browser::signed_in(Role::Admin).await;
    browser.post("/scopes/new", &[("name", "<b>Fun</b>")]).await;
    let page = browser.get("/find?q=%3Cb%3Efun").await.body;
    assert!(page.contains("&lt;b&gt;Fun") && !page.contains("<b>"), "{page}");
    for path in ["/find?q=fun", "/find/options?q=fun"] {
        assert_eq!(
            Browser::fresh().await.get(path).await.status,
            Status::Unauthorized,
            "{path}"
        );
    }
}

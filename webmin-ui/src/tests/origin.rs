//! Pages of another origin, and sessions that somebody else acts in (X01).

use std::time::Duration;

use coronet_core::functions::Role;
use rocket::http::{Cookie, Header, Status};
use serde_json::json;

use super::http::{Browser, PASSWORD};

const LATER: Duration = Duration::from_secs(6 * 60);
const NEW: [(&str, &str); 3] = [("name", "Mallory <&>"), ("password", PASSWORD), ("role", "admin")];

const NEW_BY_CALL: [(&str, &str); 4] = [
    ("p.name", "Mallory"),
    ("p.password", PASSWORD),
    ("p.role", "admin"),
    ("confirmed", "on"),
];

async fn operators(browser: &Browser) -> usize {
    let caller = coronet_core::functions::Caller::cli();
    let list = browser
        .core
        .functions
        .call(&caller, "operators.list", json!({}))
        .await
        .unwrap();
    list.as_array().unwrap().len()
}

#[rocket::async_test]
async fn x01_an_act_that_gives_rights_away_needs_a_recent_password_and_then_goes_on() {
    let browser = Browser::signed_in(Role::Admin).await;
    browser.core.clock.advance(LATER);
    // A page that acts in the session: the form goes nowhere.
    let asked = browser.post("/operators/new", &NEW).await;
    assert_eq!(asked.status, Status::Unauthorized, "{}", asked.body);
    assert_eq!(operators(&browser).await, 1);
    assert!(asked.body.contains("Enter your password"), "{}", asked.body);
    assert!(
        asked
            .body
            .replace("&#x3D;", "=")
            .contains("action=\"/webmin/password?to=%2Foperators%2Fnew\""),
        "{}",
        asked.body
    );
    // Everything that was typed is kept.
    assert!(
        asked.body.contains("value=\"Mallory &lt;&amp;&gt;\""),
        "{}",
        asked.body
    );

    let with = |password: &'static str| {
        let mut fields = NEW.to_vec();
        fields.push(("own_password", password));
        fields
    };
    let path = "/password?to=%2Foperators%2Fnew";
    let wrong = browser.post(path, &with("a wrong password here")).await;
    assert_eq!(wrong.status, Status::UnprocessableEntity, "{}", wrong.body);
    assert!(
        wrong.body.contains("Mallory") && wrong.body.contains("not right"),
        "{}",
        wrong.body
    );
    assert_eq!(operators(&browser).await, 1);

    let right = browser.post(path, &with(PASSWORD)).await;
    assert_eq!(right.status, Status::TemporaryRedirect, "{}", right.body);
    assert_eq!(right.location.as_deref(), Some("/webmin/operators/new"));
    // What a browser does with a 307.
    let done = browser.post("/operators/new", &with(PASSWORD)).await;
    assert_eq!(done.status, Status::SeeOther, "{}", done.body);
    assert_eq!(operators(&browser).await, 2);

    let another = [("name", "Trent"), ("password", PASSWORD), ("role", "viewer")];
    let soon = browser.post("/operators/new", &another).await;
    assert_eq!(
        soon.status,
        Status::SeeOther,
        "it was entered a moment ago: {}",
        soon.body
    );
    browser.core.clock.advance(LATER);
    let again = browser.post("/operators/new", &NEW).await;
    assert_eq!(again.status, Status::Unauthorized, "{}", again.body);
}

#[rocket::async_test]
async fn x01_every_way_to_such_an_act_asks_for_the_password() {
    let browser = Browser::signed_in(Role::Admin).await;
    let caller = coronet_core::functions::Caller::cli();
    let list = browser.core.functions.call(&caller, "operators.list", json!({}));
    let id = list.await.unwrap()[0]["id"].as_str().unwrap().to_owned();
    browser.core.clock.advance(LATER);
    let operator = format!("/operator/{id}");
    let password = format!("{operator}/password");
    let remove = format!("{operator}/remove");
    for (path, fields) in [
        (operator.as_str(), &[("role", "admin"), ("active", "on")][..]),
        (&password, &[("password", PASSWORD), ("again", PASSWORD)]),
        (&remove, &[]),
        ("/tokens/new", &[("name", "app"), ("grants", "users.*")]),
        (
            "/function/tokens.create",
            &[
                ("p.name", "app"),
                ("p.grants", r#"["users.*"]"#),
                ("confirmed", "on"),
            ],
        ),
        ("/function/operators.add", &NEW_BY_CALL),
    ] {
        let page = browser.post(path, fields).await;
        assert_eq!(page.status, Status::Unauthorized, "{path}: {}", page.body);
        assert!(page.body.contains("own_password"), "{path}: {}", page.body);
    }
    // What gives nothing away goes on as ever.
    let scope = browser.post("/scopes/new", &[("name", "Fun Run")]).await;
    assert_eq!(scope.status, Status::SeeOther, "{}", scope.body);
}

#[rocket::async_test]
async fn x01_a_script_gets_the_question_above_its_page() {
    let browser = Browser::signed_in(Role::Admin).await;
    browser.core.clock.advance(LATER);
    let ours = [("Sec-Fetch-Site", "same-origin"), ("HX-Request", "true")];
    let asked = browser
        .post_with("/tokens/new", &[("name", "app"), ("grants", "users.*")], &ours)
        .await;
    assert_eq!(
        asked.headers.get_one("HX-Retarget"),
        Some("#dialog-body"),
        "{}",
        asked.body
    );
    assert!(!asked.body.contains("<html"), "{}", asked.body);
}

#[rocket::async_test]
async fn x01_the_origin_of_the_pages_neither_writes_nor_reads() {
    let browser = Browser::signed_in(Role::Admin).await;
    let pages = browser.core.config.page_origins().remove(0);
    let host = ("Host", pages.trim_start_matches("http://"));
    for headers in [
        &[("Origin", pages.as_str()), ("Sec-Fetch-Site", "same-site")][..],
        &[("Origin", &pages), host],
        &[("Origin", &pages), ("Sec-Fetch-Site", "same-origin")],
        &[("Origin", "null"), ("Sec-Fetch-Site", "cross-site")],
        &[],
    ] {
        let page = browser.post_with("/operators/new", &NEW, headers).await;
        assert_eq!(page.status, Status::Forbidden, "{headers:?}");
    }
    assert_eq!(operators(&browser).await, 1);
    for (mode, dest, status) in [
        ("cors", "empty", Status::Forbidden),
        ("no-cors", "script", Status::Forbidden),
        ("navigate", "iframe", Status::Forbidden),
        // A link that somebody follows.
        ("navigate", "document", Status::Ok),
    ] {
        let request = browser.client.get("/webmin/operators");
        let headers = [
            ("Sec-Fetch-Site", "same-site"),
            ("Sec-Fetch-Mode", mode),
            ("Sec-Fetch-Dest", dest),
        ];
        let request = headers.into_iter().fold(request, |request, (name, value)| {
            request.header(Header::new(name, value))
        });
        assert_eq!(request.dispatch().await.status(), status, "{mode} {dest}");
    }
}

#[rocket::async_test]
async fn x01_a_toast_that_a_page_of_another_port_left_is_not_shown() {
    let browser = Browser::signed_in(Role::Admin).await;
    let jar = browser.client.cookies();
    jar.add(Cookie::new("coronet_toast", "good:Call 555 to go on"));
    jar.add(Cookie::new("coronet_undo", "%2Ftokens|revoke|%2F|pick.all"));
    let page = browser.get("/scopes").await;
    assert!(
        !page.body.contains("Call 555") && !page.body.contains("pick.all"),
        "{}",
        page.body
    );
    // Our own is.
    browser.post("/scopes/new", &[("name", "Fun Run")]).await;
    let page = browser.get("/scopes").await;
    assert!(page.body.contains("class=\"toast"), "{}", page.body);
}

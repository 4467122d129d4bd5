//! UX21: invitations and forgotten passwords, as operators click through them.

use std::sync::Arc;

use coronet_core::Result;
use coronet_core::functions::{Call, Caller, Function, Role};
use rocket::http::Status;
use rocket::tokio::{self, sync::mpsc};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::http::{Browser, PASSWORD, Page};

const NEW: &str = "another fine day";

#[derive(Deserialize, JsonSchema)]
struct Deliver {
    message: serde_json::Map<String, Value>,
}

#[derive(Deserialize, JsonSchema)]
struct Render {
    file: String,
    data: Value,
}

async fn deliver(inbox: Arc<mpsc::UnboundedSender<Value>>, _: Arc<Call>, input: Deliver) -> Result<Value> {
    inbox.send(Value::Object(input.message)).unwrap();
    Ok(json!({"provider_id": "<1@fake>"}))
}

async fn render(_: Arc<()>, _: Arc<Call>, input: Render) -> Result<Value> {
    let link = input.data["link"].as_str().unwrap_or("no link");
    Ok(json!({"text": format!("{}: {link}", input.file)}))
}

/// Lets the server of the browser send mail.
async fn with_mail(browser: &Browser) -> mpsc::UnboundedReceiver<Value> {
    let (sender, inbox) = mpsc::unbounded_channel();
    let functions = vec![
        Function::write("fake.deliver", "", &Arc::new(sender), deliver).internal(),
        Function::read("template.renderMail", "", &Arc::new(()), render),
    ];
    let core = &browser.core;
    core.functions.add("fake", functions).unwrap();
    core.contributions
        .add_provided("fake", "mail.transport", "fake", "fake.deliver");
    tokio::spawn(Arc::clone(&browser.mail).run());
    for (name, parameters) in [
        (
            "settings.update",
            json!({"group": "mail", "changes": {"default_sender": "coronet@home.example"}}),
        ),
        ("mail.useTransport", json!({"name": "fake", "without_test": true})),
    ] {
        core.functions
            .call(&Caller::cli(), name, parameters)
            .await
            .unwrap();
    }
    inbox
}

/// The path of the link in the next mail that has one.
async fn link(inbox: &mut mpsc::UnboundedReceiver<Value>) -> String {
    loop {
        let mail = inbox.recv().await.unwrap();
        let text = mail["text"].as_str().unwrap().to_owned();
        if let Some((_, path)) = text.split_once("/webmin/choose-password") {
            return format!("/choose-password{path}");
        }
    }
}

fn token(link: &str) -> &str {
    link.split_once("token=").unwrap().1
}

async fn choose(browser: &Browser, link: &str, password: &str, again: &str) -> Page {
    let fields = [("token", token(link)), ("password", password), ("again", again)];
    browser.post("/choose-password", &fields).await
}

async fn sign_in(browser: &Browser, name: &str, password: &str) -> Page {
    browser
        .post("/login", &[("name", name), ("password", password)])
        .await
}

const INVITED: [(&str, &str); 5] = [
    ("name", "Eve"),
    ("email", "eve@home.example"),
    ("how", "invitation"),
    ("password", ""),
    ("role", "editor"),
];

#[rocket::async_test]
async fn ux21_an_invited_operator_chooses_a_password_and_is_signed_in() {
    let browser = Browser::signed_in(Role::Admin).await;
    let mut inbox = with_mail(&browser).await;
    let form = browser.get("/operators/new").await.body;
    assert!(
        form.contains("Send an invitation") && form.contains("value=\"invitation\" checked"),
        "{form}"
    );
    let url = browser.core.config.webmin_url();
    assert!(form.contains(&format!("They start with {url}")));

    let added = browser.post("/operators/new", &INVITED).await;
    assert_eq!(
        added.location.as_deref(),
        Some("/webmin/operators"),
        "{}",
        added.body
    );
    let list = browser.get("/operators").await.body;
    for shown in [
        "eve@home.example",
        "link valid until",
        "Send the invitation again",
        "Revoke invitation",
    ] {
        assert!(list.contains(shown), "{shown}");
    }
    let link = link(&mut inbox).await;
    browser.post("/logout", &[]).await;

    let page = browser.get(&link).await;
    assert_eq!(page.status, Status::Ok);
    assert!(page.body.contains("Sign in as Eve") && page.body.contains("data-link-form"));
    assert_eq!(page.headers.get_one("Cache-Control"), Some("no-store"));
    assert_eq!(page.headers.get_one("Referrer-Policy"), Some("same-origin"));
    for (password, again, said) in [
        ("short", "short", "15"),
        (NEW, "something else entirely", "not the same"),
        ("aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa", "the same few characters"),
    ] {
        let refused = choose(&browser, &link, password, again).await;
        assert_eq!(refused.status, Status::UnprocessableEntity, "{said}");
        assert!(refused.body.contains(said), "{said}: {}", refused.body);
        assert!(refused.body.contains(token(&link)), "the form still works");
    }
    let done = choose(&browser, &link, NEW, NEW).await;
    assert_eq!(done.location.as_deref(), Some("/webmin/"), "{}", done.body);
    assert!(
        browser.get("/profile").await.body.contains("eve@home.example"),
        "signed in"
    );
    // Used, unknown and malformed links get one and the same page (C02).
    let dead = browser.get(&link).await;
    assert_eq!(dead.status, Status::NotFound);
    for other in [
        "/choose-password",
        "/choose-password?token=x",
        "/choose-password?token=%00",
    ] {
        let page = browser.get(other).await;
        assert_eq!((page.status, &page.body), (dead.status, &dead.body), "{other}");
    }
    assert_eq!(choose(&browser, &link, NEW, NEW).await.status, Status::NotFound);
}

#[rocket::async_test]
async fn ux21_an_invitation_is_sent_again_and_revoked() {
    let browser = Browser::signed_in(Role::Admin).await;
    let mut inbox = with_mail(&browser).await;
    browser.post("/operators/new", &INVITED).await;
    let first = link(&mut inbox).await;
    let list = browser.get("/operators").await.body;
    let action = list
        .split("action=\"/webmin")
        .find(|part| part.contains("/invite\""))
        .unwrap();
    let path = action.split_once('"').unwrap().0.to_owned();
    let again = browser.post(&path, &[]).await;
    assert_eq!(
        again.location.as_deref(),
        Some("/webmin/operators"),
        "{}",
        again.body
    );
    let second = link(&mut inbox).await;
    assert_eq!(browser.get(&first).await.status, Status::NotFound);
    assert_eq!(browser.get(&second).await.status, Status::Ok);

    let revoke = path.replace("/invite", "/revoke");
    assert!(browser.get(&revoke).await.body.contains("stops working"));
    browser.post(&revoke, &[]).await;
    assert_eq!(browser.get(&second).await.status, Status::NotFound);
    let list = browser.get("/operators").await.body;
    assert!(list.contains("no open invitation") && !list.contains("/revoke\""));
}

#[rocket::async_test]
async fn ux21_a_form_says_what_an_invitation_lacks() {
    let browser = Browser::signed_in(Role::Admin).await;
    let form = browser.get("/operators/new").await.body;
    assert!(!form.contains("Send an invitation"), "no mail can be sent yet");
    assert!(form.contains("Mail → Transport") && form.contains("Settings → Mail"));
    let refused = browser.post("/operators/new", &INVITED).await;
    assert_eq!(refused.status, Status::UnprocessableEntity, "{}", refused.body);
    assert!(refused.body.contains("default sender"));

    let _inbox = with_mail(&browser).await;
    let mut fields = INVITED;
    fields[1] = ("email", "");
    let refused = browser.post("/operators/new", &fields).await;
    assert_eq!(refused.status, Status::BadRequest);
    assert!(
        refused.body.contains("Mail address is needed."),
        "{}",
        refused.body
    );
    fields[1] = ("email", "not an address");
    let refused = browser.post("/operators/new", &fields).await;
    assert!(
        refused.body.contains("Mail address must be a mail address"),
        "{}",
        refused.body
    );
    // A password can still be set by hand.
    let by_hand = [
        ("name", "Eve"),
        ("email", ""),
        ("how", "password"),
        ("password", NEW),
        ("role", "viewer"),
    ];
    let added = browser.post("/operators/new", &by_hand).await;
    assert_eq!(
        added.location.as_deref(),
        Some("/webmin/operators"),
        "{}",
        added.body
    );
}

#[rocket::async_test]
async fn ux21_a_forgotten_password_is_set_anew_by_mail_and_old_sessions_end() {
    let browser = Browser::signed_in(Role::Admin).await;
    let mut inbox = with_mail(&browser).await;
    let saved = browser
        .post("/profile/email", &[("email", "carol@home.example")])
        .await;
    assert_eq!(
        saved.location.as_deref(),
        Some("/webmin/profile"),
        "{}",
        saved.body
    );
    // Signed in twice and signed out once: the first session lives on, and this browser is nobody's.
    let cookies = browser.client.cookies();
    let old = cookies.get("coronet_session").unwrap().value().to_owned();
    drop(cookies);
    assert_eq!(
        sign_in(&browser, "Carol", PASSWORD).await.status,
        Status::SeeOther
    );
    browser.post("/logout", &[]).await;
    assert!(browser.operators.session_lives(&old).await.unwrap());
    let door = browser.get("/login").await.body;
    assert!(door.contains("/webmin/forgot-password"), "{door}");
    assert!(
        browser
            .get("/forgot-password")
            .await
            .body
            .contains("name=\"email\"")
    );

    let mut answers = Vec::new();
    for address in ["nobody@home.example", "carol@home.example"] {
        let answer = browser.post("/forgot-password", &[("email", address)]).await;
        assert_eq!(answer.status, Status::Ok);
        answers.push(answer.body);
    }
    assert_eq!(answers[0], answers[1], "nobody learns which addresses there are");
    browser.operators.answer_requests().await.unwrap();
    let link = link(&mut inbox).await;
    let done = choose(&browser, &link, NEW, NEW).await;
    assert_eq!(done.location.as_deref(), Some("/webmin/login"), "{}", done.body);
    assert!(browser.get("/login").await.body.contains("Sign in with it"));

    assert!(
        !browser.operators.session_lives(&old).await.unwrap(),
        "the old session is over"
    );
    assert_eq!(
        sign_in(&browser, "Carol", PASSWORD).await.status,
        Status::Unauthorized
    );
    assert_eq!(sign_in(&browser, "Carol", NEW).await.status, Status::SeeOther);
}

#[rocket::async_test]
async fn ux21_where_no_mail_can_be_sent_the_door_says_what_to_do_instead() {
    let browser = Browser::signed_in(Role::Admin).await;
    browser.post("/logout", &[]).await;
    for path in ["/login", "/forgot-password"] {
        let page = browser.get(path).await.body;
        assert!(
            page.contains("coronet operator reset-password NAME"),
            "{path}: {page}"
        );
        assert!(page.contains("An admin can set a new"), "{path}");
        assert!(!page.contains("name=\"email\""), "{path}");
    }
    let asked = browser
        .post("/forgot-password", &[("email", "carol@home.example")])
        .await;
    assert_eq!(asked.status, Status::UnprocessableEntity);
    assert!(asked.body.contains("coronet operator reset-password NAME"));
    assert_eq!(
        browser
            .post_with(
                "/forgot-password",
                &[("email", "a@x.example")],
                &[("Sec-Fetch-Site", "cross-site")]
            )
            .await
            .status,
        Status::Forbidden,
        "another site cannot ask"
    );
}

#[rocket::async_test]
async fn ux21_an_own_address_is_changed_only_with_a_recent_password() {
    let browser = Browser::signed_in(Role::Viewer).await;
    browser.core.clock.advance(std::time::Duration::from_secs(301));
    let fields = [("email", "carol@home.example")];
    let asked = browser.post("/profile/email", &fields).await;
    assert_eq!(asked.status, Status::Unauthorized);
    assert!(asked.body.contains("Your password") && asked.body.contains("carol@home.example"));
    let confirm = [("email", "carol@home.example"), ("own_password", PASSWORD)];
    let sent_on = browser.post("/password?to=%2Fprofile%2Femail", &confirm).await;
    assert_eq!(sent_on.location.as_deref(), Some("/webmin/profile/email"));
    browser.post("/profile/email", &fields).await;
    assert!(browser.get("/profile").await.body.contains("carol@home.example"));
    let wrong = browser.post("/profile/email", &[("email", "carol@")]).await;
    assert_eq!(wrong.status, Status::BadRequest);
    assert!(wrong.body.contains("must be a mail address"), "{}", wrong.body);
}

#[rocket::async_test]
async fn ux21_the_pages_are_german_too() {
    let browser = Browser::signed_in(Role::Admin).await;
    let mut inbox = with_mail(&browser).await;
    browser.post("/profile/language", &[("language", "de")]).await;
    browser.post("/operators/new", &INVITED).await;
    let mail = inbox.recv().await.unwrap();
    assert!(
        mail["text"]
            .as_str()
            .unwrap()
            .starts_with("operators/invitation.de.tpl"),
        "{mail}"
    );
    let path = mail["text"]
        .as_str()
        .unwrap()
        .split_once("/webmin")
        .unwrap()
        .1
        .to_owned();
    assert!(
        browser
            .get("/operators")
            .await
            .body
            .contains("Einladung erneut senden")
    );
    let page = browser.get(&path).await.body;
    assert!(
        page.contains("Passwort setzen und anmelden") && page.contains("lang=\"de\""),
        "{page}"
    );
    browser.post("/logout", &[]).await;
    assert!(browser.get("/forgot-password").await.body.contains("Link senden"));
}

//! An operator's day: what is clicked, and what comes of it.

use coronet_core::functions::Role;
use rocket::http::{Header, Status};

use super::http::{Browser, PASSWORD};

#[rocket::async_test]
async fn a_scope_is_made_changed_and_deleted() {
    let browser = Browser::signed_in(Role::Admin).await;
    let made = browser
        .post(
            "/scopes/new",
            &[
                ("name", "Fun Run"),
                ("from_email", "app@example.com"),
                ("link_lifetime", "60"),
            ],
        )
        .await;
    assert_eq!(
        made.location.as_deref(),
        Some("/webmin/scope/Fun%20Run"),
        "{}",
        made.body
    );
    let page = browser.get("/scope/Fun%20Run").await;
    assert!(page.body.contains("Scope created."), "the toast");
    assert!(page.body.contains("value=\"60\""));
    assert!(
        !browser
            .get("/scope/Fun%20Run")
            .await
            .body
            .contains("Scope created."),
        "the toast is shown once"
    );

    let refused = browser
        .post(
            "/scope/Fun%20Run",
            &[("from_email", "not an address"), ("display_name", "<b>Fun</b>")],
        )
        .await;
    assert!(refused.status.code >= 400);
    assert!(
        refused.body.contains("&lt;b&gt;Fun&lt;/b&gt;"),
        "what was typed stays, as text (W04)"
    );
    assert!(refused.body.contains("not an address"));

    assert_eq!(
        browser
            .post("/scope/Fun%20Run/delete", &[("confirm", "fun")])
            .await
            .status,
        Status::BadRequest
    );
    let gone = browser
        .post("/scope/Fun%20Run/delete", &[("confirm", "Fun Run")])
        .await;
    assert_eq!(gone.location.as_deref(), Some("/webmin/scopes"));
    assert_eq!(browser.get("/scope/Fun%20Run").await.status, Status::NotFound);
}

#[rocket::async_test]
async fn a_user_is_made_found_and_edited() {
    let browser = Browser::signed_in(Role::Editor).await;
    browser.post("/scopes/new", &[("name", "Fun Run")]).await;
    let fields = [
        ("scope", "Fun Run"),
        ("username", "carol"),
        ("email", "carol@example.com"),
        ("group", ""),
        ("password", ""),
    ];
    let made = browser.post("/users/new", &fields).await;
    let path = made.location.expect("the user's page").split_off("/webmin".len());
    assert!(
        browser
            .get("/users?search=carol&scope=Fun%20Run")
            .await
            .body
            .contains("carol@example.com")
    );
    assert!(
        browser
            .get("/users?search=nobody")
            .await
            .body
            .contains("Nothing fits")
    );

    let changes = [
        ("username", "carol"),
        ("email", "carol@example.org"),
        ("extra", "{\"level\": 3}"),
    ];
    assert_eq!(browser.post(&path, &changes).await.status, Status::SeeOther);
    let page = browser.get(&path).await;
    assert!(
        page.body.contains("carol@example.org")
            && page.body.contains("inactive")
            && page.body.contains("level")
    );
}

#[rocket::async_test]
async fn a_token_is_shown_once_and_revoked() {
    let browser = Browser::signed_in(Role::Admin).await;
    let made = browser
        .post(
            "/tokens/new",
            &[
                ("name", "App"),
                ("grants", "users.*\r\nmail.send"),
                ("expires_in_days", "30"),
            ],
        )
        .await;
    let token = made
        .body
        .split("id=\"token\">")
        .nth(1)
        .and_then(|rest| rest.split('<').next())
        .expect("the token")
        .to_owned();
    let list = browser.get("/tokens").await.body;
    assert!(list.contains("mail.send") && !list.contains(&token));
    let id = list
        .split("/token/")
        .nth(1)
        .and_then(|rest| rest.split('/').next())
        .expect("its id")
        .to_owned();
    assert_eq!(
        browser.post(&format!("/token/{id}/revoke"), &[]).await.status,
        Status::SeeOther
    );
    assert!(browser.get("/tokens").await.body.contains("revoked"));
}

#[rocket::async_test]
async fn htmx_gets_the_fragment_and_going_back_the_whole_page() {
    let browser = Browser::signed_in(Role::Admin).await;
    let fragment = browser
        .client
        .get("/webmin/users")
        .header(Header::new("HX-Request", "true"))
        .dispatch()
        .await;
    let fragment = fragment.into_string().await.unwrap();
    assert!(fragment.starts_with("<title>Users") && !fragment.contains("<html"));
    let back = browser
        .client
        .get("/webmin/users")
        .header(Header::new("HX-Request", "true"))
        .header(Header::new("HX-History-Restore-Request", "true"));
    assert!(
        back.dispatch()
            .await
            .into_string()
            .await
            .unwrap()
            .contains("<html")
    );
}

#[rocket::async_test]
async fn functions_are_explained_and_tried() {
    let browser = Browser::signed_in(Role::Viewer).await;
    assert!(
        browser
            .get("/functions?q=scope")
            .await
            .body
            .contains("scopes.list")
    );
    let page = browser.get("/function/scopes.list").await;
    assert!(page.body.contains("coronet call scopes.list"));
    let typed = browser
        .post("/function/scopes.get/snippets", &[("p.name", "<i>Fun</i>")])
        .await;
    assert!(
        typed.body.contains("&lt;i&gt;Fun") && !typed.body.contains("<html"),
        "{}",
        typed.body
    );
    let tried = browser.post("/function/scopes.list", &[]).await;
    assert_eq!(tried.status, Status::Ok);
    assert!(tried.body.contains("done"));
    assert_eq!(
        browser
            .post("/function/scopes.create", &[("p.name", "x")])
            .await
            .status,
        Status::Forbidden
    );
}

#[rocket::async_test]
async fn an_operator_changes_their_own_password_and_stays_signed_in() {
    let browser = Browser::signed_in(Role::Viewer).await;
    let new = "another horse in the stable";
    let wrong = browser
        .post(
            "/profile/password",
            &[("old", "wrong"), ("password", new), ("again", new)],
        )
        .await;
    assert_eq!(wrong.status, Status::UnprocessableEntity);
    let done = browser
        .post(
            "/profile/password",
            &[("old", PASSWORD), ("password", new), ("again", new)],
        )
        .await;
    assert_eq!(done.status, Status::SeeOther, "{}", done.body);
    assert_eq!(browser.get("/profile").await.status, Status::Ok);
}

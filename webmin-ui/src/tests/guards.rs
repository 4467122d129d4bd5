//! Who is let in, and what is refused (W01, W02, W04, W06, W10, W11).

use coronet_core::functions::Role;
use coronet_core::operators::Origin;
use rocket::http::Status;

use super::http::{Browser, PASSWORD};

#[rocket::async_test]
async fn w10_the_first_operator_is_made_by_a_link_that_works_once() {
    let browser = Browser::fresh().await;
    let link = browser.operators.setup_link().await.unwrap().unwrap();
    let path = format!("/setup?token={}", link.token);
    assert_eq!(browser.get("/setup?token=guess").await.status, Status::NotFound);
    assert_eq!(browser.get(&path).await.status, Status::Ok);

    let short = [
        ("token", &*link.token),
        ("name", "Carol"),
        ("password", "short"),
        ("again", "short2"),
    ];
    let refused = browser.post("/setup", &short).await;
    assert_eq!(refused.status, Status::UnprocessableEntity);
    assert!(refused.body.contains("needs 15 characters") && refused.body.contains("not the same"));
    assert!(
        refused.body.contains(&*link.token),
        "the form still works after a refused password"
    );

    let right = [
        ("token", &*link.token),
        ("name", "Carol"),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    assert_eq!(
        browser.post("/setup", &right).await.location.as_deref(),
        Some("/webmin/")
    );
    assert!(
        browser.get("/").await.body.contains("First steps"),
        "the operator is signed in"
    );
    assert_eq!(browser.post("/setup", &right).await.status, Status::NotFound);
}

#[rocket::async_test]
async fn before_there_is_an_operator_every_address_says_how_to_make_one() {
    let browser = Browser::fresh().await;
    for path in ["/", "/login", "/users", "/setup"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, Status::Unauthorized, "{path}");
        assert!(page.body.contains("coronet operator add"), "{path}");
        assert!(
            !page.body.contains("name=\"password\""),
            "{path}: nobody can sign in"
        );
    }
    let guess = browser.get("/setup?token=guess").await;
    assert_eq!(guess.status, Status::NotFound);
    assert!(guess.body.contains("mistyped or too old") && guess.body.contains("coronet operator add"));
}

#[rocket::async_test]
async fn a_form_sent_after_the_session_ended_is_kept_while_one_signs_in_again() {
    let browser = Browser::signed_in(Role::Admin).await;
    browser.post("/logout", &[]).await;
    let from_our_page = ("Sec-Fetch-Site", "same-origin");
    let form = [("name", "Fun Run")];

    let asked = browser
        .post_with("/scopes/new", &form, &[from_our_page, ("HX-Request", "true")])
        .await;
    assert_eq!(asked.status, Status::Unauthorized);
    assert_eq!(asked.headers.get_one("HX-Retarget"), Some("#dialog-body"));
    assert_eq!(
        asked.headers.get_one("HX-Push-Url"),
        Some("false"),
        "the page stays as it is"
    );
    let login = [("name", "Carol"), ("password", "wrong"), ("in_place", "yes")];
    let refused = browser.post("/login", &login).await;
    assert_eq!(refused.headers.get_one("HX-Retarget"), Some("#dialog-body"));
    let login = [("name", "Carol"), ("password", PASSWORD), ("in_place", "yes")];
    let done = browser.post("/login", &login).await;
    assert_eq!(done.status, Status::NoContent);
    assert_eq!(done.headers.get_one("HX-Trigger"), Some("coronet:signed-in"));
    assert_eq!(browser.post("/scopes/new", &form).await.status, Status::SeeOther);

    // Without script the login says what happened, and leads back to the page.
    browser.post("/logout", &[]).await;
    let page = ("Referer", "http://localhost/webmin/scope/Fun%20Run");
    let asked = browser
        .post_with("/scope/Fun%20Run", &form, &[from_our_page, page])
        .await;
    assert!(asked.body.contains("was not done") && asked.body.contains("value=\"/scope/Fun%20Run\""));
}

#[rocket::async_test]
async fn w06_nothing_is_shown_or_done_without_a_session() {
    let browser = Browser::signed_in(Role::Admin).await;
    browser.post("/logout", &[]).await;
    for path in [
        "/",
        "/users",
        "/mail",
        "/audit",
        "/function/users.get",
        "/templates/edit?path=x",
        "/job/x",
        "/profile",
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, Status::Unauthorized, "{path}");
        assert!(page.body.contains("name=\"password\""), "{path} asks to sign in");
    }
    for path in [
        "/scopes/new",
        "/tokens/new",
        "/jobs/reload",
        "/plugin/x/restart",
        "/profile/password",
    ] {
        assert_eq!(
            browser.post(path, &[]).await.status,
            Status::Unauthorized,
            "{path}"
        );
    }
}

#[rocket::async_test]
async fn w06_a_viewer_sees_and_does_not_change() {
    let browser = Browser::signed_in(Role::Viewer).await;
    let page = browser.get("/scopes").await;
    assert_eq!(page.status, Status::Ok);
    assert!(!page.body.contains("New scope"));
    assert_eq!(
        browser.post("/scopes/new", &[("name", "Fun Run")]).await.status,
        Status::Forbidden
    );
    assert_eq!(
        browser
            .post("/tokens/new", &[("name", "x"), ("grants", "*")])
            .await
            .status,
        Status::Forbidden
    );
    assert_eq!(
        browser
            .post(
                "/operators/new",
                &[("name", "x"), ("password", PASSWORD), ("role", "admin")]
            )
            .await
            .status,
        Status::Forbidden
    );
    assert!(
        browser.get("/audit").await.body.contains("scopes.create"),
        "the attempt is recorded"
    );
}

#[rocket::async_test]
async fn w01_writes_come_from_our_own_pages_only() {
    let browser = Browser::signed_in(Role::Admin).await;
    let form = [("name", "Fun Run")];
    let foreign: [&[(&str, &str)]; 6] = [
        &[],
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Sec-Fetch-Site", "none")],
        &[("Origin", "https://evil.example"), ("Host", "admin.example")],
        &[("Origin", "null"), ("Host", "admin.example")],
    ];
    for headers in foreign {
        assert_eq!(
            browser.post_with("/scopes/new", &form, headers).await.status,
            Status::Forbidden,
            "{headers:?}"
        );
    }
    assert!(browser.get("/scopes").await.body.contains("No scope yet"));
    let own = [("Origin", "https://admin.example"), ("Host", "admin.example")];
    assert_eq!(
        browser.post_with("/scopes/new", &form, &own).await.status,
        Status::SeeOther
    );
}

#[rocket::async_test]
async fn w01_login_and_setup_too_are_refused_from_elsewhere() {
    let browser = Browser::fresh().await;
    let cross = [("Sec-Fetch-Site", "cross-site")];
    assert_eq!(
        browser
            .post_with("/login", &[("name", "x"), ("password", "y")], &cross)
            .await
            .status,
        Status::Forbidden
    );
    assert_eq!(
        browser
            .post_with("/setup", &[("token", "x")], &cross)
            .await
            .status,
        Status::Forbidden
    );
}

#[rocket::async_test]
async fn w02_a_session_ends_with_logout_and_is_new_at_every_login() {
    let browser = Browser::signed_in(Role::Admin).await;
    let cookie = || {
        browser
            .client
            .cookies()
            .get("coronet_session")
            .map(|cookie| cookie.value().to_owned())
    };
    let first = cookie().unwrap();
    assert_eq!(browser.get("/").await.status, Status::Ok);

    let page = browser.post("/logout", &[]).await;
    assert!(page.headers.get_one("Clear-Site-Data").is_some());
    browser.client.cookies().add(("coronet_session", first.clone()));
    assert_eq!(
        browser.get("/").await.status,
        Status::Unauthorized,
        "the old cookie is worth nothing"
    );

    browser
        .post("/login", &[("name", "Carol"), ("password", PASSWORD)])
        .await;
    assert_ne!(cookie().unwrap(), first);
}

#[rocket::async_test]
async fn w02_a_removed_operator_is_out_at_once() {
    let browser = Browser::signed_in(Role::Viewer).await;
    assert_eq!(browser.get("/").await.status, Status::Ok);
    let caller = coronet_core::functions::Caller::cli();
    let listed = browser
        .core
        .functions
        .call(&caller, "operators.list", serde_json::json!({}))
        .await
        .unwrap();
    let change = serde_json::json!({ "id": listed[0]["id"], "role": "viewer", "active": false });
    browser
        .operators
        .add("Dave", PASSWORD.to_owned(), Role::Admin)
        .await
        .unwrap();
    browser
        .core
        .functions
        .call(&caller, "operators.update", change)
        .await
        .unwrap();
    assert_eq!(browser.get("/").await.status, Status::Unauthorized);
}

#[rocket::async_test]
async fn w04_every_answer_carries_the_headers() {
    let browser = Browser::fresh().await;
    for path in ["/login", "/nothing/here", "/users"] {
        let page = browser.get(path).await;
        let header = |name| page.headers.get_one(name).unwrap_or_default().to_owned();
        let policy = header("Content-Security-Policy");
        assert!(
            policy.contains("script-src 'self'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(header("Cache-Control"), "no-store", "{path}");
        assert_eq!(header("X-Content-Type-Options"), "nosniff");
        assert_eq!(header("X-Frame-Options"), "DENY");
        assert_eq!(header("Cross-Origin-Opener-Policy"), "same-origin");
    }
}

#[rocket::async_test]
async fn w03_a_refused_login_says_the_same_for_a_wrong_name_and_a_wrong_password() {
    let browser = Browser::fresh().await;
    browser
        .operators
        .add("Carol", PASSWORD.to_owned(), Role::Admin)
        .await
        .unwrap();
    let words = |page: super::http::Page| {
        page.body
            .split("role=\"alert\"")
            .nth(1)
            .unwrap()
            .split("</div>")
            .next()
            .unwrap()
            .to_owned()
    };
    let wrong_name = browser
        .post("/login", &[("name", "Nobody"), ("password", PASSWORD)])
        .await;
    let wrong_password = browser
        .post(
            "/login",
            &[("name", "Carol"), ("password", "not the password at all")],
        )
        .await;
    assert_eq!(wrong_name.status, Status::Unauthorized);
    assert_eq!(wrong_password.status, Status::Unauthorized);
    assert_eq!(words(wrong_name), words(wrong_password));
}

#[rocket::async_test]
async fn r18_what_is_no_form_is_refused() {
    let browser = Browser::signed_in(Role::Admin).await;
    let twice = browser.post("/scopes/new", &[("name", "a"), ("name", "b")]).await;
    assert_eq!(twice.status, Status::BadRequest);
    assert!(twice.body.contains("a field twice"));
    let huge = "x".repeat(1_100_000);
    assert_eq!(
        browser.post("/scopes/new", &[("name", &huge)]).await.status,
        Status::PayloadTooLarge
    );
}

#[rocket::async_test]
async fn w04_html_of_a_mail_is_shown_without_script_in_an_origin_of_its_own() {
    let browser = Browser::signed_in(Role::Editor).await;
    let message = serde_json::json!({ "message": {
        "to": "a@home.example", "from": "b@app.example", "subject": "<i>Hi</i>", "html": "<script>alert(1)</script><b>Hello</b>",
    } });
    let caller = coronet_core::functions::Caller::System;
    let sent = browser
        .core
        .functions
        .call(&caller, "mail.send", message)
        .await
        .unwrap();
    let path = format!("/mail/message/{}", sent["id"].as_str().unwrap());

    let page = browser.get(&path).await;
    assert!(
        page.body.contains("&lt;i&gt;Hi&lt;/i&gt;") && !page.body.contains("<b>Hello"),
        "{}",
        page.body
    );
    let frame = browser.get(&format!("{path}/html")).await;
    assert!(frame.body.contains("<b>Hello</b>"));
    let policy = frame.headers.get_one("Content-Security-Policy").unwrap();
    assert!(
        policy.contains("default-src 'none'")
            && policy.ends_with("sandbox allow-popups allow-popups-to-escape-sandbox")
            && !policy.contains("script-src")
    );
    assert_eq!(frame.headers.get_one("X-Frame-Options"), Some("SAMEORIGIN"));
    assert!(browser.get("/mail").await.body.contains("a@home.example"));
}

#[rocket::async_test]
async fn w01_what_only_takes_a_form_says_so_when_it_is_opened() {
    let browser = Browser::signed_in(Role::Admin).await;
    for (path, back) in [
        ("/plugin/echo/restart", "/webmin/plugin/echo"),
        ("/plugin/echo/enable", "/webmin/plugin/echo"),
        ("/templates/frame", "/webmin/templates"),
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, Status::MethodNotAllowed, "{path}");
        assert_eq!(page.headers.get_one("Allow"), Some("POST"), "{path}");
        assert!(page.body.contains("Nothing was done"), "{}", page.body);
        assert!(page.body.contains(&format!("href=\"{back}\"")), "{}", page.body);
    }
    let deleted = browser.client.delete("/webmin/scopes").dispatch().await;
    assert_eq!(deleted.status(), Status::MethodNotAllowed);
    assert_eq!(deleted.headers().get_one("Allow"), Some("GET"));
    for unknown in ["/nowhere", "/plugin/echo/dance", "/scopes/new/more"] {
        let page = browser.get(unknown).await;
        assert_eq!(page.status, Status::NotFound, "{unknown}");
        assert!(
            page.body.contains("aria-label=\"Webmin\""),
            "the navigation stays: {}",
            page.body
        );
    }
}

#[rocket::async_test]
async fn w02_an_operator_sees_which_session_is_the_own_one() {
    let browser = Browser::signed_in(Role::Admin).await;
    let origin = coronet_core::operators::Origin::default();
    browser
        .operators
        .login("Carol", PASSWORD.to_owned(), &origin)
        .await
        .unwrap();
    let page = browser.get("/operators").await;
    assert_eq!(page.body.matches("this browser").count(), 1, "{}", page.body);
    let sessions = page.body.split("id=\"sessions\"").nth(1).unwrap();
    assert_eq!(sessions.matches("Carol").count(), 2, "{}", page.body);
}

#[rocket::async_test]
async fn w03_a_browser_that_was_signed_in_keeps_the_proof_of_it() {
    let browser = Browser::signed_in(Role::Viewer).await;
    let proof = || {
        let jar = browser.client.cookies();
        jar.get("coronet_browser").map(|cookie| cookie.value().to_owned())
    };
    let first = proof().unwrap();
    browser.post("/logout", &[]).await;
    assert_eq!(
        proof().as_deref(),
        Some(first.as_str()),
        "it outlives the session"
    );
    assert_ne!(browser.get("/").await.status, Status::Ok, "and opens nothing");

    // From one address, which all share behind a proxy, somebody guesses until everybody has to wait.
    let guess = Origin {
        address: "192.0.2.1".parse().ok(),
        ..Origin::default()
    };
    for _ in 0..6 {
        let _ = browser.operators.login("Carol", "wrong".to_owned(), &guess).await;
    }
    let hers = Origin {
        browser: Some(first),
        ..guess.clone()
    };
    let password = || PASSWORD.to_owned();
    assert!(
        browser
            .operators
            .login("Carol", password(), &guess)
            .await
            .is_err()
    );
    assert!(browser.operators.login("Carol", password(), &hers).await.is_ok());
}

//! The webmin seen from outside, without a browser. Cases W… of the security table.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use coronet_tests::operator::{OPERATOR, PASSWORD, colleague, is_signed_in, session_cookie, set_up, sign_in};
use coronet_tests::page::{self, Form};
use coronet_tests::server::{Setup, TestServer};
use coronet_tests::story::rows;
use hyper::Method;
use hyper::header::CONTENT_TYPE;
use serde_json::{Value, json};

async fn bare_server() -> TestServer {
    Setup::default()
        .without_plugins()
        .start()
        .await
        .expect("SQLite is always there")
}

#[tokio::test]
async fn w10_there_is_no_operator_until_the_printed_link_makes_one() {
    let server = bare_server().await;
    let client = server.client();
    for (name, password) in [
        ("admin", "admin"),
        ("admin", "password"),
        ("coronium", "admin"),
        ("root", ""),
    ] {
        // The page has no form as long as nobody could sign in with it.
        let fields = [("name", name), ("password", password)];
        let answer = client.post_form("/webmin/login", &fields).await;
        assert_eq!(answer.status.as_u16() / 100, 4, "{name}: {}", answer.text());
    }
    let link = server.set_up_link().await;
    let wrong = link.replace(
        link.split_once('=').expect("a secret").1,
        "AAAAAAAAAAAAAAAAAAAAAAAA",
    );
    assert_eq!(
        client.get(&wrong).await.status.as_u16() / 100,
        4,
        "another secret opens nothing"
    );
    assert!(is_signed_in(&set_up(&server).await).await);
    assert_eq!(
        server.client().get(&link).await.status.as_u16() / 100,
        4,
        "the link works once"
    );
}

#[tokio::test]
async fn ux36_visits_without_a_session_are_no_warnings() {
    let server = bare_server().await;
    let client = server.client();
    for path in [
        "/webmin",
        "/webmin/users",
        "/webmin/jobs?state=active",
        "/webmin/nothing",
        "/webmin/login",
    ] {
        client.get(path).await;
    }
    client
        .post_form("/webmin/scopes/new", &[("name", "Fun Run")])
        .await;
    // What is printed after it was printed later.
    client.post_form("/api/v1/users.list", &[]).await;
    server.await_printed("a call of the API was refused").await;
    let printed = server.printed();
    assert!(!printed.contains("ERROR"), "{printed}");
    // The home of a test is open to others when the server starts.
    let warnings = printed
        .lines()
        .filter(|line| line.contains(" WARN "))
        .filter(|line| !line.contains("the home was open"));
    assert_eq!(warnings.count(), 0, "{printed}");
}

#[tokio::test]
async fn w01_other_sites_cannot_write() {
    let server = bare_server().await;
    let client = set_up(&server).await;
    let (page, path) = page::visit(&client, "/webmin/scopes/new").await;
    assert_eq!(page.status, 200, "{}", page.text());
    let form = Form::all(&page.text(), &path)
        .into_iter()
        .find(|form| form.has("name"))
        .expect("the form of a scope");
    let form = form.fill("name", "Forged");
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form.pairs())
        .finish();
    let forged: [&[(&str, &str)]; 6] = [
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("referer", "https://evil.example/")],
        &[],
    ];
    for headers in forged {
        for content_type in ["application/x-www-form-urlencoded", "text/plain"] {
            let mut request = client
                .request(Method::POST, &form.action)
                .header(CONTENT_TYPE, content_type);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let status = client.send(request, body.clone()).await.status.as_u16();
            assert!(
                (400..500).contains(&status),
                "{headers:?} {content_type}: {status}"
            );
        }
    }
    for method in [Method::GET, Method::HEAD] {
        let request = client
            .request(method, &format!("{}?{body}", form.action))
            .header("x-http-method-override", "POST");
        client.send(request, "").await;
    }
    let scopes = server.operate("scopes.list", json!({})).await;
    assert!(!scopes.to_string().contains("Forged"), "{scopes}");
    // Sent by our own page it does write: the refusals above were for the right reason.
    let answer = form.submit(&client).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(
        server
            .operate("scopes.list", json!({}))
            .await
            .to_string()
            .contains("Forged")
    );
}

#[tokio::test]
async fn w02_a_session_is_new_at_login_and_dead_at_logout() {
    let server = bare_server().await;
    let first = set_up(&server).await;
    let client = server.client();
    client.set_cookie("coronet_session", "chosen-by-somebody-else");
    let answer = sign_in(&client, OPERATOR, PASSWORD).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let session = session_cookie(&client);
    assert_ne!(session, "chosen-by-somebody-else");
    assert_ne!(session, session_cookie(&first));

    let (page, path) = page::visit(&client, "/webmin/").await;
    let logout = Form::all(&page.text(), &path)
        .into_iter()
        .find(|form| form.action.ends_with("/logout"));
    logout.expect("a way to sign out").submit(&client).await;
    client.set_cookie("coronet_session", &session);
    assert!(!is_signed_in(&client).await, "dead at once");
    assert!(is_signed_in(&first).await, "the other session is untouched");
}

/// W02, C14: what ends an operator's sessions ends them at once.
#[tokio::test]
async fn w02_c14_sessions_die_with_a_new_password_a_lock_and_a_removal() {
    let server = bare_server().await;
    let admin = set_up(&server).await;
    let id = |name: &str, operators: &Value| {
        let found = rows(operators).iter().find(|operator| operator["name"] == name);
        found.map(|operator| operator["id"].clone()).unwrap_or_default()
    };
    for name in ["dora", "emil", "fred"] {
        let client = colleague(&server, name, "editor").await;
        assert!(is_signed_in(&client).await);
        let id = id(name, &server.operate("operators.list", json!({})).await);
        match name {
            "dora" => {
                let new = json!({"name": name, "password": "another long password"});
                server.operate("operators.setPassword", new).await;
            }
            "emil" => {
                server
                    .operate(
                        "operators.update",
                        json!({"id": id, "role": "editor", "active": false}),
                    )
                    .await;
            }
            _ => {
                server.operate("operators.remove", json!({"id": id})).await;
            }
        }
        assert!(!is_signed_in(&client).await, "{name} is out at once");
        let again = sign_in(&server.client(), name, PASSWORD).await;
        assert_eq!(
            again.status.as_u16() / 100,
            4,
            "{name}: the old password opens nothing"
        );
    }
    assert!(is_signed_in(&admin).await, "others are untouched");
}

#[tokio::test]
async fn w02_w13_pages_are_sealed() {
    let server = bare_server().await;
    let client = set_up(&server).await;
    for path in ["/webmin/", "/webmin/login", "/webmin/scopes"] {
        let page = client.get(path).await;
        let policy = page.header("content-security-policy");
        for directive in ["frame-ancestors 'none'", "object-src 'none'", "base-uri 'none'"] {
            assert!(policy.contains(directive), "{path}: {directive} in {policy:?}");
        }
        assert!(!policy.contains("script-src 'unsafe-inline'"), "{path}: {policy}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        assert!(
            page.header("cache-control").contains("no-store"),
            "{path}: {:?}",
            page.headers
        );
        assert!(!page.header("referrer-policy").is_empty(), "{path}");
        assert!(!page.text().contains("<script>"), "{path}: no script inline");
    }
}

#[tokio::test]
async fn w03_guessing_is_slowed_down_and_the_owner_gets_in_all_the_same() {
    let server = bare_server().await;
    set_up(&server).await;
    let mut statuses = Vec::new();
    for number in 0..30 {
        let guess = format!("wrong password {number}");
        statuses.push(sign_in(&server.client(), OPERATOR, &guess).await.status.as_u16());
    }
    assert!(
        statuses.iter().all(|status| [401, 429].contains(status)),
        "{statuses:?}"
    );
    assert_eq!(statuses[0], 401);
    let tried = statuses.iter().filter(|status| **status == 401).count();
    assert!(tried < 15, "{tried} guesses were looked at");
    assert_eq!(statuses[29], 429);
    // A lock would be a way to keep the owner out.
    let owner = server.client().coming_from([127, 0, 0, 2]);
    assert_eq!(sign_in(&owner, OPERATOR, PASSWORD).await.status, 200);
}

/// W03: one guess for each of many names, and one name from many networks.
#[tokio::test]
async fn w03_sprayed_and_spread_guesses_are_slowed_down_too() {
    let server = bare_server().await;
    set_up(&server).await;
    let mut sprayed = Vec::new();
    for number in 0..60 {
        let name = format!("operator{number}");
        let answer = sign_in(&server.client(), &name, "Spring2026!").await;
        sprayed.push(answer.status.as_u16());
    }
    assert_eq!(sprayed[59], 429, "{sprayed:?}");
    let owner = || server.client().coming_from([127, 0, 0, 2]);
    assert_eq!(sign_in(&owner(), OPERATOR, PASSWORD).await.status, 200);
    let mut spread = Vec::new();
    for number in 0..120 {
        let client = server.client().coming_from([127, 0, 1, number]);
        spread.push(sign_in(&client, OPERATOR, "Spring2026!").await.status.as_u16());
    }
    let tried = spread.iter().filter(|status| **status == 401).count();
    assert!(tried <= 100, "{tried} guesses at one account were looked at");
    assert_eq!(spread[119], 429, "{spread:?}");
    assert_eq!(
        sign_in(&owner(), OPERATOR, PASSWORD).await.status,
        200,
        "where they came from before"
    );
}

#[tokio::test]
async fn w06_every_room_asks_for_a_session() {
    let server = bare_server().await;
    let rooms = [
        "/webmin/",
        "/webmin/jobs",
        "/webmin/templates",
        "/webmin/mail",
        "/webmin/scopes",
        "/webmin/users",
        "/webmin/resets",
        "/webmin/plugins",
        "/webmin/tokens",
        "/webmin/functions",
        "/webmin/audit",
    ];
    for room in rooms {
        let (page, _) = page::visit(&server.client(), room).await;
        assert!(!page.text().contains("Sign out"), "{room}: {}", page.text());
        let answer = server.client().post_form(room, &[("name", "x")]).await;
        assert!(
            [401, 403, 404, 405].contains(&answer.status.as_u16()),
            "{room}: {}",
            answer.status
        );
    }
}

#[tokio::test]
async fn w11_w14_nothing_is_told_to_strangers() {
    let server = bare_server().await;
    let token = server.token().await;
    let client = server.client();
    let closed = [
        "/metrics",
        "/api/v1/openapi.json",
        "/api/v1/users.get",
        "/api/v1/",
    ];
    for path in closed {
        let status = client.get(path).await.status.as_u16();
        assert!([401, 403, 404, 405].contains(&status), "{path}: {status}");
        let with_query = format!("{path}?token={token}&access_token={token}");
        let status = client.get(&with_query).await.status.as_u16();
        assert!(
            [401, 403, 404, 405].contains(&status),
            "{path}: a token in the URL opened it: {status}"
        );
    }
    for path in [
        "/admin.db",
        "/.git/config",
        "/coronet.toml",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/pages/../admin.db",
    ] {
        let answer = client.get(path).await;
        assert_eq!(answer.status.as_u16() / 100, 4, "{path}");
        assert!(!answer.text().contains("root:"), "{path}");
    }
    assert_eq!(
        server
            .call(&token, "operators.list", json!({}))
            .await
            .status
            .as_u16()
            / 100,
        4,
        "operators only"
    );
    let mut broken = token.clone();
    let last = if broken.pop() == Some('a') { 'b' } else { 'a' };
    broken.push(last);
    for wrong in [broken.as_str(), "", "Bearer", "cor_", "null"] {
        assert_eq!(
            server
                .call(wrong, "users.get", json!({"user_id": "x"}))
                .await
                .status,
            401,
            "{wrong:?}"
        );
    }
    assert_eq!(client.get("/healthz").await.status, 200);
    assert_eq!(client.get("/readyz").await.status, 200);
}

/// W14: a token may call what it was granted, until it is revoked.
#[tokio::test]
async fn w14_a_token_is_limited_to_its_grants_and_dies_when_revoked() {
    let server = bare_server().await;
    let narrow = server.token_for("users.get").await;
    let answer = server
        .call(&narrow, "users.login", json!({"login_type": {}}))
        .await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    let tokens = server.operate("tokens.list", json!({})).await;
    assert!(!tokens.to_string().contains(&narrow), "never shown again");
    let rows = tokens
        .as_array()
        .or_else(|| tokens["items"].as_array())
        .expect("rows")
        .clone();
    let id = rows[0]["id"].as_str().expect("an id").to_owned();
    server.cli(&["token", "revoke", &id]).await.succeeded();
    assert_eq!(
        server
            .call(&narrow, "users.get", json!({"user_id": "x"}))
            .await
            .status,
        401
    );
}

/// W08: thousands of idle and slow connections leave room for others.
#[tokio::test]
async fn w08_idle_and_slow_connections_do_not_stop_service() {
    let server = bare_server().await;
    let mut idle = Vec::new();
    for number in 0..2_000 {
        let Ok(stream) = tokio::net::TcpStream::connect(server.address()).await else {
            break;
        };
        if number % 2 == 0 {
            let head = b"POST /api/v1/users.get HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{";
            let _ = stream.try_write(head);
        }
        idle.push(stream);
    }
    for _ in 0..20 {
        assert_eq!(
            server.client().get("/healthz").await.status,
            200,
            "with {} idle",
            idle.len()
        );
    }
}

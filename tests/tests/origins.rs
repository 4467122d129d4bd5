//! Pages and webmin have an origin each (X01), and a request says which it is for (X10).

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use coronet_tests::client::{Client, Response};
use coronet_tests::operator::{colleague, session_cookie, set_up};
use coronet_tests::server::{Setup, TestServer};
use coronet_tests::story::{CAROL, FunRun, NEW_PASSWORD, reset_form};
use hyper::Method;
use hyper::header::{CONTENT_TYPE, HOST, ORIGIN};

const FORM: &str = "application/x-www-form-urlencoded";
/// Shows all that page code gets of its request.
const ECHO: &str = "local page = core.pages.new()
page.renderJson({ headers = page.headers, cookies = page.cookies, name = page.form.name or '' })";
/// Tries to hand a visitor the session of somebody else.
const FIX: &str = "local page = core.pages.new()
page.setCookie('coronet_session', 'mine')
page.renderText('done')";

async fn server_with(keys: &[(&str, &str)]) -> TestServer {
    let setup = keys
        .iter()
        .fold(Setup::default(), |setup, (key, value)| setup.set(key, value));
    let server = setup.start().await.expect("SQLite is always there");
    let pages = server.home().join("pages");
    std::fs::create_dir_all(&pages).expect("a folder");
    for (name, text) in [("echo.lua", ECHO), ("fix.lua", FIX), ("plain.html", "<p>x</p>")] {
        std::fs::write(pages.join(name), text).expect("a file");
    }
    server
}

async fn ask(client: &Client, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
    let mut request = hyper::Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.send(request, body.to_owned()).await
}

#[tokio::test]
async fn x01_pages_and_webmin_have_a_port_each() {
    let server = server_with(&[]).await;
    let admin = set_up(&server).await;
    assert_eq!(admin.get("/webmin/scopes").await.status, 200);
    // Nothing of the pages is at the webmin's, and nothing of the webmin at the pages'.
    let webmin = Client::new(server.webmin_address());
    for path in [
        "/echo",
        "/plain.html",
        "/_forgotpassword?scope=x",
        "/api/v1/openapi.json",
        "/metrics",
    ] {
        assert_eq!(webmin.get(path).await.status, 404, "{path}");
    }
    assert_eq!(webmin.get("/").await.header("location"), "/webmin");
    assert_eq!(webmin.get("/healthz").await.status, 200);
    assert_eq!(webmin.get("/readyz").await.status, 200);

    let pages = Client::new(server.address());
    let led = pages.get("/webmin/scopes?a=b").await;
    let there = format!("{}/webmin/scopes?a=b", server.webmin_url());
    assert_eq!(led.header("location"), there);
    let post = pages.post_form("/webmin/login", &[("name", "x")]).await;
    assert_eq!(post.status, 404);
    // Who comes from elsewhere hears no address.
    let port = server.webmin_address().port().to_string();
    for headers in [
        &[(HOST.as_str(), "accounts.example.com")][..],
        &[
            (HOST.as_str(), "127.0.0.1:8000"),
            ("X-Forwarded-For", "203.0.113.7"),
        ],
    ] {
        for path in ["/webmin", "/webmin/setup?token=x", "/%77ebmin/login"] {
            let told = ask(&pages, Method::GET, path, headers, "").await;
            let text = told.text();
            assert_eq!(told.status, 404, "{path}: {text}");
            assert!(
                !text.contains(&port) && told.header("location").is_empty(),
                "{path}: {text}"
            );
        }
    }
    let told = ask(
        &pages,
        Method::GET,
        "/webmin",
        &[(HOST.as_str(), "accounts.example.com")],
        "",
    )
    .await;
    assert!(
        told.text().contains("The webmin is not at this address"),
        "{}",
        told.text()
    );
}

#[tokio::test]
async fn x01_page_code_neither_sees_nor_sets_the_webmins_cookies() {
    let server = server_with(&[]).await;
    let admin = set_up(&server).await;
    // A browser sends them to every port of the host.
    let cookies = format!(
        "coronet_session={}; seen=yes; coronet_browser=x",
        session_cookie(&admin)
    );
    let pages = Client::new(server.address());
    let headers = [(HOST.as_str(), "127.0.0.1"), ("Cookie", cookies.as_str())];
    let seen = ask(&pages, Method::GET, "/echo", &headers, "").await.text();
    assert!(seen.contains("\"seen\":\"yes\""), "{seen}");
    assert!(
        !seen.contains("coronet_") && !seen.contains(&session_cookie(&admin)),
        "{seen}"
    );
    let fixed = pages.get("/fix").await;
    assert_eq!((fixed.status.as_u16(), fixed.header("set-cookie")), (500, ""));
}

#[tokio::test]
async fn x01_writes_of_the_pages_origin_are_refused_with_the_cookies_of_an_admin() {
    let server = server_with(&[]).await;
    let admin = set_up(&server).await;
    let body = "name=mallory&password=three+brown+horses+run&role=admin";
    let pages = server.url();
    for claims in [
        &[("origin", pages.as_str()), ("sec-fetch-site", "same-site")][..],
        &[("origin", pages.as_str())],
        &[("origin", pages.as_str()), ("sec-fetch-site", "same-origin")],
        &[("origin", "null"), ("sec-fetch-site", "cross-site")],
        &[],
    ] {
        let request = admin
            .request(Method::POST, "/webmin/operators/new")
            .header(CONTENT_TYPE, FORM);
        let request = claims
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = admin.send(request, body).await;
        assert_eq!(answer.status, 403, "{claims:?}");
    }
    let list = server.operate("operators.list", serde_json::json!({})).await;
    assert_eq!(list.as_array().map(Vec::len), Some(1), "{list}");
}

#[tokio::test]
async fn x01_one_port_with_two_host_names() {
    let server = two_names().await;
    let at = server.address();
    let client = Client::new(at);
    let (webmin, pages) = ("admin.home.example", "accounts.home.example");
    let get = |host: &'static str, path: &'static str| {
        let client = &client;
        async move { ask(client, Method::GET, path, &[(HOST.as_str(), host)], "").await }
    };
    // There is no operator yet, which the webmin says.
    let login = get(webmin, "/webmin/login").await;
    assert_eq!(login.status, 401);
    assert!(login.text().contains("operator"), "{}", login.text());
    assert_eq!(get(webmin, "/").await.header("location"), "/webmin");
    assert_eq!(get(webmin, "/healthz").await.status, 200);
    for path in [
        "/echo",
        "/%65cho",
        "/plain.html",
        "/api/v1/openapi.json",
        "/_forgotpassword?scope=x",
    ] {
        assert_eq!(get(webmin, path).await.status, 404, "{path}");
    }
    assert_eq!(get(pages, "/echo").await.status, 200);
    for path in [
        "/webmin",
        "/webmin/login",
        "/%77ebmin/login",
        "/webmin/assets/x.js",
    ] {
        let answer = get(pages, path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.text().contains(webmin), "{path}");
    }
    // No name at all is not the webmin's, and whoever sits at the machine is led there.
    let led = get("127.0.0.1", "/webmin/login").await;
    assert_eq!(led.header("location"), "http://admin.home.example/webmin");
    let login = |origin: &'static str, host: &'static str| {
        let headers = [
            (HOST.as_str(), host),
            (ORIGIN.as_str(), origin),
            ("sec-fetch-site", "same-origin"),
            (CONTENT_TYPE.as_str(), FORM),
        ];
        let client = &client;
        async move {
            ask(
                client,
                Method::POST,
                "/webmin/login",
                &headers,
                "name=x&password=y",
            )
            .await
            .status
        }
    };
    assert_eq!(
        login("http://admin.home.example", webmin).await,
        401,
        "a wrong password"
    );
    assert_eq!(login("http://accounts.home.example", webmin).await, 403);
    assert_eq!(login("http://admin.home.example:8000", webmin).await, 403);
}

/// The port is chosen here: the same one for both has to be named.
async fn two_names() -> TestServer {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
        .to_string();
    server_with(&[
        ("port", &port),
        ("webmin_port", &port),
        ("webmin_url", "http://admin.home.example"),
        ("public_url", "http://accounts.home.example"),
    ])
    .await
}

#[tokio::test]
async fn x01_on_one_origin_every_page_is_in_a_sandbox_and_the_reset_form_works() {
    let setup = Setup::default().set("webmin_shares_origin", "true");
    let story = FunRun::start_with(setup).await.expect("SQLite is always there");
    let pages = story.server.home().join("pages");
    std::fs::create_dir_all(&pages).expect("a folder");
    std::fs::write(pages.join("echo.lua"), ECHO).expect("a page");
    std::fs::write(pages.join("plain.html"), "<script>alert(1)</script>").expect("a file");
    let own_policy = "local page = core.pages.new()\n\
        page.response('<script></script>', { ['content-security-policy'] = \"script-src *\" })";
    std::fs::write(pages.join("own.lua"), own_policy).expect("a page");
    let client = story.server.client();
    assert_eq!(story.server.address(), story.server.webmin_address());
    for path in [
        "/echo",
        "/plain.html",
        "/own",
        "/nothing",
        "/_forgotpassword?scope=Fun%20Run",
    ] {
        let answer = client.get(path).await;
        let policy = answer.header("content-security-policy");
        let sandbox = policy
            .split(',')
            .map(str::trim)
            .find(|policy| policy.starts_with("sandbox"));
        let sandbox = sandbox.unwrap_or_else(|| panic!("{path}: {policy}"));
        assert!(!sandbox.contains("allow-same-origin"), "{path}: {policy}");
    }
    // Coronet's own pages are not in it.
    let webmin = client.get("/webmin/login").await;
    assert!(!webmin.header("content-security-policy").contains("sandbox"));

    // A browser calls the origin of a sandboxed form `null`.
    let link = story.reset_link(1).await;
    let form = reset_form(&client, &link)
        .await
        .fill_kind("password", NEW_PASSWORD);
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form.pairs())
        .finish();
    let post = |origin: &'static str| {
        let request = client
            .request(Method::POST, &form.action)
            .header(CONTENT_TYPE, FORM)
            .header("origin", origin)
            .header("sec-fetch-site", "cross-site");
        client.send(request, body.clone())
    };
    assert_eq!(post("https://evil.example").await.status, 403);
    let done = post("null").await;
    assert!(done.status.as_u16() < 400, "{}", done.text());
    assert!(story.can_log_in("Carol", NEW_PASSWORD).await, "{CAROL}");
    // The webmin takes no such form.
    let admin = colleague(&story.server, "ada", "admin").await;
    let request = admin
        .request(Method::POST, "/webmin/operators/new")
        .header(CONTENT_TYPE, FORM)
        .header("origin", "null")
        .header("sec-fetch-site", "cross-site");
    let taken = admin
        .send(request, "name=m&password=three+brown+horses+run&role=admin")
        .await;
    assert_eq!(taken.status, 403);
}

#[tokio::test]
async fn x10_with_a_public_url_no_other_host_is_this_site() {
    let server = server_with(&[("public_url", "https://accounts.example.com")]).await;
    let scope =
        serde_json::json!({"name": "Harbour", "settings": {"site_url": "https://harbour.example/reset"}});
    server.operate("scopes.create", scope).await;
    let client = Client::new(server.address());
    let post = |origin: String, host: &'static str| {
        let client = &client;
        async move {
            let headers = [
                (HOST.as_str(), host),
                (ORIGIN.as_str(), origin.as_str()),
                ("sec-fetch-site", "same-origin"),
                (CONTENT_TYPE.as_str(), FORM),
            ];
            ask(client, Method::POST, "/echo", &headers, "name=a")
                .await
                .status
        }
    };
    assert_eq!(
        post("http://evil.example:8000".to_owned(), "evil.example:8000").await,
        403
    );
    assert_eq!(
        post("http://accounts.example.com".to_owned(), "accounts.example.com").await,
        403
    );
    assert_eq!(
        post("https://accounts.example.com".to_owned(), "accounts.example.com").await,
        200
    );
    assert_eq!(
        post("https://harbour.example".to_owned(), "harbour.example").await,
        200
    );
    assert_eq!(
        post(server.url(), "127.0.0.1").await,
        200,
        "who tries it on the machine itself"
    );
}

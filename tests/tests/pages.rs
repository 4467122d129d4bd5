//! Pages over HTTP: what the adaptor between the server and the page runtime adds.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use coronet_tests::client::Client;
use coronet_tests::server::{Setup, TestServer};
use hyper::Method;
use hyper::header::CONTENT_TYPE;

const FORM: &str = "application/x-www-form-urlencoded";

/// A server whose home has a page at `/hello` and a file at `/style.css`.
async fn server() -> TestServer {
    let server = Setup::default()
        .without_plugins()
        .start()
        .await
        .expect("SQLite is always there");
    let pages = server.home().join("pages");
    std::fs::create_dir_all(&pages).expect("a folder");
    let files = [
        (
            "hello.lua",
            "local page = core.pages.new() page.render('hello.tpl', { name = page.query.name or page.form.name, \
             method = page.method })",
        ),
        ("hello.tpl", "<p>{{ method }} {{ name }}</p>"),
        ("style.css", "p { color: red }"),
    ];
    for (name, text) in files {
        std::fs::write(pages.join(name), text).expect("a file");
    }
    server
}

async fn post(client: &Client, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (u16, String) {
    let mut request = client.request(Method::POST, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = client.send(request, body).await;
    (answer.status.as_u16(), answer.text())
}

#[tokio::test]
async fn a_file_dropped_into_the_home_is_a_page() {
    let server = server().await;
    let client = server.client();
    let page = client.get("/hello?name=Carol%20%26%20Bob").await;
    assert_eq!(page.text(), "<p>GET Carol &amp; Bob</p>");
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("x-frame-options"), "DENY");
    let posted = client.post_form("/hello", &[("name", "Carol")]).await;
    assert_eq!(posted.text(), "<p>POST Carol</p>");

    let head = client
        .send(client.request(Method::HEAD, "/hello?name=Carol"), "")
        .await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), "16");

    let style = client.get("/style.css").await;
    assert_eq!(style.header(CONTENT_TYPE.as_str()), "text/css; charset=utf-8");
    let request = client
        .request(Method::GET, "/style.css")
        .header("if-none-match", style.header("etag"));
    assert_eq!(client.send(request, "").await.status, 304);
    assert_eq!(client.get("/hello.tpl").await.status, 404);
    assert_eq!(client.get("/").await.header("location"), "/webmin");
    // Whoever sits at the machine is led on.
    let webmin = client.get_at_pages("/webmin/jobs?state=active").await;
    let there = format!("{}/webmin/jobs?state=active", server.webmin_url());
    assert_eq!(
        (webmin.status.as_u16(), webmin.header("location")),
        (303, there.as_str())
    );
}

#[tokio::test]
async fn w11_errors_are_pages_for_people_and_json_for_programs() {
    let server = server().await;
    let client = server.client();
    std::fs::write(server.home().join("pages/broken.lua"), "error('a secret detail')").expect("a file");
    for (path, status, words) in [
        ("/nothing", 404, "There is nothing here"),
        ("/broken", 500, "inc_"),
    ] {
        let page = client.get(path).await;
        assert_eq!(page.status, status, "{path}");
        assert_eq!(page.header(CONTENT_TYPE.as_str()), "text/html; charset=utf-8");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        let text = page.text();
        assert!(text.contains(words) && !text.contains("secret"), "{path}: {text}");
    }
    for (path, status, code) in [("/api/v1/no/such", 404, 904), ("/api/v1/nothing", 405, 905)] {
        let api = client.get(path).await;
        assert_eq!(
            (api.status.as_u16(), &api.json()["code"]),
            (status, &code.into()),
            "{path}"
        );
    }
}

#[tokio::test]
async fn r17_r18_c13_what_is_huge_broken_or_foreign_ends_in_a_4xx() {
    let server = server().await;
    let client = server.client();
    let form = ("content-type", FORM);
    for (headers, body, status) in [
        (vec![form], b"name=a&name=b".to_vec(), 400),
        (vec![form], b"name=%00".to_vec(), 400),
        (vec![form], b"name=\xff".to_vec(), 400),
        (vec![form], vec![b'x'; 100 * 1024], 413),
        (
            vec![("content-type", "multipart/form-data; boundary=x")],
            // So little too much that all of it is sent when the server stops reading.
            vec![b'x'; (2 << 20) + 1024],
            413,
        ),
        (
            vec![("content-type", "application/json")],
            vec![b'['; 1 << 19],
            400,
        ),
        (
            vec![form, ("sec-fetch-site", "cross-site")],
            b"name=Carol".to_vec(),
            403,
        ),
        (
            vec![form, ("origin", "https://evil.example")],
            b"name=Carol".to_vec(),
            403,
        ),
        (vec![form], b"name=Carol".to_vec(), 200),
    ] {
        let (given, text) = post(&client, "/hello", &headers, body).await;
        assert_eq!(given, status, "{headers:?}: {text}");
    }
    for path in [
        "/%00",
        "/%ff",
        "/..%2fcoronet.toml",
        "/hello%2f..%2f..%2fadmin.db",
    ] {
        assert_eq!(client.get(path).await.status, 404, "{path}");
    }
    for request in [
        "GET /../admin.db HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET /pages/../../admin.db HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ] {
        let answer = client.raw(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
}

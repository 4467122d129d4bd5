//! The rules of HTTP at every door: authentication, methods, content types and codings, and calls that are sent again.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use coronet_tests::client::Response;
use coronet_tests::on_both_databases;
use coronet_tests::server::{Setup, TestServer};
use coronet_tests::store::Kind;
use futures::future::join_all;
use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Value, json};

async fn server() -> TestServer {
    Setup::default().start().await.expect("SQLite is always there")
}

async fn ask(
    server: &TestServer,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Response {
    let client = server.client();
    let mut request = client.request(method, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.send(request, body.to_owned()).await
}

#[tokio::test]
async fn d16_the_scheme_may_be_written_in_any_case_and_who_shows_nothing_is_told_how() {
    let server = server().await;
    let token = server.token().await;
    for scheme in ["Bearer", "bearer", "BEARER", "bEARER "] {
        let header = format!("{scheme} {token}");
        let shown = [("authorization", header.as_str())];
        for (method, path) in [
            (Method::POST, "/api/v1/scopes.list"),
            (Method::GET, "/api/v1/openapi.json"),
            (Method::GET, "/metrics"),
        ] {
            let answer = ask(&server, method, path, &shown, "").await;
            assert_eq!(answer.status, 200, "{scheme} {path}: {}", answer.text());
        }
    }
    for (method, path) in [
        (Method::POST, "/api/v1/scopes.list"),
        (Method::GET, "/api/v1/openapi.json"),
        (Method::GET, "/metrics"),
    ] {
        let answer = ask(&server, method.clone(), path, &[], "").await;
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"Coronet\"");
        let wrong = [(AUTHORIZATION.as_str(), "Bearer cor_wrong")];
        let answer = ask(&server, method.clone(), path, &wrong, "").await;
        assert_eq!(answer.status, 401, "{path}");
        assert!(
            answer
                .header("www-authenticate")
                .contains("error=\"invalid_token\"")
        );
        let basic = [(AUTHORIZATION.as_str(), "Basic YTpi")];
        assert_eq!(ask(&server, method, path, &basic, "").await.status, 401, "{path}");
    }
    let webmin = server.client().get("/webmin/users").await;
    assert_eq!(webmin.status, 401);
    assert!(!webmin.header("www-authenticate").is_empty());
}

#[tokio::test]
async fn d16_a_packed_body_or_one_that_is_no_json_is_answered_with_415() {
    let server = server().await;
    let token = server.token().await;
    let bearer = format!("Bearer {token}");
    let send = async |headers: &[(&str, &str)], body: &str| {
        let mut all = vec![(AUTHORIZATION.as_str(), bearer.as_str())];
        all.extend(headers);
        ask(&server, Method::POST, "/api/v1/scopes.list", &all, body).await
    };
    for coding in ["gzip", "br", "identity, deflate", "x-mine"] {
        let answer = send(&[(CONTENT_ENCODING.as_str(), coding)], "{}").await;
        assert_eq!(answer.status, 415, "{coding}: {}", answer.text());
        assert_eq!(answer.header("accept-encoding"), "identity");
        assert!(!answer.text().contains("valid JSON"), "{}", answer.text());
    }
    for kind in [
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin1",
        "nonsense",
    ] {
        let answer = send(&[(CONTENT_TYPE.as_str(), kind)], "{}").await;
        assert_eq!(answer.status, 415, "{kind}: {}", answer.text());
        assert_eq!(answer.header("accept"), "application/json");
    }
    for kind in [
        "application/json",
        "Application/Json; Charset=UTF-8",
        "application/vnd.api+json",
    ] {
        let answer = send(&[(CONTENT_TYPE.as_str(), kind)], "{}").await;
        assert_eq!(answer.status, 200, "{kind}: {}", answer.text());
    }
    assert_eq!(
        send(&[], "{}").await.status,
        200,
        "what says nothing is read as JSON"
    );
    assert_eq!(
        send(&[(CONTENT_ENCODING.as_str(), "identity")], "{}")
            .await
            .status,
        200
    );
    // The other doors that take a body.
    let packed = [(CONTENT_ENCODING.as_str(), "gzip")];
    for path in ["/_hooks/mailgun", "/_coronium/password/forgot_form"] {
        let answer = ask(&server, Method::POST, path, &packed, "x").await;
        assert_eq!(answer.status, 415, "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn d16_another_method_is_answered_with_405_and_what_is_not_there_with_404() {
    let server = server().await;
    let token = server.token().await;
    let bearer = format!("Bearer {token}");
    let shown = [(AUTHORIZATION.as_str(), bearer.as_str())];
    for (path, allowed) in [
        ("/api/v1/users.get", "POST"),
        ("/api/v1/openapi.json", "GET, HEAD"),
        ("/metrics", "GET, HEAD"),
        ("/healthz", "GET, HEAD"),
        ("/readyz", "GET, HEAD"),
        ("/_hooks/mailgun", "POST"),
    ] {
        for method in [
            Method::GET,
            Method::PUT,
            Method::DELETE,
            Method::PATCH,
            Method::POST,
            Method::OPTIONS,
        ] {
            if allowed.split(", ").any(|allowed| allowed == method.as_str()) {
                continue;
            }
            let answer = ask(&server, method.clone(), path, &shown, "").await;
            assert_eq!(answer.status, 405, "{method} {path}: {}", answer.text());
            assert_eq!(answer.header("allow"), allowed, "{method} {path}");
        }
    }
    for path in ["/api/v1/openapi.json", "/metrics", "/healthz", "/readyz"] {
        let answer = ask(&server, Method::HEAD, path, &shown, "").await;
        assert_eq!(answer.status, 200, "HEAD {path}");
        assert!(answer.text().is_empty());
    }
    for method in [Method::POST, Method::GET, Method::DELETE] {
        let answer = ask(&server, method.clone(), "/api/v1/users.gett", &shown, "").await;
        assert_eq!(answer.status, 404, "{method}: {}", answer.text());
    }
    let answer = server.call(&token, "users.gett", json!({})).await;
    assert!(
        answer.text().contains("Did you mean users.get?"),
        "{}",
        answer.text()
    );
    // A stranger does not learn which functions there are.
    for name in ["users.get", "users.gett"] {
        let answer = server.client().get(&format!("/api/v1/{name}")).await;
        assert_eq!(answer.status, 405, "{name}");
    }
}

#[tokio::test]
async fn d17_a_whole_number_may_be_written_with_a_point() {
    let server = server().await;
    let token = server.token().await;
    for limit in ["2.0", "2e0", "2"] {
        let body = format!("{{\"page\": {{\"limit\": {limit}}}}}");
        let answer = server.call_raw(&token, "users.list", body).await;
        assert_eq!(answer.status, 200, "{limit}: {}", answer.text());
    }
    let answer = server
        .call_raw(&token, "users.list", "{\"page\": {\"limit\": 2.5}}")
        .await;
    assert_eq!(answer.status, 400);
    assert!(
        answer
            .text()
            .contains("The parameter `page.limit` must be a whole number."),
        "{}",
        answer.text()
    );
    let listed = server
        .operate("users.list", json!({"page": {"limit": 2.0}}))
        .await;
    assert!(listed["items"].is_array(), "{listed}");
}

/// X10: the library under Rocket hides one of two framings, so the request is answered; nothing behind it is.
#[tokio::test]
async fn x10_behind_a_request_with_two_framings_nothing_else_is_read() {
    let server = server().await;
    let host = server.address();
    for framing in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: chunked",
    ] {
        let smuggled = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let request = format!(
            "POST /api/v1/scopes.list HTTP/1.1\r\nHost: {host}\r\n{framing}\r\n\r\n0\r\n\r\n{smuggled}"
        );
        let answer = server.client().raw(request.as_bytes()).await;
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{framing}: {answer}");
        assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
    }
    for refused in [
        "Content-Length: 5\r\nContent-Length: 6",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: chunked, gzip",
    ] {
        let request = format!("POST /api/v1/scopes.list HTTP/1.1\r\nHost: {host}\r\n{refused}\r\n\r\nhello");
        let answer = server.client().raw(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{refused}: {answer}");
    }
}

async fn keyed(server: &TestServer, token: &str, key: &str, function: &str, parameters: Value) -> Response {
    let bearer = format!("Bearer {token}");
    let headers = [
        (AUTHORIZATION.as_str(), bearer.as_str()),
        (CONTENT_TYPE.as_str(), "application/json"),
        ("idempotency-key", key),
    ];
    let path = format!("/api/v1/{function}");
    ask(server, Method::POST, &path, &headers, &parameters.to_string()).await
}

fn mail(subject: &str) -> Value {
    let message =
        json!({"to": "carol@example.com", "from": "app@example.com", "subject": subject, "text": "Hello"});
    json!({ "message": message })
}

on_both_databases! {
    async fn ux17_a_mail_that_is_sent_twice_with_one_key_goes_out_once(kind: Kind) {
        let Some(mut server) = Setup::new(kind).start().await else { return };
        let token = server.token().await;
        let first = keyed(&server, &token, "key-1", "mail.send", mail("One")).await;
        assert_eq!(first.status, 200, "{}", first.text());
        assert_eq!(first.header("idempotent-replayed"), "");
        let again = keyed(&server, &token, "\"key-1\"", "mail.send", mail("One")).await;
        assert_eq!((again.status, again.text()), (first.status, first.text()));
        assert_eq!(again.header("idempotent-replayed"), "true");
        let other = keyed(&server, &token, "key-1", "mail.send", mail("Two")).await;
        assert_eq!(other.status, 422, "{}", other.text());
        assert!(other.text().contains("was used for another call"), "{}", other.text());
        // At once: one is carried out, the others are told to wait or hear its answer.
        let all = join_all((0..6).map(|_| keyed(&server, &token, "key-2", "mail.send", mail("Three")))).await;
        let fresh = all.iter().filter(|answer| answer.status == 200 && answer.header("idempotent-replayed").is_empty());
        assert_eq!(fresh.count(), 1, "{all:?}");
        assert!(all.iter().all(|answer| answer.status == 200 || answer.status == 409), "{all:?}");
        server.kill().await;
        server.restart().await;
        let again = keyed(&server, &token, "key-1", "mail.send", mail("One")).await;
        assert_eq!(again.text(), first.text(), "it survives");
        let mails = server.operate("mail.list", json!({})).await;
        assert_eq!(mails["items"].as_array().map(Vec::len), Some(2), "{mails}");
        let wrong = keyed(&server, &token, "with a space", "mail.send", mail("Four")).await;
        assert_eq!(wrong.status, 400);
        assert!(wrong.text().contains("Idempotency-Key"), "{}", wrong.text());
    }
}

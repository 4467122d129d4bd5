//! Behind a reverse proxy each client is its own (X04).

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use coronet_tests::client::{Client, Response};
use coronet_tests::operator::{PASSWORD, set_up};
use coronet_tests::server::{Setup, TestServer};
use hyper::Method;
use hyper::header::CONTENT_TYPE;
use serde_json::{Value, json};

const FORM: &str = "application/x-www-form-urlencoded";

async fn server(trusted: &str) -> TestServer {
    let setup = Setup::default().without_plugins();
    let setup = match trusted {
        "" => setup,
        trusted => setup.set("trusted_proxies", trusted),
    };
    setup.start().await.expect("SQLite is always there")
}

/// A sign-in that a proxy hands on.
async fn sign_in(proxy: &Client, header: (&str, &str), name: &str, password: &str) -> Response {
    let host = proxy.request(Method::POST, "/webmin/login");
    let request = host
        .header(CONTENT_TYPE, FORM)
        .header("sec-fetch-site", "same-origin")
        .header(header.0, header.1);
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("name", name), ("password", password)])
        .finish();
    proxy.send(request, body).await
}

async fn addresses(server: &TestServer) -> Vec<String> {
    let log = server.operate("audit.list", json!({"function": "sign in"})).await;
    let entries = log["entries"].as_array().cloned().unwrap_or_default();
    let address = |entry: &Value| entry["address"].as_str().unwrap_or_default().to_owned();
    entries.iter().map(address).collect()
}

#[tokio::test]
async fn x04_one_client_behind_a_proxy_does_not_lock_the_others_out() {
    let mut server = server("127.0.0.1, ::1").await;
    let operator = json!({"name": "ada", "password": PASSWORD, "role": "admin"});
    server.operate("operators.add", operator).await;
    let proxy = server.client();
    let mut last = 0;
    for _ in 0..40 {
        let guess = sign_in(&proxy, ("X-Forwarded-For", "203.0.113.7"), "ada", "a wrong guess").await;
        last = guess.status.as_u16();
    }
    assert_eq!(last, 429);
    let other = sign_in(
        &proxy,
        ("X-Forwarded-For", "198.51.100.1"),
        "ben",
        "a wrong guess",
    )
    .await;
    assert_eq!(other.status, 401, "another client is not counted with the first");
    // Rejections beyond the first ones of a minute are written when it is over, or when the server ends.
    server.terminate().await;
    server.restart().await;
    let seen = addresses(&server).await;
    assert!(
        seen.contains(&"203.0.113.7".to_owned()) && seen.contains(&"198.51.100.1".to_owned()),
        "{seen:?}"
    );
    assert!(!seen.contains(&"127.0.0.1".to_owned()), "{seen:?}");
}

#[tokio::test]
async fn x04_sessions_and_audit_know_the_client_in_either_header() {
    let server = server("[\"127.0.0.0/30\"]").await;
    let operator = json!({"name": "ada", "password": PASSWORD, "role": "admin"});
    server.operate("operators.add", operator).await;
    let proxy = server.client();
    for (header, expected) in [
        (
            ("X-Forwarded-For", "1.1.1.1, 203.0.113.7, 127.0.0.2"),
            "203.0.113.7",
        ),
        (("X-Forwarded-For", "[2001:db8::7]:4711"), "2001:db8::7"),
        (
            ("Forwarded", "for=1.1.1.1, for=\"[2001:db8::8]:4711\";proto=https"),
            "2001:db8::8",
        ),
        (("Forwarded", "for=unknown"), "127.0.0.1"),
        (("X-Forwarded-For", "203.0.113.7, nonsense"), "127.0.0.1"),
    ] {
        let answer = sign_in(&proxy, header, "ada", PASSWORD).await;
        assert_eq!(answer.status, 303, "{header:?}: {}", answer.text());
        assert_eq!(
            addresses(&server).await.first().map(String::as_str),
            Some(expected),
            "{header:?}"
        );
    }
    let sessions = server.operate("operators.sessions", json!({})).await;
    assert!(sessions.to_string().contains("203.0.113.7"), "{sessions}");
}

#[tokio::test]
async fn x04_who_is_not_trusted_cannot_say_who_they_are() {
    let server = server("127.0.0.1").await;
    // Another machine, which reaches the port without the proxy.
    let stranger = server.client().coming_from([127, 0, 0, 9]);
    for header in [
        ("X-Forwarded-For", "203.0.113.7"),
        ("Forwarded", "for=203.0.113.7"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Real-IP", "203.0.113.7"),
    ] {
        sign_in(&stranger, header, "ada", "a wrong guess").await;
    }
    let seen = addresses(&server).await;
    assert!(seen.iter().all(|address| address == "127.0.0.9"), "{seen:?}");
}

#[tokio::test]
async fn x04_health_tells_of_a_proxy_that_is_not_trusted() {
    for (trusted, expected) in [("", true), ("127.0.0.1", false)] {
        let server = server(trusted).await;
        let client = server.client();
        for number in 0..25 {
            let request = client
                .request(Method::GET, "/nothing")
                .header("x-forwarded-for", format!("203.0.113.{number}"));
            client.send(request, "").await;
            client.get("/healthz").await;
        }
        let health = server.operate("server.health", json!({})).await;
        let told = health["problems"].to_string().contains("proxy_not_trusted");
        assert_eq!(told, expected, "{trusted:?}: {health:#}");
        if expected {
            assert!(health.to_string().contains("trusted_proxies"), "{health:#}");
            // Somebody comes without it: there is more than a proxy.
            client.get("/nothing").await;
            let health = server.operate("server.health", json!({})).await;
            assert!(
                !health["problems"].to_string().contains("proxy_not_trusted"),
                "{health:#}"
            );
        }
    }
}

#[tokio::test]
async fn x04_a_network_that_is_none_stops_the_start() {
    let server = server("").await;
    let _admin = set_up(&server).await;
    let mut command = coronet_tests::cli::command(server.home());
    command.env("CORONET_TRUSTED_PROXIES", "10.0.0.0/8,proxy.example");
    let output = coronet_tests::cli::run(&mut command, ["health"]).await;
    assert!(
        output.stderr.contains("proxy.example") && output.stderr.contains("trusted_proxies"),
        "{output:#?}"
    );
}

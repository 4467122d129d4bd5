//! What is refused, kept shut, or not told, whoever asks. Cases C09, R06, W01 and W05 of the security table.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use coronet_tests::server::{Setup, TestServer};
use hyper::Method;
use serde_json::json;

async fn bare_server() -> TestServer {
    Setup::default()
        .without_plugins()
        .start()
        .await
        .expect("SQLite is always there")
}

/// Every file below the folder that others than its owner may use.
fn open_to_others(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let rights = entry.metadata().expect("a file").permissions().mode();
        if rights & 0o077 != 0 {
            found.push(format!("{} {rights:o}", entry.path().display()));
        }
        if entry.path().is_dir() {
            open_to_others(&entry.path(), found);
        }
    }
}

#[tokio::test]
async fn nobody_else_may_look_into_the_home() {
    let mut server = bare_server().await;
    let rights = |path: &Path| std::fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!(rights(server.home()), 0o700, "the test made it with 755");
    let mut found = Vec::new();
    open_to_others(server.home(), &mut found);
    assert!(found.is_empty(), "{found:?}");
    // As an older version left it.
    let database = server.home().join("admin.db");
    std::fs::set_permissions(&database, std::fs::Permissions::from_mode(0o644)).expect("our file");
    server.terminate().await;
    server.restart().await;
    assert_eq!(rights(&database), 0o600);
}

#[tokio::test]
async fn a_folder_that_everybody_shares_is_no_home() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o1777)).expect("our folder");
    let output = coronet_tests::cli::run(
        &mut coronet_tests::cli::command(folder.path()),
        ["call", "scopes.list"],
    )
    .await;
    let refused = output.failed();
    assert!(
        refused["message"]
            .as_str()
            .is_some_and(|text| text.contains("chmod 700")),
        "{refused}"
    );
}

#[tokio::test]
async fn pages_of_ours_are_asked_for_in_the_usual_ways_only() {
    let server = TestServer::start().await;
    let client = server.client();
    for method in [Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
        for path in ["/_forgotpassword", "/_resetpassword"] {
            let request = client.request(method.clone(), path);
            let answer = client.send(request, "").await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), "GET, HEAD, POST", "{method} {path}");
        }
    }
}

/// R06: a request that does not say for whom it is, or says two things.
#[tokio::test]
async fn r06_a_page_needs_one_host() {
    let server = bare_server().await;
    let ask = |hosts: &'static str| {
        let client = server.client();
        async move {
            let request = format!("GET /_forgotpassword HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
            client.raw(request.as_bytes()).await
        }
    };
    for hosts in [
        "",
        "Host: a.example\r\nHost: b.example\r\n",
        "Host: a\r\nHost: a\r\n",
    ] {
        let answer = ask(hosts).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{hosts:?}: {answer}");
    }
    let answer = ask("Host: a.example\r\n").await;
    assert!(!answer.starts_with("HTTP/1.1 400"), "{answer}");
}

/// C09, W05: what a stray request brings along is not in the log, nor is anything that moves a terminal's cursor.
#[tokio::test]
async fn c09_w05_requests_for_nothing_leave_no_secrets_in_the_log() {
    for level in ["info", "trace"] {
        let mut server = Setup::default()
            .without_plugins()
            .set("log", level)
            .start()
            .await
            .expect("SQLite is always there");
        let client = server.client();
        for (method, path) in [
            (Method::GET, "/webmin/setup/x?token=SECRET"),
            (Method::DELETE, "/webmin/setup?token=SECRET"),
            (Method::PUT, "/webmin/login?password=SECRET"),
            (Method::GET, "/api/v1/x?token=SECRET"),
            (Method::GET, "/nothing?code=SECRET"),
        ] {
            client.send(client.request(method, path), "").await;
        }
        // At its end all is written.
        server.terminate().await;
        let log = server.printed();
        assert!(!log.contains("SECRET"), "{level}: {log}");
        assert!(
            !log.contains('\u{1b}') && !log.contains("\\x1b"),
            "{level}: {log}"
        );
    }
}

/// What the check of this name says, and whether all is well.
async fn check(server: &TestServer, name: &str) -> (bool, String) {
    let health = server.operate("server.health", json!({})).await;
    let checks = health["checks"].as_array().cloned().unwrap_or_default();
    let found = checks.into_iter().find(|check| check["name"] == name);
    let found = found.unwrap_or_else(|| panic!("no check {name}: {health}"));
    assert!(found["ok"] == true || health["ok"] == false, "{health}");
    (found["ok"] == true, found["message"].to_string())
}

/// Nobody waits in vain: who runs the server is told before a user is.
#[tokio::test]
async fn what_is_not_set_up_is_told_before_a_user_finds_out() {
    let server = TestServer::start().await;
    server.operate("scopes.create", json!({"name": "Fun Run"})).await;
    let (ok, told) = check(&server, "resets").await;
    assert!(
        !ok && told.contains("Fun Run") && told.contains("from_email"),
        "{told}"
    );
    let asked = server
        .client()
        .post_form(
            "/_forgotpassword?scope=Fun%20Run",
            &[("scope", "Fun Run"), ("email", "carol@home.com")],
        )
        .await;
    assert_eq!(asked.status, 500, "{}", asked.text());
    assert!(!asked.text().contains("wait a moment"), "{}", asked.text());

    let settings = json!({"name": "Fun Run", "settings": {"from_email": "app@funrun.example"}});
    server.operate("scopes.update", settings).await;
    assert!(check(&server, "resets").await.0);

    assert!(check(&server, "mail").await.0);
    server
        .operate(
            "mail.useTransport",
            json!({"name": "mailgun", "without_test": true}),
        )
        .await;
    let (ok, told) = check(&server, "mail").await;
    assert!(!ok && told.contains("not set up"), "{told}");
    let settings = json!({"domain": "mg.funrun.example", "api_key": "key-1"});
    server
        .operate(
            "plugins.configure",
            json!({"name": "mailgun", "settings": settings}),
        )
        .await;
    assert!(check(&server, "mail").await.0);
}

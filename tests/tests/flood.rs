//! Bodies without end, without measure, without bottom. Case R17 of the security table.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use std::time::Duration;

use coronet_tests::processes;
use coronet_tests::server::TestServer;
use coronet_tests::story::{CAROL, FunRun};
use futures::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a server may take in before it says no; it says so at once, whatever is still to come.
const MOST: usize = 16 * 1024 * 1024;

/// Never reached when things work.
const PATIENCE: Duration = Duration::from_secs(30);

const MULTIPART: &str = "multipart/form-data; boundary=x";
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// A body that starts somehow and goes on for ever.
#[derive(Clone, Copy, Debug)]
struct Endless {
    path: &'static str,
    kind: &'static str,
    start: &'static str,
    again: &'static str,
}

const ENDLESS: [Endless; 9] = [
    endless("/_forgotpassword?scope=Fun%20Run", FORM, "email=", "a"),
    endless("/_forgotpassword?scope=Fun%20Run", FORM, "a=b", "&a=b"),
    endless(
        "/_forgotpassword?scope=Fun%20Run",
        MULTIPART,
        "--x\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\n",
        "a",
    ),
    endless(
        "/_forgotpassword?scope=Fun%20Run",
        MULTIPART,
        "--x\r\nContent-Disposition: form-data; name=\"",
        "a",
    ),
    endless(
        "/_forgotpassword?scope=Fun%20Run",
        MULTIPART,
        "",
        "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n.\r\n",
    ),
    endless("/_resetpassword", JSON, "", "["),
    endless(
        "/api/v1/users.sendPasswordResetLink",
        JSON,
        "{\"to_email\": \"",
        "a",
    ),
    endless("/api/v1/users.sendPasswordResetLink", JSON, "", "{\"a\": "),
    endless("/webmin/login", FORM, "name=", "a"),
];

const fn endless(
    path: &'static str,
    kind: &'static str,
    start: &'static str,
    again: &'static str,
) -> Endless {
    Endless {
        path,
        kind,
        start,
        again,
    }
}

/// Sends chunk after chunk until the server has had enough; returns its status, and how many bytes it let us send.
async fn pour(server: &TestServer, token: &str, body: Endless) -> (String, usize) {
    let address = server.address_of(body.path);
    let stream = TcpStream::connect(address).await.expect("a connection");
    let (mut read, mut write) = stream.into_split();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nSec-Fetch-Site: same-origin\r\n\
         Authorization: Bearer {token}\r\nContent-Type: {}\r\nTransfer-Encoding: chunked\r\n\r\n",
        body.path, body.kind,
    );
    write.write_all(head.as_bytes()).await.expect("a head");
    let pouring = async {
        let mut sent = 0;
        let mut block = body.start.to_owned();
        while sent < MOST {
            while block.len() < 32 * 1024 {
                block.push_str(body.again);
            }
            let chunk = format!("{:x}\r\n{block}\r\n", block.len());
            if write.write_all(chunk.as_bytes()).await.is_err() {
                break;
            }
            sent += block.len();
            block.clear();
        }
        sent
    };
    let answer = async {
        let mut line = Vec::new();
        // A connection that is reset while we still send has told enough.
        while !line.contains(&b'\n') && read.read_buf(&mut line).await.is_ok_and(|length| length > 0) {}
        String::from_utf8_lossy(&line)
            .chars()
            .skip("HTTP/1.1 ".len())
            .take(3)
            .collect::<String>()
    };
    let (status, sent) = tokio::time::timeout(PATIENCE, async { futures::join!(answer, pouring) })
        .await
        .unwrap_or_else(|_| panic!("neither an answer nor an end: {body:?}"));
    (status, sent)
}

#[tokio::test]
async fn r17_endless_bodies_are_refused_early_and_memory_stays_flat() {
    let story = FunRun::start().await;
    story.reset_link(1).await;
    let before = processes::peak_mib(story.server.pid());
    for body in ENDLESS {
        // Twenty at a time: what one of them may take counts twenty times.
        let poured = join_all((0..20).map(|_| pour(&story.server, &story.token, body))).await;
        for (status, sent) in &poured {
            assert!(
                ["400", "413", "429", ""].contains(&status.as_str()),
                "{body:?}: {status}"
            );
            assert!(*sent < MOST, "{body:?}: {sent} bytes were taken");
        }
        let answered = poured.iter().filter(|(status, _)| !status.is_empty()).count();
        assert!(answered > 0, "{body:?}: nobody was told why");
    }
    let after = processes::peak_mib(story.server.pid());
    assert!(after - before < 100, "{before} MiB before, {after} MiB at most");
    assert_eq!(
        story.ask_for_reset(CAROL).await.json(),
        json!(true),
        "others are served"
    );
}

#[tokio::test]
async fn r17_ten_thousand_fields_and_deep_nesting_are_refused() {
    let story = FunRun::start().await;
    let client = story.server.client();
    let names: Vec<String> = (0..10_000).map(|number| format!("f{number}")).collect();
    let fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    for path in ["/_forgotpassword?scope=Fun%20Run", "/webmin/login"] {
        let answer = client.post_form(path, &fields).await;
        assert!(
            [400, 413].contains(&answer.status.as_u16()),
            "{path}: {}",
            answer.status
        );
    }
    for deep in [
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
        format!("{}1{}", "[".repeat(50_000), "]".repeat(50_000)),
    ] {
        for body in [deep.clone(), format!("{{\"to_email\": {deep}}}")] {
            let answer = story
                .server
                .call_raw(&story.token, "users.sendPasswordResetLink", body)
                .await;
            assert_eq!(answer.status, 400, "{}", answer.text());
        }
    }
    assert_eq!(story.ask_for_reset(CAROL).await.json(), json!(true));
}

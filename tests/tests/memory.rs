//! What floods and loads do to the memory of the server. Cases X05, X06, X09 and UX05.
//!
//! All measures are relative to what the idle server holds, since builds differ; what it holds later is waited for.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use std::time::Duration;

use coronet_tests::floods::{
    MULTIPART, PART, UPLOAD, connect, endless_headers, header_bombs, large_heads, pour, unfinished,
    unfinished_head,
};
use coronet_tests::operator::{self, PASSWORD};
use coronet_tests::processes::{forget_peak, held_mib, peak_mib};
use coronet_tests::server::TestServer;
use coronet_tests::story::{CAROL, FunRun, OLD_PASSWORD};
use futures::future::join_all;
use futures::stream::{self, StreamExt};
use serde_json::json;
use tokio::io::AsyncReadExt;

/// Never reached when things work.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long after a load the server may take to return memory, with some for a busy machine.
const RETURNED_WITHIN: Duration = Duration::from_secs(100);

/// What the server holds when it has done everything once and nothing more is asked of it.
async fn idle(story: &FunRun) -> u64 {
    story.reset_link(1).await;
    assert!(story.can_log_in("Carol", OLD_PASSWORD).await);
    for path in ["/webmin/login", "/_forgotpassword?scope=Fun%20Run", "/nothing"] {
        story.server.client().get(path).await;
    }
    // The memory of that sign-in's hash is returned after a few seconds.
    let pid = story.server.pid();
    let held = settled(&story.server).await;
    forget_peak(pid);
    held
}

/// What the server holds once it holds no less from one look to the next.
async fn settled(server: &TestServer) -> u64 {
    let mut look = tokio::time::interval(Duration::from_secs(12));
    let mut held = u64::MAX;
    loop {
        look.tick().await;
        let now = held_mib(server.pid());
        if now >= held {
            return now;
        }
        held = now;
    }
}

async fn assert_returns(story: &FunRun, idle: u64) {
    let enough = idle + idle / 5;
    let returned = async {
        let mut look = tokio::time::interval(Duration::from_millis(500));
        while held_mib(story.server.pid()) > enough {
            look.tick().await;
        }
    };
    let returned = tokio::time::timeout(RETURNED_WITHIN, returned).await;
    let now = held_mib(story.server.pid());
    assert!(
        returned.is_ok(),
        "{idle} MiB when idle, and {now} MiB after the load"
    );
}

fn assert_flat(story: &FunRun, idle: u64, what: &str) {
    assert_peak(story, idle, 3, what);
}

fn assert_peak(story: &FunRun, idle: u64, times: u64, what: &str) {
    let peak = peak_mib(story.server.pid());
    assert!(
        peak < times * idle,
        "{what}: {idle} MiB when idle, {peak} MiB at the peak"
    );
}

/// Others are served, whatever one client does.
async fn assert_served(story: &FunRun) {
    let served = async {
        assert_eq!(story.ask_for_reset(CAROL).await.json(), json!(true));
        let client = story.server.client();
        let form = [("email", CAROL)];
        let answer = client.post_form("/_forgotpassword?scope=Fun%20Run", &form).await;
        assert!(
            [200, 302, 303, 429].contains(&answer.status.as_u16()),
            "{}",
            answer.status
        );
        assert_eq!(client.get("/readyz").await.status, 200);
    };
    tokio::time::timeout(PATIENCE, served)
        .await
        .expect("others are served");
}

#[tokio::test]
async fn x09_floods_over_http2_take_no_memory() {
    let story = FunRun::start().await;
    let idle = idle(&story).await;
    for (what, flood) in [
        ("tables", header_bombs(130)),
        ("continuations", endless_headers(16)),
    ] {
        let flood = async {
            join_all(
                (1..=4).map(async |from| pour(connect(story.server.address(), from).await, &flood).await),
            )
            .await
        };
        let (connections, ()) = futures::join!(flood, assert_served(&story));
        for mut stream in connections {
            let mut answer = Vec::new();
            let read = stream.read_to_end(&mut answer);
            let _ = tokio::time::timeout(PATIENCE, read).await.expect("it is closed");
            // No SETTINGS of a server that speaks HTTP/2.
            assert!(
                answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"),
                "{answer:?}"
            );
        }
        assert_flat(&story, idle, what);
    }
    assert_returns(&story, idle).await;
}

/// The other way to HTTP/2 without TLS: the server stays with HTTP/1.1, as RFC 9110 allows.
#[tokio::test]
async fn x09_an_upgrade_to_http2_is_ignored() {
    let server = TestServer::start().await;
    let answer = server
        .client()
        .raw(
            b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\n\
              HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
        )
        .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn x05_unfinished_bodies_keep_to_a_budget_and_others_are_served() {
    let story = FunRun::start().await;
    let page = json!({"path": "pages/upload.lua", "text": UPLOAD, "note": ""});
    story.server.operate("resources.write", page).await;
    let idle = idle(&story).await;
    let floods = [
        // Coronet's own page, of which 32 KB are enough, and a page of an operator.
        ("/_forgotpassword?scope=Fun%20Run", MULTIPART, PART, 1_950_000, 1),
        ("/upload", MULTIPART, PART, 1_950_000, 1),
        ("/upload", MULTIPART, PART, 1_950_000, 100),
        ("/upload", "application/json", "{\"a\":\"", 900_000, 100),
        ("/_hooks/mailgun", "application/json", "{\"a\":\"", 200_000, 100),
        (
            "/webmin/login",
            "application/x-www-form-urlencoded",
            "name=",
            900_000,
            100,
        ),
        ("/upload", MULTIPART, PART, 100, 100),
    ];
    for (path, kind, start, sent, addresses) in floods {
        let bytes = unfinished(path, kind, start, sent);
        let flood = join_all((0..300).map(async |number| {
            let from = 1 + u8::try_from(number % addresses).expect("an address");
            pour(connect(story.server.address(), from).await, &bytes).await
        }));
        let (held, ()) = futures::join!(flood, assert_served(&story));
        assert_served(&story).await;
        drop(held);
        assert_flat(&story, idle, path);
    }
    assert_returns(&story, idle).await;
}

/// Headers without an end over HTTP/1.1; heads that end and are too large, or come one after the other, on connections
/// that are kept; and heads with a body that never comes.
#[tokio::test]
async fn x05_unfinished_heads_take_little_and_others_are_served() {
    let story = FunRun::start().await;
    let idle = idle(&story).await;
    let mut ended = unfinished_head();
    ended.extend_from_slice(b"\r\n");
    let mut with_body = b"POST /_forgotpassword HTTP/1.1\r\nContent-Length: 20000\r\n".to_vec();
    with_body.extend_from_slice(&ended[b"GET / HTTP/1.1\r\n".len()..]);
    for (what, bytes, count, addresses) in [
        ("unfinished", unfinished_head(), 300, 1),
        ("unfinished, of many", unfinished_head(), 1000, 100),
        ("short", unfinished_head()[..30_000].to_vec(), 1000, 100),
        ("ended", ended, 300, 1),
        ("with a body", with_body, 300, 1),
        ("one after the other", large_heads(), 300, 1),
    ] {
        let flood = join_all((0..count).map(async |number| {
            let from = 1 + u8::try_from(number % addresses).expect("an address");
            pour(connect(story.server.address(), from).await, &bytes).await
        }));
        let (held, ()) = futures::join!(flood, assert_served(&story));
        assert_served(&story).await;
        // The watch looks every 20 ms: what a thousand connections send between two looks is held until the second. Without
        // the watch it would be a thousand buffers of 400 KB.
        assert_peak(&story, idle, 5, what);
        drop(held);
    }
    assert_returns(&story, idle).await;
}

#[tokio::test]
async fn x05_a_head_that_is_too_large_is_answered_with_431() {
    let server = TestServer::start().await;
    let (large, small) = ("a".repeat(33_000), "a".repeat(12_000));
    for (path, field, status) in [
        ("/healthz", large.as_str(), "431"),
        (&*format!("/healthz?{large}"), "", "431"),
        ("/webmin/login", large.as_str(), "431"),
        ("/healthz", small.as_str(), "200"),
    ] {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: x\r\nX-Long: {field}\r\nConnection: close\r\n\r\n");
        let answer = server.client().raw(request.as_bytes()).await;
        let first = answer.lines().next().unwrap_or_default();
        assert!(first.contains(status), "{first}");
    }
}

#[tokio::test]
async fn ux05_registrations_leave_no_memory_behind() {
    let story = FunRun::start().await;
    let idle = idle(&story).await;
    stream::iter(0..100)
        .map(|number| story.register(format!("User{number}"), format!("user{number}@example.com")))
        .buffer_unordered(16)
        .count()
        .await;
    assert_flat(&story, idle, "registrations");
    assert_returns(&story, idle).await;
}

/// Each mail is a body, a call, a row, and what the transport is sent.
#[tokio::test]
async fn ux05_large_mail_leaves_no_memory_behind() {
    let story = FunRun::start().await;
    let idle = idle(&story).await;
    let html = "<p>A long line of a long mail.</p>\n".repeat(900_000 / 35);
    let text = "A long line of a long mail.\r\n".repeat(900_000 / 29);
    stream::iter(0..60)
        .map(async |number| {
            let (kind, body) = if number % 3 == 0 {
                ("text", &text)
            } else {
                ("html", &html)
            };
            let mail = json!({"from": "app@example.com", "to": CAROL, "subject": "A long mail", kind: body});
            story.call("mail.send", json!({ "message": mail })).await
        })
        .buffer_unordered(16)
        .count()
        .await;
    // One was there before: the link of a reset.
    story.mailgun.await_mails(61).await;
    assert_returns(&story, idle).await;
}

#[tokio::test]
async fn x06_sign_ins_leave_no_memory_behind() {
    let story = FunRun::start().await;
    operator::set_up(&story.server).await;
    let idle = idle(&story).await;
    stream::iter(0..30)
        .map(async |number: u8| {
            let client = story.server.client().coming_from([127, 0, 1, number]);
            operator::sign_in(&client, operator::OPERATOR, PASSWORD).await;
            // Some are refused as too many; all that are not are hashed.
            story.can_log_in("Carol", OLD_PASSWORD).await
        })
        .buffer_unordered(16)
        .count()
        .await;
    assert_flat(&story, idle, "sign-ins");
    assert_returns(&story, idle).await;
}

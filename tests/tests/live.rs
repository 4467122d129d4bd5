//! Pages that follow what happens: their streams need a session, end with it, and hold nothing up.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use std::time::{Duration, Instant};

use coronet_tests::client::Client;
use coronet_tests::operator::{session_cookie, set_up};
use coronet_tests::server::TestServer;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATH: &str = "/webmin/dashboard/live?range=hour";
const PATIENCE: Duration = Duration::from_secs(30);

/// A stream as a browser holds it, and what came so far.
struct Stream {
    connection: TcpStream,
    text: String,
}

impl Stream {
    async fn open(server: &TestServer, client: &Client) -> Self {
        let mut connection = TcpStream::connect(server.webmin_address())
            .await
            .expect("a connection");
        let request = format!(
            "GET {PATH} HTTP/1.0\r\nHost: {}\r\nCookie: {}\r\nAccept: text/event-stream\r\n\r\n",
            server.webmin_address(),
            format_args!("coronet_session={}", session_cookie(client))
        );
        connection.write_all(request.as_bytes()).await.expect("asked");
        let text = String::new();
        Self { connection, text }
    }

    /// Reads until the text came; false when the stream ends before.
    async fn reads(&mut self, text: &str) -> bool {
        let reading = async {
            let mut bytes = [0; 16 * 1024];
            while !self.text.contains(text) {
                match self.connection.read(&mut bytes).await {
                    Ok(0) | Err(_) => return false,
                    Ok(count) => self.text.push_str(&String::from_utf8_lossy(&bytes[..count])),
                }
            }
            true
        };
        timeout(PATIENCE, reading)
            .await
            .expect("the stream says something")
    }
}

#[tokio::test]
async fn a_stream_needs_a_session_and_ends_with_it() {
    let server = TestServer::start().await;
    let admin = set_up(&server).await;
    assert_eq!(server.client().get(PATH).await.status, 401);

    let mut stream = Stream::open(&server, &admin).await;
    assert!(stream.reads("event:lists").await, "{}", stream.text);
    assert!(stream.text.contains("text/event-stream"), "{}", stream.text);
    assert!(stream.text.contains("Everything is all right"), "{}", stream.text);
    // What happens is told without being asked for.
    server.operate("scopes.create", json!({"name": "Nameless"})).await;
    assert!(
        stream.reads("Nameless cannot send reset links").await,
        "{}",
        stream.text
    );

    admin.post_form("/webmin/logout", &[]).await;
    assert!(stream.reads("event:signed-out").await, "{}", stream.text);
    assert!(!stream.reads("nothing more").await);
    assert_eq!(admin.get(PATH).await.status, 401);
}

#[tokio::test]
async fn the_server_stops_at_once_however_many_pages_follow_it() {
    let mut server = TestServer::start().await;
    let admin = set_up(&server).await;
    let mut streams = Vec::new();
    for _ in 0..8 {
        let mut stream = Stream::open(&server, &admin).await;
        assert!(stream.reads("event:lists").await, "{}", stream.text);
        streams.push(stream);
    }
    // One operator takes no more than that.
    assert_eq!(admin.get(PATH).await.status, 503);
    let began = Instant::now();
    let status = server.terminate().await;
    assert!(status.success(), "{status}");
    // Requests under way get three seconds and connections one; these end by themselves.
    assert!(
        began.elapsed() < Duration::from_millis(2500),
        "{:?}",
        began.elapsed()
    );
    for mut stream in streams {
        assert!(stream.reads("event:stopping").await, "{}", stream.text);
    }
}

/// Whoever closes quiet connections leaves a stream alone, although its answer began long ago.
#[tokio::test]
async fn a_stream_outlives_the_time_after_which_quiet_connections_are_closed() {
    let server = TestServer::start().await;
    let admin = set_up(&server).await;
    let mut stream = Stream::open(&server, &admin).await;
    assert!(stream.reads("event:lists").await, "{}", stream.text);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(75) {
        // A sign of life comes every few seconds.
        stream.text.clear();
        assert!(stream.reads("\n").await, "closed after {:?}", began.elapsed());
    }
}

//! Requests over a fixed number of kept-alive connections, as fast as they are answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What became of a load.
pub(super) struct Outcome {
    /// Sorted.
    latencies: Vec<Duration>,
    pub(super) refused: usize,
    pub(super) elapsed: Duration,
}

impl Outcome {
    pub(super) fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency that so many percent of the requests stayed below.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies
            .get(last * percent / 100)
            .copied()
            .unwrap_or_default()
    }
}

/// A call of a function as the bytes that go over the wire.
pub(super) fn call(token: &str, function: &str, parameters: &serde_json::Value) -> Vec<u8> {
    let body = parameters.to_string();
    format!(
        "POST /api/v1/{function} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
         authorization: Bearer {token}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A visit of a page of the webmin.
pub(super) fn visit(path: &str, session: &str) -> Vec<u8> {
    format!(
        "GET /webmin{path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: coronet_session={session}\r\n\
         accept-encoding: gzip\r\n\r\n"
    )
    .into_bytes()
}

/// Sends every request once, over `connections` connections.
pub(super) async fn run(address: SocketAddr, connections: usize, requests: Vec<Vec<u8>>) -> Outcome {
    let requests = Arc::new(requests);
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let workers = (0..connections).map(|_| {
        let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
        tokio::spawn(work(address, requests, next))
    });
    let parts: Vec<(Vec<Duration>, usize)> = join_all(workers)
        .await
        .into_iter()
        .map(|part| part.expect("a worker"))
        .collect();
    let elapsed = started.elapsed();
    let refused = parts.iter().map(|(_, refused)| refused).sum();
    let mut latencies: Vec<Duration> = parts.into_iter().flat_map(|(latencies, _)| latencies).collect();
    latencies.sort_unstable();
    Outcome {
        latencies,
        refused,
        elapsed,
    }
}

async fn work(
    address: SocketAddr,
    requests: Arc<Vec<Vec<u8>>>,
    next: Arc<AtomicUsize>,
) -> (Vec<Duration>, usize) {
    let mut stream = connect(address).await;
    let (mut latencies, mut refused) = (Vec::new(), 0);
    let mut buffer = Vec::with_capacity(8 * 1024);
    while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
        let sent = Instant::now();
        stream.write_all(request).await.expect("an open connection");
        let answer = read_answer(&mut stream, &mut buffer).await;
        latencies.push(sent.elapsed());
        refused += usize::from(answer.status != 200);
        if answer.closes {
            stream = connect(address).await;
        }
    }
    (latencies, refused)
}

async fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("TCP");
    stream
}

struct Answer {
    status: u16,
    closes: bool,
}

/// Reads one answer to its end; the body is thrown away.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Answer {
    buffer.clear();
    loop {
        if let Some((answer, length)) = parse(buffer)
            && buffer.len() >= length
        {
            return answer;
        }
        let read = stream.read_buf(buffer).await.expect("an open connection");
        assert!(
            read > 0,
            "closed in the middle of: {}",
            String::from_utf8_lossy(buffer)
        );
    }
}

fn parse(buffer: &[u8]) -> Option<(Answer, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Response::new(&mut headers);
    let Ok(httparse::Status::Complete(length)) = head.parse(buffer) else {
        return None;
    };
    let header = |name: &str| {
        let found = head
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(found.value).ok()
    };
    let body: usize = header("content-length")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let closes = header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    Some((
        Answer {
            status: head.code.unwrap_or_default(),
            closes,
        },
        length + body,
    ))
}

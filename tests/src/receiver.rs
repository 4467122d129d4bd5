//! A web server that keeps what it is sent: the other end of webhooks and pings.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// How long something may take to come. Never reached when things work.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Such as `GET /abc/fail`.
    pub line: String,
    /// Their names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Received {
    /// The header of this name; empty when it was not sent.
    pub fn header(&self, name: &str) -> String {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        found.next().map(|(_, value)| value.clone()).unwrap_or_default()
    }
}

pub struct Receiver {
    address: SocketAddr,
    received: tokio::sync::Mutex<mpsc::UnboundedReceiver<Received>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sender, received) = mpsc::unbounded_channel();
        let answers: Arc<Mutex<VecDeque<u16>>> = Arc::default();
        let given = Arc::clone(&answers);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (sender, given) = (sender.clone(), Arc::clone(&given));
                tokio::spawn(async move { serve(connection, &sender, &given).await });
            }
        });
        Self {
            address,
            received: tokio::sync::Mutex::new(received),
            answers,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The status of the next answer; 200 where none is said.
    pub fn answer(&self, status: u16) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.push_back(status);
    }

    /// The next request.
    pub async fn next(&self) -> Received {
        let mut received = self.received.lock().await;
        let next = tokio::time::timeout(PATIENCE, received.recv()).await;
        next.expect("a request in time").expect("a request")
    }
}

async fn serve(
    connection: TcpStream,
    sender: &mpsc::UnboundedSender<Received>,
    answers: &Mutex<VecDeque<u16>>,
) -> Option<()> {
    let mut connection = BufReader::new(connection);
    let mut line = String::new();
    connection.read_line(&mut line).await.ok()?;
    let (mut length, mut headers) = (0, Vec::new());
    loop {
        let mut header = String::new();
        connection.read_line(&mut header).await.ok()?;
        if header.trim().is_empty() {
            break;
        }
        let (name, value) = header.split_once(':')?;
        let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
        if name == "content-length" {
            length = value.parse().ok()?;
        }
        headers.push((name, value));
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await.ok()?;
    let next = answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let status = next.unwrap_or(200);
    let answer = format!("HTTP/1.1 {status} As Asked\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    connection.write_all(answer.as_bytes()).await.ok()?;
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let body = String::from_utf8_lossy(&body).into_owned();
    sender.send(Received { line, headers, body }).ok()
}

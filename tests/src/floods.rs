//! What strangers send who want the server's memory, for the tests that hold it to its bounds and for the bench that measures
//! it. Only ever sent to a server of the test's own.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

/// How a client begins that knows the server to speak HTTP/2.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection from an address of this machine.
pub async fn connect(to: SocketAddr, from: u8) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    let source = Ipv4Addr::new(127, 0, 0, from);
    socket
        .bind(SocketAddr::new(source.into(), 0))
        .expect("an address");
    socket.connect(to).await.expect("a connection")
}

/// Sends what the server takes; a server that has had enough closes.
pub async fn pour(mut stream: TcpStream, bytes: &[u8]) -> TcpStream {
    let _ = tokio::time::timeout(Duration::from_secs(5), stream.write_all(bytes)).await;
    stream
}

/// HTTP/2 frames of type 1 (HEADERS), 4 (SETTINGS) and 9 (CONTINUATION).
fn frame(kind: u8, flags: u8, number: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(number.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Streams whose headers are a few kilobytes on the wire and 16 MB when they are read: one large field goes into the table of
/// the compression, and a byte each refers to it.
pub fn header_bombs(streams: u32) -> Vec<u8> {
    let mut bytes = PREFACE.to_vec();
    bytes.extend(frame(4, 0, 0, &[]));
    for number in 0..streams {
        // POST, http, and / from the static table.
        let mut block = vec![0x83, 0x86, 0x84];
        if number == 0 {
            block.extend([0x40, 1, b'x', 0x7f]);
            // 3900 - 127, seven bits at a time.
            block.extend([(3773_u32 % 128) as u8 | 0x80, (3773_u32 / 128) as u8]);
            block.extend([b'a'; 3900]);
        }
        block.resize(block.len() + 4100, 0xbe);
        bytes.extend(frame(1, 4, 2 * number + 1, &block));
    }
    bytes
}

/// A header block without an end: a field of 4000 bytes that is in no table, again and again.
pub fn endless_headers(megabytes: usize) -> Vec<u8> {
    let mut bytes = PREFACE.to_vec();
    bytes.extend(frame(4, 0, 0, &[]));
    bytes.extend(frame(1, 0, 1, &[0x83, 0x86, 0x84]));
    let mut field = vec![
        0,
        1,
        b'x',
        0x7f,
        (3873_u32 % 128) as u8 | 0x80,
        (3873_u32 / 128) as u8,
    ];
    field.extend([b'a'; 4000]);
    for _ in 0..megabytes * 64 {
        bytes.extend(frame(9, 0, 1, &field.repeat(4)));
    }
    bytes
}

/// The head of a request over HTTP/1.1 without its end, of 360 KB.
pub fn unfinished_head() -> Vec<u8> {
    let mut bytes = b"GET / HTTP/1.1\r\nHost: x\r\n".to_vec();
    for _ in 0..90 {
        bytes.extend_from_slice(b"X: ");
        bytes.resize(bytes.len() + 4000, b'a');
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// Requests that are whole, one after the other, of 8 KB each and 360 KB in all.
pub fn large_heads() -> Vec<u8> {
    let head = format!(
        "GET /healthz HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n",
        "a".repeat(8000)
    );
    head.repeat(45).into_bytes()
}

/// A body that is announced to be longer than what is sent of it.
pub fn unfinished(path: &str, kind: &str, start: &str, sent: usize) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        sent + 1000
    );
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(start.as_bytes());
    bytes.resize(bytes.len() + sent - start.len(), b'a');
    bytes
}

/// A page of an operator that takes files.
pub const UPLOAD: &str = "core.pages.new().renderText('done')\n";
pub const MULTIPART: &str = "multipart/form-data; boundary=x";
/// What stands before the first byte of a file.
pub const PART: &str = "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n";

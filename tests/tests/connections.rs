//! Connections that ask nothing, or not to the end. Cases F05 and R17 of the security table.

#![expect(
    clippy::expect_used,
    reason = "helpers of tests: a broken expectation is a failed test"
)]

use std::fs::File;
use std::time::Duration;

use coronet_tests::server::{Setup, TestServer};
use futures::future::join_all;
use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::process::{Resource, Rlimit, getrlimit, prlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// The longest time-out is a minute; the rest is for a busy machine.
const PATIENCE: Duration = Duration::from_secs(100);

/// A way to start a request and not to end it.
#[derive(Clone, Copy, Debug)]
struct Unfinished {
    start: &'static str,
    /// Sent again and again, as a slow client does.
    again: &'static str,
}

const UNFINISHED: [Unfinished; 8] = [
    unfinished("", ""),
    unfinished("GET / HTTP/1.1\r\nHost: x\r\nX: ", ""),
    unfinished("GET / HTTP/1.1\r\nHost: x\r\nX: ", "a"),
    unfinished("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", ""),
    unfinished(
        "POST /_forgotpassword HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: 10000\r\n\r\nscope=",
        "",
    ),
    unfinished(
        "POST /_forgotpassword HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: 10000\r\n\r\nscope=",
        "a",
    ),
    unfinished(
        "POST /webmin/login HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 10000\r\n\r\nname=",
        "a",
    ),
    unfinished(
        "POST /api/v1/users.get HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n{\"a\":\"",
        "a",
    ),
];

const fn unfinished(start: &'static str, again: &'static str) -> Unfinished {
    Unfinished { start, again }
}

/// Returns when the server has closed the connection.
async fn hold(server: &TestServer, how: Unfinished) {
    let path = how.start.split(' ').nth(1).unwrap_or_default();
    let mut stream = TcpStream::connect(server.address_of(path))
        .await
        .expect("a connection");
    stream.write_all(how.start.as_bytes()).await.expect("a start");
    let mut slowly = tokio::time::interval(Duration::from_secs(1));
    let mut answer = [0; 4096];
    loop {
        tokio::select! {
            read = stream.read(&mut answer) => if read.is_err() || read.is_ok_and(|length| length == 0) {
                return;
            },
            _ = slowly.tick() => if stream.write_all(how.again.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

#[tokio::test]
async fn r17_what_is_not_asked_to_the_end_is_closed() {
    let server = Setup::default()
        .without_plugins()
        .start()
        .await
        .expect("a database");
    let held = UNFINISHED.map(|how| {
        let server = &server;
        async move {
            tokio::time::timeout(PATIENCE, hold(server, how))
                .await
                .unwrap_or_else(|_| panic!("still open: {how:?}"));
        }
    });
    join_all(held).await;
    assert_database_is_held(&server);
}

/// A file that the server opens beside SQLite, and closes, takes SQLite's locks along: another program would then delete
/// the log of the last writes under the running server.
fn assert_database_is_held(server: &TestServer) {
    let database = File::options()
        .read(true)
        .write(true)
        .open(server.home().join("admin.db"))
        .expect("the database");
    fcntl_lock(&database, FlockOperation::NonBlockingLockExclusive).expect_err("SQLite's lock is gone");
}

#[tokio::test]
async fn f05_more_connections_than_files_and_others_are_served() {
    let own = getrlimit(Resource::Nofile);
    let mine = Rlimit {
        current: own.maximum,
        maximum: own.maximum,
    };
    setrlimit(Resource::Nofile, mine).expect("files for the test");
    let server = Setup::default()
        .without_plugins()
        .start()
        .await
        .expect("a database");
    let few = Rlimit {
        current: Some(1024),
        maximum: Some(1024),
    };
    prlimit(Some(server.pid()), Resource::Nofile, few).expect("the right to limit a server of ours");
    let connected = Semaphore::new(0);
    let attack = async {
        let hold = |_| async {
            // Who is closed comes again, as an attacker does.
            loop {
                hold_quietly(&server, &connected).await;
            }
        };
        join_all((0..1500).map(hold)).await;
    };
    let service = async {
        let _all = connected.acquire_many(1500).await;
        let mut pace = tokio::time::interval(Duration::from_millis(100));
        for number in 0..50 {
            pace.tick().await;
            let client = server.client();
            let answer = tokio::time::timeout(Duration::from_secs(30), client.get("/readyz")).await;
            let answer = answer.unwrap_or_else(|_| panic!("no answer to request {number}"));
            assert_eq!(answer.status, 200);
        }
    };
    tokio::select! {
        _ = attack => {}
        () = service => {}
    }
}

/// Holds a connection by a header that never ends, until the server closes it.
async fn hold_quietly(server: &TestServer, connected: &Semaphore) {
    let Ok(mut stream) = TcpStream::connect(server.address()).await else {
        return;
    };
    connected.add_permits(1);
    let mut slowly = tokio::time::interval(Duration::from_secs(1));
    let mut answer = [0; 64];
    if stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
        .await
        .is_err()
    {
        return;
    }
    loop {
        tokio::select! {
            _ = stream.read(&mut answer) => return,
            _ = slowly.tick() => if stream.write_all(b"a").await.is_err() {
                return;
            }
        }
    }
}

//! Ends connections on which nothing is asked, or too much. Rocket waits for ever for a request that does not come, or not
//! to its end, before any handler sees it, and buffers up to 400 KB of it meanwhile.
//!
//! Rocket has no door for a listener of one's own, so this watches from beside it: a fairing notes which connections
//! have a request under way, and a thread looks at the process's sockets and ends some.
//!
//! | file | holds |
//! | --- | --- |
//! | `watch` | the thread: when it looks, and which connections were quiet too long |
//! | `heads` | how much unfinished requests may hold, and which of them end when they hold more |
//! | `sockets` | the sockets of the process: finding, closing and breaking them |
//! | `large` | requests with a head that is too large |

mod heads;
mod large;
mod sockets;
mod watch;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use coronet_core::forwarded::TrustedProxies;
use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::Header;
use rocket::response::Body;
use rocket::{Build, Data, Orbit, Request, Response, Rocket};
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tokio::sync::Notify;
use tokio::time::Instant;

use heads::{MOST_OF_A_CONNECTION, MOST_OF_A_HEAD};
pub(crate) use large::TOO_LARGE;
use watch::Watch;

/// How long the first request of a connection may take to arrive: its head, and the start of its body.
const FIRST_REQUEST: Duration = Duration::from_secs(15);
/// How long a connection is kept after an answer, for the next request.
const KEPT: Duration = Duration::from_secs(60);
/// How long an answer of known size may stand still because its reader takes nothing.
const STALLED: Duration = Duration::from_secs(120);
/// An answer up to this size fits into what the system and Rocket keep of it: it counts as sent at once.
const SMALL: usize = 64 * 1024;
/// A request that takes longer than this may be cut short when files run out.
const LONG: Duration = Duration::from_secs(30);
/// What a connection needs to send the end of its answer and to close.
const CLOSING: Duration = Duration::from_millis(50);
/// How often quiet connections are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// A connection that asked for this at once is closed with the answer: Rocket's HTTP server keeps the buffer of the largest
/// request as long as the connection.
const LARGE: u64 = 16 * 1024;

/// The fairing that notes requests, and starts the watch when the server listens.
#[derive(Clone, Default)]
pub struct Connections {
    trusted: Arc<TrustedProxies>,
    seats: Arc<Mutex<HashMap<SocketAddr, Seat>>>,
    /// Told of each request that is answered.
    answered: Arc<Notify>,
}

/// What is known of a connection that has asked something.
#[derive(Clone, Copy)]
struct Seat {
    /// Bytes of all requests so far.
    asked: u64,
    /// Whether no other request can come: the connection ends with the answer.
    is_last: bool,
    under_way: u32,
    /// How many of those are answers of known size, on their way.
    sending: u32,
    /// When the latest request came or was answered, or more of an answer of known size was taken.
    since: Instant,
}

impl Connections {
    pub fn new(trusted: &TrustedProxies) -> Self {
        Self {
            trusted: Arc::new(trusted.clone()),
            ..Self::default()
        }
    }

    /// How many connections have a request under way.
    fn under_way(&self) -> usize {
        self.seats().values().filter(|seat| seat.under_way > 0).count()
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<SocketAddr, Seat>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn all_answered(&self) {
        loop {
            let answered = self.answered.notified();
            tokio::pin!(answered);
            answered.as_mut().enable();
            if self.seats().values().all(|seat| seat.under_way == 0) {
                return;
            }
            answered.await;
        }
    }

    fn note(&self, request: &Request<'_>, change: impl FnOnce(&mut Seat)) {
        let Some(peer) = request.remote() else { return };
        let mut seats = self.seats();
        let new = Seat {
            asked: 0,
            is_last: false,
            under_way: 0,
            sending: 0,
            since: Instant::now(),
        };
        let seat = seats.entry(peer).or_insert(new);
        if seat.is_last && seat.under_way == 0 {
            // That connection has ended, and its port was used again.
            *seat = new;
        }
        change(seat);
        seat.since = Instant::now();
    }
}

#[rocket::async_trait]
impl Fairing for Connections {
    fn info(&self) -> Info {
        Info {
            name: "Connections",
            kind: Kind::Ignite | Kind::Liftoff | Kind::Request | Kind::Response | Kind::Shutdown,
        }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> rocket::fairing::Result {
        Ok(rocket.mount("/", large::routes()))
    }

    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        let watch = Watch::new(self.clone(), rocket.config().port);
        if let Err(cause) = watch.and_then(|watch| watch.start(rocket.shutdown())) {
            tracing::warn!(%cause, "connections that ask nothing cannot be closed");
        }
    }

    /// Rocket looks once whether all connections are done, and waits its whole grace when one is not. It looks after this.
    async fn on_shutdown(&self, rocket: &Rocket<Orbit>) {
        let grace = Duration::from_secs(rocket.config().shutdown.grace.into());
        let _ = tokio::time::timeout(grace, self.all_answered()).await;
        tokio::time::sleep(CLOSING).await;
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        let (head, body) = (large::head(request), large::announced_body(request));
        self.note(request, |seat| {
            seat.under_way += 1;
            seat.asked += head + body.unwrap_or_default();
            seat.is_last |= head + body.unwrap_or(LARGE) >= LARGE || seat.asked >= MOST_OF_A_CONNECTION;
        });
        if head > MOST_OF_A_HEAD {
            large::reject(request);
        }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let answered = Answered {
            connections: self.clone(),
            peer: request.remote(),
            sending: false,
        };
        let seat = request.remote().and_then(|peer| self.seats().get(&peer).copied());
        if seat.is_some_and(|seat| seat.is_last) {
            response.set_header(Header::new("Connection", "close"));
        }
        if response.body().is_none() {
            return;
        }
        let size = response.body_mut().size().await;
        if size.is_some_and(|size| size <= SMALL) {
            return;
        }
        let chunk = response.body().max_chunk_size();
        let body = std::mem::take(response.body_mut());
        match size {
            // A stream is under way until its end, however long that takes.
            None => response.set_streamed_body(Sent { body, answered }),
            // A download is, as long as somebody takes it.
            Some(size) => {
                let answered = answered.sending();
                response.set_sized_body(size, Sent { body, answered });
            }
        }
        response.set_max_chunk_size(chunk);
    }
}

/// A request that is answered when this is dropped.
struct Answered {
    connections: Connections,
    peer: Option<SocketAddr>,
    sending: bool,
}

impl Answered {
    fn sending(mut self) -> Self {
        self.sending = true;
        self.with_seat(|seat| seat.sending += 1);
        self
    }

    fn with_seat(&self, change: impl FnOnce(&mut Seat)) {
        let Some(peer) = self.peer else { return };
        if let Some(seat) = self.connections.seats().get_mut(&peer) {
            change(seat);
            seat.since = Instant::now();
        }
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        self.with_seat(|seat| {
            seat.under_way = seat.under_way.saturating_sub(1);
            seat.sending = seat.sending.saturating_sub(u32::from(self.sending));
        });
        self.connections.answered.notify_waiters();
    }
}

/// The body of an answer, which knows that its request is under way.
struct Sent<'r> {
    body: Body<'r>,
    answered: Answered,
}

impl AsyncRead for Sent<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.answered.sending {
            self.answered.with_seat(|_| {});
        }
        Pin::new(&mut self.body).poll_read(context, buffer)
    }
}

/// Rocket wants it of a body with a size, and seeks only to find a size that it does not know.
impl AsyncSeek for Sent<'_> {
    fn start_seek(self: Pin<&mut Self>, _: io::SeekFrom) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn poll_complete(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

#[cfg(test)]
mod tests {
    use rocket::local::asynchronous::Client;
    use rocket::{get, routes};

    use super::*;

    const SIZE: usize = 4 * SMALL;

    #[get("/download")]
    fn download() -> Vec<u8> {
        vec![7; SIZE]
    }

    #[get("/page")]
    fn page() -> &'static str {
        "short"
    }

    fn peer() -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], 4711))
    }

    async fn client(connections: &Connections) -> Client {
        let rocket = rocket::build()
            .attach(connections.clone())
            .mount("/", routes![download, page]);
        Client::untracked(rocket).await.unwrap()
    }

    fn seat(connections: &Connections) -> Seat {
        connections.seats()[&peer()]
    }

    /// Whether the connection is closed when nothing more happens on it for so long.
    fn is_closed_after(connections: &Connections, quiet: Duration) -> bool {
        let mut looker = watch::Looker::new(connections.clone());
        let since = Instant::now() - quiet;
        connections.seats().get_mut(&peer()).unwrap().since = since;
        let connection = sockets::Connection {
            file: -1,
            peer: peer(),
            read: 0,
        };
        !looker.quiet_ones(&[connection], 0).is_empty()
    }

    #[rocket::async_test]
    async fn a_download_is_under_way_until_it_is_sent() {
        let connections = Connections::default();
        let client = client(&connections).await;
        let answer = client.get("/download").remote(peer()).dispatch().await;
        assert_eq!(answer.body().preset_size(), Some(SIZE));
        assert_eq!(seat(&connections).under_way, 1);
        // Longer than a connection is kept that is done with.
        assert!(!is_closed_after(&connections, KEPT + LOOK_EVERY));

        // Whoever takes more of it shows that somebody is there.
        let old = Instant::now() - STALLED;
        connections.seats().get_mut(&peer()).unwrap().since = old;
        assert_eq!(answer.into_bytes().await.unwrap().len(), SIZE);
        assert!(seat(&connections).since.elapsed() < STALLED);
        assert_eq!((seat(&connections).under_way, seat(&connections).sending), (0, 0));
        connections.all_answered().await;
        assert!(is_closed_after(&connections, KEPT));
    }

    #[rocket::async_test]
    async fn r17_a_download_that_nobody_takes_is_closed() {
        let connections = Connections::default();
        let client = client(&connections).await;
        let _answer = client.get("/download").remote(peer()).dispatch().await;
        assert!(is_closed_after(&connections, STALLED));
    }

    #[rocket::async_test]
    async fn a_short_answer_counts_as_sent_at_once() {
        let connections = Connections::default();
        let client = client(&connections).await;
        let answer = client.get("/page").remote(peer()).dispatch().await;
        assert_eq!(seat(&connections).under_way, 0);
        assert_eq!(answer.into_string().await.as_deref(), Some("short"));
    }
}

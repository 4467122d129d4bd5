//! Closes connections on which nothing is asked. Rocket waits for ever for a request that does not come, or not to its
//! end, before any handler sees it; every such connection is an open file, and there is an end to those.
//!
//! Rocket has no door for a listener of one's own, so this watches from beside it: a fairing notes which connections
//! have a request under way, and [`Watch`] looks at the process's sockets and shuts those that were quiet too long.
//! When files get short, the quiet ones that are open longest are shut at once.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use rocket::fairing::{Fairing, Info, Kind};
use rocket::response::Body;
use rocket::{Data, Orbit, Request, Response, Rocket};
use rustix::fs::{FileType, fstat};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, Resource, getpid, getrlimit, pidfd_getfd, pidfd_open};
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tokio::sync::Notify;
use tokio::time::Instant;

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
/// How often quiet connections are looked for, and how often open files are counted.
const LOOK_EVERY: Duration = Duration::from_secs(5);
const COUNT_EVERY: Duration = Duration::from_millis(250);
/// The most files that may be open, whatever the system allows: a connection takes up to 30 KB of memory, and the idle server
/// takes 40 MB.
const MOST_FILES: u64 = 2048;
/// Files held so that there are some to look with when all others are taken.
const SPARE: usize = 8;

/// The fairing that notes requests, and starts the watch when the server listens.
#[derive(Clone, Default)]
pub struct Connections {
    seats: Arc<Mutex<HashMap<SocketAddr, Seat>>>,
    /// Told of each request that is answered.
    answered: Arc<Notify>,
}

/// What is known of a connection that has asked something.
#[derive(Clone, Copy)]
struct Seat {
    under_way: u32,
    /// How many of those are answers of known size, on their way.
    sending: u32,
    /// When the latest request came or was answered, or more of an answer of known size was taken.
    since: Instant,
}

impl Connections {
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
        let seat = seats.entry(peer).or_insert(Seat {
            under_way: 0,
            sending: 0,
            since: Instant::now(),
        });
        change(seat);
        seat.since = Instant::now();
    }
}

#[rocket::async_trait]
impl Fairing for Connections {
    fn info(&self) -> Info {
        Info {
            name: "Connections",
            kind: Kind::Liftoff | Kind::Request | Kind::Response | Kind::Shutdown,
        }
    }

    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        match Watch::new(self.clone(), rocket.config().port) {
            Ok(watch) => drop(tokio::spawn(watch.run(rocket.shutdown()))),
            Err(cause) => tracing::warn!(%cause, "connections that ask nothing cannot be closed"),
        }
    }

    /// Rocket looks once whether all connections are done, and waits its whole grace when one is not. It looks after this.
    async fn on_shutdown(&self, rocket: &Rocket<Orbit>) {
        let grace = Duration::from_secs(rocket.config().shutdown.grace.into());
        let _ = tokio::time::timeout(grace, self.all_answered()).await;
        tokio::time::sleep(CLOSING).await;
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        self.note(request, |seat| seat.under_way += 1);
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let answered = Answered {
            connections: self.clone(),
            peer: request.remote(),
            sending: false,
        };
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

/// A connection that somebody else opened to us.
#[derive(Clone, Copy)]
struct Connection {
    file: RawFd,
    peer: SocketAddr,
}

struct Watch {
    connections: Connections,
    port: u16,
    this_process: OwnedFd,
    /// When connections that have asked nothing yet were first seen.
    first_seen: HashMap<SocketAddr, Instant>,
    looked: Instant,
    spare: Vec<File>,
}

impl Watch {
    fn new(connections: Connections, port: u16) -> io::Result<Self> {
        let watch = Self {
            connections,
            port,
            this_process: pidfd_open(getpid(), PidfdFlags::empty())?,
            first_seen: HashMap::new(),
            looked: Instant::now(),
            spare: spare_files(),
        };
        // Some containers forbid it.
        drop(watch.duplicate(watch.this_process.as_raw_fd())?);
        Ok(watch)
    }

    async fn run(mut self, shutdown: rocket::Shutdown) {
        let mut count = tokio::time::interval(COUNT_EVERY);
        count.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => return,
                _ = count.tick() => {}
            }
            let looking = tokio::task::spawn_blocking(move || {
                self.spare.clear();
                let looked = self.look();
                self.spare = spare_files();
                (self, looked)
            });
            let Ok((watch, looked)) = looking.await else {
                return;
            };
            self = watch;
            if let Err(cause) = looked {
                tracing::warn!(%cause, "the open connections cannot be looked at");
            }
        }
    }

    fn look(&mut self) -> io::Result<()> {
        let files = open_files()?;
        let too_many = files.len().saturating_sub(room());
        if too_many == 0 && self.looked.elapsed() < LOOK_EVERY {
            return Ok(());
        }
        self.looked = Instant::now();
        let open: Vec<Connection> = files
            .into_iter()
            .filter_map(|file| self.connection(file))
            .collect();
        self.forget_all_but(&open);
        // Some more than needed: whoever opens this many will go on.
        let shed = if too_many == 0 { 0 } else { too_many + room() / 8 };
        let closed = self
            .quiet_ones(&open, shed)
            .into_iter()
            .filter(|connection| self.close(*connection));
        let closed = closed.count();
        if too_many > 0 {
            tracing::warn!(
                closed,
                "there were too many connections; the quiet ones were closed"
            );
        }
        Ok(())
    }

    /// Those that were quiet too long, and of the others the oldest, until there are `shed` in all.
    fn quiet_ones(&mut self, open: &[Connection], shed: usize) -> Vec<Connection> {
        let now = Instant::now();
        let seats = self.connections.seats();
        let mut late = Vec::new();
        let mut quiet = Vec::new();
        let mut long = Vec::new();
        for connection in open {
            let (since, most) = match seats.get(&connection.peer) {
                Some(seat) if seat.under_way > 0 && seat.under_way == seat.sending => (seat.since, STALLED),
                Some(seat) if seat.under_way > 0 => {
                    if now - seat.since > LONG {
                        long.push((seat.since, *connection));
                    }
                    continue;
                }
                Some(seat) => (seat.since, KEPT),
                None => (
                    *self.first_seen.entry(connection.peer).or_insert(now),
                    FIRST_REQUEST,
                ),
            };
            if now - since >= most {
                late.push(*connection);
            } else {
                quiet.push((since, *connection));
            }
        }
        for mut group in [quiet, long] {
            group.sort_by_key(|(since, _)| *since);
            let missing = shed.saturating_sub(late.len());
            late.extend(group.into_iter().take(missing).map(|(_, connection)| connection));
        }
        late
    }

    fn forget_all_but(&mut self, open: &[Connection]) {
        let peers: std::collections::HashSet<SocketAddr> =
            open.iter().map(|connection| connection.peer).collect();
        self.first_seen.retain(|peer, _| peers.contains(peer));
        // A connection may have come, asked and gone since the files were listed.
        self.connections.seats().retain(|peer, seat| {
            seat.under_way > 0 || peers.contains(peer) || seat.since.elapsed() < LOOK_EVERY
        });
    }

    fn connection(&self, file: RawFd) -> Option<Connection> {
        let stream = self.socket(file)?;
        let ours = stream.local_addr().ok()?.port() == self.port;
        let peer = stream.peer_addr().ok().filter(|_| ours)?;
        Some(Connection { file, peer })
    }

    /// Rocket finds the connection at its end, as if the other side had gone.
    fn close(&self, connection: Connection) -> bool {
        // By now the file may be another one.
        let stream = self.socket(connection.file);
        let same = stream.filter(|stream| stream.peer_addr().is_ok_and(|address| address == connection.peer));
        same.is_some_and(|stream| stream.shutdown(Shutdown::Both).is_ok())
    }

    /// The file as a socket, if it is one.
    ///
    /// A duplicate of any other file must never be closed: closing one of the database's takes away the locks by which
    /// SQLite tells other programs that it is in use (POSIX locks belong to the process, whichever file closes).
    fn socket(&self, file: RawFd) -> Option<TcpStream> {
        let target = std::fs::read_link(format!("/proc/self/fd/{file}")).ok()?;
        if !target.as_os_str().as_encoded_bytes().starts_with(b"socket:") {
            return None;
        }
        let duplicate = self.duplicate(file).ok()?;
        match fstat(&duplicate).map(|status| FileType::from_raw_mode(status.st_mode)) {
            Ok(FileType::Socket) => Some(duplicate.into()),
            // Since the look the number has become another file's. It stays open.
            _ => {
                std::mem::forget(duplicate);
                None
            }
        }
    }

    fn duplicate(&self, file: RawFd) -> io::Result<OwnedFd> {
        Ok(pidfd_getfd(&self.this_process, file, PidfdGetfdFlags::empty())?)
    }
}

fn open_files() -> io::Result<Vec<RawFd>> {
    let entries = std::fs::read_dir("/proc/self/fd")?;
    let numbers = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(numbers.collect())
}

/// How many files may be open before connections are closed for want of them: a quarter is for everything else.
fn room() -> usize {
    let most = getrlimit(Resource::Nofile)
        .current
        .unwrap_or(MOST_FILES)
        .min(MOST_FILES);
    usize::try_from(most / 4 * 3).unwrap_or(usize::MAX)
}

fn spare_files() -> Vec<File> {
    (0..SPARE).map_while(|_| File::open("/dev/null").ok()).collect()
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
        let mut watch = Watch::new(connections.clone(), 1).unwrap();
        let since = Instant::now() - quiet;
        connections.seats().get_mut(&peer()).unwrap().since = since;
        let connection = Connection {
            file: -1,
            peer: peer(),
        };
        !watch.quiet_ones(&[connection], 0).is_empty()
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

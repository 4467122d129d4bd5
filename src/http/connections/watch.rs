//! The thread that looks at the connections. It is no task: a flood keeps the runtime busy, and is what must be seen.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use tokio::time::Instant;

use super::heads::{Quiet, in_excess};
use super::sockets::{Connection, Sockets, open_files, room};
use super::{Connections, FIRST_REQUEST, KEPT, LONG, LOOK_EVERY, STALLED};

/// How often open files are counted.
const COUNT_EVERY: Duration = Duration::from_millis(250);
/// How soon after a look the next one comes when there is a reason: a new connection, or many that are quiet.
const PAUSE: Duration = Duration::from_millis(20);
/// A look at many connections takes a while; a pause is so many times longer, so that looking uses a part of one processor.
const PAUSES_FOR_A_LOOK: u32 = 3;
/// So many quiet connections are no danger, whatever they hold.
const FEW: usize = 48;
/// How long the last answer of a connection may take until its other side has it.
const LAST_ANSWER: Duration = Duration::from_secs(5);

/// Looks until the server stops.
pub(super) struct Watch {
    looker: Looker,
    sockets: Sockets,
    /// Ready when somebody connects. Nobody does in tests.
    listener: Option<OwnedFd>,
    /// Ready when the server stops.
    stop: Arc<OwnedFd>,
}

impl Watch {
    pub(super) fn new(connections: Connections, port: u16) -> io::Result<Self> {
        let sockets = Sockets::new(port)?;
        Ok(Self {
            looker: Looker::new(connections),
            listener: sockets.listener().ok(),
            sockets,
            stop: Arc::new(eventfd(0, EventfdFlags::CLOEXEC)?),
        })
    }

    /// Starts the thread; it ends with the server.
    pub(super) fn start(self, shutdown: rocket::Shutdown) -> io::Result<()> {
        let stop = Arc::clone(&self.stop);
        std::thread::Builder::new()
            .name("connections".to_owned())
            .spawn(move || self.run())?;
        tokio::spawn(async move {
            shutdown.await;
            let _ = rustix::io::write(&stop, &1_u64.to_ne_bytes());
        });
        Ok(())
    }

    fn run(mut self) {
        // Whoever connects is first waited for: an idle server is looked at for its files alone.
        while self.wait(self.listener.as_ref(), COUNT_EVERY) {
            loop {
                let began = Instant::now();
                let looked = self.sockets.look(|sockets| self.looker.look(sockets));
                let many = looked.unwrap_or_else(|cause| {
                    tracing::warn!(%cause, "the open connections cannot be looked at");
                    false
                });
                // The pause holds after a single connection, too.
                if !self.wait(None, PAUSE.max(began.elapsed() * PAUSES_FOR_A_LOOK)) {
                    return;
                }
                if !many {
                    break;
                }
            }
        }
    }

    /// Waits until somebody connects or the time is over; false when the server stops.
    fn wait(&self, listener: Option<&OwnedFd>, time: Duration) -> bool {
        let mut events = vec![PollFd::new(&self.stop, PollFlags::IN)];
        events.extend(listener.map(|listener| PollFd::new(listener, PollFlags::IN)));
        let time = Timespec::try_from(time).ok();
        match poll(&mut events, time.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => std::thread::park_timeout(COUNT_EVERY),
        }
        events[0].revents().is_empty()
    }
}

/// What one look after the other knows.
pub(super) struct Looker {
    connections: Connections,
    /// When connections that have asked nothing yet were first seen.
    first_seen: HashMap<SocketAddr, Instant>,
    looked: Instant,
}

impl Looker {
    pub(super) fn new(connections: Connections) -> Self {
        Self {
            connections,
            first_seen: HashMap::new(),
            looked: Instant::now(),
        }
    }

    /// Closes what must be closed. Returns whether so many connections are quiet that another look must come soon.
    fn look(&mut self, sockets: &Sockets) -> io::Result<bool> {
        let files = open_files()?;
        let too_many = files.len().saturating_sub(room());
        let is_regular = self.looked.elapsed() >= LOOK_EVERY;
        let under_way = self.connections.under_way();
        // Not all of these files are connections.
        if files.len() <= under_way + FEW && !is_regular {
            return Ok(false);
        }
        let open: Vec<Connection> = files
            .into_iter()
            .filter_map(|file| sockets.connection(file))
            .collect();
        let many = self.end_excess(sockets, &open);
        if is_regular || too_many > 0 {
            self.looked = Instant::now();
            self.forget_all_but(&open);
            self.close_quiet(sockets, &open, too_many);
        }
        Ok(many)
    }

    fn end_excess(&self, sockets: &Sockets, open: &[Connection]) -> bool {
        let quiet: Vec<Quiet> = {
            let seats = self.connections.seats();
            let quiet = open.iter().filter_map(|connection| {
                let seat = seats.get(&connection.peer);
                let is_busy = seat.is_some_and(|seat| {
                    seat.under_way > 0 || (seat.is_last && seat.since.elapsed() < LAST_ANSWER)
                });
                (!is_busy).then_some(Quiet {
                    connection: *connection,
                    has_asked: seat.is_some(),
                })
            });
            quiet.collect()
        };
        if quiet.len() <= FEW {
            return false;
        }
        let ended = in_excess(&quiet, &self.connections.trusted);
        let ended = ended.iter().filter(|one| sockets.abort(&one.connection)).count();
        if ended > 0 {
            tracing::warn!(
                ended,
                "unfinished requests took too much memory; their connections were closed"
            );
        }
        true
    }

    fn close_quiet(&mut self, sockets: &Sockets, open: &[Connection], too_many: usize) {
        // Some more than needed: whoever opens this many will go on.
        let shed = if too_many == 0 { 0 } else { too_many + room() / 8 };
        let quiet = self.quiet_ones(open, shed);
        let closed = quiet
            .iter()
            .filter(|connection| sockets.close(connection))
            .count();
        if too_many > 0 {
            tracing::warn!(
                closed,
                "there were too many connections; the quiet ones were closed"
            );
        }
    }

    /// Those that were quiet too long, and of the others the oldest, until there are `shed` in all.
    pub(super) fn quiet_ones(&mut self, open: &[Connection], shed: usize) -> Vec<Connection> {
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
        let peers: HashSet<SocketAddr> = open.iter().map(|connection| connection.peer).collect();
        self.first_seen.retain(|peer, _| peers.contains(peer));
        // A connection may have come, asked and gone since the files were listed.
        self.connections.seats().retain(|peer, seat| {
            seat.under_way > 0 || peers.contains(peer) || seat.since.elapsed() < LOOK_EVERY
        });
    }
}

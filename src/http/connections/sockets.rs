//! The sockets of this process, found from beside Rocket: it has no door for a listener of one's own.

use std::fs::File;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use coronet_core::sockets::bytes_read;
use rustix::fs::{FileType, fstat};
use rustix::net::connect_unspec;
use rustix::net::sockopt::socket_acceptconn;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, Resource, getpid, getrlimit, pidfd_getfd, pidfd_open};

/// The most files that may be open, whatever the system allows: a connection takes up to 30 KB of memory, and the idle server
/// takes 40 MB.
const MOST_FILES: u64 = 2048;
/// Files held so that there are some to look with when all others are taken.
const SPARE: usize = 8;

/// A connection that somebody else opened to us.
#[derive(Debug, Clone, Copy)]
pub(super) struct Connection {
    pub(super) file: RawFd,
    pub(super) peer: SocketAddr,
    /// Bytes that Rocket has read of it.
    pub(super) read: u64,
}

pub(super) struct Sockets {
    port: u16,
    this_process: OwnedFd,
    spare: Vec<File>,
}

impl Sockets {
    pub(super) fn new(port: u16) -> io::Result<Self> {
        let sockets = Self {
            port,
            this_process: pidfd_open(getpid(), PidfdFlags::empty())?,
            spare: spare_files(),
        };
        // Some containers forbid it.
        drop(sockets.duplicate(sockets.this_process.as_raw_fd())?);
        Ok(sockets)
    }

    /// Runs a look at the files, for which some are free.
    pub(super) fn look<T>(&mut self, look: impl FnOnce(&Self) -> T) -> T {
        self.spare.clear();
        let seen = look(self);
        self.spare = spare_files();
        seen
    }

    pub(super) fn listener(&self) -> io::Result<OwnedFd> {
        let mut sockets = open_files()?.into_iter().filter_map(|file| self.socket(file));
        let listener = sockets.find(|socket| {
            socket_acceptconn(socket).unwrap_or_default()
                && socket.local_addr().is_ok_and(|local| local.port() == self.port)
        });
        listener
            .map(OwnedFd::from)
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    pub(super) fn connection(&self, file: RawFd) -> Option<Connection> {
        let stream = self.socket(file)?;
        let ours = stream.local_addr().ok()?.port() == self.port;
        let peer = stream.peer_addr().ok().filter(|_| ours)?;
        let read = bytes_read(&stream).unwrap_or_default();
        Some(Connection { file, peer, read })
    }

    /// Rocket finds the connection at its end, as if the other side had gone, once it has read what has arrived.
    pub(super) fn close(&self, connection: &Connection) -> bool {
        let stream = self.still(connection);
        stream.is_some_and(|stream| stream.shutdown(Shutdown::Both).is_ok())
    }

    /// Rocket finds the connection broken, and nothing of what has arrived is read any more.
    pub(super) fn abort(&self, connection: &Connection) -> bool {
        let stream = self.still(connection);
        stream.is_some_and(|stream| connect_unspec(&stream).is_ok())
    }

    /// By now the file may be another one.
    fn still(&self, connection: &Connection) -> Option<TcpStream> {
        let stream = self.socket(connection.file)?;
        let peer = stream.peer_addr().ok()?;
        (peer == connection.peer).then_some(stream)
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

pub(super) fn open_files() -> io::Result<Vec<RawFd>> {
    let entries = std::fs::read_dir("/proc/self/fd")?;
    let numbers = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(numbers.collect())
}

/// How many files may be open before connections are closed for want of them: a quarter is for everything else.
pub(super) fn room() -> usize {
    let most = getrlimit(Resource::Nofile)
        .current
        .unwrap_or(MOST_FILES)
        .min(MOST_FILES);
    usize::try_from(most / 4 * 3).unwrap_or(usize::MAX)
}

fn spare_files() -> Vec<File> {
    (0..SPARE).map_while(|_| File::open("/dev/null").ok()).collect()
}

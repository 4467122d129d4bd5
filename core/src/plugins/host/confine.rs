//! What the process gives up before foreign code runs in it.
#![expect(
    unsafe_code,
    reason = "descriptors and limits of the process are set through libc"
)]

use coronet_plugin_abi::manifest::Limits;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

/// What the server handed over.
pub(super) struct Inherited {
    pub(super) socket: UnixStream,
    pub(super) library: File,
}

/// Takes socket and library from descriptors 0 and 1, points 0 at nothing and 1 at the log, and closes all others:
/// what the plugin prints must not reach the frames, and nothing else of the server may reach the plugin.
pub(super) fn take_descriptors() -> io::Result<Inherited> {
    // SAFETY: plain system calls on numbers. Nothing in this process owns a descriptor from 3 on yet.
    unsafe {
        check(libc::close_range(3, libc::c_uint::MAX, 0))?;
        let socket = OwnedFd::from_raw_fd(check(libc::fcntl(0, libc::F_DUPFD_CLOEXEC, 3))?);
        let library = OwnedFd::from_raw_fd(check(libc::fcntl(1, libc::F_DUPFD_CLOEXEC, 3))?);
        let nothing = File::open("/dev/null")?;
        check(libc::dup2(nothing.as_raw_fd(), 0))?;
        check(libc::dup2(2, 1))?;
        let socket = UnixStream::from(socket);
        // Refuses a terminal or a pipe on 0: somebody tried the command by hand.
        socket.peer_addr()?;
        Ok(Inherited {
            socket,
            library: File::from(library),
        })
    }
}

/// Makes the kernel end this process when the server ends, and leaves the signals of a terminal or service manager to
/// the server: it says `Stop` when it is time.
pub(super) fn die_with_parent() {
    // SAFETY: plain system calls; ignoring a signal installs no handler.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        libc::signal(libc::SIGINT, libc::SIG_IGN);
        libc::signal(libc::SIGTERM, libc::SIG_IGN);
        libc::signal(libc::SIGHUP, libc::SIG_IGN);
    }
    // Were the parent gone already, the socket would say so at the first read.
}

/// Sets the limits of this process. They can be called again with larger values, because only the soft limits change.
pub(super) fn limit(limits: &Limits) {
    set_soft(libc::RLIMIT_DATA, limits.memory_mib.saturating_mul(1024 * 1024));
    set_soft(libc::RLIMIT_NOFILE, limits.open_files);
    set_soft(libc::RLIMIT_CORE, 0);
    // Each arena of the allocator reserves and keeps memory; two serve a handful of threads well.
    // SAFETY: a plain call that changes a number of the allocator.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
    }
}

/// Ends the process at once. Exit handlers of the plugin's libraries do not run: they are not ours to trust.
pub(super) fn leave(status: i32) -> ! {
    // SAFETY: ends the process; nothing runs afterwards.
    unsafe { libc::_exit(status) }
}

fn set_soft(resource: libc::__rlimit_resource_t, value: u64) {
    // SAFETY: both calls only read or write the struct they are given.
    unsafe {
        let mut limit = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        if libc::getrlimit(resource, &mut limit) == 0 {
            limit.rlim_cur = value.min(limit.rlim_max);
            libc::setrlimit(resource, &limit);
        }
    }
}

fn check(result: i32) -> io::Result<i32> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

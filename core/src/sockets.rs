//! What the kernel knows of a TCP connection.

use std::os::fd::AsFd;

/// Bytes of the other side that the process has read. `None` where the kernel does not say.
#[cfg(target_os = "linux")]
pub fn bytes_read(socket: impl AsFd) -> Option<u64> {
    let waiting = rustix::io::ioctl_fionread(&socket).ok()?;
    Some(bytes_received(&socket)?.saturating_sub(waiting))
}

/// Other systems do not say it.
#[cfg(not(target_os = "linux"))]
pub fn bytes_read(_: impl AsFd) -> Option<u64> {
    None
}

/// `tcpi_bytes_received` of `struct tcp_info` (tcp(7), linux/tcp.h), in the kernel since Linux 4.1. It is what was received
/// in order, and the last received is waiting to be read.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "no safe wrapper of getsockopt knows TCP_INFO; it fills the memory that it is given"
)]
fn bytes_received(socket: &impl AsFd) -> Option<u64> {
    use std::os::fd::AsRawFd;

    /// The field is the 17th of 64 bits; the kernel fills as much as it is given.
    const FIELD: usize = 16;
    let mut info = [0_u64; FIELD + 1];
    let mut length = libc::socklen_t::try_from(size_of_val(&info)).ok()?;
    // SAFETY: `info` has `length` bytes, any of which are valid numbers, and both outlive the call.
    let failed = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &mut length,
        )
    };
    let is_filled = failed == 0 && usize::try_from(length).ok()? == size_of_val(&info);
    is_filled.then_some(info[FIELD])
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn x05_what_was_read_is_known_and_what_waits_does_not_count() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        assert_eq!(bytes_read(&server), Some(0));
        client.write_all(&[7; 5000]).unwrap();
        // All of it has arrived when the last byte has.
        let mut all = [0; 5000];
        while server.peek(&mut all).unwrap() < all.len() {}
        assert_eq!(bytes_read(&server), Some(0));
        server.read_exact(&mut all[..1200]).unwrap();
        assert_eq!(bytes_read(&server), Some(1200));
        assert_eq!(bytes_read(std::fs::File::open("/dev/null").unwrap()), None);
    }
}

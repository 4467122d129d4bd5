//! Giving memory back to the system.
//!
//! A VM's memory is freed with it, but the C library keeps freed memory for later and gives back only what lies
//! at the end of its heap. After a session that used much, that would be its memory limit, for good, for each
//! thread. So it is asked to give everything back that is free.

/// Sessions that used less than this are not worth the few milliseconds.
pub(super) const MUCH: usize = 8 << 20;

/// Returns what is free in the heap to the system.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(
    unsafe_code,
    reason = "the C library's call has no safe wrapper; it takes a number, and locks for itself"
)]
pub(super) fn give_back() {
    // SAFETY: malloc_trim may be called at any time from any thread (malloc_trim(3): MT-Safe).
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Other C libraries give memory back by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn give_back() {}

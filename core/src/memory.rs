//! The memory of the process: how the C library's allocator keeps it, and when it returns it to the system.
//!
//! By default glibc gives every busy thread an arena of its own and keeps what is freed there. It also keeps ever larger
//! blocks: after the first free of a mapped block it raises the size from which blocks are mapped. A short load then
//! leaves a process at its peak for good. So the number of arenas and that size are fixed at the start, and after a load
//! the free memory is returned.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::Shutdown;
use crate::db::Db;

/// Blocks of this size and more are mapped, and unmapped as soon as they are freed: bodies, mails, archives.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MAPPED_FROM: usize = 256 << 10;
/// Free memory at the end of a heap that is kept for the next request.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_AT_THE_END: usize = 1 << 20;
/// Threads that allocate at the same time share the arenas; more of them than processors keep memory and gain nothing.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MOST_ARENAS: usize = 8;

/// How often the process looks whether it has grown.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Fixes how the allocator keeps memory. For the start of the process, before it has threads.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn configure() {
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    set(libc::M_ARENA_MAX, processors.clamp(2, MOST_ARENAS));
    set(libc::M_MMAP_THRESHOLD, MAPPED_FROM);
    set(libc::M_TRIM_THRESHOLD, KEPT_AT_THE_END);
}

/// Other C libraries have nothing to fix.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn configure() {}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(
    unsafe_code,
    reason = "the C library's call has no safe wrapper; it takes two numbers"
)]
fn set(parameter: libc::c_int, value: usize) {
    let value = libc::c_int::try_from(value).unwrap_or(libc::c_int::MAX);
    // SAFETY: mallopt may be called at any time (mallopt(3): MT-Safe but for races with itself at the start), and refuses
    // what it does not know.
    unsafe {
        libc::mallopt(parameter, value);
    }
}

/// Returns what is free in the heap to the system.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(
    unsafe_code,
    reason = "the C library's call has no safe wrapper; it takes a number, and locks for itself"
)]
pub(crate) fn give_back() {
    // SAFETY: malloc_trim may be called at any time from any thread (malloc_trim(3): MT-Safe).
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Other C libraries return memory by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn give_back() {}

/// Returns free memory while the process holds a fifth more than its least so far, until the server stops. Growth alone says
/// too little: what was in use at one look is free at a later one, and the process has not grown in between.
pub async fn run(db: Db, shutdown: Shutdown) {
    let mut look = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut least = u64::MAX;
    loop {
        tokio::select! {
            () = shutdown.triggered() => return,
            _ = look.tick() => {}
        }
        let held = resident();
        least = least.min(held);
        if held < least + least / 5 {
            continue;
        }
        // Large rows fill the caches, and nothing else ever empties them.
        db.release_caches().await;
        // It walks through all free memory, under the locks of the arenas.
        if tokio::task::spawn_blocking(give_back).await.is_err() {
            return;
        }
        least = least.min(resident());
    }
}

/// Resident memory of this process in bytes; 0 where the system does not say.
pub(crate) fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * rustix::param::page_size() as u64
}

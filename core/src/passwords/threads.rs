//! The threads that hash, their queue, and the memory they hash with.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use argon2::Block;
use zeroize::Zeroize;

use super::phc::MEMORY_KIB;

/// Blocks of 1 KiB that a hash of ours needs.
const BLOCKS: usize = MEMORY_KIB as usize;

pub(super) type Work = Box<dyn FnOnce(&mut Memory) + Send>;

/// What one hash after the other is computed in; cleared when it is released.
#[derive(Default)]
pub(super) struct Memory(Vec<Block>);

impl Memory {
    /// Lends so many blocks. A stored hash with larger parameters gets memory for itself alone.
    pub(super) fn with<T>(&mut self, blocks: usize, work: impl FnOnce(&mut [Block]) -> T) -> T {
        if blocks > BLOCKS {
            return Self(vec![Block::default(); blocks]).with_all(work);
        }
        if self.0.is_empty() {
            self.0 = vec![Block::default(); BLOCKS];
        }
        // There are as many as asked for, or more.
        work(self.0.get_mut(..blocks).unwrap_or_default())
    }

    fn with_all<T>(mut self, work: impl FnOnce(&mut [Block]) -> T) -> T {
        work(&mut self.0)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// They end when this is dropped.
pub(super) struct Threads(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    idle: Duration,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Work>,
    /// At most one for each thread. Any thread takes any, so that a single caller warms one alone.
    unused: Vec<Memory>,
    is_over: bool,
}

impl Threads {
    /// Memory that was not used for the time `idle` is released.
    pub(super) fn start(count: usize, idle: Duration) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            idle,
        });
        for _ in 0..count {
            let shared = Arc::clone(&shared);
            let started = thread::Builder::new()
                .name("password".to_owned())
                .spawn(move || shared.serve());
            if let Err(cause) = started {
                tracing::error!(%cause, "a thread for passwords could not be started");
            }
        }
        Self(shared)
    }

    pub(super) fn submit(&self, work: Work) {
        self.0.lock().queue.push_back(work);
        self.0.changed.notify_one();
    }

    /// How many buffers are kept for the next hash.
    #[cfg(test)]
    pub(super) fn unused(&self) -> usize {
        self.0.lock().unused.len()
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.0.lock().is_over = true;
        self.0.changed.notify_all();
    }
}

impl Shared {
    /// The life of one thread.
    fn serve(&self) {
        while let Some((work, mut memory)) = self.next() {
            // The caller learns of a panic because no answer comes; the thread stays for the others.
            let _ = catch_unwind(AssertUnwindSafe(|| work(&mut memory)));
            self.lock().unused.push(memory);
        }
    }

    fn next(&self) -> Option<(Work, Memory)> {
        let mut state = self.lock();
        loop {
            if state.is_over {
                return None;
            }
            if let Some(work) = state.queue.pop_front() {
                return Some((work, state.unused.pop().unwrap_or_default()));
            }
            if state.unused.is_empty() {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let waited = self.changed.wait_timeout(state, self.idle);
            let (held, time) = waited.unwrap_or_else(PoisonError::into_inner);
            state = held;
            if time.timed_out() && state.queue.is_empty() {
                let unused = std::mem::take(&mut state.unused);
                drop(state);
                // Clearing takes milliseconds, in which others may hash.
                drop(unused);
                state = self.lock();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

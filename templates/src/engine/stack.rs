//! A stack that is large enough.
//!
//! The depth of a template is bounded, and the bound fits the stacks there are. An overflow would end the server all the
//! same, so what may go deep runs on a stack with far more room than the bound needs.

/// A development build takes most: the deepest template that is allowed needs about a tenth of this.
const SIZE: usize = 16 * 1024 * 1024;

/// Runs `work` on a thread with a large stack and waits for it. `None` when the system has no thread to spare, or when
/// `work` panicked.
pub(super) fn with_room<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("template".to_owned())
            .stack_size(SIZE)
            .spawn_scoped(scope, work)
            .ok()?
            .join()
            .ok()
    })
}

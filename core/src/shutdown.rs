//! The signal that the server is stopping.

use std::sync::Arc;

use tokio::sync::watch;

/// Shared by all background tasks: each stops taking new work once it is triggered, and finishes what it has.
#[derive(Debug, Clone)]
pub struct Shutdown(Arc<watch::Sender<bool>>);

impl Default for Shutdown {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Shutdown {
    pub fn trigger(&self) {
        self.0.send_replace(true);
    }

    pub fn is_triggered(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once the server is stopping; at once when it already is.
    pub async fn triggered(&self) {
        let mut receiver = self.0.subscribe();
        // The sender lives in self, so the only error (sender gone) cannot happen.
        let _ = receiver.wait_for(|stopping| *stopping).await;
    }
}

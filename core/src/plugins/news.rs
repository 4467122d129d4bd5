//! Tells who watches plugins that there is something to see.

use std::sync::Arc;

use tokio::sync::watch;

/// Rings whenever something about a plugin changed: its state, its settings, its log.
#[derive(Clone, Default)]
pub(super) struct News(Arc<watch::Sender<()>>);

impl News {
    pub(super) fn ring(&self) {
        self.0.send_replace(());
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }
}

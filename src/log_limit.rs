//! A bound on the log: what one place in the code says is written a few times per window, and counted beyond that.
//!
//! Whoever can reach the server can make it say things: every rejected call is a line. One line per request would let
//! anyone fill the disk and bury what matters (X08). The bound holds for every line of the program, so that no new one
//! needs a thought of its own. Who turns on `debug` or `trace` wants to see everything.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::callsite::Identifier;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};

/// How long lines are counted before their number is written.
pub const WINDOW: Duration = Duration::from_secs(10);
/// Lines of one place in the code that are written in a window.
const LINES: u64 = 50;
const TARGET: &str = "coronet::log";

/// Counts the lines of each place in the code. Clones share the counts.
#[derive(Clone, Default)]
pub struct LogLimit(Arc<Mutex<HashMap<Identifier, Counted>>>);

struct Counted {
    metadata: &'static Metadata<'static>,
    lines: u64,
}

impl LogLimit {
    /// Writes how many lines were left out, and begins the next window.
    pub fn next_window(&self) {
        // Taken out first: writing a line comes through here again.
        let counted = std::mem::take(&mut *self.lock());
        for Counted { metadata, lines } in counted.into_values() {
            let Some(left_out) = lines.checked_sub(LINES).filter(|left_out| *left_out > 0) else {
                continue;
            };
            tracing::warn!(
                target: TARGET,
                left_out,
                seconds = WINDOW.as_secs(),
                from = metadata.target(),
                line = metadata.line().unwrap_or_default(),
                "more lines like those before were left out"
            );
        }
    }

    fn takes(&self, metadata: &'static Metadata<'static>) -> bool {
        if *metadata.level() > Level::INFO || metadata.target() == TARGET {
            return true;
        }
        let mut counted = self.lock();
        let counted = counted
            .entry(metadata.callsite())
            .or_insert(Counted { metadata, lines: 0 });
        counted.lines += 1;
        counted.lines <= LINES
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Identifier, Counted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Subscriber> Filter<S> for LogLimit {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        self.takes(event.metadata())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tracing_subscriber::Layer;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn x08_a_flood_of_one_line_is_cut_and_counted_and_hides_no_other() {
        let (limit, written) = (LogLimit::default(), Written::default());
        let writer = written.clone();
        let layer = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .with_filter(limit.clone());
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            let refuse = |n: u32| tracing::info!(n, "a call was rejected");
            (0..100_000).for_each(refuse);
            tracing::error!("something else");
            limit.next_window();
            refuse(100_000);
            limit.next_window();
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches("a call was rejected").count(), 51);
        assert_eq!(text.matches("something else").count(), 1);
        assert_eq!(text.matches("left_out=99950").count(), 1, "{text}");
        assert_eq!(text.matches("left out").count(), 1);
    }
}

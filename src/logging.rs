//! The server's log: on standard error, for people or for collectors.

use coronet_core::config::LogFormat;
use coronet_core::{Code, Error, Result};
use tracing::Metadata;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::log_limit::{self, LogLimit};

/// What holds whatever `log` says. Rocket announces every request and every route; what matters of them is in our own
/// spans. Handlebars tells every value it renders, codes of links among them (C09).
/// A request for nothing is Rocket's error, told with its whole query and whatever secret is in it; `http` tells its path.
const CEILINGS: &str = "rocket=error,rocket::server=off,sqlx=error,handlebars=warn";

/// Sends the log to standard error in the configured format; what is said too often is counted (`log_limit`). Called within
/// the runtime.
///
/// # Errors
/// `ParameterInvalid` when `log` is not a filter.
pub fn start(log: &str, format: LogFormat) -> Result<()> {
    let text = format!("{log},{CEILINGS}");
    let filter = EnvFilter::try_new(text).map_err(|cause| {
        let text = format!("`log` is \"{log}\": {cause}. Write a level such as info, or target=level pairs.");
        Error::new(Code::ParameterInvalid, text)
    })?;
    let limit = LogLimit::default();
    let writer = tracing_subscriber::fmt::layer()
        // Complaining of a log that cannot be written goes to standard error too, and would end whoever wanted to log.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    let wanted = filter_fn(is_no_guard).and(limit.clone());
    let layer = match format {
        LogFormat::Text => writer
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .with_filter(wanted)
            .boxed(),
        LogFormat::Json => writer.json().with_filter(wanted).boxed(),
    };
    // Only the first start in a process sets it; there is no second but in tests.
    let _ = tracing_subscriber::registry().with(filter).with(layer).try_init();
    tokio::spawn(async move {
        let mut windows = tokio::time::interval(log_limit::WINDOW);
        windows.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            windows.tick().await;
            limit.next_window();
        }
    });
    Ok(())
}

/// Rocket's macros warn of each guard that lets a request pass on, under the name of the module with the route and `::_`.
/// That is every visit without a session, and no news.
fn is_no_guard(metadata: &Metadata<'_>) -> bool {
    !metadata.target().ends_with("::_")
}

//! The server's log: on standard error, for people or for collectors.

use coronet_core::config::LogFormat;
use coronet_core::{Code, Error, Result};
use tracing_subscriber::EnvFilter;

/// What holds whatever `log` says. Rocket announces every request and every route; what matters of them is in our own
/// spans. Handlebars tells every value it renders, codes of links among them (C09).
/// A request for nothing is Rocket's error, told with its whole query and whatever secret is in it; `http` tells its path.
const CEILINGS: &str = "rocket=error,rocket::server=off,sqlx=error,handlebars=warn";

/// Sends the log to standard error in the configured format.
///
/// # Errors
/// `ParameterInvalid` when `log` is not a filter.
pub fn start(log: &str, format: LogFormat) -> Result<()> {
    let text = format!("{log},{CEILINGS}");
    let filter = EnvFilter::try_new(text).map_err(|cause| {
        let text = format!("`log` is \"{log}\": {cause}. Write a level such as info, or target=level pairs.");
        Error::new(Code::ParameterInvalid, text)
    })?;
    let logger = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Complaining of a log that cannot be written goes to standard error too, and would end whoever wanted to log.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    // Only the first start in a process sets it; there is no second but in tests.
    let _ = match format {
        LogFormat::Text => logger
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .try_init(),
        LogFormat::Json => logger.json().try_init(),
    };
    Ok(())
}

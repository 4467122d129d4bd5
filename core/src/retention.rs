//! Deletes what is kept longer than is set: the audit log, the timelines of resets, the plugins' logs, the answers
//! to calls with an Idempotency-Key, and the links of operators. Mail and the runs
//! of jobs are swept where they are kept.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::{Core, Result, audit, codes, idempotency, operators, plugins};

const DAY_MS: i64 = 86_400_000;
const EVERY: Duration = Duration::from_secs(3600);

/// Sweeps every hour, and a moment after a change of the settings, until the server stops.
pub async fn run(core: Core) {
    let mut hourly = interval(EVERY);
    hourly.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut changes = core.settings.changes();
    loop {
        tokio::select! {
            () = core.shutdown.triggered() => return,
            _ = hourly.tick() => {}
            Ok(()) = changes.changed() => {}
        }
        if let Err(error) = sweep(&core).await {
            tracing::warn!(%error, "what is too old could not be deleted");
        }
    }
}

/// Deletes what is too old now, and gives how many rows there were.
///
/// # Errors
/// When the database cannot be read or written.
pub(crate) async fn sweep(core: &Core) -> Result<u64> {
    let now = core.clock.now_ms();
    let kept = core.settings.now().retention.clone();
    let before = |days: i64| now - days * DAY_MS;
    let swept = audit::sweep(core, before(kept.audit_days)).await?
        + codes::sweep(core, before(kept.reset_days)).await?
        + plugins::sweep(core, before(kept.plugin_log_days), kept.plugin_log_lines).await?
        + idempotency::sweep(core, now).await?
        + operators::sweep(core, now).await?;
    if swept > 0 {
        tracing::info!(swept, "old rows were deleted");
    }
    Ok(swept)
}

#[cfg(test)]
mod tests;

//! The greatest size of the audit log: past it the oldest entries are deleted, and health says so (X03).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use super::store;
use crate::{Core, Result};

/// After the oldest entries were deleted, this share of the limit is left: each deletion makes room for a while.
const LEFT_PERCENT: i64 = 90;

/// How many entries the audit log has, as far as this server knows: it counts once per hour, and adds its own. Cheap to
/// clone.
#[derive(Debug, Clone, Default)]
pub struct AuditSize(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    entries: AtomicI64,
    /// When the oldest entries were last deleted because of the limit; 0 for never.
    trimmed_at: AtomicI64,
    trimming: AtomicBool,
}

impl AuditSize {
    /// Adds entries that were just written. Returns whether the log is past its limit now.
    pub(crate) fn add(&self, entries: i64, limit: i64) -> bool {
        self.0.entries.fetch_add(entries, Ordering::Relaxed) + entries > limit
    }

    pub(crate) fn entries(&self) -> i64 {
        self.0.entries.load(Ordering::Relaxed)
    }

    /// When the oldest entries were last deleted because of the limit.
    pub(crate) fn trimmed_at(&self) -> Option<i64> {
        Some(self.0.trimmed_at.load(Ordering::Relaxed)).filter(|at| *at > 0)
    }

    /// Whether the log is nearly full, or its oldest entries were deleted lately.
    pub(crate) fn is_near(&self, limit: i64) -> bool {
        self.entries() >= limit / 100 * LEFT_PERCENT
    }
}

/// Counts the entries, and deletes the oldest past the limit. Returns how many were deleted.
pub(super) async fn trim(core: &Core) -> Result<u64> {
    let size = &core.audit_size.0;
    if size.trimming.swap(true, Ordering::AcqRel) {
        return Ok(0);
    }
    let trimmed = trim_now(core).await;
    size.trimming.store(false, Ordering::Release);
    trimmed
}

async fn trim_now(core: &Core) -> Result<u64> {
    let limit = core.settings.now().retention.audit_entries;
    let entries = store::count(&core.db).await?;
    core.audit_size.0.entries.store(entries, Ordering::Relaxed);
    if entries <= limit {
        return Ok(0);
    }
    let deleted = store::delete_oldest(&core.db, limit / 100 * LEFT_PERCENT, &core.shutdown).await?;
    let now = core.clock.now_ms();
    core.audit_size.0.trimmed_at.store(now, Ordering::Relaxed);
    let left = entries - i64::try_from(deleted).unwrap_or(entries);
    core.audit_size.0.entries.store(left, Ordering::Relaxed);
    tracing::warn!(
        deleted,
        limit,
        "the audit log was full: its oldest entries were deleted"
    );
    Ok(deleted)
}

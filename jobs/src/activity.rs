//! `jobs.activity`: what the jobs did in the last day, for a chart of all of them.

use std::sync::Arc;

use coronet_core::Result;
use coronet_core::functions::Call;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::service::Jobs;

const DAY: i64 = 24 * 3_600_000;
const SLOT: i64 = 15 * 60_000;
const MOST: i64 = 30;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// The last 24 hours in slots of a quarter of an hour.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Activity {
    /// When the first slot begins, Unix milliseconds.
    since: i64,
    slot_ms: i64,
    /// Those with failures or skipped ticks first, then the busiest; 30 at most.
    jobs: Vec<JobActivity>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct JobActivity {
    job: String,
    /// Slots in which something happened.
    slots: Vec<Slot>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Slot {
    /// Its place, counted from 0.
    slot: i64,
    runs: i64,
    /// Of these, how many ended in an error, past their time, or with their server.
    failed: i64,
    /// Ticks that were not run.
    skipped: i64,
}

pub(crate) async fn activity(jobs: Arc<Jobs>, _call: Arc<Call>, _input: Nothing) -> Result<Activity> {
    let now = jobs.core.clock.now_ms();
    // The slot of this moment is the last.
    let since = now - now.rem_euclid(SLOT) - DAY + SLOT;
    let mut found: Vec<JobActivity> = Vec::new();
    for (job, [slot, runs, failed, skipped]) in jobs.store.activity(since, SLOT, MOST).await? {
        let slot = Slot {
            slot,
            runs,
            failed,
            skipped,
        };
        match found.last_mut().filter(|last| last.job == job) {
            Some(last) => last.slots.push(slot),
            None => found.push(JobActivity {
                job,
                slots: vec![slot],
            }),
        }
    }
    Ok(Activity {
        since,
        slot_ms: SLOT,
        jobs: found,
    })
}

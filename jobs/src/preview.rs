//! When a schedule would run, before there is a job that has it.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use coronet_core::Result;
use coronet_core::functions::Call;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::form::invalid;
use crate::schedule::{Fields, Schedule, Spec, parse_zone};
use crate::service::Jobs;

const USUAL: u32 = 10;
const MOST: u32 = 100;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// Seconds between runs.
    #[serde(default)]
    interval: Option<i64>,
    /// A cron expression, as a job takes it.
    #[serde(default)]
    cron: Option<String>,
    /// One date and time, as a job takes it.
    #[serde(default)]
    at: Option<String>,
    /// IANA zone of the cron expression; UTC when left out.
    #[serde(default)]
    timezone: Option<String>,
    /// How many runs; 10 when left out, 100 at most.
    #[serde(default)]
    count: Option<u32>,
}

/// The next runs of a job that would be made now.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Preview {
    ticks: Vec<Tick>,
    /// The zone of the times.
    timezone: String,
    /// What the cron expression allows.
    cron: Option<Fields>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Tick {
    /// Unix milliseconds.
    at: i64,
    /// What clocks in the zone show then, with their offset, such as `2027-03-28T07:30:00+01:00`.
    local: String,
}

pub(crate) async fn preview(jobs: Arc<Jobs>, _call: Arc<Call>, asked: Asked) -> Result<Preview> {
    let zone = asked.timezone.as_deref().filter(|zone| !zone.is_empty());
    let schedule = Schedule::read(Spec {
        interval: asked.interval,
        cron: asked.cron.as_deref(),
        at: asked.at.as_deref(),
        timezone: zone,
    })?;
    let count = asked.count.unwrap_or(USUAL);
    if !(1..=MOST).contains(&count) {
        let text = format!("{count} runs cannot be shown; choose 1 to {MOST}.");
        return Err(invalid("count", text));
    }
    let zone = parse_zone(zone.unwrap_or("UTC")).map_err(|text| invalid("timezone", text))?;
    let tick = |at: i64| {
        let local = DateTime::<Utc>::from_timestamp_millis(at)?.with_timezone(&zone);
        Some(Tick {
            at,
            local: local.to_rfc3339_opts(SecondsFormat::Secs, false),
        })
    };
    let now = jobs.core.clock.now_ms();
    Ok(Preview {
        ticks: schedule.ticks(now).take(count as usize).map_while(tick).collect(),
        timezone: zone.name().to_owned(),
        cron: match &schedule {
            Schedule::Cron { crontab, .. } => Some(crontab.fields()),
            Schedule::Interval(_) | Schedule::Once(_) => None,
        },
    })
}

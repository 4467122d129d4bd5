//! Ticks that were not run, as rows of the history: with the runs they make a ledger in which no tick is missing.
//!
//! A job that goes on skipping for the same reason has one row for the whole stretch, which grows, until a run starts.

use std::collections::HashSet;

use coronet_core::db::{execute, placeholders, returning};
use coronet_core::{Result, random};
use sqlx::AnyConnection;

use crate::job::{Job, Outcome, Skipped, Trigger};

/// Writes what the jobs, by their place, have skipped. Of the server: its id, and the name of its machine.
pub(super) async fn write(
    tx: &mut AnyConnection,
    jobs: &mut [Job],
    skips: Vec<(usize, Skipped)>,
    server: (&str, Option<&str>),
    now: i64,
) -> Result<()> {
    if skips.is_empty() {
        return Ok(());
    }
    // Of several stretches of one job, the first may go on with the row that it had; the others are for other reasons.
    let mut first = HashSet::new();
    let (may_grow, mut rest): (Vec<_>, Vec<_>) =
        skips.into_iter().partition(|(place, _)| first.insert(*place));
    let going_on: Vec<(&str, Skipped)> = may_grow
        .iter()
        .filter_map(|(place, skipped)| Some((jobs.get(*place)?.skipping.as_deref()?, *skipped)))
        .collect();
    let grown = grow(tx, &going_on, now).await?;
    let has_grown = |place: usize| {
        let row = jobs.get(place).and_then(|job| job.skipping.as_ref());
        row.is_some_and(|row| grown.contains(row))
    };
    let mut skips: Vec<_> = may_grow
        .into_iter()
        .filter(|(place, _)| !has_grown(*place))
        .collect();
    skips.append(&mut rest);
    let mut new = Vec::new();
    for (place, skipped) in skips {
        let Some(job) = jobs.get_mut(place) else { continue };
        let row = random::id("run");
        job.skipping = Some(row.clone());
        new.push((row, job.id.clone(), skipped));
    }
    insert(tx, &new, server, now).await
}

/// Adds to the rows that stand for the same reason. Returns which those are.
async fn grow(tx: &mut AnyConnection, rows: &[(&str, Skipped)], now: i64) -> Result<HashSet<String>> {
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    let sql = format!(
        "WITH more (id, ticks, last_due_at, reason, now) AS (VALUES {})
         UPDATE job_runs SET ticks = job_runs.ticks + more.ticks, last_due_at = more.last_due_at, ended_at = more.now
         FROM more WHERE job_runs.id = more.id AND job_runs.reason = more.reason
         RETURNING job_runs.id",
        placeholders(rows.len(), 5)
    );
    let grown = returning(tx, sql, |mut query| {
        for (row, skipped) in rows {
            query = query
                .bind((*row).to_owned())
                .bind(skipped.ticks)
                .bind(skipped.last)
                .bind(skipped.reason.as_str())
                .bind(now);
        }
        query
    })
    .await?;
    Ok(grown.into_iter().collect())
}

async fn insert(
    tx: &mut AnyConnection,
    rows: &[(String, String, Skipped)],
    (server, host): (&str, Option<&str>),
    now: i64,
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO job_runs (id, job_id, trigger_kind, attempt, due_at, last_due_at, ticks, reason, started_at,
             ended_at, outcome, server, host, lease_until, cancel_requested, log, log_dropped_lines)
         VALUES {}",
        placeholders(rows.len(), 17)
    );
    execute(tx, sql, |mut query| {
        for (row, job, skipped) in rows {
            query = query
                .bind(row.clone())
                .bind(job.clone())
                .bind(Trigger::Schedule.as_str())
                .bind(0_i64)
                .bind(skipped.first)
                .bind(skipped.last)
                .bind(skipped.ticks)
                .bind(skipped.reason.as_str())
                .bind(now)
                .bind(now)
                .bind(Outcome::Skipped.as_str())
                .bind(server.to_owned())
                .bind(host.map(str::to_owned))
                .bind(now)
                .bind(0_i64)
                .bind("")
                .bind(0_i64);
        }
        query
    })
    .await?;
    Ok(())
}

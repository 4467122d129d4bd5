//! Whether what the database holds in the end is what was promised.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use sqlx::AnyConnection;

/// Of every job's schedule.
const SECOND: i64 = 1000;
/// A run is in progress until its end is recorded, which is a moment after the end that it records.
const RECORDING: i64 = 500;
/// "A dead server's claims are taken over within 15 seconds."
const TAKEN_OVER_WITHIN: i64 = 15_000;

/// What a job's ticks follow: the seconds of the clock, or the tick before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    Cron,
    Interval,
}

#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Run {
    id: String,
    trigger_kind: String,
    due_at: i64,
    started_at: i64,
    ended_at: Option<i64>,
    outcome: Option<String>,
    server: String,
}

impl Run {
    /// Until when no other run of its job starts.
    fn busy_until(&self) -> i64 {
        self.ended_at.unwrap_or(i64::MAX / 2)
    }

    fn is_lost(&self) -> bool {
        self.outcome.as_deref() == Some("lost")
    }
}

/// All runs of a job, in the order in which they started.
pub(super) async fn runs_of(database: &mut AnyConnection, job: &str) -> Vec<Run> {
    sqlx::query_as(
        "SELECT id, trigger_kind, due_at, started_at, ended_at, outcome, server FROM job_runs
         WHERE job_id = (SELECT id FROM jobs WHERE name = $1) ORDER BY started_at, id",
    )
    .bind(job.to_owned())
    .fetch_all(database)
    .await
    .expect("the runs")
}

/// How often each run did what it is there for, by the run's id.
pub(super) async fn ledger(database: &mut AnyConnection) -> HashMap<String, i64> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT caller_id, COUNT(*) FROM audit WHERE caller_kind = 'job' GROUP BY caller_id")
            .fetch_all(database)
            .await
            .expect("the audit log");
    rows.into_iter().collect()
}

/// What happened, and what of it should not have.
#[derive(Debug, Default)]
pub struct Account {
    pub seed: u64,
    deaths: HashMap<String, i64>,
    pub ticks: usize,
    /// Ticks that came while their job ran.
    pub let_go: usize,
    pub runs: usize,
    pub lost: usize,
    pub run_again: usize,
    pub entries: i64,
    /// Milliseconds from a death to the start of the run that makes up for the lost one.
    pub take_overs: Vec<i64>,
    pub faults: Vec<String>,
}

impl Account {
    pub(super) fn new(seed: u64, deaths: HashMap<String, i64>) -> Self {
        Self {
            seed,
            deaths,
            ..Self::default()
        }
    }

    /// Takes the runs of one job into the account.
    pub(super) fn take(&mut self, job: &str, beat: Beat, runs: &[Run], ledger: &HashMap<String, i64>) {
        self.runs += runs.len();
        for run in runs {
            self.enter(job, run, ledger.get(&run.id).copied().unwrap_or(0));
        }
        for pair in runs.windows(2) {
            if let [run, next] = pair {
                self.follow(job, run, next);
            }
        }
        if let Some(last) = runs.last().filter(|run| run.is_lost()) {
            self.fault(job, format!("{} was lost and not run again", last.id));
        }
        let mut ticks = BTreeSet::new();
        for run in runs.iter().filter(|run| run.trigger_kind == "schedule") {
            if !ticks.insert(run.due_at) {
                self.fault(job, format!("the tick at {} was started twice", run.due_at));
            }
        }
        self.ticks += ticks.len();
        for (tick, next) in ticks.iter().zip(ticks.iter().skip(1)) {
            self.mind_gap(job, beat, runs, *tick, *next);
        }
    }

    fn fault(&mut self, job: &str, what: String) {
        self.faults.push(format!("{job}: {what}"));
    }

    /// The outcome, and what the run did: once, unless it was met by a death.
    fn enter(&mut self, job: &str, run: &Run, entries: i64) {
        self.entries += entries;
        let expected = match run.outcome.as_deref() {
            Some("ok") => 1..=1,
            Some("lost") | None => 0..=1,
            Some(other) => return self.fault(job, format!("{} ended with {other}", run.id)),
        };
        if !expected.contains(&entries) {
            self.fault(
                job,
                format!("{}: {:?}, and {entries} entries", run.id, run.outcome),
            );
        }
    }

    /// No two at once; and what was lost is run again, soon.
    fn follow(&mut self, job: &str, run: &Run, next: &Run) {
        if next.started_at < run.busy_until() {
            self.fault(job, format!("{} started while {} was running", next.id, run.id));
        }
        if !run.is_lost() {
            return;
        }
        self.lost += 1;
        let Some(death) = self.deaths.get(&run.server) else {
            return self.fault(job, format!("{} was lost, and its server lives", run.id));
        };
        if next.trigger_kind != "retry" {
            return self.fault(job, format!("{} was lost and not run again", run.id));
        }
        let waited = next.started_at - death;
        self.run_again += 1;
        self.take_overs.push(waited);
        if waited > TAKEN_OVER_WITHIN {
            self.fault(job, format!("{} was run again after {waited} ms", run.id));
        }
    }

    /// Between two ticks that had their runs there is none that had not, unless the job was running when it came: then
    /// it was let go, and an interval began anew.
    fn mind_gap(&mut self, job: &str, beat: Beat, runs: &[Run], tick: i64, next: i64) {
        let is_busy = |at: i64| {
            let covers = |run: &Run| run.due_at < at && at <= run.busy_until().saturating_add(RECORDING);
            runs.iter().filter(|run| run.due_at < next).any(covers)
        };
        let between: Vec<i64> = (tick + SECOND..next).step_by(1000).collect();
        self.ticks += between.len();
        self.let_go += between.len();
        let unexplained = match beat {
            Beat::Cron => between.iter().find(|at| !is_busy(**at)),
            // From when it was free, at most one interval.
            Beat::Interval => between
                .first()
                .filter(|at| !is_busy(**at) || !is_busy(next - SECOND)),
        };
        if let Some(at) = unexplained {
            self.fault(
                job,
                format!("the tick at {at} had no run (the next that had: {next})"),
            );
        }
        if next - tick < SECOND {
            self.fault(job, format!("{next} comes too soon after {tick}"));
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut waits = self.take_overs.clone();
        waits.sort_unstable();
        let seconds = |ms: Option<&i64>| ms.map_or(0.0, |ms| *ms as f64 / 1000.0);
        writeln!(f, "seed            {}", self.seed)?;
        writeln!(
            f,
            "kills           {}, each of one of three servers",
            self.deaths.len()
        )?;
        writeln!(
            f,
            "ticks           {}, of which {} were let go while their job ran",
            self.ticks, self.let_go
        )?;
        writeln!(
            f,
            "runs            {}, with {} entries in the ledger",
            self.runs, self.entries
        )?;
        writeln!(f, "lost            {}, run again {}", self.lost, self.run_again)?;
        writeln!(
            f,
            "taken over      after {:.1} s in the middle, {:.1} s at most",
            seconds(waits.get(waits.len() / 2)),
            seconds(waits.last())
        )?;
        if self.faults.is_empty() {
            return writeln!(f, "verdict         no tick is missing, none was started twice");
        }
        writeln!(f, "verdict         {} faults:", self.faults.len())?;
        self.faults.iter().try_for_each(|fault| writeln!(f, "  {fault}"))
    }
}

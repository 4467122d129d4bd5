//! Whether what the database holds in the end is what was promised.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use super::store::Run;

/// Of every job's schedule.
const SECOND: i64 = 1000;
/// An interval keeps its beat, and starts anew less than one interval after a tick that came late.
const LATEST_BEAT: i64 = 2 * SECOND;
/// "A dead server's claims are taken over within 15 seconds."
const TAKEN_OVER_WITHIN: i64 = 15_000;

/// What a job's ticks follow: the seconds of the clock, or the tick before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    Cron,
    Interval,
}

impl Run {
    /// Until when no other run of its job starts.
    fn busy_until(&self) -> i64 {
        self.ended_at.unwrap_or(i64::MAX / 2)
    }

    fn is_lost(&self) -> bool {
        self.outcome.as_deref() == Some("lost")
    }

    fn last_tick(&self) -> i64 {
        self.last_due_at.unwrap_or(self.due_at)
    }
}

/// What happened, and what of it should not have.
#[derive(Debug, Default)]
pub struct Account {
    pub seed: u64,
    deaths: HashMap<String, i64>,
    pub ticks: i64,
    /// Ticks that were not run, by the reason that the history gives.
    pub skipped: BTreeMap<String, i64>,
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

    /// Takes the history of one job into the account.
    pub(super) fn take(&mut self, job: &str, beat: Beat, history: &[Run], ledger: &HashMap<String, i64>) {
        let (skipped, runs): (Vec<&Run>, Vec<&Run>) = history
            .iter()
            .partition(|row| row.outcome.as_deref() == Some("skipped"));
        self.runs += runs.len();
        for run in &runs {
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
        for row in &skipped {
            *self
                .skipped
                .entry(row.reason.clone().unwrap_or_default())
                .or_default() += row.ticks;
        }
        let mut ticks: Vec<&Run> = history
            .iter()
            .filter(|row| row.trigger_kind == "schedule")
            .collect();
        ticks.sort_by_key(|row| row.due_at);
        for row in &ticks {
            self.count(job, beat, row);
        }
        for pair in ticks.windows(2) {
            if let [row, next] = pair {
                self.mind_gap(job, beat, row, next);
            }
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
            Some(other) => return self.fault(job, format!("{} ended with {other}: {:?}", run.id, run.error)),
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

    /// The ticks of a row: as many as fit between the first and the last.
    fn count(&mut self, job: &str, beat: Beat, row: &Run) {
        self.ticks += row.ticks;
        let (steps, length) = (row.ticks - 1, row.last_tick() - row.due_at);
        let fits = match beat {
            Beat::Cron => length == steps * SECOND,
            Beat::Interval => (steps * SECOND..=steps * LATEST_BEAT).contains(&length),
        };
        if !fits {
            self.fault(job, format!("{}: {} ticks in {length} ms", row.id, row.ticks));
        }
    }

    /// Every tick is in one row, and in no other: the next row goes on where this one ends.
    fn mind_gap(&mut self, job: &str, beat: Beat, row: &Run, next: &Run) {
        let gap = next.due_at - row.last_tick();
        let goes_on = match beat {
            Beat::Cron => gap == SECOND,
            Beat::Interval => (SECOND..LATEST_BEAT).contains(&gap),
        };
        if !goes_on {
            self.fault(job, format!("{} comes {gap} ms after {}", next.id, row.id));
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
        let skipped: Vec<String> = self
            .skipped
            .iter()
            .map(|(reason, ticks)| format!("{ticks} {reason}"))
            .collect();
        writeln!(
            f,
            "ticks           {}; skipped: {}",
            self.ticks,
            skipped.join(", ")
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
            return writeln!(
                f,
                "verdict         every tick has one run or a reason, and none was started twice"
            );
        }
        writeln!(f, "verdict         {} faults:", self.faults.len())?;
        self.faults.iter().try_for_each(|fault| writeln!(f, "  {fault}"))
    }
}

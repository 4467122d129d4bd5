//! One run, from its claim to its record.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use coronet_core::db::write_each;
use coronet_core::functions::Caller;
use coronet_core::lua::{Limits, LuaError, LuaErrorKind, Session};
use coronet_core::{Code, Error, Figure, Result};
use serde::Deserialize;
use serde_json::json;
use tokio::task::JoinHandle;

use crate::job::{Claimed, Finished, Outcome, Problem, Told, Trigger};
use crate::lua;
use crate::notice::Targets;
use crate::service::{InFlight, Jobs, lock};

/// First wait before a record that failed is written again; it doubles up to the second.
const RECORD_AGAIN: Duration = Duration::from_millis(50);
const RECORD_AGAIN_AT_MOST: Duration = Duration::from_secs(5);

/// What is needed of a resource.
#[derive(Debug, Deserialize)]
pub(crate) struct CodeText {
    pub text: String,
    /// 0 for a file.
    #[serde(default)]
    pub revision: i64,
}

impl Jobs {
    /// Starts a claimed run. It is in flight from now on, until it is recorded.
    pub(crate) fn launch(self: &Arc<Self>, run: Claimed) -> JoinHandle<()> {
        let in_flight = InFlight::of(&run);
        let mut all = lock(&self.in_flight);
        all.insert(run.id.clone(), in_flight.clone());
        self.core.server.runs_in_progress(all.len());
        drop(all);
        let jobs = Arc::clone(self);
        tokio::spawn(async move {
            let finished = jobs.execute(run, &in_flight).await;
            jobs.record(finished).await;
        })
    }

    /// Ends a run of this server. Returns whether it is one.
    pub(crate) fn cancel_here(&self, run: &str) -> bool {
        let in_flight = lock(&self.in_flight);
        in_flight.get(run).inspect(|run| run.cancel.cancel()).is_some()
    }

    /// Ends the runs of a job on this server.
    pub(crate) fn cancel_job(&self, job_id: &str) {
        let in_flight = lock(&self.in_flight);
        let of_job = in_flight.values().filter(|run| run.job_id == job_id);
        of_job.for_each(|run| run.cancel.cancel());
    }

    async fn execute(&self, run: Claimed, in_flight: &InFlight) -> Finished {
        let (outcome, problem) = match self.execute_code(&run, in_flight).await {
            Ok(outcome) => (outcome, None),
            Err(error) => self.failure(&run, error),
        };
        tracing::debug!(job = %run.name, run = %run.id, outcome = outcome.as_str(), "run ended");
        Finished {
            ended_at: self.core.clock.now_ms().max(run.started_at),
            outcome,
            problem,
            told: in_flight.told(),
            run,
        }
    }

    async fn execute_code(&self, run: &Claimed, in_flight: &InFlight) -> Result<Outcome, LuaError> {
        let code = self
            .read_code(&run.path)
            .await
            .map_err(|error| match error.code() {
                Code::NotFound => {
                    let text = format!("the code jobs/{} does not exist", run.path);
                    LuaError::new(LuaErrorKind::Source, text)
                }
                // Nothing ran, and the next try may find it.
                _ if error.is_retryable() => unreadable(LuaErrorKind::Busy, &error),
                _ => unreadable(LuaErrorKind::Source, &error),
            })?;
        in_flight.revision.get_or_init(|| code.revision);
        let time = Duration::from_secs(u64::try_from(run.timeout).unwrap_or(1));
        let caller = Caller::Job {
            id: run.job_id.as_str().into(),
            name: run.name.as_str().into(),
            run: run.id.as_str().into(),
        };
        let session = Session {
            caller,
            limits: Limits {
                time,
                ..Limits::default()
            },
            log: in_flight.log.clone(),
            cancel: in_flight.cancel.clone(),
        };
        let name = format!("jobs/{}", run.path);
        let (clock, zone) = (self.core.clock.clone(), run.timezone.clone());
        let progress = in_flight.progress.clone();
        let pace = Arc::clone(&self.pace);
        self.lua
            .run(session, move |sandbox| {
                let begun = Instant::now();
                let outcome = lua::run(sandbox, &name, &code.text, &clock, zone.as_deref(), &progress);
                pace.observe(begun.elapsed());
                outcome
            })
            .await
    }

    /// Job code, from the layer that is live.
    pub(crate) async fn read_code(&self, path: &str) -> Result<CodeText> {
        let parameters = json!({ "path": format!("jobs/{path}") });
        let resource = self
            .core
            .functions
            .call(&Caller::System, "resources.read", parameters)
            .await?;
        serde_json::from_value(resource).map_err(Error::unexpected)
    }

    fn failure(&self, run: &Claimed, error: LuaError) -> (Outcome, Option<Problem>) {
        let outcome = match error.kind {
            LuaErrorKind::Deadline => Outcome::Timeout,
            LuaErrorKind::Cancelled if self.giving_up.load(Ordering::Relaxed) => Outcome::Lost,
            LuaErrorKind::Cancelled => Outcome::Cancelled,
            LuaErrorKind::Source
            | LuaErrorKind::Runtime
            | LuaErrorKind::Contract
            | LuaErrorKind::Memory
            | LuaErrorKind::Busy => Outcome::Error,
        };
        let message = match outcome {
            Outcome::Lost => "the server stopped while the job ran".to_owned(),
            Outcome::Timeout => format!("the job did not end within its {} seconds", run.timeout),
            _ => error.message,
        };
        (
            outcome,
            Some(Problem {
                message,
                line: error.line,
                traceback: error.traceback,
                is_lasting: matches!(error.kind, LuaErrorKind::Source | LuaErrorKind::Contract),
            }),
        )
    }

    /// Records a run. Runs that end while another record is being written are written together after it.
    async fn record(&self, finished: Finished) {
        lock(&self.finished).push(finished);
        let _turn = self.recording.lock().await;
        let patience = self.rush.patience(Instant::now());
        // Not while others wait for these to make room.
        if !patience.is_zero() && !self.behind.load(Ordering::Relaxed) && !lock(&self.finished).is_empty() {
            tokio::time::sleep(patience).await;
        }
        let batch = std::mem::take(&mut *lock(&self.finished));
        if batch.is_empty() {
            // The one before wrote this one along.
            return;
        }
        let ended: Vec<(String, String)> = batch
            .iter()
            .map(|done| (done.run.id.clone(), done.run.job_id.clone()))
            .collect();
        let planned = batch
            .iter()
            .any(|done| done.outcome != Outcome::Ok || done.run.special);
        self.note_figures(&batch);
        self.record_surely(batch).await;
        self.count_for_sweep(ended.iter().map(|(_, job)| job));
        let mut in_flight = lock(&self.in_flight);
        ended.iter().for_each(|(run, _)| {
            in_flight.remove(run);
        });
        self.core.server.runs_in_progress(in_flight.len());
        drop(in_flight);
        self.settled.notify_waiters();
        if planned || self.hungry.swap(false, Ordering::SeqCst) {
            self.changed.notify_one();
        }
    }

    fn note_figures(&self, batch: &[Finished]) {
        let figures = &self.core.figures;
        for done in batch {
            match done.outcome {
                Outcome::Error | Outcome::Timeout | Outcome::Lost => figures.note(Figure::RunsFailed, 1),
                Outcome::Cancelled | Outcome::Skipped => {}
                _ => figures.note(Figure::RunsOk, 1),
            }
            if done.run.trigger == Trigger::Schedule {
                let late = (done.run.started_at - done.run.due_at).max(0);
                figures.note(Figure::RunsLateness, late);
            }
        }
    }

    /// A run that is not recorded would be taken for lost and run again, so a database that is away is waited for. A run
    /// that can never be recorded as it is, is recorded without what it said, and holds up no other run.
    pub(crate) async fn record_surely(&self, batch: Vec<Finished>) {
        let mut wait = RECORD_AGAIN;
        let targets = Targets::of(&self.core.settings);
        let mut batch: Vec<Ended> = batch.into_iter().map(Ended::Whole).collect();
        loop {
            batch = self.record_once(batch, &targets).await;
            if batch.is_empty() || self.giving_up.load(Ordering::Relaxed) {
                return;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(RECORD_AGAIN_AT_MOST);
        }
    }

    /// Records what can be recorded now. Returns what is to be tried again.
    async fn record_once(&self, batch: Vec<Ended>, targets: &Targets) -> Vec<Ended> {
        let outcomes = {
            let _turn = self.writing_runs.lock().await;
            let rows = batch.iter().map(|ended| ended.finished().clone()).collect();
            write_each(rows, |rows| self.store.record(rows, targets.clone())).await
        };
        let mut again = Vec::new();
        let mut notify = false;
        for (ended, outcome) in batch.into_iter().zip(outcomes) {
            let error = match outcome {
                Ok(noticed) => {
                    notify |= noticed;
                    continue;
                }
                Err(error) => error,
            };
            if error.is_retryable() {
                tracing::warn!(%error, run = %ended.finished().run.id, "the end of a run could not be recorded yet");
                again.push(ended);
                continue;
            }
            let name = ended.finished().run.name.clone();
            let now = self.core.clock.now_ms();
            self.core.losses.note("The end of a run", &name, &error, now);
            match ended {
                Ended::Whole(finished) => again.push(Ended::Reduced(without_what_it_said(finished, &error))),
                Ended::Reduced(finished) => lock(&self.unrecorded).push(finished.run),
            }
        }
        if notify {
            self.noticed.notify_one();
        }
        self.close_unrecorded().await;
        again
    }

    /// Ends the runs whose end could not be recorded in any form. Those that cannot be ended now are tried again later: the
    /// server would keep them open as its own as long as it lives.
    pub(crate) async fn close_unrecorded(&self) {
        let runs = std::mem::take(&mut *lock(&self.unrecorded));
        for run in runs {
            let _turn = self.writing_runs.lock().await;
            if let Err(error) = self.store.close(&run, self.core.clock.now_ms()).await {
                tracing::warn!(%error, run = %run.id, "a run could not be ended yet");
                lock(&self.unrecorded).push(run);
            }
        }
    }
}

fn unreadable(kind: LuaErrorKind, error: &Error) -> LuaError {
    LuaError::new(kind, format!("the code cannot be read: {}", error.message()))
}

/// A run that has ended and is to be recorded.
enum Ended {
    Whole(Finished),
    /// Without what it said, since that could not be stored.
    Reduced(Finished),
}

impl Ended {
    fn finished(&self) -> &Finished {
        match self {
            Self::Whole(finished) | Self::Reduced(finished) => finished,
        }
    }
}

fn without_what_it_said(finished: Finished, error: &Error) -> Finished {
    let message = format!("what the run said could not be stored: {}", error.message());
    Finished {
        outcome: Outcome::Error,
        problem: Some(Problem::new(&message)),
        told: Told::default(),
        ..finished
    }
}

//! Trying job code: it runs as its job would, and nothing is changed by it.
//!
//! The code is what somebody types, saved or not. Its calls are answered by a [`Rehearsal`]: what only reads is read, mail is
//! caught, and all else that would change something is refused.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use coronet_core::functions::{Access, Call, Function, Role};
use coronet_core::lua::{
    Cancel, Limits, LogSink, LuaError, LuaErrorKind, LuaPool, Rehearsal, RehearsedCall, Session,
};
use coronet_core::{Core, Error, PartRequest, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::form::invalid;
use crate::job::{Outcome, Problem};
use crate::lua;
use crate::names;
use crate::service::{Jobs, Progress, lock};
use crate::store::JobFilter;

/// Somebody waits for it.
const TIME: Duration = Duration::from_secs(60);
/// Waiting for a thread included.
const DEADLINE: Duration = Duration::from_secs(70);
const THREADS: usize = 4;
const LOG_BYTES: usize = 64 * 1024;

/// The test runs of this server.
pub(crate) struct Tests {
    /// Threads of their own: what is only tried takes none from jobs.
    pool: LuaPool,
    /// What those that somebody watches printed so far, by the name they were given.
    watched: Mutex<HashMap<String, LogSink>>,
}

impl Tests {
    pub fn new(core: &Core) -> Self {
        Self {
            pool: LuaPool::in_background("test runs", THREADS, &core.functions),
            watched: Mutex::default(),
        }
    }
}

pub(crate) fn all(jobs: &Arc<Jobs>) -> Vec<Function> {
    vec![
        Function::read(
            "jobs.test",
            "Runs job code without changing anything: mail is caught, and other writes are refused.",
            jobs,
            test,
        )
        .role(Role::Editor)
        .deadline(DEADLINE),
        Function::read(
            "jobs.testOutput",
            "Shows what a test run that is in progress here has printed so far.",
            jobs,
            output,
        )
        .role(Role::Editor),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Test {
    /// The text to run, saved or not.
    code: String,
    /// Path of the code below `jobs/`: the job with this path says in which zone local time is.
    #[serde(default)]
    path: Option<String>,
    /// What functions answer, by their names: `{"users.delete": true}`. `{"error": {"code": 604, "message": "…"}}` stands
    /// for a failure. Functions that only read need no answer.
    #[serde(default)]
    answers: Map<String, Value>,
    /// A name to watch it by, with `jobs.testOutput`.
    #[serde(default)]
    #[schemars(length(min = 8, max = 100))]
    watch: Option<String>,
}

/// What a test run came to. Nothing was changed by it.
#[derive(Debug, Serialize, JsonSchema)]
struct Tested {
    outcome: Outcome,
    /// Why it failed, with the line.
    problem: Option<Problem>,
    /// What the code printed.
    log: String,
    /// The functions it called, and how they were answered.
    calls: Vec<RehearsedCall>,
    milliseconds: u64,
}

async fn test(jobs: Arc<Jobs>, call: Arc<Call>, input: Test) -> Result<Tested> {
    let path = match &input.path {
        Some(path) => names::job_path(path)?,
        None => "test.lua".to_owned(),
    };
    let zone = jobs.zone_of(&path).await?;
    let log = LogSink::new(LOG_BYTES);
    let _watched = match input.watch {
        Some(name) => Some(Watched::begin(&jobs, name, &log)?),
        None => None,
    };
    let session = Session {
        caller: call.caller.clone(),
        limits: Limits {
            time: TIME,
            ..Limits::default()
        },
        log: log.clone(),
        cancel: Cancel::default(),
    };
    let rehearsal = Arc::new(Rehearsal::new(Access::JOB, input.answers).catching(caught()));
    let (name, code, clock) = (format!("jobs/{path}"), input.code, jobs.core.clock.clone());
    let began = Instant::now();
    let ran = jobs
        .tests
        .pool
        .rehearse(session, &rehearsal, move |sandbox| {
            lua::run(
                sandbox,
                &name,
                &code,
                &clock,
                zone.as_deref(),
                &Progress::default(),
            )
        })
        .await;
    let (outcome, problem) = match ran {
        Ok(outcome) => (outcome, None),
        Err(error) => failure(error),
    };
    Ok(Tested {
        outcome,
        problem,
        log: log.text(),
        calls: rehearsal.calls(),
        milliseconds: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}

/// What goes out and is caught, with the answer of one that went.
fn caught() -> BTreeMap<&'static str, Value> {
    BTreeMap::from([
        ("mail.send", json!({ "id": "mail_not_sent" })),
        ("users.sendPasswordResetLink", json!(true)),
    ])
}

fn failure(error: LuaError) -> (Outcome, Option<Problem>) {
    let outcome = match error.kind {
        LuaErrorKind::Deadline => Outcome::Timeout,
        LuaErrorKind::Cancelled => Outcome::Cancelled,
        _ => Outcome::Error,
    };
    let problem = Problem {
        message: error.message,
        line: error.line,
        traceback: error.traceback,
        is_lasting: false,
    };
    (outcome, Some(problem))
}

impl Jobs {
    /// The zone of local time in the code at this path.
    async fn zone_of(&self, path: &str) -> Result<Option<String>> {
        let with_path = JobFilter {
            path: Some(path.to_owned()),
            ..JobFilter::default()
        };
        let first = PartRequest {
            limit: Some(1),
            ..PartRequest::default()
        };
        let using = self.store.list_some(&with_path, None, &first).await?;
        Ok(using.items.into_iter().next().and_then(|job| job.timezone))
    }
}

/// A test run that is watched, until it ends or is given up.
struct Watched {
    jobs: Arc<Jobs>,
    name: String,
}

impl Watched {
    fn begin(jobs: &Arc<Jobs>, name: String, log: &LogSink) -> Result<Self> {
        let mut watched = lock(&jobs.tests.watched);
        if watched.contains_key(&name) {
            return Err(invalid(
                "watch",
                "A test run with this name is in progress.".to_owned(),
            ));
        }
        watched.insert(name.clone(), log.clone());
        Ok(Self {
            jobs: Arc::clone(jobs),
            name,
        })
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        lock(&self.jobs.tests.watched).remove(&self.name);
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Watch {
    /// The name that `jobs.test` was given.
    watch: String,
}

/// Null when no such test run is in progress on this server.
async fn output(jobs: Arc<Jobs>, _call: Arc<Call>, input: Watch) -> Result<Option<String>> {
    let watched = lock(&jobs.tests.watched);
    Ok::<_, Error>(watched.get(&input.watch).map(LogSink::text))
}
